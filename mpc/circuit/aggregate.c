#include "mpc/circuit/aggregate.h"

#include <stdlib.h>

#include "mpc/circuit/adder.h"
#include "mpc/gates.h"
#include "mpc/ops_check.h"
#include "mpc/share.h"

static fm_status check_mask(const struct mpc_share *where, const struct mpc_share *x,
                            const char *what, struct base_err *err)
{
    fm_status status = mpc_check_domain(x, MPC_RING64, what, err);

    if (status == FM_OK && (where->domain != MPC_BITS || where->width != 1))
        status = base_err_set(err, FM_E_ARG, "%s: a mask is a bits column of width 1", what);
    if (status == FM_OK && where->session != x->session)
        status = base_err_set(err, FM_E_ARG, "%s: the columns are of two sessions", what);
    if (status == FM_OK && where->n != x->n)
        status =
            base_err_set(err, FM_E_ARG, "%s: lengths %zu and %zu differ", what, x->n, where->n);
    return status;
}

fm_status mpc_count(struct mpc_share **z, const struct mpc_share *where, struct base_err *err)
{
    return mpc_bit_count_list(z, &where, 1, err);
}

fm_status mpc_sum_where(struct mpc_share **z, const struct mpc_share *x,
                        const struct mpc_share *where, struct base_err *err)
{
    struct mpc_share *bit01;
    fm_status status;

    *z = NULL;
    status = check_mask(where, x, "sum", err);
    if (status == FM_OK)
        status = mpc_bit2a(&bit01, where, err);
    if (status != FM_OK)
        return status;
    status = mpc_dot(z, x, bit01, err);
    mpc_share_free(bit01);
    return status;
}

fm_status mpc_sum_where_list(struct mpc_share **z, const struct mpc_share *const *x,
                             const struct mpc_share *bit01, size_t count, struct base_err *err)
{
    const struct mpc_share **masks = calloc(count + 1, sizeof *masks);
    fm_status status;

    if (masks == NULL)
        return mpc_no_memory(bit01->session, "sum", err);
    for (size_t i = 0; i < count; i++)
        masks[i] = bit01;
    status = mpc_dot_list(z, x, masks, count, err);
    free(masks);
    return status;
}

/* ---- the tournament ----
 * Invariant of a round: the n keys still in the race, and the n bits that say whether anything real
 * stands behind them; the least of all keys is among them, and the OR of the bits is that of all.
 */
struct race {
    struct mpc_share *key; /* unsigned, the least wins; all ones where void */
    struct mpc_share *real;
};

/* Where the second half begins: on a word's border, if that costs no more than a little imbalance.
 */
static size_t half(size_t n)
{
    size_t up = n - n / 2;

    return n > 256 ? (up + 63) / 64 * 64 : up;
}

/* winner = right < left ? right : left, and real = OR: right's m elements against left's first m.
 */
static fm_status duel(struct race *winner, const struct race *left, const struct race *right,
                      struct base_err *err)
{
    struct mpc_session *s = left->key->session;
    struct mpc_gates gates = {0};
    struct mpc_share *t[4] = {NULL}; /* differ, agree, right < left, either */
    struct mpc_wire none = mpc_wire_none();
    unsigned k = left->key->width;
    fm_status status = mpc_xor(&t[0], left->key, right->key, err);

    if (status == FM_OK)
        status = mpc_not(&t[1], t[0], err);
    if (status == FM_OK)
        status = mpc_bits_new(&t[2], s, right->key->n, 1, err);
    if (status == FM_OK) {
        /* the borrow of right - left, see adder.h */
        struct mpc_adder borrow = {left->key, t[1], k};
        status = mpc_adder_carry(s, &t[2], &borrow, &none, 1, err);
    }
    if (status == FM_OK)
        status = mpc_xor(&t[3], left->real, right->real, err);
    if (status == FM_OK)
        status = mpc_bits_new(&winner->key, s, right->key->n, k, err);
    if (status == FM_OK)
        status = mpc_bits_new(&winner->real, s, right->key->n, 1, err);
    if (status == FM_OK) {
        for (unsigned j = 0; j < k; j++)
            mpc_gates_push(&gates, mpc_wire_of(winner->key, j), mpc_wire_of(t[2], 0),
                           mpc_wire_of(t[0], j), mpc_wire_of(left->key, j));
        mpc_gates_push(&gates, mpc_wire_of(winner->real, 0), mpc_wire_of(left->real, 0),
                       mpc_wire_of(right->real, 0), mpc_wire_of(t[3], 0));
        status = mpc_gates_and(s, &gates, err);
    }
    mpc_gates_release(&gates);
    mpc_share_free_all(t, 4);
    return status;
}

static void race_free(struct race *r)
{
    mpc_share_free(r->key);
    mpc_share_free(r->real);
    *r = (struct race){0};
}

static fm_status part(struct race *out, const struct race *r, size_t from, size_t n,
                      struct base_err *err)
{
    fm_status status = mpc_slice(&out->key, r->key, from, n, err);

    if (status == FM_OK)
        status = mpc_slice(&out->real, r->real, from, n, err);
    return status;
}

static fm_status join(struct race *out, const struct race *a, const struct race *b,
                      struct base_err *err)
{
    fm_status status =
        mpc_concat(&out->key, (const struct mpc_share *const[]){a->key, b->key}, 2, err);

    if (status == FM_OK)
        status =
            mpc_concat(&out->real, (const struct mpc_share *const[]){a->real, b->real}, 2, err);
    return status;
}

/* One level: the second half against the beginning of the first; who had no opponent goes through.
 */
static fm_status level(struct race *r, struct base_err *err)
{
    struct race p[4] = {{0}}; /* left, right, through, winners */
    struct race next = {0};
    size_t n = r->key->n;
    size_t first = half(n);
    size_t m = n - first;
    fm_status status = part(&p[0], r, 0, m, err);

    if (status == FM_OK)
        status = part(&p[1], r, first, m, err);
    if (status == FM_OK)
        status = part(&p[2], r, m, first - m, err);
    if (status == FM_OK)
        status = duel(&p[3], &p[0], &p[1], err);
    if (status == FM_OK)
        status = join(&next, &p[3], &p[2], err);
    for (size_t i = 0; i < 4; i++)
        race_free(&p[i]);
    race_free(r);
    *r = next;
    return status;
}

enum extreme { EXTREME_MIN, EXTREME_MAX };

/* Two's complement to unsigned order: the top bit flips; for a maximum, all other bits do instead.
 * The same map leads back. */
static void turn(struct mpc_share *key, enum extreme which)
{
    for (unsigned j = 0; j < key->width; j++)
        if ((j == key->width - 1) == (which == EXTREME_MIN))
            mpc_wire_flip(key->session, mpc_wire_of(key, j));
}

static void flip_all(struct mpc_share *x)
{
    for (unsigned j = 0; j < x->width; j++)
        mpc_wire_flip(x->session, mpc_wire_of(x, j));
}

/* Keys of x, all ones where the mask is not set: ~(~key & where). */
static fm_status start(struct race *r, const struct mpc_share *x, const struct mpc_share *where,
                       enum extreme which, struct base_err *err)
{
    struct mpc_share *bits;
    fm_status status = mpc_a2b(&bits, x, err);

    if (status != FM_OK)
        return status;
    turn(bits, which);
    flip_all(bits);
    status = mpc_and(&r->key, bits, where, err);
    mpc_share_free(bits);
    if (status != FM_OK)
        return status;
    flip_all(r->key);
    return mpc_slice(&r->real, where, 0, where->n, err);
}

static fm_status finish(struct mpc_share **value, struct mpc_share **any, struct race *r,
                        struct mpc_range range, enum extreme which, struct base_err *err)
{
    struct mpc_share *kept = NULL;
    fm_status status;

    turn(r->key, which);
    status = mpc_and(&kept, r->key, r->real, err);
    if (status == FM_OK)
        status = mpc_b2a(value, kept, MPC_SIGNED, err);
    if (status == FM_OK)
        status = mpc_share_narrow(
            *value, (struct mpc_range){range.lo < 0 ? range.lo : 0, range.hi > 0 ? range.hi : 0},
            err);
    mpc_share_free(kept);
    *any = r->real;
    r->real = NULL;
    return status;
}

static fm_status extreme_where(struct mpc_share **value, struct mpc_share **any,
                               const struct mpc_share *x, const struct mpc_share *where,
                               enum extreme which, struct base_err *err)
{
    struct race r = {0};
    fm_status status;

    *value = NULL;
    *any = NULL;
    status = check_mask(where, x, which == EXTREME_MIN ? "min" : "max", err);
    if (status != FM_OK)
        return status;
    if (x->n == 0) {
        status = mpc_constant(x->session, value, 0, 1, err);
        if (status == FM_OK)
            status = mpc_bits_constant(x->session, any, 0, 1, 1, err);
        return status;
    }
    status = start(&r, x, where, which, err);
    while (status == FM_OK && r.key->n > 1)
        status = level(&r, err);
    if (status == FM_OK)
        status = finish(value, any, &r, x->range, which, err);
    race_free(&r);
    if (status != FM_OK) {
        mpc_share_free_all(value, 1);
        mpc_share_free_all(any, 1);
    }
    return status;
}

fm_status mpc_min_where(struct mpc_share **value, struct mpc_share **any, const struct mpc_share *x,
                        const struct mpc_share *where, struct base_err *err)
{
    return extreme_where(value, any, x, where, EXTREME_MIN, err);
}

fm_status mpc_max_where(struct mpc_share **value, struct mpc_share **any, const struct mpc_share *x,
                        const struct mpc_share *where, struct base_err *err)
{
    return extreme_where(value, any, x, where, EXTREME_MAX, err);
}

fm_status mpc_any(struct mpc_share **any, const struct mpc_share *where, struct base_err *err)
{
    struct mpc_share *now;
    fm_status status;

    *any = NULL;
    status = mpc_check_domain(where, MPC_BITS, "any", err);
    if (status != FM_OK)
        return status;
    if (where->n == 0)
        return mpc_bits_constant(where->session, any, 0, where->width, 1, err);
    status = mpc_slice(&now, where, 0, where->n, err);
    while (status == FM_OK && now->n > 1) {
        struct mpc_share *p[4] = {NULL}; /* left, right, through, either */
        struct mpc_share *next = NULL;
        size_t first = half(now->n);
        size_t m = now->n - first;

        status = mpc_slice(&p[0], now, 0, m, err);
        if (status == FM_OK)
            status = mpc_slice(&p[1], now, first, m, err);
        if (status == FM_OK)
            status = mpc_slice(&p[2], now, m, first - m, err);
        if (status == FM_OK)
            status = mpc_or(&p[3], p[0], p[1], err);
        if (status == FM_OK)
            status = mpc_concat(&next, (const struct mpc_share *const[]){p[3], p[2]}, 2, err);
        mpc_share_free_all(p, 4);
        mpc_share_free(now);
        now = next;
    }
    *any = now;
    return status;
}
