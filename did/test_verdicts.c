/* Verdicts are consensus, whatever libraries a node has: of thousands of signatures and keys, good
 * and altered, the verdicts with their reasons are pinned by a digest. A build of OpenSSL or
 * libsodium that says otherwise of one of them goes red here before it splits a ledger.
 * CMakeLists.txt runs this a second time with OpenSSL's code for processors without any extension.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "did/suite.h"
#include "did/test_tools.h"

/* Signed once; p256 and sm2 sign anew each time. */
static const struct specimen {
    const char *suite, *message, *key, *signature;
} specimens[] = {
    {"ed25519", "verdict 0", "04f2cf618b79b4337ceaecec00405b5dc403bb5dceaf92c50ffc7eeba06c80e5",
     "6a75aad5542ba05c4539ffe0dd8e0c4a0fbecc15d5daa35fff8276726151aeac"
     "2d2abccc3612f1f62db9e35a9a499d1db446ac55cc8a6d86c32f9d4bde7f8303"},
    {"ed25519", "verdict 1", "ec11441b8328964bc81bd82a20d191431588a65be89857693bd26414442f4a8f",
     "fd01800a4984fcae24eee4fe0cf7c457018ee29b4f2e92b3315d07890ca08c87"
     "5f4e3ef7e46fa85816a47fdbc672e6b86120ba4748d5f0565543fe62856ddd0e"},
    {"ed25519", "verdict 2", "a4384205275386adeb31dce53bae56d9bdb0d8ce4f49b2f481ef4131f6c7b73f",
     "e1ef0fd56e416561035f542d6eb2c4afa7ccf0e60e008d6ec7e75ca8408e997c"
     "3e91c661cf990bb9d853a7c105c5c8ed1a673097a326aeb14cf4a1511b7fa508"},
    {"ed25519", "verdict 3", "0ca9f5048ef4f8c902f5877507566d24a567aee70b688c005e078b5c8e8c8f32",
     "a2f76ddf3884230aa44c5108a7a0cb68bf31dc9627098fb44aa663e56ed2a3c1"
     "1eb715d57bd6e43b112312a8a91e7e369cc4b31747849aeccd0b6673b0430708"},
    {"p256", "verdict 0", "02fd74ef36862b26311875359d39cb11e56a890c13e942831513d8cb751fb5ea94",
     "49f7be9442486d8dc8d924ffe67d2b3df6d78057d6721f5248acab98e9cfd028"
     "afa4dddf615985cdcd2fb396f007fbe9a0927e92bc5e46ac95a49d3795151cdd"},
    {"p256", "verdict 1", "02b6979877d3ced3a071a72aed16f57f713f426c2b0ec4856c55c460f0c52a11ef",
     "0ccfb027abf62cd685a505131690cc5cfba05b1145c4696876cc756afa97e615"
     "294ece7a7c5d31567a947171f1f666d61b08bcb460c36d5da39f28b1ef8ce38f"},
    {"p256", "verdict 2", "03da98631dfa0bdd12f717078158395fb4de64d9e4531c41c7c119609a119895f9",
     "b570b35510d313c26ad957cdae367057a8037efee4fbfa37af26cf9175b625d1"
     "c69768aaa3735155466764ca2d4b0e85af0f83d9e16a6cd05e9317988598d44a"},
    {"p256", "verdict 3", "02b87ff183e434d4aa2474dfd56db5c396c12414f5947a5b22272416f788b9d1cd",
     "97f00a3a8aaff91403879d909eeb8d5e237683e346e1f4f995ad924f1ea9e08f"
     "e67671eb53f2783d5d6bb51155f61cd9fe889b6d62673cf4f2bc481db756b176"},
    {"sm2", "verdict 0", "03fa73bf0613b89be2c6d545dd6e551bab2ced20e31f0fd84b5844edc2df0fcc5c",
     "fa766342af4a2aa79a4540874cab238fe3c87c4d01e2b7e3e4abd54c0196358d"
     "3184b2e7d01fb73a15923c8ca9885f991a9a5c508f8e3b4ca32672ece64ddc66"},
    {"sm2", "verdict 1", "03ed0ffd0bc7e81ccae870af29e9709dc0ead92298dfec25f953392ecae6b8e15b",
     "138992f121a87edd6a5bfe4e48c89fb42549263c979a7346a744287789187d20"
     "ae4d14bea801ba4466568080c92b161f660fd564ad4420839a560898fc248451"},
    {"sm2", "verdict 2", "02f91f8cbc0f6d06c876bc8b69c7775960b12cf0831dc02eead0b5ca8fde6647f0",
     "9b2ceb2ca0c03da9e55234ac213681e9cc62e1a69c990cd666bf668dc8a9d655"
     "ce2af67ebcdc0476d8bf8ff2ed58461d4fe0689e92107368c06bc09f9aaa4237"},
    {"sm2", "verdict 3", "024b29f54c8057da371070b639cd3bdf8e73ce8c3e20865436150f7bc4b8ab170d",
     "b4596e955d97424837ec9788fb450d3d0d8be1df96bcd42af7a058913cb7898c"
     "96bc7219e4b66de585301860d2148784110b78ae51c10e9757b0c03468afdf49"},
};
#define SPECIMENS (sizeof specimens / sizeof specimens[0])

struct verdicts {
    struct base_hash hash;
    size_t accepted, refused;
};

/* The whole verdict: the status, and the words that the ledger keeps of a refusal. */
static void judge(struct verdicts *v, const struct did_suite *suite, const uint8_t *key,
                  const uint8_t *signature, const char *message, size_t len)
{
    struct base_err err = {0};
    struct did_key k;
    fm_status st = did_key_make(&k, suite, key, suite->key_len, DID_RULES_VERSION, &err);
    uint8_t byte;

    if (st == FM_OK)
        st = did_key_verify(&k, DID_RULES_VERSION, signature, suite->signature_len, message, len,
                            &err);
    assert_true(st == FM_OK || st == FM_E_AUTH);
    byte = (uint8_t)(st == FM_OK);
    base_hash_update(&v->hash, &byte, 1);
    if (st != FM_OK)
        base_hash_update(&v->hash, err.text, strlen(err.text) + 1);
    *(st == FM_OK ? &v->accepted : &v->refused) += 1;
}

/* What stands where a number is expected: 0, 1, 2, 2^256 - 1, and what begins or ends with many
 * ones, which primes and orders do. */
static void edge(uint8_t out32[32], size_t which)
{
    memset(out32, which < 6 ? 0 : 0xff, 32);
    if (which < 6)
        out32[which % 2 == 0 ? 31 : 0] = (uint8_t)(which / 2);
    else
        memset(out32 + (which % 2 == 0 ? 4 : 28), (int)which, which % 3 + 1);
}

static void judge_mutants(struct verdicts *v, const struct specimen *s)
{
    const struct did_suite *suite = did_suite_by_name(s->suite);
    size_t len = strlen(s->message), step = suite == did_suite_ed25519() ? 3 : 5;
    uint8_t key[DID_KEY_MAX], good[64], signature[64];

    assert_true(base_unhex(key, suite->key_len, s->key, 2 * suite->key_len));
    assert_true(base_unhex(good, 64, s->signature, 128));
    judge(v, suite, key, good, s->message, len);
    judge(v, suite, key, good, s->message, len - 1);
    for (size_t bit = 0; bit < 512; bit += step) {
        memcpy(signature, good, 64);
        signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
        judge(v, suite, key, signature, s->message, len);
    }
    for (size_t i = 0; i < 2 * 12; i++) {
        memcpy(signature, good, 64);
        edge(signature + 32 * (i % 2), i / 2);
        judge(v, suite, key, signature, s->message, len);
    }
    for (size_t bit = 0; bit < 8 * suite->key_len; bit += step) {
        key[bit / 8] ^= (uint8_t)(1u << bit % 8);
        judge(v, suite, key, good, s->message, len);
        key[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t i = 0; i < 12; i++) {
        memset(key, 2, 1);
        edge(key + suite->key_len - 32, i);
        judge(v, suite, key, good, s->message, len);
    }
}

/* accepted and digest: what every build has said. */
static void expect(struct verdicts *v, const char *what, size_t accepted, const char *digest)
{
    uint8_t hash[32];
    char hex[65];

    base_hash_final(&v->hash, hash);
    base_hex(hex, hash, 32);
    print_message("%s: %zu accepted, %zu refused, %s\n", what, v->accepted, v->refused, hex);
    assert_int_equal(v->accepted, accepted);
    assert_string_equal(hex, digest);
}

static void mutants(const char *suite, size_t accepted, const char *digest)
{
    struct verdicts v = {.accepted = 0};

    base_hash_init(&v.hash);
    for (size_t i = 0; i < SPECIMENS; i++)
        if (strcmp(specimens[i].suite, suite) == 0)
            judge_mutants(&v, &specimens[i]);
    expect(&v, suite, accepted, digest);
}

static void ed25519(void **state)
{
    (void)state;
    mutants("ed25519", 4, "f5c6331a3fc0cc08881849d4a546bd3429719ca6d4c1961f0816762ade0f254d");
}

static void p256(void **state)
{
    (void)state;
    mutants("p256", 4, "141f017fe111c96c694ba050cefe1e8ab5f37130d83dae92d20cf02528bd818d");
}

static void sm2(void **state)
{
    (void)state;
    mutants("sm2", 4, "298ded44f8798c0a8634523fbdb8b50388a61ea39cb54ded2bf3e82d2491dd98");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ed25519),
        cmocka_unit_test(p256),
        cmocka_unit_test(sm2),
    };
    return cmocka_run_group_tests_name("verdicts", tests, NULL, NULL);
}
