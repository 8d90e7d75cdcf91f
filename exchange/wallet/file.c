/* flock() is not POSIX. */
#define _DEFAULT_SOURCE
#include "exchange/wallet/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "did/private_file.h"

enum { WAIT_MS = 50, WAITS = 1200 };

fm_status wallet_file_create(const struct wallet *w, const char *path,
                             const struct base_random *random, struct base_err *err)
{
    struct base_buf bytes = {0};
    fm_status st = wallet_write(&bytes, w, random, err);

    if (st == FM_OK)
        st = did_private_write(path, DID_PRIVATE_NEW, &bytes, random, err);
    base_buf_release(&bytes);
    return st == FM_OK ? FM_OK : base_err_prefix(err, "%s", path);
}

/* Is the locked file still the one of that name? Else a writer replaced it after we opened it.
 * UNTESTED: that it was replaced in just that moment. */
static bool is_current(int fd, const char *path)
{
    struct stat locked, named;

    return fstat(fd, &locked) == 0 && lstat(path, &named) == 0 && locked.st_dev == named.st_dev &&
           locked.st_ino == named.st_ino;
}

static fm_status take_lock(int *out, const char *path, struct base_err *err)
{
    const struct timespec nap = {0, WAIT_MS * 1000000L};

    *out = -1;
    for (int i = 0; i < WAITS; i++) {
        int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0)
            return FM_OK; /* who reads it says why */
        if (flock(fd, LOCK_EX | LOCK_NB) == 0 && is_current(fd, path)) {
            *out = fd;
            return FM_OK;
        }
        (void)close(fd);
        (void)nanosleep(&nap, NULL);
    }
    return base_err_set(err, FM_E_CONFLICT,
                        "another command is changing it: wait until that has ended");
}

fm_status wallet_file_open(struct wallet_file *f, const char *path, enum wallet_access access,
                           const struct did_passphrase *pass, struct base_err *err)
{
    struct base_buf bytes = {0};
    fm_status st = FM_OK;

    *f = (struct wallet_file){.path = path, .lock = -1};
    if (access == WALLET_TO_CHANGE)
        st = take_lock(&f->lock, path, err);
    if (st == FM_OK)
        st = did_private_read(&bytes, path, WALLET_MAX, "wallet", err);
    if (st == FM_OK)
        st = wallet_read(&f->w, bytes.p, bytes.len, pass, err);
    base_buf_release(&bytes);
    return st == FM_OK ? FM_OK : base_err_prefix(err, "%s", path);
}

fm_status wallet_file_save(struct wallet_file *f, const struct base_random *random,
                           struct base_err *err)
{
    struct base_buf bytes = {0};
    fm_status st = wallet_write(&bytes, &f->w, random, err);

    if (st == FM_OK)
        st = did_private_write(f->path, DID_PRIVATE_REPLACE, &bytes, random, err);
    base_buf_release(&bytes);
    return st == FM_OK ? FM_OK : base_err_prefix(err, "%s", f->path);
}

void wallet_file_close(struct wallet_file *f)
{
    wallet_release(&f->w);
    if (f->lock >= 0)
        (void)close(f->lock);
    f->lock = -1;
}
