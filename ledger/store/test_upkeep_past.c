#include "ledger/store/test_upkeep_past.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "ledger/store/chain_impl.h"
#include "ledger/store/test_town.h"
#include "ledger/store/upkeep.h"

struct base_err past_err;
char past_folder[64], past_path[96], past_backup[96], past_other[96], past_bundle[96];
struct town past_town;
json_t *past_contract;
struct town_id past_open_query, past_closed_query;

void past_must(fm_status st)
{
    if (st != FM_OK)
        fail_msg("%s", past_err.text);
}

void past_must_say(fm_status st, fm_status want, const char *text)
{
    if (st != want || strstr(past_err.text, text) == NULL)
        fail_msg("status %d instead of %d: %s", st, want, st == FM_OK ? "" : past_err.text);
}

/* ---- its past ---- */

void past_cosign(void)
{
    const struct ledger_head *head = ledger_chain_head(past_town.chain);
    struct base_buf text = town_checkpoint(&past_town, 15, head->app_hash, head->log_size);
    uint64_t final_size;
    size_t n_new;

    past_must(ledger_chain_cosign(past_town.chain, &n_new, &final_size, (const char *)text.p,
                                  text.len, &past_err));
    base_buf_release(&text);
}

void past_publish(int who, int64_t version)
{
    town_ok(&past_town, town_publish(&past_town, who, version, 1, "balance"));
}

/* Three days at the end, in which ids are forgotten. */
void past_begin(void)
{
    uint8_t previous[32];
    json_t *consent, *document;
    int i;

    town_init(&past_town, past_path);
    ledger_chain_set_sweep(past_town.chain, 1, 50);
    ledger_chain_set_recent(past_town.chain, 6);
    past_contract = town_set_up(&past_town, town_contract_subject(&past_town));
    for (i = 2; i < 8; i++)
        past_publish(i % 3, 2 + (i - 2) / 3);
    consent = town_consent(&past_town, NULL, NULL);
    town_ok(&past_town, town_tx(&past_town, LEDGER_TX_CONSENT_GRANT, BANK_B,
                                json_pack("{s:o}", "consent", consent)));
    past_closed_query = town_ask(&past_town, past_contract);
    town_ok(&past_town,
            town_tx(&past_town, LEDGER_TX_QUERY_CLOSE, BANK_A,
                    json_pack("{s:o}", "receipt",
                              town_receipt(&past_town, past_contract, past_closed_query.text,
                                           LEDGER_RECEIPT_DONE, true, 7))));
    past_open_query = town_ask(&past_town, past_contract);
    town_refused(&past_town, town_publish(&past_town, BANK_A, 77, 1, "balance"),
                 LEDGER_RULE_DATASET_VERSION);
    memcpy(previous, did_document_hash32(past_town.who[BANK_C].doc), sizeof previous);
    document = town_next_document(&past_town, BANK_C, false);
    town_ok(&past_town,
            town_tx(&past_town, LEDGER_TX_DID_UPDATE, BANK_C, town_update(previous, document)));
    town_wait(&past_town, 3 * DAY_MS);
    past_publish(BANK_A, 4);
    past_cosign();
}

void past_end(void)
{
    char name[128];
    static const char *const files[] = {"ledger", "backup", "other", "bundle"};
    static const char *const endings[] = {"", ".lock", ".old", "-wal", "-shm", ".old-wal"};
    size_t i, k;

    json_decref(past_contract);
    town_release(&past_town);
    for (i = 0; i < 4; i++)
        for (k = 0; k < 6; k++) {
            (void)snprintf(name, sizeof name, "%s/%s%s", past_folder, files[i], endings[k]);
            (void)unlink(name);
        }
}

void past_clean(void) /* no half files */
{
    static const char *const names[] = {"backup.part", "ledger.new",       "ledger.new.bundle",
                                        "other.new",   "other.new.bundle", "backup.part-wal"};
    char name[128];
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(name, sizeof name, "%s/%s", past_folder, names[i]);
        assert_int_equal(access(name, F_OK), -1);
    }
}

void past_make_backup(void)
{
    struct ledger_check_report report;

    (void)unlink(past_backup);
    past_must(
        ledger_backup(ledger_chain_reader(past_town.chain), past_backup, &report, NULL, &past_err));
    assert_int_equal(report.height, ledger_chain_head(past_town.chain)->height);
    assert_int_equal(report.leaves, ledger_chain_head(past_town.chain)->log_size);
    past_clean();
}

fm_status past_check_file(const char *file)
{
    struct ledger_check_report report;
    struct ledger_reader *reader;
    fm_status st = ledger_reader_open(&reader, file, &past_err);

    if (st != FM_OK)
        return st;
    st = ledger_check(reader, &report, NULL, &past_err);
    ledger_reader_close(reader);
    return st;
}

int past_make_folder(void **state)
{
    (void)state;
    (void)snprintf(past_folder, sizeof past_folder, "/tmp/firmiana-upkeep-XXXXXX");
    if (mkdtemp(past_folder) == NULL)
        return -1;
    (void)snprintf(past_path, sizeof past_path, "%s/ledger", past_folder);
    (void)snprintf(past_backup, sizeof past_backup, "%s/backup", past_folder);
    (void)snprintf(past_other, sizeof past_other, "%s/other", past_folder);
    (void)snprintf(past_bundle, sizeof past_bundle, "%s/bundle", past_folder);
    return 0;
}

int past_remove_folder(void **state)
{
    (void)state;
    return rmdir(past_folder);
}
