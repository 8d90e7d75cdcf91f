/* The asker is cut off from everybody just when all have signed: whoever asked gets no answer, for
 * there is no record yet, but is told where to look; and once the asker is back, the ledger says
 * done, and the answer can be fetched: there, and by nobody before. */
#include "tests/town.h"

#include <stdio.h>

#include "base/json.h"
#include "exchange/node/node_own.h"

enum { LATENCY_MS = 20 };

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

static bool is_closing(const struct consortium *c)
{
    const struct node_query *q = c->members[BANK_A].node->queries;

    return q != NULL && session_get_state(q->session) == SESSION_CLOSING;
}

static void cut_off(struct consortium *c, bool cut)
{
    for (unsigned i = 0; i < MEMBERS; i++)
        if (i != BANK_A)
            net_sim_cut(c->sim, c->members[BANK_A].alias, c->members[i].alias, cut);
}

/* What `firmiana query answer` gets: the line after the header. */
static fm_status fetch(struct consortium *c, unsigned who, char *line, size_t size,
                       struct base_err *err)
{
    json_t *queries = consortium_state(c, who, "query/"), *value = NULL;
    const char *key = json_object_iter_key(json_object_iter(queries)), *text;
    fm_status st;

    REQUIRE(key != NULL);
    st = consortium_call(c, who,
                         json_pack("{s:s,s:s,s:s}", "do", "query.answer", "query",
                                   key + strlen("query/"), "format", "csv"),
                         1000, &value, err);
    line[0] = '\0';
    if (st == FM_OK) {
        text = strchr(json_string_value(json_object_get(value, "text")), '\n');
        REQUIRE(text != NULL);
        (void)snprintf(line, size, "%.*s", (int)strcspn(text + 1, "\r\n"), text + 1);
    }
    json_decref(value);
    json_decref(queries);
    return st;
}

static void story(struct consortium *c, void *arg)
{
    struct asked a = {.over = false};
    struct base_err err = {0};
    json_t *queries;
    const json_t *query;

    (void)arg;
    REQUIRE(consortium_connect(c, 30000));
    REQUIRE(net_sim_spawn(c->sim, ask, &a, &err) == FM_OK);
    while (!is_closing(c)) {
        REQUIRE(!a.over);
        net_sim_sleep(c->sim, 1);
    }
    cut_off(c, true);
    while (!a.over)
        net_sim_sleep(c->sim, 5);
    REQUIRE(a.status == FM_E_TIMEOUT);
    REQUIRE(a.line[0] == '\0');
    REQUIRE(strncmp(a.err.text, "query ", strlen("query ")) == 0);
    REQUIRE(strstr(a.err.text, "everyone signed the receipt") != NULL);
    REQUIRE(strstr(a.err.text, "firmiana query answer then shows it") != NULL);
    printf("  %s\n", a.err.text);
    REQUIRE(fetch(c, BANK_A, a.line, sizeof a.line, &err) == FM_E_CONFLICT);
    REQUIRE(strstr(err.text, "still open on the ledger") != NULL);
    cut_off(c, false);
    REQUIRE(consortium_connect(c, 60000));
    REQUIRE(consortium_settle(c, TOWN_SETTLE_MS));
    consortium_check_agreement(c);
    REQUIRE(fetch(c, BANK_A, a.line, sizeof a.line, &err) == FM_OK);
    REQUIRE(strcmp(a.line, town.portfolio_answer) == 0);
    REQUIRE(fetch(c, BANK_B, a.line, sizeof a.line, &err) == FM_E_NOT_FOUND); /* no recipient */
    queries = consortium_state(c, BANK_A, "query/");
    REQUIRE(json_object_size(queries) == 1);
    query = json_object_iter_value(json_object_iter(queries));
    REQUIRE(strcmp(json_string_value(json_object_get(query, "status")), "done") == 0);
    json_decref(queries);
}

static void cut_off_while_closing(void **state)
{
    struct consortium_run run = {.seed = 11,
                                 .fault = NET_SIM_FAULTS,
                                 .latency_ms = LATENCY_MS,
                                 .ms = TOWN_RUN_MS,
                                 .story = story};
    struct base_err err = {0};

    (void)state;
    consortium_restore(&town.c);
    if (consortium_run(&town.c, &run, &err) != FM_OK)
        fail_msg("%s", err.text);
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(cut_off_while_closing)};

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
