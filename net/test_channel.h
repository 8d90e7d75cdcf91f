/* For the tests of channels: two ends without a wire, a third who should not be there, and the
 * flights between them, altered on the way. */
#ifndef FIRMIANA_NET_TEST_CHANNEL_H
#define FIRMIANA_NET_TEST_CHANNEL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/profile.h"
#include "net/channel.h"

/* Who may speak, as a small table: what key_of answers. */
struct book {
    const char *name[3];
    uint8_t key[3][NET_KEY];
};

static inline bool key_of(void *ctx, const char *peer, uint8_t out33[NET_KEY])
{
    const struct book *book = ctx;

    for (int i = 0; i < 3; i++)
        if (book->name[i] && strcmp(book->name[i], peer) == 0) {
            memcpy(out33, book->key[i], NET_KEY);
            return true;
        }
    return false;
}

struct world {
    struct net_identity *a, *b, *mallory;
    struct book book;
    struct net_keys keys;
    struct net_channel *dials, *accepts;
    struct base_buf to_b, to_a;
    struct base_err err;
};

static inline struct net_identity *identity(const char *name, uint8_t seed)
{
    struct net_identity *id = NULL;
    struct base_err err = {0};
    uint8_t seed32[32];

    memset(seed32, seed, sizeof seed32);
    assert_int_equal(net_identity_from_seed(&id, name, seed32, &err), FM_OK);
    return id;
}

static inline void enter(struct world *w, int i, const struct net_identity *id)
{
    w->book.name[i] = net_identity_name(id);
    memcpy(w->book.key[i], net_identity_key(id), NET_KEY);
}

static inline void world_init(struct world *w)
{
    memset(w, 0, sizeof *w);
    w->a = identity("bank_a", 1);
    w->b = identity("bank_b", 2);
    w->mallory = identity("bank_a", 3);
    enter(w, 0, w->a);
    enter(w, 1, w->b);
    w->keys = (struct net_keys){key_of, &w->book};
}

static inline void world_release(struct world *w)
{
    net_channel_free(w->dials);
    net_channel_free(w->accepts);
    net_identity_free(w->a);
    net_identity_free(w->b);
    net_identity_free(w->mallory);
    base_buf_release(&w->to_a);
    base_buf_release(&w->to_b);
}

static inline void open_ends(struct world *w, const struct net_identity *dialler)
{
    net_channel_free(w->dials);
    net_channel_free(w->accepts);
    base_buf_clear(&w->to_a);
    base_buf_clear(&w->to_b);
    assert_int_equal(net_channel_new(&w->dials, dialler, &w->keys, NET_DIALS, "bank_b", &w->err),
                     FM_OK);
    assert_int_equal(net_channel_new(&w->accepts, w->b, &w->keys, NET_ACCEPTS, NULL, &w->err),
                     FM_OK);
}

/* Runs the handshake; in flight number `flight` (1 to 3) the byte at `at` is XORed with mask.
 * Returns the first status that is not FM_OK. *met says whether the byte existed. */
static inline fm_status shake(struct world *w, int flight, size_t at, uint8_t mask, bool *met)
{
    fm_status rv = net_channel_handshake(w->dials, NULL, 0, &w->to_b, &w->err);

    *met = false;
    for (int f = 1; rv == FM_OK && f <= 4; f++) {
        struct base_buf *from = f % 2 ? &w->to_b : &w->to_a;
        struct base_buf *to = f % 2 ? &w->to_a : &w->to_b;
        if (f == flight && at < from->len) {
            from->p[at] ^= mask;
            *met = true;
        }
        rv = net_channel_handshake(f % 2 ? w->accepts : w->dials, from->p, from->len, to, &w->err);
        base_buf_clear(from);
    }
    return rv;
}

/* Setup and teardown of what runs under the national profile. */
static inline int adopt(void **state)
{
    struct base_err err = {0};

    (void)state;
    return base_profile_adopt(BASE_PROFILE_NATIONAL, &err) == FM_OK ? 0 : -1;
}

static inline int forget(void **state)
{
    (void)state;
    base_profile_forget();
    return 0;
}

#endif
