#!/usr/bin/env bash
# kill -9 of any node at any moment of a query: three banks and a regulator as real processes over loopback.
# usage: tests/kill.sh BUILD_FOLDER [ROUNDS]      FIRMIANA_FULL=1: many more rounds, random moments
#
# Roles: bank_a asks and computes, bank_b provides and computes, bank_c provides only, the regulator sequences and
# computes. In each round a query runs, one of them is killed (now and then: asked to stop, which must
# end with exit code 0) some milliseconds into it, and is started again. Then:
#   - the query's caller has an answer or an error with a name, within the query's time-out and a margin;
#   - an answer that was given is what SQLite says;
#   - the ledger of the one that was killed opens at a whole block, and all four come to the same log;
#   - every query ends as done, aborted or refused on the ledger, an ended one that is not done with its rule.
# At the end firmiana-verify finds every replica's trail valid and the same, and SIGTERM drains all of them: exit code 0.
set -euo pipefail

build=$(cd "$1" && pwd)
rounds=${2:-}
full=${FIRMIANA_FULL:-}
if [ -z "$rounds" ]; then if [ -n "$full" ]; then rounds=100; else rounds=10; fi; fi
firmiana=$build/bin/firmiana verify=$build/bin/firmiana-verify
W=$(mktemp -d)
members=(bank_a bank_b bank_c regulator)
banks=(bank_a bank_b bank_c)
declare -A pid=()
query_timeout=15

cleanup() {
  local status=$?
  [ ${#pid[@]} -eq 0 ] || kill -9 "${pid[@]}" 2>/dev/null || true
  wait 2>/dev/null || true
  if [ "$status" -eq 0 ]; then rm -rf "$W"; else echo "kill.sh: FAILED; the homes are in $W" >&2; fi
}
trap cleanup EXIT
fail() { echo "kill.sh: $*" >&2; exit 1; }

as() {
  local who=$1
  shift
  FIRMIANA_HOME=$W/$who timeout 90 "$firmiana" "$@"
}
number() { sed -n "s/.*\"$1\":\\([0-9]*\\).*/\\1/p"; }
start() {
  FIRMIANA_HOME=$W/$1 "$firmiana" node --passphrase-fd 9 9<<<"kill passphrase" >>"$W/$1/node.out" 2>>"$W/$1/node.log" &
  pid[$1]=$!
}
wait_connected() { # until each node sees the three others
  local m
  for m in "${members[@]}"; do
    for _ in $(seq 400); do
      [ "$(as "$m" status --json 2>/dev/null | number connected)" != 3 ] || continue 2
      kill -0 "${pid[$m]}" 2>/dev/null || fail "$m ended by itself: $(tail -n 3 "$W/$m/node.log")"
      sleep 0.05
    done
    fail "$m did not reach the others again: $(as "$m" status 2>&1) $(tail -n 3 "$W/$m/node.log")"
  done
}

# ---- the consortium ----
"$firmiana" demo-data "$W/data" --rows 300 --banks 3 >/dev/null
port=${FIRMIANA_KILL_PORT:-$((20000 + RANDOM % 20000))}
for m in "${members[@]}"; do
  "$firmiana" init --home "$W/$m" --alias "$m" --listen "tcp://127.0.0.1:$port" --passphrase-fd 9 9<<<"kill passphrase" >/dev/null
  port=$((port + 1))
done
for b in "${banks[@]}"; do cp "$W/data/$b.db" "$W/$b/data.db"; done
# shellcheck disable=SC2046
"$firmiana" ledger init --name "kill" --quorum 3 --sequencer regulator --out "$W/genesis.json" \
  $(for m in "${members[@]}"; do printf -- '--member %s ' "$W/$m/member.json"; done) >/dev/null
for m in "${members[@]}"; do
  cp "$W/genesis.json" "$W/$m/genesis.json"
  start "$m"
done
wait_connected
for b in "${banks[@]}"; do as "$b" dataset publish --table loans >/dev/null; done
cat >"$W/spec.json" <<'SPEC'
{"name": "sum", "purpose": "statistics", "sql": "SELECT COUNT(*) AS n, MAX(overdue_days) AS worst, MIN(overdue_days) AS least FROM loans WHERE overdue_days > $1",
 "compute": ["bank_a", "bank_b", "regulator"], "recipients": ["bank_a"],
 "parameters": [{"name": "$1", "type": "INTEGER", "range": [0, 3650]}],
 "minimum_group": 5, "consent": {"requirement": "none", "basis": "aggregates of at least 5 subjects"}}
SPEC
as bank_a contract draft "$W/spec.json" --out "$W/contract.json" >/dev/null
as bank_a contract propose "$W/contract.json" >/dev/null
contract=$(tr -d '\n' <"$W/contract.json" | sha256sum | cut -d' ' -f1)
for b in "${banks[@]}"; do
  FIRMIANA_HOME=$W/$b "$firmiana" contract authorize "$contract" --runs 1000 --passphrase-fd 9 9<<<"kill passphrase" >/dev/null
done
want=$(sqlite3 -csv :memory: "ATTACH '$W/data/bank_a.db' AS a; ATTACH '$W/data/bank_b.db' AS b; ATTACH '$W/data/bank_c.db' AS c;
  WITH loans AS (SELECT * FROM a.loans UNION ALL SELECT * FROM b.loans UNION ALL SELECT * FROM c.loans)
  SELECT COUNT(*), MAX(overdue_days), MIN(overdue_days) FROM loans WHERE overdue_days > 10")

# How long an undisturbed query takes decides where the moments lie.
ask() { as bank_a query run "$contract" --param 1=10 --csv --timeout "$query_timeout"; }
now_ms() { date +%s%3N; }
t0=$(now_ms)
[ "$(ask | tail -n 1)" = "$want" ] || fail "the undisturbed query is wrong"
whole=$(($(now_ms) - t0))

# ---- one round ----
settle() { # all four at one log, no query open
  local m heads open
  for _ in $(seq 600); do
    heads=$(for m in "${members[@]}"; do as "$m" status --json | sed -n 's/.*"final_height":\([0-9]*\).*"log_size":\([0-9]*\).*/\1 \2/p'; done | sort -u)
    open=$(as bank_b query list --json | { grep -o "\"status\":\"open\"" || true; } | wc -l)
    if [ "$(wc -l <<<"$heads")" = 1 ] && [ "$open" = 0 ]; then return 0; fi
    sleep 0.05
  done
  for m in "${members[@]}"; do as "$m" status >&2 || true; done
  as bank_b query list >&2
  fail "round $round: after $victim was ended at $delay ms the ledger did not come to rest"
}

answers=0
round_of() { # victim, delay in ms
  local status=0 ended=0 began asked took signal=KILL
  victim=$1 delay=$2
  [ $((round % 4)) -ne 2 ] || signal=TERM # it drains, with the query running
  began=$(now_ms)
  ask >"$W/answer" 2>"$W/error" &
  asked=$!
  sleep "$(printf '%d.%03d' $((delay / 1000)) $((delay % 1000)))"
  kill -"$signal" "${pid[$victim]}"
  wait "${pid[$victim]}" 2>/dev/null || ended=$?
  [ "$signal" = KILL ] || [ "$ended" = 0 ] || fail "round $round: SIGTERM ended $victim with $ended: $(tail -n 3 "$W/$victim/node.log")"
  # A whole block, or nothing: SQLite and our own hashes agree before anything replays the write-ahead log.
  start "$victim"
  wait "$asked" || status=$?
  took=$(($(now_ms) - began))
  [ "$took" -le $((query_timeout * 1000 + 10000)) ] || fail "round $round: the query took $took ms: $(cat "$W/error")"
  if [ "$status" -eq 0 ]; then
    [ "$(tail -n 1 "$W/answer")" = "$want" ] || fail "round $round: a wrong answer: $(cat "$W/answer")"
    answers=$((answers + 1))
  else
    [ "$(wc -l <"$W/error")" = 1 ] || fail "round $round: the error is not one line: $(cat "$W/error")"
    [ ! -s "$W/answer" ] || fail "round $round: an error and an answer: $(cat "$W/answer")"
  fi
  wait_connected
  settle
  printf 'round %-3s %-10s SIG%s after %4s ms: %s\n' "$round" "$victim" "$signal" "$delay" \
    "$([ "$status" -eq 0 ] && echo answered || cut -c1-120 "$W/error")"
}

for round in $(seq "$rounds"); do
  if [ -n "$full" ]; then
    round_of "${members[RANDOM % 4]}" $((RANDOM % (whole + 50)))
  else
    # Every victim early and late; the moments move through the whole query with the rounds.
    round_of "${members[(round - 1 + round / 4) % 4]}" $((whole * (2 * round - 1) / (2 * rounds)))
  fi
done

# ---- the end ----
[ "$(ask | tail -n 1)" = "$want" ] || fail "after all rounds a query no longer answers"
settle
as bank_c query list --json >"$W/queries.json"
! grep -q '"status":"open"' "$W/queries.json" || fail "a query was left open"
tr '{' '\n' <"$W/queries.json" | grep -E '"status":"(aborted|refused)"' >"$W/ended" || true
! grep -v '"rule":"' "$W/ended" || fail "a query ended without a rule"
for m in "${members[@]}"; do # every replica proves the same log, whole
  as "$m" audit export --out "$W/$m.bundle" >/dev/null
  "$verify" "$W/$m.bundle" >"$W/verified" || fail "$m: the trail does not verify: $(tail -n 1 "$W/verified")"
  grep -E '^ *(log|root) ' "$W/verified" >>"$W/roots"
done
[ "$(sort -u "$W/roots" | wc -l)" = 2 ] || fail "the replicas differ: $(sort -u "$W/roots")"
for m in "${members[@]}"; do kill -TERM "${pid[$m]}"; done
for m in "${members[@]}"; do
  status=0
  wait "${pid[$m]}" || status=$?
  [ "$status" -eq 0 ] || fail "$m: SIGTERM ended it with $status: $(tail -n 3 "$W/$m/node.log")"
  unset "pid[$m]"
done
for m in "${members[@]}"; do
  [ "$(sqlite3 "$W/$m/ledger.db" 'PRAGMA integrity_check')" = ok ] || fail "$m: ledger.db is damaged"
  [ ! -e "$W/$m/node.sock" ] || fail "$m: left its socket behind"
done
echo "$rounds rounds: $answers answered, $((rounds - answers)) ended with a named error, $(wc -l <"$W/ended") closed as not done; one log, valid"
