// Others' implementations of credentials, for tests/interop.sh.
//   others.mjs verify FILE | verify-shown FILE CHALLENGE DOMAIN | verify-jwt FILE     exit code 1: not valid
//   others.mjs issue FOLDER HOLDER_DID        writes credential.json, p256.json, credential.jwt, and seed-made shown.json
import {readFileSync, writeFileSync} from 'node:fs';
import * as vc from '@digitalbazaar/vc';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import * as eddsa from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import * as ecdsa from '@digitalbazaar/ecdsa-jcs-2019-cryptosuite';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import * as EcdsaMultikey from '@digitalbazaar/ecdsa-multikey';
import {driver} from '@digitalbazaar/did-method-key';
import {createJWT, EdDSASigner, verifyJWT} from 'did-jwt';
import {Resolver} from 'did-resolver';
import {getResolver} from 'key-did-resolver';

const didKey = driver();
didKey.use({multibaseMultikeyHeader: 'z6Mk', fromMultibase: Ed25519Multikey.from});
didKey.use({multibaseMultikeyHeader: 'zDna', fromMultibase: EcdsaMultikey.from});

// Contexts that came with the packages, and documents of did:key; nothing is fetched.
async function documentLoader(url) {
  if (url.startsWith('did:key:')) return {url, documentUrl: url, document: await didKey.get({url})};
  return vc.defaultDocumentLoader(url);
}
const text = path => readFileSync(path, 'utf8').trim();
const verifySuite = () => [eddsa, ecdsa].map(jcs => new DataIntegrityProof({cryptosuite: jcs.createVerifyCryptosuite()}));

function judge(result) {
  if (!result.verified) {
    console.error(result.error?.errors?.map(e => e.message).join('; ') ?? result.error?.message ?? 'not verified');
    process.exit(1);
  }
}

async function newKey(jcs = eddsa) {
  const keyPair = await (jcs === eddsa ? Ed25519Multikey.generate() : EcdsaMultikey.generate({curve: 'P-256'}));
  const {didDocument, methodFor} = await didKey.fromKeyPair({verificationKeyPair: keyPair});
  const method = methodFor({purpose: 'assertionMethod'});
  keyPair.id = method.id;
  keyPair.controller = didDocument.id;
  return {jcs, keyPair, did: didDocument.id, method: method.id};
}
const signSuite = key => new DataIntegrityProof({signer: key.keyPair.signer(), cryptosuite: key.jcs.createSignCryptosuite()});

async function issue(folder, holder) {
  const issuer = await newKey(), subject = await newKey(), p256 = await newKey(ecdsa);
  const draft = (id, by = issuer) => ({'@context': ['https://www.w3.org/ns/credentials/v2'], type: ['VerifiableCredential'],
    issuer: by.did, validFrom: '2026-01-01T00:00:00.5Z',
    credentialSubject: {id, ratio: 1.5, small: 1e-7, large: 2 ** 70, whole: 42, middleName: null}}); // numbers as others have them
  const sign = (credential, by = issuer) => vc.issue({credential, suite: signSuite(by), documentLoader});
  writeFileSync(`${folder}/credential.json`, JSON.stringify(await sign(draft(holder)), null, 2));
  writeFileSync(`${folder}/p256.json`, JSON.stringify(await sign(draft(holder, p256), p256)));
  const presentation = vc.createPresentation({verifiableCredential: [await sign(draft(subject.did))], holder: subject.did});
  writeFileSync(`${folder}/shown.json`, JSON.stringify(await vc.signPresentation(
    {presentation, suite: signSuite(subject), challenge: 'challenge 1', domain: 'bank_b', documentLoader}), null, 2));
  const exported = await issuer.keyPair.export({secretKey: true, raw: true});
  writeFileSync(`${folder}/credential.jwt`, await createJWT({...draft(holder), iat: undefined},
    {issuer: issuer.did, signer: EdDSASigner(exported.secretKey), alg: 'EdDSA'}, {typ: 'vc+jwt', kid: issuer.method}));
}

const [what, ...args] = process.argv.slice(2);
if (what === 'verify')
  judge(await vc.verifyCredential({credential: JSON.parse(text(args[0])), suite: verifySuite(), documentLoader}));
else if (what === 'verify-shown')
  judge(await vc.verify({presentation: JSON.parse(text(args[0])), challenge: args[1], domain: args[2], suite: verifySuite(), documentLoader}));
else if (what === 'verify-jwt')
  judge(await verifyJWT(text(args[0]), {resolver: new Resolver(getResolver())}).catch(error => ({verified: false, error})));
else if (what === 'issue') await issue(args[0], args[1]);
else process.exit(2);
