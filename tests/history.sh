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
as bank_a dataset publish --table loans >/dev/null
as bank_a dataset prove --table loans --row 3 --out "$W/then" >/dev/null
before=$(sqlite3 "$W/bank_a/data.db" "SELECT balance FROM loans ORDER BY rowid LIMIT 1 OFFSET 3")
sqlite3 "$W/bank_a/data.db" "UPDATE loans SET balance = balance + 100 WHERE rowid = (SELECT rowid FROM loans ORDER BY rowid LIMIT 1 OFFSET 3)"
must_refuse "is not what version 1 published" as bank_a dataset prove --table loans --row 3 --out "$W/none"
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

# the last change set (none) by other programs; the one before is gone from versions.db, so that is the one to recompute
want=$({ printf 'firmiana/changes/1'; printf '%s%s' "$(root 2)" "$(root 3)" | perl -pe 's|\s||g; $_ = pack("H*", $_)'; } | digest)
[ "$(changes 3)" = "$want" ] || fail "the digest of no change is $(changes 3), not $want"
sqlite3 "$W/bank_a/data.db" "UPDATE loans SET balance = balance + 1 WHERE rowid IN (SELECT rowid FROM loans ORDER BY rowid LIMIT 2)"
as bank_a dataset publish --table loans >/dev/null
as bank_a dataset history loans --json >"$W/history"
lines() { # VERSION-ID OTHER-ID MARK: rows of one that are not alike in the other
  sqlite3 "$W/bank_a/versions.db" "SELECT printf('$3%016x', row) || lower(hex(digest)) FROM digests AS a WHERE version = $1 AND NOT EXISTS
    (SELECT 1 FROM digests AS b WHERE b.version = $2 AND b.row = a.row AND b.digest = a.digest) ORDER BY row" | tr -d '\n'
}
old=$(sqlite3 "$W/bank_a/versions.db" "SELECT min(id) FROM versions") new=$(sqlite3 "$W/bank_a/versions.db" "SELECT max(id) FROM versions")
[ "$(lines "$old" "$new" 00 | wc -c)" = 100 ] || fail "not two rows changed: $(lines "$old" "$new" 00)"
want=$({ printf 'firmiana/changes/1'; printf '%s%s%s%s' "$(root 3)" "$(root 4)" "$(lines "$old" "$new" 00)" "$(lines "$new" "$old" 01)" | perl -pe 's|\s||g; $_ = pack("H*", $_)'; } | digest)
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
[ "$("$firmiana" dataset check "$W/last" "$W/whole" --chain "$chain")" = "$(cat "$W/out.part")" ] || fail "the whole trail says otherwise: $(cat "$W/out.part")"
! "$firmiana" dataset check "$W/then" "$W/part" >/dev/null 2>&1 || fail "the part of another version, and valid"
as bank_a audit export --entry 999999 --out "$W/none" >/dev/null 2>&1 && fail "an entry that is not there"
for change in 's/"salt":"\(.\{4\}\)/"salt":"0000/' 's/"index":3/"index":2/' 's/"data_version":1/"data_version":2/' 's/"row":"\(.\{30\}\)../"row":"\1ff/' 's/"member":"bank_a"/"member":"bank_b"/' 's/"chain":"\(.\{60\}\)..../"chain":"\10000/'; do
  sed "$change" "$W/then" >"$W/altered"
  ! cmp -s "$W/then" "$W/altered" || fail "nothing was altered: $change"
  ! "$firmiana" dataset check "$W/altered" "$W/trail" >/dev/null 2>&1 || fail "altered, and valid: $change"
done
echo "$name: four versions on the ledger, change sets as others compute them, rows of two versions opened by their owner alone"
