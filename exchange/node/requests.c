/* What a node's people may ask of it: one table of names, one function each. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/json.h"
#include "exchange/node/node_own.h"
#include "exchange/node/requests_own.h"

void node_reply_error(const struct node_reply *reply, struct base_err *err)
{
    reply->error(reply->ctx, err);
}

void node_reply_value(const struct node_reply *reply, json_t *value)
{
    struct base_err err = {0};

    if (value != NULL)
        reply->ok(reply->ctx, value);
    else {
        (void)base_err_memory(&err, "answer");
        reply->error(reply->ctx, &err);
    }
    json_decref(value);
}

/* ---- transactions ---- */

struct waiting {
    struct node_reply reply;
    json_t *more; /* members of the answer beside the transaction's own; may be NULL */
};

static void waiting_free(struct waiting *w)
{
    if (w != NULL)
        json_decref(w->more);
    free(w);
}

/* The transaction is final (or never will be): tells the one who submitted it. */
static void tx_done(struct node *node, void *ctx, const struct ledger_outcome *outcome,
                    uint64_t height)
{
    struct waiting *w = ctx;
    struct base_err err = {0};
    char id[65];
    json_t *value;

    (void)node;
    if (outcome->verdict == LEDGER_DROPPED) {
        (void)base_err_set(&err, FM_E_REFUSED, "the transaction did not reach the ledger: %s: %s",
                           ledger_rule_code(outcome->rule), outcome->detail);
        node_reply_error(&w->reply, &err);
        waiting_free(w);
        return;
    }
    base_hex(id, outcome->id, 32);
    value = json_pack("{s:s,s:I,s:I}", "id", id, "height", (json_int_t)height, "leaf",
                      (json_int_t)outcome->leaf);
    if (value != NULL && outcome->verdict == LEDGER_REFUSED) {
        (void)json_object_set_new(value, "rule", json_string(ledger_rule_code(outcome->rule)));
        (void)json_object_set_new(value, "detail", json_string(outcome->detail));
    }
    if (value != NULL && w->more != NULL)
        (void)json_object_update(value, w->more);
    node_reply_value(&w->reply, value);
    waiting_free(w);
}

static struct waiting *wait_for(const struct node_reply *reply)
{
    struct waiting *w = calloc(1, sizeof *w);

    if (w != NULL)
        w->reply = *reply;
    return w;
}

void node_submit_and_tell(struct node *node, enum ledger_tx_type type, json_t *body, json_t *more,
                          const struct node_reply *reply)
{
    struct base_err err = {0};
    struct waiting *w = wait_for(reply);
    uint8_t id[32];

    if (w == NULL) {
        (void)base_err_memory(&err, "request");
        json_decref(body);
        json_decref(more);
    } else {
        w->more = more;
        (void)!node_submit_body(node, id, type, body, tx_done, w, &err);
    }
    if (err.code != FM_OK) {
        waiting_free(w);
        node_reply_error(reply, &err);
    }
}

void node_submit_and_reply(struct node *node, enum ledger_tx_type type, json_t *body,
                           const struct node_reply *reply)
{
    node_submit_and_tell(node, type, body, NULL, reply);
}

static void tx_submit(struct node *node, const json_t *request, const struct node_reply *reply)
{
    struct base_err err = {0};
    struct base_buf bytes = {0};
    struct waiting *w = wait_for(reply);
    uint8_t id[32];
    json_t *tx;
    fm_status st = w != NULL ? base_json_get_object(&tx, request, "tx", &err)
                             : base_err_memory(&err, "request");

    if (st == FM_OK)
        st = base_json_canonical(&bytes, tx, &err);
    if (st == FM_OK)
        st = node_submit(node, id, bytes.p, bytes.len, tx_done, w, &err);
    if (st != FM_OK) {
        waiting_free(w);
        node_reply_error(reply, &err);
    }
    base_buf_release(&bytes);
}

/* Which role a transaction of the node's own key takes. What the node itself files (opening and
 * closing queries) only the operator may hand in from outside. */
static unsigned signs(enum ledger_tx_type type)
{
    switch (type) {
    case LEDGER_TX_CONTRACT_PROPOSE:
        return NODE_ANALYST;
    case LEDGER_TX_CONSENT_GRANT:
    case LEDGER_TX_CONSENT_REVOKE:
        return NODE_OPERATOR | NODE_ANALYST;
    default:
        return NODE_OPERATOR;
    }
}

static void tx_sign(struct node *node, const json_t *request, const struct node_reply *reply)
{
    struct base_err err = {0};
    const char *type;
    json_t *body;
    enum ledger_tx_type t;
    fm_status st;

    if (base_json_get_str(&type, request, "type", &err) != FM_OK ||
        base_json_get_object(&body, request, "body", &err) != FM_OK) {
        node_reply_error(reply, &err);
        return;
    }
    t = ledger_tx_type_find(type);
    if (t == LEDGER_TX_TYPE_COUNT || ledger_tx_type_authority(t) != LEDGER_BY_NODE)
        st = base_err_set(&err, FM_E_ARG, "'%s' is not a transaction that the node signs", type);
    else
        st = node_roles_check(&node->config.home.roles, &reply->who, signs(t), type, &err);
    if (st != FM_OK)
        node_reply_error(reply, &err);
    else
        node_submit_and_reply(node, t, json_incref(body), reply);
}

/* ---- who and where ---- */

static void me(struct node *node, const json_t *request, const struct node_reply *reply)
{
    struct base_err err = {0};
    uint8_t hash[32];
    char hash_hex[65] = "";
    json_t *member;

    (void)request;
    if (ledger_reader_member(ledger_chain_reader(node->chain), &member, node->config.home.alias,
                             &err) != FM_OK ||
        base_json_hash(hash, json_object_get(member, "document"), &err) != FM_OK) {
        node_reply_error(reply, &err);
        return;
    }
    base_hex(hash_hex, hash, 32);
    json_decref(member);
    node_reply_value(reply,
                     json_pack("{s:s,s:s,s:s,s:s,s:I}", "alias", node->config.home.alias, "did",
                               node->did, "chain", node->chain_hex, "document_hash", hash_hex,
                               "now", (json_int_t)base_clock_unix_ms(node->config.clock)));
}

static void whoami(struct node *node, const json_t *request, const struct node_reply *reply)
{
    struct base_buf roles = {0};
    char who[NODE_PERSON_TEXT];
    json_t *list = json_array();

    (void)request;
    node_person_text(who, &reply->who);
    for (unsigned bit = 1; bit < NODE_ANYONE; bit <<= 1)
        if ((reply->who.roles & bit) != 0) {
            base_buf_clear(&roles);
            node_roles_names(&roles, bit);
            (void)json_array_append_new(list, json_string(base_buf_cstr(&roles)));
        }
    base_buf_release(&roles);
    node_reply_value(reply,
                     json_pack("{s:s,s:s,s:I,s:o}", "alias", node->config.home.alias, "person", who,
                               "uid", (json_int_t)reply->who.uid, "roles", list));
}

static void query_stats(struct node *node, const json_t *request, const struct node_reply *reply)
{
    struct base_err err = {0};
    const char *query;

    if (base_json_get_str(&query, request, "query", &err) != FM_OK) {
        node_reply_error(reply, &err);
        return;
    }
    for (unsigned i = 0; i < NODE_STATS; i++) {
        const struct node_stat *s = &node->stats[i];
        if (strcmp(s->query_hex, query) != 0)
            continue;
        node_reply_value(reply,
                         json_pack("{s:I,s:I,s:I,s:I,s:I}", "since_open_us",
                                   (json_int_t)s->since_open_ms * 1000, "microseconds",
                                   (json_int_t)(s->seconds * 1e6), "rounds", (json_int_t)s->rounds,
                                   "bytes_sent", (json_int_t)s->bytes_sent, "bytes_received",
                                   (json_int_t)s->bytes_received));
        return;
    }
    (void)base_err_set(&err, FM_E_NOT_FOUND, "this node has no figures for query %.16s (any more)",
                       query);
    node_reply_error(reply, &err);
}

/* ---- members ---- */

static void member_get(struct node *node, const json_t *request, const struct node_reply *reply)
{
    struct base_err err = {0};
    const char *name;
    json_t *member = NULL;

    if (base_json_get_str(&name, request, "name", &err) != FM_OK ||
        ledger_reader_member(ledger_chain_reader(node->chain), &member, name, &err) != FM_OK)
        node_reply_error(reply, &err);
    else
        node_reply_value(reply, member);
}

static void member_list(struct node *node, const json_t *request, const struct node_reply *reply)
{
    json_t *list = json_array();

    (void)request;
    for (size_t i = 0; i < node->member_count; i++) {
        const struct node_member *m = &node->members[i];
        (void)json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:s}", "alias", m->alias, "did",
                                                    m->did, "endpoint", m->endpoint, "status",
                                                    m->active ? "active" : "suspended"));
    }
    node_reply_value(reply, json_pack("{s:o}", "members", list));
}

/* ---- the table ---- */

/* Who may ask for what (roles.h). A request that files a transaction asks tx.sign's own table too.
 */
static const struct {
    const char *name;
    unsigned roles;
    void (*handle)(struct node *node, const json_t *request, const struct node_reply *reply);
} handlers[] = {
    {"audit.export", NODE_AUDITOR, node_request_audit_export},
    {"audit.list", NODE_AUDITOR | NODE_OPERATOR, node_request_audit_list},
    {"audit.opening", NODE_AUDITOR, node_request_audit_opening},
    {"audit.query", NODE_AUDITOR, node_request_audit_query},
    {"audit.subject", NODE_AUDITOR, node_request_audit_subject},
    {"consent.attest", NODE_OPERATOR, node_request_consent_attest},
    {"consent.mandate", NODE_OPERATOR, node_request_consent_mandate},
    {"consent.withdraw", NODE_OPERATOR, node_request_consent_withdraw},
    {"credential.anchored", NODE_ANYONE, node_request_credential_anchored},
    {"credential.issue", NODE_OPERATOR, node_request_credential_issue},
    {"contract.check", NODE_ANYONE, node_request_contract_check},
    {"contract.list", NODE_ANYONE, node_request_contract_list},
    {"contract.draft", NODE_ANALYST, node_request_contract_draft},
    {"copy.drop", NODE_OPERATOR, node_request_copy_drop},
    {"copy.get", NODE_OPERATOR, node_request_copy_get},
    {"copy.keep", NODE_OPERATOR, node_request_copy_keep},
    {"copy.list", NODE_OPERATOR | NODE_AUDITOR, node_request_copy_list},
    {"copy.show", NODE_OPERATOR | NODE_AUDITOR, node_request_copy_show},
    {"query.explain", NODE_ANALYST, node_request_query_explain},
    {"dataset.forget", NODE_OPERATOR, node_request_dataset_forget},
    {"dataset.history", NODE_ANYONE, node_request_dataset_history},
    {"dataset.prove", NODE_OPERATOR, node_request_dataset_prove},
    {"dataset.list", NODE_ANYONE, node_request_dataset_list},
    {"dataset.publish", NODE_OPERATOR, node_request_dataset_publish},
    {"did.resolve", NODE_ANYONE, node_request_did_resolve},
    {"document.sign", NODE_OPERATOR, node_request_document_sign},
    {"epoch.approve", NODE_OPERATOR | NODE_OFFICER, node_request_epoch_approve},
    {"epoch.show", NODE_ANYONE, node_request_epoch_show},
    {"governance.list", NODE_ANYONE, node_request_governance_list},
    {"key.import", NODE_OPERATOR, node_request_key_import},
    {"key.list", NODE_ANYONE, node_request_key_list},
    {"lottery.list", NODE_ANYONE, node_request_lottery_list},
    {"lottery.show", NODE_ANYONE, node_request_lottery_show},
    {"me", NODE_ANYONE, me},
    {"member.get", NODE_ANYONE, member_get},
    {"member.list", NODE_ANYONE, member_list},
    {"officer.authorize", NODE_OFFICER, node_request_officer_authorize},
    {"query.answer", NODE_ANALYST, node_request_query_answer},
    {"query.show", NODE_ANALYST | NODE_AUDITOR, node_request_query_show},
    {"query.list", NODE_OPERATOR | NODE_ANALYST | NODE_AUDITOR, node_request_query_list},
    {"query.run", NODE_ANALYST, node_request_query},
    {"query.stats", NODE_OPERATOR | NODE_ANALYST, query_stats},
    {"status", NODE_ANYONE, node_request_status},
    {"tx.sign", NODE_OPERATOR | NODE_ANALYST, tx_sign},
    {"tx.submit", NODE_OPERATOR | NODE_OFFICER, tx_submit},
    {"whoami", NODE_ANYONE, whoami},
};

void node_who(const struct node *node, struct node_person *out, const struct node_peer *peer)
{
    node_person_of(out, &node->config.home.roles, peer, (uint32_t)geteuid());
}

const struct node_roles *node_get_roles(const struct node *node)
{
    return &node->config.home.roles;
}

/* Whoever uses a role is in the node's log; what was asked for is not. */
static void note(struct node *node, const char *name, const struct node_person *who)
{
    char text[NODE_PERSON_TEXT];

    node_person_text(text, who);
    node_log_put(node->config.log, "info", "request", NULL, "%s by %s", name, text);
}

void node_request(struct node *node, const json_t *request, const struct node_reply *reply)
{
    const char *name = json_string_value(json_object_get(request, "do"));
    struct base_err err = {0};
    size_t i = 0;
    fm_status st;

    while (i < sizeof handlers / sizeof handlers[0] &&
           (name == NULL || strcmp(handlers[i].name, name) != 0))
        i++;
    if (i == sizeof handlers / sizeof handlers[0])
        st = base_err_set(&err, FM_E_UNSUPPORTED,
                          "the node knows no request '%s': are program and node of one version?",
                          name != NULL ? name : "");
    else
        st = node_roles_check(&node->config.home.roles, &reply->who, handlers[i].roles, name, &err);
    if (st != FM_OK) {
        reply->error(reply->ctx, &err);
        return;
    }
    if ((handlers[i].roles & NODE_ANYONE) != NODE_ANYONE)
        note(node, name, &reply->who);
    handlers[i].handle(node, request, reply);
    node_settle(node);
}

void node_cancel(struct node *node, void *reply_ctx)
{
    for (struct node_submission *s = node->submissions; s != NULL; s = s->next)
        if (s->done == tx_done && s->ctx != NULL &&
            ((struct waiting *)s->ctx)->reply.ctx == reply_ctx) {
            free(s->ctx);
            s->ctx = NULL;
            s->done = NULL;
        }
    for (struct node_asking *a = node->askings; a != NULL; a = a->next)
        if (a->reply.ctx == reply_ctx) {
            a->reply_waits = false;
            a->gone = true;
        }
    node_chores_stop(node, reply_ctx, CHORE_FORGET);
    copies_cancel(node->copies, reply_ctx, NULL);
    node_query_cancel(node, reply_ctx, "the one who asked has gone away");
    node_settle(node);
}

void node_stop_call(struct node *node, const void *reply_ctx)
{
    struct base_err stopped = {0};
    char why[64];

    (void)base_err_set(&stopped, FM_E_CANCELLED, "stopped; what was begun goes on by itself");
    copies_cancel(node->copies, reply_ctx, &stopped);
    (void)snprintf(why, sizeof why, "cancelled by %s", node->config.home.alias);
    for (struct node_asking *a = node->askings; a != NULL; a = a->next)
        a->stopped = a->stopped || a->reply.ctx == reply_ctx;
    node_chores_stop(node, reply_ctx, CHORE_ANSWER);
    for (struct node_query *q = node->queries; q != NULL; q = q->next)
        if (q->reply_waits && q->reply.ctx == reply_ctx)
            session_on_cancel(q->session, why, base_clock_unix_ms(node->config.clock));
    node_settle(node);
}
