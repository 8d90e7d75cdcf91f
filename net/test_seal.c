#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>

#include "base/bytes.h"
#include "base/profile.h"
#include "net/seal.h"

static void expand_is_rfc5869(void **state)
{
    /* Test case 1, the first 32 bytes of its output. */
    static const uint8_t info[] = {0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9};
    uint8_t prk[32], okm[32], out[32];
    struct base_err err;

    (void)state;
    assert_true(base_unhex(prk, 32,
                           "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5", 64));
    assert_true(base_unhex(okm, 32,
                           "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf", 64));
    assert_int_equal(net_expand(out, 32, prk, "", info, sizeof info, &err), FM_OK);
    assert_memory_equal(out, okm, 32);
    assert_int_equal(net_expand(out, 12, prk, "\xf0\xf1", info + 2, 8, &err), FM_OK);
    assert_memory_equal(out, okm, 12);
}

enum { SMALL = 40 };

static void pair(struct net_seal *seal, struct net_seal *open, uint64_t limit)
{
    uint8_t secret[32];
    struct base_err err;

    memset(secret, 7, sizeof secret);
    assert_int_equal(net_seal_init(seal, NET_SEAL, secret, limit, &err), FM_OK);
    assert_int_equal(net_seal_init(open, NET_OPEN, secret, limit, &err), FM_OK);
}

static void release(struct net_seal *seal, struct net_seal *open)
{
    net_seal_release(seal);
    net_seal_release(open);
}

static fm_status unseal(struct net_seal *open, uint8_t *plain, const uint8_t *frame, size_t len)
{
    struct net_head head;
    struct base_err err;
    fm_status rv = net_head_read(&head, frame, len, &err);

    return rv == FM_OK ? net_seal_open(open, plain, frame, &head, &err) : rv;
}

static void make(struct net_seal *seal, uint8_t *frame, uint32_t len, uint8_t fill)
{
    struct net_head head = {NET_KIND_SEALED, NET_DATA_END, 3, len, 0x1122334455667788};
    struct base_err err;

    memset(frame + NET_HEAD, fill, len);
    assert_int_equal(net_seal_frame(seal, frame, &head, frame + NET_HEAD, &err), FM_OK);
}

static void every_bit_counts(void **state)
{
    uint8_t frame[NET_HEAD + SMALL + NET_TAG], plain[SMALL], zero[SMALL] = {0};
    struct net_seal seal, open;

    (void)state;
    for (size_t bit = 0; bit < 8 * sizeof frame; bit++) {
        pair(&seal, &open, NET_SEAL_BLOCKS);
        make(&seal, frame, SMALL, 0xab);
        memset(plain, 0, sizeof plain);
        frame[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(unseal(&open, plain, frame, sizeof frame), FM_OK);
        assert_memory_equal(plain, zero, sizeof plain);
        release(&seal, &open);
    }
    for (size_t len = 0; len < sizeof frame; len++) {
        pair(&seal, &open, NET_SEAL_BLOCKS);
        make(&seal, frame, SMALL, 0xab);
        assert_int_equal(unseal(&open, plain, frame, len), FM_E_INPUT);
        release(&seal, &open);
    }
}

static void order_counts(void **state)
{
    uint8_t one[NET_HEAD + SMALL + NET_TAG], two[NET_HEAD + SMALL + NET_TAG], plain[SMALL];
    struct net_seal seal, open;

    (void)state;
    pair(&seal, &open, NET_SEAL_BLOCKS);
    make(&seal, one, SMALL, 1);
    make(&seal, two, SMALL, 1);
    assert_memory_not_equal(one, two, sizeof one);
    assert_int_equal(unseal(&open, plain, two, sizeof two), FM_E_AUTH); /* reordered or lost */
    release(&seal, &open);
    pair(&seal, &open, NET_SEAL_BLOCKS);
    make(&seal, one, SMALL, 1);
    assert_int_equal(unseal(&open, plain, one, sizeof one), FM_OK);
    assert_int_equal(plain[SMALL - 1], 1);
    assert_int_equal(unseal(&open, plain, one, sizeof one), FM_E_AUTH); /* replayed */
    release(&seal, &open);
}

static void keys_turn_over_together(void **state)
{
    uint8_t frame[NET_HEAD + 100 + NET_TAG], plain[100], first_iv[12], secret[32];
    struct net_seal seal, open;
    unsigned turns = 0;
    uint64_t last = 0;

    (void)state;
    pair(&seal, &open, 50);
    memcpy(first_iv, seal.iv12, 12);
    memcpy(secret, seal.secret32, 32);
    for (uint32_t i = 0; i < 400; i++) {
        uint32_t len = i * 37 % 101;
        make(&seal, frame, len, (uint8_t)i);
        assert_int_equal(unseal(&open, plain, frame, NET_HEAD + len + NET_TAG), FM_OK);
        assert_true(len == 0 || plain[len - 1] == (uint8_t)i);
        assert_true(seal.blocks <= 50);
        turns += seal.counter < last;
        last = seal.counter;
    }
    assert_true(turns > 30);
    assert_memory_not_equal(first_iv, seal.iv12, 12);
    assert_memory_not_equal(secret, seal.secret32, 32);
    release(&seal, &open);
}

static void oversize_is_refused_before_anything(void **state)
{
    uint8_t *frame = calloc(1, NET_FRAME_MAX + 1);
    struct net_head head = {NET_KIND_SEALED, NET_DATA_END, 0, NET_FRAME_PAYLOAD_MAX + 1, 1};
    struct base_err err;

    (void)state;
    assert_non_null(frame);
    net_head_write(frame, &head);
    assert_int_equal(net_head_read(&head, frame, NET_FRAME_MAX + 1, &err), FM_E_INPUT);
    head = (struct net_head){NET_KIND_SEALED, NET_DATA_END, 0, NET_FRAME_PAYLOAD_MAX, 1};
    net_head_write(frame, &head);
    assert_int_equal(net_head_read(&head, frame, NET_FRAME_MAX, &err), FM_OK);
    assert_int_equal(net_head_read(&head, frame, NET_FRAME_MAX - 1, &err), FM_E_INPUT);
    assert_string_equal(err.text, "frame of 1048607 bytes: its head says 1048576");
    frame[0] = NET_VERSION + 1;
    assert_int_equal(net_head_read(&head, frame, NET_FRAME_MAX, &err), FM_E_INPUT);
    assert_string_equal(err.text, "frame of version 2: this node speaks version 1");
    free(frame);
}

/* ---- the national profile ---- */

static int adopt(void **state)
{
    struct base_err err = {0};

    (void)state;
    return base_profile_adopt(BASE_PROFILE_NATIONAL, &err) == FM_OK ? 0 : -1;
}

static int forget(void **state)
{
    (void)state;
    base_profile_forget();
    return 0;
}

/* HKDF-Expand of up to 32 bytes by hand: HMAC(secret, info || 1). */
static void by_hand(uint8_t out32[32], const uint8_t secret32[32], const char *label)
{
    uint8_t info[64];
    size_t n = strlen(label), got;

    memcpy(info, label, n);
    info[n] = 1;
    assert_non_null(
        EVP_Q_mac(NULL, "HMAC", NULL, "SM3", NULL, secret32, 32, info, n + 1, out32, 32, &got));
}

/* The second frame of a stream, byte by byte as wire.md has it, with OpenSSL alone. */
static void a_frame_is_sm4_and_hmac_sm3(void **state)
{
    uint8_t secret[32], key[32], mac_key[32], iv[32], mac[32], nonce[16] = {0};
    uint8_t frame[NET_HEAD + SMALL + NET_TAG], want[12 + sizeof frame], plain[SMALL];
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    struct net_seal seal, open;
    size_t got;
    int n;

    (void)state;
    pair(&seal, &open, NET_SEAL_BLOCKS);
    make(&seal, frame, SMALL, 1);
    make(&seal, frame, SMALL, 2);
    memset(secret, 7, sizeof secret);
    by_hand(key, secret, "firmiana key");
    by_hand(mac_key, secret, "firmiana mac");
    by_hand(iv, secret, "firmiana iv");
    assert_memory_not_equal(key, mac_key, 16);
    memcpy(nonce, iv, 12);
    nonce[11] ^= 1; /* frame number 1 */
    memset(plain, 2, sizeof plain);
    memcpy(want, nonce, 12);
    memcpy(want + 12, frame, NET_HEAD);
    assert_int_equal(EVP_EncryptInit_ex(ctx, EVP_sm4_ctr(), NULL, key, nonce), 1);
    assert_int_equal(EVP_EncryptUpdate(ctx, want + 12 + NET_HEAD, &n, plain, SMALL), 1);
    assert_non_null(EVP_Q_mac(NULL, "HMAC", NULL, "SM3", NULL, mac_key, 32, want,
                              12 + NET_HEAD + SMALL, mac, 32, &got));
    memcpy(want + 12 + NET_HEAD + SMALL, mac, NET_TAG);
    assert_memory_equal(frame, want + 12, sizeof frame);
    EVP_CIPHER_CTX_free(ctx);
    release(&seal, &open);
}

/* A seal keeps the way of the profile in which it was made; the ways don't open each other. */
static void the_ways_are_not_each_others(void **state)
{
    uint8_t frame[NET_HEAD + SMALL + NET_TAG], plain[SMALL];
    struct net_seal gcm, sm4, open_gcm, open_sm4;

    (void)state;
    pair(&gcm, &open_gcm, NET_SEAL_BLOCKS);
    assert_int_equal(adopt(NULL), 0);
    pair(&sm4, &open_sm4, NET_SEAL_BLOCKS);
    make(&gcm, frame, SMALL, 1);
    assert_int_equal(unseal(&open_sm4, plain, frame, sizeof frame), FM_E_AUTH);
    assert_int_equal(unseal(&open_gcm, plain, frame, sizeof frame), FM_OK);
    release(&gcm, &open_gcm);
    release(&sm4, &open_sm4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expand_is_rfc5869),
        cmocka_unit_test(every_bit_counts),
        cmocka_unit_test(order_counts),
        cmocka_unit_test(keys_turn_over_together),
        cmocka_unit_test(oversize_is_refused_before_anything),
        cmocka_unit_test_teardown(the_ways_are_not_each_others, forget),
        cmocka_unit_test_setup_teardown(a_frame_is_sm4_and_hmac_sm3, adopt, forget),
        cmocka_unit_test_setup_teardown(every_bit_counts, adopt, forget),
        cmocka_unit_test_setup_teardown(order_counts, adopt, forget),
        cmocka_unit_test_setup_teardown(keys_turn_over_together, adopt, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
