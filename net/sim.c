#include "net/sim.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "net/sim_own.h"

/* splitmix64 (Steele, Lea, Flood, OOPSLA 2014): small, seeded by any number; no secret rests on it.
 */
uint64_t net_sim_draw(struct net_sim *sim)
{
    uint64_t z = sim->random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static fm_status random_fill(void *ctx, void *out, size_t len, struct base_err *err)
{
    uint8_t *p = out;

    (void)err;
    for (size_t i = 0; i < len; i++)
        p[i] = (uint8_t)(net_sim_draw(ctx) >> 32);
    return FM_OK;
}

static int64_t unix_ms(void *ctx)
{
    const struct net_sim *sim = ctx;

    return INT64_C(1700000000000) + sim->now_ms;
}

static int64_t mono_ms(void *ctx)
{
    const struct net_sim *sim = ctx;

    return sim->now_ms;
}

struct net_sim_node *net_sim_find(const struct net_sim *sim, const char *name)
{
    for (struct net_sim_node *n = sim->nodes; n; n = n->next)
        if (strcmp(net_identity_name(n->identity), name) == 0)
            return n;
    return NULL;
}

/* Position in the list, for `rotated`. */
static unsigned place_of(const struct net_sim_node *node)
{
    unsigned i = 0;

    for (const struct net_sim_node *n = node; n->next; n = n->next)
        i++;
    return i;
}

static bool book_key_of(void *ctx, const char *peer, uint8_t out33[NET_KEY])
{
    const struct net_sim *sim = ctx;
    const struct net_sim_node *node = net_sim_find(sim, peer);

    if (!node)
        return false;
    memcpy(out33, net_identity_key(node->identity), NET_KEY);
    if (sim->rotated[place_of(node)])
        out33[0] ^= 1;
    return true;
}

fm_status net_sim_new(struct net_sim **out, uint64_t seed, struct base_err *err)
{
    struct net_sim *sim = calloc(1, sizeof *sim);

    *out = NULL;
    if (!sim)
        return base_err_memory(err, "simulation");
    sim->random = seed;
    sim->source = (struct base_random){random_fill, sim};
    sim->clock = (struct base_clock){unix_ms, mono_ms, sim};
    sim->now_ms = 1000;
    sim->min_ms = sim->max_ms = 1;
    sim->book = (struct net_keys){book_key_of, sim};
    net_sim_tasks_init(sim);
    *out = sim;
    return FM_OK;
}

void net_sim_free(struct net_sim *sim)
{
    struct net_sim_node *n;

    if (!sim)
        return;
    net_sim_tasks_release(sim);
    while ((n = sim->nodes)) {
        sim->nodes = n->next;
        net_node_release(&n->node);
        net_identity_free(n->identity);
        free(n);
    }
    net_sim_wire_release(sim);
    free(sim);
}

fm_status net_sim_node_new(struct net_sim *sim, struct net_sim_node **out, const char *name,
                           const struct net_keys *keys, const struct net_timing *timing,
                           struct base_err *err)
{
    uint8_t seed[32];

    base_hash(seed, name, strlen(name));
    base_store_u64(seed, base_load_u64(seed) ^ sim->random);
    return net_sim_node_with_key(sim, out, name, seed, keys, timing, err);
}

fm_status net_sim_node_with_key(struct net_sim *sim, struct net_sim_node **out, const char *name,
                                const uint8_t seed32[32], const struct net_keys *keys,
                                const struct net_timing *timing, struct base_err *err)
{
    struct net_sim_node *n = calloc(1, sizeof *n);
    struct net_node_config config = {
        .keys = keys ? *keys : sim->book, .wire = n ? &n->wire : NULL, .waits = &sim->waits};
    fm_status rv;

    *out = NULL;
    if (!n)
        return base_err_memory(err, "simulated node");
    if (timing)
        config.timing = *timing;
    rv = net_identity_from_seed(&n->identity, name, seed32, err);
    if (rv != FM_OK)
        goto fail;
    config.identity = n->identity;
    n->sim = sim;
    net_sim_wire_init(n);
    rv = net_node_init(&n->node, &config, err);
    if (rv != FM_OK)
        goto fail;
    n->next = sim->nodes;
    sim->nodes = n;
    assert(place_of(n) < NET_SIM_NODES_MAX);
    *out = n;
    return FM_OK;
fail:
    net_identity_free(n->identity);
    free(n);
    return rv;
}

struct net_node *net_sim_node(struct net_sim_node *node)
{
    return &node->node;
}

const uint8_t *net_sim_node_key(const struct net_sim_node *node)
{
    return net_identity_key(node->identity);
}

fm_status net_sim_connect_all(struct net_sim *sim, struct base_err *err)
{
    for (struct net_sim_node *n = sim->nodes; n; n = n->next) {
        struct net_peer_config peers[NET_SIM_NODES_MAX];
        size_t count = 0;
        fm_status rv;
        for (struct net_sim_node *m = sim->nodes; m; m = m->next) {
            const char *name = net_identity_name(m->identity);
            if (m != n)
                peers[count++] = (struct net_peer_config){name, name};
        }
        rv = net_node_peers_set(&n->node, peers, count, err);
        if (rv != FM_OK)
            return rv;
    }
    return FM_OK;
}

void net_sim_rotate(struct net_sim *sim, const char *name)
{
    struct net_sim_node *node = net_sim_find(sim, name);

    assert(node);
    sim->rotated[place_of(node)] = true;
}

void net_sim_kill(struct net_sim *sim, struct net_sim_node *node)
{
    if (node->dead)
        return;
    node->dead = true;
    net_sim_wire_break(sim, node);
    net_mesh_halt(node->node.mesh);
}

bool net_sim_dead(const struct net_sim_node *node)
{
    return node->dead || node->dying;
}

static int64_t first_tick(const struct net_sim *sim)
{
    int64_t first = INT64_MAX;

    for (const struct net_sim_node *n = sim->nodes; n; n = n->next)
        if (!n->dead && n->next_tick < first)
            first = n->next_tick;
    return first;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Does one thing that is due: a timer of a node, a sleeper's end, or a frame's arrival. */
static void do_due(struct net_sim *sim)
{
    for (struct net_sim_node *n = sim->nodes; n; n = n->next)
        if (!n->dead && n->next_tick <= sim->now_ms) {
            n->next_tick = INT64_MAX;
            n->next_tick = sooner(net_mesh_tick(n->node.mesh), n->next_tick);
            return;
        }
    if (net_sim_first_sleeper(sim) <= sim->now_ms)
        net_sim_wake_due(sim);
    else
        net_sim_deliver_next(sim);
}

static void bury(struct net_sim *sim)
{
    for (struct net_sim_node *n = sim->nodes; n; n = n->next)
        if (n->dying)
            net_sim_kill(sim, n);
}

fm_status net_sim_run(struct net_sim *sim, uint32_t ms, struct base_err *err)
{
    int64_t end = sim->now_ms + ms;
    bool tasks = net_sim_alive(sim) > 0;

    for (;;) {
        int64_t due = sooner(first_tick(sim), net_sim_first_sleeper(sim));
        struct net_task *task = net_sim_ready(sim);
        due = sooner(due, net_sim_first_flight(sim));
        if (tasks && net_sim_alive(sim) == 0)
            return FM_OK;
        /* Tasks and arrivals at the same moment come in any order: the seed decides. */
        if (task && (due > sim->now_ms || net_sim_draw(sim) % 2)) {
            net_sim_run_task(sim, task);
        } else if (due <= end) {
            if (due > sim->now_ms)
                sim->now_ms = due;
            do_due(sim);
        } else {
            sim->now_ms = end;
            if (!tasks)
                return FM_OK;
            return base_err_set(err, FM_E_TIMEOUT, "%u tasks still run after %u ms",
                                net_sim_alive(sim), ms);
        }
        bury(sim);
    }
}

const struct base_clock *net_sim_clock(const struct net_sim *sim)
{
    return &sim->clock;
}

const struct base_random *net_sim_random(struct net_sim *sim)
{
    return &sim->source;
}
