/* Proposals and blocks. */
#include <stdlib.h>
#include <string.h>

#include "ledger/abci/app_own.h"
#include "ledger/machine/machine.h"
#include "ledger/proof/rules.h"

/* A block as CometBFT gives it, with its transactions where the request has them. */
struct given {
    struct ledger_block block;
    struct ledger_bytes *txs;
    struct base_buf proven; /* what the first of them point into */
};

fm_status abci_time(int64_t *out_ms, const Abci__Timestamp *time, struct base_err *err)
{
    const int64_t far = (int64_t)1 << 40; /* seconds: the year 36,812 */

    *out_ms = 0;
    if (time == NULL)
        return FM_OK;
    if (time->seconds < -far || time->seconds > far || time->nanos < 0 || time->nanos > 999999999)
        return base_err_set(err, FM_E_INPUT, "a time is out of range");
    *out_ms = time->seconds * 1000 + time->nanos / 1000000;
    return FM_OK;
}

/* The block of a request, behind so many entries of the engine's own that are to be filled in. */
static fm_status take(struct given *g, size_t vouched, int64_t height, const Abci__Timestamp *time,
                      const ProtobufCBinaryData *txs, size_t n, struct base_err *err)
{
    *g = (struct given){.txs = calloc(vouched + n + 1, sizeof *g->txs)};
    if (g->txs == NULL)
        return base_err_memory(err, "block");
    for (size_t i = 0; i < n; i++)
        g->txs[vouched + i] = (struct ledger_bytes){txs[i].data, txs[i].len};
    g->block.txs = g->txs;
    g->block.count = vouched + n;
    g->block.vouched = vouched;
    if (height < 1)
        return base_err_set(err, FM_E_INPUT, "there is no block %lld", (long long)height);
    g->block.height = (uint64_t)height;
    return abci_time(&g->block.time_ms, time, err);
}

static fm_status take_decided(struct given *g, struct ledger_abci_app *app,
                              const Abci__RequestBlock *in, struct base_err *err)
{
    size_t at = 0, *len = calloc(in->n_misbehavior + 1, sizeof *len);
    fm_status st = take(g, in->n_misbehavior, in->height, in->time, in->txs, in->n_txs, err);

    if (st == FM_OK && len == NULL)
        st = base_err_memory(err, "block");
    if (st == FM_OK)
        st = abci_take_misbehavior(app, &g->proven, len, in, err);
    for (size_t i = 0; st == FM_OK && i < in->n_misbehavior; at += len[i++])
        g->txs[i] = (struct ledger_bytes){g->proven.p + at, len[i]};
    free(len);
    return st;
}

static void give_back(struct given *g)
{
    free(g->txs);
    base_buf_release(&g->proven);
}

fm_status abci_prepare(struct ledger_abci_app *app, const Abci__Request *request,
                       struct answer *answer, struct base_err *err)
{
    const Abci__RequestPrepare *in = request->prepare;
    Abci__ResponsePrepare *out = &answer->body.prepare;
    ProtobufCBinaryData *txs = calloc(in->n_txs + 1, sizeof *txs);
    size_t *chosen = calloc(in->n_txs + 1, sizeof *chosen), n = 0;
    struct given g = {0};
    fm_status st = txs == NULL || chosen == NULL
                       ? base_err_memory(err, "proposal")
                       : take(&g, 0, in->height, in->time, in->txs, in->n_txs, err);

    answer->array = txs;
    answer->items = chosen;
    if (st == FM_OK)
        st = ledger_engine_propose(app->host.engine, chosen, &n, g.txs, g.block.count,
                                   in->max_tx_bytes > 0 ? (uint64_t)in->max_tx_bytes : 0,
                                   g.block.time_ms, app->host.now(app->host.ctx), err);
    for (size_t i = 0; st == FM_OK && i < n; i++)
        txs[i] = in->txs[chosen[i]];
    give_back(&g);
    abci__response_prepare__init(out);
    out->txs = txs;
    out->n_txs = n;
    answer->response.value_case = ABCI__RESPONSE__VALUE_PREPARE;
    answer->response.prepare = out;
    return st;
}

fm_status abci_process(struct ledger_abci_app *app, const Abci__Request *request,
                       struct answer *answer, struct base_err *err)
{
    enum { ACCEPT = 1, REJECT = 2 };
    const Abci__RequestBlock *in = request->process;
    struct base_err why = {0};
    struct given g;
    fm_status st = take(&g, 0, in->height, in->time, in->txs, in->n_txs, &why);

    if (st == FM_OK)
        st = ledger_engine_judge(app->host.engine, &g.block, app->host.now(app->host.ctx), &why);
    give_back(&g);
    answer_result(answer, ABCI__RESPONSE__VALUE_PROCESS, st == FM_OK ? ACCEPT : REJECT);
    if (st == FM_E_REFUSED || st == FM_E_INPUT || st == FM_E_CONFLICT) {
        (void)base_err_prefix(&why, "we do not vote for the proposed block %lld",
                              (long long)in->height);
        app->host.event(app->host.ctx, why.text);
        return FM_OK;
    }
    *err = why;
    return st;
}

/* The result of each transaction: code 0 ok, 1 refused by a rule and on the log, 2 dropped. Code
 * and data are hashed into the next block, so they are functions of the block and the state. */
static fm_status put_results(struct answer *answer, const struct ledger_outcome *outcomes, size_t n,
                             struct base_err *err)
{
    Abci__ResponseFinalize *out = &answer->body.finalize;
    Abci__ResponseTx *tx = calloc(n + 1, sizeof *tx);
    size_t from = 0;
    fm_status st = FM_OK;

    answer->items = tx;
    answer->array = out->tx_results = calloc(n + 1, sizeof(Abci__ResponseTx *));
    if (tx == NULL || out->tx_results == NULL)
        return base_err_memory(err, "results");
    for (size_t i = 0; st == FM_OK && i < n; i++) {
        abci__response_tx__init(&tx[i]);
        out->tx_results[i] = &tx[i];
        tx[i].code = outcomes[i].verdict == LEDGER_OK        ? 0
                     : outcomes[i].verdict == LEDGER_REFUSED ? 1
                                                             : 2;
        if (outcomes[i].verdict != LEDGER_DROPPED)
            st = ledger_outcome_result(&answer->more, &outcomes[i], err);
        tx[i].data.len = answer->more.len - from; /* the pointer, once the buffer is at rest */
        from = answer->more.len;
    }
    out->n_tx_results = n;
    from = 0;
    for (size_t i = 0; st == FM_OK && i < n; from += tx[i++].data.len)
        tx[i].data.data = answer->more.p != NULL ? answer->more.p + from : NULL;
    return st == FM_OK ? base_buf_status(&answer->more, "results", err) : st;
}

fm_status abci_finalize(struct ledger_abci_app *app, const Abci__Request *request,
                        struct answer *answer, struct base_err *err)
{
    const Abci__RequestBlock *in = request->finalize;
    Abci__ResponseFinalize *out = &answer->body.finalize;
    struct ledger_outcome *outcomes = calloc(in->n_misbehavior + in->n_txs + 1, sizeof *outcomes);
    struct ledger_head after;
    struct given g = {0};
    fm_status st =
        outcomes == NULL ? base_err_memory(err, "block") : take_decided(&g, app, in, err);

    abci__response_finalize__init(out);
    if (st == FM_OK)
        st = ledger_engine_finalize(app->host.engine, &after, outcomes, &g.block,
                                    app->host.now(app->host.ctx), err);
    if (st == FM_OK) {
        base_buf_put(&answer->bytes, after.app_hash, sizeof after.app_hash);
        out->app_hash.data = answer->bytes.p;
        out->app_hash.len = answer->bytes.len;
        st = put_results(answer, outcomes + in->n_misbehavior, in->n_txs, err);
    }
    if (st == FM_OK)
        st = abci_put_updates(app, answer, err);
    if (st == FM_OK)
        st = abci_tell_misbehavior(app, in, err);
    give_back(&g);
    free(outcomes);
    answer->response.value_case = ABCI__RESPONSE__VALUE_FINALIZE;
    answer->response.finalize = out;
    if (st == FM_OK)
        return base_buf_status(&answer->bytes, "answer", err);
    return base_err_prefix(err, "FinalizeBlock");
}

fm_status abci_commit(struct ledger_abci_app *app, const Abci__Request *request,
                      struct answer *answer, struct base_err *err)
{
    fm_status st = ledger_engine_commit(app->host.engine, app->host.now(app->host.ctx), err);

    (void)request;
    if (st == FM_OK)
        abci_make_begin(app, ledger_chain_head(app->host.chain)->height);
    abci__empty__init(&answer->body.empty);
    answer->response.value_case = ABCI__RESPONSE__VALUE_COMMIT;
    answer->response.commit = &answer->body.empty;
    return st == FM_OK ? FM_OK : base_err_prefix(err, "Commit");
}
