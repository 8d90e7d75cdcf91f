/* query.open: the one gate in front of every computation. Who asks, under which contract, with
 * whose authority and consent; all of it as it stands at this height (design.md sections 5
 * and 6.1). The uses are taken here, so that no two queries share one. */
#include <string.h>

#include "base/json.h"
#include "ledger/machine/machine_rule.h"

static fm_status check_frame(struct ledger_context *c, const json_t *contract, struct base_err *err)
{
    int64_t deadline = ledger_int(c->body, "deadline");
    int64_t height = ledger_int(c->body, "height");

    if (!ledger_text_is(contract, "asker", c->alias))
        return ledger_refuse(c, LEDGER_RULE_QUERY_ASKER, err, "only %s may ask under this contract",
                             ledger_text(contract, "asker"));
    if (c->time_ms >= ledger_int(contract, "expires"))
        return ledger_refuse(c, LEDGER_RULE_CONTRACT_EXPIRED, err, "the contract has expired");
    if (height < 0 || (uint64_t)height >= c->height)
        return ledger_refuse(c, LEDGER_RULE_QUERY_HEIGHT, err,
                             "height %lld was not reached before this block, %llu",
                             (long long)height, (unsigned long long)c->height);
    if (deadline <= c->time_ms)
        return ledger_refuse(c, LEDGER_RULE_QUERY_DEADLINE, err,
                             "the deadline is not after the block's time");
    if (deadline - c->time_ms > ledger_limit(c, "deadline_ms"))
        return ledger_refuse(c, LEDGER_RULE_LIMIT_DEADLINE, err,
                             "the deadline is more than %lld ms ahead",
                             (long long)ledger_limit(c, "deadline_ms"));
    if (!json_equal(json_object_get(c->body, "compute"), json_object_get(contract, "compute")))
        return ledger_refuse(c, LEDGER_RULE_QUERY_COMPUTE, err,
                             "the compute parties are not those of the contract, in its order");
    return FM_OK;
}

/* ---- authorizations ---- */

static fm_status take_authorization(struct ledger_context *c, const char *provider,
                                    struct base_err *err)
{
    char key[LEDGER_KEY_TEXT];
    const json_t *a;
    json_t *copy;
    fm_status st;

    (void)ledger_key_2(key, "authorization", ledger_text(c->body, "contract"), provider);
    st = ledger_view_get(c->view, &a, key, err);
    if (st != FM_OK)
        return st;
    if (a == NULL)
        return ledger_refuse(c, LEDGER_RULE_AUTHORIZATION_MISSING, err,
                             "%s has not authorized the contract", provider);
    if (!ledger_text_is(a, "status", "active"))
        return ledger_refuse(c, LEDGER_RULE_AUTHORIZATION_REVOKED, err,
                             "%s withdrew its authorization", provider);
    if (c->time_ms >= ledger_int(a, "expires"))
        return ledger_refuse(c, LEDGER_RULE_AUTHORIZATION_EXPIRED, err,
                             "the authorization of %s has expired", provider);
    if (ledger_int(a, "used") >= ledger_int(a, "runs"))
        return ledger_refuse(c, LEDGER_RULE_AUTHORIZATION_EXHAUSTED, err,
                             "the authorization of %s has no runs left", provider);
    copy = json_copy((json_t *)(uintptr_t)a);
    if (copy != NULL &&
        json_object_set_new(copy, "used", json_integer(ledger_int(a, "used") + 1)) != 0) {
        json_decref(copy);
        copy = NULL;
    }
    return ledger_view_put(c->view, key, copy, err);
}

static fm_status take_authorizations(struct ledger_context *c, const json_t *contract,
                                     struct base_err *err)
{
    struct ledger_parties parties;
    size_t i;
    fm_status st = FM_OK;

    if (!ledger_parties_of(&parties, contract))
        return base_err_set(err, FM_E_CORRUPT, "a contract in the state names too many members");
    for (i = 0; st == FM_OK && i < parties.count; i++)
        if ((parties.who[i].is & LEDGER_PARTY_PROVIDER) != 0)
            st = take_authorization(c, parties.who[i].alias, err);
    return st;
}

/* ---- consent ---- */

/* Is this consent, as it stands, a permission for this query? */
static fm_status check_consent(struct ledger_context *c, const json_t *value,
                               const json_t *contract, struct base_err *err)
{
    const json_t *consent = json_object_get(value, "consent");
    const json_t *modes = json_object_get(json_object_get(contract, "consent"), "modes");

    if (!ledger_text_is(value, "status", "active"))
        return ledger_refuse(c, LEDGER_RULE_CONSENT_REVOKED, err, "the consent is revoked");
    if (c->time_ms < ledger_int(consent, "not_before"))
        return ledger_refuse(c, LEDGER_RULE_CONSENT_NOT_YET, err, "the consent is not valid yet");
    if (c->time_ms >= ledger_int(consent, "expires"))
        return ledger_refuse(c, LEDGER_RULE_CONSENT_EXPIRED, err, "the consent has expired");
    if (ledger_int(value, "left") < 1)
        return ledger_refuse(c, LEDGER_RULE_CONSENT_USED_UP, err, "the consent has no uses left");
    if (!ledger_text_is(consent, "grantee", c->alias))
        return ledger_refuse(c, LEDGER_RULE_CONSENT_GRANTEE, err, "the consent is for %s",
                             ledger_text(consent, "grantee"));
    if (json_object_get(consent, "contract") != NULL) {
        if (!ledger_text_is(consent, "contract", ledger_text(c->body, "contract")))
            return ledger_refuse(c, LEDGER_RULE_CONSENT_CONTRACT, err,
                                 "the consent is for another contract");
    } else if (!ledger_text_is(consent, "purpose", ledger_text(contract, "purpose"))) {
        return ledger_refuse(c, LEDGER_RULE_CONSENT_PURPOSE, err,
                             "the consent is for another purpose");
    }
    if (!ledger_names_has(modes, ledger_text(consent, "mode")))
        return ledger_refuse(c, LEDGER_RULE_CONSENT_MODE, err,
                             "the contract does not accept the mode %s",
                             ledger_text(consent, "mode"));
    return FM_OK;
}

static fm_status take_consent(struct ledger_context *c, const char *id, const json_t *contract,
                              struct base_err *err)
{
    char key[LEDGER_KEY_TEXT];
    const json_t *value;
    json_t *copy;
    fm_status st = ledger_view_get(c->view, &value, ledger_key(key, "consent", id), err);

    if (st != FM_OK)
        return st;
    if (value == NULL)
        return ledger_refuse(c, LEDGER_RULE_CONSENT_UNKNOWN, err, "there is no consent %s", id);
    st = check_consent(c, value, contract, err);
    if (st != FM_OK)
        return st;
    copy = json_copy((json_t *)(uintptr_t)value);
    if (copy != NULL &&
        json_object_set_new(copy, "left", json_integer(ledger_int(value, "left") - 1)) != 0) {
        json_decref(copy);
        copy = NULL;
    }
    return ledger_view_put(c->view, key, copy, err);
}

/* Exactly the consents that the contract asks for: none, or one for its subject's parameter. */
static fm_status take_consents(struct ledger_context *c, const json_t *contract,
                               struct base_err *err)
{
    const json_t *required = json_object_get(contract, "consent");
    const json_t *consents = json_object_get(c->body, "consents");
    bool subject = ledger_text_is(required, "requirement", "subject");
    int64_t parameters = (int64_t)json_array_size(json_object_get(contract, "parameters"));
    size_t i;

    for (i = 0; i < json_array_size(consents); i++) {
        int64_t n = ledger_int(json_array_get(consents, i), "parameter");

        if (n < 1 || n > parameters)
            return ledger_refuse(c, LEDGER_RULE_QUERY_PARAMETER, err,
                                 "the contract has no parameter $%lld", (long long)n);
        if (!subject || n != ledger_int(required, "parameter") || i > 0)
            return ledger_refuse(c, LEDGER_RULE_CONSENT_SUBJECT, err,
                                 "the contract asks for no such consent for $%lld", (long long)n);
    }
    if (!subject)
        return FM_OK;
    if (json_array_size(consents) == 0)
        return ledger_refuse(c, LEDGER_RULE_CONSENT_MISSING, err,
                             "the contract asks for the subject's consent for $%lld",
                             (long long)ledger_int(required, "parameter"));
    return take_consent(c, ledger_text(json_array_get(consents, 0), "consent"), contract, err);
}

/* ---- the asker's queries ---- */

static fm_status check_limits(struct ledger_context *c, const json_t *open, struct base_err *err)
{
    int64_t running = 0, overdue = 0;
    size_t i;

    for (i = 0; i < json_array_size(open); i++) {
        if (ledger_int(json_array_get(open, i), "deadline") > c->time_ms)
            running++;
        else
            overdue++;
    }
    if (overdue >= ledger_limit(c, "unreceipted_queries"))
        return ledger_refuse(c, LEDGER_RULE_LIMIT_UNRECEIPTED_QUERIES, err,
                             "%lld queries of %s are past their deadline without a close",
                             (long long)overdue, c->alias);
    if (running >= ledger_limit(c, "open_queries"))
        return ledger_refuse(c, LEDGER_RULE_LIMIT_OPEN_QUERIES, err, "%s has %lld open queries",
                             c->alias, (long long)running);
    return FM_OK;
}

/* asker/ALIAS with one more query. */
static fm_status put_asker(struct ledger_context *c, const json_t *open, struct base_err *err)
{
    char key[LEDGER_KEY_TEXT];
    json_t *list = open != NULL ? json_copy((json_t *)(uintptr_t)open) : json_array();

    if (list == NULL ||
        json_array_append_new(list, json_pack("{s:s, s:O}", "query", c->id, "deadline",
                                              json_object_get(c->body, "deadline"))) != 0) {
        json_decref(list);
        return base_err_memory(err, "query");
    }
    return ledger_view_put(c->view, ledger_key(key, "asker", c->alias),
                           json_pack("{s:o}", "open", list), err);
}

fm_status ledger_rule_query_open(struct ledger_context *c, struct base_err *err)
{
    const char *id = ledger_text(c->body, "contract");
    char key[LEDGER_KEY_TEXT];
    const json_t *contract, *asker, *open = NULL;
    fm_status st = ledger_contract_get(c, &contract, id, err);

    if (st != FM_OK)
        return st;
    if (contract == NULL)
        return ledger_refuse(c, LEDGER_RULE_CONTRACT_UNKNOWN, err, "there is no contract %s", id);
    st = check_frame(c, contract, err);
    if (st == FM_OK)
        st = ledger_contract_check_world(c, contract, err);
    if (st == FM_OK)
        st = ledger_state_get(c, &asker, "asker", c->alias, err);
    if (st == FM_OK) {
        open = json_object_get(asker, "open");
        st = check_limits(c, open, err);
    }
    if (st == FM_OK)
        st = take_authorizations(c, contract, err);
    if (st == FM_OK)
        st = take_consents(c, contract, err);
    if (st == FM_OK)
        st = put_asker(c, open, err);
    if (st != FM_OK)
        return st;
    return ledger_view_put(
        c->view, ledger_key(key, "query", c->id),
        json_pack("{s:s, s:s, s:O, s:O, s:O, s:I, s:I, s:s, s:[]}", "asker", c->alias, "contract",
                  id, "consents", json_object_get(c->body, "consents"), "compute",
                  json_object_get(c->body, "compute"), "deadline",
                  json_object_get(c->body, "deadline"), "height", (json_int_t)c->height, "time",
                  (json_int_t)c->time_ms, "status", "open", "receipts"),
        err);
}
