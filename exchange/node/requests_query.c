/* query.run: parameters are committed to, query.open goes to the ledger, and the answer comes back
 * when query.close is final. query.list reads the ledger. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "exchange/contract/compile.h"
#include "exchange/node/openings.h"
#include "exchange/node/requests_own.h"

/* A query.open that was admitted just before its deadline may take this long to be final here. */
enum { OPEN_GRACE_MS = 2000, TICKET_MAX = 256 };

void node_asking_free(struct node *node, struct node_asking *asking)
{
    struct node_asking **at = &node->askings;

    while (*at != NULL && *at != asking)
        at = &(*at)->next;
    if (*at == asking)
        *at = asking->next;
    json_decref(asking->openings);
    json_decref(asking->hidden);
    free(asking);
}

/* ---- commitments and their openings ---- */

static fm_status random32(const struct node *node, uint8_t out[32], struct base_err *err)
{
    return base_random_fill(node->config.random, out, 32, err);
}

/* One parameter: salt, commitment, and what goes to the parties. */
static fm_status commit_parameter(struct node *node, struct contract_opening *o, json_t *list,
                                  json_t *hidden, const struct contract_parameter *p,
                                  const char *value, struct base_err *err)
{
    char hex[65];
    json_t *item;

    if (random32(node, o->salt, err) != FM_OK ||
        contract_parameter_commit(o->hash, node->chain_id, o->salt, p->name, value, err) != FM_OK)
        return err->code;
    if (p->hidden) {
        base_hex(hex, o->hash, 32);
        item = json_pack("{s:s}", "hash", hex);
        if (json_object_set_new(hidden, p->name, json_string(value)) != 0)
            return base_err_memory(err, "parameters");
    } else {
        base_hex(hex, o->salt, 32);
        item = json_pack("{s:s,s:s}", "value", value, "salt", hex);
    }
    return json_array_append_new(list, item) == 0 ? FM_OK : base_err_memory(err, "parameters");
}

/* What was committed to, hidden or not: for the member's own file. */
static fm_status keep_parameter(json_t *kept, const char *name, const char *value,
                                const uint8_t salt[32], struct base_err *err)
{
    char hex[65];

    base_hex(hex, salt, 32);
    if (json_array_append_new(
            json_object_get(kept, "parameters"),
            json_pack("{s:s,s:s,s:s}", "name", name, "value", value, "salt", hex)) != 0)
        return base_err_memory(err, "parameters");
    return FM_OK;
}

static fm_status commit_parameters(struct node *node, struct node_asking *a, uint8_t hash32[32],
                                   const struct contract *c, const json_t *values, json_t *kept,
                                   struct base_err *err)
{
    struct contract_opening openings[CONTRACT_MAX_PARAMETERS];
    json_t *list = json_object_get(a->openings, "parameters");

    if (json_array_size(values) != c->parameter_count)
        return base_err_set(
            err, FM_E_ARG,
            "contract %s has %u parameters, %zu were given: --param N=VALUE for each", c->name,
            c->parameter_count, json_array_size(values));
    for (unsigned i = 0; i < c->parameter_count; i++) {
        const char *value = json_string_value(json_array_get(values, i));
        if (value == NULL)
            return base_err_set(err, FM_E_ARG, "parameter %s must be text", c->parameters[i].name);
        if (commit_parameter(node, &openings[i], list, a->hidden, &c->parameters[i], value, err) !=
                FM_OK ||
            keep_parameter(kept, c->parameters[i].name, value, openings[i].salt, err) != FM_OK)
            return err->code;
    }
    contract_parameters_hash(hash32, openings, c->parameter_count);
    return FM_OK;
}

/* Consents are given as openings, in the order of the parameters that need one; there is at most
 * one today. */
static fm_status take_consents(struct node_asking *a, json_t **list, json_t *kept,
                               const struct contract *c, const json_t *given, struct base_err *err)
{
    json_t *nonces = json_object_get(a->openings, "consents"), *item;
    size_t i;

    *list = json_array();
    if (json_array_size(given) > 1)
        return base_err_set(err, FM_E_ARG, "contract %s takes at most one consent", c->name);
    json_array_foreach((json_t *)(uintptr_t)given, i, item)
    {
        const char *consent, *nonce;
        int64_t parameter = c->subject_parameter > 0 ? c->subject_parameter : 1;
        if (base_json_get_str(&consent, item, "consent", err) != FM_OK ||
            base_json_get_str(&nonce, item, "nonce", err) != FM_OK)
            return base_err_prefix(err, "consent");
        if (json_array_append_new(*list, json_pack("{s:I,s:s}", "parameter", (json_int_t)parameter,
                                                   "consent", consent)) != 0 ||
            json_array_append_new(nonces, json_pack("{s:I,s:s}", "parameter", (json_int_t)parameter,
                                                    "nonce", nonce)) != 0 ||
            json_array_append_new(json_object_get(kept, "consents"),
                                  json_pack("{s:I,s:s,s:s}", "parameter", (json_int_t)parameter,
                                            "consent", consent, "nonce", nonce)) != 0)
            return base_err_memory(err, "consent");
    }
    return FM_OK;
}

/* Who asks is who the kernel says is at the other end of the socket: nobody asks in another's name.
 */
static fm_status requester_hash(struct node *node, uint8_t out32[32], const json_t *request,
                                const struct node_person *who, json_t *kept, struct base_err *err)
{
    char requester[NODE_PERSON_TEXT], salt_hex[65];
    const char *ticket;
    uint8_t salt[32];

    node_person_text(requester, who);
    if (base_json_get_str(&ticket, request, "ticket", err) != FM_OK)
        return err->code;
    if (ticket[0] == '\0' || strlen(ticket) > TICKET_MAX || strpbrk(ticket, "\r\n\t") != NULL)
        return base_err_set(err, FM_E_ARG, "a ticket is one line of 1 to %d bytes", TICKET_MAX);
    if (random32(node, salt, err) != FM_OK)
        return err->code;
    base_hex(salt_hex, salt, 32);
    if (json_object_set_new(kept, "requester", json_string(requester)) != 0 ||
        json_object_set_new(kept, "ticket", json_string(ticket)) != 0 ||
        json_object_set_new(kept, "salt", json_string(salt_hex)) != 0)
        return base_err_memory(err, "requester");
    return contract_requester_commit(out32, node->chain_id, salt, requester, ticket, err);
}

/* ---- opening ---- */

static void open_done(struct node *node, void *ctx, const struct ledger_outcome *outcome,
                      uint64_t height)
{
    struct node_asking *a = ctx;
    struct base_err err = {0};

    if (outcome->verdict == LEDGER_OK)
        return; /* The session begins when the final entry is read, which may have happened just
                   before this. */
    (void)base_err_set(&err, FM_E_REFUSED, "query.open refused%s: %s: %s",
                       outcome->verdict == LEDGER_REFUSED ? ", on the ledger" : "",
                       ledger_rule_code(outcome->rule), outcome->detail);
    (void)height;
    if (a->reply_waits)
        node_reply_error(&a->reply, &err);
    node_asking_free(node, a);
}

/* What a party would refuse as it opens the parameters costs an entry of the ledger, and stands in
 * the history of whoever the query is about: values that are not of their types go no further. */
static fm_status check_values(struct node *node, const struct contract *c, const json_t *values,
                              struct base_err *err)
{
    struct base_err ignored = {0};
    struct sql_plan plan;
    json_t *datasets = NULL;
    fm_status st = node_datasets(node, &datasets, err);

    if (st != FM_OK)
        return st;
    st = contract_compile(&plan, c, datasets, &ignored);
    json_decref(datasets);
    if (st != FM_OK) /* for every party to refuse, on the ledger */
        return FM_OK;
    for (unsigned i = 0; st == FM_OK && i < c->parameter_count; i++) {
        const char *value = json_string_value(json_array_get(values, i));
        struct sql_value parsed;
        if (value != NULL)
            st = sql_param_parse(&parsed, &plan, i, value, err);
    }
    sql_plan_release(&plan);
    return st;
}

static fm_status build_open(struct node *node, struct node_asking *a, json_t **body, json_t *kept,
                            const struct contract *c, const char *id_hex, const json_t *request,
                            struct base_err *err)
{
    uint8_t parameters[32], requester[32];
    char parameters_hex[65], requester_hex[65];
    json_t *consents = NULL;
    int64_t timeout_ms, now = base_clock_unix_ms(node->config.clock);
    fm_status st = base_json_get_int(&timeout_ms, request, "timeout_ms", err);

    if (st == FM_OK)
        st = commit_parameters(node, a, parameters, c, json_object_get(request, "parameters"), kept,
                               err);
    if (st == FM_OK)
        st = check_values(node, c, json_object_get(request, "parameters"), err);
    if (st == FM_OK)
        st = take_consents(a, &consents, kept, c, json_object_get(request, "consents"), err);
    if (st == FM_OK)
        st = requester_hash(node, requester, request, &a->reply.who, kept, err);
    if (st == FM_OK) {
        base_hex(parameters_hex, parameters, 32);
        base_hex(requester_hex, requester, 32);
        *body = json_pack("{s:s,s:I,s:O,s:s,s:s,s:O,s:I}", "contract", id_hex, "height",
                          (json_int_t)node->final_height, "consents", consents, "parameters",
                          parameters_hex, "requester", requester_hex, "compute",
                          json_object_get(c->json, "compute"), "deadline",
                          (json_int_t)(now + timeout_ms));
        if (*body == NULL)
            st = base_err_memory(err, "query");
    }
    json_decref(consents);
    return st;
}

/* What query.open commits to is kept before it leaves: afterwards nobody could open it. */
static fm_status send_open(struct node *node, struct node_asking *a, const struct contract *c,
                           const char *id_hex, const json_t *request, struct base_err *err)
{
    json_t *body = NULL, *kept = json_pack("{s:[],s:[]}", "parameters", "consents");
    struct base_buf bytes = {0};
    char query_hex[65];
    fm_status st = kept != NULL ? build_open(node, a, &body, kept, c, id_hex, request, err)
                                : base_err_memory(err, "query");

    if (st == FM_OK) {
        (void)!base_json_get_int(&a->until_ms, body, "deadline", err); /* build_open put it there */
        a->until_ms += OPEN_GRACE_MS;
        st = node_build_tx(node, &bytes, a->id, LEDGER_TX_QUERY_OPEN, body, err);
    }
    base_hex(query_hex, a->id, 32);
    if (st == FM_OK)
        st = node_opening_keep(node, query_hex, kept, err);
    if (st == FM_OK) {
        a->next = node->askings;
        node->askings = a;
        st = node_submit(node, a->id, bytes.p, bytes.len, open_done, a, err);
    }
    base_buf_release(&bytes);
    json_decref(kept);
    return st;
}

static struct node_asking *new_asking(struct node *node, const json_t *request,
                                      const struct node_reply *reply)
{
    struct node_asking *a = calloc(1, sizeof *a);
    const char *format = json_string_value(json_object_get(request, "format"));

    if (a == NULL)
        return NULL;
    a->node = node;
    a->reply = *reply;
    a->reply_waits = true;
    a->openings = json_pack("{s:[],s:[]}", "parameters", "consents");
    a->hidden = json_object();
    (void)snprintf(a->format, sizeof a->format, "%s", format != NULL ? format : "table");
    return a;
}

void node_request_query(struct node *node, const json_t *request, const struct node_reply *reply)
{
    struct base_err err = {0};
    struct contract c = {0};
    struct node_asking *a = new_asking(node, request, reply);
    char id_hex[65];
    fm_status st = a != NULL ? FM_OK : base_err_memory(&err, "query");

    if (st == FM_OK && node->draining)
        st = base_err_set(&err, FM_E_CANCELLED, "the node is stopping");
    if (st == FM_OK)
        st = node_contract(node, &c, id_hex, request, &err);
    if (st == FM_OK && !contract_is_recipient(&c, node->config.home.alias))
        st = base_err_set(&err, FM_E_ARG,
                          "this member is no recipient of contract %s: it would see nothing",
                          c.name);
    if (st == FM_OK && lanes_full(&node->lanes, node->config.home.alias))
        st = base_err_set(&err, FM_E_LIMIT,
                          "node.busy: this node has %d queries, or %d of its own, running and "
                          "waiting: ask again when some have ended",
                          LANES_MAX, LANES_MAX_EACH);
    if (st == FM_OK)
        st = send_open(node, a, &c, id_hex, request, &err);
    if (st == FM_OK)
        reply->progress(reply->ctx, "query.open is on its way to the ledger");
    else {
        node_reply_error(reply, &err);
        if (a != NULL)
            node_asking_free(node, a);
    }
    contract_release(&c);
}

/* The ledger refuses a query.open after its deadline, so nothing can come of these any more. */
void node_asking_tick(struct node *node)
{
    int64_t now = base_clock_unix_ms(node->config.clock);

    for (struct node_asking *a = node->askings, *next; a != NULL; a = next) {
        struct base_err err = {0};
        next = a->next;
        if (now < a->until_ms)
            continue;
        (void)base_err_set(&err, FM_E_TIMEOUT,
                           "query.open did not become final before the query's deadline: does "
                           "firmiana status show the sequencer and a quorum connected?");
        node_forget_submissions(node, a);
        if (a->reply_waits)
            node_reply_error(&a->reply, &err);
        node_asking_free(node, a);
    }
}

/* ---- the answer ---- */

static char *signers_text(const struct node_query *q, char *out, size_t size)
{
    const struct session_facts *f = session_get_facts(q->session);
    size_t used = 0;

    out[0] = '\0';
    for (unsigned i = 0; i < f->party_count && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", i > 0 ? ", " : "",
                                 f->parties[i].alias);
    return out;
}

void node_query_reply(const struct node_query *q)
{
    const struct job_result *r = q->job != NULL ? job_get_result(q->job) : NULL;
    int which = strcmp(q->format, "json") == 0  ? JOB_JSON
                : strcmp(q->format, "csv") == 0 ? JOB_CSV
                                                : JOB_TABLE;
    const char *text = r != NULL ? r->text[which] : NULL;
    char signers[SESSION_MAX_PARTIES * (SESSION_ALIAS + 2)], stats[256];

    if (r == NULL) {
        struct base_err err = {0};
        (void)base_err_set(&err, FM_E_CANCELLED, "query %.16s is done, but its answer is not here",
                           q->query_hex);
        node_reply_error(&q->reply, &err);
        return;
    }
    (void)snprintf(stats, sizeof stats,
                   "%.3f s, %llu rounds, %llu bytes sent, %llu bytes received by this party\n",
                   r->seconds, (unsigned long long)r->rounds, (unsigned long long)r->bytes_sent,
                   (unsigned long long)r->bytes_received);
    node_reply_value(
        &q->reply,
        json_pack("{s:s,s:s,s:I,s:s,s:s,s:I,s:I,s:I,s:I}", "query", q->query_hex, "text",
                  text != NULL ? text : "", "height", (json_int_t)q->closed_height, "signers",
                  signers_text(q, signers, sizeof signers), "stats_text", stats, "microseconds",
                  (json_int_t)(r->seconds * 1e6), "rounds", (json_int_t)r->rounds, "bytes_sent",
                  (json_int_t)r->bytes_sent, "bytes_received", (json_int_t)r->bytes_received));
}

/* ---- the list ---- */

static fm_status list_query(void *ctx, const char *key, const json_t *value, struct base_err *err)
{
    json_t *item = json_deep_copy(value);

    if (item == NULL ||
        json_object_set_new(item, "query", json_string(key + strlen("query/"))) != 0 ||
        json_array_append_new(ctx, item) != 0)
        return base_err_memory(err, "queries");
    return FM_OK;
}

void node_request_query_list(struct node *node, const json_t *request,
                             const struct node_reply *reply)
{
    struct base_err err = {0};
    json_t *list = json_array();

    (void)request;
    if (ledger_reader_list(ledger_chain_reader(node->chain), "query/", list_query, list, &err) !=
        FM_OK) {
        json_decref(list);
        node_reply_error(reply, &err);
        return;
    }
    node_reply_value(reply, json_pack("{s:o}", "queries", list));
}
