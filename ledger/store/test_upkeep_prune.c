/* Prune: what is erased is nowhere in the file, and all that was proven still is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "ledger/store/chain_impl.h"
#include "ledger/store/export.h"
#include "ledger/store/store_impl.h"
#include "ledger/store/sum_vfs.h"
#include "ledger/store/test_disk.h"
#include "ledger/store/test_upkeep_past.h"
#include "ledger/store/upkeep.h"
#include "ledger/verify/verify.h"

/* ---- prune ---- */

static bool in_files(const char *what)
{
    static const char *const endings[] = {"", "-wal"};
    struct base_buf bytes = {0};
    char name[128];
    bool found = false;

    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(name, sizeof name, "%s%s", past_path, endings[i]);
        if (access(name, F_OK) == 0)
            past_must(base_file_read(&bytes, name, 1 << 26, &past_err));
    }
    for (size_t at = 0; !found && at + strlen(what) <= bytes.len; at++)
        found = memcmp(bytes.p + at, what, strlen(what)) == 0;
    base_buf_release(&bytes);
    return found;
}

static fm_status read_stream(void *ctx, void *out, size_t len, size_t *got, struct base_err *e)
{
    (void)e;
    *got = fread(out, 1, len, ctx);
    return FM_OK;
}

/* Exports and verifies; how many leaves were hidden. */
static uint64_t verify_export(uint8_t root32[32], const struct ledger_export_options *options)
{
    struct ledger_export_report report;
    struct ledger_verified *verified;
    FILE *f;
    uint64_t hidden;

    (void)unlink(past_bundle);
    past_must(ledger_export(ledger_chain_reader(past_town.chain), past_bundle, options, &report,
                            &past_err));
    f = fopen(past_bundle, "rb");
    assert_non_null(f);
    past_must(ledger_verify(&verified, &(const struct ledger_bundle_source){read_stream, f},
                            past_town.chain_id, &past_err));
    (void)fclose(f);
    memcpy(root32, verified->root, 32);
    hidden = verified->hidden;
    ledger_verified_free(verified);
    return hidden;
}

/* The `proof` of the first transaction of that type: text that nothing else repeats. */
static void signature_of(char out[80], const char *type)
{
    sqlite3_stmt *stmt;

    assert_int_equal(sqlite3_prepare_v2(past_town.chain->store->db,
                                        "SELECT substr(payload, instr(payload,"
                                        " CAST('proofValue' AS BLOB)) + 20, 40)"
                                        " FROM leaf WHERE type = ? ORDER BY leaf",
                                        -1, &stmt, NULL),
                     SQLITE_OK);
    (void)sqlite3_bind_text(stmt, 1, type, -1, SQLITE_STATIC);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    assert_int_equal(sqlite3_column_bytes(stmt, 0), 40);
    (void)snprintf(out, 80, "%.40s", (const char *)sqlite3_column_blob(stmt, 0));
    (void)sqlite3_finalize(stmt);
}

static void assert_erased(const struct town_id *id, bool want)
{
    struct ledger_entry entry;
    uint8_t bytes[32];

    assert_true(base_unhex(bytes, 32, id->text, 64));
    past_must(ledger_reader_tx(ledger_chain_reader(past_town.chain), &entry, bytes, &past_err));
    assert_int_equal(entry.erased, want);
    ledger_entry_release(&entry);
}

static int free_pages(void)
{
    sqlite3_stmt *stmt;
    int n;

    assert_int_equal(
        sqlite3_prepare_v2(past_town.chain->store->db, "PRAGMA freelist_count", -1, &stmt, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    n = sqlite3_column_int(stmt, 0);
    (void)sqlite3_finalize(stmt);
    return n;
}

static void assert_heights(const struct ledger_head *head)
{
    uint64_t height;

    past_must(
        ledger_height_at(ledger_chain_reader(past_town.chain), &height, head->time_ms, &past_err));
    assert_int_equal(height, head->height);
    past_must(
        ledger_height_at(ledger_chain_reader(past_town.chain), &height, INT64_MAX, &past_err));
    assert_int_equal(height, head->height + 1);
    past_must(ledger_height_at(ledger_chain_reader(past_town.chain), &height, 0, &past_err));
    assert_int_equal(height, 0);
}

/* Somebody reads: nothing is promised. */
static void assert_alone(const struct ledger_head *head)
{
    struct ledger_prune_report report;
    struct ledger_reader *reader;
    struct ledger_head ignored;

    past_must(ledger_reader_open(&reader, past_path, &past_err));
    past_must(ledger_reader_begin(reader, &past_err));
    past_must(ledger_reader_head(reader, &ignored, &past_err));
    (void)sqlite3_busy_timeout(past_town.chain->store->db, 10);
    assert_int_equal(ledger_prune(past_town.chain, head->height, 0, &report, NULL, &past_err),
                     FM_E_CONFLICT);
    ledger_reader_end(reader);
    ledger_reader_close(reader);
}

static void test_prune(void **state)
{
    struct ledger_prune_report report;
    struct ledger_replay_report replayed;
    struct ledger_check_report check;
    struct ledger_head head;
    struct base_buf bytes = {0};
    char published[80], updated[80], closed[80];
    uint8_t root[32], again[32];

    (void)state;
    past_begin();
    head = *ledger_chain_head(past_town.chain);
    assert_int_equal(verify_export(root, NULL), 0);
    signature_of(published, "dataset.publish");
    signature_of(updated, "did.update");
    signature_of(closed, "query.close");
    assert_true(in_files(published) && in_files(updated) && in_files(closed));
    past_must_say(ledger_prune(past_town.chain, head.height + 1, 0, &report, NULL, &past_err),
                  FM_E_ARG, "only below that");
    assert_heights(&head);
    assert_alone(&head);
    past_must(
        ledger_prune(past_town.chain, head.height, LEDGER_PRUNE_DRY, &report, NULL, &past_err));
    assert_true(report.erased + report.already >= 8 && in_files(closed));
    past_must(ledger_prune(past_town.chain, head.height, 0, &report, NULL, &past_err));
    assert_true(report.erased + report.already >= 8);
    assert_true(report.identity >= 1 && report.needed >= 5);
    assert_true(!in_files(published) && !in_files(closed));
    assert_int_equal(free_pages(), 0);
    assert_true(in_files(updated)); /* documents stay */
    assert_erased(&past_closed_query, true);
    assert_erased(&past_open_query, false);
    assert_memory_equal(ledger_chain_head(past_town.chain), &head, sizeof head);
    past_must(ledger_check(ledger_chain_reader(past_town.chain), &check, NULL, &past_err));
    assert_int_equal(check.erased, report.erased + report.already);
    /* All that was proven still is. */
    assert_int_equal(verify_export(again, NULL), check.erased);
    assert_memory_equal(root, again, 32);
    {
        const char *keys[2] = {"param", "member/bank_b"};
        uint8_t ids[1][32];
        struct ledger_export_options some = {
            .queries = (const uint8_t(*)[32])ids, .n_queries = 1, .keys = keys, .n_keys = 2};

        assert_true(base_unhex(ids[0], 32, past_closed_query.text, 64));
        assert_true(verify_export(again, &some) > 0);
        assert_true(base_unhex(ids[0], 32, past_open_query.text, 64));
        assert_true(verify_export(again, &some) > 0);
        assert_memory_equal(root, again, 32);
    }
    past_must_say(ledger_reader_block(ledger_chain_reader(past_town.chain), &bytes, 2, &past_err),
                  FM_E_NOT_FOUND, "erased");
    past_must(ledger_replay(ledger_chain_reader(past_town.chain), past_folder, &replayed, NULL,
                            &past_err));
    assert_true(replayed.missing > 0 && replayed.height == replayed.missing - 1);
    /* It goes on, as one (the town compares) that erased nothing; and once more finds nothing.
     */
    past_must(ledger_prune(past_town.chain, head.height, 0, &report, NULL, &past_err));
    assert_int_equal(report.erased, 0);
    assert_int_equal(report.already, check.erased);
    (void)town_ask(&past_town, past_contract);
    past_publish(BANK_B, 4); /* the version before it is not needed any more */
    past_must(ledger_prune(past_town.chain, head.height, 0, &report, NULL, &past_err));
    assert_int_equal(report.erased, 1);
    ledger_chain_close(past_town.chain);
    past_must(ledger_chain_open(&past_town.chain, past_path, &past_err));
    past_publish(BANK_C, 4);
    past_make_backup();
    past_must(past_check_file(past_backup));
    base_buf_release(&bytes);
    past_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_prune)};

    test_disk_install(); /* which does not wait for the real one */
    return cmocka_run_group_tests(tests, past_make_folder, past_remove_folder);
}
