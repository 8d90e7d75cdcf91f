/* b2a. Short columns and single bits: every plane by bit injection (inject.c), weighted by its
 * power of two: 2 rounds whatever the width, 24 bytes a bit and element. Others: b2a_wires.c where
 * rounds count, b2a_mask.c where bytes do. */
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

/* A column's way: by injection, by masked wires, or bit by bit over so many positions. NO_MEMORY:
 * to choose one; any would be another than the other parties', who have it. */
enum kind { INJECT, WIRES, BIT_BY_BIT, NO_MEMORY };

struct way {
    enum kind kind;
    unsigned positions;
};

static struct way fixed_way(unsigned k, size_t n, enum mpc_profile profile)
{
    struct way way = {WIRES, k};

    if (profile ==
        MPC_FEW_BYTES) /* 64 positions are a byte less from width 26 on, twice the rounds */
        way.kind = BIT_BY_BIT;
    else if (n <= FEW_BITS && n * k <= FEW_BITS)
        way.kind = INJECT;
    return way;
}

static struct way quickest_way(unsigned k, size_t n, enum mpc_profile link)
{
    const struct way ways[] = {{WIRES, k}, {BIT_BY_BIT, k}, {BIT_BY_BIT, 64}};
    uint64_t best = mpc_way_ns(link, (struct mpc_way){(uint64_t)n * 8 * k, 2, false});
    struct way found = {INJECT, k};

    for (unsigned i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct mpc_rep3_cost cost = ways[i].kind == WIRES ? rep3_b2a_wires_cost(k)
                                                          : rep3_b2a_masked_cost(ways[i].positions);
        uint64_t ns = mpc_way_ns(link, masked_way(cost, n));

        if (cost.bytes == UINT64_MAX)
            return (struct way){NO_MEMORY, k};
        if (ns >= best)
            continue;
        best = ns;
        found = ways[i];
    }
    return found;
}

static struct way way_of(unsigned k, size_t n, enum mpc_profile profile)
{
    struct way way = {INJECT, k};

    if (k == 1 || n == 0)
        return way;
    return mpc_link_of(profile) == NULL ? fixed_way(k, n, profile) : quickest_way(k, n, profile);
}

/* Of the bytes for 64 elements those that are 8 an element, not a word of a plane. */
static uint64_t columns_of(struct way way)
{
    return way.kind == WIRES || way.positions == 64 ? 8 : 32;
}

unsigned rep3_b2a_cost(uint64_t *bytes, unsigned width, size_t n, enum mpc_profile profile)
{
    struct way way = way_of(width, n, profile);
    struct mpc_rep3_cost cost;

    if (way.kind == INJECT) {
        *bytes = 24 * (uint64_t)width * n;
        return n > 0 ? 2 : 0;
    }
    *bytes = UINT64_MAX;
    if (way.kind == NO_MEMORY)
        return 0;
    cost = way.kind == WIRES ? rep3_b2a_wires_cost(width) : rep3_b2a_masked_cost(way.positions);
    if (cost.bytes == UINT64_MAX)
        return 0;
    *bytes = (cost.bytes - 64 * columns_of(way)) * mpc_plane_words(n) + columns_of(way) * n;
    return cost.rounds;
}

fm_status rep3_b2a(struct mpc_session *s, struct mpc_share *const *z,
                   const struct mpc_share *const *x, size_t count, enum mpc_sign sign,
                   struct base_err *err)
{
    for (size_t i = 0; i < count; i++) {
        struct way way = way_of(x[i]->width, x[i]->whole, s->profile);
        fm_status status;

        switch (way.kind) {
        case INJECT:
            status = inject_planes(s, z[i], x[i], sign, err);
            break;
        case WIRES:
            status = rep3_b2a_by_wires(s, z[i], x[i], sign, err);
            break;
        case NO_MEMORY:
            status = base_err_memory(err, "conversion");
            break;
        default:
            status = rep3_b2a_masked(s, z[i], x[i], sign, way.positions, err);
            break;
        }
        if (status != FM_OK)
            return status;
    }
    return FM_OK;
}
