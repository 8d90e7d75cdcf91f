/* Threshold keys, shares and parts as bytes: threshold.h. */
#include <string.h>

#include "base/secret.h"
#include "mpc/paillier/limbs.h"
#include "mpc/paillier/threshold_own.h"

static void put_number(struct base_buf *out, const mpz_t v, size_t len)
{
    mp_limb_t limbs[MPC_PAI_THR_LIMBS + 8];
    uint8_t *to = base_buf_extend(out, len);

    mpc_pai_limbs_from_mpz(limbs, sizeof limbs / sizeof *limbs, v);
    if (to != NULL)
        mpc_pai_limbs_store(to, len, limbs, sizeof limbs / sizeof *limbs);
}

fm_status mpc_pai_thr_put(struct base_buf *out, const struct mpc_pai_thr *key, struct base_err *err)
{
    unsigned bits = key->std->n.bits;

    base_buf_put_u8(out, MPC_PAI_VERSION);
    base_buf_put_u8(out, MPC_PAI_KIND_THR);
    base_buf_put_u16(out, (uint16_t)bits);
    put_number(out, key->std->n.n, bits / 8);
    base_buf_put_u8(out, (uint8_t)key->t);
    base_buf_put_u8(out, (uint8_t)key->parties);
    base_buf_put_u8(out, (uint8_t)strlen(key->dealer));
    base_buf_put_str(out, key->dealer);
    put_number(out, key->v, bits / 4);
    for (unsigned i = 0; i < key->parties; i++)
        put_number(out, key->vi[i], bits / 4);
    return base_buf_status(out, "paillier: threshold key", err);
}

static void take_number(mpz_t v, struct base_cur *cur, size_t len)
{
    const uint8_t *bytes = base_cur_take(cur, len);

    mpz_set_ui(v, 0);
    if (bytes != NULL)
        mpz_import(v, len, 1, 1, 1, 0, bytes);
}

static fm_status check_unit(const mpz_t v, const mpz_t n, struct base_err *err)
{
    fm_status st = FM_OK;
    mpz_t t;

    mpz_init(t);
    mpz_mul(t, n, n);
    if (mpz_cmp(v, t) >= 0)
        st = base_err_set(err, FM_E_INPUT, "paillier: a verification value is not below n^2");
    mpz_gcd(t, v, n);
    if (st == FM_OK && mpz_cmp_ui(t, 1) != 0)
        st = base_err_set(err, FM_E_INPUT, "paillier: a verification value is no unit");
    mpz_clear(t);
    return st;
}

/* Everything after n. */
static fm_status get_rest(struct mpc_pai_thr **key, const mpz_t n, unsigned bits,
                          struct base_cur *cur, struct base_err *err)
{
    unsigned t = base_cur_u8(cur), parties = base_cur_u8(cur), name_len = base_cur_u8(cur);
    char dealer[MPC_PAI_THR_DEALER] = "";
    fm_status st;

    if (cur->bad || t < 1 || t > parties || parties > MPC_PAI_THR_PARTIES || name_len < 1 ||
        name_len >= sizeof dealer)
        return base_err_set(err, FM_E_INPUT,
                            "paillier: threshold key: %u of %u, a name of %u bytes", t, parties,
                            name_len);
    base_cur_copy(cur, dealer, name_len);
    if (strlen(dealer) != name_len)
        return base_err_set(err, FM_E_INPUT,
                            "paillier: threshold key: the dealer's name holds a NUL");
    if (mpc_pai_thr_alloc(key, n, t, parties, dealer, NULL, err) != FM_OK)
        return err->code;
    take_number((*key)->v, cur, bits / 4);
    st = check_unit((*key)->v, n, err);
    for (unsigned i = 0; st == FM_OK && i < parties; i++) {
        take_number((*key)->vi[i], cur, bits / 4);
        st = check_unit((*key)->vi[i], n, err);
    }
    if (cur->bad || st == FM_OK)
        st = base_cur_end(cur, "paillier: threshold key", err);
    return st;
}

fm_status mpc_pai_thr_get(struct mpc_pai_thr **key, const void *bytes, size_t len,
                          struct base_err *err)
{
    struct base_cur cur = base_cur_make(bytes, len);
    unsigned version = base_cur_u8(&cur), kind = base_cur_u8(&cur), bits = base_cur_u16(&cur);
    fm_status st;
    mpz_t n;

    *key = NULL;
    mpc_pai_gmp_init();
    if (cur.bad || version != MPC_PAI_VERSION || kind != MPC_PAI_KIND_THR)
        return base_err_set(err, FM_E_INPUT, "paillier: threshold key of version %u and kind %u",
                            version, kind);
    if (mpc_pai_check_bits(bits, err) != FM_OK)
        return base_err_set(err, FM_E_INPUT, "paillier: a threshold key of %u bits", bits);
    mpz_init(n);
    take_number(n, &cur, bits / 8);
    st = mpc_pai_modulus_check(n, bits, err);
    if (st == FM_OK)
        st = get_rest(key, n, bits, &cur, err);
    mpz_clear(n);
    if (st != FM_OK) {
        mpc_pai_thr_free(*key);
        *key = NULL;
    }
    return st;
}

fm_status mpc_pai_thr_share_put(struct base_buf *out, const struct mpc_pai_thr_share *share,
                                struct base_err *err)
{
    size_t len = (share->exponent_bits + 7) / 8;
    uint8_t *to;

    base_buf_put_u8(out, MPC_PAI_VERSION);
    base_buf_put_u8(out, MPC_PAI_KIND_SHARE);
    base_buf_put_u16(out, (uint16_t)((share->exponent_bits - MPC_PAI_THR_FACTORIAL_BITS) / 2));
    base_buf_put(out, share->id, sizeof share->id);
    base_buf_put_u8(out, (uint8_t)share->party);
    to = base_buf_extend(out, len);
    if (to != NULL)
        mpc_pai_limbs_store(to, len, share->x, MPC_PAI_THR_LIMBS);
    return base_buf_status(out, "paillier: share", err);
}

fm_status mpc_pai_thr_share_get(struct mpc_pai_thr_share **share, const struct mpc_pai_thr *key,
                                const void *bytes, size_t len, struct base_err *err)
{
    struct base_cur cur = base_cur_make(bytes, len);
    unsigned version = base_cur_u8(&cur), kind = base_cur_u8(&cur), bits = base_cur_u16(&cur),
             party;
    size_t exponent_bits = mpc_pai_thr_exponent_bits(bits);
    const uint8_t *id = base_cur_take(&cur, 32);
    struct mpc_pai_thr_share *s;

    *share = NULL;
    party = base_cur_u8(&cur);
    if (cur.bad || version != MPC_PAI_VERSION || kind != MPC_PAI_KIND_SHARE)
        return base_err_set(err, FM_E_INPUT, "paillier: share of version %u and kind %u", version,
                            kind);
    if (bits != key->std->n.bits || !base_equal(id, key->std->n.id, 32) || party < 1 ||
        party > key->parties)
        return base_err_set(err, FM_E_INPUT, "paillier: share of party %u of another key", party);
    if (cur.left != (exponent_bits + 7) / 8)
        return base_err_set(err, FM_E_INPUT, "paillier: a share takes %zu bytes, not %zu",
                            (exponent_bits + 7) / 8, cur.left);
    s = base_secret_alloc(sizeof *s);
    if (s == NULL)
        return base_err_memory(err, "paillier: share");
    s->party = party;
    memcpy(s->id, id, sizeof s->id);
    s->exponent_bits = exponent_bits;
    mpc_pai_limbs_load(s->x, MPC_PAI_THR_LIMBS, cur.p, cur.left);
    *share = s;
    return FM_OK;
}

fm_status mpc_pai_thr_part_put(struct base_buf *out, const struct mpc_pai_thr_part *part,
                               struct base_err *err)
{
    size_t len = (mpc_pai_thr_answer_bits(part->c.key->bits) + 7) / 8;

    base_buf_put_u8(out, MPC_PAI_VERSION);
    base_buf_put_u8(out, MPC_PAI_KIND_PART);
    base_buf_put_u8(out, (uint8_t)part->party);
    base_buf_put(out, part->challenge, sizeof part->challenge);
    base_buf_put_u16(out, (uint16_t)len);
    put_number(out, part->answer, len);
    return mpc_pai_cipher_put(out, &part->c, err);
}

fm_status mpc_pai_thr_part_get(struct mpc_pai_thr_part *part, const struct mpc_pai_thr *key,
                               size_t max, const void *bytes, size_t len, struct base_err *err)
{
    struct base_cur cur = base_cur_make(bytes, len);
    unsigned version = base_cur_u8(&cur), kind = base_cur_u8(&cur);
    size_t answer_len;
    fm_status st;

    *part = (struct mpc_pai_thr_part){.party = base_cur_u8(&cur)};
    base_cur_copy(&cur, part->challenge, sizeof part->challenge);
    answer_len = base_cur_u16(&cur);
    if (cur.bad || version != MPC_PAI_VERSION || kind != MPC_PAI_KIND_PART || part->party < 1 ||
        part->party > key->parties ||
        answer_len != (mpc_pai_thr_answer_bits(key->std->n.bits) + 7) / 8)
        return base_err_set(err, FM_E_INPUT, "paillier: not a part of this key's decryption");
    mpz_init(part->answer);
    take_number(part->answer, &cur, answer_len);
    st = mpc_pai_cipher_get(&part->c, &key->std->n, max, cur.p, cur.left, err);
    if (st != FM_OK)
        mpz_clear(part->answer);
    return st;
}
