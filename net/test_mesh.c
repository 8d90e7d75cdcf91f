#include "net/test_sim.h"

#include "base/bytes.h"
#include "net/frame.h"

static void peers_come_up(void **state)
{
    struct consortium c;
    struct net_event e;

    (void)state;
    consortium_init(&c, 1);
    pass(&c, 50);
    assert_true(all_up(&c));
    for (int i = 0; i < TEST_NODES; i++) {
        assert_true(saw(c.node[i], NET_PEER_UP, &e));
        assert_true(saw(c.node[i], NET_PEER_UP, NULL));
        assert_false(saw(c.node[i], NET_PEER_DOWN, NULL));
    }
    pass(&c, 120000); /* heartbeats keep it up */
    assert_true(all_up(&c));
    assert_false(saw(c.node[0], NET_PEER_DOWN, NULL));
    net_sim_free(c.sim);
}

static void messages_arrive_whole_and_in_order(void **state)
{
    static const size_t lengths[] = {0,       1,           1000,           (1 << 20) - 2,
                                     1 << 20, 5 * 1000003, NET_CONTROL_MAX};
    uint8_t *bytes = malloc(NET_CONTROL_MAX + 1);
    struct base_err err = {0};
    struct consortium c;

    (void)state;
    assert_non_null(bytes);
    for (size_t i = 0; i <= NET_CONTROL_MAX; i++)
        bytes[i] = (uint8_t)(i * 31 >> 3);
    consortium_init(&c, 2);
    pass(&c, 50);
    drain(&c);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        assert_int_equal(net_node_send(c.node[1], "bank_a", (uint16_t)(700 + i), bytes + i % 2,
                                       lengths[i], &err),
                         FM_OK);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct net_event *e;
        pass(&c, 20);
        e = net_node_event(c.node[0], 0);
        assert_non_null(e);
        assert_int_equal(e->kind, NET_MESSAGE);
        assert_string_equal(e->peer, "bank_b");
        assert_int_equal(e->type, 700 + i);
        assert_int_equal(e->len, lengths[i]);
        assert_memory_equal(e->bytes, bytes + i % 2, e->len);
        net_node_event_done(c.node[0], e);
    }
    assert_int_equal(net_node_send(c.node[1], "bank_a", 1, bytes, NET_CONTROL_MAX + 1, &err),
                     FM_E_LIMIT);
    assert_int_equal(net_node_send(c.node[1], "bank_x", 1, bytes, 1, &err), FM_E_NOT_FOUND);
    net_sim_free(c.sim);
    free(bytes);
}

/* A node that takes no messages holds its peer back, and loses nothing. */
static void queues_are_bounded(void **state)
{
    uint8_t *bytes = calloc(1, 1 << 20);
    struct base_err err = {0};
    struct consortium c;
    unsigned sent = 0, got = 0;

    (void)state;
    consortium_init(&c, 3);
    pass(&c, 50);
    drain(&c);
    while (net_node_send(c.node[2], "bank_a", 9, bytes, 1 << 20, &err) == FM_OK) {
        sent++;
        pass(&c, 5);
        assert_true(sent < 200);
    }
    assert_int_equal(err.code, FM_E_LIMIT);
    assert_non_null(strstr(err.text, "bank_c") ? NULL : strstr(err.text, "bank_a"));
    assert_in_range(sent, 90, 96); /* 32 MiB under way, 64 MiB waiting */
    for (int quiet = 0; quiet < 3; quiet++) {
        pass(&c, 20);
        while (saw(c.node[0], NET_MESSAGE, NULL)) {
            got++;
            quiet = 0;
        }
    }
    assert_int_equal(got, sent);
    net_sim_free(c.sim);
    free(bytes);
}

static void the_dead_are_named_and_come_back(void **state)
{
    struct base_err err = {0};
    struct net_event e;
    struct consortium c;

    (void)state;
    consortium_init(&c, 4);
    pass(&c, 50);
    drain(&c);
    net_sim_kill(c.sim, c.at[1]);
    pass(&c, 10);
    assert_true(saw(c.node[0], NET_PEER_DOWN, &e));
    assert_string_equal(e.peer, "bank_b");
    assert_string_equal(e.why.text, "connection to bank_b: the connection broke");
    assert_true(saw(c.node[2], NET_PEER_DOWN, &e));
    assert_int_equal(net_node_send(c.node[0], "bank_b", 1, "x", 1, &err), FM_E_PEER);
    assert_string_equal(err.text, "bank_b is not connected");
    assert_true(net_node_peer_live(c.node[0], "bank_c"));
    net_sim_free(c.sim);
}

static void silence_ends_and_healing_reconnects(void **state)
{
    struct net_event e;
    struct consortium c;

    (void)state;
    consortium_init(&c, 5);
    pass(&c, 50);
    drain(&c);
    net_sim_cut(c.sim, "bank_a", "bank_b", true);
    pass(&c, 9000);
    assert_true(all_up(&c));
    pass(&c, 2500);
    assert_false(net_node_peer_live(c.node[0], "bank_b"));
    assert_true(saw(c.node[1], NET_PEER_DOWN, &e));
    assert_string_equal(e.why.text, "bank_a has been silent for 10000 ms");
    pass(&c, 60000);
    assert_false(net_node_peer_live(c.node[0], "bank_b"));
    net_sim_cut(c.sim, "bank_a", "bank_b", false);
    pass(&c, 11000);
    assert_true(all_up(&c));
    net_sim_free(c.sim);
}

static void rotated_keys_end_the_connection(void **state)
{
    struct net_event e;
    struct consortium c;

    (void)state;
    consortium_init(&c, 6);
    pass(&c, 50);
    drain(&c);
    net_node_recheck(c.node[1]);
    assert_true(all_up(&c));
    net_sim_rotate(c.sim, "bank_a");
    pass(&c, 50);
    assert_true(all_up(&c));
    net_node_recheck(c.node[1]);
    assert_true(saw(c.node[1], NET_PEER_DOWN, &e));
    assert_string_equal(e.why.text, "the key of bank_a is no longer valid");
    pass(&c, 10);
    assert_true(saw(c.node[0], NET_PEER_DOWN, &e));
    assert_string_equal(e.why.text, "bank_b closed the connection: key");
    pass(&c, 20000); /* it dials again, and is refused again and again */
    assert_false(net_node_peer_live(c.node[1], "bank_a"));
    assert_true(saw(c.node[0], NET_PEER_REFUSED, &e));
    assert_string_equal(e.peer, "bank_b");
    assert_true(net_node_peer_live(c.node[2], "bank_b"));
    net_sim_free(c.sim);
}

static void removed_peers_are_gone(void **state)
{
    const struct net_peer_config one = {"bank_b", "bank_b"}, bad = {"Bank", "x"};
    const struct net_peer_config twice[2] = {one, one}, own = {"bank_a", "bank_a"};
    struct base_err err = {0};
    struct net_event e;
    struct consortium c;

    (void)state;
    consortium_init(&c, 7);
    pass(&c, 50);
    drain(&c);
    assert_int_equal(net_node_peers_set(c.node[0], &bad, 1, &err), FM_E_ARG);
    assert_int_equal(net_node_peers_set(c.node[0], &own, 1, &err), FM_E_ARG);
    assert_int_equal(net_node_peers_set(c.node[0], twice, 2, &err), FM_E_ARG);
    assert_true(all_up(&c));
    assert_int_equal(net_node_peers_set(c.node[0], &one, 1, &err), FM_OK);
    pass(&c, 10);
    assert_true(net_node_peer_live(c.node[0], "bank_b"));
    assert_true(saw(c.node[0], NET_PEER_DOWN, &e));
    assert_string_equal(e.peer, "bank_c");
    assert_true(saw(c.node[2], NET_PEER_DOWN, &e));
    assert_string_equal(e.why.text, "bank_a closed the connection: refused");
    net_sim_free(c.sim);
}

/* Strangers: garbage, a flood of hellos, heads that lie. The consortium does not notice. */
static void strangers_disturb_nobody(void **state)
{
    uint8_t junk[400];
    struct consortium c;

    (void)state;
    consortium_init(&c, 8);
    pass(&c, 50);
    drain(&c);
    for (unsigned i = 1; i <= 1000; i++) {
        struct net_head head = {(uint8_t)(i % 4), (uint8_t)(i % 9), (uint8_t)i,
                                sizeof junk - NET_HEAD, i % 3 == 0 ? 0 : i};
        for (size_t j = 0; j < sizeof junk; j++)
            junk[j] = (uint8_t)net_sim_frames(c.sim) ^ (uint8_t)(i * j >> 2);
        net_head_write(junk, &head);
        if (i % 5 == 0) /* the beginning of a TLS hello that never ends */
            memcpy(junk + NET_HEAD, "\x16\x03\x01\x3f\xff\x01\x00\x3f\xfb\x03\x03", 11);
        net_sim_stranger(c.sim, c.at[i % 3], 1 + i % 400, junk, i % 7 ? sizeof junk : i % 50);
        if (i % 100 == 0)
            pass(&c, 3);
    }
    pass(&c, 20000);
    assert_true(all_up(&c));
    for (int i = 0; i < TEST_NODES; i++) {
        struct net_event *e;
        uint64_t told = 0, events = 0;
        for (; (e = net_node_event(c.node[i], 0)); events++) { /* of strangers only, and seldom */
            assert_int_equal(e->kind, NET_STRANGERS);
            told += e->strangers;
            net_node_event_done(c.node[i], e);
        }
        assert_in_range(events, 1, 1 + 20100 / NET_STRANGERS_TELL_MS);
        assert_true(told > 20);
    }
    net_sim_free(c.sim);
}

/* A second node with the same name: without the key it gets nowhere; with the key the newest
 * counts. */
static void only_the_key_makes_the_peer(void **state)
{
    const struct net_peer_config to_b = {"bank_b", "bank_b"};
    struct base_err err = {0};
    struct net_sim_node *heir;
    struct net_event e;
    struct consortium c;

    (void)state;
    consortium_init(&c, 9);
    pass(&c, 50);
    drain(&c);
    /* The name now stands twice in the simulation, and its book says the newer node's key. */
    assert_int_equal(net_sim_node_new(c.sim, &heir, "bank_a", NULL, NULL, &err), FM_OK);
    assert_memory_not_equal(net_sim_node_key(heir), net_sim_node_key(c.at[0]), 32);
    net_node_recheck(c.node[2]); /* bank_c drops the old bank_a, bank_b was not asked */
    pass(&c, 5);
    assert_true(saw(c.node[2], NET_PEER_DOWN, &e));
    assert_true(net_node_peer_live(c.node[1], "bank_a"));
    assert_int_equal(net_node_peers_set(net_sim_node(heir), &to_b, 1, &err), FM_OK);
    pass(&c, 20);
    /* bank_b's newest authenticated connection of that name replaces the older one, and says so. */
    assert_true(saw(c.node[1], NET_PEER_DOWN, &e));
    assert_string_equal(e.why.text, "bank_a opened a newer connection");
    assert_true(saw(c.node[1], NET_PEER_UP, NULL));
    assert_true(net_node_peer_live(net_sim_node(heir), "bank_b"));
    /* The first bank_a dials on, with what is now the wrong key, and disturbs nothing. */
    pass(&c, 30000);
    assert_true(net_node_peer_live(net_sim_node(heir), "bank_b"));
    assert_false(saw(c.node[1], NET_PEER_DOWN, NULL));
    net_sim_free(c.sim);
}

/* One fault at every frame of start-up and of an exchange of messages, of every kind: connections
 * come (back) up, and what arrives is what was sent. */
static void faults_at_every_frame(void **state)
{
    (void)state;
    for (int fault = 0; fault < NET_SIM_FAULTS; fault++) {
        bool fired = true;
        for (uint64_t at = 1; fired; at++) {
            struct base_err err = {0};
            struct consortium c;
            struct net_event *e;
            int dead = 0;

            consortium_init(&c, 1000 + at);
            net_sim_fault(c.sim, (enum net_sim_fault)fault, at);
            pass(&c, 8);
            for (int i = 0; i < TEST_NODES; i++)
                for (int j = 0; j < TEST_NODES; j++)
                    if (i != j &&
                        net_node_send(c.node[i], test_names[j], 5, test_names[i], 6, &err) != FM_OK)
                        assert_int_equal(err.code, FM_E_PEER);
            pass(&c, 40000);
            for (int i = 0; i < TEST_NODES; i++) {
                dead += net_sim_dead(c.at[i]);
                while ((e = net_node_event(c.node[i], 0))) {
                    if (e->kind == NET_MESSAGE) {
                        assert_int_equal(e->len, 6);
                        assert_memory_equal(e->bytes, e->peer, 6);
                    } else if (e->kind == NET_PEER_DOWN && !net_sim_dead(c.at[i])) {
                        assert_non_null(strstr(e->why.text, "bank_"));
                    }
                    net_node_event_done(c.node[i], e);
                }
            }
            fired = net_sim_fault_fired(c.sim) && at < 60;
            if (dead == 0)
                assert_true(all_up(&c));
            net_sim_free(c.sim);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peers_come_up),
        cmocka_unit_test(messages_arrive_whole_and_in_order),
        cmocka_unit_test(queues_are_bounded),
        cmocka_unit_test(the_dead_are_named_and_come_back),
        cmocka_unit_test(silence_ends_and_healing_reconnects),
        cmocka_unit_test(rotated_keys_end_the_connection),
        cmocka_unit_test(removed_peers_are_gone),
        cmocka_unit_test(strangers_disturb_nobody),
        cmocka_unit_test(only_the_key_makes_the_peer),
        cmocka_unit_test(faults_at_every_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
