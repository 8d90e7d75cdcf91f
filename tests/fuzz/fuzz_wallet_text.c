/* What a person or a scanner brings to a wallet: recovery phrases, and the lines of QR codes.
 *
 * Laws: a phrase that is read is that of its secret, in one spelling but for blanks and case; a
 * text that codes make up is split into codes that make it up again; a refusal says why, and a
 * phrase's never repeats its characters. */
#include <stdlib.h>
#include <string.h>

#include "exchange/wallet/bech32m.h"
#include "exchange/wallet/code.h"
#include "exchange/wallet/key.h"
#include "tests/fuzz/fuzz.h"

static void squeeze(char out[BECH32M_TEXT + 1], const char *text)
{
    size_t n = 0;

    for (; *text != '\0' && n < BECH32M_TEXT; text++)
        if (strchr(" -\t", *text) == NULL)
            out[n++] = (char)(*text >= 'A' && *text <= 'Z' ? *text - 'A' + 'a' : *text);
    out[n] = '\0';
}

static void try_phrase(const char *text)
{
    const struct did_suite *suite = NULL;
    char given[BECH32M_TEXT + 1], again[BECH32M_TEXT];
    struct base_err err = {0};
    uint8_t secret[32];

    if (wallet_phrase_read(secret, &suite, text, strlen(text), &err) != FM_OK) {
        fuzz_law(err.code == FM_E_INPUT && err.text[0] != '\0', "a refusal says why");
        return;
    }
    squeeze(given, text);
    fuzz_law(bech32m_encode(again, strcmp(suite->name, "sm2") == 0 ? "firmianasm" : "firmiana",
                            secret, 32, &err) == FM_OK &&
                 strcmp(given, again) == 0,
             "a phrase is that of its secret");
}

static void try_codes(const char *lines)
{
    struct base_buf text = {0}, joined = {0}, again = {0};
    struct wallet_codes codes;
    struct base_err err = {0};

    if (wallet_codes_join(&text, lines, &err) != FM_OK) {
        fuzz_law(err.code == FM_E_INPUT && err.text[0] != '\0', "a refusal says why");
    } else if (wallet_codes_split(&codes, base_buf_cstr(&text), WALLET_CODE_SMALL, &err) == FM_OK) {
        for (size_t i = 0; i < codes.count; i++) {
            base_buf_put_str(&joined, codes.texts[i]);
            base_buf_put_str(&joined, "\n");
        }
        fuzz_law(wallet_codes_join(&again, base_buf_cstr(&joined), &err) == FM_OK &&
                     again.len == text.len && memcmp(again.p, text.p, text.len) == 0,
                 "what is split is joined again");
        wallet_codes_release(&codes);
    }
    base_buf_release(&text);
    base_buf_release(&joined);
    base_buf_release(&again);
}

static void run(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    fuzz_law(text != NULL, "there is memory");
    memcpy(text, data, size);
    text[size] = '\0';
    try_phrase(text);
    try_codes(text);
    free(text);
}

static void add_phrase(struct fuzz_corpus *corpus, const char *hrp, uint8_t seed)
{
    char text[BECH32M_TEXT];
    struct base_err err = {0};
    uint8_t secret[32];

    memset(secret, seed, sizeof secret);
    fuzz_law(bech32m_encode(text, hrp, secret, 32, &err) == FM_OK, err.text);
    fuzz_add(corpus, text, strlen(text));
}

static void begin(struct fuzz_corpus *corpus)
{
    struct wallet_codes codes;
    struct base_buf lines = {0};
    struct base_err err = {0};
    char text[901];

    add_phrase(corpus, "firmiana", 0x5a);
    add_phrase(corpus, "firmianasm", 0x13);
    memset(text, 'x', 900);
    text[900] = '\0';
    fuzz_law(wallet_codes_split(&codes, text, WALLET_CODE_SMALL, &err) == FM_OK, err.text);
    for (size_t i = codes.count; i-- > 0;) {
        base_buf_put_str(&lines, codes.texts[i]);
        base_buf_put_str(&lines, "\n");
    }
    fuzz_add(corpus, lines.p, lines.len);
    fuzz_add(corpus, "{\"a\":1}\n{\"a\":1}\n", 16);
    wallet_codes_release(&codes);
    base_buf_release(&lines);
}

static const char *const words[] = {
    "FIRMIANA:", "/", ":", "\n", "1/3:", "2/3:", "3/3:", "17",   "16", "00",
    "q",         "p", "1", "-",  " ",    "b",    "QPZ",  "\r\n", NULL};
const struct fuzz_target fuzz_target = {"wallet_text", FUZZ_BYTES, 2048, words, begin, run};
