/* Receipts: parts come together at the asker, everyone signs what it saw, the asker closes the
 * query. */
#include <string.h>

#include "exchange/session/receipt.h"
#include "exchange/session/session_internal.h"

/* How long a refund's proofs are waited for, and how often they are asked for meanwhile: a channel
 * that broke, which may be why the query failed, takes a moment to come back. */
enum { REFUND_PATIENCE_MS = 2000, REFUND_AGAIN_MS = 250 };

static unsigned count(json_t *const *list, unsigned n)
{
    unsigned got = 0;

    for (unsigned i = 0; i < n; i++)
        got += list[i] != NULL;
    return got;
}

/* query.close with every proof there is, in party order. */
static void submit_close(struct session *s, int64_t now_ms)
{
    struct base_err err = {0};
    json_t *closed = json_copy(s->receipt);

    session_enter(s, SESSION_CLOSING, now_ms);
    if (closed == NULL)
        (void)base_err_memory(&err, "receipt");
    else if (receipt_add_proofs(closed, s->proofs, s->facts.party_count, &err) == FM_OK)
        (void)!s->host.submit(s->host.ctx, s, "query.close", closed, &err);
    json_decref(closed);
    if (err.code != FM_OK) {
        if (!s->failed) {
            (void)base_err_prefix(&err, "everyone signed the receipt, but query.close cannot be "
                                        "sent, and no answer is shown without it");
            s->why = err;
        }
        s->failed = true;
        atomic_store(&s->may_open, false);
        session_finish(s, SESSION_FAILED);
    }
}

/* Asker: its own proof, then everyone is asked for theirs. */
static void ask_for_proofs(struct session *s, int64_t now_ms)
{
    struct base_err err = {0};
    json_t *proof;

    if (s->host.prove(s->host.ctx, s->receipt, &proof, &err) != FM_OK) {
        session_fail(s, "aborted", "node.failed", (int)s->facts.self, &err, now_ms);
        return;
    }
    s->proofs[s->facts.self] = proof;
    session_send_all(s, "receipt", "receipt", s->receipt);
}

static void merge_when_all_parts(struct session *s, int64_t now_ms)
{
    struct base_err err = {0};

    if (s->state != SESSION_SETTLING || s->receipt != NULL ||
        count(s->parts, s->facts.party_count) < s->facts.party_count)
        return;
    if (receipt_merge(&s->receipt, &s->facts, s->parts, &err) != FM_OK) {
        session_fail(s, "aborted", "receipt.mismatch", -1, &err, now_ms);
        return;
    }
    s->signed_done = true;
    ask_for_proofs(s, now_ms);
}

void session_settle_begin(struct session *s, int64_t now_ms)
{
    if (session_is_asker(s))
        merge_when_all_parts(s, now_ms);
    else
        session_send(s, s->facts.asker, "part", "part", s->parts[s->facts.self]);
}

void session_take_part(struct session *s, unsigned from, const json_t *part, int64_t now_ms)
{
    struct base_err err = {0};

    if (s->failed)
        return;
    if (!session_is_asker(s) || s->parts[from] != NULL || s->state < SESSION_READY) {
        (void)base_err_set(&err, FM_E_PEER, "sent a part at the wrong time or place");
        session_fail_peer(s, from, "node.peer", &err, now_ms);
        return;
    }
    if (receipt_check_part(&s->facts, from, part, &err) != FM_OK) {
        session_fail_peer(s, from, "receipt.mismatch", &err, now_ms);
        return;
    }
    s->parts[from] = json_incref((json_t *)(uintptr_t)part);
    merge_when_all_parts(s, now_ms);
}

/* ---- the others: sign what is true, and nothing else ---- */

/* A query that failed before this node shared anything: it may say so, which gives the subject's
 * consent back. */
static fm_status check_unshared(const struct session *s, const json_t *receipt,
                                struct base_err *err)
{
    enum ledger_outcome_kind outcome;
    bool shared;

    if (receipt_is_of(&s->facts, receipt, &outcome, &shared, err) != FM_OK)
        return err->code;
    if (outcome == LEDGER_RECEIPT_DONE || shared || session_may_have_shared(s))
        return base_err_set(err, FM_E_PEER, "shares may have moved");
    return FM_OK;
}

/* *kept, unless kept is NULL: a reference to the proof that was sent. */
static void answer_with_proof(struct session *s, const json_t *receipt, json_t **kept)
{
    struct base_err err = {0};
    json_t *proof;

    if (s->host.prove(s->host.ctx, receipt, &proof, &err) != FM_OK)
        return; /* The asker's time-out names this node. */
    session_send(s, s->facts.asker, "proof", "proof", proof);
    if (kept != NULL)
        *kept = json_incref(proof);
    json_decref(proof);
}

void session_take_receipt(struct session *s, unsigned from, const json_t *receipt, int64_t now_ms)
{
    struct base_err err = {0};
    const char *outcome = json_string_value(json_object_get(receipt, "outcome"));

    /* One that carries proofs already is none that this party is to prove. */
    if (from != s->facts.asker || outcome == NULL || json_object_get(receipt, "proof") != NULL)
        return;
    if (strcmp(outcome, "done") != 0) {
        if (check_unshared(s, receipt, &err) != FM_OK)
            return;
        if (s->state != SESSION_FAILED) { /* its refusal was lost with a broken channel */
            (void)base_err_set(&err, FM_E_PEER, "gave the query up");
            session_fail_peer(s, from, "node.peer", &err, now_ms);
        }
        s->signed_unshared = true;
        answer_with_proof(s, receipt, NULL);
        return;
    }
    if (s->state != SESSION_SETTLING || s->signed_done)
        return;
    if (receipt_holds_part(&s->facts, receipt, s->parts[s->facts.self], &err) != FM_OK) {
        session_fail_peer(s, from, "receipt.mismatch", &err, now_ms);
        return;
    }
    s->signed_done = true;
    s->receipt = json_incref((json_t *)(uintptr_t)receipt);
    answer_with_proof(s, receipt, &s->proofs[s->facts.self]);
    session_enter(s, SESSION_CLOSING, now_ms);
}

void session_take_proof(struct session *s, unsigned from, const json_t *proof, int64_t now_ms)
{
    struct base_err err = {0};

    if (!session_is_asker(s) || s->state != SESSION_SETTLING || s->receipt == NULL ||
        s->proofs[from] != NULL)
        return;
    if (s->host.check_proof(s->host.ctx, session_alias(s, from), s->receipt, proof, &err) !=
        FM_OK) {
        if (!s->failed)
            session_fail_peer(s, from, "receipt.mismatch", &err, now_ms);
        return;
    }
    s->proofs[from] = json_incref((json_t *)(uintptr_t)proof);
    if (count(s->proofs, s->facts.party_count) == s->facts.party_count)
        submit_close(s, now_ms);
}

/* ---- the asker, when the query failed ---- */

void session_settle_failed(struct session *s, int64_t now_ms)
{
    struct base_err err = {0};

    json_decref(s->receipt);
    s->receipt = NULL;
    for (unsigned i = 0; i < SESSION_MAX_PARTIES; i++) {
        json_decref(s->proofs[i]);
        s->proofs[i] = NULL;
    }
    session_enter(s, SESSION_SETTLING, now_ms);
    s->until_ms = now_ms + REFUND_PATIENCE_MS;
    if (receipt_failed(&s->receipt, &s->facts, strcmp(s->outcome, "refused") == 0, s->rule,
                       s->blamed[0] != '\0' ? s->blamed : NULL, session_may_have_shared(s),
                       &err) != FM_OK ||
        s->host.prove(s->host.ctx, s->receipt, &s->proofs[s->facts.self], &err) != FM_OK) {
        session_finish(s, SESSION_FAILED);
        return;
    }
    if (session_may_have_shared(s)) {
        session_close_failed(s, now_ms); /* Nothing to give back: close at once. */
        return;
    }
    s->signed_unshared = true;
    session_ask_again(s, now_ms);
}

void session_ask_again(struct session *s, int64_t now_ms)
{
    s->again_ms = now_ms + REFUND_AGAIN_MS;
    for (unsigned i = 0; i < s->facts.party_count; i++)
        if (s->proofs[i] == NULL)
            session_send(s, i, "receipt", "receipt", s->receipt);
}

void session_close_failed(struct session *s, int64_t now_ms)
{
    submit_close(s, now_ms);
}
