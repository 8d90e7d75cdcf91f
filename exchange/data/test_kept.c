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

#include "exchange/data/kept.h"
#include "exchange/data/publish.h"
#include "exchange/data/testing.h"

enum { ROWS = 40, VERSIONS = 8 };

static const char schema_text[] =
    "{\"columns\":[{\"name\":\"k\",\"type\":\"INTEGER\",\"range\":[0,999999],\"nullable\":false},"
    "{\"name\":\"t\",\"type\":\"TEXT(8)\",\"nullable\":true},{\"name\":\"m\",\"type\":"
    "\"DECIMAL(5,2)\",\"range\":[\"-5.00\",\"5.00\"],\"nullable\":true}],\"rows\":40,\"version\":"
    "1}";
static const uint8_t secret[32] = {4, 2};

static struct data_schema schema;

/* What was published. */
struct version {
    uint8_t root[32];
    json_t *proof[ROWS];
};
static struct version made[VERSIONS + 1];

static void edit(const char *sql)
{
    (void)testing_sql(testing_path("d.db"), sql);
}

static struct data_changes publish(uint64_t number, const uint8_t *before32, uint8_t root32[32])
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
static json_t *prove_now(uint64_t number, uint64_t row)
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

static json_t *prove_kept(uint64_t number, uint64_t row)
{
    const struct data_version_key key = {secret, number};
    struct data_row_source source;
    struct data_kept *kept;
    struct base_err err = {0};
    uint8_t root[32];
    json_t *proof;

    if (open_kept(&kept, made[number].root, &err) != FM_OK)
        fail_msg("version %llu: %s", (unsigned long long)number, err.text);
    source = data_kept_source(kept);
    if (data_root_prove(&proof, root, &source, data_kept_schema(kept), &key, row, &err) != FM_OK)
        fail_msg("version %llu: %s", (unsigned long long)number, err.text);
    assert_memory_equal(root, made[number].root, 32);
    data_kept_free(kept);
    return proof;
}

static void not_kept(const uint8_t root32[32], const char *why)
{
    struct data_kept *kept;
    struct base_err err = {0};

    assert_int_equal(open_kept(&kept, root32, &err), FM_E_NOT_FOUND);
    assert_null(kept);
    if (strstr(err.text, why) == NULL)
        fail_msg("%s", err.text);
}

/* Random edits: changed, removed, added, moved. */
static void edit_randomly(unsigned round)
{
    char sql[512];

    (void)snprintf(sql, sizeof sql,
                   "UPDATE t SET m = %d.%02u WHERE k %% 7 = %u; DELETE FROM t WHERE k %% 11 = %u; "
                   "INSERT INTO t VALUES (%u, NULL, NULL), (%u, 'r%u', NULL);",
                   (int)(round % 5), round, round % 7, round % 11, 1000 + 10 * round,
                   1001 + 10 * round, round);
    edit(sql);
    if (round % 4 == 3) /* as after an import that replaces the table */
        edit("UPDATE t SET _rowid_ = -_rowid_ - 1; UPDATE t SET _rowid_ = -_rowid_");
}

static void start(void)
{
    for (size_t v = 0; v <= VERSIONS; v++)
        for (size_t i = 0; i < ROWS; i++) {
            json_decref(made[v].proof[i]);
            made[v].proof[i] = NULL;
        }
    (void)remove(testing_path("d.db"));
    (void)remove(testing_path("versions.db"));
    edit(
        "CREATE TABLE t (k INTEGER, t TEXT, m NUMERIC); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "
        "SELECT i + 1 FROM n WHERE i < 20) INSERT INTO t SELECT i, 'a' || i, i / 4.0 - 1 FROM n");
}

/* versions: how many; the first is the table as it is. */
static void publish_all(uint64_t versions)
{
    for (uint64_t v = 1; v <= versions; v++) {
        if (v > 1)
            edit_randomly((unsigned)v);
        (void)publish(v, v > 1 ? made[v - 1].root : NULL, made[v].root);
        for (uint64_t i = 0; i < ROWS; i++)
            made[v].proof[i] = prove_now(v, i);
    }
}

static void every_row_of_every_version(void **state)
{
    (void)state;
    start();
    publish_all(VERSIONS);
    edit("DROP TABLE t");
    for (uint64_t v = 1; v <= VERSIONS; v++)
        for (uint64_t i = 0; i < ROWS; i++) {
            json_t *proof = prove_kept(v, i);
            assert_true(json_equal(proof, made[v].proof[i]));
            for (uint64_t other = 1; other <= VERSIONS; other++) {
                struct base_err err = {0};
                json_t *row = NULL;
                assert_int_equal(data_root_verify(&row, proof, made[other].root, &schema, &err),
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
    start();
    publish_all(1);
    assert_string_equal(testing_sql(testing_path("versions.db"), "SELECT count(*) FROM contents"),
                        "20");
    (void)publish(2, made[1].root, made[2].root);
    edit("UPDATE t SET t = 'x' WHERE k IN (3, 4); DELETE FROM t WHERE k = 5; INSERT INTO t VALUES "
         "(77, '', 0)");
    (void)publish(3, made[2].root, made[3].root);
    assert_string_equal(testing_sql(testing_path("versions.db"), "SELECT count(*) FROM contents"),
                        "23");
    assert_string_equal(testing_sql(testing_path("versions.db"),
                                    "SELECT count(*) FROM contents WHERE until IS NOT NULL"),
                        "3");
}

/* The ledger refused version 2, or the node died before it asked: version 1 is whole, 2 never was.
 */
static void what_was_refused(void **state)
{
    uint8_t refused[32];

    (void)state;
    start();
    publish_all(1);
    edit_randomly(2);
    (void)publish(2, made[1].root, refused);
    for (uint64_t i = 0; i < ROWS; i++) { /* even before anybody knows that it was refused */
        json_t *proof = prove_kept(1, i);
        assert_true(json_equal(proof, made[1].proof[i]));
        json_decref(proof);
    }
    edit_randomly(3);
    (void)publish(2, made[1].root, made[2].root);
    for (uint64_t i = 0; i < ROWS; i++) {
        json_t *then = prove_kept(1, i), *proof = prove_kept(2, i), *now = prove_now(2, i);
        assert_true(json_equal(then, made[1].proof[i]));
        assert_true(json_equal(proof, now));
        json_decref(then);
        json_decref(proof);
        json_decref(now);
    }
    /* What is not decided yet may still be it; then it is gone. */
    (void)publish(3, made[2].root, made[3].root);
    not_kept(refused, "keeps no rows");
    json_decref(prove_kept(3, 0));
    /* Another home published version 3: what this one has stays, and 4 is kept again. */
    edit_randomly(4);
    assert_false(publish(4, refused, made[4].root).known);
    json_decref(prove_kept(1, 0));
    json_decref(prove_kept(2, 0));
    json_decref(prove_kept(4, 0));
}

static void whole(const uint8_t root32[32], uint64_t number, json_t *const proofs[ROWS])
{
    memcpy(made[number].root, root32, 32);
    for (uint64_t i = 0; i < ROWS; i++) {
        json_t *proof = prove_kept(number, i);
        assert_true(json_equal(proof, proofs[i]));
        json_decref(proof);
    }
}

/* Version 2 was asked for TRIES times, whichever of them the ledger takes in the end: it is whole
 * then and from there on, the others are gone after the next. */
static void several_on_their_way(void **state)
{
    enum { TRIES = 4 };

    (void)state;
    for (unsigned taken = 0; taken < TRIES; taken++) {
        uint8_t roots[TRIES][32];
        json_t *proofs[TRIES][ROWS];
        start();
        publish_all(1);
        for (unsigned t = 0; t < TRIES; t++) {
            edit_randomly(t + 2);
            assert_true(publish(2, made[1].root, roots[t]).known);
            for (uint64_t i = 0; i < ROWS; i++)
                proofs[t][i] = prove_now(2, i);
        }
        for (unsigned t = 0; t < TRIES; t++) /* nobody knows which yet */
            whole(roots[t], 2, proofs[t]);
        edit_randomly(TRIES + 2);
        (void)publish(3, roots[taken], made[3].root);
        whole(roots[taken], 2, proofs[taken]);
        whole(made[1].root, 1, made[1].proof);
        json_decref(prove_kept(3, 5));
        for (unsigned t = 0; t < TRIES; t++) {
            if (t != taken)
                not_kept(roots[t], "keeps no rows");
            for (uint64_t i = 0; i < ROWS; i++)
                json_decref(proofs[t][i]);
        }
        assert_string_equal(
            testing_sql(
                testing_path("versions.db"),
                "SELECT count(*) FROM contents WHERE since NOT IN (SELECT id FROM published)"),
            "0");
    }
}

/* A ledger that was restored from a copy is behind: what is published from there takes nothing
 * away. */
static void behind_the_ledger(void **state)
{
    uint8_t again[32];

    (void)state;
    start();
    publish_all(6);
    edit_randomly(7);
    (void)publish(2, made[1].root, again);
    (void)publish(3, made[2].root, again);
    for (uint64_t v = 1; v <= 6; v++)
        whole(made[v].root, v, made[v].proof);
    (void)publish(7, made[6].root, made[7].root);
    for (uint64_t v = 1; v <= 6; v++)
        whole(made[v].root, v, made[v].proof);
    json_decref(prove_kept(7, 0));
    not_kept(again, "keeps no rows");
}

/* Of two with one number, what the refused one has of a person goes with what is before. */
static void forgotten_with_the_refused(void **state)
{
    struct data_forgotten f;
    struct base_err err = {0};
    uint8_t unknown[32] = {9}, root[32];

    (void)state;
    for (int refused = 0; refused < 2; refused++) {
        start();
        (void)publish(5, unknown, root); /* version 4 was not kept here */
        edit("DELETE FROM t WHERE k = 7");
        (void)publish(5, unknown, made[5].root);
        assert_int_equal(data_kept_forget(&f, testing_path("versions.db"), "t", 5,
                                          refused == 0 ? made[5].root : root, &err),
                         FM_OK);
        assert_int_equal(f.oldest, 5);
        assert_int_equal(f.versions, refused == 0 ? 1 : 0);
        if (refused == 0)
            not_kept(root, "was forgotten here");
        json_decref(prove_kept(5, 0));
        memcpy(made[5].root, root, 32);
        if (refused == 1)
            json_decref(prove_kept(5, 6));
        assert_string_equal(
            testing_sql(testing_path("versions.db"), "SELECT count(*) FROM contents WHERE row = 7"),
            refused == 0 ? "0" : "1");
    }
}

/* Killed after each number of rows. */
static void killed_in_between(void **state)
{
    (void)state;
    start();
    publish_all(2);
    edit_randomly(3);
    for (int rows = 0; rows < 20; rows += 4) {
        pid_t child = fork();
        int status;
        assert_true(child >= 0);
        if (child == 0) {
            const struct data_changes_job job = {
                testing_path("versions.db"), secret, "t", &schema, 3, made[2].root};
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
            json_t *proof = prove_kept(v, 7);
            assert_true(json_equal(proof, made[v].proof[7]));
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
    start();
    publish_all(6);
    assert_int_equal(data_kept_forget(&f, testing_path("versions.db"), "u", 3, NULL, &err),
                     FM_E_NOT_FOUND);
    assert_int_equal(data_kept_forget(&f, testing_path("versions.db"), "t", 4, made[4].root, &err),
                     FM_OK);
    assert_int_equal(f.versions, 3);
    assert_true(f.rows > 0);
    assert_int_equal(f.oldest, 4);
    for (uint64_t v = 1; v <= 3; v++)
        not_kept(made[v].root, "was forgotten here");
    for (uint64_t v = 4; v <= 6; v++)
        for (uint64_t i = 0; i < ROWS; i++) {
            json_t *proof = prove_kept(v, i);
            assert_true(json_equal(proof, made[v].proof[i]));
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
    assert_false(publish(7, made[6].root, made[7].root).known);
    json_decref(prove_kept(7, 3));
    edit("UPDATE t SET t = 'y' WHERE k = 1060");
    assert_int_equal(publish(8, made[7].root, made[8].root).changed, 1);
    json_decref(prove_kept(7, 3));
    json_decref(prove_kept(8, 3));
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
    start();
    edit("UPDATE t SET t = 'same' WHERE k >= 10; UPDATE t SET t = 'a=b' WHERE k = 20; UPDATE t SET "
         "t = NULL, m = NULL WHERE k = 8");
    (void)publish(1, NULL, made[1].root);
    assert_int_equal(open_kept(&kept, made[1].root, &err), FM_OK);
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
        start();
        publish_all(1);
        (void)testing_sql(testing_path("versions.db"), damage[i]);
        st = open_kept(&kept, made[1].root, &err);
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
    start();
    data_schema_release(&schema);
    return testing_folder_remove(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_of_every_version),
        cmocka_unit_test(only_what_changed_is_kept),
        cmocka_unit_test(what_was_refused),
        cmocka_unit_test(several_on_their_way),
        cmocka_unit_test(behind_the_ledger),
        cmocka_unit_test(forgotten_with_the_refused),
        cmocka_unit_test(killed_in_between),
        cmocka_unit_test(forgotten),
        cmocka_unit_test(found_by_value),
        cmocka_unit_test(altered),
    };

    return cmocka_run_group_tests_name("exchange/data: kept versions", tests, prepare, clean);
}
