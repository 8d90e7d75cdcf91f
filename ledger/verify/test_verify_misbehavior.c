/* What the engine vouched for about validators: each of its forms that the verifier must not take,
 * and suspensions that name it as their ground. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/test_profile.h"
#include "ledger/verify/test_story.h"

/* One leaf of these members alone, or behind another, and why it is wrong. */
static void refuse_proven(json_t *first, json_t *second, enum ledger_rule rule, const char *check,
                          const char *text)
{
    uint64_t leaf = world_put(w, first, second == NULL ? rule : LEDGER_RULE_OK);

    if (second != NULL)
        leaf = world_put(w, second, rule);
    story_finish();
    story_expect_invalid(check, leaf, text);
    world_release(w);
    world_init(w);
}

static void what_is_proven_has_its_form(void **state)
{
    static const char twice[] = "duplicate.vote";
    json_t *other = story_proven("bank_a", twice, 0), *more = story_proven("bank_a", twice, 0);
    uint64_t leaf;

    (void)state;
    test_profile_international();
    (void)json_object_set_new(
        other, "chain",
        json_string("00000000000000000000000000000000000000000000000000000000000000ff"));
    (void)json_object_set_new(more, "sender", json_string("bank_a"));
    refuse_proven(other, NULL, LEDGER_RULE_OK, "misbehavior", "another ledger");
    refuse_proven(more, NULL, LEDGER_RULE_OK, "misbehavior", "unknown member 'sender'");
    refuse_proven(story_proven("bank_a", "sleep", 0), NULL, LEDGER_RULE_OK, "misbehavior",
                  "no such act");
    refuse_proven(story_proven("nobody", twice, 0), NULL, LEDGER_RULE_OK, "misbehavior",
                  "there is no member nobody");
    refuse_proven(story_proven("bank_a", twice, 0), NULL, LEDGER_RULE_MEMBER_GROUND, "misbehavior",
                  "nothing can refuse");
    refuse_proven(story_proven("bank_a", twice, 0), story_proven("bank_a", twice, 0),
                  LEDGER_RULE_OK, "misbehavior", "on the log already");
    refuse_proven(story_dataset(1), story_proven("bank_a", twice, 0), LEDGER_RULE_OK, "misbehavior",
                  "behind a transaction");
    (void)world_put(w, story_proven("bank_a", twice, 0), LEDGER_RULE_OK);
    leaf = world_block(w);
    world_checkpoint(w, ALL);
    story_expect_invalid("block", leaf, "is of a kind that rules version 1 does not have");
}

/* What was done at the block's own height, or above, is not before it. */
static void it_was_done_before_its_block(void **state)
{
    uint64_t leaf;

    (void)state;
    for (int height = 1; height < 4; height++) {
        (void)world_put(w, story_proven("bank_a", "duplicate.vote", 0), LEDGER_RULE_OK);
        (void)world_put(w, story_proven("bank_a", "duplicate.vote", height), LEDGER_RULE_OK);
        leaf = world_block(w);
        world_checkpoint(w, ALL);
        story_expect_invalid("misbehavior", leaf, "stands in block 1");
        world_release(w);
        world_init(w);
    }
}

/* The suspension of `alias` on the ground of `entry`, which is on the log if it is to be put. */
static json_t *suspend_for(const char *alias, json_t *entry, bool put)
{
    struct base_buf bytes = {0};
    uint8_t id[32];
    char hex[65];

    assert_int_equal(base_json_canonical(&bytes, entry, &err), FM_OK);
    base_hash(id, bytes.p, bytes.len);
    base_hex(hex, id, 32);
    base_buf_release(&bytes);
    if (put)
        (void)world_put(w, json_incref(entry), LEDGER_RULE_OK);
    json_decref(entry);
    return world_tx(
        w, LEDGER_TX_MEMBER_SUSPEND, 0,
        json_pack("{s:s, s:s, s:s}", "alias", alias, "reason", "it voted twice", "ground", hex));
}

static void expect_ground(const char *about, const char *alias, bool put, enum ledger_rule rule,
                          const char *text)
{
    json_t *tx = suspend_for(alias, story_proven(about, "duplicate.vote", 0), put);
    uint64_t leaf = world_put(w, tx, rule);

    if (strcmp(text, "rules version 1") == 0) { /* the ground is good; that world is of version 1 */
        leaf = world_block(w);
        world_checkpoint(w, ALL);
        story_expect_invalid("block", leaf, text);
    } else {
        story_finish();
        story_expect_invalid("misbehavior", leaf, text);
    }
    world_release(w);
    world_init(w);
}

static void grounds_are_of_that_member(void **state)
{
    (void)state;
    test_profile_international();
    expect_ground("bank_b", "bank_b", true, LEDGER_RULE_OK, "rules version 1");
    expect_ground("bank_b", "bank_b", false, LEDGER_RULE_OK, "its ground is not on the log");
    expect_ground("bank_c", "bank_b", true, LEDGER_RULE_OK, "its ground is not about that member");
    expect_ground("bank_b", "bank_b", true, LEDGER_RULE_MEMBER_GROUND, "but its ground is one");
    expect_ground("bank_c", "bank_b", true, LEDGER_RULE_MEMBER_GROUND, "rules version 1");
    expect_ground("bank_b", "bank_b", false, LEDGER_RULE_MEMBER_QUORUM, "rules version 1");
}

/* Under the rules that have them: what was proven, and a suspension for it that is accepted. */
static void a_good_ground_is_valid(void **state)
{
    (void)state;
    test_profile_international();
    world_release(w);
    world_rules_version = LEDGER_MISBEHAVIOR_SINCE;
    world_init(w);
    (void)world_put(w, suspend_for("bank_b", story_proven("bank_b", "duplicate.vote", 0), true),
                    LEDGER_RULE_OK);
    story_finish();
    story_expect_valid();
    world_rules_version = 0;
}

/* Where accepted entries are not disclosed, the ground may be among them. */
static void a_ground_may_be_hidden(void **state)
{
    json_t *tx;
    uint64_t leaf;

    (void)state;
    test_profile_international();
    (void)world_hide(w, story_dataset(1), LEDGER_RULE_OK);
    tx = suspend_for("bank_b", story_proven("bank_b", "duplicate.vote", 0), false);
    (void)world_put(w, tx, LEDGER_RULE_OK);
    leaf = world_block(w);
    world_checkpoint(w, ALL);
    story_expect_invalid("block", leaf, "rules version 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_is_proven_has_its_form), T(it_was_done_before_its_block),
        T(grounds_are_of_that_member),  T(a_good_ground_is_valid),
        T(a_ground_may_be_hidden),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
