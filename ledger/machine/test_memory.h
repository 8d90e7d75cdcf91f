/* A replica in memory, for tests: the machine and the sealing over jansson objects instead of
 * SQLite. Slow and plain, so that what the store must do is easy to see. */
#ifndef FIRMIANA_LEDGER_TEST_MEMORY_H
#define FIRMIANA_LEDGER_TEST_MEMORY_H

#include <jansson.h>

#include "ledger/machine/machine.h"
#include "ledger/machine/seal.h"

struct memory {
    json_t *state; /* key -> canonical value, as a string */
    json_t *pages; /* page id in hex -> page in hex */
    struct ledger_machine *machine;
    struct ledger_state_source source;
    struct ledger_tip tip;
    uint64_t leaves;                /* that the sink was given */
    struct ledger_epoch_head *ends; /* of every block but empty ones */
    size_t n_ends;
};

void memory_init(struct memory *m, const json_t *genesis, const uint8_t chain[32]);
void memory_release(struct memory *m);

/* Executes a block; outcomes as ledger_machine_step(). */
void memory_execute(struct memory *m, struct ledger_outcome *outcomes,
                    const struct ledger_block *block);

/* All invariants of machine.h, over the whole state; fails the test with the number of the broken
 * one. now: the time of the newest non-empty block. */
void memory_check(const struct memory *m, int64_t now);

#endif
