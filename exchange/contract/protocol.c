#include "exchange/contract/protocol.h"

#include <string.h>

#include "base/json.h"
#include "exchange/aggregate/key.h"
#include "exchange/aggregate/pack.h"
#include "exchange/aggregate/run.h"
#include "exchange/contract/dealer.h"
#include "exchange/intersect/run.h"
#include "exchange/sql/physical/physical.h"

static const char *const protocols[] = {"rep3", "aggregate", "psi-sum"};

fm_status contract_protocol_of(const char **out, const json_t *spec, struct base_err *err)
{
    const char *name;

    *out = json_object_get(spec, "key") != NULL                     ? "aggregate"
           : json_array_size(json_object_get(spec, "compute")) == 2 ? "psi-sum"
                                                                    : "rep3";
    if (json_object_get(spec, "protocol") == NULL)
        return FM_OK;
    if (base_json_get_str(&name, spec, "protocol", err) != FM_OK)
        return err->code;
    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
        if (strcmp(protocols[i], name) == 0) {
            *out = protocols[i];
            return FM_OK;
        }
    return base_err_set(err, FM_E_INPUT, "member 'protocol' must be rep3, aggregate or psi-sum");
}

/* ---- aggregate ---- */

static fm_status check_decryptors(const struct contract *c, const struct aggregate_key_public *key,
                                  struct base_err *err)
{
    for (unsigned i = 0; i < c->compute_count; i++)
        if (aggregate_key_party(key, c->compute[i]) == 0)
            return base_err_set(err, FM_E_INPUT, "compute party %s has no share of the key",
                                c->compute[i]);
    if (c->compute_count < 2)
        return base_err_set(err, FM_E_INPUT, "at least two members decrypt, not %u",
                            c->compute_count);
    if (c->compute_count < key->threshold)
        return base_err_set(err, FM_E_INPUT, "%u compute parties: decryption takes %u of the key's",
                            c->compute_count, key->threshold);
    return FM_OK;
}

struct pooled {
    struct aggregate_shape shape;
    struct aggregate_key_public key;
    struct aggregate_pack pack;
    size_t proof_bytes; /* of the provider with the widest ranges */
};

static fm_status take_proof_bytes(struct pooled *p, struct base_err *err)
{
    unsigned bits = mpc_pai_modulus_bits(mpc_pai_std_modulus(mpc_pai_thr_as_std(p->key.thr)));

    for (size_t i = 0; i < p->shape.plan->source_count; i++) {
        struct aggregate_claims claims;
        size_t bytes;
        if (aggregate_pack_claims(&claims, &p->pack, i, err) != FM_OK)
            return err->code;
        bytes = mpc_pai_slots_bytes(claims.of, p->pack.ciphers, bits);
        p->proof_bytes = bytes > p->proof_bytes ? bytes : p->proof_bytes;
        aggregate_claims_release(&claims);
    }
    return FM_OK;
}

static fm_status pooled_open(struct pooled *p, const struct contract *c,
                             const struct sql_plan *plan, struct base_err *err)
{
    fm_status st = aggregate_shape_of(&p->shape, plan, err);

    if (st == FM_OK)
        st = contract_dealer_check(json_object_get(c->json, "key"), err);
    if (st == FM_OK)
        st = aggregate_key_open(&p->key, json_object_get(c->json, "key"), err);
    if (st != FM_OK)
        return st;
    st = check_decryptors(c, &p->key, err);
    if (st == FM_OK && c->contributors > (int64_t)plan->source_count)
        st = base_err_set(err, FM_E_INPUT,
                          "the contract asks for %lld contributors, and %zu provide rows",
                          (long long)c->contributors, plan->source_count);
    if (st == FM_OK)
        st = aggregate_pack_init(&p->pack, &p->shape,
                                 mpc_pai_std_modulus(mpc_pai_thr_as_std(p->key.thr)),
                                 plan->source_count, err);
    p->proof_bytes = 0;
    if (st == FM_OK)
        st = take_proof_bytes(p, err);
    if (st != FM_OK)
        aggregate_key_close(&p->key);
    return st;
}

/* Those who see how many rows count are no recipients. */
static bool decide_apart(const struct contract *c, const struct pooled *p)
{
    unsigned receiving = 0;

    for (unsigned i = 0; i < c->compute_count; i++)
        for (unsigned k = 0; k < c->recipient_count; k++)
            receiving += strcmp(c->compute[i], c->recipients[k]) == 0;
    return aggregate_apart(c->compute_count, receiving, p->key.threshold);
}

static void describe_aggregate(struct base_buf *out, const struct contract *c,
                               const struct pooled *p)
{
    const struct aggregate_shape *s = &p->shape;
    unsigned bits = mpc_pai_modulus_bits(mpc_pai_std_modulus(mpc_pai_thr_as_std(p->key.thr)));
    bool averages = false;

    for (size_t i = 0; i < s->group->item_count; i++)
        averages = averages || s->group->items[i].fn == SQL_AVG;
    base_buf_putf(out,
                  "  key         %.16s, %u bits, %u of %u shares decrypt, dealt by %s, who is "
                  "trusted to have forgotten it\n",
                  p->key.id_hex, bits, p->key.threshold, p->key.party_count, p->key.dealer);
    base_buf_putf(out,
                  "  filtered    by each of %zu providers for itself (at least %lld contribute); "
                  "%zu group%s, %zu ciphertexts each, and a proof that every number in them is "
                  "within what its dataset declares: who cheats is named, before decryption\n",
                  s->plan->source_count, (long long)c->contributors, s->group_count,
                  s->group_count == 1 ? "" : "s", p->pack.ciphers);
    base_buf_putf(out, "  leaks       to recipients %s%s",
                  averages ? "the sum and the count behind each AVG, " : "",
                  "which groups are too small");
    if (s->guard_count > 0)
        base_buf_putf(out,
                      "; to compute parties%s, for each group, how many rows count, up to %lld a "
                      "provider",
                      decide_apart(c, p) ? " that are no recipients" : "",
                      (long long)s->guards[0].least);
    base_buf_putf(out,
                  "\n  costs       4 rounds, %zu bytes from a provider to each party that "
                  "decrypts or receives, and %zu of proof to each that decrypts\n",
                  p->pack.ciphers * (bits / 4) + 40, p->proof_bytes);
}

/* ---- psi-sum ---- */

static const char *side_of(const struct intersect_shape *s, enum intersect_side side)
{
    return s->plan->sources[s->tables[side].source].member;
}

static fm_status intersect_open(struct intersect_shape *s, struct mpc_psi_terms *terms,
                                const struct contract *c, const struct sql_plan *plan,
                                struct base_err *err)
{
    bool receives[2] = {false, false};
    fm_status st = intersect_shape_of(s, plan, err);

    for (unsigned i = 0; st == FM_OK && i < c->compute_count; i++)
        if (c->compute_count != 2 || (strcmp(c->compute[i], side_of(s, INTERSECT_MATCHER)) != 0 &&
                                      strcmp(c->compute[i], side_of(s, INTERSECT_HOLDER)) != 0))
            st = base_err_set(err, FM_E_INPUT,
                              "psi-sum is computed by %s and %s, whose tables are joined",
                              side_of(s, INTERSECT_MATCHER), side_of(s, INTERSECT_HOLDER));
    for (unsigned i = 0; st == FM_OK && i < c->recipient_count; i++) {
        bool matcher = strcmp(c->recipients[i], side_of(s, INTERSECT_MATCHER)) == 0;
        if (!matcher && strcmp(c->recipients[i], side_of(s, INTERSECT_HOLDER)) != 0)
            st = base_err_set(err, FM_E_INPUT,
                              "under psi-sum the recipients are %s and %s, or one of them",
                              side_of(s, INTERSECT_MATCHER), side_of(s, INTERSECT_HOLDER));
        receives[matcher ? INTERSECT_MATCHER : INTERSECT_HOLDER] = true;
    }
    return st == FM_OK ? intersect_terms(terms, s, receives, err) : st;
}

static void describe_intersect(struct base_buf *out, const struct intersect_shape *s,
                               const struct mpc_psi_terms *t)
{
    size_t cipher = t->key_bits / 4, groups = mpc_psi_groups(t);

    base_buf_putf(out,
                  "  intersects  %s's %zu identifiers with %s's %zu, each padded to the declared "
                  "number; each side filters for itself and commits to its rows before\n",
                  side_of(s, INTERSECT_MATCHER), t->matcher_rows, side_of(s, INTERSECT_HOLDER),
                  t->holder_rows);
    base_buf_putf(
        out,
        "  leaks       to both the size of the intersection, to %s also where it is below "
        "the minimum of %zu rows; then nothing is decrypted\n",
        side_of(s, INTERSECT_MATCHER), t->minimum);
    base_buf_putf(
        out,
        "  trusts      both to follow the protocol: %s, if it does not, can have %zu "
        "points count for one row; and from a single row of its own that its WHERE leaves "
        "it learns whether %s has it\n",
        side_of(s, INTERSECT_MATCHER), t->minimum, side_of(s, INTERSECT_HOLDER));
    base_buf_putf(out, "  costs       5 messages, about %zu bytes in all\n",
                  64 * t->matcher_rows + 64 * t->holder_rows + groups * t->holder_rows * cipher +
                      4 * groups * cipher);
}

/* ---- all ---- */

fm_status contract_protocol_check(const struct contract *c, const struct sql_plan *plan,
                                  struct base_err *err)
{
    struct intersect_shape shape;
    struct mpc_psi_terms terms;
    struct pooled p;

    if (strcmp(c->protocol, "psi-sum") == 0)
        return intersect_open(&shape, &terms, c, plan, err);

    if (strcmp(c->protocol, "aggregate") != 0)
        return sql_plan_runs(plan, err);
    if (pooled_open(&p, c, plan, err) != FM_OK)
        return err->code;
    aggregate_key_close(&p.key);
    return FM_OK;
}

fm_status contract_protocol_describe(struct base_buf *out, const struct contract *c,
                                     const struct sql_plan *plan, struct base_err *err)
{
    struct intersect_shape shape;
    struct mpc_psi_terms terms;
    struct pooled p;

    if (strcmp(c->protocol, "psi-sum") == 0) {
        if (intersect_open(&shape, &terms, c, plan, err) != FM_OK)
            return err->code;
        describe_intersect(out, &shape, &terms);
        return base_buf_status(out, "contract", err);
    }
    if (strcmp(c->protocol, "aggregate") != 0)
        return FM_OK;
    if (pooled_open(&p, c, plan, err) != FM_OK)
        return err->code;
    describe_aggregate(out, c, &p);
    aggregate_key_close(&p.key);
    return base_buf_status(out, "contract", err);
}

fm_status contract_protocols_json(json_t **out, const struct sql_plan *plan, struct base_err *err)
{
    struct aggregate_shape pooled;
    struct intersect_shape shape;
    struct base_err not_this;
    bool done;

    *out = json_array();
    done = *out != NULL;
    if (done && aggregate_shape_of(&pooled, plan, &not_this) == FM_OK)
        done = json_array_append_new(
                   *out, json_pack("{s:s,s:s,s:i}", "protocol", "aggregate", "leaks",
                                   "to recipients the sum and the count behind an AVG; to those "
                                   "who decrypt how many rows count, up to the minimum",
                                   "rounds", 4)) == 0;
    if (done && intersect_shape_of(&shape, plan, &not_this) == FM_OK)
        done = json_array_append_new(
                   *out,
                   json_pack("{s:s,s:s,s:i}", "protocol", "psi-sum", "leaks",
                             "to both sides the size of the intersection; to the side that counts, "
                             "from a single row of its own, whether the other has it; the "
                             "minimum binds only those who follow the protocol",
                             "rounds", 5)) == 0;
    return done ? FM_OK : base_err_memory(err, "explanation");
}
