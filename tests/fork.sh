#!/usr/bin/env bash
# Two histories of one ledger, each final: two members' disks were put back to an old copy at once, and they went on with a
# third that had been away. Whoever is shown both keeps both, stops with exit code 11 and one clear line, again at each
# start; `firmiana ledger evidence` shows both to a court, and each verifies. Real processes on loopback.
# usage: tests/fork.sh BUILD_FOLDER
set -euo pipefail
build=$(cd "$1" && pwd) name=fork.sh
# shellcheck source=tests/homes.sh
. tests/homes.sh

homes_make 20
homes_start
settle "the beginning"
stop_one() { # MEMBER
  kill -TERM "${pid[$1]}"
  wait "${pid[$1]}" || fail "$1 did not stop well"
  unset "pid[$1]"
}
height() { as "$1" status --json | number final_height; }
publish() { # MEMBER: a block, and it is final
  as "$1" dataset publish --table loans >/dev/null || fail "$1 cannot publish: $(tail -n 3 "$W/$1/node.log")"
}

# ---- both have an old copy; bank_c is away while the others go on ----
for m in "${members[@]}"; do stop_one "$m"; done
for m in regulator bank_a; do mkdir "$W/$m.old" && cp "$W/$m"/ledger.db* "$W/$m.old/"; done
for m in regulator bank_a bank_b; do start "$m"; done
for m in regulator bank_a bank_b; do
  for _ in $(seq 3000); do [ "$(as "$m" status --json 2>/dev/null | number connected)" != 2 ] || break; sleep 0.02; done
done
publish bank_a
publish bank_b
first=$(height bank_b)
[ "$first" -ge 2 ] || fail "two blocks are not final: $first"
for m in regulator bank_a bank_b; do stop_one "$m"; done

# ---- the copies come back, and with bank_c they are a quorum again ----
for m in regulator bank_a; do rm "$W/$m"/ledger.db* && cp "$W/$m.old"/ledger.db* "$W/$m/"; done
for m in regulator bank_a bank_c; do start "$m"; done
for m in regulator bank_a bank_c; do
  for _ in $(seq 3000); do [ "$(as "$m" status --json 2>/dev/null | number connected)" != 2 ] || break; sleep 0.02; done
done
publish bank_c
publish bank_a
[ "$(height bank_c)" -ge 2 ] || fail "the second history did not become final"

# ---- bank_b comes back with the first one, and is shown the second ----
start bank_b
for _ in $(seq 1200); do kill -0 "${pid[bank_b]}" 2>/dev/null || break; sleep 0.05; done
! kill -0 "${pid[bank_b]}" 2>/dev/null || fail "bank_b goes on, with a forked ledger: $(as bank_b status 2>&1)"
sleep 0.5 # whoever it met was shown the first one
stopped=()
for m in "${members[@]}"; do
  ! kill -0 "${pid[$m]}" 2>/dev/null || continue # met nobody of the other side
  status=0
  wait "${pid[$m]}" || status=$?
  unset "pid[$m]"
  [ "$status" = 11 ] || fail "$m ended with $status: $(tail -n 3 "$W/$m/node.log")"
  grep -q '^firmiana: the ledger has forked at block [0-9]* ([0-9]* entries): .*firmiana ledger evidence' "$W/$m/node.log" ||
    fail "$m does not say why: $(tail -n 3 "$W/$m/node.log")"
  stopped+=("$m")
done
[ ! -v "pid[bank_b]" ] || fail "bank_b did not stop"

# ---- the evidence, from the disk, and again at each start ----
for m in "${stopped[@]}"; do
  as "$m" ledger evidence >"$W/evidence" || fail "$m: no evidence"
  grep -q '^--- theirs ---$' "$W/evidence" && grep -q '^--- ours ---$' "$W/evidence" || fail "$m keeps not both: $(cat "$W/evidence")"
  as "$m" ledger evidence --json >"$W/evidence.json"
  grep -q '"signers":\["did:' "$W/evidence.json" || fail "$m: nobody signed: $(cat "$W/evidence.json")"
  status=0
  FIRMIANA_HOME=$W/$m timeout 60 "$firmiana" node >"$W/again.out" 2>"$W/again.err" || status=$?
  [ "$status" = 11 ] || fail "$m starts again: $status: $(tail -n 2 "$W/again.err")"
  grep -q '^firmiana: the ledger has forked' "$W/again.err" || fail "$m does not say why again: $(cat "$W/again.err")"
done
for _ in $(seq 600); do # of the others, each that bank_b met
  held=0
  for m in regulator bank_a bank_c; do
    as "$m" ledger evidence >"$W/evidence" 2>/dev/null && grep -q '^--- theirs ---$' "$W/evidence" && held=$((held + 1)) || true
  done
  [ "$held" = 0 ] || break
  sleep 0.1
done
[ "$held" -ge 1 ] || fail "the other side has kept nothing"
echo "fork.sh: ${stopped[*]} stopped with exit code 11; both histories are kept, at bank_b and $held others"
