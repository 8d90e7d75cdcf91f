#include "mpc/paillier/limbs.h"

#include <assert.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

enum { MPC_PAI_PRIME_BYTES = 512 };

static void *gmp_alloc(size_t size)
{
    void *p = malloc(size);

    if (p == NULL) {
        fputs("paillier: out of memory inside GMP\n", stderr);
        abort();
    }
    return p;
}

static void gmp_free(void *p, size_t size)
{
    base_wipe(p, size);
    free(p);
}

static void *gmp_realloc(void *p, size_t old, size_t size)
{
    void *q = gmp_alloc(size);

    memcpy(q, p, old < size ? old : size);
    gmp_free(p, old);
    return q;
}

static void gmp_init_once(void)
{
    mp_set_memory_functions(gmp_alloc, gmp_realloc, gmp_free);
}

void mpc_pai_gmp_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, gmp_init_once);
}

uint64_t *mpc_pai_words_new(size_t words)
{
    size_t bytes;
    uint64_t *p;

    if (words > SIZE_MAX / 16)
        return NULL;
    bytes = (words * 8 + 63) / 64 * 64;
    p = aligned_alloc(64, bytes > 0 ? bytes : 64);
    if (p != NULL)
        memset(p, 0, bytes);
    return p;
}

void mpc_pai_words_free(uint64_t *p, size_t words)
{
    if (p == NULL)
        return;
    base_wipe(p, words * 8);
    free(p);
}

void mpc_pai_limbs_load(mp_limb_t *x, size_t n, const uint8_t *bytes, size_t len)
{
    assert(len <= 8 * n);
    memset(x, 0, n * sizeof *x);
    for (size_t i = 0; i < len; i++)
        x[i / 8] |= (mp_limb_t)bytes[len - 1 - i] << (8 * (i % 8));
}

void mpc_pai_limbs_store(uint8_t *bytes, size_t len, const mp_limb_t *x, size_t n)
{
    for (size_t i = 0; i < len; i++)
        bytes[len - 1 - i] = (uint8_t)(i / 8 < n ? x[i / 8] >> (8 * (i % 8)) & 0xff : 0);
}

void mpc_pai_limbs_from_mpz(mp_limb_t *x, size_t n, const mpz_t v)
{
    size_t size = mpz_size(v);

    assert(size <= n && mpz_sgn(v) >= 0);
    memset(x, 0, n * sizeof *x);
    if (size > 0)
        memcpy(x, mpz_limbs_read(v), size * sizeof *x);
}

void mpc_pai_mpz_from_limbs(mpz_t v, const mp_limb_t *x, size_t n)
{
    mpz_import(v, n, -1, sizeof *x, 0, 0, x);
}

fm_status mpc_pai_limbs_random_bits(mp_limb_t *x, size_t bits, const struct base_random *random,
                                    struct base_err *err)
{
    size_t n = (bits + 63) / 64;

    if (base_random_fill(random, x, n * sizeof *x, err) != FM_OK)
        return err->code;
    if (bits % 64 != 0)
        x[n - 1] &= ((mp_limb_t)1 << (bits % 64)) - 1;
    return FM_OK;
}

fm_status mpc_pai_limbs_random_below(mp_limb_t *x, const mp_limb_t *m, size_t bits,
                                     const struct base_random *random, struct base_err *err)
{
    size_t n = (bits + 63) / 64;
    mp_limb_t ok;

    memset(x, 0, n * sizeof *x);
    do {
        if (mpc_pai_limbs_random_bits(x, bits, random, err) != FM_OK)
            return err->code;
        ok = mpc_pai_limbs_less(x, m, n) & ~mpc_pai_limbs_zero(x, n);
    } while (ok == 0);
    return FM_OK;
}

mp_limb_t mpc_pai_limbs_less(const mp_limb_t *x, const mp_limb_t *y, size_t n)
{
    mp_limb_t borrow = 0;

    for (size_t i = 0; i < n; i++) {
        mp_limb_t d = x[i] - y[i];
        mp_limb_t under = ((~x[i] & y[i]) | (~(x[i] ^ y[i]) & d)) >> 63;
        borrow = under | (((d - borrow) & ~d) >> 63);
    }
    return (mp_limb_t)0 - borrow;
}

mp_limb_t mpc_pai_limbs_zero(const mp_limb_t *x, size_t n)
{
    mp_limb_t any = 0;

    for (size_t i = 0; i < n; i++)
        any |= x[i];
    return ((any | ((mp_limb_t)0 - any)) >> 63) - 1;
}

void mpc_pai_limbs_pick(mp_limb_t *x, const mp_limb_t *y, size_t n, mp_limb_t mask)
{
    for (size_t i = 0; i < n; i++)
        x[i] ^= (x[i] ^ y[i]) & mask;
}

void mpc_pai_limbs_reduce_once(mp_limb_t *x, const mp_limb_t *m, size_t n)
{
    mp_limb_t borrow = mpn_sub_n(x, x, m, (mp_size_t)n);

    (void)mpn_cnd_add_n(borrow, x, x, m, (mp_size_t)n);
}

fm_status mpc_pai_limbs_mod(mp_limb_t *z, const mp_limb_t *x, size_t xn, const mp_limb_t *m,
                            size_t n, struct base_err *err)
{
    mp_size_t xs = (mp_size_t)xn, ns = (mp_size_t)n;
    size_t words = xn + (size_t)mpn_sec_div_r_itch(xs, ns);
    uint64_t *t = mpc_pai_words_new(words);

    if (t == NULL)
        return base_err_memory(err, "paillier: reduction");
    memcpy(t, x, xn * sizeof *x);
    mpn_sec_div_r(t, xs, m, ns, t + xn);
    memcpy(z, t, n * sizeof *z);
    mpc_pai_words_free(t, words);
    return FM_OK;
}

fm_status mpc_pai_limbs_mulmod(mp_limb_t *z, const mp_limb_t *x, const mp_limb_t *y,
                               const mp_limb_t *m, size_t n, struct base_err *err)
{
    mp_size_t s = (mp_size_t)n;
    size_t words = 2 * n + (size_t)mpn_sec_mul_itch(s, s);
    uint64_t *t = mpc_pai_words_new(words);
    fm_status st;

    if (t == NULL)
        return base_err_memory(err, "paillier: product");
    mpn_sec_mul(t, x, s, y, s, t + 2 * n);
    st = mpc_pai_limbs_mod(z, t, 2 * n, m, n, err);
    mpc_pai_words_free(t, words);
    return st;
}

/* OpenSSL sets the two top bits only where no residue is asked for: the residue is waited for. */
static fm_status prime_into(mpz_t p, BIGNUM *bn, unsigned bits, enum mpc_pai_prime kind,
                            struct base_err *err)
{
    uint8_t bytes[MPC_PAI_PRIME_BYTES];
    int len = (int)((bits + 7) / 8);
    fm_status st = FM_OK;

    do {
        if (!BN_generate_prime_ex(bn, (int)bits, kind == MPC_PAI_SAFE, NULL, NULL, NULL) ||
            BN_bn2binpad(bn, bytes, len) != len)
            st = base_err_set(err, FM_E_IO, "paillier: OpenSSL made no prime of %u bits", bits);
    } while (st == FM_OK && bytes[len - 1] % 4 != 3);
    if (st == FM_OK)
        mpz_import(p, (size_t)len, 1, 1, 1, 0, bytes);
    base_wipe(bytes, sizeof bytes);
    return st;
}

fm_status mpc_pai_prime_new(mpz_t p, unsigned bits, enum mpc_pai_prime kind, struct base_err *err)
{
    BIGNUM *bn = BN_secure_new();
    fm_status st;

    assert(bits <= 8 * MPC_PAI_PRIME_BYTES);
    if (bn == NULL)
        return base_err_memory(err, "paillier: prime");
    st = prime_into(p, bn, bits, kind, err);
    BN_clear_free(bn);
    return st;
}
