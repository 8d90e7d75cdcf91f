#include "exchange/node/chore.h"

#include <stdlib.h>

#include "exchange/node/node_own.h"

/* WAITING --a place is free--> RUNNING --its thread is through--> taken in, freed */
struct chore {
    struct chore *next;
    struct chore_work work;
    struct node_reply reply;
    bool reply_waits;
    const void *owner;
    struct net_task *task; /* NULL while it waits */
    const struct net_waits *waits;
    void (*wake)(void *ctx);
    void *wake_ctx;
    atomic_bool stop, ended;
    struct base_err err;
};

static void chore_main(void *arg)
{
    struct chore *c = arg;

    if (c->work.run(c->work.ctx, &c->stop, &c->err) == FM_OK)
        base_err_clear(&c->err);
    atomic_store(&c->ended, true);
    c->wake(c->wake_ctx);
}

static unsigned count(const struct node *node, bool running)
{
    unsigned n = 0;

    for (const struct chore *c = node->chores.first; c != NULL; c = c->next)
        n += !running || c->task != NULL;
    return n;
}

static void start_waiting(struct node *node)
{
    unsigned running = count(node, true);

    for (struct chore *c = node->chores.first; c != NULL && running < CHORES_AT_ONCE; c = c->next) {
        if (c->task != NULL || atomic_load(&c->ended))
            continue;
        running++;
        if (c->waits->spawn(c->waits->ctx, &c->task, chore_main, c, &c->err) != FM_OK)
            atomic_store(&c->ended, true); /* taken in with that error */
    }
}

fm_status node_chore_start(struct node *node, const struct chore_work *work,
                           const struct node_reply *reply, const void *owner, struct base_err *err)
{
    struct chore **end = &node->chores.first, *c;

    if (node->chores.closed || node->draining)
        return base_err_set(err, FM_E_CANCELLED, "the node is stopping");
    if (count(node, false) >= CHORES_MAX)
        return base_err_set(err, FM_E_LIMIT,
                            "this node has %d publications and exports under way: try again later",
                            CHORES_MAX);
    c = calloc(1, sizeof *c);
    if (c == NULL)
        return base_err_memory(err, "request");
    c->work = *work;
    if (reply != NULL)
        c->reply = *reply;
    c->reply_waits = reply != NULL;
    c->owner = owner;
    c->waits = node->config.waits;
    c->wake = node->config.wake;
    c->wake_ctx = node->config.wake_ctx;
    atomic_init(&c->stop, false);
    atomic_init(&c->ended, false);
    while (*end != NULL)
        end = &(*end)->next;
    *end = c;
    start_waiting(node);
    return FM_OK;
}

/* Takes it off the list and tells what became of it. */
static void take_in(struct node *node, struct chore **at)
{
    struct chore *c = *at;

    *at = c->next;
    if (c->task != NULL)
        c->waits->join(c->task);
    c->work.done(node, c->work.ctx, c->reply_waits ? &c->reply : NULL, &c->err);
    free(c);
}

void node_chores_back(struct node *node)
{
    struct chore **at = &node->chores.first;

    while (*at != NULL) {
        if (!atomic_load(&(*at)->ended)) {
            at = &(*at)->next;
            continue;
        }
        take_in(node, at);
        at = &node->chores.first; /* done() may have started another */
    }
    start_waiting(node);
}

static void stop(struct chore *c)
{
    atomic_store(&c->stop, true);
    if (c->task != NULL || atomic_load(&c->ended))
        return;
    (void)base_err_set(&c->err, FM_E_CANCELLED, "stopped before it began");
    atomic_store(&c->ended, true);
}

void node_chores_stop(struct node *node, const void *owner, enum chore_end end)
{
    for (struct chore *c = node->chores.first; c != NULL; c = c->next)
        if (c->owner == owner) {
            c->reply_waits = c->reply_waits && end == CHORE_ANSWER;
            stop(c);
        }
}

bool node_chores_drain(struct node *node)
{
    for (struct chore *c = node->chores.first; c != NULL; c = c->next)
        stop(c);
    node_chores_back(node);
    return node->chores.first == NULL;
}

void node_chores_end(struct node *node)
{
    node->chores.closed = true;
    for (struct chore *c = node->chores.first; c != NULL; c = c->next) {
        c->reply_waits = false;
        stop(c);
    }
    while (node->chores.first != NULL)
        take_in(node, &node->chores.first);
}
