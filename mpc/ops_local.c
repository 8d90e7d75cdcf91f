/* Local operations: arguments checked here, once for all protocols; ranges carried forward. */
#include <string.h>

#include "mpc/gates.h"
#include "mpc/kernels.h"
#include "mpc/lanes.h"
#include "mpc/ops_check.h"
#include "mpc/share.h"

typedef __int128 wide;

static bool is_full(struct mpc_range r)
{
    return r.lo == INT64_MIN && r.hi == INT64_MAX;
}

/* The range of a result, or FM_E_LIMIT; see the rule on full ranges in protocol.h. */
static fm_status settle_range(struct mpc_range *out, wide lo, wide hi, bool wraps, const char *what,
                              struct base_err *err)
{
    if (wraps) {
        *out = MPC_RANGE_FULL;
        return FM_OK;
    }
    if (lo < INT64_MIN || hi > INT64_MAX)
        return base_err_set(err, FM_E_LIMIT,
                            "%s: the result may need more than 64 bits; narrow the columns' ranges",
                            what);
    *out = (struct mpc_range){(int64_t)lo, (int64_t)hi};
    return FM_OK;
}

fm_status mpc_range_product(struct mpc_range *out, struct mpc_range x, struct mpc_range y,
                            const char *what, struct base_err *err)
{
    wide p[4] = {(wide)x.lo * y.lo, (wide)x.lo * y.hi, (wide)x.hi * y.lo, (wide)x.hi * y.hi};
    wide lo = p[0];
    wide hi = p[0];

    for (int i = 1; i < 4; i++) {
        lo = p[i] < lo ? p[i] : lo;
        hi = p[i] > hi ? p[i] : hi;
    }
    return settle_range(out, lo, hi, is_full(x) || is_full(y), what, err);
}

fm_status mpc_range_add(struct mpc_range *out, struct mpc_range x, struct mpc_range y,
                        const char *what, struct base_err *err)
{
    return settle_range(out, (wide)x.lo + y.lo, (wide)x.hi + y.hi, is_full(x) || is_full(y), what,
                        err);
}

/* The range of a sum of n elements of a range: for a sum of any subset, pass the hull with 0. */
fm_status mpc_range_sum(struct mpc_range *out, struct mpc_range x, size_t n, const char *what,
                        struct base_err *err)
{
    return settle_range(out, (wide)x.lo * (wide)n, (wide)x.hi * (wide)n, is_full(x) && n > 1, what,
                        err);
}

fm_status mpc_constant(struct mpc_session *s, struct mpc_share **out, int64_t value, size_t n,
                       struct base_err *err)
{
    fm_status status = mpc_ring_new(out, s, n, (struct mpc_range){value, value}, err);

    if (status == FM_OK && s->computes) {
        s->row->zero(s, *out);
        s->row->add_constant(s, *out, (uint64_t)value);
    }
    return status;
}

fm_status mpc_bits_constant(struct mpc_session *s, struct mpc_share **out, int64_t value,
                            unsigned width, size_t n, struct base_err *err)
{
    fm_status status = mpc_bits_new(out, s, n, width, err);

    if (status != FM_OK || !s->computes)
        return status;
    s->row->zero(s, *out);
    for (unsigned j = 0; j < width; j++) {
        struct mpc_wire wire = {*out, j};
        if ((uint64_t)value >> (j < 63 ? j : 63) & 1)
            s->row->flip(s, &wire, 1);
    }
    return FM_OK;
}

enum sum_kind { SUM_MINUS = 1, SUM_WRAPS = 2 };

static fm_status add_or_sub(struct mpc_share **out, const struct mpc_share *x,
                            const struct mpc_share *y, unsigned kind, struct base_err *err)
{
    bool minus = (kind & SUM_MINUS) != 0;
    const char *what = minus ? "sub" : "add";
    struct mpc_session *s = x->session;
    struct mpc_range range;
    wide lo = minus ? (wide)x->range.lo - y->range.hi : (wide)x->range.lo + y->range.lo;
    wide hi = minus ? (wide)x->range.hi - y->range.lo : (wide)x->range.hi + y->range.hi;
    fm_status status;

    *out = NULL;
    status = mpc_check_pair(x, y, MPC_RING64, what, err);
    if (status != FM_OK)
        return status;
    status =
        settle_range(&range, lo, hi,
                     (kind & SUM_WRAPS) != 0 || is_full(x->range) || is_full(y->range), what, err);
    if (status != FM_OK)
        return status;
    status = mpc_ring_new(out, s, x->n, range, err);
    if (status != FM_OK || !s->computes)
        return status;
    if (minus)
        s->row->sub(s, *out, x, y);
    else
        s->row->add(s, *out, x, y);
    return FM_OK;
}

fm_status mpc_add(struct mpc_share **out, const struct mpc_share *x, const struct mpc_share *y,
                  struct base_err *err)
{
    return add_or_sub(out, x, y, 0, err);
}

fm_status mpc_sub(struct mpc_share **out, const struct mpc_share *x, const struct mpc_share *y,
                  struct base_err *err)
{
    return add_or_sub(out, x, y, SUM_MINUS, err);
}

fm_status mpc_add_wrapping(struct mpc_share **out, const struct mpc_share *x,
                           const struct mpc_share *y, struct base_err *err)
{
    return add_or_sub(out, x, y, SUM_WRAPS, err);
}

fm_status mpc_sub_wrapping(struct mpc_share **out, const struct mpc_share *x,
                           const struct mpc_share *y, struct base_err *err)
{
    return add_or_sub(out, x, y, SUM_MINUS | SUM_WRAPS, err);
}

fm_status mpc_scale(struct mpc_share **out, const struct mpc_share *x, int64_t c,
                    struct base_err *err)
{
    struct mpc_session *s = x->session;
    struct mpc_range range;
    fm_status status;

    *out = NULL;
    status = mpc_check_domain(x, MPC_RING64, "scale", err);
    if (status != FM_OK)
        return status;
    status = mpc_range_product(&range, x->range, (struct mpc_range){c, c}, "scale", err);
    if (status != FM_OK)
        return status;
    status = mpc_ring_new(out, s, x->n, range, err);
    if (status == FM_OK && s->computes)
        s->row->scale(s, *out, x, (uint64_t)c);
    return status;
}

fm_status mpc_neg(struct mpc_share **out, const struct mpc_share *x, struct base_err *err)
{
    return mpc_scale(out, x, -1, err);
}

fm_status mpc_add_constant(struct mpc_share **out, const struct mpc_share *x, int64_t c,
                           struct base_err *err)
{
    struct mpc_session *s = x->session;
    struct mpc_range range;
    fm_status status;

    *out = NULL;
    status = mpc_check_domain(x, MPC_RING64, "add constant", err);
    if (status != FM_OK)
        return status;
    status = settle_range(&range, (wide)x->range.lo + c, (wide)x->range.hi + c, is_full(x->range),
                          "add constant", err);
    if (status != FM_OK)
        return status;
    status = mpc_ring_new(out, s, x->n, range, err);
    if (status == FM_OK && s->computes) {
        s->row->place(s, *out, 0, x, 0, x->n);
        s->row->add_constant(s, *out, (uint64_t)c);
    }
    return status;
}

fm_status mpc_sum(struct mpc_share **out, const struct mpc_share *x, struct base_err *err)
{
    struct mpc_session *s = x->session;
    struct mpc_range range;
    fm_status status;

    *out = NULL;
    status = mpc_check_domain(x, MPC_RING64, "sum", err);
    if (status != FM_OK)
        return status;
    status = mpc_range_sum(&range, x->range, x->n, "sum", err);
    if (status != FM_OK)
        return status;
    status = mpc_ring_new(out, s, 1, range, err);
    if (status == FM_OK && s->computes)
        s->row->sum(s, *out, x);
    return status;
}

fm_status mpc_xor(struct mpc_share **out, const struct mpc_share *x, const struct mpc_share *y,
                  struct base_err *err)
{
    struct mpc_session *s = x->session;
    fm_status status;

    *out = NULL;
    status = mpc_check_pair(x, y, MPC_BITS, "xor", err);
    if (status != FM_OK)
        return status;
    if (x->width != y->width)
        return base_err_set(err, FM_E_ARG, "xor: widths %u and %u differ", x->width, y->width);
    status = mpc_bits_new(out, s, x->n, x->width, err);
    for (unsigned j = 0; status == FM_OK && s->computes && j < x->width; j++) {
        struct mpc_gate gate = {{*out, j}, mpc_wire_of(x, j), mpc_wire_of(y, j), {NULL, 0}};
        s->row->xor (s, &gate, 1);
    }
    return status;
}

fm_status mpc_planes(struct mpc_share **out, const struct mpc_share *x, unsigned from,
                     unsigned width, struct base_err *err)
{
    struct mpc_session *s = x->session;
    fm_status status;

    *out = NULL;
    status = mpc_check_domain(x, MPC_BITS, "planes", err);
    if (status != FM_OK)
        return status;
    if (width == 0 || from > x->width || width > x->width - from)
        return base_err_set(err, FM_E_ARG, "planes: %u from %u of %u", width, from, x->width);
    status = mpc_bits_new(out, s, x->n, width, err);
    if (status != FM_OK || !s->computes)
        return status;
    s->row->zero(s, *out);
    for (unsigned j = 0; j < width; j++) {
        struct mpc_gate gate = {{*out, j}, {*out, j}, mpc_wire_of(x, from + j), {NULL, 0}};
        s->row->xor (s, &gate, 1);
    }
    return FM_OK;
}

fm_status mpc_not(struct mpc_share **out, const struct mpc_share *x, struct base_err *err)
{
    struct mpc_session *s = x->session;
    fm_status status;

    *out = NULL;
    status = mpc_check_domain(x, MPC_BITS, "not", err);
    if (status != FM_OK)
        return status;
    status = mpc_bits_new(out, s, x->n, x->width, err);
    if (status != FM_OK || !s->computes)
        return status;
    s->row->place(s, *out, 0, x, 0, x->n);
    for (unsigned j = 0; j < x->width; j++) {
        struct mpc_wire wire = {*out, j};
        s->row->flip(s, &wire, 1);
    }
    return FM_OK;
}

/* A fresh share like x but of n elements. */
static fm_status like(struct mpc_share **out, const struct mpc_share *x, size_t n,
                      struct base_err *err)
{
    return mpc_share_new(out, x->session, x->domain, n, x->width, x->range, err);
}

/* Where bits are placed one by one, the rest of the last words must not stay uninitialised. */
static void clear_tails(struct mpc_session *s, struct mpc_share *z)
{
    if (z->domain == MPC_BITS)
        s->row->zero(s, z);
}

fm_status mpc_slice(struct mpc_share **out, const struct mpc_share *x, size_t from, size_t n,
                    struct base_err *err)
{
    struct mpc_session *s = x->session;
    fm_status status;

    *out = NULL;
    if (from > x->n || n > x->n - from)
        return base_err_set(err, FM_E_ARG, "slice: %zu elements from %zu of %zu", n, from, x->n);
    status = like(out, x, n, err);
    if (status == FM_OK && s->computes) {
        clear_tails(s, *out);
        s->row->place(s, *out, 0, x, from, n);
    }
    return status;
}

fm_status mpc_concat(struct mpc_share **out, const struct mpc_share *const *x, size_t count,
                     struct base_err *err)
{
    struct mpc_session *s;
    struct mpc_range hull;
    size_t n = 0;
    size_t at = 0;
    fm_status status;

    *out = NULL;
    if (count == 0)
        return base_err_set(err, FM_E_ARG, "concat: no columns");
    s = x[0]->session;
    hull = x[0]->range;
    for (size_t i = 0; i < count; i++) {
        if (x[i]->session != s || x[i]->domain != x[0]->domain || x[i]->width != x[0]->width)
            return base_err_set(err, FM_E_ARG,
                                "concat: column %zu is of another session, domain or width", i);
        if (x[i]->n > MPC_MAX_N - n)
            return base_err_set(err, FM_E_ARG, "concat: more than 2^32 elements");
        n += x[i]->n;
        hull.lo = x[i]->range.lo < hull.lo ? x[i]->range.lo : hull.lo;
        hull.hi = x[i]->range.hi > hull.hi ? x[i]->range.hi : hull.hi;
    }
    status = like(out, x[0], n, err);
    if (status != FM_OK)
        return status;
    (*out)->range = hull;
    if (s->computes)
        clear_tails(s, *out);
    for (size_t i = 0; i < count && s->computes; i++) {
        s->row->place(s, *out, at, x[i], 0, x[i]->n);
        at += x[i]->n;
    }
    return FM_OK;
}

static fm_status check_places(const struct mpc_share *x, const uint32_t *map, size_t n,
                              const char *what, struct base_err *err)
{
    uint32_t most = mpc_k_most(map, n);

    if (n > 0 && most >= x->n)
        return base_err_set(err, FM_E_ARG, "%s: place %u of a column of %zu", what, (unsigned)most,
                            x->n);
    return FM_OK;
}

struct gathering {
    struct mpc_share *z;
    const struct mpc_share *x;
    const uint32_t *map;
};

static fm_status gather_slice(struct mpc_session *lane, const void *job, unsigned k, unsigned lanes,
                              struct base_err *err)
{
    const struct gathering *g = job;
    size_t from = mpc_lane_begin(g->z->n, k, lanes);
    struct mpc_share z;
    struct mpc_share x;

    (void)err;
    mpc_share_view(&z, lane, g->z, from, mpc_lane_begin(g->z->n, k + 1, lanes) - from);
    mpc_share_view(&x, lane, g->x, 0, g->x->n);
    lane->row->gather(lane, &z, &x, g->map + from);
    return FM_OK;
}

fm_status mpc_gather(struct mpc_share **out, const struct mpc_share *x, const uint32_t *map,
                     size_t n, struct base_err *err)
{
    struct mpc_session *s = x->session;
    fm_status status = s->computes ? check_places(x, map, n, "gather", err) : FM_OK;

    *out = NULL;
    if (status == FM_OK)
        status = like(out, x, n, err);
    if (status == FM_OK && s->computes && mpc_lanes_wanted(s, n))
        return mpc_lanes_run(s, gather_slice, &(struct gathering){*out, x, map}, err);
    if (status == FM_OK && s->computes)
        s->row->gather(s, *out, x, map);
    return status;
}

fm_status mpc_gather_sub(struct mpc_share **out, const struct mpc_share *x, const uint32_t *p,
                         const uint32_t *q, size_t n, struct base_err *err)
{
    struct mpc_session *s = x->session;
    wide span = (wide)x->range.hi - x->range.lo;
    struct mpc_range range;
    fm_status status = mpc_check_domain(x, MPC_RING64, "gather", err);

    *out = NULL;
    if (status == FM_OK)
        status = settle_range(&range, -span, span, is_full(x->range), "gather", err);
    if (status == FM_OK && s->computes)
        status = check_places(x, p, n, "gather", err);
    if (status == FM_OK && s->computes)
        status = check_places(x, q, n, "gather", err);
    if (status == FM_OK)
        status = mpc_ring_new(out, s, n, range, err);
    if (status == FM_OK && s->computes)
        s->row->gather_sub(s, *out, x, p, q);
    return status;
}

fm_status mpc_prefix(struct mpc_share **out, const struct mpc_share *x, struct base_err *err)
{
    struct mpc_session *s = x->session;
    wide n = x->n == 0 ? 1 : (wide)x->n;
    wide lo = x->range.lo < 0 ? x->range.lo * n : x->range.lo;
    wide hi = x->range.hi > 0 ? x->range.hi * n : x->range.hi;
    fm_status status = like(out, x, x->n, err);

    if (status != FM_OK)
        return status;
    if (x->domain == MPC_RING64)
        (*out)->range = lo < INT64_MIN || hi > INT64_MAX
                            ? MPC_RANGE_FULL
                            : (struct mpc_range){(int64_t)lo, (int64_t)hi};
    if (s->computes)
        s->row->prefix(s, *out, x);
    return FM_OK;
}

fm_status mpc_spread(struct mpc_share **out, const struct mpc_share *x, size_t n,
                     struct base_err *err)
{
    struct mpc_session *s = x->session;
    fm_status status;

    *out = NULL;
    if (x->n != 1)
        return base_err_set(err, FM_E_ARG, "spread: a column of %zu elements, not one", x->n);
    status = like(out, x, n, err);
    if (status == FM_OK && s->computes)
        s->row->spread(s, *out, x);
    return status;
}
