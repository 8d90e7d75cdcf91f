#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "net/loop.h"

enum { PARTIES = 3, ROUNDS = 40 };

static const char *const names[PARTIES] = {"bank_a", "bank_b", "bank_c"};

struct worker {
    pthread_t thread;
    struct net_transport *t;
    unsigned stream;
    fm_status rv;
    bool wrong;
    struct base_err err;
};

/* Every party sends to both others and receives from both, messages of growing length. */
static void *ring(void *arg)
{
    struct worker *w = arg;
    uint8_t out[ROUNDS * 8], in[ROUNDS * 8];

    for (unsigned r = 0; w->rv == FM_OK && r < ROUNDS; r++) {
        memset(out, (int)(w->t->self * 50 + r), r * 8);
        for (unsigned d = 1; w->rv == FM_OK && d < PARTIES; d++)
            w->rv = net_send(w->t, w->stream, (w->t->self + d) % PARTIES, out, r * 8, &w->err);
        for (unsigned d = 1; w->rv == FM_OK && d < PARTIES; d++) {
            unsigned from = (w->t->self + d) % PARTIES;
            w->rv = net_recv(w->t, w->stream, from, in, r * 8, &w->err);
            for (unsigned i = 0; w->rv == FM_OK && i < r * 8; i++)
                w->wrong |= in[i] != (uint8_t)(from * 50 + r);
        }
    }
    if (w->rv != FM_OK)
        net_abort(w->t, "error");
    return NULL;
}

static struct net_loop *loop_of(unsigned parties)
{
    struct base_err err = {0};
    struct net_loop *loop = NULL;

    assert_int_equal(net_loop_new(&loop, parties, names, &err), FM_OK);
    return loop;
}

static void run(struct net_loop *loop, struct worker *w, unsigned streams)
{
    for (unsigned i = 0; i < PARTIES * streams; i++) {
        memset(&w[i], 0, sizeof w[i]);
        w[i].t = net_loop_transport(loop, i % PARTIES);
        w[i].stream = i / PARTIES;
        assert_int_equal(pthread_create(&w[i].thread, NULL, ring, &w[i]), 0);
    }
    for (unsigned i = 0; i < PARTIES * streams; i++)
        pthread_join(w[i].thread, NULL);
}

static void delivers_and_counts(void **state)
{
    struct net_loop *loop = loop_of(PARTIES);
    struct worker w[PARTIES * 4];

    (void)state;
    run(loop, w, 4);
    for (unsigned i = 0; i < PARTIES * 4; i++) {
        assert_int_equal(w[i].rv, FM_OK);
        assert_false(w[i].wrong);
    }
    for (unsigned i = 0; i < PARTIES; i++) {
        struct net_stats s;
        net_stats_get(net_loop_transport(loop, i), &s);
        assert_int_equal(s.bytes_sent, 4 * 2 * 8 * (ROUNDS * (ROUNDS - 1) / 2));
        assert_int_equal(s.bytes_received, s.bytes_sent);
        assert_int_equal(s.messages_sent, 4 * 2 * ROUNDS);
        assert_int_equal(s.rounds, ROUNDS);
    }
    net_loop_free(loop);
}

static void kill_at_every_message(void **state)
{
    (void)state;
    for (uint64_t at = 1;; at++) {
        struct net_loop *loop = loop_of(PARTIES);
        struct worker w[PARTIES];
        bool fired;

        net_loop_set_fault(loop, NET_LOOP_KILL, 1, at, 0);
        run(loop, w, 1);
        fired = net_loop_fault_fired(loop);
        net_loop_free(loop);
        if (!fired) {
            assert_int_equal(at, 2 * ROUNDS + 1);
            return;
        }
        assert_int_equal(w[1].rv, FM_E_CANCELLED);
        for (unsigned i = 0; i < PARTIES; i += 2) {
            /* Before its last message, bank_b has given bank_c all that is due: it may be through.
             */
            if (i == 2 && at == 2 * ROUNDS && w[i].rv == FM_OK)
                continue;
            assert_int_equal(w[i].rv, FM_E_PEER);
            assert_string_equal(w[i].err.text, "bank_b left the session: it died");
        }
    }
}

static void lost_message_is_a_wrong_length(void **state)
{
    struct net_loop *loop = loop_of(PARTIES);
    struct worker w[PARTIES];

    (void)state;
    net_loop_set_fault(loop, NET_LOOP_DROP, 0, 5, 0);
    run(loop, w, 1);
    assert_int_equal(w[1].rv, FM_E_PEER);
    assert_int_equal(w[2].rv, FM_E_PEER);
    assert_true(net_loop_fault_fired(loop));
    net_loop_free(loop);
}

static void altered_bit_arrives(void **state)
{
    struct net_loop *loop = loop_of(PARTIES);
    struct worker w[PARTIES];

    (void)state;
    net_loop_set_fault(loop, NET_LOOP_ALTER, 2, 9, 77);
    run(loop, w, 1);
    assert_true(w[0].wrong != w[1].wrong);
    assert_false(w[2].wrong);
    net_loop_free(loop);
}

static void times_out_with_a_name(void **state)
{
    struct net_loop *loop = loop_of(2);
    struct base_err err = {0};
    uint8_t byte;

    (void)state;
    net_loop_set_timeout_ms(loop, 30);
    assert_int_equal(net_recv(net_loop_transport(loop, 0), 0, 1, &byte, 1, &err), FM_E_TIMEOUT);
    assert_string_equal(err.text, "waited 30 ms for bank_b to send");
    assert_int_equal(net_send(net_loop_transport(loop, 0), 3, 1, &byte, 1, &err), FM_E_TIMEOUT);
    assert_int_equal(net_send(net_loop_transport(loop, 1), 3, 0, &byte, 1, &err), FM_E_PEER);
    assert_string_equal(err.text, "bank_a left the session: timeout");
    net_loop_free(loop);
}

static void window_holds_back(void **state)
{
    struct net_loop *loop = loop_of(2);
    struct net_transport *a = net_loop_transport(loop, 0);
    struct base_err err = {0};
    uint8_t *big = calloc(1, NET_WINDOW_BYTES);

    (void)state;
    assert_non_null(big);
    net_loop_set_timeout_ms(loop, 30);
    assert_int_equal(net_send(a, 0, 1, big, NET_WINDOW_BYTES - 64 * 64, &err), FM_OK);
    assert_int_equal(net_send(a, 1, 1, big, NET_WINDOW_BYTES - 64 * 64, &err), FM_OK);
    for (int i = 0; i < 32; i++)
        assert_int_equal(net_send(a, 0, 1, "", 0, &err), FM_OK);
    assert_int_equal(net_send(a, 0, 1, big, 1, &err), FM_E_TIMEOUT);
    assert_string_equal(err.text, "waited 30 ms for bank_b to receive what was sent");
    net_loop_free(loop);
    free(big);
}

static void bad_arguments_are_refused(void **state)
{
    struct base_err err = {0};
    struct net_loop *loop = NULL;
    uint8_t byte = 0;

    (void)state;
    assert_int_equal(net_loop_new(&loop, 0, NULL, &err), FM_E_ARG);
    assert_int_equal(net_loop_new(&loop, NET_MAX_PARTIES + 1, NULL, &err), FM_E_ARG);
    loop = loop_of(2);
    assert_int_equal(net_send(net_loop_transport(loop, 0), 0, 0, &byte, 1, &err), FM_E_ARG);
    assert_int_equal(net_send(net_loop_transport(loop, 0), 0, 2, &byte, 1, &err), FM_E_ARG);
    assert_int_equal(net_recv(net_loop_transport(loop, 0), NET_MAX_STREAMS, 1, &byte, 1, &err),
                     FM_E_ARG);
    net_abort(net_loop_transport(loop, 0), "cancelled");
    net_abort(net_loop_transport(loop, 0), "again");
    assert_int_equal(net_send(net_loop_transport(loop, 0), 0, 1, &byte, 1, &err), FM_E_CANCELLED);
    assert_string_equal(err.text, "this party left the session: cancelled");
    net_loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delivers_and_counts),
        cmocka_unit_test(kill_at_every_message),
        cmocka_unit_test(lost_message_is_a_wrong_length),
        cmocka_unit_test(altered_bit_arrives),
        cmocka_unit_test(times_out_with_a_name),
        cmocka_unit_test(window_holds_back),
        cmocka_unit_test(bad_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
