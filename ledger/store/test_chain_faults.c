/* Replicas on a disk that fails and in a process that dies: every block whole or not at all, and
 * the same hashes afterwards as if nothing had happened. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "ledger/store/chain_impl.h"
#include "ledger/store/store_impl.h"
#include "ledger/store/test_town.h"
#include "ledger/store/upkeep.h"

static struct base_err err;

static void must(fm_status st)
{
    if (st != FM_OK)
        fail_msg("%s", err.text);
}

/* ---- a disk that fails on demand ---- */

/* SQLite's own VFS with three calls of its files replaced. It has a few tables of methods (with and
 * without locks); each gets its counterpart. */
struct methods {
    sqlite3_io_methods faulty; /* first: a file's pMethods leads here */
    const sqlite3_io_methods *sound;
};
static sqlite3_vfs faulty, *sound;
static struct methods tables[4];
static long calls_left = -1; /* until the one that fails; -1: none does */
static bool went_off;

static bool strike(void)
{
    if (calls_left < 0)
        return false;
    if (calls_left-- > 0)
        return false;
    went_off = true;
    return true;
}

static const sqlite3_io_methods *sound_of(const sqlite3_file *f)
{
    return ((const struct methods *)(const void *)f->pMethods)->sound;
}

static int faulty_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
    return strike() ? SQLITE_IOERR_WRITE : sound_of(f)->xWrite(f, p, n, at);
}

/* Killing a process loses nothing that the kernel has: no need to wait for the disk here. */
static int faulty_sync(sqlite3_file *f, int flags)
{
    (void)f;
    (void)flags;
    return strike() ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static int faulty_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    return strike() ? SQLITE_IOERR_TRUNCATE : sound_of(f)->xTruncate(f, size);
}

static int faulty_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out)
{
    int code = sound->xOpen(vfs, name, f, flags, out);
    struct methods *m = tables;

    if (code != SQLITE_OK || f->pMethods == NULL)
        return code;
    while (m->sound != NULL && m->sound != f->pMethods)
        m++;
    assert_true(m < tables + 4);
    m->sound = f->pMethods;
    m->faulty = *f->pMethods;
    m->faulty.xWrite = faulty_write;
    m->faulty.xSync = faulty_sync;
    m->faulty.xTruncate = faulty_truncate;
    f->pMethods = &m->faulty;
    return code;
}

static void install_faulty_disk(void)
{
    sound = sqlite3_vfs_find(NULL);
    faulty = *sound;
    faulty.zName = "faulty";
    faulty.xOpen = faulty_open;
    assert_int_equal(sqlite3_vfs_register(&faulty, 1), SQLITE_OK);
}

/* ---- a story told in advance ---- */

#define BLOCKS 8

/* Blocks of a town, and where they lead. */
struct story {
    struct town town;
    struct base_buf txs[BLOCKS][4];
    struct ledger_bytes list[BLOCKS][4];
    struct ledger_block block[BLOCKS];
    struct ledger_head head[BLOCKS + 1];
};

static char folder[64], path[96];

static void remove_files(void)
{
    static const char *const endings[] = {"", "-wal", "-shm", ".lock"};
    char name[128];
    size_t i;

    for (i = 0; i < 4; i++) {
        (void)snprintf(name, sizeof name, "%s%s", path, endings[i]);
        (void)unlink(name);
    }
}

static void write_story(struct story *s)
{
    struct ledger_chain *chain;
    int64_t version = 1;
    size_t i, k;

    memset(s, 0, sizeof *s);
    (void)snprintf(folder, sizeof folder, "/tmp/firmiana-faults-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/ledger", folder);
    town_init(&s->town, NULL);
    must(ledger_chain_create(&chain, path, s->town.genesis_bytes.p, s->town.genesis_bytes.len,
                             &err));
    s->head[0] = *ledger_chain_head(chain);
    for (i = 0; i < BLOCKS; i++) {
        for (k = 0; k < 4; k++) {
            /* Every second time one member's is refused. */
            s->txs[i][k] = town_tx(&s->town, LEDGER_TX_DATASET_PUBLISH, (int)(k % 3),
                                   town_dataset(&s->town, k == 3 ? 99 : version, 1, "balance"));
            s->list[i][k] = (struct ledger_bytes){s->txs[i][k].p, s->txs[i][k].len};
        }
        version++;
        s->block[i] = (struct ledger_block){i + 1, s->town.time_ms + (int64_t)(i + 1) * 1000,
                                            s->list[i], i == 5 ? 0 : 4, 0};
        if (i == 5)
            version--;
        must(ledger_chain_execute(chain, NULL, &s->block[i], &err));
        s->head[i + 1] = *ledger_chain_head(chain);
    }
    assert_int_equal(s->head[BLOCKS].log_size, 1 + (BLOCKS - 1) * 5);
    ledger_chain_close(chain);
    remove_files();
}

static void forget_story(struct story *s)
{
    size_t i, k;

    for (i = 0; i < BLOCKS; i++)
        for (k = 0; k < 4; k++)
            base_buf_release(&s->txs[i][k]);
    town_release(&s->town);
    remove_files();
    assert_int_equal(rmdir(folder), 0);
}

static void assert_head(const struct story *s, const struct ledger_chain *chain)
{
    const struct ledger_head *head = ledger_chain_head(chain);

    assert_in_range(head->height, 0, BLOCKS);
    assert_memory_equal(head, &s->head[head->height], sizeof *head);
}

/* Goes on from wherever the replica stands. */
static fm_status tell_rest(const struct story *s, struct ledger_chain *chain)
{
    fm_status st = FM_OK;

    while (st == FM_OK && ledger_chain_head(chain)->height < BLOCKS)
        st = ledger_chain_execute(chain, NULL, &s->block[ledger_chain_head(chain)->height], &err);
    return st;
}

/* ---- fault loops ---- */

/* Fails the i-th write, sync or truncation, i = 0, 1, 2, ... until a run meets none. The replica
 * goes on after each, or is opened again. */
static void test_io_errors(void **state)
{
    static struct story s;
    long i, failed = 0;

    (void)state;
    write_story(&s);
    for (i = 0;; i++) {
        struct ledger_chain *chain = NULL;
        fm_status st;

        went_off = false;
        calls_left = i;
        st = ledger_chain_create(&chain, path, s.town.genesis_bytes.p, s.town.genesis_bytes.len,
                                 &err);
        if (st == FM_OK)
            st = tell_rest(&s, chain);
        if (!went_off)
            calls_left = -1;
        if (st != FM_OK) {
            assert_true(went_off);
            assert_int_equal(st, FM_E_IO);
            failed++;
        }
        if (chain == NULL) {
            assert_int_equal(access(path, F_OK), -1); /* no half ledger */
        } else {
            assert_head(&s, chain);
            if (i % 2 == 0) { /* go on as it is; else as after a restart */
                must(tell_rest(&s, chain));
                assert_head(&s, chain);
            }
            ledger_chain_close(chain);
            must(ledger_chain_open(&chain, path, &err));
            must(tell_rest(&s, chain));
            assert_head(&s, chain);
            ledger_chain_close(chain);
        }
        remove_files();
        if (!went_off)
            break;
    }
    assert_true(failed > 20);
    print_message("%ld writes, syncs and truncations, each failed once\n", i);
    forget_story(&s);
}

/* Fails the i-th write of a backup, and of a pruning: nothing is left of the one, the replica is
 * whole after the other, and both can be done again. */
static void test_upkeep_errors(void **state)
{
    static struct story s;
    struct ledger_check_report checked;
    struct ledger_prune_report pruned;
    struct ledger_chain *chain;
    char copy[128], part[136];
    long i, failed = 0;
    bool done[2] = {false, false};

    (void)state;
    write_story(&s);
    (void)snprintf(copy, sizeof copy, "%s/copy", folder);
    (void)snprintf(part, sizeof part, "%s.part", copy);
    must(ledger_chain_create(&chain, path, s.town.genesis_bytes.p, s.town.genesis_bytes.len, &err));
    must(tell_rest(&s, chain));
    for (i = 0; !done[0] || !done[1]; i++) {
        fm_status st[2] = {FM_OK, FM_OK};
        int k;

        for (k = 0; k < 2; k++) {
            went_off = false;
            calls_left = i;
            st[k] = k == 0 ? ledger_backup(ledger_chain_reader(chain), copy, &checked, NULL, &err)
                           : ledger_prune(chain, 0, 0, &pruned, NULL, &err);
            done[k] = !went_off;
            calls_left = -1;
            assert_true(st[k] == FM_OK || (went_off && st[k] == FM_E_IO));
            failed += st[k] != FM_OK;
            assert_int_equal(access(part, F_OK), -1);
            assert_int_equal(access(copy, F_OK), k == 0 && st[0] == FM_OK ? 0 : -1);
            (void)unlink(copy);
            assert_head(&s, chain);
            must(ledger_check(ledger_chain_reader(chain), &checked, NULL, &err));
        }
    }
    assert_true(failed > 20);
    print_message("%ld rounds, %ld failures\n", i, failed);
    ledger_chain_close(chain);
    forget_story(&s);
}

/* A disk with room for so many pages and no more. */
static void test_full_disk(void **state)
{
    static struct story s;
    struct ledger_chain *chain;
    char pragma[64];
    int pages, full = 0;

    (void)state;
    write_story(&s);
    must(ledger_chain_create(&chain, path, s.town.genesis_bytes.p, s.town.genesis_bytes.len, &err));
    for (pages = 1; ledger_chain_head(chain)->height < BLOCKS; pages++) {
        fm_status st;

        /* SQLite takes no less than there is. */
        (void)snprintf(pragma, sizeof pragma, "PRAGMA max_page_count = %d", pages);
        assert_int_equal(sqlite3_exec(chain->store->db, pragma, NULL, NULL, NULL), SQLITE_OK);
        st = tell_rest(&s, chain);
        if (st != FM_OK) {
            assert_int_equal(st, FM_E_IO);
            assert_non_null(strstr(err.text, "disk is full"));
            full++;
        }
        assert_head(&s, chain);
    }
    assert_true(full > 3);
    ledger_chain_close(chain);
    forget_story(&s);
}

/* ---- kill -9 ---- */

static void nap(long us)
{
    struct timespec t = {us / 1000000, us % 1000000 * 1000};

    (void)nanosleep(&t, NULL);
}

/* A child executes; the parent kills it at some moment and looks. */
static void test_killed(void **state)
{
    static struct story s;
    struct ledger_chain *chain;
    unsigned seed = (unsigned)time(NULL);
    int round, cut_short = 0;

    (void)state;
    print_message("seed %u\n", seed);
    write_story(&s);
    for (round = 0; round < 40; round++) {
        pid_t child;
        int status;

        if (access(path, F_OK) != 0) {
            must(ledger_chain_create(&chain, path, s.town.genesis_bytes.p, s.town.genesis_bytes.len,
                                     &err));
            ledger_chain_close(chain);
        }
        child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            if (ledger_chain_open(&chain, path, &err) != FM_OK || tell_rest(&s, chain) != FM_OK)
                _exit(1);
            _exit(0);
        }
        seed = seed * 1103515245U + 12345U;
        nap((long)(seed >> 16) % (round % 4 == 3 ? 150000 : 20000));
        (void)kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
        must(ledger_chain_open(&chain, path, &err));
        assert_head(&s, chain);
        cut_short += WIFSIGNALED(status) && ledger_chain_head(chain)->height < BLOCKS;
        if (ledger_chain_head(chain)->height == BLOCKS) {
            ledger_chain_close(chain);
            remove_files();
        } else {
            ledger_chain_close(chain);
        }
    }
    print_message("40 rounds, %d cut short\n", cut_short);
    forget_story(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_io_errors),
        cmocka_unit_test(test_upkeep_errors),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_killed),
    };

    install_faulty_disk();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
