/* Check, backup, restore and replay: what is whole passes, and what is not is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "ledger/store/chain_impl.h"
#include "ledger/store/store_impl.h"
#include "ledger/store/sum_vfs.h"
#include "ledger/store/test_disk.h"
#include "ledger/store/test_upkeep_past.h"
#include "ledger/store/upkeep.h"

static void sql(const char *file, const char *text)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open_v2(file, &db, SQLITE_OPEN_READWRITE, ledger_sum_vfs()),
                     SQLITE_OK);
    if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", text, sqlite3_errmsg(db));
    assert_true(sqlite3_changes(db) > 0 || strcmp(text, "VACUUM") == 0);
    (void)sqlite3_close(db);
}

static fm_status replay_file(const char *file, struct ledger_replay_report *report)
{
    struct ledger_reader *reader;
    fm_status st;

    past_must(ledger_reader_open(&reader, file, &past_err));
    st = ledger_replay(reader, past_folder, report, NULL, &past_err);
    ledger_reader_close(reader);
    return st;
}

/* ---- check and replay ---- */

/* Consistent as far as SQLite and the page sums can tell. */
static const struct {
    const char *damage, *says;
    bool replay_too; /* finds it */
} damages[] = {
    {"UPDATE leaf SET payload = CAST(replace(CAST(payload AS TEXT), 'balance', 'balanec') AS BLOB)"
     " WHERE type = 'dataset.publish'",
     "payload does not have its hash", true},
    {"UPDATE leaf SET hash = zeroblob(32) WHERE leaf = 3", "leaf 3", true},
    {"UPDATE leaf SET result = CAST('{\"code\":\"ok\"}' AS BLOB) WHERE CAST(result AS TEXT)"
     " LIKE '%refused%'",
     "does not say what came before it", false},
    {"DELETE FROM tx WHERE leaf = 5", "not found by its id", false},
    {"UPDATE tx SET leaf = 1 WHERE leaf = 5", "not found by its id", false},
    {"DELETE FROM recent WHERE leaf = (SELECT max(leaf) FROM recent)", "not found by its id",
     false},
    {"UPDATE node SET hash = zeroblob(32) WHERE at = (SELECT min(at) FROM node)",
     "a hash of the log", true},
    {"UPDATE block SET time = time + 1 WHERE height = 4", "does not say what came before it", true},
    {"UPDATE block SET txs = 2 WHERE height = 4", "", true},
    {"DELETE FROM block WHERE txs = 0 AND height > 0", "row is missing", true},
    {"UPDATE state SET value = CAST(replace(CAST(value AS TEXT), 'active', 'passive') AS BLOB)"
     " WHERE key LIKE 'authorization/%'",
     "its state does not have the root", false},
    {"DELETE FROM seen WHERE id = (SELECT max(id) FROM seen)", "its state does not have the root",
     false},
    {"UPDATE recent SET not_after = not_after + 1 WHERE leaf = (SELECT max(leaf) FROM recent)",
     "its state does not have the root", false},
    {"INSERT INTO state VALUES ('zzz', CAST('{}' AS BLOB))", "its state does not have the root",
     false},
    {"UPDATE tip SET final_size = 10000", "more of it is final", false},
    {"UPDATE tip SET time = time + 1", "newest block has another time", true},
};

static void test_check(void **state)
{
    struct ledger_replay_report replayed;
    struct ledger_check_report report;
    struct ledger_reader *reader;
    size_t i;

    (void)state;
    past_begin();
    past_make_backup();
    past_must(past_check_file(past_backup));
    past_must(replay_file(past_backup, &replayed));
    assert_int_equal(replayed.height, ledger_chain_head(past_town.chain)->height);
    assert_int_equal(replayed.leaves, ledger_chain_head(past_town.chain)->log_size);
    assert_int_equal(replayed.missing, 0);
    for (i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        fm_status st;

        past_make_backup();
        sql(past_backup, damages[i].damage);
        past_must_say(past_check_file(past_backup), FM_E_CORRUPT, damages[i].says);
        past_must(ledger_reader_open(&reader, past_backup, &past_err));
        past_must_say(ledger_backup(reader, past_other, &report, NULL, &past_err), FM_E_CORRUPT,
                      damages[i].says); /* no backup of that */
        assert_int_equal(access(past_other, F_OK), -1);
        ledger_reader_close(reader);
        st = replay_file(past_backup, &replayed);
        if ((st == FM_E_CORRUPT) != damages[i].replay_too || replayed.missing != 0)
            fail_msg("%s: %d %s", damages[i].damage, st, st == FM_OK ? "" : past_err.text);
    }
    past_end();
}

/* ---- backup and restore ---- */

static void test_backup_goes_on(void **state)
{
    struct ledger_restore_report report;
    struct ledger_check_report check;
    struct ledger_reader *reader;
    struct ledger_chain *chain;
    struct stat info;
    uint64_t height, at;

    (void)state;
    past_begin();
    past_make_backup();
    at = ledger_chain_head(past_town.chain)->height;
    assert_int_equal(stat(past_backup, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    past_must_say(
        ledger_backup(ledger_chain_reader(past_town.chain), past_backup, &check, NULL, &past_err),
        FM_E_CONFLICT, "exists already");
    past_publish(BANK_B, 4);
    past_publish(BANK_C, 4);
    past_cosign();
    past_must(
        ledger_restore(past_backup, past_other, past_town.chain_id, 0, &report, NULL, &past_err));
    assert_false(report.replaced);
    assert_int_equal(report.check.height, at);
    past_clean();
    past_must(ledger_chain_open(&chain, past_other, &past_err));
    reader = ledger_chain_reader(past_town.chain);
    for (height = at + 1; height <= ledger_chain_head(past_town.chain)->height; height++) {
        struct base_buf bytes = {0};
        struct ledger_block block;
        struct ledger_bytes *txs;

        past_must(ledger_reader_block(reader, &bytes, height, &past_err));
        past_must(ledger_block_decode(&block, &txs, bytes.p, bytes.len, &past_err));
        past_must(ledger_chain_execute(chain, NULL, &block, &past_err));
        base_buf_release(&bytes);
        free(txs);
    }
    assert_memory_equal(ledger_chain_head(chain), ledger_chain_head(past_town.chain),
                        sizeof(struct ledger_head));
    ledger_chain_close(chain);
    past_end();
}

static void test_restore(void **state)
{
    struct ledger_restore_report report;
    struct ledger_chain *chain;
    uint8_t wrong[32] = {1};
    char old[128];
    uint64_t newer;

    (void)state;
    past_begin();
    (void)snprintf(old, sizeof old, "%s.old", past_path);
    past_make_backup();
    past_publish(BANK_B, 4);
    past_must(ledger_chain_note(past_town.chain, "promise", "kept", 4, &past_err));
    newer = ledger_chain_head(past_town.chain)->height;
    past_must_say(
        ledger_restore(past_backup, past_path, past_town.chain_id, 0, &report, NULL, &past_err),
        FM_E_CONFLICT, "another process writes it");
    ledger_chain_close(past_town.chain);
    past_town.chain = NULL;
    past_must_say(ledger_restore(past_backup, past_path, wrong, 0, &report, NULL, &past_err),
                  FM_E_INPUT, "another ledger");
    past_must_say(
        ledger_restore(past_backup, past_path, past_town.chain_id, 0, &report, NULL, &past_err),
        FM_E_CONFLICT, "--over-newer");
    past_must_say(
        ledger_restore(past_bundle, past_path, past_town.chain_id, 0, &report, NULL, &past_err),
        FM_E_IO, "No such file");
    assert_int_equal(access(old, F_OK), -1);
    past_must(ledger_restore(past_backup, past_path, past_town.chain_id, LEDGER_RESTORE_OVER_NEWER,
                             &report, NULL, &past_err));
    assert_true(report.replaced && report.replaced_height == newer);
    past_clean();
    past_must(ledger_chain_open(&chain, past_path, &past_err));
    assert_int_equal(ledger_chain_head(chain)->height, newer - 1);
    {
        struct base_buf note = {0};
        sqlite3_stmt *stmt;

        assert_int_equal(
            sqlite3_prepare_v2(chain->store->db, "SELECT value FROM note", -1, &stmt, NULL),
            SQLITE_OK);
        assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
        ledger_store_bytes(&note, stmt, 0);
        assert_string_equal(base_buf_cstr(&note), "kept");
        (void)sqlite3_finalize(stmt);
        base_buf_release(&note);
    }
    ledger_chain_close(chain);
    past_must(ledger_chain_open(&chain, old, &past_err));
    assert_int_equal(ledger_chain_head(chain)->height, newer);
    ledger_chain_close(chain);
    (void)snprintf(old, sizeof old, "%s.old.lock", past_path);
    (void)unlink(old);
    past_end();
}

/* A damaged backup never gets a place, and leaves what is there alone; a damaged replica gives
 * way.
 */
static void test_damaged(void **state)
{
    struct ledger_restore_report report;
    struct ledger_check_report check;
    struct base_buf whole = {0}, bad = {0};
    size_t at, refused = 0, tried = 0;

    (void)state;
    past_begin();
    past_make_backup();
    sql(past_backup, "VACUUM"); /* nobody looks at free pages */
    past_must(base_file_read(&whole, past_backup, 1 << 24, &past_err));
    for (at = 0; at < whole.len; at += 4096 + 1731) {
        fm_status st;

        base_buf_clear(&bad);
        base_buf_put(&bad, whole.p, whole.len);
        bad.p[at] ^= 16;
        past_must(base_file_write(past_backup, bad.p, bad.len, 0600, &past_err));
        st = ledger_restore(past_backup, past_other, past_town.chain_id, 0, &report, NULL,
                            &past_err);
        tried++;
        refused += st == FM_E_CORRUPT || st == FM_E_INPUT;
        if (st != FM_E_CORRUPT && st != FM_E_INPUT)
            print_error("byte %zu: status %d: %s\n", at, st, st == FM_OK ? "" : past_err.text);
        assert_int_equal(access(past_other, F_OK), -1);
        past_clean();
    }
    assert_int_equal(refused, tried);
    /* Signatures too: a leaf that is consistent with all hashes, but for who signed it. */
    past_must(base_file_write(past_backup, whole.p, whole.len, 0600, &past_err));
    sql(past_backup, "UPDATE cosignature SET line = substr(line, 1, length(line) - 12) || CASE"
                     " substr(line, -12, 1) WHEN 'A' THEN 'B' ELSE 'A' END || substr(line, -11)");
    past_must_say(
        ledger_restore(past_backup, past_other, past_town.chain_id, 0, &report, NULL, &past_err),
        FM_E_INVALID, "its trail does not verify");
    past_must(base_file_write(past_backup, whole.p, whole.len, 0600, &past_err));

    ledger_chain_close(past_town.chain);
    past_town.chain = NULL;
    base_buf_clear(&bad);
    past_must(base_file_read(&bad, past_path, 1 << 24, &past_err));
    memset(bad.p + 3 * 4096, 0x55, 4096);
    memset(bad.p + 100, 0x55, 900);
    past_must(base_file_write(past_path, bad.p, bad.len, 0600, &past_err));
    {
        struct ledger_reader *reader;

        if (ledger_reader_open(&reader, past_path, &past_err) == FM_OK) {
            past_must_say(ledger_backup(reader, past_bundle, &check, NULL, &past_err), FM_E_CORRUPT,
                          "damaged");
            assert_int_equal(access(past_bundle, F_OK), -1);
            ledger_reader_close(reader);
        }
    }
    past_must(
        ledger_restore(past_backup, past_path, past_town.chain_id, 0, &report, NULL, &past_err));
    assert_true(report.replaced);
    past_must(past_check_file(past_path));
    base_buf_release(&whole);
    base_buf_release(&bad);
    past_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_backup_goes_on),
        cmocka_unit_test(test_restore),
        cmocka_unit_test(test_damaged),
    };

    test_disk_install(); /* which does not wait for the real one */
    return cmocka_run_group_tests(tests, past_make_folder, past_remove_folder);
}
