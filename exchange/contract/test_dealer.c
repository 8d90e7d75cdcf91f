/* The dealer's signature on a threshold key: who signed is who is named, and nothing in it changes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "did/key_did.h"
#include "exchange/aggregate/key.h"
#include "exchange/contract/dealer.h"

static struct base_err err;

static void ok(fm_status st)
{
    if (st != FM_OK)
        fail_msg("%s", err.text);
}

struct dealer {
    struct did_secret *secret;
    char method[DID_KEY_METHOD_TEXT], name[CONTRACT_DEALER_TEXT];
};

static void dealer_new(struct dealer *d, const char *suite)
{
    ok(did_secret_generate(&d->secret, did_suite_by_name(suite), base_random_system(), &err));
    ok(did_key_method_encode(d->method, did_secret_key(d->secret), &err));
    ok(contract_dealer_name(d->name, "the notary", d->secret, &err));
}

/* Signing looks at the JSON alone: any bytes do for the modulus. */
static json_t *bare_of(const char *dealer)
{
    return json_pack("{s:i,s:s,s:s,s:[s,s,s],s:s,s:i}", "bits", 2048, "dealer", dealer, "kind",
                     "threshold", "parties", "bank_a", "bank_b", "bank_c", "public", "AQQIAAcHBwc",
                     "threshold", 2);
}

static void says(const json_t *key, const char *what)
{
    assert_int_equal(contract_dealer_check(key, &err), FM_E_AUTH);
    assert_string_equal(err.text, what);
}

#define NOT_OF_THIS "key: the signature is not its dealer's, or not of this key"

static void every_suite(void **unused)
{
    static const char *const suites[] = {"ed25519", "p256", "sm2"};

    (void)unused;
    for (size_t i = 0; i < 3; i++) {
        struct dealer d;
        json_t *bare, *key, *again, *proof;
        dealer_new(&d, suites[i]);
        bare = bare_of(d.name);
        ok(contract_dealer_sign(&key, bare, d.secret, d.method, 1763640000, &err));
        ok(contract_dealer_check(key, &err));
        ok(aggregate_key_split(&again, &proof, key, &err));
        assert_true(json_equal(again, bare));
        assert_non_null(proof);
        json_decref(again);
        json_decref(proof);
        json_decref(key);
        json_decref(bare);
        did_secret_free(d.secret);
    }
}

static void changed(void **unused)
{
    static const struct {
        const char *name, *json;
    } others[] = {{"bits", "3072"},
                  {"kind", "\"other\""},
                  {"parties", "[\"bank_b\",\"bank_a\",\"bank_c\"]"},
                  {"threshold", "1"}};
    struct dealer d;
    json_t *bare, *key, *proof, *other;

    (void)unused;
    dealer_new(&d, "ed25519");
    bare = bare_of(d.name);
    says(bare, "key: its dealer did not sign it: it must be dealt anew, by this version's firmiana "
               "key deal --key FILE");
    ok(contract_dealer_sign(&key, bare, d.secret, d.method, 1763640000, &err));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        other = json_copy(key);
        (void)json_object_set_new(other, others[i].name,
                                  json_loads(others[i].json, JSON_DECODE_ANY, NULL));
        says(other, NOT_OF_THIS);
        json_decref(other);
    }
    json_decref(bare);
    ok(aggregate_key_split(&bare, &proof, key, &err));
    (void)json_object_set_new(bare, "public", json_string("AQQIAAcHBwY")); /* another modulus */
    ok(aggregate_key_join(&other, bare, proof, &err));
    says(other, NOT_OF_THIS);
    json_decref(other);
    json_decref(bare);
    json_decref(proof);
    json_decref(key);
    did_secret_free(d.secret);
}

/* Another's key, its own signature or the dealer's name on it. */
static void foreign(void **unused)
{
    struct dealer d, other;
    json_t *bare, *key;

    (void)unused;
    dealer_new(&d, "ed25519");
    dealer_new(&other, "ed25519");
    bare = bare_of(d.name);
    ok(contract_dealer_sign(&key, bare, other.secret, other.method, 1763640000, &err));
    says(key, "key: another signed it than the dealer that it names");
    json_decref(key);
    json_decref(bare);
    bare = bare_of("the notary");
    ok(contract_dealer_sign(&key, bare, d.secret, d.method, 1763640000, &err));
    says(key, "key: another signed it than the dealer that it names");
    json_decref(key);
    json_decref(bare);
    did_secret_free(d.secret);
    did_secret_free(other.secret);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_suite), cmocka_unit_test(changed),
                                       cmocka_unit_test(foreign)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
