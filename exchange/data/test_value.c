/* Laws of exchange/data/value.h: text and number are each other's inverse, at every scale and at
 * the corners of every range; what is not exact is refused with its reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/text.h"
#include "exchange/data/date.h"
#include "exchange/data/value.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static uint64_t state64 = 20260101;

/* Corner-seeking: long runs of zeros and ones, any length. */
static int64_t random_value(void)
{
    uint64_t v;

    state64 = state64 * 6364136223846793005u + 1442695040888963407u;
    v = state64 ^ state64 >> 29;
    switch (v >> 5 & 3) {
    case 0:
        return (int64_t)(v >> (v & 63));
    case 1:
        return -(int64_t)(v >> 1 >> (v & 31));
    case 2:
        return (int64_t)(UINT64_MAX >> (v & 63));
    default:
        return (int64_t)(UINT64_MAX << (v & 63));
    }
}

static struct data_type type_of(const char *text)
{
    struct data_type t;
    struct base_err err = {0};

    assert_int_equal(data_type_parse(&t, text, &err), FM_OK);
    return t;
}

static void types_round_trip(void **state)
{
    static const char *const good[] = {"INTEGER", "DECIMAL(1,0)", "DECIMAL(18,18)", "DECIMAL(12,2)",
                                       "BOOLEAN", "DATE",         "TEXT(1)",        "TEXT(4096)"};
    static const char *const bad[] = {"",
                                      "integer",
                                      "DECIMAL",
                                      "DECIMAL(12)",
                                      "DECIMAL(0,0)",
                                      "DECIMAL(19,2)",
                                      "DECIMAL(2,3)",
                                      "DECIMAL(12, 2)",
                                      "DECIMAL(012,2)",
                                      "DECIMAL(12,2))",
                                      "DECIMAL(12,-2)",
                                      "DECIMAL(99999999999,2)",
                                      "TEXT",
                                      "TEXT()",
                                      "TEXT(0)",
                                      "TEXT(4097)",
                                      "TEXT(5",
                                      "DATE ",
                                      "REAL"};
    char text[DATA_TYPE_TEXT];

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct data_type t = type_of(good[i]);
        data_type_format(text, &t);
        assert_string_equal(text, good[i]);
        assert_true(data_type_equal(&t, &t));
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct data_type t;
        struct base_err err = {0};
        assert_int_equal(data_type_parse(&t, bad[i], &err), FM_E_INPUT);
        assert_non_null(strstr(err.text, "unknown type '"));
    }
}

static void round_trip(const struct data_type *t, int64_t v)
{
    char text[DATA_VALUE_TEXT];
    struct base_err err = {0};
    int64_t back;

    data_value_format(text, t, v);
    assert_int_equal(data_value_parse(&back, t, text, strlen(text), &err), FM_OK);
    assert_true(back == v);
}

static void numbers_round_trip(void **state)
{
    struct data_type t = type_of("INTEGER");

    (void)state;
    for (int i = 0; i < 100000; i++)
        round_trip(&t, random_value());
    round_trip(&t, INT64_MIN);
    round_trip(&t, INT64_MAX);
    for (unsigned p = 1; p <= DATA_PRECISION_MAX; p++) {
        for (unsigned s = 0; s <= p; s++) {
            struct data_type d = {.kind = DATA_DECIMAL, .precision = p, .scale = s};
            int64_t min, max;
            data_type_limits(&min, &max, &d);
            assert_true(min == -max);
            round_trip(&d, min);
            round_trip(&d, max);
            round_trip(&d, 0);
            for (int i = 0; i < 200; i++)
                round_trip(&d, random_value() % (max + 1));
        }
    }
}

/* Any int64 at any printable scale: the digits are those of the number, and moving the point back
 * gives it again. */
static void any_scale_prints(void **state)
{
    static const int64_t corners[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, 10, INT64_MAX};

    (void)state;
    for (unsigned s = 0; s <= DATA_SCALE_PRINT_MAX; s++) {
        for (size_t i = 0; i < COUNT(corners); i++) {
            struct data_type d = {.kind = DATA_DECIMAL, .precision = 18, .scale = s};
            char text[DATA_VALUE_TEXT];
            struct base_err err = {0};
            unsigned scale;
            int64_t v;
            data_value_format(text, &d, corners[i]);
            assert_int_equal(data_number_parse(&v, &scale, text, strlen(text), &err), FM_OK);
            assert_true(v == corners[i]);
            assert_int_equal(scale, s);
        }
    }
}

static void rescaling_is_exact(void **state)
{
    int64_t v;

    (void)state;
    assert_true(data_number_rescale(&v, -15, 1, 3) && v == -1500);
    assert_true(data_number_rescale(&v, -1500, 3, 1) && v == -15);
    assert_false(data_number_rescale(&v, -1501, 3, 1));
    assert_true(data_number_rescale(&v, 0, 0, 38) && v == 0);
    assert_false(data_number_rescale(&v, 1, 0, 19));
    assert_false(data_number_rescale(&v, INT64_MIN, 0, 1));
}

static void accepted_texts(void **state)
{
    static const struct {
        const char *type, *text;
        int64_t want;
    } cases[] = {
        {"INTEGER", "+7", 7},
        {"INTEGER", "-0", 0},
        {"INTEGER", "0000000000000000000000000012", 12},
        {"INTEGER", "-9223372036854775808", INT64_MIN},
        {"INTEGER", "1.00E+05", 100000},
        {"INTEGER", "-12e0", -12},
        {"INTEGER", "2.50e1", 25},
        {"INTEGER", "2000e-3", 2},
        {"INTEGER", "0e999", 0},
        {"INTEGER", "-9223372036854775808e0", INT64_MIN},
        {"DECIMAL(12,2)", "1.5E-1", 15},
        {"DECIMAL(12,2)", "-1.2345E+3", -123450},
        {"DECIMAL(12,2)", "0.00E-50", 0},
        {"DECIMAL(12,2)", "1", 100},
        {"DECIMAL(12,2)", ".5", 50},
        {"DECIMAL(12,2)", "-3.", -300},
        {"DECIMAL(12,2)", "9999999999.99", 999999999999},
        {"DECIMAL(2,2)", "-0.99", -99},
        {"DECIMAL(18,0)", "999999999999999999", 999999999999999999},
        {"BOOLEAN", "true", 1},
        {"BOOLEAN", "FALSE", 0},
        {"BOOLEAN", "1", 1},
        {"BOOLEAN", "0", 0},
        {"DATE", "1970-01-01", 0},
        {"DATE", "0001-01-01", DATA_DATE_MIN},
        {"DATE", "9999-12-31", DATA_DATE_MAX},
        {"DATE", "2000-02-29", 11016},
        {"DATE", "1900-03-01", -25508},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct data_type t = type_of(cases[i].type);
        struct base_err err = {0};
        int64_t v;
        assert_int_equal(data_value_parse(&v, &t, cases[i].text, strlen(cases[i].text), &err),
                         FM_OK);
        assert_true(v == cases[i].want);
    }
}

static void refused_texts(void **state)
{
    static const struct {
        const char *type, *text, *want;
    } cases[] = {
        {"INTEGER", "", "not an INTEGER: write digits and a sign"},
        {"INTEGER", "-", "not an INTEGER: write digits and a sign"},
        {"INTEGER", " 1", "not an INTEGER: write digits and a sign"},
        {"INTEGER", "1e", "not an INTEGER: write digits and a sign"},
        {"INTEGER", "e1", "not an INTEGER: write digits and a sign"},
        {"INTEGER", "1e+", "not an INTEGER: write digits and a sign"},
        {"INTEGER", "1e1.5", "not an INTEGER: write digits and a sign"},
        {"INTEGER", "1e1000", "not an INTEGER: write digits and a sign"},
        {"INTEGER", "1e1e1", "not an INTEGER: write digits and a sign"},
        {"INTEGER", "1e19", "not an INTEGER: it is beyond 64 bits"},
        {"INTEGER", "1.25E+01", "not an INTEGER: it has a fraction"},
        {"INTEGER", "1E-1", "not an INTEGER: it has a fraction"},
        {"DECIMAL(5,2)", "1E-3", "not a DECIMAL(5,2): more than 2 fraction digits"},
        {"DECIMAL(5,2)", "1E+3", "not a DECIMAL(5,2): more than 3 digits before the point"},
        {"INTEGER", "--1", "not an INTEGER: write digits and a sign"},
        {"INTEGER", "1.0", "not an INTEGER: it has a fraction"},
        {"INTEGER", "9223372036854775808", "not an INTEGER: it is beyond 64 bits"},
        {"INTEGER", "-9223372036854775809", "not an INTEGER: it is beyond 64 bits"},
        {"DECIMAL(5,2)", "1.005", "not a DECIMAL(5,2): more than 2 fraction digits"},
        {"DECIMAL(5,2)", "1.000", "not a DECIMAL(5,2): more than 2 fraction digits"},
        {"DECIMAL(5,2)", "1000", "not a DECIMAL(5,2): more than 3 digits before the point"},
        {"DECIMAL(5,2)", "99999999999999999999",
         "not a DECIMAL(5,2): more than 3 digits before the point"},
        {"DECIMAL(5,2)", "1.2.3", "not a DECIMAL(5,2): write digits, a point and a sign"},
        {"DECIMAL(5,2)", ".", "not a DECIMAL(5,2): write digits, a point and a sign"},
        {"DECIMAL(5,2)", "1,5", "not a DECIMAL(5,2): write digits, a point and a sign"},
        {"BOOLEAN", "yes", "not a BOOLEAN: write true, false, 1 or 0"},
        {"BOOLEAN", "truer", "not a BOOLEAN: write true, false, 1 or 0"},
        {"BOOLEAN", "tru", "not a BOOLEAN: write true, false, 1 or 0"},
        {"BOOLEAN", "", "not a BOOLEAN: write true, false, 1 or 0"},
        {"DATE", "2023-02-29", "not a DATE: there is no such day"},
        {"DATE", "1900-02-29", "not a DATE: there is no such day"},
        {"DATE", "0000-01-01", "not a DATE: there is no such day"},
        {"DATE", "2023-13-01", "not a DATE: there is no such day"},
        {"DATE", "2023-00-01", "not a DATE: there is no such day"},
        {"DATE", "2023-04-31", "not a DATE: there is no such day"},
        {"DATE", "2023-4-31", "not a DATE: write YYYY-MM-DD"},
        {"DATE", "20230431", "not a DATE: write YYYY-MM-DD"},
        {"DATE", "2023-04-01 ", "not a DATE: write YYYY-MM-DD"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct data_type t = type_of(cases[i].type);
        struct base_err err = {0};
        int64_t v = 5;
        assert_int_equal(data_value_parse(&v, &t, cases[i].text, strlen(cases[i].text), &err),
                         FM_E_INPUT);
        assert_string_equal(err.text, cases[i].want);
        assert_true(v == 0);
    }
}

/* Every day of ten thousand years, against the C library's calendar. */
static void every_day_agrees_with_libc(void **state)
{
    struct data_type date = {.kind = DATA_DATE};

    (void)state;
    for (int64_t day = DATA_DATE_MIN; day <= DATA_DATE_MAX; day++) {
        time_t seconds = (time_t)day * 86400;
        struct tm tm;
        int y, m, d;
        int64_t back;
        assert_non_null(gmtime_r(&seconds, &tm));
        data_date_to_civil(&y, &m, &d, day);
        if (y != tm.tm_year + 1900 || m != tm.tm_mon + 1 || d != tm.tm_mday)
            fail_msg("day %lld differs", (long long)day);
        if (!data_date_from_civil(&back, y, m, d) || back != day)
            fail_msg("day %lld does not come back", (long long)day);
        if (day % 97 == 0)
            round_trip(&date, day);
    }
}

static void utf8_is_strict(void **state)
{
    static const char *const good[] = {"",
                                       "abc",
                                       "\xc3\xa9",
                                       "\xe6\xa2\xa7\xe6\xa1\x90",
                                       "\xf0\x9f\x98\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\x80",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xe2\x82",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xc3",
                                      "\xc3(",
                                      "a\xff"};
    struct data_type t = type_of("TEXT(4)");
    struct base_err err = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        assert_true(base_text_is_utf8(good[i], strlen(good[i])));
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(base_text_is_utf8(bad[i], strlen(bad[i])));
    assert_int_equal(data_text_check(&t, "abcd", 4, &err), FM_OK);
    assert_int_equal(data_text_check(&t, "abcde", 5, &err), FM_E_INPUT);
    assert_string_equal(err.text, "not a TEXT(4): 5 bytes are more than 4");
    assert_int_equal(data_text_check(&t, "a\0b", 3, &err), FM_E_INPUT);
    assert_string_equal(err.text, "not a TEXT(4): it holds a NUL character");
    assert_int_equal(data_text_check(&t, "\xff", 1, &err), FM_E_INPUT);
    assert_string_equal(err.text, "not a TEXT(4): it is not valid UTF-8");
}

static void other_texts_of_numbers(void **state)
{
    struct base_err err = {0};
    unsigned scale;
    int64_t v;

    (void)state;
    assert_int_equal(data_number_parse(&v, &scale, "-12.50", 6, &err), FM_OK);
    assert_true(v == -1250 && scale == 2);
    assert_int_equal(data_number_parse(&v, &scale, "1.50E+02", 8, &err), FM_OK);
    assert_true(v == 150 && scale == 0);
    assert_int_equal(data_number_parse(&v, &scale, "1E-39", 5, &err), FM_E_INPUT);
    assert_int_equal(data_number_parse(&v, &scale, "1x5", 3, &err), FM_E_INPUT);
    assert_string_equal(err.text, "not a number: write digits, a point and a sign");
    assert_int_equal(data_number_parse(&v, &scale, "9223372036854775808", 19, &err), FM_E_INPUT);
    assert_string_equal(err.text, "the number has more digits than 64 bits hold");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_round_trip),       cmocka_unit_test(numbers_round_trip),
        cmocka_unit_test(any_scale_prints),       cmocka_unit_test(rescaling_is_exact),
        cmocka_unit_test(accepted_texts),         cmocka_unit_test(refused_texts),
        cmocka_unit_test(other_texts_of_numbers), cmocka_unit_test(every_day_agrees_with_libc),
        cmocka_unit_test(utf8_is_strict),
    };
    return cmocka_run_group_tests_name("exchange/data: values", tests, NULL, NULL);
}
