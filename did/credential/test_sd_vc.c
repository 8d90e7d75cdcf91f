/* SD-JWT VCs from issuer to verifier: what is shown is what was chosen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "did/credential/jwt.h"
#include "did/credential/pointer.h"
#include "did/credential/test_sd_fixture.h"

/* ---- the law ---- */

/* What must be seen of a value at `at`, if these pointers were hidden and those chosen: written
 * beside the product's way, from the claims alone. NULL: nothing. */
static bool is_chosen(const char *at, const char *const *chosen, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (credential_pointer_within(at, chosen[i]) || credential_pointer_within(chosen[i], at))
            return true;
    return false;
}

static json_t *seen(const json_t *value, struct base_buf *at, const char *const *chosen,
                    size_t count)
{
    size_t len = at->len, i;
    const json_t *below;
    const char *name;
    bool is_hidden = false;
    json_t *out;

    for (i = 0; i < HIDDEN; i++)
        is_hidden |= strcmp(hidden[i], base_buf_cstr(at)) == 0;
    is_hidden |= strncmp(base_buf_cstr(at), "/nationalities/", 15) == 0 && at->len == 16;
    if (is_hidden && !is_chosen(base_buf_cstr(at), chosen, count))
        return NULL;
    out = json_is_object(value) ? json_object() : json_is_array(value) ? json_array() : NULL;
    if (out == NULL)
        return json_incref((json_t *)(uintptr_t)value);
    json_object_foreach((json_t *)(uintptr_t)value, name, below)
    {
        json_t *one;
        credential_pointer_put(at, name);
        if ((one = seen(below, at, chosen, count)) != NULL)
            json_object_set_new(out, name, one);
        at->len = len;
    }
    json_array_foreach(value, i, below)
    {
        json_t *one;
        credential_pointer_put_index(at, i);
        if ((one = seen(below, at, chosen, count)) != NULL)
            json_array_append_new(out, one);
        at->len = len;
    }
    return out;
}

/* The credential's other claims are what issuing adds. */
static void expect_seen(const json_t *got, const char *const *chosen, size_t count)
{
    json_t *whole = claims_of(kyc), *right, *copy = json_deep_copy(got);
    struct base_buf at = {0};

    right = seen(whole, &at, chosen, count);
    assert_non_null(json_object_get(copy, "cnf"));
    (void)json_object_del(copy, "cnf");
    (void)json_object_del(copy, "iss");
    (void)json_object_del(copy, "iat");
    if (!json_equal(copy, right))
        fail_msg("%s\n%s", json_dumps(copy, JSON_SORT_KEYS), json_dumps(right, JSON_SORT_KEYS));
    base_buf_release(&at);
    json_decref(whole);
    json_decref(right);
    json_decref(copy);
}

/* Any subset of what there is to show, and for a word that was not chosen: it is not in the text.
 */
static void every_choice(const struct did_suite *suite, size_t decoys)
{
    static const char *const words[] = {"/given_name",      "/address/street", "/address/geo/n",
                                        "/nationalities/1", "/nationalities",  "/odd~1~0name",
                                        "/family_name"};
    struct base_buf text = {0};
    struct person issuer, holder;

    person_init(&issuer, suite);
    person_init(&holder, suite);
    issue(&text, kyc, &issuer, &holder, decoys);
    for (unsigned set = 0; set < 1u << 7; set++) {
        const char *chosen[7];
        size_t count = 0;
        struct base_buf shown = {0};
        struct credential_sd_facts facts;
        struct base_err err = {0};
        json_t *claims;
        for (size_t i = 0; i < 7; i++)
            if (set >> i & 1)
                chosen[count++] = words[i];
        show(&shown, base_buf_cstr(&text), &holder, chosen, count);
        tools_expect(
            credential_sd_verify(&facts, &claims, base_buf_cstr(&shown), &request, &verifier, &err),
            FM_OK, &err, "");
        expect_seen(claims, chosen, count);
        assert_true(facts.is_bound);
        assert_string_equal(facts.holder, holder.did);
        assert_string_equal(facts.common.issuer, issuer.did);
        assert_string_equal(facts.type, "https://example.org/kyc");
        assert_int_equal(facts.common.valid_until_s, 1895168259);
        json_decref(claims);
        base_buf_release(&shown);
    }
    base_buf_release(&text);
    did_secret_free(issuer.secret);
    did_secret_free(holder.secret);
}

static void what_is_chosen_is_seen(void **state)
{
    (void)state;
    every_choice(did_suite_ed25519(), 0);
    every_choice(did_suite_p256(), 4);
    every_choice(did_suite_sm2(), 2);
}

/* Digests stand in an order that says nothing, and decoys fill up to a multiple. */
static void decoys_and_order(void **state)
{
    struct person issuer;
    struct base_buf text = {0};
    struct credential_jws jws;
    struct base_err err = {0};
    json_t *payload, *digests;
    char *tilde;

    (void)state;
    person_init(&issuer, did_suite_ed25519());
    issue(&text, kyc, &issuer, NULL, 8);
    (void)base_buf_cstr(&text);
    tilde = strchr((char *)text.p, '~');
    *tilde = '\0';
    assert_int_equal(credential_jws_split(&jws, (const char *)text.p, &err), FM_OK);
    payload = claims_of(base_buf_cstr(&jws.payload));
    digests = json_object_get(payload, "_sd");
    assert_int_equal(json_array_size(digests), 8);
    for (size_t i = 1; i < 8; i++)
        assert_true(strcmp(json_string_value(json_array_get(digests, i - 1)),
                           json_string_value(json_array_get(digests, i))) < 0);
    assert_null(json_object_get(payload, "nationalities"));
    assert_null(strstr(base_buf_cstr(&jws.payload), "Shanghai"));
    json_decref(payload);
    credential_jws_release(&jws);
    base_buf_release(&text);
    did_secret_free(issuer.secret);
}

/* ---- holders ---- */

static void what_a_holder_has(void **state)
{
    struct person issuer, holder;
    struct base_buf text = {0}, shown = {0};
    struct base_err err = {0};
    json_t *list, *one;
    size_t i, inside = 0;
    static const char *const nothing[] = {"/nobody"}, *const open_one[] = {"/family_name"};

    (void)state;
    person_init(&issuer, did_suite_ed25519());
    person_init(&holder, did_suite_p256());
    issue(&text, kyc, &issuer, &holder, 4);
    tools_expect(credential_sd_list(&list, base_buf_cstr(&text), &err), FM_OK, &err, "");
    assert_int_equal(json_array_size(list), 11);
    json_array_foreach(list, i, one)
    {
        const char *in = json_string_value(json_object_get(one, "inside"));
        inside += in != NULL;
        if (in != NULL)
            assert_true(
                credential_pointer_within(json_string_value(json_object_get(one, "pointer")), in));
    }
    assert_int_equal(inside, 7);
    json_decref(list);
    tools_expect(credential_sd_present(&shown, base_buf_cstr(&text), nothing, 1, holder.secret,
                                       &request, TOOLS_WHEN, &err),
                 FM_E_NOT_FOUND, &err, "/nobody: the credential has no such claim");
    tools_expect(credential_sd_present(&shown, base_buf_cstr(&text), open_one, 1, issuer.secret,
                                       &request, TOOLS_WHEN, &err),
                 FM_E_AUTH, &err, "only its holder");
    assert_int_equal(shown.len, 0);
    show(&shown, base_buf_cstr(&text), &holder, open_one, 1);
    tools_expect(credential_sd_list(&list, base_buf_cstr(&shown), &err), FM_E_INPUT, &err,
                 "it is a presentation");
    base_buf_release(&text);
    base_buf_release(&shown);
    issue(&text, kyc, &issuer, NULL, 0);
    tools_expect(credential_sd_present(&shown, base_buf_cstr(&text), open_one, 1, holder.secret,
                                       &request, TOOLS_WHEN, &err),
                 FM_E_INPUT, &err, "bound to no holder");
    base_buf_release(&text);
    base_buf_release(&shown);
    did_secret_free(issuer.secret);
    did_secret_free(holder.secret);
}

/* ---- issuers ---- */

static void expect_issue(const char *claims_text, const char *pointer, size_t decoys,
                         fm_status wanted, const char *say)
{
    const struct credential_sd_wish wish = {&pointer, pointer != NULL, decoys};
    json_t *claims = claims_of(claims_text);
    struct base_buf out = {0};
    struct base_err err = {0};
    struct person issuer;

    person_init(&issuer, did_suite_ed25519());
    tools_expect(credential_sd_issue(&out, claims, &wish, did_secret_key(issuer.secret),
                                     issuer.secret, issuer.method, TOOLS_WHEN, &rnd.random, &err),
                 wanted, &err, say);
    base_buf_release(&out);
    json_decref(claims);
    did_secret_free(issuer.secret);
}

static void what_issuers_may_not(void **state)
{
    (void)state;
    expect_issue("{\"vct\":\"t\",\"a\":[1]}", "/a/0", 0, FM_OK, "");
    expect_issue("{\"vct\":\"t\",\"a\":1}", NULL, 0, FM_OK, "");
    expect_issue("{\"a\":1}", NULL, 0, FM_E_INPUT, "'vct' is missing");
    expect_issue("{\"vct\":\"t\",\"aka_vcts\":[\"t\"]}", NULL, 0, FM_E_INPUT, "aka_vcts");
    expect_issue("{\"vct\":\"t\",\"exp\":\"x\"}", NULL, 0, FM_E_INPUT, "exp must be whole seconds");
    expect_issue("{\"vct\":\"t\",\"status\":{}}", NULL, 0, FM_E_UNSUPPORTED, "Token Status Lists");
    expect_issue("{\"vct\":\"t\",\"iss\":\"did:example:x\"}", NULL, 0, FM_E_CONFLICT, "iss is");
    expect_issue("{\"vct\":\"t\",\"cnf\":{}}", NULL, 0, FM_E_CONFLICT, "names a holder already");
    expect_issue("{\"vct\":\"t\"}", "/vct", 0, FM_E_ARG, "/vct: this claim cannot be hidden");
    expect_issue("{\"vct\":\"t\"}", "/cnf/jwk", 0, FM_E_ARG, "cannot be hidden");
    expect_issue("{\"vct\":\"t\"}", "/*", 0, FM_E_ARG, "some claims cannot be hidden");
    expect_issue("{\"vct\":\"t\"}", "", 0, FM_E_ARG, "one by one");
    expect_issue("{\"vct\":\"t\"}", "a", 0, FM_E_ARG, "no JSON Pointer");
    expect_issue("{\"vct\":\"t\",\"a\":{}}", "/a/b~2", 0, FM_E_ARG, "no JSON Pointer");
    expect_issue("{\"vct\":\"t\",\"a\":{}}", "/a/b", 0, FM_E_ARG, "/a/b: no claim is there");
    expect_issue("{\"vct\":\"t\",\"a\":[0]}", "/a/00", 0, FM_E_ARG, "no claim is there");
    expect_issue("{\"vct\":\"t\",\"a\":[{\"_sd\":[]}]}", "/a", 0, FM_E_INPUT, "reserved name");
    expect_issue("{\"vct\":\"t\",\"a\":1}", "/a", 1, FM_E_ARG, "multiple of 2 to 1024");
    expect_issue("{\"vct\":\"t\",\"a\":1}", "/a", 1025, FM_E_ARG, "multiple of 2 to 1024");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_is_chosen_is_seen, begin),
        cmocka_unit_test_setup(decoys_and_order, begin),
        cmocka_unit_test_setup(what_a_holder_has, begin),
        cmocka_unit_test_setup(what_issuers_may_not, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
