/* Sealing: that each bit counts, where the associated data end, and that no row opens another's.
 * did/test_keyfile.c has files that others wrote. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/aead.h"
#include "base/profile.h"

enum { LEN = 40 };
static const char *const names[2] = {"aes-256-gcm", "sm4-ctr-hmac-sm3"};
static const uint8_t key[32] = {1, 2, 3}, nonce[12] = {4, 5, 6};
static const char said[] = "associated";
static struct base_err err;

static fm_status unseal(const char *name, const uint8_t *key32, const uint8_t *nonce12,
                        struct base_aead_with with, const uint8_t *box)
{
    uint8_t out[LEN];
    fm_status st =
        base_aead_open(base_aead_by_name(name), out, key32, nonce12, with, box, LEN, &err);

    for (size_t i = 0; i < sizeof out; i++)
        assert_int_equal(out[i], st == FM_OK ? 7 : 0);
    return st;
}

static void every_bit_counts(void **state)
{
    const struct base_aead_with with = {said, sizeof said}, shorter = {said, sizeof said - 1};
    uint8_t plain[LEN], box[LEN + BASE_AEAD_TAG], bad[32];

    (void)state;
    memset(plain, 7, sizeof plain);
    for (int a = 0; a < 2; a++) {
        const struct base_aead *aead = base_aead_by_name(names[a]);

        assert_string_equal(base_aead_name(aead), names[a]);
        assert_int_equal(base_aead_seal(aead, box, key, nonce, with, plain, LEN, &err), FM_OK);
        assert_memory_not_equal(box, plain, LEN);
        assert_int_equal(unseal(names[a], key, nonce, with, box), FM_OK);
        for (size_t bit = 0; bit < 8 * sizeof box; bit++) {
            box[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_int_equal(unseal(names[a], key, nonce, with, box), FM_E_AUTH);
            box[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        memcpy(bad, key, 32);
        bad[31] ^= 1;
        assert_int_equal(unseal(names[a], bad, nonce, with, box), FM_E_AUTH);
        memcpy(bad, nonce, 12);
        bad[11] ^= 1;
        assert_int_equal(unseal(names[a], key, bad, with, box), FM_E_AUTH);
        assert_int_equal(unseal(names[a], key, nonce, shorter, box), FM_E_AUTH);
        assert_int_equal(unseal(names[1 - a], key, nonce, with, box), FM_E_AUTH);
        /* In place, and of nothing. */
        memcpy(box, plain, LEN);
        assert_int_equal(base_aead_seal(aead, box, key, nonce, with, box, LEN, &err), FM_OK);
        assert_int_equal(base_aead_open(aead, box, key, nonce, with, box, LEN, &err), FM_OK);
        assert_memory_equal(box, plain, LEN);
        assert_int_equal(base_aead_seal(aead, box, key, nonce, with, NULL, 0, &err), FM_OK);
        assert_int_equal(base_aead_open(aead, bad, key, nonce, with, box, 0, &err), FM_OK);
    }
}

/* A byte that moves from the associated data to the ciphertext is not the same message. */
static void the_border_counts(void **state)
{
    const struct base_aead *aead = base_aead_by_name(names[1]);
    uint8_t box[LEN + BASE_AEAD_TAG], plain[LEN], moved[LEN + BASE_AEAD_TAG];

    (void)state;
    memset(plain, 7, sizeof plain);
    assert_int_equal(
        base_aead_seal(aead, box, key, nonce, (struct base_aead_with){"abc", 3}, plain, LEN, &err),
        FM_OK);
    moved[0] = 'c';
    memcpy(moved + 1, box, LEN - 1);
    memcpy(moved + LEN, box + LEN, BASE_AEAD_TAG);
    assert_int_equal(unseal(names[1], key, nonce, (struct base_aead_with){"ab", 2}, moved),
                     FM_E_AUTH);
}

static void the_profile_chooses(void **state)
{
    (void)state;
    assert_null(base_aead_by_name("none"));
    assert_string_equal(base_aead_name(base_aead_usual()), names[0]);
    assert_int_equal(base_profile_adopt(BASE_PROFILE_NATIONAL, &err), FM_OK);
    assert_string_equal(base_aead_name(base_aead_usual()), names[1]);
    base_profile_forget();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bit_counts),
        cmocka_unit_test(the_border_counts),
        cmocka_unit_test(the_profile_chooses),
    };
    return cmocka_run_group_tests_name("aead", tests, NULL, NULL);
}
