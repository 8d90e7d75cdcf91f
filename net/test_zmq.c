/* Real sockets on loopback: three nodes as threads, and one as a process that is killed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#include "net/zmq.h"

enum { NODES = 3, PATIENCE_MS = 20000 };

static const char *const names[NODES] = {"bank_a", "bank_b", "bank_c"};

static struct net_identity *identity(int i)
{
    struct net_identity *id = NULL;
    struct base_err err;
    uint8_t seed[32] = {(uint8_t)(i + 1)};

    assert_int_equal(net_identity_from_seed(&id, names[i], seed, &err), FM_OK);
    return id;
}

struct book {
    struct net_identity *id[NODES];
};

static bool key_of(void *ctx, const char *peer, uint8_t out32[NET_KEY])
{
    const struct book *book = ctx;

    for (int i = 0; i < NODES; i++)
        if (strcmp(names[i], peer) == 0) {
            memcpy(out32, net_identity_key(book->id[i]), NET_KEY);
            return true;
        }
    return false;
}

static const struct net_timing timing = {.heartbeat_ms = 200,
                                         .silence_ms = 3000,
                                         .handshake_ms = 2000,
                                         .redial_min_ms = 20,
                                         .redial_max_ms = 200};

static struct net_zmq *open_node(struct book *book, int i, const char *bind)
{
    struct net_zmq_config config = {
        .bind = bind, .identity = book->id[i], .keys = {key_of, book}, .timing = timing};
    struct net_zmq *z = NULL;
    struct base_err err;

    if (net_zmq_open(&z, &config, &err) != FM_OK)
        fail_msg("%s", err.text);
    return z;
}

/* Everybody knows everybody; the smaller names dial. */
static void introduce(struct net_zmq *const *z)
{
    struct base_err err;

    for (int i = 0; i < NODES; i++) {
        struct net_peer_config peers[NODES];
        size_t n = 0;
        for (int j = 0; z[i] && j < NODES; j++)
            if (j != i && z[j])
                peers[n++] = (struct net_peer_config){names[j], net_zmq_endpoint(z[j])};
        if (z[i])
            assert_int_equal(net_node_peers_set(net_zmq_node(z[i]), peers, n, &err), FM_OK);
    }
}

static int64_t now(void)
{
    return base_clock_mono_ms(base_clock_system());
}

/* Waits for an event of this kind about this peer, through the descriptor as a node does. */
static bool await(struct net_zmq *z, enum net_event_kind kind, const char *peer,
                  struct net_event *out)
{
    int64_t end = now() + PATIENCE_MS;

    while (now() < end) {
        struct pollfd p = {.fd = net_zmq_fd(z), .events = POLLIN};
        struct net_event *e;
        bool found;
        poll(&p, 1, (int)(end - now()));
        e = net_node_event(net_zmq_node(z), 0);
        found = e && e->kind == kind && (!peer || strcmp(e->peer, peer) == 0);
        if (found && out)
            *out = *e;
        net_node_event_done(net_zmq_node(z), e);
        if (found)
            return true;
    }
    return false;
}

static void open_all(struct book *book, struct net_zmq **z)
{
    for (int i = 0; i < NODES; i++)
        book->id[i] = identity(i);
    for (int i = 0; i < NODES; i++)
        z[i] = open_node(book, i, "tcp://127.0.0.1:*");
    introduce(z);
    for (int i = 0; i < NODES; i++)
        for (int n = 0; n < NODES - 1; n++)
            assert_true(await(z[i], NET_PEER_UP, NULL, NULL));
}

static void close_all(struct book *book, struct net_zmq **z)
{
    for (int i = 0; i < NODES; i++) {
        net_zmq_close(z[i]);
        net_identity_free(book->id[i]);
    }
}

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
        struct net_event *e = net_node_event(net_zmq_node(z[i]), 0);
        assert_null(e); /* no peer went down */
    }
    close_all(&book, z);
    zmq_ctx_term(context);
    free(junk);
}

/* The child: a whole node as a process, which reads the parent's endpoint and works until killed.
 */
static void child(int from_parent, int to_parent)
{
    struct book book = {{identity(0), identity(1), identity(2)}};
    struct net_zmq *z = open_node(&book, 0, "tcp://127.0.0.1:*");
    struct net_peer_config peer = {"bank_b", NULL};
    struct worker w = {.size = 100000, .rounds = 1000000};
    char endpoint[256] = "";
    struct base_err err;

    if (read(from_parent, endpoint, sizeof endpoint - 1) <= 0)
        _exit(1);
    peer.endpoint = endpoint;
    if (net_node_peers_set(net_zmq_node(z), &peer, 1, &err) != FM_OK ||
        !await(z, NET_PEER_UP, "bank_b", NULL) || write(to_parent, "u", 1) != 1)
        _exit(1);
    for (;;) {
        uint8_t *bytes = calloc(1, w.size);
        if (net_node_send(net_zmq_node(z), "bank_b", 1, bytes, w.size, &err) != FM_OK)
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        free(bytes);
    }
}

static void a_killed_process_is_noticed(void **state)
{
    struct book book = {{identity(0), identity(1), identity(2)}};
    struct net_peer_config peer = {"bank_a", NULL};
    int down[2], up[2], status;
    struct net_event e;
    struct base_err err;
    struct net_zmq *z;
    int64_t began;
    pid_t pid;

    (void)state;
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
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    assert_true(await(z, NET_PEER_DOWN, "bank_a", &e));
    print_message("down after %d ms: %s\n", (int)(now() - began), e.why.text);
    assert_true(now() - began < timing.silence_ms + 1000);
    net_zmq_close(z);
    for (int i = 0; i < NODES; i++)
        net_identity_free(book.id[i]);
    close(up[0]);
    close(up[1]);
    close(down[0]);
    close(down[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_killed_process_is_noticed),
        cmocka_unit_test(messages_go_round),
        cmocka_unit_test(sessions_carry_data),
        cmocka_unit_test(leaving_is_told_to_all),
        cmocka_unit_test(ports_and_addresses_are_checked),
        cmocka_unit_test(strangers_disturb_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
