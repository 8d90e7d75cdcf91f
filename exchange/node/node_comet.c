/* The node's CometBFT, where the ledger is ordered by it (exchange/comet). */
#define _XOPEN_SOURCE 700 /* realpath */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "exchange/node/node_own.h"

enum { COMMIT_MS = 100, INTERVAL_DEFAULT_MS = 5, SILENCE_MS = 30000 };

fm_status node_comet_asked(struct node *node, bool *out, struct base_err *err)
{
    struct base_buf genesis = {0};
    json_t *json = NULL;
    fm_status st = ledger_reader_genesis(ledger_chain_reader(node->chain), &genesis, err);

    *out = false;
    if (st == FM_OK)
        st = base_json_parse(&json, (const char *)genesis.p, genesis.len, err);
    if (st == FM_OK)
        st = comet_genesis_asks(out, json, err);
    if (st == FM_OK && *out && node->config.home.consensus[0] == '\0')
        st = base_err_set(err, FM_E_INPUT,
                          "node.json: CometBFT orders this ledger: 'consensus' must say where this "
                          "node's listens");
    json_decref(json);
    base_buf_release(&genesis);
    return st;
}

void node_comet_prepare(struct node *node, struct ledger_engine_callbacks *callbacks,
                        struct ledger_engine_params *params)
{
    (void)node;
    callbacks->broadcast = node_comet_broadcast;
    params->silence_ms = SILENCE_MS;
}

void node_comet_broadcast(void *ctx, const uint8_t id[32], const void *tx, size_t len)
{
    struct node *node = ctx;

    if (node->comet != NULL) /* else: the engine asks again */
        comet_broadcast(node->comet, id, tx, len);
}

/* HEIGHT:HASH@URL,URL */
static fm_status read_sync(struct comet_settings *out, char text[HOME_PATH], struct base_err *err)
{
    char *hash = strchr(text, ':'), *from = strchr(text, '@');
    uint8_t bytes[32];
    char *end;

    if (text[0] == '\0')
        return FM_OK;
    out->sync_height = strtoll(text, &end, 10);
    if (hash == NULL || from == NULL || end != hash || out->sync_height < 1 || from - hash != 65 ||
        strncmp(from + 1, "http", 4) != 0 || strchr(from, ',') == NULL ||
        strchr(from, '"') != NULL || strchr(from, '\\') != NULL)
        return base_err_set(err, FM_E_INPUT,
                            "node.json: 'cometbft_sync' must look like HEIGHT:HASH@URL,URL");
    for (char *c = hash + 1; c < from; c++)
        *c = *c >= 'A' && *c <= 'F' ? (char)(*c - 'A' + 'a') : *c;
    if (!base_unhex(bytes, sizeof bytes, hash + 1, 64))
        return base_err_set(err, FM_E_INPUT, "node.json: 'cometbft_sync' has a hash that is none");
    *from = '\0';
    out->sync_hash = hash + 1;
    out->sync_from = from + 1;
    return FM_OK;
}

static struct ledger_now now_of(void *ctx)
{
    return node_now(ctx);
}

static void on_event(void *ctx, const char *text)
{
    const struct node *node = ctx;

    node_log_put(node->config.log, "warn", "cometbft", NULL, "%s", text);
}

fm_status node_comet_open(struct node *node, struct base_err *err)
{
    const struct home *h = &node->config.home;
    struct comet_config config = {.program = h->cometbft,
                                  .chain = node->chain,
                                  .engine = node->engine,
                                  .now = now_of,
                                  .event = on_event,
                                  .ctx = node,
                                  .wake = node->config.wake,
                                  .wake_ctx = node->config.wake_ctx};
    char *home = realpath(h->dir, NULL), sync[HOME_PATH];
    fm_status st = home != NULL ? home_path(node->comet_ledger, h->dir, "ledger.db", err)
                                : base_err_errno(err, h->dir);

    config.path = node->comet_ledger;
    config.snapshot_every = (uint64_t)h->cometbft_snapshots;
    (void)snprintf(sync, sizeof sync, "%s", h->cometbft_sync);
    config.settings = (struct comet_settings){
        .home = home,
        .alias = h->alias,
        .listen = h->consensus,
        .rpc = h->cometbft_rpc,
        .commit_ms =
            h->block_interval_ms != INTERVAL_DEFAULT_MS ? h->block_interval_ms : COMMIT_MS};
    if (st == FM_OK)
        st = read_sync(&config.settings, sync, err);
    if (st == FM_OK)
        st = comet_open(&node->comet, &config, err);
    if (st != FM_OK)
        free(home);
    node->comet_home = st == FM_OK ? home : NULL;
    return st;
}

void node_comet_close(struct node *node)
{
    comet_close(node->comet);
    node->comet = NULL;
    free(node->comet_home);
    node->comet_home = NULL;
}

void node_poll(const struct node *node, struct pollfd fds[NODE_FDS])
{
    _Static_assert(NODE_FDS == COMET_FDS, "the loop must watch them all");
    for (size_t i = 0; i < NODE_FDS; i++)
        fds[i] = (struct pollfd){.fd = -1};
    if (node->comet != NULL)
        comet_poll(node->comet, fds);
}

void node_serve(struct node *node, const struct pollfd fds[NODE_FDS])
{
    struct base_err err = {0};

    if (node->comet == NULL)
        return;
    if (comet_serve(node->comet, fds, &err) != FM_OK)
        node_step_error(node, "ledger", &err);
    node_settle(node);
}

void node_comet_tick(struct node *node)
{
    struct base_err err = {0};

    if (node->comet != NULL && comet_tick(node->comet, &err) != FM_OK)
        node_step_error(node, "ledger", &err);
}
