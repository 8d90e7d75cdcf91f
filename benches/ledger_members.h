/* The members of bench_ledger: identities, a genesis, each a replica on disk and an engine that one
 * thread runs. Messages go from inbox to inbox in this process, or over sealed channels where a
 * member has a node on the network. Whatever fails ends the process, with one line. */
#ifndef FIRMIANA_BENCHES_LEDGER_MEMBERS_H
#define FIRMIANA_BENCHES_LEDGER_MEMBERS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "did/draft.h"
#include "ledger/engine/engine.h"
#include "net/zmq.h"

enum { LEDGER_MEMBERS_MAX = 8, LEDGER_PAST_ENGINE, LEDGER_IN_FLIGHT = 2000 };

struct ledger_parcel {
    struct ledger_parcel *next;
    size_t from; /* LEDGER_MEMBERS_MAX: a transaction of our own to submit; LEDGER_PAST_ENGINE: one
                  * to hand to CometBFT as it is, whose end nobody waits for */
    size_t len;
    uint8_t bytes[];
};

struct ledger_bench;

struct ledger_bench_member {
    struct ledger_bench *bench;
    size_t index;
    char alias[33], did[DID_FIRMIANA_TEXT], path[160];
    uint8_t node_seed[32], channel_seed[32], channel_key[NET_KEY];
    char endpoint[96];
    struct did_secret *node;
    struct ledger_chain *chain;
    struct ledger_engine *engine;
    struct net_identity *identity; /* with zmq */
    struct net_zmq *zmq;           /* NULL: inboxes of this process */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct ledger_parcel *first, *last; /* the inbox */
    size_t finals;                      /* results of our own: under lock */
    uint64_t height;                    /* of the block of the newest one: under lock */
    pthread_cond_t final;
    atomic_bool stop;
    /* With CometBFT (ledger_comet.h). */
    json_t *services; /* in its document, lent; NULL: none */
    void (*broadcast)(void *ctx, const uint8_t id[32], const void *tx, size_t len);
    int wake; /* a descriptor that what comes into the inbox makes readable; 0: none */
};

struct ledger_bench {
    size_t n;
    struct ledger_bench_member member[LEDGER_MEMBERS_MAX]; /* the last one submits */
    uint8_t chain_id[32];
    struct base_buf genesis;
};

void ledger_must(fm_status st);
extern struct base_err ledger_bench_err; /* what ledger_must() says */

struct ledger_now ledger_bench_now(void);

/* Keys, names, the genesis; files in dir. */
void ledger_members_make(struct ledger_bench *b, const char *dir);
/* The member's replica and engine, in the process where it will run. */
void ledger_member_open(struct ledger_bench_member *m);
/* Its node on the network, connected to all others. Needs channel keys and endpoints. */
void ledger_member_connect(struct ledger_bench_member *m);
void ledger_member_close(struct ledger_bench_member *m);

/* Runs the engine until stop is set, or until the submitting member is gone from the network. */
void *ledger_member_run(void *member);
/* Into an inbox of this process. */
void ledger_member_put(struct ledger_bench_member *to, size_t from, const void *bytes, size_t len);
/* Takes one thing out of it; *some is false if nothing is there. */
fm_status ledger_member_next(struct ledger_bench_member *m, bool *some,
                             struct base_err *err) FM_CHECK;
void ledger_member_stop(struct ledger_bench_member *m);
void ledger_bench_remove(const char *path); /* a ledger, with all that stands beside it */

/* A child process for each member but the last, over sealed channels; this process goes on as the
 * last one, connected. pids: n - 1 of them. */
void ledger_sealed_start(struct ledger_bench *b, pid_t *pids);
void ledger_sealed_join(struct ledger_bench *b, const pid_t *pids);

#endif
