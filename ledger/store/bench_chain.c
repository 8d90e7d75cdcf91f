/* How many signed transactions a replica executes per second, durably, as its log grows: against
 * the Ed25519 verifications that one core of this machine does in the same run. One JSON line per
 * size: leaves, tx_per_s (of the newest stretch), checked_tx_per_s (when CheckTx verified them
 * before), verify_per_s, share (tx_per_s / verify_per_s).
 *
 *   bench_chain [TRANSACTIONS [BLOCK]]      10000 and 500 unless given */
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

#include "base/random.h"
#include "ledger/store/test_town.h"

static struct base_err err;

static void must(fm_status st)
{
    if (st != FM_OK) {
        (void)fprintf(stderr, "bench_chain: %s\n", err.text);
        exit(1);
    }
}

static double now_s(void)
{
    return (double)base_clock_mono_ms(base_clock_system()) / 1000.0;
}

static double cpu_s(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

/* Per second, and the processor's microseconds for one. */
struct rate {
    double per_s, cpu_us;
};

static struct rate verify_rate(const struct did_secret *secret)
{
    uint8_t message[64] = {1}, signature[DID_SIGNATURE_MAX];
    double start, cpu = cpu_s();
    size_t n = 0;

    must(did_secret_sign(secret, signature, message, sizeof message, &err));
    for (start = now_s(); now_s() - start < 0.5; n++)
        must(did_key_verify(did_secret_key(secret), DID_RULES_VERSION, signature, 64, message,
                            sizeof message, &err));
    return (struct rate){(double)n / (now_s() - start), (cpu_s() - cpu) / (double)n * 1e6};
}

/* Blocks of new data versions by three banks in turn: one signature each. */
static struct rate stretch(struct town *t, size_t n, size_t block_txs, int64_t *version,
                           bool check_first)
{
    struct base_buf *txs = calloc(block_txs, sizeof *txs);
    struct ledger_bytes *list = calloc(block_txs, sizeof *list);
    struct ledger_outcome *out = calloc(block_txs, sizeof *out);
    double spent = 0, cpu_spent = 0;
    size_t done, i;

    for (done = 0; done < n; done += block_txs) {
        struct ledger_block block = {ledger_chain_head(t->chain)->height + 1, t->time_ms + 1000,
                                     list, block_txs, 0};
        double start, cpu;

        for (i = 0; i < block_txs; i++) {
            txs[i] = town_tx(t, LEDGER_TX_DATASET_PUBLISH, (int)(*version % 3),
                             town_dataset(t, *version / 3 + 1, 1, "balance"));
            ++*version;
            list[i] = (struct ledger_bytes){txs[i].p, txs[i].len};
            if (check_first)
                must(ledger_chain_check(t->chain, &out[0], txs[i].p, txs[i].len, t->time_ms, &err));
        }
        cpu = cpu_s();
        start = now_s();
        must(ledger_chain_execute(t->chain, out, &block, &err));
        spent += now_s() - start;
        cpu_spent += cpu_s() - cpu;
        t->time_ms = block.time_ms;
        for (i = 0; i < block_txs; i++) {
            if (out[i].verdict != LEDGER_OK) {
                (void)fprintf(stderr, "bench_chain: %s\n", out[i].detail);
                exit(1);
            }
            base_buf_release(&txs[i]);
        }
    }
    free(txs);
    free(list);
    free(out);
    return (struct rate){(double)n / spent, cpu_spent / (double)n * 1e6};
}

int main(int argc, char **argv)
{
    size_t total = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 10000;
    size_t block_txs = argc > 2 ? (size_t)strtoul(argv[2], NULL, 10) : 500;
    char folder[] = "/tmp/firmiana-bench-XXXXXX", path[64];
    static const char *const endings[] = {"", "-wal", "-shm", ".lock"};
    struct town t;
    int64_t version = 0;
    size_t done, i, size;

    if (block_txs == 0 || total < block_txs || block_txs > 2000 || mkdtemp(folder) == NULL)
        return 2;
    (void)snprintf(path, sizeof path, "%s/ledger", folder);
    town_init(&t, path);
    for (done = 0, size = 1000; done < total; size *= 10) {
        size_t goal = size < total ? size : total;
        size_t sample = goal / 2 < 5000 ? goal / 2 : 5000;
        struct rate plain, checked, verify;

        sample -= sample % block_txs;
        if (goal > done + 2 * sample) {
            (void)stretch(&t, goal - done - 2 * sample, block_txs, &version, false);
            done = goal - 2 * sample;
        }
        plain = stretch(&t, sample, block_txs, &version, false);
        checked = stretch(&t, sample, block_txs, &version, true);
        verify = verify_rate(t.who[BANK_A].node);
        done = goal;
        (void)printf("{\"leaves\":%llu,\"block_txs\":%zu,\"tx_per_s\":%.0f,"
                     "\"checked_tx_per_s\":%.0f,\"verify_per_s\":%.0f,\"share\":%.2f,"
                     "\"cpu_us_per_tx\":%.1f,\"checked_cpu_us_per_tx\":%.1f,"
                     "\"cpu_us_per_verify\":%.1f}\n",
                     (unsigned long long)ledger_chain_head(t.chain)->log_size, block_txs,
                     plain.per_s, checked.per_s, verify.per_s, plain.per_s / verify.per_s,
                     plain.cpu_us, checked.cpu_us, verify.cpu_us);
        (void)fflush(stdout);
    }
    town_release(&t);
    for (i = 0; i < 4; i++) {
        (void)snprintf(path, sizeof path, "%s/ledger%s", folder, endings[i]);
        (void)unlink(path);
    }
    return rmdir(folder) == 0 ? 0 : 1;
}
