/* Keys and hashes as text: base58btc, multibase, Multikey, did:key and its verification method. The
 * first character says which decoder reads the rest.
 *
 * Laws: what decodes is written again as the same text, so each value has one text; a refusal says
 * why, and leaves nothing behind. */
#include <string.h>

#include "did/key_did.h"
#include "did/multibase.h"
#include "tests/fuzz/fuzz.h"

enum { RULES = 1, BYTES = 256 };

static void is_same(const char *text, const char *again)
{
    fuzz_law(strcmp(text, again) == 0, "what decodes is written as it was");
}

static void check_base58(const char *text, size_t len)
{
    struct base_buf again = {0};
    uint8_t bytes[BYTES];
    size_t n = 0;

    if (!did_base58_decode(bytes, sizeof bytes, &n, text, len))
        return;
    fuzz_law(n <= sizeof bytes, "no more than there is room for");
    did_base58_encode(&again, bytes, n);
    fuzz_law(again.len == len && memcmp(again.p, text, len) == 0,
             "each byte string has one text, and each text one byte string");
    base_buf_release(&again);
}

static void check_multibase(const char *text, size_t want)
{
    struct base_buf again = {0};
    struct base_err err = {0};
    uint8_t bytes[BYTES];

    if (did_multibase_decode(bytes, want, text, &err) != FM_OK) {
        fuzz_law(err.code == FM_E_INPUT && err.text[0] != '\0', "a refusal says why");
        return;
    }
    did_multibase_encode(&again, bytes, want);
    is_same(text, base_buf_cstr(&again));
    base_buf_release(&again);
}

static void check_key(char which, const char *text)
{
    char again[DID_KEY_METHOD_TEXT];
    struct base_err err = {0};
    struct did_key key;
    fm_status st;

    st = which == 'k'   ? did_multikey_decode(&key, text, RULES, &err)
         : which == 'd' ? did_key_did_decode(&key, text, RULES, &err)
                        : did_key_method_decode(&key, text, RULES, &err);
    if (st != FM_OK) {
        fuzz_law((st == FM_E_INPUT || st == FM_E_AUTH) && err.text[0] != '\0',
                 "a refusal says why");
        return;
    }
    fuzz_law((which == 'k'   ? did_multikey_encode(again, &key, &err)
              : which == 'd' ? did_key_did_encode(again, &key, &err)
                             : did_key_method_encode(again, &key, &err)) == FM_OK,
             "a key that was read can be written");
    is_same(text, again);
}

static void run(const uint8_t *data, size_t size)
{
    char text[512];

    if (size == 0 || size > sizeof text)
        return;
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    switch (data[0]) {
    case '5':
        check_base58(text, size - 1);
        break;
    case 'h':
        check_multibase(text, 32);
        break;
    case 's':
        check_multibase(text, 64);
        break;
    default:
        check_key((char)data[0], text);
        break;
    }
}

/* A key of each suite in each form, and a hash and a signature's length. */
static void begin(struct fuzz_corpus *corpus)
{
    const struct did_suite *const suites[] = {did_suite_ed25519(), did_suite_p256(),
                                              did_suite_sm2()};
    static const uint8_t bytes[64] = {0, 0, 1, 2, 3};
    struct base_buf text = {0};

    for (size_t i = 0; i < 3; i++) {
        const uint8_t seed[32] = {(uint8_t)(i + 1)};
        struct did_secret *secret;
        char forms[3][1 + DID_KEY_METHOD_TEXT] = {"k", "d", "m"};
        struct base_err err = {0};
        fuzz_law(did_secret_import(&secret, suites[i], seed, 32, &err) == FM_OK, err.text);
        fuzz_law(did_multikey_encode(forms[0] + 1, did_secret_key(secret), &err) == FM_OK &&
                     did_key_did_encode(forms[1] + 1, did_secret_key(secret), &err) == FM_OK &&
                     did_key_method_encode(forms[2] + 1, did_secret_key(secret), &err) == FM_OK,
                 err.text);
        for (size_t k = 0; k < 3; k++)
            fuzz_add(corpus, forms[k], strlen(forms[k]));
        did_secret_free(secret);
    }
    for (size_t i = 0; i < 3; i++) {
        base_buf_clear(&text);
        base_buf_put_u8(&text, (uint8_t) "5hs"[i]);
        if (i == 0)
            did_base58_encode(&text, bytes, 40);
        else
            did_multibase_encode(&text, bytes, i == 1 ? 32 : 64);
        fuzz_add(corpus, text.p, text.len);
    }
    base_buf_release(&text);
}

static const char *const words[] = {"z6Mk", "zDn", "zEPJ", "did:key:", "#", "1", "111111", "u",
                                    "m",    "0",   "O",    "I",        "l", "z", NULL};
const struct fuzz_target fuzz_target = {"multibase", FUZZ_BYTES, 400, words, begin, run};
