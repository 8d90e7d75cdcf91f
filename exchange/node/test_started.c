/* sessions.db: never twice, never lost, nobody else's to read. */
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

#include "exchange/node/started.h"

static char folder[] = "/tmp/firmiana-started.XXXXXX";
static char path[64];

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
    if (node_started_open(&s, path, &err) != FM_OK)
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

static void an_opening_is_kept(void **state)
{
    static const char text[] = "{\"requester\":\"ann\",\"salt\":\"00\",\"ticket\":\"T-1\"}";
    struct node_started *s = reopen(NULL);
    struct base_err err = {0};
    struct base_buf out = {0};

    (void)state;
    assert_int_equal(node_started_opening(&out, s, "bb", &err), FM_E_NOT_FOUND);
    assert_int_equal(node_started_keep_opening(s, "bb", text, 5, &err), FM_OK);
    s = reopen(s);
    assert_int_equal(node_started_opening(&out, s, "bb", &err), FM_OK);
    assert_string_equal(base_buf_cstr(&out), text);
    assert_int_not_equal(node_started_keep_opening(s, "bb", "{}", 6, &err), FM_OK);
    base_buf_release_secret(&out);
    node_started_close(s);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_attempt_starts_once),
        cmocka_unit_test(an_opening_is_kept),
        cmocka_unit_test(files_are_the_owners),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
