/* What the chain's files share. */
#ifndef FIRMIANA_LEDGER_CHAIN_IMPL_H
#define FIRMIANA_LEDGER_CHAIN_IMPL_H

#include "ledger/machine/machine.h"
#include "ledger/proof/checkpoint.h"
#include "ledger/store/chain.h"
#include "ledger/store/store.h"

struct ledger_reader {
    struct ledger_store *store;
    bool in_snapshot; /* between begin and end */
};

struct ledger_chain {
    struct ledger_store *store;
    struct ledger_state_source source;
    struct ledger_machine *machine;
    struct ledger_reader *reader;
    struct ledger_tip tip;
    struct ledger_head head; /* the same, as callers see it */
    uint64_t final_size;
    /* Between ledger_chain_stage() and what ends it: a write transaction is open. */
    bool staged;
    struct ledger_tip staged_tip;
    struct ledger_step staged_step;
};

/* Runs, seals and stores a block in a write transaction that is open; *tip is where it stands, and
 * then where it leads. */
fm_status ledger_chain_run(struct ledger_chain *chain, struct ledger_tip *tip,
                           struct ledger_step *step, struct ledger_outcome *outcomes,
                           const struct ledger_block *block, struct base_err *err) FM_CHECK;

/* Another connection, as ledger_reader_open(), to a file that is known to be good. */
fm_status ledger_reader_make(struct ledger_reader **out, const char *path,
                             struct base_err *err) FM_CHECK;
void ledger_head_fill(struct ledger_head *head, const struct ledger_tip *tip);

/* The root of a perfect subtree of the log. */
fm_status ledger_log_subtree(struct ledger_store *store, uint8_t out32[32], unsigned level,
                             uint64_t index, struct base_err *err) FM_CHECK;

/* The root of the log's first `size` leaves. */
fm_status ledger_log_root_at(struct ledger_store *store, uint8_t root32[32], uint64_t size,
                             struct base_err *err) FM_CHECK;
/* The block that ends the log's first `size` leaves; FM_E_NOT_FOUND if none does. */
fm_status ledger_block_ending(struct ledger_store *store, struct ledger_store_block *out,
                              uint64_t size, struct base_err *err) FM_CHECK;

/* The state that the log's first `size` leaves (0: all) end with; *ends is false if no block ends
 * there. ctx: a store. */
fm_status ledger_log_at(void *ctx, bool *ends, struct ledger_epoch_head *out, uint64_t size,
                        struct base_err *err) FM_CHECK;

/* A value of the state; *value is NULL if there is none. The caller owns it. */
fm_status ledger_store_value(struct ledger_store *store, json_t **value, const char *key,
                             struct base_err *err) FM_CHECK;

/* Appends the checkpoint over the first `size` leaves with the cosignatures that are stored. */
fm_status ledger_checkpoint_text(struct ledger_store *store, struct base_buf *text, uint64_t size,
                                 struct base_err *err) FM_CHECK;

#endif
