/* The session's table of states: the way forward, every way down, and the sentence that each ends
 * with. test_faults.c has what the network may do to it. */
#include <stdio.h>

#include "exchange/session/test_steps.h"

/* ---- forward ---- */

static void test_everyone_gets_there(void **state)
{
    (void)state;
    for (unsigned n = 3; n <= NET_PARTIES_MAX; n++)
        for (unsigned asker = 0; asker < n; asker++) {
            struct test_net net;
            test_net_init(&net, n, asker);
            steps_go_to(&net, SESSION_DONE);
            for (unsigned i = 0; i < n; i++) {
                steps_require_end(&net, i, FM_OK, NULL);
                assert_int_equal(net.party[i]->started, 1);
                assert_int_equal(net.party[i]->done_proofs, 1);
                assert_int_equal(net.party[i]->unshared_proofs, 0);
            }
            steps_require_closed(&net, "done", NULL, NULL, n);
            assert_int_equal(net.receipts, 0);
            assert_true(session_may_open(net.party[asker]->session));
            test_net_release(&net);
        }
}

static void test_nothing_starts_before_all_are_ready(void **state)
{
    struct test_net net;

    (void)state;
    steps_begin(&net, SESSION_READY);
    while (net.count > 0) {
        unsigned heard[STEPS_N] = {0}, waiting = net.count;
        for (unsigned i = 0; i < net.count; i++)
            heard[net.wire[i].to]++;
        for (unsigned i = 0; i < STEPS_N; i++)
            assert_int_equal(net.party[i]->started, heard[i] == 0);
        test_net_deliver(&net, waiting - 1);
    }
    test_net_release(&net);
}

/* ---- refusals ---- */

static void test_each_party_may_refuse(void **state)
{
    char text[BASE_ERR_TEXT];

    (void)state;
    for (unsigned who = 0; who < STEPS_N; who++) {
        struct test_net net;
        char alias[8];
        test_net_init(&net, STEPS_N, STEPS_ASKER);
        (void)snprintf(alias, sizeof alias, "p%u", who);
        net.party[who]->refuse = "consent.subject";
        test_net_open(&net);
        test_net_finish(&net);
        if (who == STEPS_ASKER)
            (void)snprintf(text, sizeof text, "consent.subject: not here");
        else
            (void)snprintf(text, sizeof text, "%s refused the query: consent.subject", alias);
        steps_require_end(&net, STEPS_ASKER, FM_E_REFUSED, text);
        steps_require_closed(&net, "refused", "consent.subject", alias,
                             STEPS_N); /* all say: nothing shared */
        assert_true(json_is_false(json_object_get(net.closed, "shared")));
        for (unsigned i = 0; i < STEPS_N; i++)
            assert_int_equal(net.party[i]->started, 0);
        test_net_release(&net);
    }
}

static void test_a_rule_nobody_knows_stays_out_of_the_ledger(void **state)
{
    struct test_net net;

    (void)state;
    steps_begin(&net, SESSION_READY);
    test_net_hand(&net, 1, STEPS_ASKER,
                  json_pack("{s:s,s:s,s:i,s:s,s:s,s:s}", "m", "refuse", "q", "x", "a", 1, "outcome",
                            "refused", "rule", "be rude", "party", "nobody"));
    test_net_finish(&net);
    steps_require_closed(&net, "refused", "node.failed", "p1", steps_truthful(&net));
    test_net_release(&net);
}

/* Who refused is named first, whoever says it first. */
static void test_a_refusal_heard_from_another_names_the_one_that_refused(void **state)
{
    struct test_net net;

    (void)state;
    steps_begin(&net, SESSION_READY);
    test_net_hand(&net, 1, STEPS_ASKER,
                  json_pack("{s:s,s:s,s:i,s:s,s:s,s:s}", "m", "refuse", "q", "x", "a", 1, "outcome",
                            "refused", "rule", "node.memory", "party", "p2"));
    test_net_finish(&net);
    steps_require_end(&net, STEPS_ASKER, FM_E_REFUSED,
                      "p2 refused the query: node.memory, says p1");
    test_net_release(&net);
}

/* ---- computations that fail ---- */

static void test_each_worker_may_fail(void **state)
{
    (void)state;
    for (unsigned who = 0; who < STEPS_N; who++) {
        struct test_net net;
        struct base_err why = {0};
        char alias[8], text[BASE_ERR_TEXT];
        steps_begin(&net, SESSION_RUNNING);
        (void)snprintf(alias, sizeof alias, "p%u", who);
        (void)base_err_set(&why, FM_E_IO, "data.db: disk error");
        net.party[who]->running = false;
        session_on_worker_failed(net.party[who]->session, &why, NULL, net.now);
        test_net_finish(&net);
        steps_require_end(&net, who, FM_E_IO, "data.db: disk error");
        (void)snprintf(text, sizeof text, "%s aborted the query: node.failed", alias);
        if (who != STEPS_ASKER)
            steps_require_end(&net, STEPS_ASKER, FM_E_PEER, text);
        steps_require_closed(&net, "aborted", "node.failed", alias, 1);
        assert_true(json_is_true(json_object_get(net.closed, "shared")));
        for (unsigned i = 0; i < STEPS_N; i++)
            assert_true(net.party[i]->stopped > 0);
        test_net_release(&net);
    }
}

static void test_a_worker_names_its_culprit(void **state)
{
    struct test_net net;
    struct base_err why = {0};

    (void)state;
    steps_begin(&net, SESSION_RUNNING);
    (void)base_err_set(&why, FM_E_PEER, "rep3 open: p2 closed the connection");
    net.party[STEPS_ASKER]->running = false;
    session_on_worker_failed(net.party[STEPS_ASKER]->session, &why, "p2", net.now);
    test_net_finish(&net);
    steps_require_end(&net, STEPS_ASKER, FM_E_PEER, "rep3 open: p2 closed the connection");
    steps_require_closed(&net, "aborted", "node.peer", "p2", 1);
    test_net_release(&net);
}

static void test_a_start_that_fails_may_have_shared(void **state)
{
    (void)state;
    for (unsigned who = 0; who < STEPS_N; who++) {
        struct test_net net;
        test_net_init(&net, STEPS_N, STEPS_ASKER);
        net.party[who]->start_fails = true;
        steps_go_to(&net, SESSION_READY);
        test_net_finish(&net);
        steps_require_end(&net, who, FM_E_IO, "sessions.db: disk full");
        assert_int_equal(net.party[who]->unshared_proofs, 0);
        test_net_release(&net);
    }
}

/* ---- parties that go away ---- */

static void test_a_peer_may_go_down_in_any_state(void **state)
{
    (void)state;
    for (int s = SESSION_INVITED; s <= SESSION_SETTLING; s++)
        for (unsigned gone = 1; gone < STEPS_N; gone++) {
            struct test_net net;
            char text[BASE_ERR_TEXT], alias[8];
            steps_begin(&net, (enum session_state)s);
            net.party[gone]->gone = true;
            while (net.count > 0)
                test_net_drop(&net, 0);
            (void)snprintf(alias, sizeof alias, "p%u", gone);
            (void)snprintf(text, sizeof text, "p%u: the connection broke", gone);
            for (unsigned i = 0; i < STEPS_N; i++)
                if (i != gone)
                    session_on_peer_down(net.party[i]->session, gone, "the connection broke",
                                         net.now);
            test_net_check(&net);
            test_net_finish(&net);
            for (unsigned i = 0; i < STEPS_N; i++)
                if (i != gone)
                    steps_require_end(&net, i, FM_E_PEER, text);
            steps_require_closed(&net, "aborted", "node.peer", alias,
                                 s < SESSION_RUNNING ? STEPS_N - 1 : 1);
            test_net_release(&net);
        }
}

/* Once everybody has signed, nobody is needed any more. */
static void test_a_peer_may_go_down_while_closing(void **state)
{
    struct test_net net;

    (void)state;
    steps_begin(&net, SESSION_CLOSING);
    session_on_peer_down(net.party[STEPS_ASKER]->session, 2, "gone", net.now);
    test_net_check(&net);
    test_net_close(&net);
    steps_require_end(&net, STEPS_ASKER, FM_OK, NULL);
    test_net_release(&net);
}

/* ---- time-outs ---- */

/* Ticks party `who` alone until it is over, at most ms; the virtual time that took. */
static int64_t tick_until_over(struct test_net *net, unsigned who, int64_t ms)
{
    int64_t began = net->now;

    while (net->party[who]->finished == 0 && net->closed == NULL && net->now - began <= ms) {
        net->now += 50;
        session_on_tick(net->party[who]->session, net->now);
        test_net_check(net);
    }
    return net->now - began;
}

static void drop_from(struct test_net *net, unsigned who)
{
    for (unsigned i = 0; i < net->count;)
        if (net->wire[i].from == who)
            test_net_drop(net, i);
        else
            i++;
}

static void test_time_outs_name_who_was_waited_for(void **state)
{
    struct test_net net;

    (void)state;
    steps_begin(&net, SESSION_INVITED); /* the asker never sends openings */
    assert_int_equal(tick_until_over(&net, 2, 100000), 15000);
    steps_require_end(&net, 2, FM_E_TIMEOUT, "time-out while invited: waited for p0");
    test_net_release(&net);

    steps_begin(&net, SESSION_READY);
    drop_from(&net, 2);
    test_net_flow(&net);
    assert_in_range(tick_until_over(&net, 3, 100000), 15000, 15000);
    steps_require_end(&net, 3, FM_E_TIMEOUT, "time-out while ready: waited for p2");
    test_net_release(&net);

    steps_begin(&net, SESSION_RUNNING); /* a computation may take as long as query.open allows */
    assert_int_equal(tick_until_over(&net, 1, 100000), NET_QUERY_MS);
    steps_require_end(&net, 1, FM_E_TIMEOUT, "time-out while running");
    test_net_release(&net);

    steps_begin(&net, SESSION_SETTLING); /* the others may still compute: the same, and then some */
    assert_int_equal(tick_until_over(&net, 3, 100000), NET_QUERY_MS + 15000);
    steps_require_end(&net, 3, FM_E_TIMEOUT, "time-out while settling: waited for p0");
    test_net_release(&net);

    steps_begin(&net, SESSION_SETTLING);
    drop_from(&net, 2); /* its part */
    test_net_flow(&net);
    assert_int_equal(tick_until_over(&net, STEPS_ASKER, 100000), 15000);
    test_net_close(&net);
    steps_require_end(&net, STEPS_ASKER, FM_E_TIMEOUT, "time-out while settling: waited for p2");
    steps_require_closed(&net, "aborted", "node.timeout", "p2", 1);
    test_net_release(&net);

    steps_begin(&net, SESSION_CLOSING); /* what the asker says: test_truth.c */
    for (unsigned i = 0; i < STEPS_N; i++) {
        (void)tick_until_over(&net, i, 0);
        net.now += 30000;
        session_on_tick(net.party[i]->session, net.now);
        if (i != STEPS_ASKER)
            steps_require_end(&net, i, FM_E_TIMEOUT, "time-out while closing");
    }
    test_net_release(&net);
}

static void test_a_missing_proof_is_named(void **state)
{
    struct test_net net;

    (void)state;
    test_net_init(&net, STEPS_N, STEPS_ASKER);
    steps_go_to(&net, SESSION_RUNNING);
    net.party[3]->prove_fails = true;
    test_net_done_all(&net);
    test_net_flow(&net);
    assert_int_equal(test_net_state(&net, STEPS_ASKER), SESSION_SETTLING);
    assert_int_equal(tick_until_over(&net, STEPS_ASKER, 100000), 15000);
    test_net_finish(&net);
    steps_require_end(&net, STEPS_ASKER, FM_E_TIMEOUT, "time-out while settling: waited for p3");
    test_net_release(&net);
}

/* The end of the query's own time bounds every wait before the computation. */
static void test_the_deadline_bounds_patience(void **state)
{
    struct test_net net;

    (void)state;
    test_net_init(&net, STEPS_N, STEPS_ASKER);
    net.now += NET_QUERY_MS - 3000;
    test_net_open(&net);
    assert_int_equal(tick_until_over(&net, STEPS_ASKER, 100000),
                     3000 + 2000); /* and the refund's */
    test_net_finish(&net);
    steps_require_end(&net, STEPS_ASKER, FM_E_TIMEOUT, "time-out while ready: waited for p1");
    test_net_release(&net);
}

/* ---- revocations, cancellations, restarts ---- */

static void test_nothing_is_opened_after_a_revocation(void **state)
{
    (void)state;
    for (int s = SESSION_INVITED; s <= SESSION_SETTLING; s++)
        for (unsigned who = 0; who < STEPS_N; who++) {
            struct test_net net;
            char alias[8];
            steps_begin(&net, (enum session_state)s);
            if (s == SESSION_SETTLING && who < 3) { /* it has opened already: see below */
                test_net_release(&net);
                continue;
            }
            (void)snprintf(alias, sizeof alias, "p%u", who);
            assert_true(session_may_open(net.party[who]->session));
            session_on_revoked(net.party[who]->session, "consent.revoked", net.now);
            assert_false(session_may_open(net.party[who]->session));
            test_net_finish(&net);
            assert_int_equal(net.party[who]->end.code, FM_E_REFUSED);
            assert_string_equal(net.party[who]->end.text,
                                "consent.revoked: what this query rests on no longer holds");
            steps_require_closed(&net, "refused", "consent.revoked", alias, steps_truthful(&net));
            for (unsigned i = 0; i < STEPS_N; i++)
                assert_false(session_may_open(net.party[i]->session));
            test_net_release(&net);
        }
}

static void test_a_revocation_after_all_signed_changes_nothing_but_opening(void **state)
{
    struct test_net net;

    (void)state;
    steps_begin(&net, SESSION_CLOSING);
    session_on_revoked(net.party[1]->session, "consent.revoked", net.now);
    assert_false(session_may_open(net.party[1]->session));
    test_net_close(&net);
    steps_require_end(&net, 1, FM_OK, NULL);
    test_net_release(&net);
}

static void test_anyone_may_cancel(void **state)
{
    (void)state;
    for (int s = SESSION_INVITED; s <= SESSION_SETTLING; s++)
        for (unsigned who = 0; who < STEPS_N; who++) {
            struct test_net net;
            char alias[8];
            steps_begin(&net, (enum session_state)s);
            (void)snprintf(alias, sizeof alias, "p%u", who);
            session_on_cancel(net.party[who]->session, "the node is stopping", net.now);
            test_net_finish(&net);
            steps_require_end(&net, who, FM_E_CANCELLED, "the node is stopping");
            steps_require_closed(&net, "aborted",
                                 who == STEPS_ASKER ? "asker.cancelled" : "node.stopped", alias,
                                 steps_truthful(&net));
            test_net_release(&net);
        }
}

/* A process that started the computation and died: its successor does not know what was sent. */
static void test_a_restarted_party_swears_to_nothing(void **state)
{
    (void)state;
    for (unsigned who = 0; who < STEPS_N; who++)
        for (int before = 0; before <= 1; before++) {
            struct test_net net;
            steps_begin(&net, SESSION_INVITED);
            session_on_restarted(net.party[who]->session, before == 1, net.now);
            test_net_check(&net);
            test_net_finish(&net);
            steps_require_end(&net, who, FM_E_CANCELLED,
                              "this node was restarted while the query was open");
            assert_int_equal(net.party[who]->unshared_proofs > 0, before == 0);
            if (who == STEPS_ASKER)
                assert_int_equal(json_is_true(json_object_get(net.closed, "shared")), before);
            test_net_release(&net);
        }
}

/* ---- what the ledger says ---- */

static void test_a_close_by_the_ledger_ends_everything(void **state)
{
    (void)state;
    for (int s = SESSION_INVITED; s <= SESSION_CLOSING; s++) {
        struct test_net net;
        steps_begin(&net, (enum session_state)s);
        session_on_closed(net.party[2]->session, "aborted", "node.peer", "p1", net.now);
        steps_require_end(&net, 2, FM_E_PEER, "closed as aborted (node.peer, by p1)");
        assert_int_equal(net.party[2]->stopped, 1);
        assert_false(session_may_open(net.party[2]->session));
        test_net_release(&net);
    }
}

static void test_a_late_close_changes_no_end(void **state)
{
    struct test_net net;

    (void)state;
    steps_begin(&net, SESSION_RUNNING);
    session_on_cancel(net.party[1]->session, "the node is stopping", net.now);
    session_on_closed(net.party[1]->session, "done", NULL, NULL, net.now);
    session_on_closed(net.party[1]->session, "aborted", NULL, NULL, net.now);
    session_on_peer_down(net.party[1]->session, 2, "gone", net.now);
    session_on_revoked(net.party[1]->session, "consent.revoked", net.now);
    session_on_cancel(net.party[1]->session, "again", net.now);
    session_on_tick(net.party[1]->session, net.now + 1000000);
    test_net_check(&net);
    steps_require_end(&net, 1, FM_E_CANCELLED, "the node is stopping");
    test_net_release(&net);
}

static void test_a_close_that_the_ledger_does_not_take_is_named(void **state)
{
    struct test_net net;

    (void)state;
    test_net_init(&net, STEPS_N, STEPS_ASKER);
    net.party[STEPS_ASKER]->submit_fails = true;
    steps_go_to(&net, SESSION_SETTLING);
    test_net_flow(&net);
    steps_require_end(&net, STEPS_ASKER, FM_E_REFUSED,
                      "everyone signed the receipt, but query.close cannot be sent, and no answer "
                      "is shown without it: the ledger refuses");
    test_net_release(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everyone_gets_there),
        cmocka_unit_test(test_nothing_starts_before_all_are_ready),
        cmocka_unit_test(test_each_party_may_refuse),
        cmocka_unit_test(test_a_rule_nobody_knows_stays_out_of_the_ledger),
        cmocka_unit_test(test_a_refusal_heard_from_another_names_the_one_that_refused),
        cmocka_unit_test(test_each_worker_may_fail),
        cmocka_unit_test(test_a_worker_names_its_culprit),
        cmocka_unit_test(test_a_start_that_fails_may_have_shared),
        cmocka_unit_test(test_a_peer_may_go_down_in_any_state),
        cmocka_unit_test(test_a_peer_may_go_down_while_closing),
        cmocka_unit_test(test_time_outs_name_who_was_waited_for),
        cmocka_unit_test(test_a_missing_proof_is_named),
        cmocka_unit_test(test_the_deadline_bounds_patience),
        cmocka_unit_test(test_nothing_is_opened_after_a_revocation),
        cmocka_unit_test(test_a_revocation_after_all_signed_changes_nothing_but_opening),
        cmocka_unit_test(test_anyone_may_cancel),
        cmocka_unit_test(test_a_restarted_party_swears_to_nothing),
        cmocka_unit_test(test_a_close_by_the_ledger_ends_everything),
        cmocka_unit_test(test_a_late_close_changes_no_end),
        cmocka_unit_test(test_a_close_that_the_ledger_does_not_take_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
