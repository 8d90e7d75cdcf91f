/* The texts that BIP-350 says are right or wrong, segwit programs it gives in hex (another's
 * oracle), and laws: every byte string comes back, every wrong character is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "exchange/wallet/bech32m.h"

static void published_texts(void **state)
{
    static const char *const right[] = {
        "A1LQFN3A",
        "a1lqfn3a",
        "an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11sg7hg"
        "6",
        "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx",
        "11llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllludsr"
        "8",
        "split1checkupstagehandshakeupstreamerranterredcaperredlc445v",
        "?1v759aa"};
    static const char *const wrong[] = {
        " 1xj0phk",
        "\x7f"
        "1g6xzxy",
        "\x80"
        "1vctc34",
        "an84characterslonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11d6pt"
        "s4",
        "qyrz8wqd2c9m",
        "1qyrz8wqd2c9m",
        "y1b0jsk6g",
        "lt1igcx5c0",
        "in1muywd",
        "mm1crxm3i",
        "au1s5cgom",
        "M1VUXWEZ",
        "16plkw9",
        "1p2gdwpf",
        "",
        "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq47Zagq"};
    struct base_err err = {0};
    struct bech32m parts;

    (void)state;
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++)
        assert_int_equal(bech32m_decode(&parts, right[i], &err), FM_OK);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(bech32m_decode(&parts, wrong[i], &err), FM_E_INPUT);
        assert_int_equal(parts.count, 0);
    }
}

static void published_bytes(void **state)
{
    static const char hex[] = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
    struct base_err err = {0};
    struct bech32m parts;
    uint8_t bytes[32], want[32];

    (void)state;
    assert_true(base_unhex(want, 32, hex, 64));
    assert_int_equal(
        bech32m_decode(&parts, "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
                       &err),
        FM_OK);
    assert_string_equal(parts.hrp, "bc");
    assert_int_equal(parts.symbols[0], 1); /* the witness version */
    assert_int_equal(bech32m_bytes(bytes, 32, parts.symbols + 1, parts.count - 1, &err), FM_OK);
    assert_memory_equal(bytes, want, 32);
    /* Four spare bits too many, and spare bits that are not zero. */
    assert_int_equal(
        bech32m_decode(&parts, "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf",
                       &err),
        FM_OK);
    assert_int_equal(bech32m_bytes(bytes, 32, parts.symbols + 1, parts.count - 1, &err),
                     FM_E_INPUT);
    assert_int_equal(
        bech32m_decode(&parts, "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vpggkg4j",
                       &err),
        FM_OK);
    assert_int_equal(bech32m_bytes(bytes, 32, parts.symbols + 1, parts.count - 1, &err),
                     FM_E_INPUT);
}

static void all_lengths_come_back(void **state)
{
    uint8_t bytes[48], back[48];
    char text[BECH32M_TEXT];
    struct base_err err = {0};
    struct bech32m parts;

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 151 + 93);
    for (size_t len = 0; len <= sizeof bytes; len++) {
        assert_int_equal(bech32m_encode(text, "law", bytes, len, &err), FM_OK);
        assert_int_equal(bech32m_decode(&parts, text, &err), FM_OK);
        assert_string_equal(parts.hrp, "law");
        assert_int_equal(bech32m_bytes(back, len, parts.symbols, parts.count, &err), FM_OK);
        assert_memory_equal(back, bytes, len);
    }
    assert_int_equal(bech32m_encode(text, "law", bytes, 51, &err), FM_E_ARG);
    assert_int_equal(bech32m_encode(text, "Law", bytes, 3, &err), FM_E_ARG);
    assert_int_equal(bech32m_encode(text, "", bytes, 3, &err), FM_E_ARG);
}

/* Every other character in every place, every two neighbours exchanged, every one left out. */
static void every_slip_of_the_pen_is_found(void **state)
{
    static const char set[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    uint8_t bytes[32];
    char text[BECH32M_TEXT], slip[BECH32M_TEXT];
    struct base_err err = {0};
    struct bech32m parts;
    size_t len;

    (void)state;
    memset(bytes, 0x5a, sizeof bytes);
    assert_int_equal(bech32m_encode(text, "law", bytes, 32, &err), FM_OK);
    len = strlen(text);
    for (size_t at = 4; at < len; at++) {
        for (size_t k = 0; k < 32; k++) {
            memcpy(slip, text, sizeof slip);
            slip[at] = set[k];
            assert_int_equal(bech32m_decode(&parts, slip, &err),
                             text[at] == set[k] ? FM_OK : FM_E_INPUT);
        }
        memcpy(slip, text, sizeof slip);
        memmove(slip + at, slip + at + 1, len - at);
        assert_int_equal(bech32m_decode(&parts, slip, &err), FM_E_INPUT);
        if (at + 1 == len || text[at] == text[at + 1])
            continue;
        memcpy(slip, text, sizeof slip);
        slip[at] = text[at + 1];
        slip[at + 1] = text[at];
        assert_int_equal(bech32m_decode(&parts, slip, &err), FM_E_INPUT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_texts),
        cmocka_unit_test(published_bytes),
        cmocka_unit_test(all_lengths_come_back),
        cmocka_unit_test(every_slip_of_the_pen_is_found),
    };

    return cmocka_run_group_tests_name("bech32m", tests, NULL, NULL);
}
