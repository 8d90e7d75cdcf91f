#!/usr/bin/env bash
# The long fuzzing campaign: every target of tests/fuzz, FIRMIANA_FUZZ_RUNS executions each (10,000,000 by default), two at
# a time, under the address and undefined-behaviour sanitizers. With clang installed the targets are linked with its
# libFuzzer and guided by coverage; without it, and for the half of the runs that libFuzzer does not get, our own driver
# runs them. What is found is left in the folder that is named.
#   usage: fuzz_campaign.sh BUILD_FOLDER [TARGET...]
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$(cd "$1" && pwd)
shift
runs=${FIRMIANA_FUZZ_RUNS:-10000000}
work=$(mktemp -d "${TMPDIR:-/tmp}/firmiana-fuzz.XXXXXX")
keep=no
trap '[ $keep = yes ] || rm -rf "$work"' EXIT

mapfile -t targets < <([ $# -gt 0 ] && printf '%s\n' "$@" || (cd "$here/tests/fuzz" && ls fuzz_*.c | sed 's/^fuzz_//; s/\.c$//'))
names=("${targets[@]/#/fuzz_}")
export UBSAN_OPTIONS=halt_on_error=1 ASAN_OPTIONS=detect_leaks=1

configure() { # folder, cmake options...
  local folder=$1
  shift
  cmake -S "$here" -B "$folder" -G Ninja "$@" >"$folder.log" 2>&1 || { cat "$folder.log"; exit 1; }
  cmake --build "$folder" --target "${names[@]}" >>"$folder.log" 2>&1 || { tail -n 40 "$folder.log"; exit 1; }
}

configure "$build/fuzz-driver" -DFIRMIANA_SANITIZE=address,undefined
guided=no
if command -v clang >/dev/null && echo 'int LLVMFuzzerTestOneInput(const char *p, unsigned long n) { return p == 0 && n; }' |
  clang -x c -fsanitize=fuzzer,address - -o "$work/probe" 2>/dev/null; then
  guided=yes
  configure "$build/fuzz-clang" -DCMAKE_C_COMPILER=clang -DFIRMIANA_FUZZER=ON -DFIRMIANA_SANITIZE=address,undefined
fi

one() { # target
  local name=fuzz_$1 half=$((runs / 2)) log=$work/$1.log
  mkdir -p "$work/$1"
  cd "$work/$1"
  "$build/fuzz-driver/tests/fuzz/$name" --write "$work/$1" >"$log" 2>&1
  if [ "$guided" = yes ]; then
    "$build/fuzz-clang/tests/fuzz/$name" -runs=$((runs - half)) -print_final_stats=1 -verbosity=0 -max_len=32768 -rss_limit_mb=4096 \
      "$work/$1" >>"$log" 2>&1 || { echo "$1: broken"; tail -n 30 "$log"; return 1; }
    grep -E 'stat::(number_of_executed_units|average_exec_per_sec|new_units_added)' "$log" | tr '\n' ' '
  else
    half=$runs
  fi
  "$build/fuzz-driver/tests/fuzz/$name" --runs "$half" --seed "${FIRMIANA_FUZZ_SEED:-$(date +%s)}" >>"$log" 2>&1 ||
    { echo "$1: broken"; tail -n 30 "$log"; return 1; }
  tail -n 1 "$log"
}

failed=0
for ((i = 0; i < ${#targets[@]}; i += 2)); do
  pids=()
  for target in "${targets[@]:i:2}"; do
    (one "$target") &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
done
[ "$failed" = 0 ] || { keep=yes; echo "what was found is in $work"; exit 1; }
