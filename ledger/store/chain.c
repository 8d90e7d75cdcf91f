#include "ledger/store/chain.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/json.h"
#include "ledger/proof/profile.h"
#include "ledger/store/chain_impl.h"
#include "ledger/store/store_impl.h"

void ledger_head_fill(struct ledger_head *head, const struct ledger_tip *tip)
{
    head->height = tip->height;
    head->time_ms = tip->time_ms;
    head->log_size = tip->log.size;
    ledger_log_root(head->app_hash, &tip->log);
    memcpy(head->state_root, tip->state_root, sizeof head->state_root);
    head->epoch = tip->epoch;
    head->rules_version = tip->rules_version;
}

/* Everything but the store, whose chain id is known by now. */
static fm_status make(struct ledger_chain **out, struct ledger_store *store,
                      const uint8_t chain_id[32], struct base_err *err)
{
    struct ledger_chain *chain = calloc(1, sizeof *chain);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    fm_status st;

    *out = NULL;
    if (chain == NULL)
        return base_err_memory(err, "ledger");
    chain->source = ledger_store_source(store);
    chain->source.log_at = ledger_log_at;
    st = ledger_machine_new(&chain->machine, &chain->source, chain_id, err);
    if (st != FM_OK) {
        free(chain);
        return st;
    }
    ledger_machine_set_threads(chain->machine, cores > 1 ? (unsigned)cores : 1);
    chain->store = store;
    *out = chain;
    return FM_OK;
}

void ledger_chain_close(struct ledger_chain *chain)
{
    if (chain == NULL)
        return;
    ledger_chain_discard(chain);
    ledger_reader_close(chain->reader);
    ledger_machine_free(chain->machine);
    ledger_store_close(chain->store);
    free(chain);
}

/* ---- creating ---- */

/* Block 0, in a write transaction that is open. */
static fm_status execute_genesis(struct ledger_chain *chain, const json_t *genesis,
                                 struct base_err *err)
{
    struct ledger_seal_sink sink = ledger_store_sink(chain->store);
    struct ledger_state_pages pages = ledger_store_pages(chain->store);
    struct ledger_store_block block = {0};
    struct ledger_step step = {0};
    fm_status st = ledger_machine_genesis(chain->machine, &step, genesis, err);

    if (st != FM_OK)
        return st;
    block.time_ms = json_integer_value(json_object_get(genesis, "time"));
    st = ledger_store_put_block(chain->store, &block, err);
    if (st == FM_OK)
        st = ledger_store_put_updates(chain->store, step.updates, step.n_updates, err);
    if (st == FM_OK)
        st = ledger_seal_genesis(&chain->tip, block.time_ms, &step, &sink, &pages, err);
    if (st == FM_OK)
        st = ledger_store_put_tip(chain->store, &chain->tip, err);
    if (st == FM_OK)
        ledger_machine_applied(chain->machine, &step);
    ledger_step_release(&step);
    return st;
}

static fm_status fill_new(struct ledger_chain *chain, const uint8_t chain_id[32],
                          const void *genesis, size_t len, const json_t *json, struct base_err *err)
{
    fm_status st = ledger_store_begin_write(chain->store, err);

    if (st != FM_OK)
        return st;
    st = ledger_store_put_genesis(chain->store, chain_id, genesis, len, err);
    if (st == FM_OK)
        st = execute_genesis(chain, json, err);
    if (st == FM_OK)
        return ledger_store_commit(chain->store, err);
    ledger_store_rollback(chain->store);
    return st;
}

/* The whole of it under another name. */
static fm_status create_at(const char *fresh, const char *path, const void *genesis, size_t len,
                           const json_t *json, struct base_err *err)
{
    struct ledger_chain *chain = NULL;
    struct ledger_store *store = NULL;
    uint8_t chain_id[32];
    fm_status st = ledger_store_open(&store, fresh, LEDGER_STORE_CREATE, err);

    if (st != FM_OK)
        return st;
    st = ledger_genesis_chain(chain_id, genesis, len, err);
    if (st == FM_OK)
        st = make(&chain, store, chain_id, err);
    if (st == FM_OK)
        st = fill_new(chain, chain_id, genesis, len, json, err);
    if (chain != NULL) {
        chain->store = NULL;
        ledger_chain_close(chain);
    }
    if (st == FM_OK)
        return ledger_store_place(store, path, err);
    ledger_store_abandon(store);
    return st;
}

fm_status ledger_chain_create(struct ledger_chain **out, const char *path, const void *genesis,
                              size_t len, struct base_err *err)
{
    struct base_buf fresh = {0};
    json_t *json = NULL;
    fm_status st = base_json_parse_canonical(&json, genesis, len, err);

    *out = NULL;
    if (st != FM_OK)
        return base_err_prefix(err, "genesis");
    base_buf_put_str(&fresh, path);
    base_buf_put_str(&fresh, ".new");
    st = base_buf_status(&fresh, "ledger", err);
    if (st == FM_OK && access(path, F_OK) == 0)
        st = base_err_set(err, FM_E_CONFLICT, "%s: exists already: name a new file", path);
    if (st == FM_OK)
        st = create_at(base_buf_cstr(&fresh), path, genesis, len, json, err);
    if (st == FM_OK)
        st = ledger_chain_open(out, path, err);
    base_buf_release(&fresh);
    json_decref(json);
    return st;
}

/* ---- opening ---- */

/* That the genesis is the one whose hash the chain id is, and that log, state tree and newest block
 * leaf agree with what the tip says. Cheap: it does not read everything. */
static fm_status check_roots(struct ledger_chain *chain, struct base_err *err)
{
    struct ledger_state_pages pages = ledger_store_pages(chain->store);
    struct ledger_store_leaf leaf = {0};
    struct base_buf genesis = {0};
    uint8_t hash[32];
    fm_status st = ledger_store_get_genesis(chain->store, &genesis, err);

    if (st != FM_OK)
        goto done;
    st = ledger_genesis_chain(hash, genesis.p, genesis.len, err);
    if (st != FM_OK && st != FM_E_INPUT)
        goto done;
    if (st != FM_OK || memcmp(hash, ledger_store_chain(chain->store), sizeof hash) != 0) {
        st = ledger_store_corrupt(chain->store, "its genesis is not the one it began with", err);
        goto done;
    }
    st = ledger_state_root(hash, &pages, err);
    if (st == FM_OK && memcmp(hash, chain->tip.state_root, sizeof hash) != 0)
        st = ledger_store_corrupt(chain->store,
                                  "its state tree does not have the root that its log says", err);
    if (st == FM_OK)
        st = ledger_store_get_leaf(chain->store, &leaf, chain->tip.log.size - 1, err);
    if (st == FM_E_NOT_FOUND ||
        (st == FM_OK && (!leaf.is_block || memcmp(leaf.payload_hash, chain->tip.prev, 32) != 0)))
        st = ledger_store_corrupt(chain->store, "its log does not end with its newest block", err);
    if (st == FM_OK)
        st = ledger_log_root_at(chain->store, hash, chain->tip.log.size, err);
    if (st == FM_OK && memcmp(hash, chain->head.app_hash, sizeof hash) != 0)
        st = ledger_store_corrupt(chain->store, "its log does not have the root that it says", err);
done:
    ledger_store_leaf_release(&leaf);
    base_buf_release(&genesis);
    return st;
}

fm_status ledger_chain_open(struct ledger_chain **out, const char *path, struct base_err *err)
{
    struct ledger_store_tip tip;
    struct ledger_chain *chain;
    struct ledger_store *store;
    fm_status st = ledger_store_open(&store, path, LEDGER_STORE_WRITE, err);

    *out = NULL;
    if (st != FM_OK)
        return st;
    st = make(&chain, store, ledger_store_chain(store), err);
    if (st != FM_OK) {
        ledger_store_close(store);
        return st;
    }
    st = ledger_store_get_tip(store, &tip, err);
    if (st == FM_OK) {
        chain->tip = tip.tip;
        chain->final_size = tip.final_size;
        ledger_head_fill(&chain->head, &chain->tip);
        if (chain->tip.rules_version < 1 || chain->tip.rules_version > LEDGER_RULES_VERSION)
            st = base_err_set(err, FM_E_UNSUPPORTED,
                              "%s: it follows rules version %llu, this program has %d: install a "
                              "newer one",
                              path, (unsigned long long)chain->tip.rules_version,
                              LEDGER_RULES_VERSION);
    }
    if (st == FM_OK)
        st = check_roots(chain, err);
    if (st == FM_OK)
        st = ledger_reader_make(&chain->reader, path, err);
    if (st != FM_OK) {
        ledger_chain_close(chain);
        return st;
    }
    *out = chain;
    return FM_OK;
}

/* ---- what is there ---- */

struct ledger_reader *ledger_chain_reader(struct ledger_chain *chain)
{
    return chain->reader;
}

const struct ledger_head *ledger_chain_head(const struct ledger_chain *chain)
{
    return &chain->head;
}

void ledger_chain_set_recent(struct ledger_chain *chain, size_t leaves)
{
    ledger_store_set_recent(chain->store, leaves);
}

void ledger_chain_set_sweep(struct ledger_chain *chain, unsigned depth, size_t changes)
{
    ledger_store_set_sweep(chain->store, depth, changes);
}

const uint8_t *ledger_chain_id(const struct ledger_chain *chain)
{
    return ledger_store_chain(chain->store);
}

/* ---- blocks ---- */

static int64_t after_head(const struct ledger_chain *chain, int64_t time_ms)
{
    return time_ms > chain->tip.time_ms ? time_ms : chain->tip.time_ms + 1;
}

fm_status ledger_chain_check(struct ledger_chain *chain, struct ledger_outcome *out, const void *tx,
                             size_t len, int64_t now_ms, struct base_err *err)
{
    struct ledger_bytes bytes = {tx, len};

    return ledger_machine_try(chain->machine, out, &bytes, chain->tip.height + 1,
                              after_head(chain, now_ms), err);
}

fm_status ledger_chain_propose(struct ledger_chain *chain, enum ledger_select_by by, size_t *chosen,
                               size_t *n_chosen, size_t *n_seen,
                               const struct ledger_bytes *candidates, size_t count, int64_t time_ms,
                               struct base_err *err)
{
    return ledger_machine_select(chain->machine, by, chosen, n_chosen, n_seen, candidates, count,
                                 chain->tip.height + 1, after_head(chain, time_ms), err);
}

fm_status ledger_chain_run(struct ledger_chain *chain, struct ledger_tip *tip,
                           struct ledger_step *step, struct ledger_outcome *outcomes,
                           const struct ledger_block *block, struct base_err *err)
{
    struct ledger_seal_sink sink = ledger_store_sink(chain->store);
    struct ledger_state_pages pages = ledger_store_pages(chain->store);
    struct ledger_store_block row = {block->height, block->time_ms, tip->log.size, 0};
    fm_status st = ledger_machine_step(chain->machine, step, outcomes, block, tip->log.size, err);

    if (st != FM_OK)
        return st;
    row.txs = step->admitted;
    st = ledger_store_put_block(chain->store, &row, err);
    if (st == FM_OK)
        st =
            ledger_store_put_undo(chain->store, block->height, step->updates, step->n_updates, err);
    if (st == FM_OK && block->height > LEDGER_UNDO_MAX)
        st = ledger_store_drop_undo(chain->store, block->height - LEDGER_UNDO_MAX, err);
    if (st == FM_OK)
        st = ledger_store_put_updates(chain->store, step->updates, step->n_updates, err);
    if (st == FM_OK)
        st = ledger_seal_block(tip, block, outcomes, step, &sink, &pages, err);
    if (st == FM_OK)
        st = ledger_store_merge_due_ids(chain->store, err);
    if (st == FM_OK)
        st = ledger_store_put_tip(chain->store, tip, err);
    return st;
}

/* In a write transaction of its own, which stays open if it went well. */
static fm_status stage(struct ledger_chain *chain, struct ledger_outcome *outcomes,
                       const struct ledger_block *block, struct base_err *err)
{
    fm_status st = ledger_store_begin_write(chain->store, err);

    if (st != FM_OK)
        return st;
    chain->staged_tip = chain->tip;
    st = ledger_chain_run(chain, &chain->staged_tip, &chain->staged_step, outcomes, block, err);
    if (st != FM_OK) {
        ledger_store_rollback(chain->store);
        ledger_step_release(&chain->staged_step);
        return st;
    }
    chain->staged = true;
    return FM_OK;
}

fm_status ledger_chain_stage(struct ledger_chain *chain, struct ledger_head *after,
                             struct ledger_outcome *outcomes, const struct ledger_block *block,
                             struct base_err *err)
{
    struct ledger_outcome *own = NULL;
    fm_status st;

    assert(!chain->staged);
    st = ledger_machine_follows(chain->machine, chain->tip.height, chain->tip.time_ms, block, err);
    if (st != FM_OK)
        return st;
    if (outcomes == NULL) {
        own = calloc(block->count + 1, sizeof *own);
        if (own == NULL)
            return base_err_memory(err, "block");
        outcomes = own;
    }
    st = stage(chain, outcomes, block, err);
    if (st == FM_OK)
        ledger_head_fill(after, &chain->staged_tip);
    free(own);
    return st;
}

fm_status ledger_chain_commit(struct ledger_chain *chain, struct base_err *err)
{
    fm_status st;

    assert(chain->staged);
    chain->staged = false;
    st = ledger_store_commit(chain->store, err);
    if (st == FM_OK) {
        ledger_machine_applied(chain->machine, &chain->staged_step);
        chain->tip = chain->staged_tip;
        ledger_head_fill(&chain->head, &chain->tip);
    }
    ledger_step_release(&chain->staged_step);
    return st;
}

void ledger_chain_discard(struct ledger_chain *chain)
{
    if (!chain->staged)
        return;
    chain->staged = false;
    ledger_store_rollback(chain->store);
    ledger_step_release(&chain->staged_step);
}

const json_t *ledger_chain_staged(const struct ledger_chain *chain)
{
    return chain->staged ? chain->staged_step.values : NULL;
}

fm_status ledger_chain_execute(struct ledger_chain *chain, struct ledger_outcome *outcomes,
                               const struct ledger_block *block, struct base_err *err)
{
    struct ledger_head after;
    fm_status st = ledger_chain_stage(chain, &after, outcomes, block, err);

    return st == FM_OK ? ledger_chain_commit(chain, err) : st;
}

fm_status ledger_chain_erase(struct ledger_chain *chain, uint64_t leaf, struct base_err *err)
{
    struct ledger_store_leaf row;
    bool is_block, erased;
    fm_status st = ledger_store_get_leaf(chain->store, &row, leaf, err);

    if (st != FM_OK)
        return st;
    is_block = row.is_block;
    erased = row.erased;
    ledger_store_leaf_release(&row);
    if (is_block)
        return base_err_set(err, FM_E_ARG,
                            "leaf %llu ends a block: only transactions can be erased",
                            (unsigned long long)leaf);
    return erased ? FM_OK : ledger_store_erase(chain->store, leaf, err);
}
