/* What lies between the compute parties: lan where a contract or specification says nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "exchange/contract/contract.h"

static void known_links_are_read(void **state)
{
    static const char *const links[] = {"lan", "metro", "wan"};
    struct base_err err = {0};
    json_t *json = json_object();
    const char *link = NULL;

    (void)state;
    assert_int_equal(contract_link(&link, json, &err), FM_OK);
    assert_string_equal(link, "lan");
    for (size_t i = 0; i < 3; i++) {
        json_object_set_new(json, "link", json_string(links[i]));
        assert_int_equal(contract_link(&link, json, &err), FM_OK);
        assert_string_equal(link, links[i]);
    }
    json_decref(json);
}

static void others_are_refused(void **state)
{
    static const char *const links[] = {"", "far", "LAN", "lanx"};
    struct base_err err = {0};
    json_t *json = json_object();
    const char *link = NULL;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        json_object_set_new(json, "link", json_string(links[i]));
        assert_int_equal(contract_link(&link, json, &err), FM_E_INPUT);
        assert_string_equal(err.text, "member 'link' must be lan, metro or wan: what lies between "
                                      "the compute parties");
    }
    json_object_set_new(json, "link", json_integer(1));
    assert_int_equal(contract_link(&link, json, &err), FM_E_INPUT);
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_links_are_read),
        cmocka_unit_test(others_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
