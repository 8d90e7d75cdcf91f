#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "ledger/store/test_disk_impl.h"

struct test_disk_record test_disk_record;
#define record test_disk_record

/* ---- the record ---- */

unsigned test_disk_name(const char *path)
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

/* Not there, or somebody has just made it for SQLite. */
static bool is_empty(const char *path)
{
    struct stat info;

    return stat(path, &info) != 0 || info.st_size == 0;
}

static int disk_open(sqlite3_vfs *v, const char *path, sqlite3_file *f, int flags, int *out)
{
    unsigned name = test_disk_name(path);
    bool is_new = name < NAMES && record.live[name] == NOTHING && is_empty(path);
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
    unsigned name = test_disk_name(path);
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

void test_disk_stop(void)
{
    record.on = false;
}

size_t test_disk_moment(void)
{
    return record.n;
}
