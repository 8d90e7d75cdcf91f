/* GROUP BY, on every row and in both profiles, against nested loops in plain C. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "mpc/oblivious/group.h"
#include "mpc/oblivious/test_rows.h"

enum { MOST = 200, ITEMS = 6 };

struct rows {
    size_t n;
    size_t groups; /* asked for */
    unsigned keys;
    bool filtered;
    bool nullable;
    struct mpc_range range; /* of the first key */
    int64_t a[MOST];
    uint64_t b[MOST]; /* second key: 3 bits, unsigned */
    uint64_t null[MOST];
    uint64_t valid[MOST];
    uint64_t where[MOST];
    int64_t x[MOST];
    int64_t got[MOST];
    /* what is right */
    size_t found;
    size_t first[MOST]; /* a row of each group, in order */
    int64_t want[ITEMS + 4][MOST];
};

enum { KEY_A = ITEMS, KEY_B, NULL_A, VALID };

static bool null_at(const struct rows *k, size_t i)
{
    return k->nullable && k->null[i] != 0;
}

/* Orders rows by key: NULLs last, then b descending. */
static int compare(const struct rows *k, size_t i, size_t j)
{
    if (k->keys > 0 && null_at(k, i) != null_at(k, j))
        return null_at(k, i) ? 1 : -1;
    if (k->keys > 0 && !null_at(k, i) && k->a[i] != k->a[j])
        return k->a[i] < k->a[j] ? -1 : 1;
    if (k->keys > 1 && k->b[i] != k->b[j])
        return k->b[i] > k->b[j] ? -1 : 1;
    return 0;
}

static void solve_group(struct rows *k, size_t g)
{
    size_t f = k->first[g];

    k->want[KEY_A][g] = null_at(k, f) ? 0 : k->a[f];
    k->want[KEY_B][g] = (int64_t)k->b[f];
    k->want[NULL_A][g] = null_at(k, f);
    k->want[VALID][g] = 1;
    k->want[4][g] = INT64_MAX;
    k->want[5][g] = INT64_MIN;
    for (size_t i = 0; i < k->n; i++) {
        if (!k->valid[i] || compare(k, i, f) != 0)
            continue;
        k->want[0][g]++;
        k->want[1][g] += (int64_t)k->where[i];
        k->want[2][g] += k->x[i];
        k->want[3][g] += k->a[i] % 7;
        k->want[4][g] = k->x[i] < k->want[4][g] ? k->x[i] : k->want[4][g];
        k->want[5][g] = k->x[i] > k->want[5][g] ? k->x[i] : k->want[5][g];
    }
}

static void solve(struct rows *k)
{
    k->found = 0;
    memset(k->want, 0, sizeof k->want);
    for (size_t i = 0; i < k->n; i++) {
        size_t at = 0;

        if (!k->valid[i])
            continue;
        while (at < k->found && compare(k, k->first[at], i) < 0)
            at++;
        if (at < k->found && compare(k, k->first[at], i) == 0)
            continue;
        memmove(k->first + at + 1, k->first + at, (k->found - at) * sizeof *k->first);
        k->first[at] = i;
        k->found++;
    }
    for (size_t g = 0; g < k->found; g++)
        solve_group(k, g);
}

static fm_status expect(struct mpc_session *s, struct rows *k, struct mpc_grouped *z,
                        struct base_err *err)
{
    static const char *const names[ITEMS] = {"count", "count where", "sum", "sum 2", "min", "max"};
    int64_t more = 0;

    for (unsigned i = 0; i < ITEMS; i++) {
        TRY(same(s, z->item[i], k->got, k->want[i], names[i], err));
        z->item[i] = NULL;
    }
    TRY(same(s, z->valid, k->got, k->want[VALID], "valid", err));
    if (k->keys > 0)
        TRY(same(s, z->key[0], k->got, k->want[KEY_A], "key", err));
    if (k->keys > 0 && k->nullable)
        TRY(same(s, z->null[0], k->got, k->want[NULL_A], "null", err));
    if (k->keys > 1)
        TRY(same(s, z->key[1], k->got, k->want[KEY_B], "second key", err));
    TRY(tell(z->more, 0, &more, err));
    mpc_share_free(z->more);
    if (mpc_session_self(s) == 0 && (more != 0) != (k->groups != 0 && k->found > k->groups))
        return base_err_set(err, FM_E_INVALID, "more: %d", (int)more);
    return FM_OK;
}

/* The same when the rows' order is known: the sort that mpc_group() would make. */
static fm_status groups_in_order(struct mpc_session *s, struct rows *k, struct mpc_group_by *by,
                                 struct base_err *err)
{
    struct mpc_sort_key keys[3];
    struct mpc_order *order;
    struct mpc_grouped z;
    size_t len = 0;

    if (by->valid != NULL)
        keys[len++] = (struct mpc_sort_key){.x = by->valid, .flags = MPC_SORT_DESCENDING};
    for (size_t i = 0; i < by->keys_len; i++)
        keys[len++] = by->keys[i];
    TRY(mpc_sort(&order, keys, len, err));
    by->in_order = true;
    by->order = order;
    TRY(mpc_group(&z, by, err));
    mpc_order_free(order);
    return expect(s, k, &z, err);
}

static fm_status groups(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct rows *k = arg;
    struct mpc_group_by by;
    struct mpc_share *a, *b, *null, *valid, *where, *x, *y;
    int64_t mod[MOST];
    struct mpc_sort_key keys[2] = {{0}};
    struct mpc_group_item items[ITEMS];
    struct mpc_grouped z;

    for (size_t i = 0; i < k->n; i++)
        mod[i] = k->a[i] % 7;
    TRY(feed(s, &a, 0, k->a, k->n, k->range, err));
    TRY(feed_bits(s, &b, 0, k->b, k->n, 3, err));
    TRY(feed_bits(s, &null, 0, k->null, k->n, 1, err));
    TRY(feed_bits(s, &valid, 0, k->valid, k->n, 1, err));
    TRY(feed_bits(s, &where, 0, k->where, k->n, 1, err));
    TRY(feed(s, &x, 0, k->x, k->n, (struct mpc_range){-1000, 1000}, err));
    TRY(feed(s, &y, 0, mod, k->n, (struct mpc_range){-6, 6}, err));
    keys[0] = (struct mpc_sort_key){.x = a, .null = k->nullable ? null : NULL};
    keys[1] = (struct mpc_sort_key){.x = b, .flags = MPC_SORT_DESCENDING};
    items[0] = (struct mpc_group_item){.kind = MPC_GROUP_COUNT, .x = NULL};
    items[1] = (struct mpc_group_item){.kind = MPC_GROUP_COUNT, .x = where};
    items[2] = (struct mpc_group_item){.kind = MPC_GROUP_SUM, .x = x};
    items[3] = (struct mpc_group_item){.kind = MPC_GROUP_SUM, .x = y};
    items[4] = (struct mpc_group_item){.kind = MPC_GROUP_MIN, .x = x};
    items[5] = (struct mpc_group_item){.kind = MPC_GROUP_MAX, .x = x};
    by = (struct mpc_group_by){.keys = keys,
                               .keys_len = k->keys,
                               .valid = k->filtered ? valid : NULL,
                               .items = items,
                               .items_len = ITEMS,
                               .groups = k->groups};
    TRY(mpc_group(&z, &by, err));
    TRY(expect(s, k, &z, err));
    return k->keys > 0 ? groups_in_order(s, k, &by, err) : FM_OK;
}

static void fill(struct rows *k, struct test_rng *rng)
{
    for (size_t i = 0; i < k->n; i++) {
        k->a[i] = rng_in(rng, k->range);
        k->b[i] = rng_next(rng) % 8;
        k->null[i] = rng_next(rng) % 4 == 0;
        k->valid[i] = k->filtered ? rng_next(rng) % 3 != 0 : 1;
        k->where[i] = rng_next(rng) >> 63;
        k->x[i] = rng_in(rng, (struct mpc_range){-1000, 1000});
    }
}

static void grouping_is_right(void **state)
{
    static const size_t lengths[] = {1, 2, 3, 64, 65, MOST};
    static const struct mpc_range ranges[] = {{0, 5}, {3, 3}, {INT64_MIN, INT64_MAX}};
    static struct rows k;

    (void)state;
    for (size_t l = 0; l < sizeof lengths / sizeof lengths[0]; l++)
        for (unsigned at = 0; at < 8 * repeats(); at++) {
            struct test_rng rng = {1 + l * 8 + at + at / 8 * 1000};
            unsigned round = at % 8;

            k.n = lengths[l];
            k.keys = round % 3;
            k.filtered = (round & 1) != 0;
            k.nullable = (round & 2) != 0;
            k.groups = round < 4 ? 0 : (k.n + 1) / 2 < 9 ? (k.n + 1) / 2 : 9;
            k.range = ranges[(l + round) % 3];
            if (k.keys == 0) /* rows that are all valid, or a mask, name the length */
                k.filtered = true;
            fill(&k, &rng);
            solve(&k);
            on_every_row(groups, &k);
        }
}

/* No row is valid: nothing comes out. */
static void nothing_to_group(void **state)
{
    static struct rows k;
    struct test_rng rng = {4};

    (void)state;
    k.n = 70;
    k.keys = 2;
    k.filtered = k.nullable = true;
    k.range = (struct mpc_range){-4, 9};
    fill(&k, &rng);
    memset(k.valid, 0, sizeof k.valid);
    solve(&k);
    on_every_row(groups, &k);
}

static fm_status bad_arguments(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct mpc_share *x, *wide, *few, *two;
    struct mpc_sort_key key = {0};
    struct mpc_group_item item = {.kind = MPC_GROUP_SUM, .x = NULL};
    struct mpc_group_by by = {.keys = &key, .keys_len = 1, .items = &item, .items_len = 1};
    struct mpc_grouped z;
    struct mpc_order *three;

    (void)arg;
    TRY(mpc_constant(s, &x, 5, 4, err));
    TRY(mpc_constant(s, &wide, INT64_MAX / 2, 4, err));
    TRY(mpc_constant(s, &few, 5, 3, err));
    TRY(mpc_bits_constant(s, &two, 1, 2, 4, err));
    key.x = x;
    REFUSED(mpc_group(&z, &by, err), FM_E_ARG, "an aggregate without its column");
    item.x = few;
    REFUSED(mpc_group(&z, &by, err), FM_E_ARG, "lengths 4 and 3 differ");
    item.x = two;
    REFUSED(mpc_group(&z, &by, err), FM_E_ARG, "takes a ring column");
    item.x = wide;
    REFUSED(mpc_group(&z, &by, err), FM_E_LIMIT, "more than 64 bits");
    item.x = x;
    by.valid = two;
    REFUSED(mpc_group(&z, &by, err), FM_E_ARG, "bits of width 1");
    by.valid = NULL;
    by.groups = 5;
    REFUSED(mpc_group(&z, &by, err), FM_E_ARG, "5 groups of 4 rows");
    by.groups = 0;
    TRY(mpc_order_random(s, &three, 3, err));
    by.in_order = true;
    by.order = three;
    REFUSED(mpc_group(&z, &by, err), FM_E_ARG, "an order of 3 rows, not 4");
    mpc_order_free(three);
    REFUSED(mpc_group(&z, &(struct mpc_group_by){0}, err), FM_E_ARG, "no columns");
    return FM_OK;
}

static void bad_arguments_are_errors(void **state)
{
    struct world w = {.row = mpc_protocol_find("plain")};

    (void)state;
    world_must_run(&w, bad_arguments, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grouping_is_right),
        cmocka_unit_test(nothing_to_group),
        cmocka_unit_test(bad_arguments_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
