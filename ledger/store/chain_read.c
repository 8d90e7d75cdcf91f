/* Readers: what a replica holds, from any thread, on a connection of its own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "ledger/proof/misbehavior.h"
#include "ledger/proof/state_proof.h"
#include "ledger/store/chain_impl.h"
#include "ledger/store/chain_summary.h"

fm_status ledger_reader_make(struct ledger_reader **out, const char *path, struct base_err *err)
{
    struct ledger_reader *reader = calloc(1, sizeof *reader);
    fm_status st;

    *out = NULL;
    if (reader == NULL)
        return base_err_memory(err, "ledger reader");
    st = ledger_store_open(&reader->store, path, LEDGER_STORE_READ, err);
    if (st != FM_OK) {
        free(reader);
        return st;
    }
    *out = reader;
    return FM_OK;
}

fm_status ledger_reader_open(struct ledger_reader **out, const char *path, struct base_err *err)
{
    return ledger_reader_make(out, path, err);
}

void ledger_reader_close(struct ledger_reader *reader)
{
    if (reader == NULL)
        return;
    ledger_store_close(reader->store);
    free(reader);
}

fm_status ledger_reader_begin(struct ledger_reader *reader, struct base_err *err)
{
    fm_status st;

    if (reader->in_snapshot)
        return base_err_set(err, FM_E_CONFLICT, "a snapshot of the ledger is held already");
    st = ledger_store_begin_read(reader->store, err);
    reader->in_snapshot = st == FM_OK;
    return st;
}

void ledger_reader_end(struct ledger_reader *reader)
{
    if (reader->in_snapshot)
        ledger_store_rollback(reader->store);
    reader->in_snapshot = false;
}

/* For one call that reads several things: a snapshot, unless the caller holds one. */
static fm_status enter(struct ledger_reader *reader, struct base_err *err)
{
    return reader->in_snapshot ? FM_OK : ledger_store_begin_read(reader->store, err);
}

static void leave(struct ledger_reader *reader)
{
    if (!reader->in_snapshot)
        ledger_store_rollback(reader->store);
}

/* ---- where it stands ---- */

const uint8_t *ledger_reader_id(const struct ledger_reader *reader)
{
    return ledger_store_chain(reader->store);
}

fm_status ledger_reader_head(struct ledger_reader *reader, struct ledger_head *out,
                             struct base_err *err)
{
    struct ledger_store_tip tip;
    fm_status st = ledger_store_get_tip(reader->store, &tip, err);

    memset(out, 0, sizeof *out);
    if (st == FM_OK)
        ledger_head_fill(out, &tip.tip);
    return st;
}

fm_status ledger_reader_genesis(struct ledger_reader *reader, struct base_buf *out,
                                struct base_err *err)
{
    return ledger_store_get_genesis(reader->store, out, err);
}

/* ---- blocks ---- */

/* A block being gathered: bytes one after the other, then pointers to them. */
struct gather {
    struct base_buf bytes;
    struct ledger_bytes *txs;
    size_t n, vouched;
};

static fm_status gather_tx(void *ctx, struct ledger_store_leaf *leaf, struct base_err *err)
{
    struct gather *g = ctx;

    if (leaf->erased)
        return base_err_set(err, FM_E_NOT_FOUND, "block %llu: the payload of leaf %llu was erased",
                            (unsigned long long)leaf->height, (unsigned long long)leaf->leaf);
    base_buf_put(&g->bytes, leaf->payload.p, leaf->payload.len);
    g->txs[g->n++].len = leaf->payload.len;
    g->vouched += strcmp(leaf->type, LEDGER_MISBEHAVIOR_TYPE) == 0; /* they come first */
    return base_buf_status(&g->bytes, "block", err);
}

static fm_status read_block(struct ledger_reader *reader, struct base_buf *out, uint64_t height,
                            struct base_err *err)
{
    struct ledger_store_block row;
    struct ledger_block block;
    struct gather g = {{0}, NULL, 0, 0};
    size_t i, at = 0;
    fm_status st;

    if (height == 0)
        return base_err_set(err, FM_E_NOT_FOUND, "block 0 is the genesis itself");
    st = ledger_store_get_block(reader->store, &row, height, err);
    if (st != FM_OK)
        return st;
    g.txs = calloc((size_t)row.txs + 1, sizeof *g.txs);
    if (g.txs == NULL)
        return base_err_memory(err, "block");
    st = ledger_store_each_leaf(reader->store, row.first_leaf, row.first_leaf + row.txs, gather_tx,
                                &g, err);
    for (i = 0; i < g.n; i++) {
        g.txs[i].p = g.bytes.p + at;
        at += g.txs[i].len;
    }
    block = (struct ledger_block){row.height, row.time_ms, g.txs, g.n, g.vouched};
    if (st == FM_OK)
        st = ledger_block_encode(out, &block, err);
    base_buf_release(&g.bytes);
    free(g.txs);
    return st;
}

fm_status ledger_reader_block(struct ledger_reader *reader, struct base_buf *out, uint64_t height,
                              struct base_err *err)
{
    fm_status st = enter(reader, err);

    if (st != FM_OK)
        return st;
    st = read_block(reader, out, height, err);
    leave(reader);
    return st;
}

static fm_status read_block_leaf(struct ledger_reader *reader, struct base_buf *out, uint64_t *leaf,
                                 uint64_t height, struct base_err *err)
{
    struct ledger_store_block row;
    struct ledger_store_leaf block = {0};
    fm_status st = ledger_store_get_block(reader->store, &row, height, err);

    if (st != FM_OK)
        return st;
    *leaf = row.first_leaf + row.txs;
    if (row.txs == 0 && height > 0)
        return FM_OK;
    st = ledger_store_get_leaf(reader->store, &block, *leaf, err);
    if (st == FM_OK && !block.is_block)
        st = base_err_set(err, FM_E_CORRUPT, "leaf %llu is not what a block leaf is",
                          (unsigned long long)*leaf);
    if (st == FM_OK)
        base_buf_put(out, block.payload.p, block.payload.len);
    ledger_store_leaf_release(&block);
    return st == FM_OK ? base_buf_status(out, "block leaf", err) : st;
}

fm_status ledger_reader_block_leaf(struct ledger_reader *reader, struct base_buf *out,
                                   uint64_t *leaf, uint64_t height, struct base_err *err)
{
    fm_status st = enter(reader, err);

    *leaf = 0;
    if (st != FM_OK)
        return st;
    st = read_block_leaf(reader, out, leaf, height, err);
    leave(reader);
    return st;
}

fm_status ledger_reader_block_at(struct ledger_reader *reader, uint64_t *height, uint64_t size,
                                 struct base_err *err)
{
    struct ledger_store_block row = {0};
    fm_status st = enter(reader, err);

    if (st != FM_OK)
        return st;
    st = ledger_block_ending(reader->store, &row, size, err);
    *height = st == FM_OK ? row.height : 0;
    leave(reader);
    return st;
}

/* ---- entries ---- */

void ledger_entry_release(struct ledger_entry *entry)
{
    base_buf_release(&entry->payload);
    base_buf_release(&entry->summary);
    memset(entry, 0, sizeof *entry);
}

/* Moves a row into an entry; the row's payload goes with it. */
static fm_status fill_entry(struct ledger_entry *out, struct ledger_store_leaf *leaf,
                            struct base_err *err)
{
    json_t *result = NULL;
    const char *text;
    fm_status st = FM_OK;

    memset(out, 0, sizeof *out);
    out->leaf = leaf->leaf;
    out->height = leaf->height;
    out->time_ms = leaf->time_ms;
    out->is_block = leaf->is_block;
    out->erased = leaf->erased;
    memcpy(out->id, leaf->id, sizeof out->id);
    memcpy(out->payload_hash, leaf->payload_hash, sizeof out->payload_hash);
    (void)snprintf(out->alias, sizeof out->alias, "%.32s", leaf->alias);
    (void)snprintf(out->type, sizeof out->type, "%.31s", leaf->type);
    if (!leaf->is_block) {
        st = base_json_parse(&result, (const char *)leaf->result.p, leaf->result.len, err);
        if (st != FM_OK)
            return base_err_set(err, FM_E_CORRUPT, "leaf %llu: its result is not one",
                                (unsigned long long)leaf->leaf);
        text = json_string_value(json_object_get(result, "rule"));
        (void)snprintf(out->rule, sizeof out->rule, "%s", text != NULL ? text : "");
        text = json_string_value(json_object_get(result, "detail"));
        (void)snprintf(out->detail, sizeof out->detail, "%s", text != NULL ? text : "");
        json_decref(result);
    }
    out->payload = leaf->payload;
    memset(&leaf->payload, 0, sizeof leaf->payload);
    st = ledger_summarize(&out->summary, out, err);
    if (st != FM_OK)
        ledger_entry_release(out);
    return st;
}

fm_status ledger_reader_leaf(struct ledger_reader *reader, struct ledger_entry *out, uint64_t leaf,
                             struct base_err *err)
{
    struct ledger_store_leaf row;
    fm_status st = ledger_store_get_leaf(reader->store, &row, leaf, err);

    memset(out, 0, sizeof *out);
    if (st != FM_OK)
        return st;
    st = fill_entry(out, &row, err);
    ledger_store_leaf_release(&row);
    return st;
}

fm_status ledger_reader_tx(struct ledger_reader *reader, struct ledger_entry *out,
                           const uint8_t id[32], struct base_err *err)
{
    uint64_t leaf;
    fm_status st = ledger_store_find_tx(reader->store, &leaf, id, err);

    memset(out, 0, sizeof *out);
    return st == FM_OK ? ledger_reader_leaf(reader, out, leaf, err) : st;
}

struct entries {
    ledger_entry_fn *fn;
    void *ctx;
};

static fm_status tell_entry(void *ctx, struct ledger_store_leaf *leaf, struct base_err *err)
{
    struct entries *e = ctx;
    struct ledger_entry entry;
    fm_status st = fill_entry(&entry, leaf, err);

    if (st != FM_OK)
        return st;
    st = e->fn(e->ctx, &entry, err);
    ledger_entry_release(&entry);
    return st;
}

fm_status ledger_reader_entries(struct ledger_reader *reader, uint64_t from, ledger_entry_fn *fn,
                                void *ctx, struct base_err *err)
{
    struct entries e = {fn, ctx};
    struct ledger_store_tip tip;
    fm_status st = enter(reader, err);

    if (st != FM_OK)
        return st;
    st = ledger_store_get_tip(reader->store, &tip, err);
    if (st == FM_OK)
        st = ledger_store_each_leaf(reader->store, from, tip.tip.log.size, tell_entry, &e, err);
    leave(reader);
    return st;
}

/* ---- state ---- */

fm_status ledger_store_value(struct ledger_store *store, json_t **value, const char *key,
                             struct base_err *err)
{
    struct ledger_state_source source = ledger_store_source(store);
    struct base_buf bytes = {0};
    bool found = false;
    fm_status st = source.get(source.ctx, &bytes, &found, key, err);

    *value = NULL;
    if (st == FM_OK && found) {
        st = base_json_parse(value, (const char *)bytes.p, bytes.len, err);
        if (st == FM_E_INPUT)
            st = base_err_set(err, FM_E_CORRUPT, "state %s: what is stored is not JSON", key);
    }
    base_buf_release(&bytes);
    return st;
}

fm_status ledger_reader_get(struct ledger_reader *reader, json_t **value, const char *key,
                            struct base_err *err)
{
    fm_status st = ledger_store_value(reader->store, value, key, err);

    if (st == FM_OK && *value == NULL)
        return base_err_set(err, FM_E_NOT_FOUND, "the state has no %s", key);
    return st;
}

struct listing {
    ledger_state_fn *fn;
    void *ctx;
};

static fm_status tell_state(void *ctx, const char *key, const void *bytes, size_t len,
                            struct base_err *err)
{
    struct listing *l = ctx;
    json_t *value;
    fm_status st = base_json_parse(&value, bytes, len, err);

    if (st != FM_OK)
        return base_err_set(err, FM_E_CORRUPT, "state %s: what is stored is not JSON", key);
    st = l->fn(l->ctx, key, value, err);
    json_decref(value);
    return st;
}

fm_status ledger_reader_list(struct ledger_reader *reader, const char *prefix, ledger_state_fn *fn,
                             void *ctx, struct base_err *err)
{
    struct ledger_state_source source = ledger_store_source(reader->store);
    struct listing l = {fn, ctx};

    return source.list(source.ctx, prefix, tell_state, &l, err);
}

/* The alias of a DID, from its document. */
static fm_status alias_of(struct ledger_reader *reader, char alias[DID_ALIAS_MAX + 1],
                          const char *name, struct base_err *err)
{
    char key[DID_FIRMIANA_TEXT + 8];
    const char *text;
    json_t *value;
    fm_status st;

    alias[0] = '\0';
    if (strncmp(name, "did:", 4) != 0) {
        if (did_alias_is_valid(name))
            (void)snprintf(alias, DID_ALIAS_MAX + 1, "%s", name);
        return FM_OK;
    }
    if (strlen(name) >= DID_FIRMIANA_TEXT)
        return FM_OK;
    (void)snprintf(key, sizeof key, "did/%s", name);
    st = ledger_store_value(reader->store, &value, key, err);
    if (st != FM_OK)
        return st;
    text = json_string_value(
        json_object_get(json_object_get(json_object_get(value, "document"), "firmiana"), "alias"));
    (void)snprintf(alias, DID_ALIAS_MAX + 1, "%s", text != NULL ? text : "");
    json_decref(value);
    return FM_OK;
}

static fm_status read_member(struct ledger_reader *reader, json_t **out, const char *name,
                             struct base_err *err)
{
    char alias[DID_ALIAS_MAX + 1], key[DID_FIRMIANA_TEXT + 16];
    const char *did;
    json_t *document;
    fm_status st = alias_of(reader, alias, name, err);

    *out = NULL;
    if (st != FM_OK)
        return st;
    (void)snprintf(key, sizeof key, "member/%s", alias);
    st = ledger_store_value(reader->store, out, key, err);
    if (st != FM_OK)
        return st;
    if (*out == NULL)
        return base_err_set(err, FM_E_NOT_FOUND, "there is no member %.100s", name);
    did = json_string_value(json_object_get(*out, "did"));
    (void)snprintf(key, sizeof key, "did/%.100s", did != NULL ? did : "");
    st = ledger_store_value(reader->store, &document, key, err);
    if (st == FM_OK &&
        (json_object_set_new(*out, "alias", json_string(alias)) != 0 ||
         json_object_set(*out, "document", json_object_get(document, "document")) != 0))
        st = base_err_set(err, FM_E_CORRUPT, "member %s has no document", alias);
    json_decref(document);
    if (st != FM_OK) {
        json_decref(*out);
        *out = NULL;
    }
    return st;
}

fm_status ledger_reader_member(struct ledger_reader *reader, json_t **out, const char *name,
                               struct base_err *err)
{
    fm_status st = enter(reader, err);

    if (st != FM_OK)
        return st;
    st = read_member(reader, out, name, err);
    leave(reader);
    return st;
}
