#!/usr/bin/env bash
# Credentials, presentations, JWTs and SD-JWTs of ours verified by others' libraries (@digitalbazaar/vc with eddsa-jcs-2022, did-jwt
# with did-resolver, @sd-jwt/sd-jwt-vc), theirs by ours, and what was tampered with refused by both. The libraries are pinned in tests/interop and are used
# by this test alone. Skipped without Node.js 18, npm and a registry.
# usage: tests/interop.sh BUILD_FOLDER
set -euo pipefail
build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")/interop" && pwd)
firmiana=$build/bin/firmiana
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
trap 'rm -rf "$W"' EXIT
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
"$firmiana" credential present ours.json --key holder.key --challenge "c 1" --domain bank_b --out ours_shown.json
others verify ours.json || fail "they refuse our credential"
others verify-jwt ours.jwt || fail "they refuse our JWT"
others verify-shown ours_shown.json "c 1" bank_b || fail "they refuse our presentation"

# Theirs, by us.
mkdir theirs
others issue theirs "$holder"
"$firmiana" credential verify theirs/credential.json >out || fail "we refuse their credential"
grep -q "^valid   eddsa-jcs-2022" out || fail "$(cat out)"
"$firmiana" credential verify theirs/credential.jwt >out || fail "we refuse their JWT"
grep -q "^valid   vc+jwt" out || fail "$(cat out)"
"$firmiana" credential verify theirs/shown.json --challenge "c 1" --domain bank_b >/dev/null || fail "we refuse their presentation"
"$firmiana" credential present theirs/credential.json --key holder.key --challenge "c 2" --domain bank_c --out mixed.json
others verify-shown mixed.json "c 2" bank_c || fail "they refuse their credential, shown by us"

# What neither may accept.
sed 's/2130/2131/' ours.json >bad.json
both_refuse verify bad.json -- bad.json
sed 's/2026-01-01/2025-01-01/' theirs/credential.json >bad.json
both_refuse verify bad.json -- bad.json
both_refuse verify-shown ours_shown.json "c 2" bank_b -- ours_shown.json --challenge "c 2" --domain bank_b
both_refuse verify-shown theirs/shown.json "c 1" bank_c -- theirs/shown.json --challenge "c 1" --domain bank_c
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
  "$firmiana" credential key --out "$suite.key" --suite "$suite" >/dev/null
  mine=$("$firmiana" credential key --out "$suite.holder" --suite "$suite")
  "$firmiana" credential issue claims.json --key "$suite.key" --format sd-jwt --holder "$mine" --decoys 4 \
    --selective /given_name --selective "/address/*" --selective /address --selective "/degrees/*" --out ours.sd
  sd verify ours.sd >/dev/null || fail "they refuse our SD-JWT"
  "$firmiana" credential present ours.sd --key "$suite.holder" --challenge "n 1" --domain bank_b \
    --disclose /given_name --disclose /address/city --disclose /degrees/1 --out ours_part.sd
  sd verify ours_part.sd "n 1" bank_b >seen || fail "they refuse what we show"
  node -e 'const {given_name, degrees, address} = JSON.parse(require("fs").readFileSync("seen")); console.log(JSON.stringify({address, degrees, given_name}))' >seen_part
  [ "$(cat seen_part)" = "$want" ] || fail "they see $(cat seen)"
  sd issue . "$alg" "$mine"
  "$firmiana" credential verify issued.sd >/dev/null || fail "we refuse their SD-JWT"
  "$firmiana" credential present issued.sd --key "$suite.holder" --challenge "n 2" --domain bank_b --disclose /address --out mixed.sd
  sd verify mixed.sd "n 2" bank_b >/dev/null || fail "they refuse their SD-JWT, shown by us"
  sd show . "$alg" "n 3" bank_b
  "$firmiana" credential verify shown.sd --challenge "n 3" --domain bank_b >out || fail "we refuse what they show"
  grep -q '^claim   degrees  *\["PhD"\]$' out && ! grep -q Wutong out || fail "$(cat out)"
  for f in ours_part.sd:"n 1" shown.sd:"n 3"; do
    n=${f#*:} f=${f%%:*}
    sd_bad "n 9" bank_b <"$f"
    sd_bad "$n" bank_c <"$f"
    sd_bad "$n" bank_b < <(awk -F'~' 'BEGIN { OFS = "~" } { $2 = "" } { sub("~~", "~") } 1' "$f") # one Disclosure fewer
    sd_bad "$n" bank_b < <(sed 's/~/~WyJzIiwieCIsMV0~/' "$f")                                       # one more, that nobody signed
    sd_bad "$n" bank_b < <(awk -F. 'BEGIN { OFS = "." } { c = substr($3, 10, 1); $3 = substr($3, 1, 9) (c == "A" ? "B" : "A") substr($3, 11) } 1' "$f")
  done
done
sd refuse "${bad[@]}" || fail "they accept what was tampered with"
# Schemas: ajv and ours say the same of specimens and of mutations of them.
timeout 60 node "$packages/schemas.mjs" "$here/../../did/credential/schemas" 300 "${FIRMIANA_SEED:-7}" | "$build/did/credential/schema_verdicts" >verdicts ||
  fail "$(head -n 3 verdicts)"
echo "interop: credential, presentation and JWT both ways with @digitalbazaar/vc and did-jwt, SD-JWT VC both ways with @sd-jwt/sd-jwt-vc; what was tampered with refused by both; schemas as ajv: $(tail -n 1 verdicts)"
