#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "did/multibase.h"
#include "did/test_fixture.h"

/* Every way in which a document is not one, each refused by name. */

static void expect_refusal(void (*change)(json_t *doc), fm_status code, const char *text)
{
    tools_expect_refusal(member.doc, change, code, text);
}

static json_t *own(json_t *doc)
{
    return json_object_get(doc, "firmiana");
}

static json_t *list(json_t *doc, const char *name)
{
    return json_object_get(doc, name);
}

static void unknown_member(json_t *doc)
{
    json_object_set_new(doc, "proofs", json_true());
}

static void unknown_own_member(json_t *doc)
{
    json_object_set_new(own(doc), "thresholds", json_integer(2));
}

static void no_context(json_t *doc)
{
    json_array_remove(list(doc, "@context"), 1);
}

static void other_alias(json_t *doc)
{
    json_object_set_new(own(doc), "alias", json_string("bank_b"));
}

static void bad_alias(json_t *doc)
{
    json_object_set_new(own(doc), "alias", json_string("Bank"));
}

static void dangling_reference(json_t *doc)
{
    json_array_remove(list(doc, "verificationMethod"), 0);
}

static void double_reference(json_t *doc)
{
    json_t *roles = list(doc, "authentication");
    json_array_append(roles, json_array_get(roles, 0));
}

static void double_key(json_t *doc)
{
    json_t *methods = list(doc, "verificationMethod");
    json_array_append(methods, json_array_get(methods, 0));
}

static void key_without_role(json_t *doc)
{
    json_array_remove(list(doc, "capabilityInvocation"), 0);
}

static void officer_online(json_t *doc)
{
    json_array_append(list(doc, "authentication"),
                      json_array_get(list(doc, "capabilityInvocation"), 0));
}

static void no_assertion(json_t *doc)
{
    json_array_append(list(doc, "authentication"), json_array_get(list(doc, "assertionMethod"), 0));
    json_array_clear(list(doc, "assertionMethod"));
}

static void high_threshold(json_t *doc)
{
    json_object_set_new(own(doc), "threshold", json_integer(4));
}

static void zero_threshold(json_t *doc)
{
    json_object_set_new(own(doc), "threshold", json_integer(0));
}

static void first_with_previous(json_t *doc)
{
    json_object_set_new(own(doc), "previous", json_object_get(own(doc), "recovery"));
}

static void later_without_previous(json_t *doc)
{
    json_object_set_new(own(doc), "version", json_integer(2));
}

static void foreign_fragment(json_t *doc)
{
    json_t *methods = list(doc, "verificationMethod");
    json_object_set(json_array_get(methods, 0), "publicKeyMultibase",
                    json_object_get(json_array_get(methods, 1), "publicKeyMultibase"));
}

static void foreign_controller(json_t *doc)
{
    json_object_set_new(json_array_get(list(doc, "verificationMethod"), 0), "controller",
                        json_string("did:firmiana:x:y"));
}

static void small_order_key(json_t *doc)
{
    struct base_buf text = {0};
    uint8_t bytes[34] = {0xed, 0x01, 0x01};

    did_multibase_encode(&text, bytes, sizeof bytes);
    json_object_set_new(json_array_get(list(doc, "verificationMethod"), 0), "publicKeyMultibase",
                        json_string(base_buf_cstr(&text)));
    base_buf_release(&text);
}

static void real_number(json_t *doc)
{
    json_object_set_new(own(doc), "threshold", json_real(2.0));
}

static void deep(json_t *doc)
{
    json_t *inner = json_true();

    for (int i = 0; i < 100; i++)
        inner = json_pack("[o]", inner);
    json_object_set_new(doc, "service", inner);
}

static void deactivated_with_keys(json_t *doc)
{
    json_object_set_new(own(doc), "deactivated", json_true());
}

static void put_did(json_t *doc, const char *did)
{
    json_object_set_new(doc, "id", json_string(did));
}

static void id_of_other_method(json_t *doc)
{
    put_did(doc, "did:firmianx:f14231a1a00102030405060708090a0b:"
                 "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKPbdG");
}

static void id_without_chain(json_t *doc)
{
    put_did(doc, "did:firmiana:QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKPbdG");
}

static void id_of_short_chain(json_t *doc)
{
    put_did(doc, "did:firmiana:f14231:QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKPbdG");
}

static void id_of_upper_case_chain(json_t *doc)
{
    put_did(doc, "did:firmiana:F14231A1A00102030405060708090A0B:"
                 "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKPbdG");
}

/* 46 characters, but 13 20 ...: another hash function. */
static void id_of_other_hash(json_t *doc)
{
    put_did(doc, "did:firmiana:f14231a1a00102030405060708090a0b:"
                 "RmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKPbdG");
}

static void id_too_long(json_t *doc)
{
    put_did(doc, "did:firmiana:f14231a1a00102030405060708090a0b:"
                 "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKPbdG1");
}

static void version_zero(json_t *doc)
{
    json_object_set_new(own(doc), "version", json_integer(0));
}

static void negative_threshold(json_t *doc)
{
    json_object_set_new(own(doc), "threshold", json_integer(-1));
}

static void huge_threshold(json_t *doc)
{
    json_object_set_new(own(doc), "threshold", json_integer(33));
}

static void method_is_text(json_t *doc)
{
    json_array_set_new(list(doc, "verificationMethod"), 0, json_string("z6Mk"));
}

static void method_of_other_type(json_t *doc)
{
    json_object_set_new(json_array_get(list(doc, "verificationMethod"), 0), "type",
                        json_string("JsonWebKey"));
}

static void too_many_methods(json_t *doc)
{
    while (json_array_size(list(doc, "verificationMethod")) <= DID_KEYS_MAX)
        json_array_append_new(list(doc, "verificationMethod"), json_true());
}

static void broken_documents_are_refused_by_name(void **state)
{
    (void)state;
    expect_refusal(unknown_member, FM_E_INPUT, "unknown member 'proofs'");
    expect_refusal(unknown_own_member, FM_E_INPUT, "unknown member 'thresholds'");
    expect_refusal(no_context, FM_E_INPUT, "'@context' must be");
    expect_refusal(other_alias, FM_E_INPUT, "does not prove this document");
    expect_refusal(bad_alias, FM_E_INPUT, "alias 'Bank'");
    expect_refusal(dangling_reference, FM_E_INPUT, "authentication[0] names no");
    expect_refusal(double_reference, FM_E_INPUT, "authentication[1] is there twice");
    expect_refusal(double_key, FM_E_INPUT, "verificationMethod[5]: the same key as");
    expect_refusal(key_without_role, FM_E_INPUT, "verificationMethod[2] has no role");
    expect_refusal(officer_online, FM_E_INPUT, "use two keys");
    expect_refusal(no_assertion, FM_E_INPUT, "no key has the role assertionMethod");
    expect_refusal(high_threshold, FM_E_INPUT, "threshold 4 with 3 officers");
    expect_refusal(zero_threshold, FM_E_INPUT, "threshold 0 with 3 officers");
    expect_refusal(first_with_previous, FM_E_INPUT, "no member 'previous'");
    expect_refusal(later_without_previous, FM_E_INPUT, "member 'previous' is missing");
    expect_refusal(foreign_fragment, FM_E_INPUT, "'#' and publicKeyMultibase");
    expect_refusal(foreign_controller, FM_E_INPUT, "controller must be");
    expect_refusal(small_order_key, FM_E_AUTH, "small order");
    expect_refusal(real_number, FM_E_INPUT, "fraction or exponent");
    expect_refusal(deep, FM_E_INPUT, "nested deeper");
    expect_refusal(deactivated_with_keys, FM_E_INPUT, "deactivated: no keys");
    expect_refusal(id_of_other_method, FM_E_INPUT, "is not did:firmiana:<chain>:<id>");
    expect_refusal(id_without_chain, FM_E_INPUT, "is not did:firmiana:<chain>:<id>");
    expect_refusal(id_of_short_chain, FM_E_INPUT, "is not did:firmiana:<chain>:<id>");
    expect_refusal(id_of_upper_case_chain, FM_E_INPUT, "is not did:firmiana:<chain>:<id>");
    expect_refusal(id_of_other_hash, FM_E_INPUT, "is not did:firmiana:<chain>:<id>");
    expect_refusal(id_too_long, FM_E_INPUT, "is not did:firmiana:<chain>:<id>");
    expect_refusal(version_zero, FM_E_INPUT, "version must be 1 or more");
    expect_refusal(negative_threshold, FM_E_INPUT, "threshold must be 0 to 32");
    expect_refusal(huge_threshold, FM_E_INPUT, "threshold must be 0 to 32");
    expect_refusal(method_is_text, FM_E_INPUT, "verificationMethod[0]: must be an object");
    expect_refusal(method_of_other_type, FM_E_INPUT, "type must be 'Multikey'");
    expect_refusal(too_many_methods, FM_E_INPUT, "more than 32 verification methods");
}

static void a_document_is_an_object(void **state)
{
    json_t *array = json_array();
    struct did_document *doc;
    struct base_err err = {0};

    (void)state;
    assert_int_equal(did_document_parse(&doc, array, DID_RULES_VERSION, &err), FM_E_INPUT);
    assert_string_equal(err.text, "DID document: must be a JSON object");
    json_decref(array);
}
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_documents_are_refused_by_name),
        cmocka_unit_test(a_document_is_an_object),
    };
    return cmocka_run_group_tests_name("did refusals", tests, setup, teardown);
}
