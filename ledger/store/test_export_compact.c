/* Compact bundles: every transaction of a log can be shown with one, whatever happened to members,
 * keys and rules before or after; none is valid that was altered in any place, lacks a line, has
 * one too many, or hides what changed a member's keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ledger/store/test_export_compact.h"

/* ---- laws ---- */

/* All of them with FIRMIANA_FULL=1, else every n-th. */
static size_t every(size_t n)
{
    const char *full = getenv("FIRMIANA_FULL");

    return full != NULL && strcmp(full, "1") == 0 ? 1 : n;
}

static void test_every_leaf(void **state)
{
    uint64_t size;
    size_t transactions = 0;

    (void)state;
    compact_tell();
    compact_finish();
    size = ledger_chain_head(compact_town.chain)->log_size;
    for (uint64_t leaf = 1; leaf < size; leaf += every(3)) {
        struct ledger_entry entry;
        struct ledger_verified *report;
        struct base_buf bundle;
        uint8_t id[1][32];
        compact_must(ledger_reader_leaf(ledger_chain_reader(compact_town.chain), &entry, leaf,
                                        &compact_err));
        memcpy(id[0], entry.id, 32);
        if (!entry.is_block) {
            transactions++;
            bundle = compact_export_of(id, 1);
            compact_must(compact_verify(&report, bundle.p, bundle.len));
            assert_int_equal(report->size, size);
            assert_memory_equal(report->root, ledger_chain_head(compact_town.chain)->app_hash, 32);
            assert_int_equal(report->by_type[LEDGER_TX_DATASET_PUBLISH],
                             strcmp(entry.type, "dataset.publish") == 0 && entry.rule[0] == '\0');
            assert_int_equal(report->refused, entry.rule[0] != '\0');
            assert_int_equal(report->documents, 4);
            assert_int_equal(ledger_members_terms(report->members)->rules_version, 3);
            compact_must(ledger_verified_complete(report, &compact_err));
            assert_true(report->skipped > size / 3);
            ledger_verified_free(report);
            base_buf_release(&bundle);
        }
        ledger_entry_release(&entry);
    }
    assert_true(transactions > 60 / every(3));
}

static void test_altered(void **state)
{
    size_t step = every(101);
    struct base_buf bundle;

    (void)state;
    compact_tell();
    compact_finish();
    bundle = compact_two_of_them();
    assert_true(compact_is_valid(&bundle));
    for (size_t i = 0; i < bundle.len; i += step) {
        uint8_t was = bundle.p[i];
        bundle.p[i] ^=
            1; /* a digit stays one, mostly: what is malformed is found by every reader */
        if (compact_is_valid(&bundle))
            fail_msg("byte %zu altered from '%c', and valid: %.60s", i, was,
                     (const char *)bundle.p + (i < 30 ? 0 : i - 30));
        bundle.p[i] = was;
    }
    base_buf_release(&bundle);
}

/* Without each line in turn, with each twice, and with each changed for the one behind it. */
static void test_lines(void **state)
{
    static struct ledger_bytes line[256];
    struct base_buf bundle;
    size_t n;

    (void)state;
    compact_tell();
    compact_finish();
    bundle = compact_two_of_them();
    n = compact_split(line, 256, &bundle);
    for (size_t at = 0; at < n; at += every(4)) {
        for (int what = 0; what < 3; what++) {
            struct base_buf other = {0};
            for (size_t i = 0; i < n; i++) {
                size_t from = what == 2 && i == at && at + 1 < n       ? i + 1
                              : what == 2 && i == at + 1 && at + 1 < n ? i - 1
                                                                       : i;
                for (int k = 0; k < (i == at ? what == 2 ? 1 : 2 * what : 1); k++)
                    base_buf_put(&other, line[from].p, line[from].len);
            }
            if ((what != 2 || at + 1 < n) && compact_is_valid(&other))
                fail_msg("line %zu %s, and valid", at + 1,
                         what == 0   ? "left out"
                         : what == 1 ? "twice"
                                     : "behind the next");
            base_buf_release(&other);
        }
    }
    base_buf_release(&bundle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_leaf, compact_set_up, compact_tear_down),
        cmocka_unit_test_setup_teardown(test_altered, compact_set_up, compact_tear_down),
        cmocka_unit_test_setup_teardown(test_lines, compact_set_up, compact_tear_down),
        cmocka_unit_test_setup_teardown(test_hidden, compact_set_up, compact_tear_down),
        cmocka_unit_test_setup_teardown(test_shapes, compact_set_up, compact_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
