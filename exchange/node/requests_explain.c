/* query.explain: what a query would do, and what is missing for it. */
#include <string.h>

#include "exchange/contract/explain.h"
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

/* Contracts on the ledger that have this plan: officers may have allowed it already. */
static fm_status add_contracts(struct node *node, json_t *answer, struct base_err *err)
{
    struct search s = {json_string_value(json_object_get(answer, "plan_hash")), json_array()};
    fm_status st;

    if (s.plan_hash == NULL || s.found == NULL) {
        json_decref(s.found);
        return base_err_memory(err, "contracts");
    }
    st = ledger_reader_list(ledger_chain_reader(node->chain), "contract/", match, &s, err);
    if (st == FM_OK && json_object_set(answer, "contracts", s.found) != 0)
        st = base_err_memory(err, "contracts");
    json_decref(s.found);
    return st;
}

void node_request_query_explain(struct node *node, const json_t *request,
                                const struct node_reply *reply)
{
    struct base_err err = {0};
    json_t *datasets = NULL, *answer = NULL;
    fm_status st = node_datasets(node, &datasets, &err);

    if (st == FM_OK)
        st = contract_explain(&answer, request, datasets, &err);
    if (st == FM_OK)
        st = add_contracts(node, answer, &err);
    if (st == FM_OK)
        node_reply_value(reply, json_incref(answer));
    else
        node_reply_error(reply, &err);
    json_decref(answer);
    json_decref(datasets);
}
