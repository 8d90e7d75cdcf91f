/* What session.c (life and ends), session_steps.c (the way forward) and session_settle.c (receipts)
 * share. */
#ifndef FIRMIANA_EXCHANGE_SESSION_SESSION_INTERNAL_H
#define FIRMIANA_EXCHANGE_SESSION_SESSION_INTERNAL_H

#include "exchange/session/session.h"

struct session {
    struct session_facts facts;
    struct session_host host;
    enum session_state state;
    int64_t until_ms; /* this state's deadline */
    int64_t again_ms; /* asker, refund: when those that have not signed are asked again */
    void *context;

    int64_t wait_ms;                      /* PREPARING: when the others are told again */
    unsigned places[SESSION_MAX_PARTIES]; /* in the parties' queues, as they told */
    json_t *ready[SESSION_MAX_PARTIES];   /* each party's signed FirmianaReady */
    json_t *parts[SESSION_MAX_PARTIES];   /* own part; the asker: everyone's */
    json_t *proofs[SESSION_MAX_PARTIES];  /* over the receipt: the asker has everyone's */
    json_t *receipt;                      /* the one being proved, without proof */

    bool prepared;
    bool started;        /* host->start was called: shares may have moved */
    bool started_before; /* ... by the process that was here before a restart */
    unsigned start_calls;
    bool worker_ended;
    bool signed_done;
    bool signed_unshared;
    bool failed;
    const char *outcome; /* of a failure */
    const char *rule;
    char blamed[SESSION_ALIAS];
    struct base_err why;
    atomic_bool may_open;
};

const char *session_alias(const struct session *s, unsigned party);
bool session_is_asker(const struct session *s);
bool session_is_over(const struct session *s);
bool session_may_have_shared(const struct session *s);
void session_enter(struct session *s, enum session_state state, int64_t now_ms);

json_t *session_message(const struct session *s, const char *kind);
void session_send(struct session *s, unsigned to, const char *kind, const char *member,
                  const json_t *value);
void session_send_all(struct session *s, const char *kind, const char *member, const json_t *value);

void session_finish(struct session *s, enum session_state state);
/* The one way down: stops the computation, tells the others, files or settles. blamed: a party's
 * number or -1. */
void session_fail(struct session *s, const char *outcome, const char *rule, int blamed,
                  const struct base_err *why, int64_t now_ms);
void session_fail_peer(struct session *s, unsigned party, const char *rule, struct base_err *err,
                       int64_t now_ms);

/* session_steps.c */
void session_tell_waiting(struct session *s, int64_t now_ms); /* PREPARING: to all others */

/* session_settle.c */
void session_settle_begin(struct session *s,
                          int64_t now_ms); /* worker done: send or take the own part */
void session_settle_failed(struct session *s,
                           int64_t now_ms); /* asker: collect refund proofs, then close */
void session_close_failed(struct session *s,
                          int64_t now_ms); /* asker: close with what was collected */
void session_ask_again(struct session *s,
                       int64_t now_ms); /* asker: the refund's receipt, to those who did not sign */
void session_take_part(struct session *s, unsigned from, const json_t *part, int64_t now_ms);
void session_take_receipt(struct session *s, unsigned from, const json_t *receipt, int64_t now_ms);
void session_take_proof(struct session *s, unsigned from, const json_t *proof, int64_t now_ms);

#endif
