/* vc+jwt beside the RFCs' own signatures, and what a JWT may not get away with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "did/credential/jwt.h"
#include "did/key_did.h"
#include "did/test_tools.h"

/* RFC 8037, appendix A: the key's d and x, and the JWS of A.4. */
static const char rfc8037_d[] = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
static const char rfc8037_jws[] =
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

/* RFC 7515, appendix A.3: ES256. */
static const char rfc7515_d[] = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI";
static const char rfc7515_jws[] =
    "eyJhbGciOiJFUzI1NiJ9"
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0"
    "cnVlfQ"
    ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

static void rfc_case(const struct did_suite *suite, const char *d, const char *text,
                     bool is_deterministic)
{
    struct base_buf secret_bytes = {0}, out = {0};
    struct credential_jws jws;
    struct did_secret *secret;
    struct base_err err = {0};

    assert_true(base_unbase64url(&secret_bytes, d, strlen(d)));
    assert_int_equal(did_secret_import(&secret, suite, secret_bytes.p, secret_bytes.len, &err),
                     FM_OK);
    assert_int_equal(credential_jws_split(&jws, text, &err), FM_OK);
    assert_int_equal(did_key_verify(did_secret_key(secret), DID_RULES_VERSION, jws.signature.p,
                                    jws.signature.len, text, jws.signed_len, &err),
                     FM_OK);
    assert_int_equal(credential_jws_sign(&out, jws.header.p, jws.header.len, jws.payload.p,
                                         jws.payload.len, secret, &err),
                     FM_OK);
    if (is_deterministic)
        assert_string_equal(base_buf_cstr(&out), text);
    else
        assert_memory_equal(out.p, text, jws.signed_len);
    credential_jws_release(&jws);
    base_buf_release(&secret_bytes);
    base_buf_release(&out);
    did_secret_free(secret);
}

static void rfcs(void **state)
{
    (void)state;
    rfc_case(did_suite_ed25519(), rfc8037_d, rfc8037_jws, true);
    rfc_case(did_suite_p256(), rfc7515_d, rfc7515_jws, false);
}

/* ---- credentials ---- */

struct issuer {
    struct did_secret *secret;
    char did[DID_KEY_DID_TEXT], method[DID_KEY_METHOD_TEXT];
    struct did_resolver resolver;
    struct credential_verifier verifier;
};

static void issuer_init(struct issuer *w, const struct did_suite *suite)
{
    struct tools_random rnd;
    struct base_err err = {0};

    tools_random_init(&rnd, 4);
    assert_int_equal(did_secret_generate(&w->secret, suite, &rnd.random, &err), FM_OK);
    assert_int_equal(did_key_did_encode(w->did, did_secret_key(w->secret), &err), FM_OK);
    assert_int_equal(did_key_method_encode(w->method, did_secret_key(w->secret), &err), FM_OK);
    w->resolver = (struct did_resolver){did_proof_resolve_did_key, NULL};
    w->verifier = (struct credential_verifier){&w->resolver, NULL, DID_RULES_VERSION, TOOLS_WHEN};
}

static json_t *draft(const char *until)
{
    return json_pack("{s:[s], s:[s], s:s, s:{s:s, s:i}}", "@context", CREDENTIAL_CONTEXT, "type",
                     "VerifiableCredential", "validUntil", until, "credentialSubject", "id",
                     "did:example:a", "n", 1);
}

static void expect(const struct issuer *w, const char *text, fm_status wanted, const char *say)
{
    struct credential_facts facts;
    struct base_err err = {0};
    json_t *found;

    tools_expect(credential_jwt_verify(&facts, &found, text, &w->verifier, &err), wanted, &err,
                 say);
    if (wanted == FM_OK)
        assert_string_equal(facts.issuer, w->did);
    else
        assert_null(found);
    json_decref(found);
}

static void there_and_back(void **state)
{
    const struct did_suite *const suites[2] = {did_suite_ed25519(), did_suite_p256()};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        json_t *c = draft("2030-01-01T00:00:00Z"), *old = draft("2020-01-01T00:00:00Z");
        struct base_buf text = {0}, old_text = {0};
        struct base_err err = {0};
        struct issuer w;
        issuer_init(&w, suites[i]);
        assert_int_equal(credential_jwt_issue(&text, c, w.secret, w.method, &err), FM_OK);
        expect(&w, base_buf_cstr(&text), FM_OK, "");
        for (size_t at = 0; at < text.len; at += 7) { /* any change is noticed */
            char *p = (char *)text.p;
            char kept = p[at];
            struct credential_facts facts;
            json_t *found;
            p[at] = kept == 'A' ? 'B' : 'A';
            assert_true(credential_jwt_verify(&facts, &found, p, &w.verifier, &err) != FM_OK);
            p[at] = kept;
        }
        assert_int_equal(credential_jwt_issue(&old_text, old, w.secret, w.method, &err), FM_OK);
        expect(&w, base_buf_cstr(&old_text), FM_E_INVALID, "not valid after");
        base_buf_release(&text);
        base_buf_release(&old_text);
        json_decref(c);
        json_decref(old);
        did_secret_free(w.secret);
    }
}

/* A JWT whose header is as given, signed well all the same, with a claim beside the credential. */
static void expect_claim(const struct issuer *w, const char *header, const char *name,
                         json_t *value, fm_status wanted, const char *say)
{
    json_t *c = draft("2030-01-01T00:00:00Z");
    struct base_buf payload = {0}, text = {0};
    struct base_err err = {0};

    json_object_set_new(c, "issuer", json_string(w->did));
    if (name != NULL)
        json_object_set_new(c, name, value);
    assert_int_equal(base_json_canonical(&payload, c, &err), FM_OK);
    assert_int_equal(
        credential_jws_sign(&text, header, strlen(header), payload.p, payload.len, w->secret, &err),
        FM_OK);
    expect(w, base_buf_cstr(&text), wanted, say);
    base_buf_release(&payload);
    base_buf_release(&text);
    json_decref(c);
}

static void expect_header(const struct issuer *w, const char *header, fm_status wanted,
                          const char *say)
{
    expect_claim(w, header, NULL, NULL, wanted, say);
}

static void headers(void **state)
{
    char text[512];
    struct issuer w;

    (void)state;
    issuer_init(&w, did_suite_ed25519());
    (void)snprintf(text, sizeof text, "{\"typ\": \"vc+jwt\", \"kid\": \"%s\", \"alg\": \"EdDSA\"}",
                   w.method);
    expect_header(&w, text, FM_OK, "");
    expect_claim(&w, text, "iss", json_string(w.did), FM_OK, "");
    expect_claim(&w, text, "iss", json_string("did:example:x"), FM_E_AUTH, "iss is another");
    expect_claim(&w, text, "exp", json_integer(TOOLS_WHEN + 1), FM_OK, "");
    expect_claim(&w, text, "exp", json_integer(TOOLS_WHEN), FM_E_INVALID, "it expired (exp ");
    expect_claim(&w, text, "nbf", json_integer(TOOLS_WHEN), FM_OK, "");
    expect_claim(&w, text, "nbf", json_integer(TOOLS_WHEN + 1), FM_E_INVALID, "not valid yet");
    expect_claim(&w, text, "exp", json_string("soon"), FM_E_INPUT, "whole seconds");
    (void)snprintf(text, sizeof text, "{\"typ\":\"vc+jwt\",\"kid\":\"%s\",\"alg\":\"none\"}",
                   w.method);
    expect_header(&w, text, FM_E_AUTH, "alg is 'none', but the key is for 'EdDSA'");
    (void)snprintf(text, sizeof text, "{\"typ\":\"vc+jwt\",\"kid\":\"%s\",\"alg\":\"ES256\"}",
                   w.method);
    expect_header(&w, text, FM_E_AUTH, "alg is 'ES256'");
    (void)snprintf(text, sizeof text, "{\"typ\":\"JWT\",\"kid\":\"%s\",\"alg\":\"EdDSA\"}",
                   w.method);
    expect_header(&w, text, FM_E_INPUT, "typ must be 'vc+jwt'");
    (void)snprintf(text, sizeof text,
                   "{\"typ\":\"vc+jwt\",\"kid\":\"%s\",\"alg\":\"EdDSA\",\"crit\":[\"b64\"]}",
                   w.method);
    expect_header(&w, text, FM_E_INPUT, "crit");
    expect_header(&w, "{\"typ\":\"vc+jwt\",\"alg\":\"EdDSA\"}", FM_E_INPUT, "'kid' is missing");
    expect_header(&w, "[]", FM_E_INPUT, "must be an object");
    expect_header(&w, "{", FM_E_INPUT, "JWT header");
    expect(&w, "a.b", FM_E_INPUT, "three parts");
    expect(&w, "a.b.c.d", FM_E_INPUT, "three parts");
    expect(&w, "e30.e30=.AA", FM_E_INPUT, "without padding");
    did_secret_free(w.secret);
}

static void other_issuers_and_suites(void **state)
{
    json_t *c = draft("2030-01-01T00:00:00Z");
    struct base_buf text = {0};
    struct base_err err = {0};
    struct issuer w;

    (void)state;
    issuer_init(&w, did_suite_sm2());
    tools_expect(credential_jwt_issue(&text, c, w.secret, w.method, &err), FM_E_UNSUPPORTED, &err,
                 "sm2-jcs instead");
    did_secret_free(w.secret);
    issuer_init(&w, did_suite_ed25519());
    json_object_set_new(c, "issuer", json_string("did:example:other"));
    tools_expect(credential_jwt_issue(&text, c, w.secret, w.method, &err), FM_E_CONFLICT, &err,
                 "issuer is did:example:other");
    (void)json_object_del(c, "issuer");
    assert_int_equal(credential_issue(c, w.secret, w.method, TOOLS_WHEN, &err), FM_OK);
    tools_expect(credential_jwt_issue(&text, c, w.secret, w.method, &err), FM_E_CONFLICT, &err,
                 "carries a proof already");
    did_secret_free(w.secret);
    base_buf_release(&text);
    json_decref(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfcs),
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(headers),
        cmocka_unit_test(other_issuers_and_suites),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
