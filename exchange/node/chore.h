/* Work that would hold the node's thread up for longer than its peers and people should wait
 * (hashing a million rows, writing out a trail): done by a thread beside it, from a snapshot, with
 * nothing of the node but what the chore took along. Two run at once; more wait in line, and past a
 * limit they are refused. The end comes back to the node's thread.
 *
 * A chore that must not outlive its purpose looks at *chore_stop() now and then: it is set when the
 * one who asked has gone away, and when the node stops. */
#ifndef FIRMIANA_EXCHANGE_NODE_CHORE_H
#define FIRMIANA_EXCHANGE_NODE_CHORE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/status.h"
#include "exchange/node/node.h"
#include "net/wait.h"

enum { CHORES_AT_ONCE = 2, CHORES_MAX = 32 };

struct chore;

struct chore_work {
    /* On the chore's own thread. */
    fm_status (*run)(void *ctx, const atomic_bool *stop, struct base_err *err);
    /* On the node's thread, once, whatever happened; frees ctx. reply: NULL if nobody asked, or
     * whoever did has gone. err->code is FM_OK when run() succeeded. */
    void (*done)(struct node *node, void *ctx, const struct node_reply *reply,
                 const struct base_err *err);
    void *ctx;
};

struct chores {
    struct chore *first; /* in the order in which they came */
    bool closed;         /* takes no more */
};

/* reply: who waits for it (copied), or NULL. owner: what node_chores_stop() knows it by; the
 * reply's ctx if there is a reply. On failure (FM_E_LIMIT: too many) done() was not
 * called and ctx is still the caller's. */
fm_status node_chore_start(struct node *node, const struct chore_work *work,
                           const struct node_reply *reply, const void *owner,
                           struct base_err *err) FM_CHECK;
/* Takes in those that have ended, starts those that wait. */
void node_chores_back(struct node *node);
/* An owner's chores are stopped: it waits for the answer still, or has gone. */
enum chore_end { CHORE_ANSWER, CHORE_FORGET };
void node_chores_stop(struct node *node, const void *owner, enum chore_end end);
/* All are stopped; true once none is left. */
bool node_chores_drain(struct node *node);
/* Stops all, waits for them, answers nobody. */
void node_chores_end(struct node *node);

#endif
