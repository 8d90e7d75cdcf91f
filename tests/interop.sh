#!/usr/bin/env bash
# Credentials, presentations and JWTs of ours verified by others' libraries (@digitalbazaar/vc with eddsa-jcs-2022, did-jwt with
# did-resolver), theirs by ours, and what was tampered with refused by both. The libraries are pinned in tests/interop and are used
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
cp "$here/others.mjs" "$packages/"
others() { timeout 60 node "$packages/others.mjs" "$@"; }
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
echo "interop: credential, presentation and JWT both ways with @digitalbazaar/vc and did-jwt; 6 tampered ones refused by both"
