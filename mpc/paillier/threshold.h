/* A key that nobody holds alone: any t of up to 32 parties decrypt, t - 1 learn nothing. Damgard,
 * Jurik, "A generalisation, a simplification and some applications of Paillier's probabilistic
 * public-key system", PKC 2001, section 4, with s = 1; after Shoup, Eurocrypt 2000.
 *
 * THE DEALER IS TRUSTED: mpc_pai_thr_deal knows the factors for as long as it runs, hands each
 * party its share, and must forget them. Who dealt is written in the key (mpc_pai_thr_dealer) so
 * that a contract can name the trust that it asks for. Against t or more parties together there is
 * no secret.
 *
 * n = p q of safe primes, m = (p-1)(q-1)/4; d = 0 mod m, 1 mod n; share i is f(i) mod n m, f of
 * degree t - 1 with f(0) = d; D = parties!; v a random square, v_i = v^(D f(i)). A part is c_i =
 * c^(2 D f(i)), and comes with one proof for a whole vector that the same D f(i) stands in v_i and
 * in every c_i: the parties' ciphertexts are combined with 128-bit coefficients hashed from all of
 * them (squares of units, whose group has no small order), and the combination proved as in
 * section 4.1 of the paper. A part that does not verify is left out, and its party named: any t
 * right ones suffice.
 *
 * A part is made once a session: struct mpc_pai_thr_session adds up what the contributors
 * committed, itself, refuses fewer contributors than the contract's minimum, and gives its part one
 * time. */
#ifndef FIRMIANA_MPC_PAILLIER_THRESHOLD_H
#define FIRMIANA_MPC_PAILLIER_THRESHOLD_H

#include "mpc/paillier/cipher.h"
#include "mpc/paillier/transcript.h"

enum { MPC_PAI_THR_PARTIES = 32, MPC_PAI_THR_DEALER = 160 };

struct mpc_pai_thr;       /* public: modulus, t, parties, v, v_1 ... */
struct mpc_pai_thr_share; /* secret: one party's */

/* One party's part of the decryption of a vector. */
struct mpc_pai_thr_part {
    uint32_t party; /* 1 to parties */
    struct mpc_pai_cipher c;
    uint8_t challenge[MPC_PAI_CHALLENGE_BITS / 8];
    mpz_t answer;
};

/* shares: `parties` of them, the caller's to free. 1 <= t <= parties <= 32; bits 2048, 3072, 4096;
 * dealer: the dealer's name, up to 159 bytes. Safe primes take their time. */
fm_status mpc_pai_thr_deal(struct mpc_pai_thr **key, struct mpc_pai_thr_share **shares, unsigned t,
                           unsigned parties, unsigned bits, const char *dealer,
                           struct base_err *err) FM_CHECK;
void mpc_pai_thr_free(struct mpc_pai_thr *key);
void mpc_pai_thr_share_free(struct mpc_pai_thr_share *share); /* wipes */
const struct mpc_pai_std *
mpc_pai_thr_as_std(const struct mpc_pai_thr *key); /* to encrypt, add, ... */
const char *mpc_pai_thr_dealer(const struct mpc_pai_thr *key);
unsigned mpc_pai_thr_needed(const struct mpc_pai_thr *key); /* t */
unsigned mpc_pai_thr_parties(const struct mpc_pai_thr *key);
uint32_t mpc_pai_thr_share_party(const struct mpc_pai_thr_share *share);
/* Is it that party's share of this key, v^share = v_i? FM_E_INPUT if not: a share that passes makes
 * parts that verify. */
fm_status mpc_pai_thr_share_check(const struct mpc_pai_thr *key,
                                  const struct mpc_pai_thr_share *share,
                                  struct base_err *err) FM_CHECK;

/* Party's part of c's decryption, with its proof. bond->party must be the share's. part is
 * initialised here and released by the caller after FM_OK. Rounds: one message to whoever combines,
 * 2 bits/8 bytes a ciphertext, and 2 bits/8 + 80 for the proof. */
fm_status mpc_pai_thr_part_new(struct mpc_pai_thr_part *part, const struct mpc_pai_thr *key,
                               const struct mpc_pai_thr_share *share,
                               const struct mpc_pai_cipher *c, const struct mpc_pai_bond *bond,
                               const struct base_random *random, struct base_err *err) FM_CHECK;
void mpc_pai_thr_part_release(struct mpc_pai_thr_part *part);
/* FM_E_PEER, "party N: ...", if it is not right. */
fm_status mpc_pai_thr_part_verify(const struct mpc_pai_thr *key,
                                  const struct mpc_pai_thr_part *part,
                                  const struct mpc_pai_cipher *c, const struct mpc_pai_bond *bond,
                                  struct base_err *err) FM_CHECK;
/* Verifies each part, takes the first t right ones of different parties, and decrypts. wrong: bit i
 * is set if party i's part (i <= 32, at bit i - 1) was not right. Errors: FM_E_PEER naming the
 * first wrong party if fewer than t are right. */
fm_status mpc_pai_thr_combine(struct mpc_pai_plain *m, uint32_t *wrong,
                              const struct mpc_pai_thr *key, const struct mpc_pai_thr_part *parts,
                              size_t n, const struct mpc_pai_cipher *c, const uint8_t session32[32],
                              struct base_err *err) FM_CHECK;

/* Bytes. Key: u8 1, u8 4, u16 bits, n, u8 t, u8 parties, u8 length and the dealer's name, v, v_1
 * ... (2 bits/8 each). Share: u8 1, u8 0x14, u16 bits, 32 bytes of the key's id, u8 party, D f(i)
 * of fixed length: to be sealed. Part: u8 1, u8 0x24, u8 party, 16 bytes of challenge, u16 length
 * and answer, ciphertexts as in cipher.h. Getting refuses with FM_E_INPUT what mpc_pai_std_get and
 * mpc_pai_cipher_get would, and v's that are no units below n^2. */
fm_status mpc_pai_thr_put(struct base_buf *out, const struct mpc_pai_thr *key,
                          struct base_err *err) FM_CHECK;
fm_status mpc_pai_thr_get(struct mpc_pai_thr **key, const void *bytes, size_t len,
                          struct base_err *err) FM_CHECK;
fm_status mpc_pai_thr_share_put(struct base_buf *out, const struct mpc_pai_thr_share *share,
                                struct base_err *err) FM_CHECK;
fm_status mpc_pai_thr_share_get(struct mpc_pai_thr_share **share, const struct mpc_pai_thr *key,
                                const void *bytes, size_t len, struct base_err *err) FM_CHECK;
fm_status mpc_pai_thr_part_put(struct base_buf *out, const struct mpc_pai_thr_part *part,
                               struct base_err *err) FM_CHECK;
fm_status mpc_pai_thr_part_get(struct mpc_pai_thr_part *part, const struct mpc_pai_thr *key,
                               size_t max, const void *bytes, size_t len,
                               struct base_err *err) FM_CHECK;

/* What a decryptor does in one session, in this order: init, one add for each contributor, part. */
struct mpc_pai_thr_session {
    const struct mpc_pai_thr *key;
    struct mpc_pai_cipher sum;
    unsigned contributors, minimum;
    enum { MPC_PAI_THR_OPEN, MPC_PAI_THR_DONE } state;
};
fm_status mpc_pai_thr_session_init(struct mpc_pai_thr_session *s, const struct mpc_pai_thr *key,
                                   size_t length, unsigned minimum, struct base_err *err) FM_CHECK;
void mpc_pai_thr_session_release(struct mpc_pai_thr_session *s);
/* c: as the contributor committed it in the session (the caller has checked the commitment). */
fm_status mpc_pai_thr_session_add(struct mpc_pai_thr_session *s, const struct mpc_pai_cipher *c,
                                  struct base_err *err) FM_CHECK;
/* FM_E_REFUSED with too few contributors; FM_E_CONFLICT the second time. */
fm_status mpc_pai_thr_session_part(struct mpc_pai_thr_part *part, struct mpc_pai_thr_session *s,
                                   const struct mpc_pai_thr_share *share,
                                   const struct mpc_pai_bond *bond,
                                   const struct base_random *random, struct base_err *err) FM_CHECK;

#endif
