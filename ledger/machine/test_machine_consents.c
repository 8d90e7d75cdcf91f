/* The machine and a member's word: who may attest, what its suspension means, who may withdraw. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "did/key_did.h"
#include "ledger/machine/test_machine.h"
#include "ledger/store/test_town.h"

static struct base_err err;

static void must(fm_status st)
{
    if (st != FM_OK)
        fail_msg("%s", err.text);
}

static const char *did_of(const struct town *t, int who)
{
    return did_document_id(t->who[who].doc);
}

static void by_member(struct town *t, json_t *inner, int who)
{
    must(ledger_receipt_sign(inner, did_of(t, who), t->who[who].node, town_seconds(t), &err));
}

/* For bank_a, attested by that member; key: the subject's, NULL for a paper. Without proofs. */
static json_t *attested(struct town *t, const char *attestor, const struct did_secret *key)
{
    struct ledger_consent c = {.mode = "attested",
                               .scheme = "cn.id",
                               .grantee = "bank_a",
                               .purpose = "credit decision",
                               .not_before = t->time_ms,
                               .expires = t->time_ms + 10 * DAY_MS,
                               .uses = 2,
                               .attestor = attestor,
                               .has_evidence = key == NULL,
                               .evidence = {9}};
    uint8_t nonce[32] = {0};
    json_t *json;

    memcpy(c.chain, t->chain_id, 32);
    nonce[0] = (uint8_t)++t->secrets;
    ledger_subject_commit(c.commitment, t->chain_id, "110101199001010010", 18, nonce);
    must(ledger_consent_build(&json, &c, key, &err));
    return json;
}

/* bank_c relays. */
static struct base_buf grant(struct town *t, json_t *consent)
{
    return town_tx(t, LEDGER_TX_CONSENT_GRANT, BANK_C, json_pack("{s:o}", "consent", consent));
}

static struct base_buf revoke(struct town *t, json_t *revocation)
{
    return town_tx(t, LEDGER_TX_CONSENT_REVOKE, BANK_C,
                   json_pack("{s:o}", "revocation", revocation));
}

/* By a member's node. */
static struct base_buf revoke_by(struct town *t, int who, const char *consent_id)
{
    uint8_t id[32];
    json_t *json;

    assert_true(base_unhex(id, 32, consent_id, 64));
    must(ledger_revocation_build(&json, t->chain_id, id, &err));
    by_member(t, json, who);
    return revoke(t, json);
}

static void suspend_bank_b(struct town *t)
{
    struct base_buf tx = town_tx(t, LEDGER_TX_MEMBER_SUSPEND, BANK_A,
                                 json_pack("{s:s, s:s}", "alias", "bank_b", "reason", "test"));
    struct town_id id = town_tx_id(&tx);

    town_ok(t, tx);
    town_ok(t, town_tx(t, LEDGER_TX_MEMBER_VOTE, BANK_C,
                       json_pack("{s:s, s:b}", "proposal", id.text, "accept", 1)));
    town_ok(t, town_tx(t, LEDGER_TX_MEMBER_VOTE, REGULATOR,
                       json_pack("{s:s, s:b}", "proposal", id.text, "accept", 1)));
}

static json_t *mandate_by(struct town *t, int who, const json_t *consent,
                          const struct did_secret *key)
{
    struct ledger_mandate m = {.attestor = t->who[who].alias, .scheme = "cn.id"};
    char did[DID_KEY_DID_TEXT];
    json_t *json;

    must(did_key_did_encode(did, did_secret_key(key), &err));
    m.representative = did;
    m.expires = t->time_ms + 20 * DAY_MS;
    memcpy(m.chain, t->chain_id, 32);
    must(base_json_get_hex(m.commitment, 32, consent, "commitment", &err));
    must(ledger_mandate_build(&json, &m, &err));
    by_member(t, json, who);
    return json;
}

/* The consent, turned into one by mandate of that member. */
static json_t *mandated(struct town *t, int who, const struct did_secret *key)
{
    json_t *json = attested(t, "bank_b", key);

    assert_int_equal(json_object_set_new(json, "mandate", mandate_by(t, who, json, key)), 0);
    assert_int_equal(json_object_set_new(json, "mode", json_string("mandate")), 0);
    assert_int_equal(json_object_del(json, "attestor"), 0);
    must(ledger_subject_sign(json, key, town_seconds(t), &err));
    return json;
}

void test_attested(void **state)
{
    struct did_secret *key;
    struct town_id paper, both;
    struct town t;
    json_t *json;

    (void)state;
    town_init(&t, NULL);
    key = town_secret(&t);
    json = attested(&t, "nobody", NULL);
    by_member(&t, json, BANK_B);
    town_refused(&t, grant(&t, json), LEDGER_RULE_MEMBER_UNKNOWN);
    json = attested(&t, "bank_b", NULL); /* by the one who relays it, not by who attests */
    by_member(&t, json, BANK_C);
    town_refused(&t, grant(&t, json), LEDGER_RULE_CONSENT_PROOF);
    json = attested(&t, "bank_b", key); /* the subject alone */
    must(ledger_subject_sign(json, key, town_seconds(&t), &err));
    town_refused(&t, grant(&t, json), LEDGER_RULE_CONSENT_PROOF);
    json = attested(&t, "bank_b", NULL);
    by_member(&t, json, BANK_B);
    paper = town_inner_id(json);
    town_ok(&t, grant(&t, json));
    json = attested(&t, "bank_b", key);
    must(ledger_subject_sign(json, key, town_seconds(&t), &err));
    by_member(&t, json, BANK_B);
    both = town_inner_id(json);
    town_ok(&t, grant(&t, json));
    /* Another member withdraws nothing; the attestor does, once. */
    town_refused(&t, revoke_by(&t, BANK_A, paper.text), LEDGER_RULE_CONSENT_PROOF);
    town_ok(&t, revoke_by(&t, BANK_B, paper.text));
    town_refused(&t, revoke_by(&t, BANK_B, paper.text), LEDGER_RULE_CONSENT_REVOKED);
    /* Suspended, its word is worth nothing; what the subject signed, the subject withdraws. */
    suspend_bank_b(&t);
    json = attested(&t, "bank_b", NULL);
    by_member(&t, json, BANK_B);
    town_refused(&t, grant(&t, json), LEDGER_RULE_MEMBER_SUSPENDED);
    town_refused(&t, revoke_by(&t, BANK_B, both.text), LEDGER_RULE_CONSENT_PROOF);
    town_ok(&t, revoke(&t, town_revocation(&t, key, both.text)));
    did_secret_free(key);
    town_release(&t);
}

void test_mandates(void **state)
{
    struct did_secret *key;
    struct town_id id;
    struct town t;
    json_t *json;

    (void)state;
    town_init(&t, NULL);
    key = town_secret(&t);
    json = mandated(&t, BANK_B, key);
    id = town_inner_id(json);
    town_ok(&t, grant(&t, json));
    town_ok(&t, revoke_by(&t, BANK_B, id.text)); /* the mandate's own attestor may end it */
    json = mandated(&t, BANK_B, key);
    assert_int_equal(
        json_object_set_new(json_object_get(json, "mandate"), "attestor", json_string("bank_c")),
        0);
    (void)json_object_del(json, "proof");
    must(ledger_subject_sign(json, key, town_seconds(&t), &err));
    town_refused(&t, grant(&t, json), LEDGER_RULE_CONSENT_PROOF); /* bank_c has not said so */
    suspend_bank_b(&t);
    town_refused(&t, grant(&t, mandated(&t, BANK_B, key)), LEDGER_RULE_MEMBER_SUSPENDED);
    town_ok(&t, grant(&t, mandated(&t, BANK_C, key)));
    did_secret_free(key);
    town_release(&t);
}
