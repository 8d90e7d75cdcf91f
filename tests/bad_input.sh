#!/usr/bin/env bash
# What a person gets who types or configures something wrong: one line that says what, where and what to do, nothing on
# standard output, and the documented exit code (firmiana --help).
# usage: tests/bad_input.sh BUILD_FOLDER
set -euo pipefail
# shellcheck source=tests/ports.sh
source "$(dirname "$0")/ports.sh"

build=$(cd "$1" && pwd)
# shellcheck source=tests/profile.sh
source "$(dirname "$0")/profile.sh"
firmiana=$build/bin/firmiana
W=$(mktemp -d)
node_pid=''
cleanup() {
  local status=$?
  [ -z "$node_pid" ] || kill -9 "$node_pid" 2>/dev/null || true
  if [ "$status" -eq 0 ]; then rm -rf "$W"; else echo "bad_input.sh: FAILED; see $W" >&2; fi
}
trap cleanup EXIT
fail() { echo "bad_input.sh: $*" >&2; exit 1; }
cd "$W"
unset FIRMIANA_HOME
export FIRMIANA_PASSPHRASE="a long passphrase"

checks=0
# bad CODE TEXT ARGS...: the command ends with the code, and its one line of error holds the text
bad() {
  local code=$1 text=$2 status=0
  shift 2
  timeout 120 "$firmiana" "$@" >out 2>err </dev/null || status=$?
  [ "$status" = "$code" ] || fail "firmiana $*: exit code $status instead of $code: $(tail -n 1 err)"
  # A node logs JSON lines on standard error before its last word.
  [ "$(grep -vc '^{' err)" = 1 ] || fail "firmiana $*: not one line: $(cat err)"
  grep -v '^{' err | grep -F -- "$text" >/dev/null || fail "firmiana $*: does not say '$text' but: $(grep -v '^{' err)"
  grep -v '^{' err | grep '^firmiana: ' >/dev/null || fail "firmiana $*: does not begin with the program's name: $(cat err)"
  [ ! -s out ] || fail "firmiana $*: an error and an output: $(cat out)"
  checks=$((checks + 1))
}

# ---- every command ----
mapfile -t commands < <("$firmiana" --help | sed -n '/^commands:/,/^exit codes:/p' | sed -n 's/^  \([a-z-]*\( [a-z]\{1,\}\)\{0,2\}\)  .*/\1/p')
[ "${#commands[@]}" -ge 28 ] || fail "firmiana --help names ${#commands[@]} commands"
for c in "${commands[@]}"; do
  read -r -a words <<<"$c"
  "$firmiana" "${words[@]}" --help >out 2>err || fail "firmiana $c --help fails"
  grep -q "^usage: firmiana $c" out && [ ! -s err ] || fail "firmiana $c --help: $(head -n 1 out)"
  bad 2 "unknown option --no-such-option" "${words[@]}" --no-such-option
  many=()
  for _ in $(seq 30); do many+=(x); done
  if ! grep -q -- '\.\.\.' out; then bad 2 "firmiana: $c" "${words[@]}" "${many[@]}"; fi
  if grep -q -- '--home DIR' out && ! grep -q '(required)' out && ! grep -qE '^usage: .*\[options\] [A-Z]' out; then
    bad 2 "firmiana: $c needs --home DIR (or FIRMIANA_HOME)" "${words[@]}"
  fi
  # An option that takes a value, without one and twice.
  option=$(sed -n 's/^  --\([a-z-]*\) [A-Z].*/\1/p' out | head -n 1)
  if [ -n "$option" ]; then bad 2 "option --$option needs a value" "${words[@]}" "--$option"; fi
done
bad 2 "no command 'nonsense'" nonsense
bad 2 "did you mean 'query run'?" quary run
bad 2 "unknown option -x" status -x
bad 2 "no manual page 'nonsense': a command, or node.json" --manual nonsense
bad 8 "nowhere/firmiana.1: No such file or directory" --manual-pages nowhere
bad 2 "--manual-pages needs DIR" --manual-pages
bad 2 "--completion zsh: there is one for bash alone" --completion zsh
bad 2 "no command 'nope'" help nope
bad 2 "no command 'nope'" --help nope
bad 2 "no command 'node chek': did you mean 'node check'?" help node chek
bad 2 "no command 'node chek': did you mean 'node check'?" node chek
bad 2 "status: unexpected argument 'chek'" status chek
for words in "node check" query "audit list"; do
  # shellcheck disable=SC2086
  [ "$("$firmiana" help $words)" = "$("$firmiana" $words --help)" ] || fail "help $words is not what $words --help says"
done

# ---- homes ----
init() { "$firmiana" init --home "$1" --alias "$2" --listen "tcp://127.0.0.1:$3" >/dev/null; }
ports_claim
init home bank_a "$port"
bad 12 "nowhere/node.json: not there: make a home with firmiana init" node --home nowhere
bad 12 "nowhere/node.sock: no node is running here: start it with firmiana node" status --home nowhere
bad 11 "home/node.json: this home belongs to a member already" init --home home --alias bank_a --listen tcp://127.0.0.1:4000
bad 2 "--alias Bank: an alias is [a-z][a-z0-9_]*" init --home h2 --alias Bank --listen tcp://127.0.0.1:4000
for address in udp://127.0.0.1:4000 tcp://127.0.0.1 tcp://:4000 tcp://127.0.0.1:0 tcp://127.0.0.1:65536 tcp://127.0.0.1:40x tcp://127.0.0.1:; do
  bad 2 "--listen $address: must look like tcp://HOST:PORT" init --home h2 --alias b --listen "$address"
done
bad 2 "--endpoint x: must look like tcp://HOST:PORT" init --home h2 --alias b --listen tcp://127.0.0.1:4000 --endpoint x
bad 8 "no/such/folder: No such file or directory" init --home no/such/folder --alias b --listen tcp://127.0.0.1:4000
for command in "init --home h2 --alias b --listen tcp://127.0.0.1:4000" "credential key --out short.key" "officer create --out short.key" "wallet create short.wallet" "consent key --out short.key"; do
  # shellcheck disable=SC2086
  FIRMIANA_PASSPHRASE=1234567 bad 2 "the passphrase is too short: at least " $command
done
ls h2 short.* >/dev/null 2>&1 && fail "a refused passphrase sealed something"
bad 8 "file descriptor 77: passphrase: read: Bad file descriptor" init --home h2 --alias b --listen tcp://127.0.0.1:4000 --passphrase-fd 77
if command -v setsid >/dev/null; then
  status=0
  env -u FIRMIANA_PASSPHRASE setsid -w "$firmiana" init --home h2 --alias b --listen tcp://127.0.0.1:4000 >out 2>err </dev/null || status=$?
  [ "$status" = 2 ] && grep -q -- "give it with --passphrase-fd N or in FIRMIANA_PASSPHRASE" err || fail "no terminal, no passphrase: $status $(cat err)"
  checks=$((checks + 1))
fi
[ ! -e h2 ] || fail "a refused init left a home"

# ---- genesis ----
genesis() { local code=$1 text=$2; shift 2; bad "$code" "$text" ledger init --name x --out genesis.json "$@"; }
echo '{' >open.json
echo '{"a":1}' >other.json
genesis 8 "nowhere.json: No such file or directory" --sequencer bank_a --member nowhere.json
genesis 3 "open.json: line 2, column 0: JSON" --sequencer bank_a --member open.json
genesis 3 "other.json: no member 'alias': is it a member.json of firmiana init?" --sequencer bank_a --member other.json
genesis 3 "another member has the same DID" --sequencer bank_a --member home/member.json --member home/member.json
genesis 3 "'sequencer' is no member's alias" --sequencer bank_z --member home/member.json
genesis 3 "'quorum' must be more than half" --sequencer bank_a --member home/member.json --quorum 2
bad 8 "nowhere/genesis.json" ledger init --name x --out nowhere/genesis.json --sequencer bank_a --member home/member.json
ls genesis.json* >/dev/null 2>&1 && fail "a refused genesis left files"
"$firmiana" ledger init --name x --out genesis.json --sequencer bank_a --member home/member.json >/dev/null 2>&1
[ "$(echo genesis.json*)" = genesis.json ] || fail "ledger init left more than its file: $(echo genesis.json*)"
bad 11 "genesis.json: it exists already" ledger init --name x --out genesis.json --sequencer bank_a --member home/member.json

# ---- a node that must not start ----
bad 12 "home/ledger.db: no ledger here yet: put the consortium's genesis.json into this home" node --home home
echo x >home/genesis.json
bad 3 "home: genesis: line 1, column 1: JSON" node --home home
cp genesis.json home/
FIRMIANA_PASSPHRASE=wrong bad 7 "home/keys/authentication.json: the passphrase is wrong" node --home home
sqlite3 foreign.db "CREATE TABLE t(a)"
cp foreign.db home/ledger.db
bad 3 "home/ledger.db: not a Firmiana ledger" node --home home
rm home/ledger.db*
cp foreign.db home/sessions.db
bad 9 "home/sessions.db: an SQLite file, but not Firmiana's list of sessions" node --home home
rm home/sessions.db* home/ledger.db*
cp home/node.json good.json
node_json() { local code=$1 text=$2; echo "$3" >home/node.json; bad "$code" "$text" node check --home home; cp good.json home/node.json; }
node_json 3 "home/node.json: line 1, column 19: unknown member 'lissten': did you mean 'listen'?" '{"alias":"bank_a","lissten":"tcp://127.0.0.1:4000"}'
node_json 3 "home/node.json: line 1, column 28: member 'listen' must look like tcp://HOST:PORT" '{"alias":"bank_a","listen":"tcp://127.0.0.1:70000"}'
node_json 3 "home/node.json: line 2, column 0: JSON" '{"alias":'
node_json 3 "home/node.json: must be a JSON object" '[]'
node_json 3 "home/node.json: line 1, column 71: member 'block_interval_ms' must be 1 to 60000" '{"alias":"bank_a","listen":"tcp://127.0.0.1:4000","block_interval_ms":0}'
node_json 3 "home/node.json: line 3, column 13: member 'listen' must be a string" $'{\n  "alias": "bank_a",\n  "listen": 4000\n}'
node_json 3 "home/node.json: member 'alias' is missing" '{"listen":"tcp://127.0.0.1:4000"}'
node_json 3 "member 'log_level' must be one of 'info', 'warn', 'error'" '{"alias":"bank_a","listen":"tcp://127.0.0.1:4000","log_level":"loud"}'
for address in 0.0.0.0:9464 127.0.0.1 127.0.0.1:0 localhost:9464 127.0.0.1:9464x; do
  node_json 3 "member 'metrics' must be 127.0.0.1:PORT or [::1]:PORT" "{\"alias\":\"bank_a\",\"listen\":\"tcp://127.0.0.1:4000\",\"metrics\":\"$address\"}"
done
echo '{"alias":"bank_z","listen":"tcp://127.0.0.1:4000"}' >home/node.json
bad 12 "bank_z is not a member of the ledger as far as ledger.db goes" node --home home
cp good.json home/node.json
init other bank_a 4000
# A ledger of another consortium beside this one's genesis. 
"$firmiana" ledger init --name y --out other/genesis.json --sequencer bank_a --member other/member.json >/dev/null 2>&1
mv home/keys/assertion.json assertion.json
cp other/keys/assertion.json home/keys/assertion.json
cp other/genesis.json home/genesis.json
rm -f home/ledger.db* home/sessions.db*
timeout 120 "$firmiana" node --home home >out 2>err </dev/null &
other_pid=$!
for _ in $(seq 2000); do "$firmiana" status --home home >/dev/null 2>&1 && break || sleep 0.05; done
kill -TERM "$other_pid" && wait "$other_pid" || fail "the node of another consortium: $(tail -n 1 err)"
mv assertion.json home/keys/assertion.json
cp genesis.json home/genesis.json
bad 11 "but genesis.json here begins chain $(digest <genesis.json | cut -c1-16): which of the two" node --home home
rm -f home/ledger.db* home/sessions.db*
cp other/keys/assertion.json home/keys/assertion.json.other
cp home/keys/assertion.json assertion.json
mv home/keys/assertion.json.other home/keys/assertion.json
bad 7 "is not the assertion key that the ledger has for bank_a" node --home home
rm home/keys/assertion.json
bad 12 "home/keys/assertion.json: there is no such key file" node --home home
cp assertion.json home/keys/assertion.json
long=$(printf 'x%.0s' $(seq 120))
mkdir "$long"
cp -r home "$long/home"
bad 2 "node.sock: a socket path has at most 107 bytes: use a shorter home folder" node --home "$long/home"

# A home that cannot be written; root may write anything, so then it is tried as nobody.
cp -r home fixed
rm -f fixed/ledger.db* fixed/sessions.db*
chmod 555 fixed
as_nobody=()
if [ "$(id -u)" = 0 ]; then
  chmod 755 "$W"
  chown -R 65534:65534 fixed
  as_nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
fi
if [ "$(id -u)" != 0 ] || { command -v setpriv >/dev/null && "${as_nobody[@]}" test -x "$firmiana"; }; then
  status=0
  timeout 120 "${as_nobody[@]}" "$firmiana" node --home fixed >out 2>err </dev/null || status=$?
  [ "$status" = 8 ] && grep -v '^{' err | grep '^firmiana: fixed/.*\(Permission denied\|unable to open\|readonly\)' >/dev/null || fail "read-only home: $status $(cat err)"
  checks=$((checks + 1))
fi

# ---- a running node ----
"$firmiana" node --home home >node.out 2>node.log &
node_pid=$!
for _ in $(seq 2000); do "$firmiana" status --home home >/dev/null 2>&1 && break || sleep 0.05; done
"$firmiana" status --home home >/dev/null || fail "the node does not run: $(tail -n 1 node.log)"
bad 11 "home/node.sock: a node is running on this home already" node --home home
cp -r home second
rm -f second/ledger.db* second/sessions.db* second/node.sock
bad 11 "tcp://127.0.0.1:$port: the port is in use" node --home second
mport=$((port + 1)) # a port of the metrics that another program has
printf '{"alias":"bank_a","listen":"tcp://127.0.0.1:%s","metrics":"127.0.0.1:%s"}' "$mport" "$port" >second/node.json
bad 11 "127.0.0.1:$port: the port is in use: change metrics in node.json" node --home second
export FIRMIANA_HOME=$W/home
bad 8 "home/data.db: No such file or directory" dataset publish --table loans
sqlite3 home/data.db "CREATE TABLE t(a INTEGER); INSERT INTO t VALUES(1)"
bad 4 "table t has no declared schema: nothing public is derived from data" dataset publish --table t
bad 12 "there is no table u" dataset publish --table u
bad 3 "open.json: line 2, column 0: JSON" contract draft open.json
bad 3 "contract specification: unknown member 'a'" contract draft other.json
bad 8 "nowhere.json: No such file" contract draft nowhere.json
leaves() { "$firmiana" status --json | sed -n 's/.*"log_size":\([0-9]*\).*/\1/p'; }
before=$(leaves)
echo '[]' >array.json
echo '{"format":2}' >contract.json
bad 3 "open.json: line 2, column 0: JSON" contract propose open.json
bad 3 "other.json: unknown member 'a'" contract propose other.json
bad 3 "array.json: member 'format' is missing" contract propose array.json
bad 3 "contract.json: member 'format' must be 1" contract propose contract.json
[ -n "$before" ] && [ "$(leaves)" = "$before" ] || fail "a malformed contract reached the ledger: $before entries before, $(leaves) after"
for command in "contract show" "contract authorize" "contract revoke" "query run"; do
  # shellcheck disable=SC2086
  bad 2 "a contract is named by its id: 8 to 64 lower-case hex digits" $command abc
  # shellcheck disable=SC2086
  bad 12 "contract" $command aaaaaaaaaaaaaaaa
done
bad 2 "--param must look like 1=VALUE" query run aaaaaaaa --param x
bad 2 "--param 1 is given twice" query run aaaaaaaa --param 1=2 --param 1=3
bad 2 "--param 1=VALUE is missing" query run aaaaaaaa --param 2=2
bad 3 "other.json: member 'consent' is missing" query run aaaaaaaa --consent other.json
bad 2 "--timeout 0: must be a whole number from 1 to 3600" query run aaaaaaaa --timeout 0
bad 2 "exactly one of --contract and --purpose" consent create --chain zz --identifier 1 --scheme x --grantee bank_a --out o --opening p --key k
bad 3 "other.json: member 'type' is missing" consent relay other.json
bad 3 "other.json: consent: member 'type' is missing" consent revoke other.json --key k --out x
bad 2 "'nonsense' is not a type of transaction" tx submit nonsense other.json
bad 3 "open.json: line 2, column 0: JSON" tx submit query.open open.json
bad 2 "query.open: member 'contract' is missing" tx submit query.open other.json
bad 8 "No such file or directory" audit export --out nowhere/trail.bundle
bad 2 "--from x: must be a whole number" audit list --from x
bad 4 "member.unknown: there is no member bank_z" member suspend bank_z --reason test
bad 2 "PROPOSAL is the 64 hex digits" member vote zz
bad 12 "there is no member bank_z" did show bank_z
FIRMIANA_PASSPHRASE=wrong bad 7 "the passphrase is wrong" member suspend bank_a --reason test

# ---- data ----
printf 'a,b\n1,2\n3\n' >short.csv
printf 'a,b\n1,2\n' >good.csv
bad 3 "short.csv: line 3" dataset import short.csv --db new.db --table t
[ -z "$(sqlite3 new.db .tables 2>/dev/null)" ] || fail "a bad row left half a table"
bad 8 "nowhere.csv: No such file" dataset import nowhere.csv --db new.db --table t
bad 2 "is not an identifier" dataset import good.csv --db new.db --table 'a b'
bad 2 "--separator must be ',' or ';'" dataset import good.csv --db new.db --table t --separator '|'
bad 11 "there is a table t already" dataset import good.csv --db foreign.db --table t
bad 3 "open.json: line 2, column 0: JSON" dataset import good.csv --db new.db --table t --schema open.json
bad 2 "--rows 0: must be a whole number from 1" demo-data demo --rows 0

kill -TERM "$node_pid"
wait "$node_pid" || fail "SIGTERM ended the node with $?"
node_pid=''
[ ! -e home/node.sock ] || fail "the node left its socket"
echo "${#commands[@]} commands, $checks wrong inputs: each one line and its exit code"
