#!/usr/bin/env bash
# Every bench and every option that its --help lists: a wrong value, none, and an option that there is not, are one line on
# standard error that names the option, nothing on standard output, and exit code 2. And benches/README.md has a section
# of every bench that says every field and every option.
# usage: check_arguments.sh BUILD_FOLDER
set -euo pipefail
benches=$(cd "$1/benches" && pwd)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
fail() { echo "check_arguments.sh: $*" >&2; exit 1; }

refused=0
refuse() { # word that the line must hold, program, arguments...
  local word=$1 status=0
  shift
  "$@" >"$W/out" 2>"$W/err" </dev/null || status=$?
  [ "$status" = 2 ] || fail "$*: exit code $status, not 2"
  [ ! -s "$W/out" ] || fail "$*: prints what is no refusal: $(head -n 1 "$W/out")"
  [ "$(wc -l <"$W/err")" = 1 ] && grep -qF -- "$word" "$W/err" || fail "$*: not one line that names $word: $(cat "$W/err")"
  refused=$((refused + 1))
}

count=0
for bench in "$benches"/bench_*; do
  [ -x "$bench" ] && [ -f "$bench" ] || continue
  name=$(basename "$bench") count=$((count + 1))
  "$bench" --help >"$W/help" 2>"$W/err" && [ ! -s "$W/err" ] && [ -s "$W/help" ] || fail "$name --help"
  "$bench" -h | cmp -s - "$W/help" || fail "$name -h is not --help"
  grep -q '^fields of a line' "$W/help" || fail "$name --help says no fields"
  refuse --mo "$bench" --mo 3
  refuse moon "$bench" moon
  refuse --jsons "$bench" --jsons
  while read -r option kind rest; do
    case $kind in
      N)
        for wrong in '7 ' '' 18446744073709551617; do refuse "$option" "$bench" "$option" "$wrong"; done
        least=$(grep -oE '[0-9]+ to [0-9]+' <<<"$rest" | tail -n 1)
        [ "${least%% *}" = 0 ] || refuse "$option" "$bench" "$option" $((${least%% *} - 1))
        refuse "$option" "$bench" "$option" $((${least##* } + 1))
        refuse "$option" "$bench" "$option"
        ;;
      WORD)
        refuse "$option" "$bench" "$option"
        case $rest in *\|*) refuse "$option" "$bench" "$option" moon && refuse "$option" "$bench" "$option" '' ;; esac
        ;;
    esac
  done < <(sed -n 's/^  \(--[a-z-]*\) /\1 /p' "$W/help")

  # ---- the page for people ----
  sed -n "/^### .*\`$name\`/,/^##/p" "$here/README.md" >"$W/section"
  [ -s "$W/section" ] || fail "benches/README.md has no section ### \`$name\`"
  for option in $(sed -n 's/^  \(--[a-z-]*\) .*/\1/p' "$W/help"); do
    case $option in --json | --profile) continue ;; esac
    grep -qE -- "[\`(| ]$option\b" "$W/section" || fail "benches/README.md, $name: nothing of $option"
  done
  for field in $(sed -n '/^fields of a line/,$s/^  \([a-z0-9_]*\) .*/\1/p' "$W/help"); do
    case $field in profile | network) continue ;; esac
    grep -qE "[\`]$field[\`]" "$W/section" || fail "benches/README.md, $name: nothing of the field $field"
  done
done
[ "$count" -ge 13 ] || fail "only $count benches in $benches"
refuse --op "$benches/bench_mpc" --op moon
refuse --processes "$benches/bench_ledger" --engine cometbft --processes
refuse --join "$benches/bench_ledger" --engine cometbft --join
refuse --kind "$benches/bench_paillier" --op add --kind owner

# ---- what a line that is emulated cannot reach is refused ----
for bench in "bench_query" "bench_sql" "bench_ledger" "bench_ledger --engine cometbft" bench_psi bench_did; do
  status=0
  # shellcheck disable=SC2086
  FIRMIANA_BENCH_LINK=wan FIRMIANA_BENCH_PLACES='a=b c=d e=f' "$benches"/$bench >"$W/out" 2>"$W/err" || status=$?
  [ "$status" = 14 ] && [ ! -s "$W/out" ] && [ "$(wc -l <"$W/err")" = 1 ] && grep -q "'wan'" "$W/err" || fail "$bench over a line that does not reach it: $status, $(cat "$W/err")"
done
echo "$count benches, $refused wrong arguments refused by name"
