/* What FinalizeBlock says of validators and of the room in a block. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "ledger/abci/app_own.h"
#include "ledger/abci/validators.h"
#include "ledger/machine/validator.h"

/* One allocation holds all that the answer points to. */
struct told {
    Abci__ValidatorUpdate update;
    Abci__PublicKey key;
    uint8_t bytes[32];
};

static fm_status put_changes(struct answer *answer, const struct ledger_validators *before,
                             const struct ledger_validators *after, struct base_err *err)
{
    size_t room = before->n + after->n, n = 0, b = 0, a = 0;
    struct told *told = calloc(room + 1, sizeof *told);
    Abci__ValidatorUpdate **list = calloc(room + 1, sizeof(void *));

    answer->change_of = told;
    answer->changes = list;
    if (told == NULL || list == NULL)
        return base_err_memory(err, "validators");
    while (b < before->n || a < after->n) {
        int order = b == before->n  ? 1
                    : a == after->n ? -1
                                    : memcmp(before->at[b].key, after->at[a].key, 32);
        struct told *t = &told[n];
        if (order == 0) {
            b++, a++;
            continue;
        }
        memcpy(t->bytes, order < 0 ? before->at[b++].key : after->at[a++].key, sizeof t->bytes);
        abci__public_key__init(&t->key);
        t->key.ed25519 = (ProtobufCBinaryData){sizeof t->bytes, t->bytes};
        abci__validator_update__init(&t->update);
        t->update.pub_key = &t->key;
        t->update.power = order < 0 ? 0 : LEDGER_VALIDATOR_POWER;
        list[n++] = &t->update;
    }
    answer->body.finalize.validator_updates = list;
    answer->body.finalize.n_validator_updates = n;
    return FM_OK;
}

/* ---- the room in a block ---- */

int64_t ledger_abci_room(const json_t *limits)
{
    enum { MARGIN = 1 << 20, MOST = 100 << 20 }; /* CometBFT takes no more */
    json_int_t bytes = json_integer_value(json_object_get(limits, "block_bytes"));

    return bytes < MOST - MARGIN ? bytes + MARGIN : MOST;
}

/* As CometBFT was told so far: from version 2 of the rules on it follows the members' votes. */
static fm_status room_of(struct ledger_abci_app *app, int64_t *out, const json_t *param,
                         struct base_err *err)
{
    struct base_buf bytes = {0};
    json_t *genesis = NULL;
    fm_status st;

    *out = ledger_abci_room(json_object_get(param, "limits"));
    if (json_integer_value(json_object_get(param, "rules_version")) >= LEDGER_VALIDATORS_SINCE)
        return FM_OK;
    st = ledger_reader_genesis(ledger_chain_reader(app->host.chain), &bytes, err);
    if (st == FM_OK)
        st = base_json_parse(&genesis, (const char *)bytes.p, bytes.len, err);
    *out = ledger_abci_room(json_object_get(genesis, "limits"));
    json_decref(genesis);
    base_buf_release(&bytes);
    return st;
}

static fm_status put_room(struct ledger_abci_app *app, struct answer *answer, const json_t *staged,
                          struct base_err *err)
{
    const json_t *after = json_object_get(staged, "param");
    json_t *before = NULL;
    int64_t was = 0, is = 0;
    fm_status st;

    if (after == NULL)
        return FM_OK;
    st = ledger_reader_get(ledger_chain_reader(app->host.chain), &before, "param", err);
    if (st == FM_OK)
        st = room_of(app, &was, before, err);
    if (st == FM_OK)
        st = room_of(app, &is, after, err);
    json_decref(before);
    if (st != FM_OK || was == is)
        return st;
    abci__block_params__init(&answer->block);
    answer->block.max_bytes = is;
    answer->block.max_gas = -1;
    abci__consensus_params__init(&answer->params);
    answer->params.block = &answer->block;
    answer->body.finalize.consensus_param_updates = &answer->params;
    return FM_OK;
}

fm_status abci_put_updates(struct ledger_abci_app *app, struct answer *answer, struct base_err *err)
{
    const json_t *staged = ledger_chain_staged(app->host.chain);
    struct ledger_reader *reader = ledger_chain_reader(app->host.chain);
    struct ledger_validators before = {0}, after = {0};
    fm_status st;

    if (staged == NULL)
        return base_err_set(err, FM_E_CONFLICT, "no block is staged whose validators to tell");
    if (!ledger_validators_touched(staged))
        return FM_OK;
    st = ledger_validators_of(&before, reader, NULL, err);
    if (st == FM_OK)
        st = ledger_validators_of(&after, reader, staged, err);
    if (st == FM_OK)
        st = put_changes(answer, &before, &after, err); /* V4 */
    if (st == FM_OK)
        st = put_room(app, answer, staged, err);
    ledger_validators_release(&before);
    ledger_validators_release(&after);
    return st;
}
