# shellcheck shell=bash
# For scripts that hold a check against what was altered. The caller has $W and fail().

# altered FILE COMMAND...: with a bit of FILE changed, at the beginning, in the middle and at the end, COMMAND must fail; FILE is left
# as it was, and COMMAND then succeeds.
altered() {
  local file=$1 size at byte
  shift
  size=$(stat -c %s "$file")
  cp "$file" "$W/altered.kept"
  for at in 0 $((size / 2)) $((size - 2)); do
    byte=$(od -An -tu1 -j "$at" -N 1 "$file")
    # shellcheck disable=SC2059
    printf "\\$(printf %o $((byte ^ 1)))" | dd of="$file" bs=1 seek="$at" conv=notrunc 2>/dev/null
    ! "$@" >/dev/null 2>&1 || fail "$file is altered at byte $at, and good: $*"
    cp "$W/altered.kept" "$file"
  done
  "$@" >/dev/null || fail "$file is as it was, and not good: $*"
}
