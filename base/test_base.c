#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/profile.h"
#include "base/random.h"
#include "base/secret.h"
#include "base/status.h"
#include "base/text.h"

static void err_prefixes(void **state)
{
    struct base_err err = {0};

    (void)state;
    assert_int_equal(base_err_set(&err, FM_E_PEER, "%s closed\nthe connection", "bank_b"),
                     FM_E_PEER);
    assert_int_equal(base_err_prefix(&err, "rep3 open"), FM_E_PEER);
    assert_int_equal(base_err_prefix(&err, "query %s", "3f9a"), FM_E_PEER);
    assert_string_equal(err.text, "query 3f9a: rep3 open: bank_b closed?the connection");
    /* A place is named once to a person, and as often as layers said it to the ledger. */
    assert_int_equal(base_err_prefix(&err, "query %s", "3f9a"), FM_E_PEER);
    assert_string_equal(err.text,
                        "query 3f9a: query 3f9a: rep3 open: bank_b closed?the connection");
    assert_string_equal(base_err_shown(&err),
                        "query 3f9a: rep3 open: bank_b closed?the connection");
    (void)base_err_set(&err, FM_E_INPUT, "x: a.csv: a.csv: a.csv: line 2: no");
    assert_string_equal(base_err_shown(&err), "x: a.csv: line 2: no");
    for (int i = 0; i < 100; i++)
        (void)base_err_prefix(&err, "a rather long prefix, many times: %d", i);
    assert_int_equal(strlen(err.text), BASE_ERR_TEXT - 1);
}

/* Whatever it is given, one line comes out that turns nothing; what it may show it shows. */
static void text_of_others_is_one_line(void **state)
{
    static const char *const controls[] = {
        "\x01",         "\n",           "\x1b",         "\x7f",         "\xc2\x85",
        "\xe2\x80\x8e", "\xe2\x80\xa8", "\xe2\x80\xae", "\xe2\x81\xa9", "\xd8\x9c"};
    static const char fine[] = "\xe5\x85\xac\xc2\xa0\xe2\x80\xa7 A~";
    char out[BASE_TEXT_LINE], text[600];
    struct base_err err = {0};

    (void)state;
    assert_string_equal(base_text_line(out, fine), fine);
    for (size_t i = 0; i < sizeof controls / sizeof controls[0]; i++) {
        (void)snprintf(text, sizeof text, "a%sb", controls[i]);
        assert_string_equal(BASE_LINE(text), "a?b");
        base_text_tame(text, "");
        assert_string_equal(text, "a?b");
        (void)snprintf(text, sizeof text, "%s\n%s", controls[i], fine);
        base_text_tame(text, "\n");
        assert_memory_equal(text, controls[i][0] == '\n' ? "\n\n" : "?\n", 2);
        assert_string_equal(text + 2, fine);
        assert_int_equal(base_err_set(&err, FM_E_INPUT, "a%sb", controls[i]), FM_E_INPUT);
        (void)snprintf(text, sizeof text, "a%.*sb", (int)strlen(controls[i]),
                       "?"
                       "?"
                       "?");
        assert_string_equal(err.text, text); /* as long as before: the ledger hashes it */
    }
    for (size_t first = 0; first < 3;
         first++) { /* it is cut between characters, wherever that is */
        memset(text, 'a', first);
        for (size_t i = 0; i < 150; i++)
            memcpy(text + first + 3 * i, fine, 3);
        text[first + 450] = '\0';
        (void)base_text_line(out, text);
        assert_in_range(strlen(out), BASE_TEXT_LINE - 6, BASE_TEXT_LINE - 1);
        assert_string_equal(out + strlen(out) - 3, "...");
        assert_int_equal((strlen(out) - 3 - first) % 3, 0);
        assert_memory_equal(out, text, strlen(out) - 3);
    }
}

static void every_status_has_a_name(void **state)
{
    (void)state;
    for (int i = 0; i < FM_STATUS_COUNT; i++) {
        assert_non_null(fm_status_name((fm_status)i));
        for (int j = 0; j < i; j++)
            assert_int_not_equal(fm_status_exit((fm_status)i), fm_status_exit((fm_status)j));
    }
}

static void buffer_and_cursor_agree(void **state)
{
    struct base_buf buf = {0};
    struct base_err err = {0};
    struct base_cur cur;
    uint8_t copy[3];

    (void)state;
    base_buf_put_u8(&buf, 7);
    base_buf_put_u16(&buf, 0x1234);
    base_buf_put_u32(&buf, 0xdeadbeef);
    base_buf_put_u64(&buf, 0x0102030405060708);
    base_buf_put(&buf, "abc", 3);
    cur = base_cur_make(buf.p, buf.len);
    assert_int_equal(base_cur_u8(&cur), 7);
    assert_int_equal(base_cur_u16(&cur), 0x1234);
    assert_int_equal(base_cur_u32(&cur), 0xdeadbeef);
    assert_int_equal(base_cur_u64(&cur), 0x0102030405060708);
    base_cur_copy(&cur, copy, 3);
    assert_memory_equal(copy, "abc", 3);
    assert_int_equal(base_cur_end(&cur, "frame", &err), FM_OK);
    assert_int_equal(base_cur_u8(&cur), 0);
    assert_int_equal(base_cur_end(&cur, "frame", &err), FM_E_INPUT);
    assert_string_equal(err.text, "frame: truncated");
    cur = base_cur_make(buf.p, buf.len);
    assert_int_equal(base_cur_end(&cur, "frame", &err), FM_E_INPUT);
    assert_string_equal(err.text, "frame: 18 bytes left over");
    base_buf_release(&buf);
}

static void text_forms(void **state)
{
    /* RFC 4648 section 10, without padding. */
    static const char *const rfc4648[][2] = {
        {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},         {"foo", "Zm9v"},
        {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}};
    uint8_t bytes[4];
    char hex[9];

    (void)state;
    for (size_t i = 0; i < sizeof rfc4648 / sizeof rfc4648[0]; i++) {
        struct base_buf out = {0}, back = {0};
        base_base64url(&out, (const uint8_t *)rfc4648[i][0], strlen(rfc4648[i][0]));
        assert_string_equal(base_buf_cstr(&out), rfc4648[i][1]);
        assert_true(base_unbase64url(&back, rfc4648[i][1], strlen(rfc4648[i][1])));
        assert_string_equal(base_buf_cstr(&back), rfc4648[i][0]);
        base_buf_release(&out);
        base_buf_release(&back);
    }
    {
        static const char *const bad[] = {"Zh", "Z", "Zg=", "Zg==", "Z+9v", "Zm8\n", "Zm 8"};
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
            struct base_buf back = {0};
            assert_false(base_unbase64url(&back, bad[i], strlen(bad[i])));
            base_buf_release(&back);
        }
    }
    base_hex(hex, (const uint8_t *)"\x00\xff\x1a\x2b", 4);
    assert_string_equal(hex, "00ff1a2b");
    assert_true(base_unhex(bytes, 4, hex, 8));
    assert_memory_equal(bytes, "\x00\xff\x1a\x2b", 4);
    assert_false(base_unhex(bytes, 4, "00FF1A2B", 8));
    assert_false(base_unhex(bytes, 4, "00ff1a2", 7));
    assert_false(base_unhex(bytes, 4, "00ff1a2g", 8));
}

/* Every byte there is, alone among digits: 64 of them are digits, and come back as they were. */
static void every_byte_is_a_digit_or_none(void **state)
{
    unsigned digits = 0;

    (void)state;
    for (int c = 0; c < 256; c++) {
        struct base_buf bytes = {0}, back = {0};
        const char text[4] = {'A', (char)c, 'z', '_'};
        if (base_unbase64url(&bytes, text, 4)) {
            digits++;
            base_base64url(&back, bytes.p, bytes.len);
            assert_int_equal(back.len, 4);
            assert_memory_equal(back.p, text, 4);
        }
        base_buf_release(&bytes);
        base_buf_release(&back);
    }
    assert_int_equal(digits, 64);
}

static void json_canonical(const char *in, const char *want)
{
    struct base_err err = {0};
    struct base_buf out = {0};
    json_t *v;

    assert_int_equal(base_json_parse(&v, in, strlen(in), &err), FM_OK);
    assert_int_equal(base_json_canonical(&out, v, &err), FM_OK);
    assert_string_equal(base_buf_cstr(&out), want);
    json_decref(v);
    assert_int_equal(base_json_parse_canonical(&v, out.p, out.len, &err), FM_OK);
    json_decref(v);
    base_buf_release(&out);
}

static void json_refused(const char *in, const char *want)
{
    struct base_err err = {0};
    json_t *v;

    assert_int_equal(base_json_parse(&v, in, strlen(in), &err), FM_E_INPUT);
    assert_non_null(strstr(err.text, want));
    assert_null(v);
}

static void json_forms(void **state)
{
    struct base_err err = {0};
    struct base_buf out = {0};
    json_t *v;

    (void)state;
    /* A member that is not there, handed on unchecked, is a fault of the input. */
    assert_int_equal(base_json_canonical(&out, NULL, &err), FM_E_INPUT);
    assert_string_equal(err.text, "JSON value is missing");
    json_canonical(" { \"b\" : [ 1 , true ] , \"a\" : \"x\\u000a\\u0001\\/\" } ",
                   "{\"a\":\"x\\n\\u0001/\",\"b\":[1,true]}");
    /* RFC 8785 section 3.2.3: the surrogate pair of U+1F600 sorts before U+FB33. */
    json_canonical("{\"\\ufb33\":1,\"\\ud83d\\ude00\":2,\"\\u20ac\":3,\"\\r\":4,\"1\":5,"
                   "\"\\u0080\":6,\"\\u00f6\":7}",
                   "{\"\\r\":4,\"1\":5,\"\xc2\x80\":6,\"\xc3\xb6\":7,\"\xe2\x82\xac\":3,"
                   "\"\xf0\x9f\x98\x80\":2,\"\xef\xac\xb3\":1}");
    json_canonical("{\"a\":9007199254740991,\"b\":-9007199254740991,\"c\":{},\"d\":[]}",
                   "{\"a\":9007199254740991,\"b\":-9007199254740991,\"c\":{},\"d\":[]}");
    json_refused("", "JSON: there is nothing, not one byte");
    assert_int_equal(base_json_parse(&v, NULL, 0, &err), FM_E_INPUT);
    json_refused("{\"a\":9007199254740992}", "2^53");
    json_refused("{\"a\":1.5}", "fraction");
    json_refused("{\"a\":1e2}", "fraction");
    json_refused("{\"a\":null}", "a: JSON null");
    json_refused("{\"a\":{\"b\":[1,[true,{\"c d\":null}]]}}", "a.b[1][1].c d: JSON null");
    json_refused("[[],[1.5]]", "[1][0]: JSON number");
    json_refused("null", "JSON");
    json_refused("{\"a\":1,\"a\":2}", "duplicate");
    json_refused("{\"a\":\"\\ud800\"}", "line 1");
    json_refused("{\"a\":1} x", "end of file");
    json_refused("{\"a\":\"\\u0000\"}", "");
    assert_int_equal(base_json_parse_canonical(&v, "{\"b\":1,\"a\":2}", 13, &err), FM_E_INPUT);
    assert_int_equal(base_json_parse_canonical(&v, "{\"a\": 2}", 8, &err), FM_E_INPUT);
    {
        char deep[2 * 40 + 1] = {0};
        memset(deep, '[', 40);
        memset(deep + 40, ']', 40);
        json_refused(deep, "deeper");
    }
}

static void sha256_known_answer(void **state)
{
    /* FIPS 180-4: SHA-256("abc"). */
    uint8_t want[32], got[32];
    struct base_hash h;

    (void)state;
    assert_true(base_unhex(want, 32,
                           "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", 64));
    base_sha256(got, "abc", 3);
    assert_memory_equal(got, want, 32);
    base_sha256_init(&h);
    base_hash_update(&h, "a", 1);
    base_hash_update(&h, "bc", 2);
    base_hash_final(&h, got);
    assert_memory_equal(got, want, 32);
}

static void the_profile_says_which_hash(void **state)
{
    /* GB/T 32905-2016, annex A.1: SM3("abc"). */
    uint8_t want[32], sha[32], got[32];
    struct base_err err = {0};
    enum base_profile found;
    struct base_hash h;

    (void)state;
    assert_true(base_unhex(want, 32,
                           "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0", 64));
    base_sha256(sha, "abc", 3);
    base_hash(got, "abc", 3);
    assert_memory_equal(got, sha, 32);
    assert_string_equal(base_hash_name(), "SHA256");
    assert_int_equal(base_profile_adopt(BASE_PROFILE_OPEN, &err), FM_OK);
    assert_int_equal(base_profile_adopt(BASE_PROFILE_NATIONAL, &err), FM_OK);
    assert_int_equal(base_profile_adopt(BASE_PROFILE_NATIONAL, &err), FM_OK);
    assert_string_equal(base_hash_name(), "SM3");
    base_hash(got, "abc", 3);
    assert_memory_equal(got, want, 32);
    base_hash_init(&h);
    base_hash_update(&h, "ab", 2);
    base_hash_update(&h, "c", 1);
    base_hash_final(&h, got);
    assert_memory_equal(got, want, 32);
    base_sha256(got, "abc", 3); /* is what it says, whatever the profile */
    assert_memory_equal(got, sha, 32);
    for (int p = BASE_PROFILE_OPEN; p <= BASE_PROFILE_INTERNATIONAL; p++) {
        assert_int_equal(base_profile_adopt((enum base_profile)p, &err), FM_E_CONFLICT);
        assert_non_null(strstr(err.text, base_profile_name((enum base_profile)p)));
        assert_non_null(strstr(err.text, "national"));
    }
    base_profile_forget();
    base_profile_settle(); /* on OPEN: nothing is adopted after that */
    assert_int_equal(base_profile(), BASE_PROFILE_OPEN);
    assert_int_equal(base_profile_adopt(BASE_PROFILE_OPEN, &err), FM_OK);
    for (int p = BASE_PROFILE_INTERNATIONAL; p <= BASE_PROFILE_NATIONAL; p++) {
        assert_int_equal(base_profile_adopt((enum base_profile)p, &err), FM_E_CONFLICT);
        assert_non_null(strstr(err.text, "works under open"));
    }
    base_hash(got, "abc", 3);
    assert_memory_equal(got, sha, 32);
    base_profile_forget();
    assert_int_equal(base_profile_adopt(BASE_PROFILE_NATIONAL, &err), FM_OK);
    base_profile_settle();
    base_profile_settle();
    assert_true(base_profile_is_national());
    assert_int_equal(base_profile_adopt(BASE_PROFILE_NATIONAL, &err), FM_OK);
    assert_int_equal(base_profile_adopt(BASE_PROFILE_INTERNATIONAL, &err), FM_E_CONFLICT);
    base_profile_forget();
    assert_true(base_profile_find(&found, "international"));
    assert_int_equal(found, BASE_PROFILE_INTERNATIONAL);
    assert_false(base_profile_find(&found, "open"));
    assert_int_equal(base_profile_adopt(found, &err), FM_OK);
    base_hash(got, "abc", 3);
    assert_memory_equal(got, sha, 32);
    base_profile_forget();
}

static void secrets(void **state)
{
    struct base_err err = {0};
    uint8_t a[64], b[64];
    uint8_t *pages = base_secret_alloc(5000);

    (void)state;
    assert_non_null(pages);
    for (size_t i = 0; i < 5000; i++)
        assert_int_equal(pages[i], 0);
    base_secret_free(pages, 5000);
    assert_int_equal(base_random_fill(base_random_system(), a, sizeof a, &err), FM_OK);
    memcpy(b, a, sizeof a);
    assert_true(base_equal(a, b, sizeof a));
    b[63] ^= 1;
    assert_false(base_equal(a, b, sizeof a));
    base_wipe(a, sizeof a);
    for (size_t i = 0; i < sizeof a; i++)
        assert_int_equal(a[i], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(err_prefixes),
        cmocka_unit_test(text_of_others_is_one_line),
        cmocka_unit_test(every_status_has_a_name),
        cmocka_unit_test(buffer_and_cursor_agree),
        cmocka_unit_test(text_forms),
        cmocka_unit_test(every_byte_is_a_digit_or_none),
        cmocka_unit_test(json_forms),
        cmocka_unit_test(sha256_known_answer),
        cmocka_unit_test(the_profile_says_which_hash),
        cmocka_unit_test(secrets),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
