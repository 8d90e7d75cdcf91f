/* Step 1: the providers' vectors, and the proofs of their ranges. */
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "exchange/aggregate/local.h"
#include "exchange/aggregate/run_own.h"

/* ---- one's own vector ---- */

struct own {
    int64_t *numbers;
    struct mpc_pai_plain plain;
    uint64_t *units;
};

static struct mpc_pai_bond range_proof_bond(const struct aggregate_run *r, unsigned provider)
{
    struct mpc_pai_bond bond = {.party = provider + 1};

    aggregate_hash(bond.session32, r, "firmiana/aggregate/range/v2", NULL, 0);
    return bond;
}

/* The same proofs for every decryptor. */
static fm_status send_proofs(struct aggregate_run *r, size_t source, const struct own *own,
                             struct base_err *err)
{
    unsigned self = r->c->transport->self;
    struct mpc_pai_bond bond = range_proof_bond(r, self);
    struct aggregate_claims claims;
    struct base_buf proofs = {0};
    fm_status st = aggregate_pack_claims(&claims, &r->pack, source, err);

    if (st == FM_OK)
        st = mpc_pai_slots_prove(&proofs, &r->vectors[source], claims.of, r->generators,
                                 &own->plain, own->units, &bond, r->c->random, err);
    for (unsigned to = 0; st == FM_OK && to < r->c->decryptors; to++)
        if (to != self)
            st = aggregate_send(r, to, &proofs, err);
    aggregate_claims_release(&claims);
    base_buf_release(&proofs);
    return st;
}

static fm_status encrypt(struct aggregate_run *r, size_t source, struct own *own,
                         struct base_err *err)
{
    const struct mpc_pai_std *std = mpc_pai_thr_as_std(r->c->key);
    fm_status st = aggregate_pack_fill(&own->plain, &r->pack, own->numbers, err);

    if (st == FM_OK)
        st = mpc_pai_cipher_init(&r->vectors[source], own->plain.key, r->pack.ciphers, err);
    if (st != FM_OK)
        return st;
    r->have[source] = true;
    return mpc_pai_std_encrypt_keep(&r->vectors[source], own->units, std, &own->plain, r->c->random,
                                    err);
}

static fm_status send_vector(struct aggregate_run *r, size_t source, struct base_err *err)
{
    struct base_buf bytes = {0};
    fm_status st = mpc_pai_cipher_put(&bytes, &r->vectors[source], err);

    for (unsigned to = 0; st == FM_OK && to < r->c->transport->parties; to++)
        if (to != r->c->transport->self && (aggregate_decrypts(r, to) || aggregate_receives(r, to)))
            st = aggregate_send(r, to, &bytes, err);
    if (st == FM_OK) {
        aggregate_hash(r->record->input[source], r, "firmiana/receipt/ciphertexts/v1", bytes.p,
                       bytes.len);
        r->record->holds_input[source] = true;
    }
    base_buf_release(&bytes);
    return st;
}

static fm_status own_init(struct own *own, const struct aggregate_run *r, struct base_err *err)
{
    const struct mpc_pai_modulus *n = mpc_pai_std_modulus(mpc_pai_thr_as_std(r->c->key));

    *own = (struct own){.numbers = calloc(r->total, sizeof *own->numbers)};
    if (own->numbers == NULL)
        return base_err_memory(err, "aggregate");
    if (mpc_pai_plain_init(&own->plain, n, r->pack.ciphers, err) != FM_OK)
        return err->code;
    own->units = calloc(r->pack.ciphers * own->plain.k, sizeof *own->units);
    return own->units != NULL ? FM_OK : base_err_memory(err, "aggregate");
}

static void own_release(struct own *own, const struct aggregate_run *r)
{
    if (own->numbers != NULL)
        base_wipe(own->numbers, r->total * sizeof *own->numbers);
    if (own->units != NULL)
        base_wipe(own->units, r->pack.ciphers * own->plain.k * sizeof *own->units);
    free(own->numbers);
    free(own->units);
    if (own->plain.w != NULL)
        mpc_pai_plain_release(&own->plain);
}

static fm_status put_in(struct aggregate_run *r, size_t source, struct base_err *err)
{
    struct own own;
    fm_status st = own_init(&own, r, err);

    if (st == FM_OK)
        st = aggregate_local(own.numbers, r->shape, source, r->c->rows[source], r->c->values, err);
    if (st == FM_OK)
        st = encrypt(r, source, &own, err);
    if (st == FM_OK)
        st = send_vector(r, source, err);
    if (st == FM_OK)
        st = send_proofs(r, source, &own, err);
    own_release(&own, r);
    return st;
}

/* ---- the others' ---- */

static fm_status take_vector(struct aggregate_run *r, size_t source, struct base_err *err)
{
    const struct mpc_pai_modulus *n = mpc_pai_std_modulus(mpc_pai_thr_as_std(r->c->key));
    unsigned from = r->c->sources[source];
    struct base_buf in = {0};
    fm_status st =
        aggregate_recv(r, from, &in, 64 + r->pack.ciphers * (mpc_pai_modulus_bits(n) / 4), err);

    if (st == FM_OK) {
        st = mpc_pai_cipher_get(&r->vectors[source], n, r->pack.ciphers, in.p, in.len, err);
        r->have[source] = st == FM_OK;
        if (st == FM_OK && r->vectors[source].v.n != r->pack.ciphers)
            st = base_err_set(err, FM_E_PEER, "%zu ciphertexts, not %zu", r->vectors[source].v.n,
                              r->pack.ciphers);
        if (st != FM_OK)
            st = aggregate_blame(r, from, err);
    }
    if (st == FM_OK) {
        aggregate_hash(r->record->input[source], r, "firmiana/receipt/ciphertexts/v1", in.p,
                       in.len);
        r->record->holds_input[source] = true;
    }
    base_buf_release(&in);
    return st;
}

static fm_status out_of_range(const struct aggregate_run *r, size_t wrong, struct base_err *err)
{
    if (wrong == r->pack.ciphers)
        return base_err_set(err, FM_E_PEER, "its range proofs are too long");
    return base_err_set(err, FM_E_PEER,
                        "a number in ciphertext %zu of its %zu is not within its declared range, "
                        "by its proof",
                        wrong + 1, r->pack.ciphers);
}

static fm_status check_vector(struct aggregate_run *r, size_t source, struct base_err *err)
{
    const struct mpc_pai_modulus *n = mpc_pai_std_modulus(mpc_pai_thr_as_std(r->c->key));
    unsigned from = r->c->sources[source];
    struct mpc_pai_bond bond = range_proof_bond(r, from);
    struct aggregate_claims claims;
    struct base_buf in = {0};
    size_t wrong;
    fm_status st = aggregate_pack_claims(&claims, &r->pack, source, err);

    if (st == FM_OK)
        st = aggregate_recv(
            r, from, &in, mpc_pai_slots_bytes(claims.of, r->pack.ciphers, mpc_pai_modulus_bits(n)),
            err);
    if (st == FM_OK) {
        st = mpc_pai_slots_verify(&wrong, &r->vectors[source], claims.of, r->generators, in.p,
                                  in.len, &bond, r->c->random, err);
        if (st == FM_E_PEER)
            st = out_of_range(r, wrong, err);
        if (st != FM_OK)
            st = aggregate_blame(r, from, err);
    }
    aggregate_claims_release(&claims);
    base_buf_release(&in);
    return st;
}

fm_status aggregate_exchange_vectors(struct aggregate_run *r, struct base_err *err)
{
    unsigned self = r->c->transport->self;
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < r->source_count; i++)
        if (r->c->sources[i] == self)
            st = put_in(r, i, err);
    for (size_t i = 0; st == FM_OK && (r->decrypts || r->receives) && i < r->source_count; i++)
        if (r->c->sources[i] != self)
            st = take_vector(r, i, err);
    for (size_t i = 0; st == FM_OK && r->decrypts && i < r->source_count; i++)
        if (r->c->sources[i] != self)
            st = check_vector(r, i, err);
    return st;
}
