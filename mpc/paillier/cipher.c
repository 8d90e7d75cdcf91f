/* What anybody can do with ciphertexts. */
#include "mpc/paillier/cipher.h"

#include <assert.h>
#include <string.h>

#include "mpc/paillier/cipher_own.h"
#include "mpc/paillier/key_own.h"
#include "mpc/paillier/limbs.h"

fm_status mpc_pai_cipher_init(struct mpc_pai_cipher *c, const struct mpc_pai_modulus *key, size_t n,
                              struct base_err *err)
{
    c->key = key;
    return mpc_pai_vec_init(&c->v, key->n2, n, err);
}

void mpc_pai_cipher_release(struct mpc_pai_cipher *c)
{
    mpc_pai_vec_release(&c->v);
    c->key = NULL;
}

void mpc_pai_cipher_move(struct mpc_pai_cipher *z, size_t i, const struct mpc_pai_cipher *x,
                         size_t j)
{
    mpc_pai_vec_move(&z->v, i, &x->v, j);
}

fm_status mpc_pai_embed(struct mpc_pai_vec *z, const struct mpc_pai_plain *m, struct base_err *err)
{
    size_t k = m->k;
    size_t itch = (size_t)mpn_sec_mul_itch((mp_size_t)k, (mp_size_t)k), words = 2 * k * m->n + itch;
    uint64_t *t = mpc_pai_words_new(words);
    fm_status st;

    if (t == NULL)
        return base_err_memory(err, "paillier: plaintexts");
    for (size_t i = 0; i < m->n; i++) {
        uint64_t *to = t + 2 * k * i;
        mpn_sec_mul(to, m->key->n2->m, (mp_size_t)k, m->w + k * i, (mp_size_t)k, t + 2 * k * m->n);
        for (size_t j = 0, carry = 1; j < 2 * k; j++) {
            to[j] += carry;
            carry &= (size_t)(to[j] == 0);
        }
    }
    st = mpc_pai_vec_load(z, t, 2 * k, err);
    mpc_pai_words_free(t, words);
    return st;
}

fm_status mpc_pai_encrypt_with(struct mpc_pai_cipher *c, const struct mpc_pai_cipher *blinding,
                               const struct mpc_pai_plain *m, struct base_err *err)
{
    struct mpc_pai_vec t;
    fm_status st;

    assert(m->key->n2 == c->v.ring && m->n == c->v.n);
    st = mpc_pai_vec_init(&t, c->v.ring, m->n, err);
    if (st == FM_OK)
        st = mpc_pai_embed(&t, m, err);
    if (st == FM_OK)
        st = mpc_pai_vec_mul(&c->v, &blinding->v, &t, err);
    mpc_pai_vec_release(&t);
    return st;
}

fm_status mpc_pai_add(struct mpc_pai_cipher *z, const struct mpc_pai_cipher *x,
                      const struct mpc_pai_cipher *y, struct base_err *err)
{
    return mpc_pai_vec_mul_var(&z->v, &x->v, &y->v, err);
}

fm_status mpc_pai_subtract(struct mpc_pai_cipher *z, const struct mpc_pai_cipher *x,
                           const struct mpc_pai_cipher *y, struct base_err *err)
{
    struct mpc_pai_vec t;
    fm_status st = mpc_pai_vec_init(&t, y->v.ring, y->v.n, err);

    if (st == FM_OK)
        st = mpc_pai_vec_inverse_var(&t, &y->v, err);
    if (st == FM_OK)
        st = mpc_pai_vec_mul_var(&z->v, &x->v, &t, err);
    mpc_pai_vec_release(&t);
    return st;
}

fm_status mpc_pai_add_plain(struct mpc_pai_cipher *z, const struct mpc_pai_cipher *x,
                            const struct mpc_pai_plain *m, struct base_err *err)
{
    return mpc_pai_encrypt_with(z, x, m, err);
}

fm_status mpc_pai_sum(struct mpc_pai_cipher *z, const struct mpc_pai_cipher *x,
                      struct base_err *err)
{
    return mpc_pai_vec_product_var(&z->v, &x->v, err);
}

fm_status mpc_pai_mul_u64(struct mpc_pai_cipher *z, const struct mpc_pai_cipher *x,
                          const uint64_t *by, struct base_err *err)
{
    return mpc_pai_vec_pow_each(&z->v, &x->v, by, 64, err);
}

/* bases = x, or 1 / x where by is negative; magnitudes = |by|. Which of the two is hidden. */
static fm_status signed_bases(struct mpc_pai_vec *bases, uint64_t *magnitudes,
                              const struct mpc_pai_cipher *x, const int64_t *by,
                              struct base_err *err)
{
    size_t n = x->v.n;
    uint64_t *sign = mpc_pai_words_new(n);
    struct mpc_pai_vec inverse;
    fm_status st = mpc_pai_vec_init(&inverse, x->v.ring, n, err);

    if (sign == NULL && st == FM_OK)
        st = base_err_memory(err, "paillier: signs");
    if (st == FM_OK)
        st = mpc_pai_vec_inverse_var(&inverse, &x->v, err);
    if (st == FM_OK) {
        for (size_t i = 0; i < n; i++) {
            sign[i] = (uint64_t)0 - ((uint64_t)by[i] >> 63);
            magnitudes[i] = ((uint64_t)by[i] ^ sign[i]) - sign[i];
        }
        memcpy(bases->w, x->v.w, bases->words * sizeof *bases->w);
        mpc_pai_vec_pick(bases, &inverse, sign);
    }
    mpc_pai_vec_release(&inverse);
    mpc_pai_words_free(sign, n);
    return st;
}

/* power: pow_each or dot. */
static fm_status by_signed(struct mpc_pai_cipher *z, const struct mpc_pai_cipher *x,
                           const int64_t *by,
                           fm_status (*power)(struct mpc_pai_vec *, const struct mpc_pai_vec *,
                                              const mp_limb_t *, size_t, struct base_err *),
                           struct base_err *err)
{
    size_t n = x->v.n;
    uint64_t *magnitudes = mpc_pai_words_new(n);
    struct mpc_pai_vec bases;
    fm_status st = mpc_pai_vec_init(&bases, x->v.ring, n, err);

    if (magnitudes == NULL && st == FM_OK)
        st = base_err_memory(err, "paillier: scalars");
    if (st == FM_OK)
        st = signed_bases(&bases, magnitudes, x, by, err);
    if (st == FM_OK)
        st = power(&z->v, &bases, magnitudes, 64, err);
    mpc_pai_vec_release(&bases);
    mpc_pai_words_free(magnitudes, n);
    return st;
}

fm_status mpc_pai_mul_i64(struct mpc_pai_cipher *z, const struct mpc_pai_cipher *x,
                          const int64_t *by, struct base_err *err)
{
    return by_signed(z, x, by, mpc_pai_vec_pow_each, err);
}

fm_status mpc_pai_mul(struct mpc_pai_cipher *z, const struct mpc_pai_cipher *x,
                      const struct mpc_pai_plain *by, struct base_err *err)
{
    assert(by->n == x->v.n && by->key->n2 == x->v.ring);
    return mpc_pai_vec_pow_each(&z->v, &x->v, by->w, by->key->bits, err);
}

fm_status mpc_pai_dot_u64(struct mpc_pai_cipher *z, const struct mpc_pai_cipher *x,
                          const uint64_t *by, struct base_err *err)
{
    return mpc_pai_vec_dot(&z->v, &x->v, by, 64, err);
}

fm_status mpc_pai_dot_i64(struct mpc_pai_cipher *z, const struct mpc_pai_cipher *x,
                          const int64_t *by, struct base_err *err)
{
    return by_signed(z, x, by, mpc_pai_vec_dot, err);
}
