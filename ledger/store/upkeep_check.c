#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "ledger/proof/misbehavior.h"
#include "ledger/proof/profile.h"
#include "ledger/proof/state.h"
#include "ledger/proof/tx.h"
#include "ledger/store/chain_impl.h"
#include "ledger/store/store_impl.h"
#include "ledger/store/upkeep_impl.h"

void ledger_tell(const struct ledger_progress *progress, const char *what, uint64_t done,
                 uint64_t total)
{
    if (progress != NULL && progress->tell != NULL)
        progress->tell(progress->ctx, what, done, total);
}

/* ---- pages ---- */

/* Reads every page: sums, and whether SQLite's trees hold together. */
static fm_status check_pages(struct ledger_store *store, struct base_err *err)
{
    sqlite3_stmt *stmt = NULL;
    const char *text = NULL;
    bool row = false;
    fm_status st = FM_OK;

    if (sqlite3_prepare_v2(store->db, "PRAGMA integrity_check(1)", -1, &stmt, NULL) != SQLITE_OK)
        return ledger_store_fail(store, err);
    st = ledger_store_row(store, stmt, &row, err);
    if (st == FM_OK)
        text = row ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
    if (st == FM_OK && (text == NULL || strcmp(text, "ok") != 0))
        st = ledger_store_corrupt(store, "its pages do not hold together", err);
    (void)sqlite3_finalize(stmt);
    return st;
}

/* ---- the log ---- */

struct walk {
    struct ledger_store *store;
    const struct ledger_progress *progress;
    struct ledger_check_report *report;
    uint64_t total;
    struct ledger_log log, txs, results; /* all; those of the block at hand */
    uint8_t prev[32], state_root[32];    /* of the newest block leaf */
    int64_t epoch, rules_version;        /* ... which alone changes them */
    json_t *member;                      /* the newest transaction's sender, from the state ... */
    char alias[40];                      /* ... by this name */
    fm_status st;                        /* of nodes: appending has no errors */
    struct base_err *err;
};

static fm_status wrong(struct walk *w, uint64_t leaf, const char *what)
{
    struct base_err text;

    (void)base_err_set(&text, FM_E_CORRUPT, "leaf %llu: %s", (unsigned long long)leaf, what);
    return ledger_store_corrupt(w->store, text.text, w->err);
}

static void check_node(void *ctx, unsigned level, uint64_t index, const uint8_t hash32[32])
{
    struct walk *w = ctx;
    struct ledger_log_source source = ledger_store_log(w->store);
    uint8_t stored[32];

    if (level < LEDGER_STORE_NODE_LEVEL || w->st != FM_OK)
        return;
    w->st = source.node(source.ctx, stored, level, index, w->err);
    if (w->st == FM_OK && memcmp(stored, hash32, sizeof stored) != 0)
        w->st = ledger_store_corrupt(w->store, "a hash of the log is another one", w->err);
}

/* Does the block leaf say what came before it? */
static bool links(const struct walk *w, const struct ledger_store_block *block, const json_t *json)
{
    struct base_err ignored;
    uint8_t hash[32], root[32];
    int64_t height, time_ms, txs;
    bool good = base_json_get_hex(hash, 32, json, "prev", &ignored) == FM_OK &&
                memcmp(hash, w->prev, 32) == 0;

    ledger_log_root(root, &w->txs);
    good = good && base_json_get_hex(hash, 32, json, "tx_root", &ignored) == FM_OK &&
           memcmp(hash, root, 32) == 0;
    ledger_log_root(root, &w->results);
    good = good && base_json_get_hex(hash, 32, json, "result_root", &ignored) == FM_OK &&
           memcmp(hash, root, 32) == 0;
    return good && base_json_get_int(&height, json, "height", &ignored) == FM_OK &&
           base_json_get_int(&time_ms, json, "time", &ignored) == FM_OK &&
           base_json_get_int(&txs, json, "txs", &ignored) == FM_OK &&
           (uint64_t)height == block->height && time_ms == block->time_ms &&
           (uint64_t)txs == w->txs.size && block->txs == w->txs.size;
}

static fm_status end_block(struct walk *w, const struct ledger_store_leaf *leaf)
{
    struct ledger_store_block block;
    json_t *json = NULL;
    fm_status st = ledger_store_get_block(w->store, &block, leaf->height, w->err);

    if (st == FM_E_NOT_FOUND)
        return wrong(w, leaf->leaf, "its block is missing");
    if (st != FM_OK)
        return st;
    if (leaf->erased || block.first_leaf + block.txs != leaf->leaf ||
        base_json_parse(&json, (const char *)leaf->payload.p, leaf->payload.len, w->err) != FM_OK ||
        !links(w, &block, json) ||
        base_json_get_hex(w->state_root, 32, json, "state_root", w->err) != FM_OK ||
        base_json_get_int(&w->epoch, json, "epoch", w->err) != FM_OK ||
        base_json_get_int(&w->rules_version, json, "rules_version", w->err) != FM_OK)
        st = wrong(w, leaf->leaf, "the block leaf does not say what came before it");
    json_decref(json);
    memcpy(w->prev, leaf->payload_hash, sizeof w->prev);
    memset(&w->txs, 0, sizeof w->txs);
    memset(&w->results, 0, sizeof w->results);
    return st;
}

/* Whose alias that is. Few members send many transactions one after the other. */
static fm_status find_member(struct walk *w, const char **did, const char *alias)
{
    char key[sizeof w->alias + 8];
    fm_status st = FM_OK;

    if (w->member == NULL || strcmp(w->alias, alias) != 0) {
        json_decref(w->member);
        w->member = NULL;
        (void)snprintf(w->alias, sizeof w->alias, "%s", alias);
        (void)snprintf(key, sizeof key, "member/%s", alias);
        st = ledger_store_value(w->store, &w->member, key, w->err);
    }
    *did = json_string_value(json_object_get(w->member, "did"));
    return st;
}

/* Id, type and sender stand beside the payload, for whoever looks for them; it says them too. */
static fm_status check_columns(struct walk *w, const struct ledger_store_leaf *leaf)
{
    struct base_err why;
    struct ledger_tx tx = {0};
    const char *did;
    fm_status st = ledger_tx_parse(&tx, leaf->payload.p, leaf->payload.len, SIZE_MAX, &why);

    if (st == FM_E_MEMORY)
        return base_err_memory(w->err, "ledger check");
    if (st != FM_OK || memcmp(tx.id, leaf->id, sizeof tx.id) != 0 ||
        strcmp(ledger_tx_type_name(tx.type), leaf->type) != 0) {
        st = wrong(w, leaf->leaf, "its id or type is not that of its payload");
    } else {
        st = find_member(w, &did, leaf->alias);
        if (st == FM_OK && (did == NULL || strcmp(did, tx.sender) != 0))
            st = wrong(w, leaf->leaf, "its sender is not that of its payload");
    }
    ledger_tx_release(&tx);
    return st;
}

/* What the engine vouched for is no transaction: nobody sent it, and its id is its payload's hash.
 */
static fm_status check_vouched(struct walk *w, const struct ledger_store_leaf *leaf)
{
    struct ledger_misbehavior what;
    struct base_err why;
    json_t *payload = NULL;
    fm_status st = base_json_parse_canonical(&payload, leaf->payload.p, leaf->payload.len, &why);

    if (st == FM_OK)
        st = ledger_misbehavior_read(&what, payload, ledger_store_chain(w->store), &why);
    json_decref(payload);
    if (st == FM_E_MEMORY)
        return base_err_memory(w->err, "ledger check");
    if (st != FM_OK || memcmp(leaf->id, leaf->payload_hash, sizeof leaf->id) != 0 ||
        strcmp(what.member, leaf->alias) != 0)
        return wrong(w, leaf->leaf, "its id, type or member is not that of its payload");
    return FM_OK;
}

static fm_status take_tx(struct walk *w, const struct ledger_store_leaf *leaf)
{
    uint64_t at = 0;
    uint8_t hash[32];
    fm_status st = ledger_store_find_tx(w->store, &at, leaf->id, w->err);

    if (st == FM_E_NOT_FOUND || (st == FM_OK && at != leaf->leaf))
        return wrong(w, leaf->leaf, "its transaction is not found by its id");
    if (st == FM_OK && !leaf->erased)
        st = strcmp(leaf->type, LEDGER_MISBEHAVIOR_TYPE) == 0 ? check_vouched(w, leaf)
                                                              : check_columns(w, leaf);
    w->report->erased += leaf->erased;
    ledger_log_leaf_hash(hash, leaf->payload_hash);
    ledger_log_append(&w->txs, hash, NULL);
    ledger_log_leaf_hash_of(hash, leaf->result.p, leaf->result.len);
    ledger_log_append(&w->results, hash, NULL);
    return st;
}

static fm_status check_leaf(void *ctx, struct ledger_store_leaf *leaf, struct base_err *err)
{
    struct walk *w = ctx;
    struct ledger_log_sink nodes = {check_node, w};
    uint8_t hash[32];
    fm_status st;

    (void)err;
    base_hash(hash, leaf->payload.p, leaf->payload.len);
    if (!leaf->erased && memcmp(hash, leaf->payload_hash, sizeof hash) != 0)
        return wrong(w, leaf->leaf, "its payload does not have its hash");
    st = leaf->is_block ? end_block(w, leaf) : take_tx(w, leaf);
    if (st != FM_OK)
        return st;
    ledger_log_leaf_hash(hash, leaf->payload_hash);
    ledger_log_append(&w->log, hash, &nodes);
    if (w->log.size % 1024 == 0)
        ledger_tell(w->progress, "leaf", w->log.size, w->total);
    return w->st;
}

static fm_status check_log(struct walk *w, const struct ledger_tip *tip)
{
    struct base_buf ours = {0}, theirs = {0};
    fm_status st = ledger_store_each_leaf(w->store, 0, tip->log.size, check_leaf, w, w->err);

    if (st != FM_OK)
        return st;
    ledger_log_encode(&ours, &w->log);
    ledger_log_encode(&theirs, &tip->log);
    if (ours.failed || theirs.failed)
        st = base_err_memory(w->err, "ledger check");
    else if (ours.len != theirs.len || memcmp(ours.p, theirs.p, ours.len) != 0)
        st = ledger_store_corrupt(w->store, "its log does not have the root that it says", w->err);
    else if (memcmp(w->prev, tip->prev, 32) != 0 || memcmp(w->state_root, tip->state_root, 32) != 0)
        st = ledger_store_corrupt(w->store, "its log does not end with its newest block", w->err);
    else if ((uint64_t)w->epoch != tip->epoch || (uint64_t)w->rules_version != tip->rules_version)
        st = ledger_store_corrupt(
            w->store, "its epoch or rules version is not that of its newest block", w->err);
    base_buf_release(&ours);
    base_buf_release(&theirs);
    return st;
}

/* Every height has its row, empty blocks too; times rise, and the leaves are those of one after the
 * other. */
static fm_status check_heights(struct walk *w, const struct ledger_tip *tip)
{
    struct ledger_store_block block;
    int64_t before = INT64_MIN;
    uint64_t height, leaves = 0;

    for (height = 0; height <= tip->height; height++) {
        fm_status st = ledger_store_get_block(w->store, &block, height, w->err);

        if (st == FM_E_NOT_FOUND || (st == FM_OK && block.time_ms <= before))
            return ledger_store_corrupt(w->store, "a block's row is missing or out of time",
                                        w->err);
        if (st != FM_OK)
            return st;
        if (block.first_leaf != leaves)
            return ledger_store_corrupt(w->store, "a block's row has other leaves", w->err);
        before = block.time_ms;
        leaves += block.txs + (height == 0 || block.txs > 0); /* its own, unless it is empty */
    }
    if (leaves != tip->log.size)
        return ledger_store_corrupt(w->store, "its blocks do not have all leaves", w->err);
    return before == tip->time_ms
               ? FM_OK
               : ledger_store_corrupt(w->store, "its newest block has another time", w->err);
}

/* ---- the state ---- */

struct value {
    uint8_t path[32], hash[32]; /* H(key), H(value) */
};

struct values {
    struct value *p;
    size_t n, cap;
};

static fm_status take_value(void *ctx, const char *key, const void *bytes, size_t len,
                            struct base_err *err)
{
    struct values *v = ctx;

    if (v->n == v->cap) {
        size_t cap = v->cap == 0 ? 1024 : 2 * v->cap;
        struct value *p = realloc(v->p, cap * sizeof *p);

        if (p == NULL)
            return base_err_memory(err, "ledger check");
        v->p = p;
        v->cap = cap;
    }
    ledger_state_path(v->p[v->n].path, key);
    base_hash(v->p[v->n++].hash, bytes, len);
    return FM_OK;
}

static int by_path(const void *a, const void *b)
{
    return memcmp(((const struct value *)a)->path, ((const struct value *)b)->path, 32);
}

/* format.md section 6, from the values alone, sorted by path: they share `depth` bits. As deep as
 * two paths agree, which are hashes: 256 at most. */
static void subtree(uint8_t out32[32], const struct value *v, size_t n, unsigned depth)
{
    uint8_t bytes[65];
    size_t low = 0, high = n;

    memset(out32, 0, 32);
    if (n == 0)
        return;
    if (n == 1) {
        bytes[0] = 0;
        memcpy(bytes + 1, v->path, 32);
        memcpy(bytes + 33, v->hash, 32);
        base_hash(out32, bytes, sizeof bytes);
        return;
    }
    while (low < high) { /* the first whose bit is 1 */
        size_t middle = (low + high) / 2;

        if ((v[middle].path[depth / 8] >> (7 - depth % 8) & 1) == 0)
            low = middle + 1;
        else
            high = middle;
    }
    bytes[0] = 1;
    subtree(bytes + 1, v, low, depth + 1);
    subtree(bytes + 33, v + low, n - low, depth + 1);
    base_hash(out32, bytes, sizeof bytes);
}

static fm_status check_state(struct walk *w, const struct ledger_tip *tip)
{
    struct ledger_state_source source = ledger_store_source(w->store);
    struct ledger_state_pages pages = ledger_store_pages(w->store);
    struct values v = {NULL, 0, 0};
    uint8_t root[32];
    size_t i;
    fm_status st = source.list(source.ctx, "", take_value, &v, w->err);

    if (st == FM_OK && v.n > 0)
        qsort(v.p, v.n, sizeof *v.p, by_path);
    for (i = 1; st == FM_OK && i < v.n; i++)
        if (by_path(&v.p[i - 1], &v.p[i]) == 0)
            st = ledger_store_corrupt(w->store, "a key of its state is there twice", w->err);
    if (st == FM_OK) {
        subtree(root, v.p, v.n, 0);
        if (memcmp(root, tip->state_root, sizeof root) != 0)
            st = ledger_store_corrupt(w->store,
                                      "its state does not have the root that its log says", w->err);
    }
    if (st == FM_OK)
        st = ledger_state_root(root, &pages, w->err);
    if (st == FM_OK && memcmp(root, tip->state_root, sizeof root) != 0)
        st = ledger_store_corrupt(
            w->store, "its state tree does not have the root that its log says", w->err);
    w->report->states = v.n;
    free(v.p);
    return st;
}

/* ---- all of it ---- */

static fm_status check_genesis(struct walk *w)
{
    struct base_buf genesis = {0};
    uint8_t hash[32];
    fm_status st = ledger_store_get_genesis(w->store, &genesis, w->err);

    if (st == FM_OK)
        st = ledger_genesis_chain(hash, genesis.p, genesis.len, w->err);
    if (st == FM_E_INPUT ||
        (st == FM_OK && memcmp(hash, ledger_store_chain(w->store), sizeof hash) != 0))
        st = ledger_store_corrupt(w->store, "its genesis is not the one it began with", w->err);
    base_buf_release(&genesis);
    return st;
}

static fm_status check_rows(struct walk *w)
{
    struct ledger_store_tip tip;
    fm_status st = ledger_store_get_tip(w->store, &tip, w->err);

    if (st != FM_OK)
        return st;
    w->total = tip.tip.log.size;
    w->report->height = tip.tip.height;
    w->report->leaves = tip.tip.log.size;
    w->report->final_size = tip.final_size;
    st = check_genesis(w);
    if (st == FM_OK)
        st = check_log(w, &tip.tip);
    if (st == FM_OK)
        st = check_heights(w, &tip.tip);
    if (st == FM_OK)
        st = check_state(w, &tip.tip);
    if (st == FM_OK && tip.final_size > tip.tip.log.size)
        st = ledger_store_corrupt(w->store, "more of it is final than there is", w->err);
    return st;
}

fm_status ledger_check_rows(struct ledger_store *store, struct ledger_check_report *report,
                            struct base_err *err)
{
    struct walk *w = calloc(1, sizeof *w);
    fm_status st;

    memset(report, 0, sizeof *report);
    if (w == NULL)
        return base_err_memory(err, "ledger check");
    *w = (struct walk){.store = store, .report = report, .err = err};
    st = check_rows(w);
    json_decref(w->member);
    free(w);
    return st;
}

static fm_status check_all(struct walk *w)
{
    fm_status st = check_pages(w->store, w->err);

    return st == FM_OK ? check_rows(w) : st;
}

fm_status ledger_check(struct ledger_reader *reader, struct ledger_check_report *report,
                       const struct ledger_progress *progress, struct base_err *err)
{
    struct walk *w = calloc(1, sizeof *w);
    fm_status st;

    memset(report, 0, sizeof *report);
    if (w == NULL)
        return base_err_memory(err, "ledger check");
    *w = (struct walk){.store = reader->store, .progress = progress, .report = report, .err = err};
    ledger_store_set_cache(reader->store, LEDGER_CACHE_LARGE);
    st = ledger_reader_begin(reader, err);
    if (st == FM_OK) {
        st = check_all(w);
        ledger_reader_end(reader);
    }
    ledger_store_set_cache(reader->store, LEDGER_CACHE_USUAL);
    json_decref(w->member);
    free(w);
    return st;
}
