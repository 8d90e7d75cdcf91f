/* Sessions under a network and under parties that do what they should not: whatever happens, nobody
 * hangs, the asker ends with an answer that everybody signed or with a named error, and nobody
 * signs what is not so. */
#include <stdio.h>
#include <time.h>

#include "exchange/session/test_net.h"

enum { N = 4, ASKER = 0 };

/* ---- a fault at every message ---- */

enum fault { LOST, DOUBLED, ALTERED, LATE, FROM_ANOTHER, TO_ANOTHER, EARLY_AGAIN, FAULTS };

static const char *const fault_names[FAULTS] = {
    "lost", "doubled", "altered", "late", "from another", "to another", "again at the end"};

/* Changes one text or number somewhere inside, chosen by pick. */
static bool alter(json_t *value, unsigned *pick)
{
    json_t *item;
    const char *name;
    size_t i;

    if (json_is_string(value) && (*pick)-- == 0) {
        char text[128];
        (void)snprintf(text, sizeof text, "%s", json_string_value(value));
        if (text[0] == '\0')
            (void)snprintf(text, sizeof text, "x");
        else
            text[strlen(text) / 2] = text[strlen(text) / 2] == 'a' ? 'b' : 'a';
        (void)json_string_set(value, text);
        return true;
    }
    if (json_is_integer(value) && (*pick)-- == 0) {
        (void)json_integer_set(value, json_integer_value(value) + 1);
        return true;
    }
    json_array_foreach(value, i, item)
    {
        if (alter(item, pick))
            return true;
    }
    json_object_foreach(value, name, item)
    {
        if (alter(item, pick))
            return true;
    }
    return false;
}

struct count {
    unsigned injected, done, failed, refunded;
};

/* False if there was nothing (more) to alter: the message went as it was. */
static bool inject(struct test_net *net, enum fault fault, unsigned detail, json_t **again)
{
    bool done = true;
    unsigned from = net->wire[0].from, to = net->wire[0].to, other = to;
    json_t *copy = json_deep_copy(net->wire[0].message);

    while (other == from || other == to)
        other = (other + 1) % net->n;
    switch (fault) {
    case LOST:
        test_net_drop(net, 0);
        break;
    case DOUBLED:
        test_net_deliver(net, 0);
        test_net_hand(net, from, to, json_incref(copy));
        break;
    case ALTERED:
        test_net_drop(net, 0);
        done = alter(copy, &detail);
        test_net_hand(net, from, to, json_incref(copy));
        break;
    case LATE: { /* after everything else that is under way */
        struct wire_message m = net->wire[0];
        memmove(&net->wire[0], &net->wire[1], (net->count - 1) * sizeof m);
        net->wire[net->count - 1] = m;
        break;
    }
    case FROM_ANOTHER:
        test_net_drop(net, 0);
        test_net_hand(net, other, to, json_incref(copy));
        break;
    case TO_ANOTHER:
        test_net_drop(net, 0);
        test_net_hand(net, from, other, json_incref(copy));
        break;
    case EARLY_AGAIN:
        test_net_deliver(net, 0);
        *again = json_pack("{s:i,s:i,s:O}", "from", (int)from, "to", (int)to, "m", copy);
        break;
    case FAULTS:
        break;
    }
    json_decref(copy);
    return done;
}

static void judge(const struct test_net *net, enum fault fault, struct count *n)
{
    const struct net_party *asker = net->party[ASKER];
    bool started = false, done = asker->end.code == FM_OK;

    for (unsigned i = 0; i < net->n; i++)
        started = started || net->party[i]->started > 0;
    n->done += done;
    n->failed += !done;
    if (done) { /* an answer stands on everybody's signature */
        assert_string_equal(json_string_value(json_object_get(net->closed, "outcome")), "done");
        assert_int_equal(json_array_size(json_object_get(net->closed, "proof")), net->n);
        return;
    }
    /* Nothing was shared: everybody says so, whatever one message met; unless it was the altered
     * or borrowed signature itself that said so. */
    if (!started && fault != ALTERED && fault != FROM_ANOTHER) {
        assert_int_equal(json_array_size(json_object_get(net->closed, "proof")), net->n);
        assert_true(json_is_false(json_object_get(net->closed, "shared")));
        n->refunded++;
    }
}

/* False when the run has no message number `at`. */
static bool run_with(enum fault fault, unsigned at, unsigned detail, struct count *n)
{
    struct test_net net;
    unsigned seen = 0;
    bool injected = false;
    json_t *again = NULL;

    test_net_init(&net, N, ASKER);
    test_net_open(&net);
    for (int phase = 0; phase < 2; phase++) {
        while (net.count > 0) {
            if (seen++ == at)
                injected = inject(&net, fault, detail, &again);
            else
                test_net_deliver(&net, 0);
        }
        test_net_done_all(&net);
    }
    while (net.count > 0) {
        if (seen++ == at)
            injected = inject(&net, fault, detail, &again);
        else
            test_net_deliver(&net, 0);
    }
    if (again != NULL) {
        test_net_hand(&net, (unsigned)json_integer_value(json_object_get(again, "from")),
                      (unsigned)json_integer_value(json_object_get(again, "to")),
                      json_incref(json_object_get(again, "m")));
        json_decref(again);
    }
    test_net_finish(&net);
    if (injected) {
        n->injected++;
        judge(&net, fault, n);
    }
    test_net_release(&net);
    return seen > at;
}

static void test_a_fault_at_every_message(void **state)
{
    (void)state;
    for (int f = 0; f < FAULTS; f++) {
        struct count n = {0};
        unsigned details = f == ALTERED ? 40 : 1;
        for (unsigned detail = 0; detail < details; detail++)
            for (unsigned at = 0; run_with((enum fault)f, at, detail, &n); at++)
                ;
        print_message("  %-16s %4u faults: %4u done, %4u failed by name, %u gave everything back\n",
                      fault_names[f], n.injected, n.done, n.failed, n.refunded);
        assert_true(n.injected >= 24);
        if (f == LATE)
            assert_int_equal(n.done, n.injected);
    }
}

/* ---- sentences ---- */

/* The message reaches p2 in that state, from `from`; p2 must fail with this sentence, or not care
 * (NULL). */
static void expect(enum session_state in, unsigned from, json_t *message, const char *sentence)
{
    struct test_net net;

    test_net_init(&net, N, ASKER);
    if (in >= SESSION_READY) {
        test_net_open(&net);
        for (unsigned i = 0; i < net.count;)
            if (net.wire[i].from == ASKER && net.wire[i].to == 2)
                test_net_deliver(&net, i);
            else
                i++;
    }
    if (in >= SESSION_RUNNING)
        test_net_flow(&net);
    if (in >= SESSION_SETTLING)
        test_net_done_all(&net);
    assert_int_equal(test_net_state(&net, 2), in);
    test_net_hand(&net, from, 2, message);
    assert_int_equal(net.party[2]->finished, sentence != NULL);
    if (sentence != NULL) {
        assert_string_equal(net.party[2]->end.text, sentence);
        assert_int_equal(net.party[2]->end.code, FM_E_PEER);
    }
    test_net_release(&net);
}

static json_t *value7(void)
{
    return json_pack("{s:i}", "value", 7);
}

static void test_what_is_wrong_with_a_message_is_said(void **state)
{
    (void)state;
    expect(SESSION_INVITED, 1, json_object(), "p1: sent a malformed session message");
    expect(SESSION_INVITED, 1, json_pack("{s:i}", "m", 5), "p1: sent a malformed session message");
    expect(SESSION_READY, 3, test_net_message("gossip", NULL, NULL),
           "p3: sent a malformed session message");
    expect(SESSION_INVITED, 0, test_net_message("openings", "openings", json_array()),
           "p0: sent a malformed session message");
    expect(SESSION_INVITED, 1, test_net_message("openings", "openings", value7()),
           "p1: openings came from the wrong party or at the wrong time");
    expect(SESSION_READY, 0, test_net_message("openings", "openings", value7()),
           "p0: openings came from the wrong party or at the wrong time");
    expect(SESSION_READY, 0, test_net_message("ready", "ready", json_object()),
           "p0: sent ready twice");
    expect(SESSION_RUNNING, 1, test_net_message("ready", "ready", json_object()),
           "p1: sent ready twice");
    expect(SESSION_RUNNING, 1, test_net_message("part", "part", json_object()),
           "p1: sent a part at the wrong time or place");
    expect(SESSION_RUNNING, 1, test_net_message("refuse", NULL, NULL),
           "p1 aborted the query: no rule named");
    expect(SESSION_RUNNING, 1, test_net_message("proof", "proof", json_object()), NULL);
    expect(SESSION_SETTLING, 1, test_net_message("receipt", "receipt", json_object()), NULL);
    expect(SESSION_SETTLING, 0, test_net_message("receipt", "receipt", json_object()), NULL);
}

/* ready, changed in one member, reaches p2. */
static void expect_ready(const char *name, json_t *value, const char *sentence)
{
    struct test_net net;
    json_t *message = NULL;

    test_net_init(&net, N, ASKER);
    test_net_open(&net);
    for (unsigned i = 0; i < net.count; i++)
        if (net.wire[i].from == ASKER && net.wire[i].to == 2 &&
            json_object_get(net.wire[i].message, "ready") != NULL)
            message = json_deep_copy(net.wire[i].message);
    if (value != NULL)
        (void)json_object_set_new(json_object_get(message, "ready"), name, value);
    else
        (void)json_object_del(json_object_get(message, "ready"), name);
    test_net_hand(&net, ASKER, 2, message);
    assert_string_equal(net.party[2]->end.text, sentence);
    test_net_release(&net);
}

static void test_a_ready_for_anything_else_is_refused(void **state)
{
    char hex[65];

    (void)state;
    memset(hex, '5', 64);
    hex[64] = '\0';
    expect_ready("chain", json_string(hex), "p0: its ready names another chain");
    expect_ready("query", json_string(hex), "p0: its ready names another query");
    expect_ready("plan_hash", json_string(hex), "p0: its ready names another plan_hash");
    expect_ready("descriptor", json_string(hex), "p0: its ready names another descriptor");
    expect_ready("attempt", json_integer(2), "p0: its ready is for another attempt or height");
    expect_ready("height", json_integer(13), "p0: its ready is for another attempt or height");
    expect_ready("type", json_string("Other"), "p0: its ready is for another attempt or height");
    expect_ready("inputs", json_pack("[i]", 1), "p0: the proof does not hold");
    expect_ready("proof", json_pack("{s:s}", "proofValue", "x"), "p0: the proof does not hold");
    expect_ready("proof", NULL, "p0: the proof does not hold");
}

/* ---- at random ---- */

static uint64_t draw(uint64_t *x)
{
    *x ^= *x << 13; /* Marsaglia's xorshift, 2003 */
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

/* One event, chosen at random; messages are mostly delivered, in any order. */
static void random_event(struct test_net *net, uint64_t *x)
{
    struct base_err why = {0};
    unsigned who = (unsigned)(draw(x) % net->n), other = (who + 1) % net->n;
    unsigned kind = (unsigned)(draw(x) % 200);
    struct net_party *p = net->party[who];

    if (kind < 120 && net->count > 0)
        test_net_deliver(net, (unsigned)(draw(x) % net->count));
    else if (kind < 122 && net->count > 0)
        test_net_drop(net, (unsigned)(draw(x) % net->count));
    else if (kind < 124 && net->count > 0) {
        const struct wire_message *m = &net->wire[draw(x) % net->count];
        test_net_hand(net, m->from, m->to, json_deep_copy(m->message));
    } else if (kind < 126 && net->count > 0) {
        const struct wire_message *m = &net->wire[draw(x) % net->count];
        unsigned pick = (unsigned)(draw(x) % 20);
        json_t *copy = json_deep_copy(m->message);
        (void)alter(copy, &pick);
        test_net_hand(net, m->from, m->to, copy);
    } else if (kind < 150)
        test_net_done(net, who);
    else if (kind < 160)
        test_net_prepared(net, who);
    else if (kind < 180)
        test_net_close_at(net, who);
    else if (kind < 196)
        test_net_pass(net, (int64_t)(draw(x) % 300));
    else if (kind == 196)
        session_on_peer_down(p->session, other, "gone", net->now);
    else if (kind == 197)
        session_on_revoked(p->session, "consent.revoked", net->now);
    else if (kind == 198)
        session_on_cancel(p->session, "stopping", net->now);
    else if (p->running) {
        p->running = false;
        (void)base_err_set(&why, FM_E_IO, "worker");
        session_on_worker_failed(p->session, &why, NULL, net->now);
    }
    test_net_check(net);
}

static void test_random_schedules(void **state)
{
    const char *text = getenv("FIRMIANA_SEED");
    uint64_t seed = text != NULL ? strtoull(text, NULL, 10) : (uint64_t)time(NULL), x;
    unsigned events = 0, runs = 0, done = 0;

    (void)state;
    print_message("  FIRMIANA_SEED=%llu\n", (unsigned long long)seed);
    x = seed * 2 + 1;
    while (events < 20000) {
        struct test_net net;
        unsigned n = 3 + (unsigned)(draw(&x) % 3), asker = (unsigned)(draw(&x) % n), steps = 0;
        test_net_init(&net, n, asker);
        for (unsigned i = 0; i < n; i++)
            net.party[i]->slow = draw(&x) % 4 == 0;
        test_net_open(&net);
        for (unsigned over = 0; over < n && steps < 400; steps++) {
            random_event(&net, &x);
            over = 0;
            for (unsigned i = 0; i < n; i++)
                over += net.party[i]->finished;
        }
        test_net_finish(&net);
        done += net.party[asker]->end.code == FM_OK;
        events += steps;
        runs++;
        test_net_release(&net);
    }
    print_message("  %u events in %u sessions, %u of them done\n", events, runs, done);
    assert_true(done > runs / 20 && done < runs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_fault_at_every_message),
        cmocka_unit_test(test_what_is_wrong_with_a_message_is_said),
        cmocka_unit_test(test_a_ready_for_anything_else_is_refused),
        cmocka_unit_test(test_random_schedules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
