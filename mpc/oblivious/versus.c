#include "mpc/oblivious/versus.h"

#include <stdlib.h>
#include <string.h>

#include "mpc/lanes.h"
#include "mpc/oblivious/arrange.h"
#include "mpc/share.h"

fm_status mpc_versus_init(struct mpc_versus *v, struct mpc_share *const *limb, size_t limbs,
                          size_t most, struct base_err *err)
{
    size_t cap = most < MPC_VERSUS_BATCH ? most : MPC_VERSUS_BATCH;

    cap = (cap / 64 + 1) * 64;
    *v = (struct mpc_versus){.session = limb[0]->session, .limb = limb, .limbs = limbs, .cap = cap};
    v->x = malloc(cap * sizeof *v->x);
    v->y = malloc(cap * sizeof *v->y);
    if (v->x == NULL || v->y == NULL)
        return mpc_no_memory(limb[0]->session, "comparisons", err);
    mpc_heap_more(limb[0]->session, cap * (sizeof *v->x + sizeof *v->y));
    v->noted = true;
    return FM_OK;
}

void mpc_versus_release(struct mpc_versus *v)
{
    if (v->noted)
        mpc_heap_less(v->session, v->cap * (sizeof *v->x + sizeof *v->y) + v->room / 8);
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

/* Pairs [from, from + n) of those pending, in one lane: less is made there. */
static fm_status compare_slice(struct mpc_share **less, struct mpc_session *lane,
                               const struct mpc_versus *v, size_t from, size_t n,
                               struct base_err *err)
{
    struct mpc_share *d[MPC_ARRANGE_LIMBS] = {NULL};
    unsigned width[MPC_ARRANGE_LIMBS];
    fm_status status = FM_OK;

    *less = NULL;
    for (size_t k = 0; status == FM_OK && k < v->limbs; k++) {
        struct mpc_share limb;

        mpc_share_view(&limb, lane, v->limb[k], 0, v->limb[k]->n);
        status = mpc_gather_sub(&d[k], &limb, v->x + from, v->y + from, n, err);
        if (status == FM_OK)
            width[k] = mpc_share_width(d[k]);
    }
    if (status == FM_OK)
        status = mpc_msb_linked(less, (const struct mpc_share *const *)d, width, v->limbs, err);
    mpc_share_free_all(d, v->limbs);
    return status;
}

struct slices {
    const struct mpc_versus *v;
    struct mpc_share *less; /* of all pairs */
};

/* The other lanes, and the peers', must not wait for one that gave up. */
static fm_status compare_in_lane(struct mpc_session *lane, const void *job, unsigned k,
                                 unsigned lanes, struct base_err *err)
{
    const struct slices *c = job;
    size_t from = mpc_lane_begin(c->less->n, k, lanes);
    size_t n = mpc_lane_begin(c->less->n, k + 1, lanes) - from;
    struct mpc_share *less;
    struct mpc_share view;
    fm_status status = compare_slice(&less, lane, c->v, from, n, err);

    if (status != FM_OK) {
        net_abort(lane->transport, err->text);
        return status;
    }
    mpc_share_view(&view, lane, c->less, from, n);
    lane->row->place(lane, &view, 0, less, 0, n);
    mpc_share_free(less);
    return FM_OK;
}

/* Each lane gathers and compares its own pairs. */
static fm_status compare(struct mpc_share **less, const struct mpc_versus *v, struct base_err *err)
{
    struct mpc_session *s = v->limb[0]->session;
    struct slices c = {.v = v};
    fm_status status;

    if (!mpc_lanes_wanted(s, v->pending * v->limbs))
        return compare_slice(less, s, v, 0, v->pending, err);
    *less = NULL;
    status = mpc_bits_new(&c.less, s, v->pending, 1, err);
    if (status != FM_OK)
        return status;
    status = mpc_lanes_run(s, compare_in_lane, &c, err);
    if (status != FM_OK)
        mpc_share_free(c.less);
    else
        *less = c.less;
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
    mpc_heap_more(v->session, (bits - v->room) / 8);
    v->less = grown;
    v->room = bits;
    return FM_OK;
}

/* The simulator of arrange.h. */
static void answer_as_drawn(struct mpc_versus *v)
{
    uint64_t *less = v->less + v->compared / 64;

    memset(less, 0, mpc_plane_words(v->pending) * 8);
    for (size_t i = 0; i < v->pending; i++)
        less[i / 64] |= (uint64_t)(v->drawn[v->x[i]] < v->drawn[v->y[i]]) << i % 64;
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
    if (status == FM_OK && v->drawn != NULL)
        answer_as_drawn(v);
    v->compared += v->pending;
    v->pending = 0;
    return status;
}
