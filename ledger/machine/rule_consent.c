/* consent.grant, consent.revoke: a subject's will, relayed by any active member (format.md section
 * 3, "Consent"). */
#include <string.h>

#include "base/json.h"
#include "ledger/machine/machine_rule.h"
#include "ledger/proof/inner.h"

static fm_status check_grant(struct ledger_context *c, const struct ledger_consent *consent,
                             const char *id, struct base_err *err)
{
    const json_t *there;
    fm_status st;

    if (memcmp(consent->chain, c->chain, 32) != 0)
        return ledger_refuse(c, LEDGER_RULE_CONSENT_CHAIN, err,
                             "the consent is for another ledger");
    if (c->time_ms >= consent->expires)
        return ledger_refuse(c, LEDGER_RULE_CONSENT_EXPIRED, err, "the consent has expired");
    if (consent->uses > ledger_limit(c, "consent_uses"))
        return ledger_refuse(c, LEDGER_RULE_LIMIT_CONSENT_USES, err,
                             "the consent grants %lld uses, the ledger allows %lld",
                             (long long)consent->uses, (long long)ledger_limit(c, "consent_uses"));
    st = ledger_member_get(c, &there, consent->grantee, err);
    if (st != FM_OK)
        return st;
    if (there == NULL)
        return ledger_refuse(c, LEDGER_RULE_MEMBER_UNKNOWN, err, "there is no member %s",
                             consent->grantee);
    st = ledger_state_get(c, &there, "consent", id, err);
    if (st == FM_OK && there != NULL)
        return ledger_refuse(c, LEDGER_RULE_CONSENT_DUPLICATE, err, "consent %s is there already",
                             id);
    return st;
}

/* The attestor's current document; NULL if the consent has none, or *out_of_office if it is no
 * active member. */
static fm_status find_attestor(struct ledger_context *c, const struct did_document **out,
                               const char *alias, enum ledger_rule *out_of_office,
                               struct base_err *err)
{
    const json_t *member;
    fm_status st;

    *out = NULL;
    *out_of_office = LEDGER_RULE_OK;
    if (alias == NULL)
        return FM_OK;
    st = ledger_member_get(c, &member, alias, err);
    if (st != FM_OK)
        return st;
    if (member == NULL)
        *out_of_office = LEDGER_RULE_MEMBER_UNKNOWN;
    else if (!ledger_member_is_active(member))
        *out_of_office = LEDGER_RULE_MEMBER_SUSPENDED;
    else
        return ledger_document_get(c, out, ledger_text(member, "did"), err);
    return FM_OK;
}

fm_status ledger_rule_consent_grant(struct ledger_context *c, struct base_err *err)
{
    const json_t *inner = json_object_get(c->body, "consent");
    const struct did_document *attestor;
    enum ledger_rule absent;
    char key[LEDGER_KEY_TEXT], id[LEDGER_HASH_TEXT];
    struct ledger_consent consent;
    json_t *bare;
    fm_status st = ledger_consent_parse(&consent, inner, err);

    if (st != FM_OK)
        return ledger_refuse_as(c, LEDGER_RULE_CONSENT_SHAPE, err);
    base_hex(id, consent.id, sizeof consent.id);
    st = check_grant(c, &consent, id, err);
    if (st != FM_OK)
        return st;
    st = find_attestor(c, &attestor, consent.attestor, &absent, err);
    if (st != FM_OK)
        return st;
    if (absent != LEDGER_RULE_OK)
        return ledger_refuse(c, absent, err, "%s, who attests, is no active member",
                             consent.attestor);
    st = ledger_consent_verify(&consent, inner, attestor, c->rules_version, err);
    if (st != FM_OK)
        return ledger_refuse_as(c, LEDGER_RULE_CONSENT_PROOF, err);

    bare = json_copy((json_t *)(uintptr_t)inner);
    if (bare == NULL)
        return base_err_memory(err, "consent");
    (void)json_object_del(bare, "proof");
    return ledger_view_put(c->view, ledger_key(key, "consent", id),
                           json_pack("{s:o, s:I, s:s, s:I, s:s}", "consent", bare, "left",
                                     (json_int_t)consent.uses, "status", "active", "height",
                                     (json_int_t)c->height, "relay", c->alias),
                           err);
}

fm_status ledger_rule_consent_revoke(struct ledger_context *c, struct base_err *err)
{
    const json_t *inner = json_object_get(c->body, "revocation");
    char key[LEDGER_KEY_TEXT], id[LEDGER_HASH_TEXT];
    struct ledger_revocation revocation;
    struct ledger_consent consent;
    const struct did_document *attestor;
    enum ledger_rule absent; /* then the subject alone can withdraw */
    const json_t *there;
    fm_status st = ledger_revocation_parse(&revocation, inner, err);

    if (st != FM_OK)
        return ledger_refuse_as(c, LEDGER_RULE_CONSENT_SHAPE, err);
    if (memcmp(revocation.chain, c->chain, 32) != 0)
        return ledger_refuse(c, LEDGER_RULE_CONSENT_CHAIN, err,
                             "the revocation is for another ledger");
    base_hex(id, revocation.consent, sizeof revocation.consent);
    st = ledger_view_get(c->view, &there, ledger_key(key, "consent", id), err);
    if (st != FM_OK)
        return st;
    if (there == NULL)
        return ledger_refuse(c, LEDGER_RULE_CONSENT_UNKNOWN, err, "there is no consent %s", id);
    if (!ledger_text_is(there, "status", "active"))
        return ledger_refuse(c, LEDGER_RULE_CONSENT_REVOKED, err, "the consent is revoked already");
    st = ledger_consent_parse(&consent, json_object_get(there, "consent"), err);
    if (st == FM_OK)
        st = find_attestor(c, &attestor, consent.attestor, &absent, err);
    if (st != FM_OK)
        return st == FM_E_INPUT ? err->code = FM_E_CORRUPT : st;
    st = ledger_revocation_verify(inner, consent.subject, attestor, c->rules_version, err);
    if (st != FM_OK)
        return ledger_refuse_as(c, LEDGER_RULE_CONSENT_PROOF, err);

    return ledger_view_put(c->view, key, ledger_with_status(c, there, "revoked", "height"), err);
}
