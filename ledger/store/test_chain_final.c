/* Replicas on disk: what makes their state final, what convicts a fork, and the bundles that prove
 * it to others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/json.h"
#include "ledger/store/export.h"
#include "ledger/store/test_town.h"
#include "ledger/verify/verify.h"

static struct base_err err;

static void must(fm_status st)
{
    if (st != FM_OK)
        fail_msg("%s", err.text);
}

/* A path in a folder of this process, removed when the test ends. */
static char folder[64], path[96], bundle[96];

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/firmiana-chain-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/a.ledger", folder);
    (void)snprintf(bundle, sizeof bundle, "%s/trail", folder);
    return 0;
}

static int remove_folder(void **state)
{
    static const char *const names[] = {"a.ledger", "trail"};
    static const char *const endings[] = {"", "-wal", "-shm", "-journal", ".lock", ".part"};
    char name[160];
    size_t i, k;

    (void)state;
    for (i = 0; i < 2; i++) {
        for (k = 0; k < 6; k++) {
            (void)snprintf(name, sizeof name, "%s/%s%s", folder, names[i], endings[k]);
            (void)unlink(name);
        }
    }
    return rmdir(folder);
}

static struct base_buf publish(struct town *t, int who, int64_t version)
{
    return town_tx(t, LEDGER_TX_DATASET_PUBLISH, who, town_dataset(t, version, 1, "balance"));
}

/* A story with every kind of leaf; returns its query's id. */
static struct town_id play(struct town *t)
{
    json_t *c = town_set_up(t, town_contract_subject(t));
    struct town_id id = town_ask(t, c);

    town_refused(t, publish(t, BANK_A, 7), LEDGER_RULE_DATASET_VERSION);
    town_wait(t, 1000);
    town_ok(t, town_tx(t, LEDGER_TX_QUERY_CLOSE, BANK_A,
                       json_pack("{s:o}", "receipt",
                                 town_receipt(t, c, id.text, LEDGER_RECEIPT_DONE, true, 7))));
    json_decref(c);
    return id;
}

/* ---- finality and forks ---- */

static fm_status cosign(struct town *t, unsigned who, uint64_t size, const uint8_t *root,
                        size_t *n_new, uint64_t *final_size)
{
    struct base_buf text = town_checkpoint(t, who, root, size);
    fm_status st =
        ledger_chain_cosign(t->chain, n_new, final_size, (const char *)text.p, text.len, &err);

    base_buf_release(&text);
    return st;
}

static fm_status count_evidence(void *ctx, const char *theirs, const char *ours, struct base_err *e)
{
    (void)e;
    assert_string_not_equal(theirs, ours);
    ++*(size_t *)ctx;
    return FM_OK;
}

static void test_finality(void **state)
{
    struct town t;
    struct ledger_reader *r;
    const struct ledger_head *head;
    struct ledger_head first;
    struct base_buf text = {0};
    uint64_t final_size, size, height;
    uint8_t wrong[32] = {1};
    size_t n_new, evidence = 0;

    (void)state;
    town_init(&t, path);
    (void)play(&t);
    r = ledger_chain_reader(t.chain);
    head = ledger_chain_head(t.chain);
    first = *head;
    assert_int_equal(ledger_reader_final(r, &size, &height, NULL, &err), FM_E_NOT_FOUND);
    must(cosign(&t, 1U << BANK_A, first.log_size, first.app_hash, &n_new, &final_size));
    assert_int_equal(n_new, 1);
    must(cosign(&t, 1U << BANK_A, first.log_size, first.app_hash, &n_new, &final_size));
    assert_int_equal(n_new, 0);
    must(cosign(&t, 1U << BANK_A | 1U << REGULATOR, first.log_size, first.app_hash, &n_new,
                &final_size));
    assert_int_equal(n_new, 1);
    assert_int_equal(final_size, 0);
    /* Somebody unknown, or a wrong signature: nothing of it is taken. */
    assert_int_equal(cosign(&t, 1U << BANK_C | 1U << NEWCOMER, first.log_size, first.app_hash,
                            &n_new, &final_size),
                     FM_E_AUTH);
    assert_int_equal(final_size, 0);
    assert_int_equal(cosign(&t, 0, first.log_size, first.app_hash, &n_new, &final_size),
                     FM_E_INPUT);
    must(cosign(&t, 1U << BANK_B, first.log_size, first.app_hash, &n_new, &final_size));
    assert_int_equal(final_size, first.log_size);
    must(ledger_reader_final(r, &size, &height, &text, &err));
    assert_int_equal(size, first.log_size);
    assert_int_equal(height, first.height);
    {
        struct base_buf whole = town_checkpoint(&t, 1U << BANK_A | 1U << BANK_B | 1U << REGULATOR,
                                                first.app_hash, first.log_size);

        assert_int_equal(text.len, whole.len); /* three lines, in the order of aliases */
        base_buf_release(&whole);
        base_buf_release(&text);
    }
    /* A late fourth one joins it. */
    must(cosign(&t, 1U << BANK_C, first.log_size, first.app_hash, &n_new, &final_size));
    assert_int_equal(n_new, 1);

    town_ok(&t, publish(&t, BANK_A, 2));
    assert_int_equal(cosign(&t, 1U << BANK_A, head->log_size + 5, wrong, &n_new, &final_size),
                     FM_E_NOT_FOUND);
    must(cosign(&t, 15, head->log_size, head->app_hash, &n_new, &final_size));
    assert_int_equal(n_new, 4);
    assert_int_equal(final_size, head->log_size);
    must(cosign(&t, 1U << BANK_C, first.log_size, first.app_hash, &n_new, &final_size));
    assert_int_equal(n_new, 0); /* older than what is final */

    /* Forks: another root, and the middle of a block. */
    assert_int_equal(cosign(&t, 1U << BANK_B, head->log_size, wrong, &n_new, &final_size),
                     FM_E_CONFLICT);
    assert_int_equal(cosign(&t, 1U << BANK_B, head->log_size - 1, wrong, &n_new, &final_size),
                     FM_E_CONFLICT);
    assert_int_equal(cosign(&t, 1U << NEWCOMER, head->log_size, wrong, &n_new, &final_size),
                     FM_E_AUTH);
    must(ledger_reader_evidence(r, count_evidence, &evidence, &err));
    assert_int_equal(evidence, 2);
    ledger_chain_close(t.chain);
    must(ledger_chain_open(&t.chain, path, &err));
    must(ledger_reader_final(ledger_chain_reader(t.chain), &size, &height, NULL, &err));
    assert_int_equal(size, ledger_chain_head(t.chain)->log_size);
    town_release(&t);
}

/* Who may cosign what: active members, with keys no newer than the checkpoint. */
static void test_cosigners(void **state)
{
    struct town t;
    struct ledger_head before;
    const struct ledger_head *head;
    struct town_id id;
    struct base_buf tx;
    uint64_t final_size;
    uint8_t previous[32];
    size_t n_new;

    (void)state;
    town_init(&t, path);
    town_ok(&t, publish(&t, BANK_A, 1));
    head = ledger_chain_head(t.chain);
    before = *head;
    memcpy(previous, did_document_hash32(t.who[BANK_B].doc), 32);
    {
        json_t *document = town_next_document(&t, BANK_B, false);

        town_ok(&t, town_tx(&t, LEDGER_TX_DID_UPDATE, BANK_B, town_update(previous, document)));
    }
    assert_int_equal(
        cosign(&t, 1U << BANK_B, before.log_size, before.app_hash, &n_new, &final_size), FM_E_AUTH);
    assert_non_null(strstr(err.text, "newer than the checkpoint"));
    must(cosign(&t, 1U << BANK_B, head->log_size, head->app_hash, &n_new, &final_size));

    tx = town_tx(&t, LEDGER_TX_MEMBER_SUSPEND, BANK_A,
                 json_pack("{s:s, s:s}", "alias", "bank_b", "reason", "test"));
    id = town_tx_id(&tx);
    town_ok(&t, tx);
    before = *head;
    town_ok(&t, town_tx(&t, LEDGER_TX_MEMBER_VOTE, BANK_C,
                        json_pack("{s:s, s:b}", "proposal", id.text, "accept", 1)));
    must(cosign(&t, 1U << BANK_A | 1U << BANK_B | 1U << BANK_C, head->log_size, head->app_hash,
                &n_new, &final_size));
    assert_int_equal(final_size, head->log_size);
    town_ok(&t, town_tx(&t, LEDGER_TX_MEMBER_VOTE, REGULATOR,
                        json_pack("{s:s, s:b}", "proposal", id.text, "accept", 1)));
    assert_int_equal(cosign(&t, 1U << BANK_B, head->log_size, head->app_hash, &n_new, &final_size),
                     FM_E_AUTH);
    assert_non_null(strstr(err.text, "no active member"));
    must(cosign(&t, 1U << BANK_A | 1U << BANK_C, head->log_size, head->app_hash, &n_new,
                &final_size));
    assert_true(final_size < head->log_size);
    must(cosign(&t, 1U << REGULATOR, head->log_size, head->app_hash, &n_new, &final_size));
    assert_int_equal(final_size, head->log_size);
    town_release(&t);
}

/* Proposed by bank_a; these two accept. */
static void carry(struct town *t, enum ledger_tx_type type, json_t *body, int second, int third)
{
    struct base_buf tx = town_tx(t, type, BANK_A, body);
    const struct town_id id = town_tx_id(&tx);
    const int voters[] = {second, third};

    town_ok(t, tx);
    for (size_t i = 0; i < 2 && voters[i] >= 0; i++)
        town_ok(t, town_tx(t, LEDGER_TX_MEMBER_VOTE, voters[i],
                           json_pack("{s:s, s:b}", "proposal", id.text, "accept", 1)));
}

/* An older checkpoint counts by the members and the quorum of then: its verifier knows no others.
 */
static void test_cosigners_of_then(void **state)
{
    struct town t;
    struct ledger_head before;
    const struct ledger_head *head;
    uint64_t final_size;
    size_t n_new;

    (void)state;
    town_init_rules(&t, path, 2);
    town_ok(&t, publish(&t, BANK_A, 1));
    head = ledger_chain_head(t.chain);
    before = *head;
    carry(&t, LEDGER_TX_MEMBER_PROPOSE,
          json_pack("{s:s, s:O, s:[s], s:s}", "alias", "newcomer", "document",
                    did_document_json(t.who[NEWCOMER].doc), "roles", "regulator", "endpoint",
                    "10.0.0.9:1"),
          BANK_B, BANK_C);
    assert_int_equal(
        cosign(&t, 1U << NEWCOMER, before.log_size, before.app_hash, &n_new, &final_size),
        FM_E_AUTH);
    assert_non_null(strstr(err.text, "newcomer was no active member at the checkpoint"));
    must(cosign(&t, 1U << NEWCOMER, head->log_size, head->app_hash, &n_new, &final_size));

    carry(&t, LEDGER_TX_MEMBER_SUSPEND,
          json_pack("{s:s, s:s}", "alias", "bank_b", "reason", "test"), BANK_C, REGULATOR);
    before = *head;
    carry(&t, LEDGER_TX_MEMBER_REINSTATE,
          json_pack("{s:s, s:s}", "alias", "bank_b", "reason", "test"), BANK_C, REGULATOR);
    assert_int_equal(
        cosign(&t, 1U << BANK_B, before.log_size, before.app_hash, &n_new, &final_size), FM_E_AUTH);
    assert_non_null(strstr(err.text, "bank_b was no active member at the checkpoint"));

    /* Four were needed then, three are now. */
    carry(&t, LEDGER_TX_PARAMETER_PROPOSE, json_pack("{s:i, s:s}", "quorum", 4, "reason", "test"),
          BANK_C, REGULATOR);
    before = *head;
    carry(&t, LEDGER_TX_PARAMETER_PROPOSE, json_pack("{s:i, s:s}", "quorum", 3, "reason", "test"),
          BANK_C, REGULATOR);
    must(cosign(&t, 7, before.log_size, before.app_hash, &n_new, &final_size));
    assert_int_equal(n_new, 3);
    assert_int_equal(final_size, 0);
    must(cosign(&t, 7, head->log_size, head->app_hash, &n_new, &final_size));
    assert_int_equal(final_size, head->log_size);
    town_release(&t);
}

/* ---- bundles ---- */

struct from_file {
    FILE *f;
};

static fm_status read_file(void *ctx, void *out, size_t len, size_t *got, struct base_err *e)
{
    (void)e;
    *got = fread(out, 1, len, ((struct from_file *)ctx)->f);
    return FM_OK;
}

/* Somebody else's eyes: the verifier, which shares nothing with the machine. */
static void town_verify(const char *file, const uint8_t chain[32], const struct ledger_head *head,
                        uint64_t states)
{
    struct ledger_verified *report;
    struct from_file from = {fopen(file, "rb")};
    struct ledger_bundle_source source = {read_file, &from};

    assert_non_null(from.f);
    if (ledger_verify(&report, &source, chain, &err) != FM_OK)
        fail_msg("line %llu: %s: %s", (unsigned long long)report->line, report->check, err.text);
    assert_int_equal(fclose(from.f), 0);
    assert_int_equal(report->size, head->log_size);
    assert_int_equal(report->height, head->height);
    assert_memory_equal(report->root, head->app_hash, 32);
    assert_memory_equal(report->state_root, head->state_root, 32);
    assert_int_equal(report->states, states);
    ledger_verified_free(report);
}

static void test_export(void **state)
{
    struct town t;
    struct town_id id, second;
    struct ledger_export_report whole, part;
    struct ledger_reader *r;
    const struct ledger_head *head;
    static const char *const keys[] = {"param", "dataset/bank_a/loans", "consent/none"};
    uint8_t query[1][32];
    struct ledger_export_options options = {.keys = keys, .n_keys = 3};
    uint64_t final_size;
    size_t n_new;
    json_t *c;

    (void)state;
    town_init(&t, path);
    id = play(&t);
    c = town_contract_group(&t);
    json_decref(town_set_up(&t, json_incref(c)));
    second = town_ask(&t, c);
    json_decref(c);
    (void)second;
    r = ledger_chain_reader(t.chain);
    head = ledger_chain_head(t.chain);
    assert_int_equal(ledger_export(r, bundle, NULL, &whole, &err), FM_E_NOT_FOUND);
    must(cosign(&t, 7, head->log_size, head->app_hash, &n_new, &final_size));
    must(ledger_export(r, bundle, &options, &whole, &err));
    assert_int_equal(whole.size, head->log_size);
    assert_int_equal(whole.disclosed, head->log_size);
    assert_int_equal(ledger_export(r, bundle, NULL, &part, &err), FM_E_CONFLICT);
    town_verify(bundle, t.chain_id, head, 3);
    assert_int_equal(unlink(bundle), 0);

    /* One query: its leaves, what they stand on, every block and every identity. */
    assert_true(base_unhex(query[0], 32, id.text, 64));
    options = (struct ledger_export_options){.queries = query, .n_queries = 1};
    must(ledger_export(r, bundle, &options, &part, &err));
    assert_true(part.disclosed < whole.disclosed && part.size == whole.size);
    town_verify(bundle, t.chain_id, head, 0);
    assert_int_equal(unlink(bundle), 0);
    memset(query, 1, sizeof query);
    assert_int_equal(ledger_export(r, bundle, &options, &part, &err), FM_E_NOT_FOUND);
    assert_int_equal(access(bundle, F_OK), -1);

    /* States only of what is final. */
    town_ok(&t, publish(&t, BANK_C, 2));
    options = (struct ledger_export_options){.keys = keys, .n_keys = 3};
    assert_int_equal(ledger_export(r, bundle, &options, &part, &err), FM_E_CONFLICT);
    must(ledger_export(r, bundle, NULL, &part, &err));
    assert_int_equal(part.size, whole.size);
    town_release(&t);
}

int main(void)
{
#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(test_finality),
        WITH_FOLDER(test_cosigners),
        WITH_FOLDER(test_cosigners_of_then),
        WITH_FOLDER(test_export),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
