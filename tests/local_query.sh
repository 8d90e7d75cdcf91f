#!/usr/bin/env bash
# firmiana local query: every answer against sqlite3 on the pooled rows, the three formats byte by byte, what it says
# when it can not answer and with which exit code, and that it leaves neither processes nor files behind.
# usage: tests/local_query.sh BUILD_FOLDER
set -euo pipefail
set -m # job control: background jobs take SIGINT

build=$(cd "$1" && pwd)
firmiana=$build/bin/firmiana
W=$(mktemp -d)
mkdir "$W/tmp"
export TMPDIR=$W/tmp
cleanup() {
  local status=$?
  if [ "$status" -eq 0 ]; then rm -rf "$W"; else echo "local_query.sh: FAILED; see $W" >&2; fi
}
trap cleanup EXIT
fail() { echo "local_query.sh: $*" >&2; exit 1; }

checks=0
# pool FILES...: the SQL prefix that makes t the union of the files' tables of that name
pool() { # table, files
  local table=$1 n=0 attach='' union=''
  shift
  for f in "$@"; do
    n=$((n + 1))
    attach+="ATTACH '$f' AS d$n; "
    union+="${union:+ UNION ALL }SELECT * FROM d$n.$table"
  done
  printf '%s WITH %s AS (%s) ' "$attach" "$table" "$union"
}
data() { for f in "$@"; do printf -- '--data %s ' "$f"; done; }
# same SQL ORACLE TABLE FILES...: the answer's row is what sqlite3 says
same() {
  local sql=$1 oracle=$2 table=$3 got want
  shift 3
  # shellcheck disable=SC2046
  got=$("$firmiana" local query $(data "$@") --csv "$sql" 2>"$W/error" | tail -n 1) || fail "$sql: $(tail -n 1 "$W/error")"
  want=$(sqlite3 -csv :memory: "$(pool "$table" "$@") $oracle")
  [ "$got" = "${want//\"/}" ] || fail "$sql over $# files: the answer is $got, SQLite says $want"
  checks=$((checks + 1))
}
# refuses CODE TEXT ARGS...: the exit code, and a last line on standard error that holds the text
refuses() {
  local code=$1 text=$2 status=0
  shift 2
  "$firmiana" local query "$@" >"$W/out" 2>"$W/error" || status=$?
  [ "$status" = "$code" ] || fail "exit code $status instead of $code: $* -> $(tail -n 1 "$W/error")"
  [ ! -s "$W/out" ] || fail "an error and an answer: $*"
  [ "$(grep -c '^firmiana: ' "$W/error")" = 1 ] || fail "not one line of error: $* -> $(cat "$W/error")"
  tail -n 1 "$W/error" | grep -F -- "$text" >/dev/null || fail "$*: does not say '$text' but: $(tail -n 1 "$W/error")"
  checks=$((checks + 1))
}
# nothing_left WHEN: no process of ours, no folder
nothing_left() {
  for _ in $(seq 600); do
    if ! pgrep -f "local query .*$W/" >/dev/null && [ -z "$(ls -A "$W/tmp")" ]; then
      checks=$((checks + 1))
      return 0
    fi
    sleep 0.1
  done
  fail "left behind after $1: $(ls -A "$W/tmp") $(pgrep -af "local query .*$W/" | cut -c1-120)"
}

# ---- declared data, 1 to 5 files ----
"$firmiana" demo-data "$W/demo" --rows 60 --banks 5 >/dev/null
d=("$W"/demo/bank_?.db)
money() { printf "printf('%%s%%d.%%02d', CASE WHEN %s < 0 THEN '-' ELSE '' END, abs(%s) / 100, abs(%s) %% 100)" "$1" "$1" "$1"; }
sums="SELECT COUNT(*), SUM(balance), MAX(overdue_days), MIN(overdue_days) FROM loans WHERE overdue_days >= 10 AND NOT closed"
sums_oracle="SELECT COUNT(*), $(money 'SUM(balance)'), MAX(overdue_days), MIN(overdue_days) FROM loans WHERE overdue_days >= 10 AND NOT closed"
for n in 1 2 3 5; do same "$sums" "$sums_oracle" loans "${d[@]:0:n}"; done
for _ in 1 2 3 4 5; do # the machine may do other things too
  t0=$(date +%s%3N)
  same "SELECT COUNT(*) FROM loans" "SELECT COUNT(*) FROM loans" loans "${d[@]:0:3}"
  cold=$(($(date +%s%3N) - t0))
  [ "$cold" -gt 10000 ] || break
done
[ "$cold" -le 10000 ] || fail "a small query took $cold ms from a cold start"
nothing_left success

# ---- plain files: types differ, REAL, NULL, an empty table, a column that is NULL everywhere at one party ----
sqlite3 "$W/p1.db" "CREATE TABLE t(a INTEGER, x REAL, s TEXT, n); INSERT INTO t VALUES(1,1.5,'x',NULL),(2,NULL,'y',NULL),(-3,2.25,NULL,NULL)"
sqlite3 "$W/p2.db" "CREATE TABLE t(a REAL, x INTEGER, s TEXT, n); INSERT INTO t VALUES(1.25,7,'x',5),(0.5,-4,'long text',6)"
sqlite3 "$W/p3.db" "CREATE TABLE t(a INTEGER, x REAL, s TEXT, n)"
p=("$W/p1.db" "$W/p2.db" "$W/p3.db")
same "SELECT COUNT(*), SUM(a), MIN(x), MAX(x) FROM t" "SELECT COUNT(*), printf('%.2f', SUM(a)), printf('%.2f', MIN(x)), printf('%.2f', MAX(x)) FROM t" t "${p[@]}"
same "SELECT COUNT(*), COUNT(x), COUNT(s) FROM t WHERE s IS NULL OR s = 'x'" "SELECT COUNT(*), COUNT(x), COUNT(s) FROM t WHERE s IS NULL OR s = 'x'" t "${p[@]}"
same "SELECT SUM(n), COUNT(n), COUNT(*) FROM t" "SELECT SUM(n), COUNT(n), COUNT(*) FROM t" t "${p[@]}"
# A column that is NULL at every party, and a table without rows: what is computed with it is a number, the rest is text.
sqlite3 "$W/n1.db" "CREATE TABLE t(a INTEGER, n, m TEXT); INSERT INTO t VALUES(1,NULL,NULL),(2,NULL,NULL)"
sqlite3 "$W/n2.db" "CREATE TABLE t(a INTEGER, n, m TEXT); INSERT INTO t VALUES(3,NULL,NULL)"
n=("$W/n1.db" "$W/n2.db")
nulls="MIN(n), MAX(n), SUM(n), COUNT(n), AVG(m), SUM(m), MAX(a)"
same "SELECT $nulls FROM t" "SELECT $nulls FROM t" t "${n[@]}"
grep -q "^note: n2: t.m: nobody has a value: taken as INTEGER" "$W/error" || fail "no note about the type of a column without values"
same "SELECT MIN(n), MAX(n), SUM(n) FROM t" "SELECT MIN(n), MAX(n), SUM(n) FROM t" t "$W/n1.db"
nulls="SUM(-n * 2 + 1), MIN(COALESCE(n, 7)), MAX(CASE WHEN a > 1 THEN n ELSE 0 END), MIN(CASE a WHEN 1 THEN 5 ELSE n END), MAX(NULLIF(n, 3))"
same "SELECT $nulls FROM t" "SELECT $nulls FROM t" t "${n[@]}"
nulls="COUNT(m), MAX(CASE WHEN m = 'x' THEN 1 ELSE 2 END), SUM(a)"
same "SELECT $nulls FROM t WHERE n + 1 IS NULL" "SELECT $nulls FROM t WHERE n + 1 IS NULL" t "${n[@]}"
same "SELECT SUM(a), MIN(x), COUNT(s) FROM t" "SELECT SUM(a), MIN(x), COUNT(s) FROM t" t "$W/p3.db"
same "SELECT SUM(x), COUNT(*) FROM t WHERE a > 100" "SELECT SUM(x), COUNT(*) FROM t WHERE a > 100" t "${p[@]}"
same "SELECT COUNT(*), SUM(a) FROM t" "SELECT COUNT(*), SUM(a) FROM t" t "$W/p1.db" "$W/p1.db"
grep -q "^note: p1: no declared schema for t" "$W/error" || fail "no note about the ranges that came from the data"
same "SELECT COUNT(*) FROM t" "SELECT COUNT(*) FROM t" t "$W/p3.db"
same "SELECT COUNT(*), SUM(a) FROM p2.t" "SELECT COUNT(*), printf('%.2f', SUM(a)) FROM t" t "$W/p2.db"

# ---- several operators: groups, order, distinct, joins; one party puts in two tables ----
for b in a b c; do
  sqlite3 "$W/g$b.db" "CREATE TABLE t(id INTEGER, s TEXT, k INTEGER, v INTEGER); WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 19)
    INSERT INTO t SELECT i + 100 * unicode('$b'), substr('north south east', 1 + 6 * (i % 4), 5), i * unicode('$b') % 5, nullif(i * i * 7 % 31, 3) FROM n"
done
sqlite3 "$W/gb.db" "CREATE TABLE r(s TEXT, people INTEGER); INSERT INTO r VALUES('north', 10), ('south', NULL), ('west', 30)"
g=("$W/ga.db" "$W/gb.db" "$W/gc.db")
# rows SORT SQL: the whole answer is what sqlite3 says; SORT is `sort`, or `cat` where there is an ORDER BY
rows() {
  local sort=$1 sql=$2
  # shellcheck disable=SC2046
  "$firmiana" local query $(data "${g[@]}") --csv "$sql" 2>"$W/error" | tail -n +2 | "$sort" >"$W/out" || fail "$sql: $(tail -n 1 "$W/error")"
  sqlite3 -csv :memory: "ATTACH '$W/gb.db' AS other; $(pool t "${g[@]}"), r AS (SELECT * FROM other.r) $sql" | tr -d '\r"' | "$sort" >"$W/want"
  tr -d '"' <"$W/out" | cmp - "$W/want" || fail "$sql: the answer is $(cat "$W/out"), SQLite says $(cat "$W/want")"
  [ -s "$W/out" ] || fail "$sql: nothing to compare"
  checks=$((checks + 1))
}
rows sort "SELECT s, COUNT(*), SUM(v), MIN(v), COUNT(DISTINCT k) FROM t GROUP BY s"
rows cat "SELECT k, s, SUM(v) FROM t WHERE id % 3 > 0 GROUP BY k, s HAVING COUNT(*) > 2 ORDER BY k DESC, SUM(v) NULLS LAST, COUNT(*), MIN(id)"
rows cat "SELECT k, COUNT(v) FROM t GROUP BY k ORDER BY k LIMIT 3 OFFSET 1"
rows sort "SELECT DISTINCT s, k FROM t"
rows sort "SELECT x.s, x.n, y.p FROM (SELECT s, COUNT(*) AS n FROM t GROUP BY s) AS x LEFT JOIN (SELECT s, SUM(people) AS p FROM r GROUP BY s) AS y ON x.s = y.s"
rows sort "SELECT id, v / 2, ROW_NUMBER() OVER (PARTITION BY s ORDER BY id) FROM t WHERE v > (SELECT MAX(people) FROM r) - 15"
# The same over another link's circuits, and in fewer rounds.
for link in lan wan; do
  # shellcheck disable=SC2046
  "$firmiana" local query $(data "${d[@]:0:3}") --link $link --stats --csv "SELECT product, SUM(balance), MIN(overdue_days) FROM loans GROUP BY product ORDER BY SUM(balance)" >"$W/by-$link" 2>"$W/error" || fail "--link $link: $(tail -n 1 "$W/error")"
  awk '$1 == "bank_a" { print $3 }' "$W/error" >"$W/rounds-$link"
done
cmp "$W/by-lan" "$W/by-wan" && [ "$(wc -l <"$W/by-wan")" = 6 ] || fail "--link wan: another answer: $(cat "$W/by-wan")"
[ "$(cat "$W/rounds-wan")" -lt "$(cat "$W/rounds-lan")" ] || fail "--link wan: $(cat "$W/rounds-wan") rounds, over a LAN $(cat "$W/rounds-lan")"
refuses 3 "member 'link' must be lan, metro or wan" $(data "${g[@]}") --link far "SELECT COUNT(*) FROM t"
nothing_left operators

# ---- formats, byte by byte ----
q="SELECT COUNT(*) AS c, AVG(x) AS m, SUM(a) AS total FROM t"
format() { # option wanted
  # shellcheck disable=SC2046
  "$firmiana" local query $(data "${p[@]}") $1 "$q" >"$W/out" 2>/dev/null
  printf "$2" >"$W/want"
  cmp "$W/out" "$W/want" || fail "format '$1': $(cat "$W/out")"
  checks=$((checks + 1))
}
format --csv 'c,m,total\n5,1.68750000,1.75\n'
format --json '{"columns":["c","m","total"],"rows":[[5,"1.68750000","1.75"]]}\n'
format '' 'c           m  total\n-  ----------  -----\n5  1.68750000   1.75\n'
q="SELECT SUM(x) AS m FROM t WHERE a > 100"
format --csv 'm\n\n'
format --json '{"columns":["m"],"rows":[[null]]}\n'
# shellcheck disable=SC2046
"$firmiana" local query $(data "${p[@]}") --stats --csv "SELECT COUNT(*) FROM t" >"$W/out" 2>"$W/stats"
[ "$(grep -cE '^p[123] +[0-9]+\.[0-9]{3} +[1-9][0-9]* +[1-9][0-9]* +[1-9][0-9]*$' "$W/stats")" = 3 ] || fail "--stats: $(cat "$W/stats")"
grep -qE '^party +seconds +rounds +bytes sent +bytes received$' "$W/stats" || fail "--stats has no header"

# ---- what cannot be answered, and why ----
one=(--data "$W/p1.db")
refuses 8 "$W/nowhere.db: No such file" --data "$W/nowhere.db" "SELECT COUNT(*) FROM t"
echo "this is no database, whatever its name says, and it is long enough to have a header" >"$W/text.db"
refuses 3 "text.db: not a SQLite database" --data "$W/text.db" "SELECT COUNT(*) FROM t"
refuses 12 "no file has a table 'u'" "${one[@]}" "SELECT COUNT(*) FROM u"
refuses 12 "line 1, column 12: unknown column 'ab' of t: did you mean a?" "${one[@]}" "SELECT SUM(ab) FROM t"
refuses 14 "line 1, column " "${one[@]}" "SELECT s FROM t WHERE s SIMILAR TO 'x%'"
refuses 14 "line 2, column 8" "${one[@]}" "SELECT COUNT(*),
       MEDIAN(a) FROM t"
refuses 3 'line 1, column 1: syntax error at or near "SELEC"' "${one[@]}" "SELEC 1"
sqlite3 "$W/big.db" "CREATE TABLE t(a INTEGER); INSERT INTO t VALUES(9223372036854775807),(1)"
refuses 13 "could leave 64 bits: declare column 'a' of t within" --data "$W/big.db" "SELECT SUM(a) FROM t"
refuses 2 "firmiana: local query needs --data FILE" "SELECT COUNT(*) FROM t"
refuses 2 "firmiana: local query needs SQL" "${one[@]}"
refuses 2 "unknown option --dat: did you mean --data?" --dat "$W/p1.db" "SELECT 1"
refuses 2 "unexpected argument 'again'" "${one[@]}" "SELECT COUNT(*) FROM t" again
thirteen=()
for _ in $(seq 13); do thirteen+=("${one[@]}"); done
refuses 13 "at most 12 --data files" "${thirteen[@]}" "SELECT COUNT(*) FROM t"
nothing_left failure

# ---- several tables, whose keys are counted from their rows; the first line of the answer is its names ----
sqlite3 "$W/shop.db" "CREATE TABLE orders(id INTEGER, who INTEGER, price INTEGER, kind TEXT);
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60) INSERT INTO orders SELECT i, i * 7 % 13, i * 31 % 101, substr('abc', i % 3 + 1, 1) FROM n"
sqlite3 "$W/town.db" "CREATE TABLE people(who INTEGER, age INTEGER);
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12) INSERT INTO people SELECT i, 20 + i * 5 % 17 FROM n"
several() { # SQL
  local got want
  got=$("$firmiana" local query --data "$W/shop.db" --data "$W/town.db" --csv "$1" 2>"$W/error") || fail "$1: $(tail -n 1 "$W/error")"
  want=$(sqlite3 -csv "$W/shop.db" "ATTACH '$W/town.db' AS d2; $1")
  [ "$(tail -n +2 <<<"$got")" = "${want//\"/}" ] || fail "$1: the answer is $got, SQLite says $want"
  checks=$((checks + 1))
}
several "SELECT kind, COUNT(*) AS n, SUM(price) AS s, MAX(age) AS oldest FROM orders o JOIN people p ON o.who = p.who WHERE age > 23 GROUP BY kind HAVING COUNT(*) > 2 ORDER BY s DESC, kind"
several "SELECT o.id, price, age FROM orders o LEFT JOIN people p USING (who) WHERE price > 60 ORDER BY o.id LIMIT 7 OFFSET 2"
several "SELECT COUNT(*) FROM orders WHERE price > (SELECT AVG(price) FROM orders) AND who IN (SELECT who FROM people WHERE age < 30)"

# ---- signals, at several moments, before and during the query ----
sqlite3 "$W/long.db" "CREATE TABLE t(a INTEGER); WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 150000) INSERT INTO t SELECT i * 7919 % 100003 FROM c"
ended=0
for signal in INT TERM HUP KILL; do
  for moment in 0.1 0.3 0.9; do
    status=0
    "$firmiana" local query --data "$W/long.db" --data "$W/long.db" --data "$W/long.db" "SELECT SUM(a * a), MIN(a * 3), MAX(a) FROM t WHERE a * a > 5" \
      >"$W/out" 2>"$W/error" &
    asked=$!
    sleep "$moment"
    kill -"$signal" "$asked" 2>/dev/null || true
    wait "$asked" 2>/dev/null || status=$?
    case $signal:$status in
      *:0) ;; # it was faster
      KILL:137) ended=$((ended + 1)) ;;
      KILL:*) fail "killed, but exit code $status" ;;
      *:129 | *:130 | *:143) ended=$((ended + 1)) ;; # before it had anything to clean up
      *:15) ended=$((ended + 1)); tail -n 1 "$W/error" | grep "ended by signal" >/dev/null || fail "SIG$signal: $(tail -n 1 "$W/error")" ;;
      *) fail "SIG$signal after $moment s: exit code $status: $(tail -n 1 "$W/error")" ;;
    esac
    nothing_left "SIG$signal after $moment s"
  done
done
[ "$ended" -ge 4 ] || fail "the queries ended before any signal came: this test sees nothing"
echo "$checks checks; a small query from a cold start took $cold ms; $ended queries ended by a signal"
