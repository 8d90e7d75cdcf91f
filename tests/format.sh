#!/usr/bin/env bash
# The house's style, as far as a machine can see it: clang-format with the repository's file, shell scripts that parse, no
# file over 500 lines, no function over 80, no words that put work off. Tracked files alone, so an editor's leavings and
# build folders do not count.
# usage: tests/format.sh (any arguments are ignored)
set -euo pipefail

cd "$(dirname "$0")/.."
if ! git rev-parse --is-inside-work-tree >/dev/null 2>&1 || ! command -v clang-format >/dev/null; then
  echo "SKIPPED: needs git's list of files and clang-format"
  exit 77
fi
failed=0
report=$(mktemp)
trap 'rm -f "$report"' EXIT
complain() { echo "format.sh: $*" >&2; failed=1; }

mapfile -t sources < <(git ls-files '*.c' '*.h' | while read -r f; do [ ! -f "$f" ] || echo "$f"; done)
mapfile -t scripts < <(git ls-files '*.sh' run .ci/run | while read -r f; do [ ! -f "$f" ] || echo "$f"; done)
[ "${#sources[@]}" -gt 100 ] && [ "${#scripts[@]}" -gt 2 ] || { echo "format.sh: git lists too few files" >&2; exit 1; }

printf '%s\0' "${sources[@]}" | xargs -0 -n 20 -P 2 clang-format --dry-run -Werror 2>"$report" || true
mapfile -t unformatted < <(grep -oE '^[^:]+' "$report" | sort -u)
for f in "${unformatted[@]}"; do [ ! -f "$f" ] || complain "$f: not formatted: ./run format"; done

for f in "${scripts[@]}"; do bash -n "$f" || complain "$f: does not parse"; done

for f in "${sources[@]}"; do
  lines=$(wc -l <"$f")
  [ "$lines" -le 500 ] || complain "$f: $lines lines, at most 500: split it by idea"
done

# In formatted code a function's body stands between a '{' and a '}' at the beginning of their lines.
while IFS= read -r line; do complain "$line"; done < <(awk '
  FNR == 1 { begin = 0 }
  /^\{$/ { begin = FNR }
  /^\}$/ { if (begin && FNR - begin - 1 > 80) print FILENAME ":" begin ": a function of " FNR - begin - 1 " lines, at most 80"; begin = 0 }
' "${sources[@]}")

words='TO''DO|FIX''ME|X''XX|HA''CK|st''ubs?|St''ubs?'
while IFS= read -r line; do complain "a word that puts work off: $line"; done < <(grep -nwE "$words" "${sources[@]}" "${scripts[@]}" || true)

[ "$failed" = 0 ] || exit 1
echo "${#sources[@]} sources and ${#scripts[@]} scripts: formatted, parsed, none too long"
