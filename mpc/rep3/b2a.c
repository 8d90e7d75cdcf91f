/* b2a: every plane by bit injection (inject.c), weighted by its power of two. Few rounds whatever
 * the width; 24 bytes a bit and element. Planes go together in groups of at most GROUP_BITS bits,
 * which bounds memory: 2 rounds a group, one group for short columns. */
#include "mpc/kernels.h"
#include "mpc/rep3/state.h"

enum { GROUP_BITS = 1 << 22 };

/* Planes [from, from + planes) of x into z. */
static fm_status add_group(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x,
                           unsigned from, unsigned planes, enum mpc_sign sign, struct base_err *err)
{
    struct mpc_share *bits = NULL;
    struct mpc_share *ring = NULL;
    const struct mpc_share *in;
    size_t n = x->n;
    fm_status status = mpc_bits_new(&bits, s, n * planes, 1, err);

    if (status == FM_OK)
        status = mpc_ring_new(&ring, s, n * planes, (struct mpc_range){0, 1}, err);
    if (status != FM_OK)
        goto out;
    s->row->zero(s, bits);
    for (unsigned c = 0; c < 2; c++)
        for (unsigned j = 0; j < planes; j++)
            mpc_k_place_bits(mpc_comp(bits, c), j * n, mpc_plane(x, c, from + j), 0, n);
    in = bits;
    status = s->row->bit2a(s, &ring, &in, 1, err);
    for (unsigned j = 0; status == FM_OK && j < planes; j++) {
        uint64_t weight = UINT64_C(1) << (from + j);

        if (sign == MPC_SIGNED && from + j == x->width - 1)
            weight = 0 - weight;
        for (unsigned c = 0; c < 2; c++)
            mpc_k_add_scaled(mpc_comp(z, c), mpc_comp(ring, c) + j * n, weight, n);
    }
out:
    mpc_share_free(bits);
    mpc_share_free(ring);
    return status;
}

fm_status rep3_b2a(struct mpc_session *s, struct mpc_share *const *z,
                   const struct mpc_share *const *x, size_t count, enum mpc_sign sign,
                   struct base_err *err)
{
    for (size_t i = 0; i < count; i++) {
        unsigned width = x[i]->width;
        size_t fit = x[i]->n == 0 ? width : GROUP_BITS / x[i]->n;
        unsigned group = fit >= width ? width : fit == 0 ? 1 : (unsigned)fit;

        s->row->zero(s, z[i]);
        for (unsigned from = 0; from < width && x[i]->n > 0; from += group) {
            fm_status status = add_group(s, z[i], x[i], from,
                                         width - from < group ? width - from : group, sign, err);
            if (status != FM_OK)
                return status;
        }
    }
    return FM_OK;
}
