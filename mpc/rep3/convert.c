/* a2b and msb in the few-bytes profile: dealing the two summands of x (rep3.h), then a circuit over
 * gates. */
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "mpc/circuit/adder.h"
#include "mpc/gates.h"
#include "mpc/kernels.h"
#include "mpc/rep3/group.h"
#include "mpc/rep3/rep3.h"

/* What is dealt for one x: the low k planes of u and of p = u ^ v. */
struct deal {
    const struct mpc_share *x;
    struct mpc_share *u;
    struct mpc_share *p;
    unsigned k;
};

struct deal_flow {
    struct deal *deals;
    uint64_t *values; /* 64 * chunk words of scratch: a chunk's integers */
    size_t count;
    size_t out; /* the deal that produce stands in, and its next word */
    size_t out_at;
    size_t in;
    size_t in_at;
    unsigned out_dealer;
    unsigned in_dealer;
};

/* Words of each plane in one chunk of a deal: k planes of them are one message. */
static size_t chunk_of(const struct deal *d, size_t at)
{
    size_t words = MPC_CHUNK_WORDS / d->k;
    size_t left = d->p->plane_words - at;

    return left < words ? left : words;
}

static size_t units_of(const struct deal *d)
{
    size_t words = MPC_CHUNK_WORDS / d->k;

    return (d->p->plane_words + words - 1) / words;
}

static void clear_planes(struct mpc_share *z, unsigned comp, size_t at, size_t words)
{
    for (unsigned j = 0; j < z->width; j++)
        memset(mpc_plane(z, comp, j) + at, 0, words * 8);
}

/* The two who know v = x_{d+2}: its bits, as held component comp of p. */
static void put_v(const struct deal *d, unsigned comp, size_t at, size_t words)
{
    size_t from = at * 64;
    size_t n = d->x->n - from < words * 64 ? d->x->n - from : words * 64;
    const uint64_t *v = mpc_comp(d->x, comp) + from;

    mpc_k_to_planes(mpc_comp(d->p, comp) + at, d->p->plane_stride, d->k, v, n);
    clear_planes(d->u, comp, at, words);
}

static void copy_planes_to_u(const struct deal *d, unsigned comp, size_t at, size_t words)
{
    for (unsigned j = 0; j < d->k; j++)
        memcpy(mpc_plane(d->u, comp, j) + at, mpc_plane(d->p, comp, j) + at, words * 8);
}

/* u_d = F(k_d): the dealer's own key, the next key of party d + 2. */
static void put_mask(const struct deal *d, struct mpc_joint *joint, unsigned comp, size_t at,
                     size_t words)
{
    for (unsigned j = 0; j < d->k; j++)
        mpc_joint_fill(joint, mpc_plane(d->p, comp, j) + at, words);
    copy_planes_to_u(d, comp, at, words);
}

/* The dealer: u = x_d + x_{d+1}, u_{d+1} = u ^ u_d, sent to party d + 1. */
static fm_status deal_out(struct mpc_session *s, struct deal_flow *f, const struct deal *d,
                          size_t at, size_t words, struct base_err *err)
{
    struct rep3 *r = rep3_of(s);
    size_t from = at * 64;
    size_t n = d->x->n - from < words * 64 ? d->x->n - from : words * 64;

    put_mask(d, &r->own, 0, at, words);
    mpc_k_add(f->values, mpc_comp(d->x, 0) + from, mpc_comp(d->x, 1) + from, n);
    mpc_k_to_planes(mpc_comp(d->p, 1) + at, d->p->plane_stride, d->k, f->values, n);
    for (unsigned j = 0; j < d->k; j++) {
        uint64_t *plane = mpc_plane(d->p, 1, j) + at;

        mpc_k_xor(plane, plane, mpc_plane(d->p, 0, j) + at, words);
        memcpy(r->stage + j * words, plane, words * 8);
    }
    copy_planes_to_u(d, 1, at, words);
    return rep3_send(s, 1, r->stage, words * d->k, err);
}

static fm_status deal_produce(struct mpc_session *s, void *ctx, size_t unit, struct base_err *err)
{
    struct deal_flow *f = ctx;
    struct rep3 *r = rep3_of(s);
    fm_status status = FM_OK;
    const struct deal *d;
    size_t words;
    size_t at;

    (void)unit;
    while (f->out_at == f->deals[f->out].p->plane_words) {
        f->out++;
        f->out_at = 0;
    }
    d = &f->deals[f->out];
    at = f->out_at;
    words = chunk_of(d, at);
    switch ((r->i + 3 - f->out_dealer) % 3) {
    case 0: /* holds d, d + 1 */
        status = deal_out(s, f, d, at, words, err);
        break;
    case 1: /* holds d + 1 (to come), d + 2 */
        put_v(d, 1, at, words);
        break;
    default: /* holds d + 2, d */
        put_v(d, 0, at, words);
        put_mask(d, &r->next, 1, at, words);
        break;
    }
    f->out_at += words;
    f->out_dealer = (f->out_dealer + 1) % 3;
    return status;
}

static fm_status deal_consume(struct mpc_session *s, void *ctx, size_t unit, struct base_err *err)
{
    struct deal_flow *f = ctx;
    struct rep3 *r = rep3_of(s);
    uint64_t *stage = r->stage + MPC_CHUNK_WORDS;
    fm_status status = FM_OK;
    const struct deal *d;
    size_t words;

    (void)unit;
    while (f->in_at == f->deals[f->in].p->plane_words) {
        f->in++;
        f->in_at = 0;
    }
    d = &f->deals[f->in];
    words = chunk_of(d, f->in_at);
    if ((r->i + 3 - f->in_dealer) % 3 == 1) {
        status = rep3_recv(s, 2, stage, words * d->k, err);
        for (unsigned j = 0; status == FM_OK && j < d->k; j++)
            memcpy(mpc_plane(d->p, 0, j) + f->in_at, stage + j * words, words * 8);
        if (status == FM_OK)
            copy_planes_to_u(d, 0, f->in_at, words);
    }
    f->in_at += words;
    f->in_dealer = (f->in_dealer + 1) % 3;
    return status;
}

static fm_status deal_all(struct mpc_session *s, struct deal *deals, size_t count,
                          struct base_err *err)
{
    struct rep3 *r = rep3_of(s);
    struct deal_flow f = {.deals = deals, .count = count};
    struct rep3_flow flow = {deal_produce, deal_consume, &f, 0, 6, NULL};
    size_t longest = 0;
    fm_status status;

    for (size_t i = 0; i < count; i++) {
        size_t words = deals[i].p->plane_words > 0 ? chunk_of(&deals[i], 0) : 0;

        flow.units += units_of(&deals[i]);
        longest = words > longest ? words : longest;
    }
    if (flow.units == 0)
        return FM_OK;
    f.values = malloc(longest * 64 * 8);
    if (f.values == NULL)
        return base_err_memory(err, "dealing");
    f.out_dealer = f.in_dealer = r->deals % 3;
    r->deals += (unsigned)(flow.units % 3);
    status = rep3_flow_run(s, &flow, err);
    base_wipe(f.values, longest * 64 * 8);
    free(f.values);
    s->stats.rounds++;
    return status;
}

/* Everything that one conversion of a list needs besides its outputs. */
struct conversion {
    struct deal *deals;
    struct mpc_adder *adders;
    struct mpc_wire *tops;
    size_t count;
};

static void conversion_release(struct conversion *c)
{
    for (size_t i = 0; c->deals != NULL && i < c->count; i++) {
        mpc_share_free(c->deals[i].u);
        mpc_share_free(c->deals[i].p);
    }
    free(c->deals);
    free(c->adders);
    free(c->tops);
}

static fm_status conversion_new(struct conversion *c, struct mpc_session *s,
                                const struct mpc_share *const *x, const unsigned *width,
                                struct mpc_share *const *z, size_t count, struct base_err *err)
{
    fm_status status = FM_OK;

    *c = (struct conversion){calloc(count, sizeof *c->deals), calloc(count, sizeof *c->adders),
                             calloc(count, sizeof *c->tops), count};
    if (c->deals == NULL || c->adders == NULL || c->tops == NULL)
        return base_err_memory(err, "conversion");
    for (size_t i = 0; status == FM_OK && i < count; i++) {
        struct deal *d = &c->deals[i];

        d->x = x[i];
        d->k = width != NULL ? width[i] : z[i]->width;
        status = mpc_bits_new(&d->p, s, x[i]->n, d->k, err);
        if (status == FM_OK)
            status = mpc_bits_new(&d->u, s, x[i]->n, d->k, err);
        c->adders[i] = (struct mpc_adder){d->u, d->p, d->k};
    }
    return status;
}

fm_status rep3_a2b_by_ripple(struct mpc_session *s, struct mpc_share *const *z,
                             const struct mpc_share *const *x, size_t count, struct base_err *err)
{
    struct conversion c;
    fm_status status = conversion_new(&c, s, x, NULL, z, count, err);

    if (status == FM_OK)
        status = deal_all(s, c.deals, count, err);
    if (status == FM_OK)
        status = mpc_adder_sum_by(s, MPC_FEW_BYTES, z, c.adders, count, err);
    conversion_release(&c);
    return status;
}

fm_status rep3_msb_by_ripple(struct mpc_session *s, struct mpc_share *const *z,
                             const struct mpc_share *const *x, const unsigned *width, size_t count,
                             struct base_err *err)
{
    struct conversion c;
    fm_status status = conversion_new(&c, s, x, width, z, count, err);

    if (status == FM_OK)
        status = deal_all(s, c.deals, count, err);
    for (size_t i = 0; status == FM_OK && i < count; i++) {
        c.adders[i].bits = width[i] - 1;
        c.tops[i] = mpc_wire_of(c.deals[i].p, width[i] - 1);
    }
    if (status == FM_OK)
        status = mpc_adder_carry_by(s, MPC_FEW_BYTES, z, c.adders, c.tops, count, err);
    conversion_release(&c);
    return status;
}
