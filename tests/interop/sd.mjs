// Another implementation of SD-JWT VC (@sd-jwt/sd-jwt-vc), for tests/interop.sh.
//   sd.mjs issue FOLDER ALG HOLDER_DID       writes issued.sd: for a holder of ours; ALG: EdDSA or ES256
//   sd.mjs show FOLDER ALG NONCE AUDIENCE    writes shown.sd: issued to a key of its own, and shown in part
//   sd.mjs verify FILE [NONCE AUDIENCE]      prints the claims; exit code 1: not valid
//   sd.mjs refuse {FILE NONCE AUDIENCE}...   exit code 1: one of them is valid
import {createHash, createPublicKey, ECDH, generateKeyPairSync, randomBytes, sign, verify} from 'node:crypto';
import {readFileSync, writeFileSync} from 'node:fs';
import {SDJwtVcInstance} from '@sd-jwt/sd-jwt-vc';

const digits = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
function unbase58(text) {
  let n = 0n;
  for (const c of text) n = n * 58n + BigInt(digits.indexOf(c));
  const hex = n.toString(16);
  return Buffer.from(hex.length % 2 ? '0' + hex : hex, 'hex');
}
function base58(bytes) {
  let n = BigInt('0x' + bytes.toString('hex')), text = '';
  for (; n > 0n; n /= 58n) text = digits[Number(n % 58n)] + text;
  return text;
}

// did:key, Ed25519 (ed01) and P-256 (8024).
const jwkOf = bytes => bytes[0] === 0xed ? {kty: 'OKP', crv: 'Ed25519', x: bytes.subarray(2).toString('base64url')} : pointOf(bytes.subarray(2));
function pointOf(compressed) {
  const whole = ECDH.convertKey(compressed, 'prime256v1', undefined, undefined, 'uncompressed');
  return {kty: 'EC', crv: 'P-256', x: whole.subarray(1, 33).toString('base64url'), y: whole.subarray(33).toString('base64url')};
}
const jwkOfDid = did => jwkOf(unbase58(did.split('#')[0].slice('did:key:z'.length)));
function newKey(alg) {
  const {publicKey, privateKey} = alg === 'EdDSA' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', {namedCurve: 'P-256'});
  const jwk = publicKey.export({format: 'jwk'}), x = Buffer.from(jwk.x, 'base64url');
  const parity = alg === 'EdDSA' ? 0 : 2 + (Buffer.from(jwk.y, 'base64url')[31] & 1);
  const multikey = 'z' + base58(Buffer.concat([Buffer.from(alg === 'EdDSA' ? [0xed, 1] : [0x80, 0x24, parity]), x]));
  return {privateKey, jwk, did: 'did:key:' + multikey, method: `did:key:${multikey}#${multikey}`};
}
const signer = (alg, key) => data => sign(alg === 'EdDSA' ? null : 'sha256', Buffer.from(data), {key, dsaEncoding: 'ieee-p1363'}).toString('base64url');
function check(jwk, data, signature) {
  const key = createPublicKey({key: jwk, format: 'jwk'});
  return verify(jwk.kty === 'OKP' ? null : 'sha256', Buffer.from(data), {key, dsaEncoding: 'ieee-p1363'}, Buffer.from(signature, 'base64url'));
}
const common = {hasher: (data, alg) => createHash(alg.replace('-', '')).update(Buffer.from(data)).digest(), hashAlg: 'sha-256',
  saltGenerator: length => randomBytes(length).toString('hex').slice(0, length)};

const claims = {given_name: 'Li', address: {street: '1 Wutong Rd', city: 'Shanghai'}, degrees: ['BSc', 'PhD']};
const frame = {_sd: ['given_name', 'address'], _sd_decoy: 3, address: {_sd: ['street', 'city']}, degrees: {_sd: [0, 1], _sd_decoy: 1}};
function issue(alg, holderJwk) {
  const key = newKey(alg);
  const instance = new SDJwtVcInstance({...common, signer: signer(alg, key.privateKey), signAlg: alg});
  return instance.issue({iss: key.did, iat: Math.floor(Date.now() / 1000), vct: 'https://x.example/kyc', cnf: {jwk: holderJwk}, ...claims},
    frame, {header: {kid: key.method}});
}

async function show(alg, nonce, aud) {
  const holder = newKey(alg);
  const issued = await issue(alg, holder.jwk);
  const instance = new SDJwtVcInstance({...common, kbSigner: signer(alg, holder.privateKey), kbSignAlg: alg});
  return instance.present(issued, {given_name: true, degrees: {1: true}}, {kb: {payload: {iat: Math.floor(Date.now() / 1000), nonce, aud}}});
}

async function judge(text, nonce, aud) {
  const header = JSON.parse(Buffer.from(text.split('.')[0], 'base64url'));
  const instance = new SDJwtVcInstance({...common, verifier: (data, signature) => check(jwkOfDid(header.kid), data, signature),
    kbVerifier: (data, signature, payload) => check(payload.cnf.jwk, data, signature)});
  const {payload, kb} = await instance.verify(text, nonce === undefined ? {} : {keyBindingNonce: nonce});
  if (nonce !== undefined && kb.payload.aud !== aud) throw new Error('another audience'); // which it leaves to who calls it
  return payload;
}

const [what, ...args] = process.argv.slice(2);
if (what === 'issue') writeFileSync(`${args[0]}/issued.sd`, await issue(args[1], jwkOfDid(args[2])));
else if (what === 'show') writeFileSync(`${args[0]}/shown.sd`, await show(args[1], args[2], args[3]));
else if (what === 'verify')
  await judge(readFileSync(args[0], 'utf8').trim(), args[1], args[2]).then(
    payload => console.log(JSON.stringify(payload)), error => { console.error(error.message); process.exit(1); });
else if (what === 'refuse')
  for (let i = 0; i < args.length; i += 3)
    await judge(readFileSync(args[i], 'utf8').trim(), args[i + 1], args[i + 2]).then(
      () => { console.error(`${args[i]} is valid`); process.exit(1); }, () => {});
else process.exit(2);
