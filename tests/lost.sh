#!/usr/bin/env bash
# The quorum is lost: for a time, and for good (ledger/recovery.md). Real processes on loopback; with engine=cometbft in the
# environment under CometBFT, where half of the validators are gone with it: not even a vote on who is left can be ordered.
# usage: [engine=cometbft] tests/lost.sh BUILD_FOLDER
set -euo pipefail
build=$(cd "$1" && pwd) name=lost.sh
# shellcheck source=tests/homes.sh
. "tests/${engine:+cometbft_}homes.sh"
declare -F crash >/dev/null || crash() { # MEMBER
  kill -9 "${pid[$1]}"
  wait "${pid[$1]}" 2>/dev/null || true
  unset "pid[$1]"
}

homes_make 60
homes_start
for b in "${banks[@]}"; do as "$b" dataset publish --table loans >/dev/null; done

# ---- for a time: nothing becomes final, nothing is lost ----
crash bank_b
crash bank_c
as bank_a dataset publish --table loans >"$W/out" 2>&1 &
waiting=$!
for _ in $(seq 3000); do
  as bank_a status | grep '^  bank_b .*not connected' >/dev/null && break
  sleep 0.02
done
before=$(as bank_a status --json | number final_height)
start bank_b # a quorum of three again: what waited is final
wait "$waiting" || fail "what waited was lost: $(cat "$W/out")"
[ "$(as bank_a status --json | number final_height)" -gt "$before" ] || fail "no progress with the quorum back"

# ---- for good: the survivors continue on a ledger that names the old one ----
crash bank_b
if [ -n "${engine:-}" ]; then
  # Who is left cannot vote the lost ones out: that vote would have to be ordered too.
  wait_for 60 "rest at those who are left" at_rest bank_a regulator
  before=$(as bank_a status --json | number final_height)
  as bank_a governance propose --suspend bank_b --reason "gone for good" >"$W/out" 2>&1 &
  waiting=$!
  sleep 6 # in which a consortium that goes on makes dozens of blocks
  kill -0 "$waiting" 2>/dev/null || fail "with half of the validators gone a proposal ended: $(cat "$W/out")"
  [ "$(as bank_a status --json | number final_height)" = "$before" ] || fail "a block became final with half of the validators gone"
  kill "$waiting" 2>/dev/null || true
  wait "$waiting" 2>/dev/null || true
fi
for m in bank_a regulator; do
  as "$m" audit export --out "$W/$m.bundle" >/dev/null
  "$verify" "$W/$m.bundle" >"$W/$m.verified" || fail "the old trail of $m is not valid: $(cat "$W/$m.verified")"
done
chain=$(sed -n 's/^  chain  *//p' "$W/bank_a.verified") root=$(sed -n 's/^  root  *//p' "$W/bank_a.verified")
size=$(sed -n 's/^  log  *\([0-9]*\) entries.*/\1/p' "$W/bank_a.verified")
[ "$root" = "$(sed -n 's/^  root  *//p' "$W/regulator.verified")" ] || fail "the survivors do not agree"
for m in bank_a regulator; do
  kill -TERM "${pid[$m]}"
  wait "${pid[$m]}" || fail "$m: SIGTERM ended it badly"
  unset "pid[$m]"
  mv "$W/$m" "$W/$m.old"
done
members=(bank_a bank_d regulator) list=() order=(--sequencer regulator) more=()
[ -z "${engine:-}" ] || order=(--engine cometbft)
ports_claim
for m in "${members[@]}"; do
  [ -z "${engine:-}" ] || more=(--engine cometbft --consensus "tcp://127.0.0.1:$((port++))")
  "$firmiana" init --home "$W/$m" --alias "$m" --listen "tcp://127.0.0.1:$((port++))" "${more[@]}" >/dev/null
  list+=(--member "$W/$m/member.json")
done
"$firmiana" ledger init --name "lost.sh, after $chain at $size, root $root" --quorum 2 "${order[@]}" --out "$W/new.json" "${list[@]}" >/dev/null 2>&1
for m in "${members[@]}"; do cp "$W/new.json" "$W/$m/genesis.json"; start "$m"; done
cp "$W/data/bank_a.db" "$W/bank_a/data.db"
for _ in $(seq 3000); do
  [ "$(as bank_a status --json 2>/dev/null | number connected)" != 2 ] || break
  sleep 0.02
done
as bank_a dataset publish --table loans >/dev/null
as bank_d audit export --out "$W/new.bundle" >/dev/null
"$verify" "$W/new.bundle" >"$W/out" || fail "$(cat "$W/out")"
grep -q "after $chain at $size, root $root\"" "$W/out" || fail "the new trail does not name the old one: $(cat "$W/out")"
"$verify" "$W/regulator.bundle" >/dev/null || fail "the old trail is no longer valid"
echo "$name: a quorum that was away came back; one that was gone for good was followed by a ledger that names the old one"
