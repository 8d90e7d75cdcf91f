#!/usr/bin/env bash
# The demo: three banks and a regulator, each a real process with its own home, answer joint credit queries over loopback.
# usage: ./run demo [--keep DIR] [--rows N] [--engine cometbft]   (or firmiana demo, from the package; tests/demo.sh BUILD_FOLDER ...; --keep leaves every home behind)
# Every step prints what happens and what it proves; any step that does not go as it must ends the demo with an error.
set -euo pipefail

build=$(cd "$1" && pwd)
shift
keep='' rows=400 engine=embedded
while [ $# -gt 0 ]; do
  case $1 in
    --keep) keep=${2:?--keep needs a folder}; shift 2 ;;
    --help) sed -n '2,4s/^# //p' "$0"; exit 0 ;;
    --rows) rows=${2:?--rows needs a number}; shift 2 ;;
    --engine) engine=${2:?--engine needs embedded or cometbft}; shift 2 ;;
    *) echo "demo: unknown option '$1' (--keep DIR, --rows N, --engine cometbft)" >&2; exit 2 ;;
  esac
done

case $engine in
  embedded) order=(--sequencer bank_a) ;;
  cometbft)
    order=(--engine cometbft)
    export PATH=$PWD/build/tools:$PATH
    command -v cometbft >/dev/null || { echo "demo: skipped: no cometbft program: ./run cometbft installs it"; exit 77; }
    ;;
  *) echo "demo: --engine is embedded or cometbft, not '$engine'" >&2; exit 2 ;;
esac
firmiana=$build/bin/firmiana verify=$build/bin/firmiana-verify
if [ -n "$keep" ]; then
  mkdir -p "$keep"
  [ -z "$(ls -A "$keep")" ] || { echo "demo: $keep is not empty" >&2; exit 2; }
  W=$(cd "$keep" && pwd)
else
  W=$(mktemp -d)
fi
for tool in sqlite3 od dd; do command -v "$tool" >/dev/null || { echo "demo: needs the program $tool: apt-get install sqlite3" >&2; exit 2; }; done
members=(bank_a bank_b bank_c regulator)
banks=(bank_a bank_b bank_c)
pids=()
base_port=${FIRMIANA_DEMO_PORT:-$((26000 + RANDOM % 6000))}

cleanup() {
  local status=$?
  [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
  wait 2>/dev/null || true
  if [ "$status" -ne 0 ]; then
    echo "demo: FAILED; the homes are in $W" >&2
  elif [ -n "$keep" ]; then
    echo "kept: $W"
  else
    rm -rf "$W"
  fi
}
trap cleanup EXIT

step() { printf '\n== %s\n' "$*"; }
proves() { printf '   -> %s\n' "$*"; }
fail() { echo "demo: $*" >&2; exit 1; }

# A member's command line. The passphrase of this throwaway consortium comes through a file descriptor.
as() {
  local who=$1
  shift
  FIRMIANA_HOME=$W/$who "$firmiana" "$@"
}
as_officer() {
  local who=$1
  shift
  FIRMIANA_HOME=$W/$who "$firmiana" "$@" --passphrase-fd 9 9<<<"demo passphrase"
}

# must_refuse RULE COMMAND...: the command must fail, and say this rule.
refusals=0
must_refuse() {
  local rule=$1 out status=0
  shift
  out=$("$@" 2>&1) || status=$?
  [ "$status" -ne 0 ] || fail "not refused ($rule): $*"
  case $out in
    *"$rule"*) ;;
    *) fail "refused, but not by $rule: $out" ;;
  esac
  refusals=$((refusals + 1))
  printf '   refused  %-26s %s\n' "$rule" "$(grep -F "$rule" <<<"$out" | tail -n 1 | cut -c1-110)"
}
field() { sed -n "s/.*\"$1\":\"\\([^\"]*\\)\".*/\\1/p"; }

# ---------------------------------------------------------------------------------------------------------------------
step "1. Genesis: four members, their DID documents and keys"
"$firmiana" demo-data "$W/data" --rows "$rows" --banks 3 >"$W/data.txt"
sed 's/^/   /' "$W/data.txt"
subject=$(sed -n 's/.*subject \([0-9]*\) is at every bank.*/\1/p' "$W/data.txt")
port=$base_port
for m in "${members[@]}"; do
  more=()
  [ "$engine" = embedded ] || more=(--engine cometbft --consensus "tcp://127.0.0.1:$((port + ${#members[@]}))")
  "$firmiana" init --home "$W/$m" --alias "$m" --listen "tcp://127.0.0.1:$port" "${more[@]}" --passphrase-fd 9 9<<<"demo passphrase" >/dev/null
  port=$((port + 1))
done
for b in "${banks[@]}"; do cp "$W/data/$b.db" "$W/$b/data.db"; done
"$firmiana" ledger init --name "demo consortium" --quorum 3 "${order[@]}" --out "$W/genesis.json" \
  $(for m in "${members[@]}"; do printf -- '--member %s ' "$W/$m/member.json"; done) | sed 's/^/   /'
for m in "${members[@]}"; do cp "$W/genesis.json" "$W/$m/genesis.json"; done
start_node() {
  FIRMIANA_HOME=$W/$1 "$firmiana" node --passphrase-fd 9 9<<<"demo passphrase" >"$W/$1/node.out" 2>"$W/$1/node.log" &
  pids+=($!)
}
for m in "${members[@]}"; do start_node "$m"; done
for m in "${members[@]}"; do
  for _ in $(seq 2000); do
    if [ "$(as "$m" status --json 2>/dev/null | sed -n 's/.*"connected":\([0-9]*\).*/\1/p')" = 3 ]; then break; fi
    sleep 0.05
  done
  as "$m" status >/dev/null || fail "$m did not start: $(tail -n 3 "$W/$m/node.log")"
done
as regulator status | sed 's/^/   /'
proves "each node authenticated the others by the keys in their DID documents; three of four must cosign what is final"

step "2. Datasets: schema, ranges, padded size and a salted root are public; rows stay at home"
for b in "${banks[@]}"; do as "$b" dataset publish --table loans | sed 's/^/   /'; done
as regulator dataset list | sed 's/^/   /'

step "3. Contracts: proposed by bank_a, allowed by an officer of each provider after its own node showed the uses"
cat >"$W/exposure.json" <<'SPEC'
{"name": "exposure of one subject", "purpose": "credit decision",
 "sql": "SELECT SUM(balance) AS total, MAX(overdue_days) AS worst, COUNT(*) AS loans FROM loans WHERE subject_id = $1 AND NOT closed",
 "compute": ["bank_a", "bank_b", "regulator"], "recipients": ["bank_a"],
 "parameters": [{"name": "$1", "type": "INTEGER", "subject": true}],
 "minimum_group": 1, "consent": {"requirement": "subject", "parameter": 1, "modes": ["signed"]}}
SPEC
cat >"$W/portfolio.json" <<'SPEC'
{"name": "portfolio", "purpose": "portfolio statistics",
 "sql": "SELECT COUNT(*) AS n, SUM(balance) AS total, AVG(balance) AS mean, MAX(overdue_days) AS worst FROM loans WHERE overdue_days > $1",
 "compute": ["bank_a", "bank_b", "regulator"], "recipients": ["bank_a", "regulator"],
 "parameters": [{"name": "$1", "type": "INTEGER", "range": [0, 3650]}],
 "minimum_group": 5, "consent": {"requirement": "none", "basis": "aggregates of at least 5 subjects"}}
SPEC
# The hash of the ledger's formats, by somebody else's program; in hex.
hash_of() { if [ "${FIRMIANA_PROFILE:-}" = national ]; then openssl dgst -sm3 -r; else sha256sum; fi | cut -d' ' -f1; }
contract_id() { tr -d '\n' <"$1" | hash_of; } # the hash of its canonical bytes
propose() { # spec -> contract id
  as bank_a contract draft "$1" --out "$1.contract" >/dev/null
  as bank_a contract propose "$1.contract" >/dev/null
  contract_id "$1.contract"
}
as bank_a explain --recipient bank_a "SELECT closed, COUNT(*) AS n, AVG(balance) AS mean FROM loans GROUP BY closed ORDER BY n" >"$W/explain.out"
sed 's/^/   /' "$W/explain.out"
grep -q "it needs the authorization of bank_a, bank_b, bank_c" "$W/explain.out" || fail "explain does not say who is to be asked"
grep -q "estimated, link 'lan'" "$W/explain.out" || fail "explain does not say what it would cost"
as bank_a explain --json --recipient bank_a "SELECT COUNT(*) FROM loans" | grep '"contracts":\[\]' >/dev/null || fail "explain --json"
must_refuse "names single subjects" as bank_a explain --recipient bank_a "SELECT SUM(CASE WHEN subject_id = 5 THEN balance ELSE 0 END) FROM loans"
proves "an analyst sees what a query would do, and whom to ask, before asking; no guard can be walked round by naming one subject"

exposure=$(propose "$W/exposure.json")
portfolio=$(propose "$W/portfolio.json")
must_refuse authorization.missing as bank_a query run "$portfolio" --param 1=30
for c in "$exposure" "$portfolio"; do
  for b in "${banks[@]}"; do
    as_officer "$b" contract authorize "$c" --runs 100 >"$W/authorize.out"
    [ "$b" != bank_b ] || sed 's/^/   /' "$W/authorize.out"
  done
done
as bank_a explain --contract "$portfolio" --param 1=30 --link wan >"$W/allowed.out"
grep "has this plan\|estimated" "$W/allowed.out" | sed 's/^/   /'
grep -q "all providers allow it" "$W/allowed.out" || fail "explain does not see the authorizations"
proves "what an officer signs is the set of uses its own node derived from the plan, not a list typed by hand"

step "4. Consent: a subject signs with a fresh key; a salted commitment hides who it is; bank_b relays it"
chain=$(as bank_a status --json | field chain)
consent() { # name subject options...
  local name=$1 who=$2
  shift 2
  "$firmiana" consent create --chain "$chain" --identifier "$who" --scheme demo.id --grantee bank_a --out "$W/$name.json" \
    --opening "$W/$name.opening" --key "$W/$name.key" --passphrase-fd 9 "$@" 9<<<"demo passphrase"
}
consent c1 "$subject" --contract "$exposure" --uses 2 | sed 's/^/   /'
as bank_b consent relay "$W/c1.json" | sed 's/^/   /'

step "5. Joint queries: bank_a, bank_b and the regulator compute on shares; bank_a alone sees the answers"
pooled() {
  sqlite3 -csv :memory: "ATTACH '$W/data/bank_a.db' AS a; ATTACH '$W/data/bank_b.db' AS b; ATTACH '$W/data/bank_c.db' AS c;
    WITH loans AS (SELECT * FROM a.loans UNION ALL SELECT * FROM b.loans UNION ALL SELECT * FROM c.loans) $1"
}
# SQLite holds decimals as scaled integers; the check scales them back in integer arithmetic, without rounding.
money="printf('%d.%02d', %s / 100, %s % 100)"
as_money() { printf '%s' "${money//%s/$1}"; }
check() { # what we got (CSV without header), what SQLite says
  [ "$1" = "$2" ] || fail "the answer is $1, SQLite says $2"
  printf '   equal to SQLite on the pooled rows: %s\n' "$1"
}
echo "   exposure of subject $subject"
as bank_a query run "$exposure" --param "1=$subject" --consent "$W/c1.opening" --ticket T-1001 --stats 2>&1 | sed 's/^/   /'
got=$(as bank_a query run "$exposure" --param "1=$subject" --consent "$W/c1.opening" --csv | tail -n 1)
want=$(pooled "SELECT $(as_money 'SUM(balance)'), MAX(overdue_days), COUNT(*) FROM loans WHERE subject_id = $subject AND NOT closed")
check "$got" "${want//\"/}"
echo "   portfolio, more than 30 days overdue"
as bank_a query run "$portfolio" --param 1=30 | sed 's/^/   /'
got=$(as bank_a query run "$portfolio" --param 1=30 --csv | tail -n 1)
# AVG: 8 digits, half away from zero, by integer division of the scaled sum.
avg="(SUM(balance) * 1000000 * 2 + COUNT(*)) / (2 * COUNT(*))"
want=$(pooled "SELECT COUNT(*), $(as_money 'SUM(balance)'), printf('%d.%08d', ($avg) / 100000000, ($avg) % 100000000), MAX(overdue_days) FROM loans WHERE overdue_days > 30")
check "$got" "${want//\"/}"
latest=$(as regulator query list | awk '$3 == "done" { if ($4 + 0 >= h) { h = $4 + 0; id = $1 } } END { print id }')
kill "${pids[3]}"
wait "${pids[3]}" || fail "the regulator's node did not end in order"
unset 'pids[3]'
start_node regulator
for _ in $(seq 2000); do
  if [ "$(as regulator status --json 2>/dev/null | sed -n 's/.*"connected":\([0-9]*\).*/\1/p')" = 3 ]; then break; fi
  sleep 0.05
done
check "$(as regulator query answer "$latest" --csv | tail -n 1)" "${want//\"/}"
proves "both answers are exact; each query is closed on the ledger by all four parties' signatures; a recipient that did not ask finds its answer, sealed"

step "6. People without a key: a paper attested at bank_b's counter, a company's representative under a mandate"
sed 's/exposure of one subject/exposure, attested/; s/\["signed"\]/["attested", "mandate"]/' "$W/exposure.json" >"$W/attested.json"
attested=$(propose "$W/attested.json")
for b in "${banks[@]}"; do as_officer "$b" contract authorize "$attested" --runs 100 >/dev/null; done
consent k1 "$subject" --contract "$attested" >/dev/null
as bank_b consent relay "$W/k1.json" >/dev/null
must_refuse consent.mode as bank_a query run "$attested" --param "1=$subject" --consent "$W/k1.opening"
echo "the paper that the subject signed" >"$W/paper.pdf"
paper() { # by whom, name
  as "$1" consent attest --identifier "$subject" --scheme demo.id --grantee bank_a --contract "$attested" --uses 2 \
    --evidence "$W/paper.pdf" --opening "$W/$2.opening"
}
paper bank_b k2 | sed 's/^/   /'
got=$(as bank_a query run "$attested" --param "1=$subject" --consent "$W/k2.opening" --csv | tail -n 1)
want=$(pooled "SELECT $(as_money 'SUM(balance)'), MAX(overdue_days), COUNT(*) FROM loans WHERE subject_id = $subject AND NOT closed")
check "$got" "${want//\"/}"
as bank_b consent withdraw "$(field consent <"$W/k2.opening")" >/dev/null
must_refuse consent.revoked as bank_a query run "$attested" --param "1=$subject" --consent "$W/k2.opening"
"$firmiana" consent key --out "$W/k3.key" --passphrase-fd 9 9<<<"demo passphrase" >"$W/boss.txt"
as bank_c consent mandate --representative "$(tail -n 1 "$W/boss.txt")" --identifier "$subject" --scheme demo.id \
  --out "$W/mandate.json" --opening "$W/mandate.opening" | sed "s|$W/||g; s/^/   /"
consent k3 "$subject" --contract "$attested" --mandate "$W/mandate.json" --mandate-opening "$W/mandate.opening" >/dev/null
as bank_a consent relay "$W/k3.json" >/dev/null
got=$(as bank_a query run "$attested" --param "1=$subject" --consent "$W/k3.opening" --csv | tail -n 1)
check "$got" "${want//\"/}"
paper bank_a k4 2>/dev/null >/dev/null
proves "a key alone proves nothing about a person: a contract can ask for a member's word; who gives it for itself is flagged"

step "7. What must be refused is, by name, and stands on the ledger"
ask() { as bank_a query run "$exposure" --param "1=$subject" "$@"; }
new_consent() { # name options...
  consent "$1" "$subject" "${@:2}" >/dev/null
  as bank_b consent relay "$W/$1.json" >/dev/null
}
must_refuse consent.missing ask
must_refuse consent.used_up ask --consent "$W/c1.opening"
new_consent c2 --contract "$exposure" --uses 5
other=$(pooled "SELECT subject_id FROM loans WHERE subject_id <> $subject LIMIT 1")
must_refuse consent.subject as bank_a query run "$exposure" --param "1=$other" --consent "$W/c2.opening"
"$firmiana" consent revoke "$W/c2.json" --key "$W/c2.key" --out "$W/c2.revocation" --passphrase-fd 9 9<<<"demo passphrase" >/dev/null
as bank_c consent relay "$W/c2.revocation" >/dev/null
must_refuse consent.revoked ask --consent "$W/c2.opening"
valid=1 # seconds: long enough that the machine makes and relays it before it expires
until (new_consent "c3_$valid" --contract "$exposure" --valid-for "${valid}s") 2>/dev/null; do
  valid=$((2 * valid))
  [ "$valid" -le 64 ] || fail "no consent was relayed before it expired"
done
sleep "$((valid - 1))"
if [ "$engine" = embedded ]; then sleep 1.2; else sleep 6.2; fi # a block's time is that of the votes before it, up to 5 s
must_refuse consent.expired ask --consent "$W/c3_$valid.opening"
new_consent c4 --contract "$portfolio"
must_refuse consent.contract ask --consent "$W/c4.opening"

now=$(date +%s%3N)
no_uses=$(printf '[]' | hash_of)
printf '{"contract":"%s","uses":[],"uses_hash":"%s","expires":%s,"runs":5}' "$portfolio" "$no_uses" $((now + 86400000)) >"$W/other_uses.json"
must_refuse authorization.uses as_officer bank_c tx submit authorization.grant "$W/other_uses.json"
must_refuse auth.role as_officer bank_b tx submit authorization.grant "$W/other_uses.json" --key "$W/bank_b/keys/assertion.json"
as_officer bank_c contract revoke "$portfolio" --reason "under review" >/dev/null
must_refuse authorization.revoked as bank_a query run "$portfolio" --param 1=30
as_officer bank_c contract authorize "$portfolio" >/dev/null
sqlite3 "$W/bank_c/data.db" "UPDATE loans SET balance = balance + 1 WHERE rowid = 1"
must_refuse dataset.changed as bank_a query run "$portfolio" --param 1=30
as bank_c dataset publish --table loans >/dev/null
as bank_a query run "$portfolio" --param 1=30 --csv >/dev/null || fail "a table that was published again is not accepted"

zeros=$(printf '0%.0s' $(seq 64))
printf '{"contract":"%s","height":1,"consents":[],"parameters":"%s","requester":"%s","compute":["bank_a","bank_b","regulator"],"deadline":%s}' \
  "$zeros" "$zeros" "$zeros" $((now + 60000)) >"$W/unknown.json"
must_refuse contract.unknown as bank_a tx submit query.open "$W/unknown.json"
sed 's/"name":"portfolio"/"name":"portfolio, altered"/; s/overdue_days > \$1/overdue_days >= $1/' "$W/portfolio.json.contract" >"$W/altered.contract"
as bank_a contract propose "$W/altered.contract" >/dev/null
altered=$(contract_id "$W/altered.contract")
must_refuse "does not compile to the plan" as_officer bank_b contract authorize "$altered"
must_refuse authorization.missing as bank_a query run "$altered" --param 1=30

proposal=$(as_officer bank_a member suspend bank_c --reason "demo" --json | field id)
as_officer bank_b member vote "$proposal" >/dev/null
as_officer regulator member vote "$proposal" >/dev/null
must_refuse member.suspended as bank_c dataset publish --table loans
must_refuse member.suspended as bank_a query run "$portfolio" --param 1=30
as regulator audit list >"$W/audit.txt"
on_ledger=$(grep -c REFUSED "$W/audit.txt" || true)
grep REFUSED "$W/audit.txt" | cut -c1-118 | sed 's/^/   /'
for rule in consent.missing consent.used_up consent.revoked consent.expired consent.contract authorization.missing authorization.uses \
  authorization.revoked auth.role contract.unknown member.suspended; do
  grep -q "REFUSED $rule" "$W/audit.txt" || fail "$rule is not on the ledger"
done
as regulator query list >"$W/queries.txt"
for rule in consent.subject dataset.changed; do
  grep -q "$rule" "$W/queries.txt" || fail "the query refused by $rule is not on the ledger"
done
proves "$refusals attempts refused, $on_ledger of them as refused entries of the ledger; a wrong subject and a changed table as queries that the parties refused"

step "8. The regulator exports the trail; anyone checks it with no network and no node"
as regulator audit export --out "$W/trail.bundle" | sed 's/^/   /'
"$verify" "$W/trail.bundle" >"$W/verified.txt"
sed 's/^/   /' "$W/verified.txt"
grep -q "FLAG *1 consents attested by the very member that may ask" "$W/verified.txt" || fail "a permission attested for oneself is not flagged"
size=$(stat -c %s "$W/trail.bundle")
found=0
for i in $(seq 0 199); do
  at=$((i * (size - 1) / 199))
  cp "$W/trail.bundle" "$W/changed.bundle"
  old=$(od -An -tu1 -j "$at" -N 1 "$W/trail.bundle")
  # shellcheck disable=SC2059
  printf "$(printf '\\x%02x' $((old ^ 1)))" | dd of="$W/changed.bundle" bs=1 seek="$at" conv=notrunc status=none
  if "$verify" "$W/changed.bundle" >"$W/changed.out" 2>&1; then fail "a change of byte $at was not found"; fi
  found=$((found + 1))
  [ $((i % 50)) -ne 7 ] || printf '   byte %-8s %s\n' "$at" "$(tail -n 1 "$W/changed.out" | cut -c1-110)"
done
proves "$found of 200 single-byte changes found, each named"

step "9. A person complains: who asked about me? Asker and providers answer from what they kept, sealed; the ledger bears it out"
as bank_b audit subject --id "$subject" --out "$W/bank_b.statement" | sed 's/^/   /'
as bank_a audit subject --id "$subject" --out "$W/bank_a.statement" >"$W/subject.txt"
grep -q "asked by   .*, ticket T-1001" "$W/subject.txt" || fail "bank_a does not say who asked: $(cat "$W/subject.txt")"
for refused in consent.missing consent.used_up consent.revoked consent.expired consent.contract; do
  grep -q "refused ($refused)" "$W/subject.txt" || fail "the query refused by $refused is not in the answer"
done
for b in bank_a bank_b; do
  as regulator audit export --out "$W/$b.bundle" >/dev/null
  "$verify" --opening "$W/$b.statement" "$W/$b.bundle" >"$W/$b.verified" || fail "the statement of $b is not borne out"
  sed -n 's/^statement/   statement/p' "$W/$b.verified"
  sed 's/"value":"'"$subject"'"/"value":"'"$other"'"/g; s/"subject":"'"$subject"'"/"subject":"'"$other"'"/' "$W/$b.statement" >"$W/lie"
  if "$verify" --opening "$W/lie" "$W/$b.bundle" >"$W/lie.out" 2>&1; then fail "a lie about whom is not found"; fi
done
proves "who asked and under which ticket was committed when it was asked: $(sed 's/.*statement: //' "$W/lie.out" | tail -n 1 | cut -c1-100)"

step "Done"
for m in "${members[@]}"; do
  as "$m" status --json | sed -n 's/^{"alias":"\([^"]*\)".*"final_height":\([0-9]*\).*/   \1: final height \2/p'
done
