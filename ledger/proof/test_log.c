/* The log against RFC 6962's definition, the transparency-dev vectors and every small tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/hash.h"
#include "ledger/proof/log.h"
#include "ledger/proof/log_proof.h"
#include "ledger/proof/rules.h"

#define VECTORS "../shared/data/vectors/merkle/"

static struct base_err err;

/* ---- the definition, written as the RFC writes it ---- */

static void mth(uint8_t out32[32], const uint8_t (*leaf)[32], size_t n)
{
    uint8_t left[32], right[32];
    size_t k = 1;

    if (n == 0) {
        base_hash(out32, "", 0);
    } else if (n == 1) {
        memcpy(out32, leaf[0], 32);
    } else {
        while (2 * k < n)
            k *= 2;
        mth(left, leaf, k);
        mth(right, leaf + k, n - k);
        ledger_log_node_hash(out32, left, right);
    }
}

#define SMALL 67
static uint8_t leaves[SMALL][32];

static void make_leaves(void)
{
    for (size_t i = 0; i < SMALL; i++) {
        uint8_t byte = (uint8_t)i;
        ledger_log_leaf_hash_of(leaves[i], &byte, 1);
    }
}

static fm_status leaf_only(void *ctx, uint8_t out32[32], unsigned level, uint64_t index,
                           struct base_err *e)
{
    (void)ctx;
    if (level > 0)
        return base_err_set(e, FM_E_NOT_FOUND, "only leaves are kept");
    memcpy(out32, leaves[index], 32);
    return FM_OK;
}

/* Every node that the appends reported, as a store keeps them. */
static struct {
    bool known;
    uint8_t hash[32];
} kept[8][SMALL];

static void keep(void *ctx, unsigned level, uint64_t index, const uint8_t hash32[32])
{
    (void)ctx;
    assert_true(level < 8 && index < SMALL && !kept[level][index].known);
    kept[level][index].known = true;
    memcpy(kept[level][index].hash, hash32, 32);
}

static fm_status kept_node(void *ctx, uint8_t out32[32], unsigned level, uint64_t index,
                           struct base_err *e)
{
    (void)ctx;
    (void)e;
    assert_true(kept[level][index].known);
    memcpy(out32, kept[level][index].hash, 32);
    return FM_OK;
}

static const struct ledger_log_source by_leaf = {leaf_only, NULL};
static const struct ledger_log_source by_node = {kept_node, NULL};

static void append_gives_the_definitions_root(void **state)
{
    struct ledger_log log = {0}, again;
    struct ledger_log_sink sink = {keep, NULL};

    (void)state;
    for (size_t n = 0; n <= SMALL; n++) {
        struct base_buf bytes = {0};
        uint8_t want[32], got[32];
        mth(want, (const uint8_t(*)[32])leaves, n);
        ledger_log_root(got, &log);
        assert_memory_equal(got, want, 32);
        ledger_log_encode(&bytes, &log);
        assert_int_equal(ledger_log_decode(&again, bytes.p, bytes.len, &err), FM_OK);
        ledger_log_root(got, &again);
        assert_memory_equal(got, want, 32);
        assert_int_equal(ledger_log_decode(&again, bytes.p, bytes.len - 1, &err), FM_E_INPUT);
        base_buf_put_u8(&bytes, 0);
        assert_int_equal(ledger_log_decode(&again, bytes.p, bytes.len, &err), FM_E_INPUT);
        base_buf_release(&bytes);
        if (n < SMALL)
            ledger_log_append(&log, leaves[n], &sink);
    }
}

/* A proof says one thing: the same proof for another index, size, leaf or root, cut, lengthened or
 * with one bit changed, does not verify. */
static void refuse_inclusion_changes(struct ledger_log_proof *p, uint64_t i, uint64_t n,
                                     const uint8_t root32[32])
{
    uint8_t bad[32];

    for (uint64_t j = 0; j <= n + 1; j++) {
        if (j != i)
            assert_int_equal(ledger_log_verify_inclusion(p, leaves[i], j, n, root32, &err),
                             FM_E_INVALID);
    }
    memcpy(bad, leaves[i], 32);
    bad[31] ^= 1;
    assert_int_equal(ledger_log_verify_inclusion(p, bad, i, n, root32, &err), FM_E_INVALID);
    memcpy(bad, root32, 32);
    bad[0] ^= 0x80;
    assert_int_equal(ledger_log_verify_inclusion(p, leaves[i], i, n, bad, &err), FM_E_INVALID);
    for (unsigned h = 0; h < p->n; h++) {
        p->hash[h][h % 32] ^= 1;
        assert_int_equal(ledger_log_verify_inclusion(p, leaves[i], i, n, root32, &err),
                         FM_E_INVALID);
        p->hash[h][h % 32] ^= 1;
    }
    memset(p->hash[p->n], 7, 32);
    p->n++;
    assert_int_equal(ledger_log_verify_inclusion(p, leaves[i], i, n, root32, &err), FM_E_INVALID);
    p->n--;
    if (p->n > 0) {
        p->n--;
        assert_int_equal(ledger_log_verify_inclusion(p, leaves[i], i, n, root32, &err),
                         FM_E_INVALID);
        p->n++;
    }
}

static void every_small_inclusion(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= SMALL; n++) {
        uint8_t root[32];
        mth(root, (const uint8_t(*)[32])leaves, n);
        for (uint64_t i = 0; i < n; i++) {
            struct ledger_log_proof p, q;
            assert_int_equal(ledger_log_prove_inclusion(&p, i, n, &by_leaf, &err), FM_OK);
            assert_int_equal(ledger_log_prove_inclusion(&q, i, n, &by_node, &err), FM_OK);
            assert_int_equal(p.n, q.n);
            assert_memory_equal(p.hash, q.hash, 32 * (size_t)p.n);
            assert_int_equal(ledger_log_verify_inclusion(&p, leaves[i], i, n, root, &err), FM_OK);
            refuse_inclusion_changes(&p, i, n, root);
        }
    }
}

static void every_small_consistency(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= SMALL; n++) {
        uint8_t root[32], old[32];
        mth(root, (const uint8_t(*)[32])leaves, n);
        for (uint64_t m = 1; m <= n; m++) {
            struct ledger_log_proof p, q;
            mth(old, (const uint8_t(*)[32])leaves, m);
            assert_int_equal(ledger_log_prove_consistency(&p, m, n, &by_leaf, &err), FM_OK);
            assert_int_equal(ledger_log_prove_consistency(&q, m, n, &by_node, &err), FM_OK);
            assert_int_equal(p.n, q.n);
            assert_memory_equal(p.hash, q.hash, 32 * (size_t)p.n);
            assert_int_equal(ledger_log_verify_consistency(&p, m, old, n, root, &err), FM_OK);
            for (unsigned h = 0; h < p.n; h++) {
                p.hash[h][3] ^= 4;
                assert_int_equal(ledger_log_verify_consistency(&p, m, old, n, root, &err),
                                 FM_E_INVALID);
                p.hash[h][3] ^= 4;
            }
            old[9] ^= 1;
            assert_int_equal(ledger_log_verify_consistency(&p, m, old, n, root, &err),
                             FM_E_INVALID);
            old[9] ^= 1;
            root[9] ^= 1;
            assert_int_equal(ledger_log_verify_consistency(&p, m, old, n, root, &err),
                             FM_E_INVALID);
            root[9] ^= 1;
        }
    }
}

static void bad_arguments_are_named(void **state)
{
    struct ledger_log_proof p = {0};

    (void)state;
    assert_int_equal(ledger_log_prove_inclusion(&p, 5, 5, &by_leaf, &err), FM_E_ARG);
    assert_string_equal(err.text, "log: no leaf 5 in a tree of 5");
    assert_int_equal(ledger_log_prove_consistency(&p, 0, 5, &by_leaf, &err), FM_E_ARG);
    assert_int_equal(ledger_log_prove_consistency(&p, 6, 5, &by_leaf, &err), FM_E_ARG);
    assert_int_equal(ledger_log_verify_inclusion(&p, leaves[0], 0, UINT64_MAX, leaves[0], &err),
                     FM_E_INVALID);
    assert_int_equal(ledger_log_verify_inclusion(&p, leaves[0], 0, 0, leaves[0], &err),
                     FM_E_INVALID);
}

static void json_round_trip(void **state)
{
    struct ledger_log_proof p, q;
    json_t *j, *bad;

    (void)state;
    assert_int_equal(ledger_log_prove_inclusion(&p, 3, SMALL, &by_leaf, &err), FM_OK);
    j = ledger_log_proof_json(&p);
    assert_int_equal(ledger_log_proof_parse(&q, j, &err), FM_OK);
    assert_int_equal(p.n, q.n);
    assert_memory_equal(p.hash, q.hash, 32 * (size_t)p.n);
    bad = json_string("AB");
    assert_int_equal(json_array_set_new(j, 1, bad), 0);
    assert_int_equal(ledger_log_proof_parse(&q, j, &err), FM_E_INPUT);
    assert_string_equal(err.text, "log proof: hash 1 is not 64 hex digits");
    json_decref(j);
    j = json_array();
    for (int i = 0; i <= LEDGER_LOG_PROOF_MAX; i++)
        assert_int_equal(json_array_append_new(j, json_string("")), 0);
    assert_int_equal(ledger_log_proof_parse(&q, j, &err), FM_E_INPUT);
    json_decref(j);
}

/* ---- somebody else's vectors ---- */

static json_t *load(const char *path)
{
    json_error_t at;
    json_t *v;

    if (access("../shared/data", R_OK) != 0) {
        print_message("SKIPPED: ../shared/data not here\n");
        skip();
    }
    v = json_load_file(path, JSON_DECODE_INT_AS_REAL, &at); /* one index is 2^64 - 1 */
    assert_non_null(v);
    return v;
}

static uint64_t number(const json_t *v, const char *name)
{
    double d = json_real_value(json_object_get(v, name));

    return d >= 18446744073709551615.0 ? UINT64_MAX : (uint64_t)d;
}

/* Standard base64 of 32 bytes; a hash of any other length cannot be expressed, and the case is
 * refused as such: false.
 */
static bool hash_of(uint8_t out32[32], const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t bits = 0;
    unsigned have = 0;
    size_t n = 0;

    if (text == NULL || strlen(text) != 44)
        return false;
    for (; *text != '\0' && *text != '='; text++) {
        bits = bits << 6 | (uint32_t)(strchr(digits, *text) - digits);
        have += 6;
        if (have >= 8) {
            have -= 8;
            out32[n++] = (uint8_t)(bits >> have);
        }
    }
    return n == 32;
}

static bool proof_of(struct ledger_log_proof *p, const json_t *array)
{
    p->n = 0;
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (p->n == LEDGER_LOG_PROOF_MAX ||
            !hash_of(p->hash[p->n++], json_string_value(json_array_get(array, i))))
            return false;
    }
    return true;
}

static const char *text_of(const json_t *v, const char *name)
{
    return json_string_value(json_object_get(v, name));
}

static void inclusion_vectors(void **state)
{
    json_t *all = load(VECTORS "inclusion.json"), *v;
    size_t i, good = 0, bad = 0;

    (void)state;
    json_array_foreach(all, i, v)
    {
        struct ledger_log_proof p;
        uint8_t leaf[32], root[32];
        bool want_error = json_is_true(json_object_get(v, "wantErr"));
        bool ok = hash_of(leaf, text_of(v, "leafHash")) && hash_of(root, text_of(v, "root")) &&
                  proof_of(&p, json_object_get(v, "proof")) &&
                  ledger_log_verify_inclusion(&p, leaf, number(v, "leafIdx"), number(v, "treeSize"),
                                              root, &err) == FM_OK;
        if (ok == want_error)
            fail_msg("%s", text_of(v, "file"));
        *(want_error ? &bad : &good) += 1;
    }
    print_message("inclusion: %zu valid, %zu invalid\n", good, bad);
    assert_true(good >= 6 && bad >= 92);
    json_decref(all);
}

static void consistency_vectors(void **state)
{
    json_t *all = load(VECTORS "consistency.json"), *v;
    size_t i, good = 0, bad = 0, outside = 0;

    (void)state;
    json_array_foreach(all, i, v)
    {
        struct ledger_log_proof p;
        uint8_t r1[32], r2[32];
        bool want_error = json_is_true(json_object_get(v, "wantErr"));
        bool ok = hash_of(r1, text_of(v, "root1")) && hash_of(r2, text_of(v, "root2"));
        if (!ok && !want_error) { /* equal roots that are not hashes: cannot be said here */
            outside++;
            continue;
        }
        ok = ok && proof_of(&p, json_object_get(v, "proof")) &&
             ledger_log_verify_consistency(&p, number(v, "size1"), r1, number(v, "size2"), r2,
                                           &err) == FM_OK;
        if (ok == want_error)
            fail_msg("%s", text_of(v, "file"));
        *(want_error ? &bad : &good) += 1;
    }
    print_message("consistency: %zu valid, %zu invalid, %zu not expressible\n", good, bad, outside);
    assert_true(good >= 5 && bad >= 92 && outside <= 1);
    json_decref(all);
}

static void tree_of_eight(void **state)
{
    json_t *v = load(VECTORS "rfc6962_tree8.json");
    json_t *inputs = json_object_get(v, "leaf_inputs_hex"), *text;
    uint8_t want[32], got[32];
    struct ledger_log log = {0};
    size_t i;

    (void)state;
    ledger_log_root(got, &log);
    for (i = 0; i <= json_array_size(inputs); i++) {
        const char *hex = json_string_value(json_array_get(json_object_get(v, "root_by_size"), i));
        assert_true(base_unhex(want, 32, hex, 64));
        ledger_log_root(got, &log);
        assert_memory_equal(got, want, 32);
        text = json_array_get(inputs, i);
        if (text != NULL) {
            /* These trees hash the input itself as leaf data, which need not be 32 bytes. */
            uint8_t in[64] = {0};
            size_t n = json_string_length(text) / 2;
            assert_true(base_unhex(in + 1, n, json_string_value(text), 2 * n));
            base_hash(got, in, n + 1);
            ledger_log_append(&log, got, NULL);
        }
    }
    json_decref(v);
}

static void rules_are_one_table(void **state)
{
    (void)state;
    for (unsigned i = 0; i < LEDGER_RULE_COUNT; i++) {
        const char *code = ledger_rule_code((enum ledger_rule)i);
        assert_non_null(code);
        assert_non_null(ledger_rule_text((enum ledger_rule)i));
        assert_int_equal(ledger_rule_find(code), i); /* no code twice */
        assert_int_equal(ledger_rule_drops((enum ledger_rule)i), strncmp(code, "drop.", 5) == 0);
    }
    assert_int_equal(ledger_rule_find("no.such"), LEDGER_RULE_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(append_gives_the_definitions_root),
        cmocka_unit_test(every_small_inclusion),
        cmocka_unit_test(every_small_consistency),
        cmocka_unit_test(bad_arguments_are_named),
        cmocka_unit_test(json_round_trip),
        cmocka_unit_test(inclusion_vectors),
        cmocka_unit_test(consistency_vectors),
        cmocka_unit_test(tree_of_eight),
        cmocka_unit_test(rules_are_one_table),
    };

    make_leaves();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
