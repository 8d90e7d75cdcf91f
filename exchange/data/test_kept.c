/* Rows of every published version: each proves what it was, in its version and in no other,
 * whatever became of the table; what was refused or forgotten proves nothing; an altered file gives
 * nothing away and nothing false. The oracle is the proof made while the version was the table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "exchange/data/publish.h"
#include "exchange/data/test_kept.h"
#include "exchange/data/testing.h"

static const char schema_text[] =
    "{\"columns\":[{\"name\":\"k\",\"type\":\"INTEGER\",\"range\":[0,999999],\"nullable\":false},"
    "{\"name\":\"t\",\"type\":\"TEXT(8)\",\"nullable\":true},{\"name\":\"m\",\"type\":"
    "\"DECIMAL(5,2)\",\"range\":[\"-5.00\",\"5.00\"],\"nullable\":true}],\"rows\":40,\"version\":"
    "1}";
static const uint8_t secret[32] = {4, 2};

static struct data_schema schema;

struct version kept_made[VERSIONS + 1];

void kept_edit(const char *sql)
{
    (void)testing_sql(testing_path("d.db"), sql);
}

struct data_changes kept_publish(uint64_t number, const uint8_t *before32, uint8_t root32[32])
{
    struct data_publish_job job = {.table = "t",
                                   .schema = &schema,
                                   .key = {secret, number},
                                   .digests = testing_path("versions.db"),
                                   .published32 = before32};
    struct data_published p;
    struct base_err err = {0};

    assert_int_equal(data_store_open(&job.store, testing_path("d.db"), &err), FM_OK);
    if (data_publish(&p, &job, &err) != FM_OK)
        fail_msg("%s", err.text);
    assert_string_equal(p.unknown, "");
    data_store_free(job.store);
    memcpy(root32, p.root32, 32);
    return p.changes;
}

/* Of the table as it is. */
json_t *kept_prove_now(uint64_t number, uint64_t row)
{
    const struct data_version_key key = {secret, number};
    struct data_row_source source;
    struct data_store *store;
    struct data_rows *rows;
    uint8_t root[32];
    struct base_err err = {0};
    json_t *proof;

    assert_int_equal(data_store_open(&store, testing_path("d.db"), &err), FM_OK);
    assert_int_equal(data_rows_open(&rows, store, "t", &schema, NULL, 0, &err), FM_OK);
    source = data_rows_source(rows);
    assert_int_equal(data_root_prove(&proof, root, &source, &schema, &key, row, &err), FM_OK);
    data_rows_free(rows);
    data_store_free(store);
    return proof;
}

static fm_status open_kept(struct data_kept **out, const uint8_t root32[32], struct base_err *err)
{
    return data_kept_open(out, testing_path("versions.db"), secret, "t", root32, err);
}

json_t *kept_prove(uint64_t number, uint64_t row)
{
    const struct data_version_key key = {secret, number};
    struct data_row_source source;
    struct data_kept *kept;
    struct base_err err = {0};
    uint8_t root[32];
    json_t *proof;

    if (open_kept(&kept, kept_made[number].root, &err) != FM_OK)
        fail_msg("version %llu: %s", (unsigned long long)number, err.text);
    source = data_kept_source(kept);
    if (data_root_prove(&proof, root, &source, data_kept_schema(kept), &key, row, &err) != FM_OK)
        fail_msg("version %llu: %s", (unsigned long long)number, err.text);
    assert_memory_equal(root, kept_made[number].root, 32);
    data_kept_free(kept);
    return proof;
}

void kept_not(const uint8_t root32[32], const char *why)
{
    struct data_kept *kept;
    struct base_err err = {0};

    assert_int_equal(open_kept(&kept, root32, &err), FM_E_NOT_FOUND);
    assert_null(kept);
    if (strstr(err.text, why) == NULL)
        fail_msg("%s", err.text);
}

/* Random edits: changed, removed, added, moved. */
void kept_edit_randomly(unsigned round)
{
    char sql[512];

    (void)snprintf(sql, sizeof sql,
                   "UPDATE t SET m = %d.%02u WHERE k %% 7 = %u; DELETE FROM t WHERE k %% 11 = %u; "
                   "INSERT INTO t VALUES (%u, NULL, NULL), (%u, 'r%u', NULL);",
                   (int)(round % 5), round, round % 7, round % 11, 1000 + 10 * round,
                   1001 + 10 * round, round);
    kept_edit(sql);
    if (round % 4 == 3) /* as after an import that replaces the table */
        kept_edit("UPDATE t SET _rowid_ = -_rowid_ - 1; UPDATE t SET _rowid_ = -_rowid_");
}

void kept_start(void)
{
    for (size_t v = 0; v <= VERSIONS; v++)
        for (size_t i = 0; i < ROWS; i++) {
            json_decref(kept_made[v].proof[i]);
            kept_made[v].proof[i] = NULL;
        }
    (void)remove(testing_path("d.db"));
    (void)remove(testing_path("versions.db"));
    kept_edit(
        "CREATE TABLE t (k INTEGER, t TEXT, m NUMERIC); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "
        "SELECT i + 1 FROM n WHERE i < 20) INSERT INTO t SELECT i, 'a' || i, i / 4.0 - 1 FROM n");
}

/* versions: how many; the first is the table as it is. */
void kept_publish_all(uint64_t versions)
{
    for (uint64_t v = 1; v <= versions; v++) {
        if (v > 1)
            kept_edit_randomly((unsigned)v);
        (void)kept_publish(v, v > 1 ? kept_made[v - 1].root : NULL, kept_made[v].root);
        for (uint64_t i = 0; i < ROWS; i++)
            kept_made[v].proof[i] = kept_prove_now(v, i);
    }
}

static void every_row_of_every_version(void **state)
{
    (void)state;
    kept_start();
    kept_publish_all(VERSIONS);
    kept_edit("DROP TABLE t");
    for (uint64_t v = 1; v <= VERSIONS; v++)
        for (uint64_t i = 0; i < ROWS; i++) {
            json_t *proof = kept_prove(v, i);
            assert_true(json_equal(proof, kept_made[v].proof[i]));
            for (uint64_t other = 1; other <= VERSIONS; other++) {
                struct base_err err = {0};
                json_t *row = NULL;
                assert_int_equal(
                    data_root_verify(&row, proof, kept_made[other].root, &schema, &err),
                    other == v ? FM_OK : FM_E_INVALID);
                json_decref(row);
            }
            json_decref(proof);
        }
}

/* What one more version costs is what it changed. */
static void only_what_changed_is_kept(void **state)
{
    (void)state;
    kept_start();
    kept_publish_all(1);
    assert_string_equal(testing_sql(testing_path("versions.db"), "SELECT count(*) FROM contents"),
                        "20");
    (void)kept_publish(2, kept_made[1].root, kept_made[2].root);
    kept_edit(
        "UPDATE t SET t = 'x' WHERE k IN (3, 4); DELETE FROM t WHERE k = 5; INSERT INTO t VALUES "
        "(77, '', 0)");
    (void)kept_publish(3, kept_made[2].root, kept_made[3].root);
    assert_string_equal(testing_sql(testing_path("versions.db"), "SELECT count(*) FROM contents"),
                        "23");
    assert_string_equal(testing_sql(testing_path("versions.db"),
                                    "SELECT count(*) FROM contents WHERE until IS NOT NULL"),
                        "3");
}

/* Killed after each number of rows. */
static void killed_in_between(void **state)
{
    (void)state;
    kept_start();
    kept_publish_all(2);
    kept_edit_randomly(3);
    for (int rows = 0; rows < 20; rows += 4) {
        pid_t child = fork();
        int status;
        assert_true(child >= 0);
        if (child == 0) {
            const struct data_changes_job job = {
                testing_path("versions.db"), secret, "t", &schema, 3, kept_made[2].root};
            const struct data_cell cells[3] = {{.value = 1}, {.null = true}, {.null = true}};
            struct data_changes_writer *w;
            struct base_err err = {0};
            fm_status st = data_changes_begin(&w, &job, &err);
            for (int i = 0; st == FM_OK && i < rows; i++)
                st = data_changes_row(w, i + 1, cells, 3, &err);
            _exit(st == FM_OK ? 0 : 1);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        for (uint64_t v = 1; v <= 2; v++) {
            json_t *proof = kept_prove(v, 7);
            assert_true(json_equal(proof, kept_made[v].proof[7]));
            json_decref(proof);
        }
    }
}

static void forgotten(void **state)
{
    struct data_forgotten f;
    struct base_err err = {0};

    (void)state;
    assert_int_equal(data_kept_forget(&f, testing_path("none.db"), "t", 3, NULL, &err),
                     FM_E_NOT_FOUND);
    kept_start();
    kept_publish_all(6);
    assert_int_equal(data_kept_forget(&f, testing_path("versions.db"), "u", 3, NULL, &err),
                     FM_E_NOT_FOUND);
    assert_int_equal(
        data_kept_forget(&f, testing_path("versions.db"), "t", 4, kept_made[4].root, &err), FM_OK);
    assert_int_equal(f.versions, 3);
    assert_true(f.rows > 0);
    assert_int_equal(f.oldest, 4);
    for (uint64_t v = 1; v <= 3; v++)
        kept_not(kept_made[v].root, "was forgotten here");
    for (uint64_t v = 4; v <= 6; v++)
        for (uint64_t i = 0; i < ROWS; i++) {
            json_t *proof = kept_prove(v, i);
            assert_true(json_equal(proof, kept_made[v].proof[i]));
            json_decref(proof);
        }
    assert_int_equal(data_kept_forget(&f, testing_path("versions.db"), "t", 4, NULL, &err), FM_OK);
    assert_int_equal(f.versions + f.rows, 0);
    assert_int_equal(data_kept_forget(&f, testing_path("versions.db"), "t", 99, NULL, &err), FM_OK);
    assert_int_equal(f.versions, 3);
    assert_int_equal(f.oldest, 0);
    assert_string_equal(testing_sql(testing_path("versions.db"),
                                    "SELECT count(*) + (SELECT count(*) FROM published WHERE seed "
                                    "IS NOT NULL) FROM contents"),
                        "0");
    /* And from there on: nothing to compare with, then as ever. */
    assert_false(kept_publish(7, kept_made[6].root, kept_made[7].root).known);
    json_decref(kept_prove(7, 3));
    kept_edit("UPDATE t SET t = 'y' WHERE k = 1060");
    assert_int_equal(kept_publish(8, kept_made[7].root, kept_made[8].root).changed, 1);
    json_decref(kept_prove(7, 3));
    json_decref(kept_prove(8, 3));
}

/* By value: of each type, as it is written in CSV files. */
static void found_by_value(void **state)
{
    static const struct {
        const char *key, *text;
        fm_status want;
        uint64_t index;
    } cases[] = {
        {"k=7", "", FM_OK, 6},
        {"K=7", "", FM_OK, 6},
        {"m=-0.75", "", FM_OK, 0},
        {"m=0.5", "", FM_OK, 5},
        {"t=a=b", "", FM_OK, 19},
        {"t=", "has that value", FM_E_NOT_FOUND, 0},
        {"t=A7", "has that value", FM_E_NOT_FOUND, 0},
        {"k=70", "no row of that version has that value", FM_E_NOT_FOUND, 0},
        {"t=same",
         "10 rows have that value: say which with --row: 9, 10, 11, 12, 13, 14, 15, 16 and 2 "
         "more",
         FM_E_CONFLICT, 0},
        {"k=x", "--key, column k: not a", FM_E_ARG, 0},
        {"m=0.123", "--key, column m: not a DECIMAL(5,2)", FM_E_ARG, 0},
        {"t=longer than 8", "--key, column t", FM_E_ARG, 0},
        {"u=1", "no column u", FM_E_ARG, 0},
        {"k", "must be COLUMN=VALUE", FM_E_ARG, 0},
        {"", "must be COLUMN=VALUE", FM_E_ARG, 0},
    };
    struct data_kept *kept;
    struct base_err err = {0};

    (void)state;
    kept_start();
    kept_edit(
        "UPDATE t SET t = 'same' WHERE k >= 10; UPDATE t SET t = 'a=b' WHERE k = 20; UPDATE t SET "
        "t = NULL, m = NULL WHERE k = 8");
    (void)kept_publish(1, NULL, kept_made[1].root);
    assert_int_equal(open_kept(&kept, kept_made[1].root, &err), FM_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct data_row_source source = data_kept_source(kept);
        uint64_t index = 99;
        struct base_err why = {0};
        fm_status st = data_root_find(&index, &source, &schema, cases[i].key, &why);
        if (st != cases[i].want || index != cases[i].index ||
            (st != FM_OK && strstr(why.text, cases[i].text) == NULL))
            fail_msg("%s: %s, row %llu: %s", cases[i].key, fm_status_name(st),
                     (unsigned long long)index, why.text);
    }
    data_kept_free(kept);
}

static void altered(void **state)
{
    static const char *const damage[] = {
        "UPDATE contents SET sealed = zeroblob(length(sealed)) WHERE row = 3",
        "UPDATE contents SET sealed = x'00' WHERE row = 3",
        "UPDATE contents SET sealed = (SELECT sealed FROM contents WHERE row = 4) WHERE row = 3",
        "UPDATE contents SET digest = zeroblob(16) WHERE row = 3",
        "UPDATE contents SET digest = x'00' WHERE row = 3",
        "UPDATE published SET seed = zeroblob(16)",
        "UPDATE published SET seed = x'00'",
        "UPDATE published SET seed = NULL",
    };

    (void)state;
    for (size_t i = 0; i < sizeof damage / sizeof damage[0]; i++) {
        const struct data_version_key key = {secret, 1};
        struct data_row_source source;
        struct data_kept *kept;
        struct base_err err = {0};
        json_t *proof = NULL;
        uint8_t root[32];
        fm_status st;
        kept_start();
        kept_publish_all(1);
        (void)testing_sql(testing_path("versions.db"), damage[i]);
        st = open_kept(&kept, kept_made[1].root, &err);
        if (st == FM_OK) {
            source = data_kept_source(kept);
            st = data_root_prove(&proof, root, &source, &schema, &key, 0, &err);
        }
        data_kept_free(kept);
        if (st != FM_E_CORRUPT)
            fail_msg("%s: %s", damage[i], err.text);
        assert_null(proof);
    }
}

static int prepare(void **state)
{
    struct base_err err = {0};
    json_t *json = NULL;
    fm_status st = base_json_parse(&json, schema_text, strlen(schema_text), &err);

    if (st == FM_OK)
        st = data_schema_from_json(&schema, json, &err);
    json_decref(json);
    return st == FM_OK ? testing_folder_make(state) : -1;
}

static int clean(void **state)
{
    kept_start();
    data_schema_release(&schema);
    return testing_folder_remove(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_of_every_version),
        cmocka_unit_test(only_what_changed_is_kept),
        cmocka_unit_test(kept_what_was_refused),
        cmocka_unit_test(kept_several_on_their_way),
        cmocka_unit_test(kept_asked_for_again),
        cmocka_unit_test(kept_behind_the_ledger),
        cmocka_unit_test(kept_forgotten_with_the_refused),
        cmocka_unit_test(killed_in_between),
        cmocka_unit_test(forgotten),
        cmocka_unit_test(found_by_value),
        cmocka_unit_test(altered),
    };

    return cmocka_run_group_tests_name("exchange/data: kept versions", tests, prepare, clean);
}
