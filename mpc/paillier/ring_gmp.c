/* The engine for every machine: elements are 2 k limbs, canonical; mpn_sec_* wherever a value may
 * be secret. */
#include <string.h>

#include "mpc/paillier/limbs.h"
#include "mpc/paillier/ring.h"

enum { TABLE_WINDOW = 5, TABLE_ENTRIES = 1 << TABLE_WINDOW };

static fm_status gmp_prepare(struct mpc_pai_ring *r, struct base_err *err)
{
    (void)r;
    (void)err;
    return FM_OK;
}

static void gmp_release(struct mpc_pai_ring *r)
{
    (void)r;
}

static size_t gmp_words(const struct mpc_pai_ring *r, size_t n)
{
    return 2 * r->k * n;
}

static fm_status gmp_load(const struct mpc_pai_ring *r, uint64_t *z, const mp_limb_t *x,
                          size_t limbs, size_t n, struct base_err *err)
{
    size_t k2 = 2 * r->k;

    for (size_t i = 0; i < n; i++) {
        uint64_t *to = z + k2 * i;
        memset(to, 0, k2 * sizeof *to);
        if (limbs < r->k2)
            memcpy(to, x + limbs * i, limbs * sizeof *to);
        else if (mpc_pai_limbs_mod(to, x + limbs * i, limbs, r->m2, r->k2, err) != FM_OK)
            return err->code;
    }
    return FM_OK;
}

static fm_status gmp_store(const struct mpc_pai_ring *r, mp_limb_t *lo, mp_limb_t *hi,
                           const uint64_t *z, size_t n, struct base_err *err)
{
    mp_size_t k = (mp_size_t)r->k;
    size_t words = 2 * r->k + 1 + (size_t)mpn_sec_div_qr_itch(2 * k, k);
    uint64_t *t = mpc_pai_words_new(words);

    if (t == NULL)
        return base_err_memory(err, "paillier: store");
    for (size_t i = 0; i < n; i++) { /* below m^2, so the quotient is below m: its top limb is 0 */
        memcpy(t, z + 2 * r->k * i, 2 * r->k * sizeof *t);
        (void)mpn_sec_div_qr(hi + r->k * i, t, 2 * k, r->m, k, t + 2 * r->k + 1);
        memcpy(lo + r->k * i, t, r->k * sizeof *lo);
    }
    mpc_pai_words_free(t, words);
    return FM_OK;
}

static void gmp_move(const struct mpc_pai_ring *r, uint64_t *z, size_t i, const uint64_t *x,
                     size_t j)
{
    memmove(z + 2 * r->k * i, x + 2 * r->k * j, 2 * r->k * sizeof *z);
}

static void gmp_pick(const struct mpc_pai_ring *r, uint64_t *z, const uint64_t *x,
                     const uint64_t *mask, size_t n)
{
    for (size_t i = 0; i < n; i++)
        mpc_pai_limbs_pick(z + 2 * r->k * i, x + 2 * r->k * i, 2 * r->k, mask[i]);
}

static size_t mul_scratch(const struct mpc_pai_ring *r)
{
    mp_size_t s = (mp_size_t)r->k2;
    mp_size_t a = mpn_sec_mul_itch(s, s), b = mpn_sec_div_r_itch(2 * s, s);

    return 2 * r->k2 + (size_t)(a > b ? a : b);
}

/* z = x y; t: mul_scratch() words. */
static void mul_one(const struct mpc_pai_ring *r, uint64_t *z, const uint64_t *x, const uint64_t *y,
                    uint64_t *t)
{
    mp_size_t s = (mp_size_t)r->k2;

    mpn_sec_mul(t, x, s, y, s, t + 2 * s);
    mpn_sec_div_r(t, 2 * s, r->m2, s, t + 2 * s);
    memcpy(z, t, r->k2 * sizeof *z);
}

static fm_status gmp_mul(const struct mpc_pai_ring *r, uint64_t *z, const uint64_t *x,
                         const uint64_t *y, size_t n, struct base_err *err)
{
    size_t words = mul_scratch(r), k2 = 2 * r->k;
    uint64_t *t = mpc_pai_words_new(words);

    if (t == NULL)
        return base_err_memory(err, "paillier: product");
    for (size_t i = 0; i < n; i++)
        mul_one(r, z + k2 * i, x + k2 * i, y + k2 * i, t);
    mpc_pai_words_free(t, words);
    return FM_OK;
}

static fm_status gmp_mul_var(const struct mpc_pai_ring *r, uint64_t *z, const uint64_t *x,
                             const uint64_t *y, size_t n, struct base_err *err)
{
    mp_size_t s = (mp_size_t)r->k2;
    size_t words = 3 * r->k2 + 1, k2 = 2 * r->k;
    uint64_t *t = mpc_pai_words_new(words);

    if (t == NULL)
        return base_err_memory(err, "paillier: product");
    for (size_t i = 0; i < n; i++) {
        mpn_mul_n(t, x + k2 * i, y + k2 * i, s);
        mpn_tdiv_qr(t + 2 * s, z + k2 * i, 0, t, 2 * s, r->m2, s);
    }
    mpc_pai_words_free(t, words);
    return FM_OK;
}

/* One exponent for all (step 0) or each its own (step: limbs of one). */
static fm_status pow_stepped(const struct mpc_pai_ring *r, uint64_t *z, const uint64_t *x,
                             const mp_limb_t *e, size_t step, size_t bits, size_t n,
                             struct base_err *err)
{
    mp_size_t s = (mp_size_t)r->k2;
    size_t itch = (size_t)mpn_sec_powm_itch(s, bits, s), words = r->k2 + itch;
    uint64_t *t = mpc_pai_words_new(words);

    if (t == NULL)
        return base_err_memory(err, "paillier: power");
    for (size_t i = 0; i < n; i++) {
        mpn_sec_powm(t, x + 2 * r->k * i, s, e + step * i, bits, r->m2, s, t + r->k2);
        memcpy(z + 2 * r->k * i, t, r->k2 * sizeof *z);
    }
    mpc_pai_words_free(t, words);
    return FM_OK;
}

static fm_status gmp_pow(const struct mpc_pai_ring *r, uint64_t *z, const uint64_t *x,
                         const mp_limb_t *e, size_t bits, size_t n, struct base_err *err)
{
    return pow_stepped(r, z, x, e, 0, bits, n, err);
}

static fm_status gmp_pow_each(const struct mpc_pai_ring *r, uint64_t *z, const uint64_t *x,
                              const mp_limb_t *e, size_t bits, size_t n, struct base_err *err)
{
    return pow_stepped(r, z, x, e, (bits + 63) / 64, bits, n, err);
}

static fm_status gmp_dots(const struct mpc_pai_ring *r, uint64_t *z, const uint64_t *x,
                          const mp_limb_t *e, size_t bits, size_t n, size_t terms,
                          struct base_err *err)
{
    size_t words = 2 * r->k;
    uint64_t *t = mpc_pai_words_new(words);
    fm_status st = FM_OK;

    if (t == NULL)
        return base_err_memory(err, "paillier: dot product");
    for (size_t i = 0; i < n; i++)
        memcpy(z + words * i, r->one, words * sizeof *z);
    for (size_t i = 0; st == FM_OK && i < n * terms; i++) {
        st = pow_stepped(r, t, x + words * i, e + (bits + 63) / 64 * i, 0, bits, 1, err);
        if (st == FM_OK)
            st = gmp_mul(r, z + words * (i % n), z + words * (i % n), t, 1, err);
    }
    mpc_pai_words_free(t, words);
    return st;
}

static fm_status gmp_dot(const struct mpc_pai_ring *r, uint64_t *z, const uint64_t *x,
                         const mp_limb_t *e, size_t bits, size_t n, struct base_err *err)
{
    return gmp_dots(r, z, x, e, bits, 1, n, err);
}

/* Row j holds base^(v 2^(w j)) for 0 <= v < 2^w: an exponent of b bits takes b / w products. */
static fm_status gmp_table_new(const struct mpc_pai_ring *r, struct mpc_pai_table *t,
                               const mp_limb_t *base, struct base_err *err)
{
    size_t rows = (t->bits + TABLE_WINDOW - 1) / TABLE_WINDOW, e = 2 * r->k;
    uint64_t *step = mpc_pai_words_new(e);
    fm_status st = FM_OK;

    t->words = rows * TABLE_ENTRIES * e;
    t->w = mpc_pai_words_new(t->words);
    if (t->w == NULL || step == NULL)
        st = base_err_memory(err, "paillier: table");
    else
        memcpy(step, base, e * sizeof *step);
    for (size_t j = 0; st == FM_OK && j < rows; j++) {
        uint64_t *row = t->w + j * TABLE_ENTRIES * e;
        memcpy(row, r->one, e * sizeof *row);
        for (size_t v = 1; st == FM_OK && v < TABLE_ENTRIES; v++)
            st = gmp_mul_var(r, row + v * e, row + (v - 1) * e, step, 1, err);
        if (st == FM_OK)
            st = gmp_mul_var(r, step, row + (TABLE_ENTRIES - 1) * e, step, 1, err);
    }
    mpc_pai_words_free(step, e);
    return st;
}

/* `count` bits of e from bit `at`; bits past the end are 0. Where they are is public. */
static mp_limb_t window_of(const mp_limb_t *e, size_t bits, size_t at, size_t count)
{
    size_t limb = at / 64, shift = at % 64;
    mp_limb_t v = e[limb] >> shift;

    if (shift + count > 64 && limb + 1 < (bits + 63) / 64)
        v |= e[limb + 1] << (64 - shift);
    return v & (((mp_limb_t)1 << count) - 1);
}

static fm_status gmp_table_pow(const struct mpc_pai_table *t, uint64_t *z, const mp_limb_t *e,
                               size_t n, struct base_err *err)
{
    const struct mpc_pai_ring *r = t->ring;
    size_t el = 2 * r->k, words = el + mul_scratch(r);
    uint64_t *s = mpc_pai_words_new(words);

    if (s == NULL)
        return base_err_memory(err, "paillier: table");
    for (size_t i = 0; i < n; i++) {
        const mp_limb_t *mine = e + (t->bits + 63) / 64 * i;
        const uint64_t *row = t->w;
        memcpy(z + el * i, r->one, el * sizeof *z);
        for (size_t at = 0; at < t->bits; at += TABLE_WINDOW, row += TABLE_ENTRIES * el) {
            mpn_sec_tabselect(s, row, (mp_size_t)el, TABLE_ENTRIES,
                              (mp_size_t)window_of(mine, t->bits, at, TABLE_WINDOW));
            mul_one(r, z + el * i, z + el * i, s, s + el);
        }
    }
    mpc_pai_words_free(s, words);
    return FM_OK;
}

const struct mpc_pai_ring_ops mpc_pai_ring_gmp = {
    .name = "gmp",
    .prepare = gmp_prepare,
    .release = gmp_release,
    .words = gmp_words,
    .load = gmp_load,
    .store = gmp_store,
    .move = gmp_move,
    .pick = gmp_pick,
    .mul = gmp_mul,
    .mul_var = gmp_mul_var,
    .pow = gmp_pow,
    .pow_public = gmp_pow,
    .pow_each = gmp_pow_each,
    .dot = gmp_dot,
    .dots = gmp_dots,
    .table_new = gmp_table_new,
    .table_pow = gmp_table_pow,
};
