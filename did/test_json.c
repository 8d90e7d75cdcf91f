/* Canonical JSON as the signatures of this room need it: RFC 8785's vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_any.h"
#include "did/test_tools.h"

/* RFC 8785's own examples, all of them by the reader of others' JSON, as text and as bytes. Those
 * with null or a number with a fraction or exponent are outside the subset of base/json.h and must
 * be refused there, not rounded. */
static void jcs_file(const char *name, const char *refusal)
{
    char path[64];
    char *input, *output, *hex;
    struct base_buf out = {0}, bytes = {0};
    struct base_err err = {0};
    json_t *value, *again;

    (void)snprintf(path, sizeof path, "jcs/input/%s.json", name);
    input = tools_text(path);
    (void)snprintf(path, sizeof path, "jcs/output/%s.json", name);
    output = tools_text(path);
    (void)snprintf(path, sizeof path, "jcs/outhex/%s.txt", name);
    hex = tools_text(path);
    assert_int_equal(base_json_any_parse(&value, input, strlen(input), &err), FM_OK);
    assert_int_equal(base_json_any_canonical(&out, value, &err), FM_OK);
    assert_string_equal(base_buf_cstr(&out), output);
    for (const char *p = hex + strspn(hex, " \n"); *p != '\0'; p += 2, p += strspn(p, " \n")) {
        uint8_t byte;
        assert_true(base_unhex(&byte, 1, p, 2));
        base_buf_put_u8(&bytes, byte);
    }
    assert_int_equal(bytes.len, out.len);
    assert_memory_equal(bytes.p, out.p, out.len);
    assert_int_equal(base_json_any_parse_canonical(&again, out.p, out.len, &err), FM_OK);
    assert_true(json_equal(again, value));
    json_decref(again);
    again = NULL;
    if (refusal == NULL) {
        base_buf_clear(&out);
        assert_int_equal(base_json_parse(&again, input, strlen(input), &err), FM_OK);
        assert_int_equal(base_json_canonical(&out, again, &err), FM_OK);
        assert_string_equal(base_buf_cstr(&out), output);
    } else {
        tools_expect(base_json_parse(&again, input, strlen(input), &err), FM_E_INPUT, &err,
                     refusal);
    }
    json_decref(again);
    json_decref(value);
    base_buf_release(&out);
    base_buf_release(&bytes);
    free(input);
    free(output);
    free(hex);
}

static void jcs_vectors(void **state)
{
    (void)state;
    jcs_file("french", NULL);
    jcs_file("unicode", NULL);
    jcs_file("weird", NULL);
    jcs_file("arrays", "null is not used");
    jcs_file("structures", "fraction");
    jcs_file("values", "fraction");
}

/* The RFC's sample of numbers (appendix B): bits of a double, and its text. */
static void jcs_numbers(void **state)
{
    char *text = tools_text("jcs/es6_numbers_10000.txt"), *rest = NULL;
    size_t count = 0;

    (void)state;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        char *comma, ours[BASE_JSON_NUMBER_TEXT];
        uint64_t bits = strtoull(line, &comma, 16);
        double number;
        struct base_err err = {0};
        json_t *value;
        memcpy(&number, &bits, sizeof number);
        base_json_number(ours, number);
        if (*comma != ',' || strcmp(ours, comma + 1) != 0)
            fail_msg("%s: ours is %s", line, ours);
        /* And through a reader: as the only element of an array. */
        (void)snprintf(line, 40, "[%s]", ours);
        assert_int_equal(base_json_any_parse_canonical(&value, line, strlen(line), &err), FM_OK);
        assert_true(json_number_value(json_array_get(value, 0)) == number);
        json_decref(value);
        count++;
    }
    assert_int_equal(count, 10000);
    free(text);
}

/* Others' JSON has limits too. */
static void others_json_is_not_anything(void **state)
{
    static const struct {
        const char *text, *canonical, *refusal;
    } cases[] = {
        {"[1.0, 10e-1, -0, -0.0, 1E400e]", NULL, "JSON"},
        {"[1e309]", NULL, "real number overflow"},
        {"[-1e309]", NULL, "real number overflow"},
        {"[NaN]", NULL, "JSON"},
        {"[Infinity]", NULL, "JSON"},
        {"[01.5]", NULL, "JSON"},
        {"[1.]", NULL, "JSON"},
        {"{\"a\":1.5,\"a\":1.5}", NULL, "duplicate"},
        {"[\"\\ud800\"]", NULL, "JSON"},
        {"[1.0, 10e-1, -0, -0.0, 1e-400]", "[1,1,0,0,0]", NULL},
        {"[9007199254740991, 9007199254740993, 1e16, 18446744073709551616]",
         "[9007199254740991,9007199254740992,10000000000000000,18446744073709552000]", NULL},
        {"[1.5, null]", "[1.5,null]", NULL},
        {"[null, {\"z\": null, \"a\": -1.50e+2, \"b\": 0.1e1}]",
         "[null,{\"a\":-150,\"b\":1,\"z\":null}]", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *text = cases[i].text;
        struct base_buf out = {0};
        struct base_err err = {0};
        json_t *value;
        fm_status st = base_json_any_parse(&value, text, strlen(text), &err);
        if (cases[i].canonical == NULL) {
            tools_expect(st, FM_E_INPUT, &err, cases[i].refusal);
            assert_null(value);
            continue;
        }
        assert_int_equal(st, FM_OK);
        assert_int_equal(base_json_any_canonical(&out, value, &err), FM_OK);
        assert_string_equal(base_buf_cstr(&out), cases[i].canonical);
        if (strpbrk(base_buf_cstr(&out), ".n") != NULL) /* not the ledger's, however it was read */
            assert_int_equal(base_json_canonical(&out, value, &err), FM_E_INPUT);
        json_decref(value);
        base_buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jcs_vectors),
        cmocka_unit_test(jcs_numbers),
        cmocka_unit_test(others_json_is_not_anything),
    };
    return cmocka_run_group_tests_name("canonical JSON", tests, NULL, NULL);
}
