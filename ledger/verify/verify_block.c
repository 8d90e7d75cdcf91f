#include <string.h>

#include "base/json.h"
#include "ledger/proof/shape.h"
#include "ledger/verify/verify_impl.h"

static const struct ledger_member block_shape[] = {
    {"kind", LEDGER_IS_NAME, false},       {"height", LEDGER_IS_NUMBER, false},
    {"time", LEDGER_IS_NUMBER, false},     {"prev", LEDGER_IS_HASH, false},
    {"tx_root", LEDGER_IS_HASH, false},    {"result_root", LEDGER_IS_HASH, false},
    {"state_root", LEDGER_IS_HASH, false}, {"rules_version", LEDGER_IS_COUNT, false},
    {"epoch", LEDGER_IS_NUMBER, false},    {"txs", LEDGER_IS_NUMBER, false},
    {NULL, LEDGER_IS_OBJECT, false},
};

static int64_t number(const json_t *block, const char *name)
{
    return json_integer_value(json_object_get(block, name));
}

/* Genesis is block 0: no transactions, its own time. After it: at least one transaction, height and
 * time rise (by more than one where empty blocks lie between). */
static fm_status check_place(struct ledger_verifier *v, const json_t *block, struct base_err *err)
{
    uint64_t txs = v->block.txs.size;
    int64_t height = number(block, "height"), time = number(block, "time");
    uint32_t rules = v->terms->rules_version;

    if (strcmp(json_string_value(json_object_get(block, "kind")), "block") != 0)
        return ledger_verify_fail(err, "no leaf of that kind is known");
    if (v->out->compact && v->out->blocks > 0)
        txs = (uint64_t)number(block, "txs"); /* ledger_verify_results() */
    if ((uint64_t)number(block, "txs") != txs)
        return ledger_verify_fail(err, "it counts %lld transactions, %llu stand before it",
                                  (long long)number(block, "txs"), (unsigned long long)txs);
    if (number(block, "rules_version") != rules)
        return ledger_verify_fail(err,
                                  "rules version %lld, where what was voted leads to version %u",
                                  (long long)number(block, "rules_version"), rules);
    if (v->block.least_rules > rules)
        return ledger_verify_fail(err, "leaf %llu is of a kind that rules version %u does not have",
                                  (unsigned long long)v->block.rules_leaf, rules);
    if (number(block, "epoch") != v->epoch)
        return ledger_verify_fail(err, "the epoch changed without a transaction that does it");
    if (v->out->blocks == 0 && (height != 0 || txs != 0 || time != v->terms->time))
        return ledger_verify_fail(err, "the log begins with the genesis block, at its time");
    if (v->out->blocks > 0 &&
        (txs == 0 || (uint64_t)height <= v->out->height || time <= v->out->time_ms))
        return ledger_verify_fail(err, "height and time must rise, and empty blocks leave no leaf");
    return FM_OK;
}

static fm_status check_hash(struct ledger_verifier *v, const json_t *block, const char *name,
                            const uint8_t want32[32], struct base_err *err)
{
    uint8_t stated[32];
    fm_status st = base_json_get_hex(stated, 32, block, name, err);

    v->out->check = name;
    if (st == FM_OK && memcmp(stated, want32, 32) != 0)
        st = ledger_verify_fail(err, "it is not the hash of what stands before");
    return st;
}

/* not_after of every disclosed transaction: time <= not_after <= time + not_after_ms. */
static fm_status check_times(struct ledger_verifier *v, int64_t time, struct base_err *err)
{
    const struct ledger_open_block *b = &v->block;

    v->out->check = "time";
    if (b->min_not_after < time)
        return ledger_verify_fail(err, "leaf %llu had expired when this block was made",
                                  (unsigned long long)b->min_leaf);
    if (b->max_not_after != INT64_MIN && b->max_not_after - time > v->terms->not_after_ms)
        return ledger_verify_fail(err, "leaf %llu is valid further ahead than the ledger allows",
                                  (unsigned long long)b->max_leaf);
    return FM_OK;
}

/* Of what a compact bundle leaves out it has no hashes. Behind the genesis block, which is there.
 */
static fm_status check_compact(struct ledger_verifier *v, const json_t *block, struct base_err *err)
{
    uint64_t txs = (uint64_t)number(block, "txs");
    uint8_t root[32];
    fm_status st = base_json_get_hex(root, 32, block, "result_root", err);

    if (st == FM_OK)
        st = ledger_verify_results(v, txs, root, err);
    if (st == FM_OK && v->log.size - txs == v->begin)
        st = check_hash(v, block, "prev", v->prev, err);
    return st;
}

static fm_status check_roots(struct ledger_verifier *v, const json_t *block, struct base_err *err)
{
    uint8_t root[32];
    fm_status st;

    if (v->out->compact && v->out->blocks > 0)
        return check_compact(v, block, err);
    st = check_hash(v, block, "prev", v->prev, err);

    ledger_log_root(root, &v->block.txs);
    if (st == FM_OK)
        st = check_hash(v, block, "tx_root", root, err);
    ledger_log_root(root, &v->block.results);
    if (st == FM_OK)
        st = check_hash(v, block, "result_root", root, err);
    return st;
}

static void close_block(struct ledger_verifier *v, uint64_t height, int64_t time)
{
    struct ledger_open_block *b = &v->block;

    for (size_t i = b->first_query; i < v->out->n_queries; i++) {
        v->out->queries[i].height = height;
        v->out->queries[i].opened_ms = time;
    }
    for (size_t i = 0; i < b->n_closed; i++)
        v->out->queries[b->closed[i]].closed_ms = time;
    if (v->deposit != NULL && v->deposit->depositor[0] != '\0' && v->deposit->time_ms == 0) {
        v->deposit->height = height;
        v->deposit->time_ms = time;
    }
    for (size_t i = v->out->n_misbehaviors; i > 0 && v->out->misbehaviors[i - 1].recorded_ms == 0;
         i--) {
        v->out->misbehaviors[i - 1].recorded = height;
        v->out->misbehaviors[i - 1].recorded_ms = time;
    }
    ledger_verify_results_clear(b);
    for (size_t i = 0; i < b->n_lists; i++) {
        v->out->lists[b->lists[i]].height = height;
        v->out->lists[b->lists[i]].time_ms = time;
    }
    b->n_lists = 0;
    ledger_verify_keys_close(v, time);
    b->vouched = 0;
    b->first_query = v->out->n_queries;
    b->n_closed = 0;
    b->bytes = 0;
    b->least_rules = 0;
    b->txs.size = b->results.size = 0;
    b->min_not_after = INT64_MAX;
    b->max_not_after = INT64_MIN;
}

fm_status ledger_verify_block(struct ledger_verifier *v, struct base_err *err)
{
    const json_t *block = v->reader.payload;
    fm_status st;

    v->out->check = "leaf";
    if (v->reader.result != NULL)
        return ledger_verify_fail(err, "a block leaf has no result");
    v->out->check = "block";
    st = ledger_shape_check(block, block_shape, err);
    if (st == FM_OK)
        st = ledger_verify_misbehavior_heights(v, (uint64_t)number(block, "height"), err);
    if (st == FM_OK)
        st = check_place(v, block, err);
    if (st == FM_OK)
        st = check_times(v, number(block, "time"), err);
    if (st == FM_OK)
        st = check_roots(v, block, err);
    if (st == FM_OK)
        st = base_json_get_hex(v->out->state_root, 32, block, "state_root", err);
    if (st != FM_OK)
        return st;
    memcpy(v->prev, v->reader.payload_hash, 32);
    v->out->height = (uint64_t)number(block, "height");
    v->out->time_ms = number(block, "time");
    v->out->blocks++;
    v->after_block = true;
    v->begin = v->log.size + 1; /* this leaf is appended next */
    close_block(v, v->out->height, v->out->time_ms);
    v->rules = v->terms->rules_version;
    v->out->check = "identity";
    return ledger_members_end_block(v->out->members, v->out->height, v->out->time_ms, err);
}
