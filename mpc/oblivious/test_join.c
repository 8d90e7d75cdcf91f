/* Lookups and the joins made of them, on every row and in both profiles, against nested loops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mpc/oblivious/join.h"
#include "mpc/oblivious/test_rows.h"

enum { MOST = 150, PER_KEY = 5 };
#define PART_RANGE ((struct mpc_range){-((int64_t)1 << 50), (int64_t)1 << 54})

struct side {
    size_t n;
    int64_t a[MOST];
    uint64_t b[MOST];
    uint64_t null[MOST];
    uint64_t valid[MOST];
};

struct tables {
    unsigned keys;
    bool masked; /* NULLs and valid bits */
    bool bare;   /* no values: a semijoin */
    size_t per_key;
    bool probe_unique;
    enum mpc_find_method method;
    struct mpc_range range;
    struct side table;
    struct side probe;
    int64_t x[MOST];
    uint64_t w[MOST];
    int64_t got[PER_KEY * MOST];
    int64_t match[PER_KEY * MOST];
    int64_t want_x[PER_KEY * MOST];
    int64_t want_w[PER_KEY * MOST];
    int64_t part[MOST]; /* of each probing row that has a match */
    int64_t sum[MOST];  /* of each table row's parts */
    int64_t in[MOST];
    int64_t unknown[MOST];
    bool repeated;
};

static bool usable(const struct tables *t, const struct side *s, size_t i)
{
    return !t->masked || (s->valid[i] != 0 && s->null[i] == 0);
}

static bool same_keys(const struct tables *t, const struct side *s, size_t i, const struct side *r,
                      size_t j)
{
    return usable(t, s, i) && usable(t, r, j) && s->a[i] == r->a[j] &&
           (t->keys == 1 || s->b[i] == r->b[j]);
}

/* Has probing row j a match, as far as the other probing rows go? */
static bool may_match(const struct tables *t, size_t j)
{
    for (size_t i = 0; t->probe_unique && t->method != MPC_FIND_PAIRS && i < j; i++)
        if (same_keys(t, &t->probe, i, &t->probe, j))
            return false;
    return true;
}

static bool repeats_more(const struct tables *t, const struct side *s, size_t most)
{
    for (size_t i = 0; i < s->n; i++) {
        size_t others = 0;

        for (size_t j = 0; j < i; j++)
            others += same_keys(t, s, i, s, j);
        if (others >= most)
            return true;
    }
    return false;
}

/* What all pairs see of it. */
static bool found_more(const struct tables *t, size_t most)
{
    for (size_t j = 0; j < t->probe.n; j++) {
        size_t matches = 0;

        for (size_t i = 0; i < t->table.n; i++)
            matches += same_keys(t, &t->table, i, &t->probe, j);
        if (matches > most)
            return true;
    }
    return false;
}

static void solve(struct tables *t)
{
    size_t most = t->per_key > 1 ? t->per_key : 1;

    memset(t->match, 0, sizeof t->match);
    memset(t->want_x, 0, sizeof t->want_x);
    memset(t->want_w, 0, sizeof t->want_w);
    for (size_t j = 0; j < t->probe.n; j++) {
        size_t slot = 0;

        for (size_t i = t->table.n; i > 0 && slot < most && may_match(t, j); i--)
            if (same_keys(t, &t->table, i - 1, &t->probe, j)) {
                size_t at = slot++ * t->probe.n + j;

                t->match[at] = 1;
                t->want_x[at] = t->x[i - 1];
                t->want_w[at] = (int64_t)t->w[i - 1];
            }
    }
    if (t->method == MPC_FIND_PAIRS)
        t->repeated = found_more(t, most);
    else
        t->repeated =
            repeats_more(t, &t->table, most) || (t->probe_unique && repeats_more(t, &t->probe, 1));
}

/* What each table row is the last match of. */
static void solve_sums(struct tables *t)
{
    memset(t->sum, 0, sizeof t->sum);
    for (size_t j = 0; j < t->probe.n; j++) {
        size_t i = t->table.n;

        while (i > 0 && !same_keys(t, &t->table, i - 1, &t->probe, j))
            i--;
        if (i > 0)
            t->sum[i - 1] += t->part[j];
        else
            t->part[j] = 0;
    }
}

/* x IN (table), by SQL's truth tables: the OR over all valid table rows of x = key. */
static void solve_in(struct tables *t)
{
    for (size_t j = 0; j < t->probe.n; j++) {
        bool valid = !t->masked || t->probe.valid[j] != 0;

        t->in[j] = t->unknown[j] = 0;
        for (size_t i = 0; valid && i < t->table.n; i++) {
            bool null = t->masked && (t->probe.null[j] != 0 || t->table.null[i] != 0);

            if (t->masked && t->table.valid[i] == 0)
                continue;
            t->in[j] |= !null && t->probe.a[j] == t->table.a[i];
            t->unknown[j] |= null;
        }
        if (t->in[j] != 0)
            t->unknown[j] = 0;
    }
}

struct fed {
    struct mpc_share *key[2];
    struct mpc_share *null;
    struct mpc_share *valid;
    const struct mpc_share *nulls[2];
};

static fm_status feed_side(struct mpc_session *s, struct mpc_lookup_side *out, struct fed *f,
                           const struct tables *t, const struct side *side, unsigned owner,
                           struct base_err *err)
{
    TRY(feed(s, &f->key[0], owner, side->a, side->n, t->range, err));
    TRY(feed_bits(s, &f->key[1], owner, side->b, side->n, 6, err));
    TRY(feed_bits(s, &f->null, owner, side->null, side->n, 1, err));
    TRY(feed_bits(s, &f->valid, owner, side->valid, side->n, 1, err));
    f->nulls[0] = f->null;
    f->nulls[1] = NULL;
    *out = (struct mpc_lookup_side){.key = (const struct mpc_share *const *)f->key, .n = side->n};
    if (t->masked) {
        out->null = f->nulls;
        out->valid = f->valid;
    }
    return FM_OK;
}

static fm_status sums_come_back(struct mpc_session *s, struct tables *t,
                                const struct mpc_find_path *path, struct base_err *err)
{
    struct mpc_share *x[2], *z[2];

    TRY(feed(s, &x[0], 0, t->part, t->probe.n, PART_RANGE, err));
    TRY(mpc_neg(&x[1], x[0], err));
    TRY(mpc_find_sums(z, path, (const struct mpc_share *const *)x, 2, err));
    mpc_share_free(x[0]);
    mpc_share_free(x[1]);
    TRY(mpc_neg(&x[1], z[1], err));
    mpc_share_free(z[1]);
    TRY(same(s, z[0], t->got, t->sum, "sum", err));
    return same(s, x[1], t->got, t->sum, "sum of another column", err);
}

static fm_status finds(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct tables *t = arg;
    struct mpc_share *x, *w;
    struct fed fed[2];
    struct mpc_lookup by = {.keys = t->keys,
                            .per_key = t->per_key,
                            .probe_unique = t->probe_unique,
                            .method = t->method,
                            .path = !t->probe_unique};
    struct mpc_found z;
    int64_t repeated = 0;

    TRY(feed_side(s, &by.table, &fed[0], t, &t->table, 0, err));
    TRY(feed_side(s, &by.probe, &fed[1], t, &t->probe, 0, err));
    TRY(feed(s, &x, 0, t->x, t->table.n, MPC_RANGE_FULL, err));
    TRY(feed_bits(s, &w, 0, t->w, t->table.n, 9, err));
    by.values = (const struct mpc_share *const[]){x, w};
    by.values_len = t->bare ? 0 : 2;
    TRY(mpc_find(&z, &by, err));
    TRY(tell(z.repeated, 0, &repeated, err));
    if (mpc_session_self(s) == 0 && (repeated != 0) != t->repeated)
        return base_err_set(err, FM_E_INVALID, "repeated: %d", (int)repeated);
    mpc_share_free(z.repeated);
    TRY(same(s, z.match, t->got, t->match, "match", err));
    if ((z.path != NULL) != (by.path && t->method == MPC_FIND_SORTED))
        return base_err_set(err, FM_E_INVALID, "a path where none was asked for, or none");
    if (z.path != NULL)
        TRY(sums_come_back(s, t, z.path, err));
    mpc_find_path_free(z.path);
    if (t->bare)
        return FM_OK;
    TRY(same(s, z.value[0], t->got, t->want_x, "value", err));
    return same(s, z.value[1], t->got, t->want_w, "value, bits", err);
}

static fm_status finds_in(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct tables *t = arg;
    struct mpc_share *in, *unknown;
    struct fed fed[2];
    struct mpc_lookup by = {.keys = 1, .method = t->method};

    TRY(feed_side(s, &by.table, &fed[0], t, &t->table, 0, err));
    TRY(feed_side(s, &by.probe, &fed[1], t, &t->probe, 0, err));
    TRY(mpc_find_in(&in, &unknown, &by, err));
    TRY(same(s, in, t->got, t->in, "in", err));
    return same(s, unknown, t->got, t->unknown, "unknown", err);
}

static void fill_side(const struct tables *t, struct side *s, bool unique, struct test_rng *rng)
{
    uint64_t span = (uint64_t)t->range.hi - (uint64_t)t->range.lo;

    for (size_t i = 0; i < s->n; i++) {
        uint64_t step = span / (s->n + 1);

        s->a[i] = unique && step > 0 ? (int64_t)((uint64_t)t->range.lo + step * (i * 7 % s->n))
                                     : rng_in(rng, t->range);
        s->b[i] = rng_next(rng) % 3;
        s->null[i] = rng_next(rng) % 5 == 0;
        s->valid[i] = rng_next(rng) % 4 != 0;
    }
}

static void lookups_find_the_right_row(void **state)
{
    static const size_t lengths[][2] = {{0, 3}, {3, 0},    {1, 1},   {1, 2},
                                        {2, 1}, {30, 100}, {64, 64}, {MOST, 65}};
    static const struct mpc_range ranges[] = {{-2, 100}, {0, 3}, {INT64_MIN, INT64_MAX}};
    static struct tables t;

    (void)state;
    for (size_t l = 0; l < sizeof lengths / sizeof lengths[0]; l++)
        for (unsigned at = 0; at < 14 * repeats(); at++) {
            struct test_rng rng = {1 + l * 14 + at + at / 14 * 1000};
            unsigned round = at % 14;

            t.table.n = lengths[l][0];
            t.probe.n = lengths[l][1];
            t.range = ranges[round % 3];
            t.keys = 1 + round % 2;
            t.masked = round % 6 >= 3;
            t.bare = round == 4;
            t.per_key = round < 6 ? 0 : round < 10 ? round - 4 : 1; /* up to 5 */
            t.probe_unique = round >= 10;
            fill_side(&t, &t.table, round % 3 != 1, &rng);
            fill_side(&t, &t.probe, t.probe_unique, &rng);
            for (size_t j = 0; j < t.probe.n && t.table.n > 0; j++)
                if (rng_next(&rng) % 2 == 0) {
                    size_t i = round >= 12 ? j % t.table.n : (size_t)(rng_next(&rng) % t.table.n);

                    t.probe.a[j] = t.table.a[i];
                    t.probe.b[j] = t.table.b[i];
                }
            for (size_t i = 0; i < t.table.n; i++) {
                t.x[i] = rng_value(&rng);
                t.w[i] = rng_next(&rng) % 512;
            }
            for (size_t j = 0; j < t.probe.n; j++)
                t.part[j] = rng_in(&rng, PART_RANGE);
            solve_sums(&t);
            for (t.method = MPC_FIND_SORTED; t.method <= MPC_FIND_PAIRS; t.method++) {
                solve(&t);
                on_every_row(finds, &t);
            }
        }
}

/* NOT IN and its NULLs: tables that are empty, have NULLs, have none. */
static void in_is_what_sql_says(void **state)
{
    static struct tables t;

    (void)state;
    for (unsigned round = 0; round < 8 * repeats(); round++) {
        struct test_rng rng = {1 + round};

        t.keys = 1;
        t.range = (struct mpc_range){0, 9};
        t.table.n = round % 4 == 0 ? 0 : round % 4 == 1 ? 1 : 5;
        t.probe.n = 40;
        t.masked = round % 8 >= 2;
        fill_side(&t, &t.table, false, &rng);
        fill_side(&t, &t.probe, false, &rng);
        if (round % 8 == 5)
            memset(t.table.valid, 0, sizeof t.table.valid);
        if (round % 8 == 6)
            memset(t.table.null, 0, sizeof t.table.null);
        if (round % 4 == 3) {
            t.table.null[0] = t.table.valid[0] = t.table.valid[1] = 1;
            t.table.null[1] = 0;
        }
        solve_in(&t);
        for (t.method = MPC_FIND_SORTED; t.method <= MPC_FIND_PAIRS; t.method++)
            on_every_row(finds_in, &t);
    }
}

/* Exactly as many rows of a key as there may be, and one more. */
static void bounds_on_keys_are_told(void **state)
{
    static struct tables t;

    (void)state;
    memset(&t, 0, sizeof t);
    t.table.n = 12;
    t.probe.n = 6;
    t.keys = 1;
    t.range = (struct mpc_range){0, 9};
    for (size_t i = 0; i < t.table.n; i++) {
        t.table.a[i] = (int64_t)(i / 3);
        t.x[i] = (int64_t)i;
    }
    for (size_t j = 0; j < t.probe.n; j++)
        t.probe.a[j] = (int64_t)j;
    for (t.per_key = 2; t.per_key <= 4; t.per_key++) {
        for (t.method = MPC_FIND_SORTED; t.method <= MPC_FIND_PAIRS; t.method++) {
            solve(&t);
            assert_int_equal(t.repeated, t.per_key < 3);
            on_every_row(finds, &t);
        }
    }
}

/* Rows with the same key of which only one counts. */
static void rows_that_do_not_count_repeat_nothing(void **state)
{
    static struct tables t;

    (void)state;
    memset(&t, 0, sizeof t);
    t.table.n = t.probe.n = 5;
    t.keys = 1;
    t.masked = true;
    t.range = (struct mpc_range){0, 9};
    for (size_t i = 0; i < 5; i++) {
        t.table.a[i] = t.probe.a[i] = 3;
        t.probe.valid[i] = 1;
        t.x[i] = (int64_t)i;
    }
    t.table.valid[2] = 1;
    for (t.method = MPC_FIND_SORTED; t.method <= MPC_FIND_PAIRS; t.method++) {
        solve(&t);
        assert_false(t.repeated);
        on_every_row(finds, &t);
    }
}

/* The wrong columns of a path, and sums that could leave 64 bits. */
static fm_status bad_sums(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct mpc_share *four, *three, *bits, *wide, *z;
    struct mpc_lookup by = {.keys = 1,
                            .table.n = 4,
                            .probe.n = 3,
                            .method = MPC_FIND_SORTED,
                            .path = true,
                            .probe_unique = true};
    struct mpc_found found;

    (void)arg;
    TRY(mpc_constant(s, &four, 5, 4, err));
    TRY(mpc_constant(s, &three, 5, 3, err));
    TRY(mpc_constant(s, &wide, INT64_MAX / 2, 3, err));
    TRY(mpc_bits_constant(s, &bits, 1, 1, 3, err));
    by.table.key = (const struct mpc_share *const[]){four};
    by.probe.key = (const struct mpc_share *const[]){three};
    REFUSED(mpc_find(&found, &by, err), FM_E_ARG, "no sums where both sides are unique");
    by.probe_unique = false;
    TRY(mpc_find(&found, &by, err));
    REFUSED(mpc_find_sums(&z, found.path, (const struct mpc_share *const[]){four}, 1, err),
            FM_E_ARG, "a column of 3 ring elements, not 4");
    REFUSED(mpc_find_sums(&z, found.path, (const struct mpc_share *const[]){bits}, 1, err),
            FM_E_ARG, "a column of 3 ring elements");
    REFUSED(mpc_find_sums(&z, found.path, (const struct mpc_share *const[]){wide}, 1, err),
            FM_E_LIMIT, "find sums");
    mpc_found_release(&found);
    mpc_share_free(four);
    mpc_share_free(three);
    mpc_share_free(wide);
    mpc_share_free(bits);
    return FM_OK;
}

static fm_status bad_arguments(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct mpc_share *four, *three, *bits, *narrow;
    const struct mpc_share *value[1];
    struct mpc_lookup by = {.keys = 1, .table.n = 4, .probe.n = 3, .values = value};
    struct mpc_found z;

    (void)arg;
    TRY(mpc_constant(s, &four, 5, 4, err));
    TRY(mpc_constant(s, &three, 5, 3, err));
    TRY(mpc_bits_constant(s, &bits, 1, 4, 3, err));
    TRY(mpc_bits_constant(s, &narrow, 1, 2, 3, err));
    by.table.key = (const struct mpc_share *const[]){four};
    by.probe.key = (const struct mpc_share *const[]){bits};
    REFUSED(mpc_find(&z, &by, err), FM_E_ARG, "key 0: domains or widths differ");
    by.probe.key = (const struct mpc_share *const[]){four};
    REFUSED(mpc_find(&z, &by, err), FM_E_ARG, "a column of 4 rows, not 3");
    by.probe.key = (const struct mpc_share *const[]){three};
    by.probe.valid = narrow;
    REFUSED(mpc_find(&z, &by, err), FM_E_ARG, "bits of width 1");
    by.probe.valid = NULL;
    by.values_len = 1;
    value[0] = three;
    REFUSED(mpc_find(&z, &by, err), FM_E_ARG, "value column 0 has 3 rows");
    by.values_len = 0;
    by.per_key = MPC_LOOKUP_PER_KEY + 1;
    REFUSED(mpc_find(&z, &by, err), FM_E_ARG, "65 rows of one key");
    by.per_key = 2;
    by.probe_unique = true;
    REFUSED(mpc_find(&z, &by, err), FM_E_ARG, "2 rows of one key");
    by.keys = 0;
    REFUSED(mpc_find(&z, &by, err), FM_E_ARG, "0 keys");
    REFUSED(mpc_find_in(&four, &three, &by, err), FM_E_ARG, "0 keys: only 1");
    return FM_OK;
}

static void bad_arguments_are_errors(void **state)
{
    struct world w = {.row = mpc_protocol_find("plain")};

    (void)state;
    world_must_run(&w, bad_arguments, NULL);
    world_must_run(&w, bad_sums, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lookups_find_the_right_row),
        cmocka_unit_test(in_is_what_sql_says),
        cmocka_unit_test(bounds_on_keys_are_told),
        cmocka_unit_test(rows_that_do_not_count_repeat_nothing),
        cmocka_unit_test(bad_arguments_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
