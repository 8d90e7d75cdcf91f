#include "exchange/run/arith.h"

#include "mpc/circuit/divide.h"
#include "mpc/circuit/select.h"

static struct mpc_share *made(struct run_work *w, struct mpc_share *z)
{
    return w->status == FM_OK ? run_hold(w, z) : NULL;
}

static int64_t ten_to(unsigned digits)
{
    int64_t ten = 1;

    for (unsigned i = 0; i < digits && i < 18; i++)
        ten *= 10;
    return ten;
}

static __int128 magnitude(struct mpc_range r)
{
    __int128 lo = -(__int128)r.lo, hi = r.hi;

    return lo > hi ? lo : hi;
}

struct mpc_share *run_abs(struct run_work *w, const struct mpc_share *x)
{
    struct mpc_share *z = NULL;

    if (w->status != FM_OK)
        return NULL;
    w->status = mpc_abs(&z, x, w->err);
    return made(w, z);
}

struct mpc_share *run_negative(struct run_work *w, const struct mpc_share *x)
{
    struct mpc_share *z = NULL;

    if (w->status != FM_OK)
        return NULL;
    w->status = mpc_negative(&z, x, w->err);
    return made(w, z);
}

struct mpc_share *run_negate_where(struct run_work *w, const struct mpc_share *bit,
                                   const struct mpc_share *x)
{
    return run_select(w, bit, run_neg(w, x), x);
}

/* ---- division ---- */

static struct mpc_share *divide(struct run_work *w, const struct mpc_share *x,
                                const struct mpc_share *y, struct mpc_share **rest)
{
    struct mpc_share *q = NULL, *r = NULL;

    if (w->status != FM_OK)
        return NULL;
    w->status = mpc_divide(&q, &r, x, y, w->err);
    if (w->status != FM_OK)
        return NULL;
    *rest = run_hold(w, r);
    return run_hold(w, q);
}

static struct mpc_share *divide_once(struct run_work *w, const struct mpc_share *x,
                                     const struct mpc_share *y, enum run_rounding rounding)
{
    struct mpc_share *z = NULL, *rest;

    if (w->status != FM_OK)
        return NULL;
    if (rounding == RUN_HALF_AWAY) {
        w->status = mpc_divide_round(&z, x, y, w->err);
        return made(w, z);
    }
    if (mpc_share_range(x).lo >= 0)
        return divide(w, x, y, &rest);
    return run_negate_where(w, run_negative(w, x), divide(w, run_abs(w, x), y, &rest));
}

/* The greatest part of `digits`, at least 1, for which remainders times 10^part fit. */
static unsigned step_of(const struct mpc_share *y, unsigned digits)
{
    while (digits > 1 && mpc_share_range(y).hi >= INT64_MAX / (2 * ten_to(digits) + 1))
        digits--;
    return digits;
}

/* |x| = q y + r, so |x| 10^d / y = q 10^d + (r 10^d) / y, and so on with the remainders, as many
 * digits at once as 64 bits hold; only the last ones are rounded. */
static struct mpc_share *divide_by_steps(struct run_work *w, const struct mpc_share *x,
                                         const struct mpc_share *y, unsigned digits, int64_t most,
                                         enum run_rounding rounding)
{
    bool sign = mpc_share_range(x).lo < 0;
    struct mpc_share *r = NULL, *all = divide(w, sign ? run_abs(w, x) : x, y, &r);

    if (w->status == FM_OK)
        run_narrow(w, all, (struct mpc_range){0, most});
    while (w->status == FM_OK && digits > 0) {
        unsigned step = step_of(y, digits);
        struct mpc_share *rest = run_scale(w, r, ten_to(step)), *part;

        digits -= step;
        part = digits > 0 ? divide(w, rest, y, &r) : divide_once(w, rest, y, rounding);
        if (w->status == FM_OK)
            run_narrow(w, part, (struct mpc_range){0, ten_to(step)});
        all = run_add(w, run_scale(w, all, ten_to(step)), part);
    }
    return sign ? run_negate_where(w, run_negative(w, x), all) : all;
}

struct mpc_share *run_ratio(struct run_work *w, const struct mpc_share *x,
                            const struct mpc_share *y, unsigned digits, int64_t most,
                            enum run_rounding rounding)
{
    int64_t ten = ten_to(digits);

    if (w->status != FM_OK)
        return NULL;
    if (2 * magnitude(mpc_share_range(x)) * ten + mpc_share_range(y).hi < INT64_MAX)
        return divide_once(w, run_scale(w, x, ten), y, rounding);
    return divide_by_steps(w, x, y, digits, most, rounding);
}

struct mpc_share *run_quotient(struct run_work *w, const struct mpc_share *x,
                               const struct mpc_share *y, unsigned digits,
                               enum run_rounding rounding)
{
    if (w->status != FM_OK)
        return NULL;
    if (mpc_share_range(y).lo >= 0)
        return run_ratio(w, x, y, digits, INT64_MAX, rounding);
    return run_negate_where(w, run_negative(w, y),
                            run_ratio(w, x, run_abs(w, y), digits, INT64_MAX, rounding));
}

static struct mpc_share *floor_public(struct run_work *w, const struct mpc_share *x, int64_t c)
{
    struct mpc_share *z = NULL;

    if (w->status != FM_OK || c == 1)
        return w->status == FM_OK ? run_shift(w, x, 0) : NULL;
    w->status = mpc_divide_public(&z, x, c, w->err);
    return made(w, z);
}

/* Half away from zero: the sign of x times floor((2 |x| + c) / 2 c). */
struct mpc_share *run_quotient_public(struct run_work *w, const struct mpc_share *x, int64_t c,
                                      enum run_rounding rounding)
{
    struct mpc_share *positive, *q;
    bool sign;

    if (w->status != FM_OK)
        return NULL;
    sign = mpc_share_range(x).lo < 0;
    positive = sign ? run_abs(w, x) : run_shift(w, x, 0);
    if (rounding == RUN_HALF_AWAY)
        positive = run_shift(w, positive, c / 2);
    /* Odd c: 2 |x| + c and c / 2 rounded down give one floor, for |x| is whole. */
    q = floor_public(w, positive, c);
    return sign ? run_negate_where(w, run_negative(w, x), q) : q;
}

/* ---- roots ---- */

struct mpc_share *run_square_root(struct run_work *w, const struct mpc_share *x)
{
    struct mpc_share *root = NULL;
    int64_t most, top = 1;

    if (w->status != FM_OK)
        return NULL;
    for (most = mpc_share_range(x).hi; most / 4 / top >= top;)
        top *= 2;
    root = run_number(w, 0, mpc_share_n(x));
    for (int64_t bit = top; bit > 0 && w->status == FM_OK; bit /= 2) {
        /* (root + bit)^2 <= x keeps the bit; root < 2 top, so squares stay below 16 top^2. */
        struct mpc_share *next = run_shift(w, root, bit);
        struct mpc_share *fits = run_not(w, run_less(w, x, run_mul(w, next, next)));

        root = run_add(w, root, run_scale(w, run_bit2a(w, fits), bit));
    }
    return root;
}
