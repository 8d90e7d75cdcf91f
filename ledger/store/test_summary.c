/* What audit list says of an entry: texts are cut to 120 bytes, between characters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ledger/store/chain_summary.h"

/* `times` characters as the reason of a suspension after `before` letters: `shown` of them stand in
 * the line. */
static void shows(const char *character, unsigned before, unsigned times, unsigned shown)
{
    struct ledger_entry entry = {.type = "member.suspend"};
    struct base_buf out = {0}, want = {0};
    struct base_err err = {0};

    base_buf_put_str(&entry.payload, "{\"body\":{\"reason\":\"");
    base_buf_put_str(&want, "reason=");
    for (unsigned i = 0; i < before; i++) {
        base_buf_put_str(&entry.payload, "a");
        base_buf_put_str(&want, "a");
    }
    for (unsigned i = 0; i < times; i++) {
        base_buf_put_str(&entry.payload, character);
        if (i < shown)
            base_buf_put_str(&want, character);
    }
    base_buf_put_str(&entry.payload, "\"}}");
    assert_int_equal(ledger_summarize(&out, &entry, &err), FM_OK);
    assert_string_equal(base_buf_cstr(&out), base_buf_cstr(&want));
    base_buf_release(&entry.payload);
    base_buf_release(&out);
    base_buf_release(&want);
}

static void cut_between_characters(void **state)
{
    static const struct {
        const char *character;
        unsigned bytes;
    } of[] = {{"x", 1}, {"\xc3\xa9", 2}, {"\xe4\xb8\xad", 3}, {"\xf0\x9f\x8f\xa6", 4}};

    (void)state;
    for (size_t i = 0; i < sizeof of / sizeof of[0]; i++)
        for (unsigned before = 0; before < 8; before++) {
            unsigned fit = (120 - before) / of[i].bytes;
            shows(of[i].character, before, fit, fit);
            shows(of[i].character, before, fit + 1, fit);
            shows(of[i].character, before, fit + 7, fit);
        }
    shows("\xe4\xb8\xad", 0, 41, 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(cut_between_characters)};

    return cmocka_run_group_tests_name("ledger/store: summaries", tests, NULL, NULL);
}
