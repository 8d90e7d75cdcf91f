#!/usr/bin/env bash
# What the network and the clocks do to a ledger under CometBFT: four members in network namespaces of their own. One is cut off:
# the others go on, it follows when it is back. Two and two: neither half goes on, nothing is lost, no half has a final block
# that the other has not. One whose disk was wiped joins by a snapshot from the other hosts, whose CometBFTs answer RPC at no
# address at all. One whose node's clock is 20 s wrong: the others go on, it says so, and is one of them again.
# usage: tests/cometbft_faults.sh BUILD_FOLDER
# Skips (77) without CometBFT (./run cometbft). Where namespaces may not be made it says so, and only the clocks are played, over
# loopback; without Debian's faketime (which ./run installs) it says so, and leaves them out. CometBFT's own clock is the
# machine's: a Go program asks the kernel, not the C library.
set -euo pipefail
build=$(cd "$1" && pwd) name=cometbft_faults.sh net=fm$((RANDOM % 9000 + 1000))
PATH=$PATH:/usr/sbin # ip
faketime=$(ls /usr/lib/*/faketime/libfaketime.so.1 2>/dev/null | head -n 1 || true)
hosts=no
if command -v ip >/dev/null && ip netns add "$net" 2>/dev/null; then hosts=yes; fi
clock=() # what a node is started with
if [ "$hosts" = yes ]; then
  trap 'ip netns del "$net"' EXIT # until there is more to clean up
  host_of() { case $1 in bank_a) echo 10.99.0.1 ;; bank_b) echo 10.99.0.2 ;; bank_c) echo 10.99.0.3 ;; *) echo 10.99.0.4 ;; esac }
  inside() { local m=$1; shift; exec ip netns exec "$net-$m" env "${clock[@]+"${clock[@]}"}" "$@"; }
else
  echo "$name: the partition is left out: this user may not make network namespaces (or there is no ip program: apt-get install iproute2)"
  inside() { shift; exec env "${clock[@]+"${clock[@]}"}" "$@"; }
fi
# shellcheck source=tests/cometbft_homes.sh
. tests/cometbft_homes.sh
[ -n "$faketime" ] || echo "$name: the clocks are left out: no libfaketime (apt-get install faketime)"
[ "$hosts$faketime" != no ] || skip "neither namespaces nor libfaketime: nothing is left to play"
namespaces=()
[ "$hosts" = no ] || namespaces=("$net")
faults_cleanup() { # with the status of what ended the script
  homes_cleanup
  local n
  for n in "${namespaces[@]+"${namespaces[@]}"}"; do ip netns del "$n" 2>/dev/null || true; done
}
trap faults_cleanup EXIT
cable() { ip -n "$net" link set "v-$1" "$2"; } # MEMBER up|down

if [ "$hosts" = yes ]; then
# ---- four hosts at one switch ----
ip -n "$net" link add switch type bridge
ip -n "$net" link set switch up
for m in "${members[@]}"; do
  ip netns add "$net-$m"
  namespaces+=("$net-$m")
  ip -n "$net" link add "v-$m" type veth peer name eth0 netns "$net-$m"
  ip -n "$net" link set "v-$m" master switch up
  ip -n "$net-$m" addr add "$(host_of "$m")/24" dev eth0
  ip -n "$net-$m" link set eth0 up
  ip -n "$net-$m" link set lo up
done
fi
homes_make 40
for m in "${members[@]}"; do set_member "$m" cometbft_snapshots 4; done
homes_start
for b in "${banks[@]}"; do publish "$b"; done
step "four nodes are up"

if [ "$hosts" = yes ]; then
# ---- one is cut off ----
cable bank_c down
h=$(height bank_c)
for _ in 1 2 3; do publish bank_a; publish bank_b; done
[ "$(height bank_c)" -le $((h + 1)) ] || fail "bank_c has blocks that nobody could tell it"
wait_for 60 "blocks of three of four" reached bank_a $((h + 6))
cable bank_c up
wait_for 120 "bank_c's catching up" reached bank_c "$(height bank_a)"
wait_connected
publish bank_c
step "one was cut off; the others went on; it is back"

# ---- two and two ----
cable bank_c down
cable regulator down
ip -n "$net" link add other type bridge
ip -n "$net" link set other up
for m in bank_c regulator; do ip -n "$net" link set "v-$m" master other; cable "$m" up; done
wait_for 60 "rest in both halves" at_rest bank_a bank_c
a=$(height bank_a) c=$(height bank_c)
(publish bank_a) & one=$!
(publish bank_c) & two=$!
sleep 8
kill -0 "$one" 2>/dev/null && kill -0 "$two" 2>/dev/null || fail "with two and two a transaction ended"
[ "$(height bank_a)" = "$a" ] && [ "$(height bank_c)" = "$c" ] || fail "a half went on by itself"
for m in bank_c regulator; do ip -n "$net" link set "v-$m" master switch; done
wait "$one" || fail "what waited in one half was lost"
wait "$two" || fail "what waited in the other half was lost"
wait_connected
settle "after two and two"
step "two and two: neither half went on; together they did"

# ---- a wiped disk, on a host of its own: the light client asks two members through tunnels (ledger/recovery.md) ----
crash bank_c
rm -rf "$W/bank_c/cometbft/data" "$W/bank_c"/ledger.db*
block_of() { rpc "$1" "block${2:+?height=$2}"; }
hash_of() { sed -n 's/.*"result":{"block_id":{"hash":"\([0-9A-F]*\)".*/\1/p'; }
newest=$(block_of bank_a)
at=$(sed -n 's/.*"chain_id":"[^"]*","height":"\([0-9]*\)".*/\1/p' <<<"$newest")
trust=$(hash_of <<<"$newest")
[ "$(block_of bank_b "$at" | hash_of)" = "$trust" ] || fail "two members, two blocks $at"
urls=()
for m in bank_a bank_b; do # as ssh -L does it, from bank_c's own loopback to the socket in the other's home
  inside bank_c socat "TCP-LISTEN:$((26650 + ${#urls[@]})),bind=127.0.0.1,fork,reuseaddr" "UNIX-CONNECT:$W/$m/cometbft/rpc.sock" &
  pid[tunnel_$m]=$!
  urls+=("http://127.0.0.1:$((26650 + ${#urls[@]}))")
done
for _ in 1 2 3 4; do publish bank_a; done
h=$(height bank_a)
set_member bank_c cometbft_sync "\"$at:$trust@${urls[0]},${urls[1]}\""
start bank_c
wait_for 120 "bank_c's joining by a snapshot" reached bank_c "$h"
wait_connected
publish bank_c
first=$(rpc bank_c status | sed -n 's/.*"earliest_block_height":"\([0-9]*\)".*/\1/p')
[ "$first" -gt "$at" ] || fail "bank_c has block $first: no snapshot was used"
for m in bank_a bank_b; do
  kill "${pid[tunnel_$m]}"
  unset "pid[tunnel_$m]"
done
step "a wiped disk joined by a snapshot, its light client through tunnels"
fi

# ---- a clock that is wrong ----
if [ -n "$faketime" ]; then
  for by in +20 -20; do
    stop bank_c
    clock=("LD_PRELOAD=$faketime" "FAKETIME=${by}s" FAKETIME_DONT_FAKE_MONOTONIC=1)
    start bank_c
    clock=()
    for _ in 1 2 3; do publish bank_a; publish bank_b; done
    wait_for 60 "bank_c's following with a clock $by s wrong" reached bank_c "$(height bank_b)"
    said() { publish bank_a && as bank_a status | grep "bank_c .*clock [+-]*[12][0-9]\{4\} ms\|bank_c .*clock [+-]*[12][0-9]\(\.[0-9]*\)* s" >/dev/null; }
    wait_for 60 "bank_a's word of bank_c's clock" said
  done
  grep -q 'behind our clock' "$W/bank_c/node.log" || fail "bank_c, ahead, saw no late block: $(tail -n 5 "$W/bank_c/node.log")"
  grep -q 'ahead of our clock\|in the future' "$W/bank_c/node.log" || fail "bank_c, behind, saw no block of the future: $(tail -n 5 "$W/bank_c/node.log")"
  stop bank_c
  start bank_c
  wait_connected
  publish bank_c
  step "a node's clock was 20 s wrong, both ways: it said so, the others went on, and it is back"
fi

# ---- one trail ----
one_trail
homes_stop
step "one trail at all four, verified"
