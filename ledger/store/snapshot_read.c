#include "ledger/store/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "ledger/proof/tx.h"
#include "ledger/store/chain_impl.h"
#include "ledger/store/snapshot_impl.h"
#include "ledger/store/store_impl.h"
#include "ledger/store/upkeep_impl.h"

enum { BLOCK_BYTES = 20, LEAF_LEAST = 41, BATCH = 4096 };

struct reader {
    struct ledger_chain *chain;
    struct ledger_store *store;
    struct base_cur cur;
    struct ledger_tip tip; /* as it grows */
    uint64_t leaves;       /* that there are to be */
    int64_t latest_ms;     /* no block is later */
    uint64_t beyond;       /* bytes that come after those at hand */
    fm_status st;          /* of nodes: appending has no errors */
    struct base_err *err;
};

static fm_status malformed(struct reader *r, const char *what)
{
    return base_err_set(r->err, FM_E_INPUT, "snapshot: %s", what);
}

static const uint8_t *take_sized(struct reader *r, size_t *len)
{
    *len = base_cur_u32(&r->cur);
    return base_cur_take(&r->cur, *len);
}

/* ---- head and blocks ---- */

static fm_status read_head(struct reader *r, uint64_t height)
{
    const uint8_t *magic = base_cur_take(&r->cur, SNAPSHOT_MAGIC_LEN), *genesis;
    uint8_t hash[32];
    uint64_t left;
    size_t len;

    if (magic == NULL || memcmp(magic, SNAPSHOT_MAGIC, SNAPSHOT_MAGIC_LEN) != 0)
        return malformed(r, "it is none");
    genesis = take_sized(r, &len);
    if (genesis == NULL)
        return malformed(r, "it is cut off");
    base_hash(hash, genesis, len);
    if (memcmp(hash, ledger_store_chain(r->store), sizeof hash) != 0)
        return malformed(r, "it is of another ledger");
    r->tip.height = base_cur_u64(&r->cur);
    r->tip.time_ms = (int64_t)base_cur_u64(&r->cur);
    r->tip.epoch = base_cur_u64(&r->cur);
    r->tip.rules_version = base_cur_u64(&r->cur);
    r->leaves = base_cur_u64(&r->cur);
    left = r->cur.left + r->beyond;
    if (r->cur.bad || r->tip.height != height || r->tip.height >= left / BLOCK_BYTES ||
        r->leaves > (left - (r->tip.height + 1) * BLOCK_BYTES) / LEAF_LEAST)
        return malformed(r, "it is of another height, or cut off");
    if (r->tip.time_ms > r->latest_ms)
        return malformed(r, "its newest block is in the future");
    return FM_OK;
}

/* Block 0 is there. */
static fm_status read_blocks(struct reader *r)
{
    fm_status st = FM_OK;

    for (uint64_t height = 0; st == FM_OK && height <= r->tip.height; height++) {
        struct ledger_store_block block = {.height = height};
        block.time_ms = (int64_t)base_cur_u64(&r->cur);
        block.first_leaf = base_cur_u64(&r->cur);
        block.txs = base_cur_u32(&r->cur);
        if (height > 0)
            st = ledger_store_put_block(r->store, &block, r->err);
    }
    return st;
}

/* ---- leaves ---- */

/* One leaf, with what its pointers point to. */
struct leaf {
    struct ledger_seal_leaf seal;
    struct ledger_outcome outcome;
    char type[32];
    enum snapshot_kind kind;
};

static bool take_word(struct reader *r, char *out, size_t room)
{
    size_t len = base_cur_u8(&r->cur);
    const uint8_t *text = base_cur_take(&r->cur, len);

    if (text == NULL || len >= room || memchr(text, 0, len) != NULL)
        return false;
    memcpy(out, text, len);
    out[len] = '\0';
    return true;
}

static fm_status read_leaf(struct reader *r, struct leaf *l, uint64_t at)
{
    *l = (struct leaf){.seal = {.leaf = at}};
    l->seal.height = base_cur_u64(&r->cur);
    l->kind = base_cur_u8(&r->cur);
    base_cur_copy(&r->cur, l->seal.payload_hash, 32);
    if (l->kind > SNAPSHOT_BARE || l->seal.height > r->tip.height)
        return malformed(r, "a leaf is none");
    if (l->kind != SNAPSHOT_BLOCK) {
        base_cur_copy(&r->cur, l->outcome.id, 32);
        l->outcome.not_after = (int64_t)base_cur_u64(&r->cur);
        if (!take_word(r, l->outcome.alias, sizeof l->outcome.alias) ||
            !take_word(r, l->type, sizeof l->type))
            return malformed(r, "a transaction has no sender or type");
        l->outcome.type = l->type;
        l->seal.outcome = &l->outcome;
        l->seal.result = take_sized(r, &l->seal.result_len);
    }
    if (l->kind != SNAPSHOT_BARE)
        l->seal.payload = take_sized(r, &l->seal.len);
    if (l->kind == SNAPSHOT_BARE && ledger_prune_always_keeps(l->type))
        return malformed(r, "who is a member is left out");
    if (l->kind == SNAPSHOT_BARE && l->outcome.not_after >= r->tip.time_ms)
        return malformed(r, "a transaction is left out that is not past its not_after");
    return r->cur.bad ? malformed(r, "it is cut off") : FM_OK;
}

static void put_node(void *ctx, unsigned level, uint64_t index, const uint8_t hash32[32])
{
    struct reader *r = ctx;
    struct ledger_seal_sink sink = ledger_store_sink(r->store);

    if (r->st == FM_OK && level > 0)
        r->st = sink.node(sink.ctx, level, index, hash32, r->err);
}

static fm_status put_leaf(struct reader *r, const struct leaf *l)
{
    struct ledger_seal_sink sink = ledger_store_sink(r->store);
    const struct ledger_log_sink nodes = {put_node, r};
    uint8_t hash[32];
    fm_status st = sink.leaf(sink.ctx, &l->seal, r->err);

    if (st == FM_OK && l->kind == SNAPSHOT_BARE)
        st = ledger_store_erase_row(r->store, l->seal.leaf, r->err);
    ledger_log_leaf_hash(hash, l->seal.payload_hash);
    ledger_log_append(&r->tip.log, hash, &nodes);
    return st == FM_OK ? r->st : st;
}

/* The genesis' own leaves are there already, and must be the snapshot's first. */
static fm_status read_leaves(struct reader *r)
{
    uint64_t there = r->tip.log.size;
    struct ledger_store_leaf own = {0};
    fm_status st = ledger_store_merge_ids(r->store, r->err); /* so that none are kept in memory */

    for (uint64_t at = 0; st == FM_OK && at < r->leaves; at++) {
        struct leaf l;
        st = read_leaf(r, &l, at);
        if (st == FM_OK && at < there) {
            st = ledger_store_get_leaf(r->store, &own, at, r->err);
            if (st == FM_OK && memcmp(own.payload_hash, l.seal.payload_hash, 32) != 0)
                st = malformed(r, "it has another genesis block");
            ledger_store_leaf_release(&own);
        } else if (st == FM_OK) {
            st = put_leaf(r, &l);
        }
        if (l.kind == SNAPSHOT_BLOCK)
            memcpy(r->tip.prev, l.seal.payload_hash, 32);
    }
    if (st == FM_OK)
        st = ledger_store_merge_ids(r->store, r->err);
    return st == FM_OK && r->leaves < there ? malformed(r, "it has no genesis block") : st;
}

/* ---- state ---- */

/* Values on their way to their table, and the changes of the tree: all of them, so that each of its
 * pages is written once. */
struct batch {
    struct ledger_update *updates;
    char (*keys)[256];
    size_t n;
    struct ledger_state_change *changes;
    size_t n_changes, room;
};

static fm_status write_values(struct reader *r, struct batch *b)
{
    fm_status st = ledger_store_put_updates(r->store, b->updates, b->n, r->err);

    b->n = 0;
    return st;
}

static fm_status write_tree(struct reader *r, struct batch *b)
{
    struct ledger_state_pages pages = ledger_store_pages(r->store);
    fm_status st = write_values(r, b);

    if (st == FM_OK && b->n_changes > 0)
        st = ledger_state_update(r->tip.state_root, &pages, b->changes, b->n_changes, r->err);
    b->n_changes = 0;
    return st;
}

static fm_status make_room(struct reader *r, struct batch *b)
{
    size_t room = b->room == 0 ? BATCH : b->room + b->room / 2;
    struct ledger_state_change *more = realloc(b->changes, room * sizeof *more);

    if (more == NULL)
        return base_err_memory(r->err, "snapshot");
    b->changes = more;
    b->room = room;
    return FM_OK;
}

static fm_status change(struct reader *r, struct batch *b, const char *key, const uint8_t *value,
                        size_t len)
{
    struct ledger_update *u = &b->updates[b->n];
    fm_status st = b->n_changes == b->room ? make_room(r, b) : FM_OK;
    struct ledger_state_change *c = b->changes + b->n_changes;

    if (st != FM_OK)
        return st;
    memcpy(b->keys[b->n], key, strlen(key) + 1);
    *u = (struct ledger_update){b->keys[b->n], value, len};
    *c = (struct ledger_state_change){.removed = value == NULL};
    ledger_state_path(c->path, key);
    if (value != NULL)
        base_hash(c->value_hash, value, len);
    b->n_changes++;
    b->n++;
    return b->n == BATCH ? write_values(r, b) : FM_OK;
}

/* The keys of the genesis go first; whoever lives on comes again. */
static fm_status note_key(void *ctx, const char *key, const void *value, size_t len,
                          struct base_err *err)
{
    (void)value;
    (void)len;
    base_buf_put_str(ctx, key);
    base_buf_put_u8(ctx, 0);
    return base_buf_status(ctx, "snapshot", err);
}

static fm_status clear_state(struct reader *r, struct batch *b)
{
    struct ledger_state_source source = ledger_store_source(r->store);
    struct base_buf keys = {0};
    fm_status st = source.list(source.ctx, "", note_key, &keys, r->err);

    for (size_t at = 0; st == FM_OK && at < keys.len; at += strlen((char *)keys.p + at) + 1)
        st = change(r, b, (const char *)keys.p + at, NULL, 0);
    if (st == FM_OK)
        st = write_tree(r, b);
    base_buf_release(&keys);
    return st;
}

static fm_status read_state(struct reader *r, struct batch *b)
{
    char key[256], before[256] = "";
    fm_status st = clear_state(r, b);

    while (st == FM_OK) {
        size_t len = base_cur_u16(&r->cur), value_len;
        const uint8_t *text = base_cur_take(&r->cur, len), *value;
        if (text == NULL || len >= sizeof key || memchr(text, 0, len) != NULL)
            return malformed(r, "a key of the state is none");
        if (len == 0)
            break;
        memcpy(key, text, len);
        key[len] = '\0';
        value = take_sized(r, &value_len);
        if (value == NULL || strcmp(before, key) >= 0)
            return malformed(r, "its state is cut off, or out of order");
        memcpy(before, key, len + 1);
        st = change(r, b, key, value, value_len);
    }
    return st == FM_OK ? write_tree(r, b) : st;
}

static fm_status read_states(struct reader *r)
{
    struct batch b = {.updates = calloc(BATCH, sizeof *b.updates),
                      .keys = calloc(BATCH, sizeof *b.keys)};
    fm_status st = b.updates == NULL || b.keys == NULL ? base_err_memory(r->err, "snapshot")
                                                       : read_state(r, &b);

    free(b.changes);
    free(b.updates);
    free(b.keys);
    return st;
}

/* ---- all of it ---- */

static fm_status fill(struct reader *r, uint64_t height, const uint8_t app_hash32[32])
{
    struct ledger_check_report report;
    uint8_t root[32];
    fm_status st = read_head(r, height);

    if (st == FM_OK)
        st = read_blocks(r);
    if (st == FM_OK)
        st = read_leaves(r);
    ledger_log_root(root, &r->tip.log);
    if (st == FM_OK && memcmp(root, app_hash32, sizeof root) != 0)
        return base_err_set(r->err, FM_E_INVALID, "snapshot: it leads to another app_hash");
    if (st == FM_OK)
        st = read_states(r);
    if (st == FM_OK)
        st = base_cur_end(&r->cur, "snapshot", r->err);
    if (st == FM_OK)
        st = ledger_store_put_tip(r->store, &r->tip, r->err);
    if (st != FM_OK)
        return st;
    st = ledger_check_rows(r->store, &report, r->err);
    if (st != FM_E_CORRUPT)
        return st;
    r->err->code = FM_E_INVALID;
    return base_err_prefix(r->err, "snapshot");
}

fm_status ledger_snapshot_begins(struct ledger_chain *chain, const void *bytes, size_t len,
                                 uint64_t total, uint64_t height, int64_t latest_ms,
                                 struct base_err *err)
{
    struct reader r = {.store = chain->store,
                       .err = err,
                       .cur = base_cur_make(bytes, len),
                       .latest_ms = latest_ms,
                       .beyond = total > len ? total - len : 0};

    return read_head(&r, height);
}

fm_status ledger_snapshot_read(struct ledger_chain *chain, const void *bytes, size_t len,
                               uint64_t height, const uint8_t app_hash32[32], int64_t latest_ms,
                               struct base_err *err)
{
    struct reader r = {.chain = chain,
                       .store = chain->store,
                       .err = err,
                       .tip = chain->tip,
                       .latest_ms = latest_ms};
    fm_status st;

    if (chain->tip.height != 0 || height == 0)
        return base_err_set(err, FM_E_CONFLICT,
                            "snapshot: this replica is at block %llu, and only one at its genesis "
                            "can begin with a snapshot",
                            (unsigned long long)chain->tip.height);
    r.cur = base_cur_make(bytes, len);
    st = ledger_store_begin_write(chain->store, err);
    if (st != FM_OK)
        return st;
    ledger_store_set_cache(chain->store, LEDGER_CACHE_LARGE);
    st = fill(&r, height, app_hash32);
    if (st == FM_OK)
        st = ledger_store_commit(chain->store, err);
    else
        ledger_store_rollback(chain->store);
    ledger_store_set_cache(chain->store, LEDGER_CACHE_USUAL);
    ledger_machine_forget(chain->machine);
    if (st == FM_OK) {
        chain->tip = r.tip;
        ledger_head_fill(&chain->head, &r.tip);
    }
    return st;
}
