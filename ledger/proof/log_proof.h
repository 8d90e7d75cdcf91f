/* Proofs over the log: that a leaf is in a tree of some size (inclusion), and that a tree is a
 * beginning of another (consistency). RFC 6962 sections 2.1.1 and 2.1.2; verification as RFC 9162
 * sections 2.1.3.2 and 2.1.4.2. */
#ifndef FIRMIANA_LEDGER_LOG_PROOF_H
#define FIRMIANA_LEDGER_LOG_PROOF_H

#include <stdint.h>

#include "base/json.h"
#include "base/status.h"

/* Enough for every tree of fewer than 2^63 leaves. hash[0] is the lowest sibling. */
#define LEDGER_LOG_PROOF_MAX 64
struct ledger_log_proof {
    unsigned n;
    uint8_t hash[LEDGER_LOG_PROOF_MAX][32];
};

/* Where hashes come from: the root of the perfect subtree over the leaves [index << level, (index +
 * 1) << level), which are all in the tree. Level 0 must always be answered. A store that keeps only
 * some of the higher levels answers FM_E_NOT_FOUND for the others, and is then asked for the two
 * children. */
struct ledger_log_source {
    fm_status (*node)(void *ctx, uint8_t out32[32], unsigned level, uint64_t index,
                      struct base_err *err);
    void *ctx;
};

/* The proof that leaf `index` is in the tree of the first `size` leaves. FM_E_ARG unless index <
 * size. Asks for O(log^2 size) nodes where the source keeps all levels. */
fm_status ledger_log_prove_inclusion(struct ledger_log_proof *proof, uint64_t index, uint64_t size,
                                     const struct ledger_log_source *source,
                                     struct base_err *err) FM_CHECK;

/* The proof that the tree of the first `old_size` leaves is a beginning of that of `size`. FM_E_ARG
 * unless 0 < old_size <= size (an empty tree proves nothing). Empty when the sizes are equal. */
fm_status ledger_log_prove_consistency(struct ledger_log_proof *proof, uint64_t old_size,
                                       uint64_t size, const struct ledger_log_source *source,
                                       struct base_err *err) FM_CHECK;

/* FM_OK, or FM_E_INVALID with what does not fit. A proof has exactly the length that index and size
 * ask for. */
fm_status ledger_log_verify_inclusion(const struct ledger_log_proof *proof,
                                      const uint8_t leaf_hash32[32], uint64_t index, uint64_t size,
                                      const uint8_t root32[32], struct base_err *err) FM_CHECK;
fm_status ledger_log_verify_consistency(const struct ledger_log_proof *proof, uint64_t old_size,
                                        const uint8_t old_root32[32], uint64_t size,
                                        const uint8_t root32[32], struct base_err *err) FM_CHECK;

/* As JSON: an array of hex hashes, lowest first. The caller owns the result; NULL when memory is
 * out. Decoding refuses more than LEDGER_LOG_PROOF_MAX with FM_E_INPUT. */
json_t *ledger_log_proof_json(const struct ledger_log_proof *proof);
fm_status ledger_log_proof_parse(struct ledger_log_proof *proof, const json_t *array,
                                 struct base_err *err) FM_CHECK;

#endif
