/* What FinalizeBlock hears of misbehavior. CometBFT has checked the proof, at every validator,
 * before it voted for the block that carries it. */
#include <string.h>

#include "ledger/abci/app_own.h"
#include "ledger/abci/validators.h"

/* CometBFT's own numbers. */
static enum ledger_act act_of(int32_t type)
{
    switch (type) {
    case 1:
        return LEDGER_ACT_VOTED_TWICE;
    case 2:
        return LEDGER_ACT_LIGHT_CLIENT;
    default:
        return LEDGER_ACT_COUNT;
    }
}

static fm_status read_one(struct ledger_misbehavior *out, struct ledger_abci_app *app,
                          const Abci__Misbehavior *m, struct base_err *err)
{
    fm_status st;

    *out = (struct ledger_misbehavior){.act = act_of(m->type),
                                       .height = m->height > 0 ? (uint64_t)m->height : 0};
    if (m->validator == NULL || m->validator->address.len != sizeof out->validator)
        return base_err_set(err, FM_E_INPUT, "misbehavior of nobody");
    if (out->act == LEDGER_ACT_COUNT)
        return base_err_set(err, FM_E_INPUT, "misbehavior of kind %d, which we do not know",
                            (int)m->type);
    memcpy(out->validator, m->validator->address.data, sizeof out->validator);
    st = abci_time(&out->time_ms, m->time, err);
    if (out->time_ms < 0)
        out->time_ms = 0;
    if (st == FM_OK)
        st = ledger_validator_name(out->member, ledger_chain_reader(app->host.chain),
                                   out->validator, err);
    return st;
}

fm_status abci_take_misbehavior(struct ledger_abci_app *app, struct base_buf *bytes, size_t *len,
                                const Abci__RequestBlock *in, struct base_err *err)
{
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < in->n_misbehavior; i++) {
        struct ledger_misbehavior what;
        size_t before = bytes->len;
        st = read_one(&what, app, in->misbehavior[i], err);
        if (st == FM_OK)
            st = ledger_misbehavior_write(bytes, &what, ledger_chain_id(app->host.chain), err);
        len[i] = bytes->len - before;
    }
    return st;
}

fm_status abci_tell_misbehavior(struct ledger_abci_app *app, const Abci__RequestBlock *in,
                                struct base_err *err)
{
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < in->n_misbehavior; i++) {
        struct ledger_abci_misbehavior it = {.in_block = (uint64_t)in->height};
        st = read_one(&it.what, app, in->misbehavior[i], err);
        if (st == FM_OK)
            app->host.misbehaved(app->host.ctx, &it);
    }
    return st;
}
