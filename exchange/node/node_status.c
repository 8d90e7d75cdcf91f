/* What a node says of itself to its operator, and what it asks of its peers for that. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <sqlite3.h>

#include "base/json.h"
#include "exchange/node/metrics.h"
#include "exchange/node/node_own.h"
#include "exchange/node/requests_own.h"
#include "ledger/machine/machine.h"
#include "ledger/proof/checkpoint.h"

/* ---- peers ---- */

static struct ping_facts self_facts(const struct node *node)
{
    struct ping_facts facts = {.version = FIRMIANA_VERSION, .rules = LEDGER_RULES_VERSION};
    struct ledger_engine_status s;

    ledger_engine_status(node->engine, &s);
    facts.at = (int64_t)s.height;
    facts.final = (int64_t)s.final_height;
    return facts;
}

static void send_ping(struct node *node, const char *alias, json_t *message)
{
    struct base_buf bytes = {0};
    struct base_err err = {0};

    if (message != NULL && base_json_canonical(&bytes, message, &err) == FM_OK)
        (void)node_send(node, alias, NODE_MSG_PING, bytes.p, bytes.len);
    base_buf_release(&bytes);
    json_decref(message);
}

void node_ping_up(struct node *node, struct node_member *m)
{
    struct ping_facts self = self_facts(node);

    ping_up(&m->ping, node->config.clock);
    send_ping(node, m->alias, ping_ask(&m->ping, &self, node->config.clock));
}

void node_ping_tick(struct node *node)
{
    int64_t now = base_clock_mono_ms(node->config.clock);

    for (size_t i = 0; i < node->member_count; i++) {
        struct node_member *m = &node->members[i];
        struct ping_facts self;
        if (!m->up || now < m->ping.due_ms)
            continue;
        self = self_facts(node);
        send_ping(node, m->alias, ping_ask(&m->ping, &self, node->config.clock));
    }
}

void node_ping_message(struct node *node, const char *alias, const void *bytes, size_t len)
{
    struct node_member *m = node_member_named(node, alias);
    struct ping_facts self = self_facts(node);
    struct base_err err = {0};
    json_t *message;

    if (m == NULL || len > PING_MAX_BYTES ||
        base_json_parse_canonical(&message, bytes, len, &err) != FM_OK)
        return;
    if (json_is_object(message))
        send_ping(node, alias, ping_take(&m->ping, message, &self, node->config.clock));
    json_decref(message);
}

static void put_int(json_t *object, const char *name, int64_t value)
{
    (void)json_object_set_new(object, name, json_integer(value));
}

static json_t *peer_status(const struct node *node, const struct node_member *m)
{
    const struct ping *p = &m->ping;
    json_t *peer =
        json_pack("{s:s,s:b,s:b}", "alias", m->alias, "up", (int)m->up, "active", (int)m->active);

    if (peer == NULL || !p->heard)
        return peer;
    put_int(peer, "heard_ms", base_clock_mono_ms(node->config.clock) - p->heard_ms);
    put_int(peer, "at", p->facts.at);
    put_int(peer, "final", p->facts.final);
    put_int(peer, "rules", p->facts.rules);
    (void)json_object_set_new(peer, "version", json_string(p->facts.version));
    if (m->up && p->timed) {
        put_int(peer, "rtt_ms", p->rtt_ms);
        put_int(peer, "skew_ms", p->skew_ms);
    }
    return peer;
}

static json_t *peer_list(const struct node *node)
{
    json_t *list = json_array();

    for (size_t i = 0; i < node->member_count; i++)
        if (strcmp(node->members[i].alias, node->config.home.alias) != 0)
            (void)json_array_append_new(list, peer_status(node, &node->members[i]));
    return list;
}

/* The greatest final height that we or any peer, connected or not, has told. */
static int64_t newest_final(const struct node *node, int64_t own)
{
    for (size_t i = 0; i < node->member_count; i++)
        if (node->members[i].ping.facts.final > own)
            own = node->members[i].ping.facts.final;
    return own;
}

/* ---- the quorum ---- */

static json_t *cosigner_list(const struct node *node, const struct ledger_checkpoint *c)
{
    int64_t now = base_clock_unix_ms(node->config.clock);
    json_t *list = json_array();

    for (size_t i = 0; i < node->member_count; i++) {
        const struct node_member *m = &node->members[i];
        json_t *item = json_pack("{s:s,s:b}", "alias", m->alias, "signed", 0);
        for (size_t k = 0; item != NULL && k < c->n; k++)
            if (strcmp(c->cosigner[k].name, m->did) == 0) {
                (void)json_object_set_new(item, "signed", json_true());
                put_int(item, "age_ms", now - 1000 * c->cosigner[k].time_s);
            }
        if (m->active)
            (void)json_array_append_new(list, item);
        else
            json_decref(item);
    }
    return list;
}

/* {"size", "height", "cosigners": [...]} of the newest final checkpoint; {} while there is none. */
static json_t *checkpoint_status(const struct node *node)
{
    struct ledger_checkpoint c;
    struct base_buf text = {0};
    struct base_err err = {0};
    uint64_t size, height;
    json_t *out = json_object();

    if (ledger_reader_final(ledger_chain_reader(node->chain), &size, &height, &text, &err) ==
            FM_OK &&
        ledger_checkpoint_parse(&c, (const char *)text.p, text.len, &err) == FM_OK) {
        put_int(out, "size", (int64_t)size);
        put_int(out, "height", (int64_t)height);
        (void)json_object_set_new(out, "cosigners", cosigner_list(node, &c));
    }
    base_buf_release(&text);
    return out;
}

/* ---- the machine it runs on ---- */

static int64_t file_bytes(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? (int64_t)st.st_size : 0;
}

/* A database and what it has not yet taken over from its write-ahead log. */
static int64_t database_bytes(const char *path)
{
    char wal[HOME_PATH + 8];

    (void)snprintf(wal, sizeof wal, "%s-wal", path);
    return file_bytes(path) + file_bytes(wal);
}

static json_t *disk_status(const struct node *node)
{
    const struct home *h = &node->config.home;
    char path[HOME_PATH];
    struct base_err err = {0};
    struct statvfs fs;
    json_t *out = json_object();

    if (home_path(path, h->dir, "ledger.db", &err) == FM_OK)
        put_int(out, "ledger_bytes", database_bytes(path));
    if (home_path(path, h->dir, "sessions.db", &err) == FM_OK)
        put_int(out, "sessions_bytes", database_bytes(path));
    put_int(out, "data_bytes", database_bytes(h->data));
    if (statvfs(h->dir, &fs) == 0)
        put_int(out, "free_bytes", (int64_t)fs.f_bavail * (int64_t)fs.f_frsize);
    return out;
}

/* Resident memory now and at most, from the kernel's own account. */
static json_t *memory_status(void)
{
    FILE *f = fopen("/proc/self/status", "re");
    json_t *out = json_object();
    char line[256];
    long long kib;

    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        if (sscanf(line, "VmRSS: %lld", &kib) == 1)
            put_int(out, "rss_bytes", kib * 1024);
        if (sscanf(line, "VmHWM: %lld", &kib) == 1)
            put_int(out, "peak_bytes", kib * 1024);
    }
    if (f != NULL)
        (void)fclose(f);
    return out;
}

static json_t *version_status(void)
{
    return json_pack("{s:s,s:i,s:s,s:s,s:s}", "firmiana", FIRMIANA_VERSION, "rules",
                     (int)LEDGER_RULES_VERSION, "sqlite", sqlite3_libversion(), "openssl",
                     OpenSSL_version(OPENSSL_VERSION_STRING), "jansson", jansson_version_str());
}

/* ---- queries ---- */

static json_t *session_list(const struct node *node)
{
    json_t *list = json_array();

    for (const struct node_query *q = node->queries; q != NULL; q = q->next) {
        char where[128];
        node_progress_text(where, sizeof where, node, q);
        (void)json_array_append_new(
            list,
            json_pack("{s:s,s:s,s:s,s:s,s:i,s:I}", "query", q->query_hex, "state",
                      session_state_name(session_get_state(q->session)), "asker", q->contract.asker,
                      "where", where, "place", (int)lanes_position(&node->lanes, &q->place),
                      "memory_bytes", (json_int_t)q->place.bytes));
    }
    return list;
}

static json_t *today_status(const struct node *node)
{
    struct count_day today = counts_today(&node->counts, base_clock_unix_ms(node->config.clock));

    return json_pack("{s:I,s:I,s:I}", "done", (json_int_t)today.done, "refused",
                     (json_int_t)today.refused, "aborted", (json_int_t)today.aborted);
}

static json_t *load_status(const struct node *node)
{
    unsigned running, waiting;
    uint64_t bytes = 0;

    lanes_count(&node->lanes, &running, &waiting);
    for (const struct lanes_place *p = node->lanes.first; p != NULL; p = p->next)
        bytes += p->admitted ? p->bytes : 0;
    return json_pack("{s:i,s:i,s:I,s:I}", "running", (int)running, "waiting", (int)waiting,
                     "memory_bytes", (json_int_t)bytes, "memory_limit_bytes",
                     (json_int_t)node->lanes.limit);
}

static void put_ledger(const struct node *node, json_t *out)
{
    const struct ledger_head *head = ledger_chain_head(node->chain);
    struct ledger_engine_status s;
    struct base_err err = {0};
    json_t *proven = NULL;

    ledger_engine_status(node->engine, &s);
    (void)json_object_set_new(out, "state", json_string(ledger_engine_state_name(s.state)));
    (void)json_object_set_new(out, "sequencer", json_string(s.sequencer));
    if (node->comet != NULL)
        (void)json_object_set_new(out, "cometbft", comet_status(node->comet));
    if (node_misbehavior(node, &proven, &err) == FM_OK)
        (void)json_object_set_new(out, "misbehavior", proven);
    put_int(out, "height", (int64_t)s.height);
    put_int(out, "final_height", (int64_t)s.final_height);
    put_int(out, "log_size", (int64_t)s.size);
    put_int(out, "behind_blocks",
            newest_final(node, (int64_t)s.final_height) - (int64_t)s.final_height);
    put_int(out, "behind_entries", s.known_size > s.size ? (int64_t)(s.known_size - s.size) : 0);
    put_int(out, "quorum", (int64_t)s.quorum);
    put_int(out, "members", (int64_t)s.active);
    put_int(out, "connected", (int64_t)s.up);
    put_int(out, "waiting_transactions", (int64_t)s.outbox);
    put_int(out, "pooled_transactions", (int64_t)s.pool);
    put_int(out, "epoch", (int64_t)head->epoch);
    put_int(out, "rules", (int64_t)head->rules_version);
    put_int(out, "block_time", head->time_ms);
    (void)json_object_set_new(out, "handover", node_handover(node));
}

json_t *node_status(const struct node *node)
{
    int64_t now = base_clock_unix_ms(node->config.clock);
    json_t *out = json_pack(
        "{s:s,s:s,s:s,s:I,s:I}", "alias", node->config.home.alias, "did", node->did, "chain",
        node->chain_hex, "now", (json_int_t)now, "up_ms",
        (json_int_t)(base_clock_mono_ms(node->config.clock) - node->counts.started_mono_ms));

    if (out == NULL)
        return NULL;
    put_ledger(node, out);
    (void)json_object_set_new(out, "draining", json_boolean(node->draining));
    (void)json_object_set_new(out, "checkpoint", checkpoint_status(node));
    (void)json_object_set_new(out, "peers", peer_list(node));
    (void)json_object_set_new(out, "sessions", session_list(node));
    (void)json_object_set_new(out, "queries", load_status(node));
    (void)json_object_set_new(out, "today", today_status(node));
    put_int(out, "strangers", node->net != NULL ? (int64_t)net_node_strangers(node->net) : 0);
    (void)json_object_set_new(out, "disk", disk_status(node));
    (void)json_object_set_new(out, "memory", memory_status());
    (void)json_object_set_new(out, "software", version_status());
    return out;
}

void node_write_metrics(void *ctx, struct base_buf *out)
{
    const struct node *node = ctx;
    json_t *status = node_status(node);

    if (status == NULL)
        out->failed = true;
    else
        metrics_write(out, status, &node->counts);
    json_decref(status);
}

void node_request_status(struct node *node, const json_t *request, const struct node_reply *reply)
{
    (void)request;
    node_reply_value(reply, node_status(node));
}
