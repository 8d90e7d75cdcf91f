/* SD-JWTs beside RFC 9901's own examples, and each of its rules broken in turn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/json_any.h"
#include "did/credential/jwk.h"
#include "did/credential/jwt.h"
#include "did/credential/sd_jwt.h"
#include "did/credential/test_sd_vectors.h"
#include "did/test_tools.h"

static json_t *json_of(const char *text)
{
    struct base_err err = {0};
    json_t *json;

    if (base_json_any_parse(&json, text, strlen(text), &err) != FM_OK)
        fail_msg("%s: %s", err.text, text);
    return json;
}

static struct did_key key_of(const json_t *jwk)
{
    struct base_err err = {0};
    struct did_key key;

    tools_expect(credential_jwk_read(&key, jwk, DID_RULES_VERSION, &err), FM_OK, &err, "");
    return key;
}

/* Verifies a JWT by a key and gives its claims. */
static json_t *claims_of(const char *jwt, const struct did_key *key)
{
    struct base_err err = {0};
    struct credential_jws jws;
    json_t *claims;

    tools_expect(credential_jws_split(&jws, jwt, &err), FM_OK, &err, "");
    tools_expect(did_key_verify(key, DID_RULES_VERSION, jws.signature.p, jws.signature.len, jwt,
                                jws.signed_len, &err),
                 FM_OK, &err, "");
    tools_expect(base_json_parse(&claims, (const char *)jws.payload.p, jws.payload.len, &err),
                 FM_OK, &err, "");
    credential_jws_release(&jws);
    return claims;
}

/* Key Binding of section 5.3: the holder's key, and the hash of all before it. */
static void check_binding(const struct credential_sd *sd, const char *text, const json_t *claims)
{
    struct did_key holder = key_of(json_object_get(json_object_get(claims, "cnf"), "jwk"));
    json_t *bound = claims_of(sd->binding, &holder);
    struct base_buf hash = {0};
    struct base_err err = {0};

    tools_expect(credential_sd_digest(&hash, text, sd->bound_len, DID_DIGEST_SHA256, &err), FM_OK,
                 &err, "");
    assert_string_equal(json_string_value(json_object_get(bound, "sd_hash")), base_buf_cstr(&hash));
    assert_string_equal(json_string_value(json_object_get(bound, "nonce")), "1234567890");
    base_buf_release(&hash);
    json_decref(bound);
}

static void the_rfcs_examples(void **state)
{
    json_t *jwk = json_of(rfc9901_issuer);
    struct did_key issuer = key_of(jwk);

    (void)state;
    for (size_t i = 0; i < sizeof rfc9901 / sizeof rfc9901[0]; i++) {
        json_t *wanted = json_of(rfc9901[i].claims), *claims;
        struct base_err err = {0};
        struct credential_sd sd;
        enum did_digest digest;
        tools_expect(credential_sd_split(&sd, rfc9901[i].text, &err), FM_OK, &err, "");
        claims = claims_of(sd.jwt, &issuer);
        tools_expect(credential_sd_read(&sd, &digest, claims, &err), FM_OK, &err, "");
        assert_true(digest == DID_DIGEST_SHA256);
        if (!json_equal(claims, wanted))
            fail_msg("%s: %s", rfc9901[i].where, json_dumps(claims, 0));
        if (sd.binding != NULL)
            check_binding(&sd, rfc9901[i].text, claims);
        credential_sd_release(&sd);
        json_decref(claims);
        json_decref(wanted);
    }
    json_decref(jwk);
}

/* The digest of section 4.2.3, of the Disclosure of section 4.2.1. */
static void the_rfcs_digest(void **state)
{
    static const char text[] =
        "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0";
    struct base_buf digest = {0};
    struct base_err err = {0};

    (void)state;
    tools_expect(credential_sd_digest(&digest, text, strlen(text), DID_DIGEST_SHA256, &err), FM_OK,
                 &err, "");
    assert_string_equal(base_buf_cstr(&digest), "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0");
    base_buf_release(&digest);
}

/* ---- rules ---- */

/* Replaces %1, %2, ... in the claims by the digests of the Disclosures with these contents. */
static json_t *with_digests(const char *claims, const char *const *contents, struct base_buf *parts)
{
    struct base_buf text = {0};
    struct base_err err = {0};
    json_t *json;

    base_buf_put_str(parts, "e30.e30.AA~");
    for (const char *p = claims; *p != '\0'; p++) {
        struct base_buf part = {0};
        const char *content;
        if (*p != '%') {
            base_buf_put_u8(&text, (uint8_t)*p);
            continue;
        }
        content = contents[*++p - '1'];
        base_base64url(&part, (const uint8_t *)content, strlen(content));
        assert_int_equal(
            credential_sd_digest(&text, base_buf_cstr(&part), part.len, DID_DIGEST_SHA256, &err),
            FM_OK);
        base_buf_release(&part);
    }
    for (size_t i = 0; contents[i] != NULL; i++) {
        base_base64url(parts, (const uint8_t *)contents[i], strlen(contents[i]));
        base_buf_put_u8(parts, '~');
    }
    json = json_of(base_buf_cstr(&text));
    base_buf_release(&text);
    return json;
}

/* What reading says of claims with these Disclosures; wanted_claims where it is FM_OK. */
static void expect(const char *claims, const char *const *contents, fm_status wanted,
                   const char *say, const char *wanted_claims)
{
    struct base_buf text = {0};
    struct base_err err = {0};
    struct credential_sd sd = {0};
    enum did_digest digest;
    json_t *json = with_digests(claims, contents, &text);
    fm_status st = credential_sd_split(&sd, base_buf_cstr(&text), &err);

    if (st == FM_OK)
        st = credential_sd_read(&sd, &digest, json, &err);
    tools_expect(st, wanted, &err, say);
    if (wanted_claims != NULL) {
        json_t *right = json_of(wanted_claims);
        if (!json_equal(json, right))
            fail_msg("%s", json_dumps(json, 0));
        json_decref(right);
    }
    credential_sd_release(&sd);
    base_buf_release(&text);
    json_decref(json);
}

#define NONE ((const char *const[]){NULL})
#define PARTS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void what_digests_become(void **state)
{
    (void)state;
    expect("{\"_sd\":[\"%1\",\"decoy\"],\"a\":1}", PARTS("[\"s\",\"b\",[true]]"), FM_OK, "",
           "{\"a\":1,\"b\":[true]}");
    expect("{\"_sd\":[\"decoy\"]}", NONE, FM_OK, "", "{}");
    expect("{\"_sd\":[]}", NONE, FM_OK, "", "{}");
    expect("{\"a\":[1,{\"...\":\"%1\"},{\"...\":\"decoy\"},[{\"...\":\"%2\"}]]}",
           PARTS("[\"s\",\"x\"]", "[\"t\",{}]"), FM_OK, "", "{\"a\":[1,\"x\",[{}]]}");
    expect("{\"a\":[{\"...\":\"x\"},{\"...\":\"y\"}]}", NONE, FM_OK, "", "{\"a\":[]}");
    expect("{\"_sd_alg\":\"sha-256\",\"o\":{\"_sd\":[\"x\"]}}", NONE, FM_OK, "", "{\"o\":{}}");
    expect("{\"_sd_alg\":\"sha-512\"}", NONE, FM_E_UNSUPPORTED, "_sd_alg is 'sha-512'", NULL);
    expect("{\"_sd_alg\":1}", NONE, FM_E_INPUT, "_sd_alg must be a string", NULL);
}

static void rules(void **state)
{
    (void)state;
    expect("{\"_sd\":[\"x\",\"x\"]}", NONE, FM_E_INPUT, "the claims: a digest stands there twice",
           NULL);
    expect("{\"_sd\":[\"x\"],\"a\":[{\"...\":\"x\"}]}", NONE, FM_E_INPUT, "stands there twice",
           NULL);
    expect("{\"_sd\":[\"%1\"],\"a\":{\"_sd\":[\"%1\"]}}", PARTS("[\"s\",\"b\",1]"), FM_E_INPUT,
           "stands there twice", NULL);
    expect("{\"a\":1}", PARTS("[\"s\",\"b\",1]"), FM_E_INPUT, "Disclosure 1 belongs to no digest",
           NULL);
    expect("{\"_sd\":[\"%1\"]}", PARTS("[\"s\",\"b\",1]", "[\"s\",\"b\",1]"), FM_E_INPUT,
           "Disclosure 2 is there twice", NULL);
    expect("{\"o\":{\"_sd\":[\"%1\"]}}", PARTS("[\"s\",1]"), FM_E_INPUT,
           "/o: the Disclosure of a member must be", NULL);
    expect("{\"_sd\":[\"%1\"]}", PARTS("[\"s\",1,1]"), FM_E_INPUT, "must be [salt, name, value]",
           NULL);
    expect("{\"_sd\":[\"%1\"]}", PARTS("[\"s\",\"b\",1,1]"), FM_E_INPUT, "of a member must be",
           NULL);
    expect("{\"a\":[{\"...\":\"%1\"}]}", PARTS("[\"s\",\"b\",1]"), FM_E_INPUT,
           "/a/0: the Disclosure of an element must be", NULL);
    expect("{\"_sd\":[\"%1\"]}", PARTS("[1,\"b\",1]"), FM_E_INPUT, "begins with its salt", NULL);
    expect("{\"_sd\":[\"%1\"]}", PARTS("{\"s\":1}"), FM_E_INPUT, "must be an array", NULL);
    expect("{\"_sd\":[\"%1\"]}", PARTS("[\"s\",\"_sd\",[]]"), FM_E_INPUT, "reserved name", NULL);
    expect("{\"_sd\":[\"%1\"]}", PARTS("[\"s\",\"...\",\"x\"]"), FM_E_INPUT, "reserved name", NULL);
    expect("{\"_sd\":[\"%1\"]}", PARTS("[\"s\",\"_sd_alg\",\"x\"]"), FM_E_INPUT, "reserved name",
           NULL);
    expect("{\"_sd\":[\"%1\"],\"b\":2}", PARTS("[\"s\",\"b\",1]"), FM_E_INPUT,
           "a name that is there already", NULL);
    expect("{\"_sd\":[\"%1\",\"%2\"]}", PARTS("[\"s\",\"b\",1]", "[\"t\",\"b\",2]"), FM_E_INPUT,
           "a name that is there already", NULL);
    expect("{\"_sd\":\"x\"}", NONE, FM_E_INPUT, "stands where it must not", NULL);
    expect("{\"_sd\":[1]}", NONE, FM_E_INPUT, "a digest must be a string", NULL);
    expect("{\"...\":\"x\"}", NONE, FM_E_INPUT, "stands where it must not", NULL);
    expect("{\"a\":[{\"...\":\"x\",\"b\":1}]}", NONE, FM_E_INPUT, "no other member", NULL);
    expect("{\"a\":[{\"...\":1}]}", NONE, FM_E_INPUT, "a digest must be a string", NULL);
    expect("{\"a\":{\"_sd_alg\":\"sha-256\"}}", NONE, FM_E_INPUT, "stands where it must not", NULL);
    expect("{\"_sd\":[\"%1\"]}", PARTS("[\"s\",\"b\",{\"_sd_alg\":\"sha-256\"}]"), FM_E_INPUT,
           "/b: '_sd', '_sd_alg' or", NULL);
    expect("{\"_sd\":[\"%1\"]}", PARTS("[\"s\",\"b\",[1.50,1e0,null]]"), FM_OK, "",
           "{\"b\":[1.5,1,null]}");
    expect("{\"_sd\":[\"%1\"]}", PARTS("[\"s\",\"b\",{\"c\":1,\"c\":2}]"), FM_E_INPUT, "duplicate",
           NULL);
}

/* Each Disclosure holds the next one's digest: no deeper than any JSON here. */
static void nesting(void **state)
{
    char contents[40][120];
    const char *chosen[41] = {NULL};
    struct base_err err = {0};

    (void)state;
    (void)snprintf(contents[0], sizeof contents[0], "[\"s\",\"a\",1]");
    chosen[0] = contents[0];
    for (size_t i = 1; i < 40; i++) {
        struct base_buf digest = {0}, part = {0};
        base_base64url(&part, (const uint8_t *)contents[i - 1], strlen(contents[i - 1]));
        assert_int_equal(
            credential_sd_digest(&digest, base_buf_cstr(&part), part.len, DID_DIGEST_SHA256, &err),
            FM_OK);
        (void)snprintf(contents[i], sizeof contents[i], "[\"s\",\"a\",{\"_sd\":[\"%s\"]}]",
                       base_buf_cstr(&digest));
        base_buf_release(&part);
        base_buf_release(&digest);
        chosen[i] = contents[i];
        if (i == BASE_JSON_MAX_DEPTH - 1) {
            char claims[] = "{\"_sd\":[\"%_\"]}";
            claims[10] = (char)('1' + i);
            expect(claims, chosen, FM_OK, "", NULL);
        }
    }
    chosen[40] = NULL;
    expect("{\"_sd\":[\"%X\"]}", chosen, FM_E_INPUT, "nested deeper than 32 levels", NULL);
}

static void forms(void **state)
{
    static const struct {
        const char *text, *say;
    } wrong[] = {
        {"", "not an SD-JWT"},
        {"e30.e30.AA", "not an SD-JWT"},
        {"e30.e30.AA~~", "Disclosure 1: not base64url"},
        {"e30.e30.AA~e30=~", "Disclosure 1: not base64url"},
        {"e30.e30.AA~WyJzIl0~e30~", "Disclosure 2: must be an array"},
    };
    struct base_buf many = {0};
    struct credential_sd sd;
    struct base_err err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        tools_expect(credential_sd_split(&sd, wrong[i].text, &err), FM_E_INPUT, &err, wrong[i].say);
    base_buf_put_str(&many, "e30.e30.AA~");
    for (size_t i = 0; i <= CREDENTIAL_SD_PARTS_MAX; i++)
        base_buf_put_str(&many, "WyJzIl0~");
    tools_expect(credential_sd_split(&sd, base_buf_cstr(&many), &err), FM_E_LIMIT, &err,
                 "more than 1024 Disclosures");
    base_buf_release(&many);
    tools_expect(credential_sd_split(&sd, "e30.e30.AA~WyJzIl0~x.y.z", &err), FM_OK, &err, "");
    assert_string_equal(sd.jwt, "e30.e30.AA");
    assert_string_equal(sd.binding, "x.y.z");
    assert_int_equal(sd.bound_len, strlen("e30.e30.AA~WyJzIl0~"));
    credential_sd_release(&sd);
}

/* ---- keys ---- */

static void expect_jwk(const char *text, fm_status wanted, const char *say)
{
    json_t *jwk = json_of(text);
    struct base_err err = {0};
    struct did_key key;

    tools_expect(credential_jwk_read(&key, jwk, DID_RULES_VERSION, &err), wanted, &err, say);
    json_decref(jwk);
}

static void keys(void **state)
{
    const struct did_suite *const suites[] = {did_suite_ed25519(), did_suite_p256(),
                                              did_suite_sm2()};
    struct tools_random rnd;
    struct base_err err = {0};

    (void)state;
    tools_random_init(&rnd, 11);
    for (size_t i = 0; i < 3; i++) {
        struct did_secret *secret;
        struct did_key back;
        json_t *jwk;
        assert_int_equal(did_secret_generate(&secret, suites[i], &rnd.random, &err), FM_OK);
        assert_int_equal(credential_jwk_make(&jwk, did_secret_key(secret), &err), FM_OK);
        back = key_of(jwk);
        assert_true(did_key_equal(&back, did_secret_key(secret)));
        json_decref(jwk);
        did_secret_free(secret);
    }
    /* RFC 8037, appendix A.2 */
    expect_jwk("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"a\","
               "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
               FM_OK, "");
    expect_jwk("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"d\":\"x\","
               "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
               FM_E_INPUT, "holds a secret key");
    expect_jwk("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qY\"}", FM_E_INPUT,
               "'x' must be 32 bytes");
    expect_jwk("{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"11qY\"}", FM_E_UNSUPPORTED,
               "keys of OKP X25519");
    expect_jwk("{\"kty\":\"EC\",\"crv\":\"P-256\","
               "\"x\":\"b28d4MwZMjw8-00CG4xfnn9SLMVMM19SlqZpVb_uNtQ\","
               "\"y\":\"Xv5zWwuoaTgdS6hV43yI6gBwTnjukmFQQnJ_kCxzqk-\"}",
               FM_E_INPUT, "'y' must be");
    expect_jwk("{\"kty\":\"EC\",\"crv\":\"P-256\","
               "\"x\":\"b28d4MwZMjw8-00CG4xfnn9SLMVMM19SlqZpVb_uNtQ\","
               "\"y\":\"Xv5zWwuoaTgdS6hV43yI6gBwTnjukmFQQnJ_kCxzqk0\"}",
               FM_E_AUTH, "no point");
    expect_jwk("[]", FM_E_INPUT, "must be an object");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rfcs_examples),
        cmocka_unit_test(the_rfcs_digest),
        cmocka_unit_test(what_digests_become),
        cmocka_unit_test(rules),
        cmocka_unit_test(nesting),
        cmocka_unit_test(forms),
        cmocka_unit_test(keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
