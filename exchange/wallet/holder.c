#include "exchange/wallet/holder.h"

#include <string.h>

#include "base/hash.h"
#include "base/json_any.h"
#include "did/credential/sd_vc.h"
#include "exchange/wallet/consent.h"

/* ---- receiving ---- */

/* The one subject by whose DID the credential is held. */
static fm_status subject_of(const char **out, const json_t *credential, struct base_err *err)
{
    const json_t *subject = json_object_get(credential, "credentialSubject");

    if (json_is_array(subject) && json_array_size(subject) == 1)
        subject = json_array_get(subject, 0);
    *out = json_string_value(json_object_get(subject, "id"));
    return *out != NULL ? FM_OK
                        : base_err_set(err, FM_E_UNSUPPORTED,
                                       "it is not about exactly one subject that it names by DID");
}

/* The most specific of its types. */
static const char *type_of(const json_t *credential)
{
    const json_t *type = json_object_get(credential, "type");
    const char *last = json_string_value(json_array_get(type, json_array_size(type) - 1));

    return last != NULL ? last : "VerifiableCredential";
}

struct received {
    json_t *credential; /* what is kept */
    json_t *holds;      /* what facts borrow from */
    const char *did, *type, *form;
    struct credential_facts facts;
    struct credential_sd_facts sd;
};

static fm_status verify_object(struct received *r, const char *text,
                               const struct credential_verifier *v, struct base_err *err)
{
    fm_status st = base_json_any_parse(&r->credential, text, strlen(text), err);

    if (st == FM_OK)
        st = credential_verify(&r->facts, r->credential, v, err);
    if (st == FM_OK)
        st = subject_of(&r->did, r->credential, err);
    r->type = type_of(r->credential);
    r->form = r->facts.form;
    return st;
}

static fm_status verify_sd(struct received *r, const char *text,
                           const struct credential_verifier *v, struct base_err *err)
{
    fm_status st = credential_sd_verify(&r->sd, &r->holds, text, NULL, v, err);

    if (st != FM_OK)
        return st;
    if (r->sd.holder[0] == '\0')
        return base_err_set(err, FM_E_REFUSED,
                            "it names no holder: whoever gets a copy could show it");
    r->did = r->sd.holder;
    r->type = r->sd.type;
    r->form = CREDENTIAL_SD_FORM;
    r->facts = r->sd.common;
    r->credential = json_string(text);
    return r->credential != NULL ? FM_OK : base_err_memory(err, "credential");
}

static fm_status keep(const json_t **record, struct wallet *w, const struct received *r,
                      const char *text, struct base_err *err)
{
    bool ends = r->facts.valid_until_s != INT64_MAX;
    uint8_t hash[BASE_HASH_SIZE];
    const json_t *item;
    json_t *made;
    char id[65];
    size_t i;

    base_hash(hash, text, strlen(text));
    base_hex(id, hash, sizeof hash);
    json_array_foreach(wallet_list(w, "credentials"), i,
                       item) if (strcmp(wallet_text(item, "id"), id) ==
                                 0) return base_err_set(err, FM_E_CONFLICT,
                                                        "the wallet has it already, as %.12s", id);
    made = json_pack("{s:O,s:s,s:s,s:s,s:s,s:s,s:o*}", "credential", r->credential, "did", r->did,
                     "form", r->form, "id", id, "issuer", r->facts.issuer, "type", r->type, "until",
                     ends ? json_integer((json_int_t)r->facts.valid_until_s) : NULL);
    if (made == NULL || json_array_append_new(wallet_list(w, "credentials"), made) != 0)
        return base_err_memory(err, "wallet");
    *record = made;
    return FM_OK;
}

fm_status wallet_credential_receive(const json_t **record, struct wallet *w, const char *text,
                                    const struct credential_verifier *v,
                                    const struct credential_schemas *more, struct base_err *err)
{
    struct received r = {.credential = NULL};
    struct did_secret *key = NULL;
    fm_status st;

    if (strlen(text) > WALLET_CREDENTIAL_MAX)
        return base_err_set(err, FM_E_LIMIT, "a credential may have %u bytes, this has %zu",
                            WALLET_CREDENTIAL_MAX, strlen(text));
    if (!credential_is_token(text))
        st = verify_object(&r, text, v, err);
    else if (strchr(text, '~') != NULL)
        st = verify_sd(&r, text, v, err);
    else
        st = base_err_set(err, FM_E_UNSUPPORTED,
                          "a JWT cannot be shown under a challenge: ask the issuer for an SD-JWT, "
                          "or JSON with a proof");
    if (st == FM_OK)
        st = r.holds != NULL ? credential_check_claims(r.holds, CREDENTIAL_SCHEMA_PART, more, err)
                             : credential_check_schemas(r.credential, more, err);
    if (st == FM_OK)
        st = wallet_identity_key(&key, NULL, w, r.did, err);
    if (st == FM_OK)
        st = keep(record, w, &r, text, err);
    did_secret_free(key);
    json_decref(r.credential);
    json_decref(r.holds);
    return st;
}

/* ---- showing ---- */

static fm_status show_sd(json_t **out, const char *text, const struct did_secret *key,
                         const struct wallet_request *request, struct base_err *err)
{
    const struct credential_sd_request asked = {request->challenge, request->domain};
    struct base_buf shown = {0};
    fm_status st = credential_sd_present(&shown, text, request->disclose, request->disclose_count,
                                         key, &asked, request->now_s, err);

    if (st == FM_OK && (*out = json_string(base_buf_cstr(&shown))) == NULL)
        st = base_err_memory(err, "presentation");
    base_buf_release(&shown);
    return st;
}

static fm_status show_objects(json_t **out, const json_t *records, const struct did_secret *key,
                              const struct wallet_request *request, struct base_err *err)
{
    char method[DID_KEY_METHOD_TEXT];
    json_t *list = json_array();
    const json_t *item;
    size_t i;
    fm_status st = list != NULL ? did_key_method_encode(method, did_secret_key(key), err)
                                : base_err_memory(err, "presentation");

    json_array_foreach(records, i,
                       item) if (st == FM_OK &&
                                 json_array_append(list, json_object_get(item, "credential")) != 0)
        st = base_err_memory(err, "presentation");
    if (st == FM_OK && request->disclose_count > 0)
        st = base_err_set(err, FM_E_ARG, "what to disclose can be chosen of an SD-JWT alone");
    if (st == FM_OK)
        st = credential_present(out, list, key, method, request->challenge, request->domain,
                                request->now_s, err);
    json_decref(list);
    return st;
}

fm_status wallet_credential_present(json_t **out, const struct wallet *w, const json_t *records,
                                    const struct wallet_request *request, struct base_err *err)
{
    const json_t *first = json_array_get(records, 0), *item;
    const char *did = wallet_text(first, "did");
    bool by_itself = json_is_string(json_object_get(first, "credential"));
    struct did_secret *key = NULL;
    size_t i;
    fm_status st;

    *out = NULL;
    json_array_foreach(records, i, item)
    {
        if (strcmp(wallet_text(item, "did"), did) != 0)
            return base_err_set(err, FM_E_ARG,
                                "they are about two DIDs of yours, which would be linked: show "
                                "them one at a time");
        if (i > 0 && (by_itself || json_is_string(json_object_get(item, "credential"))))
            return base_err_set(err, FM_E_ARG, "an SD-JWT is shown by itself");
    }
    st = wallet_identity_key(&key, NULL, w, did, err);
    if (st == FM_OK)
        st = by_itself ? show_sd(out, wallet_text(first, "credential"), key, request, err)
                       : show_objects(out, records, key, request, err);
    did_secret_free(key);
    return st;
}

fm_status wallet_credential_remove(struct wallet *w, const json_t *record, struct base_err *err)
{
    json_t *list = wallet_list(w, "credentials");

    for (size_t i = 0; i < json_array_size(list); i++)
        if (json_array_get(list, i) == record)
            return json_array_remove(list, i) == 0 ? FM_OK : base_err_memory(err, "wallet");
    return base_err_set(err, FM_E_NOT_FOUND, "the wallet has no such credential");
}
