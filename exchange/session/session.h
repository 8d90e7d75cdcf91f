/* A query session: what one node does for one query, from the final query.open to the final
 * query.close.
 *
 * Pure: time, messages and the ledger's facts come in as events, everything that touches the world
 * goes out through struct session_host. One thread drives a session (the node's); the computation
 * runs elsewhere, between host->start and the events WORKER_DONE / WORKER_FAILED.
 *
 *   INVITED     --openings-->                PREPARING (its node's queue, then its own rules, rows)
 *   PREPARING   --session_on_prepared-->     READY
 *   READY       --everyone's ready-->        RUNNING
 *   RUNNING     --worker done-->             SETTLING
 *   SETTLING    --signed-->                  CLOSING
 *   CLOSING     --query.close is final-->    DONE
 *   any before CLOSING: refused, aborted, time-out, peer gone:
 *     the asker  --> SETTLING (outcome not done) --> CLOSING --> FAILED
 *     the others --> FAILED (they still sign an honest "nothing was shared")
 *
 * Invariants (asserted by session_check after every event in tests, and in debug builds):
 *   1. No share moves before every party's signed `ready` for the same query, attempt, plan hash
 * and descriptor is here.
 *   2. host->start is called at most once in the life of a (query, attempt), and only after the
 * host persisted it.
 *   3. A receipt that says done is signed only in SETTLING, by a node whose own worker is done, and
 * only if it holds exactly what this node reported.
 *      Who signed one and sees no close before the time-out files it as its own query.receipt.
 *   4. A receipt that says shared = false is signed only by a node that never called host->start,
 * in no life of its process.
 *   5. Opening of the result is refused once a revocation was seen (session_may_open).
 *   6. Every state but DONE and FAILED has a deadline; a passed deadline names who was waited for.
 */
#ifndef FIRMIANA_EXCHANGE_SESSION_SESSION_H
#define FIRMIANA_EXCHANGE_SESSION_SESSION_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

enum { SESSION_MAX_PARTIES = 16, SESSION_ALIAS = 33 };

enum session_role {
    SESSION_COMPUTE = 1,
    SESSION_PROVIDER = 2,
    SESSION_RECIPIENT = 4,
    SESSION_ASKER = 8
};

struct session_party {
    char alias[SESSION_ALIAS];
    unsigned roles;
};

/* What is fixed when query.open is final: a pure function of the ledger at that height. */
struct session_facts {
    uint8_t query[32];
    uint8_t chain[32];
    uint8_t descriptor[32]; /* hash of the session descriptor (descriptor.h) */
    uint8_t plan_hash[32];
    uint64_t height;
    int64_t deadline_ms; /* unix time, from query.open */
    int attempt;
    char protocol[16];
    char link[8];
    struct session_party
        parties[SESSION_MAX_PARTIES]; /* in descriptor order: compute parties first */
    unsigned party_count;
    unsigned self;
    unsigned asker;
};

enum session_state {
    SESSION_INVITED,
    SESSION_PREPARING,
    SESSION_READY,
    SESSION_RUNNING,
    SESSION_SETTLING,
    SESSION_CLOSING,
    SESSION_DONE,
    SESSION_FAILED,
    SESSION_STATES
};

struct session;

/* All calls happen inside session_* calls, on the node's thread. JSON arguments are borrowed. */
struct session_host {
    void *ctx;
    /* Sends a session message to one party; a message that cannot be delivered shows up as a peer
     * that is down. */
    void (*send)(void *ctx, struct session *s, unsigned to, const json_t *message);
    /* One assertionMethod proof by this node over the document (which has none); *proof is new. */
    fm_status (*prove)(void *ctx, const json_t *document, json_t **proof, struct base_err *err);
    /* Is proof a proof by that member's current assertionMethod key over the document? Of a `ready`
     * also: are its inputs what the ledger has for that member? */
    fm_status (*check_proof)(void *ctx, const char *alias, const json_t *document,
                             const json_t *proof, struct base_err *err);
    /* The node's own rules: authority at the newest final height, the plan compiled and compared,
     * openings against commitments, the data snapshot taken. FM_OK: *inputs is a new array that
     * goes into `ready`, or NULL if that takes a while (the node has no room yet, or rows to hash);
     * session_on_prepared() follows. On a refusal (FM_E_REFUSED) *rule is a static rule name. */
    fm_status (*prepare)(void *ctx, struct session *s, const json_t *openings, json_t **inputs,
                         const char **rule, struct base_err *err);
    /* While PREPARING: this query's place in the node's queue, from 1; 0 if it is worked on. */
    unsigned (*place)(void *ctx, struct session *s);
    /* Persists "started", then opens the channels and starts the computation. */
    fm_status (*start)(void *ctx, struct session *s, struct base_err *err);
    /* Ends the computation if it runs. */
    void (*stop)(void *ctx, struct session *s, const char *reason);
    /* Submits query.close or query.receipt with this receipt (proofs included). */
    fm_status (*submit)(void *ctx, struct session *s, const char *type, const json_t *receipt,
                        struct base_err *err);
    /* The session reached DONE or FAILED; err->code is FM_OK when done. FM_E_TIMEOUT "time-out
     * while closing: ..." at the asker: everyone signed, and the query may still become done on the
     * ledger; no answer may be given. */
    void (*finished)(void *ctx, struct session *s, const struct base_err *err);
};

/* facts are copied. now_ms is unix time, here and in every event. */
fm_status session_new(struct session **out, const struct session_facts *facts,
                      const struct session_host *host, int64_t now_ms,
                      struct base_err *err) FM_CHECK;
void session_free(struct session *s);

const struct session_facts *session_get_facts(const struct session *s);
enum session_state session_get_state(const struct session *s);
const char *session_state_name(enum session_state state);
/* The node's slot for what belongs to this session. */
void session_set_context(struct session *s, void *context);
void *session_get_context(const struct session *s);

/* ---- events ---- */

/* The asker's own node: parameters, salts and consent openings, sent to the parties and then taken
 * as a message. */
void session_on_openings(struct session *s, const json_t *openings, int64_t now_ms);
/* What prepare() promised: inputs (borrowed), or NULL with the reason and, if that is FM_E_REFUSED,
 * a static rule name. Nothing happens in other states than PREPARING: the query may have ended. */
void session_on_prepared(struct session *s, const json_t *inputs, const char *rule,
                         const struct base_err *why, int64_t now_ms);
/* A session message from an authenticated party. Malformed or unexpected ones fail the session,
 * naming the sender. */
void session_on_message(struct session *s, unsigned from, const json_t *message, int64_t now_ms);
/* The computation ended. part: channels, inputs and result commitments as in `part` below
 * (borrowed). */
void session_on_worker_done(struct session *s, const json_t *part, int64_t now_ms);
void session_on_worker_failed(struct session *s, const struct base_err *why, const char *party,
                              int64_t now_ms);
/* query.close is final. */
void session_on_closed(struct session *s, const char *outcome, const char *rule, const char *party,
                       int64_t now_ms);
void session_on_peer_down(struct session *s, unsigned party, const char *why, int64_t now_ms);
/* A revocation, suspension or key change that this query rests on was seen. */
void session_on_revoked(struct session *s, const char *rule, int64_t now_ms);
/* The user or a shutdown ends it. */
void session_on_cancel(struct session *s, const char *why, int64_t now_ms);
/* Right after session_new(): this node was restarted while the query was open, and what it held is
 * gone with the process. started_before: the process that was there had started the query, so that
 * shares may have moved. Ends the session: the asker closes the query as aborted, another party
 * files its receipt. */
void session_on_restarted(struct session *s, bool started_before, int64_t now_ms);
void session_on_tick(struct session *s, int64_t now_ms);

/* The place in its node's queue that a party last told, 0 for none. */
unsigned session_place_of(const struct session *s, unsigned party);
/* Has that party's `ready` come? */
bool session_ready_of(const struct session *s, unsigned party);

/* Has this party signed a receipt that says done? Then the ledger may still say so. */
bool session_signed_done(const struct session *s);

/* May the result be opened? Thread-safe: asked by the worker just before it opens. */
bool session_may_open(const struct session *s);

/* Asserts the invariants above. */
void session_check(const struct session *s);

/* Messages (canonical JSON; "q" is the query's hash, "a" the attempt), all between parties of the
 * session:
 *   {"m":"openings","q","a","openings":{...}}          asker to all
 *   {"m":"ready","q","a","ready":{FirmianaReady with proof}}   each to all
 *   {"m":"wait","q","a","place":n}               any to all, every 2 s while it is PREPARING: its
 *      `ready` will come later than READY's patience, which begins anew (the query's own deadline
 *      stays); place as host->place() says
 *   {"m":"refuse","q","a","outcome","rule"?,"party"?}  any to all
 *   {"m":"part","q","a","part":{"channels":[{"peer","sent","received"}],"inputs":[{"provider","table","component",
 *      "commitment"}],"result":[{"component","commitment"}]}}          each to the asker
 *   {"m":"receipt","q","a","receipt":{FirmianaReceipt without proof}}  asker to all; one that says
 *      shared = false again every 250 ms for 2 s to those who have not signed it
 *   {"m":"proof","q","a","proof":{...}}                each to the asker
 * FirmianaReady:
 * {"type","chain","query","attempt","plan_hash","height","descriptor","inputs","proof"}. */

#endif
