/* Inside of reckon/: what a reckoning counts, and the slots of its row that have a cost function.
 */
#ifndef FIRMIANA_MPC_RECKON_OWN_H
#define FIRMIANA_MPC_RECKON_OWN_H

#include "mpc/reckon/reckon.h"
#include "mpc/share.h"

struct mpc_reckon {
    struct net_transport face;
    struct mpc_session *session;
    unsigned compute[3];
    const char *names[NET_MAX_PARTIES];
    uint64_t evenly;  /* bytes that the compute parties send each other, a third each */
    uint64_t brought; /* and bring to recipients; who receives it stands below */
    uint64_t sent[NET_MAX_PARTIES]; /* beside these */
    uint64_t received[NET_MAX_PARTIES];
    double busy_ns;
};

/* Processor time of one compute party, in nanoseconds, sealing and copying of what it sends among
 * it: bench_mpc's cpu_seconds / 3, 10^5 and 10^6 elements, AVX-512; what is gathered, moved and
 * local also by whole queries (bench_sql). */
#define NS_CALL 3000.0      /* an operation, whatever its length */
#define NS_ROUND 40000.0    /* sealing, sending and being woken, by real nodes */
#define NS_MUL 11.0         /* an element */
#define NS_WORD_AND 12.0    /* a word of a gate */
#define NS_MASKED_BYTE 0.58 /* a byte of masked circuits, over all parties */
#define NS_MASKED 4.5       /* an element of them: into planes and back */
#define NS_BIT2A 11.0       /* an element */
#define NS_MOVED 40.0       /* a word of a permutation */
#define NS_LOCAL 1.5        /* a word of what is done without a message */
#define NS_GATHERED 6.0     /* a word that is fetched from anywhere */
#define NS_INPUT 12.0       /* a word put in or opened */

static inline struct mpc_reckon *reckon_of(const struct mpc_session *s)
{
    return (struct mpc_reckon *)s->transport; /* face is its first member */
}

/* What the three send each other, as evenly as rep3 deals it out. */
static inline void reckon_spend(struct mpc_session *s, uint64_t bytes, unsigned rounds, double ns)
{
    struct mpc_reckon *r = reckon_of(s);

    r->evenly += bytes;
    s->stats.rounds += rounds;
    r->busy_ns += ns + rounds * NS_ROUND + NS_CALL;
}

static inline void reckon_work(const struct mpc_session *s, double words, double ns_word)
{
    reckon_of(s)->busy_ns += words * ns_word;
}

static inline bool reckon_computes(const struct mpc_reckon *r, unsigned party)
{
    return party == r->compute[0] || party == r->compute[1] || party == r->compute[2];
}

extern const struct mpc_protocol mpc_reckon_row;

/* circuits.c */
fm_status reckon_mul(struct mpc_session *s, struct mpc_share *const *z,
                     const struct mpc_share *const *x, const struct mpc_share *const *y,
                     size_t count, struct base_err *err);
fm_status reckon_dot(struct mpc_session *s, struct mpc_share *const *z,
                     const struct mpc_share *const *x, const struct mpc_share *const *y,
                     size_t count, struct base_err *err);
fm_status reckon_dot_columns(struct mpc_session *s, struct mpc_share *z,
                             const struct mpc_share *const *x, const struct mpc_share *const *y,
                             size_t count, struct base_err *err);
fm_status reckon_and(struct mpc_session *s, const struct mpc_gate *gates, size_t count,
                     struct base_err *err);
fm_status reckon_a2b(struct mpc_session *s, struct mpc_share *const *z,
                     const struct mpc_share *const *x, size_t count, struct base_err *err);
fm_status reckon_msb(struct mpc_session *s, struct mpc_share *const *z,
                     const struct mpc_share *const *x, const struct mpc_share *const *y,
                     const unsigned *width, size_t count, struct base_err *err);
fm_status reckon_eqz(struct mpc_session *s, struct mpc_share *const *z,
                     const struct mpc_share *const *x, const struct mpc_share *const *y,
                     const unsigned *width, size_t count, struct base_err *err);
fm_status reckon_msb_linked(struct mpc_session *s, struct mpc_share *z,
                            const struct mpc_share *const *x, const unsigned *width, size_t count,
                            struct base_err *err);
fm_status reckon_bit2a(struct mpc_session *s, struct mpc_share *const *z,
                       const struct mpc_share *const *x, size_t count, struct base_err *err);
fm_status reckon_b2a(struct mpc_session *s, struct mpc_share *const *z,
                     const struct mpc_share *const *x, size_t count, enum mpc_sign sign,
                     struct base_err *err);
fm_status reckon_bit_count(struct mpc_session *s, struct mpc_share *const *z,
                           const struct mpc_share *const *x, size_t count, struct base_err *err);

#endif
