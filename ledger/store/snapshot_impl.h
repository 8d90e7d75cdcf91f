/* What writing and reading snapshots share. */
#ifndef FIRMIANA_LEDGER_SNAPSHOT_IMPL_H
#define FIRMIANA_LEDGER_SNAPSHOT_IMPL_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define SNAPSHOT_MAGIC "FMSNAP1\n"
#define SNAPSHOT_MAGIC_LEN 8

enum snapshot_kind { SNAPSHOT_BLOCK, SNAPSHOT_TX, SNAPSHOT_BARE };

/* The number in a value of seen/ID. */
fm_status snapshot_not_after(int64_t *out, const char *value, size_t len,
                             struct base_err *err) FM_CHECK;

#endif
