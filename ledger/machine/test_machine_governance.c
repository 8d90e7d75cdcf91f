/* Governance under rules version 2: every kind of proposal, what it does, when it is void; the
 * switch from one rules version to the next. Each story is also told to the verifier, from a
 * bundle, whose rules are its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/test_profile.h"
#include "ledger/machine/test_machine.h"
#include "ledger/machine/test_machine_trail.h"

static struct base_err err;

static void must(fm_status st)
{
    if (st != FM_OK)
        fail_msg("%s", err.text);
}

/* Cosigned by these, the whole log and its parameters hold for the verifier as well. */
static void verify(struct town *t, unsigned cosigners, uint64_t quorum, uint32_t rules)
{
    struct ledger_verified *report = trail_verify(t, cosigners);

    assert_int_equal(ledger_members_terms(report->members)->quorum, quorum);
    assert_int_equal(ledger_members_terms(report->members)->rules_version, rules);
    ledger_verified_free(report);
}

static int64_t param(const struct town *t, const char *name)
{
    return json_integer_value(json_object_get(trail_state(t, "param"), name));
}

static int64_t limit(const struct town *t, const char *name)
{
    return json_integer_value(
        json_object_get(json_object_get(trail_state(t, "param"), "limits"), name));
}

static bool is_active(const struct town *t, const char *key)
{
    const char *status = json_string_value(json_object_get(trail_state(t, key), "status"));

    assert_non_null(status);
    return strcmp(status, "active") == 0;
}

static struct base_buf vote(struct town *t, int sender, struct town_id id, bool accept)
{
    return town_tx(t, LEDGER_TX_MEMBER_VOTE, sender,
                   json_pack("{s:s, s:b}", "proposal", id.text, "accept", accept ? 1 : 0));
}

/* Proposed by bank_a and accepted by these two. */
static void carry(struct town *t, enum ledger_tx_type type, json_t *body, int second, int third)
{
    struct base_buf tx = town_tx(t, type, BANK_A, body);
    struct town_id id = town_tx_id(&tx);

    town_ok(t, tx);
    town_ok(t, vote(t, second, id, true));
    if (third >= 0)
        town_ok(t, vote(t, third, id, true));
}

static json_t *about(const char *alias)
{
    return json_pack("{s:s, s:s}", "alias", alias, "reason", "test");
}

static json_t *newcomer(struct town *t, const char *role)
{
    return json_pack("{s:s, s:O, s:[s], s:s}", "alias", "newcomer", "document",
                     did_document_json(t->who[NEWCOMER].doc), "roles", role, "endpoint",
                     "10.0.0.9:1");
}

static json_t *parameters(const char *name, json_t *value)
{
    return json_pack("{s:s, s:o}", "reason", "test", name, value);
}

static struct base_buf propose(struct town *t, enum ledger_tx_type type, json_t *body)
{
    return town_tx(t, type, BANK_A, body);
}

void test_coming_and_going(void **state)
{
    struct town t;
    struct town_id id;
    struct base_buf tx;

    (void)state;
    trail_begin(&t, 2, TRAIL_PLAIN);
    town_refused(&t, propose(&t, LEDGER_TX_MEMBER_REINSTATE, about("nobody")),
                 LEDGER_RULE_MEMBER_UNKNOWN);
    town_refused(&t, propose(&t, LEDGER_TX_MEMBER_REINSTATE, about("bank_b")),
                 LEDGER_RULE_MEMBER_ACTIVE);
    carry(&t, LEDGER_TX_MEMBER_SUSPEND, about("bank_b"), BANK_C, REGULATOR);
    assert_false(is_active(&t, "member/bank_b"));
    town_refused(&t, town_publish(&t, BANK_B, 1, 1, "balance"), LEDGER_RULE_MEMBER_SUSPENDED);
    /* Two ask for it at once: one carries, the other has nothing left to do. */
    tx = propose(&t, LEDGER_TX_MEMBER_REINSTATE, about("bank_b"));
    id = town_tx_id(&tx);
    town_ok(&t, tx);
    town_refused(&t, propose(&t, LEDGER_TX_MEMBER_REINSTATE, about("bank_b")),
                 LEDGER_RULE_PROPOSAL_EXISTS);
    town_ok(&t, vote(&t, BANK_C, id, true));
    assert_true(is_active(&t, "member/bank_b"));
    town_ok(&t, town_publish(&t, BANK_B, 1, 1, "balance"));

    /* A witness joins: of five, a quorum is three at least, as before. */
    carry(&t, LEDGER_TX_MEMBER_PROPOSE, newcomer(&t, "witness"), BANK_B, BANK_C);
    assert_int_equal(param(&t, "quorum"), 3);
    town_refused(&t, town_publish(&t, NEWCOMER, 1, 1, "balance"), LEDGER_RULE_MEMBER_ROLE);
    /* It becomes a bank, elsewhere. */
    town_refused(&t,
                 propose(&t, LEDGER_TX_MEMBER_CHANGE,
                         json_pack("{s:s, s:[s], s:s}", "alias", "newcomer", "roles", "king",
                                   "endpoint", "10.0.0.9:1")),
                 LEDGER_RULE_MEMBER_SHAPE);
    town_refused(&t,
                 propose(&t, LEDGER_TX_MEMBER_CHANGE,
                         json_pack("{s:s, s:[s], s:s}", "alias", "nobody", "roles", "asker",
                                   "endpoint", "10.0.0.9:1")),
                 LEDGER_RULE_MEMBER_UNKNOWN);
    carry(&t, LEDGER_TX_MEMBER_CHANGE,
          json_pack("{s:s, s:[s,s], s:s}", "alias", "newcomer", "roles", "asker", "provider",
                    "endpoint", "10.0.0.10:2"),
          BANK_B, BANK_C);
    town_ok(&t, town_publish(&t, NEWCOMER, 1, 1, "balance"));

    /* A DID that ended is not brought back. */
    {
        char hash[65];

        base_hex(hash, did_document_hash32(t.who[BANK_C].doc), 32);
        town_ok(&t, town_tx(&t, LEDGER_TX_DID_DEACTIVATE, BANK_C,
                            json_pack("{s:s}", "previous", hash)));
    }
    town_refused(&t, propose(&t, LEDGER_TX_MEMBER_REINSTATE, about("bank_c")),
                 LEDGER_RULE_DID_DEACTIVATED);
    verify(&t, 1 << BANK_A | 1 << BANK_B | 1 << REGULATOR, 3, 2);
    trail_end(&t);
}

/* A member that lost every key, the recovery key too, gets new ones by a vote; its DID stays. */
void test_new_keys_by_vote(void **state)
{
    struct town t;
    json_t *document, *stale;

    (void)state;
    trail_begin(&t, 2, TRAIL_PLAIN);
    town_refused(
        &t,
        propose(&t, LEDGER_TX_MEMBER_REKEY,
                json_pack("{s:s, s:{}, s:s}", "alias", "bank_b", "document", "reason", "test")),
        LEDGER_RULE_DID_SHAPE);
    stale = json_deep_copy(did_document_json(t.who[BANK_B].doc));
    town_refused(&t,
                 propose(&t, LEDGER_TX_MEMBER_REKEY,
                         json_pack("{s:s, s:o, s:s}", "alias", "bank_b", "document", stale,
                                   "reason", "test")),
                 LEDGER_RULE_DID_SUCCESSION);
    stale = json_deep_copy(did_document_json(t.who[BANK_B].doc));
    town_refused(&t,
                 propose(&t, LEDGER_TX_MEMBER_REKEY,
                         json_pack("{s:s, s:o, s:s}", "alias", "nobody", "document", stale,
                                   "reason", "test")),
                 LEDGER_RULE_MEMBER_UNKNOWN);
    document = town_next_document(&t, BANK_B, true);
    town_refused(&t, town_publish(&t, BANK_B, 1, 1, "balance"), LEDGER_DROP_PROOF);
    carry(&t, LEDGER_TX_MEMBER_REKEY,
          json_pack("{s:s, s:o, s:s}", "alias", "bank_b", "document", document, "reason", "lost"),
          BANK_C, REGULATOR);
    town_ok(&t, town_publish(&t, BANK_B, 1, 1, "balance"));
    verify(&t, 1 << BANK_A | 1 << BANK_B | 1 << REGULATOR, 3, 2);
    trail_end(&t);
}

void test_parameters(void **state)
{
    struct town t;
    struct town_id id;
    struct base_buf tx;
    struct ledger_outcome out[2];
    struct base_buf block[2];

    (void)state;
    trail_begin(&t, 2, TRAIL_PLAIN);
    town_refused(&t,
                 propose(&t, LEDGER_TX_PARAMETER_PROPOSE, parameters("quorum", json_integer(2))),
                 LEDGER_RULE_MEMBER_QUORUM);
    town_refused(&t,
                 propose(&t, LEDGER_TX_PARAMETER_PROPOSE, parameters("quorum", json_integer(5))),
                 LEDGER_RULE_MEMBER_QUORUM);
    town_refused(&t,
                 propose(&t, LEDGER_TX_PARAMETER_PROPOSE,
                         parameters("limits", json_pack("{s:i}", "block_bytes", 32767))),
                 LEDGER_RULE_PARAMETER_LIMITS);
    town_refused(&t,
                 propose(&t, LEDGER_TX_PARAMETER_PROPOSE,
                         parameters("rules", json_pack("{s:i, s:i}", "version", 2, "height", 9))),
                 LEDGER_RULE_PARAMETER_RULES);
    carry(&t, LEDGER_TX_PARAMETER_PROPOSE, parameters("quorum", json_integer(4)), BANK_B, BANK_C);
    assert_int_equal(param(&t, "quorum"), 4);
    /* None may go then, and one that joins need not raise it. */
    town_refused(&t, propose(&t, LEDGER_TX_MEMBER_SUSPEND, about("bank_b")),
                 LEDGER_RULE_MEMBER_QUORUM);
    carry(&t, LEDGER_TX_PARAMETER_PROPOSE, parameters("quorum", json_integer(3)), BANK_B, BANK_C);

    /* A limit begins with the block after the vote. */
    tx = propose(&t, LEDGER_TX_PARAMETER_PROPOSE,
                 parameters("limits",
                            json_pack("{s:i, s:i}", "not_after_ms", 1000, "block_bytes", 1 << 22)));
    id = town_tx_id(&tx);
    town_ok(&t, tx);
    town_ok(&t, vote(&t, BANK_B, id, true));
    block[0] = vote(&t, BANK_C, id, true);
    block[1] = town_publish(&t, BANK_A, 1, 1, "balance");
    town_block(&t, out, block, 2, 1000);
    assert_true(out[0].verdict == LEDGER_OK && out[1].verdict == LEDGER_OK);
    assert_int_equal(limit(&t, "not_after_ms"), 1000);
    assert_int_equal(limit(&t, "block_bytes"), 1 << 22);
    assert_int_equal(limit(&t, "tx_bytes"), 32768);
    town_refused(&t, town_publish(&t, BANK_A, 2, 1, "balance"), LEDGER_DROP_TOO_FAR);
    verify(&t, 7, 3, 2);
    trail_end(&t);
}

/* Two that were possible one by one, and not together: the second is void, for all who look. */
void test_void_parameters(void **state)
{
    struct town t;
    struct town_id about_b, about_limits;
    struct base_buf tx;

    (void)state;
    trail_begin(&t, 2, TRAIL_PLAIN);
    tx = propose(&t, LEDGER_TX_PARAMETER_PROPOSE, parameters("quorum", json_integer(4)));
    about_limits = town_tx_id(&tx);
    town_ok(&t, tx);
    town_refused(&t,
                 propose(&t, LEDGER_TX_PARAMETER_PROPOSE, parameters("quorum", json_integer(3))),
                 LEDGER_RULE_PROPOSAL_EXISTS);
    tx = propose(&t, LEDGER_TX_MEMBER_SUSPEND, about("bank_b"));
    about_b = town_tx_id(&tx);
    town_ok(&t, tx);
    town_ok(&t, vote(&t, BANK_C, about_b, true));
    town_ok(&t, vote(&t, REGULATOR, about_b, true));
    /* Three are active now: the quorum cannot be four. */
    town_ok(&t, vote(&t, BANK_C, about_limits, true));
    town_refused(&t, vote(&t, REGULATOR, about_limits, true), LEDGER_RULE_PROPOSAL_CLOSED);
    assert_int_equal(param(&t, "quorum"), 3);
    /* Two of three are a quorum; a fourth member makes it too small, so it rises by itself. */
    carry(&t, LEDGER_TX_PARAMETER_PROPOSE, parameters("quorum", json_integer(2)), BANK_C, -1);
    assert_int_equal(param(&t, "quorum"), 2);
    carry(&t, LEDGER_TX_MEMBER_PROPOSE, newcomer(&t, "witness"), BANK_C, -1);
    assert_int_equal(param(&t, "quorum"), 3);
    verify(&t, 1 << BANK_A | 1 << BANK_C | 1 << REGULATOR, 3, 2);
    trail_end(&t);
}

static json_t *deposit(const char *algorithm, int64_t count, char digit)
{
    char root[65];

    memset(root, digit, 64);
    root[64] = '\0';
    return json_pack("{s:s, s:I, s:s}", "algorithm", algorithm, "count", (json_int_t)count, "root",
                     root);
}

void test_evidence(void **state)
{
    struct town t;

    (void)state;
    trail_begin(&t, 2, TRAIL_PLAIN);
    town_refused(&t, town_tx(&t, LEDGER_TX_EVIDENCE_DEPOSIT, BANK_A, deposit("md5", 1, 'a')),
                 LEDGER_RULE_EVIDENCE_SHAPE);
    town_refused(
        &t, town_tx(&t, LEDGER_TX_EVIDENCE_DEPOSIT, BANK_A, deposit("sm3", (1 << 24) + 1, 'a')),
        LEDGER_RULE_EVIDENCE_SHAPE);
    town_ok(&t, town_tx(&t, LEDGER_TX_EVIDENCE_DEPOSIT, BANK_A, deposit("sm3", 1 << 24, 'a')));
    town_refused(&t, town_tx(&t, LEDGER_TX_EVIDENCE_DEPOSIT, BANK_B, deposit("sha256", 1, 'a')),
                 LEDGER_RULE_EVIDENCE_EXISTS);
    town_ok(&t, town_tx(&t, LEDGER_TX_EVIDENCE_DEPOSIT, REGULATOR, deposit("sha256", 1, 'b')));
    verify(&t, 7, 3, 2);
    trail_end(&t);
}

/* What the profile forbids is refused, from the rules on that say so. */
void test_evidence_national(void **state)
{
    struct town t;

    (void)state;
    if (!test_profile_adopt())
        skip();
    trail_begin(&t, 3, TRAIL_PLAIN);
    town_ok(&t, town_tx(&t, LEDGER_TX_EVIDENCE_DEPOSIT, BANK_A, deposit("sha256", 1, 'a')));
    trail_end(&t);
    trail_begin(&t, 4, TRAIL_PLAIN);
    town_refused(&t, town_tx(&t, LEDGER_TX_EVIDENCE_DEPOSIT, BANK_A, deposit("sha256", 1, 'a')),
                 LEDGER_RULE_EVIDENCE_SHAPE);
    town_ok(&t, town_tx(&t, LEDGER_TX_EVIDENCE_DEPOSIT, BANK_A, deposit("sm3", 1, 'a')));
    trail_end(&t);
}

/* From version 1 to 2, at a height. A program that has version 1 alone follows to the block before
 * and executes nothing of the rest; one that has both goes on. */
void test_rules_switch(void **state)
{
    struct town t;
    struct ledger_machine *old;
    struct ledger_block empty = {0};
    struct base_buf tx;
    uint64_t at;

    (void)state;
    test_profile_international();
    trail_begin(&t, 1, TRAIL_PLAIN);
    must(ledger_machine_new(&old, &t.memory.source, t.chain_id, &err));
    ledger_machine_set_newest_rules(old, 1);
    town_refused(&t, propose(&t, LEDGER_TX_MEMBER_REINSTATE, about("bank_b")),
                 LEDGER_DROP_MALFORMED);
    town_refused(&t, propose(&t, LEDGER_TX_MEMBER_PROPOSE, newcomer(&t, "witness")),
                 LEDGER_RULE_MEMBER_SHAPE);
    /* Under version 1 five may have a quorum of three, and six too. */
    at = t.memory.tip.height + 6;
    carry(&t, LEDGER_TX_PARAMETER_PROPOSE,
          parameters("rules", json_pack("{s:i, s:I}", "version", 2, "height", (json_int_t)at)),
          BANK_B, BANK_C);
    assert_int_equal(param(&t, "rules_version"), 1);
    while (t.memory.tip.height + 1 < at) {
        assert_int_equal(param(&t, "rules_version"), 1);
        ledger_machine_forget(old);
        empty = (struct ledger_block){t.memory.tip.height + 1, t.time_ms + 1000, NULL, 0, 0};
        must(ledger_machine_follows(old, t.memory.tip.height, t.time_ms, &empty, &err));
        tx = propose(&t, LEDGER_TX_MEMBER_REINSTATE, about("bank_b"));
        assert_int_equal(town_run(&t, tx).rule, LEDGER_DROP_MALFORMED); /* so the block is empty */
        if (t.memory.tip.height + 1 == at)
            break;
    }
    /* Empty blocks leave no trace, so they switch nothing: the last block of the old rules is the
     * first, from the one before the height on, that is not empty. */
    assert_int_equal(param(&t, "rules_version"), 1);
    town_refused(&t, propose(&t, LEDGER_TX_MEMBER_REINSTATE, about("bank_b")),
                 LEDGER_DROP_MALFORMED);
    assert_int_equal(param(&t, "rules_version"), 1);
    town_ok(&t, town_publish(&t, BANK_A, 1, 1, "balance"));
    assert_int_equal(ledger_chain_head(t.chain)->rules_version, 1);
    assert_int_equal(param(&t, "rules_version"), 2);
    assert_null(json_object_get(trail_state(&t, "param"), "next_rules"));
    ledger_machine_forget(old);
    empty = (struct ledger_block){t.memory.tip.height + 1, t.time_ms + 1000, NULL, 0, 0};
    assert_int_equal(ledger_machine_follows(old, t.memory.tip.height, t.time_ms, &empty, &err),
                     FM_E_UNSUPPORTED);
    assert_non_null(strstr(err.text, "follows rules version 2, this program has 1: install"));
    ledger_machine_free(old);
    town_refused(&t, propose(&t, LEDGER_TX_MEMBER_REINSTATE, about("bank_b")),
                 LEDGER_RULE_MEMBER_ACTIVE);
    assert_int_equal(ledger_chain_head(t.chain)->rules_version, 2);
    verify(&t, 7, 3, 2);
    /* A later version is voted, and this program has not heard of it: it stops in time too. */
    at = t.memory.tip.height + 1;
    carry(&t, LEDGER_TX_PARAMETER_PROPOSE,
          parameters("rules", json_pack("{s:i, s:I}", "version", 1000, "height", (json_int_t)at)),
          BANK_B, BANK_C);
    at = t.memory.tip.height + 1;
    empty = (struct ledger_block){at, t.time_ms + 1000, NULL, 0, 0};
    assert_int_equal(ledger_chain_execute(t.chain, NULL, &empty, &err), FM_E_UNSUPPORTED);
    verify(&t, 7, 3, 1000);
    trail_end(&t);
}
