#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define FILE_PATH 4096

static fm_status write_synced(int fd, const char *path, const void *bytes, size_t len,
                              struct base_err *err)
{
    const uint8_t *p = bytes;

    while (len > 0) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return base_err_errno(err, path);
        p += n;
        len -= (size_t)n;
    }
    return fsync(fd) == 0 ? FM_OK : base_err_errno(err, path);
}

fm_status base_file_sync_folder(const char *path, struct base_err *err)
{
    char folder[FILE_PATH];
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL ? 1 : (size_t)(slash - path) + (slash == path);
    fm_status st = FM_OK;
    int fd;

    if (len >= sizeof folder)
        return base_err_set(err, FM_E_ARG, "%s: path too long", path);
    memcpy(folder, slash == NULL ? "." : path, len);
    folder[len] = '\0';
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return base_err_errno(err, folder);
    if (fsync(fd) != 0)
        st = base_err_errno(err, folder);
    (void)close(fd);
    return st;
}

fm_status base_file_write(const char *path, const void *bytes, size_t len, unsigned mode,
                          struct base_err *err)
{
    char temporary[FILE_PATH];
    fm_status st;
    int fd;

    if (strlen(path) + 8 > sizeof temporary)
        return base_err_set(err, FM_E_ARG, "%s: path too long", path);
    (void)snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
    fd = mkstemp(temporary);
    if (fd < 0)
        return base_err_errno(err, path);
    st = fchmod(fd, (mode_t)mode) == 0 ? write_synced(fd, path, bytes, len, err)
                                       : base_err_errno(err, path);
    if (close(fd) != 0 && st == FM_OK)
        st = base_err_errno(err, path);
    if (st == FM_OK && rename(temporary, path) != 0)
        st = base_err_errno(err, path);
    if (st != FM_OK)
        (void)unlink(temporary);
    return st == FM_OK ? base_file_sync_folder(path, err) : st;
}

fm_status base_file_read(struct base_buf *out, const char *path, size_t max_len,
                         struct base_err *err)
{
    FILE *f = fopen(path, "rb");
    uint8_t block[65536];
    fm_status st = FM_OK;
    size_t n;

    if (f == NULL)
        return base_err_errno(err, path);
    while (st == FM_OK && (n = fread(block, 1, sizeof block, f)) > 0) {
        if (n > max_len - out->len)
            st = base_err_set(err, FM_E_LIMIT, "%s: larger than %zu bytes", path, max_len);
        else
            base_buf_put(out, block, n);
    }
    if (st == FM_OK && ferror(f))
        st = base_err_errno(err, path);
    (void)fclose(f);
    return st == FM_OK ? base_buf_status(out, path, err) : st;
}

fm_status base_file_read_filled(struct base_buf *out, const char *path, size_t max_len,
                                struct base_err *err)
{
    size_t before = out->len;
    fm_status st = base_file_read(out, path, max_len, err);

    if (st == FM_OK && out->len == before)
        st = base_err_set(
            err, FM_E_INPUT,
            "%s: the file is empty, as a full disk leaves it: put a copy in its place", path);
    return st;
}

fm_status base_file_full(const char *path, struct base_err *err)
{
    struct statvfs fs;
    char folder[FILE_PATH], free_text[48] = "";
    const char *slash = strrchr(path, '/');

    /* The file itself may not be there. */
    (void)snprintf(folder, sizeof folder, "%.*s", slash != NULL ? (int)(slash - path) + 1 : 1,
                   slash != NULL ? path : ".");
    if (statvfs(folder, &fs) == 0)
        (void)snprintf(free_text, sizeof free_text, " (%llu KiB free)",
                       (unsigned long long)fs.f_bavail * fs.f_frsize / 1024);
    return base_err_set(err, FM_E_IO,
                        "%s: the disk is full%s: make room, 64 MiB at least, and start again", path,
                        free_text);
}
