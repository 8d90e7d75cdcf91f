/* Real sockets on loopback: strangers, an impostor, and a peer that is a process and is killed or
 * stopped. */
#include "net/node_own.h"
#include "net/test_zmq.h"

#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

/* ZeroMQ strangers with garbage, oversize, several parts and a false identity; and bare TCP. */
static void strangers_disturb_nobody(void **state)
{
    uint8_t *junk = calloc(1, 3 << 20);
    struct net_zmq *z[NODES];
    struct base_err err;
    struct book book;
    void *context = zmq_ctx_new();

    (void)state;
    open_all(&book, z);
    for (int i = 0; i < 40; i++) {
        void *s = zmq_socket(context, ZMQ_DEALER);
        int zero = 0;
        assert_int_equal(zmq_setsockopt(s, ZMQ_LINGER, &zero, sizeof zero), 0);
        if (i % 4 == 3)
            assert_int_equal(zmq_setsockopt(s, ZMQ_ROUTING_ID, "bank_b", 6), 0);
        assert_int_equal(zmq_connect(s, net_zmq_endpoint(z[i % NODES])), 0);
        memset(junk, i, 3 << 20);
        memcpy(junk, (uint8_t[]){1, (uint8_t)(i % 3), 0, 0, 0, 0, 0, 200}, 8);
        for (int k = 0; k < 20; k++) {
            zmq_send(s, junk, k == 19 ? 3 << 20 : 216, k % 5 == 0 ? ZMQ_SNDMORE : 0);
            zmq_send(s, junk, (size_t)k, 0);
        }
        zmq_close(s);
    }
    for (int i = 0; i < NODES; i++)
        for (int j = 0; j < NODES; j++)
            if (i != j)
                assert_int_equal(
                    net_node_send(net_zmq_node(z[i]), names[j], (uint16_t)i, junk, 100, &err),
                    FM_OK);
    for (int i = 0; i < NODES; i++)
        for (int n = 0; n < NODES - 1; n++)
            assert_true(await(z[i], NET_MESSAGE, NULL, NULL));
    for (int i = 0; i < NODES; i++) {
        struct net_event *event;
        while ((event = net_node_event(net_zmq_node(z[i]), 0))) { /* no peer went down */
            assert_int_equal(event->kind, NET_STRANGERS);
            net_node_event_done(net_zmq_node(z[i]), event);
        }
    }
    close_all(&book, z);
    zmq_ctx_term(context);
    free(junk);
}

/* A connection in plain bytes, greeted: ZMTP 3.1, mechanism NULL, a DEALER. */
static int greeted(const char *endpoint)
{
    static const char ready[] = "\4\51\5READY\13Socket-Type\0\0\0\6DEALER\10Identity\0\0\0\0";
    uint8_t greeting[64] = {[0] = 0xff, [9] = 0x7f, [10] = 3, [11] = 1, [12] = 'N', 'U', 'L', 'L'},
            answer[256];
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ssize_t n, got = 0;

    to.sin_port = htons((uint16_t)atoi(strrchr(endpoint, ':') + 1));
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(send(fd, greeting, sizeof greeting, 0), sizeof greeting);
    assert_int_equal(send(fd, ready, sizeof ready - 1, 0), sizeof ready - 1);
    while (got < 64 + 40 && (n = recv(fd, answer, sizeof answer, 0)) > 0)
        got += n;
    return fd;
}

/* While the node is busy more comes than any queue would hold, with pings in between, and then the
 * connection is reset: a ZeroMQ that stops reading because its queue is full handles the rest after
 * the connection is gone, and aborts. */
static void a_burst_before_a_reset_is_borne(void **state)
{
    static const uint8_t frame_and_ping[] = {0, 1, 1, 4, 7, 4, 'P', 'I', 'N', 'G', 0, 0};
    struct linger none = {.l_onoff = 1};
    uint8_t burst[200 * sizeof frame_and_ping];
    struct net_zmq *z[NODES];
    struct base_err err;
    struct book book;

    (void)state;
    open_all(&book, z);
    for (size_t i = 0; i < sizeof burst; i += sizeof frame_and_ping)
        memcpy(burst + i, frame_and_ping, sizeof frame_and_ping);
    for (int turn = 0; turn < 3; turn++) {
        int fd = greeted(net_zmq_endpoint(z[1]));
        net_node_lock(net_zmq_node(z[1])); /* busy: nothing is taken from ZeroMQ */
        assert_int_equal(send(fd, burst, sizeof burst, 0), sizeof burst);
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none), 0);
        close(fd);
        nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL); /* a heartbeat, too */
        net_node_unlock(net_zmq_node(z[1]));
        assert_int_equal(net_node_send(net_zmq_node(z[0]), "bank_b", 5, "x", 1, &err), FM_OK);
        assert_true(await(z[1], NET_MESSAGE, "bank_a", NULL));
    }
    close_all(&book, z);
}

/* The child: a whole node as a process, which reads the parent's endpoint and works until killed.
 */
static void child(int from_parent, int to_parent)
{
    struct book book = {{identity(0), identity(1), identity(2)}};
    struct net_zmq *z = open_node(&book, 0, "tcp://127.0.0.1:*");
    struct net_peer_config peer = {"bank_b", NULL};
    const size_t size = 100000;
    char endpoint[256] = "";
    struct base_err err;

    if (read(from_parent, endpoint, sizeof endpoint - 1) <= 0)
        _exit(1);
    peer.endpoint = endpoint;
    if (net_node_peers_set(net_zmq_node(z), &peer, 1, &err) != FM_OK ||
        !await(z, NET_PEER_UP, "bank_b", NULL) || write(to_parent, "u", 1) != 1)
        _exit(1);
    for (;;) {
        uint8_t *bytes = calloc(1, size);
        if (net_node_send(net_zmq_node(z), "bank_b", 1, bytes, size, &err) != FM_OK)
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        free(bytes);
    }
}

/* A node as a process that works, and then gets this signal: how long until its peer says so, and
 * what it says. */
static void a_process_gets(int signal, struct net_event *e, int64_t *took_ms)
{
    struct book book = {{identity(0), identity(1), identity(2)}};
    struct net_peer_config peer = {"bank_a", NULL};
    int down[2], up[2], status;
    struct base_err err;
    struct net_zmq *z;
    int64_t began;
    pid_t pid;

    assert_int_equal(pipe(down), 0);
    assert_int_equal(pipe(up), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        child(down[0], up[1]);
    z = open_node(&book, 1, "tcp://127.0.0.1:*");
    assert_int_equal(net_node_peers_set(net_zmq_node(z), &peer, 1, &err), FM_OK);
    assert_true(write(down[1], net_zmq_endpoint(z), strlen(net_zmq_endpoint(z))) > 0);
    assert_true(await(z, NET_PEER_UP, "bank_a", NULL));
    for (int i = 0; i < 50; i++)
        assert_true(await(z, NET_MESSAGE, "bank_a", NULL));
    began = now();
    kill(pid, signal);
    assert_true(await(z, NET_PEER_DOWN, "bank_a", e));
    *took_ms = now() - began;
    print_message("down after %d ms: %s\n", (int)*took_ms, e->why.text);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    net_zmq_close(z);
    for (int i = 0; i < NODES; i++)
        net_identity_free(book.id[i]);
    close(up[0]);
    close(up[1]);
    close(down[0]);
    close(down[1]);
}

static void a_killed_process_is_noticed(void **state)
{
    struct net_event e;
    int64_t took_ms;

    (void)state;
    a_process_gets(SIGKILL, &e, &took_ms);
    assert_in_range(took_ms, 0, timing.silence_ms - 1);
}

/* Its connections stand, and the kernel goes on taking bytes for it: only silence tells. */
static void a_stopped_process_is_noticed(void **state)
{
    struct net_event e;
    int64_t took_ms;

    (void)state;
    a_process_gets(SIGSTOP, &e, &took_ms);
    assert_in_range(took_ms, timing.silence_ms - 500, timing.silence_ms + 1000);
}

/* Has bank_a's name, and a key of its own. */
static void an_impostor_stays_out(void **state)
{
    uint8_t seed[32] = {99};
    struct net_peer_config peers[2] = {{"bank_a", NULL}};
    struct net_zmq *z[NODES], *impostor;
    struct book book, false_book;
    struct net_event e;
    struct base_err err;

    (void)state;
    open_all(&book, z);
    false_book = book;
    assert_int_equal(net_identity_from_seed(&false_book.id[0], names[0], seed, &err), FM_OK);
    impostor = open_node(&false_book, 0, "tcp://127.0.0.1:*");
    peers[0] = (struct net_peer_config){"bank_b", net_zmq_endpoint(z[1])};
    peers[1] = (struct net_peer_config){"bank_c", net_zmq_endpoint(z[2])};
    assert_int_equal(net_node_peers_set(net_zmq_node(impostor), peers, 2, &err), FM_OK);
    for (int i = 0; i < 4; i++) {
        assert_true(await(impostor, NET_PEER_REFUSED, NULL, &e));
        print_message("the impostor hears: %s\n", e.why.text);
    }
    assert_false(net_node_peer_live(net_zmq_node(impostor), "bank_b"));
    for (int i = 1; i < NODES;
         i++) { /* the real one was not disturbed, and the node knows of the other */
        struct net_event *event = net_node_event(net_zmq_node(z[i]), 0);
        assert_true(net_node_peer_live(net_zmq_node(z[i]), "bank_a"));
        assert_non_null(event);
        assert_int_equal(event->kind, NET_STRANGERS);
        assert_string_equal(event->why.text,
                            "127.0.0.1: the certificate's key is not bank_a's registered key");
        net_node_event_done(net_zmq_node(z[i]), event);
        assert_null(net_node_event(net_zmq_node(z[i]), 0));
    }
    net_zmq_close(impostor);
    net_identity_free(false_book.id[0]);
    close_all(&book, z);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_killed_process_is_noticed), /* first: it forks */
        cmocka_unit_test(a_stopped_process_is_noticed),
        cmocka_unit_test(a_burst_before_a_reset_is_borne),
        cmocka_unit_test(an_impostor_stays_out),
        cmocka_unit_test(strangers_disturb_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
