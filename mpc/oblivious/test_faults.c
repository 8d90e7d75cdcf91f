/* Oblivious algorithms whose operations, messages and allocations fail one after another: every
 * party ends with an error that names who failed, or with the right answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "mpc/circuit/decompose.h"
#include "mpc/circuit/divide.h"
#include "mpc/circuit/extreme.h"
#include "mpc/oblivious/group.h"
#include "mpc/oblivious/join.h"
#include "mpc/oblivious/scan.h"
#include "mpc/oblivious/test_rows.h"
#include "mpc/test_breaks.h"

enum { N = 12, ANSWERS = 6 };

struct story {
    int64_t key[N];
    uint64_t null; /* one plane */
    int64_t answer[ANSWERS];
};

/* Keys 0, 0, 0, 1, 1, 1, ...: four groups of three, of which the second has no key. */
static void story_new(void *story)
{
    struct story *k = story;

    memset(k, 0, sizeof *k);
    for (int i = 0; i < N; i++) {
        k->key[i] = i / 3;
        k->null |= (uint64_t)(i / 3 == 1) << i;
    }
}

static const int64_t right[ANSWERS] = {9, 6, 3, 3, 13, 15};

static fm_status grouped(struct mpc_share **z, const struct mpc_share *key,
                         const struct mpc_share *null, struct base_err *err)
{
    struct mpc_sort_key by = {.x = key, .null = null};
    struct mpc_group_item items[3] = {{.kind = MPC_GROUP_MAX, .x = key},
                                      {.kind = MPC_GROUP_COUNT, .x = null},
                                      {.kind = MPC_GROUP_SUM, .x = key}};
    struct mpc_grouped g;

    TRY(mpc_group(&g,
                  &(struct mpc_group_by){
                      .keys = &by, .keys_len = 1, .items = items, .items_len = 3, .groups = 5},
                  err));
    TRY(mpc_sum(&z[0], g.item[2], err)); /* of all keys: 18, less 9 */
    TRY(mpc_add_constant(&z[1], z[0], -9, err));
    TRY(mpc_sum(&z[2], g.item[0], err)); /* 0 + 1 + 2 + 3 */
    mpc_grouped_release(&g);
    return FM_OK;
}

/* Medians 0 + 1 + 2 + 3, firsts likewise, and of the second group alone one value without a key. */
static fm_status aggregated(struct mpc_share **z, const struct mpc_share *key,
                            const struct mpc_share *null, struct base_err *err)
{
    struct mpc_sort_key by = {.x = key};
    struct mpc_group_item items[4] = {{.kind = MPC_GROUP_PERCENTILE, .x = key, .num = 1, .den = 2},
                                      {.kind = MPC_GROUP_COUNT_DISTINCT, .x = key, .where = null},
                                      {.kind = MPC_GROUP_FIRST, .x = key},
                                      {.kind = MPC_GROUP_AND, .x = null, .where = null}};
    struct mpc_share *sum[3], *two;
    struct mpc_grouped g;

    TRY(mpc_group(
        &g, &(struct mpc_group_by){.keys = &by, .keys_len = 1, .items = items, .items_len = 4},
        err));
    for (unsigned i = 0; i < 3; i++)
        TRY(mpc_sum(&sum[i], g.item[i], err));
    TRY(mpc_add(&two, sum[0], sum[1], err));
    mpc_grouped_release(&g);
    return mpc_add(z, two, sum[2], err);
}

/* Matches of two sides that should be unique (of each of three keys the first), keys that are in
 * the table (nine), and that may be (the three of the group without). */
static fm_status found_otherwise(struct mpc_share **z, const struct mpc_lookup *lookup,
                                 struct base_err *err)
{
    struct mpc_lookup by = *lookup;
    struct mpc_share *in, *unknown, *count[3], *two;
    struct mpc_found found;

    by.per_key = 0;
    by.probe_unique = true;
    TRY(mpc_find(&found, &by, err));
    by.method = MPC_FIND_PAIRS;
    TRY(mpc_find_in(&in, &unknown, &by, err));
    TRY(mpc_bit_count_list(count, (const struct mpc_share *const[]){found.match, in, unknown}, 3,
                           err));
    TRY(mpc_add(&two, count[0], count[1], err));
    return mpc_add(z, two, count[2], err);
}

static fm_status tale(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct story *k = arg;
    struct mpc_share *key, *wide, *null, *z[3], *last, *hot, *third, *least, *count, *more[2];
    const struct mpc_share *nulls[1];
    struct mpc_lookup by = {.keys = 1,
                            .values_len = 1,
                            .per_key = 2,
                            .table.n = N,
                            .probe.n = N,
                            .method = MPC_FIND_SORTED};
    struct mpc_sort_key top = {.flags = MPC_SORT_DESCENDING};
    struct mpc_input item = {.domain = MPC_BITS,
                             .owner = 0,
                             .n = N,
                             .width = 1,
                             .planes = mpc_session_self(s) == 0 ? &k->null : NULL};
    struct mpc_order *order;
    struct mpc_found found;
    int64_t *out[ANSWERS] = {&k->answer[0], &k->answer[1], &k->answer[2],
                             &k->answer[3], &k->answer[4], &k->answer[5]};
    fm_status status;

    TRY(feed(s, &key, 0, k->key, N, (struct mpc_range){0, 99}, err));
    TRY(feed(s, &wide, 0, k->key, N, MPC_RANGE_FULL, err));
    TRY(mpc_input(s, &null, &item, 1, err));
    TRY(grouped(z, key, null, err));
    nulls[0] = null;
    by.table.key = by.probe.key = (const struct mpc_share *const *)&wide;
    by.table.null = nulls;
    by.values = (const struct mpc_share *const *)&key;
    TRY(mpc_find(&found, &by, err));
    TRY(found_otherwise(&more[1], &by, err));
    TRY(aggregated(&more[0], key, null, err));
    top.x = found.value[0];
    TRY(mpc_top(&order, &top, 1, 1, err));
    status = mpc_order_first(order, 1, &last, &top.x, 1, err); /* 3 */
    mpc_order_free(order);
    TRY(status);
    TRY(mpc_scan_min(&least, key, null, err));
    TRY(mpc_scan_count(&count, null, null, err));
    TRY(mpc_min(&third, least, key, MPC_SIGNED, err));
    TRY(mpc_one_hot(&hot, null, err));
    mpc_share_free(third);
    TRY(mpc_divide_public(&third, z[1], 3, err)); /* 9 / 3 */
    return mpc_reveal((const struct mpc_share *const[]){z[1], z[2], last, third, more[0], more[1]},
                      ANSWERS, (const unsigned[]){0}, 1, mpc_session_self(s) == 0 ? out : NULL,
                      err);
}

static void all_is_right_or_named(const struct world *w, const void *story, unsigned culprit)
{
    const struct story *k = story;

    if (w->status[0] == FM_OK)
        assert_memory_equal(k->answer, right, sizeof right);
    breaks_must_name(w, culprit);
}

static struct story story;
static const struct breaks breaks = {
    .tale = tale, .story = &story, .begin = story_new, .judge = all_is_right_or_named};

static void without_faults(void **state)
{
    (void)state;
    breaks_nothing(&breaks);
}

/* Every message, operation and allocation: FIRMIANA_FULL=1. */
static bool whole(void)
{
    return repeats() > 1;
}

static void a_party_dies(void **state)
{
    (void)state;
    assert_true(breaks_parties(&breaks, 3, whole() ? 1 : 19) > 50);
}

static void an_operation_fails(void **state)
{
    (void)state;
    assert_true(breaks_operations(&breaks, whole() ? 1 : 5) > 50);
}

static void an_allocation_fails(void **state)
{
    (void)state;
    assert_true(breaks_allocations(&breaks, 30, whole() ? 1 : 29) > 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_faults),
        cmocka_unit_test(a_party_dies),
        cmocka_unit_test(an_operation_fails),
        cmocka_unit_test(an_allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
