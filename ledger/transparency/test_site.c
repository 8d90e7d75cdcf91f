#include "ledger/transparency/test_site.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "ledger/proof/log.h"

static fm_status entry(void *ctx, uint8_t out32[32], uint64_t leaf, struct base_err *err)
{
    uint8_t bytes[8];

    (void)ctx;
    (void)err;
    base_store_u64(bytes, leaf);
    base_hash(out32, bytes, sizeof bytes);
    return FM_OK;
}

static fm_status node(void *ctx, uint8_t out32[32], unsigned level, uint64_t index,
                      struct base_err *err)
{
    struct ledger_log log = {0};

    for (uint64_t i = index << level; i < (index + 1) << level; i++) {
        uint8_t data[32], hash[32];
        fm_status st = entry(ctx, data, i, err);

        if (st != FM_OK)
            return st;
        ledger_log_leaf_hash(hash, data);
        ledger_log_append(&log, hash, NULL);
    }
    ledger_log_root(out32, &log);
    return FM_OK;
}

const struct ledger_tile_log site_log = {{node, NULL}, entry, NULL};

fm_status site_checkpoint(struct ledger_checkpoint *out, const struct world *w, uint64_t size,
                          struct base_err *err)
{
    fm_status st;

    memset(out, 0, sizeof *out);
    memcpy(out->chain, w->chain, 32);
    out->size = size;
    st = ledger_tile_root(out->root, &site_log.nodes, size, err);
    for (; st == FM_OK && out->n < SITE_MEMBERS; out->n++)
        st = ledger_cosign(&out->cosigner[out->n], out, w->m[out->n].did, w->m[out->n].node,
                           1790000000, err);
    return st;
}

void site_keys(struct ledger_vkey out[SITE_MEMBERS], const struct world *w)
{
    for (size_t i = 0; i < SITE_MEMBERS; i++) {
        (void)snprintf(out[i].name, sizeof out[i].name, "%s", w->m[i].did);
        out[i].key = *did_secret_key(w->m[i].node);
    }
}
