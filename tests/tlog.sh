#!/usr/bin/env bash
# Published logs and proofs of entries, read by others' code: tests/tlog, over Go's golang.org/x/mod/sumdb/note and tlog and
# github.com/transparency-dev/formats. At sizes around the edges of tiles; what was altered, it refuses.
# usage: tests/tlog.sh BUILD_FOLDER      Skips (77) where that is not built: ./run cometbft
set -euo pipefail
build=$(cd "$1" && pwd)
tlog=$PWD/build/tools/tlog
skip() { echo "tlog: skipped: $*"; exit 77; }
fail() { echo "tlog: $*" >&2; exit 1; }
[ -x "$tlog" ] || skip "build/tools/tlog is not there: ./run cometbft (Go 1.25, network) builds it"
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
# shellcheck source=tests/tlog_altered.sh
. tests/tlog_altered.sh

sizes=(1 2 255 256 257 600 65537)
"$build/ledger/transparency/tlog_site" "$W" "${sizes[@]}"
for size in "${sizes[@]}"; do
  D=$W/$size
  "$tlog" site "$D/site" "$D/keys" 3 "$D/old" || fail "site of $size entries"
  "$tlog" proof "$D/proof" "$D/keys" 3 || fail "proof out of $size entries"
  ! "$tlog" site "$D/site" "$D/keys" 4 2>/dev/null || fail "four of three cosigned"
done
D=$W/600
for f in checkpoint tile/0/000 tile/0/002.p/88 tile/1/000.p/2 tile/entries/001 tile/entries/002.p/88; do
  altered "$D/site/$f" "$tlog" site "$D/site" "$D/keys" 3 "$D/old"
done
altered "$D/old" "$tlog" site "$D/site" "$D/keys" 3 "$D/old"
altered "$D/proof" "$tlog" proof "$D/proof" "$D/keys" 3
# another history: proven from nothing that is published here
! "$tlog" site "$D/site" "$D/keys" 3 "$W/65537/site/checkpoint" 2>/dev/null || fail "the log goes back"
echo "tlog: ${#sizes[@]} logs and proofs read by Go's tlog and note; altered ones refused"
