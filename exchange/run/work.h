/* Vector operations written as expressions: each takes shares and gives a share that the work owns
 * until run_work_release(), so that an operator of a query reads like its definition. After the
 * first failure every operation does nothing and gives NULL; the status is looked at once, at the
 * end.
 *
 * Truth values (bits of width 1) may be NULL for "true everywhere": columns without NULLs, masks
 * that let every row pass. Costs and leakage are those of the operation of mpc/ that it names. */
#ifndef FIRMIANA_EXCHANGE_RUN_WORK_H
#define FIRMIANA_EXCHANGE_RUN_WORK_H

#include "mpc/protocol.h"

struct run_work {
    struct mpc_session *s;
    struct base_err *err;
    fm_status status;
    size_t count;
    size_t cap;
    struct mpc_share **held;
};

static inline struct run_work run_work(struct mpc_session *s, struct base_err *err)
{
    return (struct run_work){.s = s, .err = err, .status = FM_OK};
}
/* Frees what is still held; gives the status. */
fm_status run_work_release(struct run_work *w) FM_CHECK;
/* Takes a share over (NULL allowed) and hands it back. */
struct mpc_share *run_hold(struct run_work *w, struct mpc_share *x);
/* The caller's from now on; a copy if the work does not hold it. NULL for NULL. */
struct mpc_share *run_take(struct run_work *w, struct mpc_share *x);

/* Truth values; n is needed where both sides are NULL. */
struct mpc_share *run_and(struct run_work *w, const struct mpc_share *x, const struct mpc_share *y);
struct mpc_share *run_or(struct run_work *w, const struct mpc_share *x, const struct mpc_share *y);
struct mpc_share *run_xor(struct run_work *w, const struct mpc_share *x, const struct mpc_share *y);
struct mpc_share *run_not(struct run_work *w, const struct mpc_share *x);
struct mpc_share *run_bits(struct run_work *w, bool value, size_t n);
/* x, or true for n rows where x is NULL. */
struct mpc_share *run_whole(struct run_work *w, struct mpc_share *x, size_t n);
struct mpc_share *run_bit2a(struct run_work *w, const struct mpc_share *x);
/* The AND of all of a list of truth values, in ceil(log2 count) rounds. */
struct mpc_share *run_and_all(struct run_work *w, const struct mpc_share *const *x, size_t count);

/* Numbers (ring). */
struct mpc_share *run_number(struct run_work *w, int64_t value, size_t n);
struct mpc_share *run_add(struct run_work *w, const struct mpc_share *x, const struct mpc_share *y);
struct mpc_share *run_sub(struct run_work *w, const struct mpc_share *x, const struct mpc_share *y);
struct mpc_share *run_mul(struct run_work *w, const struct mpc_share *x, const struct mpc_share *y);
struct mpc_share *run_scale(struct run_work *w, const struct mpc_share *x, int64_t c);
struct mpc_share *run_shift(struct run_work *w, const struct mpc_share *x, int64_t c);
struct mpc_share *run_neg(struct run_work *w, const struct mpc_share *x);
struct mpc_share *run_less(struct run_work *w, const struct mpc_share *x,
                           const struct mpc_share *y);
struct mpc_share *run_equal(struct run_work *w, const struct mpc_share *x,
                            const struct mpc_share *y);
struct mpc_share *run_equal_public(struct run_work *w, const struct mpc_share *x, int64_t c);
struct mpc_share *run_less_public(struct run_work *w, const struct mpc_share *x, int64_t c);
/* Within the share's range only as far as they overlap: what the planner proved. */
void run_narrow(struct run_work *w, struct mpc_share *x, struct mpc_range range);

/* Either domain. */
struct mpc_share *run_select(struct run_work *w, const struct mpc_share *bit,
                             const struct mpc_share *x, const struct mpc_share *y);
/* 0 where the bit is not set; x itself where bit is NULL. */
struct mpc_share *run_keep(struct run_work *w, const struct mpc_share *bit, struct mpc_share *x);
struct mpc_share *run_slice(struct run_work *w, const struct mpc_share *x, size_t from, size_t n);
struct mpc_share *run_concat(struct run_work *w, const struct mpc_share *const *x, size_t count);
struct mpc_share *run_spread(struct run_work *w, const struct mpc_share *x, size_t n);
/* Each row's neighbour above (row 0: 0), and the rows upside down. Local. */
struct mpc_share *run_above(struct run_work *w, const struct mpc_share *x);
/* Element map[i] of x, for 0 <= i < n. Local. */
struct mpc_share *run_gather(struct run_work *w, const struct mpc_share *x, const uint32_t *map,
                             size_t n);
struct mpc_share *run_reversed(struct run_work *w, const struct mpc_share *x);
/* Is any set? One element. */
struct mpc_share *run_any(struct run_work *w, const struct mpc_share *x);
struct mpc_share *run_count_of(struct run_work *w, const struct mpc_share *x);

#endif
