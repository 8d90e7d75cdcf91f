/* Bundles as files: every changed byte, line or cut is found; garbage of any kind ends in an
 * answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/json.h"
#include "ledger/verify/test_story.h"

/* ---- changes of the file ---- */

/* That one key is absent may also be true, and proved, of another: such a change is no lie. */
static bool in_absent_key(size_t at)
{
    static const char line[] = "\"state\":\"member/nobody\"";
    const char *begin = strstr(base_buf_cstr(&w->bundle), line);
    const char *byte = (const char *)w->bundle.p + at;

    assert_non_null(begin);
    return byte >= begin + strlen("\"state\":\"") && byte < begin + strlen(line) - 1;
}

/* Every byte (its lowest bit, and a random other value), found and named. */
static void every_changed_byte_is_found(void **state)
{
    size_t changes = 0;
    unsigned stride = getenv("FIRMIANA_ALL_BYTES") != NULL ? 1 : 24;
    struct timespec now;
    uint64_t seed;

    (void)state;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    seed = (uint64_t)now.tv_nsec;
    print_message("seed %llu\n", (unsigned long long)seed);
    story_tell_all();
    story_expect_valid();
    for (size_t i = seed % stride; i < w->bundle.len; i += stride) {
        struct ledger_verified *r;
        uint8_t kept = w->bundle.p[i];
        if (in_absent_key(i))
            continue;
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        w->bundle.p[i] ^= (uint8_t)(1 + (seed >> 33) % 255);
        if (story_verify(&r, w->bundle.p, w->bundle.len, 65536) != FM_E_INVALID)
            fail_msg("byte %zu: %s", i, err.text);
        assert_true(r->check[0] != '\0' && r->line > 0);
        ledger_verified_free(r);
        w->bundle.p[i] = kept;
        changes++;
    }
    print_message("%zu of %zu bytes changed, each found\n", changes, w->bundle.len);
    story_expect_valid();
}

/* Where each line begins; the last entry is the end. */
static size_t lines_of(size_t *at, size_t room)
{
    size_t n = 0;

    at[n++] = 0;
    for (size_t i = 0; i < w->bundle.len; i++) {
        if (w->bundle.p[i] == '\n') {
            assert_true(n < room);
            at[n++] = i + 1;
        }
    }
    return n - 1;
}

static void expect_found(const struct base_buf *bytes, const char *what, size_t line)
{
    struct ledger_verified *r;

    if (story_verify(&r, bytes->p, bytes->len, 4096) != FM_E_INVALID)
        fail_msg("%s of line %zu was not found", what, line);
    ledger_verified_free(r);
}

static void lost_doubled_and_swapped_lines_are_found(void **state)
{
    size_t at[100], n;

    (void)state;
    story_tell_all();
    n = lines_of(at, 100);
    for (size_t i = 0; i < n; i++) {
        struct base_buf lost = {0}, doubled = {0}, swapped = {0};
        const uint8_t *p = w->bundle.p;
        bool is_state = memcmp(p + at[i], "{\"proof\":{", 10) == 0;
        base_buf_put(&lost, p, at[i]);
        base_buf_put(&lost, p + at[i + 1], at[n] - at[i + 1]);
        if (!is_state) /* state lines are of any number */
            expect_found(&lost, "loss", i + 1);
        base_buf_put(&doubled, p, at[i + 1]);
        base_buf_put(&doubled, p + at[i], at[n] - at[i]);
        expect_found(&doubled, "doubling", i + 1);
        if (i + 1 < n) {
            base_buf_put(&swapped, p, at[i]);
            base_buf_put(&swapped, p + at[i + 1], at[i + 2] - at[i + 1]);
            base_buf_put(&swapped, p + at[i], at[i + 1] - at[i]);
            base_buf_put(&swapped, p + at[i + 2], at[n] - at[i + 2]);
            expect_found(&swapped, "swap", i + 1);
        }
        base_buf_release(&lost);
        base_buf_release(&doubled);
        base_buf_release(&swapped);
    }
    for (size_t cut = 0; cut < w->bundle.len; cut += 997) {
        struct base_buf head = {0};
        base_buf_put(&head, w->bundle.p, cut);
        expect_found(&head, "cut", cut);
        base_buf_release(&head);
    }
}

static void huge_and_deep_lines_end_early(void **state)
{
    struct base_buf bytes = {0};

    (void)state;
    for (int i = 0; i < 100000; i++)
        base_buf_put_str(&bytes, "[");
    base_buf_put_str(&bytes, "\n");
    expect_found(&bytes, "depth", 1);
    base_buf_clear(&bytes);
    assert_non_null(base_buf_extend(&bytes, LEDGER_BUNDLE_LINE_MAX + 100000));
    memset(bytes.p, ' ', bytes.len);
    expect_found(&bytes, "length", 1);
    assert_non_null(strstr(err.text, "longer than"));
    base_buf_release(&bytes);
}

/* Random cuts, copies and changes: whatever comes out, the verifier answers. */
static void mutations_never_pass(void **state)
{
    struct timespec now;
    uint64_t seed;
    int rounds = 400;

    (void)state;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    seed = (uint64_t)now.tv_nsec;
    print_message("seed %llu\n", (unsigned long long)seed);
    story_tell_queries();
    world_checkpoint(w, ALL);
    story_expect_valid();
    for (int round = 0; round < rounds; round++) {
        struct base_buf bytes = {0};
        struct ledger_verified *r;
        fm_status st;
        base_buf_put(&bytes, w->bundle.p, w->bundle.len);
        for (int k = 0; k < 1 + round % 4; k++) {
            size_t from, to, len;
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            from = (size_t)(seed >> 20) % bytes.len;
            to = (size_t)(seed >> 35) % bytes.len;
            len = (size_t)(seed >> 10) % 40;
            len = len < bytes.len - from ? len : bytes.len - from;
            len = len < bytes.len - to ? len : bytes.len - to;
            if (seed >> 62 == 0)
                bytes.p[from] = (uint8_t)(seed >> 50);
            else if (seed >> 62 == 1)
                memmove(bytes.p + to, bytes.p + from, len);
            else if (seed >> 62 == 2)
                bytes.p[from] = (uint8_t) "{}[]\",:\n0\\"[(seed >> 50) % 10];
            else
                memset(bytes.p + to, '0', len);
        }
        st = story_verify(&r, bytes.p, bytes.len, 65536);
        if (st != FM_E_INVALID && memcmp(bytes.p, w->bundle.p, bytes.len) != 0)
            fail_msg("round %d: %s", round, st == FM_OK ? "accepted" : err.text);
        ledger_verified_free(r);
        base_buf_release(&bytes);
    }
}

/* Entries a second, as a note: it is what an auditor waits for. */
static void speed(void **state)
{
    struct timespec a, b;
    struct ledger_verified *r;
    double s;

    (void)state;
    for (int block = 0; block < 20; block++) {
        for (int i = 0; i < 50; i++) {
            w->time_ms++;
            (void)world_put(w, story_dataset(1), LEDGER_RULE_OK);
        }
        (void)world_block(w);
    }
    world_checkpoint(w, ALL);
    (void)clock_gettime(CLOCK_MONOTONIC, &a);
    assert_int_equal(story_verify(&r, w->bundle.p, w->bundle.len, 65536), FM_OK);
    (void)clock_gettime(CLOCK_MONOTONIC, &b);
    s = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
    print_message("%.0f entries/s, %zu bytes an entry\n", (double)r->size / s,
                  w->bundle.len / (size_t)r->size);
    ledger_verified_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(every_changed_byte_is_found),
        T(lost_doubled_and_swapped_lines_are_found),
        T(huge_and_deep_lines_end_early),
        T(mutations_never_pass),
        T(speed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
