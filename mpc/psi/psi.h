/* Private intersection sums of two members' tables: how many identifiers both have, and the sums of
 * the holder's columns over these rows, and nothing else. Ion, Kreuter, Nergiz, Patel, Raykova,
 * Saxena, Seth, Shanahan, Yung, "On deploying secure computation: private
 * intersection-sum-with-cardinality", EuroS&P 2020 (eprint 2019/723), figure 2: a Diffie-Hellman
 * intersection with sums under Paillier.
 *
 * Semi-honest: against a side that follows the protocol, its rows are hidden. One that does not can
 * make up rows; a matcher can also send `minimum` points that stand for one row of the holder's, or
 * fill its set with rows that it knows are there, so that the minimum holds and the sums tell that
 * one row's values: the minimum binds only those who follow the protocol. And without leaving it, a
 * matcher whose rows are one (its WHERE clause, its table) learns from the size whether the holder
 * has that identifier: it counts, whatever the minimum. The commitments below say afterwards what a
 * side ran with.
 *
 * Sides: the *matcher* has identifiers v; the *holder* identifiers w with columns t, and a Paillier
 * key. a, b: a secret scalar each, fresh; H hashes to ristretto255 (RFC 9496) as
 * hash_to_ristretto255 of RFC 9380, appendix B, with SHA-512, bound to the session. Neither reads
 * the other's identifiers: decisional Diffie-Hellman in ristretto255, H a random oracle. Where the
 * profile is national, the group is SM2's curve, H its hash_to_curve with SM3 (mpc/curve), and of a
 * point x alone is sent, which stands for it and its negative; all other hashes are SM3 too.
 * (Paillier's encryption is of no profile: nothing national does what it does, and it protects sums
 * here that no suite of the profile could.)
 *
 *   matcher                                                         holder
 *   POINTS   {aH(v)}, sorted                                  --->
 *            <---      {abH(v)}, sorted; {bH(w), Enc(t)}, sorted by bH(w); key, proof of its
 * modulus SUM      {abH(w)}, sorted; size; Enc(sum + mask), fresh r^n --->
 *            <---               counts by itself, decrypts; sum + mask, if the matcher is a
 * recipient MASKS    mask, if the holder is a recipient               --->
 *
 * Both count: the matcher abH(v) against the abH(w) that it makes, and gives no ciphertext when the
 * size is below the minimum; the holder the same two sets, before it decrypts, and refuses if it
 * does not count what the matcher said. The plaintext that the key's owner sees carries a mask of
 * 40 bits more than the sums, and its ciphertext a fresh r^n.
 *
 * Who learns what: both, the size of the intersection, or that it is below the minimum (the matcher
 * then knows the size: it counts); recipients, the sums; nobody, which rows. Declared sizes, the
 * number of columns, the key: public. Each side fills its set up to the declared size with points
 * that look alike and cost as much, and match nothing.
 *
 * Rounds: 5 messages. Bytes, matcher_rows = n, holder_rows = m, g ciphertexts a row (as many
 * columns as fit share one: mpc_psi_groups), a key of k bytes: 32 n; 32 n + 32 m + 2 g m k and 67
 * KB for a key of 2048 bits; 32 m + 2 g k; g k; g k; heads aside. Work: n + m scalar products on
 * each side, m g encryptions on the holder's, the proof (once a session). Memory: the tables, the
 * largest message and 100 bytes a row. */
#ifndef FIRMIANA_MPC_PSI_PSI_H
#define FIRMIANA_MPC_PSI_PSI_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/random.h"
#include "base/status.h"
#include "mpc/paillier/key.h"

enum {
    MPC_PSI_ROWS = 1 << 24, /* most declared rows a side */
    MPC_PSI_COLUMNS = 256,
    MPC_PSI_THREADS = 32
};
enum mpc_psi_side { MPC_PSI_MATCHER = 1, MPC_PSI_HOLDER = 2 };

/* What both know and agree on before; a difference is found with the first message that comes in.
 */
struct mpc_psi_terms {
    uint8_t session32[32]; /* of this attempt: never used twice */
    size_t matcher_rows;   /* declared: at least as many as there are */
    size_t holder_rows;
    size_t columns;      /* of the holder; 0: the size alone */
    unsigned value_bits; /* |value| < 2^value_bits; a sum of all rows stays below 2^62 */
    unsigned key_bits;   /* of the holder's key; any of key.h's with columns == 0 */
    size_t minimum;      /* least size of an intersection whose sums are opened; at least 1 */
    unsigned recipients; /* of the sums: MPC_PSI_MATCHER, MPC_PSI_HOLDER, or both */
};

/* A side's own rows, read by _new alone. Identifiers are bytes of one length, each
 * only once (several rows of one identifier are summed before); rows without one are left out. */
struct mpc_psi_rows {
    size_t n; /* at most the declared size */
    const uint8_t *ids;
    size_t id_len;
    const int64_t *const *columns; /* the holder's: columns[c][row] */
};

/* The holder's key, which outlives the side. */
struct mpc_psi_key {
    const struct mpc_pai_djn *key;
    const struct mpc_pai_secret *secret;
};

struct mpc_psi; /* one side; no I/O in it */

/* FM_E_ARG where terms are malformed, FM_E_LIMIT where sums might pass 2^62 or columns do not fit.
 */
fm_status mpc_psi_terms_check(const struct mpc_psi_terms *terms, struct base_err *err) FM_CHECK;
/* Ciphertexts a row. */
size_t mpc_psi_groups(const struct mpc_psi_terms *terms);

/* All work on one's own rows is done here, so that both sides do it at the same time. threads: how
 * many share each batch, 1 to 32. random: thread-safe, outlives the side. Errors:
 * mpc_psi_terms_check's; FM_E_LIMIT if there are more rows than declared or a value is out of
 * range; FM_E_ARG if an identifier stands twice. */
fm_status mpc_psi_matcher_new(struct mpc_psi **psi, const struct mpc_psi_terms *terms,
                              const struct mpc_psi_rows *rows, unsigned threads,
                              const struct base_random *random, struct base_err *err) FM_CHECK;
/* key: may be NULL with columns == 0. */
fm_status mpc_psi_holder_new(struct mpc_psi **psi, const struct mpc_psi_terms *terms,
                             const struct mpc_psi_rows *rows, const struct mpc_psi_key *key,
                             unsigned threads, const struct base_random *random,
                             struct base_err *err) FM_CHECK;
void mpc_psi_free(struct mpc_psi *psi); /* wipes */

/* What this side ran with, H being the profile's hash (base/hash.h): H("firmiana psi-sum input 1",
 * the terms, side, salt32, scalar32, u64 rows, u32 id_len, and each identifier with its values, in
 * the rows' order). For the ready message, before the first step. opening: salt and scalar, secret,
 * and the terms' hash; whoever is shown it with the rows can make the commitment again
 * (mpc_psi_commitment_of), and every point again that this side made of its own, fillers too: the
 * filler of row i (from the number of rows on) hashes H("firmiana psi-sum filler 1", salt32,
 * scalar32, u64 i) in place of an identifier (points.c). Masks and what randomises ciphertexts do
 * not follow from it. */
void mpc_psi_commitment(const struct mpc_psi *psi, uint8_t commitment32[32]);
enum { MPC_PSI_OPENING = 96 };
void mpc_psi_opening(const struct mpc_psi *psi, uint8_t opening[MPC_PSI_OPENING]);
/* columns: of the holder's rows; 0 at the matcher. */
void mpc_psi_commitment_of(uint8_t commitment32[32], const uint8_t opening[MPC_PSI_OPENING],
                           enum mpc_psi_side side, const struct mpc_psi_rows *rows, size_t columns);

/* One step: takes the peer's next message (the matcher's first step: in NULL, len 0) and appends to
 * out what is to be sent next (nothing when this side is done). Errors, after which there is no
 * further step: FM_E_PEER, what is wrong with the message; FM_E_CONFLICT, no message is due; the
 * world's. */
fm_status mpc_psi_step(struct mpc_psi *psi, const void *in, size_t len, struct base_buf *out,
                       struct base_err *err) FM_CHECK;
/* Is a message of the peer due? And the greatest length that it may have. */
int mpc_psi_waits(const struct mpc_psi *psi);
size_t mpc_psi_message_max(const struct mpc_psi *psi);

/* When nothing is due any more: the size, and on a recipient's side the sums (columns of them; on
 * the other sums is NULL). Errors, nothing is written then: FM_E_REFUSED if the intersection is
 * below the minimum; FM_E_CONFLICT before the end. */
fm_status mpc_psi_result(const struct mpc_psi *psi, size_t *size, int64_t *sums,
                         struct base_err *err) FM_CHECK;

#endif
