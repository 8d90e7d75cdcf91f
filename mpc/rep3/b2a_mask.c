/* b2a by a masked addition, bit by bit (the random-mask method of ABY3, eprint 2018/403,
 * section 5.4.2, made exact at every width).
 *
 * For each unit some party d deals. Its r is k random bits, XOR of F(k_d) and F(k_{d+1}): d alone
 * knows it, and (F(k_d), F(k_{d+1}), 0) is a sharing of its planes that nobody had to send. One
 * boolean addition gives t = x + r mod 2^k and the carry c out of it, so x = t - r + 2^k c. At k =
 * 64 the carry is worth nothing; below, bit injection brings it into the ring. Parties d + 1 and
 * d + 2 open t between them; the dealer shares -r in the ring: a_d = F(k_d), a_{d+1} = -r - a_d,
 * sent to d + 1. The result is (a_d, a_{d+1}, t) plus 2^k c. A number in two's complement of k < 64
 * bits is first raised by 2^(k-1), by flipping its top bit, and lowered again in the ring.
 *
 * Privacy: d + 1 lacks k_d, and d + 2 lacks k_{d+1}; to each of them r, and so t, is uniform. Of
 * t's components, each of them gets the one it lacks, which follows from t and what it holds.
 * a_{d+1} is masked by F(k_d), which d + 1 lacks.
 *
 * The opened t, the dealt -r and the first half of the injection are one round. */
#include <string.h>

#include "mpc/circuit/adder.h"
#include "mpc/gates.h"
#include "mpc/kernels.h"
#include "mpc/rep3/b2a.h"
#include "mpc/rep3/inject.h"

struct masked {
    const struct mpc_share *x;
    struct mpc_share *z;
    unsigned k;
    bool carries;
    struct mpc_share *r; /* k planes */
    struct mpc_share *p; /* x ^ r, and a plane of zeros if the carry is wanted */
    struct mpc_share *t; /* the sum, and the carry if it is wanted */
    struct mpc_share *c; /* the carry as a column, and in the ring */
    struct mpc_share *ring;
    struct rep3_inject inject;
    unsigned dealer; /* of the first unit */
};

static size_t units_of(const struct masked *m)
{
    return (m->x->n + MPC_CHUNK_WORDS - 1) / MPC_CHUNK_WORDS;
}

static unsigned role(const struct mpc_session *s, const struct masked *m, size_t unit)
{
    return (unsigned)((rep3_of(s)->i + 6 - m->dealer - unit % 3) % 3);
}

/* Element and plane word where a unit begins, and how many of each it has. */
struct span {
    size_t at;
    size_t n;
    size_t word;
    size_t words;
};

static struct span span_of(const struct masked *m, size_t unit)
{
    struct span p = {.at = unit * MPC_CHUNK_WORDS};

    p.n = m->x->n - p.at < MPC_CHUNK_WORDS ? m->x->n - p.at : MPC_CHUNK_WORDS;
    p.word = p.at / 64;
    p.words = mpc_plane_words(p.n);
    return p;
}

static void draw_r(struct mpc_session *s, struct masked *m)
{
    struct rep3 *r = rep3_of(s);

    for (size_t unit = 0; unit < units_of(m); unit++) {
        struct span p = span_of(m, unit);
        unsigned mine = role(s, m, unit);

        for (unsigned j = 0; j < m->k; j++) {
            uint64_t *r0 = mpc_plane(m->r, 0, j) + p.word;
            uint64_t *r1 = mpc_plane(m->r, 1, j) + p.word;

            if (mine == 2)
                memset(r0, 0, p.words * 8);
            else
                mpc_joint_fill(&r->own, r0, p.words);
            if (mine == 1)
                memset(r1, 0, p.words * 8);
            else
                mpc_joint_fill(&r->next, r1, p.words);
        }
    }
}

/* t = x + r: p, then the adder. Positions past x's width repeat its sign, or are 0. */
static fm_status add_r(struct mpc_session *s, struct masked *m, enum mpc_sign sign,
                       struct base_err *err)
{
    struct mpc_adder adder = {m->r, m->p, m->k + m->carries};
    unsigned top = m->x->width - 1;

    for (unsigned c = 0; c < 2; c++) {
        for (unsigned j = 0; j < m->k; j++) {
            const uint64_t *r = mpc_plane(m->r, c, j);
            uint64_t *p = mpc_plane(m->p, c, j);

            if (j <= top || sign == MPC_SIGNED)
                mpc_k_xor(p, r, mpc_plane(m->x, c, j < top ? j : top), m->x->plane_words);
            else
                memcpy(p, r, m->x->plane_words * 8);
        }
        if (m->carries)
            memset(mpc_plane(m->p, c, m->k), 0, m->x->plane_words * 8);
    }
    if (m->carries && sign == MPC_SIGNED)
        mpc_wire_flip(s, mpc_wire_of(m->p, top));
    return mpc_adder_sum_by(s, MPC_FEW_BYTES, &m->t, &adder, 1, err);
}

/* The unit's planes of one component of t, bits past the column's end cleared. */
static void copy_t(uint64_t *out, const struct masked *m, unsigned comp, const struct span *p)
{
    for (unsigned j = 0; j < m->k; j++) {
        memcpy(out + j * p->words, mpc_plane(m->t, comp, j) + p->word, p->words * 8);
        out[(j + 1) * p->words - 1] &= mpc_tail_mask(p->n);
    }
}

static fm_status deal_r(struct mpc_session *s, struct masked *m, const struct span *p,
                        struct base_err *err)
{
    struct rep3 *r = rep3_of(s);
    uint64_t *a0 = mpc_comp(m->z, 0) + p->at;
    uint64_t *a1 = mpc_comp(m->z, 1) + p->at;

    for (unsigned j = 0; j < m->k; j++)
        mpc_k_xor(r->stage + j * p->words, mpc_plane(m->r, 0, j) + p->word,
                  mpc_plane(m->r, 1, j) + p->word, p->words);
    mpc_k_from_planes(a1, r->stage, p->words, m->k, p->n);
    mpc_joint_fill(&r->own, a0, p->n);
    mpc_k_add(a1, a1, a0, p->n);
    mpc_k_scale(a1, a1, ~UINT64_C(0), p->n);
    return rep3_send(s, 1, a1, p->n, err);
}

static fm_status open_out(struct mpc_session *s, void *ctx, size_t unit, struct base_err *err)
{
    struct masked *m = ctx;
    struct rep3 *r = rep3_of(s);
    struct span p = span_of(m, unit);
    fm_status status = m->carries ? rep3_inject_deal_out(s, &m->inject, unit, err) : FM_OK;

    if (status != FM_OK)
        return status;
    switch (role(s, m, unit)) {
    case 0:
        return deal_r(s, m, &p, err);
    case 1:
        copy_t(r->stage, m, 0, &p);
        return rep3_send(s, 1, r->stage, m->k * p.words, err);
    default:
        mpc_joint_fill(&r->next, mpc_comp(m->z, 1) + p.at, p.n);
        copy_t(r->stage, m, 1, &p);
        return rep3_send(s, 2, r->stage, m->k * p.words, err);
    }
}

/* The missing component of t is on its way from `ahead`; all of t becomes component `comp`. */
static fm_status take_t(struct mpc_session *s, struct masked *m, const struct span *p,
                        unsigned ahead, unsigned comp, struct base_err *err)
{
    uint64_t *stage = rep3_of(s)->stage + MPC_CHUNK_WORDS;
    fm_status status = rep3_recv(s, ahead, stage, m->k * p->words, err);

    if (status != FM_OK)
        return status;
    for (unsigned j = 0; j < m->k; j++)
        for (unsigned c = 0; c < 2; c++)
            mpc_k_xor(stage + j * p->words, stage + j * p->words, mpc_plane(m->t, c, j) + p->word,
                      p->words);
    mpc_k_from_planes(mpc_comp(m->z, comp) + p->at, stage, p->words, m->k, p->n);
    return FM_OK;
}

static fm_status open_in(struct mpc_session *s, void *ctx, size_t unit, struct base_err *err)
{
    struct masked *m = ctx;
    struct span p = span_of(m, unit);
    fm_status status = m->carries ? rep3_inject_deal_in(s, &m->inject, unit, err) : FM_OK;

    if (status != FM_OK)
        return status;
    switch (role(s, m, unit)) {
    case 0:
        return FM_OK;
    case 1:
        status = rep3_recv(s, 2, mpc_comp(m->z, 0) + p.at, p.n, err);
        return status == FM_OK ? take_t(s, m, &p, 1, 1, err) : status;
    default:
        return take_t(s, m, &p, 2, 0, err);
    }
}

/* x = t - r + 2^k c, and the flipped sign undone. */
static fm_status put_together(struct mpc_session *s, struct masked *m, enum mpc_sign sign,
                              struct base_err *err)
{
    struct rep3_flow open = {open_out, open_in, m, units_of(m), 6, NULL};
    struct rep3_flow signs = {
        rep3_inject_sign_out, rep3_inject_sign_in, &m->inject, open.units, 2, NULL};
    const struct mpc_share *bit;
    fm_status status;

    if (m->carries) {
        bit = m->c;
        m->inject = (struct rep3_inject){.x = &bit, .z = &m->ring};
        for (unsigned c = 0; c < 2; c++)
            memcpy(mpc_comp(m->c, c), mpc_plane(m->t, c, m->k), m->c->comp_words * 8);
        rep3_inject_restart(&m->inject, m->dealer);
    }
    s->stats.rounds++;
    status = rep3_flow_run(s, &open, err);
    if (status != FM_OK || !m->carries)
        return status;
    rep3_inject_restart(&m->inject, m->dealer);
    s->stats.rounds++;
    status = rep3_flow_run(s, &signs, err);
    if (status != FM_OK)
        return status;
    for (unsigned c = 0; c < 2; c++)
        mpc_k_add_scaled(mpc_comp(m->z, c), mpc_comp(m->ring, c), UINT64_C(1) << m->k, m->x->n);
    if (sign == MPC_SIGNED)
        s->row->add_constant(s, m->z, 0 - (UINT64_C(1) << (m->k - 1)));
    return FM_OK;
}

fm_status rep3_b2a_masked(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x,
                          enum mpc_sign sign, unsigned positions, struct base_err *err)
{
    struct masked m = {.x = x, .z = z, .k = positions, .carries = positions < 64};
    size_t n = x->n;
    fm_status status = mpc_bits_new(&m.r, s, n, m.k, err);

    if (status == FM_OK)
        status = mpc_bits_new(&m.p, s, n, m.k + m.carries, err);
    if (status == FM_OK)
        status = mpc_bits_new(&m.t, s, n, m.k + m.carries, err);
    if (status == FM_OK && m.carries)
        status = mpc_bits_new(&m.c, s, n, 1, err);
    if (status == FM_OK && m.carries)
        status = mpc_ring_new(&m.ring, s, n, (struct mpc_range){0, 1}, err);
    if (status != FM_OK)
        goto out;
    m.dealer = rep3_of(s)->deals % 3;
    rep3_of(s)->deals += (unsigned)(units_of(&m) % 3);
    draw_r(s, &m);
    status = add_r(s, &m, sign, err);
    if (status == FM_OK)
        status = put_together(s, &m, sign, err);
out:
    mpc_share_free(m.r);
    mpc_share_free(m.p);
    mpc_share_free(m.t);
    mpc_share_free(m.c);
    mpc_share_free(m.ring);
    return status;
}

struct mpc_rep3_cost rep3_b2a_masked_cost(unsigned positions)
{
    unsigned carries = positions < 64;
    struct mpc_circuit_cost sum = mpc_sum_cost(positions + carries, MPC_FEW_BYTES);

    return (struct mpc_rep3_cost){24 * sum.ands + 16 * positions + 8 * 64 + carries * 24 * 64,
                                  sum.rounds + 1 + carries, 0};
}
