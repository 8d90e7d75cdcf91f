/* The baton: tasks are threads of which one runs at a time. */
#include <assert.h>
#include <stdlib.h>

#include "net/sim_own.h"

struct net_wait {
    struct net_sim *sim;
};

static _Thread_local struct net_task *self;

static struct net_wait *sim_create(void *ctx)
{
    struct net_wait *w = malloc(sizeof *w);

    if (w)
        w->sim = ctx;
    return w;
}

static void sim_destroy(struct net_wait *w)
{
    free(w);
}

/* Whoever holds the baton holds every lock. */
static void sim_lock(struct net_wait *w)
{
    (void)w;
}

/* Gives the baton back to net_sim_run() and waits for the next turn. */
static void yield(struct net_task *task)
{
    struct net_sim *sim = task->sim;

    pthread_mutex_lock(&sim->lock);
    sim->running = NULL;
    pthread_cond_signal(&sim->back);
    while (sim->running != task)
        pthread_cond_wait(&task->turn, &sim->lock);
    pthread_mutex_unlock(&sim->lock);
}

static void sim_sleep(struct net_wait *w, int64_t until_ms)
{
    assert(self && self->sim == w->sim); /* only tasks may block in a simulation */
    self->state = NET_TASK_ASLEEP;
    self->on = w;
    self->until_ms = until_ms;
    yield(self);
}

static void sim_wake(struct net_wait *w)
{
    for (struct net_task *t = w->sim->tasks; t; t = t->next)
        if (t->state == NET_TASK_ASLEEP && t->on == w)
            t->state = NET_TASK_READY;
}

static void *task_main(void *arg)
{
    struct net_task *task = arg;
    struct net_sim *sim = task->sim;

    self = task;
    pthread_mutex_lock(&sim->lock);
    while (sim->running != task)
        pthread_cond_wait(&task->turn, &sim->lock);
    pthread_mutex_unlock(&sim->lock);
    task->fn(task->arg);
    task->state = NET_TASK_DONE;
    sim_wake(task->end);
    pthread_mutex_lock(&sim->lock);
    sim->running = NULL;
    pthread_cond_signal(&sim->back);
    pthread_mutex_unlock(&sim->lock);
    return NULL;
}

static fm_status sim_spawn(void *ctx, struct net_task **out, void (*fn)(void *arg), void *arg,
                           struct base_err *err)
{
    struct net_sim *sim = ctx;
    struct net_task *task = calloc(1, sizeof *task);

    *out = NULL;
    if (!task || !(task->end = sim_create(sim)))
        goto fail;
    task->sim = sim;
    task->fn = fn;
    task->arg = arg;
    task->joined = true;
    if (pthread_cond_init(&task->turn, NULL) != 0)
        goto fail;
    if (pthread_create(&task->thread, NULL, task_main, task) != 0) {
        pthread_cond_destroy(&task->turn);
        goto fail;
    }
    task->next = sim->tasks;
    sim->tasks = task;
    *out = task;
    return FM_OK;
fail:
    if (task)
        free(task->end);
    free(task);
    return base_err_memory(err, "task");
}

static void task_free(struct net_task *task)
{
    struct net_task **at = &task->sim->tasks;

    assert(task->state == NET_TASK_DONE);
    while (*at != task)
        at = &(*at)->next;
    *at = task->next;
    pthread_join(task->thread, NULL);
    pthread_cond_destroy(&task->turn);
    free(task->end);
    free(task);
}

static void sim_join(struct net_task *task)
{
    while (task->state != NET_TASK_DONE)
        sim_sleep(task->end, INT64_MAX);
    task_free(task);
}

void net_sim_tasks_init(struct net_sim *sim)
{
    pthread_mutex_init(&sim->lock, NULL);
    pthread_cond_init(&sim->back, NULL);
    sim->waits = (struct net_waits){.ctx = sim,
                                    .clock = &sim->clock,
                                    .create = sim_create,
                                    .destroy = sim_destroy,
                                    .lock = sim_lock,
                                    .unlock = sim_lock,
                                    .sleep = sim_sleep,
                                    .wake = sim_wake,
                                    .spawn = sim_spawn,
                                    .join = sim_join};
}

void net_sim_tasks_release(struct net_sim *sim)
{
    while (sim->tasks)
        task_free(sim->tasks);
    pthread_cond_destroy(&sim->back);
    pthread_mutex_destroy(&sim->lock);
}

fm_status net_sim_spawn(struct net_sim *sim, void (*fn)(void *arg), void *arg, struct base_err *err)
{
    struct net_task *task;
    fm_status rv = sim_spawn(sim, &task, fn, arg, err);

    if (rv == FM_OK)
        task->joined = false;
    return rv;
}

void net_sim_sleep(struct net_sim *sim, uint32_t ms)
{
    struct net_wait nothing = {sim};
    int64_t until = sim->now_ms + ms;

    while (sim->now_ms < until)
        sim_sleep(&nothing, until);
}

struct net_task *net_sim_ready(struct net_sim *sim)
{
    unsigned ready = 0, pick;

    for (struct net_task *t = sim->tasks; t; t = t->next)
        ready += t->state == NET_TASK_READY;
    if (ready == 0)
        return NULL;
    pick = (unsigned)(net_sim_draw(sim) % ready);
    for (struct net_task *t = sim->tasks;; t = t->next)
        if (t->state == NET_TASK_READY && pick-- == 0)
            return t;
}

void net_sim_run_task(struct net_sim *sim, struct net_task *task)
{
    pthread_mutex_lock(&sim->lock);
    sim->running = task;
    pthread_cond_signal(&task->turn);
    while (sim->running)
        pthread_cond_wait(&sim->back, &sim->lock);
    pthread_mutex_unlock(&sim->lock);
    if (task->state == NET_TASK_DONE && !task->joined)
        task_free(task);
}

unsigned net_sim_alive(const struct net_sim *sim)
{
    unsigned n = 0;

    for (const struct net_task *t = sim->tasks; t; t = t->next)
        n += t->state != NET_TASK_DONE;
    return n;
}

int64_t net_sim_first_sleeper(const struct net_sim *sim)
{
    int64_t first = INT64_MAX;

    for (const struct net_task *t = sim->tasks; t; t = t->next)
        if (t->state == NET_TASK_ASLEEP && t->until_ms < first)
            first = t->until_ms;
    return first;
}

void net_sim_wake_due(struct net_sim *sim)
{
    for (struct net_task *t = sim->tasks; t; t = t->next)
        if (t->state == NET_TASK_ASLEEP && t->until_ms <= sim->now_ms)
            t->state = NET_TASK_READY;
}
