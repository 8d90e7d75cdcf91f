#!/usr/bin/env bash
# Runs a bench and holds its lines against what its --help says of them: flat JSON, every field with a row there, the
# fields that its kind must have. Exit code: the bench's own, or 1.
# usage: check_lines.sh PROGRAM [ARGUMENT...]
set -euo pipefail
program=$1 name=$(basename "$1")
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
fail() { echo "check_lines.sh: $name: $*" >&2; exit 1; }

"$@" --json >"$W/lines" || exit "$?"
"$program" --help >"$W/help" || fail "--help ends with $?"
sed -n '/^fields of a line/,$s/^  \([a-z0-9_]*\(, [a-z]*\)*\) .*/\1/p' "$W/help" | tr -d ' ' | tr ',' '\n' | sort -u >"$W/said"
[ "$(wc -l <"$W/said")" -ge 4 ] || fail "--help says no fields"
[ -s "$W/lines" ] || fail "no lines"
cat "$W/lines"

value='("[^"\\]*"|-?[0-9]+(\.[0-9]+)?)'
while IFS= read -r line; do
  grep -qE "^\{\"bench\":\"$name\",\"op\":\"[a-z0-9_]+\"(,\"[a-z0-9_]+\":$value)+\}\$" <<<"$line" || fail "not a flat object with bench and op: $line"
  grep -oE '"[a-z0-9_]+":' <<<"$line" | tr -d '":' | sort >"$W/fields"
  [ -z "$(uniq -d "$W/fields")" ] || fail "a field twice: $line"
  unknown=$(comm -23 "$W/fields" "$W/said")
  [ -z "$unknown" ] || fail "--help says nothing of: $unknown"
  case $name in
    bench_mpc | bench_oblivious | bench_inference) must='op n protocol threads seconds bytes_sent_per_party rounds ops_per_s peak_rss link network profile' ;;
    bench_query | bench_sql) must='op n protocol threads seconds bytes_sent_per_party rounds ops_per_s peak_rss network' ;;
    bench_paillier | bench_proofs) must='op bits batch us_per_op ops_per_s' ;;
    bench_net) must='op mode size seconds bytes_per_s network profile' ;;
    bench_did) must='op n seconds ops_per_s suite' ;;
    *) case $line in *'"bytes_median":'*) must='op n' ;; *) must='op n seconds ops_per_s' ;; esac ;;
  esac
  for field in $must; do grep -qx "$field" "$W/fields" || fail "no $field: $line"; done
done <"$W/lines"
