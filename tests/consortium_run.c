/* The consortium while it runs: a driver task for each node, and what a story may ask of them. */
#include <stdio.h>

#include "base/bytes.h"
#include "base/json.h"
#include "exchange/node/node_own.h"
#include "tests/consortium.h"

enum { POLL_MS = 5, SPINS = 1000 };

/* ---- time ---- */

static int64_t unix_ms(void *ctx)
{
    const struct consortium *c = ctx;

    return base_clock_unix_ms(net_sim_clock(c->sim)) + c->earlier_ms;
}

static int64_t mono_ms(void *ctx)
{
    const struct consortium *c = ctx;

    return base_clock_mono_ms(net_sim_clock(c->sim));
}

/* ---- a node's task: what loop.c does with sockets and signals ---- */

static void wake(void *ctx)
{
    const struct member *m = ctx;

    net_node_wake(net_sim_node(m->at));
}

/* A node that has ended vouches for nobody. */
static bool key_of(void *ctx, const char *peer, uint8_t out33[NET_KEY])
{
    const struct member *m = ctx;
    struct net_keys keys;

    if (m->node == NULL)
        return false;
    keys = node_keys(m->node);
    return keys.key_of(keys.ctx, peer, out33);
}

static bool must_end(const struct member *m)
{
    return m->c->stopping || net_sim_dead(m->at) || m->fault.code != FM_OK;
}

static void turn(struct member *m)
{
    struct net_node *net = net_sim_node(m->at);
    int64_t wait = node_wait_ms(m->node);
    struct net_event *event;

    /* In the real loop such a node would burn a processor; here time would stand still. */
    m->spins = wait <= 0 ? m->spins + 1 : 0;
    if (m->spins > SPINS)
        consortium_fail(__FILE__, __LINE__, "%s has something to do at once, for ever", m->alias);
    event = net_node_event(net, mono_ms(m->c) + wait);

    for (; event != NULL && !must_end(m); event = net_node_event(net, 0)) {
        node_on_event(m->node, event);
        net_node_event_done(net, event);
    }
    if (must_end(m)) {
        net_node_event_done(net, event);
        return;
    }
    node_on_jobs(m->node);
    node_on_tick(m->node);
    (void)!node_health(m->node, &m->fault);
}

static void drive(void *arg)
{
    struct member *m = arg;
    struct node *node = m->node;

    while (!must_end(m))
        turn(m);
    m->node = NULL; /* from here on nobody asks it anything */
    node_free(node);
    m->ended = true;
}

static void start(struct member *m, struct base_err *err)
{
    struct consortium *c = m->c;
    struct node_config config = {.assertion = m->id.keys.assertion,
                                 .salts = m->id.keys.salts,
                                 .officer = m->id.keys.officer,
                                 .genesis = c->genesis.p,
                                 .genesis_len = c->genesis.len,
                                 .clock = &c->clock,
                                 .random = net_sim_random(c->sim),
                                 .wake = wake,
                                 .wake_ctx = m};
    const struct net_keys keys = {key_of, m};
    char log[HOME_PATH * 2];

    (void)snprintf(config.home.dir, sizeof config.home.dir, "%s", m->dir);
    (void)snprintf(config.home.alias, sizeof config.home.alias, "%s", m->alias);
    (void)snprintf(config.home.data, sizeof config.home.data, "%s/data/%s.db", c->root, m->alias);
    config.home.block_interval_ms = 5;
    (void)snprintf(log, sizeof log, "%s/node.log", m->dir);
    REQUIRE(node_log_open(&m->log, c->loud ? log : NULL, &c->clock, err) == FM_OK);
    config.log = m->log;
    base_err_clear(&m->fault);
    m->ended = false;
    REQUIRE(net_sim_node_with_key(c->sim, &m->at, m->alias,
                                  did_secret_bytes(m->id.keys.authentication), &keys, NULL,
                                  err) == FM_OK);
    config.waits = net_node_waits(net_sim_node(m->at));
    if (node_new(&m->node, &config, err) != FM_OK)
        consortium_fail(__FILE__, __LINE__, "%s: %s", m->alias, err->text);
}

void consortium_revive(struct consortium *c, unsigned who)
{
    struct member *m = &c->members[who];
    struct base_err err = {0};

    while (!m->ended)
        net_sim_sleep(c->sim, POLL_MS);
    node_log_close(m->log);
    start(m, &err);
    REQUIRE(node_attach(m->node, net_sim_node(m->at), &err) == FM_OK);
    REQUIRE(net_sim_spawn(c->sim, drive, m, &err) == FM_OK);
}

static void tell(void *arg)
{
    struct consortium *c = arg;

    c->story(c, c->story_arg);
    c->told = true;
    c->stopping = true;
    for (unsigned i = 0; i < MEMBERS; i++)
        wake(&c->members[i]);
}

/* ---- calls ---- */

struct call {
    struct call *next;
    bool done;
    json_t *value;
    struct base_err err;
};

static void on_progress(void *ctx, const char *text)
{
    (void)ctx;
    REQUIRE(text != NULL);
}

static void on_ok(void *ctx, const json_t *value)
{
    struct call *call = ctx;

    REQUIRE(!call->done); /* nobody is answered twice */
    call->done = true;
    call->value = json_incref((json_t *)(uintptr_t)value);
}

static void on_error(void *ctx, const struct base_err *err)
{
    struct call *call = ctx;

    REQUIRE(!call->done);
    REQUIRE(err->code != FM_OK);
    call->done = true;
    call->err = *err;
}

bool consortium_lives(const struct consortium *c, unsigned who)
{
    return c->members[who].node != NULL && !net_sim_dead(c->members[who].at);
}

fm_status consortium_call(struct consortium *c, unsigned who, json_t *request, uint32_t wait_ms,
                          json_t **value, struct base_err *err)
{
    struct call *call = calloc(1, sizeof *call);
    const struct node_reply reply = {.ctx = call,
                                     .who = {.uid = 1000, .name = "ann", .roles = NODE_ANYONE},
                                     .file = -1,
                                     .progress = on_progress,
                                     .ok = on_ok,
                                     .error = on_error};
    int64_t until = mono_ms(c) + wait_ms;

    REQUIRE(call != NULL);
    REQUIRE(request != NULL);
    call->next = c->calls; /* freed when the run is over: late answers still find it */
    c->calls = call;
    if (consortium_lives(c, who)) {
        node_request(c->members[who].node, request, &reply);
        wake(&c->members[who]);
    }
    json_decref(request);
    while (!call->done && consortium_lives(c, who) && mono_ms(c) < until)
        net_sim_sleep(c->sim, POLL_MS);
    if (value != NULL)
        *value = json_incref(call->value);
    if (!call->done && !consortium_lives(c, who))
        return base_err_set(err, FM_E_CANCELLED, "the node has died");
    if (!call->done)
        return base_err_set(err, FM_E_TIMEOUT, "no answer");
    *err = call->err;
    return err->code;
}

void consortium_must(struct consortium *c, unsigned who, json_t *request, char id65[65])
{
    struct base_err err = {0};
    json_t *value;

    if (consortium_call(c, who, request, 60000, &value, &err) != FM_OK)
        consortium_fail(__FILE__, __LINE__, "%s: %s", c->members[who].alias, err.text);
    if (json_object_get(value, "rule") != NULL)
        consortium_fail(__FILE__, __LINE__, "%s: %s",
                        json_string_value(json_object_get(value, "rule")),
                        json_string_value(json_object_get(value, "detail")));
    if (id65 != NULL)
        (void)snprintf(id65, 65, "%s", json_string_value(json_object_get(value, "id")));
    json_decref(value);
}

/* ---- looking at them ---- */

static unsigned living(const struct consortium *c)
{
    unsigned n = 0;

    for (unsigned i = 0; i < MEMBERS; i++)
        n += consortium_lives(c, i);
    return n;
}

bool consortium_connect(struct consortium *c, uint32_t wait_ms)
{
    int64_t until = mono_ms(c) + wait_ms;

    for (;;) {
        bool all = true;
        for (unsigned i = 0; i < MEMBERS; i++)
            for (size_t k = 0; consortium_lives(c, i) && k < MEMBERS; k++)
                all = all && (k == i || !consortium_lives(c, (unsigned)k) ||
                              node_member_named(c->members[i].node, c->members[k].alias)->up);
        if (all)
            return true;
        if (mono_ms(c) >= until)
            return false;
        net_sim_sleep(c->sim, POLL_MS);
    }
}

static bool settled(const struct consortium *c)
{
    struct ledger_engine_status first = {0}, s;
    bool any = false;

    for (unsigned i = 0; i < MEMBERS; i++) {
        const struct node *node = c->members[i].node;
        if (!consortium_lives(c, i))
            continue;
        ledger_engine_status(node->engine, &s);
        if (!any)
            first = s;
        any = true;
        if (s.height != first.height || s.size != first.size || s.final_height != s.height ||
            node->submissions != NULL)
            return false;
        for (const struct node_query *q = node->queries; q != NULL; q = q->next)
            if (!q->ending || (q->job != NULL && !q->job_seen))
                return false;
    }
    return any;
}

bool consortium_settle(struct consortium *c, uint32_t wait_ms)
{
    int64_t until = mono_ms(c) + wait_ms;

    while (!settled(c)) {
        if (mono_ms(c) >= until)
            return false;
        net_sim_sleep(c->sim, POLL_MS);
    }
    return true;
}

static void root_at(struct base_buf *out, const struct node *node, uint64_t size)
{
    struct base_err err = {0};
    const char *end;

    if (ledger_reader_checkpoint(ledger_chain_reader(node->chain), out, size, &err) != FM_OK)
        consortium_fail(__FILE__, __LINE__, "checkpoint: %s", err.text);
    /* Origin, size and root; which cosignatures a member holds is its own matter. */
    end = strstr(base_buf_cstr(out), "\n\n");
    REQUIRE(end != NULL);
    out->len = (size_t)(end - base_buf_cstr(out));
}

void consortium_check_agreement(struct consortium *c)
{
    struct ledger_engine_status s;
    struct base_buf first = {0};
    uint64_t least = UINT64_MAX;

    if (living(c) == 0)
        return;
    for (unsigned i = 0; i < MEMBERS; i++) {
        if (c->members[i].fault.code != FM_OK)
            consortium_fail(__FILE__, __LINE__, "%s stopped: %s", c->members[i].alias,
                            c->members[i].fault.text);
        if (!consortium_lives(c, i))
            continue;
        ledger_engine_status(c->members[i].node->engine, &s);
        least = s.size < least ? s.size : least;
    }
    for (unsigned i = 0; i < MEMBERS; i++) {
        struct base_buf root = {0};
        if (!consortium_lives(c, i))
            continue;
        root_at(&root, c->members[i].node, least);
        if (first.len == 0)
            base_buf_put(&first, root.p, root.len);
        REQUIRE(root.len == first.len);
        REQUIRE(memcmp(root.p, first.p, first.len) == 0);
        base_buf_release(&root);
    }
    base_buf_release(&first);
}

static fm_status take_value(void *ctx, const char *key, const json_t *value, struct base_err *err)
{
    if (json_object_set(ctx, key, (json_t *)(uintptr_t)value) != 0)
        return base_err_memory(err, key);
    return FM_OK;
}

json_t *consortium_state(struct consortium *c, unsigned who, const char *prefix)
{
    struct ledger_reader *reader = ledger_chain_reader(c->members[who].node->chain);
    struct base_err err = {0};
    json_t *values = json_object();

    if (ledger_reader_list(reader, prefix, take_value, values, &err) != FM_OK)
        consortium_fail(__FILE__, __LINE__, "%s: %s", prefix, err.text);
    return values;
}

/* ---- the run ---- */

static void end_run(struct consortium *c)
{
    for (unsigned i = 0; i < MEMBERS; i++) {
        node_log_close(c->members[i].log);
        c->members[i].log = NULL;
        c->members[i].at = NULL;
    }
    while (c->calls != NULL) {
        struct call *call = c->calls;
        c->calls = call->next;
        json_decref(call->value);
        free(call);
    }
    c->earlier_ms += mono_ms(c);
    net_sim_free(c->sim);
    c->sim = NULL;
}

fm_status consortium_run(struct consortium *c, struct consortium_run *run, struct base_err *err)
{
    fm_status st;

    REQUIRE(net_sim_new(&c->sim, run->seed, err) == FM_OK);
    c->clock = (struct base_clock){unix_ms, mono_ms, c};
    net_sim_latency(c->sim, 1, run->latency_ms > 1 ? run->latency_ms : 1);
    c->stopping = c->told = false;
    c->story = run->story;
    c->story_arg = run->arg;
    for (unsigned i = 0; i < MEMBERS; i++)
        start(&c->members[i], err);
    if (run->fault != NET_SIM_FAULTS)
        net_sim_fault(c->sim, run->fault, run->at);
    for (unsigned i = 0; i < MEMBERS; i++)
        REQUIRE(node_attach(c->members[i].node, net_sim_node(c->members[i].at), err) == FM_OK);
    for (unsigned i = 0; i < MEMBERS; i++)
        REQUIRE(net_sim_spawn(c->sim, drive, &c->members[i], err) == FM_OK);
    REQUIRE(net_sim_spawn(c->sim, tell, c, err) == FM_OK);
    st = net_sim_run(c->sim, run->ms, err);
    run->fired = net_sim_fault_fired(c->sim);
    if (st == FM_OK)
        end_run(c);
    return st;
}
