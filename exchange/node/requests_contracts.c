/* contract.list: what may be asked, and which providers have allowed it. */
#include <string.h>

#include "base/json.h"
#include "exchange/node/requests_own.h"

/* Each provider once: [{"provider", "status": "missing", "active", "revoked" or "expired",
 * "expires"?, "runs"?, "used"?}]. */
static fm_status add_providers(struct node *node, json_t *list, const char *id,
                               const json_t *contract, struct base_err *err)
{
    int64_t now = base_clock_unix_ms(node->config.clock);
    const json_t *alias;
    const char *provider;
    json_t *value, *item;
    fm_status st;

    json_object_foreach(json_object_get(contract, "uses"), provider, alias)
    {
        st = node_state(node, &value, err, "authorization/%s/%s", id, provider);
        if (st != FM_OK && st != FM_E_NOT_FOUND)
            return st;
        if (st == FM_E_NOT_FOUND)
            item = json_pack("{s:s,s:s}", "provider", provider, "status", "missing");
        else
            item =
                json_pack("{s:s,s:s*,s:O*,s:O*,s:O*}", "provider", provider, "status",
                          json_integer_value(json_object_get(value, "expires")) <= now
                              ? "expired"
                              : json_string_value(json_object_get(value, "status")),
                          "expires", json_object_get(value, "expires"), "runs",
                          json_object_get(value, "runs"), "used", json_object_get(value, "used"));
        json_decref(value);
        if (json_array_append_new(list, item) != 0)
            return base_err_memory(err, "contracts");
    }
    return FM_OK;
}

static fm_status add(void *ctx, const char *key, const json_t *value, struct base_err *err)
{
    const char *id = key + strlen("contract/");
    const json_t *contract = json_object_get(value, "contract");
    json_t *list = ctx, *item, *authorizations = json_array();

    if (strlen(id) != 64) { /* something below a contract */
        json_decref(authorizations);
        return FM_OK;
    }
    item = json_pack(
        "{s:s,s:O*,s:O*,s:O*,s:O*,s:O*,s:O*,s:o}", "id", id, "name",
        json_object_get(contract, "name"), "version", json_object_get(contract, "version"), "asker",
        json_object_get(contract, "asker"), "purpose", json_object_get(contract, "purpose"),
        "recipients", json_object_get(contract, "recipients"), "expires",
        json_object_get(contract, "expires"), "authorizations", authorizations);
    if (item == NULL || json_array_append_new(list, item) != 0)
        return base_err_memory(err, "contracts");
    return FM_OK;
}

void node_request_contract_list(struct node *node, const json_t *request,
                                const struct node_reply *reply)
{
    json_t *list = json_array();
    struct base_err err = {0};
    const json_t *item;
    json_t *value;
    size_t i;
    fm_status st = list != NULL ? ledger_reader_list(ledger_chain_reader(node->chain), "contract/",
                                                     add, list, &err)
                                : base_err_memory(&err, "contracts");

    (void)request;
    /* A walk of the state asks nothing else of it on the way. */
    json_array_foreach(list, i, item)
    {
        const char *id = json_string_value(json_object_get(item, "id"));
        if (st == FM_OK)
            st = node_state(node, &value, &err, "contract/%s", id);
        if (st == FM_OK) {
            st = add_providers(node, json_object_get(item, "authorizations"), id,
                               json_object_get(value, "contract"), &err);
            json_decref(value);
        }
    }
    if (st == FM_OK)
        node_reply_value(reply, json_pack("{s:O}", "contracts", list));
    else
        node_reply_error(reply, &err);
    json_decref(list);
}
