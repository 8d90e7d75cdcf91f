/* What a node has no room for: queries wait in line, and are seen to wait, past the others'
 * patience; past a limit they are refused by name; and talk of queries that nobody opened is kept
 * within bounds.
 */
#include "tests/town.h"

#include <stdio.h>

#include "base/json.h"
#include "exchange/node/node_own.h"

enum { LATENCY_MS = 6 };

static struct town town;

struct asked {
    fm_status status;
    struct base_err err;
    char line[128];
    bool over;
};

static void ask(void *arg)
{
    struct asked *a = arg;

    a->status = town_ask(&town, town.portfolio, a->line, sizeof a->line, &a->err);
    a->over = true;
}

static void run(void (*story)(struct consortium *c, void *arg))
{
    struct consortium_run run = {.seed = 3,
                                 .fault = NET_SIM_FAULTS,
                                 .latency_ms = LATENCY_MS,
                                 .ms = TOWN_RUN_MS,
                                 .story = story};
    struct base_err err = {0};

    consortium_restore(&town.c);
    if (consortium_run(&town.c, &run, &err) != FM_OK)
        fail_msg("%s", err.text);
}

/* ---- room ---- */

static struct lanes_place others[LANES_MAX];

static void crowd(struct consortium *c, unsigned where, unsigned n, const char *asker)
{
    struct lanes *lanes = &c->members[where].node->lanes;
    struct base_err err = {0};
    const char *rule;

    for (unsigned i = 0; i < n; i++) {
        others[i] = (struct lanes_place){.bytes = 1};
        (void)snprintf(others[i].asker, sizeof others[i].asker, "%s", asker);
        REQUIRE(lanes_enter(lanes, &others[i], &rule, &err) == FM_OK);
    }
    (void)lanes_admit(lanes);
}

static void go_away(struct consortium *c, unsigned where, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        lanes_leave(&c->members[where].node->lanes, &others[i]);
}

/* bank_b has no room for longer than the others' patience: it is waited for, and seen to wait. */
static void room_story(struct consortium *c, void *arg)
{
    struct asked m = {.over = false};
    struct base_err err = {0};
    const struct node_query *q;
    char where[128];

    (void)arg;
    REQUIRE(consortium_connect(c, 30000));
    crowd(c, BANK_B, LANES_SMALL, "bank_c");
    REQUIRE(net_sim_spawn(c->sim, ask, &m, &err) == FM_OK);
    net_sim_sleep(c->sim, 40000);
    q = c->members[BANK_A].node->queries;
    REQUIRE(!m.over && q != NULL);
    node_progress_text(where, sizeof where, c->members[BANK_A].node, q);
    REQUIRE(strcmp(where, "3 of 4 are ready; bank_b has it 1st in line") == 0);
    node_progress_text(where, sizeof where, c->members[BANK_B].node,
                       c->members[BANK_B].node->queries);
    REQUIRE(strcmp(where, "waiting for room at this node, 1st in line") == 0);
    go_away(c, BANK_B, LANES_SMALL);
    while (!m.over)
        net_sim_sleep(c->sim, 5);
    REQUIRE(m.status == FM_OK && strcmp(m.line, town.portfolio_answer) == 0);
    REQUIRE(consortium_settle(c, TOWN_SETTLE_MS));
    /* Too many of its own: nothing is opened on the ledger. Too many at another: refused there. */
    crowd(c, BANK_A, LANES_MAX_EACH, "bank_a");
    REQUIRE(town_ask(&town, town.portfolio, m.line, sizeof m.line, &err) == FM_E_LIMIT);
    REQUIRE(strncmp(err.text, "node.busy: ", strlen("node.busy: ")) == 0);
    go_away(c, BANK_A, LANES_MAX_EACH);
    crowd(c, BANK_B, LANES_MAX_EACH, "bank_a");
    REQUIRE(town_ask(&town, town.portfolio, m.line, sizeof m.line, &err) == FM_E_REFUSED);
    REQUIRE(strstr(err.text, "bank_b refused the query: node.busy") != NULL);
    go_away(c, BANK_B, LANES_MAX_EACH);
    REQUIRE(town_ask(&town, town.portfolio, m.line, sizeof m.line, &err) == FM_OK);
}

static void queries_wait_for_room(void **state)
{
    (void)state;
    run(room_story);
}

/* ---- talk of queries that nobody opened ---- */

static void chatter(struct consortium *c)
{
    struct node *node = c->members[BANK_A].node;

    for (unsigned i = 0; i < 100; i++) {
        char hex[65];
        json_t *message;
        (void)snprintf(hex, sizeof hex, "%064x", i);
        message = json_pack("{s:s,s:s,s:i,s:i}", "m", "wait", "q", hex, "a", 1, "place", 0);
        node_query_message(node, "bank_c", message);
        json_decref(message);
    }
    REQUIRE(node->held_count == NODE_HELD_EACH);
    for (unsigned i = 0; i < 2; i++) { /* and the others' room is theirs */
        char hex[65];
        json_t *message;
        (void)snprintf(hex, sizeof hex, "%063xf", i);
        message = json_pack("{s:s,s:s,s:i,s:i}", "m", "wait", "q", hex, "a", 1, "place", 0);
        node_query_message(node, "bank_b", message);
        json_decref(message);
    }
    REQUIRE(node->held_count == NODE_HELD_EACH + 2);
    net_sim_sleep(c->sim, 30000);
    REQUIRE(node->held_count == 0 && node->held_bytes == 0);
}

static void talk_story(struct consortium *c, void *arg)
{
    struct asked m = {.over = false};
    struct base_err err = {0};

    (void)arg;
    REQUIRE(consortium_connect(c, 30000));
    REQUIRE(net_sim_spawn(c->sim, ask, &m, &err) == FM_OK);
    chatter(c);
    while (!m.over)
        net_sim_sleep(c->sim, 5);
    REQUIRE(m.status == FM_OK && strcmp(m.line, town.portfolio_answer) == 0);
}

static void held_messages_are_bounded(void **state)
{
    (void)state;
    run(talk_story);
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queries_wait_for_room),
        cmocka_unit_test(held_messages_are_bounded),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
