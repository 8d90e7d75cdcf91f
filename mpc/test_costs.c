/* What rep3.h promises of bytes and rounds, exactly: bytes from the transport's counters, summed
 * over the parties; rounds as the longest chain of dependent messages, which the test's transport
 * measures, and as the session's own counter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "mpc/circuit/adder.h"
#include "mpc/circuit/aggregate.h"
#include "mpc/circuit/compare.h"
#include "mpc/circuit/select.h"
#include "mpc/rep3/rep3.h"
#include "mpc/test_world.h"

enum what {
    NOTHING,
    MUL,
    MUL_LIST,
    DOT,
    DOT_COLUMNS,
    AND,
    OR,
    A2B,
    MSB,
    EQZ,
    BIT2A,
    BIT_COUNT,
    B2A,
    OPEN,
    REVEAL_INSIDE,
    REVEAL_OUTSIDE,
    REVEAL_ALL,
    INPUT_INSIDE,
    INPUT_OUTSIDE,
    PERM,
    COIN,
    LESS,
    LESS_FULL,
    EQUAL,
    EQUAL_TEXT,
    SELECT,
    KEEP_BITS,
    COUNT,
    SUM_WHERE,
    LOCAL
};

struct cost {
    enum what what;
    size_t n;
    unsigned width; /* of ranges and bits */
    uint64_t sent[WORLD_PARTIES];
    uint64_t rounds[WORLD_PARTIES];
    uint64_t ands;
};

static fm_status reveal_to(const struct mpc_share *x, const unsigned *to, size_t count,
                           struct base_err *err)
{
    int64_t *out = calloc(mpc_share_n(x) + 1, 8);
    fm_status status;

    if (out == NULL)
        return base_err_memory(err, "test");
    status = mpc_reveal(&x, 1, to, count, &out, err);
    free(out);
    return status;
}

/* The columns that operations are tried on. */
struct operands {
    struct mpc_share *x;
    struct mpc_share *y;
    struct mpc_share *b; /* one plane */
    struct mpc_share *c; /* `width` planes */
};

static fm_status open_it(const struct mpc_share *x, struct base_err *err)
{
    int64_t *opened = calloc(mpc_share_n(x) + 1, 8);
    fm_status status = mpc_open_masked(&x, 1, &opened, err);

    free(opened);
    return status;
}

static fm_status input_of(struct mpc_session *s, unsigned owner, size_t n, struct base_err *err)
{
    struct mpc_share *z;
    int64_t *values = calloc(n + 1, 8);
    fm_status status = feed(s, &z, owner, values, n, (struct mpc_range){0, 1}, err);

    free(values);
    return status;
}

static fm_status shuffle(struct mpc_session *s, const struct mpc_share *x, struct base_err *err)
{
    struct mpc_share *z;
    struct mpc_perm *perm;
    fm_status status = mpc_perm_random(s, &perm, mpc_share_n(x), err);

    if (status == FM_OK)
        status = mpc_perm_apply(perm, MPC_FORWARD, &z, &x, 1, err);
    mpc_perm_free(perm);
    return status;
}

static fm_status local_things(struct mpc_session *s, const struct operands *o, struct base_err *err)
{
    struct mpc_share *z;

    TRY(mpc_add_wrapping(&z, o->x, o->y, err));
    TRY(mpc_not(&z, o->c, err));
    return mpc_random_bit(s, &z, mpc_share_n(o->x), err);
}

static fm_status perform(struct mpc_session *s, const struct cost *k, const struct operands *o,
                         struct base_err *err)
{
    struct mpc_share *z[2];
    const struct mpc_share *xs[2] = {o->x, o->y};
    const struct mpc_share *b = o->b;
    const unsigned widths[2] = {k->width, k->width};
    uint8_t coin[20];

    switch (k->what) {
    case NOTHING:
        return FM_OK;
    case MUL:
        return mpc_mul(z, o->x, o->y, err);
    case MUL_LIST:
        return mpc_mul_list(z, xs, xs, 2, err);
    case DOT:
        return mpc_dot(z, o->x, o->y, err);
    case DOT_COLUMNS:
        return mpc_dot_columns(z, xs, xs, 2, err);
    case AND:
        return mpc_and(z, o->c, o->c, err);
    case OR:
        return mpc_or(z, b, b, err);
    case A2B:
        return mpc_a2b_list(z, xs, widths, 1, err);
    case MSB:
        return mpc_msb_list(z, xs, widths, 2, err);
    case EQZ:
        return mpc_eqz_list(z, xs, widths, 1, err);
    case BIT2A:
        return mpc_bit2a(z, b, err);
    case BIT_COUNT:
        return mpc_bit_count_list(z, &b, 1, err);
    case B2A:
        return mpc_b2a(z, o->c, MPC_SIGNED, err);
    case OPEN:
        return open_it(o->x, err);
    case REVEAL_INSIDE:
        return reveal_to(o->x, (const unsigned[]){1}, 1, err);
    case REVEAL_OUTSIDE:
        return reveal_to(o->x, (const unsigned[]){3}, 1, err);
    case REVEAL_ALL:
        return reveal_to(o->c, (const unsigned[]){0, 1, 2, 3}, 4, err);
    case INPUT_INSIDE:
        return input_of(s, 2, k->n, err);
    case INPUT_OUTSIDE:
        return input_of(s, 3, k->n, err);
    case PERM:
        return shuffle(s, o->x, err);
    case COIN:
        return mpc_coin(s, coin, sizeof coin, err);
    case LESS:
    case LESS_FULL:
        return mpc_less(z, o->x, o->y, err);
    case EQUAL:
        return mpc_equal(z, o->x, o->y, err);
    case EQUAL_TEXT:
        return mpc_equal(z, o->c, o->c, err);
    case SELECT:
        return mpc_select(z, b, o->x, o->y, err);
    case KEEP_BITS:
        return mpc_keep(z, b, o->c, err);
    case COUNT:
        return mpc_count(z, b, err);
    case SUM_WHERE:
        return mpc_sum_where(z, o->x, b, err);
    case LOCAL:
        return local_things(s, o, err);
    }
    return base_err_set(err, FM_E_ARG, "no such operation");
}

/* Two columns come from the two neighbours: after doing this twice all clocks agree. */
static fm_status hear_of_everyone(const struct mpc_share *x, struct base_err *err)
{
    const struct mpc_share *two[2] = {x, x};
    int64_t *out[2] = {calloc(mpc_share_n(x) + 1, 8), calloc(mpc_share_n(x) + 1, 8)};
    fm_status status = mpc_reveal(two, 2, (const unsigned[]){0, 1, 2}, 3, out, err);

    free(out[0]);
    free(out[1]);
    return status;
}

static fm_status program(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct cost *k = arg;
    unsigned self = mpc_session_self(s);
    uint64_t *zeros = calloc(k->n + 128, 8);
    struct mpc_range range = {-(INT64_C(1) << (k->width - 2)), (INT64_C(1) << (k->width - 2)) - 1};
    struct operands o;
    struct mpc_input item = {.domain = MPC_BITS, .owner = 0, .n = k->n, .width = k->width};
    struct mpc_stats before;
    struct mpc_stats after;
    fm_status status;

    if (k->what == LESS_FULL)
        range = MPC_RANGE_FULL;
    if (self == 0)
        item.planes = zeros;
    TRY(feed(s, &o.x, 0, (int64_t *)zeros, k->n, range, err));
    TRY(feed(s, &o.y, 0, (int64_t *)zeros, k->n, range, err));
    TRY(feed_bits(s, &o.b, 0, zeros, k->n, 1, err));
    TRY(mpc_input(s, &o.c, &item, 1, err));
    free(zeros);
    for (unsigned i = 0; i < 2; i++)
        TRY(hear_of_everyone(o.b, err));
    mpc_session_stats(s, &before);
    status = perform(s, k, &o, err);
    mpc_session_stats(s, &after);
    k->sent[self] = after.bytes_sent - before.bytes_sent;
    k->rounds[self] = after.rounds - before.rounds;
    if (self == 0)
        k->ands = after.and_gates - before.and_gates;
    return status;
}

static uint64_t run(struct cost *k, enum mpc_profile profile)
{
    struct world w = {.row = mpc_protocol_find("rep3"), .outsiders = 1, .profile = profile};

    world_must_run(&w, program, k);
    world_clear(&w);
    return w.depth;
}

static void costs(enum what what, size_t n, unsigned width, enum mpc_profile profile,
                  uint64_t bytes, uint64_t rounds)
{
    struct cost idle = {.what = NOTHING, .n = n, .width = width};
    struct cost k = {.what = what, .n = n, .width = width};
    uint64_t depth = run(&k, profile) - run(&idle, profile);
    uint64_t sent = k.sent[0] + k.sent[1] + k.sent[2] + k.sent[3];

    if (sent != bytes || depth != rounds || k.rounds[0] != rounds)
        fail_msg("operation %d, n = %zu, width %u: %llu bytes in %llu rounds (counted %llu), not "
                 "%llu in %llu",
                 what, n, width, (unsigned long long)sent, (unsigned long long)depth,
                 (unsigned long long)k.rounds[0], (unsigned long long)bytes,
                 (unsigned long long)rounds);
}

static void every_operation_costs_what_it_says(void **state)
{
    static const size_t lengths[] = {1, 64, 65, 1000};
    const struct mpc_costs *c = &mpc_protocol_find("rep3")->costs;

    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        uint64_t n = lengths[i];
        uint64_t w = (n + 63) / 64;

        costs(LOCAL, n, 20, MPC_FEW_ROUNDS, 0, 0);
        costs(MUL, n, 20, MPC_FEW_ROUNDS, c->mul_bytes * n, c->mul_rounds);
        costs(MUL_LIST, n, 20, MPC_FEW_ROUNDS, 2 * 24 * n, 1);
        costs(DOT, n, 20, MPC_FEW_ROUNDS, 24, 1);
        costs(DOT_COLUMNS, n, 20, MPC_FEW_ROUNDS, 24 * n, 1);
        costs(AND, n, 20, MPC_FEW_ROUNDS, c->and_bytes * 20 * w, c->and_rounds);
        costs(OR, n, 20, MPC_FEW_ROUNDS, 24 * w, 1);
        costs(BIT2A, n, 20, MPC_FEW_ROUNDS, c->bit2a_bytes * n, c->bit2a_rounds);
        costs(BIT_COUNT, n, 20, MPC_FEW_ROUNDS, 8 * n + 24, 2);
        costs(COUNT, n, 20, MPC_FEW_ROUNDS, 8 * n + 24, 2);
        costs(B2A, n, 20, MPC_FEW_ROUNDS, 24 * n * 20, 2);
        costs(OPEN, n, 20, MPC_FEW_ROUNDS, c->open_bytes * n, c->open_rounds);
        costs(REVEAL_INSIDE, n, 20, MPC_FEW_ROUNDS, 8 * n, 1);
        costs(REVEAL_OUTSIDE, n, 20, MPC_FEW_ROUNDS, 3 * 8 * n, 1);
        costs(REVEAL_ALL, n, 20, MPC_FEW_ROUNDS, (3 + 3) * 8 * 20 * w, 1);
        costs(INPUT_INSIDE, n, 20, MPC_FEW_ROUNDS, 8 * n, 1);
        costs(PERM, n, 20, MPC_FEW_ROUNDS, 32 * n, 2);
        costs(COIN, n, 20, MPC_FEW_ROUNDS, 3 * 24, 1);
        costs(SELECT, n, 20, MPC_FEW_ROUNDS, 48 * n, 3);
        costs(KEEP_BITS, n, 20, MPC_FEW_ROUNDS, 24 * 20 * w, 1);
        costs(SUM_WHERE, n, 20, MPC_FEW_ROUNDS, 24 * n + 24, 3);
    }
}

/* The outside owner has no clock in step with the others: its first message counts from 1, so the
 * chain is measured from its own start. Bytes are exact. */
static void an_outside_input_costs_what_it_says(void **state)
{
    struct cost k = {.what = INPUT_OUTSIDE, .n = 1000, .width = 20};

    (void)state;
    run(&k, MPC_FEW_ROUNDS);
    assert_int_equal(k.sent[3], 4 * 32 + 2 * 8 * 1000);
    assert_int_equal(k.sent[0] + k.sent[1] + k.sent[2], 96);
    assert_int_equal(k.rounds[0], 2);
}

static void every_circuit_costs_what_it_says(void **state)
{
    (void)state;
    for (unsigned profile = 0; profile < 2; profile++) {
        for (unsigned width = 2; width <= 64; width += width < 8 ? 1 : 7) {
            enum mpc_profile p = (enum mpc_profile)profile;
            uint64_t n = 130;
            uint64_t w = 3;
            struct mpc_rep3_cost a2b = mpc_rep3_a2b_cost(width, p);
            struct mpc_rep3_cost msb = mpc_rep3_msb_cost(width, n, p);
            struct mpc_rep3_cost eqz = mpc_rep3_eqz_cost(width, n, p);
            struct mpc_circuit_cost all = mpc_all_cost(width);

            costs(A2B, n, width, p, a2b.bytes * w, a2b.rounds);
            costs(MSB, n, width, p, 2 * msb.bytes * w, msb.rounds);
            costs(EQZ, n, width, p, eqz.bytes * w, eqz.rounds);
            /* operands of width - 1 bits: their difference has `width` */
            costs(LESS, n, width, p, msb.bytes * w, msb.rounds);
            costs(EQUAL_TEXT, n, width, p, 24 * w * all.ands, all.rounds);
        }
    }
}

/* What the dealer shares, twice what the other two open, counted by hand: joining k groups deals
 * all products of two or more of their P, and each G with those above it. */
static void signs_by_groups_cost_what_they_say(void **state)
{
    struct mpc_rep3_cost c64 = mpc_rep3_msb_cost(64, 130, MPC_FEW_ROUNDS);
    struct mpc_rep3_cost long64 = mpc_rep3_msb_cost(64, 100000, MPC_FEW_ROUNDS);
    struct mpc_rep3_cost c21 = mpc_rep3_msb_cost(21, 130, MPC_FEW_ROUNDS);
    struct mpc_rep3_cost c5 = mpc_rep3_msb_cost(5, 130, MPC_FEW_ROUNDS);

    (void)state;
    /* fifteen groups of four and one of three, the top bit: 16 G, 15 P; four of four: 4 G, 3 P; 1 G
     */
    assert_int_equal(c64.bytes, 8 * (15 * 15 + 7 + 1 + 15 + 3 * 22 + 15) + 16 * (31 + 7 + 1));
    assert_int_equal(c64.rounds, 4);
    /* 21 of three; 7 of three; two of two and one of three; one of three */
    assert_int_equal(long64.bytes,
                     8 * (21 * 7 + 1 + 5 + 6 * 8 + 1 + 2 + 8 + 5) + 16 * (41 + 13 + 5 + 1));
    assert_int_equal(long64.rounds, 5);
    /* six of three and one of two; two of two and one of three; one of three */
    assert_int_equal(c21.bytes, 8 * (6 * 7 + 3 + 1 + 1 + 2 + 8 + 5) + 16 * (13 + 5 + 1));
    assert_int_equal(c21.rounds, 4);
    assert_int_equal(c5.bytes, 8 * (15 + 1) + 16);
    assert_int_equal(c5.rounds, 2);
}

static void full_range_less_is_three_signs_and_an_and(void **state)
{
    struct mpc_rep3_cost msb = mpc_rep3_msb_cost(64, 130, MPC_FEW_ROUNDS);
    uint64_t w = 3;

    (void)state;
    costs(LESS_FULL, 130, 64, MPC_FEW_ROUNDS, 3 * msb.bytes * w + 24 * w, 1 + msb.rounds);
}

/* Dealers take turns by operation and, in long columns, by chunk: three dealings load all parties
 * alike. */
static fm_status three_deals(struct mpc_session *s, void *arg, struct base_err *err)
{
    uint64_t *sent = arg;
    int64_t values[64] = {0};
    struct mpc_share *x;
    struct mpc_share *z;
    struct mpc_stats before;
    struct mpc_stats after;
    const unsigned width = 1;

    TRY(feed(s, &x, 0, values, 64, (struct mpc_range){-1, 0}, err));
    mpc_session_stats(s, &before);
    for (unsigned i = 0; i < 3; i++)
        TRY(mpc_msb_list(&z, (const struct mpc_share *const *)&x, &width, 1, err));
    mpc_session_stats(s, &after);
    sent[mpc_session_self(s)] = after.bytes_sent - before.bytes_sent;
    return FM_OK;
}

static void dealers_take_turns(void **state)
{
    struct world w = {.row = mpc_protocol_find("rep3")};
    uint64_t sent[3];

    (void)state;
    world_must_run(&w, three_deals, sent);
    for (unsigned p = 0; p < 3; p++)
        assert_int_equal(sent[p], 8);
}

/* Three permutations in turn load all parties alike, and each still does what it should. */
static fm_status three_shuffles(struct mpc_session *s, void *arg, struct base_err *err)
{
    uint64_t *sent = arg;
    int64_t values[100];
    int64_t out[100];
    struct mpc_share *x;
    struct mpc_share *z;
    struct mpc_share *back;
    struct mpc_perm *perm;
    struct mpc_stats before;
    struct mpc_stats after;

    for (int i = 0; i < 100; i++)
        values[i] = i;
    TRY(feed(s, &x, 0, values, 100, (struct mpc_range){0, 99}, err));
    mpc_session_stats(s, &before);
    for (unsigned turn = 0; turn < 3; turn++) {
        TRY(mpc_perm_random(s, &perm, 100, err));
        TRY(mpc_perm_apply(perm, turn == 1 ? MPC_INVERSE : MPC_FORWARD, &z,
                           (const struct mpc_share *const *)&x, 1, err));
        TRY(mpc_perm_apply(perm, turn == 1 ? MPC_FORWARD : MPC_INVERSE, &back,
                           (const struct mpc_share *const *)&z, 1, err));
        mpc_perm_free(perm);
        mpc_share_free(x);
        mpc_share_free(z);
        x = back;
    }
    mpc_session_stats(s, &after);
    sent[mpc_session_self(s)] = after.bytes_sent - before.bytes_sent;
    TRY(tell(x, 0, out, err));
    for (int i = 0; mpc_session_self(s) == 0 && i < 100; i++)
        if (out[i] != i)
            return base_err_set(err, FM_E_INVALID, "element %d is %lld", i, (long long)out[i]);
    return FM_OK;
}

static void shuffles_take_turns(void **state)
{
    struct world w = {.row = mpc_protocol_find("rep3")};
    uint64_t sent[3];

    (void)state;
    world_must_run(&w, three_shuffles, sent);
    for (unsigned p = 0; p < 3; p++)
        assert_int_equal(sent[p], 2 * 32 * 100);
}

/* The aims of the project for 64-bit operands, in bytes an element and party. */
static double mean_bytes(enum what what, enum mpc_profile profile, uint64_t *rounds)
{
    struct cost k = {.what = what, .n = 99968, .width = what == MUL ? 20 : 64};

    run(&k, profile);
    *rounds = k.rounds[0];
    return (double)(k.sent[0] + k.sent[1] + k.sent[2]) / 3 / (double)k.n;
}

static void aims_are_met(void **state)
{
    uint64_t rounds;

    (void)state;
    assert_true(mean_bytes(MUL, MPC_FEW_ROUNDS, &rounds) <= 8 && rounds == 1);
    assert_true(mean_bytes(LESS, MPC_FEW_ROUNDS, &rounds) <= 14.1 && rounds == 5);
    assert_true(mean_bytes(LESS_FULL, MPC_FEW_ROUNDS, &rounds) <= 42.3 && rounds == 6);
    assert_true(mean_bytes(LESS, MPC_FEW_BYTES, &rounds) <= 10.6 && rounds == 64);
    assert_true(mean_bytes(EQUAL, MPC_FEW_ROUNDS, &rounds) <= 10.4 && rounds == 5);
    assert_true(mean_bytes(EQUAL, MPC_FEW_BYTES, &rounds) <= 10.4 && rounds == 5);
    assert_true(mean_bytes(A2B, MPC_FEW_ROUNDS, &rounds) <= 25.9 && rounds == 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_costs_what_it_says),
        cmocka_unit_test(an_outside_input_costs_what_it_says),
        cmocka_unit_test(every_circuit_costs_what_it_says),
        cmocka_unit_test(signs_by_groups_cost_what_they_say),
        cmocka_unit_test(full_range_less_is_three_signs_and_an_and),
        cmocka_unit_test(dealers_take_turns),
        cmocka_unit_test(shuffles_take_turns),
        cmocka_unit_test(aims_are_met),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
