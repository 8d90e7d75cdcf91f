#!/usr/bin/env bash
# DIDs from the command line: a member's history of keys at every height and version, from its node and from its trail, which say the
# same; the document of then verifies what was signed then; did:key and did:web; each error with its W3C name and its exit code.
# usage: tests/did.sh BUILD_FOLDER
set -euo pipefail
# shellcheck source=tests/ports.sh
source "$(dirname "$0")/ports.sh"
build=$(cd "$1" && pwd)
# shellcheck source=tests/profile.sh
source "$(dirname "$0")/profile.sh"
firmiana=$build/bin/firmiana
W=$(mktemp -d)
others=()
cleanup() {
  [ ${#others[@]} -eq 0 ] || kill "${others[@]}" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$W"
}
trap cleanup EXIT
fail() { echo "did: $*" >&2; exit 1; }
export FIRMIANA_PASSPHRASE="did passphrase"
cd "$W"

resolve() { "$firmiana" did resolve "$@" >out 2>err || fail "did resolve $*: $(cat err)"; }
refused() { # EXIT_CODE W3C_ERROR TEXT DID OPTIONS...
  local code=$1 name=$2 text=$3 status=0
  shift 3
  "$firmiana" did resolve "$@" >out 2>err || status=$?
  [ "$status" = "$code" ] || fail "exit code $status, not $code: $* says $(cat err)"
  [ "$(wc -l <err)" = 1 ] && grep -qF "$text" err || fail "not '$text': $* says $(cat err)"
  grep -qF "\"error\": \"$name\"" out || fail "not $name: $* prints $(cat out)"
}
has() { grep -qF "$1" out || fail "no $1: $(cat out)"; }
hasnt() { ! grep -qF "$1" out || fail "there is $1: $(cat out)"; }

# ---- a ledger of one member, whose officers change three times ----
ports_claim
"$firmiana" init --home "$W/home" --alias solo --listen "tcp://127.0.0.1:$port" >/dev/null
"$firmiana" ledger init --name did --quorum 1 --sequencer solo --member "$W/home/member.json" --out "$W/home/genesis.json" >/dev/null
export FIRMIANA_HOME=$W/home
"$firmiana" node --home "$W/home" >node.out 2>node.log &
others+=($!)
for _ in $(seq 2000); do
  if "$firmiana" status >/dev/null 2>&1; then break; fi
  kill -0 "${others[0]}" 2>/dev/null || fail "the node ended: $(tail -n 3 node.log)"
  sleep 0.05
done
did=$("$firmiana" member list --json | grep -o 'did:firmiana:[0-9a-f]*:[0-9A-Za-z]*' | head -n 1)
resolve "$did"
has '"versionId": "1"' && has '"by": "genesis"' && hasnt nextVersionId
resolve solo # an alias, where a node is at hand that knows it
has "\"id\": \"$did\"" || fail "an alias resolves to $(cat out)"
status=0
"$firmiana" did resolve nobody >out 2>err || status=$?
[ "$status" = 12 ] || fail "an alias of nobody: $status $(cat err)"
status=0
env -u FIRMIANA_HOME "$firmiana" did resolve solo >out 2>err || status=$?
[ "$status" = 2 ] && grep -q "of an alias --home DIR (or FIRMIANA_HOME) knows it" err || fail "an alias without a node: $status $(cat err)"
"$firmiana" officer create --out o2.json >o2.txt
"$firmiana" officer add "$(tail -n 1 o2.txt)" >/dev/null
"$firmiana" officer remove o2.json >/dev/null
height=()
for v in 1 2 3; do
  resolve "$did" --version-id $v
  has "\"versionId\": \"$v\""
  height[v]=$(grep -o '"height": [0-9]*' out | grep -o '[0-9]*')
  mv out "v$v.json"
done
cp v2.json out && has '"nextVersionId": "3"' && has '"updated": ' && has '"by": "did.update"'
[ "$(grep -c publicKeyMultibase v2.json)" = $(($(grep -c publicKeyMultibase v1.json) + 1)) ] || fail "version 2 has no second officer"
[ "${height[1]}" = 0 ] && [ "${height[2]}" -gt 0 ] && [ "${height[3]}" -gt "${height[2]}" ] || fail "heights ${height[*]}"
"$firmiana" audit export --out trail.bundle >/dev/null
for h in 0 $((height[2] - 1)) "${height[2]}" $((height[3] - 1)) "${height[3]}" 1000000; do
  resolve "$did" --at-height "$h"
  mv out node.json
  resolve "$did" --at-height "$h" --trail trail.bundle
  cmp -s node.json out || fail "at height $h node and trail differ: $(diff node.json out)"
  v=$((1 + (h >= height[2]) + (h >= height[3])))
  has "\"versionId\": \"$v\""
done
resolve "$did?versionId=2"
cmp -s out v2.json || fail "versionId in the DID URL gives another answer"
resolve "$did" --version-time 2199-01-01T00:00:00Z
has '"versionId": "3"'
refused 12 notFound "it has no version 4" "$did" --version-id 4
refused 12 notFound "did not exist then" "$did?versionTime=2001-01-01T00:00:00Z"
refused 2 invalidDid "which version once" "$did?versionId=2" --at-height 1
key=$(grep -o "$did#z[0-9A-Za-z]*" v1.json | head -n 1)
resolve "$key"
has '"contentStream"' && has "\"id\": \"$key\"" && hasnt didDocument\"
refused 12 notFound "nothing with the id #z6Mk" "$did#z6Mk"
refused 12 notFound "no DID of this ledger" "${did%?????}11111"
(unset FIRMIANA_HOME && refused 2 invalidDid "give --home" "$did")
sed 's/"height":0/"height":9/' trail.bundle >bent.bundle
refused 1 invalidDidDocument "line" "$did" --trail bent.bundle

# ---- other methods ----
k=$("$firmiana" credential key --out k.key)
resolve "$k"
has "\"id\": \"$k\"" && has '"contentType": "application/did+ld+json"'
refused 14 methodNotSupported "did:firmiana, did:key and did:web" did:example:1
refused 2 invalidDid "begins with did:METHOD:" "$W"
refused 2 invalidDid "no IP address" did:web:127.0.0.1

# ---- as did:web, from a server with a CA of its own ----
"$firmiana" did export "$W/www" --web example.com/bank/a >out
has "did:web:example.com:bank:a: $W/www/bank/a/did.json, of version 3 of solo"
grep -q "\"alsoKnownAs\":\\[\"$did\"\\]" www/bank/a/did.json || fail "$(cat www/bank/a/did.json)"
if command -v openssl >/dev/null; then
  openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj "/CN=test CA" -addext "keyUsage=critical,keyCertSign" 2>/dev/null
  openssl req -newkey rsa:2048 -nodes -keyout web.key -out web.csr -subj "/CN=web" 2>/dev/null
  openssl x509 -req -in web.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile <(echo "subjectAltName=DNS:localhost") -out web.pem 2>/dev/null
  for _ in $(seq 20); do # a port that is free
    ports_claim
    "$firmiana" did export "$W/www" --web "localhost:$port" >out
    (cd www && exec openssl s_server -accept "127.0.0.1:$port" -cert ../web.pem -key ../web.key -WWW -quiet >../web.log 2>&1) &
    server=$!
    for _ in $(seq 1200); do
      if ! kill -0 $server 2>/dev/null || (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
      sleep 0.05
    done
    if kill -0 $server 2>/dev/null; then break; fi
  done
  others+=($server)
  export no_proxy=localhost
  web="did:web:localhost%3A$port"
  resolve "$web" --ca ca.pem
  has "\"id\": \"$web\"" && hasnt '"firmiana"'
  resolve "$web#${key#*#}" --ca ca.pem
  has "\"publicKeyMultibase\": \"${key#*#}\""
  refused 7 internalError certificate "$web"
  refused 2 invalidDid "needed are a host name" "$web%3A1"

  # ---- an X.509 certificate that names the DID ----
  openssl req -newkey rsa:2048 -nodes -keyout org.key -out org.csr -subj "/C=CN/O=Solo Bank" 2>/dev/null
  openssl x509 -req -in org.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile <(printf 'subjectAltName=URI:%s\nkeyUsage=digitalSignature\n' "$did") -out org.pem 2>/dev/null
  "$firmiana" did attach org.pem --key home/keys/officer.json --out org.json >out
  has "signed for by $did#$key_mark"
  "$firmiana" did certificate org.json --ca ca.pem >out
  has "solo is O=Solo Bank,C=CN" && has "the CA, which put the DID into the certificate"
  "$build/bin/firmiana-verify" --x509 org.json --ca ca.pem trail.bundle >out
  has "solo is O=Solo Bank,C=CN, says CN=test CA"
  ! "$firmiana" did certificate org.json --ca web.pem >out 2>err || fail "another CA is as good"
  grep -q "certificate 1 of the chain" err || fail "$(cat err)"
  status=0
  "$build/bin/firmiana-verify" --x509 org.json --ca web.pem trail.bundle >out 2>err || status=$?
  [ $status = 1 ] || fail "firmiana-verify: another CA is as good: $(cat out err)"
  ! "$firmiana" did attach web.pem --key home/keys/officer.json --out web.json >out 2>err || fail "a certificate of somebody else is attached"
  grep -q "not bound to $did" err || fail "$(cat err)"
  "$firmiana" did certificate org.json --ca ca.pem --at 2199-01-01T00:00:00Z >out 2>err && fail "it never expires"
  grep -q expired err || fail "$(cat err)"
fi

# ---- an officer whose key is in a token ----
if [ -e /usr/lib/softhsm/libsofthsm2.so ] && command -v softhsm2-util openssl >/dev/null; then
  mkdir tokens
  echo "directories.tokendir = $W/tokens" >softhsm2.conf
  export SOFTHSM2_CONF=$W/softhsm2.conf
  softhsm2-util --init-token --free --label bank --pin 4321 --so-pin 8765 >/dev/null
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 2>/dev/null | openssl pkcs8 -topk8 -nocrypt -out imported.pem
  softhsm2-util --import imported.pem --token bank --label officer --id 01 --pin 4321 >/dev/null
  uri="pkcs11:token=bank;object=officer?module-path=/usr/lib/softhsm/libsofthsm2.so"
  pin() { "$firmiana" "$@" --passphrase-fd 9 9<<<"${PIN:-4321}"; }
fi
if [ -e imported.pem ] && [ "$profile" = national ]; then
  ! pin officer create --token "$uri" --out token.json >out 2>err || fail "a token's P-256 key is an officer's"
  grep -qF "p256 keys and signatures are not allowed: the profile is national" err || fail "$(cat err)"
elif [ -e imported.pem ]; then
  pin officer create --token "$uri" --out token.json >token.txt
  ! grep -q 4321 token.json || fail "the PIN is in the file"
  PIN=9999 pin officer create --token "$uri" --out wrong.json >out 2>err && fail "any PIN will do"
  grep -q "the PIN is wrong" err || fail "$(cat err)"
  "$firmiana" officer add "$(tail -n 1 token.txt)" >/dev/null
  pin officer remove "$(tail -n 1 o2.txt)" --key token.json >out 2>err && fail "an officer who is none is removed"
  o1=$("$firmiana" officer list | grep "$key_mark" | tr -d ' ')
  pin officer remove "$o1" --key token.json >out 2>err || fail "the token does not sign: $(cat err)"
  ! "$firmiana" officer add "$o1" >out 2>err || fail "the old officer still signs"
  grep -q "none of the officers'" err || fail "$(cat err)"
fi

# ---- all officers' keys are stolen: the recovery key takes the DID back; then the node's channel key is changed ----
at=$("$firmiana" officer list | grep -o 'document version [0-9]*' | grep -o '[0-9]*')
"$firmiana" did key recovery --out r2.json >/dev/null
"$firmiana" did key authentication --out a2.json >/dev/null
"$firmiana" officer create --out o3.json >/dev/null
recover() { "$firmiana" did recover --key "$1" --new-recovery "$2" "${@:3}" >out 2>err; }
! recover o3.json r2.json --with o3.json || fail "an officer's key recovers"
! recover home/keys/recovery.json r2.json --with a2.json || fail "it leaves the thief the officers' keys"
grep -q "needed is an officer's key" err || fail "$(cat err)"
! recover home/keys/recovery.json home/keys/recovery.json --with o3.json || fail "the used recovery key stays"
recover home/keys/recovery.json r2.json --with o3.json || fail "$(cat err)"
resolve "$did"
has '"by": "did.recover"' && has "\"versionId\": \"$((at + 1))\"" && hasnt overriddenBy
resolve "$did" --version-id "$at"
has "\"overriddenBy\": \"$((at + 1))\""
resolve "$did" --version-id 1
hasnt overriddenBy
thief=home/keys/officer.json
[ ! -e token.json ] || thief=token.json
PIN=${PIN:-4321}
[ "$thief" = token.json ] || PIN=$FIRMIANA_PASSPHRASE
pin() { "$firmiana" "$@" --passphrase-fd 9 9<<<"$PIN"; }
! pin did rotate --with a2.json --key $thief >out 2>err || fail "the stolen key still signs"
grep -q "none of the officers'" err || fail "$(cat err)"
! recover home/keys/recovery.json r2.json --with o3.json || fail "the recovery key is used twice"
"$firmiana" did rotate --with a2.json --key o3.json >out 2>err || fail "$(cat err)"
has "restart the node"
resolve "$did"
has '"by": "did.update"' && hasnt overriddenBy
"$firmiana" audit export --out after.bundle >/dev/null
"$build/bin/firmiana-verify" after.bundle >/dev/null || fail "the trail is not valid"
mv out node.json
resolve "$did" --trail after.bundle
cmp -s node.json out || fail "node and trail differ after a recovery: $(diff node.json out)"

# ---- the end ----
"$firmiana" did deactivate --key o3.json >out 2>err && fail "the last member left" || grep -q "member.quorum" err || fail "$(cat err)"
echo "did: three versions at every height, node and trail alike; $(grep -c '^ *refused ' "$OLDPWD/tests/did.sh") refusals by their W3C names"
