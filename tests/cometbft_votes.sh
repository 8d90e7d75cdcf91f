#!/usr/bin/env bash
# Who orders blocks, by the members' votes, with real CometBFTs over loopback: a fifth member joins and validates; keys are
# changed, all at once at the end; a suspended member's votes count no more, so that what three of four can do goes on with
# two gone; one that votes twice is proven, named and remembered.
# usage: tests/cometbft_votes.sh BUILD_FOLDER      Skips (77) where CometBFT is not installed: ./run cometbft
set -euo pipefail
build=$(cd "$1" && pwd) name=cometbft_votes.sh
# shellcheck source=tests/cometbft_homes.sh
. tests/cometbft_homes.sh
needs comet_twice

key_of() { sed -n 's/.*"pub_key":{[^}]*"value":"\([^"]*\)".*/\1/p' "$W/$1/cometbft/config/priv_validator_key.json"; }
address_of() { sed -n 's/^{"address":"\([0-9A-F]*\)".*/\1/p' "$W/$1/cometbft/config/priv_validator_key.json"; }
# CometBFT's own word: who orders the block after its newest, by key.
orders() { rpc bank_a validators | grep -F "$(key_of "$1")" >/dev/null; }
count_is() { [ "$(rpc bank_a validators | sed -n 's/.*"total":"\([0-9]*\)".*/\1/p')" = "$1" ]; }
# Its signature is in the newest commit; each time a new one, since idle blocks come every ten seconds.
signs() { publish bank_a && rpc bank_a commit | grep -F "$(address_of "$1")" >/dev/null; }

homes_make 40
homes_start
for b in "${banks[@]}"; do publish "$b"; done
count_is 4 || fail "four founders, and CometBFT says: $(rpc bank_a validators)"
step "four nodes are up"

# ---- a fifth joins ----
enter observer
wait_for 60 "the fifth validator" orders observer
wait_for 60 "the fifth's votes" signs observer
count_is 5 || fail "$(rpc bank_a validators)"
as observer status | grep 'blocks are ordered by .*observer' >/dev/null || fail "$(as observer status)"
publish bank_a
step "a fifth member joined, followed from the first block on, and votes"

# ---- a new key ----
old=$(key_of bank_b)
as bank_b validator rotate >/dev/null
renewed() { publish bank_a && [ "$(key_of "$1")" != "$2" ] && signs "$1"; } # MEMBER OLD_KEY
wait_for 60 "bank_b's votes under its new key" renewed bank_b "$old"
rpc bank_a validators | grep -F "$old" >/dev/null && fail "the old key still orders: $(rpc bank_a validators)"
count_is 5 || fail "$(rpc bank_a validators)"
step "a validator has a new key"

# ---- one is suspended: with it and one more gone, three of four go on ----
decide bank_b regulator -- --suspend observer --reason "a test"
wait_for 60 "the end of a validator" count_is 4
orders observer && fail "the observer is suspended and orders: $(rpc bank_a validators)"
as bank_a status | grep 'blocks are ordered by' | grep observer >/dev/null && fail "$(as bank_a status)"
crash observer
crash bank_c
publish bank_a || fail "with a suspended member and one of four gone nothing goes on"
step "a suspended member's votes count no more"
start bank_c

# ---- one votes twice ----
block=$(rpc bank_a 'block?height=3')
chain=$(sed -n 's/.*"chain_id":"\([^"]*\)".*/\1/p' <<<"$block")
time=$(sed -n 's/.*"chain_id":"[^"]*","height":"3","time":"\([^"]*\)".*/\1/p' <<<"$block")
"$build/tests/comet_twice" "$W/regulator/cometbft/config/priv_validator_key.json" "$chain" 3 "$time" 40 >"$W/twice.json"
out=$(rpc bank_a "" -d @"$W/twice.json")
[[ $out == *'"result"'* ]] || fail "CometBFT does not take the proof: $out"
proven() { as "$1" status 2>/dev/null | grep 'PROVEN: the validator of regulator voted twice at block 3' >/dev/null; }
publish bank_a
for m in "${members[@]}"; do wait_for 60 "$m's word of the double vote" proven "$m"; done
grep -q 'the validator of regulator .* voted twice at block 3: proven in block' "$W/bank_b/node.log" || fail "$(tail -n 3 "$W/bank_b/node.log")"
crash bank_b
start bank_b
wait_for 60 "bank_b's word after a start" proven bank_b
[ "$(as bank_b status | grep -c PROVEN)" = 1 ] || fail "it stands there twice: $(as bank_b status)"
# It is an entry of the log at all, in one place, and what a vote may rest on.
for m in "${members[@]}"; do as "$m" audit list | grep ' validator.misbehavior ' | sed 's/^[^ ]*//'; done | sort -u >"$W/proven"
[ "$(wc -l <"$W/proven")" = 1 ] && grep -q ' regulator .* act=duplicate.vote height=3 ' "$W/proven" || fail "the log: $(cat "$W/proven")"
ground=$(as bank_a governance list --json | sed -n 's/.*"misbehavior":\[{[^]]*"id":"\([0-9a-f]*\)".*/\1/p')
out=$(as bank_a governance propose --suspend bank_b --ground "${ground:0:12}" --reason "a test" 2>&1) && fail "another's misbehavior is a ground: $out"
[[ $out == *member.ground* ]] || fail "$out"
step "a validator that voted twice is named by all and by the log, and remembered"

if [ "${FIRMIANA_FULL:-0}" = 1 ]; then
# ---- the suspended one comes back ----
decide bank_b regulator -- --reinstate observer --reason "a test"
start observer
wait_for 60 "the observer's return" orders observer
wait_for 60 "the observer's votes" signs observer
step "it is back, and votes"

# ---- one lost its key: another node's is there ----
stop bank_c
"$firmiana" init --home "$W/spare" --alias spare --listen tcp://127.0.0.1:1 --engine cometbft --consensus tcp://127.0.0.1:2 >/dev/null
old=$(key_of spare)
cp "$W/spare/cometbft/config/priv_validator_key.json" "$W/bank_c/cometbft/config/priv_validator_key.json"
start bank_c
wait_for 60 "bank_c's following without its key" reached bank_c "$(height bank_a)"
grep -q 'orders nothing, until firmiana validator rotate' "$W/bank_c/node.log" || fail "$(tail -n 3 "$W/bank_c/node.log")"
as bank_c validator rotate >/dev/null
wait_for 60 "bank_c's votes under its new key" renewed bank_c "$old"
step "one that lost its key has a new one"

# ---- all have new keys at once ----
declare -A before=()
for m in "${members[@]}" observer; do wait_for 60 "$m's votes" signs "$m"; before[$m]=$(key_of "$m"); done
jobs=()
for m in "${members[@]}" observer; do as "$m" validator rotate >"$W/$m.rotate" 2>&1 & jobs+=($!); done
for j in "${jobs[@]}"; do wait "$j" || fail "rotate: $(cat "$W"/*.rotate)"; done
for m in "${members[@]}" observer; do wait_for 90 "$m's votes under its new key" renewed "$m" "${before[$m]}"; done
count_is 5 || fail "$(rpc bank_a validators)"
publish bank_c
step "all have new keys at once"
members+=(observer)
fi

one_trail
grep -q 'the validator of regulator voted twice at block 3; recorded in block' "$W/bank_c.verified" || fail "the trail does not say so: $(cat "$W/bank_c.verified")"
as bank_c ledger check >"$W/checked" 2>&1 || fail "ledger check: $(cat "$W/checked")"
as bank_c ledger backup "$W/backup" >"$W/checked" 2>&1 || fail "ledger backup: $(cat "$W/checked")"
did=$(as bank_a member list | sed -n 's/^regulator .*\(did:firmiana:[^ ]*\).*/\1/p')
"$firmiana" did resolve "$did" --trail "$W/bank_c.bundle" >"$W/resolved" 2>&1 || fail "did resolve --trail: $(cat "$W/resolved")"
if [ "${FIRMIANA_FULL:-0}" = 1 ]; then
# ---- rules that this program does not have: each stops before the first block under them, and stays stopped ----
limit=$(($(height bank_a) + 12))
decide bank_b bank_c -- --rules "5@$limit" --reason "from another time"
running() { local m n=0; for m in "${members[@]}"; do ! kill -0 "${pid[$m]}" 2>/dev/null || n=$((n + 1)); done; echo "$n"; }
first_end() { publish bank_b 2>/dev/null || true; [ "$(running)" -lt ${#members[@]} ]; }
wait_for 90 "the end of a node before rules that it does not have" first_end
# Whoever had not yet heard enough votes for the last block when the others stopped waits for it.
for _ in $(seq 100); do [ "$(running)" != 0 ] || break; sleep 0.1; done
for m in "${members[@]}"; do
  status=0
  kill -9 "${pid[$m]}" 2>/dev/null || true
  wait "${pid[$m]}" 2>/dev/null || status=$?
  [ "$status" = 14 ] || [ "$status" = 137 ] || fail "$m ended with $status: $(tail -n 2 "$W/$m/node.log")"
  at=$(sqlite3 "$W/$m/ledger.db" "SELECT height FROM tip")
  [ "$at" -lt "$limit" ] || [ "$status" = 14 ] || fail "$m went on to block $at under rules from block $limit"
  [ "$(sqlite3 "$W/$m/ledger.db" "SELECT rules_version FROM tip")" -lt 5 ] || fail "$m followed rules that it does not have"
  [ "$status" != 14 ] || last=$m
  unset "pid[$m]"
done
status=0
FIRMIANA_HOME=$W/$last timeout 60 "$firmiana" node >>"$W/$last/node.out" 2>>"$W/$last/node.log" || status=$?
[ "$status" = 14 ] || fail "started again, $last ended with $status"
step "nobody followed rules that it does not have"

# ---- the next program, which has them, is installed: it goes on where the old one stopped ----
flags="-DDID_RULES_VERSION=5 -DLEDGER_RULES_VERSION=5"
cmake -S . -B "$build/newer" -G Ninja -DCMAKE_C_FLAGS="$flags" >"$W/newer.log" 2>&1 &&
  cmake --build "$build/newer" --target firmiana firmiana-verify >>"$W/newer.log" 2>&1 || fail "the next program: $(tail -n 20 "$W/newer.log")"
firmiana=$build/newer/bin/firmiana verify=$build/newer/bin/firmiana-verify
for m in "${members[@]}"; do start "$m"; done
beyond() { publish bank_a 2>/dev/null && reached bank_a $((limit + 1)); }
wait_for 120 "a block under the new rules" beyond
rm -f "$W"/*.bundle
one_trail
for m in "${members[@]}"; do
  [ "$(sqlite3 "$W/$m/ledger.db" "SELECT rules_version FROM tip")" = 5 ] || fail "$m follows other rules than those voted for"
done
"$build/bin/firmiana-verify" "$W/bank_a.bundle" >"$W/old.verified" 2>&1 && fail "an old verifier judges rules that it does not have"
homes_stop
step "the next program went on under the new rules, all alike"
else
homes_stop
fi
step "one trail at all, verified"
