# shellcheck shell=bash
# Ports on loopback for scripts that source this file: no two scripts at a time have the same, and none is of those that the
# kernel gives to outgoing connections (from 32768 on), which a listener finds in use.
ports_claim() { # sets port: it and the 31 behind it are this script's, as long as it or a process of its lives
  local folder=${TMPDIR:-/tmp}/firmiana-ports-$UID slot fd
  mkdir -p "$folder"
  for _ in $(seq 1000); do
    slot=$((RANDOM % 500))
    exec {fd}>"$folder/$slot"
    if flock -n "$fd"; then
      port=$((10000 + 32 * slot))
      return
    fi
    exec {fd}>&-
  done
  echo "no ports: $folder" >&2
  return 1
}
