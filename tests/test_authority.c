/* An authorization is withdrawn at every moment of a query: either nothing was opened and the query
 * ends by that rule, or it had been opened before. */
#include "tests/town.h"

#include <stdio.h>

#include "base/json.h"
#include "exchange/node/node_own.h"
#include "ledger/proof/tx.h"

enum { STEP_MS = 20, LATENCY_MS = 4 };

static struct town town;

struct moment {
    uint32_t after_ms;
    fm_status status;
    char text[BASE_ERR_TEXT], line[128], status_text[16];
    bool over, withdrawn;
    bool ended;        /* bank_b's part in the session has come to an end */
    bool before_final; /* and its replica still said that the authorization holds */
    int64_t asked_ms;
};

static void ask(void *arg)
{
    struct moment *m = arg;
    struct base_err err = {0};
    int64_t began = base_clock_mono_ms(&town.c.clock);

    m->status = town_ask(&town, town.portfolio, m->line, sizeof m->line, &err);
    m->asked_ms = base_clock_mono_ms(&town.c.clock) - began;
    (void)snprintf(m->text, sizeof m->text, "%s", err.text);
    m->over = true;
}

static void withdraw(struct consortium *c, unsigned who)
{
    int64_t now = base_clock_unix_ms(&c->clock);
    struct base_err err = {0};
    uint8_t chain[32];
    json_t *me, *tx, *body = json_pack("{s:s}", "contract", town.portfolio);

    REQUIRE(consortium_call(c, who, json_pack("{s:s}", "do", "me"), 1000, &me, &err) == FM_OK);
    REQUIRE(base_json_get_hex(chain, 32, me, "chain", &err) == FM_OK);
    REQUIRE(ledger_tx_build(&tx, chain, LEDGER_TX_AUTHORIZATION_REVOKE,
                            json_string_value(json_object_get(me, "did")), now + 600000, body,
                            &err) == FM_OK);
    REQUIRE(ledger_tx_sign(tx, c->members[who].id.keys.officer, now / 1000, &err) == FM_OK);
    consortium_must(c, who, json_pack("{s:s,s:o}", "do", "tx.submit", "tx", tx), NULL);
    json_decref(body);
    json_decref(me);
}

static void withdraw_task(void *arg)
{
    struct moment *m = arg;

    withdraw(&town.c, BANK_B);
    m->withdrawn = true;
}

static bool still_authorized(struct consortium *c)
{
    json_t *all;
    bool active;
    char key[128];

    (void)snprintf(key, sizeof key, "authorization/%.64s/bank_b", town.portfolio);
    all = consortium_state(c, BANK_B, key);
    REQUIRE(json_object_size(all) == 1);
    active = strcmp(json_string_value(
                        json_object_get(json_object_iter_value(json_object_iter(all)), "status")),
                    "active") == 0;
    json_decref(all);
    return active;
}

/* Was it the transaction in the pool that ended bank_b's part, before any block had it? */
static void watch(struct consortium *c, struct moment *m)
{
    const struct node_query *q = c->members[BANK_B].node->queries;

    if (m->ended || q == NULL || session_get_state(q->session) < SESSION_SETTLING)
        return;
    m->ended = true;
    m->before_final = still_authorized(c);
}

static void story(struct consortium *c, void *arg)
{
    struct moment *m = arg;
    struct base_err err = {0};
    json_t *queries, *value;
    const char *key;

    REQUIRE(consortium_connect(c, 30000));
    REQUIRE(net_sim_spawn(c->sim, ask, m, &err) == FM_OK);
    net_sim_sleep(c->sim, m->after_ms);
    REQUIRE(net_sim_spawn(c->sim, withdraw_task, m, &err) == FM_OK);
    while (!m->over || !m->withdrawn) {
        watch(c, m);
        net_sim_sleep(c->sim, 1);
    }
    REQUIRE(consortium_settle(c, TOWN_SETTLE_MS));
    consortium_check_agreement(c);
    queries = consortium_state(c, REGULATOR, "query/");
    json_object_foreach(queries, key, value)
    {
        (void)snprintf(m->status_text, sizeof m->status_text, "%s",
                       json_string_value(json_object_get(value, "status")));
    }
    json_decref(queries);
}

static void withdrawn_at_every_moment(void **state)
{
    bool seen[2] = {false, false};
    unsigned in_session = 0, before_final = 0;

    (void)state;
    for (uint32_t after = 0; !seen[1] && after < 5000; after += STEP_MS) {
        struct moment m = {.after_ms = after};
        struct consortium_run run = {.seed = 7,
                                     .fault = NET_SIM_FAULTS,
                                     .latency_ms = LATENCY_MS,
                                     .ms = TOWN_RUN_MS,
                                     .story = story,
                                     .arg = &m};
        struct base_err err = {0};
        consortium_restore(&town.c);
        if (consortium_run(&town.c, &run, &err) != FM_OK)
            fail_msg("after %u ms: %s", after, err.text);
        if (m.status == FM_OK) {
            assert_string_equal(m.line, town.portfolio_answer);
            assert_string_equal(m.status_text, "done");
            seen[1] = true;
            continue;
        }
        seen[0] = true;
        assert_int_equal(m.status, FM_E_REFUSED);
        assert_non_null(strstr(m.text, "authorization.revoked"));
        in_session += strcmp(m.status_text, "refused") == 0;
        before_final += m.before_final;
    }
    assert_true(seen[0] && seen[1]);
    assert_true(in_session > 0);
    assert_int_equal(before_final, in_session); /* bank_b never waits for a block */
    print_message(
        "  refused %u times in the session, %u of them before it was final; then answered\n",
        in_session, before_final);
}

static int set_up(void **state)
{
    (void)state;
    town_init(&town);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    town_release(&town);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(withdrawn_at_every_moment)};

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
