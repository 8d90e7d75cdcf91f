/* What a decryptor keeps (exchange/aggregate): its share of a threshold key, sealed in sessions.db
 * under the key's id. */
#include "exchange/node/node_key.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "exchange/contract/compile.h"
#include "exchange/contract/dealer.h"
#include "exchange/node/requests_own.h"

#define SHARE "share"

/* ---- for a query ---- */

static fm_status get_share(struct mpc_pai_thr_share **out, struct node *node,
                           const struct aggregate_key_public *key, struct base_err *err)
{
    struct base_buf bytes = {0};
    fm_status st = node_sealed_get(&bytes, node->started, SHARE, key->id_hex, err);

    if (st == FM_E_NOT_FOUND)
        st = base_err_set(err, FM_E_NOT_FOUND,
                          "this node has no share of key %.16s: firmiana key import FILE",
                          key->id_hex);
    if (st == FM_OK)
        st = mpc_pai_thr_share_get(out, key->thr, bytes.p, bytes.len, err);
    base_buf_release_secret(&bytes);
    return st;
}

fm_status node_key_take(struct job_pooled **out, struct node *node, const struct contract *contract,
                        bool decrypts, struct base_err *err)
{
    struct job_pooled *pooled = calloc(1, sizeof *pooled);
    struct aggregate_key_public key = {0};
    fm_status st = pooled != NULL ? FM_OK : base_err_memory(err, "query");

    *out = NULL;
    if (st == FM_OK)
        st = contract_dealer_check(json_object_get(contract->json, "key"), err);
    if (st == FM_OK) {
        pooled->key = json_incref(json_object_get(contract->json, "key"));
        pooled->contributors = (unsigned)contract->contributors;
        st = aggregate_key_open(&key, pooled->key, err);
    }
    if (st == FM_OK && decrypts)
        st = get_share(&pooled->share, node, &key, err);
    aggregate_key_close(&key);
    if (st != FM_OK) {
        job_pooled_free(pooled);
        return st;
    }
    *out = pooled;
    return FM_OK;
}

/* ---- key.import ---- */

struct import {
    json_t *key;
    struct base_buf share;
    char alias[HOME_ALIAS];
    char id_hex[65];
    uint32_t party;
};

static void import_free(struct import *i)
{
    if (i == NULL)
        return;
    json_decref(i->key);
    base_buf_release_secret(&i->share);
    free(i);
}

static fm_status import_read(struct import *i, struct node *node, const json_t *request,
                             struct base_err *err)
{
    const char *text;
    json_t *key;
    fm_status st = base_json_get_object(&key, request, "key", err);

    if (st == FM_OK)
        st = base_json_get_str(&text, request, "share", err);
    if (st == FM_OK && !base_unbase64url(&i->share, text, strlen(text)))
        st = base_err_set(err, FM_E_INPUT, "member 'share' must be base64url");
    if (st != FM_OK)
        return st;
    i->key = json_incref(key);
    (void)snprintf(i->alias, sizeof i->alias, "%s", node->config.home.alias);
    return FM_OK;
}

/* Beside the node's thread: a share that passes makes parts that verify. */
static fm_status import_run(void *ctx, const atomic_bool *stop, struct base_err *err)
{
    struct import *i = ctx;
    struct aggregate_key_public key;
    struct mpc_pai_thr_share *share = NULL;
    fm_status st = contract_dealer_check(i->key, err);

    (void)stop;
    if (st == FM_OK)
        st = aggregate_key_open(&key, i->key, err);
    if (st != FM_OK)
        return st;
    memcpy(i->id_hex, key.id_hex, sizeof i->id_hex);
    i->party = aggregate_key_party(&key, i->alias);
    if (i->party == 0)
        st = base_err_set(err, FM_E_INPUT, "%s is none of the key's parties", i->alias);
    if (st == FM_OK)
        st = mpc_pai_thr_share_get(&share, key.thr, i->share.p, i->share.len, err);
    if (st == FM_OK && mpc_pai_thr_share_party(share) != i->party)
        st = base_err_set(err, FM_E_INPUT, "this is the share of %s, not of %s",
                          key.parties[mpc_pai_thr_share_party(share) - 1], i->alias);
    if (st == FM_OK)
        st = mpc_pai_thr_share_check(key.thr, share, err);
    mpc_pai_thr_share_free(share);
    aggregate_key_close(&key);
    return st;
}

static fm_status import_keep(struct node *node, const struct import *i, struct base_err *err)
{
    fm_status st = node_sealed_put(node->started, SHARE, i->id_hex, i->share.p, i->share.len, NULL,
                                   0, base_clock_unix_ms(node->config.clock), err);

    if (st == FM_E_CONFLICT)
        st = base_err_set(err, FM_E_CONFLICT, "this node has its share of key %.16s already",
                          i->id_hex);
    return st;
}

static void import_done(struct node *node, void *ctx, const struct node_reply *reply,
                        const struct base_err *why)
{
    struct import *i = ctx;
    struct base_err err = *why;

    if (err.code == FM_OK)
        (void)!import_keep(node, i, &err);
    if (err.code == FM_OK)
        node_log_put(node->config.log, "info", "key.import", i->id_hex, "share %u", i->party);
    if (reply != NULL && err.code == FM_OK)
        node_reply_value(reply, json_pack("{s:s,s:i}", "id", i->id_hex, "party", (int)i->party));
    else if (reply != NULL)
        node_reply_error(reply, &err);
    import_free(i);
}

void node_request_key_import(struct node *node, const json_t *request,
                             const struct node_reply *reply)
{
    struct chore_work work = {import_run, import_done, NULL};
    struct import *i = calloc(1, sizeof *i);
    struct base_err err = {0};
    fm_status st = i != NULL ? import_read(i, node, request, &err) : base_err_memory(&err, "key");

    if (st == FM_OK) {
        reply->progress(reply->ctx, "checking the share");
        work.ctx = i;
        st = node_chore_start(node, &work, reply, reply->ctx, &err);
    }
    if (st != FM_OK) {
        import_free(i);
        node_reply_error(reply, &err);
    }
}

/* ---- key.list ---- */

static fm_status add_name(void *ctx, const char *name, long long at_ms, struct base_err *err)
{
    if (json_array_append_new(ctx,
                              json_pack("{s:s,s:I}", "id", name, "since", (json_int_t)at_ms)) != 0)
        return base_err_memory(err, "keys");
    return FM_OK;
}

void node_request_key_list(struct node *node, const json_t *request, const struct node_reply *reply)
{
    struct base_err err = {0};
    json_t *list = json_array();

    (void)request;
    if (node_sealed_list(node->started, SHARE, NULL, add_name, list, &err) == FM_OK)
        node_reply_value(reply, json_pack("{s:O}", "shares", list));
    else
        node_reply_error(reply, &err);
    json_decref(list);
}
