#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "did/multibase.h"
#include "did/succession.h"
#include "did/test_fixture.h"

/* One version of a document after another: who may, and what it must keep. */

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
    assert_int_equal(did_succession_check_next(end, end, DID_BY_RECOVERY, &err), FM_E_REFUSED);
    /* Undoing leads from a deactivated document to one that is not. */
    assert_int_equal(did_succession_check_next(end, end, DID_BY_UNDOING, &err), FM_E_REFUSED);
    assert_int_equal(did_succession_check_next(member.doc, end, DID_BY_UNDOING, &err),
                     FM_E_REFUSED);
    assert_non_null(strstr(err.text, "no deactivation of did:firmiana:"));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(officers_rotate_a_key),
        cmocka_unit_test(wrong_successors_are_refused),
        cmocka_unit_test(recovery_key_recovers),
        cmocka_unit_test(nothing_follows_deactivation),
    };
    return cmocka_run_group_tests_name("did succession", tests, setup, teardown);
}
