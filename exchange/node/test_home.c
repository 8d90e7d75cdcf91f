/* node.json: what is taken, and where an error says that it stands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "exchange/node/home.h"
#include "exchange/node/json_place.h"

#define GOOD "\"alias\": \"bank_a\", \"listen\": \"tcp://127.0.0.1:7101\""

static void takes(struct home *h, const char *text)
{
    struct base_err err = {0};

    *h = (struct home){.dir = "/home"};
    if (home_parse(h, text, strlen(text), &err) != FM_OK)
        fail_msg("%s: %s", text, err.text);
}

static void refuses(const char *text, const char *want)
{
    struct base_err err = {0};
    struct home h = {.dir = "/home"};

    assert_int_equal(home_parse(&h, text, strlen(text), &err), FM_E_INPUT);
    assert_string_equal(err.text, want);
}

static void test_defaults_and_values(void **state)
{
    struct home h;

    (void)state;
    takes(&h, "{" GOOD "}");
    assert_string_equal(h.alias, "bank_a");
    assert_string_equal(h.listen, "tcp://127.0.0.1:7101");
    assert_string_equal(h.data, "/home/data.db");
    assert_string_equal(h.log, "");
    assert_string_equal(h.metrics, "");
    assert_int_equal(h.block_interval_ms, 5);
    takes(&h, "{" GOOD ", \"data\": \"/srv/a.db\", \"log\": \"node.log\", \"log_level\": \"warn\", "
              "\"metrics\": \"[::1]:9464\", \"block_interval_ms\": 60000, \"threads\": 1}");
    assert_string_equal(h.data, "/srv/a.db");
    assert_string_equal(h.log, "/home/node.log");
    assert_string_equal(h.log_level, "warn");
    assert_string_equal(h.metrics, "[::1]:9464");
    assert_int_equal(h.block_interval_ms, 60000);
}

/* Every setting, with a value of another type behind all that must be there: named, at its place.
 */
static void test_every_setting(void **state)
{
    (void)state;
    for (const struct home_setting *s = home_settings(); s->name != NULL; s++) {
        bool number = s->kind == HOME_NUMBER;
        bool given = strcmp(s->name, "alias") == 0 || strcmp(s->name, "listen") == 0;
        char text[512], want[256];
        assert_int_equal(s->help[strlen(s->help) - 1], '.');
        assert_true(number ? s->size == sizeof(int64_t) : s->size > 1);
        (void)snprintf(text, sizeof text, "{%s\n  \"%s\": %s}", given ? "" : GOOD ",", s->name,
                       number ? "\"7\"" : "7");
        (void)snprintf(want, sizeof want, "line 2, column %zu: member '%s' must be %s",
                       strlen(s->name) + 7, s->name,
                       number ? "an integer"
                       : s->kind == HOME_ROLES
                           ? "an object of users, or groups with @, and their roles"
                           : "a string");
        if (strcmp(s->name, "listen") == 0) /* alias comes first */
            (void)snprintf(want, sizeof want, "member 'alias' is missing");
        refuses(text, want);
    }
}

static void test_places(void **state)
{
    (void)state;
    refuses("{" GOOD ",\n\"lissten\": 1}",
            "line 2, column 1: unknown member 'lissten': did you mean "
            "'listen'?");
    refuses("{" GOOD ",\n\n   \"block_interval_ms\":  0}",
            "line 3, column 26: member 'block_interval_ms' must be 1 to 60000");
    refuses("{\"alias\": \"bank_a\"}", "member 'listen' is missing");
    refuses(
        "{" GOOD ", \"qqqqqqqqqqqqqq\": 1}",
        "line 1, column 55: unknown member 'qqqqqqqqqqqqqq': man firmiana-node.json lists them");
    refuses("[]", "must be a JSON object");
}

static void test_places_in_odd_texts(void **state)
{
    static const char odd[] =
        "{ \"b\\\"x\": \"x\\\\\", \"y\": {\"x\": [\"x\", {\"x\": 1}]}, \"z\": "
        "\"x\",\n\t\"x\"\n : 9}";
    struct json_place key, value;

    (void)state;
    assert_true(json_place_find(&key, &value, odd, strlen(odd), "x"));
    assert_int_equal(key.line, 2);
    assert_int_equal(key.column, 2);
    assert_int_equal(value.line, 3);
    assert_int_equal(value.column, 4);
    assert_false(json_place_find(&key, &value, odd, strlen(odd), "w"));
    for (size_t len = 0; len < strlen(odd); len++) /* never reads beyond, whatever is cut off */
        (void)json_place_find(&key, &value, odd, len, "x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_and_values),
        cmocka_unit_test(test_every_setting),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_places_in_odd_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
