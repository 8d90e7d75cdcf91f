/* Credentials beside the W3C's files: what its test suites call fine is issued and verified here,
 * its status lists read as stated; then every way in which a credential, its list or its
 * presentation may lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>

#include "base/json.h"
#include "did/credential/credential.h"
#include "did/credential/status_list.h"
#include "did/key_did.h"
#include "did/test_tools.h"

#define NOW TOOLS_WHEN
#define LIST_ID "https://bank-a.example/status/3"

/* Somebody with a did:key. */
struct person {
    struct did_secret *secret;
    char did[DID_KEY_DID_TEXT], method[DID_KEY_METHOD_TEXT];
};

static void person_init(struct person *p, const struct did_suite *suite, uint64_t seed)
{
    struct tools_random rnd;
    struct base_err err = {0};

    tools_random_init(&rnd, seed);
    assert_int_equal(did_secret_generate(&p->secret, suite, &rnd.random, &err), FM_OK);
    assert_int_equal(did_key_did_encode(p->did, did_secret_key(p->secret), &err), FM_OK);
    assert_int_equal(did_key_method_encode(p->method, did_secret_key(p->secret), &err), FM_OK);
}

/* ---- a verifier with one status list ---- */

struct world {
    struct person issuer, holder, stranger;
    json_t *list; /* NULL: not to be had */
    struct did_resolver resolver;
    struct credential_lists lists;
    struct credential_verifier verifier;
};

static fm_status find_list(void *ctx, json_t **out, const char *id, struct base_err *err)
{
    struct world *w = ctx;

    if (w->list == NULL || strcmp(id, LIST_ID) != 0)
        return base_err_set(err, FM_E_NOT_FOUND, "no such list");
    *out = json_incref(w->list);
    return FM_OK;
}

static void world_init(struct world *w, const struct did_suite *suite)
{
    memset(w, 0, sizeof *w);
    person_init(&w->issuer, suite, 1);
    person_init(&w->holder, suite, 2);
    person_init(&w->stranger, suite, 3);
    w->resolver.key = did_proof_resolve_did_key;
    w->lists = (struct credential_lists){find_list, w};
    w->verifier = (struct credential_verifier){&w->resolver, &w->lists, DID_RULES_VERSION, NOW};
}

static void world_release(struct world *w)
{
    did_secret_free(w->issuer.secret);
    did_secret_free(w->holder.secret);
    did_secret_free(w->stranger.secret);
    json_decref(w->list);
}

/* The list in the verifier's hands: of `bits` entries, with one of them set if it is below bits. */
static void put_list(struct world *w, const struct person *by, const char *purpose, size_t bits,
                     size_t set)
{
    struct credential_bits list;
    struct base_err err = {0};

    json_decref(w->list);
    assert_int_equal(credential_bits_make(&list, CREDENTIAL_STATUS_MIN, &err), FM_OK);
    list.count = bits;
    credential_bits_set(&list, set, true);
    assert_int_equal(
        credential_status_list(&w->list, LIST_ID, by->did, purpose, &list, NOW - 1, &err), FM_OK);
    assert_int_equal(credential_issue(w->list, by->secret, by->method, NOW - 1, &err), FM_OK);
    credential_bits_release(&list);
}

static void issue(const struct world *w, json_t *c)
{
    struct base_err err = {0};

    assert_int_equal(credential_issue(c, w->issuer.secret, w->issuer.method, NOW - 100, &err),
                     FM_OK);
}

/* A credential about the holder, signed, with a status if index is not SIZE_MAX. */
static json_t *diploma(const struct world *w, const char *purpose, size_t index)
{
    struct base_err err = {0};
    json_t *status, *c = json_pack("{s:[s], s:[s,s], s:s, s:s, s:{s:s, s:s, s:i}}", "@context",
                                   CREDENTIAL_CONTEXT, "type", "VerifiableCredential", "Diploma",
                                   "validFrom", "2026-01-01T00:00:00Z", "validUntil",
                                   "2027-01-01T08:00:00+08:00", "credentialSubject", "id",
                                   w->holder.did, "degree", "Bachelor", "year", 2025);

    assert_non_null(c);
    if (index != SIZE_MAX) {
        assert_int_equal(credential_status_entry(&status, LIST_ID, purpose, index, &err), FM_OK);
        json_object_set_new(c, "credentialStatus", status);
    }
    issue(w, c);
    return c;
}

static void expect(const struct world *w, const json_t *credential, fm_status wanted,
                   const char *text)
{
    struct credential_facts facts;
    struct base_err err = {0};

    tools_expect(credential_verify(&facts, credential, &w->verifier, &err), wanted, &err, text);
}

/* ---- the W3C's files ---- */

static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);

    return n >= m && strcmp(name + n - m, end) == 0;
}

/* Issues and verifies the credential in that file: at both ends of its period, and beyond them. */
static void issue_file(struct world *w, const char *path)
{
    json_t *c = tools_vectors(path);
    int64_t from, until;
    bool has_from, has_until;
    struct base_err err = {0};

    (void)json_object_del(c, "proof");
    (void)json_object_del(c, "credentialStatus"); /* of a kind that no longer exists */
    if (credential_issue(c, w->issuer.secret, w->issuer.method, NOW, &err) != FM_OK)
        fail_msg("%s: %s", path, err.text);
    assert_int_equal(credential_moment(&from, &has_from, c, "validFrom", &err), FM_OK);
    assert_int_equal(credential_moment(&until, &has_until, c, "validUntil", &err), FM_OK);
    w->verifier.now_s = has_until ? until : has_from ? from : NOW;
    expect(w, c, FM_OK, "");
    w->verifier.now_s = has_from ? from - 1 : NOW;
    expect(w, c, has_from ? FM_E_INVALID : FM_OK, has_from ? "not valid before" : "");
    w->verifier.now_s = has_until ? until + 1 : INT64_MAX;
    expect(w, c, has_until ? FM_E_INVALID : FM_OK, has_until ? "not valid after" : "");
    json_decref(c);
}

static size_t files_in(struct world *w, const char *folder)
{
    char path[600];
    struct dirent *entry;
    size_t count = 0;
    DIR *dir;

    (void)snprintf(path, sizeof path, VECTORS "%s", folder);
    dir = opendir(path);
    if (dir == NULL) {
        print_message("SKIPPED: %s not here\n", path);
        skip();
    }
    while ((entry = readdir(dir)) != NULL) {
        struct base_err err = {0};
        json_t *p;
        if (!ends_with(entry->d_name, ".json") ||
            strcmp(entry->d_name, "credential-validUntil-validFrom-ok.json") == 0)
            continue; /* that one is a template without moments */
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        count++;
        if (strncmp(entry->d_name, "presentation", 12) != 0) {
            issue_file(w, path);
            continue;
        }
        p = tools_vectors(path);
        if (credential_check_presentation(p, &err) != FM_OK)
            fail_msg("%s: %s", path, err.text);
        json_decref(p);
    }
    (void)closedir(dir);
    return count;
}

static void w3c_shapes(void **state)
{
    struct world w;
    size_t count;

    (void)state;
    world_init(&w, did_suite_ed25519());
    count = files_in(&w, "vc-data-model-2.0");
    count += files_in(&w, "vc-data-model-2.0/names-and-descriptions");
    print_message("%zu files\n", count);
    assert_true(count >= 60);
    world_release(&w);
}

/* ---- verdicts ---- */

static void each_suite(void **state)
{
    const struct did_suite *const suites[3] = {did_suite_ed25519(), did_suite_p256(),
                                               did_suite_sm2()};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct credential_facts facts;
        struct base_err err = {0};
        struct world w;
        json_t *c;
        world_init(&w, suites[i]);
        put_list(&w, &w.issuer, "revocation", CREDENTIAL_STATUS_MIN, 8);
        c = diploma(&w, "revocation", 7);
        assert_int_equal(credential_verify(&facts, c, &w.verifier, &err), FM_OK);
        assert_string_equal(facts.issuer, w.issuer.did);
        assert_int_equal(facts.valid_until_s - facts.valid_from_s, 365 * 86400);
        json_object_set_new(json_object_get(c, "credentialSubject"), "year", json_integer(2024));
        expect(&w, c, FM_E_AUTH, "does not match");
        json_decref(c);
        world_release(&w);
    }
}

static void periods(void **state)
{
    struct world w;
    json_t *c;

    (void)state;
    world_init(&w, did_suite_ed25519());
    c = diploma(&w, NULL, SIZE_MAX);
    w.verifier.now_s = 1767225599; /* the second before 2026 */
    expect(&w, c, FM_E_INVALID, "not valid before 2026-01-01T00:00:00Z");
    w.verifier.now_s = 1798761600; /* the first of 2027 */
    expect(&w, c, FM_OK, "");
    w.verifier.now_s++;
    expect(&w, c, FM_E_INVALID, "not valid after 2027-01-01T08:00:00+08:00");
    json_decref(c);
    world_release(&w);
}

static void whose_key(void **state)
{
    struct base_err err = {0};
    struct world w;
    json_t *c;

    (void)state;
    world_init(&w, did_suite_ed25519());
    c = diploma(&w, NULL, SIZE_MAX);
    (void)json_object_del(c, "proof");
    assert_int_equal(credential_issue(c, w.stranger.secret, w.stranger.method, NOW, &err),
                     FM_E_CONFLICT);
    /* a stranger's good signature under the issuer's name */
    assert_int_equal(
        did_proof_add(c, w.stranger.secret, w.stranger.method, DID_ROLE_ASSERTION, NOW, &err),
        FM_OK);
    expect(&w, c, FM_E_AUTH, "issuer is did:key:");
    json_decref(c);
    world_release(&w);
}

static void status(void **state)
{
    struct world w;
    json_t *c;

    (void)state;
    world_init(&w, did_suite_ed25519());
    c = diploma(&w, "revocation", 94567);
    expect(&w, c, FM_E_NOT_FOUND, "no such list");
    put_list(&w, &w.issuer, "revocation", CREDENTIAL_STATUS_MIN, 94566);
    expect(&w, c, FM_OK, "");
    put_list(&w, &w.issuer, "revocation", CREDENTIAL_STATUS_MIN, 94567);
    expect(&w, c, FM_E_INVALID, "revoked by its issuer");
    put_list(&w, &w.issuer, "suspension", CREDENTIAL_STATUS_MIN, SIZE_MAX);
    expect(&w, c, FM_E_INPUT, "not for 'revocation'");
    put_list(&w, &w.stranger, "revocation", CREDENTIAL_STATUS_MIN, SIZE_MAX);
    expect(&w, c, FM_E_AUTH, "another issuer's");
    put_list(&w, &w.issuer, "revocation", CREDENTIAL_STATUS_MIN - 8, SIZE_MAX);
    expect(&w, c, FM_E_INPUT, "at least 131072 are needed");
    put_list(&w, &w.issuer, "revocation", CREDENTIAL_STATUS_MIN, SIZE_MAX);
    (void)json_object_del(w.list, "proof");
    expect(&w, c, FM_E_INPUT, "carries no proof");
    json_decref(c);
    c = diploma(&w, "suspension", 3);
    put_list(&w, &w.issuer, "suspension", CREDENTIAL_STATUS_MIN, 3);
    expect(&w, c, FM_E_INVALID, "suspended by its issuer");
    json_decref(c);
    c = diploma(&w, "revocation", CREDENTIAL_STATUS_MIN);
    put_list(&w, &w.issuer, "revocation", CREDENTIAL_STATUS_MIN, SIZE_MAX);
    expect(&w, c, FM_E_INPUT, "outside the list");
    w.verifier.lists = NULL;
    expect(&w, c, FM_E_NOT_FOUND, "not at hand");
    json_decref(c);
    world_release(&w);
}

/* Each member broken in turn. The text says which. */
static void shapes_are_checked(void **state)
{
    static const struct {
        const char *member, *value, *text;
    } cases[] = {
        {"@context", "[]", "@context must be"},
        {"@context", "[\"https://www.w3.org/2018/credentials/v1\"]", "@context must be"},
        {"@context", "[\"https://www.w3.org/ns/credentials/v2\", 7]", "@context[1]"},
        {"type", "[\"Diploma\"]", "type must have 'VerifiableCredential'"},
        {"type", "[\"VerifiableCredential\", \"VerifiableCredential\"]", "type must have"},
        {"id", "\"no url\"", "id must be a URL"},
        {"id", "[\"urn:x\"]", "id must be a URL"},
        {"issuer", "7", "issuer must be"},
        {"credentialSubject", "{}", "credentialSubject must be"},
        {"credentialSubject", "[]", "credentialSubject must hold"},
        {"credentialSubject", "[{\"a\": 1}, {\"id\": 5}]", "credentialSubject[1] must be"},
        {"credentialStatus", "{\"id\": \"urn:x\"}", "credentialStatus must be"},
        {"credentialSchema", "{\"type\": \"x\"}", "credentialSchema must be"},
        {"evidence", "[{\"id\": \"urn:x\"}]", "evidence[0] must be"},
        {"validFrom", "\"2026-13-01T00:00:00Z\"", "validFrom must be a moment"},
        {"validUntil", "\"2025-01-01T00:00:00Z\"", "validUntil lies before validFrom"},
        {"name", "{\"@value\": \"x\", \"title\": \"y\"}", "name must be"},
    };
    struct world w;

    (void)state;
    world_init(&w, did_suite_ed25519());
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *c = diploma(&w, NULL, SIZE_MAX);
        json_object_set_new(c, cases[i].member, json_loads(cases[i].value, JSON_DECODE_ANY, NULL));
        expect(&w, c, FM_E_INPUT, cases[i].text);
        json_decref(c);
    }
    world_release(&w);
}

static void expect_shown(const struct world *w, const json_t *shown, const char *challenge,
                         const char *domain, fm_status wanted, const char *text)
{
    struct credential_facts facts[CREDENTIAL_SUBJECTS_MAX];
    struct base_err err = {0};
    const char *holder;
    size_t count;

    tools_expect(credential_verify_presentation(facts, &count, &holder, shown, challenge, domain,
                                                &w->verifier, &err),
                 wanted, &err, text);
    if (wanted == FM_OK)
        assert_int_equal(count, json_array_size(json_object_get(shown, "verifiableCredential")));
}

static json_t *show(const struct person *by, json_t *credential)
{
    json_t *held = credential == NULL ? json_array() : json_pack("[O]", credential), *shown;
    struct base_err err = {0};

    assert_int_equal(
        credential_present(&shown, held, by->secret, by->method, "c-1", "bank-b", NOW, &err),
        FM_OK);
    json_decref(held);
    return shown;
}

static void presentations(void **state)
{
    struct world w;
    json_t *c, *shown;

    (void)state;
    world_init(&w, did_suite_ed25519());
    c = diploma(&w, NULL, SIZE_MAX);
    shown = show(&w.holder, c);
    expect_shown(&w, shown, "c-1", "bank-b", FM_OK, "");
    expect_shown(&w, shown, "c-2", "bank-b", FM_E_AUTH, "challenge is not the one");
    expect_shown(&w, shown, "c-1", "bank-c", FM_E_AUTH, "domain is not the one");
    expect_shown(&w, shown, NULL, NULL, FM_E_AUTH, "challenge is not expected here");
    json_object_set_new(json_object_get(shown, "proof"), "challenge", json_string("c-2"));
    expect_shown(&w, shown, "c-2", "bank-b", FM_E_AUTH, "does not match");
    json_decref(shown);
    shown = show(&w.holder, NULL);
    expect_shown(&w, shown, "c-1", "bank-b", FM_E_INVALID, "it shows no credential");
    json_decref(shown);
    shown = show(&w.stranger, c); /* who stole the credential */
    expect_shown(&w, shown, "c-1", "bank-b", FM_E_AUTH, "not about its holder");
    json_object_set_new(shown, "holder", json_string(w.holder.did));
    expect_shown(&w, shown, "c-1", "bank-b", FM_E_AUTH, "does not match");
    json_decref(shown);
    (void)json_object_del(c, "proof");
    (void)json_object_del(json_object_get(c, "credentialSubject"), "id");
    (void)json_object_del(c, "issuer");
    issue(&w, c); /* about nobody by name: whoever has a copy could show it */
    shown = show(&w.holder, c);
    expect_shown(&w, shown, "c-1", "bank-b", FM_E_AUTH, "somebody without an id");
    json_decref(shown);
    (void)json_object_del(c, "proof");
    shown = show(&w.holder, c);
    expect_shown(&w, shown, "c-1", "bank-b", FM_E_INPUT, "credential 1: ");
    (void)json_object_del(shown, "holder");
    expect_shown(&w, shown, "c-1", "bank-b", FM_E_INPUT, "holder is missing");
    json_decref(shown);
    json_decref(c);
    world_release(&w);
}

/* A credential's proof may say when it ends; the ledger's proofs may not. */
static void proofs_may_expire(void **state)
{
    struct did_proof_terms terms = {.now_s = NOW};
    json_t *c, *proof;
    struct did_proof found;
    struct base_err err = {0};
    struct world w;

    (void)state;
    world_init(&w, did_suite_ed25519());
    c = diploma(&w, NULL, SIZE_MAX);
    proof = json_object_get(c, "proof");
    json_object_set_new(proof, "expires", json_string("2026-11-20T09:51:00Z")); /* NOW */
    tools_expect(did_proof_verify(&found, c, DID_ROLE_ASSERTION, 2, &w.resolver, &err), FM_E_INPUT,
                 &err, "expires");
    tools_expect(
        did_proof_verify_terms(&found, c, DID_ROLE_ASSERTION, &terms, 2, &w.resolver, &err),
        FM_E_INVALID, &err, "it expired at");
    terms.now_s--;
    tools_expect(
        did_proof_verify_terms(&found, c, DID_ROLE_ASSERTION, &terms, 2, &w.resolver, &err),
        FM_E_AUTH, &err, "does not match"); /* it was added after signing */
    json_decref(c);
    world_release(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(w3c_shapes),    cmocka_unit_test(each_suite),
        cmocka_unit_test(periods),       cmocka_unit_test(whose_key),
        cmocka_unit_test(status),        cmocka_unit_test(shapes_are_checked),
        cmocka_unit_test(presentations), cmocka_unit_test(proofs_may_expire),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
