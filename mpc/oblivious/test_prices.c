/* What joins, groups and scans cost beyond the sort and the equalities in them: to the byte and the
 * round, as their headers say. The sort is paid for in another run with the same draws, and what
 * depends on it alone is then the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mpc/circuit/compare.h"
#include "mpc/oblivious/group.h"
#include "mpc/oblivious/join.h"
#include "mpc/oblivious/same_key.h"
#include "mpc/oblivious/scan.h"
#include "mpc/oblivious/test_rows.h"
#include "mpc/rep3/rep3.h"

/* Whole words, so that no plane is rounded up: n table rows and m probing ones, W words each. */
enum { N = 640, M = 1280, ALL = N + M, WN = N / 64, WM = M / 64, WALL = ALL / 64 };

struct price {
    uint64_t bytes; /* over all parties */
    uint64_t rounds;
};

struct sample {
    int64_t key[ALL];
    int64_t x[ALL];
    uint64_t bit[ALL];
    fm_status (*run)(const struct sample *t, struct base_err *err);
    size_t n;       /* of what is compared */
    size_t per_key; /* of a join; 0: of two unique sides */
    struct mpc_share *keys;
    struct mpc_share *values;
    struct mpc_share *bits;
    struct mpc_share *ring; /* the bits, as 0 / 1 */
    uint64_t bytes[3];
    uint64_t rounds[3];
};

static fm_status program(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct sample *k = arg;
    struct sample t = *k;
    unsigned self = mpc_session_self(s);
    struct mpc_stats before, after;
    fm_status status;

    TRY(feed(s, &t.keys, 0, k->key, ALL, (struct mpc_range){0, 99999}, err));
    TRY(feed(s, &t.values, 0, k->x, ALL, (struct mpc_range){-999, 999}, err));
    TRY(feed_bits(s, &t.bits, 0, k->bit, ALL, 1, err));
    TRY(mpc_bit2a(&t.ring, t.bits, err));
    mpc_session_stats(s, &before);
    status = t.run(&t, err);
    mpc_session_stats(s, &after);
    k->bytes[self] = after.bytes_sent - before.bytes_sent;
    k->rounds[self] = after.rounds - before.rounds;
    return status;
}

/* Distinct keys, or of few values. */
static struct price price_of(fm_status (*run)(const struct sample *, struct base_err *), size_t n,
                             size_t per_key, enum mpc_profile profile)
{
    static struct sample k;
    struct world w = {.row = mpc_protocol_find("rep3"), .profile = profile, .seed = 99};
    struct test_rng rng = {5};

    k.run = run;
    k.n = n;
    k.per_key = per_key;
    for (size_t i = 0; i < ALL; i++) {
        k.key[i] = (int64_t)(i * 7919 % N);
        k.x[i] = rng_in(&rng, (struct mpc_range){-999, 999});
        k.bit[i] = rng_next(&rng) % 2;
    }
    world_must_run(&w, program, &k);
    return (struct price){k.bytes[0] + k.bytes[1] + k.bytes[2], k.rounds[0]};
}

static struct price plus(struct price a, struct price b)
{
    return (struct price){a.bytes + b.bytes, a.rounds + b.rounds};
}

static void agree(struct price got, struct price parts, struct price rest, const char *what)
{
    struct price want = plus(parts, rest);

    if (got.bytes != want.bytes || got.rounds != want.rounds)
        fail_msg("%s: %lld bytes and %lld rounds beyond its parts, not %llu and %llu", what,
                 (long long)(got.bytes - parts.bytes), (long long)(got.rounds - parts.rounds),
                 (unsigned long long)rest.bytes, (unsigned long long)rest.rounds);
}

/* ---- the parts ---- */

static fm_status sorts(const struct sample *t, struct base_err *err)
{
    struct mpc_sort_key by = {.x = t->keys};
    struct mpc_order *order;

    TRY(mpc_sort(&order, &by, 1, err));
    mpc_order_free(order);
    return FM_OK;
}

/* Of t->n keys with as many others. */
static fm_status equals(const struct sample *t, struct base_err *err)
{
    struct mpc_share *x, *z;

    TRY(mpc_slice(&x, t->keys, 0, t->n, err));
    return mpc_equal(&z, x, x, err);
}

static fm_status anys(const struct sample *t, struct base_err *err)
{
    struct mpc_share *x, *z;

    TRY(mpc_slice(&x, t->bits, 0, t->n, err));
    return mpc_some(&z, x, err);
}

/* ---- joins ---- */

static fm_status joins(const struct sample *t, struct base_err *err)
{
    struct mpc_share *table, *probe, *value;
    struct mpc_found found;
    struct mpc_lookup by = {.keys = 1,
                            .table.n = N,
                            .probe.n = M,
                            .values_len = 1,
                            .per_key = t->per_key,
                            .probe_unique = t->per_key == 0,
                            .method = MPC_FIND_SORTED};

    TRY(mpc_slice(&table, t->keys, 0, N, err));
    TRY(mpc_slice(&probe, t->keys, N, M, err));
    TRY(mpc_slice(&value, t->values, 0, N, err));
    by.table.key = (const struct mpc_share *const *)&table;
    by.probe.key = (const struct mpc_share *const *)&probe;
    by.values = (const struct mpc_share *const *)&value;
    return mpc_find(&found, &by, err);
}

/* The same with two columns of sums on the way back. */
static fm_status sums_back(const struct sample *t, struct base_err *err)
{
    struct mpc_share *table, *probe, *value, *x[2] = {NULL}, *z[2];
    struct mpc_found found;
    fm_status st = FM_OK;
    struct mpc_lookup by = {.keys = 1,
                            .table.n = N,
                            .probe.n = M,
                            .values_len = 1,
                            .per_key = 1,
                            .method = MPC_FIND_SORTED,
                            .path = true};

    TRY(mpc_slice(&table, t->keys, 0, N, err));
    TRY(mpc_slice(&probe, t->keys, N, M, err));
    TRY(mpc_slice(&value, t->values, 0, N, err));
    by.table.key = (const struct mpc_share *const *)&table;
    by.probe.key = (const struct mpc_share *const *)&probe;
    by.values = (const struct mpc_share *const *)&value;
    TRY(mpc_find(&found, &by, err));
    for (size_t i = 0; st == FM_OK && i < 2; i++)
        st = mpc_constant(mpc_share_session(table), &x[i], 0, M, err);
    if (st == FM_OK)
        st = mpc_find_sums(z, found.path, (const struct mpc_share *const *)x, 2, err);
    mpc_find_path_free(found.path);
    return st;
}

/* 16 table rows and 40 probing ones: 640 pairs. */
static fm_status pairs(const struct sample *t, struct base_err *err)
{
    struct mpc_share *table, *probe, *value;
    struct mpc_found found;
    struct mpc_lookup by = {.keys = 1, .table.n = 16, .probe.n = 40, .values_len = 1};

    TRY(mpc_slice(&table, t->keys, 0, 16, err));
    TRY(mpc_slice(&probe, t->keys, 16, 40, err));
    TRY(mpc_slice(&value, t->values, 0, 16, err));
    by.table.key = (const struct mpc_share *const *)&table;
    by.probe.key = (const struct mpc_share *const *)&probe;
    by.values = (const struct mpc_share *const *)&value;
    return mpc_find(&found, &by, err);
}

static void pairs_cost_what_their_header_says(void **state)
{
    (void)state;
    agree(price_of(pairs, ALL, 1, MPC_FEW_ROUNDS),
          plus(price_of(equals, N, 1, MPC_FEW_ROUNDS), price_of(anys, N, 1, MPC_FEW_ROUNDS)),
          (struct price){(2 + 4 + 1) * 24 * WN + 48 * N, 2 + 4 + 1 + 3}, "all pairs");
}

static void joins_cost_what_their_header_says(void **state)
{
    const struct price places = {64 * ALL + 56 * N, 7};
    const struct price copies = {2 * (64 * N + 64 * ALL) + 64 * WN + 64 * WALL, 8};
    const struct price further = {32 * N + 64 * ALL + 32 * WN + 64 * WALL + 24 * WM, 7};

    (void)state;
    for (enum mpc_profile p = MPC_FEW_ROUNDS; p <= MPC_FEW_BYTES; p++) {
        struct price parts = price_of(sorts, ALL, 1, p);
        struct price equal = plus(price_of(equals, N, 1, p), price_of(equals, M, 1, p));
        struct price rest = plus(places, copies);

        rest = plus(rest, (struct price){24 * WN + 48 * WM, 3}); /* masks */
        parts = plus(plus(parts, equal), price_of(anys, N, 1, p));
        agree(price_of(joins, ALL, 1, p), parts, plus(rest, (struct price){(24 + 24) * M, 3}),
              "join");
        agree(price_of(sums_back, ALL, 1, p), price_of(joins, ALL, 1, p),
              (struct price){2 * 64 * (ALL + N), 8}, "sums on the way back");
        rest = plus(rest, (struct price){2 * 24 * WN, 2}); /* two rows above, three */
        rest = plus(plus(rest, further), further);
        agree(price_of(joins, ALL, 3, p), parts, plus(rest, (struct price){3 * (24 + 24) * M, 3}),
              "join, three rows a key");
        parts = plus(price_of(sorts, ALL, 1, p), price_of(equals, ALL, 1, p));
        parts = plus(parts, price_of(anys, ALL, 1, p));
        agree(price_of(joins, ALL, 0, p), parts,
              (struct price){96 * ALL + 48 * M + (3 * 32 + 3 * 24) * WALL, 9}, "unique join");
    }
}

/* ---- groups ---- */

static fm_status distinct(const struct sample *t, struct base_err *err)
{
    struct mpc_sort_key key = {.x = t->keys};
    struct mpc_grouped z;

    return mpc_group(&z, &(struct mpc_group_by){.keys = &key, .keys_len = 1}, err);
}

static fm_status group_of(const struct sample *t, const struct mpc_group_item *items, size_t count,
                          struct base_err *err)
{
    struct mpc_sort_key key = {.x = t->keys};
    struct mpc_grouped z;

    return mpc_group(
        &z, &(struct mpc_group_by){.keys = &key, .keys_len = 1, .items = items, .items_len = count},
        err);
}

static fm_status sums(const struct sample *t, struct base_err *err)
{
    struct mpc_group_item item = {.kind = MPC_GROUP_SUM, .x = t->values};

    return group_of(t, &item, 1, err);
}

static fm_status counts(const struct sample *t, struct base_err *err)
{
    struct mpc_group_item items[2] = {{.kind = MPC_GROUP_COUNT, .where = t->bits},
                                      {.kind = MPC_GROUP_COUNT, .x = t->bits}};

    return group_of(t, items, 2, err);
}

static fm_status firsts(const struct sample *t, struct base_err *err)
{
    struct mpc_group_item item = {.kind = MPC_GROUP_FIRST, .x = t->values};

    return group_of(t, &item, 1, err);
}

static fm_status extremes(const struct sample *t, struct base_err *err)
{
    struct mpc_group_item items[2] = {{.kind = MPC_GROUP_MIN, .x = t->values},
                                      {.kind = MPC_GROUP_MAX, .x = t->values}};

    return group_of(t, items, 2, err);
}

/* One scan of twice as many rows. */
static fm_status scan_twice(const struct sample *t, struct base_err *err)
{
    struct mpc_share *x, *head, *z;

    TRY(mpc_concat(&x, (const struct mpc_share *const[]){t->values, t->values}, 2, err));
    TRY(mpc_concat(&head, (const struct mpc_share *const[]){t->bits, t->bits}, 2, err));
    return mpc_scan_min(&z, x, head, err);
}

/* A key of 17 bits costs as an equality; the rest is by the header. */
static void groups_cost_what_their_header_says(void **state)
{
    const struct price moved = {32 * ALL + 32 * WALL, 2};      /* the key, and valid */
    const struct price found = {104 * ALL + 2 * 24 * WALL, 8}; /* two ANDs, bit2a, compaction */
    const struct price closed = {(32 + 24 + 24) * ALL + 32 * WALL, 5};

    (void)state;
    for (enum mpc_profile p = MPC_FEW_ROUNDS; p <= MPC_FEW_BYTES; p++) {
        struct price parts = plus(price_of(sorts, ALL, 1, p), price_of(equals, ALL, 1, p));
        struct price rest = plus(plus(moved, found), closed);

        agree(price_of(distinct, ALL, 1, p), parts, rest, "distinct");
        agree(price_of(sums, ALL, 1, p), parts, plus(rest, (struct price){(32 + 32 + 24) * ALL, 0}),
              "sum");
        /* One mask, however many count by it. */
        agree(price_of(counts, ALL, 1, p), parts,
              plus(rest, (struct price){32 * WALL + (24 + 32 + 24) * ALL, 2}), "count");
        agree(price_of(firsts, ALL, 1, p), parts,
              plus(rest, (struct price){(32 + 24 + 24 + 32 + 24) * ALL, 3}), "first");
        /* One column moved, one scan; two read. */
        agree(price_of(extremes, ALL, 1, p), plus(parts, price_of(scan_twice, ALL, 1, p)),
              plus(rest, (struct price){(32 + 2 * 32 + 2 * 24) * ALL, 0}), "least and greatest");
    }
}

/* ---- scans ---- */

static fm_status scan_sums(const struct sample *t, struct base_err *err)
{
    struct mpc_share *z;

    return mpc_scan_sum(&z, (const struct mpc_share *const *)&t->values, 1, t->ring, err);
}

static fm_status scan_counts(const struct sample *t, struct base_err *err)
{
    struct mpc_share *z;

    return mpc_scan_count(&z, t->bits, t->bits, err);
}

static fm_status scan_ors(const struct sample *t, struct base_err *err)
{
    struct mpc_share *z;

    return mpc_scan_or(&z, t->bits, t->bits, err);
}

static fm_status scan_minima(const struct sample *t, struct base_err *err)
{
    struct mpc_share *x, *head, *z;

    TRY(mpc_slice(&x, t->values, 0, 1024, err));
    TRY(mpc_slice(&head, t->bits, 0, 1024, err));
    return mpc_scan_min(&z, x, head, err);
}

static void scans_cost_what_their_header_says(void **state)
{
    const struct price nothing = {0, 0};
    struct mpc_rep3_cost less = mpc_rep3_msb_cost(12, 1, MPC_FEW_ROUNDS); /* of -1998..1998 */

    (void)state;
    for (enum mpc_profile p = MPC_FEW_ROUNDS; p <= MPC_FEW_BYTES; p++) {
        agree(price_of(scan_sums, ALL, 1, p), nothing, (struct price){168 * ALL, 9}, "sums");
        agree(price_of(scan_counts, ALL, 1, p), nothing,
              (struct price){(168 + 2 * 24) * ALL, 9 + 2 * 2}, "counts");
        agree(price_of(scan_ors, ALL, 1, p), nothing, (struct price){11 * 3 * 24 * WALL, 11 * 2},
              "or"); /* 2^11 > 1920 */
    }
    /* Ten levels of 512 combinations, 8 words. */
    agree(price_of(scan_minima, ALL, 1, MPC_FEW_ROUNDS), nothing,
          (struct price){10 * (8 * (less.bytes + 2 * 24) + 512 * (24 + 24)),
                         10 * (less.rounds + 1 + 2 + 1 + 1)},
          "least");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins_cost_what_their_header_says),
        cmocka_unit_test(pairs_cost_what_their_header_says),
        cmocka_unit_test(groups_cost_what_their_header_says),
        cmocka_unit_test(scans_cost_what_their_header_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
