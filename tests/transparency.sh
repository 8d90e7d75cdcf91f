#!/usr/bin/env bash
# A real ledger, published as static files, read by our tool and by somebody else's: a program over Go's
# golang.org/x/mod/sumdb/tlog and note, when Go and the module are there (the suite runs without). A witness cosigns.
# usage: tests/transparency.sh BUILD_FOLDER
set -euo pipefail
build=$(cd "$1" && pwd) name=transparency.sh
# shellcheck source=tests/homes.sh
. tests/homes.sh

homes_make 60
homes_start
for b in "${banks[@]}"; do as "$b" dataset publish --table loans >/dev/null; done
as bank_a ledger publish "$W/site" >/dev/null
cp "$W/site/members" "$W/trusted"
as bank_a dataset publish --table loans >/dev/null
as bank_b ledger publish "$W/site" >"$W/out" # goes on where another member's copy stood
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
as bank_c dataset publish --table loans >/dev/null
as bank_b ledger publish "$W/site" >/dev/null
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

for f in checkpoint tile/0/000.p/"$(sed -n 2p "$W/site/checkpoint")" tile/entries/000.p/"$(sed -n 2p "$W/site/checkpoint")"; do
  cp "$W/site/$f" "$W/kept"
  printf 'X' | dd of="$W/site/$f" bs=1 seek=40 conv=notrunc 2>/dev/null
  ! "$verify" --keys "$W/trusted" --quorum 3 "$W/site" >/dev/null 2>&1 || fail "$f was altered, and the log is valid"
  cp "$W/kept" "$W/site/$f"
done

# somebody else's eyes
oracle=${FIRMIANA_TLOG_ORACLE:-}
if [ -n "$oracle" ]; then
  "$oracle" "$W/site" "$W/all" 4 >"$W/out" || fail "Go's tlog: $(cat "$W/out")"
  cat "$W/out"
fi
echo "$name: published, checked, witnessed; $([ -n "$oracle" ] && echo "read by Go's tlog and note" || echo "no other tool at hand")"
