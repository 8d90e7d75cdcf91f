#include "did/credential/document_key.h"

#include <string.h>

#include "base/json.h"
#include "did/credential/jwk.h"
#include "did/multibase.h"

/* Is `text`, which may be written as a fragment alone, the id of that method of that DID? */
static bool names(const json_t *text, const char *did, const char *method)
{
    const char *id = json_string_value(text);
    size_t len = strlen(did);

    if (id == NULL)
        return false;
    if (id[0] == '#')
        return strncmp(method, did, len) == 0 && strcmp(method + len, id) == 0;
    return strcmp(id, method) == 0;
}

/* The method where it stands: in the list itself, or named by it. *has_role: it was in it. */
static const json_t *find(const json_t *list, const char *did, const char *method, bool *has_role)
{
    const json_t *one;
    size_t i;

    json_array_foreach(list, i, one)
    {
        *has_role |= names(one, did, method);
        if (json_is_object(one) && names(json_object_get(one, "id"), did, method)) {
            *has_role = true;
            return one;
        }
    }
    return NULL;
}

fm_status credential_document_key(struct did_key *out, const json_t *document, const char *method,
                                  enum did_role role, uint32_t rules_version, struct base_err *err)
{
    const char *did, *controller, *key;
    bool has_role = false, ignored = false;
    const json_t *it, *jwk;
    fm_status st = base_json_get_str(&did, document, "id", err);

    if (st != FM_OK)
        return st;
    it = find(json_object_get(document, did_role_name(role)), did, method, &has_role);
    if (it == NULL)
        it = find(json_object_get(document, "verificationMethod"), did, method, &ignored);
    if (it == NULL || !has_role)
        return base_err_set(err, FM_E_AUTH, "%.120s is no key of its document for %s", method,
                            did_role_name(role));
    st = base_json_get_str(&controller, it, "controller", err);
    if (st != FM_OK)
        return st;
    if (strcmp(controller, did) != 0)
        return base_err_set(err, FM_E_UNSUPPORTED, "%.120s is controlled by %.120s", method,
                            controller);
    jwk = json_object_get(it, "publicKeyJwk");
    if (jwk != NULL)
        return credential_jwk_read(out, jwk, rules_version, err);
    key = json_string_value(json_object_get(it, "publicKeyMultibase"));
    return key != NULL
               ? did_multikey_decode(out, key, rules_version, err)
               : base_err_set(err, FM_E_UNSUPPORTED,
                              "%.120s has neither publicKeyMultibase nor publicKeyJwk", method);
}
