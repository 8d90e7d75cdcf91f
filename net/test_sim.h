/* A small simulated consortium, shared by the tests of mesh and sessions. */
#ifndef FIRMIANA_NET_TEST_SIM_H
#define FIRMIANA_NET_TEST_SIM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/sim.h"

enum { TEST_NODES = 3 };

static const char *const test_names[TEST_NODES] = {"bank_a", "bank_b", "bank_c"};

struct consortium {
    struct net_sim *sim;
    struct net_sim_node *at[TEST_NODES];
    struct net_node *node[TEST_NODES];
};

static inline void consortium_init(struct consortium *c, uint64_t seed)
{
    struct base_err err = {0};

    assert_int_equal(net_sim_new(&c->sim, seed, &err), FM_OK);
    for (int i = 0; i < TEST_NODES; i++) {
        assert_int_equal(net_sim_node_new(c->sim, &c->at[i], test_names[i], NULL, NULL, &err),
                         FM_OK);
        c->node[i] = net_sim_node(c->at[i]);
    }
    assert_int_equal(net_sim_connect_all(c->sim, &err), FM_OK);
}

/* Lets time pass; there are no tasks. */
static inline void pass(struct consortium *c, uint32_t ms)
{
    struct base_err err = {0};

    assert_int_equal(net_sim_run(c->sim, ms, &err), FM_OK);
}

/* Takes events of a node until one of this kind, or none is left: true if it came; a copy in out if
 * it is not NULL (its bytes are not kept). */
static inline bool saw(struct net_node *node, enum net_event_kind kind, struct net_event *out)
{
    struct net_event *e;
    bool found = false;

    while (!found && (e = net_node_event(node, 0))) {
        found = e->kind == kind;
        if (found && out)
            *out = *e;
        net_node_event_done(node, e);
    }
    return found;
}

static inline void drain(struct consortium *c)
{
    struct net_event *e;

    for (int i = 0; i < TEST_NODES; i++)
        while ((e = net_node_event(c->node[i], 0)))
            net_node_event_done(c->node[i], e);
}

static inline bool all_up(struct consortium *c)
{
    for (int i = 0; i < TEST_NODES; i++)
        for (int j = 0; j < TEST_NODES; j++)
            if (i != j && !net_node_peer_live(c->node[i], test_names[j]))
                return false;
    return true;
}

#endif
