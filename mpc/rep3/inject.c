/* bit2a, bit_count: bits into the ring.
 *
 * b = u ^ v with u = b_d ^ b_{d+1} known to the dealer d and v = b_{d+2} known to the other two.
 * First the dealer shares u in the ring: a_d = F(k_d), a_{d+1} = u - a_d, sent to party d + 1. With
 * s = 1 - 2v, b = u + v - 2uv = a_d s + a_{d+1} s + v: party d + 2 knows the summand a_d s + v,
 * party d + 1 the summand a_{d+1} s. They reshare it: the new components d and d + 1 are drawn from
 * k_d and k_{d+1}, and each of the two sends the other its summand less the one of these it knows;
 * the sum of both messages is component d + 2. Each message is masked by a generator that its
 * receiver lacks. */
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "mpc/kernels.h"
#include "mpc/rep3/inject.h"

/* Steps to the next chunk of the list: sets item and first element, returns its length. Chunks are
 * whole words of bits, so that a bit plane can be read from a word's beginning. */
static size_t step(const struct rep3_inject *f, size_t *item, size_t *at)
{
    size_t left;

    while (*at == f->x[*item]->n) {
        (*item)++;
        *at = 0;
    }
    left = f->x[*item]->n - *at;
    return left < MPC_CHUNK_WORDS ? left : MPC_CHUNK_WORDS;
}

static size_t units_of(const struct mpc_share *const *x, size_t count)
{
    size_t units = 0;

    for (size_t i = 0; i < count; i++)
        units += (x[i]->n + MPC_CHUNK_WORDS - 1) / MPC_CHUNK_WORDS;
    return units;
}

static unsigned role(const struct mpc_session *s, unsigned dealer)
{
    return (rep3_of(s)->i + 3 - dealer) % 3;
}

/* b = bits of u at the dealer, less a_d: into out. */
static void dealt_words(uint64_t *out, const struct mpc_share *x, const uint64_t *a, size_t at,
                        size_t n)
{
    const uint64_t *x0 = mpc_comp(x, 0) + at / 64;
    const uint64_t *x1 = mpc_comp(x, 1) + at / 64;

    for (size_t i = 0; i < n; i++)
        out[i] = ((x0[i / 64] ^ x1[i / 64]) >> i % 64 & 1) - a[i];
}

fm_status rep3_inject_deal_out(struct mpc_session *s, void *ctx, size_t unit, struct base_err *err)
{
    struct rep3_inject *f = ctx;
    struct rep3 *r = rep3_of(s);
    size_t n = step(f, &f->out, &f->out_at);
    const struct mpc_share *x = f->x[f->out];
    struct mpc_share *z = f->z[f->out];
    size_t at = f->out_at;
    fm_status status = FM_OK;

    (void)unit;
    switch (role(s, f->out_dealer)) {
    case 0:
        mpc_joint_fill(&r->own, mpc_comp(z, 0) + at, n);
        dealt_words(mpc_comp(z, 1) + at, x, mpc_comp(z, 0) + at, at, n);
        status = rep3_send(s, 1, mpc_comp(z, 1) + at, n, err);
        break;
    case 1:
        break;
    default:
        mpc_joint_fill(&r->next, mpc_comp(z, 1) + at, n);
        break;
    }
    f->out_at += n;
    f->out_dealer = (f->out_dealer + 1) % 3;
    return status;
}

fm_status rep3_inject_deal_in(struct mpc_session *s, void *ctx, size_t unit, struct base_err *err)
{
    struct rep3_inject *f = ctx;
    size_t n = step(f, &f->in, &f->in_at);
    fm_status status = FM_OK;

    (void)unit;
    if (role(s, f->in_dealer) == 1)
        status = rep3_recv(s, 2, mpc_comp(f->z[f->in], 0) + f->in_at, n, err);
    f->in_at += n;
    f->in_dealer = (f->in_dealer + 1) % 3;
    return status;
}

/* Second round. At party d + 1, z holds a_{d+1} in component 0; at party d + 2, a_d in component 1.
 */
fm_status rep3_inject_sign_out(struct mpc_session *s, void *ctx, size_t unit, struct base_err *err)
{
    struct rep3_inject *f = ctx;
    struct rep3 *r = rep3_of(s);
    size_t n = step(f, &f->out, &f->out_at);
    size_t at = f->out_at;
    uint64_t *z0 = mpc_comp(f->z[f->out], 0) + at;
    uint64_t *z1 = mpc_comp(f->z[f->out], 1) + at;
    const uint64_t *x0 = mpc_comp(f->x[f->out], 0) + at / 64;
    const uint64_t *x1 = mpc_comp(f->x[f->out], 1) + at / 64;
    fm_status status = FM_OK;

    (void)unit;
    switch (role(s, f->out_dealer)) {
    case 0:
        mpc_joint_fill(&r->own, z0, n);
        mpc_joint_fill(&r->next, z1, n);
        break;
    case 1: /* v is component d + 2, our 1; the new z_{d+1} is our 0 */
        memcpy(z1, z0, n * 8);
        mpc_joint_fill(&r->own, z0, n);
        mpc_k_signed_less(z1, z1, x1, z0, n);
        status = rep3_send(s, 1, z1, n, err);
        break;
    default: /* v is our 0; the new z_d is our 1 */
        memcpy(z0, z1, n * 8);
        mpc_joint_fill(&r->next, z1, n);
        mpc_k_signed_plus_less(z0, z0, x0, z1, n);
        status = rep3_send(s, 2, z0, n, err);
        break;
    }
    f->out_at += n;
    f->out_dealer = (f->out_dealer + 1) % 3;
    return status;
}

fm_status rep3_inject_sign_in(struct mpc_session *s, void *ctx, size_t unit, struct base_err *err)
{
    struct rep3_inject *f = ctx;
    uint64_t *stage = rep3_of(s)->stage;
    size_t n = step(f, &f->in, &f->in_at);
    unsigned at_role = role(s, f->in_dealer);
    fm_status status = FM_OK;

    (void)unit;
    if (at_role != 0) { /* component d + 2 is our 1 at party d + 1, our 0 at party d + 2 */
        uint64_t *mine = mpc_comp(f->z[f->in], at_role == 1 ? 1 : 0) + f->in_at;

        status = rep3_recv(s, at_role == 1 ? 1 : 2, stage, n, err);
        if (status == FM_OK)
            mpc_k_add(mine, mine, stage, n);
    }
    f->in_at += n;
    f->in_dealer = (f->in_dealer + 1) % 3;
    return status;
}

void rep3_inject_restart(struct rep3_inject *f, unsigned dealer)
{
    f->out = f->in = 0;
    f->out_at = f->in_at = 0;
    f->out_dealer = f->in_dealer = dealer;
}

fm_status rep3_bit2a(struct mpc_session *s, struct mpc_share *const *z,
                     const struct mpc_share *const *x, size_t count, struct base_err *err)
{
    struct rep3 *r = rep3_of(s);
    struct rep3_inject f = {.x = x, .z = z};
    struct rep3_flow deal = {
        rep3_inject_deal_out, rep3_inject_deal_in, &f, units_of(x, count), 6, NULL};
    struct rep3_flow sign = {rep3_inject_sign_out, rep3_inject_sign_in, &f, deal.units, 2, NULL};
    unsigned dealer = r->deals % 3;
    fm_status status;

    if (deal.units == 0)
        return FM_OK;
    r->deals += (unsigned)(deal.units % 3);
    s->stats.rounds += 2;
    rep3_inject_restart(&f, dealer);
    status = rep3_flow_run(s, &deal, err);
    if (status != FM_OK)
        return status;
    rep3_inject_restart(&f, dealer);
    return rep3_flow_run(s, &sign, err);
}

/* bit_count: the dealt words are summed as they come and never stored. */
static uint64_t signed_sum(const uint64_t *a, const uint64_t *v, size_t n)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < n; i++) {
        uint64_t minus = 0 - (v[i / 64] >> i % 64 & 1);
        sum += (a[i] ^ minus) - minus;
    }
    return sum;
}

static fm_status count_produce(struct mpc_session *s, void *ctx, size_t unit, struct base_err *err)
{
    struct rep3_inject *f = ctx;
    struct rep3 *r = rep3_of(s);
    size_t n = step(f, &f->out, &f->out_at);
    const struct mpc_share *x = f->x[f->out];
    const uint64_t *v = mpc_comp(x, 0) + f->out_at / 64;
    fm_status status = FM_OK;

    (void)unit;
    switch (role(s, f->out_dealer)) {
    case 0:
        mpc_joint_fill(&r->own, r->stage, n);
        dealt_words(r->stage, x, r->stage, f->out_at, n);
        status = rep3_send(s, 1, r->stage, n, err);
        break;
    case 1:
        break;
    default: /* summand a_d s + v, v our component 0 */
        mpc_joint_fill(&r->next, r->stage, n);
        f->total[f->out] += signed_sum(r->stage, v, n) + mpc_k_popcount(v, n);
        break;
    }
    f->out_at += n;
    f->out_dealer = (f->out_dealer + 1) % 3;
    return status;
}

static fm_status count_consume(struct mpc_session *s, void *ctx, size_t unit, struct base_err *err)
{
    struct rep3_inject *f = ctx;
    uint64_t *stage = rep3_of(s)->stage + MPC_CHUNK_WORDS;
    size_t n = step(f, &f->in, &f->in_at);
    fm_status status = FM_OK;

    (void)unit;
    if (role(s, f->in_dealer) == 1) { /* summand a_{d+1} s, v our component 1 */
        status = rep3_recv(s, 2, stage, n, err);
        if (status == FM_OK)
            f->total[f->in] += signed_sum(stage, mpc_comp(f->x[f->in], 1) + f->in_at / 64, n);
    }
    f->in_at += n;
    f->in_dealer = (f->in_dealer + 1) % 3;
    return status;
}

static void compute_total(struct mpc_session *s, const struct rep3_cell *cell, size_t from,
                          size_t count)
{
    const uint64_t *total = cell->job;
    uint64_t mask;

    (void)from;
    /* zero_share of rep3 draws from its generators and cannot fail. */
    if (rep3_zero_share(s, MPC_RING64, &mask, count, NULL) != FM_OK)
        abort();
    cell->za[0] = *total + mask;
}

fm_status rep3_bit_count(struct mpc_session *s, struct mpc_share *const *z,
                         const struct mpc_share *const *x, size_t count, struct base_err *err)
{
    struct rep3 *r = rep3_of(s);
    uint64_t *totals = calloc(count, sizeof *totals);
    struct rep3_cell *cells = calloc(count, sizeof *cells);
    struct rep3_inject f = {.x = x, .z = z, .total = totals};
    struct rep3_flow flow = {count_produce, count_consume, &f, units_of(x, count), 6, NULL};
    fm_status status;

    if (totals == NULL || cells == NULL) {
        status = base_err_memory(err, "count");
        goto out;
    }
    rep3_inject_restart(&f, r->deals % 3);
    r->deals += (unsigned)(flow.units % 3);
    s->stats.rounds += flow.units > 0;
    status = rep3_flow_run(s, &flow, err);
    if (status != FM_OK)
        goto out;
    for (size_t i = 0; i < count; i++)
        cells[i] = (struct rep3_cell){mpc_comp(z[i], 0), mpc_comp(z[i], 1), 1, &totals[i]};
    status = rep3_reshare(s, cells, count, compute_total, err);
out:
    if (totals != NULL)
        base_wipe(totals, count * sizeof *totals);
    free(totals);
    free(cells);
    return status;
}
