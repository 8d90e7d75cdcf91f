#include "ledger/proof/profile.h"

#include "base/hash.h"
#include "base/json.h"

fm_status ledger_profile_of(enum base_profile *out, const json_t *genesis, struct base_err *err)
{
    const char *name;
    fm_status st;

    *out = BASE_PROFILE_OPEN;
    if (json_object_get(genesis, "profile") == NULL)
        return FM_OK;
    st = base_json_get_str(&name, genesis, "profile", err);
    if (st == FM_OK && !base_profile_find(out, name))
        st = base_err_set(err, FM_E_INPUT,
                          "member 'profile' must be \"international\" or \"national\"");
    return st;
}

fm_status ledger_profile_adopt(const json_t *genesis, struct base_err *err)
{
    enum base_profile profile;
    fm_status st = ledger_profile_of(&profile, genesis, err);

    return st == FM_OK ? base_profile_adopt(profile, err) : st;
}

fm_status ledger_genesis_chain(uint8_t chain32[32], const void *genesis, size_t len,
                               struct base_err *err)
{
    json_t *json = NULL;
    fm_status st = base_json_parse_canonical(&json, genesis, len, err);

    if (st == FM_OK)
        st = ledger_profile_adopt(json, err);
    json_decref(json);
    if (st != FM_OK)
        return base_err_prefix(err, "genesis");
    base_hash(chain32, genesis, len);
    return FM_OK;
}
