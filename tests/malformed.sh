#!/usr/bin/env bash
# Files that are no JSON of ours, in every command that reads one and needs no node: each is refused in one line with the
# file's name and the place, nothing is printed or written, and the exit code is that of the README's table: 1 where the
# file is what is to be checked, 3 where it is an input, 13 where it is too long.
# usage: tests/malformed.sh BUILD_FOLDER
set -euo pipefail
build=$(cd "$1" && pwd)
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
fail() { echo "malformed: $*" >&2; exit 1; }
export FIRMIANA_PASSPHRASE="a long passphrase" FIRMIANA_WALLET=me.wallet
unset FIRMIANA_HOME FIRMIANA_PROFILE
cd "$W"

# ---- what is wrong, and how its place is said ----
place="line [0-9]+, column [0-9]+: "
declare -A said=([empty]="(line|JSON|the file is empty)" [mark]="${place}JSON begins with a byte order mark" [cut]="${place}JSON: " [twice]="${place}JSON: duplicate object key"
  [latin]="${place}JSON: unable to decode byte 0xe9" [nul]="${place}JSON: control character 0x0" [deep]="${place}JSON is nested deeper than 32 levels"
  [deeper]="${place}JSON is nested deeper than 32 levels" [real]="a\.b\[1\]: JSON number with a fraction" [null]="a: JSON null" [token]="${place}JSON: " [long]="larger than [0-9]+ bytes|may have [0-9]+ bytes|longer than")
mkdir bad
: >bad/empty
printf '\xef\xbb\xbf{"a": 1}\n' >bad/mark
printf '{"a": {"b": 1}' >bad/cut
printf '{"a": 1,\n "b": 2, "a": 3}\n' >bad/twice
printf '{"a": "caf\xe9"}\n' >bad/latin
printf '{"a": "b\0c"}\n' >bad/nul
printf '%s1%s\n' "$(printf '{"a":%.0s' $(seq 40))" "$(printf '}%.0s' $(seq 40))" >bad/deep
head -c 5000 /dev/zero | tr '\0' '[' >bad/deeper
printf '{"a": {"b": [1, 2.5]}}\n' >bad/real
printf '{"a": null}\n' >bad/null
printf 'none\n' >bad/token
head -c 70000000 /dev/zero | tr '\0' ' ' >bad/long
usual=(empty mark cut twice latin nul deep deeper token)

"$build/bin/firmiana" credential key --out key >/dev/null
"$build/bin/firmiana" wallet create me.wallet >/dev/null
echo '{}' >object
before=$(ls)

checks=0
# CODE FAULTS COMMAND...: @ is the file
malformed() {
  local code=$1 faults=$2 fault status want
  shift 2
  for fault in $faults; do
    status=0 want=$code
    [ "$fault" != long ] || want=13
    "$build/bin/firmiana" "${@//@/bad/$fault}" >out 2>err </dev/null || status=$?
    [ "$status" = "$want" ] || fail "exit code $status, not $want: ${*//@/bad/$fault} says $(cat err)"
    [ "$(wc -l <err)" = 1 ] && [ ! -s out ] || fail "not one line: ${*//@/bad/$fault} says $(cat err)"
    grep -qE "^firmiana: bad/$fault: ([a-z ]+: )*(${said[$fault]})" err || fail "no place: ${*//@/bad/$fault} says $(cat err)"
    checks=$((checks + 1))
  done
}
input() { malformed 3 "$@"; }
checked() { malformed 1 "$@"; }
all="${usual[*]} long" some="empty twice nul deep long" few="mark twice"

checked "$all" credential verify @
input "$some" credential verify object --document @
input "$some" credential verify object --list @
input "$all" credential verify object --schema @
input "$all" credential issue @ --key key
input "$few" credential issue @ --key key --format sd-jwt
input "$few" credential issue object --key key --schema @
input "$some" credential present @ --key key --challenge c --domain d
input "$some" credential claims @
input "$some" credential list --key key --from @
input "$some real null" consent revoke @ --key key --out made # JSON of ours, unlike a credential
input "mark nul deep" wallet trust @
input "mark nul deep" wallet receive @
input "$few" wallet history object --statement @
checked "$some" did certificate @ --ca object
input "$some real" officer sign @ --key key
input "$some" ledger init --name x --sequencer a --member @ --out made
checked "empty twice nul deep" dataset check @ object
checked "$few" audit opened @ object
input "$few" contract draft @
# the lines of a trail, of which a file has one: its number comes first
for fault in mark twice latin nul deep token; do
  said[$fault]="line 1(: line)?: column [0-9]+: JSON|line 1, column [0-9]+: JSON"
done
checked "mark twice latin nul deep token" verify @
input "mark twice latin nul deep token" countersign object @ --key key
checked "$few" wallet history @
checked "$few" wallet find @
checked "$few" credential verify object --trail @
# what was scanned is one line of text
input "mark latin deep" wallet scan @
# a key file cut anywhere, or of other bytes, was once ours
for fault in "${usual[@]}" real; do
  said[$fault]=".*"
  chmod 600 "bad/$fault"
done
for n in 0 1 100 $(($(stat -c %s key) - 1)); do head -c "$n" key >bad/cut; malformed 9 cut credential issue object --key @; done
malformed 9 "mark twice latin nul deep real token" credential issue object --key @
[ "$(ls | grep -vx 'out\|err')" = "$before" ] || fail "something was written: $(ls)"
echo "$checks refusals, each in one line with the file and the place"
