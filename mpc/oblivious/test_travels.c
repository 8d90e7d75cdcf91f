/* What the oblivious algorithms put on the wire: exactly what their headers say it costs; and its
 * sizes and order depend on secrets in no way, or through a uniformly random order only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "mpc/oblivious/compact.h"
#include "mpc/oblivious/group.h"
#include "mpc/oblivious/join.h"
#include "mpc/oblivious/scan.h"
#include "mpc/oblivious/test_rows.h"
#include "mpc/rep3/rep3.h"

enum { MOST = 4000 };

enum what {
    OF_RANKS,
    APPLY,
    TO_RANKS,
    COMPOSE,
    COMPACT,
    COMPACT_RING,
    FILL_DOWN,
    SORT,
    SORT_TWO_LIMBS,
    SORT_ONE_BIT,
    TOP,
    SCAN_MIN,
    GROUP,
    GROUP_IN_ORDER,
    FIND,
    FIND_UNIQUE,
    FIND_THREE,
    FIND_PAIRS
};

struct rows {
    enum what what;
    size_t n;
    int64_t key[MOST];
    int64_t x[MOST];
    uint64_t bit[MOST];
    uint64_t bytes[3];
    uint64_t rounds[3];
};

struct columns {
    struct mpc_share *key;
    struct mpc_share *wide; /* the key, of 64 bits */
    struct mpc_share *x;
    struct mpc_share *bit;
    struct mpc_share *ring; /* the bit as 0 / 1 */
    struct mpc_share *number;
    struct mpc_order *order;
};

static fm_status sort_by(const struct mpc_share *x, size_t k, struct base_err *err)
{
    struct mpc_sort_key by = {.x = x};
    struct mpc_order *order;
    fm_status status = mpc_top(&order, &by, 1, k, err);

    if (status == FM_OK)
        mpc_order_free(order);
    return status;
}

static fm_status group(const struct columns *c, struct base_err *err)
{
    struct mpc_sort_key key = {.x = c->key};
    struct mpc_group_item items[2] = {{.kind = MPC_GROUP_SUM, .x = c->x},
                                      {.kind = MPC_GROUP_MAX, .x = c->x}};
    struct mpc_group_by by = {.keys = &key, .keys_len = 1, .items = items, .items_len = 2};
    struct mpc_grouped z;

    return mpc_group(&z, &by, err);
}

/* Counts of distinct values and a percentile: both want the rows sorted by (key, x). */
static fm_status group_in_order(const struct columns *c, struct base_err *err)
{
    struct mpc_sort_key key = {.x = c->key};
    struct mpc_group_item items[2] = {
        {.kind = MPC_GROUP_COUNT_DISTINCT, .x = c->x, .where = c->bit},
        {.kind = MPC_GROUP_PERCENTILE, .x = c->x, .num = 1, .den = 2}};
    struct mpc_group_by by = {.keys = &key, .keys_len = 1, .items = items, .items_len = 2};
    struct mpc_grouped z;

    return mpc_group(&z, &by, err);
}

/* The lower half is the table, the upper one looks up. */
static fm_status find(const struct columns *c, struct mpc_lookup by, struct base_err *err)
{
    size_t half = mpc_share_n(c->key) / 2;
    struct mpc_share *part[3];
    struct mpc_found z;

    TRY(mpc_slice(&part[0], c->key, 0, half, err));
    TRY(mpc_slice(&part[1], c->key, half, half, err));
    TRY(mpc_slice(&part[2], c->x, 0, half, err));
    by.keys = by.values_len = 1;
    by.table.n = by.probe.n = half;
    by.table.key = (const struct mpc_share *const *)&part[0];
    by.probe.key = (const struct mpc_share *const *)&part[1];
    by.values = (const struct mpc_share *const *)&part[2];
    return mpc_find(&z, &by, err);
}

static fm_status perform(const struct rows *k, struct columns *c, struct base_err *err)
{
    struct mpc_order *order = NULL;
    struct mpc_share *z[2];
    const struct mpc_share *x[2] = {c->key, c->x};
    fm_status status = FM_OK;

    switch (k->what) {
    case OF_RANKS:
        status = mpc_order_of_ranks(&order, c->number, err);
        break;
    case APPLY:
        return mpc_order_apply(c->order, MPC_INVERSE, z, x, 2, err);
    case TO_RANKS:
        return mpc_order_to_ranks(c->order, z, err);
    case COMPOSE:
        status = mpc_order_compose(&order, c->order, c->order, err);
        break;
    case COMPACT:
        status = mpc_compact(&order, c->bit, err);
        break;
    case COMPACT_RING:
        status = mpc_compact(&order, c->ring, err);
        break;
    case FILL_DOWN:
        return mpc_fill_down(z, x, 2, c->ring, err);
    case SORT:
        return sort_by(c->key, k->n, err);
    case SORT_TWO_LIMBS:
        return sort_by(c->wide, k->n, err);
    case SORT_ONE_BIT:
        return sort_by(c->bit, k->n, err);
    case TOP:
        return sort_by(c->key, 10, err);
    case SCAN_MIN:
        return mpc_scan_min(z, c->x, c->bit, err);
    case GROUP:
        return group(c, err);
    case GROUP_IN_ORDER:
        return group_in_order(c, err);
    case FIND:
        return find(c, (struct mpc_lookup){.method = MPC_FIND_SORTED}, err);
    case FIND_UNIQUE:
        return find(c, (struct mpc_lookup){.method = MPC_FIND_SORTED, .probe_unique = true}, err);
    case FIND_THREE:
        return find(c, (struct mpc_lookup){.method = MPC_FIND_SORTED, .per_key = 3}, err);
    case FIND_PAIRS:
        return find(c, (struct mpc_lookup){.method = MPC_FIND_PAIRS}, err);
    }
    mpc_order_free(order);
    return status;
}

static fm_status program(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct rows *k = arg;
    unsigned self = mpc_session_self(s);
    struct columns c = {0};
    struct mpc_stats before;
    struct mpc_stats after;
    fm_status status;

    TRY(feed(s, &c.key, 0, k->key, k->n, (struct mpc_range){0, 99999}, err));
    TRY(feed(s, &c.wide, 0, k->key, k->n, MPC_RANGE_FULL, err));
    TRY(feed(s, &c.x, 0, k->x, k->n, (struct mpc_range){-999, 999}, err));
    TRY(feed_bits(s, &c.bit, 0, k->bit, k->n, 1, err));
    TRY(mpc_bit2a(&c.ring, c.bit, err));
    TRY(mpc_count_up(s, &c.number, k->n, err));
    TRY(mpc_order_random(s, &c.order, k->n, err));
    mpc_session_stats(s, &before);
    status = perform(k, &c, err);
    mpc_session_stats(s, &after);
    mpc_order_free(c.order);
    k->bytes[self] = after.bytes_sent - before.bytes_sent;
    k->rounds[self] = after.rounds - before.rounds;
    return status;
}

static uint64_t run(struct rows *k, enum mpc_profile profile)
{
    struct world w = {.row = mpc_protocol_find("rep3"), .profile = profile};

    world_must_run(&w, program, k);
    return k->bytes[0] + k->bytes[1] + k->bytes[2];
}

static void costs(enum what what, uint64_t bytes_a_row, uint64_t rounds)
{
    static struct rows k;

    k.what = what;
    k.n = 640;
    for (unsigned profile = 0; profile < 2; profile++) {
        uint64_t bytes = run(&k, profile == 0 ? MPC_FEW_ROUNDS : MPC_FEW_BYTES);

        if (bytes != bytes_a_row * k.n || k.rounds[0] != rounds)
            fail_msg("algorithm %d: %.2f bytes a row in %llu rounds, not %llu in %llu", what,
                     (double)bytes / (double)k.n, (unsigned long long)k.rounds[0],
                     (unsigned long long)bytes_a_row, (unsigned long long)rounds);
    }
}

static void costs_are_what_headers_say(void **state)
{
    (void)state;
    costs(OF_RANKS, 56, 3);
    costs(APPLY, 64, 2);
    costs(TO_RANKS, 32, 2);
    costs(COMPOSE, 32 + 32 + 56, 2 + 2 + 3);
    costs(COMPACT_RING, 80, 4);
    costs(COMPACT, 80 + 24, 6);
    costs(FILL_DOWN, 80 + 2 * (64 + 24), 4 + 2 + 2 + 1);
    costs(SORT_ONE_BIT, 80 + 24, 6);
}

/* A sort is one shuffle, and batches of comparisons of 17 + 12 bits, rounded up to whole words. In
 * the few-rounds profile those of short batches cost a round less and some bytes more. */
static void a_sort_is_what_its_header_says(void **state)
{
    static struct rows k;
    struct test_rng rng = {8};

    (void)state;
    k.n = MOST;
    for (size_t i = 0; i < k.n; i++)
        k.key[i] = (int64_t)(rng_next(&rng) % 100000);
    for (unsigned profile = 0; profile < 2; profile++) {
        enum mpc_profile p = profile == 0 ? MPC_FEW_ROUNDS : MPC_FEW_BYTES;
        struct mpc_rep3_cost msb = mpc_rep3_msb_cost(30, 100000, p);
        struct mpc_rep3_cost brief = mpc_rep3_msb_cost(30, 1, p);
        uint64_t bytes;
        double comparisons;

        k.what = SORT;
        bytes = run(&k, p) - 32 * k.n;
        if (profile == 1) {
            assert_int_equal(bytes % (msb.bytes + 24), 0);
            assert_int_equal((k.rounds[0] - 2) % (msb.rounds + 1), 0);
        }
        assert_true(brief.bytes >= msb.bytes && brief.bytes <= msb.bytes * 3 / 2);
        assert_true(brief.rounds <= msb.rounds);
        comparisons = (double)(bytes / (msb.bytes + 24) * 64) / (double)k.n;
        print_message("%.1f n comparisons in %llu batches\n", comparisons,
                      (unsigned long long)(k.rounds[0] - 2) / (msb.rounds + 1));
        assert_true(comparisons > 10.4); /* log2 n! is 10.5 n */
        assert_true(profile == 0 ? k.rounds[0] <= 65 : comparisons < 15);
        k.what = TOP;
        bytes = run(&k, p) - 32 * k.n;
        comparisons = (double)(bytes / (msb.bytes + 24) * 64) / (double)k.n;
        print_message("first 10: %.1f n\n", comparisons);
        assert_true(comparisons < (profile == 0 ? 12 : 6));
    }
}

/* ---- what travels ---- */

static void traced(struct world *w, struct rows *k, uint64_t seed)
{
    *w = (struct world){.row = mpc_protocol_find("rep3"), .trace = true, .seed = seed};
    world_must_run(w, program, k);
}

static void same_traces(const struct world *a, const struct world *b, const char *what)
{
    for (unsigned p = 0; p < 3; p++) {
        assert_true(strlen(a->traces[p]) > 20);
        if (strcmp(a->traces[p], b->traces[p]) != 0)
            fail_msg("%s: party %u's messages differ", what, p);
    }
}

/* Nothing at all depends on what is secret, whatever is drawn. */
static void some_algorithms_show_nothing(void **state)
{
    static const enum what all[] = {APPLY, COMPACT, SCAN_MIN, FILL_DOWN, SORT_ONE_BIT, FIND_PAIRS};
    static struct rows k;
    struct test_rng rng = {3};

    (void)state;
    k.n = 150;
    for (size_t a = 0; a < sizeof all / sizeof all[0]; a++) {
        struct world first, second;

        k.what = all[a];
        memset(k.key, 0, sizeof k.key);
        memset(k.bit, 0, sizeof k.bit);
        memset(k.x, 0, sizeof k.x);
        traced(&first, &k, 0);
        for (size_t i = 0; i < k.n; i++) {
            k.key[i] = (int64_t)(rng_next(&rng) % 100000);
            k.x[i] = (int64_t)(rng_next(&rng) % 999);
            k.bit[i] = rng_next(&rng) >> 63;
        }
        traced(&second, &k, 0);
        same_traces(&first, &second, "two tables");
        world_clear(&first);
        world_clear(&second);
    }
}

/* With the same draws, tables that are in the same order, but differ in everything else, make the
 * same messages: all keys equal, ascending, and ascending in other steps. */
static void sorts_show_the_shuffled_order_only(void **state)
{
    static const enum what all[] = {SORT,           SORT_TWO_LIMBS, TOP,         GROUP,
                                    GROUP_IN_ORDER, FIND,           FIND_UNIQUE, FIND_THREE};
    static struct rows k;

    (void)state;
    k.n = 300;
    for (size_t a = 0; a < sizeof all / sizeof all[0]; a++) {
        struct world first;

        k.what = all[a];
        for (unsigned table = 0; table < 3; table++) {
            struct world other;

            for (size_t i = 0; i < k.n; i++) {
                k.key[i] = (int64_t)(table == 0 ? 7 : table == 1 ? i : i * i);
                k.x[i] = (int64_t)(table == 2 ? 999 - i : i);
            }
            traced(table == 0 ? &first : &other, &k, 77);
            if (table > 0) {
                same_traces(&first, &other, "three tables");
                world_clear(&other);
            }
        }
        world_clear(&first);
    }
}

/* And that order is no more likely to be one than another: over many draws, the comparisons that
 * tables in different orders take agree in the mean. */
static void the_order_is_random(void **state)
{
    static struct rows k;
    double mean[3] = {0};

    (void)state;
    k.n = 400;
    k.what = SORT;
    for (unsigned table = 0; table < 3; table++)
        for (uint64_t seed = 1; seed <= 40; seed++) {
            struct world w = {
                .row = mpc_protocol_find("rep3"), .seed = seed, .profile = MPC_FEW_BYTES};

            for (size_t i = 0; i < k.n; i++)
                k.key[i] = (int64_t)(table == 0 ? i : table == 1 ? k.n - i : i * 7919 % k.n);
            world_must_run(&w, program, &k);
            mean[table] += (double)(k.bytes[0] + k.bytes[1] + k.bytes[2]) / 40;
        }
    for (unsigned table = 1; table < 3; table++)
        assert_true(mean[table] > 0.98 * mean[0] && mean[table] < 1.02 * mean[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(costs_are_what_headers_say),
        cmocka_unit_test(a_sort_is_what_its_header_says),
        cmocka_unit_test(some_algorithms_show_nothing),
        cmocka_unit_test(sorts_show_the_shuffled_order_only),
        cmocka_unit_test(the_order_is_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
