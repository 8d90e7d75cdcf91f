/* Consents in their modes: each carries exactly the proofs that its mode asks for, and nobody's
 * word stands for another's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "did/key_did.h"
#include "ledger/verify/test_story.h"

#define MINUTE_MS 60000

static void must(fm_status st)
{
    if (st != FM_OK)
        fail_msg("%s", err.text);
}

/* bank_b attests what is for bank_a. */
static struct ledger_consent attested(void)
{
    static const uint8_t nonce[32] = {7};
    struct ledger_consent c = {.mode = "attested",
                               .scheme = "cn.id",
                               .grantee = "bank_a",
                               .purpose = "credit decision",
                               .not_before = w->time_ms,
                               .expires = w->time_ms + MINUTE_MS,
                               .uses = 2,
                               .attestor = "bank_b",
                               .has_evidence = true,
                               .evidence = {1, 2, 3}};

    memcpy(c.chain, w->chain, 32);
    ledger_subject_commit(c.commitment, w->chain, "11010519491231002X", 18, nonce);
    return c;
}

static void by_member(json_t *inner, size_t member)
{
    must(ledger_receipt_sign(inner, w->m[member].did, w->m[member].node, w->time_ms / 1000, &err));
}

static void by_key(json_t *inner, const struct did_secret *key)
{
    must(ledger_subject_sign(inner, key, w->time_ms / 1000, &err));
}

static json_t *build(const struct ledger_consent *c, const struct did_secret *key)
{
    json_t *json;

    must(ledger_consent_build(&json, c, key, &err));
    return json;
}

static fm_status verdict(const json_t *json, size_t attestor)
{
    struct ledger_consent c;

    must(ledger_consent_parse(&c, json, &err));
    return ledger_consent_verify(&c, json, w->m[attestor].doc, DID_RULES_VERSION, &err);
}

static void an_attested_consent_is_the_attestors_word(void **state)
{
    struct ledger_consent c = attested(), parsed;
    json_t *json = build(&c, NULL), *copy;

    (void)state;
    copy = json_deep_copy(json);
    by_member(json, 1);
    assert_int_equal(verdict(json, 1), FM_OK);
    assert_int_equal(verdict(json, 2), FM_E_AUTH);
    must(ledger_consent_parse(&parsed, json, &err));
    assert_false(ledger_consent_is_self_attested(&parsed));
    assert_int_equal(ledger_consent_verify(&parsed, json, NULL, DID_RULES_VERSION, &err), FM_E_ARG);
    by_member(copy, 2); /* another member's hand */
    assert_int_equal(verdict(copy, 1), FM_E_AUTH);
    json_decref(copy);
    copy = json_deep_copy(json); /* the evidence is under the signature */
    assert_int_equal(json_object_set(copy, "evidence", json_object_get(copy, "commitment")), 0);
    assert_int_equal(verdict(copy, 1), FM_E_AUTH);
    json_decref(copy);
    json_decref(json);
    c.grantee = "bank_b";
    json = build(&c, NULL);
    must(ledger_consent_parse(&parsed, json, &err));
    assert_true(ledger_consent_is_self_attested(&parsed));
    json_decref(json);
}

/* With a key of the subject's both sign, and neither alone is enough. */
static void a_countersigned_consent_needs_both(void **state)
{
    struct did_secret *key = world_secret(w), *other = world_secret(w);
    struct ledger_consent c = attested();
    json_t *bare = build(&c, key), *json;

    (void)state;
    json = json_deep_copy(bare);
    by_key(json, key);
    assert_int_equal(verdict(json, 1), FM_E_AUTH);
    assert_non_null(strstr(err.text, "the attestor has not signed it"));
    by_member(json, 1);
    assert_int_equal(verdict(json, 1), FM_OK);
    by_key(json, other);
    assert_int_equal(verdict(json, 1), FM_E_AUTH);
    json_decref(json);
    json = json_deep_copy(bare);
    by_member(json, 1);
    assert_int_equal(verdict(json, 1), FM_E_AUTH);
    assert_non_null(strstr(err.text, "the subject has not signed it"));
    by_key(json, other);
    assert_int_equal(verdict(json, 1), FM_E_AUTH);
    json_decref(json);
    json_decref(bare);
    did_secret_free(key);
    did_secret_free(other);
}

static json_t *mandate_for(const struct did_secret *key, const struct ledger_consent *c,
                           int64_t expires, size_t member)
{
    struct ledger_mandate m = {
        .attestor = w->m[member].alias, .scheme = c->scheme, .expires = expires};
    char did[DID_KEY_DID_TEXT];
    json_t *json;

    must(did_key_did_encode(did, did_secret_key(key), &err));
    m.representative = did;
    memcpy(m.chain, c->chain, 32);
    memcpy(m.commitment, c->commitment, 32);
    must(ledger_mandate_build(&json, &m, &err));
    by_member(json, member);
    return json;
}

static struct ledger_consent mandated(json_t *mandate)
{
    struct ledger_consent c = attested();

    c.mode = "mandate";
    c.attestor = NULL;
    c.has_evidence = false;
    c.mandate = mandate;
    return c;
}

static void a_mandate_binds_key_company_and_time(void **state)
{
    struct did_secret *key = world_secret(w), *other = world_secret(w);
    struct ledger_consent base = attested(), c, parsed;
    json_t *mandate = mandate_for(key, &base, base.expires, 1), *json, *late;

    (void)state;
    c = mandated(mandate);
    json = build(&c, key);
    by_key(json, key);
    late = json_deep_copy(json); /* what is changed below is not the mandate itself */
    json_decref(json);
    json = late;
    assert_int_equal(verdict(json, 1), FM_OK);
    must(ledger_consent_parse(&parsed, json, &err));
    assert_string_equal(parsed.attestor, "bank_b");
    assert_int_equal(verdict(json, 2), FM_E_AUTH); /* not bank_c's word */
    assert_int_equal(
        json_object_set_new(json_object_get(json, "mandate"), "scheme", json_string("cn.uscc")), 0);
    assert_int_equal(ledger_consent_parse(&parsed, json, &err), FM_E_INPUT);
    json_decref(json);
    /* Another's key, another company, a mandate that ends earlier. */
    assert_int_equal(ledger_consent_build(&json, &c, other, &err), FM_E_INPUT);
    assert_non_null(strstr(err.text, "it is another representative's"));
    c.commitment[0] ^= 1;
    assert_int_equal(ledger_consent_build(&json, &c, key, &err), FM_E_INPUT);
    assert_non_null(strstr(err.text, "it is for another company"));
    late = mandate_for(key, &base, base.expires - 1, 1);
    c = mandated(late);
    assert_int_equal(ledger_consent_build(&json, &c, key, &err), FM_E_INPUT);
    assert_non_null(strstr(err.text, "it ends before the consent does"));
    /* A mandate that nobody signed, or that was changed. */
    assert_int_equal(json_object_del(mandate, "proof"), 0);
    c = mandated(mandate);
    json = build(&c, key);
    by_key(json, key);
    assert_int_equal(verdict(json, 1), FM_E_INPUT);
    assert_non_null(strstr(err.text, "mandate"));
    json_decref(json);
    json_decref(mandate);
    json_decref(late);
    did_secret_free(key);
    did_secret_free(other);
}

static void modes_have_their_members(void **state)
{
    static const struct {
        const char *mode, *drop, *add, *text;
    } faults[] = {
        {"attested", "attestor", NULL, "'attestor' is missing"},
        {"attested", "evidence", NULL, "'evidence' is missing"},
        {"signed", NULL, NULL, "'subject' is missing"},
        {"mandate", NULL, NULL, "'subject' is missing"},
        {"oral", NULL, NULL, "mode 'oral' is not one of: signed, attested, mandate"},
        {"attested", NULL, "mandate", "'mandate' has no place"},
    };
    struct ledger_consent c = attested(), parsed;

    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        json_t *json = build(&c, NULL);
        assert_int_equal(json_object_set_new(json, "mode", json_string(faults[i].mode)), 0);
        if (faults[i].drop != NULL)
            assert_int_equal(json_object_del(json, faults[i].drop), 0);
        if (faults[i].add != NULL)
            assert_int_equal(json_object_set_new(json, faults[i].add, json_object()), 0);
        assert_int_equal(ledger_consent_parse(&parsed, json, &err), FM_E_INPUT);
        if (strstr(err.text, faults[i].text) == NULL)
            fail_msg("fault %zu: %s", i, err.text);
        json_decref(json);
    }
}

static void whoever_gave_it_may_withdraw_it(void **state)
{
    struct did_secret *key = world_secret(w);
    struct ledger_consent c = attested(), parsed;
    json_t *json = build(&c, key), *by_attestor, *by_subject;
    char did[DID_KEY_DID_TEXT];

    (void)state;
    must(did_key_did_encode(did, did_secret_key(key), &err));
    must(ledger_consent_parse(&parsed, json, &err));
    must(ledger_revocation_build(&by_attestor, w->chain, parsed.id, &err));
    by_subject = json_deep_copy(by_attestor);
    by_member(by_attestor, 1);
    by_key(by_subject, key);
    must(ledger_revocation_verify(by_attestor, NULL, w->m[1].doc, DID_RULES_VERSION, &err));
    must(ledger_revocation_verify(by_attestor, did, w->m[1].doc, DID_RULES_VERSION, &err));
    must(ledger_revocation_verify(by_subject, did, w->m[1].doc, DID_RULES_VERSION, &err));
    must(ledger_revocation_verify(by_subject, did, NULL, DID_RULES_VERSION, &err));
    assert_int_equal(ledger_revocation_verify(by_attestor, did, NULL, DID_RULES_VERSION, &err),
                     FM_E_AUTH);
    assert_int_equal(
        ledger_revocation_verify(by_attestor, did, w->m[2].doc, DID_RULES_VERSION, &err),
        FM_E_AUTH);
    assert_int_equal(
        ledger_revocation_verify(by_subject, NULL, w->m[1].doc, DID_RULES_VERSION, &err),
        FM_E_AUTH);
    json_decref(json);
    json_decref(by_attestor);
    json_decref(by_subject);
    did_secret_free(key);
}

/* ---- in a trail ---- */

static uint64_t put_consent(json_t *json)
{
    return world_put(w, story_consent(json), LEDGER_RULE_OK);
}

static void the_verifier_counts_and_flags(void **state)
{
    struct did_secret *key = world_secret(w);
    struct ledger_consent c = attested();
    struct ledger_verified *report;
    json_t *json = build(&c, NULL), *mandate;

    (void)state;
    by_member(json, 1);
    (void)put_consent(json);
    c.grantee = "bank_b";
    json = build(&c, NULL);
    by_member(json, 1);
    (void)put_consent(json);
    (void)put_consent(world_consent(w, key));
    mandate = mandate_for(key, &c, c.expires, 2);
    c = mandated(mandate);
    json = build(&c, key);
    by_key(json, key);
    (void)put_consent(json);
    json_decref(mandate);
    story_finish();
    must(story_verify(&report, w->bundle.p, w->bundle.len, 65536));
    assert_int_equal(report->consents_signed, 1);
    assert_int_equal(report->consents_attested, 2);
    assert_int_equal(report->consents_mandated, 1);
    assert_int_equal(report->consents_self_attested, 1);
    ledger_verified_free(report);
    did_secret_free(key);
}

static void the_verifier_finds_a_forged_attestor(void **state)
{
    struct ledger_consent c = attested();
    json_t *json = build(&c, NULL);
    uint64_t leaf;

    (void)state;
    by_member(json, 0); /* the grantee writes what bank_b should have */
    leaf = put_consent(json);
    story_finish();
    story_expect_invalid("consent", leaf, "has no key");
}

static void the_verifier_knows_who_is_a_member(void **state)
{
    struct ledger_consent c = attested();
    json_t *json;
    uint64_t leaf;

    (void)state;
    c.attestor = "carol_credit";
    json = build(&c, NULL);
    by_member(json, 1);
    leaf = put_consent(json);
    story_finish();
    story_expect_invalid("consent", leaf, "carol_credit, who attests, is no active member");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_attested_consent_is_the_attestors_word), T(a_countersigned_consent_needs_both),
        T(a_mandate_binds_key_company_and_time),      T(modes_have_their_members),
        T(whoever_gave_it_may_withdraw_it),           T(the_verifier_counts_and_flags),
        T(the_verifier_finds_a_forged_attestor),      T(the_verifier_knows_who_is_a_member)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
