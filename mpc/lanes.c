/* The lanes' sessions and threads. */
#include "mpc/lanes.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

/* One lane beside lane 0. Its thread sleeps until `due`, runs the group's job and clears it. */
struct lane {
    struct mpc_lanes *group;
    unsigned k;
    struct mpc_session session;
    pthread_t thread;
    bool started;
    bool due;
    fm_status status;
    struct base_err err;
};

struct mpc_lanes {
    unsigned count; /* lane 0 among them */
    bool running;   /* lanes run: the session's operations are not cut again */
    pthread_mutex_t lock;
    pthread_cond_t wake; /* a lane is due, or all are to end */
    pthread_cond_t done; /* a lane has ended its part */
    unsigned left;       /* parts not yet ended */
    bool ending;
    mpc_lane_fn *fn;
    const void *job;
    struct lane lane[]; /* count - 1: lane[k - 1] is lane k */
};

static void *lane_main(void *arg)
{
    struct lane *lane = arg;
    struct mpc_lanes *g = lane->group;

    pthread_mutex_lock(&g->lock);
    for (;;) {
        while (!lane->due && !g->ending)
            pthread_cond_wait(&g->wake, &g->lock);
        if (g->ending)
            break;
        pthread_mutex_unlock(&g->lock);
        lane->status = g->fn(&lane->session, g->job, lane->k, g->count, &lane->err);
        pthread_mutex_lock(&g->lock);
        lane->due = false;
        if (--g->left == 0)
            pthread_cond_signal(&g->done);
    }
    pthread_mutex_unlock(&g->lock);
    return NULL;
}

/* A session inside s, on stream k of its own. */
static fm_status open_lane(struct mpc_session *s, struct lane *lane, struct base_err *err)
{
    struct mpc_session *inner = &lane->session;
    fm_status status;

    *inner = *s;
    inner->lanes = NULL;
    inner->state = NULL;
    inner->stats = (struct mpc_stats){0};
    inner->memory = 0;
    inner->live = NULL;
    memset(inner->spare, 0, sizeof inner->spare);
    inner->stream = s->stream + lane->k;
    inner->streams = 1;
    status = s->row->lane(s, inner, err);
    if (status != FM_OK)
        return status;
    if (pthread_create(&lane->thread, NULL, lane_main, lane) != 0)
        return base_err_set(err, FM_E_IO, "the system gives no thread for lane %u: use fewer",
                            lane->k);
    lane->started = true;
    return FM_OK;
}

fm_status mpc_lanes_open(struct mpc_session *s, struct base_err *err)
{
    unsigned count = s->streams < s->row->most_lanes ? s->streams : s->row->most_lanes;
    struct mpc_lanes *g;
    fm_status status = FM_OK;

    if (count < 2 || !s->computes)
        return FM_OK;
    g = calloc(1, sizeof *g + (count - 1) * sizeof g->lane[0]);
    if (g == NULL)
        return base_err_memory(err, "lanes");
    g->count = count;
    pthread_mutex_init(&g->lock, NULL);
    pthread_cond_init(&g->wake, NULL);
    pthread_cond_init(&g->done, NULL);
    s->lanes = g;
    for (unsigned k = 1; status == FM_OK && k < count; k++) {
        g->lane[k - 1].group = g;
        g->lane[k - 1].k = k;
        status = open_lane(s, &g->lane[k - 1], err);
    }
    return status;
}

void mpc_lanes_close(struct mpc_session *s)
{
    struct mpc_lanes *g = s->lanes;

    if (g == NULL)
        return;
    pthread_mutex_lock(&g->lock);
    g->ending = true;
    pthread_cond_broadcast(&g->wake);
    pthread_mutex_unlock(&g->lock);
    for (unsigned k = 1; k < g->count; k++) {
        struct lane *lane = &g->lane[k - 1];

        if (lane->started)
            pthread_join(lane->thread, NULL);
        if (lane->session.state != NULL)
            s->row->close(&lane->session);
        mpc_pool_release(&lane->session);
    }
    pthread_cond_destroy(&g->done);
    pthread_cond_destroy(&g->wake);
    pthread_mutex_destroy(&g->lock);
    base_wipe(g, sizeof *g + (g->count - 1) * sizeof g->lane[0]);
    free(g);
    s->lanes = NULL;
}

bool mpc_lanes_wanted(const struct mpc_session *s, size_t elements)
{
    return s->lanes != NULL && !s->lanes->running && elements >= MPC_LANES_FROM;
}

/* What the lanes counted since they were last asked; rounds ran beside lane 0's. */
static void gather_stats(struct mpc_session *s, uint64_t rounds_before)
{
    struct mpc_lanes *g = s->lanes;
    uint64_t most = s->stats.rounds - rounds_before;
    size_t memory = s->memory;

    for (unsigned k = 1; k < g->count; k++) {
        struct mpc_session *inner = &g->lane[k - 1].session;

        most = inner->stats.rounds > most ? inner->stats.rounds : most;
        s->stats.and_gates += inner->stats.and_gates;
        s->stats.mul_gates += inner->stats.mul_gates;
        memory += inner->stats.memory_peak;
        s->stats.memory_pool += inner->stats.memory_pool; /* what is new of it */
        inner->stats = (struct mpc_stats){0};
    }
    s->stats.rounds = rounds_before + most;
    if (memory > s->stats.memory_peak)
        s->stats.memory_peak = memory;
}

fm_status mpc_lanes_run(struct mpc_session *s, mpc_lane_fn *fn, const void *job,
                        struct base_err *err)
{
    struct mpc_lanes *g = s->lanes;
    uint64_t rounds = s->stats.rounds;
    fm_status status;

    assert(g != NULL && !g->running);
    pthread_mutex_lock(&g->lock);
    g->fn = fn;
    g->job = job;
    g->left = g->count - 1;
    for (unsigned k = 1; k < g->count; k++)
        g->lane[k - 1].due = true;
    pthread_cond_broadcast(&g->wake);
    pthread_mutex_unlock(&g->lock);
    g->running = true;
    status = fn(s, job, 0, g->count, err);
    pthread_mutex_lock(&g->lock);
    while (g->left > 0)
        pthread_cond_wait(&g->done, &g->lock);
    pthread_mutex_unlock(&g->lock);
    g->running = false;
    gather_stats(s, rounds);
    for (unsigned k = 1; status == FM_OK && k < g->count; k++)
        if (g->lane[k - 1].status != FM_OK) {
            *err = g->lane[k - 1].err;
            status = g->lane[k - 1].status;
        }
    return status;
}
