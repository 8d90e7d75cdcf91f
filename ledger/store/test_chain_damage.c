/* Pages that the disk gives back otherwise than they were written: an error that says so, on
 * opening or on the first read of the page, and never a wrong answer. */
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

#include "ledger/store/chain_impl.h"
#include "ledger/store/store_impl.h"
#include "ledger/store/sum_vfs.h"
#include "ledger/store/test_town.h"

#define PAGE 4096

static struct base_err err;
static struct town town;
static char folder[64], path[96];
static unsigned seed;

static void must(fm_status st)
{
    if (st != FM_OK)
        fail_msg("seed %u: %s", seed, err.text);
}

static size_t dice(size_t n)
{
    seed = seed * 1103515245U + 12345U;
    return (size_t)(seed >> 8) % n;
}

/* ---- everything that a replica can be asked ---- */

/* A hash would do; text says more when it fails. */
static struct base_buf answers;

static fm_status put_entry(void *ctx, struct ledger_entry *e, struct base_err *unused)
{
    (void)ctx;
    (void)unused;
    base_buf_putf(&answers, "%llu %llu %lld %s %s %s %s ", (unsigned long long)e->leaf,
                  (unsigned long long)e->height, (long long)e->time_ms, e->alias, e->type, e->rule,
                  e->detail);
    base_buf_put_hex(&answers, e->id, 32);
    base_buf_put_hex(&answers, e->payload_hash, 32);
    base_buf_put(&answers, e->payload.p, e->payload.len);
    return FM_OK;
}

static fm_status put_state(void *ctx, const char *key, const json_t *value, struct base_err *e)
{
    struct ledger_reader *reader = ctx;
    json_t *proof;
    fm_status st = ledger_reader_state_proof(reader, &proof, key, e);
    char *text;

    if (st != FM_OK)
        return st;
    text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS);
    base_buf_putf(&answers, "%s %s ", key, text);
    free(text);
    text = json_dumps(proof, JSON_COMPACT | JSON_SORT_KEYS);
    base_buf_put_str(&answers, text);
    free(text);
    json_decref(proof);
    return FM_OK;
}

static fm_status ask_all(struct ledger_reader *reader)
{
    struct ledger_log_proof proof;
    struct ledger_head head;
    struct ledger_entry entry;
    uint64_t size, height, leaf;
    fm_status st = ledger_reader_head(reader, &head, &err);

    base_buf_clear(&answers);
    if (st == FM_OK)
        st = ledger_reader_genesis(reader, &answers, &err);
    if (st == FM_OK)
        st = ledger_reader_entries(reader, 0, put_entry, NULL, &err);
    if (st == FM_OK)
        st = ledger_reader_list(reader, "", put_state, reader, &err);
    if (st == FM_OK)
        st = ledger_reader_final(reader, &size, &height, &answers, &err);
    for (leaf = 0; st == FM_OK && leaf < head.log_size; leaf++) {
        st = ledger_reader_inclusion(reader, &proof, leaf, head.log_size, &err);
        if (st == FM_OK)
            base_buf_put_hex(&answers, proof.hash[0], 32 * proof.n);
        if (st == FM_OK)
            st = ledger_reader_leaf(reader, &entry, leaf, &err);
        if (st == FM_OK && !entry.is_block) {
            uint8_t id[32];

            memcpy(id, entry.id, 32);
            ledger_entry_release(&entry);
            st = ledger_reader_tx(reader, &entry, id, &err);
        }
        if (st == FM_OK)
            ledger_entry_release(&entry);
    }
    return st;
}

/* ---- damage ---- */

static size_t load(uint8_t **out)
{
    FILE *f = fopen(path, "rb");
    long len;

    assert_non_null(f);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    len = ftell(f);
    rewind(f);
    *out = malloc((size_t)len);
    assert_non_null(*out);
    assert_int_equal(fread(*out, 1, (size_t)len, f), len);
    (void)fclose(f);
    assert_int_equal(len % PAGE, 0);
    return (size_t)len;
}

static void store(const uint8_t *p, size_t len)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(p, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

enum damage { ONE_BIT, BURST, ANOTHER_PAGE, DAMAGES };

static void harm(uint8_t *file, size_t len, size_t page, enum damage how)
{
    uint8_t *p = file + page * PAGE;
    size_t at, i;

    switch (how) {
    case ONE_BIT:
        p[dice(PAGE)] ^= (uint8_t)(1U << dice(8));
        break;
    case BURST:
        at = dice(PAGE - 64);
        for (i = 0; i < 64; i++)
            p[at + i] ^= (uint8_t)(dice(255) + 1);
        break;
    default: /* half a page is that of another: a write went astray */
        i = dice(len / PAGE);
        memcpy(p + PAGE / 2, file + i * PAGE + PAGE / 2, PAGE / 2);
        break;
    }
}

static fm_status open_and_ask(void)
{
    struct ledger_chain *chain;
    fm_status st = ledger_chain_open(&chain, path, &err);

    if (st != FM_OK)
        return st;
    st = ask_all(ledger_chain_reader(chain));
    ledger_chain_close(chain);
    return st;
}

static void test_every_page(void **state)
{
    struct base_buf whole = {0};
    uint8_t *file, *copy;
    size_t page, found = 0, harmless = 0, len;
    int how;

    (void)state;
    must(open_and_ask());
    base_buf_put(&whole, answers.p, answers.len);
    len = load(&file);
    copy = malloc(len);
    assert_non_null(copy);
    for (page = 0; page < len / PAGE; page++)
        for (how = 0; how < DAMAGES; how++) {
            fm_status st;

            memcpy(copy, file, len);
            harm(copy, len, page, (enum damage)how);
            store(copy, len);
            st = open_and_ask();
            /* The first page's first bytes say whether it is a database at all. */
            assert_true(st == FM_OK || st == FM_E_CORRUPT || (page == 0 && st == FM_E_INPUT));
            if (st == FM_OK) { /* a page that nobody reads, or nothing changed */
                assert_int_equal(answers.len, whole.len);
                assert_memory_equal(answers.p, whole.p, whole.len);
            } else if (st == FM_E_CORRUPT) {
                assert_non_null(strstr(err.text, path));
                assert_non_null(strstr(err.text, "firmiana ledger restore"));
            }
            found += st != FM_OK;
            harmless += st == FM_OK;
        }
    print_message("seed %u: %zu pages, %zu damages found, %zu where nobody looks\n", seed,
                  len / PAGE, found, harmless);
    assert_true(found > harmless);
    store(file, len);
    must(open_and_ask());
    base_buf_release(&whole);
    base_buf_release(&answers);
    free(file);
    free(copy);
}

/* Without reserved bytes the VFS is SQLite's own; and a file with sums is an ordinary one. */
static void test_other_files(void **state)
{
    char name[128];
    sqlite3 *db;
    FILE *f;

    (void)state;
    (void)snprintf(name, sizeof name, "%s/plain", folder);
    assert_int_equal(
        sqlite3_open_v2(name, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, ledger_sum_vfs()),
        SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "CREATE TABLE t (a); INSERT INTO t VALUES ('marker')", NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    f = fopen(name, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, 2 * PAGE - 3, SEEK_SET), 0);
    assert_int_equal(fputc('M', f), 'M');
    assert_int_equal(fclose(f), 0);
    assert_int_equal(sqlite3_open_v2(name, &db, SQLITE_OPEN_READWRITE, ledger_sum_vfs()),
                     SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "SELECT a FROM t", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_int_equal(unlink(name), 0);

    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "SELECT count(*) FROM leaf", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static int begin(void **state)
{
    struct ledger_head head;
    struct base_buf text;
    uint64_t final_size;
    json_t *contract;
    size_t n_new;
    int i;

    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/firmiana-damage-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/ledger", folder);
    town_init(&town, path);
    contract = town_set_up(&town, town_contract_subject(&town));
    for (i = 0; i < 3; i++)
        (void)town_ask(&town, contract);
    json_decref(contract);
    head = *ledger_chain_head(town.chain);
    text = town_checkpoint(&town, 15, head.app_hash, head.log_size);
    must(
        ledger_chain_cosign(town.chain, &n_new, &final_size, (const char *)text.p, text.len, &err));
    base_buf_release(&text);
    ledger_chain_close(town.chain); /* all is in the main file */
    town.chain = NULL;
    return 0;
}

static int end(void **state)
{
    char name[128];

    (void)state;
    town_release(&town);
    (void)unlink(path);
    (void)snprintf(name, sizeof name, "%s.lock", path);
    (void)unlink(name);
    return rmdir(folder);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_page),
        cmocka_unit_test(test_other_files),
    };

    seed = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : (unsigned)time(NULL);
    print_message("seed %u\n", seed);
    return cmocka_run_group_tests(tests, begin, end);
}
