#include "exchange/aggregate/run_own.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/secret.h"

/* ---- parties, messages, hashes ---- */

bool aggregate_receives(const struct aggregate_run *r, unsigned party)
{
    return aggregate_party_in(party, r->c->recipients, r->shape->plan->recipient_count);
}

fm_status aggregate_send(struct aggregate_run *r, unsigned to, const struct base_buf *bytes,
                         struct base_err *err)
{
    uint8_t len[8];
    struct net_transport *t = r->c->transport;

    base_store_u64(len, bytes->len);
    if (net_send(t, r->c->stream, to, len, sizeof len, err) != FM_OK)
        return err->code;
    return net_send(t, r->c->stream, to, bytes->p, bytes->len, err);
}

fm_status aggregate_recv(struct aggregate_run *r, unsigned from, struct base_buf *out, size_t most,
                         struct base_err *err)
{
    struct net_transport *t = r->c->transport;
    uint8_t said[8];
    uint64_t len;
    uint8_t *to;

    base_buf_clear(out);
    if (net_recv(t, r->c->stream, from, said, sizeof said, err) != FM_OK)
        return err->code;
    len = base_load_u64(said);
    if (len == 0 || len > most)
        return base_err_set(err, FM_E_PEER, "%s: a message of %llu bytes, at most %zu are due",
                            t->names[from], (unsigned long long)len, most);
    to = base_buf_extend(out, (size_t)len);
    if (to == NULL)
        return base_err_memory(err, "aggregate");
    return net_recv(t, r->c->stream, from, to, (size_t)len, err);
}

fm_status aggregate_blame(const struct aggregate_run *r, unsigned party, struct base_err *err)
{
    if (err->code == FM_E_INPUT || err->code == FM_E_AUTH)
        err->code = FM_E_PEER;
    return base_err_prefix(err, "%s", r->c->transport->names[party]);
}

void aggregate_hash(uint8_t out32[32], const struct aggregate_run *r, const char *label,
                    const void *bytes, size_t len)
{
    struct base_hash h;

    base_hash_init(&h);
    base_hash_update(&h, label, strlen(label) + 1);
    base_hash_update(&h, r->c->session32, 32);
    if (len > 0)
        base_hash_update(&h, bytes, len);
    base_hash_final(&h, out32);
}

/* ---- the steps ---- */

/* Step 2. Whoever holds the vectors holds the same, and has checked them. */
static fm_status compare_all(struct aggregate_run *r, struct base_err *err)
{
    struct net_transport *t = r->c->transport;
    uint8_t own[32], other[32];

    if (!r->decrypts && !r->receives)
        return FM_OK;
    aggregate_hash(own, r, "firmiana/aggregate/vectors/v1", r->record->input,
                   r->source_count * sizeof *r->record->input);
    for (unsigned i = 0; i < t->parties; i++)
        if (i != t->self && (aggregate_decrypts(r, i) || aggregate_receives(r, i)) &&
            net_send(t, r->c->stream, i, own, sizeof own, err) != FM_OK)
            return err->code;
    for (unsigned i = 0; i < t->parties; i++) {
        if (i == t->self || !(aggregate_decrypts(r, i) || aggregate_receives(r, i)))
            continue;
        if (net_recv(t, r->c->stream, i, other, sizeof other, err) != FM_OK)
            return err->code;
        if (memcmp(own, other, sizeof own) != 0)
            return base_err_set(err, FM_E_PEER, "%s and %s were sent different ciphertexts",
                                t->names[t->self], t->names[i]);
    }
    return FM_OK;
}

static fm_status check(struct aggregate_run *r, struct base_err *err)
{
    const struct aggregate_config *c = r->c;

    if (r->source_count > AGGREGATE_SOURCES || c->decryptors > c->transport->parties)
        return base_err_set(err, FM_E_LIMIT, "aggregate: at most %d providers", AGGREGATE_SOURCES);
    if (r->source_count < c->minimum)
        return base_err_set(err, FM_E_REFUSED,
                            "the contract asks for at least %u contributors, there are %zu",
                            c->minimum, r->source_count);
    if (r->decrypts && c->share == NULL)
        return base_err_set(err, FM_E_ARG, "aggregate: a decryptor without its share");
    return aggregate_pack_init(&r->pack, r->shape, mpc_pai_std_modulus(mpc_pai_thr_as_std(c->key)),
                               r->source_count, err);
}

/* As many as the ciphertext with the most bits takes, of all sources that this party proves or
 * checks. */
static fm_status make_generators(struct aggregate_run *r, struct base_err *err)
{
    size_t most = 0;

    for (size_t i = 0; i < r->source_count; i++) {
        struct aggregate_claims claims;
        if (!r->decrypts && r->c->sources[i] != r->c->transport->self)
            continue;
        if (aggregate_pack_claims(&claims, &r->pack, i, err) != FM_OK)
            return err->code;
        most = claims.bits > most ? claims.bits : most;
        aggregate_claims_release(&claims);
    }
    return mpc_pai_generators_new(&r->generators, most, err);
}

bool aggregate_apart(unsigned decryptors, unsigned receiving, unsigned threshold)
{
    return decryptors - receiving >= threshold;
}

static fm_status steps(struct sql_result *out, struct aggregate_run *r, struct base_err *err)
{
    static const char *const names[] = {"encrypt", "compare", "guards", "decrypt"};
    fm_status (*const all[])(struct aggregate_run *, struct base_err *) = {
        aggregate_exchange_vectors, compare_all, aggregate_open_guards, aggregate_open_values};
    const unsigned count = sizeof all / sizeof *all;

    for (unsigned i = 0; i < count; i++) {
        if (r->c->progress != NULL)
            r->c->progress(r->c->ctx, i + 1, count, names[i]);
        if (all[i](r, err) != FM_OK)
            return base_err_prefix(err, "aggregate, %s", names[i]);
    }
    return r->receives ? aggregate_answer(out, r, err) : FM_OK;
}

static void release(struct aggregate_run *r)
{
    mpc_pai_generators_free(r->generators);
    for (size_t i = 0; i < AGGREGATE_SOURCES; i++)
        if (r->have[i])
            mpc_pai_cipher_release(&r->vectors[i]);
    if (r->numbers != NULL)
        base_wipe(r->numbers, r->total * sizeof *r->numbers);
    free(r->numbers);
    free(r->reached);
    free(r);
}

static struct aggregate_run *make(const struct aggregate_config *c, struct aggregate_record *record)
{
    struct aggregate_run *r = calloc(1, sizeof *r);
    unsigned receiving = 0;

    if (r == NULL)
        return NULL;
    r->c = c;
    r->shape = c->shape;
    r->record = record;
    r->total = aggregate_guards(c->shape) + aggregate_values(c->shape);
    r->source_count = c->shape->plan->source_count;
    r->decrypts = aggregate_decrypts(r, c->transport->self);
    r->receives = aggregate_receives(r, c->transport->self);
    for (unsigned i = 0; i < c->decryptors; i++)
        receiving += aggregate_receives(r, i);
    r->apart = aggregate_apart(c->decryptors, receiving, mpc_pai_thr_needed(c->key));
    r->numbers = calloc(r->total, sizeof *r->numbers);
    r->reached = calloc(r->total, sizeof *r->reached);
    if (r->numbers != NULL && r->reached != NULL)
        return r;
    release(r);
    return NULL;
}

fm_status aggregate_run(struct sql_result *out, struct aggregate_record *record,
                        const struct aggregate_config *config, struct base_err *err)
{
    struct aggregate_run *r = make(config, record);
    fm_status st;

    *out = (struct sql_result){0};
    *record = (struct aggregate_record){0};
    st = r != NULL ? check(r, err) : base_err_memory(err, "aggregate");
    if (st == FM_OK)
        st = make_generators(r, err);
    if (st == FM_OK) {
        record->sees = r->decrypts || r->receives;
        st = steps(out, r, err);
    }
    if (st != FM_OK)
        net_abort(config->transport, "error");
    if (r != NULL)
        release(r);
    return st;
}
