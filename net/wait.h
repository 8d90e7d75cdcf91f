/* The seam behind which everything in net/ that blocks a thread does so: real threads (wait.c), or
 * tasks in virtual time that pass a baton (sim.c). A wait is a lock together with the condition
 * that something under it changed. */
#ifndef FIRMIANA_NET_WAIT_H
#define FIRMIANA_NET_WAIT_H

#include <stdint.h>

#include "base/random.h"
#include "base/status.h"

struct net_wait; /* each family's own */
struct net_task; /* a running thread or task */

struct net_waits {
    void *ctx;
    const struct base_clock *clock; /* the clock that sleep() goes by */
    /* NULL when memory or the system's threads are out. */
    struct net_wait *(*create)(void *ctx);
    void (*destroy)(struct net_wait *w);
    void (*lock)(struct net_wait *w);
    void (*unlock)(struct net_wait *w);
    /* The lock is held; gives it up until somebody wakes w or the monotonic clock reaches until_ms,
     * and takes it again. May return for no reason: callers look again at what they wait for. */
    void (*sleep)(struct net_wait *w, int64_t until_ms);
    /* Wakes all who sleep on w. The lock is held. */
    void (*wake)(struct net_wait *w);
    /* Runs fn(arg) beside the caller; join() waits for its end and frees the task. */
    fm_status (*spawn)(void *ctx, struct net_task **out, void (*fn)(void *arg), void *arg,
                       struct base_err *err);
    void (*join)(struct net_task *task);
};

/* POSIX threads and the system's clock. */
const struct net_waits *net_waits_threads(void);

#endif
