#include "net/loop.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "net/count.h"

/* Invariants, all under `lock`:
 * 1. queue.outstanding is the sum of what the messages in the queue cost of the window.
 * 2. party.failed is set once; from then on all calls of that party fail with party.failure.
 * 3. Whoever changes a queue or a failure wakes every party that may wait for it. */

struct message {
    struct message *next;
    size_t len;
    uint8_t bytes[];
};

struct queue {
    struct message *head;
    struct message **tail;
    size_t outstanding;
    bool receiver_waits;
};

struct party {
    struct net_transport face; /* first: a transport pointer is a party pointer */
    struct net_loop *loop;
    pthread_cond_t wake;
    bool failed;
    struct base_err failure;
    uint64_t messages;
    struct net_count count[NET_MAX_STREAMS];
};

struct fault {
    bool armed;
    bool fired;
    enum net_loop_fault_kind kind;
    unsigned party;
    uint64_t at;
    uint64_t bit;
};

struct net_loop {
    pthread_mutex_t lock;
    unsigned parties;
    uint32_t timeout_ms;
    uint64_t messages;
    struct fault fault;
    char *names[NET_MAX_PARTIES];
    struct party party[NET_MAX_PARTIES];
    struct queue queue[NET_MAX_PARTIES][NET_MAX_PARTIES][NET_MAX_STREAMS]; /* from, to, stream */
};

/* Ends the session at every party. The culprit's own calls fail with own_code and own_text. */
static void fail_all(struct net_loop *loop, unsigned culprit, fm_status own_code,
                     const char *own_text, const char *reason)
{
    for (unsigned i = 0; i < loop->parties; i++) {
        struct party *p = &loop->party[i];
        if (!p->failed) {
            if (i == culprit)
                base_err_set(&p->failure, own_code, "%s", own_text);
            else
                base_err_set(&p->failure, FM_E_PEER, "%s left the session: %s",
                             loop->names[culprit], reason);
            p->failed = true;
        }
        pthread_cond_broadcast(&p->wake);
    }
}

static fm_status failure_of(const struct party *p, struct base_err *err)
{
    return base_err_set(err, p->failure.code, "%s", p->failure.text);
}

static struct timespec deadline_in(uint32_t ms)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += (time_t)(ms / 1000);
    t.tv_nsec += (long)(ms % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_nsec -= 1000000000;
        t.tv_sec++;
    }
    return t;
}

/* Waits once for something to change. On the deadline the session ends: FM_E_TIMEOUT here. */
static void wait_once(struct party *p, const struct timespec *until, unsigned whom, const char *why)
{
    struct net_loop *loop = p->loop;
    char text[160];

    if (pthread_cond_timedwait(&p->wake, &loop->lock, until) == 0 || p->failed)
        return;
    snprintf(text, sizeof text, "waited %u ms for %s to %s", loop->timeout_ms, loop->names[whom],
             why);
    fail_all(loop, p->face.self, FM_E_TIMEOUT, text, "timeout");
}

static fm_status check_args(const struct party *p, unsigned stream, unsigned other,
                            struct base_err *err)
{
    if (stream >= NET_MAX_STREAMS)
        return base_err_set(err, FM_E_ARG, "stream %u: the highest is %d", stream,
                            NET_MAX_STREAMS - 1);
    if (other >= p->face.parties || other == p->face.self)
        return base_err_set(err, FM_E_ARG, "party %u: not another party of this session", other);
    return FM_OK;
}

/* Applies the armed fault to this message if its turn has come. Returns false if the message must
 * not be queued. */
static bool pass_fault(struct party *p, struct message *m)
{
    struct net_loop *loop = p->loop;
    struct fault *f = &loop->fault;
    uint64_t number = f->party == NET_LOOP_ANY ? ++loop->messages : ++p->messages;

    if (!f->armed || f->fired || number != f->at ||
        (f->party != NET_LOOP_ANY && f->party != p->face.self))
        return true;
    switch (f->kind) {
    case NET_LOOP_ALTER:
        if (m->len == 0)
            return true;
        m->bytes[f->bit / 8 % m->len] ^= (uint8_t)(1u << f->bit % 8);
        f->fired = true;
        return true;
    case NET_LOOP_KILL:
        f->fired = true;
        fail_all(loop, p->face.self, FM_E_CANCELLED, "killed by the fault hook", "it died");
        return false;
    case NET_LOOP_DROP:
        break;
    }
    f->fired = true;
    return false;
}

static size_t cost(size_t len)
{
    return len + NET_WINDOW_MESSAGE * (1 + len / (1 << 20));
}

/* Room in the window; a message that is larger than the whole window needs its receiver waiting. */
static bool has_room(const struct queue *q, size_t len)
{
    if (q->outstanding + cost(len) <= NET_WINDOW_BYTES)
        return true;
    return q->outstanding == 0 && q->receiver_waits;
}

static fm_status loop_send(struct net_transport *t, unsigned stream, unsigned to, const void *bytes,
                           size_t len, struct base_err *err)
{
    struct party *p = (struct party *)t;
    struct net_loop *loop = p->loop;
    struct message *m;
    struct queue *q;
    struct timespec until;
    fm_status rv = check_args(p, stream, to, err);

    if (rv != FM_OK)
        return rv;
    if (len > SIZE_MAX / 2 || !(m = malloc(sizeof *m + len)))
        return base_err_memory(err, "loop message");
    m->next = NULL;
    m->len = len;
    if (len > 0)
        memcpy(m->bytes, bytes, len);
    until = deadline_in(loop->timeout_ms);
    q = &loop->queue[t->self][to][stream];
    pthread_mutex_lock(&loop->lock);
    while (!p->failed && !has_room(q, len))
        wait_once(p, &until, to, "receive what was sent");
    if (!p->failed && pass_fault(p, m)) {
        *q->tail = m;
        q->tail = &m->next;
        q->outstanding += cost(len);
        m = NULL;
        pthread_cond_broadcast(&loop->party[to].wake);
    }
    if (p->failed)
        rv = failure_of(p, err);
    else
        net_count_send(&p->count[stream], len);
    pthread_mutex_unlock(&loop->lock);
    free(m);
    return rv;
}

static struct message *queue_pop(struct queue *q)
{
    struct message *m = q->head;

    q->head = m->next;
    if (!q->head)
        q->tail = &q->head;
    q->outstanding -= cost(m->len);
    return m;
}

static fm_status loop_recv(struct net_transport *t, unsigned stream, unsigned from, void *out,
                           size_t len, struct base_err *err)
{
    struct party *p = (struct party *)t;
    struct net_loop *loop = p->loop;
    struct message *m = NULL;
    struct queue *q;
    struct timespec until;
    fm_status rv = check_args(p, stream, from, err);

    if (rv != FM_OK)
        return rv;
    until = deadline_in(loop->timeout_ms);
    q = &loop->queue[from][t->self][stream];
    pthread_mutex_lock(&loop->lock);
    while (!p->failed && !q->head) {
        q->receiver_waits = true;
        pthread_cond_broadcast(&loop->party[from].wake);
        wait_once(p, &until, from, "send");
    }
    q->receiver_waits = false;
    if (!p->failed) {
        m = queue_pop(q);
        pthread_cond_broadcast(&loop->party[from].wake);
        if (m->len != len) {
            char text[160];
            snprintf(text, sizeof text, "%s sent %zu bytes on stream %u where %zu were due",
                     loop->names[from], m->len, stream, len);
            fail_all(loop, from, FM_E_PEER, text, "message of a wrong length");
        }
    }
    if (p->failed)
        rv = failure_of(p, err);
    else
        net_count_recv(&p->count[stream], len);
    pthread_mutex_unlock(&loop->lock);
    if (rv == FM_OK && len > 0)
        memcpy(out, m->bytes, len);
    free(m);
    return rv;
}

static void loop_abort(struct net_transport *t, const char *reason)
{
    struct party *p = (struct party *)t;
    char text[160];

    snprintf(text, sizeof text, "this party left the session: %s", reason);
    pthread_mutex_lock(&p->loop->lock);
    if (!p->failed)
        fail_all(p->loop, t->self, FM_E_CANCELLED, text, reason);
    pthread_mutex_unlock(&p->loop->lock);
}

static void loop_stats(const struct net_transport *t, struct net_stats *out)
{
    const struct party *p = (const struct party *)t;

    memset(out, 0, sizeof *out);
    pthread_mutex_lock(&p->loop->lock);
    for (unsigned s = 0; s < NET_MAX_STREAMS; s++)
        net_count_add(out, &p->count[s]);
    pthread_mutex_unlock(&p->loop->lock);
}

static const struct net_transport_ops loop_ops = {loop_send, loop_recv, loop_abort, loop_stats};

/* pthread's own init calls fail only for want of memory or kernel support: treated alike. */
static fm_status party_init(struct net_loop *loop, unsigned i, const char *name)
{
    struct party *p = &loop->party[i];
    pthread_condattr_t attr;
    char fallback[16];
    int bad;

    snprintf(fallback, sizeof fallback, "p%u", i);
    if (!(loop->names[i] = strdup(name ? name : fallback)))
        return FM_E_MEMORY;
    p->face = (struct net_transport){.ops = &loop_ops,
                                     .self = i,
                                     .parties = loop->parties,
                                     .names = (const char *const *)loop->names};
    p->loop = loop;
    if (pthread_condattr_init(&attr) != 0)
        return FM_E_MEMORY;
    bad = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    bad |= pthread_cond_init(&p->wake, &attr);
    pthread_condattr_destroy(&attr);
    for (unsigned to = 0; to < NET_MAX_PARTIES; to++)
        for (unsigned s = 0; s < NET_MAX_STREAMS; s++)
            loop->queue[i][to][s].tail = &loop->queue[i][to][s].head;
    return bad ? FM_E_MEMORY : FM_OK;
}

fm_status net_loop_new(struct net_loop **out, unsigned parties, const char *const *names,
                       struct base_err *err)
{
    struct net_loop *loop;

    *out = NULL;
    if (parties < 1 || parties > NET_MAX_PARTIES)
        return base_err_set(err, FM_E_ARG, "%u parties: must be 1 to %d", parties, NET_MAX_PARTIES);
    if (!(loop = calloc(1, sizeof *loop)))
        return base_err_memory(err, "loop transport");
    if (pthread_mutex_init(&loop->lock, NULL) != 0) {
        free(loop);
        return base_err_memory(err, "loop transport");
    }
    loop->timeout_ms = 60000;
    for (unsigned i = 0; i < parties; i++) {
        loop->parties = i + 1;
        if (party_init(loop, i, names ? names[i] : NULL) != FM_OK)
            goto fail;
    }
    for (unsigned i = 0; i < parties; i++)
        loop->party[i].face.parties = parties;
    *out = loop;
    return FM_OK;
fail:
    /* UNTESTED: memory ran out; the last party's condition variable may not exist. */
    loop->parties--;
    free(loop->names[loop->parties]);
    net_loop_free(loop);
    return base_err_memory(err, "loop transport");
}

struct net_transport *net_loop_transport(struct net_loop *loop, unsigned party)
{
    assert(party < loop->parties);
    return &loop->party[party].face;
}

void net_loop_free(struct net_loop *loop)
{
    if (!loop)
        return;
    for (unsigned from = 0; from < loop->parties; from++) {
        for (unsigned to = 0; to < loop->parties; to++)
            for (unsigned s = 0; s < NET_MAX_STREAMS; s++)
                while (loop->queue[from][to][s].head)
                    free(queue_pop(&loop->queue[from][to][s]));
        pthread_cond_destroy(&loop->party[from].wake);
        free(loop->names[from]);
    }
    pthread_mutex_destroy(&loop->lock);
    free(loop);
}

void net_loop_set_timeout_ms(struct net_loop *loop, uint32_t timeout_ms)
{
    loop->timeout_ms = timeout_ms;
}

void net_loop_set_fault(struct net_loop *loop, enum net_loop_fault_kind kind, unsigned party,
                        uint64_t at, uint64_t bit)
{
    assert(party < loop->parties || party == NET_LOOP_ANY);
    loop->fault = (struct fault){true, false, kind, party, at, bit};
}

bool net_loop_fault_fired(struct net_loop *loop)
{
    bool fired;

    pthread_mutex_lock(&loop->lock);
    fired = loop->fault.fired;
    pthread_mutex_unlock(&loop->lock);
    return fired;
}
