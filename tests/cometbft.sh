#!/usr/bin/env bash
# A ledger that CometBFT orders: four members, each with its node and its CometBFT, over loopback. Queries and answers as
# under the default engine; one killed and back; its CometBFT alone killed; two killed: nothing goes on, nothing is lost; a
# wiped disk; a corrupt one; folders that do not belong together; a stranger at the door. At the end all replicas have one
# trail, and it verifies.
# usage: tests/cometbft.sh BUILD_FOLDER      Skips (77) where CometBFT is not installed: ./run cometbft
set -euo pipefail
build=$(cd "$1" && pwd) name=cometbft.sh
# shellcheck source=tests/cometbft_homes.sh
. tests/cometbft_homes.sh
needs comet_liar

refuses() { # MEMBER EXIT_CODE TEXT: its node does not start, and says why
  local status=0 out
  out=$(FIRMIANA_HOME=$W/$1 timeout 120 "$firmiana" node 2>&1) || status=$?
  [ "$status" = "$2" ] || fail "$1 should refuse to start with exit code $2, not $status: $out"
  [[ $out == *"$3"* ]] || fail "$1 does not say '$3': $out"
}

# ---- setting up; what does not fit together is refused ----
homes_make 200
out=$("$firmiana" ledger init --name x --sequencer bank_a --out "$W/x.json" --member "$W/bank_a/member.json" 2>&1) &&
  fail "a genesis of CometBFT's members without --engine cometbft"
[[ $out == *"--engine cometbft"* ]] || fail "$out"
port=$(sed -n 's/.*"listen": "tcp:\/\/127.0.0.1:\([0-9]*\)".*/\1/p' "$W/bank_a/node.json")
rpcs=(127.0.0.1:$((port + 8)) 127.0.0.1:$((port + 9)))
set_member bank_a cometbft_rpc "\"${rpcs[0]}\""
set_member bank_b cometbft_rpc "\"${rpcs[1]}\""
for m in "${members[@]}"; do set_member "$m" cometbft_snapshots 4; done
homes_start
step "four nodes are up"

# ---- a stranger: a CometBFT with the same genesis and a key of its own dials a member, and is turned away each time ----
S=$W/stranger
cometbft init --home "$S" >/dev/null
cp "$W/bank_a/cometbft/config/genesis.json" "$S/config/"
bank=$(sed -n 's/^persistent_peers = "\([^,"]*\).*/\1/p' "$W/bank_b/cometbft/config/config.toml")
[[ $bank == *@127.0.0.1:* ]] || fail "bank_b's first peer: '$bank'"
sed -i "s|^persistent_peers = .*|persistent_peers = \"$bank\"|; s|^proxy_app = .*|proxy_app = \"noop\"|; s|^pprof_laddr = .*|pprof_laddr = \"\"|
  s|^laddr = \"tcp://0.0.0.0:26656\"|laddr = \"tcp://127.0.0.1:0\"|; s|^laddr = \"tcp://127.0.0.1:26657\"|laddr = \"unix://$S/rpc.sock\"|
  s|^addr_book_strict = .*|addr_book_strict = false|" "$S/config/config.toml"
cometbft start --home "$S" >"$W/stranger.log" 2>&1 &
pid[stranger]=$!
turned_away() { [ "$(grep -c "Stopping peer for error.*${bank%@*}.*err=EOF" "$W/stranger.log")" -ge 3 ]; }
wait_for 60 "the stranger's being turned away three times" turned_away
stranger=$(cometbft show-node-id --home "$S")
peers_of() { rpc "$1" net_info; } # two of them answer RPC at an address
has_three() { peers_of "$1" | grep '"n_peers":"3"' >/dev/null; }
for m in "${members[@]}"; do
  wait_for 60 "$m's three peers" has_three "$m"
  peers_of "$m" >"$W/peers"
  ! grep -q "$stranger" "$W/peers" || fail "$m has the stranger $stranger among its peers: $(cat "$W/peers")"
done
curl -sS --unix-socket "$S/rpc.sock" http://cometbft/status | grep '"latest_block_height":"0"' >/dev/null || fail "the stranger has blocks"
kill -9 "${pid[stranger]}"
wait "${pid[stranger]}" 2>/dev/null || true
unset 'pid[stranger]'
step "a stranger with the same genesis was turned away $(grep -c 'Stopping peer for error' "$W/stranger.log") times"

# ---- what people do ----
for b in "${banks[@]}"; do publish "$b"; done
contract bank_a "bank_a bank_b bank_c" 'SELECT COUNT(*) AS n, SUM(rate_bp) AS s FROM loans WHERE overdue_days > $1'
got=$(as bank_a query run "$id" --param 1=10 --csv | tail -n 1)
want=$(pooled 'SELECT COUNT(*), SUM(rate_bp) FROM loans WHERE overdue_days > 10')
[ "$got" = "$want" ] || fail "the answer is $got, SQLite says $want"
status=$(as bank_a status)
[[ $status == *"sequenced by CometBFT"* && $status == *"cometbft   0.38."*", running"* ]] || fail "status: $status"
out=$(as bank_a ledger epoch propose bank_b 2>&1 </dev/null) && fail "an epoch where there are none"
step "a query is answered as SQLite answers it"

# ---- one is killed, and back ----
crash bank_c
publish bank_a # three of four go on
h=$(height bank_a)
start bank_c
wait_connected
wait_for 60 "bank_c's catching up" reached bank_c "$h"
step "one was killed; the others went on; it is back"

# ---- CometBFT alone is killed: the node starts it again ----
kill -9 "$(comet_of bank_b)"
restarted() { [ "$(as bank_b status --json | number restarts)" = 1 ] && as bank_b status | grep 'cometbft .*, running' >/dev/null; }
wait_for 60 "bank_b's CometBFT" restarted
publish bank_b
step "a CometBFT was killed; its node started it again"

# ---- two are killed: no progress, nothing lost ----
crash bank_c
crash regulator
wait_for 60 "rest at the two who are left" at_rest bank_a bank_b
h=$(height bank_b)
(as bank_a dataset publish --table loans >"$W/waiting.out" 2>&1) &
waiting=$!
sleep 3
kill -0 "$waiting" 2>/dev/null || fail "with two of four gone a transaction ended: $(cat "$W/waiting.out")"
[ "$(height bank_b)" = "$h" ] || fail "with two of four gone a block became final"
start bank_c
start regulator
wait "$waiting" || fail "what waited for the others was lost: $(cat "$W/waiting.out")"
wait_connected
wait_for 60 "catching up" reached regulator $((h + 1))
step "two were killed: nothing went on; they are back, and it did"

# ---- disks ----
crash bank_c
cp -r "$W/bank_c" "$W/kept"
rm -rf "$W/bank_c/cometbft/data"
refuses bank_c 11 "they go together"
rm -rf "$W/bank_c"
cp -r "$W/kept" "$W/bank_c"
dd if=/dev/urandom of="$W/bank_c/ledger.db" bs=4096 seek=1 count=$(($(stat -c %s "$W/bank_c/ledger.db") / 4096 - 1)) conv=notrunc status=none
rm -f "$W/bank_c/ledger.db-wal" "$W/bank_c/ledger.db-shm"
refuses bank_c 9 "ledger.db"
step "folders that do not belong together, and a corrupt disk, are refused"

# ---- a wiped disk joins by a snapshot: no block before it is executed there ----
rm -rf "$W/bank_c/cometbft/data" "$W/bank_c"/ledger.db*
block=$(curl -sS "http://${rpcs[0]}/block")
trust=$(sed -n 's/.*"result":{"block_id":{"hash":"\([0-9A-F]*\)".*/\1/p' <<<"$block")
at=$(sed -n 's/.*"chain_id":"[^"]*","height":"\([0-9]*\)".*/\1/p' <<<"$block")
# What a person would compare with another member; the snapshot must be of a later block.
[ "$(curl -sS "http://${rpcs[1]}/block?height=$at" | sed -n 's/.*"result":{"block_id":{"hash":"\([0-9A-F]*\)".*/\1/p')" = "$trust" ] || fail "two members, two blocks $at"
for _ in 1 2 3 4; do publish bank_a; done
h=$(height bank_a)
set_member bank_c cometbft_sync "\"$at:$trust@http://${rpcs[0]},http://${rpcs[1]}\""
start bank_c
wait_connected
wait_for 120 "bank_c's joining by a snapshot" reached bank_c "$h"
publish bank_c
first=$(rpc bank_c status | sed -n 's/.*"earliest_block_height":"\([0-9]*\)".*/\1/p')
[ "$first" -gt "$at" ] || fail "bank_c has block $first: no snapshot was used"
step "a wiped disk joined by a snapshot"

# ---- a validator proposes what no block may hold: the others do not vote for it, say so, and go on ----
crash regulator
tell_lies regulator
start regulator
wait_connected
refused() { publish bank_a && grep -q 'we do not vote for the proposed block' "$W/bank_a/node.log"; }
wait_for 120 "a refused proposal" refused
publish bank_b
step "a validator that proposes nonsense is outvoted, and reported"

# ---- one trail ----
one_trail
[ -z "$(grep -h 'ended (' "$W"/bank_a/node.log || true)" ] || fail "bank_a's CometBFT ended: $(tail -n 5 "$W/bank_a/cometbft/cometbft.log")"
end_lies
homes_stop
pgrep -f "$W/.*/cometbft" >/dev/null && fail "a CometBFT outlived its node"
step "one trail at all four, verified"
