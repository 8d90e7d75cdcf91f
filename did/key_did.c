#include "did/key_did.h"

#include <stdio.h>
#include <string.h>

#define PREFIX "did:key:"
#define PREFIX_LEN (sizeof PREFIX - 1)

fm_status did_key_did_encode(char out[DID_KEY_DID_TEXT], const struct did_key *key,
                             struct base_err *err)
{
    memcpy(out, PREFIX, PREFIX_LEN + 1);
    return did_multikey_encode(out + PREFIX_LEN, key, err);
}

fm_status did_key_did_decode(struct did_key *out, const char *did, uint32_t rules_version,
                             struct base_err *err)
{
    fm_status st;

    memset(out, 0, sizeof *out);
    if (strncmp(did, PREFIX, PREFIX_LEN) != 0)
        return base_err_set(err, FM_E_INPUT, "'%.80s' is not a did:key", did);
    st = did_multikey_decode(out, did + PREFIX_LEN, rules_version, err);
    return st == FM_OK ? FM_OK : base_err_prefix(err, "did:key");
}

fm_status did_key_method_encode(char out[DID_KEY_METHOD_TEXT], const struct did_key *key,
                                struct base_err *err)
{
    char multikey[DID_MULTIKEY_TEXT];
    fm_status st = did_multikey_encode(multikey, key, err);

    (void)snprintf(out, DID_KEY_METHOD_TEXT, PREFIX "%s#%s", multikey, multikey);
    return st;
}

fm_status did_key_method_decode(struct did_key *out, const char *method, uint32_t rules_version,
                                struct base_err *err)
{
    char did[DID_KEY_DID_TEXT];
    const char *hash = strchr(method, '#');
    size_t len = hash == NULL ? 0 : (size_t)(hash - method);

    memset(out, 0, sizeof *out);
    if (hash == NULL || len < PREFIX_LEN || len >= sizeof did)
        return base_err_set(err, FM_E_INPUT, "'%.160s' is not a verification method of a did:key",
                            method);
    memcpy(did, method, len);
    did[len] = '\0';
    if (strcmp(hash + 1, did + PREFIX_LEN) != 0)
        return base_err_set(err, FM_E_INPUT, "'%.160s': fragment and did:key name different keys",
                            method);
    return did_key_did_decode(out, did, rules_version, err);
}

fm_status did_key_did_document(json_t **out, const char *did, uint32_t rules_version,
                               struct base_err *err)
{
    char method[DID_KEY_METHOD_TEXT];
    struct did_key key;
    fm_status st = did_key_did_decode(&key, did, rules_version, err);

    *out = NULL;
    if (st == FM_OK)
        st = did_key_method_encode(method, &key, err);
    if (st != FM_OK)
        return st;
    *out = json_pack("{s:[s,s], s:s, s:[{s:s, s:s, s:s, s:s}], s:[s], s:[s], s:[s], s:[s]}",
                     "@context", "https://www.w3.org/ns/did/v1",
                     "https://w3id.org/security/multikey/v1", "id", did, "verificationMethod", "id",
                     method, "type", "Multikey", "controller", did, "publicKeyMultibase",
                     did + PREFIX_LEN, "authentication", method, "assertionMethod", method,
                     "capabilityInvocation", method, "capabilityDelegation", method);
    return *out == NULL ? base_err_memory(err, "did:key document") : FM_OK;
}
