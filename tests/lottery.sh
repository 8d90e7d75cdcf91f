#!/usr/bin/env bash
# A lottery of 500,000 entries by real nodes: shares committed, shown, withheld; drawn by our program and by another,
# written from ledger/proof/lottery.h alone; nothing that an organiser could alter goes unseen.
# usage: tests/lottery.sh BUILD_FOLDER
set -euo pipefail
build=$(cd "$1" && pwd) name=lottery.sh
# shellcheck source=tests/homes.sh
. tests/homes.sh

must_refuse_by() { # CODE TEXT COMMAND...
  local code=$1 text=$2 out status=0
  shift 2
  out=$("$@" 2>&1) || status=$?
  [ "$status" -ne 0 ] || fail "not refused ($text): $*"
  [ "$code" = any ] || [ "$status" = "$code" ] || fail "exit code $status, not $code: $* : $out"
  [[ $out == *"$text"* ]] || fail "refused, but not by $text: $out"
}
must_refuse() { must_refuse_by any "$@"; }
hold() { # OPTIONS...: the lottery's id goes to $id
  id=$(as regulator lottery open "$W/list" --name flats --winners 1000 "$@" --json | sed -n 's/.*"id":"\([0-9a-f]*\)".*/\1/p')
  [ ${#id} = 64 ] || fail "no lottery was opened"
}
later() { # SECONDS COMMAND...: until the ledger takes it; 1 if it is never in time
  local i most=$(($1 * 10))
  shift
  for ((i = 0; i < most; i++)); do
    "$@" >"$W/out" 2>&1 && return 0
    grep -q lottery.time "$W/out" || fail "$(cat "$W/out")"
    sleep 0.1
  done
  return 1
}
# The two rounds take the closing time as an argument: a machine that is too busy for it gets a longer one.
spoil() { # SECONDS: bank_c commits and withholds
  rm -f "$W"/*.share
  hold --member bank_a --member bank_b --member bank_c --close "$1s" --reveal "$((2 * $1))s"
  for m in "${banks[@]}"; do as "$m" lottery commit "$id" --share "$W/$m.share" >"$W/out" 2>&1 || return 1; done
  ! as bank_a lottery reveal "$id" --share "$W/bank_a.share" >"$W/out" 2>&1 || return 1
  grep -q lottery.time "$W/out" || fail "revealed too early, refused by $(cat "$W/out")"
  for m in bank_a bank_b; do later "$((3 * $1))" as "$m" lottery reveal "$id" --share "$W/$m.share" || return 1; done
}
again() { # SECONDS FIRST: the two others draw once more
  rm -f "$W"/*.again
  hold --member bank_b --member bank_a --close "$1s" --reveal "$((60 * $1))s" --repeats "$2"
  for m in bank_a bank_b; do as "$m" lottery commit "$id" --share "$W/$m.again" >"$W/out" 2>&1 || return 1; done
  for m in bank_a bank_b; do later "$((60 * $1))" as "$m" lottery reveal "$id" --share "$W/$m.again" || return 1; done
}

homes_make 20
homes_start
awk 'BEGIN { for (i = 0; i < 500000; i++) printf "applicant %06d\n", i }' >"$W/list"

played() { # SECONDS: a lottery is repeated once, so a repetition that is too late needs another one to repeat
  spoil "$1" || return 1
  first=$id
  # The trail's newest entry is a share that was in time: nobody is blamed by it, whatever the clock says by now.
  rm -f "$W/early"
  as regulator audit export --out "$W/early" >/dev/null
  must_refuse_by 11 "the lottery is not over: its members show their shares until 20" "$firmiana" lottery draw "$first" "$W/list" "$W/early"
  must_refuse "lottery.member" later 200 as regulator lottery open "$W/list" --name flats --winners 1000 --member bank_a --member bank_c --close 3s --reveal 60s --repeats "$first"
  again "$1" "$first"
}
played 3 || played 10 || played 40 || fail "no lottery and its repetition were in time: $(cat "$W/out")"
drawn=$id
as regulator audit export --out "$W/spoilt" >/dev/null
must_refuse_by 4 "bank_c committed and withholds its share" "$firmiana" lottery draw "$first" "$W/list" "$W/spoilt"
settle "the lotteries are over"
as bank_c lottery show "${first:0:8}" >"$W/out"
for line in "lottery    $first" 'name       flats' 'members    bank_a: share shown' '           bank_c: committed' "state      spoilt: bank_c withholds its share; repeated by ${drawn:0:8}"; do
  grep -qx "$line" "$W/out" || fail "no '$line' in: $(cat "$W/out")"
done
hold --member bank_a --member bank_b --close 1h --reveal 1h
settle "a lottery is open"
as bank_a lottery commit "${id:0:8}" --share "$W/open.share" >/dev/null
settle "one has committed"
as bank_b lottery list | grep "^${id:0:8}  regulator   flats  *1000  1 of 2 have committed: until 20" >/dev/null || fail "$(as bank_b lottery list)"
as regulator audit export --out "$W/earlier" >/dev/null
must_refuse_by 11 "the lottery is not over: its members commit until 20" "$firmiana" lottery draw "$id" "$W/list" "$W/earlier"
must_refuse "no lottery on the ledger begins with 00000000" as bank_a lottery show 00000000
must_refuse "first 8 digits or more" as bank_a lottery show "${id:0:7}"
must_refuse "at most 366d" as regulator lottery open "$W/list" --name flats --winners 1 --member bank_a --member bank_b --close 99999d --reveal 1h
id=$drawn
as bank_a audit export --out "$W/trail" >/dev/null
before=$(now_ms)
"$firmiana" lottery draw "${id:0:8}" "$W/list" "$W/trail" --winners >"$W/winners" 2>"$W/out"
took=$(($(now_ms) - before))
[ "$(sort -u "$W/winners" | wc -l)" = 1000 ] || fail "not 1000 winners"
chain=$("$verify" "$W/trail" | sed -n 's/^  chain *//p')
"$firmiana" lottery draw "$id" "$W/list" "$W/trail" --chain "$chain" >"$W/out" || fail "not drawn: $(cat "$W/out")"
for line in "  chain    $chain" '  final    cosigned by [34] of 4 active members, quorum 3: .*bank_a' "  ALSO     over this list: \"flats\" $first, not drawn (2 of 3 shares), which this one repeats" '  list     500000 entries'; do
  grep -q "^$line" "$W/out" || fail "the summary lacks '$line': $(cat "$W/out")"
done
# ... and from a compact trail, of the two lotteries alone; one that lacks a share says so, and blames nobody
as bank_a audit export --lottery "${id:0:8}" --out "$W/compact" >/dev/null
"$firmiana" lottery draw "$id" "$W/list" "$W/compact" --chain "$chain" >"$W/out.compact" || fail "not drawn: $(cat "$W/out.compact")"
[ "$(grep -v '^  others  \|^  final ' "$W/out.compact")" = "$(grep -v '^  final ' "$W/out")" ] || fail "another draw by a compact trail: $(cat "$W/out.compact")"
[ "$(stat -c %s "$W/compact")" -lt "$(stat -c %s "$W/trail")" ] || fail "the compact trail is not smaller"
leaf=$(as bank_a audit list --json | grep "id=${id:0:12}" | sed -n 's/.*"leaf":\([0-9]*\).*/\1/p')
as bank_a audit export --entry "$leaf" --out "$W/opened" >/dev/null
must_refuse "entries out: bring the whole trail" "$firmiana" lottery draw "$id" "$W/list" "$W/opened"
must_refuse "chain" "$firmiana" lottery draw "$id" "$W/list" "$W/trail" --chain "${chain//[0-9]/a}"
must_refuse "repeats it already" as regulator lottery open "$W/list" --name flats --winners 1000 --member bank_a --member bank_b --close 1h --reveal 1h --repeats "$first"
{ cat "$W/list" && printf 'applicant 000041\r\n'; } >"$W/twice"
must_refuse "lines 42 and 500001 are the same entry" as regulator lottery open "$W/twice" --name flats --winners 1000 --member bank_a --member bank_b --close 1h --reveal 1h

# another program
if command -v python3 >/dev/null; then
  python3 - "$id" "$W/list" "$(sed 's/.*"share":"\([0-9a-f]*\)".*/\1/' "$W/bank_a.again")" "$(sed 's/.*"share":"\([0-9a-f]*\)".*/\1/' "$W/bank_b.again")" "$hash_name" >"$W/theirs" <<'PY'
import hashlib, sys
H = lambda b: hashlib.new(sys.argv[5], b)
entries = open(sys.argv[2]).read().splitlines()
seed = H(b"firmiana/lottery/seed/1\0" + b"".join(bytes.fromhex(sys.argv[i]) for i in (1, 3, 4))).digest()
place, numbers, n = list(range(len(entries))), [], 0
for j in range(1000):
    m = len(entries) - j
    while True:
        if not numbers:
            block = H(seed + n.to_bytes(8, "big")).digest()
            numbers, n = [int.from_bytes(block[8 * i:8 * i + 8], "big") for i in range(4)], n + 1
        v = numbers.pop(0)
        if v < 2**64 - 2**64 % m:
            break
    r = j + v % m
    place[j], place[r] = place[r], place[j]
    print(entries[place[j]])
PY
  cmp -s "$W/winners" "$W/theirs" || fail "another program draws others"
else
  echo "$name: skipped: no python3 to draw once more by another program"
fi

# nothing may change
sed '7s/6/7/' "$W/list" >"$W/altered"
must_refuse "is not the list that was fixed" "$firmiana" lottery draw "$id" "$W/altered" "$W/trail"
sed '$d' "$W/list" >"$W/altered"
must_refuse "is not the list that was fixed" "$firmiana" lottery draw "$id" "$W/altered" "$W/trail"
sed "s/\"share\":\"$(sed 's/.*"share":"\([0-9a-f]\{8\}\).*/\1/' "$W/bank_a.again")/\"share\":\"00000000/" "$W/trail" >"$W/altered"
! cmp -s "$W/altered" "$W/trail" || fail "nothing was altered"
! "$firmiana" lottery draw "$id" "$W/list" "$W/altered" >/dev/null 2>&1 || fail "a share was altered, and the draw is valid"
echo "$name: 500,000 entries drawn and checked in $took ms; who withheld was named, the draw repeated without it"
