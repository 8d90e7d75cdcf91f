/* Ciphertexts as bytes, and what is refused. */
#include <string.h>

#include "base/secret.h"
#include "mpc/paillier/cipher.h"
#include "mpc/paillier/key_own.h"
#include "mpc/paillier/limbs.h"

fm_status mpc_pai_cipher_put(struct base_buf *out, const struct mpc_pai_cipher *c,
                             struct base_err *err)
{
    size_t k2 = 2 * c->v.ring->k, each = c->key->bits / 8 * 2, n = c->v.n;
    uint64_t *t = mpc_pai_words_new(k2 * n);
    fm_status st = t != NULL ? mpc_pai_vec_store_whole(t, &c->v, err)
                             : base_err_memory(err, "paillier: ciphertexts");

    if (st == FM_OK && n > UINT32_MAX)
        st = base_err_set(err, FM_E_LIMIT, "paillier: %zu ciphertexts in one message", n);
    if (st == FM_OK) {
        uint8_t *to;
        base_buf_put_u8(out, MPC_PAI_VERSION);
        base_buf_put_u8(out, MPC_PAI_KIND_CIPHER);
        base_buf_put_u16(out, (uint16_t)c->key->bits);
        base_buf_put(out, c->key->id, sizeof c->key->id);
        base_buf_put_u32(out, (uint32_t)n);
        to = base_buf_extend(out, each * n);
        for (size_t i = 0; to != NULL && i < n; i++)
            mpc_pai_limbs_store(to + each * i, each, t + k2 * i, k2);
        st = base_buf_status(out, "paillier: ciphertexts", err);
    }
    mpc_pai_words_free(t, k2 * n);
    return st;
}

static fm_status get_head(struct base_cur *cur, size_t *n, const struct mpc_pai_modulus *key,
                          size_t max, struct base_err *err)
{
    unsigned version = base_cur_u8(cur), kind = base_cur_u8(cur), bits = base_cur_u16(cur);
    const uint8_t *id = base_cur_take(cur, 32);

    *n = base_cur_u32(cur);
    if (cur->bad)
        return base_err_set(err, FM_E_INPUT, "paillier: ciphertexts: truncated");
    if (version != MPC_PAI_VERSION || kind != MPC_PAI_KIND_CIPHER)
        return base_err_set(err, FM_E_INPUT,
                            "paillier: ciphertexts of version %u and kind %u, not %d and %d",
                            version, kind, MPC_PAI_VERSION, MPC_PAI_KIND_CIPHER);
    if (bits != key->bits || !base_equal(id, key->id, sizeof key->id))
        return base_err_set(err, FM_E_INPUT, "paillier: ciphertexts for another key, of %u bits",
                            bits);
    if (*n > max)
        return base_err_set(err, FM_E_INPUT, "paillier: %zu ciphertexts, at most %zu are expected",
                            *n, max);
    if (cur->left != *n * (bits / 8 * 2))
        return base_err_set(err, FM_E_INPUT, "paillier: %zu ciphertexts take %zu bytes, not %zu",
                            *n, *n * (bits / 8 * 2), cur->left);
    return FM_OK;
}

/* One gcd for all: their product is a unit if and only if each is. */
static fm_status all_units(const uint64_t *t, size_t n, const struct mpc_pai_modulus *key,
                           struct base_err *err)
{
    size_t k2 = 2 * key->n2->k, i = 0;
    fm_status st = FM_OK;
    mpz_t v, product;

    mpz_init(v);
    mpz_init_set_ui(product, 1);
    for (i = 0; i < n; i++) {
        mpc_pai_mpz_from_limbs(v, t + k2 * i, k2);
        mpz_mul(product, product, v);
        mpz_mod(product, product, key->n);
    }
    mpz_gcd(product, product, key->n);
    for (i = 0; mpz_cmp_ui(product, 1) != 0 && i < n; i++) {
        mpc_pai_mpz_from_limbs(v, t + k2 * i, k2);
        mpz_gcd(v, v, key->n);
        if (mpz_cmp_ui(v, 1) != 0) {
            st = base_err_set(err, FM_E_INPUT,
                              "paillier: ciphertext %zu shares a factor with the modulus", i);
            break;
        }
    }
    mpz_clears(v, product, NULL);
    return st;
}

static fm_status take_all(struct mpc_pai_cipher *c, struct base_cur *cur, uint64_t *t,
                          struct base_err *err)
{
    const struct mpc_pai_ring *r = c->v.ring;
    size_t k2 = 2 * r->k, each = c->key->bits / 8 * 2;

    for (size_t i = 0; i < c->v.n; i++) {
        const uint8_t *bytes = base_cur_take(cur, each);
        if (bytes == NULL)
            return base_err_set(err, FM_E_INPUT, "paillier: ciphertexts: truncated");
        mpc_pai_limbs_load(t + k2 * i, k2, bytes, each);
        if (mpc_pai_limbs_less(t + k2 * i, r->m2, k2) == 0)
            return base_err_set(err, FM_E_INPUT, "paillier: ciphertext %zu is not below n^2", i);
    }
    if (all_units(t, c->v.n, c->key, err) != FM_OK)
        return err->code;
    return mpc_pai_vec_load(&c->v, t, k2, err);
}

fm_status mpc_pai_cipher_get(struct mpc_pai_cipher *c, const struct mpc_pai_modulus *key,
                             size_t max, const void *bytes, size_t len, struct base_err *err)
{
    struct base_cur cur = base_cur_make(bytes, len);
    size_t n, words;
    uint64_t *t;
    fm_status st;

    *c = (struct mpc_pai_cipher){0};
    if (get_head(&cur, &n, key, max, err) != FM_OK)
        return err->code;
    words = 2 * key->n2->k * n;
    t = mpc_pai_words_new(words);
    st = t != NULL ? mpc_pai_cipher_init(c, key, n, err)
                   : base_err_memory(err, "paillier: ciphertexts");
    if (st == FM_OK)
        st = take_all(c, &cur, t, err);
    if (st != FM_OK)
        mpc_pai_cipher_release(c);
    mpc_pai_words_free(t, words);
    return st;
}
