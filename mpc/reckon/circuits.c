/* Products and conversions: what rep3's cost functions say. */
#include "mpc/linked.h"
#include "mpc/reckon/own.h"
#include "mpc/rep3/b2a.h"
#include "mpc/rep3/rep3.h"

/* ---- products ---- */

fm_status reckon_mul(struct mpc_session *s, struct mpc_share *const *z,
                     const struct mpc_share *const *x, const struct mpc_share *const *y,
                     size_t count, struct base_err *err)
{
    uint64_t n = 0;

    (void)x;
    (void)y;
    (void)err;
    for (size_t i = 0; i < count; i++)
        n += z[i]->n;
    reckon_spend(s, mpc_rep3.costs.mul_bytes * n, n > 0, (double)n * NS_MUL);
    return FM_OK;
}

fm_status reckon_dot(struct mpc_session *s, struct mpc_share *const *z,
                     const struct mpc_share *const *x, const struct mpc_share *const *y,
                     size_t count, struct base_err *err)
{
    double n = 0;

    (void)z;
    (void)y;
    (void)err;
    for (size_t i = 0; i < count; i++)
        n += (double)x[i]->n;
    reckon_spend(s, mpc_rep3.costs.mul_bytes * count, 1, n * NS_LOCAL);
    return FM_OK;
}

fm_status reckon_dot_columns(struct mpc_session *s, struct mpc_share *z,
                             const struct mpc_share *const *x, const struct mpc_share *const *y,
                             size_t count, struct base_err *err)
{
    (void)x;
    (void)y;
    (void)err;
    reckon_spend(s, mpc_rep3.costs.mul_bytes * z->n, z->n > 0,
                 (double)z->n * (NS_MUL + (double)count * NS_LOCAL));
    return FM_OK;
}

fm_status reckon_and(struct mpc_session *s, const struct mpc_gate *gates, size_t count,
                     struct base_err *err)
{
    uint64_t words = 0;

    (void)err;
    for (size_t i = 0; i < count; i++)
        words += gates[i].z.share->plane_words;
    reckon_spend(s, mpc_rep3.costs.and_bytes * words, words > 0, (double)words * NS_WORD_AND);
    return FM_OK;
}

/* ---- conversions ---- */

/* A list of circuits runs in as many rounds as its deepest. */
struct circuits {
    uint64_t bytes;
    unsigned rounds;
    size_t words; /* of one plane of each */
};

static void add_circuit(struct circuits *all, struct mpc_rep3_cost cost, const struct mpc_share *z)
{
    if (z->n == 0)
        return;
    all->bytes += cost.bytes * mpc_plane_words(z->n);
    all->rounds = cost.rounds > all->rounds ? cost.rounds : all->rounds;
    all->words += mpc_plane_words(z->n);
}

/* The units of a circuit that are under way hold their wires; so many words of each plane are. */
enum { UNDER_WAY = 6000 };

static fm_status spend_circuits(struct mpc_session *s, const struct circuits *all,
                                struct base_err *err)
{
    size_t words = all->words < UNDER_WAY ? all->words : UNDER_WAY;
    struct mpc_share *scratch;
    fm_status st = FM_OK;

    if (all->words == 0)
        return FM_OK;
    st = mpc_block_new(&scratch, s, all->bytes / all->words * words * 3 / 2, err);
    if (st == FM_OK)
        mpc_share_free(scratch);
    reckon_spend(s, all->bytes, all->rounds,
                 (double)all->bytes * NS_MASKED_BYTE + (double)all->words * 64 * NS_MASKED);
    return st;
}

static size_t length_of(const struct mpc_share *const *x, size_t count)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        n += x[i]->n;
    return n;
}

fm_status reckon_a2b(struct mpc_session *s, struct mpc_share *const *z,
                     const struct mpc_share *const *x, size_t count, struct base_err *err)
{
    struct circuits all = {0};
    enum mpc_profile way;
    unsigned widest = 1;

    for (size_t i = 0; i < count; i++)
        widest = z[i]->width > widest ? z[i]->width : widest;
    way = mpc_rep3_a2b_way(widest, length_of(x, count), s->profile);
    for (size_t i = 0; i < count; i++) {
        struct mpc_rep3_cost cost = mpc_rep3_a2b_cost(z[i]->width, way);

        if (cost.bytes == UINT64_MAX)
            return base_err_memory(err, "reckoning");
        add_circuit(&all, cost, z[i]);
    }
    return spend_circuits(s, &all, err);
}

fm_status reckon_msb(struct mpc_session *s, struct mpc_share *const *z,
                     const struct mpc_share *const *x, const struct mpc_share *const *y,
                     const unsigned *width, size_t count, struct base_err *err)
{
    struct circuits all = {0};
    size_t n = length_of(x, count);
    enum mpc_profile way;
    unsigned widest = 1;

    (void)y;
    for (size_t i = 0; i < count; i++)
        widest = width[i] > widest ? width[i] : widest;
    way = mpc_rep3_msb_way(widest, n, s->profile);
    for (size_t i = 0; i < count; i++)
        add_circuit(&all, mpc_rep3_msb_cost(width[i], n, way), z[i]);
    return spend_circuits(s, &all, err);
}

fm_status reckon_eqz(struct mpc_session *s, struct mpc_share *const *z,
                     const struct mpc_share *const *x, const struct mpc_share *const *y,
                     const unsigned *width, size_t count, struct base_err *err)
{
    struct circuits all = {0};
    size_t n = length_of(x, count);

    (void)y;
    for (size_t i = 0; i < count; i++)
        add_circuit(&all, mpc_rep3_eqz_cost(width[i], n, s->profile), z[i]);
    return spend_circuits(s, &all, err);
}

fm_status reckon_msb_linked(struct mpc_session *s, struct mpc_share *z,
                            const struct mpc_share *const *x, const unsigned *width, size_t count,
                            struct base_err *err)
{
    struct mpc_rep3_cost cost = mpc_rep3_linked_way(width, count, x[0]->n, s->profile);
    struct circuits all = {0};

    if (count == 1)
        return reckon_msb(s, &z, x, NULL, width, 1, err);
    if (cost.group == 0)
        return mpc_msb_linked_by_signs(s, z, x, width, count, err);
    add_circuit(&all, cost, z);
    return spend_circuits(s, &all, err);
}

fm_status reckon_bit2a(struct mpc_session *s, struct mpc_share *const *z,
                       const struct mpc_share *const *x, size_t count, struct base_err *err)
{
    size_t n = length_of(x, count);

    (void)z;
    (void)err;
    reckon_spend(s, mpc_rep3.costs.bit2a_bytes * n, n > 0 ? mpc_rep3.costs.bit2a_rounds : 0,
                 (double)n * NS_BIT2A);
    return FM_OK;
}

fm_status reckon_b2a(struct mpc_session *s, struct mpc_share *const *z,
                     const struct mpc_share *const *x, size_t count, enum mpc_sign sign,
                     struct base_err *err)
{
    (void)z;
    (void)sign;
    (void)err;
    for (size_t i = 0; i < count; i++) {
        uint64_t bytes;
        unsigned rounds = rep3_b2a_cost(&bytes, x[i]->width, x[i]->n, s->profile);

        if (bytes == UINT64_MAX)
            return base_err_memory(err, "reckoning");
        reckon_spend(s, bytes, rounds,
                     (double)bytes * NS_MASKED_BYTE + (double)x[i]->n * NS_MASKED);
    }
    return FM_OK;
}

fm_status reckon_bit_count(struct mpc_session *s, struct mpc_share *const *z,
                           const struct mpc_share *const *x, size_t count, struct base_err *err)
{
    size_t n = length_of(x, count);

    (void)z;
    (void)err;
    reckon_spend(s, 8 * (uint64_t)n + 24 * (uint64_t)count, 1 + (n > 0), (double)n * NS_BIT2A / 2);
    return FM_OK;
}
