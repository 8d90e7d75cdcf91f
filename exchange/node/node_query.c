/* Sessions on a node: this file carries events to them; node_begin.c begins them, node_host.c is
 * their world. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "exchange/node/answers_sealed.h"
#include "exchange/node/openings.h"

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

void node_query_free(struct node *node, struct node_query *q)
{
    struct node_query **at = &node->queries;

    while (*at != NULL && *at != q)
        at = &(*at)->next;
    if (*at == q)
        *at = q->next;
    node_chores_stop(node, q, CHORE_FORGET);
    node_room_leave(node, q);
    if (q->channels != NULL)
        net_abort(net_session_transport(q->channels), "shutdown");
    job_free(q->job);
    if (q->channels != NULL)
        net_node_session_close(node->net, q->channels);
    session_free(q->session);
    contract_release(&q->contract);
    node_plan_free(q->plan);
    job_pooled_free(q->pooled);
    for (unsigned i = 0; i < CONTRACT_MAX_TABLES; i++)
        node_rows_free(q->rows[i]);
    json_decref(q->inputs);
    json_decref(q->open);
    json_decref(q->values);
    json_decref(q->hidden);
    json_decref(q->openings);
    json_decref(q->receipt);
    json_decref(q->given);
    free(q);
}

void node_query_free_all(struct node *node)
{
    while (node->queries != NULL)
        node_query_free(node, node->queries);
}

/* ---- events ---- */

static void count_close(struct node *node, const json_t *receipt)
{
    const char *outcome = json_string_value(json_object_get(receipt, "outcome"));
    const char *rule = json_string_value(json_object_get(receipt, "rule"));

    counts_query(&node->counts, outcome != NULL ? outcome : "", rule != NULL ? rule : "",
                 now_ms(node));
}

static bool is_done(const json_t *receipt)
{
    const char *outcome = json_string_value(json_object_get(receipt, "outcome"));

    return outcome != NULL && strcmp(outcome, "done") == 0;
}

/* Nobody waits for it here: it is kept for whoever looks. */
static void seal_answer(struct node *node, const char *query_hex)
{
    const struct answer *a = answers_find(&node->answers, query_hex);
    struct base_err err = {0};

    if (a != NULL && node_answer_seal(node, a, &err) != FM_OK)
        node_step_error(node, "keeping an answer", &err);
}

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
    if (query != NULL)
        answers_closed(&node->answers, query, is_done(receipt), entry->height, now_ms(node));
    if (query != NULL && is_done(receipt) && !(q != NULL && q->asked_here && q->reply_waits))
        seal_answer(node, query);
    if (q != NULL) {
        count_close(node, receipt);
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

static bool has_room(const struct node *node, const char *from, size_t size)
{
    size_t count = 0, bytes = 0;

    for (const struct node_held *h = node->held; h != NULL; h = h->next)
        if (strcmp(h->from, from) == 0) {
            count++;
            bytes += h->size;
        }
    return count < NODE_HELD_EACH && size <= NODE_HELD_EACH_BYTES - bytes;
}

/* The query is not final here yet, or never was: kept for a while, within bounds. */
static void hold(struct node *node, const char *from, const json_t *message)
{
    size_t size = json_dumpb(message, NULL, 0, JSON_COMPACT); /* only how long it is */
    struct node_held *h, **end = &node->held;

    if (node->held_count >= NODE_MAX_HELD || size > NODE_HELD_BYTES - node->held_bytes ||
        !has_room(node, from, size))
        return;
    h = calloc(1, sizeof *h);
    if (h == NULL)
        return;
    (void)snprintf(h->from, sizeof h->from, "%s", from);
    h->message = json_incref((json_t *)(uintptr_t)message);
    h->size = size;
    h->until_ms = now_ms(node) + HELD_MS;
    while (*end != NULL) /* in the order in which they came */
        end = &(*end)->next;
    *end = h;
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
        fm_status st = q->ending ? FM_OK : node_authority(node, q, &rule, &err);
        if (st == FM_OK)
            continue;
        if (st != FM_E_REFUSED) /* Nobody knows whether it holds: then it does not. */
            node_step_error(node, "a query's authority", &err);
        session_on_revoked(q->session, st == FM_E_REFUSED ? rule : "node.failed", now_ms(node));
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
    s->since_open_ms = base_clock_mono_ms(node->config.clock) - q->opened_ms;
    s->rounds = r->rounds;
    s->bytes_sent = r->bytes_sent;
    s->bytes_received = r->bytes_received;
    count_time(&node->counts.computing, r->seconds * 1000);
    node->counts.mpc_rounds += r->rounds;
    node->counts.mpc_sent += r->bytes_sent;
    node->counts.mpc_received += r->bytes_received;
}

static void job_is_back(struct node *node, struct node_query *q)
{
    const struct job_result *r = job_get_result(q->job);
    struct base_err err = r->err;
    const struct session_facts *f = session_get_facts(q->session);
    unsigned culprit = f->party_count;
    json_t *part = NULL;

    q->job_seen = true;
    job_keep_columns(q->job, &node->columns);
    node_room_leave(node, q);
    keep_stat(node, q, r);
    if (err.code == FM_OK && r->has_opening)
        (void)!node_input_opening_keep(node, q->query_hex, f->attempt, r->opening, &err);
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
    if (err.code == FM_OK) {
        answers_keep(&node->answers, q->query_hex, r, now_ms(node));
        session_on_worker_done(q->session, part, now_ms(node));
    } else
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

    node_room_admit(node);

    for (struct node_query *q = node->queries; q != NULL; q = q->next)
        session_on_tick(q->session, now);
    for (struct node_query *q = node->queries; q != NULL; q = q->next)
        if (q->unreached > 0) {
            unsigned party = q->unreached - 1;
            q->unreached = 0;
            session_on_peer_down(q->session, party, "not connected", now);
        }
    node_progress_tell(node);
    answers_tick(&node->answers, now);
    node_answers_expire(node);
    for (struct node_query *q = node->queries, *next; q != NULL; q = next) {
        next = q->next;
        /* A failed query stays for a moment, to sign that nothing was shared. */
        if (q->ending && q->gone_ms == 0)
            q->gone_ms = now + HELD_MS;
        if (q->ending && (q->job == NULL || (q->job_seen && job_through(q->job))) &&
            (now >= q->gone_ms || session_get_state(q->session) == SESSION_DONE || node->draining))
            node_query_free(node, q);
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
    return node->queries != NULL || node->held != NULL || !node->resumed ? 50 : 1000;
}
