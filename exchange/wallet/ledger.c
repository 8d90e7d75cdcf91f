#include "exchange/wallet/ledger.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "ledger/proof/profile.h"

static json_t *record(const struct wallet *w)
{
    return json_object_get(w->content, "ledger");
}

/* Keys of the wallet's suite must be what the ledger accepts. */
static fm_status check_profile(const struct wallet *w, struct base_err *err)
{
    bool national = strcmp(w->info.key.suite->name, "sm2") == 0;

    if (national == base_profile_is_national())
        return FM_OK;
    return base_err_set(err, FM_E_CONFLICT,
                        "the ledger is of the profile %s and the wallet is not: make one with "
                        "--profile %s",
                        national ? "international" : "national",
                        national ? "international" : "national");
}

static fm_status add_members(json_t *known, const struct ledger_members *members,
                             struct base_err *err)
{
    for (size_t i = 0; i < ledger_members_count(members); i++) {
        const struct ledger_identity *m = ledger_members_at(members, i);
        const char *did = did_document_id(m->doc);
        const char *before = json_string_value(json_object_get(known, m->alias));
        if (before != NULL && strcmp(before, did) != 0)
            return base_err_set(err, FM_E_INVALID, "%s has another DID than the wallet knows",
                                m->alias);
        if (before == NULL && json_object_set_new(known, m->alias, json_string(did)) != 0)
            return base_err_memory(err, "wallet");
    }
    return FM_OK;
}

fm_status wallet_ledger_learn(struct wallet *w, const uint8_t chain32[32],
                              const struct ledger_members *members, struct base_err *err)
{
    uint8_t known[32];
    fm_status st = wallet_ledger_chain(known, w, err);

    if (st == FM_OK && memcmp(known, chain32, 32) != 0)
        st = base_err_set(err, FM_E_INVALID, "it is of another ledger than the wallet's");
    return st == FM_OK ? add_members(json_object_get(record(w), "members"), members, err) : st;
}

static fm_status put_record(struct wallet *w, const uint8_t chain32[32],
                            const struct ledger_members *members, struct base_err *err)
{
    char chain[65];
    json_t *ledger;

    base_hex(chain, chain32, 32);
    ledger = json_pack("{s:s,s:{},s:s}", "chain", chain, "members", "name",
                       ledger_members_terms(members)->name);
    return ledger != NULL && json_object_set_new(w->content, "ledger", ledger) == 0
               ? add_members(json_object_get(ledger, "members"), members, err)
               : base_err_memory(err, "wallet");
}

fm_status wallet_ledger_trust(struct wallet *w, const void *genesis, size_t len,
                              struct base_err *err)
{
    struct ledger_members *members = NULL;
    json_t *json = NULL;
    char chain[65];
    uint8_t chain32[32];
    fm_status st = ledger_genesis_chain(chain32, genesis, len, err);

    if (st == FM_OK)
        st = check_profile(w, err);
    if (st == FM_OK)
        st = base_json_parse_canonical(&json, genesis, len, err);
    if (st == FM_OK)
        st = ledger_members_new(&members, json, chain32, err);
    base_hex(chain, chain32, 32);
    if (st == FM_OK && record(w) != NULL && strcmp(wallet_text(record(w), "chain"), chain) != 0)
        st = base_err_set(err, FM_E_CONFLICT,
                          "the wallet deals with another ledger, %s: make a wallet for each",
                          wallet_text(record(w), "name"));
    if (st == FM_OK && record(w) == NULL)
        st = put_record(w, chain32, members, err);
    ledger_members_free(members);
    json_decref(json);
    return st;
}

fm_status wallet_ledger_chain(uint8_t out32[32], const struct wallet *w, struct base_err *err)
{
    if (record(w) == NULL)
        return base_err_set(err, FM_E_CONFLICT,
                            "the wallet knows no ledger yet: firmiana wallet trust GENESIS.json, "
                            "which any member gives you");
    return base_json_get_hex(out32, 32, record(w), "chain", err);
}

fm_status wallet_ledger_did(const char **out, const struct wallet *w, const char *alias,
                            struct base_err *err)
{
    json_t *members = json_object_get(record(w), "members"), *did;
    char known[256] = "";
    const char *name;
    uint8_t chain[32];
    size_t n = 0;

    if (wallet_ledger_chain(chain, w, err) != FM_OK)
        return err->code;
    *out = json_string_value(json_object_get(members, alias));
    if (*out != NULL)
        return FM_OK;
    json_object_foreach(members, name, did) if (n + strlen(name) + 3 < sizeof known) n +=
        (size_t)snprintf(known + n, sizeof known - n, " %s", name);
    return base_err_set(err, FM_E_NOT_FOUND,
                        "the wallet knows no member '%.40s', but%s. Of one that joined later "
                        "wallet find TRAIL learns",
                        alias, known);
}

const char *wallet_ledger_alias(const struct wallet *w, const char *did)
{
    const char *alias;
    json_t *value;

    json_object_foreach(json_object_get(record(w), "members"), alias,
                        value) if (json_is_string(value) &&
                                   strcmp(json_string_value(value), did) == 0) return alias;
    return NULL;
}
