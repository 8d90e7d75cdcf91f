/* The state and copies of it by themselves, on disk: bench_ledger --state, --join, --ledger. */
#ifndef FIRMIANA_BENCHES_LEDGER_STATE_H
#define FIRMIANA_BENCHES_LEDGER_STATE_H

#include <stddef.h>

/* Fills a store in dir with `keys` keys, then measures: blocks of so many changed keys, each a
 * write transaction with its commit; and proofs by a reader beside it. One JSON line. */
void ledger_state_bench(const char *dir, size_t keys, size_t block);

/* A snapshot of the ledger at path, and a replica in dir that begins with it and checks all of it.
 * One JSON line. */
void ledger_join_bench(const char *path, const char *dir);

#endif
