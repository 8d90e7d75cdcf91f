/* Query: who may connect, and what the ledger holds. */
#include <string.h>

#include "base/json.h"
#include "ledger/abci/app_own.h"

enum { FOUND = 0, NOT_FOUND = 1, NOT_ASKED_SO = 2 };

static fm_status state_value(struct ledger_abci_app *app, uint32_t *code, struct base_buf *out,
                             const char *key, bool prove, struct base_err *err)
{
    struct ledger_reader *reader = ledger_chain_reader(app->host.chain);
    json_t *value = NULL;
    fm_status st = prove ? ledger_reader_state_proof(reader, &value, key, err)
                         : ledger_reader_get(reader, &value, key, err);

    *code = st == FM_OK ? FOUND : NOT_FOUND;
    if (st == FM_OK)
        st = base_json_canonical(out, value, err);
    json_decref(value);
    return st == FM_E_NOT_FOUND ? FM_OK : st;
}

static fm_status transaction(struct ledger_abci_app *app, uint32_t *code, struct base_buf *out,
                             const uint8_t id[32], struct base_err *err)
{
    struct ledger_entry entry = {0};
    fm_status st = ledger_reader_tx(ledger_chain_reader(app->host.chain), &entry, id, err);

    *code = st == FM_OK && !entry.erased ? FOUND : NOT_FOUND;
    if (st == FM_OK)
        base_buf_put(out, entry.payload.p, entry.payload.len);
    ledger_entry_release(&entry);
    return st == FM_E_NOT_FOUND ? FM_OK : st;
}

static uint32_t filter(const struct ledger_abci_app *app, const char *path)
{
    static const char id[] = "/p2p/filter/id/";

    if (strncmp(path, id, sizeof id - 1) == 0)
        return app->host.peer(app->host.ctx, path + sizeof id - 1) ? FOUND : NOT_FOUND;
    return FOUND; /* by address: a member's node may stand anywhere */
}

fm_status abci_query(struct ledger_abci_app *app, const Abci__Request *request,
                     struct answer *answer, struct base_err *err)
{
    const Abci__RequestQuery *in = request->query;
    Abci__ResponseQuery *out = &answer->body.query;
    uint32_t code = NOT_ASKED_SO;
    fm_status st = FM_OK;

    abci__response_query__init(out);
    if (strncmp(in->path, "/p2p/filter/", 12) == 0) {
        code = filter(app, in->path);
    } else if (strcmp(in->path, "state") == 0) {
        base_buf_put(&answer->more, in->data.data, in->data.len);
        st = base_buf_status(&answer->more, "query", err);
        if (st == FM_OK && memchr(answer->more.p, 0, answer->more.len) == NULL)
            st = state_value(app, &code, &answer->bytes, base_buf_cstr(&answer->more), in->prove,
                             err);
    } else if (strcmp(in->path, "tx") == 0 && in->data.len == 32) {
        st = transaction(app, &code, &answer->bytes, in->data.data, err);
    }
    out->code = code;
    out->height = (int64_t)ledger_chain_head(app->host.chain)->height;
    out->value.data = answer->bytes.p;
    out->value.len = answer->bytes.len;
    out->log = (char *)(uintptr_t)(code == FOUND          ? ""
                                   : code == NOT_ASKED_SO ? "ask for state or tx"
                                                          : "no such thing, or no such member");
    answer->response.value_case = ABCI__RESPONSE__VALUE_QUERY;
    answer->response.query = out;
    return st == FM_OK ? base_buf_status(&answer->bytes, "answer", err) : st;
}
