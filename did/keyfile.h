/* A sealed key as bytes: canonical JSON (one line) and a newline. No files here; keystore.h has
 * them.
 *
 *   "aead"      "aes-256-gcm"; "sm4-ctr-hmac-sm3" where the profile is national (base/aead.h)
 *   "checksum"  first 16 bytes of SHA-256 of the canonical object without this member, hex: tells a
 *               damaged file from a wrong passphrase. Protects against nothing but accidents.
 *   "created"   moment.h
 *   "format"    "firmiana-key-1"
 *   "kdf"       {"name": "scrypt", "n", "p", "r", "salt"}: RFC 7914; salt 32 bytes in hex.
 *               With the national aead {"name": "pbkdf2-hmac-sm3", "iterations", "salt"}: RFC 8018,
 *               since scrypt is made of SHA-256 and Salsa20. It costs time alone, no memory, so who
 *               guesses on many machines is slowed down less: choose a longer passphrase
 *   "nonce"     12 bytes, hex
 *   "public"    the public key as Multikey
 *   "role"      what the key is for: a role of role.h, "recovery", "subject", ...; 1 to 32 of
 *               [A-Za-z0-9-]
 *   "sealed"    hex: ciphertext of the suite's secret bytes, then the 16-byte tag
 *   "suite"     "ed25519", "p256" or "sm2"
 *
 * Key = scrypt(passphrase, salt, n, r, p) or PBKDF2, 32 bytes. PBKDF2's iterations are 8 n, and
 * from 2^17 to 2^24 may be read. Associated data: the canonical object without
 * "checksum" and "sealed", so that role, public key, dates and parameters are authenticated. Salt
 * and nonce are fresh at every sealing, so no (key, nonce) pair returns. */
#ifndef FIRMIANA_DID_KEYFILE_H
#define FIRMIANA_DID_KEYFILE_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/random.h"
#include "did/passphrase.h"
#include "did/suite.h"

#define DID_KEYFILE_MAX 4096
#define DID_KEYFILE_ROLE_MAX 32

/* scrypt's cost: about 128 n r bytes and, by default, 0.1 s. What may be read: n a power of two
 * from 2^14 to 2^20, r 1 to 32, p 1 to 16, at most 1 GiB; a file cannot ask for more. */
struct did_kdf {
    uint32_t n, r, p;
};
extern const struct did_kdf did_kdf_default; /* 2^15, 8, 1: 32 MiB */

/* What stands beside the sealed secret. */
struct did_keyfile {
    struct did_key key;
    char role[DID_KEYFILE_ROLE_MAX + 1];
    int64_t created_s;
};

/* Appends the bytes of a sealed key. FM_E_ARG for a role or kdf outside the above. */
fm_status did_keyfile_seal(struct base_buf *out, const struct did_secret *secret, const char *role,
                           int64_t created_s, const struct did_passphrase *pass,
                           const struct did_kdf *kdf, const struct base_random *random,
                           struct base_err *err) FM_CHECK;

/* Opens the bytes. info may be NULL. Errors: FM_E_CORRUPT (damaged, truncated, no such format),
 * FM_E_LIMIT (kdf asks too much), FM_E_AUTH (wrong passphrase, or forged by someone who fixed the
 * checksum). */
fm_status did_keyfile_open(struct did_secret **out, struct did_keyfile *info, const void *bytes,
                           size_t len, const struct did_passphrase *pass,
                           struct base_err *err) FM_CHECK;

/* Reads what is public, without a passphrase: checked against accidents, not authenticated. */
fm_status did_keyfile_peek(struct did_keyfile *info, const void *bytes, size_t len,
                           struct base_err *err) FM_CHECK;

#endif
