/* Catching up from anybody, without believing anybody: a quorum signed a state beyond our head, and
 * blocks are executed only if they are known to lead to it.
 *
 * Why it suffices. The last block's leaf is in the signed log (inclusion proof). A block leaf holds
 * the hash of the one before it (`prev`), the root over its own transactions (`tx_root`), its
 * height and time (format.md section 5). So all leaves of the answer are the signed log's, and each
 * block's transactions, in their order, are those of its leaf. A transaction's leaf cannot pass for
 * a block leaf: it has no `kind`. An empty block has no leaf; the next leaf's height says that it
 * was there. What execution makes of the blocks (`result_root`, `state_root`) is then compared by
 * the root of the whole, as always. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "ledger/engine/engine_own.h"
#include "ledger/proof/log.h"

/* ---- giving ---- */

static void drop_last(struct ledger_message *message)
{
    base_buf_release(&message->blocks[--message->n_blocks]);
}

/* Only a leaf can be proven: empty blocks at the end come with the next answer. Where all are empty
 * nothing is. */
static void end_with_leaf(struct ledger_message *message)
{
    size_t n = message->n_leaves;

    while (n > 0 && message->leaves[n - 1].len == 0)
        n--;
    if (n < message->n_leaves)
        message->index--; /* an empty block's is that of the leaf to come */
    message->n_leaves = n;
    while (n > 0 && message->n_blocks > n)
        drop_last(message);
}

static fm_status add_leaves(struct ledger_engine *engine, struct ledger_message *message,
                            uint64_t first, struct base_err *err)
{
    fm_status st = FM_OK;

    message->leaves = calloc(message->n_blocks, sizeof *message->leaves);
    if (message->leaves == NULL)
        return base_err_memory(err, "blocks for a peer");
    for (; st == FM_OK && message->n_leaves < message->n_blocks; message->n_leaves++)
        st = ledger_reader_block_leaf(ledger_chain_reader(engine->chain),
                                      &message->leaves[message->n_leaves], &message->index,
                                      first + message->n_leaves, err);
    if (st == FM_OK)
        end_with_leaf(message);
    return st;
}

fm_status engine_proof_add(struct ledger_engine *engine, struct ledger_message *message,
                           uint64_t first, uint64_t size, struct base_err *err)
{
    struct ledger_reader *reader = ledger_chain_reader(engine->chain);
    uint64_t last = 0;
    fm_status st = size <= engine_head(engine)->log_size
                       ? ledger_reader_block_at(reader, &last, size, err)
                       : FM_E_NOT_FOUND;

    if (st == FM_E_NOT_FOUND || (st == FM_OK && first > last))
        return FM_OK;
    while (message->n_blocks > 0 && first + message->n_blocks - 1 > last)
        drop_last(message);
    if (st == FM_OK && message->n_blocks > 0)
        st = add_leaves(engine, message, first, err);
    message->size = size;
    if (st == FM_OK && message->n_leaves > 0)
        st = ledger_reader_inclusion(reader, &message->proof, message->index, size, err);
    return st;
}

/* ---- taking ---- */

static fm_status wrong(struct base_err *err, const struct ledger_block *block, const char *what)
{
    return base_err_set(err, FM_E_INVALID, "block %llu is not of the log that a quorum signed: %s",
                        (unsigned long long)block->height, what);
}

static void tx_root_of(uint8_t out32[32], const struct ledger_block *block)
{
    struct ledger_log log = {0};
    uint8_t hash[32];

    for (size_t i = 0; i < block->count; i++) {
        ledger_log_leaf_hash_of(hash, block->txs[i].p, block->txs[i].len);
        ledger_log_append(&log, hash, NULL);
    }
    ledger_log_root(out32, &log);
}

/* The block is what its leaf says, and the leaf names the one before it (NULL: the first). */
static fm_status check_leaf(const json_t *leaf, const struct ledger_block *block,
                            const uint8_t *prev32, struct base_err *err)
{
    const char *kind = json_string_value(json_object_get(leaf, "kind"));
    uint8_t prev[32], said[32], root[32];
    int64_t height = -1, time = -1;
    fm_status st = base_json_get_hex(prev, sizeof prev, leaf, "prev", err);

    if (st == FM_OK)
        st = base_json_get_hex(said, sizeof said, leaf, "tx_root", err);
    if (st == FM_OK)
        st = base_json_get_int(&height, leaf, "height", err);
    if (st == FM_OK)
        st = base_json_get_int(&time, leaf, "time", err);
    if (st != FM_OK)
        return st;
    if (kind == NULL || strcmp(kind, "block") != 0)
        return wrong(err, block, "its leaf is none of a block");
    if (height < 0 || (uint64_t)height != block->height || time != block->time_ms)
        return wrong(err, block, "its leaf has another height or time");
    if (prev32 != NULL && memcmp(prev, prev32, 32) != 0)
        return wrong(err, block, "its leaf follows another block");
    tx_root_of(root, block);
    if (memcmp(root, said, 32) != 0)
        return wrong(err, block, "its leaf has other transactions");
    return FM_OK;
}

/* All leaves are chained, from the first to the last, whose hash (as a leaf) this gives. */
static fm_status check_chain(uint8_t leaf_hash32[32], const struct ledger_message *message,
                             const struct ledger_block *blocks, size_t n, struct base_err *err)
{
    uint8_t hash[32] = {0};
    bool linked = false; /* hash is the payload's of the leaf before */
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < n; i++) {
        const struct base_buf *bytes = &message->leaves[i];
        json_t *leaf = NULL;
        if (bytes->len == 0 && blocks[i].count == 0 && i + 1 < n)
            continue;
        st = bytes->len == 0 ? wrong(err, &blocks[i], "its leaf is missing")
                             : base_json_parse_canonical(&leaf, bytes->p, bytes->len, err);
        if (st == FM_OK)
            st = check_leaf(leaf, &blocks[i], linked ? hash : NULL, err);
        json_decref(leaf);
        base_hash(hash, bytes->p, bytes->len);
        linked = true;
    }
    ledger_log_leaf_hash(leaf_hash32, hash);
    return st;
}

fm_status engine_proof_check(const struct ledger_engine *engine, bool *proven,
                             const struct ledger_message *message,
                             const struct ledger_block *blocks, size_t n, struct base_err *err)
{
    const uint8_t *root = NULL;
    uint8_t leaf_hash[32];
    fm_status st;

    if (message->n_leaves > 0 && engine_known_ahead(engine) && message->size == engine->known_size)
        root = engine->known_root;
    else if (message->n_leaves > 0 && message->size > 0 && message->size == engine->asked_size)
        root = engine->asked_root;
    *proven = false;
    if (root == NULL || n == 0)
        return FM_OK;
    st = check_chain(leaf_hash, message, blocks, n, err);
    if (st == FM_OK && ledger_log_verify_inclusion(&message->proof, leaf_hash, message->index,
                                                   message->size, root, err) != FM_OK)
        st = wrong(err, &blocks[n - 1], "its leaf is not in it");
    *proven = st == FM_OK;
    return st;
}
