/* The world that a session sees: its messages, proofs, channels, computation and submissions are
 * this node's. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "exchange/node/node_own.h"

static int64_t now_ms(const struct node *node)
{
    return base_clock_unix_ms(node->config.clock);
}

static void host_send(void *ctx, struct session *s, unsigned to, const json_t *message)
{
    struct node *node = ctx;
    struct node_query *q = session_get_context(s);
    struct base_buf bytes = {0};
    struct base_err err = {0};
    const char *alias = session_get_facts(s)->parties[to].alias;

    if (base_json_canonical(&bytes, message, &err) == FM_OK &&
        !node_send(node, alias, NODE_MSG_SESSION, bytes.p, bytes.len)) {
        /* What it needed is lost: the query ends by its name, and not with a time-out. A moment
         * later, since the session is in the middle of something. */
        q->unreached = to + 1;
        node_log_peer(node->config.log, "warn", "query.send", alias, q->query_hex,
                      "%s is not connected", alias);
    }
    base_buf_release_secret(&bytes);
}

static fm_status host_prove(void *ctx, const json_t *document, json_t **proof, struct base_err *err)
{
    return node_prove(ctx, document, proof, err);
}

static bool is_ready(const json_t *document)
{
    const char *type = json_string_value(json_object_get(document, "type"));

    return type != NULL && strcmp(type, "FirmianaReady") == 0;
}

/* A `ready` says what rows its member will put in: they are looked up as soon as it is known whose
 * it is. */
static fm_status host_check_proof(void *ctx, const char *alias, const json_t *document,
                                  const json_t *proof, struct base_err *err)
{
    struct node *node = ctx;
    const json_t *inputs = json_object_get(document, "inputs");
    const char *query = json_string_value(json_object_get(document, "query"));
    const struct node_query *q = query != NULL ? node_query_find(node, query) : NULL;
    fm_status st = node_check_proof(node, alias, document, proof, err);

    if (st == FM_OK && q != NULL && is_ready(document))
        st = node_check_inputs(node, q, alias, inputs, err);
    return st;
}

static fm_status host_prepare(void *ctx, struct session *s, const json_t *openings, json_t **inputs,
                              const char **rule, struct base_err *err)
{
    return node_room_prepare(ctx, session_get_context(s), openings, inputs, rule, err);
}

static unsigned host_place(void *ctx, struct session *s)
{
    const struct node *node = ctx;
    const struct node_query *q = session_get_context(s);

    return lanes_position(&node->lanes, &q->place);
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

/* For each source of the plan that is ours, its table's frozen rows. */
static fm_status own_rows(struct job_rows **out, struct node *node, struct node_query *q,
                          struct base_err *err)
{
    const struct sql_plan *plan = q->plan;
    fm_status st = FM_OK;

    *out = calloc(plan->source_count, sizeof **out);
    if (*out == NULL)
        return base_err_memory(err, "rows");
    for (size_t i = 0; st == FM_OK && i < plan->source_count; i++) {
        const struct sql_source *s = &plan->sources[i];
        for (unsigned t = 0; st == FM_OK && t < q->contract.table_count; t++)
            if (q->rows[t] != NULL && strcmp(s->member, q->contract.tables[t].provider) == 0 &&
                strcmp(s->dataset, q->contract.tables[t].dataset) == 0)
                st = job_rows_init(&(*out)[i], node_rows_share(q->rows[t]), plan, s->table,
                                   &node->columns, err);
    }
    for (unsigned t = 0; t < q->contract.table_count; t++) {
        node_rows_free(q->rows[t]);
        q->rows[t] = NULL;
    }
    return st;
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
    fm_status st;

    if (node_started_mark(node->started, q->query_hex, setup.facts.attempt, now_ms(node), err) !=
            FM_OK ||
        open_channels(node, q, err) != FM_OK)
        return err->code;
    setup.transport = net_session_transport(q->channels);
    st = own_rows(&setup.rows, node, q, err);
    if (st != FM_OK) {
        job_rows_free_all(setup.rows, q->plan->source_count);
        return st;
    }
    setup.plan = q->plan;
    q->plan = NULL;
    setup.pooled = q->pooled;
    q->pooled = NULL;
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
    if (err->code != FM_OK && !session_signed_done(s)) /* nobody may ever see it */
        answers_closed(&node->answers, q->query_hex, false, 0, now_ms(node));
    node_chores_stop(node, q, CHORE_FORGET);
    if (q->job == NULL)
        node_room_leave(node, q);
    node_log_put(node->config.log, err->code == FM_OK ? "info" : "warn", "query.end", q->query_hex,
                 "%s", err->code == FM_OK ? "done, closed by everyone" : err->text);
    if (q->reply_waits) {
        q->reply_waits = false;
        answer(q, err);
    }
}

struct session_host node_session_host(struct node *node)
{
    return (struct session_host){node,         host_send,    host_prove, host_check_proof,
                                 host_prepare, host_place,   host_start, host_stop,
                                 host_submit,  host_finished};
}
