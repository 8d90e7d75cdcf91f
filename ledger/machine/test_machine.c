#include "ledger/machine/test_machine.h"
#include "base/test_profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ledger/store/test_town.h"

/* Rules that no transaction can meet, and why. */
static const struct {
    enum ledger_rule rule;
    const char *why;
} unreachable[] = {
    {LEDGER_RULE_DID_EXISTS, "a DID's document carries its alias, and member.exists comes first"},
    {LEDGER_RULE_DID_RECOVERY, "a recovery by another key does not authenticate: dropped"},
};

static void test_every_rule_was_met(void **state)
{
    size_t i, rule;

    (void)state;
    test_profile_international();
    for (rule = LEDGER_RULE_OK; rule < LEDGER_RULE_COUNT; rule++) {
        bool excused = false;

        for (i = 0; i < sizeof unreachable / sizeof unreachable[0]; i++)
            excused = excused || unreachable[i].rule == rule;
        if (town_hit[rule] == excused)
            fail_msg("rule %s: %s", ledger_rule_code((enum ledger_rule)rule),
                     excused ? "was met after all" : "no test meets it");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_admission),
        cmocka_unit_test(test_quota),
        cmocka_unit_test(test_roles),
        cmocka_unit_test(test_proposals),
        cmocka_unit_test(test_proposals_decide),
        cmocka_unit_test(test_votes_of_the_suspended),
        cmocka_unit_test(test_documents),
        cmocka_unit_test(test_recovery),
        cmocka_unit_test(test_deactivation),
        cmocka_unit_test(test_datasets),
        cmocka_unit_test(test_contracts),
        cmocka_unit_test(test_contract_shapes),
        cmocka_unit_test(test_contract_first_rules),
        cmocka_unit_test(test_contract_links),
        cmocka_unit_test(test_authorizations),
        cmocka_unit_test(test_consents),
        cmocka_unit_test(test_attested),
        cmocka_unit_test(test_mandates),
        cmocka_unit_test(test_query_open),
        cmocka_unit_test(test_query_world),
        cmocka_unit_test(test_query_consent),
        cmocka_unit_test(test_query_limits),
        cmocka_unit_test(test_receipts),
        cmocka_unit_test(test_refund),
        cmocka_unit_test(test_refund_by_own_receipts),
        cmocka_unit_test(test_refund_by_compute_parties),
        cmocka_unit_test(test_deactivation_undone),
        cmocka_unit_test(test_deactivation_for_good),
        cmocka_unit_test(test_undoing_is_judged),
        cmocka_unit_test(test_misbehavior),
        cmocka_unit_test(test_misbehavior_leaves_no_trace),
        cmocka_unit_test(test_misbehavior_has_room),
        cmocka_unit_test(test_blocks_that_vouch),
        cmocka_unit_test(test_replaced_validator_keys),
        cmocka_unit_test(test_epochs),
        cmocka_unit_test(test_epoch_times),
        cmocka_unit_test(test_coming_and_going),
        cmocka_unit_test(test_new_keys_by_vote),
        cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_void_parameters),
        cmocka_unit_test(test_evidence),
        cmocka_unit_test(test_evidence_national),
        cmocka_unit_test(test_status_lists),
        cmocka_unit_test(test_status_before),
        cmocka_unit_test(test_lottery),
        cmocka_unit_test(test_lottery_repeated),
        cmocka_unit_test(test_lottery_of_two_spoilt),
        cmocka_unit_test(test_lottery_of_two_repeated),
        cmocka_unit_test(test_rules_switch),
        cmocka_unit_test(test_validators),
        cmocka_unit_test(test_every_rule_was_met),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
