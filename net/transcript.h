/* The running, salted hash of one direction of one stream. wire.md, "Transcript". */
#ifndef FIRMIANA_NET_TRANSCRIPT_H
#define FIRMIANA_NET_TRANSCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

struct net_transcript {
    bool begun;
    bool closed;
    struct base_hash hash;
    uint8_t digest32[32];
};

/* Adds a frame: its head and its payload in the clear. The first frame begins the hash. */
void net_transcript_add(struct net_transcript *t, const uint8_t salt32[32], const uint8_t *head16,
                        const uint8_t *payload, size_t len);
/* Adds stream number and hash to the sum over streams, if any frame was added. The transcript takes
 * no more frames. */
void net_transcript_close(struct net_transcript *t, unsigned stream, struct base_hash *sum);
void net_transcript_release(struct net_transcript *t);

#endif
