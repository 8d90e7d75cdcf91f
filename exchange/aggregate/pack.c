#include "exchange/aggregate/pack.h"

#include <stdlib.h>

#include "base/secret.h"

enum { CIPHERS_MOST = 512 };

static unsigned most_bits(const struct aggregate_shape *s, size_t from, size_t count)
{
    unsigned most = 1;

    for (size_t i = 0; i < count; i++)
        if (aggregate_bits(s, from + i) > most)
            most = aggregate_bits(s, from + i);
    return most;
}

static void add_to_class(struct aggregate_pack *p, size_t value)
{
    size_t guard = p->shape->item_guards[p->shape->values[value].item];
    struct aggregate_class *c;
    size_t i = 0;

    while (i < p->class_count &&
           (p->classes[i].guard != guard || p->classes[i].count == p->values.slots))
        i++;
    if (i == p->class_count) {
        p->classes[i] = (struct aggregate_class){.guard = guard};
        p->class_count++;
    }
    c = &p->classes[i];
    c->values[c->count++] = value;
}

fm_status aggregate_pack_init(struct aggregate_pack *out, const struct aggregate_shape *shape,
                              const struct mpc_pai_modulus *key, size_t providers,
                              struct base_err *err)
{
    size_t guards = aggregate_guards(shape);

    *out = (struct aggregate_pack){.shape = shape};
    if (mpc_pai_slots_init(&out->values, most_bits(shape, guards, shape->value_count), providers,
                           key, err) != FM_OK ||
        mpc_pai_slots_init(&out->guards, most_bits(shape, 0, shape->guard_count), providers, key,
                           err) != FM_OK)
        return err->code;
    for (size_t v = 0; v < shape->value_count; v++)
        add_to_class(out, v);
    out->guard_ciphers = (guards + out->guards.slots - 1) / out->guards.slots;
    out->ciphers = out->guard_ciphers + shape->group_count * out->class_count;
    if (out->ciphers > CIPHERS_MOST)
        return base_err_set(err, FM_E_LIMIT,
                            "protocol aggregate: %zu groups take %zu ciphertexts, at most %d: a "
                            "narrower key, or protocol rep3",
                            shape->group_count, out->ciphers, CIPHERS_MOST);
    return FM_OK;
}

/* Plaintexts [at, at + n) of m. */
static struct mpc_pai_plain part_of(const struct mpc_pai_plain *m, size_t at, size_t n)
{
    return (struct mpc_pai_plain){m->key, n, m->k, m->w + at * m->k};
}

static struct mpc_pai_slots slots_of(const struct aggregate_pack *p,
                                     const struct aggregate_class *c)
{
    struct mpc_pai_slots s = p->values;

    s.slots = c->count;
    return s;
}

static int64_t *place_of(int64_t *numbers, const struct aggregate_pack *p, size_t group,
                         size_t value)
{
    return &numbers[aggregate_guards(p->shape) + group * p->shape->value_count + value];
}

fm_status aggregate_pack_fill(struct mpc_pai_plain *m, const struct aggregate_pack *pack,
                              const int64_t *numbers, struct base_err *err)
{
    struct mpc_pai_plain part = part_of(m, 0, pack->guard_ciphers);
    int64_t some[2 * AGGREGATE_MAX_ITEMS];
    fm_status st = FM_OK;

    if (pack->guard_ciphers > 0)
        st = mpc_pai_slots_pack(&part, &pack->guards, numbers, aggregate_guards(pack->shape), err);
    for (size_t at = pack->guard_ciphers; st == FM_OK && at < pack->ciphers; at++) {
        const struct aggregate_class *c = aggregate_pack_class(pack, at);
        struct mpc_pai_slots s = slots_of(pack, c);
        for (size_t i = 0; i < c->count; i++)
            some[i] = *place_of((int64_t *)(uintptr_t)numbers, pack, aggregate_pack_group(pack, at),
                                c->values[i]);
        part = part_of(m, at, 1);
        st = mpc_pai_slots_pack(&part, &s, some, c->count, err);
    }
    base_wipe(some, sizeof some);
    return st;
}

unsigned aggregate_pack_bits(const struct aggregate_pack *pack, size_t at)
{
    if (at < pack->guard_ciphers)
        return (unsigned)pack->guards.slots * pack->guards.slot_bits;
    return (unsigned)aggregate_pack_class(pack, at)->count * pack->values.slot_bits;
}

/* ---- claims ---- */

static void claim_slot(struct aggregate_claims *c, size_t cipher, const struct mpc_pai_slots *s,
                       struct sql_range range)
{
    struct mpc_pai_slot_claim *claim = &c->of[cipher];
    uint64_t least = (uint64_t)(range.lo + ((int64_t)1 << s->value_bits));

    c->slots[(size_t)(claim->slots - c->slots) + claim->count] = (struct mpc_pai_slot){
        (unsigned)claim->count * s->slot_bits, least, (uint64_t)range.hi - (uint64_t)range.lo};
    claim->count++;
}

static void claim_cipher(struct aggregate_claims *out, const struct aggregate_pack *p,
                         size_t source, size_t at)
{
    size_t guards = aggregate_guards(p->shape);
    const struct aggregate_class *c;

    if (at < p->guard_ciphers) {
        for (size_t j = 0; j < p->guards.slots; j++) {
            size_t number = at * p->guards.slots + j;
            claim_slot(out, at, &p->guards,
                       number < guards ? aggregate_range(p->shape, source, number)
                                       : (struct sql_range){0, 0});
        }
        return;
    }
    c = aggregate_pack_class(p, at);
    for (size_t j = 0; j < c->count; j++)
        claim_slot(out, at, &p->values,
                   aggregate_range(p->shape, source,
                                   guards + aggregate_pack_group(p, at) * p->shape->value_count +
                                       c->values[j]));
}

fm_status aggregate_pack_claims(struct aggregate_claims *out, const struct aggregate_pack *pack,
                                size_t source, struct base_err *err)
{
    size_t slots = pack->guard_ciphers * pack->guards.slots + aggregate_values(pack->shape), at = 0;

    *out = (struct aggregate_claims){calloc(pack->ciphers, sizeof *out->of),
                                     calloc(slots, sizeof *out->slots), 0};
    if (out->of == NULL || out->slots == NULL) {
        aggregate_claims_release(out);
        return base_err_memory(err, "range proofs");
    }
    for (size_t i = 0; i < pack->ciphers; i++) {
        size_t bits;
        out->of[i].slots = out->slots + at;
        claim_cipher(out, pack, source, i);
        at += out->of[i].count;
        bits = mpc_pai_slot_bits(&out->of[i]);
        out->bits = bits > out->bits ? bits : out->bits;
    }
    return FM_OK;
}

void aggregate_claims_release(struct aggregate_claims *claims)
{
    free(claims->of);
    free(claims->slots);
    *claims = (struct aggregate_claims){0};
}

/* ---- sums ---- */

static fm_status beyond(struct base_err *err)
{
    return base_err_set(err, FM_E_PEER,
                        "a sum is beyond its range: a provider put in what it may "
                        "not");
}

/* The whole plaintext, which several slots share: no more than honest sums may have. */
static bool has_bits_from(const struct mpc_pai_plain *m, unsigned bits)
{
    uint64_t any = 0;

    for (size_t bit = bits; bit < 64 * m->k; bit++)
        any |= m->w[bit / 64] >> (bit % 64) & 1;
    return any != 0;
}

/* Slots of the sum of `terms` plaintexts, each between those of `terms` providers that put in the
 * least and the most there is: raw, terms and terms (2^(value_bits + 1) - 1). */
static fm_status unpack(int64_t *v, size_t count, const struct mpc_pai_slots *s,
                        const struct mpc_pai_plain *m, size_t terms, struct base_err *err)
{
    __int128 most = (__int128)terms * (((__int128)1 << s->value_bits) - 1);
    fm_status st = mpc_pai_slots_unpack(v, count, s, m, terms, err);

    if (st == FM_E_LIMIT)
        return beyond(err);
    for (size_t i = 0; st == FM_OK && i < count; i++)
        if (v[i] > most || v[i] < -most)
            st = beyond(err);
    return st;
}

fm_status aggregate_pack_read(int64_t *numbers, const struct aggregate_pack *pack,
                              const struct mpc_pai_plain *m, size_t i, size_t at, size_t terms,
                              struct base_err *err)
{
    const struct mpc_pai_plain part = part_of(m, i, 1);
    int64_t some[2 * AGGREGATE_MAX_ITEMS];
    const struct aggregate_class *c;
    struct mpc_pai_slots s;
    fm_status st;

    if (has_bits_from(&part, aggregate_pack_bits(pack, at)))
        return beyond(err);
    if (at < pack->guard_ciphers) {
        size_t first = at * pack->guards.slots, left = aggregate_guards(pack->shape) - first;
        return unpack(numbers + first, left < pack->guards.slots ? left : pack->guards.slots,
                      &pack->guards, &part, terms, err);
    }
    c = aggregate_pack_class(pack, at);
    s = slots_of(pack, c);
    st = unpack(some, c->count, &s, &part, terms, err);
    for (size_t k = 0; st == FM_OK && k < c->count; k++)
        *place_of(numbers, pack, aggregate_pack_group(pack, at), c->values[k]) = some[k];
    base_wipe(some, sizeof some);
    return st;
}
