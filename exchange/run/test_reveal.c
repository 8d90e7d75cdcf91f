/* What a recipient must not see in an opened relation: anything under a place without a row or
 * under a NULL, and how the rows stood before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "exchange/run/test_relation.h"

struct opened {
    struct table table;
    enum run_reveal_order order;
    struct run_rows rows; /* party 0's */
};

static fm_status open_table(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct opened *o = arg;
    struct run_relation r = {0};
    struct run_rows rows;

    TRY(table_share(&r, s, &o->table, err));
    TRY(run_veil(&r, o->order, err));
    TRY(run_reveal(&rows, &r, (unsigned[]){0}, 1, err));
    run_relation_release(&r);
    if (mpc_session_self(s) == 0)
        o->rows = rows;
    else
        run_rows_release(&rows);
    return FM_OK;
}

static void open_as(struct opened *o, const char *protocol)
{
    struct world w = {.row = mpc_protocol_find(protocol), .profile = MPC_FEW_ROUNDS};

    world_must_run(&w, open_table, o);
    world_clear(&w);
}

/* ---- nothing under what is not there ---- */

static int64_t anything_at(const struct run_rows *rows, size_t column, size_t row)
{
    int64_t any = rows->value[column] != NULL ? rows->value[column][row] : 0;

    for (size_t k = 0; k < rows->word_counts[column]; k++)
        any |= rows->word[column][k][row];
    return any;
}

static void check_zeros(const struct run_rows *rows)
{
    for (size_t c = 0; c < rows->columns; c++)
        for (size_t i = 0; i < rows->rows; i++) {
            bool known = rows->known[c] == NULL || rows->known[c][i] != 0;
            if (rows->valid[i] == 0 && rows->known[c] != NULL)
                assert_int_equal(rows->known[c][i], 0);
            if (rows->valid[i] == 0 || !known)
                assert_int_equal(anything_at(rows, c, i), 0);
        }
}

static void nothing_stands_under(void **state)
{
    static const char *const protocols[] = {"plain", "rep3"};

    (void)state;
    for (unsigned seed = 1; seed <= 8; seed++) {
        struct test_rng rng = {seed * 77};
        struct opened o = {.order = seed % 2 == 0 ? RUN_SHUFFLED : RUN_AS_ORDERED};
        table_random(&o.table, &rng, 40);
        open_as(&o, protocols[seed / 2 % 2]);
        check_zeros(&o.rows);
        run_rows_release(&o.rows);
    }
}

/* ---- places say nothing ---- */

/* 48 rows, the first half of them there, numbered as they stand in COL_U. True if they still stand
 * so, and where. */
static void how_they_stand(bool *in_order, bool *in_place, const char *protocol,
                           enum run_reveal_order order)
{
    struct opened o = {.order = order};
    int64_t last = -1;

    o.table.rows = 48;
    for (size_t i = 0; i < o.table.rows; i++) {
        o.table.valid[i] = i < o.table.rows / 2;
        o.table.value[COL_U][i] = (int64_t)i;
    }
    open_as(&o, protocol);
    *in_order = *in_place = true;
    for (size_t i = 0; i < o.rows.rows; i++) {
        *in_place = *in_place && (o.rows.valid[i] != 0) == o.table.valid[i];
        if (o.rows.valid[i] != 0) {
            *in_order = *in_order && o.rows.value[COL_U][i] > last;
            last = o.rows.value[COL_U][i];
        }
    }
    run_rows_release(&o.rows);
}

static void places_say_nothing(void **state)
{
    static const char *const protocols[] = {"plain", "rep3"};
    bool in_order, in_place;

    (void)state;
    for (size_t p = 0; p < 2; p++) {
        how_they_stand(&in_order, &in_place, protocols[p], RUN_AS_ORDERED);
        assert_true(in_order && in_place);
        how_they_stand(&in_order, &in_place, protocols[p], RUN_SHUFFLED);
        assert_false(in_order);
        assert_false(in_place);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_stands_under),
                                       cmocka_unit_test(places_say_nothing)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
