/* The change of the ledger's sequencer, and what a node that met a fork kept of it. */
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "exchange/node/node_own.h"
#include "exchange/node/requests_own.h"

static json_t *names(const char *const *list, size_t n)
{
    json_t *array = json_array();

    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(array, json_string(list[i]));
    return array;
}

json_t *node_handover(const struct node *node)
{
    static struct ledger_handover h; /* large; the node's thread alone */
    json_t *out;

    ledger_engine_handover(node->engine, &h);
    out = json_pack("{s:I,s:b}", "next_epoch", (json_int_t)h.next_epoch, "pledged", (int)h.pledged);
    if (out != NULL && h.epoch > 0)
        (void)json_object_set_new(
            out, "proposal",
            json_pack("{s:I,s:s,s:I,s:I,s:o,s:o}", "epoch", (json_int_t)h.epoch, "sequencer",
                      h.sequencer, "approvals_needed", (json_int_t)h.approvals_needed,
                      "promises_needed", (json_int_t)h.promises_needed, "approved",
                      names(h.approved, h.approvals), "promised", names(h.promised, h.promises)));
    return out;
}

void node_request_epoch_show(struct node *node, const json_t *request,
                             const struct node_reply *reply)
{
    struct ledger_engine_status s;
    json_t *out = node_handover(node);

    (void)request;
    ledger_engine_status(node->engine, &s);
    if (out != NULL) {
        (void)json_object_set_new(out, "epoch",
                                  json_integer((json_int_t)ledger_chain_head(node->chain)->epoch));
        (void)json_object_set_new(out, "sequencer", json_string(s.sequencer));
    }
    node_reply_value(reply, out);
}

void node_request_epoch_approve(struct node *node, const json_t *request,
                                const struct node_reply *reply)
{
    struct base_err err = {0};
    struct base_buf bytes = {0};
    json_t *tx;
    fm_status st = base_json_get_object(&tx, request, "tx", &err);

    if (st == FM_OK)
        st = base_json_canonical(&bytes, tx, &err);
    if (st == FM_OK)
        st = ledger_engine_approve(node->engine, bytes.p, bytes.len, node_now(node), &err);
    base_buf_release(&bytes);
    if (st != FM_OK)
        node_reply_error(reply, &err);
    else
        node_request_epoch_show(node, request, reply);
}
