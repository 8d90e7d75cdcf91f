/* The program firmiana-verify from outside: what it prints and its exit codes. Its path is the
 * first argument. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "ledger/verify/test_story.h"

static const char *program;
static char file[] = "/tmp/firmiana-verify-XXXXXX";
static char output[65536];

/* Runs it with these arguments and gives its exit code; what it prints, errors too, is in output.
 */
static int run(const char *arguments)
{
    char command[1024];
    FILE *p;
    size_t n;

    (void)snprintf(command, sizeof command, "'%s' %s 2>&1", program, arguments);
    p = popen(command, "r");
    assert_non_null(p);
    n = fread(output, 1, sizeof output - 1, p);
    output[n] = '\0';
    return WEXITSTATUS(pclose(p));
}

static void write_bundle(void)
{
    FILE *f = fopen(file, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(w->bundle.p, 1, w->bundle.len, f), w->bundle.len);
    assert_int_equal(fclose(f), 0);
}

static void valid_invalid_and_absent(void **state)
{
    char arguments[512], chain[65];
    json_t *json;

    (void)state;
    story_tell_all();
    write_bundle();
    base_hex(chain, w->chain, 32);
    (void)snprintf(arguments, sizeof arguments, "--chain %s %s", chain, file);
    assert_int_equal(run(arguments), 0);
    assert_non_null(strstr(output, "valid: ledger \"test consortium\""));
    assert_null(strstr(output, "compare the chain id"));
    (void)snprintf(arguments, sizeof arguments, "--json - < %s", file);
    assert_int_equal(run(arguments), 0);
    json = json_loads(output, 0, NULL);
    assert_true(json_is_true(json_object_get(json, "valid")));
    json_decref(json);
    chain[0] = chain[0] == '0' ? '1' : '0';
    (void)snprintf(arguments, sizeof arguments, "--chain %s %s", chain, file);
    assert_int_equal(run(arguments), 1);
    assert_non_null(strstr(output, "line 1: chain: it is not the ledger that was asked for"));

    w->bundle.p[w->bundle.len / 2] ^= 1;
    write_bundle();
    (void)snprintf(arguments, sizeof arguments, "%s", file);
    assert_int_equal(run(arguments), 1);
    assert_non_null(strstr(output, "firmiana-verify: /tmp/firmiana-verify-"));
    assert_non_null(strstr(output, ": line "));
    (void)snprintf(arguments, sizeof arguments, "--json %s 2>/dev/null", file);
    assert_int_equal(run(arguments), 1);
    json = json_loads(output, JSON_DISABLE_EOF_CHECK, NULL);
    assert_true(json_is_false(json_object_get(json, "valid")));
    assert_true(json_is_integer(json_object_get(json, "line")));
    assert_true(json_is_string(json_object_get(json, "check")));
    json_decref(json);

    assert_int_equal(unlink(file), 0);
    assert_int_equal(run(file), 8);
    assert_non_null(strstr(output, "No such file"));
}

static void arguments_are_checked(void **state)
{
    (void)state;
    assert_int_equal(run("--help"), 0);
    assert_non_null(strstr(output, "exit code: 0 valid, 1 not valid"));
    assert_int_equal(run(""), 2);
    assert_int_equal(run("a b"), 2);
    assert_int_equal(run("--no-such a"), 2);
    assert_int_equal(run("--chain 12 a"), 2);
    assert_int_equal(run("a --chain"), 2);
}

/* What was asked for and does not apply is refused, never passed over; numbers are whole. */
static void options_fit_the_file(void **state)
{
    static const char *const refused[] = {
        "--document /etc/passwd",   "--list /no/such", "--list-max-age 3d --list /no/such",
        "--keys /no/such",          "--quorum 3",      "--ca /no/such",
        "--at 2026-11-20T09:51:00Z"};
    static const char *const bad[] = {"--quorum 1e9", "--quorum 3x",        "--quorum 0",
                                      "--quorum 129", "--quorum -1",        "--quorum 99999999999",
                                      "--quorum ''",  "--list-max-age 3",   "--list-max-age d",
                                      "--at soon",    "--list-max-age 1dd", "--keys a --keys b"};
    char arguments[512];
    FILE *f;

    (void)state;
    story_tell_all();
    write_bundle();
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        (void)snprintf(arguments, sizeof arguments, "%s %s", refused[i], file);
        assert_int_equal(run(arguments), 2);
        assert_null(strstr(output, "valid"));
        assert_non_null(strstr(output, "for a bundle"));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        (void)snprintf(arguments, sizeof arguments, "%s %s", bad[i], file);
        assert_int_equal(run(arguments), 2);
        assert_null(strstr(output, "for a bundle")); /* it was not even looked at */
    }
    f = fopen(file, "wb");
    assert_non_null(f);
    assert_true(fputs("kyc", f) >= 0 && fclose(f) == 0);
    assert_int_equal(run(file), 1);
    assert_non_null(strstr(output, "not a file that firmiana-verify knows"));
    f = fopen(file, "wb");
    assert_non_null(f);
    assert_true(fputs("{\"a\":1,\"a\":2}\n", f) >= 0 && fclose(f) == 0);
    assert_int_equal(run(file), 1);
    assert_non_null(strstr(output, "not a file that firmiana-verify knows"));
    assert_int_equal(run("/tmp"), 2);
    assert_non_null(strstr(output, "it needs --keys FILE"));
    assert_int_equal(run("--opening /no/such /tmp"), 2);
    assert_non_null(strstr(output, "--opening is not for a published log"));
    assert_int_equal(unlink(file), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {T(valid_invalid_and_absent), T(arguments_are_checked),
                                       T(options_fit_the_file)};
    int fd = mkstemp(file);

    if (argc < 2 || fd < 0)
        return 2;
    (void)close(fd);
    program = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
