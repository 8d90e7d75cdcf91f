/* The threshold key of an `aggregate` contract, as it stands there (ledger/format.md section 3):
 *
 *   "key": {"bits": 2048, "dealer": "regulator (did:key:...)", "kind": "threshold",
 *           "parties": [aliases], "public": base64url, "threshold": t}
 *
 * parties[i] holds share i + 1. public: u8 2, u32 length and mpc_pai_thr_put(), then, to the end,
 * the canonical JSON of the dealer's Data Integrity proof over this object with base64url of
 * mpc_pai_thr_put() alone as its public (exchange/contract/dealer.h). Everything but `public` could
 * be read out of it or is for people: key_open() checks that it all says the same. THE DEALER IS
 * TRUSTED (mpc/paillier/threshold.h). */
#ifndef FIRMIANA_EXCHANGE_AGGREGATE_KEY_H
#define FIRMIANA_EXCHANGE_AGGREGATE_KEY_H

#include <jansson.h>

#include "mpc/paillier/threshold.h"

enum { AGGREGATE_KEY_PARTIES = 16 };

struct aggregate_key_public {
    struct mpc_pai_thr *thr;
    const char *dealer; /* borrowed from the JSON, as are parties */
    const char *parties[AGGREGATE_KEY_PARTIES];
    unsigned party_count;
    unsigned threshold;
    char id_hex[65]; /* of the modulus: names the key and the shares of it */
};

/* json: the object above; it must outlive *out. FM_E_INPUT names the member that is wrong. */
fm_status aggregate_key_open(struct aggregate_key_public *out, const json_t *json,
                             struct base_err *err) FM_CHECK;
/* What the dealer signs, and the proof; *proof is NULL of a key that nobody has signed, whose
 * public is mpc_pai_thr_put() alone. Both new. And back. */
fm_status aggregate_key_split(json_t **bare, json_t **proof, const json_t *json,
                              struct base_err *err) FM_CHECK;
fm_status aggregate_key_join(json_t **out, const json_t *bare, const json_t *proof,
                             struct base_err *err) FM_CHECK;
void aggregate_key_close(struct aggregate_key_public *key);
/* parties: as many aliases as thr has. *out is new. */
fm_status aggregate_key_json(json_t **out, const struct mpc_pai_thr *thr,
                             const char *const *parties, struct base_err *err) FM_CHECK;
/* The number of alias's share, 0 if it has none. */
uint32_t aggregate_key_party(const struct aggregate_key_public *key, const char *alias);

#endif
