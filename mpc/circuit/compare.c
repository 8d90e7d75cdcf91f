#include "mpc/circuit/compare.h"

#include <stdlib.h>

#include "mpc/circuit/adder.h"
#include "mpc/gates.h"
#include "mpc/ops_check.h"
#include "mpc/share.h"

typedef __int128 wide;

static fm_status check_two(const struct mpc_share *x, const struct mpc_share *y, const char *what,
                           struct base_err *err)
{
    if (x->session != y->session)
        return base_err_set(err, FM_E_ARG, "%s: the columns are of two sessions", what);
    if (x->n != y->n && x->n != 1 && y->n != 1)
        return base_err_set(err, FM_E_ARG, "%s: lengths %zu and %zu differ", what, x->n, y->n);
    return FM_OK;
}

static size_t longer(const struct mpc_share *x, const struct mpc_share *y)
{
    return x->n == 1 ? y->n : x->n;
}

/* x itself, or where it has one element and n are needed, a copy in *spread (the caller's to free).
 */
static fm_status widen(const struct mpc_share **out, struct mpc_share **spread,
                       const struct mpc_share *x, size_t n, struct base_err *err)
{
    fm_status status = FM_OK;

    *spread = NULL;
    *out = x;
    if (x->n != n) {
        status = mpc_spread(spread, x, n, err);
        *out = *spread;
    }
    return status;
}

/* Two's complement width of lo..hi, 65 if 64 bits do not hold it. */
static unsigned wide_width(wide lo, wide hi)
{
    if (lo < INT64_MIN || hi > INT64_MAX)
        return 65;
    return mpc_range_width((struct mpc_range){(int64_t)lo, (int64_t)hi});
}

/* The sign bits that a list of comparisons needs, found in one go. */
struct signs {
    const struct mpc_share **of;    /* columns whose sign is wanted */
    const struct mpc_share **minus; /* less these, or NULL */
    struct mpc_share **owned;       /* where `of` is a copy of ours */
    struct mpc_share **bit;
    unsigned *width;
    size_t len;
};

static fm_status signs_new(struct signs *k, struct mpc_session *s, size_t cap, struct base_err *err)
{
    *k = (struct signs){calloc(cap, sizeof *k->of),    calloc(cap, sizeof *k->minus),
                        calloc(cap, sizeof *k->owned), calloc(cap, sizeof *k->bit),
                        calloc(cap, sizeof *k->width), 0};
    if (k->of == NULL || k->minus == NULL || k->owned == NULL || k->bit == NULL || k->width == NULL)
        return mpc_no_memory(s, "comparison", err);
    return FM_OK;
}

static void signs_release(struct signs *k)
{
    for (size_t i = 0; i < k->len; i++) {
        mpc_share_free(k->owned[i]);
        mpc_share_free(k->bit[i]);
    }
    free(k->of);
    free(k->minus);
    free(k->bit);
    free(k->owned);
    free(k->width);
}

/* x - y, or x; as long as y where x has one element. */
static fm_status signs_add(struct signs *k, const struct mpc_share *x, const struct mpc_share *y,
                           unsigned width, struct base_err *err)
{
    size_t i = k->len++;

    k->minus[i] = y;
    k->width[i] = width;
    return widen(&k->of[i], &k->owned[i], x, y == NULL ? x->n : longer(x, y), err);
}

static fm_status signs_find(struct signs *k, struct base_err *err)
{
    fm_status status = FM_OK;

    for (size_t from = 0; status == FM_OK && from < k->len; from += MPC_MAX_LIST) {
        size_t count = k->len - from < MPC_MAX_LIST ? k->len - from : MPC_MAX_LIST;
        status = mpc_msb_diff_list(k->bit + from, k->of + from, k->minus + from, k->width + from,
                                   count, err);
    }
    return status;
}

static fm_status constant_bit(struct mpc_share **z, const struct mpc_share *like, size_t n,
                              bool bit, struct base_err *err)
{
    return mpc_bits_constant(like->session, z, bit ? -1 : 0, 1, n, err);
}

/* z = sd ^ ((sx ^ sy) & (sx ^ sd)): sx where the signs differ, else sd. */
static fm_status full_less(struct mpc_share **z, const struct mpc_share *sd,
                           const struct mpc_share *sx, const struct mpc_share *sy,
                           struct base_err *err)
{
    struct mpc_share *spread_x = NULL;
    struct mpc_share *spread_y = NULL;
    struct mpc_share *t[3] = {NULL};
    const struct mpc_share *wx;
    const struct mpc_share *wy;
    fm_status status = widen(&wx, &spread_x, sx, sd->n, err);

    if (status == FM_OK)
        status = widen(&wy, &spread_y, sy, sd->n, err);
    if (status == FM_OK)
        status = mpc_xor(&t[0], wx, wy, err);
    if (status == FM_OK)
        status = mpc_xor(&t[1], wx, sd, err);
    if (status == FM_OK)
        status = mpc_and(&t[2], t[0], t[1], err);
    if (status == FM_OK)
        status = mpc_xor(z, sd, t[2], err);
    mpc_share_free(spread_x);
    mpc_share_free(spread_y);
    mpc_share_free_all(t, 3);
    return status;
}

/* What one comparison asks for: nothing (the ranges decide), its difference's sign, or three signs.
 */
static fm_status ask(struct signs *k, struct mpc_share **z, const struct mpc_share *x,
                     const struct mpc_share *y, struct base_err *err)
{
    unsigned width = wide_width((wide)x->range.lo - y->range.hi, (wide)x->range.hi - y->range.lo);
    fm_status status = check_two(x, y, "less", err);

    if (status == FM_OK)
        status = mpc_check_domain(x, MPC_RING64, "less", err);
    if (status == FM_OK)
        status = mpc_check_domain(y, MPC_RING64, "less", err);
    if (status != FM_OK)
        return status;
    if (x->range.hi < y->range.lo || x->range.lo >= y->range.hi)
        return constant_bit(z, x, longer(x, y), x->range.hi < y->range.lo, err);
    status = signs_add(k, x, y, width <= 64 ? width : 64, err);
    if (status == FM_OK && width > 64)
        status = signs_add(k, x, NULL, 64, err);
    if (status == FM_OK && width > 64)
        status = signs_add(k, y, NULL, 64, err);
    return status;
}

fm_status mpc_less_list(struct mpc_share **z, const struct mpc_share *const *x,
                        const struct mpc_share *const *y, size_t count, struct base_err *err)
{
    struct signs k = {0};
    size_t *first = calloc(count + 1, sizeof *first);
    fm_status status = mpc_check_list(x, count, "less", err);

    for (size_t i = 0; i < count; i++)
        z[i] = NULL;
    if (status == FM_OK && first == NULL)
        status = mpc_no_memory(x[0]->session, "comparison", err);
    if (status == FM_OK)
        status = signs_new(&k, x[0]->session, 3 * count, err);
    for (size_t i = 0; status == FM_OK && i < count; i++) {
        first[i] = k.len;
        status = ask(&k, &z[i], x[i], y[i], err);
        first[i + 1] = k.len;
    }
    if (status == FM_OK)
        status = signs_find(&k, err);
    for (size_t i = 0; status == FM_OK && i < count; i++) {
        struct mpc_share **bit = k.bit + first[i];

        if (first[i + 1] - first[i] == 3)
            status = full_less(&z[i], bit[0], bit[1], bit[2], err);
        else if (first[i + 1] - first[i] == 1) {
            z[i] = bit[0];
            bit[0] = NULL;
        }
    }
    signs_release(&k);
    free(first);
    if (status != FM_OK)
        mpc_share_free_all(z, count);
    return status;
}

fm_status mpc_less(struct mpc_share **z, const struct mpc_share *x, const struct mpc_share *y,
                   struct base_err *err)
{
    return mpc_less_list(z, &x, &y, 1, err);
}

fm_status mpc_less_public(struct mpc_share **z, const struct mpc_share *x, int64_t c,
                          struct base_err *err)
{
    struct mpc_share *constant;
    fm_status status;

    *z = NULL;
    status = mpc_constant(x->session, &constant, c, 1, err);
    if (status != FM_OK)
        return status;
    status = mpc_less(z, x, constant, err);
    mpc_share_free(constant);
    return status;
}

/* c < x  =  NOT (x < c + 1). */
fm_status mpc_greater_public(struct mpc_share **z, const struct mpc_share *x, int64_t c,
                             struct base_err *err)
{
    struct mpc_share *less;
    fm_status status;

    *z = NULL;
    if (c == INT64_MAX)
        return constant_bit(z, x, x->n, false, err);
    status = mpc_less_public(&less, x, c + 1, err);
    if (status != FM_OK)
        return status;
    status = mpc_not(z, less, err);
    mpc_share_free(less);
    return status;
}

/* Borrow out of x - y: u = y, p = ~(x ^ y); for signed numbers both top bits are flipped first,
 * which p does not see, and u does. */
fm_status mpc_less_bits(struct mpc_share **z, const struct mpc_share *x, const struct mpc_share *y,
                        enum mpc_sign sign, struct base_err *err)
{
    struct mpc_share *spread[2] = {NULL};
    struct mpc_share *t[3] = {NULL};
    const struct mpc_share *wx;
    const struct mpc_share *wy;
    struct mpc_wire none = mpc_wire_none();
    struct mpc_adder adder;
    fm_status status = check_two(x, y, "less", err);

    *z = NULL;
    if (status == FM_OK &&
        (x->domain != MPC_BITS || y->domain != MPC_BITS || x->width != y->width || x->width > 64))
        status = base_err_set(err, FM_E_ARG, "less: takes bits columns of one width up to 64");
    if (status == FM_OK)
        status = widen(&wx, &spread[0], x, longer(x, y), err);
    if (status == FM_OK)
        status = widen(&wy, &spread[1], y, longer(x, y), err);
    if (status == FM_OK)
        status = mpc_xor(&t[0], wx, wy, err);
    if (status == FM_OK)
        status = mpc_not(&t[1], t[0], err);
    if (status == FM_OK)
        status = mpc_slice(&t[2], wy, 0, wy->n, err);
    if (status == FM_OK)
        status = mpc_bits_new(z, x->session, wy->n, 1, err);
    if (status == FM_OK) {
        if (sign == MPC_SIGNED)
            mpc_wire_flip(x->session, mpc_wire_of(t[2], x->width - 1));
        adder = (struct mpc_adder){t[2], t[1], x->width};
        status = mpc_adder_carry(x->session, z, &adder, &none, 1, err);
    }
    mpc_share_free_all(spread, 2);
    mpc_share_free_all(t, 3);
    if (status != FM_OK)
        mpc_share_free_all(z, 1);
    return status;
}

/* The smallest k with |d| < 2^k for all d in lo..hi, at most 64: then d = 0 iff d = 0 mod 2^k. */
static unsigned zero_width(wide lo, wide hi)
{
    wide most = -lo > hi ? -lo : hi;
    unsigned k = 0;

    while (k < 64 && most >> k != 0)
        k++;
    return k;
}

static fm_status equal_ring(struct mpc_share **z, const struct mpc_share *x,
                            const struct mpc_share *y, struct signs *k, size_t *place,
                            struct base_err *err)
{
    wide lo = (wide)x->range.lo - y->range.hi;
    wide hi = (wide)x->range.hi - y->range.lo;

    if (lo > 0 || hi < 0 || (lo == 0 && hi == 0))
        return constant_bit(z, x, longer(x, y), lo == 0 && hi == 0, err);
    *place = k->len + 1;
    return signs_add(k, x, y, zero_width(lo, hi), err);
}

static fm_status equal_bits(struct mpc_share **z, struct mpc_share **agree,
                            const struct mpc_share *x, const struct mpc_share *y,
                            struct base_err *err)
{
    struct mpc_share *spread[2] = {NULL};
    struct mpc_share *differ = NULL;
    const struct mpc_share *wx;
    const struct mpc_share *wy;
    fm_status status;

    if (x->width != y->width)
        return base_err_set(err, FM_E_ARG, "equal: widths %u and %u differ", x->width, y->width);
    status = widen(&wx, &spread[0], x, longer(x, y), err);
    if (status == FM_OK)
        status = widen(&wy, &spread[1], y, longer(x, y), err);
    if (status == FM_OK)
        status = mpc_xor(&differ, wx, wy, err);
    if (status == FM_OK)
        status = mpc_not(agree, differ, err);
    if (status == FM_OK)
        status = mpc_bits_new(z, x->session, longer(x, y), 1, err);
    mpc_share_free_all(spread, 2);
    mpc_share_free(differ);
    return status;
}

/* The bits columns of a list: agree[i] where z[i] waits for the AND of its planes. */
static fm_status all_agree(struct mpc_session *s, struct mpc_share **z, struct mpc_share **agree,
                           size_t count, struct base_err *err)
{
    size_t len = 0;
    struct mpc_share **out = calloc(count, sizeof *out);
    fm_status status = FM_OK;

    if (out == NULL)
        return mpc_no_memory(s, "comparison", err);
    for (size_t i = 0; i < count; i++) {
        if (agree[i] == NULL)
            continue;
        out[len] = z[i];
        agree[len++] = agree[i];
        if (len - 1 != i)
            agree[i] = NULL;
    }
    if (len > 0)
        status = mpc_all_planes(s, out, (const struct mpc_share *const *)agree, len, err);
    free(out);
    return status;
}

fm_status mpc_equal_list(struct mpc_share **z, const struct mpc_share *const *x,
                         const struct mpc_share *const *y, size_t count, struct base_err *err)
{
    struct signs k = {0};
    struct mpc_share **agree = calloc(count + 1, sizeof *agree);
    size_t *place = calloc(count + 1, sizeof *place);
    fm_status status = mpc_check_list(x, count, "equal", err);

    for (size_t i = 0; i < count; i++)
        z[i] = NULL;
    if (status == FM_OK && (agree == NULL || place == NULL))
        status = mpc_no_memory(x[0]->session, "comparison", err);
    if (status == FM_OK)
        status = signs_new(&k, x[0]->session, count, err);
    for (size_t i = 0; status == FM_OK && i < count; i++) {
        status = check_two(x[i], y[i], "equal", err);
        if (status == FM_OK)
            status = mpc_check_domain(y[i], x[i]->domain, "equal", err);
        if (status == FM_OK)
            status = x[i]->domain == MPC_RING64 ? equal_ring(&z[i], x[i], y[i], &k, &place[i], err)
                                                : equal_bits(&z[i], &agree[i], x[i], y[i], err);
    }
    if (status == FM_OK && k.len > 0)
        status = mpc_eqz_diff_list(k.bit, k.of, k.minus, k.width, k.len, err);
    for (size_t i = 0; status == FM_OK && i < count; i++) {
        if (place[i] == 0)
            continue;
        z[i] = k.bit[place[i] - 1];
        k.bit[place[i] - 1] = NULL;
    }
    if (status == FM_OK)
        status = all_agree(x[0]->session, z, agree, count, err);
    if (agree != NULL)
        mpc_share_free_all(agree, count);
    free(agree);
    free(place);
    signs_release(&k);
    if (status != FM_OK)
        mpc_share_free_all(z, count);
    return status;
}

fm_status mpc_equal(struct mpc_share **z, const struct mpc_share *x, const struct mpc_share *y,
                    struct base_err *err)
{
    return mpc_equal_list(z, &x, &y, 1, err);
}

fm_status mpc_equal_public(struct mpc_share **z, const struct mpc_share *x, int64_t c,
                           struct base_err *err)
{
    struct mpc_share *constant;
    fm_status status;

    *z = NULL;
    status = mpc_constant(x->session, &constant, c, 1, err);
    if (status != FM_OK)
        return status;
    status = mpc_equal(z, x, constant, err);
    mpc_share_free(constant);
    return status;
}
