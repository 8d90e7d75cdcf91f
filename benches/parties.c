#define _GNU_SOURCE
#include "benches/parties.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/random.h"
#include "base/secret.h"
#include "benches/place.h"
#include "net/zmq.h"

enum { CONNECT_MS = 10000 };

static const char *const names[BENCH_PARTIES] = {"party_0", "party_1", "party_2"};

/* Made in the parent, so that all three know everybody's public key; fresh for every run of the
 * bench. */
struct world {
    uint8_t seed[BENCH_PARTIES][32];
    uint8_t key[BENCH_PARTIES][NET_KEY];
    char endpoint[BENCH_PARTIES][96];
    struct bench_place place[BENCH_PARTIES];
    uint8_t session[32];
};

double bench_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double bench_cpu(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

fm_status bench_free_port(char endpoint[96], const struct bench_place *place, struct base_err *err)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    int back, fd;
    fm_status st = bench_place_enter(place, &back, err), left;

    if (st != FM_OK)
        return st;
    (void)inet_pton(AF_INET, place->host, &address.sin_addr);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        st = base_err_errno(err, "a port for the bench");
    (void)snprintf(endpoint, 96, "tcp://%s:%d", place->host, ntohs(address.sin_port));
    if (fd >= 0)
        (void)close(fd);
    left = bench_place_leave(back, st == FM_OK ? err : &(struct base_err){0});
    return st == FM_OK ? left : st;
}

static fm_status make_world(struct world *w, struct base_err *err)
{
    fm_status st = base_random_fill(base_random_system(), w->session, 32, err);

    for (unsigned i = 0; st == FM_OK && i < BENCH_PARTIES; i++) {
        struct net_identity *id = NULL;
        st = base_random_fill(base_random_system(), w->seed[i], 32, err);
        if (st == FM_OK)
            st = net_identity_from_seed(&id, names[i], w->seed[i], err);
        if (st == FM_OK)
            memcpy(w->key[i], net_identity_key(id), NET_KEY);
        net_identity_free(id);
        if (st == FM_OK)
            st = bench_place_of(&w->place[i], i, err);
        if (st == FM_OK)
            st = bench_free_port(w->endpoint[i], &w->place[i], err);
    }
    return st;
}

static bool key_of(void *ctx, const char *peer, uint8_t out33[NET_KEY])
{
    const struct world *w = ctx;

    for (unsigned i = 0; i < BENCH_PARTIES; i++)
        if (strcmp(names[i], peer) == 0) {
            memcpy(out33, w->key[i], NET_KEY);
            return true;
        }
    return false;
}

static fm_status connect_all(struct net_node *node, const struct world *w, unsigned self,
                             struct base_err *err)
{
    int64_t until = base_clock_mono_ms(base_clock_system()) + CONNECT_MS;
    struct net_peer_config peers[BENCH_PARTIES - 1];
    unsigned n = 0;

    for (unsigned i = 0; i < BENCH_PARTIES; i++)
        if (i != self)
            peers[n++] = (struct net_peer_config){names[i], w->endpoint[i]};
    if (net_node_peers_set(node, peers, n, err) != FM_OK)
        return err->code;
    for (;;) {
        struct net_event *event;
        unsigned live = 0;
        for (unsigned i = 0; i < BENCH_PARTIES; i++)
            live += i != self && net_node_peer_live(node, names[i]);
        if (live == BENCH_PARTIES - 1)
            return FM_OK;
        if (base_clock_mono_ms(base_clock_system()) > until)
            return base_err_set(err, FM_E_TIMEOUT, "%s did not reach the others", names[self]);
        event = net_node_event(node, base_clock_mono_ms(base_clock_system()) + 20);
        net_node_event_done(node, event);
    }
}

static fm_status run_body(struct net_node *node, const struct world *w, struct bench_report *report,
                          fm_status (*body)(void *, struct net_transport *, struct bench_report *,
                                            struct base_err *),
                          void *ctx, struct base_err *err)
{
    struct net_session_config c = {.parties = BENCH_PARTIES,
                                   .names = names,
                                   .deadline_ms = INT64_MAX,
                                   .flags = NET_SESSION_PLAIN};
    struct net_session *session;
    struct rusage usage;
    fm_status st;

    memcpy(c.descriptor32, w->session, 32);
    st = net_node_session_open(node, &session, &c, err);
    if (st != FM_OK)
        return st;
    st = body(ctx, net_session_transport(session), report, err);
    if (st == FM_OK)
        st = bench_barrier(net_session_transport(session), BENCH_CONTROL_STREAM, err);
    else
        net_abort(net_session_transport(session), "error");
    net_node_session_close(node, session);
    (void)getrusage(RUSAGE_SELF, &usage);
    report->peak_rss_kib = usage.ru_maxrss;
    return st;
}

/* A child's two ends: where its report goes, and what closes when every party has reported. A party
 * that left earlier would end the session of one that still reads. */
struct ends {
    int report;
    int over;
};

static void hand_in(const struct ends *ends, const struct bench_report *report)
{
    uint8_t nothing;

    if (write(ends->report, report, sizeof *report) != (ssize_t)sizeof *report)
        _exit(1);
    while (read(ends->over, &nothing, 1) > 0)
        continue;
}

static void
party(const struct ends *ends, struct bench_report *report, struct world *w, unsigned self,
      fm_status (*body)(void *, struct net_transport *, struct bench_report *, struct base_err *),
      void *ctx)
{
    struct net_zmq_config c = {.bind = w->endpoint[self], .keys = {key_of, w}};
    struct base_err *err = &report->err;
    struct net_identity *id = NULL;
    struct net_zmq *z = NULL;
    int back; /* the process ends there: nobody goes back */
    fm_status st = bench_place_enter(&w->place[self], &back, err);

    if (st == FM_OK)
        st = net_identity_from_seed(&id, names[self], w->seed[self], err);

    c.identity = id;
    if (st == FM_OK)
        st = net_zmq_open(&z, &c, err);
    if (st == FM_OK)
        st = connect_all(net_zmq_node(z), w, self, err);
    if (st == FM_OK)
        st = run_body(net_zmq_node(z), w, report, body, ctx, err);
    if (st == FM_OK)
        base_err_clear(err);
    hand_in(ends, report);
    net_zmq_close(z);
    net_identity_free(id);
}

/* The child's whole life. */
static void child(const struct ends *ends, struct world *w, unsigned self,
                  fm_status (*body)(void *, struct net_transport *, struct bench_report *,
                                    struct base_err *),
                  void *ctx)
{
    struct bench_report *report = calloc(1, sizeof *report);

    if (report == NULL)
        _exit(fm_status_exit(FM_E_MEMORY));
    party(ends, report, w, self, body, ctx);
    _exit(0);
}

static fm_status gather(struct bench_report reports[BENCH_PARTIES], const int fds[BENCH_PARTIES],
                        struct base_err *err)
{
    fm_status st = FM_OK;

    for (unsigned i = 0; i < BENCH_PARTIES; i++) {
        uint8_t *p = (uint8_t *)&reports[i];
        size_t got = 0;
        ssize_t n;
        while (got < sizeof reports[i] && (n = read(fds[i], p + got, sizeof reports[i] - got)) > 0)
            got += (size_t)n;
        if (st == FM_OK && got < sizeof reports[i])
            st = base_err_set(err, FM_E_PEER, "%s ended without a report", names[i]);
        else if (st == FM_OK && reports[i].err.code != FM_OK) {
            *err = reports[i].err;
            st = base_err_prefix(err, "%s", names[i]);
        }
    }
    return st;
}

fm_status bench_parties_run(struct bench_report reports[BENCH_PARTIES],
                            fm_status (*body)(void *, struct net_transport *, struct bench_report *,
                                              struct base_err *),
                            void *ctx, struct base_err *err)
{
    pid_t pids[BENCH_PARTIES] = {0};
    int fds[BENCH_PARTIES] = {-1, -1, -1}, over[2];
    struct world w;
    fm_status st = make_world(&w, err);

    over[0] = over[1] = -1;
    memset(reports, 0, BENCH_PARTIES * sizeof *reports);
    (void)fflush(NULL);
    if (st == FM_OK && pipe2(over, O_CLOEXEC) != 0)
        st = base_err_errno(err, "pipe");
    for (unsigned i = 0; st == FM_OK && i < BENCH_PARTIES; i++) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) != 0) {
            st = base_err_errno(err, "pipe");
            break;
        }
        pids[i] = fork();
        if (pids[i] == 0) {
            (void)close(over[1]);
            child(&(struct ends){ends[1], over[0]}, &w, i, body, ctx);
        }
        (void)close(ends[1]);
        fds[i] = ends[0];
        if (pids[i] < 0)
            st = base_err_errno(err, "fork");
    }
    if (st == FM_OK)
        st = gather(reports, fds, err);
    for (unsigned i = 0; i < BENCH_PARTIES; i++)
        if (st != FM_OK && pids[i] > 0)
            (void)kill(pids[i], SIGKILL);
    (void)close(over[0]);
    (void)close(over[1]);
    for (unsigned i = 0; i < BENCH_PARTIES; i++) {
        if (pids[i] > 0)
            (void)waitpid(pids[i], NULL, 0);
        if (fds[i] >= 0)
            (void)close(fds[i]);
    }
    base_wipe(&w, sizeof w);
    return st;
}

fm_status bench_barrier(struct net_transport *t, unsigned stream, struct base_err *err)
{
    uint8_t byte = 0;

    for (unsigned i = 0; i < t->parties; i++)
        if (i != t->self && net_send(t, stream, i, &byte, 1, err) != FM_OK)
            return err->code;
    for (unsigned i = 0; i < t->parties; i++)
        if (i != t->self && net_recv(t, stream, i, &byte, 1, err) != FM_OK)
            return err->code;
    return FM_OK;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double bench_median(const struct bench_report reports[BENCH_PARTIES], unsigned runs)
{
    double slowest[BENCH_RUNS_MAX];

    for (unsigned r = 0; r < runs; r++) {
        slowest[r] = 0;
        for (unsigned i = 0; i < BENCH_PARTIES; i++)
            if (reports[i].seconds[r] > slowest[r])
                slowest[r] = reports[i].seconds[r];
    }
    qsort(slowest, runs, sizeof slowest[0], by_value);
    return runs % 2 == 1 ? slowest[runs / 2] : (slowest[runs / 2 - 1] + slowest[runs / 2]) / 2;
}

struct bench_spread bench_spread_of(const struct bench_report reports[BENCH_PARTIES], unsigned runs)
{
    struct bench_spread spread = {0};

    for (unsigned r = 0; r < runs; r++) {
        double slowest = 0, cpu = 0;

        for (unsigned i = 0; i < BENCH_PARTIES; i++) {
            if (reports[i].seconds[r] > slowest)
                slowest = reports[i].seconds[r];
            cpu += reports[i].cpu[r];
        }
        spread.min = r == 0 || slowest < spread.min ? slowest : spread.min;
        spread.max = slowest > spread.max ? slowest : spread.max;
        spread.cpu = r == 0 || cpu < spread.cpu ? cpu : spread.cpu;
    }
    return spread;
}
