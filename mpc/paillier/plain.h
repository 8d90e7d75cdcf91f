/* Plaintexts: residues mod n, and what they stand for: signed integers, fixed-point numbers, slots.
 * Nothing is ever rounded or wrapped silently: what does not fit is refused with FM_E_LIMIT, and
 * the place. The values are secret: wiped when released, and no branch or address follows them,
 * save that a refusal says which value is out of range. */
#ifndef FIRMIANA_MPC_PAILLIER_PLAIN_H
#define FIRMIANA_MPC_PAILLIER_PLAIN_H

#include <stddef.h>
#include <stdint.h>

#include "base/random.h"
#include "mpc/paillier/key.h"

/* n residues of k limbs (64 bits, least significant first), each below the modulus. */
struct mpc_pai_plain {
    const struct mpc_pai_modulus *key;
    size_t n;
    size_t k;
    uint64_t *w;
};

fm_status mpc_pai_plain_init(struct mpc_pai_plain *m, const struct mpc_pai_modulus *key, size_t n,
                             struct base_err *err) FM_CHECK; /* zeros */
void mpc_pai_plain_release(struct mpc_pai_plain *m);

/* v >= 0 is v, v < 0 is n - |v|. from_i64 takes n values; to_i64 refuses what is not an int64. */
fm_status mpc_pai_plain_from_i64(struct mpc_pai_plain *m, const int64_t *v,
                                 struct base_err *err) FM_CHECK;
fm_status mpc_pai_plain_to_i64(int64_t *v, const struct mpc_pai_plain *m,
                               struct base_err *err) FM_CHECK;
/* Big-endian, bits/8 bytes each; from refuses what is not below n. */
fm_status mpc_pai_plain_from_bytes(struct mpc_pai_plain *m, const uint8_t *bytes,
                                   struct base_err *err) FM_CHECK;
void mpc_pai_plain_to_bytes(uint8_t *bytes, const struct mpc_pai_plain *m);

/* Masks for plaintexts of fewer than `bits` bits: uniform below 2^(bits + 40), so that a value plus
 * its mask tells the value with a chance of 2^-40. FM_E_LIMIT if the sum might reach n / 4. */
fm_status mpc_pai_plain_masks(struct mpc_pai_plain *m, unsigned bits,
                              const struct base_random *random, struct base_err *err) FM_CHECK;

/* m -= masks, which were added to it before: FM_E_INPUT if what is left is no number of `bits`
 * bits.
 */
fm_status mpc_pai_plain_take_masks(struct mpc_pai_plain *m, const struct mpc_pai_plain *masks,
                                   unsigned bits, struct base_err *err) FM_CHECK;

/* Fixed point. A code says, publicly, what a ciphertext's plaintext stands for: mantissa / 10^scale
 * with |mantissa| < 2^bits. It is carried beside the ciphertexts, follows from the contract and
 * never from the data, and proves that nothing overflows: each operation gives the code of its
 * result, or FM_E_LIMIT if it might pass n / 4. */
struct mpc_pai_code {
    unsigned scale;
    unsigned bits;
};
fm_status mpc_pai_code_sum(struct mpc_pai_code *z, const struct mpc_pai_code *x, size_t count,
                           const struct mpc_pai_modulus *key, struct base_err *err) FM_CHECK;
fm_status mpc_pai_code_product(struct mpc_pai_code *z, const struct mpc_pai_code *x,
                               const struct mpc_pai_code *y, const struct mpc_pai_modulus *key,
                               struct base_err *err) FM_CHECK;
/* Mantissas v at scale `scale`, brought to the code's scale (never below: FM_E_ARG), each within
 * the code's bits, else FM_E_LIMIT. And back: mantissas at the code's scale, int64. */
fm_status mpc_pai_fixed_encode(struct mpc_pai_plain *m, const struct mpc_pai_code *code,
                               const int64_t *v, unsigned scale, struct base_err *err) FM_CHECK;
fm_status mpc_pai_fixed_decode(int64_t *v, const struct mpc_pai_code *code,
                               const struct mpc_pai_plain *m, struct base_err *err) FM_CHECK;

/* Slots: several signed numbers in one plaintext, slot j at bit slot_bits * j. Each |v| <
 * 2^value_bits is stored as v + 2^value_bits, so that a slot is never negative; after `terms`
 * packed plaintexts were added, unpack takes terms * 2^value_bits off again. slots_init refuses
 * with FM_E_LIMIT where max_terms of them might overflow a slot, or the slots the modulus (one bit
 * is left free). */
struct mpc_pai_slots {
    unsigned value_bits; /* 1 to 62 */
    unsigned slot_bits;  /* value_bits + 1 + log2 of max_terms, rounded up */
    size_t slots;
    size_t max_terms;
};
fm_status mpc_pai_slots_init(struct mpc_pai_slots *s, unsigned value_bits, size_t max_terms,
                             const struct mpc_pai_modulus *key,
                             struct base_err *err) FM_CHECK; /* as many slots as fit */
/* The same where room_bits of a plaintext are free, with no key at hand. */
fm_status mpc_pai_slots_plan(struct mpc_pai_slots *s, unsigned value_bits, size_t max_terms,
                             unsigned room_bits, struct base_err *err) FM_CHECK;
/* m->n plaintexts from count values, slots each, the last filled up with 0. */
fm_status mpc_pai_slots_pack(struct mpc_pai_plain *m, const struct mpc_pai_slots *s,
                             const int64_t *v, size_t count, struct base_err *err) FM_CHECK;
/* m[i] = (v[i] + 2^value_bits) 2^(slot_bits * slot): one value each, in the slot where a sum wants
 * it: encrypting it there costs no shift of a ciphertext. */
fm_status mpc_pai_slots_place(struct mpc_pai_plain *m, const struct mpc_pai_slots *s, size_t slot,
                              const int64_t *v, struct base_err *err) FM_CHECK;
/* The sums of `terms` packed plaintexts, terms <= max_terms. FM_E_LIMIT if a sum is no int64. */
fm_status mpc_pai_slots_unpack(int64_t *v, size_t count, const struct mpc_pai_slots *s,
                               const struct mpc_pai_plain *m, size_t terms,
                               struct base_err *err) FM_CHECK;

#endif
