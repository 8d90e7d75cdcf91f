#define _XOPEN_SOURCE 700 /* nftw */

#include "benches/ledger_comet.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "exchange/comet/comet.h"

enum { TURN_MS = 100, PORTS = 26000, SPREAD = 6000 }; /* below those of outgoing connections */

struct node {
    struct comet *comet;
    struct comet_keys keys;
    char home[160], listen[40];
    pid_t pid; /* of its CometBFT */
};

static struct node nodes[LEDGER_MEMBERS_MAX];

void ledger_comet_prepare(struct ledger_bench *b, const char *dir)
{
    int port = PORTS + (int)(getpid() % SPREAD);

    for (size_t i = 0; i < b->n; i++) {
        struct node *n = &nodes[i];
        (void)snprintf(n->home, sizeof n->home, "%.140s/%zu.home", dir, i);
        (void)snprintf(n->listen, sizeof n->listen, "tcp://127.0.0.1:%d", port + (int)i);
        if (mkdir(n->home, 0700) != 0)
            ledger_must(base_err_errno(&ledger_bench_err, n->home));
        ledger_must(comet_keys_new(&n->keys, n->listen, &ledger_bench_err));
        ledger_must(comet_keys_save(&n->keys, n->home, &ledger_bench_err));
        b->member[i].services = n->keys.services;
    }
}

/* ---- a member's thread ---- */

static struct ledger_now now_of(void *ctx)
{
    (void)ctx;
    return ledger_bench_now();
}

static void on_event(void *ctx, const char *text)
{
    (void)fprintf(stderr, "bench_ledger: %s: %s\n", ((struct ledger_bench_member *)ctx)->alias,
                  text);
}

static void on_broadcast(void *ctx, const uint8_t id[32], const void *tx, size_t len)
{
    const struct ledger_bench_member *m = ctx;

    if (nodes[m->index].comet != NULL) /* else the engine asks again */
        comet_broadcast(nodes[m->index].comet, id, tx, len);
}

static void wake(void *ctx)
{
    const uint64_t one = 1;

    (void)!write(((const struct ledger_bench_member *)ctx)->wake, &one, sizeof one);
}

static fm_status turn(struct ledger_bench_member *m, struct base_err *e)
{
    struct comet *comet = nodes[m->index].comet;
    int64_t wait = ledger_engine_wait(m->engine, ledger_bench_now().mono_ms);
    struct pollfd fds[COMET_FDS + 1];
    uint64_t count;
    fm_status st;

    comet_poll(comet, fds);
    fds[COMET_FDS] = (struct pollfd){m->wake, POLLIN, 0};
    (void)poll(fds, COMET_FDS + 1, (int)(wait < TURN_MS ? wait : TURN_MS));
    if (fds[COMET_FDS].revents != 0)
        (void)!read(m->wake, &count, sizeof count);
    st = comet_serve(comet, fds, e);
    for (bool some = true; st == FM_OK && some;)
        st = ledger_member_next(m, &some, e);
    if (st == FM_OK)
        st = comet_tick(comet, e);
    return st == FM_OK ? ledger_engine_tick(m->engine, ledger_bench_now(), e) : st;
}

static void *run(void *member)
{
    struct ledger_bench_member *m = member;
    struct base_err e = {0};
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < m->bench->n; i++)
        if (i != m->index)
            st =
                ledger_engine_peer_up(m->engine, m->bench->member[i].alias, ledger_bench_now(), &e);
    while (st == FM_OK && !m->stop)
        st = turn(m, &e);
    if (st != FM_OK) {
        (void)fprintf(stderr, "bench_ledger: %s: %s\n", m->alias, e.text);
        exit(1);
    }
    return NULL;
}

/* ---- beginning and end ---- */

void ledger_comet_start(struct ledger_bench *b, const char *program, int64_t commit_ms)
{
    for (size_t i = 0; i < b->n; i++) {
        struct ledger_bench_member *m = &b->member[i];
        struct node *n = &nodes[i];
        struct comet_config config = {.program = program,
                                      .path = m->path,
                                      .now = now_of,
                                      .event = on_event,
                                      .ctx = m,
                                      .wake = wake,
                                      .wake_ctx = m};
        json_t *status;
        m->broadcast = on_broadcast;
        m->wake = eventfd(0, EFD_CLOEXEC);
        ledger_member_open(m);
        config.settings = (struct comet_settings){.home = n->home,
                                                  .alias = m->alias,
                                                  .listen = n->listen,
                                                  .rpc = "",
                                                  .commit_ms = commit_ms};
        config.chain = m->chain;
        config.engine = m->engine;
        ledger_must(comet_open(&n->comet, &config, &ledger_bench_err));
        status = comet_status(n->comet);
        n->pid = (pid_t)json_integer_value(json_object_get(status, "pid"));
        json_decref(status);
        if (pthread_create(&m->thread, NULL, run, m) != 0)
            abort();
    }
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
    (void)info;
    (void)type;
    (void)ftw;
    return remove(path);
}

void ledger_comet_stop(struct ledger_bench *b)
{
    for (size_t i = 0; i < b->n; i++) {
        ledger_member_stop(&b->member[i]);
        wake(&b->member[i]);
    }
    for (size_t i = 0; i < b->n; i++)
        (void)pthread_join(b->member[i].thread, NULL);
    for (size_t i = 0; i < b->n; i++) {
        comet_close(nodes[i].comet);
        ledger_member_close(&b->member[i]);
        (void)close(b->member[i].wake);
        comet_keys_release(&nodes[i].keys);
        (void)nftw(nodes[i].home, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    }
}

double ledger_comet_cpu_s(void)
{
    double sum = 0;

    for (size_t i = 0; i < LEDGER_MEMBERS_MAX; i++) {
        struct timespec t;
        clockid_t clock;
        if (nodes[i].pid > 0 && clock_getcpuclockid(nodes[i].pid, &clock) == 0 &&
            clock_gettime(clock, &t) == 0)
            sum += (double)t.tv_sec + (double)t.tv_nsec / 1e9;
    }
    return sum;
}
