#include "mpc/oblivious/versus.h"

#include <stdlib.h>

#include "mpc/oblivious/arrange.h"
#include "mpc/share.h"

fm_status mpc_versus_init(struct mpc_versus *v, struct mpc_share *const *limb, size_t limbs,
                          size_t most, struct base_err *err)
{
    size_t cap = most < MPC_VERSUS_BATCH ? most : MPC_VERSUS_BATCH;

    cap = (cap / 64 + 1) * 64;
    *v = (struct mpc_versus){.limb = limb, .limbs = limbs, .cap = cap};
    v->x = malloc(cap * sizeof *v->x);
    v->y = malloc(cap * sizeof *v->y);
    if (v->x == NULL || v->y == NULL)
        return mpc_no_memory(limb[0]->session, "comparisons", err);
    return FM_OK;
}

void mpc_versus_release(struct mpc_versus *v)
{
    free(v->x);
    free(v->y);
    free(v->less);
    *v = (struct mpc_versus){0};
}

void mpc_versus_restart(struct mpc_versus *v)
{
    v->pending = v->compared = 0;
}

fm_status mpc_versus_push_run(struct mpc_versus *v, uint32_t x, size_t n, const uint32_t *y,
                              const uint32_t *pick, uint32_t step, struct base_err *err)
{
    for (size_t done = 0; done < n;) {
        size_t room = v->cap - v->pending;
        size_t len = n - done < room ? n - done : room;
        uint32_t *to_x = v->x + v->pending;
        uint32_t *to_y = v->y + v->pending;

        for (size_t i = 0; i < len; i++) {
            to_x[i] = x + (uint32_t)(done + i);
            to_y[i] = y[pick[done + i] * step];
        }
        v->pending += len;
        done += len;
        if (v->pending == v->cap) {
            fm_status status = mpc_versus_run(v, err);

            if (status != FM_OK)
                return status;
        }
    }
    return FM_OK;
}

/* The signs of all limbs' x - y, and of y - x but for the last limb: sign[2k] and sign[2k + 1]. */
static fm_status signs(struct mpc_share **sign, const struct mpc_versus *v, struct base_err *err)
{
    struct mpc_share *d[2 * MPC_ARRANGE_LIMBS] = {NULL};
    unsigned width[2 * MPC_ARRANGE_LIMBS];
    size_t count = 2 * v->limbs - 1;
    fm_status status = FM_OK;

    for (size_t k = 0; status == FM_OK && k < v->limbs; k++) {
        status = mpc_gather_sub(&d[2 * k], v->limb[k], v->x, v->y, v->pending, err);
        if (status == FM_OK && k + 1 < v->limbs)
            status = mpc_neg(&d[2 * k + 1], d[2 * k], err);
    }
    for (size_t i = 0; status == FM_OK && i < count; i++)
        width[i] = mpc_share_width(d[i]);
    if (status == FM_OK)
        status = mpc_msb_list(sign, (const struct mpc_share *const *)d, width, count, err);
    mpc_share_free_all(d, count);
    return status;
}

/* less = less_k ^ (neither less_k nor greater_k, & less of the limbs below). */
static fm_status combine(struct mpc_share **less, const struct mpc_share *less_k,
                         const struct mpc_share *greater_k, struct base_err *err)
{
    struct mpc_share *t[3] = {NULL};
    struct mpc_share *below = *less;
    fm_status status = mpc_xor(&t[0], less_k, greater_k, err);

    *less = NULL;
    if (status == FM_OK)
        status = mpc_not(&t[1], t[0], err);
    if (status == FM_OK)
        status = mpc_and(&t[2], t[1], below, err);
    if (status == FM_OK)
        status = mpc_xor(less, less_k, t[2], err);
    mpc_share_free(below);
    mpc_share_free_all(t, 3);
    return status;
}

static fm_status compare(struct mpc_share **less, const struct mpc_versus *v, struct base_err *err)
{
    struct mpc_share *sign[2 * MPC_ARRANGE_LIMBS] = {NULL};
    size_t count = 2 * v->limbs - 1;
    fm_status status = signs(sign, v, err);

    *less = NULL;
    if (status == FM_OK) {
        *less = sign[count - 1];
        sign[count - 1] = NULL;
    }
    for (size_t k = v->limbs - 1; status == FM_OK && k > 0; k--)
        status = combine(less, sign[2 * k - 2], sign[2 * k - 1], err);
    mpc_share_free_all(sign, count);
    return status;
}

static fm_status make_room(struct mpc_versus *v, struct base_err *err)
{
    size_t bits = v->compared + v->pending;
    uint64_t *grown;

    if (bits <= v->room)
        return FM_OK;
    bits = (bits + bits / 2 + 63) / 64 * 64;
    grown = realloc(v->less, bits / 8);
    if (grown == NULL)
        return mpc_no_memory(v->limb[0]->session, "comparisons", err);
    v->less = grown;
    v->room = bits;
    return FM_OK;
}

fm_status mpc_versus_run(struct mpc_versus *v, struct base_err *err)
{
    struct mpc_share *less = NULL;
    fm_status status = make_room(v, err);

    if (status != FM_OK || v->pending == 0)
        return status;
    status = compare(&less, v, err);
    /* Says nothing beyond the order of uniformly shuffled rows with distinct keys: arrange.h. */
    if (status == FM_OK)
        status = mpc_open_masked_planes(less, v->less + v->compared / 64, err);
    mpc_share_free(less);
    v->compared += v->pending;
    v->pending = 0;
    return status;
}
