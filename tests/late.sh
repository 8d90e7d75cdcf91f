#!/usr/bin/env bash
# A member that was away for long catches up while the others work: its status says how far it is, nothing that it cannot
# yet know is answered, and in the end it holds the same log. With FIRMIANA_FULL=1 ten thousand blocks.
# usage: tests/late.sh BUILD_FOLDER [BLOCKS]
set -euo pipefail
build=$(cd "$1" && pwd) name=late.sh
blocks=${2:-40}
[ "${FIRMIANA_FULL:-0}" != 1 ] || blocks=${2:-10000}
# shellcheck source=tests/homes.sh
. tests/homes.sh

homes_make 20
homes_start
settle "the beginning"
kill -TERM "${pid[bank_c]}"
wait "${pid[bank_c]}" || fail "bank_c did not stop well"
final() { as "$1" status --json | number final_height; }
began=$(final bank_a) so_far=0
publish() { # MEMBER: until there are enough blocks
  while [ $(($(final "$1") - began)) -lt "$blocks" ]; do
    for _ in 1 2 3 4; do as "$1" dataset publish --table loans >/dev/null || fail "$1 cannot publish"; done
  done
}
publish bank_a &
one=$!
publish bank_b &
wait $! && wait "$one" || fail "the others do not go on"
there=$(final bank_a) leaves=$(as bank_a status --json | number log_size)

# ---- back again, and the sequencer is away meanwhile: its blocks come from the others, proven ----
kill -TERM "${pid[regulator]}"
wait "${pid[regulator]}" || fail "the regulator did not stop well"
start bank_c
last=-1 seen=0
for _ in $(seq 6000); do
  kill -0 "${pid[bank_c]}" 2>/dev/null || fail "bank_c ended: $(tail -n 3 "$W/bank_c/node.log")"
  now=$(as bank_c status --json 2>/dev/null | number log_size) || now=
  if [ -n "$now" ]; then
    [ "$now" -ge "$last" ] || fail "bank_c goes back, from $last to $now"
    [ "$now" = "$last" ] || seen=$((seen + 1))
    last=$now
    [ "$now" -lt "$leaves" ] || break
  fi
  sleep 0.05
done
[ "$last" -ge "$leaves" ] || fail "bank_c has $last of $leaves entries: $(as bank_c status)"
[ "$blocks" -lt 10000 ] || [ "$seen" -ge 2 ] || fail "its status told nothing on the way"
grep -q '"event":"ledger.fork"' "$W/bank_c/node.log" && fail "$(tail -n 3 "$W/bank_c/node.log")"
start regulator
wait_connected
as bank_c dataset publish --table loans >/dev/null || fail "bank_c cannot publish when it is back"
settle "bank_c is back"
for m in bank_a bank_c; do as "$m" audit export --out "$W/$m.bundle" >/dev/null; done
"$verify" "$W/bank_c.bundle" >"$W/verified" || fail "$(cat "$W/verified")"
homes_stop
echo "late.sh: $((there - began)) blocks caught up without the sequencer; $seen sizes seen on the way"
