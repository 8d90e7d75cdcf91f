/* Codes: every text comes back from its codes, in any order and read twice; none missing, mixed or
 * altered passes; what is drawn on a terminal and as SVG is what libqrencode says. That scanners
 * read the pictures, tests/wallet.sh asks zbarimg. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exchange/wallet/code.h"

static void fill(char *out, size_t len, unsigned seed)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (char)(' ' + (i * 31 + seed * 17 + i / 7) % 94);
    out[len] = '\0';
}

static void add(struct base_buf *lines, const char *text)
{
    base_buf_put_str(lines, text);
    base_buf_put_str(lines, "\n");
}

static void expect(struct base_buf *lines, fm_status wanted, const char *text)
{
    struct base_buf out = {0};
    struct base_err err = {0};

    assert_int_equal(wallet_codes_join(&out, base_buf_cstr(lines), &err), wanted);
    if (wanted == FM_OK)
        assert_string_equal(base_buf_cstr(&out), text);
    else
        assert_non_null(strstr(err.text, text));
    base_buf_release(&out);
    base_buf_release(lines);
}

static void every_length_comes_back(void **state)
{
    static const size_t lengths[] = {1, 399, 400, 401, 736, 737, 3000, 16 * 368};
    char text[6000];

    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct wallet_codes codes;
        struct base_buf lines = {0};
        struct base_err err = {0};
        fill(text, lengths[i], 1);
        assert_int_equal(wallet_codes_split(&codes, text, WALLET_CODE_SMALL, &err), FM_OK);
        assert_true(codes.count >= 1 && (codes.count == 1) == (lengths[i] <= 400));
        for (size_t k = codes.count; k-- > 0;) {
            assert_true(strlen(codes.texts[k]) <= WALLET_CODE_SMALL);
            add(&lines, codes.texts[k]);
            add(&lines, codes.texts[k]);
        }
        expect(&lines, FM_OK, text);
        for (size_t gone = 0; codes.count > 1 && gone < codes.count; gone++) {
            for (size_t k = 0; k < codes.count; k++)
                if (k != gone)
                    add(&lines, codes.texts[k]);
            expect(&lines, FM_E_INPUT, "is missing");
        }
        if (codes.count > 1) {
            codes.texts[1][strlen(codes.texts[1]) - 1] ^= 1;
            for (size_t k = 0; k < codes.count; k++)
                add(&lines, codes.texts[k]);
            expect(&lines, FM_E_INPUT, "do not make up");
        }
        wallet_codes_release(&codes);
    }
}

static void what_is_not_one_text_is_refused(void **state)
{
    static const char *const wrong[] = {"FIRMIANA:",
                                        "FIRMIANA:1/2",
                                        "FIRMIANA:0/2:01234567:x",
                                        "FIRMIANA:3/2:01234567:x",
                                        "FIRMIANA:01/2:01234567:x",
                                        "FIRMIANA:1/17:01234567:x",
                                        "FIRMIANA:1/99999999999999999999:01234567:x",
                                        "FIRMIANA:1/2:0123456",
                                        "FIRMIANA:1/2:012345678:x",
                                        "a\nb",
                                        "\n\n",
                                        "",
                                        "a\nFIRMIANA:1/1:01234567:x",
                                        "FIRMIANA:1/2:01234567:x\nFIRMIANA:2/2:01234568:x"};
    struct wallet_codes codes;
    struct base_err err = {0};
    char text[17000];

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct base_buf lines = {0};
        base_buf_put_str(&lines, wrong[i]);
        expect(&lines, FM_E_INPUT, "");
    }
    fill(text, 16 * 368 + 1, 2);
    assert_int_equal(wallet_codes_split(&codes, text, WALLET_CODE_SMALL, &err), FM_E_LIMIT);
    assert_non_null(strstr(err.text, "it has 5889 bytes, and 16 codes of this size hold 5888"));
    assert_int_equal(wallet_codes_split(&codes, "two\nlines", WALLET_CODE_SMALL, &err), FM_E_INPUT);
    assert_int_equal(wallet_codes_split(&codes, "", WALLET_CODE_SMALL, &err), FM_E_INPUT);
    /* What looks like a part is wrapped as one, and comes back. */
    assert_int_equal(wallet_codes_split(&codes, "FIRMIANA:1/1:x", WALLET_CODE_SMALL, &err), FM_OK);
    assert_int_equal(codes.count, 1);
    {
        struct base_buf lines = {0};
        add(&lines, codes.texts[0]);
        expect(&lines, FM_OK, "FIRMIANA:1/1:x");
    }
    wallet_codes_release(&codes);
}

/* The same modules, read out of the blocks and out of the paths. */
static void pictures_agree(void **state)
{
    static char dark[2][256][256];
    struct base_buf terminal = {0}, svg = {0}, png = {0};
    struct base_err err = {0};
    char text[3000];
    int x = 0, y = 0, from, row, len;

    (void)state;
    memset(dark, 0, sizeof dark);
    fill(text, 300, 3);
    assert_int_equal(wallet_code_terminal(&terminal, text, &err), FM_OK);
    assert_int_equal(wallet_code_svg(&svg, text, &err), FM_OK);
    assert_int_equal(wallet_code_png(&png, text, &err), FM_OK);
    for (const char *c = base_buf_cstr(&terminal); *c != '\0'; x++) {
        bool upper = *c == ' ' || memcmp(c, "\xe2\x96\x84", 3) == 0;
        bool lower = *c == ' ' || memcmp(c, "\xe2\x96\x80", 3) == 0;
        if (*c == '\n') {
            x = -1;
            y += 2;
            c++;
            continue;
        }
        dark[0][y][x] = upper;
        dark[0][y + 1][x] = lower;
        c += *c == ' ' ? 1 : 3;
    }
    for (const char *m = strstr(base_buf_cstr(&svg), "<path d="); m != NULL; m = strchr(m + 1, 'M'))
        if (sscanf(m, "M%d %dh%d", &from, &row, &len) == 3)
            memset(&dark[1][row][from], 1, (size_t)len);
    assert_memory_equal(dark[0], dark[1], sizeof dark[0]);
    assert_true(dark[0][4][4] == 1 && dark[0][3][4] == 0); /* a corner, and quiet above it */
    assert_memory_equal(png.p, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16);
    fill(text, 2500, 4);
    assert_int_equal(wallet_code_png(&png, text, &err), FM_E_LIMIT);
    base_buf_release(&terminal);
    base_buf_release(&svg);
    base_buf_release(&png);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length_comes_back),
        cmocka_unit_test(what_is_not_one_text_is_refused),
        cmocka_unit_test(pictures_agree),
    };

    return cmocka_run_group_tests_name("wallet codes", tests, NULL, NULL);
}
