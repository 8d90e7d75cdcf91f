/* Fault loops: the i-th allocation fails, for i = 1, 2, 3, ... until a run injects none, in our
 * code, in jansson and in SQLite alike. Whatever happens: FM_E_MEMORY and nothing written, or the
 * whole job done; and no leak (under AddressSanitizer). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sqlite3.h>

#include "exchange/data/import.h"
#include "exchange/data/kept.h"
#include "exchange/data/publish.h"
#include "exchange/data/store.h"
#include "exchange/data/testing.h"

static unsigned long countdown; /* 0: no fault */
static bool hit;

static bool fails(void)
{
    if (countdown == 0 || --countdown > 0)
        return false;
    hit = true;
    return true;
}

/* The linker sends our code's allocations here (--wrap). */
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

void *__wrap_malloc(size_t n)
{
    return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
    return fails() ? NULL : __real_realloc(p, n);
}

/* SQLite's own allocator, with our gate before it. */
static sqlite3_mem_methods below;

static void *gate_malloc(int n)
{
    return fails() ? NULL : below.xMalloc(n);
}

static void *gate_realloc(void *p, int n)
{
    return fails() ? NULL : below.xRealloc(p, n);
}

static int install_gates(void **state)
{
    sqlite3_mem_methods gated;

    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &below) != SQLITE_OK)
        return -1;
    gated = below;
    gated.xMalloc = gate_malloc;
    gated.xRealloc = gate_realloc;
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &gated) != SQLITE_OK)
        return -1;
    if (sqlite3_initialize() != SQLITE_OK)
        return -1;
    return testing_folder_make(state);
}

/* One run with the i-th allocation failing; true if it was reached. */
static bool run(fm_status (*job)(struct base_err *err), unsigned long i)
{
    struct base_err err = {0};
    fm_status st;

    hit = false;
    countdown = i;
    st = job(&err);
    countdown = 0;
    if (st != FM_OK && (st != FM_E_MEMORY || !hit))
        fail_msg("allocation %lu: %s: %s", i, fm_status_name(st), err.text);
    return hit;
}

static const char *csv_path, *db_path;

static fm_status import_once(struct base_err *err)
{
    struct data_import job = {
        .csv_path = csv_path, .db_path = db_path, .table = "t", .mode = DATA_IMPORT_REPLACE};
    struct data_import_result r;
    fm_status st = data_import(&r, &job, err);

    if (st == FM_OK)
        data_import_release(&r);
    return st;
}

static fm_status read_once(struct base_err *err)
{
    struct data_store *store;
    struct data_schema schema;
    struct data_notes notes;
    enum data_origin origin;
    fm_status st = data_store_open(&store, db_path, err);

    if (st != FM_OK)
        return st;
    st = data_store_schema(&schema, &origin, &notes, store, "t", err);
    if (st == FM_OK)
        st = data_store_check(store, "t", &schema, err);
    data_schema_release(&schema);
    data_notes_release(&notes);
    data_store_free(store);
    return st;
}

static void importing(void **state)
{
    static const char text[] = "a b,amount,day\n1,2.50,2024-01-01\n\"x,y\",NA,\n";
    unsigned long i = 1;

    (void)state;
    csv_path = testing_path("f.csv");
    db_path = testing_path("d.db");
    testing_write(csv_path, text, sizeof text - 1);
    for (;; i++) {
        const char *left;
        bool reached = run(import_once, i);
        if (!testing_exists(db_path))
            continue;
        left = testing_sql(db_path, "SELECT COUNT(*) FROM sqlite_schema WHERE name = 't'");
        if (strcmp(left, "1") == 0)
            assert_string_equal(testing_sql(db_path, "SELECT COUNT(*) || (SELECT COUNT(*) FROM "
                                                     "firmiana_schema) FROM t"),
                                "21");
        (void)remove(db_path);
        if (!reached)
            break;
    }
    assert_true(i > 100);
}

static void reading(void **state)
{
    unsigned long i = 1;

    (void)state;
    db_path = testing_path("r.db");
    (void)testing_sql(db_path, "CREATE TABLE t (id INTEGER, b, c); INSERT INTO t VALUES (1, 1.5, "
                               "'x'), (2, NULL, 'yyy')");
    while (run(read_once, i))
        i++;
    assert_true(i > 50);
    assert_false(run(import_once, 0));
    db_path = testing_path("imported.db");
    assert_false(run(import_once, 0));
    for (i = 1; run(read_once, i);)
        i++;
    assert_true(i > 50);
}

/* ---- publishing, and proving what was published ---- */

static const uint8_t secret[32] = {7};
static const char *versions_path;
static struct data_schema declared;
static struct data_published published;
static const uint8_t *before32;
static uint64_t version;

static fm_status publish_once(struct base_err *err)
{
    struct data_publish_job job = {.table = "t",
                                   .schema = &declared,
                                   .key = {secret, version},
                                   .digests = versions_path,
                                   .published32 = before32};
    fm_status st = data_store_open(&job.store, db_path, err);

    if (st != FM_OK)
        return st;
    st = data_publish(&published, &job, err);
    data_store_free(job.store);
    return st;
}

static fm_status prove_once(struct base_err *err)
{
    const struct data_version_key key = {secret, 1};
    struct data_kept *kept;
    struct data_row_source source;
    uint8_t root[32];
    json_t *proof = NULL;
    fm_status st = data_kept_open(&kept, versions_path, secret, "t", before32, err);

    if (st != FM_OK)
        return st;
    source = data_kept_source(kept);
    st = data_root_prove(&proof, root, &source, data_kept_schema(kept), &key, 1, err);
    if (st == FM_OK)
        assert_memory_equal(root, before32, 32);
    json_decref(proof);
    data_kept_free(kept);
    return st;
}

/* Version 1 stands, whatever fails while 2 is kept; and 2 is kept or given up for want of memory.
 */
static void keeping(void **state)
{
    static const char schema[] =
        "{\"columns\":[{\"name\":\"a\",\"type\":\"INTEGER\",\"range\":[0,9]},{\"name\":\"b\","
        "\"type\":\"TEXT(3)\"}],\"rows\":4,\"version\":1}";
    struct base_err err = {0};
    uint8_t first[32];
    json_t *json = NULL;
    unsigned long i = 1, given_up = 0;
    bool reached = true;

    (void)state;
    db_path = testing_path("k.db");
    versions_path = testing_path("versions.db");
    (void)testing_sql(db_path, "CREATE TABLE t (a INTEGER, b TEXT); INSERT INTO t VALUES (1, 'x'), "
                               "(2, 'yy')");
    assert_int_equal(base_json_parse(&json, schema, strlen(schema), &err), FM_OK);
    assert_int_equal(data_schema_from_json(&declared, json, &err), FM_OK);
    json_decref(json);
    version = 1;
    assert_false(run(publish_once, 0));
    assert_string_equal(published.unknown, "");
    memcpy(first, published.root32, 32);
    before32 = first;
    version = 2;
    (void)testing_sql(db_path, "UPDATE t SET b = 'z' WHERE a = 2");
    for (; reached; i++) {
        reached = run(publish_once, i);
        given_up += published.unknown[0] != '\0';
        if (i % 8 == 0)
            assert_false(run(prove_once, 0));
    }
    assert_string_equal(published.unknown, "");
    assert_true(given_up > 50);
    for (i = 1; run(prove_once, i);)
        i++;
    assert_true(i > 50);
    data_schema_release(&declared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(importing),
        cmocka_unit_test(reading),
        cmocka_unit_test(keeping),
    };
    return cmocka_run_group_tests_name("exchange/data: failing allocations", tests, install_gates,
                                       testing_folder_remove);
}
