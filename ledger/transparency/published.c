#include "ledger/transparency/published.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "ledger/proof/log.h"

enum { ENTRY = 34, PATH_ROOM = 1024 };

/* ---- the whole log, leaf by leaf ---- */

struct walk {
    struct ledger_log log;
    struct ledger_tile_reader tiles[8]; /* one a level, so that each tile is read once */
    fm_status st;
    struct base_err *err;
};

/* Told of every perfect subtree: those that stand in tiles are as they stand there. */
static void compare_node(void *ctx, unsigned level, uint64_t index, const uint8_t hash32[32])
{
    struct walk *w = ctx;
    struct ledger_log_source source;
    uint8_t stored[32];

    if (w->st != FM_OK || level % 8 != 0 || level / 8 >= 8)
        return;
    source = ledger_tile_source(&w->tiles[level / 8]);
    w->st = source.node(source.ctx, stored, level, index, w->err);
    if (w->st == FM_OK && memcmp(stored, hash32, 32) != 0)
        w->st = base_err_set(w->err, FM_E_INVALID,
                             "tile of level %u, hash %llu: it is not that of what is below",
                             level / 8, (unsigned long long)index);
}

static fm_status read_entries(struct base_buf *out, const char *dir, uint64_t index, unsigned width,
                              struct base_err *err)
{
    char name[LEDGER_TILE_PATH], path[PATH_ROOM];
    int n = snprintf(path, sizeof path, "%s/%s", dir,
                     ledger_tile_path(name, LEDGER_TILE_ENTRIES, index, width));
    fm_status st;

    if (n <= 0 || n >= (int)sizeof path)
        return base_err_set(err, FM_E_ARG, "%.80s...: the path is too long", dir);
    base_buf_clear(out);
    st = base_file_read(out, path, (size_t)ENTRY * LEDGER_TILE, err);
    if (st == FM_OK && out->len != (size_t)ENTRY * width)
        return base_err_set(err, FM_E_INVALID, "%s: not %u entries of 32 bytes", path, width);
    for (unsigned i = 0; st == FM_OK && i < width; i++)
        if (out->p[ENTRY * i] != 0 || out->p[ENTRY * i + 1] != 32)
            st = base_err_set(err, FM_E_INVALID, "%s: entry %u is not 32 bytes long", path, i);
    return st;
}

static fm_status walk(struct walk *w, const char *dir, uint64_t size)
{
    const struct ledger_log_sink sink = {compare_node, w};
    struct base_buf entries = {0};

    for (uint64_t i = 0; w->st == FM_OK && i * LEDGER_TILE < size; i++) {
        uint64_t left = size - i * LEDGER_TILE;
        unsigned width = left < LEDGER_TILE ? (unsigned)left : LEDGER_TILE;

        w->st = read_entries(&entries, dir, i, width, w->err);
        for (unsigned k = 0; w->st == FM_OK && k < width; k++) {
            uint8_t hash[32];

            ledger_log_leaf_hash(hash, entries.p + (size_t)ENTRY * k + 2);
            ledger_log_append(&w->log, hash, &sink);
        }
    }
    base_buf_release(&entries);
    return w->st;
}

fm_status ledger_trust_check(size_t *signers, const struct ledger_checkpoint *c,
                             const struct ledger_trust *trust, struct base_err *err)
{
    fm_status st = ledger_vkeys_count(signers, c, trust->keys, trust->n, err);

    if (st == FM_OK && *signers < trust->quorum)
        return base_err_set(err, FM_E_INVALID, "%zu of the trusted keys cosigned, %zu are needed",
                            *signers, trust->quorum);
    return st;
}

fm_status ledger_published_verify(struct ledger_checkpoint *out, size_t *signers, const char *dir,
                                  const struct ledger_trust *trust, struct base_err *err)
{
    struct walk *w = calloc(1, sizeof *w);
    uint8_t root[32];
    fm_status st = ledger_published_checkpoint(out, dir, err);

    if (w == NULL)
        return base_err_memory(err, "tiles");
    w->err = err;
    for (size_t i = 0; i < 8; i++)
        ledger_tile_reader_init(&w->tiles[i], dir, out->size);
    if (st == FM_OK)
        st = ledger_trust_check(signers, out, trust, err);
    if (st == FM_OK)
        st = walk(w, dir, out->size);
    if (st == FM_OK) {
        ledger_log_root(root, &w->log);
        if (memcmp(root, out->root, 32) != 0)
            st = base_err_set(err, FM_E_INVALID, "the root is not that of the %llu entries",
                              (unsigned long long)out->size);
    }
    free(w);
    return st == FM_OK ? FM_OK : base_err_prefix(err, "%s", dir);
}
