/* A data subject's wallet: one sealed file, no phone, no network. One secret; every key and nonce
 * is derived from it, for one counterpart each (key.h), so that a phrase on paper brings them all
 * back and two banks never see the same DID. Here: the wallet in memory, and its file as bytes.
 *
 * The file is canonical JSON (one line) and a newline:
 *
 *   "content"   {"nonce": 12 bytes in hex, "sealed": base64url of ciphertext and tag}: the aead of
 *               the profile (base/aead.h) under HKDF-Expand(secret, "firmiana wallet 1 content").
 *               Associated data: "firmiana-wallet-1", a NUL, the key's "public". Nonce fresh at
 *               every writing
 *   "format"    "firmiana-wallet-1"
 *   "key"       the secret: an object of did/keyfile.h, role "wallet", suite ed25519, or sm2 for a
 *               national ledger. As a key it signs nothing
 *
 * What is sealed is canonical JSON too: {"consents": [...], "credentials": [...], "identities":
 * [...], "ledger"?: {...}, "mandates": [...], "recovered"?: BOOL}; consent.h, holder.h and ledger.h
 * say what stands in them. recovered: the secret came from a phrase; true until a whole trail has
 * been searched for the keys that were used before. */
#ifndef FIRMIANA_EXCHANGE_WALLET_WALLET_H
#define FIRMIANA_EXCHANGE_WALLET_WALLET_H

#include <jansson.h>

#include "base/bytes.h"
#include "base/random.h"
#include "did/keyfile.h"

#define WALLET_MAX ((size_t)8 << 20) /* bytes of a file */

struct wallet {
    struct did_secret *master;
    struct did_keyfile info; /* public key, when it was made */
    json_t *key;             /* the sealed secret, as it stands in the file */
    json_t *content;
};

/* A new one, empty. secret32: one that is recovered, of that suite; NULL: a fresh one, of the
 * profile's usual suite. kdf NULL: did_kdf_default. FM_E_INPUT: not a secret of that suite. */
fm_status wallet_new(struct wallet *w, const uint8_t *secret32, const struct did_suite *suite,
                     int64_t now_s, const struct did_passphrase *pass, const struct did_kdf *kdf,
                     const struct base_random *random, struct base_err *err) FM_CHECK;
void wallet_release(struct wallet *w);

/* Seals the secret anew, under another passphrase; the rest stays. */
fm_status wallet_reseal(struct wallet *w, const struct did_passphrase *pass,
                        const struct did_kdf *kdf, const struct base_random *random,
                        struct base_err *err) FM_CHECK;

/* Appends the file's bytes. FM_E_LIMIT if it would be longer than WALLET_MAX. */
fm_status wallet_write(struct base_buf *out, const struct wallet *w,
                       const struct base_random *random, struct base_err *err) FM_CHECK;

/* Adopts the wallet's profile for the process (base/profile.h): FM_E_CONFLICT if that has another.
 * Else errors as did_keyfile_open(): FM_E_CORRUPT, FM_E_LIMIT, FM_E_AUTH (wrong passphrase). */
fm_status wallet_read(struct wallet *w, const void *bytes, size_t len,
                      const struct did_passphrase *pass, struct base_err *err) FM_CHECK;

/* The list of that name in the content: borrowed, never NULL. */
json_t *wallet_list(const struct wallet *w, const char *name);
/* The record of that list whose "id" begins so (at least 4 digits), borrowed. what: "consent", for
 * errors: FM_E_ARG (too few digits), FM_E_NOT_FOUND. */
fm_status wallet_record(json_t **out, const struct wallet *w, const char *list, const char *what,
                        const char *digits, struct base_err *err) FM_CHECK;
/* A text of a record; "" if there is none. */
const char *wallet_text(const json_t *record, const char *name);

#endif
