/* The room's small parts: kernels against the obvious loops, generators against OpenSSL's other
 * doors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "mpc/kernels.h"
#include "mpc/randomness.h"
#include "mpc/test_world.h"

static void planes_and_back(void **state)
{
    static const size_t lengths[] = {0, 1, 63, 64, 65, 200};
    static const unsigned widths[] = {1, 2, 31, 63, 64};
    struct test_rng rng = {3};
    uint64_t values[200];
    uint64_t planes[64 * 4];
    uint64_t back[200];

    (void)state;
    for (size_t i = 0; i < 200; i++)
        values[i] = (uint64_t)rng_value(&rng);
    for (size_t l = 0; l < sizeof lengths / sizeof lengths[0]; l++) {
        for (size_t k = 0; k < sizeof widths / sizeof widths[0]; k++) {
            size_t n = lengths[l];
            unsigned width = widths[k];

            memset(planes, 0xaa, sizeof planes);
            mpc_k_to_planes(planes, 4, width, values, n);
            for (size_t i = 0; i < (n + 63) / 64 * 64; i++)
                for (unsigned j = 0; j < width; j++)
                    assert_int_equal(planes[j * 4 + i / 64] >> i % 64 & 1,
                                     i < n ? values[i] >> j & 1 : 0);
            mpc_k_from_planes(back, planes, 4, width, n);
            for (size_t i = 0; i < n; i++)
                assert_int_equal(back[i], values[i] << (64 - width) >> (64 - width));
        }
    }
}

static void bits_placed_one_by_one(void **state)
{
    struct test_rng rng = {4};

    (void)state;
    for (unsigned round = 0; round < 3000; round++) {
        uint64_t x[4];
        uint64_t z[4];
        uint64_t expected[4];
        size_t from = rng_next(&rng) % 200;
        size_t at = rng_next(&rng) % 200;
        size_t n = rng_next(&rng) % (1 + (from > at ? 256 - from : 256 - at));

        for (unsigned i = 0; i < 4; i++) {
            x[i] = rng_next(&rng);
            z[i] = rng_next(&rng);
        }
        memcpy(expected, z, sizeof z);
        for (size_t i = 0; i < n; i++) {
            uint64_t bit = x[(from + i) / 64] >> (from + i) % 64 & 1;
            expected[(at + i) / 64] &= ~(UINT64_C(1) << (at + i) % 64);
            expected[(at + i) / 64] |= bit << (at + i) % 64;
        }
        mpc_k_place_bits(z, at, x, from, n);
        assert_memory_equal(z, expected, sizeof z);
    }
}

static void range_widths(void **state)
{
    (void)state;
    assert_int_equal(mpc_range_width((struct mpc_range){0, 0}), 1);
    assert_int_equal(mpc_range_width((struct mpc_range){-1, 0}), 1);
    assert_int_equal(mpc_range_width((struct mpc_range){0, 1}), 2);
    assert_int_equal(mpc_range_width((struct mpc_range){-128, 127}), 8);
    assert_int_equal(mpc_range_width((struct mpc_range){-129, 127}), 9);
    assert_int_equal(mpc_range_width((struct mpc_range){0, 999999}), 21);
    assert_int_equal(mpc_range_width(MPC_RANGE_FULL), 64);
}

static void hmac(uint8_t out32[32], const uint8_t *key, size_t key_len, const uint8_t *data,
                 size_t len)
{
    unsigned out_len = 32;

    assert_non_null(HMAC(EVP_sha256(), key, (int)key_len, data, len, out32, &out_len));
}

/* HKDF by hand from RFC 5869, AES-CTR by hand from single blocks. */
static void joint_generators_are_hkdf_and_aes_ctr(void **state)
{
    static const char info[] = "firmiana mpc joint v1\0rep3 k1\0\0\0\0\5";
    uint8_t seed[32];
    uint8_t context[32];
    uint8_t prk[32];
    uint8_t okm[32];
    uint8_t message[sizeof info];
    struct mpc_joint joint;
    struct mpc_joint twin;
    struct base_err err;
    uint64_t words[3000];
    EVP_CIPHER_CTX *ecb = EVP_CIPHER_CTX_new();

    (void)state;
    for (uint8_t i = 0; i < 32; i++) {
        seed[i] = i;
        context[i] = (uint8_t)(200 - i);
    }
    hmac(prk, context, 32, seed, 32);
    memcpy(message, info, sizeof info - 1);
    message[sizeof info - 1] = 1;
    hmac(okm, prk, 32, message, sizeof info);
    assert_int_equal(mpc_joint_init(&joint, seed, context, "rep3 k1", 5, &err), FM_OK);
    assert_int_equal(mpc_joint_init(&twin, seed, context, "rep3 k2", 5, &err), FM_OK);
    mpc_joint_fill(&joint, words, 7);
    mpc_joint_fill(&joint, words + 7, 3000 - 7);
    assert_int_equal(EVP_EncryptInit_ex(ecb, EVP_aes_128_ecb(), NULL, okm, NULL), 1);
    for (unsigned block = 0; block < 1500; block++) {
        uint8_t counter[16] = {0};
        uint8_t out[32];
        int len;

        counter[14] = (uint8_t)(block >> 8);
        counter[15] = (uint8_t)block;
        assert_int_equal(EVP_EncryptUpdate(ecb, out, &len, counter, 16), 1);
        assert_memory_equal(words + 2 * block, out, 16);
    }
    mpc_joint_fill(&twin, words + 1, 1);
    assert_int_not_equal(words[0], words[1]);
    EVP_CIPHER_CTX_free(ecb);
    mpc_joint_release(&joint);
    mpc_joint_release(&twin);
}

static void draws_below_a_bound(void **state)
{
    const uint8_t seed[32] = {1};
    const uint8_t context[32] = {2};
    struct mpc_joint joint;
    struct base_err err;
    unsigned seen[6] = {0};

    (void)state;
    assert_int_equal(mpc_joint_init(&joint, seed, context, "test", 0, &err), FM_OK);
    for (unsigned i = 0; i < 6000; i++) {
        uint64_t draw = mpc_joint_below(&joint, 6);
        assert_true(draw < 6);
        seen[draw]++;
    }
    for (unsigned i = 0; i < 6; i++)
        assert_in_range(seen[i], 850, 1150); /* the seed is fixed: this holds or it does not */
    assert_int_equal(mpc_joint_below(&joint, 1), 0);
    /* 2^64 is no multiple of this bound: without rejection a third of the values would come twice
     * as often */
    memset(seen, 0, sizeof seen);
    for (unsigned i = 0; i < 6000; i++)
        seen[mpc_joint_below(&joint, UINT64_C(3) << 62) % 3]++;
    for (unsigned i = 0; i < 3; i++)
        assert_in_range(seen[i], 1850, 2150);
    mpc_joint_release(&joint);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planes_and_back),
        cmocka_unit_test(bits_placed_one_by_one),
        cmocka_unit_test(range_widths),
        cmocka_unit_test(joint_generators_are_hkdf_and_aes_ctr),
        cmocka_unit_test(draws_below_a_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
