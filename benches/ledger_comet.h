/* bench_ledger's members under CometBFT: each with its CometBFT as a process, which its node's
 * parts (exchange/comet: files, ABCI server, RPC) run and serve on the member's thread. Between
 * members' nodes messages go from inbox to inbox; CometBFT's go over loopback. */
#ifndef FIRMIANA_BENCHES_LEDGER_COMET_H
#define FIRMIANA_BENCHES_LEDGER_COMET_H

#include "benches/ledger_members.h"

/* Keys and homes in dir, before ledger_members_make(). */
void ledger_comet_prepare(struct ledger_bench *b, const char *dir);
/* Replica, engine, CometBFT and thread of each member. program: a path, or a name on PATH. */
void ledger_comet_start(struct ledger_bench *b, const char *program, int64_t commit_ms);
void ledger_comet_stop(struct ledger_bench *b);
/* Processor time of all CometBFTs so far. */
double ledger_comet_cpu_s(void);

#endif
