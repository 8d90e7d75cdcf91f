/* b2a. Short columns and single bits: every plane by bit injection (inject.c), weighted by its
 * power of two: 2 rounds whatever the width, 24 bytes a bit and element. Others: b2a_mask.c. */
#include "mpc/rep3/b2a.h"
#include "mpc/circuit/adder.h"
#include "mpc/kernels.h"

/* Where rounds cost more than bytes: up to so many bits of a column (half a megabyte a party, about
 * what travels in the time of the other way's six more rounds) are injected one by one. */
enum { FEW_BITS = 1 << 16 };

/* All planes of x into z. */
static fm_status inject_planes(struct mpc_session *s, struct mpc_share *z,
                               const struct mpc_share *x, enum mpc_sign sign, struct base_err *err)
{
    struct mpc_share *bits = NULL;
    struct mpc_share *ring = NULL;
    const struct mpc_share *in;
    size_t n = x->n;
    unsigned planes = x->width;
    fm_status status = mpc_bits_new(&bits, s, n * planes, 1, err);

    if (status == FM_OK)
        status = mpc_ring_new(&ring, s, n * planes, (struct mpc_range){0, 1}, err);
    if (status != FM_OK)
        goto out;
    s->row->zero(s, z);
    s->row->zero(s, bits);
    for (unsigned c = 0; c < 2; c++)
        for (unsigned j = 0; j < planes; j++)
            mpc_k_place_bits(mpc_comp(bits, c), j * n, mpc_plane(x, c, j), 0, n);
    in = bits;
    status = s->row->bit2a(s, &ring, &in, 1, err);
    for (unsigned j = 0; status == FM_OK && j < planes; j++) {
        uint64_t weight = UINT64_C(1) << j;

        if (sign == MPC_SIGNED && j == planes - 1)
            weight = 0 - weight;
        for (unsigned c = 0; c < 2; c++)
            mpc_k_add_scaled(mpc_comp(z, c), mpc_comp(ring, c) + j * n, weight, n);
    }
out:
    mpc_share_free(bits);
    mpc_share_free(ring);
    return status;
}

static bool few_bits(unsigned width, size_t n, enum mpc_profile profile)
{
    return width == 1 || n == 0 ||
           (profile == MPC_FEW_ROUNDS && n <= FEW_BITS && n * width <= FEW_BITS);
}

/* Positions of the masked addition. Few bytes: 64 positions are a byte less from width 26 on, and
 * twice the rounds. */
static unsigned positions_of(unsigned width, enum mpc_profile profile)
{
    return profile == MPC_FEW_ROUNDS && width < 64 &&
                   rep3_b2a_masked_bytes(64, profile) < rep3_b2a_masked_bytes(width, profile)
               ? 64
               : width;
}

unsigned rep3_b2a_cost(uint64_t *bytes, unsigned width, size_t n, enum mpc_profile profile)
{
    unsigned k = positions_of(width, profile);
    struct mpc_circuit_cost sum = mpc_sum_cost(k == 64 ? 64 : k + 1, profile);

    if (few_bits(width, n, profile)) {
        *bytes = 24 * (uint64_t)width * n;
        return n > 0 ? 2 : 0;
    }
    *bytes = (24 * (uint64_t)sum.ands + 16 * (uint64_t)k) * mpc_plane_words(n) +
             (k == 64 ? 8 : 32) * (uint64_t)n;
    return sum.rounds + (k == 64 ? 1 : 2);
}

fm_status rep3_b2a(struct mpc_session *s, struct mpc_share *const *z,
                   const struct mpc_share *const *x, size_t count, enum mpc_sign sign,
                   struct base_err *err)
{
    for (size_t i = 0; i < count; i++) {
        unsigned k = positions_of(x[i]->width, s->profile);
        fm_status status = few_bits(x[i]->width, x[i]->n, s->profile)
                               ? inject_planes(s, z[i], x[i], sign, err)
                               : rep3_b2a_masked(s, z[i], x[i], sign, k, err);

        if (status != FM_OK)
            return status;
    }
    return FM_OK;
}
