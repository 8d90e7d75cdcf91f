/* Inside of mpc/: what a share and a session are made of. Protocol rows, and the wrappers that
 * check arguments for them, include this; circuits use gates.h and never look into a share.
 *
 * A share holds `held` components (the row's business: plain 1, rep3 2, an outsider 0), each a run
 * of comp_words words that starts on a 64-byte boundary: ring: comp_words = n; bits: plane j is
 * words [j * plane_words, (j + 1) * plane_words). Bits of a plane past n are unspecified (they come
 * from generators) and leave the session nowhere: reveal, open and digest clear them, counts skip
 * them. */
#ifndef FIRMIANA_MPC_SHARE_H
#define FIRMIANA_MPC_SHARE_H

#include "mpc/protocol.h"
#include "mpc/randomness.h"

struct mpc_share {
    struct mpc_session *session;
    struct mpc_share *prev; /* in the session's list of live shares */
    struct mpc_share *next; /* there, or in its list of free ones of the same size class */
    enum mpc_domain domain;
    unsigned width;
    size_t n;
    struct mpc_range range;
    size_t plane_words;  /* ring: n */
    size_t plane_stride; /* words from one plane to the next: plane_words, or more in a view
                            (lanes.h) */
    size_t comp_words;   /* ring: n; bits: width * plane_words */
    size_t comp_stride;  /* comp_words rounded up to 8 */
    uint64_t *data;      /* NULL if hollow or empty */
    size_t block_bytes;  /* of data, a size class */
    unsigned pins;       /* > 0: a malicious row still needs it; freeing waits for the last unpin */
    bool unwanted;       /* freed while pinned */
    size_t whole;        /* n, or that of the long column of which this is a lane's slice */
};

enum { MPC_SIZE_CLASSES = 256 };

struct mpc_lanes;

struct mpc_session {
    const struct mpc_protocol *row;
    struct net_transport *transport; /* NULL: one party alone */
    unsigned self;
    unsigned parties;
    unsigned compute[NET_MAX_PARTIES];
    unsigned index; /* self's place in compute[]; meaningless at an outsider */
    bool computes;
    bool hollow; /* shares have their sizes and no memory: reckon/ */
    unsigned held;
    int public_at; /* which held component takes public constants, -1 if none of ours */
    uint8_t context32[32];
    unsigned stream;
    unsigned streams;
    enum mpc_profile profile;
    struct mpc_private random;
    void *state; /* the row's */
    struct mpc_stats stats;
    struct net_stats before; /* the transport's counters when we were opened */
    size_t memory;
    size_t heap; /* mpc_heap_more() */
    struct mpc_share *live;
    struct mpc_share *spare[MPC_SIZE_CLASSES];
    struct mpc_lanes *lanes; /* NULL: one */
};

static inline uint64_t *mpc_comp(const struct mpc_share *x, unsigned c)
{
    return x->data + c * x->comp_stride;
}

static inline uint64_t *mpc_plane(const struct mpc_share *x, unsigned c, unsigned plane)
{
    return x->data + c * x->comp_stride + plane * x->plane_stride;
}

static inline uint64_t *mpc_wire_words(struct mpc_wire w, unsigned c)
{
    return mpc_plane(w.share, c, w.plane);
}

/* The valid bits of a plane's last word. */
static inline uint64_t mpc_tail_mask(size_t n)
{
    return n % 64 == 0 ? ~UINT64_C(0) : (UINT64_C(1) << n % 64) - 1;
}

/* A fresh share, contents unspecified. width: of bits. FM_E_ARG if n or width passes a limit,
 * FM_E_MEMORY. */
fm_status mpc_share_new(struct mpc_share **out, struct mpc_session *s, enum mpc_domain domain,
                        size_t n, unsigned width, struct mpc_range range,
                        struct base_err *err) FM_CHECK;
static inline fm_status mpc_ring_new(struct mpc_share **out, struct mpc_session *s, size_t n,
                                     struct mpc_range range, struct base_err *err)
{
    return mpc_share_new(out, s, MPC_RING64, n, 0, range, err);
}
static inline fm_status mpc_bits_new(struct mpc_share **out, struct mpc_session *s, size_t n,
                                     unsigned width, struct base_err *err)
{
    return mpc_share_new(out, s, MPC_BITS, n, width, (struct mpc_range){0, 0}, err);
}
/* At least `bytes` of the session's memory at (*out)->data, for what is no share (maps, scratch)
 * but should come from pages that are there already; given back by mpc_share_free(). */
fm_status mpc_block_new(struct mpc_share **out, struct mpc_session *s, size_t bytes,
                        struct base_err *err) FM_CHECK;
/* What an algorithm takes beside columns (maps, lists of comparisons), for the account alone. */
static inline void mpc_heap_more(struct mpc_session *s, size_t bytes)
{
    s->heap += bytes;
    if (s->heap > s->stats.memory_heap)
        s->stats.memory_heap = s->heap;
}
static inline void mpc_heap_less(struct mpc_session *s, size_t bytes)
{
    s->heap -= bytes;
}
void mpc_share_pin(struct mpc_share *x);
void mpc_share_unpin(struct mpc_share *x);
void mpc_pool_release(struct mpc_session *s); /* wipes and frees every share */

/* FM_E_MEMORY, and the transport is aborted: for what is allocated outside a row's slots. */
fm_status mpc_no_memory(struct mpc_session *s, const char *what, struct base_err *err) FM_CHECK;

/* How an operation ends. Unless it is our caller's mistake (whose text already names the
 * operation), a failure gets the prefix "NAME OP: " and aborts the transport, so that no peer waits
 * for messages that will not come. Returns status. */
fm_status mpc_finish(struct mpc_session *s, enum mpc_op op, fm_status status,
                     struct base_err *err) FM_CHECK;

#endif
