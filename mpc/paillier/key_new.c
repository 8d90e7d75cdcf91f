/* Key generation: key.h says which primes each kind takes. */
#include <assert.h>

#include "base/secret.h"
#include "mpc/paillier/key_own.h"
#include "mpc/paillier/limbs.h"

/* Half-length primes of one kind, p = 3 mod 4. */
static fm_status prime_of_half(mpz_t p, unsigned bits, struct base_err *err)
{
    return mpc_pai_prime_new(p, bits / 2, MPC_PAI_BLUM, err);
}

/* A divisor between 3 and 2^11: most candidates end here, before any power is taken. */
static int small_factor(const mpz_t v)
{
    for (unsigned long d = 3; d < 1 << 11; d += 2)
        if (mpz_fdiv_ui(v, d) == 0)
            return 1;
    return 0;
}

/* p1 of sub_bits bits, odd, its two top bits set, and p = 2 p1 c + 1. */
static fm_status draw_candidate(mpz_t p1, mpz_t p, const mpz_t c, unsigned sub_bits,
                                struct base_err *err)
{
    mp_limb_t limbs[MPC_PAI_MAX_LIMBS / 2] = {0};
    fm_status st = mpc_pai_limbs_random_bits(limbs, sub_bits, base_random_system(), err);

    mpc_pai_mpz_from_limbs(p1, limbs, (sub_bits + 63) / 64);
    mpz_setbit(p1, 0);
    mpz_setbit(p1, sub_bits - 1);
    mpz_setbit(p1, sub_bits - 2);
    mpz_mul(p, p1, c);
    mpz_mul_2exp(p, p, 1);
    mpz_add_ui(p, p, 1);
    base_wipe(limbs, sizeof limbs);
    return st;
}

/* p = 2 p1 c + 1 of bits bits, p1 and c prime, p1 of sub_bits: c is drawn once, p1 until p is
 * prime with its two top bits set. Ma, Han, Lei, section 3.1. */
static fm_status prime_with_subgroup(mpz_t p, mpz_t c, unsigned bits, unsigned sub_bits,
                                     struct base_err *err)
{
    mpz_t p1;
    fm_status st;

    mpz_init(p1);
    st = mpc_pai_prime_new(c, bits - sub_bits - 1, MPC_PAI_BLUM, err);
    while (st == FM_OK) {
        st = draw_candidate(p1, p, c, sub_bits, err);
        if (st == FM_OK && mpz_sizeinbase(p, 2) == bits && mpz_tstbit(p, bits - 2) &&
            !small_factor(p1) && !small_factor(p) && mpz_probab_prime_p(p1, 40) > 0 &&
            mpz_probab_prime_p(p, 40) > 0)
            break;
    }
    mpz_clear(p1);
    return st;
}

/* Too close primes fall to Fermat (FIPS 186-5, A.1.3); gcd(p-1, q-1) = 2 makes -y^2 reach all of
 * the group that djn and sub need, and is no loss for std. */
static int good_pair(const mpz_t p, const mpz_t q, unsigned bits)
{
    mpz_t a, b;
    int good;

    mpz_inits(a, b, NULL);
    mpz_sub(a, p, q);
    good = mpz_sizeinbase(a, 2) > (bits > 512 ? bits / 2 - 100 : bits / 4) && mpz_sgn(a) != 0;
    mpz_sub_ui(a, p, 1);
    mpz_sub_ui(b, q, 1);
    mpz_gcd(a, a, b);
    good = good && mpz_cmp_ui(a, 2) == 0;
    mpz_mul(a, p, q);
    good = good && mpz_sizeinbase(a, 2) == bits;
    mpz_clears(a, b, NULL);
    return good;
}

fm_status mpc_pai_primes_new(mpz_t p, mpz_t q, mpz_t cofactor, unsigned bits,
                             enum mpc_pai_kind kind, struct base_err *err)
{
    unsigned sub = mpc_pai_sub_exponent_bits(bits) / 2;
    mpz_t c;
    fm_status st;

    assert(bits >= 256 && bits % 128 == 0);
    mpc_pai_gmp_init();
    if (bits < 2048) /* small keys of tests: in proportion */
        sub = bits / 8;
    mpz_init(c);
    do {
        if (kind == MPC_PAI_SUB) {
            st = prime_with_subgroup(p, cofactor, bits / 2, sub, err);
            if (st == FM_OK)
                st = prime_with_subgroup(q, c, bits / 2, sub, err);
            mpz_mul(cofactor, cofactor, c);
        } else {
            st = prime_of_half(p, bits, err);
            if (st == FM_OK)
                st = prime_of_half(q, bits, err);
        }
    } while (st == FM_OK && !good_pair(p, q, bits));
    mpz_clear(c);
    return st;
}

fm_status mpc_pai_blinding_base(mpz_t h, const mpz_t n, const mpz_t b, struct base_err *err)
{
    mp_limb_t limbs[MPC_PAI_MAX_LIMBS], m[MPC_PAI_MAX_LIMBS];
    fm_status st = FM_OK;
    mpz_t y;

    mpz_init(y);
    mpc_pai_limbs_from_mpz(m, MPC_PAI_MAX_LIMBS, n);
    do { /* y is secret with b, and a y that is no unit is one factoring away */
        st = mpc_pai_limbs_random_below(limbs, m, mpz_sizeinbase(n, 2), base_random_system(), err);
        mpc_pai_mpz_from_limbs(h, limbs, mpz_size(n));
        mpz_gcd(y, h, n);
    } while (st == FM_OK && mpz_cmp_ui(y, 1) != 0);
    if (st == FM_OK) {
        mpz_set(y, h);
        if (mpz_cmp_ui(b, 1) > 0)
            mpz_powm_sec(y, y, b, n);
        mpz_mul(h, y, y);
        mpz_neg(h, h);
        mpz_mod(h, h, n);
    }
    mpz_clear(y);
    return st;
}

/* Primes, modulus, base and secret of one kind; n and h are the caller's. */
static fm_status parts_new(mpz_t n, mpz_t h, struct mpc_pai_secret **secret, unsigned bits,
                           enum mpc_pai_kind kind, struct base_err *err)
{
    mpz_t p, q, b;
    fm_status st;

    *secret = NULL;
    if (mpc_pai_check_bits(bits, err) != FM_OK)
        return err->code;
    mpz_inits(p, q, NULL);
    mpz_init_set_ui(b, 1);
    st = mpc_pai_primes_new(p, q, b, bits, kind, err);
    mpz_mul(n, p, q);
    if (st == FM_OK)
        st = mpc_pai_blinding_base(h, n, b, err);
    if (st == FM_OK)
        st = mpc_pai_secret_make(secret, p, q, NULL, err);
    mpz_clears(p, q, b, NULL);
    return st;
}

static fm_status generate(struct mpc_pai_any *key, struct mpc_pai_secret **secret, unsigned bits,
                          enum mpc_pai_kind kind, struct base_err *err)
{
    mpz_t n, h;
    fm_status st;

    *key = (struct mpc_pai_any){0};
    mpc_pai_gmp_init();
    mpz_inits(n, h, NULL);
    st = parts_new(n, h, secret, bits, kind, err);
    if (st == FM_OK)
        st = mpc_pai_any_make(key, kind, n, h, NULL, err);
    mpz_clears(n, h, NULL);
    if (st != FM_OK) {
        mpc_pai_secret_free(*secret);
        *secret = NULL;
    }
    return st;
}

fm_status mpc_pai_std_generate(struct mpc_pai_std **key, struct mpc_pai_secret **secret,
                               unsigned bits, struct base_err *err)
{
    struct mpc_pai_any made;
    fm_status st = generate(&made, secret, bits, MPC_PAI_STD, err);

    *key = made.std;
    return st;
}

fm_status mpc_pai_djn_generate(struct mpc_pai_djn **key, struct mpc_pai_secret **secret,
                               unsigned bits, struct base_err *err)
{
    struct mpc_pai_any made;
    fm_status st = generate(&made, secret, bits, MPC_PAI_DJN, err);

    *key = made.djn;
    return st;
}

fm_status mpc_pai_sub_generate(struct mpc_pai_sub **key, struct mpc_pai_secret **secret,
                               unsigned bits, struct base_err *err)
{
    struct mpc_pai_any made;
    fm_status st = generate(&made, secret, bits, MPC_PAI_SUB, err);

    *key = made.sub;
    return st;
}
