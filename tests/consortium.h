/* The demo's consortium in one process and in virtual time: three banks and a regulator, each a
 * whole node (exchange/node/node.h) with its own home, ledger and keys, over the simulated wire of
 * net/sim.h. For tests. */
#ifndef FIRMIANA_TESTS_CONSORTIUM_H
#define FIRMIANA_TESTS_CONSORTIUM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "exchange/cli/identity.h"
#include "exchange/node/node.h"
#include "net/sim.h"

enum { BANK_A, BANK_B, BANK_C, REGULATOR, MEMBERS };

/* Stories run in tasks of the simulation, which are threads; cmocka's assertions know the test's
 * own thread alone. So what must hold is required like this: if it does not, the program says where
 * and ends. */
_Noreturn void consortium_fail(const char *file, int line, const char *fmt, ...) FM_PRINTF(3, 4);
#define REQUIRE(what) ((what) ? (void)0 : consortium_fail(__FILE__, __LINE__, "%s", #what))

struct consortium;

struct member {
    struct consortium *c;
    const char *alias;
    struct identity id;
    char dir[HOME_PATH];
    /* while the consortium runs */
    struct node_log *log;
    struct net_sim_node *at;
    struct node *node; /* NULL once it has died or stopped */
    struct base_err fault;
    unsigned spins; /* turns since it last waited */
    bool ended;     /* its task is through: the home is free */
};

struct consortium {
    char root[256];
    struct member members[MEMBERS];
    struct base_buf genesis;
    unsigned sequencer;
    bool loud; /* keep the nodes' logs, in their homes */
    /* one run */
    struct net_sim *sim;
    struct base_clock clock; /* the simulation's, moved forward by what earlier runs took */
    int64_t earlier_ms, saved_ms;
    bool stopping;
    struct call *calls;
    void (*story)(struct consortium *c, void *arg);
    void *story_arg;
    bool told; /* the story came to its end */
};

/* A fresh temporary folder with homes, data of `rows` rows a bank and identities. */
void consortium_init(struct consortium *c, unsigned sequencer, uint32_t rows);
void consortium_release(struct consortium *c);

/* The homes' ledgers and lists of started sessions, kept and put back. Not while it runs. */
void consortium_save(struct consortium *c);
void consortium_restore(struct consortium *c);

/* Starts all nodes over a new simulation, calls story() as one of its tasks and returns when it has
 * ended and the nodes have stopped. fault: NET_SIM_FAULTS for none; else at frame `at`, counted
 * from the first one of the first handshake. FM_E_TIMEOUT if that takes more than `ms` of virtual
 * time. */
struct consortium_run {
    uint64_t seed;
    enum net_sim_fault fault;
    uint64_t at;
    uint32_t latency_ms; /* of a frame, at most; at least 1 */
    uint32_t ms;
    void (*story)(struct consortium *c, void *arg);
    void *arg;
    bool fired; /* out: the fault was met */
};
fm_status consortium_run(struct consortium *c, struct consortium_run *run,
                         struct base_err *err) FM_CHECK;

/* ---- inside a story ---- */

bool consortium_lives(const struct consortium *c, unsigned who);
/* Starts a member that has died again, from its home as it left it. */
void consortium_revive(struct consortium *c, unsigned who);
/* Asks a member's node and waits for the answer. request is used up; *value (NULL allowed) is new.
 * Errors: the node's; FM_E_CANCELLED "the node has died"; FM_E_TIMEOUT "no answer" after wait_ms:
 * nobody may ever see that one. */
fm_status consortium_call(struct consortium *c, unsigned who, json_t *request, uint32_t wait_ms,
                          json_t **value, struct base_err *err) FM_CHECK;
/* The same for a transaction that must be accepted; the answer's "id" goes to id65 (may be NULL).
 */
void consortium_must(struct consortium *c, unsigned who, json_t *request, char id65[65]);
/* Waits until every living node sees all other living ones; false if that never happens. */
bool consortium_connect(struct consortium *c, uint32_t wait_ms);
/* Waits until all living nodes stand at the same final head and no session is left that could
 * still change it. */
bool consortium_settle(struct consortium *c, uint32_t wait_ms);
/* All living nodes have the same log, as far as the shortest goes; and none stopped by a fault. */
void consortium_check_agreement(struct consortium *c);
/* All keys with that prefix of the ledger's state at a living node, with their values. */
json_t *consortium_state(struct consortium *c, unsigned who, const char *prefix);

/* ---- when it does not run ---- */

/* Has this member's node written, ever, that it started that query? */
bool consortium_started(const struct consortium *c, unsigned who, const char *query_hex);
/* One row of one SELECT over all banks' rows, view `loans`, parameter ?1, as CSV: SQLite's own
 * answer. */
void consortium_pooled(const struct consortium *c, char *out, size_t size, const char *sql,
                       int64_t parameter);

#endif
