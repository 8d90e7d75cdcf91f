#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "did/key_did.h"
#include "did/multibase.h"
#include "did/proof.h"
#include "ledger/proof/tx_impl.h"

fm_status ledger_tx_build(json_t **out, const uint8_t chain32[32], enum ledger_tx_type type,
                          const char *sender, int64_t not_after, json_t *body, struct base_err *err)
{
    json_t *tx;
    char chain[65];
    fm_status st;

    *out = NULL;
    base_hex(chain, chain32, 32);
    tx = json_pack("{s:s, s:s, s:s, s:I, s:O}", "chain", chain, "type", ledger_tx_type_name(type),
                   "sender", sender, "not_after", (json_int_t)not_after, "body", body);
    if (tx == NULL)
        return base_err_memory(err, "transaction");
    st = ledger_tx_check_envelope(tx, err);
    if (st == FM_OK)
        st = ledger_tx_check_body(type, body, err);
    if (st != FM_OK) {
        json_decref(tx);
        (void)base_err_prefix(err, "transaction");
        return st == FM_E_INPUT ? err->code = FM_E_ARG : st;
    }
    *out = tx;
    return FM_OK;
}

fm_status ledger_method_id(char out[DID_METHOD_TEXT], const char *did, const struct did_key *key,
                           struct base_err *err)
{
    char multikey[DID_MULTIKEY_TEXT];
    fm_status st = did_multikey_encode(multikey, key, err);
    int n;

    if (st != FM_OK)
        return st;
    n = snprintf(out, DID_METHOD_TEXT, "%s#%s", did, multikey);
    if (n < 0 || n >= DID_METHOD_TEXT)
        return base_err_set(err, FM_E_ARG, "the DID is too long");
    return FM_OK;
}

fm_status ledger_tx_sign(json_t *tx, const struct did_secret *secret, int64_t created_s,
                         struct base_err *err)
{
    const struct did_key *key = did_secret_key(secret);
    const char *type, *sender;
    enum ledger_tx_type t;
    char method[DID_METHOD_TEXT];
    fm_status st = base_json_get_str(&type, tx, "type", err);

    if (st == FM_OK)
        st = base_json_get_str(&sender, tx, "sender", err);
    if (st != FM_OK)
        return st;
    t = ledger_tx_type_find(type);
    if (t == LEDGER_TX_TYPE_COUNT)
        return base_err_set(err, FM_E_ARG, "there is no transaction type '%.40s'", type);
    switch (ledger_tx_type_authority(t)) {
    case LEDGER_BY_RECOVERY:
        st = did_key_method_encode(method, key, err);
        if (st == FM_OK)
            st = did_proof_add(tx, secret, method, DID_ROLE_INVOCATION, created_s, err);
        break;
    case LEDGER_BY_OFFICERS:
        st = ledger_method_id(method, sender, key, err);
        if (st == FM_OK)
            st = did_proof_add_to_set(tx, secret, method, DID_ROLE_INVOCATION, created_s, err);
        break;
    case LEDGER_BY_NODE:
        st = ledger_method_id(method, sender, key, err);
        if (st == FM_OK)
            st = did_proof_add(tx, secret, method, DID_ROLE_ASSERTION, created_s, err);
        break;
    }
    return st;
}
