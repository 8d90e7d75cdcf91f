// Others' resolvers of DIDs and verifiers of documents' signatures, for tests/interop.sh. Exit code 1: they say no.
//   documents.mjs serve FOLDER KEY CERTIFICATE PORT_FILE      HTTPS on loopback; the port goes to PORT_FILE
//   documents.mjs web FOLDER DID...                           their resolvers find each document that FOLDER serves
//   documents.mjs web-make FOLDER PORT                        their documents as did:web; prints the DIDs
//   documents.mjs key RESULT...                               our results for did:key are their documents
//   documents.mjs signed RECORD FILE RESULT...                every signature of our record, with resolution results of ours
//   documents.mjs altered RESULT FILE RECORD...               none of these records holds
//   documents.mjs sign FILE OUT                               records by their libraries: OUT.ed25519.sig, OUT.p256.sig
//   documents.mjs jwt FILE RESULT...                          a JWT, by a resolver that knows these results and did:key
//   documents.mjs jwt-make DRAFT OUT                          a vc+jwt with ES256
import assert from 'node:assert/strict';
import {createHash} from 'node:crypto';
import {mkdirSync, readFileSync, renameSync, statSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:https';
import {basename, dirname, join, normalize} from 'node:path';
import {createRequire} from 'node:module';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import * as eddsa from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import * as ecdsa from '@digitalbazaar/ecdsa-jcs-2019-cryptosuite';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import * as EcdsaMultikey from '@digitalbazaar/ecdsa-multikey';
import {driver as keyDriver} from '@digitalbazaar/did-method-key';
import {driver as webDriver} from '@digitalbazaar/did-method-web';
import {createJWT, ES256Signer, verifyJWT} from 'did-jwt';
import {Resolver} from 'did-resolver';
import {getResolver as keyResolver} from 'key-did-resolver';
import {getResolver as webResolver} from 'web-did-resolver';

const {verify, purposes: {AssertionProofPurpose, ControllerProofPurpose}} = createRequire(import.meta.url)('jsonld-signatures');
const suites = {
  ed25519: {Multikey: Ed25519Multikey, jcs: eddsa, header: 'z6Mk', generate: () => Ed25519Multikey.generate()},
  p256: {Multikey: EcdsaMultikey, jcs: ecdsa, header: 'zDna', generate: () => EcdsaMultikey.generate({curve: 'P-256'})},
};
const drivers = {key: keyDriver(), web: webDriver()};
for (const driver of Object.values(drivers))
  for (const {header, Multikey} of Object.values(suites))
    driver.use({multibaseMultikeyHeader: header, fromMultibase: Multikey.from});
const read = path => JSON.parse(readFileSync(path, 'utf8'));

// Documents of other DIDs than did:key: `firmiana did resolve` wrote them.
function known(results) {
  return new Map(results.map(path => [read(path).didDocument.id, read(path)]));
}

function serve(folder, key, certificate, portFile) {
  const server = createServer({key: readFileSync(key), cert: readFileSync(certificate)}, (request, response) => {
    try {
      response.setHeader('content-type', 'application/did+json');
      response.end(readFileSync(join(folder, normalize(decodeURIComponent(request.url)))));
    } catch {
      response.writeHead(404).end();
    }
  });
  server.listen(0, '127.0.0.1', () => {
    writeFileSync(`${portFile}.new`, `${server.address().port}\n`);
    renameSync(`${portFile}.new`, portFile);
  });
}

async function web(folder, dids) {
  const resolver = new Resolver(webResolver());
  for (const did of dids) {
    const path = did.split(':').slice(3).map(decodeURIComponent);
    const wanted = read(join(folder, ...(path.length ? path : ['.well-known']), 'did.json'));
    const {didDocument, didResolutionMetadata} = await resolver.resolve(did);
    assert.equal(didResolutionMetadata.error, undefined);
    assert.deepEqual(didDocument, wanted);
    assert.deepEqual(await drivers.web.get({did}), wanted);
    for (const purpose of ['authentication', 'assertionMethod', 'capabilityInvocation']) {
      const method = drivers.web.publicMethodFor({didDocument, purpose});
      assert.equal(method.controller, did);
      await suites.ed25519.Multikey.from(method); // a key that they can use
    }
  }
}

async function webMake(folder, port) {
  for (const [name, {generate}] of Object.entries(suites)) {
    const url = `https://localhost:${port}/theirs/${name}/did.json`;
    const {didDocument} = await drivers.web.fromKeyPair({url, verificationKeyPair: await generate()});
    const file = join(folder, 'theirs', name, 'did.json');
    mkdirSync(dirname(file), {recursive: true});
    writeFileSync(file, JSON.stringify(didDocument, null, 2));
    console.log(didDocument.id);
  }
}

async function key(results) {
  const resolver = new Resolver(keyResolver());
  for (const path of results) {
    const {didDocument: ours} = read(path), did = ours.id, mark = did.split(':')[2];
    const suite = Object.values(suites).find(({header}) => mark.startsWith(header));
    const theirs = await drivers.key.get({did});
    for (const list of ['authentication', 'assertionMethod', 'capabilityInvocation', 'capabilityDelegation'])
      assert.deepEqual(ours[list], theirs[list]);
    assert.deepEqual(ours.verificationMethod, theirs.verificationMethod);
    const other = (await resolver.resolve(did)).didDocument.verificationMethod[0]; // the other library's, in base58 or as a JWK
    assert.equal(other.id, ours.verificationMethod[0].id);
    assert.equal((await suite.Multikey.from(other)).publicKeyMultibase, ours.verificationMethod[0].publicKeyMultibase);
  }
}

// A record's signatures are proof objects beside each other; each is over the record without them, in order over "after" too.
async function signed(path, file, results) {
  const {signatures, ...record} = read(path), documents = known(results);
  const bytes = readFileSync(file);
  assert.equal(createHash('sha256').update(bytes).digest('hex'), record.document.sha256);
  assert.equal(bytes.length, record.document.size);
  const documentLoader = async url => {
    const did = url.split('#')[0], document = documents.get(did)?.didDocument ?? await drivers.key.get({did});
    const method = document.verificationMethod.find(({id}) => id === url);
    if (url === did) return {url, documentUrl: url, document};
    assert.ok(method, `${url} is not in its document`);
    return {url, documentUrl: url, document: {'@context': 'https://w3id.org/security/multikey/v1', ...method}};
  };
  for (const [i, proof] of signatures.entries()) {
    const statement = record.in_order && i > 0 ? {...record, after: signatures.slice(0, i)} : record;
    const {jcs} = proof.cryptosuite === 'ecdsa-jcs-2019' ? suites.p256 : suites.ed25519;
    const suite = new DataIntegrityProof({cryptosuite: jcs.createVerifyCryptosuite()});
    const purpose = new ControllerProofPurpose({term: proof.proofPurpose});
    const result = await verify({...statement, proof}, {suite, purpose, documentLoader});
    if (!result.verified) throw result.error.errors?.[0] ?? result.error;
    assert.ok(record.signers.includes(proof.verificationMethod.split('#')[0]));
  }
}

async function altered(result, file, paths) {
  for (const path of paths) await assert.rejects(signed(path, file, [result]), undefined, `${path} holds`);
}

async function signRecords(file, out) {
  const bytes = readFileSync(file), hash = name => createHash(name).update(bytes).digest('hex');
  for (const [name, {generate, jcs}] of Object.entries(suites)) {
    const keyPair = await generate();
    const {didDocument, methodFor} = await drivers.key.fromKeyPair({verificationKeyPair: keyPair});
    keyPair.id = methodFor({purpose: 'assertionMethod'}).id;
    const record = {type: 'FirmianaSignature', version: 1, in_order: false, signers: [didDocument.id],
      document: {name: basename(file), size: statSync(file).size, sha256: hash('sha256'), sm3: hash('sm3')}};
    const cryptosuite = jcs.createSignCryptosuite();
    const suite = new DataIntegrityProof({signer: keyPair.signer(), cryptosuite, date: '2026-01-01T00:00:00Z'});
    const proof = await suite.createProof({document: record, purpose: new AssertionProofPurpose(), proofSet: []}); // sign() would add an @context
    writeFileSync(`${out}.${name}.sig`, `${await cryptosuite.canonize({...record, signatures: [proof]})}\n`);
  }
}

async function jwt(file, results) {
  const documents = known(results);
  const firmiana = async did => documents.get(did) ?? {didDocument: null, didDocumentMetadata: {}, didResolutionMetadata: {error: 'notFound'}};
  await verifyJWT(readFileSync(file, 'utf8').trim(), {resolver: new Resolver({...keyResolver(), firmiana})});
}

async function jwtMake(draft, out) {
  const keyPair = await suites.p256.generate();
  const {didDocument, methodFor} = await drivers.key.fromKeyPair({verificationKeyPair: keyPair});
  const {secretKey} = await keyPair.export({secretKey: true, raw: true});
  const payload = {...read(draft), issuer: didDocument.id, validFrom: '2026-01-01T00:00:00Z', iat: undefined};
  writeFileSync(out, await createJWT(payload, {issuer: didDocument.id, signer: ES256Signer(secretKey), alg: 'ES256'},
    {typ: 'vc+jwt', kid: methodFor({purpose: 'assertionMethod'}).id}));
}

const [what, ...args] = process.argv.slice(2);
const commands = {serve: () => serve(...args), web: () => web(args[0], args.slice(1)), 'web-make': () => webMake(...args),
  key: () => key(args), signed: () => signed(args[0], args[1], args.slice(2)),
  altered: () => altered(args[0], args[1], args.slice(2)), sign: () => signRecords(...args),
  jwt: () => jwt(args[0], args.slice(1)), 'jwt-make': () => jwtMake(...args)};
try {
  await commands[what]();
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
