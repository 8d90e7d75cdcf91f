/* Keys as bytes, and what is refused. */
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "mpc/paillier/key_own.h"
#include "mpc/paillier/limbs.h"

enum { SMALL_FACTORS = 65536, PRIME_ROUNDS = 40 };

static void put_mpz(struct base_buf *out, const mpz_t v, size_t len)
{
    mp_limb_t limbs[MPC_PAI_MAX_LIMBS];
    uint8_t *to = base_buf_extend(out, len);

    mpc_pai_limbs_from_mpz(limbs, MPC_PAI_MAX_LIMBS, v);
    if (to != NULL)
        mpc_pai_limbs_store(to, len, limbs, MPC_PAI_MAX_LIMBS);
}

static void put_head(struct base_buf *out, unsigned kind, unsigned bits)
{
    base_buf_put_u8(out, MPC_PAI_VERSION);
    base_buf_put_u8(out, (uint8_t)kind);
    base_buf_put_u16(out, (uint16_t)bits);
}

fm_status mpc_pai_std_put(struct base_buf *out, const struct mpc_pai_std *key, struct base_err *err)
{
    put_head(out, MPC_PAI_STD, key->n.bits);
    put_mpz(out, key->n.n, key->n.bits / 8);
    return base_buf_status(out, "paillier: key", err);
}

static fm_status short_put(struct base_buf *out, const struct mpc_pai_short *key, unsigned kind,
                           struct base_err *err)
{
    put_head(out, kind, key->std.n.bits);
    put_mpz(out, key->std.n.n, key->std.n.bits / 8);
    put_mpz(out, key->h, key->std.n.bits / 8);
    return base_buf_status(out, "paillier: key", err);
}

fm_status mpc_pai_djn_put(struct base_buf *out, const struct mpc_pai_djn *key, struct base_err *err)
{
    return short_put(out, &key->s, MPC_PAI_DJN, err);
}

fm_status mpc_pai_sub_put(struct base_buf *out, const struct mpc_pai_sub *key, struct base_err *err)
{
    return short_put(out, &key->s, MPC_PAI_SUB, err);
}

fm_status mpc_pai_secret_put(struct base_buf *out, const struct mpc_pai_secret *secret,
                             struct base_err *err)
{
    size_t len = secret->bits / 16;

    put_head(out, MPC_PAI_KIND_SECRET, secret->bits);
    for (int s = 0; s < 2; s++) {
        uint8_t *to = base_buf_extend(out, len);
        if (to != NULL)
            mpc_pai_limbs_store(to, len, secret->side[s].p2->m, secret->l);
    }
    return base_buf_status(out, "paillier: secret key", err);
}

static fm_status has_small_factor(const mpz_t n, struct base_err *err)
{
    for (unsigned long f = 3; f < SMALL_FACTORS; f += 2)
        if (mpz_divisible_ui_p(n, f) && mpz_cmp_ui(n, f) != 0)
            return base_err_set(err, FM_E_INPUT, "paillier: the modulus is divisible by %lu", f);
    return FM_OK;
}

fm_status mpc_pai_modulus_check(const mpz_t n, unsigned bits, struct base_err *err)
{
    if (mpz_sizeinbase(n, 2) != bits)
        return base_err_set(err, FM_E_INPUT, "paillier: the modulus has %zu bits, not %u",
                            mpz_sizeinbase(n, 2), bits);
    if (mpz_even_p(n))
        return base_err_set(err, FM_E_INPUT, "paillier: the modulus is even");
    if (has_small_factor(n, err) != FM_OK)
        return err->code;
    if (mpz_perfect_power_p(n))
        return base_err_set(err, FM_E_INPUT, "paillier: the modulus is a perfect power");
    if (mpz_probab_prime_p(n, PRIME_ROUNDS))
        return base_err_set(err, FM_E_INPUT, "paillier: the modulus is prime");
    return FM_OK;
}

/* Version, kind and size; the rest must be `numbers` numbers of bits / per bytes each. */
static fm_status get_head(struct base_cur *cur, unsigned *bits, unsigned kind, size_t numbers,
                          unsigned per, struct base_err *err)
{
    unsigned version = base_cur_u8(cur), got = base_cur_u8(cur);

    *bits = base_cur_u16(cur);
    if (cur->bad)
        return base_err_set(err, FM_E_INPUT, "paillier: key: truncated");
    if (version != MPC_PAI_VERSION)
        return base_err_set(err, FM_E_INPUT, "paillier: key of version %u, not %d", version,
                            MPC_PAI_VERSION);
    if (got != kind)
        return base_err_set(err, FM_E_INPUT, "paillier: key of kind %u, not %u", got, kind);
    if (mpc_pai_check_bits(*bits, err) != FM_OK)
        return base_err_set(err, FM_E_INPUT, "paillier: a key of %u bits", *bits);
    if (cur->left != numbers * (*bits / per))
        return base_err_set(err, FM_E_INPUT,
                            "paillier: key of %u bits: %zu bytes of numbers, not %zu", *bits,
                            cur->left, numbers * (*bits / per));
    return FM_OK;
}

static void take_mpz(mpz_t v, struct base_cur *cur, size_t len)
{
    const uint8_t *bytes = base_cur_take(cur, len);

    mpz_set_ui(v, 0);
    if (bytes != NULL)
        mpz_import(v, len, 1, 1, 1, 0, bytes);
}

/* -y^2 has Jacobi symbol (-1 / n) = 1 for a Blum integer, and so has -y^(2b). */
static fm_status check_base(const mpz_t h, const mpz_t n, struct base_err *err)
{
    if (mpz_cmp(h, n) >= 0 || mpz_cmp_ui(h, 1) <= 0 || mpz_jacobi(h, n) != 1)
        return base_err_set(err, FM_E_INPUT, "paillier: the key's h is no unit of Jacobi symbol 1");
    return FM_OK;
}

static fm_status get_any(struct mpc_pai_any *key, enum mpc_pai_kind kind, const void *bytes,
                         size_t len, struct base_err *err)
{
    struct base_cur cur = base_cur_make(bytes, len);
    size_t numbers = kind == MPC_PAI_STD ? 1 : 2;
    unsigned bits;
    fm_status st;
    mpz_t n, h;

    *key = (struct mpc_pai_any){0};
    mpc_pai_gmp_init();
    if (get_head(&cur, &bits, kind, numbers, 8, err) != FM_OK)
        return err->code;
    mpz_inits(n, h, NULL);
    take_mpz(n, &cur, bits / 8);
    if (numbers > 1)
        take_mpz(h, &cur, bits / 8);
    st = mpc_pai_modulus_check(n, bits, err);
    if (st == FM_OK && numbers > 1)
        st = check_base(h, n, err);
    if (st == FM_OK)
        st = mpc_pai_any_make(key, kind, n, h, NULL, err);
    mpz_clears(n, h, NULL);
    return st;
}

fm_status mpc_pai_std_get(struct mpc_pai_std **key, const void *bytes, size_t len,
                          struct base_err *err)
{
    struct mpc_pai_any got;
    fm_status st = get_any(&got, MPC_PAI_STD, bytes, len, err);

    *key = got.std;
    return st;
}

fm_status mpc_pai_djn_get(struct mpc_pai_djn **key, const void *bytes, size_t len,
                          struct base_err *err)
{
    struct mpc_pai_any got;
    fm_status st = get_any(&got, MPC_PAI_DJN, bytes, len, err);

    *key = got.djn;
    return st;
}

fm_status mpc_pai_sub_get(struct mpc_pai_sub **key, const void *bytes, size_t len,
                          struct base_err *err)
{
    struct mpc_pai_any got;
    fm_status st = get_any(&got, MPC_PAI_SUB, bytes, len, err);

    *key = got.sub;
    return st;
}

static fm_status check_primes(const mpz_t p, const mpz_t q, unsigned bits, struct base_err *err)
{
    fm_status st = FM_OK;
    mpz_t d;

    mpz_init(d);
    mpz_sub(d, p, q);
    if (mpz_sizeinbase(p, 2) != bits / 2 || mpz_sizeinbase(q, 2) != bits / 2)
        st = base_err_set(err, FM_E_INPUT, "paillier: a prime is not of %u bits", bits / 2);
    else if (mpz_probab_prime_p(p, PRIME_ROUNDS) == 0 || mpz_probab_prime_p(q, PRIME_ROUNDS) == 0)
        st = base_err_set(err, FM_E_INPUT, "paillier: the secret key's factors are not prime");
    else if (mpz_sgn(d) == 0 || mpz_sizeinbase(d, 2) <= bits / 2 - 100)
        st = base_err_set(err, FM_E_INPUT, "paillier: the secret key's primes are too close");
    mpz_mul(d, p, q);
    if (st == FM_OK && mpz_sizeinbase(d, 2) != bits)
        st = base_err_set(err, FM_E_INPUT, "paillier: the primes' product is not of %u bits", bits);
    mpz_clear(d);
    return st;
}

fm_status mpc_pai_secret_get(struct mpc_pai_secret **secret, const void *bytes, size_t len,
                             struct base_err *err)
{
    struct base_cur cur = base_cur_make(bytes, len);
    unsigned bits;
    fm_status st;
    mpz_t p, q;

    *secret = NULL;
    mpc_pai_gmp_init();
    if (get_head(&cur, &bits, MPC_PAI_KIND_SECRET, 2, 16, err) != FM_OK)
        return err->code;
    mpz_inits(p, q, NULL);
    take_mpz(p, &cur, bits / 16);
    take_mpz(q, &cur, bits / 16);
    st = check_primes(p, q, bits, err);
    if (st == FM_OK)
        st = mpc_pai_secret_make(secret, p, q, NULL, err);
    mpz_clears(p, q, NULL);
    return st;
}
