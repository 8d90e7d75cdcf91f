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

static fm_status compare(struct mpc_share **less, const struct mpc_versus *v, struct base_err *err)
{
    struct mpc_share *d[MPC_ARRANGE_LIMBS] = {NULL};
    unsigned width[MPC_ARRANGE_LIMBS];
    fm_status status = FM_OK;

    *less = NULL;
    for (size_t k = 0; status == FM_OK && k < v->limbs; k++) {
        status = mpc_gather_sub(&d[k], v->limb[k], v->x, v->y, v->pending, err);
        if (status == FM_OK)
            width[k] = mpc_share_width(d[k]);
    }
    if (status == FM_OK)
        status = mpc_msb_linked(less, (const struct mpc_share *const *)d, width, v->limbs, err);
    mpc_share_free_all(d, v->limbs);
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
