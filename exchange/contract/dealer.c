#include "exchange/contract/dealer.h"

#include <stdio.h>
#include <string.h>

#include "did/document.h"
#include "did/key_did.h"
#include "exchange/aggregate/key.h"

_Static_assert((int)CONTRACT_DEALER_TEXT == (int)MPC_PAI_THR_DEALER, "a dealer fits into a key");

fm_status contract_dealer_name(char out[CONTRACT_DEALER_TEXT], const char *name,
                               const struct did_secret *secret, struct base_err *err)
{
    char did[DID_KEY_DID_TEXT];
    fm_status st = did_key_did_encode(did, did_secret_key(secret), err);

    if (st == FM_OK &&
        snprintf(out, CONTRACT_DEALER_TEXT, "%s (%s)", name, did) >= CONTRACT_DEALER_TEXT)
        st = base_err_set(err, FM_E_LIMIT, "the dealer's name has more than %zu bytes",
                          CONTRACT_DEALER_TEXT - 4 - strlen(did));
    return st;
}

fm_status contract_dealer_sign(json_t **out, const json_t *key, const struct did_secret *secret,
                               const char *method, int64_t now_s, struct base_err *err)
{
    json_t *bare, *proof;
    fm_status st = aggregate_key_split(&bare, &proof, key, err);

    *out = NULL;
    if (st == FM_OK)
        st = did_proof_add(bare, secret, method, DID_ROLE_ASSERTION, now_s, err);
    json_decref(proof);
    proof = NULL;
    if (st == FM_OK) {
        proof = json_incref(json_object_get(bare, "proof"));
        (void)json_object_del(bare, "proof");
        st = aggregate_key_join(out, bare, proof, err);
    }
    json_decref(proof);
    json_decref(bare);
    return st;
}

/* Does the dealer's member end with " (did)"? */
static bool names(const json_t *key, const char *did)
{
    const char *dealer = json_string_value(json_object_get(key, "dealer"));
    char end[DID_METHOD_TEXT + 4];
    size_t len = (size_t)snprintf(end, sizeof end, " (%s)", did);

    return dealer != NULL && strlen(dealer) > len &&
           strcmp(dealer + strlen(dealer) - len, end) == 0;
}

static fm_status check(json_t *bare, const json_t *proof, struct base_err *err)
{
    static const struct did_resolver resolver = {did_proof_resolve_did_key, NULL};
    char did[DID_METHOD_TEXT];
    struct did_proof found;
    fm_status st;

    if (json_object_set(bare, "proof", (json_t *)(uintptr_t)proof) != 0)
        return base_err_memory(err, "key");
    st = did_proof_verify(&found, bare, DID_ROLE_ASSERTION, DID_RULES_VERSION, &resolver, err);
    if (st == FM_E_INPUT || st == FM_E_AUTH)
        return base_err_set(err, FM_E_AUTH,
                            "the signature is not its dealer's, or not of this key");
    if (st == FM_OK && (!did_method_split(did, found.method) || !names(bare, did)))
        st = base_err_set(err, FM_E_AUTH, "another signed it than the dealer that it names");
    return st;
}

fm_status contract_dealer_check(const json_t *key, struct base_err *err)
{
    json_t *bare, *proof;
    fm_status st = aggregate_key_split(&bare, &proof, key, err);

    if (st == FM_OK && proof == NULL)
        st = base_err_set(err, FM_E_AUTH,
                          "its dealer did not sign it: it must be dealt anew, by this version's "
                          "firmiana key deal --key FILE");
    if (st == FM_OK)
        st = check(bare, proof, err);
    json_decref(bare);
    json_decref(proof);
    return st == FM_OK ? st : base_err_prefix(err, "key");
}
