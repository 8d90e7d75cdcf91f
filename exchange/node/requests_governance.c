/* governance.list: what members are asked to vote on, and how they voted; the parameters; and what
 * was proven of validators. */
#include <string.h>

#include "base/json.h"
#include "exchange/node/requests_own.h"

static fm_status add_proven(void *ctx, const char *key, const json_t *value, struct base_err *err)
{
    json_t *list = ctx, *item = json_copy((json_t *)(uintptr_t)value);

    if (item == NULL ||
        json_object_set_new(item, "id", json_string(key + strlen("misbehavior/"))) != 0 ||
        json_array_append_new(list, item) != 0)
        return base_err_memory(err, "misbehavior");
    return FM_OK;
}

fm_status node_misbehavior(const struct node *node, json_t **out, struct base_err *err)
{
    fm_status st;

    *out = json_array();
    if (*out == NULL)
        return base_err_memory(err, "misbehavior");
    st =
        ledger_reader_list(ledger_chain_reader(node->chain), "misbehavior/", add_proven, *out, err);
    if (st != FM_OK) {
        json_decref(*out);
        *out = NULL;
    }
    return st;
}

struct listing {
    json_t *list;
    bool all;
};

static fm_status add(void *ctx, const char *key, const json_t *value, struct base_err *err)
{
    struct listing *l = ctx;
    const char *status = json_string_value(json_object_get(value, "status"));
    json_t *item;

    if (!l->all && (status == NULL || strcmp(status, "open") != 0))
        return FM_OK;
    item = json_copy((json_t *)(uintptr_t)value);
    if (item == NULL ||
        json_object_set_new(item, "proposal", json_string(key + strlen("proposal/"))) != 0 ||
        json_array_append_new(l->list, item) != 0)
        return base_err_memory(err, "proposals");
    return FM_OK;
}

void node_request_governance_list(struct node *node, const json_t *request,
                                  const struct node_reply *reply)
{
    struct ledger_reader *reader = ledger_chain_reader(node->chain);
    struct listing l = {json_array(), json_is_true(json_object_get(request, "all"))};
    struct base_err err = {0};
    size_t active = 0;
    json_t *param = NULL, *proven = NULL;
    fm_status st = l.list == NULL ? base_err_memory(&err, "proposals")
                                  : ledger_reader_list(reader, "proposal/", add, &l, &err);

    if (st == FM_OK)
        st = ledger_reader_get(reader, &param, "param", &err);
    if (st == FM_OK)
        st = node_misbehavior(node, &proven, &err);
    for (size_t i = 0; i < node->member_count; i++)
        active += node->members[i].active;
    if (st == FM_OK)
        node_reply_value(reply,
                         json_pack("{s:O, s:O, s:O, s:I}", "proposals", l.list, "param", param,
                                   "misbehavior", proven, "active", (json_int_t)active));
    else
        node_reply_error(reply, &err);
    json_decref(param);
    json_decref(proven);
    json_decref(l.list);
}
