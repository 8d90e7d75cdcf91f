/* How fast firmiana-verify goes through a bundle: entries a second, against the Ed25519
 * verifications that one core does in the same run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "benches/options.h"
#include "ledger/store/export.h"
#include "ledger/store/test_town.h"
#include "ledger/verify/verify.h"

static struct base_err err;

static void must(fm_status st)
{
    if (st != FM_OK) {
        (void)fprintf(stderr, "bench_verify: %s\n", err.text);
        exit(fm_status_exit(st));
    }
}

static double cpu_s(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static double now_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void grow(struct town *t, size_t to, size_t *done, int64_t *version)
{
    enum { BLOCK = 250 };

    while (*done < to) {
        struct base_buf txs[BLOCK];
        struct ledger_bytes list[BLOCK];
        struct ledger_block block = {ledger_chain_head(t->chain)->height + 1, t->time_ms + 1000,
                                     list, 0, 0};
        size_t n = to - *done < BLOCK ? to - *done : BLOCK;
        for (size_t i = 0; i < n; i++, ++*version) {
            txs[i] = town_tx(t, LEDGER_TX_DATASET_PUBLISH, (int)(*version % 3),
                             town_dataset(t, *version / 3 + 1, 1, "balance"));
            list[i] = (struct ledger_bytes){txs[i].p, txs[i].len};
        }
        block.count = n;
        must(ledger_chain_execute(t->chain, NULL, &block, &err));
        t->time_ms = block.time_ms;
        for (size_t i = 0; i < n; i++)
            base_buf_release(&txs[i]);
        *done += n;
    }
}

static double verify_rate(const struct did_secret *secret)
{
    uint8_t message[64] = {1}, signature[DID_SIGNATURE_MAX];
    double cpu;
    size_t n = 0;

    must(did_secret_sign(secret, signature, message, sizeof message, &err));
    for (cpu = cpu_s(); n < 4000; n++)
        must(did_key_verify(did_secret_key(secret), DID_RULES_VERSION, signature, 64, message,
                            sizeof message, &err));
    return (double)n / (cpu_s() - cpu);
}

static fm_status read_file(void *ctx, void *out, size_t len, size_t *got, struct base_err *e)
{
    *got = fread(out, 1, len, ctx);
    return *got == 0 && ferror(ctx) ? base_err_errno(e, "bundle") : FM_OK;
}

static void measure(struct town *t, const char *bundle, size_t entries)
{
    struct base_buf text = town_checkpoint(t, 15, ledger_chain_head(t->chain)->app_hash,
                                           ledger_chain_head(t->chain)->log_size);
    struct ledger_export_report written;
    struct ledger_verified *report;
    struct ledger_bundle_source source;
    struct stat info;
    uint64_t final_size;
    size_t n_new;
    double wall, cpu, rate;
    FILE *f;

    must(ledger_chain_cosign(t->chain, &n_new, &final_size, base_buf_cstr(&text), text.len, &err));
    base_buf_release(&text);
    must(ledger_export(ledger_chain_reader(t->chain), bundle, NULL, &written, &err));
    f = fopen(bundle, "r");
    if (f == NULL || stat(bundle, &info) != 0)
        exit(8);
    source = (struct ledger_bundle_source){read_file, f};
    wall = now_s();
    cpu = cpu_s();
    must(ledger_verify(&report, &source, t->chain_id, &err));
    wall = now_s() - wall;
    cpu = cpu_s() - cpu;
    ledger_verified_free(report);
    (void)fclose(f);
    (void)unlink(bundle);
    rate = verify_rate(t->who[BANK_A].node);
    bench_line("verify_bundle",
               "\"bytes\":%lld,\"cpu_us_per_entry\":%.1f,\"n\":%zu,\"ops_per_s\":%.0f,"
               "\"seconds\":%.4f,\"share\":%.2f,\"verify_per_s\":%.0f",
               (long long)info.st_size, cpu / (double)entries * 1e6, entries,
               (double)entries / wall, wall, (double)entries / cpu / rate, rate);
}

static size_t entries = 10000;
static const char *base = "/tmp";
static const struct bench_option options[] = {
    {"--n", BENCH_SIZE, &entries, 1, 10000000, NULL, "entries; 1000, 10000 ... before it"},
    {"--entries", BENCH_SIZE, &entries, 1, 10000000, NULL, "the same"},
    {"--dir", BENCH_TEXT, &base, 0, 0, NULL, "where ledger and bundle go, and are removed"},
    {.name = NULL}};
static const struct bench_field fields[] = {
    {"n", "entries", "of the bundle"},
    {"bytes", "bytes", "of the bundle"},
    {"seconds", "s", "by the clock, to verify all of it"},
    {"ops_per_s", "1/s", "entries / seconds"},
    {"cpu_us_per_entry", "us", "processor time"},
    {"verify_per_s", "1/s", "Ed25519 verifications of one core, in the same run"},
    {"share", "", "entries per processor second / verify_per_s: an entry has one signature"},
    {.name = NULL}};
static const struct bench_program program = {
    "bench_verify",
    "a bundle through the verifier, as firmiana-verify does it",
    options,
    fields,
    0,
    NULL};

int main(int argc, char **argv)
{
    static const char *const endings[] = {"", "-wal", "-shm", ".lock"};
    size_t done = 0;
    char dir[128], path[160], bundle[160];
    static struct town t;
    int64_t version = 0;
    int status;

    if (!bench_begin(&status, &program, argc, argv))
        return status;
    (void)snprintf(dir, sizeof dir, "%.100s/firmiana-bench-XXXXXX", base);
    if (mkdtemp(dir) == NULL) {
        (void)fprintf(stderr, "bench_verify: --dir %s: a folder cannot be made there\n", base);
        return 8;
    }
    (void)snprintf(path, sizeof path, "%s/ledger", dir);
    (void)snprintf(bundle, sizeof bundle, "%s/bundle", dir);
    town_init(&t, path);
    for (size_t size = 1000; done < entries; size *= 10) {
        size_t goal = size < entries ? size : entries;
        grow(&t, goal, &done, &version);
        measure(&t, bundle, goal);
    }
    town_release(&t);
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(path, sizeof path, "%s/ledger%s", dir, endings[i]);
        (void)unlink(path);
    }
    return rmdir(dir) == 0 ? 0 : 1;
}
