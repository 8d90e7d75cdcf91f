#!/usr/bin/env bash
# Credentials, presentations, JWTs, SD-JWTs, DID documents and signed documents of ours read by others' libraries (@digitalbazaar/vc,
# data-integrity and did-method-*, did-jwt with did-resolver and web-did-resolver, @sd-jwt/sd-jwt-vc), theirs by ours, and what was tampered
# with refused by both. The libraries are pinned in tests/interop and are used by this test alone. Skipped without Node.js 18, npm and a registry.
# usage: tests/interop.sh BUILD_FOLDER
set -euo pipefail
# shellcheck source=tests/ports.sh
source "$(dirname "$0")/ports.sh"
build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")/interop" && pwd)
firmiana=$build/bin/firmiana verify=$build/bin/firmiana-verify
skip() { echo "interop: skipped: $*"; exit 77; }
fail() { echo "interop: $*" >&2; exit 1; }
command -v node >/dev/null && command -v npm >/dev/null || skip "no Node.js or no npm here"
[ "$(node -p 'parseInt(process.versions.node)')" -ge 18 ] || skip "Node.js $(node --version) is older than 18"

packages=$build/interop-$(sha256sum "$here/package-lock.json" | cut -c1-16)
if [ ! -e "$packages/installed" ]; then
  mkdir -p "$packages"
  cp "$here/package.json" "$here/package-lock.json" "$packages/"
  (cd "$packages" && timeout 120 npm ci --ignore-scripts --no-audit --no-fund >npm.log 2>&1) ||
    skip "npm could not install the pinned packages: $(grep -m 1 error "$packages/npm.log" || echo "see $packages/npm.log")"
  touch "$packages/installed"
fi
W=$(mktemp -d)
others=()
cleanup() {
  [ ${#others[@]} -eq 0 ] || kill "${others[@]}" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$W"
}
trap cleanup EXIT
cp "$here"/*.mjs "$packages/"
others() { timeout 60 node "$packages/others.mjs" "$@"; }
sd() { timeout 60 node "$packages/sd.mjs" "$@"; }
export FIRMIANA_PASSPHRASE="interop passphrase"
cd "$W"

both_refuse() { # theirs..., --, ours...
  local theirs=()
  while [ "$1" != -- ]; do
    theirs+=("$1")
    shift
  done
  shift
  ! others "${theirs[@]}" 2>err || fail "they accept: ${theirs[*]}"
  ! "$firmiana" credential verify "$@" >/dev/null 2>err || fail "we accept: $*"
}

# Ours, by them.
"$firmiana" credential key --out issuer.key >/dev/null
holder=$("$firmiana" credential key --out holder.key)
printf '{"@context": ["https://www.w3.org/ns/credentials/v2"], "type": ["VerifiableCredential"], "credentialSubject": {"id": "%s"}, "validUntil": "2130-01-01T00:00:00Z"}' "$holder" >draft.json
"$firmiana" credential issue draft.json --key issuer.key --out ours.json
"$firmiana" credential issue draft.json --key issuer.key --jwt --out ours.jwt
"$firmiana" credential present ours.json --key holder.key --challenge "challenge 1" --domain bank_b --out ours_shown.json
others verify ours.json || fail "they refuse our credential"
p256=$("$firmiana" credential key --out ec.key --suite p256)
"$firmiana" credential issue draft.json --key ec.key --out ours_p256.json
others verify ours_p256.json || fail "they refuse our ecdsa-jcs-2019"
others verify-jwt ours.jwt || fail "they refuse our JWT"
others verify-shown ours_shown.json "challenge 1" bank_b || fail "they refuse our presentation"

# Theirs, by us.
mkdir theirs
others issue theirs "$holder"
"$firmiana" credential verify theirs/credential.json >out || fail "we refuse their credential"
grep -q "^valid   eddsa-jcs-2022" out || fail "$(cat out)"
"$firmiana" credential verify theirs/p256.json >out || fail "we refuse their ecdsa-jcs-2019"
grep -q "^valid   ecdsa-jcs-2019" out || fail "$(cat out)"
"$firmiana" credential verify theirs/credential.jwt >out || fail "we refuse their JWT"
grep -q "^valid   vc+jwt" out || fail "$(cat out)"
"$firmiana" credential verify theirs/shown.json --challenge "challenge 1" --domain bank_b >/dev/null || fail "we refuse their presentation"
"$firmiana" credential present theirs/credential.json --key holder.key --challenge "challenge 2" --domain bank_c --out mixed.json
others verify-shown mixed.json "challenge 2" bank_c || fail "they refuse their credential, shown by us"

# What neither may accept.
sed 's/2130/2131/' ours.json >bad.json
both_refuse verify bad.json -- bad.json
for f in credential p256; do
  sed 's/2026-01-01/2025-01-01/' theirs/$f.json >bad.json
  both_refuse verify bad.json -- bad.json
done
both_refuse verify-shown ours_shown.json "challenge 2" bank_b -- ours_shown.json --challenge "challenge 2" --domain bank_b
both_refuse verify-shown theirs/shown.json "challenge 1" bank_c -- theirs/shown.json --challenge "challenge 1" --domain bank_c
for f in ours.jwt theirs/credential.jwt; do
  awk -F. '{ c = substr($3, 10, 1); print $1 "." $2 "." substr($3, 1, 9) (c == "A" ? "B" : "A") substr($3, 11) }' "$f" >bad.jwt
  both_refuse verify-jwt bad.jwt -- bad.jwt
done
# Selective disclosure: issued by each, shown in part by each, verified by the other; a Disclosure too many or changed, another
# nonce or audience, and a signature changed: refused by both.
bad=() # FILE NONCE AUDIENCE, again and again
sd_bad() { # the same, of the text on standard input
  cat >"bad${#bad[@]}.sd"
  ! "$firmiana" credential verify "bad${#bad[@]}.sd" --challenge "$1" --domain "$2" >/dev/null 2>err || fail "we accept bad${#bad[@]}.sd"
  bad+=("bad${#bad[@]}.sd" "$1" "$2")
}
printf '{"vct": "https://x.example/kyc", "given_name": "Li", "address": {"street": "1 Wutong Rd", "city": "Shanghai"}, "degrees": ["BSc", "PhD"], "exp": 4000000000}\n' >claims.json
want='{"address":{"city":"Shanghai"},"degrees":["PhD"],"given_name":"Li"}'
for alg in EdDSA:ed25519 ES256:p256; do
  suite=${alg#*:} alg=${alg%:*}
  rm -f ours.sd ours_part.sd mixed.sd
  "$firmiana" credential key --out "$suite.key" --suite "$suite" >/dev/null
  mine=$("$firmiana" credential key --out "$suite.holder" --suite "$suite")
  "$firmiana" credential issue claims.json --key "$suite.key" --format sd-jwt --holder "$mine" --decoys 4 \
    --selective /given_name --selective "/address/*" --selective /address --selective "/degrees/*" --out ours.sd
  sd verify ours.sd >/dev/null || fail "they refuse our SD-JWT"
  "$firmiana" credential present ours.sd --key "$suite.holder" --challenge "a nonce 1" --domain bank_b \
    --disclose /given_name --disclose /address/city --disclose /degrees/1 --out ours_part.sd
  sd verify ours_part.sd "a nonce 1" bank_b >seen || fail "they refuse what we show"
  node -e 'const {given_name, degrees, address} = JSON.parse(require("fs").readFileSync("seen")); console.log(JSON.stringify({address, degrees, given_name}))' >seen_part
  [ "$(cat seen_part)" = "$want" ] || fail "they see $(cat seen)"
  sd issue . "$alg" "$mine"
  "$firmiana" credential verify issued.sd >/dev/null || fail "we refuse their SD-JWT"
  "$firmiana" credential present issued.sd --key "$suite.holder" --challenge "a nonce 2" --domain bank_b --disclose /address --out mixed.sd
  sd verify mixed.sd "a nonce 2" bank_b >/dev/null || fail "they refuse their SD-JWT, shown by us"
  sd show . "$alg" "a nonce 3" bank_b
  "$firmiana" credential verify shown.sd --challenge "a nonce 3" --domain bank_b >out || fail "we refuse what they show"
  grep -q '^claim   degrees  *\["PhD"\]$' out && ! grep -q Wutong out || fail "$(cat out)"
  for f in ours_part.sd:"a nonce 1" shown.sd:"a nonce 3"; do
    n=${f#*:} f=${f%%:*}
    sd_bad "a nonce 9" bank_b <"$f"
    sd_bad "$n" bank_c <"$f"
    sd_bad "$n" bank_b < <(awk -F'~' 'BEGIN { OFS = "~" } { $2 = "" } { sub("~~", "~") } 1' "$f") # one Disclosure fewer
    sd_bad "$n" bank_b < <(sed 's/~/~WyJzIiwieCIsMV0~/' "$f")                                       # one more, that nobody signed
    sd_bad "$n" bank_b < <(awk -F. 'BEGIN { OFS = "." } { c = substr($3, 10, 1); $3 = substr($3, 1, 9) (c == "A" ? "B" : "A") substr($3, 11) } 1' "$f")
  done
done
sd refuse "${bad[@]}" || fail "they accept what was tampered with"

# ---- DIDs and documents ----
# They find our did:key, and what a member signs as did:firmiana by the document that `did resolve` prints.
documents() { timeout 60 node "$packages/documents.mjs" "$@" 2>err; }
wait_for() { # WHAT COMMAND...: until it succeeds
  local what=$1
  shift
  for _ in $(seq 1200); do
    ! "$@" >/dev/null 2>&1 || return 0
    kill -0 "${others[-1]}" 2>/dev/null || break
    sleep 0.05
  done
  fail "no $what: $(cat node.log server.log 2>/dev/null | tail -n 3)"
}
"$firmiana" did resolve "$holder" >holder.result
"$firmiana" did resolve "$p256" >p256.result
documents key holder.result p256.result || fail "their did:key is another document: $(cat err)"
ports_claim
"$firmiana" init --home home --alias solo --listen "tcp://127.0.0.1:$port" >/dev/null
"$firmiana" ledger init --name interop --quorum 1 --sequencer solo --member home/member.json --out home/genesis.json >/dev/null 2>&1
export FIRMIANA_HOME=$W/home
"$firmiana" node >/dev/null 2>node.log &
others+=($!)
wait_for node "$firmiana" status
member=$("$firmiana" member list --json | grep -o 'did:firmiana:[0-9a-f]*:[0-9A-Za-z]*' | head -n 1)
"$firmiana" did resolve "$member" >member.result
printf 'a loan contract\n' >contract.txt
"$firmiana" sign contract.txt --out set.sig --signer "$p256" --signer solo --key ec.key >/dev/null
"$firmiana" countersign contract.txt set.sig >/dev/null
"$firmiana" sign contract.txt --out chain.sig --in-order --signer solo --signer "$p256" --signer "$holder" --key home/keys/officer.json >/dev/null
"$firmiana" countersign contract.txt chain.sig --key ec.key >/dev/null
"$firmiana" countersign contract.txt chain.sig --key holder.key >/dev/null
for f in set chain; do documents signed $f.sig contract.txt member.result || fail "they refuse our $f of signatures: $(cat err)"; done
documents sign contract.txt theirs || fail "$(cat err)"
for f in theirs.ed25519 theirs.p256; do "$verify" --document contract.txt $f.sig >out || fail "we refuse their signature: $(cat out)"; done
# ES256, and EdDSA by a member's key.
"$firmiana" credential issue draft.json --key ec.key --format jwt --out es256.jwt
"$firmiana" credential issue draft.json --format jwt --out member.jwt
documents jwt es256.jwt || fail "they refuse our ES256: $(cat err)"
documents jwt member.jwt member.result || fail "they refuse a member's JWT: $(cat err)"
documents jwt-make draft.json their_es256.jwt || fail "$(cat err)"
"$firmiana" credential verify their_es256.jwt >/dev/null || fail "we refuse their ES256"
for f in es256.jwt their_es256.jwt; do
  awk -F. '{ c = substr($3, 40, 1); print $1 "." $2 "." substr($3, 1, 39) (c == "A" ? "B" : "A") substr($3, 41) }' "$f" >bad.jwt
  ! documents jwt bad.jwt || fail "they accept a forged ES256"
  ! "$firmiana" credential verify bad.jwt >/dev/null 2>err || fail "we accept a forged ES256"
done
# Refused by both: another purpose, another order, the document's hash, a signature.
sed 's/"in_order":false/"in_order":false,"purpose":"a gift"/' set.sig >bad1.sig
sed 's/"in_order":true/"in_order":false/' chain.sig >bad2.sig
sed 's/"size":16/"size":17/' set.sig >bad3.sig
sed 's/"proofValue":"z\(.\{20\}\)./"proofValue":"z\12/' chain.sig >bad4.sig
sed 's/2026-01-01/2025-01-01/' theirs.p256.sig >bad5.sig
documents altered member.result contract.txt bad?.sig || fail "they accept what was altered: $(cat err)"
for f in bad?.sig; do
  ! "$firmiana" verify $f contract.txt >/dev/null 2>err || fail "we accept $f"
done
# did:web, over HTTPS: ours found by two of their resolvers, theirs by ours; nothing from a server of another CA or under another name.
if command -v openssl >/dev/null; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 2 -subj "/CN=test CA" -addext "keyUsage=critical,keyCertSign" 2>/dev/null
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout web.key -out web.csr -subj "/CN=web" 2>/dev/null
  openssl x509 -req -in web.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile <(echo "subjectAltName=DNS:localhost") -out web.pem 2>/dev/null
  mkdir www
  node "$packages/documents.mjs" serve www web.key web.pem port 2>server.log &
  others+=($!)
  wait_for server test -e port
  place=localhost:$(cat port) web="did:web:localhost%3A$(cat port)"
  "$firmiana" did export www --web "$place" >/dev/null
  "$firmiana" did export www --web "$place/bank/solo" >/dev/null
  export no_proxy=localhost
  NODE_EXTRA_CA_CERTS=ca.pem documents web www "$web" "$web:bank:solo" || fail "they do not find our did:web: $(cat err)"
  ! documents web www "$web" || fail "they believe a server of an unknown CA"
  documents web-make www "$(cat port)" >dids || fail "$(cat err)"
  while read -r did; do
    "$firmiana" did resolve "$did" --ca ca.pem >out || fail "we do not find their $did"
    node -e 'const [a, b] = process.argv.slice(1).map(f => JSON.parse(require("fs").readFileSync(f))); require("assert").deepEqual(a.didDocument, b)' \
      out "www/theirs/${did##*:}/did.json" || fail "we change their document"
    ! "$firmiana" did resolve "$did" >/dev/null 2>err || fail "we believe a server of an unknown CA"
  done <dids
  mkdir www/moved
  cp www/bank/solo/did.json www/moved/
  ! NODE_EXTRA_CA_CERTS=ca.pem documents web www "$web:moved" || fail "they take a document of another name"
  ! "$firmiana" did resolve "$web:moved" --ca ca.pem >/dev/null 2>err || fail "we take a document of another name"
fi
# Schemas: ajv and ours say the same of specimens and of mutations of them.
timeout 60 node "$packages/schemas.mjs" "$here/../../did/credential/schemas" 300 "${FIRMIANA_SEED:-7}" | "$build/did/credential/schema_verdicts" >verdicts ||
  fail "$(head -n 3 verdicts)"
echo "interop: credentials, presentations, JWTs (EdDSA, ES256), DID documents (did:key, did:web) and signed documents both ways with @digitalbazaar's, did-jwt and did-resolver, SD-JWT VC both ways with @sd-jwt/sd-jwt-vc; what was tampered with refused by both; schemas as ajv: $(tail -n 1 verdicts)"
