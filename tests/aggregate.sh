#!/usr/bin/env bash
# Protocol aggregate on real nodes over loopback. usage: tests/aggregate.sh BUILD_FOLDER
#
#   - a dealer's threshold key, its shares imported by three of four members;
#   - COUNT, SUM, AVG over three banks' rows, ungrouped and grouped: what SQLite says of the pooled rows;
#   - its receipts stand up to firmiana-verify;
#   - what cannot be run is refused in one line: a plan of another kind, a threshold that is not reached, a member without
#     its share, a party that is dead.
set -euo pipefail
build=$(cd "$1" && pwd) name=aggregate.sh
# shellcheck source=tests/homes.sh
. tests/homes.sh

homes_make 400
homes_start
for b in "${banks[@]}"; do as "$b" dataset publish --table loans >/dev/null; done

"$firmiana" credential key --out "$W/notary.key" >"$W/notary.did"
"$firmiana" key deal --key "$W/notary.key" --member bank_a --member bank_b --member regulator --threshold 2 --dealer "the notary" --out "$W/key" >/dev/null
for m in bank_a bank_b; do as "$m" key import "$W/key/$m.share" >/dev/null; done

spec() { # SQL COMPUTE... : $W/spec.json
  local sql=$1 list
  shift
  list=$(printf '"%s",' "$@")
  cat >"$W/spec.json" <<SPEC
{"name": "$name", "purpose": "statistics", "sql": "$sql", "compute": [${list%,}], "recipients": ["bank_c"],
 "minimum_group": 5, "consent": {"requirement": "none", "basis": "aggregates of at least 5 subjects"}}
SPEC
}
propose() { # SQL COMPUTE...
  spec "$@"
  as bank_c contract draft "$W/spec.json" --key "$W/key/key.json" --out "$W/contract.json" >"$W/draft"
  as bank_c contract propose "$W/contract.json" >/dev/null
  id=$(tr -d '\n' <"$W/contract.json" | digest)
  for b in "${banks[@]}"; do as "$b" contract authorize "$id" --runs 100 >/dev/null; done
}
refused() { # EXIT_CODE PATTERN COMMAND...: one line says so
  local code=$1 pattern=$2 status=0
  shift 2
  "$@" >"$W/out" 2>"$W/err" || status=$?
  [ "$status" = "$code" ] && [ "$(wc -l <"$W/err")" = 1 ] && grep -q "$pattern" "$W/err" || fail "not exit code $code and '$pattern' but $status: $(cat "$W/err")"
}
same() { # SQL WANT
  local got
  propose "$1" bank_a bank_b regulator
  got=$(as bank_c query run "$id" --csv | tail -n +2) || fail "$1: $(tail -n 3 "$W"/*/node.log)"
  [ "$got" = "$2" ] || fail "$1: $got, SQLite: $2"
}

plain="SELECT COUNT(*), SUM(balance), AVG(balance) FROM loans WHERE product = 'mortgage' AND NOT closed"
propose "$plain" bank_a bank_b regulator
refused 4 "regulator refused the query: node.key" as bank_c query run "$id"
grep -q "this node has no share of key [0-9a-f]*: firmiana key import FILE" "$W/regulator/node.log" || fail "regulator does not say what to do: $(tail -n 3 "$W/regulator/node.log")"
refused 3 "this is the share of bank_a, not of regulator" as regulator key import "$W/key/bank_a.share"
as regulator key import "$W/key/regulator.share" >/dev/null
refused 11 "has its share of key" as regulator key import "$W/key/regulator.share"
refused 7 "key/bank_a.share: the passphrase is wrong" env FIRMIANA_PASSPHRASE=another FIRMIANA_HOME="$W/bank_a" "$firmiana" key import "$W/key/bank_a.share"

# ---- a key that its dealer did not sign, or another did ----
if command -v python3 >/dev/null; then
  python3 - "$W/key/key.json" "$W" <<'PY'
import base64, json, sys
key, out = json.load(open(sys.argv[1])), sys.argv[2]
unpack = lambda t: base64.urlsafe_b64decode(t + "=" * (-len(t) % 4))
pack = lambda b: base64.urlsafe_b64encode(b).decode().rstrip("=")
raw = unpack(key["public"])
size = int.from_bytes(raw[1:5], "big")
json.dump({**key, "public": pack(raw[5:5 + size])}, open(out + "/unsigned.json", "w"))
json.dump({**key, "parties": key["parties"][::-1]}, open(out + "/swapped.json", "w"))
share = json.load(open(out + "/key/regulator.share"))
share["key"]["parties"] = share["key"]["parties"][::-1]
json.dump(share, open(out + "/swapped.share", "w"))
PY
  spec "$plain" bank_a bank_b regulator
  refused 7 "key: its dealer did not sign it" as bank_c contract draft "$W/spec.json" --key "$W/unsigned.json"
  refused 7 "key: the signature is not its dealer's, or not of this key" as bank_c contract draft "$W/spec.json" --key "$W/swapped.json"
  refused 7 "key: the signature is not its dealer's, or not of this key" as bank_a key import "$W/swapped.share"
fi

# ---- answers ----
same "$plain" "$(pooled "SELECT COUNT(*), printf('%.2f', SUM(balance) / 100.0), printf('%.8f', AVG(balance) / 100.0) FROM loans WHERE product = 'mortgage' AND NOT closed")"
as bank_c contract show "$id" >"$W/shown"
grep -q "computed by bank_a, bank_b, regulator (aggregate" "$W/shown" && grep -q "2048 bits, 2 of 3 shares decrypt, dealt by the notary ($(cat "$W/notary.did"))" "$W/shown" &&
  grep -q "leaks       to recipients the sum and the count behind each AVG" "$W/shown" || fail "contract show: $(cat "$W/shown")"
as bank_c audit export --out "$W/trail.bundle" >/dev/null
"$verify" "$W/trail.bundle" >"$W/verified" || fail "firmiana-verify: $(cat "$W/verified")"
grep -q "the key's dealer forgot what it dealt" "$W/verified" || fail "firmiana-verify does not name the model: $(cat "$W/verified")"

# ---- what cannot be run ----
draft() { as bank_c contract draft "$W/spec.json" --key "$W/key/key.json"; }
spec "$plain" bank_a
refused 3 "at least two members decrypt, not 1" draft
spec "$plain" bank_a bank_c
refused 3 "compute party bank_c has no share of the key" draft
spec "SELECT MAX(balance) FROM loans" bank_a bank_b
refused 14 "protocol aggregate answers COUNT, SUM and AVG over the rows of one table" draft

# ---- a decryptor dies, comes back with its share, and groups are answered by two of three ----
kill -9 "${pid[bank_b]}"
wait "${pid[bank_b]}" 2>/dev/null || true
refused 5 "bank_b" as bank_c query run "$id"
start bank_b
wait_connected
grouped="SELECT closed, COUNT(*), SUM(overdue_days) FROM loans WHERE product <> 'card' GROUP BY closed ORDER BY closed"
propose "$grouped" regulator bank_b
got=$(as bank_c query run "$id" --csv | tail -n +2)
want=$(pooled "SELECT iif(closed, 'true', 'false'), COUNT(*), SUM(overdue_days) FROM loans WHERE product <> 'card' GROUP BY closed ORDER BY closed")
[ "$got" = "$want" ] || fail "grouped: $got, SQLite: $want"
settle "at the end"
homes_stop
echo "aggregate: sums under a threshold key as SQLite says, by three decryptors and by two; receipts verified; refusals in one line"
