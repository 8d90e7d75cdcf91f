/* credential.anchored: which version of a status list of its own is the newest on the ledger.
 *
 * credential.issue: a member signs credentials with its node's assertion key, as a Data Integrity
 * proof or, one alone, as a JWT, or as an SD-JWT. Only what has the shape of a credential is
 * signed, so that nothing the ledger understands can be had this way: its objects have no
 * "credentialSubject", and it refuses members that it does not know; and what is signed in a JWT
 * begins with a header's text, which no hash of the ledger's objects does. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "did/credential/jwt.h"
#include "did/credential/places.h"
#include "did/credential/sd_vc.h"
#include "exchange/node/requests_own.h"
#include "ledger/proof/tx.h"

static int64_t now_s(const struct node *node)
{
    return base_clock_unix_ms(node->config.clock) / 1000;
}

/* Before anything leaves: no place of a status list is given out twice by this member. */
static fm_status take_places(const struct node *node, const json_t *credentials,
                             struct base_err *err)
{
    char folder[HOME_PATH];
    fm_status st = home_path(folder, node->config.home.dir, "places", err);

    return st == FM_OK ? credential_places_take(folder, credentials, err) : st;
}

static fm_status take_place(const struct node *node, const json_t *credential, struct base_err *err)
{
    json_t *alone = json_pack("[O]", credential);
    fm_status st =
        alone == NULL ? base_err_memory(err, "credential") : take_places(node, alone, err);

    json_decref(alone);
    return st;
}

static void issue_jwt(struct node *node, const json_t *given, const char *method,
                      const struct node_reply *reply)
{
    json_t *credential = json_deep_copy(given);
    struct base_buf jwt = {0};
    struct base_err err = {0};
    fm_status st = credential == NULL ? base_err_memory(&err, "credential")
                                      : credential_jwt_issue(&jwt, credential,
                                                             node->config.assertion, method, &err);

    if (st == FM_OK)
        st = take_place(node, given, &err);
    if (st == FM_OK)
        node_reply_value(reply, json_pack("{s:s}", "jwt", base_buf_cstr(&jwt)));
    else
        node_reply_error(reply, &err);
    base_buf_release(&jwt);
    json_decref(credential);
}

static void issue_sd_jwt(struct node *node, const json_t *given, const json_t *order,
                         const char *method, const struct node_reply *reply)
{
    json_t *claims = json_deep_copy(given);
    struct base_buf text = {0};
    struct base_err err = {0};
    fm_status st =
        claims == NULL
            ? base_err_memory(&err, "credential")
            : credential_sd_issue_ordered(&text, claims, order, node->config.assertion, method,
                                          now_s(node), node->config.random, &err);

    if (st == FM_OK)
        st = take_place(node, given, &err);
    if (st == FM_OK)
        node_reply_value(reply, json_pack("{s:s}", "sd_jwt", base_buf_cstr(&text)));
    else
        node_reply_error(reply, &err);
    base_buf_release_secret(&text);
    json_decref(claims);
}

/* All of them, or none. */
static fm_status issue_all(struct node *node, json_t *credentials, const char *method,
                           struct base_err *err)
{
    json_t *one;
    size_t i;

    json_array_foreach(credentials, i, one)
    {
        fm_status st = credential_issue(one, node->config.assertion, method, now_s(node), err);
        if (st != FM_OK)
            return json_array_size(credentials) == 1
                       ? st
                       : base_err_prefix(err, "credential %zu", i + 1);
    }
    return FM_OK;
}

void node_request_credential_anchored(struct node *node, const json_t *request,
                                      const struct node_reply *reply)
{
    char key[DID_ALIAS_MAX + 80], name[65];
    uint8_t hash[32];
    const char *list;
    json_t *value = NULL;
    struct base_err err = {0};
    fm_status st = base_json_get_str(&list, request, "list", &err);

    if (st == FM_OK) {
        base_hash(hash, list, strlen(list));
        base_hex(name, hash, sizeof hash);
        (void)snprintf(key, sizeof key, "status/%s/%s", node->config.home.alias, name);
        st = ledger_reader_get(ledger_chain_reader(node->chain), &value, key, &err);
    }
    if (st == FM_OK)
        node_reply_value(reply, json_incref(value));
    else if (st == FM_E_NOT_FOUND)
        node_reply_value(reply, json_pack("{s:i}", "version", 0));
    else
        node_reply_error(reply, &err);
    json_decref(value);
}

void node_request_credential_issue(struct node *node, const json_t *request,
                                   const struct node_reply *reply)
{
    const json_t *given = json_object_get(request, "credential");
    const json_t *many = json_object_get(request, "credentials");
    const json_t *order = json_object_get(request, "sd_jwt");
    bool as_jwt = json_is_true(json_object_get(request, "jwt"));
    char method[DID_METHOD_TEXT];
    struct base_err err = {0};
    json_t *made = json_is_array(many) ? json_deep_copy(many) : json_array();
    fm_status st =
        ledger_method_id(method, node->did, did_secret_key(node->config.assertion), &err);

    if (st == FM_OK && !json_is_array(many) && !json_is_object(given))
        st = base_err_set(&err, FM_E_INPUT, "member 'credential' is missing");
    if (st == FM_OK && json_is_object(given) && (order != NULL || as_jwt)) {
        json_decref(made);
        if (order != NULL)
            issue_sd_jwt(node, given, order, method, reply);
        else
            issue_jwt(node, given, method, reply);
        return;
    }
    if (st == FM_OK && !json_is_array(many) &&
        json_array_append_new(made, json_deep_copy(given)) != 0)
        st = base_err_memory(&err, "credential");
    if (st == FM_OK)
        st = issue_all(node, made, method, &err);
    if (st == FM_OK)
        st = take_places(node, made, &err);
    if (st != FM_OK)
        node_reply_error(reply, &err);
    else if (json_is_array(many))
        node_reply_value(reply, json_pack("{s:O}", "credentials", made));
    else
        node_reply_value(reply, json_pack("{s:O}", "credential", json_array_get(made, 0)));
    json_decref(made);
}
