#include "exchange/run/work.h"

#include <stdlib.h>
#include <string.h>

#include "mpc/circuit/aggregate.h"
#include "mpc/circuit/compare.h"
#include "mpc/circuit/select.h"
#include "mpc/oblivious/scan.h"

fm_status run_work_release(struct run_work *w)
{
    for (size_t i = 0; i < w->count; i++)
        mpc_share_free(w->held[i]);
    free(w->held);
    w->held = NULL;
    w->count = w->cap = 0;
    return w->status;
}

struct mpc_share *run_hold(struct run_work *w, struct mpc_share *x)
{
    if (x == NULL)
        return NULL;
    if (w->count == w->cap) {
        size_t cap = w->cap == 0 ? 32 : 2 * w->cap;
        struct mpc_share **held = realloc(w->held, cap * sizeof(struct mpc_share *));

        if (held == NULL) {
            mpc_share_free(x);
            w->status = base_err_memory(w->err, "query");
            return NULL;
        }
        w->held = held;
        w->cap = cap;
    }
    w->held[w->count++] = x;
    return x;
}

struct mpc_share *run_take(struct run_work *w, struct mpc_share *x)
{
    struct mpc_share *copy = NULL;

    if (w->status != FM_OK || x == NULL)
        return NULL;
    for (size_t i = w->count; i > 0; i--) {
        if (w->held[i - 1] != x)
            continue;
        w->held[i - 1] = w->held[--w->count];
        return x;
    }
    w->status = mpc_slice(&copy, x, 0, mpc_share_n(x), w->err);
    return copy;
}

/* What an operation made, or NULL after a failure. */
static struct mpc_share *made(struct run_work *w, fm_status status, struct mpc_share *z)
{
    w->status = status;
    return status == FM_OK ? run_hold(w, z) : NULL;
}

#define MADE(call)              \
    struct mpc_share *z = NULL; \
    fm_status status;           \
    if (w->status != FM_OK)     \
        return NULL;            \
    status = (call);            \
    return made(w, status, z)

/* For operations that give back one of their operands: nothing is written through it. */
static struct mpc_share *same(const struct mpc_share *x)
{
    return (struct mpc_share *)(uintptr_t)x;
}

/* ---- truth values ---- */

struct mpc_share *run_bits(struct run_work *w, bool value, size_t n)
{
    MADE(mpc_bits_constant(w->s, &z, value, 1, n, w->err));
}

struct mpc_share *run_whole(struct run_work *w, struct mpc_share *x, size_t n)
{
    return x != NULL ? x : run_bits(w, true, n);
}

struct mpc_share *run_and(struct run_work *w, const struct mpc_share *x, const struct mpc_share *y)
{
    if (x == NULL || y == NULL || x == y)
        return same(x == NULL ? y : x);
    MADE(mpc_and(&z, x, y, w->err));
}

struct mpc_share *run_or(struct run_work *w, const struct mpc_share *x, const struct mpc_share *y)
{
    if (x == NULL || y == NULL)
        return NULL;
    MADE(mpc_or(&z, x, y, w->err));
}

struct mpc_share *run_xor(struct run_work *w, const struct mpc_share *x, const struct mpc_share *y)
{
    MADE(mpc_xor(&z, x, y, w->err));
}

struct mpc_share *run_not(struct run_work *w, const struct mpc_share *x)
{
    MADE(mpc_not(&z, x, w->err));
}

struct mpc_share *run_bit2a(struct run_work *w, const struct mpc_share *x)
{
    MADE(mpc_bit2a(&z, x, w->err));
}

struct mpc_share *run_and_all(struct run_work *w, const struct mpc_share *const *x, size_t count)
{
    const struct mpc_share *level[MPC_MAX_LIST];
    struct mpc_share *z[MPC_MAX_LIST / 2];

    if (w->status != FM_OK || count == 0 || count > MPC_MAX_LIST)
        return NULL;
    memcpy(level, x, count * sizeof(struct mpc_share *));
    while (count > 1) {
        size_t half = count / 2;

        w->status = mpc_and_list(z, level, level + half, half, w->err);
        if (w->status != FM_OK)
            return NULL;
        for (size_t i = 0; i < half; i++)
            level[i] = run_hold(w, z[i]);
        if (count % 2 == 1)
            level[half] = level[count - 1];
        count = half + count % 2;
    }
    return same(level[0]);
}

/* ---- numbers ---- */

struct mpc_share *run_number(struct run_work *w, int64_t value, size_t n)
{
    MADE(mpc_constant(w->s, &z, value, n, w->err));
}

struct mpc_share *run_add(struct run_work *w, const struct mpc_share *x, const struct mpc_share *y)
{
    MADE(mpc_add(&z, x, y, w->err));
}

struct mpc_share *run_sub(struct run_work *w, const struct mpc_share *x, const struct mpc_share *y)
{
    MADE(mpc_sub(&z, x, y, w->err));
}

struct mpc_share *run_mul(struct run_work *w, const struct mpc_share *x, const struct mpc_share *y)
{
    MADE(mpc_mul(&z, x, y, w->err));
}

struct mpc_share *run_scale(struct run_work *w, const struct mpc_share *x, int64_t c)
{
    if (c == 1)
        return same(x);
    MADE(mpc_scale(&z, x, c, w->err));
}

struct mpc_share *run_shift(struct run_work *w, const struct mpc_share *x, int64_t c)
{
    if (c == 0)
        return same(x);
    MADE(mpc_add_constant(&z, x, c, w->err));
}

struct mpc_share *run_neg(struct run_work *w, const struct mpc_share *x)
{
    MADE(mpc_neg(&z, x, w->err));
}

struct mpc_share *run_less(struct run_work *w, const struct mpc_share *x, const struct mpc_share *y)
{
    MADE(mpc_less(&z, x, y, w->err));
}

struct mpc_share *run_equal(struct run_work *w, const struct mpc_share *x,
                            const struct mpc_share *y)
{
    MADE(mpc_equal(&z, x, y, w->err));
}

struct mpc_share *run_equal_public(struct run_work *w, const struct mpc_share *x, int64_t c)
{
    MADE(mpc_equal_public(&z, x, c, w->err));
}

struct mpc_share *run_less_public(struct run_work *w, const struct mpc_share *x, int64_t c)
{
    MADE(mpc_less_public(&z, x, c, w->err));
}

void run_narrow(struct run_work *w, struct mpc_share *x, struct mpc_range range)
{
    struct mpc_range have;

    if (w->status != FM_OK)
        return;
    have = mpc_share_range(x);
    range.lo = range.lo > have.lo ? range.lo : have.lo;
    range.hi = range.hi < have.hi ? range.hi : have.hi;
    if (range.lo <= range.hi)
        w->status = mpc_share_narrow(x, range, w->err);
}

/* ---- either domain ---- */

struct mpc_share *run_select(struct run_work *w, const struct mpc_share *bit,
                             const struct mpc_share *x, const struct mpc_share *y)
{
    MADE(mpc_select(&z, bit, x, y, w->err));
}

struct mpc_share *run_keep(struct run_work *w, const struct mpc_share *bit, struct mpc_share *x)
{
    if (bit == NULL)
        return x;
    MADE(mpc_keep(&z, bit, x, w->err));
}

struct mpc_share *run_slice(struct run_work *w, const struct mpc_share *x, size_t from, size_t n)
{
    if (x == NULL)
        return NULL;
    MADE(mpc_slice(&z, x, from, n, w->err));
}

struct mpc_share *run_concat(struct run_work *w, const struct mpc_share *const *x, size_t count)
{
    MADE(mpc_concat(&z, x, count, w->err));
}

struct mpc_share *run_spread(struct run_work *w, const struct mpc_share *x, size_t n)
{
    MADE(mpc_spread(&z, x, n, w->err));
}

struct mpc_share *run_above(struct run_work *w, const struct mpc_share *x)
{
    MADE(mpc_row_above(&z, x, w->err));
}

struct mpc_share *run_gather(struct run_work *w, const struct mpc_share *x, const uint32_t *map,
                             size_t n)
{
    MADE(mpc_gather(&z, x, map, n, w->err));
}

struct mpc_share *run_reversed(struct run_work *w, const struct mpc_share *x)
{
    struct mpc_share *z;
    size_t n;
    uint32_t *map;

    if (w->status != FM_OK)
        return NULL;
    n = mpc_share_n(x);
    map = malloc((n + 1) * sizeof *map);
    if (map == NULL) {
        w->status = base_err_memory(w->err, "query");
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        map[i] = (uint32_t)(n - 1 - i);
    z = run_gather(w, x, map, n);
    free(map);
    return z;
}

struct mpc_share *run_any(struct run_work *w, const struct mpc_share *x)
{
    MADE(mpc_any(&z, x, w->err));
}

struct mpc_share *run_count_of(struct run_work *w, const struct mpc_share *x)
{
    MADE(mpc_count(&z, x, w->err));
}
