#include "mpc/circuit/adder.h"

#include <stdlib.h>
#include <string.h>

#include "mpc/gates.h"
#include "mpc/share.h"

enum { MAX_LEVELS = 12 };

/* The state of one item: the wires that stand now, and the shares they live in. */
struct work {
    unsigned m;
    struct mpc_wire g[MPC_MAX_WIDTH];
    struct mpc_wire p[64];
    struct mpc_share *temp[MAX_LEVELS];
    unsigned temps;
};

static bool stands_in(const struct work *w, const struct mpc_share *share)
{
    for (unsigned i = 0; i < w->m; i++)
        if (w->g[i].share == share || (i < 64 && w->p[i].share == share))
            return true;
    return false;
}

/* Frees the levels that no standing wire needs any more. */
static void drop_unused(struct work *w)
{
    unsigned kept = 0;

    for (unsigned t = 0; t < w->temps; t++) {
        if (stands_in(w, w->temp[t]))
            w->temp[kept++] = w->temp[t];
        else
            mpc_share_free(w->temp[t]);
    }
    w->temps = kept;
}

static fm_status new_level(struct mpc_share **out, struct mpc_session *s, struct work *w, size_t n,
                           unsigned planes, struct base_err *err)
{
    fm_status status = mpc_bits_new(out, s, n, planes, err);

    if (status == FM_OK)
        w->temp[w->temps++] = *out;
    return status;
}

static void release_work(struct work *w, size_t count)
{
    for (size_t i = 0; w != NULL && i < count; i++)
        mpc_share_free_all(w[i].temp, w[i].temps);
    free(w);
}

/* z = a ^ b where either may be none. */
static fm_status settle(struct mpc_session *s, struct mpc_gates *gates, struct mpc_share *z,
                        struct mpc_wire a, struct mpc_wire b, struct base_err *err)
{
    if (a.share != NULL && b.share != NULL) {
        mpc_gates_push(gates, mpc_wire_of(z, 0), a, b, mpc_wire_none());
        return mpc_gates_xor(s, gates, err);
    }
    if (s->computes)
        s->row->zero(s, z);
    if (a.share == NULL && b.share == NULL)
        return FM_OK;
    mpc_gates_push(gates, mpc_wire_of(z, 0), mpc_wire_of(z, 0), a.share != NULL ? a : b,
                   mpc_wire_none());
    return mpc_gates_xor(s, gates, err);
}

/* First round: g_j = (u_j & p_j) ^ u_j for all positions of all items. */
static fm_status generate(struct mpc_session *s, struct mpc_gates *gates, struct work *w,
                          const struct mpc_adder *in, const unsigned *bits, size_t count,
                          struct base_err *err)
{
    for (size_t i = 0; i < count; i++) {
        struct mpc_share *g;
        fm_status status;

        w[i].m = bits[i];
        if (bits[i] == 0)
            continue;
        status = new_level(&g, s, &w[i], in[i].u->n, bits[i], err);
        if (status != FM_OK)
            return status;
        for (unsigned j = 0; j < bits[i]; j++) {
            struct mpc_wire u = mpc_wire_of(in[i].u, j);

            w[i].g[j] = mpc_wire_of(g, j);
            w[i].p[j] = mpc_wire_of(in[i].p, j);
            mpc_gates_push(gates, w[i].g[j], u, w[i].p[j], u);
        }
    }
    return mpc_gates_and(s, gates, err);
}

/* One level of the carry tree of one item: neighbours become one. Pushes the gates into `level`. */
static void push_pairs(struct mpc_gates *gates, struct work *w, struct mpc_share *level)
{
    unsigned pairs = w->m / 2;

    for (unsigned i = 0; i < pairs; i++) {
        unsigned lo = 2 * i;
        unsigned hi = lo + 1;

        mpc_gates_push(gates, mpc_wire_of(level, i), w->p[hi], w->g[lo], w->g[hi]);
        if (i > 0) /* the lowest group's p would never be used: no carry comes in */
            mpc_gates_push(gates, mpc_wire_of(level, pairs + i - 1), w->p[hi], w->p[lo],
                           mpc_wire_none());
    }
}

static void take_pairs(struct work *w, struct mpc_share *level)
{
    unsigned pairs = w->m / 2;

    for (unsigned i = 0; i < pairs; i++) {
        w->g[i] = mpc_wire_of(level, i);
        if (i > 0)
            w->p[i] = mpc_wire_of(level, pairs + i - 1);
    }
    if (w->m % 2 != 0) {
        w->g[pairs] = w->g[w->m - 1];
        w->p[pairs] = w->p[w->m - 1];
    }
    w->m = pairs + w->m % 2;
    w->p[0] = mpc_wire_none();
    drop_unused(w);
}

static fm_status carry_tree(struct mpc_session *s, struct mpc_gates *gates, struct work *w,
                            size_t count, struct mpc_share **level, struct base_err *err)
{
    for (;;) {
        bool more = false;
        fm_status status;

        for (size_t i = 0; i < count; i++) {
            if (w[i].m < 2)
                continue;
            more = true;
            status = new_level(&level[i], s, &w[i], w[i].g[0].share->n, w[i].m / 2 * 2 - 1, err);
            if (status != FM_OK)
                return status;
            push_pairs(gates, &w[i], level[i]);
        }
        if (!more)
            return FM_OK;
        status = mpc_gates_and(s, gates, err);
        if (status != FM_OK)
            return status;
        for (size_t i = 0; i < count; i++)
            if (w[i].m >= 2)
                take_pairs(&w[i], level[i]);
    }
}

/* Work-optimal: afterwards g[j] = c_{j+1}. mixed: the u_j ^ c_j, a plane each, because a malicious
 * row needs operands unchanged until its check. */
static fm_status ripple(struct mpc_session *s, struct mpc_gates *gates, struct work *w,
                        const struct mpc_adder *in, const unsigned *bits, size_t count,
                        struct mpc_share **carries, struct mpc_share **mixed, struct base_err *err)
{
    unsigned longest = 0;
    fm_status status;

    for (size_t i = 0; i < count; i++) {
        w[i].m = bits[i];
        longest = bits[i] > longest ? bits[i] : longest;
        if (bits[i] == 0)
            continue;
        status = new_level(&carries[i], s, &w[i], in[i].u->n, bits[i], err);
        if (status == FM_OK)
            status = new_level(&mixed[i], s, &w[i], in[i].u->n, bits[i], err);
        if (status != FM_OK)
            return status;
    }
    for (unsigned j = 0; j < longest; j++) {
        for (size_t i = 0; i < count; i++)
            if (j > 0 && j < bits[i])
                mpc_gates_push(gates, mpc_wire_of(mixed[i], j), mpc_wire_of(in[i].u, j),
                               w[i].g[j - 1], mpc_wire_none());
        status = mpc_gates_xor(s, gates, err);
        if (status != FM_OK)
            return status;
        for (size_t i = 0; i < count; i++) {
            struct mpc_wire u;

            if (j >= bits[i])
                continue;
            u = mpc_wire_of(in[i].u, j);
            w[i].g[j] = mpc_wire_of(carries[i], j);
            mpc_gates_push(gates, w[i].g[j], mpc_wire_of(in[i].p, j),
                           j == 0 ? u : mpc_wire_of(mixed[i], j), u);
        }
        status = mpc_gates_and(s, gates, err);
        if (status != FM_OK)
            return status;
    }
    return FM_OK;
}

/* Sklansky: afterwards g[j] = c_{j+1}. At level d every position with bit d set takes in the group
 * that ends just below its block. */
static fm_status prefix(struct mpc_session *s, struct mpc_gates *gates, struct work *w,
                        const struct mpc_adder *in, size_t count, struct mpc_share **level,
                        struct base_err *err)
{
    for (unsigned d = 0; d < 6; d++) {
        fm_status status;

        for (size_t i = 0; i < count; i++) {
            unsigned plane = 0;
            unsigned planes = 0;

            for (unsigned j = 0; j < w[i].m; j++)
                planes += (j >> d & 1) != 0 ? 1u + (j >> (d + 1) != 0) : 0u;
            level[i] = NULL;
            if (planes == 0)
                continue;
            status = new_level(&level[i], s, &w[i], in[i].u->n, planes, err);
            if (status != FM_OK)
                return status;
            for (unsigned j = 0; j < w[i].m; j++) {
                unsigned below = (j >> d << d) - 1;

                if ((j >> d & 1) == 0)
                    continue;
                mpc_gates_push(gates, mpc_wire_of(level[i], plane++), w[i].p[j], w[i].g[below],
                               w[i].g[j]);
                if (j >> (d + 1) != 0)
                    mpc_gates_push(gates, mpc_wire_of(level[i], plane++), w[i].p[j], w[i].p[below],
                                   mpc_wire_none());
            }
        }
        status = mpc_gates_and(s, gates, err);
        if (status != FM_OK)
            return status;
        for (size_t i = 0; i < count; i++) {
            unsigned plane = 0;

            for (unsigned j = 0; level[i] != NULL && j < w[i].m; j++) {
                if ((j >> d & 1) == 0)
                    continue;
                w[i].g[j] = mpc_wire_of(level[i], plane++);
                w[i].p[j] = j >> (d + 1) != 0 ? mpc_wire_of(level[i], plane++) : mpc_wire_none();
            }
            drop_unused(&w[i]);
        }
    }
    return FM_OK;
}

/* Scratch that every entry point needs: works, two lists of shares, a list of widths. */
struct scratch {
    struct work *work;
    struct mpc_share **one;
    struct mpc_share **two;
    unsigned *bits;
    struct mpc_gates gates;
};

static fm_status scratch_new(struct scratch *k, struct mpc_session *s, size_t count,
                             struct base_err *err)
{
    *k = (struct scratch){0};
    k->work = calloc(count, sizeof *k->work);
    k->one = calloc(count, sizeof *k->one);
    k->two = calloc(count, sizeof *k->two);
    k->bits = calloc(count, sizeof *k->bits);
    if (k->work == NULL || k->one == NULL || k->two == NULL || k->bits == NULL)
        return mpc_no_memory(s, "adder", err);
    return FM_OK;
}

static void scratch_release(struct scratch *k, size_t count)
{
    release_work(k->work, count);
    free(k->one);
    free(k->two);
    free(k->bits);
    mpc_gates_release(&k->gates);
}

fm_status mpc_adder_carry(struct mpc_session *s, struct mpc_share *const *z,
                          const struct mpc_adder *in, const struct mpc_wire *top, size_t count,
                          struct base_err *err)
{
    return mpc_adder_carry_by(s, mpc_adder_choose(s, in, count, mpc_carry_cost), z, in, top, count,
                              err);
}

fm_status mpc_adder_carry_by(struct mpc_session *s, enum mpc_profile fixed,
                             struct mpc_share *const *z, const struct mpc_adder *in,
                             const struct mpc_wire *top, size_t count, struct base_err *err)
{
    struct scratch k;
    fm_status status = scratch_new(&k, s, count, err);

    if (status != FM_OK)
        goto out;
    for (size_t i = 0; i < count; i++)
        k.bits[i] = in[i].bits;
    if (fixed == MPC_FEW_BYTES) {
        status = ripple(s, &k.gates, k.work, in, k.bits, count, k.one, k.two, err);
    } else {
        status = generate(s, &k.gates, k.work, in, k.bits, count, err);
        if (status == FM_OK)
            status = carry_tree(s, &k.gates, k.work, count, k.one, err);
    }
    for (size_t i = 0; status == FM_OK && i < count; i++) {
        unsigned m = k.work[i].m;
        status =
            settle(s, &k.gates, z[i], m == 0 ? mpc_wire_none() : k.work[i].g[m - 1], top[i], err);
    }
out:
    scratch_release(&k, count);
    return status;
}

fm_status mpc_adder_groups(struct mpc_session *s, struct mpc_share *const *z,
                           const struct mpc_groups *in, const struct mpc_wire *top, size_t count,
                           struct base_err *err)
{
    struct scratch k;
    fm_status status = scratch_new(&k, s, count, err);

    for (size_t i = 0; status == FM_OK && i < count; i++) {
        struct work *w = &k.work[i];

        w->m = in[i].groups;
        for (unsigned j = 0; j < w->m; j++) {
            w->g[j] = mpc_wire_of(in[i].g, j);
            if (j > 0)
                w->p[j] = mpc_wire_of(in[i].p, in[i].p_from + j - 1);
        }
    }
    if (status == FM_OK)
        status = carry_tree(s, &k.gates, k.work, count, k.one, err);
    for (size_t i = 0; status == FM_OK && i < count; i++)
        status = settle(s, &k.gates, z[i], in[i].groups == 0 ? mpc_wire_none() : k.work[i].g[0],
                        top[i], err);
    scratch_release(&k, count);
    return status;
}

fm_status mpc_adder_sum(struct mpc_session *s, struct mpc_share *const *z,
                        const struct mpc_adder *in, size_t count, struct base_err *err)
{
    return mpc_adder_sum_by(s, mpc_adder_choose(s, in, count, mpc_sum_cost), z, in, count, err);
}

fm_status mpc_adder_sum_by(struct mpc_session *s, enum mpc_profile fixed,
                           struct mpc_share *const *z, const struct mpc_adder *in, size_t count,
                           struct base_err *err)
{
    struct scratch k;
    fm_status status = scratch_new(&k, s, count, err);

    if (status != FM_OK)
        goto out;
    for (size_t i = 0; i < count; i++)
        k.bits[i] = in[i].bits - 1; /* the carry out of the top position is not wanted */
    if (fixed == MPC_FEW_BYTES) {
        status = ripple(s, &k.gates, k.work, in, k.bits, count, k.one, k.two, err);
    } else {
        status = generate(s, &k.gates, k.work, in, k.bits, count, err);
        if (status == FM_OK)
            status = prefix(s, &k.gates, k.work, in, count, k.one, err);
    }
    for (size_t i = 0; status == FM_OK && i < count; i++) {
        if (s->computes)
            s->row->zero(s, z[i]);
        for (unsigned j = 0; j < in[i].bits; j++)
            mpc_gates_push(&k.gates, mpc_wire_of(z[i], j), mpc_wire_of(in[i].p, j),
                           j == 0 ? mpc_wire_of(z[i], 0) : k.work[i].g[j - 1], mpc_wire_none());
        status = mpc_gates_xor(s, &k.gates, err);
    }
out:
    scratch_release(&k, count);
    return status;
}

static fm_status all_levels(struct mpc_session *s, struct scratch *k, size_t count,
                            struct base_err *err)
{
    for (;;) {
        bool more = false;
        fm_status status;

        for (size_t i = 0; i < count; i++) {
            struct work *w = &k->work[i];

            if (w->m < 2)
                continue;
            more = true;
            status = new_level(&k->one[i], s, w, w->g[0].share->n, w->m / 2, err);
            if (status != FM_OK)
                return status;
            for (unsigned j = 0; j < w->m / 2; j++)
                mpc_gates_push(&k->gates, mpc_wire_of(k->one[i], j), w->g[2 * j], w->g[2 * j + 1],
                               mpc_wire_none());
        }
        if (!more)
            return FM_OK;
        status = mpc_gates_and(s, &k->gates, err);
        if (status != FM_OK)
            return status;
        for (size_t i = 0; i < count; i++) {
            struct work *w = &k->work[i];
            unsigned pairs = w->m / 2;

            if (w->m < 2)
                continue;
            if (w->m % 2 != 0)
                w->g[pairs] = w->g[w->m - 1];
            for (unsigned j = 0; j < pairs; j++)
                w->g[j] = mpc_wire_of(k->one[i], j);
            w->m = pairs + w->m % 2;
            drop_unused(w);
        }
    }
}

fm_status mpc_all_planes(struct mpc_session *s, struct mpc_share *const *z,
                         const struct mpc_share *const *x, size_t count, struct base_err *err)
{
    struct scratch k;
    fm_status status = scratch_new(&k, s, count, err);

    if (status != FM_OK)
        goto out;
    for (size_t i = 0; i < count; i++) {
        k.work[i].m = x[i]->width;
        for (unsigned j = 0; j < x[i]->width; j++)
            k.work[i].g[j] = mpc_wire_of(x[i], j);
    }
    status = all_levels(s, &k, count, err);
    for (size_t i = 0; status == FM_OK && i < count; i++)
        status = settle(s, &k.gates, z[i], k.work[i].g[0], mpc_wire_none(), err);
out:
    scratch_release(&k, count);
    return status;
}
