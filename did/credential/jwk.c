#include "did/credential/jwk.h"

#include <string.h>

#include "base/bytes.h"
#include "base/json.h"

#define COORDINATE 32

static const struct kind {
    const struct did_suite *(*suite)(void);
    const char *alg, *kty, *crv;
} kinds[] = {
    {did_suite_ed25519, "EdDSA", "OKP", "Ed25519"},
    {did_suite_p256, "ES256", "EC", "P-256"},
    {did_suite_sm2, CREDENTIAL_ALG_SM2, "EC", "urn:oid:1.2.156.10197.1.301"},
};

static const struct kind *kind_of(const struct did_suite *suite)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (kinds[i].suite() == suite)
            return &kinds[i];
    return NULL; /* UNTESTED: every suite has a row */
}

const char *credential_alg(const struct did_suite *suite)
{
    return kind_of(suite)->alg;
}

fm_status credential_jwk_make(json_t **out, const struct did_key *key, struct base_err *err)
{
    const struct kind *kind = kind_of(key->suite);
    bool is_point = strcmp(kind->kty, "EC") == 0; /* its key is 02 or 03 and x, its aid is y */
    struct base_buf x = {0}, y = {0};
    fm_status st;

    *out = NULL;
    base_base64url(&x, key->bytes + is_point, COORDINATE);
    base_base64url(&y, key->aid, COORDINATE);
    st = base_buf_status(x.failed ? &x : &y, "JWK", err);
    if (st == FM_OK) {
        *out = json_pack("{s:s, s:s, s:s}", "crv", kind->crv, "kty", kind->kty, "x",
                         base_buf_cstr(&x));
        if (*out == NULL ||
            (is_point && json_object_set_new(*out, "y", json_string(base_buf_cstr(&y))) != 0))
            st = base_err_memory(err, "JWK");
    }
    base_buf_release(&x);
    base_buf_release(&y);
    if (st != FM_OK) {
        json_decref(*out);
        *out = NULL;
    }
    return st;
}

static fm_status read_coordinate(uint8_t out[COORDINATE], const json_t *jwk, const char *name,
                                 struct base_err *err)
{
    struct base_buf bytes = {0};
    const char *text;
    fm_status st = base_json_get_str(&text, jwk, name, err);

    if (st == FM_OK && (!base_unbase64url(&bytes, text, strlen(text)) || bytes.len != COORDINATE))
        st = base_err_set(err, FM_E_INPUT, "'%s' must be %d bytes in base64url", name, COORDINATE);
    if (st == FM_OK)
        memcpy(out, bytes.p, COORDINATE);
    base_buf_release(&bytes);
    return st;
}

static fm_status read_key(struct did_key *out, const json_t *jwk, uint32_t rules_version,
                          struct base_err *err)
{
    const struct kind *kind = NULL;
    const char *kty, *crv;
    uint8_t key[1 + COORDINATE], y[COORDINATE];
    bool is_point;
    fm_status st;

    if (json_object_get(jwk, "d") != NULL)
        return base_err_set(err, FM_E_INPUT, "it holds a secret key");
    if ((st = base_json_get_str(&kty, jwk, "kty", err)) != FM_OK ||
        (st = base_json_get_str(&crv, jwk, "crv", err)) != FM_OK)
        return st;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && kind == NULL; i++)
        if (strcmp(kty, kinds[i].kty) == 0 && strcmp(crv, kinds[i].crv) == 0)
            kind = &kinds[i];
    if (kind == NULL)
        return base_err_set(err, FM_E_UNSUPPORTED, "keys of %.20s %.40s are not known here", kty,
                            crv);
    is_point = strcmp(kty, "EC") == 0;
    if ((st = read_coordinate(key + is_point, jwk, "x", err)) != FM_OK ||
        (is_point && (st = read_coordinate(y, jwk, "y", err)) != FM_OK))
        return st;
    if (is_point)
        key[0] = (uint8_t)(2 | (y[COORDINATE - 1] & 1));
    st = did_key_make(out, kind->suite(), key, is_point + (size_t)COORDINATE, rules_version, err);
    if (st == FM_OK && is_point && memcmp(out->aid, y, COORDINATE) != 0)
        st = base_err_set(err, FM_E_AUTH, "x and y are no point of the curve");
    return st;
}

fm_status credential_jwk_read(struct did_key *out, const json_t *jwk, uint32_t rules_version,
                              struct base_err *err)
{
    fm_status st = json_is_object(jwk) ? read_key(out, jwk, rules_version, err)
                                       : base_err_set(err, FM_E_INPUT, "must be an object");

    if (st == FM_OK)
        return FM_OK;
    memset(out, 0, sizeof *out);
    return base_err_prefix(err, "JWK");
}
