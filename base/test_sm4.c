/* SM4 in counter mode: the standard's example, and in vectors as OpenSSL has it, whatever key,
 * counter, length and place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "base/sm4.h"

enum { MOST = 4200 };

/* GB/T 32907-2016, appendix A.1: one block, under itself as the key. */
static void example(void **state)
{
    static const uint8_t block[16] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
                                      0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10},
                         want[16] = {0x68, 0x1e, 0xdf, 0x34, 0xd2, 0x06, 0x96, 0x5e,
                                     0x86, 0xb3, 0xe9, 0x4f, 0x53, 0x6e, 0x42, 0x46};
    struct base_sm4 *sm4 = base_sm4_new(block);
    uint8_t out[16];

    (void)state;
    assert_non_null(sm4);
    assert_true(base_sm4_ctr(sm4, out, NULL, sizeof out, block));
    assert_memory_equal(out, want, sizeof want);
    base_sm4_free(sm4);
}

/* A counter at random, or about to carry into any of its bytes. */
static void draw_counter(uint8_t counter[16], unsigned i)
{
    assert_int_equal(RAND_bytes(counter, 16), 1);
    if (i % 2 == 1)
        memset(counter + 15 - i / 2 % 16, 0xff, 1 + i / 2 % 16);
    if (i % 4 == 3)
        counter[15] = (uint8_t)(0xff - i % 70);
}

static void as_openssl(void **state)
{
    static uint8_t in[MOST + 1], out[MOST + 1], want[MOST];

    (void)state;
    for (unsigned i = 0; i < 600; i++) {
        EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
        uint8_t key[16], counter[16];
        struct base_sm4 *sm4;
        size_t len = i < 300 ? i : (size_t)rand() % MOST, shift = i % 2;
        int n;

        assert_int_equal(RAND_bytes(key, sizeof key) & RAND_bytes(in, sizeof in), 1);
        draw_counter(counter, i);
        sm4 = base_sm4_new(key);
        assert_non_null(sm4);
        if (i % 5 == 4)
            base_sm4_use_openssl(sm4);
        if (i % 3 == 0)
            memset(in, 0, sizeof in);
        assert_int_equal(EVP_EncryptInit_ex(ctx, EVP_sm4_ctr(), NULL, key, counter), 1);
        assert_int_equal(EVP_EncryptUpdate(ctx, want, &n, in + shift, (int)len), 1);
        memset(out, 0x5a, sizeof out);
        assert_true(base_sm4_ctr(sm4, out, i % 3 == 0 ? NULL : in + shift, len, counter));
        assert_memory_equal(out, want, len);
        assert_int_equal(out[len], 0x5a); /* nothing behind */
        assert_true(base_sm4_ctr(sm4, in + shift, in + shift, len, counter));
        assert_memory_equal(in + shift, want, len);
        base_sm4_free(sm4);
        EVP_CIPHER_CTX_free(ctx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(example), cmocka_unit_test(as_openssl)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
