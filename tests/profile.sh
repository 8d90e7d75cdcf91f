# shellcheck shell=bash
# What the profile of algorithms changes for a script, in one place: FIRMIANA_PROFILE=national, in the environment, has
# every program and every check of a script that sources this follow; everything else of the script is the same under both.
pick() { # INTERNATIONAL NATIONAL
  if [ "${FIRMIANA_PROFILE:-}" = national ]; then echo "$2"; else echo "$1"; fi
}
profile=$(pick international national)
hash_name=$(pick sha256 sm3) foreign_hash=$(pick sm3 sha256)
suite=$(pick ed25519 sm2) foreign_suite=$(pick sm2 ed25519)
proof_suite=$(pick eddsa-jcs-2022 sm2-jcs)
key_mark=$(pick z6Mk zEPJ) # how a public key of the suite begins
# The hash of standard input by somebody else's program, in hex: of the ledger's formats, or of the ALGORITHM named.
digest() {
  if [ "${1:-$hash_name}" = sm3 ]; then openssl dgst -sm3 -r; else sha256sum; fi | cut -d' ' -f1
}
