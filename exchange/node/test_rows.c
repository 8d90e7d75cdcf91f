/* The root of a frozen dataset is that of the rows in the snapshot, whatever was remembered and
 * whoever writes meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "exchange/node/rows.h"

static const char schema_text[] =
    "{\"columns\":[{\"name\":\"x\",\"type\":\"INTEGER\",\"range\":[0,9],\"nullable\":false}],"
    "\"keys\":[],\"rows\":3,\"version\":1}";
static const char wider_text[] =
    "{\"columns\":[{\"name\":\"x\",\"type\":\"INTEGER\",\"range\":[0,99],\"nullable\":false}],"
    "\"keys\":[],\"rows\":4,\"version\":2}";
static char folder[] = "/tmp/firmiana-rows.XXXXXX";
static char path[64];

static void run(const char *sql)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static int setup(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    (void)snprintf(path, sizeof path, "%s/d.db", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

static const atomic_bool never = false;

static struct node_rows *open_rows(const char *text)
{
    json_t *schema = json_loads(text, 0, NULL);
    struct base_err err = {0};
    struct node_rows *rows;

    if (node_rows_open(&rows, path, "t", schema, &err) != FM_OK)
        fail_msg("%s", err.text);
    json_decref(schema);
    return rows;
}

static void root_of(uint8_t root[32], struct node_roots *roots, struct node_rows *rows)
{
    static const uint8_t secret[32] = {7};
    struct base_err err = {0};

    if (!node_rows_recall(root, roots, rows, 1)) {
        if (node_rows_hash(root, rows, secret, 1, &never, &err) != FM_OK)
            fail_msg("%s", err.text);
        node_rows_remember(roots, rows, 1, root);
    }
    node_rows_free(rows);
}

/* However often and however quickly the rows change, under the same size and within one tick of the
 * clock, the remembered root is never that of other rows. */
static void changes_are_seen(void **state)
{
    struct node_roots kept = {0};

    (void)state;
    run("CREATE TABLE t(x INTEGER NOT NULL); INSERT INTO t VALUES (0), (1)");
    for (int i = 0; i < 60; i++) {
        struct node_roots fresh = {0};
        uint8_t a[32], b[32];
        run(i % 3 == 0 ? "UPDATE t SET x = 2" : i % 3 == 1 ? "UPDATE t SET x = 3" : "SELECT 1");
        root_of(a, &kept, open_rows(schema_text));
        root_of(b, &fresh, open_rows(schema_text));
        assert_memory_equal(a, b, 32);
    }
}

/* Rows that were written between the look at the file and its freezing: as if, by a snapshot whose
 * `before` is older than what it holds. */
static void a_late_write_is_seen(void **state)
{
    struct node_roots roots = {0};
    struct node_rows *rows;
    uint8_t a[32], b[32];

    (void)state;
    run("UPDATE t SET x = 4");
    sleep(3); /* long enough ago to be remembered */
    root_of(a, &roots, open_rows(schema_text));
    assert_int_equal(roots.next, 1);
    run("UPDATE t SET x = 5");
    rows = open_rows(schema_text);
    assert_false(rows->steady);
    memcpy(rows->before, roots.known[0].at, sizeof rows->before);
    root_of(b, &roots, rows);
    assert_memory_not_equal(a, b, 32);
}

static void another_schema_is_hashed_anew(void **state)
{
    struct node_roots roots = {0}, fresh = {0};
    uint8_t a[32], b[32];

    (void)state;
    sleep(3);
    root_of(a, &roots, open_rows(schema_text));
    root_of(a, &roots, open_rows(schema_text));
    assert_int_equal(roots.next, 1); /* remembered, and recalled */
    root_of(a, &roots, open_rows(wider_text));
    root_of(b, &fresh, open_rows(wider_text));
    assert_memory_equal(a, b, 32);
}

static void hashing_can_be_stopped(void **state)
{
    static const uint8_t secret[32] = {7};
    const atomic_bool stop = true;
    struct node_rows *rows = open_rows(schema_text);
    struct base_err err = {0};
    uint8_t root[32];

    (void)state;
    assert_int_equal(node_rows_hash(root, rows, secret, 1, &stop, &err), FM_E_CANCELLED);
    assert_string_equal(err.text, "stopped while the rows were hashed");
    node_rows_free(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_are_seen),
        cmocka_unit_test(a_late_write_is_seen),
        cmocka_unit_test(another_schema_is_hashed_anew),
        cmocka_unit_test(hashing_can_be_stopped),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
