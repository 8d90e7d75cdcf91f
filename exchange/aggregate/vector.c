/* Steps 1 and 2: range parameters, and the providers' vectors. */
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "exchange/aggregate/local.h"
#include "exchange/aggregate/run_own.h"

/* ---- parameters ---- */

fm_status aggregate_exchange_params(struct aggregate_run *r, struct base_err *err)
{
    struct base_buf in = {0};
    unsigned self = r->c->transport->self;
    fm_status st = FM_OK;

    if (r->decrypts) {
        struct base_buf own = {.p = (uint8_t *)(uintptr_t)r->c->params, .len = r->c->params_len};
        st = range_params_own(&r->params[self], r->c->params, r->c->params_len, err);
        for (unsigned to = 0; st == FM_OK && to < r->c->transport->parties; to++)
            if (to != self && aggregate_provides(r, to))
                st = aggregate_send(r, to, &own, err);
    }
    for (unsigned from = 0; st == FM_OK && r->provides && from < r->c->decryptors; from++) {
        if (from == self)
            continue;
        st = aggregate_recv(r, from, &in, RANGE_PARAMS_MOST, err);
        if (st == FM_OK && range_params_read(&r->params[from], r->c->seen, in.p, in.len,
                                             &r->c->bonds[from], err) != FM_OK)
            st = aggregate_blame(r, from, err);
    }
    base_buf_release(&in);
    return st;
}

/* ---- one's own vector ---- */

struct own {
    int64_t *numbers;
    struct mpc_pai_plain plain;
    uint64_t *units;
};

static unsigned bits_of(const void *ctx, size_t i)
{
    return aggregate_pack_bits(ctx, i);
}

static struct range_vector range_of(const struct aggregate_run *r, size_t source)
{
    return (struct range_vector){&r->vectors[source], bits_of, &r->pack};
}

static struct mpc_pai_bond range_proof_bond(const struct aggregate_run *r, unsigned provider)
{
    struct mpc_pai_bond bond = {.party = provider + 1};

    aggregate_hash(bond.session32, r, "firmiana/aggregate/range/v1", NULL, 0);
    return bond;
}

static fm_status send_proofs(struct aggregate_run *r, size_t source, const struct own *own,
                             struct base_err *err)
{
    struct range_vector v = range_of(r, source);
    struct mpc_pai_bond bond = range_proof_bond(r, r->c->transport->self);
    struct base_buf proofs = {0};
    fm_status st = FM_OK;

    for (unsigned to = 0; st == FM_OK && to < r->c->decryptors; to++) {
        if (to == r->c->transport->self)
            continue;
        base_buf_clear(&proofs);
        st = range_prove(&proofs, &v, &own->plain, own->units, &r->params[to], &bond, r->c->random,
                         err);
        if (st == FM_OK)
            st = aggregate_send(r, to, &proofs, err);
    }
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

static fm_status check_vector(struct aggregate_run *r, size_t source, struct base_err *err)
{
    unsigned from = r->c->sources[source];
    struct range_vector v = range_of(r, source);
    struct mpc_pai_bond bond = range_proof_bond(r, from);
    struct base_buf in = {0};
    fm_status st = aggregate_recv(r, from, &in, r->pack.ciphers * RANGE_PROOF_MOST, err);

    if (st == FM_OK &&
        range_verify(&v, in.p, in.len, &r->params[r->c->transport->self], &bond, err) != FM_OK)
        st = aggregate_blame(r, from, err);
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
