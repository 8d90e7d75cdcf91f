/* Permutations that no party knows: three hops, each by a permutation that two parties know (Laur,
 * Willemson, Zhang, ISC 2011; Araki et al., CCS 2021, use the same three for replicated shares).
 *
 * Hop e leaves party e out. Parties p = e + 1 and q = e + 2 share k_{e+2} and draw the permutation
 * pi_e from it. p holds x_{e+1} and x_{e+2}, q holds x_e: as a two-party sharing, A = x_{e+1} +
 * x_{e+2} and B = x_e. New components: y_{e+1} = F(k_{e+1}) (p and e), y_e = F(k_e) (e and q), and
 * y_{e+2} = pi(A) + pi(B) - y_{e+1} - y_e, of which p sends q pi(A) - y_{e+1} and q sends p pi(B) -
 * y_e. Each message is masked by a generator that its receiver lacks. The whole permutation is hop
 * 0, then 1, then 2; the inverse runs them backwards. It is uniform to each party, because each
 * party misses one pi. */
#include <string.h>

#include "mpc/kernels.h"
#include "mpc/rep3/state.h"

/* Which of p (1), q (2) or the party left out (0) we are in hop e. */
static unsigned role(const struct mpc_session *s, unsigned e)
{
    return (rep3_of(s)->i + 3 - e) % 3;
}

fm_status rep3_perm_random(struct mpc_session *s, struct mpc_perm *perm, struct base_err *err)
{
    struct rep3 *r = rep3_of(s);

    for (unsigned e = 0; e < 3; e++) {
        unsigned mine = role(s, e);
        fm_status status;

        if (mine == 0)
            continue;
        status = mpc_perm_map_new(perm, e, err);
        if (status != FM_OK)
            return status;
        mpc_perm_draw(perm, e, mine == 1 ? &r->next : &r->own); /* k_{e+2} */
    }
    return FM_OK;
}

struct hop {
    unsigned e;
    const uint32_t *map;
    const struct mpc_share *const *x;
    struct mpc_share *const *z;
    size_t out; /* column, and the word of it, that produce stands in */
    size_t out_at;
    size_t in;
    size_t in_at;
};

static size_t step(const struct hop *h, size_t *column, size_t *at)
{
    size_t left;

    while (*at == h->z[*column]->comp_words) {
        (*column)++;
        *at = 0;
    }
    left = h->z[*column]->comp_words - *at;
    return left < MPC_CHUNK_WORDS ? left : MPC_CHUNK_WORDS;
}

static void combine(const struct mpc_share *x, uint64_t *z, const uint64_t *a, const uint64_t *b,
                    size_t n)
{
    if (x->domain == MPC_RING64)
        mpc_k_add(z, a, b, n);
    else
        mpc_k_xor(z, a, b, n);
}

/* y -= mask, in the domain of x. */
static void take_off(const struct mpc_share *x, uint64_t *y, const uint64_t *mask, size_t n)
{
    if (x->domain == MPC_RING64)
        mpc_k_sub(y, y, mask, n);
    else
        mpc_k_xor(y, y, mask, n);
}

/* What we put in before the messages: our permuted summand where component e + 2 will be (0 of q, 1
 * of p). */
static void permute_column(const struct hop *h, unsigned mine, const struct mpc_share *x,
                           struct mpc_share *z)
{
    uint64_t *to = mpc_comp(z, mine == 1 ? 1 : 0);
    uint64_t *scratch = mpc_comp(z, mine == 1 ? 0 : 1);
    const uint64_t *from = mpc_comp(x, 1); /* q: x_e */

    if (mine == 1) {
        combine(x, scratch, mpc_comp(x, 0), mpc_comp(x, 1), x->comp_words);
        from = scratch;
    }
    if (x->domain == MPC_RING64)
        mpc_k_gather(to, from, h->map, x->n);
    for (unsigned j = 0; x->domain == MPC_BITS && j < x->width; j++)
        mpc_k_gather_bits(to + j * x->plane_words, from + j * x->plane_words, h->map, x->n);
}

static fm_status hop_produce(struct mpc_session *s, void *ctx, size_t unit, struct base_err *err)
{
    struct hop *h = ctx;
    struct rep3 *r = rep3_of(s);
    unsigned mine = role(s, h->e);
    size_t n = step(h, &h->out, &h->out_at);
    uint64_t *z0 = mpc_comp(h->z[h->out], 0) + h->out_at;
    uint64_t *z1 = mpc_comp(h->z[h->out], 1) + h->out_at;
    fm_status status = FM_OK;

    (void)unit;
    switch (mine) {
    case 0: /* holds e, e + 1 */
        mpc_joint_fill(&r->own, z0, n);
        mpc_joint_fill(&r->next, z1, n);
        break;
    case 1: /* holds e + 1, e + 2 */
        mpc_joint_fill(&r->own, z0, n);
        take_off(h->z[h->out], z1, z0, n);
        status = rep3_send(s, 1, z1, n, err);
        break;
    default: /* holds e + 2, e */
        mpc_joint_fill(&r->next, z1, n);
        take_off(h->z[h->out], z0, z1, n);
        status = rep3_send(s, 2, z0, n, err);
        break;
    }
    h->out_at += n;
    return status;
}

static fm_status hop_consume(struct mpc_session *s, void *ctx, size_t unit, struct base_err *err)
{
    struct hop *h = ctx;
    unsigned mine = role(s, h->e);
    uint64_t *stage = rep3_of(s)->stage;
    size_t n = step(h, &h->in, &h->in_at);
    fm_status status = FM_OK;

    (void)unit;
    if (mine != 0) {
        uint64_t *summand = mpc_comp(h->z[h->in], mine == 1 ? 1 : 0) + h->in_at;

        status = rep3_recv(s, mine == 1 ? 1 : 2, stage, n, err);
        if (status == FM_OK)
            combine(h->z[h->in], summand, summand, stage, n);
    }
    h->in_at += n;
    return status;
}

static fm_status run_hop(struct mpc_session *s, struct hop *h, size_t count, struct base_err *err)
{
    struct rep3_flow flow = {hop_produce, hop_consume, h, 0, 2, NULL};
    unsigned mine = role(s, h->e);

    for (size_t i = 0; i < count; i++) {
        flow.units += (h->z[i]->comp_words + MPC_CHUNK_WORDS - 1) / MPC_CHUNK_WORDS;
        if (mine != 0 && h->x[i]->n > 0)
            permute_column(h, mine, h->x[i], h->z[i]);
    }
    if (flow.units == 0)
        return FM_OK;
    s->stats.rounds++;
    return rep3_flow_run(s, &flow, err);
}

fm_status rep3_perm_apply(const struct mpc_perm *perm, enum mpc_direction direction,
                          struct mpc_share *const *z, const struct mpc_share *const *x,
                          size_t count, struct base_err *err)
{
    struct mpc_session *s = perm->session;
    struct mpc_share *spare[MPC_MAX_LIST];
    fm_status status = FM_OK;

    memset(spare, 0, count * sizeof spare[0]);
    for (size_t i = 0; status == FM_OK && i < count; i++)
        status = mpc_share_new(&spare[i], s, x[i]->domain, x[i]->n, x[i]->width, x[i]->range, err);
    for (unsigned k = 0; status == FM_OK && k < 3; k++) {
        unsigned e = direction == MPC_FORWARD ? k : 2 - k;
        /* x -> z -> spare -> z */
        struct hop h = {.e = e,
                        .map = direction == MPC_FORWARD ? perm->map[e] : perm->inverse[e],
                        .x = k == 0   ? x
                             : k == 1 ? (const struct mpc_share *const *)z
                                      : (const struct mpc_share *const *)spare,
                        .z = k == 1 ? spare : z};
        status = run_hop(s, &h, count, err);
    }
    mpc_share_free_all(spare, count);
    return status;
}
