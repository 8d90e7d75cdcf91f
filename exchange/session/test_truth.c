/* What a party signs and files is what it saw, whatever others would have it say. */
#include "exchange/session/test_steps.h"

/* What a compute party opened before it saw the revocation was opened: it says so, and not that it
 * refused. */
static void a_revocation_after_opening_is_too_late(void **state)
{
    (void)state;
    for (unsigned who = 0; who < 3; who++) {
        struct test_net net;
        steps_begin(&net, SESSION_SETTLING);
        session_on_revoked(net.party[who]->session, "consent.revoked", net.now);
        assert_false(session_may_open(net.party[who]->session));
        test_net_flow(&net);
        test_net_close(&net);
        for (unsigned i = 0; i < STEPS_N; i++)
            steps_require_end(&net, i, FM_OK, NULL);
        test_net_release(&net);
    }
}

/* An asker that keeps the proofs to itself cannot make the others look as if they had filed
 * nothing.
 */
static void who_signed_and_sees_no_close_files_it(void **state)
{
    struct test_net net;

    (void)state;
    steps_begin(&net, SESSION_CLOSING);
    assert_int_equal(net.receipts, 0);
    test_net_pass(&net, 60000); /* nothing becomes final */
    assert_int_equal(net.receipts, STEPS_N - 1);
    test_net_release(&net);
}

/* The asker's word to whoever waits for the answer: none, and where to look for it. If the query
 * had failed before, the close that got lost is the failure's, and that is what it says. */
static void an_asker_that_sees_no_close_says_where_to_look(void **state)
{
    struct test_net net;
    const struct net_party *asker;

    (void)state;
    steps_begin(&net, SESSION_CLOSING);
    test_net_pass(&net, 60000);
    asker = net.party[STEPS_ASKER];
    assert_int_equal(asker->finished, 1);
    assert_int_equal(asker->end.code, FM_E_TIMEOUT);
    assert_non_null(strstr(asker->end.text, "time-out while closing: the answer was computed and "
                                            "everyone signed the receipt"));
    assert_non_null(
        strstr(asker->end.text, "may still become done: firmiana query answer then shows it"));
    test_net_release(&net);

    steps_begin(&net, SESSION_RUNNING);
    session_on_cancel(net.party[STEPS_ASKER]->session, "enough", net.now);
    assert_int_equal(test_net_state(&net, STEPS_ASKER), SESSION_CLOSING);
    test_net_pass(&net, 60000);
    steps_require_end(&net, STEPS_ASKER, FM_E_CANCELLED, "enough");
    test_net_release(&net);
}

static void a_message_of_another_attempt_is_nothing(void **state)
{
    (void)state;
    for (int s = SESSION_INVITED; s <= SESSION_CLOSING; s++) {
        struct test_net net;
        json_t *m = test_net_message("refuse", "outcome", json_string("aborted"));
        steps_begin(&net, (enum session_state)s);
        json_object_set_new(m, "a", json_integer(2));
        test_net_hand(&net, 0, 2, m);
        assert_int_equal(test_net_state(&net, 2), s);
        test_net_release(&net);
    }
}

/* "p2 left", says p0 to p2, which is still here. */
static void nobody_is_talked_into_blaming_itself(void **state)
{
    struct test_net net;
    json_t *m = test_net_message("refuse", "outcome", json_string("aborted"));

    (void)state;
    steps_begin(&net, SESSION_READY);
    json_object_set_new(m, "party", json_string("p2"));
    json_object_set_new(m, "rule", json_string("node.peer"));
    net.blamed[0] = '\0';
    test_net_hand(&net, 0, 2, m);
    assert_int_equal(test_net_state(&net, 2), SESSION_FAILED);
    assert_string_equal(net.blamed, "p0");
    test_net_release(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_revocation_after_opening_is_too_late),
        cmocka_unit_test(who_signed_and_sees_no_close_files_it),
        cmocka_unit_test(an_asker_that_sees_no_close_says_where_to_look),
        cmocka_unit_test(a_message_of_another_attempt_is_nothing),
        cmocka_unit_test(nobody_is_talked_into_blaming_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
