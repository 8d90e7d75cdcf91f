#!/usr/bin/env bash
# Documents are deposited, one and 100,000 under one anchor; certificates are checked from their files alone, altered in
# every part, and against a local RFC 3161 authority (openssl ts). Digests are those of sha256sum and openssl.
# usage: tests/evidence.sh BUILD_FOLDER
set -euo pipefail
build=$(cd "$1" && pwd) name=evidence.sh
command -v openssl >/dev/null || { echo "$name: skipped: no openssl command"; exit 77; }
# shellcheck source=tests/homes.sh
. tests/homes.sh

must_refuse() { # TEXT COMMAND...
  local text=$1 out status=0
  shift
  out=$("$@" 2>&1) || status=$?
  [ "$status" -ne 0 ] || fail "not refused ($text): $*"
  [[ $out == *"$text"* ]] || fail "refused, but not by $text: $out"
}
certify() { # DOCUMENT RECEIPT OUT OPTIONS...
  as bank_a evidence certificate "$1" --receipt "$2" --out "$3" "${@:4}"
}

homes_make 60
homes_start
printf 'a contract\n' >"$W/contract.txt"
printf 'another\n' >"$W/another.txt"

# ---- a local authority ----
mkdir "$W/tsa"
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$W/tsa/ca.key" -out "$W/tsa/ca.pem" -days 30 -subj "/CN=test CA" 2>/dev/null
openssl req -newkey rsa:2048 -nodes -keyout "$W/tsa/tsa.key" -out "$W/tsa/tsa.csr" -subj "/CN=test TSA" 2>/dev/null
printf 'extendedKeyUsage=critical,timeStamping\n' >"$W/tsa/ext"
openssl x509 -req -in "$W/tsa/tsa.csr" -CA "$W/tsa/ca.pem" -CAkey "$W/tsa/ca.key" -CAcreateserial -days 30 -extfile "$W/tsa/ext" -out "$W/tsa/tsa.pem" 2>/dev/null
cat >"$W/tsa/conf" <<CONF
[tsa]
default_tsa = t
[t]
serial = $W/tsa/serial
signer_cert = $W/tsa/tsa.pem
signer_key = $W/tsa/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256, sm3
accuracy = secs:1
ess_cert_id_alg = sha256
CONF
stamp() { echo "cat >'$W/tsa/q' && openssl ts -reply -config '$W/tsa/conf' -section t -queryfile '$W/tsa/q' 2>/dev/null"; }

# ---- one, with a stamp ----
must_refuse "the command failed" as bank_a evidence deposit "$W/contract.txt" --receipt "$W/none" --tsa "exit 3"
must_refuse "no answer of an authority" as bank_a evidence deposit "$W/contract.txt" --receipt "$W/none" --tsa "echo no"
must_refuse "(exit code 127): " as bank_a evidence deposit "$W/contract.txt" --receipt "$W/none" --tsa "no_such_command"
[ "$(as bank_a evidence deposit "$W/contract.txt" --receipt "$W/none" --tsa "no_such_command" 2>&1 | wc -l)" = 1 ] || fail "an authority's command that fails takes more than a line"
must_refuse "printed more than 65536 bytes" as bank_a evidence deposit "$W/contract.txt" --receipt "$W/none" --tsa "head -c 1000000 /dev/zero"
bad_list() { # TEXT CONTENT
  printf "$2" >"$W/bad"
  must_refuse "$1" as bank_a evidence deposit --digests "$W/bad" --receipt "$W/none"
}
some=$(digest <"$W/contract.txt")
bad_list "bad: no digest is in it" ''
bad_list "bad: line 1: it is not DIGEST" "$some n\n"
bad_list "bad: line 2: it is not DIGEST" "$some  n\n$some  \n"
bad_list "bad: line 1: it has more than" "$some  $(printf 'x%.0s' $(seq 4200))\n"
bad_list "bad: line 2: its name is not UTF-8" "$some *n\n$some  \\344\n"
[ ! -e "$W/none" ] || fail "what was refused left a receipt"
as bank_a evidence deposit "$W/contract.txt" --receipt "$W/one" --tsa "$(stamp)" >/dev/null
must_refuse "nowhere/page" certify "$W/contract.txt" "$W/one" "$W/one.cert" --html "$W/nowhere/page"
[ ! -e "$W/one.cert" ] || fail "a certificate was left without its page"
certify "$W/contract.txt" "$W/one" "$W/one.cert" --html "$W/one.html" >"$W/out"
grep -q "$hash_name $(digest <"$W/contract.txt")$" "$W/out" || fail "$(cat "$W/out")"
"$verify" "$W/one.cert" >"$W/out" || fail "the certificate is not valid"
grep -q 'existed    at 20.*Z at the latest: its block says 20.* more than 5 s from their own clocks' "$W/out" || fail "$(cat "$W/out")"
grep -q 'stamped .* within 1000 ms by its own word; its signature was not checked: give --ca FILE' "$W/out" || fail "$(cat "$W/out")"
"$verify" --ca "$W/tsa/ca.pem" "$W/one.cert" >"$W/out" || fail "the stamp does not hold under its authority"
grep -q 'its signature holds under the given authorities' "$W/out" || fail "$(cat "$W/out")"
must_refuse "does not verify" "$verify" --ca "$W/tsa/tsa.pem" "$W/one.cert"
"$verify" --document "$W/contract.txt" "$W/one.cert" >"$W/out"
grep -q "compared   $W/contract.txt is that document" "$W/out" || fail "$(cat "$W/out")"
must_refuse "is not the document that was deposited" "$verify" --document "$W/another.txt" "$W/one.cert"
must_refuse "opening is not for a certificate" "$verify" --opening "$W/none" "$W/one.cert"
"$verify" --json "$W/one.cert" | grep '"depositor":"bank_a"' >/dev/null || fail "$("$verify" --json "$W/one.cert")"
grep -q "$(digest sha256 <"$W/one.cert")" "$W/one.html" || fail "the page does not name the certificate's file"
must_refuse "not among the 1 documents" certify "$W/another.txt" "$W/one" "$W/none"
sed -n 1p "$W/one.cert" | sed 's/.*"rfc3161":"\([^"]*\)".*/\1/' | tr -- '-_' '+/' | awk '{ while (length($0) % 4) $0 = $0 "="; print }' | base64 -d >"$W/token"
sed 's/.*"root":"\([0-9a-f]*\)".*/\1/' "$W/one" | perl -pe 's|\s||g; $_ = pack("H*", $_)' >"$W/anchor"
openssl ts -verify -in "$W/token" -token_in -data "$W/anchor" -CAfile "$W/tsa/ca.pem" >/dev/null 2>&1 || fail "openssl ts does not accept the token"

# ---- SM3, and 100,000 under one anchor ----
as bank_b evidence deposit "$W/contract.txt" --algorithm sm3 --receipt "$W/sm3" >/dev/null
FIRMIANA_HOME=$W/bank_b "$firmiana" evidence certificate "$W/contract.txt" --receipt "$W/sm3" --out "$W/sm3.cert" >"$W/out"
must_refuse "has no time stamp" certify "$W/contract.txt" "$W/sm3" "$W/none" --ca "$W/tsa/ca.pem"
grep -q "sm3 $(digest sm3 <"$W/contract.txt")$" "$W/out" || fail "$(cat "$W/out")"
{ awk 'BEGIN { for (i = 1; i < 100000; i++) printf "%064x  document %d\n", i, i }'; echo "$(digest <"$W/another.txt")  another.txt"; } >"$W/list"
as bank_a evidence deposit --digests "$W/list" --receipt "$W/many" >/dev/null
certify "$W/another.txt" "$W/many" "$W/many.cert" >"$W/out"
grep -q 'number 100000 of 100000 under anchor' "$W/out" || fail "$(cat "$W/out")"
"$verify" "$W/many.cert" >/dev/null || fail "one of 100,000 is not valid"
must_refuse "evidence.exists" as bank_c tx submit evidence.deposit <(sed 's/.*"root":"\([0-9a-f]*\)".*/{"algorithm":"'"$hash_name"'","count":1,"root":"\1"}/' "$W/one")

# ---- altered: no part of it may change ----
for change in '1s/"count":1,/"count":2,/' '1s/"digest":"\(.\{8\}\)/"digest":"00000000/' '1s/"salt":"\(.\{8\}\)/"salt":"00000000/' '1s/"index":0/"index":1/' \
  '1s/"algorithm":"'"$hash_name/\"algorithm\":\"$foreign_hash/" '1s/"tx":"\(.\{8\}\)/"tx":"00000000/' '1s/"rfc3161":"MI/"rfc3161":"MJ/' '2s/"name":"[^"]*"/"name":"other"/' '$d'; do
  sed "$change" "$W/one.cert" >"$W/altered"
  ! cmp -s "$W/one.cert" "$W/altered" || fail "nothing was altered: $change"
  ! "$verify" "$W/altered" >/dev/null 2>&1 || fail "altered, and valid: $change"
done
sed -n 1p "$W/many.cert" | cat - <(tail -n +2 "$W/one.cert") >"$W/altered"
must_refuse "certificate" "$verify" "$W/altered"
echo "$name: one, one by SM3 and 100,000 were deposited; their certificates hold, stamped by an authority too, and no altered one does"
