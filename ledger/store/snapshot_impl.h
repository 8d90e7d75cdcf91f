/* What writing and reading snapshots share. */
#ifndef FIRMIANA_LEDGER_SNAPSHOT_IMPL_H
#define FIRMIANA_LEDGER_SNAPSHOT_IMPL_H

#define SNAPSHOT_MAGIC "FMSNAP1\n"
#define SNAPSHOT_MAGIC_LEN 8

enum snapshot_kind { SNAPSHOT_BLOCK, SNAPSHOT_TX, SNAPSHOT_BARE };

#endif
