#!/usr/bin/env bash
# Credentials from the command line: a member issues through its node and a university with a key of its own; a person holds and
# shows them; each way of showing what is not so is refused, with its exit code and one line.
# usage: tests/credential.sh BUILD_FOLDER
set -euo pipefail
# shellcheck source=tests/ports.sh
source "$(dirname "$0")/ports.sh"
build=$(cd "$1" && pwd)
# shellcheck source=tests/profile.sh
source "$(dirname "$0")/profile.sh"
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
  [ "$(wc -l <err)" = 1 ] && grep -qF -- "$text" err || fail "not '$text': $* says $(cat err)"
  [ ! -s out ] || fail "$* prints an answer and an error"
}
ok() { "$firmiana" credential "$@" >out 2>err || fail "$*: $(cat err)"; }

# ---- a member, whose node signs ----
ports_claim
"$firmiana" init --home "$W/home" --alias solo --listen "tcp://127.0.0.1:$port" >/dev/null
"$firmiana" ledger init --name credential --quorum 1 --sequencer solo --member "$W/home/member.json" --out "$W/home/genesis.json" >/dev/null
"$firmiana" node --home "$W/home" >"$W/node.out" 2>"$W/node.log" &
node=$!
for _ in $(seq 2000); do
  if "$firmiana" status --home "$W/home" >/dev/null 2>&1; then break; fi
  kill -0 "$node" 2>/dev/null || fail "the node ended: $(tail -n 3 node.log)"
  sleep 0.05
done
"$firmiana" did show solo --home "$W/home" >document.json

# ---- issue, verify ----
declare -A did
for who in university:$suite person:$(pick p256 sm2) company:sm2; do
  did[${who%:*}]=$("$firmiana" credential key --out "${who%:*}.key" --suite "${who#*:}")
done
"$firmiana" credential key --out json.key --json >out
[ "$(cat out)" = "{\"did\":\"$(grep -o 'did:key:[^"]*' out)\",\"file\":\"json.key\",\"suite\":\"$suite\"}" ] || fail "$(cat out)"
[ "$("$firmiana" credential schema --json | grep -o urn:firmiana:schema: | wc -l)" = 6 ] || fail "$("$firmiana" credential schema --json)"
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
refused 14 "sm2 has no registered name in JWTs" issue draft.json --key company.key --jwt
if [ "$suite" != sm2 ]; then
  ok issue draft.json --home "$W/home" --jwt --out member.jwt
  ok verify member.jwt --document document.json
  ok issue draft.json --key person.key --jwt --out person.jwt
  refused 12 "give it with --document" verify member.jwt
  head -c -6 member.jwt >short.jwt
  refused 1 "signature has" verify short.jwt --document document.json
fi
sed 's/"n":1/"n":2/' member.json >tampered.json
refused 1 "does not match" verify tampered.json --document document.json
sed 's/"n":1/"n":1.5/' member.json >tampered.json # others may sign fractions; nobody signed this one
refused 1 "does not match" verify tampered.json --document document.json
echo '{"a": 1.5}' >fraction.json # ours are not signed
refused 3 "write it as a string" issue fraction.json --key person.key

# ---- revoke, suspend ----
refused 12 "not at hand: fetch it and give it with --list" verify university.json
for who in university company; do
  ok list --id "https://x.example/1" --key "$who.key" --out "$who.list"
  ok verify "$who.json" --list "$who.list"
done
refused 1 "another issuer's" verify university.json --list company.list
ok list --from university.list --set 7 --set 9 --key university.key --out revoked.list
refused 1 "revoked by its issuer" verify university.json --list revoked.list
refused 2 "what was revoked stays revoked" list --from revoked.list --clear 7 --key university.key
ok list --id "https://x.example/2" --suspension --set 3 --home "$W/home" --out suspended.list
ok issue draft.json --home "$W/home" --list "https://x.example/2" --index 3 --suspension --out suspended.json
refused 1 "suspended by its issuer" verify suspended.json --list suspended.list --document document.json
ok list --from suspended.list --clear 3 --home "$W/home" --out again.list
ok verify suspended.json --list again.list --document document.json

# ---- a place of a list belongs to one credential, whoever signs and in whatever form; nothing is written over ----
printf '{"vct": "https://x.example/kyc", "given_name": "Li", "address": {"street": "1 Wutong Rd", "city": "Shanghai"}, "degrees": ["BSc", "PhD"], "exp": 4000000000}\n' >claims.json
place=(--list "https://x.example/1" --index 7)
taken="place 7 of https://x.example/1 was given to a credential before: from there on 8 is free (--index)"
refused 11 "$taken" issue draft.json --key university.key "${place[@]}"
ok issue draft.json --home "$W/home" "${place[@]}" --out again.json # another issuer's list has the same name at most
refused 11 "$taken" issue draft.json --home "$W/home" "${place[@]}"
refused 11 "$taken" issue claims.json --home "$W/home" "${place[@]}" --format sd-jwt
[ "$suite" = sm2 ] || refused 11 "$taken" issue draft.json --home "$W/home" "${place[@]}" --jwt
sed 's|}$|, "credentialStatus": {"id": "https://x.example/1#7", "type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "7", "statusListCredential": "https://x.example/1"}}|' draft.json >stated.json
refused 11 "$taken" issue stated.json --key university.key
refused 11 "university.json: exists already: name a new file" issue draft.json --key university.key --out university.json
refused 11 "university.json: exists already" present university.json --key person.key --challenge c --domain d --out university.json
refused 11 "company.list: exists already" list --from university.list --key university.key --out company.list

# ---- show ----
ok present university.json member.json --key person.key --challenge "challenge 1" --domain bank_b --out shown.json
ok verify shown.json --challenge "challenge 1" --domain bank_b --list university.list --document document.json
grep -q "^holder  ${did[person]}" out && [ "$(grep -c ^valid out)" = 2 ] || fail "$(cat out)"
refused 1 "challenge is not the one that was asked for" verify shown.json --challenge "challenge 2" --domain bank_b --list university.list
refused 1 "domain is not the one" verify shown.json --challenge "challenge 1" --domain bank_c --list university.list
refused 2 "needs --challenge and --domain" verify shown.json
# what was taken out of a presentation to another verifier is no answer
for file in university.json university.list $(ls member.jwt 2>/dev/null); do
  refused 1 "nobody signed for this request" verify "$file" --challenge "challenge 1" --domain bank_b --list university.list --document document.json
done
for file in university.json shown.json; do
  refused 2 "--challenge and --domain go together" verify "$file" --domain bank_b --list university.list
  refused 2 "--challenge and --domain go together" verify "$file" --challenge "challenge 1" --list university.list
done
refused 1 "credential 1: revoked by its issuer" verify shown.json --challenge "challenge 1" --domain bank_b --list revoked.list --document document.json
refused 7 "university.json: it is about ${did[person]}, not about its holder" present university.json --key company.key --challenge c --domain bank_b
refused 2 "--challenge is empty" present university.json --key person.key --challenge "" --domain bank_b
refused 2 "--domain is empty" present university.json --key person.key --challenge "challenge 1" --domain ""
refused 2 "--challenge is empty" verify shown.json --challenge "" --domain bank_b --list university.list
refused 2 "--domain is empty" verify shown.json --challenge "challenge 1" --domain "" --list university.list
refused 2 "--challenge: 7 bytes can be guessed: at least 8" verify shown.json --challenge 1234567 --domain bank_b
FIRMIANA_PASSPHRASE=wrong refused 7 "passphrase" present university.json --key person.key --challenge 1 --domain b
# ---- show what one chooses ----
printf '{"vct": "https://x.example/kyc", "given_name": "Li", "exp": 1000000000}\n' >old_claims.json
shown() { # CREDENTIAL KEY DOCUMENT_OPTIONS...: shows a part of it, and what must be refused then
  local file=$1 key=$2
  shift 2
  rm -f part.sd
  ok present "$file" --key "$key" --challenge "challenge 3" --domain bank_b --disclose /given_name --disclose /degrees/1 --out part.sd
  ok verify part.sd --challenge "challenge 3" --domain bank_b "$@"
  grep -q '^claim   degrees  *\["PhD"\]$' out && grep -q '"Li"$' out && ! grep -q 'Wutong\|Shanghai\|BSc' out || fail "$(cat out)"
  ok verify part.sd --challenge "challenge 3" --domain bank_b --json "$@"
  refused 2 "needs --challenge and --domain" verify part.sd "$@"
  refused 1 "nonce is not the one" verify part.sd --challenge "challenge 4" --domain bank_b "$@"
  refused 1 "aud is 'bank_b'" verify part.sd --challenge "challenge 3" --domain bank_c "$@"
  awk -F'~' '{ print $1 "~" $3 "~" $4 }' part.sd >less.sd
  refused 1 "sd_hash is of another" verify less.sd --challenge "challenge 3" --domain bank_b "$@"
  refused 1 "did not sign for this request" verify "$file" --challenge "challenge 3" --domain bank_b "$@"
}
selective=(--format sd-jwt --selective "/given_name" --selective "/address/*" --selective "/degrees/*")
ok issue claims.json --key university.key "${selective[@]}" --decoys 4 --holder "${did[person]}" --out claims.sd
shown claims.sd person.key
ok issue claims.json --key company.key "${selective[@]}" --holder "${did[company]}" --out sm2.sd
shown sm2.sd company.key
ok issue claims.json --home "$W/home" "${selective[@]}" --holder "${did[university]}" --out node.sd
shown node.sd university.key --document document.json
ok claims claims.sd
[ "$(cut -d' ' -f1 out | tr '\n' ' ')" = "/address/city /address/street /degrees/0 /degrees/1 /given_name " ] || fail "$(cat out)"
refused 7 "only its holder may show this" present claims.sd --key university.key --challenge c --domain d
refused 12 "/nobody: the credential has no such claim" present claims.sd --key person.key --challenge c --domain d --disclose /nobody
refused 2 "this claim cannot be hidden" issue claims.json --key university.key --format sd-jwt --selective /vct
refused 2 "there are json, jwt and sd-jwt" issue claims.json --key university.key --format sd_jwt
refused 2 "go with --format sd-jwt" issue claims.json --key university.key --holder "${did[person]}"
refused 2 "--disclose goes with an SD-JWT" present university.json --key person.key --challenge c --domain d --disclose /a
refused 3 "'vct' is missing" issue draft.json --home "$W/home" --format sd-jwt
ok issue old_claims.json --key university.key --format sd-jwt --out old.sd
refused 1 "it expired" verify old.sd
ok issue claims.json --key university.key --format sd-jwt --list "https://x.example/1" --index 9 --out listed.sd
ok verify listed.sd --list university.list
refused 1 "revoked by its issuer" verify listed.sd --list revoked.list

# ---- text that could pass for a line of the verifier's own ----
printf '{"vct": "a", "note": "\\u009b2J\\u007f\\n"}\n' >odd.json
ok issue odd.json --key university.key --format sd-jwt --out odd.sd
ok verify odd.sd
grep -qF '"?2J?\n"' out || fail "$(cat -v out)"
ok claims odd.sd
grep -qF '"?2J?\n"' out || fail "$(cat -v out)"
refused 3 "vct has control characters" issue <(echo '{"vct": "a\nvalid   x"}') --key university.key --format sd-jwt
refused 3 "a claim's name has control characters" issue <(echo '{"vct": "a", "b\nissuer": 1}') --key university.key --format sd-jwt

# ---- schemas ----
ok schema
[ "$(grep -c "urn:firmiana:schema:" out)" = 6 ] || fail "$(cat out)"
schema_of() { printf '"credentialSchema": {"id": "urn:firmiana:schema:%s:1", "type": "JsonSchema"}' "$1"; }
identity='"name": "Li Wei", "idScheme": "passport", "idNumber": "E1", "level": "enhanced", "birthDate": "1990-01-31"'
printf '{"@context": ["https://www.w3.org/ns/credentials/v2"], "type": ["VerifiableCredential"], %s, "credentialSubject": {"id": "%s", %s}}' \
  "$(schema_of person-identity)" "${did[person]}" "$identity" >kyc.json
ok issue kyc.json --key university.key --out kyc.signed
ok verify kyc.signed
sed 's/"enhanced"/"high"/' kyc.json >wrong.json
refused 1 "schema urn:firmiana:schema:person-identity:1: /credentialSubject/level is none of the values" issue wrong.json --key university.key
refused 1 "/credentialSubject/level is none of the values" issue wrong.json --home "$W/home"
printf '{"vct": "kyc", %s, %s}' "$(schema_of person-identity)" "$identity" >kyc.claims
ok issue kyc.claims --key university.key --format sd-jwt --holder "${did[person]}" --out kyc.sd
ok present kyc.sd --key person.key --challenge "challenge 5" --domain bank_b --disclose /birthDate --out kyc_part.sd
ok verify kyc_part.sd --challenge "challenge 5" --domain bank_b # what was left out is not missed
sed 's/1990-01-31/31.1.1990/' kyc.claims >wrong.json
refused 1 "/birthDate has not the form" issue wrong.json --key university.key --format sd-jwt
sed 's/urn:firmiana:schema:person-identity:1/urn:x:own/' kyc.json >own.json
refused 12 "give it with --schema" issue own.json --key university.key
echo '{"$id": "urn:x:own", "properties": {"credentialSubject": {"required": ["id", "level"]}}}' >own.schema
ok issue own.json --key university.key --schema own.schema --out own.signed
refused 12 "give it with --schema" verify own.signed
ok verify own.signed --schema own.schema
sed 's/"level"/"rank"/' own.schema >rank.schema
refused 1 "/credentialSubject/rank is missing" verify own.signed --schema rank.schema
sed 's/"required"/"format"/' own.schema >unknown.schema
refused 14 "/properties/credentialSubject/format: this keyword is not known here" verify own.signed --schema unknown.schema

# ---- the web: a member's document where its web server has it, taken as a file ----
"$firmiana" did export --web solo.example --home "$W/home" site >/dev/null
sed 's/did:firmiana:[0-9a-f]*:[0-9A-Za-z]*/did:web:solo.example/g' member.json >web.json # not signed so: refused, but by its key
refused 12 "the document of did:web:solo.example is not at hand" verify web.json
refused 1 "does not match" verify web.json --document site/.well-known/did.json
sed 's/"assertionMethod":\[[^]]*\]/"assertionMethod":[]/' site/.well-known/did.json >less.json
refused 1 "is no key of its document for assertionMethod" verify web.json --document less.json

# ---- lists on the ledger: a trail knows which is the newest ----
export_trail() { "$firmiana" audit export --home "$W/home" --out "$1" >/dev/null; }
member_did=$(grep -o '"id":"did:firmiana:[^"#]*"' document.json | head -n 1 | cut -d'"' -f4)
ok list --id "https://x.example/3" --home "$W/home" --out v1.list
ok issue draft.json --home "$W/home" --list "https://x.example/3" --index 3 --out held.json
export_trail t0.bundle
ok verify held.json --list v1.list --trail t0.bundle
grep -q "^status  https://x.example/3: never anchored on the trail's ledger" out || fail "$(cat out)"
ok publish v1.list --home "$W/home"
grep -q "https://x.example/3: version 1$" out || fail "$(cat out)"
ok publish v1.list --home "$W/home"
grep -q "version 1, as before" out || fail "$(cat out)"
refused 11 "who issues a list publishes it" publish university.list --home "$W/home"
refused 3 "not a status list" publish member.json --home "$W/home"
export_trail t1.bundle
ok verify held.json --list v1.list --trail t1.bundle
grep -q "^status  https://x.example/3: version 1 of .*, the newest up to " out || fail "$(cat out)"
ok list --from v1.list --set 3 --home "$W/home" --out v2.list
ok verify held.json --list v1.list --document document.json # without a trail an old list tells nothing
ok publish v2.list --home "$W/home"
export_trail t2.bundle
refused 12 "not the newest that the trail has, version 2 of" verify held.json --list v1.list --trail t2.bundle
refused 1 "revoked by its issuer" verify held.json --list v2.list --trail t2.bundle
refused 12 "or a newer trail" verify held.json --list v2.list --trail t1.bundle
head -c -20 t2.bundle >cut.bundle
refused 1 "cut.bundle: line " verify held.json --list v2.list --trail cut.bundle

# ---- a thief with the officer's key: what it signed ends with the recovery, within 72 hours as ever ----
# A member that is alone cannot cosign the block that takes its key away: who asked for it waits until the node has the new one.
height() { "$firmiana" status --json --home "$W/home" 2>/dev/null | grep -o '"height":[0-9]*,"log_size"' | tr -dc '0-9'; }
until_ok() { # COMMAND...
  for _ in $(seq 2000); do
    if "$@" >/dev/null 2>&1; then return; fi
    kill -0 "$node" 2>/dev/null || fail "the node ended: $(tail -n 3 node.log)"
    sleep 0.05
  done
  fail "in vain: $*"
}
higher() { [ "$(height)" -gt "$1" ]; }
version_is() { "$firmiana" did resolve "$member_did" --version-id "$1" --home "$W/home"; }
change_keys() { # NEW_ASSERTION_KEY VERSION COMMAND...
  local key=$1 version=$2 before asked
  shift 2
  before=$(height)
  "$firmiana" "$@" --home "$W/home" >asked.out 2>&1 &
  asked=$!
  until_ok higher "$before"
  kill -TERM "$node" && wait "$node" || true
  wait "$asked" || true
  mv "$key" "$W/home/keys/assertion.json"
  "$firmiana" node --home "$W/home" >"$W/node.out" 2>"$W/node.log" &
  node=$!
  until_ok version_is "$version"
}
printf 'id,name\nurn:student:1,A\n' >rows.csv
echo '{"@context": ["https://www.w3.org/ns/credentials/v2"], "type": ["VerifiableCredential"], "credentialSubject": {"degree": "BSc"}}' >template.json
"$firmiana" credential batch template.json rows.csv --home "$W/home" --out honest >/dev/null
signed_and_anchored() { "$firmiana" sign template.json --home "$W/home" --out "$1" >/dev/null && "$firmiana" anchor "$1" --home "$W/home" >/dev/null; }
signed_and_anchored honest.sig
"$firmiana" did key assertionMethod --out thief.json >/dev/null
change_keys thief.json 2 did rotate --with thief.json
ok issue draft.json --home "$W/home" --out stolen.json
"$firmiana" did show solo --home "$W/home" >thief_document.json
export_trail t3.bundle
ok verify stolen.json --trail t3.bundle
ok verify stolen.json --home "$W/home"
"$firmiana" credential batch template.json rows.csv --home "$W/home" --out forged >/dev/null
"$firmiana" credential extract forged --row 1 --home "$W/home" --out forged.1 >/dev/null
signed_and_anchored stolen.sig
for early in forged.1 stolen.sig; do # nobody knows yet, and that is said
  "$build/bin/firmiana-verify" "$early" >out || fail "$(cat out)"
  grep -q "came with a change that a recovery could override until 20" out || fail "$early: $(cat out)"
  "$build/bin/firmiana-verify" --json "$early" | grep '"overridable_until_ms":' >/dev/null || fail "$early: not in JSON"
done
for key in recovery:r2 assertionMethod:mine; do "$firmiana" did key "${key%:*}" --out "${key#*:}.json" >/dev/null; done
"$firmiana" officer create --out o2.json >/dev/null
change_keys mine.json 3 did recover --key home/keys/recovery.json --new-recovery r2.json --with o2.json --with mine.json
export_trail t4.bundle
refused 1 "has no key '$member_did#" verify stolen.json --trail t4.bundle
refused 1 "has no key '$member_did#" verify stolen.json --home "$W/home"
"$firmiana" credential extract honest --row 1 --home "$W/home" --out honest.1 >/dev/null
{ sed 2q honest.sig; cat t4.bundle; } >honest.later
for early in honest.1 honest.later; do
  "$build/bin/firmiana-verify" "$early" >out || fail "$(cat out)"
  ! grep -q "could override" out || fail "$early: $(cat out)"
done
"$firmiana" credential extract forged --row 1 --home "$W/home" --out forged.2 >/dev/null
! "$build/bin/firmiana-verify" forged.2 >out 2>err || fail "a thief's certificate is valid"
grep -q "overrode: it counts as never valid" err || fail "$(cat err)"
{ sed 2q stolen.sig; cat t4.bundle; } >stolen.later
! "$build/bin/firmiana-verify" stolen.later >out 2>err || fail "a document signed by a thief is valid"
grep -q "signature 1: .*overrode: it counts as never valid" err || fail "$(cat err)"
refused 1 "is not that of the trail's end" verify stolen.json --trail t4.bundle --document thief_document.json
ok issue draft.json --home "$W/home" --out after.json
ok verify after.json --trail t4.bundle

# ---- under a profile no key of the other is made ----
FIRMIANA_PROFILE=$profile refused 11 "$foreign_suite keys and signatures are not allowed: the profile is $profile" key --out foreign.key --suite "$foreign_suite"
FIRMIANA_PROFILE=$(pick national international) refused 11 "university.key: $suite keys and signatures are not allowed" issue draft.json --key university.key
[ ! -e foreign.key ] || fail "a key that was refused was written"
echo "credentials of every suite issued, verified, revoked, suspended, shown whole and in part; $(grep -c '^refused ' "$OLDPWD/tests/credential.sh") refusals, each one line"
