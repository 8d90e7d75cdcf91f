#!/usr/bin/env bash
# One validator's key at two nodes, as by a spare machine that was switched on too early: where it is its turn it proposes two
# blocks for one height and round, and votes for both. The others go on; the ledger names it; when the twin is gone all is well.
# usage: tests/cometbft_twins.sh BUILD_FOLDER      Skips (77) where CometBFT is not installed: ./run cometbft
set -euo pipefail
build=$(cd "$1" && pwd) name=cometbft_twins.sh
# shellcheck source=tests/cometbft_homes.sh
. tests/cometbft_homes.sh
needs comet_liar

loud() { # MEMBER: its CometBFT tells of the proposals that it signs
  local wrapped=cometbft
  [ ! -e "$W/$1.cometbft" ] || { mv "$W/$1.cometbft" "$W/$1.quiet" && wrapped=$W/$1.quiet; }
  cat >"$W/$1.cometbft" <<LOUD
#!/bin/sh
[ "\$1" = start ] || exec cometbft "\$@"
exec $wrapped "\$@" --log_level 'consensus:debug,*:error'
LOUD
  chmod +x "$W/$1.cometbft"
  grep -q '"cometbft"' "$W/$1/node.json" || set_member "$1" cometbft "\"$W/$1.cometbft\""
}
signed() { sed -n 's/.*signed proposal.*Proposal{\([0-9]*\/[0-9]*\) (\([0-9A-F]*\):.*/\1 \2/p' "$W/$1/cometbft/cometbft.log" | sort -u; } # HEIGHT/ROUND HASH
two_proposals() { # lines of one height and round that both signed, for two blocks
  join -j 1 <(signed regulator) <(signed observer) | awk '$2 != $3'
}
proposed_twice() { publish bank_a && publish bank_b && [ -n "$(two_proposals)" ]; }
proven() { publish bank_c && as "$1" status | grep 'PROVEN: the validator of regulator voted twice' >/dev/null; }

homes_make 40
homes_start
for b in "${banks[@]}"; do publish "$b"; done
enter observer
step "five nodes are up"

# ---- the observer's CometBFT has the regulator's key, and proposes empty blocks with it ----
crash observer
crash regulator
cp "$W/regulator/cometbft/config/priv_validator_key.json" "$W/observer/cometbft/config/priv_validator_key.json"
tell_lies observer empty
loud observer
loud regulator
start regulator
start observer
wait_for 120 "two proposals for one height and round" proposed_twice
step "two proposals of one validator: $(two_proposals | head -n 1)"
for m in "${members[@]}"; do wait_for 120 "$m's word of it" proven "$m"; done
h=$(height bank_a)
for b in "${banks[@]}"; do publish "$b"; done
[ "$(height bank_a)" -gt "$h" ] || fail "it does not go on: $(as bank_a status)"
step "the others went on, and the ledger names it"

# ---- the twin is switched off ----
crash observer
end_lies
for b in "${banks[@]}"; do publish "$b"; done
one_trail
grep -q 'the validator of regulator voted twice at block' "$W/bank_a.verified" || fail "the trail does not say so: $(cat "$W/bank_a.verified")"
homes_stop
step "one trail at all four, verified: $(two_proposals | wc -l) turns with two proposals"
