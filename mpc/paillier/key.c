/* Keys from their parts. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/secret.h"
#include "mpc/paillier/key_own.h"
#include "mpc/paillier/limbs.h"

fm_status mpc_pai_check_bits(unsigned bits, struct base_err *err)
{
    if (bits == 2048 || bits == 3072 || bits == 4096)
        return FM_OK;
    return base_err_set(err, FM_E_ARG, "paillier: keys have 2048, 3072 or 4096 bits, not %u", bits);
}

unsigned mpc_pai_sub_exponent_bits(unsigned bits)
{
    return bits <= 2048 ? 448 : 512;
}

static void id_of(uint8_t id32[32], const mpz_t n, unsigned bits)
{
    uint8_t bytes[MPC_PAI_MAX_BITS / 8];
    mp_limb_t limbs[MPC_PAI_MAX_LIMBS];

    mpc_pai_limbs_from_mpz(limbs, MPC_PAI_MAX_LIMBS, n);
    mpc_pai_limbs_store(bytes, (bits + 7) / 8, limbs, MPC_PAI_MAX_LIMBS);
    base_hash(id32, bytes, (bits + 7) / 8);
}

static fm_status modulus_init(struct mpc_pai_modulus *m, const mpz_t n,
                              const struct mpc_pai_ring_ops *engine, struct base_err *err)
{
    m->bits = (unsigned)mpz_sizeinbase(n, 2);
    mpz_init_set(m->n, n);
    id_of(m->id, n, m->bits);
    return mpc_pai_ring_new(&m->n2, n, engine, err);
}

static void modulus_release(struct mpc_pai_modulus *m)
{
    mpc_pai_ring_free(m->n2);
    mpz_clear(m->n);
}

fm_status mpc_pai_std_make(struct mpc_pai_std **key, const mpz_t n,
                           const struct mpc_pai_ring_ops *engine, struct base_err *err)
{
    mpc_pai_gmp_init();
    *key = calloc(1, sizeof **key);
    if (*key == NULL)
        return base_err_memory(err, "paillier: key");
    if (modulus_init(&(*key)->n, n, engine, err) != FM_OK) {
        mpc_pai_std_free(*key);
        *key = NULL;
        return err->code;
    }
    return FM_OK;
}

void mpc_pai_std_free(struct mpc_pai_std *key)
{
    if (key == NULL)
        return;
    modulus_release(&key->n);
    free(key);
}

static fm_status short_init(struct mpc_pai_short *s, const mpz_t n, const mpz_t h,
                            unsigned exponent_bits, const struct mpc_pai_ring_ops *engine,
                            struct base_err *err)
{
    mp_limb_t base[2 * MPC_PAI_MAX_LIMBS];
    mpz_t square, hn;
    fm_status st = modulus_init(&s->std.n, n, engine, err);

    mpz_init_set(s->h, h);
    s->exponent_bits = exponent_bits;
    if (st != FM_OK)
        return st;
    mpz_inits(square, hn, NULL);
    mpz_mul(square, n, n);
    mpz_powm(hn, h, n, square);
    mpc_pai_limbs_from_mpz(base, 2 * s->std.n.n2->k, hn);
    mpz_clears(square, hn, NULL);
    return mpc_pai_table_new(&s->table, s->std.n.n2, base, exponent_bits, err);
}

static void short_release(struct mpc_pai_short *s)
{
    mpc_pai_table_free(s->table);
    mpz_clear(s->h);
    modulus_release(&s->std.n);
}

fm_status mpc_pai_djn_make(struct mpc_pai_djn **key, const mpz_t n, const mpz_t h,
                           const struct mpc_pai_ring_ops *engine, struct base_err *err)
{
    unsigned bits = (unsigned)mpz_sizeinbase(n, 2);

    mpc_pai_gmp_init();
    *key = calloc(1, sizeof **key);
    if (*key == NULL)
        return base_err_memory(err, "paillier: key");
    if (short_init(&(*key)->s, n, h, (bits + 1) / 2, engine, err) != FM_OK) {
        mpc_pai_djn_free(*key);
        *key = NULL;
        return err->code;
    }
    return FM_OK;
}

void mpc_pai_djn_free(struct mpc_pai_djn *key)
{
    if (key == NULL)
        return;
    short_release(&key->s);
    free(key);
}

fm_status mpc_pai_sub_make(struct mpc_pai_sub **key, const mpz_t n, const mpz_t h,
                           const struct mpc_pai_ring_ops *engine, struct base_err *err)
{
    unsigned bits = (unsigned)mpz_sizeinbase(n, 2);

    mpc_pai_gmp_init();
    *key = calloc(1, sizeof **key);
    if (*key == NULL)
        return base_err_memory(err, "paillier: key");
    if (short_init(&(*key)->s, n, h, mpc_pai_sub_exponent_bits(bits), engine, err) != FM_OK) {
        mpc_pai_sub_free(*key);
        *key = NULL;
        return err->code;
    }
    return FM_OK;
}

void mpc_pai_sub_free(struct mpc_pai_sub *key)
{
    if (key == NULL)
        return;
    short_release(&key->s);
    free(key);
}

static fm_status side_init(struct mpc_pai_side *s, const mpz_t p, const mpz_t q, size_t l,
                           const struct mpc_pai_ring_ops *engine, struct base_err *err)
{
    mpz_t t;

    mpz_init(t);
    mpz_sub_ui(t, p, 1);
    mpc_pai_limbs_from_mpz(s->order, l, t);
    mpz_neg(t, q);
    mpz_invert(t, t, p);
    mpc_pai_limbs_from_mpz(s->h, l, t);
    mpz_clear(t);
    return mpc_pai_ring_new(&s->p2, p, engine, err);
}

fm_status mpc_pai_secret_make(struct mpc_pai_secret **secret, const mpz_t p, const mpz_t q,
                              const struct mpc_pai_ring_ops *engine, struct base_err *err)
{
    struct mpc_pai_secret *s = base_secret_alloc(sizeof *s);
    fm_status st;
    mpz_t t, q2;

    *secret = NULL;
    mpc_pai_gmp_init();
    if (s == NULL)
        return base_err_memory(err, "paillier: secret key");
    assert(mpz_size(p) == mpz_size(q));
    s->l = mpz_size(p);
    mpz_inits(t, q2, NULL);
    mpz_mul(t, p, q);
    s->bits = (unsigned)mpz_sizeinbase(t, 2);
    mpc_pai_limbs_from_mpz(s->n, 2 * s->l, t);
    id_of(s->id, t, s->bits);
    mpz_invert(t, p, q);
    mpc_pai_limbs_from_mpz(s->p_inverse, s->l, t);
    mpz_mul(q2, q, q);
    mpz_mul(t, p, p);
    mpz_invert(t, t, q2);
    mpc_pai_limbs_from_mpz(s->p2_inverse, 2 * s->l, t);
    mpz_clears(t, q2, NULL);
    st = side_init(&s->side[0], p, q, s->l, engine, err);
    if (st == FM_OK)
        st = side_init(&s->side[1], q, p, s->l, engine, err);
    if (st != FM_OK)
        mpc_pai_secret_free(s);
    else
        *secret = s;
    return st;
}

void mpc_pai_secret_free(struct mpc_pai_secret *secret)
{
    if (secret == NULL)
        return;
    mpc_pai_ring_free(secret->side[0].p2);
    mpc_pai_ring_free(secret->side[1].p2);
    base_secret_free(secret, sizeof *secret);
}

const struct mpc_pai_modulus *mpc_pai_std_modulus(const struct mpc_pai_std *key)
{
    return &key->n;
}

const struct mpc_pai_modulus *mpc_pai_djn_modulus(const struct mpc_pai_djn *key)
{
    return &key->s.std.n;
}

const struct mpc_pai_modulus *mpc_pai_sub_modulus(const struct mpc_pai_sub *key)
{
    return &key->s.std.n;
}

const struct mpc_pai_std *mpc_pai_djn_as_std(const struct mpc_pai_djn *key)
{
    return &key->s.std;
}

const struct mpc_pai_std *mpc_pai_sub_as_std(const struct mpc_pai_sub *key)
{
    return &key->s.std;
}

unsigned mpc_pai_modulus_bits(const struct mpc_pai_modulus *n)
{
    return n->bits;
}

const uint8_t *mpc_pai_modulus_id32(const struct mpc_pai_modulus *n)
{
    return n->id;
}

const char *mpc_pai_modulus_engine(const struct mpc_pai_modulus *n)
{
    return n->n2->ops->name;
}

int mpc_pai_secret_opens(const struct mpc_pai_secret *secret, const struct mpc_pai_modulus *n)
{
    return base_equal(secret->id, n->id, sizeof n->id);
}

fm_status mpc_pai_any_make(struct mpc_pai_any *key, enum mpc_pai_kind kind, const mpz_t n,
                           const mpz_t h, const struct mpc_pai_ring_ops *engine,
                           struct base_err *err)
{
    *key = (struct mpc_pai_any){0};
    if (kind == MPC_PAI_STD)
        return mpc_pai_std_make(&key->std, n, engine, err);
    if (kind == MPC_PAI_DJN)
        return mpc_pai_djn_make(&key->djn, n, h, engine, err);
    return mpc_pai_sub_make(&key->sub, n, h, engine, err);
}

const struct mpc_pai_modulus *mpc_pai_any_modulus(const struct mpc_pai_any *key)
{
    return key->std != NULL   ? mpc_pai_std_modulus(key->std)
           : key->djn != NULL ? mpc_pai_djn_modulus(key->djn)
                              : mpc_pai_sub_modulus(key->sub);
}

void mpc_pai_any_free(struct mpc_pai_any *key)
{
    mpc_pai_std_free(key->std);
    mpc_pai_djn_free(key->djn);
    mpc_pai_sub_free(key->sub);
    *key = (struct mpc_pai_any){0};
}
