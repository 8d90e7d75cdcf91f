/* The simulation's wire: connections in memory, their delays and faults. As with ZeroMQ, a dialler
 * that hangs up breaks the connection; an accepter cannot. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "net/sim_own.h"

static bool is_cut(const struct net_sim *sim, const struct net_sim_node *a,
                   const struct net_sim_node *b)
{
    const char *x = a ? net_identity_name(a->identity) : "";
    const char *y = b ? net_identity_name(b->identity) : "";

    for (unsigned i = 0; i < sim->cuts; i++)
        if ((strcmp(sim->cut[i][0], x) == 0 && strcmp(sim->cut[i][1], y) == 0) ||
            (strcmp(sim->cut[i][0], y) == 0 && strcmp(sim->cut[i][1], x) == 0))
            return true;
    return false;
}

void net_sim_cut(struct net_sim *sim, const char *a, const char *b, bool cut)
{
    for (unsigned i = 0; i < sim->cuts; i++)
        if (strcmp(sim->cut[i][0], a) == 0 && strcmp(sim->cut[i][1], b) == 0) {
            memcpy(sim->cut[i], sim->cut[sim->cuts - 1], sizeof sim->cut[i]);
            sim->cuts--;
            break;
        }
    if (!cut)
        return;
    assert(sim->cuts < NET_SIM_NODES_MAX);
    strcpy(sim->cut[sim->cuts][0], a);
    strcpy(sim->cut[sim->cuts][1], b);
    sim->cuts++;
}

void net_sim_latency(struct net_sim *sim, uint32_t min_ms, uint32_t max_ms)
{
    assert(min_ms <= max_ms);
    sim->min_ms = min_ms;
    sim->max_ms = max_ms;
}

static struct conn *conn_new(struct net_sim *sim, struct net_sim_node *from,
                             const struct net_route *route, struct net_sim_node *to)
{
    struct conn *c = calloc(1, sizeof *c);

    if (!c)
        abort(); /* a simulation without memory proves nothing */
    c->end[0].node = from;
    if (route)
        c->end[0].route = *route;
    c->end[1].node = to;
    c->end[1].route = (struct net_route){.len = 9, .id = {'A'}};
    base_store_u64(c->end[1].route.id + 1, ++sim->conn_numbers);
    c->next = sim->conns;
    sim->conns = c;
    return c;
}

/* Puts a frame (or NULL, the news of the break) under way to an end; in order. */
static void depart(struct net_sim *sim, struct end *to, struct net_frame *frame)
{
    struct flight *f = calloc(1, sizeof *f);
    uint64_t spread = sim->max_ms - sim->min_ms + 1;

    if (!f)
        abort();
    f->frame = frame;
    f->number = ++sim->flight_numbers;
    f->at_ms = sim->now_ms + sim->min_ms + (int64_t)(net_sim_draw(sim) % spread);
    if (to->last && f->at_ms < to->last->at_ms)
        f->at_ms = to->last->at_ms;
    if (frame)
        frame->route = to->route;
    if (to->last)
        to->last->next = f;
    else
        to->first = f;
    to->last = f;
}

static struct net_frame *copy_of(const struct net_frame *frame)
{
    struct net_frame *copy = net_frame_new(frame->len);

    if (!copy)
        abort();
    memcpy(copy->bytes, frame->bytes, frame->len);
    return copy;
}

/* Does what the armed fault asks of this frame. Returns false if the frame itself must not go. */
static bool suffer(struct net_sim *sim, struct net_sim_node *sender, struct end *to,
                   struct net_frame *frame)
{
    uint64_t bit;

    sim->fired = true;
    switch (sim->fault) {
    case NET_SIM_LOST:
        return false;
    case NET_SIM_DOUBLED:
        depart(sim, to, copy_of(frame));
        return true;
    case NET_SIM_ALTERED:
        bit = net_sim_draw(sim) % (frame->len * 8);
        frame->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        return true;
    case NET_SIM_STRANGER_BEFORE:
    case NET_SIM_STRANGER_ALONE:
        if (to->node)
            depart(sim, &conn_new(sim, NULL, NULL, to->node)->end[1], copy_of(frame));
        return sim->fault == NET_SIM_STRANGER_BEFORE;
    case NET_SIM_SENDER_DIES:
        sender->dying = true; /* its mesh is in the middle of a call: it dies right after */
        return false;
    case NET_SIM_FAULTS:
        break;
    }
    return true;
}

void net_sim_fault(struct net_sim *sim, enum net_sim_fault fault, uint64_t at)
{
    sim->armed = true;
    sim->fired = false;
    sim->fault = fault;
    sim->fault_at = sim->frames + at;
}

bool net_sim_fault_fired(const struct net_sim *sim)
{
    return sim->fired;
}

uint64_t net_sim_frames(const struct net_sim *sim)
{
    return sim->frames;
}

/* The far end of the connection that this node calls by that name. */
static struct end *far_end(struct net_sim_node *node, const struct net_route *route)
{
    for (struct conn *c = node->sim->conns; c; c = c->next)
        for (int i = 0; i < 2; i++)
            if (c->end[i].node == node && net_route_equal(&c->end[i].route, route))
                return &c->end[1 - i];
    return NULL;
}

static void wire_send(void *ctx, struct net_frame *frame)
{
    struct net_sim_node *node = ctx;
    struct net_sim *sim = node->sim;
    struct end *to = far_end(node, &frame->route);
    bool goes = to && !node->dying && !node->dead;

    if (goes && ++sim->frames == sim->fault_at && sim->armed)
        goes = suffer(sim, node, to, frame);
    if (goes && !is_cut(sim, node, to->node))
        depart(sim, to, frame);
    else
        net_frame_free(frame);
}

static void wire_dial(void *ctx, const struct net_route *route, const char *endpoint)
{
    struct net_sim_node *node = ctx;
    struct net_sim_node *to = net_sim_find(node->sim, endpoint);
    struct conn *c = conn_new(node->sim, node, route, to);

    if (!to || to->dead)
        depart(node->sim, &c->end[0], NULL);
}

static void wire_hangup(void *ctx, const struct net_route *route)
{
    struct net_sim_node *node = ctx;

    for (struct conn *c = node->sim->conns; c; c = c->next)
        if (c->end[0].node == node && net_route_equal(&c->end[0].route, route)) {
            c->end[0].node = NULL;
            depart(node->sim, &c->end[1], NULL);
        }
}

static void wire_wake(void *ctx)
{
    struct net_sim_node *node = ctx;

    node->next_tick = node->sim->now_ms;
}

void net_sim_wire_init(struct net_sim_node *node)
{
    node->wire = (struct net_wire){.ctx = node,
                                   .dial = wire_dial,
                                   .hangup = wire_hangup,
                                   .send = wire_send,
                                   .wake = wire_wake};
}

void net_sim_wire_break(struct net_sim *sim, struct net_sim_node *node)
{
    for (struct conn *c = sim->conns; c; c = c->next)
        for (int i = 0; i < 2; i++)
            if (c->end[i].node == node) {
                c->end[i].node = NULL;
                depart(sim, &c->end[1 - i], NULL);
            }
}

void net_sim_wire_release(struct net_sim *sim)
{
    struct conn *c;

    while ((c = sim->conns)) {
        sim->conns = c->next;
        for (int i = 0; i < 2; i++)
            while (c->end[i].first) {
                struct flight *f = c->end[i].first;
                c->end[i].first = f->next;
                net_frame_free(f->frame);
                free(f);
            }
        free(c);
    }
}

static struct end *first_end(const struct net_sim *sim)
{
    struct end *first = NULL;

    for (struct conn *c = sim->conns; c; c = c->next)
        for (int i = 0; i < 2; i++) {
            struct end *e = &c->end[i];
            if (e->first && (!first || e->first->at_ms < first->first->at_ms ||
                             (e->first->at_ms == first->first->at_ms &&
                              e->first->number < first->first->number)))
                first = e;
        }
    return first;
}

int64_t net_sim_first_flight(const struct net_sim *sim)
{
    const struct end *e = first_end(sim);

    return e ? e->first->at_ms : INT64_MAX;
}

void net_sim_deliver_next(struct net_sim *sim)
{
    struct end *e = first_end(sim);
    struct flight *f = e->first;
    struct net_sim_node *node = e->node;
    struct net_route route = e->route;

    e->first = f->next;
    if (!e->first)
        e->last = NULL;
    if (!f->frame)
        e->node = NULL; /* broken: nothing comes after */
    if (!node || node->dead || node->dying)
        net_frame_free(f->frame);
    else if (f->frame)
        net_mesh_frame(node->node.mesh, f->frame);
    else
        net_mesh_route_gone(node->node.mesh, &route, "the connection broke");
    if (node)
        node->next_tick = sim->now_ms;
    free(f);
}

void net_sim_stranger(struct net_sim *sim, struct net_sim_node *to, unsigned number,
                      const void *frame, size_t len)
{
    struct conn *c = sim->conns;
    struct net_frame *copy = net_frame_new(len);

    if (!copy)
        abort();
    memcpy(copy->bytes, frame, len);
    while (c && (c->stranger != number || c->end[1].node != to))
        c = c->next;
    if (!c) {
        c = conn_new(sim, NULL, NULL, to);
        c->stranger = number;
    }
    depart(sim, &c->end[1], copy);
}
