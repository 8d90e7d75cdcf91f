/* Powers by windows. Tables of secret exponents are scanned, entry by entry; those of public ones
 * are indexed. */
#include "mpc/paillier/ifma_pow.h"

#include <string.h>

#include "base/secret.h"
#include "mpc/paillier/limbs.h"

enum {
    WINDOW = 4, /* secret exponents: 16 entries, scanned; 5 costs more in scanning than it saves */
    ENTRIES = 1 << WINDOW,
    SLIDING = 6, /* public ones: odd powers */
    TOGETHER = 8 /* groups of a dot product that share their squarings */
};

struct mpc_pai_ifma_scratch *mpc_pai_ifma_scratch_new(struct base_err *err)
{
    void *s = mpc_pai_words_new(sizeof(struct mpc_pai_ifma_scratch) / 8);

    if (s == NULL)
        (void)base_err_memory(err, "paillier: scratch");
    return s;
}

void mpc_pai_ifma_scratch_free(struct mpc_pai_ifma_scratch *s)
{
    mpc_pai_words_free((uint64_t *)s, sizeof *s / 8);
}

/* `count` bits of e from bit `at` on. */
static uint64_t window_of(const mp_limb_t *e, size_t bits, size_t at, size_t count)
{
    size_t limb = at / 64, shift = at % 64;
    uint64_t v = e[limb] >> shift;

    if (shift + count > 64 && limb + 1 < (bits + 63) / 64)
        v |= e[limb + 1] << (64 - shift);
    return v & (((uint64_t)1 << count) - 1);
}

/* Each lane's window; step: limbs from one exponent to the next, 0 if all share one. Lanes past the
 * last number get 0. */
static __m512i windows_of(const mp_limb_t *e, size_t step, size_t lanes, size_t bits, size_t at,
                          size_t count)
{
    uint64_t w[IFMA_LANES] = {0};
    __m512i all;

    for (size_t i = 0; i < IFMA_LANES; i++)
        if (i < lanes || step == 0)
            w[i] = window_of(e + step * i, bits, at, count);
    all = _mm512_loadu_si512(w);
    base_wipe(w, sizeof w);
    return all;
}

/* table: x^0 ... x^15. */
static void fill(const struct mpc_pai_ifma *c, struct mpc_pai_ifma_scratch *s, __m512i *table,
                 const __m512i *x)
{
    size_t e = 2 * c->l;

    memcpy(table, c->one, e * sizeof *table);
    memcpy(table + e, x, e * sizeof *table);
    for (size_t i = 2; i < ENTRIES; i += 2) {
        mpc_pai_ifma_square(c, s, table + i * e, table + i / 2 * e);
        mpc_pai_ifma_mul(c, s, table + (i + 1) * e, table + i * e, x);
    }
}

/* Digits [from, from + count) of z = entry number `which`, lane by lane; all entries are read. */
static inline __attribute__((always_inline)) void
scan_digits(__m512i *z, const __m512i *table, size_t e, __m512i which, size_t from, int count)
{
    __m512i a[2 * IFMA_TILE];

    _Pragma("GCC unroll 20") for (int i = 0; i < count; i++) a[i] = table[from + (size_t)i];
    for (size_t v = 1; v < ENTRIES; v++) {
        const __m512i *at = table + v * e + from;
        __mmask8 is = _mm512_cmpeq_epi64_mask(which, _mm512_set1_epi64((long long)v));
        _Pragma("GCC unroll 20") for (int i = 0; i < count; i++) a[i] =
            _mm512_mask_mov_epi64(a[i], is, at[i]);
    }
    _Pragma("GCC unroll 20") for (int i = 0; i < count; i++) z[from + (size_t)i] = a[i];
}

/* Twenty digits at a time stay in registers (2 l is a multiple of that), so that each entry's mask
 * is made once for all of them. */
static void scan(const struct mpc_pai_ifma *c, __m512i *z, const __m512i *table, __m512i which)
{
    for (size_t d = 0; d < 2 * c->l; d += 2 * IFMA_TILE)
        scan_digits(z, table, 2 * c->l, which, d, 2 * IFMA_TILE);
}

/* z = z^16, entry = entry number `which`: a quarter of the scan after each squaring, in whose
 * shadow the table comes from the second cache (it and a squaring's numbers do not fit into the
 * first). */
static void square_and_scan(const struct mpc_pai_ifma *c, struct mpc_pai_ifma_scratch *s,
                            __m512i *z, __m512i *entry, const __m512i *table, __m512i which)
{
    size_t e = 2 * c->l, quarter = e / WINDOW;

    for (size_t from = 0; from < e; from += quarter) {
        mpc_pai_ifma_square(c, s, z, z);
        for (size_t d = from; d < from + quarter; d += IFMA_TILE / 2)
            if (quarter % IFMA_TILE != 0)
                scan_digits(entry, table, e, which, d, IFMA_TILE / 2);
            else if ((d - from) % IFMA_TILE == 0)
                scan_digits(entry, table, e, which, d, IFMA_TILE);
    }
}

static void square_times(const struct mpc_pai_ifma *c, struct mpc_pai_ifma_scratch *s, __m512i *z,
                         int times)
{
    for (int i = 0; i < times; i++)
        mpc_pai_ifma_square(c, s, z, z);
}

/* Secret exponents, one for all (step 0) or each its own. */
static fm_status pow_secret(const struct mpc_pai_ring *r, uint64_t *z, const uint64_t *x,
                            const mp_limb_t *e, size_t step, size_t bits, size_t n,
                            struct base_err *err)
{
    const struct mpc_pai_ifma *c = r->own;
    size_t el = 2 * c->l, words = (ENTRIES + 2) * el * IFMA_LANES;
    struct mpc_pai_ifma_scratch *s = mpc_pai_ifma_scratch_new(err);
    __m512i *table = (__m512i *)mpc_pai_words_new(words), *entry = table + ENTRIES * el;
    __m512i *acc = entry + el;
    fm_status st = s != NULL && table != NULL ? FM_OK : base_err_memory(err, "paillier: power");

    for (size_t g = 0; st == FM_OK && g < n; g += IFMA_LANES) {
        size_t at = (bits - 1) / WINDOW * WINDOW, lanes = n - g;
        fill(c, s, table, (const __m512i *)(x + g * el));
        scan(c, acc, table, windows_of(e + step * g, step, lanes, bits, at, WINDOW));
        while (at > 0) {
            at -= WINDOW;
            square_and_scan(c, s, acc, entry, table,
                            windows_of(e + step * g, step, lanes, bits, at, WINDOW));
            mpc_pai_ifma_mul(c, s, acc, acc, entry);
        }
        memcpy(z + g * el, acc, el * sizeof *acc);
    }
    mpc_pai_words_free((uint64_t *)table, words);
    mpc_pai_ifma_scratch_free(s);
    return st;
}

fm_status mpc_pai_ifma_pow(const struct mpc_pai_ring *r, uint64_t *z, const uint64_t *x,
                           const mp_limb_t *e, size_t bits, size_t n, struct base_err *err)
{
    return pow_secret(r, z, x, e, 0, bits, n, err);
}

fm_status mpc_pai_ifma_pow_each(const struct mpc_pai_ring *r, uint64_t *z, const uint64_t *x,
                                const mp_limb_t *e, size_t bits, size_t n, struct base_err *err)
{
    return pow_secret(r, z, x, e, (bits + 63) / 64, bits, n, err);
}

/* Sliding window over a public exponent. table: x, x^3, ..., x^63. */
static void pow_sliding(const struct mpc_pai_ifma *c, struct mpc_pai_ifma_scratch *s, __m512i *acc,
                        __m512i *table, const __m512i *x, const mp_limb_t *e, size_t bits)
{
    size_t el = 2 * c->l;

    mpc_pai_ifma_square(c, s, acc, x);
    memcpy(table, x, el * sizeof *table);
    for (size_t i = 1; i < (size_t)1 << (SLIDING - 1); i++)
        mpc_pai_ifma_mul(c, s, table + i * el, table + (i - 1) * el, acc);
    memcpy(acc, c->one, el * sizeof *acc);
    for (size_t at = bits; at > 0;) { /* bits below `at` are still to come */
        size_t low;
        uint64_t w;
        if (window_of(e, bits, at - 1, 1) == 0) {
            at--;
            mpc_pai_ifma_square(c, s, acc, acc);
            continue;
        }
        low = at > SLIDING ? at - SLIDING : 0;
        while (window_of(e, bits, low, 1) == 0)
            low++;
        w = window_of(e, bits, low, at - low);
        square_times(c, s, acc, (int)(at - low));
        mpc_pai_ifma_mul(c, s, acc, acc, table + (size_t)(w >> 1) * el);
        at = low;
    }
}

fm_status mpc_pai_ifma_pow_public(const struct mpc_pai_ring *r, uint64_t *z, const uint64_t *x,
                                  const mp_limb_t *e, size_t bits, size_t n, struct base_err *err)
{
    const struct mpc_pai_ifma *c = r->own;
    size_t el = 2 * c->l, odd = (size_t)1 << (SLIDING - 1), words = (odd + 1) * el * IFMA_LANES;
    struct mpc_pai_ifma_scratch *s = mpc_pai_ifma_scratch_new(err);
    __m512i *table = (__m512i *)mpc_pai_words_new(words), *acc = table + odd * el;
    fm_status st = s != NULL && table != NULL ? FM_OK : base_err_memory(err, "paillier: power");

    while (bits > 1 && window_of(e, bits, bits - 1, 1) == 0)
        bits--; /* public: leading zeros cost nothing */
    for (size_t g = 0; st == FM_OK && g < n; g += IFMA_LANES) {
        pow_sliding(c, s, acc, table, (const __m512i *)(x + g * el), e, bits);
        memcpy(z + g * el, acc, el * sizeof *acc);
    }
    mpc_pai_words_free((uint64_t *)table, words);
    mpc_pai_ifma_scratch_free(s);
    return st;
}

/* Terms of products, each a group of eight: the next one `apart` numbers on, with `fewer` lanes
 * less. */
struct terms {
    const uint64_t *x;
    const mp_limb_t *e;
    size_t bits, count, apart, lanes, fewer;
};

/* acc *= product over the terms of x^e, lane by lane (Straus: the squarings are shared). tables:
 * room for so many, entry and sum for one element each. */
static void dot_chunk(const struct mpc_pai_ifma *c, struct mpc_pai_ifma_scratch *s, __m512i *acc,
                      __m512i *tables, const struct terms *p)
{
    size_t el = 2 * c->l, step = (p->bits + 63) / 64;
    __m512i *entry = tables + TOGETHER * ENTRIES * el, *sum = entry + el;

    for (size_t t = 0; t < p->count; t++)
        fill(c, s, tables + t * ENTRIES * el, (const __m512i *)(p->x + t * p->apart * el));
    memcpy(sum, c->one, el * sizeof *sum);
    for (size_t at = (p->bits + WINDOW - 1) / WINDOW * WINDOW; at > 0;) {
        at -= WINDOW;
        square_times(c, s, sum, WINDOW);
        for (size_t t = 0; t < p->count; t++) {
            scan(c, entry, tables + t * ENTRIES * el,
                 windows_of(p->e + step * t * p->apart, step, p->lanes - t * p->fewer, p->bits, at,
                            WINDOW));
            mpc_pai_ifma_mul(c, s, sum, sum, entry);
        }
    }
    mpc_pai_ifma_mul(c, s, acc, acc, sum);
}

/* Lane 0 of z = product of all lanes. */
static void fold_lanes(const struct mpc_pai_ifma *c, struct mpc_pai_ifma_scratch *s, __m512i *z,
                       __m512i *other)
{
    for (int by = IFMA_LANES / 2; by > 0; by /= 2) {
        __m512i index =
            _mm512_add_epi64(_mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0), _mm512_set1_epi64(by));
        for (size_t d = 0; d < 2 * c->l; d++)
            other[d] = _mm512_permutexvar_epi64(index, z[d]);
        mpc_pai_ifma_mul(c, s, z, z, other);
    }
}

/* acc = the product of all terms, TOGETHER at a time. */
static void dot_all(const struct mpc_pai_ifma *c, struct mpc_pai_ifma_scratch *s, __m512i *acc,
                    __m512i *tables, const struct terms *all)
{
    size_t el = 2 * c->l, step = (all->bits + 63) / 64;

    memcpy(acc, c->one, el * sizeof *acc);
    for (size_t t = 0; t < all->count; t += TOGETHER) {
        struct terms p = *all;
        p.x += t * p.apart * el, p.e += t * p.apart * step, p.lanes -= t * p.fewer;
        p.count = all->count - t < TOGETHER ? all->count - t : TOGETHER;
        dot_chunk(c, s, acc, tables, &p);
    }
}

/* z: one number, or as many as stand in a row (n of terms * n numbers). */
static fm_status dot_rows(const struct mpc_pai_ring *r, uint64_t *z, const struct terms *all,
                          size_t n, struct base_err *err)
{
    const struct mpc_pai_ifma *c = r->own;
    size_t el = 2 * c->l, step = (all->bits + 63) / 64;
    size_t words = (TOGETHER * ENTRIES + 3) * el * IFMA_LANES;
    struct mpc_pai_ifma_scratch *s = mpc_pai_ifma_scratch_new(err);
    __m512i *tables = (__m512i *)mpc_pai_words_new(words);
    __m512i *acc = tables + (TOGETHER * ENTRIES + 2) * el;
    fm_status st =
        s != NULL && tables != NULL ? FM_OK : base_err_memory(err, "paillier: dot product");

    for (size_t g = 0; st == FM_OK && g < n; g += IFMA_LANES) {
        struct terms mine = *all;
        mine.x += g * el, mine.e += g * step;
        if (all->fewer == 0)
            mine.lanes = n - g;
        dot_all(c, s, acc, tables, &mine);
        if (all->fewer != 0)
            fold_lanes(c, s, acc, tables);
        memcpy(z + g * el, acc, el * sizeof *acc);
    }
    mpc_pai_words_free((uint64_t *)tables, words);
    mpc_pai_ifma_scratch_free(s);
    return st;
}

fm_status mpc_pai_ifma_dot(const struct mpc_pai_ring *r, uint64_t *z, const uint64_t *x,
                           const mp_limb_t *e, size_t bits, size_t n, struct base_err *err)
{
    struct terms all = {x, e, bits, (n + IFMA_LANES - 1) / IFMA_LANES, IFMA_LANES, n, IFMA_LANES};

    return dot_rows(r, z, &all, 1, err);
}

fm_status mpc_pai_ifma_dots(const struct mpc_pai_ring *r, uint64_t *z, const uint64_t *x,
                            const mp_limb_t *e, size_t bits, size_t n, size_t terms,
                            struct base_err *err)
{
    struct terms all = {x, e, bits, terms, n, n, 0};

    return dot_rows(r, z, &all, n, err);
}
