#include "exchange/contract/explain.h"

#include "base/bytes.h"
#include "exchange/contract/compile.h"
#include "exchange/contract/protocol.h"
#include "exchange/contract/uses.h"
#include "exchange/sql/physical/explain.h"

static fm_status add_texts(json_t *out, const struct sql_plan *plan, struct base_err *err)
{
    struct base_buf plan_text = {0}, uses_text = {0};
    uint8_t hash[32];
    char hash_hex[65];
    fm_status st = contract_describe(&plan_text, &uses_text, plan, err);

    if (st == FM_OK)
        st = sql_plan_hash(hash, plan, err);
    if (st == FM_OK) {
        base_hex(hash_hex, hash, 32);
        if (json_object_set_new(out, "plan_hash", json_string(hash_hex)) != 0 ||
            json_object_set_new(out, "plan_text", json_string(base_buf_cstr(&plan_text))) != 0 ||
            json_object_set_new(out, "uses_text", json_string(base_buf_cstr(&uses_text))) != 0)
            st = base_err_memory(err, "explanation");
    }
    base_buf_release(&plan_text);
    base_buf_release(&uses_text);
    return st;
}

static fm_status add_uses(json_t *out, const struct sql_plan *plan, struct base_err *err)
{
    json_t *uses = NULL, *providers = json_array();
    const char *alias;
    json_t *value;
    fm_status st = contract_uses_by_member(&uses, plan, err);

    if (st == FM_OK && providers != NULL) {
        json_object_foreach(uses, alias, value)
        {
            (void)value;
            (void)json_array_append_new(providers, json_string(alias));
        }
    }
    if (st == FM_OK && (json_object_set(out, "uses", uses) != 0 ||
                        json_object_set(out, "providers", providers) != 0))
        st = base_err_memory(err, "explanation");
    json_decref(uses);
    json_decref(providers);
    return st;
}

static fm_status add_protocols(json_t *out, const struct sql_plan *plan, struct base_err *err)
{
    json_t *list = NULL;
    fm_status st = contract_protocols_json(&list, plan, err);

    if (st == FM_OK && json_object_set(out, "protocols", list) != 0)
        st = base_err_memory(err, "explanation");
    json_decref(list);
    return st;
}

fm_status contract_explain(json_t **out, const struct sql_plan *plan, struct base_err *err)
{
    fm_status st = sql_explain_json(out, plan, err);

    if (st == FM_OK)
        st = add_texts(*out, plan, err);
    if (st == FM_OK)
        st = add_protocols(*out, plan, err);
    if (st == FM_OK)
        st = add_uses(*out, plan, err);
    if (st != FM_OK) {
        json_decref(*out);
        *out = NULL;
    }
    return st;
}
