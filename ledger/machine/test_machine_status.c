/* Status lists: versions follow one another, for each issuer and list, and the verifier knows the
 * newest and when it came. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ledger/machine/test_machine.h"
#include "ledger/machine/test_machine_trail.h"

#define LIST "https://bank-a.example/status/1"

static struct base_buf publish(struct town *t, int who, const char *list, int version, char digit)
{
    char digest[65];

    memset(digest, digit, 64);
    digest[64] = '\0';
    return town_tx(
        t, LEDGER_TX_STATUS_PUBLISH, who,
        json_pack("{s:s, s:i, s:s}", "list", list, "version", version, "digest", digest));
}

static void expect_list(const struct ledger_verified *report, const struct town *t, int who,
                        const char *list, int64_t version, uint8_t byte)
{
    const struct ledger_verified_list *found;
    struct base_err err = {0};
    uint8_t digest[32];

    memset(digest, byte, 32);
    assert_int_equal(
        ledger_verified_list(&found, report, did_document_id(t->who[who].doc), list, &err), FM_OK);
    if (version == 0) {
        assert_null(found);
        return;
    }
    assert_int_equal(found->version, version);
    assert_memory_equal(found->digest, digest, 32);
    assert_true(found->height > 0 && found->time_ms > 0);
}

void test_status_lists(void **state)
{
    char spaces[] = "https://a b", longest[258];
    struct ledger_verified *report;
    struct base_buf both[2];
    struct ledger_outcome out[2];
    struct town t;

    (void)state;
    trail_begin(&t, 3, TRAIL_PLAIN);
    memset(longest, 'x', 256);
    longest[256] = '\0';
    town_refused(&t, publish(&t, BANK_A, spaces, 1, 'a'), LEDGER_RULE_STATUS_SHAPE);
    town_refused(&t, publish(&t, BANK_A, longest, 1, 'a'), LEDGER_RULE_STATUS_SHAPE);
    town_refused(&t, publish(&t, BANK_A, LIST, 2, 'a'), LEDGER_RULE_STATUS_VERSION);
    town_ok(&t, publish(&t, BANK_A, LIST, 1, 'a'));
    town_refused(&t, publish(&t, BANK_A, LIST, 1, 'b'), LEDGER_RULE_STATUS_VERSION);
    town_refused(&t, publish(&t, BANK_A, LIST, 3, 'b'), LEDGER_RULE_STATUS_VERSION);
    town_ok(&t, publish(&t, BANK_A, LIST, 2, 'b'));
    town_ok(&t, publish(&t, BANK_B, LIST, 1, 'c')); /* another's of the same name */
    longest[255] = '\0';
    town_ok(&t, publish(&t, BANK_A, longest, 1, 'd'));
    both[0] = publish(&t, BANK_B, LIST, 2, 'e'); /* two in one block */
    both[1] = publish(&t, BANK_B, LIST, 3, 'f');
    town_block(&t, out, both, 2, 1000);
    assert_true(out[0].verdict == LEDGER_OK && out[1].verdict == LEDGER_OK);
    report = trail_verify(&t, 7);
    expect_list(report, &t, BANK_A, LIST, 2, 0xbb);
    expect_list(report, &t, BANK_B, LIST, 3, 0xff);
    expect_list(report, &t, BANK_A, longest, 1, 0xdd);
    expect_list(report, &t, REGULATOR, LIST, 0, 0);
    expect_list(report, &t, BANK_A, "https://bank-a.example/status/2", 0, 0);
    ledger_verified_free(report);
    trail_end(&t);
}

/* Before version 3 there is no such type. */
void test_status_before(void **state)
{
    struct town t;

    (void)state;
    trail_begin(&t, 2, TRAIL_PLAIN);
    town_refused(&t, publish(&t, BANK_A, LIST, 1, 'a'), LEDGER_DROP_MALFORMED);
    trail_end(&t);
}
