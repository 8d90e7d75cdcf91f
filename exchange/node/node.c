#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/profile.h"
#include "exchange/node/openings.h"
#include "ledger/proof/profile.h"

enum { RESUME_MS = 3000, LEAST_MIB = 1024, COLUMNS_PART = 16 };

/* genesis.json says which consortium this home is meant for; a ledger.db of another one beside it
 * is somebody's mistake, and acting on it would be worse than stopping. */
static fm_status check_genesis(const struct node *node, const char *path, struct base_err *err)
{
    uint8_t hash[32];
    char theirs[65], ours[65];

    if (node->config.genesis == NULL)
        return FM_OK;
    if (ledger_genesis_chain(hash, node->config.genesis, node->config.genesis_len, err) != FM_OK)
        return err->code;
    if (memcmp(hash, ledger_chain_id(node->chain), 32) == 0)
        return FM_OK;
    base_hex(theirs, hash, 32);
    base_hex(ours, ledger_chain_id(node->chain), 32);
    return base_err_set(err, FM_E_CONFLICT,
                        "%s: the ledger of chain %.16s, but genesis.json here begins chain %.16s: "
                        "which of the two files belongs to another consortium?",
                        path, ours, theirs);
}

static fm_status open_chain(struct node *node, struct base_err *err)
{
    char path[HOME_PATH];
    fm_status st;

    if (home_path(path, node->config.home.dir, "ledger.db", err) != FM_OK)
        return err->code;
    if (access(path, F_OK) == 0) {
        st = ledger_chain_open(&node->chain, path, err);
        return st == FM_OK ? check_genesis(node, path, err) : st;
    }
    if (node->config.genesis == NULL)
        return base_err_set(
            err, FM_E_NOT_FOUND,
            "%s: no ledger here yet: put the consortium's genesis.json into this home", path);
    st = ledger_chain_create(&node->chain, path, node->config.genesis, node->config.genesis_len,
                             err);
    return st == FM_E_INPUT ? base_err_prefix(err, "%s", node->config.home.dir) : st;
}

/* The member that this home says it is must be one, under the key that this node holds. */
static fm_status check_self(struct node *node, struct base_err *err)
{
    const struct node_member *self = node_member_named(node, node->config.home.alias);
    json_t *probe, *proof = NULL;
    bool comet = false;
    fm_status st;

    if (self == NULL && node_comet_asked(node, &comet, err) != FM_OK)
        return err->code;
    if (self == NULL && comet) /* its replica will come to the block where it joined */
        return FM_OK;
    if (self == NULL)
        return base_err_set(err, FM_E_NOT_FOUND,
                            "%s is not a member of the ledger as far as ledger.db goes: if it "
                            "joined by vote, begin with a member's copy: firmiana ledger backup "
                            "there, ledger restore here",
                            node->config.home.alias);
    probe = json_pack("{s:s}", "type", "FirmianaSelfTest");
    st = probe != NULL ? node_prove(node, probe, &proof, err) : base_err_memory(err, "self test");
    if (st == FM_OK && self->active &&
        node_check_proof(node, self->alias, probe, proof, err) != FM_OK)
        st = base_err_set(err, FM_E_AUTH,
                          "keys/assertion.json is not the assertion key that the ledger has for %s",
                          self->alias);
    json_decref(probe);
    json_decref(proof);
    return st;
}

/* A node that was only just made has none; later that is a loss, and better known early. */
static void tell_if_forgotten(struct node *node, const char *sessions)
{
    struct stat info;

    if (ledger_chain_head(node->chain)->height > 0 &&
        (stat(sessions, &info) != 0 || info.st_size == 0))
        node_log_put(node->config.log, "warn", "sessions.new", NULL,
                     "%s is begun anew: answers and openings that this node kept are not in it; a "
                     "copy goes back with the node stopped",
                     sessions);
}

static fm_status open_all(struct node *node, struct base_err *err)
{
    char path[HOME_PATH];
    fm_status st = open_chain(node, err);

    if (st == FM_OK)
        base_profile_settle(); /* what is read from now on changes no hash */

    if (st == FM_OK) {
        memcpy(node->chain_id, ledger_chain_id(node->chain), 32);
        base_hex(node->chain_hex, node->chain_id, 32);
        st = node_members_load(node, err);
    }
    if (st == FM_OK)
        st = check_self(node, err);
    if (st == FM_OK)
        st = home_path(path, node->config.home.dir, "sessions.db", err);
    if (st == FM_OK)
        tell_if_forgotten(node, path);
    if (st == FM_OK)
        st = node_started_open(&node->started, path, did_secret_bytes(node->config.salts),
                               node->config.random, err);
    if (st == FM_OK)
        st = node_openings_name(node, err);
    if (st == FM_OK)
        st = node_copies_open(node, err);
    if (st == FM_OK)
        st = node_engine_open(node, err);
    return st;
}

/* Half of the machine's memory unless node.json says otherwise. */
static uint64_t memory_limit(const struct home *home)
{
    int64_t pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    uint64_t half = pages > 0 && page > 0 ? (uint64_t)pages / 2 * (uint64_t)page : 0;

    if (home->memory_limit > 0)
        return (uint64_t)home->memory_limit << 20;
    return half >> 20 < LEAST_MIB ? (uint64_t)LEAST_MIB << 20 : half;
}

fm_status node_new(struct node **out, const struct node_config *config, struct base_err *err)
{
    struct node *node = calloc(1, sizeof *node);
    fm_status st;

    *out = NULL;
    if (node == NULL)
        return base_err_memory(err, "node");
    node->config = *config;
    node->counts.started_unix_ms = base_clock_unix_ms(config->clock);
    node->counts.started_mono_ms = base_clock_mono_ms(config->clock);
    node->lanes.limit = memory_limit(&config->home);
    node->columns.limit = node->lanes.limit / COLUMNS_PART;
    if (pthread_mutex_init(&node->members_lock, NULL) != 0) {
        free(node);
        return base_err_set(err, FM_E_MEMORY, "node: no mutex");
    }
    st = open_all(node, err);
    if (st != FM_OK) {
        node_free(node);
        return st;
    }
    *out = node;
    return FM_OK;
}

static void free_lists(struct node *node)
{
    while (node->submissions != NULL) {
        struct node_submission *s = node->submissions;
        node->submissions = s->next;
        free(s);
    }
    node_revocations_free(node);
    while (node->results != NULL) {
        struct node_result *r = node->results;
        node->results = r->next;
        free(r);
    }
    while (node->askings != NULL)
        node_asking_free(node, node->askings);
    while (node->held != NULL) {
        struct node_held *h = node->held;
        node->held = h->next;
        json_decref(h->message);
        free(h);
    }
}

void node_free(struct node *node)
{
    if (node == NULL)
        return;
    node_chores_end(node);
    node_query_free_all(node);
    copies_close(node->copies);
    free_lists(node);
    answers_release(&node->answers);
    columns_clear(&node->columns);
    node_comet_close(node);
    ledger_engine_free(node->engine);
    ledger_chain_close(node->chain);
    node_started_close(node->started);
    pthread_mutex_destroy(&node->members_lock);
    free(node);
}

fm_status node_attach(struct node *node, struct net_node *net, struct base_err *err)
{
    bool comet;
    fm_status st = node_comet_asked(node, &comet, err);

    if (st == FM_OK && comet)
        st = node_comet_open(node, err);
    if (st != FM_OK)
        return st;
    node->net = net;
    /* Peers can prove that nothing was shared only once they are connected; a peer that stays away
     * is not waited for. */
    node->resume_ms = base_clock_mono_ms(node->config.clock) + RESUME_MS;
    return node_peers_set(node, err);
}

/* ---- events ---- */

static void on_session_message(struct node *node, const char *alias, const void *bytes, size_t len)
{
    struct base_err err = {0};
    json_t *message;

    if (base_json_parse_canonical(&message, bytes, len, &err) != FM_OK ||
        !json_is_object(message)) {
        node_log_peer(node->config.log, "warn", "peer.message", alias, NULL,
                      "%s sent a malformed session message", alias);
        return;
    }
    node_query_message(node, alias, message);
    json_decref(message);
}

static void on_message(struct node *node, const struct net_event *event)
{
    struct base_err err = {0};

    if (event->type == NODE_MSG_LEDGER) {
        if (ledger_engine_receive(node->engine, event->peer, event->bytes, event->len,
                                  node_now(node), &err) != FM_OK)
            node_step_error(node, "ledger message", &err);
    } else if (event->type == NODE_MSG_SESSION) {
        on_session_message(node, event->peer, event->bytes, event->len);
    } else if (event->type == NODE_MSG_PING) {
        node_ping_message(node, event->peer, event->bytes, event->len);
    } else if (event->type == NODE_MSG_COPY) {
        copies_take(node->copies, event->peer, event->bytes, event->len);
    } else {
        node_log_peer(node->config.log, "warn", "peer.message", event->peer, NULL,
                      "%s sent a message of unknown type %u", event->peer, (unsigned)event->type);
    }
}

void node_on_event(struct node *node, const struct net_event *event)
{
    switch (event->kind) {
    case NET_PEER_UP:
        node_peer_up(node, event->peer);
        break;
    case NET_PEER_DOWN:
        node_peer_down(node, event->peer, event->why.text);
        break;
    case NET_PEER_REFUSED:
        node->counts.refused++;
        node_log_peer(node->config.log, "warn", "peer.refused", event->peer, NULL, "%s: %s",
                      event->peer, event->why.text);
        break;
    case NET_STRANGERS:
        node_log_put(node->config.log, "warn", "strangers", NULL,
                     "%llu connection%s turned away, the last from %s",
                     (unsigned long long)event->strangers, event->strangers == 1 ? "" : "s",
                     event->why.text);
        break;
    case NET_MESSAGE:
        on_message(node, event);
        break;
    case NET_SESSION_ENDED: /* Its job fails by itself, with the same error. */
        node_log_put(node->config.log, "info", "channels", NULL, "%s", event->why.text);
        break;
    }
    node_settle(node);
}

static void resume(struct node *node)
{
    bool all_up = true;

    for (size_t i = 0; i < node->member_count; i++)
        all_up = all_up && (node->members[i].up || !node->members[i].active ||
                            strcmp(node->members[i].alias, node->config.home.alias) == 0);
    if (node->resumed || node->net == NULL ||
        (!all_up && base_clock_mono_ms(node->config.clock) < node->resume_ms))
        return;
    node->resumed = true;
    node_query_resume(node);
}

void node_on_tick(struct node *node)
{
    struct base_err err = {0};

    node_comet_tick(node);
    if (ledger_engine_tick(node->engine, node_now(node), &err) != FM_OK)
        node_step_error(node, "ledger", &err);
    node_settle(node);
    resume(node);
    node_query_tick(node);
    node_asking_tick(node);
    node_settle(node);
    node_ping_tick(node);
    copies_tick(node->copies);
    node_members_tick(node);
}

int64_t node_wait_ms(struct node *node)
{
    int64_t engine = ledger_engine_wait(node->engine, base_clock_mono_ms(node->config.clock));
    int64_t query = node_query_wait_ms(node);

    return engine < query ? engine : query;
}

void node_on_jobs(struct node *node)
{
    node_query_jobs(node);
    node_chores_back(node);
    node_settle(node);
}

bool node_drain(struct node *node)
{
    if (!node->draining)
        node_log_put(node->config.log, "info", "node.drain", NULL,
                     "stopping: running queries are ended");
    node->draining = true;
    node_query_cancel(node, NULL, "the node is stopping");
    node_settle(node);
    return node_chores_drain(node) && node->queries == NULL;
}

void node_reopen_log(struct node *node)
{
    struct base_err err = {0};

    if (node_log_reopen(node->config.log, &err) != FM_OK)
        node_log_put(node->config.log, "error", "log", NULL, "%s: the old file goes on", err.text);
}

fm_status node_health(const struct node *node, struct base_err *err)
{
    if (node->fault.code != FM_OK)
        *err = node->fault;
    return node->fault.code;
}
