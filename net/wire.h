/* What the mesh asks of whatever carries frames: ZeroMQ (zmq.c) or memory (sim.c). None of these
 * calls blocks; send and wake are called by any thread, the others only by the thread that drives
 * the mesh or one that holds the node's lock. */
#ifndef FIRMIANA_NET_WIRE_H
#define FIRMIANA_NET_WIRE_H

#include "net/frame.h"

enum { NET_WHERE = 64 };

struct net_wire {
    void *ctx;
    /* Begins a connection to the endpoint; frames may be sent on the route at once. That it failed
     * is told by net_mesh_route_gone(). The mesh chooses the route's name. */
    void (*dial)(void *ctx, const struct net_route *route, const char *endpoint);
    /* The mesh will not use this route again. Frames sent before are still delivered if they can
     * be. */
    void (*hangup)(void *ctx, const struct net_route *route);
    /* Takes the frame, whose route says where to. In order for each route. Frames to routes that
     * are gone are dropped. */
    void (*send)(void *ctx, struct net_frame *frame);
    /* Where an incoming route comes from, in words for a log; NULL if the wire cannot say. Called
     * by the thread that drives the mesh. */
    void (*where)(void *ctx, const struct net_route *route, char out[NET_WHERE]);
    /* Asks for a net_mesh_tick() soon. */
    void (*wake)(void *ctx);
};

#endif
