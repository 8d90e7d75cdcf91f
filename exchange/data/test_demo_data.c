/* The synthetic consortium: the same for ever, overlapping, skewed, with NULLs, true to its schema.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "exchange/data/demo_data.h"
#include "exchange/data/store.h"
#include "exchange/data/testing.h"

static void hash_of(char out[65], const char *path)
{
    struct base_buf text = {0};
    struct base_err err = {0};
    uint8_t hash[32];

    assert_int_equal(base_file_read(&text, path, 1 << 28, &err), FM_OK);
    base_hash(hash, text.p, text.len);
    base_hex(out, hash, 32);
    base_buf_release(&text);
}

static const char *in_demo(const char *name)
{
    char path[64];

    (void)snprintf(path, sizeof path, "demo/%s", name);
    return testing_path(path);
}

static void clean(void)
{
    static const char *const names[] = {"csv", "schema.json", "db"};
    char name[32];

    for (char bank = 'a'; bank <= 'c'; bank++)
        for (size_t i = 0; i < 3; i++) {
            (void)snprintf(name, sizeof name, "bank_%c.%s", bank, names[i]);
            (void)remove(in_demo(name));
        }
    (void)rmdir(testing_path("demo"));
}

static fm_status make(uint64_t seed, uint32_t rows, enum data_import_mode mode,
                      struct base_err *err)
{
    struct data_demo demo = {
        .folder = testing_path("demo"), .seed = seed, .banks = 3, .rows = rows, .mode = mode};

    return data_demo_write(&demo, err);
}

/* The bytes themselves: documents quote numbers of this seed. */
static void same_for_ever(void **state)
{
    static const char *const want[3] = {
        "b5f4291d3c32ff6c6fc5387e34a0639bee0e7e2046401f6608b2ced817cbcf59",
        "41e643a70c797c9028085b28384800ec835a485939a03dd6a56ae405b12aac78",
        "ff5b5b9393621b2bee319b3a99a0df70b7c4a8e616a555c1347a3debd47e749d"};
    struct base_err err = {0};
    char hash[65], name[16];

    (void)state;
    if (make(1, 1000, DATA_IMPORT_NEW, &err) != FM_OK)
        fail_msg("%s", err.text);
    for (int i = 0; i < 3; i++) {
        (void)snprintf(name, sizeof name, "bank_%c.csv", 'a' + i);
        hash_of(hash, in_demo(name));
        assert_string_equal(hash, want[i]);
    }
    assert_int_equal(make(1, 1000, DATA_IMPORT_NEW, &err), FM_E_CONFLICT);
    assert_non_null(strstr(err.text, "bank_a.csv: it exists already: remove it, or choose another "
                                     "folder"));
    assert_int_equal(make(2, 1000, DATA_IMPORT_REPLACE, &err), FM_OK);
    hash_of(hash, in_demo("bank_a.csv"));
    assert_string_not_equal(hash, want[0]);
    clean();
}

static int64_t ask(const char *bank_db, const char *sql)
{
    return strtoll(testing_sql(bank_db, sql), NULL, 10);
}

static void check_bank(const char *db)
{
    struct data_notes notes;
    struct data_schema schema;
    enum data_origin origin;
    struct base_err err = {0};
    struct data_store *store;

    assert_int_equal(data_store_open(&store, db, &err), FM_OK);
    assert_int_equal(data_store_schema(&schema, &origin, &notes, store, "loans", &err), FM_OK);
    assert_int_equal(origin, DATA_DECLARED);
    assert_int_equal(schema.rows, 6272);
    if (data_store_check(store, "loans", &schema, &err) != FM_OK)
        fail_msg("%s", err.text);
    data_schema_release(&schema);
    data_notes_release(&notes);
    data_store_free(store);
}

static void what_it_promises(void **state)
{
    const char *sql =
        "SELECT (SELECT COUNT(*) FROM loans) = 5000 AND (SELECT COUNT(*) FROM loans WHERE "
        "collateral IS NULL) BETWEEN 3000 AND 4500 AND (SELECT COUNT(*) FROM loans WHERE "
        "overdue_days IS NULL) BETWEEN 200 AND 700 AND (SELECT COUNT(*) FROM loans WHERE closed) "
        "BETWEEN 800 AND 1500 AND (SELECT COUNT(DISTINCT product) FROM loans) = 5 AND (SELECT "
        "MAX(n) FROM (SELECT COUNT(*) AS n FROM loans GROUP BY subject_id)) = 4 AND (SELECT "
        "COUNT(DISTINCT subject_id) = COUNT(DISTINCT cn_id) FROM loans) AND NOT EXISTS (SELECT 1 "
        "FROM loans GROUP BY subject_id HAVING COUNT(DISTINCT cn_id) > 1) AND (SELECT AVG(balance) "
        "> 4 * (SELECT balance FROM loans ORDER BY balance LIMIT 1 OFFSET 2500) FROM loans)";
    struct base_err err = {0};
    sqlite3_stmt *stmt;
    sqlite3 *db;
    char text[640];

    (void)state;
    if (make(7, 5000, DATA_IMPORT_NEW, &err) != FM_OK)
        fail_msg("%s", err.text);
    for (char bank = 'a'; bank <= 'c'; bank++) {
        char name[16];
        (void)snprintf(name, sizeof name, "bank_%c.db", bank);
        assert_int_equal(ask(in_demo(name), sql), 1);
        check_bank(in_demo(name));
        (void)snprintf(text, sizeof text,
                       "SELECT COUNT(*) FROM loans WHERE subject_id = %lld AND NOT closed",
                       (long long)data_demo_subject(7));
        assert_true(ask(in_demo(name), text) >= 1);
    }
    /* About half of a bank's clients are another's too; loan numbers never meet. */
    (void)snprintf(text, sizeof text, "ATTACH '%s' AS b", in_demo("bank_b.db"));
    assert_int_equal(sqlite3_open(in_demo("bank_a.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db,
                           "SELECT COUNT(DISTINCT subject_id) * 100 / (SELECT COUNT(DISTINCT "
                           "subject_id) FROM main.loans), (SELECT COUNT(*) FROM main.loans JOIN "
                           "b.loans USING (loan_no)) FROM main.loans WHERE subject_id IN (SELECT "
                           "subject_id FROM b.loans)",
                           -1, &stmt, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    assert_in_range(sqlite3_column_int(stmt, 0), 45, 55);
    assert_int_equal(sqlite3_column_int(stmt, 1), 0);
    assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    clean();
}

/* GB 11643 section 4.4: the sum of all eighteen weighted digits is 1 modulo 11. */
static void identity_numbers(void **state)
{
    static const unsigned weights[18] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2, 1};
    struct base_err err = {0};
    sqlite3_stmt *stmt;
    sqlite3 *db;
    int rows = 0;

    (void)state;
    assert_int_equal(make(3, 500, DATA_IMPORT_NEW, &err), FM_OK);
    assert_int_equal(sqlite3_open(in_demo("bank_b.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT cn_id FROM loans", -1, &stmt, NULL), SQLITE_OK);
    for (; sqlite3_step(stmt) == SQLITE_ROW; rows++) {
        const char *id = (const char *)sqlite3_column_text(stmt, 0);
        unsigned sum = 0;
        assert_int_equal(strlen(id), 18);
        assert_memory_equal(id, "99", 2);
        for (int i = 0; i < 18; i++)
            sum += weights[i] * (id[i] == 'X' ? 10 : (unsigned)(id[i] - '0'));
        assert_int_equal(sum % 11, 1);
    }
    assert_int_equal(rows, 500);
    assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    clean();
}

static void refusals(void **state)
{
    struct data_demo demo = {.folder = "/nonexistent/x", .banks = 3, .rows = 10};
    struct base_err err = {0};

    (void)state;
    assert_int_equal(data_demo_write(&demo, &err), FM_E_IO);
    assert_string_equal(err.text, "/nonexistent/x: No such file or directory");
    demo.banks = 27;
    assert_int_equal(data_demo_write(&demo, &err), FM_E_ARG);
    assert_string_equal(err.text, "demo data: 1 to 26 banks are possible");
    demo.banks = 1;
    demo.rows = 0;
    assert_int_equal(data_demo_write(&demo, &err), FM_E_ARG);
    assert_string_equal(err.text, "demo data: 1 to 4000000 rows a bank are possible");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_for_ever),
        cmocka_unit_test(what_it_promises),
        cmocka_unit_test(identity_numbers),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests_name("exchange/data: demo data", tests, testing_folder_make,
                                       testing_folder_remove);
}
