#!/usr/bin/env bash
# A university issues certificates in one batch under one anchor: each holder's file is checked by firmiana-verify alone,
# nothing altered holds, a revoked one is invalid; 4,000 here, FIRMIANA_CERTIFICATES=100000 with the label full.
# usage: tests/certificates.sh BUILD_FOLDER
set -euo pipefail
build=$(cd "$1" && pwd) name=certificates.sh
many=${FIRMIANA_CERTIFICATES:-4000}
# shellcheck source=tests/homes.sh
. tests/homes.sh

homes_make 60
homes_start
cd "$W"
cat >diploma.json <<'T'
{"@context": ["https://www.w3.org/ns/credentials/v2"], "type": ["VerifiableCredential", "Diploma"],
 "validFrom": "2026-01-01T00:00:00Z", "credentialSubject": {"university": "of Suzhou"}}
T
awk -v n="$many" 'BEGIN { print "id,name,degree"; for (i = 1; i <= n; i++) printf "urn:student:%d,\"Student, %d\",BSc\n", i, i }' >rows.csv
url=https://university.example/list

# ---- issued by the member's node, in a status list ----
begin=$(now_ms)
as bank_a credential batch diploma.json rows.csv --out all --list "$url" >out
took=$(($(now_ms) - begin))
grep -q "all: $many credentials under one anchor" out || fail "$(cat out)"
[ "$(wc -l <all)" = "$many" ] && [ "$(stat -c %a all.receipt)" = 600 ]
as bank_a credential list --id "$url" --set 1 --out list.json
as bank_a did show bank_a --json >document.json 2>/dev/null || as bank_a did show bank_a >document.json
extracted=0 checked=0 files=0
for row in 1 $((many / 2)) "$many"; do
  begin=$(now_ms)
  as bank_a credential extract all --row "$row" --out "holder.$row" >/dev/null
  extracted=$((extracted + $(now_ms) - begin)) begin=$(now_ms) files=$((files + 1))
  "$verify" --list list.json "holder.$row" >out || fail "row $row: $(cat out)"
  checked=$((checked + $(now_ms) - begin))
  grep -qF "number $row of $many under anchor" out || fail "$(cat out)"
  grep -qF "(bank_a)" out && grep -qF "not revoked, not suspended" out || fail "$(cat out)"
  grep -qF "  list       $url, signed at 20" out || fail "$(cat out)"
done
as bank_a credential extract all --id urn:student:2 --out holder.2 >/dev/null
must_refuse 1 "revoked" "$verify" --list list.json holder.2
must_refuse 12 "give it with --list" "$verify" holder.1
"$verify" --list list.json --list-max-age 1h holder.1 >/dev/null || fail "a list of this hour is too old"
must_refuse 1 "older than --list-max-age allows" "$verify" --list list.json --list-max-age 12h --at "$(date -u -d '+2 days' +%FT%TZ)" holder.1
must_refuse 2 "no time-stamp token: --ca is not for it" "$verify" --ca no.pem --list list.json holder.1
must_refuse 2 "document is not for a credential" "$verify" --document rows.csv holder.1
"$verify" --json --list list.json holder.1 | grep -F '"name":"Student, 1"' >/dev/null || fail "$("$verify" --json --list list.json holder.1)"
sed 1q holder.1 >alone.json
as bank_b credential verify alone.json --home "$W/bank_b" --list list.json >out || fail "$(cat out)"
must_refuse 11 "holder.1: exists already" as bank_a credential extract all --row 1 --out holder.1
must_refuse 12 "no credential of it is about urn:student:0" as bank_a credential extract all --id urn:student:0 --out none
must_refuse 12 "no row" as bank_a credential extract all --row $((many + 1)) --out none
must_refuse 11 "place 0 of $url was given to a credential before: from there on $many is free" as bank_a credential batch diploma.json rows.csv --out twice --list "$url"
[ ! -e twice ]
must_refuse 11 "all: exists already" as bank_a credential batch diploma.json rows.csv --out all

# ---- the issuer's key changes: what it signed stays, its lists of before do not count any more ----
as bank_a did key assertionMethod --out fresh.json >/dev/null
as bank_a did rotate --with fresh.json >out || fail "$(cat out)"
kill -TERM "${pid[bank_a]}" && wait "${pid[bank_a]}" || true
mv fresh.json bank_a/keys/assertion.json
start bank_a
wait_connected
as bank_a credential extract all --row 1 --out after.1 >/dev/null
must_refuse 1 "has no key" "$verify" --list list.json after.1
as bank_a credential list --from list.json --out list2.json
"$verify" --list list2.json after.1 >out || fail "a list under the new key: $(cat out)"
as bank_a credential extract all --row 2 --out after.2 >/dev/null
must_refuse 1 "revoked" "$verify" --list list2.json after.2

# ---- altered: neither the credential nor its proof may change ----
for change in '1s/"degree":"BSc"/"degree":"MSc"/' '1s/Student, 1"/Student, 3"/' '1s/"statusListIndex":"0"/"statusListIndex":"9"/' '1s/"proofValue":"z...../"proofValue":"z11111/' \
  '2s/"index":0/"index":1/' '2s/"salt":"......../"salt":"00000000/' '$d'; do
  sed "$change" holder.1 >altered
  ! cmp -s holder.1 altered || fail "nothing was altered: $change"
  ! "$verify" --list list.json altered >/dev/null 2>&1 || fail "altered, and valid: $change"
done
{ sed 1q "holder.$many"; tail -n +2 holder.1; } >altered
must_refuse 1 "another record" "$verify" --list list.json altered

# ---- by a key of one's own; refusals ----
"$firmiana" credential key --out key >/dev/null
head -n 4 rows.csv >few.csv
as bank_c credential batch diploma.json few.csv --out few --key key --sm3 >/dev/null
as bank_c credential extract few --row 3 --out third >/dev/null
"$verify" third >out || fail "$(cat out)"
grep -qF "it has no list: it cannot be revoked" out || fail "$(cat out)"
as bank_a credential batch diploma.json few.csv --out cut >/dev/null
must_refuse 4 "evidence.exists" as bank_a evidence deposit --receipt cut.receipt
must_refuse 11 "exists already" as bank_a evidence deposit few.csv --receipt cut.receipt
printf 'id,university\nurn:a:1,x\n' >twice.csv
must_refuse 3 "column 'university' is in the template's credentialSubject too" as bank_a credential batch diploma.json twice.csv --out none
printf 'id,name\n' >empty.csv
must_refuse 3 "no rows" as bank_a credential batch diploma.json empty.csv --out none
[ ! -e none ] || fail "a batch that failed left a file"
cd - >/dev/null
echo "$name: $many certificates issued in one batch in $took ms under one anchor; a holder's file made in $((extracted / files)) ms and checked in $((checked / files)) ms; they hold by themselves, altered and revoked ones do not"
