/* Importing: what SQLite then holds is exactly what the file says; what is refused is refused with
 * its place and leaves nothing behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "exchange/data/import.h"
#include "exchange/data/store.h"
#include "exchange/data/testing.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static const char loans_schema[] =
    "{\"columns\":["
    "{\"name\":\"id\",\"type\":\"INTEGER\",\"range\":[1,99]},"
    "{\"name\":\"balance\",\"type\":\"DECIMAL(6,2)\",\"range\":[\"-10.00\",\"1000.00\"],"
    "\"nullable\":true},"
    "{\"name\":\"opened\",\"type\":\"DATE\",\"range\":[\"2000-01-01\",\"2030-12-31\"]},"
    "{\"name\":\"closed\",\"type\":\"BOOLEAN\"},"
    "{\"name\":\"product\",\"type\":\"TEXT(8)\",\"nullable\":true}],"
    "\"subject\":{\"column\":\"id\",\"scheme\":\"demo.id\"},\"max_rows_per_subject\":2,"
    "\"keys\":[{\"column\":\"product\",\"max_rows\":3}],\"rows\":5,\"version\":1}";

static void schema_of(struct data_schema *out, const char *text)
{
    struct base_err err = {0};
    json_t *json;

    assert_int_equal(base_json_parse(&json, text, strlen(text), &err), FM_OK);
    assert_int_equal(data_schema_from_json(out, json, &err), FM_OK);
    json_decref(json);
}

/* Imports text as f.csv into d.db's table t. */
static fm_status import_text(struct data_import_result *out, const char *text,
                             const struct data_schema *schema, enum data_import_mode mode,
                             struct base_err *err)
{
    struct data_import job = {.csv_path = testing_path("f.csv"),
                              .db_path = testing_path("d.db"),
                              .table = "t",
                              .schema = schema,
                              .mode = mode};

    testing_write(job.csv_path, text, strlen(text));
    return data_import(out, &job, err);
}

static void stored_exactly(void **state)
{
    const char *db = testing_path("d.db");
    struct data_import_result r;
    struct data_schema schema;
    struct base_err err = {0};
    struct stat info;

    (void)state;
    schema_of(&schema, loans_schema);
    /* Columns in another order than the schema's; names in other letters. */
    assert_int_equal(import_text(&r,
                                 "product,ID,balance,opened,closed\r\n"
                                 "card,7,12.5,2024-02-29,true\r\n"
                                 "\"a\"\"b\",7,-10,2000-01-01,0\r\n"
                                 ",8,NA,2030-12-31,FALSE\r\n"
                                 "\"\",9,1000.00,2001-01-01,1\r\n",
                                 &schema, DATA_IMPORT_NEW, &err),
                     FM_OK);
    assert_int_equal(r.rows, 4);
    data_import_release(&r);
    assert_string_equal(testing_sql(db, "SELECT group_concat(id || ':' || ifnull(balance, 'NULL') "
                                        "|| ':' || opened || ':' || closed || ':' || "
                                        "ifnull(quote(product), 'NULL'), ' ') FROM t"),
                        "7:1250:19782:1:'card' 7:-1000:10957:0:'a\"b' 8:NULL:22279:0:NULL "
                        "9:100000:11323:1:''");
    assert_string_equal(testing_sql(db, "SELECT strict FROM pragma_table_list WHERE name = 't'"),
                        "1");
    assert_string_equal(testing_sql(db, "SELECT origin FROM firmiana_schema"), "declared");
    assert_int_equal(stat(db, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    data_schema_release(&schema);
}

static void refusals_leave_nothing(void **state)
{
    static const struct {
        const char *text, *want;
        fm_status code;
    } cases[] = {
#define H "id,balance,opened,closed,product\n"
#define GOOD "1,2,2024-01-01,0,x\n"
        {H GOOD "2,1.234,2024-01-01,0,x\n",
         "line 3, column 3 (balance): not a DECIMAL(6,2): more than 2 fraction digits", FM_E_INPUT},
        {H GOOD "x,1,2024-01-01,0,x\n",
         "line 3, column 1 (id): not an INTEGER: write digits and a sign", FM_E_INPUT},
        {H GOOD "0,1,2024-01-01,0,x\n", "line 3, column 1 (id): outside the declared range 1 to 99",
         FM_E_INPUT},
        {H GOOD "1,1000.01,2024-01-01,0,x\n",
         "line 3, column 3 (balance): outside the declared range -10.00 to 1000.00", FM_E_INPUT},
        {H GOOD "1,1,1999-12-31,0,x\n",
         "line 3, column 5 (opened): outside the declared range 2000-01-01 to 2030-12-31",
         FM_E_INPUT},
        {H GOOD "1,1,2024-02-30,0,x\n",
         "line 3, column 5 (opened): not a DATE: there is no such day", FM_E_INPUT},
        {H GOOD "1,1,2024-02-20,maybe,x\n",
         "line 3, column 16 (closed): not a BOOLEAN: write true, false, 1 or 0", FM_E_INPUT},
        {H GOOD "1,1,2024-02-20,1,\"123456789\"\n",
         "line 3, column 18 (product): not a TEXT(8): 9 bytes are more than 8", FM_E_INPUT},
        {H GOOD "NA,1,2024-02-20,1,x\n",
         "line 3, column 1 (id): NULL in a column that is not nullable", FM_E_INPUT},
        {H GOOD "1,\"\",2024-02-20,1,x\n",
         "line 3, column 3 (balance): not a DECIMAL(6,2): write digits, a point and a sign",
         FM_E_INPUT},
        {H GOOD "1,1,2024-02-20,1\n", "line 3, column 1: the row has 4 fields, the header has 5",
         FM_E_INPUT},
        {H GOOD "2,2,2024-01-01,0,y\n3,2,2024-01-01,0,y\n4,2,2024-01-01,0,y\n5,2,2024-01-01,0,z\n"
                "6,2,2024-01-01,0,z\n",
         "line 7: more rows than the 5 of the schema", FM_E_INPUT},
        {H GOOD GOOD GOOD,
         "t, column id: the value of row 1 stands in 3 rows, the schema declares at most 2",
         FM_E_INPUT},
        {H "1,2,2024-01-01,0,x\n2,2,2024-01-01,0,y\n3,2,2024-01-01,0,y\n4,2,2024-01-01,0,y\n"
           "5,2,2024-01-01,0,y\n",
         "t, column product: the value of row 2 stands in 4 rows, the schema declares at most 3",
         FM_E_INPUT},
        {"id,balance,opened,closed\n", "line 1: the schema's column product is missing",
         FM_E_INPUT},
        {"id,balance,opened,closed,product,x\n", "line 1: column x is not in the schema",
         FM_E_INPUT},
        {"id,balance,opened,closed,product,ID\n", "line 1: column ID stands there twice",
         FM_E_INPUT},
        {"", "the file is empty: a header line is needed", FM_E_INPUT},
    };
    struct data_import_result r;
    struct data_schema schema;
    struct base_err err = {0};

    (void)state;
    schema_of(&schema, loans_schema);
    (void)remove(testing_path("d.db"));
    for (size_t i = 0; i < COUNT(cases); i++) {
        fm_status st = import_text(&r, cases[i].text, &schema, DATA_IMPORT_NEW, &err);
        if (st != cases[i].code || strstr(err.text, cases[i].want) == NULL)
            fail_msg("case %zu: %s", i, err.text);
        assert_null(r.schema.columns);
        assert_false(testing_exists(testing_path("d.db")));
        assert_false(testing_exists(testing_path("d.db-journal")));
    }
    /* The same in a database that holds something already: it is as before. */
    assert_int_equal(import_text(&r, H GOOD, &schema, DATA_IMPORT_NEW, &err), FM_OK);
    data_import_release(&r);
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(import_text(&r, cases[i].text, &schema, DATA_IMPORT_REPLACE, &err),
                         cases[i].code);
        assert_string_equal(
            testing_sql(testing_path("d.db"),
                        "SELECT group_concat(id || balance) || (SELECT COUNT(*) FROM "
                        "firmiana_schema) || (SELECT COUNT(*) FROM sqlite_schema) FROM t"),
            "120013");
    }
    data_schema_release(&schema);
}

/* After a first fault the rest is read to say how many there are; a line that is no row ends that.
 */
static void faults_are_counted(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {H GOOD "x,1,2024-01-01,0,x\n" GOOD "1,y,2024-13-01,0,x\n0,1,2024-01-01,0,x\n" GOOD,
         "line 3, column 1 (id): not an INTEGER: write digits and a sign; and 3 more such faults "
         "up "
         "to line 6"},
        {H "1,2,2024-01-01,0,x\n2,2,2024-01-01,0,y\n3,2,2024-01-01,0,y\n4,2,2024-01-01,0,y\n"
           "5,2,2024-01-01,0,z\n6,2,2024-01-01,0,z\n7,2,2024-01-01,0,z\n",
         "line 7: more rows than the 5 of the schema; and 1 more such fault up to line 8"},
        {H "x,1,2024-01-01,0,x\n1,1\n", "line 2, column 1 (id): not an INTEGER"},
    };
    struct data_import_result r;
    struct data_schema schema;
    struct base_err err = {0};

    (void)state;
    schema_of(&schema, loans_schema);
    (void)remove(testing_path("d.db"));
    for (size_t i = 0; i < COUNT(cases); i++) {
        fm_status st = import_text(&r, cases[i].text, &schema, DATA_IMPORT_NEW, &err);
        if (st != FM_E_INPUT || strstr(err.text, cases[i].want) == NULL)
            fail_msg("case %zu: %s", i, err.text);
        assert_false(testing_exists(testing_path("d.db")));
    }
    data_schema_release(&schema);
}

static void tables_that_exist(void **state)
{
    const char *db = testing_path("d.db");
    struct data_import_result r;
    struct base_err err = {0};
    struct data_import job = {.csv_path = testing_path("f.csv"), .db_path = db};
    static const char *const names[] = {
        "", "a b", "1a", "x\"; DROP TABLE t", "SQLITE_x", "Firmiana_schema"};

    (void)state;
    (void)remove(db);
    assert_int_equal(import_text(&r, "a\n1\n", NULL, DATA_IMPORT_NEW, &err), FM_OK);
    data_import_release(&r);
    assert_int_equal(import_text(&r, "a\n2\n", NULL, DATA_IMPORT_NEW, &err), FM_E_CONFLICT);
    assert_non_null(strstr(err.text, "d.db: there is a table t already: replace it (--replace), "
                                     "change it (--update KEY), or choose another name"));
    assert_string_equal(testing_sql(db, "SELECT a FROM t"), "1");
    assert_int_equal(import_text(&r, "b\nx\n", NULL, DATA_IMPORT_REPLACE, &err), FM_OK);
    data_import_release(&r);
    assert_string_equal(testing_sql(db, "SELECT b FROM t"), "x");
    assert_string_equal(testing_sql(db, "SELECT COUNT(*) FROM firmiana_schema"), "1");
    assert_string_equal(testing_sql(db, "SELECT json_extract(schema, '$.columns[0].name') FROM "
                                        "firmiana_schema"),
                        "b");
    (void)testing_sql(db, "DROP TABLE t; CREATE VIEW t AS SELECT 1");
    assert_int_equal(import_text(&r, "a\n2\n", NULL, DATA_IMPORT_REPLACE, &err), FM_E_CONFLICT);
    assert_non_null(strstr(err.text, "there is an index, view or trigger t already"));
    for (size_t i = 0; i < COUNT(names); i++) {
        job.table = names[i];
        assert_int_equal(data_import(&r, &job, &err), FM_E_ARG);
    }
    job.table = "t";
    job.db_path = ":memory:";
    assert_int_equal(data_import(&r, &job, &err), FM_E_ARG);
    assert_string_equal(err.text, ":memory:: a database file's name cannot begin with ':'");
}

/* ---- inference ---- */

static void expect_inferred(const char *csv, const char *columns, const char *notes)
{
    struct data_import_result r;
    struct base_err err = {0};
    struct base_buf text = {0};
    json_t *json, *all;
    char *dump;

    if (import_text(&r, csv, NULL, DATA_IMPORT_REPLACE, &err) != FM_OK)
        fail_msg("%s", err.text);
    assert_int_equal(data_schema_to_json(&json, &r.schema, &err), FM_OK);
    assert_int_equal(base_json_get_array(&all, json, "columns", &err), FM_OK);
    assert_int_equal(base_json_canonical(&text, all, &err), FM_OK);
    dump = (char *)(uintptr_t)base_buf_cstr(&text);
    if (strcmp(dump, columns) != 0)
        fail_msg("got %s", dump);
    base_buf_clear(&text);
    for (size_t i = 0; i < r.notes.count; i++)
        base_buf_putf(&text, "%s%s", i > 0 ? "; " : "", r.notes.items[i]);
    assert_string_equal(base_buf_cstr(&text), notes);
    base_buf_release(&text);
    json_decref(json);
    data_import_release(&r);
}

#define TEXT_COLUMN(n, null) "[{\"name\":\"a\",\"nullable\":" null ",\"type\":\"TEXT(" #n ")\"}]"
#define RANGE_COLUMN(type, null, min, max) \
    "[{\"name\":\"a\",\"nullable\":" null ",\"range\":[" min "," max "],\"type\":\"" type "\"}]"

static void inference(void **state)
{
    (void)state;
    (void)remove(testing_path("d.db"));
    expect_inferred("a\n1\n-5\n", RANGE_COLUMN("INTEGER", "false", "-5", "1"), "");
    expect_inferred(
        "a\n-9223372036854775808\n9223372036854775807\n",
        RANGE_COLUMN("INTEGER", "false", "\"-9223372036854775808\"", "\"9223372036854775807\""),
        "");
    expect_inferred("a\n9223372036854775808\n", TEXT_COLUMN(19, "false"), "");
    expect_inferred("a\n1\n2.50\nNA\n-12.125\n",
                    RANGE_COLUMN("DECIMAL(5,3)", "true", "\"-12.125\"", "\"2.500\""), "");
    expect_inferred("a\n0.5\n", RANGE_COLUMN("DECIMAL(1,1)", "false", "\"0.5\"", "\"0.5\""), "");
    expect_inferred("a\n0.0000000000000000001\n", TEXT_COLUMN(21, "false"), "");
    expect_inferred("a\n5.\n", RANGE_COLUMN("DECIMAL(1,0)", "false", "\"5\"", "\"5\""), "");
    expect_inferred("a\n123456789012345678\n0.5\n", TEXT_COLUMN(18, "false"),
                    "column a is TEXT(18): its numbers need more than 18 digits");
    expect_inferred("a\n9223372036854775807\n0.5\n", TEXT_COLUMN(19, "false"),
                    "column a is TEXT(19): row 2 has more than 18 digits");
    expect_inferred("a\n1\n007\n", TEXT_COLUMN(3, "false"),
                    "column a is TEXT(3): row 2 has a leading zero");
    expect_inferred("a\n1\nx\n", TEXT_COLUMN(1, "false"),
                    "column a is TEXT(1): row 2 is not a number of at most 18 digits");
    expect_inferred(
        "a\n1.00E+05\n20\n", RANGE_COLUMN("INTEGER", "false", "20", "100000"),
        "column a is INTEGER: row 1 is written with an exponent: a spreadsheet may have "
        "rounded it");
    expect_inferred("a\n2024-02-29\n\n1999-12-31\n",
                    RANGE_COLUMN("DATE", "true", "\"1999-12-31\"", "\"2024-02-29\""), "");
    expect_inferred("a\n2024-02-29\n2023-02-29\n", TEXT_COLUMN(10, "false"), "");
    expect_inferred("a\ntrue\nFALSE\n",
                    "[{\"name\":\"a\",\"nullable\":false,\"type\":\"BOOLEAN\"}]", "");
    expect_inferred("a\ntrue\n1\n", TEXT_COLUMN(4, "false"), "");
    expect_inferred("a\nNA\n\n", TEXT_COLUMN(1, "true"),
                    "column a is TEXT(1): it has no value but NULL");
    expect_inferred("a\n\"\"\n", TEXT_COLUMN(1, "false"), "");
    expect_inferred("a\n", TEXT_COLUMN(1, "false"),
                    "column a is TEXT(1): it has no value but NULL");
    expect_inferred(" 1st payment (next)\n1\n",
                    "[{\"name\":\"_1st_payment_next_\",\"nullable\":false,\"range\":[1,1],"
                    "\"type\":\"INTEGER\"}]",
                    "column 1 is named _1st_payment_next_");
}

static void inference_refuses(void **state)
{
    struct data_import_result r;
    struct base_err err = {0};
    struct base_buf text = {0};

    (void)state;
    assert_int_equal(import_text(&r, "a b,a-b\n1,2\n", NULL, DATA_IMPORT_REPLACE, &err),
                     FM_E_INPUT);
    assert_non_null(strstr(err.text, "line 1: there are two columns named a_b"));
    assert_int_equal(import_text(&r, "a\xe2\x80\x8b,b\n1,2\n", NULL, DATA_IMPORT_REPLACE, &err),
                     FM_E_INPUT);
    assert_non_null(strstr(err.text, "line 1: the name of column 1 cannot be made an identifier"));
    base_buf_put_str(&text, "a\n");
    memset(base_buf_extend(&text, DATA_TEXT_MAX + 1), 'x', DATA_TEXT_MAX + 1);
    assert_int_equal(import_text(&r, base_buf_cstr(&text), NULL, DATA_IMPORT_REPLACE, &err),
                     FM_E_UNSUPPORTED);
    assert_non_null(
        strstr(err.text, "column a: its longest text has 4097 bytes, 4096 are possible"));
    base_buf_release(&text);
}

/* ---- progress, disks ---- */

struct seen {
    uint64_t rows[2], bytes;
    unsigned calls, stop_at;
};

static bool count_tick(void *ctx, enum data_import_pass pass, uint64_t rows, uint64_t bytes,
                       uint64_t bytes_total)
{
    struct seen *seen = ctx;

    assert_true(bytes <= bytes_total);
    assert_true(rows >= seen->rows[pass]);
    seen->rows[pass] = rows;
    seen->bytes = bytes;
    return ++seen->calls != seen->stop_at;
}

static void write_many(const char *path, unsigned rows)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    (void)fprintf(f, "n;amount\n");
    for (unsigned i = 0; i < rows; i++)
        (void)fprintf(f, "%u;%u.%02u\n", i, i * 7, i % 100);
    assert_int_equal(fclose(f), 0);
}

static void progress_and_cancelling(void **state)
{
    struct seen seen = {0};
    struct data_import job = {.csv_path = testing_path("many.csv"),
                              .db_path = testing_path("many.db"),
                              .table = "t",
                              .progress = {count_tick, &seen}};
    struct data_import_result r;
    struct base_err err = {0};
    unsigned all;

    (void)state;
    write_many(job.csv_path, 50000);
    assert_int_equal(data_import(&r, &job, &err), FM_OK);
    assert_int_equal(r.rows, 50000);
    data_import_release(&r);
    assert_int_equal(seen.rows[DATA_IMPORT_INFER], 50000);
    assert_int_equal(seen.rows[DATA_IMPORT_WRITE], 50000);
    assert_string_equal(testing_sql(job.db_path, "SELECT COUNT(*) || ' ' || SUM(amount) FROM t"),
                        "50000 874984975000");
    all = seen.calls;
    for (unsigned stop = 1; stop <= all; stop++) {
        (void)remove(job.db_path);
        seen = (struct seen){.stop_at = stop};
        assert_int_equal(data_import(&r, &job, &err), FM_E_CANCELLED);
        assert_non_null(strstr(err.text, "many.csv: the import was cancelled"));
        assert_false(testing_exists(job.db_path));
    }
}

/* No file may grow beyond a bound: the i-th bound at which it fails, until it does not. */
static void full_disk(void **state)
{
    struct data_import job = {
        .csv_path = testing_path("many.csv"), .db_path = testing_path("full.db"), .table = "t"};
    struct data_import_result r;
    struct base_err err = {0};
    struct rlimit old, limit;
    fm_status st = FM_E_IO;

    (void)state;
    write_many(job.csv_path, 5000);
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    for (limit = old, limit.rlim_cur = 0; st != FM_OK; limit.rlim_cur += 3000) {
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        st = data_import(&r, &job, &err);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
        if (st == FM_OK) {
            data_import_release(&r);
            break;
        }
        assert_int_equal(st, FM_E_IO);
        if (testing_exists(job.db_path))
            assert_string_equal(testing_sql(job.db_path, "SELECT COUNT(*) FROM sqlite_schema"),
                                "0");
        assert_true(limit.rlim_cur < 1000000);
    }
    assert_true(limit.rlim_cur > 3000);
    assert_string_equal(testing_sql(job.db_path, "PRAGMA integrity_check"), "ok");
}

static void databases_that_are_none(void **state)
{
    struct data_import job = {.csv_path = testing_path("f.csv"), .table = "t"};
    struct data_import_result r;
    struct base_err err = {0};

    (void)state;
    testing_write(job.csv_path, "a\n1\n", 4);
    job.db_path = "/nonexistent/x.db";
    assert_int_equal(data_import(&r, &job, &err), FM_E_IO);
    assert_string_equal(err.text, "/nonexistent/x.db: No such file or directory");
    job.db_path = job.csv_path;
    assert_int_equal(data_import(&r, &job, &err), FM_E_INPUT);
    assert_non_null(strstr(err.text, "f.csv: not a SQLite database"));
    job.csv_path = "/dev/null";
    job.db_path = testing_path("n.db");
    assert_int_equal(data_import(&r, &job, &err), FM_E_INPUT);
    assert_string_equal(err.text, "/dev/null: the file is empty: a header line is needed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stored_exactly),
        cmocka_unit_test(refusals_leave_nothing),
        cmocka_unit_test(faults_are_counted),
        cmocka_unit_test(tables_that_exist),
        cmocka_unit_test(inference),
        cmocka_unit_test(inference_refuses),
        cmocka_unit_test(progress_and_cancelling),
        cmocka_unit_test(full_disk),
        cmocka_unit_test(databases_that_are_none),
    };
    return cmocka_run_group_tests_name("exchange/data: import", tests, testing_folder_make,
                                       testing_folder_remove);
}
