#include "ledger/test_disk.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#define SECTOR 512
#define NAMES 16
#define INODES 64

enum op_kind { OP_WRITE, OP_TRUNCATE, OP_SYNC, OP_CREATE, OP_DELETE, OP_SYNC_FOLDER };

struct op {
    enum op_kind kind;
    unsigned inode, name;
    size_t at, len; /* TRUNCATE: at is the new size */
    uint8_t *bytes;
};

struct content {
    uint8_t *p;
    size_t len;
};

#define NOTHING INODES

/* The record. */
static struct {
    bool on;
    char folder[128];
    char name[NAMES][64];
    unsigned names;
    unsigned live[NAMES]; /* inode, or NOTHING */
    unsigned inodes;
    struct content first[INODES]; /* what it held when the record began */
    unsigned first_names[NAMES];
    struct op *ops;
    size_t n, cap;
} record;

/* What a moment of it has safely on disk, and what hangs in the air. */
static struct {
    size_t moment;
    struct content safe[INODES];
    unsigned names[NAMES];
    size_t *pending[INODES]; /* operations of a file since its last sync */
    size_t n_pending[INODES], cap_pending[INODES];
    size_t folder_from; /* operations on the folder since then are not safe */
} disk;

/* ---- the record ---- */

static unsigned name_of(const char *path)
{
    size_t len = strlen(record.folder);
    unsigned i;

    if (!record.on || path == NULL || strncmp(path, record.folder, len) != 0 || path[len] != '/')
        return NAMES;
    path += len + 1;
    for (i = 0; i < record.names; i++)
        if (strcmp(record.name[i], path) == 0)
            return i;
    assert_true(i < NAMES && strlen(path) < sizeof record.name[0]);
    (void)snprintf(record.name[i], sizeof record.name[i], "%s", path);
    record.names++;
    return i;
}

static struct op *note(enum op_kind kind)
{
    if (record.n == record.cap) {
        record.cap = record.cap == 0 ? 1024 : 2 * record.cap;
        record.ops = realloc(record.ops, record.cap * sizeof *record.ops);
        assert_non_null(record.ops);
    }
    record.ops[record.n] = (struct op){.kind = kind};
    return &record.ops[record.n++];
}

/* ---- the VFS: SQLite's own, with a few calls of its files replaced ---- */

/* It has a few tables of methods (with and without locks); each gets its counterpart. */
struct methods {
    sqlite3_io_methods ours; /* first: a file's pMethods leads here */
    const sqlite3_io_methods *below;
};
static struct methods tables[4];
static sqlite3_vfs vfs, *below;

static struct handle {
    sqlite3_file *file; /* NULL: free */
    unsigned inode;
    bool sync_folder; /* with its next sync */
} handles[32];

static const sqlite3_io_methods *below_of(const sqlite3_file *f)
{
    return ((const struct methods *)(const void *)f->pMethods)->below;
}

static struct handle *handle_of(const sqlite3_file *f)
{
    size_t i;

    for (i = 0; i < sizeof handles / sizeof handles[0]; i++)
        if (handles[i].file == f)
            return &handles[i];
    return NULL;
}

static int disk_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
    const struct handle *h = handle_of(f);

    if (record.on && h != NULL) {
        struct op *op = note(OP_WRITE);

        op->inode = h->inode;
        op->at = (size_t)at;
        op->len = (size_t)n;
        op->bytes = malloc((size_t)n);
        assert_non_null(op->bytes);
        memcpy(op->bytes, p, (size_t)n);
    }
    return below_of(f)->xWrite(f, p, n, at);
}

static int disk_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    const struct handle *h = handle_of(f);

    if (record.on && h != NULL) {
        struct op *op = note(OP_TRUNCATE);

        op->inode = h->inode;
        op->at = (size_t)size;
    }
    return below_of(f)->xTruncate(f, size);
}

/* The real disk need not hurry: the record says what a power cut would leave. */
static int disk_sync(sqlite3_file *f, int flags)
{
    struct handle *h = handle_of(f);

    (void)flags;
    if (record.on && h != NULL) {
        note(OP_SYNC)->inode = h->inode;
        if (h->sync_folder)
            (void)note(OP_SYNC_FOLDER);
        h->sync_folder = false;
    }
    return SQLITE_OK;
}

static int disk_close(sqlite3_file *f)
{
    struct handle *h = handle_of(f);

    if (h != NULL)
        h->file = NULL;
    return below_of(f)->xClose(f);
}

static void take_handle(sqlite3_file *f, unsigned name, bool is_new, int flags)
{
    struct handle *h = handle_of(NULL);

    assert_non_null(h);
    if (is_new) {
        struct op *op = note(OP_CREATE);

        assert_true(record.inodes < INODES);
        op->name = name;
        op->inode = record.live[name] = record.inodes++;
    }
    *h = (struct handle){f, record.live[name],
                         is_new && (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0};
}

static int disk_open(sqlite3_vfs *v, const char *path, sqlite3_file *f, int flags, int *out)
{
    unsigned name = name_of(path);
    bool is_new = name < NAMES && access(path, F_OK) != 0;
    int code = below->xOpen(v, path, f, flags, out);
    struct methods *m = tables;

    if (f->pMethods == NULL)
        return code;
    while (m->below != NULL && m->below != f->pMethods)
        m++;
    assert_true(m < tables + 4);
    m->below = f->pMethods;
    m->ours = *f->pMethods;
    m->ours.xWrite = disk_write;
    m->ours.xTruncate = disk_truncate;
    m->ours.xSync = disk_sync;
    m->ours.xClose = disk_close;
    f->pMethods = &m->ours;
    /* A file that came by another way than SQLite's, by a link, is not in the record. */
    if (code == SQLITE_OK && name < NAMES && (is_new || record.live[name] != NOTHING))
        take_handle(f, name, is_new, flags);
    return code;
}

static int disk_delete(sqlite3_vfs *v, const char *path, int sync_folder)
{
    unsigned name = name_of(path);
    bool there = name < NAMES && record.live[name] != NOTHING && access(path, F_OK) == 0;
    int code = below->xDelete(v, path, 0);

    if (there && code == SQLITE_OK) {
        note(OP_DELETE)->name = name;
        record.live[name] = NOTHING;
        if (sync_folder != 0)
            (void)note(OP_SYNC_FOLDER);
    }
    return code;
}

void test_disk_install(void)
{
    below = sqlite3_vfs_find(NULL);
    vfs = *below;
    vfs.zName = "power";
    vfs.xOpen = disk_open;
    vfs.xDelete = disk_delete;
    assert_int_equal(sqlite3_vfs_register(&vfs, 1), SQLITE_OK);
}

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
    assert_int_equal(fread(out->p, 1, (size_t)len, f), len);
    (void)fclose(f);
}

static void write_file(const char *path, const struct content *c)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(c->p, 1, c->len, f), c->len);
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
    name = name_of(path);
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
    assert_non_null(below);
    clear();
    (void)snprintf(record.folder, sizeof record.folder, "%s", folder);
    record.on = true;
    each_file(take_file);
    rewind_disk();
}

void test_disk_stop(void)
{
    record.on = false;
}

size_t test_disk_moment(void)
{
    return record.n;
}

void test_disk_forget(void)
{
    test_disk_stop();
    each_file(remove_file);
    clear();
}
