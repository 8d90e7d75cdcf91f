/* ICS-23's own proofs for SmtSpec (cosmos/ics23), read as ours: presence as it is, absence from a
 * neighbour's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/json.h"
#include "ledger/proof/state_proof.h"

#define VECTORS "../shared/data/vectors/ics23/smt/"

static struct base_err err;
static struct ledger_state_proof proof;

/* ---- protobuf, just enough of it ---- */

struct field {
    uint64_t number;
    struct base_cur bytes; /* of length-delimited fields; empty for numbers */
};

static uint64_t varint(struct base_cur *cur)
{
    uint64_t v = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t b = base_cur_u8(cur);
        v |= (uint64_t)(b & 0x7f) << shift;
        if (b < 0x80)
            break;
    }
    return v;
}

static bool next_field(struct field *f, struct base_cur *cur)
{
    uint64_t tag, n;

    if (cur->left == 0)
        return false;
    tag = varint(cur);
    f->number = tag >> 3;
    f->bytes = base_cur_make("", 0);
    n = varint(cur);
    if ((tag & 7) == 2) {
        const uint8_t *p = base_cur_take(cur, (size_t)n);
        assert_non_null(p);
        f->bytes = base_cur_make(p, (size_t)n);
    }
    return true;
}

/* An ExistenceProof as ours: siblings from the root down, and the leaf that it proves. Each step's
 * direction is checked against the leaf's path. */
static void existence(struct ledger_state_proof *out, struct base_cur cur)
{
    uint8_t from_leaf[LEDGER_STATE_DEPTH][32];
    bool is_right[LEDGER_STATE_DEPTH];
    struct field f, g;
    unsigned n = 0;

    out->leaf = true;
    while (next_field(&f, &cur)) {
        if (f.number == 1)
            base_sha256(out->leaf_path, f.bytes.p, f.bytes.left);
        if (f.number == 2)
            base_sha256(out->leaf_value_hash, f.bytes.p, f.bytes.left);
        if (f.number != 4)
            continue;
        is_right[n] = false;
        while (next_field(&g, &f.bytes)) {
            if (g.number == 2 && g.bytes.left == 33) {
                is_right[n] = true;
                memcpy(from_leaf[n], g.bytes.p + 1, 32);
            }
            if (g.number == 3)
                memcpy(from_leaf[n], g.bytes.p, 32);
        }
        n++;
    }
    out->n = n;
    for (unsigned i = 0; i < n; i++) {
        unsigned depth = n - 1 - i;
        memcpy(out->sibling[depth], from_leaf[i], 32);
        assert_int_equal(is_right[i], out->leaf_path[depth / 8] >> (7 - depth % 8) & 1);
    }
}

/* The place where path ends, seen from the proof of a neighbour: its leaf, or the empty subtree
 * beside its way. */
static bool absence_from(struct ledger_state_proof *out, const struct ledger_state_proof *neighbour,
                         const uint8_t path[32])
{
    static const uint8_t zeros[32];
    uint8_t in[65];
    unsigned c = 0;

    while ((path[c / 8] ^ neighbour->leaf_path[c / 8]) >> (7 - c % 8) == 0)
        c++;
    *out = *neighbour;
    if (c >= neighbour->n)
        return true;
    if (memcmp(neighbour->sibling[c], zeros, 32) != 0)
        return false;
    in[0] = 0;
    memcpy(in + 1, neighbour->leaf_path, 32);
    memcpy(in + 33, neighbour->leaf_value_hash, 32);
    base_sha256(out->sibling[c], in, sizeof in);
    for (unsigned d = neighbour->n; d-- > c + 1;) {
        bool right = (neighbour->leaf_path[d / 8] >> (7 - d % 8) & 1) != 0;
        in[0] = 1;
        memcpy(in + (right ? 1 : 33), neighbour->sibling[d], 32);
        memcpy(in + (right ? 33 : 1), out->sibling[c], 32);
        base_sha256(out->sibling[c], in, sizeof in);
    }
    out->n = c + 1;
    out->leaf = false;
    return true;
}

static size_t bytes_of(uint8_t *out, size_t room, const json_t *v, const char *name)
{
    const char *text = json_string_value(json_object_get(v, name));
    size_t n = strlen(text) / 2;

    assert_true(n <= room && base_unhex(out, n, text, 2 * n));
    return n;
}

static void refuse_bits(struct ledger_state_proof *p, uint8_t root[32], uint8_t path[32],
                        const uint8_t *value)
{
    for (unsigned bit = 0; bit < p->n * 256 + 512; bit++) {
        uint8_t *at = bit < p->n * 256    ? &p->sibling[bit / 256][bit % 256 / 8]
                      : bit / 256 == p->n ? &root[bit % 256 / 8]
                                          : &path[bit % 256 / 8];
        fm_status st;
        /* An absence proof covers all paths below its place: only a path that leaves it is another
         * claim. */
        if (value == NULL && at >= path && at < path + 32 && bit % 256 / 8 * 8 > p->n)
            continue;
        if (value == NULL && at >= path && at < path + 32 &&
            bit % 256 / 8 * 8 + 7 - bit % 8 >= p->n)
            continue;
        *at ^= (uint8_t)(1 << bit % 8);
        st = value != NULL ? ledger_state_verify_present(p, root, path, value, &err)
                           : ledger_state_verify_absent(p, root, path, &err);
        *at ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(st, FM_E_INVALID);
    }
}

static void ics23_vector(const char *name, bool exists)
{
    char file[128];
    json_error_t at;
    json_t *v;
    uint8_t key[64], value[256], root[32], bytes[4096], path[32], value_hash[32];
    size_t n;
    struct base_cur cur;
    struct field top, f;
    bool shown = false;

    (void)snprintf(file, sizeof file, VECTORS "%s.json", name);
    v = json_load_file(file, 0, &at);
    assert_non_null(v);
    base_sha256(path, key, bytes_of(key, sizeof key, v, "key"));
    base_sha256(value_hash, value, bytes_of(value, sizeof value, v, "value"));
    assert_int_equal(bytes_of(root, sizeof root, v, "root"), 32);
    n = bytes_of(bytes, sizeof bytes, v, "proof");
    cur = base_cur_make(bytes, n);
    assert_true(next_field(&top, &cur));
    assert_int_equal(top.number, exists ? 1 : 2);
    if (exists) {
        existence(&proof, top.bytes);
        assert_memory_equal(proof.leaf_path, path, 32);
        assert_int_equal(ledger_state_verify_present(&proof, root, path, value_hash, &err), FM_OK);
        refuse_bits(&proof, root, path, value_hash);
    }
    while (!exists && next_field(&f, &top.bytes)) {
        struct ledger_state_proof neighbour;
        if (f.number != 2 && f.number != 3)
            continue;
        existence(&neighbour, f.bytes);
        assert_int_equal(ledger_state_verify_present(&neighbour, root, neighbour.leaf_path,
                                                     neighbour.leaf_value_hash, &err),
                         FM_OK);
        assert_int_equal(ledger_state_verify_absent(&neighbour, root, neighbour.leaf_path, &err),
                         FM_E_INVALID);
        if (absence_from(&proof, &neighbour, path)) {
            shown = true;
            assert_int_equal(ledger_state_verify_absent(&proof, root, path, &err), FM_OK);
            refuse_bits(&proof, root, path, NULL);
        }
    }
    assert_true(exists || shown);
    json_decref(v);
}

static void ics23_vectors(void **state)
{
    (void)state;
    if (access("../shared/data", R_OK) != 0) {
        print_message("SKIPPED: ../shared/data not here\n");
        skip();
    }
    ics23_vector("exist_left", true);
    ics23_vector("exist_middle", true);
    ics23_vector("exist_right", true);
    ics23_vector("nonexist_left", false);
    ics23_vector("nonexist_middle", false);
    ics23_vector("nonexist_right", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(ics23_vectors)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
