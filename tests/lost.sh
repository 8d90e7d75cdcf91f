#!/usr/bin/env bash
# The quorum is lost: for a time, and for good (ledger/recovery.md). Real processes on loopback.
# usage: tests/lost.sh BUILD_FOLDER
set -euo pipefail
build=$(cd "$1" && pwd) name=lost.sh
# shellcheck source=tests/homes.sh
. tests/homes.sh

homes_make 60
homes_start
for b in "${banks[@]}"; do as "$b" dataset publish --table loans >/dev/null; done

# ---- for a time: nothing becomes final, nothing is lost ----
for m in bank_b bank_c; do
  kill -9 "${pid[$m]}"
  wait "${pid[$m]}" 2>/dev/null || true
  unset "pid[$m]"
done
as bank_a dataset publish --table loans >"$W/out" 2>&1 &
waiting=$!
for _ in $(seq 500); do
  as bank_a status | grep -q '^  bank_b .*not connected' && break
  sleep 0.02
done
before=$(as bank_a status --json | number final_height)
start bank_b # a quorum of three again: what waited is final
wait "$waiting" || fail "what waited was lost: $(cat "$W/out")"
[ "$(as bank_a status --json | number final_height)" -gt "$before" ] || fail "no progress with the quorum back"

# ---- for good: the survivors continue on a ledger that names the old one ----
kill -9 "${pid[bank_b]}"
wait "${pid[bank_b]}" 2>/dev/null || true
unset "pid[bank_b]"
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
members=(bank_a bank_d regulator) list=()
ports_claim
for m in "${members[@]}"; do
  "$firmiana" init --home "$W/$m" --alias "$m" --listen "tcp://127.0.0.1:$((port++))" >/dev/null
  list+=(--member "$W/$m/member.json")
done
"$firmiana" ledger init --name "lost.sh, after $chain at $size, root $root" --quorum 2 --sequencer regulator --out "$W/new.json" "${list[@]}" >/dev/null 2>&1
for m in "${members[@]}"; do cp "$W/new.json" "$W/$m/genesis.json"; start "$m"; done
cp "$W/data/bank_a.db" "$W/bank_a/data.db"
for _ in $(seq 1000); do
  [ "$(as bank_a status --json 2>/dev/null | number connected)" != 2 ] || break
  sleep 0.02
done
as bank_a dataset publish --table loans >/dev/null
as bank_d audit export --out "$W/new.bundle" >/dev/null
"$verify" "$W/new.bundle" >"$W/out" || fail "$(cat "$W/out")"
grep -q "after $chain at $size, root $root\"" "$W/out" || fail "the new trail does not name the old one: $(cat "$W/out")"
"$verify" "$W/regulator.bundle" >/dev/null || fail "the old trail is no longer valid"
echo "$name: a quorum that was away came back; one that was gone for good was followed by a ledger that names the old one"
