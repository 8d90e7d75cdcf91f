/* Who asked about a wallet's owner, when, under which consent and contract, and how it ended: from
 * trails that were verified whole, and members' statements (ledger/verify/statement.h) that a trail
 * bore out. An event:
 *
 *   {"what": "granted" | "withdrawn" | "asked", "id": the transaction's, "leaf", "height", "time",
 *    "consent"?, "member": grantee, or who asked}
 *   and of "asked": "query", "contract", "name", "purpose", "outcome": "answered" | "refused" |
 *    "aborted" | "open", "rule"?, "party"?, "closed"?, "told"?: [{"member", "requester"?,
 *    "ticket"?}]
 *
 * "asked" are queries that named a consent of this wallet, whether the ledger let them pass or not,
 * and those that a statement is about. */
#ifndef FIRMIANA_EXCHANGE_WALLET_HISTORY_H
#define FIRMIANA_EXCHANGE_WALLET_HISTORY_H

#include "exchange/wallet/consent.h"
#include "exchange/wallet/trail.h"

struct wallet_history {
    struct wallet_search search;
    json_t *told;   /* query -> what statements say of it */
    json_t *events; /* by leaf */
};

/* w outlives the history; consents that it did not know are added to it in memory. The caller
 * releases, also after a failure. */
fm_status wallet_history_begin(struct wallet_history *h, struct wallet *w,
                               struct base_err *err) FM_CHECK;
void wallet_history_release(struct wallet_history *h);

/* A statement that was borne out. FM_E_INVALID: it is about somebody else, as far as the wallet
 * knows its owner's identifiers. Before the trails. */
fm_status wallet_history_hear(struct wallet_history *h, const struct ledger_statement *statement,
                              const char *identifier, struct base_err *err) FM_CHECK;

/* A trail whose verification gave that report. FM_E_INVALID: it contradicts one before it. */
fm_status wallet_history_read(struct wallet_history *h, const struct ledger_bundle_source *source,
                              const struct ledger_verified *report, struct base_err *err) FM_CHECK;

/* All, in the log's order; the caller owns *out. */
fm_status wallet_history_events(json_t **out, const struct wallet_history *h,
                                struct base_err *err) FM_CHECK;

#endif
