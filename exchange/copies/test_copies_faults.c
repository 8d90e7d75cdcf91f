/* What members of copies may try on each other, and what must not stay on a disk (test_world.h). */
#include <fcntl.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exchange/copies/test_world.h"

#include <cmocka.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "exchange/copies/box.h"
#include "exchange/copies/store.h"

static struct copies_message about(enum copies_say what, const char *address)
{
    struct copies_message m = {.say = what};

    memcpy(m.address, address, sizeof m.address);
    return m;
}

static void offer(const char *address, int64_t size, int64_t until_ms, const json_t *readers)
{
    struct copies_message m = about(COPIES_OFFER, address);

    m.size = size;
    m.until_ms = until_ms;
    m.what = (json_t *)(uintptr_t)readers;
    say(OWNER, KEEPER, &m);
}

/* A kept copy that is announced again as a smaller one is no longer there: what is counted and what
 * is on the disk are the same, also after a restart. */
static void a_smaller_offer_frees_the_disk(void **state)
{
    char address[4][65];
    json_t *none = json_array();
    int files = 0;

    (void)state;
    for (int k = 0; k < 4; k++) {
        put(address[k], 20 + k, CONTENT, "bank_b", NULL, NULL);
        (void)pump();
        show(address[k]);
        assert_string_equal(stands("bank_b"), "kept");
        offer(address[k], BOX_LEAST, world.now + DAY_MS, none);
        assert_false(there(KEEPER, "kept", "bank_a", address[k]));
        (void)pump();
    }
    end_process(KEEPER);
    begin_process(KEEPER);
    (void)pump();
    for (int k = 0; k < 4; k++)
        files += there(KEEPER, "kept", "bank_a", address[k]);
    assert_int_equal(files, 0);
    json_decref(none);
}

/* The same of a beginning: announced smaller, it is no longer as long as it was. */
static void a_smaller_offer_frees_a_beginning(void **state)
{
    static const uint8_t block[COPIES_PART];
    struct copies_message part;
    char address[65], path[256];
    json_t *none = json_array();
    struct stat info;

    (void)state;
    memset(address, 'a', 64);
    address[64] = '\0';
    offer(address, box_size(CONTENT), world.now + DAY_MS, none);
    part = about(COPIES_PART_OF, address);
    part.bytes = block;
    part.len = sizeof block;
    say(OWNER, KEEPER, &part);
    path_of(path, KEEPER, "part", "bank_a", address);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_size, COPIES_PART);
    offer(address, COPIES_PART + 1, world.now + DAY_MS, none);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_size, 0);
    lose_letters(KEEPER);
    json_decref(none);
}

/* A file of another size may stand there only with a row that counts it. */
static void what_no_row_counts_goes_at_the_start(void **state)
{
    char address[65], path[256];
    json_t *none = json_array();
    int fd;

    (void)state;
    memset(address, 'b', 64);
    address[64] = '\0';
    offer(address, BOX_LEAST, world.now + DAY_MS, none);
    lose_letters(KEEPER);
    path_of(path, KEEPER, "kept", "bank_a", address);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
    end_process(KEEPER);
    begin_process(KEEPER);
    assert_false(there(KEEPER, "kept", "bank_a", address));
    assert_true(there(KEEPER, "part", "bank_a", address));
    json_decref(none);
}

/* Who announces again what comes goes on where it stands, and what comes is still right; the part
 * is not read again: it is empty on the disk here, and nobody notices before the end. */
static void the_same_offer_again_costs_nothing(void **state)
{
    static uint8_t bytes[2 * COPIES_PART];
    struct copies_message m;
    struct base_hash h;
    uint8_t hash[32];
    char address[65], path[256];
    json_t *none = json_array();

    (void)state;
    memset(bytes, 7, sizeof bytes);
    base_hash_init(&h);
    base_hash_update(&h, bytes, sizeof bytes);
    base_hash_final(&h, hash);
    base_hex(address, hash, 32);
    offer(address, sizeof bytes, world.now + DAY_MS, none);
    m = about(COPIES_PART_OF, address);
    m.bytes = bytes;
    m.len = COPIES_PART;
    say(OWNER, KEEPER, &m);
    path_of(path, KEEPER, "part", "bank_a", address);
    assert_int_equal(truncate(path, 0), 0);
    offer(address, sizeof bytes, world.now + DAY_MS, none);
    m.at = COPIES_PART;
    m.bytes = bytes + COPIES_PART;
    say(OWNER, KEEPER, &m);
    assert_true(there(KEEPER, "kept", "bank_a", address));
    lose_letters(KEEPER);
    json_decref(none);
}

/* The owner's box goes when the last keeper has it, though nobody waits any more. */
static void the_owners_box_goes_when_all_have_it(void **state)
{
    char address[65];

    (void)state;
    end_process(KEEPER2);
    put(address, 7, CONTENT, "bank_b", "bank_c", NULL);
    (void)pump();
    assert_true(answer.came);
    assert_true(there(OWNER, "out", "", address));
    begin_process(KEEPER2);
    (void)pump();
    show(address);
    assert_string_equal(stands("bank_c"), "kept");
    assert_false(there(OWNER, "out", "", address));
}

/* One that a crash left goes when the store is opened; one that is waited for stays. */
static void a_box_that_nobody_needs_goes_at_the_start(void **state)
{
    char kept[65], waits[65], path[256];
    int fd;

    (void)state;
    put(kept, 7, 1000, "bank_b", NULL, NULL);
    (void)pump();
    end_process(KEEPER);
    put(waits, 8, 1000, "bank_b", NULL, NULL);
    (void)pump();
    path_of(path, OWNER, "out", "", kept);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
    end_process(OWNER);
    begin_process(OWNER);
    assert_false(there(OWNER, "out", "", kept));
    assert_true(there(OWNER, "out", "", waits));
}

/* A receipt for another time than was asked for is none, whoever signed it. */
static void a_receipt_until_another_day_is_refused(void **state)
{
    char address[65];
    json_t *none = json_array();
    struct copies_message m;

    (void)state;
    put(address, 7, 1000, "bank_b", NULL, NULL);
    lose_letters(KEEPER);
    offer(address, box_size(1000), world.now + DAY_MS, none);
    (void)pump(); /* the keeper's `go` is answered by the owner's own task, with its bytes */
    show(address);
    assert_string_equal(stands("bank_b"), "refused");
    assert_string_equal(why("bank_b"), "its receipt is not right");
    m = about(COPIES_DROP, address);
    say(OWNER, KEEPER, &m);
    lose_letters(KEEPER);
    json_decref(none);
}

/* What is damaged at home is found out, once, and not sent again every minute. */
static void an_own_box_that_is_damaged_is_said(void **state)
{
    char address[65], path[256];
    FILE *f;

    (void)state;
    end_process(KEEPER);
    put(address, 7, CONTENT, "bank_b", NULL, NULL);
    (void)pump();
    path_of(path, OWNER, "out", "", address);
    f = fopen(path, "r+b");
    assert_non_null(f);
    (void)fseek(f, 1000, SEEK_SET);
    (void)fputs("other bytes", f);
    (void)fclose(f);
    begin_process(KEEPER);
    (void)pump();
    show(address);
    assert_string_equal(stands("bank_b"), "refused");
    assert_non_null(strstr(why("bank_b"), "own box of it is damaged"));
    assert_false(there(OWNER, "out", "", address));
}

static unsigned sealed;

static void there_is_a_row(unsigned who, const char *name)
{
    struct base_err err = {0};
    char owner[COPIES_ALIAS], address[65];

    assert_int_equal(who, OWNER);
    assert_int_equal(copies_find(members[who].copies, owner, address, name, &err), FM_OK);
    sealed++;
}

/* A crash right after a key is sealed leaves one that time erases: its row is there before. */
static void no_key_is_without_a_row(void **state)
{
    char address[65];

    (void)state;
    world.on_seal = there_is_a_row;
    put(address, 7, 1000, "bank_b", NULL, NULL);
    assert_int_equal(sealed, 1);
    (void)pump();
    assert_string_equal(stands("bank_b"), "kept");
}

static fm_status count(void *ctx, const struct copies_task *t, struct base_err *err)
{
    (void)t, (void)err;
    ++*(int *)ctx;
    return FM_OK;
}

/* The last of three tasks cannot be written: none is. */
static void tasks_are_put_together(void **state)
{
    struct copies_task tasks[3] = {
        {.member = "bank_b"}, {.member = "regulator", .role = COPIES_READER}, {.member = "bank_c"}};
    struct copies_store *s;
    struct base_err err = {0};
    char path[256];
    sqlite3 *db;
    int n = 0;

    (void)state;
    end_process(OWNER);
    (void)snprintf(path, sizeof path, "%s/copies/copies.db", members[OWNER].dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "CREATE TRIGGER no BEFORE INSERT ON task WHEN NEW.member = "
                                  "'bank_c' BEGIN SELECT RAISE(ABORT, 'no'); END",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(copies_store_open(&s, members[OWNER].dir, &err), FM_OK);
    assert_int_equal(copies_tasks_put(s, tasks, 3, &err), FM_E_IO);
    assert_int_equal(copies_task_each(s, "", count, &n, &err), FM_OK);
    assert_int_equal(n, 0);
    assert_int_equal(sqlite3_exec(db, "DROP TRIGGER no", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(copies_tasks_put(s, tasks, 3, &err), FM_OK);
    assert_int_equal(copies_task_each(s, "", count, &n, &err), FM_OK);
    assert_int_equal(n, 3);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    copies_store_close(s);
    begin_process(OWNER);
}

/* A put that died before its tasks were written can be dropped. */
static void a_put_without_tasks_can_be_dropped(void **state)
{
    struct copies_store *s;
    struct base_err err = {0};
    char address[65], owner[COPIES_ALIAS];

    (void)state;
    memset(address, 'c', 64);
    address[64] = '\0';
    end_process(OWNER);
    assert_int_equal(copies_store_open(&s, members[OWNER].dir, &err), FM_OK);
    assert_int_equal(copies_known_add(s, address, "bank_a", world.now + DAY_MS, &err), FM_OK);
    copies_store_close(s);
    begin_process(OWNER);
    assert_int_equal(copies_find(members[OWNER].copies, owner, address, "cccccccc", &err), FM_OK);
    forget_answer();
    copies_drop(members[OWNER].copies, "bank_a", address, &reply);
    assert_true(answer.came && answer.err.code == FM_OK);
    assert_int_equal(copies_find(members[OWNER].copies, owner, address, "cccccccc", &err),
                     FM_E_NOT_FOUND);
}

/* A keeper that gives a byte at a time is passed over. */
static void crumbs_are_refused(void **state)
{
    struct copies_message m;
    char address[65];

    (void)state;
    put(address, 7, CONTENT, "bank_b", NULL, NULL);
    (void)pump();
    forget_answer();
    copies_get(members[OWNER].copies, "bank_a", address, NULL, dup(0), &reply);
    lose_letters(KEEPER);
    m = about(COPIES_DATA, address);
    m.size = box_size(CONTENT);
    m.bytes = (const uint8_t *)"F";
    m.len = 1;
    say(KEEPER, OWNER, &m);
    (void)pump();
    assert_true(answer.came);
    assert_non_null(strstr(answer.err.text, "of another size or place"));
}

static json_t *record_of(const char *address, const char *owner, const char *name)
{
    return json_pack("{s:s,s:s,s:[s],s:s,s:s,s:[s],s:i,s:I}", "address", address, "key", address,
                     "keepers", "bank_b", "name", name, "owner", owner, "readers", "regulator",
                     "size", (int)box_size(CONTENT), "until", (json_int_t)(world.now + DAY_MS));
}

/* Names and aliases that others choose are shown on terminals. */
static void nothing_commands_a_terminal(void **state)
{
    static const char *const bad[] = {"a\x1b[2J",
                                      "a\nb",
                                      "a\x7f",
                                      "../a",
                                      ".a",
                                      "",
                                      "a\xc2\x9b"
                                      "2J"};
    char address[65];
    struct copies_message m;

    (void)state;
    put(address, 7, CONTENT, "bank_b", NULL, NULL);
    (void)pump();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        m = about(COPIES_KEY, address);
        m.what = record_of(address, "bank_a", bad[i]);
        say(OWNER, READER, &m);
        assert_int_equal(json_object_size(members[READER].secrets), 0);
        json_decref(m.what);
    }
    m = about(COPIES_KEY, address);
    m.what = record_of(address, "bank_a", "r\xc3\xa9sum\xc3\xa9 2.pdf");
    say(OWNER, READER, &m);
    assert_int_equal(json_object_size(members[READER].secrets), 1);
    json_decref(m.what);
    (void)pump();
    forget_answer();
    copies_show(members[OWNER].copies, "bank_a", address, &reply);
    lose_letters(KEEPER);
    m = about(COPIES_FETCHES, address);
    m.what = json_pack("[{s:b,s:s,s:i,s:i,s:i}]", "allowed", 1, "by", "a\x1b[2J", "first", 1,
                       "last", 1, "times", 1);
    say(KEEPER, OWNER, &m);
    json_decref(m.what);
    assert_true(answer.came);
    assert_int_equal(json_object_size(json_object_get(answer.value, "fetches")), 0);
}

static fm_status find(unsigned who, char owner[COPIES_ALIAS], const char *text)
{
    struct base_err err = {0};
    char address[65];

    return copies_find(members[who].copies, owner, address, text, &err);
}

/* A keeper tells the reader a key of its own for the owner's address, first: the owner's is taken
 * nevertheless, and what the keeper says later touches only its own. */
static void a_keeper_blocks_no_key(void **state)
{
    char address[65], owner[COPIES_ALIAS], text[128];
    struct copies_message m;

    (void)state;
    end_process(READER);
    put(address, 7, CONTENT, "bank_b", NULL, "regulator");
    (void)pump();
    begin_process(READER);
    lose_letters(READER);
    m = about(COPIES_KEY, address);
    m.what = record_of(address, "bank_b", "x.pdf");
    say(KEEPER, READER, &m);
    say(KEEPER, OWNER, &m);
    (void)pump();
    pass(COPIES_ANSWER_MS + 1);
    pass(COPIES_RETRY_MS + 1);
    show(address);
    assert_string_equal(stands("regulator"), "known");
    get(READER, address, 7);
    assert_int_equal(answer.err.code, FM_OK);
    assert_int_equal(find(READER, owner, address), FM_E_ARG); /* two: whose? */
    (void)snprintf(text, sizeof text, "bank_a/%.8s", address);
    assert_int_equal(find(READER, owner, text), FM_OK);
    assert_string_equal(owner, "bank_a");
    assert_int_equal(find(OWNER, owner, address), FM_OK); /* of two, our own */
    assert_string_equal(owner, "bank_a");
    json_decref(m.what);
    m = about(COPIES_FORGET, address);
    say(KEEPER, READER, &m);
    say(KEEPER, OWNER, &m);
    (void)pump();
    show(address);
    assert_string_equal(stands("bank_b"), "kept"); /* its tasks are still there */
    assert_int_equal(find(READER, owner, address), FM_OK);
    assert_string_equal(owner, "bank_a");
    get(READER, address, 7);
    assert_int_equal(answer.err.code, FM_OK);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_smaller_offer_frees_the_disk),
        TEST(a_smaller_offer_frees_a_beginning),
        TEST(what_no_row_counts_goes_at_the_start),
        TEST(the_same_offer_again_costs_nothing),
        TEST(the_owners_box_goes_when_all_have_it),
        TEST(a_box_that_nobody_needs_goes_at_the_start),
        TEST(a_receipt_until_another_day_is_refused),
        TEST(an_own_box_that_is_damaged_is_said),
        TEST(no_key_is_without_a_row),
        TEST(tasks_are_put_together),
        TEST(a_put_without_tasks_can_be_dropped),
        TEST(crumbs_are_refused),
        TEST(a_keeper_blocks_no_key),
        TEST(nothing_commands_a_terminal),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    forget_answer();
    return failed;
}
