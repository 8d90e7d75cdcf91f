// Another validator of JSON Schema (ajv, draft 2020-12), for tests/interop.sh: what it says of our schemas' specimens and of
// mutations of them, one a line. schemas.mjs FOLDER_OF_SCHEMAS COUNT SEED
import {readFileSync} from 'node:fs';
import Ajv2020 from 'ajv/dist/2020.js';

const specimens = {
  'person-identity': {id: 'did:key:z6MkA', name: 'Li Wei', idScheme: 'cn.id', idNumber: '11010519491231002X', birthDate: '1949-12-31',
    nationality: 'CN', address: {country: 'CN', locality: '上海', street: '1 Wutong Rd'}, phone: '+8613800000000', level: 'basic',
    verifiedAt: '2026-11-20T09:51:00Z', method: 'video'},
  enterprise: {id: 'did:web:a.example', legalName: '梧桐有限公司', uscc: '91310000MA1FL0000X', trustCode: 'SH20260001', registeredOn: '2020-02-29',
    registeredCapital: {amount: '1000000.00', currency: 'CNY'}, status: 'active', grade: 'A+', address: 'Shanghai'},
  mandate: {id: 'did:key:z6MkA', name: 'Zhang', company: {legalName: 'Wutong', uscc: '91310000MA1FL0000X'}, powers: ['consent.grant', 'document.sign'],
    limit: {amount: '5', currency: 'CNY'}, purposes: ['loan']},
  member: {id: 'did:firmiana:0123456789abcdef0123456789abcdef:QmX', alias: 'bank_a', legalName: 'Bank A', role: 'member', joinedOn: '2026-01-01'},
  'consent-receipt': {consent: 'a'.repeat(64), action: 'granted', grantee: 'did:web:a.example', purpose: 'credit', mode: 'signed', uses: 3,
    at: '2026-11-20T09:51:00Z', height: 0},
  certificate: {id: 'did:key:z6MkA', name: 'Li', kind: 'diploma', title: 'BSc', awardedOn: '2026-06-30', level: 6, number: '7'}};

const [folder, count, seed] = process.argv.slice(2);
let state = BigInt(seed) | 1n;
function below(n) {
  state ^= state >> 12n; state ^= (state << 25n) & 0xffffffffffffffffn; state ^= state >> 27n;
  return Number(((state * 2685821657736338717n) & 0xffffffffffffffffn) >> 33n) % n;
}
const others = [0, 1, -1, 7, 1000001, true, false, '', 'x', 'é'.repeat(101), '上'.repeat(100), 'a'.repeat(513), [], {}, [1], {a: 1}, ['document.sign'],
  ['consent.grant', 'consent.grant'], '2026-13-01', '2026-11-20', 'CNY', 'cn.id', 'did:key:z', 'A\n', '\nA', 'a_1', '_a'];
function places(value, path = []) {
  const below_ = value !== null && typeof value === 'object' ? Object.keys(value).flatMap(k => places(value[k], [...path, k])) : [];
  return [path, ...below_];
}
function mutate(value) {
  const all = places(value).slice(1), path = all[below(all.length)], last = path[path.length - 1];
  const at = path.slice(0, -1).reduce((v, k) => v[k], value);
  const how = below(5);
  if (how === 0) Array.isArray(at) ? at.splice(Number(last), 1) : delete at[last];
  else if (how === 1 && typeof at[last] === 'string') {
    const i = below(at[last].length + 1), put = ['', 'a', 'Z', '0', '上', ' ', '-'][below(7)];
    at[last] = at[last].slice(0, i) + put + at[last].slice(i + below(2));
  } else if (how === 2 && !Array.isArray(at)) at['more' + below(3)] = others[below(others.length)];
  else if (how === 3 && typeof at[last] === 'number') at[last] += below(5) - 2;
  else at[last] = structuredClone(others[below(others.length)]);
}

const ajv = new Ajv2020({strict: false});
for (const [name, specimen] of Object.entries(specimens)) {
  const validate = ajv.compile(JSON.parse(readFileSync(`${folder}/${name}.json`)));
  for (let i = 0; i < count; i++) {
    const subject = structuredClone(specimen);
    for (let n = i === 0 ? 0 : 1 + below(3); n > 0; n--) mutate(subject);
    const valid = validate({credentialSubject: subject});
    if (i === 0 && !valid) throw new Error(`${name}: ${ajv.errorsText(validate.errors)}`);
    console.log(JSON.stringify({schema: name, subject, valid}));
  }
}
