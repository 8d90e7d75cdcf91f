/* The counters behind net_stats_get(), one set per stream, so that every transport counts alike.
 * Not locked: the owner of the stream, or of the lock around it, calls these. */
#ifndef FIRMIANA_NET_COUNT_H
#define FIRMIANA_NET_COUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "net/transport.h"

struct net_count {
    uint64_t bytes_sent;
    uint64_t bytes_received;
    uint64_t messages_sent;
    uint64_t rounds;
    bool sent_since_round;
};

static inline void net_count_send(struct net_count *c, size_t len)
{
    c->bytes_sent += len;
    c->messages_sent++;
    c->sent_since_round = true;
}

static inline void net_count_recv(struct net_count *c, size_t len)
{
    c->bytes_received += len;
    if (c->sent_since_round)
        c->rounds++;
    c->sent_since_round = false;
}

/* Adds one stream's counters to a total: sums, and the greatest number of rounds. */
static inline void net_count_add(struct net_stats *total, const struct net_count *c)
{
    total->bytes_sent += c->bytes_sent;
    total->bytes_received += c->bytes_received;
    total->messages_sent += c->messages_sent;
    if (c->rounds > total->rounds)
        total->rounds = c->rounds;
}

#endif
