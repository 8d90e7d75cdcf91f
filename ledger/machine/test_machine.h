/* The parts of test_machine: each rule has a transaction that it alone refuses, and a like one that
 * passes. */
#ifndef FIRMIANA_LEDGER_TEST_MACHINE_H
#define FIRMIANA_LEDGER_TEST_MACHINE_H

void test_admission(void **state);
void test_quota(void **state);
void test_roles(void **state);
void test_proposals(void **state);
void test_proposals_decide(void **state);
void test_votes_of_the_suspended(void **state);
void test_documents(void **state);
void test_recovery(void **state);
void test_deactivation(void **state);
void test_deactivation_undone(void **state);
void test_deactivation_for_good(void **state);
void test_undoing_is_judged(void **state);

void test_datasets(void **state);
void test_contracts(void **state);
void test_contract_shapes(void **state);
void test_contract_first_rules(void **state);
void test_contract_links(void **state);
void test_authorizations(void **state);
void test_consents(void **state);
void test_attested(void **state);
void test_mandates(void **state);
void test_query_open(void **state);
void test_query_world(void **state);
void test_query_consent(void **state);
void test_query_limits(void **state);
void test_receipts(void **state);
void test_refund(void **state);
void test_refund_by_own_receipts(void **state);
void test_refund_by_compute_parties(void **state);
void test_coming_and_going(void **state);
void test_new_keys_by_vote(void **state);
void test_parameters(void **state);
void test_void_parameters(void **state);
void test_evidence(void **state);
void test_evidence_national(void **state);
void test_status_lists(void **state);
void test_status_before(void **state);
void test_lottery(void **state);
void test_lottery_repeated(void **state);
void test_lottery_of_two_spoilt(void **state);
void test_lottery_of_two_repeated(void **state);
void test_rules_switch(void **state);
void test_validators(void **state);
void test_misbehavior(void **state);
void test_misbehavior_leaves_no_trace(void **state);
void test_misbehavior_has_room(void **state);
void test_blocks_that_vouch(void **state);
void test_replaced_validator_keys(void **state);
void test_epochs(void **state);
void test_epoch_times(void **state);

#endif
