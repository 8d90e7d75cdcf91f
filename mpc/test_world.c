#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mpc/test_world.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

/* A transport around another that keeps, beside every message, how long a chain of messages it
 * ends: a party's clock is the longest chain it has received; a message carries that + 1. */
struct stamp {
    struct stamp *next;
    uint64_t depth;
};

struct meter {
    struct net_transport face; /* first */
    struct net_transport *inner;
    struct world_state *world;
    uint64_t clock;
    struct base_buf trace;
};

struct world_state {
    pthread_mutex_t lock;
    struct stamp *head[WORLD_PARTIES][WORLD_PARTIES];
    struct stamp *tail[WORLD_PARTIES][WORLD_PARTIES];
    uint64_t depth;
    bool trace;
    void (*on_send)(unsigned from, unsigned to, const void *bytes, size_t len);
    struct meter meter[WORLD_PARTIES];
};

static void push_stamp(struct world_state *w, unsigned from, unsigned to, uint64_t depth)
{
    void *p;
    struct stamp *stamp;

    /* not malloc: tests make that fail */
    if (posix_memalign(&p, sizeof(void *), sizeof *stamp) != 0)
        abort();
    stamp = p;
    stamp->next = NULL;
    stamp->depth = depth;
    pthread_mutex_lock(&w->lock);
    if (w->tail[from][to] != NULL)
        w->tail[from][to]->next = stamp;
    else
        w->head[from][to] = stamp;
    w->tail[from][to] = stamp;
    if (depth > w->depth)
        w->depth = depth;
    pthread_mutex_unlock(&w->lock);
}

static uint64_t pop_stamp(struct world_state *w, unsigned from, unsigned to)
{
    struct stamp *stamp;
    uint64_t depth = 0;

    pthread_mutex_lock(&w->lock);
    stamp = w->head[from][to];
    if (stamp != NULL) {
        depth = stamp->depth;
        w->head[from][to] = stamp->next;
        if (stamp->next == NULL)
            w->tail[from][to] = NULL;
        free(stamp);
    }
    pthread_mutex_unlock(&w->lock);
    return depth;
}

static fm_status meter_send(struct net_transport *t, unsigned stream, unsigned to,
                            const void *bytes, size_t len, struct base_err *err)
{
    struct meter *m = (struct meter *)t;

    push_stamp(m->world, t->self, to, m->clock + 1);
    if (m->world->trace)
        base_buf_putf(&m->trace, ">%u:%zu ", to, len);
    if (m->world->on_send != NULL)
        m->world->on_send(t->self, to, bytes, len);
    return net_send(m->inner, stream, to, bytes, len, err);
}

static fm_status meter_recv(struct net_transport *t, unsigned stream, unsigned from, void *out,
                            size_t len, struct base_err *err)
{
    struct meter *m = (struct meter *)t;
    fm_status status = net_recv(m->inner, stream, from, out, len, err);
    uint64_t depth;

    if (status != FM_OK)
        return status;
    depth = pop_stamp(m->world, from, t->self);
    m->clock = depth > m->clock ? depth : m->clock;
    if (m->world->trace)
        base_buf_putf(&m->trace, "<%u:%zu ", from, len);
    return status;
}

static void meter_abort(struct net_transport *t, const char *reason)
{
    net_abort(((struct meter *)t)->inner, reason);
}

static void meter_stats(const struct net_transport *t, struct net_stats *out)
{
    net_stats_get(((const struct meter *)t)->inner, out);
}

static const struct net_transport_ops meter_ops = {meter_send, meter_recv, meter_abort,
                                                   meter_stats};

struct party_run {
    struct world *w;
    struct world_state *state;
    unsigned self;
    world_program *program;
    void *arg;
};

static fm_status seeded_fill(void *ctx, void *out, size_t len, struct base_err *err)
{
    struct test_rng *rng = ctx;
    uint8_t *bytes = out;

    (void)err;
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(rng_next(rng) >> 56);
    return FM_OK;
}

static void *party_main(void *p)
{
    struct party_run *run = p;
    struct world *w = run->w;
    unsigned compute[3] = {0, 1, 2};
    struct mpc_session *s = NULL;
    struct test_rng rng = {w->seed * WORLD_PARTIES + run->self + 1};
    struct base_random seeded = {seeded_fill, &rng};
    struct base_err *err = &w->err[run->self];
    struct mpc_session_config config = {
        .protocol = w->row_of[run->self] != NULL ? w->row_of[run->self] : w->row,
        .transport = w->streams > 1 ? run->state->meter[run->self].inner
                                    : &run->state->meter[run->self].face,
        .compute = compute,
        .context32 = {1, 2, 3},
        .streams = w->streams > 1 ? w->streams : 1,
        .profile = w->profile,
        .random = w->seed != 0 ? &seeded : base_random_system()};
    fm_status status;

    config.compute_len = config.protocol->parties;
    if (w->before != NULL)
        w->before(run->self);
    status = mpc_session_open(&s, &config, err);
    if (status == FM_OK)
        status = run->program(s, run->arg, err);
    if (s != NULL)
        mpc_session_stats(s, &w->stats[run->self]);
    /* mpc itself aborts for all but the caller's mistakes and the tests' own verdicts */
    if (status == FM_E_ARG || status == FM_E_LIMIT || status == FM_E_INVALID)
        net_abort(config.transport, "test");
    mpc_session_close(s);
    if (w->after != NULL)
        w->after(run->self);
    w->status[run->self] = status;
    return NULL;
}

void world_run(struct world *w, world_program *program, void *arg)
{
    struct world_state state = {
        .lock = PTHREAD_MUTEX_INITIALIZER, .trace = w->trace, .on_send = w->on_send};
    struct party_run runs[WORLD_PARTIES];
    pthread_t threads[WORLD_PARTIES];
    struct net_loop *loop;
    struct base_err err;

    w->parties = (w->row_of[0] != NULL ? w->row_of[0] : w->row)->parties + w->outsiders;
    assert_int_equal(net_loop_new(&loop, w->parties, NULL, &err), FM_OK);
    net_loop_set_timeout_ms(loop, w->timeout_ms != 0 ? w->timeout_ms : 20000);
    if (w->fault_at != 0)
        net_loop_set_fault(loop, w->fault_kind, w->fault_party, w->fault_at, w->fault_bit);
    for (unsigned i = 0; i < w->parties; i++) {
        struct meter *m = &state.meter[i];

        m->inner = net_loop_transport(loop, i);
        m->face = *m->inner;
        m->face.ops = &meter_ops;
        m->world = &state;
        base_err_clear(&w->err[i]);
        runs[i] = (struct party_run){w, &state, i, program, arg};
        assert_int_equal(pthread_create(&threads[i], NULL, party_main, &runs[i]), 0);
    }
    for (unsigned i = 0; i < w->parties; i++)
        pthread_join(threads[i], NULL);
    w->fault_fired = net_loop_fault_fired(loop);
    w->depth = state.depth;
    for (unsigned i = 0; i < w->parties; i++) {
        if (w->trace)
            w->traces[i] = strdup(base_buf_cstr(&state.meter[i].trace));
        base_buf_release(&state.meter[i].trace);
        for (unsigned j = 0; j < w->parties; j++)
            while (state.head[i][j] != NULL)
                pop_stamp(&state, i, j);
    }
    net_loop_free(loop);
}

bool world_meets_fault(struct world *w, world_program *program, void *arg)
{
    assert_int_not_equal(w->timeout_ms, 0);
    for (;; w->timeout_ms *= 2) {
        unsigned failed = 0;

        world_run(w, program, arg);
        for (unsigned i = 0; i < w->parties; i++)
            failed += w->status[i] != FM_OK;
        if (w->fault_fired)
            assert_int_equal(failed, w->parties);
        if (w->fault_fired || failed == 0)
            return w->fault_fired;
        assert_true(w->timeout_ms < 100000);
        world_clear(w);
    }
}

void world_must_run(struct world *w, world_program *program, void *arg)
{
    world_run(w, program, arg);
    for (unsigned i = 0; i < w->parties; i++) {
        if (w->status[i] != FM_OK)
            print_error("party %u: %s\n", i, w->err[i].text);
        assert_int_equal(w->status[i], FM_OK);
    }
}

void world_clear(struct world *w)
{
    for (unsigned i = 0; i < WORLD_PARTIES; i++) {
        free(w->traces[i]);
        w->traces[i] = NULL;
    }
}

uint64_t rng_next(struct test_rng *rng)
{
    rng->state ^= rng->state >> 12;
    rng->state ^= rng->state << 25;
    rng->state ^= rng->state >> 27;
    return rng->state * UINT64_C(0x2545F4914F6CDD1D);
}

int64_t rng_value(struct test_rng *rng)
{
    uint64_t r = rng_next(rng);
    uint64_t bit = UINT64_C(1) << (r >> 8) % 64;

    switch (r % 10) {
    case 0:
        return 0;
    case 1:
        return (int64_t)(r >> 40) % 3 - 1;
    case 2:
        return (int64_t)bit;
    case 3:
        return (int64_t)(bit - 1);
    case 4:
        return (int64_t)(0 - bit);
    case 5:
        return r & 16 ? INT64_MAX : INT64_MIN;
    case 6:
        return (int64_t)(~UINT64_C(0) << (r >> 8) % 64 >> (r >> 16) % 64); /* a run of ones */
    default:
        return (int64_t)rng_next(rng);
    }
}

int64_t rng_in(struct test_rng *rng, struct mpc_range range)
{
    uint64_t span = (uint64_t)range.hi - (uint64_t)range.lo;
    uint64_t r = rng_next(rng);

    if (r % 8 == 0)
        return range.lo;
    if (r % 8 == 1)
        return range.hi;
    if (r % 8 == 2 && range.lo <= 0 && range.hi >= 0)
        return 0;
    r = rng_next(rng);
    return (int64_t)((uint64_t)range.lo + (span == UINT64_MAX ? r : r % (span + 1)));
}

fm_status feed(struct mpc_session *s, struct mpc_share **out, unsigned owner, const int64_t *values,
               size_t n, struct mpc_range range, struct base_err *err)
{
    struct mpc_input item = {.domain = MPC_RING64,
                             .owner = owner,
                             .n = n,
                             .range = range,
                             .values = mpc_session_self(s) == owner ? values : NULL};

    return mpc_input(s, out, &item, 1, err);
}

fm_status feed_bits(struct mpc_session *s, struct mpc_share **out, unsigned owner,
                    const uint64_t *values, size_t n, unsigned width, struct base_err *err)
{
    uint64_t *planes = calloc(mpc_plane_words(n) * width + 1, 8);
    struct mpc_input item = {.domain = MPC_BITS,
                             .owner = owner,
                             .n = n,
                             .width = width,
                             .planes = mpc_session_self(s) == owner ? planes : NULL};
    fm_status status;

    if (planes == NULL)
        return base_err_memory(err, "test input");
    mpc_pack(planes, values, n, width);
    status = mpc_input(s, out, &item, 1, err);
    free(planes);
    return status;
}

fm_status tell(const struct mpc_share *x, unsigned to, int64_t *out, struct base_err *err)
{
    struct mpc_session *s = mpc_share_session(x);
    int64_t *place[1] = {mpc_session_self(s) == to ? out : NULL};

    return mpc_reveal(&x, 1, &to, 1, mpc_session_self(s) == to ? place : NULL, err);
}
