/* Bundles that leave leaves out (format.md section 8, "Compact"). */
#include <stdlib.h>
#include <string.h>

#include "ledger/verify/verify_impl.h"

/* The roots of the subtrees take the place of their leaves, in the one way in which they can. */
fm_status ledger_verify_skip(struct ledger_verifier *v, struct base_err *err)
{
    const struct base_buf *hashes = &v->reader.hashes;
    uint64_t to = v->reader.to;
    size_t at = 0;

    v->out->check = "order";
    if (v->reader.leaf != v->log.size)
        return ledger_verify_fail(err, "leaf %llu is expected here",
                                  (unsigned long long)v->log.size);
    if (v->out->blocks == 0)
        return ledger_verify_fail(err, "the log begins with the genesis block");
    v->out->check = "skip";
    v->out->skipped += to - v->log.size;
    while (v->log.size < to && at < hashes->len) {
        ledger_log_append_node(&v->log, ledger_log_gap_level(v->log.size, to), hashes->p + at,
                               NULL);
        at += 32;
    }
    if (v->log.size != to || at != hashes->len)
        return ledger_verify_fail(err, "%zu hashes are not those of the leaves up to %llu",
                                  hashes->len / 32, (unsigned long long)to);
    v->out->size = v->log.size;
    v->after_block = false;
    return FM_OK;
}

fm_status ledger_verify_proven(struct ledger_verifier *v, struct base_err *err)
{
    struct ledger_open_block *b = &v->block;
    struct ledger_open_result *it;
    size_t n = v->reader.hashes.len / 32;
    fm_status st = ledger_verify_room((void **)&b->results_of, &b->cap_results_of, b->n_results_of,
                                      sizeof *it, err);

    v->out->check = "leaf";
    if (st == FM_OK && !v->reader.proven)
        return ledger_verify_fail(err, "in a compact bundle a transaction stands with its result's "
                                       "proof");
    if (st == FM_OK && n > LEDGER_LOG_PROOF_MAX)
        return ledger_verify_fail(err, "its result's proof has %zu hashes", n);
    if (st != FM_OK)
        return st;
    it = &b->results_of[b->n_results_of];
    it->leaf = v->reader.leaf;
    memcpy(it->hash, v->reader.result_hash, sizeof it->hash);
    it->proof = malloc(sizeof *it->proof);
    if (it->proof == NULL)
        return base_err_memory(err, "verifier");
    it->proof->n = (unsigned)n;
    if (n > 0)
        memcpy(it->proof->hash, v->reader.hashes.p, 32 * n);
    b->n_results_of++;
    return FM_OK;
}

fm_status ledger_verify_results(struct ledger_verifier *v, uint64_t txs, const uint8_t root32[32],
                                struct base_err *err)
{
    struct ledger_open_block *b = &v->block;
    fm_status st = FM_OK;

    v->out->check = "block";
    if (txs == 0 || txs > v->log.size - v->begin)
        return ledger_verify_fail(err, "it counts %llu transactions, there is room for %llu",
                                  (unsigned long long)txs,
                                  (unsigned long long)(v->log.size - v->begin));
    for (size_t i = 0; st == FM_OK && i < b->n_results_of; i++) {
        const struct ledger_open_result *it = &b->results_of[i];
        uint64_t first = v->log.size - txs;
        uint8_t leaf[32];
        v->out->check = "block";
        if (it->leaf < first)
            return ledger_verify_fail(err, "leaf %llu is of a block whose leaf is left out",
                                      (unsigned long long)it->leaf);
        v->out->check = "result_root";
        ledger_log_leaf_hash(leaf, it->hash);
        st = ledger_log_verify_inclusion(it->proof, leaf, it->leaf - first, txs, root32, err);
        if (st != FM_OK)
            (void)base_err_prefix(err, "leaf %llu", (unsigned long long)it->leaf);
    }
    return st;
}

void ledger_verify_results_clear(struct ledger_open_block *block)
{
    for (size_t i = 0; i < block->n_results_of; i++)
        free(block->results_of[i].proof);
    block->n_results_of = 0;
}

fm_status ledger_verify_shown(struct ledger_verifier *v, struct base_err *err)
{
    uint64_t members = ledger_members_count(v->out->members);

    v->out->check = "state";
    if (!v->out->compact ||
        (v->out->documents == members && v->out->standings == members && v->out->parameters))
        return FM_OK;
    return ledger_verify_fail(err,
                              "a compact bundle proves of every member its document and its "
                              "standing, and the parameters: %llu, %llu of %llu members, %s",
                              (unsigned long long)v->out->documents,
                              (unsigned long long)v->out->standings, (unsigned long long)members,
                              v->out->parameters ? "the parameters" : "no parameters");
}
