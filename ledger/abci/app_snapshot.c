/* State sync: what we show to others, and what we take from them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "ledger/abci/app_own.h"
#include "ledger/store/snapshot.h"

/* CometBFT's words. */
enum { OFFER_ACCEPT = 1, OFFER_ABORT = 2, OFFER_REJECT = 3, OFFER_REJECT_FORMAT = 4 };
enum { APPLY_ACCEPT = 1, APPLY_ABORT = 2, APPLY_RETRY = 3, APPLY_REJECT_SNAPSHOT = 5 };

fm_status abci_list(struct ledger_abci_app *app, const Abci__Request *request,
                    struct answer *answer, struct base_err *err)
{
    Abci__ResponseListSnapshots *out = &answer->body.list;
    Abci__Snapshot *items = calloc(ABCI_SNAPSHOTS, sizeof *items), **list = NULL;

    (void)request;
    abci_make_take(app);
    answer->items = items;
    answer->array = list = calloc(ABCI_SNAPSHOTS, sizeof(Abci__Snapshot *));
    if (items == NULL || list == NULL)
        return base_err_memory(err, "snapshots");
    abci__response_list_snapshots__init(out);
    out->snapshots = list;
    for (size_t i = 0; i < ABCI_SNAPSHOTS && app->made[i].height > 0; i++) {
        struct abci_snapshot *s = &app->made[i];
        abci__snapshot__init(&items[i]);
        items[i].height = s->height;
        items[i].format = ABCI_FORMAT;
        items[i].chunks = s->chunks;
        items[i].hash = (ProtobufCBinaryData){sizeof s->hash, s->hash};
        items[i].metadata = (ProtobufCBinaryData){s->metadata.len, s->metadata.p};
        list[out->n_snapshots++] = &items[i];
    }
    answer->response.value_case = ABCI__RESPONSE__VALUE_LIST_SNAPSHOTS;
    answer->response.list_snapshots = out;
    return FM_OK;
}

/* An empty chunk if we have it no more: the other asks somebody else. */
static fm_status read_chunk(struct ledger_abci_app *app, struct base_buf *out,
                            const Abci__RequestLoadChunk *in, struct base_err *err)
{
    char path[512];
    uint8_t *room;
    size_t n = 0;
    FILE *file;

    for (size_t i = 0; i < ABCI_SNAPSHOTS; i++)
        if (app->made[i].height == in->height && in->format == ABCI_FORMAT &&
            in->chunk < app->made[i].chunks)
            n = 1;
    if (n == 0 || in->height == 0 || !abci_make_path(path, app, in->height))
        return FM_OK;
    file = fopen(path, "rbe");
    room = base_buf_extend(out, ABCI_CHUNK);
    n = 0;
    if (file != NULL && room != NULL &&
        fseek(file, (long)in->chunk * (long)ABCI_CHUNK, SEEK_SET) == 0)
        n = fread(room, 1, ABCI_CHUNK, file);
    if (file != NULL)
        (void)fclose(file);
    out->len = n;
    return base_buf_status(out, "chunk", err);
}

fm_status abci_load(struct ledger_abci_app *app, const Abci__Request *request,
                    struct answer *answer, struct base_err *err)
{
    Abci__ResponseLoadChunk *out = &answer->body.chunk;
    fm_status st = read_chunk(app, &answer->bytes, request->load_chunk, err);

    abci__response_load_chunk__init(out);
    out->chunk = (ProtobufCBinaryData){answer->bytes.len, answer->bytes.p};
    answer->response.value_case = ABCI__RESPONSE__VALUE_LOAD_CHUNK;
    answer->response.load_chunk = out;
    return st;
}

/* ---- joining ---- */

static uint32_t judge_offer(struct ledger_abci_app *app, const Abci__RequestOfferSnapshot *in)
{
    const Abci__Snapshot *s = in->snapshot;
    uint8_t hash[32];

    if (ledger_chain_head(app->host.chain)->height != 0)
        return OFFER_ABORT;
    if (s == NULL || in->app_hash.len != 32)
        return OFFER_REJECT;
    if (s->format != ABCI_FORMAT)
        return OFFER_REJECT_FORMAT;
    base_sha256(hash, s->metadata.data, s->metadata.len);
    if (s->height == 0 || s->chunks == 0 || s->chunks > ABCI_CHUNKS_MAX ||
        s->metadata.len != (size_t)32 * s->chunks || s->hash.len != sizeof hash ||
        memcmp(s->hash.data, hash, sizeof hash) != 0)
        return OFFER_REJECT;
    return OFFER_ACCEPT;
}

fm_status abci_offer(struct ledger_abci_app *app, const Abci__Request *request,
                     struct answer *answer, struct base_err *err)
{
    const Abci__RequestOfferSnapshot *in = request->offer_snapshot;
    uint32_t result = judge_offer(app, in);
    fm_status st = FM_OK;

    if (result == OFFER_ACCEPT) {
        app->taking.height = in->snapshot->height;
        app->taking.chunks = in->snapshot->chunks;
        base_buf_clear(&app->taking.metadata);
        base_buf_put(&app->taking.metadata, in->snapshot->metadata.data,
                     in->snapshot->metadata.len);
        base_buf_clear(&app->taken);
        memcpy(app->app_hash, in->app_hash.data, sizeof app->app_hash);
        st = base_buf_status(&app->taking.metadata, "snapshot", err);
    }
    answer_result(answer, ABCI__RESPONSE__VALUE_OFFER_SNAPSHOT, result);
    return st;
}

/* All of it is there. */
static fm_status restore(struct ledger_abci_app *app, uint32_t *result, struct base_err *err)
{
    struct base_err why = {0};
    fm_status st =
        ledger_engine_restore(app->host.engine, app->taken.p, app->taken.len, app->taking.height,
                              app->app_hash, app->host.now(app->host.ctx), &why);

    base_buf_release(&app->taken);
    app->taking.chunks = 0;
    if (st == FM_OK)
        return FM_OK;
    if (st == FM_E_INPUT || st == FM_E_INVALID) {
        *result = APPLY_REJECT_SNAPSHOT;
        app->host.event(app->host.ctx, why.text);
        return FM_OK;
    }
    *err = why;
    return st;
}

/* The first chunk, before any other is gathered: of our ledger, that height, and not more than is
 * to come? */
static fm_status begins(struct ledger_abci_app *app, uint32_t *result, struct base_err *err)
{
    struct base_err why = {0};
    fm_status st = ledger_snapshot_begins(
        app->host.chain, app->taken.p, app->taken.len, (uint64_t)app->taking.chunks * ABCI_CHUNK,
        app->taking.height, ledger_engine_latest(app->host.engine, app->host.now(app->host.ctx)),
        &why);

    if (st == FM_OK)
        return FM_OK;
    base_buf_release(&app->taken);
    app->taking.chunks = 0;
    if (st == FM_E_INPUT) {
        *result = APPLY_REJECT_SNAPSHOT;
        app->host.event(app->host.ctx, why.text);
        return FM_OK;
    }
    *err = why;
    return st;
}

/* Chunks come in order. One that has another hash is asked for again, of somebody else. */
static fm_status take_chunk(struct ledger_abci_app *app, uint32_t *result,
                            const Abci__RequestApplyChunk *in, struct base_err *err)
{
    uint8_t hash[32];
    fm_status st;

    *result = APPLY_ACCEPT;
    if (app->taking.chunks == 0 || in->index >= app->taking.chunks ||
        app->taken.len != (size_t)in->index * ABCI_CHUNK) {
        *result = APPLY_ABORT;
        return FM_OK;
    }
    base_sha256(hash, in->chunk.data, in->chunk.len);
    if (memcmp(hash, app->taking.metadata.p + (size_t)32 * in->index, sizeof hash) != 0 ||
        in->chunk.len > ABCI_CHUNK) {
        *result = APPLY_RETRY;
        return FM_OK;
    }
    base_buf_put(&app->taken, in->chunk.data, in->chunk.len);
    st = base_buf_status(&app->taken, "snapshot", err);
    if (st == FM_OK && in->index == 0)
        st = begins(app, result, err);
    if (st != FM_OK || *result != APPLY_ACCEPT || in->index + 1 < app->taking.chunks)
        return st;
    return restore(app, result, err);
}

fm_status abci_apply(struct ledger_abci_app *app, const Abci__Request *request,
                     struct answer *answer, struct base_err *err)
{
    const Abci__RequestApplyChunk *in = request->apply_chunk;
    Abci__ResponseApplyChunk *out = &answer->body.apply;
    fm_status st;

    abci__response_apply_chunk__init(out);
    st = take_chunk(app, &out->result, in, err);
    if (st == FM_OK && out->result == APPLY_RETRY) {
        uint32_t *again = calloc(1, sizeof *again);
        char **reject = calloc(1, sizeof *reject);
        answer->items = again;
        answer->array = reject;
        if (again == NULL || reject == NULL)
            return base_err_memory(err, "snapshot");
        *again = in->index;
        *reject = in->sender;
        out->again = again;
        out->reject = reject;
        out->n_again = out->n_reject = 1;
    }
    answer->response.value_case = ABCI__RESPONSE__VALUE_APPLY_CHUNK;
    answer->response.apply_chunk = out;
    return st;
}
