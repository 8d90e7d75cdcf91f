/* The verifier: a whole story is valid, and lies about members, keys and results are found and
 * named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "ledger/verify/test_story.h"
#include "ledger/verify/verify_print.h"

static void the_story_is_valid(void **state)
{
    struct ledger_verified *r;
    struct ledger_verified_query *q;

    (void)state;
    story_tell_all();
    for (size_t chunk = 1; chunk < 100000; chunk = chunk * 7 + 13) {
        if (story_verify(&r, w->bundle.p, w->bundle.len, chunk) != FM_OK)
            fail_msg("%s", err.text);
        ledger_verified_free(r);
    }
    assert_int_equal(story_verify(&r, w->bundle.p, w->bundle.len, 65536), FM_OK);
    assert_int_equal(r->size, w->log.size);
    assert_int_equal(r->height, w->height);
    assert_int_equal(r->time_ms, w->time_ms);
    assert_int_equal(r->accepted, 23);
    assert_int_equal(r->refused, 2);
    assert_int_equal(r->by_rule[LEDGER_RULE_CONSENT_REVOKED], 1);
    assert_int_equal(r->by_rule[LEDGER_RULE_MEMBER_SUSPENDED], 1);
    assert_int_equal(r->hidden, 0);
    assert_int_equal(r->states, 2);
    assert_int_equal(ledger_members_count(r->members), 5);
    assert_int_equal(ledger_members_active(r->members), 3);
    assert_int_equal(r->checkpoint.n, 3);
    assert_int_equal(r->n_queries, 3);
    q = &r->queries[0];
    assert_true(q->closed && q->outcome == LEDGER_RECEIPT_DONE && q->signers == 3 &&
                q->receipts == 1 && q->closed_ms == q->opened_ms + w->step_ms);
    assert_string_equal(r->contracts[q->contract].purpose, "credit decision");
    q = &r->queries[1];
    assert_true(q->closed && q->outcome == LEDGER_RECEIPT_ABORTED && q->signers == 1);
    assert_string_equal(q->party, "bank_b");
    assert_string_equal(q->rule, "peer.left");
    assert_false(r->queries[2].closed);
    ledger_verified_free(r);
}

static void it_says_what_it_found(void **state)
{
    struct ledger_verified *r;
    char *text = NULL;
    size_t len;
    FILE *f;
    json_t *json;
    json_error_t at;

    (void)state;
    story_tell_all();
    assert_int_equal(story_verify(&r, w->bundle.p, w->bundle.len, 65536), FM_OK);
    f = open_memstream(&text, &len);
    assert_int_equal(ledger_verify_print_text(f, r, false, &err), FM_OK);
    (void)fclose(f);
    assert_non_null(strstr(text, "valid: ledger \"test consortium\""));
    assert_non_null(strstr(text, "\"exposure\" for \"credit decision\": done, signed by 3"));
    assert_non_null(strstr(text, ": aborted (peer.left), naming bank_b"));
    assert_non_null(strstr(text, "consent.revoked"));
    assert_non_null(strstr(text, "threat model of rep3: at most one of the three compute parties"));
    assert_non_null(strstr(text, "compare the chain id"));
    free(text);
    f = open_memstream(&text, &len);
    assert_int_equal(ledger_verify_print_json(f, r, NULL, NULL, &err), FM_OK);
    (void)fclose(f);
    json = json_loadb(text, len, 0, &at);
    assert_non_null(json);
    assert_int_equal(json_array_size(json_object_get(json, "queries")), 3);
    assert_string_equal(json_string_value(json_object_get(
                            json_array_get(json_object_get(json, "queries"), 0), "purpose")),
                        "credit decision");
    json_decref(json);
    free(text);
    ledger_verified_free(r);
}

/* ---- lies, each in an otherwise proper and cosigned bundle ---- */

static void signatures_are_checked(void **state)
{
    json_t *tx = story_dataset(1);
    uint64_t leaf;

    (void)state;
    assert_int_equal(json_object_set_new(json_object_get(tx, "body"), "rows", json_integer(7)), 0);
    leaf = world_put(w, tx, LEDGER_RULE_OK);
    story_finish();
    story_expect_invalid("proof", leaf, "");
}

static void refused_ones_are_authentic_too(void **state)
{
    json_t *tx = story_dataset(1);
    uint64_t leaf;

    (void)state;
    (void)json_object_del(tx, "proof");
    world_sign(tx, w->m[2].node);
    leaf = world_put(w, tx, LEDGER_RULE_DATASET_VERSION);
    story_finish();
    story_expect_invalid("proof", leaf, "has no key");
}

static void roles_and_results_agree(void **state)
{
    json_t *body = json_pack("{s:s, s:s}", "alias", "bank_c", "reason", "late");
    json_t *tx = world_tx_unsigned(w, LEDGER_TX_MEMBER_SUSPEND, 0, body);
    uint64_t leaf;

    (void)state;
    world_sign(tx, w->m[0].officer[0]); /* one of two */
    leaf = world_put(w, tx, LEDGER_RULE_OK);
    story_finish();
    story_expect_invalid("result", leaf, "it must be refused by auth.threshold");
}

static void refusals_are_not_made_up(void **state)
{
    uint64_t leaf;

    (void)state;
    leaf = world_put(w, story_dataset(1), LEDGER_RULE_AUTH_ROLE);
    story_finish();
    story_expect_invalid("result", leaf, "the right keys signed");
}

static void dropped_codes_are_no_results(void **state)
{
    uint64_t leaf;

    (void)state;
    leaf = world_put(w, story_dataset(1), LEDGER_DROP_QUOTA);
    story_finish();
    story_expect_invalid("result", leaf, "neither ok nor refused");
}

static void strangers_do_not_send(void **state)
{
    uint64_t leaf;

    (void)state;
    leaf = world_put(w, story_dataset(WORLD_NEW), LEDGER_RULE_OK);
    story_finish();
    story_expect_invalid("transaction", leaf, "is no member");
}

static void nothing_is_there_twice(void **state)
{
    json_t *tx = story_dataset(1);
    uint64_t leaf;

    (void)state;
    (void)world_put(w, json_incref(tx), LEDGER_RULE_OK);
    (void)world_block(w);
    leaf = world_put(w, tx, LEDGER_RULE_DATASET_VERSION);
    story_finish();
    story_expect_invalid("repeat", leaf, "on the log already");
}

static void nothing_is_too_late_or_too_early(void **state)
{
    uint64_t leaf;

    (void)state;
    (void)world_put(w, story_dataset(1), LEDGER_RULE_OK);
    (void)world_block(w);
    (void)world_put(w, story_dataset(2), LEDGER_RULE_OK);
    w->step_ms = 3600001;
    leaf = world_block(w);
    world_checkpoint(w, ALL);
    story_expect_invalid("time", leaf, "leaf 3 had expired");
}

static void nothing_is_valid_for_too_long(void **state)
{
    json_t *tx;
    uint64_t leaf;

    (void)state;
    w->time_ms += 24 * 3600000; /* while it is made */
    tx = story_dataset(1);
    w->time_ms -= 24 * 3600000;
    (void)world_put(w, tx, LEDGER_RULE_OK);
    leaf = world_block(w);
    world_checkpoint(w, ALL);
    story_expect_invalid("time", leaf, "further ahead");
}

static void other_ledgers_stay_outside(void **state)
{
    json_t *tx;
    uint64_t leaf;

    (void)state;
    w->chain[0] ^= 1;
    tx = story_dataset(1);
    w->chain[0] ^= 1;
    leaf = world_put(w, tx, LEDGER_RULE_OK);
    story_finish();
    story_expect_invalid("chain", leaf, "another ledger");
}

static void the_suspended_are_silent(void **state)
{
    json_t *out = story_suspend(0, "bank_c");
    uint64_t leaf;

    (void)state;
    (void)world_put(w, json_incref(out), LEDGER_RULE_OK);
    (void)world_put(w, story_vote(1, out, true), LEDGER_RULE_OK);
    (void)world_put(w, story_vote(3, out, true), LEDGER_RULE_OK);
    leaf = world_put(w, story_dataset(2), LEDGER_RULE_OK);
    json_decref(out);
    story_finish();
    story_expect_invalid("result", leaf, "it must be refused by member.suspended");
}

static void the_suspended_do_not_cosign(void **state)
{
    json_t *out = story_suspend(0, "bank_c");

    (void)state;
    (void)world_put(w, json_incref(out), LEDGER_RULE_OK);
    (void)world_put(w, story_vote(1, out, true), LEDGER_RULE_OK);
    (void)world_put(w, story_vote(3, out, true), LEDGER_RULE_OK);
    json_decref(out);
    story_finish();
    story_expect_invalid("cosignature", LEDGER_NO_LEAF, "is no active member");
}

static void old_keys_do_not_cosign(void **state)
{
    json_t *body = world_next_document(w, 2, false);
    struct did_secret *new;

    (void)state;
    (void)world_put(w, world_tx(w, LEDGER_TX_DID_UPDATE, 2, body), LEDGER_RULE_OK);
    (void)world_block(w);
    new = w->m[2].node;
    w->m[2].node = w->m[2].old_node;
    world_checkpoint(w, ALL);
    w->m[2].node = new;
    story_expect_invalid("cosignature", LEDGER_NO_LEAF, "bank_c has no assertionMethod key");
}

static void old_keys_do_not_send(void **state)
{
    json_t *body = world_next_document(w, 1, false), *tx;
    struct did_secret *new = w->m[1].node;
    uint64_t leaf;

    (void)state;
    (void)world_put(w, world_tx(w, LEDGER_TX_DID_UPDATE, 1, body), LEDGER_RULE_OK);
    w->m[1].node = w->m[1].old_node;
    tx = story_dataset(1);
    w->m[1].node = new;
    leaf = world_put(w, tx, LEDGER_RULE_OK);
    story_finish();
    story_expect_invalid("proof", leaf, "has no key");
}

static void nobody_votes_twice(void **state)
{
    json_t *out = story_suspend(0, "bank_c");
    uint64_t leaf;

    (void)state;
    (void)world_put(w, json_incref(out), LEDGER_RULE_OK);
    leaf = world_put(w, story_vote(0, out, true), LEDGER_RULE_OK);
    json_decref(out);
    story_finish();
    story_expect_invalid("identity", leaf, "voted already");
}

static void decided_is_decided(void **state)
{
    json_t *out = story_suspend(0, "bank_c");
    uint64_t leaf;

    (void)state;
    (void)world_put(w, json_incref(out), LEDGER_RULE_OK);
    (void)world_put(w, story_vote(1, out, false), LEDGER_RULE_OK);
    (void)world_put(w, story_vote(3, out, false), LEDGER_RULE_OK); /* 2 of 4 refuse */
    leaf = world_put(w, story_vote(2, out, true), LEDGER_RULE_OK);
    json_decref(out);
    story_finish();
    story_expect_invalid("identity", leaf, "no such proposal is open");
}

static void the_quorum_stays(void **state)
{
    json_t *out = story_suspend(0, "bank_c");
    uint64_t leaf;

    (void)state;
    (void)world_put(w, json_incref(out), LEDGER_RULE_OK);
    (void)world_put(w, story_vote(1, out, true), LEDGER_RULE_OK);
    (void)world_put(w, story_vote(3, out, true), LEDGER_RULE_OK);
    json_decref(out);
    leaf = world_put(w, story_suspend(0, "bank_b"), LEDGER_RULE_OK);
    story_finish();
    story_expect_invalid("identity", leaf, "cannot be suspended");
}

static void documents_follow_each_other(void **state)
{
    json_t *body = world_next_document(w, 1, false);
    uint64_t leaf;

    (void)state;
    (void)world_put(w, world_tx(w, LEDGER_TX_DID_UPDATE, 1, json_incref(body)), LEDGER_RULE_OK);
    w->time_ms++;
    leaf = world_put(w, world_tx(w, LEDGER_TX_DID_UPDATE, 1, body), LEDGER_RULE_OK);
    story_finish();
    story_expect_invalid("identity", leaf, "previous is not the hash");
}

static void officers_do_not_replace_the_recovery_key(void **state)
{
    uint64_t leaf;

    (void)state;
    leaf = world_put(w, world_tx(w, LEDGER_TX_DID_UPDATE, 1, world_next_document(w, 1, true)),
                     LEDGER_RULE_OK);
    story_finish();
    story_expect_invalid("identity", leaf, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_story_is_valid),
        T(it_says_what_it_found),
        T(signatures_are_checked),
        T(refused_ones_are_authentic_too),
        T(roles_and_results_agree),
        T(refusals_are_not_made_up),
        T(dropped_codes_are_no_results),
        T(strangers_do_not_send),
        T(nothing_is_there_twice),
        T(nothing_is_too_late_or_too_early),
        T(nothing_is_valid_for_too_long),
        T(other_ledgers_stay_outside),
        T(the_suspended_are_silent),
        T(the_suspended_do_not_cosign),
        T(old_keys_do_not_cosign),
        T(old_keys_do_not_send),
        T(nobody_votes_twice),
        T(decided_is_decided),
        T(the_quorum_stays),
        T(documents_follow_each_other),
        T(officers_do_not_replace_the_recovery_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
