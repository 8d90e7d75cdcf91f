/* Copies under faults: processes die after every message in turn, disks fill, keepers lie,
 * strangers ask (test_world.h). */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "exchange/copies/test_world.h"

#include <cmocka.h>

#include "exchange/copies/box.h"

static void kept_at_two_and_read_by_those_who_may(void **state)
{
    char address[65];

    (void)state;
    put(address, 7, CONTENT, "bank_b", "bank_c", "regulator");
    (void)pump();
    assert_true(answer.came);
    assert_string_equal(stands("bank_b"), "kept");
    assert_string_equal(stands("bank_c"), "kept");
    assert_string_equal(stands("regulator"), "known");
    assert_true(there(KEEPER, "kept", "bank_a", address));
    assert_false(there(OWNER, "out", "", address));
    assert_int_equal(json_object_size(members[KEEPER].secrets), 0); /* no key at a keeper */
    get(OWNER, address, 7);
    assert_int_equal(answer.err.code, FM_OK);
    get(READER, address, 7);
    assert_int_equal(answer.err.code, FM_OK);
    get(KEEPER, address, 7);
    assert_int_equal(answer.err.code, FM_E_NOT_FOUND);
    show(address);
    assert_int_equal(
        json_array_size(json_object_get(json_object_get(answer.value, "fetches"), "bank_b")), 2);
    assert_null(json_object_get(json_object_get(answer.value, "record"), "key"));
}

/* Everything that a member which should not may say about another's copy. */
static void strangers_are_refused(void **state)
{
    char address[65];
    json_t *list = json_pack("[s]", "bank_x");
    struct copies_message m = {.say = COPIES_GET};

    (void)state;
    put(address, 7, CONTENT, "bank_b", NULL, NULL);
    (void)pump();
    memcpy(m.address, address, 65);
    memcpy(m.owner, "bank_a", 7);
    world.bytes = 0;
    for (int i = 0; i < 100; i++)
        say(STRANGER, KEEPER, &m);
    m.at = 5;
    say(STRANGER, KEEPER, &m);
    m.say = COPIES_DROP;
    say(STRANGER, KEEPER, &m);
    m.say = COPIES_ASK;
    say(STRANGER, KEEPER, &m);
    /* The same address as its own, with itself as reader: it has not the bytes. */
    m = (struct copies_message){
        .say = COPIES_OFFER, .size = box_size(CONTENT), .until_ms = world.now + 1, .what = list};
    memcpy(m.address, address, 65);
    say(STRANGER, KEEPER, &m);
    m.say = COPIES_GET;
    m.at = 0;
    memcpy(m.owner, "bank_x", 7);
    say(STRANGER, KEEPER, &m);
    (void)pump();
    assert_true(world.bytes < 30000); /* a hundred refusals, and nothing of the copy */
    assert_true(there(KEEPER, "kept", "bank_a", address));
    get(OWNER, address, 7);
    assert_int_equal(answer.err.code, FM_OK);
    show(address);
    assert_int_equal(
        json_array_size(json_object_get(json_object_get(answer.value, "fetches"), "bank_b")),
        2); /* the owner, and the stranger that was refused */
    assert_int_equal(
        json_integer_value(json_object_get(
            json_array_get(json_object_get(json_object_get(answer.value, "fetches"), "bank_b"), 1),
            "times")),
        1); /* asking a hundred times at once is once */
    json_decref(list);
}

static void a_suspended_member_is_a_stranger(void **state)
{
    char address[65];

    (void)state;
    put(address, 7, 1000, "bank_b", NULL, NULL);
    (void)pump();
    members[OWNER].suspended = true;
    get(OWNER, address, 7);
    assert_int_equal(answer.err.code, FM_E_PEER);
    members[OWNER].suspended = false;
    get(OWNER, address, 7);
    assert_int_equal(answer.err.code, FM_OK);
}

/* A process dies after the i-th message, for every i: once it is back, all is kept. */
static void put_survives_any_crash(void **state)
{
    uint64_t whole = 0;
    unsigned rounds = 0;

    (void)state;
    for (unsigned whom = 0; whom < 2; whom++)
        for (uint64_t i = 1;; i++) {
            char address[65];
            bool died;
            world.sent = world.bytes = 0;
            world.kill_at = i;
            world.kill_whom = whom == 0 ? OWNER : KEEPER;
            put(address, (int)i, CONTENT, "bank_b", NULL, "regulator");
            died = pump();
            world.kill_at = 0;
            if (members[world.kill_whom].copies == NULL)
                begin_process(world.kill_whom);
            (void)pump();
            show(address);
            assert_string_equal(stands("bank_b"), "kept");
            assert_string_equal(stands("regulator"), "known");
            assert_true(there(KEEPER, "kept", "bank_a", address));
            /* It goes on where it was: at most a message's bytes are sent twice. */
            if (whole == 0 && !died)
                whole = world.bytes;
            assert_true(world.bytes < (uint64_t)box_size(CONTENT) + 2 * COPIES_PART);
            forget_answer();
            copies_drop(members[OWNER].copies, "bank_a", address, &reply);
            (void)pump();
            assert_false(there(KEEPER, "kept", "bank_a", address));
            assert_false(there(KEEPER, "part", "bank_a", address));
            rounds++;
            if (!died)
                break;
        }
    assert_true(rounds > 12);
}

static void get_survives_any_crash(void **state)
{
    char address[65];

    (void)state;
    put(address, 9, CONTENT, "bank_b", "bank_c", NULL);
    (void)pump();
    for (unsigned whom = 0; whom < 2; whom++)
        for (uint64_t i = 1;; i++) {
            world.sent = 0;
            world.kill_at = i;
            world.kill_whom = whom == 0 ? OWNER : KEEPER;
            get(OWNER, address, 9);
            if (world.kill_at != 0)
                break;
            if (whom == 0) { /* who asked is gone with the process */
                begin_process(OWNER);
                assert_true(i < 2 || there(OWNER, "get", "", address));
                world.bytes = 0;
                get(OWNER, address, 9);
            } else
                begin_process(KEEPER);
            assert_true(answer.came && answer.err.code == FM_OK);
            (void)pump();
        }
    world.kill_at = 0;
}

static void a_lie_is_named(void **state)
{
    char address[65];

    (void)state;
    put(address, 7, CONTENT, "bank_b", "bank_c", NULL);
    (void)pump();
    damage(KEEPER, address, CONTENT / 2);
    get(OWNER, address, 7);
    assert_int_equal(answer.err.code, FM_OK);
    assert_string_equal(json_string_value(json_object_get(answer.value, "from")), "bank_c");
    assert_string_equal(json_string_value(json_object_get(
                            json_array_get(json_object_get(answer.value, "failed"), 0), "keeper")),
                        "bank_b");
    damage(KEEPER2, address, 0);
    get(OWNER, address, 7);
    assert_int_equal(answer.err.code, FM_E_PEER);
    assert_non_null(strstr(answer.err.text, "bank_b: what it gave is not the copy"));
    assert_non_null(strstr(answer.err.text, "bank_c: what it gave is not the copy"));
}

/* What an earlier fetch left is not the keeper's fault. */
static void a_damaged_beginning_is_nobodys_fault(void **state)
{
    char address[65], path[256];
    FILE *f;

    (void)state;
    put(address, 7, CONTENT, "bank_b", NULL, NULL);
    (void)pump();
    path_of(path, OWNER, "get", "", address);
    f = fopen(path, "wb");
    assert_non_null(f);
    for (int i = 0; i < 1000; i++)
        (void)fputc(i, f);
    (void)fclose(f);
    get(OWNER, address, 7);
    assert_int_equal(answer.err.code, FM_OK);
    assert_int_equal(json_array_size(json_object_get(answer.value, "failed")), 0);
}

static void quotas_hold(void **state)
{
    char address[65], second[65];

    (void)state;
    put(address, 1, CONTENT, "bank_b", NULL, NULL);
    (void)pump();
    put(second, 2, CONTENT, "bank_b", "bank_c", NULL);
    (void)pump();
    assert_string_equal(stands("bank_b"), "refused");
    assert_non_null(strstr(why("bank_b"), "quota"));
    assert_string_equal(stands("bank_c"), "kept");
    forget_answer();
    copies_drop(members[OWNER].copies, "bank_a", address, &reply);
    (void)pump();
    assert_true(answer.came && json_array_size(json_object_get(answer.value, "tasks")) == 0);
    put(address, 3, CONTENT, "bank_b", NULL, NULL); /* there is room again */
    (void)pump();
    assert_string_equal(stands("bank_b"), "kept");
}

static void time_ends_it(void **state)
{
    char address[65];

    (void)state;
    put(address, 7, CONTENT, "bank_b", NULL, "regulator");
    (void)pump();
    pass(9 * DAY_MS);
    assert_true(there(KEEPER, "kept", "bank_a", address));
    pass(DAY_MS + 1);
    assert_false(there(KEEPER, "kept", "bank_a", address));
    assert_int_equal(json_object_size(members[OWNER].secrets), 0);
    assert_int_equal(json_object_size(members[READER].secrets), 0);
    get(OWNER, address, 7);
    assert_int_equal(answer.err.code, FM_E_NOT_FOUND);
}

/* The keeper was announced something else than what came: it keeps nothing. */
static void other_bytes_are_not_kept(void **state)
{
    json_t *none = json_array();
    struct copies_message m = {
        .say = COPIES_OFFER, .size = 100, .until_ms = world.now + DAY_MS, .what = none};
    uint8_t bytes[101] = {1};

    (void)state;
    memset(m.address, 'a', 64);
    say(OWNER, KEEPER, &m);
    assert_true(there(KEEPER, "part", "bank_a", m.address));
    m.say = COPIES_PART_OF;
    m.bytes = bytes;
    for (m.len = 101, m.at = 0; m.at < 2; m.at++, m.len--) /* too long; elsewhere */
        say(OWNER, KEEPER, &m);
    assert_true(there(KEEPER, "part", "bank_a", m.address));
    m.at = 0;
    m.len = 100;
    say(OWNER, KEEPER, &m);
    assert_false(there(KEEPER, "part", "bank_a", m.address));
    assert_false(there(KEEPER, "kept", "bank_a", m.address));
    (void)pump();
    json_decref(none);
}

static void a_receipt_must_be_right(void **state)
{
    char address[65];

    (void)state;
    world.forge = true;
    put(address, 7, 1000, "bank_b", NULL, NULL);
    (void)pump();
    assert_string_equal(stands("bank_b"), "refused");
    assert_non_null(strstr(why("bank_b"), "receipt"));
}

/* A key that another member sends for an address of ours changes nothing. */
static void nobody_takes_an_address_over(void **state)
{
    struct copies_message m = {.say = COPIES_KEY};
    char address[65];

    (void)state;
    put(address, 7, CONTENT, "bank_b", NULL, NULL);
    (void)pump();
    memcpy(m.address, address, 65);
    m.what = json_pack("{s:s,s:s,s:[],s:s,s:s,s:[],s:I,s:I}", "address", address, "key", address,
                       "keepers", "name", "x", "owner", "bank_x", "readers", "size",
                       (json_int_t)100, "until", (json_int_t)(world.now + DAY_MS));
    say(STRANGER, OWNER, &m);
    m.say = COPIES_FORGET;
    say(STRANGER, OWNER, &m);
    (void)pump();
    json_decref(m.what);
    get(OWNER, address, 7);
    assert_int_equal(answer.err.code, FM_OK);
}

/* The keeper's disk takes no more (no file may grow): it says so and lives; later it goes on. */
static void a_full_disk_is_said(void **state)
{
    struct rlimit before, small;
    char address[65];

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 400000;
    (void)signal(SIGXFSZ, SIG_IGN);
    put(address, 7, CONTENT, "bank_b", NULL, NULL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    (void)pump();
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_string_equal(stands("bank_b"), "waiting");
    assert_string_equal(why("bank_b"), "its disk is full");
    pass(COPIES_RETRY_MS + 1);
    pass(COPIES_RETRY_MS + 1);
    show(address);
    assert_string_equal(stands("bank_b"), "kept");
}

/* Members that never answer hold nobody up. */
static void silence_ends(void **state)
{
    char address[65];

    (void)state;
    put(address, 7, CONTENT, "bank_b", NULL, NULL);
    lose_letters(KEEPER);
    assert_false(answer.came);
    pass(COPIES_ANSWER_MS + 1);
    assert_true(answer.came);
    assert_string_equal(stands("bank_b"), "waiting");
    forget_answer();
    copies_get(members[OWNER].copies, "bank_a", address, NULL, dup(0), &reply);
    lose_letters(KEEPER);
    pass(COPIES_ANSWER_MS + 1);
    assert_int_equal(answer.err.code, FM_E_PEER);
    forget_answer();
    copies_get(members[OWNER].copies, "bank_a", address, NULL, dup(0), &reply);
    copies_cancel(members[OWNER].copies, reply.ctx, NULL); /* whoever asked has gone */
    (void)pump();
    assert_false(answer.came);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(kept_at_two_and_read_by_those_who_may),
        TEST(strangers_are_refused),
        TEST(a_suspended_member_is_a_stranger),
        TEST(put_survives_any_crash),
        TEST(get_survives_any_crash),
        TEST(a_lie_is_named),
        TEST(a_damaged_beginning_is_nobodys_fault),
        TEST(quotas_hold),
        TEST(time_ends_it),
        TEST(other_bytes_are_not_kept),
        TEST(a_receipt_must_be_right),
        TEST(nobody_takes_an_address_over),
        TEST(a_full_disk_is_said),
        TEST(silence_ends),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    forget_answer();
    return failed;
}
