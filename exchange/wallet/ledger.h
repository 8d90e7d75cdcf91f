/* The one ledger that a wallet deals with, and its members' DIDs: what keys are derived for. A
 * person with business on two ledgers has two wallets.
 *
 *   content.ledger   {"chain": 64 hex digits, "members": {alias: DID}, "name"} */
#ifndef FIRMIANA_EXCHANGE_WALLET_LEDGER_H
#define FIRMIANA_EXCHANGE_WALLET_LEDGER_H

#include "exchange/wallet/wallet.h"
#include "ledger/verify/members.h"

/* From a genesis, in canonical bytes. FM_E_CONFLICT: the wallet knows another ledger, or has keys
 * of the other profile. */
fm_status wallet_ledger_trust(struct wallet *w, const void *genesis, size_t len,
                              struct base_err *err) FM_CHECK;
/* Members as a verified trail of that chain has them: new ones are taken in. */
fm_status wallet_ledger_learn(struct wallet *w, const uint8_t chain32[32],
                              const struct ledger_members *members, struct base_err *err) FM_CHECK;

/* FM_E_CONFLICT if the wallet knows no ledger yet. */
fm_status wallet_ledger_chain(uint8_t out32[32], const struct wallet *w,
                              struct base_err *err) FM_CHECK;
/* Borrowed from the wallet. FM_E_NOT_FOUND names the members that it knows. */
fm_status wallet_ledger_did(const char **out, const struct wallet *w, const char *alias,
                            struct base_err *err) FM_CHECK;
/* NULL if no member has that DID. */
const char *wallet_ledger_alias(const struct wallet *w, const char *did);

#endif
