/* Snapshots are made beside the blocks: a reader of its own sees the replica as it was after the
 * block, however many follow meanwhile. */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "ledger/abci/app_own.h"
#include "ledger/store/snapshot.h"

struct abci_maker {
    struct ledger_reader *reader;
    char path[512], part[520];
    FILE *file;
    struct base_hash chunk; /* of the chunk at hand */
    size_t in_chunk;
    struct abci_snapshot made;
    fm_status st;
    struct base_err err;
    pthread_t thread;
    atomic_bool done;
};

bool abci_make_path(char out[512], const struct ledger_abci_app *app, uint64_t height)
{
    int n = snprintf(out, 512, "%s/%llu.snapshot", app->host.snapshots, (unsigned long long)height);

    return n > 0 && n < 512;
}

static void end_chunk(struct abci_maker *m)
{
    uint8_t hash[32];

    base_hash_final(&m->chunk, hash);
    base_buf_put(&m->made.metadata, hash, sizeof hash);
    m->made.chunks++;
    m->in_chunk = 0;
}

static fm_status put(void *ctx, const void *bytes, size_t len, struct base_err *err)
{
    struct abci_maker *m = ctx;
    const uint8_t *p = bytes;

    if (fwrite(bytes, 1, len, m->file) != len)
        return base_err_errno(err, m->part);
    while (len > 0) {
        size_t n = ABCI_CHUNK - m->in_chunk < len ? ABCI_CHUNK - m->in_chunk : len;
        if (m->in_chunk == 0)
            base_sha256_init(&m->chunk);
        base_hash_update(&m->chunk, p, n);
        p += n;
        len -= n;
        m->in_chunk += n;
        if (m->in_chunk == ABCI_CHUNK)
            end_chunk(m);
    }
    return base_buf_status(&m->made.metadata, "snapshot", err);
}

static void *run(void *arg)
{
    struct abci_maker *m = arg;

    m->st = ledger_snapshot_write(m->reader, put, m, &m->err);
    if (m->in_chunk > 0)
        end_chunk(m);
    if (fclose(m->file) != 0 && m->st == FM_OK)
        m->st = base_err_errno(&m->err, m->part);
    if (m->st == FM_OK && m->made.chunks > ABCI_CHUNKS_MAX)
        m->st =
            base_err_set(&m->err, FM_E_LIMIT, "a snapshot of more than %d MiB", ABCI_CHUNKS_MAX);
    if (m->st == FM_OK && rename(m->part, m->path) != 0)
        m->st = base_err_errno(&m->err, m->path);
    if (m->st == FM_OK)
        m->st = base_buf_status(&m->made.metadata, "snapshot", &m->err);
    if (m->st != FM_OK)
        (void)unlink(m->part);
    base_sha256(m->made.hash, m->made.metadata.p, m->made.metadata.len);
    ledger_reader_end(m->reader);
    ledger_reader_close(m->reader);
    atomic_store(&m->done, true);
    return NULL;
}

/* The reader's view begins here, on the chain's thread, between two blocks. */
static fm_status open_view(struct abci_maker *m, const struct ledger_abci_app *app, uint64_t height,
                           struct base_err *err)
{
    struct ledger_head head;
    fm_status st = ledger_reader_open(&m->reader, app->host.path, err);

    if (st != FM_OK)
        return st;
    st = ledger_reader_begin(m->reader, err);
    if (st == FM_OK)
        st = ledger_reader_head(m->reader, &head, err);
    if (st == FM_OK && head.height != height)
        st = base_err_set(err, FM_E_CONFLICT, "the reader sees block %llu",
                          (unsigned long long)head.height);
    if (st == FM_OK && mkdir(app->host.snapshots, 0700) != 0 && errno != EEXIST)
        st = base_err_errno(err, app->host.snapshots);
    if (st == FM_OK) {
        m->file = fopen(m->part, "wbe");
        st = m->file != NULL ? FM_OK : base_err_errno(err, m->part);
    }
    if (st != FM_OK) {
        ledger_reader_end(m->reader);
        ledger_reader_close(m->reader);
    }
    return st;
}

static fm_status begin(struct ledger_abci_app *app, uint64_t height, struct base_err *err)
{
    struct abci_maker *m = calloc(1, sizeof *m);
    fm_status st;

    if (m == NULL || !abci_make_path(m->path, app, height)) {
        free(m);
        return base_err_set(err, FM_E_LIMIT, "the folder's path is too long, or no memory");
    }
    (void)snprintf(m->part, sizeof m->part, "%s.part", m->path);
    m->made.height = height;
    st = open_view(m, app, height, err);
    if (st == FM_OK && pthread_create(&m->thread, NULL, run, m) != 0) {
        (void)fclose(m->file);
        (void)unlink(m->part);
        ledger_reader_end(m->reader);
        ledger_reader_close(m->reader);
        st = base_err_set(err, FM_E_MEMORY, "no thread");
    }
    if (st == FM_OK)
        app->maker = m;
    else
        free(m);
    return st;
}

static void complain(struct ledger_abci_app *app, struct base_err *err)
{
    (void)base_err_prefix(err, "no snapshot was made");
    app->host.event(app->host.ctx, err->text);
}

void abci_make_begin(struct ledger_abci_app *app, uint64_t height)
{
    struct base_err err = {0};

    abci_make_take(app);
    if (app->host.snapshot_every > 0 && height % app->host.snapshot_every == 0 &&
        app->maker == NULL && begin(app, height, &err) != FM_OK)
        complain(app, &err);
}

static void forget(struct ledger_abci_app *app, struct abci_snapshot *s)
{
    char path[512];

    if (s->height > 0 && abci_make_path(path, app, s->height))
        (void)unlink(path);
    base_buf_release(&s->metadata);
    *s = (struct abci_snapshot){0};
}

static void take(struct ledger_abci_app *app)
{
    struct abci_maker *m = app->maker;

    (void)pthread_join(m->thread, NULL);
    app->maker = NULL;
    if (m->st == FM_OK) {
        forget(app, &app->made[ABCI_SNAPSHOTS - 1]);
        memmove(&app->made[1], &app->made[0], (ABCI_SNAPSHOTS - 1) * sizeof app->made[0]);
        app->made[0] = m->made;
    } else {
        complain(app, &m->err);
        base_buf_release(&m->made.metadata);
    }
    free(m);
}

void abci_make_take(struct ledger_abci_app *app)
{
    if (app->maker != NULL && atomic_load(&app->maker->done))
        take(app);
}

/* What an earlier process left is of no more use: nobody knows its hashes. */
void abci_make_clear(struct ledger_abci_app *app)
{
    DIR *folder = app->host.snapshot_every > 0 ? opendir(app->host.snapshots) : NULL;
    struct dirent *entry;

    while (folder != NULL && (entry = readdir(folder)) != NULL)
        if (strstr(entry->d_name, ".snapshot") != NULL)
            (void)unlinkat(dirfd(folder), entry->d_name, 0);
    if (folder != NULL)
        (void)closedir(folder);
}

void abci_make_end(struct ledger_abci_app *app)
{
    if (app->maker != NULL)
        take(app);
    for (size_t i = 0; i < ABCI_SNAPSHOTS; i++)
        forget(app, &app->made[i]);
}
