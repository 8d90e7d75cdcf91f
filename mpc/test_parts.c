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

#include "base/profile.h"
#include "mpc/kernels.h"
#include "mpc/perm.h"
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

    assert_non_null(HMAC(base_profile_is_national() ? EVP_sm3() : EVP_sha256(), key, (int)key_len,
                         data, len, out32, &out_len));
}

/* HKDF by hand from RFC 5869, CTR by hand from single blocks of AES, or SM4. */
static void check_joint(const EVP_CIPHER *cipher)
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
    assert_int_equal(EVP_EncryptInit_ex(ecb, cipher, NULL, okm, NULL), 1);
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

static void joint_generators_are_hkdf_and_ctr(void **state)
{
    struct base_err err;

    (void)state;
    check_joint(EVP_aes_128_ecb());
    assert_int_equal(base_profile_adopt(BASE_PROFILE_NATIONAL, &err), FM_OK);
    check_joint(EVP_sm4_ecb());
    base_profile_forget();
}

static struct mpc_joint fixed_joint(void)
{
    const uint8_t seed[32] = {1};
    const uint8_t context[32] = {2};
    struct mpc_joint joint;
    struct base_err err;

    assert_int_equal(mpc_joint_init(&joint, seed, context, "test", 0, &err), FM_OK);
    return joint;
}

/* Whose memory the maps are. */
static struct mpc_session *alone(void)
{
    static const unsigned self = 0;
    const struct mpc_session_config c = {.protocol = mpc_protocol_find("plain"),
                                         .compute = &self,
                                         .compute_len = 1,
                                         .streams = 1,
                                         .random = base_random_system()};
    struct mpc_session *s;
    struct base_err err;

    assert_int_equal(mpc_session_open(&s, &c, &err), FM_OK);
    return s;
}

/* All 24 orders of four, each about as often. The seed is fixed: this holds or it does not. */
static void short_permutations_are_uniform(void **state)
{
    struct mpc_joint joint = fixed_joint();
    struct mpc_session *session = alone();
    unsigned seen[256] = {0};
    unsigned orders = 0;
    struct base_err err;

    (void)state;
    for (unsigned i = 0; i < 24000; i++) {
        struct mpc_perm perm = {.session = session, .n = 4};

        assert_int_equal(mpc_perm_draw(&perm, 0, &joint, &err), FM_OK);
        seen[perm.map[0][0] | perm.map[0][1] << 2 | perm.map[0][2] << 4 | perm.map[0][3] << 6]++;
        mpc_perm_release_maps(&perm);
    }
    for (unsigned i = 0; i < 256; i++) {
        if (seen[i] == 0)
            continue;
        assert_in_range(seen[i], 850, 1150);
        orders++;
    }
    assert_int_equal(orders, 24);
    mpc_session_close(session);
    mpc_joint_release(&joint);
}

/* Long ones go by buckets: each element once, no element's place says anything of where it was, nor
 * of what stands beside it; correlations of n independent pairs are about 1 / sqrt(n). */
static void long_permutations_keep_no_order(void **state)
{
    enum { N = 100000 };
    struct mpc_joint joint = fixed_joint();
    struct mpc_session *session = alone();
    struct mpc_perm perm = {.session = session, .n = N};
    double with_place = 0, with_neighbour = 0, variance = (double)N * N / 12;
    uint8_t *seen = calloc(N, 1);
    struct base_err err;

    (void)state;
    assert_non_null(seen);
    assert_int_equal(mpc_perm_draw(&perm, 1, &joint, &err), FM_OK);
    for (size_t i = 0; i < N; i++) {
        double x = perm.map[1][i] - N / 2.0;

        assert_true(perm.map[1][i] < N && !seen[perm.map[1][i]]);
        seen[perm.map[1][i]] = 1;
        with_place += x * ((double)i - N / 2.0);
        with_neighbour += x * (perm.map[1][(i + 1) % N] - N / 2.0);
    }
    assert_true(with_place * with_place < 16 * variance * variance * N);
    assert_true(with_neighbour * with_neighbour < 16 * variance * variance * N);
    free(seen);
    mpc_perm_release_maps(&perm);
    mpc_session_close(session);
    mpc_joint_release(&joint);
}

static void scatter_undoes_gather(void **state)
{
    enum { N = 1000 };
    struct mpc_joint joint = fixed_joint();
    struct mpc_session *session = alone();
    struct mpc_perm perm = {.session = session, .n = N};
    struct test_rng rng = {11};
    uint64_t x[N], there[N], back[N];
    struct base_err err;

    (void)state;
    assert_int_equal(mpc_perm_draw(&perm, 0, &joint, &err), FM_OK);
    for (size_t i = 0; i < N; i++)
        x[i] = rng_next(&rng);
    mpc_k_gather(there, x, perm.map[0], N);
    mpc_k_scatter(back, there, perm.map[0], N);
    assert_memory_equal(x, back, sizeof x);
    mpc_k_gather_bits(there, x, perm.map[0], N);
    mpc_k_scatter_bits(back, there, perm.map[0], N);
    for (size_t i = 0; i < N; i++)
        assert_int_equal(back[i / 64] >> i % 64 & 1, x[i / 64] >> i % 64 & 1);
    mpc_perm_release_maps(&perm);
    mpc_session_close(session);
    mpc_joint_release(&joint);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planes_and_back),
        cmocka_unit_test(bits_placed_one_by_one),
        cmocka_unit_test(range_widths),
        cmocka_unit_test(joint_generators_are_hkdf_and_ctr),
        cmocka_unit_test(short_permutations_are_uniform),
        cmocka_unit_test(long_permutations_keep_no_order),
        cmocka_unit_test(scatter_undoes_gather),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
