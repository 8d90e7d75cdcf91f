/* Compaction and scans, on every row and in both profiles, against loops in plain C. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mpc/oblivious/compact.h"
#include "mpc/oblivious/scan.h"
#include "mpc/oblivious/test_rows.h"

enum { MOST = 300 };

struct rows {
    size_t n;
    struct mpc_range range;
    int64_t x[MOST];
    int64_t y[MOST];
    uint64_t word[MOST];
    uint64_t head[MOST];
    uint64_t where[MOST];
    int64_t got[MOST];
    int64_t want[8][MOST];
};

enum { FILL, FILL_WORD, SUM, SUM_Y, COUNT, LEAST, GREATEST, OR };

static int64_t plus(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static void solve(struct rows *k)
{
    size_t from = 0;

    for (size_t i = 0; i < k->n; i++) {
        from = k->head[i] != 0 ? i : from;
        for (unsigned w = 0; w < 8; w++)
            k->want[w][i] = 0;
        k->want[LEAST][i] = k->want[GREATEST][i] = k->x[from];
        for (size_t j = 0; j <= i; j++) {
            if (k->head[j] != 0) {
                k->want[FILL][i] = k->x[j];
                k->want[FILL_WORD][i] = (int64_t)k->word[j];
            }
            if (j < from)
                continue;
            k->want[SUM][i] = plus(k->want[SUM][i], k->x[j]);
            k->want[SUM_Y][i] += k->y[j];
            k->want[COUNT][i] += (int64_t)k->where[j];
            k->want[OR][i] |= (int64_t)k->word[j];
            if (k->x[j] < k->want[LEAST][i])
                k->want[LEAST][i] = k->x[j];
            if (k->x[j] > k->want[GREATEST][i])
                k->want[GREATEST][i] = k->x[j];
        }
    }
}

static fm_status scans(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct rows *k = arg;
    struct mpc_share *x, *y, *word, *head, *where, *ring, *z[2];

    TRY(feed(s, &x, 0, k->x, k->n, k->range, err));
    TRY(feed(s, &y, 0, k->y, k->n, (struct mpc_range){-9, 9}, err));
    TRY(feed_bits(s, &word, 0, k->word, k->n, 7, err));
    TRY(feed_bits(s, &head, 0, k->head, k->n, 1, err));
    TRY(feed_bits(s, &where, 0, k->where, k->n, 1, err));
    TRY(mpc_bit2a(&ring, head, err));
    TRY(mpc_fill_down(z, (const struct mpc_share *const[]){x, word}, 2, head, err));
    TRY(same(s, z[0], k->got, k->want[FILL], "fill down", err));
    TRY(same(s, z[1], k->got, k->want[FILL_WORD], "fill down, bits", err));
    TRY(mpc_fill_down(z, (const struct mpc_share *const[]){word, x}, 2, ring, err));
    TRY(same(s, z[1], k->got, k->want[FILL], "fill down, ring heads", err));
    TRY(same(s, z[0], k->got, k->want[FILL_WORD], "fill down, ring heads, bits", err));
    TRY(mpc_scan_or(z, word, head, err));
    TRY(same(s, z[0], k->got, k->want[OR], "or", err));
    TRY(mpc_scan_sum(z, (const struct mpc_share *const[]){x, y}, 2, head, err));
    TRY(same(s, z[0], k->got, k->want[SUM], "sum", err));
    TRY(same(s, z[1], k->got, k->want[SUM_Y], "sum of few", err));
    TRY(mpc_scan_count(&z[0], where, head, err));
    TRY(same(s, z[0], k->got, k->want[COUNT], "count", err));
    TRY(mpc_scan_min(&z[0], x, head, err));
    TRY(same(s, z[0], k->got, k->want[LEAST], "least", err));
    TRY(mpc_scan_max(&z[0], x, head, err));
    return same(s, z[0], k->got, k->want[GREATEST], "greatest", err);
}

static void scans_by_segments(void **state)
{
    static const size_t lengths[] = {0, 1, 2, 3, 5, 64, 65, 127, MOST};
    static const struct mpc_range ranges[] = {{-100, 1000}, {INT64_MIN, INT64_MAX}};
    static struct rows k;

    (void)state;
    for (size_t l = 0; l < sizeof lengths / sizeof lengths[0]; l++)
        for (unsigned density = 0; density < 4; density++) {
            struct test_rng rng = {1 + l * 4 + density};

            k.n = lengths[l];
            k.range = ranges[(l + density) % 2];
            for (size_t i = 0; i < k.n; i++) {
                k.x[i] = rng_in(&rng, k.range);
                k.y[i] = rng_in(&rng, (struct mpc_range){-9, 9});
                k.word[i] = rng_next(&rng) % 128;
                k.where[i] = rng_next(&rng) >> 63;
                k.head[i] = density == 0   ? 0
                            : density == 1 ? 1
                            : density == 2 ? rng_next(&rng) % 3 == 0
                                           : i == 0 || rng_next(&rng) % 40 == 0;
            }
            solve(&k);
            on_every_row(scans, &k);
        }
}

static fm_status compacts(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct rows *k = arg;
    struct mpc_share *x, *wanted, *ring, *z = NULL;
    int64_t want[MOST];
    size_t at = 0;

    for (unsigned kept = 1; kept < 2; kept--)
        for (size_t i = 0; i < k->n; i++)
            if (k->where[i] == kept)
                want[at++] = k->x[i];
    TRY(feed(s, &x, 0, k->x, k->n, k->range, err));
    TRY(feed_bits(s, &wanted, 0, k->where, k->n, 1, err));
    TRY(mpc_bit2a(&ring, wanted, err));
    for (unsigned form = 0; form < 2; form++) {
        struct mpc_order *order;
        fm_status status = mpc_compact(&order, form == 0 ? wanted : ring, err);

        if (status == FM_OK)
            status = mpc_order_apply(order, MPC_FORWARD, &z, (const struct mpc_share *const *)&x, 1,
                                     err);
        mpc_order_free(order);
        TRY(status);
        TRY(same(s, z, k->got, want, "compact", err));
    }
    return FM_OK;
}

static void compaction_is_stable(void **state)
{
    static const size_t lengths[] = {0, 1, 2, 63, 64, 130, MOST};
    static struct rows k;

    (void)state;
    k.range = MPC_RANGE_FULL;
    for (size_t l = 0; l < sizeof lengths / sizeof lengths[0]; l++)
        for (unsigned density = 0; density < 3; density++) {
            struct test_rng rng = {1 + l * 3 + density};

            k.n = lengths[l];
            for (size_t i = 0; i < k.n; i++) {
                k.x[i] = rng_value(&rng);
                k.where[i] = density == 0 ? 0 : density == 1 ? 1 : rng_next(&rng) >> 63;
            }
            on_every_row(compacts, &k);
        }
}

static fm_status bad_arguments(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct mpc_share *x, *heads, *two, *few, *bits, *z[1];
    struct mpc_order *order;

    (void)arg;
    TRY(mpc_constant(s, &x, 5, 4, err));
    TRY(mpc_bits_constant(s, &heads, 1, 1, 4, err));
    TRY(mpc_bits_constant(s, &two, 1, 2, 4, err));
    TRY(mpc_bits_constant(s, &few, 1, 1, 3, err));
    TRY(mpc_bits_constant(s, &bits, 1, 5, 4, err));
    REFUSED(mpc_compact(&order, x, err), FM_E_ARG, "indicators are 0 or 1");
    REFUSED(mpc_compact(&order, two, err), FM_E_ARG, "takes width 1, not 2");
    REFUSED(mpc_fill_down(z, (const struct mpc_share *const *)&x, 1, few, err), FM_E_ARG,
            "3 heads for 4 rows");
    REFUSED(mpc_fill_down(z, (const struct mpc_share *const *)&x, 1, two, err), FM_E_ARG,
            "bits of width 1");
    REFUSED(mpc_scan_sum(z, (const struct mpc_share *const *)&bits, 1, heads, err), FM_E_ARG,
            "takes a ring column");
    REFUSED(mpc_scan_or(z, x, heads, err), FM_E_ARG, "takes a bits column");
    REFUSED(mpc_scan_or(z, two, few, err), FM_E_ARG, "3 heads for 4 rows");
    REFUSED(mpc_scan_min(z, x, x, err), FM_E_ARG, "bits of width 1");
    REFUSED(mpc_scan_max(z, x, few, err), FM_E_ARG, "3 heads for 4 rows");
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
        cmocka_unit_test(scans_by_segments),
        cmocka_unit_test(compaction_is_stable),
        cmocka_unit_test(bad_arguments_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
