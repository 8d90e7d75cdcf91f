#!/usr/bin/env bash
# Encrypted copies of a signed document at other members: kept at two, the owner's key rotated, one keeper killed and the other's copy
# damaged; fetched and checked from the file alone; a quota, a stranger, a reader, a drop.
# usage: tests/copies.sh BUILD_FOLDER
set -euo pipefail
build=$(cd "$1" && pwd) name=copies.sh
# shellcheck source=tests/homes.sh
. tests/homes.sh

reach() { # MEMBER PEER: until the member's node is connected with the peer's
  for _ in $(seq 1500); do
    ! as "$1" status --json 2>/dev/null | grep -o "{[^{}]*\"alias\":\"$2\"[^{}]*}" | grep '"up":true' >/dev/null || return 0
    sleep 0.02
  done
  fail "$1 did not reach $2"
}

homes_make 60
sed -i 's/^{/{"copies_limit": 1, /' "$W/bank_c/node.json"
homes_start
cd "$W"
# Three parts of a message and some: longer than one, and not a whole number of them.
{ echo "a loan contract, and nobody else's business"; head -c 700000 /dev/urandom; } >contract.pdf
as bank_a sign contract.pdf --out c.sig --signer bank_a --signer bank_b >/dev/null
as bank_b countersign contract.pdf c.sig >/dev/null
must_refuse 12 "anchored" as bank_a document keep contract.pdf c.sig --at bank_b
as bank_a anchor c.sig >/dev/null
printf 'another contract\n' >forged.pdf
must_refuse 1 "is not the document that was signed" as bank_a document keep forged.pdf c.sig --at bank_b
must_refuse 12 "no active member" as bank_a document keep contract.pdf c.sig --at bank_x
must_refuse 2 "that is this member itself" as bank_a document keep contract.pdf c.sig --at bank_a

# ---- kept at two; the regulator may read it ----
as bank_a document keep contract.pdf c.sig --at bank_b --at bank_c --reader regulator >out
shows out "keeper  bank_b            kept" "keeper  bank_c            kept" "reader  regulator         known"
address=$(head -c 64 out)
for m in bank_b bank_c; do
  kept=$m/copies/kept-bank_a-$address
  [ "$(digest <"$kept")" = "$address" ] || fail "$kept is not of its address"
  ! grep -qa "nobody else's business" "$kept" || fail "a keeper can read it"
  must_refuse 12 "no copy" as "$m" document get "$address" --out "got-$m"
done
[ ! -e "bank_a/copies/out-$address" ] || fail "the owner's box is still there"
as bank_a document show "$address" --json >out
shows out '"type":"FirmianaCopyReceipt"' '"proofValue"' '"readers":["regulator"]'
! grep -q '"key"' out || fail "a key is shown"

# ---- a reader fetches; the owner sees who did ----
as regulator document get "$address" --out got-regulator >out
shows out "valid: signed document" "(bank_a), by its node's key" "from bank_b"
cmp contract.pdf got-regulator/contract.pdf && cmp c.sig got-regulator/c.sig || fail "the reader got something else"
as bank_a document show "$address" >out
shows out "at bank_b: regulator, 1 times"

# ---- the owner's key is rotated, one keeper killed, the other's copy damaged ----
as bank_a did key assertionMethod --out fresh.json >/dev/null
as bank_a did rotate --with fresh.json >out || fail "$(cat out)"
kill -TERM "${pid[bank_a]}" && wait "${pid[bank_a]}"
mv fresh.json bank_a/keys/assertion.json
start bank_a
kill -9 "${pid[bank_b]}" && wait "${pid[bank_b]}" 2>/dev/null || true
unset "pid[bank_b]"
reach bank_a bank_c
printf 'another 16 bytes' | dd of="bank_c/copies/kept-bank_a-$address" bs=1 seek=300000 conv=notrunc status=none
must_refuse 5 "bank_b: it " as bank_a document get "$address" --out got # is not connected, or left, as far as is known
must_refuse 5 "bank_c: what it gave is not the copy of that address: damaged or forged" as bank_a document get "$address" --out got
[ ! -e got ] || fail "a damaged copy was written"
start bank_b
reach bank_a bank_b
as bank_a document get "$address" --out got --from bank_b >out
shows out "valid: signed document" "from bank_b"
env -i "$verify" --document got/contract.pdf got/c.sig >/dev/null || fail "not valid from the file alone"
cmp contract.pdf got/contract.pdf
must_refuse 11 "got: exists already" as bank_a document get "$address" --out got
must_refuse 2 "regulator is no keeper" as bank_a document get "$address" --out got2 --from regulator

# ---- a quota ----
head -c 800000 /dev/urandom >second.pdf
"$firmiana" credential key --out person.key >/dev/null
"$firmiana" sign second.pdf --out s.sig --key person.key >/dev/null
must_refuse 5 "bank_c            refused: its quota for this member is used up" as bank_a document keep second.pdf s.sig --at bank_b --at bank_c
as bank_a document list >out
shows out "second.pdf  of bank_a" "contract.pdf  of bank_a"

# ---- a copy waits for its keeper, whichever of the two was down ----
kill -9 "${pid[bank_b]}" && wait "${pid[bank_b]}" 2>/dev/null || true
unset "pid[bank_b]"
printf 'third\n' >third.pdf
"$firmiana" sign third.pdf --out t.sig --key person.key >/dev/null
must_refuse 5 "what waits goes on by itself" as bank_a document keep third.pdf t.sig --at bank_b
kill -9 "${pid[bank_a]}" && wait "${pid[bank_a]}" 2>/dev/null || true
start bank_a
start bank_b
for _ in $(seq 1500); do
  as bank_a document list >out 2>/dev/null && ! grep -q "keeper  bank_b            waiting" out && break
  sleep 0.02
done
shows out "third.pdf  of bank_a"
! grep -q waiting out || fail "it does not go on: $(cat out)"

# ---- dropped ----
reach bank_a bank_c
reach bank_a regulator
as bank_a document drop "${address:0:8}" >out
shows out "its key is gone from here; nobody that was told keeps it"
for m in bank_b bank_c; do [ ! -e "$m/copies/kept-bank_a-$address" ] || fail "$m keeps it"; done
must_refuse 12 "no copy" as bank_a document get "$address" --out got3
must_refuse 12 "no copy" as regulator document get "$address" --out got3
cd - >/dev/null
echo "$name: kept at two, fetched after a rotation with one keeper dead and the other's copy damaged, by owner and reader; quota, waiting, drop"
