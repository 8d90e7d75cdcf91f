/* The world that copies of documents see: their messages, proofs and secrets are this node's. */
#include <string.h>

#include "base/json.h"
#include "exchange/node/node_own.h"

#define COPY_KIND "copy" /* in sessions.db */

static bool host_send(void *ctx, const char *alias, const void *bytes, size_t len)
{
    return node_send(ctx, alias, NODE_MSG_COPY, bytes, len);
}

static bool host_up(void *ctx, const char *alias)
{
    const struct node_member *m = node_member_named(ctx, alias);

    return m != NULL && m->up;
}

static bool host_active(void *ctx, const char *alias)
{
    const struct node_member *m = node_member_named(ctx, alias);

    return m != NULL && m->active;
}

static fm_status host_did(void *ctx, const char *alias, char out[COPIES_DID], struct base_err *err)
{
    const struct node_member *m = node_member_named(ctx, alias);

    _Static_assert(sizeof m->did == COPIES_DID, "a DID fits");
    if (m == NULL)
        return base_err_set(err, FM_E_NOT_FOUND, "%s is no member", alias);
    memcpy(out, m->did, COPIES_DID);
    return FM_OK;
}

static fm_status host_prove(void *ctx, const json_t *document, json_t **proof, struct base_err *err)
{
    return node_prove(ctx, document, proof, err);
}

static fm_status host_check(void *ctx, const char *alias, const json_t *document,
                            const json_t *proof, struct base_err *err)
{
    return node_check_proof(ctx, alias, document, proof, err);
}

static fm_status host_seal(void *ctx, const char *name, const json_t *secret, struct base_err *err)
{
    struct node *node = ctx;
    struct base_buf bytes = {0};
    fm_status st = base_json_canonical(&bytes, secret, err);

    if (st == FM_OK)
        st = node_sealed_remove(node->started, COPY_KIND, name, err);
    if (st == FM_OK)
        st = node_sealed_put(node->started, COPY_KIND, name, bytes.p, bytes.len, NULL, 0,
                             base_clock_unix_ms(node->config.clock), err);
    base_buf_release_secret(&bytes);
    return st;
}

static fm_status host_unseal(void *ctx, const char *name, json_t **secret, struct base_err *err)
{
    const struct node *node = ctx;
    struct base_buf bytes = {0};
    fm_status st = node_sealed_get(&bytes, node->started, COPY_KIND, name, err);

    *secret = NULL;
    if (st == FM_OK)
        st = base_json_parse_canonical(secret, bytes.p, bytes.len, err);
    base_buf_release_secret(&bytes);
    return st;
}

static fm_status host_erase(void *ctx, const char *name, struct base_err *err)
{
    const struct node *node = ctx;

    return node_sealed_remove(node->started, COPY_KIND, name, err);
}

static void host_log(void *ctx, const char *level, const char *alias, const char *text)
{
    const struct node *node = ctx;

    if (alias != NULL)
        node_log_peer(node->config.log, level, "copy", alias, NULL, "%s", text);
    else
        node_log_put(node->config.log, level, "copy", NULL, "%s", text);
}

fm_status node_copies_open(struct node *node, struct base_err *err)
{
    struct copies_config config = {.host = {node, host_send, host_up, host_active, host_did,
                                            host_prove, host_check, host_seal, host_unseal,
                                            host_erase, host_log},
                                   .clock = node->config.clock,
                                   .dir = node->config.home.dir,
                                   .quota = node->config.home.copies_limit << 20};

    _Static_assert(sizeof config.alias == HOME_ALIAS, "an alias fits");
    memcpy(config.alias, node->config.home.alias, sizeof config.alias);
    memcpy(config.chain, node->chain_hex, sizeof config.chain);
    return copies_open(&node->copies, &config, err);
}
