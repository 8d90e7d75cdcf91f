# shellcheck shell=bash
# The consortium of homes.sh under real CometBFTs, for scripts that source this file: before, `build` is a build folder,
# `name` the script's. The script ends here (77: skipped) where CometBFT is not installed, or what it needs is not built.
engine=cometbft
export PATH=$PWD/build/tools:$PATH:/usr/sbin
skip() { echo "$name: skipped: $*"; exit 77; }
command -v cometbft >/dev/null || skip "no cometbft program: ./run cometbft installs it"
# shellcheck source=tests/homes.sh
. tests/homes.sh
t0=$(now_ms)

needs() { # PROGRAM...: helpers of the tests, which a build of the product alone does not have
  local p
  for p in "$@"; do [ -x "$build/tests/$p" ] || fail "there is no $build/tests/$p: ninja -C $build $p"; done
}
step() { echo "$name: $(($(now_ms) - t0)) ms: $*"; }
wait_for() { # SECONDS WHAT COMMAND...: until it succeeds
  local end=$(($(now_ms) + $1 * 1000)) what=$2
  shift 2
  until "$@"; do
    [ "$(now_ms)" -lt "$end" ] ||
      fail "$what: not in time: $(as bank_a status 2>&1) $(tail -n 3 "$W"/*/node.log) $(tail -n 3 "$W"/*/cometbft/cometbft.log)"
    sleep 0.1
  done
}
publish() { as "$1" dataset publish --table loans >/dev/null; } # MEMBER: a transaction, final when it returns
height() { as "$1" status --json | number final_height; }
reached() { [ "$(height "$1" 2>/dev/null || echo 0)" -ge "$2" ]; } # MEMBER HEIGHT
heights() { local m; for m in "$@"; do height "$m"; done; }
rpc() { # MEMBER PATH CURL_OPTION...: at the address that its node.json says, else at the socket in its home
  local m=$1 path=$2 at
  shift 2
  at=$(sed -n 's/.*"cometbft_rpc": "\([^"]*\)".*/\1/p' "$W/$m/node.json")
  if [ -n "$at" ]; then
    curl -sS --max-time 30 "$@" "http://$at/$path"
  else
    curl -sS --max-time 30 --unix-socket "$W/$m/cometbft/rpc.sock" "$@" "http://cometbft/$path"
  fi
}
stands_at() { # MEMBER...: of each its ledger's height, and its CometBFT's height, round and step
  local m h s
  for m in "$@"; do
    h=$(height "$m") && s=$(rpc "$m" consensus_state | grep -o '"height/round/step": *"[0-9/]*"') && [ -n "$h" ] || return 1
    echo "$m $h $s"
  done
}
at_rest() { # MEMBER...: what was under way has arrived, or never will: nothing moves for two spans in a row
  local was now
  was=$(stands_at "$@") || return 1
  for _ in 1 2; do
    sleep 2.5
    now=$(stands_at "$@") && [ "$now" = "$was" ] || return 1
  done
}
comet_of() { as "$1" status --json | sed -n 's/.*"pid":\([0-9]*\).*/\1/p'; }
crash() { # MEMBER: as by a power cut; its CometBFT goes with it
  local comet
  comet=$(comet_of "$1")
  kill -9 "${pid[$1]}"
  wait "${pid[$1]}" 2>/dev/null || true
  unset "pid[$1]"
  wait_for 60 "the end of $1's CometBFT" eval "! kill -0 $comet 2>/dev/null"
}
stop() { # MEMBER: in order
  kill -TERM "${pid[$1]}"
  wait "${pid[$1]}" || fail "$1 did not stop well"
  unset "pid[$1]"
}
set_member() { sed -i "s|^{|{\n  \"$2\": $3,|" "$W/$1/node.json"; } # MEMBER NAME JSON_VALUE, of node.json
vote() { as "$1" governance vote "$2" >/dev/null 2>&1; } # MEMBER ID: once its replica has the proposal
decide() { # VOTER... -- OPTIONS of governance propose: bank_a proposes, these vote for it
  local voters=() id m
  while [ "$1" != -- ]; do voters+=("$1"); shift; done
  shift
  id=$(as bank_a governance propose "$@" --json | sed -n 's/.*"id":"\([0-9a-f]*\)".*/\1/p')
  for m in "${voters[@]}"; do wait_for 60 "$m's vote" vote "$m" "${id:0:12}"; done
}
enter() { # MEMBER: a fifth one, a witness, is voted in and follows from the first block on
  local port
  port=$(sed -n 's/.*"listen": "tcp:\/\/127.0.0.1:\([0-9]*\)".*/\1/p' "$W/bank_a/node.json" | tail -n 1)
  "$firmiana" init --home "$W/$1" --alias "$1" --listen "tcp://127.0.0.1:$((port + 10))" --engine cometbft --consensus "tcp://127.0.0.1:$((port + 11))" >/dev/null
  decide bank_b bank_c -- --join "$W/$1/member.json" --as witness
  cp "$W/genesis.json" "$W/$1/genesis.json"
  start "$1"
  wait_for 60 "$1's catching up" reached "$1" "$(height bank_a)"
}
tell_lies() { # MEMBER MODE...: from its next start on comet_liar stands between its CometBFT and its node
  local m=$1
  shift
  "$build/tests/comet_liar" "$W/$m.liar" "$W/$m/cometbft/abci.sock" "$@" &
  pid[liar]=$!
  cat >"$W/$m.cometbft" <<LIAR
#!/bin/sh
[ "\$1" != start ] || sed -i 's|^proxy_app = .*|proxy_app = "unix://$W/$m.liar"|' "$W/$m/cometbft/config/config.toml"
exec cometbft "\$@"
LIAR
  chmod +x "$W/$m.cometbft"
  set_member "$m" cometbft "\"$W/$m.cometbft\""
}
end_lies() {
  kill -9 "${pid[liar]}"
  wait "${pid[liar]}" 2>/dev/null || true
  unset "pid[liar]"
}
one_trail() { # at rest, all members have one log, and it verifies from each one's bundle
  local m
  settle "the end"
  for m in "${members[@]}"; do
    as "$m" audit export --out "$W/$m.bundle" >/dev/null
    "$verify" "$W/$m.bundle" >"$W/$m.verified" || fail "the trail of $m: $(cat "$W/$m.verified")"
    grep -E '^ *(log|root) ' "$W/$m.verified"
  done | sort -u >"$W/roots"
  [ "$(wc -l <"$W/roots")" = 2 ] || fail "the replicas differ: $(cat "$W/roots")"
}
