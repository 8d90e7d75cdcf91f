/* Nodes over real sockets on loopback, shared by the tests of the ZeroMQ wire. */
#ifndef FIRMIANA_NET_TEST_ZMQ_H
#define FIRMIANA_NET_TEST_ZMQ_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <poll.h>

#include "net/zmq.h"

enum { NODES = 3, PATIENCE_MS = 20000 };

static const char *const names[NODES] = {"bank_a", "bank_b", "bank_c"};

static inline struct net_identity *identity(int i)
{
    struct net_identity *id = NULL;
    struct base_err err;
    uint8_t seed[32] = {(uint8_t)(i + 1)};

    assert_int_equal(net_identity_from_seed(&id, names[i], seed, &err), FM_OK);
    return id;
}

struct book {
    struct net_identity *id[NODES];
};

static inline bool key_of(void *ctx, const char *peer, uint8_t out33[NET_KEY])
{
    const struct book *book = ctx;

    for (int i = 0; i < NODES; i++)
        if (strcmp(names[i], peer) == 0) {
            memcpy(out33, net_identity_key(book->id[i]), NET_KEY);
            return true;
        }
    return false;
}

static const struct net_timing timing = {.heartbeat_ms = 200,
                                         .silence_ms = 3000,
                                         .handshake_ms = 2000,
                                         .redial_min_ms = 20,
                                         .redial_max_ms = 200};

static inline struct net_zmq *open_node(struct book *book, int i, const char *bind)
{
    struct net_zmq_config config = {
        .bind = bind, .identity = book->id[i], .keys = {key_of, book}, .timing = timing};
    struct net_zmq *z = NULL;
    struct base_err err;

    if (net_zmq_open(&z, &config, &err) != FM_OK)
        fail_msg("%s", err.text);
    return z;
}

/* Everybody knows everybody; the smaller names dial. */
static inline void introduce(struct net_zmq *const *z)
{
    struct base_err err;

    for (int i = 0; i < NODES; i++) {
        struct net_peer_config peers[NODES];
        size_t n = 0;
        for (int j = 0; z[i] && j < NODES; j++)
            if (j != i && z[j])
                peers[n++] = (struct net_peer_config){names[j], net_zmq_endpoint(z[j])};
        if (z[i])
            assert_int_equal(net_node_peers_set(net_zmq_node(z[i]), peers, n, &err), FM_OK);
    }
}

static inline int64_t now(void)
{
    return base_clock_mono_ms(base_clock_system());
}

/* Waits for an event of this kind about this peer, through the descriptor as a node does. */
static inline bool await(struct net_zmq *z, enum net_event_kind kind, const char *peer,
                         struct net_event *out)
{
    int64_t end = now() + PATIENCE_MS;

    while (now() < end) {
        struct pollfd p = {.fd = net_zmq_fd(z), .events = POLLIN};
        struct net_event *e;
        bool found;
        poll(&p, 1, (int)(end - now()));
        e = net_node_event(net_zmq_node(z), 0);
        found = e && e->kind == kind && (!peer || strcmp(e->peer, peer) == 0);
        if (found && out)
            *out = *e;
        net_node_event_done(net_zmq_node(z), e);
        if (found)
            return true;
    }
    return false;
}

static inline void open_all(struct book *book, struct net_zmq **z)
{
    for (int i = 0; i < NODES; i++)
        book->id[i] = identity(i);
    for (int i = 0; i < NODES; i++)
        z[i] = open_node(book, i, "tcp://127.0.0.1:*");
    introduce(z);
    for (int i = 0; i < NODES; i++)
        for (int n = 0; n < NODES - 1; n++)
            assert_true(await(z[i], NET_PEER_UP, NULL, NULL));
}

static inline void close_all(struct book *book, struct net_zmq **z)
{
    for (int i = 0; i < NODES; i++) {
        net_zmq_close(z[i]);
        net_identity_free(book->id[i]);
    }
}

#endif
