/* Blinding, encryption, decryption. */
#include <assert.h>
#include <string.h>

#include "base/secret.h"
#include "mpc/paillier/cipher.h"
#include "mpc/paillier/key_own.h"
#include "mpc/paillier/limbs.h"

/* z = r^n, r: k limbs each. */
static fm_status power_n(struct mpc_pai_vec *z, const struct mpc_pai_modulus *key,
                         const uint64_t *r, struct base_err *err)
{
    fm_status st = mpc_pai_vec_load(z, r, key->n2->k, err);

    return st == FM_OK ? mpc_pai_vec_pow_public(z, z, key->n2->m, key->bits, err) : st;
}

/* A uniform r is a unit but for a chance of 2^-1000: looking would only cost, and would leak. */
static fm_status draw_units(uint64_t *r, size_t n, const struct mpc_pai_std *key,
                            const struct base_random *random, struct base_err *err)
{
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < n; i++)
        st = mpc_pai_limbs_random_below(r + key->n.n2->k * i, key->n.n2->m, key->n.bits, random,
                                        err);
    return st;
}

fm_status mpc_pai_std_blinding(struct mpc_pai_cipher *z, const struct mpc_pai_std *key,
                               const struct base_random *random, struct base_err *err)
{
    size_t k = key->n.n2->k, n = z->v.n;
    uint64_t *r = mpc_pai_words_new(k * n);
    fm_status st =
        r != NULL ? draw_units(r, n, key, random, err) : base_err_memory(err, "paillier: blinding");

    assert(z->v.ring == key->n.n2);
    if (st == FM_OK)
        st = power_n(&z->v, &key->n, r, err);
    mpc_pai_words_free(r, k * n);
    return st;
}

static fm_status short_blinding(struct mpc_pai_cipher *z, const struct mpc_pai_short *key,
                                const struct base_random *random, struct base_err *err)
{
    size_t limbs = (key->exponent_bits + 63) / 64, n = z->v.n;
    uint64_t *e = mpc_pai_words_new(limbs * n);
    fm_status st = e != NULL ? FM_OK : base_err_memory(err, "paillier: blinding");

    assert(z->v.ring == key->std.n.n2);
    for (size_t i = 0; st == FM_OK && i < n; i++)
        st = mpc_pai_limbs_random_bits(e + limbs * i, key->exponent_bits, random, err);
    if (st == FM_OK)
        st = mpc_pai_table_pow(key->table, &z->v, e, err);
    mpc_pai_words_free(e, limbs * n);
    return st;
}

fm_status mpc_pai_djn_blinding(struct mpc_pai_cipher *z, const struct mpc_pai_djn *key,
                               const struct base_random *random, struct base_err *err)
{
    return short_blinding(z, &key->s, random, err);
}

fm_status mpc_pai_sub_blinding(struct mpc_pai_cipher *z, const struct mpc_pai_sub *key,
                               const struct base_random *random, struct base_err *err)
{
    return short_blinding(z, &key->s, random, err);
}

fm_status mpc_pai_std_encrypt(struct mpc_pai_cipher *c, const struct mpc_pai_std *key,
                              const struct mpc_pai_plain *m, const struct base_random *random,
                              struct base_err *err)
{
    fm_status st = mpc_pai_std_blinding(c, key, random, err);

    return st == FM_OK ? mpc_pai_encrypt_with(c, c, m, err) : st;
}

fm_status mpc_pai_djn_encrypt(struct mpc_pai_cipher *c, const struct mpc_pai_djn *key,
                              const struct mpc_pai_plain *m, const struct base_random *random,
                              struct base_err *err)
{
    fm_status st = mpc_pai_djn_blinding(c, key, random, err);

    return st == FM_OK ? mpc_pai_encrypt_with(c, c, m, err) : st;
}

fm_status mpc_pai_sub_encrypt(struct mpc_pai_cipher *c, const struct mpc_pai_sub *key,
                              const struct mpc_pai_plain *m, const struct base_random *random,
                              struct base_err *err)
{
    fm_status st = mpc_pai_sub_blinding(c, key, random, err);

    return st == FM_OK ? mpc_pai_encrypt_with(c, c, m, err) : st;
}

fm_status mpc_pai_std_encrypt_r(struct mpc_pai_cipher *c, const struct mpc_pai_std *key,
                                const struct mpc_pai_plain *m, const uint64_t *r,
                                struct base_err *err)
{
    fm_status st = power_n(&c->v, &key->n, r, err);

    return st == FM_OK ? mpc_pai_encrypt_with(c, c, m, err) : st;
}

fm_status mpc_pai_std_encrypt_keep(struct mpc_pai_cipher *c, uint64_t *r,
                                   const struct mpc_pai_std *key, const struct mpc_pai_plain *m,
                                   const struct base_random *random, struct base_err *err)
{
    fm_status st = draw_units(r, c->v.n, key, random, err);

    return st == FM_OK ? mpc_pai_std_encrypt_r(c, key, m, r, err) : st;
}

/* z = x times a fresh blinding of the kind that blind makes; blind, key: one of the three. */
static fm_status times_blinding(struct mpc_pai_cipher *z, struct mpc_pai_cipher *blinding,
                                const struct mpc_pai_cipher *x, fm_status st, struct base_err *err)
{
    if (st == FM_OK)
        st = mpc_pai_vec_mul(&z->v, &x->v, &blinding->v, err);
    mpc_pai_cipher_release(blinding);
    return st;
}

fm_status mpc_pai_std_rerandomise(struct mpc_pai_cipher *z, const struct mpc_pai_std *key,
                                  const struct mpc_pai_cipher *x, const struct base_random *random,
                                  struct base_err *err)
{
    struct mpc_pai_cipher b;
    fm_status st = mpc_pai_cipher_init(&b, x->key, x->v.n, err);

    return times_blinding(z, &b, x, st == FM_OK ? mpc_pai_std_blinding(&b, key, random, err) : st,
                          err);
}

fm_status mpc_pai_djn_rerandomise(struct mpc_pai_cipher *z, const struct mpc_pai_djn *key,
                                  const struct mpc_pai_cipher *x, const struct base_random *random,
                                  struct base_err *err)
{
    struct mpc_pai_cipher b;
    fm_status st = mpc_pai_cipher_init(&b, x->key, x->v.n, err);

    return times_blinding(z, &b, x, st == FM_OK ? mpc_pai_djn_blinding(&b, key, random, err) : st,
                          err);
}

fm_status mpc_pai_sub_rerandomise(struct mpc_pai_cipher *z, const struct mpc_pai_sub *key,
                                  const struct mpc_pai_cipher *x, const struct base_random *random,
                                  struct base_err *err)
{
    struct mpc_pai_cipher b;
    fm_status st = mpc_pai_cipher_init(&b, x->key, x->v.n, err);

    return times_blinding(z, &b, x, st == FM_OK ? mpc_pai_sub_blinding(&b, key, random, err) : st,
                          err);
}

/* out: whole ciphertexts mod p^2, 2 l limbs each, l limbs of p: (1 + m n) s^p. embedded: 1 + m n, 4
 * l limbs each. */
static fm_status owner_side(uint64_t *out, const struct mpc_pai_side *side,
                            const uint64_t *embedded, size_t l, size_t n,
                            const struct base_random *random, struct base_err *err)
{
    uint64_t *s = mpc_pai_words_new(l * n);
    struct mpc_pai_vec x, y = {0};
    fm_status st = mpc_pai_vec_init(&x, side->p2, n, err);

    if (st == FM_OK)
        st = mpc_pai_vec_init(&y, side->p2, n, err);
    if (s == NULL && st == FM_OK)
        st = base_err_memory(err, "paillier: blinding");
    for (size_t i = 0; st == FM_OK && i < n; i++)
        st = mpc_pai_limbs_random_below(s + l * i, side->p2->m, side->p2->bits, random, err);
    if (st == FM_OK)
        st = mpc_pai_vec_load(&x, s, l, err);
    if (st == FM_OK)
        st = mpc_pai_vec_pow(&x, &x, side->p2->m, side->p2->bits, err);
    if (st == FM_OK)
        st = mpc_pai_vec_load(&y, embedded, 4 * l, err);
    if (st == FM_OK)
        st = mpc_pai_vec_mul(&x, &x, &y, err);
    if (st == FM_OK)
        st = mpc_pai_vec_store_whole(out, &x, err);
    mpc_pai_vec_release(&y);
    mpc_pai_vec_release(&x);
    mpc_pai_words_free(s, l * n);
    return st;
}

/* out = a + P ((b - a) / P mod Q), where inverse = 1 / P mod Q: the number below P Q that is a mod
 * P and b mod Q. a, b, P: w limbs; Q: wq <= w limbs, top one not 0; out: 2 w limbs. */
static fm_status combine(uint64_t *out, const uint64_t *a, const uint64_t *b, const mp_limb_t *P,
                         const mp_limb_t *Q, const mp_limb_t *inverse, size_t w, size_t wq,
                         struct base_err *err)
{
    size_t itch = (size_t)mpn_sec_mul_itch((mp_size_t)w, (mp_size_t)w), words = 2 * w + itch;
    uint64_t *t = mpc_pai_words_new(words), carry;
    fm_status st = t != NULL ? FM_OK : base_err_memory(err, "paillier: remainders");

    if (st == FM_OK)
        st = mpc_pai_limbs_mod(t, a, w, Q, wq, err);
    if (st == FM_OK) {
        uint64_t borrow = mpn_sub_n(t, b, t, (mp_size_t)wq);
        (void)mpn_cnd_add_n(borrow, t, t, Q, (mp_size_t)wq);
        st = mpc_pai_limbs_mulmod(t, t, inverse, Q, wq, err);
    }
    if (st == FM_OK) {
        memset(t + wq, 0, (w - wq) * sizeof *t);
        mpn_sec_mul(out, P, (mp_size_t)w, t, (mp_size_t)w, t + 2 * w);
        carry = mpn_add_n(out, out, a, (mp_size_t)w);
        for (size_t i = w; i < 2 * w; i++) {
            out[i] += carry;
            carry &= (uint64_t)(out[i] == 0);
        }
    }
    mpc_pai_words_free(t, words);
    return st;
}

fm_status mpc_pai_owner_encrypt(struct mpc_pai_cipher *c, const struct mpc_pai_secret *secret,
                                const struct mpc_pai_plain *m, const struct base_random *random,
                                struct base_err *err)
{
    size_t l = secret->l, n = m->n, k = m->k;
    size_t itch = (size_t)mpn_sec_mul_itch((mp_size_t)k, (mp_size_t)k), words = 12 * l * n + itch;
    uint64_t *embedded, *sides, *t;
    const struct mpc_pai_ring *q2 = secret->side[1].p2;
    fm_status st = FM_OK;

    if (!mpc_pai_secret_opens(secret, c->key) || k != 2 * l)
        return base_err_set(err, FM_E_ARG, "paillier: this secret key is not the ciphertexts'");
    t = mpc_pai_words_new(words);
    if (t == NULL)
        return base_err_memory(err, "paillier: encryption");
    embedded = t, sides = t + 4 * l * n;
    for (size_t i = 0; i < n; i++) {
        uint64_t *to = embedded + 4 * l * i;
        mpn_sec_mul(to, secret->n, (mp_size_t)k, m->w + k * i, (mp_size_t)k, t + 12 * l * n);
        for (size_t j = 0, carry = 1; j < 2 * k; j++) {
            to[j] += carry;
            carry &= (size_t)(to[j] == 0);
        }
    }
    for (int s = 0; st == FM_OK && s < 2; s++)
        st = owner_side(sides + (size_t)s * 2 * l * n, &secret->side[s], embedded, l, n, random,
                        err);
    for (size_t i = 0; st == FM_OK && i < n; i++)
        st = combine(sides + 4 * l * n + 4 * l * i, sides + 2 * l * i, sides + 2 * l * (n + i),
                     secret->side[0].p2->m2, q2->m2, secret->p2_inverse, 2 * l, q2->k2, err);
    if (st == FM_OK)
        st = mpc_pai_vec_load(&c->v, sides + 4 * l * n, 4 * l, err);
    mpc_pai_words_free(t, words);
    return st;
}

/* out: m mod p, l limbs each: L(c^(p-1) mod p^2) h mod p; c: 4 l limbs each. c^(p-1) is 1 mod p, so
 * its digits in base p are 1 and L. */
static fm_status decrypt_side(uint64_t *out, const struct mpc_pai_side *side, const uint64_t *c,
                              size_t c_limbs, size_t l, size_t n, struct base_err *err)
{
    uint64_t *lo = mpc_pai_words_new(l * n);
    struct mpc_pai_vec x;
    fm_status st = mpc_pai_vec_init(&x, side->p2, n, err);

    if (lo == NULL && st == FM_OK)
        st = base_err_memory(err, "paillier: decryption");
    if (st == FM_OK)
        st = mpc_pai_vec_load(&x, c, c_limbs, err);
    if (st == FM_OK)
        st = mpc_pai_vec_pow(&x, &x, side->order, side->p2->bits, err);
    if (st == FM_OK)
        st = mpc_pai_vec_store(lo, out, &x, err);
    for (size_t i = 0; st == FM_OK && i < n; i++)
        st = mpc_pai_limbs_mulmod(out + l * i, out + l * i, side->h, side->p2->m, l, err);
    mpc_pai_vec_release(&x);
    mpc_pai_words_free(lo, l * n);
    return st;
}

fm_status mpc_pai_decrypt(struct mpc_pai_plain *m, const struct mpc_pai_secret *secret,
                          const struct mpc_pai_cipher *c, struct base_err *err)
{
    size_t l = secret->l, n = c->v.n, whole = 2 * c->v.ring->k, words = (whole + 2 * l) * n;
    uint64_t *t, *sides, both[2 * MPC_PAI_MAX_LIMBS];
    fm_status st;

    if (!mpc_pai_secret_opens(secret, c->key))
        return base_err_set(err, FM_E_ARG, "paillier: this secret key is not the ciphertexts'");
    assert(m->n == n && m->k <= 2 * l);
    t = mpc_pai_words_new(words);
    if (t == NULL)
        return base_err_memory(err, "paillier: decryption");
    sides = t + whole * n;
    st = mpc_pai_vec_store_whole(t, &c->v, err);
    for (int s = 0; st == FM_OK && s < 2; s++)
        st = decrypt_side(sides + (size_t)s * l * n, &secret->side[s], t, whole, l, n, err);
    for (size_t i = 0; st == FM_OK && i < n; i++) {
        st = combine(both, sides + l * i, sides + l * (n + i), secret->side[0].p2->m,
                     secret->side[1].p2->m, secret->p_inverse, l, l, err);
        if (st == FM_OK)
            memcpy(m->w + m->k * i, both, m->k * sizeof *m->w);
    }
    base_wipe(both, sizeof both);
    mpc_pai_words_free(t, words);
    return st;
}
