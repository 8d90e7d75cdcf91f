#include "did/private_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- reading ---- */

static fm_status check_file(const struct stat *st, const char *what, struct base_err *err)
{
    if (!S_ISREG(st->st_mode))
        return base_err_set(err, FM_E_REFUSED, "not a regular file");
    if (st->st_uid != geteuid())
        return base_err_set(err, FM_E_REFUSED, "belongs to user %lu, not to user %lu",
                            (unsigned long)st->st_uid, (unsigned long)geteuid());
    if ((st->st_mode & 077) != 0)
        return base_err_set(err, FM_E_REFUSED,
                            "others may read or write it (mode %04o): chmod 600, and think of a "
                            "new %s",
                            (unsigned)(st->st_mode & 07777), what);
    return FM_OK;
}

static fm_status read_fd(struct base_buf *out, int fd, size_t max, struct base_err *err)
{
    uint8_t *at = base_buf_extend(out, max + 1);
    size_t used = 0;

    if (at == NULL)
        return base_err_memory(err, "private file");
    while (used <= max) {
        ssize_t got = read(fd, at + used, max + 1 - used);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return base_err_errno(err, "read");
        if (got == 0)
            break;
        used += (size_t)got;
    }
    out->len = used; /* One byte over the limit is enough for the parser to refuse. */
    return FM_OK;
}

fm_status did_private_read(struct base_buf *out, const char *path, size_t max, const char *what,
                           struct base_err *err)
{
    /* O_NONBLOCK: a pipe of that name must not hold us up before it is refused. */
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    struct stat info;
    fm_status st;

    if (fd < 0 && errno == ENOENT)
        return base_err_set(err, FM_E_NOT_FOUND, "there is no such %s file", what);
    if (fd < 0 && errno == ELOOP)
        return base_err_set(err, FM_E_REFUSED, "is a symbolic link");
    if (fd < 0)
        return base_err_errno(err, "open");
    if (fstat(fd, &info) != 0)
        st = base_err_errno(err, "stat");
    else
        st = check_file(&info, what, err);
    if (st == FM_OK)
        st = read_fd(out, fd, max, err);
    (void)close(fd);
    return st;
}

/* ---- writing ---- */

static fm_status write_all(int fd, const struct base_buf *bytes, struct base_err *err)
{
    size_t done = 0;

    while (done < bytes->len) {
        ssize_t put = write(fd, bytes->p + done, bytes->len - done);
        if (put < 0 && errno != EINTR)
            return base_err_errno(err, "write");
        if (put > 0)
            done += (size_t)put;
    }
    /* Modes are set on the open file, whatever the umask. */
    if (fchmod(fd, 0600) != 0)
        return base_err_errno(err, "chmod");
    if (fsync(fd) != 0)
        return base_err_errno(err, "fsync");
    return FM_OK;
}

static fm_status write_temporary(const char *temporary, const struct base_buf *bytes,
                                 struct base_err *err)
{
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    fm_status st;

    if (fd < 0)
        return base_err_errno(err, "create a file beside it");
    st = write_all(fd, bytes, err);
    if (close(fd) != 0 && st == FM_OK)
        st = base_err_errno(err, "close");
    if (st != FM_OK)
        (void)unlink(temporary);
    return st;
}

/* link() instead of rename() where nothing may be replaced: it fails if the name is taken, even if
 * that happened a moment ago. */
static fm_status move_into_place(const char *temporary, const char *path,
                                 enum did_private_mode mode, struct base_err *err)
{
    fm_status st = FM_OK;

    if (mode == DID_PRIVATE_REPLACE) {
        if (rename(temporary, path) == 0)
            return FM_OK;
        st = base_err_errno(err, "rename");
    } else if (link(temporary, path) != 0) {
        st = errno == EEXIST
                 ? base_err_set(err, FM_E_CONFLICT, "there is a file of that name already")
                 : base_err_errno(err, "link");
    }
    (void)unlink(temporary); /* A second name for the same sealed bytes does no harm. */
    return st;
}

static fm_status sync_directory(const char *path, struct base_err *err)
{
    const char *slash = strrchr(path, '/');
    struct base_buf dir = {0};
    fm_status st = FM_OK;
    int fd = -1;

    if (slash == NULL)
        base_buf_put_str(&dir, ".");
    else
        base_buf_put(&dir, path, slash == path ? 1 : (size_t)(slash - path));
    if (dir.failed)
        st = base_err_memory(err, "private file");
    else if ((fd = open(base_buf_cstr(&dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        st = base_err_errno(err, "open its directory");
    else if (fsync(fd) != 0)
        st = base_err_errno(err, "fsync its directory");
    if (fd >= 0)
        (void)close(fd);
    base_buf_release(&dir);
    return st;
}

fm_status did_private_write(const char *path, enum did_private_mode mode,
                            const struct base_buf *bytes, const struct base_random *random,
                            struct base_err *err)
{
    struct base_buf temporary = {0};
    uint8_t name[8];
    fm_status st = base_random_fill(random, name, sizeof name, err);

    if (st != FM_OK)
        return st;
    base_buf_putf(&temporary, "%s.tmp.", path);
    base_buf_put_hex(&temporary, name, sizeof name);
    st = base_buf_status(&temporary, "private file", err);
    if (st == FM_OK)
        st = write_temporary(base_buf_cstr(&temporary), bytes, err);
    if (st == FM_OK)
        st = move_into_place(base_buf_cstr(&temporary), path, mode, err);
    if (st == FM_OK)
        st = sync_directory(path, err);
    base_buf_release(&temporary);
    return st;
}
