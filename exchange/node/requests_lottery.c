/* lottery.list and lottery.show: how far lotteries are. Their draws need no node. */
#include <string.h>

#include "base/json.h"
#include "exchange/node/requests_own.h"

static fm_status add(void *ctx, const char *key, const json_t *value, struct base_err *err)
{
    json_t *list = ctx, *item = json_copy((json_t *)(uintptr_t)value);

    if (item == NULL ||
        json_object_set_new(item, "id", json_string(key + strlen("lottery/"))) != 0 ||
        json_array_append_new(list, item) != 0)
        return base_err_memory(err, "lotteries");
    return FM_OK;
}

/* Of the newest block that is final: what is not there by now comes later than that. */
static json_int_t newest(const struct node *node)
{
    struct base_err ignored = {0};
    struct ledger_head head = {0};

    return ledger_reader_head(ledger_chain_reader(node->chain), &head, &ignored) == FM_OK
               ? (json_int_t)head.time_ms
               : 0;
}

void node_request_lottery_list(struct node *node, const json_t *request,
                               const struct node_reply *reply)
{
    struct base_err err = {0};
    json_t *list = json_array();
    fm_status st = list != NULL ? ledger_reader_list(ledger_chain_reader(node->chain), "lottery/",
                                                     add, list, &err)
                                : base_err_memory(&err, "lotteries");

    (void)request;
    if (st == FM_OK)
        node_reply_value(reply, json_pack("{s:O,s:I}", "lotteries", list, "time", newest(node)));
    else
        node_reply_error(reply, &err);
    json_decref(list);
}

void node_request_lottery_show(struct node *node, const json_t *request,
                               const struct node_reply *reply)
{
    struct base_err err = {0};
    json_t *value = NULL;
    char id[65];

    if (node_find_by_digits(node, &value, id, "lottery", request, &err) != FM_OK)
        node_reply_error(reply, &err);
    else if (json_object_set_new(value, "id", json_string(id)) != 0 ||
             json_object_set_new(value, "time", json_integer(newest(node))) != 0) {
        json_decref(value);
        node_reply_value(reply, NULL);
    } else
        node_reply_value(reply, value);
}
