#include "benches/ledger_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "benches/ledger_members.h"
#include "benches/options.h"
#include "ledger/proof/state_proof.h"
#include "ledger/store/store.h"

enum { PROOFS = 2000, MEASURED = 20000, KEY = 80, VALUE = 160 };

static double clock_s(clockid_t clock)
{
    struct timespec t = {0, 0};

    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Keys and values as consents have them: a hash in the key, some numbers in the value. */
static void make_key(char out[KEY], uint64_t n)
{
    uint8_t hash[32];

    base_hash(hash, &n, sizeof n);
    memcpy(out, "consent/", 8);
    base_hex(out + 8, hash, sizeof hash);
}

struct block {
    struct ledger_update *updates;
    struct ledger_state_change *changes;
    char (*keys)[KEY];
    uint8_t (*values)[VALUE];
    size_t max;
};

static void block_make(struct block *b, size_t max)
{
    b->max = max;
    b->updates = calloc(max, sizeof *b->updates);
    b->changes = calloc(max, sizeof *b->changes);
    b->keys = calloc(max, sizeof *b->keys);
    b->values = calloc(max, sizeof *b->values);
    if (b->updates == NULL || b->changes == NULL || b->keys == NULL || b->values == NULL)
        abort();
}

static void block_free(struct block *b)
{
    free(b->updates);
    free(b->changes);
    free(b->keys);
    free(b->values);
}

/* One block that sets n keys, the first of which is number `first`, each `stride` further. */
static void write_block(struct ledger_store *store, struct block *b, size_t n, uint64_t first,
                        uint64_t stride, uint64_t keys, uint64_t round)
{
    struct ledger_state_pages pages = ledger_store_pages(store);
    uint8_t root[32];

    for (size_t i = 0; i < n; i++) {
        char *value = (char *)b->values[i];
        make_key(b->keys[i], (first + i * stride) % keys);
        int len = snprintf(value, VALUE,
                           "{\"expires\":1893456000000,\"grantee\":\"did:firmiana:bench:%020llu\","
                           "\"round\":%llu,\"uses\":10}",
                           (unsigned long long)i, (unsigned long long)round);
        b->updates[i] = (struct ledger_update){b->keys[i], b->values[i], (size_t)len};
    }
    ledger_must(ledger_store_begin_write(store, &ledger_bench_err));
    ledger_must(ledger_store_put_updates(store, b->updates, n, &ledger_bench_err));
    for (size_t i = 0; i < n; i++) {
        b->changes[i].removed = false;
        ledger_state_path(b->changes[i].path, b->keys[i]);
        base_hash(b->changes[i].value_hash, b->values[i], b->updates[i].len);
    }
    ledger_must(ledger_state_update(root, &pages, b->changes, n, &ledger_bench_err));
    ledger_must(ledger_store_commit(store, &ledger_bench_err));
}

/* As a node answers: a reader of its own, each proof in a transaction. */
static void prove(const char *path, uint64_t keys, double *median, double *high)
{
    static double ms[PROOFS];
    struct ledger_store *reader;
    struct ledger_state_pages pages;

    ledger_must(ledger_store_open(&reader, path, LEDGER_STORE_READ, &ledger_bench_err));
    pages = ledger_store_pages(reader);
    for (size_t i = 0; i < PROOFS; i++) {
        struct ledger_state_proof proof;
        char key[KEY];
        uint8_t at[32];
        double start = clock_s(CLOCK_THREAD_CPUTIME_ID);

        make_key(key, i * 7919 % keys);
        ledger_state_path(at, key);
        ledger_must(ledger_store_begin_read(reader, &ledger_bench_err));
        ledger_must(ledger_state_prove(&proof, at, &pages, &ledger_bench_err));
        ledger_store_rollback(reader);
        ms[i] = (clock_s(CLOCK_THREAD_CPUTIME_ID) - start) * 1000;
        if (!proof.leaf || memcmp(proof.leaf_path, at, sizeof at) != 0)
            abort();
    }
    ledger_store_close(reader);
    qsort(ms, PROOFS, sizeof ms[0], bench_ascending);
    *median = ms[PROOFS / 2];
    *high = ms[PROOFS * 99 / 100];
}

void ledger_state_bench(const char *dir, size_t keys, size_t block)
{
    struct ledger_store *store;
    struct block b;
    char path[192];
    uint8_t chain[32] = {1};
    size_t measured = keys < MEASURED ? keys : MEASURED, done;
    double wall, cpu, median, high;

    (void)snprintf(path, sizeof path, "%s/state.db", dir);
    block_make(&b, block > 4096 ? block : 4096);
    ledger_must(ledger_store_open(&store, path, LEDGER_STORE_CREATE, &ledger_bench_err));
    ledger_must(ledger_store_begin_write(store, &ledger_bench_err));
    ledger_must(ledger_store_put_genesis(store, chain, "{}", 2, &ledger_bench_err));
    ledger_must(ledger_store_commit(store, &ledger_bench_err));
    for (done = 0; done < keys; done += b.max)
        write_block(store, &b, keys - done < b.max ? keys - done : b.max, done, 1, keys, 0);
    wall = clock_s(CLOCK_MONOTONIC);
    cpu = clock_s(CLOCK_PROCESS_CPUTIME_ID);
    for (done = 0; done < measured; done += block)
        write_block(store, &b, measured - done < block ? measured - done : block, done * 31, 31,
                    keys, done);
    wall = clock_s(CLOCK_MONOTONIC) - wall;
    cpu = clock_s(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    prove(path, keys, &median, &high);
    bench_line("state",
               "\"cpu_us_per_key\":%.1f,\"keys_per_block\":%zu,\"n\":%zu,\"ops_per_s\":%.0f,"
               "\"prove_cpu_ms\":%.3f,\"prove_cpu_ms_99\":%.3f,\"seconds\":%.4f",
               cpu / (double)measured * 1e6, block, keys, (double)measured / wall, median, high,
               wall);
    ledger_store_abandon(store);
    block_free(&b);
}
