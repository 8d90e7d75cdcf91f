/* Inside of rep3: its session state, messages to the neighbours, and the flow that overlaps
 * computing and sending. */
#ifndef FIRMIANA_MPC_REP3_STATE_H
#define FIRMIANA_MPC_REP3_STATE_H

#include "mpc/perm.h"
#include "mpc/share.h"

struct rep3 {
    unsigned i;                     /* our number, 0..2 */
    uint64_t seed[2][MPC_SEED / 8]; /* of own and next, for the lanes' generators */
    struct mpc_joint own;           /* k_i: with party i - 1 */
    struct mpc_joint next;          /* k_{i+1}: with party i + 1 */
    unsigned deals;  /* counts dealt chunks: the dealer of the next one is deals mod 3 */
    unsigned perms;  /* counts permutations: which party sends twice in the next one */
    uint64_t *stage; /* REP3_STAGES chunks */
};

/* Scratch of one chunk each; nothing stays in it between two calls of a flow's functions. */
enum rep3_stage { REP3_OUT, REP3_IN, REP3_VALUES, REP3_PLANES, REP3_STAGES };

static inline uint64_t *rep3_stage(struct rep3 *r, enum rep3_stage which)
{
    return r->stage + (size_t)which * MPC_CHUNK_WORDS;
}
static inline struct rep3 *rep3_of(const struct mpc_session *s)
{
    return s->state;
}
/* Transport number of compute party (i + ahead) mod 3. */
static inline unsigned rep3_party(const struct mpc_session *s, unsigned ahead)
{
    return s->compute[(rep3_of(s)->i + ahead) % 3];
}
fm_status rep3_send(struct mpc_session *s, unsigned ahead, const uint64_t *words, size_t count,
                    struct base_err *err) FM_CHECK;
fm_status rep3_recv(struct mpc_session *s, unsigned ahead, uint64_t *words, size_t count,
                    struct base_err *err) FM_CHECK;

/* Runs produce(0), produce(1), ..., with consume(u) coming `lag` units behind and settle(u), where
 * there is one, as far behind that: the lag units in between are on the wire while we compute. lag
 * chunks must fit the transport's window. All generators are drawn from in produce(), in order, so
 * that their holders stay in step. */
struct rep3_flow {
    fm_status (*produce)(struct mpc_session *s, void *ctx, size_t unit, struct base_err *err);
    fm_status (*consume)(struct mpc_session *s, void *ctx, size_t unit, struct base_err *err);
    void *ctx;
    size_t units;
    size_t lag;
    fm_status (*settle)(struct mpc_session *s, void *ctx, size_t unit, struct base_err *err);
};
fm_status rep3_flow_run(struct mpc_session *s, const struct rep3_flow *flow,
                        struct base_err *err) FM_CHECK;

/* One run of words whose summand in za goes to party i - 1 and whose zb comes from party i + 1. */
struct rep3_cell {
    uint64_t *za;
    uint64_t *zb;
    size_t words;
    const void *job; /* what the maker computes za from */
};
/* Computes words [from, from + count) of a cell into its za, masked. */
typedef void rep3_cell_fn(struct mpc_session *s, const struct rep3_cell *cell, size_t from,
                          size_t count);
/* Reshares all cells in one round; chunks pack small cells together. */
fm_status rep3_reshare(struct mpc_session *s, const struct rep3_cell *cells, size_t count,
                       rep3_cell_fn *compute, struct base_err *err) FM_CHECK;

/* Slots, by file. */
fm_status rep3_input(struct mpc_session *s, struct mpc_share *const *z,
                     const struct mpc_input *items, size_t count, struct base_err *err);
fm_status rep3_reveal_to(struct mpc_session *s, const struct mpc_share *const *x, size_t count,
                         const unsigned *recipients, size_t recipients_len, uint64_t *const *words,
                         struct base_err *err);
fm_status rep3_open_masked(struct mpc_session *s, const struct mpc_share *const *x, size_t count,
                           uint64_t *const *words, struct base_err *err);
fm_status rep3_mul(struct mpc_session *s, struct mpc_share *const *z,
                   const struct mpc_share *const *x, const struct mpc_share *const *y, size_t count,
                   struct base_err *err);
fm_status rep3_dot(struct mpc_session *s, struct mpc_share *const *z,
                   const struct mpc_share *const *x, const struct mpc_share *const *y, size_t count,
                   struct base_err *err);
fm_status rep3_dot_columns(struct mpc_session *s, struct mpc_share *z,
                           const struct mpc_share *const *x, const struct mpc_share *const *y,
                           size_t count, struct base_err *err);
fm_status rep3_and(struct mpc_session *s, const struct mpc_gate *gates, size_t count,
                   struct base_err *err);
fm_status rep3_a2b(struct mpc_session *s, struct mpc_share *const *z,
                   const struct mpc_share *const *x, size_t count, struct base_err *err);
fm_status rep3_msb(struct mpc_session *s, struct mpc_share *const *z,
                   const struct mpc_share *const *x, const struct mpc_share *const *y,
                   const unsigned *width, size_t count, struct base_err *err);
fm_status rep3_a2b_by_ripple(struct mpc_session *s, struct mpc_share *const *z,
                             const struct mpc_share *const *x, size_t count, struct base_err *err);
/* By one AND a position, one after another. */
fm_status rep3_msb_by_ripple(struct mpc_session *s, struct mpc_share *const *z,
                             const struct mpc_share *const *x, const unsigned *width, size_t count,
                             struct base_err *err);
fm_status rep3_msb_linked(struct mpc_session *s, struct mpc_share *z,
                          const struct mpc_share *const *x, const unsigned *width, size_t count,
                          struct base_err *err);
fm_status rep3_eqz(struct mpc_session *s, struct mpc_share *const *z,
                   const struct mpc_share *const *x, const struct mpc_share *const *y,
                   const unsigned *width, size_t count, struct base_err *err);
fm_status rep3_b2a(struct mpc_session *s, struct mpc_share *const *z,
                   const struct mpc_share *const *x, size_t count, enum mpc_sign sign,
                   struct base_err *err);
fm_status rep3_bit2a(struct mpc_session *s, struct mpc_share *const *z,
                     const struct mpc_share *const *x, size_t count, struct base_err *err);
fm_status rep3_bit_count(struct mpc_session *s, struct mpc_share *const *z,
                         const struct mpc_share *const *x, size_t count, struct base_err *err);
fm_status rep3_perm_random(struct mpc_session *s, struct mpc_perm *perm, struct base_err *err);
fm_status rep3_perm_apply(const struct mpc_perm *perm, enum mpc_direction direction,
                          struct mpc_share *const *z, const struct mpc_share *const *x,
                          size_t count, struct base_err *err);
fm_status rep3_coin(struct mpc_session *s, uint8_t *out, size_t len, struct base_err *err);
fm_status rep3_zero_share(struct mpc_session *s, enum mpc_domain domain, uint64_t *out,
                          size_t words, struct base_err *err);
fm_status rep3_random(struct mpc_session *s, struct mpc_share *z, struct base_err *err);

#endif
