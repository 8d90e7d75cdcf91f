/* What an exported trail (ledger/format.md section 8) says about a wallet's owner. The trail has
 * been verified whole (ledger/verify) before anything is read here. */
#ifndef FIRMIANA_EXCHANGE_WALLET_TRAIL_H
#define FIRMIANA_EXCHANGE_WALLET_TRAIL_H

#include "exchange/wallet/wallet.h"
#include "ledger/proof/bundle.h"
#include "ledger/verify/verify.h"

/* One transaction that is disclosed. */
struct wallet_entry {
    uint64_t leaf, height; /* of its block */
    int64_t time_ms;       /* of its block */
    const json_t *tx;
    const char *rule; /* that refused it; NULL: accepted */
};

fm_status wallet_trail_walk(const struct ledger_bundle_source *source,
                            fm_status (*visit)(void *ctx, const struct wallet_entry *entry,
                                               struct base_err *err),
                            void *ctx, struct base_err *err) FM_CHECK;

/* Writes into the wallet where its consents stand on the ledger, granted and withdrawn, and keeps
 * those that it did not know. *news: how many records changed. report: of the same trail, valid.
 * FM_E_INVALID: it leaves out accepted entries, and the wallet is recovered and has not searched a
 * whole one yet: a DID for a mandate in an entry that is left out would be given twice.
 *
 * What remains: a whole trail may be an old one. 19 DIDs for mandates of one counterpart that are
 * newer than it are passed over (consent.h); beyond these one can still be given twice. */
fm_status wallet_trail_find(size_t *news, struct wallet *w, const struct ledger_verified *report,
                            const struct ledger_bundle_source *source,
                            struct base_err *err) FM_CHECK;

#endif
