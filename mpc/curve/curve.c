/* The curves, and arithmetic on their points. */
#include "mpc/curve/curve.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "mpc/curve/curve_own.h"

enum { WINDOW = 16, PIECE = 64 /* points whose multiples are made at once */ };

/* Z = -9 and -10. */
static const struct mpc_curve sm2 = {
    .f = {.p = {0xffffffffffffffff, 0xffffffff00000000, 0xffffffffffffffff, 0xfffffffeffffffff},
          .r2 = {0x0000000200000003, 0x00000002ffffffff, 0x0000000100000001, 0x0000000400000002},
          .r3 = {0x0000001200000016, 0x0000000efffffff8, 0x0000000a0000000c, 0x0000001b00000009},
          .one = {0x0000000000000001, 0x00000000ffffffff, 0x0000000000000000, 0x0000000100000000}},
    .b = {0x90d230632bc0dd42, 0x71cf379ae9b537ab, 0x527981505ea51c3c, 0x240fe188ba20e2c8},
    .gx = {0x61328990f418029e, 0x3e7981eddca6c050, 0xd6a1ed99ac24c3c3, 0x91167a5ee1c13b05},
    .gy = {0xc1354e593c2d0ddd, 0xc1f5e5788d3295fa, 0x8d4cfb066e2a48f8, 0x63cd65d481d735bd},
    .z = {0xfffffffffffffff6, 0xfffffff600000009, 0xffffffffffffffff, 0xfffffff5ffffffff},
    .root = {0x0000000000000003, 0x00000002fffffffd, 0x0000000000000000, 0x0000000300000000},
    .order = {0x53bbf40939d54123, 0x7203df6b21c6052b, 0xffffffffffffffff, 0xfffffffeffffffff},
    .hash = base_sm3_init,
};

static const struct mpc_curve p256 = {
    .f = {.p = {0xffffffffffffffff, 0x00000000ffffffff, 0x0000000000000000, 0xffffffff00000001},
          .r2 = {0x0000000000000003, 0xfffffffbffffffff, 0xfffffffffffffffe, 0x00000004fffffffd},
          .r3 = {0xfffffffd0000000a, 0xffffffedfffffff7, 0x00000005fffffffc, 0x0000001800000001},
          .one = {0x0000000000000001, 0xffffffff00000000, 0xffffffffffffffff, 0x00000000fffffffe}},
    .b = {0xd89cdf6229c4bddf, 0xacf005cd78843090, 0xe5a220abf7212ed6, 0xdc30061d04874834},
    .gx = {0x79e730d418a9143c, 0x75ba95fc5fedb601, 0x79fb732b77622510, 0x18905f76a53755c6},
    .gy = {0xddf25357ce95560a, 0x8b4ab8e4ba19e45c, 0xd2e88688dd21f325, 0x8571ff1825885d85},
    .z = {0xfffffffffffffff5, 0x0000000affffffff, 0x0000000000000000, 0xfffffff50000000b},
    .root = {0xa1fd38ee98a195fd, 0x78400ad7423dcf70, 0x6913c88f9ea8dfee, 0x9051d26e12a8f304},
    .order = {0xf3b9cac2fc632551, 0xbce6faada7179e84, 0xffffffffffffffff, 0xffffffff00000000},
    .hash = base_sha256_init,
};

const struct mpc_curve *mpc_curve_sm2(void)
{
    return &sm2;
}

const struct mpc_curve *mpc_curve_p256(void)
{
    return &p256;
}

const uint64_t *mpc_curve_order(const struct mpc_curve *curve)
{
    return curve->order;
}

void mpc_curve_generator(struct mpc_curve_point *g, const struct mpc_curve *curve)
{
    memcpy(g->x, curve->gx, sizeof g->x);
    memcpy(g->y, curve->gy, sizeof g->y);
    memcpy(g->z, curve->f.one, sizeof g->z);
}

void mpc_curve_neutral(struct mpc_curve_point *p, const struct mpc_curve *curve)
{
    *p = (struct mpc_curve_point){0};
    memcpy(p->y, curve->f.one, sizeof p->y);
}

bool mpc_curve_is_neutral(const struct mpc_curve_point *p)
{
    return mpc_curve_is_zero(p->z) != 0;
}

/* ---- sums ---- */

/* z = a b' + a' b, given both products: (a + a')(b + b') - a b - a' b'. */
static void cross(uint64_t *z, const uint64_t *a, const uint64_t *a2, const uint64_t *b,
                  const uint64_t *b2, const uint64_t *ab, const uint64_t *a2b2,
                  const struct curve_field *f)
{
    uint64_t left[CURVE_LIMBS], right[CURVE_LIMBS];

    mpc_curve_add(left, a, a2, f);
    mpc_curve_add(right, b, b2, f);
    mpc_curve_mul(z, left, right, f);
    mpc_curve_sub(z, z, ab, f);
    mpc_curve_sub(z, z, a2b2, f);
}

static void thrice(uint64_t *z, const uint64_t *x, const struct curve_field *f)
{
    uint64_t twice[CURVE_LIMBS];

    mpc_curve_add(twice, x, x, f);
    mpc_curve_add(z, twice, x, f);
}

/* With xx = X1 X2 and so on, xy = X1 Y2 + X2 Y1 and so on:
 *   s = 3 (xz - b zz), v = 3 (b xz - 3 zz - xx), w = 3 xx - 3 zz
 *   X = xy (yy + s) - yz v,  Y = (yy + s)(yy - s) + w v,  Z = yz (yy - s) + xy w. */
void mpc_curve_plus(struct mpc_curve_point *z, const struct mpc_curve_point *p,
                    const struct mpc_curve_point *q, const struct mpc_curve *curve)
{
    const struct curve_field *f = &curve->f;
    uint64_t xx[CURVE_LIMBS], yy[CURVE_LIMBS], zz[CURVE_LIMBS], xy[CURVE_LIMBS], xz[CURVE_LIMBS],
        yz[CURVE_LIMBS], s[CURVE_LIMBS], v[CURVE_LIMBS], w[CURVE_LIMBS], plus[CURVE_LIMBS],
        minus[CURVE_LIMBS], t[CURVE_LIMBS];

    mpc_curve_mul(xx, p->x, q->x, f);
    mpc_curve_mul(yy, p->y, q->y, f);
    mpc_curve_mul(zz, p->z, q->z, f);
    cross(xy, p->x, p->y, q->x, q->y, xx, yy, f);
    cross(xz, p->x, p->z, q->x, q->z, xx, zz, f);
    cross(yz, p->y, p->z, q->y, q->z, yy, zz, f);
    mpc_curve_mul(s, curve->b, zz, f);
    mpc_curve_sub(s, xz, s, f);
    thrice(s, s, f);
    thrice(zz, zz, f);
    mpc_curve_mul(v, curve->b, xz, f);
    mpc_curve_sub(v, v, zz, f);
    mpc_curve_sub(v, v, xx, f);
    thrice(v, v, f);
    thrice(w, xx, f);
    mpc_curve_sub(w, w, zz, f);
    mpc_curve_add(plus, yy, s, f);
    mpc_curve_sub(minus, yy, s, f);
    mpc_curve_mul(z->x, xy, plus, f);
    mpc_curve_mul(t, yz, v, f);
    mpc_curve_sub(z->x, z->x, t, f);
    mpc_curve_mul(z->y, plus, minus, f);
    mpc_curve_mul(t, w, v, f);
    mpc_curve_add(z->y, z->y, t, f);
    mpc_curve_mul(z->z, yz, minus, f);
    mpc_curve_mul(t, xy, w, f);
    mpc_curve_add(z->z, z->z, t, f);
}

typedef struct mpc_curve_point multiples[WINDOW];

/* z += digit times the point whose multiples they are: all of them are read. */
static void add_multiple(struct mpc_curve_point *z, const multiples of, uint64_t digit,
                         const struct mpc_curve *curve)
{
    struct mpc_curve_point picked = of[0];

    for (uint64_t i = 1; i < WINDOW; i++) {
        uint64_t differ = i ^ digit, mask = ((differ | (0 - differ)) >> 63) - 1;
        mpc_curve_pick(picked.x, of[i].x, mask);
        mpc_curve_pick(picked.y, of[i].y, mask);
        mpc_curve_pick(picked.z, of[i].z, mask);
    }
    mpc_curve_plus(z, z, &picked, curve);
}

static void sum_piece(struct mpc_curve_point *z, const uint64_t *x, const struct mpc_curve_point *p,
                      size_t n, multiples *table, const struct mpc_curve *curve)
{
    mpc_curve_neutral(z, curve);
    for (size_t i = 0; i < n; i++) {
        mpc_curve_neutral(&table[i][0], curve);
        for (int k = 1; k < WINDOW; k++)
            mpc_curve_plus(&table[i][k], &table[i][k - 1], &p[i], curve);
    }
    for (int w = 63; w >= 0; w--) {
        for (int k = 0; k < 4; k++)
            mpc_curve_plus(z, z, z, curve);
        for (size_t i = 0; i < n; i++)
            add_multiple(z, (const struct mpc_curve_point *)table[i],
                         x[CURVE_LIMBS * i + (size_t)w / 16] >> (4 * (w % 16)) & 15, curve);
    }
}

fm_status mpc_curve_sum(struct mpc_curve_point *z, const uint64_t *x,
                        const struct mpc_curve_point *p, size_t n, const struct mpc_curve *curve,
                        struct base_err *err)
{
    size_t most = n < PIECE ? n : PIECE;
    multiples *table = malloc((most > 0 ? most : 1) * sizeof *table);
    struct mpc_curve_point part;

    if (table == NULL)
        return base_err_memory(err, "points");
    mpc_curve_neutral(z, curve);
    for (size_t at = 0; at < n; at += PIECE) {
        sum_piece(&part, x + CURVE_LIMBS * at, p + at, n - at < PIECE ? n - at : PIECE, table,
                  curve);
        mpc_curve_plus(z, z, &part, curve);
    }
    base_wipe(&part, sizeof part);
    base_wipe(table, most * sizeof *table); /* of points that may be secret themselves */
    free(table);
    return FM_OK;
}

/* ---- bytes ---- */

void mpc_curve_right_side(uint64_t *z, const uint64_t *x, const struct mpc_curve *curve)
{
    const struct curve_field *f = &curve->f;
    uint64_t t[CURVE_LIMBS], three[CURVE_LIMBS];

    thrice(three, x, f);
    mpc_curve_mul(t, x, x, f);
    mpc_curve_mul(t, t, x, f);
    mpc_curve_sub(t, t, three, f);
    mpc_curve_add(z, t, curve->b, f);
}

static void put_x(uint8_t out32[32], const struct mpc_curve_point *p, const struct mpc_curve *curve)
{
    uint64_t t[CURVE_LIMBS];

    mpc_curve_invert(t, p->z, &curve->f);
    mpc_curve_mul(t, t, p->x, &curve->f);
    mpc_curve_store(out32, t, &curve->f);
}

bool mpc_curve_x(uint8_t out32[32], const struct mpc_curve_point *p, const struct mpc_curve *curve)
{
    put_x(out32, p, curve);
    return !mpc_curve_is_neutral(p);
}

static void negate(uint64_t *z, const uint64_t *x, const struct curve_field *f)
{
    static const uint64_t zero[CURVE_LIMBS];

    mpc_curve_sub(z, zero, x, f);
}

bool mpc_curve_from_x(struct mpc_curve_point *p, const uint8_t x32[32],
                      const struct mpc_curve *curve)
{
    const struct curve_field *f = &curve->f;
    uint64_t e[CURVE_LIMBS], square[CURVE_LIMBS], t[CURVE_LIMBS];

    mpc_curve_neutral(p, curve);
    if (!mpc_curve_load(t, x32, f))
        return false;
    memcpy(p->x, t, sizeof t);
    mpc_curve_right_side(square, p->x, curve);
    for (int i = 0; i < CURVE_LIMBS; i++) /* (p + 1) / 4 = (p - 3) / 4 + 1; p = -1 mod 2^64 */
        e[i] = f->p[i] >> 2 | (i + 1 < CURVE_LIMBS ? f->p[i + 1] << 62 : 0);
    mpc_curve_pow(p->y, square, e, f);
    mpc_curve_mul(p->y, p->y, square, f);
    memcpy(p->z, f->one, sizeof p->z);
    mpc_curve_mul(t, p->y, p->y, f);
    if (mpc_curve_equal(t, square) == 0) {
        mpc_curve_neutral(p, curve);
        return false;
    }
    negate(t, p->y, f);
    mpc_curve_pick(p->y, t, mpc_curve_is_odd(p->y, f));
    return true;
}

void mpc_curve_put(uint8_t out33[33], const struct mpc_curve_point *p,
                   const struct mpc_curve *curve)
{
    uint64_t t[CURVE_LIMBS];

    mpc_curve_invert(t, p->z, &curve->f);
    mpc_curve_mul(t, t, p->y, &curve->f);
    out33[0] = (uint8_t)((2 | (mpc_curve_is_odd(t, &curve->f) & 1)) & ~mpc_curve_is_zero(p->z));
    put_x(out33 + 1, p, curve);
}

bool mpc_curve_get(struct mpc_curve_point *p, const uint8_t in33[33], const struct mpc_curve *curve)
{
    uint64_t t[CURVE_LIMBS];

    if (!mpc_curve_from_x(p, in33 + 1, curve) || (in33[0] != 2 && in33[0] != 3)) {
        mpc_curve_neutral(p, curve);
        return false;
    }
    negate(t, p->y, &curve->f);
    mpc_curve_pick(p->y, t, 0 - (uint64_t)(in33[0] & 1));
    return true;
}
