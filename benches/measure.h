/* What the benches of mpc have in common: the options, a session for each party, timed runs, the
 * line printed. */
#ifndef FIRMIANA_BENCHES_MEASURE_H
#define FIRMIANA_BENCHES_MEASURE_H

#include "benches/options.h"
#include "benches/parties.h"
#include "mpc/protocol.h"

enum { BENCH_N_MAX = 100000000 };

struct bench_options {
    const char *op; /* "all", or one that the bench knows */
    const char *protocol;
    size_t n;
    size_t runs;
    size_t threads;
    const char *link; /* NULL: of the link that is emulated, or a LAN's */
    bool few_bytes, few_rounds;
    enum mpc_profile profile; /* what these say: bench_options_settle() */
};

/* Rows of a bench's table of options, for a struct bench_options o. */
#define BENCH_OPTIONS_MPC(o, words_of_op)                                                           \
    {"--op", BENCH_TEXT, &(o).op, 0, 0, words_of_op, "what to measure, or all"},                    \
        {"--n", BENCH_SIZE, &(o).n, 1, BENCH_N_MAX, NULL, "elements, or rows"},                     \
        {"--protocol", BENCH_TEXT, &(o).protocol, 0, 0, "rep3", "of mpc/"},                         \
        {"--link",                                                                                  \
         BENCH_TEXT,                                                                                \
         &(o).link,                                                                                 \
         0,                                                                                         \
         0,                                                                                         \
         "lan|metro|wan",                                                                           \
         "physical choices for this link (mpc/choice.h)"},                                          \
        {"--few-rounds", BENCH_FLAG, &(o).few_rounds, 0, 0, NULL, "choices of fewest rounds"},      \
        {"--few-bytes", BENCH_FLAG, &(o).few_bytes, 0, 0, NULL, "choices of fewest bytes"},         \
        {"--runs", BENCH_SIZE, &(o).runs, 1, BENCH_RUNS_MAX, NULL, "timed, after one that is not"}, \
    {                                                                                               \
        "--threads", BENCH_SIZE, &(o).threads, 1, BENCH_THREADS_MAX, NULL, "of each party"          \
    }
/* Rows of its table of fields. */
#define BENCH_FIELDS_MPC                                                                       \
    {"n", "", "elements, or rows"}, {"protocol", "", "as asked"},                              \
        {"threads", "", "of each party"},                                                      \
        {"link", "", "what physical choices are made for: a link, few-rounds or few-bytes"},   \
        {"seconds", "s", "by the clock, of the slowest party; median of the runs"},            \
        {"min", "s", "of the same, the least"}, {"max", "s", "the greatest"},                  \
        {"cpu_seconds", "s", "processor time of all parties together, the least of the runs"}, \
        {"bytes_sent_per_party", "bytes", "payload of a run, mean of the parties"},            \
        {"rounds", "", "of a run"}, {"ops_per_s", "1/s", "n / seconds"},                       \
    {                                                                                          \
        "peak_rss", "bytes", "memory of the greatest party's process"                          \
    }

/* After the arguments were read: the choices that link and flags say. */
void bench_options_settle(struct bench_options *o);

/* values[i] uniform in the range, but for a bias that no clock sees. */
fm_status bench_random_values(int64_t *values, size_t n, struct mpc_range range,
                              struct base_err *err) FM_CHECK;
fm_status bench_session_open(struct mpc_session **s, const struct bench_options *o,
                             struct net_transport *t, struct base_err *err) FM_CHECK;
/* Runs work runs + 1 times, the first uncounted, each after all parties have met. */
fm_status bench_timed(const struct bench_options *o, struct mpc_session *s, struct net_transport *t,
                      fm_status (*work)(void *ctx, struct base_err *err), void *ctx,
                      struct bench_report *report, struct base_err *err) FM_CHECK;
/* fields: more of them, each with a comma behind it, or "". fields of the line: BENCH_FIELDS_MPC.
 */
void bench_print(const struct bench_options *o, const char *op, const char *fields,
                 const struct bench_report reports[BENCH_PARTIES]);

#endif
