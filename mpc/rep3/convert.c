/* a2b, msb, eqz: dealing the two summands of x (rep3.h), then a circuit over gates. */
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "mpc/circuit/adder.h"
#include "mpc/gates.h"
#include "mpc/kernels.h"
#include "mpc/rep3/group.h"
#include "mpc/rep3/rep3.h"

/* What is dealt for one x: the low k planes of p = u ^ v, and of u itself if asked for; or, for the
 * zero test, p = u ^ -v, which is zero exactly where u + v is. */
struct deal {
    const struct mpc_share *x;
    struct mpc_share *u; /* NULL: not wanted */
    struct mpc_share *p;
    unsigned k;
};

struct deal_flow {
    struct deal *deals;
    uint64_t *values; /* 64 * chunk words of scratch: a chunk's integers */
    size_t count;
    bool negate; /* v := -v */
    size_t out;  /* the deal that produce stands in, and its next word */
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
    for (unsigned j = 0; z != NULL && j < z->width; j++)
        memset(mpc_plane(z, comp, j) + at, 0, words * 8);
}

/* The two who know v = x_{d+2}: its bits, as held component comp of p. */
static void put_v(const struct deal_flow *f, const struct deal *d, unsigned comp, size_t at,
                  size_t words)
{
    size_t from = at * 64;
    size_t n = d->x->n - from < words * 64 ? d->x->n - from : words * 64;
    const uint64_t *v = mpc_comp(d->x, comp) + from;

    if (f->negate) {
        mpc_k_scale(f->values, v, ~UINT64_C(0), n);
        v = f->values;
    }
    mpc_k_to_planes(mpc_comp(d->p, comp) + at, d->p->plane_stride, d->k, v, n);
    clear_planes(d->u, comp, at, words);
}

static void copy_planes_to_u(const struct deal *d, unsigned comp, size_t at, size_t words)
{
    for (unsigned j = 0; d->u != NULL && j < d->k; j++)
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
        put_v(f, d, 1, at, words);
        break;
    default: /* holds d + 2, d */
        put_v(f, d, 0, at, words);
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

static fm_status deal_all(struct mpc_session *s, struct deal *deals, size_t count, bool negate,
                          struct base_err *err)
{
    struct rep3 *r = rep3_of(s);
    struct deal_flow f = {.deals = deals, .count = count, .negate = negate};
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
                                struct mpc_share *const *z, size_t count, bool with_u,
                                struct base_err *err)
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
        if (status == FM_OK && with_u)
            status = mpc_bits_new(&d->u, s, x[i]->n, d->k, err);
        c->adders[i] = (struct mpc_adder){d->u, d->p, d->k};
    }
    return status;
}

fm_status rep3_a2b(struct mpc_session *s, struct mpc_share *const *z,
                   const struct mpc_share *const *x, size_t count, struct base_err *err)
{
    struct conversion c;
    fm_status status = conversion_new(&c, s, x, NULL, z, count, true, err);

    if (status == FM_OK)
        status = deal_all(s, c.deals, count, false, err);
    if (status == FM_OK)
        status = mpc_adder_sum(s, z, c.adders, count, err);
    conversion_release(&c);
    return status;
}

static fm_status msb_by_ripple(struct mpc_session *s, struct mpc_share *const *z,
                               const struct mpc_share *const *x, const unsigned *width,
                               size_t count, struct base_err *err)
{
    struct conversion c;
    fm_status status = conversion_new(&c, s, x, width, z, count, true, err);

    if (status == FM_OK)
        status = deal_all(s, c.deals, count, false, err);
    for (size_t i = 0; status == FM_OK && i < count; i++) {
        c.adders[i].bits = width[i] - 1;
        c.tops[i] = mpc_wire_of(c.deals[i].p, width[i] - 1);
    }
    if (status == FM_OK)
        status = mpc_adder_carry(s, z, c.adders, c.tops, count, err);
    conversion_release(&c);
    return status;
}

struct mpc_rep3_cost mpc_rep3_msb_cost(unsigned width, enum mpc_profile profile)
{
    unsigned bits = width - 1;
    struct mpc_rep3_cost best = {8 * (uint64_t)width + 24 * (uint64_t)bits, width, 0};

    if (profile == MPC_FEW_BYTES || bits == 0)
        return best;
    for (unsigned size = 4; size > 0; size--) {
        struct mpc_circuit_cost tree = mpc_groups_cost(rep3_group_count(bits, size));
        struct mpc_rep3_cost cost = {rep3_group_bytes(bits, size) + 24 * tree.ands, 2 + tree.rounds,
                                     size};

        if (best.group == 0 || cost.rounds < best.rounds ||
            (cost.rounds == best.rounds && cost.bytes < best.bytes))
            best = cost;
    }
    return best;
}

static fm_status msb_by_groups(struct mpc_session *s, struct mpc_share *const *z,
                               const struct mpc_share *const *x, const unsigned *width,
                               size_t count, struct base_err *err)
{
    struct rep3_group *items = calloc(count, sizeof *items);
    struct mpc_groups *trees = calloc(count, sizeof *trees);
    struct mpc_wire *tops = calloc(count, sizeof *tops);
    fm_status status = FM_OK;

    if (items == NULL || trees == NULL || tops == NULL)
        status = base_err_memory(err, "conversion");
    for (size_t i = 0; status == FM_OK && i < count; i++) {
        unsigned size = mpc_rep3_msb_cost(width[i], s->profile).group;
        unsigned bits = width[i] - 1;
        unsigned planes;

        size = size == 0 ? 1 : size; /* one bit: no carry, and any size */
        planes = rep3_group_planes(bits, size);
        items[i] = rep3_group_alone(x[i], NULL, bits, size);
        status = mpc_bits_new(&items[i].gp, s, x[i]->n, planes, err);
        tops[i] = mpc_wire_of(items[i].gp, planes - 1);
        trees[i] = (struct mpc_groups){items[i].gp, items[i].gp, rep3_group_count(bits, size),
                                       rep3_group_count(bits, size)};
    }
    if (status == FM_OK)
        status = rep3_group_all(s, items, count, err);
    if (status == FM_OK)
        status = mpc_adder_groups(s, z, trees, tops, count, err);
    for (size_t i = 0; items != NULL && i < count; i++)
        mpc_share_free(items[i].gp);
    free(items);
    free(trees);
    free(tops);
    return status;
}

fm_status rep3_msb(struct mpc_session *s, struct mpc_share *const *z,
                   const struct mpc_share *const *x, const unsigned *width, size_t count,
                   struct base_err *err)
{
    return s->profile == MPC_FEW_BYTES ? msb_by_ripple(s, z, x, width, count, err)
                                       : msb_by_groups(s, z, x, width, count, err);
}

/* x = 0 mod 2^k  <=>  u = -v mod 2^k  <=>  all planes of ~(u ^ -v) are 1. */
fm_status rep3_eqz(struct mpc_session *s, struct mpc_share *const *z,
                   const struct mpc_share *const *x, const unsigned *width, size_t count,
                   struct base_err *err)
{
    struct conversion c;
    const struct mpc_share **planes = calloc(count, sizeof *planes);
    fm_status status = conversion_new(&c, s, x, width, z, count, false, err);

    if (status == FM_OK && planes == NULL)
        status = base_err_memory(err, "conversion");
    if (status == FM_OK)
        status = deal_all(s, c.deals, count, true, err);
    for (size_t i = 0; status == FM_OK && i < count; i++) {
        planes[i] = c.deals[i].p;
        for (unsigned j = 0; j < width[i]; j++)
            mpc_wire_flip(s, mpc_wire_of(c.deals[i].p, j));
    }
    if (status == FM_OK)
        status = mpc_all_planes(s, z, planes, count, err);
    free(planes);
    conversion_release(&c);
    return status;
}
