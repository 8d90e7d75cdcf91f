#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "did/succession.h"
#include "did/test_fixture.h"

/* A document's services: what is refused, what comes through an update. */

static void expect_refusal(void (*change)(json_t *doc), fm_status code, const char *text)
{
    tools_expect_refusal(member.doc, change, code, text);
}

static json_t *list(json_t *doc, const char *name)
{
    return json_object_get(doc, name);
}

static void put_service(json_t *doc, const char *endpoint)
{
    char id[DID_METHOD_TEXT];

    (void)snprintf(id, sizeof id, "%s#node", did_document_id(member.doc));
    json_object_set_new(doc, "service",
                        json_pack("[{s:s, s:s, s:s}]", "id", id, "type", "FirmianaNode",
                                  "serviceEndpoint", endpoint));
}

static void too_large(json_t *doc)
{
    static char text[DID_DOCUMENT_MAX];

    memset(text, 'x', sizeof text - 1);
    put_service(doc, text);
}

static json_t *first_service(json_t *doc)
{
    put_service(doc, "tcp://host");
    return json_array_get(list(doc, "service"), 0);
}

static void service_is_text(json_t *doc)
{
    json_object_set_new(doc, "service", json_pack("[s]", "tcp://host"));
}

static void service_of_other_did(json_t *doc)
{
    json_object_set_new(first_service(doc), "id", json_string("did:x#node"));
}

static void service_without_fragment(json_t *doc)
{
    json_object_set(first_service(doc), "id", json_object_get(doc, "id"));
}

static void service_with_odd_name(json_t *doc)
{
    json_object_set_new(first_service(doc), "id",
                        json_sprintf("%s#Node_1", did_document_id(member.doc)));
}

static void service_with_long_name(json_t *doc)
{
    json_object_set_new(
        first_service(doc), "id",
        json_sprintf("%s#a23456789012345678901234567890123", did_document_id(member.doc)));
}

static void service_with_odd_type(json_t *doc)
{
    json_object_set_new(first_service(doc), "type", json_string("Firmiana Node"));
}

static void service_twice(json_t *doc)
{
    json_array_append(list(doc, "service"), first_service(doc));
    json_array_append(list(doc, "service"), json_array_get(list(doc, "service"), 0));
}

static void no_services(json_t *doc)
{
    json_object_set_new(doc, "service", json_array());
}

static void too_many_services(json_t *doc)
{
    json_t *service = first_service(doc);

    while (json_array_size(list(doc, "service")) <= DID_SERVICES_MAX)
        json_array_append(list(doc, "service"), service);
}

static void service_in_braces(json_t *doc)
{
    put_service(doc, "tcp://{SCID}");
}

static void service_is_no_uri(json_t *doc)
{
    put_service(doc, did_document_id(member.doc));
}

static void service_changes_id(json_t *doc)
{
    put_service(doc, "tcp://bank-a.example:7001");
}

static void broken_services_are_refused_by_name(void **state)
{
    (void)state;
    expect_refusal(too_large, FM_E_INPUT, "at most 32768 are allowed");
    expect_refusal(service_is_text, FM_E_INPUT, "service[0]: must be an object");
    expect_refusal(service_of_other_did, FM_E_INPUT, "service[0]: id must be");
    expect_refusal(service_without_fragment, FM_E_INPUT, "service[0]: id must be");
    expect_refusal(service_with_odd_name, FM_E_INPUT, "the name after '#'");
    expect_refusal(service_with_long_name, FM_E_INPUT, "the name after '#'");
    expect_refusal(service_with_odd_type, FM_E_INPUT, "type must be 1 to 64");
    expect_refusal(service_twice, FM_E_INPUT, "service[1]: the same id as service[0]");
    expect_refusal(no_services, FM_E_INPUT, "service must have 1 to 16");
    expect_refusal(too_many_services, FM_E_INPUT, "service must have 1 to 16");
    expect_refusal(service_in_braces, FM_E_INPUT, "must be a URI");
    expect_refusal(service_is_no_uri, FM_E_INPUT, "must be a URI");
    expect_refusal(service_changes_id, FM_E_INPUT, "does not prove this document");
}

static void a_service_survives_updates(void **state)
{
    struct did_draft draft = {0};
    struct did_document *with, *then;
    struct base_err err = {0};
    char id[DID_METHOD_TEXT];

    (void)state;
    assert_int_equal(did_draft_next(&draft, member.doc, &err), FM_OK);
    (void)snprintf(id, sizeof id, "%s#node", did_document_id(member.doc));
    draft.service = json_pack("[{s:s, s:s, s:s}]", "id", id, "type", "FirmianaNode",
                              "serviceEndpoint", "tcp://bank-a.example:7001");
    assert_int_equal(did_draft_build(&with, &draft, DID_RULES_VERSION, &err), FM_OK);
    assert_int_equal(did_draft_next(&draft, with, &err), FM_OK);
    assert_int_equal(did_draft_build(&then, &draft, DID_RULES_VERSION, &err), FM_OK);
    assert_true(json_equal(json_object_get(did_document_json(with), "service"),
                           json_object_get(did_document_json(then), "service")));
    assert_int_equal(did_succession_check_next(with, then, DID_BY_OFFICERS, &err), FM_OK);
    did_document_free(with);
    did_document_free(then);
    did_draft_release(&draft);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_services_are_refused_by_name),
        cmocka_unit_test(a_service_survives_updates),
    };
    return cmocka_run_group_tests_name("did services", tests, setup, teardown);
}
