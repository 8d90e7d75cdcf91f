/* Reading a provider's file: exact values, frozen, checked against the schema; foreign, damaged and
 * busy files are named as such. */
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
#include "exchange/data/number.h"
#include "exchange/data/store.h"
#include "exchange/data/testing.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static void schema_of(struct data_schema *out, const char *text)
{
    struct base_err err = {0};
    json_t *json;

    if (base_json_parse(&json, text, strlen(text), &err) != FM_OK ||
        data_schema_from_json(out, json, &err) != FM_OK)
        fail_msg("%s", err.text);
    json_decref(json);
}

static struct data_store *open_store(const char *path)
{
    struct data_store *store;
    struct base_err err = {0};

    if (data_store_open(&store, path, &err) != FM_OK)
        fail_msg("%s", err.text);
    return store;
}

/* The table's rows as text: values formatted, NULL as -, rows ended by '/'. */
static fm_status dump(struct base_buf *out, struct data_store *store, const char *table,
                      const struct data_schema *schema, struct base_err *err)
{
    const struct data_cell *row;
    struct data_rows *rows;
    char text[DATA_VALUE_TEXT];
    fm_status st = data_rows_open(&rows, store, table, schema, NULL, 0, err);

    if (st != FM_OK)
        return st;
    base_buf_clear(out);
    while ((st = data_rows_next(&row, NULL, rows, err)) == FM_OK && row != NULL) {
        for (size_t i = 0; i < data_rows_width(rows); i++) {
            if (i > 0)
                base_buf_put_str(out, ",");
            if (row[i].null) {
                base_buf_put_str(out, "-");
            } else if (row[i].text != NULL) {
                base_buf_put(out, row[i].text, row[i].len);
            } else {
                data_value_format(text, &schema->columns[i].type, row[i].value);
                base_buf_put_str(out, text);
            }
        }
        base_buf_put_str(out, "/");
    }
    data_rows_free(rows);
    return st;
}

static void plain_tables(void **state)
{
    const char *db = testing_path("plain.db");
    struct data_notes names, notes;
    struct data_schema schema;
    enum data_origin origin;
    struct base_buf text = {0};
    struct base_err err = {0};
    struct data_store *store;

    (void)state;
    (void)testing_sql(
        db,
        "CREATE TABLE loans (id INTEGER PRIMARY KEY, balance REAL, amount, opened TEXT, name "
        "TEXT, flag TEXT, code TEXT, none, blob, mixed, days, \"bad name\", third REAL);"
        "INSERT INTO loans VALUES (3, 0.1, 5, '2024-02-29', 'x', 'true', '007', NULL, x'00', "
        "1, '2024-01-01', 1, 0.25), (1, -12.25, '2.50', '1999-12-31', 'yy', 'false', '12', NULL, "
        "1, 'x', '2024-01-01', 1, 1/3.0), (2, NULL, 1e3, NULL, '', 'true', '13', NULL, 1, 1, "
        "5, 1, 5);"
        "CREATE VIEW v AS SELECT 1; CREATE TABLE \"a b\" (x); CREATE TABLE w (x PRIMARY KEY) "
        "WITHOUT ROWID; CREATE TABLE empty (a)");
    store = open_store(db);
    assert_int_equal(data_store_tables(&names, store, &err), FM_OK);
    assert_int_equal(names.count, 2);
    assert_string_equal(names.items[0], "empty");
    assert_string_equal(names.items[1], "loans");
    data_notes_release(&names);
    if (data_store_schema(&schema, &origin, &notes, store, "loans", &err) != FM_OK)
        fail_msg("%s", err.text);
    assert_int_equal(origin, DATA_PLAIN);
    assert_int_equal(dump(&text, store, "loans", &schema, &err), FM_OK);
    assert_string_equal(base_buf_cstr(&text),
                        "1,-12.25,2.50,1999-12-31,yy,false,12,-/2,-,1000.00,-,,true,13,-/"
                        "3,0.10,5.00,2024-02-29,x,true,007,-/");
    base_buf_clear(&text);
    for (size_t i = 0; i < notes.count; i++)
        base_buf_putf(&text, "%s\n", notes.items[i]);
    assert_string_equal(
        base_buf_cstr(&text),
        "loans: column 12 is left out: its name is not an identifier\n"
        "loans.code: row 3 has a leading zero\n"
        "loans.none: it has no value but NULL\n"
        "loans.blob is left out: row 3: a BLOB\n"
        "loans.mixed is left out: row 1: it mixes numbers and texts that are none\n"
        "loans.days is left out: row 1: it mixes numbers and texts that are none\n"
        "loans.third is left out: row 1: a REAL that is no decimal of at most 18 digits\n"
        "loans: no schema is declared: row count 3, types and ranges are taken from its rows\n"
        "loans.id: INTEGER from 1 to 3\n"
        "loans.balance: DECIMAL(4,2) from -12.25 to 0.10, with NULL\n"
        "loans.amount: DECIMAL(6,2) from 2.50 to 1000.00\n"
        "loans.opened: DATE from 1999-12-31 to 2024-02-29, with NULL\n"
        "loans.name: TEXT(2)\n"
        "loans.flag: TEXT(5)\n"
        "loans.code: TEXT(3)\n"
        "loans.none: TEXT(1), with NULL\n");
    data_notes_release(&notes);
    data_schema_release(&schema);
    assert_int_equal(data_store_schema(&schema, &origin, &notes, store, "empty", &err), FM_OK);
    assert_int_equal(schema.rows, 1);
    data_notes_release(&notes);
    data_schema_release(&schema);
    for (const char *name = "v\0w\0"; *name != '\0'; name += 2) {
        assert_int_equal(data_store_schema(&schema, &origin, &notes, store, name, &err),
                         FM_E_UNSUPPORTED);
        assert_non_null(strstr(err.text,
                               "is a view, a virtual table or WITHOUT ROWID: copy it into "
                               "an ordinary table"));
    }
    assert_int_equal(data_store_schema(&schema, &origin, &notes, store, "nosuch", &err),
                     FM_E_NOT_FOUND);
    assert_non_null(strstr(err.text, "plain.db: there is no table nosuch"));
    assert_int_equal(data_store_schema(&schema, &origin, &notes, store, "a b", &err), FM_E_ARG);
    base_buf_release(&text);
    data_store_free(store);
}

#define COL(name, type, rest) "{\"name\":\"" name "\",\"type\":\"" type "\"" rest "}"
#define PLAIN_SCHEMA(balance, rest)                                                               \
    "{\"columns\":[" COL("id", "INTEGER", ",\"range\":[1,9]") "," balance "],\"version\":1," rest \
                                                              "}"
#define BALANCE COL("b", "DECIMAL(5,2)", ",\"range\":[\"-9.00\",\"9.00\"]")

static void check_says(struct data_store *store, const char *table, const char *schema_text,
                       const char *want)
{
    struct data_schema schema;
    struct base_err err = {0};
    fm_status st;

    schema_of(&schema, schema_text);
    st = data_store_check(store, table, &schema, &err);
    if (want == NULL ? st != FM_OK : st == FM_OK || strstr(err.text, want) == NULL)
        fail_msg("%s: %s", schema_text, err.text);
    data_schema_release(&schema);
}

static void declared_for_plain_tables(void **state)
{
    const char *db = testing_path("declared.db");
    struct data_store *store;

    (void)state;
    (void)testing_sql(db, "CREATE TABLE t (id INTEGER, b); INSERT INTO t VALUES (1, 1), (1, 1.5), "
                          "(2, '-9'), (3, '1.0'), (4, '1')");
    (void)testing_sql(db, "CREATE TABLE n (id INTEGER, b); INSERT INTO n VALUES (1, NULL)");
    (void)testing_sql(db, "CREATE TABLE x (id INTEGER, b); INSERT INTO x VALUES (1, x'31')");
    store = open_store(db);
    check_says(store, "t", PLAIN_SCHEMA(BALANCE, "\"rows\":5"), NULL);
    check_says(store, "t", PLAIN_SCHEMA(BALANCE, "\"rows\":4"),
               "declared.db: t, row 5: more rows than the 4 declared");
    check_says(
        store, "t",
        PLAIN_SCHEMA(COL("b", "DECIMAL(5,2)", ",\"range\":[\"-8.99\",\"9.00\"]"), "\"rows\":5"),
        "declared.db: t, row 3, column b: outside the declared range -8.99 to 9.00");
    check_says(store, "t", PLAIN_SCHEMA(COL("b", "INTEGER", ",\"range\":[-9,9]"), "\"rows\":5"),
               "declared.db: t, row 2, column b: a number that does not fit the column's type");
    check_says(store, "t", PLAIN_SCHEMA(COL("b", "TEXT(5)", ""), "\"rows\":5"),
               "declared.db: t, rows 1 and 2, column b: a number in a TEXT column");
    check_says(store, "t", PLAIN_SCHEMA(COL("b", "BOOLEAN", ""), "\"rows\":5"),
               "declared.db: t, row 2, column b: a number that does not fit the column's type");
    check_says(store, "t", PLAIN_SCHEMA(COL("nosuch", "BOOLEAN", ""), "\"rows\":5"),
               "no such column: nosuch");
    check_says(store, "n", PLAIN_SCHEMA(BALANCE, "\"rows\":5"),
               "declared.db: n, row 1, column b: NULL in a column that is not nullable");
    check_says(store, "x", PLAIN_SCHEMA(BALANCE, "\"rows\":5"),
               "declared.db: x, row 1, column b: a BLOB");
    /* 1, '1.0' and '1' are one value. */
    check_says(store, "t",
               PLAIN_SCHEMA(BALANCE, "\"rows\":5,\"keys\":[{\"column\":\"b\",\"max_rows\":3}]"),
               NULL);
    check_says(store, "t",
               PLAIN_SCHEMA(BALANCE, "\"rows\":5,\"keys\":[{\"column\":\"b\",\"max_rows\":2}]"),
               "declared.db: t, column b: the value of row 1 stands in 3 rows, the schema "
               "declares at most 2");
    check_says(store, "t",
               PLAIN_SCHEMA(BALANCE, "\"rows\":5,\"subject\":{\"column\":\"id\",\"scheme\":"
                                     "\"x\"},\"max_rows_per_subject\":1"),
               "declared.db: t, column id: the value of row 1 stands in 2 rows, the schema "
               "declares at most 1");
    data_store_free(store);
}

static void import_into(const char *db, const char *csv, const struct data_schema *schema)
{
    struct data_import job = {.csv_path = testing_path("s.csv"),
                              .db_path = db,
                              .table = "t",
                              .schema = schema,
                              .mode = DATA_IMPORT_REPLACE};
    struct data_import_result r;
    struct base_err err = {0};

    testing_write(job.csv_path, csv, strlen(csv));
    if (data_import(&r, &job, &err) != FM_OK)
        fail_msg("%s", err.text);
    data_import_release(&r);
}

static void imported_tables(void **state)
{
    const char *db = testing_path("imported.db");
    struct data_notes notes;
    struct data_schema schema;
    enum data_origin origin;
    struct base_buf text = {0};
    struct base_err err = {0};
    struct data_store *store;

    (void)state;
    import_into(db, "id,b,c\n1,1.25,x\n2,-3.50,\n", NULL);
    /* Somebody adds a row behind the importer's back: what is inferred follows. */
    (void)testing_sql(db, "INSERT INTO t VALUES (9, 400, 'long text'); UPDATE t SET c = '' WHERE c "
                          "IS NULL");
    store = open_store(db);
    assert_int_equal(data_store_schema(&schema, &origin, &notes, store, "T", &err), FM_OK);
    assert_int_equal(origin, DATA_INFERRED);
    assert_int_equal(schema.rows, 3);
    assert_int_equal(schema.columns[0].max, 9);
    assert_int_equal(schema.columns[1].max, 400);
    assert_int_equal(schema.columns[2].type.max_bytes, 9);
    assert_true(!schema.columns[2].nullable && !schema.columns[1].nullable);
    assert_int_equal(notes.count, 4);
    assert_string_equal(notes.items[2], "T.b: DECIMAL(3,2) from -3.50 to 4.00");
    assert_int_equal(dump(&text, store, "t", &schema, &err), FM_OK);
    assert_string_equal(base_buf_cstr(&text), "1,1.25,x/2,-3.50,/9,4.00,long text/");
    assert_int_equal(data_store_check(store, "t", &schema, &err), FM_OK);
    data_notes_release(&notes);
    data_schema_release(&schema);
    base_buf_release(&text);
    check_says(store, "t", "{\"columns\":[" BALANCE "],\"rows\":3,\"version\":1}", NULL);
    check_says(store, "t",
               "{\"columns\":[" COL("b", "DECIMAL(5,3)",
                                    ",\"range\":[\"0\",\"9\"]") "],\"rows\":3,\"version\":1}",
               "t, column b: the table was imported with another type");
    check_says(store, "t", "{\"columns\":[" COL("z", "BOOLEAN", "") "],\"rows\":3,\"version\":1}",
               "t, column z: the table was imported with another type");
    data_store_free(store);
    /* A declared schema stays what was declared. */
    schema_of(&schema, PLAIN_SCHEMA(BALANCE, "\"rows\":7"));
    import_into(db, "id,b\n1,1.25\n", &schema);
    data_schema_release(&schema);
    (void)testing_sql(db, "INSERT INTO t VALUES (10, 1)");
    store = open_store(db);
    assert_int_equal(data_store_schema(&schema, &origin, &notes, store, "t", &err), FM_OK);
    assert_int_equal(origin, DATA_DECLARED);
    assert_int_equal(schema.rows, 7);
    assert_int_equal(notes.count, 0);
    assert_int_equal(data_store_check(store, "t", &schema, &err), FM_E_INPUT);
    assert_non_null(strstr(err.text, "t, row 2, column id: outside the declared range 1 to 9"));
    data_schema_release(&schema);
    data_store_free(store);
    (void)testing_sql(db, "UPDATE firmiana_schema SET schema = schema || ' '");
    store = open_store(db);
    assert_int_equal(data_store_schema(&schema, &origin, &notes, store, "t", &err), FM_E_CORRUPT);
    assert_non_null(strstr(err.text, "imported.db: the stored schema of t: JSON is not in "
                                     "canonical form"));
    data_store_free(store);
}

/* Another connection writes; the open store does not see it. */
static void frozen(void **state)
{
    const char *db = testing_path("frozen.db");
    struct data_schema schema;
    struct base_buf text = {0};
    struct base_err err = {0};
    struct data_store *store;

    (void)state;
    (void)testing_sql(db,
                      "PRAGMA journal_mode = WAL; CREATE TABLE t (id INTEGER, b); INSERT INTO t "
                      "VALUES (1, 1)");
    schema_of(&schema, PLAIN_SCHEMA(BALANCE, "\"rows\":9"));
    store = open_store(db);
    (void)testing_sql(db, "INSERT INTO t VALUES (2, 2); UPDATE t SET b = 5");
    assert_int_equal(dump(&text, store, "t", &schema, &err), FM_OK);
    assert_string_equal(base_buf_cstr(&text), "1,1.00/");
    data_store_free(store);
    store = open_store(db);
    assert_int_equal(dump(&text, store, "t", &schema, &err), FM_OK);
    assert_string_equal(base_buf_cstr(&text), "1,5.00/2,5.00/");
    data_store_free(store);
    data_schema_release(&schema);
    base_buf_release(&text);
}

static void chosen_columns(void **state)
{
    const char *db = testing_path("chosen.db");
    const size_t columns[] = {1, 0, 1};
    const struct data_cell *row;
    struct data_rows *rows;
    struct data_schema schema;
    struct base_err err = {0};
    struct data_store *store;
    int64_t rowid;

    (void)state;
    (void)testing_sql(db, "CREATE TABLE t (id INTEGER, b); INSERT INTO t (_rowid_, id, b) VALUES "
                          "(7, 1, 1.5), (-3, 2, 2)");
    schema_of(&schema, PLAIN_SCHEMA(BALANCE, "\"rows\":2"));
    store = open_store(db);
    assert_int_equal(data_rows_open(&rows, store, "t", &schema, columns, 3, &err), FM_OK);
    assert_int_equal(data_rows_width(rows), 3);
    assert_int_equal(data_rows_next(&row, &rowid, rows, &err), FM_OK);
    assert_true(rowid == -3 && row[0].value == 200 && row[1].value == 2 && row[2].value == 200);
    assert_int_equal(data_rows_next(&row, &rowid, rows, &err), FM_OK);
    assert_true(rowid == 7 && row[0].value == 150 && row[1].value == 1);
    assert_int_equal(data_rows_next(&row, NULL, rows, &err), FM_OK);
    assert_null(row);
    data_rows_free(rows);
    data_store_free(store);
    data_schema_release(&schema);
}

static void expect_unopened(const char *path, fm_status code, const char *want)
{
    struct data_store *store;
    struct base_err err = {0};

    assert_int_equal(data_store_open(&store, path, &err), code);
    assert_null(store);
    if (strstr(err.text, want) == NULL)
        fail_msg("%s", err.text);
}

static void files_that_cannot_be_read(void **state)
{
    const char *db = testing_path("busy.db");
    sqlite3 *other;

    (void)state;
    expect_unopened(testing_path("nosuch.db"), FM_E_IO, "nosuch.db: No such file or directory");
    assert_false(testing_exists(testing_path("nosuch.db")));
    expect_unopened("/tmp", FM_E_IO, "/tmp: ");
    testing_write(testing_path("text.db"), "this is no database, but a text of some length", 46);
    expect_unopened(testing_path("text.db"), FM_E_INPUT, "text.db: not a SQLite database");
    (void)testing_sql(db, "CREATE TABLE t (a); INSERT INTO t VALUES (1)");
    assert_int_equal(sqlite3_open(db, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
    expect_unopened(db, FM_E_CONFLICT,
                    "busy.db: another process is using it: try again when it is done");
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
}

/* A page of the table is overwritten: the fault is found when the page is read, and named. */
static void damaged_pages(void **state)
{
    const char *db = testing_path("damaged.db");
    struct data_schema schema;
    struct base_err err = {0};
    struct data_store *store;
    char page[4096];
    FILE *f;

    (void)state;
    (void)testing_sql(db,
                      "CREATE TABLE t (id INTEGER, b); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "
                      "SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO t SELECT 1 + i % 9, i % 9 "
                      "FROM n");
    schema_of(&schema, PLAIN_SCHEMA(BALANCE, "\"rows\":5000"));
    store = open_store(db);
    assert_int_equal(data_store_check(store, "t", &schema, &err), FM_OK);
    data_store_free(store);
    memset(page, 0xa5, sizeof page);
    f = fopen(db, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, 3 * 4096, SEEK_SET), 0);
    assert_int_equal(fwrite(page, 1, sizeof page, f), sizeof page);
    assert_int_equal(fclose(f), 0);
    store = open_store(db);
    assert_int_equal(data_store_check(store, "t", &schema, &err), FM_E_CORRUPT);
    assert_non_null(strstr(err.text, "damaged.db: the database is damaged: "));
    data_store_free(store);
    data_schema_release(&schema);
}

static void reals(void **state)
{
    static const struct {
        double real;
        bool exact;
        int64_t unscaled;
        unsigned scale;
    } cases[] = {
        {0.0, true, 0, 0},
        {-0.0, true, 0, 0},
        {0.1, true, 1, 1},
        {-12345.67, true, -1234567, 2},
        {1e17, true, (int64_t)1e17, 0},
        {1e18, false, 0, 0},
        {1 / 3.0, false, 0, 0},
        {0.1 + 0.2, false, 0, 0},
        {1e-15, true, 1, 15},
        {1e-16, false, 0, 0},
        {1e300, false, 0, 0},
    };
    int64_t unscaled;
    unsigned scale;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (data_number_from_real(&unscaled, &scale, cases[i].real) != cases[i].exact)
            fail_msg("case %zu", i);
        if (cases[i].exact)
            assert_true(unscaled == cases[i].unscaled && scale == cases[i].scale);
    }
    /* Every amount in cents up to a million reads back from the double that SQLite would keep. */
    for (int64_t cents = -100000000; cents <= 100000000; cents += 9973) {
        int64_t back;
        assert_true(data_number_from_real(&unscaled, &scale, (double)cents / 100));
        assert_true(data_number_rescale(&back, unscaled, scale, 2) && back == cents);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_tables),    cmocka_unit_test(declared_for_plain_tables),
        cmocka_unit_test(imported_tables), cmocka_unit_test(frozen),
        cmocka_unit_test(chosen_columns),  cmocka_unit_test(files_that_cannot_be_read),
        cmocka_unit_test(damaged_pages),   cmocka_unit_test(reals),
    };
    return cmocka_run_group_tests_name("exchange/data: store", tests, testing_folder_make,
                                       testing_folder_remove);
}
