#!/usr/bin/env bash
# Clocks that jump under real nodes of an embedded ledger, by libfaketime, which reads from a file what is the matter with each.
# usage: tests/clock.sh BUILD_FOLDER
#
#   1. a follower's clock jumps ahead, then behind: it and the others say whose and by how much; the others answer queries
#      without it; set right, it has all of it, and takes part again;
#   2. the sequencer's clock jumps, both ways: nothing is final that its followers' clocks contradict; what was handed in
#      meanwhile is final when the clock is right, and stands once;
#   3. a machine whose clock is behind its own ledger is told so by node check.
# Afterwards all have one log, which firmiana-verify finds valid. Skips (77) without Debian's faketime.
set -euo pipefail
build=$(cd "$1" && pwd) name=clock.sh
faketime=$(ls /usr/lib/*/faketime/libfaketime.so.1 2>/dev/null | head -n 1 || true)
[ -n "$faketime" ] || { echo "$name: skipped: no libfaketime (apt-get install faketime)"; exit 77; }
inside() { # MEMBER COMMAND...: the clocks that measure durations run on, as they do on a machine that is set
  local m=$1
  shift
  exec env LD_PRELOAD="$faketime" FAKETIME_TIMESTAMP_FILE="$W/$m.clock" FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1 "$@"
}
# shellcheck source=tests/homes.sh
. tests/homes.sh
jump() { # MEMBER SECONDS
  echo "$2s" >"$W/$1.new"
  mv "$W/$1.new" "$W/$1.clock"
}
until_true() { # WHAT COMMAND...
  local what=$1
  shift
  for _ in $(seq 1200); do
    if "$@"; then return 0; fi
    sleep 0.05
  done
  fail "$what: it did not come about: $(for m in "${members[@]}"; do as "$m" status 2>&1; tail -n 2 "$W/$m/node.log"; done)"
}
set_wrong() { # MEMBER SECONDS: until all have told of it, and it of all
  local m ahead='ahead of' behind=behind
  [ "$2" -gt 0 ] || { ahead=behind behind='ahead of'; }
  jump "$1" "$2"
  for m in "${members[@]}"; do
    if [ "$m" = "$1" ] || [ "$1,$m" = regulator,bank_c ]; then continue; fi # a log does not say again what it said
    until_true "$m's word of $1's clock" says "$m" "the clock of $1 is [12][0-9]* ms $ahead ours: check both"
    until_true "$1's word of $m's clock" says "$1" "the clock of $m is [12][0-9]* ms $behind ours: check both"
  done
}
set_right() { # MEMBER: the same; what was said is forgotten
  local m
  jump "$1" +0
  for m in "${members[@]}"; do
    if [ "$m" = "$1" ] || [ "$1,$m" = regulator,bank_c ]; then continue; fi # a log does not say again what it said
    until_true "$m's word that $1's clock is right" says "$m" "the clock of $1 agrees with ours again"
    until_true "$1's word that $m's clock is right" says "$1" "the clock of $m agrees with ours again"
  done
  for m in "${members[@]}"; do : >"$W/$m/node.log"; done
}
says() { grep -q "$2" "$W/$1/node.log"; } # MEMBER PATTERN
height() { as "$1" status --json | number final_height; }
reached() { local h; h=$(height "$1") && [ "${h:-0}" -ge "$2" ]; }

waits() { local n; n=$(as "$1" status --json | number waiting_transactions) && [ "${n:-0}" -ge 1 ]; }

homes_make 600
for m in "${members[@]}"; do jump "$m" +0; done
homes_start
for b in bank_a bank_b; do as "$b" dataset publish --table loans >/dev/null; done
sql='SELECT COUNT(*) AS n FROM bank_b.loans WHERE overdue_days > $1'
contract bank_a bank_b "$sql"
want=$(sqlite3 "$W/data/bank_b.db" 'SELECT COUNT(*) FROM loans WHERE overdue_days > 10')
answers() { [ "$(as bank_a query run "$id" --param 1=10 --csv --timeout 60 2>"$W/err" | tail -n 1)" = "$want" ] || fail "$1: $(cat "$W/err")"; }
answers "clocks that are right"

# ---- 1 ----
for by in +20 -20; do
  set_wrong bank_c $by
  until_true "status of bank_c's clock" eval "as bank_a status | grep '^ *bank_c .*clock [+-]*[12][0-9]' >/dev/null"
  answers "bank_c's clock is $by s wrong"
  set_right bank_c
  until_true "bank_c follows again" reached bank_c "$(height bank_a)"
  as bank_c dataset publish --table loans >/dev/null
  settle "bank_c's clock is right again"
done

# ---- 2 ----
published=4
for by in +20 -20; do
  set_wrong regulator $by
  before=$(height bank_b)
  as bank_b dataset publish --table loans >"$W/waiting" 2>&1 &
  waiting=$!
  until_true "it waits" waits bank_b
  [ "$(height bank_b)" = "$before" ] || fail "a block became final, by a clock $by s wrong"
  set_right regulator
  wait "$waiting" || fail "what waited for the clock: $(cat "$W/waiting")"
  grep -q "final at height" "$W/waiting" || fail "$(cat "$W/waiting")"
  answers "the sequencer's clock was $by s wrong"
  published=$((published + 1))
done
settle "the sequencer's clock is right again"

# ---- 3 ----
jump bank_a -60
status=0
(FIRMIANA_HOME=$W/bank_a inside bank_a "$firmiana" node check >"$W/check" 2>&1) || status=$?
[ "$status" = 3 ] || fail "node check ends with $status: $(cat "$W/check")"
shows "$W/check" "BAD   clock    this clock is " " s behind the ledger's newest block: set it"
jump bank_a +0
for m in "${members[@]}"; do
  as "$m" audit export --out "$W/$m.bundle" >/dev/null
  "$verify" "$W/$m.bundle" >"$W/verified" || fail "$m: $(tail -n 1 "$W/verified")"
  grep -E '^ *(log|root) ' "$W/verified" >>"$W/roots"
done
[ "$(sort -u "$W/roots" | wc -l)" = 2 ] || fail "the replicas differ: $(sort -u "$W/roots")"
now=$(as bank_a audit list --json | grep -c '"type":"dataset.publish"')
[ "$now" = "$published" ] || fail "$published publications were made, the ledger has $now"
homes_stop
echo "two clocks jumped by 20 s, both ways: named each time, nothing final by them, nothing lost: $published publications, one log"
