/* The trusted dealer: threshold.h. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "mpc/paillier/limbs.h"
#include "mpc/paillier/threshold_own.h"

size_t mpc_pai_thr_exponent_bits(unsigned bits)
{
    return 2 * (size_t)bits + MPC_PAI_THR_FACTORIAL_BITS;
}

size_t mpc_pai_thr_answer_bits(unsigned bits)
{
    return mpc_pai_thr_exponent_bits(bits) + MPC_PAI_CHALLENGE_BITS + MPC_PAI_THR_HIDE_BITS + 1;
}

fm_status mpc_pai_thr_alloc(struct mpc_pai_thr **key, const mpz_t n, unsigned t, unsigned parties,
                            const char *dealer, const struct mpc_pai_ring_ops *engine,
                            struct base_err *err)
{
    struct mpc_pai_thr *k = calloc(1, sizeof *k);

    *key = NULL;
    if (k == NULL)
        return base_err_memory(err, "paillier: threshold key");
    mpz_inits(k->delta, k->v, NULL);
    for (size_t i = 0; i < MPC_PAI_THR_PARTIES; i++)
        mpz_init(k->vi[i]);
    k->t = t, k->parties = parties;
    memcpy(k->dealer, dealer, strlen(dealer) + 1);
    mpz_fac_ui(k->delta, parties);
    if (mpc_pai_std_make(&k->std, n, engine, err) != FM_OK) {
        mpc_pai_thr_free(k);
        return err->code;
    }
    *key = k;
    return FM_OK;
}

void mpc_pai_thr_free(struct mpc_pai_thr *key)
{
    if (key == NULL)
        return;
    mpc_pai_std_free(key->std);
    mpz_clears(key->delta, key->v, NULL);
    for (size_t i = 0; i < MPC_PAI_THR_PARTIES; i++)
        mpz_clear(key->vi[i]);
    free(key);
}

void mpc_pai_thr_share_free(struct mpc_pai_thr_share *share)
{
    base_secret_free(share, sizeof *share);
}

const struct mpc_pai_std *mpc_pai_thr_as_std(const struct mpc_pai_thr *key)
{
    return key->std;
}

const char *mpc_pai_thr_dealer(const struct mpc_pai_thr *key)
{
    return key->dealer;
}

unsigned mpc_pai_thr_needed(const struct mpc_pai_thr *key)
{
    return key->t;
}

unsigned mpc_pai_thr_parties(const struct mpc_pai_thr *key)
{
    return key->parties;
}

uint32_t mpc_pai_thr_share_party(const struct mpc_pai_thr_share *share)
{
    return share->party;
}

fm_status mpc_pai_thr_share_check(const struct mpc_pai_thr *key,
                                  const struct mpc_pai_thr_share *share, struct base_err *err)
{
    bool right = share->party >= 1 && share->party <= key->parties &&
                 base_equal(share->id, key->std->n.id, sizeof share->id);
    mpz_t n2, x;

    mpz_inits(n2, x, NULL);
    if (right) {
        mpz_mul(n2, key->std->n.n, key->std->n.n);
        mpc_pai_mpz_from_limbs(x, share->x, MPC_PAI_THR_LIMBS);
        mpz_powm_sec(x, key->v, x, n2);
        right = mpz_cmp(x, key->vi[share->party - 1]) == 0;
    }
    mpz_clears(n2, x, NULL);
    return right ? FM_OK
                 : base_err_set(err, FM_E_INPUT,
                                "paillier: this is not party %u's share of the key", share->party);
}

/* Uniform below m, but for a bias of 2^-128. */
static fm_status random_below(mpz_t v, const mpz_t m, struct base_err *err)
{
    mp_limb_t limbs[2 * MPC_PAI_MAX_LIMBS + 2];
    size_t n = mpz_size(m) + 2;
    fm_status st;

    assert(n <= sizeof limbs / sizeof *limbs);
    st = mpc_pai_limbs_random_bits(limbs, n * 64, base_random_system(), err);
    mpc_pai_mpz_from_limbs(v, limbs, n);
    mpz_mod(v, v, m);
    base_wipe(limbs, sizeof limbs);
    return st;
}

/* f(0) = d, 0 mod m and 1 mod n; the other coefficients random below n m. */
static fm_status polynomial(mpz_t f[], unsigned t, const mpz_t n, const mpz_t m, const mpz_t nm,
                            struct base_err *err)
{
    fm_status st = FM_OK;

    mpz_invert(f[0], m, n);
    mpz_mul(f[0], f[0], m);
    for (unsigned i = 1; st == FM_OK && i < t; i++)
        st = random_below(f[i], nm, err);
    return st;
}

/* x = D f(party) mod n m's multiple D n m: not reduced, so that D times the share is what it says.
 */
static fm_status share_new(struct mpc_pai_thr_share **out, mpz_t x, const struct mpc_pai_thr *key,
                           unsigned party, mpz_t f[], const mpz_t nm, struct base_err *err)
{
    struct mpc_pai_thr_share *s = base_secret_alloc(sizeof *s);

    if (s == NULL)
        return base_err_memory(err, "paillier: share");
    mpz_set_ui(x, 0);
    for (unsigned i = key->t; i-- > 0;) {
        mpz_mul_ui(x, x, party);
        mpz_add(x, x, f[i]);
        mpz_mod(x, x, nm);
    }
    mpz_mul(x, x, key->delta);
    s->party = party;
    memcpy(s->id, key->std->n.id, sizeof s->id);
    s->exponent_bits = mpc_pai_thr_exponent_bits(key->std->n.bits);
    mpc_pai_limbs_from_mpz(s->x, MPC_PAI_THR_LIMBS, x);
    *out = s;
    return FM_OK;
}

static fm_status deal_all(struct mpc_pai_thr *key, struct mpc_pai_thr_share **shares, mpz_t f[],
                          const mpz_t m, struct base_err *err)
{
    const mpz_t *n = (const mpz_t *)&key->std->n.n;
    mpz_t n2, nm, x;
    fm_status st;

    mpz_inits(n2, nm, x, NULL);
    mpz_mul(n2, *n, *n);
    mpz_mul(nm, *n, m);
    st = polynomial(f, key->t, *n, m, nm, err);
    if (st == FM_OK)
        st = random_below(key->v, n2, err);
    mpz_mul(key->v, key->v, key->v);
    mpz_mod(key->v, key->v, n2);
    for (unsigned i = 0; st == FM_OK && i < key->parties; i++) {
        st = share_new(&shares[i], x, key, i + 1, f, nm, err);
        if (st == FM_OK)
            mpz_powm_sec(key->vi[i], key->v, x, n2);
    }
    mpz_clears(n2, nm, x, NULL);
    return st;
}

fm_status mpc_pai_thr_deal_with(struct mpc_pai_thr **key, struct mpc_pai_thr_share **shares,
                                unsigned t, unsigned parties, const mpz_t p, const mpz_t q,
                                const char *dealer, const struct mpc_pai_ring_ops *engine,
                                struct base_err *err)
{
    mpz_t n, m, f[MPC_PAI_THR_PARTIES];
    fm_status st;

    *key = NULL;
    for (unsigned i = 0; i < parties; i++)
        shares[i] = NULL;
    if (t < 1 || t > parties || parties > MPC_PAI_THR_PARTIES ||
        strlen(dealer) >= MPC_PAI_THR_DEALER || dealer[0] == '\0')
        return base_err_set(
            err, FM_E_ARG,
            "paillier: t of n needs 1 <= t <= n <= %d, and the dealer's name of 1 to %d bytes",
            MPC_PAI_THR_PARTIES, MPC_PAI_THR_DEALER - 1);
    mpz_inits(n, m, NULL);
    for (unsigned i = 0; i < MPC_PAI_THR_PARTIES; i++)
        mpz_init(f[i]);
    mpz_mul(n, p, q);
    mpz_fdiv_q_2exp(m, p, 1);
    mpz_fdiv_q_2exp(f[0], q, 1);
    mpz_mul(m, m, f[0]);
    st = mpc_pai_thr_alloc(key, n, t, parties, dealer, engine, err);
    if (st == FM_OK)
        st = deal_all(*key, shares, f, m, err);
    for (unsigned i = 0; i < MPC_PAI_THR_PARTIES; i++)
        mpz_clear(f[i]);
    mpz_clears(n, m, NULL);
    if (st != FM_OK) {
        for (unsigned i = 0; i < parties; i++) {
            mpc_pai_thr_share_free(shares[i]);
            shares[i] = NULL;
        }
        mpc_pai_thr_free(*key);
        *key = NULL;
    }
    return st;
}

fm_status mpc_pai_thr_deal(struct mpc_pai_thr **key, struct mpc_pai_thr_share **shares, unsigned t,
                           unsigned parties, unsigned bits, const char *dealer,
                           struct base_err *err)
{
    mpz_t p, q;
    fm_status st;

    *key = NULL;
    mpc_pai_gmp_init();
    if (mpc_pai_check_bits(bits, err) != FM_OK)
        return err->code;
    mpz_inits(p, q, NULL);
    do {
        st = mpc_pai_prime_new(p, bits / 2, MPC_PAI_SAFE, err);
        if (st == FM_OK)
            st = mpc_pai_prime_new(q, bits / 2, MPC_PAI_SAFE, err);
    } while (st == FM_OK && mpz_cmp(p, q) == 0);
    if (st == FM_OK)
        st = mpc_pai_thr_deal_with(key, shares, t, parties, p, q, dealer, NULL, err);
    mpz_clears(p, q, NULL);
    return st;
}
