/* The verifier: lies about queries, consents, blocks, states and checkpoints are found and named.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/test_profile.h"
#include "ledger/verify/test_story.h"

/* ---- queries ---- */

static json_t *with_contract(void)
{
    json_t *contract = world_contract(w);

    (void)world_put(w, world_tx(w, LEDGER_TX_CONTRACT_PROPOSE, 0, json_incref(contract)),
                    LEDGER_RULE_OK);
    return contract;
}

static json_t *with_query(void)
{
    json_t *contract = with_contract(), *open = world_open(w, contract);

    (void)world_put(w, json_incref(open), LEDGER_RULE_OK);
    json_decref(contract);
    return open;
}

static void done_needs_all_parties(void **state)
{
    json_t *open = with_query();
    uint64_t leaf = world_put(w, story_close(world_receipt(w, open, LEDGER_RECEIPT_DONE, 1u | 2u)),
                              LEDGER_RULE_OK);

    (void)state;
    json_decref(open);
    story_finish();
    story_expect_invalid("receipt", leaf, "it says done, and bank_c did not sign it");
}

static void receipts_are_signed_by_members(void **state)
{
    json_t *open = with_query();
    uint64_t leaf =
        world_put(w, story_close(world_receipt(w, open, LEDGER_RECEIPT_DONE, 7u | 1u << WORLD_NEW)),
                  LEDGER_RULE_OK);

    (void)state;
    json_decref(open);
    story_finish();
    story_expect_invalid("receipt", leaf, "is no member");
}

static void aborted_needs_its_asker(void **state)
{
    json_t *open = with_query();
    uint64_t leaf = world_put(w, story_close(world_receipt(w, open, LEDGER_RECEIPT_ABORTED, 2)),
                              LEDGER_RULE_OK);

    (void)state;
    json_decref(open);
    story_finish();
    story_expect_invalid("receipt", leaf, "the asker did not sign it");
}

static void queries_close_once(void **state)
{
    json_t *open = with_query();
    uint64_t leaf;

    (void)state;
    (void)world_put(w, story_close(world_receipt(w, open, LEDGER_RECEIPT_DONE, 7)), LEDGER_RULE_OK);
    leaf = world_put(w, story_close(world_receipt(w, open, LEDGER_RECEIPT_ABORTED, 1)),
                     LEDGER_RULE_OK);
    json_decref(open);
    story_finish();
    story_expect_invalid("query", leaf, "closed already");
}

static void queries_are_opened_first(void **state)
{
    json_t *contract = with_contract(), *open = world_open(w, contract);
    uint64_t leaf =
        world_put(w, story_close(world_receipt(w, open, LEDGER_RECEIPT_DONE, 7)), LEDGER_RULE_OK);

    (void)state;
    json_decref(open);
    json_decref(contract);
    story_finish();
    story_expect_invalid("query", leaf, "never opened");
}

static void queries_stand_under_a_contract(void **state)
{
    json_t *contract = world_contract(w);
    uint64_t leaf = world_put(w, world_open(w, contract), LEDGER_RULE_OK);

    (void)state;
    json_decref(contract);
    story_finish();
    story_expect_invalid("query", leaf, "its contract is not on the log");
}

static void only_the_asker_asks(void **state)
{
    json_t *contract = with_contract(), *open = world_open(w, contract), *tx;
    uint64_t leaf;

    (void)state;
    tx = world_tx(w, LEDGER_TX_QUERY_OPEN, 1, json_incref(json_object_get(open, "body")));
    leaf = world_put(w, tx, LEDGER_RULE_OK);
    json_decref(open);
    json_decref(contract);
    story_finish();
    story_expect_invalid("query", leaf, "bank_b may not ask");
}

static void a_party_signs_its_own_receipt_alone(void **state)
{
    json_t *open = with_query(), *receipt = world_receipt(w, open, LEDGER_RECEIPT_DONE, 3);
    uint64_t leaf = world_put(
        w, world_tx(w, LEDGER_TX_QUERY_RECEIPT, 1, json_pack("{s:o}", "receipt", receipt)),
        LEDGER_RULE_OK);

    (void)state;
    json_decref(open);
    story_finish();
    story_expect_invalid("receipt", leaf, "its own proof, no other");
}

static void consents_are_signed_by_the_subject(void **state)
{
    struct did_secret *subject = world_secret(w);
    json_t *consent = world_consent(w, subject);
    uint64_t leaf;

    (void)state;
    assert_int_equal(json_object_set_new(consent, "uses", json_integer(50)), 0);
    leaf = world_put(w, story_consent(consent), LEDGER_RULE_OK);
    did_secret_free(subject);
    story_finish();
    story_expect_invalid("consent", leaf, "");
}

static void only_the_subject_revokes(void **state)
{
    struct did_secret *subject = world_secret(w);
    json_t *consent = world_consent(w, subject);
    uint64_t leaf;

    (void)state;
    (void)world_put(w, story_consent(json_incref(consent)), LEDGER_RULE_OK);
    leaf = world_put(w, story_revocation(consent, w->m[1].node), LEDGER_RULE_OK);
    json_decref(consent);
    did_secret_free(subject);
    story_finish();
    story_expect_invalid("consent", leaf, "not by the subject's key");
}

/* ---- blocks ---- */

static void block_leaves_are_chained(void **state)
{
    static const struct {
        const char *name, *check;
        int kind; /* 0: a wrong hash, 1: the number n */
        json_int_t n;
    } lies[] = {
        {"prev", "prev", 0, 0},
        {"tx_root", "tx_root", 0, 0},
        {"result_root", "result_root", 0, 0},
        {"height", "block", 1, 1},
        {"time", "block", 1, 1790000001000},
        {"txs", "block", 1, 2},
        {"epoch", "block", 1, 1},
        {"kind", "block", 1, 1},
        {"more", "block", 1, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        uint64_t leaf;
        world_release(w);
        world_init(w);
        (void)world_put(w, story_dataset(1), LEDGER_RULE_OK);
        (void)world_block(w);
        (void)world_put(w, story_dataset(2), LEDGER_RULE_OK);
        w->overrides = lies[i].kind == 0
                           ? json_pack("{s:s}", lies[i].name,
                                       "0000000000000000000000000000000000000000000000000000000000"
                                       "000001")
                           : json_pack("{s:I}", lies[i].name, lies[i].n);
        leaf = world_block(w);
        world_checkpoint(w, ALL);
        story_expect_invalid(lies[i].check, leaf, "");
    }
}

static void later_rules_are_not_guessed(void **state)
{
    uint64_t leaf;

    (void)state;
    test_profile_international();
    (void)world_put(w, story_dataset(1), LEDGER_RULE_OK);
    w->overrides = json_pack("{s:i}", "rules_version", 2);
    leaf = world_block(w);
    world_checkpoint(w, ALL);
    story_expect_invalid("block", leaf, "rules version 2, where what was voted leads to version 1");
}

/* A kind that only later rules have. */
static void kinds_wait_for_their_rules(void **state)
{
    uint64_t leaf;

    (void)state;
    test_profile_international();
    (void)world_put(
        w,
        world_tx(w, LEDGER_TX_MEMBER_CHANGE, 1,
                 json_pack("{s:s, s:[], s:s}", "alias", "bank_a", "roles", "endpoint", "h:1")),
        LEDGER_RULE_OK);
    leaf = world_block(w);
    world_checkpoint(w, ALL);
    story_expect_invalid("block", leaf, "is of a kind that rules version 1 does not have");
}

static void empty_blocks_leave_no_leaf(void **state)
{
    uint64_t leaf = world_block(w);

    (void)state;
    world_checkpoint(w, ALL);
    story_expect_invalid("block", leaf, "empty blocks leave no leaf");
}

static void the_log_ends_with_a_block(void **state)
{
    (void)state;
    (void)world_put(w, story_dataset(1), LEDGER_RULE_OK);
    world_checkpoint(w, ALL);
    story_expect_invalid("checkpoint", LEDGER_NO_LEAF, "does not end with a block leaf");
}

/* ---- states, checkpoints, order ---- */

static void states_are_proved(void **state)
{
    json_t *value = json_pack("{s:s}", "status", "open"),
           *other = json_pack("{s:s}", "status", "done");

    (void)state;
    world_state(w, "query/1", json_incref(value));
    (void)world_put(w, story_dataset(1), LEDGER_RULE_OK);
    (void)world_block(w);
    world_prove(w, "query/1", other);
    world_checkpoint(w, ALL);
    story_expect_invalid("state", LEDGER_NO_LEAF, "another root");
    json_decref(value);
    json_decref(other);
}

static void absence_is_proved(void **state)
{
    (void)state;
    world_state(w, "query/1", json_pack("{s:s}", "status", "open"));
    (void)world_put(w, story_dataset(1), LEDGER_RULE_OK);
    (void)world_block(w);
    world_prove(w, "query/1", NULL); /* it is there */
    world_checkpoint(w, ALL);
    story_expect_invalid("state", LEDGER_NO_LEAF, "");
}

static void states_agree_with_the_story(void **state)
{
    json_t *value = json_pack("{s:s, s:s}", "did", w->m[2].did, "status", "suspended");

    (void)state;
    world_state(w, "member/bank_c", json_incref(value));
    (void)world_hide(w, story_dataset(1), LEDGER_RULE_OK); /* a vote, for all one can see */
    (void)world_block(w);
    world_prove(w, "member/bank_c", value);
    world_checkpoint(w, ALL);
    story_expect_invalid("state", LEDGER_NO_LEAF, "'member/bank_c' is not what");
    assert_non_null(strstr(err.text, "1 accepted entries are not disclosed"));
    json_decref(value);
}

/* Nothing in the log changed the parameters. */
static void parameters_agree_with_the_story(void **state)
{
    static const struct {
        const char *name, *value; /* JSON; NULL: none of that name */
    } lies[] = {
        {"quorum", "2"},        {"quorum_since", "1"},
        {"epoch", "1"},         {"sequencer", "\"bank_b\""},
        {"limits", NULL},       {"limits", "{}"},
        {"rules_version", "2"}, {"next_rules", "{\"height\":9,\"version\":2}"},
        {"next_rules", "{}"},
    };

    (void)state;
    test_profile_international();
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        json_t *value = story_params();

        world_release(w);
        world_init(w);
        if (lies[i].value != NULL)
            assert_int_equal(json_object_set_new(value, lies[i].name,
                                                 json_loads(lies[i].value, JSON_DECODE_ANY, NULL)),
                             0);
        else
            assert_int_equal(json_object_del(value, lies[i].name), 0);
        world_state(w, "param", json_incref(value));
        (void)world_put(w, story_dataset(1), LEDGER_RULE_OK);
        (void)world_block(w);
        world_prove(w, "param", value);
        world_checkpoint(w, ALL);
        story_expect_invalid("state", LEDGER_NO_LEAF, "'param' is not what");
        json_decref(value);
    }
}

static void states_are_sorted(void **state)
{
    (void)state;
    (void)world_put(w, story_dataset(1), LEDGER_RULE_OK);
    (void)world_block(w);
    world_prove(w, "b", NULL);
    world_prove(w, "a", NULL);
    world_checkpoint(w, ALL);
    story_expect_invalid("order", LEDGER_NO_LEAF, "not sorted");
}

static void two_of_four_are_no_quorum(void **state)
{
    (void)state;
    (void)world_put(w, story_dataset(1), LEDGER_RULE_OK);
    (void)world_block(w);
    world_checkpoint(w, 1u | 8u);
    story_expect_invalid("quorum", LEDGER_NO_LEAF, "2 members cosigned, 3 are needed");
}

static void strangers_do_not_cosign(void **state)
{
    (void)state;
    (void)world_put(w, story_dataset(1), LEDGER_RULE_OK);
    (void)world_block(w);
    world_checkpoint(w, ALL | 1u << WORLD_NEW);
    story_expect_invalid("cosignature", LEDGER_NO_LEAF, "is no active member");
}

static void the_checkpoint_is_over_this_log(void **state)
{
    (void)state;
    (void)world_put(w, story_dataset(1), LEDGER_RULE_OK);
    (void)world_block(w);
    w->log.node[0][0] ^= 1;
    world_checkpoint(w, ALL);
    story_expect_invalid("root", LEDGER_NO_LEAF, "another log");
}

static void something_follows_the_end(void **state)
{
    (void)state;
    story_finish();
    world_checkpoint(w, ALL);
    story_expect_invalid("block", 1, "");
    world_release(w);
    world_init(w);
    world_checkpoint(w, ALL);
    story_expect_valid();
    world_checkpoint(w, ALL);
    story_expect_invalid("end", LEDGER_NO_LEAF, "no place");
    world_release(w);
    world_init(w);
    story_expect_invalid("end", LEDGER_NO_LEAF, "without a checkpoint");
}

static void the_ledger_is_the_one_asked_for(void **state)
{
    (void)state;
    world_checkpoint(w, ALL);
    w->chain[5] ^= 1; /* what the user expects */
    story_expect_invalid("chain", LEDGER_NO_LEAF, "not the ledger that was asked for");
}

static void hidden_payloads_keep_their_place(void **state)
{
    json_t *contract = world_contract(w), *open;
    struct ledger_verified *r;

    (void)state;
    (void)world_hide(w, world_tx(w, LEDGER_TX_CONTRACT_PROPOSE, 0, json_incref(contract)),
                     LEDGER_RULE_OK);
    (void)world_hide(w, world_open(w, contract), LEDGER_RULE_CONSENT_MISSING);
    w->time_ms++;
    open = world_open(w, contract);
    (void)world_put(w, json_incref(open), LEDGER_RULE_OK);
    (void)world_put(w, story_close(world_receipt(w, open, LEDGER_RECEIPT_DONE, 1)), LEDGER_RULE_OK);
    json_decref(open);
    json_decref(contract);
    story_finish();
    assert_int_equal(story_verify(&r, w->bundle.p, w->bundle.len, 65536), FM_OK);
    assert_int_equal(r->hidden, 2);
    assert_int_equal(r->hidden_accepted, 1);
    assert_int_equal(r->queries[0].contract, LEDGER_NO_INDEX);
    ledger_verified_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(done_needs_all_parties),
        T(receipts_are_signed_by_members),
        T(aborted_needs_its_asker),
        T(queries_close_once),
        T(queries_are_opened_first),
        T(queries_stand_under_a_contract),
        T(only_the_asker_asks),
        T(a_party_signs_its_own_receipt_alone),
        T(consents_are_signed_by_the_subject),
        T(only_the_subject_revokes),
        T(block_leaves_are_chained),
        T(later_rules_are_not_guessed),
        T(kinds_wait_for_their_rules),
        T(empty_blocks_leave_no_leaf),
        T(the_log_ends_with_a_block),
        T(states_are_proved),
        T(absence_is_proved),
        T(states_agree_with_the_story),
        T(parameters_agree_with_the_story),
        T(states_are_sorted),
        T(two_of_four_are_no_quorum),
        T(strangers_do_not_cosign),
        T(the_checkpoint_is_over_this_log),
        T(something_follows_the_end),
        T(the_ledger_is_the_one_asked_for),
        T(hidden_payloads_keep_their_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
