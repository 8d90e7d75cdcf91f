#include "mpc/plain/plain.h"

#include <string.h>

#include "mpc/kernels.h"
#include "mpc/linear.h"
#include "mpc/linked.h"
#include "mpc/perm.h"
#include "mpc/share.h"

static fm_status plain_open(struct mpc_session *s, struct base_err *err)
{
    (void)err;
    if (s->computes)
        s->public_at = 0;
    return FM_OK;
}

static void plain_close(struct mpc_session *s)
{
    (void)s;
}

static void plain_held(const struct mpc_session *s, unsigned *held)
{
    (void)s;
    held[0] = 0;
}

static fm_status plain_input(struct mpc_session *s, struct mpc_share *const *z,
                             const struct mpc_input *items, size_t count, struct base_err *err)
{
    for (size_t i = 0; i < count; i++) {
        const void *mine = items[i].domain == MPC_RING64 ? (const void *)items[i].values
                                                         : (const void *)items[i].planes;
        size_t bytes = z[i]->comp_words * 8;
        fm_status status = FM_OK;

        if (bytes == 0)
            continue;
        if (items[i].owner == s->self && s->computes)
            memcpy(mpc_comp(z[i], 0), mine, bytes);
        else if (items[i].owner == s->self)
            status = net_send(s->transport, s->stream, s->compute[0], mine, bytes, err);
        else if (s->computes)
            status =
                net_recv(s->transport, s->stream, items[i].owner, mpc_comp(z[i], 0), bytes, err);
        if (status != FM_OK)
            return status;
    }
    return FM_OK;
}

static void copy_opened(uint64_t *out, const struct mpc_share *x)
{
    memcpy(out, mpc_comp(x, 0), x->comp_words * 8);
}

static fm_status plain_reveal_to(struct mpc_session *s, const struct mpc_share *const *x,
                                 size_t count, const unsigned *recipients, size_t recipients_len,
                                 uint64_t *const *words, struct base_err *err)
{
    for (size_t r = 0; r < recipients_len; r++) {
        for (size_t i = 0; i < count; i++) {
            size_t bytes = x[i]->comp_words * 8;
            fm_status status = FM_OK;

            if (bytes == 0)
                continue;
            if (recipients[r] == s->self && s->computes)
                copy_opened(words[i], x[i]);
            else if (recipients[r] == s->self)
                status = net_recv(s->transport, s->stream, s->compute[0], words[i], bytes, err);
            else if (s->computes)
                status =
                    net_send(s->transport, s->stream, recipients[r], mpc_comp(x[i], 0), bytes, err);
            if (status != FM_OK)
                return status;
        }
    }
    return FM_OK;
}

static fm_status plain_open_masked(struct mpc_session *s, const struct mpc_share *const *x,
                                   size_t count, uint64_t *const *words, struct base_err *err)
{
    (void)s;
    (void)err;
    for (size_t i = 0; i < count; i++)
        if (x[i]->n > 0)
            copy_opened(words[i], x[i]);
    return FM_OK;
}

static fm_status plain_mul(struct mpc_session *s, struct mpc_share *const *z,
                           const struct mpc_share *const *x, const struct mpc_share *const *y,
                           size_t count, struct base_err *err)
{
    (void)s;
    (void)err;
    for (size_t i = 0; i < count; i++)
        mpc_k_mul(mpc_comp(z[i], 0), mpc_comp(x[i], 0), mpc_comp(y[i], 0), z[i]->n);
    return FM_OK;
}

static fm_status plain_dot(struct mpc_session *s, struct mpc_share *const *z,
                           const struct mpc_share *const *x, const struct mpc_share *const *y,
                           size_t count, struct base_err *err)
{
    (void)s;
    (void)err;
    for (size_t i = 0; i < count; i++)
        mpc_comp(z[i], 0)[0] = mpc_k_dot(mpc_comp(x[i], 0), mpc_comp(y[i], 0), x[i]->n);
    return FM_OK;
}

static fm_status plain_dot_columns(struct mpc_session *s, struct mpc_share *z,
                                   const struct mpc_share *const *x,
                                   const struct mpc_share *const *y, size_t count,
                                   struct base_err *err)
{
    uint64_t *sum = mpc_comp(z, 0);

    (void)s;
    (void)err;
    mpc_k_fill(sum, 0, z->n);
    for (size_t k = 0; k < count; k++)
        for (size_t i = 0; i < z->n; i++)
            sum[i] += mpc_comp(x[k], 0)[i] * mpc_comp(y[k], 0)[y[k]->n == 1 ? 0 : i];
    return FM_OK;
}

static fm_status plain_and(struct mpc_session *s, const struct mpc_gate *gates, size_t count,
                           struct base_err *err)
{
    (void)s;
    (void)err;
    for (size_t i = 0; i < count; i++) {
        uint64_t *z = mpc_wire_words(gates[i].z, 0);
        size_t words = gates[i].z.share->plane_words;

        mpc_k_and(z, mpc_wire_words(gates[i].x, 0), mpc_wire_words(gates[i].y, 0), words);
        if (gates[i].w.share != NULL)
            mpc_k_xor(z, z, mpc_wire_words(gates[i].w, 0), words);
    }
    return FM_OK;
}

static fm_status plain_a2b(struct mpc_session *s, struct mpc_share *const *z,
                           const struct mpc_share *const *x, size_t count, struct base_err *err)
{
    (void)s;
    (void)err;
    for (size_t i = 0; i < count; i++)
        mpc_k_to_planes(mpc_comp(z[i], 0), z[i]->plane_words, z[i]->width, mpc_comp(x[i], 0),
                        x[i]->n);
    return FM_OK;
}

static fm_status plain_b2a(struct mpc_session *s, struct mpc_share *const *z,
                           const struct mpc_share *const *x, size_t count, enum mpc_sign sign,
                           struct base_err *err)
{
    (void)s;
    (void)err;
    for (size_t i = 0; i < count; i++) {
        uint64_t *words = mpc_comp(z[i], 0);
        unsigned unused = 64 - x[i]->width;

        mpc_k_from_planes(words, mpc_comp(x[i], 0), x[i]->plane_words, x[i]->width, x[i]->n);
        for (size_t j = 0; j < x[i]->n && sign == MPC_SIGNED; j++)
            words[j] = (uint64_t)((int64_t)(words[j] << unused) >> unused);
    }
    return FM_OK;
}

static fm_status plain_bit2a(struct mpc_session *s, struct mpc_share *const *z,
                             const struct mpc_share *const *x, size_t count, struct base_err *err)
{
    (void)s;
    (void)err;
    for (size_t i = 0; i < count; i++)
        mpc_k_bits_to_words(mpc_comp(z[i], 0), mpc_comp(x[i], 0), x[i]->n);
    return FM_OK;
}

static uint64_t difference(const struct mpc_share *x, const struct mpc_share *y, size_t i)
{
    return mpc_comp(x, 0)[i] - (y == NULL ? 0 : mpc_comp(y, 0)[y->n == 1 ? 0 : i]);
}

static fm_status plain_msb(struct mpc_session *s, struct mpc_share *const *z,
                           const struct mpc_share *const *x, const struct mpc_share *const *y,
                           const unsigned *width, size_t count, struct base_err *err)
{
    (void)s;
    (void)err;
    for (size_t i = 0; i < count; i++) {
        mpc_linear_zero(s, z[i]);
        for (size_t j = 0; j < x[i]->n; j++)
            mpc_comp(z[i], 0)[j / 64] |=
                (difference(x[i], y == NULL ? NULL : y[i], j) >> (width[i] - 1) & 1) << j % 64;
    }
    return FM_OK;
}

static fm_status plain_eqz(struct mpc_session *s, struct mpc_share *const *z,
                           const struct mpc_share *const *x, const struct mpc_share *const *y,
                           const unsigned *width, size_t count, struct base_err *err)
{
    (void)s;
    (void)err;
    for (size_t i = 0; i < count; i++) {
        mpc_linear_zero(s, z[i]);
        for (size_t j = 0; j < x[i]->n; j++) {
            bool zero = difference(x[i], y == NULL ? NULL : y[i], j) << (64 - width[i]) == 0;
            mpc_comp(z[i], 0)[j / 64] |= (uint64_t)zero << j % 64;
        }
    }
    return FM_OK;
}

static fm_status plain_bit_count(struct mpc_session *s, struct mpc_share *const *z,
                                 const struct mpc_share *const *x, size_t count,
                                 struct base_err *err)
{
    (void)s;
    (void)err;
    for (size_t i = 0; i < count; i++)
        mpc_comp(z[i], 0)[0] = mpc_k_popcount(mpc_comp(x[i], 0), x[i]->n);
    return FM_OK;
}

static fm_status joint_of_one(struct mpc_session *s, struct mpc_joint *joint, struct base_err *err)
{
    uint8_t seed[MPC_SEED];
    fm_status status = mpc_private_fill(&s->random, seed, sizeof seed, err);

    if (status != FM_OK)
        return status;
    return mpc_joint_init(joint, seed, s->context32, "plain", s->stream, err);
}

static fm_status plain_perm_random(struct mpc_session *s, struct mpc_perm *perm,
                                   struct base_err *err)
{
    struct mpc_joint joint;
    fm_status status = joint_of_one(s, &joint, err);

    if (status != FM_OK)
        return status;
    status = mpc_perm_draw(perm, 0, &joint, err);
    mpc_joint_release(&joint);
    return status;
}

static fm_status plain_perm_apply(const struct mpc_perm *perm, enum mpc_direction direction,
                                  struct mpc_share *const *z, const struct mpc_share *const *x,
                                  size_t count, struct base_err *err)
{
    (void)err;
    for (size_t i = 0; i < count; i++)
        mpc_perm_move(perm, 0, direction, x[i], mpc_comp(z[i], 0), mpc_comp(x[i], 0));
    return FM_OK;
}

static fm_status plain_coin(struct mpc_session *s, uint8_t *out, size_t len, struct base_err *err)
{
    return mpc_private_fill(&s->random, out, len, err);
}

static fm_status plain_zero_share(struct mpc_session *s, enum mpc_domain domain, uint64_t *out,
                                  size_t words, struct base_err *err)
{
    (void)s;
    (void)domain;
    (void)err;
    memset(out, 0, words * 8);
    return FM_OK;
}

static fm_status plain_random(struct mpc_session *s, struct mpc_share *z, struct base_err *err)
{
    if (z->n == 0)
        return FM_OK;
    return mpc_private_fill(&s->random, mpc_comp(z, 0), z->comp_words * 8, err);
}

const struct mpc_protocol mpc_plain = {
    .name = "plain",
    .parties = 1,
    .corrupt = 0,
    .adversary = MPC_NO_ADVERSARY,
    .components = 1,
    .held = 1,
    .costs = {0},
    .most_lanes = 1,
    .lane = mpc_lane_unsupported,
    .open = plain_open,
    .close = plain_close,
    .held_components = plain_held,
    .input = plain_input,
    .reveal_to = plain_reveal_to,
    .open_masked = plain_open_masked,
    .check = mpc_check_none,
    .prepare = mpc_prepare_none,
    .record = mpc_record_none,
    .zero = mpc_linear_zero,
    .add = mpc_linear_add,
    .sub = mpc_linear_sub,
    .scale = mpc_linear_scale,
    .add_constant = mpc_linear_add_constant,
    .sum = mpc_linear_sum,
    .spread = mpc_linear_spread,
    .place = mpc_linear_place,
    .gather = mpc_linear_gather,
    .gather_sub = mpc_linear_gather_sub,
    .prefix = mpc_linear_prefix,
    .xor = mpc_linear_xor,
    .flip = mpc_linear_flip,
    .mul = plain_mul,
    .dot = plain_dot,
    .dot_columns = plain_dot_columns,
    .and = plain_and,
    .a2b = plain_a2b,
    .b2a = plain_b2a,
    .bit2a = plain_bit2a,
    .msb = plain_msb,
    .msb_linked = mpc_msb_linked_by_signs,
    .eqz = plain_eqz,
    .bit_count = plain_bit_count,
    .perm_random = plain_perm_random,
    .perm_apply = plain_perm_apply,
    .perm_free = mpc_perm_release_maps,
    .coin = plain_coin,
    .zero_share = plain_zero_share,
    .random = plain_random,
};
