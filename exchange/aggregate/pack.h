/* How a vector's numbers share ciphertexts: as many in one as fit, but only such as are decrypted
 * together. First the guards, all of them in as few as hold them; then, for every group, one
 * ciphertext for each *class*: values behind the same guard. */
#ifndef FIRMIANA_EXCHANGE_AGGREGATE_PACK_H
#define FIRMIANA_EXCHANGE_AGGREGATE_PACK_H

#include "exchange/aggregate/shape.h"
#include "mpc/paillier/plain.h"
#include "mpc/paillier/proof_slots.h"

struct aggregate_class {
    size_t guard; /* SQL_NONE: none */
    size_t count;
    size_t values[2 * AGGREGATE_MAX_ITEMS]; /* of the shape */
};

struct aggregate_pack {
    const struct aggregate_shape *shape;
    struct mpc_pai_slots guards;
    struct mpc_pai_slots values; /* slots: of the largest class there may be */
    size_t guard_ciphers;
    size_t class_count;
    struct aggregate_class classes[2 * AGGREGATE_MAX_ITEMS];
    size_t ciphers; /* of a vector */
};

/* providers: how many vectors will be added. FM_E_LIMIT: more ciphertexts than are sensible. */
fm_status aggregate_pack_init(struct aggregate_pack *out, const struct aggregate_shape *shape,
                              const struct mpc_pai_modulus *key, size_t providers,
                              struct base_err *err) FM_CHECK;
/* m: pack->ciphers plaintexts; numbers as shape.h orders them. */
fm_status aggregate_pack_fill(struct mpc_pai_plain *m, const struct aggregate_pack *pack,
                              const int64_t *numbers, struct base_err *err) FM_CHECK;
/* Ciphertext `at` holds a plaintext below 2^this. */
unsigned aggregate_pack_bits(const struct aggregate_pack *pack, size_t at);
/* What the vector of one source proves: each of its slots within aggregate_range(), slots that hold
 * nothing at 0. */
struct aggregate_claims {
    struct mpc_pai_slot_claim *of; /* pack->ciphers of them */
    struct mpc_pai_slot *slots;
    size_t bits; /* of the ciphertext with the most */
};
fm_status aggregate_pack_claims(struct aggregate_claims *out, const struct aggregate_pack *pack,
                                size_t source, struct base_err *err) FM_CHECK;
void aggregate_claims_release(struct aggregate_claims *claims);
/* Which group and class a ciphertext past the guards is of. */
static inline size_t aggregate_pack_group(const struct aggregate_pack *pack, size_t at)
{
    return (at - pack->guard_ciphers) / pack->class_count;
}
static inline const struct aggregate_class *aggregate_pack_class(const struct aggregate_pack *pack,
                                                                 size_t at)
{
    return &pack->classes[(at - pack->guard_ciphers) % pack->class_count];
}
/* The sums of `terms` vectors: plaintext i of m is that of ciphertext at. out: numbers in their
 * places of the vector. FM_E_PEER: the plaintext has more bits, or a slot is more or less, than
 * what `terms` vectors within their slots add up to: those who checked the proofs did not. */
fm_status aggregate_pack_read(int64_t *numbers, const struct aggregate_pack *pack,
                              const struct mpc_pai_plain *m, size_t i, size_t at, size_t terms,
                              struct base_err *err) FM_CHECK;

#endif
