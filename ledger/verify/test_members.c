/* Who belongs: what the replay of identity accepts and refuses, in bundles and alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ledger/verify/test_story.h"

static json_t *propose(const char *alias, size_t member)
{
    return world_tx(w, LEDGER_TX_MEMBER_PROPOSE, 0,
                    json_pack("{s:s, s:O, s:[], s:s}", "alias", alias, "document",
                              did_document_json(w->m[member].doc), "roles", "endpoint", "h:1"));
}

static json_t *deactivate(size_t member)
{
    char hash[65];

    base_hex(hash, did_document_hash32(w->m[member].doc), 32);
    return world_tx(w, LEDGER_TX_DID_DEACTIVATE, member, json_pack("{s:s}", "previous", hash));
}

static void nobody_leaves_below_the_quorum(void **state)
{
    uint64_t leaf;

    (void)state;
    (void)world_put(w, deactivate(3), LEDGER_RULE_OK);
    leaf = world_put(w, deactivate(2), LEDGER_RULE_OK);
    story_finish();
    story_expect_invalid("identity", leaf, "fewer active members than the quorum");
}

static void proposals_are_possible_when_made(void **state)
{
    uint64_t leaf = world_put(w, propose("dave", WORLD_NEW), LEDGER_RULE_OK);

    (void)state;
    story_finish();
    story_expect_invalid("identity", leaf, "the document has another alias");

    world_release(w);
    world_init(w);
    (void)world_put(w, propose("carol_credit", WORLD_NEW), LEDGER_RULE_OK);
    w->time_ms++;
    leaf = world_put(w, propose("carol_credit", WORLD_NEW), LEDGER_RULE_OK);
    story_finish();
    story_expect_invalid("identity", leaf, "a proposal about this alias is open");

    world_release(w);
    world_init(w);
    leaf = world_put(w, propose("bank_b", 1), LEDGER_RULE_OK);
    story_finish();
    story_expect_invalid("identity", leaf, "the alias or the DID is a member's already");
}

static void the_replay_stands_alone(void **state)
{
    struct ledger_members *m;
    json_t *out = story_suspend(0, "bank_c"), *votes[2], *json;
    struct ledger_tx tx;

    (void)state;
    votes[0] = story_vote(1, out, true);
    votes[1] = story_vote(3, out, true);
    assert_int_equal(ledger_members_new(&m, w->genesis, w->chain, &err), FM_OK);
    json = story_dataset(WORLD_NEW);
    assert_int_equal(ledger_tx_parse_json(&tx, json, &err), FM_OK);
    assert_int_equal(ledger_members_apply(m, &tx, &err), FM_E_INVALID);
    assert_string_equal(err.text, "it was accepted, but its sender is no member");
    ledger_tx_release(&tx);
    json_decref(json);
    for (int i = 0; i < 3; i++) {
        json = i == 0 ? out : votes[i - 1];
        assert_int_equal(ledger_tx_parse_json(&tx, json, &err), FM_OK);
        assert_int_equal(ledger_members_apply(m, &tx, &err), FM_OK);
        ledger_tx_release(&tx);
        json_decref(json);
    }
    assert_int_equal(ledger_members_active(m), 3);
    assert_false(ledger_members_by_alias(m, "bank_c")->active);
    json = story_dataset(2);
    assert_int_equal(ledger_tx_parse_json(&tx, json, &err), FM_OK);
    assert_int_equal(ledger_members_apply(m, &tx, &err), FM_E_INVALID);
    assert_string_equal(err.text, "it was accepted, but its sender is suspended");
    ledger_tx_release(&tx);
    json_decref(json);
    ledger_members_free(m);
}

static void geneses_are_strict(void **state)
{
    static const struct {
        const char *name, *value, *text;
    } bad[] = {
        {"quorum", "2", "quorum must be more than half of the 4 members"},
        {"quorum", "5", "quorum must be more than half of the 4 members"},
        {"sequencer", "\"nobody\"", "the sequencer is no member"},
        {"members", "[{}]", "members[0]: member 'alias' is missing"},
        {"limits", "{}", "member 'tx_bytes' is missing"},
        {"time", "-1", "member 'time' must be an integer of at least 0"},
        {"more", "1", "unknown member 'more'"},
    };
    struct ledger_members *m;
    json_t *copy = json_deep_copy(w->genesis), *list = json_object_get(copy, "members"), *first;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        json_t *changed = json_copy(w->genesis);
        assert_int_equal(json_object_set_new(changed, bad[i].name,
                                             json_loads(bad[i].value, JSON_DECODE_ANY, NULL)),
                         0);
        assert_int_equal(ledger_members_new(&m, changed, w->chain, &err), FM_E_INPUT);
        if (strstr(err.text, bad[i].text) == NULL)
            fail_msg("%s", err.text);
        json_decref(changed);
    }
    first = json_incref(json_array_get(list, 0)); /* the first one last: not sorted */
    assert_int_equal(json_array_remove(list, 0), 0);
    assert_int_equal(json_array_append_new(list, first), 0);
    assert_int_equal(ledger_members_new(&m, copy, w->chain, &err), FM_E_INPUT);
    assert_non_null(strstr(err.text, "members are not sorted by alias"));
    assert_int_equal(json_object_set_new(copy, "rules_version", json_integer(1000)), 0);
    assert_int_equal(ledger_members_new(&m, copy, w->chain, &err), FM_E_UNSUPPORTED);
    json_decref(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(nobody_leaves_below_the_quorum),
        T(proposals_are_possible_when_made),
        T(the_replay_stands_alone),
        T(geneses_are_strict),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
