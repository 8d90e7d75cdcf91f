/* Files that are one user's alone, sealed keys and wallets: mode 0600, owned by who runs us,
 * written whole or not at all. keystore.h says what a crash may leave.
 *
 * Reading refuses (FM_E_REFUSED) whatever is not a regular file, belongs to somebody else, or can
 * be read or written by group or others. Symbolic links are not followed for the last part. */
#ifndef FIRMIANA_DID_PRIVATE_FILE_H
#define FIRMIANA_DID_PRIVATE_FILE_H

#include "base/bytes.h"
#include "base/random.h"

enum did_private_mode {
    DID_PRIVATE_NEW,     /* FM_E_CONFLICT if there is a file of that name */
    DID_PRIVATE_REPLACE, /* takes the place of one, if there is one */
};

/* out: empty before; at most max + 1 bytes, one more than max says that it is too long. what:
 * "key", for the texts of errors, which do not name the path. */
fm_status did_private_read(struct base_buf *out, const char *path, size_t max, const char *what,
                           struct base_err *err) FM_CHECK;

/* A temporary file beside it, fsync, link or rename, fsync of the folder. */
fm_status did_private_write(const char *path, enum did_private_mode mode,
                            const struct base_buf *bytes, const struct base_random *random,
                            struct base_err *err) FM_CHECK;

#endif
