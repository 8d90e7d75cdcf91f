#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/json.h"
#include "did/multibase.h"
#include "did/succession.h"
#include "did/test_tools.h"

static struct tools_random rnd;
static struct tools_member member;

static int setup(void **state)
{
    (void)state;
    tools_random_init(&rnd, 20261120);
    tools_member_init(&member, &rnd, "bank_a");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tools_member_release(&member);
    return 0;
}

/* ---- ids ---- */

/* method.md section 3, done by hand over text instead of over trees. */
static void id_is_hash_of_template(void **state)
{
    const char *did = did_document_id(member.doc);
    struct base_buf bytes = {0}, template = {0}, id = {0};
    struct base_err err = {0};
    uint8_t multihash[34] = {0x12, 0x20};
    const char *at, *hit;

    (void)state;
    assert_int_equal(base_json_canonical(&bytes, did_document_json(member.doc), &err), FM_OK);
    for (at = base_buf_cstr(&bytes); (hit = strstr(at, did)) != NULL; at = hit + strlen(did)) {
        base_buf_put(&template, at, (size_t)(hit - at));
        base_buf_put_str(&template, "did:firmiana:{CHAIN}:{SCID}");
    }
    base_buf_put_str(&template, at);
    base_sha256(multihash + 2, template.p, template.len);
    did_base58_encode(&id, multihash, sizeof multihash);
    assert_string_equal(strrchr(did, ':') + 1, base_buf_cstr(&id));
    assert_memory_equal(did, "did:firmiana:f14231a1a00102030405060708090a0b:Qm", 48);
    assert_int_equal(strlen(did), 92);
    base_buf_release(&bytes);
    base_buf_release(&template);
    base_buf_release(&id);
}

/* The same keys give the same id before and after genesis. */
static void genesis_binds_the_chain(void **state)
{
    struct did_draft draft = {0};
    struct did_document *before, *after, *again;
    struct base_err err = {0};
    size_t count;
    const struct did_method *methods = did_document_methods(member.doc, &count);

    (void)state;
    assert_int_equal(
        did_draft_first(&draft, NULL, "bank_a", did_document_recovery32(member.doc), &err), FM_OK);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(did_draft_add(&draft, &methods[i].key, methods[i].roles, &err), FM_OK);
    draft.threshold = 2;
    assert_int_equal(did_draft_build(&before, &draft, DID_RULES_VERSION, &err), FM_OK);
    assert_string_equal(did_document_chain(before), "{CHAIN}");
    assert_string_equal(strrchr(did_document_id(before), ':'),
                        strrchr(did_document_id(member.doc), ':'));
    assert_int_equal(did_succession_check_first(before, tools_genesis32, &err), FM_E_REFUSED);
    assert_int_equal(did_document_bind(&after, before, tools_genesis32, DID_RULES_VERSION, &err),
                     FM_OK);
    assert_memory_equal(did_document_hash32(after), did_document_hash32(member.doc), 32);
    assert_int_equal(did_succession_check_first(after, tools_genesis32, &err), FM_OK);
    assert_int_equal(did_document_bind(&again, after, tools_genesis32, DID_RULES_VERSION, &err),
                     FM_E_CONFLICT);
    did_document_free(before);
    did_document_free(after);
    did_draft_release(&draft);
}

/* ---- strictness ---- */

typedef void (*change_fn)(json_t *doc);

static void expect_refusal(change_fn change, fm_status code, const char *text)
{
    json_t *json = json_deep_copy(did_document_json(member.doc));
    struct did_document *doc;
    struct base_err err = {0};

    change(json);
    assert_int_equal(did_document_parse(&doc, json, DID_RULES_VERSION, &err), code);
    assert_null(doc);
    if (strstr(err.text, text) == NULL)
        fail_msg("'%s' does not say '%s'", err.text, text);
    json_decref(json);
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

static void put_service(json_t *doc, const char *endpoint)
{
    char id[DID_METHOD_TEXT];

    (void)snprintf(id, sizeof id, "%s#node", did_document_id(member.doc));
    json_object_set_new(doc, "service",
                        json_pack("[{s:s, s:s, s:s}]", "id", id, "type", "FirmianaNode",
                                  "serviceEndpoint", endpoint));
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

static void drafts_say_what_is_wrong(void **state)
{
    static const uint8_t recovery32[32] = {1};
    struct did_secret *secret = tools_secret(&rnd);
    const struct did_key *key = did_secret_key(secret);
    const struct did_key *node = did_secret_key(member.node);
    struct did_draft draft = {0};
    struct did_document *doc;
    struct base_err err = {0};

    (void)state;
    assert_int_equal(did_draft_first(&draft, NULL, "Bank", recovery32, &err), FM_E_ARG);
    assert_int_equal(
        did_draft_first(&draft, "f14231a1a00102030405060708090a0b0", "bank", recovery32, &err),
        FM_E_ARG);
    assert_int_equal(did_draft_first(&draft, "F14231", "bank", recovery32, &err), FM_OK);
    assert_int_equal(did_draft_build(&doc, &draft, DID_RULES_VERSION, &err), FM_E_INPUT);
    assert_null(doc);
    assert_int_equal(did_draft_next(&draft, member.doc, &err), FM_OK);
    assert_int_equal(did_draft_remove(&draft, key, &err), FM_E_NOT_FOUND);
    assert_int_equal(did_draft_rotate(&draft, key, node, &err), FM_E_NOT_FOUND);
    assert_int_equal(did_draft_rotate(&draft, did_secret_key(member.channel), node, &err),
                     FM_E_CONFLICT);
    assert_int_equal(did_draft_remove(&draft, node, &err), FM_OK);
    assert_int_equal(did_draft_build(&doc, &draft, DID_RULES_VERSION, &err), FM_E_INPUT);
    assert_non_null(strstr(err.text, "no key has the role assertionMethod"));
    while (draft.n_keys < DID_KEYS_MAX) {
        struct did_secret *more = tools_secret(&rnd);
        assert_int_equal(did_draft_add(&draft, did_secret_key(more), DID_ROLE_ASSERTION, &err),
                         FM_OK);
        did_secret_free(more);
    }
    assert_int_equal(did_draft_add(&draft, key, DID_ROLE_ASSERTION, &err), FM_E_LIMIT);
    assert_int_equal(
        did_draft_add(&draft, did_secret_key(member.channel), DID_ROLE_ASSERTION, &err), FM_OK);
    assert_int_equal(draft.n_keys, DID_KEYS_MAX);
    assert_int_equal(did_draft_build(&doc, &draft, DID_RULES_VERSION, &err), FM_OK);
    did_document_free(doc);
    did_draft_release(&draft);
    did_secret_free(secret);
}

static void words(void **state)
{
    static const char *const bad[] = {
        "", "Bank", "1bank", "_b", "bank-a", "b\xc3\xa4nk", "a23456789012345678901234567890123"};
    char did[DID_METHOD_TEXT], text[300];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(did_alias_is_valid(bad[i]));
    assert_true(did_alias_is_valid("a2345678901234567890123456789012"));
    assert_true(did_alias_is_valid("b_1"));
    assert_true(did_method_split(did, "did:x:y#key#more"));
    assert_string_equal(did, "did:x:y");
    assert_false(did_method_split(did, "did:x:y"));
    assert_false(did_method_split(did, "#key"));
    memset(text, 'd', sizeof text);
    text[DID_METHOD_TEXT - 1] = '#';
    text[sizeof text - 1] = '\0';
    assert_true(did_method_split(did, text));
    text[DID_METHOD_TEXT - 1] = 'd';
    text[DID_METHOD_TEXT] = '#';
    assert_false(did_method_split(did, text));
}

static void roles_are_looked_up(void **state)
{
    struct did_key key;
    struct base_err err = {0};
    const char *node = tools_method(member.doc, member.node);

    (void)state;
    assert_int_equal(did_document_key(member.doc, &key, DID_ROLE_ASSERTION, node, &err), FM_OK);
    assert_true(did_key_equal(&key, did_secret_key(member.node)));
    assert_int_equal(did_document_key(member.doc, &key, DID_ROLE_INVOCATION, node, &err),
                     FM_E_AUTH);
    assert_non_null(strstr(err.text, "has not the role capabilityInvocation"));
    assert_int_equal(did_document_key(member.doc, &key, DID_ROLE_ASSERTION, "did:x#y", &err),
                     FM_E_AUTH);
    assert_non_null(strstr(err.text, "has no key 'did:x#y'"));
    assert_int_equal(did_document_key_count(member.doc, DID_ROLE_INVOCATION), 3);
}

/* ---- one version after another ---- */

/* Signs a stand-in for a transaction and asks who it stands for. */
static fm_status authority_of(enum did_authority *out, const struct did_document *prev,
                              const struct did_secret *const *officers, size_t n,
                              struct base_err *err)
{
    json_t *tx = json_pack("{s:s}", "type", "did.update");
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < n; i++)
        st = did_proof_add_to_set(tx, officers[i], tools_method(prev, officers[i]),
                                  DID_ROLE_INVOCATION, 1795168260, err);
    if (st == FM_OK)
        st = did_succession_verify(out, prev, tx, DID_RULES_VERSION, err);
    json_decref(tx);
    return st;
}

static void officers_rotate_a_key(void **state)
{
    const struct did_secret *two[2] = {member.officer[2], member.officer[0]};
    const struct did_secret *online[2] = {member.node, member.officer[0]};
    struct did_secret *fresh = tools_secret(&rnd);
    struct did_draft draft = {0};
    struct did_document *next;
    struct did_key key;
    struct base_err err = {0};
    enum did_authority authority;
    const char *old_method = tools_method(member.doc, member.node);

    (void)state;
    assert_int_equal(did_draft_next(&draft, member.doc, &err), FM_OK);
    assert_int_equal(
        did_draft_rotate(&draft, did_secret_key(member.node), did_secret_key(fresh), &err), FM_OK);
    assert_int_equal(did_draft_build(&next, &draft, DID_RULES_VERSION, &err), FM_OK);
    assert_int_equal(did_document_version(next), 2);
    assert_string_equal(did_document_id(next), did_document_id(member.doc));
    assert_int_equal(authority_of(&authority, member.doc, two, 2, &err), FM_OK);
    assert_int_equal(authority, DID_BY_OFFICERS);
    assert_int_equal(authority_of(&authority, member.doc, two, 1, &err), FM_E_AUTH);
    assert_string_equal(err.text, "1 of bank_a's officers signed, 2 must");
    assert_int_equal(authority_of(&authority, member.doc, online, 2, &err), FM_E_AUTH);
    assert_int_equal(did_succession_check_next(member.doc, next, authority, &err), FM_OK);
    assert_int_equal(did_document_key(next, &key, DID_ROLE_ASSERTION, old_method, &err), FM_E_AUTH);
    assert_int_equal(
        did_document_key(next, &key, DID_ROLE_ASSERTION, tools_method(next, fresh), &err), FM_OK);
    did_document_free(next);
    did_draft_release(&draft);
    did_secret_free(fresh);
}

/* Builds version 2 with one thing wrong and expects the rule's name. */
static void expect_no_succession(struct did_draft *draft, enum did_authority authority,
                                 const char *rule)
{
    struct did_document *next;
    struct base_err err = {0};

    if (did_draft_build(&next, draft, DID_RULES_VERSION, &err) != FM_OK)
        fail_msg("%s", err.text);
    assert_int_equal(did_succession_check_next(member.doc, next, authority, &err), FM_E_REFUSED);
    if (strncmp(err.text, rule, strlen(rule)) != 0)
        fail_msg("'%s' does not begin with '%s'", err.text, rule);
    did_document_free(next);
    did_draft_release(draft);
}

static void wrong_successors_are_refused(void **state)
{
    struct did_draft draft = {0};
    struct tools_member other;
    struct base_err err = {0};

    (void)state;
    tools_member_init(&other, &rnd, "bank_a");
    assert_int_equal(did_draft_next(&draft, other.doc, &err), FM_OK);
    expect_no_succession(&draft, DID_BY_OFFICERS, "did-id:");
    tools_member_release(&other);
    assert_int_equal(did_draft_next(&draft, member.doc, &err), FM_OK);
    draft.version = 3;
    expect_no_succession(&draft, DID_BY_OFFICERS, "did-version:");
    assert_int_equal(did_draft_next(&draft, member.doc, &err), FM_OK);
    draft.previous32[31] ^= 1;
    expect_no_succession(&draft, DID_BY_OFFICERS, "did-previous:");
    assert_int_equal(did_draft_next(&draft, member.doc, &err), FM_OK);
    draft.alias[5] = 'b';
    expect_no_succession(&draft, DID_BY_OFFICERS, "did-alias:");
    assert_int_equal(did_draft_next(&draft, member.doc, &err), FM_OK);
    draft.recovery32[0] ^= 1;
    expect_no_succession(&draft, DID_BY_OFFICERS, "did-recovery: only");
    assert_int_equal(did_draft_next(&draft, member.doc, &err), FM_OK);
    expect_no_succession(&draft, DID_BY_RECOVERY, "did-recovery: the recovery key");
}

static void did_key_method(char out[DID_METHOD_TEXT], const struct did_secret *secret)
{
    char multikey[DID_MULTIKEY_TEXT];
    struct base_err err = {0};

    assert_int_equal(did_multikey_encode(multikey, did_secret_key(secret), &err), FM_OK);
    (void)snprintf(out, DID_METHOD_TEXT, "did:key:%s#%s", multikey, multikey);
}

static void recovery_key_recovers(void **state)
{
    json_t *tx = json_pack("{s:s}", "type", "did.recover");
    json_t *forged = json_pack("{s:s}", "type", "did.recover");
    struct did_draft draft = {0};
    struct did_document *next;
    struct base_err err = {0};
    enum did_authority authority;
    char method[DID_METHOD_TEXT];

    (void)state;
    did_key_method(method, member.recovery);
    assert_int_equal(did_proof_add(tx, member.recovery, method, DID_ROLE_INVOCATION, 0, &err),
                     FM_OK);
    assert_int_equal(did_succession_verify(&authority, member.doc, tx, DID_RULES_VERSION, &err),
                     FM_OK);
    assert_int_equal(authority, DID_BY_RECOVERY);
    did_key_method(method, member.officer[0]);
    assert_int_equal(did_proof_add(forged, member.officer[0], method, DID_ROLE_INVOCATION, 0, &err),
                     FM_OK);
    assert_int_equal(did_succession_verify(&authority, member.doc, forged, DID_RULES_VERSION, &err),
                     FM_E_AUTH);
    assert_non_null(strstr(err.text, "not the recovery key of did:firmiana:"));
    assert_int_equal(did_draft_next(&draft, member.doc, &err), FM_OK);
    draft.recovery32[0] ^= 1;
    assert_int_equal(did_draft_build(&next, &draft, DID_RULES_VERSION, &err), FM_OK);
    assert_int_equal(did_succession_check_next(member.doc, next, DID_BY_RECOVERY, &err), FM_OK);
    did_document_free(next);
    did_draft_release(&draft);
    json_decref(tx);
    json_decref(forged);
}

static void nothing_follows_deactivation(void **state)
{
    static const uint8_t dead32[32];
    const struct did_secret *two[2] = {member.officer[1], member.officer[2]};
    struct did_draft draft = {0};
    struct did_document *end;
    struct did_key key;
    struct base_err err = {0};
    enum did_authority authority;

    (void)state;
    assert_int_equal(did_draft_next(&draft, member.doc, &err), FM_OK);
    did_draft_deactivate(&draft);
    assert_int_equal(did_draft_build(&end, &draft, DID_RULES_VERSION, &err), FM_OK);
    assert_int_equal(did_succession_check_next(member.doc, end, DID_BY_OFFICERS, &err), FM_OK);
    assert_int_equal(did_succession_check_next(member.doc, end, DID_BY_RECOVERY, &err), FM_OK);
    assert_int_equal(did_succession_check_next(end, end, DID_BY_OFFICERS, &err), FM_E_REFUSED);
    assert_non_null(strstr(err.text, "did-deactivated: "));
    assert_int_equal(did_succession_check_first(end, tools_genesis32, &err), FM_E_REFUSED);
    assert_non_null(strstr(err.text, "did-version: "));
    assert_int_equal(did_document_key(end, &key, DID_ROLE_INVOCATION,
                                      tools_method(member.doc, member.officer[1]), &err),
                     FM_E_AUTH);
    assert_int_equal(authority_of(&authority, end, two, 2, &err), FM_E_AUTH);
    assert_non_null(strstr(err.text, " is deactivated"));
    assert_int_equal(did_draft_next(&draft, end, &err), FM_E_CONFLICT);
    assert_int_equal(did_draft_first(&draft, did_document_chain(end), "still", dead32, &err),
                     FM_OK);
    did_draft_deactivate(&draft);
    did_document_free(end);
    assert_int_equal(did_draft_build(&end, &draft, DID_RULES_VERSION, &err), FM_OK);
    assert_int_equal(did_succession_check_first(end, tools_genesis32, &err), FM_E_REFUSED);
    assert_non_null(strstr(err.text, "would begin deactivated"));
    did_document_free(end);
    did_draft_release(&draft);
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
        cmocka_unit_test(id_is_hash_of_template),
        cmocka_unit_test(genesis_binds_the_chain),
        cmocka_unit_test(broken_documents_are_refused_by_name),
        cmocka_unit_test(a_document_is_an_object),
        cmocka_unit_test(drafts_say_what_is_wrong),
        cmocka_unit_test(words),
        cmocka_unit_test(roles_are_looked_up),
        cmocka_unit_test(officers_rotate_a_key),
        cmocka_unit_test(wrong_successors_are_refused),
        cmocka_unit_test(recovery_key_recovers),
        cmocka_unit_test(nothing_follows_deactivation),
        cmocka_unit_test(a_service_survives_updates),
    };
    return cmocka_run_group_tests_name("did document", tests, setup, teardown);
}
