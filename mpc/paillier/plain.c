/* Plaintexts as residues and signed integers; fixed-point codes. */
#include "mpc/paillier/plain.h"

#include <assert.h>
#include <string.h>

#include "mpc/paillier/key_own.h"
#include "mpc/paillier/limbs.h"

enum { MASK_BITS = 40 };

fm_status mpc_pai_plain_init(struct mpc_pai_plain *m, const struct mpc_pai_modulus *key, size_t n,
                             struct base_err *err)
{
    *m = (struct mpc_pai_plain){.key = key, .n = n, .k = key->n2->k};
    if (n > SIZE_MAX / 16 / MPC_PAI_MAX_LIMBS)
        return base_err_memory(err, "paillier: plaintexts");
    m->w = mpc_pai_words_new(n * m->k);
    return m->w != NULL ? FM_OK : base_err_memory(err, "paillier: plaintexts");
}

void mpc_pai_plain_release(struct mpc_pai_plain *m)
{
    mpc_pai_words_free(m->w, m->n * m->k);
    *m = (struct mpc_pai_plain){0};
}

/* w = (-1)^negative magnitude mod n. */
static void put_signed(uint64_t *w, const struct mpc_pai_plain *m, uint64_t magnitude,
                       uint64_t negative)
{
    uint64_t other[MPC_PAI_MAX_LIMBS];
    const mp_limb_t *n = m->key->n2->m;
    uint64_t mask =
        ((uint64_t)0 - negative) & ~(uint64_t)(((magnitude | (0 - magnitude)) >> 63) - 1);
    uint64_t borrow = magnitude;

    memset(w, 0, m->k * sizeof *w);
    w[0] = magnitude;
    for (size_t i = 0; i < m->k; i++) {
        other[i] = n[i] - borrow;
        borrow = (uint64_t)(n[i] < borrow);
    }
    mpc_pai_limbs_pick(w, other, m->k, mask);
}

fm_status mpc_pai_plain_from_i64(struct mpc_pai_plain *m, const int64_t *v, struct base_err *err)
{
    if (m->key->bits < 66)
        return base_err_set(err, FM_E_LIMIT,
                            "paillier: an int64 does not fit below a modulus of %u bits",
                            m->key->bits);
    for (size_t i = 0; i < m->n; i++) {
        uint64_t negative = (uint64_t)v[i] >> 63, sign = (uint64_t)0 - negative;
        put_signed(m->w + m->k * i, m, ((uint64_t)v[i] ^ sign) + negative, negative);
    }
    return FM_OK;
}

fm_status mpc_pai_plain_to_i64(int64_t *v, const struct mpc_pai_plain *m, struct base_err *err)
{
    for (size_t i = 0; i < m->n; i++) {
        const uint64_t *w = m->w + m->k * i;
        uint64_t minus[MPC_PAI_MAX_LIMBS], high, high_minus, positive, negative, value;
        (void)mpn_sub_n(minus, m->key->n2->m, w, (mp_size_t)m->k);
        high = ~mpc_pai_limbs_zero(w + 1, m->k - 1) | ((uint64_t)0 - (w[0] >> 63));
        high_minus = ~mpc_pai_limbs_zero(minus + 1, m->k - 1) |
                     ((uint64_t)0 - ((minus[0] - 1) >> 63)); /* down to -2^63 */
        positive = ~high, negative = ~high_minus;
        if ((positive | negative) == 0)
            return base_err_set(err, FM_E_LIMIT, "paillier: plaintext %zu is no 64-bit integer", i);
        value = (positive & w[0]) | (~positive & ((uint64_t)0 - minus[0]));
        memcpy(&v[i], &value, sizeof value);
    }
    return FM_OK;
}

fm_status mpc_pai_plain_from_bytes(struct mpc_pai_plain *m, const uint8_t *bytes,
                                   struct base_err *err)
{
    size_t len = (m->key->bits + 7) / 8;

    for (size_t i = 0; i < m->n; i++) {
        uint64_t *w = m->w + m->k * i;
        mpc_pai_limbs_load(w, m->k, bytes + len * i, len);
        if (mpc_pai_limbs_less(w, m->key->n2->m, m->k) == 0) {
            memset(w, 0, m->k * sizeof *w);
            return base_err_set(err, FM_E_INPUT, "paillier: plaintext %zu is not below the modulus",
                                i);
        }
    }
    return FM_OK;
}

void mpc_pai_plain_to_bytes(uint8_t *bytes, const struct mpc_pai_plain *m)
{
    size_t len = (m->key->bits + 7) / 8;

    for (size_t i = 0; i < m->n; i++)
        mpc_pai_limbs_store(bytes + len * i, len, m->w + m->k * i, m->k);
}

fm_status mpc_pai_plain_masks(struct mpc_pai_plain *m, unsigned bits,
                              const struct base_random *random, struct base_err *err)
{
    if (bits + MASK_BITS + 3 > m->key->bits)
        return base_err_set(err, FM_E_LIMIT,
                            "paillier: a mask of %u bits does not fit a modulus of %u",
                            bits + MASK_BITS, m->key->bits);
    memset(m->w, 0, m->n * m->k * sizeof *m->w);
    for (size_t i = 0; i < m->n; i++)
        if (mpc_pai_limbs_random_bits(m->w + m->k * i, bits + MASK_BITS, random, err) != FM_OK)
            return err->code;
    return FM_OK;
}

fm_status mpc_pai_plain_take_masks(struct mpc_pai_plain *m, const struct mpc_pai_plain *masks,
                                   unsigned bits, struct base_err *err)
{
    size_t whole = bits / 64;

    assert(m->n == masks->n && m->k == masks->k);
    for (size_t i = 0; i < m->n; i++) {
        uint64_t *w = m->w + m->k * i;
        uint64_t wrong = mpn_sub_n(w, w, masks->w + m->k * i, (mp_size_t)m->k);
        if (whole < m->k) {
            wrong |= w[whole] >> (bits % 64);
            wrong |= ~mpc_pai_limbs_zero(w + whole + 1, m->k - whole - 1);
        }
        if (wrong != 0)
            return base_err_set(err, FM_E_INPUT, "paillier: plaintext %zu is no masked number", i);
    }
    return FM_OK;
}

static fm_status fits(const struct mpc_pai_code *z, const struct mpc_pai_modulus *key,
                      struct base_err *err)
{
    if (z->bits <= key->bits - 3)
        return FM_OK;
    return base_err_set(err, FM_E_LIMIT,
                        "paillier: a result of %u bits may overflow a modulus of %u", z->bits,
                        key->bits);
}

fm_status mpc_pai_code_sum(struct mpc_pai_code *z, const struct mpc_pai_code *x, size_t count,
                           const struct mpc_pai_modulus *key, struct base_err *err)
{
    unsigned more = 0;

    while (more < 63 && ((size_t)1 << more) < count)
        more++;
    *z = (struct mpc_pai_code){.scale = x->scale, .bits = x->bits + more};
    return fits(z, key, err);
}

fm_status mpc_pai_code_product(struct mpc_pai_code *z, const struct mpc_pai_code *x,
                               const struct mpc_pai_code *y, const struct mpc_pai_modulus *key,
                               struct base_err *err)
{
    *z = (struct mpc_pai_code){.scale = x->scale + y->scale, .bits = x->bits + y->bits};
    return fits(z, key, err);
}

fm_status mpc_pai_fixed_encode(struct mpc_pai_plain *m, const struct mpc_pai_code *code,
                               const int64_t *v, unsigned scale, struct base_err *err)
{
    uint64_t factor = 1;

    if (scale > code->scale || code->scale - scale > 19)
        return base_err_set(err, FM_E_ARG, "paillier: scale %u cannot become scale %u exactly",
                            scale, code->scale);
    if (fits(code, m->key, err) != FM_OK)
        return err->code;
    for (unsigned i = scale; i < code->scale; i++)
        factor *= 10;
    for (size_t i = 0; i < m->n; i++) {
        uint64_t negative = (uint64_t)v[i] >> 63, sign = (uint64_t)0 - negative;
        unsigned __int128 wide = (unsigned __int128)(((uint64_t)v[i] ^ sign) + negative) * factor;
        uint64_t w[MPC_PAI_MAX_LIMBS] = {(uint64_t)wide, (uint64_t)(wide >> 64)};
        uint64_t other[MPC_PAI_MAX_LIMBS], zero;
        if (code->bits < 128 && wide >> code->bits != 0)
            return base_err_set(err, FM_E_LIMIT, "paillier: value %zu has more than %u bits", i,
                                code->bits);
        if (m->k == 1 || m->key->bits < 131)
            return base_err_set(err, FM_E_LIMIT, "paillier: a modulus of %u bits is too small",
                                m->key->bits);
        (void)mpn_sub_n(other, m->key->n2->m, w, (mp_size_t)m->k);
        zero = mpc_pai_limbs_zero(w, m->k);
        mpc_pai_limbs_pick(w, other, m->k, sign & ~zero);
        memcpy(m->w + m->k * i, w, m->k * sizeof *w);
    }
    return FM_OK;
}

fm_status mpc_pai_fixed_decode(int64_t *v, const struct mpc_pai_code *code,
                               const struct mpc_pai_plain *m, struct base_err *err)
{
    if (mpc_pai_plain_to_i64(v, m, err) != FM_OK)
        return err->code;
    for (size_t i = 0; i < m->n; i++) {
        uint64_t negative = (uint64_t)v[i] >> 63, sign = (uint64_t)0 - negative;
        uint64_t magnitude = ((uint64_t)v[i] ^ sign) + negative;
        if (code->bits < 64 && magnitude >> code->bits != 0)
            return base_err_set(err, FM_E_LIMIT, "paillier: plaintext %zu has more than %u bits", i,
                                code->bits);
    }
    return FM_OK;
}
