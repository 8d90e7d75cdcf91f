/* The fast reader of canonical JSON beside the general path (parse, write again, compare), over
 * trees at random and over their bytes with something broken in them: it takes nothing that the
 * general path would refuse, makes the same tree, and declines nothing but odd
 * names and control characters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_read.h"

static uint64_t seed = 0x9e3779b97f4a7c15;

static unsigned below(unsigned bound)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)((seed >> 11) % bound);
}

/* ---- trees ---- */

static void random_text(char out[32])
{
    static const char *const pieces[] = {"a",
                                         "b",
                                         "proof",
                                         "z9",
                                         "\"",
                                         "\\",
                                         "\n",
                                         "\t",
                                         "\x01",
                                         "\x7f",
                                         "/",
                                         "\xc3\xa9",
                                         "{",
                                         "}",
                                         ",",
                                         "\xf0\x9f\x98\x80",
                                         "\xef\xac\xb3",
                                         ":",
                                         " ",
                                         "\r"};
    unsigned n = below(5);

    out[0] = '\0';
    while (n-- > 0) /* mostly plain, so that the fast reader takes most */
        strcat(out, pieces[below(12) > 0 ? below(4) : below(20)]);
}

static json_t *random_value(unsigned depth)
{
    static const json_int_t edges[] = {
        0, -1, 1, 9, 10, BASE_JSON_MAX_INT, -BASE_JSON_MAX_INT, 1000000000000000};
    unsigned kind = depth == 0 ? below(2) : depth < 5 ? below(7) : 2 + below(5), n = below(6);
    json_t *v = kind == 0 ? json_object() : json_array();
    char text[32];

    if (kind >= 2 && kind < 7) {
        json_decref(v);
        random_text(text);
        return kind == 2   ? json_boolean(below(2))
               : kind == 3 ? json_integer(edges[below(8)])
               : kind == 4 ? json_integer((json_int_t)below(100000))
                           : json_string(text);
    }
    while (n-- > 0) {
        random_text(text);
        if (kind == 0)
            assert_int_equal(json_object_set_new(v, text, random_value(depth + 1)), 0);
        else
            assert_int_equal(json_array_append_new(v, random_value(depth + 1)), 0);
    }
    return v;
}

/* ---- beside each other ---- */

/* The general path, said in three steps. */
static json_t *general(const void *bytes, size_t len)
{
    struct base_buf again = {0};
    struct base_err err;
    json_t *v;

    if (base_json_parse(&v, bytes, len, &err) != FM_OK)
        return NULL;
    assert_int_equal(base_json_canonical(&again, v, &err), FM_OK);
    if (again.len != len || memcmp(again.p, bytes, len) != 0) {
        json_decref(v);
        v = NULL;
    }
    base_buf_release(&again);
    return v;
}

/* No name has an escape or is beyond ASCII, and no text has a \u. */
static bool is_plain(const json_t *v)
{
    const char *key;
    json_t *item;
    size_t i;

    for (const char *s = json_string_value(v); s != NULL && *s != '\0'; s++)
        if ((unsigned char)*s < 0x20 && strchr("\b\f\n\r\t", *s) == NULL)
            return false;
    json_array_foreach(v, i, item) if (!is_plain(item)) return false;
    json_object_foreach((json_t *)(uintptr_t)v, key, item)
    {
        for (const char *s = key; *s != '\0'; s++)
            if ((unsigned char)*s < 0x20 || (unsigned char)*s >= 0x80 || *s == '"' || *s == '\\')
                return false;
        if (!is_plain(item))
            return false;
    }
    return true;
}

/* Without the span the bytes are the tree without the member. */
static void check_span(const json_t *tree, const char *member, const struct base_json_span *span,
                       const uint8_t *bytes, size_t len)
{
    json_t *bare = json_copy((json_t *)(uintptr_t)tree);
    struct base_buf expected = {0}, got = {0};
    struct base_err err;

    assert_int_equal(span->to > 0, json_is_object(tree) && json_object_get(tree, member) != NULL);
    if (json_is_object(tree))
        (void)json_object_del(bare, member);
    assert_int_equal(base_json_canonical(&expected, bare, &err), FM_OK);
    base_buf_put(&got, bytes, span->from);
    base_buf_put(&got, bytes + span->to, len - span->to);
    assert_int_equal(got.len, expected.len);
    assert_memory_equal(got.p, expected.p, got.len);
    base_buf_release(&expected);
    base_buf_release(&got);
    json_decref(bare);
}

/* True if the fast reader took it. */
static bool compare(const uint8_t *bytes, size_t len)
{
    struct base_json_span span;
    json_t *right = general(bytes, len), *fast = base_json_read(bytes, len, "proof", &span);
    bool taken = fast != NULL;

    if ((taken && right == NULL) || (taken && !json_equal(fast, right)) ||
        (!taken && right != NULL && is_plain(right)))
        fail_msg("%s: %.*s", taken ? "taken" : "declined", (int)len, (const char *)bytes);
    if (taken)
        check_span(fast, "proof", &span, bytes, len);
    json_decref(right);
    json_decref(fast);
    return taken;
}

/* One thing wrong: a byte changed, gone, doubled, or a canonical token swapped for its like. */
static void break_one(struct base_buf *b)
{
    static const char likely[] = "{}[],:\"\\0123456789-+.eEtfnu \n/";
    size_t at = below((unsigned)b->len);

    switch (below(4)) {
    case 0:
        b->p[at] = (uint8_t)below(256);
        break;
    case 1:
        memmove(b->p + at, b->p + at + 1, b->len - at - 1);
        b->len--;
        break;
    case 2:
        base_buf_put_u8(b, 0);
        memmove(b->p + at + 1, b->p + at, b->len - at - 1);
        break;
    default:
        b->p[at] = (uint8_t)likely[below(sizeof likely - 1)];
    }
}

static void as_the_general_path(void **state)
{
    unsigned taken = 0, broken_taken = 0, rounds = 20000;

    (void)state;
    for (unsigned i = 0; i < rounds; i++) {
        json_t *v = random_value(0);
        struct base_buf bytes = {0};
        struct base_err err;
        unsigned breaks = 1 + below(3);

        assert_int_equal(base_json_canonical(&bytes, v, &err), FM_OK);
        taken += compare(bytes.p, bytes.len);
        while (breaks-- > 0 && bytes.len > 0)
            break_one(&bytes);
        broken_taken += compare(bytes.p, bytes.len);
        base_buf_release(&bytes);
        json_decref(v);
    }
    assert_true(taken > rounds / 3 && broken_taken > rounds / 100 && broken_taken < taken);
}

/* What plain documents are made of is taken; each of these near misses is not. */
static void what_it_takes(void **state)
{
    static const char *const taken[] = {"{}",
                                        "[]",
                                        "[[],{}]",
                                        "{\"\":0}",
                                        "[\"\\n\\\"\\\\\"]",
                                        "[\"\xe2\x80\x94 \xf0\x9f\x98\x80\xed\x9f\xbf\"]",
                                        "{\"a\":-1,\"aa\":[true,false],\"b\":\"\"}",
                                        "[9007199254740991,-9007199254740991,0]"};
    static const char *const declined[] = {"",
                                           "1",
                                           "\"a\"",
                                           "{",
                                           "[1",
                                           "[1,]",
                                           "[,1]",
                                           "{\"a\":1,}",
                                           "{\"a\"}",
                                           "{,}",
                                           "[01]",
                                           "[-0]",
                                           "[1.0]",
                                           "[1e3]",
                                           "[+1]",
                                           "[null]",
                                           "[tru]",
                                           "[ 1]",
                                           "[1] ",
                                           "[1]]",
                                           "[\"\\/\"]",
                                           "[\"\\u000a\"]",
                                           "[\"\t\"]",
                                           "[9007199254740992]",
                                           "[12345678901234567]",
                                           "{\"b\":1,\"a\":1}",
                                           "{\"a\":1,\"a\":1}",
                                           "[\"a]",
                                           "[\"a\\\"]",
                                           "[\"\xc0\x80\"]",
                                           "[\"\xed\xa0\x80\"]",
                                           "[\"\xf4\x90\x80\x80\"]",
                                           "[\"\xe0\x80\x80\"]",
                                           "[\"\xc3\"]",
                                           "[\"\x80\"]",
                                           "{\"\xc3\xa9\":1}",
                                           "{\"a\":}",
                                           "{a:1}"};
    char deep[2 * (BASE_JSON_MAX_DEPTH + 3)];

    (void)state;
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
        assert_true(compare((const uint8_t *)taken[i], strlen(taken[i])));
    for (size_t i = 0; i < sizeof declined / sizeof declined[0]; i++)
        assert_false(compare((const uint8_t *)declined[i], strlen(declined[i])));
    for (size_t n = BASE_JSON_MAX_DEPTH; n < BASE_JSON_MAX_DEPTH + 3; n++) {
        memset(deep, '[', n);
        memset(deep + n, ']', n);
        assert_int_equal(compare((const uint8_t *)deep, 2 * n), n <= BASE_JSON_MAX_DEPTH + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_the_general_path),
        cmocka_unit_test(what_it_takes),
    };
    return cmocka_run_group_tests_name("canonical JSON, read fast", tests, NULL, NULL);
}
