#include "ledger/proof/log_proof.h"

#include <string.h>

#include "ledger/proof/log.h"

/* Sizes above this cannot occur: JSON carries them as integers below 2^53. */
#define MAX_SIZE ((uint64_t)1 << 53)

/* ---- hashes of ranges ---- */

/* A perfect subtree, from its children where the source does not keep it. Depth: at most `level`
 * <= 53. */
static fm_status perfect(uint8_t out32[32], unsigned level, uint64_t index,
                         const struct ledger_log_source *source, struct base_err *err)
{
    uint8_t left[32], right[32];
    fm_status st = source->node(source->ctx, out32, level, index, err);

    if (st != FM_E_NOT_FOUND || level == 0)
        return st;
    st = perfect(left, level - 1, 2 * index, source, err);
    if (st == FM_OK)
        st = perfect(right, level - 1, 2 * index + 1, source, err);
    if (st == FM_OK)
        ledger_log_node_hash(out32, left, right);
    return st;
}

/* The RFC's MTH over leaves [from, to), where `from` is a multiple of the smallest power of two
 * that is >= to - from: true of every range that a proof names. Folds the perfect subtrees from the
 * right. */
static fm_status range_hash(uint8_t out32[32], uint64_t from, uint64_t to,
                            const struct ledger_log_source *source, struct base_err *err)
{
    uint64_t n = to - from;
    uint64_t end = to;
    bool first = true;
    fm_status st = FM_OK;

    for (unsigned level = 0; st == FM_OK && n >> level != 0; level++) {
        uint8_t hash[32];
        if ((n >> level & 1) == 0)
            continue;
        end -= (uint64_t)1 << level;
        st = perfect(hash, level, end >> level, source, err);
        if (st != FM_OK)
            break;
        if (first)
            memcpy(out32, hash, 32);
        else
            ledger_log_node_hash(out32, hash, out32);
        first = false;
    }
    return st;
}

/* The largest power of two smaller than n, n >= 2. */
static uint64_t split(uint64_t n)
{
    uint64_t k = 1;

    while (k << 1 < n)
        k <<= 1;
    return k;
}

static void reverse(struct ledger_log_proof *proof)
{
    for (unsigned i = 0, j = proof->n; i + 1 < j; i++) {
        uint8_t t[32];
        j--;
        memcpy(t, proof->hash[i], 32);
        memcpy(proof->hash[i], proof->hash[j], 32);
        memcpy(proof->hash[j], t, 32);
    }
}

/* ---- proving ---- */

fm_status ledger_log_prove_inclusion(struct ledger_log_proof *proof, uint64_t index, uint64_t size,
                                     const struct ledger_log_source *source, struct base_err *err)
{
    uint64_t from = 0, to = size;
    fm_status st = FM_OK;

    proof->n = 0;
    if (index >= size || size > MAX_SIZE)
        return base_err_set(err, FM_E_ARG, "log: no leaf %llu in a tree of %llu",
                            (unsigned long long)index, (unsigned long long)size);
    while (st == FM_OK && to - from > 1) {
        uint64_t mid = from + split(to - from);
        uint8_t *sibling = proof->hash[proof->n++];
        if (index < mid) {
            st = range_hash(sibling, mid, to, source, err);
            to = mid;
        } else {
            st = range_hash(sibling, from, mid, source, err);
            from = mid;
        }
    }
    reverse(proof); /* found from the top, written from the bottom */
    return st;
}

fm_status ledger_log_prove_consistency(struct ledger_log_proof *proof, uint64_t old_size,
                                       uint64_t size, const struct ledger_log_source *source,
                                       struct base_err *err)
{
    uint64_t from = 0, to = size;
    fm_status st = FM_OK;

    proof->n = 0;
    if (old_size == 0 || old_size > size || size > MAX_SIZE)
        return base_err_set(err, FM_E_ARG, "log: no tree of %llu to be a beginning of one of %llu",
                            (unsigned long long)old_size, (unsigned long long)size);
    if (old_size == size)
        return FM_OK;
    while (st == FM_OK && to != old_size) {
        uint64_t mid = from + split(to - from);
        uint8_t *sibling = proof->hash[proof->n++];
        if (old_size <= mid) {
            st = range_hash(sibling, mid, to, source, err);
            to = mid;
        } else {
            st = range_hash(sibling, from, mid, source, err);
            from = mid;
        }
    }
    /* SUBPROOF's flag b: the old root itself is left out while it is one whole subtree of the new.
     */
    if (st == FM_OK && from != 0)
        st = range_hash(proof->hash[proof->n++], from, to, source, err);
    reverse(proof);
    return st;
}

/* ---- verifying ---- */

static fm_status wrong_length(unsigned n, struct base_err *err)
{
    return base_err_set(err, FM_E_INVALID, "log proof: %u hashes do not fit index and sizes", n);
}

static fm_status same_root(const uint8_t got32[32], const uint8_t want32[32], const char *which,
                           struct base_err *err)
{
    if (memcmp(got32, want32, 32) != 0)
        return base_err_set(err, FM_E_INVALID, "log proof: it leads to another %s", which);
    return FM_OK;
}

fm_status ledger_log_verify_inclusion(const struct ledger_log_proof *proof,
                                      const uint8_t leaf_hash32[32], uint64_t index, uint64_t size,
                                      const uint8_t root32[32], struct base_err *err)
{
    uint64_t fn = index, sn = size - 1;
    uint8_t r[32];

    if (index >= size || size > MAX_SIZE)
        return base_err_set(err, FM_E_INVALID, "log proof: no leaf %llu in a tree of %llu",
                            (unsigned long long)index, (unsigned long long)size);
    memcpy(r, leaf_hash32, 32);
    for (unsigned i = 0; i < proof->n; i++) {
        if (sn == 0)
            return wrong_length(proof->n, err);
        if ((fn & 1) != 0 || fn == sn) {
            ledger_log_node_hash(r, proof->hash[i], r);
            while (fn != 0 && (fn & 1) == 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            ledger_log_node_hash(r, r, proof->hash[i]);
        }
        fn >>= 1;
        sn >>= 1;
    }
    if (sn != 0)
        return wrong_length(proof->n, err);
    return same_root(r, root32, "root", err);
}

/* 0 < old_size < size: fr and sr are rebuilt side by side from the same hashes.
 */
static fm_status consistency(const struct ledger_log_proof *proof, uint64_t old_size,
                             const uint8_t old_root32[32], uint64_t size, const uint8_t root32[32],
                             struct base_err *err)
{
    uint64_t fn = old_size - 1, sn = size - 1;
    bool whole = (old_size & (old_size - 1)) == 0; /* the old tree is one subtree of the new */
    unsigned i = whole ? 0 : 1;
    uint8_t fr[32], sr[32];
    fm_status st;

    if (proof->n == 0)
        return wrong_length(0, err);
    memcpy(fr, whole ? old_root32 : proof->hash[0], 32);
    memcpy(sr, fr, 32);
    while ((fn & 1) != 0) {
        fn >>= 1;
        sn >>= 1;
    }
    for (; i < proof->n; i++) {
        if (sn == 0)
            return wrong_length(proof->n, err);
        if ((fn & 1) != 0 || fn == sn) {
            ledger_log_node_hash(fr, proof->hash[i], fr);
            ledger_log_node_hash(sr, proof->hash[i], sr);
            while (fn != 0 && (fn & 1) == 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            ledger_log_node_hash(sr, sr, proof->hash[i]);
        }
        fn >>= 1;
        sn >>= 1;
    }
    if (sn != 0)
        return wrong_length(proof->n, err);
    st = same_root(fr, old_root32, "older root", err);
    if (st == FM_OK)
        st = same_root(sr, root32, "root", err);
    return st;
}

fm_status ledger_log_verify_consistency(const struct ledger_log_proof *proof, uint64_t old_size,
                                        const uint8_t old_root32[32], uint64_t size,
                                        const uint8_t root32[32], struct base_err *err)
{
    if (old_size == 0 || old_size > size || size > MAX_SIZE)
        return base_err_set(err, FM_E_INVALID,
                            "log proof: no tree of %llu to be a beginning of one of %llu",
                            (unsigned long long)old_size, (unsigned long long)size);
    if (old_size != size)
        return consistency(proof, old_size, old_root32, size, root32, err);
    if (proof->n != 0)
        return wrong_length(proof->n, err);
    return same_root(old_root32, root32, "root", err);
}

/* ---- JSON ---- */

json_t *ledger_log_proof_json(const struct ledger_log_proof *proof)
{
    json_t *array = json_array();

    for (unsigned i = 0; i < proof->n && array != NULL; i++) {
        char hex[65];
        base_hex(hex, proof->hash[i], 32);
        if (json_array_append_new(array, json_string(hex)) != 0) {
            json_decref(array);
            array = NULL;
        }
    }
    return array;
}

fm_status ledger_log_proof_parse(struct ledger_log_proof *proof, const json_t *array,
                                 struct base_err *err)
{
    size_t n = json_array_size(array);

    proof->n = 0;
    if (!json_is_array(array) || n > LEDGER_LOG_PROOF_MAX)
        return base_err_set(err, FM_E_INPUT, "log proof: not an array of at most %d hashes",
                            LEDGER_LOG_PROOF_MAX);
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(array, i);
        const char *text = json_string_value(item);
        if (text == NULL || !base_unhex(proof->hash[i], 32, text, json_string_length(item)))
            return base_err_set(err, FM_E_INPUT, "log proof: hash %zu is not 64 hex digits", i);
    }
    proof->n = (unsigned)n;
    return FM_OK;
}
