#!/usr/bin/env bash
# What an operator has of a running consortium: status, metrics, logs, signals. And that nothing secret is in any of it:
# two banks and a regulator answer a query about a known person, under known keys, and all that the nodes and commands
# wrote is searched for what nobody but the entitled may see.
# usage: tests/operate.sh BUILD_FOLDER
set -euo pipefail
# shellcheck source=tests/ports.sh
source "$(dirname "$0")/ports.sh"

build=$(cd "$1" && pwd)
# shellcheck source=tests/profile.sh
source "$(dirname "$0")/profile.sh"
firmiana=$build/bin/firmiana
W=$(mktemp -d)
members=(bank_a bank_b regulator)
banks=(bank_a bank_b)
declare -A pid=() metrics=()
passphrase="open sesame 7410258963"

cleanup() {
  local status=$?
  [ ${#pid[@]} -eq 0 ] || kill -9 "${pid[@]}" 2>/dev/null || true
  wait 2>/dev/null || true
  if [ "$status" -eq 0 ]; then rm -rf "$W"; else echo "operate.sh: FAILED; the homes are in $W" >&2; fi
}
trap cleanup EXIT
fail() { echo "operate.sh: $*" >&2; exit 1; }
mkdir "$W/said" # what commands and nodes say, but for answers and what is made for entitled eyes

as() { # standard error is kept for the search
  local who=$1
  shift
  FIRMIANA_HOME=$W/$who timeout 120 "$firmiana" "$@" 2> >(tee -a "$W/said/errors" >&2)
}
number() { sed -n "s/.*\"$1\":\\([0-9]*\\).*/\\1/p"; }
until_true() { # what, command...
  local what=$1
  shift
  for _ in $(seq 2000); do
    if "$@"; then return 0; fi
    sleep 0.05
  done
  fail "$what: it did not come about"
}

# ---- the consortium ----
"$firmiana" demo-data "$W/data" --rows 40 --banks 2 >"$W/data.txt"
subject=$(sed -n 's/.*subject \([0-9]*\) is at every bank.*/\1/p' "$W/data.txt")
ports_claim
for m in "${members[@]}"; do
  "$firmiana" init --home "$W/$m" --alias "$m" --listen "tcp://127.0.0.1:$port" --passphrase-fd 9 9<<<"$passphrase" >/dev/null
  metrics[$m]=$((port + 1))
  # bank_a logs to a file, the others to standard error.
  log=''
  [ "$m" != bank_a ] || log=', "log": "node.log"'
  printf '{"alias": "%s", "listen": "tcp://127.0.0.1:%s", "metrics": "127.0.0.1:%s"%s}\n' "$m" "$port" "${metrics[$m]}" "$log" >"$W/$m/node.json"
  port=$((port + 2))
done
for b in "${banks[@]}"; do cp "$W/data/$b.db" "$W/$b/data.db"; done
# shellcheck disable=SC2046
"$firmiana" ledger init --name "operate" --quorum 3 --sequencer regulator --out "$W/genesis.json" \
  $(for m in "${members[@]}"; do printf -- '--member %s ' "$W/$m/member.json"; done) >/dev/null
start() {
  FIRMIANA_HOME=$W/$1 "$firmiana" node --passphrase-fd 9 9<<<"$passphrase" >>"$W/said/$1.out" 2>>"$W/said/$1.err" &
  pid[$1]=$!
}
connected() { [ "$(as "$1" status --json 2>/dev/null | number connected)" = "$2" ]; }
for m in "${members[@]}"; do
  cp "$W/genesis.json" "$W/$m/genesis.json"
  start "$m"
done
for m in "${members[@]}"; do until_true "$m is connected" connected "$m" 2; done

# ---- a query that is refused, and one that is answered ----
for b in "${banks[@]}"; do as "$b" dataset publish --table loans >/dev/null; done
cat >"$W/spec.json" <<'SPEC'
{"name": "exposure", "purpose": "credit decision",
 "sql": "SELECT SUM(balance) AS total, COUNT(*) AS loans FROM loans WHERE subject_id = $1",
 "compute": ["bank_a", "bank_b", "regulator"], "recipients": ["bank_a"],
 "parameters": [{"name": "$1", "type": "INTEGER", "subject": true}],
 "minimum_group": 1, "consent": {"requirement": "subject", "parameter": 1, "modes": ["signed"]}}
SPEC
as bank_a contract draft "$W/spec.json" --out "$W/contract.json" >/dev/null
as bank_a contract propose "$W/contract.json" >/dev/null
contract=$(tr -d '\n' <"$W/contract.json" | digest)
for b in "${banks[@]}"; do as "$b" contract authorize "$contract" --runs 9 --passphrase-fd 9 9<<<"$passphrase" >/dev/null; done
chain=$(as bank_a status --json | sed -n 's/.*"chain":"\([^"]*\)".*/\1/p')
"$firmiana" consent create --chain "$chain" --identifier "$subject" --scheme demo.id --grantee bank_a --contract "$contract" --uses 5 \
  --out "$W/c.json" --opening "$W/c.opening" --key "$W/c.key" --passphrase-fd 9 9<<<"$passphrase" >/dev/null
as bank_b consent relay "$W/c.json" >/dev/null
ask() { as bank_a query run "$contract" --param "1=$subject" --csv --ticket "Ticket-Q7Z3" "$@" >"$W/answer"; }
if ask 2>/dev/null; then fail "a query without consent was answered"; fi
ask --consent "$W/c.opening"
answer=$(tail -n 1 "$W/answer")

# ---- status ----
told() { as bank_a status --json 2>/dev/null | grep "\"alias\":\"bank_b\",[^}]*\"rtt_ms\":[0-9]*,[^}]*\"version\":\"[0-9.]*\"" >/dev/null; }
until_true "bank_b's round trip is known" told
for m in "${members[@]}"; do
  as "$m" status >"$W/said/$m.status"
  as "$m" status --json >"$W/said/$m.status.json"
done
status=$W/said/bank_a.status
for line in '^node  *firmiana [0-9.]*, up ' '^ledger  *settled, height [0-9]*, final [0-9]*' 'sequenced by regulator$' \
  '^quorum  *3 of 3 members must cosign; the newest checkpoint is .* old, by bank_a, bank_b, regulator$' '^peers  *2 of 2 connected$' \
  '^  bank_b  *connected  *round trip .*, clock [+-].*, height [0-9]*, firmiana [0-9.]*, rules 4$' '^  regulator .*(sequencer)$' \
  '^queries  *0 running, 0 waiting (0 bytes of .* of memory); today 1 done, 0 refused, 0 aborted$' '^disk  *ledger [0-9.]* kB, sessions .* free$'; do
  grep -q "$line" "$status" || fail "status has no line '$line': $(cat "$status")"
done
little_skew() { # a round trip's half is what it can be wrong by
  skew=$(as bank_a status --json | sed 's/},{/}\n{/g' | sed -n 's/.*"skew_ms":\(-\{0,1\}[0-9]*\).*/\1/p' | head -n 1)
  [ "${skew#-}" -lt 1000 ]
}
until_true "clocks of one machine are the same" little_skew

# ---- metrics ----
http() { # port request -> answer with head
  exec 8<>"/dev/tcp/127.0.0.1/$1"
  printf '%b' "$2" >&8
  timeout 60 cat <&8
  exec 8<&-
}
get() { http "$1" "GET $2 HTTP/1.1\r\nHost: ${3-127.0.0.1:$1}\r\nConnection: close\r\n\r\n"; }
for m in "${members[@]}"; do
  get "${metrics[$m]}" /metrics | sed '1,/^\r$/d' >"$W/said/$m.metrics"
  "$build/exchange/node/test_node_metrics" "$W/said/$m.metrics" >"$W/checked" || fail "$m: its metrics are not Prometheus' format"
  grep -q '^firmiana_queries_total{outcome="done",rule=""} 1$' "$W/said/$m.metrics" || fail "$m did not count the query"
  grep -q '^firmiana_ledger_transactions_total{type="query.open",rule="consent.missing"} 1$' "$W/said/$m.metrics" ||
    fail "$m did not count the refusal"
  grep -q '^firmiana_mpc_rounds_total [1-9]' "$W/said/$m.metrics" || fail "$m counted no rounds"
done
grep -q '^firmiana_peer_up{peer="bank_b"} 1$' "$W/said/bank_a.metrics" || fail "bank_a does not see bank_b"
grep -q '^firmiana_transactions_sent_total{outcome="refused"} 1$' "$W/said/bank_a.metrics" || fail "the refused transaction is not counted"
grep -q '^firmiana_finality_seconds_count [1-9]' "$W/said/bank_a.metrics" || fail "no transaction's way to final was timed"
answers() { local want=$1; shift; "$@" | head -n 1 | grep "^HTTP/1.[01] $want " >/dev/null || fail "not answered with $want: $*"; }
p=${metrics[bank_a]}
answers 404 get "$p" /
answers 403 get "$p" /metrics evil.example
answers 403 get "$p" /metrics 127.0.0.1.evil.example
answers 200 get "$p" /metrics "localhost:$p"
answers 405 http "$p" 'POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello'
http "$p" '\x00\xff nonsense\r\n\r\n' >/dev/null || true
for _ in $(seq 40); do (exec 8<>"/dev/tcp/127.0.0.1/$p") || true; done # comes and goes
answers 200 get "$p" /metrics

# ---- node check: good homes, and each thing that can be wrong ----
as bank_a node check >"$W/said/check" || fail "node check finds fault with a running home"
grep -q '^ok  *node  *runs on this home$' "$W/said/check" || fail "node check does not see the running node"
grep -q '^warn  *keys  *keys/officer.json is here' "$W/said/check" || fail "node check does not see the officer's key"
checks=0
listing() { (cd "$1" && find . ! -name 'ledger.db*' -printf '%p %m %s\n' | sort); }
wrong() { # exit code, the finding, command that spoils a copy of bank_b's home
  local code=$1 text=$2 status=0
  shift 2
  rm -rf "$W/copy"
  cp -r "$W/bank_b" "$W/copy"
  rm -f "$W/copy/node.sock"
  printf '{"alias": "bank_b", "listen": "tcp://127.0.0.1:%s"}' "$((port + 3))" >"$W/copy/node.json"
  (cd "$W/copy" && "$@")
  listing "$W/copy" >"$W/before"
  # shellcheck disable=SC2086
  "$firmiana" node check --home "$W/copy" ${opens:+--passphrase-fd 9} 9<<<"${opens:-}" >"$W/check" 2>"$W/check.err" || status=$?
  [ "$status" = "$code" ] || fail "node check after '$*': exit code $status instead of $code: $(cat "$W/check" "$W/check.err")"
  [ "$code" = 0 ] || grep -q '^firmiana: .* checks\{0,1\} failed; first: ' "$W/check.err" || fail "node check after '$*': $(cat "$W/check.err")"
  grep -q -- "$text" "$W/check" || fail "node check after '$*' does not say '$text': $(cat "$W/check")"
  listing "$W/copy" | cmp -s - "$W/before" || fail "node check after '$*' changed the home"
  checks=$((checks + 1))
}
node_json() { printf '{"alias": "%s", "listen": "tcp://%s"%s}' "${3:-bank_b}" "$1" "${2:-}" >node.json; }
first_port=$((port - 6))
opens=$passphrase wrong 0 '^ok  *keys  *keys/assertion.json is the ledger.s, and opens$' true
wrong 3 '^BAD  *home .* may be entered by others (mode 755): chmod 700' chmod 755 .
wrong 4 '^BAD  *keys .*salts.json: others may read or write it' chmod 644 keys/salts.json
wrong 7 '^BAD  *keys .*assertion.json is not the assertion key that the ledger has for bank_b$' cp "$W/bank_a/keys/assertion.json" keys/
wrong 12 '^BAD  *keys .*authentication.json: there is no such key file' rm keys/authentication.json
opens=wrong wrong 7 '^BAD  *keys .*authentication.json: the passphrase is wrong' true
wrong 11 '^BAD  *listen  *127.0.0.1:[0-9]*: the port is in use: change .listen. in node.json' node_json "127.0.0.1:$first_port"
wrong 11 '^BAD  *metrics  *127.0.0.1:[0-9]*: the port is in use: change .metrics. in' node_json 127.0.0.1:9 ", \"metrics\": \"127.0.0.1:$first_port\""
wrong 2 '^BAD  *listen  *203.0.113.7:7100: Cannot assign requested address' node_json 203.0.113.7:7100
wrong 8 '^BAD  *log .*: the folder .*nowhere is not there' node_json 127.0.0.1:9 ', "log": "nowhere/node.log"'
wrong 12 '^BAD  *ledger  *bank_z is not a member of this ledger' node_json 127.0.0.1:9 '' bank_z
wrong 0 '^warn  *data .* is not there: firmiana dataset import makes it' rm data.db
wrong 0 '^warn  *genesis ' rm genesis.json
wrong 3 '^BAD  *genesis .*genesis.json: ' sh -c 'printf x >>genesis.json'
wrong 11 '^BAD  *ledger .*is not the ledger that genesis.json begins' sh -c "sed 's/operate/another/' $W/genesis.json >genesis.json"
wrong 0 '^ok  *ledger  *not there yet: the node makes it from the genesis' sh -c 'rm ledger.db*'
wrong 12 '^BAD  *ledger .*no ledger here yet: put the consortium.s genesis.json' sh -c 'rm ledger.db* genesis.json'
wrong 3 '^BAD  *ledger .*ledger.db' sh -c 'rm ledger.db*; printf "not a database, but some text that is long enough" >ledger.db'
wrong 0 '^warn  *ledger  *the others reach bank_b at tcp://127.0.0.1:[0-9]*, and node.json listens on' true
rm -rf "$W/copy"

# ---- signals ----
mv "$W/bank_a/node.log" "$W/said/bank_a.log.1"
kill -HUP "${pid[bank_a]}"
until_true "SIGHUP opens the log again" test -e "$W/bank_a/node.log"
kill -TERM "${pid[bank_b]}"
wait "${pid[bank_b]}" || fail "SIGTERM ended bank_b with $?"
unset "pid[bank_b]"
connected_to_one() { connected bank_a 1; }
until_true "bank_a sees that bank_b has gone" connected_to_one
as bank_a status >"$W/said/bank_a.status.2"
grep -q '^  bank_b  *not connected  *last heard .* ago; was at height [0-9]*, firmiana ' "$W/said/bank_a.status.2" ||
  fail "status does not say when bank_b was last heard: $(cat "$W/said/bank_a.status.2")"
grep -q '"event":"peer.down".*"peer":"bank_b"' "$W/bank_a/node.log" || fail "the new log does not go on: $(cat "$W/bank_a/node.log")"
# It comes back as systemd would start it.
"$build/exchange/node/test_node_notify" listen "$W/notify" >"$W/notified" &
listener=$!
until_true "systemd listens" test -S "$W/notify"
NOTIFY_SOCKET=$W/notify WATCHDOG_USEC=400000 start bank_b
until_true "bank_b is back" connected bank_a 2
ask --consent "$W/c.opening" & # with a query running, everybody is asked to stop
asked=$!
sleep 0.15
for m in "${members[@]}"; do kill -TERM "${pid[$m]}"; done
for m in "${members[@]}"; do
  wait "${pid[$m]}" || fail "$m: SIGTERM ended it with $?"
  unset "pid[$m]"
done
wait "$asked" || true
wait "$listener" || fail "systemd did not hear that bank_b stopped: $(cat "$W/notified")"
for word in READY=1 STATUS= WATCHDOG=1; do grep -q "^$word" "$W/notified" || fail "systemd did not hear $word: $(cat "$W/notified")"; done
cp "$W/bank_a/node.log" "$W/said/bank_a.log"

# ---- every line of a log ----
text='"\([^"\\]\|\\.\)*"'
grep -h '^' "$W/said/bank_a.log" "$W/said/bank_a.log.1" "$W/said/bank_b.err" "$W/said/regulator.err" >"$W/lines"
sed "s/\"text\":$text/\"text\":\"\"/" "$W/lines" | grep -vE \
  '^\{"event":"[a-z.]+","level":"(info|warn|error)"(,"peer":"[a-z_]+")?(,"query":"[0-9a-f]{64}")?(,"repeated":[0-9]+)?,"text":"","time":"20[0-9-]{8}T[0-9:]{8}\.[0-9]{3}Z"\}$' >"$W/odd" || true
[ ! -s "$W/odd" ] || fail "lines of a log are not as log.h says: $(head -n 2 "$W/odd")"
for event in query.start query.end; do
  grep "\"event\":\"$event\"" "$W/lines" | grep -v '"query":"' >"$W/odd" || true
  [ ! -s "$W/odd" ] || fail "$event without its query: $(head -n 1 "$W/odd")"
done
[ "$(grep -c '"event":"query.start"' "$W/lines")" -ge 3 ] || fail "the query's start is not in the logs"

# ---- nothing secret anywhere ----
secrets=$W/secrets
{
  echo "$passphrase"
  echo "$subject"
  echo "Ticket-Q7Z3"
  echo "$answer"
  cut -d, -f1 <<<"$answer"
  tr ',{}' '\n' <"$W/c.opening" | sed -n 's/.*"\(nonce\|identifier\)":"\([^"]*\)".*/\2/p'
  for m in "${members[@]}"; do
    for key in authentication assertion salts officer recovery; do "$build/tests/unseal" "$W/$m/keys/$key.json" <<<"$passphrase"; done
  done
  sqlite3 "$W/data/bank_b.db" "SELECT balance FROM loans WHERE balance > 99999 LIMIT 20"
} | sort -u >"$secrets"
[ "$(wc -l <"$secrets")" -ge 50 ] || fail "only $(wc -l <"$secrets") secrets are known: the search would prove little"
cp "$secrets" "$W/found" # the search itself finds them where they are
[ "$(grep -cFf "$secrets" "$W/found")" = "$(wc -l <"$secrets")" ] || fail "the search does not work"
files=("$W"/said/*)
[ "${#files[@]}" -ge 14 ] || fail "there is too little to search: ${files[*]}"
if grep -nFf "$secrets" "${files[@]}" >"$W/found"; then fail "a secret was told: $(cut -c1-300 "$W/found" | head -n 3)"; fi
echo "$(cat "$W/checked"); $checks checks of homes; $(wc -l <"$W/lines") lines of log; $(wc -l <"$secrets") secrets in none of ${#files[@]} files"
