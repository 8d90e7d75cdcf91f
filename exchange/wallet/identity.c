/* DIDs that a wallet gave away, and mandates that members attested for them. */
#include <string.h>

#include "base/json.h"
#include "exchange/wallet/consent.h"
#include "exchange/wallet/ledger.h"

static uint64_t number_of(const json_t *record)
{
    return (uint64_t)json_integer_value(json_object_get(record, "number"));
}

static const json_t *find(const struct wallet *w, enum wallet_use use, const char *peer,
                          uint64_t *next)
{
    const json_t *item, *found = NULL;
    size_t i;

    *next = 0;
    json_array_foreach(wallet_list(w, "identities"), i, item)
    {
        if (strcmp(wallet_text(item, "use"), wallet_use_name(use)) != 0 ||
            strcmp(wallet_text(item, "peer"), peer) != 0)
            continue;
        found = item;
        if (number_of(item) + 1 > *next)
            *next = number_of(item) + 1;
    }
    return found;
}

uint64_t wallet_identity_next(const struct wallet *w, enum wallet_use use, const char *peer)
{
    uint64_t next;

    (void)find(w, use, peer, &next);
    return next;
}

/* *out borrows from the record. */
static fm_status put(const char **out, struct wallet *w, enum wallet_use use, const char *peer,
                     uint64_t number, bool found, struct base_err *err)
{
    char did[DID_KEY_DID_TEXT];
    json_t *record;
    fm_status st = wallet_did(did, w, use, peer, number, err);

    if (st != FM_OK)
        return st;
    record = json_pack("{s:s,s:I,s:s,s:s}", "did", did, "number", (json_int_t)number, "peer", peer,
                       "use", wallet_use_name(use));
    if (record == NULL || (found && json_object_set_new(record, "found", json_true()) != 0)) {
        json_decref(record);
        return base_err_memory(err, "wallet");
    }
    if (json_array_append_new(wallet_list(w, "identities"), record) != 0)
        return base_err_memory(err, "wallet");
    *out = wallet_text(record, "did");
    return FM_OK;
}

fm_status wallet_identity(const char **out, struct wallet *w, enum wallet_use use, const char *peer,
                          struct base_err *err)
{
    uint64_t number;
    const json_t *there = find(w, use, peer, &number);
    fm_status st;

    if (there != NULL && use == WALLET_PAIRWISE) {
        *out = wallet_text(there, "did");
        return FM_OK;
    }
    if (use == WALLET_PAIRWISE)
        return put(out, w, use, peer, number, false, err);
    st = wallet_check_searched(w, err);
    number += wallet_stride(w, use, peer) - 1;
    return st == FM_OK ? put(out, w, use, peer, number, false, err) : st;
}

fm_status wallet_identity_again(struct wallet *w, enum wallet_use use, const char *peer,
                                uint64_t number, struct base_err *err)
{
    const json_t *item;
    const char *ignored;
    size_t i;

    json_array_foreach(wallet_list(w, "identities"), i,
                       item) if (strcmp(wallet_text(item, "use"), wallet_use_name(use)) == 0 &&
                                 strcmp(wallet_text(item, "peer"), peer) == 0 &&
                                 number_of(item) == number) return FM_OK;
    return put(&ignored, w, use, peer, number, true, err);
}

fm_status wallet_identity_key(struct did_secret **out, const char **peer, const struct wallet *w,
                              const char *did, struct base_err *err)
{
    const json_t *item;
    size_t i;

    *out = NULL;
    json_array_foreach(wallet_list(w, "identities"), i, item)
    {
        enum wallet_use use =
            strcmp(wallet_text(item, "use"), "mandate") == 0 ? WALLET_MANDATE : WALLET_PAIRWISE;
        if (strcmp(wallet_text(item, "did"), did) != 0)
            continue;
        if (peer != NULL)
            *peer = wallet_text(item, "peer");
        return wallet_key(out, w, use, wallet_text(item, "peer"), number_of(item), err);
    }
    return base_err_set(err, FM_E_NOT_FOUND,
                        "%.80s is no DID that this wallet gave to anybody (wallet did)", did);
}

fm_status wallet_mandate_keep(struct wallet *w, json_t *mandate, const uint8_t nonce32[32],
                              struct base_err *err)
{
    struct did_secret *key = NULL;
    struct ledger_mandate m;
    uint8_t chain[32];
    char nonce[65];
    fm_status st = ledger_mandate_parse(&m, mandate, err);

    if (st == FM_OK)
        st = wallet_ledger_chain(chain, w, err);
    if (st == FM_OK && memcmp(chain, m.chain, 32) != 0)
        st = base_err_set(err, FM_E_INVALID, "the mandate is for another ledger");
    if (st == FM_OK)
        st = wallet_identity_key(&key, NULL, w, m.representative, err);
    did_secret_free(key);
    if (st != FM_OK)
        return st;
    base_hex(nonce, nonce32, 32);
    return json_array_append_new(wallet_list(w, "mandates"),
                                 json_pack("{s:s,s:O,s:s}", "did", m.representative, "mandate",
                                           mandate, "nonce", nonce)) == 0
               ? FM_OK
               : base_err_memory(err, "wallet");
}
