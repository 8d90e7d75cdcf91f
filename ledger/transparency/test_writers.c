/* Who may write into what is published, and how it is read: names of witnesses, lines that come as
 * files, two writers at once, modes, a checkpoint that was damaged; and proofs of one entry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "ledger/transparency/test_site.h"
#include "ledger/transparency/tlog_proof.h"

enum { MEMBERS = SITE_MEMBERS };

static struct base_err err;
static char dir[64], memory[96];
static struct world world, *w = &world;
static struct ledger_vkey trusted[MEMBERS];

static void must(fm_status st)
{
    if (st != FM_OK)
        fail_msg("%s", err.text);
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof dir, "/tmp/firmiana-site-XXXXXX");
    assert_non_null(mkdtemp(dir));
    (void)snprintf(memory, sizeof memory, "%s/memory", dir);
    world_init(w);
    site_keys(trusted, w);
    return 0;
}

static int tear_down(void **state)
{
    char command[256];

    (void)state;
    (void)snprintf(command, sizeof command, "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
    world_release(w);
    return 0;
}

static fm_status publish_to(const char *to, uint64_t size, struct ledger_tile_report *report)
{
    static struct ledger_checkpoint c;

    must(site_checkpoint(&c, w, size, &err));
    return ledger_tiles_publish(to, &site_log, &c, "", report, &err);
}

static fm_status publish(uint64_t size)
{
    struct ledger_tile_report report;

    return publish_to(dir, size, &report);
}

static fm_status verify(void)
{
    const struct ledger_trust trust = {trusted, MEMBERS, MEMBERS};
    static struct ledger_checkpoint c;
    size_t signers;

    return ledger_published_verify(&c, &signers, dir, &trust, &err);
}

static fm_status cosign_as(const char *name, const struct did_secret *secret, const char *note)
{
    const struct ledger_trust trust = {trusted, MEMBERS, 2};
    const struct ledger_witness witness = {name, secret, memory, note};
    static struct ledger_checkpoint c;

    return ledger_witness_cosign(&c, dir, &witness, &trust, 1790000001, &err);
}

/* What cannot be read as a line is never signed, and nobody's line makes another's go. */
static void witnesses_have_names_of_their_own(void **state)
{
    static const char *const bad[] = {"",      "bad name", "a+b",          "a\nb",   "tab\tb",
                                      "a\x7f", "\xc3\xa4", "\xe2\x80\x83", "did:x:y"};
    struct did_secret *secret = world_secret(w), *other = world_secret(w);
    struct base_buf line = {0}, before = {0}, after = {0};
    char path[96], longest[DID_FIRMIANA_TEXT + 1];

    (void)state;
    (void)snprintf(path, sizeof path, "%s/checkpoint", dir);
    must(publish(600));
    must(base_file_read(&before, path, 1 << 17, &err));
    memset(longest, 'a', DID_FIRMIANA_TEXT);
    longest[DID_FIRMIANA_TEXT] = '\0';
    for (size_t i = 0; i <= sizeof bad / sizeof *bad; i++) {
        const char *name = i < sizeof bad / sizeof *bad ? bad[i] : longest;

        assert_int_equal(cosign_as(name, secret, NULL), FM_E_ARG);
        if (strncmp(name, "did:", 4) != 0)
            assert_int_equal(ledger_vkey_put(&line, name, did_secret_key(secret), &err), FM_E_ARG);
    }
    assert_int_equal(cosign_as(w->m[1].did, secret, NULL), FM_E_ARG);
    assert_int_equal(access(memory, F_OK), -1);
    must(base_file_read(&after, path, 1 << 17, &err));
    assert_int_equal(after.len, before.len);
    assert_memory_equal(after.p, before.p, before.len);
    longest[DID_FIRMIANA_TEXT - 1] = '\0';
    must(cosign_as(longest, secret, NULL));
    must(cosign_as("w.example", secret, NULL));
    assert_int_equal(cosign_as("w.example", other, NULL), FM_E_CONFLICT);
    assert_non_null(strstr(err.text, "w.example cosigned with another key"));
    must(cosign_as("w.example", secret, NULL));
    must(verify());
    base_buf_release(&before);
    base_buf_release(&after);
    base_buf_release(&line);
    did_secret_free(secret);
    did_secret_free(other);
}

static void put(const char *name, const struct base_buf *text)
{
    char path[160];

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    must(base_file_write(path, text->p, text->len, 0644, &err));
}

/* A witness that only reads hands its line over; it goes in where it belongs, and nowhere else. */
static void cosignatures_come_as_files(void **state)
{
    struct did_secret *secret = world_secret(w), *other = world_secret(w);
    struct ledger_vkey key = {.name = "w.example", .key = *did_secret_key(secret)};
    struct ledger_vkey wrong = {.name = "w.example", .key = *did_secret_key(other)};
    struct ledger_vkey member = {.key = trusted[0].key};
    static struct ledger_checkpoint c;
    struct base_buf text = {0};
    char note[96];
    size_t n;

    (void)state;
    (void)snprintf(note, sizeof note, "%s/note", dir);
    (void)snprintf(member.name, sizeof member.name, "%s", trusted[0].name);
    must(publish(600));
    must(cosign_as("w.example", secret, note));
    must(ledger_published_checkpoint(&c, dir, &err));
    assert_int_equal(c.n, MEMBERS); /* DIR was only read */
    assert_int_equal(ledger_published_add(&c, dir, note, &wrong, &err), FM_E_AUTH);
    assert_int_equal(ledger_published_add(&c, dir, note, &member, &err), FM_E_ARG);
    (void)snprintf(wrong.name, sizeof wrong.name, "x.example");
    assert_int_equal(ledger_published_add(&c, dir, note, &wrong, &err), FM_E_INVALID);
    must(base_file_read(&text, note, 1 << 17, &err));
    for (size_t i = 0; i + 1 < text.len; i += 5) {
        text.p[i] ^= 1;
        put("note", &text);
        assert_int_not_equal(ledger_published_add(&c, dir, note, &key, &err), FM_OK);
        text.p[i] ^= 1;
    }
    put("note", &text);
    must(ledger_published_add(&c, dir, note, &key, &err));
    must(ledger_published_add(&c, dir, note, &key, &err));
    must(ledger_published_checkpoint(&c, dir, &err));
    assert_int_equal(c.n, MEMBERS + 1);
    must(ledger_vkeys_count(&n, &c, &key, 1, &err));
    assert_int_equal(n, 1);
    must(verify());
    must(publish(700));
    assert_int_equal(ledger_published_add(&c, dir, note, &key, &err), FM_E_CONFLICT);
    assert_non_null(
        strstr(err.text, "700 entries are published there, the cosignature is over 600"));
    base_buf_release(&text);
    did_secret_free(secret);
    did_secret_free(other);
}

/* A web server is another user, whatever the umask of who publishes. */
static void anybody_may_read(void **state)
{
    static const struct {
        const char *name;
        unsigned mode;
    } all[] = {{"a", 0755},
               {"a/site", 0755},
               {"a/site/tile", 0755},
               {"a/site/tile/0", 0755},
               {"a/site/tile/0/002.p", 0755},
               {"a/site/tile/entries", 0755},
               {"a/site/checkpoint", 0644},
               {"a/site/members", 0644},
               {"a/site/tile/0/000", 0644},
               {"a/site/tile/0/002.p/88", 0644},
               {"a/site/tile/entries/001", 0644}};
    struct ledger_tile_report report;
    char path[160];
    struct stat s;
    mode_t before = umask(077);

    (void)state;
    (void)snprintf(path, sizeof path, "%s/a/site", dir);
    must(publish_to(path, 600, &report));
    (void)umask(before);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", dir, all[i].name);
        assert_int_equal(stat(path, &s), 0);
        if ((s.st_mode & 07777) != all[i].mode)
            fail_msg("%s: mode %o", path, s.st_mode & 07777);
    }
}

/* A checkpoint that cannot be read is written anew; one whose first lines can be read still binds.
 */
static void publishing_repairs(void **state)
{
    static const char *const broken[] = {"", "\n\n", "firmiana/", "no checkpoint\n\n"};
    struct ledger_tile_report report;
    struct base_buf text = {0};
    char path[96];

    (void)state;
    (void)snprintf(path, sizeof path, "%s/checkpoint", dir);
    must(publish(600));
    must(base_file_read(&text, path, 1 << 17, &err));
    base_buf_put_str(&text, "\xe2\x80\x94 bad name AAAA\n");
    put("checkpoint", &text);
    assert_int_equal(verify(), FM_E_INPUT);
    must(publish_to(dir, 600, &report));
    assert_true(report.repaired);
    assert_int_equal(report.files, 0);
    must(verify());
    put("checkpoint", &text);
    assert_int_equal(publish(500), FM_E_CONFLICT); /* 600 are published there */
    must(publish(700));
    must(verify());
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        base_buf_clear(&text);
        base_buf_put_str(&text, broken[i]);
        put("checkpoint", &text);
        must(publish_to(dir, 700, &report));
        assert_true(report.repaired);
        must(verify());
    }
    must(publish_to(dir, 700, &report));
    assert_false(report.repaired);
    base_buf_release(&text);
}

/* A number may not begin with a zero: two texts would say the same. */
static void expect_one_form(const char *text)
{
    static struct ledger_tlog_proof p;
    const char *number = strstr(text, "index ") + strlen("index ");
    struct base_buf other = {0};

    base_buf_put(&other, text, (size_t)(number - text));
    base_buf_put_str(&other, "0");
    base_buf_put_str(&other, number);
    assert_int_equal(ledger_tlog_proof_parse(&p, (const char *)other.p, other.len, &err),
                     FM_E_INPUT);
    assert_non_null(strstr(err.text, "not written as it must be"));
    base_buf_release(&other);
}

/* Every entry at sizes around the edges; every byte of a proof counts; two other histories. */
static void proofs_are_of_one_entry(void **state)
{
    static const uint64_t sizes[] = {1, 2, 3, 7, 8, 255, 256, 257, 600};
    const struct ledger_trust trust = {trusted, MEMBERS, MEMBERS}, more = {trusted, MEMBERS, 4};
    static struct ledger_tlog_proof p, again;
    struct base_buf text = {0};
    size_t signers;

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        must(site_checkpoint(&p.checkpoint, w, sizes[i], &err));
        for (uint64_t leaf = 0; leaf < sizes[i]; leaf += sizes[i] / 5 + 1) {
            base_buf_clear(&text);
            must(ledger_tlog_prove(&p, leaf, &site_log, &err));
            must(ledger_tlog_proof_encode(&text, &p, &err));
            must(ledger_tlog_proof_parse(&again, (const char *)text.p, text.len, &err));
            must(ledger_tlog_proof_verify(&again, &signers, &trust, &err));
            assert_int_equal(signers, MEMBERS);
        }
        assert_int_equal(ledger_tlog_prove(&p, sizes[i], &site_log, &err), FM_E_ARG);
    }
    for (size_t i = 0; i < text.len; i++) {
        text.p[i] ^= 1;
        if (ledger_tlog_proof_parse(&again, (const char *)text.p, text.len, &err) == FM_OK &&
            ledger_tlog_proof_verify(&again, &signers, &trust, &err) == FM_OK)
            fail_msg("byte %zu", i);
        text.p[i] ^= 1;
        if (ledger_tlog_proof_parse(&again, (const char *)text.p, i, &err) == FM_OK)
            assert_int_not_equal(ledger_tlog_proof_verify(&again, &signers, &trust, &err), FM_OK);
    }
    must(ledger_tlog_proof_parse(&again, (const char *)text.p, text.len, &err));
    assert_int_equal(ledger_tlog_proof_verify(&again, &signers, &more, &err), FM_E_INVALID);
    expect_one_form(base_buf_cstr(&text));
    again.checkpoint.root[0] ^= 1;
    assert_int_equal(ledger_tlog_prove(&again, 0, &site_log, &err), FM_E_CONFLICT);
    base_buf_release(&text);
}

/* Keys of type 4 that others' witnesses cosign with, as they publish them (witness-network.org, the
 * first four), and one of type 1, which does not cosign (transparency-dev/formats, note tests). */
static void others_keys_are_read(void **state)
{
    static const char *const keys[] = {
        "witness.navigli.sunlight.geomys.org+a3e00fe2+BNy/co4C1Hn1p+INwJrfUlgz7W55dSZReusH/GhUhJ/G",
        "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
        "rgdd.se/poc-witness+db03732e+BCjJKlo6BU0xfIb8LutqerIFTWIXEA0L5n3tW3QyPFgG",
        "witness1.smartit.nu/witness1+a48c820f+BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO",
        "TEST+7997405c+AQcC+FTVKf0jlTdHDY3rbevmnKxxPjigCXlVtGe6RIr6"};
    struct ledger_vkey key;
    size_t n;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct base_buf again = {0};

        must(ledger_vkeys_parse(&key, 1, &n, keys[i], strlen(keys[i]), &err));
        must(ledger_vkey_put(&again, key.name, &key.key, &err));
        assert_int_equal(again.len, strlen(keys[i]) + 1);
        assert_memory_equal(again.p, keys[i], again.len - 1);
        base_buf_release(&again);
    }
    assert_int_equal(ledger_vkeys_parse(&key, 1, &n, keys[4], strlen(keys[4]), &err), FM_E_INPUT);
}

/* Who publishes and who witnesses at the same time: nobody's line is lost. */
static void writers_wait_for_each_other(void **state)
{
    enum { WITNESSES = 6 };
    static struct ledger_checkpoint c;
    pid_t child[WITNESSES];

    (void)state;
    must(publish(600));
    for (int i = 0; i < WITNESSES; i++) {
        struct did_secret *secret = world_secret(w);
        char name[32];

        child[i] = fork();
        assert_true(child[i] >= 0);
        if (child[i] == 0) {
            (void)snprintf(name, sizeof name, "w.example/%d", i);
            (void)snprintf(memory, sizeof memory, "%s/memory%d", dir, i);
            _exit(cosign_as(name, secret, NULL) == FM_OK ? 0 : 1);
        }
        did_secret_free(secret);
    }
    for (int i = 0; i < 3; i++)
        must(publish(600));
    for (int i = 0; i < WITNESSES; i++) {
        int how;

        assert_int_equal(waitpid(child[i], &how, 0), child[i]);
        assert_int_equal(how, 0);
    }
    must(ledger_published_checkpoint(&c, dir, &err));
    assert_int_equal(c.n, MEMBERS + WITNESSES);
    must(verify());
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(witnesses_have_names_of_their_own),
        T(cosignatures_come_as_files),
        T(anybody_may_read),
        T(publishing_repairs),
        T(writers_wait_for_each_other),
        T(proofs_are_of_one_entry),
        T(others_keys_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
