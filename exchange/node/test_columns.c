/* Columns kept between queries: what comes out is what went in, by root and name; the bound holds,
 * the longest unused goes first; and a query from memory sees the rows that one from the file sees.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "exchange/node/job_rows.h"

static const uint8_t root_a[32] = {1}, root_b[32] = {2};

static struct column *filled(const uint8_t root[32], const char *name, size_t rows)
{
    struct column *c = column_new(root, name, rows);

    assert_non_null(c);
    for (size_t i = 0; i < rows; i++) {
        struct data_cell cell = {.null = i % 3 == 0, .value = i % 3 == 0 ? 0 : (int64_t)i - 5};
        assert_true(column_add(c, &cell));
    }
    return c;
}

static void put(struct columns *cache, const uint8_t root[32], const char *name, size_t rows)
{
    struct column *c = filled(root, name, rows);

    columns_put(cache, c);
    column_release(c);
}

static bool has(struct columns *cache, const uint8_t root[32], const char *name)
{
    struct column *c = columns_find(cache, root, name);

    column_release(c);
    return c != NULL;
}

static void what_went_in_comes_out(void **state)
{
    struct columns cache = {.limit = 1 << 20};
    struct column *c;
    struct data_cell cell = {.value = 1};

    (void)state;
    put(&cache, root_a, "x", 10);
    assert_false(has(&cache, root_b, "x"));
    assert_false(has(&cache, root_a, "y"));
    c = columns_find(&cache, root_a, "x");
    columns_clear(&cache); /* still ours */
    assert_int_equal(column_rows(c), 10);
    assert_true(column_cell(c, 3).null);
    assert_int_equal(column_cell(c, 4).value, -1);
    assert_false(column_add(c, &cell)); /* full */
    column_release(c);
    assert_null(column_new(root_a, "x", SIZE_MAX / 8));
}

static void the_longest_unused_goes_first(void **state)
{
    struct columns cache = {.limit = 4096};

    (void)state;
    put(&cache, root_a, "a", 100);
    put(&cache, root_a, "b", 100);
    put(&cache, root_a, "c", 100);
    assert_true(has(&cache, root_a, "a"));
    put(&cache, root_a, "d", 100);
    assert_true(has(&cache, root_a, "a"));
    assert_false(has(&cache, root_a, "b"));
    assert_true(has(&cache, root_a, "c"));
    assert_true(has(&cache, root_a, "d"));
    put(&cache, root_b, "e", 1000); /* larger than all room */
    assert_false(has(&cache, root_b, "e"));
    assert_true(has(&cache, root_a, "d"));
    columns_clear(&cache);
}

/* ---- with a file ---- */

static struct node_rows *rows_of(const char *path)
{
    json_t *schema =
        json_loads("{\"columns\":[{\"name\":\"x\",\"type\":\"INTEGER\",\"range\":[-9,9],"
                   "\"nullable\":true},{\"name\":\"t\",\"type\":\"TEXT(3)\",\"nullable\":false}],"
                   "\"keys\":[],\"rows\":4,\"version\":1}",
                   0, NULL);
    struct base_err err = {0};
    struct node_rows *rows;

    if (node_rows_open(&rows, path, "t", schema, &err) != FM_OK)
        fail_msg("%s", err.text);
    json_decref(schema);
    rows->rooted = true;
    memcpy(rows->root, root_a, sizeof rows->root);
    return rows;
}

/* All values of x, "." for NULL; says whether they came out of the file. */
static bool walk(char *out, struct columns *cache, const char *path, const char *names[2], size_t n)
{
    struct sql_plan plan = {.column_count = n};
    struct sql_plan_column columns[2] = {{0}};
    struct sql_cell cells[2];
    struct base_err err = {0};
    struct job_rows r;
    bool end = false, from_file;

    for (size_t i = 0; i < n; i++)
        columns[i].name = (char *)(uintptr_t)names[i];
    plan.columns = columns;
    assert_int_equal(job_rows_init(&r, rows_of(path), &plan, 0, cache, &err), FM_OK);
    assert_int_equal(job_rows_open(&r, &err), FM_OK);
    from_file = r.reader != NULL;
    out[0] = '\0';
    while (!end) {
        assert_int_equal(job_rows_next(&r, cells, &end, &err), FM_OK);
        if (end)
            strcat(out, "|");
        else if (n == 0)
            strcat(out, "*");
        else
            (void)sprintf(out + strlen(out), cells[0].null ? ". " : "%lld ",
                          (long long)cells[0].value);
    }
    job_rows_keep(&r, cache);
    job_rows_release(&r);
    return from_file;
}

static void from_memory_as_from_the_file(void **state)
{
    struct columns cache = {.limit = 1 << 20};
    char path[] = "/tmp/firmiana-columns.XXXXXX", out[128];
    const char *x[2] = {"x", "t"}, *t[2] = {"t", NULL};
    sqlite3 *db;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db,
                     "CREATE TABLE t(x INTEGER, t TEXT NOT NULL); INSERT INTO t VALUES "
                     "(1,'a'),(NULL,'b'),(-9,'c')",
                     NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_true(walk(out, &cache, path, x, 1));
    assert_string_equal(out, "1 . -9 |");
    assert_false(walk(out, &cache, path, x, 1));
    assert_string_equal(out, "1 . -9 |");
    assert_false(walk(out, &cache, path, x, 0)); /* it counts along the first column */
    assert_string_equal(out, "***|");
    assert_true(walk(out, &cache, path, t, 1)); /* texts are read afresh ... */
    assert_true(walk(out, &cache, path, t, 1));
    assert_true(walk(out, &cache, path, x, 2)); /* ... and so is what goes with them */
    assert_string_equal(out, "1 . -9 |");
    columns_clear(&cache);
    (void)close(fd);
    (void)unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_went_in_comes_out),
        cmocka_unit_test(the_longest_unused_goes_first),
        cmocka_unit_test(from_memory_as_from_the_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
