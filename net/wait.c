#include "net/wait.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct net_wait {
    pthread_mutex_t lock;
    pthread_cond_t cond;
};

struct net_task {
    pthread_t thread;
    void (*fn)(void *arg);
    void *arg;
};

static struct net_wait *threads_create(void *ctx)
{
    struct net_wait *w = malloc(sizeof *w);
    pthread_condattr_t attr;

    (void)ctx;
    if (!w || pthread_condattr_init(&attr) != 0)
        goto no_attr;
    if (pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) != 0 ||
        pthread_cond_init(&w->cond, &attr) != 0)
        goto no_cond;
    if (pthread_mutex_init(&w->lock, NULL) != 0)
        goto no_lock;
    pthread_condattr_destroy(&attr);
    return w;
    /* UNTESTED: these fail only when the system has no memory left. */
no_lock:
    pthread_cond_destroy(&w->cond);
no_cond:
    pthread_condattr_destroy(&attr);
no_attr:
    free(w);
    return NULL;
}

static void threads_destroy(struct net_wait *w)
{
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->cond);
    free(w);
}

static void threads_lock(struct net_wait *w)
{
    pthread_mutex_lock(&w->lock);
}

static void threads_unlock(struct net_wait *w)
{
    pthread_mutex_unlock(&w->lock);
}

static void threads_sleep(struct net_wait *w, int64_t until_ms)
{
    struct timespec t = {.tv_sec = (time_t)(until_ms / 1000),
                         .tv_nsec = (long)(until_ms % 1000) * 1000000};

    if (until_ms == INT64_MAX)
        pthread_cond_wait(&w->cond, &w->lock);
    else
        pthread_cond_timedwait(&w->cond, &w->lock, &t);
}

static void threads_wake(struct net_wait *w)
{
    pthread_cond_broadcast(&w->cond);
}

static void *task_main(void *arg)
{
    struct net_task *task = arg;

    task->fn(task->arg);
    return NULL;
}

static fm_status threads_spawn(void *ctx, struct net_task **out, void (*fn)(void *arg), void *arg,
                               struct base_err *err)
{
    struct net_task *task = malloc(sizeof *task);

    (void)ctx;
    *out = NULL;
    if (!task)
        return base_err_memory(err, "thread");
    task->fn = fn;
    task->arg = arg;
    if (pthread_create(&task->thread, NULL, task_main, task) != 0) {
        free(task);
        return base_err_set(err, FM_E_IO, "cannot start a thread: the system's limit is reached");
    }
    *out = task;
    return FM_OK;
}

static void threads_join(struct net_task *task)
{
    pthread_join(task->thread, NULL);
    free(task);
}

static struct net_waits threads = {
    .create = threads_create,
    .destroy = threads_destroy,
    .lock = threads_lock,
    .unlock = threads_unlock,
    .sleep = threads_sleep,
    .wake = threads_wake,
    .spawn = threads_spawn,
    .join = threads_join,
};

static void set_clock(void)
{
    threads.clock = base_clock_system();
}

const struct net_waits *net_waits_threads(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, set_clock);
    return &threads;
}
