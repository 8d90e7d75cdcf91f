/* Inside of oblivious/: many comparisons of rows with rows, opened. For keys that are distinct and
 * uniformly shuffled (arrange.h says why the outcomes may then be known), and for nothing else. */
#ifndef FIRMIANA_MPC_OBLIVIOUS_VERSUS_H
#define FIRMIANA_MPC_OBLIVIOUS_VERSUS_H

#include "mpc/protocol.h"

/* At most so many comparisons are on the wire at once: what bounds the memory. */
enum { MPC_VERSUS_BATCH = 1 << 21 };

struct mpc_versus {
    struct mpc_session *session;
    bool noted;                    /* x and y stand in its account */
    struct mpc_share *const *limb; /* the most significant first */
    const uint32_t *drawn;         /* where nothing is computed (reckon/): each row's rank in the
                                      order that the sort is played on; else NULL */
    size_t limbs;
    uint32_t *x; /* MPC_VERSUS_BATCH pairs at most, not yet compared */
    uint32_t *y;
    size_t cap;
    size_t pending;
    uint64_t *less; /* one bit a pair, of those compared: a multiple of 64 but at the end */
    size_t compared;
    size_t room; /* bits */
};

/* {0} is a released one. most: how many pairs are pushed between two restarts, about. */
fm_status mpc_versus_init(struct mpc_versus *v, struct mpc_share *const *limb, size_t limbs,
                          size_t most, struct base_err *err) FM_CHECK;
void mpc_versus_release(struct mpc_versus *v);
void mpc_versus_restart(struct mpc_versus *v);
fm_status mpc_versus_run(struct mpc_versus *v, struct base_err *err) FM_CHECK;
/* Asks for row x < row y; may run what is pending. */
static inline fm_status mpc_versus_push(struct mpc_versus *v, uint32_t x, uint32_t y,
                                        struct base_err *err)
{
    if (v->pending == v->cap) {
        fm_status status = mpc_versus_run(v, err);

        if (status != FM_OK)
            return status;
    }
    v->x[v->pending] = x;
    v->y[v->pending++] = y;
    return FM_OK;
}
/* Asks for rows x, x + 1, ..., x + n - 1, the i-th against y[pick[i] * step]. */
fm_status mpc_versus_push_run(struct mpc_versus *v, uint32_t x, size_t n, const uint32_t *y,
                              const uint32_t *pick, uint32_t step, struct base_err *err) FM_CHECK;
/* The answers stand in v->less, in the order of the pushes: number `at` of them. */
static inline uint32_t mpc_versus_answer(const uint64_t *less, size_t at)
{
    return (uint32_t)(less[at / 64] >> at % 64) & 1;
}

#endif
