#include "ledger/machine/machine_documents.h"

#include <string.h>

#include "base/json.h"

void ledger_documents_release(struct ledger_documents *documents)
{
    size_t i;

    for (i = 0; i < documents->count; i++)
        did_document_free(documents->slot[i].doc);
    memset(documents, 0, sizeof *documents);
}

fm_status ledger_documents_get(struct ledger_documents *documents, const struct did_document **out,
                               const json_t *value, uint32_t rules_version, struct base_err *err)
{
    struct did_document *doc;
    uint8_t hash[32];
    size_t i;
    fm_status st = base_json_get_hex(hash, sizeof hash, value, "hash", err);

    *out = NULL;
    if (st == FM_OK) {
        for (i = 0; i < documents->count; i++) {
            if (memcmp(documents->slot[i].hash, hash, sizeof hash) == 0) {
                *out = documents->slot[i].doc;
                return FM_OK;
            }
        }
        st = did_document_parse(&doc, json_object_get(value, "document"), rules_version, err);
    }
    if (st == FM_E_INPUT || st == FM_E_AUTH) {
        err->code = FM_E_CORRUPT;
        return base_err_prefix(err, "a member's document in the state");
    }
    if (st != FM_OK)
        return st;
    if (memcmp(did_document_hash32(doc), hash, sizeof hash) != 0) {
        did_document_free(doc);
        return base_err_set(err, FM_E_CORRUPT,
                            "a member's document in the state does not have the hash beside it");
    }
    i = documents->next;
    if (i < documents->count)
        did_document_free(documents->slot[i].doc);
    else
        documents->count++;
    memcpy(documents->slot[i].hash, hash, sizeof hash);
    documents->slot[i].doc = doc;
    documents->next = (i + 1) % LEDGER_DOCUMENTS;
    *out = doc;
    return FM_OK;
}
