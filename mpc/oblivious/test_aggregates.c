/* Every aggregate of GROUP BY, with and without a `where`, several of each in one call, on every
 * row and in both profiles, against loops in plain C. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "mpc/oblivious/group.h"
#include "mpc/oblivious/test_rows.h"

enum { MOST = 150 };

/* One aggregate of the test: which column, which rows. */
struct asked {
    enum mpc_aggregate kind;
    unsigned column; /* of enum column */
    unsigned where;  /* 0: none; 1 + number of the mask */
    uint32_t num;
    uint32_t den;
};
enum column { NONE, X, Y, TEXT, FLAG, KEY, KEY_TEXT, WIDE, COLUMNS };

static const struct asked all[] = {
    {MPC_GROUP_COUNT, NONE, 0, 0, 0},
    {MPC_GROUP_COUNT, NONE, 1, 0, 0},
    {MPC_GROUP_SUM, X, 0, 0, 0},
    {MPC_GROUP_SUM, X, 1, 0, 0},
    {MPC_GROUP_SUM, Y, 2, 0, 0},
    {MPC_GROUP_MIN, X, 1, 0, 0},
    {MPC_GROUP_MAX, X, 1, 0, 0},
    {MPC_GROUP_MAX, Y, 0, 0, 0},
    {MPC_GROUP_MIN, WIDE, 1, 0, 0},
    {MPC_GROUP_MAX, WIDE, 0, 0, 0},
    {MPC_GROUP_AND, FLAG, 0, 0, 0},
    {MPC_GROUP_AND, FLAG, 2, 0, 0},
    {MPC_GROUP_OR, FLAG, 0, 0, 0},
    {MPC_GROUP_OR, FLAG, 2, 0, 0},
    {MPC_GROUP_FIRST, X, 0, 0, 0},
    {MPC_GROUP_FIRST, TEXT, 0, 0, 0},
    {MPC_GROUP_ANY, KEY, 0, 0, 0},
    {MPC_GROUP_ANY, KEY_TEXT, 0, 0, 0},
    {MPC_GROUP_COUNT_DISTINCT, X, 0, 0, 0},
    {MPC_GROUP_COUNT_DISTINCT, X, 1, 0, 0},
    {MPC_GROUP_COUNT_DISTINCT, TEXT, 2, 0, 0},
    {MPC_GROUP_COUNT_DISTINCT, TEXT, 1, 0, 0},
    {MPC_GROUP_COUNT_DISTINCT, TEXT, 0, 0, 0},
    {MPC_GROUP_PERCENTILE, Y, 0, 1, 2},
    {MPC_GROUP_PERCENTILE, Y, 0, 95, 100},
    {MPC_GROUP_PERCENTILE, Y, 1, 1, 2},
    {MPC_GROUP_PERCENTILE, Y, 1, 0, 1},
    {MPC_GROUP_PERCENTILE, X, 2, 1, 1},
};
enum { ALL = sizeof all / sizeof all[0] };

struct rows {
    size_t n;
    const struct asked *asked;
    size_t asked_len;
    bool filtered;
    int64_t key[MOST]; /* 0.. groups - 1 */
    uint64_t valid[MOST];
    uint64_t where[2][MOST];
    int64_t x[MOST];
    int64_t y[MOST];
    int64_t wide[MOST];
    uint64_t text[MOST];
    uint64_t flag[MOST];
    int64_t got[MOST];
    int64_t want[ALL][MOST];
    int64_t any[ALL][MOST];
    size_t found;
};

static int64_t value(const struct rows *k, unsigned column, size_t i)
{
    return column == X          ? k->x[i]
           : column == Y        ? k->y[i]
           : column == TEXT     ? (int64_t)k->text[i]
           : column == WIDE     ? k->wide[i]
           : column == KEY      ? k->key[i] - 7
           : column == KEY_TEXT ? (int64_t)((uint64_t)k->key[i] * 77 % 1024)
                                : (int64_t)k->flag[i];
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

/* One aggregate of the values that count, as they stood. */
static int64_t aggregate(const struct asked *a, int64_t *v, size_t n)
{
    int64_t sum = 0, objects = 0, distinct = 0;
    size_t place = ((size_t)a->num * n + a->den - 1) / (a->den > 0 ? a->den : 1);
    int64_t first = n > 0 ? v[0] : 0;

    for (size_t i = 0; i < n; i++) {
        sum = (int64_t)((uint64_t)sum + (uint64_t)v[i]); /* may wrap, and is then not asked for */
        objects += v[i] == 0;
    }
    qsort(v, n, sizeof *v, by_value);
    for (size_t i = 0; i < n; i++)
        distinct += i == 0 || v[i] != v[i - 1];
    switch (a->kind) {
    case MPC_GROUP_COUNT:
        return (int64_t)n;
    case MPC_GROUP_SUM:
        return sum;
    case MPC_GROUP_MIN:
        return n > 0 ? v[0] : 0;
    case MPC_GROUP_MAX:
        return n > 0 ? v[n - 1] : 0;
    case MPC_GROUP_AND:
        return n > 0 && objects == 0;
    case MPC_GROUP_OR:
        return objects < (int64_t)n;
    case MPC_GROUP_ANY:
    case MPC_GROUP_FIRST:
        return first;
    case MPC_GROUP_COUNT_DISTINCT:
        return distinct;
    case MPC_GROUP_PERCENTILE:
        return n > 0 ? v[place > 0 ? place - 1 : 0] : 0;
    }
    return 0;
}

static void solve(struct rows *k)
{
    memset(k->want, 0, sizeof k->want);
    memset(k->any, 0, sizeof k->any);
    k->found = 0;
    for (int64_t key = 0; key < MOST; key++) {
        bool there = false;

        for (size_t i = 0; i < k->n; i++)
            there |= k->key[i] == key && k->valid[i] != 0;
        if (!there)
            continue;
        for (size_t a = 0; a < k->asked_len; a++) {
            const struct asked *it = &k->asked[a];
            int64_t v[MOST];
            size_t len = 0;

            for (size_t i = 0; i < k->n; i++)
                if (k->key[i] == key && k->valid[i] != 0 &&
                    (it->where == 0 || k->where[it->where - 1][i] != 0))
                    v[len++] = value(k, it->column, i);
            k->any[a][k->found] = len > 0;
            k->want[a][k->found] = aggregate(it, v, len);
        }
        k->found++;
    }
}

static fm_status expect(struct mpc_session *s, struct rows *k, struct mpc_grouped *z,
                        struct base_err *err)
{
    for (size_t a = 0; a < k->asked_len; a++) {
        const struct asked *it = &k->asked[a];
        bool may_be_null =
            it->where != 0 && it->kind != MPC_GROUP_COUNT && it->kind != MPC_GROUP_COUNT_DISTINCT;
        char name[40];

        (void)snprintf(name, sizeof name, "aggregate %zu (kind %d)", a, (int)it->kind);
        TRY(same(s, z->item[a], k->got, k->want[a], name, err));
        assert_true((z->any[a] != NULL) == may_be_null);
        if (may_be_null)
            TRY(same(s, z->any[a], k->got, k->any[a], name, err));
    }
    mpc_share_free(z->key[0]);
    mpc_share_free(z->valid);
    mpc_share_free(z->more);
    return FM_OK;
}

static fm_status aggregates(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct rows *k = arg;
    struct mpc_share *key, *valid, *where[2], *column[COLUMNS] = {NULL};
    struct mpc_sort_key by = {0};
    struct mpc_group_item items[ALL];
    struct mpc_grouped z;
    uint64_t key_text[MOST];

    TRY(feed(s, &key, 0, k->key, k->n, (struct mpc_range){0, MOST}, err));
    TRY(feed_bits(s, &valid, 0, k->valid, k->n, 1, err));
    TRY(feed_bits(s, &where[0], 0, k->where[0], k->n, 1, err));
    TRY(feed_bits(s, &where[1], 0, k->where[1], k->n, 1, err));
    TRY(feed(s, &column[X], 0, k->x, k->n, (struct mpc_range){-9, 9}, err));
    TRY(feed(s, &column[Y], 0, k->y, k->n, (struct mpc_range){-1000, 1000}, err));
    TRY(feed(s, &column[WIDE], 0, k->wide, k->n, MPC_RANGE_FULL, err));
    TRY(feed_bits(s, &column[TEXT], 0, k->text, k->n, 40, err));
    TRY(feed_bits(s, &column[FLAG], 0, k->flag, k->n, 1, err));
    TRY(mpc_add_constant(&column[KEY], key, -7, err));
    for (size_t i = 0; i < k->n; i++)
        key_text[i] = (uint64_t)value(k, KEY_TEXT, i);
    TRY(feed_bits(s, &column[KEY_TEXT], 0, key_text, k->n, 10, err));
    by.x = key;
    for (size_t a = 0; a < k->asked_len; a++)
        items[a] = (struct mpc_group_item){
            .kind = k->asked[a].kind,
            .x = column[k->asked[a].column],
            .where = k->asked[a].where > 0 ? where[k->asked[a].where - 1] : NULL,
            .num = k->asked[a].num,
            .den = k->asked[a].den};
    TRY(mpc_group(&z,
                  &(struct mpc_group_by){.keys = &by,
                                         .keys_len = 1,
                                         .valid = k->filtered ? valid : NULL,
                                         .items = items,
                                         .items_len = k->asked_len},
                  err));
    return expect(s, k, &z, err);
}

static void fill(struct rows *k, int64_t groups, struct test_rng *rng)
{
    for (size_t i = 0; i < k->n; i++) {
        k->key[i] = (int64_t)(rng_next(rng) % (uint64_t)groups);
        k->valid[i] = k->filtered ? rng_next(rng) % 3 != 0 : 1;
        k->where[0][i] = rng_next(rng) % 2;
        k->where[1][i] = rng_next(rng) % 4 == 0;
        k->x[i] = rng_in(rng, (struct mpc_range){-9, 9});
        k->y[i] = rng_in(rng, (struct mpc_range){-1000, 1000});
        k->wide[i] = rng_value(rng);
        k->text[i] = (rng_next(rng) % 3) << 37 | rng_next(rng) % 2;
        k->flag[i] = rng_next(rng) % 4 != 0;
    }
}

static void all_aggregates_are_right(void **state)
{
    static const size_t lengths[] = {0, 1, 2, 7, 64, MOST};
    static struct rows k;

    (void)state;
    k.asked = all;
    k.asked_len = ALL;
    for (size_t l = 0; l < sizeof lengths / sizeof lengths[0]; l++)
        for (unsigned at = 0; at < 2 * repeats(); at++) {
            struct test_rng rng = {1 + l * 2 + at + at / 2 * 1000};

            k.n = lengths[l];
            k.filtered = at % 2 != 0;
            fill(&k, at % 2 == 0 ? 5 : 30, &rng);
            solve(&k);
            on_every_row(aggregates, &k);
        }
}

/* Alone, so that nothing that another aggregate prepares is missed. */
static void each_aggregate_is_right_alone(void **state)
{
    static struct rows k;
    struct test_rng rng = {7};

    (void)state;
    k.n = 70;
    k.asked_len = 1;
    k.filtered = true;
    fill(&k, 9, &rng);
    for (size_t a = 0; a < ALL; a++) {
        k.asked = &all[a];
        solve(&k);
        on_every_row(aggregates, &k);
    }
}

static fm_status bad_arguments(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct mpc_share *x, *one;
    struct mpc_sort_key key = {0};
    struct mpc_group_item item = {.kind = MPC_GROUP_PERCENTILE, .num = 3, .den = 2};
    struct mpc_group_by by = {.keys = &key, .keys_len = 1, .items = &item, .items_len = 1};
    struct mpc_grouped z;

    (void)arg;
    TRY(mpc_constant(s, &x, 5, 4, err));
    TRY(mpc_bits_constant(s, &one, 1, 1, 4, err));
    key.x = item.x = x;
    REFUSED(mpc_group(&z, &by, err), FM_E_ARG, "percentile 3 / 2");
    item.den = 0;
    REFUSED(mpc_group(&z, &by, err), FM_E_ARG, "percentile 3 / 0");
    item.where = x;
    REFUSED(mpc_group(&z, &by, err), FM_E_ARG, "bits of width 1");
    item = (struct mpc_group_item){.kind = MPC_GROUP_FIRST, .x = x, .where = one};
    REFUSED(mpc_group(&z, &by, err), FM_E_ARG, "takes no where");
    item.kind = MPC_GROUP_ANY;
    REFUSED(mpc_group(&z, &by, err), FM_E_ARG, "takes no where");
    item = (struct mpc_group_item){.kind = MPC_GROUP_AND, .x = x};
    REFUSED(mpc_group(&z, &by, err), FM_E_ARG, "bits of width 1");
    item = (struct mpc_group_item){.kind = MPC_GROUP_COUNT, .x = one, .where = one};
    REFUSED(mpc_group(&z, &by, err), FM_E_ARG, "not both");
    by.keys_len = MPC_GROUP_KEYS + 1;
    REFUSED(mpc_group(&z, &by, err), FM_E_ARG, "14 keys");
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
        cmocka_unit_test(all_aggregates_are_right),
        cmocka_unit_test(each_aggregate_is_right_alone),
        cmocka_unit_test(bad_arguments_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
