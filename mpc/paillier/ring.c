/* What is the same over every engine: making rings and vectors, products of a whole vector,
 * inverses. */
#include "mpc/paillier/ring.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mpc/paillier/limbs.h"
#ifdef MPC_PAI_IFMA
#include "mpc/paillier/ring_ifma.h"
#endif

const struct mpc_pai_ring_ops *mpc_pai_engine_at(size_t i, size_t bits)
{
#ifdef MPC_PAI_IFMA
    if (mpc_pai_ifma_here() && mpc_pai_ifma_takes(bits) && i-- == 0)
        return &mpc_pai_ring_ifma;
#endif
    (void)bits;
    return i == 0 ? &mpc_pai_ring_gmp : NULL;
}

static fm_status make_one(struct mpc_pai_ring *r, struct base_err *err)
{
    const mp_limb_t one = 1;

    r->one_words = r->ops->words(r, 1);
    r->one = mpc_pai_words_new(r->one_words);
    if (r->one == NULL)
        return base_err_memory(err, "paillier: ring");
    return r->ops->load(r, r->one, &one, 1, 1, err);
}

fm_status mpc_pai_ring_new(struct mpc_pai_ring **out, const mpz_t m,
                           const struct mpc_pai_ring_ops *engine, struct base_err *err)
{
    struct mpc_pai_ring *r = calloc(1, sizeof *r);
    mpz_t square;
    fm_status st;

    *out = NULL;
    mpc_pai_gmp_init();
    assert(mpz_odd_p(m) && mpz_cmp_ui(m, 1) > 0 && mpz_sizeinbase(m, 2) <= MPC_PAI_MAX_BITS);
    if (r == NULL)
        return base_err_memory(err, "paillier: ring");
    r->bits = mpz_sizeinbase(m, 2);
    r->ops = engine != NULL ? engine : mpc_pai_engine_at(0, r->bits);
    r->k = mpz_size(m);
    r->m = mpc_pai_words_new(r->k);
    r->m2 = mpc_pai_words_new(2 * r->k);
    if (r->m == NULL || r->m2 == NULL) {
        mpc_pai_ring_free(r);
        return base_err_memory(err, "paillier: ring");
    }
    mpc_pai_limbs_from_mpz(r->m, r->k, m);
    mpz_init(square);
    mpz_mul(square, m, m);
    r->k2 = mpz_size(square);
    mpc_pai_limbs_from_mpz(r->m2, 2 * r->k, square);
    mpz_clear(square);
    st = r->ops->prepare(r, err);
    if (st == FM_OK)
        st = make_one(r, err);
    if (st != FM_OK) {
        mpc_pai_ring_free(r);
        return st;
    }
    *out = r;
    return FM_OK;
}

void mpc_pai_ring_free(struct mpc_pai_ring *r)
{
    if (r == NULL)
        return;
    r->ops->release(r);
    mpc_pai_words_free(r->one, r->one_words);
    mpc_pai_words_free(r->m, r->k);
    mpc_pai_words_free(r->m2, 2 * r->k);
    free(r);
}

fm_status mpc_pai_vec_init(struct mpc_pai_vec *v, const struct mpc_pai_ring *r, size_t n,
                           struct base_err *err)
{
    *v = (struct mpc_pai_vec){.ring = r, .n = n};
    if (n > SIZE_MAX / 64 / (4 * MPC_PAI_MAX_LIMBS))
        return base_err_memory(err, "paillier: vector");
    v->words = r->ops->words(r, n);
    v->w = mpc_pai_words_new(v->words);
    return v->w != NULL ? FM_OK : base_err_memory(err, "paillier: vector");
}

void mpc_pai_vec_release(struct mpc_pai_vec *v)
{
    mpc_pai_words_free(v->w, v->words);
    *v = (struct mpc_pai_vec){0};
}

fm_status mpc_pai_vec_load(struct mpc_pai_vec *z, const mp_limb_t *x, size_t limbs,
                           struct base_err *err)
{
    assert(limbs <= 4 * z->ring->k);
    return z->ring->ops->load(z->ring, z->w, x, limbs, z->n, err);
}

fm_status mpc_pai_vec_store(mp_limb_t *lo, mp_limb_t *hi, const struct mpc_pai_vec *z,
                            struct base_err *err)
{
    return z->ring->ops->store(z->ring, lo, hi, z->w, z->n, err);
}

fm_status mpc_pai_vec_store_whole(mp_limb_t *x, const struct mpc_pai_vec *z, struct base_err *err)
{
    size_t k = z->ring->k,
           words = 2 * k * z->n + (size_t)mpn_sec_mul_itch((mp_size_t)k, (mp_size_t)k);
    uint64_t *t = mpc_pai_words_new(words);
    uint64_t *hi = t + k * z->n;
    fm_status st;

    if (t == NULL)
        return base_err_memory(err, "paillier: store");
    st = mpc_pai_vec_store(t, hi, z, err);
    for (size_t i = 0; st == FM_OK && i < z->n; i++) {
        mp_limb_t *to = x + 2 * k * i;
        mp_limb_t carry;
        mpn_sec_mul(to, hi + k * i, (mp_size_t)k, z->ring->m, (mp_size_t)k, t + 2 * k * z->n);
        carry = mpn_add_n(to, to, t + k * i, (mp_size_t)k);
        for (size_t j = k; j < 2 * k; j++) {
            to[j] += carry;
            carry &= (mp_limb_t)(to[j] == 0);
        }
    }
    mpc_pai_words_free(t, words);
    return st;
}

void mpc_pai_vec_move(struct mpc_pai_vec *z, size_t i, const struct mpc_pai_vec *x, size_t j)
{
    assert(z->ring == x->ring && i < z->n && j < x->n);
    z->ring->ops->move(z->ring, z->w, i, x->w, j);
}

void mpc_pai_vec_pick(struct mpc_pai_vec *z, const struct mpc_pai_vec *x, const uint64_t *mask)
{
    assert(z->ring == x->ring && z->n == x->n);
    z->ring->ops->pick(z->ring, z->w, x->w, mask, z->n);
}

fm_status mpc_pai_vec_mul(struct mpc_pai_vec *z, const struct mpc_pai_vec *x,
                          const struct mpc_pai_vec *y, struct base_err *err)
{
    assert(z->ring == x->ring && z->ring == y->ring && z->n == x->n && z->n == y->n);
    return z->ring->ops->mul(z->ring, z->w, x->w, y->w, z->n, err);
}

fm_status mpc_pai_vec_mul_var(struct mpc_pai_vec *z, const struct mpc_pai_vec *x,
                              const struct mpc_pai_vec *y, struct base_err *err)
{
    assert(z->ring == x->ring && z->ring == y->ring && z->n == x->n && z->n == y->n);
    return z->ring->ops->mul_var(z->ring, z->w, x->w, y->w, z->n, err);
}

fm_status mpc_pai_vec_pow(struct mpc_pai_vec *z, const struct mpc_pai_vec *x, const mp_limb_t *e,
                          size_t bits, struct base_err *err)
{
    assert(z->ring == x->ring && z->n == x->n && bits > 0);
    return z->ring->ops->pow(z->ring, z->w, x->w, e, bits, z->n, err);
}

fm_status mpc_pai_vec_pow_public(struct mpc_pai_vec *z, const struct mpc_pai_vec *x,
                                 const mp_limb_t *e, size_t bits, struct base_err *err)
{
    assert(z->ring == x->ring && z->n == x->n && bits > 0);
    return z->ring->ops->pow_public(z->ring, z->w, x->w, e, bits, z->n, err);
}

fm_status mpc_pai_vec_pow_each(struct mpc_pai_vec *z, const struct mpc_pai_vec *x,
                               const mp_limb_t *e, size_t bits, struct base_err *err)
{
    assert(z->ring == x->ring && z->n == x->n && bits > 0);
    return z->ring->ops->pow_each(z->ring, z->w, x->w, e, bits, z->n, err);
}

fm_status mpc_pai_vec_dot(struct mpc_pai_vec *z, const struct mpc_pai_vec *x, const mp_limb_t *e,
                          size_t bits, struct base_err *err)
{
    assert(z->ring == x->ring && z->n == 1 && bits > 0);
    return z->ring->ops->dot(z->ring, z->w, x->w, e, bits, x->n, err);
}

fm_status mpc_pai_vec_dots(struct mpc_pai_vec *z, const struct mpc_pai_vec *x, const mp_limb_t *e,
                           size_t bits, struct base_err *err)
{
    assert(z->ring == x->ring && z->n > 0 && x->n % z->n == 0 && bits > 0);
    assert(z->n % MPC_PAI_BATCH == 0 || x->n == z->n);
    return z->ring->ops->dots(z->ring, z->w, x->w, e, bits, z->n, x->n / z->n, err);
}

/* A copy with ones up to whole batches of MPC_PAI_BATCH. */
static fm_status padded_copy(struct mpc_pai_vec *t, const struct mpc_pai_vec *x,
                             struct base_err *err)
{
    const struct mpc_pai_ring *r = x->ring;
    fm_status st =
        mpc_pai_vec_init(t, r, (x->n + MPC_PAI_BATCH - 1) / MPC_PAI_BATCH * MPC_PAI_BATCH, err);

    if (st != FM_OK)
        return st;
    memcpy(t->w, x->w, x->words * sizeof *x->w);
    for (size_t i = x->n; i < t->n; i++)
        r->ops->move(r, t->w, i, r->one, 0);
    return FM_OK;
}

fm_status mpc_pai_vec_product_var(struct mpc_pai_vec *z, const struct mpc_pai_vec *x,
                                  struct base_err *err)
{
    const struct mpc_pai_ring *r = x->ring;
    size_t batch = r->ops->words(r, MPC_PAI_BATCH), batches;
    struct mpc_pai_vec t, half = {0};
    fm_status st;

    assert(z->ring == r && z->n == 1);
    if (x->n == 0) {
        r->ops->move(r, z->w, 0, r->one, 0);
        return FM_OK;
    }
    st = padded_copy(&t, x, err);
    if (st == FM_OK)
        st = mpc_pai_vec_init(&half, r, MPC_PAI_BATCH, err);
    for (batches = t.n / MPC_PAI_BATCH; st == FM_OK && batches > 1; batches -= batches / 2)
        st = r->ops->mul_var(r, t.w, t.w, t.w + batch * (batches - batches / 2),
                             batches / 2 * MPC_PAI_BATCH, err);
    for (size_t n = MPC_PAI_BATCH / 2; st == FM_OK && n > 0; n /= 2) {
        for (size_t i = 0; i < n; i++)
            r->ops->move(r, half.w, i, t.w, n + i);
        st = r->ops->mul_var(r, t.w, t.w, half.w, n, err);
    }
    if (st == FM_OK)
        r->ops->move(r, z->w, 0, t.w, 0);
    mpc_pai_vec_release(&half);
    mpc_pai_vec_release(&t);
    return st;
}

/* Which of x has no inverse: some one has none. */
static fm_status blame(const struct mpc_pai_vec *x, struct base_err *err)
{
    size_t k = x->ring->k, i = 0;
    uint64_t *t = mpc_pai_words_new(2 * k * x->n);
    fm_status st = t != NULL ? mpc_pai_vec_store(t, t + k * x->n, x, err)
                             : base_err_memory(err, "paillier: inverse");
    mpz_t v, m;

    mpz_inits(v, m, NULL);
    mpc_pai_mpz_from_limbs(m, x->ring->m, k);
    for (; st == FM_OK && i < x->n; i++) {
        mpc_pai_mpz_from_limbs(v, t + k * i, k);
        mpz_gcd(v, v, m);
        if (mpz_cmp_ui(v, 1) != 0)
            break;
    }
    mpz_clears(v, m, NULL);
    mpc_pai_words_free(t, 2 * k * x->n);
    return st != FM_OK ? st
                       : base_err_set(err, FM_E_INPUT, "paillier: element %zu has no inverse", i);
}

/* z = 1 / x for one batch, by GMP. FM_E_INVALID where it has none. */
static fm_status invert_batch(struct mpc_pai_vec *z, const struct mpc_pai_vec *x,
                              struct base_err *err)
{
    size_t k2 = 2 * x->ring->k;
    uint64_t *t = mpc_pai_words_new(k2 * x->n);
    fm_status st =
        t != NULL ? mpc_pai_vec_store_whole(t, x, err) : base_err_memory(err, "paillier: inverse");
    mpz_t v, m2;

    mpz_inits(v, m2, NULL);
    mpc_pai_mpz_from_limbs(m2, x->ring->m2, k2);
    for (size_t i = 0; st == FM_OK && i < x->n; i++) {
        mpc_pai_mpz_from_limbs(v, t + k2 * i, k2);
        if (mpz_invert(v, v, m2) == 0)
            st = base_err_set(err, FM_E_INVALID, "paillier: no inverse");
        else
            mpc_pai_limbs_from_mpz(t + k2 * i, k2, v);
    }
    mpz_clears(v, m2, NULL);
    if (st == FM_OK)
        st = mpc_pai_vec_load(z, t, k2, err);
    mpc_pai_words_free(t, k2 * x->n);
    return st;
}

/* Montgomery's trick, eight chains side by side: prefix products up, one batch inverted, and down
 * again; three products an element. t: the padded copy, p: as long, inv: one batch. */
static fm_status invert_all(struct mpc_pai_vec *t, struct mpc_pai_vec *p, struct mpc_pai_vec *inv,
                            struct base_err *err)
{
    const struct mpc_pai_ring *r = t->ring;
    size_t w = r->ops->words(r, MPC_PAI_BATCH), batches = t->n / MPC_PAI_BATCH;
    struct mpc_pai_vec last = *inv;
    fm_status st = FM_OK;

    memcpy(p->w, t->w, w * sizeof *p->w);
    for (size_t g = 1; st == FM_OK && g < batches; g++)
        st = r->ops->mul_var(r, p->w + w * g, p->w + w * (g - 1), t->w + w * g, MPC_PAI_BATCH, err);
    last.w = p->w + w * (batches - 1);
    if (st == FM_OK)
        st = invert_batch(inv, &last, err);
    for (size_t g = batches; st == FM_OK && g-- > 0;) {
        uint64_t *at = g > 0 ? p->w + w * (g - 1) : NULL;
        if (at == NULL) {
            memcpy(t->w, inv->w, w * sizeof *t->w);
            break;
        }
        st = r->ops->mul_var(r, at, at, inv->w, MPC_PAI_BATCH, err);
        if (st == FM_OK)
            st = r->ops->mul_var(r, inv->w, inv->w, t->w + w * g, MPC_PAI_BATCH, err);
        memcpy(t->w + w * g, at, w * sizeof *t->w);
    }
    return st;
}

fm_status mpc_pai_vec_inverse_var(struct mpc_pai_vec *z, const struct mpc_pai_vec *x,
                                  struct base_err *err)
{
    struct mpc_pai_vec t, p = {0}, inv = {0};
    fm_status st;

    assert(z->ring == x->ring && z->n == x->n);
    if (x->n == 0)
        return FM_OK;
    st = padded_copy(&t, x, err);
    if (st == FM_OK)
        st = mpc_pai_vec_init(&p, x->ring, t.n, err);
    if (st == FM_OK)
        st = mpc_pai_vec_init(&inv, x->ring, MPC_PAI_BATCH, err);
    if (st == FM_OK)
        st = invert_all(&t, &p, &inv, err);
    if (st == FM_OK)
        memcpy(z->w, t.w, z->words * sizeof *z->w);
    else if (st == FM_E_INVALID)
        st = blame(x, err);
    mpc_pai_vec_release(&inv);
    mpc_pai_vec_release(&p);
    mpc_pai_vec_release(&t);
    return st;
}

fm_status mpc_pai_table_new(struct mpc_pai_table **out, const struct mpc_pai_ring *r,
                            const mp_limb_t *base, size_t bits, struct base_err *err)
{
    struct mpc_pai_table *t = calloc(1, sizeof *t);
    fm_status st;

    *out = NULL;
    if (t == NULL)
        return base_err_memory(err, "paillier: table");
    t->ring = r;
    t->bits = bits;
    st = r->ops->table_new(r, t, base, err);
    if (st != FM_OK)
        mpc_pai_table_free(t);
    else
        *out = t;
    return st;
}

void mpc_pai_table_free(struct mpc_pai_table *t)
{
    if (t == NULL)
        return;
    mpc_pai_words_free(t->w, t->words);
    free(t);
}

fm_status mpc_pai_table_pow(const struct mpc_pai_table *t, struct mpc_pai_vec *z,
                            const mp_limb_t *e, struct base_err *err)
{
    assert(t->ring == z->ring);
    return t->ring->ops->table_pow(t, z->w, e, z->n, err);
}
