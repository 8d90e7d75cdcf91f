#include "benches/measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "benches/algorithms.h"
#include "mpc/choice.h"

enum { MOST_N = 100000000 };

enum mpc_profile bench_link(void)
{
    const char *link = getenv("FIRMIANA_BENCH_LINK");
    enum mpc_profile profile = MPC_LAN;

    return link != NULL && mpc_link_find(&profile, link) ? profile : MPC_LAN;
}

bool bench_options_take(struct bench_options *o, int argc, char **argv, int *i)
{
    const char *name = argv[*i];
    const char *value = *i + 1 < argc ? argv[*i + 1] : NULL;

    if (strcmp(name, "--json") == 0)
        return true;
    if (strcmp(name, "--few-bytes") == 0 || strcmp(name, "--few-rounds") == 0) {
        o->profile = strcmp(name, "--few-bytes") == 0 ? MPC_FEW_BYTES : MPC_FEW_ROUNDS;
        return true;
    }
    if (value == NULL)
        return false;
    if (strcmp(name, "--link") == 0 && !mpc_link_find(&o->profile, value))
        return false;
    if (strcmp(name, "--op") == 0)
        o->op = value;
    else if (strcmp(name, "--protocol") == 0)
        o->protocol = value;
    else if (strcmp(name, "--n") == 0)
        o->n = strtoull(value, NULL, 10);
    else if (strcmp(name, "--runs") == 0)
        o->runs = (unsigned)strtoul(value, NULL, 10);
    else if (strcmp(name, "--threads") == 0)
        o->threads = (unsigned)strtoul(value, NULL, 10);
    else if (strcmp(name, "--link") != 0)
        return false;
    ++*i;
    return true;
}

bool bench_options_good(const struct bench_options *o, const char *bench)
{
    if (o->n >= 1 && o->n <= MOST_N && o->runs >= 1 && o->runs <= BENCH_RUNS_MAX &&
        o->threads >= 1 && o->threads <= BENCH_THREADS_MAX &&
        mpc_protocol_find(o->protocol) != NULL)
        return true;
    fprintf(stderr,
            "%s: no such protocol, n not 1 to %d, or runs or threads not 1 to %d: see --help\n",
            bench, MOST_N, BENCH_RUNS_MAX);
    return false;
}

fm_status bench_random_values(int64_t *values, size_t n, struct mpc_range range,
                              struct base_err *err)
{
    uint64_t span = (uint64_t)range.hi - (uint64_t)range.lo;
    fm_status st = base_random_fill(base_random_system(), values, n * sizeof *values, err);

    for (size_t i = 0; st == FM_OK && i < n && span != UINT64_MAX; i++)
        values[i] = (int64_t)((uint64_t)range.lo + (uint64_t)values[i] % (span + 1));
    return st;
}

fm_status bench_session_open(struct mpc_session **s, const struct bench_options *o,
                             struct net_transport *t, struct base_err *err)
{
    static const unsigned compute[BENCH_PARTIES] = {0, 1, 2};
    struct mpc_session_config c = {.protocol = mpc_protocol_find(o->protocol),
                                   .transport = t,
                                   .compute = compute,
                                   .compute_len = BENCH_PARTIES,
                                   .first_stream = 0,
                                   .streams = o->threads,
                                   .profile = o->profile,
                                   .random = base_random_system()};

    return mpc_session_open(s, &c, err);
}

fm_status bench_timed(const struct bench_options *o, struct mpc_session *s, struct net_transport *t,
                      fm_status (*work)(void *ctx, struct base_err *err), void *ctx,
                      struct bench_report *report, struct base_err *err)
{
    struct mpc_stats before, after;

    for (unsigned run = 0; run <= o->runs; run++) {
        double start, cpu;
        fm_status st = bench_barrier(t, BENCH_CONTROL_STREAM, err);

        if (st != FM_OK)
            return st;
        mpc_session_stats(s, &before);
        cpu = bench_cpu();
        start = bench_now();
        st = work(ctx, err);
        if (st != FM_OK)
            return st;
        if (run > 0) { /* run 0 warms up */
            report->seconds[run - 1] = bench_now() - start;
            report->cpu[run - 1] = bench_cpu() - cpu;
        }
        mpc_session_stats(s, &after);
        report->bytes_sent = after.bytes_sent - before.bytes_sent;
        report->rounds = after.rounds - before.rounds;
    }
    return FM_OK;
}

static const char *profile_name(enum mpc_profile profile)
{
    const struct mpc_link *link = mpc_link_of(profile);

    if (link != NULL)
        return link->name;
    return profile == MPC_FEW_ROUNDS ? "few-rounds" : "few-bytes";
}

void bench_print(const struct bench_options *o, const char *op, const char *fields,
                 const struct bench_report reports[BENCH_PARTIES])
{
    const char *link = getenv("FIRMIANA_BENCH_LINK");
    double median = bench_median(reports, o->runs), bytes = 0;
    struct bench_spread spread = bench_spread_of(reports, o->runs);
    long rss = 0;

    for (unsigned i = 0; i < BENCH_PARTIES; i++) {
        bytes += (double)reports[i].bytes_sent / BENCH_PARTIES;
        rss = reports[i].peak_rss_kib > rss ? reports[i].peak_rss_kib : rss;
    }
    printf("{\"algorithms\":\"%s\",\"bytes_sent_per_party\":%.0f,\"cpu_seconds\":%.6f,%s\"link\":"
           "\"%s\","
           "\"max\":%.6f,\"min\":%.6f,\"n\":%zu,\"op\":\"%s\","
           "\"ops_per_s\":%.0f,\"peak_rss\":%ld,\"profile\":\"%s\",\"protocol\":\"%s\","
           "\"rounds\":%llu,\"seconds\":%.6f,\"threads\":%u}\n",
           bench_algorithms_name(), bytes, spread.cpu, fields, link != NULL ? link : "loopback",
           spread.max, spread.min, o->n, op, median > 0 ? (double)o->n / median : 0, rss * 1024,
           profile_name(o->profile), o->protocol, reports[0].rounds, median, o->threads);
    (void)fflush(stdout);
}
