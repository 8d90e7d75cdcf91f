#!/usr/bin/env bash
# From a CSV file to a table, with no node: what describe says of each column is what other programs see, its draft is
# refused until a person has looked at it, every kind of bad row is refused by its line and leaves nothing behind, a delta
# changes and adds what it says, and progress is told to a terminal and to nobody else.
# usage: tests/dataset.sh BUILD_FOLDER
set -euo pipefail
firmiana=$(cd "$1" && pwd)/bin/firmiana
W=$(mktemp -d)
cleanup() {
  local status=$?
  if [ "$status" -eq 0 ]; then rm -rf "$W"; else echo "dataset.sh: FAILED; the files are in $W" >&2; fi
}
trap cleanup EXIT
fail() { echo "dataset.sh: $*" >&2; exit 1; }
checks=0
cd "$W"

refused() { # CODE TEXT COMMAND...: one line that says TEXT
  local code=$1 text=$2 status=0
  shift 2
  "$firmiana" dataset "$@" >out 2>err || status=$?
  [ "$status" = "$code" ] || fail "dataset $*: exit code $status, not $code: $(cat err)"
  [ "$(wc -l <err)" = 1 ] && [ ! -s out ] || fail "dataset $*: not one line: $(cat out err)"
  grep -qF -- "$text" err || fail "dataset $*: does not say '$text' but: $(cat err)"
  checks=$((checks + 1))
}
says() { # FILE TEXT...
  local file=$1 text
  shift
  for text in "$@"; do
    grep -qF -- "$text" "$file" || fail "no '$text' in: $(cat "$file")"
    checks=$((checks + 1))
  done
}
rows() { # N: id, amount, day, name, with a header
  awk -v n="$1" 'BEGIN { print "id,amount,day,name"; for (i = 1; i <= n; i++)
    printf "%d,%d.%02d,2024-%02d-%02d,%s\n", i, i % 900, i % 100, i % 12 + 1, i % 28 + 1, i % 2 ? "a" : "b" }'
}

# ---- what is there, and why ----
rows 20000 >big.csv
extreme() { # COLUMN SORT-OPTIONS: "VALUE (line N)" of the first one in that order
  awk -F, -v c="$1" 'NR > 1 { print $c, NR }' big.csv | sort -s -k1,1"$2" | awk 'NR == 1 { printf "%s (line %d)", $1, $2 }'
}
"$firmiana" dataset describe big.csv --out draft.json >said 2>err
[ ! -s err ] || fail "describe: not silent where nobody watches: $(cat err)"
says said "big.csv: 20000 rows, 4 columns, separator ','" "every value is a whole number" \
  "seen     $(extreme 1 n) to $(extreme 1 nr), no NULL, 20000 different values" \
  "seen     $(extreme 2 n) to $(extreme 2 nr), no NULL, $(awk -F, 'NR > 1 { print $2 }' big.csv | sort -u | wc -l) different values" \
  "every value is a day written YYYY-MM-DD" "seen     $(extreme 3 "") to $(extreme 3 r), no NULL, $(awk -F, 'NR > 1 { print $3 }' big.csv | sort -u | wc -l) different values" \
  "looks like an identifier"
[ "$(tail -c 1 draft.json | od -An -tx1)" = " 0a" ] || fail "the draft has no last line end"
refused 3 "draft.json: schema: it is a draft" import big.csv --db t.db --table t --schema draft.json
refused 11 "draft.json is there already" describe big.csv --out draft.json
perl -0pe 's/,\s*"draft": \[.*\]\n\}/\n}/s' draft.json >looked_at.json
"$firmiana" dataset import big.csv --db described.db --table t --schema looked_at.json >out || fail "what describe proposes does not take its own rows"
says out "t: 20000 rows, 4 columns"

# ---- progress: for who watches ----
command -v script >/dev/null || fail "script(1) of bsdutils is not there"
script -qec "'$firmiana' dataset import big.csv --db tty.db --table t" typescript >seen </dev/null
tr '\r' '\n' <seen >seen.lines
says seen.lines "reading 16384 rows" "writing 16384 rows" "writing 20000 rows, 100%" "t: 20000 rows, 4 columns"
"$firmiana" dataset import big.csv --db piped.db --table t >out 2>err
[ ! -s err ] && [ "$(cat out)" = "t: 20000 rows, 4 columns" ] || fail "progress where nobody watches: $(cat out err)"

# ---- bad rows, several of each kind: named, counted, and no table ----
cat >s.json <<'END'
{"columns":[{"name":"id","type":"INTEGER","range":[1,500],"nullable":false},
{"name":"amount","type":"DECIMAL(6,2)","range":["0.00","900.00"],"nullable":true},
{"name":"day","type":"DATE","range":["2024-01-01","2024-12-31"],"nullable":false},
{"name":"name","type":"TEXT(4)","nullable":false,"values":["a","b"]}],
"subject":{"column":"id","scheme":"demo.id"},"max_rows_per_subject":2,"rows":100,"keys":[{"column":"id","max_rows":2}],"version":1}
END
bad_rows() { # TEXT AWK-PROGRAM
  rows 60 | awk -F, -v OFS=, "$2" >bad.csv
  refused 3 "$1" import bad.csv --db none.db --table t --schema s.json
  [ ! -e none.db ] || fail "$2: a database was left behind"
}
bad_rows 'bad.csv: line 5, column 1 (id): outside the declared range 1 to 500; and 22 more such faults up to line 61' 'NR == 5 || NR == 9 || NR > 40 { $1 = 501 } 1'
bad_rows 'bad.csv: line 3, column 3 (amount): not a DECIMAL(6,2)' 'NR == 3 || NR == 7 { $2 = "x" } 1'
bad_rows 'bad.csv: line 7, column 3 (amount): outside the declared range 0.00 to 900.00; and 1 more such fault up to line 8' 'NR == 7 || NR == 8 { $2 = "900.01" } 1'
bad_rows 'bad.csv: line 4, column 8 (day): not a DATE: there is no such day; and 1 more' 'NR == 4 || NR == 6 { $3 = "2024-02-30" } 1'
bad_rows 'bad.csv: line 4, column 8 (day): outside the declared range 2024-01-01 to 2024-12-31; and 1 more' 'NR == 4 || NR == 6 { $3 = "2025-01-01" } 1'
bad_rows "(name): not one of the column's declared values; and 1 more such fault up to line 6" 'NR == 4 || NR == 6 { $4 = "c" } 1'
bad_rows '(name): not a TEXT(4): 7 bytes are more than 4; and 1 more' 'NR == 4 || NR == 6 { $4 = "abcdefg" } 1'
bad_rows 'bad.csv: line 4, column 1 (id): NULL in a column that is not nullable; and 1 more' 'NR == 4 || NR == 6 { $1 = "" } 1'
bad_rows 'column id: the value of row 1 stands in 4 rows, the schema declares at most 2; so does 1 other value' 'NR > 50 { $1 = 7 } NR > 1 && NR < 5 { $1 = 9 } 1'
bad_rows 'bad.csv: line 8, column 1: the row has 5 fields, the header has 4' 'NR == 8 || NR == 10 { $0 = $0 ",x" } 1'
bad_rows "bad.csv: line 1: the schema's column name is missing" '{ NF = 3 } 1'
rows 101 >bad.csv
refused 3 "bad.csv: line 102: more rows than the 100 of the schema" import bad.csv --db none.db --table t --schema s.json

# ---- deltas ----
rows 90 >good.csv
"$firmiana" dataset import good.csv --db t.db --table t --schema s.json >out
delta() { { echo id,amount,day,name; printf '%s\n' "$@"; } >delta.csv; }
whole() { sqlite3 t.db "SELECT * FROM t ORDER BY rowid"; }
before=$(whole)
delta 5,,2024-02-02,a 600,2.00,2024-02-02,a 601,99999,2023-02-02,q
refused 3 "delta.csv: line 3, column 1 (id): outside the declared range 1 to 500; and 4 more such faults up to line 4" import delta.csv --db t.db --table t --update id
delta 5,1.00,2024-02-02,a 5,2.00,2024-02-02,a
refused 3 "delta.csv: line 3, column 1 (id): the key stands in this file twice" import delta.csv --db t.db --table t --update id
refused 12 "t has no column nosuch" import delta.csv --db t.db --table t --update nosuch
refused 14 "was not imported with a declared schema: import it whole" import delta.csv --db piped.db --table t --update id
refused 2 "--update keeps the table and its schema" import delta.csv --db t.db --table t --update id --schema s.json
[ "$(whole)" = "$before" ] || fail "a refused delta changed the table"
delta 95,2.00,2024-02-02,a 5,,2024-02-02,b
"$firmiana" dataset import delta.csv --db t.db --table t --update id >out
says out "t: 91 rows, 4 columns; 1 changed, 1 added"
[ "$(diff <(echo "$before") <(whole) | grep -c '^[<>]')" = 3 ] || fail "the delta did something else: $(diff <(echo "$before") <(whole))"
whole >now
says now '5||' '95|200|'

# ---- what is no CSV file, no database, no table ----
refused 3 "t.db: it is a SQLite database, not a CSV file" describe t.db
refused 3 "t.db: it is a SQLite database, not a CSV file" import t.db --db none.db --table t
refused 3 "s.json: not a SQLite database: firmiana dataset import makes one" describe --db s.json --table t
refused 8 "no.db: No such file or directory: firmiana dataset import FILE.csv --db no.db --table NAME makes it" describe --db no.db --table t
refused 12 "t.db: there is no table u: it has t" describe --db t.db --table u
refused 2 "--table NAME says which of its 1 tables: t" describe --db t.db
refused 11 "replace it (--replace), change it (--update KEY), or choose another name" import good.csv --db t.db --table t
echo '{"format":"x"}' >g.json
refused 3 "g.json: unknown member 'format'" import good.csv --db none.db --table t --schema g.json
[ ! -e none.db ] || fail "a database was left behind"
echo "dataset.sh: $checks checks"
