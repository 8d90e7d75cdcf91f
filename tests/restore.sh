#!/usr/bin/env bash
# What an operator's disk does to a consortium that works: backups that are older than what the members signed since, and disks
# that run full under one member, while the others go on. Real processes on loopback.
# usage: tests/restore.sh BUILD_FOLDER
#
#   1. the sequencer and a follower are put back to their own old backups, by ledger restore --over-newer (and only by that): each
#      takes what the others have before it acts; nothing is signed twice, and the new ledger is the old one, continued;
#   2. a follower begins again from another member's backup, without any ledger of its own;
#   3. a follower's ledger finds no room: its node ends (exit code 8), the others answer without it; with room it has it all;
#   4. sessions.db finds no room under a query: nothing is computed that could not be remembered, the query ends by name.
set -euo pipefail
build=$(cd "$1" && pwd) name=restore.sh
# shellcheck source=tests/homes.sh
. tests/homes.sh
mounted=()
restore_cleanup() {
  local status=$? d
  [ ${#pid[@]} -eq 0 ] || kill -9 "${pid[@]}" 2>/dev/null || true
  wait 2>/dev/null || true
  for d in "${mounted[@]+"${mounted[@]}"}"; do umount "$d" 2>/dev/null || umount -l "$d" || true; done
  (exit "$status")
  homes_cleanup
}
trap restore_cleanup EXIT
homes_make 200
homes_start
for b in "${banks[@]}"; do as "$b" dataset publish --table loans >/dev/null; done
contract bank_a "bank_a bank_b bank_c" 'SELECT COUNT(*) AS n FROM loans WHERE overdue_days > $1'
of_all=$id
contract bank_a bank_b 'SELECT COUNT(*) AS n FROM bank_b.loans WHERE overdue_days > $1'
of_b=$id
want=$(pooled 'SELECT COUNT(*) FROM loans WHERE overdue_days > 10')
want_b=$(sqlite3 "$W/data/bank_b.db" 'SELECT COUNT(*) FROM loans WHERE overdue_days > 10')
answers() { [ "$(as bank_a query run "$of_all" --param 1=10 --csv --timeout 60 2>"$W/err" | tail -n 1)" = "$want" ] || fail "$1: $(cat "$W/err")"; }
b_answers() { [ "$(as bank_a query run "$of_b" --param 1=10 --csv --timeout 60 2>"$W/err" | tail -n 1)" = "$want_b" ] || fail "$1: $(cat "$W/err")"; }
stop_one() {
  kill -TERM "${pid[$1]}"
  wait "${pid[$1]}" || fail "$1 did not stop well: $(tail -n 2 "$W/$1/node.log")"
  unset "pid[$1]"
}
size() { as "$1" status --json | number log_size; }
same_log() { # WHAT
  local m
  settle "$1"
  for m in "${members[@]}"; do
    as "$m" ledger evidence | grep 'no contradiction was ever signed' >/dev/null || fail "$1: $(as "$m" ledger evidence)"
    rm -f "$W/$m.bundle"
    as "$m" audit export --out "$W/$m.bundle" >/dev/null
    "$verify" "$W/$m.bundle" >"$W/verified" || fail "$1: $m: $(tail -n 1 "$W/verified")"
    cmp -s <(grep -E '^ *(log|root) ' "$W/verified") <("$verify" "$W/bank_a.bundle" | grep -E '^ *(log|root) ') || fail "$1: $m has another log"
  done
}
answers "the beginning"
settle "the beginning"

# ---- 1 ----
for m in regulator bank_c; do as "$m" ledger backup "$W/$m.backup" >"$W/said"; done
old=$(size bank_a)
answers "after the backups"
as bank_c dataset publish --table loans >/dev/null
settle "after the backups"
new=$(size bank_a)
[ "$new" -gt "$old" ] || fail "nothing happened since the backup"
for m in regulator bank_c; do
  stop_one "$m"
  must_refuse 11 "if it must be, say --over-newer" as "$m" ledger restore "$W/$m.backup"
  as "$m" ledger restore "$W/$m.backup" --over-newer >"$W/said" 2>&1 || fail "restore: $(cat "$W/said")"
done
for m in regulator bank_c; do start "$m"; done
wait_connected
answers "the sequencer and a follower came back with old ledgers"
[ "$(size bank_a)" -gt "$new" ] || fail "the ledger did not go on"
same_log "after both restores"

# ---- 2 ----
stop_one bank_c
rm "$W"/bank_c/ledger.db*
as bank_c ledger restore "$W/regulator.backup" >"$W/said" 2>&1 || fail "another's backup: $(cat "$W/said")"
start bank_c
wait_connected
answers "bank_c came back with the regulator's backup"
same_log "after another's backup"

# ---- 3 and 4 ----
if [ "$(id -u)" != 0 ] || ! { mkdir "$W/small" && mount -t tmpfs -o size=32m tmpfs "$W/small" 2>/dev/null; }; then
  echo "$name: not root, or no tmpfs: full disks under one of several members were left out"
  homes_stop
  exit 0
fi
mounted+=("$W/small")
fill() { dd if=/dev/zero of="$W/small/filler" bs=4k >/dev/null 2>&1 || true; }
ended() { # MEMBER CODE TEXT
  local status=0
  for _ in $(seq 1200); do kill -0 "${pid[$1]}" 2>/dev/null || break; sleep 0.05; done
  wait "${pid[$1]}" || status=$?
  unset "pid[$1]"
  [ "$status" = "$2" ] || fail "$1 ends with $status: $(tail -n 2 "$W/$1/node.log")"
  tail -n 1 "$W/$1/node.log" | grep "$3" >/dev/null || fail "$1 does not say '$3': $(tail -n 1 "$W/$1/node.log")"
}
on_small() { # FILE: of bank_c, whose node is stopped; SQLite has what belongs to it beside it
  rm -f "$W/bank_c/$1"?*
  mv "$W/bank_c/$1" "$W/small/$1"
  ln -s "$W/small/$1" "$W/bank_c/$1"
}
off_small() { # FILE
  rm "$W/bank_c/$1"
  mv "$W/small/$1" "$W/bank_c/$1"
}
stop_one bank_c
on_small ledger.db
start bank_c
wait_connected
fill
for _ in $(seq 40); do
  kill -0 "${pid[bank_c]}" 2>/dev/null || break
  b_answers "bank_c's disk runs full"
done
ended bank_c 8 "the disk is full ([0-9]* KiB free): make room, 64 MiB at least, and start again"
b_answers "bank_c's disk is full"
must_refuse 8 "the disk is full" as bank_c node
rm "$W/small/filler"
start bank_c
wait_connected
answers "bank_c has room again"

stop_one bank_c
off_small ledger.db
on_small sessions.db
start bank_c
wait_connected
fill
must_refuse 5 "bank_c aborted the query: node.failed" as bank_a query run "$of_all" --param 1=10 --csv --timeout 60
grep '"query.end"' "$W/bank_c/node.log" | tail -n 1 | grep 'sessions.db: the disk is full' >/dev/null || fail "bank_c does not say why: $(tail -n 3 "$W/bank_c/node.log")"
b_answers "bank_c has no room for sessions"
kill -0 "${pid[bank_c]}" || fail "a query that found no room ended bank_c's node: $(tail -n 2 "$W/bank_c/node.log")"
rm "$W/small/filler"
answers "bank_c has room for sessions again"
same_log "after full disks"
entries=$(size bank_a)
homes_stop
echo "old backups at the sequencer and a follower, another member's backup, two full disks: one log of $entries entries, valid at all four"
