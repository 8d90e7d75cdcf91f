/* A hidden parameter that went through JSON is nowhere in the memory that was let go: each block is
 * looked into as it is freed. Without base_json_harden() the same looks find it, so they can see.
 */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"

#define HIDDEN "46948328-this-is-nobody's-business"

static unsigned freed, found;

void __real_free(void *p);
void __wrap_free(void *p);
void __wrap_free(void *p)
{
    size_t n = p != NULL ? malloc_usable_size(p) : 0;

    freed += p != NULL;
    for (size_t i = 0; i + 16 <= n; i++)
        if (memcmp((const char *)p + i, HIDDEN, 16) == 0)
            found++;
    __real_free(p);
}

/* All that a node does with a query's openings: read, looked at, hashed, changed, copied, let go.
 */
static void handle(const char *text)
{
    struct base_err err = {0};
    struct base_buf bytes = {0};
    json_t *v, *copy, *loose;
    uint8_t hash[32];

    assert_int_equal(base_json_parse_canonical(&v, text, strlen(text), &err), FM_OK);
    assert_int_equal(base_json_parse(&loose, text, strlen(text), &err), FM_OK);
    assert_int_equal(base_json_hash(hash, v, &err), FM_OK);
    copy = json_deep_copy(v);
    assert_int_equal(json_object_set_new(copy, HIDDEN, json_string(HIDDEN)), 0);
    for (int i = 0; i < 100; i++) /* the table of members grows */
        assert_int_equal(
            json_object_set_new(copy, (char[]){(char)('A' + i % 26), (char)('0' + i % 10), 0},
                                json_pack("{s:s}", "salt", HIDDEN)),
            0);
    assert_int_equal(base_json_canonical(&bytes, copy, &err), FM_OK);
    base_buf_release_secret(&bytes);
    assert_int_equal(json_object_del(copy, HIDDEN), 0);
    json_decref(copy);
    json_decref(loose);
    json_decref(v);
    assert_int_equal(base_json_parse(&v, text, strlen(text) - 2, &err), FM_E_INPUT); /* cut off */
    assert_int_equal(base_json_parse_canonical(&v, text, strlen(text) - 1, &err), FM_E_INPUT);
}

static void what_is_freed_was_wiped(void **state)
{
    static const char plain[] = "{\"openings\":{\"$1\":\"" HIDDEN "\"},\"rows\":[\"" HIDDEN "\"]}";
    static const char escaped[] = "{\"openings\":{\"$1\":\"" HIDDEN "\\n\",\"$2\":\"x\\\"y\"}}";
    static const char coded[] = "{\"openings\":{\"$1\":\"" HIDDEN "\\u0001\"}}";

    (void)state;
    json_set_alloc_funcs(malloc, free);
    handle(plain);
    assert_true(found > 0);
    base_json_harden();
    found = freed = 0;
    handle(plain);
    handle(escaped);
    handle(coded);
    assert_true(freed > 100);
    assert_int_equal(found, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_freed_was_wiped)};

    return cmocka_run_group_tests_name("JSON leaves nothing behind", tests, NULL, NULL);
}
