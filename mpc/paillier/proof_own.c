#include "mpc/paillier/proof_own.h"

#include <stdio.h>
#include <string.h>

#include "mpc/paillier/key_own.h"
#include "mpc/paillier/limbs.h"

enum { NUMBER_MAX = 4 * MPC_PAI_MAX_BITS / 8 };

void mpc_pai_proof_head(struct base_buf *out, unsigned which)
{
    base_buf_put_u8(out, MPC_PAI_VERSION);
    base_buf_put_u8(out, (uint8_t)which);
}

void mpc_pai_proof_put(struct base_buf *out, const mpz_t v)
{
    size_t len = mpz_sgn(v) == 0 ? 0 : (mpz_sizeinbase(v, 2) + 7) / 8;
    uint8_t *to;

    base_buf_put_u16(out, (uint16_t)len);
    to = base_buf_extend(out, len);
    if (to != NULL)
        mpz_export(to, NULL, 1, 1, 1, 0, v);
}

fm_status mpc_pai_proof_bad(struct base_err *err, const struct mpc_pai_bond *bond,
                            const char *proof)
{
    return base_err_set(err, FM_E_PEER, "party %u: its %s proof does not verify", bond->party,
                        proof);
}

void mpc_pai_proof_get_head(struct base_cur *cur, unsigned which)
{
    unsigned version = base_cur_u8(cur), got = base_cur_u8(cur);

    if (version != MPC_PAI_VERSION || got != which)
        cur->bad = true;
}

void mpc_pai_proof_take(mpz_t v, struct base_cur *cur)
{
    size_t len = base_cur_u16(cur);
    const uint8_t *bytes = len <= NUMBER_MAX ? base_cur_take(cur, len) : NULL;

    mpz_set_ui(v, 0);
    if (bytes == NULL || (len > 0 && bytes[0] == 0))
        cur->bad = true;
    else if (len > 0)
        mpz_import(v, len, 1, 1, 1, 0, bytes);
}

fm_status mpc_pai_proof_random(mpz_t v, size_t bits, const struct base_random *random,
                               struct base_err *err)
{
    size_t n = (bits + 63) / 64;
    uint64_t *limbs = mpc_pai_words_new(n);
    fm_status st = limbs != NULL ? mpc_pai_limbs_random_bits(limbs, bits, random, err)
                                 : base_err_memory(err, "paillier: proof");

    if (st == FM_OK)
        mpc_pai_mpz_from_limbs(v, limbs, n);
    mpc_pai_words_free(limbs, n);
    return st;
}

fm_status mpc_pai_proof_random_below(mpz_t v, const mpz_t m, const struct base_random *random,
                                     struct base_err *err)
{
    fm_status st = mpc_pai_proof_random(v, mpz_sizeinbase(m, 2) + 128, random, err);

    mpz_mod(v, v, m);
    return st;
}

void mpc_pai_proof_pow(mpz_t z, const mpz_t b, const mpz_t e, const mpz_t m)
{
    if (mpz_sgn(e) == 0) /* GMP's takes none of 0; ours are 0 with a chance of 2^-128 */
        mpz_set_ui(z, 1);
    else
        mpz_powm_sec(z, b, e, m);
}

void mpc_pai_proof_hash_below(mpz_t v, const mpz_t m, const uint8_t seed32[32], unsigned index)
{
    uint8_t bytes[MPC_PAI_MAX_BITS / 8 + 16];
    size_t len = (mpz_sizeinbase(m, 2) + 7) / 8 + 16;
    char what[32];

    (void)snprintf(what, sizeof what, "number %u", index);
    mpc_pai_expand(bytes, len, seed32, what);
    mpz_import(v, len, 1, 1, 1, 0, bytes);
    mpz_mod(v, v, m);
}
