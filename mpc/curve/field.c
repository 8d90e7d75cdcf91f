#include "mpc/curve/field.h"

#include <string.h>

#include "base/bytes.h"

typedef unsigned __int128 wide;

/* z = t - p where t, of four limbs and a carry, is not below p. */
static void reduce_once(uint64_t *z, const uint64_t *t, uint64_t carry, const struct curve_field *f)
{
    uint64_t less[CURVE_LIMBS], borrow = 0, mask;

    for (int i = 0; i < CURVE_LIMBS; i++) {
        wide d = (wide)t[i] - f->p[i] - borrow;
        less[i] = (uint64_t)d;
        borrow = (uint64_t)(d >> 64) & 1;
    }
    mask = 0 - (carry | (borrow ^ 1));
    for (int i = 0; i < CURVE_LIMBS; i++)
        z[i] = (less[i] & mask) | (t[i] & ~mask);
}

void mpc_curve_add(uint64_t *z, const uint64_t *x, const uint64_t *y, const struct curve_field *f)
{
    uint64_t t[CURVE_LIMBS], carry = 0;

    for (int i = 0; i < CURVE_LIMBS; i++) {
        wide s = (wide)x[i] + y[i] + carry;
        t[i] = (uint64_t)s;
        carry = (uint64_t)(s >> 64);
    }
    reduce_once(z, t, carry, f);
}

void mpc_curve_sub(uint64_t *z, const uint64_t *x, const uint64_t *y, const struct curve_field *f)
{
    uint64_t t[CURVE_LIMBS], borrow = 0, carry = 0;

    for (int i = 0; i < CURVE_LIMBS; i++) {
        wide d = (wide)x[i] - y[i] - borrow;
        t[i] = (uint64_t)d;
        borrow = (uint64_t)(d >> 64) & 1;
    }
    for (int i = 0; i < CURVE_LIMBS; i++) {
        wide s = (wide)t[i] + (f->p[i] & (0 - borrow)) + carry;
        z[i] = (uint64_t)s;
        carry = (uint64_t)(s >> 64);
    }
}

/* *t + x y + *carry; its high half is the next carry. */
static inline uint64_t step(uint64_t t, uint64_t x, uint64_t y, uint64_t *carry)
{
    wide s = (wide)x * y + t + *carry;

    *carry = (uint64_t)(s >> 64);
    return (uint64_t)s;
}

/* Limb by limb of y: t = (t + x y_i + m p) / 2^64 with m = t_0, as -1 / p = 1 mod 2^64. With x
 * below 2^256 and y below p (or the other way round) t stays below 2^256 + p, and ends below 2 p.
 * In single variables: twice as fast as in an array. */
void mpc_curve_mul(uint64_t *z, const uint64_t *x, const uint64_t *y, const struct curve_field *f)
{
    uint64_t t0 = 0, t1 = 0, t2 = 0, t3 = 0, t4 = 0;

    for (int i = 0; i < CURVE_LIMBS; i++) {
        uint64_t carry = 0, top;
        wide s;
        t0 = step(t0, x[0], y[i], &carry);
        t1 = step(t1, x[1], y[i], &carry);
        t2 = step(t2, x[2], y[i], &carry);
        t3 = step(t3, x[3], y[i], &carry);
        s = (wide)t4 + carry;
        t4 = (uint64_t)s;
        top = (uint64_t)(s >> 64);
        carry = t0; /* t0 + t0 (2^64 - 1) = t0 2^64 */
        s = (wide)t0 * f->p[1] + t1 + carry;
        carry = (uint64_t)(s >> 64);
        t1 = step(t2, t0, f->p[2], &carry);
        t2 = step(t3, t0, f->p[3], &carry);
        t0 = (uint64_t)s;
        s = (wide)t4 + carry;
        t3 = (uint64_t)s;
        t4 = top + (uint64_t)(s >> 64);
    }
    reduce_once(z, (const uint64_t[]){t0, t1, t2, t3}, t4, f);
}

void mpc_curve_pow(uint64_t *z, const uint64_t *x, const uint64_t *e, const struct curve_field *f)
{
    uint64_t power[16][CURVE_LIMBS], r[CURVE_LIMBS];

    memcpy(power[0], f->one, sizeof power[0]);
    for (int i = 1; i < 16; i++)
        mpc_curve_mul(power[i], power[i - 1], x, f);
    memcpy(r, f->one, sizeof r);
    for (int i = 63; i >= 0; i--) {
        for (int k = 0; k < 4; k++)
            mpc_curve_mul(r, r, r, f);
        mpc_curve_mul(r, r, power[e[i / 16] >> (4 * (i % 16)) & 15], f);
    }
    memcpy(z, r, sizeof r);
}

void mpc_curve_invert(uint64_t *z, const uint64_t *x, const struct curve_field *f)
{
    uint64_t e[CURVE_LIMBS];

    memcpy(e, f->p, sizeof e);
    e[0] -= 2;
    mpc_curve_pow(z, x, e, f);
}

uint64_t mpc_curve_is_zero(const uint64_t *x)
{
    uint64_t any = x[0] | x[1] | x[2] | x[3];

    return ((any | (0 - any)) >> 63) - 1;
}

uint64_t mpc_curve_equal(const uint64_t *x, const uint64_t *y)
{
    uint64_t differ[CURVE_LIMBS];

    for (int i = 0; i < CURVE_LIMBS; i++)
        differ[i] = x[i] ^ y[i];
    return mpc_curve_is_zero(differ);
}

void mpc_curve_pick(uint64_t *z, const uint64_t *x, uint64_t mask)
{
    for (int i = 0; i < CURVE_LIMBS; i++)
        z[i] ^= (z[i] ^ x[i]) & mask;
}

static void limbs_of(uint64_t *z, const uint8_t *bytes32)
{
    for (int i = 0; i < CURVE_LIMBS; i++)
        z[CURVE_LIMBS - 1 - i] = base_load_u64(bytes32 + 8 * i);
}

int mpc_curve_load(uint64_t *z, const uint8_t *bytes32, const struct curve_field *f)
{
    uint64_t t[CURVE_LIMBS], less[CURVE_LIMBS];

    limbs_of(t, bytes32);
    reduce_once(less, t, 0, f);
    if (mpc_curve_equal(less, t) == 0) {
        memset(z, 0, sizeof t);
        return 0;
    }
    mpc_curve_mul(z, t, f->r2, f);
    return 1;
}

static void plain(uint64_t *z, const uint64_t *x, const struct curve_field *f)
{
    static const uint64_t one[CURVE_LIMBS] = {1};

    mpc_curve_mul(z, x, one, f);
}

void mpc_curve_store(uint8_t *bytes32, const uint64_t *x, const struct curve_field *f)
{
    uint64_t t[CURVE_LIMBS];

    plain(t, x, f);
    for (int i = 0; i < CURVE_LIMBS; i++)
        base_store_u64(bytes32 + 8 * i, t[CURVE_LIMBS - 1 - i]);
}

void mpc_curve_load_wide(uint64_t *z, const uint8_t *bytes48, const struct curve_field *f)
{
    uint8_t head[32] = {0};
    uint64_t high[CURVE_LIMBS], low[CURVE_LIMBS];

    memcpy(head + 16, bytes48, 16);
    limbs_of(high, head);
    limbs_of(low, bytes48 + 16);
    mpc_curve_mul(high, high, f->r3, f);
    mpc_curve_mul(low, low, f->r2, f);
    mpc_curve_add(z, high, low, f);
}

uint64_t mpc_curve_is_odd(const uint64_t *x, const struct curve_field *f)
{
    uint64_t t[CURVE_LIMBS];

    plain(t, x, f);
    return 0 - (t[0] & 1);
}
