/* The simulation from the inside: sim.c (nodes and the run), sim_wire.c (connections and faults),
 * sim_task.c (the baton). Everything here is touched only by whoever holds the baton: the thread in
 * net_sim_run(), or the one task it lets run. */
#ifndef FIRMIANA_NET_SIM_OWN_H
#define FIRMIANA_NET_SIM_OWN_H

#include <pthread.h>

#include "net/node_own.h"
#include "net/sim.h"

enum net_task_state { NET_TASK_READY, NET_TASK_ASLEEP, NET_TASK_DONE };

struct net_task {
    struct net_task *next;
    struct net_sim *sim;
    pthread_t thread;
    pthread_cond_t turn;
    enum net_task_state state;
    const struct net_wait *on; /* what it sleeps on */
    int64_t until_ms;
    struct net_wait *end; /* woken when it is done */
    bool joined;          /* somebody joins it, or will: not ours to free */
    void (*fn)(void *arg);
    void *arg;
};

/* A frame under way, or (frame NULL) the news that the connection broke. */
struct flight {
    struct flight *next;
    int64_t at_ms;
    uint64_t number;
    struct net_frame *frame;
};

struct end {
    struct net_sim_node *node;   /* NULL: a stranger, or a dead node */
    struct net_route route;      /* this connection's name at the node */
    struct flight *first, *last; /* under way to this end */
};

struct conn {
    struct conn *next;
    unsigned stranger; /* number of the stranger's connection, or 0 */
    struct end end[2]; /* dialler, accepter */
};

struct net_sim_node {
    struct net_sim_node *next;
    struct net_sim *sim;
    struct net_node node;
    struct net_identity *identity;
    struct net_wire wire;
    int64_t next_tick;
    bool dying, dead;
};

struct net_sim {
    uint64_t random; /* state of the generator */
    struct base_random source;
    struct base_clock clock;
    int64_t now_ms;
    struct net_waits waits;
    struct net_keys book;
    struct net_sim_node *nodes;
    bool rotated[NET_SIM_NODES_MAX];
    char cut[NET_SIM_NODES_MAX][2][NET_NAME_MAX + 1];
    unsigned cuts;
    struct conn *conns;
    uint64_t conn_numbers, flight_numbers, frames;
    uint32_t min_ms, max_ms;
    bool armed, fired;
    enum net_sim_fault fault;
    uint64_t fault_at;
    /* The baton. */
    pthread_mutex_t lock;
    pthread_cond_t back; /* the baton came back to net_sim_run() */
    struct net_task *running;
    struct net_task *tasks;
};

uint64_t net_sim_draw(struct net_sim *sim); /* the next number of the generator */

/* sim_task.c */
void net_sim_tasks_init(struct net_sim *sim);
void net_sim_tasks_release(struct net_sim *sim); /* joins all, which must be done */
/* A ready task, chosen by the generator; NULL if none. */
struct net_task *net_sim_ready(struct net_sim *sim);
void net_sim_run_task(struct net_sim *sim, struct net_task *task);
unsigned net_sim_alive(const struct net_sim *sim);
/* When the first sleeper is due; wakes those that are. */
int64_t net_sim_first_sleeper(const struct net_sim *sim);
void net_sim_wake_due(struct net_sim *sim);

/* sim_wire.c */
void net_sim_wire_init(struct net_sim_node *node);
void net_sim_wire_break(struct net_sim *sim, struct net_sim_node *node);
void net_sim_wire_release(struct net_sim *sim);
/* When the next frame arrives; delivers it. */
int64_t net_sim_first_flight(const struct net_sim *sim);
void net_sim_deliver_next(struct net_sim *sim);

struct net_sim_node *net_sim_find(const struct net_sim *sim, const char *name);

#endif
