/* Several numbers in one plaintext. */
#include <string.h>

#include "mpc/paillier/key_own.h"
#include "mpc/paillier/limbs.h"
#include "mpc/paillier/plain.h"

fm_status mpc_pai_slots_plan(struct mpc_pai_slots *s, unsigned value_bits, size_t max_terms,
                             unsigned room_bits, struct base_err *err)
{
    unsigned more = 0;

    *s = (struct mpc_pai_slots){.value_bits = value_bits, .max_terms = max_terms};
    if (value_bits < 1 || value_bits > 62 || max_terms < 1)
        return base_err_set(err, FM_E_ARG, "paillier: slots hold 1 to 62 bits and 1 term at least");
    while (more < 63 && ((size_t)1 << more) < max_terms)
        more++;
    s->slot_bits = value_bits + 1 + more;
    s->slots = room_bits / s->slot_bits;
    if (s->slots == 0)
        return base_err_set(err, FM_E_LIMIT, "paillier: a slot of %u bits does not fit in %u",
                            s->slot_bits, room_bits);
    return FM_OK;
}

fm_status mpc_pai_slots_init(struct mpc_pai_slots *s, unsigned value_bits, size_t max_terms,
                             const struct mpc_pai_modulus *key, struct base_err *err)
{
    return mpc_pai_slots_plan(s, value_bits, max_terms, key->bits - 1, err);
}

/* w += v 2^at. */
static void add_at(uint64_t *w, size_t k, unsigned at, uint64_t v)
{
    uint64_t low = v << (at % 64), high = at % 64 == 0 ? 0 : v >> (64 - at % 64), carry;
    size_t i = at / 64;

    w[i] += low;
    carry = (uint64_t)(w[i] < low);
    for (i++; i < k; i++) {
        uint64_t add = high + carry; /* high < 2^63: no overflow */
        w[i] += add;
        carry = (uint64_t)(w[i] < add);
        high = 0;
    }
}

static fm_status biased(uint64_t *out, const struct mpc_pai_slots *s, int64_t v, size_t i,
                        struct base_err *err)
{
    uint64_t bias = (uint64_t)1 << s->value_bits;

    *out = (uint64_t)v + bias;
    if (*out == 0 || *out >= 2 * bias)
        return base_err_set(err, FM_E_LIMIT, "paillier: value %zu has more than %u bits", i,
                            s->value_bits);
    return FM_OK;
}

fm_status mpc_pai_slots_pack(struct mpc_pai_plain *m, const struct mpc_pai_slots *s,
                             const int64_t *v, size_t count, struct base_err *err)
{
    if (count > m->n * s->slots)
        return base_err_set(err, FM_E_ARG, "paillier: %zu values do not fit %zu plaintexts", count,
                            m->n);
    memset(m->w, 0, m->n * m->k * sizeof *m->w);
    for (size_t i = 0; i < m->n * s->slots; i++) {
        uint64_t one;
        if (biased(&one, s, i < count ? v[i] : 0, i, err) != FM_OK)
            return err->code;
        add_at(m->w + i / s->slots * m->k, m->k, (unsigned)(i % s->slots) * s->slot_bits, one);
    }
    return FM_OK;
}

fm_status mpc_pai_slots_place(struct mpc_pai_plain *m, const struct mpc_pai_slots *s, size_t slot,
                              const int64_t *v, struct base_err *err)
{
    if (slot >= s->slots)
        return base_err_set(err, FM_E_ARG, "paillier: slot %zu of %zu", slot, s->slots);
    memset(m->w, 0, m->n * m->k * sizeof *m->w);
    for (size_t i = 0; i < m->n; i++) {
        uint64_t one;
        if (biased(&one, s, v[i], i, err) != FM_OK)
            return err->code;
        add_at(m->w + i * m->k, m->k, (unsigned)slot * s->slot_bits, one);
    }
    return FM_OK;
}

/* Bits [at, at + count) of w, count <= 127. */
static unsigned __int128 bits_at(const uint64_t *w, size_t k, unsigned at, unsigned count)
{
    unsigned __int128 v = 0;

    for (unsigned got = 0; got < count;) {
        unsigned bit = at + got, take = 64 - bit % 64;
        uint64_t part = bit / 64 < k ? w[bit / 64] >> (bit % 64) : 0;
        v |= (unsigned __int128)part << got;
        got += take;
    }
    return v & (((unsigned __int128)1 << count) - 1);
}

fm_status mpc_pai_slots_unpack(int64_t *v, size_t count, const struct mpc_pai_slots *s,
                               const struct mpc_pai_plain *m, size_t terms, struct base_err *err)
{
    __int128 bias = (__int128)terms << s->value_bits;

    if (terms > s->max_terms || count > m->n * s->slots)
        return base_err_set(err, FM_E_ARG,
                            "paillier: %zu terms and %zu values, at most %zu and %zu", terms, count,
                            s->max_terms, m->n * s->slots);
    for (size_t i = 0; i < count; i++) {
        const uint64_t *w = m->w + i / s->slots * m->k;
        __int128 sum =
            (__int128)bits_at(w, m->k, (unsigned)(i % s->slots) * s->slot_bits, s->slot_bits);
        sum -= bias;
        if (sum != (int64_t)sum)
            return base_err_set(err, FM_E_LIMIT,
                                "paillier: the sum in slot %zu is no 64-bit integer", i);
        v[i] = (int64_t)sum;
    }
    return FM_OK;
}
