#!/usr/bin/env bash
# The long fuzzing campaign: every target of tests/fuzz, FIRMIANA_FUZZ_RUNS executions each (10,000,000 by default),
# FIRMIANA_FUZZ_JOBS targets at a time (2).
#   half    guided by the coverage of clang's libFuzzer; what it found then runs once more under the address sanitizer
#   a tenth by our own driver, under the address sanitizer
#   rest    by our own driver without it, two to three times as fast; inputs end before a page that cannot be read
# All of it with the undefined-behaviour sanitizer, and every law. Without clang our driver has the first half too. What is
# found is left in the folder that is named.
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

configure "$build/fuzz-driver" -DFIRMIANA_SANITIZE=undefined
configure "$build/fuzz-asan" -DFIRMIANA_SANITIZE=address,undefined
guided=no
if command -v clang >/dev/null && echo 'int LLVMFuzzerTestOneInput(const char *p, unsigned long n) { return p == 0 && n; }' |
  clang -x c -fsanitize=fuzzer - -o "$work/probe" 2>/dev/null; then
  guided=yes
  configure "$build/fuzz-clang" -DCMAKE_C_COMPILER=clang -DFIRMIANA_FUZZER=ON -DFIRMIANA_SANITIZE=undefined
fi

# A program with its arguments, which says what it did in the log; broken: the log's end.
step() { # target, program...
  local target=$1
  shift
  "$@" >>"$work/$target.log" 2>&1 || { echo "$target: broken by $*" | cut -c1-300; tail -n 30 "$work/$target.log"; return 1; }
}

one() { # target
  local target=$1 name=tests/fuzz/fuzz_$1 rest=$runs seed=${FIRMIANA_FUZZ_SEED:-$(date +%s)}
  mkdir -p "$work/$target"
  cd "$work/$target"
  if [ "$guided" = yes ]; then
    step "$target" "$build/fuzz-driver/$name" --write "$work/$target"
    step "$target" "$build/fuzz-clang/$name" -runs=$((runs / 2)) -print_final_stats=1 -verbosity=0 -max_len=32768 \
      -rss_limit_mb=4096 "$work/$target"
    grep -E 'stat::(number_of_executed_units|average_exec_per_sec|new_units_added)' "$work/$target.log" | tr '\n' ' '
    find "$work/$target" -type f | while mapfile -t -n 500 found && [ ${#found[@]} -gt 0 ]; do
      step "$target" "$build/fuzz-asan/$name" "${found[@]}" || exit 1
    done
    rest=$((runs - runs / 2))
  fi
  step "$target" "$build/fuzz-asan/$name" --runs $((runs / 10)) --seed "$seed"
  tail -n 1 "$work/$target.log"
  step "$target" "$build/fuzz-driver/$name" --runs $((rest - runs / 10)) --seed $((seed + 1))
  tail -n 1 "$work/$target.log"
}

failed=0
jobs=${FIRMIANA_FUZZ_JOBS:-2}
for ((i = 0; i < ${#targets[@]}; i += jobs)); do
  pids=()
  for target in "${targets[@]:i:jobs}"; do
    (one "$target") &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
done
[ "$failed" = 0 ] || { keep=yes; echo "what was found is in $work"; exit 1; }
