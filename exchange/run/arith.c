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

/* |x| = q y + r, so |x| 10^d / y = q 10^d + (r 10^d) / y, and only the last term is rounded. */
static struct mpc_share *divide_twice(struct run_work *w, const struct mpc_share *x,
                                      const struct mpc_share *y, int64_t ten, int64_t most,
                                      enum run_rounding rounding)
{
    bool sign = mpc_share_range(x).lo < 0;
    struct mpc_share *r = NULL, *q = divide(w, sign ? run_abs(w, x) : x, y, &r), *all;

    if (w->status == FM_OK)
        run_narrow(w, q, (struct mpc_range){0, most});
    all = run_add(w, run_scale(w, q, ten), divide_once(w, run_scale(w, r, ten), y, rounding));
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
    return divide_twice(w, x, y, ten, most, rounding);
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

/* ---- dates: civil days as in a calendar whose years begin in March, so that the leap day is the
 * last of its year ---- */

enum {
    DAYS_400 = 146097, /* days in 400 years */
    EPOCH = 719468,    /* from 0000-03-01 to 1970-01-01 */
    FIRST_MONTH = 3
};

/* The year of a calendar that begins in March, and the day in it from 0. Years of 400 are counted
 * off first; within them (4 d + 3) / 1461 would be wrong where a century has no leap day, so the
 * century is counted off too: (4 d + 3) / 146097. */
static struct mpc_share *march_year(struct run_work *w, const struct mpc_share *days,
                                    struct mpc_share **day)
{
    struct mpc_share *n = run_shift(w, days, EPOCH);
    struct mpc_share *century = floor_public(w, run_shift(w, run_scale(w, n, 4), 3), DAYS_400);
    /* Whole days before the century: floor(146097 c / 4); with it, 4 d + 3 of the day within. */
    struct mpc_share *within = run_sub(w, n, floor_public(w, run_scale(w, century, DAYS_400), 4));
    struct mpc_share *year;

    if (w->status != FM_OK)
        return NULL;
    run_narrow(w, within, (struct mpc_range){0, 36524});
    year = floor_public(w, run_shift(w, run_scale(w, within, 4), 3), 1461);
    *day = run_sub(w, within, floor_public(w, run_scale(w, year, 1461), 4));
    if (w->status != FM_OK)
        return NULL;
    run_narrow(w, *day, (struct mpc_range){0, 365});
    run_narrow(w, year, (struct mpc_range){0, 99});
    return run_add(w, run_scale(w, century, 100), year);
}

/* The month from March as 0, and the days before it: 153 days every 5 months. */
static struct mpc_share *march_month(struct run_work *w, const struct mpc_share *day)
{
    return floor_public(w, run_shift(w, run_scale(w, day, 5), 2), 153);
}

static struct mpc_share *before_month(struct run_work *w, const struct mpc_share *month)
{
    return floor_public(w, run_shift(w, run_scale(w, month, 153), 2), 5);
}

void run_date_parts(struct run_work *w, const struct mpc_share *days, struct mpc_share **year,
                    struct mpc_share **month, struct mpc_share **day)
{
    struct mpc_share *d = NULL, *y = march_year(w, days, &d), *m = march_month(w, d), *late;

    if (w->status != FM_OK)
        return;
    /* January and February are months 10 and 11 of the year before. */
    late = run_bit2a(w, run_not(w, run_less_public(w, m, 10)));
    if (year != NULL)
        *year = run_add(w, y, late);
    if (month != NULL) {
        *month = run_sub(w, run_shift(w, m, FIRST_MONTH), run_scale(w, late, 12));
        run_narrow(w, *month, (struct mpc_range){1, 12});
    }
    if (day == NULL)
        return;
    *day = run_shift(w, run_sub(w, d, before_month(w, m)), 1);
    if (*day != NULL)
        run_narrow(w, *day, (struct mpc_range){1, 31});
}

/* How many days a month has, from its number in a year that begins in March: its end less its
 * beginning; of February (11) the year's last day says. */
struct mpc_share *run_date_add_months(struct run_work *w, const struct mpc_share *days,
                                      int64_t months)
{
    struct mpc_share *d = NULL, *y = march_year(w, days, &d), *m = march_month(w, d);
    struct mpc_share *in_month, *all, *first, *last;

    if (w->status != FM_OK)
        return NULL;
    in_month = run_sub(w, d, before_month(w, m));
    if (in_month != NULL)
        run_narrow(w, in_month, (struct mpc_range){0, 30});
    all = run_shift(w, run_add(w, run_scale(w, y, 12), m), months);
    /* The first day of month number k since 0000-03: of its year, and within it. */
    first = NULL;
    last = NULL;
    for (int i = 0; i < 2; i++) {
        struct mpc_share *k = run_shift(w, all, i), *year = floor_public(w, k, 12);
        struct mpc_share *month = run_sub(w, k, run_scale(w, year, 12)), *start;

        if (month != NULL)
            run_narrow(w, month, (struct mpc_range){0, 11});
        start = run_add(w, run_scale(w, year, 365), floor_public(w, year, 4));
        start = run_sub(w, start, floor_public(w, year, 100));
        start = run_add(w, start, floor_public(w, year, 400));
        start = run_add(w, start, before_month(w, month));
        *(i == 0 ? &first : &last) = start;
    }
    last = run_shift(w, run_sub(w, last, first), -1); /* the month's last day, from 0 */
    if (last == NULL)
        return NULL;
    run_narrow(w, last, (struct mpc_range){27, 30});
    in_month = run_select(w, run_less(w, last, in_month), last, in_month);
    return run_shift(w, run_add(w, first, in_month), -EPOCH);
}
