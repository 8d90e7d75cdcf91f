/* Consents, revocations, receipts and checkpoints, one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/test_profile.h"
#include "did/proof.h"
#include "ledger/proof/checkpoint.h"
#include "ledger/proof/test_world.h"

#define CREATED_S 1790000000

static struct world *w;
static struct base_err err;

static int set_up(void **state)
{
    (void)state;
    w = calloc(1, sizeof *w);
    world_init(w);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_release(w);
    free(w);
    return 0;
}

/* ---- inner documents ---- */

static void consents_are_the_subjects_own(void **state)
{
    struct did_secret *subject = world_secret(w), *other = world_secret(w);
    json_t *json = world_consent(w, subject), *revocation, *copy;
    struct ledger_consent consent;
    struct ledger_revocation parsed;
    uint8_t commitment[32];
    struct base_buf preimage = {0};

    (void)state;
    assert_int_equal(ledger_consent_parse(&consent, json, &err), FM_OK);
    assert_int_equal(ledger_consent_verify(&consent, json, NULL, DID_RULES_VERSION, &err), FM_OK);
    /* The commitment, byte by byte as the format says. */
    base_buf_put(&preimage, "firmiana/subject/v1\0", 20);
    base_buf_put(&preimage, w->chain, 32);
    base_buf_put_u64(&preimage, 18);
    base_buf_put_str(&preimage, "11010519491231002X");
    base_buf_put_u8(&preimage, 7);
    for (int i = 0; i < 31; i++)
        base_buf_put_u8(&preimage, 0);
    base_hash(commitment, preimage.p, preimage.len);
    assert_memory_equal(consent.commitment, commitment, 32);
    base_buf_release(&preimage);

    /* Every member is under the signature, and the key must be the subject. */
    copy = json_deep_copy(json);
    assert_int_equal(json_object_set_new(copy, "uses", json_integer(3)), 0);
    assert_int_equal(ledger_consent_parse(&consent, copy, &err), FM_OK);
    assert_int_equal(ledger_consent_verify(&consent, copy, NULL, DID_RULES_VERSION, &err),
                     FM_E_AUTH);
    (void)json_object_del(copy, "proof");
    assert_int_equal(ledger_subject_sign(copy, other, CREATED_S, &err), FM_OK);
    assert_int_equal(ledger_consent_verify(&consent, copy, NULL, DID_RULES_VERSION, &err),
                     FM_E_AUTH);
    assert_string_equal(err.text, "consent: the proof is not by the subject's key");
    json_decref(copy);

    assert_int_equal(ledger_consent_parse(&consent, json, &err), FM_OK);
    assert_int_equal(ledger_revocation_build(&revocation, w->chain, consent.id, &err), FM_OK);
    assert_int_equal(ledger_subject_sign(revocation, subject, CREATED_S, &err), FM_OK);
    assert_int_equal(ledger_revocation_parse(&parsed, revocation, &err), FM_OK);
    assert_memory_equal(parsed.consent, consent.id, 32);
    assert_int_equal(
        ledger_revocation_verify(revocation, consent.subject, NULL, DID_RULES_VERSION, &err),
        FM_OK);
    (void)json_object_del(revocation, "proof");
    assert_int_equal(ledger_subject_sign(revocation, other, CREATED_S, &err), FM_OK);
    assert_int_equal(
        ledger_revocation_verify(revocation, consent.subject, NULL, DID_RULES_VERSION, &err),
        FM_E_AUTH);
    json_decref(revocation);
    json_decref(json);
    did_secret_free(subject);
    did_secret_free(other);
}

static void consents_are_strict(void **state)
{
    static const struct {
        const char *name, *value, *text;
    } bad[] = {
        {"mode", "\"oral\"", "mode 'oral' is not one of: signed, attested, mandate"},
        {"mode", "\"attested\"", "member 'attestor' is missing"},
        {"type", "\"FirmianaReceipt\"", "member 'type' must be 'FirmianaConsent'"},
        {"purpose", NULL, "exactly one of 'purpose' and 'contract' is named"},
        {"expires", "1", "it expires before it begins"},
        {"uses", "0", "member 'uses' must be an integer of at least 1"},
        {"grantee", "\"Bank\"", "member 'grantee' must be an alias"},
        {"commitment", "\"00\"", "member 'commitment' must be 64 lower-case hex digits"},
        {"contract", "\"0000000000000000000000000000000000000000000000000000000000000000\"",
         "exactly one of 'purpose' and 'contract' is named"},
        {"extra", "1", "unknown member 'extra'"},
    };
    struct did_secret *subject = world_secret(w);
    json_t *json = world_consent(w, subject);

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        json_t *copy = json_deep_copy(json), *value = NULL;
        struct ledger_consent consent;
        if (bad[i].value != NULL)
            value = json_loads(bad[i].value, JSON_DECODE_ANY, NULL);
        if (value != NULL)
            assert_int_equal(json_object_set_new(copy, bad[i].name, value), 0);
        else
            (void)json_object_del(copy, bad[i].name);
        assert_int_equal(ledger_consent_parse(&consent, copy, &err), FM_E_INPUT);
        if (strstr(err.text, bad[i].text) == NULL)
            fail_msg("%s: %s", bad[i].name, err.text);
        json_decref(copy);
    }
    json_decref(json);
    did_secret_free(subject);
}

/* The members as one resolver, as the machine and the verifier have them. */
static fm_status resolve(void *ctx, struct did_key *out, const char *method, enum did_role role,
                         struct base_err *e)
{
    (void)ctx;
    for (size_t i = 0; i <= WORLD_MEMBERS; i++) {
        size_t n = strlen(w->m[i].did);
        if (strncmp(method, w->m[i].did, n) == 0 && method[n] == '#')
            return did_document_key(w->m[i].doc, out, role, method, e);
    }
    return base_err_set(e, FM_E_AUTH, "no member");
}

static void receipts_carry_their_signers(void **state)
{
    const struct did_resolver members = {resolve, NULL};
    struct did_proof signers[DID_PROOF_SET_MAX];
    struct ledger_receipt r;
    json_t *contract = world_contract(w), *open = world_open(w, contract);
    json_t *json = world_receipt(w, open, LEDGER_RECEIPT_DONE, 7), *item;
    size_t n;

    (void)state;
    assert_int_equal(ledger_receipt_parse(&r, json, &err), FM_OK);
    assert_int_equal(ledger_receipt_verify(signers, &n, json, DID_RULES_VERSION, &members, &err),
                     FM_OK);
    assert_int_equal(n, 3);
    item = json_array_get(json_object_get(json, "channels"), 0);
    assert_int_equal(json_object_set_new(item, "to", json_string("bank_c")), 0);
    assert_int_equal(ledger_receipt_verify(signers, &n, json, DID_RULES_VERSION, &members, &err),
                     FM_E_AUTH);
    assert_int_equal(json_object_set_new(item, "to", json_string("bank_b")), 0);
    assert_int_equal(json_object_set_new(json, "party", json_string("bank_b")), 0);
    assert_int_equal(ledger_receipt_parse(&r, json, &err), FM_E_INPUT);
    assert_string_equal(err.text, "receipt: a query that is done names no rule and no party");
    (void)json_object_del(json, "party");
    item = json_array_get(json_object_get(json, "inputs"), 0);
    assert_int_equal(json_object_set_new(item, "holders", json_pack("[s]", "bank_a")), 0);
    assert_int_equal(ledger_receipt_parse(&r, json, &err), FM_E_INPUT);
    assert_string_equal(err.text, "receipt: inputs[0]: a component has two holders");
    json_decref(json);
    json_decref(open);
    json_decref(contract);
}

/* ---- checkpoints ---- */

static struct ledger_checkpoint cp, again;

static struct base_buf cosigned_by_three(void)
{
    struct base_buf text = {0};

    memset(&cp, 0, sizeof cp);
    memcpy(cp.chain, w->chain, 32);
    cp.size = 1234;
    cp.root[0] = 0x5a;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(
            ledger_cosign(&cp.cosigner[cp.n++], &cp, w->m[i].did, w->m[i].node, CREATED_S, &err),
            FM_OK);
    assert_int_equal(ledger_checkpoint_encode(&text, &cp, &err), FM_OK);
    return text;
}

static void checkpoints_are_c2sp_notes(void **state)
{
    struct base_buf text = cosigned_by_three();
    char want[128], hex[65];
    uint8_t preimage[256], hash[32];
    const struct did_key *key = did_secret_key(w->m[0].node);
    size_t n;

    (void)state;
    test_profile_international();
    base_hex(hex, w->chain, 32);
    (void)snprintf(want, sizeof want,
                   "firmiana/%s\n1234\nWgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n", hex);
    assert_memory_equal(text.p, want, strlen(want));
    assert_memory_equal(text.p + strlen(want), "\xe2\x80\x94 did:firmiana:", 17);
    assert_int_equal(ledger_checkpoint_parse(&again, (char *)text.p, text.len, &err), FM_OK);
    assert_true(ledger_checkpoint_same(&cp, &again));
    assert_int_equal(again.n, 3);
    assert_memory_equal(again.cosigner, cp.cosigner, sizeof cp.cosigner);
    /* key id = SHA-256(name || "\n" || 0x04 || public key)[:4], and the message as the spec has it.
     */
    n = (size_t)snprintf((char *)preimage, sizeof preimage, "%s\n\x04", w->m[0].did);
    memcpy(preimage + n, key->bytes, 32);
    base_hash(hash, preimage, n + 32);
    assert_memory_equal(cp.cosigner[0].key_id, hash, 4);
    n = (size_t)snprintf((char *)preimage, sizeof preimage,
                         "cosignature/v1\ntime %d\nfirmiana/%s\n1234\n"
                         "WgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
                         CREATED_S, hex);
    assert_int_equal(
        did_key_verify(key, DID_RULES_VERSION, cp.cosigner[0].signature, 64, preimage, n, &err),
        FM_OK);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(ledger_cosignature_verify(&again.cosigner[i], &again, w->m[i].doc,
                                                   DID_RULES_VERSION, &err),
                         FM_OK);
    base_buf_release(&text);
}

static void cosignatures_say_one_thing(void **state)
{
    struct base_buf text = cosigned_by_three();
    struct ledger_cosignature c = cp.cosigner[0], other;

    (void)state;
    assert_int_equal(ledger_cosignature_verify(&c, &cp, w->m[1].doc, DID_RULES_VERSION, &err),
                     FM_E_AUTH);
    cp.size++;
    assert_int_equal(ledger_cosignature_verify(&c, &cp, w->m[0].doc, DID_RULES_VERSION, &err),
                     FM_E_AUTH);
    cp.size--;
    cp.root[31] ^= 1;
    assert_int_equal(ledger_cosignature_verify(&c, &cp, w->m[0].doc, DID_RULES_VERSION, &err),
                     FM_E_AUTH);
    cp.root[31] ^= 1;
    cp.chain[0] ^= 1;
    assert_int_equal(ledger_cosignature_verify(&c, &cp, w->m[0].doc, DID_RULES_VERSION, &err),
                     FM_E_AUTH);
    cp.chain[0] ^= 1;
    c.time_s++;
    assert_int_equal(ledger_cosignature_verify(&c, &cp, w->m[0].doc, DID_RULES_VERSION, &err),
                     FM_E_AUTH);
    /* A key of the member without the role. */
    assert_int_equal(ledger_cosign(&other, &cp, w->m[0].did, w->m[0].officer[0], CREATED_S, &err),
                     FM_OK);
    assert_int_equal(ledger_cosignature_verify(&other, &cp, w->m[0].doc, DID_RULES_VERSION, &err),
                     FM_E_AUTH);
    assert_int_equal(ledger_cosign(&other, &cp, w->m[0].did, w->m[0].node, 0, &err), FM_E_ARG);
    base_buf_release(&text);
}

static void every_byte_of_a_checkpoint_counts(void **state)
{
    struct base_buf text = cosigned_by_three();
    size_t malformed = 0, unsigned_ = 0;

    (void)state;
    for (size_t i = 0; i < text.len; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            bool good = true;
            text.p[i] ^= (uint8_t)(1u << bit);
            if (ledger_checkpoint_parse(&again, (char *)text.p, text.len, &err) != FM_OK) {
                assert_int_equal(err.code, FM_E_INPUT);
                malformed++;
                good = false;
            } else {
                for (size_t k = 0; k < again.n; k++)
                    good =
                        good && ledger_cosignature_verify(&again.cosigner[k], &again, w->m[k].doc,
                                                          DID_RULES_VERSION, &err) == FM_OK;
                unsigned_ += !good;
            }
            assert_false(good);
            text.p[i] ^= (uint8_t)(1u << bit);
        }
        assert_int_not_equal(ledger_checkpoint_parse(&again, (char *)text.p, i, &err) == FM_OK &&
                                 again.n == 3,
                             true);
    }
    print_message("checkpoint: %zu changes malformed, %zu not signed\n", malformed, unsigned_);
    base_buf_put_str(&text, "x");
    assert_int_equal(ledger_checkpoint_parse(&again, (char *)text.p, text.len, &err), FM_E_INPUT);
    base_buf_release(&text);
    cp.cosigner[1] = cp.cosigner[0];
    assert_int_equal(ledger_checkpoint_encode(&text, &cp, &err), FM_OK);
    assert_int_equal(ledger_checkpoint_parse(&again, (char *)text.p, text.len, &err), FM_E_INPUT);
    assert_string_equal(err.text, "checkpoint: line 6 repeats a cosigner");
    base_buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(consents_are_the_subjects_own),
        cmocka_unit_test(consents_are_strict),
        cmocka_unit_test(receipts_carry_their_signers),
        cmocka_unit_test(checkpoints_are_c2sp_notes),
        cmocka_unit_test(cosignatures_say_one_thing),
        cmocka_unit_test(every_byte_of_a_checkpoint_counts),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
