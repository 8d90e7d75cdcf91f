/* Sealed keys, and where keys in tokens are, on disk: one file (keyfile.h) per key, mode 0600,
 * owned by the user that runs us.
 *
 * A file is written whole or not at all: a temporary file beside it (".tmp." and 16 hex digits
 * after the name) is written, fsync()ed, moved into place, and the directory fsync()ed. A crash may
 * leave a temporary file, sealed like the real one; nothing reads it.
 *
 * Opening refuses (FM_E_REFUSED) whatever is not a regular file, belongs to somebody else, or can
 * be read or written by group or others: a key that others could have had is no key. Symbolic links
 * are not followed for the last part of the path. */
#ifndef FIRMIANA_DID_KEYSTORE_H
#define FIRMIANA_DID_KEYSTORE_H

#include "did/keyfile.h"

enum did_keystore_mode {
    DID_KEYSTORE_NEW,     /* FM_E_CONFLICT if there is a file of that name */
    DID_KEYSTORE_REPLACE, /* takes the place of one, if there is one: a new passphrase */
};

/* Seals and writes. kdf NULL: did_kdf_default. When FM_OK comes back, the key is on the disk. After
 * FM_E_IO from the last fsync it may be there or not; nothing else that fails leaves a trace. */
fm_status did_keystore_save(const char *path, enum did_keystore_mode mode,
                            const struct did_secret *secret, const char *role, int64_t created_s,
                            const struct did_passphrase *pass, const struct did_kdf *kdf,
                            const struct base_random *random, struct base_err *err) FM_CHECK;

/* The same for a key in a token (token.h), of which a file says where it is. */
fm_status did_keystore_save_token(const char *path, const struct did_key *key, const char *role,
                                  int64_t created_s, const char *uri,
                                  const struct base_random *random, struct base_err *err) FM_CHECK;

/* Reads and opens; info may be NULL. Of a key in a token, pass is the PIN; errors are also those of
 * did_token_open(). Errors, all with the path: FM_E_NOT_FOUND, FM_E_REFUSED (see
 * above), FM_E_IO, and those of did_keyfile_open(): FM_E_CORRUPT, FM_E_LIMIT, FM_E_AUTH,
 * FM_E_CONFLICT (a key of the other profile). */
fm_status did_keystore_load(struct did_secret **out, struct did_keyfile *info, const char *path,
                            const struct did_passphrase *pass, struct base_err *err) FM_CHECK;

/* Role, date and public key, without a passphrase and not authenticated: for listing. */
fm_status did_keystore_peek(struct did_keyfile *info, const char *path,
                            struct base_err *err) FM_CHECK;

#endif
