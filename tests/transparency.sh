#!/usr/bin/env bash
# A real ledger, published as static files, and proofs out of it, read by our tool and by somebody else's (tests/tlog, where
# ./run cometbft built it). Witnesses cosign.
# usage: tests/transparency.sh BUILD_FOLDER
set -euo pipefail
build=$(cd "$1" && pwd) name=transparency.sh
# shellcheck source=tests/homes.sh
. tests/homes.sh
# shellcheck source=tests/tlog_altered.sh
. tests/tlog_altered.sh

grow() { # MEMBER: publishes until more stands there than before; its replica may be behind for a while
  local before tries=0
  before=$(sed -n 2p "$W/site/checkpoint")
  until as "$1" ledger publish "$W/site" >"$W/out" 2>"$W/err" && [ "$(sed -n 2p "$W/site/checkpoint")" -gt "$before" ]; do
    [ $((tries += 1)) -le 600 ] || fail "no more than $before entries after a minute: $(cat "$W/out" "$W/err")"
    sleep 0.1
  done
}

homes_make 60
homes_start
for b in "${banks[@]}"; do as "$b" dataset publish --table loans >/dev/null; done
as bank_a ledger publish "$W/site" >/dev/null
cp "$W/site/members" "$W/trusted"
as bank_a dataset publish --table loans >/dev/null
grow bank_b # goes on where another member's copy stood
size=$(sed -n 2p "$W/site/checkpoint")
grep -q ": $size entries, [1-9][0-9]* tiles new" "$W/out" || fail "$(cat "$W/out")"
"$verify" --keys "$W/trusted" --quorum 3 "$W/site" >"$W/out" || fail "the published log is not valid"
grep -q "  log      $size entries, every tile checked" "$W/out" || fail "$(cat "$W/out")"
! "$verify" --keys "$W/trusted" --quorum 5 "$W/site" 2>"$W/err" || fail "five of four cosigned"

# a witness: no member, no home
"$firmiana" officer create --out "$W/witness.json" >/dev/null
witness() {
  "$firmiana" ledger witness "$W/site" --key "$W/witness.json" --name witness.example/1 --keys "$W/trusted" --quorum 3 --memory "$W/memory"
}
witness >"$W/out"
grep '^witness.example/1+' "$W/out" >"$W/witness.key" || fail "$(cat "$W/out")"
cp "$W/site/checkpoint" "$W/kept"
for bad in "bad name" a+b $'a\nb' "" "$(head -n 1 "$W/trusted" | cut -d+ -f1)"; do
  ! "$firmiana" ledger witness "$W/site" --key "$W/witness.json" --name "$bad" --keys "$W/trusted" --quorum 3 --memory "$W/other" 2>"$W/err" ||
    fail "cosigned as '$bad'"
done
cmp -s "$W/kept" "$W/site/checkpoint" && [ ! -e "$W/other" ] || fail "a name that is none left something behind"
[ -z "$(find "$W/site" -type d ! -perm 755 -o -type f ! -perm 644)" ] || fail "not for a web server to read: $(find "$W/site" ! -perm -044)"
"$verify" --keys "$W/witness.key" --quorum 1 "$W/site" >/dev/null || fail "the witness's line is not valid"
cp "$W/site/checkpoint" "$W/first"
as bank_c dataset publish --table loans >/dev/null
grow bank_b
witness >/dev/null # by a consistency proof out of the tiles
cat "$W/trusted" "$W/witness.key" >"$W/all"

# one that may only read, and whoever publishes adds its line; a damaged checkpoint is written anew
"$firmiana" officer create --out "$W/second.json" >/dev/null
"$firmiana" ledger witness "$W/site" --key "$W/second.json" --name w2.example --keys "$W/trusted" --quorum 3 --memory "$W/memory2" \
  --out "$W/note" | grep '^w2.example+' >"$W/second.key"
"$firmiana" ledger publish "$W/site" --cosignature "$W/note" --witness "$W/second.key" >/dev/null
cat "$W/witness.key" "$W/second.key" >"$W/both"
"$verify" --keys "$W/both" --quorum 2 "$W/site" >/dev/null || fail "two witnesses' lines are not valid"
cp "$W/site/checkpoint" "$W/witnessed"
printf -- '— bad name AAAA\n' >>"$W/site/checkpoint"
! "$verify" --keys "$W/trusted" --quorum 3 "$W/site" 2>/dev/null || fail "a damaged checkpoint is valid"
as bank_b ledger publish "$W/site" >"$W/out"
grep -q "was damaged: written anew" "$W/out" || fail "$(cat "$W/out")"
"$verify" --keys "$W/trusted" --quorum 3 "$W/site" >/dev/null || fail "what was repaired is not valid"
cp "$W/witnessed" "$W/site/checkpoint"

size_now=$(sed -n 2p "$W/site/checkpoint")
for f in checkpoint tile/0/000.p/"$size_now" tile/entries/000.p/"$size_now"; do
  altered "$W/site/$f" "$verify" --keys "$W/trusted" --quorum 3 "$W/site"
done

# a proof of one entry, as a file: that of the first dataset, whose payload goes with it
leaf=$(as bank_b audit list --json | grep '"type":"dataset.publish"' | sed -n '1s/.*"leaf":\([0-9]*\).*/\1/p')
as bank_b ledger proof "$leaf" --site "$W/site" --out "$W/entry.tlog-proof" --payload "$W/payload" >"$W/out"
grep -q "entry $leaf of $size_now" "$W/out" || fail "$(cat "$W/out")"
checked() { "$verify" --keys "$W/all" --quorum 4 --document "$W/payload" "$W/entry.tlog-proof"; }
checked >"$W/out" || fail "the proof is not valid"
grep -q "  entry    $leaf of $size_now, and FILE is its content" "$W/out" || fail "$(cat "$W/out")"
altered "$W/entry.tlog-proof" checked
altered "$W/payload" checked
! as bank_b ledger proof 100000 --out "$W/none" 2>"$W/err" || fail "a proof of nothing"

# somebody else's eyes (tests/tlog); SM2 and SM3 they do not know
oracle=build/tools/tlog
[ -x "$oracle" ] && [ "${FIRMIANA_PROFILE:-international}" = international ] || oracle=
if [ -n "$oracle" ]; then
  "$oracle" site "$W/site" "$W/all" 4 "$W/first" || fail "Go's tlog: the site"
  "$oracle" proof "$W/entry.tlog-proof" "$W/all" 4 || fail "Go's tlog: the proof"
fi
echo "$name: published, checked, witnessed; $([ -n "$oracle" ] && echo "read by Go's tlog and note" || echo "no other tool at hand")"
