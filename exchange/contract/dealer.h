/* The dealer's signature on a threshold key: an eddsa-jcs-2022 proof (or of another suite) for
 * assertionMethod by the did:key that the key's member "dealer" ends with, "NAME (did:key:...)".
 * Nodes take no key without it: neither a share of it nor a contract that names it. It says who
 * dealt, and that nobody else put another key or other holders of shares in its place; that the
 * dealer forgot what it dealt it does not say. */
#ifndef FIRMIANA_EXCHANGE_CONTRACT_DEALER_H
#define FIRMIANA_EXCHANGE_CONTRACT_DEALER_H

#include <jansson.h>

#include "base/status.h"
#include "did/proof.h"

enum { CONTRACT_DEALER_TEXT = 160 };

/* "NAME (DID)" of who holds that key. FM_E_LIMIT if it is too long. */
fm_status contract_dealer_name(char out[CONTRACT_DEALER_TEXT], const char *name,
                               const struct did_secret *secret, struct base_err *err) FM_CHECK;
/* *out, new: key (exchange/aggregate/key.h), signed. method: the secret's did:key method. */
fm_status contract_dealer_sign(json_t **out, const json_t *key, const struct did_secret *secret,
                               const char *method, int64_t now_s, struct base_err *err) FM_CHECK;
/* FM_E_AUTH: nobody signed it, another signed it, or something in it is not what was signed. */
fm_status contract_dealer_check(const json_t *key, struct base_err *err) FM_CHECK;

#endif
