/* firmiana validator ...: the key by which a member's CometBFT votes on the order of blocks. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "did/draft.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/keys.h"
#include "exchange/cli/officers.h"
#include "exchange/comet/key.h"
#include "ledger/machine/validator.h"

/* ---- rotate ---- */

/* Names this key where the document names the present one. */
static fm_status put_key(struct did_draft *draft, const uint8_t key32[32], struct base_err *err)
{
    json_t *service, *old, *list = json_copy(draft->service);
    size_t i;
    fm_status st = comet_validator_service(&service, draft->did, key32, err);

    if (st != FM_OK || list == NULL) {
        json_decref(list);
        return st != FM_OK ? st : base_err_memory(err, "services");
    }
    json_array_foreach(list, i, old)
    {
        const char *type = json_string_value(json_object_get(old, "type"));
        if (type != NULL && strcmp(type, "CometBFTValidator") == 0)
            break;
    }
    if (i < json_array_size(list) ? json_array_set(list, i, service) != 0
                                  : json_array_append(list, service) != 0)
        st = base_err_memory(err, "services");
    json_decref(service);
    json_decref(draft->service);
    draft->service = list;
    return st;
}

static fm_status is_validator(const struct did_document *doc, struct base_err *err)
{
    uint8_t key[32];
    bool found;
    fm_status st = ledger_validator_read(key, &found, did_document_json(doc), err);

    if (st == FM_OK && !found)
        st = base_err_set(err, FM_E_NOT_FOUND,
                          "%s's document names no validator: no CometBFT orders this ledger, or "
                          "without it",
                          did_document_alias(doc));
    return st;
}

static fm_status rotate(const struct cli_args *args, struct base_err *err)
{
    struct did_document *doc = NULL, *next = NULL;
    struct did_draft draft = {0};
    char previous[65];
    const char *home;
    uint8_t key[32];
    fm_status st = cli_home(&home, args, err);

    if (st == FM_OK)
        st = officers_document(&doc, args, err);
    if (st == FM_OK)
        st = is_validator(doc, err);
    if (st == FM_OK)
        st = did_draft_next(&draft, doc, err);
    if (st == FM_OK)
        st = comet_key_next(key, home, did_document_json(doc), err);
    if (st == FM_OK)
        st = put_key(&draft, key, err);
    if (st == FM_OK)
        st = did_draft_build(&next, &draft, DID_RULES_VERSION, err);
    if (st == FM_OK) {
        base_hex(previous, did_document_hash32(doc), 32);
        st = cli_submit_by_officer(
            args, LEDGER_TX_DID_UPDATE,
            json_pack("{s:O,s:s}", "document", did_document_json(next), "previous", previous),
            "validator", err);
    }
    did_draft_release(&draft);
    did_document_free(next);
    did_document_free(doc);
    return st;
}

static const struct cli_option rotate_options[] = {CLI_HOME_OPTION,    CLI_KEY_OPTION,
                                                   CLI_PARTIAL_OPTION, CLI_PASSPHRASE_OPTION,
                                                   CLI_JSON_OPTION,    {0}};

const struct cli_command cli_validator_rotate = {
    "validator rotate",
    "",
    0,
    0,
    "a new key for this member's validator: made here, named in its DID document",
    "With CometBFT. Made beside the present one, in the home's cometbft/config; an officer signs "
    "the "
    "new version of the\ndocument. The node puts it in the other's place two blocks later, when "
    "the "
    "others count it, and starts CometBFT again.",
    rotate_options,
    rotate};
