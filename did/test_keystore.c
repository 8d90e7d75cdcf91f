#define _XOPEN_SOURCE 700 /* posix_openpt() and friends */
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
#include <sys/wait.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/json.h"
#include "did/keystore.h"
#include "did/multibase.h"
#include "did/test_tools.h"

#define WHEN 1795168260 /* 2026-11-20T09:51:00Z */

static const struct did_kdf light = {1u << 14, 8, 1};

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
    return did_keystore_save(path, mode, secret, "authentication", WHEN, pass, &light,
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
        assert_true(info.created_s == WHEN);
    } else {
        assert_null(back);
    }
    did_secret_free(back);
    return st;
}

static void expect(fm_status got, fm_status wanted, const struct base_err *err, const char *text)
{
    if (got != wanted || strstr(err->text, text) == NULL)
        fail_msg("%s '%s', wanted %s '%s'", fm_status_name(got), err->text, fm_status_name(wanted),
                 text);
}

/* ---- bytes ---- */

static void seal(struct base_buf *out)
{
    struct base_err err = {0};

    assert_int_equal(
        did_keyfile_seal(out, secret, "subject", WHEN, right, &light, &rnd.random, &err), FM_OK);
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
    expect(did_keyfile_open(&back, &info, file, sizeof file - 1, pass, &err), FM_OK, &err, "");
    assert_memory_equal(did_secret_bytes(back), zeros, 32);
    assert_string_equal(info.role, "recovery");
    did_secret_free(back);
    expect(did_keyfile_open(&back, &info, mismatch, sizeof mismatch - 1, pass, &err), FM_E_CORRUPT,
           &err, "does not belong to the public key");
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
    assert_int_equal(base_json_hash(hash32, json, &err), FM_OK);
    base_hex(sum, hash32, 16);
    json_object_set_new(json, "checksum", json_sprintf("%s%s", sum, wanted == FM_OK ? "0" : ""));
    if (wanted == FM_OK) /* All is right but for a digit too many. */
        wanted = FM_E_CORRUPT;
    assert_int_equal(base_json_canonical(&forged, json, &err), FM_OK);
    base_buf_put_u8(&forged, '\n');
    expect(open_bytes(forged.p, forged.len, &err), wanted, &err, text);
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
    expect(did_keyfile_seal(&out, secret, "", WHEN, right, &light, &rnd.random, &err), FM_E_ARG,
           &err, "role ''");
    expect(did_keyfile_seal(&out, secret, "x", WHEN, right, &bad, &rnd.random, &err), FM_E_ARG,
           &err, "n 8192, r 8, p 1 are out of range");
    expect(did_keyfile_seal(&out, secret, "x", -1, right, &light, &rnd.random, &err), FM_E_ARG,
           &err, "outside the years");
    assert_int_equal(out.len, 0);
    base_buf_release(&out);
}

/* ---- files ---- */

static void saved_keys_come_back(void **state)
{
    struct did_keyfile info;
    struct base_err err = {0};
    struct stat file;
    mode_t mask = umask(0);

    (void)state;
    expect(save(DID_KEYSTORE_NEW, right, &err), FM_OK, &err, "");
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_mode & 07777, 0600);
    assert_int_equal(files_in_folder(), 1);
    expect(load(right, &err), FM_OK, &err, "");
    expect(load(wrong, &err), FM_E_AUTH, &err, "node.key: the passphrase is wrong");
    expect(did_keystore_peek(&info, path, &err), FM_OK, &err, "");
    assert_true(did_key_equal(&info.key, did_secret_key(secret)));
    expect(save(DID_KEYSTORE_NEW, wrong, &err), FM_E_CONFLICT, &err, "of that name already");
    expect(load(right, &err), FM_OK, &err, "");
    (void)umask(0377);
    expect(save(DID_KEYSTORE_REPLACE, wrong, &err), FM_OK, &err, "");
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_mode & 07777, 0600);
    expect(load(wrong, &err), FM_OK, &err, "");
    assert_int_equal(files_in_folder(), 1);
    assert_int_equal(unlink(path), 0);
    (void)umask(mask);
}

static void the_default_cost_works(void **state)
{
    struct base_err err = {0};

    (void)state;
    expect(did_keystore_save(path, DID_KEYSTORE_NEW, secret, "authentication", WHEN, right, NULL,
                             base_random_system(), &err),
           FM_OK, &err, "");
    expect(load(right, &err), FM_OK, &err, "");
    assert_int_equal(unlink(path), 0);
}

static void open_doors_are_refused(void **state)
{
    static const mode_t modes[] = {0640, 0604, 0620, 0602, 0610, 0666, 0777};
    char real[160];
    struct base_err err = {0};

    (void)state;
    expect(load(right, &err), FM_E_NOT_FOUND, &err, "node.key: there is no such key file");
    expect(save(DID_KEYSTORE_NEW, right, &err), FM_OK, &err, "");
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        assert_int_equal(chmod(path, modes[i]), 0);
        expect(load(right, &err), FM_E_REFUSED, &err, "chmod 600");
    }
    assert_int_equal(chmod(path, 0400), 0);
    expect(load(right, &err), FM_OK, &err, "");
    (void)snprintf(real, sizeof real, "%s.real", path);
    assert_int_equal(rename(path, real), 0);
    assert_int_equal(symlink(real, path), 0);
    expect(load(right, &err), FM_E_REFUSED, &err, "symbolic link");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    expect(load(right, &err), FM_E_REFUSED, &err, "not a regular file");
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    expect(load(right, &err), FM_E_REFUSED, &err, "not a regular file");
    assert_int_equal(unlink(path), 0);
    if (geteuid() == 0) { /* only root can give files away */
        assert_int_equal(rename(real, path), 0);
        assert_int_equal(chown(path, 1, 1), 0);
        expect(load(right, &err), FM_E_REFUSED, &err, "belongs to user 1, not to user 0");
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
    expect(load(right, &err), FM_E_CORRUPT, &err, "not a whole key file");
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
    seal(&whole);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    expect(save(DID_KEYSTORE_NEW, right, &err), FM_OK, &err, "");
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
        expect(st, FM_E_IO, &err, "node.key: write: File too large");
        failed++;
    }
    assert_true(failed >= whole.len / 97);
    expect(load(wrong, &err), FM_OK, &err, "");
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
        fm_status st = did_keystore_save(path, DID_KEYSTORE_NEW, secret, "authentication", WHEN,
                                         right, &light, &random, &err);
        if (st == FM_OK)
            break;
        expect(st, FM_E_IO, &err, "no randomness");
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
    expect(did_keystore_save("/nonexistent/a.key", DID_KEYSTORE_NEW, secret, "authentication", WHEN,
                             right, &light, base_random_system(), &err),
           FM_E_IO, &err, "/nonexistent/a.key: create a file beside it: No such file");
    expect(did_keystore_peek(&info, "/dev/null/a.key", &err), FM_E_IO, &err,
           "/dev/null/a.key: open: Not a directory");
}

/* ---- passphrases ---- */

/* Feeds bytes through a pipe. */
static fm_status from_pipe(struct did_passphrase **out, const char *bytes, size_t len, char *rest,
                           struct base_err *err)
{
    int ends[2];
    fm_status st;
    ssize_t got;

    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], bytes, len), (ssize_t)len);
    assert_int_equal(close(ends[1]), 0);
    st = did_passphrase_from_fd(out, ends[0], err);
    got = read(ends[0], rest, 63);
    assert_true(got >= 0);
    rest[got] = '\0';
    assert_int_equal(close(ends[0]), 0);
    return st;
}

static void passphrases_from_a_descriptor(void **state)
{
    static char longest[DID_PASSPHRASE_MAX + 1];
    struct did_passphrase *pass;
    struct base_err err = {0};
    char rest[64];
    size_t len;

    (void)state;
    memset(longest, 'x', sizeof longest);
    expect(from_pipe(&pass, "one two\nthree\n", 14, rest, &err), FM_OK, &err, "");
    assert_string_equal(did_passphrase_bytes(pass, &len), "one two");
    assert_int_equal(len, 7);
    assert_string_equal(rest, "three\n");
    did_passphrase_free(pass);
    expect(from_pipe(&pass, "no newline", 10, rest, &err), FM_OK, &err, "");
    assert_string_equal(did_passphrase_bytes(pass, &len), "no newline");
    did_passphrase_free(pass);
    expect(from_pipe(&pass, "", 0, rest, &err), FM_E_ARG, &err, "passphrase is empty");
    expect(from_pipe(&pass, "\n", 1, rest, &err), FM_E_ARG, &err, "passphrase is empty");
    expect(from_pipe(&pass, "a\0b\n", 4, rest, &err), FM_E_ARG, &err, "NUL");
    expect(from_pipe(&pass, longest, sizeof longest - 1, rest, &err), FM_OK, &err, "");
    did_passphrase_free(pass);
    expect(from_pipe(&pass, longest, sizeof longest, rest, &err), FM_E_ARG, &err,
           "longer than 1023 bytes");
    assert_null(pass);
    expect(did_passphrase_from_fd(&pass, 987, &err), FM_E_IO, &err,
           "file descriptor 987: passphrase: read: Bad file descriptor");
}

static void passphrases_from_the_environment(void **state)
{
    struct did_passphrase *pass;
    struct base_err err = {0};
    const char *value;
    size_t len;

    (void)state;
    assert_int_equal(setenv("FIRMIANA_TEST_PASS", "from env", 1), 0);
    value = getenv("FIRMIANA_TEST_PASS");
    expect(did_passphrase_from_env(&pass, "FIRMIANA_TEST_PASS", &err), FM_OK, &err, "");
    assert_string_equal(did_passphrase_bytes(pass, &len), "from env");
    assert_string_equal(value, ""); /* wiped where it stood */
    assert_null(getenv("FIRMIANA_TEST_PASS"));
    did_passphrase_free(pass);
    expect(did_passphrase_from_env(&pass, "FIRMIANA_TEST_PASS", &err), FM_E_ARG, &err,
           "FIRMIANA_TEST_PASS with the passphrase is not set");
    assert_int_equal(setenv("FIRMIANA_TEST_PASS", "", 1), 0);
    expect(did_passphrase_from_env(&pass, "FIRMIANA_TEST_PASS", &err), FM_E_ARG, &err, "is empty");
}

/* In a child with its own terminal: exit code 0 if the prompt gave `wanted`, else the status. */
static void prompt_child(const char *slave, const char *wanted)
{
    struct did_passphrase *pass = NULL;
    struct base_err err = {0};
    fm_status st;
    size_t len;
    int match;

    if (slave == NULL) {
        if (setsid() < 0)
            _exit(98);
    } else if (setsid() < 0 || open(slave, O_RDWR) < 0) {
        _exit(98);
    }
    st = did_passphrase_prompt_new(&pass, "passphrase for test", &err);
    match = st == FM_OK && wanted != NULL && strcmp(did_passphrase_bytes(pass, &len), wanted) == 0;
    did_passphrase_free(pass);
    _exit(match ? 0 : st == FM_OK ? 99 : (int)st);
}

/* Types each line when the next prompt appears; what the terminal showed goes to shown. */
static int prompt(const char *const typed[2], const char *wanted, char shown[512])
{
    int master = posix_openpt(O_RDWR | O_NOCTTY), status;
    size_t used = 0, next = 0;
    ssize_t got;
    pid_t child;

    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const char *slave = ptsname(master);
        prompt_child(slave == NULL ? "" : slave, wanted);
    }
    memset(shown, 0, 512);
    /* read() fails with EIO when the child has closed its side. */
    while (used < 511 && (got = read(master, shown + used, 511 - used)) > 0) {
        used += (size_t)got;
        if (next < 2 && used >= 2 && memcmp(shown + used - 2, ": ", 2) == 0) {
            assert_int_equal(write(master, typed[next], strlen(typed[next])),
                             (ssize_t)strlen(typed[next]));
            next++;
        }
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    (void)close(master);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void passphrases_from_the_terminal(void **state)
{
    char shown[512];

    (void)state;
    assert_int_equal(
        prompt((const char *const[]){"open sesame\n", "open sesame\r"}, "open sesame", shown), 0);
    assert_null(strstr(shown, "sesame"));
    assert_string_equal(shown, "passphrase for test: \r\nonce more: \r\n");
    /* backspace takes a whole character, Ctrl-U the line */
    assert_int_equal(prompt((const char *const[]){"ab\xe2\x82\xac\x7f"
                                                  "c\n",
                                                  "oops\x15"
                                                  "abc\n"},
                            "abc", shown),
                     0);
    assert_int_equal(prompt((const char *const[]){"one\n", "two\n"}, "one", shown), FM_E_ARG);
    assert_int_equal(prompt((const char *const[]){"secret\x03", ""}, NULL, shown), FM_E_CANCELLED);
    assert_null(strstr(shown, "secret"));
    assert_int_equal(prompt((const char *const[]){"\n", ""}, NULL, shown), FM_E_ARG);
}

static void no_terminal_is_said_so(void **state)
{
    pid_t child = fork();
    int status;

    (void)state;
    if (child == 0)
        prompt_child(NULL, NULL);
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), FM_E_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_foreign_writer_is_understood),
        cmocka_unit_test(every_truncation_is_corrupt),
        cmocka_unit_test(every_flipped_bit_is_corrupt),
        cmocka_unit_test(forgeries_are_found),
        cmocka_unit_test(bad_arguments_are_refused),
        cmocka_unit_test(saved_keys_come_back),
        cmocka_unit_test(the_default_cost_works),
        cmocka_unit_test(open_doors_are_refused),
        cmocka_unit_test(long_files_are_refused),
        cmocka_unit_test(a_full_disk_leaves_no_trace),
        cmocka_unit_test(every_lack_of_randomness_is_reported),
        cmocka_unit_test(a_missing_folder_is_named),
        cmocka_unit_test(passphrases_from_a_descriptor),
        cmocka_unit_test(passphrases_from_the_environment),
        cmocka_unit_test(passphrases_from_the_terminal),
        cmocka_unit_test(no_terminal_is_said_so),
    };
    return cmocka_run_group_tests_name("did key store", tests, setup, teardown);
}
