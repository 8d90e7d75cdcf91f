/* Keys in a token, with SoftHSM: made in it, they sign from there, and what they sign verifies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "did/keystore.h"
#include "did/test_tools.h"
#include "did/token.h"
#include "did/token_own.h"

/* SoftHSM 2.6.1 loses the name of the curve, 37 bytes, at each use of an Edwards key. */
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#define THEIR_LEAKS_BEGIN() __lsan_disable()
#define THEIR_LEAKS_END() __lsan_enable()
#else
#define THEIR_LEAKS_BEGIN() ((void)0)
#define THEIR_LEAKS_END() ((void)0)
#endif

#define MODULE "/usr/lib/softhsm/libsofthsm2.so"
#define PIN "123456"
#define HERE "?module-path=" MODULE

static char folder[64];

static struct did_passphrase *pin_of(const char *text)
{
    struct did_passphrase *pin;
    struct base_err err = {0};

    assert_int_equal(did_passphrase_from_bytes(&pin, text, strlen(text), &err), FM_OK);
    return pin;
}

/* ---- the token ---- */

static CK_FUNCTION_LIST *module;
static CK_SESSION_HANDLE session;

/* A pair made inside the token. */
static void make_pair(CK_MECHANISM_TYPE type, const char *params, size_t params_len,
                      const char *label, unsigned char id, CK_BBOOL extractable)
{
    CK_MECHANISM mechanism = {type, NULL, 0};
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE public[] = {{CKA_TOKEN, &yes, sizeof yes},
                             {CKA_VERIFY, &yes, sizeof yes},
                             {CKA_ID, &id, 1},
                             {CKA_EC_PARAMS, (void *)(uintptr_t)params, params_len}};
    CK_ATTRIBUTE private[] = {{CKA_TOKEN, &yes, sizeof yes},
                              {CKA_PRIVATE, &yes, sizeof yes},
                              {CKA_SIGN, &yes, sizeof yes},
                              {CKA_SENSITIVE, &yes, sizeof yes},
                              {CKA_EXTRACTABLE, &extractable, sizeof extractable},
                              {CKA_ID, &id, 1},
                              {CKA_LABEL, (void *)(uintptr_t)label, strlen(label)}};
    CK_OBJECT_HANDLE a, b;

    assert_int_equal(module->C_GenerateKeyPair(session, &mechanism, public, 4, private, 7, &a, &b),
                     CKR_OK);
}

static void make_token(void)
{
    static const char p256[] = "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
    static const char p384[] = "\x06\x05\x2b\x81\x04\x00\x22";
    static const char ed25519[] = "\x13\x0c"
                                  "edwards25519";
    CK_RV (*get)(CK_FUNCTION_LIST * *list);
    void *library = dlopen(MODULE, RTLD_NOW | RTLD_LOCAL), *symbol;
    unsigned char label[32];
    CK_SLOT_ID slots[4];
    CK_ULONG n = 4;

    assert_non_null(library);
    symbol = dlsym(library, "C_GetFunctionList");
    memcpy(&get, &symbol, sizeof get);
    assert_int_equal(get(&module), CKR_OK);
    assert_int_equal(module->C_Initialize(NULL), CKR_OK);
    memset(label, ' ', sizeof label);
    memcpy(label, "bank a", 6);
    assert_int_equal(module->C_GetSlotList(CK_TRUE, slots, &n), CKR_OK);
    assert_int_equal(module->C_InitToken(slots[0], (unsigned char *)(uintptr_t)PIN, 6, label),
                     CKR_OK);
    n = 4;
    assert_int_equal(module->C_GetSlotList(CK_TRUE, slots, &n), CKR_OK);
    assert_int_equal(
        module->C_OpenSession(slots[0], CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session),
        CKR_OK);
    assert_int_equal(module->C_Login(session, CKU_SO, (unsigned char *)(uintptr_t)PIN, 6), CKR_OK);
    assert_int_equal(module->C_InitPIN(session, (unsigned char *)(uintptr_t)PIN, 6), CKR_OK);
    assert_int_equal(module->C_Logout(session), CKR_OK);
    assert_int_equal(module->C_Login(session, CKU_USER, (unsigned char *)(uintptr_t)PIN, 6),
                     CKR_OK);
    make_pair(CKM_EC_KEY_PAIR_GEN, p256, sizeof p256 - 1, "officer", 1, CK_FALSE);
    THEIR_LEAKS_BEGIN();
    make_pair(CKM_EC_EDWARDS_KEY_PAIR_GEN, ed25519, sizeof ed25519 - 1, "edwards", 2, CK_FALSE);
    THEIR_LEAKS_END();
    make_pair(CKM_EC_KEY_PAIR_GEN, p256, sizeof p256 - 1, "loose", 3, CK_TRUE);
    make_pair(CKM_EC_KEY_PAIR_GEN, p384, sizeof p384 - 1, "large", 4, CK_FALSE);
    make_pair(CKM_EC_KEY_PAIR_GEN, p256, sizeof p256 - 1, "twin", 5, CK_FALSE);
    make_pair(CKM_EC_KEY_PAIR_GEN, p256, sizeof p256 - 1, "twin", 6, CK_FALSE);
    assert_int_equal(module->C_Finalize(NULL), CKR_OK);
}

static int set_up(void **state)
{
    struct base_err err = {0};
    char path[128], text[128];

    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/test_token.XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/tokens", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    (void)snprintf(text, sizeof text, "directories.tokendir = %s/tokens\nlog.level = ERROR\n",
                   folder);
    (void)snprintf(path, sizeof path, "%s/softhsm2.conf", folder);
    assert_int_equal(base_file_write(path, text, strlen(text), 0600, &err), FM_OK);
    assert_int_equal(setenv("SOFTHSM2_CONF", path, 1), 0);
    make_token();
    return 0;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    (void)snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

/* ---- tests ---- */

static void try_key(const char *uri, const struct did_suite *suite)
{
    struct did_passphrase *pin = pin_of(PIN);
    struct did_secret *secret, *again;
    uint8_t message[300] = {7}, signature[DID_SIGNATURE_MAX];
    struct base_err err = {0};

    if (did_token_open(&secret, uri, NULL, pin, &err) != FM_OK)
        fail_msg("%s", err.text);
    assert_ptr_equal(did_secret_key(secret)->suite, suite);
    assert_null(did_secret_bytes(secret));
    for (size_t len = 0; len <= sizeof message; len += 60) {
        message[1] = (uint8_t)len;
        assert_int_equal(did_secret_sign(secret, signature, message, len, &err), FM_OK);
        assert_int_equal(did_key_verify(did_secret_key(secret), DID_RULES_VERSION, signature,
                                        suite->signature_len, message, len, &err),
                         FM_OK);
    }
    /* The same key, named; two at once; the first still signs when the second has gone. */
    assert_int_equal(did_token_open(&again, uri, did_secret_key(secret), pin, &err), FM_OK);
    did_secret_free(again);
    assert_int_equal(did_secret_sign(secret, signature, message, 5, &err), FM_OK);
    did_secret_free(secret);
    did_passphrase_free(pin);
}

static void keys_sign_from_within(void **state)
{
    (void)state;
    try_key("pkcs11:token=bank%20a;object=officer" HERE, did_suite_p256());
    try_key("pkcs11:token=bank%20a;id=%01;type=private" HERE, did_suite_p256());
    THEIR_LEAKS_BEGIN();
    try_key("pkcs11:token=bank%20a;object=edwards" HERE, did_suite_ed25519());
    THEIR_LEAKS_END();
}

static void refusals(void **state)
{
    static const struct {
        const char *uri, *pin, *text;
        fm_status code;
    } all[] = {
        {"pkcs11:token=bank%20a;object=officer" HERE, "654321", "PIN is wrong", FM_E_AUTH},
        {"pkcs11:token=bank%20b;object=officer" HERE, PIN, "no token", FM_E_NOT_FOUND},
        {"pkcs11:token=bank%20a;object=nobody" HERE, PIN, "no private key", FM_E_NOT_FOUND},
        {"pkcs11:token=bank%20a" HERE, PIN, "several keys", FM_E_ARG},
        {"pkcs11:token=bank%20a;object=twin" HERE, PIN, "several keys", FM_E_ARG},
        {"pkcs11:token=bank%20a;object=loose" HERE, PIN, "CKA_EXTRACTABLE", FM_E_REFUSED},
        {"pkcs11:token=bank%20a;object=large" HERE, PIN, "no suite known here", FM_E_UNSUPPORTED},
        {"pkcs11:token=bank%20a;object=officer" HERE "&pin-value=123456", PIN, "holds no PIN",
         FM_E_ARG},
        {"pkcs11:nonsense=1", PIN, "not understood", FM_E_ARG},
        {"http://x", PIN, "not understood", FM_E_ARG},
        {"pkcs11:object=x?module-path=/nonexistent.so", PIN, "no such PKCS#11 module",
         FM_E_NOT_FOUND},
    };
    struct did_secret *secret;

    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct did_passphrase *pin = pin_of(all[i].pin);
        struct base_err err = {0};
        tools_expect(did_token_open(&secret, all[i].uri, NULL, pin, &err), all[i].code, &err,
                     all[i].text);
        assert_null(secret);
        did_passphrase_free(pin);
    }
}

/* A file that says another public key than the token's signs with is found out at opening. */
static void another_key(void **state)
{
    struct did_passphrase *pin = pin_of(PIN);
    struct did_secret *twin, *secret;
    struct base_err err = {0};
    struct did_key ed;

    (void)state;
    assert_int_equal(did_token_open(&twin, "pkcs11:token=bank%20a;id=%05" HERE, NULL, pin, &err),
                     FM_OK);
    tools_expect(did_token_open(&secret, "pkcs11:token=bank%20a;object=officer" HERE,
                                did_secret_key(twin), pin, &err),
                 FM_E_AUTH, &err, "signed with another key");
    did_secret_free(twin);
    THEIR_LEAKS_BEGIN();
    assert_int_equal(
        did_token_open(&twin, "pkcs11:token=bank%20a;object=edwards" HERE, NULL, pin, &err), FM_OK);
    ed = *did_secret_key(twin);
    did_secret_free(twin);
    THEIR_LEAKS_END();
    tools_expect(
        did_token_open(&secret, "pkcs11:token=bank%20a;object=officer" HERE, &ed, pin, &err),
        FM_E_AUTH, &err, "suite p256, not ed25519");
    did_passphrase_free(pin);
}

static void in_a_file(void **state)
{
    const char *uri = "pkcs11:token=bank%20a;object=officer" HERE;
    struct did_passphrase *pin = pin_of(PIN), *wrong = pin_of("111111");
    struct did_secret *secret, *loaded;
    struct did_keyfile info;
    struct base_err err = {0};
    struct tools_random r;
    char path[128];

    (void)state;
    tools_random_init(&r, 1);
    (void)snprintf(path, sizeof path, "%s/officer.json", folder);
    assert_int_equal(did_token_open(&secret, uri, NULL, pin, &err), FM_OK);
    assert_int_equal(did_keystore_save_token(path, did_secret_key(secret), "capabilityInvocation",
                                             TOOLS_WHEN, uri, &r.random, &err),
                     FM_OK);
    assert_int_equal(did_keystore_save_token(path, did_secret_key(secret), "capabilityInvocation",
                                             TOOLS_WHEN, uri, &r.random, &err),
                     FM_E_CONFLICT);
    assert_int_equal(did_keystore_peek(&info, path, &err), FM_OK);
    assert_true(did_key_equal(&info.key, did_secret_key(secret)));
    assert_string_equal(info.role, "capabilityInvocation");
    assert_int_equal(info.created_s, TOOLS_WHEN);
    memset(&info, 0, sizeof info);
    assert_int_equal(did_keystore_load(&loaded, &info, path, pin, &err), FM_OK);
    assert_true(did_key_equal(did_secret_key(loaded), &info.key));
    did_secret_free(loaded);
    tools_expect(did_keystore_save_token(path, did_secret_key(secret), "x", TOOLS_WHEN,
                                         "pkcs11:object=x?pin-value=1", &r.random, &err),
                 FM_E_ARG, &err, "no PIN");
    did_secret_free(secret); /* the last one: nobody is logged in any more */
    tools_expect(did_keystore_load(&loaded, NULL, path, wrong, &err), FM_E_AUTH, &err,
                 "PIN is wrong");
    did_passphrase_free(pin);
    did_passphrase_free(wrong);
}

/* Every prefix and every changed byte of a file: read as what it says, or refused. */
static void bent_files(void **state)
{
    struct tools_random r;
    struct did_secret *secret;
    struct did_keyfile info;
    struct base_buf bytes = {0};
    struct base_err err = {0};
    char uri[DID_TOKEN_URI];

    (void)state;
    tools_random_init(&r, 2);
    secret = tools_secret(&r);
    assert_int_equal(did_token_file_put(&bytes, did_secret_key(secret), "officer", TOOLS_WHEN,
                                        "pkcs11:object=x", &err),
                     FM_OK);
    assert_true(did_token_is_file(bytes.p, bytes.len));
    assert_int_equal(did_token_file_read(&info, uri, bytes.p, bytes.len, &err), FM_OK);
    assert_string_equal(uri, "pkcs11:object=x");
    for (size_t i = 0; i < bytes.len; i++)
        assert_int_equal(did_token_file_read(&info, uri, bytes.p, i, &err), FM_E_CORRUPT);
    for (size_t i = 0; i < bytes.len; i++) {
        struct base_buf again = {0};
        bytes.p[i] ^= 1;
        if (did_token_file_read(&info, uri, bytes.p, bytes.len, &err) == FM_OK &&
            did_token_file_put(&again, &info.key, info.role, info.created_s, uri, &err) == FM_OK)
            assert_true(again.len == bytes.len && memcmp(again.p, bytes.p, again.len) == 0);
        bytes.p[i] ^= 1;
        base_buf_release(&again);
    }
    base_buf_release(&bytes);
    did_secret_free(secret);
}

static void points(void **state)
{
    struct tools_random r;
    struct did_secret *secret;
    struct did_key key;
    struct base_err err = {0};
    uint8_t point[70] = {4, 32};

    (void)state;
    tools_random_init(&r, 3);
    secret = tools_secret(&r);
    memcpy(point + 2, did_secret_key(secret)->bytes, 32);
    assert_int_equal(did_token_point(&key, did_suite_ed25519(), point, 34, &err), FM_OK);
    assert_true(did_key_equal(&key, did_secret_key(secret)));
    assert_int_equal(did_token_point(&key, did_suite_ed25519(), point + 2, 32, &err), FM_OK);
    for (size_t len = 0; len < 70; len++)
        if (len != 34 && len != 32)
            assert_int_equal(did_token_point(&key, did_suite_ed25519(), point, len, &err),
                             FM_E_UNSUPPORTED);
    assert_int_equal(did_token_point(&key, did_suite_p256(), point, 33, &err), FM_E_UNSUPPORTED);
    point[0] = 3;
    assert_int_equal(did_token_point(&key, did_suite_p256(), point, 65, &err), FM_E_UNSUPPORTED);
    did_secret_free(secret);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_sign_from_within),
        cmocka_unit_test(refusals),
        cmocka_unit_test(another_key),
        cmocka_unit_test(in_a_file),
        cmocka_unit_test(bent_files),
        cmocka_unit_test(points),
    };

    if (access(MODULE, R_OK) != 0) {
        (void)fprintf(stderr, "skipped: no SoftHSM (apt install softhsm2)\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
