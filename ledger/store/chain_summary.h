/* One line about an entry of the log, for people: `audit list`. */
#ifndef FIRMIANA_LEDGER_CHAIN_SUMMARY_H
#define FIRMIANA_LEDGER_CHAIN_SUMMARY_H

#include "ledger/store/chain.h"

/* Appends the line, from the entry's type and payload. Texts that members wrote are shown with
 * control characters as '?'. Errors: FM_E_MEMORY alone. */
fm_status ledger_summarize(struct base_buf *out, const struct ledger_entry *entry,
                           struct base_err *err) FM_CHECK;

#endif
