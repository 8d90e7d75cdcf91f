#define _GNU_SOURCE /* syncfs */

#include "ledger/transparency/tiles.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "ledger/proof/log.h"

enum { PATH_ROOM = 1024, CHECKPOINT_MAX = 1 << 17, LEVELS = 8 };

const char *ledger_tile_path(char out[LEDGER_TILE_PATH], unsigned level, uint64_t index,
                             unsigned width)
{
    char name[16], groups[40] = "";
    uint64_t rest = index;
    int n;

    assert(width >= 1 && width <= LEDGER_TILE && index < (uint64_t)1 << 56);
    if (level == LEDGER_TILE_ENTRIES)
        (void)snprintf(name, sizeof name, "entries");
    else
        (void)snprintf(name, sizeof name, "%u", level);
    /* From the last group to the first. */
    n = snprintf(groups, sizeof groups, "%03u", (unsigned)(rest % 1000));
    for (rest /= 1000; rest > 0; rest /= 1000) {
        char before[48];

        (void)snprintf(before, sizeof before, "x%03u/%.40s", (unsigned)(rest % 1000), groups);
        n = snprintf(groups, sizeof groups, "%.39s", before);
    }
    assert(n > 0 && n < (int)sizeof groups);
    if (width == LEDGER_TILE)
        n = snprintf(out, LEDGER_TILE_PATH, "tile/%s/%s", name, groups);
    else
        n = snprintf(out, LEDGER_TILE_PATH, "tile/%s/%s.p/%u", name, groups, width);
    assert(n > 0 && n < LEDGER_TILE_PATH);
    (void)n;
    return out;
}

/* ---- files ---- */

static fm_status full_path(char out[PATH_ROOM], const char *dir, const char *name,
                           struct base_err *err)
{
    int n = snprintf(out, PATH_ROOM, "%s/%s", dir, name);

    return n > 0 && n < PATH_ROOM
               ? FM_OK
               : base_err_set(err, FM_E_ARG, "%.80s...: the path is too long", dir);
}

/* Makes the folders that lead to path, for anybody to read. */
static fm_status make_folders(char *path, struct base_err *err)
{
    for (char *at = path + 1; *at != '\0'; at++) {
        int bad;

        if (*at != '/')
            continue;
        *at = '\0';
        bad = mkdir(path, 0755) == 0 ? chmod(path, 0755) != 0 : errno != EEXIST;
        if (bad)
            (void)base_err_errno(err, path);
        *at = '/';
        if (bad)
            return err->code;
    }
    return FM_OK;
}

/* A tile, under another name first. Not synced: sync_folder() does that for all at once, before the
 * checkpoint that needs them; until then a crash leaves the old checkpoint, and they are written
 * again. */
static fm_status write_tile(const char *dir, const char *name, const void *bytes, size_t len,
                            struct base_err *err)
{
    char path[PATH_ROOM], fresh[PATH_ROOM + 8];
    bool good;
    FILE *f;
    fm_status st = full_path(path, dir, name, err);

    if (st == FM_OK)
        st = make_folders(path, err);
    if (st != FM_OK)
        return st;
    (void)snprintf(fresh, sizeof fresh, "%s.new", path);
    f = fopen(fresh, "wb");
    if (f == NULL)
        return base_err_errno(err, fresh);
    good = fchmod(fileno(f), 0644) == 0 && fwrite(bytes, 1, len, f) == len;
    good = fclose(f) == 0 && good && rename(fresh, path) == 0;
    if (good)
        return FM_OK;
    st = base_err_errno(err, fresh);
    (void)unlink(fresh);
    return st;
}

static fm_status sync_folder(const char *dir, struct base_err *err)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fm_status st;

    if (fd < 0)
        return base_err_errno(err, dir);
    st = syncfs(fd) == 0 ? FM_OK : base_err_errno(err, dir);
    (void)close(fd);
    return st;
}

static fm_status write_file(const char *dir, const char *name, const void *bytes, size_t len,
                            struct base_err *err)
{
    char path[PATH_ROOM];
    fm_status st = full_path(path, dir, name, err);

    if (st == FM_OK)
        st = make_folders(path, err);
    return st == FM_OK ? base_file_write(path, bytes, len, 0644, err) : st;
}

fm_status ledger_published_lock(int *fd, const char *dir, struct base_err *err)
{
    int got;
    fm_status st;

    *fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*fd < 0)
        return base_err_errno(err, dir);
    while ((got = flock(*fd, LOCK_EX)) != 0 && errno == EINTR)
        ;
    if (got == 0)
        return FM_OK;
    st = base_err_errno(err, dir);
    (void)close(*fd);
    return st;
}

fm_status ledger_published_put_checkpoint(const char *dir, const struct ledger_checkpoint *c,
                                          struct base_err *err)
{
    struct base_buf text = {0};
    fm_status st = ledger_checkpoint_encode(&text, c, err);

    if (st == FM_OK)
        st = write_file(dir, "checkpoint", text.p, text.len, err);
    base_buf_release(&text);
    return st;
}

/* ---- publishing ---- */

static fm_status put_tile(struct base_buf *out, const struct ledger_tile_log *log, unsigned level,
                          uint64_t index, unsigned width, struct base_err *err)
{
    static const uint8_t length[2] = {0, 32};
    uint8_t hash[32];
    fm_status st = FM_OK;

    base_buf_clear(out);
    for (unsigned i = 0; st == FM_OK && i < width; i++) {
        uint64_t at = index * LEDGER_TILE + i;

        if (level == LEDGER_TILE_ENTRIES) {
            base_buf_put(out, length, sizeof length);
            st = log->entry(log->ctx, hash, at, err);
        } else {
            st = log->nodes.node(log->nodes.ctx, hash, 8 * level, at, err);
        }
        base_buf_put(out, hash, sizeof hash);
    }
    return st == FM_OK ? base_buf_status(out, "tile", err) : st;
}

/* The tiles of one level that a log of old_size leaves did not have. */
static fm_status publish_level(const char *dir, const struct ledger_tile_log *log, unsigned level,
                               uint64_t old_size, uint64_t size, uint64_t *files,
                               struct base_err *err)
{
    unsigned shift = level == LEDGER_TILE_ENTRIES ? 0 : 8 * level;
    uint64_t nodes = size >> shift;
    struct base_buf tile = {0};
    char name[LEDGER_TILE_PATH];
    fm_status st = FM_OK;

    for (uint64_t i = (old_size >> shift) / LEDGER_TILE; st == FM_OK && i * LEDGER_TILE < nodes;
         i++) {
        uint64_t left = nodes - i * LEDGER_TILE;
        unsigned width = left < LEDGER_TILE ? (unsigned)left : LEDGER_TILE;

        st = put_tile(&tile, log, level, i, width, err);
        if (st == FM_OK)
            st = write_tile(dir, ledger_tile_path(name, level, i, width), tile.p, tile.len, err);
        (*files)++;
    }
    base_buf_release(&tile);
    return st;
}

/* What is published already is a beginning of this log. */
static fm_status check_before(const struct ledger_checkpoint *old,
                              const struct ledger_tile_log *log,
                              const struct ledger_checkpoint *new, struct base_err *err)
{
    uint8_t root[32];
    fm_status st;

    if (memcmp(old->chain, new->chain, 32) != 0)
        return base_err_set(err, FM_E_CONFLICT, "another ledger is published there");
    if (old->size > new->size)
        return base_err_set(err, FM_E_CONFLICT, "%llu entries are published there, this has %llu",
                            (unsigned long long)old->size, (unsigned long long)new->size);
    st = ledger_tile_root(root, &log->nodes, old->size, err);
    if (st == FM_OK && memcmp(root, old->root, 32) != 0)
        st = base_err_set(err, FM_E_CONFLICT, "another history of this ledger is published there");
    return st;
}

/* Cosignatures over the same state that only the published one has. */
static void keep_cosignatures(struct ledger_checkpoint *out, const struct ledger_checkpoint *old)
{
    for (size_t i = 0; i < old->n && out->n < LEDGER_COSIGNERS_MAX; i++) {
        size_t k = 0;

        while (k < out->n && strcmp(out->cosigner[k].name, old->cosigner[i].name) != 0)
            k++;
        if (k == out->n)
            out->cosigner[out->n++] = old->cosigner[i];
    }
}

/* What stands there: nothing, a checkpoint, or one whose lines are damaged, of which the tree's are
 * read if they can be. */
static fm_status read_before(struct ledger_checkpoint *old, bool *repaired, const char *dir,
                             struct base_err *err)
{
    struct base_buf text = {0};
    char path[PATH_ROOM];
    const char *lines;
    fm_status st = ledger_published_checkpoint(old, dir, err);

    *repaired = st == FM_E_INPUT || st == FM_E_LIMIT;
    if (st == FM_OK || (st != FM_E_NOT_FOUND && !*repaired))
        return st;
    *old = (struct ledger_checkpoint){0};
    if (st == FM_E_INPUT && full_path(path, dir, "checkpoint", err) == FM_OK &&
        base_file_read(&text, path, CHECKPOINT_MAX, err) == FM_OK &&
        (lines = strstr(base_buf_cstr(&text), "\n\n")) != NULL &&
        ledger_checkpoint_parse(old, (const char *)text.p,
                                (size_t)(lines + 2 - (const char *)text.p), err) != FM_OK)
        *old = (struct ledger_checkpoint){0};
    base_buf_release(&text);
    return FM_OK;
}

static fm_status publish(const char *dir, const struct ledger_tile_log *log,
                         struct ledger_checkpoint *out, struct ledger_checkpoint *old,
                         const char *keys, struct ledger_tile_report *report, struct base_err *err)
{
    fm_status st = read_before(old, &report->repaired, dir, err);
    bool same;

    if (st == FM_OK && old->size > 0)
        st = check_before(old, log, out, err);
    same = st == FM_OK && ledger_checkpoint_same(old, out);
    if (same)
        keep_cosignatures(out, old);
    for (unsigned level = 0; st == FM_OK && !same && level <= LEDGER_TILE_ENTRIES; level++)
        st = publish_level(dir, log, level, old->size, out->size, &report->files, err);
    if (st == FM_OK)
        st = write_file(dir, "members", keys, strlen(keys), err);
    if (st == FM_OK)
        st = sync_folder(dir, err);
    if (st == FM_OK)
        st = ledger_published_put_checkpoint(dir, out, err);
    report->size = out->size;
    return st;
}

fm_status ledger_tiles_publish(const char *dir, const struct ledger_tile_log *log,
                               const struct ledger_checkpoint *checkpoint, const char *keys,
                               struct ledger_tile_report *report, struct base_err *err)
{
    struct ledger_checkpoint *two = calloc(2, sizeof *two);
    char path[PATH_ROOM];
    int fd;
    fm_status st;

    *report = (struct ledger_tile_report){0};
    if (two == NULL)
        return base_err_memory(err, "checkpoint");
    two[0] = *checkpoint;
    st = full_path(path, dir, "checkpoint", err);
    if (st == FM_OK)
        st = make_folders(path, err);
    if (st == FM_OK && (st = ledger_published_lock(&fd, dir, err)) == FM_OK) {
        st = publish(dir, log, &two[0], &two[1], keys, report, err);
        (void)close(fd);
    }
    free(two);
    return st == FM_OK ? FM_OK : base_err_prefix(err, "%s", dir);
}

/* ---- reading ---- */

fm_status ledger_published_checkpoint(struct ledger_checkpoint *out, const char *dir,
                                      struct base_err *err)
{
    struct base_buf text = {0};
    char path[PATH_ROOM];
    fm_status st = full_path(path, dir, "checkpoint", err);

    if (st == FM_OK && access(path, F_OK) != 0)
        return base_err_set(err, FM_E_NOT_FOUND, "%s: nothing is published there", dir);
    if (st == FM_OK)
        st = base_file_read(&text, path, CHECKPOINT_MAX, err);
    if (st == FM_OK)
        st = ledger_checkpoint_parse(out, (const char *)text.p, text.len, err);
    base_buf_release(&text);
    return st;
}

void ledger_tile_reader_init(struct ledger_tile_reader *reader, const char *dir, uint64_t size)
{
    *reader = (struct ledger_tile_reader){.dir = dir, .size = size};
}

static fm_status load(struct ledger_tile_reader *r, unsigned level, uint64_t index,
                      struct base_err *err)
{
    uint64_t left = (r->size >> 8 * level) - index * LEDGER_TILE;
    unsigned width = left < LEDGER_TILE ? (unsigned)left : LEDGER_TILE;
    struct base_buf bytes = {0};
    char name[LEDGER_TILE_PATH], path[PATH_ROOM];
    fm_status st;

    if (r->width == width && r->level == level && r->index == index)
        return FM_OK;
    r->width = 0;
    st = full_path(path, r->dir, ledger_tile_path(name, level, index, width), err);
    if (st == FM_OK)
        st = base_file_read(&bytes, path, sizeof r->hash, err);
    if (st == FM_OK && bytes.len != (size_t)width * 32)
        st =
            base_err_set(err, FM_E_INVALID, "%s: %zu bytes, not %u hashes", path, bytes.len, width);
    if (st == FM_OK) {
        memcpy(r->hash, bytes.p, bytes.len);
        r->level = level;
        r->index = index;
        r->width = width;
    }
    base_buf_release(&bytes);
    return st;
}

/* A perfect subtree: up to 128 hashes of the tile that covers it. */
static fm_status tile_node(void *ctx, uint8_t out32[32], unsigned level, uint64_t index,
                           struct base_err *err)
{
    struct ledger_tile_reader *r = ctx;
    unsigned inside = level % 8, n = 1u << inside;
    uint64_t first = index << inside;
    uint8_t hash[LEDGER_TILE / 2][32];
    fm_status st;

    if (level / 8 >= LEVELS || (first + n) > r->size >> (level - inside))
        return base_err_set(err, FM_E_ARG, "no such node in a log of %llu entries",
                            (unsigned long long)r->size);
    st = load(r, level / 8, first / LEDGER_TILE, err);
    if (st != FM_OK)
        return st;
    memcpy(hash, r->hash[first % LEDGER_TILE], (size_t)n * 32);
    for (; n > 1; n /= 2)
        for (unsigned i = 0; i < n / 2; i++)
            ledger_log_node_hash(hash[i], hash[2 * i], hash[2 * i + 1]);
    memcpy(out32, hash[0], 32);
    return FM_OK;
}

struct ledger_log_source ledger_tile_source(struct ledger_tile_reader *reader)
{
    return (struct ledger_log_source){tile_node, reader};
}

fm_status ledger_tile_root(uint8_t out32[32], const struct ledger_log_source *source, uint64_t size,
                           struct base_err *err)
{
    struct ledger_log log = {.size = size};
    uint64_t at = 0;
    fm_status st = FM_OK;

    for (unsigned level = 64; st == FM_OK && level-- > 0;) {
        if ((size >> level & 1) == 0)
            continue;
        st = source->node(source->ctx, log.node[level], level, at >> level, err);
        at += (uint64_t)1 << level;
    }
    if (st == FM_OK)
        ledger_log_root(out32, &log);
    return st;
}
