/* Readers: checkpoints, evidence and proofs. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "ledger/proof/state_proof.h"
#include "ledger/store/chain_impl.h"

/* ---- roots of the past ---- */

/* A perfect subtree; from its children where the store does not keep it, which is below
 * LEDGER_STORE_NODE_LEVEL: that is how deep this goes. */
static fm_status subtree(uint8_t out32[32], unsigned level, uint64_t index,
                         const struct ledger_log_source *source, struct base_err *err)
{
    uint8_t left[32], right[32];
    fm_status st = source->node(source->ctx, out32, level, index, err);

    if (st != FM_E_NOT_FOUND || level == 0)
        return st;
    st = subtree(left, level - 1, 2 * index, source, err);
    if (st == FM_OK)
        st = subtree(right, level - 1, 2 * index + 1, source, err);
    if (st == FM_OK)
        ledger_log_node_hash(out32, left, right);
    return st;
}

fm_status ledger_log_subtree(struct ledger_store *store, uint8_t out32[32], unsigned level,
                             uint64_t index, struct base_err *err)
{
    struct ledger_log_source source = ledger_store_log(store);

    return subtree(out32, level, index, &source, err);
}

fm_status ledger_log_root_at(struct ledger_store *store, uint8_t root32[32], uint64_t size,
                             struct base_err *err)
{
    struct ledger_log_source source = ledger_store_log(store);
    struct ledger_log log = {.size = size};
    uint64_t at = 0;
    unsigned level = 64;
    fm_status st = FM_OK;

    /* The frontier: from the highest digit down, the perfect subtrees from left to right. */
    while (st == FM_OK && level-- > 0) {
        if ((size >> level & 1) == 0)
            continue;
        st = subtree(log.node[level], level, at >> level, &source, err);
        at += (uint64_t)1 << level;
    }
    if (st == FM_OK)
        ledger_log_root(root32, &log);
    return st;
}

fm_status ledger_block_ending(struct ledger_store *store, struct ledger_store_block *out,
                              uint64_t size, struct base_err *err)
{
    struct ledger_store_leaf leaf;
    bool is_block;
    uint64_t height;
    fm_status st;

    if (size == 0)
        return base_err_set(err, FM_E_NOT_FOUND, "no block ends an empty log");
    st = ledger_store_get_leaf(store, &leaf, size - 1, err);
    if (st != FM_OK)
        return st;
    is_block = leaf.is_block;
    height = leaf.height;
    ledger_store_leaf_release(&leaf);
    if (!is_block)
        return base_err_set(err, FM_E_NOT_FOUND, "no block ends at %llu leaves",
                            (unsigned long long)size);
    return ledger_store_get_block(store, out, height, err);
}

/* The epoch that a block leaf says. */
static fm_status epoch_of(uint64_t *epoch, struct ledger_store_leaf *leaf, struct base_err *err)
{
    json_t *json;
    int64_t v;
    fm_status st = base_json_parse(&json, (const char *)leaf->payload.p, leaf->payload.len, err);

    *epoch = 0;
    if (st == FM_OK)
        st = base_json_get_int(&v, json, "epoch", err);
    if (st == FM_OK && v >= 0)
        *epoch = (uint64_t)v;
    else if (st != FM_E_MEMORY)
        st = base_err_set(err, FM_E_CORRUPT, "leaf %llu is not what a block leaf is",
                          (unsigned long long)leaf->leaf);
    json_decref(json);
    return st;
}

fm_status ledger_log_at(void *ctx, bool *ends, struct ledger_epoch_head *out, uint64_t size,
                        struct base_err *err)
{
    struct ledger_store *store = ctx;
    struct ledger_store_leaf leaf = {0};
    fm_status st = FM_E_NOT_FOUND;

    *ends = false;
    if (size == 0) {
        struct ledger_store_tip tip;
        st = ledger_store_get_tip(store, &tip, err);
        if (st != FM_OK)
            return st;
        size = tip.tip.log.size;
        st = FM_E_NOT_FOUND;
    }
    *out = (struct ledger_epoch_head){.size = size};
    if (size > 0)
        st = ledger_store_get_leaf(store, &leaf, size - 1, err);
    if (st == FM_OK && leaf.is_block) {
        st = epoch_of(&out->epoch, &leaf, err);
        if (st == FM_OK)
            st = ledger_log_root_at(store, out->root, size, err);
        *ends = st == FM_OK;
    }
    ledger_store_leaf_release(&leaf);
    return st == FM_E_NOT_FOUND ? FM_OK : st;
}

/* ---- checkpoints ---- */

static fm_status add_line(void *ctx, const char *alias, const char *line, struct base_err *err)
{
    struct ledger_checkpoint *cp = ctx;
    struct ledger_checkpoint *one;
    fm_status st;

    (void)alias;
    if (cp->n == LEDGER_COSIGNERS_MAX)
        return FM_OK;
    one = malloc(sizeof *one);
    if (one == NULL)
        return base_err_memory(err, "checkpoint");
    st = ledger_checkpoint_parse(one, line, strlen(line), err);
    if (st == FM_OK && one->n == 1 && ledger_checkpoint_same(cp, one))
        cp->cosigner[cp->n++] = one->cosigner[0];
    else if (st == FM_OK || st == FM_E_INPUT)
        st = base_err_set(err, FM_E_CORRUPT, "a stored cosignature is not one of its checkpoint");
    free(one);
    return st;
}

fm_status ledger_checkpoint_text(struct ledger_store *store, struct base_buf *text, uint64_t size,
                                 struct base_err *err)
{
    struct ledger_checkpoint *cp = calloc(1, sizeof *cp);
    struct ledger_epoch_head head;
    bool ends;
    fm_status st;

    if (cp == NULL)
        return base_err_memory(err, "checkpoint");
    st = ledger_log_at(store, &ends, &head, size, err);
    if (st == FM_OK && !ends)
        st = base_err_set(err, FM_E_NOT_FOUND, "no block ends at %llu leaves",
                          (unsigned long long)size);
    memcpy(cp->chain, ledger_store_chain(store), sizeof cp->chain);
    memcpy(cp->root, head.root, sizeof cp->root);
    cp->size = size;
    cp->epoch = head.epoch;
    if (st == FM_OK)
        st = ledger_store_each_cosignature(store, size, add_line, cp, err);
    if (st == FM_OK)
        st = ledger_checkpoint_encode(text, cp, err);
    if (st == FM_OK)
        st = base_buf_status(text, "checkpoint", err);
    free(cp);
    return st;
}

/* A snapshot for one call, unless the caller holds one. */
static fm_status enter(struct ledger_reader *reader, struct base_err *err)
{
    return reader->in_snapshot ? FM_OK : ledger_store_begin_read(reader->store, err);
}

static void leave(struct ledger_reader *reader)
{
    if (!reader->in_snapshot)
        ledger_store_rollback(reader->store);
}

static fm_status read_final(struct ledger_reader *reader, uint64_t *size, uint64_t *height,
                            struct base_buf *text, struct base_err *err)
{
    struct ledger_store_block block;
    struct ledger_store_tip tip;
    fm_status st = ledger_store_get_tip(reader->store, &tip, err);

    if (st == FM_OK && tip.final_size == 0)
        st = base_err_set(err, FM_E_NOT_FOUND, "nothing is final yet");
    if (st == FM_OK)
        st = ledger_block_ending(reader->store, &block, tip.final_size, err);
    if (st == FM_OK && text != NULL)
        st = ledger_checkpoint_text(reader->store, text, tip.final_size, err);
    if (st == FM_OK) {
        *size = tip.final_size;
        *height = block.height;
    }
    return st;
}

fm_status ledger_reader_final(struct ledger_reader *reader, uint64_t *size, uint64_t *height,
                              struct base_buf *text, struct base_err *err)
{
    fm_status st = enter(reader, err);

    if (st != FM_OK)
        return st;
    st = read_final(reader, size, height, text, err);
    leave(reader);
    return st;
}

fm_status ledger_reader_checkpoint(struct ledger_reader *reader, struct base_buf *text,
                                   uint64_t size, struct base_err *err)
{
    struct ledger_store_block block;
    fm_status st = enter(reader, err);

    if (st != FM_OK)
        return st;
    st = ledger_block_ending(reader->store, &block, size, err);
    if (st == FM_OK)
        st = ledger_checkpoint_text(reader->store, text, size, err);
    leave(reader);
    return st;
}

fm_status ledger_reader_state_at(struct ledger_reader *reader, bool *ends,
                                 struct ledger_epoch_head *out, uint64_t size, struct base_err *err)
{
    fm_status st = enter(reader, err);

    *ends = false;
    if (st != FM_OK)
        return st;
    st = ledger_log_at(reader->store, ends, out, size, err);
    leave(reader);
    return st;
}

fm_status ledger_reader_evidence(struct ledger_reader *reader, ledger_evidence_fn *fn, void *ctx,
                                 struct base_err *err)
{
    return ledger_store_each_evidence(reader->store, fn, ctx, err);
}

/* ---- proofs ---- */

static fm_status check_size(struct ledger_reader *reader, uint64_t size, struct base_err *err)
{
    struct ledger_store_tip tip;
    fm_status st = ledger_store_get_tip(reader->store, &tip, err);

    if (st == FM_OK && size > tip.tip.log.size)
        st = base_err_set(err, FM_E_NOT_FOUND, "the log has %llu leaves, not %llu",
                          (unsigned long long)tip.tip.log.size, (unsigned long long)size);
    return st;
}

fm_status ledger_reader_node(struct ledger_reader *reader, uint8_t out32[32], unsigned level,
                             uint64_t index, struct base_err *err)
{
    struct ledger_log_source source = ledger_store_log(reader->store);
    fm_status st = enter(reader, err);

    if (st != FM_OK)
        return st;
    st = subtree(out32, level, index, &source, err);
    leave(reader);
    return st;
}

fm_status ledger_reader_payload_hash(struct ledger_reader *reader, uint8_t out32[32], uint64_t leaf,
                                     struct base_err *err)
{
    fm_status st = enter(reader, err);

    if (st != FM_OK)
        return st;
    st = ledger_store_payload_hash(reader->store, out32, leaf, err);
    leave(reader);
    return st;
}

fm_status ledger_reader_inclusion(struct ledger_reader *reader, struct ledger_log_proof *proof,
                                  uint64_t leaf, uint64_t size, struct base_err *err)
{
    struct ledger_log_source source = ledger_store_log(reader->store);
    fm_status st = enter(reader, err);

    if (st != FM_OK)
        return st;
    st = check_size(reader, size, err);
    if (st == FM_OK)
        st = ledger_log_prove_inclusion(proof, leaf, size, &source, err);
    leave(reader);
    return st;
}

fm_status ledger_reader_consistency(struct ledger_reader *reader, struct ledger_log_proof *proof,
                                    uint64_t old_size, uint64_t new_size, struct base_err *err)
{
    struct ledger_log_source source = ledger_store_log(reader->store);
    fm_status st = enter(reader, err);

    if (st != FM_OK)
        return st;
    st = check_size(reader, new_size, err);
    if (st == FM_OK)
        st = ledger_log_prove_consistency(proof, old_size, new_size, &source, err);
    leave(reader);
    return st;
}

fm_status ledger_reader_state_proof(struct ledger_reader *reader, json_t **proof, const char *key,
                                    struct base_err *err)
{
    struct ledger_state_pages pages = ledger_store_pages(reader->store);
    struct ledger_state_proof *found = malloc(sizeof *found);
    uint8_t path[32];
    fm_status st;

    *proof = NULL;
    if (found == NULL)
        return base_err_memory(err, "state proof");
    st = enter(reader, err);
    if (st == FM_OK) {
        ledger_state_path(path, key);
        st = ledger_state_prove(found, path, &pages, err);
        leave(reader);
    }
    if (st == FM_OK) {
        *proof = ledger_state_proof_json(found, path);
        if (*proof == NULL)
            st = base_err_memory(err, "state proof");
    }
    free(found);
    return st;
}
