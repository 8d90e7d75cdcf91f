/* Multiplication triples of two parties mod 2^64: (a0 + a1)(b0 + b1) = c0 + c1, each party knowing
 * its own a, b and c. N. Gilboa, "Two party RSA key generation", CRYPTO 1999, section 4; packed as
 * in Demmler, Schneider, Zohner, "ABY", NDSS 2015, section III.
 *
 *   asker (a0, b0, key)                                        answerer (a1, b1)
 *   Enc(a0 2^(170 j)), Enc(b0 2^(170 j))                 --->
 *        <--- product over j of Enc(a0_j ..)^b1_j Enc(b0_j ..)^a1_j, times Enc(masks), fresh r^n
 *
 * So one ciphertext comes back for as many triples as slots of 170 bits fit a plaintext (12 at 2048
 * bits), and no ciphertext is shifted. c1 = a1 b1 - mask, c0 = a0 b0 + what was opened, mod 2^64.
 * What is opened is below 2^129, its mask uniform below 2^169: it tells the answerer's numbers with
 * a chance of 2^-40 a triple; the fresh r^n hides the exponents. The asker's are hidden by the djn
 * key's assumption (key.h).
 *
 * Semi-honest: against an asker that packs something else, or an answerer with longer numbers, the
 * parties prove ranges (proof.h). Triples come in blocks of 8 * slots; bytes a block: 2 * 8 * slots
 * and 8 ciphertexts and two heads (1067 bytes a triple at 2048 bits). Rounds: 2 messages. Leaks: n.
 */
#ifndef FIRMIANA_MPC_PAILLIER_TRIPLES_H
#define FIRMIANA_MPC_PAILLIER_TRIPLES_H

#include "mpc/paillier/cipher.h"

/* Triples in a block. */
size_t mpc_pai_triples_block(unsigned bits);

/* Message of the asker, appended to out. */
fm_status mpc_pai_triples_ask(struct base_buf *out, const struct mpc_pai_djn *key,
                              const uint64_t *a, const uint64_t *b, size_t n,
                              const struct base_random *random, struct base_err *err) FM_CHECK;
/* The answerer's: to out, and its c. peer: the asker's key, proved right (mpc_pai_modulus_verify).
 * FM_E_INPUT as mpc_pai_cipher_get. */
fm_status mpc_pai_triples_answer(struct base_buf *out, uint64_t *c, const struct mpc_pai_djn *peer,
                                 const void *in, size_t len, const uint64_t *a, const uint64_t *b,
                                 size_t n, const struct base_random *random,
                                 struct base_err *err) FM_CHECK;
/* The asker's c. */
fm_status mpc_pai_triples_take(uint64_t *c, const struct mpc_pai_djn *key,
                               const struct mpc_pai_secret *secret, const void *in, size_t len,
                               const uint64_t *a, const uint64_t *b, size_t n,
                               struct base_err *err) FM_CHECK;

#endif
