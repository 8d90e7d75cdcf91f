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
#include "did/multibase.h"
#include "did/proof.h"
#include "did/test_fixture.h"

#define WHEN 1795168260 /* 2026-11-20T09:51:00Z */

static const struct did_resolver by_did_key = {did_proof_resolve_did_key, NULL};

static json_t *transaction(void)
{
    return json_pack("{s:s, s:s, s:I, s:{s:[s,i,b], s:{}}}", "type", "query.open", "sender",
                     did_document_id(member.doc), "not_after", (json_int_t)1795254660, "body",
                     "list", "\xe2\x82\xac\n", -7, 1, "empty");
}

/* One proof by the node over a transaction, ready to be spoiled. */
static json_t *signed_transaction(void)
{
    json_t *tx = transaction();
    struct base_err err = {0};

    assert_int_equal(did_proof_add(tx, member.node, tools_method(member.doc, member.node),
                                   DID_ROLE_ASSERTION, WHEN, &err),
                     FM_OK);
    return tx;
}

static fm_status verify(const json_t *tx, enum did_role role, struct base_err *err)
{
    struct did_resolver resolver = did_document_resolver(member.doc);
    struct did_proof proof;
    fm_status st = did_proof_verify(&proof, tx, role, DID_RULES_VERSION, &resolver, err);

    if (st == FM_OK) {
        assert_string_equal(proof.method, tools_method(member.doc, member.node));
        assert_true(did_key_equal(&proof.key, did_secret_key(member.node)));
    } else {
        assert_null(proof.key.suite);
    }
    return st;
}

/* ---- the W3C's vectors ---- */

static void check_hex(const uint8_t *bytes, size_t len, const char *file)
{
    char *text = tools_text(file);
    char hex[129];

    base_hex(hex, bytes, len);
    assert_string_equal(hex, text);
    free(text);
}

/* vc-di-eddsa 1.0, appendix B.2: each step, the signature made again, and the whole verified. */
static void w3c_vector(void **state)
{
    json_t *document = tools_vectors("vc-di-eddsa/eddsa-jcs-2022/signedJCS.json");
    json_t *keys = tools_vectors("vc-di-eddsa/keyPair.json");
    json_t *config = tools_vectors("vc-di-eddsa/eddsa-jcs-2022/proofConfigJCS.json");
    json_t *unsigned_one = tools_vectors("vc-di-eddsa/unsigned.json");
    const char *private_text = json_string_value(json_object_get(keys, "privateKeyMultibase"));
    const json_t *proof_value = json_object_get(json_object_get(document, "proof"), "proofValue");
    uint8_t hash64[64], private_bytes[34], signature[64];
    struct did_secret *secret;
    struct did_proof proof;
    struct base_err err = {0};

    (void)state;
    assert_int_equal(did_proof_hash(hash64, unsigned_one, config, DID_DIGEST_SHA256, &err), FM_OK);
    check_hex(hash64, 32, "vc-di-eddsa/eddsa-jcs-2022/proofHashJCS.txt");
    check_hex(hash64 + 32, 32, "vc-di-eddsa/eddsa-jcs-2022/docHashJCS.txt");
    check_hex(hash64, 64, "vc-di-eddsa/eddsa-jcs-2022/combinedHashJCS.txt");
    assert_int_equal(did_multibase_decode(private_bytes, 34, private_text, &err), FM_OK);
    assert_memory_equal(private_bytes, "\x80\x26", 2); /* multicodec ed25519-priv, 0x1300 */
    assert_int_equal(did_secret_import(&secret, did_suite_ed25519(), private_bytes + 2, 32, &err),
                     FM_OK);
    assert_int_equal(did_secret_sign(secret, signature, hash64, 64, &err), FM_OK);
    check_hex(signature, 64, "vc-di-eddsa/eddsa-jcs-2022/sigHexJCS.txt");
    assert_int_equal(did_proof_verify(&proof, document, DID_ROLE_ASSERTION, DID_RULES_VERSION,
                                      &by_did_key, &err),
                     FM_OK);
    assert_int_equal(proof.created_s, 1677281798);
    /* Signing the unsigned document ourselves gives the W3C's bytes. */
    assert_int_equal(did_proof_add(unsigned_one, secret, proof.method, DID_ROLE_ASSERTION,
                                   proof.created_s, &err),
                     FM_OK);
    assert_true(json_equal(unsigned_one, document));
    json_string_set((json_t *)(uintptr_t)proof_value, "z2HnFSSPPBzR36zdDgK8PbEHeXbR56YF24jwMpt3R1");
    assert_int_equal(did_proof_verify(&proof, document, DID_ROLE_ASSERTION, DID_RULES_VERSION,
                                      &by_did_key, &err),
                     FM_E_INPUT);
    did_secret_free(secret);
    json_decref(document);
    json_decref(keys);
    json_decref(config);
    json_decref(unsigned_one);
}

/* The W3C's other vectors are of cryptosuites that we do not accept, since they canonicalise RDF,
 * and of chains: refused, for that reason, as what the ledger reads (one proof or a set) and as
 * what credentials have. */
static void other_cryptosuites_are_refused(void **state)
{
    static const struct {
        const char *file;
        fm_status code;
        const char *ledger, *credential; /* NULL: the cryptosuite, FM_E_AUTH */
    } cases[] = {
#define SUITE "cryptosuite is 'eddsa-rdfc-2022', but the key is for 'eddsa-jcs-2022'"
#define P256_SUITE "cryptosuite is 'ecdsa-rdfc-2019', but the key is for 'ecdsa-jcs-2019'"
#define TYPE "type must be 'DataIntegrityProof'"
#define MEMBER "unknown member 'id'"
#define ONE "exactly one proof is needed here, as an object"
#define ORDER "must ascend by verificationMethod"
        {"vc-di-eddsa/eddsa-rdfc-2022/signedDataInt.json", FM_E_AUTH, SUITE, SUITE},
        {"vc-di-eddsa/eddsa-rdfc-2022/employ/signedDataInt.json", FM_E_AUTH, SUITE, SUITE},
        {"vc-di-ecdsa/ecdsa-rdfc-2019-p256/signedECDSAP256.json", FM_E_AUTH, P256_SUITE,
         P256_SUITE},
        {"vc-di-ecdsa/ecdsa-rdfc-2019-p256/employ/signedECDSAP256.json", FM_E_AUTH, P256_SUITE,
         P256_SUITE},
        {"vc-di-eddsa/Ed25519Signature2020/signedEdSig.json", FM_E_INPUT, TYPE, TYPE},
        {"vc-di-eddsa/proof-set-chain/signedProofSet1.json", FM_E_INPUT, MEMBER, NULL},
        {"vc-di-eddsa/proof-set-chain/signedProofSet2.json", FM_E_INPUT, ORDER, ONE},
        {"vc-di-eddsa/proof-set-chain/signedProofChain1.json", FM_E_INPUT, ORDER, ONE},
        {"vc-di-eddsa/proof-set-chain/signedProofChain2.json", FM_E_INPUT, ORDER, ONE},
        {"vc-di-eddsa/proof-set-chain/proofChainTempDoc1.json", FM_E_INPUT, ORDER, ONE},
        {"vc-di-eddsa/proof-set-chain/proofChainTempDoc2.json", FM_E_INPUT,
         "an array of 2 to 32 objects", ONE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct did_proof_terms terms = {.now_s = WHEN};
        json_t *document = tools_vectors(cases[i].file);
        struct did_proof proofs[DID_PROOF_SET_MAX];
        struct base_err err = {0};
        size_t count;
        print_message("%s\n", cases[i].file);
        tools_expect(did_proof_verify_set(proofs, &count, document, DID_ROLE_ASSERTION,
                                          DID_RULES_VERSION, &by_did_key, &err),
                     cases[i].code, &err, cases[i].ledger);
        assert_int_equal(count, 0);
        tools_expect(did_proof_verify_terms(proofs, document, DID_ROLE_ASSERTION, &terms,
                                            DID_RULES_VERSION, &by_did_key, &err),
                     cases[i].credential == NULL ? FM_E_AUTH : cases[i].code, &err,
                     cases[i].credential == NULL ? SUITE : cases[i].credential);
        json_decref(document);
    }
}

/* ---- one proof ---- */

static void sign_and_verify(void **state)
{
    json_t *tx = signed_transaction();
    json_t *again = signed_transaction();
    struct base_err err = {0};

    (void)state;
    assert_int_equal(verify(tx, DID_ROLE_ASSERTION, &err), FM_OK);
    assert_true(json_equal(tx, again));
    assert_int_equal(did_proof_add(tx, member.node, "did:x#y", DID_ROLE_ASSERTION, WHEN, &err),
                     FM_E_CONFLICT);
    assert_int_equal(verify(tx, DID_ROLE_INVOCATION, &err), FM_E_AUTH);
    assert_non_null(strstr(err.text, "purpose is 'assertionMethod', needed is 'capabil"));
    json_decref(tx);
    json_decref(again);
}

static void the_wrong_key_is_refused(void **state)
{
    const struct did_secret *wrong[] = {member.channel, member.officer[0], member.recovery};
    const char *node = tools_method(member.doc, member.node);
    struct base_err err = {0};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        json_t *honest = transaction(), *lying = transaction();
        assert_int_equal(did_proof_add(honest, wrong[i], tools_method(member.doc, wrong[i]),
                                       DID_ROLE_ASSERTION, WHEN, &err),
                         FM_OK);
        assert_int_equal(verify(honest, DID_ROLE_ASSERTION, &err), FM_E_AUTH);
        assert_int_equal(did_proof_add(lying, wrong[i], node, DID_ROLE_ASSERTION, WHEN, &err),
                         FM_OK);
        assert_int_equal(verify(lying, DID_ROLE_ASSERTION, &err), FM_E_AUTH);
        assert_non_null(strstr(err.text, "does not match key and message"));
        json_decref(honest);
        json_decref(lying);
    }
}

/* Applies one change to the proof of a fresh signed transaction and expects a refusal. */
static void expect_refusal(const char *name, json_t *value, fm_status code, const char *text)
{
    json_t *tx = signed_transaction();
    struct base_err err = {0};

    if (value == NULL)
        json_object_del(json_object_get(tx, "proof"), name);
    else
        json_object_set_new(json_object_get(tx, "proof"), name, value);
    assert_int_equal(verify(tx, DID_ROLE_ASSERTION, &err), code);
    if (strstr(err.text, text) == NULL)
        fail_msg("'%s' does not say '%s'", err.text, text);
    json_decref(tx);
}

static void every_member_of_a_proof_counts(void **state)
{
    static const char *const members[] = {"type",         "cryptosuite",        "created",
                                          "proofPurpose", "verificationMethod", "proofValue"};

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        expect_refusal(members[i], NULL, FM_E_INPUT, "is missing");
        expect_refusal(members[i], json_true(), FM_E_INPUT, "must be a string");
        expect_refusal(members[i], json_string(""),
                       i == 3 || i == 1 || i == 4 ? FM_E_AUTH : FM_E_INPUT, "");
    }
    expect_refusal("nonce", json_string("1"), FM_E_INPUT, "unknown member 'nonce'");
    expect_refusal("previousProof", json_string("1"), FM_E_INPUT, "unknown member");
    expect_refusal("@context", json_string("x"), FM_E_INPUT, "@context is not that of");
    expect_refusal("created", json_string("2026-11-20T09:51:01Z"), FM_E_AUTH, "does not match");
    expect_refusal("created", json_string("2026-11-20T09:51:00.000Z"), FM_E_INPUT, "created must");
    expect_refusal("cryptosuite", json_string("eddsa-rdfc-2022"), FM_E_AUTH, "the key is for");
    expect_refusal("type", json_string("Ed25519Signature2020"), FM_E_INPUT, "type must be");
}

static void multibase_of_a_proof_is_strict(void **state)
{
    json_t *tx = signed_transaction();
    const char *value =
        json_string_value(json_object_get(json_object_get(tx, "proof"), "proofValue"));

    (void)state;
    expect_refusal("proofValue", json_sprintf("z1%s", value + 1), FM_E_INPUT, "64 bytes");
    expect_refusal("proofValue", json_sprintf("%s ", value), FM_E_INPUT, "64 bytes");
    expect_refusal("proofValue", json_sprintf("%s1", value), FM_E_INPUT, "64 bytes");
    expect_refusal("proofValue", json_sprintf("Z%s", value + 1), FM_E_INPUT, "begin with 'z'");
    expect_refusal("proofValue", json_string(value + 1), FM_E_INPUT, "multibase");
    json_decref(tx);
}

static void exactly_one_proof(void **state)
{
    json_t *tx = signed_transaction();
    json_t *proof = json_incref(json_object_get(tx, "proof"));
    struct base_err err = {0};

    (void)state;
    json_object_set_new(tx, "proof", json_pack("[O]", proof));
    assert_int_equal(verify(tx, DID_ROLE_ASSERTION, &err), FM_E_INPUT);
    assert_string_equal(err.text, "exactly one proof is needed here, as an object");
    json_object_set_new(tx, "proof", json_pack("[O, O]", proof, proof));
    assert_int_equal(verify(tx, DID_ROLE_ASSERTION, &err), FM_E_INPUT);
    json_object_del(tx, "proof");
    assert_int_equal(verify(tx, DID_ROLE_ASSERTION, &err), FM_E_INPUT);
    json_decref(proof);
    json_decref(tx);
}

static void long_methods_and_odd_objects_are_refused(void **state)
{
    json_t *tx = transaction(), *list = json_array();
    char method[DID_METHOD_TEXT + 1];
    struct base_err err = {0};

    (void)state;
    memset(method, 'm', sizeof method);
    method[DID_METHOD_TEXT] = '\0';
    assert_int_equal(did_proof_add(tx, member.node, method, DID_ROLE_ASSERTION, WHEN, &err),
                     FM_E_ARG);
    assert_null(json_object_get(tx, "proof"));
    expect_refusal("verificationMethod", json_string(method), FM_E_INPUT, "is too long");
    assert_int_equal(did_proof_add(tx, member.node, "m", DID_ROLE_ASSERTION, -1, &err), FM_E_ARG);
    assert_int_equal(did_proof_add(list, member.node, "m", DID_ROLE_ASSERTION, WHEN, &err),
                     FM_E_ARG);
    json_object_set_new(tx, "real", json_real(0.5));
    assert_int_equal(did_proof_add(tx, member.node, "m", DID_ROLE_ASSERTION, WHEN, &err),
                     FM_E_INPUT);
    assert_null(json_object_get(tx, "proof"));
    assert_int_equal(verify(list, DID_ROLE_ASSERTION, &err), FM_E_INPUT);
    json_decref(list);
    json_decref(tx);
}

/* A context of the object is signed with it, and may neither grow nor shrink. */
static void contexts_are_signed(void **state)
{
    json_t *tx = transaction();
    struct base_err err = {0};

    (void)state;
    json_object_set_new(tx, "@context", json_pack("[s]", "https://www.w3.org/ns/credentials/v2"));
    assert_int_equal(did_proof_add(tx, member.node, tools_method(member.doc, member.node),
                                   DID_ROLE_ASSERTION, WHEN, &err),
                     FM_OK);
    assert_int_equal(verify(tx, DID_ROLE_ASSERTION, &err), FM_OK);
    json_array_append_new(json_object_get(tx, "@context"), json_string("https://more.example/"));
    json_object_set_new(json_object_get(tx, "proof"), "@context",
                        json_pack("[s]", "https://www.w3.org/ns/credentials/v2"));
    assert_int_equal(verify(tx, DID_ROLE_ASSERTION, &err), FM_E_INPUT);
    json_decref(tx);
}

/* ---- proof sets ---- */

static fm_status add_officer(json_t *tx, size_t i, struct base_err *err)
{
    return did_proof_add_to_set(tx, member.officer[i], tools_method(member.doc, member.officer[i]),
                                DID_ROLE_INVOCATION, WHEN, err);
}

/* The order of signing leaves no trace. */
static void sets_have_one_encoding(void **state)
{
    static const size_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                        {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    json_t *tx[6];
    struct base_err err = {0};
    size_t count;

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        tx[i] = transaction();
        for (size_t j = 0; j < 3; j++) {
            fm_status enough = j >= 1 ? FM_OK : FM_E_AUTH;
            assert_int_equal(add_officer(tx[i], orders[i][j], &err), FM_OK);
            assert_int_equal(
                did_document_verify_officers(member.doc, &count, tx[i], DID_RULES_VERSION, &err),
                enough);
            assert_int_equal(count, j + 1);
        }
        assert_true(json_equal(tx[0], tx[i]));
        assert_int_equal(add_officer(tx[i], 1, &err), FM_E_CONFLICT);
    }
    for (size_t i = 0; i < 6; i++)
        json_decref(tx[i]);
}

static void spoiled_sets_are_refused(void **state)
{
    json_t *tx = transaction(), *first, *set;
    struct base_err err = {0};
    size_t count;

    (void)state;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(add_officer(tx, i, &err), FM_OK);
    set = json_object_get(tx, "proof");
    first = json_incref(json_array_get(set, 0));
    /* out of order */
    json_array_remove(set, 0);
    json_array_append(set, first);
    assert_int_equal(did_document_verify_officers(member.doc, &count, tx, DID_RULES_VERSION, &err),
                     FM_E_INPUT);
    assert_int_equal(count, 0);
    /* the same proof twice */
    json_array_set(set, 2, json_array_get(set, 1));
    assert_int_equal(did_document_verify_officers(member.doc, &count, tx, DID_RULES_VERSION, &err),
                     FM_E_INPUT);
    /* two good ones and a bad one */
    json_array_clear(set);
    json_object_del(tx, "proof");
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(add_officer(tx, i, &err), FM_OK);
    set = json_object_get(tx, "proof");
    json_object_set_new(json_array_get(set, 2), "created", json_string("2026-11-20T09:51:01Z"));
    assert_int_equal(did_document_verify_officers(member.doc, &count, tx, DID_RULES_VERSION, &err),
                     FM_E_AUTH);
    json_decref(first);
    json_decref(tx);
}

static fm_status one_key_for_all(void *ctx, struct did_key *out, const char *method,
                                 enum did_role role, struct base_err *err)
{
    (void)method;
    (void)role;
    (void)err;
    *out = *(const struct did_key *)ctx;
    return FM_OK;
}

/* Whatever the resolver thinks, one key is one signer. */
static void one_key_signs_once(void **state)
{
    struct did_key key = *did_secret_key(member.node);
    const struct did_resolver resolver = {one_key_for_all, &key};
    struct did_proof proofs[DID_PROOF_SET_MAX];
    json_t *tx = transaction();
    struct base_err err = {0};
    size_t count;

    (void)state;
    assert_int_equal(
        did_proof_add_to_set(tx, member.node, "did:a#1", DID_ROLE_ASSERTION, WHEN, &err), FM_OK);
    assert_int_equal(
        did_proof_add_to_set(tx, member.node, "did:a#2", DID_ROLE_ASSERTION, WHEN, &err), FM_OK);
    assert_int_equal(did_proof_verify_set(proofs, &count, tx, DID_ROLE_ASSERTION, DID_RULES_VERSION,
                                          &resolver, &err),
                     FM_E_AUTH);
    assert_string_equal(err.text, "did:a#1 and did:a#2 are the same key");
    json_decref(tx);
}

/* Nothing, one, and things that are no proofs, in an array. */
static void small_sets_are_refused(void **state)
{
    json_t *tx = transaction();
    struct did_resolver resolver = did_document_resolver(member.doc);
    struct did_proof proofs[DID_PROOF_SET_MAX];
    struct base_err err = {0};
    json_t *odd[5];
    size_t count;

    (void)state;
    assert_int_equal(add_officer(tx, 0, &err), FM_OK);
    odd[0] = json_array();
    odd[1] = json_pack("[O]", json_object_get(tx, "proof"));
    odd[2] = json_pack("[s, s]", "a", "b");
    odd[3] = json_string("z");
    odd[4] = json_true();
    for (size_t i = 0; i < 5; i++) {
        json_object_set_new(tx, "proof", odd[i]);
        assert_int_equal(did_proof_verify_set(proofs, &count, tx, DID_ROLE_INVOCATION,
                                              DID_RULES_VERSION, &resolver, &err),
                         FM_E_INPUT);
        assert_int_equal(count, 0);
    }
    json_decref(tx);
}

static void sets_are_bounded(void **state)
{
    struct did_key key = *did_secret_key(member.node);
    const struct did_resolver resolver = {one_key_for_all, &key};
    struct did_proof proofs[DID_PROOF_SET_MAX];
    size_t count;
    json_t *tx = transaction();
    struct base_err err = {0};
    char method[16];

    (void)state;
    for (int i = 0; i <= DID_PROOF_SET_MAX; i++) {
        (void)snprintf(method, sizeof method, "did:a#%d", i);
        assert_int_equal(
            did_proof_add_to_set(tx, member.node, method, DID_ROLE_ASSERTION, WHEN, &err),
            i < DID_PROOF_SET_MAX ? FM_OK : FM_E_LIMIT);
    }
    /* One more, put there by hand. */
    json_array_append_new(json_object_get(tx, "proof"),
                          json_pack("{s:s}", "verificationMethod", "did:b"));
    assert_int_equal(did_proof_verify_set(proofs, &count, tx, DID_ROLE_ASSERTION, DID_RULES_VERSION,
                                          &resolver, &err),
                     FM_E_INPUT);
    assert_non_null(strstr(err.text, "array of 2 to 32 objects"));
    json_decref(tx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(w3c_vector),
        cmocka_unit_test(other_cryptosuites_are_refused),
        cmocka_unit_test(sign_and_verify),
        cmocka_unit_test(the_wrong_key_is_refused),
        cmocka_unit_test(every_member_of_a_proof_counts),
        cmocka_unit_test(multibase_of_a_proof_is_strict),
        cmocka_unit_test(exactly_one_proof),
        cmocka_unit_test(long_methods_and_odd_objects_are_refused),
        cmocka_unit_test(contexts_are_signed),
        cmocka_unit_test(sets_have_one_encoding),
        cmocka_unit_test(spoiled_sets_are_refused),
        cmocka_unit_test(one_key_signs_once),
        cmocka_unit_test(small_sets_are_refused),
        cmocka_unit_test(sets_are_bounded),
    };
    return cmocka_run_group_tests_name("did proof", tests, setup, teardown);
}
