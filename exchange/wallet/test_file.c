/* A wallet's file: what was put in comes back, and from the phrase every key; nothing altered
 * opens; processes that change it at once lose nothing, and one that is killed leaves it whole.
 * Derived keys are held against HMAC as OpenSSL computes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/profile.h"
#include "exchange/wallet/file.h"
#include "exchange/wallet/key.h"

static const struct did_kdf cheap = {1u << 14, 1, 1};
static struct did_passphrase *right, *wrong;
static char folder[] = "/tmp/firmiana-wallet-XXXXXX";
static char path[128];

static void ok(fm_status st, const struct base_err *err)
{
    if (st != FM_OK)
        fail_msg("%s", err->text);
}

static void make(struct wallet *w, const uint8_t *secret32, const struct did_suite *suite)
{
    struct base_err err = {0};

    ok(wallet_new(w, secret32, suite, 1795168260, right, &cheap, base_random_system(), &err), &err);
}

static int setup(void **state)
{
    struct base_err err = {0};
    struct wallet w;

    (void)state;
    ok(did_passphrase_from_bytes(&right, "battery staple", 14, &err), &err);
    ok(did_passphrase_from_bytes(&wrong, "battery stable", 14, &err), &err);
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/wallet", folder);
    make(&w, NULL, NULL);
    ok(wallet_file_create(&w, path, base_random_system(), &err), &err);
    assert_int_equal(wallet_file_create(&w, path, base_random_system(), &err), FM_E_CONFLICT);
    wallet_release(&w);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    did_passphrase_free(right);
    did_passphrase_free(wrong);
    (void)unlink(path);
    return rmdir(folder); /* fails if a test left something */
}

/* What others sign may hold fractions and null. */
static void add(struct wallet *w, const char *name)
{
    assert_int_equal(json_array_append_new(wallet_list(w, "credentials"),
                                           json_pack("{s:s, s:[f, n]}", "name", name, "any", 1.5)),
                     0);
}

static void what_was_written_comes_back(void **state)
{
    struct wallet_file f;
    struct base_err err = {0};
    struct stat info;
    const json_t *any;

    (void)state;
    ok(wallet_file_open(&f, path, WALLET_TO_CHANGE, right, &err), &err);
    add(&f.w, "diploma");
    ok(wallet_file_save(&f, base_random_system(), &err), &err);
    wallet_file_close(&f);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(wallet_file_open(&f, path, WALLET_TO_READ, wrong, &err), FM_E_AUTH);
    assert_non_null(strstr(err.text, "wallet: the passphrase is wrong"));
    wallet_file_close(&f);
    ok(wallet_file_open(&f, path, WALLET_TO_CHANGE, right, &err), &err);
    any = json_object_get(json_array_get(wallet_list(&f.w, "credentials"), 0), "any");
    assert_true(json_real_value(json_array_get(any, 0)) == 1.5 &&
                json_is_null(json_array_get(any, 1)));
    assert_string_equal(wallet_text(json_array_get(wallet_list(&f.w, "credentials"), 0), "name"),
                        "diploma");
    ok(wallet_reseal(&f.w, wrong, &cheap, base_random_system(), &err), &err);
    ok(wallet_file_save(&f, base_random_system(), &err), &err);
    wallet_file_close(&f);
    assert_int_equal(wallet_file_open(&f, path, WALLET_TO_READ, right, &err), FM_E_AUTH);
    ok(wallet_file_open(&f, path, WALLET_TO_CHANGE, wrong, &err), &err);
    assert_int_equal(json_array_size(wallet_list(&f.w, "credentials")), 1);
    ok(wallet_reseal(&f.w, right, &cheap, base_random_system(), &err), &err);
    ok(wallet_file_save(&f, base_random_system(), &err), &err);
    wallet_file_close(&f);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(wallet_file_open(&f, path, WALLET_TO_READ, right, &err), FM_E_REFUSED);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(wallet_file_open(&f, "/nowhere", WALLET_TO_CHANGE, right, &err),
                     FM_E_NOT_FOUND);
}

static void sizes_are_bounded(void **state)
{
    struct base_buf bytes = {0};
    struct base_err err = {0};
    struct wallet w;
    char *long_text = calloc(1, WALLET_MAX);

    (void)state;
    assert_non_null(long_text);
    make(&w, NULL, NULL);
    memset(long_text, 'x', WALLET_MAX - 1);
    add(&w, long_text);
    assert_int_equal(wallet_write(&bytes, &w, base_random_system(), &err), FM_E_LIMIT);
    wallet_release(&w);
    memset(long_text, '\n', WALLET_MAX);
    assert_int_equal(wallet_read(&w, long_text, WALLET_MAX, right, &err), FM_E_CORRUPT);
    base_buf_release(&bytes);
    free(long_text);
}

/* A bit of one byte in so many, in turn; tests/fuzz has all of them. */
static void nothing_altered_opens(void **state)
{
    struct base_buf bytes = {0};
    struct base_err err = {0};
    struct wallet w, other;

    (void)state;
    make(&w, NULL, NULL);
    ok(wallet_write(&bytes, &w, base_random_system(), &err), &err);
    for (size_t i = 0; i < bytes.len; i += i < 200 ? 37 : 61) {
        bytes.p[i] ^= 1;
        assert_int_not_equal(wallet_read(&other, bytes.p, bytes.len, right, &err), FM_OK);
        assert_null(other.master);
        bytes.p[i] ^= 1;
    }
    for (size_t i = 0; i < bytes.len; i += 41)
        assert_int_equal(wallet_read(&other, bytes.p, i, right, &err), FM_E_CORRUPT);
    ok(wallet_read(&other, bytes.p, bytes.len, right, &err), &err);
    wallet_release(&other);
    wallet_release(&w);
    base_buf_release(&bytes);
}

/* A key file of another role, put in a wallet's place. */
static void other_keys_are_no_wallets(void **state)
{
    struct base_buf key = {0}, bytes = {0};
    struct base_err err = {0};
    struct wallet w, other;

    (void)state;
    make(&w, NULL, NULL);
    ok(did_keyfile_seal(&key, w.master, "subject", 1795168260, right, &cheap, base_random_system(),
                        &err),
       &err);
    json_decref(w.key);
    ok(base_json_parse_canonical(&w.key, key.p, key.len - 1, &err), &err);
    ok(wallet_write(&bytes, &w, base_random_system(), &err), &err);
    assert_int_equal(wallet_read(&other, bytes.p, bytes.len, right, &err), FM_E_CORRUPT);
    assert_non_null(strstr(err.text, "its key is no wallet's"));
    wallet_release(&w);
    base_buf_release(&key);
    base_buf_release(&bytes);
}

static void content_of_another_does_not_open(void **state)
{
    struct base_buf one = {0}, two = {0}, mixed = {0};
    struct base_err err = {0};
    struct wallet w, other;
    const char *key_of_two, *key_of_one;

    (void)state;
    make(&w, NULL, NULL);
    make(&other, NULL, NULL);
    ok(wallet_write(&one, &w, base_random_system(), &err), &err);
    ok(wallet_write(&two, &other, base_random_system(), &err), &err);
    key_of_one = strstr(base_buf_cstr(&one), "\"format\"");
    key_of_two = strstr(base_buf_cstr(&two), "\"format\"");
    base_buf_put(&mixed, one.p, (size_t)(key_of_one - (const char *)one.p));
    base_buf_put_str(&mixed, key_of_two);
    wallet_release(&w);
    assert_int_equal(wallet_read(&w, mixed.p, mixed.len, right, &err), FM_E_CORRUPT);
    assert_non_null(strstr(err.text, "another wallet's"));
    wallet_release(&other);
    base_buf_release(&one);
    base_buf_release(&two);
    base_buf_release(&mixed);
}

/* ---- keys ---- */

static void by_openssl(uint8_t out32[32], const EVP_MD *md, const uint8_t *secret32,
                       const char *label, const char *peer, uint8_t number)
{
    uint8_t message[256] = {0}, context[256] = {0};
    size_t n = strlen(label), len = strlen(peer) + 1 + 8;

    memcpy(context, peer, strlen(peer));
    context[len - 1] = number; /* then attempt 0 */
    memcpy(message, label, n);
    assert_int_equal(EVP_Digest(context, len + 1, message + n, NULL, md, NULL), 1);
    message[n + 32] = 1; /* HKDF's counter */
    assert_non_null(HMAC(md, secret32, 32, message, n + 33, out32, NULL));
}

static void check_keys(const struct did_suite *suite, const EVP_MD *md)
{
    static const char *const peers[] = {"did:firmiana:1:a", "did:firmiana:1:b"};
    char seen[12][DID_KEY_DID_TEXT], phrase[WALLET_PHRASE_TEXT], slip[WALLET_PHRASE_TEXT];
    uint8_t secret[32], want[32];
    const struct did_suite *found;
    struct base_err err = {0};
    struct wallet w, back;
    size_t n = 0;

    make(&w, NULL, NULL);
    assert_ptr_equal(w.info.key.suite, suite);
    ok(wallet_phrase(phrase, &w, &err), &err);
    ok(wallet_phrase_read(secret, &found, phrase, strlen(phrase), &err), &err);
    assert_ptr_equal(found, suite);
    make(&back, secret, suite);
    for (int use = WALLET_PAIRWISE; use <= WALLET_MANDATE; use++)
        for (size_t p = 0; p < 2; p++)
            for (uint8_t number = 0; number < 2; number++) {
                char label[64];
                struct did_secret *key;
                (void)snprintf(label, sizeof label, "firmiana wallet 1 %s",
                               wallet_use_name((enum wallet_use)use));
                ok(wallet_key(&key, &w, (enum wallet_use)use, peers[p], number, &err), &err);
                by_openssl(want, md, did_secret_bytes(w.master), label, peers[p], number);
                assert_memory_equal(did_secret_bytes(key), want, 32);
                did_secret_free(key);
                ok(wallet_did(seen[n], &back, (enum wallet_use)use, peers[p], number, &err), &err);
                for (size_t i = 0; i < n; i++)
                    assert_string_not_equal(seen[i], seen[n]);
                n++;
            }
    ok(wallet_nonce(secret, &w, peers[0], 1, &err), &err);
    by_openssl(want, md, did_secret_bytes(w.master), "firmiana wallet 1 nonce", peers[0], 1);
    assert_memory_equal(secret, want, 32);
    memcpy(slip, phrase, sizeof slip);
    slip[strlen(slip) - 2] = slip[strlen(slip) - 2] == 'q' ? 'p' : 'q';
    assert_int_equal(wallet_phrase_read(secret, &found, slip, strlen(slip), &err), FM_E_INPUT);
    assert_non_null(strstr(err.text, "recovery phrase: the checksum does not fit"));
    wallet_release(&w);
    wallet_release(&back);
}

static void keys_are_derived_as_said(void **state)
{
    struct base_buf bytes = {0};
    struct base_err err = {0};
    struct wallet w, back;

    (void)state;
    make(&w, NULL, NULL);
    ok(wallet_write(&bytes, &w, base_random_system(), &err), &err);
    check_keys(did_suite_ed25519(), EVP_sha256());
    ok(base_profile_adopt(BASE_PROFILE_NATIONAL, &err), &err);
    check_keys(did_suite_sm2(), EVP_sm3());
    assert_int_equal(wallet_read(&back, bytes.p, bytes.len, right, &err), FM_E_CONFLICT);
    base_profile_forget();
    base_buf_release(&bytes);
    wallet_release(&w);
}

static void phrases_of_others_are_refused(void **state)
{
    static const char *const wrong_ones[] = {
        "", "firmiana1", "a1lqfn3a", "split1checkupstagehandshakeupstreamerranterredcaperredlc445v",
        "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx"};
    const struct did_suite *suite;
    struct base_err err = {0};
    uint8_t secret[32];

    (void)state;
    for (size_t i = 0; i < sizeof wrong_ones / sizeof wrong_ones[0]; i++)
        assert_int_equal(
            wallet_phrase_read(secret, &suite, wrong_ones[i], strlen(wrong_ones[i]), &err),
            FM_E_INPUT);
}

/* ---- processes ---- */

/* In a child, which has no secret pages of its parent's. */
static void change(int times)
{
    struct base_err err = {0};

    if (did_passphrase_from_bytes(&right, "battery staple", 14, &err) != FM_OK)
        _exit(2);

    for (int i = 0; i < times; i++) {
        struct wallet_file f;
        fm_status st = wallet_file_open(&f, path, WALLET_TO_CHANGE, right, &err);
        if (st == FM_OK)
            add(&f.w, "one more");
        if (st == FM_OK)
            st = wallet_file_save(&f, base_random_system(), &err);
        wallet_file_close(&f);
        if (st != FM_OK)
            _exit(1);
    }
    _exit(0);
}

static size_t records(void)
{
    struct wallet_file f;
    struct base_err err = {0};
    size_t n;

    ok(wallet_file_open(&f, path, WALLET_TO_READ, right, &err), &err);
    n = json_array_size(wallet_list(&f.w, "credentials"));
    wallet_file_close(&f);
    return n;
}

static void no_change_is_lost(void **state)
{
    size_t before = records();
    pid_t child[3];

    (void)state;
    for (int i = 0; i < 3; i++)
        if ((child[i] = fork()) == 0)
            change(3);
    for (int i = 0; i < 3; i++) {
        int status;
        assert_int_equal(waitpid(child[i], &status, 0), child[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    assert_int_equal(records(), before + 9);
}

static void the_killed_leave_it_whole(void **state)
{
    char command[160];

    (void)state;
    for (int i = 0; i < 3; i++) {
        const struct timespec nap = {0, (50 + 41 * i) * 1000000L};
        size_t before = records();
        pid_t child = fork();
        int status;
        if (child == 0)
            change(1000);
        (void)nanosleep(&nap, NULL);
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        assert_true(records() >= before);
    }
    (void)snprintf(command, sizeof command, "rm -f %s.tmp.*", path); /* a crash may leave one */
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_comes_back),
        cmocka_unit_test(sizes_are_bounded),
        cmocka_unit_test(nothing_altered_opens),
        cmocka_unit_test(other_keys_are_no_wallets),
        cmocka_unit_test(content_of_another_does_not_open),
        cmocka_unit_test(phrases_of_others_are_refused),
        cmocka_unit_test(no_change_is_lost),
        cmocka_unit_test(the_killed_leave_it_whole),
        cmocka_unit_test(keys_are_derived_as_said),
    };

    return cmocka_run_group_tests_name("wallet file", tests, setup, teardown);
}
