/* Status lists (format.md section 16): which version of each is the newest. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "ledger/verify/verify_impl.h"

static void name_list(uint8_t out32[32], size_t issuer, const char *list)
{
    struct base_hash h;
    uint8_t number[8];

    base_store_u64(number, issuer);
    base_hash_init(&h);
    base_hash_update(&h, number, sizeof number);
    base_hash_update(&h, list, strlen(list));
    base_hash_final(&h, out32);
}

/* The list's place in out->lists, where it is added if it was never anchored. */
static fm_status place_list(size_t *out, struct ledger_verifier *v, size_t issuer, const char *list,
                            struct base_err *err)
{
    struct ledger_verified *report = v->out;
    struct ledger_verified_list *it;
    uint8_t name[32];
    int64_t *index;
    fm_status st;

    name_list(name, issuer, list);
    index = ledger_id_map_get(&v->lists, name);
    *out = index != NULL ? (size_t)*index : report->n_lists;
    if (index != NULL)
        return FM_OK;
    st = ledger_verify_room((void **)&report->lists, &report->cap_lists, report->n_lists,
                            sizeof *it, err);
    if (st == FM_OK)
        st = ledger_id_map_put(&v->lists, name, (int64_t)*out, INT64_MIN, err);
    if (st != FM_OK)
        return st;
    it = &report->lists[*out];
    *it = (struct ledger_verified_list){.issuer = (uint32_t)issuer, .list = strdup(list)};
    if (it->list == NULL)
        return base_err_memory(err, "status lists");
    report->n_lists++;
    return FM_OK;
}

fm_status ledger_verify_status(struct ledger_verifier *v, const struct ledger_tx *tx,
                               const struct ledger_identity *sender, struct base_err *err)
{
    const char *list = json_string_value(json_object_get(tx->body, "list"));
    json_int_t version = json_integer_value(json_object_get(tx->body, "version"));
    struct ledger_open_block *b = &v->block;
    struct ledger_verified_list *it;
    size_t at;
    fm_status st;

    if (tx->type != LEDGER_TX_STATUS_PUBLISH)
        return FM_OK;
    v->out->check = "status";
    st = place_list(&at, v, sender->index, list, err);
    if (st == FM_OK)
        st = ledger_verify_room((void **)&b->lists, &b->cap_lists, b->n_lists, sizeof *b->lists,
                                err);
    if (st != FM_OK)
        return st;
    it = &v->out->lists[at];
    if (version != it->version + 1 && !(version > it->version && ledger_verify_may_be_hidden(v)))
        return ledger_verify_fail(err, "version %lld of the list follows version %lld",
                                  (long long)version, (long long)it->version);
    it->version = version;
    b->lists[b->n_lists++] = at;
    return base_json_get_hex(it->digest, sizeof it->digest, tx->body, "digest", err);
}

static const struct ledger_verified_list *find(const struct ledger_verified *report, size_t issuer,
                                               const char *list)
{
    for (size_t i = 0; i < report->n_lists; i++)
        if (report->lists[i].issuer == issuer && strcmp(report->lists[i].list, list) == 0)
            return &report->lists[i];
    return NULL;
}

fm_status ledger_verified_list(const struct ledger_verified_list **out,
                               const struct ledger_verified *report, const char *issuer_did,
                               const char *list, struct base_err *err)
{
    const struct ledger_identity *issuer = ledger_members_by_did(report->members, issuer_did);

    *out = issuer == NULL ? NULL : find(report, issuer->index, list);
    if (issuer != NULL && report->hidden_accepted + report->skipped > 0)
        return base_err_set(err, FM_E_INVALID,
                            "the trail leaves out %llu entries, among which a newer version of the "
                            "status list may stand: export it whole",
                            (unsigned long long)(report->hidden_accepted + report->skipped));
    return FM_OK;
}
