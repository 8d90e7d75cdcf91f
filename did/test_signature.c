#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "did/key_did.h"
#include "did/signature.h"
#include "did/test_fixture.h"

static const struct did_signature_document contract = {
    .name = "contract.pdf", .size = 12, .sha256 = {1, 2}, .sm3 = {3, 4}};
static struct did_secret *person, *stranger;
static char person_did[DID_KEY_DID_TEXT], person_method[DID_KEY_METHOD_TEXT];

/* ---- a world: the member of the fixture, and a person ---- */

static fm_status world_key(void *ctx, struct did_key *out, const char *method, enum did_role role,
                           struct base_err *err)
{
    struct did_resolver by_document = did_document_resolver(member.doc);

    (void)ctx;
    if (strncmp(method, "did:key:", 8) == 0)
        return did_proof_resolve_did_key(NULL, out, method, role, err);
    return by_document.key(by_document.ctx, out, method, role, err);
}

static fm_status world_threshold(void *ctx, size_t *out, const char *did, struct base_err *err)
{
    (void)ctx;
    (void)err;
    assert_string_equal(did, did_document_id(member.doc));
    *out = did_document_threshold(member.doc);
    return FM_OK;
}

static const struct did_signature_keys world = {{world_key, NULL}, world_threshold};

static json_t *record_of(bool in_order)
{
    json_t *signers = json_pack("[s, s]", did_document_id(member.doc), person_did), *record;
    struct base_err err = {0};

    if (did_signature_new(&record, &contract, signers, in_order, "to be kept", &err) != FM_OK)
        fail_msg("%s", err.text);
    json_decref(signers);
    return record;
}

static void sign(json_t *record, const struct did_secret *secret, enum did_role role)
{
    struct base_err err = {0};
    const char *method = secret == person ? person_method : tools_method(member.doc, secret);

    if (did_signature_sign(record, secret, method, role, TOOLS_WHEN, &err) != FM_OK)
        fail_msg("%s", err.text);
}

static void expect_missing(const json_t *record, size_t missing)
{
    struct did_signature_report report;
    struct base_err err = {0};

    if (did_signature_verify(&report, record, &world, DID_RULES_VERSION, &err) != FM_OK)
        fail_msg("%s", err.text);
    assert_int_equal(report.missing, missing);
}

static void expect_refusal(const json_t *record, fm_status code, const char *text)
{
    struct did_signature_report report;
    struct base_err err = {0};

    tools_expect(did_signature_verify(&report, record, &world, DID_RULES_VERSION, &err), code, &err,
                 text);
}

/* ---- who signs ---- */

static void test_each_on_his_own(void **state)
{
    json_t *record = record_of(false);
    struct did_signature_report report;
    struct base_err err = {0};

    (void)state;
    expect_missing(record, 2);
    sign(record, person, DID_ROLE_ASSERTION);
    expect_missing(record, 1);
    sign(record, member.officer[2], DID_ROLE_INVOCATION);
    expect_missing(record, 1); /* two officers must */
    sign(record, member.officer[0], DID_ROLE_INVOCATION);
    assert_int_equal(did_signature_verify(&report, record, &world, DID_RULES_VERSION, &err), FM_OK);
    assert_int_equal(report.missing, 0);
    assert_int_equal(report.signer[0].officers, 2);
    assert_int_equal(report.signer[0].threshold, 2);
    assert_false(report.signer[0].by_key);
    assert_true(report.signer[1].by_key);
    assert_string_equal(report.document.name, "contract.pdf");
    assert_string_equal(report.purpose, "to be kept");
    sign(record, member.officer[1], DID_ROLE_INVOCATION);
    expect_refusal(record, FM_E_INVALID, "had signed already");
    json_decref(record);
}

static void test_node_counts_alone(void **state)
{
    json_t *record = record_of(false);

    (void)state;
    sign(record, member.officer[1], DID_ROLE_INVOCATION);
    sign(record, member.node, DID_ROLE_ASSERTION);
    expect_missing(record, 1);
    sign(record, person, DID_ROLE_ASSERTION);
    expect_missing(record, 0);
    json_decref(record);
}

static void test_in_order(void **state)
{
    json_t *record = record_of(true), *turned, *first;

    (void)state;
    sign(record, member.officer[1], DID_ROLE_INVOCATION);
    sign(record, member.officer[0], DID_ROLE_INVOCATION);
    sign(record, person, DID_ROLE_ASSERTION);
    expect_missing(record, 0);
    turned = json_deep_copy(record); /* what came later is over what came before */
    first = json_object_get(turned, "signatures");
    assert_int_equal(json_array_remove(first, 0), 0);
    expect_refusal(turned, FM_E_AUTH, "signature 1");
    json_decref(turned);
    json_decref(record);

    record = record_of(true);
    sign(record, person, DID_ROLE_ASSERTION);
    expect_refusal(record, FM_E_INVALID, "not yet the turn of did:key");
    json_decref(record);
    record = record_of(true);
    sign(record, member.officer[0], DID_ROLE_INVOCATION);
    sign(record, person, DID_ROLE_ASSERTION);
    expect_refusal(record, FM_E_INVALID, "not yet the turn of did:key");
    json_decref(record);
}

static void test_nobody_else(void **state)
{
    json_t *record = record_of(false), *other = record_of(false), *signatures;
    char method[DID_KEY_METHOD_TEXT];
    struct base_err err = {0};

    (void)state;
    assert_int_equal(did_key_method_encode(method, did_secret_key(stranger), &err), FM_OK);
    tools_expect(did_signature_sign(record, stranger, method, DID_ROLE_ASSERTION, TOOLS_WHEN, &err),
                 FM_E_AUTH, &err, "is not one of the signers");
    sign(record, person, DID_ROLE_ASSERTION);
    tools_expect(
        did_signature_sign(record, person, person_method, DID_ROLE_ASSERTION, TOOLS_WHEN, &err),
        FM_E_CONFLICT, &err, "has signed already");
    assert_int_equal(json_array_size(json_object_get(record, "signatures")), 1);

    /* a proof with the right name under the wrong key */
    assert_int_equal(
        did_signature_sign(other, stranger, person_method, DID_ROLE_ASSERTION, TOOLS_WHEN, &err),
        FM_OK);
    expect_refusal(other, FM_E_AUTH, "signature 1");
    /* a proof twice, and a role that its key lacks */
    signatures = json_object_get(record, "signatures");
    (void)json_array_append_new(signatures, json_deep_copy(json_array_get(signatures, 0)));
    expect_refusal(record, FM_E_INVALID, "signed twice");
    json_decref(other);
    other = record_of(false);
    sign(other, member.node, DID_ROLE_INVOCATION);
    expect_refusal(other, FM_E_AUTH, "capabilityInvocation");
    json_decref(other);
    other = record_of(false);
    sign(other, member.channel, DID_ROLE_AUTHENTICATION);
    expect_refusal(other, FM_E_INPUT, "proofPurpose must be");
    json_decref(other);
    json_decref(record);
}

/* ---- what is signed ---- */

/* Every member that is not a proof, changed: no proof holds any more, or the form is refused. */
static void test_nothing_may_change(void **state)
{
    static const struct {
        const char *member, *inner, *value;
    } change[] = {
        {"document", "name", "\"other.pdf\""},
        {"document", "size", "13"},
        {"document", "sha256", NULL},
        {"document", "sm3", NULL},
        {"in_order", NULL, "true"},
        {"purpose", NULL, "\"to be burnt\""},
        {"version", NULL, "2"},
        {"type", NULL, "\"Signature\""},
        {"signers", NULL, "[]"},
        {"extra", NULL, "1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof change / sizeof *change; i++) {
        json_t *record = record_of(false), *target = record, *value;
        struct did_signature_report report;
        struct base_err err = {0};
        const char *name = change[i].inner != NULL ? change[i].inner : change[i].member;
        sign(record, member.node, DID_ROLE_ASSERTION);
        sign(record, person, DID_ROLE_ASSERTION);
        if (change[i].inner != NULL)
            target = json_object_get(record, change[i].member);
        value =
            change[i].value == NULL
                ? json_string("0000000000000000000000000000000000000000000000000000000000000000")
                : json_loads(change[i].value, JSON_DECODE_ANY, NULL);
        assert_int_equal(json_object_set_new(target, name, value), 0);
        if (did_signature_verify(&report, record, &world, DID_RULES_VERSION, &err) == FM_OK)
            fail_msg("%s.%s changed, and valid", change[i].member, name);
        json_decref(record);
    }
}

static void test_signers_may_not_change(void **state)
{
    json_t *record = record_of(false), *signers = json_object_get(record, "signers");
    char did[DID_KEY_DID_TEXT];
    struct base_err err = {0};

    (void)state;
    sign(record, person, DID_ROLE_ASSERTION);
    assert_int_equal(did_key_did_encode(did, did_secret_key(stranger), &err), FM_OK);
    (void)json_array_append_new(signers, json_string(did));
    expect_refusal(record, FM_E_AUTH, "signature 1");
    (void)json_array_remove(signers, 2);
    expect_missing(record, 1);
    (void)json_array_remove(signers, 0); /* who has not signed cannot be left out */
    expect_refusal(record, FM_E_AUTH, "signature 1");
    json_decref(record);
}

static void test_shape(void **state)
{
    struct did_signature_document odd = contract;
    json_t *signers = json_pack("[s]", person_did), *record;
    struct base_err err = {0};
    char name[DID_SIGNATURE_NAME_MAX + 2];

    (void)state;
    odd.name = "two\nlines";
    tools_expect(did_signature_new(&record, &odd, signers, false, NULL, &err), FM_E_INPUT, &err,
                 "control character");
    for (size_t i = 0; i < 3; i++) {
        static const char *const painted[] = {"a\xc2\x9b"
                                              "2J",
                                              "a\xe2\x80\xae"
                                              "b",
                                              "a\xe2\x81\xa6"};
        odd.name = painted[i];
        tools_expect(did_signature_new(&record, &odd, signers, false, NULL, &err), FM_E_INPUT, &err,
                     "control character");
    }
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    odd.name = name;
    tools_expect(did_signature_new(&record, &odd, signers, false, NULL, &err), FM_E_INPUT, &err,
                 "1 to 255 bytes");
    odd.name = "\xff";
    tools_expect(did_signature_new(&record, &odd, signers, false, NULL, &err), FM_E_INPUT, &err,
                 "not UTF-8");
    (void)json_array_append_new(signers, json_string(person_did));
    tools_expect(did_signature_new(&record, &contract, signers, false, NULL, &err), FM_E_INPUT,
                 &err, "signer 2 is signer 1 again");
    (void)json_array_set_new(signers, 1, json_string("bank_b"));
    tools_expect(did_signature_new(&record, &contract, signers, false, NULL, &err), FM_E_INPUT,
                 &err, "signer 2 is not a DID");
    (void)json_array_clear(signers);
    tools_expect(did_signature_new(&record, &contract, signers, false, NULL, &err), FM_E_INPUT,
                 &err, "1 to 32 DIDs");
    assert_null(record);
    json_decref(signers);
}

static int begin(void **state)
{
    struct base_err err = {0};
    int st = setup(state);

    person = tools_secret(&rnd);
    stranger = tools_secret(&rnd);
    return st != 0 || did_key_did_encode(person_did, did_secret_key(person), &err) != FM_OK ||
           did_key_method_encode(person_method, did_secret_key(person), &err) != FM_OK;
}

static int end(void **state)
{
    did_secret_free(person);
    did_secret_free(stranger);
    return teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_on_his_own),
        cmocka_unit_test(test_node_counts_alone),
        cmocka_unit_test(test_in_order),
        cmocka_unit_test(test_nobody_else),
        cmocka_unit_test(test_nothing_may_change),
        cmocka_unit_test(test_signers_may_not_change),
        cmocka_unit_test(test_shape),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
