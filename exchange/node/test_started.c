/* sessions.db: never twice, never lost, nobody else's to read. */
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "exchange/node/openings_prune.h"
#include "exchange/node/started.h"
#include "exchange/node/vault.h"
#include "ledger/store/sum_vfs.h"

static char folder[] = "/tmp/firmiana-started.XXXXXX";
static char path[64];
static uint8_t secret[32] = {7, 1, 9};

static int setup(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    (void)snprintf(path, sizeof path, "%s/sessions.db", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

static struct node_started *reopen(struct node_started *before)
{
    struct base_err err = {0};
    struct node_started *s;

    node_started_close(before);
    if (node_started_open(&s, path, secret, base_random_system(), &err) != FM_OK)
        fail_msg("%s", err.text);
    return s;
}

static void an_attempt_starts_once(void **state)
{
    struct node_started *s = reopen(NULL);
    struct base_err err = {0};
    bool has;

    (void)state;
    assert_int_equal(node_started_has(&has, s, "aa", &err), FM_OK);
    assert_false(has);
    assert_int_equal(node_started_mark(s, "aa", 1, 5, &err), FM_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(node_started_mark(s, "aa", 1, 6, &err), FM_E_CONFLICT);
        assert_int_equal(node_started_has(&has, s, "aa", &err), FM_OK);
        assert_true(has);
        s = reopen(s);
    }
    assert_int_equal(node_started_mark(s, "aa", 2, 7, &err), FM_OK);
    node_started_close(s);
}

/* ---- boxes ---- */

static const char text[] = "{\"requester\":\"ann\",\"salt\":\"00\",\"ticket\":\"T-1\"}";

static void put(struct node_started *s, const char *kind, const char *name, const char *about)
{
    struct base_err err = {0};

    assert_int_equal(
        node_sealed_put(s, kind, name, text, strlen(text), &about, about != NULL, 5, &err), FM_OK);
}

static fm_status get(struct node_started *s, const char *kind, const char *name)
{
    struct base_err err = {0};
    struct base_buf out = {0};
    fm_status st = node_sealed_get(&out, s, kind, name, &err);

    if (st == FM_OK)
        assert_string_equal(base_buf_cstr(&out), text);
    else
        assert_int_equal(out.len, 0);
    base_buf_release_secret(&out);
    return st;
}

static fm_status count(void *ctx, const char *name, long long at_ms, struct base_err *err)
{
    (void)name;
    (void)at_ms;
    (void)err;
    ++*(int *)ctx;
    return FM_OK;
}

static int listed(struct node_started *s, const char *kind, const char *about)
{
    struct base_err err = {0};
    int n = 0;

    assert_int_equal(node_sealed_list(s, kind, about, count, &n, &err), FM_OK);
    return n;
}

static void a_box_is_kept_and_found(void **state)
{
    struct node_started *s = reopen(NULL);
    struct base_err err = {0};
    const char *about = "46948328";

    (void)state;
    assert_int_equal(get(s, "opening", "bb"), FM_E_NOT_FOUND);
    put(s, "opening", "bb", about);
    put(s, "opening", "bc", "other");
    put(s, "answer", "bb", NULL);
    s = reopen(s);
    assert_int_equal(get(s, "opening", "bb"), FM_OK);
    assert_int_equal(listed(s, "opening", NULL), 2);
    assert_int_equal(listed(s, "opening", about), 1);
    assert_int_equal(listed(s, "answer", about), 0);
    assert_int_equal(listed(s, "opening", "4694832"), 0);
    assert_int_equal(node_sealed_put(s, "opening", "bb", "{}", 2, &about, 1, 6, &err),
                     FM_E_CONFLICT);
    assert_int_equal(get(s, "opening", "bb"), FM_OK);
    assert_int_equal(node_sealed_remove(s, "opening", "bb", &err), FM_OK);
    assert_int_equal(node_sealed_remove(s, "opening", "bb", &err), FM_OK);
    assert_int_equal(get(s, "opening", "bb"), FM_E_NOT_FOUND);
    assert_int_equal(listed(s, "opening", about), 0);
    assert_int_equal(get(s, "answer", "bb"), FM_OK);
    node_started_close(s);
}

/* In none of the files, byte by byte. */
static bool on_disk(const char *what)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    bool found = false;

    for (size_t i = 0; i < 4; i++) {
        char name[80];
        struct base_buf bytes = {0};
        struct base_err err = {0};
        (void)snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
        if (access(name, F_OK) != 0)
            continue;
        assert_int_equal(base_file_read(&bytes, name, 1 << 24, &err), FM_OK);
        for (size_t k = 0; k + strlen(what) <= bytes.len; k++)
            found = found || memcmp(bytes.p + k, what, strlen(what)) == 0;
        base_buf_release(&bytes);
    }
    return found;
}

static void exec(const char *sql)
{
    sqlite3 *db;

    assert_int_equal(
        sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, ledger_sum_vfs()),
        SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(db));
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void a_box_is_no_other(void **state)
{
    struct node_started *s = reopen(NULL);

    (void)state;
    put(s, "opening", "dd", "46948329");
    assert_false(on_disk("T-1"));
    assert_false(on_disk("46948329"));
    assert_true(on_disk("opening"));
    secret[0] ^= 1; /* another key */
    s = reopen(s);
    assert_int_equal(get(s, "opening", "dd"), FM_E_CORRUPT);
    assert_int_equal(listed(s, "opening", "46948329"), 0);
    secret[0] ^= 1;
    s = reopen(s);
    assert_int_equal(get(s, "opening", "dd"), FM_OK);
    node_started_close(s);
    exec("UPDATE sealed SET name = 'de' WHERE name = 'dd'");
    s = reopen(NULL);
    assert_int_equal(get(s, "opening", "de"), FM_E_CORRUPT);
    node_started_close(s);
    exec("UPDATE sealed SET name = 'dd', kind = 'answer' WHERE name = 'de'");
    s = reopen(NULL);
    assert_int_equal(get(s, "answer", "dd"), FM_E_CORRUPT);
    node_started_close(s);
    exec("UPDATE sealed SET kind = 'opening' WHERE name = 'dd'");
    s = reopen(NULL);
    assert_int_equal(get(s, "opening", "dd"), FM_OK);
    node_started_close(s);
    exec("UPDATE sealed SET box = substr(box, 1, 27) WHERE name = 'dd'");
    s = reopen(NULL);
    assert_int_equal(get(s, "opening", "dd"), FM_E_CORRUPT);
    node_started_close(s);
}

/* Every bit of a box counts. */
static void a_changed_box_does_not_open(void **state)
{
    struct base_buf box = {0}, plain = {0};
    struct base_err err = {0};
    struct vault v;

    (void)state;
    assert_int_equal(vault_init(&v, secret, &err), FM_OK);
    assert_int_equal(vault_seal(&v, &box, "k", "n", "content", 7, base_random_system(), &err),
                     FM_OK);
    for (size_t i = 0; i < 8 * box.len; i++) {
        box.p[i / 8] ^= (uint8_t)(1u << i % 8);
        assert_int_equal(vault_open(&v, &plain, "k", "n", box.p, box.len, &err), FM_E_CORRUPT);
        assert_int_equal(plain.len, 0);
        box.p[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    assert_int_equal(vault_open(&v, &plain, "kn", "", box.p, box.len, &err), FM_E_CORRUPT);
    assert_int_equal(vault_open(&v, &plain, "k", "n", box.p, box.len, &err), FM_OK);
    assert_string_equal(base_buf_cstr(&plain), "content");
    base_buf_release(&box);
    base_buf_release(&plain);
    vault_release(&v);
}

/* A file of format 0 held openings in clear. */
static void what_was_clear_is_sealed(void **state)
{
    struct node_started *s;
    struct base_err err = {0};
    bool has;

    (void)state;
    (void)unlink(path);
    exec(
        "PRAGMA journal_mode=WAL; PRAGMA application_id=1179472723;"
        "CREATE TABLE started(query TEXT NOT NULL, attempt INTEGER NOT NULL, at_ms INTEGER NOT "
        "NULL, PRIMARY KEY(query, attempt)) STRICT, WITHOUT ROWID;"
        "CREATE TABLE opening(requester TEXT NOT NULL PRIMARY KEY, at_ms INTEGER NOT NULL, opening "
        "TEXT NOT NULL) STRICT, WITHOUT ROWID;"
        "INSERT INTO started VALUES('aa', 1, 5);"
        "INSERT INTO opening VALUES('ee', 5, "
        "'{\"requester\":\"ann\",\"salt\":\"00\",\"ticket\":\"T-1\"}')");
    assert_true(on_disk("T-1"));
    s = reopen(NULL);
    assert_false(on_disk("T-1"));
    s = reopen(s);
    assert_int_equal(get(s, "unnamed", "ee"), FM_OK);
    assert_int_equal(node_started_has(&has, s, "aa", &err), FM_OK);
    assert_true(has);
    node_started_close(s);
    exec("PRAGMA user_version=2");
    assert_int_equal(node_started_open(&s, path, secret, base_random_system(), &err),
                     FM_E_UNSUPPORTED);
    assert_non_null(strstr(err.text, "a newer firmiana wrote it"));
    (void)unlink(path);
}

static void files_are_the_owners(void **state)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    mode_t before = umask(0);
    struct node_started *s;
    struct base_err err = {0};

    (void)state;
    (void)unlink(path);
    s = reopen(NULL);
    assert_int_equal(node_started_mark(s, "cc", 1, 5, &err), FM_OK);
    for (size_t i = 0; i < 3; i++) {
        char name[80];
        struct stat st;
        (void)snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
        assert_int_equal(stat(name, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
    node_started_close(s);
    (void)umask(before);
}

static fm_status even(void *ctx, bool *out, const char *query_hex, struct base_err *err)
{
    int *calls = ctx;

    if (++*calls > 4)
        return base_err_set(err, FM_E_TIMEOUT, "enough");
    *out = strtol(query_hex, NULL, 10) % 2 == 0;
    return FM_OK;
}

static bool file_holds(const uint8_t *what, size_t len)
{
    struct base_buf bytes = {0};
    struct base_err err;
    bool found = false;

    assert_int_equal(base_file_read(&bytes, path, 1 << 20, &err), FM_OK);
    for (size_t at = 0; !found && at + len <= bytes.len; at++)
        found = memcmp(bytes.p + at, what, len) == 0;
    base_buf_release(&bytes);
    return found;
}

/* The boxes of queries 0, 1, 2 and 3: the even ones go, box, tag and all, and the rest stays. */
static void openings_are_pruned(void **state)
{
    struct node_started *s;
    struct base_err err = {0};
    struct base_buf out = {0};
    const char *about = "person", *names[] = {"0", "1", "2", "3"};
    uint8_t box[16];
    sqlite3_stmt *q;
    uint64_t n;
    int calls = 0;

    (void)state;
    (void)unlink(path);
    s = reopen(NULL);
    for (int i = 0; i < 4; i++)
        assert_int_equal(node_sealed_put(s, "opening", names[i], "text", 4, &about, 1, i, &err),
                         FM_OK);
    for (int i = 0; i < 2; i++) /* what queries 2 and 3 ran with goes with them, or stays */
        assert_int_equal(
            node_sealed_put(s, "input", i == 0 ? "2/1" : "3/1", "text", 4, NULL, 0, 7, &err),
            FM_OK);
    assert_int_equal(node_sealed_put(s, "other", "0", "text", 4, &about, 1, 9, &err), FM_OK);
    assert_int_equal(node_started_mark(s, "0", 1, 5, &err), FM_OK);
    node_started_close(s);
    {
        sqlite3 *db;

        assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, ledger_sum_vfs()),
                         SQLITE_OK);
        assert_int_equal(sqlite3_prepare_v2(db,
                                            "SELECT substr(box, 1, 16) FROM sealed WHERE kind = "
                                            "'opening' AND name = '2'",
                                            -1, &q, NULL),
                         SQLITE_OK);
        assert_int_equal(sqlite3_step(q), SQLITE_ROW);
        memcpy(box, sqlite3_column_blob(q, 0), sizeof box);
        (void)sqlite3_finalize(q);
        (void)sqlite3_close(db);
    }
    assert_true(file_holds(box, sizeof box));
    calls = 3; /* an error on the way erases nothing */
    assert_int_equal(node_openings_prune(&n, path, even, &calls, &err), FM_E_TIMEOUT);
    assert_true(file_holds(box, sizeof box));
    calls = 0;
    assert_int_equal(node_openings_prune(&n, path, even, &calls, &err), FM_OK);
    assert_int_equal(n, 2);
    assert_false(file_holds(box, sizeof box));
    s = reopen(NULL);
    for (int i = 0; i < 4; i++)
        assert_int_equal(node_sealed_get(&out, s, "opening", names[i], &err),
                         i % 2 == 0 ? FM_E_NOT_FOUND : FM_OK);
    assert_int_equal(node_sealed_get(&out, s, "input", "2/1", &err), FM_E_NOT_FOUND);
    assert_int_equal(node_sealed_get(&out, s, "input", "3/1", &err), FM_OK);
    assert_int_equal(node_sealed_get(&out, s, "other", "0", &err), FM_OK);
    assert_int_equal(node_started_mark(s, "0", 1, 5, &err), FM_E_CONFLICT);
    calls = 0; /* a node has it */
    assert_int_equal(node_openings_prune(&n, path, even, &calls, &err), FM_E_CONFLICT);
    base_buf_release(&out);
    node_started_close(s);
    (void)unlink(path);
    assert_int_equal(node_openings_prune(&n, path, even, &calls, &err), FM_E_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_attempt_starts_once),   cmocka_unit_test(a_box_is_kept_and_found),
        cmocka_unit_test(a_box_is_no_other),        cmocka_unit_test(a_changed_box_does_not_open),
        cmocka_unit_test(what_was_clear_is_sealed), cmocka_unit_test(files_are_the_owners),
        cmocka_unit_test(openings_are_pruned),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
