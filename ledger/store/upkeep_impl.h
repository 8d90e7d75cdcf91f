/* What the files of upkeep.h share. */
#ifndef FIRMIANA_LEDGER_UPKEEP_IMPL_H
#define FIRMIANA_LEDGER_UPKEEP_IMPL_H

#include "ledger/store/upkeep.h"

/* progress may be NULL, and so may its function. */
void ledger_tell(const struct ledger_progress *progress, const char *what, uint64_t done,
                 uint64_t total);

#endif
