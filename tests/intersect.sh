#!/usr/bin/env bash
# Protocol psi-sum on real nodes over loopback. usage: tests/intersect.sh BUILD_FOLDER
#
#   - the size of the intersection of two members' tables, sums and averages over it: what SQLite says of both;
#   - below the minimum everything is suppressed, and the one who holds the key never decrypts;
#   - each side opens what it committed to, and what was changed since does not open;
#   - firmiana-verify accepts the receipts; plans of another kind are refused in one line.
set -euo pipefail
build=$(cd "$1" && pwd) name=intersect.sh
# shellcheck source=tests/homes.sh
. tests/homes.sh

homes_make 10
n='WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)'
sqlite3 "$W/bank_a/data.db" "CREATE TABLE customers(id INTEGER NOT NULL, segment INTEGER NOT NULL);
  $n INSERT INTO customers SELECT 3 * i, i * 7919 % 10 FROM n"
sqlite3 "$W/bank_b/data.db" "CREATE TABLE cards(id INTEGER NOT NULL, spent INTEGER NOT NULL, late INTEGER NOT NULL);
  $n INSERT INTO cards SELECT 2 * i, i * 104729 % 20001 - 10000, i % 7 FROM n"
id='{"name": "id", "type": "INTEGER", "range": [1, 1000], "nullable": false}'
rest='"keys": [{"column": "id", "max_rows": 1}], "subject": {"column": "id", "scheme": "cn.id"}, "max_rows_per_subject": 1, "rows": 256, "version": 1'
echo "{\"columns\": [$id, {\"name\": \"segment\", \"type\": \"INTEGER\", \"range\": [0, 9], \"nullable\": false}], $rest}" >"$W/customers.json"
echo "{\"columns\": [$id, {\"name\": \"spent\", \"type\": \"INTEGER\", \"range\": [-10000, 10000], \"nullable\": false},
  {\"name\": \"late\", \"type\": \"INTEGER\", \"range\": [0, 9], \"nullable\": false}], $rest}" >"$W/cards.json"
homes_start
as bank_a dataset publish --table customers --schema "$W/customers.json" >/dev/null
as bank_b dataset publish --table cards --schema "$W/cards.json" >/dev/null

spec() { # RECIPIENT SQL
  cat >"$W/spec.json" <<SPEC
{"name": "$name", "purpose": "statistics", "sql": "$2", "protocol": "psi-sum", "compute": ["bank_a", "bank_b"], "recipients": ["$1"],
 "minimum_group": 5, "consent": {"requirement": "none", "basis": "aggregates of at least 5 subjects"}}
SPEC
}
ask() { # RECIPIENT SQL: the answer as CSV, without its head
  spec "$@"
  as "$1" contract draft "$W/spec.json" --out "$W/contract.json" >/dev/null
  as "$1" contract propose "$W/contract.json" >/dev/null
  id=$(tr -d '\n' <"$W/contract.json" | digest)
  echo "$id" >"$W/id" # asked in a subshell
  for b in bank_a bank_b; do as "$b" contract authorize "$id" --runs 100 >/dev/null; done
  as "$1" query run "$id" --csv | tail -n +2
}
both() { sqlite3 -csv :memory: "ATTACH '$W/bank_a/data.db' AS a; ATTACH '$W/bank_b/data.db' AS b; $1"; }
from="FROM customers JOIN cards ON customers.id = cards.id"
same() { # RECIPIENT SQL SQLITE
  local got want
  got=$(ask "$1" "$2") || fail "$2: $(tail -n 3 "$W"/*/node.log)"
  want=$(both "$3")
  [ "$got" = "$want" ] || fail "$2: $got, SQLite: $want"
}
same bank_a "SELECT COUNT(*), SUM(cards.spent), AVG(cards.spent), SUM(cards.late) $from WHERE customers.segment > 2 AND cards.spent > -5000" \
  "SELECT COUNT(*), SUM(spent), printf('%.6f', AVG(spent)), SUM(late) $from WHERE segment > 2 AND spent > -5000"
as bank_a contract show "$(cat "$W/id")" >"$W/shown"
grep -q "leaks       to both the size of the intersection, to bank_a also where it is below the minimum of 5 rows" "$W/shown" || fail "contract show: $(cat "$W/shown")"
grep -q "trusts      both to follow the protocol: bank_a, if it does not, can have 5 points count for one row" "$W/shown" || fail "contract show: $(cat "$W/shown")"
# The one who sums is the recipient, and the two swap places.
same bank_b "SELECT SUM(customers.segment), COUNT(*) $from WHERE cards.late = 1" "SELECT SUM(segment), COUNT(*) $from WHERE late = 1"
got=$(ask bank_a "SELECT COUNT(*), SUM(cards.spent) $from WHERE customers.segment = 4 AND cards.late = 1")
[ "$(both "SELECT COUNT(*) BETWEEN 1 AND 4 $from WHERE segment = 4 AND late = 1")" = 1 ] || fail "the data have no small intersection"
[ "$got" = "suppressed,suppressed" ] || fail "below the minimum: $got"

for b in bank_a bank_b; do
  kept=$(sqlite3 "$W/$b/sessions.db" "SELECT COUNT(*) FROM sealed WHERE kind = 'input'")
  [ "$kept" = 3 ] || fail "$b kept $kept openings of what it ran with, not 3"
done
as bank_a audit export --out "$W/trail.bundle" >/dev/null
"$verify" "$W/trail.bundle" >"$W/verified" || fail "firmiana-verify: $(cat "$W/verified")"
grep -q "both parties follow the protocol" "$W/verified" || fail "firmiana-verify does not name the model: $(cat "$W/verified")"

# ---- each side opens what it put in; anyone checks it against the trail; what was changed does not open ----
as bank_a query list >"$W/list"
query=$(awk 'NR > 1' "$W/list" | sort -n -k 4,4 | awk 'NR == 1 { print $1 }') # the first that was asked
chain=$(as bank_a status --json | sed -n 's/.*"chain":"\([^"]*\)".*/\1/p')
for b in bank_a bank_b; do
  as "$b" audit opening "$query" --out "$W/$b.opening" >"$W/said" || fail "audit opening of $b"
  "$firmiana" audit opened "$W/$b.opening" "$W/trail.bundle" --chain "$chain" >"$W/opened" || fail "audit opened of $b"
  grep -q "^valid: $b put these [0-9]* rows of c" "$W/opened" || fail "audit opened: $(cat "$W/opened")"
done
not_opened() { # EXIT_CODE PATTERN FILE
  local status=0
  "$firmiana" audit opened "$3" "$W/trail.bundle" --chain "$chain" >"$W/out" 2>"$W/err" || status=$?
  [ "$status" = "$1" ] && grep -q "$2" "$W/err" || fail "audit opened: not exit code $1 and '$2' but $status: $(cat "$W/err")"
}
sed 's/"scalar":"[0-9a-f]\{4\}/"scalar":"0000/' "$W/bank_a.opening" >"$W/other.opening"
not_opened 1 "these are not the rows that bank_a committed to" "$W/other.opening"
sed 's/"member":"bank_a"/"member":"bank_c"/' "$W/bank_a.opening" >"$W/other.opening"
not_opened 12 "the trail shows no receipt with an input of bank_c" "$W/other.opening"
sqlite3 "$W/bank_b/data.db" "UPDATE cards SET spent = spent - 1 WHERE id = 6 OR id = 12 OR id = 24 OR id = 36"
as bank_b audit opening "$query" --out "$W/late.opening" >/dev/null
not_opened 1 "these are not the rows that bank_b committed to in query .*: its file was changed since" "$W/late.opening"
sqlite3 "$W/bank_b/data.db" "UPDATE cards SET spent = spent + 1 WHERE id = 6 OR id = 12 OR id = 24 OR id = 36"

as bank_a explain --recipient bank_a "SELECT COUNT(*), SUM(cards.spent) $from" >"$W/explained"
grep -q "by protocol psi-sum instead of rep3, in 5 rounds: to both sides the size" "$W/explained" || fail "explain: $(cat "$W/explained")"
refused() { # EXIT_CODE PATTERN
  local status=0
  as bank_a contract draft "$W/spec.json" >"$W/out" 2>"$W/err" || status=$?
  [ "$status" = "$1" ] && [ "$(wc -l <"$W/err")" = 1 ] && grep -q "$2" "$W/err" || fail "not exit code $1 and '$2' but $status: $(cat "$W/err")"
}
spec bank_a "SELECT MAX(cards.spent) $from"
refused 14 "protocol psi-sum answers COUNT(\*), SUM and AVG over the join of two members' tables"
spec bank_c "SELECT COUNT(*) $from"
refused 3 "under psi-sum the recipients are bank_a and bank_b"
settle "at the end"
homes_stop
echo "psi-sum: sizes and sums of intersections as SQLite says, nothing below the minimum; receipts verified; refusals in one line"
