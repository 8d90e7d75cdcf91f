/* What the node's files share. node.c: life and drive; node_ledger.c: the engine, submissions, what
 * is final; node_members.c: who is who; node_query.c: sessions; node_status.c: what an operator
 * sees; node_prepare.c: a node's own rules; requests*.c: its people. */
#ifndef FIRMIANA_EXCHANGE_NODE_NODE_OWN_H
#define FIRMIANA_EXCHANGE_NODE_NODE_OWN_H

#include <pthread.h>

#include "exchange/comet/comet.h"
#include "exchange/contract/contract.h"
#include "exchange/copies/copies.h"
#include "exchange/node/answers.h"
#include "exchange/node/chore.h"
#include "exchange/node/columns.h"
#include "exchange/node/counts.h"
#include "exchange/node/job.h"
#include "exchange/node/lanes.h"
#include "exchange/node/node.h"
#include "exchange/node/ping.h"
#include "exchange/node/rows.h"
#include "exchange/node/started.h"
#include "exchange/session/session.h"
#include "ledger/engine/engine.h"
#include "ledger/proof/tx.h"
#include "ledger/store/chain.h"

enum node_message {
    NODE_MSG_LEDGER = 1,
    NODE_MSG_SESSION = 2,
    NODE_MSG_PING = 3,
    NODE_MSG_COPY = 4
};

enum {
    NODE_MAX_MEMBERS = 64,
    NODE_STATS = 64,
    NODE_REVOKES = 128,            /* a state key */
    NODE_REVOCATION_MS = 90000000, /* longer than a transaction may wait: a day and an hour */
    NODE_MAX_HELD = 256,
    NODE_HELD_BYTES = 4 << 20,
    NODE_HELD_EACH = 16,           /* of one member: more than it has queries in the air ... */
    NODE_HELD_EACH_BYTES = 1 << 18 /* ... so that no member takes the others' room */
};

/* A transaction of ours on its way. done is called once, from node_settle(). */
struct node_submission {
    struct node_submission *next;
    uint8_t id[32];
    void (*done)(struct node *node, void *ctx, const struct ledger_outcome *outcome,
                 uint64_t height);
    void *ctx; /* NULL after the one who waited has gone */
    /* The entry of the state that it revokes, "" if none: held here, it counts before it is final
     * (design.md section 6.2). */
    char revokes[NODE_REVOKES];
    int64_t since_ms; /* mono */
};

/* A revocation by another member that waits for a block of ours. */
struct node_revocation {
    struct node_revocation *next;
    char revokes[NODE_REVOKES];
    int64_t until_ms;
};

/* A result that the engine reported during a step, handled after it. */
struct node_result {
    struct node_result *next;
    struct ledger_outcome outcome;
    uint8_t id[32];
    uint64_t height;
};

struct node_member {
    char alias[SESSION_ALIAS];
    char did[160];
    char endpoint[256];
    uint8_t authentication[NET_KEY];
    bool active;
    bool cut;             /* suspended long enough to know: no channel with it */
    int64_t suspended_ms; /* monotonic: when we learnt that it is suspended */
    bool up;              /* its channel */
    struct ping ping;
};

/* A session message that came before its query was final here. */
struct node_held {
    struct node_held *next;
    char from[SESSION_ALIAS];
    json_t *message;
    size_t size;
    int64_t until_ms;
};

/* One query this node takes part in. */
struct node_query {
    struct node_query *next;
    struct session *session;
    struct contract contract;
    int64_t versions[SESSION_MAX_PARTIES]; /* of the parties' DID documents at its height */
    json_t *open;                          /* query.open's body, as on the ledger */
    json_t *values;            /* parameters as text, once opened; hidden ones at the asker alone */
    json_t *hidden;            /* the asker's: {"$1": text} */
    json_t *openings;          /* the asker's, for the parties */
    struct sql_plan *plan;     /* compiled here, until the job takes it */
    struct job_pooled *pooled; /* likewise */
    struct node_rows *rows[CONTRACT_MAX_TABLES]; /* of the contract's tables that are ours */
    unsigned rows_at;                            /* the table whose turn it is */
    json_t *inputs;                              /* of those before it */
    /* its place among this node's queries (lanes.h) */
    struct lanes_place place;
    const char *refused_rule; /* why it has none; in refused_why */
    struct base_err refused_why;
    json_t *given; /* the openings, until there is room */
    char query_hex[65];
    /* the asker's side */
    bool asked_here;
    bool asker_gone;    /* whoever asked hung up before query.open was final */
    bool asker_stopped; /* ... or wanted it ended */
    unsigned unreached; /* a party that a message could not be sent to, plus 1 */
    char told[128];     /* progress, as last told */
    struct node_reply reply;
    bool reply_waits;
    char format[8];
    /* the computation */
    struct job *job;
    struct net_session *channels;
    bool job_seen;
    bool ending; /* the session is over; freed once the job is back */
    int64_t gone_ms;
    int64_t opened_ms; /* monotonic: its query.open was final here */
    uint64_t closed_height;
    json_t *receipt; /* as closed */
};

/* What a query cost this party: kept for a while after it ended. */
struct node_stat {
    char query_hex[65];
    double seconds;
    int64_t since_open_ms; /* from its query.open being final here to the end of the computation */
    uint64_t rounds, bytes_sent, bytes_received;
};

/* The asker's openings until query.open is final. */
struct node_asking {
    struct node_asking *next;
    struct node *node;
    uint8_t id[32];
    json_t *openings; /* what the parties get */
    json_t *hidden;   /* values of hidden parameters: {"$1": text} */
    struct node_reply reply;
    bool reply_waits;
    bool gone;    /* the one who asked hung up */
    bool stopped; /* ... or wants it ended */
    int64_t until_ms;
    char format[8];
};

/* The memory that a plan was estimated to take here (node_room.c). */
enum { NODE_RECKONED = 16 };
struct node_reckoned {
    uint8_t key32[32];
    uint64_t bytes; /* 0: free */
};

struct node {
    struct node_config config;
    struct net_node *net; /* NULL before node_attach() */
    struct ledger_chain *chain;
    struct ledger_engine *engine;
    struct comet *comet; /* NULL: the ledger is ordered without it */
    char *comet_home;    /* what comet was lent */
    char comet_ledger[HOME_PATH];
    struct node_started *started;
    uint8_t chain_id[32];
    char chain_hex[65];
    char did[160];

    pthread_mutex_t members_lock; /* guards members against node_keys()'s callers */
    struct node_member members[NODE_MAX_MEMBERS];
    size_t member_count;

    struct node_submission *submissions;
    struct node_result *results;
    struct node_revocation *revocations;
    bool revocation_noted; /* one came since queries were last held against what is known */
    bool final_moved, members_moved;
    uint64_t final_height, final_size;
    uint64_t seen_leaf; /* entries before this have been acted upon */
    uint64_t seen_size; /* of the log when running queries were last held against it */

    struct node_roots roots;
    struct node_counts counts;
    struct chores chores;
    struct lanes lanes;
    struct node_reckoned reckoned[NODE_RECKONED];
    unsigned next_reckoned;
    struct answers answers;
    int64_t answers_expire_ms; /* sealed ones are looked through next */
    struct columns columns;    /* of own rows, at most a sixteenth of memory_limit beside it */
    struct copies *copies;     /* documents that members keep for each other */
    struct node_stat stats[NODE_STATS];
    unsigned next_stat;

    struct node_query *queries;
    bool resumed;      /* queries open from before this process were taken up */
    int64_t resume_ms; /* at the latest */
    struct node_asking *askings;
    struct node_held *held;
    size_t held_count, held_bytes;
    bool draining;
    int64_t rules_warned;  /* the version of rules to come that was warned about */
    struct base_err fault; /* why the node must stop */
};

/* node_ledger.c */
struct ledger_now node_now(const struct node *node);
fm_status node_engine_open(struct node *node, struct base_err *err) FM_CHECK;
/* After every engine step: results to those who wait, final entries to the sessions. */
void node_settle(struct node *node);
fm_status node_submit(struct node *node, uint8_t id32[32], const void *tx, size_t len,
                      void (*done)(struct node *, void *, const struct ledger_outcome *, uint64_t),
                      void *ctx, struct base_err *err) FM_CHECK;
/* Builds and signs with the node's assertion key; body is used up. */
fm_status
node_submit_body(struct node *node, uint8_t id32[32], enum ledger_tx_type type, json_t *body,
                 void (*done)(struct node *, void *, const struct ledger_outcome *, uint64_t),
                 void *ctx, struct base_err *err) FM_CHECK;
/* The same in two steps: what is kept of it can be kept before it leaves. body is used up; *bytes
 * is appended to. */
fm_status node_build_tx(struct node *node, struct base_buf *bytes, uint8_t id32[32],
                        enum ledger_tx_type type, json_t *body, struct base_err *err) FM_CHECK;
void node_revocations_free(struct node *node);
void node_forget_submissions(struct node *node, const void *ctx);
void node_step_error(struct node *node, const char *what, const struct base_err *err);

/* node_comet.c */
/* Does CometBFT order this ledger? */
fm_status node_comet_asked(struct node *node, bool *out, struct base_err *err) FM_CHECK;
/* What the engine must be told then. */
void node_comet_prepare(struct node *node, struct ledger_engine_callbacks *callbacks,
                        struct ledger_engine_params *params);
void node_comet_broadcast(void *ctx, const uint8_t id[32], const void *tx, size_t len);
fm_status node_comet_open(struct node *node, struct base_err *err) FM_CHECK;
void node_comet_close(struct node *node);
void node_comet_tick(struct node *node);

/* node_status.c */
void node_ping_up(struct node *node, struct node_member *m);
void node_ping_tick(struct node *node);
void node_ping_message(struct node *node, const char *alias, const void *bytes, size_t len);
/* All that `firmiana status --json` prints, new; NULL without memory. */
json_t *node_status(const struct node *node);

/* node_copies.c */
fm_status node_copies_open(struct node *node, struct base_err *err) FM_CHECK;

/* node_members.c */
/* Ends the channels with members that were suspended a while ago. */
void node_members_tick(struct node *node);
/* Rules that this program does not have: a warning when they are voted, the node's end before the
 * first block that follows them. Asked whenever something became final. */
void node_rules_watch(struct node *node);
void node_peer_up(struct node *node, const char *alias);
void node_peer_down(struct node *node, const char *alias, const char *why);
/* Tells the network who the peers are now, and to check their keys again. */
fm_status node_peers_set(struct node *node, struct base_err *err) FM_CHECK;
bool node_send(struct node *node, const char *alias, uint16_t type, const void *bytes, size_t len);
fm_status node_members_load(struct node *node, struct base_err *err) FM_CHECK;
struct node_member *node_member_named(struct node *node, const char *alias);
/* Is `proof` one by that member's current assertion key over the document? */
fm_status node_check_proof(struct node *node, const char *alias, const json_t *document,
                           const json_t *proof, struct base_err *err) FM_CHECK;
fm_status node_prove(struct node *node, const json_t *document, json_t **proof,
                     struct base_err *err) FM_CHECK;

/* node_host.c, node_begin.c */
struct session_host node_session_host(struct node *node);

/* node_progress.c */
/* Where a query is, in words: "computing, operator 3 of 12: less". */
void node_progress_text(char *out, size_t size, const struct node *node,
                        const struct node_query *q);
/* Tells those who wait for an answer what has changed. */
void node_progress_tell(struct node *node);

/* node_query.c */
void node_query_free(struct node *node, struct node_query *q);
void node_query_opened(struct node *node, const struct ledger_entry *entry);
/* Once after a start: every query that was open before it is ended by name. */
void node_query_resume(struct node *node);
void node_query_closed(struct node *node, const struct ledger_entry *entry);
void node_query_recheck(struct node *node);
void node_query_message(struct node *node, const char *from, const json_t *message);
void node_query_peer_down(struct node *node, const char *alias, const char *why);
void node_query_tick(struct node *node);
void node_query_free_all(struct node *node);
void node_query_jobs(struct node *node);
void node_query_cancel(struct node *node, void *reply_ctx, const char *why);
struct node_query *node_query_find(struct node *node, const char *query_hex);
int64_t node_query_wait_ms(struct node *node);

/* node_ready.c */
/* Are these inputs of a member's `ready` what the ledger has for it? FM_E_PEER if not. */
fm_status node_check_inputs(struct node *node, const struct node_query *q, const char *alias,
                            const json_t *inputs, struct base_err *err) FM_CHECK;

/* node_prepare.c */
/* The value under a key of the ledger's state. */
fm_status node_state(struct node *node, json_t **out, struct base_err *err, const char *fmt, ...)
    FM_PRINTF(4, 5) FM_CHECK;
/* {"ALIAS/DATASET": value} of all published datasets. */
fm_status node_datasets(struct node *node, json_t **out, struct base_err *err) FM_CHECK;
/* Compiles the contract's plan into q->plan. */
fm_status node_compile(struct node *node, struct node_query *q, const char **rule,
                       struct base_err *err) FM_CHECK;
/* What session.h's prepare() says, once there is room. */
fm_status node_prepare(struct node *node, struct node_query *q, const json_t *openings,
                       json_t **inputs, const char **rule, struct base_err *err) FM_CHECK;

/* node_data.c */
/* Freezes the member's own rows for the query and holds them against what it published. *inputs:
 * as in session.h's prepare(), NULL if the rows must be hashed first; session_on_prepared() then
 * follows. */
fm_status node_own_rows(struct node *node, struct node_query *q, json_t **inputs, const char **rule,
                        struct base_err *err) FM_CHECK;

/* node_room.c */
/* Once, when the session is there: compiles, estimates, and takes a place in line; what speaks
 * against it is kept until prepare(). order: of its query.open on the ledger. */
void node_room_enter(struct node *node, struct node_query *q, uint64_t order);
void node_room_leave(struct node *node, struct node_query *q);
/* Those that may run now are prepared. */
void node_room_admit(struct node *node);
fm_status node_room_prepare(struct node *node, struct node_query *q, const json_t *openings,
                            json_t **inputs, const char **rule, struct base_err *err) FM_CHECK;
/* Does everything this query rests on still hold: at this node's head, which may be ahead of what
 * is final, under the revocations that it holds, and with the keys that the descriptor names?
 * FM_E_REFUSED and *rule if not; any other failure means that nobody knows. */
fm_status node_authority(struct node *node, const struct node_query *q, const char **rule,
                         struct base_err *err) FM_CHECK;

void node_plan_free(struct sql_plan *plan); /* NULL is allowed */

/* requests_query.c */
void node_query_reply(const struct node_query *q); /* the answer, to the one who asked */
void node_request_query(struct node *node, const json_t *request, const struct node_reply *reply);
void node_asking_tick(struct node *node);
void node_asking_free(struct node *node, struct node_asking *asking);

#endif
