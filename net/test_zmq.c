/* Real sockets on loopback: three nodes as threads. */
#include "net/test_zmq.h"

static void messages_go_round(void **state)
{
    struct net_zmq *z[NODES];
    struct net_event e;
    struct base_err err;
    struct book book;
    uint8_t *big = calloc(1, 3 << 20);

    (void)state;
    open_all(&book, z);
    for (int i = 0; i < NODES; i++)
        assert_int_equal(
            net_node_send(net_zmq_node(z[i]), names[(i + 1) % NODES], 77, big, 3 << 20, &err),
            FM_OK);
    for (int i = 0; i < NODES; i++) {
        assert_true(await(z[i], NET_MESSAGE, names[(i + 2) % NODES], &e));
        assert_int_equal(e.type, 77);
        assert_int_equal(e.len, 3 << 20);
    }
    /* A node that closes says so: its peers need no time-out. */
    net_zmq_close(z[1]);
    z[1] = NULL;
    assert_true(await(z[0], NET_PEER_DOWN, "bank_b", &e));
    assert_string_equal(e.why.text, "bank_b closed the connection: shutdown");
    assert_true(await(z[2], NET_PEER_DOWN, "bank_b", NULL));
    close_all(&book, z);
    free(big);
}

/* A worker: sends to and receives from both others, many sizes. */
struct worker {
    struct net_zmq *z;
    unsigned self, stream, rounds;
    size_t size;
    struct net_transport *t;
    struct net_task *task;
    fm_status rv;
    struct base_err err;
    bool wrong;
};

static void work(void *arg)
{
    struct worker *w = arg;
    uint8_t *bytes = malloc(w->size + 1);

    for (unsigned r = 0; w->rv == FM_OK && r < w->rounds; r++) {
        size_t len = w->size * (r % 4) / 3;
        for (unsigned d = 1; w->rv == FM_OK && d < NODES; d++) {
            memset(bytes, (int)(w->self * 100 + w->stream + r), len);
            w->rv = net_send(w->t, w->stream, (w->self + d) % NODES, bytes, len, &w->err);
        }
        for (unsigned d = 1; w->rv == FM_OK && d < NODES; d++) {
            unsigned from = (w->self + d) % NODES;
            w->rv = net_recv(w->t, w->stream, from, bytes, len, &w->err);
            for (size_t i = 0; w->rv == FM_OK && i < len; i++)
                w->wrong |= bytes[i] != (uint8_t)(from * 100 + w->stream + r);
        }
    }
    free(bytes);
}

static struct net_session *open_session(struct net_zmq *z, uint8_t number)
{
    struct net_session_config config = {.descriptor32 = {number},
                                        .parties = NODES,
                                        .names = names,
                                        .deadline_ms = now() + PATIENCE_MS,
                                        .flags = NET_SESSION_TRANSCRIPT};
    struct net_session *s = NULL;
    struct base_err err;

    if (net_node_session_open(net_zmq_node(z), &s, &config, &err) != FM_OK)
        fail_msg("%s", err.text);
    return s;
}

static void run_workers(struct worker *w, struct net_session **s, unsigned streams)
{
    const struct net_waits *waits = net_waits_threads();
    struct base_err err;

    for (unsigned i = 0; i < NODES * streams; i++) {
        w[i].self = i % NODES;
        w[i].stream = i / NODES;
        w[i].t = net_session_transport(s[i % NODES]);
        assert_int_equal(waits->spawn(waits->ctx, &w[i].task, work, &w[i], &err), FM_OK);
    }
}

static void sessions_carry_data(void **state)
{
    static const size_t sizes[] = {48, 90000, 4000000};
    struct net_zmq *z[NODES];
    struct book book;

    (void)state;
    open_all(&book, z);
    for (size_t c = 0; c < sizeof sizes / sizeof *sizes; c++) {
        struct worker w[NODES * 2] = {{0}};
        struct net_session *s[NODES];
        uint8_t sent[NODES][NODES][32], got[NODES][NODES][32];
        struct base_err err;

        for (int i = 0; i < NODES; i++)
            s[i] = open_session(z[i], (uint8_t)(c + 1));
        for (unsigned i = 0; i < NODES * 2; i++)
            w[i] = (struct worker){.size = sizes[c], .rounds = c == 0 ? 400 : 12};
        run_workers(w, s, 2);
        for (unsigned i = 0; i < NODES * 2; i++) {
            net_waits_threads()->join(w[i].task);
            if (w[i].rv != FM_OK)
                fail_msg("%s", w[i].err.text);
            assert_false(w[i].wrong);
        }
        for (unsigned i = 0; i < NODES; i++)
            for (unsigned j = 0; j < NODES; j++)
                if (i != j)
                    assert_int_equal(net_session_transcript(s[i], j, sent[i][j], got[i][j], &err),
                                     FM_OK);
        for (unsigned i = 0; i < NODES; i++)
            for (unsigned j = 0; j < NODES; j++)
                if (i != j)
                    assert_memory_equal(sent[i][j], got[j][i], 32);
        for (int i = 0; i < NODES; i++)
            net_node_session_close(net_zmq_node(z[i]), s[i]);
    }
    close_all(&book, z);
}

static void leaving_is_told_to_all(void **state)
{
    struct worker w[NODES] = {{0}};
    struct net_session *s[NODES];
    struct net_zmq *z[NODES];
    struct net_event e;
    struct book book;

    (void)state;
    open_all(&book, z);
    for (int i = 0; i < NODES; i++)
        s[i] = open_session(z[i], 1);
    for (unsigned i = 0; i < NODES; i++)
        w[i] = (struct worker){.size = 30000, .rounds = i == 1 ? 20 : 1000000};
    run_workers(w, s, 1);
    net_waits_threads()->join(w[1].task);
    net_abort(w[1].t, "revoked");
    for (int i = 0; i < NODES; i += 2) {
        net_waits_threads()->join(w[i].task);
        assert_int_equal(w[i].rv, FM_E_PEER);
        assert_string_equal(w[i].err.text, "bank_b left the session: revoked");
        assert_true(await(z[i], NET_SESSION_ENDED, NULL, &e));
        assert_ptr_equal(e.session, s[i]);
        assert_string_equal(e.why.text, "bank_b left the session: revoked");
    }
    for (int i = 0; i < NODES; i++)
        net_node_session_close(net_zmq_node(z[i]), s[i]);
    close_all(&book, z);
}

static void ports_and_addresses_are_checked(void **state)
{
    struct book book = {{identity(0), identity(1), identity(2)}};
    struct net_zmq *z = open_node(&book, 0, "tcp://127.0.0.1:*"), *other = NULL;
    struct net_zmq_config config = {
        .bind = net_zmq_endpoint(z), .identity = book.id[1], .keys = {key_of, &book}};
    struct net_peer_config nobody = {"bank_b", "tcp://127.0.0.1:1"}, bad = {"bank_c", "nonsense"};
    struct net_event e;
    struct base_err err;

    (void)state;
    assert_int_equal(net_zmq_open(&other, &config, &err), FM_E_CONFLICT);
    assert_non_null(strstr(err.text, net_zmq_endpoint(z)));
    assert_non_null(strstr(err.text, "the port is in use"));
    config.bind = "nonsense";
    assert_int_equal(net_zmq_open(&other, &config, &err), FM_E_ARG);
    config.bind = "tcp://no-such-host.invalid:7";
    assert_int_not_equal(net_zmq_open(&other, &config, &err), FM_OK);
    /* A peer where nobody listens, and one whose endpoint is none. */
    assert_int_equal(net_node_peers_set(net_zmq_node(z), &nobody, 1, &err), FM_OK);
    assert_true(await(z, NET_PEER_REFUSED, "bank_b", &e));
    assert_int_equal(net_node_peers_set(net_zmq_node(z), &bad, 1, &err), FM_OK);
    assert_true(await(z, NET_PEER_REFUSED, "bank_c", &e));
    assert_non_null(strstr(e.why.text, "nonsense"));
    net_zmq_close(z);
    for (int i = 0; i < NODES; i++)
        net_identity_free(book.id[i]);
}
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_go_round),
        cmocka_unit_test(sessions_carry_data),
        cmocka_unit_test(leaving_is_told_to_all),
        cmocka_unit_test(ports_and_addresses_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
