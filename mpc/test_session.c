/* Sessions: bad arguments are errors with text, both holders of a component agree on its digest,
 * what travels does not depend on secrets, outsiders take part, and random programs give on rep3
 * what they give on plain. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "mpc/circuit/aggregate.h"
#include "mpc/circuit/compare.h"
#include "mpc/circuit/divide.h"
#include "mpc/circuit/select.h"
#include "mpc/debug/debug.h"
#include "mpc/test_world.h"

/* ---- arguments ---- */

static struct mpc_session *alone(void)
{
    struct mpc_session *s;
    struct base_err err;
    struct mpc_session_config c = {.protocol = mpc_protocol_find("plain"),
                                   .compute = (const unsigned[]){0},
                                   .compute_len = 1,
                                   .streams = 1,
                                   .random = base_random_system()};

    assert_int_equal(mpc_session_open(&s, &c, &err), FM_OK);
    return s;
}

#define REFUSED(call, code, sentence)              \
    do {                                           \
        assert_int_equal((call), (code));          \
        assert_string_equal(err.text, (sentence)); \
    } while (0)

static void bad_arguments_are_refused(void **state)
{
    struct mpc_session *s = alone();
    struct mpc_session *other = alone();
    struct base_err err;
    struct mpc_share *x;
    struct mpc_share *longer;
    struct mpc_share *foreign;
    struct mpc_share *bits;
    struct mpc_share *wide;
    struct mpc_share *z;
    struct mpc_share *z2;
    const struct mpc_share *list[2];
    int64_t value;
    int64_t *place = &value;
    int64_t outside = 11;
    unsigned width = 65;
    struct mpc_input item = {.domain = MPC_RING64, .n = 1, .range = {0, 10}, .values = &outside};

    (void)state;
    assert_int_equal(mpc_constant(s, &x, 5, 3, &err), FM_OK);
    assert_int_equal(mpc_constant(s, &longer, 5, 4, &err), FM_OK);
    assert_int_equal(mpc_constant(other, &foreign, 5, 3, &err), FM_OK);
    assert_int_equal(mpc_bits_constant(s, &bits, 5, 3, 3, &err), FM_OK);
    assert_int_equal(mpc_bits_constant(s, &wide, 5, 65, 3, &err), FM_OK);
    REFUSED(mpc_add(&z, x, longer, &err), FM_E_ARG, "add: lengths 3 and 4 differ");
    REFUSED(mpc_add(&z, x, foreign, &err), FM_E_ARG, "add: the columns are of two sessions");
    REFUSED(mpc_mul(&z, x, bits, &err), FM_E_ARG, "mul: takes a ring column, not bits");
    assert_null(z);
    REFUSED(mpc_xor(&z, bits, wide, &err), FM_E_ARG, "xor: widths 3 and 65 differ");
    REFUSED(mpc_and(&z, bits, wide, &err), FM_E_ARG, "and: widths 3 and 65 differ");
    REFUSED(mpc_bit2a(&z, bits, &err), FM_E_ARG, "bit2a: takes width 1, not 3");
    REFUSED(mpc_b2a(&z, wide, MPC_SIGNED, &err), FM_E_ARG, "b2a: width 65: 1 to 64");
    list[0] = x;
    REFUSED(mpc_msb_list(&z, list, &width, 1, &err), FM_E_ARG, "msb: width 65: 1 to 64");
    REFUSED(mpc_slice(&z, x, 2, 2, &err), FM_E_ARG, "slice: 2 elements from 2 of 3");
    REFUSED(mpc_spread(&z, x, 2, &err), FM_E_ARG, "spread: a column of 3 elements, not one");
    REFUSED(mpc_share_narrow(x, (struct mpc_range){0, 9}, &err), FM_E_ARG,
            "narrow: 0..9 is not within 5..5");
    REFUSED(mpc_reveal(list, 1, (const unsigned[]){7}, 1, &place, &err), FM_E_ARG,
            "reveal: recipient 7 of 1 parties");
    REFUSED(mpc_reveal(list, 1, (const unsigned[]){0, 0}, 2, &place, &err), FM_E_ARG,
            "reveal: recipient 0 is listed twice");
    REFUSED(mpc_reveal(list, 1, (const unsigned[]){0}, 1, NULL, &err), FM_E_ARG,
            "reveal: this party receives and gave no place for it");
    list[1] = foreign;
    REFUSED(mpc_concat(&z, list, 2, &err), FM_E_ARG,
            "concat: column 1 is of another session, domain or width");
    REFUSED(mpc_less(&z, x, longer, &err), FM_E_ARG, "less: lengths 3 and 4 differ");
    REFUSED(mpc_select(&z, bits, x, x, &err), FM_E_ARG,
            "select: chooses by a truth value: bits of width 1");
    REFUSED(mpc_sum_where(&z, longer, bits, &err), FM_E_ARG,
            "sum: a mask is a bits column of width 1");
    REFUSED(mpc_input(s, &z, &item, 1, &err), FM_E_INPUT,
            "plain input: column 0: row 0 is outside the declared range 0..10");
    REFUSED(mpc_bits_constant(s, &z, 0, MPC_MAX_WIDTH + 1, 1, &err), FM_E_ARG,
            "width 1025: 1 to 1024 planes");
    /* ranges: what could leave 64 bits is refused, unless the operand says that it wraps */
    mpc_share_free(x);
    assert_int_equal(mpc_constant(s, &x, INT64_MAX, 3, &err), FM_OK);
    REFUSED(mpc_add_constant(&z, x, 1, &err), FM_E_LIMIT,
            "add constant: the result may need more than 64 bits; narrow the columns' ranges");
    REFUSED(mpc_mul(&z, x, x, &err), FM_E_LIMIT,
            "mul: the result may need more than 64 bits; narrow the columns' ranges");
    REFUSED(mpc_sum(&z, x, &err), FM_E_LIMIT,
            "sum: the result may need more than 64 bits; narrow the columns' ranges");
    REFUSED(mpc_divide(&z, &z2, x, x, &err), FM_E_LIMIT,
            "divide: the divisor's range 9223372036854775807..9223372036854775807 does not lie in "
            "0..2^62");
    mpc_session_close(other);
    mpc_session_close(s);
}

static void sessions_refuse_nonsense(void **state)
{
    struct mpc_session *s;
    struct base_err err;
    struct mpc_protocol hollow = *mpc_protocol_find("plain");
    struct mpc_session_config c = {.protocol = mpc_protocol_find("rep3"),
                                   .compute = (const unsigned[]){0, 1, 2},
                                   .compute_len = 3,
                                   .streams = 1,
                                   .random = base_random_system()};

    (void)state;
    REFUSED(mpc_session_open(&s, &c, &err), FM_E_ARG, "mpc session: rep3 needs a transport");
    hollow.check = NULL;
    c.protocol = &hollow;
    REFUSED(mpc_session_open(&s, &c, &err), FM_E_ARG,
            "mpc session: protocol plain: slot check is empty");
    c.protocol = mpc_protocol_find("plain");
    REFUSED(mpc_session_open(&s, &c, &err), FM_E_ARG,
            "mpc session: plain takes 1 compute parties, not 3");
    c.compute_len = 1;
    c.streams = 0;
    assert_int_equal(mpc_session_open(&s, &c, &err), FM_E_ARG);
    assert_null(s);
    assert_null(mpc_protocol_find("rep4"));
    for (size_t i = 0; mpc_protocol_at(i) != NULL; i++)
        assert_int_equal(mpc_protocol_validate(mpc_protocol_at(i), &err), FM_OK);
}

/* Every slot in turn set to NULL is noticed. The slots are the struct's tail, one pointer each. */
static void validation_sees_every_slot(void **state)
{
    size_t first = offsetof(struct mpc_protocol, open);

    (void)state;
    for (size_t at = first; at < sizeof(struct mpc_protocol); at += sizeof(void (*)(void))) {
        struct mpc_protocol row = *mpc_protocol_find("rep3");
        struct base_err err = {0};

        memset((char *)&row + at, 0, sizeof(void (*)(void)));
        assert_int_equal(mpc_protocol_validate(&row, &err), FM_E_ARG);
        assert_non_null(strstr(err.text, "is empty"));
    }
}

static void the_debug_row_sees_foreign_shares(void **state)
{
    struct mpc_debug debug;
    struct mpc_session *s;
    struct mpc_session *other = alone();
    struct mpc_share *foreign;
    struct mpc_share *bit;
    struct mpc_share *z;
    struct mpc_gate gate;
    struct base_err err;
    struct mpc_session_config c = {.compute = (const unsigned[]){0},
                                   .compute_len = 1,
                                   .streams = 1,
                                   .random = base_random_system()};

    (void)state;
    mpc_debug_init(&debug, mpc_protocol_find("plain"));
    c.protocol = &debug.row;
    assert_int_equal(mpc_session_open(&s, &c, &err), FM_OK);
    assert_int_equal(mpc_bits_constant(other, &foreign, 1, 1, 5, &err), FM_OK);
    assert_int_equal(mpc_bits_constant(s, &bit, 1, 1, 5, &err), FM_OK);
    gate = (struct mpc_gate){{bit, 0}, {bit, 0}, {foreign, 0}, {NULL, 0}};
    debug.row.xor (s, &gate, 1);
    REFUSED(mpc_and(&z, bit, bit, &err), FM_E_ARG,
            "debug: a local operation met a share of another session");
    mpc_session_close(s);
    mpc_session_close(other);
}

/* ---- digests ---- */

struct digests {
    uint8_t of[3][2][2][32]; /* component, which of its holders, column */
    unsigned holders[3];
};

static fm_status digest_program(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct digests *d = arg;
    const int64_t x[70] = {3, 1, 4};
    uint8_t salt[32] = {9};
    struct mpc_share *in;
    struct mpc_share *c[2];
    unsigned held[MPC_MAX_COMPONENTS];
    unsigned count = mpc_session_held(s, held);
    uint8_t coin[1];

    TRY(feed(s, &in, 3, x, 70, (struct mpc_range){0, 9}, err));
    TRY(mpc_mul(&c[0], in, in, err));
    TRY(mpc_a2b(&c[1], in, err));
    for (unsigned i = 0; i < count; i++) {
        unsigned holder = held[i] == mpc_session_self(s) ? 0 : 1;
        for (unsigned k = 0; k < 2; k++)
            TRY(mpc_share_digest(c[k], held[i], salt, d->of[held[i]][holder][k], err));
    }
    if (count > 0 &&
        mpc_share_digest(c[0], (held[1] + 1) % 3, salt, d->of[0][0][0], err) != FM_E_ARG)
        return base_err_set(err, FM_E_INVALID, "a digest of a component that is not here");
    return mpc_coin(s, coin, 1, err);
}

static void both_holders_agree_on_digests(void **state)
{
    struct world w = {.row = mpc_protocol_find("rep3"), .outsiders = 1};
    struct digests d = {0};
    const uint8_t nothing[32] = {0};

    (void)state;
    world_must_run(&w, digest_program, &d);
    for (unsigned c = 0; c < 3; c++) {
        for (unsigned k = 0; k < 2; k++) {
            assert_memory_equal(d.of[c][0][k], d.of[c][1][k], 32);
            assert_memory_not_equal(d.of[c][0][k], nothing, 32);
            assert_memory_not_equal(d.of[c][0][k], d.of[(c + 1) % 3][0][k], 32);
        }
    }
}

/* The format of session.h, written out by hand; bits past n are cleared, whatever stands there. */
static void a_digest_is_what_the_header_says(void **state)
{
    struct mpc_session *s = alone();
    struct mpc_share *bits;
    struct mpc_share *flipped;
    struct base_err err;
    uint8_t salt[32];
    uint8_t got[32];
    uint8_t expected[32];
    uint8_t text[22 + 32 + 4 + 8 + 2 * 16] = "firmiana mpc share v1";
    uint8_t *p = text + 22;

    (void)state;
    memset(salt, 0x5a, sizeof salt);
    memcpy(p, salt, 32);
    memcpy(p + 32, (const uint8_t[]){MPC_BITS, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 70}, 12);
    memset(p + 44, 0xff, 8); /* plane 0: elements 0..63, then 64..69 */
    p[52] = 0x3f;
    memset(p + 53, 0, 7);
    memset(p + 60, 0, 16); /* plane 1 */
    base_hash(expected, text, sizeof text);
    assert_int_equal(mpc_bits_constant(s, &bits, 2, 2, 70, &err), FM_OK);
    assert_int_equal(mpc_not(&flipped, bits, &err), FM_OK);
    assert_int_equal(mpc_share_digest(flipped, 0, salt, got, &err), FM_OK);
    assert_memory_equal(got, expected, 32);
    mpc_session_close(s);
}

static void every_opening_is_checked_first(void **state)
{
    struct mpc_debug debug;
    struct mpc_session *s;
    struct mpc_share *x;
    struct base_err err;
    int64_t value = 0;
    int64_t *place = &value;
    struct mpc_session_config c = {.compute = (const unsigned[]){0},
                                   .compute_len = 1,
                                   .streams = 1,
                                   .random = base_random_system()};

    (void)state;
    mpc_debug_init(&debug, mpc_protocol_find("plain"));
    c.protocol = &debug.row;
    assert_int_equal(mpc_session_open(&s, &c, &err), FM_OK);
    assert_int_equal(mpc_constant(s, &x, 5, 1, &err), FM_OK);
    debug.fail_at = debug.operations + 1; /* the check before the reveal */
    assert_int_equal(tell(x, 0, &value, &err), FM_E_IO);
    assert_int_equal(value, 0);
    assert_int_equal(debug.count[MPC_OP_REVEAL].calls, 0);
    debug.fail_at = debug.operations + 1;
    assert_int_equal(mpc_open_masked((const struct mpc_share *const *)&x, 1, &place, &err),
                     FM_E_IO);
    assert_int_equal(value, 0);
    debug.fail_at = 0;
    assert_int_equal(tell(x, 0, &value, &err), FM_OK);
    assert_int_equal(value, 5);
    assert_int_equal(debug.count[MPC_OP_CHECK].calls, 3);
    mpc_session_close(s);
}

/* ---- random programs ---- */

enum { POOL = 6, STEPS = 40, LEN = 130 };

struct random_program {
    uint64_t seed;
    enum mpc_profile profile;
    int64_t ring[POOL][LEN];
    int64_t bits[POOL][LEN];
};

/* One step: overwrites a ring column or a bit column with an operation on others. All choices come
 * from the public seed. */
static fm_status random_step(struct test_rng *rng, struct mpc_share **ring, struct mpc_share **bit,
                             struct base_err *err)
{
    struct mpc_share *z = NULL;
    unsigned a = (unsigned)(rng_next(rng) >> 32) % POOL;
    unsigned b = (unsigned)(rng_next(rng) >> 32) % POOL;
    unsigned to = (unsigned)(rng_next(rng) >> 32) % POOL;
    int64_t c = rng_value(rng);
    unsigned kind = (unsigned)(rng_next(rng) >> 32) % 14;
    bool makes_bit = kind >= 7;

    switch (kind) {
    case 0:
        TRY(mpc_add(&z, ring[a], ring[b], err));
        break;
    case 1:
        TRY(mpc_sub(&z, ring[a], ring[b], err));
        break;
    case 2:
        TRY(mpc_mul(&z, ring[a], ring[b], err));
        break;
    case 3:
        TRY(mpc_scale(&z, ring[a], c, err));
        break;
    case 4:
        TRY(mpc_select(&z, bit[a], ring[a], ring[b], err));
        break;
    case 5:
        TRY(mpc_bit2a(&z, bit[a], err));
        break;
    case 6:
        TRY(mpc_add_constant(&z, ring[a], c, err));
        break;
    case 7:
        TRY(mpc_less(&z, ring[a], ring[b], err));
        break;
    case 8:
        TRY(mpc_equal(&z, ring[a], ring[b], err));
        break;
    case 9:
        TRY(mpc_and(&z, bit[a], bit[b], err));
        break;
    case 10:
        TRY(mpc_or(&z, bit[a], bit[b], err));
        break;
    case 11:
        TRY(mpc_not(&z, bit[a], err));
        break;
    case 12:
        TRY(mpc_less_public(&z, ring[a], c, err));
        break;
    default:
        TRY(mpc_xor(&z, bit[a], bit[b], err));
        break;
    }
    mpc_share_free(makes_bit ? bit[to] : ring[to]);
    if (makes_bit)
        bit[to] = z;
    else
        ring[to] = z;
    return FM_OK;
}

static fm_status widen_range(struct mpc_share **x, struct base_err *err)
{
    struct mpc_share *zero;
    struct mpc_share *z;

    /* bits become ring elements 0..1: give them the full range again, so that arithmetic wraps */
    TRY(mpc_constant(mpc_share_session(*x), &zero, 0, mpc_share_n(*x), err));
    TRY(mpc_add_wrapping(&z, *x, zero, err));
    mpc_share_free(zero);
    mpc_share_free(*x);
    *x = z;
    return FM_OK;
}

static fm_status random_run(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct random_program *k = arg;
    struct test_rng rng = {k->seed};
    struct mpc_share *ring[POOL];
    struct mpc_share *bit[POOL];
    int64_t values[LEN];
    uint64_t flags[LEN];
    fm_status status = FM_OK;

    for (unsigned p = 0; p < POOL; p++) {
        for (unsigned i = 0; i < LEN; i++) {
            values[i] = rng_value(&rng);
            flags[i] = rng_next(&rng) >> 63;
        }
        TRY(feed(s, &ring[p], 0, values, LEN, MPC_RANGE_FULL, err));
        TRY(feed_bits(s, &bit[p], 0, flags, LEN, 1, err));
    }
    for (unsigned step = 0; status == FM_OK && step < STEPS; step++) {
        status = random_step(&rng, ring, bit, err);
        for (unsigned p = 0; status == FM_OK && p < POOL; p++)
            if (mpc_share_range(ring[p]).lo != INT64_MIN)
                status = widen_range(&ring[p], err);
    }
    for (unsigned p = 0; status == FM_OK && p < POOL; p++) {
        status = tell(ring[p], 0, k->ring[p], err);
        if (status == FM_OK)
            status = tell(bit[p], 0, k->bits[p], err);
    }
    return status;
}

static void random_programs_agree_with_plain(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 25; seed++) {
        struct random_program plain = {.seed = seed * 7919};
        struct random_program rep3 = {.seed = seed * 7919};
        struct world w = {.row = mpc_protocol_find("plain")};

        world_must_run(&w, random_run, &plain);
        w = (struct world){.row = mpc_protocol_find("rep3"),
                           .profile = (enum mpc_profile)(seed % 2)};
        world_must_run(&w, random_run, &rep3);
        if (memcmp(plain.ring, rep3.ring, sizeof plain.ring) != 0 ||
            memcmp(plain.bits, rep3.bits, sizeof plain.bits) != 0)
            fail_msg("seed %llu: rep3 and plain differ", (unsigned long long)seed * 7919);
    }
}

/* A text hash of 128 bits, packed from bytes, equal or not. */
static fm_status text_program(struct mpc_session *s, void *arg, struct base_err *err)
{
    int64_t *got = arg;
    uint8_t hashes[3][16] = {{1, 2}, {1, 2}, {1, 2}};
    uint64_t planes[128];
    struct mpc_input item = {.domain = MPC_BITS, .owner = 3, .n = 3, .width = 128};
    struct mpc_share *x;
    struct mpc_share *first;
    struct mpc_share *z;

    hashes[1][15] = 1;
    hashes[2][0] = 0x81;
    mpc_pack_bytes(planes, &hashes[0][0], 3, 128);
    if (mpc_session_self(s) == 3)
        item.planes = planes;
    TRY(mpc_input(s, &x, &item, 1, err));
    TRY(mpc_slice(&first, x, 0, 1, err));
    TRY(mpc_equal(&z, x, first, err));
    return tell(z, 0, got, err);
}

static void text_hashes_compare(void **state)
{
    struct world w = {.row = mpc_protocol_find("rep3"), .outsiders = 1};
    int64_t got[3] = {7, 7, 7};

    (void)state;
    world_must_run(&w, text_program, got);
    assert_int_equal(got[0], 1);
    assert_int_equal(got[1], 0);
    assert_int_equal(got[2], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_arguments_are_refused),
        cmocka_unit_test(sessions_refuse_nonsense),
        cmocka_unit_test(validation_sees_every_slot),
        cmocka_unit_test(the_debug_row_sees_foreign_shares),
        cmocka_unit_test(both_holders_agree_on_digests),
        cmocka_unit_test(a_digest_is_what_the_header_says),
        cmocka_unit_test(every_opening_is_checked_first),
        cmocka_unit_test(random_programs_agree_with_plain),
        cmocka_unit_test(text_hashes_compare),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
