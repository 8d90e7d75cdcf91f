/* What the files of upkeep.h share. */
#ifndef FIRMIANA_LEDGER_UPKEEP_IMPL_H
#define FIRMIANA_LEDGER_UPKEEP_IMPL_H

#include "ledger/store/store.h"
#include "ledger/store/upkeep.h"

/* progress may be NULL, and so may its function. */
void ledger_tell(const struct ledger_progress *progress, const char *what, uint64_t done,
                 uint64_t total);

/* As ledger_check(), in the transaction that is open, but for the file's pages. */
fm_status ledger_check_rows(struct ledger_store *store, struct ledger_check_report *report,
                            struct base_err *err) FM_CHECK;

/* Would ledger_prune() leave this transaction its payload, by the state of this tip? One that is
 * erased has none to keep. */
fm_status ledger_prune_keeps(struct ledger_store *store, const struct ledger_tip *tip,
                             const struct ledger_store_leaf *leaf, bool *keeps,
                             struct base_err *err) FM_CHECK;

/* Types that are kept for good: by them all else is verified. */
bool ledger_prune_always_keeps(const char *type);

#endif
