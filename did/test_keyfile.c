#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/profile.h"
#include "did/keyfile.h"
#include "did/multibase.h"
#include "did/test_tools.h"

static struct tools_random rnd;
static struct did_secret *secret;
static struct did_passphrase *right;

static int setup(void **state)
{
    struct base_err err = {0};

    (void)state;
    tools_random_init(&rnd, 3);
    secret = tools_secret(&rnd);
    assert_int_equal(did_passphrase_from_bytes(&right, "battery staple", 14, &err), FM_OK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    did_secret_free(secret);
    did_passphrase_free(right);
    return 0;
}

static void seal(struct base_buf *out)
{
    struct base_err err = {0};

    assert_int_equal(
        did_keyfile_seal(out, secret, "subject", TOOLS_WHEN, right, &tools_kdf, &rnd.random, &err),
        FM_OK);
}

static fm_status open_bytes(const void *bytes, size_t len, struct base_err *err)
{
    struct did_secret *back;
    fm_status st = did_keyfile_open(&back, NULL, bytes, len, right, err);

    assert_true((st == FM_OK) == (back != NULL));
    did_secret_free(back);
    return st;
}

/* Written by hashlib.scrypt and an AES-GCM of our own in Python, from keyfile.h's text alone: an
 * all-zero seed under "correct horse" and two Chinese characters. */
#define FOREIGN(checksum, public_key, sealed)                                                  \
    "{\"aead\":\"aes-256-gcm\",\"checksum\":\"" checksum "\","                                 \
    "\"created\":\"2026-11-20T09:51:00Z\",\"format\":\"firmiana-key-1\",\"kdf\":{\"n\":16384," \
    "\"name\":\"scrypt\",\"p\":2,\"r\":4,"                                                     \
    "\"salt\":\"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\"},"          \
    "\"nonce\":\"6465666768696a6b6c6d6e6f\",\"public\":\"" public_key "\","                    \
    "\"role\":\"recovery\",\"sealed\":\"" sealed "\",\"suite\":\"ed25519\"}\n"

static void a_foreign_writer_is_understood(void **state)
{
    static const char file[] = FOREIGN(
        "b9b29ff76dc347adbb265b17fdf68f51", "z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp",
        "df3bb157fa45f257fde483968e83d1559b4cc6c58ff06179ce13edd313f2b3e0"
        "7f83b1a8bc486ca215c70245043a5d34");
    /* The same seed beside a public key that is not its own. */
    static const char mismatch[] = FOREIGN(
        "0698cda520dc5a10bd084c19f96e2942", "z6MkjchhfUsD6mmvni8mCdXHw216Xrm9bQe2mBH1P5RDjVJG",
        "df3bb157fa45f257fde483968e83d1559b4cc6c58ff06179ce13edd313f2b3e0"
        "fa019b6559ba77ce3ec6ff41edf8ca3b");
    static const char phrase[] = "correct horse \xe7\x94\xb5\xe6\xb1\xa0";
    static const uint8_t zeros[32];
    struct did_passphrase *pass;
    struct did_secret *back;
    struct did_keyfile info;
    struct base_err err = {0};

    (void)state;
    assert_int_equal(did_passphrase_from_bytes(&pass, phrase, sizeof phrase - 1, &err), FM_OK);
    tools_expect(did_keyfile_open(&back, &info, file, sizeof file - 1, pass, &err), FM_OK, &err,
                 "");
    assert_memory_equal(did_secret_bytes(back), zeros, 32);
    assert_string_equal(info.role, "recovery");
    did_secret_free(back);
    tools_expect(did_keyfile_open(&back, &info, mismatch, sizeof mismatch - 1, pass, &err),
                 FM_E_CORRUPT, &err, "does not belong to the public key");
    assert_null(back);
    did_passphrase_free(pass);
}

static void every_truncation_is_corrupt(void **state)
{
    struct base_buf file = {0};
    struct base_err err = {0};

    (void)state;
    seal(&file);
    for (size_t len = 0; len < file.len; len++)
        assert_int_equal(open_bytes(file.p, len, &err), FM_E_CORRUPT);
    base_buf_put_u8(&file, '\n');
    assert_int_equal(open_bytes(file.p, file.len, &err), FM_E_CORRUPT);
    assert_int_equal(open_bytes(file.p, file.len - 1, &err), FM_OK);
    base_buf_release(&file);
}

static void every_flipped_bit_is_corrupt(void **state)
{
    struct base_buf file = {0};
    struct did_keyfile info;
    struct base_err err = {0};

    (void)state;
    seal(&file);
    for (size_t bit = 0; bit < 8 * file.len; bit++) {
        file.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(open_bytes(file.p, file.len, &err), FM_E_CORRUPT);
        assert_int_equal(did_keyfile_peek(&info, file.p, file.len, &err), FM_E_CORRUPT);
        file.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(did_keyfile_peek(&info, file.p, file.len, &err), FM_OK);
    assert_true(did_key_equal(&info.key, did_secret_key(secret)));
    base_buf_release(&file);
}

/* Someone changes a member on purpose and makes the checksum fit. */
static void forge(const char *inside, const char *name, json_t *value, fm_status wanted,
                  const char *text)
{
    struct base_buf file = {0}, forged = {0};
    struct base_err err = {0};
    uint8_t hash32[32];
    char sum[33];
    json_t *json;

    seal(&file);
    assert_int_equal(base_json_parse(&json, (const char *)file.p, file.len, &err), FM_OK);
    assert_int_equal(
        json_object_set_new(inside == NULL ? json : json_object_get(json, inside), name, value), 0);
    json_object_del(json, "checksum");
    assert_int_equal(base_json_sha256(hash32, json, &err), FM_OK);
    base_hex(sum, hash32, 16);
    json_object_set_new(json, "checksum", json_sprintf("%s%s", sum, wanted == FM_OK ? "0" : ""));
    if (wanted == FM_OK) /* All is right but for a digit too many. */
        wanted = FM_E_CORRUPT;
    assert_int_equal(base_json_canonical(&forged, json, &err), FM_OK);
    base_buf_put_u8(&forged, '\n');
    tools_expect(open_bytes(forged.p, forged.len, &err), wanted, &err, text);
    json_decref(json);
    base_buf_release(&file);
    base_buf_release(&forged);
}

static void forgeries_are_found(void **state)
{
    struct did_secret *other = tools_secret(&rnd);
    char multikey[DID_MULTIKEY_TEXT];
    struct base_err err = {0};

    (void)state;
    assert_int_equal(did_multikey_encode(multikey, did_secret_key(other), &err), FM_OK);
    forge(NULL, "role", json_string("capabilityInvocation"), FM_E_AUTH, "passphrase is wrong");
    forge(NULL, "created", json_string("2026-11-20T09:51:01Z"), FM_E_AUTH, "passphrase is wrong");
    forge(NULL, "public", json_string(multikey), FM_E_AUTH, "passphrase is wrong");
    forge(NULL, "nonce", json_string("000000000000000000000000"), FM_E_AUTH, "passphrase is wrong");
    forge("kdf", "p", json_integer(2), FM_E_AUTH, "passphrase is wrong");
    forge("kdf", "n", json_integer(1 << 21), FM_E_LIMIT, "out of range");
    forge("kdf", "n", json_integer((1 << 15) + 1), FM_E_LIMIT, "out of range");
    forge("kdf", "n", json_integer(2), FM_E_LIMIT, "out of range");
    forge("kdf", "r", json_integer(1 << 30), FM_E_LIMIT, "out of range");
    forge("kdf", "p", json_integer(-1), FM_E_LIMIT, "out of range");
    forge("kdf", "name", json_string("md5"), FM_E_CORRUPT, "kdf 'md5'");
    forge(NULL, "aead", json_string("none"), FM_E_CORRUPT, "aead 'none'");
    forge(NULL, "suite", json_string("sm2"), FM_E_CORRUPT, "do not belong together");
    forge(NULL, "format", json_string("firmiana-key-2"), FM_E_CORRUPT, "format 'firmiana-key-2'");
    forge(NULL, "sealed", json_string("00"), FM_E_CORRUPT, "96 lower-case hex digits");
    forge(NULL, "comment", json_string("hello"), FM_E_CORRUPT, "unknown member 'comment'");
    forge(NULL, "role", json_string("a b"), FM_E_CORRUPT, "role is not");
    forge(NULL, "role", json_string("subject"), FM_OK, "checksum must be 32 hex digits");
    did_secret_free(other);
}

static void bad_arguments_are_refused(void **state)
{
    const struct did_kdf bad = {1u << 13, 8, 1};
    struct base_buf out = {0};
    struct base_err err = {0};

    (void)state;
    tools_expect(
        did_keyfile_seal(&out, secret, "", TOOLS_WHEN, right, &tools_kdf, &rnd.random, &err),
        FM_E_ARG, &err, "role ''");
    tools_expect(did_keyfile_seal(&out, secret, "x", TOOLS_WHEN, right, &bad, &rnd.random, &err),
                 FM_E_ARG, &err, "n 8192, r 8, p 1 are out of range");
    tools_expect(did_keyfile_seal(&out, secret, "x", -1, right, &tools_kdf, &rnd.random, &err),
                 FM_E_ARG, &err, "outside the years");
    assert_int_equal(out.len, 0);
    base_buf_release(&out);
}

/* ---- the national profile ---- */

/* Written by Python's hashlib and hmac with SM3 and by openssl enc -sm4-ctr, from keyfile.h's and
 * base/aead.h's text alone: the secret 1, whose public key is the curve's generator. */
static const char national[] =
    "{\"aead\":\"sm4-ctr-hmac-sm3\",\"checksum\":\"742b01fbe458fbe700b0b2b51747abbc\",\"created\":"
    "\""
    "2026-11-20T09:51:00Z\",\"format\":\"firmiana-key-1\",\"kdf\":{\"iterations\":262144,\"name\":"
    "\"p"
    "bkdf2-hmac-sm3\",\"salt\":\"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d"
    "1e1f\"},\"nonce\":\"6465666768696a6b6c6d6e6f\",\"public\":\"zEPJc1oPo5TnKrv1UsVf11K3g344bZ1v"
    "dvB9u6MofbDnMa494\",\"role\":\"recovery\",\"sealed\":\"fc697ae4449fa85d31aec09c73211a50b09ac"
    "0f465c302e138266766f5385dc2c21e2476e0b57ddf7fc05ff63a5446dd\",\"suite\":\"sm2\"}"
    "\n";

static void a_national_file_is_sm4_and_sm3(void **state)
{
    static const char phrase[] = "correct horse \xe7\x94\xb5\xe6\xb1\xa0";
    static const uint8_t one[32] = {[31] = 1};
    struct did_passphrase *pass;
    struct did_secret *back;
    struct base_err err = {0};

    (void)state;
    assert_int_equal(did_passphrase_from_bytes(&pass, phrase, sizeof phrase - 1, &err), FM_OK);
    tools_expect(did_keyfile_open(&back, NULL, national, sizeof national - 1, pass, &err), FM_OK,
                 &err, "");
    assert_memory_equal(did_secret_bytes(back), one, 32);
    did_secret_free(back);
    tools_expect(did_keyfile_open(&back, NULL, national, sizeof national - 1, right, &err),
                 FM_E_AUTH, &err, "the passphrase is wrong");
    did_passphrase_free(pass);
}

static void the_profile_says_how_to_seal(void **state)
{
    struct did_secret *before = secret;
    struct base_buf file = {0};
    struct base_err err = {0};

    (void)state;
    assert_int_equal(base_profile_adopt(BASE_PROFILE_NATIONAL, &err), FM_OK);
    secret = tools_secret(&rnd);
    seal(&file);
    assert_non_null(strstr(base_buf_cstr(&file), "\"aead\":\"sm4-ctr-hmac-sm3\""));
    assert_non_null(strstr(base_buf_cstr(&file), "\"name\":\"pbkdf2-hmac-sm3\""));
    assert_null(strstr(base_buf_cstr(&file), "scrypt"));
    assert_int_equal(open_bytes(file.p, file.len, &err), FM_OK);
    forge(NULL, "role", json_string("other"), FM_E_AUTH, "passphrase is wrong");
    forge(NULL, "aead", json_string("aes-256-gcm"), FM_E_CORRUPT, "kdf 'pbkdf2-hmac-sm3'");
    forge("kdf", "name", json_string("scrypt"), FM_E_CORRUPT, "kdf 'scrypt' is not known with");
    forge("kdf", "iterations", json_integer(1000), FM_E_LIMIT, "out of range");
    forge("kdf", "iterations", json_integer(1 << 25), FM_E_LIMIT, "out of range");
    did_secret_free(secret);
    secret = before;
    base_profile_forget();
    base_buf_release(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_foreign_writer_is_understood),
        cmocka_unit_test(every_truncation_is_corrupt),
        cmocka_unit_test(every_flipped_bit_is_corrupt),
        cmocka_unit_test(forgeries_are_found),
        cmocka_unit_test(bad_arguments_are_refused),
        cmocka_unit_test(a_national_file_is_sm4_and_sm3),
        cmocka_unit_test(the_profile_says_how_to_seal),
    };
    return cmocka_run_group_tests_name("did key file", tests, setup, teardown);
}
