/* Points of edwards25519 in extended coordinates, eight side by side: H. Hisil, K. Wong, G. Carter,
 * E. Dawson, "Twisted Edwards curves revisited", ASIACRYPT 2008 (the additions are complete, so
 * none needs a branch); encodings and the map: RFC 9496, section 4.3.
 *
 * Valgrind does not know AVX-512; of the branches compiled here (gcc 12) all but the ends of loops
 * of fixed length are the stack's guard, and no address is computed from a number.
 *
 * Cost, in products of the field (100 vector instructions each): 64 windows of four doublings and
 * one addition, 36 products; an encoding or a decoding 270, a derivation 560. */
#include <string.h>

#include "base/secret.h"
#include "mpc/psi/curve.h"
#include "mpc/psi/field_ifma.h"

enum { WINDOWS = 64, ENTRIES = 8 };

struct point {
    struct field x, y, z, t; /* x y = z t */
};

/* What is added: y + x, y - x, 2 z, 2 d t. */
struct addend {
    struct field plus, minus, z2, td2;
};

enum coordinates { WITHOUT_T, ALL_FOUR };

static const uint64_t d[] = {0x34dca135978a3, 0x1a8283b156ebd, 0x5e7a26001c029, 0x739c663a03cbb,
                             0x52036cee2b6ff},
                      two_d[] = {0x69b9426b2f159, 0x35050762add7a, 0x3cf44c0038052, 0x6738cc7407977,
                                 0x2406d9dc56dff},
                      sqrt_m1[] = {0x61b274a0ea0b0, 0x0d5a5fc8f189d, 0x7ef5e9cbd0c60,
                                   0x78595a6804c9e, 0x2b8324804fc1d},
                      sqrt_ad_minus_one[] = {0x7f6a0497b2e1b, 0x1836f0a97afd2, 0x7d747f6be7638,
                                             0x456079e7e6498, 0x376931bf2b834},
                      invsqrt_a_minus_d[] = {0x0fdaa805d40ea, 0x2eb482e57d339, 0x007610274bc58,
                                             0x6510b613dc8ff, 0x786c8905cfaff},
                      one_minus_d_sq[] = {0x409c1945fc176, 0x719abc6a1fc4f, 0x1c37f90b20684,
                                          0x06bccca55eedf, 0x029072a8b2b3e},
                      d_minus_one_sq[] = {0x55aaa44ed4d20, 0x59603c3332635, 0x26d3baf4a7928,
                                          0x120a66e6997a9, 0x5968b37af66c2};

FIELD_INLINE void finish(struct point *p, struct field e, struct field f, struct field g,
                         struct field h, enum coordinates which)
{
    p->x = field_mul(e, f);
    p->y = field_mul(g, h);
    p->z = field_mul(f, g);
    if (which == ALL_FOUR)
        p->t = field_mul(e, h);
}

FIELD_INLINE void point_double(struct point *p, enum coordinates which)
{
    struct field a = field_square(p->x), b = field_square(p->y), c = field_square(p->z);
    struct field s = field_square(field_add(p->x, p->y)), ab = field_plus(a, b);
    struct field g = field_minus(b, a);

    finish(p, field_sub(s, ab), field_carry(field_minus(g, field_plus(c, c))), field_carry(g),
           field_sub(field_small(0), ab), which);
}

FIELD_INLINE void point_add(struct point *p, const struct addend *q, enum coordinates which)
{
    struct field a = field_mul(field_sub(p->y, p->x), q->minus);
    struct field b = field_mul(field_add(p->y, p->x), q->plus);
    struct field c = field_mul(p->t, q->td2), z = field_mul(p->z, q->z2);

    finish(p, field_sub(b, a), field_sub(z, c), field_add(z, c), field_add(b, a), which);
}

static void addend_of(struct addend *q, const struct point *p)
{
    q->plus = field_add(p->y, p->x);
    q->minus = field_sub(p->y, p->x);
    q->z2 = field_add(p->z, p->z);
    q->td2 = field_mul(p->t, field_const(two_d));
}

/* Digits in [-8, 8], lowest first, whose sum with powers of 16 is the scalar. */
static void digits_of(int8_t e[WINDOWS], const uint8_t scalar[32])
{
    int carry = 0;

    for (int i = 0; i < WINDOWS; i++) {
        int v = (scalar[i / 2] >> 4 * (i % 2) & 15) + carry;
        carry = (v + 8) >> 4;
        e[i] = (int8_t)(v - (i + 1 < WINDOWS ? carry * 16 : 0));
    }
}

/* The digit's multiple: all of the table is read. */
FIELD_INLINE void pick(struct addend *q, const struct addend *table, int digit)
{
    unsigned negative = (unsigned)digit >> 31;
    unsigned size = ((unsigned)digit ^ (0u - negative)) + negative;
    __mmask8 sign = (__mmask8)(0u - negative);
    struct field minus;

    *q = (struct addend){field_small(1), field_small(1), field_small(2), field_small(0)};
    for (unsigned v = 1; v <= ENTRIES; v++) {
        __mmask8 is = (__mmask8)(0u - (((size ^ v) - 1) >> 31));
        q->plus = field_pick(q->plus, is, table[v - 1].plus);
        q->minus = field_pick(q->minus, is, table[v - 1].minus);
        q->z2 = field_pick(q->z2, is, table[v - 1].z2);
        q->td2 = field_pick(q->td2, is, table[v - 1].td2);
    }
    minus = q->minus;
    q->minus = field_pick(q->minus, sign, q->plus);
    q->plus = field_pick(q->plus, sign, minus);
    q->td2 = field_pick(q->td2, sign, field_neg(q->td2));
}

static void multiply(struct point *p, const uint8_t scalar[32])
{
    struct addend table[ENTRIES], q;
    struct point m = *p;
    int8_t e[WINDOWS];

    digits_of(e, scalar);
    addend_of(&table[0], p);
    for (int v = 1; v < ENTRIES; v++) {
        point_add(&m, &table[0], ALL_FOUR);
        addend_of(&table[v], &m);
    }
    *p = (struct point){field_small(0), field_small(1), field_small(1), field_small(0)};
    for (int i = WINDOWS - 1; i >= 0; i--) {
        for (int j = 0; j < 3; j++)
            point_double(p, WITHOUT_T);
        point_double(p, ALL_FOUR);
        pick(&q, table, e[i]);
        point_add(p, &q, ALL_FOUR);
    }
    base_wipe(e, sizeof e);
    base_wipe(table, sizeof table);
    base_wipe(&q, sizeof q);
    base_wipe(&m, sizeof m);
}

/* RFC 9496, 4.3.1; bits of those that it refuses. */
static __mmask8 decode(struct point *p, const uint8_t x[FIELD_LANES][32])
{
    struct field one = field_small(1), s = mpc_psi_field_load(x), ss = field_square(s), u1, u2, u22;
    struct field v, root, den_x, den_y;
    uint8_t again[FIELD_LANES][32];
    __mmask8 square, bad = 0;

    mpc_psi_field_store(again, s);
    for (int i = 0; i < FIELD_LANES; i++) {
        uint8_t differs = x[i][0] & 1;
        for (int j = 0; j < 32; j++)
            differs |= again[i][j] ^ x[i][j];
        bad = (__mmask8)(bad | (differs != 0) << i);
    }
    u1 = field_sub(one, ss);
    u2 = field_add(one, ss);
    u22 = field_square(u2);
    v = field_sub(field_neg(field_mul(field_const(d), field_square(u1))), u22);
    square = mpc_psi_field_root(&root, one, field_mul(v, u22));
    den_x = field_mul(root, u2);
    den_y = field_mul(field_mul(root, den_x), v);
    p->x = mpc_psi_field_abs(field_mul(field_add(s, s), den_x));
    p->y = field_mul(u1, den_y);
    p->z = one;
    p->t = field_mul(p->x, p->y);
    return (__mmask8)(bad | ~square | mpc_psi_field_negative(p->t) | mpc_psi_field_zero(p->y));
}

/* RFC 9496, 4.3.2; bits of those that are neutral. */
static __mmask8 encode(uint8_t z[FIELD_LANES][32], const struct point *p)
{
    struct field u1 = field_mul(field_add(p->z, p->y), field_sub(p->z, p->y));
    struct field u2 = field_mul(p->x, p->y), root, den1, den2, z_inv, x, y, i, den;
    __mmask8 rotate;

    (void)mpc_psi_field_root(&root, field_small(1), field_mul(u1, field_square(u2)));
    den1 = field_mul(root, u1);
    den2 = field_mul(root, u2);
    z_inv = field_mul(field_mul(den1, den2), p->t);
    rotate = mpc_psi_field_negative(field_mul(p->t, z_inv));
    i = field_const(sqrt_m1);
    x = field_pick(p->x, rotate, field_mul(p->y, i));
    y = field_pick(p->y, rotate, field_mul(p->x, i));
    den = field_pick(den2, rotate, field_mul(den1, field_const(invsqrt_a_minus_d)));
    y = field_pick(y, mpc_psi_field_negative(field_mul(x, z_inv)), field_neg(y));
    x = mpc_psi_field_abs(field_mul(den, field_sub(p->z, y)));
    mpc_psi_field_store(z, x);
    return mpc_psi_field_zero(x);
}

/* RFC 9496, 4.3.4, MAP. */
static void map(struct point *p, const uint8_t h[FIELD_LANES][32])
{
    struct field one = field_small(1), t = mpc_psi_field_load(h), dd = field_const(d);
    struct field r = field_mul(field_const(sqrt_m1), field_square(t)), u, v, s, other, c, n, ss;
    struct field w0, w1, w2, w3;
    __mmask8 square;

    u = field_mul(field_add(r, one), field_const(one_minus_d_sq));
    v = field_mul(field_sub(field_neg(one), field_mul(r, dd)), field_add(r, dd));
    square = mpc_psi_field_root(&s, u, v);
    other = field_neg(mpc_psi_field_abs(field_mul(s, t)));
    s = field_pick(other, square, s);
    c = field_pick(r, square, field_neg(one));
    n = field_mul(field_mul(c, field_sub(r, one)), field_const(d_minus_one_sq));
    n = field_sub(n, v);
    ss = field_square(s);
    w0 = field_mul(field_add(s, s), v);
    w1 = field_mul(n, field_const(sqrt_ad_minus_one));
    w2 = field_sub(one, ss);
    w3 = field_add(one, ss);
    p->x = field_mul(w0, w3);
    p->y = field_mul(w2, w1);
    p->z = field_mul(w1, w3);
    p->t = field_mul(w0, w2);
}

static unsigned ifma_times(uint8_t z[][32], const uint8_t x[][32], size_t n,
                           const uint8_t scalar[32])
{
    uint8_t all[FIELD_LANES][32] = {{0}};
    struct point p;
    __mmask8 bad;

    memcpy(all, x, 32 * n);
    bad = decode(&p, (const uint8_t(*)[32])all);
    multiply(&p, scalar);
    bad = (__mmask8)(bad | encode(all, &p));
    memcpy(z, all, 32 * n);
    base_wipe(all, sizeof all);
    base_wipe(&p, sizeof p);
    return bad & ((1u << n) - 1);
}

static unsigned ifma_times_derived(uint8_t z[][32], const uint8_t h[][64], size_t n,
                                   const uint8_t scalar[32])
{
    uint8_t half[FIELD_LANES][32] = {{0}};
    struct point p, other;
    struct addend q;
    __mmask8 bad;

    for (size_t i = 0; i < n; i++)
        memcpy(half[i], h[i], 32);
    map(&p, (const uint8_t(*)[32])half);
    for (size_t i = 0; i < n; i++)
        memcpy(half[i], h[i] + 32, 32);
    map(&other, (const uint8_t(*)[32])half);
    addend_of(&q, &other);
    point_add(&p, &q, ALL_FOUR);
    multiply(&p, scalar);
    bad = encode(half, &p);
    memcpy(z, half, 32 * n);
    base_wipe(half, sizeof half);
    base_wipe(&p, sizeof p);
    base_wipe(&other, sizeof other);
    base_wipe(&q, sizeof q);
    return bad & ((1u << n) - 1);
}

const struct mpc_psi_curve mpc_psi_curve_ifma = {"ifma", ifma_times, ifma_times_derived};
