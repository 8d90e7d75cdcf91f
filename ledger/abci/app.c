#include "ledger/abci/app.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "did/document.h"
#include "ledger/abci/app_own.h"
#include "ledger/abci/frame.h"
#include "ledger/proof/rules.h"

void ledger_abci_chain_text(char out[LEDGER_ABCI_CHAIN_TEXT], const uint8_t chain32[32])
{
    char hex[DID_CHAIN_TEXT];

    did_chain_text(hex, chain32);
    (void)snprintf(out, LEDGER_ABCI_CHAIN_TEXT, "firmiana-%s", hex);
}

fm_status ledger_abci_app_new(struct ledger_abci_app **out, const struct ledger_abci_host *host,
                              struct base_err *err)
{
    struct ledger_abci_app *app = calloc(1, sizeof *app);

    *out = app;
    if (app == NULL)
        return base_err_memory(err, "ABCI application");
    app->host = *host;
    abci_make_clear(app);
    return FM_OK;
}

void ledger_abci_app_free(struct ledger_abci_app *app)
{
    if (app == NULL)
        return;
    abci_make_end(app);
    base_buf_release(&app->taking.metadata);
    base_buf_release(&app->taken);
    free(app);
}

void ledger_abci_gone(struct ledger_abci_app *app)
{
    ledger_engine_discard(app->host.engine);
    app->taking.chunks = 0;
    base_buf_release(&app->taken); /* up to gigabytes, that nobody will go on with */
}

void answer_result(struct answer *answer, Abci__Response__ValueCase which, uint32_t result)
{
    abci__response_result__init(&answer->body.result);
    answer->body.result.result = result;
    answer->response.value_case = which;
    answer->response.process = &answer->body.result; /* one of a union of pointers */
}

/* ---- the plain ones ---- */

static fm_status on_echo(struct ledger_abci_app *app, const Abci__Request *request,
                         struct answer *answer, struct base_err *err)
{
    (void)app;
    (void)err;
    abci__text__init(&answer->body.text);
    answer->body.text.text = request->echo->text;
    answer->response.value_case = ABCI__RESPONSE__VALUE_ECHO;
    answer->response.echo = &answer->body.text;
    return FM_OK;
}

static fm_status on_flush(struct ledger_abci_app *app, const Abci__Request *request,
                          struct answer *answer, struct base_err *err)
{
    (void)app;
    (void)request;
    (void)err;
    abci__empty__init(&answer->body.empty);
    answer->response.value_case = ABCI__RESPONSE__VALUE_FLUSH;
    answer->response.flush = &answer->body.empty;
    return FM_OK;
}

static fm_status on_info(struct ledger_abci_app *app, const Abci__Request *request,
                         struct answer *answer, struct base_err *err)
{
    const struct ledger_head *head = ledger_chain_head(app->host.chain);
    Abci__ResponseInfo *info = &answer->body.info;

    (void)request;
    base_buf_put(&answer->bytes, head->app_hash, sizeof head->app_hash);
    abci__response_info__init(info);
    info->data = (char *)(uintptr_t) "firmiana";
    info->app_version = head->rules_version;
    info->last_height = (int64_t)head->height;
    info->last_app_hash.data = answer->bytes.p;
    info->last_app_hash.len = answer->bytes.len;
    answer->response.value_case = ABCI__RESPONSE__VALUE_INFO;
    answer->response.info = info;
    return base_buf_status(&answer->bytes, "answer", err);
}

/* ---- InitChain ---- */

static fm_status check_chain(struct ledger_abci_app *app, const Abci__RequestInitChain *init,
                             struct base_err *err)
{
    const struct ledger_head *head = ledger_chain_head(app->host.chain);
    const uint8_t *chain = ledger_chain_id(app->host.chain);
    char name[LEDGER_ABCI_CHAIN_TEXT];
    uint8_t theirs[32];
    json_t *state = NULL;
    fm_status st;

    ledger_abci_chain_text(name, chain);
    if (strcmp(init->chain_id, name) != 0)
        return base_err_set(
            err, FM_E_CONFLICT,
            "CometBFT begins chain %.60s, but this ledger is %s: its folder belongs "
            "to another consortium",
            init->chain_id, name);
    if (head->height != 0 || init->initial_height != 1)
        return base_err_set(err, FM_E_CONFLICT,
                            "CometBFT begins at block %lld, but this replica has %llu: never join "
                            "a ledger.db to another CometBFT folder",
                            (long long)init->initial_height, (unsigned long long)head->height);
    st = base_json_parse(&state, (const char *)init->app_state.data, init->app_state.len, err);
    if (st == FM_OK)
        st = base_json_get_hex(theirs, sizeof theirs, state, "chain", err);
    if (st == FM_OK && memcmp(theirs, chain, sizeof theirs) != 0)
        st = base_err_set(err, FM_E_CONFLICT, "CometBFT's genesis is of another ledger");
    json_decref(state);
    return st;
}

static fm_status on_init_chain(struct ledger_abci_app *app, const Abci__Request *request,
                               struct answer *answer, struct base_err *err)
{
    const struct ledger_head *head = ledger_chain_head(app->host.chain);
    Abci__ResponseInitChain *init = &answer->body.init_chain;
    fm_status st = check_chain(app, request->init_chain, err);

    if (st != FM_OK)
        return base_err_prefix(err, "InitChain");
    base_buf_put(&answer->bytes, head->app_hash, sizeof head->app_hash);
    abci__response_init_chain__init(init);
    init->app_hash.data = answer->bytes.p;
    init->app_hash.len = answer->bytes.len;
    answer->response.value_case = ABCI__RESPONSE__VALUE_INIT_CHAIN;
    answer->response.init_chain = init;
    return base_buf_status(&answer->bytes, "answer", err);
}

/* ---- CheckTx ---- */

/* 0: it may wait; 1: no block can hold it; 2: not now (exchange/comet/rpc.c asks again). */
static fm_status on_check_tx(struct ledger_abci_app *app, const Abci__Request *request,
                             struct answer *answer, struct base_err *err)
{
    const Abci__RequestCheckTx *check = request->check_tx;
    Abci__ResponseTx *tx = &answer->body.tx;
    struct ledger_outcome outcome = {0};
    struct base_err why = {0};
    fm_status st = ledger_engine_check(app->host.engine, &outcome, check->tx.data, check->tx.len,
                                       check->type == 0 ? LEDGER_ASKED_FIRST : LEDGER_ASKED_AGAIN,
                                       app->host.now(app->host.ctx), &why);

    abci__response_tx__init(tx);
    if (st == FM_E_LIMIT) {
        tx->code = 2;
        base_buf_putf(&answer->bytes, "%s", why.text);
    } else if (st != FM_OK) {
        *err = why;
        return st;
    } else if (outcome.verdict == LEDGER_DROPPED) {
        tx->code = 1;
        base_buf_putf(&answer->bytes, "%s: %s", ledger_rule_code(outcome.rule), outcome.detail);
    }
    if (tx->code != 0)
        tx->log = (char *)(uintptr_t)base_buf_cstr(&answer->bytes);
    answer->response.value_case = ABCI__RESPONSE__VALUE_CHECK_TX;
    answer->response.check_tx = tx;
    return base_buf_status(&answer->bytes, "answer", err);
}

/* ---- votes ---- */

static fm_status on_extend_vote(struct ledger_abci_app *app, const Abci__Request *request,
                                struct answer *answer, struct base_err *err)
{
    (void)on_flush(app, request, answer, err);
    answer->response.value_case = ABCI__RESPONSE__VALUE_EXTEND_VOTE;
    return FM_OK;
}

static fm_status on_verify_vote(struct ledger_abci_app *app, const Abci__Request *request,
                                struct answer *answer, struct base_err *err)
{
    enum { ACCEPT = 1, REJECT = 2 };

    (void)app;
    (void)err;
    answer_result(answer, ABCI__RESPONSE__VALUE_VERIFY_VOTE,
                  request->verify_vote->extension.len == 0 ? ACCEPT : REJECT);
    return FM_OK;
}

/* ---- all ---- */

static ledger_abci_handler *handler_of(Abci__Request__ValueCase which)
{
    switch (which) {
    case ABCI__REQUEST__VALUE_ECHO:
        return on_echo;
    case ABCI__REQUEST__VALUE_FLUSH:
        return on_flush;
    case ABCI__REQUEST__VALUE_INFO:
        return on_info;
    case ABCI__REQUEST__VALUE_INIT_CHAIN:
        return on_init_chain;
    case ABCI__REQUEST__VALUE_QUERY:
        return abci_query;
    case ABCI__REQUEST__VALUE_CHECK_TX:
        return on_check_tx;
    case ABCI__REQUEST__VALUE_COMMIT:
        return abci_commit;
    case ABCI__REQUEST__VALUE_LIST_SNAPSHOTS:
        return abci_list;
    case ABCI__REQUEST__VALUE_OFFER_SNAPSHOT:
        return abci_offer;
    case ABCI__REQUEST__VALUE_LOAD_CHUNK:
        return abci_load;
    case ABCI__REQUEST__VALUE_APPLY_CHUNK:
        return abci_apply;
    case ABCI__REQUEST__VALUE_PREPARE:
        return abci_prepare;
    case ABCI__REQUEST__VALUE_PROCESS:
        return abci_process;
    case ABCI__REQUEST__VALUE_EXTEND_VOTE:
        return on_extend_vote;
    case ABCI__REQUEST__VALUE_VERIFY_VOTE:
        return on_verify_vote;
    case ABCI__REQUEST__VALUE_FINALIZE:
        return abci_finalize;
    default:
        return NULL;
    }
}

static void answer_exception(struct answer *answer, const struct base_err *err)
{
    abci__text__init(&answer->body.text);
    answer->body.text.text = (char *)(uintptr_t)err->text;
    answer->response.value_case = ABCI__RESPONSE__VALUE_EXCEPTION;
    answer->response.exception = &answer->body.text;
}

static fm_status pack(struct base_buf *out, const Abci__Response *response, struct base_err *err)
{
    size_t len = abci__response__get_packed_size(response);
    uint8_t *at;

    ledger_frame_length(out, len);
    at = base_buf_extend(out, len);
    if (at != NULL)
        (void)abci__response__pack(response, at);
    return base_buf_status(out, "ABCI answer", err);
}

static bool is_world(fm_status st)
{
    return st == FM_E_IO || st == FM_E_CORRUPT || st == FM_E_MEMORY;
}

fm_status ledger_abci_answer(struct ledger_abci_app *app, struct base_buf *out, const void *bytes,
                             size_t len, struct base_err *err)
{
    struct answer answer = {.response = ABCI__RESPONSE__INIT};
    Abci__Request *request = abci__request__unpack(NULL, len, bytes);
    ledger_abci_handler *handler = request != NULL ? handler_of(request->value_case) : NULL;
    struct base_err why = {0};
    fm_status st = handler != NULL
                       ? handler(app, request, &answer, &why)
                       : base_err_set(&why, FM_E_INPUT, "an ABCI request that is none of 0.38's");
    fm_status packed;

    if (st != FM_OK) {
        answer_exception(&answer, &why);
        app->host.event(app->host.ctx, why.text);
    }
    packed = pack(out, &answer.response, err);
    if (request != NULL)
        abci__request__free_unpacked(request, NULL);
    base_buf_release(&answer.bytes);
    base_buf_release(&answer.more);
    free(answer.array);
    free(answer.items);
    free(answer.changes);
    free(answer.change_of);
    if (!is_world(st))
        return packed;
    *err = why;
    return st;
}
