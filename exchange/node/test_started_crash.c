/* sessions.db on a disk that loses power at any moment (ledger/store/test_disk.h): what was started
 * stays started, what was kept stays kept. And on one that damages pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "exchange/node/started.h"
#include "ledger/store/test_disk.h"

enum { QUERIES = 40 };

static struct base_err err;
static char folder[64], path[96];

/* From which moment on the caller knows. */
static size_t started_at[QUERIES], kept_at[QUERIES];

static const uint8_t secret[32] = {4, 2};

static void must(fm_status st)
{
    if (st != FM_OK)
        fail_msg("%s", err.text);
}

static void name_query(char out[65], int i)
{
    (void)snprintf(out, 65, "%064d", i);
}

static void run_recorded(void)
{
    struct node_started *s;
    char query[65], text[512];

    test_disk_start(folder);
    must(node_started_open(&s, path, secret, base_random_system(), &err));
    for (int i = 0; i < QUERIES; i++) {
        name_query(query, i);
        (void)snprintf(text, sizeof text, "{\"requester\":\"%0400d\"}", i);
        must(node_sealed_put(s, "opening", query, text, strlen(text), NULL, 0, i, &err));
        kept_at[i] = test_disk_moment();
        must(node_started_mark(s, query, 1, i, &err));
        started_at[i] = test_disk_moment();
        if (i % 10 == 9) {
            node_started_close(s);
            must(node_started_open(&s, path, secret, base_random_system(), &err));
        }
    }
    node_started_close(s);
    test_disk_stop();
}

static void check(size_t moment)
{
    struct node_started *s;
    struct base_buf out = {0};
    char query[65];
    bool has;

    if (node_started_open(&s, path, secret, base_random_system(), &err) != FM_OK)
        fail_msg("moment %zu: %s", moment, err.text);
    for (int i = 0; i < QUERIES; i++) {
        fm_status again;

        name_query(query, i);
        must(node_started_has(&has, s, query, &err));
        if (moment >= started_at[i] && !has)
            fail_msg("moment %zu: query %d is forgotten", moment, i);
        base_buf_clear(&out);
        again = node_sealed_get(&out, s, "opening", query, &err);
        assert_true(again == FM_OK || (again == FM_E_NOT_FOUND && moment < kept_at[i]));
        again = node_started_mark(s, query, 1, 0, &err); /* it is forgotten or it is there */
        assert_int_equal(again, has ? FM_E_CONFLICT : FM_OK);
    }
    base_buf_release(&out);
    node_started_close(s);
}

static void nothing_is_forgotten(void **state)
{
    size_t moment, n;

    (void)state;
    run_recorded();
    n = test_disk_moment();
    for (moment = 0; moment <= n; moment += 3)
        for (uint64_t seed = 0; seed < 2; seed++) {
            test_disk_crash(moment, seed);
            check(moment);
        }
    print_message("%zu moments, each third twice\n", n);
}

static void a_damaged_page_is_an_error(void **state)
{
    struct node_started *s;
    char query[65];
    bool has;
    int at, found = 0;

    (void)state;
    test_disk_crash(test_disk_moment(), 0); /* all of it */
    for (at = 100; at < 4 * 4096; at += 512) {
        FILE *f = fopen(path, "r+b");
        fm_status st;
        int c;

        assert_non_null(f);
        assert_int_equal(fseek(f, at, SEEK_SET), 0);
        c = fgetc(f);
        assert_int_equal(fseek(f, at, SEEK_SET), 0);
        assert_int_equal(fputc(c ^ 4, f), c ^ 4);
        assert_int_equal(fclose(f), 0);
        st = node_started_open(&s, path, secret, base_random_system(), &err);
        for (int i = 0; st == FM_OK && i < QUERIES; i++) {
            struct base_buf out = {0};

            name_query(query, i);
            st = node_started_has(&has, s, query, &err);
            assert_true(has || st != FM_OK);
            if (st == FM_OK)
                st = node_sealed_get(&out, s, "opening", query, &err);
            base_buf_release(&out);
        }
        if (s != NULL)
            node_started_close(s);
        if (st != FM_OK) {
            assert_int_equal(st, FM_E_CORRUPT);
            assert_non_null(strstr(err.text, "damaged"));
            found++;
        }
        test_disk_crash(test_disk_moment(), 0);
    }
    assert_true(found > 20);
}

static int begin(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/firmiana-started-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    (void)snprintf(path, sizeof path, "%s/sessions.db", folder);
    return 0;
}

static int end(void **state)
{
    (void)state;
    test_disk_forget();
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_forgotten),
        cmocka_unit_test(a_damaged_page_is_an_error),
    };

    test_disk_install();
    return cmocka_run_group_tests(tests, begin, end);
}
