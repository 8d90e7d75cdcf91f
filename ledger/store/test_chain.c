/* Replicas on disk: what they give back, and what they survive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/hash.h"
#include "base/json.h"
#include "ledger/proof/state_proof.h"
#include "ledger/store/sum_vfs.h"
#include "ledger/store/test_town.h"

static struct base_err err;

static void must(fm_status st)
{
    if (st != FM_OK)
        fail_msg("%s", err.text);
}

/* A path in a folder of this process, removed when the test ends. */
static char folder[64], path[96], other[96], bundle[96];

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/firmiana-chain-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/a.ledger", folder);
    (void)snprintf(other, sizeof other, "%s/b.ledger", folder);
    (void)snprintf(bundle, sizeof bundle, "%s/trail", folder);
    return 0;
}

static int remove_folder(void **state)
{
    static const char *const names[] = {"a.ledger", "b.ledger", "trail"};
    static const char *const endings[] = {"", "-wal", "-shm", "-journal", ".lock", ".part"};
    char name[160];
    size_t i, k;

    (void)state;
    for (i = 0; i < 3; i++) {
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

/* ---- blocks, entries, state ---- */

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

/* A second replica that follows block by block from the first one's readers. */
static void follow(struct town *t, const char *to)
{
    struct ledger_reader *reader = ledger_chain_reader(t->chain);
    struct ledger_chain *b;
    uint64_t height;

    must(ledger_chain_create(&b, to, t->genesis_bytes.p, t->genesis_bytes.len, &err));
    for (height = 1; height <= ledger_chain_head(t->chain)->height; height++) {
        struct base_buf bytes = {0};
        struct ledger_block block;
        struct ledger_bytes *txs;

        must(ledger_reader_block(reader, &bytes, height, &err));
        must(ledger_block_decode(&block, &txs, bytes.p, bytes.len, &err));
        must(ledger_chain_execute(b, NULL, &block, &err));
        base_buf_release(&bytes);
        free(txs);
    }
    assert_memory_equal(ledger_chain_head(b), ledger_chain_head(t->chain),
                        sizeof(struct ledger_head));
    ledger_chain_close(b);
}

static int64_t count(const char *query)
{
    sqlite3 *db;
    sqlite3_stmt *stmt;
    int64_t n;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, query, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    n = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(db);
    return n;
}

static void test_replicas_agree(void **state)
{
    struct town t;
    struct ledger_head head;

    (void)state;
    town_init(&t, path);
    (void)play(&t);
    follow(&t, other);
    head = *ledger_chain_head(t.chain);
    /* The same after a restart, and onwards. */
    ledger_chain_close(t.chain);
    must(ledger_chain_open(&t.chain, path, &err));
    assert_memory_equal(ledger_chain_head(t.chain), &head, sizeof head);
    town_ok(&t, publish(&t, BANK_A, 2));
    town_refused(&t, publish(&t, BANK_B, 9), LEDGER_RULE_DATASET_VERSION);
    /* Ids are forgotten, but for where they stand. */
    town_wait(&t, 2 * DAY_MS);
    town_ok(&t, publish(&t, BANK_A, 3));
    assert_int_equal(count("SELECT count(*) FROM seen"), 1);
    assert_true(count("SELECT count(*) FROM recent") > 1);
    town_release(&t);
}

struct seen {
    uint64_t entries, blocks, refused;
};

static fm_status see(void *ctx, struct ledger_entry *e, struct base_err *e_err)
{
    struct seen *seen = ctx;
    uint8_t hash[32];

    (void)e_err;
    assert_int_equal(e->leaf, seen->entries++);
    base_hash(hash, e->payload.p, e->payload.len);
    assert_memory_equal(hash, e->payload_hash, 32);
    assert_true(e->summary.len > 0);
    if (e->is_block)
        seen->blocks++;
    else
        assert_true(e->alias[0] != '\0' && e->type[0] != '\0');
    if (e->rule[0] != '\0')
        seen->refused++;
    return FM_OK;
}

static fm_status count_key(void *ctx, const char *key, const json_t *value, struct base_err *e)
{
    (void)e;
    assert_true(strncmp(key, "dataset/", 8) == 0 && json_is_object(value));
    ++*(size_t *)ctx;
    return FM_OK;
}

static void test_readers(void **state)
{
    struct town t;
    struct ledger_reader *r;
    struct ledger_entry entry;
    struct ledger_head head;
    struct seen seen = {0};
    struct base_buf bytes = {0};
    struct town_id id;
    uint8_t raw[32];
    size_t n = 0;
    json_t *value;

    (void)state;
    town_init(&t, path);
    id = play(&t);
    must(ledger_reader_open(&r, path, &err));
    must(ledger_reader_head(r, &head, &err));
    assert_memory_equal(&head, ledger_chain_head(t.chain), sizeof head);
    must(ledger_reader_genesis(r, &bytes, &err));
    assert_int_equal(bytes.len, t.genesis_bytes.len);
    base_buf_release(&bytes);

    must(ledger_reader_entries(r, 0, see, &seen, &err));
    assert_int_equal(seen.entries, head.log_size);
    assert_int_equal(seen.blocks, head.height); /* with genesis, without the empty one */
    assert_int_equal(seen.refused, 1);

    assert_true(base_unhex(raw, 32, id.text, 64));
    must(ledger_reader_tx(r, &entry, raw, &err));
    assert_string_equal(entry.type, "query.open");
    assert_string_equal(entry.alias, "bank_a");
    assert_non_null(strstr(base_buf_cstr(&entry.summary), "contract="));
    ledger_entry_release(&entry);
    assert_int_equal(ledger_reader_tx(r, &entry, t.chain_id, &err), FM_E_NOT_FOUND);
    assert_int_equal(ledger_reader_leaf(r, &entry, head.log_size, &err), FM_E_NOT_FOUND);

    must(ledger_reader_get(r, &value, "param", &err));
    assert_int_equal(json_integer_value(json_object_get(value, "quorum")), 3);
    json_decref(value);
    assert_int_equal(ledger_reader_get(r, &value, "nothing", &err), FM_E_NOT_FOUND);
    must(ledger_reader_list(r, "dataset/", count_key, &n, &err));
    assert_int_equal(n, 3);
    must(ledger_reader_member(r, &value, "bank_b", &err));
    assert_string_equal(json_string_value(json_object_get(value, "did")),
                        did_document_id(t.who[BANK_B].doc));
    assert_true(
        json_equal(json_object_get(value, "document"), did_document_json(t.who[BANK_B].doc)));
    json_decref(value);
    must(ledger_reader_member(r, &value, did_document_id(t.who[BANK_C].doc), &err));
    assert_string_equal(json_string_value(json_object_get(value, "alias")), "bank_c");
    json_decref(value);
    assert_int_equal(ledger_reader_member(r, &value, "../x", &err), FM_E_NOT_FOUND);
    assert_int_equal(ledger_reader_member(r, &value, "did:web:x", &err), FM_E_NOT_FOUND);

    /* A snapshot stands still while the replica goes on. */
    must(ledger_reader_begin(r, &err));
    must(ledger_reader_head(r, &head, &err));
    assert_int_equal(ledger_reader_begin(r, &err), FM_E_CONFLICT);
    town_ok(&t, publish(&t, BANK_A, 2));
    {
        struct ledger_head again;

        must(ledger_reader_head(r, &again, &err));
        assert_memory_equal(&again, &head, sizeof head);
        ledger_reader_end(r);
        must(ledger_reader_head(r, &again, &err));
        assert_int_equal(again.height, head.height + 1);
    }
    assert_int_equal(ledger_reader_block(r, &bytes, 0, &err), FM_E_NOT_FOUND);
    assert_int_equal(ledger_reader_block(r, &bytes, head.height + 2, &err), FM_E_NOT_FOUND);
    base_buf_release(&bytes);
    ledger_reader_close(r);
    town_release(&t);
}

/* ---- proofs ---- */

static void test_proofs(void **state)
{
    static struct ledger_log_proof proof;
    static struct ledger_state_proof sp;
    struct town t;
    struct ledger_reader *r;
    const struct ledger_head *head;
    uint8_t hash[32], path32[32];
    json_t *json, *value;
    uint64_t leaf;

    (void)state;
    town_init(&t, path);
    (void)play(&t);
    r = ledger_chain_reader(t.chain);
    head = ledger_chain_head(t.chain);
    for (leaf = 0; leaf < head->log_size; leaf++) {
        struct ledger_entry entry;

        must(ledger_reader_leaf(r, &entry, leaf, &err));
        ledger_log_leaf_hash(hash, entry.payload_hash);
        ledger_entry_release(&entry);
        must(ledger_reader_inclusion(r, &proof, leaf, head->log_size, &err));
        must(ledger_log_verify_inclusion(&proof, hash, leaf, head->log_size, head->app_hash, &err));
    }
    assert_int_equal(ledger_reader_inclusion(r, &proof, 0, head->log_size + 1, &err),
                     FM_E_NOT_FOUND);
    {
        struct ledger_head before = *head;

        town_ok(&t, publish(&t, BANK_A, 2));
        must(ledger_reader_consistency(r, &proof, before.log_size, head->log_size, &err));
        must(ledger_log_verify_consistency(&proof, before.log_size, before.app_hash, head->log_size,
                                           head->app_hash, &err));
    }
    must(ledger_reader_get(r, &value, "dataset/bank_a/loans", &err));
    must(base_json_hash(hash, value, &err));
    json_decref(value);
    must(ledger_reader_state_proof(r, &json, "dataset/bank_a/loans", &err));
    must(ledger_state_proof_parse(&sp, json, &err));
    json_decref(json);
    ledger_state_path(path32, "dataset/bank_a/loans");
    must(ledger_state_verify_present(&sp, head->state_root, path32, hash, &err));
    must(ledger_reader_state_proof(r, &json, "dataset/bank_a/cards", &err));
    must(ledger_state_proof_parse(&sp, json, &err));
    json_decref(json);
    ledger_state_path(path32, "dataset/bank_a/cards");
    must(ledger_state_verify_absent(&sp, head->state_root, path32, &err));
    town_release(&t);
}

/* ---- check, propose, limits ---- */

static void test_check_and_propose(void **state)
{
    struct town t;
    struct ledger_outcome out;
    struct ledger_head before;
    struct base_buf txs[4];
    struct ledger_bytes list[4];
    size_t chosen[4], n_chosen, n_seen, i;

    (void)state;
    town_init(&t, path);
    txs[0] = publish(&t, BANK_A, 1);
    txs[1] = publish(&t, NEWCOMER, 1); /* drops */
    txs[2] = publish(&t, BANK_B, 9);   /* is refused, and belongs on the log */
    txs[3] = (struct base_buf){0};
    base_buf_put(&txs[3], txs[0].p, txs[0].len); /* a second time */
    before = *ledger_chain_head(t.chain);
    for (i = 0; i < 4; i++)
        list[i] = (struct ledger_bytes){txs[i].p, txs[i].len};
    must(ledger_chain_check(t.chain, &out, txs[0].p, txs[0].len, t.time_ms, &err));
    assert_int_equal(out.verdict, LEDGER_OK);
    must(ledger_chain_check(t.chain, &out, txs[1].p, txs[1].len, t.time_ms, &err));
    assert_int_equal(out.rule, LEDGER_DROP_SENDER);
    must(ledger_chain_check(t.chain, &out, txs[2].p, txs[2].len, t.time_ms, &err));
    assert_int_equal(out.rule, LEDGER_RULE_DATASET_VERSION);
    must(ledger_chain_propose(t.chain, LEDGER_SELECT_ADMITTED, chosen, &n_chosen, &n_seen, list, 4,
                              t.time_ms, &err));
    assert_int_equal(n_chosen, 2);
    assert_int_equal(n_seen, 4);
    assert_true(chosen[0] == 0 && chosen[1] == 2);
    assert_memory_equal(ledger_chain_head(t.chain), &before, sizeof before);

    /* Blocks that do not follow. */
    {
        struct ledger_block block = {2, t.time_ms + 1, list, 4, 0};

        assert_int_equal(ledger_chain_execute(t.chain, NULL, &block, &err), FM_E_INPUT);
        block = (struct ledger_block){1, t.time_ms, list, 4, 0};
        assert_int_equal(ledger_chain_execute(t.chain, NULL, &block, &err), FM_E_INPUT);
        assert_non_null(strstr(err.text, "is not after"));
    }
    town_block(&t, NULL, txs, 4, 1000);
    town_release(&t);
}

/* ---- erasing ---- */

static void test_erase(void **state)
{
    struct town t;
    struct ledger_entry entry;
    struct base_buf tx, bytes = {0};
    struct ledger_head head;
    struct ledger_block block;
    struct ledger_bytes *txs;

    (void)state;
    town_init(&t, path);
    tx = publish(&t, BANK_A, 1);
    town_ok(&t, tx);
    head = *ledger_chain_head(t.chain);
    must(ledger_reader_block(ledger_chain_reader(t.chain), &bytes, 1, &err));
    must(ledger_block_decode(&block, &txs, bytes.p, bytes.len, &err));
    assert_int_equal(block.count, 1);
    free(txs);
    base_buf_clear(&bytes);
    must(ledger_chain_erase(t.chain, 1, &err));
    must(ledger_chain_erase(t.chain, 1, &err));
    assert_int_equal(ledger_chain_erase(t.chain, 2, &err), FM_E_ARG);
    assert_int_equal(ledger_chain_erase(t.chain, 3, &err), FM_E_NOT_FOUND);
    must(ledger_reader_leaf(ledger_chain_reader(t.chain), &entry, 1, &err));
    assert_true(entry.erased && entry.payload.len == 0);
    ledger_entry_release(&entry);
    assert_int_equal(ledger_reader_block(ledger_chain_reader(t.chain), &bytes, 1, &err),
                     FM_E_NOT_FOUND);
    assert_non_null(strstr(err.text, "erased"));
    base_buf_release(&bytes);
    ledger_chain_close(t.chain);

    /* Not a trace of it in the file; and it opens as before. */
    {
        FILE *f = fopen(path, "rb");
        static char all[1 << 20];
        size_t n, i;

        assert_non_null(f);
        n = fread(all, 1, sizeof all, f);
        assert_true(n > 4096 && n < sizeof all && fclose(f) == 0);
        for (i = 0; i + 18 < n; i++)
            assert_true(memcmp(all + i, "\"data_version\":1,\"d", 19) != 0);
    }
    must(ledger_chain_open(&t.chain, path, &err));
    assert_memory_equal(ledger_chain_head(t.chain), &head, sizeof head);
    town_release(&t);
}

/* ---- files that are not ours, or not whole ---- */

static void sql(const char *text)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, ledger_sum_vfs()),
                     SQLITE_OK);
    if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(db));
    (void)sqlite3_close(db);
}

static void test_bad_files(void **state)
{
    static const struct {
        const char *damage;
        fm_status status;
        const char *says;
    } cases[] = {
        {"PRAGMA application_id = 7", FM_E_INPUT, "not a Firmiana ledger"},
        {"PRAGMA user_version = 9", FM_E_INPUT, "schema has version 9"},
        {"UPDATE tip SET rules_version = 99", FM_E_UNSUPPORTED, "install a newer one"},
        {"UPDATE tip SET genesis = x'7b7d'", FM_E_CORRUPT, "genesis"},
        {"UPDATE tip SET state_root = zeroblob(32)", FM_E_CORRUPT, "state tree"},
        {"UPDATE tip SET log = x'00'", FM_E_CORRUPT, "where it stands"},
        {"DELETE FROM tip", FM_E_CORRUPT, "no genesis"},
        {"DELETE FROM leaf WHERE leaf = (SELECT max(leaf) FROM leaf)", FM_E_CORRUPT,
         "newest block"},
        {"UPDATE leaf SET hash = zeroblob(32) WHERE leaf = (SELECT max(leaf) - 1 FROM leaf)",
         FM_E_CORRUPT, "root"},
        {"UPDATE page SET page = zeroblob(9)", FM_E_CORRUPT, ""},
    };
    struct town t;
    struct ledger_chain *chain;
    struct ledger_reader *reader;
    size_t i;
    FILE *f;

    (void)state;
    assert_int_equal(ledger_chain_open(&chain, path, &err), FM_E_NOT_FOUND);
    assert_int_equal(ledger_chain_create(&chain, path, "{}", 2, &err), FM_E_INPUT);
    assert_int_equal(access(path, F_OK), -1); /* nothing is left behind */
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        town_init(&t, path);
        town_ok(&t, publish(&t, BANK_A, 1));
        /* One writer, and no second beginning. */
        assert_int_equal(ledger_chain_open(&chain, path, &err), FM_E_CONFLICT);
        assert_int_equal(
            ledger_chain_create(&chain, path, t.genesis_bytes.p, t.genesis_bytes.len, &err),
            FM_E_CONFLICT);
        ledger_chain_close(t.chain);
        t.chain = NULL;
        sql(cases[i].damage);
        assert_int_equal(ledger_chain_open(&chain, path, &err), cases[i].status);
        if (strstr(err.text, cases[i].says) == NULL || strstr(err.text, path) == NULL)
            if (cases[i].says[0] != '\0')
                fail_msg("%s: %s", cases[i].damage, err.text);
        town_release(&t);
        assert_int_equal(unlink(path), 0);
    }
    f = fopen(path, "w");
    assert_true(f != NULL &&
                fputs("no database at all, and longer than its header of one "
                      "hundred bytes would be if it were one of SQLite's own files",
                      f) >= 0 &&
                fclose(f) == 0);
    assert_int_equal(ledger_chain_open(&chain, path, &err), FM_E_INPUT);
    assert_int_equal(ledger_reader_open(&reader, path, &err), FM_E_INPUT);
}

int main(void)
{
#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(test_replicas_agree),    WITH_FOLDER(test_readers), WITH_FOLDER(test_proofs),
        WITH_FOLDER(test_check_and_propose), WITH_FOLDER(test_erase),   WITH_FOLDER(test_bad_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
