#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "exchange/node/node_own.h"
#include "ledger/proof/checkpoint.h"

enum { TX_LIFE_MS = 600000 };

struct ledger_now node_now(const struct node *node)
{
    return (struct ledger_now){base_clock_unix_ms(node->config.clock),
                               base_clock_mono_ms(node->config.clock)};
}

/* ---- the engine's callbacks: they note, node_settle() acts ---- */

static fm_status engine_cosign(void *ctx, struct ledger_cosignature *out,
                               const struct ledger_checkpoint *checkpoint, int64_t time_s,
                               struct base_err *err)
{
    const struct node *node = ctx;

    return ledger_cosign(out, checkpoint, node->did, node->config.assertion, time_s, err);
}

static fm_status engine_sign(void *ctx, json_t *tx, int64_t time_s, struct base_err *err)
{
    const struct node *node = ctx;

    return ledger_tx_sign(tx, node->config.assertion, time_s, err);
}

static void engine_send(void *ctx, const char *alias, const void *bytes, size_t len)
{
    struct node *node = ctx;

    (void)node_send(node, alias, NODE_MSG_LEDGER, bytes, len);
}

static void note_result(struct node *node, const struct ledger_engine_event *event)
{
    struct node_result *result = calloc(1, sizeof *result);
    struct node_result **at = &node->results;

    if (result == NULL) {
        (void)base_err_memory(&node->fault, "ledger result");
        return;
    }
    result->outcome = *event->outcome;
    memcpy(result->id, event->id, 32);
    result->height = event->height;
    while (*at != NULL)
        at = &(*at)->next;
    *at = result;
}

/* The entry of the state that this transaction revokes. The replica expects it to be accepted, so
 * it is validly signed. */
static void note_revocation(const struct node *node, char out[NODE_REVOKES], const void *bytes,
                            size_t len)
{
    struct base_err err = {0};
    json_t *tx;
    const json_t *body;
    const char *type, *sender, *id;

    if (base_json_parse_canonical(&tx, bytes, len, &err) != FM_OK)
        return;
    type = json_string_value(json_object_get(tx, "type"));
    sender = json_string_value(json_object_get(tx, "sender"));
    body = json_object_get(tx, "body");
    if (type != NULL && strcmp(type, "consent.revoke") == 0) {
        id = json_string_value(json_object_get(json_object_get(body, "revocation"), "consent"));
        if (id != NULL)
            (void)snprintf(out, NODE_REVOKES, "consent/%.64s", id);
    } else if (type != NULL && strcmp(type, "authorization.revoke") == 0) {
        id = json_string_value(json_object_get(body, "contract"));
        for (size_t i = 0; id != NULL && sender != NULL && i < node->member_count; i++)
            if (strcmp(node->members[i].did, sender) == 0)
                (void)snprintf(out, NODE_REVOKES, "authorization/%.64s/%.32s", id,
                               node->members[i].alias);
    }
    json_decref(tx);
}

/* A revocation by another member, which waits in our pool as the sequencer: it counts from now.
 * What is past its not_after is on the ledger, or never will be. */
static void hold_revocation(struct node *node, const struct ledger_engine_event *event)
{
    struct node_revocation *r, **at = &node->revocations;
    int64_t now = base_clock_unix_ms(node->config.clock);

    if (event->outcome->verdict != LEDGER_OK || event->outcome->type == NULL ||
        strstr(event->outcome->type, ".revoke") == NULL)
        return;
    while ((r = *at) != NULL) {
        if (r->until_ms < now) {
            *at = r->next;
            free(r);
        } else {
            at = &r->next;
        }
    }
    r = calloc(1, sizeof *r);
    if (r == NULL) {
        (void)base_err_memory(&node->fault, "revocation");
        return;
    }
    note_revocation(node, r->revokes, event->tx, event->tx_len);
    r->until_ms = now + NODE_REVOCATION_MS;
    r->next = node->revocations;
    node->revocations = r;
    node->revocation_noted = true;
}

/* It is final: from here on the state says whether it holds, and a newer permission may stand in
 * its place. */
static void let_go_of_revocation(struct node *node, const struct ledger_entry *entry)
{
    struct node_revocation *r, **at = &node->revocations;
    char key[NODE_REVOKES] = "";

    note_revocation(node, key, entry->payload.p, entry->payload.len);
    while ((r = *at) != NULL) {
        if (strcmp(r->revokes, key) == 0) {
            *at = r->next;
            free(r);
        } else {
            at = &r->next;
        }
    }
}

void node_revocations_free(struct node *node)
{
    while (node->revocations != NULL) {
        struct node_revocation *r = node->revocations;
        node->revocations = r->next;
        free(r);
    }
}

static void engine_event(void *ctx, const struct ledger_engine_event *event)
{
    struct node *node = ctx;

    switch (event->kind) {
    case LEDGER_ENGINE_FINAL:
        node->final_moved = true;
        node->counts.blocks += event->height - node->final_height;
        node->final_height = event->height;
        node->final_size = event->size;
        break;
    case LEDGER_ENGINE_RESULT:
        note_result(node, event);
        break;
    case LEDGER_ENGINE_WAITING:
        hold_revocation(node, event);
        break;
    case LEDGER_ENGINE_FORKED:
        (void)base_err_set(&node->fault, FM_E_CONFLICT, "%s", event->text);
        node_log_put(node->config.log, "error", "ledger.fork", NULL, "%s", event->text);
        break;
    case LEDGER_ENGINE_EPOCH:
    case LEDGER_ENGINE_HANDOVER:
    case LEDGER_ENGINE_BEHIND:
    case LEDGER_ENGINE_HEARD:
        node_log_peer(node->config.log, "info", "ledger", event->alias, NULL, "%s", event->text);
        break;
    case LEDGER_ENGINE_ACCUSED:
    case LEDGER_ENGINE_SILENT:
    case LEDGER_ENGINE_SKEW:
        node_log_peer(node->config.log, "warn", "ledger", event->alias, NULL, "%s", event->text);
        break;
    }
}

fm_status node_engine_open(struct node *node, struct base_err *err)
{
    struct ledger_engine_callbacks callbacks = {engine_cosign, engine_sign, engine_send,
                                                engine_event,  node,        NULL};
    struct ledger_engine_params params = ledger_engine_defaults();
    struct base_err none = {0};

    bool comet;

    params.interval_ms = node->config.home.block_interval_ms;
    if (node_comet_asked(node, &comet, err) != FM_OK)
        return err->code;
    if (comet)
        node_comet_prepare(node, &callbacks, &params);
    if (ledger_engine_new(&node->engine, node->chain, node->config.home.alias, &callbacks, &params,
                          err) != FM_OK)
        return err->code;
    if (ledger_reader_final(ledger_chain_reader(node->chain), &node->final_size,
                            &node->final_height, NULL, &none) != FM_OK)
        node->final_size = node->final_height = 0;
    node->seen_leaf = node->final_size;
    node_rules_watch(node);
    if (node->fault.code != FM_OK)
        *err = node->fault;
    return node->fault.code;
}

/* ---- submissions ---- */

/* While we are suspended nobody would take it from us, but for a change of our own document, which
 * the channels' last moments may still carry. */
static fm_status node_may_send(struct node *node, const void *tx, size_t len, struct base_err *err)
{
    const struct node_member *own = node_member_named(node, node->config.home.alias);
    const char *type;
    json_t *json;
    bool refused;

    if (own == NULL || own->active)
        return FM_OK;
    if (base_json_parse(&json, tx, len, err) != FM_OK)
        return err->code;
    type = json_string_value(json_object_get(json, "type"));
    refused = type == NULL || strncmp(type, "did.", 4) != 0;
    json_decref(json);
    return refused ? base_err_set(err, FM_E_REFUSED,
                                  "member.suspended: %s is suspended: the other members vote to "
                                  "reinstate it",
                                  own->alias)
                   : FM_OK;
}

fm_status node_submit(struct node *node, uint8_t id32[32], const void *tx, size_t len,
                      void (*done)(struct node *, void *, const struct ledger_outcome *, uint64_t),
                      void *ctx, struct base_err *err)
{
    struct node_submission *s;
    struct ledger_outcome expected = {0};
    struct base_err below = {0};
    fm_status st = node_may_send(node, tx, len, err);

    if (st != FM_OK)
        return st;
    s = calloc(1, sizeof *s);
    if (s == NULL)
        return base_err_memory(err, "transaction");
    st = ledger_engine_submit(node->engine, &expected, tx, len, node_now(node), &below);
    if (st == FM_E_REFUSED) {
        free(s);
        return base_err_set(err, FM_E_REFUSED, "%s: %s", ledger_rule_code(expected.rule),
                            expected.detail);
    }
    if (st != FM_OK && st != FM_E_CONFLICT) {
        free(s);
        *err = below;
        return st;
    }
    memcpy(s->id, expected.id, 32);
    memcpy(id32, expected.id, 32);
    s->done = done;
    s->ctx = ctx;
    s->since_ms = base_clock_mono_ms(node->config.clock);
    s->next = node->submissions;
    node->submissions = s;
    if (expected.verdict == LEDGER_OK)
        note_revocation(node, s->revokes, tx, len);
    if (s->revokes[0] != '\0')
        node_query_recheck(node);
    return FM_OK;
}

fm_status node_build_tx(struct node *node, struct base_buf *bytes, uint8_t id32[32],
                        enum ledger_tx_type type, json_t *body, struct base_err *err)
{
    int64_t now = base_clock_unix_ms(node->config.clock);
    json_t *tx = NULL;
    fm_status st = body != NULL ? FM_OK : base_err_memory(err, "transaction");

    if (st == FM_OK)
        st = ledger_tx_build(&tx, node->chain_id, type, node->did, now + TX_LIFE_MS, body, err);
    if (st == FM_OK)
        st = ledger_tx_id(id32, tx, err);
    if (st == FM_OK)
        st = ledger_tx_sign(tx, node->config.assertion, now / 1000, err);
    if (st == FM_OK)
        st = base_json_canonical(bytes, tx, err);
    json_decref(tx);
    json_decref(body);
    return st;
}

fm_status
node_submit_body(struct node *node, uint8_t id32[32], enum ledger_tx_type type, json_t *body,
                 void (*done)(struct node *, void *, const struct ledger_outcome *, uint64_t),
                 void *ctx, struct base_err *err)
{
    struct base_buf bytes = {0};
    fm_status st = node_build_tx(node, &bytes, id32, type, body, err);

    if (st == FM_OK)
        st = node_submit(node, id32, bytes.p, bytes.len, done, ctx, err);
    base_buf_release(&bytes);
    return st;
}

void node_forget_submissions(struct node *node, const void *ctx)
{
    for (struct node_submission *s = node->submissions; s != NULL; s = s->next)
        if (s->ctx == ctx) {
            s->ctx = NULL;
            s->done = NULL;
        }
}

static void count_result(struct node *node, const struct node_submission *s,
                         const struct ledger_outcome *outcome)
{
    count_add(&node->counts.sent,
              outcome->verdict == LEDGER_OK        ? "ok"
              : outcome->verdict == LEDGER_REFUSED ? "refused"
                                                   : "dropped",
              "");
    if (outcome->verdict != LEDGER_DROPPED)
        count_time(&node->counts.finality,
                   (double)(base_clock_mono_ms(node->config.clock) - s->since_ms));
}

static void answer_submissions(struct node *node, const struct node_result *result)
{
    struct node_submission **at = &node->submissions;

    while (*at != NULL) {
        struct node_submission *s = *at;
        if (memcmp(s->id, result->id, 32) != 0) {
            at = &s->next;
            continue;
        }
        *at = s->next;
        count_result(node, s, &result->outcome);
        if (s->done != NULL)
            s->done(node, s->ctx, &result->outcome, result->height);
        free(s);
    }
}

/* ---- what became final ---- */

/* Entries are gathered first and acted upon afterwards, because acting may write to the ledger's
 * file. */
struct gathered {
    struct node_counts *counts;
    struct ledger_entry *entries;
    size_t count, cap;
    uint64_t end;
};

static fm_status gather(void *ctx, struct ledger_entry *entry, struct base_err *err)
{
    struct gathered *g = ctx;

    if (entry->leaf >= g->end)
        return base_err_set(err, FM_E_CANCELLED, "beyond what is final");
    if (!entry->is_block)
        count_add(&g->counts->transactions, entry->type, entry->rule);
    /* What has no payload any more was over long ago: this node began with a snapshot. */
    if (entry->is_block || entry->erased || entry->rule[0] != '\0')
        return FM_OK;
    if (g->count == g->cap) {
        size_t cap = g->cap == 0 ? 16 : 2 * g->cap;
        struct ledger_entry *p = realloc(g->entries, cap * sizeof *p);
        if (p == NULL)
            return base_err_memory(err, "ledger entries");
        g->entries = p;
        g->cap = cap;
    }
    g->entries[g->count++] = *entry; /* takes the buffers over */
    entry->payload = (struct base_buf){0};
    entry->summary = (struct base_buf){0};
    return FM_OK;
}

static void act_on(struct node *node, const struct ledger_entry *entry)
{
    if (strcmp(entry->type, "query.open") == 0)
        node_query_opened(node, entry);
    else if (strcmp(entry->type, "query.close") == 0)
        node_query_closed(node, entry);
    else if (strcmp(entry->type, "consent.revoke") == 0 ||
             strcmp(entry->type, "authorization.revoke") == 0)
        let_go_of_revocation(node, entry);
    else if (strncmp(entry->type, "member.", 7) == 0 || strncmp(entry->type, "did.", 4) == 0)
        node->members_moved = true;
}

static void act_on_final(struct node *node)
{
    struct gathered g = {.counts = &node->counts, .end = node->final_size};
    struct base_err err = {0};
    fm_status st =
        ledger_reader_entries(ledger_chain_reader(node->chain), node->seen_leaf, gather, &g, &err);

    if (st == FM_OK || st == FM_E_CANCELLED)
        node->seen_leaf = node->final_size;
    else
        node_step_error(node, "reading the final entries", &err);
    for (size_t i = 0; i < g.count; i++) {
        act_on(node, &g.entries[i]);
        ledger_entry_release(&g.entries[i]);
    }
    free(g.entries);
    node_rules_watch(node);
    if (node->members_moved) {
        node->members_moved = false;
        if (node_members_load(node, &err) != FM_OK) {
            node_step_error(node, "reading the members", &err);
            if (node->fault.code == FM_OK) /* with yesterday's members it would trust the wrong */
                node->fault = err;
        }
        if (node->net != NULL && node_peers_set(node, &err) != FM_OK)
            node_step_error(node, "taking over the members", &err);
    }
}

/* Running queries are held against every new block, final or not: nobody opens a result on an
 * authority that its own replica has seen withdrawn. */
static bool recheck_at_head(struct node *node)
{
    struct ledger_engine_status s;

    ledger_engine_status(node->engine, &s);
    if (s.size == node->seen_size && !node->revocation_noted)
        return false;
    node->revocation_noted = false;
    node->seen_size = s.size;
    node_query_recheck(node);
    return true;
}

void node_settle(struct node *node)
{
    /* Acting may step the engine again, which may note more. */
    while (recheck_at_head(node) || node->final_moved || node->results != NULL) {
        if (node->final_moved) {
            node->final_moved = false;
            act_on_final(node);
        }
        while (node->results != NULL) {
            struct node_result *result = node->results;
            node->results = result->next;
            answer_submissions(node, result);
            free(result);
        }
    }
}

/* A peer's nonsense is logged; what the disk or memory does to us stops the node. */
void node_step_error(struct node *node, const char *what, const struct base_err *err)
{
    bool world = err->code == FM_E_IO || err->code == FM_E_CORRUPT || err->code == FM_E_MEMORY;

    node_log_put(node->config.log, world ? "error" : "warn", "node", NULL, "%s: %s", what,
                 err->text);
    if (world && node->fault.code == FM_OK)
        node->fault = *err;
    if (err->code == FM_E_UNSUPPORTED)
        node_rules_watch(node);
}
