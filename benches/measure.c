#include "benches/measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "mpc/choice.h"

/* Of the link that is emulated, or a LAN's. */
static enum mpc_profile bench_link(void)
{
    const char *link = bench_network();
    enum mpc_profile profile = MPC_LAN;

    return link != NULL && mpc_link_find(&profile, link) ? profile : MPC_LAN;
}

void bench_options_settle(struct bench_options *o)
{
    if (o->few_bytes || o->few_rounds)
        o->profile = o->few_bytes ? MPC_FEW_BYTES : MPC_FEW_ROUNDS;
    else if (o->link != NULL)
        (void)mpc_link_find(&o->profile, o->link);
    else
        o->profile = bench_link();
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
                                   .streams = (unsigned)o->threads,
                                   .profile = o->profile,
                                   .random = base_random_system()};

    return mpc_session_open(s, &c, err);
}

fm_status bench_timed(const struct bench_options *o, struct mpc_session *s, struct net_transport *t,
                      fm_status (*work)(void *ctx, struct base_err *err), void *ctx,
                      struct bench_report *report, struct base_err *err)
{
    struct mpc_stats before, after;

    for (size_t run = 0; run <= o->runs; run++) {
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

static const char *link_name(enum mpc_profile profile)
{
    const struct mpc_link *link = mpc_link_of(profile);

    if (link != NULL)
        return link->name;
    return profile == MPC_FEW_ROUNDS ? "few-rounds" : "few-bytes";
}

void bench_print(const struct bench_options *o, const char *op, const char *fields,
                 const struct bench_report reports[BENCH_PARTIES])
{
    double median = bench_median(reports, (unsigned)o->runs), bytes = 0;
    struct bench_spread spread = bench_spread_of(reports, (unsigned)o->runs);
    long rss = 0;

    for (unsigned i = 0; i < BENCH_PARTIES; i++) {
        bytes += (double)reports[i].bytes_sent / BENCH_PARTIES;
        rss = reports[i].peak_rss_kib > rss ? reports[i].peak_rss_kib : rss;
    }
    bench_line(op,
               "%s\"bytes_sent_per_party\":%.0f,\"cpu_seconds\":%.6f,\"link\":\"%s\",\"max\":%.6f,"
               "\"min\":%.6f,\"n\":%zu,\"ops_per_s\":%.0f,\"peak_rss\":%ld,\"protocol\":\"%s\","
               "\"rounds\":%llu,\"seconds\":%.6f,\"threads\":%zu",
               fields, bytes, spread.cpu, link_name(o->profile), spread.max, spread.min, o->n,
               median > 0 ? (double)o->n / median : 0, rss * 1024, o->protocol, reports[0].rounds,
               median, o->threads);
}
