/* Keys in PKCS#11 tokens (smart cards, HSMs, SoftHSM): they sign there and never come out. What
 * stands in a file, in place of a sealed secret, says where the key is, as canonical JSON and a
 * newline:
 *
 *   "created"   moment.h
 *   "format"    "firmiana-token-1"
 *   "public"    the public key as Multikey
 *   "role"      as in keyfile.h
 *   "uri"       RFC 7512: "pkcs11:token=Bank%20A;object=officer", or with id; at most 1024
 *               characters, no PIN in it. "?module-path=/usr/lib/.../x.so" names the token's
 * module, else all that p11-kit has are asked. (Whoever writes such a file chooses code that its
 * reader runs: key files are their owner's alone, keystore.h.)
 *
 * Keys: P-256 (CKM_ECDSA over SHA-256) and Ed25519 (CKM_EDDSA), one that the token does not let out
 * (CKA_EXTRACTABLE false). The PIN is asked for like a passphrase. p11-kit (libp11-kit0) is loaded
 * when the first such key is opened, not before. */
#ifndef FIRMIANA_DID_TOKEN_H
#define FIRMIANA_DID_TOKEN_H

#include <stdbool.h>

#include "did/keyfile.h"

#define DID_TOKEN_URI 1025 /* with the closing NUL */

/* Whether the bytes of a key file are of this kind: they name its format. */
bool did_token_is_file(const void *bytes, size_t len);

/* Appends such a file's bytes. FM_E_ARG: role, or a URI that is too long or holds a PIN. */
fm_status did_token_file_put(struct base_buf *out, const struct did_key *key, const char *role,
                             int64_t created_s, const char *uri, struct base_err *err) FM_CHECK;
/* And reads them. FM_E_CORRUPT. */
fm_status did_token_file_read(struct did_keyfile *info, char uri[DID_TOKEN_URI], const void *bytes,
                              size_t len, struct base_err *err) FM_CHECK;

/* Logs in and finds the key; it signs once and the signature is checked, so that the key that comes
 * back is the one that signs. While a key of the same token is open the process is logged in, and
 * the PIN is not looked at again. key: which one it must be; NULL: the token's public key of the
 * same id says. Its did_secret_bytes() are NULL. Errors: FM_E_ARG (URI, several keys match),
 * FM_E_AUTH (PIN wrong or locked, another key), FM_E_NOT_FOUND (token or key), FM_E_REFUSED
 * (extractable, may not sign), FM_E_UNSUPPORTED (kind of key, no p11-kit), FM_E_IO (module or token
 * fails). */
fm_status did_token_open(struct did_secret **out, const char *uri, const struct did_key *key,
                         const struct did_passphrase *pin, struct base_err *err) FM_CHECK;

#endif
