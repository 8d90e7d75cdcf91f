/* Ring-Pedersen parameters and their proof: CGGMP, eprint 2021/060, figure 17. */
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "mpc/paillier/key_own.h"
#include "mpc/paillier/limbs.h"
#include "mpc/paillier/proof_own.h"

static const char *const name = "ring Pedersen";

void mpc_pai_pedersen_init(struct mpc_pai_pedersen *pp)
{
    mpc_pai_gmp_init();
    mpz_inits(pp->n, pp->s, pp->t, NULL);
}

void mpc_pai_pedersen_release(struct mpc_pai_pedersen *pp)
{
    mpz_clears(pp->n, pp->s, pp->t, NULL);
}

void mpc_pai_pedersen_secret_free(struct mpc_pai_pedersen_secret *secret)
{
    if (secret == NULL)
        return;
    mpz_clears(secret->lambda, secret->phi, NULL); /* wiped: limbs.h */
    free(secret);
}

fm_status mpc_pai_pedersen_make(struct mpc_pai_pedersen *pp,
                                struct mpc_pai_pedersen_secret **secret, const mpz_t p,
                                const mpz_t q, struct base_err *err)
{
    struct mpc_pai_pedersen_secret *s = calloc(1, sizeof *s);
    fm_status st;
    mpz_t t;

    *secret = NULL;
    if (s == NULL)
        return base_err_memory(err, "paillier: parameters");
    mpz_inits(s->lambda, s->phi, t, NULL);
    mpz_mul(pp->n, p, q);
    mpz_sub_ui(s->phi, p, 1);
    mpz_sub_ui(t, q, 1);
    mpz_mul(s->phi, s->phi, t);
    st = mpc_pai_proof_random_below(s->lambda, s->phi, base_random_system(), err);
    if (st == FM_OK)
        st = mpc_pai_proof_random_below(t, pp->n, base_random_system(), err);
    mpz_mul(pp->t, t, t);
    mpz_mod(pp->t, pp->t, pp->n);
    mpc_pai_proof_pow(pp->s, pp->t, s->lambda, pp->n);
    mpz_clear(t);
    if (st == FM_OK)
        *secret = s;
    else
        mpc_pai_pedersen_secret_free(s);
    return st;
}

fm_status mpc_pai_pedersen_generate(struct mpc_pai_pedersen *pp,
                                    struct mpc_pai_pedersen_secret **secret, unsigned bits,
                                    struct base_err *err)
{
    mpz_t p, q;
    fm_status st;

    *secret = NULL;
    if (mpc_pai_check_bits(bits, err) != FM_OK)
        return err->code;
    mpz_inits(p, q, NULL);
    do {
        st = mpc_pai_prime_new(p, bits / 2, MPC_PAI_SAFE, err);
        if (st == FM_OK)
            st = mpc_pai_prime_new(q, bits / 2, MPC_PAI_SAFE, err);
    } while (st == FM_OK && mpz_cmp(p, q) == 0);
    if (st == FM_OK)
        st = mpc_pai_pedersen_make(pp, secret, p, q, err);
    mpz_clears(p, q, NULL);
    return st;
}

/* One bit for each round. */
static void challenge_of(uint8_t e[MPC_PAI_PROOF_ROUNDS / 8], const struct mpc_pai_pedersen *pp,
                         mpz_t *a, const struct mpc_pai_bond *bond)
{
    struct mpc_pai_transcript t;
    uint8_t seed[32];

    mpc_pai_transcript_init(&t, name, bond);
    mpc_pai_transcript_put_mpz(&t, pp->n);
    mpc_pai_transcript_put_mpz(&t, pp->s);
    mpc_pai_transcript_put_mpz(&t, pp->t);
    for (unsigned i = 0; i < MPC_PAI_PROOF_ROUNDS; i++)
        mpc_pai_transcript_put_mpz(&t, a[i]);
    mpc_pai_transcript_end(&t, seed);
    memcpy(e, seed, MPC_PAI_PROOF_ROUNDS / 8);
}

static void numbers_init(mpz_t *v)
{
    for (unsigned i = 0; i < MPC_PAI_PROOF_ROUNDS; i++)
        mpz_init(v[i]);
}

static void numbers_release(mpz_t *v)
{
    for (unsigned i = 0; i < MPC_PAI_PROOF_ROUNDS; i++)
        mpz_clear(v[i]);
}

fm_status mpc_pai_pedersen_prove(struct base_buf *out, const struct mpc_pai_pedersen *pp,
                                 const struct mpc_pai_pedersen_secret *secret,
                                 const struct mpc_pai_bond *bond, struct base_err *err)
{
    mpz_t a[MPC_PAI_PROOF_ROUNDS], z[MPC_PAI_PROOF_ROUNDS], other;
    uint8_t e[MPC_PAI_PROOF_ROUNDS / 8];
    fm_status st = FM_OK;

    numbers_init(a);
    numbers_init(z);
    mpz_init(other);
    for (unsigned i = 0; st == FM_OK && i < MPC_PAI_PROOF_ROUNDS; i++) {
        st = mpc_pai_proof_random_below(z[i], secret->phi, base_random_system(), err);
        mpc_pai_proof_pow(a[i], pp->t, z[i], pp->n);
    }
    if (st == FM_OK) {
        challenge_of(e, pp, a, bond);
        mpc_pai_proof_head(out, MPC_PAI_PROOF_PEDERSEN);
        for (unsigned i = 0; i < MPC_PAI_PROOF_ROUNDS; i++) {
            if ((e[i / 8] >> (i % 8) & 1) != 0) {
                mpz_add(other, z[i], secret->lambda);
                mpz_mod(z[i], other, secret->phi);
            }
            mpc_pai_proof_put(out, a[i]);
            mpc_pai_proof_put(out, z[i]);
        }
        st = base_buf_status(out, "paillier: proof", err);
    }
    mpz_clear(other);
    numbers_release(a);
    numbers_release(z);
    return st;
}

/* A modulus that is odd and no prime, and s, t units other than 1. */
static int parameters_stand(const struct mpc_pai_pedersen *pp)
{
    mpz_t g;
    int stand = mpz_sizeinbase(pp->n, 2) <= MPC_PAI_MAX_BITS && mpz_odd_p(pp->n) &&
                mpz_cmp_ui(pp->s, 1) > 0 && mpz_cmp(pp->s, pp->n) < 0 && mpz_cmp_ui(pp->t, 1) > 0 &&
                mpz_cmp(pp->t, pp->n) < 0 && mpz_probab_prime_p(pp->n, 40) == 0;

    mpz_init(g);
    mpz_gcd(g, pp->s, pp->n);
    stand = stand && mpz_cmp_ui(g, 1) == 0;
    mpz_gcd(g, pp->t, pp->n);
    stand = stand && mpz_cmp_ui(g, 1) == 0;
    mpz_clear(g);
    return stand;
}

fm_status mpc_pai_pedersen_verify(const struct mpc_pai_pedersen *pp, const void *proof, size_t len,
                                  const struct mpc_pai_bond *bond, struct base_err *err)
{
    struct base_cur cur = base_cur_make(proof, len);
    mpz_t a[MPC_PAI_PROOF_ROUNDS], z[MPC_PAI_PROOF_ROUNDS], t;
    uint8_t e[MPC_PAI_PROOF_ROUNDS / 8];
    int holds;

    numbers_init(a);
    numbers_init(z);
    mpz_init(t);
    mpc_pai_proof_get_head(&cur, MPC_PAI_PROOF_PEDERSEN);
    for (unsigned i = 0; i < MPC_PAI_PROOF_ROUNDS; i++) {
        mpc_pai_proof_take(a[i], &cur);
        mpc_pai_proof_take(z[i], &cur);
    }
    holds = !cur.bad && cur.left == 0 && parameters_stand(pp);
    if (holds)
        challenge_of(e, pp, a, bond);
    for (unsigned i = 0; holds && i < MPC_PAI_PROOF_ROUNDS; i++) {
        holds = mpz_cmp(a[i], pp->n) < 0 && mpz_cmp(z[i], pp->n) < 0;
        mpz_powm(t, pp->t, z[i], pp->n);
        if ((e[i / 8] >> (i % 8) & 1) != 0) {
            mpz_mul(a[i], a[i], pp->s);
            mpz_mod(a[i], a[i], pp->n);
        }
        holds = holds && mpz_cmp(t, a[i]) == 0;
    }
    mpz_clear(t);
    numbers_release(a);
    numbers_release(z);
    return holds ? FM_OK : mpc_pai_proof_bad(err, bond, name);
}
