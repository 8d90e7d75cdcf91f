/* A reckoning against the counters of real sessions of the same program: bytes of every party and
 * rounds to the last one, where nothing is sorted; sorts, groups and joins within what their random
 * orders leave open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "mpc/circuit/aggregate.h"
#include "mpc/circuit/compare.h"
#include "mpc/circuit/divide.h"
#include "mpc/circuit/extreme.h"
#include "mpc/circuit/select.h"
#include "mpc/oblivious/group.h"
#include "mpc/oblivious/join.h"
#include "mpc/reckon/reckon.h"
#include "mpc/test_world.h"

struct job {
    fm_status (*run)(const struct job *k, struct base_err *err);
    size_t n;
    int64_t most; /* values are 0 .. most */
    struct mpc_share *x;
    struct mpc_share *y;
    struct mpc_share *bit;
    struct mpc_share *planes; /* 40 of them, of an outside owner */
};

static fm_status compare(const struct job *k, struct base_err *err)
{
    struct mpc_share *z[2];
    const struct mpc_share *x[] = {k->x, k->y}, *y[] = {k->y, k->x};

    TRY(mpc_less_list(z, x, y, 2, err));
    TRY(mpc_equal(&z[0], k->x, k->y, err));
    TRY(mpc_equal(&z[0], k->planes, k->planes, err));
    TRY(mpc_select(&z[1], z[0], k->x, k->y, err));
    return mpc_sum_where(&z[0], z[1], k->bit, err);
}

static fm_status convert(const struct job *k, struct base_err *err)
{
    struct mpc_share *z[2], *few;

    TRY(mpc_a2b(&z[0], k->x, err));
    TRY(mpc_b2a(&z[1], z[0], MPC_SIGNED, err));
    TRY(mpc_b2a(&z[1], k->planes, MPC_UNSIGNED, err));
    TRY(mpc_planes(&few, k->planes, 0, 3, err));
    TRY(mpc_b2a(&z[1], few, MPC_UNSIGNED, err));
    TRY(mpc_count(&z[1], k->bit, err));
    return mpc_bit2a(&z[0], k->bit, err);
}

static fm_status link_signs(const struct job *k, struct base_err *err)
{
    const struct mpc_share *x[] = {k->x, k->y};
    const unsigned width[] = {mpc_share_width(k->x) + 1, mpc_share_width(k->y) + 1};
    struct mpc_share *z;

    return mpc_msb_linked(&z, x, width, 2, err);
}

static fm_status divide(const struct job *k, struct base_err *err)
{
    struct mpc_share *q, *r, *any, *more;

    TRY(mpc_add_constant(&more, k->y, 1, err));
    TRY(mpc_divide(&q, &r, k->x, more, err));
    return mpc_min_where(&q, &any, k->x, k->bit, err);
}

static fm_status shuffle(const struct job *k, struct base_err *err)
{
    const struct mpc_share *x[] = {k->x, k->planes};
    struct mpc_share *z[2], *ranks;
    struct mpc_order *order;

    TRY(mpc_order_random(mpc_share_session(k->x), &order, k->n, err));
    TRY(mpc_order_apply(order, MPC_INVERSE, z, x, 2, err));
    TRY(mpc_order_to_ranks(order, &ranks, err));
    mpc_order_free(order);
    TRY(mpc_order_of_ranks(&order, ranks, err));
    mpc_order_free(order);
    return FM_OK;
}

static fm_status sort(const struct job *k, struct base_err *err)
{
    struct mpc_sort_key by[] = {{.x = k->x, .null = k->bit}, {.x = k->y}};
    struct mpc_order *order;

    TRY(mpc_sort(&order, by, 2, err));
    mpc_order_free(order);
    return FM_OK;
}

static fm_status group(const struct job *k, struct base_err *err)
{
    struct mpc_sort_key key = {.x = k->x};
    struct mpc_group_item items[] = {{.kind = MPC_GROUP_SUM, .x = k->y, .where = k->bit},
                                     {.kind = MPC_GROUP_MAX, .x = k->y},
                                     {.kind = MPC_GROUP_COUNT_DISTINCT, .x = k->y}};
    struct mpc_grouped z;

    TRY(mpc_group(&z,
                  &(struct mpc_group_by){
                      .keys = &key, .keys_len = 1, .valid = k->bit, .items = items, .items_len = 3},
                  err));
    mpc_grouped_release(&z);
    return FM_OK;
}

static fm_status join(const struct job *k, struct base_err *err)
{
    const struct mpc_share *left = k->x, *right = k->y, *value = k->x;
    struct mpc_lookup lookup = {.keys = 1,
                                .table = {.key = &right, .n = k->n},
                                .probe = {.key = &left, .valid = k->bit, .n = k->n},
                                .values = &value,
                                .values_len = 1,
                                .per_key = 1};
    struct mpc_found z;

    TRY(mpc_find(&z, &lookup, err));
    mpc_found_release(&z);
    return FM_OK;
}

/* Values of 0 .. most that are all different where there are enough: what rows hold makes no
 * difference to what they cost. */
static fm_status program(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct job k = *(const struct job *)arg;
    int64_t *values = calloc(k.n + 1, 8), *out = calloc(k.n + 1, 8);
    uint64_t *bits = calloc(k.n + 1, 8);
    struct mpc_range range = {0, k.most};

    for (size_t i = 0; i < k.n; i++) {
        values[i] = (int64_t)(i * 7919 % ((uint64_t)k.most + 1));
        bits[i] = i % 3 > 0;
    }
    TRY(feed(s, &k.x, 0, values, k.n, range, err));
    TRY(feed(s, &k.y, 2, values, k.n, range, err));
    TRY(feed_bits(s, &k.bit, 1, bits, k.n, 1, err));
    TRY(feed_bits(s, &k.planes, 3, bits, k.n, 40, err));
    TRY(k.run(&k, err));
    TRY(tell(k.x, 1, out, err));
    TRY(tell(k.bit, 3, out, err));
    free(values);
    free(bits);
    free(out);
    return FM_OK;
}

/* Of a circuit, at most. */
enum { SCRATCH = 16 << 20 };

static void within(const char *what, double got, double expected, double part)
{
    if (got < expected * (1 - part) || got > expected * (1 + part))
        fail_msg("%s: reckoned %.0f, counted %.0f", what, got, expected);
}

static void check(struct job k, enum mpc_profile profile, double part)
{
    struct world w = {
        .row = mpc_protocol_find("rep3"), .outsiders = 1, .profile = profile, .seed = 7};
    struct mpc_reckon_config c = {.parties = 4, .compute = {0, 1, 2}, .profile = profile};
    struct mpc_reckoned cost;
    struct mpc_reckon *r;
    struct base_err err;
    uint64_t sent = 0, taken;

    world_must_run(&w, program, &k);
    if (mpc_reckon_new(&r, &c, &err) != FM_OK || program(mpc_reckon_session(r), &k, &err) != FM_OK)
        fail_msg("%s", err.text);
    mpc_reckon_get(r, &cost);
    for (unsigned p = 0; p < 4; p++)
        sent += w.stats[p].bytes_sent;
    within("rounds", (double)cost.rounds, (double)w.stats[0].rounds, part);
    within("bytes", (double)cost.bytes, (double)sent, part);
    assert_int_equal(cost.sent[3], w.stats[3].bytes_sent);
    assert_int_equal(cost.received[3], w.stats[3].bytes_received);
    for (unsigned p = 0; p < 3 && part > 0; p++) /* one operation alone is no turn for all three */
        within("a party's bytes", (double)cost.sent[p], (double)w.stats[p].bytes_sent, 0.34);
    if (cost.memory > w.stats[0].memory_peak + SCRATCH ||
        w.stats[0].memory_peak > cost.memory + SCRATCH)
        fail_msg("memory: reckoned %llu, counted %llu", (unsigned long long)cost.memory,
                 (unsigned long long)w.stats[0].memory_peak);
    taken = w.stats[0].memory_pool + w.stats[0].memory_heap;
    assert_true(taken >= w.stats[0].memory_peak);
    if (cost.pool > 2 * taken + SCRATCH || taken > 2 * cost.pool + SCRATCH)
        fail_msg("pool: reckoned %llu, taken %llu", (unsigned long long)cost.pool,
                 (unsigned long long)taken);
    assert_true(cost.busy_ns > 0);
    mpc_reckon_free(r);
    world_clear(&w);
}

static fm_status (*const exact[])(const struct job *, struct base_err *) = {
    compare, convert, link_signs, divide, shuffle};

static void what_is_not_sorted_is_exact(void **state)
{
    static const size_t lengths[] = {1, 65, 3000, 9000};

    (void)state;
    for (unsigned profile = 0; profile <= MPC_WAN; profile++)
        for (size_t i = 0; i < sizeof exact / sizeof exact[0]; i++)
            for (size_t l = 0; l < sizeof lengths / sizeof lengths[0]; l++)
                for (int64_t most = 1; most < INT64_C(1) << 40; most = most * 1500 + 7)
                    if (lengths[l] < 9000 || most > 1)
                        check((struct job){.run = exact[i], .n = lengths[l], .most = most},
                              (enum mpc_profile)profile, 0);
}

static void sorts_are_near(void **state)
{
    (void)state;
    for (unsigned profile = 0; profile < 2; profile++) {
        check((struct job){.run = sort, .n = 5000, .most = 9999}, (enum mpc_profile)profile, 0.1);
        check((struct job){.run = group, .n = 4000, .most = 9999}, (enum mpc_profile)profile, 0.1);
        check((struct job){.run = join, .n = 3000, .most = 9999}, (enum mpc_profile)profile, 0.1);
        check((struct job){.run = sort, .n = 200, .most = 3}, (enum mpc_profile)profile, 0.25);
        check((struct job){.run = join, .n = 100, .most = 200}, (enum mpc_profile)profile,
              profile == MPC_FEW_ROUNDS ? 0 : 0.25); /* few rounds: all pairs, no sort */
    }
}

static void it_has_its_limits(void **state)
{
    struct mpc_reckon *r;
    struct base_err err;

    (void)state;
    assert_int_equal(
        mpc_reckon_new(&r, &(struct mpc_reckon_config){.parties = NET_MAX_PARTIES}, &err),
        FM_E_LIMIT);
    assert_null(r);
    assert_null(mpc_protocol_find("rep3 reckoned"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_not_sorted_is_exact),
                                       cmocka_unit_test(sorts_are_near),
                                       cmocka_unit_test(it_has_its_limits)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
