/* Sessions on a node: they begin with a final query.open and end with a final query.close; between
 * the two this file carries events to session.h and gives it a world. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "did/document.h"
#include "exchange/node/node_own.h"
#include "exchange/session/descriptor.h"

enum { HELD_MS = 20000 };

struct node_query *node_query_find(struct node *node, const char *query_hex)
{
    for (struct node_query *q = node->queries; q != NULL; q = q->next)
        if (strcmp(q->query_hex, query_hex) == 0)
            return q;
    return NULL;
}

static int64_t now_ms(const struct node *node)
{
    return base_clock_unix_ms(node->config.clock);
}

static void query_free(struct node *node, struct node_query *q)
{
    struct node_query **at = &node->queries;

    while (*at != NULL && *at != q)
        at = &(*at)->next;
    if (*at == q)
        *at = q->next;
    if (q->channels != NULL)
        net_abort(net_session_transport(q->channels), "shutdown");
    job_free(q->job);
    if (q->channels != NULL)
        net_node_session_close(node->net, q->channels);
    session_free(q->session);
    contract_release(&q->contract);
    node_plan_free(q->plan);
    node_rows_free(q->rows);
    json_decref(q->open);
    json_decref(q->values);
    json_decref(q->hidden);
    json_decref(q->openings);
    json_decref(q->receipt);
    free(q);
}

void node_query_free_all(struct node *node)
{
    while (node->queries != NULL)
        query_free(node, node->queries);
}

/* ---- the world, as session.h sees it ---- */

static void host_send(void *ctx, struct session *s, unsigned to, const json_t *message)
{
    struct node *node = ctx;
    struct base_buf bytes = {0};
    struct base_err err = {0};
    const char *alias = session_get_facts(s)->parties[to].alias;

    if (base_json_canonical(&bytes, message, &err) == FM_OK &&
        !node_send(node, alias, NODE_MSG_SESSION, bytes.p, bytes.len))
        node_log_put(node->config.log, "warn", "query.send", NULL, "%s is not connected", alias);
    base_buf_release_secret(&bytes);
}

static fm_status host_prove(void *ctx, const json_t *document, json_t **proof, struct base_err *err)
{
    return node_prove(ctx, document, proof, err);
}

static fm_status host_check_proof(void *ctx, const char *alias, const json_t *document,
                                  const json_t *proof, struct base_err *err)
{
    return node_check_proof(ctx, alias, document, proof, err);
}

static fm_status host_prepare(void *ctx, struct session *s, const json_t *openings, json_t **inputs,
                              const char **rule, struct base_err *err)
{
    return node_prepare(ctx, session_get_context(s), openings, inputs, rule, err);
}

static fm_status open_channels(struct node *node, struct node_query *q, struct base_err *err)
{
    const struct session_facts *f = session_get_facts(q->session);
    const char *names[SESSION_MAX_PARTIES];
    struct net_session_config config = {
        .parties = f->party_count, .names = names, .flags = NET_SESSION_TRANSCRIPT};
    int64_t left = f->deadline_ms - now_ms(node);

    for (unsigned i = 0; i < f->party_count; i++)
        names[i] = f->parties[i].alias;
    memcpy(config.descriptor32, f->descriptor, 32);
    config.deadline_ms = base_clock_mono_ms(node->config.clock) + (left > 0 ? left : 0);
    return net_node_session_open(node->net, &q->channels, &config, err);
}

static fm_status host_start(void *ctx, struct session *s, struct base_err *err)
{
    struct node *node = ctx;
    struct node_query *q = session_get_context(s);
    struct job_setup setup = {.waits = node->config.waits,
                              .wake = node->config.wake,
                              .wake_ctx = node->config.wake_ctx,
                              .random = node->config.random,
                              .session = s,
                              .facts = *session_get_facts(s),
                              .values = q->values};

    if (node_started_mark(node->started, q->query_hex, setup.facts.attempt, now_ms(node), err) !=
            FM_OK ||
        open_channels(node, q, err) != FM_OK)
        return err->code;
    setup.transport = net_session_transport(q->channels);
    setup.plan = q->plan;
    setup.rows = q->rows;
    q->plan = NULL;
    q->rows = NULL;
    node_log_put(node->config.log, "info", "query.start", q->query_hex, "computing with %u parties",
                 setup.facts.party_count);
    return job_start(&q->job, &setup, err);
}

static void host_stop(void *ctx, struct session *s, const char *reason)
{
    struct node *node = ctx;
    const struct node_query *q = session_get_context(s);

    node_log_put(node->config.log, "warn", "query.stop", q->query_hex, "%s", reason);
    if (q->channels != NULL)
        net_abort(net_session_transport(q->channels), "refused");
}

static fm_status host_submit(void *ctx, struct session *s, const char *type, const json_t *receipt,
                             struct base_err *err)
{
    uint8_t id[32];

    (void)s;
    return node_submit_body(ctx, id, ledger_tx_type_find(type),
                            json_pack("{s:O}", "receipt", receipt), NULL, NULL, err);
}

static void answer(const struct node_query *q, const struct base_err *err)
{
    struct base_err named = *err;

    if (err->code != FM_OK) {
        (void)base_err_prefix(&named, "query %.16s", q->query_hex);
        q->reply.error(q->reply.ctx, &named);
        return;
    }
    node_query_reply(q);
}

static void host_finished(void *ctx, struct session *s, const struct base_err *err)
{
    struct node *node = ctx;
    struct node_query *q = session_get_context(s);

    q->ending = true;
    node_log_put(node->config.log, err->code == FM_OK ? "info" : "warn", "query.end", q->query_hex,
                 "%s", err->code == FM_OK ? "done, closed by everyone" : err->text);
    if (q->reply_waits) {
        q->reply_waits = false;
        answer(q, err);
    }
}

/* ---- beginning ---- */

/* DIDs and document versions of all parties, at this node's newest height. */
static fm_status hash_descriptor(struct node *node, struct session_facts *facts, const json_t *open,
                                 struct base_err *err)
{
    struct descriptor_member members[SESSION_MAX_PARTIES];
    json_t *held[SESSION_MAX_PARTIES] = {NULL};
    fm_status st = FM_OK;

    for (unsigned i = 0; st == FM_OK && i < facts->party_count; i++) {
        struct did_document *doc = NULL;
        st = ledger_reader_member(ledger_chain_reader(node->chain), &held[i],
                                  facts->parties[i].alias, err);
        if (st == FM_OK)
            st = did_document_parse(&doc, json_object_get(held[i], "document"), 1, err);
        if (st == FM_OK) {
            members[i].did = json_string_value(json_object_get(held[i], "did"));
            members[i].version = did_document_version(doc);
        }
        did_document_free(doc);
    }
    if (st == FM_OK)
        st = descriptor_hash(facts, open, members, err);
    for (unsigned i = 0; i < facts->party_count; i++)
        json_decref(held[i]);
    return st;
}

static fm_status read_contract(struct node *node, struct contract *out, const char *id_hex,
                               struct base_err *err)
{
    char key[16 + 65];
    json_t *value;
    fm_status st;

    (void)snprintf(key, sizeof key, "contract/%.64s", id_hex);
    st = ledger_reader_get(ledger_chain_reader(node->chain), &value, key, err);
    if (st == FM_OK)
        st = contract_parse(out, json_object_get(value, "contract"), err);
    json_decref(value);
    return st;
}

/* Contract, parties, descriptor of a final query.open; *takes_part says whether this node is one of
 * them. */
static fm_status read_facts(struct node *node, struct node_query *q, struct session_facts *facts,
                            bool *takes_part, const struct ledger_entry *entry,
                            struct base_err *err)
{
    const char *contract;
    fm_status st;

    memcpy(facts->query, entry->id, 32);
    memcpy(facts->chain, node->chain_id, 32);
    facts->height = entry->height;
    facts->attempt = 1;
    st = base_json_get_str(&contract, q->open, "contract", err);
    if (st == FM_OK)
        st = base_json_get_int(&facts->deadline_ms, q->open, "deadline", err);
    if (st == FM_OK)
        st = read_contract(node, &q->contract, contract, err);
    if (st == FM_OK)
        st = descriptor_parties(facts, takes_part, &q->contract, node->config.home.alias, err);
    if (st != FM_OK || !*takes_part)
        return st;
    memcpy(facts->plan_hash, q->contract.plan_hash, 32);
    (void)snprintf(facts->protocol, sizeof facts->protocol, "%s", q->contract.protocol);
    return hash_descriptor(node, facts, q->open, err);
}

/* The asker's own node kept the openings since it submitted query.open. */
static void take_asking(struct node *node, struct node_query *q, const uint8_t id[32])
{
    for (struct node_asking *a = node->askings; a != NULL; a = a->next) {
        if (memcmp(a->id, id, 32) != 0)
            continue;
        q->asked_here = true;
        q->reply = a->reply;
        q->reply_waits = a->reply_waits;
        memcpy(q->format, a->format, sizeof q->format);
        q->hidden = json_incref(a->hidden);
        q->openings = json_incref(a->openings);
        node_asking_free(node, a);
        return;
    }
}

static void replay_held(struct node *node, const struct node_query *q)
{
    struct node_held **at = &node->held;

    while (*at != NULL) {
        struct node_held *h = *at;
        if (strcmp(json_string_value(json_object_get(h->message, "q")), q->query_hex) != 0) {
            at = &h->next;
            continue;
        }
        *at = h->next;
        node->held_count--;
        node->held_bytes -= h->size;
        node_query_message(node, h->from, h->message);
        json_decref(h->message);
        free(h);
    }
}

static void begin(struct node *node, struct node_query *q)
{
    const struct session_facts *f = session_get_facts(q->session);

    if (node->draining) {
        session_on_cancel(q->session, "the node is stopping", now_ms(node));
        return;
    }
    if (f->self != f->asker)
        return;
    if (q->openings != NULL)
        session_on_openings(q->session, q->openings, now_ms(node));
    else /* We asked before a restart: the openings are gone with the process that had them. */
        session_on_cancel(q->session, "the asker's node was restarted", now_ms(node));
}

void node_query_opened(struct node *node, const struct ledger_entry *entry)
{
    const struct session_host host = {node,         host_send,  host_prove, host_check_proof,
                                      host_prepare, host_start, host_stop,  host_submit,
                                      host_finished};
    struct node_query *q = calloc(1, sizeof *q);
    struct session_facts facts = {0};
    struct base_err err = {0};
    bool takes_part = false;
    json_t *tx = NULL;
    fm_status st = q != NULL ? FM_OK : base_err_memory(&err, "query");

    if (st == FM_OK) {
        base_hex(q->query_hex, entry->id, 32);
        st = base_json_parse_canonical(&tx, entry->payload.p, entry->payload.len, &err);
    }
    if (st == FM_OK) {
        q->open = json_incref(json_object_get(tx, "body"));
        st = read_facts(node, q, &facts, &takes_part, entry, &err);
    }
    if (st == FM_OK && takes_part)
        st = session_new(&q->session, &facts, &host, now_ms(node), &err);
    json_decref(tx);
    if (st != FM_OK)
        node_step_error(node, "query.open", &err);
    if (st != FM_OK || !takes_part) {
        if (q != NULL)
            query_free(node, q);
        return;
    }
    session_set_context(q->session, q);
    q->next = node->queries;
    node->queries = q;
    take_asking(node, q, entry->id);
    node_log_put(node->config.log, "info", "query.open", q->query_hex,
                 "asked by %s under contract %.16s", q->contract.asker,
                 json_string_value(json_object_get(q->open, "contract")));
    begin(node, q);
    replay_held(node, q);
}

/* ---- events ---- */

void node_query_closed(struct node *node, const struct ledger_entry *entry)
{
    struct base_err err = {0};
    struct node_query *q;
    const json_t *receipt;
    const char *query;
    json_t *tx;

    if (base_json_parse_canonical(&tx, entry->payload.p, entry->payload.len, &err) != FM_OK)
        return;
    receipt = json_object_get(json_object_get(tx, "body"), "receipt");
    query = json_string_value(json_object_get(receipt, "query"));
    q = query != NULL ? node_query_find(node, query) : NULL;
    if (q != NULL) {
        q->closed_height = entry->height;
        q->receipt = json_incref((json_t *)(uintptr_t)receipt);
        session_on_closed(q->session, json_string_value(json_object_get(receipt, "outcome")),
                          json_string_value(json_object_get(receipt, "rule")),
                          json_string_value(json_object_get(receipt, "party")), now_ms(node));
    }
    json_decref(tx);
}

static int party_named(const struct session_facts *f, const char *alias)
{
    for (unsigned i = 0; i < f->party_count; i++)
        if (strcmp(f->parties[i].alias, alias) == 0)
            return (int)i;
    return -1;
}

/* The query is not final here yet, or never was: kept for a while, within bounds. */
static void hold(struct node *node, const char *from, const json_t *message)
{
    char *text = json_dumps(message, JSON_COMPACT);
    size_t size = text != NULL ? strlen(text) : 0;
    struct node_held *h;

    free(text);
    if (node->held_count >= NODE_MAX_HELD || size > NODE_HELD_BYTES - node->held_bytes)
        return;
    h = calloc(1, sizeof *h);
    if (h == NULL)
        return;
    (void)snprintf(h->from, sizeof h->from, "%s", from);
    h->message = json_incref((json_t *)(uintptr_t)message);
    h->size = size;
    h->until_ms = now_ms(node) + HELD_MS;
    h->next = node->held;
    node->held = h;
    node->held_count++;
    node->held_bytes += size;
}

void node_query_message(struct node *node, const char *from, const json_t *message)
{
    const char *query = json_string_value(json_object_get(message, "q"));
    struct node_query *q;
    int party;

    if (query == NULL || strlen(query) != 64)
        return;
    q = node_query_find(node, query);
    if (q == NULL) {
        hold(node, from, message);
        return;
    }
    party = party_named(session_get_facts(q->session), from);
    if (party < 0 || party == (int)session_get_facts(q->session)->self)
        return;
    session_on_message(q->session, (unsigned)party, message, now_ms(node));
}

void node_query_peer_down(struct node *node, const char *alias, const char *why)
{
    for (struct node_query *q = node->queries; q != NULL; q = q->next) {
        int party = party_named(session_get_facts(q->session), alias);
        if (party >= 0)
            session_on_peer_down(q->session, (unsigned)party, why, now_ms(node));
    }
}

void node_query_recheck(struct node *node)
{
    for (struct node_query *q = node->queries; q != NULL; q = q->next) {
        struct base_err err = {0};
        const char *rule = "node.policy";
        if (!q->ending && node_authority(node, q, &rule, &err) == FM_E_REFUSED)
            session_on_revoked(q->session, rule, now_ms(node));
    }
}

void node_query_cancel(struct node *node, void *reply_ctx, const char *why)
{
    for (struct node_query *q = node->queries; q != NULL; q = q->next) {
        if (reply_ctx != NULL && (!q->asked_here || q->reply.ctx != reply_ctx))
            continue;
        if (reply_ctx != NULL)
            q->reply_waits = false;
        session_on_cancel(q->session, why, now_ms(node));
    }
}

/* What each end of each channel saw. */
static fm_status add_channels(struct node_query *q, json_t *part, struct base_err *err)
{
    const struct session_facts *f = session_get_facts(q->session);
    json_t *channels = json_array();

    if (channels == NULL || json_object_set_new(part, "channels", channels) != 0)
        return base_err_memory(err, "receipt");
    for (unsigned i = 0; i < f->party_count; i++) {
        uint8_t sent[32], received[32];
        char sent_hex[65], received_hex[65];
        if (i == f->self)
            continue;
        if (net_session_transcript(q->channels, i, sent, received, err) != FM_OK)
            return err->code;
        base_hex(sent_hex, sent, 32);
        base_hex(received_hex, received, 32);
        if (json_array_append_new(channels,
                                  json_pack("{s:s,s:s,s:s}", "peer", f->parties[i].alias, "sent",
                                            sent_hex, "received", received_hex)) != 0)
            return base_err_memory(err, "receipt");
    }
    return FM_OK;
}

static void keep_stat(struct node *node, const struct node_query *q, const struct job_result *r)
{
    struct node_stat *s = &node->stats[node->next_stat++ % NODE_STATS];

    memcpy(s->query_hex, q->query_hex, sizeof s->query_hex);
    s->seconds = r->seconds;
    s->rounds = r->rounds;
    s->bytes_sent = r->bytes_sent;
    s->bytes_received = r->bytes_received;
}

static void job_is_back(struct node *node, struct node_query *q)
{
    const struct job_result *r = job_get_result(q->job);
    struct base_err err = r->err;
    const struct session_facts *f = session_get_facts(q->session);
    unsigned culprit = f->party_count;
    json_t *part = NULL;

    q->job_seen = true;
    keep_stat(node, q, r);
    if (err.code == FM_OK) {
        part = json_pack("{s:O,s:O}", "inputs", r->inputs, "result", r->result);
        if (part == NULL)
            (void)base_err_memory(&err, "receipt");
        else
            (void)!add_channels(q, part, &err);
    } else {
        struct base_err net = {0};
        (void)!net_session_state(q->channels, &culprit, &net);
    }
    if (err.code == FM_OK)
        session_on_worker_done(q->session, part, now_ms(node));
    else
        session_on_worker_failed(q->session, &err,
                                 culprit < f->party_count ? f->parties[culprit].alias : NULL,
                                 now_ms(node));
    json_decref(part);
    net_node_session_close(node->net, q->channels);
    q->channels = NULL;
}

void node_query_jobs(struct node *node)
{
    for (struct node_query *q = node->queries; q != NULL; q = q->next)
        if (q->job != NULL && !q->job_seen && job_ended(q->job))
            job_is_back(node, q);
}

void node_query_tick(struct node *node)
{
    int64_t now = now_ms(node);
    struct node_held **at = &node->held;

    for (struct node_query *q = node->queries; q != NULL; q = q->next)
        session_on_tick(q->session, now);
    for (struct node_query *q = node->queries, *next; q != NULL; q = next) {
        next = q->next;
        /* A failed query stays for a moment, to sign that nothing was shared. */
        if (q->ending && q->gone_ms == 0)
            q->gone_ms = now + HELD_MS;
        if (q->ending && (q->job == NULL || q->job_seen) &&
            (now >= q->gone_ms || session_get_state(q->session) == SESSION_DONE || node->draining))
            query_free(node, q);
    }
    while (*at != NULL) {
        struct node_held *h = *at;
        if (now < h->until_ms) {
            at = &h->next;
            continue;
        }
        *at = h->next;
        node->held_count--;
        node->held_bytes -= h->size;
        json_decref(h->message);
        free(h);
    }
}

int64_t node_query_wait_ms(struct node *node)
{
    return node->queries != NULL || node->held != NULL ? 50 : 1000;
}
