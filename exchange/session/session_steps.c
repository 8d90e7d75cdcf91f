/* The way forward: openings, ready, start. And the table that gives each message to its handler. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "exchange/session/session_internal.h"

/* How often a party says that it is not ready yet; well below the others' patience. */
enum { WAIT_AGAIN_MS = 2000, MAX_PLACE = 1000 };

static fm_status own_ready(struct session *s, const json_t *inputs, json_t **out,
                           struct base_err *err)
{
    const struct session_facts *f = &s->facts;
    char query[65], chain[65], plan[65], descriptor[65];
    json_t *proof = NULL;

    base_hex(query, f->query, 32);
    base_hex(chain, f->chain, 32);
    base_hex(plan, f->plan_hash, 32);
    base_hex(descriptor, f->descriptor, 32);
    *out = json_pack("{s:s,s:s,s:s,s:i,s:s,s:I,s:s,s:O}", "type", "FirmianaReady", "chain", chain,
                     "query", query, "attempt", f->attempt, "plan_hash", plan, "height",
                     (json_int_t)f->height, "descriptor", descriptor, "inputs", inputs);
    if (*out == NULL)
        return base_err_memory(err, "ready");
    if (s->host.prove(s->host.ctx, *out, &proof, err) != FM_OK)
        return err->code;
    if (json_object_set_new(*out, "proof", proof) != 0)
        return base_err_memory(err, "ready");
    return FM_OK;
}

static void start_when_all_ready(struct session *s, int64_t now_ms)
{
    struct base_err err = {0};

    if (s->state != SESSION_READY)
        return;
    for (unsigned i = 0; i < s->facts.party_count; i++)
        if (s->ready[i] == NULL)
            return;
    session_enter(s, SESSION_RUNNING, now_ms);
    s->started = true;
    s->start_calls++;
    if (s->host.start(s->host.ctx, s, &err) != FM_OK)
        session_fail(s, "aborted", "node.failed", (int)s->facts.self, &err, now_ms);
}

static void not_prepared(struct session *s, const char *rule, const struct base_err *why,
                         int64_t now_ms)
{
    struct base_err err = *why;
    bool refused = why->code == FM_E_REFUSED;

    if (refused)
        (void)base_err_prefix(&err, "%s", rule);
    session_fail(s, refused ? "refused" : "aborted", refused ? rule : "node.failed",
                 (int)s->facts.self, &err, now_ms);
}

static void prepared(struct session *s, const json_t *inputs, int64_t now_ms)
{
    struct base_err err = {0};
    json_t *ready = NULL;

    if (own_ready(s, inputs, &ready, &err) != FM_OK) {
        json_decref(ready);
        not_prepared(s, NULL, &err, now_ms);
        return;
    }
    s->prepared = true;
    s->ready[s->facts.self] = ready;
    session_enter(s, SESSION_READY, now_ms);
    session_send_all(s, "ready", "ready", ready);
    start_when_all_ready(s, now_ms);
}

void session_on_prepared(struct session *s, const json_t *inputs, const char *rule,
                         const struct base_err *why, int64_t now_ms)
{
    if (s->state != SESSION_PREPARING)
        return;
    if (inputs != NULL)
        prepared(s, inputs, now_ms);
    else
        not_prepared(s, rule, why, now_ms);
}

void session_tell_waiting(struct session *s, int64_t now_ms)
{
    json_t *m = session_message(s, "wait");
    unsigned place = s->host.place(s->host.ctx, s);

    s->wait_ms = now_ms + WAIT_AGAIN_MS;
    s->places[s->facts.self] = place;
    if (m != NULL && json_object_set_new(m, "place", json_integer((json_int_t)place)) == 0)
        for (unsigned i = 0; i < s->facts.party_count; i++)
            if (i != s->facts.self)
                s->host.send(s->host.ctx, s, i, m);
    json_decref(m);
}

static void prepare(struct session *s, const json_t *openings, int64_t now_ms)
{
    struct base_err err = {0};
    const char *rule = "node.policy";
    json_t *inputs = NULL;

    session_enter(s, SESSION_PREPARING, now_ms);
    if (s->host.prepare(s->host.ctx, s, openings, &inputs, &rule, &err) != FM_OK)
        not_prepared(s, rule, &err, now_ms);
    else if (inputs != NULL)
        prepared(s, inputs, now_ms);
    else
        session_tell_waiting(s, now_ms);
    json_decref(inputs);
}

void session_on_openings(struct session *s, const json_t *openings, int64_t now_ms)
{
    if (s->state != SESSION_INVITED || !session_is_asker(s))
        return;
    session_send_all(s, "openings", "openings", openings);
    prepare(s, openings, now_ms);
}

static void take_openings(struct session *s, unsigned from, const json_t *value, int64_t now_ms)
{
    struct base_err err = {0};

    if (from != s->facts.asker || s->state != SESSION_INVITED || !json_is_object(value)) {
        (void)base_err_set(&err, FM_E_PEER,
                           "openings came from the wrong party or at the wrong time");
        session_fail_peer(s, from, "node.peer", &err, now_ms);
        return;
    }
    prepare(s, value, now_ms);
}

static fm_status member_is(const json_t *ready, const char *name, const uint8_t want[32],
                           struct base_err *err)
{
    uint8_t got[32];

    if (base_json_get_hex(got, 32, ready, name, err) != FM_OK)
        return err->code;
    if (memcmp(got, want, 32) != 0)
        return base_err_set(err, FM_E_PEER, "its ready names another %s", name);
    return FM_OK;
}

static fm_status check_ready(const struct session *s, unsigned from, const json_t *ready,
                             struct base_err *err)
{
    static const char *const names[] = {"type",   "chain",      "query",  "attempt", "plan_hash",
                                        "height", "descriptor", "inputs", "proof",   NULL};
    const struct session_facts *f = &s->facts;
    json_t *bare, *inputs;
    const char *type;
    int64_t attempt, height;
    fm_status st;

    if (base_json_only(ready, names, err) != FM_OK ||
        base_json_get_str(&type, ready, "type", err) != FM_OK ||
        base_json_get_int(&attempt, ready, "attempt", err) != FM_OK ||
        base_json_get_int(&height, ready, "height", err) != FM_OK ||
        base_json_get_array(&inputs, ready, "inputs", err) != FM_OK ||
        member_is(ready, "chain", f->chain, err) != FM_OK ||
        member_is(ready, "query", f->query, err) != FM_OK ||
        member_is(ready, "plan_hash", f->plan_hash, err) != FM_OK ||
        member_is(ready, "descriptor", f->descriptor, err) != FM_OK)
        return err->code;
    if (strcmp(type, "FirmianaReady") != 0 || attempt != f->attempt || height != (int64_t)f->height)
        return base_err_set(err, FM_E_PEER, "its ready is for another attempt or height");
    bare = json_copy((json_t *)(uintptr_t)ready);
    if (bare == NULL)
        return base_err_memory(err, "ready");
    (void)json_object_del(bare, "proof");
    st = s->host.check_proof(s->host.ctx, session_alias(s, from), bare,
                             json_object_get(ready, "proof"), err);
    json_decref(bare);
    return st;
}

static void take_ready(struct session *s, unsigned from, const json_t *ready, int64_t now_ms)
{
    struct base_err err = {0};

    if (s->ready[from] != NULL || s->state > SESSION_READY) {
        (void)base_err_set(&err, FM_E_PEER, "sent ready twice");
        session_fail_peer(s, from, "node.peer", &err, now_ms);
        return;
    }
    if (check_ready(s, from, ready, &err) != FM_OK) {
        session_fail_peer(s, from, "node.peer", &err, now_ms);
        return;
    }
    s->ready[from] = json_incref((json_t *)(uintptr_t)ready);
    start_when_all_ready(s, now_ms);
}

/* That party is alive and will be ready, or will say no: READY's patience begins anew. */
static void take_wait(struct session *s, unsigned from, const json_t *message, int64_t now_ms)
{
    json_int_t place = json_integer_value(json_object_get(message, "place"));

    if (s->state > SESSION_READY || s->ready[from] != NULL)
        return;
    s->places[from] = place < 0 ? 0 : place > MAX_PLACE ? MAX_PLACE : (unsigned)place;
    if (s->state == SESSION_READY)
        session_enter(s, SESSION_READY, now_ms);
}

static void take_refusal(struct session *s, unsigned from, const json_t *message, int64_t now_ms)
{
    const char *outcome = json_string_value(json_object_get(message, "outcome"));
    const char *rule = json_string_value(json_object_get(message, "rule"));
    const char *party = json_string_value(json_object_get(message, "party"));
    struct base_err err = {0};
    bool refused = outcome != NULL && strcmp(outcome, "refused") == 0;
    char what[64];
    int blamed = (int)from;

    /* That this party itself left, it knows better: then whoever says so ended the query. */
    for (unsigned i = 0; party != NULL && i < s->facts.party_count; i++)
        if (i != s->facts.self && strcmp(party, session_alias(s, i)) == 0)
            blamed = (int)i;
    const char *teller = session_alias(s, from), *who = session_alias(s, (unsigned)blamed);
    bool hearsay = blamed != (int)from;

    (void)snprintf(what, sizeof what, "%.40s", rule != NULL ? rule : "no rule named");
    if (blamed == (int)s->facts.asker && rule != NULL && strcmp(rule, "asker.cancelled") == 0)
        (void)base_err_set(&err, FM_E_CANCELLED, "cancelled by %s%s%s", who,
                           hearsay ? ", says " : "", hearsay ? teller : "");
    else if (refused)
        /* Whoever hears of a refusal first passes it on: the one that refused is named first either
         * way. */
        (void)base_err_set(&err, FM_E_REFUSED, "%s refused the query: %s%s%s", who, what,
                           hearsay ? ", says " : "", hearsay ? teller : "");
    else
        (void)base_err_set(&err, FM_E_PEER, "%s aborted the query: %s%s%s", teller, what,
                           hearsay ? ", because of " : "", hearsay ? who : "");
    session_fail(s, refused ? "refused" : "aborted", rule, blamed, &err, now_ms);
}

void session_on_worker_done(struct session *s, const json_t *part, int64_t now_ms)
{
    s->worker_ended = true;
    if (s->state != SESSION_RUNNING)
        return;
    s->parts[s->facts.self] = json_incref((json_t *)(uintptr_t)part);
    session_enter(s, SESSION_SETTLING, now_ms);
    session_settle_begin(s, now_ms);
}

typedef void (*message_handler)(struct session *, unsigned, const json_t *, int64_t);

static const struct {
    const char *kind;
    const char *member; /* NULL: the handler gets the whole message */
    message_handler handle;
} handlers[] = {
    {"openings", "openings", take_openings},
    {"ready", "ready", take_ready},
    {"wait", NULL, take_wait},
    {"refuse", NULL, take_refusal},
    {"part", "part", session_take_part},
    {"receipt", "receipt", session_take_receipt},
    {"proof", "proof", session_take_proof},
};

void session_on_message(struct session *s, unsigned from, const json_t *message, int64_t now_ms)
{
    const char *kind = json_string_value(json_object_get(message, "m"));
    const json_t *attempt = json_object_get(message, "a");
    struct base_err err = {0};

    assert(from < s->facts.party_count && from != s->facts.self);
    if (json_is_integer(attempt) && json_integer_value(attempt) != s->facts.attempt)
        return; /* of another attempt's life */
    /* A failed party answers one thing only: an honest receipt of a query that shared nothing. */
    if (s->state == SESSION_DONE ||
        (s->state == SESSION_FAILED && (kind == NULL || strcmp(kind, "receipt") != 0)))
        return;
    for (size_t i = 0;
         kind != NULL && json_is_integer(attempt) && i < sizeof handlers / sizeof handlers[0];
         i++) {
        const json_t *value;
        if (strcmp(handlers[i].kind, kind) != 0)
            continue;
        value = handlers[i].member != NULL ? json_object_get(message, handlers[i].member) : message;
        if (!json_is_object(value))
            break;
        handlers[i].handle(s, from, value, now_ms);
        return;
    }
    (void)base_err_set(&err, FM_E_PEER, "sent a malformed session message");
    session_fail_peer(s, from, "node.peer", &err, now_ms);
}
