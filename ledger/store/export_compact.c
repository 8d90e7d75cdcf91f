/* A compact bundle (format.md section 8): what changed members or parameters, what was asked for,
 * the leaves of their blocks, and of all else the fewest hashes. Cost: one walk over the leaves'
 * types, and O(log size) reads for each leaf that is disclosed; for a transaction its block's
 * results as well. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "ledger/proof/log_proof.h"
#include "ledger/proof/state_proof.h"
#include "ledger/store/export_impl.h"

struct compact {
    struct ledger_reader *reader;
    const struct ledger_bundle_sink *sink;
    struct ledger_export_report *report;
    /* What is disclosed, in the end ascending and each once. */
    uint64_t *leaf;
    size_t n, cap;
    /* State keys, likewise. */
    char **key;
    size_t n_keys, cap_keys;
    /* The results of one block, as leaf hashes of its tree. */
    struct ledger_store_block block;
    uint8_t (*result)[32];
    size_t n_results;
};

static void release(struct compact *c)
{
    for (size_t i = 0; i < c->n_keys; i++)
        free(c->key[i]);
    free(c->key);
    free(c->leaf);
    free(c->result);
}

/* Room for one more. */
static fm_status room(void **array, size_t *cap, size_t n, size_t size, struct base_err *err)
{
    size_t more = *cap == 0 ? 16 : 2 * *cap;
    void *p;

    if (n < *cap)
        return FM_OK;
    p = realloc(*array, more * size);
    if (p == NULL)
        return base_err_memory(err, "bundle");
    *array = p;
    *cap = more;
    return FM_OK;
}

/* ---- what to disclose ---- */

static fm_status add_leaf(void *ctx, uint64_t leaf, struct base_err *err)
{
    struct compact *c = ctx;
    fm_status st = room((void **)&c->leaf, &c->cap, c->n, sizeof *c->leaf, err);

    if (st == FM_OK)
        c->leaf[c->n++] = leaf;
    return st;
}

/* The block that a leaf is of. */
static fm_status block_of(struct compact *c, struct ledger_store_block *out, uint64_t leaf,
                          struct base_err *err)
{
    struct ledger_store_leaf row;
    uint64_t height;
    fm_status st = ledger_store_get_leaf(c->reader->store, &row, leaf, err);

    if (st != FM_OK)
        return st;
    height = row.height;
    ledger_store_leaf_release(&row);
    return ledger_store_get_block(c->reader->store, out, height, err);
}

static fm_status rules_at(struct compact *c, int64_t *rules, uint64_t *block_leaf, uint64_t leaf,
                          struct base_err *err)
{
    struct ledger_store_block block;
    struct ledger_store_leaf row = {0};
    json_t *json = NULL;
    fm_status st = block_of(c, &block, leaf, err);

    if (st == FM_OK) {
        *block_leaf = block.first_leaf + block.txs;
        st = ledger_store_get_leaf(c->reader->store, &row, *block_leaf, err);
    }
    if (st == FM_OK)
        st = base_json_parse(&json, (const char *)row.payload.p, row.payload.len, err);
    if (st == FM_OK)
        st = base_json_get_int(rules, json, "rules_version", err);
    json_decref(json);
    ledger_store_leaf_release(&row);
    return st;
}

/* Rules begin at the end of a block, whose leaf must be there: the last block of the rules before.
 * Versions rise, so each is found by halving. */
static fm_status add_switches(struct compact *c, struct base_err *err)
{
    int64_t now, last, there;
    uint64_t at = 0, block_leaf;
    fm_status st = rules_at(c, &now, &block_leaf, 0, err);

    if (st == FM_OK)
        st = rules_at(c, &last, &block_leaf, c->report->size - 1, err);
    while (st == FM_OK && now < last) {
        uint64_t low = at, high = c->report->size - 1; /* low is under `now`, high is not */
        while (st == FM_OK && high - low > 1) {
            uint64_t mid = low + (high - low) / 2;
            st = rules_at(c, &there, &block_leaf, mid, err);
            *(there > now ? &high : &low) = mid;
        }
        if (st == FM_OK)
            st = rules_at(c, &there, &block_leaf, low, err);
        if (st == FM_OK)
            st = add_leaf(c, block_leaf, err);
        if (st == FM_OK)
            st = rules_at(c, &now, &block_leaf, high, err);
        at = high;
    }
    return st;
}

static int by_number(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

static fm_status gather_leaves(struct compact *c, const struct ledger_export_options *options,
                               struct base_err *err)
{
    struct ledger_store_block block;
    uint64_t leaf;
    size_t n;
    fm_status st = ledger_store_each_identity(c->reader->store, c->report->size, add_leaf, c, err);

    for (size_t i = 0; st == FM_OK && i < options->n_txs; i++) {
        st = ledger_store_find_tx(c->reader->store, &leaf, options->txs[i], err);
        if (st == FM_OK && leaf >= c->report->size)
            st = base_err_set(err, FM_E_CONFLICT, "what is asked for is not final yet: try again");
        if (st == FM_OK)
            st = add_leaf(c, leaf, err);
    }
    n = c->n;
    for (size_t i = 0; st == FM_OK && i < n; i++) {
        st = block_of(c, &block, c->leaf[i], err);
        if (st == FM_OK)
            st = add_leaf(c, block.first_leaf + block.txs, err);
    }
    if (st == FM_OK)
        st = add_switches(c, err);
    if (st == FM_OK)
        st = add_leaf(c, 0, err);
    if (st == FM_OK)
        st = add_leaf(c, c->report->size - 1, err);
    if (st != FM_OK)
        return st;
    qsort(c->leaf, c->n, sizeof *c->leaf, by_number);
    n = 1;
    for (size_t i = 1; i < c->n; i++)
        if (c->leaf[i] != c->leaf[n - 1])
            c->leaf[n++] = c->leaf[i];
    c->n = n;
    return FM_OK;
}

/* ---- leaves ---- */

static fm_status take_result(void *ctx, struct ledger_store_leaf *leaf, struct base_err *err)
{
    struct compact *c = ctx;

    (void)err;
    ledger_log_leaf_hash_of(c->result[c->n_results++], leaf->result.p, leaf->result.len);
    return FM_OK;
}

static fm_status result_node(void *ctx, uint8_t out32[32], unsigned level, uint64_t index,
                             struct base_err *err)
{
    const struct compact *c = ctx;

    if (level > 0)
        return base_err_set(err, FM_E_NOT_FOUND, "only leaves");
    memcpy(out32, c->result[index], 32);
    return FM_OK;
}

/* The way from a transaction's result to its block's result_root. */
static fm_status prove_result(struct compact *c, struct ledger_log_proof *proof,
                              const struct ledger_store_leaf *leaf, struct base_err *err)
{
    const struct ledger_log_source source = {result_node, c};
    fm_status st = FM_OK;

    if (c->n_results == 0 || c->block.height != leaf->height) {
        free(c->result);
        c->result = NULL;
        c->n_results = 0;
        st = ledger_store_get_block(c->reader->store, &c->block, leaf->height, err);
        if (st == FM_OK)
            c->result = calloc((size_t)c->block.txs + 1, sizeof *c->result);
        if (st == FM_OK && c->result == NULL)
            st = base_err_memory(err, "bundle");
        if (st == FM_OK)
            st = ledger_store_each_leaf(c->reader->store, c->block.first_leaf,
                                        c->block.first_leaf + c->block.txs, take_result, c, err);
    }
    return st == FM_OK ? ledger_log_prove_inclusion(proof, leaf->leaf - c->block.first_leaf,
                                                    c->block.txs, &source, err)
                       : st;
}

static fm_status write_leaf(struct compact *c, const struct ledger_store_leaf *leaf,
                            struct base_err *err)
{
    struct ledger_log_proof proof;
    fm_status st;

    if (leaf->erased)
        return base_err_set(err, FM_E_NOT_FOUND, "the payload of leaf %llu was erased",
                            (unsigned long long)leaf->leaf);
    c->report->disclosed++;
    if (leaf->is_block)
        return ledger_bundle_leaf(c->sink, leaf->leaf, leaf->payload.p, leaf->payload.len, NULL, 0,
                                  err);
    st = prove_result(c, &proof, leaf, err);
    if (st != FM_OK)
        return st;
    return ledger_bundle_proven(c->sink, leaf->leaf, leaf->payload.p, leaf->payload.len,
                                leaf->result.p, leaf->result.len, proof.hash[0], proof.n, err);
}

static fm_status write_skip(struct compact *c, uint64_t from, uint64_t to, struct base_err *err)
{
    uint8_t hash[128][32]; /* up by one level each, and down again */
    uint64_t at = from;
    size_t n = 0;
    fm_status st = FM_OK;

    while (st == FM_OK && at < to) {
        unsigned level = ledger_log_gap_level(at, to);
        st = ledger_log_subtree(c->reader->store, hash[n++], level, at >> level, err);
        at += (uint64_t)1 << level;
    }
    return st == FM_OK ? ledger_bundle_skip(c->sink, from, to, hash[0], n, err) : st;
}

static fm_status write_leaves(struct compact *c, struct base_err *err)
{
    struct ledger_store_leaf leaf;
    uint64_t at = 0;
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < c->n; i++) {
        if (at < c->leaf[i])
            st = write_skip(c, at, c->leaf[i], err);
        if (st == FM_OK)
            st = ledger_store_get_leaf(c->reader->store, &leaf, c->leaf[i], err);
        if (st != FM_OK)
            break;
        st = write_leaf(c, &leaf, err);
        ledger_store_leaf_release(&leaf);
        at = c->leaf[i] + 1;
    }
    return st;
}

/* ---- the state ---- */

static fm_status add_key(struct compact *c, const char *prefix, const char *name,
                         struct base_err *err)
{
    size_t len = strlen(prefix) + strlen(name) + 1;
    fm_status st = room((void **)&c->key, &c->cap_keys, c->n_keys, sizeof *c->key, err);
    char *key;

    if (st != FM_OK)
        return st;
    key = malloc(len);
    if (key == NULL)
        return base_err_memory(err, "bundle");
    (void)snprintf(key, len, "%s%s", prefix, name);
    c->key[c->n_keys++] = key;
    return FM_OK;
}

static fm_status add_member(void *ctx, const char *key, const json_t *value, struct base_err *err)
{
    struct compact *c = ctx;
    const char *did = json_string_value(json_object_get(value, "did"));
    fm_status st = add_key(c, "", key, err);

    return st == FM_OK && did != NULL ? add_key(c, "did/", did, err) : st;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static fm_status gather_keys(struct compact *c, const struct ledger_export_options *options,
                             struct base_err *err)
{
    fm_status st = ledger_reader_list(c->reader, "member/", add_member, c, err);

    if (st == FM_OK)
        st = add_key(c, "", "param", err);
    for (size_t i = 0; st == FM_OK && i < options->n_keys; i++)
        st = add_key(c, "", options->keys[i], err);
    if (st == FM_OK)
        qsort(c->key, c->n_keys, sizeof *c->key, by_text);
    return st;
}

static bool is_document(const char *key)
{
    return strncmp(key, "did/", 4) == 0 && strchr(key + 4, '/') == NULL;
}

/* The documents themselves are in the identity leaves, and in the genesis. */
static fm_status write_state(struct compact *c, const char *key, struct base_err *err)
{
    struct ledger_state_proof *proof = malloc(sizeof *proof);
    json_t *value = NULL, *bare = NULL, *shortened = NULL;
    struct ledger_state_pages pages = ledger_store_pages(c->reader->store);
    uint8_t path[32];
    fm_status st = proof != NULL ? ledger_store_value(c->reader->store, &value, key, err)
                                 : base_err_memory(err, "bundle");

    ledger_state_path(path, key);
    if (st == FM_OK)
        st = ledger_state_prove(proof, path, &pages, err);
    if (st == FM_OK && value != NULL) {
        bare = json_copy(value);
        if (is_document(key))
            (void)json_object_del(bare, "document");
    }
    if (st == FM_OK) {
        shortened = ledger_state_proof_short(proof, path);
        if (shortened == NULL || (value != NULL && bare == NULL))
            st = base_err_memory(err, "bundle");
    }
    if (st == FM_OK)
        st = ledger_bundle_state(c->sink, key, bare, shortened, err);
    json_decref(value);
    json_decref(bare);
    json_decref(shortened);
    free(proof);
    return st;
}

static fm_status write_states(struct compact *c, struct base_err *err)
{
    fm_status st = ledger_export_at_head(c->reader, c->report, err);

    for (size_t i = 0; st == FM_OK && i < c->n_keys; i++)
        if (i == 0 || strcmp(c->key[i - 1], c->key[i]) != 0)
            st = write_state(c, c->key[i], err);
    return st;
}

fm_status ledger_export_compact(struct ledger_reader *reader, const struct ledger_bundle_sink *sink,
                                const struct ledger_export_options *options,
                                struct ledger_export_report *report, struct base_err *err)
{
    struct compact c = {.reader = reader, .sink = sink, .report = report};
    fm_status st = gather_leaves(&c, options, err);

    if (st == FM_OK)
        st = gather_keys(&c, options, err);
    if (st == FM_OK)
        st = write_leaves(&c, err);
    if (st == FM_OK)
        st = write_states(&c, err);
    release(&c);
    return st;
}
