/* Public data sets through the importer, against what the sqlite3 shell makes of the same files
 * with its own CSV reader. Skipped, and said so, where ../shared/data or the shell is not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "exchange/data/import.h"
#include "exchange/data/store.h"
#include "exchange/data/testing.h"

#define CREDIT "../shared/data/credit/"
#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static const struct {
    const char *file, *separator;
    unsigned rows; /* as the data sets' own documents say */
} files[] = {
    {"taiwan_default_of_credit_card_clients.csv", ",", 30000},
    {"berka/account.csv", ";", 4500},
    {"berka/card.csv", ";", 892},
    {"berka/client.csv", ";", 5369},
    {"berka/disp.csv", ";", 5369},
    {"berka/district.csv", ";", 77},
    {"berka/loan.csv", ";", 682},
    {"berka/order.csv", ";", 6471},
};

/* What the shell prints after it has imported the file as table raw. */
static void shell(struct base_buf *out, const char *file, const char *separator, const char *sql)
{
    struct base_buf command = {0};
    char block[512];
    size_t got;
    FILE *pipe;

    base_buf_putf(&command,
                  "sqlite3 -batch :memory: '.mode csv' '.separator %s' '.import \"%s\" raw' '.mode "
                  "list' '%s' 2>&1",
                  separator, file, sql);
    pipe = popen(base_buf_cstr(&command), "r");
    assert_non_null(pipe);
    while ((got = fread(block, 1, sizeof block, pipe)) > 0)
        base_buf_put(out, block, got);
    (void)pclose(pipe);
    base_buf_release(&command);
}

/* A column as one line. Of numbers: sum, least, greatest; the shell has doubles, which are exact
 * here, because every sum stays below 2^53. Of texts: how many different ones, and their length.
 * No quotes, so that a command line can hold it. */
static void column_query(struct base_buf *sql, const struct data_column *c, bool scaled,
                         const char *table)
{
    static const char *const powers[] = {"1", "10", "100", "1000"};
    static const char *const functions[] = {"SUM", "MIN", "MAX"};

    if (c->type.kind == DATA_TEXT) {
        base_buf_putf(sql, "SELECT COUNT(DISTINCT %s) || char(32) || SUM(length(%s)) FROM %s; ",
                      c->name, c->name, table);
        return;
    }
    assert_true(c->type.scale < COUNT(powers));
    for (size_t i = 0; i < 3; i++) {
        base_buf_put_str(sql, i == 0 ? "SELECT " : " || char(32) || ");
        if (scaled)
            base_buf_putf(sql, "%s(%s)", functions[i], c->name);
        else
            base_buf_putf(sql, "%s(CAST(ROUND(CAST(%s AS REAL) * %s) AS INTEGER))", functions[i],
                          c->name, powers[c->type.scale]);
    }
    base_buf_putf(sql, " FROM %s; ", table);
}

static void compare(const char *db, const char *file, const char *separator,
                    const struct data_schema *schema)
{
    struct base_buf raw = {0}, ours = {0}, theirs = {0};

    for (size_t c = 0; c < schema->column_count; c++) {
        struct base_buf sql = {0};
        column_query(&sql, &schema->columns[c], true, "ours");
        base_buf_putf(&ours, "%s\n", testing_sql(db, base_buf_cstr(&sql)));
        base_buf_release(&sql);
        column_query(&raw, &schema->columns[c], false, "raw");
    }
    shell(&theirs, file, separator, base_buf_cstr(&raw));
    if (strcmp(base_buf_cstr(&ours), base_buf_cstr(&theirs)) != 0)
        fail_msg("%s:\n%s\nsqlite3 says\n%s", file, base_buf_cstr(&ours), base_buf_cstr(&theirs));
    base_buf_release(&raw);
    base_buf_release(&ours);
    base_buf_release(&theirs);
}

static void same_as_the_shell(void **state)
{
    const char *db = testing_path("public.db");
    struct base_buf answer = {0};
    char path[256];

    (void)state;
    if (!testing_exists(CREDIT "berka/loan.csv")) {
        print_message("SKIPPED: ../shared/data not here\n");
        skip();
    }
    testing_write(testing_path("one.csv"), "a\n5\n", 4);
    shell(&answer, testing_path("one.csv"), ",", "SELECT a FROM raw");
    if (strcmp(base_buf_cstr(&answer), "5\n") != 0) {
        base_buf_release(&answer);
        print_message("SKIPPED: no sqlite3 shell here\n");
        skip();
    }
    base_buf_release(&answer);
    for (size_t i = 0; i < COUNT(files); i++) {
        struct data_import job = {
            .csv_path = path, .db_path = db, .table = "ours", .mode = DATA_IMPORT_REPLACE};
        struct data_import_result r;
        struct base_err err = {0};
        (void)snprintf(path, sizeof path, CREDIT "%s", files[i].file);
        if (data_import(&r, &job, &err) != FM_OK)
            fail_msg("%s", err.text);
        assert_int_equal(r.rows, files[i].rows);
        compare(db, path, files[i].separator, &r.schema);
        data_import_release(&r);
    }
}

/* The main job's input: all columns are numbers, whatever a spreadsheet did to them. */
static void the_main_job(void **state)
{
    struct data_import job = {.csv_path = CREDIT "taiwan_default_of_credit_card_clients.csv",
                              .db_path = testing_path("taiwan.db"),
                              .table = "clients"};
    struct data_import_result r;
    struct base_err err = {0};

    (void)state;
    if (!testing_exists(job.csv_path)) {
        print_message("SKIPPED: ../shared/data not here\n");
        skip();
    }
    assert_int_equal(data_import(&r, &job, &err), FM_OK);
    assert_int_equal(r.schema.column_count, 25);
    for (size_t i = 0; i < 25; i++)
        assert_int_equal(r.schema.columns[i].type.kind, DATA_INTEGER);
    assert_int_equal(r.schema.columns[1].max, 1000000);
    assert_int_equal(r.notes.count, 13);
    data_import_release(&r);
    /* UCI's description: 6,636 of 30,000 default. */
    assert_string_equal(
        testing_sql(job.db_path, "SELECT SUM(default_payment_next_month) FROM clients"), "6636");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_as_the_shell),
        cmocka_unit_test(the_main_job),
    };
    return cmocka_run_group_tests_name("exchange/data: public data", tests, testing_folder_make,
                                       testing_folder_remove);
}
