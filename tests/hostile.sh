#!/usr/bin/env bash
# Hostile peers against real nodes: strangers who flood a node, and somebody between two members who alters, drops, doubles,
# moves and replays frames. usage: tests/hostile.sh BUILD_FOLDER      FIRMIANA_FULL=1: longer, and a stopped process
#
# Three banks, each a process on loopback. bank_a dials bank_b through tests/hostile's proxy (the address that bank_b
# published), which passes everything on until it is told to do harm. Then:
#   - during every flood a query is answered in time and rightly, and bank_b's memory stays bounded;
#   - damage on the way between bank_a and bank_b ends a query soon, with one line that names a party, and the next query,
#     over a new connection, is right; a repeated frame of an earlier query changes nothing, or is found out;
#   - nobody but these two loses a connection, and no node ends.
set -euo pipefail
# shellcheck source=tests/ports.sh
source "$(dirname "$0")/ports.sh"

build=$(cd "$1" && pwd)
# shellcheck source=tests/profile.sh
source "$(dirname "$0")/profile.sh"
full=${FIRMIANA_FULL:-}
[ "$full" = 1 ] || full=
firmiana=$build/bin/firmiana hostile=$build/tests/hostile
W=$(mktemp -d)
members=(bank_a bank_b bank_c)
declare -A pid=()
query_timeout=60
flood_ms=500
[ -z "$full" ] || flood_ms=10000
sanitized=
if grep -q 'FIRMIANA_SANITIZE:STRING=.' "$build/CMakeCache.txt"; then sanitized=yes; fi

cleanup() {
  local status=$?
  [ ${#pid[@]} -eq 0 ] || kill -9 "${pid[@]}" 2>/dev/null || true
  wait 2>/dev/null || true
  if [ "$status" -eq 0 ]; then rm -rf "$W"; else echo "hostile.sh: FAILED; the homes are in $W" >&2; fi
}
trap cleanup EXIT
fail() { echo "hostile.sh: $*" >&2; exit 1; }
as() {
  local who=$1
  shift
  FIRMIANA_HOME=$W/$who timeout 90 "$firmiana" "$@"
}
number() { sed -n "s/.*\"$1\":\\([0-9]*\\).*/\\1/p"; }
start() {
  FIRMIANA_HOME=$W/$1 "$firmiana" node --passphrase-fd 9 9<<<"hostile passphrase" >>"$W/$1/node.out" 2>>"$W/$1/node.log" &
  pid[$1]=$!
}
wait_connected() {
  local m
  for m in "${members[@]}"; do
    for _ in $(seq 3000); do
      [ "$(as "$m" status --json 2>/dev/null | number connected)" != 2 ] || continue 2
      kill -0 "${pid[$m]}" 2>/dev/null || fail "$1: $m ended by itself: $(tail -n 3 "$W/$m/node.log")"
      sleep 0.02
    done
    fail "$1: $m did not reach the others again: $(as "$m" status 2>&1) $(tail -n 3 "$W/$m/node.log")"
  done
}
now_ms() { date +%s%3N; }
memory_kib() { sed -n "s/^VmHWM:[^0-9]*\\([0-9]*\\).*/\\1/p" "/proc/${pid[bank_b]}/status"; } # at its greatest

# ---- the consortium ----
"$firmiana" demo-data "$W/data" --rows 300 --banks 3 >/dev/null
ports_claim
declare -A listen=() real=()
for m in "${members[@]}"; do
  listen[$m]=$port real[$m]=$port
  port=$((port + 1))
  "$firmiana" init --home "$W/$m" --alias "$m" --listen "tcp://127.0.0.1:${listen[$m]}" --passphrase-fd 9 9<<<"hostile passphrase" >/dev/null
  cp "$W/data/$m.db" "$W/$m/data.db"
done
real[bank_b]=$port
sed -i "s/:${listen[bank_b]}\"/:$port\"/" "$W/bank_b/node.json"
grep -q ":$port\"" "$W/bank_b/node.json" || fail "node.json keeps no address"
coproc PROXY { exec "$hostile" proxy "${listen[bank_b]}" "$port"; }
pid[proxy]=$PROXY_PID
# shellcheck disable=SC2046
"$firmiana" ledger init --name "hostile" --quorum 2 --sequencer bank_c --out "$W/genesis.json" \
  $(for m in "${members[@]}"; do printf -- '--member %s ' "$W/$m/member.json"; done) >/dev/null
for m in "${members[@]}"; do
  cp "$W/genesis.json" "$W/$m/genesis.json"
  start "$m"
done
wait_connected "the beginning"
for m in "${members[@]}"; do as "$m" dataset publish --table loans >/dev/null; done
cat >"$W/spec.json" <<'SPEC'
{"name": "sum", "purpose": "statistics", "sql": "SELECT COUNT(*) AS n, MAX(overdue_days) AS worst FROM loans WHERE overdue_days > $1",
 "compute": ["bank_a", "bank_b", "bank_c"], "recipients": ["bank_a"],
 "parameters": [{"name": "$1", "type": "INTEGER", "range": [0, 3650]}],
 "minimum_group": 5, "consent": {"requirement": "none", "basis": "aggregates of at least 5 subjects"}}
SPEC
as bank_a contract draft "$W/spec.json" --out "$W/contract.json" >/dev/null
as bank_a contract propose "$W/contract.json" >/dev/null
contract=$(tr -d '\n' <"$W/contract.json" | digest)
for m in "${members[@]}"; do
  FIRMIANA_HOME=$W/$m "$firmiana" contract authorize "$contract" --runs 1000 --passphrase-fd 9 9<<<"hostile passphrase" >/dev/null
done
want=$(sqlite3 -csv :memory: "ATTACH '$W/data/bank_a.db' AS a; ATTACH '$W/data/bank_b.db' AS b; ATTACH '$W/data/bank_c.db' AS c;
  WITH loans AS (SELECT * FROM a.loans UNION ALL SELECT * FROM b.loans UNION ALL SELECT * FROM c.loans)
  SELECT COUNT(*), MAX(overdue_days) FROM loans WHERE overdue_days > 10")

ask() { as bank_a query run "$contract" --param 1=10 --csv --timeout "$query_timeout"; }
answered() { # what happens meanwhile
  local began took answer
  began=$(now_ms)
  answer=$(ask 2>"$W/error") || fail "$1: no answer: $(cat "$W/error")"
  took=$(($(now_ms) - began))
  [ "$(tail -n 1 <<<"$answer")" = "$want" ] || fail "$1: a wrong answer: $answer"
  printf 'query during %-28s right, after %4s ms\n' "$1:" "$took"
}
answered "peace"
answered "peace"

# ---- strangers ----
quiet_kib=$(memory_kib)
kinds="silent greeted parts junk hello reset garbage slow oversize churn"
flooded() { # KIND MS
  local kind=$1 ms=$2
  "$hostile" flood "${real[bank_b]}" "$kind" "$ms" 200 >"$W/flood.json" &
  flood=$!
  sleep 0.1
  answered "$kind"
  wait "$flood" || fail "$kind: the flood itself failed"
  cat "$W/flood.json"
  case $kind in
    parts | oversize | junk | hello | reset | garbage | churn) [ "$(number made <"$W/flood.json")" -gt 200 ] ;;
  esac
}
for kind in $kinds; do
  ms=$flood_ms
  [ "$kind" != parts ] || ms=$((3 * flood_ms)) # long enough for memory without a bound to show
  flooded "$kind" "$ms" || flooded "$kind" $((10 * ms)) || flooded "$kind" $((40 * ms)) || # a busy machine floods slowly
    fail "$kind: nobody was turned away"
done
peak_kib=$(memory_kib)
echo "bank_b's memory: $quiet_kib kB before, at most $peak_kib kB during the floods"
[ -n "$sanitized" ] || [ "$peak_kib" -le $((quiet_kib + 262144)) ] || fail "memory grew by more than 256 MiB"
fds=$(find "/proc/${pid[bank_b]}/fd" -mindepth 1 | wc -l)
[ "$fds" -le 250 ] || fail "$fds descriptors are open at bank_b after the floods"
wait_connected "after the floods"
grep -q '"event":"strangers".*127.0.0.66' "$W/bank_b/node.log" || fail "the log does not say who was turned away"
! grep -E 'peer_down|"peer.down"' "$W"/bank_*/node.log || fail "a flood cost a member its connection"

# ---- between two members ----
tell() { echo "$1" >&"${PROXY[1]}"; }
hear() { # fault
  local line
  read -r -t 30 line <&"${PROXY[0]}" || fail "$1: the proxy never got to it"
  [ "$line" = "fired $1" ] || fail "$1: the proxy says '$line'"
}
damaged() { # fault
  local began took status=0
  tell "$1"
  began=$(now_ms)
  ask >"$W/answer" 2>"$W/error" || status=$?
  took=$(($(now_ms) - began))
  hear "$1"
  [ "$status" -ne 0 ] || fail "$1: nobody noticed: $(cat "$W/answer")"
  [ "$(wc -l <"$W/error")" = 1 ] || fail "$1: the error is not one line: $(cat "$W/error")"
  grep -q 'bank_' "$W/error" || fail "$1: nobody is named: $(cat "$W/error")"
  [ ! -s "$W/answer" ] || fail "$1: an error and an answer: $(cat "$W/answer")"
  [ "$took" -lt 40000 ] || fail "$1: noticed only after $took ms"
  printf '%-8s ended after %4s ms: %s\n' "$1" "$took" "$(cut -c1-150 "$W/error")"
  wait_connected "$1"
}
faults="session tag drop" # each makes the node wait longer before it dials again
[ -z "$full" ] || faults="more version kind type stream length session cipher tag control drop double swap"
for fault in $faults; do
  damaged "$fault"
done
answered "the time after"
tell record
answered "recording"
hear record
tell replay
answered "a frame of an earlier query"
hear replay
for m in "${members[@]}"; do kill -0 "${pid[$m]}" 2>/dev/null || fail "$m ended"; done

# ---- somebody stops, or is cut off in silence: named after 10 s, not at the query's deadline ----
silent() { # what, how it begins, how it ends
  local began took status=0
  tell record
  ask >"$W/answer" 2>"$W/error" &
  asked=$!
  hear record # the computation has begun
  $2
  began=$(now_ms)
  wait "$asked" || status=$?
  took=$(($(now_ms) - began))
  $3
  [ "$status" -ne 0 ] || fail "$1: it was not needed"
  grep -q 'bank_' "$W/error" || fail "$1: nobody is named: $(cat "$W/error")"
  [ "$took" -lt 40000 ] || fail "$1: noticed only after $took ms: $(cat "$W/error")"
  echo "$1: after $took ms: $(cat "$W/error")"
  wait_connected "$1"
  answered "the time after"
}
stop() { kill -STOP "${pid[bank_b]}"; }
go_on() { kill -CONT "${pid[bank_b]}"; }
halve() { tell halves; hear halves; }
heal() { tell heal; hear heal; }
if [ -n "$full" ]; then
  silent "a stopped process" stop go_on
  silent "a line that says nothing" halve heal
fi
tell quit
for m in "${members[@]}"; do kill -TERM "${pid[$m]}"; done
for m in "${members[@]}"; do
  status=0
  wait "${pid[$m]}" || status=$?
  [ "$status" -eq 0 ] || fail "$m: SIGTERM ended it with $status: $(tail -n 3 "$W/$m/node.log")"
  unset "pid[$m]"
done
