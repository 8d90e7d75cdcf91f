#include "did/credential/jwt.h"

#include <string.h>

#include "base/json_any.h"
#include "did/credential/credential_own.h"
#include "did/credential/jwk.h"
#include "did/document.h"

#define TYP "vc+jwt"

/* ---- JWS ---- */

fm_status credential_jws_sign(struct base_buf *out, const void *header, size_t header_len,
                              const void *payload, size_t payload_len,
                              const struct did_secret *secret, struct base_err *err)
{
    uint8_t signature[DID_SIGNATURE_MAX];
    size_t from = out->len;
    fm_status st;

    base_base64url(out, header, header_len);
    base_buf_put_u8(out, '.');
    base_base64url(out, payload, payload_len);
    st = base_buf_status(out, "JWS", err);
    if (st == FM_OK)
        st = did_secret_sign(secret, signature, out->p + from, out->len - from, err);
    if (st != FM_OK)
        return st;
    base_buf_put_u8(out, '.');
    base_base64url(out, signature, did_secret_key(secret)->suite->signature_len);
    return base_buf_status(out, "JWS", err);
}

void credential_jws_release(struct credential_jws *jws)
{
    base_buf_release(&jws->header);
    base_buf_release(&jws->payload);
    base_buf_release(&jws->signature);
    jws->signed_len = 0;
}

fm_status credential_jws_split(struct credential_jws *out, const char *text, struct base_err *err)
{
    const char *first = strchr(text, '.'), *second = first == NULL ? NULL : strchr(first + 1, '.');

    *out = (struct credential_jws){0};
    if (second == NULL || strchr(second + 1, '.') != NULL || strlen(text) > CREDENTIAL_JWT_MAX)
        return base_err_set(err, FM_E_INPUT,
                            "not a compact JWS: three parts with points between, at most %u bytes",
                            CREDENTIAL_JWT_MAX);
    out->signed_len = (size_t)(second - text);
    if (base_unbase64url(&out->header, text, (size_t)(first - text)) &&
        base_unbase64url(&out->payload, first + 1, (size_t)(second - first - 1)) &&
        base_unbase64url(&out->signature, second + 1, strlen(second + 1)))
        return FM_OK;
    credential_jws_release(out);
    return base_err_set(err, FM_E_INPUT, "a part of the JWS is not base64url without padding");
}

/* ---- issuing ---- */

fm_status credential_jwt_issue(struct base_buf *out, json_t *credential,
                               const struct did_secret *secret, const char *method,
                               struct base_err *err)
{
    const struct did_suite *suite = did_secret_key(secret)->suite;
    struct base_buf header = {0}, payload = {0};
    json_t *head = NULL;
    fm_status st;

    if (suite == did_suite_sm2())
        return base_err_set(err, FM_E_UNSUPPORTED,
                            "%s has no registered name in JWTs: sign with sm2-jcs instead",
                            suite->name);
    if (json_object_get(credential, "proof") != NULL)
        return base_err_set(err, FM_E_CONFLICT, "the credential carries a proof already");
    st = credential_complete(credential, method, err);
    if (st == FM_OK) {
        head =
            json_pack("{s:s, s:s, s:s}", "alg", credential_alg(suite), "kid", method, "typ", TYP);
        st = head == NULL ? base_err_memory(err, "JWT") : base_json_canonical(&header, head, err);
    }
    if (st == FM_OK &&
        json_object_set_new(credential, "iss",
                            json_string(credential_id_of(credential, "issuer"))) != 0)
        st = base_err_memory(err, "JWT");
    if (st == FM_OK)
        st = base_json_canonical(&payload, credential, err);
    if (st == FM_OK)
        st = credential_jws_sign(out, header.p, header.len, payload.p, payload.len, secret, err);
    json_decref(head);
    base_buf_release(&header);
    base_buf_release(&payload);
    return st;
}

/* ---- verifying ---- */

/* The header's form, and the key that it names. */
static fm_status read_header(struct did_proof *proof, const json_t *head, const char *wanted_typ,
                             const struct credential_verifier *v, struct base_err *err)
{
    static const char *const names[] = {"alg", "cty", "iss", "kid", "typ", NULL};
    const char *alg, *kid, *typ, *wanted;
    fm_status st;

    if ((st = base_json_only(head, names, err)) != FM_OK ||
        (st = base_json_get_str(&alg, head, "alg", err)) != FM_OK ||
        (st = base_json_get_str(&kid, head, "kid", err)) != FM_OK ||
        (st = base_json_get_str(&typ, head, "typ", err)) != FM_OK)
        return st;
    if (strcmp(typ, wanted_typ) != 0)
        return base_err_set(err, FM_E_INPUT, "typ must be '%s'", wanted_typ);
    if (strlen(kid) >= sizeof proof->method)
        return base_err_set(err, FM_E_INPUT, "kid is too long");
    memcpy(proof->method, kid, strlen(kid) + 1);
    st = v->resolver->key(v->resolver->ctx, &proof->key, kid, DID_ROLE_ASSERTION, err);
    if (st != FM_OK)
        return st;
    wanted = credential_alg(proof->key.suite);
    return strcmp(alg, wanted) == 0
               ? FM_OK
               : base_err_set(err, FM_E_AUTH, "alg is '%.40s', but the key is for '%s'", alg,
                              wanted);
}

fm_status credential_jws_verify(struct did_proof *proof, const struct credential_jws *jws,
                                const char *text, const char *typ,
                                const struct credential_verifier *v, struct base_err *err)
{
    json_t *head;
    fm_status st = base_json_parse(&head, (const char *)jws->header.p, jws->header.len, err);

    if (st == FM_OK && !json_is_object(head))
        st = base_err_set(err, FM_E_INPUT, "must be an object");
    if (st == FM_OK)
        st = read_header(proof, head, typ, v, err);
    json_decref(head);
    return st != FM_OK ? base_err_prefix(err, "JWT header")
                       : did_key_verify(&proof->key, v->rules_version, jws->signature.p,
                                        jws->signature.len, text, jws->signed_len, err);
}

fm_status credential_jwt_period(const json_t *claims, int64_t now_s, struct base_err *err)
{
    const json_t *exp = json_object_get(claims, "exp"), *nbf = json_object_get(claims, "nbf");

    if ((exp != NULL && !json_is_integer(exp)) || (nbf != NULL && !json_is_integer(nbf)))
        return base_err_set(err, FM_E_INPUT, "exp and nbf must be whole seconds since 1970");
    if (exp != NULL && now_s >= json_integer_value(exp))
        return base_err_set(err, FM_E_INVALID, "it expired (exp %lld)",
                            (long long)json_integer_value(exp));
    if (nbf != NULL && now_s < json_integer_value(nbf))
        return base_err_set(err, FM_E_INVALID, "not valid yet (nbf %lld)",
                            (long long)json_integer_value(nbf));
    return FM_OK;
}

/* The claims that others add to the credential: "iss" says the same as it, "exp" and "nbf" bound it
 * further. */
static fm_status check_claims(const json_t *credential, int64_t now_s, struct base_err *err)
{
    const json_t *iss = json_object_get(credential, "iss");

    if (iss != NULL &&
        (!json_is_string(iss) ||
         strcmp(json_string_value(iss), credential_id_of(credential, "issuer")) != 0))
        return base_err_set(err, FM_E_AUTH, "iss is another than issuer");
    return credential_jwt_period(credential, now_s, err);
}

fm_status credential_jwt_verify(struct credential_facts *out, json_t **credential, const char *text,
                                const struct credential_verifier *v, struct base_err *err)
{
    struct credential_jws jws;
    fm_status st = credential_jws_split(&jws, text, err);

    memset(out, 0, sizeof *out);
    *credential = NULL;
    if (st != FM_OK)
        return st;
    st = credential_jws_verify(&out->proof, &jws, text, TYP, v, err);
    if (st == FM_OK && out->proof.key.suite == did_suite_sm2())
        st = base_err_set(err, FM_E_AUTH, "SM2 signs no '" TYP "': it signs sm2-jcs or dc+sd-jwt");
    if (st == FM_OK)
        st = base_json_any_parse(credential, (const char *)jws.payload.p, jws.payload.len, err);
    if (st == FM_OK)
        st = credential_judge(out, *credential, v, err);
    if (st == FM_OK)
        st = check_claims(*credential, v->now_s, err);
    out->form = TYP;
    credential_jws_release(&jws);
    if (st != FM_OK) {
        json_decref(*credential);
        *credential = NULL;
    }
    return st;
}
