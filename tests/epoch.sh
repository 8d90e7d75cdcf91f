#!/usr/bin/env bash
# The sequencer is lost for ever: three banks go on without it, by approval of their officers. Real processes on loopback.
# usage: tests/epoch.sh BUILD_FOLDER
#
#   1. kill -9 of the sequencer's node while a query waits; two approvals are not enough, the third is; the query is done;
#   2. the old sequencer comes back and follows;
#   3. the new sequencer's disk is replaced by an older copy: it takes over what the others signed, and goes on sequencing;
#   4. a bundle across the epochs is valid, everywhere the same.
set -euo pipefail
build=$(cd "$1" && pwd) name=epoch.sh
# shellcheck source=tests/homes.sh
. tests/homes.sh

homes_make 200
homes_start
for b in "${banks[@]}"; do as "$b" dataset publish --table loans >/dev/null; done
cat >"$W/spec.json" <<'SPEC'
{"name": "epoch", "purpose": "statistics", "sql": "SELECT COUNT(*) AS n FROM loans WHERE overdue_days > $1", "compute": ["bank_a", "bank_b", "bank_c"],
 "recipients": ["bank_a"], "parameters": [{"name": "$1", "type": "INTEGER", "range": [0, 3650]}], "minimum_group": 5,
 "consent": {"requirement": "none", "basis": "aggregates of at least 5 subjects"}}
SPEC
as bank_a contract draft "$W/spec.json" --out "$W/contract.json" >/dev/null
as bank_a contract propose "$W/contract.json" >/dev/null
id=$(tr -d '\n' <"$W/contract.json" | digest)
for b in "${banks[@]}"; do as "$b" contract authorize "$id" --runs 1000 >/dev/null; done
ask() { as bank_a query run "$id" --param 1=10 --csv --timeout 100; }
want=$(pooled 'SELECT COUNT(*) FROM loans WHERE overdue_days > 10')
answer() { # TEXT
  [ "$(tail -n 1 <<<"$1")" = "$want" ] || fail "the answer is not $want: $1"
}
answer "$(ask)"
as bank_a ledger epoch show | grep -x 'no other sequencer is proposed' >/dev/null || fail "a proposal out of nowhere"
! as bank_a ledger epoch approve bank_b 2>"$W/err" || fail "approved what nobody proposed"
grep -q 'no other sequencer is proposed: firmiana ledger epoch propose ALIAS' "$W/err" || fail "$(cat "$W/err")"

# ---- 1 ----
kill -9 "${pid[regulator]}"
wait "${pid[regulator]}" 2>/dev/null || true
unset "pid[regulator]"
ask >"$W/answer" 2>"$W/answer.err" &
asking=$!
as bank_a ledger epoch propose bank_b >"$W/out"
grep -q '^proposed: bank_b for epoch 1$' "$W/out" || fail "$(cat "$W/out")"
for _ in $(seq 2000); do # it reaches the others by itself
  ! as bank_c ledger epoch approve bank_b >"$W/out" 2>"$W/err" || break
  sleep 0.05
done
grep -q '^  approved  2 of 3: ' "$W/out" || fail "$(cat "$W/out" "$W/err")"
as bank_c status | grep '^handover   bank_b is to sequence epoch 1: 2 of 3 members approve' >/dev/null || fail "$(as bank_c status)"
! as bank_c ledger epoch approve bank_a 2>"$W/err" || fail "approved another than proposed"
grep -q 'bank_b is proposed, not bank_a' "$W/err" || fail "$(cat "$W/err")"
as bank_a ledger epoch show | grep -x 'epoch 0, sequenced by regulator' >/dev/null || fail "two of four were enough"
as bank_b ledger epoch approve bank_b >/dev/null
wait "$asking" || fail "the query that waited: $(cat "$W/answer.err")"
answer "$(cat "$W/answer")"
for b in "${banks[@]}"; do
  as "$b" ledger epoch show | grep -x 'epoch 1, sequenced by bank_b' >/dev/null || fail "$(as "$b" ledger epoch show)"
done

# ---- 2 ----
start regulator
wait_connected
settle "the old sequencer is back"
as regulator status | grep 'epoch 1, .*sequenced by bank_b$' >/dev/null || fail "$(as regulator status)"

# ---- 3 ----
stop_one() {
  kill -TERM "${pid[$1]}"
  wait "${pid[$1]}" || fail "$1 did not stop well"
}
stop_one bank_b
mkdir "$W/copy"
cp "$W"/bank_b/ledger.db* "$W/copy/"
start bank_b
wait_connected
answer "$(ask)"
stop_one bank_b
rm "$W"/bank_b/ledger.db*
cp "$W"/copy/ledger.db* "$W/bank_b/"
start bank_b
wait_connected
answer "$(ask)"
settle "the sequencer came back with an old copy of its ledger"
for m in "${members[@]}"; do as "$m" ledger evidence | grep 'no contradiction was ever signed' >/dev/null || fail "$(as "$m" ledger evidence)"; done

# ---- 4 ----
for m in "${members[@]}"; do
  as "$m" audit export --out "$W/$m.bundle" >/dev/null
  "$verify" "$W/$m.bundle" >"$W/verified" || fail "$m: $(cat "$W/verified")"
done
# A ledger that changed its epoch shows an entry by a bundle of every leaf's hash, and it holds.
echo "a document" >"$W/document"
as bank_b evidence deposit "$W/document" --receipt "$W/receipt" >/dev/null
as bank_b evidence certificate "$W/document" --receipt "$W/receipt" --out "$W/certificate" >/dev/null
"$verify" "$W/certificate" >"$W/held" || fail "a certificate: $(cat "$W/held")"
grep -q '^{"bundle":1,' "$W/certificate" || fail "a compact bundle across epochs"
homes_stop
echo "epoch.sh: the ledger has its second sequencer, at height $(sed -n 's/.*height \([0-9]*\).*/\1/p' "$W/verified" | head -n 1)"
