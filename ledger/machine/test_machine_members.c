#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "did/draft.h"
#include "ledger/machine/test_machine.h"
#include "ledger/store/test_town.h"

static struct base_err err;

static void must(fm_status st)
{
    if (st != FM_OK)
        fail_msg("%s", err.text);
}

static struct base_buf publish(struct town *t, int who, int64_t version)
{
    return town_tx(t, LEDGER_TX_DATASET_PUBLISH, who, town_dataset(t, version, 1, "balance"));
}

static struct base_buf copy_of(const struct base_buf *bytes)
{
    struct base_buf copy = {0};

    base_buf_put(&copy, bytes->p, bytes->len);
    return copy;
}

static json_t *parse(struct base_buf bytes)
{
    json_t *json;

    must(base_json_parse(&json, (const char *)bytes.p, bytes.len, &err));
    base_buf_release(&bytes);
    return json;
}

/* A transaction signed before `name` in its envelope was changed to value. */
static struct base_buf altered(struct base_buf bytes, const char *name, json_t *value)
{
    json_t *json = parse(bytes);

    assert_int_equal(json_object_set_new(json, name, value), 0);
    return town_bytes(json);
}

/* A transaction of bank_b with this not_after, rightly signed. */
static struct base_buf timed(struct town *t, int64_t not_after)
{
    json_t *json =
        town_unsigned(t, LEDGER_TX_DATASET_PUBLISH, BANK_B, town_dataset(t, 1, 1, "balance"));

    assert_int_equal(json_object_set_new(json, "not_after", json_integer(not_after)), 0);
    must(ledger_tx_sign(json, t->who[BANK_B].node, town_seconds(t), &err));
    return town_bytes(json);
}

void test_admission(void **state)
{
    struct town t;
    struct base_buf tx, again, text = {0};
    struct ledger_outcome two[2];
    char zeros[65];
    static const uint8_t none[32];

    (void)state;
    base_hex(zeros, none, 32);
    town_init(&t, NULL);
    base_buf_put_str(&text, "{ }");
    town_refused(&t, text, LEDGER_DROP_MALFORMED);
    text = (struct base_buf){0};
    memset(base_buf_extend(&text, 32769), '1', 32769);
    town_refused(&t, text, LEDGER_DROP_SIZE);
    town_refused(&t, altered(publish(&t, BANK_A, 1), "chain", json_string(zeros)),
                 LEDGER_DROP_CHAIN);
    town_refused(&t,
                 altered(publish(&t, BANK_A, 1), "sender",
                         json_string(did_document_id(t.who[NEWCOMER].doc))),
                 LEDGER_DROP_SENDER);
    town_refused(
        &t,
        altered(publish(&t, BANK_A, 1), "sender", json_string(did_document_id(t.who[BANK_B].doc))),
        LEDGER_DROP_PROOF);
    town_refused(&t, altered(publish(&t, BANK_A, 1), "not_after", json_integer(t.time_ms + 5000)),
                 LEDGER_DROP_PROOF);
    town_refused(
        &t, town_tx(&t, LEDGER_TX_DATASET_PUBLISH, NEWCOMER, town_dataset(&t, 1, 1, "balance")),
        LEDGER_DROP_SENDER);

    /* The next block is at time + 1000: both bounds of not_after, and one beyond. */
    town_refused(&t, timed(&t, t.time_ms + 999), LEDGER_DROP_EXPIRED);
    town_refused(&t, timed(&t, t.time_ms + 1000 + DAY_MS + 1), LEDGER_DROP_TOO_FAR);
    town_ok(&t, timed(&t, t.time_ms + 1000));
    tx = timed(&t, t.time_ms + 1000 + DAY_MS);
    again = copy_of(&tx);
    town_refused(&t, tx, LEDGER_RULE_DATASET_VERSION); /* admitted: the version is 2 now */
    town_refused(&t, again, LEDGER_DROP_REPEATED);

    /* Twice in one block: once. */
    tx = publish(&t, BANK_A, 1);
    {
        struct base_buf pair[2] = {copy_of(&tx), tx};

        town_block(&t, two, pair, 2, 1000);
    }
    assert_int_equal(two[0].verdict, LEDGER_OK);
    assert_int_equal(two[1].rule, LEDGER_DROP_REPEATED);

    /* A block of nothing but dropped transactions leaves no trace. */
    {
        uint64_t leaves = t.memory.tip.log.size;

        town_refused(&t, timed(&t, t.time_ms), LEDGER_DROP_EXPIRED);
        assert_int_equal(t.memory.tip.log.size, leaves);
    }
    /* Once not_after has passed the id is forgotten: M4 is checked after every block. */
    town_wait(&t, 2 * DAY_MS);
    town_ok(&t, publish(&t, BANK_C, 1));
    town_release(&t);
}

void test_quota(void **state)
{
    struct town t;
    struct ledger_outcome out[202];
    struct base_buf txs[202];
    size_t i;

    (void)state;
    town_init(&t, NULL);
    town_ok(&t, publish(&t, BANK_A, 1));
    /* limits.refused_per_day is 200: the 201st failing one is dropped; a good one still passes. */
    for (i = 0; i < 201; i++)
        txs[i] = publish(&t, BANK_A, 7);
    txs[201] = publish(&t, BANK_A, 2);
    town_block(&t, out, txs, 202, 1000);
    for (i = 0; i < 200; i++)
        assert_int_equal(out[i].rule, LEDGER_RULE_DATASET_VERSION);
    assert_int_equal(out[200].rule, LEDGER_DROP_QUOTA);
    town_hit[LEDGER_DROP_QUOTA] = true;
    assert_int_equal(out[201].verdict, LEDGER_OK);
    town_refused(&t, publish(&t, BANK_A, 7), LEDGER_DROP_QUOTA);
    /* Another member has its own; the next day begins anew. */
    town_refused(&t, publish(&t, BANK_B, 7), LEDGER_RULE_DATASET_VERSION);
    town_wait(&t, DAY_MS);
    town_refused(&t, publish(&t, BANK_A, 7), LEDGER_RULE_DATASET_VERSION);
    town_release(&t);
}

void test_roles(void **state)
{
    struct town t;
    json_t *contract, *tx;

    (void)state;
    town_init(&t, NULL);
    contract = town_set_up(&t, town_contract_group(&t));
    /* One officer of the two that bank_a needs. */
    tx = town_unsigned(&t, LEDGER_TX_AUTHORIZATION_GRANT, BANK_A, town_grant(&t, contract, 0, 5));
    must(ledger_tx_sign(tx, t.who[BANK_A].officer[1], town_seconds(&t), &err));
    town_refused(&t, town_bytes(tx), LEDGER_RULE_AUTH_THRESHOLD);
    /* An officer where the node must sign. */
    tx = town_unsigned(&t, LEDGER_TX_DATASET_PUBLISH, BANK_B, town_dataset(&t, 2, 1, "balance"));
    {
        char method[DID_METHOD_TEXT];
        size_t n, i;
        const struct did_method *m = did_document_methods(t.who[BANK_B].doc, &n);

        for (i = 0; i < n && !did_key_equal(&m[i].key, did_secret_key(t.who[BANK_B].officer[0]));
             i++)
            ;
        assert_true(i < n);
        memcpy(method, m[i].id, sizeof method);
        must(did_proof_add(tx, t.who[BANK_B].officer[0], method, DID_ROLE_INVOCATION,
                           town_seconds(&t), &err));
    }
    town_refused(&t, town_bytes(tx), LEDGER_RULE_AUTH_ROLE);
    town_ok(&t, publish(&t, BANK_B, 2));
    json_decref(contract);
    town_release(&t);
}

/* ---- governance ---- */

static json_t *proposal(struct town *t, const char *alias, int who, const char *role)
{
    return json_pack("{s:s, s:O, s:[s], s:s}", "alias", alias, "document",
                     did_document_json(t->who[who].doc), "roles", role, "endpoint", "10.0.0.9:1");
}

/* A good first document, but for another ledger. */
static json_t *foreign_proposal(struct town *t)
{
    struct did_draft draft = {0};
    struct did_secret *keys[4];
    static const unsigned roles[] = {DID_ROLE_AUTHENTICATION, DID_ROLE_ASSERTION,
                                     DID_ROLE_INVOCATION};
    struct did_document *doc;
    uint8_t commit[32];
    json_t *body;
    size_t i;

    for (i = 0; i < 4; i++)
        keys[i] = town_secret(t);
    did_recovery_commit(commit, did_secret_key(keys[3]));
    must(did_draft_first(&draft, "0123456789abcdef0123456789abcdef", "newcomer", commit, &err));
    for (i = 0; i < 3; i++)
        must(did_draft_add(&draft, did_secret_key(keys[i]), roles[i], &err));
    must(did_draft_build(&doc, &draft, DID_RULES_VERSION, &err));
    body = json_pack("{s:s, s:O, s:[s], s:s}", "alias", "newcomer", "document",
                     did_document_json(doc), "roles", "asker", "endpoint", "10.0.0.9:1");
    did_draft_release(&draft);
    did_document_free(doc);
    for (i = 0; i < 4; i++)
        did_secret_free(keys[i]);
    return body;
}

static struct base_buf propose(struct town *t, int sender)
{
    return town_tx(t, LEDGER_TX_MEMBER_PROPOSE, sender, proposal(t, "newcomer", NEWCOMER, "asker"));
}

static struct base_buf suspend(struct town *t, int sender, const char *alias)
{
    return town_tx(t, LEDGER_TX_MEMBER_SUSPEND, sender,
                   json_pack("{s:s, s:s}", "alias", alias, "reason", "test"));
}

static struct base_buf vote(struct town *t, int sender, const char *id, bool accept)
{
    return town_tx(t, LEDGER_TX_MEMBER_VOTE, sender,
                   json_pack("{s:s, s:b}", "proposal", id, "accept", accept ? 1 : 0));
}

void test_proposals(void **state)
{
    struct town t;
    struct town_id id;
    struct base_buf tx;
    json_t *body;

    (void)state;
    town_init(&t, NULL);
    town_refused(
        &t,
        town_tx(&t, LEDGER_TX_MEMBER_PROPOSE, BANK_A, proposal(&t, "newcomer", NEWCOMER, "king")),
        LEDGER_RULE_MEMBER_SHAPE);
    town_refused(
        &t,
        town_tx(&t, LEDGER_TX_MEMBER_PROPOSE, BANK_A, proposal(&t, "stranger", NEWCOMER, "asker")),
        LEDGER_RULE_MEMBER_SHAPE);
    body = proposal(&t, "newcomer", NEWCOMER, "asker");
    assert_int_equal(json_object_set_new(body, "document", json_pack("{s:i}", "version", 1)), 0);
    town_refused(&t, town_tx(&t, LEDGER_TX_MEMBER_PROPOSE, BANK_A, body), LEDGER_RULE_DID_SHAPE);
    town_refused(
        &t, town_tx(&t, LEDGER_TX_MEMBER_PROPOSE, BANK_A, proposal(&t, "bank_b", BANK_B, "asker")),
        LEDGER_RULE_MEMBER_EXISTS);
    town_refused(&t, town_tx(&t, LEDGER_TX_MEMBER_PROPOSE, BANK_A, foreign_proposal(&t)),
                 LEDGER_RULE_DID_CHAIN);
    town_refused(&t, suspend(&t, BANK_A, "nobody"), LEDGER_RULE_MEMBER_UNKNOWN);
    town_refused(&t, vote(&t, BANK_B, town_hash(t.genesis).text, true),
                 LEDGER_RULE_PROPOSAL_UNKNOWN);

    tx = propose(&t, BANK_A);
    id = town_tx_id(&tx);
    town_ok(&t, tx);
    town_refused(&t, propose(&t, BANK_B), LEDGER_RULE_PROPOSAL_EXISTS);
    town_refused(&t, vote(&t, BANK_A, id.text, true), LEDGER_RULE_PROPOSAL_VOTED);
    town_ok(&t, vote(&t, BANK_B, id.text, true)); /* 2 of 4: not more than half */
    assert_null(json_object_get(t.memory.state, "member/newcomer"));
    town_ok(&t, vote(&t, REGULATOR, id.text, true));
    assert_non_null(json_object_get(t.memory.state, "member/newcomer"));
    town_refused(&t, vote(&t, BANK_C, id.text, true), LEDGER_RULE_PROPOSAL_CLOSED);

    /* The newcomer is one of five now. It is no provider. */
    town_refused(&t, publish(&t, NEWCOMER, 1), LEDGER_RULE_MEMBER_ROLE);
    tx = suspend(&t, NEWCOMER, "bank_c");
    id = town_tx_id(&tx);
    town_ok(&t, tx);
    town_ok(&t, vote(&t, BANK_A, id.text, false));
    town_ok(&t, vote(&t, BANK_B, id.text, false)); /* 2 of 5 refuse: open */
    town_ok(&t, vote(&t, REGULATOR, id.text, true));
    town_ok(&t, vote(&t, BANK_C, id.text, false)); /* 3 of 5: rejected */
    town_refused(&t, vote(&t, BANK_C, id.text, false), LEDGER_RULE_PROPOSAL_CLOSED);
    town_release(&t);
}

/* Half of the members refuse: that is enough. */
static void reject_by_half(struct town *t)
{
    struct base_buf tx = propose(t, BANK_A);
    struct town_id id = town_tx_id(&tx);

    town_ok(t, tx);
    town_ok(t, vote(t, BANK_B, id.text, false));
    town_ok(t, vote(t, BANK_C, id.text, false));
    town_refused(t, vote(t, REGULATOR, id.text, true), LEDGER_RULE_PROPOSAL_CLOSED);
}

static void carry(struct town *t, struct base_buf tx, int second, int third)
{
    struct town_id id = town_tx_id(&tx);

    town_ok(t, tx);
    town_ok(t, vote(t, second, id.text, true));
    if (third >= 0)
        town_ok(t, vote(t, third, id.text, true));
}

void test_proposals_decide(void **state)
{
    struct town t;
    struct town_id about_b, about_c;
    struct base_buf tx;

    (void)state;
    town_init(&t, NULL);
    reject_by_half(&t);
    /* Of four members with quorum 3, one may go. Two suspensions race: the second has become
     * impossible when its third vote arrives, and is rejected. */
    tx = suspend(&t, BANK_A, "bank_b");
    about_b = town_tx_id(&tx);
    town_ok(&t, tx);
    tx = suspend(&t, BANK_A, "bank_c");
    about_c = town_tx_id(&tx);
    town_ok(&t, tx);
    town_ok(&t, vote(&t, REGULATOR, about_b.text, true));
    town_ok(&t, vote(&t, REGULATOR, about_c.text, true));
    town_ok(&t, vote(&t, BANK_C, about_b.text, true));
    assert_non_null(
        strstr(json_string_value(json_object_get(t.memory.state, "member/bank_b")), "suspended"));
    town_refused(&t, vote(&t, BANK_B, about_c.text, true), LEDGER_RULE_MEMBER_SUSPENDED);
    town_refused(&t, publish(&t, BANK_B, 1), LEDGER_RULE_MEMBER_SUSPENDED);
    town_refused(&t, suspend(&t, BANK_A, "bank_b"), LEDGER_RULE_MEMBER_SUSPENDED);
    town_ok(&t, vote(&t, BANK_C, about_c.text, false));
    town_refused(&t, suspend(&t, BANK_A, "bank_c"), LEDGER_RULE_MEMBER_QUORUM);
    /* Someone joins; then there is room for one more to go. */
    carry(&t, propose(&t, BANK_A), BANK_C, -1);
    carry(&t, suspend(&t, BANK_A, "bank_c"), NEWCOMER, REGULATOR);
    town_refused(&t, suspend(&t, BANK_A, "regulator"), LEDGER_RULE_MEMBER_QUORUM);
    town_release(&t);
}

/* A vote counts as long as its member is active. */
void test_votes_of_the_suspended(void **state)
{
    struct town t;
    struct town_id id;
    struct base_buf tx;

    (void)state;
    town_init(&t, NULL);
    carry(&t, propose(&t, BANK_A), BANK_B, BANK_C);
    tx = suspend(&t, BANK_B, "bank_c");
    id = town_tx_id(&tx);
    town_ok(&t, tx);
    carry(&t, suspend(&t, BANK_A, "bank_b"), REGULATOR, NEWCOMER);
    /* Of four, two accept: the third who did is suspended. */
    town_ok(&t, vote(&t, BANK_A, id.text, true));
    town_ok(&t, vote(&t, REGULATOR, id.text, true));
    assert_null(
        strstr(json_string_value(json_object_get(t.memory.state, "member/bank_c")), "suspended"));
    town_ok(&t, vote(&t, NEWCOMER, id.text, true));
    assert_non_null(
        strstr(json_string_value(json_object_get(t.memory.state, "member/bank_c")), "suspended"));
    town_release(&t);
}

/* ---- documents ---- */

void test_documents(void **state)
{
    struct town t;
    uint8_t before[32], wrong[32] = {1};
    struct ledger_outcome out[3];
    struct base_buf block[3], stolen;
    json_t *document;

    (void)state;
    town_init(&t, NULL);
    memcpy(before, did_document_hash32(t.who[BANK_B].doc), 32);
    stolen = publish(&t, BANK_B, 2);
    document = json_deep_copy(did_document_json(t.who[BANK_B].doc));
    town_refused(&t,
                 town_tx(&t, LEDGER_TX_DID_UPDATE, BANK_B,
                         town_update(before, json_pack("{s:i}", "version", 2))),
                 LEDGER_RULE_DID_SHAPE);
    town_refused(&t, town_tx(&t, LEDGER_TX_DID_UPDATE, BANK_B, town_update(before, document)),
                 LEDGER_RULE_DID_SUCCESSION);
    document = town_next_document(&t, BANK_B, false);
    town_refused(
        &t, town_tx(&t, LEDGER_TX_DID_UPDATE, BANK_B, town_update(wrong, json_incref(document))),
        LEDGER_RULE_DID_PREVIOUS);
    /* In one block: the old key signs, the key changes, the new key signs. The verdicts that were
     * prepared ahead under the old document must not stand. */
    block[1] = town_tx(&t, LEDGER_TX_DID_UPDATE, BANK_B, town_update(before, document));
    block[2] = publish(&t, BANK_B, 1);
    block[0] = publish(&t, BANK_B, 1);
    town_block(&t, out, block, 3, 1000);
    assert_int_equal(out[0].rule, LEDGER_DROP_PROOF); /* signed with the key to come */
    assert_int_equal(out[1].verdict, LEDGER_OK);
    assert_int_equal(out[2].verdict, LEDGER_OK);
    /* The old key signs nothing any more. */
    town_refused(&t, stolen, LEDGER_DROP_PROOF);
    /* What has changed its recovery key by its officers is refused. */
    memcpy(before, did_document_hash32(t.who[BANK_C].doc), 32);
    document = town_next_document(&t, BANK_C, true);
    town_refused(&t, town_tx(&t, LEDGER_TX_DID_UPDATE, BANK_C, town_update(before, document)),
                 LEDGER_RULE_DID_SUCCESSION);
    town_release(&t);
}

void test_recovery(void **state)
{
    struct town t;
    uint8_t before[32];
    struct did_secret *old, *stranger;
    struct base_buf stolen;
    json_t *document, *tx;

    (void)state;
    town_init(&t, NULL);
    memcpy(before, did_document_hash32(t.who[BANK_B].doc), 32);
    stolen = publish(&t, BANK_B, 1);
    /* A key of its own, for the person forgets the one it used. */
    old = t.who[BANK_B].recovery;
    t.who[BANK_B].recovery = town_secret(&t);
    document = town_next_document(&t, BANK_B, true);

    stranger = town_secret(&t);
    tx = town_unsigned(&t, LEDGER_TX_DID_RECOVER, BANK_B,
                       town_update(before, json_incref(document)));
    must(ledger_tx_sign(tx, stranger, town_seconds(&t), &err));
    town_refused(&t, town_bytes(tx), LEDGER_DROP_PROOF);
    /* Officers cannot recover, ... */
    tx =
        town_unsigned(&t, LEDGER_TX_DID_UPDATE, BANK_B, town_update(before, json_incref(document)));
    must(ledger_tx_sign(tx, t.who[BANK_B].officer[0], town_seconds(&t), &err));
    town_refused(&t, town_bytes(tx), LEDGER_RULE_DID_SUCCESSION);
    /* ... the committed key can. */
    tx = town_unsigned(&t, LEDGER_TX_DID_RECOVER, BANK_B, town_update(before, document));
    must(ledger_tx_sign(tx, old, town_seconds(&t), &err));
    town_ok(&t, town_bytes(tx));
    town_refused(&t, stolen, LEDGER_DROP_PROOF);
    town_ok(&t, publish(&t, BANK_B, 1));
    did_secret_free(old);
    did_secret_free(stranger);
    town_release(&t);
}

static json_t *previous_of(struct town *t, int who)
{
    char hash[65];

    base_hex(hash, did_document_hash32(t->who[who].doc), 32);
    return json_pack("{s:s}", "previous", hash);
}

void test_deactivation(void **state)
{
    struct town t;
    uint8_t wrong[32] = {2};
    char hash[65];

    (void)state;
    town_init(&t, NULL);
    base_hex(hash, wrong, 32);
    town_refused(
        &t, town_tx(&t, LEDGER_TX_DID_DEACTIVATE, BANK_C, json_pack("{s:s}", "previous", hash)),
        LEDGER_RULE_DID_PREVIOUS);
    town_ok(&t, town_tx(&t, LEDGER_TX_DID_DEACTIVATE, BANK_C, previous_of(&t, BANK_C)));
    /* It signs nothing any more. */
    town_refused(&t, publish(&t, BANK_C, 1), LEDGER_DROP_PROOF);
    town_refused(&t, town_tx(&t, LEDGER_TX_DID_DEACTIVATE, BANK_B, previous_of(&t, BANK_B)),
                 LEDGER_RULE_MEMBER_QUORUM);
    town_release(&t);
}
