/* Hashing to a curve: RFC 9380, sections 3, 5.2, 5.3.1, 6.6.2. */
#include <assert.h>
#include <string.h>

#include "base/secret.h"
#include "mpc/curve/curve_own.h"

enum {
    ELEMENT = 48, /* bytes for a number mod p, bias below 2^-128 */
    ELEMENTS = 2,
    HASH_BLOCK = 64, /* of SM3 as of SHA-256 */
    BLOCKS = ELEMENT * ELEMENTS / BASE_HASH_SIZE
};

struct tag {
    const void *dst;
    size_t len;
};

static void put_tag(struct base_hash *h, const struct tag *tag)
{
    uint8_t size = (uint8_t)tag->len;

    base_hash_update(h, tag->dst, tag->len);
    base_hash_update(h, &size, 1);
}

/* expand_message_xmd for 96 bytes. */
static void expand(uint8_t out[ELEMENT * ELEMENTS], const void *message, size_t len,
                   const struct tag *tag, const struct mpc_curve *curve)
{
    static const uint8_t zeros[HASH_BLOCK], length[3] = {0, ELEMENT * ELEMENTS, 0};
    uint8_t first[BASE_HASH_SIZE], last[BASE_HASH_SIZE] = {0};
    struct base_hash h;

    curve->hash(&h);
    base_hash_update(&h, zeros, sizeof zeros);
    base_hash_update(&h, message, len);
    base_hash_update(&h, length, sizeof length);
    put_tag(&h, tag);
    base_hash_final(&h, first);
    for (uint8_t i = 1; i <= BLOCKS; i++) {
        for (int k = 0; k < BASE_HASH_SIZE; k++)
            last[k] ^= first[k];
        curve->hash(&h);
        base_hash_update(&h, last, sizeof last);
        base_hash_update(&h, &i, 1);
        put_tag(&h, tag);
        base_hash_final(&h, last);
        memcpy(out + (size_t)BASE_HASH_SIZE * (i - 1), last, sizeof last);
    }
    base_wipe(first, sizeof first);
    base_wipe(last, sizeof last);
}

/* y = sqrt(u / v), and all ones, if that is a square, else y = sqrt(z u / v) and 0: appendix
 * F.2.1.2, for p = 3 mod 4. */
static uint64_t root_of_ratio(uint64_t *y, const uint64_t *u, const uint64_t *v,
                              const struct mpc_curve *curve)
{
    const struct curve_field *f = &curve->f;
    uint64_t e[CURVE_LIMBS], uv[CURVE_LIMBS], t[CURVE_LIMBS], other[CURVE_LIMBS], square;

    for (int i = 0; i < CURVE_LIMBS; i++) /* (p - 3) / 4 */
        e[i] = f->p[i] >> 2 | (i + 1 < CURVE_LIMBS ? f->p[i + 1] << 62 : 0);
    mpc_curve_mul(uv, u, v, f);
    mpc_curve_mul(t, v, v, f);
    mpc_curve_mul(t, t, uv, f);
    mpc_curve_pow(t, t, e, f);
    mpc_curve_mul(y, t, uv, f);
    mpc_curve_mul(other, y, curve->root, f);
    mpc_curve_mul(t, y, y, f);
    mpc_curve_mul(t, t, v, f);
    square = mpc_curve_equal(t, u);
    mpc_curve_pick(other, y, square);
    memcpy(y, other, sizeof other);
    return square;
}

/* The simplified SWU map (6.6.2) with x = n / d: d = -a (z^2 u^4 + z u^2), or a z where that is 0;
 * n = b (z^2 u^4 + z u^2 + 1), or z u^2 times that. */
static void map(struct mpc_curve_point *p, const uint64_t *u, const struct mpc_curve *curve)
{
    const struct curve_field *f = &curve->f;
    static const uint64_t zero[CURVE_LIMBS];
    uint64_t zu2[CURVE_LIMBS], both[CURVE_LIMBS], n[CURVE_LIMBS], d[CURVE_LIMBS], d2[CURVE_LIMBS],
        num[CURVE_LIMBS], t[CURVE_LIMBS], y[CURVE_LIMBS], y1[CURVE_LIMBS], square, same;

    mpc_curve_mul(zu2, u, u, f);
    mpc_curve_mul(zu2, zu2, curve->z, f);
    mpc_curve_mul(both, zu2, zu2, f);
    mpc_curve_add(both, both, zu2, f);
    mpc_curve_add(t, both, f->one, f);
    mpc_curve_mul(n, t, curve->b, f);
    mpc_curve_sub(t, zero, curve->z, f);
    mpc_curve_pick(both, t, mpc_curve_is_zero(both));
    mpc_curve_add(d, both, both, f); /* -a = 3 */
    mpc_curve_add(d, d, both, f);
    /* x^3 - 3 x + b = (n^3 - 3 n d^2 + b d^3) / d^3 */
    mpc_curve_mul(d2, d, d, f);
    mpc_curve_mul(num, n, n, f);
    mpc_curve_add(t, d2, d2, f);
    mpc_curve_add(t, t, d2, f);
    mpc_curve_sub(num, num, t, f);
    mpc_curve_mul(num, num, n, f);
    mpc_curve_mul(d2, d2, d, f);
    mpc_curve_mul(t, d2, curve->b, f);
    mpc_curve_add(num, num, t, f);
    square = root_of_ratio(y1, num, d2, curve);
    mpc_curve_mul(p->x, zu2, n, f);
    mpc_curve_mul(y, zu2, u, f);
    mpc_curve_mul(y, y, y1, f);
    mpc_curve_pick(p->x, n, square);
    mpc_curve_pick(y, y1, square);
    same = ~(mpc_curve_is_odd(u, f) ^ mpc_curve_is_odd(y, f));
    mpc_curve_sub(t, zero, y, f);
    mpc_curve_pick(t, y, same);
    mpc_curve_mul(p->y, t, d, f);
    memcpy(p->z, d, sizeof d);
}

void mpc_curve_hash(struct mpc_curve_point *p, const void *message, size_t len, const void *dst,
                    size_t dst_len, const struct mpc_curve *curve)
{
    const struct tag tag = {dst, dst_len};
    uint8_t bytes[ELEMENT * ELEMENTS];
    uint64_t u[CURVE_LIMBS];
    struct mpc_curve_point other;

    assert(dst_len <= 255);
    expand(bytes, message, len, &tag, curve);
    mpc_curve_load_wide(u, bytes, &curve->f);
    map(p, u, curve);
    mpc_curve_load_wide(u, bytes + ELEMENT, &curve->f);
    map(&other, u, curve);
    mpc_curve_plus(p, p, &other, curve);
    base_wipe(bytes, sizeof bytes);
    base_wipe(u, sizeof u);
    base_wipe(&other, sizeof other);
}
