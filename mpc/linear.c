#include "mpc/linear.h"

#include <string.h>

#include "mpc/kernels.h"
#include "mpc/share.h"

void mpc_linear_zero(struct mpc_session *s, struct mpc_share *z)
{
    unsigned planes = z->domain == MPC_RING64 ? 1 : z->width;

    for (unsigned c = 0; c < s->held && z->n > 0; c++)
        for (unsigned j = 0; j < planes; j++)
            memset(mpc_plane(z, c, j), 0, z->plane_words * 8);
}

void mpc_linear_add(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x,
                    const struct mpc_share *y)
{
    for (unsigned c = 0; c < s->held; c++)
        mpc_k_add(mpc_comp(z, c), mpc_comp(x, c), mpc_comp(y, c), z->n);
}

void mpc_linear_sub(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x,
                    const struct mpc_share *y)
{
    for (unsigned c = 0; c < s->held; c++)
        mpc_k_sub(mpc_comp(z, c), mpc_comp(x, c), mpc_comp(y, c), z->n);
}

void mpc_linear_scale(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x,
                      uint64_t c)
{
    for (unsigned i = 0; i < s->held; i++)
        mpc_k_scale(mpc_comp(z, i), mpc_comp(x, i), c, z->n);
}

void mpc_linear_add_constant(struct mpc_session *s, struct mpc_share *z, uint64_t c)
{
    if (s->public_at >= 0)
        mpc_k_add_constant(mpc_comp(z, (unsigned)s->public_at), c, z->n);
}

void mpc_linear_sum(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x)
{
    for (unsigned c = 0; c < s->held; c++)
        mpc_comp(z, c)[0] = mpc_k_sum(mpc_comp(x, c), x->n);
}

void mpc_linear_spread(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x)
{
    for (unsigned c = 0; c < s->held && z->n > 0; c++) {
        if (z->domain == MPC_RING64) {
            mpc_k_fill(mpc_comp(z, c), mpc_comp(x, c)[0], z->n);
            continue;
        }
        for (unsigned j = 0; j < z->width; j++)
            mpc_k_fill(mpc_plane(z, c, j), 0 - (mpc_plane(x, c, j)[0] & 1), z->plane_words);
    }
}

static void place_plane(uint64_t *z, size_t at, const uint64_t *x, size_t from, size_t n,
                        bool to_end)
{
    /* Whole words where both sides allow it; a last partial word may be copied whole only at z's
     * end. */
    if (at % 64 == 0 && from % 64 == 0 && (n % 64 == 0 || to_end))
        memcpy(z + at / 64, x + from / 64, (n + 63) / 64 * 8);
    else
        mpc_k_place_bits(z, at, x, from, n);
}

void mpc_linear_place(struct mpc_session *s, struct mpc_share *z, size_t at,
                      const struct mpc_share *x, size_t from, size_t n)
{
    if (n == 0)
        return;
    for (unsigned c = 0; c < s->held; c++) {
        if (z->domain == MPC_RING64) {
            memcpy(mpc_comp(z, c) + at, mpc_comp(x, c) + from, n * 8);
            continue;
        }
        for (unsigned j = 0; j < z->width; j++)
            place_plane(mpc_plane(z, c, j), at, mpc_plane(x, c, j), from, n, at + n == z->n);
    }
}

void mpc_linear_gather(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x,
                       const uint32_t *map)
{
    for (unsigned c = 0; c < s->held && z->n > 0; c++) {
        if (z->domain == MPC_RING64) {
            mpc_k_gather(mpc_comp(z, c), mpc_comp(x, c), map, z->n);
            continue;
        }
        for (unsigned j = 0; j < z->width; j++)
            mpc_k_gather_bits(mpc_plane(z, c, j), mpc_plane(x, c, j), map, z->n);
    }
}

void mpc_linear_gather_sub(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x,
                           const uint32_t *p, const uint32_t *q)
{
    for (unsigned c = 0; c < s->held && z->n > 0; c++)
        mpc_k_gather_sub(mpc_comp(z, c), mpc_comp(x, c), p, q, z->n);
}

static void prefix_plane(uint64_t *z, const uint64_t *x, size_t words)
{
    uint64_t carry = 0; /* all ones if the XOR of all words so far is odd */

    for (size_t i = 0; i < words; i++) {
        uint64_t w = x[i];

        for (unsigned by = 1; by < 64; by *= 2)
            w ^= w << by;
        z[i] = w ^ carry;
        carry = 0 - (z[i] >> 63);
    }
}

void mpc_linear_prefix(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x)
{
    for (unsigned c = 0; c < s->held && z->n > 0; c++) {
        uint64_t sum = 0;

        for (size_t i = 0; z->domain == MPC_RING64 && i < z->n; i++)
            mpc_comp(z, c)[i] = sum += mpc_comp(x, c)[i];
        for (unsigned j = 0; z->domain == MPC_BITS && j < z->width; j++)
            prefix_plane(mpc_plane(z, c, j), mpc_plane(x, c, j), z->plane_words);
    }
}

void mpc_linear_xor(struct mpc_session *s, const struct mpc_gate *gates, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (unsigned c = 0; c < s->held; c++)
            mpc_k_xor(mpc_wire_words(gates[i].z, c), mpc_wire_words(gates[i].x, c),
                      mpc_wire_words(gates[i].y, c), gates[i].z.share->plane_words);
}

void mpc_linear_flip(struct mpc_session *s, const struct mpc_wire *wires, size_t count)
{
    if (s->public_at < 0)
        return;
    for (size_t i = 0; i < count; i++)
        mpc_k_not(mpc_wire_words(wires[i], (unsigned)s->public_at), wires[i].share->plane_words);
}

/* Of a row whose most_lanes is 1: never called. */
fm_status mpc_lane_unsupported(const struct mpc_session *s, struct mpc_session *lane,
                               struct base_err *err)
{
    (void)lane;
    return base_err_set(err, FM_E_UNSUPPORTED, "%s has one lane", s->row->name);
}

fm_status mpc_check_none(struct mpc_session *s, struct base_err *err)
{
    (void)s;
    (void)err;
    return FM_OK;
}

fm_status mpc_prepare_none(struct mpc_session *s, const struct mpc_counts *counts,
                           struct base_err *err)
{
    (void)s;
    (void)counts;
    (void)err;
    return FM_OK;
}

fm_status mpc_record_none(struct mpc_session *s, const struct mpc_record *record,
                          struct base_err *err)
{
    (void)s;
    (void)record;
    (void)err;
    return FM_OK;
}
