/* A consortium at random: members do right and wrong things in any order, transactions come
 * doubled, shuffled and damaged. After every block the invariants hold and two stores agree
 * (test_town.c); and four laws:
 *
 *   L1  what CheckTx says of the first transaction of a block is what becomes of it;
 *   L2  a proposer chooses exactly what the block then does not drop, but for the quota (and in
 * blocks that change who is a member: a proposer judges all by the state before); L3  a replica
 * that was given the admitted transactions alone has the same hashes; L4  a replica that is closed
 * and opened goes on alike.
 *   L5  one that takes blocks back has, in every table, what it had, and goes on alike.
 *
 *   test_chain_random [SEED [BLOCKS]] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/hash.h"
#include "base/json.h"
#include "ledger/store/test_town.h"
#include "ledger/store/upkeep.h"

static struct base_err err;
static uint64_t seed;
static int n_blocks = 60;

static void must(fm_status st)
{
    if (st != FM_OK)
        fail_msg("seed %llu: %s", (unsigned long long)seed, err.text);
}

/* ---- chance ---- */

static uint64_t dice_state;

/* xorshift64*: below n. */
static size_t dice(size_t n)
{
    dice_state ^= dice_state >> 12;
    dice_state ^= dice_state << 25;
    dice_state ^= dice_state >> 27;
    return (size_t)((dice_state * 2685821657736338717ULL) >> 33) % n;
}

#define MANY 256

struct crowd {
    struct town town;
    json_t *contracts[4];
    size_t n_contracts;
    struct {
        struct did_secret *key;
        struct town_id id;
    } consents[MANY];
    size_t n_consents;
    struct {
        struct town_id id;
        json_t *contract;
    } queries[MANY];
    size_t n_queries;
    struct town_id proposals[MANY];
    size_t n_proposals;
    int64_t versions[TOWN_PEOPLE];
};

static struct base_buf publish(struct crowd *w)
{
    int who = (int)dice(TOWN_PEOPLE);
    int64_t version = dice(4) == 0 ? (int64_t)dice(9) + 1 : w->versions[who] + 1;

    /* Guesses right most of the time: what is published is not looked up. */
    w->versions[who] = version;
    return town_tx(&w->town, LEDGER_TX_DATASET_PUBLISH, who,
                   town_dataset(&w->town, version, dice(20) == 0 ? 2 : 1,
                                dice(20) == 0 ? "overdue" : "balance"));
}

static struct base_buf grant(struct crowd *w)
{
    return town_tx(
        &w->town, LEDGER_TX_AUTHORIZATION_GRANT, (int)dice(3),
        town_grant(&w->town, w->contracts[dice(w->n_contracts)], (int)dice(3), (int64_t)dice(12)));
}

static struct base_buf revoke(struct crowd *w)
{
    return town_tx(
        &w->town, LEDGER_TX_AUTHORIZATION_REVOKE, (int)dice(4),
        json_pack("{s:s}", "contract", town_hash(w->contracts[dice(w->n_contracts)]).text));
}

static struct base_buf consent(struct crowd *w)
{
    size_t i = w->n_consents < MANY ? w->n_consents++ : dice(MANY);
    json_t *json, *changes = NULL;

    if (w->consents[i].key == NULL)
        w->consents[i].key = town_secret(&w->town);
    if (dice(3) == 0)
        changes = json_pack("{s:i}", "uses", (int)dice(7) + 1);
    else if (dice(6) == 0)
        changes = json_pack("{s:s}", "grantee", dice(2) == 0 ? "bank_b" : "nobody");
    json = town_consent(&w->town, w->consents[i].key, changes);
    w->consents[i].id = town_inner_id(json);
    return town_tx(&w->town, LEDGER_TX_CONSENT_GRANT, (int)dice(TOWN_PEOPLE),
                   json_pack("{s:o}", "consent", json));
}

static struct base_buf withdraw(struct crowd *w)
{
    size_t i = dice(w->n_consents), signer = dice(5) == 0 ? dice(w->n_consents) : i;

    return town_tx(
        &w->town, LEDGER_TX_CONSENT_REVOKE, (int)dice(4),
        json_pack("{s:o}", "revocation",
                  town_revocation(&w->town, w->consents[signer].key, w->consents[i].id.text)));
}

static struct base_buf ask(struct crowd *w)
{
    size_t i = w->n_queries < MANY ? w->n_queries++ : dice(MANY);
    json_t *contract = w->contracts[dice(w->n_contracts)];
    const json_t *parameters = json_object_get(contract, "parameters");
    struct base_buf tx;

    tx = town_tx(&w->town, LEDGER_TX_QUERY_OPEN, dice(8) == 0 ? BANK_B : BANK_A,
                 town_open(&w->town, contract,
                           json_array_size(parameters) > 0 && dice(10) > 0
                               ? w->consents[dice(w->n_consents)].id.text
                               : NULL));
    w->queries[i].id = town_tx_id(&tx);
    w->queries[i].contract = contract;
    return tx;
}

static struct base_buf answer(struct crowd *w)
{
    size_t i = dice(w->n_queries);
    enum ledger_outcome_kind outcome = (enum ledger_outcome_kind)dice(3);
    enum ledger_tx_type type = dice(3) > 0 ? LEDGER_TX_QUERY_CLOSE : LEDGER_TX_QUERY_RECEIPT;
    int who = type == LEDGER_TX_QUERY_CLOSE && dice(8) > 0 ? BANK_A : (int)dice(4);
    unsigned signers = type == LEDGER_TX_QUERY_CLOSE ? 7 : 1U << who;

    if (dice(4) == 0)
        signers = (unsigned)dice(15) + 1;
    return town_tx(&w->town, type, who,
                   json_pack("{s:o}", "receipt",
                             town_receipt(&w->town, w->queries[i].contract, w->queries[i].id.text,
                                          outcome, dice(2) == 0, signers)));
}

static struct base_buf govern(struct crowd *w)
{
    static const char *const aliases[] = {"bank_b", "bank_c", "regulator", "newcomer"};
    int who = (int)dice(TOWN_PEOPLE);
    struct base_buf tx;

    if (w->n_proposals > 0 && dice(3) > 0)
        return town_tx(&w->town, LEDGER_TX_MEMBER_VOTE, who,
                       json_pack("{s:s, s:b}", "proposal", w->proposals[dice(w->n_proposals)].text,
                                 "accept", dice(4) > 0 ? 1 : 0));
    if (dice(3) == 0)
        tx = town_tx(&w->town, LEDGER_TX_MEMBER_SUSPEND, who,
                     json_pack("{s:s, s:s}", "alias", aliases[dice(4)], "reason", "chance"));
    else
        tx = town_tx(&w->town, LEDGER_TX_MEMBER_PROPOSE, who,
                     json_pack("{s:s, s:O, s:[s], s:s}", "alias", "newcomer", "document",
                               did_document_json(w->town.who[NEWCOMER].doc), "roles", "provider",
                               "endpoint", "10.0.0.9:1"));
    w->proposals[w->n_proposals < MANY ? w->n_proposals++ : dice(MANY)] = town_tx_id(&tx);
    return tx;
}

static struct base_buf copy_of(const struct base_buf *bytes)
{
    struct base_buf copy = {0};

    base_buf_put(&copy, bytes->p, bytes->len);
    return copy;
}

static struct base_buf any(struct crowd *w)
{
    switch (dice(16)) {
    case 0:
    case 1:
    case 2:
        return publish(w);
    case 3:
    case 4:
        return grant(w);
    case 5:
        return revoke(w);
    case 6:
    case 7:
    case 8:
        return consent(w);
    case 9:
        return w->n_consents > 0 ? withdraw(w) : publish(w);
    case 10:
    case 11:
    case 12:
        return w->n_consents > 0 ? ask(w) : consent(w);
    case 13:
    case 14:
        return w->n_queries > 0 ? answer(w) : consent(w);
    default:
        return govern(w);
    }
}

/* ---- blocks ---- */

#define MOST 24

/* Some, some twice, some damaged, in any order. */
static size_t gather(struct crowd *w, struct base_buf *txs)
{
    size_t i, n = dice(MOST / 2) + 1;

    for (i = 0; i < n; i++)
        txs[i] = any(w);
    while (n < MOST && dice(3) == 0) {
        txs[n] = copy_of(&txs[dice(n)]);
        if (dice(2) == 0)
            txs[n].p[dice(txs[n].len)] ^= (uint8_t)(1U << dice(8));
        n++;
    }
    for (i = n - 1; i > 0; i--) {
        size_t k = dice(i + 1);
        struct base_buf swap = txs[i];

        txs[i] = txs[k];
        txs[k] = swap;
    }
    return n;
}

static void run_block(struct crowd *w)
{
    struct base_buf txs[MOST];
    struct ledger_bytes list[MOST];
    struct ledger_outcome first, out[MOST];
    size_t chosen[MOST], n_chosen, n_seen, i, k = 0, n = gather(w, txs);
    bool joined = false;
    int64_t step_ms = dice(10) == 0 ? HOUR_MS : dice(30) == 0 ? DAY_MS : 1000;

    for (i = 0; i < n; i++)
        list[i] = (struct ledger_bytes){txs[i].p, txs[i].len};
    must(ledger_chain_check(w->town.chain, &first, list[0].p, list[0].len,
                            w->town.time_ms + step_ms, &err));
    must(ledger_chain_propose(w->town.chain, LEDGER_SELECT_ADMITTED, chosen, &n_chosen, &n_seen,
                              list, n, w->town.time_ms + step_ms, &err));
    assert_int_equal(n_seen, n);
    town_block(&w->town, out, txs, n, step_ms);
    assert_int_equal(first.verdict, out[0].verdict); /* L1 */
    assert_int_equal(first.rule, out[0].rule);
    assert_string_equal(first.detail, out[0].detail);
    for (i = 0; i < n; i++)
        joined = joined || (out[i].verdict == LEDGER_OK && strncmp(out[i].type, "member.", 7) == 0);
    for (i = 0; i < n; i++) { /* L2 */
        bool was_chosen = k < n_chosen && chosen[k] == i;

        k += was_chosen;
        if (!joined &&
            was_chosen != (out[i].verdict != LEDGER_DROPPED || out[i].rule == LEDGER_DROP_QUOTA))
            fail_msg("seed %llu: a proposer and a block disagree on %s", (unsigned long long)seed,
                     ledger_rule_code(out[i].rule));
        town_hit[out[i].rule] = true;
    }
}

/* A hash of every row of every table, but for what undoing itself needs, for which ids are in their
 * index and which still on the way, and for the pages of the state tree: a fan does not become a
 * bucket again. Their root is in tip, and checked. */
static void dump(uint8_t out32[32], const char *file)
{
    static const char *const tables[] = {
        "tip",
        "block",
        "leaf",
        "(SELECT id, leaf, not_after FROM tx UNION ALL SELECT id, leaf, not_after FROM recent)",
        "node",
        "state",
        "seen",
        "cosignature"};
    struct base_hash h;
    sqlite3 *db;

    base_hash_init(&h);
    assert_int_equal(sqlite3_open_v2(file, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        char sql[160];
        sqlite3_stmt *stmt;
        (void)snprintf(sql, sizeof sql, "SELECT * FROM %s ORDER BY 1, 2", tables[i]);
        assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
        while (sqlite3_step(stmt) == SQLITE_ROW)
            for (int k = 0; k < sqlite3_column_count(stmt); k++) {
                const void *p = sqlite3_column_blob(stmt, k);
                size_t len = (size_t)sqlite3_column_bytes(stmt, k);
                base_hash_update(&h, &len, sizeof len);
                base_hash_update(&h, p != NULL ? p : "", p != NULL ? len : 0);
            }
        (void)sqlite3_finalize(stmt);
    }
    (void)sqlite3_close(db);
    base_hash_final(&h, out32);
}

/* L5: back by up to three blocks, and what is there is what was there. Returns where it stands. */
static uint64_t go_back(struct ledger_chain *b, const char *file, uint8_t (*was)[32])
{
    uint64_t height = ledger_chain_head(b)->height, back = 1 + dice(3);
    uint8_t is[32];

    dump(was[height], file);
    if (height < back || dice(3) != 0)
        return height;
    must(ledger_chain_rollback(b, height - back, &err));
    assert_int_equal(ledger_chain_head(b)->height, height - back);
    dump(is, file);
    assert_memory_equal(is, was[height - back], 32);
    return height - back;
}

/* Every id is found where it stands, and no other. */
static void check(struct ledger_reader *reader)
{
    struct ledger_check_report report;

    must(ledger_check(reader, &report, NULL, &err));
}

static void follow(struct town *t, const char *to)
{
    size_t heights = (size_t)ledger_chain_head(t->chain)->height + 1;
    uint8_t(*was)[32] = calloc(heights, sizeof *was);
    struct ledger_reader *reader = ledger_chain_reader(t->chain);
    struct ledger_chain *b;
    uint64_t height;

    assert_non_null(was);
    must(ledger_chain_create(&b, to, t->genesis_bytes.p, t->genesis_bytes.len, &err));
    dump(was[0], to);
    ledger_chain_set_recent(b, 1 + dice(30));
    ledger_chain_set_sweep(b, 1 + (unsigned)dice(3), 1 + dice(100));
    for (height = 1; height <= ledger_chain_head(t->chain)->height; height++) {
        struct base_buf bytes = {0};
        struct ledger_block block;
        struct ledger_bytes *txs;

        must(ledger_reader_block(reader, &bytes, height, &err));
        must(ledger_block_decode(&block, &txs, bytes.p, bytes.len, &err));
        must(ledger_chain_execute(b, NULL, &block, &err));
        base_buf_release(&bytes);
        free(txs);
        height = go_back(b, to, was);
        if (dice(8) == 0)
            check(ledger_chain_reader(b));
    }
    free(was);
    assert_int_equal(ledger_chain_rollback(b, heights, &err), FM_E_ARG);
    assert_memory_equal(ledger_chain_head(b), ledger_chain_head(t->chain),
                        sizeof(struct ledger_head));
    check(ledger_chain_reader(b));
    ledger_chain_close(b);
}

static void set_up(struct crowd *w, const char *path)
{
    int i;

    memset(w, 0, sizeof *w);
    dice_state = (seed + 1) * 0x9e3779b97f4a7c15ULL | 1;
    town_init(&w->town, path);
    ledger_chain_set_recent(w->town.chain, 1 + dice(30));
    ledger_chain_set_sweep(w->town.chain, 1, 1 + dice(100));
    w->contracts[w->n_contracts++] = town_set_up(&w->town, town_contract_subject(&w->town));
    w->contracts[w->n_contracts++] = town_set_up(&w->town, town_contract_group(&w->town));
    for (i = BANK_A; i <= BANK_C; i++)
        w->versions[i] = 1;
}

static void test_random(void **state)
{
    static struct crowd w;
    char folder[] = "/tmp/firmiana-random-XXXXXX", a[64], b[64], name[80];
    static const char *const endings[] = {"", "-wal", "-shm", ".lock"};
    size_t i, met = 0;
    int block;

    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(a, sizeof a, "%s/a", folder);
    (void)snprintf(b, sizeof b, "%s/b", folder);
    set_up(&w, a);
    for (block = 0; block < n_blocks; block++) {
        run_block(&w);
        if (dice(10) == 0) { /* L4 */
            ledger_chain_close(w.town.chain);
            must(ledger_chain_open(&w.town.chain, a, &err));
        }
    }
    follow(&w.town, b); /* L3 */
    for (i = 0; i < LEDGER_RULE_COUNT; i++)
        met += town_hit[i];
    print_message("%llu leaves, %zu rules met\n", (unsigned long long)w.town.memory.tip.log.size,
                  met);
    for (i = 0; i < w.n_consents; i++)
        did_secret_free(w.consents[i].key);
    for (i = 0; i < w.n_contracts; i++)
        json_decref(w.contracts[i]);
    town_release(&w.town);
    for (i = 0; i < 8; i++) {
        (void)snprintf(name, sizeof name, "%s%s", i < 4 ? a : b, endings[i % 4]);
        (void)unlink(name);
    }
    assert_int_equal(rmdir(folder), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random)};

    seed = argc > 1 ? strtoull(argv[1], NULL, 10) : (uint64_t)time(NULL);
    if (argc > 2)
        n_blocks = atoi(argv[2]);
    print_message("seed %llu\n", (unsigned long long)seed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
