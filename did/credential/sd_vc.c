#include "did/credential/sd_vc.h"

#include <string.h>

#include "base/json_any.h"
#include "did/credential/credential_own.h"
#include "did/credential/jwk.h"
#include "did/credential/pointer.h"
#include "did/credential/schemas.h"
#include "did/document.h"

/* What judges the credential: never hidden. */
static const char *const open_claims[] = {
    "iss",
    "nbf",
    "exp",
    "cnf",
    "vct",
    "vct#integrity",
    "aka_vcts",
    "status",
    "credentialStatus",
    "credentialSchema",
};

static bool must_be_open(const char *name)
{
    for (size_t i = 0; i < sizeof open_claims / sizeof open_claims[0]; i++)
        if (strcmp(open_claims[i], name) == 0)
            return true;
    return false;
}

/* The first name of a pointer is that of a claim that must be open. */
static fm_status check_pointer(const char *text, struct base_err *err)
{
    struct credential_pointer at;
    fm_status st = credential_pointer_parse(&at, text, err);

    if (st == FM_OK && at.count > 0 && must_be_open(at.names[0]))
        st = base_err_set(err, FM_E_ARG, "%.40s: this claim cannot be hidden: it judges the others",
                          text);
    if (st == FM_OK && at.count == 1 && strcmp(at.names[0], "*") == 0)
        st = base_err_set(err, FM_E_ARG, "/*: some claims cannot be hidden: name those that can");
    credential_pointer_release(&at);
    return st;
}

/* ---- what the claims must be ---- */

static fm_status check_times(const json_t *claims, struct base_err *err)
{
    static const char *const times[] = {"exp", "iat", "nbf"};

    for (size_t i = 0; i < 3; i++) {
        const json_t *time = json_object_get(claims, times[i]);
        if (time != NULL && !json_is_integer(time))
            return base_err_set(err, FM_E_INPUT, "%s must be whole seconds since 1970", times[i]);
    }
    return FM_OK;
}

/* A line or a terminal's command in a name could pass for what a verifier says itself. */
static bool is_one_line(const char *text)
{
    for (const char *p = text; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return false;
    return true;
}

static fm_status check_names(const json_t *claims, struct base_err *err)
{
    const json_t *value;
    const char *name;

    json_object_foreach(
        (json_t *)(uintptr_t)claims, name,
        value) if (!is_one_line(name)) return base_err_set(err, FM_E_INPUT,
                                                           "a claim's name has control characters");
    return FM_OK;
}

static fm_status check_types(const json_t *claims, struct base_err *err)
{
    const json_t *more = json_object_get(claims, "aka_vcts"), *one;
    const char *vct;
    size_t i;
    fm_status st = base_json_get_str(&vct, claims, "vct", err);

    if (st != FM_OK)
        return st;
    if (!is_one_line(vct))
        return base_err_set(err, FM_E_INPUT, "vct has control characters");
    if (vct[0] == '\0' || (more != NULL && json_array_size(more) == 0))
        return base_err_set(err, FM_E_INPUT, "vct must be a name, and aka_vcts an array of more");
    json_array_foreach(
        more, i,
        one) if (!json_is_string(one) ||
                 strcmp(json_string_value(one), vct) ==
                     0) return base_err_set(err, FM_E_INPUT,
                                            "aka_vcts must be an array of other names than vct");
    return FM_OK;
}

/* An object, or at least one of them: what is neither would ask for nothing. */
static fm_status check_entries(const json_t *claims, const char *name, struct base_err *err)
{
    const json_t *entries = json_object_get(claims, name), *one;
    bool is_fine = entries == NULL || json_is_object(entries) || json_array_size(entries) > 0;
    size_t i;

    json_array_foreach(entries, i, one) is_fine = is_fine && json_is_object(one);
    return is_fine
               ? FM_OK
               : base_err_set(err, FM_E_INPUT, "%s must be an object, or an array of them", name);
}

static fm_status check_form(const json_t *claims, struct base_err *err)
{
    fm_status st = check_types(claims, err);

    if (st == FM_OK)
        st = check_names(claims, err);
    if (st == FM_OK)
        st = check_times(claims, err);
    if (st == FM_OK)
        st = check_entries(claims, "credentialStatus", err);
    if (st == FM_OK)
        st = check_entries(claims, "credentialSchema", err);
    if (st == FM_OK && json_object_get(claims, "status") != NULL)
        st = base_err_set(err, FM_E_UNSUPPORTED,
                          "'status' (Token Status Lists) is not known here; known is "
                          "credentialStatus with BitstringStatusListEntry");
    return st;
}

/* ---- issuing ---- */

static fm_status complete(json_t *claims, const struct did_key *holder, const char *method,
                          int64_t now_s, struct base_err *err)
{
    char did[DID_METHOD_TEXT];
    const json_t *iss = json_object_get(claims, "iss");
    json_t *jwk = NULL;
    fm_status st = FM_OK;

    if (!json_is_object(claims))
        return base_err_set(err, FM_E_INPUT, "claims must be a JSON object");
    if (!did_method_split(did, method))
        return base_err_set(err, FM_E_ARG, "'%.80s' is no verification method", method);
    if (iss != NULL && (!json_is_string(iss) || strcmp(json_string_value(iss), did) != 0))
        return base_err_set(err, FM_E_CONFLICT, "iss is another than %.120s, whose key signs", did);
    if (json_object_set_new(claims, "iss", json_string(did)) != 0 ||
        (json_object_get(claims, "iat") == NULL &&
         json_object_set_new(claims, "iat", json_integer(now_s)) != 0))
        return base_err_memory(err, "claims");
    if (holder != NULL && json_object_get(claims, "cnf") != NULL)
        return base_err_set(err, FM_E_CONFLICT, "cnf names a holder already");
    if (holder != NULL) {
        st = credential_jwk_make(&jwk, holder, err);
        if (st == FM_OK && json_object_set_new(claims, "cnf", json_pack("{s:o}", "jwk", jwk)) != 0)
            st = base_err_memory(err, "claims");
    }
    if (st == FM_OK)
        st = check_form(claims, err);
    return st != FM_OK ? st : credential_check_claims(claims, CREDENTIAL_SCHEMA_WHOLE, NULL, err);
}

static fm_status sign(struct base_buf *out, const json_t *claims, const struct did_secret *secret,
                      const char *method, struct base_err *err)
{
    struct base_buf header = {0}, payload = {0};
    json_t *head =
        json_pack("{s:s, s:s, s:s}", "alg", credential_alg(did_secret_key(secret)->suite), "kid",
                  method, "typ", CREDENTIAL_SD_FORM);
    fm_status st =
        head == NULL ? base_err_memory(err, "SD-JWT") : base_json_canonical(&header, head, err);

    if (st == FM_OK)
        st = base_json_canonical(&payload, claims, err);
    if (st == FM_OK)
        st = credential_jws_sign(out, header.p, header.len, payload.p, payload.len, secret, err);
    json_decref(head);
    base_buf_release(&header);
    base_buf_release(&payload);
    return st;
}

fm_status credential_sd_usual(json_t **out, const json_t *claims, struct base_err *err)
{
    struct base_buf text = {0};
    const char *name;
    json_t *value;
    fm_status st = FM_OK;

    *out = json_array();
    json_object_foreach((json_t *)(uintptr_t)claims, name, value)
    {
        if (must_be_open(name))
            continue;
        base_buf_clear(&text);
        credential_pointer_put(&text, name);
        if (json_array_append_new(*out, json_string(base_buf_cstr(&text))) != 0)
            st = base_err_memory(err, "claims");
    }
    base_buf_release(&text);
    if (*out == NULL)
        st = base_err_memory(err, "claims");
    return st;
}

fm_status credential_sd_issue(struct base_buf *out, json_t *claims,
                              const struct credential_sd_wish *wish, const struct did_key *holder,
                              const struct did_secret *secret, const char *method, int64_t now_s,
                              const struct base_random *random, struct base_err *err)
{
    struct base_buf parts = {0};
    fm_status st = complete(claims, holder, method, now_s, err);

    for (size_t i = 0; st == FM_OK && i < wish->hidden_count; i++)
        st = check_pointer(wish->hidden[i], err);
    if (st == FM_OK)
        st = credential_sd_hide(&parts, claims, wish, did_secret_key(secret)->suite->digest, random,
                                err);
    if (st == FM_OK)
        st = sign(out, claims, secret, method, err);
    if (st == FM_OK) {
        base_buf_put_u8(out, '~');
        base_buf_put(out, parts.p, parts.len);
        st = base_buf_status(out, "SD-JWT", err);
    }
    base_buf_release_secret(&parts);
    return st;
}

/* ---- verifying ---- */

/* The JWT alone: whose it is and that it is signed; *payload still has digests. */
static fm_status check_jwt(struct credential_facts *out, json_t **payload, const char *jwt,
                           const struct credential_verifier *v, struct base_err *err)
{
    struct credential_jws jws;
    fm_status st = credential_jws_split(&jws, jwt, err);

    if (st != FM_OK)
        return st;
    st = credential_jws_verify(&out->proof, &jws, jwt, CREDENTIAL_SD_FORM, v, err);
    if (st == FM_OK)
        st = base_json_any_parse(payload, (const char *)jws.payload.p, jws.payload.len, err);
    if (st == FM_OK && !json_is_object(*payload))
        st = base_err_set(err, FM_E_INPUT, "claims must be a JSON object");
    credential_jws_release(&jws);
    return st;
}

/* Does a digest stand in it? What it hides was perhaps not disclosed, so the Disclosures cannot
 * tell. Recursion is as deep as base/json.h's subset, which the value was read in. */
static bool has_digests(const json_t *value)
{
    const json_t *one;
    const char *name;
    size_t i;

    if (json_object_get(value, "_sd") != NULL || json_object_get(value, "...") != NULL)
        return true;
    json_object_foreach((json_t *)(uintptr_t)value, name, one) if (has_digests(one)) return true;
    json_array_foreach(value, i, one) if (has_digests(one)) return true;
    return false;
}

/* What judges the credential is said by the JWT itself: before digests are replaced. */
static fm_status check_open(const json_t *payload, struct base_err *err)
{
    for (size_t i = 0; i < sizeof open_claims / sizeof open_claims[0]; i++)
        if (has_digests(json_object_get(payload, open_claims[i])))
            return base_err_set(err, FM_E_INPUT, "claim '%s' must not be hidden", open_claims[i]);
    return FM_OK;
}

/* Nor is it disclosed beside what the JWT says. */
static fm_status check_disclosed(const struct credential_sd *sd, struct base_err *err)
{
    for (size_t i = 0; i < sd->count; i++) {
        struct credential_pointer at;
        fm_status st = credential_pointer_parse(&at, sd->parts[i].pointer, err);
        if (st == FM_OK && must_be_open(at.names[0]))
            st = base_err_set(err, FM_E_INPUT, "claim '%.40s' must not be hidden", at.names[0]);
        credential_pointer_release(&at);
        if (st != FM_OK)
            return st;
    }
    return FM_OK;
}

static fm_status judge(struct credential_sd_facts *out, const json_t *claims,
                       const struct credential_verifier *v, struct base_err *err)
{
    const json_t *exp = json_object_get(claims, "exp");
    struct credential_facts *facts = &out->common;
    fm_status st = check_form(claims, err);

    if (st == FM_OK)
        st = base_json_get_str(&facts->issuer, claims, "iss", err);
    if (st == FM_OK)
        st = credential_check_signer(&facts->proof, facts->issuer, "iss", err);
    if (st == FM_OK)
        st = credential_jwt_period(claims, v->now_s, err);
    if (st == FM_OK)
        st = credential_check_claims(claims, CREDENTIAL_SCHEMA_PART, NULL, err);
    if (st != FM_OK)
        return st;
    out->type = json_string_value(json_object_get(claims, "vct"));
    facts->valid_from_s = json_integer_value(json_object_get(claims, "nbf"));
    facts->valid_until_s = exp == NULL ? INT64_MAX : json_integer_value(exp) - 1;
    facts->proof.created_s = json_integer_value(json_object_get(claims, "iat"));
    return credential_check_status(facts, json_object_get(claims, "credentialStatus"), v, err);
}

/* The holder's key of "cnf"; *there false without one. */
static fm_status read_holder(struct did_key *out, bool *there, const json_t *claims,
                             uint32_t rules_version, struct base_err *err)
{
    const json_t *cnf = json_object_get(claims, "cnf"), *jwk = json_object_get(cnf, "jwk");
    fm_status st;

    *there = cnf != NULL;
    if (cnf == NULL)
        return FM_OK;
    if (jwk == NULL)
        return base_err_set(err, FM_E_UNSUPPORTED, "cnf must have the holder's key as 'jwk'");
    st = credential_jwk_read(out, jwk, rules_version, err);
    return st != FM_OK ? base_err_prefix(err, "cnf") : FM_OK;
}

static fm_status check_binding_header(const struct credential_jws *jws, const struct did_key *key,
                                      struct base_err *err)
{
    static const char *const names[] = {"alg", "kid", "typ", NULL};
    const char *alg, *typ;
    json_t *head;
    fm_status st = base_json_parse(&head, (const char *)jws->header.p, jws->header.len, err);

    if (st == FM_OK && ((st = base_json_only(head, names, err)) != FM_OK ||
                        (st = base_json_get_str(&alg, head, "alg", err)) != FM_OK ||
                        (st = base_json_get_str(&typ, head, "typ", err)) != FM_OK)) {
    } else if (st == FM_OK && strcmp(typ, "kb+jwt") != 0) {
        st = base_err_set(err, FM_E_INPUT, "typ must be 'kb+jwt'");
    } else if (st == FM_OK && strcmp(alg, credential_alg(key->suite)) != 0) {
        st = base_err_set(err, FM_E_AUTH, "alg is '%.40s', but the holder's key is for '%s'", alg,
                          credential_alg(key->suite));
    }
    json_decref(head);
    return st;
}

static fm_status check_binding_claims(const json_t *claims, const char *sd_hash,
                                      const struct credential_sd_request *request, int64_t now_s,
                                      struct base_err *err)
{
    const char *nonce, *audience, *hash;
    int64_t iat;
    fm_status st;

    if ((st = base_json_get_str(&nonce, claims, "nonce", err)) != FM_OK ||
        (st = base_json_get_str(&audience, claims, "aud", err)) != FM_OK ||
        (st = base_json_get_str(&hash, claims, "sd_hash", err)) != FM_OK ||
        (st = base_json_get_int(&iat, claims, "iat", err)) != FM_OK)
        return st;
    if (strcmp(nonce, request->nonce) != 0)
        return base_err_set(err, FM_E_AUTH, "nonce is not the one that was asked for");
    if (strcmp(audience, request->audience) != 0)
        return base_err_set(err, FM_E_AUTH, "aud is '%.80s', not '%.80s'", audience,
                            request->audience);
    if (strcmp(hash, sd_hash) != 0)
        return base_err_set(err, FM_E_AUTH, "sd_hash is of another credential or selection");
    if (iat > now_s + CREDENTIAL_SD_AHEAD_S || iat < now_s - CREDENTIAL_SD_PAST_S)
        return base_err_set(err, FM_E_INVALID, "it was made at %lld, not within the last %d s",
                            (long long)iat, CREDENTIAL_SD_PAST_S);
    return credential_jwt_period(claims, now_s, err);
}

static fm_status check_binding(const struct credential_sd *sd, enum did_digest digest,
                               const char *text, const struct did_key *holder,
                               const struct credential_sd_request *request,
                               const struct credential_verifier *v, struct base_err *err)
{
    struct base_buf hash = {0};
    struct credential_jws jws;
    json_t *claims = NULL;
    fm_status st = credential_jws_split(&jws, sd->binding, err);

    if (st != FM_OK)
        return st;
    st = check_binding_header(&jws, holder, err);
    if (st == FM_OK)
        st = did_key_verify(holder, v->rules_version, jws.signature.p, jws.signature.len,
                            sd->binding, jws.signed_len, err);
    if (st == FM_OK)
        st = base_json_parse(&claims, (const char *)jws.payload.p, jws.payload.len, err);
    if (st == FM_OK)
        st = credential_sd_digest(&hash, text, sd->bound_len, digest, err);
    if (st == FM_OK)
        st = check_binding_claims(claims, base_buf_cstr(&hash), request, v->now_s, err);
    json_decref(claims);
    base_buf_release(&hash);
    credential_jws_release(&jws);
    return st;
}

/* Who may show it, and that it was that holder who did. */
static fm_status check_holder(struct credential_sd_facts *out, const json_t *claims,
                              const struct credential_sd *sd, enum did_digest digest,
                              const char *text, const struct credential_sd_request *request,
                              const struct credential_verifier *v, struct base_err *err)
{
    struct did_key holder;
    bool has_holder;
    fm_status st = read_holder(&holder, &has_holder, claims, v->rules_version, err);

    if (st == FM_OK && has_holder)
        st = did_key_did_encode(out->holder, &holder, err);
    if (st != FM_OK || request == NULL)
        return st;
    if (!has_holder)
        return base_err_set(err, FM_E_AUTH, "cnf is missing: it is bound to no holder's key");
    if (sd->binding == NULL)
        return base_err_set(err, FM_E_AUTH, "its holder did not sign for this request");
    st = check_binding(sd, digest, text, &holder, request, v, err);
    out->is_bound = st == FM_OK;
    return st != FM_OK ? base_err_prefix(err, "Key Binding") : FM_OK;
}

static fm_status verify(struct credential_sd_facts *out, json_t **claims, struct credential_sd *sd,
                        const char *text, const struct credential_sd_request *request,
                        const struct credential_verifier *v, struct base_err *err)
{
    enum did_digest digest;
    fm_status st = check_jwt(&out->common, claims, sd->jwt, v, err);

    if (st == FM_OK)
        st = check_open(*claims, err);
    if (st == FM_OK)
        st = credential_sd_read(sd, &digest, *claims, err);
    if (st == FM_OK)
        st = check_disclosed(sd, err);
    if (st == FM_OK)
        st = judge(out, *claims, v, err);
    return st != FM_OK ? st : check_holder(out, *claims, sd, digest, text, request, v, err);
}

fm_status credential_sd_verify(struct credential_sd_facts *out, json_t **claims, const char *text,
                               const struct credential_sd_request *request,
                               const struct credential_verifier *v, struct base_err *err)
{
    struct credential_sd sd;
    fm_status st = credential_sd_split(&sd, text, err);

    memset(out, 0, sizeof *out);
    *claims = NULL;
    if (st != FM_OK)
        return st;
    if (request == NULL && sd.binding != NULL)
        st =
            base_err_set(err, FM_E_ARG, "it is a presentation: what nonce was asked for, by whom?");
    if (st == FM_OK)
        st = verify(out, claims, &sd, text, request, v, err);
    credential_sd_release(&sd);
    out->common.form = CREDENTIAL_SD_FORM;
    if (st == FM_OK)
        return FM_OK;
    json_decref(*claims);
    *claims = NULL;
    memset(out, 0, sizeof *out);
    return st;
}
