#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "ledger/proof/inner.h"
#include "ledger/proof/shape.h"
#include "ledger/proof/tx.h"

#define RECEIPT_TYPE "FirmianaReceipt"
#define ITEMS_MAX 4096

static const char *const outcome_names[] = {
    [LEDGER_RECEIPT_DONE] = "done",
    [LEDGER_RECEIPT_REFUSED] = "refused",
    [LEDGER_RECEIPT_ABORTED] = "aborted",
};
#define OUTCOMES (sizeof outcome_names / sizeof *outcome_names)

const char *ledger_receipt_outcome_name(enum ledger_outcome_kind outcome)
{
    return outcome_names[outcome];
}

/* ---- parsing ---- */

static const struct ledger_member receipt_members[] = {
    {"type", LEDGER_IS_TEXT, false},       {"chain", LEDGER_IS_HASH, false},
    {"query", LEDGER_IS_HASH, false},      {"attempt", LEDGER_IS_COUNT, false},
    {"descriptor", LEDGER_IS_HASH, false}, {"plan_hash", LEDGER_IS_HASH, false},
    {"protocol", LEDGER_IS_NAME, false},   {"outcome", LEDGER_IS_NAME, false},
    {"rule", LEDGER_IS_TEXT, true},        {"party", LEDGER_IS_ALIAS, true},
    {"shared", LEDGER_IS_BOOL, false},     {"channels", LEDGER_IS_ARRAY, false},
    {"inputs", LEDGER_IS_ARRAY, false},    {"result", LEDGER_IS_ARRAY, false},
    {NULL, LEDGER_IS_OBJECT, false},
};

static const struct ledger_member channel_members[] = {
    {"from", LEDGER_IS_ALIAS, false},
    {"to", LEDGER_IS_ALIAS, false},
    {"hash", LEDGER_IS_HASH, false},
    {NULL, LEDGER_IS_OBJECT, false},
};

static const struct ledger_member input_members[] = {
    {"provider", LEDGER_IS_ALIAS, false},   {"table", LEDGER_IS_TEXT, false},
    {"component", LEDGER_IS_NUMBER, false}, {"holders", LEDGER_IS_ALIASES, false},
    {"commitment", LEDGER_IS_HASH, false},  {NULL, LEDGER_IS_OBJECT, false},
};

static const struct ledger_member result_members[] = {
    {"component", LEDGER_IS_NUMBER, false},
    {"holders", LEDGER_IS_ALIASES, false},
    {"commitment", LEDGER_IS_HASH, false},
    {NULL, LEDGER_IS_OBJECT, false},
};

static fm_status two_holders(const json_t *array, const char *name, struct base_err *err)
{
    size_t i;
    json_t *item;

    json_array_foreach(array, i, item)
    {
        if (json_array_size(json_object_get(item, "holders")) != 2)
            return base_err_set(err, FM_E_INPUT, "%s[%zu]: a component has two holders", name, i);
    }
    return FM_OK;
}

static fm_status check_shape(const json_t *json, struct base_err *err)
{
    /* The proof is one object or a set; did_proof_verify_set() reads it. */
    json_t *bare = json_copy((json_t *)(uintptr_t)json);
    fm_status st;

    if (bare == NULL)
        return base_err_memory(err, "receipt");
    (void)json_object_del(bare, "proof");
    st = ledger_shape_check(bare, receipt_members, err);
    json_decref(bare);
    if (st == FM_OK)
        st = ledger_shape_check_items(json_object_get(json, "channels"), "channels", ITEMS_MAX,
                                      channel_members, err);
    if (st == FM_OK)
        st = ledger_shape_check_items(json_object_get(json, "inputs"), "inputs", ITEMS_MAX,
                                      input_members, err);
    if (st == FM_OK)
        st = ledger_shape_check_items(json_object_get(json, "result"), "result", ITEMS_MAX,
                                      result_members, err);
    if (st == FM_OK)
        st = two_holders(json_object_get(json, "inputs"), "inputs", err);
    if (st == FM_OK)
        st = two_holders(json_object_get(json, "result"), "result", err);
    return st;
}

static fm_status read_outcome(struct ledger_receipt *out, const json_t *json, struct base_err *err)
{
    const char *name = json_string_value(json_object_get(json, "outcome"));
    unsigned i = 0;

    while (i < OUTCOMES && strcmp(outcome_names[i], name) != 0)
        i++;
    if (i == OUTCOMES)
        return base_err_set(err, FM_E_INPUT, "outcome '%s' is not done, refused or aborted", name);
    out->outcome = (enum ledger_outcome_kind)i;
    out->rule = json_string_value(json_object_get(json, "rule"));
    out->party = json_string_value(json_object_get(json, "party"));
    if (out->outcome == LEDGER_RECEIPT_DONE && (out->rule != NULL || out->party != NULL))
        return base_err_set(err, FM_E_INPUT, "a query that is done names no rule and no party");
    return FM_OK;
}

static fm_status read_receipt(struct ledger_receipt *out, const json_t *json, struct base_err *err)
{
    fm_status st;

    if (!json_is_object(json))
        return base_err_set(err, FM_E_INPUT, "not an object");
    st = check_shape(json, err);
    if (st == FM_OK && strcmp(json_string_value(json_object_get(json, "type")), RECEIPT_TYPE) != 0)
        st = base_err_set(err, FM_E_INPUT, "member 'type' must be '%s'", RECEIPT_TYPE);
    if (st == FM_OK)
        st = base_json_get_hex(out->chain, 32, json, "chain", err);
    if (st == FM_OK)
        st = base_json_get_hex(out->query, 32, json, "query", err);
    if (st == FM_OK)
        st = base_json_get_hex(out->descriptor, 32, json, "descriptor", err);
    if (st == FM_OK)
        st = base_json_get_hex(out->plan_hash, 32, json, "plan_hash", err);
    if (st == FM_OK)
        st = read_outcome(out, json, err);
    if (st != FM_OK)
        return st;
    out->attempt = json_integer_value(json_object_get(json, "attempt"));
    out->protocol = json_string_value(json_object_get(json, "protocol"));
    out->shared = json_is_true(json_object_get(json, "shared"));
    out->channels = json_object_get(json, "channels");
    out->inputs = json_object_get(json, "inputs");
    out->result = json_object_get(json, "result");
    return FM_OK;
}

fm_status ledger_receipt_parse(struct ledger_receipt *out, const json_t *json, struct base_err *err)
{
    fm_status st;

    *out = (struct ledger_receipt){0};
    st = read_receipt(out, json, err);
    return st == FM_OK ? FM_OK : base_err_prefix(err, "receipt");
}

fm_status ledger_receipt_verify(struct did_proof *signers, size_t *n_signers, const json_t *json,
                                uint32_t rules_version, const struct did_resolver *members,
                                struct base_err *err)
{
    fm_status st = did_proof_verify_set(signers, n_signers, json, DID_ROLE_ASSERTION, rules_version,
                                        members, err);

    return st == FM_OK ? FM_OK : base_err_prefix(err, "receipt");
}

/* ---- building ---- */

fm_status ledger_receipt_build(json_t **out, const struct ledger_receipt *r, struct base_err *err)
{
    char chain[65], query[65], descriptor[65], plan_hash[65];
    struct ledger_receipt probe;
    json_t *json;
    fm_status st;

    *out = NULL;
    base_hex(chain, r->chain, 32);
    base_hex(query, r->query, 32);
    base_hex(descriptor, r->descriptor, 32);
    base_hex(plan_hash, r->plan_hash, 32);
    json = json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:s, s:s*, s:s*, s:b, s:O, s:O, s:O}",
                     "type", RECEIPT_TYPE, "chain", chain, "query", query, "attempt",
                     (json_int_t)r->attempt, "descriptor", descriptor, "plan_hash", plan_hash,
                     "protocol", r->protocol, "outcome", outcome_names[r->outcome], "rule", r->rule,
                     "party", r->party, "shared", (int)r->shared, "channels", r->channels, "inputs",
                     r->inputs, "result", r->result);
    if (json == NULL)
        return base_err_memory(err, "receipt");
    st = ledger_receipt_parse(&probe, json, err);
    if (st != FM_OK) {
        json_decref(json);
        return st;
    }
    *out = json;
    return FM_OK;
}

fm_status ledger_receipt_sign(json_t *receipt, const char *did, const struct did_secret *secret,
                              int64_t created_s, struct base_err *err)
{
    char method[DID_METHOD_TEXT];
    fm_status st = ledger_method_id(method, did, did_secret_key(secret), err);

    if (st == FM_OK)
        st = did_proof_add_to_set(receipt, secret, method, DID_ROLE_ASSERTION, created_s, err);
    return st;
}
