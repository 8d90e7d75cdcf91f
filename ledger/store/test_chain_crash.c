/* Power cuts: a run of 50 blocks on a disk that loses, tears and trashes what was not synced
 * (test_disk.h), cut at every write, truncation, sync, creation and deletion in turn. Each time the
 * replica opens at a whole block, with the hashes of a run that nothing disturbed; nothing whose
 * call had returned is missing; and it goes on to the same end.
 *
 *   test_chain_crash [STRIDE [SEEDS]]     every STRIDEth moment, each with SEEDS dice
 *   FIRMIANA_FULL=1                       every moment, 5 dice */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ledger/store/chain_impl.h"
#include "ledger/store/store_impl.h"
#include "ledger/store/test_disk.h"
#include "ledger/store/test_town.h"
#include "ledger/store/upkeep.h"

#define BLOCKS 50
#define MOST 6 /* transactions of a block */

static struct base_err err;
static size_t stride = 5, seeds = 1;

static void must(fm_status st)
{
    if (st != FM_OK)
        fail_msg("%s", err.text);
}

/* ---- a story told in advance ---- */

/* Blocks as they go from replica to replica, the checkpoint over each, and where they lead. */
static struct {
    struct town town;
    struct base_buf bytes[BLOCKS + 1], checkpoint[BLOCKS + 1];
    struct ledger_head head[BLOCKS + 1];
    uint64_t final[BLOCKS + 1]; /* final size once the checkpoint is in */
    uint64_t secret_leaf;       /* erased in the middle of the run */
} story;

static char folder[64], path[96];

/* All kinds, right and wrong: data, contracts, consents, queries, receipts, a new key, a vote. */
static void tell_block(struct town *t, int i, const json_t *contract)
{
    struct base_buf txs[MOST];
    json_t *consent = town_consent(t, NULL, NULL);
    struct town_id consent_id = town_inner_id(consent);
    size_t n = 0;

    txs[n++] = town_tx(t, LEDGER_TX_DATASET_PUBLISH, i % 3,
                       town_dataset(t, i % 4 == 3 ? 99 : i / 3 + 2, 1, "balance"));
    if (i % 2 == 0)
        txs[n++] =
            town_tx(t, LEDGER_TX_CONSENT_GRANT, BANK_B, json_pack("{s:O}", "consent", consent));
    if (i % 4 == 0)
        txs[n++] =
            town_tx(t, LEDGER_TX_QUERY_OPEN, BANK_A, town_open(t, contract, consent_id.text));
    if (i % 5 == 0) /* nobody's query: refused */
        txs[n++] = town_tx(t, LEDGER_TX_QUERY_RECEIPT, BANK_B,
                           json_pack("{s:o}", "receipt",
                                     town_receipt(t, contract, town_hash(consent).text,
                                                  LEDGER_RECEIPT_DONE, false, 7)));
    if (i % 7 == 0)
        txs[n++] = town_tx(t, LEDGER_TX_MEMBER_SUSPEND, REGULATOR,
                           json_pack("{s:s, s:s}", "alias", "nobody", "reason", "chance"));
    json_decref(consent);
    town_block(t, NULL, txs, n, i == 30 ? DAY_MS : 1000); /* a day: ids are forgotten */
}

static void write_story(void)
{
    struct town *t = &story.town;
    struct ledger_reader *reader;
    uint8_t previous[32];
    json_t *contract, *document;
    uint64_t height;
    int i;

    town_init(t, path);
    t->unchecked = true;
    story.head[0] = *ledger_chain_head(t->chain);
    contract = town_set_up(t, town_contract_subject(t));
    memcpy(previous, did_document_hash32(t->who[BANK_C].doc), sizeof previous);
    document = town_next_document(t, BANK_C, false);
    town_ok(t, town_tx(t, LEDGER_TX_DID_UPDATE, BANK_C, town_update(previous, document)));
    for (i = 0; ledger_chain_head(t->chain)->height < BLOCKS; i++) {
        if (i % 9 == 8)
            town_wait(t, 10000);
        else
            tell_block(t, i, contract);
    }
    json_decref(contract);
    reader = ledger_chain_reader(t->chain);
    for (height = 1; height <= BLOCKS; height++)
        must(ledger_reader_block(reader, &story.bytes[height], height, &err));
    ledger_chain_close(t->chain);
    t->chain = NULL;
}

static fm_status execute(struct ledger_chain *chain, uint64_t height)
{
    struct ledger_block block;
    struct ledger_bytes *txs;
    fm_status st;

    must(ledger_block_decode(&block, &txs, story.bytes[height].p, story.bytes[height].len, &err));
    st = ledger_chain_execute(chain, NULL, &block, &err);
    free(txs);
    return st;
}

static fm_status cosign(struct ledger_chain *chain, uint64_t height)
{
    const struct base_buf *text = &story.checkpoint[height];
    size_t n_new;
    uint64_t final_size;

    return ledger_chain_cosign(chain, &n_new, &final_size, (const char *)text->p, text->len, &err);
}

/* The run that nothing disturbs. */
static void make_oracle(void)
{
    struct town *t = &story.town;
    struct ledger_chain *chain;
    uint64_t height;

    must(ledger_chain_create(&chain, path, t->genesis_bytes.p, t->genesis_bytes.len, &err));
    for (height = 1; height <= BLOCKS; height++) {
        const struct ledger_head *head = ledger_chain_head(chain);

        must(execute(chain, height));
        story.head[height] = *head;
        /* bank_c's key is newer than the first checkpoints; the others' are not. */
        story.checkpoint[height] = town_checkpoint(t, 1U << BANK_A | 1U << BANK_B | 1U << REGULATOR,
                                                   head->app_hash, head->log_size);
        must(cosign(chain, height));
        story.final[height] = chain->final_size;
        assert_int_equal(story.final[height], head->log_size);
    }
    story.secret_leaf = 1;
    ledger_chain_close(chain);
}

static void forget_story(void)
{
    uint64_t height;

    for (height = 0; height <= BLOCKS; height++) {
        base_buf_release(&story.bytes[height]);
        base_buf_release(&story.checkpoint[height]);
    }
    town_release(&story.town);
    test_disk_forget();
    assert_int_equal(rmdir(folder), 0);
}

/* ---- the run that is recorded ---- */

/* From this moment on the caller has been told that it is so. */
struct promise {
    size_t moment;
    uint64_t height, final_size;
    bool erased;
};
static struct promise promises[3 * BLOCKS + 10];
static size_t n_promises;

static void promise(const struct ledger_chain *chain, bool erased)
{
    assert_true(n_promises < sizeof promises / sizeof promises[0]);
    promises[n_promises++] = (struct promise){test_disk_moment(), ledger_chain_head(chain)->height,
                                              chain->final_size, erased};
}

static struct promise promised(size_t moment)
{
    struct promise p = {0};
    size_t i;

    for (i = 0; i < n_promises && promises[i].moment <= moment; i++)
        p = promises[i];
    return p;
}

static void often(struct ledger_chain *chain)
{
    assert_int_equal(
        sqlite3_exec(chain->store->db, "PRAGMA wal_autocheckpoint = 150", NULL, NULL, NULL),
        SQLITE_OK);
    ledger_chain_set_recent(chain, 17);
    ledger_chain_set_sweep(chain, 1, 64); /* in rows, in pages here, and in pages of the file */
}

/* With SQLite's checkpoints in it, and merges of ids, one end and new beginning, one erasure and
 * one pruning. */
static void run_recorded(void)
{
    struct ledger_chain *chain;
    uint64_t height;

    must(ledger_chain_create(&chain, path, story.town.genesis_bytes.p, story.town.genesis_bytes.len,
                             &err));
    ledger_chain_close(chain);
    test_disk_start(folder);
    must(ledger_chain_open(&chain, path, &err));
    often(chain);
    for (height = 1; height <= BLOCKS; height++) {
        must(execute(chain, height));
        promise(chain, height > 24);
        if (height % 3 == 0) {
            must(cosign(chain, height));
            promise(chain, height > 24);
        }
        if (height == 24) {
            must(ledger_chain_erase(chain, story.secret_leaf, &err));
            promise(chain, true);
        }
        if (height == 44) { /* the whole file is written anew */
            struct ledger_prune_report report;

            must(ledger_prune(chain, 12, 0, &report, NULL, &err));
            assert_true(report.erased > 3);
        }
        if (height == 37) {
            ledger_chain_close(chain);
            must(ledger_chain_open(&chain, path, &err));
            often(chain);
        }
    }
    ledger_chain_close(chain);
    test_disk_stop();
}

/* ---- what a power cut leaves ---- */

static void check_whole(struct ledger_chain *chain)
{
    struct ledger_check_report report;

    must(ledger_check(ledger_chain_reader(chain), &report, NULL, &err));
    assert_int_equal(report.leaves, ledger_chain_head(chain)->log_size);
}

static void check_promises(struct ledger_chain *chain, const struct promise *p)
{
    const struct ledger_head *head = ledger_chain_head(chain);
    struct ledger_entry entry;

    assert_in_range(head->height, p->height, BLOCKS);
    assert_memory_equal(head, &story.head[head->height], sizeof *head);
    assert_true(chain->final_size >= p->final_size && chain->final_size <= head->log_size);
    if (head->log_size <= story.secret_leaf)
        return;
    must(ledger_reader_leaf(ledger_chain_reader(chain), &entry, story.secret_leaf, &err));
    assert_true(entry.erased || !p->erased);
    ledger_entry_release(&entry);
}

static void crash_at(size_t moment, uint64_t seed, bool to_the_end)
{
    struct promise p = promised(moment);
    struct ledger_chain *chain;
    uint64_t height;

    test_disk_crash(moment, seed);
    if (ledger_chain_open(&chain, path, &err) != FM_OK)
        fail_msg("moment %zu, seed %llu: %s", moment, (unsigned long long)seed, err.text);
    check_promises(chain, &p);
    check_whole(chain);
    often(chain);
    for (height = ledger_chain_head(chain)->height + 1; height <= BLOCKS; height++) {
        must(execute(chain, height));
        assert_memory_equal(ledger_chain_head(chain), &story.head[height],
                            sizeof story.head[height]);
        if (!to_the_end)
            break;
        must(cosign(chain, height));
    }
    ledger_chain_close(chain);
}

static void test_every_moment(void **state)
{
    size_t moment, crashes = 0, n;
    uint64_t seed;

    (void)state;
    run_recorded();
    n = test_disk_moment();
    assert_true(n > 400);
    for (moment = 0; moment <= n; moment += stride)
        for (seed = 0; seed < seeds; seed++)
            crash_at(moment, seed, crashes++ % 40 == 0);
    print_message("%d blocks, %zu moments, %zu power cuts\n", BLOCKS, n, crashes);
}

/* A ledger that was being made is there whole or not at all: it can be made again. */
static void test_creation(void **state)
{
    const struct base_buf *genesis = &story.town.genesis_bytes;
    struct ledger_chain *chain;
    size_t moment, n;

    (void)state;
    test_disk_start(folder);
    must(ledger_chain_create(&chain, path, genesis->p, genesis->len, &err));
    ledger_chain_close(chain);
    test_disk_stop();
    n = test_disk_moment();
    for (moment = 0; moment<n; moment += stride> 8 ? 8 : stride) {
        test_disk_crash(moment, moment);
        /* The record does not see a file being given its name. */
        must(access(path, F_OK) == 0
                 ? ledger_chain_open(&chain, path, &err)
                 : ledger_chain_create(&chain, path, genesis->p, genesis->len, &err));
        assert_memory_equal(ledger_chain_head(chain), &story.head[0], sizeof story.head[0]);
        must(execute(chain, 1));
        assert_memory_equal(ledger_chain_head(chain), &story.head[1], sizeof story.head[1]);
        ledger_chain_close(chain);
    }
    test_disk_crash(0, 0);
}

static int begin(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/firmiana-crash-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/ledger", folder);
    write_story();
    test_disk_start(folder);
    test_disk_forget();
    make_oracle();
    test_disk_start(folder);
    test_disk_forget();
    return 0;
}

static int end(void **state)
{
    (void)state;
    forget_story();
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_creation),
        cmocka_unit_test(test_every_moment),
    };

    if (getenv("FIRMIANA_FULL") != NULL && strcmp(getenv("FIRMIANA_FULL"), "0") != 0) {
        stride = 1;
        seeds = 5;
    }
    if (argc > 1)
        stride = strtoul(argv[1], NULL, 10);
    if (argc > 2)
        seeds = strtoul(argv[2], NULL, 10);
    if (stride == 0 || seeds == 0)
        return 2;
    test_disk_install();
    return cmocka_run_group_tests(tests, begin, end);
}
