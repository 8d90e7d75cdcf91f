#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ledger/store/test_disk_impl.h"

#define SECTOR 512
#define record test_disk_record

/* What a moment of it has safely on disk, and what hangs in the air. */
static struct {
    size_t moment;
    struct content safe[INODES];
    unsigned names[NAMES];
    size_t *pending[INODES]; /* operations of a file since its last sync */
    size_t n_pending[INODES], cap_pending[INODES];
    size_t folder_from; /* operations on the folder since then are not safe */
} disk;

/* ---- files ---- */

static void grow(struct content *c, size_t len)
{
    if (len <= c->len)
        return;
    c->p = realloc(c->p, len);
    assert_non_null(c->p);
    memset(c->p + c->len, 0, len - c->len);
    c->len = len;
}

static void copy(struct content *to, const struct content *from)
{
    free(to->p);
    *to = (struct content){NULL, 0};
    grow(to, from->len);
    if (from->len > 0)
        memcpy(to->p, from->p, from->len);
}

static void read_file(struct content *out, const char *path)
{
    FILE *f = fopen(path, "rb");
    long len;

    assert_non_null(f);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    len = ftell(f);
    assert_true(len >= 0);
    rewind(f);
    grow(out, (size_t)len);
    assert_true(len == 0 || fread(out->p, 1, (size_t)len, f) == (size_t)len);
    (void)fclose(f);
}

static void write_file(const char *path, const struct content *c)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    assert_true(c->len == 0 || fwrite(c->p, 1, c->len, f) == c->len);
    assert_int_equal(fclose(f), 0);
}

/* Calls fn for every file of the folder. */
static void each_file(void (*fn)(const char *path))
{
    DIR *d = opendir(record.folder);
    const struct dirent *e;
    char path[512];

    assert_non_null(d);
    while ((e = readdir(d)) != NULL) {
        if (e->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", record.folder, e->d_name);
        fn(path);
    }
    (void)closedir(d);
}

static void remove_file(const char *path)
{
    assert_int_equal(unlink(path), 0);
}

static void take_file(const char *path)
{
    size_t len = strlen(path);
    unsigned name;

    /* What SQLite rebuilds, and locks, are no matter of the disk. */
    if ((len > 4 && strcmp(path + len - 4, "-shm") == 0) ||
        (len > 5 && strcmp(path + len - 5, ".lock") == 0))
        return;
    name = test_disk_name(path);
    assert_true(name < NAMES && record.inodes < INODES);
    record.live[name] = record.first_names[name] = record.inodes;
    read_file(&record.first[record.inodes++], path);
}

/* ---- moments ---- */

static void rewind_disk(void)
{
    unsigned i;

    disk.moment = disk.folder_from = 0;
    for (i = 0; i < INODES; i++) {
        copy(&disk.safe[i], &record.first[i]);
        disk.n_pending[i] = 0;
    }
    memcpy(disk.names, record.first_names, sizeof disk.names);
}

static void apply(struct content *c, const struct op *op)
{
    if (op->kind == OP_WRITE) {
        grow(c, op->at + op->len);
        memcpy(c->p + op->at, op->bytes, op->len);
    } else if (op->at < c->len) {
        c->len = op->at;
    } else {
        grow(c, op->at);
    }
}

static void apply_name(unsigned *names, const struct op *op)
{
    names[op->name] = op->kind == OP_CREATE ? op->inode : NOTHING;
}

static void hang(unsigned inode, size_t op)
{
    if (disk.n_pending[inode] == disk.cap_pending[inode]) {
        disk.cap_pending[inode] = disk.cap_pending[inode] * 2 + 64;
        disk.pending[inode] =
            realloc(disk.pending[inode], disk.cap_pending[inode] * sizeof *disk.pending[inode]);
        assert_non_null(disk.pending[inode]);
    }
    disk.pending[inode][disk.n_pending[inode]++] = op;
}

static void step(size_t at)
{
    const struct op *op = &record.ops[at];
    size_t i;

    switch (op->kind) {
    case OP_WRITE:
    case OP_TRUNCATE:
        hang(op->inode, at);
        break;
    case OP_SYNC:
        for (i = 0; i < disk.n_pending[op->inode]; i++)
            apply(&disk.safe[op->inode], &record.ops[disk.pending[op->inode][i]]);
        disk.n_pending[op->inode] = 0;
        break;
    case OP_SYNC_FOLDER:
        for (i = disk.folder_from; i < at; i++)
            if (record.ops[i].kind == OP_CREATE || record.ops[i].kind == OP_DELETE)
                apply_name(disk.names, &record.ops[i]);
        disk.folder_from = at;
        break;
    case OP_CREATE:
    case OP_DELETE:
        break;
    }
}

/* ---- the crash ---- */

static uint64_t dice_state;

static size_t dice(size_t n)
{
    dice_state ^= dice_state >> 12;
    dice_state ^= dice_state << 25;
    dice_state ^= dice_state >> 27;
    return (size_t)((dice_state * 2685821657736338717ULL) >> 33) % n;
}

enum fate { LOST, KEPT, TORN, TRASHED };

/* Now and then all share one fate: then the rest of a long write does not hide what one loss does.
 */
static enum fate fate(unsigned mood)
{
    return mood < 4 ? (enum fate)mood : (enum fate)dice(4);
}

static void suffer(struct content *c, const struct op *op, unsigned mood)
{
    size_t at, end;

    if (op->kind == OP_TRUNCATE) {
        if (fate(mood) == KEPT || dice(2) == 0)
            apply(c, op);
        return;
    }
    for (at = op->at; at < op->at + op->len; at = end) {
        const uint8_t *new = op->bytes + (at - op->at);
        size_t i, len;
        enum fate f = fate(mood);

        end = at - at % SECTOR + SECTOR;
        end = end < op->at + op->len ? end : op->at + op->len;
        len = f == TORN ? dice(end - at + 1) : end - at;
        if (f == LOST || len == 0)
            continue;
        grow(c, at + len);
        memcpy(c->p + at, new, len);
        for (i = 0; f == TRASHED && i < len; i++)
            c->p[at + i] = (uint8_t)dice(256);
    }
}

void test_disk_crash(size_t moment, uint64_t seed)
{
    unsigned names[NAMES], i, mood;
    char path[256];
    size_t k;

    assert_false(record.on);
    assert_true(moment <= record.n);
    if (moment < disk.moment)
        rewind_disk();
    for (; disk.moment < moment; disk.moment++)
        step(disk.moment);
    dice_state = (seed + 1) * 0x9e3779b97f4a7c15ULL ^ (moment + 1) * 0xbf58476d1ce4e5b9ULL;
    dice_state |= 1;
    mood = (unsigned)dice(12);
    memcpy(names, disk.names, sizeof names);
    for (k = disk.folder_from; k < moment; k++)
        if ((record.ops[k].kind == OP_CREATE || record.ops[k].kind == OP_DELETE) && dice(2) == 0)
            apply_name(names, &record.ops[k]);
    each_file(remove_file);
    for (i = 0; i < record.names; i++) {
        struct content c = {NULL, 0};

        if (names[i] == NOTHING)
            continue;
        copy(&c, &disk.safe[names[i]]);
        for (k = 0; k < disk.n_pending[names[i]]; k++)
            suffer(&c, &record.ops[disk.pending[names[i]][k]], mood);
        (void)snprintf(path, sizeof path, "%s/%s", record.folder, record.name[i]);
        write_file(path, &c);
        free(c.p);
    }
}

/* ---- life ---- */

static void clear(void)
{
    size_t i;

    for (i = 0; i < record.n; i++)
        free(record.ops[i].bytes);
    free(record.ops);
    for (i = 0; i < INODES; i++) {
        free(record.first[i].p);
        free(disk.safe[i].p);
        free(disk.pending[i]);
    }
    memset(&record, 0, sizeof record);
    memset(&disk, 0, sizeof disk);
    for (i = 0; i < NAMES; i++)
        record.live[i] = record.first_names[i] = NOTHING;
}

void test_disk_start(const char *folder)
{
    clear();
    (void)snprintf(record.folder, sizeof record.folder, "%s", folder);
    record.on = true;
    each_file(take_file);
    rewind_disk();
}

void test_disk_forget(void)
{
    test_disk_stop();
    each_file(remove_file);
    clear();
}
