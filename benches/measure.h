/* What the benches of mpc have in common: the options, a session for each party, timed runs, the
 * line printed. A line is one JSON object: op, n, protocol, profile, threads, link (what
 * benches/net-emulate emulates, else "loopback"), seconds (median over the runs of the slowest
 * party), min and max of the same, cpu_seconds (processor time of all parties together, the least
 * of the runs: what a busy machine disturbs least), bytes_sent_per_party (mean, payload), rounds,
 * ops_per_s (elements or rows a second), peak_rss (bytes, greatest party). */
#ifndef FIRMIANA_BENCHES_MEASURE_H
#define FIRMIANA_BENCHES_MEASURE_H

#include "benches/parties.h"
#include "mpc/protocol.h"

struct bench_options {
    const char *op; /* "all", or one that the bench knows */
    const char *protocol;
    size_t n;
    unsigned runs;
    unsigned threads;
    enum mpc_profile profile;
};

/* The usage of the options that bench_options_take() knows. */
#define BENCH_OPTIONS_USAGE                                                                     \
    "[--n N] [--protocol rep3] [--link lan|metro|wan | --few-rounds | --few-bytes] [--runs R] " \
    "[--threads T] [--json]"
/* Whether argv[*i] is one of --op, --n, --protocol, --link, --few-rounds, --few-bytes, --runs,
 * --threads and --json (the only form); *i then stands on the last word of it. */
bool bench_options_take(struct bench_options *o, int argc, char **argv, int *i);
/* The profile where none is asked for: of the link that is emulated, or a LAN's. */
enum mpc_profile bench_link(void);
/* Says on standard error what is out of range. */
bool bench_options_good(const struct bench_options *o, const char *bench);

/* values[i] uniform in the range, but for a bias that no clock sees. */
fm_status bench_random_values(int64_t *values, size_t n, struct mpc_range range,
                              struct base_err *err) FM_CHECK;
fm_status bench_session_open(struct mpc_session **s, const struct bench_options *o,
                             struct net_transport *t, struct base_err *err) FM_CHECK;
/* Runs work runs + 1 times, the first uncounted, each after all parties have met. */
fm_status bench_timed(const struct bench_options *o, struct mpc_session *s, struct net_transport *t,
                      fm_status (*work)(void *ctx, struct base_err *err), void *ctx,
                      struct bench_report *report, struct base_err *err) FM_CHECK;
/* fields: more of them, each with a comma behind it, or "". */
void bench_print(const struct bench_options *o, const char *op, const char *fields,
                 const struct bench_report reports[BENCH_PARTIES]);

#endif
