#include "net/transcript.h"

#include <assert.h>

#include "net/frame.h"

void net_transcript_add(struct net_transcript *t, const uint8_t salt32[32], const uint8_t *head16,
                        const uint8_t *payload, size_t len)
{
    assert(!t->closed);
    if (!t->begun) {
        base_hash_init(&t->hash);
        base_hash_update(&t->hash, salt32, 32);
        t->begun = true;
    }
    base_hash_update(&t->hash, head16, NET_HEAD);
    if (len > 0)
        base_hash_update(&t->hash, payload, len);
}

void net_transcript_close(struct net_transcript *t, unsigned stream, struct base_hash *sum)
{
    uint8_t number = (uint8_t)stream;

    if (!t->begun)
        return;
    if (!t->closed)
        base_hash_final(&t->hash, t->digest32);
    t->closed = true;
    base_hash_update(sum, &number, 1);
    base_hash_update(sum, t->digest32, 32);
}

void net_transcript_release(struct net_transcript *t)
{
    uint8_t unused[32];

    if (t->begun && !t->closed)
        base_hash_final(&t->hash, unused);
}
