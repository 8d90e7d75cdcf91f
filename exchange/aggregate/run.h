/* `aggregate`, the protocol: one party's part. Parties of the transport: decryptors first, as in
 * the session's descriptor; any of them may be provider and recipient too.
 *
 *   1  each provider adds up its own rows (local.h), encrypts the vector under the threshold key,
 *      and sends it to the decryptors and recipients, with a proof to each decryptor that every
 *      number in it is within its declared range (shape.h)
 *   2  decryptors and recipients compare a hash over all vectors: everyone holds the same
 *   3  decryptors decrypt the sums of the guards among themselves: those among them that are no
 *      recipients, if they alone reach the key's threshold, else all (the judges)
 *   4  judges send recipients which guards were reached, decryptors their parts of the decryption
 * of the values behind those; any t right parts of the key's decrypt
 *
 * Learnt: recipients the values behind guards that were reached (of AVG: the sum and the count) and
 * which were not; judges the sums of guards (shape.h); providers nothing; nobody what one provider
 * put in, unless t decryptors put their shares together. A recipient that decrypts goes by what all
 * judges say alike: one of them is honest, or t decryptors are not. Decryptors that lie are found
 * by the proof of their part and named. A provider's proof (mpc/paillier/proof_slots.h) is about
 * each slot of each ciphertext, without slack: whoever puts into one what its dataset's rows and
 * ranges cannot add up to, or lets one slot carry into the next, is named before anything is
 * decrypted. Within these ranges a provider may lie about its rows.
 *
 * Cost, of n ciphertexts (pack.h), P providers, D decryptors, R recipients, with a key of b bits: 4
 * rounds; a provider sends n b/4 bytes to each of the others of D and R, and one proof, the same,
 * to each of D: 196 + 3 b/8 bytes a ciphertext and 28 a bit (of the ranges' lengths; a COUNT of
 * 10^5 rows has 17), 36 us a bit to make and 18 us a bit of the longest ciphertext to check.
 *
 * Errors: FM_E_PEER names the party; FM_E_REFUSED: fewer contributors than `minimum`. */
#ifndef FIRMIANA_EXCHANGE_AGGREGATE_RUN_H
#define FIRMIANA_EXCHANGE_AGGREGATE_RUN_H

#include "exchange/aggregate/shape.h"
#include "exchange/run/run.h"
#include "mpc/paillier/threshold.h"
#include "net/transport.h"

struct aggregate_config {
    const struct aggregate_shape *shape;
    struct net_transport *transport;
    unsigned stream;
    uint8_t session32[32]; /* the descriptor's hash: proofs say nothing in another session */
    const struct mpc_pai_thr *key;
    unsigned decryptors;                   /* parties 0 to decryptors - 1 */
    const uint32_t *key_party;             /* of each decryptor, its number in the key */
    unsigned minimum;                      /* of contributors */
    const struct mpc_pai_thr_share *share; /* own, at a decryptor */
    const unsigned *sources;               /* party of each plan source */
    const unsigned *recipients;
    const struct sql_value *values;     /* of the plan's parameters */
    const struct sql_rows *const *rows; /* for each source: its rows at its provider, else NULL */
    const struct base_random *random;
    /* Asked before each part of a decryption leaves. */
    fm_status (*may_open)(void *ctx, struct base_err *err);
    void (*progress)(void *ctx, unsigned at, unsigned of, const char *name);
    void *ctx;
};

/* What the receipt commits to. Ciphertexts hide what is in them, so their hashes need no salt. */
struct aggregate_record {
    bool sees;                          /* this party holds the vectors */
    uint8_t input[NET_MAX_PARTIES][32]; /* of each plan source, where this party holds it */
    bool holds_input[NET_MAX_PARTIES];
    uint8_t part[NET_MAX_PARTIES][32]; /* of decryptor i's part of the values */
    bool holds_part[NET_MAX_PARTIES];
};

/* *out is initialised at recipients, {0} elsewhere. After a failure of its own this party has
 * aborted the transport. */
fm_status aggregate_run(struct sql_result *out, struct aggregate_record *record,
                        const struct aggregate_config *config, struct base_err *err) FM_CHECK;

/* Do decryptors that are no recipients reach the threshold? */
bool aggregate_apart(unsigned decryptors, unsigned receiving, unsigned threshold);

#endif
