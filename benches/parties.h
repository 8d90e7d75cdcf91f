/* Three processes on loopback with sealed channels (TLS 1.3 handshakes, AES-GCM frames over
 * ZeroMQ), as in a real node but without ledger: what protocol benches run on. */
#ifndef FIRMIANA_BENCHES_PARTIES_H
#define FIRMIANA_BENCHES_PARTIES_H

#include <stddef.h>

#include "base/status.h"
#include "benches/place.h"
#include "net/transport.h"

enum { BENCH_PARTIES = 3, BENCH_RUNS_MAX = 32, BENCH_THREADS_MAX = 32 };
/* The stream for barriers; those below are the protocol's, one a thread. */
enum { BENCH_CONTROL_STREAM = NET_MAX_STREAMS - 1 };

/* What a party's process reports to the parent. */
struct bench_report {
    double seconds[BENCH_RUNS_MAX]; /* of each timed run */
    double cpu[BENCH_RUNS_MAX];     /* processor time of each, all threads; 0 if not measured */
    unsigned long long bytes_sent;  /* of one run, payload as papers count */
    unsigned long long rounds;      /* of one run */
    long peak_rss_kib;
    struct base_err err;
};

/* Runs body in three processes, each with its own transport; fills one report a party. A party that
 * fails ends all. */
fm_status bench_parties_run(struct bench_report reports[BENCH_PARTIES],
                            fm_status (*body)(void *ctx, struct net_transport *t,
                                              struct bench_report *report, struct base_err *err),
                            void *ctx, struct base_err *err) FM_CHECK;

/* All three meet: sends a byte to both others and waits for theirs. */
fm_status bench_barrier(struct net_transport *t, unsigned stream, struct base_err *err) FM_CHECK;

/* The place's address with a port that nobody uses there. */
fm_status bench_free_port(char endpoint[96], const struct bench_place *place,
                          struct base_err *err) FM_CHECK;

double bench_now(void);
double bench_cpu(void); /* processor time of this process so far */
/* The median over runs of the slowest party's time. */
double bench_median(const struct bench_report reports[BENCH_PARTIES], unsigned runs);
struct bench_spread {
    double min; /* of the slowest party's time */
    double max;
    double cpu; /* the least over the runs of all parties' processor time together: what a busy
                   machine disturbs least */
};
struct bench_spread bench_spread_of(const struct bench_report reports[BENCH_PARTIES],
                                    unsigned runs);

#endif
