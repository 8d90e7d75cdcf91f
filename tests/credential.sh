#!/usr/bin/env bash
# Credentials from the command line: a member issues through its node and a university with a key of its own; a person holds and
# shows them; each way of showing what is not so is refused, with its exit code and one line.
# usage: tests/credential.sh BUILD_FOLDER
set -euo pipefail
build=$(cd "$1" && pwd)
firmiana=$build/bin/firmiana
W=$(mktemp -d)
node=''
cleanup() {
  [ -z "$node" ] || kill "$node" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$W"
}
trap cleanup EXIT
fail() { echo "credential: $*" >&2; exit 1; }
export FIRMIANA_PASSPHRASE="credential passphrase"
cd "$W"

refused() { # EXIT_CODE TEXT COMMAND...
  local code=$1 text=$2 status=0
  shift 2
  "$firmiana" credential "$@" >out 2>err || status=$?
  [ "$status" = "$code" ] || fail "exit code $status, not $code: $* says $(cat err)"
  [ "$(wc -l <err)" = 1 ] && grep -qF "$text" err || fail "not '$text': $* says $(cat err)"
  [ ! -s out ] || fail "$* prints an answer and an error"
}
ok() { "$firmiana" credential "$@" >out 2>err || fail "$*: $(cat err)"; }

# ---- a member, whose node signs ----
"$firmiana" init --home "$W/home" --alias solo --listen "tcp://127.0.0.1:$((20000 + RANDOM % 20000))" >/dev/null
"$firmiana" ledger init --name credential --quorum 1 --sequencer solo --member "$W/home/member.json" --out "$W/home/genesis.json" >/dev/null
"$firmiana" node --home "$W/home" >"$W/node.out" 2>"$W/node.log" &
node=$!
for _ in $(seq 600); do
  if "$firmiana" status --home "$W/home" >/dev/null 2>&1; then break; fi
  kill -0 "$node" 2>/dev/null || fail "the node ended: $(tail -n 3 node.log)"
  sleep 0.05
done
"$firmiana" did show solo --home "$W/home" >document.json

# ---- issue, verify ----
declare -A did
for who in university:ed25519 person:p256 company:sm2; do
  did[${who%:*}]=$("$firmiana" credential key --out "${who%:*}.key" --suite "${who#*:}")
done
refused 2 "there are ed25519, p256 and sm2" key --out x.key --suite rsa
draft() { # SUBJECT MEMBERS
  printf '{"@context": ["https://www.w3.org/ns/credentials/v2"], "type": ["VerifiableCredential"], "credentialSubject": {"id": "%s", "n": 1}%s}\n' "$1" "$2"
}
draft "${did[person]}" ', "validUntil": "2199-01-01T00:00:00Z"' >draft.json
draft "${did[person]}" ', "validUntil": "2020-01-01T00:00:00Z"' >old.json
draft "${did[person]}" ', "issuer": "did:example:other"' >other.json
for who in university company; do
  ok issue draft.json --key "$who.key" --list "https://x.example/1" --index 7 --out "$who.json"
done
ok issue draft.json --home "$W/home" --out member.json
ok verify member.json --document document.json
ok verify member.json --home "$W/home"
grep -q "^issuer  did:firmiana:" out || fail "$(cat out)"
refused 12 "give it with --document, or name a member's node" verify member.json
ok issue old.json --key university.key --out old_signed.json
refused 1 "not valid after 2020-01-01" verify old_signed.json
refused 11 "issuer is did:example:other, but the key is did:key:" issue other.json --key university.key
refused 11 "issuer is did:example:other" issue other.json --home "$W/home"
echo '{"type": "contract.authorize", "body": {}, "sender": "solo"}' >tx.json
refused 3 "@context must be an array" issue tx.json --home "$W/home" # the node is no oracle for other signatures
ok issue draft.json --home "$W/home" --jwt --out member.jwt
ok verify member.jwt --document document.json
ok issue draft.json --key person.key --jwt --out person.jwt
refused 12 "give it with --document" verify member.jwt
refused 14 "sm2 has no registered name in JWTs" issue draft.json --key company.key --jwt
head -c -6 member.jwt >short.jwt
refused 7 "signature has" verify short.jwt --document document.json
sed 's/"n":1/"n":2/' member.json >tampered.json
refused 7 "does not match" verify tampered.json --document document.json
refused 3 "write it as a string" verify <(echo '{"a": 1.5}')

# ---- revoke, suspend ----
refused 12 "not at hand: fetch it and give it with --list" verify university.json
for who in university company; do
  ok list --id "https://x.example/1" --key "$who.key" --out "$who.list"
  ok verify "$who.json" --list "$who.list"
done
refused 7 "another issuer's" verify university.json --list company.list
ok list --from university.list --set 7 --set 9 --key university.key --out revoked.list
refused 1 "revoked by its issuer" verify university.json --list revoked.list
refused 2 "what was revoked stays revoked" list --from revoked.list --clear 7 --key university.key
ok list --id "https://x.example/2" --suspension --set 3 --home "$W/home" --out suspended.list
ok issue draft.json --home "$W/home" --list "https://x.example/2" --index 3 --suspension --out suspended.json
refused 1 "suspended by its issuer" verify suspended.json --list suspended.list --document document.json
ok list --from suspended.list --clear 3 --home "$W/home" --out again.list
ok verify suspended.json --list again.list --document document.json

# ---- show ----
ok present university.json member.json --key person.key --challenge "c 1" --domain bank_b --out shown.json
ok verify shown.json --challenge "c 1" --domain bank_b --list university.list --document document.json
grep -q "^holder  ${did[person]}" out && [ "$(grep -c ^valid out)" = 2 ] || fail "$(cat out)"
refused 7 "challenge is not the one that was asked for" verify shown.json --challenge "c 2" --domain bank_b --list university.list
refused 7 "domain is not the one" verify shown.json --challenge "c 1" --domain bank_c --list university.list
refused 2 "needs --challenge and --domain" verify shown.json
refused 1 "credential 1: revoked by its issuer" verify shown.json --challenge "c 1" --domain bank_b --list revoked.list --document document.json
ok present university.json --key company.key --challenge "c 1" --domain bank_b --out stolen.json
refused 7 "not about its holder" verify stolen.json --challenge "c 1" --domain bank_b --list university.list
FIRMIANA_PASSPHRASE=wrong refused 7 "passphrase" present university.json --key person.key --challenge 1 --domain b
echo "credentials of three suites issued, verified, revoked, suspended and shown; $(grep -c '^refused ' "$OLDPWD/tests/credential.sh") refusals, each one line"
