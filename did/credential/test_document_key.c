/* Keys out of DID documents of others: where a method may stand and be named, and in which forms
 * its key comes; a credential of a did:web under such a key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "did/credential/credential.h"
#include "did/credential/document_key.h"
#include "did/credential/jwk.h"
#include "did/multibase.h"
#include "did/test_tools.h"

#define DID "did:web:university.example"
#define METHOD DID "#k1"

static struct did_secret *secret;
static json_t *document;

static int begin(void **state)
{
    struct tools_random rnd;
    char multikey[DID_MULTIKEY_TEXT];
    struct base_err err = {0};

    (void)state;
    tools_random_init(&rnd, 5);
    assert_int_equal(did_secret_generate(&secret, did_suite_p256(), &rnd.random, &err), FM_OK);
    assert_int_equal(did_multikey_encode(multikey, did_secret_key(secret), &err), FM_OK);
    document =
        json_pack("{s:s, s:[{s:s, s:s, s:s, s:s}], s:[s], s:[]}", "id", DID, "verificationMethod",
                  "id", METHOD, "type", "Multikey", "controller", DID, "publicKeyMultibase",
                  multikey, "assertionMethod", METHOD, "authentication");
    assert_non_null(document);
    return 0;
}

static int end(void **state)
{
    (void)state;
    did_secret_free(secret);
    json_decref(document);
    return 0;
}

static json_t *method_of(void)
{
    return json_array_get(json_object_get(document, "verificationMethod"), 0);
}

static void expect(const char *method, enum did_role role, fm_status wanted, const char *say)
{
    struct base_err err = {0};
    struct did_key key;

    tools_expect(credential_document_key(&key, document, method, role, DID_RULES_VERSION, &err),
                 wanted, &err, say);
    if (wanted == FM_OK)
        assert_true(did_key_equal(&key, did_secret_key(secret)));
}

static void places(void **state)
{
    json_t *method = method_of();

    (void)state;
    expect(METHOD, DID_ROLE_ASSERTION, FM_OK, "");
    expect(METHOD, DID_ROLE_AUTHENTICATION, FM_E_AUTH, "is no key of its document for authent");
    expect(DID "#k2", DID_ROLE_ASSERTION, FM_E_AUTH, "is no key of its document for assertion");
    json_object_set_new(method, "id", json_string("#k1"));
    json_object_set_new(document, "assertionMethod", json_pack("[s]", "#k1"));
    expect(METHOD, DID_ROLE_ASSERTION, FM_OK, "");
    expect("did:web:other.example#k1", DID_ROLE_ASSERTION, FM_E_AUTH, "is no key");
    json_object_set_new(document, "assertionMethod", json_pack("[O]", method)); /* embedded */
    json_object_set_new(document, "verificationMethod", json_array());
    expect(METHOD, DID_ROLE_ASSERTION, FM_OK, "");
    expect(METHOD, DID_ROLE_AUTHENTICATION, FM_E_AUTH, "is no key");
    (void)json_object_del(document, "assertionMethod");
    expect(METHOD, DID_ROLE_ASSERTION, FM_E_AUTH, "is no key");
    (void)json_object_del(document, "id");
    expect(METHOD, DID_ROLE_ASSERTION, FM_E_INPUT, "'id' is missing");
}

static void forms(void **state)
{
    json_t *method = method_of(), *jwk;
    struct base_err err = {0};

    (void)state;
    json_object_set_new(method, "controller", json_string("did:web:other.example"));
    expect(METHOD, DID_ROLE_ASSERTION, FM_E_UNSUPPORTED, "is controlled by did:web:other");
    json_object_set_new(method, "controller", json_string(DID));
    json_object_set_new(method, "publicKeyMultibase", json_string("zx"));
    expect(METHOD, DID_ROLE_ASSERTION, FM_E_INPUT, "");
    (void)json_object_del(method, "publicKeyMultibase");
    expect(METHOD, DID_ROLE_ASSERTION, FM_E_UNSUPPORTED, "has neither");
    assert_int_equal(credential_jwk_make(&jwk, did_secret_key(secret), &err), FM_OK);
    json_object_set_new(method, "publicKeyJwk", jwk);
    expect(METHOD, DID_ROLE_ASSERTION, FM_OK, "");
}

static fm_status find_key(void *ctx, struct did_key *out, const char *method, enum did_role role,
                          struct base_err *err)
{
    (void)ctx;
    return credential_document_key(out, document, method, role, DID_RULES_VERSION, err);
}

static void a_credential(void **state)
{
    const struct did_resolver resolver = {find_key, NULL};
    const struct credential_verifier v = {&resolver, NULL, DID_RULES_VERSION, TOOLS_WHEN};
    json_t *c = json_pack("{s:[s], s:[s], s:{s:i}}", "@context", CREDENTIAL_CONTEXT, "type",
                          "VerifiableCredential", "credentialSubject", "n", 1);
    struct credential_facts facts;
    struct base_err err = {0};

    (void)state;
    tools_expect(credential_issue(c, secret, METHOD, TOOLS_WHEN, &err), FM_OK, &err, "");
    tools_expect(credential_verify(&facts, c, &v, &err), FM_OK, &err, "");
    assert_string_equal(facts.issuer, DID);
    json_object_set_new(json_object_get(c, "credentialSubject"), "n", json_integer(2));
    tools_expect(credential_verify(&facts, c, &v, &err), FM_E_AUTH, &err, "does not match");
    json_decref(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(places, begin, end),
        cmocka_unit_test_setup_teardown(forms, begin, end),
        cmocka_unit_test_setup_teardown(a_credential, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
