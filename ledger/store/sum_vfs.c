#include "ledger/store/sum_vfs.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096
#define GATHER \
    (30 * PAGE) /* of a WAL in one write: SQLite's VFS for Unix takes less than 128 KiB */

enum { FRAME_HEADER = 24 }; /* of a WAL; bytes 4 to 7: in pages, 0 but where a transaction ends */

static sqlite3_vfs vfs, *below;
static bool registered;

/* A main file or a WAL; the one of the VFS below follows it in memory. */
struct summed {
    sqlite3_file base;
    bool on;            /* a main file whose header says that pages have sums */
    struct summed *wal; /* of a main file: its open WAL, or NULL */
    /* Of a WAL: */
    struct summed *main;
    uint8_t *gathered; /* GATHER bytes, or NULL: memory was out */
    int len;           /* so many of them wait to be written */
    bool commits;      /* the frame at hand ends a transaction: nothing is to wait */
    sqlite3_int64 at;  /* where */
};

static struct summed *of(sqlite3_file *f)
{
    return (struct summed *)(void *)f;
}

static sqlite3_file *under(sqlite3_file *f)
{
    return (sqlite3_file *)(void *)(of(f) + 1);
}

/* ---- sums ---- */

static uint32_t word(const uint8_t *p)
{
    uint32_t w;

    memcpy(&w, p, sizeof w);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    w = __builtin_bswap32(w);
#endif
    return w;
}

static void page_sum(uint8_t out[LEDGER_SUM], const uint8_t *page)
{
    uint32_t s1 = 0, s2 = 0;
    size_t i;

    for (i = 0; i < PAGE - LEDGER_SUM; i += 4) {
        s1 += word(page + i);
        s2 += s1;
    }
    for (i = 0; i < 4; i++) {
        out[i] = (uint8_t)(s1 >> 8 * i);
        out[4 + i] = (uint8_t)(s2 >> 8 * i);
    }
}

/* Page size (two bytes, big-endian) and reserved bytes, from a file's first bytes. */
static bool header_says_sums(const uint8_t *p)
{
    static const char magic[] = "SQLite format 3";

    return memcmp(p, magic, sizeof magic) == 0 && p[16] == PAGE >> 8 && p[17] == 0 &&
           p[20] == LEDGER_SUM;
}

static int sum_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
    struct summed *s = of(f);
    int code = under(f)->pMethods->xRead(under(f), p, n, at);
    uint8_t sum[LEDGER_SUM];

    if (code != SQLITE_OK)
        return code;
    if (at == 0 && n >= 100)
        s->on = header_says_sums(p);
    if (!s->on || n != PAGE || at % PAGE != 0)
        return SQLITE_OK;
    page_sum(sum, p);
    return memcmp(sum, (const uint8_t *)p + PAGE - LEDGER_SUM, LEDGER_SUM) == 0 ? SQLITE_OK
                                                                                : SQLITE_IOERR_DATA;
}

static int sum_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
    struct summed *s = of(f);
    uint8_t page[PAGE];

    if (at == 0 && n >= 100)
        s->on = header_says_sums(p);
    if (!s->on || n != PAGE || at % PAGE != 0)
        return under(f)->pMethods->xWrite(under(f), p, n, at);
    memcpy(page, p, PAGE - LEDGER_SUM);
    page_sum(page + PAGE - LEDGER_SUM, page);
    return under(f)->pMethods->xWrite(under(f), page, n, at);
}

/* ---- WALs ---- */

/* SQLite writes a frame of a WAL in two pieces, and a block has hundreds. They are gathered here
 * and written together. What is gathered is this connection's alone, so:
 *
 *   W1  nobody may be told of a frame that waits here. SQLite tells others by the shared memory of
 *       the main file, and has a barrier there before; with synchronous=FULL it has synced the WAL
 *       by then, and nothing waits at the barrier.
 *   W2  who reads here what waits, or asks how long the file is, sees it written.
 *   W3  bytes are written in the order in which SQLite did: what does not follow on what waits lets
 *       that go first.
 *   W4  whoever gives the write lock away has committed, and nothing waits, or has taken its
 *       transaction back: what waits then would come over another's frames, and is dropped.
 *   W5  a commit that could not be written says so. Without a sync in it (synchronous=NORMAL, OFF)
 *       the barrier would be the first to write, and cannot fail: so what ends a transaction is
 *       written at once, with all that waits. */
static int write_gathered(sqlite3_file *f)
{
    struct summed *s = of(f);
    int n = s->len;

    s->len = 0; /* after an error SQLite takes the transaction back */
    return n == 0 ? SQLITE_OK : under(f)->pMethods->xWrite(under(f), s->gathered, n, s->at);
}

static int wal_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
    struct summed *s = of(f);
    int code = SQLITE_OK;

    if (s->len > 0 && (at != s->at + s->len || n > GATHER - s->len))
        code = write_gathered(f);
    if (code != SQLITE_OK)
        return code;
    if (s->gathered == NULL || n > GATHER)
        return under(f)->pMethods->xWrite(under(f), p, n, at);
    if (s->len == 0)
        s->at = at;
    memcpy(s->gathered + s->len, p, (size_t)n);
    s->len += n;
    if (n == FRAME_HEADER)
        s->commits = memcmp((const uint8_t *)p + 4, "\0\0\0", 4) != 0;
    return s->commits ? write_gathered(f) : SQLITE_OK; /* W5 */
}

static int wal_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
    struct summed *s = of(f);
    int code = at < s->at + s->len && s->at < at + n ? write_gathered(f) : SQLITE_OK;

    return code == SQLITE_OK ? under(f)->pMethods->xRead(under(f), p, n, at) : code;
}

static int wal_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    int code = write_gathered(f);

    return code == SQLITE_OK ? under(f)->pMethods->xTruncate(under(f), size) : code;
}

static int wal_sync(sqlite3_file *f, int flags)
{
    int code = write_gathered(f);

    return code == SQLITE_OK ? under(f)->pMethods->xSync(under(f), flags) : code;
}

static int wal_size(sqlite3_file *f, sqlite3_int64 *size)
{
    int code = write_gathered(f);

    return code == SQLITE_OK ? under(f)->pMethods->xFileSize(under(f), size) : code;
}

static int wal_close(sqlite3_file *f)
{
    struct summed *s = of(f);
    int code = write_gathered(f), closed = under(f)->pMethods->xClose(under(f));

    if (s->main != NULL)
        s->main->wal = NULL;
    free(s->gathered);
    return code == SQLITE_OK ? closed : code;
}

/* ---- what is handed on ---- */

static int sum_close(sqlite3_file *f)
{
    return under(f)->pMethods->xClose(under(f));
}

static int sum_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    return under(f)->pMethods->xTruncate(under(f), size);
}

static int sum_sync(sqlite3_file *f, int flags)
{
    return under(f)->pMethods->xSync(under(f), flags);
}

static int sum_size(sqlite3_file *f, sqlite3_int64 *size)
{
    return under(f)->pMethods->xFileSize(under(f), size);
}

static int sum_lock(sqlite3_file *f, int lock)
{
    return under(f)->pMethods->xLock(under(f), lock);
}

static int sum_unlock(sqlite3_file *f, int lock)
{
    return under(f)->pMethods->xUnlock(under(f), lock);
}

static int sum_check_reserved(sqlite3_file *f, int *out)
{
    return under(f)->pMethods->xCheckReservedLock(under(f), out);
}

static int sum_control(sqlite3_file *f, int op, void *arg)
{
    return under(f)->pMethods->xFileControl(under(f), op, arg);
}

static int sum_sector_size(sqlite3_file *f)
{
    return under(f)->pMethods->xSectorSize(under(f));
}

static int sum_characteristics(sqlite3_file *f)
{
    return under(f)->pMethods->xDeviceCharacteristics(under(f));
}

static int sum_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
    return under(f)->pMethods->xShmMap(under(f), page, size, extend, out);
}

enum { WRITE_LOCK = 0 }; /* in the shared memory, by SQLite's format of WAL-index files */

static int sum_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
    if (of(f)->wal != NULL && offset == WRITE_LOCK && (flags & SQLITE_SHM_UNLOCK) != 0)
        of(f)->wal->len = 0; /* W4 */
    return under(f)->pMethods->xShmLock(under(f), offset, n, flags);
}

static void sum_shm_barrier(sqlite3_file *f)
{
    if (of(f)->wal != NULL)
        (void)write_gathered(&of(f)->wal->base); /* W1 */
    under(f)->pMethods->xShmBarrier(under(f));
}

static int sum_shm_unmap(sqlite3_file *f, int remove)
{
    return under(f)->pMethods->xShmUnmap(under(f), remove);
}

/* Nothing is read past the sums through mapped memory: version 2 has no xFetch. */
static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = sum_close,
    .xRead = sum_read,
    .xWrite = sum_write,
    .xTruncate = sum_truncate,
    .xSync = sum_sync,
    .xFileSize = sum_size,
    .xLock = sum_lock,
    .xUnlock = sum_unlock,
    .xCheckReservedLock = sum_check_reserved,
    .xFileControl = sum_control,
    .xSectorSize = sum_sector_size,
    .xDeviceCharacteristics = sum_characteristics,
    .xShmMap = sum_shm_map,
    .xShmLock = sum_shm_lock,
    .xShmBarrier = sum_shm_barrier,
    .xShmUnmap = sum_shm_unmap,
};

/* Nobody locks a WAL or maps its memory. */
static const sqlite3_io_methods wal_methods = {
    .iVersion = 1,
    .xClose = wal_close,
    .xRead = wal_read,
    .xWrite = wal_write,
    .xTruncate = wal_truncate,
    .xSync = wal_sync,
    .xFileSize = wal_size,
    .xLock = sum_lock,
    .xUnlock = sum_unlock,
    .xCheckReservedLock = sum_check_reserved,
    .xFileControl = sum_control,
    .xSectorSize = sum_sector_size,
    .xDeviceCharacteristics = sum_characteristics,
};

/* ---- the VFS ---- */

static void begin_wal(struct summed *s, const char *path)
{
    s->main = of(sqlite3_database_file_object(path));
    s->main->wal = s;
    s->gathered = malloc(GATHER);
    s->base.pMethods = &wal_methods;
}

static int sum_open(sqlite3_vfs *v, const char *path, sqlite3_file *f, int flags, int *out)
{
    struct summed *s = of(f);
    int code;

    (void)v;
    if ((flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) == 0)
        return below->xOpen(below, path, f, flags, out);
    memset(s, 0, sizeof *s);
    code = below->xOpen(below, path, under(f), flags, out);
    if (under(f)->pMethods != NULL && (flags & SQLITE_OPEN_WAL) != 0)
        begin_wal(s, path);
    else if (under(f)->pMethods != NULL)
        s->base.pMethods = &methods;
    return code;
}

static void set_up(void)
{
    below = sqlite3_vfs_find(NULL);
    if (below == NULL)
        return;
    vfs = *below; /* its other calls do without their files */
    vfs.zName = "firmiana-sums";
    vfs.pNext = NULL;
    vfs.szOsFile = below->szOsFile + (int)sizeof(struct summed);
    vfs.xOpen = sum_open;
    registered = sqlite3_vfs_register(&vfs, 0) == SQLITE_OK;
}

const char *ledger_sum_vfs(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, set_up);
    return registered ? vfs.zName : NULL;
}

int ledger_sum_enable(sqlite3 *db)
{
    int reserve = LEDGER_SUM;

    return sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserve);
}
