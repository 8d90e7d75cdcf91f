#!/usr/bin/env bash
# Members decide by vote, as real processes on loopback.
# usage: tests/governance.sh BUILD_FOLDER
#
#   1. a witness joins, follows from the genesis and cosigns; a member is suspended and comes back;
#   2. quorum and limits change; what is not possible is refused by its rule, what is malformed by its name;
#   3. rules that no program here has: each node warns, stops before the first block that follows them, and stays stopped;
#   4. the trail of all this is valid, with the newer rules and without a node.
set -euo pipefail
build=$(cd "$1" && pwd) name=governance.sh
# shellcheck source=tests/homes.sh
. tests/homes.sh

must_refuse() { # TEXT COMMAND...
  local text=$1 out status=0
  shift
  out=$("$@" 2>&1) || status=$?
  [ "$status" -ne 0 ] || fail "not refused ($text): $*"
  [[ $out == *"$text"* ]] || fail "refused, but not by $text: $out"
}
decide() { # VOTER... -- OPTIONS of governance propose: bank_a proposes, these vote for it
  local voters=() id m decided
  while [ "$1" != -- ]; do voters+=("$1"); shift; done
  shift
  id=$(as bank_a governance propose "$@" --json | sed -n 's/.*"id":"\([0-9a-f]*\)".*/\1/p')
  for m in "${voters[@]}"; do # once its replica has the proposal
    for _ in $(seq 1500); do
      ! as "$m" governance vote "${id:0:12}" >"$W/vote" 2>&1 || continue 2
      sleep 0.02
    done
    fail "the vote of $m: $(cat "$W/vote")"
  done
  decided=$(as "$m" status --json | number final_height)
  for m in bank_a bank_b; do catch_up "$m" "$decided"; done
}
catch_up() { # MEMBER HEIGHT
  for _ in $(seq 3000); do
    [ "$(as "$1" status --json | number final_height)" -lt "$2" ] || return 0
    sleep 0.02
  done
  fail "$1 did not reach block $2: $(as "$1" status)"
}

homes_make 60
homes_start

# ---- what the genesis' profile forbids: a member, a node, a signer and a credential of the other one ----
other() { FIRMIANA_PROFILE=$(pick national international) "$firmiana" "$@"; }
forbidden="$foreign_suite keys and signatures are not allowed: the profile is $profile"
ports_claim
other init --home "$W/foreign" --alias foreign --listen "tcp://127.0.0.1:$port" >/dev/null
must_refuse "$forbidden" as bank_a governance propose --join "$W/foreign/member.json" --as witness
cp "$W/genesis.json" "$W/foreign/genesis.json"
must_refuse "$forbidden" as foreign node
other credential key --out "$W/foreign.key" >/dev/null
must_refuse "$forbidden" as bank_a sign "$W/genesis.json" --out "$W/none.sig" --key "$W/foreign.key"
echo '{"@context": ["https://www.w3.org/ns/credentials/v2"], "type": ["VerifiableCredential"], "credentialSubject": {"id": "urn:a:1"}}' >"$W/draft.json"
other credential issue "$W/draft.json" --key "$W/foreign.key" --out "$W/foreign.json"
other credential verify "$W/foreign.json" >/dev/null
must_refuse "$forbidden" as bank_a credential verify "$W/foreign.json" --home "$W/bank_a"

# ---- 1 ----
"$firmiana" init --home "$W/observer" --alias observer --listen "tcp://127.0.0.1:$((port + 1))" >/dev/null
must_refuse "--as must be bank, agency" as bank_a governance propose --join "$W/observer/member.json" --as king
i=0
for text in '{}' '[]' '{"alias":"x"}' "$(sed 's/"alias"/"name"/' "$W/observer/member.json")" "$(sed 's/"endpoint":"[^"]*"/"endpoint":7/' "$W/observer/member.json")"; do
  echo "$text" >"$W/no_member"
  must_refuse "no_member: member '$(cut -d' ' -f$((i + 1)) <<<"alias alias endpoint alias endpoint")' $(cut -d, -f$((i + 1)) <<<"is missing,is missing,is missing,is missing,must be a string"): is it a member.json" as bank_a governance propose --join "$W/no_member" --as witness
  i=$((i + 1))
done
must_refuse "--reason: its value is not UTF-8" as bank_a governance propose --suspend bank_b --reason $'\xe4'
must_refuse "--limit block_txs is given twice" as bank_a governance propose --limit block_txs=1 --limit block_txs=2 --reason x
must_refuse "must be VERSION@BLOCK" as bank_a governance propose --rules 9@99999999999999999999 --reason x
must_refuse "must be VERSION@BLOCK" as bank_a governance propose --rules 9x@99 --reason x
must_refuse "one of --join, --suspend" as bank_a governance propose
must_refuse "are two proposals" as bank_a governance propose --quorum 3 --suspend bank_b --reason x
must_refuse "--suspend needs --reason" as bank_a governance propose --suspend bank_b
decide bank_b bank_c -- --join "$W/observer/member.json" --as witness
cp "$W/genesis.json" "$W/observer/genesis.json"
must_refuse "if it joined by vote, begin with a member's copy" as observer node
rm "$W"/observer/ledger.db*
as bank_b ledger backup "$W/copy" >/dev/null
as observer ledger restore "$W/copy" >/dev/null
members+=(observer)
start observer
for _ in $(seq 3000); do
  [ "$(as observer status --json 2>/dev/null | number connected)" != 4 ] || break
  kill -0 "${pid[observer]}" 2>/dev/null || fail "the witness ended by itself: $(tail -n 3 "$W/observer/node.log")"
  sleep 0.02
done
as observer governance list | grep '^5 active members: 3 votes decide, 3 must cosign; rules version ' >/dev/null || fail "$(as observer governance list)"

odd=$'turned\u202e and cleared\u009b2J' # what could repaint the line that it stands in
decide bank_b regulator -- --suspend bank_c --reason "$odd"
as bank_a member list | grep '^bank_c  *suspended' >/dev/null || fail "$(as bank_a member list)"
for _ in $(seq 3000); do
  as bank_a status | grep '^quorum .*, by [^;]*observer' >/dev/null && break
  sleep 0.02
done
as bank_a status | grep '^quorum .*, by [^;]*observer' >/dev/null || fail "the witness does not cosign: $(as bank_a status)"
must_refuse "member.suspended" as bank_c dataset publish --table loans
decide bank_b regulator -- --reinstate bank_c --reason "a test"
for _ in $(seq 3000); do as bank_c dataset publish --table loans >"$W/out" 2>&1 && break; sleep 0.02; done
grep -q loans "$W/out" || fail "bank_c is not back: $(cat "$W/out")"

# What others chose is shown as one line that turns nothing: reasons, names, purposes, tickets, one's own arguments.
as bank_b dataset publish --table loans >/dev/null
saved=$name name=$odd
contract bank_a bank_b 'SELECT COUNT(*) AS n FROM bank_b.loans WHERE overdue_days > $1'
name=$saved
as bank_a query run "$id" --param 1=10 --ticket "$odd" >"$W/shown" || fail "a ticket that turns around"
query=$(sed -n 's/^query \([0-9a-f]*\): done.*/\1/p' "$W/shown")
for m in bank_a bank_b; do
  for words in "governance list --all" "audit list" "contract show $id" "query list" "query show $query" "audit query $query" status "member list"; do
    # shellcheck disable=SC2086
    as "$m" $words >"$W/shown" || fail "$words: $(cat "$W/shown")"
    ! LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80\xae' "$W/shown" || fail "$words prints what turns a line around: $(cat -v "$W/shown")"
    case $words in governance* | "audit "* | contract*) shows "$W/shown" "turned? and cleared?2J" ;; esac
  done
done
[ "$(as bank_a audit subject --id $'x\ny\u202e' | grep -c '^about x?y?,')" = 1 ] || fail "$(as bank_a audit subject --id $'x\ny\u202e' | cat -v)"
as bank_a audit export --out "$W/odd.bundle" >/dev/null
"$verify" "$W/odd.bundle" >"$W/shown"
! LC_ALL=C grep -qP '\xc2[\x80-\x9f]|\xe2\x80\xae' "$W/shown" || fail "firmiana-verify: $(cat -v "$W/shown")"

# A thief of bank_c's officer's key ends its DID: the recovery key undoes it, the members have it back.
document_of() { # of a deactivated DID resolving exits with 1, and prints
  as bank_a did resolve "$(as bank_a member list | sed -n 's/^bank_c .*\(did:firmiana:[^ ]*\).*/\1/p')" "$@" 2>/dev/null || [ $? = 1 ]
}
as bank_c did deactivate >/dev/null 2>&1 & # its own node may not hear of it any more: nobody talks to it
thief=$!
for _ in $(seq 3000); do
  ! document_of | grep '"deactivated": true' >/dev/null || break
  sleep 0.02
done
document_of | grep '"deactivated": true' >/dev/null || fail "not deactivated: $(document_of)"
kill "$thief" 2>/dev/null || true
"$firmiana" did key recovery --out "$W/recovery2.json" >/dev/null
"$firmiana" officer create --out "$W/officer2.json" >/dev/null
as bank_a did recover --of bank_c --key "$W/bank_c/keys/recovery.json" --new-recovery "$W/recovery2.json" --with "$W/officer2.json" >/dev/null
mv "$W/officer2.json" "$W/bank_c/keys/officer.json"
document_of | grep '"by": "did.recover"' >/dev/null || fail "not recovered: $(document_of)"
document_of --version-id 2 | grep '"overriddenBy": "3"' >/dev/null || fail "not overridden: $(document_of --version-id 2)"
as bank_a member list | grep '^bank_c  *suspended' >/dev/null || fail "$(as bank_a member list)"
decide bank_b regulator -- --reinstate bank_c --reason "its keys were stolen"
for _ in $(seq 3000); do
  ! as bank_c member list 2>/dev/null | grep '^bank_c  *active' >/dev/null || break
  sleep 0.02
done
as bank_c dataset publish --table loans >/dev/null

# ---- 2 ----
must_refuse "member.quorum" as bank_a governance propose --quorum 2 --reason "too few"
must_refuse "member 'block_txs' must be 1 to 100000" as bank_a governance propose --limit block_txs=0 --reason "none"
must_refuse "must be NAME=NUMBER" as bank_a governance propose --limit block_txs --reason "none"
decide bank_b bank_c -- --quorum 4 --limit block_txs=64 --limit open_queries=8 --reason "a test"
as bank_b governance list >"$W/out"
grep -q ' 4 must cosign' "$W/out" || fail "$(cat "$W/out")"
grep -q ' block_txs=64 ' "$W/out" || fail "$(cat "$W/out")"
as bank_b governance list --all | grep 'parameter.propose  *quorum=4 .*: accepted; for: bank_a, bank_b, bank_c' >/dev/null || fail "$(as bank_b governance list --all)"
as bank_a dataset publish --table loans >/dev/null # final under the new quorum

# ---- 3 ----
height=$(as bank_a status --json | number final_height)
decide bank_b bank_c -- --rules "1000@$((height + 5))" --reason "from another time"
as bank_a governance list | grep ", 1000 from block $((height + 5))" >/dev/null || fail "$(as bank_a governance list)"
for _ in $(seq 3000); do
  grep -q 'will follow rules version 1000, this program has' "$W/bank_a/node.log" && break
  sleep 0.02
done
grep -q 'will follow rules version 1000, this program has' "$W/bank_a/node.log" || fail "nobody was warned"
as bank_a audit export --out "$W/trail" >/dev/null
as bank_b dataset publish --table loans >"$W/out" 2>&1 || true # the last block under the old rules
for m in "${members[@]}"; do
  status=0
  for _ in $(seq 3000); do kill -0 "${pid[$m]}" 2>/dev/null || break; sleep 0.02; done
  ! kill -0 "${pid[$m]}" 2>/dev/null || fail "$m goes on under rules that it does not have: $(as "$m" status)"
  wait "${pid[$m]}" || status=$?
  [ "$status" -eq 14 ] || fail "$m ended with $status: $(tail -n 2 "$W/$m/node.log")"
  grep -q "from block [0-9]* on the ledger follows rules version 1000, this program has .*: install a newer one" "$W/$m/node.log" ||
    fail "$m does not say why: $(tail -n 2 "$W/$m/node.log")"
  unset "pid[$m]"
done
as bank_a ledger check >/dev/null || fail "the ledger of a node that stopped is not whole"
status=0
FIRMIANA_HOME=$W/bank_a timeout 120 "$firmiana" node >>"$W/bank_a/node.out" 2>>"$W/bank_a/node.log" || status=$?
[ "$status" -eq 14 ] || fail "started again, it ended with $status"

# ---- 4 ----
"$verify" "$W/trail" >"$W/out" || fail "the trail is not valid: $(cat "$W/out")"
grep -q 'quorum 4:' "$W/out" || fail "$(cat "$W/out")"
echo "$name: a witness joined, a member left and came back, parameters changed, and nobody followed rules that it does not have"
