#include "ledger/machine/seal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"

/* One block's sealing. */
struct seal {
    struct ledger_tip next;
    const struct ledger_seal_sink *sink;
    struct ledger_log txs, results;
    fm_status st; /* of the sink's nodes: ledger_log_append() has no errors */
    struct base_err *err;
};

static void take_node(void *ctx, unsigned level, uint64_t index, const uint8_t hash32[32])
{
    struct seal *s = ctx;

    if (level > 0 && s->st == FM_OK)
        s->st = s->sink->node(s->sink->ctx, level, index, hash32, s->err);
}

static fm_status append(struct seal *s, struct ledger_seal_leaf *leaf)
{
    struct ledger_log_sink nodes = {take_node, s};
    uint8_t hash[32];
    fm_status st;

    leaf->leaf = s->next.log.size;
    leaf->height = s->next.height;
    base_hash(leaf->payload_hash, leaf->payload, leaf->len);
    st = s->sink->leaf(s->sink->ctx, leaf, s->err);
    if (st != FM_OK)
        return st;
    ledger_log_leaf_hash(hash, leaf->payload_hash);
    ledger_log_append(&s->next.log, hash, &nodes);
    return s->st;
}

static fm_status append_txs(struct seal *s, const struct ledger_block *block,
                            const struct ledger_outcome *outcomes)
{
    struct base_buf result = {0};
    uint8_t hash[32];
    size_t i;
    fm_status st = FM_OK;

    for (i = 0; st == FM_OK && i < block->count; i++) {
        struct ledger_seal_leaf leaf = {
            .payload = block->txs[i].p, .len = block->txs[i].len, .outcome = &outcomes[i]};

        if (outcomes[i].verdict == LEDGER_DROPPED)
            continue;
        assert(outcomes[i].leaf == s->next.log.size);
        base_buf_clear(&result);
        st = ledger_outcome_result(&result, &outcomes[i], s->err);
        if (st == FM_OK)
            st = base_buf_status(&result, "result", s->err);
        if (st != FM_OK)
            break;
        leaf.result = result.p;
        leaf.result_len = result.len;
        st = append(s, &leaf);
        ledger_log_leaf_hash(hash, leaf.payload_hash);
        ledger_log_append(&s->txs, hash, NULL);
        ledger_log_leaf_hash_of(hash, result.p, result.len);
        ledger_log_append(&s->results, hash, NULL);
    }
    base_buf_release(&result);
    return st;
}

static fm_status update_state(struct seal *s, const struct ledger_step *step,
                              const struct ledger_state_pages *pages)
{
    struct ledger_state_change *changes = calloc(step->n_updates + 1, sizeof *changes);
    size_t i;
    fm_status st;

    if (changes == NULL)
        return base_err_memory(s->err, "state changes");
    for (i = 0; i < step->n_updates; i++) {
        const struct ledger_update *u = &step->updates[i];

        ledger_state_path(changes[i].path, u->key);
        changes[i].removed = u->value == NULL;
        if (u->value != NULL)
            base_hash(changes[i].value_hash, u->value, u->len);
    }
    st = ledger_state_update(s->next.state_root, pages, changes, step->n_updates, s->err);
    free(changes);
    return st;
}

static fm_status append_block_leaf(struct seal *s)
{
    char prev[65], tx_root[65], result_root[65], state_root[65];
    struct ledger_seal_leaf leaf = {0};
    struct base_buf payload = {0};
    uint8_t root[32];
    json_t *json;
    fm_status st;

    base_hex(prev, s->next.prev, 32);
    base_hex(state_root, s->next.state_root, 32);
    ledger_log_root(root, &s->txs);
    base_hex(tx_root, root, 32);
    ledger_log_root(root, &s->results);
    base_hex(result_root, root, 32);
    json = json_pack("{s:s, s:I, s:I, s:s, s:s, s:s, s:s, s:I, s:I, s:I}", "kind", "block",
                     "height", (json_int_t)s->next.height, "time", (json_int_t)s->next.time_ms,
                     "prev", prev, "tx_root", tx_root, "result_root", result_root, "state_root",
                     state_root, "rules_version", (json_int_t)s->next.rules_version, "epoch",
                     (json_int_t)s->next.epoch, "txs", (json_int_t)s->txs.size);
    if (json == NULL)
        return base_err_memory(s->err, "block leaf");
    st = base_json_canonical(&payload, json, s->err);
    if (st == FM_OK)
        st = base_buf_status(&payload, "block leaf", s->err);
    if (st == FM_OK) {
        leaf.payload = payload.p;
        leaf.len = payload.len;
        st = append(s, &leaf);
    }
    memcpy(s->next.prev, leaf.payload_hash, sizeof s->next.prev);
    base_buf_release(&payload);
    json_decref(json);
    return st;
}

fm_status ledger_seal_block(struct ledger_tip *tip, const struct ledger_block *block,
                            const struct ledger_outcome *outcomes, const struct ledger_step *step,
                            const struct ledger_seal_sink *sink,
                            const struct ledger_state_pages *pages, struct base_err *err)
{
    struct seal s = {.next = *tip, .sink = sink, .err = err};
    fm_status st = FM_OK;

    s.next.height = block->height;
    s.next.time_ms = block->time_ms;
    if (step->admitted > 0) {
        s.next.epoch = step->epoch;
        s.next.rules_version = step->rules_version;
        st = append_txs(&s, block, outcomes);
        if (st == FM_OK)
            st = update_state(&s, step, pages);
        if (st == FM_OK)
            st = append_block_leaf(&s);
    }
    if (st == FM_OK)
        *tip = s.next;
    return st;
}

fm_status ledger_seal_genesis(struct ledger_tip *tip, int64_t time_ms,
                              const struct ledger_step *step, const struct ledger_seal_sink *sink,
                              const struct ledger_state_pages *pages, struct base_err *err)
{
    struct seal s = {.sink = sink, .err = err};
    fm_status st;

    s.next.time_ms = time_ms;
    s.next.rules_version = step->rules_version;
    st = update_state(&s, step, pages);
    if (st == FM_OK)
        st = append_block_leaf(&s);
    if (st == FM_OK)
        *tip = s.next;
    return st;
}
