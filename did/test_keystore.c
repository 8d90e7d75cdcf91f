#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "did/keystore.h"
#include "did/test_tools.h"

static struct tools_random rnd;
static struct did_secret *secret;
static struct did_passphrase *right, *wrong;
static char folder[] = "/tmp/firmiana-keystore-XXXXXX";
static char path[128];

static int setup(void **state)
{
    struct base_err err = {0};

    (void)state;
    tools_random_init(&rnd, 3);
    secret = tools_secret(&rnd);
    assert_int_equal(did_passphrase_from_bytes(&right, "battery staple", 14, &err), FM_OK);
    assert_int_equal(did_passphrase_from_bytes(&wrong, "battery stable", 14, &err), FM_OK);
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/node.key", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    did_secret_free(secret);
    did_passphrase_free(right);
    did_passphrase_free(wrong);
    return rmdir(folder); /* fails if a test left something */
}

static size_t files_in_folder(void)
{
    DIR *dir = opendir(folder);
    size_t count = 0;

    assert_non_null(dir);
    while (readdir(dir) != NULL)
        count++;
    (void)closedir(dir);
    return count - 2; /* . and .. */
}

static fm_status save(enum did_keystore_mode mode, const struct did_passphrase *pass,
                      struct base_err *err)
{
    return did_keystore_save(path, mode, secret, "authentication", TOOLS_WHEN, pass, &tools_kdf,
                             base_random_system(), err);
}

static fm_status load(const struct did_passphrase *pass, struct base_err *err)
{
    struct did_secret *back;
    struct did_keyfile info;
    fm_status st = did_keystore_load(&back, &info, path, pass, err);

    if (st == FM_OK) {
        assert_memory_equal(did_secret_bytes(back), did_secret_bytes(secret), 32);
        assert_true(did_key_equal(&info.key, did_secret_key(secret)));
        assert_string_equal(info.role, "authentication");
        assert_true(info.created_s == TOOLS_WHEN);
    } else {
        assert_null(back);
    }
    did_secret_free(back);
    return st;
}
static void saved_keys_come_back(void **state)
{
    struct did_keyfile info;
    struct base_err err = {0};
    struct stat file;
    mode_t mask = umask(0);

    (void)state;
    tools_expect(save(DID_KEYSTORE_NEW, right, &err), FM_OK, &err, "");
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_mode & 07777, 0600);
    assert_int_equal(files_in_folder(), 1);
    tools_expect(load(right, &err), FM_OK, &err, "");
    tools_expect(load(wrong, &err), FM_E_AUTH, &err, "node.key: the passphrase is wrong");
    tools_expect(did_keystore_peek(&info, path, &err), FM_OK, &err, "");
    assert_true(did_key_equal(&info.key, did_secret_key(secret)));
    tools_expect(save(DID_KEYSTORE_NEW, wrong, &err), FM_E_CONFLICT, &err, "of that name already");
    tools_expect(load(right, &err), FM_OK, &err, "");
    (void)umask(0377);
    tools_expect(save(DID_KEYSTORE_REPLACE, wrong, &err), FM_OK, &err, "");
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_mode & 07777, 0600);
    tools_expect(load(wrong, &err), FM_OK, &err, "");
    assert_int_equal(files_in_folder(), 1);
    assert_int_equal(unlink(path), 0);
    (void)umask(mask);
}

static void the_default_cost_works(void **state)
{
    struct base_err err = {0};

    (void)state;
    tools_expect(did_keystore_save(path, DID_KEYSTORE_NEW, secret, "authentication", TOOLS_WHEN,
                                   right, NULL, base_random_system(), &err),
                 FM_OK, &err, "");
    tools_expect(load(right, &err), FM_OK, &err, "");
    assert_int_equal(unlink(path), 0);
}

static void open_doors_are_refused(void **state)
{
    static const mode_t modes[] = {0640, 0604, 0620, 0602, 0610, 0666, 0777};
    char real[160];
    struct base_err err = {0};

    (void)state;
    tools_expect(load(right, &err), FM_E_NOT_FOUND, &err, "node.key: there is no such key file");
    tools_expect(save(DID_KEYSTORE_NEW, right, &err), FM_OK, &err, "");
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        assert_int_equal(chmod(path, modes[i]), 0);
        tools_expect(load(right, &err), FM_E_REFUSED, &err, "chmod 600");
    }
    assert_int_equal(chmod(path, 0400), 0);
    tools_expect(load(right, &err), FM_OK, &err, "");
    (void)snprintf(real, sizeof real, "%s.real", path);
    assert_int_equal(rename(path, real), 0);
    assert_int_equal(symlink(real, path), 0);
    tools_expect(load(right, &err), FM_E_REFUSED, &err, "symbolic link");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    tools_expect(load(right, &err), FM_E_REFUSED, &err, "not a regular file");
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    tools_expect(load(right, &err), FM_E_REFUSED, &err, "not a regular file");
    assert_int_equal(unlink(path), 0);
    if (geteuid() == 0) { /* only root can give files away */
        assert_int_equal(rename(real, path), 0);
        assert_int_equal(chown(path, 1, 1), 0);
        tools_expect(load(right, &err), FM_E_REFUSED, &err, "belongs to user 1, not to user 0");
        assert_int_equal(rename(path, real), 0);
    }
    assert_int_equal(unlink(real), 0);
}

static void long_files_are_refused(void **state)
{
    static char blanks[DID_KEYFILE_MAX + 10];
    struct base_err err = {0};
    int fd = open(path, O_CREAT | O_WRONLY | O_EXCL, 0600);

    (void)state;
    memset(blanks, '\n', sizeof blanks);
    assert_int_equal(write(fd, blanks, sizeof blanks), sizeof blanks);
    assert_int_equal(close(fd), 0);
    tools_expect(load(right, &err), FM_E_CORRUPT, &err,
                 "longer than the 4096 bytes of any key file");
    assert_int_equal(unlink(path), 0);
}

/* The disk takes only so many bytes, for more and more bytes: nothing is left behind until all of
 * them fit, and an older file stays as it was. */
static void a_full_disk_leaves_no_trace(void **state)
{
    struct rlimit before, small;
    struct base_err err = {0};
    struct base_buf whole = {0};
    size_t failed = 0;

    (void)state;
    assert_int_equal(did_keyfile_seal(&whole, secret, "subject", TOOLS_WHEN, right, &tools_kdf,
                                      &rnd.random, &err),
                     FM_OK);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    tools_expect(save(DID_KEYSTORE_NEW, right, &err), FM_OK, &err, "");
    for (size_t room = 0;; room += 97) {
        fm_status st;
        small = before;
        small.rlim_cur = room;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        st = save(DID_KEYSTORE_REPLACE, wrong, &err);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_int_equal(files_in_folder(), 1);
        if (st == FM_OK)
            break;
        tools_expect(st, FM_E_IO, &err, "node.key: write: File too large");
        failed++;
    }
    assert_true(failed >= whole.len / 97);
    tools_expect(load(wrong, &err), FM_OK, &err, "");
    assert_int_equal(unlink(path), 0);
    base_buf_release(&whole);
}

static fm_status fails_later(void *ctx, void *out, size_t len, struct base_err *err)
{
    int *left = ctx;

    if (--*left < 0)
        return base_err_set(err, FM_E_IO, "no randomness");
    memset(out, 0x11, len);
    return FM_OK;
}

static void every_lack_of_randomness_is_reported(void **state)
{
    struct base_err err = {0};
    int calls = 0;

    (void)state;
    for (;; calls++) {
        int left = calls;
        const struct base_random random = {fails_later, &left};
        fm_status st = did_keystore_save(path, DID_KEYSTORE_NEW, secret, "authentication",
                                         TOOLS_WHEN, right, &tools_kdf, &random, &err);
        if (st == FM_OK)
            break;
        tools_expect(st, FM_E_IO, &err, "no randomness");
        assert_int_equal(files_in_folder(), 0);
    }
    assert_int_equal(calls, 3); /* salt, nonce, temporary name */
    assert_int_equal(unlink(path), 0);
}

static void a_missing_folder_is_named(void **state)
{
    struct did_keyfile info;
    struct base_err err = {0};

    (void)state;
    tools_expect(did_keystore_save("/nonexistent/a.key", DID_KEYSTORE_NEW, secret, "authentication",
                                   TOOLS_WHEN, right, &tools_kdf, base_random_system(), &err),
                 FM_E_IO, &err, "/nonexistent/a.key: create a file beside it: No such file");
    tools_expect(did_keystore_peek(&info, "/dev/null/a.key", &err), FM_E_IO, &err,
                 "/dev/null/a.key: open: Not a directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(saved_keys_come_back),
        cmocka_unit_test(the_default_cost_works),
        cmocka_unit_test(open_doors_are_refused),
        cmocka_unit_test(long_files_are_refused),
        cmocka_unit_test(a_full_disk_leaves_no_trace),
        cmocka_unit_test(every_lack_of_randomness_is_reported),
        cmocka_unit_test(a_missing_folder_is_named),
    };
    return cmocka_run_group_tests_name("did key store", tests, setup, teardown);
}
