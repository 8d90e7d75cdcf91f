#include "did/credential/places.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "did/credential/shape.h"
#include "did/credential/status_list.h"

enum { PATH_ROOM = 4096, NAME_BYTES = 16 };

/* The record that is open: that of the credential before, mostly, which is synced once. */
struct record {
    const char *folder, *list; /* list: NULL while none is open; borrowed */
    char path[PATH_ROOM];
    int fd;
};

static fm_status close_record(struct record *r, struct base_err *err)
{
    fm_status st = FM_OK;

    if (r->list == NULL)
        return FM_OK;
    if (fsync(r->fd) != 0)
        st = base_err_errno(err, r->path);
    if (close(r->fd) != 0 && st == FM_OK)
        st = base_err_errno(err, r->path);
    r->list = NULL;
    return st;
}

static fm_status open_record(struct record *r, const char *list, struct base_err *err)
{
    uint8_t hash[32];
    char name[2 * NAME_BYTES + 1];
    fm_status st;
    int n;

    if (r->list != NULL && strcmp(r->list, list) == 0)
        return FM_OK;
    st = close_record(r, err);
    if (st != FM_OK)
        return st;
    base_sha256(hash, list, strlen(list));
    base_hex(name, hash, NAME_BYTES);
    n = snprintf(r->path, sizeof r->path, "%s/%s.places", r->folder, name);
    if (n < 0 || n >= (int)sizeof r->path)
        return base_err_set(err, FM_E_ARG, "%s: path too long", r->folder);
    if (mkdir(r->folder, 0700) != 0 && errno != EEXIST)
        return base_err_errno(err, r->folder);
    r->fd = open(r->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (r->fd < 0)
        return base_err_errno(err, r->path);
    r->list = list;
    if (flock(r->fd, LOCK_EX) != 0)
        return base_err_errno(err, r->path);
    st = base_file_sync_folder(r->path, err);                        /* the file's name, */
    return st == FM_OK ? base_file_sync_folder(r->folder, err) : st; /* and the folder's */
}

static fm_status read_byte(uint8_t *out, const struct record *r, size_t at, struct base_err *err)
{
    ssize_t got = pread(r->fd, out, 1, (off_t)at);

    if (got < 0)
        return base_err_errno(err, r->path);
    if (got == 0)
        *out = 0;
    return FM_OK;
}

/* Says that it is taken, and which place is not. */
static fm_status refuse(const struct record *r, size_t index, struct base_err *err)
{
    size_t next = index;
    uint8_t byte = 0xff;
    fm_status st = FM_OK;

    while (st == FM_OK && ++next < CREDENTIAL_STATUS_MAX) {
        st = read_byte(&byte, r, next / 8, err);
        if ((byte >> (7 - next % 8) & 1) == 0)
            break;
    }
    return st != FM_OK ? st
                       : base_err_set(err, FM_E_CONFLICT,
                                      "place %zu of %.200s was given to a credential before: from "
                                      "there on %zu is free (--index)",
                                      index, r->list, next);
}

static fm_status take(struct record *r, const json_t *entry, struct base_err *err)
{
    const char *list;
    size_t index;
    uint8_t byte, mask;
    fm_status st;

    if (!credential_has_type(entry, "BitstringStatusListEntry")) /* what others revoke by */
        return FM_OK;
    st = credential_status_place(&list, &index, entry, err);
    if (st == FM_OK && index >= CREDENTIAL_STATUS_MAX)
        st = base_err_set(err, FM_E_INPUT, "statusListIndex %zu: a status list has at most %u",
                          index, CREDENTIAL_STATUS_MAX);
    if (st == FM_OK)
        st = open_record(r, list, err);
    if (st == FM_OK)
        st = read_byte(&byte, r, index / 8, err);
    if (st != FM_OK)
        return st;
    mask = (uint8_t)(1u << (7 - index % 8));
    if ((byte & mask) != 0)
        return refuse(r, index, err);
    byte |= mask;
    return pwrite(r->fd, &byte, 1, (off_t)(index / 8)) == 1 ? FM_OK : base_err_errno(err, r->path);
}

static fm_status take_of(struct record *r, const json_t *credential, struct base_err *err)
{
    const json_t *status = json_object_get(credential, "credentialStatus"), *one;
    fm_status st = FM_OK;
    size_t i;

    if (json_is_object(status))
        return take(r, status, err);
    json_array_foreach(status, i, one) st = st != FM_OK ? st : take(r, one, err);
    return st;
}

fm_status credential_places_take(const char *folder, const json_t *credentials,
                                 struct base_err *err)
{
    struct record r = {.folder = folder};
    struct base_err later = {0};
    const json_t *one;
    fm_status st = FM_OK, closed;
    size_t i;

    json_array_foreach(credentials, i, one) st = st != FM_OK ? st : take_of(&r, one, err);
    closed = close_record(&r, &later);
    if (st == FM_OK && closed != FM_OK)
        *err = later;
    return st != FM_OK ? st : closed;
}
