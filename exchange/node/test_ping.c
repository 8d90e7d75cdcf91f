/* Pings in virtual time between two nodes with wrong clocks; and what a node counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "exchange/node/counts.h"
#include "exchange/node/ping.h"

static int64_t now_ms; /* of the world */

struct side {
    struct base_clock clock;
    int64_t skew;
    struct ping ping;
    struct ping_facts facts;
};

static int64_t side_unix(void *ctx)
{
    return 1800000000000 + now_ms + ((struct side *)ctx)->skew;
}

static int64_t side_mono(void *ctx)
{
    return 1000 + now_ms + ((struct side *)ctx)->skew / 7; /* another origin */
}

static void side_init(struct side *s, int64_t skew, const char *version, int64_t at)
{
    *s = (struct side){.skew = skew, .facts = {.rules = 1, .at = at, .final = at}};
    s->clock = (struct base_clock){side_unix, side_mono, s};
    (void)snprintf(s->facts.version, sizeof s->facts.version, "%s", version);
    ping_up(&s->ping, &s->clock);
}

/* a asks, the question takes `there` ms, the answer `back` ms. */
static void round_trip(struct side *a, struct side *b, int64_t there, int64_t back)
{
    json_t *question = ping_ask(&a->ping, &a->facts, &a->clock), *answer;

    assert_non_null(question);
    assert_null(ping_ask(&a->ping, &a->facts, &a->clock)); /* not again at once */
    now_ms += there;
    answer = ping_take(&b->ping, question, &b->facts, &b->clock);
    assert_non_null(answer);
    now_ms += back;
    assert_null(ping_take(&a->ping, answer, &a->facts, &a->clock));
    assert_null(ping_take(&a->ping, answer, &a->facts, &a->clock)); /* twice changes nothing */
    json_decref(question);
    json_decref(answer);
}

static void test_clocks(void **state)
{
    static const int64_t skews[] = {0, 1, -1, 4999, -3600000, 86400000 * 400LL};
    struct side a, b;

    (void)state;
    for (size_t i = 0; i < sizeof skews / sizeof skews[0]; i++)
        for (int64_t there = 0; there <= 60; there += 20)
            for (int64_t back = 0; back <= 60; back += 20) {
                side_init(&a, 0, "0.1.0", 7);
                side_init(&b, skews[i], "2.0~rc1+x", 9);
                assert_false(a.ping.timed);
                round_trip(&a, &b, there, back);
                assert_true(a.ping.timed);
                assert_int_equal(a.ping.rtt_ms, there + back);
                assert_in_range(a.ping.skew_ms - skews[i] + (there + back + 1) / 2, 0,
                                there + back + 1);
                assert_string_equal(a.ping.facts.version, "2.0~rc1+x");
                assert_int_equal(a.ping.facts.at, 9);
                assert_int_equal(b.ping.facts.at, 7); /* the question told it too */
                assert_false(b.ping.timed);
            }
}

static void test_pace(void **state)
{
    struct side a, b;
    json_t *question = json_pack("{s:i}", "ask", 1), *answer;
    unsigned answers = 0;

    (void)state;
    side_init(&a, 0, "1", 0);
    side_init(&b, 0, "1", 0);
    for (int ms = 0; ms < 1000; ms++, now_ms++) { /* a flood of questions */
        answer = ping_take(&b.ping, question, &b.facts, &b.clock);
        answers += answer != NULL;
        json_decref(answer);
    }
    json_decref(question);
    assert_int_equal(answers, 1000 / PING_LEAST_MS);
    round_trip(&a, &b, PING_LEAST_MS, 0);
    now_ms += PING_MS - PING_LEAST_MS - 1;
    assert_null(ping_ask(&a.ping, &a.facts, &a.clock));
    now_ms++;
    round_trip(&a, &b, 0, 0);
    ping_up(&a.ping, &a.clock); /* a new channel: its times are not known yet */
    assert_false(a.ping.timed);
    round_trip(&a, &b, PING_LEAST_MS, 0);
}

/* What another version, or a liar, may send. */
static void test_odd_messages(void **state)
{
    static const char *const odd[] = {
        "{}",
        "{\"ask\":\"1\"}",
        "{\"ask\":-1}",
        "{\"answer\":3,\"now\":5}",
        "{\"answer\":2,\"now\":\"x\"}",
        "{\"answer\":2,\"version\":\"\\u001b[31m\"}",
        "{\"answer\":2,\"version\":\"0123456789012345678901234567890x\"}",
        "{\"answer\":2,\"version\":\"\",\"rules\":[],\"at\":-7,\"final\":{}}",
        "{\"answer\":0,\"new member\":[1,2,3]}",
    };
    struct side a, b;
    struct base_err err = {0};
    json_t *message, *answer;

    (void)state;
    side_init(&a, 0, "1", 3);
    side_init(&b, 0, "1.5", 4);
    round_trip(&a, &b, 3, 4);
    now_ms += PING_MS;
    message = ping_ask(&a.ping, &a.facts, &a.clock);
    json_decref(message);
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        assert_int_equal(base_json_parse(&message, odd[i], strlen(odd[i]), &err), FM_OK);
        assert_null(ping_take(&a.ping, message, &a.facts, &a.clock));
        json_decref(message);
        assert_int_equal(a.ping.rtt_ms, 7);
        assert_string_equal(a.ping.facts.version, "1.5");
        assert_int_equal(a.ping.facts.at, 4);
        assert_int_equal(a.ping.facts.rules, 1);
    }
    /* A newer node is answered. */
    assert_int_equal(base_json_parse(&message, "{\"ask\":5,\"later\":{}}", 20, &err), FM_OK);
    answer = ping_take(&b.ping, message, &b.facts, &b.clock);
    assert_int_equal(json_integer_value(json_object_get(answer, "answer")), 5);
    json_decref(answer);
    json_decref(message);
}

static void test_counts(void **state)
{
    static struct node_counts c;
    char label[32];

    (void)state;
    counts_query(&c, "done", "", 86400000 * 10LL + 5);
    counts_query(&c, "refused", "consent.missing", 86400000 * 10LL + 6);
    counts_query(&c, "aborted", "a\"b\\c\n\x7f", 86400000 * 11LL - 1);
    assert_int_equal(count_of(&c.queries, "aborted"), 1);
    assert_string_equal(c.queries.rows[2].b, "a_b_c__");
    assert_int_equal(counts_today(&c, 86400000 * 10LL).done, 1);
    assert_int_equal(counts_today(&c, 86400000 * 10LL).aborted, 1);
    assert_int_equal(counts_today(&c, 86400000 * 11LL).done, 0);
    counts_query(&c, "done", "", 86400000 * 11LL);
    assert_int_equal(counts_today(&c, 86400000 * 11LL).done, 1);
    for (unsigned i = 0; i < 2 * COUNT_SET; i++) { /* a peer that invents rules fills no memory */
        (void)snprintf(label, sizeof label, "rule.%u", i);
        counts_query(&c, "aborted", label, 86400000 * 11LL);
    }
    assert_int_equal(c.queries.used, COUNT_SET);
    assert_int_equal(count_of(&c.queries, "other"), 2 * COUNT_SET - (COUNT_SET - 1 - 3));
    assert_int_equal(count_of(&c.queries, "done"), 2);
    count_time(&c.finality, 5);
    count_time(&c.finality, 5.1);
    count_time(&c.finality, 1e9);
    assert_int_equal(c.finality.bucket[0], 1);
    assert_int_equal(c.finality.bucket[1], 1);
    assert_int_equal(c.finality.bucket[COUNT_BUCKETS], 1);
    assert_int_equal(c.finality.n, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clocks),
        cmocka_unit_test(test_pace),
        cmocka_unit_test(test_odd_messages),
        cmocka_unit_test(test_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
