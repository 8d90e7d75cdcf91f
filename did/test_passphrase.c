#define _XOPEN_SOURCE 700 /* posix_openpt() and friends */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "did/passphrase.h"
#include "did/test_tools.h"

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
    tools_expect(from_pipe(&pass, "one two\nthree\n", 14, rest, &err), FM_OK, &err, "");
    assert_string_equal(did_passphrase_bytes(pass, &len), "one two");
    assert_int_equal(len, 7);
    assert_string_equal(rest, "three\n");
    did_passphrase_free(pass);
    tools_expect(from_pipe(&pass, "no newline", 10, rest, &err), FM_OK, &err, "");
    assert_string_equal(did_passphrase_bytes(pass, &len), "no newline");
    did_passphrase_free(pass);
    tools_expect(from_pipe(&pass, "", 0, rest, &err), FM_E_ARG, &err, "passphrase is empty");
    tools_expect(from_pipe(&pass, "\n", 1, rest, &err), FM_E_ARG, &err, "passphrase is empty");
    tools_expect(from_pipe(&pass, "a\0b\n", 4, rest, &err), FM_E_ARG, &err, "NUL");
    tools_expect(from_pipe(&pass, longest, sizeof longest - 1, rest, &err), FM_OK, &err, "");
    did_passphrase_free(pass);
    tools_expect(from_pipe(&pass, longest, sizeof longest, rest, &err), FM_E_ARG, &err,
                 "longer than 1023 bytes");
    assert_null(pass);
    tools_expect(did_passphrase_from_fd(&pass, 987, &err), FM_E_IO, &err,
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
    tools_expect(did_passphrase_from_env(&pass, "FIRMIANA_TEST_PASS", &err), FM_OK, &err, "");
    assert_string_equal(did_passphrase_bytes(pass, &len), "from env");
    assert_string_equal(value, ""); /* wiped where it stood */
    assert_null(getenv("FIRMIANA_TEST_PASS"));
    did_passphrase_free(pass);
    tools_expect(did_passphrase_from_env(&pass, "FIRMIANA_TEST_PASS", &err), FM_E_ARG, &err,
                 "FIRMIANA_TEST_PASS with the passphrase is not set");
    assert_int_equal(setenv("FIRMIANA_TEST_PASS", "", 1), 0);
    tools_expect(did_passphrase_from_env(&pass, "FIRMIANA_TEST_PASS", &err), FM_E_ARG, &err,
                 "is empty");
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
        cmocka_unit_test(passphrases_from_a_descriptor),
        cmocka_unit_test(passphrases_from_the_environment),
        cmocka_unit_test(passphrases_from_the_terminal),
        cmocka_unit_test(no_terminal_is_said_so),
    };
    return cmocka_run_group_tests_name("did passphrase", tests, NULL, NULL);
}
