/* document.sign: the node's assertion key under a record of signatures (did/signature.h). Only what
 * has that form is signed, with its type in it, so that nothing the ledger understands, and no
 * credential, can be had this way. What the document says the node does not know: who asks it to
 * sign answers for that, as with any stamp. */
#include <jansson.h>

#include "base/json.h"
#include "did/signature.h"
#include "exchange/node/requests_own.h"
#include "ledger/proof/tx.h"

void node_request_document_sign(struct node *node, const json_t *request,
                                const struct node_reply *reply)
{
    char method[DID_METHOD_TEXT];
    struct base_err err = {0};
    json_t *given, *record = NULL;
    fm_status st = base_json_get_object(&given, request, "record", &err);

    if (st == FM_OK && (record = json_deep_copy(given)) == NULL)
        st = base_err_memory(&err, "record");
    if (st == FM_OK)
        st = ledger_method_id(method, node->did, did_secret_key(node->config.assertion), &err);
    if (st == FM_OK)
        st = did_signature_sign(record, node->config.assertion, method, DID_ROLE_ASSERTION,
                                base_clock_unix_ms(node->config.clock) / 1000, &err);
    if (st == FM_OK)
        node_reply_value(reply, json_pack("{s:O}", "record", record));
    else
        node_reply_error(reply, &err);
    json_decref(record);
}
