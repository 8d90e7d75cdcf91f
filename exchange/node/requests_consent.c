/* consent.attest, consent.mandate, consent.withdraw: what a member says with its own key about a
 * person who stood at its counter. */
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "exchange/node/requests_own.h"
#include "ledger/proof/inner.h"

/* This member's proof on a document; one by the subject may be there already. */
static fm_status put_proof(struct node *node, json_t *document, struct base_err *err)
{
    return ledger_receipt_sign(document, node->did, node->config.assertion,
                               base_clock_unix_ms(node->config.clock) / 1000, err);
}

static fm_status check_attestor(const struct node *node, const char *attestor, struct base_err *err)
{
    return strcmp(attestor, node->config.home.alias) == 0
               ? FM_OK
               : base_err_set(err, FM_E_ARG, "%s is to attest this, and this is %s's node",
                              attestor, node->config.home.alias);
}

void node_request_consent_attest(struct node *node, const json_t *request,
                                 const struct node_reply *reply)
{
    struct ledger_consent consent;
    struct base_err err = {0};
    json_t *given, *document = NULL;
    fm_status st = base_json_get_object(&given, request, "consent", &err);

    if (st == FM_OK) {
        document = json_deep_copy(given);
        st = document != NULL ? ledger_consent_parse(&consent, document, &err)
                              : base_err_memory(&err, "consent");
    }
    if (st == FM_OK && strcmp(consent.mode, "attested") != 0)
        st = base_err_set(&err, FM_E_ARG, "a consent in the mode '%s' is not attested: relay it",
                          consent.mode);
    if (st == FM_OK)
        st = check_attestor(node, consent.attestor, &err);
    if (st == FM_OK && memcmp(consent.chain, node->chain_id, 32) != 0)
        st = base_err_set(&err, FM_E_ARG, "the consent is for another ledger");
    if (st == FM_OK)
        st = put_proof(node, document, &err);
    if (st == FM_OK)
        node_submit_and_reply(node, LEDGER_TX_CONSENT_GRANT,
                              json_pack("{s:O}", "consent", document), reply);
    else
        node_reply_error(reply, &err);
    json_decref(document);
}

void node_request_consent_mandate(struct node *node, const json_t *request,
                                  const struct node_reply *reply)
{
    struct ledger_mandate mandate;
    struct base_err err = {0};
    json_t *given, *document = NULL;
    fm_status st = base_json_get_object(&given, request, "mandate", &err);

    if (st == FM_OK) {
        document = json_deep_copy(given);
        st = document != NULL ? ledger_mandate_parse(&mandate, document, &err)
                              : base_err_memory(&err, "mandate");
    }
    if (st == FM_OK)
        st = check_attestor(node, mandate.attestor, &err);
    if (st == FM_OK)
        st = put_proof(node, document, &err);
    if (st == FM_OK)
        node_reply_value(reply, json_pack("{s:O}", "mandate", document));
    else
        node_reply_error(reply, &err);
    json_decref(document);
}

void node_request_consent_withdraw(struct node *node, const json_t *request,
                                   const struct node_reply *reply)
{
    json_t *value = NULL, *document = NULL;
    struct ledger_consent consent;
    struct base_err err = {0};
    const char *id;
    fm_status st = base_json_get_str(&id, request, "consent", &err);

    if (st == FM_OK)
        st = node_state(node, &value, &err, "consent/%.64s", id);
    if (st == FM_E_NOT_FOUND)
        (void)base_err_set(&err, FM_E_NOT_FOUND, "there is no consent %.64s", id);
    if (st == FM_OK)
        st = ledger_consent_parse(&consent, json_object_get(value, "consent"), &err);
    if (st == FM_OK && consent.attestor == NULL)
        st = base_err_set(&err, FM_E_ARG,
                          "nobody attested it: the subject withdraws it with its own key");
    if (st == FM_OK)
        st = check_attestor(node, consent.attestor, &err);
    if (st == FM_OK)
        st = ledger_revocation_build(&document, node->chain_id, consent.id, &err);
    if (st == FM_OK)
        st = put_proof(node, document, &err);
    if (st == FM_OK)
        node_submit_and_reply(node, LEDGER_TX_CONSENT_REVOKE,
                              json_pack("{s:O}", "revocation", document), reply);
    else
        node_reply_error(reply, &err);
    json_decref(document);
    json_decref(value);
}
