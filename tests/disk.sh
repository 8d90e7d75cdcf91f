#!/usr/bin/env bash
# Sick disks, at the level of the real program: full, read-only, unreadable, files that are not what they should be.
# Each time one line that says what, where and what to do, the documented exit code, and nothing lost that was
# acknowledged. Then what an operator does about it: backup, restore, replay, prune.
# usage: tests/disk.sh BUILD_FOLDER
set -euo pipefail
# shellcheck source=tests/ports.sh
source "$(dirname "$0")/ports.sh"

build=$(cd "$1" && pwd)
firmiana=$build/bin/firmiana verify=$build/bin/firmiana-verify
W=$(mktemp -d)
node_pid='' mounted=''
cleanup() {
  local status=$?
  [ -z "$node_pid" ] || kill -9 "$node_pid" 2>/dev/null || true
  wait 2>/dev/null || true
  [ -z "$mounted" ] || umount "$W/small" 2>/dev/null || umount -l "$W/small" || true
  if [ "$status" -eq 0 ]; then rm -rf "$W"; else echo "disk.sh: FAILED; see $W" >&2; fi
}
trap cleanup EXIT
fail() { echo "disk.sh: $*" >&2; exit 1; }
cd "$W"
unset FIRMIANA_HOME
export FIRMIANA_PASSPHRASE="a long passphrase"

checks=0
# bad CODE TEXT ARGS...: the command ends with the code, and its one line of error holds the text
as=()
bad() {
  local code=$1 text=$2 status=0
  shift 2
  timeout 120 "${as[@]}" "$firmiana" "$@" >out 2>err </dev/null || status=$?
  [ "$status" = "$code" ] || fail "firmiana $*: exit code $status instead of $code: $(tail -n 1 err)"
  [ "$(grep -vc '^{' err)" = 1 ] || fail "firmiana $*: not one line: $(cat err)"
  grep -v '^{' err | grep -F -- "$text" >/dev/null || fail "firmiana $*: does not say '$text' but: $(grep -v '^{' err)"
  checks=$((checks + 1))
}
good() { timeout 120 "$firmiana" "$@" >out 2>err </dev/null || fail "firmiana $*: $(cat err)"; checks=$((checks + 1)); }
start() { # home
  "$firmiana" node --home "$1" >>node.out 2>node.log &
  node_pid=$!
  for _ in $(seq 2000); do
    if "$firmiana" status --home "$1" >/dev/null 2>&1; then return 0; fi
    kill -0 "$node_pid" 2>/dev/null || break
    sleep 0.05
  done
  fail "the node on $1 does not run: $(tail -n 1 node.log)"
}
stop() {
  local status=0
  kill -TERM "$node_pid"
  wait "$node_pid" || status=$?
  node_pid=''
  [ "$status" = 0 ] || fail "SIGTERM ended the node with $status: $(tail -n 1 node.log)"
}
leaves() { "$firmiana" status --home "$1" --json | sed -n 's/.*"log_size":\([0-9]*\).*/\1/p'; }

# ---- a ledger of one member, with some history ----
ports_claim
"$firmiana" init --home home --alias bank_a --listen "tcp://127.0.0.1:$port" >/dev/null
"$firmiana" ledger init --name disk --out genesis.json --sequencer bank_a --member home/member.json >/dev/null 2>&1
"$firmiana" demo-data data --rows 20 >/dev/null
cp genesis.json home/
cp data/bank_a.db home/data.db
start home
for _ in 1 2 3 4 5 6; do good dataset publish --home home --table loans; done
size=$(leaves home)

# ---- backup while it runs ----
good ledger backup --home home one.backup
grep -q "height 6, $size leaves; checked" out || fail "backup says: $(cat out)"
[ "$(stat -c %a one.backup)" = 600 ] || fail "a backup that others may read"
bad 11 "one.backup: exists already: name a new file" ledger backup --home home one.backup
bad 8 "nowhere/x.backup.part: " ledger backup --home home nowhere/x.backup
good ledger check --home home
good ledger replay --home home
grep -q "^6 blocks executed anew" out || fail "replay says: $(cat out)"
bad 11 "another process writes it: stop that one first" ledger restore --home home one.backup
bad 11 "another process writes it: stop that one first" ledger prune --home home --before 3
good dataset publish --home home --table loans
stop
bad 11 "the ledger there is at block 7, the backup at 6: if it must be, say --over-newer" ledger restore --home home one.backup
bad 3 "node.log: not a backup of a Firmiana ledger" ledger restore --home home node.log
good ledger backup --home home two.backup # without a node as well
cp -r home sound

# ---- what stands in the place of a file ----
# node CODE TEXT: a node on `sick`, a copy of the sound home to which something was done
sick() { rm -rf sick; cp -r sound sick; rm -f sick/*.lock; }
sick; echo "no database at all, just text, and rather more of it than a header of one hundred bytes would hold" >sick/ledger.db
bad 3 "sick/ledger.db: not a Firmiana ledger" node --home sick
sick; rm sick/ledger.db; mkdir sick/ledger.db
bad 8 "sick/ledger.db: " node --home sick
sick; rm sick/sessions.db; mkdir sick/sessions.db
bad 8 "sick/sessions.db: Is a directory" node --home sick
sick; head -c 3000 /dev/urandom >sick/sessions.db
bad 9 "sick/sessions.db: " node --home sick
sick; sqlite3 sick/ledger.db "CREATE TABLE mine (a)" # another program's hands
bad 9 "sick/ledger.db: damaged: a page of it is not what was written" node --home sick
for key in authentication assertion salts; do
  sick; truncate -s -20 "sick/keys/$key.json"
  bad 9 "sick/keys/$key.json: not a whole key file" node --home sick
done
# What a full disk leaves of a file that was written anew: its name, and no byte.
emptied="the file is empty, as a full disk leaves it: put a copy in its place"
sick; : >sick/node.json
bad 3 "sick/node.json: $emptied" node --home sick
bad 3 "sick/node.json: $emptied" node check --home sick
sick; : >sick/genesis.json
bad 3 "sick/genesis.json: $emptied" node --home sick
bad 3 "sick/genesis.json: $emptied" node check --home sick
bad 3 "sick/genesis.json: $emptied" ledger restore --home sick two.backup
rm sick/ledger.db
bad 3 "sick/genesis.json: $emptied" node --home sick
bad 3 "sick/genesis.json: $emptied" node check --home sick
! grep -q "no ledger here yet" out || fail "a genesis.json that is there is asked for"
for key in authentication assertion salts; do
  sick; : >"sick/keys/$key.json"
  bad 9 "sick/keys/$key.json: not a whole key file" node --home sick
  bad 9 "sick/keys/$key.json: not a whole key file" node check --home sick
done
sick; : >sick/ledger.db
bad 9 "sick/ledger.db: damaged: it is empty, as a full disk leaves a file: put a backup in its place" node --home sick
bad 9 "sick/ledger.db: damaged: it is empty" node check --home sick
bad 9 "sick/ledger.db: damaged: it is empty" ledger check --home sick
good ledger restore --home sick two.backup
good ledger check --home sick
sick; : >sick/member.json
bad 3 "sick/member.json: $emptied" ledger init --name x --out x.json --sequencer bank_a --member sick/member.json
sick; : >sick/copies/copies.db
: >sick/sessions.db # both are begun anew, and of the first an operator hears
good node check --home sick
grep -q "^warn *sessions .*sick/sessions.db is not there, or empty" out || fail "node check does not see that sessions.db is empty: $(cat out)"
start sick
grep -q '"event":"sessions.new"' node.log || fail "the node does not say that sessions.db is begun anew"
bad 11 "sick/node.sock: a node is running on this home already" node --home sick
good dataset publish --home sick --table loans # and the first one goes on
stop
sick; truncate -s 700 sick/genesis.json; rm sick/ledger.db
bad 3 "genesis" node --home sick
sick; truncate -s 20 sick/node.json
bad 3 "sick/node.json: " node --home sick
sick; truncate -s 9000 sick/ledger.db
bad 9 "sick/ledger.db: damaged: " node --home sick
sick; : >sick/data.db # of the member itself: the node runs, the command says
start sick
bad 12 "there is no table loans" dataset publish --home sick --table loans
head -c 5000 /dev/urandom >sick/data.db
bad 3 "sick/data.db: not a" dataset publish --home sick --table loans
stop

# ---- a page that is not what was written ----
pages=$(($(stat -c %s sound/ledger.db) / 4096))
for page in $(seq 2 3 $((pages - 1))); do
  sick
  printf '\125\252' | dd of=sick/ledger.db bs=1 seek=$((page * 4096 + 2000)) conv=notrunc status=none
  if ! cmp -s sick/ledger.db sound/ledger.db; then
    status=0
    "$firmiana" ledger check --home sick >out 2>err || status=$?
    [ "$status" = 9 ] && grep -qF "firmiana ledger restore" err ||
      { [ "$status" = 0 ] && sqlite3 sick/ledger.db "SELECT 1 FROM pragma_freelist_count WHERE freelist_count > 0" | grep 1 >/dev/null; } ||
      fail "page $page: $status: $(cat err)"
  fi
  checks=$((checks + 1))
done
sick
printf '\125\252' | dd of=sick/ledger.db bs=1 seek=$((4096 + 2000)) conv=notrunc status=none
bad 9 "sick/ledger.db: damaged: a page of it is not what was written" node --home sick
bad 9 "sick/ledger.db: damaged: " ledger backup --home sick bad.backup
[ ! -e bad.backup ] && [ ! -e bad.backup.part ] || fail "a damaged ledger left a backup"
cp two.backup bad.backup
printf '\125\252' | dd of=bad.backup bs=1 seek=$((2 * 4096 + 2000)) conv=notrunc status=none
bad 9 "bad.backup: this backup is damaged: take another one" ledger restore --home sick bad.backup
good ledger restore --home sick two.backup # mends it
[ -e sick/ledger.db.old ] || fail "the old ledger is not kept"
start sick
[ "$(leaves sick)" = $((size + 2)) ] || fail "a restored ledger has $(leaves sick) leaves"
good dataset publish --home sick --table loans
stop

# ---- prune (what it erases is tested beside its code: ids are remembered for minutes) ----
sick
good ledger prune --home sick --before 3 --dry-run
grep -q "0 payloads would be erased.* 2 still needed" out || fail "prune --dry-run says: $(cat out)"
good ledger prune --home sick --before 2026-01-01
bad 2 "--before 2026-13-01: a block's height, or a day as" ledger prune --home sick --before 2026-13-01
bad 2 "only below that is anything pruned" ledger prune --home sick --before 1000
good ledger check --home sick

# ---- a home that may not be read or written ----
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
  chmod 755 "$W"
  as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
  if "${as[@]}" test -x "$firmiana"; then
    for file in ledger.db sessions.db keys/assertion.json node.json genesis.json; do
      sick; chown -R 65534:65534 sick; chown 0:0 "sick/$file"; chmod 000 "sick/$file"
      bad 8 "sick/$file: " node --home sick
    done
    sick; chown -R 65534:65534 sick; chmod 400 sick/ledger.db
    bad 8 "sick/ledger.db: " node --home sick
  fi
  as=()
fi

# ---- a disk that is full, then read-only ----
mkdir small
if [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=1200k tmpfs small 2>/dev/null; then
  mounted=yes
  cp -r sound small/home
  rm -f small/home/*.lock
  start small/home
  acknowledged=$(leaves small/home)
  for i in $(seq 400); do
    status=0
    timeout 120 "$firmiana" dataset publish --home small/home --table loans >out 2>err || status=$?
    [ "$status" = 0 ] || break
    leaf=$(sed -n 's/.*leaf \([0-9]*\).*/\1/p' out)
    acknowledged=$((leaf + 2))
  done
  [ "$status" = 8 ] || [ "$status" = 5 ] || [ "$status" = 12 ] || fail "full disk: the command ends with $status: $(cat err)"
  [ "$(wc -l <err)" = 1 ] || fail "full disk: not one line: $(cat err)"
  status=0
  wait "$node_pid" || status=$?
  node_pid=''
  [ "$status" = 8 ] || fail "full disk: the node ends with $status: $(tail -n 1 node.log)"
  tail -n 1 node.log | grep "the disk is full ([0-9]* KiB free): make room, 64 MiB at least, and start again" >/dev/null ||
    fail "full disk: the node says: $(tail -n 1 node.log)"
  bad 8 "small/x.backup.part: the disk is full" ledger backup --home small/home small/x.backup
  [ ! -e small/x.backup.part ] || fail "a backup that found no room left its beginning"
  mount -o remount,size=16m small
  start small/home
  [ "$(leaves small/home)" -ge "$acknowledged" ] || fail "acknowledged $acknowledged leaves, there are $(leaves small/home)"
  good dataset publish --home small/home --table loans
  good audit export --home small/home --out full.bundle
  "$verify" full.bundle >out || fail "the trail does not verify: $(tail -n 1 out)"
  stop
  good ledger check --home small/home
  good ledger replay --home small/home
  mount -o remount,ro small
  bad 8 "small/home/ledger.db" node --home small/home
  grep -q "Read-only file system" err || fail "read-only disk: $(cat err)"
  bad 8 "small/home/ledger.db: " ledger check --home small/home
  umount small
  mounted=''
else
  echo "disk.sh: not root, or no tmpfs: the full and the read-only disk were left out"
fi
echo "$checks checks"
