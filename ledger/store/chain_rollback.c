/* Taking blocks back that never became final, and this node's notes. */
#include "ledger/store/chain_impl.h"

static fm_status check_back(struct ledger_chain *chain, uint64_t height, struct base_err *err)
{
    struct ledger_store_block final = {0};
    fm_status st = FM_OK;

    if (height > chain->tip.height)
        return base_err_set(err, FM_E_ARG, "block %llu is not there to go back to",
                            (unsigned long long)height);
    if (chain->final_size > 0)
        st = ledger_block_ending(chain->store, &final, chain->final_size, err);
    if (st == FM_OK && height < final.height)
        st = base_err_set(err, FM_E_ARG, "block %llu is final: it is never taken back",
                          (unsigned long long) final.height);
    return st;
}

/* In a write transaction that is open. What the machine has read is forgotten: it may be gone. */
static fm_status undo_to(struct ledger_chain *chain, uint64_t height, struct ledger_store_tip *tip,
                         struct base_err *err)
{
    fm_status st = FM_OK;

    for (uint64_t at = chain->tip.height; st == FM_OK && at > height; at--)
        st = ledger_store_undo(chain->store, at, err);
    ledger_machine_forget(chain->machine);
    return st == FM_OK ? ledger_store_get_tip(chain->store, tip, err) : st;
}

/* Ends the write transaction, well or not. */
static fm_status conclude(struct ledger_chain *chain, fm_status st, const struct ledger_tip *tip,
                          struct base_err *err)
{
    if (st == FM_OK)
        st = ledger_store_commit(chain->store, err);
    else
        ledger_store_rollback(chain->store);
    ledger_machine_forget(chain->machine);
    if (st == FM_OK) {
        chain->tip = *tip;
        ledger_head_fill(&chain->head, tip);
    }
    return st;
}

fm_status ledger_chain_rollback(struct ledger_chain *chain, uint64_t height, struct base_err *err)
{
    struct ledger_store_tip tip;
    fm_status st = check_back(chain, height, err);

    if (st == FM_OK)
        st = ledger_store_begin_write(chain->store, err);
    if (st == FM_OK) {
        st = undo_to(chain, height, &tip, err);
        st = conclude(chain, st, &tip.tip, err);
    }
    return st == FM_OK
               ? FM_OK
               : base_err_prefix(err, "going back to block %llu", (unsigned long long)height);
}

static fm_status switch_to(struct ledger_chain *chain, struct ledger_tip *tip,
                           struct ledger_outcome *outcomes, const struct ledger_block *blocks,
                           size_t n, struct base_err *err)
{
    struct ledger_store_tip back;
    fm_status st = undo_to(chain, blocks[0].height - 1, &back, err);

    if (st != FM_OK)
        return st;
    *tip = back.tip;
    for (size_t i = 0; st == FM_OK && i < n; outcomes += blocks[i++].count) {
        struct ledger_step step = {0};
        st = ledger_machine_follows(chain->machine, tip->height, tip->time_ms, &blocks[i], err);
        if (st == FM_OK)
            st = ledger_chain_run(chain, tip, &step, outcomes, &blocks[i], err);
        if (st == FM_OK)
            ledger_machine_applied(chain->machine, &step);
        ledger_step_release(&step);
    }
    if (st == FM_OK && outcomes[-1].verdict != LEDGER_OK)
        st = base_err_set(err, FM_E_REFUSED, "%s: %s", ledger_rule_code(outcomes[-1].rule),
                          outcomes[-1].detail);
    return st;
}

fm_status ledger_chain_switch(struct ledger_chain *chain, struct ledger_outcome *outcomes,
                              const struct ledger_block *blocks, size_t n, struct base_err *err)
{
    struct ledger_tip tip;
    fm_status st = n == 0 || blocks[0].height == 0 || blocks[n - 1].count != 1
                       ? base_err_set(err, FM_E_ARG, "no blocks to switch to")
                       : check_back(chain, blocks[0].height - 1, err);

    if (st == FM_OK)
        st = ledger_store_begin_write(chain->store, err);
    if (st != FM_OK)
        return st;
    st = switch_to(chain, &tip, outcomes, blocks, n, err);
    return conclude(chain, st, &tip, err);
}

fm_status ledger_chain_note(struct ledger_chain *chain, const char *name, const void *value,
                            size_t len, struct base_err *err)
{
    return ledger_store_put_note(chain->store, name, value, len, err);
}

fm_status ledger_chain_notes(struct ledger_chain *chain,
                             fm_status (*fn)(void *ctx, const char *name, const void *value,
                                             size_t len, struct base_err *err),
                             void *ctx, struct base_err *err)
{
    return ledger_store_each_note(chain->store, fn, ctx, err);
}
