#include "exchange/comet/comet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/comet/key.h"
#include "exchange/comet/process.h"
#include "exchange/comet/record.h"
#include "exchange/comet/rpc.h"
#include "ledger/abci/validators.h"

enum { CLOSE_MS = 5000, TURN_MS = 20 };

struct comet {
    struct comet_config config;
    struct comet_process process;
    struct ledger_abci_app *app;
    struct ledger_abci_server *server;
    struct comet_rpc *rpc;
    struct comet_record record;
    uint64_t looked; /* the height up to which the validator's key is what it should be */
    char version[32], snapshots[600];
};

static bool is_peer(void *ctx, const char *id)
{
    const struct comet *comet = ctx;
    struct base_err err = {0};
    bool yes = false;

    return comet_is_member(&yes, ledger_chain_reader(comet->config.chain), id, &err) == FM_OK &&
           yes;
}

static struct ledger_now now_of(void *ctx)
{
    const struct comet *comet = ctx;

    return comet->config.now(comet->config.ctx);
}

static void on_event(void *ctx, const char *text)
{
    const struct comet *comet = ctx;

    comet->config.event(comet->config.ctx, text);
}

static void on_misbehavior(void *ctx, const struct ledger_abci_misbehavior *what)
{
    struct comet *comet = ctx;
    struct base_err err = {0};
    char text[256], address[41];
    bool fresh;

    base_hex(address, what->what.validator, sizeof what->what.validator);
    if (comet_record_add(&comet->record, &fresh, what, &err) != FM_OK)
        on_event(comet, err.text);
    if (!fresh)
        return;
    (void)snprintf(text, sizeof text,
                   "the validator of %s (%s) %s at block %llu: proven in block %llu; the members "
                   "decide what follows (firmiana governance propose --suspend)",
                   what->what.member[0] != '\0' ? what->what.member : "no member that we know",
                   address, ledger_act_text(what->what.act), (unsigned long long)what->what.height,
                   (unsigned long long)what->in_block);
    on_event(comet, text);
}

static int64_t mono(const struct comet *comet)
{
    return comet->config.now(comet->config.ctx).mono_ms;
}

static fm_status open_server(struct comet *comet, struct base_err *err)
{
    struct ledger_abci_host host = {.engine = comet->config.engine,
                                    .chain = comet->config.chain,
                                    .now = now_of,
                                    .event = on_event,
                                    .peer = is_peer,
                                    .ctx = comet,
                                    .snapshot_every = comet->config.snapshot_every,
                                    .snapshots = comet->snapshots,
                                    .path = comet->config.path,
                                    .misbehaved = on_misbehavior};
    struct base_buf path = {0};
    char name[600];
    fm_status st;

    (void)snprintf(comet->snapshots, sizeof comet->snapshots, "%s/snapshots",
                   comet->process.folder);
    (void)snprintf(name, sizeof name, "%s/misbehavior.json", comet->process.folder);
    st = comet_record_open(&comet->record, name, err);
    if (st == FM_OK)
        st = ledger_abci_app_new(&comet->app, &host, err);
    comet_abci_path(&path, comet->config.settings.home);
    if (st == FM_OK)
        st = base_buf_status(&path, "path", err);
    if (st == FM_OK)
        st = ledger_abci_server_open(&comet->server, base_buf_cstr(&path), comet->app, err);
    base_buf_release(&path);
    return st;
}

static fm_status open_rpc(struct comet *comet, struct base_err *err)
{
    const struct comet_settings *s = &comet->config.settings;
    bool tcp = s->rpc[0] != '\0';
    struct base_buf path = {0};
    fm_status st;

    comet_rpc_path(&path, s->home);
    st = base_buf_status(&path, "path", err);
    if (st == FM_OK)
        st = comet_rpc_open(&comet->rpc, tcp ? NULL : base_buf_cstr(&path), tcp ? s->rpc : NULL,
                            comet->config.wake, comet->config.wake_ctx, err);
    base_buf_release(&path);
    return st;
}

static fm_status settle_key(struct comet *comet, struct base_err *err)
{
    const struct comet_settings *s = &comet->config.settings;
    enum comet_key key;
    fm_status st = comet_key_settle(&key, s->home, s->alias, comet->config.chain, err);

    if (st == FM_OK && key == COMET_KEY_OTHER)
        on_event(comet, "cometbft/config/priv_validator_key.json is not the validator key that the "
                        "ledger has for this member: its node follows, and orders nothing, until "
                        "firmiana validator rotate");
    return st;
}

fm_status comet_open(struct comet **out, const struct comet_config *config, struct base_err *err)
{
    struct comet *comet = calloc(1, sizeof *comet);
    fm_status st;

    *out = NULL;
    if (comet == NULL)
        return base_err_memory(err, "CometBFT");
    comet->config = *config;
    comet->process.program = config->program;
    if ((size_t)snprintf(comet->process.folder, sizeof comet->process.folder, "%s/cometbft",
                         config->settings.home) >= sizeof comet->process.folder)
        st = base_err_set(err, FM_E_LIMIT, "the home's path is too long");
    else
        st = comet_version_check(comet->version, config->program, err);
    if (st == FM_OK)
        st = settle_key(comet, err);
    if (st == FM_OK)
        st = comet_files_write(&comet->config.settings, config->chain, err);
    if (st == FM_OK)
        st = open_server(comet, err);
    if (st == FM_OK)
        st = open_rpc(comet, err);
    if (st == FM_OK)
        st = comet_process_start(&comet->process, mono(comet), err);
    if (st != FM_OK) {
        comet_close(comet);
        return st;
    }
    *out = comet;
    return FM_OK;
}

void comet_close(struct comet *comet)
{
    int64_t until;
    char how[64];

    if (comet == NULL)
        return;
    comet_process_ask(&comet->process);
    until = mono(comet) + CLOSE_MS;
    while (comet->process.pid > 0 && comet->server != NULL && mono(comet) < until) {
        struct pollfd fds[COMET_FDS];
        struct base_err ignored = {0};
        comet_poll(comet, fds);
        if (poll(fds, COMET_FDS, TURN_MS) > 0 && comet_serve(comet, fds, &ignored) != FM_OK)
            break; /* the node knows, or will when it starts */
        (void)comet_process_ended(&comet->process, how, mono(comet));
    }
    comet_process_kill(&comet->process);
    comet_rpc_close(comet->rpc);
    ledger_abci_server_close(comet->server);
    ledger_abci_app_free(comet->app);
    comet_record_close(&comet->record);
    free(comet);
}

void comet_broadcast(struct comet *comet, const uint8_t id[32], const void *tx, size_t len)
{
    comet_rpc_broadcast(comet->rpc, id, tx, len);
}

void comet_poll(const struct comet *comet, struct pollfd fds[COMET_FDS])
{
    ledger_abci_server_poll(comet->server, fds);
}

fm_status comet_serve(struct comet *comet, const struct pollfd fds[COMET_FDS], struct base_err *err)
{
    return ledger_abci_server_serve(comet->server, fds, err);
}

static void watch(struct comet *comet)
{
    struct comet_process *p = &comet->process;
    struct base_err err = {0};
    char how[64], text[512];

    if (comet_process_ended(p, how, mono(comet))) {
        (void)snprintf(text, sizeof text,
                       "CometBFT ended (%s); it starts again in %d s; %.300s/cometbft.log says why",
                       how, (int)(p->pause_ms / 1000), p->folder);
        on_event(comet, text);
    }
    if (p->pid == 0 && mono(comet) >= p->again_ms &&
        comet_process_start(p, mono(comet), &err) != FM_OK)
        on_event(comet, err.text);
}

/* The key that the ledger has for us changes: once per block, only while a new one waits. */
static fm_status renew_key(struct comet *comet, struct base_err *err)
{
    const struct comet_settings *s = &comet->config.settings;
    uint64_t height = ledger_chain_head(comet->config.chain)->height;
    enum comet_key key;
    fm_status st;

    if (height == comet->looked || !comet_key_waits(s->home))
        return FM_OK;
    comet->looked = height;
    st = comet_key_settle(&key, s->home, s->alias, comet->config.chain, err);
    if (st != FM_OK || key != COMET_KEY_CHANGED)
        return st;
    on_event(comet,
             "the validator's key is the new one, as the ledger says: CometBFT starts again");
    comet_process_ask(&comet->process);
    return FM_OK;
}

fm_status comet_tick(struct comet *comet, struct base_err *err)
{
    struct comet_told *told;
    fm_status st = FM_OK;

    while (st == FM_OK && (told = comet_rpc_told(comet->rpc)) != NULL) {
        st = ledger_engine_told(comet->config.engine, told->id, told->status,
                                told->detail[0] != '\0' ? told->detail : NULL, now_of(comet), err);
        free(told);
    }
    if (st == FM_OK)
        st = renew_key(comet, err);
    watch(comet);
    return st;
}

static int by_alias(const void *a, const void *b)
{
    const struct ledger_validator *x = a, *y = b;

    return strcmp(x->alias, y->alias);
}

/* Those of the head's state: [alias, ...], new. */
static json_t *validators(const struct comet *comet)
{
    struct ledger_validators v = {0};
    struct base_err err = {0};
    json_t *list = NULL;

    if (ledger_validators_of(&v, ledger_chain_reader(comet->config.chain), NULL, &err) == FM_OK)
        list = json_array();
    if (v.n > 0)
        qsort(v.at, v.n, sizeof *v.at, by_alias);
    for (size_t i = 0; list != NULL && i < v.n; i++)
        (void)json_array_append_new(list, json_string(v.at[i].alias));
    ledger_validators_release(&v);
    return list;
}

json_t *comet_status(const struct comet *comet)
{
    struct comet_view view;
    size_t connections = ledger_abci_server_connections(comet->server);

    comet_rpc_view(comet->rpc, &view);
    return json_pack("{s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:b,s:O,s:o*}", "state",
                     comet->process.pid == 0                                  ? "stopped"
                     : connections == LEDGER_ABCI_CONNECTIONS && view.answers ? "running"
                                                                              : "starting",
                     "version", comet->version, "pid", (json_int_t)comet->process.pid, "restarts",
                     (json_int_t)comet->process.restarts, "connections", (json_int_t)connections,
                     "height", (json_int_t)view.height, "peers", (json_int_t)view.peers,
                     "catching_up", (int)view.catching_up, "misbehavior", comet->record.list,
                     "validators", validators(comet));
}
