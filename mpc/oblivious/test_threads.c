/* Whole tables with several threads a party: the same answers as with one, and all parties end when
 * a message is lost or a party dies in any lane. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mpc/lanes.h"
#include "mpc/oblivious/group.h"
#include "mpc/oblivious/join.h"
#include "mpc/oblivious/test_rows.h"

enum { N = MPC_LANES_FROM + 1234, SHORT = 9000 };

struct rows {
    size_t n;
    struct mpc_range range; /* of the keys: one limb or two */
    int64_t *key;
    int64_t *sorted;
    int64_t *got;
};

static fm_status sorts(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct rows *k = arg;
    struct mpc_share *x, *z;
    struct mpc_sort_key by = {0};
    struct mpc_order *order;
    fm_status status;

    TRY(feed(s, &x, 0, k->key, k->n, k->range, err));
    by.x = x;
    TRY(mpc_sort(&order, &by, 1, err));
    status = mpc_order_apply(order, MPC_FORWARD, &z, &by.x, 1, err);
    mpc_order_free(order);
    TRY(status);
    return same(s, z, k->got, k->sorted, "sorted", err);
}

/* Every key looks itself up, and then each is a group of its own or of several. */
static fm_status joins_and_groups(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct rows *k = arg;
    struct mpc_share *x, *groups, *t;
    struct mpc_lookup by = {.keys = 1, .values_len = 1, .table.n = k->n, .probe.n = k->n};
    struct mpc_found found;
    struct mpc_grouped z;
    struct mpc_sort_key key = {0};
    int64_t count = 0;

    TRY(feed(s, &x, 0, k->key, k->n, k->range, err));
    by.table.key = by.probe.key = by.values = (const struct mpc_share *const *)&x;
    TRY(mpc_find(&found, &by, err));
    TRY(same(s, found.value[0], k->got, k->key, "found", err));
    key.x = x;
    TRY(mpc_group(&z, &(struct mpc_group_by){.keys = &key, .keys_len = 1}, err));
    TRY(mpc_bit2a(&t, z.valid, err));
    TRY(mpc_sum(&groups, t, err));
    TRY(tell(groups, 0, &count, err));
    for (size_t i = 1, want = 1; mpc_session_self(s) == 0 && i <= k->n; i++) {
        if (i == k->n)
            return (size_t)count == want ? FM_OK
                                         : base_err_set(err, FM_E_INVALID, "%lld groups, not %zu",
                                                        (long long)count, want);
        want += k->sorted[i] != k->sorted[i - 1];
    }
    return FM_OK;
}

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static void rows_new(struct rows *k, size_t n, struct mpc_range range)
{
    struct test_rng rng = {n};

    *k = (struct rows){n, range, calloc(n, 8), calloc(n, 8), calloc(n, 8)};
    for (size_t i = 0; i < n; i++)
        k->key[i] = k->sorted[i] = rng_in(&rng, range);
    qsort(k->sorted, n, sizeof *k->sorted, ascending);
}

static void rows_release(struct rows *k)
{
    free(k->key);
    free(k->sorted);
    free(k->got);
}

static void threads_change_no_answer(void **state)
{
    static const struct mpc_range ranges[] = {{-40000, 40000}, {INT64_MIN, INT64_MAX}};

    (void)state;
    for (unsigned r = 0; r < 2; r++) {
        struct world two = {.row = mpc_protocol_find("rep3"), .streams = 2};
        struct world three = {
            .row = two.row, .streams = 3, .profile = MPC_FEW_BYTES, .outsiders = 1};
        struct rows k;

        rows_new(&k, N, ranges[r]);
        world_must_run(r == 0 ? &two : &three, sorts, &k);
        world_must_run(r == 0 ? &three : &two, joins_and_groups, &k);
        rows_release(&k);
    }
}

static void faults_in_threads(void **state)
{
    struct rows k;
    unsigned faults = 0;

    (void)state;
    rows_new(&k, SHORT, (struct mpc_range){0, 99999});
    for (uint64_t at = 1;; at += 19) {
        struct world w = {.row = mpc_protocol_find("rep3"),
                          .streams = 3,
                          .fault_kind = at % 2 == 0 ? NET_LOOP_KILL : NET_LOOP_DROP,
                          .timeout_ms = 400,
                          .fault_party = (unsigned)(at % 3),
                          .fault_at = at};

        if (!world_meets_fault(&w, sorts, &k))
            break;
        faults++;
    }
    print_message("%u faults\n", faults);
    assert_true(faults > 3);
    rows_release(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_change_no_answer),
        cmocka_unit_test(faults_in_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
