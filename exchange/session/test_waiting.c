/* Parties that are not ready at once: their node has no room yet, or rows to hash. They say so, the
 * others' patience begins anew, and only the query's own deadline ends it. */
#include "exchange/session/test_steps.h"

#include <stdio.h>

enum { SLOW = 1, STEP_MS = 500, PATIENCE_MS = 15000, SAY_AGAIN_MS = 2000 };

/* All but p1 are ready. */
static void begin(struct test_net *net)
{
    test_net_init(net, STEPS_N, STEPS_ASKER);
    net->party[SLOW]->slow = true;
    net->party[SLOW]->place = 3;
    test_net_open(net);
    test_net_flow(net);
    for (unsigned i = 0; i < STEPS_N; i++)
        assert_int_equal(test_net_state(net, i), i == SLOW ? SESSION_PREPARING : SESSION_READY);
}

static void pass(struct test_net *net, int64_t ms)
{
    for (int64_t t = 0; t < ms; t += STEP_MS) {
        test_net_pass(net, STEP_MS);
        test_net_flow(net);
    }
}

static void who_says_that_it_waits_is_waited_for(void **state)
{
    struct test_net net;

    (void)state;
    begin(&net);
    for (unsigned i = 0; i < STEPS_N; i++) {
        assert_int_equal(session_place_of(net.party[i]->session, SLOW), 3);
        assert_int_equal(session_place_of(net.party[i]->session, 2), 0);
        assert_int_equal(session_ready_of(net.party[i]->session, 2), 1);
        assert_int_equal(session_ready_of(net.party[i]->session, SLOW), 0);
    }
    net.party[SLOW]->place = 0;
    pass(&net, 3 * PATIENCE_MS);
    assert_int_equal(session_place_of(net.party[0]->session, SLOW), 0);
    test_net_prepared(&net, SLOW);
    test_net_flow(&net);
    test_net_done_all(&net);
    test_net_flow(&net);
    test_net_close(&net);
    for (unsigned i = 0; i < STEPS_N; i++)
        steps_require_end(&net, i, FM_OK, NULL);
    test_net_release(&net);
}

static void who_falls_silent_while_it_waits_is_named(void **state)
{
    struct test_net net;

    (void)state;
    begin(&net);
    pass(&net, PATIENCE_MS - SAY_AGAIN_MS);
    net.party[SLOW]->gone = true;
    pass(&net, PATIENCE_MS - SAY_AGAIN_MS);
    assert_int_equal(test_net_state(&net, STEPS_ASKER), SESSION_READY);
    test_net_finish(&net);
    steps_require_end(&net, STEPS_ASKER, FM_E_TIMEOUT, "time-out while ready: waited for p1");
    test_net_release(&net);
}

static void the_deadline_stays(void **state)
{
    struct test_net net;

    (void)state;
    begin(&net);
    pass(&net, NET_QUERY_MS + 2 * STEP_MS);
    for (unsigned i = 0; i < STEPS_N; i++)
        assert_int_not_equal(test_net_state(&net, i), SESSION_READY);
    test_net_finish(&net);
    steps_require_closed(&net, "aborted", "node.timeout", "p1", STEPS_N);
    test_net_release(&net);
}

static void a_refusal_may_come_late(void **state)
{
    struct test_net net;

    (void)state;
    begin(&net);
    net.party[SLOW]->refuse = "dataset.changed";
    pass(&net, PATIENCE_MS);
    test_net_prepared(&net, SLOW);
    test_net_finish(&net);
    steps_require_end(&net, SLOW, FM_E_REFUSED, "dataset.changed: not here");
    steps_require_end(&net, STEPS_ASKER, FM_E_REFUSED, "p1 refused the query: dataset.changed");
    steps_require_closed(&net, "refused", "dataset.changed", "p1", STEPS_N);
    test_net_release(&net);
}

/* What a query was being prepared for may be over by then. */
static void prepared_too_late_is_nothing(void **state)
{
    struct test_net net;

    (void)state;
    begin(&net);
    session_on_cancel(net.party[STEPS_ASKER]->session, "enough", net.now);
    test_net_flow(&net);
    assert_int_equal(test_net_state(&net, SLOW), SESSION_FAILED);
    steps_require_end(&net, SLOW, FM_E_CANCELLED, "cancelled by p0");
    test_net_prepared(&net, SLOW);
    assert_int_equal(test_net_state(&net, SLOW), SESSION_FAILED);
    test_net_finish(&net);
    steps_require_end(&net, STEPS_ASKER, FM_E_CANCELLED, "enough");
    steps_require_closed(&net, "aborted", "asker.cancelled", "p0", STEPS_N);
    test_net_release(&net);
}

/* After its `ready` a party waits for nothing, and what it says of places is not believed blindly.
 */
static void what_is_said_of_waiting_is_bounded(void **state)
{
    struct test_net net;

    (void)state;
    begin(&net);
    test_net_hand(&net, 2, 0, test_net_message("wait", "place", json_integer(7)));
    assert_int_equal(session_place_of(net.party[0]->session, 2), 0);
    test_net_hand(&net, SLOW, 0, test_net_message("wait", "place", json_integer(-7)));
    assert_int_equal(session_place_of(net.party[0]->session, SLOW), 0);
    test_net_hand(&net, SLOW, 0, test_net_message("wait", "place", json_integer(1LL << 40)));
    assert_int_equal(session_place_of(net.party[0]->session, SLOW), 1000);
    test_net_hand(&net, SLOW, 0, test_net_message("wait", NULL, NULL));
    assert_int_equal(session_place_of(net.party[0]->session, SLOW), 0);
    test_net_release(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_says_that_it_waits_is_waited_for),
        cmocka_unit_test(who_falls_silent_while_it_waits_is_named),
        cmocka_unit_test(the_deadline_stays),
        cmocka_unit_test(a_refusal_may_come_late),
        cmocka_unit_test(prepared_too_late_is_nothing),
        cmocka_unit_test(what_is_said_of_waiting_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
