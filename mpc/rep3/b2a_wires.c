/* b2a by masked wires: the random-mask method of ABY3 (eprint 2018/403, section 5.4.2), with its
 * addition by the circuits of masked.h.
 *
 * For each unit some party d deals. r is 64 random bits, F(k_{d+2}): d + 1 and d + 2 know it, d
 * does not. The circuit adds it to x, whose k bits are its leaves without being dealt (masked.h),
 * and gives t = x + r mod 2^k and, for k < 64, the carry c into position k. From there on x has no
 * bits, so t_j = r_j ^ c R_j with R_j = r_k r_{k+1} .. r_{j-1}, which two know: each multiplies its
 * summand of c by R_j. t is opened to d: of its low planes d lacks the component that both others
 * know, and of the high ones, each of them sends a summand. The result is x_{d+2} = -r, x_d =
 * F(k_d), and x_{d+1} = t - x_d, which d sends to d + 1. A number in two's complement of k < 64
 * bits is first raised by 2^(k-1), by flipping its top bit, and lowered again in the ring.
 *
 * Privacy: d lacks k_{d+2}, so r and t = x + r mod 2^64 are uniform to it; the component of t's low
 * planes that it is sent follows from t and what it holds, and the summands of the high planes are
 * masked by further bits of F(k_{d+2}), so that only their sum t_j shows. x_{d+1} is masked by
 * F(k_d), which d + 1 lacks. The circuit: masked.h. */
#include <string.h>

#include "mpc/kernels.h"
#include "mpc/rep3/b2a.h"
#include "mpc/rep3/masked_tree.h"

struct wires {
    const struct mpc_share *x;
    struct mpc_share *z;
    unsigned k;
    bool raised;
    struct masked_program program;
    struct mpc_share *r; /* a block: unit after unit, 64 planes each */
    struct mpc_share *t; /* k planes, and the carry's if k < 64 */
    size_t words;        /* of a unit, at most */
    unsigned dealer;     /* of the first unit */
};

/* A unit: its first plane word and element, how many of each, our distance from its dealer. */
struct span {
    size_t word;
    size_t words;
    size_t at;
    size_t n;
    unsigned role;
    uint64_t *r;
};

static struct span span_of(const struct mpc_session *s, const struct wires *w, size_t unit)
{
    struct span p = {.word = unit * w->words};
    size_t left = w->x->plane_words - p.word;

    p.words = left < w->words ? left : w->words;
    p.at = p.word * 64;
    p.n = w->x->n - p.at < p.words * 64 ? w->x->n - p.at : p.words * 64;
    p.role = (unsigned)((rep3_of(s)->i + 6 - w->dealer - unit % 3) % 3);
    p.r = w->r->data + p.word * 64;
    return p;
}

/* At k = 64 only d + 1 speaks after the circuit, and of the circuit's five levels it hears the last
 * from d + 2, who began the first without waiting for what d dealt: the chain is one shorter. */
static unsigned rounds_after(unsigned k)
{
    return k < 64 ? 2 : 1;
}

static size_t units_of(const struct wires *w)
{
    return (w->x->plane_words + w->words - 1) / w->words;
}

static void draw_r(struct mpc_session *s, const struct wires *w)
{
    struct rep3 *own = rep3_of(s);

    for (size_t unit = 0; unit < units_of(w); unit++) {
        struct span p = span_of(s, w, unit);

        if (p.role != 0)
            mpc_joint_fill(p.role == 1 ? &own->next : &own->own, p.r, p.words * 64);
    }
}

/* Our summands of t's high planes, under bits that the two share. */
static void high_planes(struct mpc_session *s, const struct wires *w, const struct span *p,
                        uint64_t *out)
{
    struct rep3 *own = rep3_of(s);
    uint64_t *carry = own->stage + MPC_CHUNK_WORDS; /* our summand of it, times R_j */

    memcpy(carry, mpc_plane(w->t, p->role == 1 ? 0 : 1, w->k) + p->word, p->words * 8);
    if (p->role == 1)
        mpc_k_xor(carry, carry, mpc_plane(w->t, 1, w->k) + p->word, p->words);
    mpc_joint_fill(p->role == 1 ? &own->next : &own->own, out, (64 - w->k) * p->words);
    for (unsigned j = w->k; j < 64; j++) {
        uint64_t *to = out + (j - w->k) * p->words;

        mpc_k_xor(to, to, carry, p->words);
        if (p->role == 1)
            mpc_k_xor(to, to, p->r + j * p->words, p->words);
        mpc_k_and(carry, carry, p->r + j * p->words, p->words);
    }
}

static fm_status open_out(struct mpc_session *s, void *ctx, size_t unit, struct base_err *err)
{
    struct wires *w = ctx;
    struct rep3 *own = rep3_of(s);
    struct span p = span_of(s, w, unit);
    uint64_t *stage = own->stage;
    uint64_t *minus_r;
    size_t low = p.role == 1 ? w->k * p.words : 0;

    if (p.role == 0) {
        mpc_joint_fill(&own->own, mpc_comp(w->z, 0) + p.at, p.n);
        return FM_OK;
    }
    minus_r = mpc_comp(w->z, p.role == 1 ? 1 : 0) + p.at;
    mpc_k_from_planes(minus_r, p.r, p.words, 64, p.n);
    mpc_k_scale(minus_r, minus_r, ~UINT64_C(0), p.n);
    if (p.role == 2)
        mpc_joint_fill(&own->next, mpc_comp(w->z, 1) + p.at, p.n);
    for (unsigned j = 0; p.role == 1 && j < w->k; j++)
        memcpy(stage + j * p.words, mpc_plane(w->t, 1, j) + p.word, p.words * 8);
    if (w->k < 64)
        high_planes(s, w, &p, stage + low);
    else if (p.role == 2)
        return FM_OK;
    return rep3_send(s, p.role == 1 ? 2 : 1, stage, low + (64 - w->k) * p.words, err);
}

/* The dealer: t, and its part of the result. */
static fm_status open_in(struct mpc_session *s, void *ctx, size_t unit, struct base_err *err)
{
    struct wires *w = ctx;
    struct span p = span_of(s, w, unit);
    uint64_t *t = rep3_of(s)->stage;
    uint64_t *high = t + MPC_CHUNK_WORDS;
    uint64_t *rest = mpc_comp(w->z, 1) + p.at;
    fm_status status;

    if (p.role != 0)
        return FM_OK;
    status = rep3_recv(s, 1, t, 64 * p.words, err);
    if (status == FM_OK && w->k < 64)
        status = rep3_recv(s, 2, high, (64 - w->k) * p.words, err);
    if (status != FM_OK)
        return status;
    for (unsigned j = 0; j < w->k; j++)
        for (unsigned c = 0; c < 2; c++)
            mpc_k_xor(t + j * p.words, t + j * p.words, mpc_plane(w->t, c, j) + p.word, p.words);
    if (w->k < 64)
        mpc_k_xor(t + w->k * p.words, t + w->k * p.words, high, (64 - w->k) * p.words);
    mpc_k_from_planes(rest, t, p.words, 64, p.n);
    mpc_k_sub(rest, rest, mpc_comp(w->z, 0) + p.at, p.n);
    return rep3_send(s, 1, rest, p.n, err);
}

static fm_status take_rest(struct mpc_session *s, void *ctx, size_t unit, struct base_err *err)
{
    struct wires *w = ctx;
    struct span p = span_of(s, w, unit);

    return p.role == 1 ? rep3_recv(s, 2, mpc_comp(w->z, 0) + p.at, p.n, err) : FM_OK;
}

fm_status rep3_b2a_by_wires(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x,
                            enum mpc_sign sign, struct base_err *err)
{
    struct wires w = {.x = x, .z = z, .k = x->width, .raised = sign == MPC_SIGNED && x->width < 64};
    unsigned leaves = w.k + (w.k < 64);
    struct masked_item item = {.x = x, .program = &w.program, .flip = w.raised};
    struct rep3_flow flow = {open_out, open_in, &w, 0, 6, take_rest};
    fm_status status;

    masked_sum_build(&w.program, leaves);
    status = w.program.failed ? base_err_memory(err, "circuit") : FM_OK;
    if (status == FM_OK)
        status = mpc_block_new(&w.r, s, x->plane_words * 64 * 8, err);
    if (status == FM_OK)
        status = mpc_bits_new(&w.t, s, x->n, leaves, err);
    if (status == FM_OK) {
        w.words = masked_unit_words(&w.program);
        w.dealer = rep3_of(s)->deals % 3;
        flow.units = units_of(&w);
        draw_r(s, &w);
        item.z = w.t;
        item.known = w.r->data;
        status = masked_run(s, &item, 1, err);
    }
    if (status == FM_OK) {
        s->stats.rounds += rounds_after(w.k);
        status = rep3_flow_run(s, &flow, err);
    }
    if (status == FM_OK && w.raised)
        s->row->add_constant(s, z, 0 - (UINT64_C(1) << (w.k - 1)));
    mpc_share_free(w.r);
    mpc_share_free(w.t);
    masked_release(&w.program);
    return status;
}

struct mpc_rep3_cost rep3_b2a_wires_cost(unsigned k)
{
    unsigned leaves = k + (k < 64);
    struct mpc_rep3_cost cost = {0, 0, 1};
    struct masked_program p;

    masked_sum_build(&p, leaves);
    cost.bytes = masked_bytes(&p) - 8 * leaves + 8 * (uint64_t)k + 16 * (uint64_t)(64 - k) + 8 * 64;
    cost.rounds = masked_rounds(&p) + rounds_after(k);
    if (p.failed)
        cost.bytes = UINT64_MAX;
    masked_release(&p);
    return cost;
}
