/* The wallet on disk: read, changed and written as a whole. A writer holds a lock (flock) from
 * before it reads until it has written, so that of two commands none undoes the other; readers need
 * none, since a file is replaced in one step (did/private_file.h), and after a crash is the old one
 * or the new one. */
#ifndef FIRMIANA_EXCHANGE_WALLET_FILE_H
#define FIRMIANA_EXCHANGE_WALLET_FILE_H

#include "exchange/wallet/wallet.h"

enum wallet_access { WALLET_TO_READ, WALLET_TO_CHANGE };

struct wallet_file {
    struct wallet w;
    const char *path; /* borrowed */
    int lock;         /* -1: none */
};

/* Writes a new file: FM_E_CONFLICT if there is one of that name. */
fm_status wallet_file_create(const struct wallet *w, const char *path,
                             const struct base_random *random, struct base_err *err) FM_CHECK;

/* Errors, with the path: FM_E_NOT_FOUND, FM_E_REFUSED (did/private_file.h), FM_E_CONFLICT (another
 * command has been changing it for a minute), and those of wallet_read(). */
fm_status wallet_file_open(struct wallet_file *f, const char *path, enum wallet_access access,
                           const struct did_passphrase *pass, struct base_err *err) FM_CHECK;
/* Opened to change: takes the file's place. */
fm_status wallet_file_save(struct wallet_file *f, const struct base_random *random,
                           struct base_err *err) FM_CHECK;
void wallet_file_close(struct wallet_file *f); /* after a failed open too */

#endif
