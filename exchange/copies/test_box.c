/* Boxes: what goes in comes out, and nothing altered, cut, swapped or mixed opens. Messages: they
 * come back as they were, and nothing else is one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/json.h"
#include "exchange/copies/box.h"
#include "exchange/copies/message.h"

static const uint8_t key[32] = {1, 2, 3}, other_key[32] = {1, 2, 4};

/* ---- boxes ---- */

static uint8_t content_at(size_t i)
{
    return (uint8_t)(i * 31 + i / 251);
}

static fm_status give(void *ctx, void *out, size_t len, struct base_err *err)
{
    size_t *at = ctx;

    (void)err;
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)out)[i] = content_at((*at)++);
    return FM_OK;
}

static fm_status take(void *ctx, const void *bytes, size_t len, struct base_err *err)
{
    base_buf_put(ctx, bytes, len);
    return base_buf_status(ctx, "test", err);
}

static FILE *make(int64_t content, const uint8_t key32[32])
{
    struct base_err err = {0};
    size_t at = 0;
    FILE *f = tmpfile();

    assert_non_null(f);
    if (box_seal(fileno(f), &(struct box_source){give, &at}, content, key32, &err) != FM_OK)
        fail_msg("%s", err.text);
    assert_int_equal(at, content);
    return f;
}

static fm_status open_it(struct base_buf *out, FILE *f, const uint8_t key32[32])
{
    struct base_err err = {0};

    base_buf_clear(out);
    return box_open(&(struct box_sink){take, out}, fileno(f), key32, &err);
}

static const int64_t sizes[] = {0, 1, BOX_CHUNK - 1, BOX_CHUNK, BOX_CHUNK + 1, 3 * BOX_CHUNK + 7};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

static void what_goes_in_comes_out(void **state)
{
    struct base_buf out = {0};
    struct base_err err = {0};

    (void)state;
    for (size_t i = 0; i < SIZES; i++) {
        FILE *f = make(sizes[i], key);
        uint8_t hash[32], want[32];
        int64_t size;
        struct base_buf all = {0};
        assert_int_equal(open_it(&out, f, key), FM_OK);
        assert_int_equal(out.len, sizes[i]);
        for (size_t k = 0; k < out.len; k++)
            assert_int_equal(out.p[k], content_at(k));
        assert_int_equal(open_it(&out, f, other_key), FM_E_AUTH);
        assert_int_equal(out.len, 0);
        assert_int_equal(box_address(hash, &size, fileno(f), NULL, &err), FM_OK);
        assert_int_equal(size, box_size(sizes[i]));
        assert_int_equal(
            box_read_at(fileno(f), base_buf_extend(&all, (size_t)size), (size_t)size, 0, &err),
            FM_OK);
        base_hash(want, all.p, all.len);
        assert_memory_equal(hash, want, 32);
        base_buf_release(&all);
        (void)fclose(f);
    }
    base_buf_release(&out);
}

/* Opens nothing false: it fails, and what was given before is a true beginning. */
static void must_not_open(struct base_buf *out, FILE *f)
{
    fm_status st = open_it(out, f, key);

    assert_true(st == FM_E_AUTH || st == FM_E_INPUT || st == FM_E_UNSUPPORTED);
    for (size_t k = 0; k < out->len; k++)
        assert_int_equal(out->p[k], content_at(k));
}

static void no_bit_may_change(void **state)
{
    struct base_buf out = {0};
    struct base_err err = {0};
    FILE *f = make(2 * BOX_CHUNK + 9, key);
    int64_t size = box_size(2 * BOX_CHUNK + 9);

    (void)state;
    for (int64_t at = 0; at < size; at += at < 2 * BOX_HEADER || at > size - 40 ? 1 : 4099) {
        uint8_t byte, changed;
        assert_int_equal(box_read_at(fileno(f), &byte, 1, at, &err), FM_OK);
        changed = byte ^ (uint8_t)(1u << (at % 8));
        assert_int_equal(box_write_at(fileno(f), &changed, 1, at, &err), FM_OK);
        must_not_open(&out, f);
        assert_int_equal(box_write_at(fileno(f), &byte, 1, at, &err), FM_OK);
    }
    assert_int_equal(open_it(&out, f, key), FM_OK);
    (void)fclose(f);
    base_buf_release(&out);
}

/* Bytes [from, from + len) of one box over those at `at` of another. */
static void graft(FILE *to, int64_t at, FILE *from, int64_t where, size_t len)
{
    struct base_err err = {0};
    uint8_t *block = malloc(len);

    assert_non_null(block);
    assert_int_equal(box_read_at(fileno(from), block, len, where, &err), FM_OK);
    assert_int_equal(box_write_at(fileno(to), block, len, at, &err), FM_OK);
    free(block);
}

static void chunks_stay_where_they_are(void **state)
{
    enum { SEALED = BOX_CHUNK + BASE_AEAD_TAG };
    struct base_buf out = {0};
    FILE *whole = make(3 * BOX_CHUNK, key), *f = make(3 * BOX_CHUNK, key),
         *shorter = make(2 * BOX_CHUNK, key);

    (void)state;
    graft(f, BOX_HEADER, whole, BOX_HEADER + SEALED, SEALED); /* the second as the first */
    must_not_open(&out, f);
    (void)fclose(f);
    f = make(2 * BOX_CHUNK, key); /* two of three, as if they were all */
    graft(f, BOX_HEADER, whole, BOX_HEADER, 2 * SEALED);
    must_not_open(&out, f);
    (void)fclose(f);
    f = make(3 * BOX_CHUNK, key); /* the last chunk of a shorter one */
    graft(f, BOX_HEADER + SEALED, shorter, BOX_HEADER + SEALED, SEALED);
    must_not_open(&out, f);
    for (int64_t len = box_size(3 * BOX_CHUNK) - 1; len > 0; len -= len > 100 ? SEALED / 2 : 1) {
        assert_int_equal(ftruncate(fileno(f), len), 0);
        must_not_open(&out, f);
    }
    (void)fclose(f);
    (void)fclose(whole);
    (void)fclose(shorter);
    base_buf_release(&out);
}

static void too_much_is_refused(void **state)
{
    struct base_err err = {0};
    size_t at = 0;
    FILE *f = tmpfile();

    (void)state;
    assert_true(box_size(box_content_max()) <= BOX_MAX);
    assert_true(box_size(box_content_max() + BASE_AEAD_TAG + 1) > BOX_MAX);
    assert_int_equal(
        box_seal(fileno(f), &(struct box_source){give, &at}, box_content_max() + 1, key, &err),
        FM_E_LIMIT);
    (void)fclose(f);
}

/* ---- messages ---- */

static const char address[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

static void example(struct copies_message *m, unsigned say, json_t *array, json_t *object)
{
    *m = (struct copies_message){.say = say, .at = 70, .size = 900, .until_ms = 1LL << 41};

    memcpy(m->address, address, sizeof m->address);
    memcpy(m->owner, "bank_a", 7);
    m->to = COPIES_GET;
    m->why = COPIES_NO_DAMAGED;
    m->what = say == COPIES_OFFER || say == COPIES_FETCHES ? array : object;
    if (say == COPIES_PART_OF || say == COPIES_DATA) {
        m->bytes = (const uint8_t *)"bytes";
        m->len = 5;
    }
}

static void messages_come_back(void **state)
{
    json_t *array = json_pack("[s]", "bank_b"), *object = json_pack("{s:s}", "a", "b");
    struct base_err err = {0};

    (void)state;
    for (unsigned say = 0; say < COPIES_SAYS; say++) {
        struct base_buf bytes = {0}, again = {0};
        struct copies_message m, back;
        example(&m, say, array, object);
        assert_int_equal(copies_message_put(&bytes, &m, &err), FM_OK);
        if (copies_message_parse(&back, bytes.p, bytes.len, &err) != FM_OK)
            fail_msg("%s: %s", copies_say_name(say), err.text);
        assert_int_equal(back.say, say);
        assert_string_equal(back.address, address);
        assert_int_equal(back.len, m.len);
        assert_int_equal(copies_message_put(&again, &back, &err), FM_OK);
        assert_int_equal(again.len, bytes.len);
        assert_memory_equal(again.p, bytes.p, bytes.len);
        copies_message_release(&back);
        /* Cut anywhere, or with a byte more where there are none, it is none. */
        for (size_t len = 0; len < bytes.len - m.len; len++)
            assert_int_equal(copies_message_parse(&back, bytes.p, len, &err), FM_E_INPUT);
        base_buf_put_u8(&bytes, 0);
        assert_int_equal(copies_message_parse(&back, bytes.p, bytes.len, &err),
                         m.len > 0 ? FM_OK : FM_E_INPUT);
        copies_message_release(&back);
        base_buf_release(&bytes);
        base_buf_release(&again);
    }
    json_decref(array);
    json_decref(object);
}

static void others_are_none(void **state)
{
    static const char *const headers[] = {
        "[]",
        "{}",
        "{\"address\":\"%s\",\"say\":\"shout\"}",
        "{\"address\":\"%.62s\",\"say\":\"drop\"}",
        "{\"address\":\"%s\",\"at\":0,\"say\":\"drop\"}",
        "{\"address\":\"%s\",\"say\":\"go\"}",
        "{\"address\":\"%s\",\"at\":-1,\"say\":\"go\"}",
        "{\"address\":\"%s\",\"at\":67108865,\"say\":\"go\"}",
        "{\"address\":\"%s\",\"at\":\"0\",\"say\":\"go\"}",
        "{\"say\":\"go\",\"address\":\"%s\",\"at\":0}",
        "{\"address\":\"%s\",\"readers\":[],\"say\":\"offer\",\"size\":0,\"until\":1}",
        "{\"address\":\"%s\",\"readers\":{},\"say\":\"offer\",\"size\":1,\"until\":1}",
        "{\"address\":\"%s\",\"receipt\":[],\"say\":\"kept\"}",
        "{\"address\":\"%s\",\"say\":\"no\",\"to\":\"get\",\"why\":\"because\"}",
        "{\"address\":\"%s\",\"say\":\"no\",\"to\":\"shout\",\"why\":\"size\"}",
        "{\"address\":\"%s\",\"at\":0,\"owner\":\"a23456789_123456789_123456789_1234\",\"say\":"
        "\"get\"}",
        "{\"address\":\"%s\",\"at\":0,\"say\":\"part\"}", /* without bytes */
    };
    struct base_err err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        struct base_buf header = {0}, bytes = {0};
        struct copies_message m;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        base_buf_putf(&header, headers[i], address);
#pragma GCC diagnostic pop
        base_buf_put_u32(&bytes, (uint32_t)header.len);
        base_buf_put(&bytes, header.p, header.len);
        if (copies_message_parse(&m, bytes.p, bytes.len, &err) != FM_E_INPUT)
            fail_msg("taken: %s", base_buf_cstr(&header));
        base_buf_release(&header);
        base_buf_release(&bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_in_comes_out),     cmocka_unit_test(no_bit_may_change),
        cmocka_unit_test(chunks_stay_where_they_are), cmocka_unit_test(too_much_is_refused),
        cmocka_unit_test(messages_come_back),         cmocka_unit_test(others_are_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
