#!/usr/bin/env bash
# Officers, two of three: what one begins the next one sees, signs and submits; one alone, one twice, a stranger, a changed file and a
# file with other uses come to nothing. A new officer and a higher threshold count from then on.
# usage: tests/officers.sh BUILD_FOLDER
set -euo pipefail
# shellcheck source=tests/ports.sh
source "$(dirname "$0")/ports.sh"

build=$(cd "$1" && pwd)
# shellcheck source=tests/profile.sh
source "$(dirname "$0")/profile.sh"
W=$(mktemp -d)
nodes=()
cleanup() {
  [ ${#nodes[@]} -eq 0 ] || kill "${nodes[@]}" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$W"
}
trap cleanup EXIT
fail() { echo "officers: $*" >&2; exit 1; }
cd "$W"
export FIRMIANA_PASSPHRASE="node passphrase" FIRMIANA_HOME=$W/solo
firmiana=$build/bin/firmiana
with() { # officer command...: with the officer's own key and passphrase
  local who=$1
  shift
  "$firmiana" "$@" --key "$W/$who.json" --passphrase-fd 9 9<<<"passphrase of $who"
}
must_say() { # text command...: fails, and says this
  local want=$1 out
  shift
  out=$("$@" 2>&1) && fail "not refused ($want): $*: $out"
  case $out in *"$want"*) ;; *) fail "for '$want': $out" ;; esac
}
raw() { # a request as the socket takes it
  perl -MIO::Socket::UNIX -e 'my $s = IO::Socket::UNIX->new(Peer => "$ENV{FIRMIANA_HOME}/node.sock") or die; print $s $ARGV[0], "\n"; print while <$s>' "$1"
}

for o in o1 o2 o3 o4 stranger; do
  "$firmiana" officer create --out "$W/$o.json" --passphrase-fd 9 9<<<"passphrase of $o" >"$W/$o.txt"
done
ports_claim
init() { port=$((port + 1)); "$firmiana" init --home "$W/$1" --alias "$1" --listen "tcp://127.0.0.1:$port" "${@:2}"; }
must_say "--threshold 4, and there are 3 --officer" init none --officer o1.json --officer o2.json --officer o3.json --threshold 4
must_say "neither a key file nor a public key" init none --officer nobody
must_say "not an officer's" bash -c "'$firmiana' init --home '$W/tmp' --alias tmp --listen tcp://127.0.0.1:1 >/dev/null && '$firmiana' init --home '$W/none' --alias none --listen tcp://127.0.0.1:1 --officer '$W/tmp/keys/assertion.json'"
init solo --officer o1.json --officer "$(tail -n 1 o2.txt)" --officer o3.json --threshold 2 >/dev/null
[ ! -e solo/keys/officer.json ] || fail "a key was made for officers who have their own"
for m in x y; do init $m >/dev/null; done
"$firmiana" ledger init --name officers --quorum 2 --sequencer solo --member solo/member.json --member x/member.json --member y/member.json \
  --out solo/genesis.json >/dev/null
"$firmiana" demo-data data --rows 50 --banks 1 >/dev/null
cp data/bank_a.db solo/data.db
cp solo/genesis.json x/genesis.json
for m in solo x; do # two of three: the least that makes anything final
  "$firmiana" node --home "$W/$m" >$m.out 2>$m.log &
  nodes+=($!)
done
for _ in $(seq 2000); do
  if "$firmiana" status --json 2>/dev/null | grep '"connected":1' >/dev/null; then break; fi
  sleep 0.05
done
"$firmiana" dataset publish --table loans >/dev/null
propose() { # version minimum -> id
  cat >spec.json <<SPEC
{"name": "portfolio", "version": $1, "purpose": "statistics", "sql": "SELECT COUNT(*) AS n FROM solo.loans WHERE overdue_days > \$1",
 "compute": ["solo", "x", "y"], "recipients": ["x"], "parameters": [{"name": "\$1", "type": "INTEGER", "range": [0, 3650]}],
 "minimum_group": $2, "consent": {"requirement": "none", "basis": "aggregates"}}
SPEC
  "$firmiana" contract draft spec.json --out contract.json >/dev/null
  "$firmiana" contract propose contract.json >/dev/null
  tr -d '\n' <contract.json | digest
}
id=$(propose 1 5)
standing() { "$firmiana" contract show "$1" | grep 'solo *active' >/dev/null; }

# One of two.
with o1 contract authorize "$id" --runs 7 --partial a.json >out.txt
grep -q "a.json: signed by 1 of the 2 officers that solo needs" out.txt || fail "the first officer is told: $(cat out.txt)"
! standing "$id" || fail "one officer is enough"
double=$(perl -0pe 's/"proof":(\{[^}]*\})/"proof":[$1,$1]/' a.json)
case $(raw "{\"do\":\"tx.submit\",\"tx\":$double}") in *drop.proof*) ;; *) fail "one proof counts twice" ;; esac
case $(raw "{\"do\":\"tx.submit\",\"tx\":$(cat a.json)}") in *auth.threshold*) ;; *) fail "one signature is not refused by auth.threshold" ;; esac
! standing "$id" || fail "one officer is enough, submitted by hand"
# Twice the same; a stranger; a changed file.
must_say "this officer has signed it already" with o1 officer sign a.json
must_say "none of the officers' of solo" with stranger officer sign a.json
sed 's/"runs":7/"runs":700/' a.json >changed.json
must_say "proof by" with o2 officer sign changed.json
# A file that asks for other uses than the node derives, honestly signed by the first one.
now=$(date +%s%3N)
printf '{"contract":"%s","uses":[],"uses_hash":"%s","expires":%s,"runs":5}' "$id" "$(printf '[]' | digest)" $((now + 86400000)) >other.body
with o1 tx submit authorization.grant other.body --partial other.json >/dev/null
must_say "authorizes other uses than this member's node derives" with o2 officer sign other.json
# The second one sees it, signs, and it stands. (The ledger has the refused one: so it is begun anew.)
rm a.json
with o1 contract authorize "$id" --runs 8 --partial a.json >/dev/null
with o2 officer sign a.json >out.txt
grep -q "exactly these uses of your columns, 8 times" out.txt && grep -q "overdue_days" out.txt || fail "the second officer sees nothing: $(cat out.txt)"
grep -q "authorization.grant: final" out.txt || fail "it is not submitted: $(cat out.txt)"
standing "$id" || fail "two of three are not enough"

# The next version is shown against the one allowed before.
id2=$(propose 2 6)
with o3 contract authorize "$id2" --partial b.json >out.txt
grep -q "against ${id:0:12}, version 1 of it, which this member allowed" out.txt || fail "no diff: $(cat out.txt)"
grep -q "    - 5" out.txt && grep -q "    + 6" out.txt || fail "the diff does not show the minimum: $(cat out.txt)"

# A fourth officer and three of four: from then on two are too few, also for what was begun before.
with o1 officer add "$(tail -n 1 o4.txt)" --threshold 3 --partial c.json >/dev/null
with o2 officer sign c.json >out.txt
grep -q "3 of 4 officers sign together" out.txt || fail "the second officer does not see the change: $(cat out.txt)"
"$firmiana" officer list | grep "solo: 3 of 4 officers sign together (document version 2)" >/dev/null || fail "$("$firmiana" officer list)"
with o1 officer sign b.json >out.txt
grep -q "signed by 2 of the 3 officers" out.txt || fail "two are enough where three are needed: $(cat out.txt)"
with o4 officer sign b.json >/dev/null
standing "$id2" || fail "three of four are not enough"
# One goes: its key is worth nothing any more.
for step in "o1 officer remove o3.json --threshold 2 --partial d.json" "o2 officer sign d.json" "o4 officer sign d.json"; do
  # shellcheck disable=SC2086
  with $step >/dev/null
done
must_say "none of the officers' of solo" with o3 contract revoke "$id"
with o1 contract revoke "$id" --reason "under review" --partial e.json >/dev/null
must_say "it is another member's" bash -c "sed 's/\"sender\":\"[^\"]*\"/\"sender\":\"did:firmiana:x:y\"/' e.json >f.json; FIRMIANA_HOME='$FIRMIANA_HOME' '$firmiana' officer sign f.json --key o2.json"
with o2 officer sign e.json >/dev/null
! standing "$id" || fail "the revocation did not take"
"$firmiana" audit export --out trail.bundle >/dev/null
"$build/bin/firmiana-verify" trail.bundle >/dev/null || fail "the trail is not valid"
echo "officers: as they must"
