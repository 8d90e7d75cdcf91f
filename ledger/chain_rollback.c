/* Taking blocks back that never became final, and this node's notes. */
#include "ledger/chain_impl.h"

static fm_status undo_in_transaction(struct ledger_chain *chain, uint64_t height,
                                     struct ledger_store_tip *tip, struct base_err *err)
{
    fm_status st = ledger_store_begin_write(chain->store, err);

    if (st != FM_OK)
        return st;
    for (uint64_t at = chain->tip.height; st == FM_OK && at > height; at--)
        st = ledger_store_undo(chain->store, at, err);
    if (st == FM_OK)
        st = ledger_store_get_tip(chain->store, tip, err);
    if (st == FM_OK)
        return ledger_store_commit(chain->store, err);
    ledger_store_rollback(chain->store);
    return st;
}

fm_status ledger_chain_rollback(struct ledger_chain *chain, uint64_t height, struct base_err *err)
{
    struct ledger_store_tip tip;
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
    if (st == FM_OK)
        st = undo_in_transaction(chain, height, &tip, err);
    if (st != FM_OK)
        return base_err_prefix(err, "going back to block %llu", (unsigned long long)height);
    chain->tip = tip.tip;
    ledger_head_fill(&chain->head, &chain->tip);
    ledger_machine_forget(chain->machine);
    return FM_OK;
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
