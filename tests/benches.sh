#!/usr/bin/env bash
# The tools around the benches: an emulated line delays what crosses it and leaves nothing behind; a plot is an SVG.
# usage: tests/benches.sh BUILD_FOLDER
set -euo pipefail
build=$(cd "$1" && pwd)
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
fail() { echo "benches.sh: $*" >&2; exit 1; }
status_of() { local status=0; "$@" >"$W/out" 2>"$W/err" || status=$?; echo "$status"; }

# ---- what is wrong is said in one line, with a status of the table ----
[ "$(status_of benches/net-emulate)" = 2 ] || fail "net-emulate without arguments"
[ "$(status_of benches/net-emulate moon -- true)" = 2 ] && [ "$(wc -l <"$W/err")" = 1 ] || fail "an unknown link: $(cat "$W/err")"
[ "$(status_of benches/net-emulate 0mbit,1ms -- true)" = 2 ] || fail "a rate of 0"
benches/net-emulate --help | grep '20 ms' >/dev/null || fail "net-emulate --help"
benches/plot --help | grep usage >/dev/null || fail "plot --help"
[ "$(status_of env -i PATH="$W" /bin/bash benches/plot "$build/none.jsonl")" = 3 ] || fail "a file that is not there: $(cat "$W/err")"

# ---- a plot ----
"$build/benches/bench_mpc" --op shuffle --n 100 --runs 1 >"$W/lines"
[ "$(FIRMIANA_BENCHES=$build/benches status_of benches/figures --quick --lines "$W/all")" = 0 ] || fail "figures: $(cat "$W/err")"
[ "$(grep -cE '^\| .* \| [0-9].* \|' "$W/out")" = 20 ] && ! grep -qE '^\| [^|]*\| *\|' "$W/out" || fail "figures: not 20 rows, each measured: $(cat "$W/out")"
"$build/benches/bench_paillier" --op add --batch 8 --rounds 1 --ms 1 >>"$W/all"
[ "$(status_of benches/figures --moon)" = 2 ] && grep -q -- "--moon" "$W/err" || fail "figures --moon"
[ "$(status_of env FIRMIANA_BENCHES="$W" benches/figures)" = 3 ] && [ "$(wc -l <"$W/err")" = 1 ] || fail "figures without benches: $(cat "$W/err")"
if command -v gnuplot >/dev/null; then
  benches/plot --x n --y bytes_sent_per_party --by op,protocol "$W/lines" >"$W/plot.svg" 2>"$W/err" || fail "plot failed: $(cat "$W/err")"
  grep -q '<svg' "$W/plot.svg" && grep -q 'shuffle' "$W/plot.svg" || fail "plot: no SVG with a line for shuffle"
  for of in paillier verify did ledger query resolve net; do # by default: what they print has what is drawn
    grep "\"bench\":\"bench_$of\"" "$W/all" >"$W/$of" || fail "no lines of bench_$of"
    benches/plot "$W/$of" >"$W/$of.svg" 2>"$W/err" && grep -q '<svg' "$W/$of.svg" || fail "plot of bench_$of: $(cat "$W/err")"
  done
  [ "$(status_of benches/plot --x none "$W/lines")" = 3 ] || fail "plot of a field that is not there"
else
  [ "$(status_of benches/plot "$W/lines")" = 14 ] && grep -q 'apt-get install' "$W/err" || fail "plot without gnuplot: $(cat "$W/err")"
fi

# ---- a sweep: size after size, until it is too much ----
sweep() { FIRMIANA_BENCHES=$build/benches benches/sweep "$@"; }
benches/sweep --help | grep usage >/dev/null || fail "sweep --help"
[ "$(status_of sweep --op none)" = 2 ] && grep -q "no operation 'none'" "$W/err" || fail "sweep of no operation: $(cat "$W/err")"
[ "$(status_of sweep --runs 0)" = 2 ] || fail "sweep --runs 0"
[ "$(status_of sweep --to 10)" = 2 ] || fail "sweep --to 10"
[ "$(status_of sweep --op open,logreg --to 10000 --threads 1 --seconds 600)" = 0 ] || fail "sweep: $(cat "$W/err")"
[ "$(grep -c '"op":"\(open\|logreg\)".*"n":1000,' "$W/out")" = 2 ] && [ "$(grep -c '"n":10000,' "$W/out")" = 2 ] && [ "$(wc -l <"$W/out")" = 4 ] || fail "sweep's lines: $(cat "$W/out")"
[ "$(status_of sweep --op open --threads 2 --seconds 0)" = 0 ] && [ "$(grep -c '"threads":2' "$W/out")" = 1 ] && grep -q 'ends at 1000' "$W/err" || fail "a sweep that takes too long: $(cat "$W/err")"
if command -v gnuplot >/dev/null; then
  [ "$(status_of sweep --op open --to 1000 --threads 1 --plots "$W/pictures")" = 0 ] && grep -q '<svg' "$W/pictures/mpc.svg" && grep -q '1 threads' "$W/pictures/open.svg" || fail "sweep --plots: $(cat "$W/err")"
fi

# ---- `./run bench`: some by name, an option to those that have it; what fails does not end the others, and is said ----
bench() { FIRMIANA_BENCHES=$build/benches ./run bench --no-build "$@"; }
[ "$(status_of bench did paillier --suite p256 --ms 1 --batch 2 --rounds 1 --op add --kind std)" = 0 ] || fail "run bench: $(cat "$W/err")"
[ "$(grep -c '"bench":"bench_did"' "$W/out")" = 6 ] && [ "$(grep -c '"bench":"bench_paillier"' "$W/out")" = 1 ] || fail "run bench's lines: $(cat "$W/out")"
[ "$(status_of bench did paillier --ms 1 --batch 0)" = 1 ] && grep -q "batch '0'" "$W/err" && grep -q 'failed: bench_paillier' "$W/err" && [ "$(grep -c '"bench":"bench_did"' "$W/out")" = 18 ] || fail "run bench, one of which fails: $(cat "$W/err")"
[ "$(status_of bench --help)" = 0 ] && grep -q '^benches: .*did.*verify' "$W/out" || fail "run bench --help: $(cat "$W/out")"
[ "$(status_of bench moon)" = 2 ] && grep -q "no bench 'moon'" "$W/err" || fail "run bench moon: $(cat "$W/err")"
[ "$(status_of bench did --moon 3)" = 2 ] && grep -q -- "--moon" "$W/err" && [ ! -s "$W/out" ] || fail "run bench --moon: $(cat "$W/err")"

# ---- a line of 100 ms round trip: one round takes half of that, and not on loopback ----
emulate() { FIRMIANA_EMULATE_LINK=$build/benches/emulate_link benches/net-emulate "$@"; }
ms_of() { sed -n 's/.*"seconds":0\.\([0-9][0-9][0-9]\).*/\1/p' "$1"; }
if [ "$(id -u)" != 0 ] || ! command -v ip >/dev/null || ! command -v tc >/dev/null || ! ip netns add "fmtest$$" 2>/dev/null; then
  [ "$(status_of emulate wan -- true)" != 0 ] && [ "$(wc -l <"$W/err")" = 1 ] || fail "net-emulate where it cannot work: $(cat "$W/err")"
  echo "no network namespaces here: the rest is skipped"
  exit 0
fi
ip netns del "fmtest$$"
for how in '' --userspace; do
  for _ in $(seq 20); do # on a machine that does other things too, the first may come late
    # shellcheck disable=SC2086
    emulate $how 1gbit,100ms -- "$build/benches/bench_mpc" --op mul --n 1000 --runs 1 >"$W/far" 2>"$W/err" || fail "over the line: $(cat "$W/err")"
    grep -q '"network":"1gbit,100ms"' "$W/far" || fail "no name of the line: $(cat "$W/far")"
    ms=$(ms_of "$W/far")
    [ "$((10#${ms:-999}))" -ge 50 ] || fail "one round over 100 ms took $ms ms"
    [ "$((10#${ms:-999}))" -gt 100 ] || break
  done
  [ "$((10#${ms:-999}))" -le 100 ] || fail "one round over 100 ms took $ms ms"
done
# Few rounds are what a session takes unless told otherwise, and over a long line they are the faster ones.
faster() {
  emulate wan -- bash -c "for few in '' --few-bytes; do $build/benches/bench_mpc --op lt --n 1000 --runs 1 \$few; done" >"$W/wan" 2>"$W/err" || fail "over wan: $(cat "$W/err")"
  sed -n 's/.*"rounds":\([0-9]*\),"seconds":\([0-9.]*\).*/\1 \2/p' "$W/wan" |
    awk '{ r[NR] = $1; s[NR] = $2 } END { exit !(NR == 2 && r[1] < r[2] && s[1] < s[2]) }'
}
faster || faster || faster || faster || fail "less-than over wan: $(cat "$W/wan")"
[ "$(status_of emulate --userspace wan -- "$build/benches/bench_query" --n 300)" = 14 ] && [ ! -s "$W/out" ] && grep -q 'no delay' "$W/err" || fail "bench_query over a line that does not reach it: $(cat "$W/err")"
[ "$(status_of emulate wan -- false)" = 1 ] || fail "the command's status is not passed on"
# shellcheck disable=SC2016
emulate wan -- bash -c 'echo "$FIRMIANA_BENCH_PLACES"' >"$W/places" 2>"$W/err"
[ "$(wc -w <"$W/places")" = 3 ] || fail "places: $(cat "$W/places")"
for place in $(cat "$W/places"); do
  ! ip netns list | grep "^${place%%=*}" >/dev/null || fail "namespace ${place%%=*} was left behind"
done
