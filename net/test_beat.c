/* A frame that is lost while everybody waits for it: nothing follows it that would not open, so
 * only heartbeats can tell. */
#include <stdio.h>

#include "net/test_sim.h"

enum { ROUNDS = 3, STREAM = 7, DEADLINE_MS = 60000 };

/* One token goes round: at any moment two parties wait for it, and the third sends it. */
struct party {
    struct consortium *c;
    unsigned self;
    fm_status rv;
    struct base_err err;
    int64_t took_ms;
};

static fm_status pass_token(struct party *p, struct net_transport *t)
{
    unsigned next = (p->self + 1) % TEST_NODES, before = (p->self + TEST_NODES - 1) % TEST_NODES;
    uint8_t token[100] = {0};
    fm_status rv = FM_OK;

    for (unsigned r = 0; rv == FM_OK && r < ROUNDS; r++) {
        if (p->self == 0)
            rv = net_send(t, STREAM, next, token, sizeof token, &p->err);
        if (rv == FM_OK)
            rv = net_recv(t, STREAM, before, token, sizeof token, &p->err);
        if (rv == FM_OK && p->self != 0)
            rv = net_send(t, STREAM, next, token, sizeof token, &p->err);
    }
    return rv;
}

static void play(void *arg)
{
    struct party *p = arg;
    const struct base_clock *clock = net_sim_clock(p->c->sim);
    int64_t began = base_clock_mono_ms(clock);
    struct net_session_config config = {.descriptor32 = {9},
                                        .parties = TEST_NODES,
                                        .names = test_names,
                                        .deadline_ms = began + DEADLINE_MS};
    struct net_session *s = NULL;

    p->rv = net_node_session_open(p->c->node[p->self], &s, &config, &p->err);
    if (p->rv == FM_OK)
        p->rv = pass_token(p, net_session_transport(s));
    p->took_ms = base_clock_mono_ms(clock) - began;
    net_sim_sleep(p->c->sim, 3000); /* nobody leaves before the last has the token */
    if (s)
        net_node_session_close(p->c->node[p->self], s);
}

static void run(struct consortium *c, struct party *p, uint64_t lost)
{
    struct base_err err = {0};

    consortium_init(c, 300 + lost);
    pass(c, 500);
    assert_true(all_up(c));
    drain(c);
    if (lost > 0)
        net_sim_fault(c->sim, NET_SIM_LOST, lost);
    for (unsigned i = 0; i < TEST_NODES; i++) {
        p[i] = (struct party){.c = c, .self = i};
        assert_int_equal(net_sim_spawn(c->sim, play, &p[i], &err), FM_OK);
    }
    if (net_sim_run(c->sim, 2 * DEADLINE_MS, &err) != FM_OK)
        fail_msg("%s", err.text);
}

/* Of each frame of the run in turn: all know within two heartbeats, and all name the same
 * connection. */
static void a_lost_token_is_noticed(void **state)
{
    struct consortium c;
    struct party p[TEST_NODES];
    unsigned noticed = 0;
    bool fired = true;

    (void)state;
    run(&c, p, 0);
    for (unsigned i = 0; i < TEST_NODES; i++)
        assert_int_equal(p[i].rv, FM_OK);
    net_sim_free(c.sim);
    for (uint64_t at = 1; fired && at < 100; at++) {
        unsigned by_beat = 0;
        run(&c, p, at);
        fired = net_sim_fault_fired(c.sim);
        for (unsigned i = 0; i < TEST_NODES; i++) {
            assert_in_range(p[i].took_ms, 0, 2 * 1000 + 100);
            by_beat += strstr(p[i].err.text, " frames on stream 7, of which ") != NULL;
            if (p[i].rv != FM_OK)
                assert_non_null(strstr(p[i].err.text, "bank_"));
        }
        noticed += by_beat > 0;
        net_sim_free(c.sim);
    }
    assert_int_equal(noticed, ROUNDS * TEST_NODES); /* each passing of the token */
}

/* What is counted has come: heavy one-way traffic with latency is never taken for a loss. */
static void slow_lines_lose_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct consortium c;
        struct party p[TEST_NODES];
        struct base_err err = {0};
        consortium_init(&c, seed);
        net_sim_latency(c.sim, 200, 900);
        pass(&c, 15000);
        assert_true(all_up(&c));
        drain(&c);
        for (unsigned i = 0; i < TEST_NODES; i++) {
            p[i] = (struct party){.c = &c, .self = i};
            assert_int_equal(net_sim_spawn(c.sim, play, &p[i], &err), FM_OK);
        }
        assert_int_equal(net_sim_run(c.sim, 2 * DEADLINE_MS, &err), FM_OK);
        for (unsigned i = 0; i < TEST_NODES; i++)
            if (p[i].rv != FM_OK)
                fail_msg("%s", p[i].err.text);
        net_sim_free(c.sim);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lost_token_is_noticed),
        cmocka_unit_test(slow_lines_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
