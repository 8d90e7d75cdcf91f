/* Certificates of members: CAs made by OpenSSL's own command (test_x509.sh), good ones and every
 * kind of bad one; where the chain alone decides, `openssl verify` is asked too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "did/test_tools.h"
#include "did/x509.h"

#define DAY 86400

static struct {
    char folder[64];
    struct did_secret *p256, *sm2, *ed25519, *officer;
    struct did_document *doc;
    int64_t now_s;
} world;

static void path_of(char out[128], const char *name)
{
    (void)snprintf(out, 128, "%s/%s", world.folder, name);
}

/* ---- the world ---- */

/* A key of OpenSSL's making, also in a file for its command, as a secret of ours. */
static struct did_secret *shared_key(const char *name, const struct did_suite *suite,
                                     EVP_PKEY *pkey)
{
    struct did_secret *out = NULL;
    struct base_err err = {0};
    uint8_t bytes[32];
    size_t len = sizeof bytes;
    BIGNUM *n = NULL;
    char path[128];
    FILE *f;

    if (suite == did_suite_ed25519()) {
        assert_int_equal(EVP_PKEY_get_raw_private_key(pkey, bytes, &len), 1);
    } else {
        assert_int_equal(EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_PRIV_KEY, &n), 1);
        assert_int_equal(BN_bn2binpad(n, bytes, 32), 32);
    }
    assert_int_equal(did_secret_import(&out, suite, bytes, 32, &err), FM_OK);
    path_of(path, name);
    f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(PEM_write_PrivateKey(f, pkey, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(fclose(f), 0);
    BN_free(n);
    EVP_PKEY_free(pkey);
    return out;
}

static void make_document(void)
{
    static const uint8_t recovery32[32] = {1};
    struct did_draft draft = {0};
    struct base_err err = {0};
    struct tools_random r;
    struct did_secret *channel;

    tools_random_init(&r, 5);
    channel = tools_secret(&r);
    world.officer = tools_secret(&r);
    assert_int_equal(
        did_draft_first(&draft, "00112233445566778899aabbccddeeff", "bank_a", recovery32, &err),
        FM_OK);
    assert_int_equal(did_draft_add(&draft, did_secret_key(channel), DID_ROLE_AUTHENTICATION, &err),
                     FM_OK);
    assert_int_equal(did_draft_add(&draft, did_secret_key(world.p256), DID_ROLE_ASSERTION, &err),
                     FM_OK);
    assert_int_equal(did_draft_add(&draft, did_secret_key(world.sm2), DID_ROLE_ASSERTION, &err),
                     FM_OK);
    assert_int_equal(
        did_draft_add(&draft, did_secret_key(world.ed25519), DID_ROLE_INVOCATION, &err), FM_OK);
    assert_int_equal(
        did_draft_add(&draft, did_secret_key(world.officer), DID_ROLE_INVOCATION, &err), FM_OK);
    assert_int_equal(did_draft_build(&world.doc, &draft, DID_RULES_VERSION, &err), FM_OK);
    did_draft_release(&draft);
    did_secret_free(channel);
}

static int set_up(void **state)
{
    struct base_err err = {0};
    char command[256], path[128];
    const char *did;

    (void)state;
    (void)snprintf(world.folder, sizeof world.folder, "/tmp/test_x509.XXXXXX");
    assert_non_null(mkdtemp(world.folder));
    world.p256 = shared_key("p256.key", did_suite_p256(), EVP_EC_gen("P-256"));
    did_secret_free(shared_key("other.key", did_suite_p256(), EVP_EC_gen("P-256")));
    world.sm2 = shared_key("sm2.key", did_suite_sm2(), EVP_PKEY_Q_keygen(NULL, NULL, "SM2"));
    world.ed25519 =
        shared_key("ed25519.key", did_suite_ed25519(), EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
    make_document();
    did = did_document_id(world.doc);
    path_of(path, "did");
    assert_int_equal(base_file_write(path, did, strlen(did), 0600, &err), FM_OK);
    (void)snprintf(command, sizeof command, "did/test_x509.sh %s", world.folder);
    if (system(command) != 0) {
        (void)snprintf(command, sizeof command, "tail -n 5 %s/log >&2", world.folder);
        (void)!system(command);
        fail_msg("test_x509.sh failed");
    }
    world.now_s = time(NULL);
    return 0;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    (void)snprintf(command, sizeof command, "rm -rf %s", world.folder);
    (void)!system(command);
    did_secret_free(world.p256);
    did_secret_free(world.sm2);
    did_secret_free(world.ed25519);
    did_secret_free(world.officer);
    did_document_free(world.doc);
    return 0;
}

/* ---- one record ---- */

static void load(struct base_buf *out, const char *name, const char *ending)
{
    struct base_err err = {0};
    char path[128], file[64];

    (void)snprintf(file, sizeof file, "%s%s", name, ending);
    path_of(path, file);
    assert_int_equal(base_file_read(out, path, 1 << 20, &err), FM_OK);
}

static json_t *record_of(const char *name, const struct did_secret *secret, enum did_role role,
                         fm_status want)
{
    struct base_buf pem = {0};
    struct base_err err = {0};
    json_t *record = NULL;

    load(&pem, name, ".chain");
    if (did_x509_attach(&record, (const char *)pem.p, pem.len, tools_method(world.doc, secret),
                        secret, role, world.now_s, &err) != want)
        fail_msg("%s: attached with %s", name, err.text);
    base_buf_release(&pem);
    return record;
}

static fm_status check(struct did_x509_facts *facts, const json_t *record, const char *roots,
                       const char *crls, int64_t at_s, struct base_err *err)
{
    struct base_buf root_pem = {0}, crl_pem = {0};
    struct did_x509_terms terms = {.at_s = at_s, .rules_version = DID_RULES_VERSION};
    fm_status st;

    load(&root_pem, roots, ".pem");
    terms.roots = (const char *)root_pem.p;
    terms.roots_len = root_pem.len;
    if (crls != NULL) {
        load(&crl_pem, crls, ".pem");
        terms.crls = (const char *)crl_pem.p;
        terms.crls_len = crl_pem.len;
    }
    st = did_x509_verify(facts, record, world.doc, &terms, err);
    base_buf_release(&root_pem);
    base_buf_release(&crl_pem);
    return st;
}

static bool openssl_says_yes(const char *name)
{
    struct base_buf text = {0};
    bool yes;

    load(&text, name, ".openssl");
    yes = strncmp(base_buf_cstr(&text), "yes", 3) == 0;
    base_buf_release(&text);
    return yes;
}

/* ---- tests ---- */

static void chains(void **state)
{
    static const struct {
        const char *name, *roots, *text;
        fm_status want;
        bool by_chain; /* openssl verify decides the same */
    } all[] = {
        {"good", "root", "", FM_OK, true},
        {"direct", "root", "", FM_OK, true},
        {"rooted", "root", "", FM_OK, true},
        {"both", "root", "", FM_OK, true},
        {"dns", "root", "", FM_OK, true},
        {"client", "root", "", FM_OK, true},
        {"signer", "root", "", FM_OK, true},
        {"good", "stranger", "certificate 2 of the chain", FM_E_AUTH, false},
        {"by_stranger", "root", "self-signed", FM_E_AUTH, true},
        {"broken", "root", "local issuer", FM_E_AUTH, true},
        {"by_nobody", "root", "invalid CA certificate", FM_E_AUTH, true},
        {"by_small", "root", "too weak", FM_E_AUTH, true},
        {"sha1", "root", "too weak", FM_E_AUTH, true},
        {"authority", "root", "a CA's own", FM_E_INVALID, false},
        {"exchange", "root", "keyUsage", FM_E_INVALID, false},
        {"server", "root", "extendedKeyUsage", FM_E_INVALID, false},
        {"by_web", "root", "certificate 2 of the chain: the CA is for other uses", FM_E_INVALID,
         false},
    };
    struct did_x509_facts facts;

    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct base_err err = {0};
        json_t *record = record_of(all[i].name, world.p256, DID_ROLE_ASSERTION, FM_OK);
        fm_status st = check(&facts, record, all[i].roots, NULL, world.now_s, &err);
        if (st != all[i].want || (st != FM_OK && strstr(err.text, all[i].text) == NULL))
            fail_msg("%s: %s, %s", all[i].name, fm_status_name(st), err.text);
        if (all[i].by_chain && openssl_says_yes(all[i].name) != (st == FM_OK))
            fail_msg("%s: openssl verify says otherwise than %s", all[i].name, fm_status_name(st));
        if (st == FM_OK) {
            assert_true(facts.by_key);
            assert_int_equal(facts.by_name, strcmp(all[i].name, "both") == 0);
            assert_non_null(strstr(facts.subject, "O=Bank A"));
            assert_true(facts.from_s <= world.now_s && facts.until_s > world.now_s + 360 * DAY);
        }
        json_decref(record);
    }
}

static void other_suites(void **state)
{
    struct did_x509_facts facts;
    struct base_err err = {0};
    json_t *record = record_of("ed", world.ed25519, DID_ROLE_INVOCATION, FM_OK);

    (void)state;
    assert_int_equal(check(&facts, record, "root", NULL, world.now_s, &err), FM_OK);
    assert_int_equal(facts.role, DID_ROLE_INVOCATION);
    json_decref(record);
    record = record_of("sm2", world.sm2, DID_ROLE_ASSERTION, FM_OK);
    if (check(&facts, record, "sm2root", NULL, world.now_s, &err) != FM_OK)
        fail_msg("%s", err.text);
    assert_true(facts.by_key);
    assert_true(openssl_says_yes("sm2"));
    tools_expect(check(&facts, record, "root", NULL, world.now_s, &err), FM_E_AUTH, &err, "issuer");
    tools_expect(check(&facts, record, "sm2root", "sm2lists", world.now_s, &err), FM_E_UNSUPPORTED,
                 &err, "signed by SM2");
    json_decref(record);
}

/* Whose it is: by the key that signed, or by the CA's word, and by nothing else. */
static void bindings(void **state)
{
    struct did_x509_facts facts;
    struct base_err err = {0};
    json_t *record, *stolen;

    (void)state;
    record = record_of("named", world.officer, DID_ROLE_INVOCATION, FM_OK);
    assert_int_equal(check(&facts, record, "root", NULL, world.now_s, &err), FM_OK);
    assert_true(facts.by_name && !facts.by_key);
    json_decref(record);
    (void)record_of("unbound", world.p256, DID_ROLE_ASSERTION, FM_E_CONFLICT);
    (void)record_of("another", world.p256, DID_ROLE_ASSERTION, FM_E_CONFLICT);
    /* A certificate whose key stands in the document, but another key signs the record. */
    (void)record_of("good", world.officer, DID_ROLE_INVOCATION, FM_E_CONFLICT);
    /* The same with the record written by hand. */
    record = record_of("good", world.p256, DID_ROLE_ASSERTION, FM_OK);
    stolen = json_deep_copy(record);
    assert_int_equal(json_object_del(stolen, "proof"), 0);
    assert_int_equal(did_proof_add(stolen, world.officer, tools_method(world.doc, world.officer),
                                   DID_ROLE_INVOCATION, world.now_s, &err),
                     FM_OK);
    tools_expect(check(&facts, stolen, "root", NULL, world.now_s, &err), FM_E_INVALID, &err,
                 "not bound");
    json_decref(stolen);
    /* Another's certificate put in place of one's own breaks the proof. */
    stolen = json_deep_copy(record);
    json_decref(record);
    record = record_of("both", world.p256, DID_ROLE_ASSERTION, FM_OK);
    assert_int_equal(
        json_object_set(stolen, "certificates", json_object_get(record, "certificates")), 0);
    assert_int_equal(check(&facts, stolen, "root", NULL, world.now_s, &err), FM_E_AUTH);
    json_decref(stolen);
    json_decref(record);
}

static void moments(void **state)
{
    struct did_x509_facts facts;
    struct base_err err = {0};
    json_t *record = record_of("good", world.p256, DID_ROLE_ASSERTION, FM_OK);

    (void)state;
    assert_int_equal(check(&facts, record, "root", NULL, world.now_s + 364 * DAY, &err), FM_OK);
    tools_expect(check(&facts, record, "root", NULL, world.now_s + 366 * DAY, &err), FM_E_INVALID,
                 &err, "expired");
    tools_expect(check(&facts, record, "root", NULL, world.now_s - DAY, &err), FM_E_INVALID, &err,
                 "not yet valid");
    json_decref(record);
}

static void revocation(void **state)
{
    struct did_x509_facts facts;
    struct base_err err = {0};
    json_t *good = record_of("good", world.p256, DID_ROLE_ASSERTION, FM_OK);
    json_t *revoked = record_of("revoked", world.p256, DID_ROLE_ASSERTION, FM_OK);

    (void)state;
    assert_int_equal(check(&facts, revoked, "root", NULL, world.now_s, &err), FM_OK);
    assert_int_equal(check(&facts, good, "root", "lists", world.now_s, &err), FM_OK);
    tools_expect(check(&facts, revoked, "root", "lists", world.now_s, &err), FM_E_INVALID, &err,
                 "revoked");
    tools_expect(check(&facts, good, "root", "lists2", world.now_s, &err), FM_E_INVALID, &err,
                 "certificate 2 of the chain");
    tools_expect(check(&facts, good, "root", "half", world.now_s, &err), FM_E_AUTH, &err, "CRL");
    tools_expect(check(&facts, good, "root", "good", world.now_s, &err), FM_E_ARG, &err,
                 "no revocation list");
    tools_expect(check(&facts, good, "lists", NULL, world.now_s, &err), FM_E_ARG, &err,
                 "of a CA is there");
    json_decref(good);
    json_decref(revoked);
}

/* No changed record is taken, and each is refused in order. */
static void tampering(void **state)
{
    json_t *record = record_of("good", world.p256, DID_ROLE_ASSERTION, FM_OK);
    struct base_buf text = {0};
    struct did_x509_facts facts;
    struct base_err err = {0};
    struct tools_random r;

    (void)state;
    assert_int_equal(base_json_canonical(&text, record, &err), FM_OK);
    tools_random_init(&r, 6);
    for (int i = 0; i < 400; i++) {
        size_t at = (size_t)tools_random_below(&r, text.len);
        uint8_t old = text.p[at];
        json_t *bent = NULL;
        text.p[at] = (uint8_t)(old ^ (1u << tools_random_below(&r, 7)));
        if (base_json_parse(&bent, (const char *)text.p, text.len, &err) == FM_OK)
            assert_int_not_equal(check(&facts, bent, "root", NULL, world.now_s, &err), FM_OK);
        text.p[at] = old;
        json_decref(bent);
    }
    base_buf_release(&text);
    json_decref(record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains),  cmocka_unit_test(other_suites), cmocka_unit_test(bindings),
        cmocka_unit_test(moments), cmocka_unit_test(revocation),   cmocka_unit_test(tampering),
    };

    if (system("command -v openssl >/dev/null") != 0) {
        (void)fprintf(stderr, "skipped: no openssl command\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
