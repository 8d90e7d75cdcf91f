#include "ledger/store/snapshot.h"

#include <string.h>

#include "ledger/store/chain_impl.h"
#include "ledger/store/snapshot_impl.h"
#include "ledger/store/store_impl.h"
#include "ledger/store/upkeep_impl.h"

enum { FLUSH_AT = 1 << 16 };

struct writer {
    struct ledger_store *store;
    struct ledger_tip tip;
    ledger_snapshot_sink *sink;
    void *ctx;
    struct base_buf out;
    sqlite3_stmt *remembered; /* leaf and not_after, in the order of leaves ... */
    bool more;                /* ... has not come to its end */
    uint64_t next_leaf;       /* where it stands; before the first: leaf 0 is a block's */
};

static fm_status flush(struct writer *w, size_t at, struct base_err *err)
{
    fm_status st = base_buf_status(&w->out, "snapshot", err);

    if (st == FM_OK && w->out.len >= at && w->out.len > 0) {
        st = w->sink(w->ctx, w->out.p, w->out.len, err);
        base_buf_clear(&w->out);
    }
    return st;
}

static void put_sized(struct base_buf *out, const void *bytes, size_t len)
{
    base_buf_put_u32(out, (uint32_t)len);
    base_buf_put(out, bytes, len);
}

static void put_word(struct base_buf *out, const char *text)
{
    base_buf_put_u8(out, (uint8_t)strlen(text));
    base_buf_put_str(out, text);
}

static fm_status put_head(struct writer *w, struct base_err *err)
{
    struct base_buf genesis = {0};
    struct ledger_store_block block;
    fm_status st = ledger_store_get_genesis(w->store, &genesis, err);

    base_buf_put(&w->out, SNAPSHOT_MAGIC, SNAPSHOT_MAGIC_LEN);
    put_sized(&w->out, genesis.p, genesis.len);
    base_buf_release(&genesis);
    base_buf_put_u64(&w->out, w->tip.height);
    base_buf_put_u64(&w->out, (uint64_t)w->tip.time_ms);
    base_buf_put_u64(&w->out, w->tip.epoch);
    base_buf_put_u64(&w->out, w->tip.rules_version);
    base_buf_put_u64(&w->out, w->tip.log.size);
    for (uint64_t height = 0; st == FM_OK && height <= w->tip.height; height++) {
        st = ledger_store_get_block(w->store, &block, height, err);
        base_buf_put_u64(&w->out, (uint64_t)block.time_ms);
        base_buf_put_u64(&w->out, block.first_leaf);
        base_buf_put_u32(&w->out, (uint32_t)block.txs);
        if (st == FM_OK)
            st = flush(w, FLUSH_AT, err);
    }
    return st;
}

/* Until when the leaf's id is remembered, or 0. Asked for in the order of leaves: a walk through
 * the remembered ones keeps step, since looking for each id by itself would read its page anew. */
static fm_status remembered(struct writer *w, uint64_t leaf, uint64_t *not_after,
                            struct base_err *err)
{
    fm_status st = FM_OK;

    *not_after = 0;
    while (st == FM_OK && w->more && w->next_leaf < leaf) {
        st = ledger_store_row(w->store, w->remembered, &w->more, err);
        if (st == FM_OK && w->more)
            w->next_leaf = (uint64_t)sqlite3_column_int64(w->remembered, 0);
    }
    if (st == FM_OK && w->more && w->next_leaf == leaf)
        *not_after = (uint64_t)sqlite3_column_int64(w->remembered, 1);
    return st;
}

static fm_status put_leaf(void *ctx, struct ledger_store_leaf *leaf, struct base_err *err)
{
    struct writer *w = ctx;
    uint64_t not_after;
    bool keeps = true;
    fm_status st = FM_OK;

    if (!leaf->is_block)
        st = ledger_prune_keeps(w->store, &w->tip, leaf, &keeps, err);
    base_buf_put_u64(&w->out, leaf->height);
    base_buf_put_u8(&w->out, leaf->is_block ? SNAPSHOT_BLOCK : keeps ? SNAPSHOT_TX : SNAPSHOT_BARE);
    base_buf_put(&w->out, leaf->payload_hash, 32);
    if (st == FM_OK && !leaf->is_block) {
        st = remembered(w, leaf->leaf, &not_after, err);
        base_buf_put(&w->out, leaf->id, 32);
        base_buf_put_u64(&w->out, not_after);
        put_word(&w->out, leaf->alias);
        put_word(&w->out, leaf->type);
        put_sized(&w->out, leaf->result.p, leaf->result.len);
    }
    if (keeps)
        put_sized(&w->out, leaf->payload.p, leaf->payload.len);
    return st == FM_OK ? flush(w, FLUSH_AT, err) : st;
}

static fm_status put_value(void *ctx, const char *key, const void *value, size_t len,
                           struct base_err *err)
{
    struct writer *w = ctx;

    base_buf_put_u16(&w->out, (uint16_t)strlen(key));
    base_buf_put_str(&w->out, key);
    put_sized(&w->out, value, len);
    return flush(w, FLUSH_AT, err);
}

fm_status ledger_snapshot_write(struct ledger_reader *reader, ledger_snapshot_sink *sink, void *ctx,
                                struct base_err *err)
{
    struct writer w = {.store = reader->store, .sink = sink, .ctx = ctx, .more = true};
    struct ledger_state_source source = ledger_store_source(reader->store);
    struct ledger_store_tip tip;
    fm_status st = ledger_store_get_tip(reader->store, &tip, err);

    w.tip = tip.tip;
    if (st == FM_OK)
        st = put_head(&w, err);
    if (st == FM_OK)
        st = ledger_store_walk(w.store, &w.remembered, LEDGER_SQL_REMEMBERED_LEAVES, err);
    if (st == FM_OK)
        st = ledger_store_each_leaf(w.store, 0, w.tip.log.size, put_leaf, &w, err);
    if (st == FM_OK)
        st = source.list(source.ctx, "", put_value, &w, err);
    base_buf_put_u16(&w.out, 0);
    if (st == FM_OK)
        st = flush(&w, 0, err);
    (void)sqlite3_finalize(w.remembered);
    base_buf_release(&w.out);
    return st;
}
