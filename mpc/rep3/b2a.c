/* b2a. Short columns and single bits: every plane by bit injection (inject.c), weighted by its
 * power of two: 2 rounds whatever the width, 24 bytes a bit and element. Others: b2a_mask.c. */
#include "mpc/rep3/b2a.h"
#include "mpc/kernels.h"
#include "mpc/rep3/masked_tree.h"

/* In the few-rounds profile: up to so many bits of a column (half a megabyte a party, about
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

/* A column's way: by injection; or by masking, over how many positions and by which adder. */
struct way {
    bool inject;
    unsigned positions;
    enum mpc_profile adder;
};

static struct way fixed_way(unsigned k, size_t n, enum mpc_profile profile)
{
    struct way way = {.positions = k, .adder = profile};

    way.inject = profile == MPC_FEW_ROUNDS && n <= FEW_BITS && n * k <= FEW_BITS;
    /* Few bytes: 64 positions are a byte less from width 26 on, and twice the rounds. */
    if (profile == MPC_FEW_ROUNDS && k < 64 &&
        rep3_b2a_masked_cost(64, profile).bytes < rep3_b2a_masked_cost(k, profile).bytes)
        way.positions = 64;
    return way;
}

static struct way quickest_way(unsigned k, size_t n, enum mpc_profile link)
{
    uint64_t best = mpc_way_ns(link, (struct mpc_way){(uint64_t)n * 8 * k, 2, false});
    struct way way = {.inject = true};

    for (enum mpc_profile p = MPC_FEW_ROUNDS; p <= MPC_FEW_BYTES; p++)
        for (unsigned i = 0; i < 2; i++) {
            unsigned positions = i == 0 ? k : 64;
            uint64_t ns = mpc_way_ns(link, masked_way(rep3_b2a_masked_cost(positions, p), n));

            if (ns >= best)
                continue;
            best = ns;
            way = (struct way){false, positions, p};
        }
    return way;
}

static struct way way_of(unsigned k, size_t n, enum mpc_profile profile)
{
    struct way way =
        mpc_link_of(profile) == NULL ? fixed_way(k, n, profile) : quickest_way(k, n, profile);

    way.inject = way.inject || k == 1 || n == 0;
    return way;
}

unsigned rep3_b2a_cost(uint64_t *bytes, unsigned width, size_t n, enum mpc_profile profile)
{
    struct way way = way_of(width, n, profile);
    struct mpc_rep3_cost cost = rep3_b2a_masked_cost(way.positions, way.adder);
    uint64_t columns = (way.positions == 64 ? 8 : 32) * 64; /* of these bytes: 8 an element */

    if (way.inject) {
        *bytes = 24 * (uint64_t)width * n;
        return n > 0 ? 2 : 0;
    }
    *bytes = (cost.bytes - columns) * mpc_plane_words(n) + columns / 64 * (uint64_t)n;
    return cost.rounds;
}

fm_status rep3_b2a(struct mpc_session *s, struct mpc_share *const *z,
                   const struct mpc_share *const *x, size_t count, enum mpc_sign sign,
                   struct base_err *err)
{
    for (size_t i = 0; i < count; i++) {
        struct way way = way_of(x[i]->width, x[i]->whole, s->profile);
        fm_status status =
            way.inject ? inject_planes(s, z[i], x[i], sign, err)
                       : rep3_b2a_masked(s, z[i], x[i], sign, way.positions, way.adder, err);

        if (status != FM_OK)
            return status;
    }
    return FM_OK;
}
