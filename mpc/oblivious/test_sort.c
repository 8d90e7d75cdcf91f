/* Orders and sorting, on every row and in both profiles, against a stable sort in plain C. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "mpc/oblivious/sort.h"
#include "mpc/oblivious/test_rows.h"

enum { MOST = 3000, KEYS = 3 };

struct key {
    int64_t x[MOST];
    uint64_t null[MOST];
    struct mpc_range range;
    unsigned width; /* of bits, 0: ring */
    enum mpc_sign sign;
    unsigned flags;
    bool nullable;
};

struct table {
    size_t n;
    size_t keys;
    size_t k; /* how many places are sorted */
    struct key key[KEYS];
    size_t order[MOST]; /* what is right: the row at each place */
    int64_t got[MOST];
};

/* ---- the oracle: insertion by binary search would do; merge sort keeps it quick and stable ----
 */

static int compare_key(const struct key *k, size_t a, size_t b)
{
    int64_t x = k->x[a];
    int64_t y = k->x[b];
    int less;

    if (k->nullable && (k->null[a] || k->null[b])) {
        int first = k->null[a] && k->null[b] ? 0 : k->null[a] ? 1 : -1;
        return (k->flags & MPC_SORT_NULLS_FIRST) != 0 ? -first : first;
    }
    if (k->width != 0) {
        uint64_t mask = k->width == 64 ? UINT64_MAX : (UINT64_C(1) << k->width) - 1;
        uint64_t top = k->sign == MPC_SIGNED ? UINT64_C(1) << (k->width - 1) : 0;
        uint64_t ux = ((uint64_t)x & mask) ^ top;
        uint64_t uy = ((uint64_t)y & mask) ^ top;
        less = ux < uy ? -1 : ux > uy;
    } else
        less = x < y ? -1 : x > y;
    return (k->flags & MPC_SORT_DESCENDING) != 0 ? -less : less;
}

static int compare_rows(const struct table *t, size_t a, size_t b)
{
    int c = 0;

    for (size_t k = 0; c == 0 && k < t->keys; k++)
        c = compare_key(&t->key[k], a, b);
    return c;
}

static void merge_sort(const struct table *t, size_t *rows, size_t n, size_t *scratch)
{
    size_t half = n / 2, i = 0, j = half;

    if (n < 2)
        return;
    merge_sort(t, rows, half, scratch);
    merge_sort(t, rows + half, n - half, scratch);
    for (size_t at = 0; at < n; at++)
        scratch[at] =
            j == n || (i < half && compare_rows(t, rows[i], rows[j]) <= 0) ? rows[i++] : rows[j++];
    memcpy(rows, scratch, n * sizeof *rows);
}

static void solve(struct table *t)
{
    static size_t scratch[MOST];

    for (size_t i = 0; i < t->n; i++)
        t->order[i] = i;
    merge_sort(t, t->order, t->n, scratch);
}

/* ---- the program ---- */

static fm_status feed_key(struct mpc_session *s, struct mpc_sort_key *by, const struct key *k,
                          size_t n, struct base_err *err)
{
    struct mpc_share *x;
    struct mpc_share *null;

    *by = (struct mpc_sort_key){.sign = k->sign, .flags = k->flags};
    if (k->width == 0)
        TRY(feed(s, &x, 0, k->x, n, k->range, err));
    else
        TRY(feed_bits(s, &x, 0, (const uint64_t *)k->x, n, k->width, err));
    by->x = x;
    if (k->nullable) {
        TRY(feed_bits(s, &null, 0, k->null, n, 1, err));
        by->null = null;
    }
    return FM_OK;
}

static fm_status check_places(struct mpc_session *s, const struct table *t, const char *what,
                              struct base_err *err)
{
    bool seen[MOST] = {false};

    for (size_t j = 0; mpc_session_self(s) == 0 && j < t->n; j++) {
        if (j < t->k && (size_t)t->got[j] != t->order[j])
            return base_err_set(err, FM_E_INVALID,
                                "%s: n %zu k %zu: place %zu has row %lld, not %zu", what, t->n,
                                t->k, j, (long long)t->got[j], t->order[j]);
        if (t->got[j] < 0 || (size_t)t->got[j] >= t->n || seen[t->got[j]])
            return base_err_set(err, FM_E_INVALID, "%s: no permutation", what);
        seen[t->got[j]] = true;
    }
    return FM_OK;
}

static fm_status sort_table(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct table *t = arg;
    struct mpc_sort_key by[KEYS];
    struct mpc_order *order = NULL;
    struct mpc_share *index = NULL;
    struct mpc_share *moved;
    fm_status status;

    for (size_t k = 0; k < t->keys; k++)
        TRY(feed_key(s, &by[k], &t->key[k], t->n, err));
    TRY(t->k == t->n ? mpc_sort(&order, by, t->keys, err)
                     : mpc_top(&order, by, t->keys, t->k, err));
    status = mpc_order_to_index(order, &index, err);
    if (status == FM_OK)
        status = tell(index, 0, t->got, err);
    if (status == FM_OK)
        status = check_places(s, t, "sort", err);
    if (status == FM_OK && t->k == t->n) {
        status = mpc_order_apply(order, MPC_FORWARD, &moved, &by[0].x, 1, err);
        if (status == FM_OK)
            status = tell(moved, 0, t->got, err);
        for (size_t j = 0; status == FM_OK && mpc_session_self(s) == 0 && j < t->n; j++)
            if (((t->got[j] ^ t->key[0].x[t->order[j]]) &
                 (t->key[0].width % 64 == 0 ? -1 : (INT64_C(1) << t->key[0].width) - 1)) != 0)
                status = base_err_set(err, FM_E_INVALID, "sorted column: place %zu", j);
    }
    mpc_order_free(order);
    return status;
}

enum shape { RANDOM, SORTED, REVERSED, EQUAL, TWO_VALUES, SHAPES };

static void fill(struct key *k, size_t n, enum shape shape, struct test_rng *rng)
{
    uint64_t span = (uint64_t)k->range.hi - (uint64_t)k->range.lo;

    for (size_t i = 0; i < n; i++) {
        uint64_t step = n > 1 ? span / n : 0;

        k->null[i] = k->nullable && rng_next(rng) % 4 == 0;
        switch (shape) {
        case SORTED:
            k->x[i] = (int64_t)((uint64_t)k->range.lo + step * i);
            break;
        case REVERSED:
            k->x[i] = (int64_t)((uint64_t)k->range.hi - step * i);
            break;
        case EQUAL:
            k->x[i] = k->range.hi;
            break;
        case TWO_VALUES:
            k->x[i] = rng_next(rng) >> 63 ? k->range.lo : k->range.hi;
            break;
        default:
            k->x[i] = rng_in(rng, k->range);
        }
    }
}

static const struct mpc_range narrow = {-7, 12}, wide = {-((int64_t)1 << 50), (int64_t)1 << 50},
                              all = {INT64_MIN, INT64_MAX};

static void sorts_every_shape(void **state)
{
    static const size_t lengths[] = {0, 1, 2, 3, 63, 64, 65, 200};
    static struct table t;
    const struct mpc_range ranges[] = {narrow, wide, all};

    (void)state;
    for (size_t l = 0; l < sizeof lengths / sizeof lengths[0]; l++)
        for (unsigned shape = 0; shape < SHAPES; shape++)
            for (unsigned flags = 0; flags < 2; flags++) {
                struct test_rng rng = {17 + l + shape};

                t.n = t.k = lengths[l];
                t.keys = 1;
                t.key[0].range = ranges[(l + shape) % 3];
                t.key[0].flags = flags;
                fill(&t.key[0], t.n, shape, &rng);
                solve(&t);
                on_every_row(sort_table, &t);
            }
}

static void sorts_by_several_keys(void **state)
{
    static struct table t;
    struct test_rng rng = {99};

    (void)state;
    for (unsigned round = 0; round < 8 * repeats(); round++) {
        t.n = t.k = 90 + round * 7 % 1000;
        t.keys = 3;
        t.key[0].range = (struct mpc_range){0, 2};
        t.key[0].nullable = (round & 1) != 0;
        t.key[0].flags = round % 4;
        t.key[1].range = (struct mpc_range){-1, 1};
        t.key[1].width = round & 1 ? 5 : 64;
        t.key[1].sign = round & 2 ? MPC_SIGNED : MPC_UNSIGNED;
        t.key[1].flags = 3 - round % 4;
        t.key[1].nullable = (round & 4) != 0;
        t.key[2].range = round % 3 == 0 ? all : round % 3 == 1 ? narrow : wide;
        t.key[2].nullable = true;
        t.key[2].flags = (round + 1) % 4;
        for (unsigned k = 0; k < 3; k++)
            fill(&t.key[k], t.n, RANDOM, &rng);
        solve(&t);
        on_every_row(sort_table, &t);
    }
}

static void sorts_long_columns(void **state)
{
    static struct table t;
    struct test_rng rng = {5};

    (void)state;
    t.n = t.k = MOST;
    t.keys = 1;
    t.key[0].range = (struct mpc_range){0, 999};
    fill(&t.key[0], t.n, RANDOM, &rng);
    solve(&t);
    on_every_row(sort_table, &t);
    {
        struct world lanes = {.row = mpc_protocol_find("rep3"), .outsiders = 1, .streams = 3};

        world_must_run(&lanes, sort_table, &t);
    }
}

static void sorts_the_first_places(void **state)
{
    static struct table t;
    static const size_t ks[] = {0, 1, 10, 100, MOST - 1};
    struct test_rng rng = {6};

    (void)state;
    for (size_t i = 0; i < sizeof ks / sizeof ks[0]; i++) {
        t.n = MOST;
        t.k = ks[i];
        t.keys = 1;
        t.key[0].range = i % 2 == 0 ? wide : narrow;
        t.key[0].flags = i % 2;
        fill(&t.key[0], t.n, RANDOM, &rng);
        solve(&t);
        on_every_row(sort_table, &t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorts_every_shape),
        cmocka_unit_test(sorts_by_several_keys),
        cmocka_unit_test(sorts_long_columns),
        cmocka_unit_test(sorts_the_first_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
