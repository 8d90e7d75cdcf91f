/* What verifiers of SD-JWT VCs refuse: what was altered, what was made for another request, and
 * what an issuer or a holder signed against the rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "did/credential/jwt.h"
#include "did/credential/status_list.h"
#include "did/credential/test_sd_fixture.h"

static void expect(const char *text, const struct credential_sd_request *asked, fm_status wanted,
                   const char *say)
{
    struct credential_sd_facts facts;
    struct base_err err = {0};
    json_t *claims;

    tools_expect(credential_sd_verify(&facts, &claims, text, asked, &verifier, &err), wanted, &err,
                 say);
    assert_true((claims != NULL) == (wanted == FM_OK));
    assert_true(wanted == FM_OK || (facts.common.issuer == NULL && !facts.is_bound));
    json_decref(claims);
}

/* The text without its first Disclosure. */
static void drop_one(struct base_buf *out, const char *text)
{
    const char *tilde = strchr(text, '~');

    base_buf_put(out, text, (size_t)(tilde - text));
    base_buf_put_str(out, strchr(tilde + 1, '~'));
}

/* Any character changed, or a part left out: refused. */
static void tampering(void **state)
{
    static const char *const chosen[] = {"/given_name", "/address"};
    const struct did_suite *const suites[] = {did_suite_ed25519(), did_suite_p256(),
                                              did_suite_sm2()};

    (void)state;
    for (size_t k = 0; k < 3; k++) {
        struct person issuer, holder;
        struct base_buf text = {0}, shown = {0}, less = {0};
        char *p;
        person_init(&issuer, suites[k]);
        person_init(&holder, suites[(k + 1) % 3]);
        issue(&text, kyc, &issuer, &holder, 0);
        show(&shown, base_buf_cstr(&text), &holder, chosen, 2);
        expect(base_buf_cstr(&shown), &request, FM_OK, "");
        p = (char *)shown.p;
        for (size_t at = 0; at < shown.len; at += k == 0 ? 3 : 29) {
            struct credential_sd_facts facts;
            struct base_err err = {0};
            char kept = p[at];
            json_t *claims;
            p[at] = kept == 'A' ? 'B' : 'A';
            assert_true(credential_sd_verify(&facts, &claims, p, &request, &verifier, &err) !=
                        FM_OK);
            p[at] = kept;
        }
        drop_one(&less, p);
        expect(base_buf_cstr(&less), &request, FM_E_AUTH, "sd_hash");
        base_buf_release(&less);
        base_buf_release(&text);
        base_buf_release(&shown);
        did_secret_free(issuer.secret);
        did_secret_free(holder.secret);
    }
}

static void what_verifiers_ask(void **state)
{
    const struct credential_sd_request other_nonce = {"n 2", VERIFIER},
                                       other_verifier = {NONCE, "https://other.example"};
    struct person issuer, holder;
    struct base_buf text = {0}, shown = {0}, free_text = {0};

    (void)state;
    person_init(&issuer, did_suite_ed25519());
    person_init(&holder, did_suite_ed25519());
    issue(&text, kyc, &issuer, &holder, 0);
    issue(&free_text, kyc, &issuer, NULL, 0);
    show(&shown, base_buf_cstr(&text), &holder, NULL, 0);
    expect(base_buf_cstr(&shown), &request, FM_OK, "");
    expect(base_buf_cstr(&text), NULL, FM_OK, "");
    expect(base_buf_cstr(&free_text), NULL, FM_OK, "");
    expect(base_buf_cstr(&shown), NULL, FM_E_ARG, "it is a presentation");
    expect(base_buf_cstr(&text), &request, FM_E_AUTH, "did not sign for this request");
    expect(base_buf_cstr(&free_text), &request, FM_E_AUTH, "cnf is missing");
    expect(base_buf_cstr(&shown), &other_nonce, FM_E_AUTH, "nonce is not the one");
    expect(base_buf_cstr(&shown), &other_verifier, FM_E_AUTH, "aud is 'https://verifier.example'");
    verifier.now_s = TOOLS_WHEN + CREDENTIAL_SD_PAST_S;
    expect(base_buf_cstr(&shown), &request, FM_OK, "");
    verifier.now_s++;
    expect(base_buf_cstr(&shown), &request, FM_E_INVALID, "not within the last 3600 s");
    verifier.now_s = TOOLS_WHEN - CREDENTIAL_SD_AHEAD_S;
    expect(base_buf_cstr(&shown), &request, FM_OK, "");
    verifier.now_s--;
    expect(base_buf_cstr(&shown), &request, FM_E_INVALID, "not within");
    verifier.now_s = 1895168260;
    expect(base_buf_cstr(&text), NULL, FM_E_INVALID, "it expired (exp 1895168260)");
    verifier.now_s--;
    expect(base_buf_cstr(&text), NULL, FM_OK, "");
    base_buf_release(&text);
    base_buf_release(&free_text);
    base_buf_release(&shown);
    did_secret_free(issuer.secret);
    did_secret_free(holder.secret);
}

/* ---- what an issuer could sign, and a verifier must refuse ---- */

/* Signs any header, with %s for the method, and claims, with %1 for the digest of a Disclosure. */
static void forge(struct base_buf *out, const struct person *by, const char *header,
                  const char *claims, const char *disclosed)
{
    char head[512], body[2048];
    struct base_buf part = {0}, digest = {0};
    struct base_err err = {0};

    base_base64url(&part, (const uint8_t *)disclosed, strlen(disclosed));
    assert_int_equal(
        credential_sd_digest(&digest, base_buf_cstr(&part), part.len, DID_DIGEST_SHA256, &err),
        FM_OK);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)snprintf(head, sizeof head, header, by->method);
    (void)snprintf(body, sizeof body, claims, by->did, base_buf_cstr(&digest));
#pragma GCC diagnostic pop
    assert_int_equal(
        credential_jws_sign(out, head, strlen(head), body, strlen(body), by->secret, &err), FM_OK);
    base_buf_put_u8(out, '~');
    if (disclosed[0] != '\0')
        base_buf_putf(out, "%s~", base_buf_cstr(&part));
    base_buf_release(&part);
    base_buf_release(&digest);
}

static void expect_forged(const struct person *by, const char *header, const char *claims,
                          const char *disclosed, fm_status wanted, const char *say)
{
    struct base_buf text = {0};

    forge(&text, by, header, claims, disclosed);
    expect(base_buf_cstr(&text), NULL, wanted, say);
    base_buf_release(&text);
}

#define HEADER "{\"alg\":\"EdDSA\",\"kid\":\"%s\",\"typ\":\"dc+sd-jwt\"}"

static void what_issuers_cannot_sign(void **state)
{
    struct person p;

    (void)state;
    person_init(&p, did_suite_ed25519());
    expect_forged(&p, HEADER, "{\"vct\":\"t\",\"iss\":\"%s\"}", "", FM_OK, "");
    expect_forged(&p, HEADER, "{\"vct\":\"t\",\"iss\":\"%s\",\"_sd\":[\"%s\"]}",
                  "[\"s\",\"iat\",1]", FM_OK, "");
    expect_forged(&p, HEADER, "{\"vct\":\"t\",\"iss\":\"%s\",\"_sd\":[\"%s\"]}",
                  "[\"s\",\"exp\",9999999999]", FM_E_INPUT, "claim 'exp' must not be hidden");
    expect_forged(&p, HEADER, "{\"vct\":\"t\",\"iss\":\"%s\",\"cnf\":{\"_sd\":[\"%s\"]}}",
                  "[\"s\",\"jwk\",{}]", FM_E_INPUT, "claim 'cnf' must not be hidden");
    expect_forged(&p, HEADER, "{\"iss\":\"%s\",\"_sd\":[\"%s\"]}", "[\"s\",\"vct\",\"t\"]",
                  FM_E_INPUT, "claim 'vct' must not be hidden");
    expect_forged(&p, HEADER, "{\"vct\":\"t\"}", "", FM_E_INPUT, "'iss' is missing");
    expect_forged(&p, HEADER, "{\"vct\":\"t\",\"iss\":\"did:example:x\"}", "", FM_E_AUTH,
                  "iss is did:example:x, but did:key:");
    expect_forged(&p, HEADER, "{\"iss\":\"%s\"}", "", FM_E_INPUT, "'vct' is missing");
    expect_forged(&p, HEADER, "{\"vct\":\"t\",\"iss\":\"%s\",\"nbf\":9999999999}", "", FM_E_INVALID,
                  "not valid yet");
    expect_forged(&p, HEADER, "{\"vct\":\"t\",\"iss\":\"%s\",\"exp\":1}", "", FM_E_INVALID,
                  "it expired");
    expect_forged(&p, HEADER, "{\"vct\":\"t\",\"iss\":\"%s\",\"status\":{\"status_list\":{}}}", "",
                  FM_E_UNSUPPORTED, "Token Status Lists");
    expect_forged(&p, HEADER, "{\"vct\":\"t\",\"iss\":\"%s\",\"cnf\":{\"kid\":\"x\"}}", "",
                  FM_E_UNSUPPORTED, "cnf must have");
    expect_forged(&p, HEADER, "{\"vct\":\"t\",\"iss\":\"%s\",\"_sd_alg\":\"md5\"}", "",
                  FM_E_UNSUPPORTED, "_sd_alg is 'md5'");
    expect_forged(&p, HEADER, "[]", "", FM_E_INPUT, "must be a JSON object");
    expect_forged(&p, "{\"alg\":\"none\",\"kid\":\"%s\",\"typ\":\"dc+sd-jwt\"}",
                  "{\"vct\":\"t\",\"iss\":\"%s\"}", "", FM_E_AUTH, "alg is 'none'");
    expect_forged(&p, "{\"alg\":\"EdDSA\",\"kid\":\"%s\",\"typ\":\"vc+jwt\"}",
                  "{\"vct\":\"t\",\"iss\":\"%s\"}", "", FM_E_INPUT, "typ must be 'dc+sd-jwt'");
    expect_forged(&p, "{\"alg\":\"EdDSA\",\"kid\":\"%s\",\"typ\":\"dc+sd-jwt\",\"crit\":[]}",
                  "{\"vct\":\"t\",\"iss\":\"%s\"}", "", FM_E_INPUT, "crit");
    did_secret_free(p.secret);
}

/* What judges a credential, hidden in a way that shows in no Disclosure; what is no entry at all;
 * text that could pass for a verifier's own lines. */
static void what_would_pass_unseen(void **state)
{
    static const struct {
        const char *claims, *say;
    } cases[] = {
        {"\"credentialStatus\":[{\"...\":\"%s\"}]", "'credentialStatus' must not be hidden"},
        {"\"credentialSchema\":[{\"...\":\"%s\"}]", "'credentialSchema' must not be hidden"},
        {"\"credentialStatus\":{\"type\":\"x\",\"a\":[{\"_sd\":[\"%s\"]}]}", "must not be hidden"},
        {"\"cnf\":{\"_sd\":[\"%s\"]}", "'cnf' must not be hidden"},
        {"\"aka_vcts\":[\"b\",{\"...\":\"%s\"}]", "'aka_vcts' must not be hidden"},
        {"\"credentialStatus\":\"https://example.org/1\"", "credentialStatus must be an object"},
        {"\"credentialStatus\":[]", "credentialStatus must be an object"},
        {"\"credentialStatus\":[{\"type\":\"t\"},1]", "credentialStatus must be an object"},
        {"\"credentialSchema\":\"urn:x:y\"", "credentialSchema must be an object"},
        {"\"credentialSchema\":[\"urn:x:y\"]", "credentialSchema must be an object"},
        {"\"a\\nvalid\":1", "name has control characters"},
        {"\"\\u007f\":1", "name has control characters"},
        {"\"aka_vcts\":[\"b\"],\"vct\":\"t\\u001b[2J\"", "vct has control characters"},
    };
    struct person p;

    (void)state;
    person_init(&p, did_suite_ed25519());
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *vct = strstr(cases[i].claims, "\"vct\"") == NULL ? "\"vct\":\"t\"," : "";
        char claims[512];
        (void)snprintf(claims, sizeof claims, "{%s\"iss\":\"%%s\",%s}", vct, cases[i].claims);
        expect_forged(&p, HEADER, claims, "", FM_E_INPUT, cases[i].say);
    }
    did_secret_free(p.secret);
}

/* A claim's name does not choose which part of a schema is asked. */
static void schemas_are_of_the_claims(void **state)
{
    static const char claims[] =
        "{\"vct\":\"t\",\"iss\":\"%s\",\"credentialSubject\":{\"level\":\"basic\"},\"level\":"
        "\"made up\",\"credentialSchema\":{\"type\":\"JsonSchema\",\"id\":"
        "\"urn:firmiana:schema:person-identity:1\"}}";
    struct person p;

    (void)state;
    person_init(&p, did_suite_ed25519());
    expect_forged(&p, HEADER, claims, "", FM_E_INVALID, "/level is none of the values");
    did_secret_free(p.secret);
}

/* Key Binding that the holder signed, but not as it must be. */
static void expect_binding(const char *header, const char *claims, fm_status wanted,
                           const char *say)
{
    struct person issuer, holder;
    struct base_buf text = {0}, hash = {0};
    struct base_err err = {0};
    char body[512];

    person_init(&issuer, did_suite_ed25519());
    person_init(&holder, did_suite_ed25519());
    issue(&text, kyc, &issuer, &holder, 0);
    assert_int_equal(
        credential_sd_digest(&hash, base_buf_cstr(&text), text.len, DID_DIGEST_SHA256, &err),
        FM_OK);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)snprintf(body, sizeof body, claims, base_buf_cstr(&hash));
#pragma GCC diagnostic pop
    assert_int_equal(
        credential_jws_sign(&text, header, strlen(header), body, strlen(body), holder.secret, &err),
        FM_OK);
    expect(base_buf_cstr(&text), &request, wanted, say);
    base_buf_release(&text);
    base_buf_release(&hash);
    did_secret_free(issuer.secret);
    did_secret_free(holder.secret);
}

#define BOUND "{\"alg\":\"EdDSA\",\"typ\":\"kb+jwt\"}"
#define SAID "\"nonce\":\"n 1\",\"aud\":\"https://verifier.example\",\"iat\":1795168260"

static void what_holders_cannot_sign(void **state)
{
    (void)state;
    expect_binding(BOUND, "{\"sd_hash\":\"%s\"," SAID "}", FM_OK, "");
    expect_binding(BOUND, "{\"sd_hash\":\"%s\"," SAID ",\"exp\":1795168260}", FM_E_INVALID,
                   "it expired");
    expect_binding(BOUND, "{\"sd_hash\":\"x%s\"," SAID "}", FM_E_AUTH,
                   "Key Binding: sd_hash is of another");
    expect_binding(BOUND, "{" SAID "}", FM_E_INPUT, "'sd_hash' is missing");
    expect_binding(BOUND, "{\"sd_hash\":\"%s\",\"nonce\":\"n 1\",\"iat\":1795168260}", FM_E_INPUT,
                   "'aud' is missing");
    expect_binding(BOUND, "{\"sd_hash\":\"%s\",\"nonce\":\"n 1\",\"aud\":[],\"iat\":1}", FM_E_INPUT,
                   "'aud' must be a string");
    expect_binding("{\"alg\":\"none\",\"typ\":\"kb+jwt\"}", "{\"sd_hash\":\"%s\"," SAID "}",
                   FM_E_AUTH, "alg is 'none'");
    expect_binding("{\"alg\":\"EdDSA\",\"typ\":\"JWT\"}", "{\"sd_hash\":\"%s\"," SAID "}",
                   FM_E_INPUT, "typ must be 'kb+jwt'");
    expect_binding("{\"alg\":\"EdDSA\",\"typ\":\"kb+jwt\",\"crit\":[]}",
                   "{\"sd_hash\":\"%s\"," SAID "}", FM_E_INPUT, "crit");
    expect_binding("[]", "{\"sd_hash\":\"%s\"," SAID "}", FM_E_INPUT, "");
    expect_binding(BOUND, "[]", FM_E_INPUT, "");
}

/* ---- status ---- */

static json_t *status_list;

static fm_status give_list(void *ctx, json_t **out, const char *id, struct base_err *err)
{
    (void)ctx;
    (void)id;
    (void)err;
    *out = json_incref(status_list);
    return FM_OK;
}

static void revocation(void **state)
{
    static const char list_id[] = "https://example.org/1";
    static const struct credential_lists lists = {give_list, NULL};
    struct credential_bits bits;
    struct base_buf text = {0};
    struct base_err err = {0};
    struct person issuer;
    json_t *claims = claims_of("{\"vct\":\"t\",\"a\":1}"), *entry;
    const struct credential_sd_wish wish = {(const char *const[]){"/a"}, 1, 0};

    (void)state;
    person_init(&issuer, did_suite_ed25519());
    assert_int_equal(credential_status_entry(&entry, list_id, "revocation", 5, &err), FM_OK);
    json_object_set_new(claims, "credentialStatus", entry);
    assert_int_equal(credential_sd_issue(&text, claims, &wish, NULL, issuer.secret, issuer.method,
                                         TOOLS_WHEN, &rnd.random, &err),
                     FM_OK);
    expect(base_buf_cstr(&text), NULL, FM_E_NOT_FOUND, "is not at hand");
    assert_int_equal(credential_bits_make(&bits, CREDENTIAL_STATUS_MIN, &err), FM_OK);
    verifier.lists = &lists;
    for (int set = 0; set < 2; set++) {
        credential_bits_set(&bits, 5, set == 1);
        assert_int_equal(credential_status_list(&status_list, list_id, issuer.did, "revocation",
                                                &bits, TOOLS_WHEN, &err),
                         FM_OK);
        assert_int_equal(
            credential_issue(status_list, issuer.secret, issuer.method, TOOLS_WHEN, &err), FM_OK);
        expect(base_buf_cstr(&text), NULL, set == 1 ? FM_E_INVALID : FM_OK,
               set == 1 ? "revoked by its issuer" : "");
        json_decref(status_list);
    }
    credential_bits_release(&bits);
    base_buf_release(&text);
    json_decref(claims);
    did_secret_free(issuer.secret);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(tampering, begin),
        cmocka_unit_test_setup(what_verifiers_ask, begin),
        cmocka_unit_test_setup(what_issuers_cannot_sign, begin),
        cmocka_unit_test_setup(what_would_pass_unseen, begin),
        cmocka_unit_test_setup(schemas_are_of_the_claims, begin),
        cmocka_unit_test_setup(what_holders_cannot_sign, begin),
        cmocka_unit_test_setup(revocation, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
