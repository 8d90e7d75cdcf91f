#include "net/test_sim.h"

#include <stdio.h>

#include "net/reason.h"
#include "net/session_own.h"

/* Parties that all send to and receive from one another on two streams, and check what they get. */
struct party {
    struct consortium *c;
    int self;
    unsigned rounds;
    size_t unit;         /* message r has r * unit bytes */
    uint32_t delay_ms;   /* before opening: frames of the others come early */
    int64_t deadline_ms; /* after opening */
    const char *leave;   /* leave with this word after half the rounds; NULL: stay */
    unsigned flags;
    fm_status rv, second; /* of the two streams */
    struct base_err err, second_err;
    bool wrong;
    uint8_t sent[TEST_NODES][32], received[TEST_NODES][32];
    struct net_stats stats;
    struct net_session *session;
};

static uint8_t pattern(int from, int to, unsigned stream, unsigned round, size_t at)
{
    return (uint8_t)(from * 71 + to * 37 + (int)(stream * 13 + round * 5) + (int)(at ^ at >> 9));
}

static fm_status exchange(struct party *p, unsigned stream, struct base_err *err)
{
    struct net_transport *t = net_session_transport(p->session);
    uint8_t *bytes = malloc(p->rounds * p->unit + 1);
    fm_status rv = FM_OK;

    assert_non_null(bytes);
    for (unsigned r = 0; rv == FM_OK && r < p->rounds; r++) {
        size_t len = r * p->unit;
        if (p->leave && stream == 0 && r == p->rounds / 2)
            net_abort(t, p->leave);
        for (int d = 1; rv == FM_OK && d < TEST_NODES; d++) {
            int to = (p->self + d) % TEST_NODES;
            for (size_t i = 0; i < len; i++)
                bytes[i] = pattern(p->self, to, stream, r, i);
            rv = net_send(t, stream, (unsigned)to, bytes, len, err);
        }
        for (int d = 1; rv == FM_OK && d < TEST_NODES; d++) {
            int from = (p->self + d) % TEST_NODES;
            rv = net_recv(t, stream, (unsigned)from, bytes, len, err);
            for (size_t i = 0; rv == FM_OK && i < len; i++)
                p->wrong |= bytes[i] != pattern(from, p->self, stream, r, i);
        }
    }
    free(bytes);
    return rv;
}

static void second_stream(void *arg)
{
    struct party *p = arg;

    p->second = exchange(p, 63, &p->second_err);
}

/* Waits until all peers are up, or time is over. */
static fm_status open_session(struct party *p)
{
    struct net_node *node = p->c->node[p->self];
    const struct base_clock *clock = net_sim_clock(p->c->sim);
    struct net_session_config config = {
        .descriptor32 = {42}, .parties = TEST_NODES, .names = test_names, .flags = p->flags};
    int64_t end = base_clock_mono_ms(clock) + 20000;
    fm_status rv;

    net_sim_sleep(p->c->sim, p->delay_ms);
    do {
        struct net_event *e = net_node_event(node, base_clock_mono_ms(clock) + 100);
        net_node_event_done(node, e);
        config.deadline_ms = base_clock_mono_ms(clock) + p->deadline_ms;
        rv = net_node_session_open(node, &p->session, &config, &p->err);
    } while (rv == FM_E_PEER && base_clock_mono_ms(clock) < end);
    return rv;
}

static void play(void *arg)
{
    struct party *p = arg;
    struct net_node *node = p->c->node[p->self];
    struct net_task *task;
    struct base_err err;

    p->rv = p->second = open_session(p);
    if (p->rv != FM_OK)
        return;
    assert_int_equal(
        net_node_waits(node)->spawn(net_node_waits(node)->ctx, &task, second_stream, p, &err),
        FM_OK);
    p->rv = exchange(p, 0, &p->err);
    net_node_waits(node)->join(task);
    for (unsigned i = 0; i < TEST_NODES; i++)
        if (i != (unsigned)p->self && (p->flags & NET_SESSION_TRANSCRIPT))
            assert_int_equal(
                net_session_transcript(p->session, i, p->sent[i], p->received[i], &err), FM_OK);
    net_stats_get(net_session_transport(p->session), &p->stats);
    net_node_session_close(node, p->session);
}

static void parties_init(struct party *p, struct consortium *c, unsigned rounds, size_t unit)
{
    for (int i = 0; i < TEST_NODES; i++)
        p[i] = (struct party){.c = c,
                              .self = i,
                              .rounds = rounds,
                              .unit = unit,
                              .deadline_ms = 30000,
                              .flags = NET_SESSION_TRANSCRIPT};
}

static void play_all(struct consortium *c, struct party *p)
{
    struct base_err err = {0};

    for (int i = 0; i < TEST_NODES; i++)
        assert_int_equal(net_sim_spawn(c->sim, play, &p[i], &err), FM_OK);
    if (net_sim_run(c->sim, 200000, &err) != FM_OK)
        fail_msg("%s", err.text);
}

static void check_all_well(const struct party *p)
{
    for (int i = 0; i < TEST_NODES; i++) {
        if (p[i].rv != FM_OK || p[i].second != FM_OK)
            fail_msg("party %d: %s / %s", i, p[i].err.text, p[i].second_err.text);
        assert_false(p[i].wrong);
        for (int j = 0; j < TEST_NODES; j++)
            if (i != j)
                assert_memory_equal(p[i].sent[j], p[j].received[i], 32);
    }
}

static void data_arrives_and_transcripts_agree(void **state)
{
    /* unit * rounds passes the frame's size, and all sent the window. */
    static const struct {
        unsigned rounds;
        size_t unit;
    } cases[] = {{20, 37}, {6, 600000}, {18, 262144}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned n = cases[i].rounds;
        struct consortium c;
        struct party p[TEST_NODES];
        consortium_init(&c, 20 + i);
        net_sim_latency(c.sim, 1, 5);
        parties_init(p, &c, n, cases[i].unit);
        play_all(&c, p);
        check_all_well(p);
        for (int j = 0; j < TEST_NODES; j++) {
            uint64_t bytes = 2 * 2 * cases[i].unit * n * (n - 1) / 2;
            assert_int_equal(p[j].stats.bytes_sent, bytes);
            assert_int_equal(p[j].stats.bytes_received, bytes);
            assert_int_equal(p[j].stats.messages_sent, 2 * 2 * n);
            assert_int_equal(p[j].stats.rounds, n);
        }
        assert_memory_not_equal(p[0].sent[1], p[0].sent[2], 32);
        net_sim_free(c.sim);
    }
}

static void early_frames_wait(void **state)
{
    struct consortium c;
    struct party p[TEST_NODES];

    (void)state;
    consortium_init(&c, 30);
    parties_init(p, &c, 10, 50000);
    p[2].delay_ms = 5000;
    play_all(&c, p);
    check_all_well(p);
    net_sim_free(c.sim);
    /* ... but not for ever: then all parties that waited are told. */
    consortium_init(&c, 31);
    parties_init(p, &c, 10, 50000);
    p[2].delay_ms = 15000;
    play_all(&c, p);
    assert_int_equal(p[0].rv, FM_E_PEER);
    assert_string_equal(p[0].err.text, "bank_c left the session: unexpected");
    assert_int_equal(p[2].rv, FM_E_CONFLICT);
    net_sim_free(c.sim);
}

static void leavers_are_named_everywhere(void **state)
{
    static const char *const words[] = {"cancelled", "check", "revoked", "nonsense"};

    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct consortium c;
        struct party p[TEST_NODES];
        char text[80];
        consortium_init(&c, 40 + i);
        parties_init(p, &c, 10, 1000);
        p[1].leave = words[i];
        play_all(&c, p);
        snprintf(text, sizeof text, "bank_b left the session: %s", i < 3 ? words[i] : "error");
        assert_int_equal(p[1].rv, FM_E_CANCELLED);
        assert_int_equal(p[1].second, FM_E_CANCELLED);
        for (int j = 0; j < TEST_NODES; j += 2) {
            assert_int_equal(p[j].rv, FM_E_PEER);
            assert_string_equal(p[j].err.text, text);
            assert_string_equal(p[j].second_err.text, text);
        }
        net_sim_free(c.sim);
    }
}

static void deadlines_name_who_was_waited_for(void **state)
{
    struct consortium c;
    struct party p[TEST_NODES];

    (void)state;
    consortium_init(&c, 50);
    parties_init(p, &c, 10, 1000);
    p[2].delay_ms = 9000;
    p[0].deadline_ms = 3000;
    play_all(&c, p);
    assert_int_equal(p[0].rv, FM_E_TIMEOUT);
    assert_string_equal(p[0].err.text,
                        "the session's deadline passed while waiting for bank_c to send");
    assert_int_equal(p[1].rv, FM_E_PEER);
    assert_string_equal(p[1].err.text, "bank_c left the session: timeout (says bank_a)");
    assert_int_equal(p[2].rv, FM_E_PEER);
    net_sim_free(c.sim);
}

struct lonely {
    struct consortium *c;
    int self, peer, what;
    fm_status rv;
    struct base_err err;
};

/* Half-hearted parties: a message of another length, an empty close, an endless flood. */
static void lonely(void *arg)
{
    struct lonely *l = arg;
    struct net_session_config config = {
        .descriptor32 = {7}, .parties = 2, .names = test_names, .deadline_ms = 100000};
    uint8_t *bytes = calloc(1, 1 << 20);
    struct net_session *s;
    struct net_transport *t;

    l->rv = net_node_session_open(l->c->node[l->self], &s, &config, &l->err);
    assert_int_equal(l->rv, FM_OK);
    t = net_session_transport(s);
    if (l->what == 0)
        l->rv = net_send(t, 1, (unsigned)l->peer, bytes, 9, &l->err);
    else if (l->what == 1)
        l->rv = net_recv(t, 1, (unsigned)l->peer, bytes, 8, &l->err);
    else if (l->what == 2)
        while (l->rv == FM_OK)
            l->rv = net_send(t, 1, (unsigned)l->peer, bytes, 1 << 20, &l->err);
    else if (l->what == 3)
        net_sim_sleep(l->c->sim, 50000);
    if (l->what != 4)
        net_sim_sleep(l->c->sim, 100);
    net_node_session_close(l->c->node[l->self], s);
    free(bytes);
}

static void two(struct consortium *c, struct lonely *a, struct lonely *b, int what_a, int what_b)
{
    struct base_err err = {0};

    consortium_init(c, 60);
    pass(c, 50);
    *a = (struct lonely){c, 0, 1, what_a, FM_OK, {0}};
    *b = (struct lonely){c, 1, 0, what_b, FM_OK, {0}};
    assert_int_equal(net_sim_spawn(c->sim, lonely, a, &err), FM_OK);
    assert_int_equal(net_sim_spawn(c->sim, lonely, b, &err), FM_OK);
    assert_int_equal(net_sim_run(c->sim, 200000, &err), FM_OK);
    net_sim_free(c->sim);
}

static void unequal_lengths_and_floods_end_it(void **state)
{
    struct consortium c;
    struct lonely a, b;

    (void)state;
    two(&c, &a, &b, 0, 1);
    assert_int_equal(b.rv, FM_E_PEER);
    assert_string_equal(b.err.text,
                        "bank_a sent a message on stream 1 that is not of the 8 bytes due");
    two(&c, &a, &b, 1, 4); /* bank_b closes in peace, having sent nothing */
    assert_int_equal(a.rv, FM_E_PEER);
    assert_string_equal(a.err.text, "bank_b closed its end of the session");
    two(&c, &a, &b, 2, 3); /* bank_b takes nothing: the window fills, and bank_a waits */
    assert_int_equal(a.rv, FM_E_PEER);
    assert_string_equal(a.err.text, "bank_b closed its end of the session");
}

/* A peer that ignores the window is cut off: its connection ends. */
static void overrunning_the_window_is_damage(void **state)
{
    struct net_session_config config = {
        .descriptor32 = {8}, .parties = 2, .names = test_names, .deadline_ms = 100000};
    struct net_head head = {NET_KIND_SEALED, NET_DATA_PART, 5, NET_FRAME_PAYLOAD_MAX, 0};
    struct base_err err = {0};
    struct net_session *s;
    struct consortium c;
    fm_status rv = FM_OK;
    int frames = 0;

    (void)state;
    consortium_init(&c, 61);
    pass(&c, 50);
    assert_int_equal(net_node_session_open(c.node[0], &s, &config, &err), FM_OK);
    for (; rv == FM_OK; frames++) {
        struct net_frame *f = net_frame_new(NET_FRAME_MAX);
        assert_non_null(f);
        net_head_write(f->bytes, &head);
        rv = net_session_deliver(s, 1, f, &head, &err);
    }
    assert_int_equal(frames, 32); /* 31 fit into 32 MiB with their costs */
    assert_int_equal(rv, FM_E_PEER);
    assert_string_equal(err.text, "bank_b overran the window of stream 5");
    head = (struct net_head){NET_KIND_SEALED, NET_WINDOW, 6, 8, 0};
    for (rv = FM_OK, frames = 0; rv == FM_OK; frames++) {
        struct net_frame *f = net_frame_new(NET_HEAD + 8 + NET_TAG);
        net_head_write(f->bytes, &head);
        rv = net_session_deliver(s, 1, f, &head, &err);
    }
    assert_int_equal(frames, NET_WINDOWS_WAITING + 1);
    head = (struct net_head){NET_KIND_SEALED, NET_DATA_END, NET_MAX_STREAMS, 0, 0};
    assert_int_equal(net_session_deliver(s, 1, net_frame_new(NET_HEAD + NET_TAG), &head, &err),
                     FM_E_PEER);
    net_node_session_close(c.node[0], s);
    net_sim_free(c.sim);
}

static void bad_configurations_are_refused(void **state)
{
    static const char *const twice[] = {"bank_a", "bank_a"}, *const others[] = {"bank_b", "bank_c"};
    struct net_session_config config = {.parties = 2, .names = test_names, .deadline_ms = 100000};
    struct base_err err = {0};
    struct net_session *s, *again;
    struct consortium c;

    (void)state;
    consortium_init(&c, 70);
    assert_int_equal(net_node_session_open(c.node[0], &s, &config, &err), FM_E_PEER);
    assert_string_equal(err.text, "bank_b is not connected");
    pass(&c, 50);
    config.names = twice;
    assert_int_equal(net_node_session_open(c.node[0], &s, &config, &err), FM_E_ARG);
    config.names = others;
    assert_int_equal(net_node_session_open(c.node[0], &s, &config, &err), FM_E_ARG);
    config.names = test_names;
    config.parties = NET_MAX_PARTIES + 1;
    assert_int_equal(net_node_session_open(c.node[0], &s, &config, &err), FM_E_ARG);
    config.parties = 2;
    assert_int_equal(net_node_session_open(c.node[0], &s, &config, &err), FM_OK);
    assert_int_equal(net_node_session_open(c.node[0], &again, &config, &err), FM_E_CONFLICT);
    net_node_session_close(c.node[0], s);
    assert_int_equal(net_node_session_open(c.node[0], &s, &config, &err), FM_E_CONFLICT);
    net_sim_free(c.sim);
}

static bool names_someone(const char *text)
{
    return strstr(text, "bank_") || strstr(text, "this node") || strstr(text, "this party");
}

/* The whole path with one fault at every frame in turn, of every kind: right data or a named error,
 * never wrong data, never a hang; a stranger's frame changes nothing at all. */
static void faults_at_every_frame(void **state)
{
    unsigned runs = 0, ended = 0;

    (void)state;
    for (int fault = 0; fault < NET_SIM_FAULTS; fault++) {
        bool fired = true;
        for (uint64_t at = 1; fired; at++, runs++) {
            struct consortium c;
            struct party p[TEST_NODES];
            bool failed = false;
            consortium_init(&c, 5000 + at);
            net_sim_fault(c.sim, (enum net_sim_fault)fault, at);
            parties_init(p, &c, 3, 400);
            play_all(&c, p);
            fired = net_sim_fault_fired(c.sim);
            for (int i = 0; i < TEST_NODES; i++) {
                assert_false(p[i].wrong);
                if (p[i].rv != FM_OK && !names_someone(p[i].err.text))
                    fail_msg("no name in: %s", p[i].err.text);
                if (p[i].second != FM_OK && p[i].rv != FM_OK && p[i].session)
                    assert_string_equal(p[i].err.text, p[i].second_err.text);
                failed |= p[i].rv != FM_OK || p[i].second != FM_OK;
            }
            if (!failed)
                check_all_well(p);
            if (fault == NET_SIM_STRANGER_BEFORE || !fired)
                assert_false(failed);
            ended += failed;
            net_sim_free(c.sim);
        }
    }
    print_message("%u runs, %u of them ended by their fault\n", runs, ended);
    assert_true(ended > runs / 10);
}

/* The same seed gives the same run, to the frame and the millisecond. */
static void runs_repeat(void **state)
{
    uint64_t frames[2];
    int64_t ends[2];

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct consortium c;
        struct party p[TEST_NODES];
        consortium_init(&c, 99);
        net_sim_latency(c.sim, 0, 20);
        parties_init(p, &c, 12, 1000);
        play_all(&c, p);
        check_all_well(p);
        frames[i] = net_sim_frames(c.sim);
        ends[i] = base_clock_mono_ms(net_sim_clock(c.sim));
        net_sim_free(c.sim);
    }
    assert_int_equal(frames[0], frames[1]);
    assert_int_equal(ends[0], ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_arrives_and_transcripts_agree),
        cmocka_unit_test(early_frames_wait),
        cmocka_unit_test(leavers_are_named_everywhere),
        cmocka_unit_test(deadlines_name_who_was_waited_for),
        cmocka_unit_test(unequal_lengths_and_floods_end_it),
        cmocka_unit_test(overrunning_the_window_is_damage),
        cmocka_unit_test(bad_configurations_are_refused),
        cmocka_unit_test(faults_at_every_frame),
        cmocka_unit_test(runs_repeat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
