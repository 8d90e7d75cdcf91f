/* credential.issue: a member signs a credential with its node's assertion key, as a Data Integrity
 * proof or as a JWT. Only what has the shape of a credential is signed, so that nothing the ledger
 * understands can be had this way: its objects have no "credentialSubject", and it refuses members
 * that it does not know. */
#include <jansson.h>

#include "base/json.h"
#include "did/credential/jwt.h"
#include "exchange/node/requests_own.h"
#include "ledger/proof/tx.h"

void node_request_credential_issue(struct node *node, const json_t *request,
                                   const struct node_reply *reply)
{
    char method[DID_METHOD_TEXT];
    struct base_err err = {0};
    bool as_jwt = json_is_true(json_object_get(request, "jwt"));
    json_t *given, *credential = NULL;
    struct base_buf jwt = {0};
    fm_status st = base_json_get_object(&given, request, "credential", &err);

    if (st == FM_OK)
        st = ledger_method_id(method, node->did, did_secret_key(node->config.assertion), &err);
    if (st == FM_OK && (credential = json_deep_copy(given)) == NULL)
        st = base_err_memory(&err, "credential");
    if (st == FM_OK && as_jwt)
        st = credential_jwt_issue(&jwt, credential, node->config.assertion, method, &err);
    else if (st == FM_OK)
        st = credential_issue(credential, node->config.assertion, method,
                              base_clock_unix_ms(node->config.clock) / 1000, &err);
    if (st == FM_OK)
        node_reply_value(reply, as_jwt ? json_pack("{s:s}", "jwt", base_buf_cstr(&jwt))
                                       : json_pack("{s:O}", "credential", credential));
    else
        node_reply_error(reply, &err);
    base_buf_release(&jwt);
    json_decref(credential);
}
