#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "ledger/store/chain_impl.h"
#include "ledger/store/export.h"
#include "ledger/store/store_impl.h"
#include "ledger/store/sum_vfs.h"
#include "ledger/store/upkeep_impl.h"
#include "ledger/verify/verify.h"

enum { PAGES_A_STEP = 2048 };

/* path and ending in one new string; NULL when memory is out. */
static char *joined(const char *path, const char *ending)
{
    size_t len = strlen(path) + strlen(ending) + 1;
    char *out = malloc(len);

    if (out != NULL)
        (void)snprintf(out, len, "%s%s", path, ending);
    return out;
}

/* ---- backup ---- */

static fm_status copy_error(sqlite3 *db, int code, const char *path, struct base_err *err)
{
    if ((code & 0xff) == SQLITE_NOMEM)
        return base_err_memory(err, "backup");
    if (code == SQLITE_IOERR_DATA || (code & 0xff) == SQLITE_CORRUPT)
        return base_err_set(err, FM_E_CORRUPT,
                            "the ledger is damaged: no backup is made of it; restore an older one "
                            "(firmiana ledger restore)");
    if ((code & 0xff) == SQLITE_FULL)
        return base_file_full(path, err);
    return base_err_set(err, FM_E_IO, "%s: %s", path,
                        db != NULL ? sqlite3_errmsg(db) : "out of memory");
}

/* Its first page is written by us, so that sums are kept from the first page of the copy on. */
static int open_copy(sqlite3 **db, const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int code;

    *db = NULL;
    if (fd < 0)
        return SQLITE_CANTOPEN;
    (void)close(fd);
    code =
        sqlite3_open_v2(path, db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE, ledger_sum_vfs());
    if (code == SQLITE_OK)
        code = ledger_sum_enable(*db);
    if (code == SQLITE_OK)
        code = sqlite3_exec(*db, "PRAGMA synchronous = FULL; PRAGMA user_version = 1", NULL, NULL,
                            NULL);
    return code;
}

/* One snapshot of the source, which the caller holds. */
static fm_status copy_pages(struct ledger_store *store, const char *to,
                            const struct ledger_progress *progress, struct base_err *err)
{
    sqlite3_backup *backup = NULL;
    sqlite3 *db;
    int code = open_copy(&db, to);
    fm_status st = FM_OK;

    if (code == SQLITE_OK) {
        backup = sqlite3_backup_init(db, "main", store->db, "main");
        code = backup != NULL ? SQLITE_OK : sqlite3_extended_errcode(db);
    }
    while (code == SQLITE_OK) {
        code = sqlite3_backup_step(backup, PAGES_A_STEP);
        ledger_tell(progress, "page",
                    (uint64_t)(sqlite3_backup_pagecount(backup) - sqlite3_backup_remaining(backup)),
                    (uint64_t)sqlite3_backup_pagecount(backup));
    }
    if (backup != NULL) {
        int end = sqlite3_backup_finish(backup);

        code = code == SQLITE_DONE ? end : code;
    }
    if (code != SQLITE_OK)
        st = copy_error(db, code, to, err);
    if (sqlite3_close(db) != SQLITE_OK && st == FM_OK)
        st = base_err_set(err, FM_E_IO, "%s: it could not be closed", to);
    return st;
}

static fm_status check_copy(const char *path, struct ledger_check_report *report,
                            const struct ledger_progress *progress, struct base_err *err)
{
    struct ledger_reader *copy;
    fm_status st = ledger_reader_open(&copy, path, err);

    if (st != FM_OK)
        return st;
    st = ledger_check(copy, report, progress, err);
    ledger_reader_close(copy);
    return st;
}

fm_status ledger_backup(struct ledger_reader *reader, const char *path,
                        struct ledger_check_report *report, const struct ledger_progress *progress,
                        struct base_err *err)
{
    char *part;
    fm_status st;

    memset(report, 0, sizeof *report);
    if (access(path, F_OK) == 0)
        return base_err_set(err, FM_E_CONFLICT, "%s: exists already: name a new file", path);
    part = joined(path, ".part");
    if (part == NULL)
        return base_err_memory(err, "backup");
    ledger_store_remove_files(part, LEDGER_FILES_ALL);
    st = ledger_reader_begin(reader, err);
    if (st == FM_OK) {
        st = copy_pages(reader->store, part, progress, err);
        ledger_reader_end(reader);
    }
    if (st == FM_OK)
        st = check_copy(part, report, progress, err);
    if (st == FM_OK)
        st = ledger_store_name(part, path, err);
    ledger_store_remove_files(part, LEDGER_FILES_ALL);
    free(part);
    return st;
}

/* ---- restore ---- */

struct restore {
    const char *backup, *path;
    const uint8_t *chain32;
    char *fresh, *old, *bundle; /* names beside path */
    unsigned flags;
    struct ledger_restore_report *report;
    const struct ledger_progress *progress;
    struct ledger_chain *chain; /* the copy */
};

static fm_status copy_bytes(int from, int to, const struct restore *r, struct base_err *err)
{
    uint8_t block[65536];

    for (;;) {
        ssize_t n = read(from, block, sizeof block), done = 0;

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return base_err_errno(err, r->backup);
        if (n == 0)
            return fsync(to) == 0 ? FM_OK : base_err_errno(err, r->fresh);
        while (done < n) {
            ssize_t k = write(to, block + done, (size_t)(n - done));

            if (k < 0 && errno != EINTR)
                return base_err_errno(err, r->fresh);
            done += k > 0 ? k : 0;
        }
    }
}

static fm_status copy_file(const struct restore *r, struct base_err *err)
{
    char *wal = joined(r->backup, "-wal");
    struct stat info;
    int from = -1, to = -1;
    fm_status st = FM_OK;

    if (wal == NULL)
        return base_err_memory(err, "restore");
    if (stat(wal, &info) == 0 && info.st_size > 0)
        st = base_err_set(err, FM_E_INPUT,
                          "%s: a running node's file, or a copy of one: make a backup of it with "
                          "firmiana ledger backup",
                          r->backup);
    if (st == FM_OK && (from = open(r->backup, O_RDONLY | O_CLOEXEC)) < 0)
        st = base_err_errno(err, r->backup);
    if (st == FM_OK && (to = open(r->fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) < 0)
        st = base_err_errno(err, r->fresh);
    if (st == FM_OK)
        st = copy_bytes(from, to, r, err);
    if (from >= 0)
        (void)close(from);
    if (to >= 0)
        (void)close(to);
    free(wal);
    return st;
}

static fm_status read_stream(void *ctx, void *out, size_t len, size_t *got, struct base_err *err)
{
    FILE *f = ctx;

    errno = 0;
    *got = fread(out, 1, len, f);
    return ferror(f) ? base_err_errno(err, "trail") : FM_OK;
}

/* As firmiana-verify: signatures, identities, the quorum's checkpoint. */
static fm_status verify_trail(const struct restore *r, struct base_err *err)
{
    struct ledger_reader *reader = ledger_chain_reader(r->chain);
    struct ledger_verified *verified = NULL;
    struct ledger_export_report written;
    fm_status st;
    FILE *f;

    if (r->report->check.final_size == 0)
        return FM_OK; /* nobody has signed anything yet */
    ledger_tell(r->progress, "signatures of leaf", 0, r->report->check.leaves);
    st = ledger_export(reader, r->bundle, NULL, &written, err);
    if (st != FM_OK)
        return st;
    f = fopen(r->bundle, "rb");
    if (f == NULL)
        return base_err_errno(err, r->bundle);
    st = ledger_verify(&verified, &(const struct ledger_bundle_source){read_stream, f}, r->chain32,
                       err);
    ledger_verified_free(verified);
    (void)fclose(f);
    return st == FM_OK ? st : base_err_prefix(err, "its trail does not verify");
}

/* What stands there now; damage is no obstacle, it is why there are backups. */
static fm_status look_at_old(struct restore *r, struct ledger_reader **old, struct base_err *err)
{
    struct base_err ignored;
    struct ledger_head head;

    *old = NULL;
    r->report->replaced = access(r->path, F_OK) == 0;
    if (!r->report->replaced || ledger_reader_open(old, r->path, &ignored) != FM_OK ||
        ledger_reader_head(*old, &head, &ignored) != FM_OK)
        return FM_OK;
    r->report->replaced_height = head.height;
    if (memcmp(ledger_reader_id(*old), r->chain32, 32) != 0)
        return base_err_set(err, FM_E_CONFLICT,
                            "%s: the ledger there is another one than genesis.json says: move one "
                            "of them away",
                            r->path);
    if (head.height > ledger_chain_head(r->chain)->height &&
        (r->flags & LEDGER_RESTORE_OVER_NEWER) == 0)
        return base_err_set(err, FM_E_CONFLICT,
                            "%s: the ledger there is at block %llu, the backup at %llu: if it must "
                            "be, say --over-newer",
                            r->path, (unsigned long long)head.height,
                            (unsigned long long)ledger_chain_head(r->chain)->height);
    return FM_OK;
}

static fm_status take_note(void *ctx, const char *name, const void *value, size_t len,
                           struct base_err *err)
{
    struct restore *r = ctx;

    return ledger_chain_note(r->chain, name, value, len, err);
}

/* The copy, opened, is what it must be. */
static fm_status judge(struct restore *r, struct base_err *err)
{
    struct ledger_reader *old = NULL;
    struct base_err ignored;
    fm_status st;

    if (memcmp(ledger_chain_id(r->chain), r->chain32, 32) != 0)
        return base_err_set(err, FM_E_INPUT, "a backup of another ledger than genesis.json says");
    st = look_at_old(r, &old, err);
    if (st == FM_OK)
        st = ledger_check(ledger_chain_reader(r->chain), &r->report->check, r->progress, err);
    if (st == FM_OK)
        st = verify_trail(r, err);
    if (st == FM_OK && old != NULL)
        (void)!ledger_store_each_note(old->store, take_note, r, &ignored);
    ledger_reader_close(old); /* which empties its WAL */
    return st;
}

/* The WAL goes with its file, should it still be there. */
static fm_status put_aside(const struct restore *r, struct base_err *err)
{
    char *wal = joined(r->path, "-wal"), *old_wal = joined(r->old, "-wal");
    fm_status st = FM_OK;

    if (wal == NULL || old_wal == NULL)
        st = base_err_memory(err, "restore");
    if (st == FM_OK) {
        ledger_store_remove_files(r->old, LEDGER_FILES_ALL);
        if (rename(r->path, r->old) != 0 || (access(wal, F_OK) == 0 && rename(wal, old_wal) != 0))
            st = base_err_errno(err, r->path);
    }
    free(wal);
    free(old_wal);
    return st == FM_OK ? base_file_sync_folder(r->path, err) : st;
}

static fm_status restore(struct restore *r, struct base_err *err)
{
    fm_status st = copy_file(r, err);

    if (st != FM_OK)
        return st;
    st = ledger_chain_open(&r->chain, r->fresh, err);
    if (st == FM_E_INPUT)
        return base_err_set(err, st, "%s: not a backup of a Firmiana ledger", r->backup);
    if (st == FM_OK)
        st = judge(r, err);
    ledger_chain_close(r->chain);
    /* The text speaks of the copy, and of putting a backup in its place. */
    if (st == FM_E_CORRUPT)
        return base_err_set(err, st, "%s: this backup is damaged: take another one", r->backup);
    if (st != FM_OK)
        return st == FM_E_CONFLICT ? st : base_err_prefix(err, "backup %s", r->backup);
    if (r->report->replaced)
        st = put_aside(r, err);
    return st == FM_OK ? ledger_store_name(r->fresh, r->path, err) : st;
}

fm_status ledger_restore(const char *backup, const char *path, const uint8_t chain32[32],
                         unsigned flags, struct ledger_restore_report *report,
                         const struct ledger_progress *progress, struct base_err *err)
{
    struct restore r = {.backup = backup,
                        .path = path,
                        .chain32 = chain32,
                        .fresh = joined(path, ".new"),
                        .old = joined(path, ".old"),
                        .bundle = joined(path, ".new.bundle"),
                        .flags = flags,
                        .report = report,
                        .progress = progress};
    int lock = -1;
    fm_status st = r.fresh != NULL && r.old != NULL && r.bundle != NULL
                       ? ledger_store_lock(&lock, path, err)
                       : base_err_memory(err, "restore");

    memset(report, 0, sizeof *report);
    if (st == FM_OK) {
        ledger_store_remove_files(r.fresh, LEDGER_FILES_ALL);
        (void)unlink(r.bundle);
        st = restore(&r, err);
        ledger_store_remove_files(r.fresh, LEDGER_FILES_ALL);
        (void)unlink(r.bundle);
    }
    if (lock >= 0)
        (void)close(lock);
    free(r.fresh);
    free(r.old);
    free(r.bundle);
    return st;
}
