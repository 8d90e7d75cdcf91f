/* `aggregate`, the protocol: one party's part. Parties of the transport: decryptors first, as in
 * the session's descriptor; any of them may be provider and recipient too.
 *
 *   1  each decryptor sends its range parameters to the providers
 *   2  each provider adds up its own rows (local.h), encrypts the vector under the threshold key,
 *      and sends it to the decryptors and recipients, with a range proof for each value to each
 *      decryptor
 *   3  decryptors and recipients compare a hash over all vectors: everyone holds the same
 *   4  decryptors decrypt the sums of the guards among themselves
 *   5  decryptors send recipients which guards were reached, and their parts of the decryption of
 *      the values behind those; any t right parts of the key's decrypt
 *
 * Learnt: recipients the values behind guards that were reached (of AVG: the sum and the count) and
 * which were not; decryptors the sums of guards (shape.h); providers nothing; nobody what one
 * provider put in, unless t decryptors put their shares together. Decryptors that lie are found by
 * the proof of their part and named. A provider's range proof is about a whole ciphertext, not
 * about each of its slots (pack.h): it says that the plaintext is no longer than declared but for
 * the proof's slack, so that no sum wraps around n, and names who exceeds that. Within it a
 * provider may lie about its rows, and put into a slot what it likes: what shows of that is a sum
 * beyond what all providers together may put in, after its decryption, and then nobody is named and
 * there is no answer; what shows in no sum is as if it had other rows.
 *
 * Cost, of n ciphertexts (pack.h), P providers, D decryptors, R recipients, with a key of b bits: 5
 * rounds; a provider sends n b/4 bytes to each of the others of D and R, and n range proofs of 2.1
 * kB (b = 2048) to each of D; it makes n D of these proofs, a decryptor verifies n P.
 *
 * Errors: FM_E_PEER names the party; FM_E_REFUSED: fewer contributors than `minimum`. */
#ifndef FIRMIANA_EXCHANGE_AGGREGATE_RUN_H
#define FIRMIANA_EXCHANGE_AGGREGATE_RUN_H

#include "exchange/aggregate/range.h"
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
    const struct mpc_pai_bond *bonds;      /* of each decryptor's range parameters */
    unsigned minimum;                      /* of contributors */
    const struct mpc_pai_thr_share *share; /* own, at a decryptor */
    const void *params;                    /* own range parameters, at a decryptor */
    size_t params_len;
    struct range_seen *seen; /* or NULL */
    const unsigned *sources; /* party of each plan source */
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

#endif
