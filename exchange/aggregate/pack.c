#include "exchange/aggregate/pack.h"

#include "base/secret.h"
#include "mpc/paillier/proof.h"

enum { CIPHERS_MOST = 512 };

/* What range proofs leave of a plaintext. */
static void leave_slack(struct mpc_pai_slots *s, const struct mpc_pai_modulus *key)
{
    size_t fit = (mpc_pai_modulus_bits(key) - MPC_PAI_RANGE_SLACK - 1) / s->slot_bits;

    if (s->slots > fit)
        s->slots = fit;
}

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
    leave_slack(&out->values, key);
    leave_slack(&out->guards, key);
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
