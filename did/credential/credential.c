#include "did/credential/credential.h"

#include <string.h>

#include "base/json.h"
#include "did/copy.h"
#include "did/credential/credential_own.h"
#include "did/credential/schemas.h"
#include "did/credential/status_list.h"
#include "did/document.h"

/* ---- issuing ---- */

/* issuer is this DID, or becomes it. */
static fm_status settle_issuer(json_t *credential, const char *did, struct base_err *err)
{
    json_t *issuer = json_object_get(credential, "issuer");
    const char *said = credential_id_of(credential, "issuer");
    int set = 0;

    if (said != NULL && strcmp(said, did) != 0)
        return base_err_set(err, FM_E_CONFLICT, "issuer is %.120s, but the key is %s's", said, did);
    if (issuer == NULL)
        set = json_object_set_new(credential, "issuer", json_string(did));
    else if (json_is_object(issuer) && json_object_get(issuer, "id") == NULL)
        set = json_object_set_new(issuer, "id", json_string(did));
    return set == 0 ? FM_OK : base_err_memory(err, "credential");
}

fm_status credential_complete(json_t *credential, const char *method, struct base_err *err)
{
    char did[DID_METHOD_TEXT];
    fm_status st;

    if (!json_is_object(credential))
        return base_err_set(err, FM_E_INPUT, "a credential must be a JSON object");
    if (!did_method_split(did, method))
        return base_err_set(err, FM_E_ARG, "'%.80s' is no verification method", method);
    st = settle_issuer(credential, did, err);
    if (st == FM_OK)
        st = credential_check_shape(credential, err);
    return st != FM_OK ? st : credential_check_schemas(credential, NULL, err);
}

fm_status credential_issue(json_t *credential, const struct did_secret *secret, const char *method,
                           int64_t created_s, struct base_err *err)
{
    fm_status st = credential_complete(credential, method, err);

    return st != FM_OK
               ? st
               : did_proof_add(credential, secret, method, DID_ROLE_ASSERTION, created_s, err);
}

/* ---- verifying ---- */

fm_status credential_check_signer(const struct did_proof *proof, const char *did, const char *what,
                                  struct base_err *err)
{
    char signer[DID_METHOD_TEXT];

    if (!did_method_split(signer, proof->method) || strcmp(signer, did) != 0)
        return base_err_set(err, FM_E_AUTH, "%s is %.120s, but %.120s signed", what, did,
                            proof->method);
    return FM_OK;
}

/* Shape, period and whose key it is, once the signature is verified. */
static fm_status judge_itself(struct credential_facts *out, const json_t *credential,
                              const struct credential_verifier *v, struct base_err *err)
{
    bool has_from, has_until;
    fm_status st = credential_check_shape(credential, err);

    if (st == FM_OK)
        st = credential_moment(&out->valid_from_s, &has_from, credential, "validFrom", err);
    if (st == FM_OK)
        st = credential_moment(&out->valid_until_s, &has_until, credential, "validUntil", err);
    if (st != FM_OK)
        return st;
    out->issuer = credential_id_of(credential, "issuer");
    if ((st = credential_check_signer(&out->proof, out->issuer, "issuer", err)) != FM_OK)
        return st;
    if (!has_until)
        out->valid_until_s = INT64_MAX;
    if (v->now_s < out->valid_from_s)
        return base_err_set(err, FM_E_INVALID, "not valid before %s",
                            json_string_value(json_object_get(credential, "validFrom")));
    if (v->now_s > out->valid_until_s)
        return base_err_set(err, FM_E_INVALID, "not valid after %s",
                            json_string_value(json_object_get(credential, "validUntil")));
    return FM_OK;
}

static fm_status check_proof(struct credential_facts *out, const json_t *credential,
                             const struct credential_verifier *v, struct base_err *err)
{
    const struct did_proof_terms terms = {.now_s = v->now_s};
    fm_status st = credential_check_shape(credential, err);

    memset(out, 0, sizeof *out);
    return st != FM_OK ? st
                       : did_proof_verify_terms(&out->proof, credential, DID_ROLE_ASSERTION, &terms,
                                                v->rules_version, v->resolver, err);
}

/* One status: its list is fetched, verified as a credential of the same issuer, and read. */
static fm_status check_status(const struct credential_facts *facts, const json_t *entry,
                              const struct credential_verifier *v, struct base_err *err)
{
    struct credential_facts of_list;
    json_t *list = NULL;
    const char *id;
    bool set = true;
    fm_status st;

    if (!credential_has_type(entry, "BitstringStatusListEntry"))
        return base_err_set(err, FM_E_UNSUPPORTED,
                            "credentialStatus is of a kind not known here; known is "
                            "BitstringStatusListEntry");
    st = base_json_get_str(&id, entry, "statusListCredential", err);
    if (st != FM_OK)
        return base_err_prefix(err, "credentialStatus");
    if (v->lists == NULL)
        return base_err_set(err, FM_E_NOT_FOUND, "status list %.120s is not at hand", id);
    st = v->lists->list(v->lists->ctx, &list, id, err);
    if (st == FM_OK)
        st = check_proof(&of_list, list, v, err);
    if (st == FM_OK)
        st = judge_itself(&of_list, list, v, err);
    if (st == FM_OK && strcmp(of_list.issuer, facts->issuer) != 0)
        st = base_err_set(err, FM_E_AUTH, "another issuer's, %.120s", of_list.issuer);
    if (st == FM_OK && (json_object_get(list, "id") == NULL ||
                        strcmp(json_string_value(json_object_get(list, "id")), id) != 0))
        st = base_err_set(err, FM_E_INPUT, "its id is another");
    if (st == FM_OK)
        st = credential_status_read(&set, entry, list, err);
    json_decref(list);
    if (st != FM_OK)
        return base_err_prefix(err, "status list %.120s", id);
    if (!set)
        return FM_OK;
    id = json_string_value(json_object_get(entry, "statusPurpose"));
    return base_err_set(err, FM_E_INVALID, "%s by its issuer",
                        strcmp(id, "revocation") == 0   ? "revoked"
                        : strcmp(id, "suspension") == 0 ? "suspended"
                                                        : "marked");
}

fm_status credential_check_status(const struct credential_facts *facts, const json_t *status,
                                  const struct credential_verifier *v, struct base_err *err)
{
    const json_t *one;
    size_t i;
    fm_status st = FM_OK;

    if (json_is_object(status))
        return check_status(facts, status, v, err);
    json_array_foreach(status, i, one) st = st != FM_OK ? st : check_status(facts, one, v, err);
    return st;
}

fm_status credential_judge(struct credential_facts *out, const json_t *credential,
                           const struct credential_verifier *v, struct base_err *err)
{
    fm_status st = judge_itself(out, credential, v, err);

    if (st == FM_OK)
        st = credential_check_schemas(credential, NULL, err);
    return st != FM_OK ? st
                       : credential_check_status(
                             out, json_object_get(credential, "credentialStatus"), v, err);
}

fm_status credential_verify_signature(struct credential_facts *out, const json_t *credential,
                                      const struct credential_verifier *v, struct base_err *err)
{
    fm_status st = check_proof(out, credential, v, err);

    if (st == FM_OK)
        out->form = out->proof.key.suite->cryptosuite;
    return st;
}

fm_status credential_verify_claims(struct credential_facts *out, const json_t *credential,
                                   const struct credential_verifier *v, struct base_err *err)
{
    return credential_judge(out, credential, v, err);
}

fm_status credential_verify(struct credential_facts *out, const json_t *credential,
                            const struct credential_verifier *v, struct base_err *err)
{
    fm_status st = credential_verify_signature(out, credential, v, err);

    return st == FM_OK ? credential_judge(out, credential, v, err) : st;
}

/* ---- presentations ---- */

fm_status credential_present(json_t **out, const json_t *credentials,
                             const struct did_secret *secret, const char *method,
                             const char *challenge, const char *domain, int64_t created_s,
                             struct base_err *err)
{
    char did[DID_METHOD_TEXT];
    json_t *held = did_copy_array(credentials);
    fm_status st;

    *out = NULL;
    if (held == NULL)
        return base_err_memory(err, "presentation");
    if (!did_method_split(did, method)) {
        json_decref(held);
        return base_err_set(err, FM_E_ARG, "'%.80s' is no verification method", method);
    }
    *out = json_pack("{s:[s], s:[s], s:s, s:o}", "@context", CREDENTIAL_CONTEXT, "type",
                     "VerifiablePresentation", "holder", did, "verifiableCredential", held);
    if (*out == NULL)
        return base_err_memory(err, "presentation");
    st = credential_check_presentation(*out, err);
    if (st == FM_OK)
        st = did_proof_add_answer(*out, secret, method, DID_ROLE_AUTHENTICATION, created_s,
                                  challenge, domain, err);
    if (st != FM_OK) {
        json_decref(*out);
        *out = NULL;
    }
    return st;
}

fm_status credential_check_subjects(const json_t *credential, const char *holder,
                                    struct base_err *err)
{
    const json_t *subjects = json_object_get(credential, "credentialSubject");
    size_t count = json_is_array(subjects) ? json_array_size(subjects) : 1;

    for (size_t i = 0; i < count; i++) {
        const json_t *subject = json_is_array(subjects) ? json_array_get(subjects, i) : subjects;
        const char *id = json_string_value(json_object_get(subject, "id"));
        if (id == NULL || strcmp(id, holder) != 0)
            return base_err_set(err, FM_E_AUTH, "it is about %.120s, not about its holder",
                                id == NULL ? "somebody without an id" : id);
    }
    return FM_OK;
}

fm_status credential_verify_presentation(struct credential_facts *facts, size_t *count,
                                         const char **holder, const json_t *presentation,
                                         const char *challenge, const char *domain,
                                         const struct credential_verifier *v, struct base_err *err)
{
    const struct did_proof_terms terms = {challenge, domain, v->now_s};
    const json_t *held = json_object_get(presentation, "verifiableCredential");
    struct did_proof proof;
    fm_status st = credential_check_presentation(presentation, err);

    *count = 0;
    *holder = NULL;
    if (st == FM_OK && credential_id_of(presentation, "holder") == NULL)
        st = base_err_set(err, FM_E_INPUT, "holder is missing: who shows this must be said");
    if (st == FM_OK)
        st = did_proof_verify_terms(&proof, presentation, DID_ROLE_AUTHENTICATION, &terms,
                                    v->rules_version, v->resolver, err);
    if (st != FM_OK)
        return base_err_prefix(err, "presentation");
    *holder = credential_id_of(presentation, "holder");
    st = credential_check_signer(&proof, *holder, "holder", err);
    for (size_t i = 0;
         st == FM_OK && i < (json_is_array(held) ? json_array_size(held) : held != NULL); i++) {
        const json_t *one = json_is_array(held) ? json_array_get(held, i) : held;
        struct credential_facts found;
        st = credential_verify(&found, one, v, err);
        if (st == FM_OK)
            st = credential_check_subjects(one, *holder, err);
        if (st != FM_OK)
            return base_err_prefix(err, "credential %zu", i + 1);
        if (facts != NULL)
            facts[i] = found;
        *count = i + 1;
    }
    if (st == FM_OK && *count == 0)
        st = base_err_set(err, FM_E_INVALID, "presentation: it shows no credential");
    return st;
}
