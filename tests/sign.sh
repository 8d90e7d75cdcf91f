#!/usr/bin/env bash
# Documents signed by members' nodes, officers and people, in order and in parallel; anchored, and checked from the file
# alone after the keys were rotated; every part altered once.
# usage: tests/sign.sh BUILD_FOLDER
set -euo pipefail
build=$(cd "$1" && pwd) name=sign.sh
# shellcheck source=tests/homes.sh
. tests/homes.sh

homes_make 60
homes_start
cd "$W"
printf 'a loan contract\n' >contract.txt
printf 'a loan c0ntract\n' >forged.txt
person=$("$firmiana" credential key --out person.key)
stranger=$("$firmiana" credential key --out stranger.key --suite "$(pick p256 sm2)")
[ "$person" != "$stranger" ]

# ---- one signer, no ledger: a person by its did:key ----
"$firmiana" sign contract.txt --out alone.sig --key person.key >/dev/null
"$verify" --document contract.txt alone.sig >out || fail "not valid: $(cat out)"
shows out "valid: signed document" "sha256     $(digest sha256 <contract.txt)" "signed     $person; at 20" "not when, nor that the keys were still good"
[ -z "$(command -v openssl)" ] || shows out "sm3        $(digest sm3 <contract.txt)"
must_refuse 1 "forged.txt is not the document that was signed" "$verify" --document forged.txt alone.sig
must_refuse 1 "not anchored on any ledger" "$verify" --chain "$(printf '%064d' 0)" alone.sig
must_refuse 2 "list is not for a signed document" "$verify" --list none alone.sig
for wrong in did:key:zzz did:firmiana:x did:web 'did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp#a'; do
  must_refuse 2 "--signer $wrong: " "$firmiana" sign contract.txt --out wrong.sig --key person.key --signer "$person" --signer "$wrong"
done
[ ! -e wrong.sig ]
must_refuse 11 "alone.sig: exists already" "$firmiana" sign contract.txt --out alone.sig --key person.key
must_refuse 1 "not anchored on any ledger" "$verify" --chain "$(printf 'ab%.0s' {1..32})" alone.sig

# ---- three in order: bank_a's node, an officer of bank_b, the person ----
as bank_a sign contract.txt --out c.sig --signer bank_a --signer bank_b --signer "$person" --in-order --purpose "a loan of 2026" >out
shows out "signed; 2 of 3 signers to come"
must_refuse 1 "it is not yet the turn of did:key" "$firmiana" countersign contract.txt c.sig --key person.key --home "$W/bank_c"
must_refuse 1 "is not the document that was signed" as bank_b countersign forged.txt c.sig --key bank_b/keys/officer.json
must_refuse 7 "is not one of the signers" as bank_c countersign contract.txt c.sig
must_refuse 7 "is not one of the signers" as bank_c countersign contract.txt c.sig --key stranger.key
must_refuse 1 "2 of 3 signers are missing" as bank_c verify c.sig
must_refuse 1 "signers are missing" as bank_c anchor c.sig
as bank_b countersign contract.txt c.sig --key bank_b/keys/officer.json >/dev/null
cp c.sig two.sig
as bank_c countersign contract.txt c.sig --key person.key >out
shows out "signed by all 3"
must_refuse 11 "has signed already" as bank_c countersign contract.txt c.sig --key person.key
as bank_c verify c.sig contract.txt >out || fail "not valid: $(cat out)"
shows out "each over the signatures before it" "by 1 officer, of whom 1 must sign" "by its node's key" "purpose    a loan of 2026"
must_refuse 12 "or have the signatures anchored" "$verify" c.sig

# ---- anchored: the file alone says it, and who was who ----
cp c.sig before.sig
as regulator anchor c.sig >out
shows out "c.sig: anchored"
"$verify" --document contract.txt c.sig >out || fail "not valid: $(cat out)"
shows out "(bank_a), by its node's key" "(bank_b), by 1 officer" "deposited  by regulator" "existed    at 20" "were their signers' when that was put on the ledger"
"$verify" --json c.sig | grep '"alias":"bank_b"' >/dev/null || fail "$("$verify" --json c.sig)"
must_refuse 11 "anchored already" as bank_a anchor c.sig
must_refuse 11 "anchored already" as bank_c countersign contract.txt c.sig
must_refuse 1 "chain" "$verify" --chain "$(printf 'ab%.0s' {1..32})" c.sig

# ---- rotated: bank_b's officer goes; what was anchored stands, what was not does not ----
"$firmiana" officer create --out new.json >new.txt
as bank_b officer add "$(tail -n 1 new.txt)" >/dev/null
FIRMIANA_HOME=$W/bank_b "$firmiana" officer remove bank_b/keys/officer.json --key new.json >/dev/null
settle "bank_b's officer is another"
"$verify" --document contract.txt c.sig >/dev/null || fail "anchored, and not valid after a rotation"
as bank_a verify c.sig contract.txt >/dev/null || fail "anchored, and not valid after a rotation by the node"
must_refuse 1 "signature 2" as bank_c verify before.sig
must_refuse 1 "signature 2" as bank_c anchor before.sig
must_refuse 7 "" as bank_b sign contract.txt --out old.sig --key bank_b/keys/officer.json
as bank_b sign contract.txt --out new.sig --key new.json >/dev/null

# ---- a rotation that a bundle hides: signed by the old key, deposited after it, the change's payload replaced by its hash ----
cp before.sig late.sig
FIRMIANA_HOME=$W/bank_c "$firmiana" evidence deposit late.sig --receipt late >/dev/null
FIRMIANA_HOME=$W/bank_c "$firmiana" evidence certificate late.sig --receipt late --out late.cert >/dev/null
cat before.sig late.cert >shown
must_refuse 1 "has no key" "$verify" shown
grep -v '"state":"did/' c.sig >altered
must_refuse 1 "a compact bundle proves of every member its document and its standing" "$verify" altered
# ... and in a file of before, with the whole trail: what was anchored stands, what is too late does not, hidden or not.
FIRMIANA_HOME=$W/bank_c "$firmiana" audit export --out trail >/dev/null
{ sed 2q c.sig; cat trail; } >old.sig
"$verify" --document contract.txt old.sig >/dev/null || fail "anchored, with the whole trail, and not valid"
{ sed 2q shown; cat trail; } >shown.old
must_refuse 1 "has no key" "$verify" shown.old
hidden=0
while IFS= read -r line; do
  if [[ $line == '{"leaf":'*'"type":"did.update"'* ]]; then
    payload=${line#*\"payload\":} payload=${payload%,\"result\":*}
    line="${line%%,\"payload\":*},\"payload_hash\":\"$(printf '%s' "$payload" | digest)\",\"result\":${line##*,\"result\":}"
    hidden=$((hidden + 1))
  fi
  printf '%s\n' "$line"
done <shown.old >hidden.sig
[ "$hidden" = 2 ] || fail "$hidden changes of documents, not two, were hidden"
must_refuse 1 "accepted entries are not disclosed, and no proof of the state" "$verify" hidden.sig

# ---- altered: no part of the record may change, nor another's certificate stand behind it ----
for change in '1s/"name":"contract/"name":"c0ntract/' '1s/"size":16/"size":17/' '1s/"sha256":"../"sha256":"00/' '1s/"sm3":"../"sm3":"00/' '1s/"in_order":true/"in_order":false/' \
  '1s/2026","sign/2027","sign/' '1s/"proofValue":"z...../"proofValue":"z11111/' '1s/"version":1/"version":2/' '1s/created":"20/created":"19/' '2s/"digest":"....../"digest":"000000/' '$d'; do
  sed "$change" c.sig >altered
  ! cmp -s c.sig altered || fail "nothing was altered: $change"
  ! "$verify" altered >/dev/null 2>&1 || fail "altered, and valid: $change"
done
{ sed 1q alone.sig; tail -n +2 c.sig; } >altered
must_refuse 1 "its certificate is for another record" "$verify" altered

# ---- in parallel, anchored by SM3 ----
as bank_c sign contract.txt --out p.sig --signer "$person" --signer bank_c >/dev/null
"$firmiana" countersign contract.txt p.sig --key person.key --home "$W/bank_c" >/dev/null
as bank_c anchor p.sig --sm3 >/dev/null
"$verify" p.sig >out || fail "not valid: $(cat out)"
shows out "signers    2, each on its own" "with these digests (none was compared)"
cd - >/dev/null
echo "$name: signed alone, in order and in parallel, by nodes, officers and people; valid from the file alone after a rotation; nothing altered holds"
