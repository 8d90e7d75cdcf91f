#!/usr/bin/env bash
# Versions of a dataset: their roots and what changed, on the ledger; a row that its owner opens, checked with no node.
# The digest of a change set is computed once more, from the owner's digests of rows, by other programs.
# usage: tests/history.sh BUILD_FOLDER
set -euo pipefail
build=$(cd "$1" && pwd) name=history.sh
# shellcheck source=tests/homes.sh
. tests/homes.sh

must_refuse() { # TEXT COMMAND...
  local text=$1 out status=0
  shift
  out=$("$@" 2>&1) || status=$?
  [ "$status" -ne 0 ] || fail "not refused ($text): $*"
  [[ $out == *"$text"* ]] || fail "refused, but not by $text: $out"
}
field() { sed -n "s/.*\"$1\":\"\\([^\"]*\\)\".*/\\1/p"; }

homes_make 60
homes_start
must_refuse "published no version" as bank_a dataset history loans
must_refuse "nobody is no member" as bank_a dataset history loans --member nobody
must_refuse "published no dataset loans" as bank_a dataset prove --table loans --row 0 --out "$W/none"
as bank_a dataset publish --table loans >/dev/null
as bank_a dataset prove --table loans --row 3 --out "$W/then" >/dev/null
mv "$W/bank_a/versions.db" "$W/kept.db" # whose row is missing: the table is what was published
sqlite3 "$W/kept.db" ".backup '$W/bank_a/versions.db'"
sqlite3 "$W/bank_a/versions.db" "DELETE FROM contents WHERE row = 12"
as bank_a dataset prove --table loans --row 3 --out "$W/then.table" >/dev/null || fail "the table does not stand for rows that are not kept"
cmp -s "$W/then" "$W/then.table" || fail "the table gives another row"
mv "$W/kept.db" "$W/bank_a/versions.db"
before=$(sqlite3 "$W/bank_a/data.db" "SELECT balance FROM loans ORDER BY rowid LIMIT 1 OFFSET 3")
sqlite3 "$W/bank_a/data.db" "UPDATE loans SET balance = balance + 100 WHERE rowid = (SELECT rowid FROM loans ORDER BY rowid LIMIT 1 OFFSET 3)"
# the table has changed, version 1 has not
as bank_a dataset prove --table loans --row 3 --out "$W/again" >/dev/null
cmp -s "$W/then" "$W/again" || fail "version 1 is not what it was"
as bank_a dataset publish --table loans >"$W/out"
grep -q 'since version 1: 1 changed, 0 added, 0 removed' "$W/out" || fail "$(cat "$W/out")"
as bank_a dataset prove --table loans --row 3 --out "$W/now" >/dev/null
as bank_a dataset publish --table loans >/dev/null # nothing changed: a version all the same

# history, as anybody sees it
as regulator dataset history loans --member bank_a >"$W/out"
[ "$(wc -l <"$W/out")" = 4 ] || fail "$(cat "$W/out")"
as regulator dataset history loans --member bank_a --json >"$W/history"
root() { sed 's/},{/\n/g' "$W/history" | sed -n "$1p" | field root; }
changes() { sed 's/},{/\n/g' "$W/history" | sed -n "$1p" | field changes; }
[ -z "$(changes 1)" ] || fail "the first version changed something"
[ "$(root 1)" != "$(root 2)" ] && [ "$(root 2)" != "$(root 3)" ] || fail "versions with one root"

# a change set by other programs, from the owner's digests: first of a version that changed nothing, then of two rows
want=$({ printf 'firmiana/changes/1'; printf '%s%s' "$(root 2)" "$(root 3)" | perl -pe 's|\s||g; $_ = pack("H*", $_)'; } | digest)
[ "$(changes 3)" = "$want" ] || fail "the digest of no change is $(changes 3), not $want"
sqlite3 "$W/bank_a/data.db" "UPDATE loans SET balance = balance + 1 WHERE rowid IN (SELECT rowid FROM loans ORDER BY rowid LIMIT 2)"
as bank_a dataset publish --table loans >/dev/null
as bank_a dataset history loans --json >"$W/history"
lines() { # COLUMN MARK: rows of loans that began (since) or ended (until) with the newest version
  sqlite3 "$W/bank_a/versions.db" "SELECT printf('$2%016x', row) || lower(hex(digest)) FROM contents WHERE $1 = (SELECT max(id) FROM published) ORDER BY row" | tr -d '\n'
}
[ "$(lines until 00 | wc -c)" = 100 ] || fail "not two rows changed: $(lines until 00)"
want=$({ printf 'firmiana/changes/1'; printf '%s%s%s%s' "$(root 3)" "$(root 4)" "$(lines until 00)" "$(lines since 01)" | perl -pe 's|\s||g; $_ = pack("H*", $_)'; } | digest)
[ "$(changes 4)" = "$want" ] || fail "the digest of the change set is $(changes 4), not $want"

# rows of then and of now, from files alone
as regulator audit export --out "$W/trail" >/dev/null
chain=$("$verify" "$W/trail" | sed -n 's/^  chain *//p')
[ ${#chain} = 64 ] || fail "the trail is not valid"
! "$firmiana" dataset check "$W/then" "$W/trail" --chain "${chain//[0-9]/a}" >/dev/null 2>&1 || fail "another ledger, and valid"
"$firmiana" dataset check "$W/then" "$W/trail" --chain "$chain" >"$W/out" || fail "the row of version 1 does not hold"
grep -q '^valid: row 3 of loans of bank_a, version 1, published 20' "$W/out" || fail "$(cat "$W/out")"
grep -q "^  chain    $chain$" "$W/out" && grep -q '^  final    cosigned by [34] of 4 active members, quorum 3: ' "$W/out" || fail "no chain, quorum and cosigners: $(cat "$W/out")"
grep -Eq "^  balance +$(printf "%d.%02d" $((before / 100)) $((before % 100)))$" "$W/out" || fail "not the balance of then, $before: $(cat "$W/out")"
"$firmiana" dataset check "$W/now" "$W/trail" >"$W/out.now" || fail "the row of version 2 does not hold"
[ "$(grep balance "$W/out")" != "$(grep balance "$W/out.now")" ] || fail "the balance did not change"
# ... with the part of the trail that says so, in a few kilobytes
as bank_a dataset prove --table loans --row 3 --out "$W/last" --trail "$W/part" >"$W/out.part" || fail "$(cat "$W/out.part")"
"$firmiana" dataset check "$W/last" "$W/part" --chain "$chain" >"$W/out.part" || fail "the row does not hold by the part of the trail: $(cat "$W/out.part")"
as bank_a audit export --out "$W/whole" >/dev/null
"$firmiana" dataset check "$W/last" "$W/whole" --chain "$chain" >"$W/out.whole" || fail "the row does not hold by the whole trail: $(cat "$W/out.whole")"
for out in "$W/out.part" "$W/out.whole"; do grep -q '^  final    cosigned by [34] of 4 active members, quorum 3: ' "$out" || fail "no cosigners: $(cat "$out")"; done
[ "$(grep -v '^  final ' "$W/out.whole")" = "$(grep -v '^  final ' "$W/out.part")" ] || fail "the whole trail says otherwise: $(cat "$W/out.part" "$W/out.whole")" # the fourth may cosign between them
! "$firmiana" dataset check "$W/then" "$W/part" >/dev/null 2>&1 || fail "the part of another version, and valid"
as bank_a audit export --entry 999999 --out "$W/none" >/dev/null 2>&1 && fail "an entry that is not there"
for change in 's/"salt":"\(.\{4\}\)/"salt":"0000/' 's/"index":3/"index":2/' 's/"data_version":1/"data_version":2/' 's/"row":"\(.\{30\}\)../"row":"\1ff/' 's/"member":"bank_a"/"member":"bank_b"/' 's/"chain":"\(.\{60\}\)..../"chain":"\10000/'; do
  sed "$change" "$W/then" >"$W/altered"
  ! cmp -s "$W/then" "$W/altered" || fail "nothing was altered: $change"
  ! "$firmiana" dataset check "$W/altered" "$W/trail" >/dev/null 2>&1 || fail "altered, and valid: $change"
done

# any version, by place and by key, long after: with the trail's part of it, both files or neither
id=$(sqlite3 "$W/bank_a/data.db" "SELECT subject_id FROM loans GROUP BY subject_id HAVING count(*) = 1 ORDER BY min(rowid) LIMIT 1")
as bank_a dataset prove --table loans --version 1 --row 3 --out "$W/first" --trail "$W/first.trail" >/dev/null
cmp -s "$W/then" "$W/first" || fail "version 1 is not what it was"
"$firmiana" dataset check "$W/first" "$W/first.trail" --chain "$chain" >"$W/out.first" || fail "version 1 does not hold by its part of the trail"
"$verify" "$W/first.trail" >/dev/null || fail "firmiana-verify refuses the part of version 1"
grep -Eq "^  balance +$(printf "%d.%02d" $((before / 100)) $((before % 100)))$" "$W/out.first" || fail "not the balance of then: $(cat "$W/out.first")"
sqlite3 "$W/bank_a/data.db" "DELETE FROM loans WHERE subject_id = $id"
as bank_a dataset publish --table loans | grep '0 changed, 0 added, 1 removed' >/dev/null || fail "not one row removed"
for v in 1 2 3 4; do
  as bank_a dataset prove --table loans --version $v --key "subject_id=$id" --out "$W/v$v" >/dev/null || fail "version $v has no row of $id"
  "$firmiana" dataset check "$W/v$v" "$W/whole" --chain "$chain" | grep -E "^  subject_id +$id$" >/dev/null || fail "version $v: another row"
done
must_refuse "no row of that version has that value" as bank_a dataset prove --table loans --version 5 --key "subject_id=$id" --out "$W/none"
must_refuse "has versions 1 to 5, and no version 6" as bank_a dataset prove --table loans --version 6 --row 0 --out "$W/none"
must_refuse "rows have that value: say which with --row: 0" as bank_a dataset prove --table loans --key "$(sqlite3 "$W/bank_a/data.db" "SELECT 'product=' || product FROM loans ORDER BY rowid LIMIT 1")" --out "$W/none"
must_refuse "has no column nonsense" as bank_a dataset prove --table loans --key nonsense=1 --out "$W/none"
must_refuse "say which row" as bank_a dataset prove --table loans --out "$W/none"
must_refuse "say which row" as bank_a dataset prove --table loans --row 1 --key a=b --out "$W/none"
must_refuse "--trail: " as bank_a dataset prove --table loans --row 1 --out "$W/none" --trail "$W/no such folder/trail"
must_refuse "exists already" as bank_a dataset prove --table loans --row 1 --out "$W/none" --trail "$W/whole"
must_refuse "no such folder" as bank_a dataset prove --table loans --row 1 --out "$W/no such folder/row" --trail "$W/none.trail"
ln -s . "$W/here"
must_refuse "--out and --trail are two files" as bank_a dataset prove --table loans --row 1 --out "$W/none" --trail "$W/here/none"
: >"$W/there"
must_refuse "exists already" as bank_a dataset prove --table loans --row 1 --out "$W/there" --trail "$W/here/there"
for left in "$W/none" "$W/none.trail" "$W/none.trail.part"; do [ ! -e "$left" ] || fail "$left was left behind"; done
[ "$(stat -c %a "$W/bank_a/versions.db")" = 600 ] || fail "versions.db is not its owner's alone"
# neither the subject of a row that is kept nor its texts stand there; the same search finds both in the row as it was opened
stands() { # FILE TEXT: the id as rows are encoded, 8 bytes, and the text
  perl -e 'my ($file, $id, $text) = @ARGV; open my $f, "<:raw", $file or die; local $/; my $all = <$f>;
    print "id " if index($all, pack("q>", $id)) >= 0; print "text" if index($all, $text) >= 0' "$1" "$id" "$2"
}
cn=$(grep "^$id," "$W/data/bank_a.csv" | cut -d, -f2)
sed -n 's/.*"row":"\([0-9a-f]*\)".*/\1/p' "$W/v1" | perl -pe 's|\s||g; $_ = pack("H*", $_)' >"$W/v1.row"
[ "$(stands "$W/v1.row" "$cn")" = "id text" ] || fail "a row has '$(stands "$W/v1.row" "$cn")' of $id and $cn"
[ -z "$(stands "$W/bank_a/versions.db" "$cn")" ] || fail "a subject stands in versions.db for all to read: $(stands "$W/bank_a/versions.db" "$cn")"

# a delta from its file to the history; and what may not be published is named by its rows
loan=$(sqlite3 "$W/bank_a/data.db" "SELECT loan_no FROM loans ORDER BY rowid LIMIT 1 OFFSET 5")
{ head -n 1 "$W/data/bank_a.csv"; grep ",$loan," "$W/data/bank_a.csv" | awk -F, -v OFS=, '{ $5 = "1.23" } 1'; sed -n 2p "$W/data/bank_a.csv" | awk -F, -v OFS=, '{ $1 = 10000001; $2 = "x"; $3 = "99999999999" } 1'; } >"$W/delta.csv"
"$firmiana" dataset import "$W/delta.csv" --db "$W/bank_a/data.db" --table loans --update loan_no | grep '; 1 changed, 1 added$' >/dev/null || fail "the delta did something else"
as bank_a dataset publish --table loans | grep '^since version 5: 1 changed, 1 added, 0 removed, ' >/dev/null || fail "the delta is not what changed"
as regulator dataset history loans --member bank_a | awk 'NR == 7 && $1 == 6 && length($5) == 16 { found = 1 } END { exit !found }' || fail "no version 6 with a change set"
as bank_a audit export --out "$W/six" >/dev/null
for v in 5 6; do as bank_a dataset prove --table loans --version $v --key "loan_no=$loan" --out "$W/loan$v" >/dev/null; done
"$firmiana" dataset check "$W/loan6" "$W/six" --chain "$chain" | grep -E '^  balance +1\.23$' >/dev/null || fail "version 6 has not the delta's balance"
"$firmiana" dataset check "$W/loan5" "$W/six" --chain "$chain" >"$W/out.five" || fail "the row of version 5 does not hold"
! grep -Eq '^  balance +1\.23$' "$W/out.five" || fail "version 5 has the balance of version 6"
must_refuse "no row of that version" as bank_a dataset prove --table loans --version 5 --key loan_no=99999999999 --out "$W/none"
sqlite3 "$W/bank_a/data.db" "UPDATE loans SET balance = -7 WHERE rowid IN (2, 4, 9)"
must_refuse "loans, rows 2, 4 and 9, column balance: outside the declared range 0.00 to 5000000.00" as bank_a dataset publish --table loans
echo '{"format":"x"}' >"$W/g.json"
must_refuse "g.json: unknown member 'format'" as bank_a dataset publish --table loans --schema "$W/g.json"

# what is kept was altered, and the table is no longer what was published: nothing is proved
cp "$W/bank_a/versions.db" "$W/kept.db"
sqlite3 "$W/bank_a/versions.db" "UPDATE contents SET sealed = zeroblob(length(sealed))"
must_refuse "was altered, or sealed with another salt key" as bank_a dataset prove --table loans --row 3 --out "$W/none"
# ... or a row is missing; the table would do if it still were what was published
cp "$W/kept.db" "$W/bank_a/versions.db"
sqlite3 "$W/bank_a/versions.db" "DELETE FROM contents WHERE row = 12"
must_refuse "the kept rows are not what was published; and table loans cannot stand for it" as bank_a dataset prove --table loans --row 3 --out "$W/none"
rm "$W/bank_a/versions.db"
must_refuse "no rows of published versions are kept here; and table loans cannot stand for it" as bank_a dataset prove --table loans --row 3 --out "$W/none"
cp "$W/kept.db" "$W/bank_a/versions.db"

# forgotten: before version 5 nothing is left of what only they had; 5 stands
as bank_a dataset forget --table loans --before 5 >"$W/out"
grep -q '^loans: 4 versions forgotten, 4 rows erased that no later version has; rows of version 5 and later' "$W/out" || fail "$(cat "$W/out")"
must_refuse "version 4 was forgotten here" as bank_a dataset prove --table loans --version 4 --row 3 --out "$W/none"
as bank_a dataset prove --table loans --version 5 --row 3 --out "$W/still" >/dev/null
as bank_a audit export --out "$W/end" >/dev/null
"$firmiana" dataset check "$W/still" "$W/end" --chain "$chain" >/dev/null || fail "version 5 does not hold"
"$firmiana" dataset check "$W/v2" "$W/end" --chain "$chain" >/dev/null || fail "what was opened before does not hold any more"
must_refuse "no rows of nonsense are kept" as bank_a dataset forget --table nonsense --before 2
# two publications on their way at once: the ledger takes one, and its rows are kept whichever it is
sqlite3 "$W/bank_a/data.db" "UPDATE loans SET balance = 7 WHERE balance < 0"
kill -STOP "${pid[regulator]}"
asked=()
for i in 1 2; do
  sqlite3 "$W/bank_a/data.db" "UPDATE loans SET balance = $i WHERE rowid = $i"
  as bank_a dataset publish --table loans >"$W/asked$i" 2>&1 &
  asked+=($!)
  for _ in $(seq 3000); do # until it waits for the sequencer, or was refused for the other's sake
    [ "$(as bank_a status --json | number waiting_transactions)" -lt $i ] && kill -0 ${asked[-1]} 2>/dev/null || break
    sleep 0.02
  done
done
kill -CONT "${pid[regulator]}"
for i in "${asked[@]}"; do wait "$i" || true; done
[ "$(cat "$W/asked1" "$W/asked2" | grep -c '^since version 6: ')" = 1 ] || fail "not one of two: $(cat "$W/asked1" "$W/asked2")"
sqlite3 "$W/bank_a/data.db" "UPDATE loans SET balance = 9 WHERE rowid < 9"
as bank_a dataset prove --table loans --version 7 --row 3 --out "$W/seven" >/dev/null || fail "version 7 is not kept: $(cat "$W/asked1" "$W/asked2")"
echo "$name: six versions on the ledger, change sets as others compute them, rows of each opened by their owner alone, by place and by key, until forgotten"
