/* A member's document found in a trail that also holds what no member sent: the engine's word on a
 * validator stands between the transactions that changed the document. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "exchange/cli/did_sources.h"
#include "ledger/machine/validator.h"
#include "ledger/proof/misbehavior.h"
#include "ledger/store/export.h"
#include "ledger/store/test_town.h"

static struct base_err err;
static struct town town;
static char folder[64], replica[96], trail[96];

static void must(fm_status st)
{
    if (st != FM_OK)
        fail_msg("%s", err.text);
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "%s/firmiana-did-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(replica, sizeof replica, "%s/a.ledger", folder);
    (void)snprintf(trail, sizeof trail, "%s/trail", folder);
    town_init_validators(&town, replica, LEDGER_MISBEHAVIOR_SINCE);
    return 0;
}

static int tear_down(void **state)
{
    static const char *const endings[] = {"", "-wal", "-shm", ".lock"};
    char name[128];

    (void)state;
    town_release(&town);
    for (size_t k = 0; k < 4; k++) {
        (void)snprintf(name, sizeof name, "%s%s", replica, endings[k]);
        (void)unlink(name);
    }
    (void)unlink(trail);
    return rmdir(folder);
}

/* As recorded under CometBFT, in a block of its own. */
static void prove(int who, uint64_t height)
{
    struct ledger_misbehavior what = {
        .act = LEDGER_ACT_VOTED_TWICE, .height = height, .time_ms = 1760000000123};
    struct ledger_outcome out;
    struct base_buf bytes = {0};
    uint8_t key[32];

    town_validator_key(key, who, 0);
    ledger_validator_address(what.validator, key);
    (void)snprintf(what.member, sizeof what.member, "%s", town.who[who].alias);
    must(ledger_misbehavior_write(&bytes, &what, town.chain_id, &err));
    town.vouched = 1;
    town_block(&town, &out, &bytes, 1, 1000);
    assert_int_equal(out.verdict, LEDGER_OK);
}

static void export_trail(void)
{
    const struct ledger_head *head = ledger_chain_head(town.chain);
    struct base_buf text = town_checkpoint(&town, 15, head->app_hash, head->log_size);
    struct ledger_export_report report;
    uint64_t final_size;
    size_t n_new;

    must(
        ledger_chain_cosign(town.chain, &n_new, &final_size, (const char *)text.p, text.len, &err));
    base_buf_release(&text);
    must(ledger_export(ledger_chain_reader(town.chain), trail, NULL, &report, &err));
}

static void test_versions_around_misbehavior(void **state)
{
    static const struct cli_option option = {"trail", "FILE", "", CLI_OPTIONAL};
    const struct cli_args args = {.given = {{&option, trail}}, .given_count = 1};
    const struct did_which newest = {.by = DID_NEWEST};
    struct resolve_found found;
    uint8_t first[32];

    (void)state;
    town_ok(&town, town_publish(&town, BANK_A, 1, 1, "balance"));
    prove(BANK_B, 1);
    town_wait(&town, 10000);
    memcpy(first, did_document_hash32(town.who[BANK_B].doc), sizeof first);
    town_ok(&town, town_tx(&town, LEDGER_TX_DID_UPDATE, BANK_B,
                           town_update(first, town_validator_document(&town, BANK_B, BANK_B, 1))));
    prove(BANK_B, 2);
    export_trail();
    must(cli_did_from_trail((void *)(uintptr_t)&args, &found, did_document_id(town.who[BANK_B].doc),
                            &newest, &err));
    assert_int_equal(found.history.n, 2);
    assert_int_equal(found.at, 1);
    assert_memory_equal(found.history.versions[0].hash32, first, 32);
    assert_string_equal(found.history.versions[1].by, "did.update");
    assert_int_equal(json_equal(found.document, did_document_json(town.who[BANK_B].doc)), 1);
    json_decref(found.document);
    did_history_release(&found.history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_versions_around_misbehavior, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
