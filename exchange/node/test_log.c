/* The log's lines: what is in them, what is left out, and which file they go to. In virtual time.
 */
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

#include "base/file.h"
#include "base/json.h"
#include "exchange/node/log.h"

static int64_t now_ms;

static int64_t read_unix(void *ctx)
{
    (void)ctx;
    return 1795168800123 + now_ms; /* 2026-11-20T10:00:00.123Z */
}

static int64_t read_mono(void *ctx)
{
    (void)ctx;
    return 5000 + now_ms;
}

static const struct base_clock test_clock = {read_unix, read_mono, NULL};
static char folder[] = "/tmp/firmiana-log.XXXXXX", path[64], moved[64];
static struct node_log *node_log;

static int setup(void **state)
{
    struct base_err err = {0};

    (void)state;
    if (path[0] == '\0' && mkdtemp(folder) == NULL) /* once */
        return -1;
    (void)snprintf(path, sizeof path, "%s/node.log", folder);
    (void)snprintf(moved, sizeof moved, "%s/node.log.1", folder);
    now_ms = 0;
    return node_log_open(&node_log, path, &test_clock, &err) == FM_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    node_log_close(node_log);
    (void)unlink(path);
    (void)unlink(moved);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

/* What the file holds; the caller releases it. */
static struct base_buf content(const char *file)
{
    struct base_buf text = {0};
    struct base_err err = {0};

    assert_int_equal(base_file_read(&text, file, 1 << 20, &err), FM_OK);
    return text;
}

static size_t lines_of(const char *file)
{
    struct base_buf text = content(file);
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++)
        n += text.p[i] == '\n';
    base_buf_release(&text);
    return n;
}

static void holds(const char *file, const char *want)
{
    struct base_buf text = content(file);

    assert_string_equal(base_buf_cstr(&text), want);
    base_buf_release(&text);
}

static void test_lines(void **state)
{
    static const char query[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    (void)state;
    node_log_put(node_log, "info", "node.start", NULL, "%s \"quoted\"\n", "x");
    now_ms = 877;
    node_log_peer(node_log, "warn", "query.send", "bank_b", query, "gone");
    node_log_put(node_log, "error", "odd", NULL, "\xff");
    holds(path,
          "{\"event\":\"node.start\",\"level\":\"info\",\"text\":\"x \\\"quoted\\\"\\n\",\"time\":"
          "\"2026-11-20T10:00:00.123Z\"}\n"
          "{\"event\":\"query.send\",\"level\":\"warn\",\"peer\":\"bank_b\",\"query\":"
          "\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\",\"text\":"
          "\"gone\",\"time\":\"2026-11-20T10:00:01.000Z\"}\n"
          "{\"event\":\"odd\",\"level\":\"error\",\"text\":\"(text is not valid "
          "UTF-8)\",\"time\":\"2026-11-20T10:00:01.000Z\"}\n");
}

static void test_levels(void **state)
{
    (void)state;
    node_log_set_level(node_log, "warn");
    node_log_put(node_log, "info", "a", NULL, "a");
    node_log_put(node_log, "warn", "b", NULL, "b");
    assert_int_equal(lines_of(path), 1);
    node_log_set_level(node_log, "error");
    node_log_peer(node_log, "warn", "c", "bank_b", NULL, "c");
    node_log_put(node_log, "error", "d", NULL, "d");
    assert_int_equal(lines_of(path), 2);
    node_log_set_level(node_log, "info");
    node_log_put(node_log, "info", "e", NULL, "e");
    assert_int_equal(lines_of(path), 3);
}

static void test_reopen(void **state)
{
    struct base_err err = {0};

    (void)state;
    node_log_put(node_log, "info", "a", NULL, "a");
    assert_int_equal(rename(path, moved), 0);
    node_log_put(node_log, "info", "b", NULL, "b");
    assert_int_equal(node_log_reopen(node_log, &err), FM_OK);
    node_log_put(node_log, "info", "c", NULL, "c");
    assert_int_equal(lines_of(moved), 2);
    assert_int_equal(lines_of(path), 1);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0); /* it cannot be opened: the old file goes on */
    assert_int_equal(node_log_reopen(node_log, &err), FM_E_IO);
    node_log_put(node_log, "info", "d", NULL, "d");
    assert_int_equal(rmdir(path), 0);
}

/* A peer that stays away for a day, dialled every 5 s, while another one's trouble comes between.
 */
static void test_repeats(void **state)
{
    static const char query[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    struct base_buf text;
    size_t before;

    (void)state;
    for (int i = 0; i < 17280; i++, now_ms += 5000)
        node_log_peer(node_log, "warn", "peer.refused", "bank_b", NULL, "silent for %d s", 5 * i);
    before = lines_of(path);
    assert_in_range(before, 24, 40);
    text = content(path);
    assert_non_null(strstr(base_buf_cstr(&text), "\"repeated\":719,\"text\":\"silent for "));
    base_buf_release(&text);
    node_log_peer(node_log, "warn", "peer.refused", "bank_c", NULL, "silent for 5 s"); /* another */
    node_log_peer(node_log, "warn", "peer.down", "bank_b", NULL, "silent for 5 s");
    node_log_peer(node_log, "warn", "peer.refused", "bank_b", NULL, "quiet for 5 s");
    assert_int_equal(lines_of(path), before + 3);
    for (int i = 0; i < 10; i++) { /* queries and errors are never held back */
        node_log_peer(node_log, "warn", "query.end", "bank_b", query, "aborted");
        node_log_put(node_log, "error", "node", NULL, "disk");
        node_log_put(node_log, "info", "peer.up", NULL, "up");
    }
    assert_int_equal(lines_of(path), before + 33);
    now_ms += 3600001; /* after a long time it begins again */
    for (int i = 0; i < 3; i++, now_ms += 5000)
        node_log_peer(node_log, "warn", "peer.refused", "bank_b", NULL, "silent for %d s", i);
    assert_int_equal(lines_of(path), before + 35);
    for (int i = 0; i < 1000; i++) { /* more kinds than are remembered */
        char event[3] = {(char)('a' + i % 26), (char)('a' + i / 26 % 26), '\0'};
        node_log_put(node_log, "warn", event, NULL, "x");
    }
    assert_true(lines_of(path) > before + 35 + 600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lines, setup, teardown),
        cmocka_unit_test_setup_teardown(test_levels, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reopen, setup, teardown),
        cmocka_unit_test_setup_teardown(test_repeats, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, remove_folder);
}
