#!/usr/bin/env bash
# The main job on real input: 30,000 card clients (UCI, ../shared/data), split by ID over three banks, imported under a
# declared schema, asked through firmiana local query, and compared with SQLite on the whole file to the last digit.
# usage: tests/real_input.sh BUILD_FOLDER
set -euo pipefail

build=$(cd "$1" && pwd)
firmiana=$build/bin/firmiana
csv=$(dirname "$0")/../../shared/data/credit/taiwan_default_of_credit_card_clients.csv
if [ ! -f "$csv" ]; then
  echo "SKIPPED: ../shared/data not here"
  exit 77
fi
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
fail() { echo "real_input.sh: $*" >&2; exit 1; }

# ---- three banks ----
for i in 0 1 2; do awk -F, -v i="$i" 'NR == 1 || $1 % 3 == i' "$csv" >"$W/bank_$i.csv"; done
column() { printf '{"name":"%s","type":"%s"%s,"nullable":false}' "$1" "$2" "${3:+,\"range\":[$3]}"; }
{
  printf '{"columns":['
  column ID INTEGER 1,1000000
  for c in $(head -n 1 "$csv" | tr -d '\r' | tr ',' ' '); do
    case $c in
      ID) continue ;;
      LIMIT_BAL) printf ',' && column "$c" 'DECIMAL(12,2)' '"0.00","10000000.00"' ;;
      SEX | EDUCATION | MARRIAGE) printf ',' && column "$c" INTEGER 0,9 ;;
      AGE) printf ',' && column "$c" INTEGER 0,150 ;;
      PAY_AMT*) printf ',' && column "$c" INTEGER 0,10000000 ;;
      BILL_AMT*) printf ',' && column "$c" INTEGER -10000000,10000000 ;;
      PAY_*) printf ',' && column "$c" INTEGER -9,99 ;;
      default_payment_next_month) printf ',' && column "$c" BOOLEAN ;;
      *) fail "an unexpected column: $c" ;;
    esac
  done
  printf '],"subject":{"column":"ID","scheme":"tw.card"},"max_rows_per_subject":1,"rows":10000,"version":1}'
} >"$W/schema.json"
for i in 0 1 2; do
  "$firmiana" dataset import "$W/bank_$i.csv" --db "$W/bank_$i.db" --table clients --schema "$W/schema.json" >/dev/null
done

# The oracle reads the original file by itself: nothing of ours stands between it and the data.
sqlite3 "$W/all.db" "CREATE TABLE clients($(head -n 1 "$csv" | tr -d '\r' | sed 's/\([^,]*\)/\1 INTEGER/g'))" ".mode csv" ".import --skip 1 '$csv' clients"
[ "$(sqlite3 "$W/all.db" "SELECT COUNT(*), COUNT(DISTINCT ID), SUM(typeof(BILL_AMT1) = 'integer') FROM clients")" = "30000|30000|30000" ] || fail "the oracle did not read the whole file"

asked=0
# same SQL [ORACLE]: the oracle's SQL where ours says it in a way that SQLite's types do not
same() {
  local got want
  got=$("$firmiana" local query --data "$W/bank_0.db" --data "$W/bank_1.db" --data "$W/bank_2.db" --csv "$1" 2>"$W/error" | tail -n 1) || fail "$1: $(tail -n 1 "$W/error")"
  want=$(sqlite3 -csv "$W/all.db" "${2:-$1}")
  [ "$got" = "${want//\"/}" ] || fail "$1: the answer is $got, SQLite says $want"
  asked=$((asked + 1))
}
# AVG of an INTEGER column has 6 digits, halves go away from zero: here in integer arithmetic.
avg() {
  printf "printf('%%s%%d.%%06d', CASE WHEN SUM(%s) < 0 THEN '-' ELSE '' END, ((abs(SUM(%s)) * 2000000 + COUNT(%s)) / (2 * COUNT(%s))) / 1000000, ((abs(SUM(%s)) * 2000000 + COUNT(%s)) / (2 * COUNT(%s))) %% 1000000)" "$1" "$1" "$1" "$1" "$1" "$1" "$1"
}
same "SELECT COUNT(*), MIN(ID), MAX(ID), SUM(ID) FROM clients"
same "SELECT COUNT(*) FROM clients WHERE default_payment_next_month" "SELECT COUNT(*) FROM clients WHERE default_payment_next_month = 1"
same "SELECT SUM(LIMIT_BAL), MIN(LIMIT_BAL), MAX(LIMIT_BAL) FROM clients" "SELECT SUM(LIMIT_BAL) || '.00', MIN(LIMIT_BAL) || '.00', MAX(LIMIT_BAL) || '.00' FROM clients"
same "SELECT SUM(BILL_AMT1), MIN(BILL_AMT1), MAX(BILL_AMT1) FROM clients"
same "SELECT AVG(BILL_AMT1), AVG(AGE) FROM clients WHERE AGE BETWEEN 30 AND 39" "SELECT $(avg BILL_AMT1), $(avg AGE) FROM clients WHERE AGE BETWEEN 30 AND 39"
same "SELECT AVG(BILL_AMT6) FROM clients WHERE BILL_AMT6 < 0" "SELECT $(avg BILL_AMT6) FROM clients WHERE BILL_AMT6 < 0"
same "SELECT COUNT(*), SUM(BILL_AMT1 - PAY_AMT1) FROM clients WHERE EDUCATION IN (1, 2) AND MARRIAGE <> 3"
same "SELECT SUM(CASE WHEN PAY_0 > 0 THEN BILL_AMT1 ELSE 0 END), SUM(CASE WHEN PAY_0 <= 0 THEN 1 ELSE 0 END) FROM clients"
same "SELECT COUNT(*), MAX(PAY_0) FROM clients WHERE PAY_0 >= 2 AND (SEX = 2 OR AGE > 60) AND NOT default_payment_next_month" \
  "SELECT COUNT(*), MAX(PAY_0) FROM clients WHERE PAY_0 >= 2 AND (SEX = 2 OR AGE > 60) AND NOT default_payment_next_month"
same "SELECT SUM(BILL_AMT1 + BILL_AMT2 + BILL_AMT3), SUM(PAY_AMT1 + PAY_AMT2) FROM clients WHERE LIMIT_BAL > 500000" \
  "SELECT SUM(BILL_AMT1 + BILL_AMT2 + BILL_AMT3), SUM(PAY_AMT1 + PAY_AMT2) FROM clients WHERE LIMIT_BAL > 500000"
same "SELECT SUM(AGE * PAY_0), COUNT(*) FROM clients WHERE PAY_0 * PAY_2 > 3"
same "SELECT COUNT(*), SUM(BILL_AMT1), MIN(AGE) FROM clients WHERE ID = 12345"
same "SELECT COUNT(*), SUM(BILL_AMT1), MIN(AGE) FROM clients WHERE ID > 500000"
same "SELECT COUNT(*), SUM(PAY_AMT6) FROM bank_1.clients WHERE PAY_AMT6 > BILL_AMT6" "SELECT COUNT(*), SUM(PAY_AMT6) FROM clients WHERE PAY_AMT6 > BILL_AMT6 AND ID % 3 = 1"
echo "$asked queries over 30,000 rows at three banks: all equal to SQLite's"
