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

struct world *w;
struct base_err err;

int story_set_up(void **state)
{
    (void)state;
    w = calloc(1, sizeof *w);
    world_init(w);
    return 0;
}

int story_tear_down(void **state)
{
    (void)state;
    world_release(w);
    free(w);
    return 0;
}

/* ---- reading from memory, a few bytes at a time or many ---- */

struct memory {
    const uint8_t *p;
    size_t left, chunk;
};

static fm_status read_memory(void *ctx, void *out, size_t len, size_t *got, struct base_err *e)
{
    struct memory *m = ctx;

    (void)e;
    *got = len < m->chunk ? len : m->chunk;
    *got = *got < m->left ? *got : m->left;
    memcpy(out, m->p, *got);
    m->p += *got;
    m->left -= *got;
    return FM_OK;
}

fm_status story_verify(struct ledger_verified **report, const uint8_t *p, size_t len, size_t chunk)
{
    struct memory m = {p, len, chunk};
    const struct ledger_bundle_source source = {read_memory, &m};

    return ledger_verify(report, &source, w->chain, &err);
}

void story_expect_valid(void)
{
    struct ledger_verified *report;

    if (story_verify(&report, w->bundle.p, w->bundle.len, 65536) != FM_OK)
        fail_msg("%s", err.text);
    assert_string_equal(report->check, "");
    ledger_verified_free(report);
}

/* The bundle as it stands is found wrong by this check, at this leaf; the sentence holds this text.
 */
void story_expect_invalid(const char *check, uint64_t leaf, const char *text)
{
    struct ledger_verified *report;
    fm_status st = story_verify(&report, w->bundle.p, w->bundle.len, 65536);

    if (st != FM_E_INVALID)
        fail_msg("%s: %s", fm_status_name(st), st == FM_OK ? "found nothing" : err.text);
    if (strcmp(report->check, check) != 0 || report->leaf != leaf || strstr(err.text, text) == NULL)
        fail_msg("%s (check %s, leaf %lld)", err.text, report->check, (long long)report->leaf);
    ledger_verified_free(report);
}

/* Ends the log and the bundle as it must be. */
void story_finish(void)
{
    (void)world_block(w);
    world_checkpoint(w, ALL);
}

/* ---- the story ---- */

json_t *story_dataset(size_t sender)
{
    char root[65];

    base_hex(root, w->chain, 32);
    return world_tx(w, LEDGER_TX_DATASET_PUBLISH, sender,
                    json_pack("{s:s, s:{}, s:i, s:s, s:i}", "dataset", "loans", "schema",
                              "data_version", 1, "root", root, "rows", 100));
}

static json_t *grant(size_t sender, const json_t *contract)
{
    char id[65];
    uint8_t bytes[32];

    world_id(bytes, contract);
    base_hex(id, bytes, 32);
    return world_tx(w, LEDGER_TX_AUTHORIZATION_GRANT, sender,
                    json_pack("{s:s, s:s, s:[], s:I, s:i}", "contract", id, "uses_hash", id, "uses",
                              "expires", (json_int_t)(w->time_ms + 1000000), "runs", 5));
}

json_t *story_suspend(size_t sender, const char *alias)
{
    return world_tx(w, LEDGER_TX_MEMBER_SUSPEND, sender,
                    json_pack("{s:s, s:s}", "alias", alias, "reason", "late"));
}

json_t *story_proven(const char *member, const char *act, int height)
{
    char chain[65];

    base_hex(chain, w->chain, 32);
    return json_pack("{s:s, s:s, s:{s:s, s:i, s:s, s:i, s:s}}", "type", LEDGER_MISBEHAVIOR_TYPE,
                     "chain", chain, "body", "act", act, "height", height, "member", member, "time",
                     1, "validator", "00112233445566778899aabbccddeeff00112233");
}

static json_t *propose_new(size_t sender)
{
    return world_tx(w, LEDGER_TX_MEMBER_PROPOSE, sender,
                    json_pack("{s:s, s:O, s:[s], s:s}", "alias", w->m[WORLD_NEW].alias, "document",
                              did_document_json(w->m[WORLD_NEW].doc), "roles", "asker", "endpoint",
                              "127.0.0.1:9"));
}

json_t *story_vote(size_t sender, const json_t *proposal, bool accept)
{
    char id[65];
    uint8_t bytes[32];

    assert_int_equal(ledger_tx_id(bytes, proposal, &err), FM_OK);
    base_hex(id, bytes, 32);
    return world_tx(w, LEDGER_TX_MEMBER_VOTE, sender,
                    json_pack("{s:s, s:b}", "proposal", id, "accept", (int)accept));
}

json_t *story_close(json_t *receipt)
{
    return world_tx(w, LEDGER_TX_QUERY_CLOSE, 0, json_pack("{s:o}", "receipt", receipt));
}

json_t *story_consent(json_t *consent)
{
    return world_tx(w, LEDGER_TX_CONSENT_GRANT, 1, json_pack("{s:o}", "consent", consent));
}

json_t *story_revocation(const json_t *consent, const struct did_secret *subject)
{
    uint8_t id[32];
    json_t *json;

    assert_int_equal(ledger_tx_id(id, consent, &err), FM_OK);
    assert_int_equal(ledger_revocation_build(&json, w->chain, id, &err), FM_OK);
    assert_int_equal(ledger_subject_sign(json, subject, 1790000000, &err), FM_OK);
    return world_tx(w, LEDGER_TX_CONSENT_REVOKE, 1, json_pack("{s:o}", "revocation", json));
}

/* A contract, a consent, a query that is done, one that was aborted and one left open, and
 * refusals. */
void story_tell_queries(void)
{
    struct did_secret *subject = world_secret(w);
    json_t *contract = world_contract(w), *consent = world_consent(w, subject);
    json_t *done, *aborted;

    (void)world_put(w, story_dataset(1), LEDGER_RULE_OK);
    (void)world_put(w, world_tx(w, LEDGER_TX_CONTRACT_PROPOSE, 0, json_incref(contract)),
                    LEDGER_RULE_OK);
    (void)world_put(w, grant(1, contract), LEDGER_RULE_OK);
    (void)world_block(w);
    (void)world_put(w, story_consent(json_incref(consent)), LEDGER_RULE_OK);
    done = world_open(w, contract);
    (void)world_put(w, json_incref(done), LEDGER_RULE_OK);
    (void)world_block(w);
    (void)world_put(w, story_close(world_receipt(w, done, LEDGER_RECEIPT_DONE, 7)), LEDGER_RULE_OK);
    (void)world_put(
        w,
        world_tx(w, LEDGER_TX_QUERY_RECEIPT, 1,
                 json_pack("{s:o}", "receipt", world_receipt(w, done, LEDGER_RECEIPT_DONE, 2))),
        LEDGER_RULE_OK);
    w->height += 5; /* empty blocks leave no leaf */
    aborted = world_open(w, contract);
    (void)world_put(w, json_incref(aborted), LEDGER_RULE_OK);
    (void)world_put(w, story_revocation(consent, subject), LEDGER_RULE_OK);
    (void)world_block(w);
    (void)world_put(w, story_close(world_receipt(w, aborted, LEDGER_RECEIPT_ABORTED, 1)),
                    LEDGER_RULE_OK);
    (void)world_put(w, world_open(w, contract), LEDGER_RULE_CONSENT_REVOKED);
    w->time_ms++; /* so that the next one is another transaction */
    (void)world_put(w, world_open(w, contract), LEDGER_RULE_OK);
    json_decref(done);
    json_decref(aborted);
    json_decref(consent);
    json_decref(contract);
    did_secret_free(subject);
    (void)world_block(w);
}

/* A member joins, one is suspended, keys rotate, one recovers, one leaves. */
void story_tell_identity(void)
{
    json_t *join = propose_new(0), *out = story_suspend(1, "bank_c"), *body;
    char hash[65];

    (void)world_put(w, json_incref(join), LEDGER_RULE_OK);
    (void)world_put(w, story_vote(1, join, true), LEDGER_RULE_OK);
    (void)world_put(w, story_vote(3, join, true), LEDGER_RULE_OK); /* 3 of 4: she is in */
    (void)world_put(w, story_dataset(WORLD_NEW), LEDGER_RULE_OK);
    (void)world_block(w);
    body = world_next_document(w, 1, false);
    (void)world_put(w, world_tx(w, LEDGER_TX_DID_UPDATE, 1, body), LEDGER_RULE_OK);
    (void)world_put(w, story_dataset(1), LEDGER_RULE_OK); /* by the new key, in the same block */
    (void)world_put(w, json_incref(out), LEDGER_RULE_OK);
    (void)world_block(w);
    (void)world_put(w, story_vote(0, out, false), LEDGER_RULE_OK);
    (void)world_put(w, story_vote(3, out, true), LEDGER_RULE_OK);
    (void)world_put(w, story_vote(WORLD_NEW, out, true), LEDGER_RULE_OK); /* 3 of 5: out */
    (void)world_put(w, story_dataset(2), LEDGER_RULE_MEMBER_SUSPENDED);
    body = world_next_document(w, 2, true);
    (void)world_put(w, world_tx(w, LEDGER_TX_DID_RECOVER, 2, body), LEDGER_RULE_OK);
    (void)world_block(w);
    base_hex(hash, did_document_hash32(w->m[3].doc), 32);
    /* Leaves three active: the quorum. */
    (void)world_put(w,
                    world_tx(w, LEDGER_TX_DID_DEACTIVATE, 3, json_pack("{s:s}", "previous", hash)),
                    LEDGER_RULE_OK);
    json_decref(join);
    json_decref(out);
}

json_t *story_params(void)
{
    return json_pack("{s:i, s:i, s:s, s:O, s:i}", "quorum", WORLD_QUORUM, "epoch", 0, "sequencer",
                     "bank_a", "limits", json_object_get(w->genesis, "limits"), "rules_version",
                     world_rules());
}

void story_tell_all(void)
{
    json_t *value = story_params();

    story_tell_queries();
    story_tell_identity();
    world_state(w, "param", json_incref(value));
    world_state(w, "query/x", json_pack("{s:s}", "status", "open"));
    (void)world_block(w);
    world_prove(w, "member/nobody", NULL);
    world_prove(w, "param", value);
    world_checkpoint(w, 1u | 2u | 1u << WORLD_NEW);
    json_decref(value);
}
