/* Generators and sums of products on SM2's curve (mpc/curve), for the profile national. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/secret.h"
#include "mpc/paillier/proof_slots_own.h"

fm_status mpc_pai_sm2_generators(struct mpc_pai_generators *g, struct base_err *err)
{
    static const char dst[] = "firmiana-paillier-slots-V01-SM2_XMD:SM3_SSWU_RO_";

    g->own = calloc(g->count + 2, sizeof *g->own);
    if (g->own == NULL)
        return base_err_memory(err, "paillier: generators");
    for (size_t i = 0; i < g->count; i++) {
        uint8_t index[8];
        base_store_u64(index, i + 1);
        mpc_curve_hash(&g->own[i], index, sizeof index, dst, sizeof dst - 1, mpc_curve_sm2());
    }
    mpc_curve_generator(&g->own[g->count], mpc_curve_sm2());
    mpc_curve_hash(&g->own[g->count + 1], (const uint8_t[8]){0}, 8, dst, sizeof dst - 1,
                   mpc_curve_sm2());
    return FM_OK;
}

static fm_status combine(struct mpc_curve_point *sum, const struct mpc_pai_generators *g,
                         const struct slots_combination *c, struct base_err *err)
{
    struct mpc_curve_point part;
    uint64_t ends[2 * SLOTS_SCALAR];
    fm_status st;

    memcpy(ends, c->at_g, sizeof c->at_g);
    memcpy(ends + SLOTS_SCALAR, c->at_h, sizeof c->at_h);
    st = mpc_curve_sum(sum, ends, g->own + g->count, 2, mpc_curve_sm2(), err);
    if (st == FM_OK)
        st = mpc_curve_sum(&part, c->x, g->own, c->count, mpc_curve_sm2(), err);
    if (st == FM_OK)
        mpc_curve_plus(sum, sum, &part, mpc_curve_sm2());
    base_wipe(ends, sizeof ends);
    base_wipe(&part, sizeof part);
    return st;
}

/* Neutral with a chance of 2^-256: H is in it with a scalar of chance. */
fm_status mpc_pai_sm2_commit(uint8_t *out33, const struct mpc_pai_generators *g,
                             const struct slots_combination *c, struct base_err *err)
{
    struct mpc_curve_point sum;
    fm_status st = combine(&sum, g, c, err);

    if (st == FM_OK)
        mpc_curve_put(out33, &sum, mpc_curve_sm2());
    base_wipe(&sum, sizeof sum);
    return st;
}

fm_status mpc_pai_sm2_vanish(bool *zero, const struct mpc_pai_generators *g,
                             const struct slots_combination *c, const struct slots_point *points,
                             const uint64_t *y, size_t n, struct base_err *err)
{
    struct mpc_curve_point sum, part, *own = calloc(n + 1, sizeof *own);
    fm_status st =
        own != NULL ? combine(&sum, g, c, err) : base_err_memory(err, "paillier: proofs");

    for (size_t i = 0; own != NULL && i < n; i++)
        own[i] = points[i].sm2;
    if (st == FM_OK)
        st = mpc_curve_sum(&part, y, own, n, mpc_curve_sm2(), err);
    if (st == FM_OK)
        mpc_curve_plus(&sum, &sum, &part, mpc_curve_sm2());
    *zero = st == FM_OK && mpc_curve_is_neutral(&sum);
    free(own);
    return st;
}
