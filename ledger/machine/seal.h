/* Sealing a block: from what the machine decided to leaves, roots and the block leaf (format.md
 * section 5). Pure but for the two places it writes to, the log's sink and the state tree's pages.
 */
#ifndef FIRMIANA_LEDGER_SEAL_H
#define FIRMIANA_LEDGER_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "ledger/machine/block.h"
#include "ledger/machine/machine.h"
#include "ledger/proof/log.h"
#include "ledger/proof/state.h"

/* Where a replica stands: everything that the next block's hashes depend on. */
struct ledger_tip {
    uint64_t height;
    int64_t time_ms;
    struct ledger_log log;
    uint8_t state_root[32];
    uint8_t prev[32]; /* H(payload of the newest block leaf) */
    uint64_t epoch;
    uint64_t rules_version;
};

/* One leaf of the log. For a block leaf outcome, tx and result are NULL. */
struct ledger_seal_leaf {
    uint64_t leaf, height;
    const uint8_t *payload;
    size_t len;
    uint8_t payload_hash[32];
    const struct ledger_outcome *outcome;
    const uint8_t *result; /* canonical */
    size_t result_len;
};

struct ledger_seal_sink {
    fm_status (*leaf)(void *ctx, const struct ledger_seal_leaf *leaf, struct base_err *err);
    /* A perfect subtree of the log, of any level but 0, is complete. */
    fm_status (*node)(void *ctx, unsigned level, uint64_t index, const uint8_t hash32[32],
                      struct base_err *err);
    void *ctx;
};

/* Moves tip past a block: outcomes and step are what ledger_machine_step() gave for it. An empty
 * block changes height and time alone. On an error tip is unchanged, and what was written must be
 * rolled back. */
fm_status ledger_seal_block(struct ledger_tip *tip, const struct ledger_block *block,
                            const struct ledger_outcome *outcomes, const struct ledger_step *step,
                            const struct ledger_seal_sink *sink,
                            const struct ledger_state_pages *pages, struct base_err *err) FM_CHECK;

/* Block 0: *tip is written whole. */
fm_status ledger_seal_genesis(struct ledger_tip *tip, int64_t time_ms,
                              const struct ledger_step *step, const struct ledger_seal_sink *sink,
                              const struct ledger_state_pages *pages,
                              struct base_err *err) FM_CHECK;

#endif
