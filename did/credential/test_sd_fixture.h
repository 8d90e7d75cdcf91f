/* What the tests of SD-JWT VCs share: an issuer and a holder, a credential with much to hide, and
 * the verifier that asks. Include after cmocka.h. */
#ifndef FIRMIANA_DID_CREDENTIAL_TEST_SD_FIXTURE_H
#define FIRMIANA_DID_CREDENTIAL_TEST_SD_FIXTURE_H

#include "base/json.h"
#include "did/credential/sd_vc.h"
#include "did/test_tools.h"

#define NONCE "n 1"
#define VERIFIER "https://verifier.example"

static struct tools_random rnd;
static const struct credential_sd_request request = {NONCE, VERIFIER};

struct person {
    struct did_secret *secret;
    char did[DID_KEY_DID_TEXT], method[DID_KEY_METHOD_TEXT];
};

static void person_init(struct person *p, const struct did_suite *suite)
{
    struct base_err err = {0};

    assert_int_equal(did_secret_generate(&p->secret, suite, &rnd.random, &err), FM_OK);
    assert_int_equal(did_key_did_encode(p->did, did_secret_key(p->secret), &err), FM_OK);
    assert_int_equal(did_key_method_encode(p->method, did_secret_key(p->secret), &err), FM_OK);
}

static const struct did_resolver resolver = {did_proof_resolve_did_key, NULL};
static struct credential_verifier verifier = {&resolver, NULL, DID_RULES_VERSION, TOOLS_WHEN};

static int begin(void **state)
{
    (void)state;
    tools_random_init(&rnd, 77);
    verifier.lists = NULL;
    verifier.now_s = TOOLS_WHEN;
    return 0;
}

static const char kyc[] =
    "{\"vct\":\"https://example.org/kyc\",\"given_name\":\"Li\",\"family_name\":\"Wei\","
    "\"address\":{\"street\":\"1 Wutong Rd\",\"city\":\"Shanghai\",\"geo\":{\"n\":31,\"e\":121}},"
    "\"nationalities\":[\"CN\",\"FR\",[\"x\",{\"y\":1}]],\"odd/~name\":true,\"exp\":1895168260}";

static const char *const hidden[] = {
    "/given_name",      "/address/street",    "/address/geo/n", "/address/geo", "/address",
    "/nationalities/*", "/nationalities/2/1", "/nationalities", "/odd~1~0name",
};
#define HIDDEN (sizeof hidden / sizeof hidden[0])

static json_t *claims_of(const char *text)
{
    struct base_err err = {0};
    json_t *claims;

    assert_int_equal(base_json_parse(&claims, text, strlen(text), &err), FM_OK);
    return claims;
}

static void issue(struct base_buf *out, const char *claims_text, const struct person *issuer,
                  const struct person *holder, size_t decoys)
{
    const struct credential_sd_wish wish = {hidden, HIDDEN, decoys};
    json_t *claims = claims_of(claims_text);
    struct base_err err = {0};

    tools_expect(credential_sd_issue(out, claims, &wish,
                                     holder == NULL ? NULL : did_secret_key(holder->secret),
                                     issuer->secret, issuer->method, TOOLS_WHEN, &rnd.random, &err),
                 FM_OK, &err, "");
    json_decref(claims);
}

static void show(struct base_buf *out, const char *text, const struct person *holder,
                 const char *const *chosen, size_t count)
{
    struct base_err err = {0};

    tools_expect(
        credential_sd_present(out, text, chosen, count, holder->secret, &request, TOOLS_WHEN, &err),
        FM_OK, &err, "");
}

#endif
