#include "exchange/aggregate/range.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum { VERSION = 1 };

void range_bond(struct mpc_pai_bond *out, const uint8_t chain32[32], const char *alias)
{
    static const char domain[] = "firmiana/range parameters/v1";
    struct base_sha256 h;

    out->party = 0;
    base_sha256_init(&h);
    base_sha256_update(&h, domain, sizeof domain);
    base_sha256_update(&h, chain32, 32);
    base_sha256_update(&h, alias, strlen(alias));
    base_sha256_final(&h, out->session32);
}

/* ---- parameters ---- */

static void put_number(struct base_buf *out, const mpz_t v, size_t len)
{
    uint8_t *to = base_buf_extend(out, len);
    size_t used = (mpz_sizeinbase(v, 2) + 7) / 8;

    if (to == NULL)
        return;
    memset(to, 0, len);
    mpz_export(to + len - used, NULL, 1, 1, 1, 0, v);
}

fm_status range_params_make(struct base_buf *out, const struct mpc_pai_bond *bond,
                            struct base_err *err)
{
    struct mpc_pai_pedersen_secret *secret = NULL;
    struct mpc_pai_pedersen pp;
    const size_t len = RANGE_PARAMS_BITS / 8;
    fm_status st;

    mpc_pai_pedersen_init(&pp);
    st = mpc_pai_pedersen_generate(&pp, &secret, RANGE_PARAMS_BITS, err);
    if (st == FM_OK) {
        base_buf_put_u8(out, VERSION);
        base_buf_put_u16(out, RANGE_PARAMS_BITS);
        put_number(out, pp.n, len);
        put_number(out, pp.s, len);
        put_number(out, pp.t, len);
        st = mpc_pai_pedersen_prove(out, &pp, secret, bond, err);
    }
    mpc_pai_pedersen_secret_free(secret);
    mpc_pai_pedersen_release(&pp);
    return st;
}

/* Leaves the cursor at the proof. */
static fm_status take_params(struct mpc_pai_pedersen *pp, struct base_cur *cur,
                             struct base_err *err)
{
    unsigned version = base_cur_u8(cur), bits = base_cur_u16(cur);
    size_t len = bits / 8;
    const uint8_t *p;

    if (cur->bad || version != VERSION || bits != RANGE_PARAMS_BITS)
        return base_err_set(err, FM_E_PEER, "range parameters of version %u and %u bits", version,
                            bits);
    p = base_cur_take(cur, 3 * len);
    if (p == NULL)
        return base_err_set(err, FM_E_PEER, "range parameters are cut short");
    mpz_import(pp->n, len, 1, 1, 1, 0, p);
    mpz_import(pp->s, len, 1, 1, 1, 0, p + len);
    mpz_import(pp->t, len, 1, 1, 1, 0, p + 2 * len);
    if (mpz_sizeinbase(pp->n, 2) != RANGE_PARAMS_BITS)
        return base_err_set(err, FM_E_PEER, "range parameters with a modulus of fewer bits");
    return FM_OK;
}

fm_status range_seen_init(struct range_seen *seen, struct base_err *err)
{
    *seen = (struct range_seen){.next = 0};
    return pthread_mutex_init(&seen->lock, NULL) == 0
               ? FM_OK
               : base_err_set(err, FM_E_MEMORY, "range parameters: no mutex");
}

void range_seen_release(struct range_seen *seen)
{
    (void)pthread_mutex_destroy(&seen->lock);
}

static bool was_seen(struct range_seen *seen, const uint8_t hash[32])
{
    bool found = false;

    if (seen == NULL)
        return false;
    (void)pthread_mutex_lock(&seen->lock);
    for (unsigned i = 0; i < sizeof seen->hash / sizeof *seen->hash; i++)
        found = found || memcmp(seen->hash[i], hash, 32) == 0;
    (void)pthread_mutex_unlock(&seen->lock);
    return found;
}

static void remember(struct range_seen *seen, const uint8_t hash[32])
{
    if (seen == NULL)
        return;
    (void)pthread_mutex_lock(&seen->lock);
    memcpy(seen->hash[seen->next++ % (sizeof seen->hash / sizeof *seen->hash)], hash, 32);
    (void)pthread_mutex_unlock(&seen->lock);
}

fm_status range_params_read(struct mpc_pai_pedersen *pp, struct range_seen *seen, const void *bytes,
                            size_t len, const struct mpc_pai_bond *bond, struct base_err *err)
{
    struct base_cur cur = base_cur_make(bytes, len);
    struct base_sha256 h;
    uint8_t hash[32];
    fm_status st = take_params(pp, &cur, err);

    if (st != FM_OK)
        return st;
    base_sha256_init(&h);
    base_sha256_update(&h, bond->session32, sizeof bond->session32);
    base_sha256_update(&h, bytes, len);
    base_sha256_final(&h, hash);
    if (was_seen(seen, hash))
        return FM_OK;
    st = mpc_pai_pedersen_verify(pp, cur.p, cur.left, bond, err);
    if (st == FM_OK)
        remember(seen, hash);
    return st == FM_E_PEER
               ? base_err_set(err, FM_E_PEER, "the proof of its range parameters does not verify")
               : st;
}

fm_status range_params_own(struct mpc_pai_pedersen *pp, const void *bytes, size_t len,
                           struct base_err *err)
{
    struct base_cur cur = base_cur_make(bytes, len);

    if (take_params(pp, &cur, err) == FM_OK)
        return FM_OK;
    err->code = FM_E_CORRUPT;
    return base_err_prefix(err, "own");
}

/* ---- vectors ---- */

/* Each ciphertext's declared bits; the caller's to free. */
static fm_status bits_of_all(unsigned **bits, const struct range_vector *v, struct base_err *err)
{
    size_t n = v->c->v.n;

    *bits = calloc(n, sizeof **bits);
    if (*bits == NULL)
        return base_err_memory(err, "range proofs");
    for (size_t i = 0; i < n; i++)
        (*bits)[i] = v->bits_of(v->ctx, i);
    return FM_OK;
}

fm_status range_prove(struct base_buf *out, const struct range_vector *v,
                      const struct mpc_pai_plain *m, const uint64_t *r,
                      const struct mpc_pai_pedersen *pp, const struct mpc_pai_bond *bond,
                      const struct base_random *random, struct base_err *err)
{
    unsigned *bits;
    fm_status st = bits_of_all(&bits, v, err);

    if (st == FM_OK)
        st = mpc_pai_range_prove_all(out, v->c, bits, pp, m, r, bond, random, err);
    free(bits);
    return st;
}

fm_status range_verify(const struct range_vector *v, const void *bytes, size_t len,
                       const struct mpc_pai_pedersen *pp, const struct mpc_pai_bond *bond,
                       struct base_err *err)
{
    size_t wrong = 0, n = v->c->v.n;
    unsigned *bits;
    fm_status st = bits_of_all(&bits, v, err);

    if (st == FM_OK)
        st = mpc_pai_range_verify_all(&wrong, v->c, bits, pp, bytes, len, bond, err);
    if (st == FM_E_PEER && wrong == n)
        st = base_err_set(err, FM_E_PEER, "its range proofs are too long");
    else if (st == FM_E_PEER)
        st =
            base_err_set(err, FM_E_PEER,
                         "ciphertext %zu of its %zu holds more than the %u bits that are declared, "
                         "by its range proof",
                         wrong + 1, n, bits[wrong]);
    free(bits);
    return st;
}
