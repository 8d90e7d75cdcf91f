/* The estimate of a plan's memory grows with rows and columns, knows what a party's part is, and
 * does not add up what runs one after another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "exchange/sql/physical/footprint.h"

enum { MIB = 1 << 20 };

/* SELECT COUNT(*), MAX(x1) ... MAX(x_extremes) FROM t WHERE x1 < c, in the steps that matter. */
static uint64_t estimate(int64_t rows, size_t extremes, bool computes, int64_t own)
{
    struct sql_step steps[64];
    struct sql_physical p = {.steps = steps, .rows = rows, .others_rows = rows, .levels = 2};
    struct base_err err = {0};
    uint64_t bytes;
    size_t n = 0;

    for (size_t i = 0; i < extremes; i++)
        steps[n++] = (struct sql_step){
            .op = SQL_STEP_COLUMN, .domain = SQL_RING, .shape = SQL_ROWS, .width = 64};
    steps[n++] = (struct sql_step){.op = SQL_STEP_LESS,
                                   .domain = SQL_BITS,
                                   .shape = SQL_ROWS,
                                   .width = 1,
                                   .args = {0, 0},
                                   .arg_count = 2,
                                   .level = 1};
    for (size_t i = 0; i < extremes; i++)
        steps[n++] = (struct sql_step){.op = SQL_STEP_MAX,
                                       .domain = SQL_RING,
                                       .shape = SQL_ONE,
                                       .width = 64,
                                       .args = {i, extremes},
                                       .arg_count = 2,
                                       .level = 2};
    p.step_count = n;
    assert_int_equal(sql_footprint(&bytes, &p, computes, own, &err), FM_OK);
    return bytes;
}

static void it_grows_with_rows_and_columns(void **state)
{
    (void)state;
    assert_true(estimate(1000000, 1, true, 0) > 90 * (uint64_t)MIB);
    assert_true(estimate(1000000, 1, true, 0) < 200 * (uint64_t)MIB);
    assert_in_range(estimate(2000000, 3, true, 0) / estimate(1000000, 3, true, 0), 1, 2);
    assert_true(estimate(2000000, 3, true, 0) > 19 * (estimate(1000000, 3, true, 0) / 10));
    /* another column is another 16 bytes a row, and no more of what runs meanwhile */
    assert_true(estimate(1000000, 4, true, 0) - estimate(1000000, 3, true, 0) < 17 * 1000000);
    assert_true(estimate(1000000, 4, true, 0) - estimate(1000000, 3, true, 0) > 15 * 1000000);
}

static void it_knows_the_parties_part(void **state)
{
    (void)state;
    assert_int_equal(estimate(1000000, 2, false, 0), MIB); /* only receives */
    assert_true(estimate(1000000, 2, false, 500000) < estimate(1000000, 2, true, 0) / 4);
    assert_true(estimate(1000000, 2, false, 500000) >= 2 * 8 * 500000);
    assert_true(estimate(1000000, 2, true, 500000) ==
                estimate(1000000, 2, true, 0) + estimate(1000000, 2, false, 500000));
    assert_int_equal(estimate(10, 1, true, 10), MIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_grows_with_rows_and_columns),
        cmocka_unit_test(it_knows_the_parties_part),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
