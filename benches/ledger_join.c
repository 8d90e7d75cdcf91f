#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "benches/ledger_members.h"
#include "benches/ledger_state.h"
#include "benches/options.h"
#include "ledger/store/snapshot.h"

static double clock_s(clockid_t clock)
{
    struct timespec t = {0, 0};

    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static fm_status gather(void *ctx, const void *bytes, size_t len, struct base_err *err)
{
    base_buf_put(ctx, bytes, len);
    return base_buf_status(ctx, "snapshot", err);
}

static void write_snapshot(struct base_buf *out, struct ledger_head *head, struct base_buf *genesis,
                           const char *path)
{
    struct ledger_reader *reader;

    ledger_must(ledger_reader_open(&reader, path, &ledger_bench_err));
    ledger_must(ledger_reader_genesis(reader, genesis, &ledger_bench_err));
    ledger_must(ledger_reader_begin(reader, &ledger_bench_err));
    ledger_must(ledger_reader_head(reader, head, &ledger_bench_err));
    ledger_must(ledger_snapshot_write(reader, gather, out, &ledger_bench_err));
    ledger_reader_end(reader);
    ledger_reader_close(reader);
}

void ledger_join_bench(const char *path, const char *dir)
{
    struct base_buf bytes = {0}, genesis = {0};
    struct ledger_chain *joined;
    struct ledger_head head;
    double wall[3], cpu[3];
    char other[192];

    (void)snprintf(other, sizeof other, "%s/joined.db", dir);
    wall[0] = clock_s(CLOCK_MONOTONIC);
    cpu[0] = clock_s(CLOCK_PROCESS_CPUTIME_ID);
    write_snapshot(&bytes, &head, &genesis, path);
    wall[1] = clock_s(CLOCK_MONOTONIC);
    cpu[1] = clock_s(CLOCK_PROCESS_CPUTIME_ID);
    ledger_must(ledger_chain_create(&joined, other, genesis.p, genesis.len, &ledger_bench_err));
    ledger_must(ledger_snapshot_read(joined, bytes.p, bytes.len, head.height, head.app_hash,
                                     INT64_MAX, &ledger_bench_err));
    wall[2] = clock_s(CLOCK_MONOTONIC);
    cpu[2] = clock_s(CLOCK_PROCESS_CPUTIME_ID);
    if (memcmp(ledger_chain_head(joined), &head, sizeof head) != 0)
        abort();
    ledger_chain_close(joined);
    ledger_bench_remove(other);
    bench_line("join",
               "\"join_cpu_s\":%.2f,\"n\":%llu,\"ops_per_s\":%.0f,\"seconds\":%.3f,"
               "\"snapshot_bytes\":%zu,\"snapshot_cpu_s\":%.2f,\"snapshot_s\":%.3f",
               cpu[2] - cpu[1], (unsigned long long)head.log_size,
               (double)head.log_size / (wall[2] - wall[1]), wall[2] - wall[1], bytes.len,
               cpu[1] - cpu[0], wall[1] - wall[0]);
    base_buf_release(&bytes);
    base_buf_release(&genesis);
}
