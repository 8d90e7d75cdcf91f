#include "ledger/machine/machine_rule.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

static const struct {
    ledger_rule_fn *run;
    bool when_suspended; /* may a suspended member send it? */
} rule_functions[LEDGER_TX_TYPE_COUNT] = {
    [LEDGER_TX_MEMBER_PROPOSE] = {ledger_rule_member_propose, false},
    [LEDGER_TX_MEMBER_SUSPEND] = {ledger_rule_member_suspend, false},
    [LEDGER_TX_MEMBER_REINSTATE] = {ledger_rule_member_reinstate, false},
    [LEDGER_TX_MEMBER_CHANGE] = {ledger_rule_member_change, false},
    [LEDGER_TX_MEMBER_REKEY] = {ledger_rule_member_rekey, false},
    [LEDGER_TX_PARAMETER_PROPOSE] = {ledger_rule_parameter_propose, false},
    [LEDGER_TX_MEMBER_VOTE] = {ledger_rule_member_vote, false},
    [LEDGER_TX_DID_UPDATE] = {ledger_rule_did_update, true},
    [LEDGER_TX_DID_RECOVER] = {ledger_rule_did_recover, true},
    [LEDGER_TX_DID_DEACTIVATE] = {ledger_rule_did_deactivate, true},
    [LEDGER_TX_DATASET_PUBLISH] = {ledger_rule_dataset_publish, false},
    [LEDGER_TX_EVIDENCE_DEPOSIT] = {ledger_rule_evidence_deposit, false},
    [LEDGER_TX_LOTTERY_OPEN] = {ledger_rule_lottery_open, false},
    [LEDGER_TX_LOTTERY_COMMIT] = {ledger_rule_lottery_commit, false},
    [LEDGER_TX_LOTTERY_REVEAL] = {ledger_rule_lottery_reveal, false},
    [LEDGER_TX_CONTRACT_PROPOSE] = {ledger_rule_contract_propose, false},
    [LEDGER_TX_AUTHORIZATION_GRANT] = {ledger_rule_authorization_grant, false},
    [LEDGER_TX_AUTHORIZATION_REVOKE] = {ledger_rule_authorization_revoke, false},
    [LEDGER_TX_CONSENT_GRANT] = {ledger_rule_consent_grant, false},
    [LEDGER_TX_CONSENT_REVOKE] = {ledger_rule_consent_revoke, false},
    [LEDGER_TX_QUERY_OPEN] = {ledger_rule_query_open, false},
    [LEDGER_TX_QUERY_CLOSE] = {ledger_rule_query_close, false},
    [LEDGER_TX_QUERY_RECEIPT] = {ledger_rule_query_receipt, false},
    [LEDGER_TX_EPOCH_APPROVE] = {ledger_rule_epoch_part, false},
    [LEDGER_TX_EPOCH_PROMISE] = {ledger_rule_epoch_part, false},
    [LEDGER_TX_EPOCH] = {ledger_rule_epoch, false},
    [LEDGER_TX_STATUS_PUBLISH] = {ledger_rule_status_publish, false},
};

fm_status ledger_rule_run(struct ledger_context *c, struct base_err *err)
{
    assert(c->tx->type < LEDGER_TX_TYPE_COUNT);
    if (!rule_functions[c->tx->type].when_suspended && !ledger_member_is_active(c->member))
        return ledger_refuse(c, LEDGER_RULE_MEMBER_SUSPENDED, err, "%s is suspended", c->alias);
    return rule_functions[c->tx->type].run(c, err);
}

/* ---- refusing ---- */

void ledger_detail_set(char detail[LEDGER_DETAIL_TEXT], const char *text)
{
    size_t i;

    for (i = 0; i < LEDGER_DETAIL_TEXT - 1 && text[i] != '\0'; i++)
        detail[i] = (char)((text[i] < 0x20 || text[i] > 0x7e) ? '?' : text[i]);
    detail[i] = '\0';
}

fm_status ledger_refuse(struct ledger_context *c, enum ledger_rule rule, struct base_err *err,
                        const char *fmt, ...)
{
    char text[LEDGER_DETAIL_TEXT];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    c->rule = rule;
    ledger_detail_set(c->detail, text);
    return base_err_set(err, FM_E_REFUSED, "%s", c->detail);
}

fm_status ledger_refuse_as(struct ledger_context *c, enum ledger_rule rule, struct base_err *err)
{
    if (err->code != FM_E_INPUT && err->code != FM_E_AUTH && err->code != FM_E_REFUSED &&
        err->code != FM_E_CONFLICT)
        return err->code;
    c->rule = rule;
    ledger_detail_set(c->detail, err->text);
    return base_err_set(err, FM_E_REFUSED, "%s", c->detail);
}

/* ---- keys and values ---- */

const char *ledger_key(char out[LEDGER_KEY_TEXT], const char *prefix, const char *name)
{
    int n = snprintf(out, LEDGER_KEY_TEXT, "%s/%s", prefix, name);

    assert(n > 0 && n < LEDGER_KEY_TEXT); /* names are checked before they become keys */
    (void)n;
    return out;
}

const char *ledger_key_2(char out[LEDGER_KEY_TEXT], const char *prefix, const char *first,
                         const char *second)
{
    int n = snprintf(out, LEDGER_KEY_TEXT, "%s/%s/%s", prefix, first, second);

    assert(n > 0 && n < LEDGER_KEY_TEXT);
    (void)n;
    return out;
}

fm_status ledger_state_get(struct ledger_context *c, const json_t **value, const char *prefix,
                           const char *name, struct base_err *err)
{
    char key[LEDGER_KEY_TEXT];

    return ledger_view_get(c->view, value, ledger_key(key, prefix, name), err);
}

const char *ledger_text(const json_t *value, const char *name)
{
    const char *text = json_string_value(json_object_get(value, name));

    return text != NULL ? text : "";
}

int64_t ledger_int(const json_t *value, const char *name)
{
    return json_integer_value(json_object_get(value, name));
}

bool ledger_text_is(const json_t *value, const char *name, const char *text)
{
    return strcmp(ledger_text(value, name), text) == 0;
}

json_t *ledger_with_status(const struct ledger_context *c, const json_t *value, const char *status,
                           const char *when)
{
    json_t *copy = json_copy((json_t *)(uintptr_t)value);

    if (copy != NULL &&
        (json_object_set_new(copy, "status", json_string(status)) != 0 ||
         json_object_set_new(copy, when, json_integer((json_int_t)c->height)) != 0)) {
        json_decref(copy);
        copy = NULL;
    }
    return copy;
}

int64_t ledger_limit(const struct ledger_context *c, const char *name)
{
    return ledger_int(c->limits, name);
}

/* ---- shapes ---- */

bool ledger_is_hash(const char *text)
{
    uint8_t bytes[32];

    return text != NULL && base_unhex(bytes, sizeof bytes, text, strlen(text));
}

bool ledger_is_time(const json_t *value)
{
    return json_is_integer(value) && json_integer_value(value) >= 0;
}

bool ledger_is_name(const char *text)
{
    return text != NULL && did_alias_is_valid(text);
}

bool ledger_is_names(const json_t *array, size_t want)
{
    size_t i, n = json_array_size(array);

    if (!json_is_array(array) || n == 0 || n > LEDGER_PARTIES_MAX || (want != 0 && n != want))
        return false;
    for (i = 0; i < n; i++) {
        const char *name = json_string_value(json_array_get(array, i));
        size_t j;

        if (!ledger_is_name(name))
            return false;
        for (j = 0; j < i; j++)
            if (strcmp(json_string_value(json_array_get(array, j)), name) == 0)
                return false;
    }
    return true;
}

bool ledger_names_has(const json_t *array, const char *name)
{
    size_t i;

    for (i = 0; i < json_array_size(array); i++) {
        const char *item = json_string_value(json_array_get(array, i));

        if (item != NULL && strcmp(item, name) == 0)
            return true;
    }
    return false;
}
