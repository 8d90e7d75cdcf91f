#include "exchange/session/session_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "exchange/session/receipt.h"

/* How long a session waits in each state for the others, beyond what query.open's deadline allows.
 */
static const int64_t patience_ms[SESSION_STATES] = {
    [SESSION_INVITED] = 15000,  [SESSION_PREPARING] = INT64_MAX / 4,
    [SESSION_READY] = 15000,    [SESSION_RUNNING] = INT64_MAX / 4,
    [SESSION_SETTLING] = 15000, [SESSION_CLOSING] = 30000,
};

static const char *const state_names[SESSION_STATES] = {
    [SESSION_INVITED] = "invited", [SESSION_PREPARING] = "preparing", [SESSION_READY] = "ready",
    [SESSION_RUNNING] = "running", [SESSION_SETTLING] = "settling",   [SESSION_CLOSING] = "closing",
    [SESSION_DONE] = "done",       [SESSION_FAILED] = "failed",
};

const char *session_state_name(enum session_state state)
{
    return state_names[state];
}

const struct session_facts *session_get_facts(const struct session *s)
{
    return &s->facts;
}

enum session_state session_get_state(const struct session *s)
{
    return s->state;
}

void session_set_context(struct session *s, void *context)
{
    s->context = context;
}

void *session_get_context(const struct session *s)
{
    return s->context;
}

const char *session_alias(const struct session *s, unsigned party)
{
    return s->facts.parties[party].alias;
}

bool session_is_asker(const struct session *s)
{
    return s->facts.self == s->facts.asker;
}

bool session_is_over(const struct session *s)
{
    return s->state == SESSION_DONE || s->state == SESSION_FAILED;
}

bool session_may_have_shared(const struct session *s)
{
    return s->started || s->started_before;
}

void session_enter(struct session *s, enum session_state state, int64_t now_ms)
{
    int64_t until = now_ms + patience_ms[state];

    s->state = state;
    /* Up to the end of the computation the ledger's deadline rules; settling what was computed may
     * take longer. */
    if (state <= SESSION_RUNNING && until > s->facts.deadline_ms)
        until = s->facts.deadline_ms;
    /* A provider that does not compute has done its part long before the others: until the asker
     * shows a receipt they may be computing, for as long as the ledger allows. */
    if (state == SESSION_SETTLING && !session_is_asker(s) && until < s->facts.deadline_ms)
        until = s->facts.deadline_ms + patience_ms[state];
    s->until_ms = until;
}

fm_status session_new(struct session **out, const struct session_facts *facts,
                      const struct session_host *host, int64_t now_ms, struct base_err *err)
{
    struct session *s = calloc(1, sizeof *s);

    *out = NULL;
    if (s == NULL)
        return base_err_memory(err, "session");
    assert(facts->party_count >= 2 && facts->party_count <= SESSION_MAX_PARTIES);
    assert(facts->self < facts->party_count && facts->asker < facts->party_count);
    s->facts = *facts;
    s->host = *host;
    atomic_init(&s->may_open, true);
    session_enter(s, SESSION_INVITED, now_ms);
    *out = s;
    return FM_OK;
}

void session_free(struct session *s)
{
    if (s == NULL)
        return;
    for (unsigned i = 0; i < SESSION_MAX_PARTIES; i++) {
        json_decref(s->ready[i]);
        json_decref(s->parts[i]);
        json_decref(s->proofs[i]);
    }
    json_decref(s->receipt);
    free(s);
}

bool session_signed_done(const struct session *s)
{
    return s->signed_done;
}

unsigned session_place_of(const struct session *s, unsigned party)
{
    return s->places[party];
}

bool session_ready_of(const struct session *s, unsigned party)
{
    return s->ready[party] != NULL;
}

bool session_may_open(const struct session *s)
{
    return atomic_load(&s->may_open);
}

/* ---- sending ---- */

json_t *session_message(const struct session *s, const char *kind)
{
    char query[65];

    base_hex(query, s->facts.query, 32);
    return json_pack("{s:s,s:s,s:i}", "m", kind, "q", query, "a", s->facts.attempt);
}

void session_send(struct session *s, unsigned to, const char *kind, const char *member,
                  const json_t *value)
{
    json_t *m = session_message(s, kind);

    if (m != NULL &&
        (member == NULL || json_object_set(m, member, (json_t *)(uintptr_t)value) == 0))
        s->host.send(s->host.ctx, s, to, m);
    json_decref(m);
}

void session_send_all(struct session *s, const char *kind, const char *member, const json_t *value)
{
    for (unsigned i = 0; i < s->facts.party_count; i++)
        if (i != s->facts.self)
            session_send(s, i, kind, member, value);
}

/* ---- ends ---- */

void session_finish(struct session *s, enum session_state state)
{
    s->state = state;
    s->host.finished(s->host.ctx, s, &s->why);
}

static void tell_refusal(struct session *s)
{
    json_t *m = session_message(s, "refuse");

    if (m != NULL) {
        (void)json_object_set_new(m, "outcome", json_string(s->outcome));
        if (s->rule != NULL)
            (void)json_object_set_new(m, "rule", json_string(s->rule));
        if (s->blamed[0] != '\0')
            (void)json_object_set_new(m, "party", json_string(s->blamed));
        for (unsigned i = 0; i < s->facts.party_count; i++)
            if (i != s->facts.self)
                s->host.send(s->host.ctx, s, i, m);
    }
    json_decref(m);
}

/* A party other than the asker states on the ledger how the query ended for it. */
static void file_own_receipt(struct session *s)
{
    struct base_err err = {0};
    json_t *receipt, *proof;

    if (receipt_failed(&receipt, &s->facts, strcmp(s->outcome, "refused") == 0, s->rule,
                       s->blamed[0] != '\0' ? s->blamed : NULL, session_may_have_shared(s),
                       &err) != FM_OK)
        return;
    if (s->host.prove(s->host.ctx, receipt, &proof, &err) == FM_OK &&
        json_object_set_new(receipt, "proof", proof) == 0)
        (void)!s->host.submit(s->host.ctx, s, "query.receipt", receipt, &err);
    json_decref(receipt);
}

/* A party that signed "done" and saw no close files what it signed, under its own name: it must not
 * be counted among those who filed nothing because the asker keeps the proofs to itself. */
static void file_signed_receipt(struct session *s)
{
    struct base_err err = {0};
    json_t *receipt;

    if (session_is_asker(s) || s->receipt == NULL || s->proofs[s->facts.self] == NULL)
        return;
    receipt = json_copy(s->receipt);
    if (receipt != NULL && json_object_set(receipt, "proof", s->proofs[s->facts.self]) == 0)
        (void)!s->host.submit(s->host.ctx, s, "query.receipt", receipt, &err);
    json_decref(receipt);
}

/* Closed list of words that rules and reasons come from; a peer's text never reaches a receipt as
 * it is. */
static const char *known_rule(const char *rule)
{
    static const char *const words[] = {
        "node.policy",
        "node.plan",
        "node.data",
        "node.busy",
        "node.memory",
        "node.failed",
        "node.stopped",
        "node.timeout",
        "node.peer",
        "node.opening",
        "consent.subject",
        "consent.revoked",
        "authorization.revoked",
        "member.suspended",
        "contract.plan",
        "parameter.opening",
        "dataset.changed",
        "key.rotated",
        "node.key",
        "receipt.mismatch",
        "asker.cancelled",
    };

    for (size_t i = 0; rule != NULL && i < sizeof words / sizeof words[0]; i++)
        if (strcmp(rule, words[i]) == 0)
            return words[i];
    return "node.failed";
}

void session_fail(struct session *s, const char *outcome, const char *rule, int blamed,
                  const struct base_err *why, int64_t now_ms)
{
    if (session_is_over(s) || s->failed || s->state == SESSION_CLOSING)
        return;
    s->failed = true;
    s->outcome = strcmp(outcome, "refused") == 0 ? "refused" : "aborted";
    s->rule = known_rule(rule);
    if (blamed >= 0)
        memcpy(s->blamed, session_alias(s, (unsigned)blamed), sizeof s->blamed);
    s->why = *why;
    atomic_store(&s->may_open, false);
    s->host.stop(s->host.ctx, s, s->rule);
    tell_refusal(s);
    if (session_is_asker(s)) {
        session_settle_failed(s, now_ms);
        return;
    }
    file_own_receipt(s);
    session_finish(s, SESSION_FAILED);
}

void session_fail_peer(struct session *s, unsigned party, const char *rule, struct base_err *err,
                       int64_t now_ms)
{
    (void)base_err_prefix(err, "%s", session_alias(s, party));
    err->code = FM_E_PEER;
    session_fail(s, "aborted", rule, (int)party, err, now_ms);
}

/* ---- events that any state may meet ---- */

void session_on_worker_failed(struct session *s, const struct base_err *why, const char *party,
                              int64_t now_ms)
{
    int blamed = (int)s->facts.self;

    s->worker_ended = true;
    for (unsigned i = 0; party != NULL && i < s->facts.party_count; i++)
        if (strcmp(session_alias(s, i), party) == 0)
            blamed = (int)i;
    session_fail(s, "aborted", blamed == (int)s->facts.self ? "node.failed" : "node.peer", blamed,
                 why, now_ms);
}

void session_on_peer_down(struct session *s, unsigned party, const char *why, int64_t now_ms)
{
    struct base_err err = {0};

    (void)base_err_set(&err, FM_E_PEER, "%s", why);
    session_fail_peer(s, party, "node.peer", &err, now_ms);
}

void session_on_revoked(struct session *s, const char *rule, int64_t now_ms)
{
    struct base_err err = {0};

    atomic_store(&s->may_open, false);
    /* A compute party whose computation is done has opened its part, under an authority that held
     * until then: to call the query refused now would be untrue. */
    if (s->state > SESSION_RUNNING &&
        (s->facts.parties[s->facts.self].roles & SESSION_COMPUTE) != 0)
        return;
    (void)base_err_set(&err, FM_E_REFUSED, "%s: what this query rests on no longer holds", rule);
    session_fail(s, "refused", rule, (int)s->facts.self, &err, now_ms);
}

void session_on_cancel(struct session *s, const char *why, int64_t now_ms)
{
    struct base_err err = {0};

    (void)base_err_set(&err, FM_E_CANCELLED, "%s", why);
    session_fail(s, "aborted", session_is_asker(s) ? "asker.cancelled" : "node.stopped",
                 (int)s->facts.self, &err, now_ms);
}

void session_on_restarted(struct session *s, bool started_before, int64_t now_ms)
{
    struct base_err err = {0};

    s->started_before = started_before;
    (void)base_err_set(&err, FM_E_CANCELLED, "this node was restarted while the query was open");
    session_fail(s, "aborted", session_is_asker(s) ? "asker.cancelled" : "node.stopped",
                 (int)s->facts.self, &err, now_ms);
}

void session_on_closed(struct session *s, const char *outcome, const char *rule, const char *party,
                       int64_t now_ms)
{
    struct base_err err = {0};

    (void)now_ms;
    if (session_is_over(s))
        return;
    if (strcmp(outcome, "done") == 0 && !s->failed) {
        base_err_clear(&s->why);
        session_finish(s, SESSION_DONE);
        return;
    }
    if (!s->failed) {
        (void)base_err_set(&err, FM_E_PEER, "closed as %s (%s%s%s)", outcome,
                           rule != NULL ? rule : "no rule named", party != NULL ? ", by " : "",
                           party != NULL ? party : "");
        s->why = err;
        s->failed = true;
        atomic_store(&s->may_open, false);
        s->host.stop(s->host.ctx, s, "closed");
    }
    session_finish(s, SESSION_FAILED);
}

/* Who has not yet sent what this state waits for; -1 if that is nobody in particular. */
static int who_is_missing(const struct session *s)
{
    json_t *const *list = NULL;

    if (s->state == SESSION_INVITED)
        return session_is_asker(s) ? -1 : (int)s->facts.asker;
    if (s->state == SESSION_PREPARING)
        return (int)s->facts.self;
    if (s->state == SESSION_READY)
        list = s->ready;
    else if (s->state == SESSION_SETTLING && session_is_asker(s))
        list = s->receipt == NULL ? s->parts : s->proofs;
    else if (s->state == SESSION_SETTLING)
        return (int)s->facts.asker;
    for (unsigned i = 0; list != NULL && i < s->facts.party_count; i++)
        if (list[i] == NULL)
            return (int)i;
    return -1;
}

/* No close was final in time. The asker has everyone's signature under "done", but gives no answer
 * without a record: it says where the record will show up. */
static void close_in_vain(struct session *s, struct base_err *err)
{
    if (!s->failed && session_is_asker(s))
        (void)base_err_set(err, FM_E_TIMEOUT,
                           "time-out while closing: the answer was computed and everyone signed "
                           "the receipt, but it is not final on the ledger, and no answer is shown "
                           "without it; the receipt is on its way, and the query may still become "
                           "done: firmiana query answer then shows it");
    if (!s->failed)
        s->why = *err;
    s->failed = true;
    atomic_store(&s->may_open, false);
    file_signed_receipt(s);
    session_finish(s, SESSION_FAILED);
}

void session_on_tick(struct session *s, int64_t now_ms)
{
    struct base_err err = {0};
    int missing;

    if (session_is_over(s))
        return;
    if (s->state == SESSION_SETTLING && s->failed && now_ms >= s->again_ms)
        session_ask_again(s, now_ms);
    if (s->state == SESSION_PREPARING && now_ms >= s->wait_ms)
        session_tell_waiting(s, now_ms);
    if (now_ms < s->until_ms)
        return;
    if (s->state == SESSION_SETTLING && s->failed) {
        session_close_failed(s, now_ms);
        return;
    }
    missing = who_is_missing(s);
    (void)base_err_set(&err, FM_E_TIMEOUT, "time-out while %s%s%s", state_names[s->state],
                       missing >= 0 ? ": waited for " : "",
                       missing >= 0 ? session_alias(s, (unsigned)missing) : "");
    if (s->state == SESSION_CLOSING) {
        close_in_vain(s, &err);
        return;
    }
    session_fail(s, "aborted", "node.timeout", missing, &err, now_ms);
}

void session_check(const struct session *s)
{
    unsigned readies = 0;

    for (unsigned i = 0; i < s->facts.party_count; i++)
        readies += s->ready[i] != NULL;
    assert(!s->started || readies == s->facts.party_count);                     /* 1 */
    assert(s->start_calls <= 1);                                                /* 2 */
    assert(!s->signed_done || (s->worker_ended && s->parts[s->facts.self]));    /* 3 */
    assert(!s->signed_unshared || (s->start_calls == 0 && !s->started_before)); /* 4 */
    assert(!s->failed || !atomic_load(&s->may_open));                           /* 5 */
    assert(session_is_over(s) || s->until_ms > 0);                              /* 6 */
    (void)readies;
}
