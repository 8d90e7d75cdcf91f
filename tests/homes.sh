# shellcheck shell=bash
# A consortium of real processes on loopback, for scripts that source this file: bank_a, bank_b, bank_c, regulator; the
# regulator sequences. Before: `build` is a build folder, `name` the script's. After: W is a temporary folder with a home
# a member, removed at the end if all went well. With engine=cometbft before, CometBFT orders the ledger, and all four validate.
# shellcheck source=tests/profile.sh
source "$(dirname "${BASH_SOURCE[0]}")/profile.sh"
# shellcheck source=tests/ports.sh
source "$(dirname "${BASH_SOURCE[0]}")/ports.sh"
firmiana=$build/bin/firmiana verify=$build/bin/firmiana-verify
export FIRMIANA_PASSPHRASE="a test's passphrase"
W=$(mktemp -d)
members=(bank_a bank_b bank_c regulator)
banks=(bank_a bank_b bank_c)
declare -A pid=()

homes_cleanup() {
  local status=$?
  [ ${#pid[@]} -eq 0 ] || kill -9 "${pid[@]}" 2>/dev/null || true
  wait 2>/dev/null || true
  if [ "$status" -eq 0 ]; then rm -rf "$W"; else echo "$name: FAILED; the homes are in $W" >&2; fi
}
trap homes_cleanup EXIT
fail() { echo "$name: $*" >&2; exit 1; }
must_refuse() { # CODE TEXT COMMAND...
  local code=$1 text=$2 out status=0
  shift 2
  out=$("$@" 2>&1) || status=$?
  [ "$status" -eq "$code" ] || fail "exit code $status, not $code ($text): $* : $out"
  [[ $out == *"$text"* ]] || fail "refused, but not by '$text': $out"
}
shows() { # FILE TEXT...
  local file=$1 text
  shift
  for text in "$@"; do grep -qF -- "$text" "$file" || fail "no '$text' in: $(cat "$file")"; done
}

as() { # MEMBER COMMAND...
  local who=$1
  shift
  FIRMIANA_HOME=$W/$who timeout 120 "$firmiana" "$@"
}
number() { sed -n "s/.*\"$1\":\\([0-9]*\\).*/\\1/p"; }
now_ms() { date +%s%3N; }
nap_ms() { sleep "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))"; }

# Where a member's node lives, and how it is started there: a script may say otherwise before.
declare -F host_of >/dev/null || host_of() { echo 127.0.0.1; }
declare -F inside >/dev/null || inside() { shift; exec "$@"; }
start() { # MEMBER
  FIRMIANA_HOME=$W/$1 inside "$1" "$firmiana" node >>"$W/$1/node.out" 2>>"$W/$1/node.log" &
  pid[$1]=$!
}
wait_connected() { # until each node sees the three others
  local m
  for m in "${members[@]}"; do
    for _ in $(seq 3000); do
      [ "$(as "$m" status --json 2>/dev/null | number connected)" != 3 ] || continue 2
      kill -0 "${pid[$m]}" 2>/dev/null || fail "$m ended by itself: $(tail -n 3 "$W/$m/node.log")"
      sleep 0.02
    done
    fail "$m did not reach the others: $(as "$m" status 2>&1) $(tail -n 3 "$W/$m/node.log")"
  done
}

homes_make() { # ROWS: homes, data, genesis; nothing runs yet
  local m port list=() more=() order=(--sequencer regulator)
  [ "${engine:-}" != cometbft ] || order=(--engine cometbft)
  ports_claim
  "$firmiana" demo-data "$W/data" --rows "$1" --banks 3 >/dev/null
  for m in "${members[@]}"; do
    [ "${engine:-}" != cometbft ] || more=(--engine cometbft --consensus "tcp://$(host_of "$m"):$((port + 4))")
    "$firmiana" init --home "$W/$m" --alias "$m" --listen "tcp://$(host_of "$m"):$port" "${more[@]}" >/dev/null
    list+=(--member "$W/$m/member.json")
    port=$((port + 1))
  done
  for m in "${banks[@]}"; do cp "$W/data/$m.db" "$W/$m/data.db"; done
  "$firmiana" ledger init --name "$name" --quorum 3 "${order[@]}" --out "$W/genesis.json" "${list[@]}" >/dev/null
  for m in "${members[@]}"; do cp "$W/genesis.json" "$W/$m/genesis.json"; done
}
homes_start() {
  local m
  for m in "${members[@]}"; do start "$m"; done
  wait_connected
}
homes_stop() { # SIGTERM drains all: exit code 0
  local m status
  for m in "${members[@]}"; do kill -TERM "${pid[$m]}"; done
  for m in "${members[@]}"; do
    status=0
    wait "${pid[$m]}" || status=$?
    [ "$status" -eq 0 ] || fail "$m: SIGTERM ended it with $status: $(tail -n 3 "$W/$m/node.log")"
    unset "pid[$m]"
  done
}

contract() { # ASKER "PROVIDER..." SQL: proposes and authorizes; the contract's id goes to $id. SQL may use $1: 0 .. 3650
  local asker=$1 provider parameters="[]" spec=$W/spec.json
  [[ $3 != *'$1'* ]] || parameters='[{"name": "$1", "type": "INTEGER", "range": [0, 3650]}]'
  cat >"$spec" <<SPEC
{"name": "$name", "purpose": "statistics", "sql": "$3", "compute": ["bank_a", "bank_b", "regulator"], "recipients": ["$asker"],
 "parameters": $parameters, "minimum_group": 5, "consent": {"requirement": "none", "basis": "aggregates of at least 5 subjects"}}
SPEC
  as "$asker" contract draft "$spec" --out "$W/contract.json" >/dev/null
  as "$asker" contract propose "$W/contract.json" >/dev/null
  id=$(tr -d '\n' <"$W/contract.json" | digest)
  for provider in $2; do as "$provider" contract authorize "$id" --runs 100000 >/dev/null; done
}
pooled() { # SQL with ?1 written out, over `loans`, the union of all banks' rows: SQLite's answer as CSV
  sqlite3 -csv :memory: "ATTACH '$W/data/bank_a.db' AS a; ATTACH '$W/data/bank_b.db' AS b; ATTACH '$W/data/bank_c.db' AS c;
    CREATE TEMP VIEW loans AS SELECT * FROM a.loans UNION ALL SELECT * FROM b.loans UNION ALL SELECT * FROM c.loans; $1"
}
settle() { # CONTEXT: all at one log, no query open
  local m heads open
  for _ in $(seq 5000); do
    heads=$(for m in "${members[@]}"; do as "$m" status --json | sed -n 's/.*"final_height":\([0-9]*\).*"log_size":\([0-9]*\).*/\1 \2/p'; done | sort -u)
    if [ "$(wc -l <<<"$heads")" = 1 ]; then
      open=$(as bank_b query list --json | { grep -o "\"status\":\"open\"" || true; } | wc -l)
      [ "$open" != 0 ] || return 0
    fi
    sleep 0.02
  done
  for m in "${members[@]}"; do as "$m" status >&2 || true; done
  fail "$1: the ledger did not come to rest"
}
