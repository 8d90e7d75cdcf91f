/* What a point needs of the field a few times. */
#include "mpc/psi/field_ifma.h"

#include <string.h>

#include "base/bytes.h"
#include "base/secret.h"

static const uint64_t sqrt_m1[] = {0x61b274a0ea0b0, 0x0d5a5fc8f189d, 0x7ef5e9cbd0c60,
                                   0x78595a6804c9e, 0x2b8324804fc1d};

/* Digits carried one after the other: each below 2^51; what passes 2^255. */
static __m512i carry_along(struct field *x)
{
    __m512i c = _mm512_setzero_si512();

    for (int i = 0; i < FIELD_DIGITS; i++) {
        x->v[i] = _mm512_add_epi64(x->v[i], c);
        c = _mm512_srli_epi64(x->v[i], FIELD_BITS);
        x->v[i] = _mm512_and_si512(x->v[i], field_set(FIELD_MASK));
    }
    return c;
}

/* Carried along once, x < 2^255 + 19 < 2 p; and x >= p exactly where x + 19 reaches 2^255. */
struct field mpc_psi_field_canonical(struct field x)
{
    __m512i c = carry_along(&x);

    x.v[0] = _mm512_madd52lo_epu64(x.v[0], c, field_set(19));
    c = field_set(19);
    for (int i = 0; i < FIELD_DIGITS; i++)
        c = _mm512_srli_epi64(_mm512_add_epi64(x.v[i], c), FIELD_BITS);
    x.v[0] = _mm512_madd52lo_epu64(x.v[0], c, field_set(19));
    (void)carry_along(&x);
    return x;
}

__mmask8 mpc_psi_field_zero(struct field x)
{
    __m512i any = _mm512_setzero_si512();

    x = mpc_psi_field_canonical(x);
    for (int i = 0; i < FIELD_DIGITS; i++)
        any = _mm512_or_si512(any, x.v[i]);
    return _mm512_testn_epi64_mask(any, any);
}

__mmask8 mpc_psi_field_negative(struct field x)
{
    return _mm512_test_epi64_mask(mpc_psi_field_canonical(x).v[0], field_set(1));
}

struct field mpc_psi_field_abs(struct field x)
{
    return field_pick(x, mpc_psi_field_negative(x), field_neg(x));
}

static struct field squares(struct field x, int times)
{
    for (int i = 0; i < times; i++)
        x = field_square(x);
    return x;
}

/* x^((p - 5) / 8) = x^(2^252 - 3). */
static struct field power(struct field x)
{
    struct field x2 = field_square(x), x9 = field_mul(x, squares(x2, 2)), x11 = field_mul(x2, x9);
    struct field p5 = field_mul(x9, field_square(x11)); /* x^(2^5 - 1), and so on */
    struct field p10 = field_mul(squares(p5, 5), p5), p20 = field_mul(squares(p10, 10), p10);
    struct field p40 = field_mul(squares(p20, 20), p20), p50 = field_mul(squares(p40, 10), p10);
    struct field p100 = field_mul(squares(p50, 50), p50);
    struct field p200 = field_mul(squares(p100, 100), p100);
    struct field p250 = field_mul(squares(p200, 50), p50);

    return field_mul(squares(p250, 2), x);
}

__mmask8 mpc_psi_field_root(struct field *z, struct field u, struct field v)
{
    struct field i = field_const(sqrt_m1), v3 = field_mul(field_square(v), v), uv3, r, check;
    __mmask8 right, flipped, flipped_i;

    uv3 = field_mul(u, v3);
    r = field_mul(uv3, power(field_mul(field_mul(uv3, v3), v)));
    check = field_mul(v, field_square(r));
    right = mpc_psi_field_zero(field_sub(check, u));
    flipped = mpc_psi_field_zero(field_add(check, u));
    flipped_i = mpc_psi_field_zero(field_add(check, field_mul(u, i)));
    r = field_pick(r, (__mmask8)(flipped | flipped_i), field_mul(r, i));
    *z = mpc_psi_field_abs(r);
    return (__mmask8)(right | flipped);
}

struct field mpc_psi_field_load(const uint8_t x[FIELD_LANES][32])
{
    uint64_t w[FIELD_DIGITS][FIELD_LANES];
    struct field z;

    for (int lane = 0; lane < FIELD_LANES; lane++) {
        uint64_t a[4];
        memcpy(a, x[lane], sizeof a);
        w[0][lane] = a[0] & FIELD_MASK;
        w[1][lane] = (a[0] >> 51 | a[1] << 13) & FIELD_MASK;
        w[2][lane] = (a[1] >> 38 | a[2] << 26) & FIELD_MASK;
        w[3][lane] = (a[2] >> 25 | a[3] << 39) & FIELD_MASK;
        w[4][lane] = a[3] >> 12 & FIELD_MASK;
    }
    for (int i = 0; i < FIELD_DIGITS; i++)
        z.v[i] = _mm512_loadu_si512(w[i]);
    base_wipe(w, sizeof w);
    return z;
}

void mpc_psi_field_store(uint8_t z[FIELD_LANES][32], struct field x)
{
    uint64_t w[FIELD_DIGITS][FIELD_LANES];

    x = mpc_psi_field_canonical(x);
    for (int i = 0; i < FIELD_DIGITS; i++)
        _mm512_storeu_si512(w[i], x.v[i]);
    for (int lane = 0; lane < FIELD_LANES; lane++) {
        const uint64_t a[4] = {w[0][lane] | w[1][lane] << 51, w[1][lane] >> 13 | w[2][lane] << 38,
                               w[2][lane] >> 26 | w[3][lane] << 25,
                               w[3][lane] >> 39 | w[4][lane] << 12};
        memcpy(z[lane], a, sizeof a);
    }
    base_wipe(w, sizeof w);
}
