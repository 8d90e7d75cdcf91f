/* Which way each circuit goes, as a table over links and lengths (choice.h); that what runs is what
 * the table says, and right; and the model itself: the way chosen is never the slower by it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mpc/choice.h"
#include "mpc/rep3/masked_tree.h"
#include "mpc/rep3/rep3.h"
#include "mpc/test_world.h"

enum { LENGTHS = 5, LINKS = 3 };

static const size_t lengths[LENGTHS] = {1000, 10000, 100000, 1000000, 10000000};

/* ---- names ---- */

static void links_have_names(void **state)
{
    enum mpc_profile p = MPC_FEW_BYTES;

    (void)state;
    assert_true(mpc_link_find(&p, "lan") && p == MPC_LAN);
    assert_true(mpc_link_find(&p, "metro") && p == MPC_METRO);
    assert_true(mpc_link_find(&p, "wan") && p == MPC_WAN);
    assert_false(mpc_link_find(&p, "far"));
    assert_false(mpc_link_find(&p, ""));
    assert_int_equal(p, MPC_WAN);
    assert_null(mpc_link_of(MPC_FEW_ROUNDS));
    assert_null(mpc_link_of(MPC_FEW_BYTES));
}

/* ---- the table: rounds of the way chosen ---- */

enum circuit { SIGN, ZERO, BITS };

static struct mpc_rep3_cost cost_of(enum circuit what, unsigned width, size_t n,
                                    enum mpc_profile profile)
{
    switch (what) {
    case SIGN:
        return mpc_rep3_msb_cost(width, n, mpc_rep3_msb_way(width, n, profile));
    case ZERO:
        return mpc_rep3_eqz_cost(width, n, profile);
    default:
        return mpc_rep3_a2b_cost(width, mpc_rep3_a2b_way(width, n, profile));
    }
}

static void the_table(void **state)
{
    static const struct {
        enum circuit what;
        unsigned width;
        unsigned rounds[LINKS][LENGTHS];
    } table[] = {
        {SIGN, 20, {{4, 4, 4, 4, 4}, {4, 4, 4, 4, 20}, {4, 4, 4, 4, 4}}},
        {SIGN, 42, {{4, 4, 5, 5, 5}, {4, 4, 4, 5, 42}, {4, 4, 4, 4, 5}}},
        {SIGN, 64, {{4, 5, 5, 5, 5}, {4, 4, 5, 5, 64}, {4, 4, 4, 5, 5}}},
        {ZERO, 20, {{4, 4, 4, 4, 4}, {4, 4, 4, 4, 4}, {4, 4, 4, 4, 4}}},
        {ZERO, 64, {{4, 5, 5, 5, 5}, {4, 4, 5, 5, 5}, {4, 4, 4, 5, 5}}},
        {BITS, 20, {{6, 6, 6, 20, 20}, {6, 6, 6, 20, 20}, {6, 6, 6, 6, 20}}},
        {BITS, 64, {{6, 6, 6, 64, 64}, {6, 6, 6, 64, 64}, {6, 6, 6, 6, 64}}},
    };

    (void)state;
    for (size_t r = 0; r < sizeof table / sizeof table[0]; r++)
        for (unsigned l = 0; l < LINKS; l++)
            for (unsigned i = 0; i < LENGTHS; i++) {
                struct mpc_rep3_cost cost =
                    cost_of(table[r].what, table[r].width, lengths[i], MPC_LAN + l);

                if (cost.rounds != table[r].rounds[l][i])
                    fail_msg("circuit %d of %u bits, %zu elements, %s: %u rounds, not %u",
                             (int)table[r].what, table[r].width, lengths[i],
                             mpc_link_of(MPC_LAN + l)->name, cost.rounds, table[r].rounds[l][i]);
            }
}

/* Neither fixed profile is quicker by the model, and a longer delay never gives more rounds at the
 * same rate. */
static void no_fixed_way_is_quicker(void **state)
{
    (void)state;
    for (enum circuit c = SIGN; c <= BITS; c++)
        for (unsigned k = 1; k <= 64; k++)
            for (unsigned i = 0; i < LENGTHS; i++) {
                size_t n = lengths[i];

                for (enum mpc_profile link = MPC_LAN; link <= MPC_WAN; link++) {
                    uint64_t ns = mpc_way_ns(link, masked_way(cost_of(c, k, n, link), n));

                    for (enum mpc_profile p = MPC_FEW_ROUNDS; p <= MPC_FEW_BYTES; p++)
                        assert_true(ns <= mpc_way_ns(link, masked_way(cost_of(c, k, n, p), n)));
                }
                assert_true(cost_of(c, k, n, MPC_WAN).rounds <= cost_of(c, k, n, MPC_METRO).rounds);
            }
}

/* ---- what runs ---- */

enum { MOST = 20000, COLUMNS = 4 };

struct numbers {
    size_t n;
    unsigned width;
    int64_t x[MOST];
    int64_t got[COLUMNS][MOST];
    uint64_t rounds[COLUMNS];
};

/* The sign, is it zero, the bits, and back from the bits. */
static fm_status convert(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct numbers *k = arg;
    struct mpc_share *x, *z[COLUMNS];
    struct mpc_stats stats[COLUMNS + 1];
    const struct mpc_share *in[1];

    TRY(feed(s, &x, 0, k->x, k->n, MPC_RANGE_FULL, err));
    in[0] = x;
    mpc_session_stats(s, &stats[0]);
    TRY(mpc_msb_list(&z[0], in, &k->width, 1, err));
    mpc_session_stats(s, &stats[1]);
    TRY(mpc_eqz_list(&z[1], in, &k->width, 1, err));
    mpc_session_stats(s, &stats[2]);
    TRY(mpc_a2b_list(&z[2], in, &k->width, 1, err));
    mpc_session_stats(s, &stats[3]);
    TRY(mpc_b2a(&z[3], z[2], MPC_SIGNED, err));
    mpc_session_stats(s, &stats[4]);
    for (unsigned i = 0; i < COLUMNS; i++) {
        TRY(tell(z[i], 0, k->got[i], err));
        if (mpc_session_self(s) == 0)
            k->rounds[i] = stats[i + 1].rounds - stats[i].rounds;
    }
    return FM_OK;
}

static void check(struct numbers *k, enum mpc_profile link)
{
    struct world w = {.row = mpc_protocol_find("rep3"), .profile = link};

    world_must_run(&w, convert, k);
    world_clear(&w);
    for (enum circuit c = SIGN; c <= BITS; c++)
        assert_int_equal(k->rounds[c], cost_of(c, k->width, k->n, link).rounds);
    for (size_t i = 0; i < k->n; i++) {
        uint64_t low = (uint64_t)k->x[i] << (64 - k->width);

        assert_int_equal(k->got[0][i] != 0, low >> 63);
        assert_int_equal(k->got[1][i] != 0, low == 0);
        assert_int_equal(k->got[2][i], low >> (64 - k->width));
        assert_int_equal(k->got[3][i], (int64_t)low >> (64 - k->width));
    }
}

static void what_runs_is_right_and_in_the_table(void **state)
{
    static const size_t sizes[] = {1, 130, 9000, MOST};
    static const unsigned widths[] = {1, 2, 7, 20, 43, 63, 64};
    static struct numbers k;
    struct test_rng rng = {41};

    (void)state;
    for (enum mpc_profile link = MPC_LAN; link <= MPC_WAN; link++)
        for (unsigned w = 0; w < sizeof widths / sizeof widths[0]; w++)
            for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
                k.n = sizes[i];
                k.width = widths[w];
                for (size_t j = 0; j < k.n; j++)
                    k.x[j] = j % 5 == 0 ? 0 : rng_value(&rng);
                check(&k, link);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_have_names),
        cmocka_unit_test(the_table),
        cmocka_unit_test(no_fixed_way_is_quicker),
        cmocka_unit_test(what_runs_is_right_and_in_the_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
