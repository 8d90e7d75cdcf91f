/* Proofs that every slot of packed plaintexts (plain.h) is within its declared range, and exactly
 * so: no slack, any range, no carry from one slot into the next. One proof for all verifiers; they
 * make no parameters, and nobody has a trapdoor.
 *
 * Ciphertext c holds m = sum_j raw_j 2^at_j, least_j <= raw_j <= least_j + span_j. The prover
 * writes raw_j - least_j = sum_i beta_i w_i with bits beta and the weights 1, 2, 4, ...,
 * 2^(L-2), span_j - (2^(L-1) - 1), L the length of span_j: their sums are 0 to span_j and no others
 * (Lipmaa, Asokan, Niemi, FC 2002). In the group of P-256 (of SM2's curve where the profile is
 * national, mpc/curve), q its order, with generators G_i, H whose discrete logarithms nobody knows,
 * and W_i = w_i 2^at_j:
 *
 *   1  B = sum (beta_i + 2^224) G_i + rho H, A = sum a_i G_i + rho' H       a_i < 2^223
 *   2  y by Fiat-Shamir, mod q
 *   3  T1 = (sum y^i a_i (1 - 2 beta_i)) G + tau H, T0 = -(sum y^i a_i^2) G + tau' H,
 *      U = (1 + n)^(sum a_i W_i) u^n mod n^2
 *   4  e by Fiat-Shamir, 128 bits
 *   5  z_i = e beta_i + a_i, an integer below 2^224; e rho + rho', e tau + tau' mod q; v = u r^e
 * mod
 *      n
 *   the verifier: e B + A = sum (z_i + 2^224 e) G_i + (e rho + rho') H,
 *      e T1 + T0 = (sum y^i z_i (e - z_i)) G + (e tau + tau') H,
 *      U c^e = (1 + n)^(sum z_i W_i + e sum least_j 2^at_j) v^n mod n^2.
 *
 * Sound: rewinding to several e opens B and A, so z_i = e beta_i + a_i mod q for all e, or a
 * logarithm among the generators is found. sum y^i z_i (e - z_i) is then a polynomial in e whose
 * square term, sum y^i beta_i (1 - beta_i), must be 0 mod q; for more y than there are bits that
 * makes each beta_i 0 or 1. Two answers differ by less than 2^225, e's by less than 2^128: below q,
 * so that dz_i = de beta_i in the integers too, and (c (1 + n)^-(sum beta_i W_i + least))^de is an
 * n-th power. de is prime to n (no prime of which is below 2^128), so c holds that plaintext. Bits
 * are bounded as in the first of the logarithmic proofs (Bunz et al., Bulletproofs, eprint
 * 2017/1066, section 4.2, without folding); the step to Paillier is Damgard's and Jurik's (PKC
 * 2001, section 5). Hidden: B, A, T1, T0 perfectly; beta_i under a_i up to 2^-95 a bit.
 *
 * Cost: 36 us a bit of span to prove, once for all verifiers, and an encryption a ciphertext;
 * 18 us a bit of the ciphertext with the most bits, and an encryption and 0.1 ms a ciphertext, to
 * verify (benches/bench_proofs, op slots_*). Bytes: 2; for each ciphertext 196 + 3 bits/8 (bits: of
 * the key); 28 for each bit of span. A slot of 40 bits takes 1.1 kB, 1.5 ms to prove, and 0.12 ms
 * to check in a vector of 16 full ciphertexts, 0.35 in one of 3. Time and addresses of the prover
 * follow no secret; for the products of points that is OpenSSL's word for its P-256 of x86-64 and
 * AArch64, and on SM2's curve Valgrind's (test_ct.c). There a product takes what mpc/curve/curve.h
 * says, of which a bit needs two to prove. */
#ifndef FIRMIANA_MPC_PAILLIER_PROOF_SLOTS_H
#define FIRMIANA_MPC_PAILLIER_PROOF_SLOTS_H

#include "mpc/paillier/cipher.h"
#include "mpc/paillier/transcript.h"

struct mpc_pai_slot {
    unsigned at;          /* its lowest bit */
    uint64_t least, span; /* least + span < 2^63 */
};

/* Of one plaintext, its slots, ascending, each ending (with its greatest number) before the next
 * begins, the last below the key's top bit (all asserted). What is in no slot is 0. */
struct mpc_pai_slot_claim {
    const struct mpc_pai_slot *slots;
    size_t count;
};

/* Bits that the proof is about. */
size_t mpc_pai_slot_bits(const struct mpc_pai_slot_claim *claim);
/* Bytes of a proof of n ciphertexts under a key of key_bits. */
size_t mpc_pai_slots_bytes(const struct mpc_pai_slot_claim *claims, size_t n, unsigned key_bits);

/* Points of which nobody knows a logarithm: x by hashing, until there is such a point. They are
 * always the same, and may be used by several threads. 40 us each. */
struct mpc_pai_generators;
fm_status mpc_pai_generators_new(struct mpc_pai_generators **out, size_t bits,
                                 struct base_err *err) FM_CHECK;
void mpc_pai_generators_free(struct mpc_pai_generators *g);

/* claims: one for each ciphertext of c, of no more bits than there are generators (asserted).
 * Ciphertext i holds m[i] and was made with the unit r + k i of k = m->k limbs; key: the
 * ciphertexts'. out: appended. FM_E_LIMIT names the slot that is out of its range. */
fm_status mpc_pai_slots_prove(struct base_buf *out, const struct mpc_pai_cipher *c,
                              const struct mpc_pai_slot_claim *claims,
                              const struct mpc_pai_generators *g, const struct mpc_pai_plain *m,
                              const uint64_t *r, const struct mpc_pai_bond *bond,
                              const struct base_random *random, struct base_err *err) FM_CHECK;
/* claims: as above. FM_E_PEER and the first that is *wrong (n: none of them, but the whole's
 * length). random: weights under which all proofs are put together; what is wrong then passes with
 * a chance of 2^-128. */
fm_status mpc_pai_slots_verify(size_t *wrong, const struct mpc_pai_cipher *c,
                               const struct mpc_pai_slot_claim *claims,
                               const struct mpc_pai_generators *g, const void *proof, size_t len,
                               const struct mpc_pai_bond *bond, const struct base_random *random,
                               struct base_err *err) FM_CHECK;

#endif
