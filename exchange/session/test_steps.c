#include "exchange/session/test_steps.h"

void steps_go_to(struct test_net *net, enum session_state state)
{
    for (unsigned i = 0; i < net->n; i++)
        net->party[i]->slow = net->party[i]->slow || state == SESSION_PREPARING;
    if (state >= SESSION_PREPARING) {
        test_net_open(net);
        for (unsigned i = 0; i < net->count;)
            if (strcmp(json_string_value(json_object_get(net->wire[i].message, "m")), "openings") ==
                0)
                test_net_deliver(net, i);
            else
                i++;
    }
    if (state >= SESSION_RUNNING)
        test_net_flow(net);
    if (state >= SESSION_SETTLING)
        test_net_done_all(net);
    if (state >= SESSION_CLOSING)
        test_net_flow(net);
    if (state >= SESSION_DONE)
        test_net_close(net);
    for (unsigned i = 0; i < net->n; i++)
        assert_int_equal(test_net_state(net, i), state);
}

void steps_begin(struct test_net *net, enum session_state state)
{
    test_net_init(net, STEPS_N, STEPS_ASKER);
    steps_go_to(net, state);
}

void steps_require_end(const struct test_net *net, unsigned who, fm_status code, const char *text)
{
    const struct net_party *p = net->party[who];

    assert_int_equal(p->finished, 1);
    if (code != FM_OK)
        assert_string_equal(p->end.text, text);
    assert_int_equal(p->end.code, code);
}

void steps_require_closed(const struct test_net *net, const char *outcome, const char *rule,
                          const char *party, unsigned signers)
{
    const json_t *proof = json_object_get(net->closed, "proof");
    const char *const names[] = {"rule", "party"}, *const want[] = {rule, party};

    assert_non_null(net->closed);
    assert_string_equal(json_string_value(json_object_get(net->closed, "outcome")), outcome);
    for (size_t i = 0; i < 2; i++) {
        const char *got = json_string_value(json_object_get(net->closed, names[i]));
        assert_int_equal(got == NULL, want[i] == NULL);
        if (got != NULL)
            assert_string_equal(got, want[i]);
    }
    assert_int_equal(json_is_array(proof) ? json_array_size(proof) : 1, signers);
}

unsigned steps_truthful(const struct test_net *net)
{
    unsigned n = 0;

    for (unsigned i = 0; i < net->n; i++)
        n += net->party[i]->started == 0;
    return net->party[STEPS_ASKER]->started > 0 ? 1 : n;
}
