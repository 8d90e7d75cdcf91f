/* query.explain: what a query would do, and what is missing for it. */
#include <string.h>

#include "base/json.h"
#include "exchange/contract/compile.h"
#include "exchange/contract/explain.h"
#include "exchange/node/explain_cost.h"
#include "exchange/node/requests_own.h"

struct search {
    const char *plan_hash;
    json_t *found;
};

static fm_status match(void *ctx, const char *key, const json_t *value, struct base_err *err)
{
    struct search *s = ctx;
    const char *hash =
        json_string_value(json_object_get(json_object_get(value, "contract"), "plan_hash"));

    if (hash == NULL || strcmp(hash, s->plan_hash) != 0)
        return FM_OK;
    if (json_array_append_new(s->found, json_string(key + strlen("contract/"))) != 0)
        return base_err_memory(err, "contracts");
    return FM_OK;
}

/* Whose authorization a contract still needs: not given, withdrawn, expired or used up. */
static fm_status add_missing(struct node *node, json_t *missing, const struct contract *c,
                             const char *id_hex, struct base_err *err)
{
    int64_t now = base_clock_unix_ms(node->config.clock);

    for (unsigned i = 0; i < c->table_count; i++) {
        const char *alias = c->tables[i].provider, *status = NULL;
        struct base_err none = {0};
        json_t *value = NULL;
        bool holds = false;

        if (node_state(node, &value, &none, "authorization/%.64s/%.32s", id_hex, alias) == FM_OK) {
            status = json_string_value(json_object_get(value, "status"));
            holds = status != NULL && strcmp(status, "active") == 0 &&
                    json_integer_value(json_object_get(value, "expires")) > now &&
                    json_integer_value(json_object_get(value, "used")) <
                        json_integer_value(json_object_get(value, "runs"));
        }
        json_decref(value);
        if (!holds && json_array_append_new(missing, json_string(alias)) != 0)
            return base_err_memory(err, "contracts");
    }
    return FM_OK;
}

/* {"id", "name", "missing": [aliases], "consent": 0, or the parameter that names the subject whose
 * consent each run needs}. */
static fm_status describe(struct node *node, json_t **out, const char *id_hex, struct base_err *err)
{
    struct contract c = {0};
    json_t *value, *missing = json_array();
    fm_status st = node_state(node, &value, err, "contract/%.64s", id_hex);

    *out = NULL;
    if (st == FM_OK) {
        st = contract_parse(&c, json_object_get(value, "contract"), err);
        if (st == FM_OK)
            st = add_missing(node, missing, &c, id_hex, err);
        if (st == FM_OK)
            *out = json_pack("{s:s, s:s, s:O, s:i}", "id", id_hex, "name", c.name, "missing",
                             missing, "consent", (int)c.subject_parameter);
        if (st == FM_OK && *out == NULL)
            st = base_err_memory(err, "contracts");
        contract_release(&c);
    }
    json_decref(value);
    json_decref(missing);
    return st;
}

/* Contracts on the ledger that have this plan: officers may have allowed it already. */
static fm_status add_contracts(struct node *node, json_t *answer, struct base_err *err)
{
    struct search s = {json_string_value(json_object_get(answer, "plan_hash")), json_array()};
    json_t *list = json_array(), *one;
    fm_status st = s.plan_hash != NULL && s.found != NULL && list != NULL
                       ? FM_OK
                       : base_err_memory(err, "contracts");

    if (st == FM_OK)
        st = ledger_reader_list(ledger_chain_reader(node->chain), "contract/", match, &s, err);
    for (size_t i = 0; st == FM_OK && i < json_array_size(s.found); i++) {
        st = describe(node, &one, json_string_value(json_array_get(s.found, i)), err);
        if (st == FM_OK && json_array_append_new(list, one) != 0)
            st = base_err_memory(err, "contracts");
    }
    if (st == FM_OK && json_object_set(answer, "contracts", list) != 0)
        st = base_err_memory(err, "contracts");
    json_decref(s.found);
    json_decref(list);
    return st;
}

/* What cannot run costs nothing. */
static fm_status explain(struct node *node, json_t **answer, const struct sql_plan *plan,
                         const json_t *request, struct base_err *err)
{
    fm_status st = contract_explain(answer, plan, err);

    if (st == FM_OK)
        st = add_contracts(node, *answer, err);
    if (st == FM_OK && json_object_get(*answer, "not_run") == NULL)
        st = node_explain_cost(node, *answer, plan, request, err);
    return st;
}

/* {"contract": id} stands for what that contract says; the rest of the request stays. */
static fm_status asked(struct node *node, json_t **out, const json_t *request, struct base_err *err)
{
    struct contract c = {0};
    char id_hex[65];
    json_t *value = NULL;
    fm_status st;

    *out = NULL;
    if (json_object_get(request, "contract") == NULL) {
        *out = json_copy((json_t *)(uintptr_t)request);
        return *out != NULL ? FM_OK : base_err_memory(err, "explanation");
    }
    st = node_contract(node, &c, id_hex, request, err);
    contract_release(&c);
    if (st == FM_OK)
        st = node_state(node, &value, err, "contract/%.64s", id_hex);
    if (st == FM_OK) {
        *out = json_copy(json_object_get(value, "contract"));
        if (*out == NULL || json_object_update_missing(*out, (json_t *)(uintptr_t)request) != 0)
            st = base_err_memory(err, "explanation");
    }
    json_decref(value);
    return st;
}

void node_request_query_explain(struct node *node, const json_t *request,
                                const struct node_reply *reply)
{
    struct base_err err = {0};
    json_t *datasets = NULL, *answer = NULL, *ask = NULL;
    struct sql_plan plan;
    int64_t minimum;
    fm_status st = asked(node, &ask, request, &err);

    if (st == FM_OK)
        st = base_json_get_int(&minimum, ask, "minimum_group", &err);
    if (st == FM_OK)
        st = node_datasets(node, &datasets, &err);
    if (st == FM_OK)
        st = contract_plan(&plan, ask, minimum, datasets, &err);
    if (st == FM_OK) {
        st = explain(node, &answer, &plan, ask, &err);
        sql_plan_release(&plan);
    }
    if (st == FM_OK)
        node_reply_value(reply, json_incref(answer));
    else
        node_reply_error(reply, &err);
    json_decref(answer);
    json_decref(datasets);
    json_decref(ask);
}
