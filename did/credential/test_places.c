/* No place of a status list is given twice: in any order, by several processes, after a crash. */
#include <dirent.h>
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

#include "base/json.h"
#include "did/credential/places.h"
#include "did/credential/status_list.h"
#include "did/test_tools.h"

#define LIST "https://x.example/1"

static char folder[64];

static int begin(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/test_places.XXXXXX");
    return mkdtemp(folder) == NULL || rmdir(folder) != 0;
}

static int end(void **state)
{
    DIR *dir = opendir(folder);
    struct dirent *e;

    (void)state;
    while (dir != NULL && (e = readdir(dir)) != NULL) {
        char path[400];
        (void)snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (e->d_name[0] != '.')
            (void)unlink(path);
    }
    if (dir != NULL)
        (void)closedir(dir);
    (void)rmdir(folder);
    return 0;
}

static json_t *entry_of(const char *list, size_t index)
{
    struct base_err err = {0};
    json_t *entry;

    assert_int_equal(credential_status_entry(&entry, list, "revocation", index, &err), FM_OK);
    return entry;
}

static fm_status take(const char *list, size_t index, struct base_err *err)
{
    json_t *all = json_pack("[{s:o}]", "credentialStatus", entry_of(list, index));
    fm_status st = credential_places_take(folder, all, err);

    json_decref(all);
    return st;
}

static void test_once(void **state)
{
    static const size_t some[] = {0, 7, 8, 15, 1000, 131071, CREDENTIAL_STATUS_MAX - 1};
    struct base_err err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof some / sizeof some[0]; i++) {
        assert_int_equal(take(LIST, some[i], &err), FM_OK);
        assert_int_equal(take("https://x.example/2", some[i], &err), FM_OK);
    }
    for (size_t i = 0; i < sizeof some / sizeof some[0]; i++)
        assert_int_equal(take(LIST, some[i], &err), FM_E_CONFLICT);
    assert_int_equal(take(LIST, 7, &err), FM_E_CONFLICT);
    assert_string_equal(err.text,
                        "place 7 of " LIST " was given to a credential before: from there "
                        "on 9 is free (--index)");
    assert_int_equal(take(LIST, 9, &err), FM_OK);
    assert_int_equal(take(LIST, CREDENTIAL_STATUS_MAX, &err), FM_E_INPUT);
}

/* Places that random calls took are exactly those that are refused afterwards. */
static void test_set(void **state)
{
    enum { PLACES = 64, CALLS = 400 };
    bool taken[PLACES] = {false};
    struct base_err err = {0};

    (void)state;
    for (int i = 0; i < CALLS; i++) {
        size_t place = (size_t)rand() % PLACES;
        assert_int_equal(take(LIST, place, &err), taken[place] ? FM_E_CONFLICT : FM_OK);
        taken[place] = true;
    }
}

/* Several entries in a credential, several credentials, one of them without and one of others. */
static void test_many(void **state)
{
    struct base_err err = {0};
    json_t *all =
        json_pack("[{s:[o,o]}, {}, {s:{s:s}}, {s:o}]", "credentialStatus", entry_of(LIST, 1),
                  entry_of("https://x.example/s", 1), "credentialStatus", "type", "OtherStatus",
                  "credentialStatus", entry_of(LIST, 2));

    (void)state;
    assert_int_equal(credential_places_take(folder, all, &err), FM_OK);
    assert_int_equal(take("https://x.example/s", 1, &err), FM_E_CONFLICT);
    assert_int_equal(take(LIST, 2, &err), FM_E_CONFLICT);
    assert_int_equal(take(LIST, 3, &err), FM_OK);
    json_decref(all);
}

static void test_none(void **state)
{
    struct base_err err = {0};
    json_t *all = json_pack("[{s:i}]", "n", 1);

    (void)state;
    assert_int_equal(credential_places_take(folder, all, &err), FM_OK);
    assert_int_not_equal(access(folder, F_OK), 0);
    json_decref(all);
}

static void test_malformed(void **state)
{
    static const char *const bad[] = {
        "[{\"credentialStatus\":{\"type\":\"BitstringStatusListEntry\"}}]",
        "[{\"credentialStatus\":{\"type\":\"BitstringStatusListEntry\",\"statusListCredential\":"
        "\"a\",\"statusListIndex\":7}}]",
        "[{\"credentialStatus\":{\"type\":\"BitstringStatusListEntry\",\"statusListCredential\":"
        "\"a\",\"statusListIndex\":\"-7\"}}]",
        "[{\"credentialStatus\":{\"type\":\"BitstringStatusListEntry\",\"statusListCredential\":"
        "\"a\",\"statusListIndex\":\"07\"}}]"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct base_err err = {0};
        json_t *all;
        assert_int_equal(base_json_parse(&all, bad[i], strlen(bad[i]), &err), FM_OK);
        assert_int_equal(credential_places_take(folder, all, &err), FM_E_INPUT);
        json_decref(all);
    }
}

/* Processes that want the same places at once: each place goes to exactly one. */
static void test_race(void **state)
{
    enum { PROCESSES = 4, PLACES = 50 };
    int pipes[2], wins[PLACES] = {0};
    uint8_t won;

    (void)state;
    assert_int_equal(pipe(pipes), 0);
    for (int p = 0; p < PROCESSES; p++) {
        if (fork() == 0) {
            struct base_err err = {0};
            for (uint8_t place = 0; place < PLACES; place++)
                if (take(LIST, place, &err) == FM_OK && write(pipes[1], &place, 1) != 1)
                    _exit(1);
            _exit(0);
        }
    }
    for (int p = 0, code; p < PROCESSES; p++) {
        assert_true(wait(&code) > 0);
        assert_int_equal(code, 0);
    }
    (void)close(pipes[1]);
    while (read(pipes[0], &won, 1) == 1)
        wins[won]++;
    (void)close(pipes[0]);
    for (int place = 0; place < PLACES; place++)
        assert_int_equal(wins[place], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_once, begin, end),
        cmocka_unit_test_setup_teardown(test_set, begin, end),
        cmocka_unit_test_setup_teardown(test_many, begin, end),
        cmocka_unit_test_setup_teardown(test_none, begin, end),
        cmocka_unit_test_setup_teardown(test_malformed, begin, end),
        cmocka_unit_test_setup_teardown(test_race, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
