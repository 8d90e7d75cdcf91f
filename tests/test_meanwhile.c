/* What the world does while a query runs: a member rotates its keys or is suspended, a provider's
 * rows change or are published anew, a party goes before anything was shared. The query ends by the
 * right rule or with the right answer, and the next one is as if nothing had been. */
#include "tests/town.h"

#include <sqlite3.h>
#include <stdio.h>

#include "base/bytes.h"
#include "base/json.h"
#include "did/document.h"
#include "did/draft.h"
#include "exchange/node/node_own.h"
#include "ledger/proof/tx.h"

enum { LATENCY_MS = 6, MOST_MS = 8000 };

static struct town town;

struct moment {
    uint32_t after_ms, step_ms;
    void (*prepare)(struct consortium *c); /* before the query; may be NULL */
    void (*act)(struct consortium *c);     /* in the middle of it */
    fm_status status, after_status;        /* of that query, and of one after it */
    char text[BASE_ERR_TEXT], line[128], after_text[BASE_ERR_TEXT], after_line[128];
    char outcome[16], rule[48];
    bool over;
};

static void ask(void *arg)
{
    struct moment *m = arg;
    struct base_err err = {0};

    m->status = town_ask(&town, town.portfolio, m->line, sizeof m->line, &err);
    (void)snprintf(m->text, sizeof m->text, "%s", err.text);
    m->over = true;
}

/* ---- transactions ---- */

static json_t *about(struct consortium *c, unsigned who)
{
    struct base_err err = {0};
    json_t *me;

    REQUIRE(consortium_call(c, who, json_pack("{s:s}", "do", "me"), 1000, &me, &err) == FM_OK);
    return me;
}

static void by_officer(struct consortium *c, unsigned who, enum ledger_tx_type type, json_t *body,
                       char id65[65])
{
    int64_t now = base_clock_unix_ms(&c->clock);
    json_t *tx, *me = about(c, who);
    struct base_err err = {0};
    uint8_t chain[32];

    REQUIRE(base_json_get_hex(chain, 32, me, "chain", &err) == FM_OK);
    REQUIRE(ledger_tx_build(&tx, chain, type, json_string_value(json_object_get(me, "did")),
                            now + 600000, body, &err) == FM_OK);
    REQUIRE(ledger_tx_sign(tx, c->members[who].id.keys.officer, now / 1000, &err) == FM_OK);
    consortium_must(c, who, json_pack("{s:s,s:o}", "do", "tx.submit", "tx", tx), id65);
    json_decref(body);
    json_decref(me);
}

/* A second assertion key: a new document, under which the session's proofs are nobody's. */
static void rotate(struct consortium *c)
{
    json_t *me = about(c, BANK_B), *member;
    struct did_document *doc, *next;
    struct did_draft draft = {0};
    struct did_secret *secret;
    struct base_err err = {0};
    struct did_key key;
    char previous[65];

    REQUIRE(consortium_call(c, BANK_B, json_pack("{s:s,s:s}", "do", "member.get", "name", "bank_b"),
                            1000, &member, &err) == FM_OK);
    REQUIRE(did_document_parse(&doc, json_object_get(member, "document"), DID_RULES_VERSION,
                               &err) == FM_OK);
    REQUIRE(did_secret_generate(&secret, did_suite_usual(), net_sim_random(c->sim), &err) == FM_OK);
    key = *did_secret_key(secret);
    REQUIRE(did_draft_next(&draft, doc, &err) == FM_OK);
    REQUIRE(did_draft_add(&draft, &key, DID_ROLE_ASSERTION, &err) == FM_OK);
    REQUIRE(did_draft_build(&next, &draft, DID_RULES_VERSION, &err) == FM_OK);
    base_hex(previous, did_document_hash32(doc), 32);
    by_officer(c, BANK_B, LEDGER_TX_DID_UPDATE,
               json_pack("{s:O,s:s}", "document", did_document_json(next), "previous", previous),
               NULL);
    did_draft_release(&draft);
    did_document_free(next);
    did_document_free(doc);
    did_secret_free(secret);
    json_decref(member);
    json_decref(me);
}

static char proposal[65];

static void vote(struct consortium *c, unsigned who)
{
    by_officer(c, who, LEDGER_TX_MEMBER_VOTE,
               json_pack("{s:s,s:b}", "proposal", proposal, "accept", 1), NULL);
}

/* All votes but the last one. */
static void propose(struct consortium *c)
{
    by_officer(c, BANK_A, LEDGER_TX_MEMBER_SUSPEND,
               json_pack("{s:s,s:s}", "alias", "bank_b", "reason", "test"), proposal);
    vote(c, REGULATOR);
}

static void suspend(struct consortium *c)
{
    vote(c, BANK_C);
}

static void publish(struct consortium *c)
{
    consortium_must(c, BANK_C, json_pack("{s:s,s:s}", "do", "dataset.publish", "table", "loans"),
                    NULL);
}

/* ---- one query, something in the middle of it, one more query ---- */

static void story(struct consortium *c, void *arg)
{
    struct moment *m = arg;
    struct base_err err = {0};
    json_t *queries, *value;
    const char *key;

    REQUIRE(consortium_connect(c, 30000));
    if (m->prepare != NULL)
        m->prepare(c);
    REQUIRE(net_sim_spawn(c->sim, ask, m, &err) == FM_OK);
    net_sim_sleep(c->sim, m->after_ms);
    m->act(c);
    while (!m->over)
        net_sim_sleep(c->sim, 5);
    REQUIRE(consortium_settle(c, TOWN_SETTLE_MS));
    queries = consortium_state(c, BANK_A, "query/");
    json_object_foreach(queries, key, value)
    {
        const char *rule = json_string_value(json_object_get(value, "rule"));
        (void)snprintf(m->outcome, sizeof m->outcome, "%s",
                       json_string_value(json_object_get(value, "status")));
        (void)snprintf(m->rule, sizeof m->rule, "%s", rule != NULL ? rule : "");
    }
    json_decref(queries);
    err.text[0] = '\0';
    m->after_status = town_ask(&town, town.portfolio, m->after_line, sizeof m->after_line, &err);
    (void)snprintf(m->after_text, sizeof m->after_text, "%s", err.text);
    REQUIRE(consortium_settle(c, TOWN_SETTLE_MS));
}

static void run_once(struct moment *m)
{
    struct consortium_run run = {.seed = 5,
                                 .fault = NET_SIM_FAULTS,
                                 .latency_ms = LATENCY_MS,
                                 .ms = TOWN_RUN_MS,
                                 .story = story,
                                 .arg = m};
    struct base_err err = {0};

    consortium_restore(&town.c);
    if (consortium_run(&town.c, &run, &err) != FM_OK)
        fail_msg("after %u ms: %s", m->after_ms, err.text);
}

/* At every moment of the query, until it is too late to matter: done with the right answer, or
 * ended by one of the two rules; and `rule` itself is met in a session. */
static void at_every_moment(struct moment like, const char *rule, const char *or_rule,
                            void (*afterwards)(const struct moment *m))
{
    unsigned by_rule = 0, others = 0, answered = 0;

    for (uint32_t after = 0; answered < 2 && after < MOST_MS; after += like.step_ms) {
        struct moment m = like;
        m.after_ms = after;
        run_once(&m);
        if (m.status == FM_OK) {
            assert_string_equal(m.line, town.portfolio_answer);
            assert_string_equal(m.outcome, "done");
            answered++;
        } else if (strstr(m.text, rule) != NULL || strcmp(m.rule, rule) == 0) {
            assert_string_not_equal(m.outcome, "done");
            by_rule++;
        } else {
            if (or_rule == NULL || strcmp(m.rule, or_rule) != 0)
                fail_msg("after %u ms: %s (on the ledger: %s, %s)", after, m.text, m.outcome,
                         m.rule);
            others++;
        }
        afterwards(&m);
    }
    print_message("  %s: %u times, otherwise ended %u times, answered in spite of it %u times\n",
                  rule, by_rule, others, answered);
    assert_true(by_rule > 0 && answered == 2);
}

static void answers_again(const struct moment *m)
{
    if (m->after_status != FM_OK)
        fail_msg("the next query: %s", m->after_text);
    assert_string_equal(m->after_line, town.portfolio_answer);
}

static void refused_at_once(const struct moment *m)
{
    assert_int_equal(m->after_status, FM_E_REFUSED);
    if (strstr(m->after_text, "suspended") == NULL)
        fail_msg("%s", m->after_text);
}

static void keys_are_rotated(void **state)
{
    const struct moment m = {.step_ms = 130, .act = rotate};

    (void)state;
    at_every_moment(m, "key.rotated", "node.peer", answers_again);
}

static void a_member_is_suspended(void **state)
{
    const struct moment m = {.step_ms = 130, .prepare = propose, .act = suspend};

    (void)state;
    at_every_moment(m, "member.suspended", "node.peer", refused_at_once);
}

static void a_dataset_is_published_anew(void **state)
{
    const struct moment m = {.step_ms = 7, .act = publish};

    (void)state;
    at_every_moment(m, "dataset.changed", NULL, answers_again);
}

/* ---- rows change between ready and sharing ---- */

static enum session_state state_at(const struct consortium *c, unsigned who)
{
    const struct node_query *q = c->members[who].node->queries;

    return q != NULL ? session_get_state(q->session) : SESSION_STATES;
}

static void run_sql(const char *sql)
{
    char path[HOME_PATH];
    sqlite3 *db = NULL;

    (void)snprintf(path, sizeof path, "%s/data/bank_c.db", town.c.root);
    REQUIRE(sqlite3_open(path, &db) == SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        consortium_fail(__FILE__, __LINE__, "%s: %s", sql, sqlite3_errmsg(db));
    REQUIRE(sqlite3_close(db) == SQLITE_OK);
}

static void change_when_ready(struct consortium *c)
{
    while (state_at(c, BANK_C) != SESSION_READY && state_at(c, BANK_C) != SESSION_RUNNING)
        net_sim_sleep(c->sim, 1);
    run_sql("UPDATE loans SET balance = balance + 100, overdue_days = 1");
}

/* What was frozen for `ready` is what is shared; the next query is refused, until it is published
 * again. */
static void rows_change_after_ready(void **state)
{
    struct moment m = {.act = change_when_ready};

    (void)state;
    run_sql("PRAGMA journal_mode = WAL"); /* else the writer waits for the query */
    run_sql("CREATE TABLE kept AS SELECT rowid AS id, balance, overdue_days FROM loans");
    run_once(&m);
    run_sql("UPDATE loans SET (balance, overdue_days) = (SELECT balance, overdue_days FROM kept "
            "WHERE id = loans.rowid); DROP TABLE kept");
    if (m.status != FM_OK)
        fail_msg("%s", m.text);
    assert_string_equal(m.line, town.portfolio_answer);
    assert_int_equal(m.after_status, FM_E_REFUSED);
    assert_non_null(strstr(m.after_text, "bank_c refused the query: dataset.changed"));
}

/* ---- a party that is gone before anything was shared, and the use of a consent ---- */

struct cut_off {
    unsigned who;
    enum session_state when;
    bool dies;         /* and is started again later; else it is cut off for a while */
    bool back_at_once; /* the use, as soon as the query is closed; else when `who` is back */
};

static void cut(struct consortium *c, unsigned who, bool off)
{
    for (unsigned i = 0; i < MEMBERS; i++)
        if (i != who)
            net_sim_cut(c->sim, c->members[who].alias, c->members[i].alias, off);
}

static int64_t uses_left(struct consortium *c)
{
    json_t *all = consortium_state(c, BANK_A, "consent/");
    int64_t left =
        json_integer_value(json_object_get(json_object_iter_value(json_object_iter(all)), "left"));

    json_decref(all);
    return left;
}

static bool is_closed(struct consortium *c)
{
    json_t *all = consortium_state(c, BANK_A, "query/");
    const char *status =
        json_string_value(json_object_get(json_object_iter_value(json_object_iter(all)), "status"));
    bool closed = status != NULL && strcmp(status, "open") != 0;

    json_decref(all);
    return closed;
}

static void ask_about_subject(void *arg)
{
    struct moment *m = arg;
    struct base_err err = {0};

    m->status = town_ask(&town, town.exposure, m->line, sizeof m->line, &err);
    (void)snprintf(m->text, sizeof m->text, "%s", err.text);
    m->over = true;
}

static void gone_story(struct consortium *c, void *arg)
{
    const struct cut_off *x = arg;
    struct moment m = {.over = false};
    struct base_err err = {0};

    REQUIRE(consortium_connect(c, 30000));
    REQUIRE(uses_left(c) == TOWN_USES);
    REQUIRE(net_sim_spawn(c->sim, ask_about_subject, &m, &err) == FM_OK);
    while (state_at(c, BANK_A) != x->when) {
        REQUIRE(!m.over);
        net_sim_sleep(c->sim, 1);
    }
    if (x->dies)
        net_sim_kill(c->sim, c->members[x->who].at);
    else
        cut(c, x->who, true);
    while (!m.over || !is_closed(c))
        net_sim_sleep(c->sim, 5);
    REQUIRE(m.status != FM_OK);
    REQUIRE(uses_left(c) == (x->back_at_once ? TOWN_USES : TOWN_USES - 1));
    if (x->dies)
        consortium_revive(c, x->who);
    else
        cut(c, x->who, false);
    REQUIRE(consortium_connect(c, 60000));
    for (unsigned i = 0; i < 600 && uses_left(c) != TOWN_USES; i++)
        net_sim_sleep(c->sim, 100);
    REQUIRE(uses_left(c) == TOWN_USES);
    REQUIRE(consortium_settle(c, TOWN_SETTLE_MS));
    consortium_check_agreement(c);
}

static void the_use_comes_back(void **state)
{
    static struct cut_off cases[] = {
        {REGULATOR, SESSION_READY, false,
         true}, /* it only computes: the providers' words suffice */
        {BANK_B, SESSION_READY, false,
         false},                              /* it provides and computes: its own word is needed */
        {BANK_B, SESSION_READY, true, false}, /* ... and it gives it when it lives again */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct consortium_run run = {.seed = 9,
                                     .fault = NET_SIM_FAULTS,
                                     .latency_ms = 20,
                                     .ms = TOWN_RUN_MS,
                                     .story = gone_story,
                                     .arg = &cases[i]};
        struct base_err err = {0};
        consortium_restore(&town.c);
        if (consortium_run(&town.c, &run, &err) != FM_OK)
            fail_msg("case %zu: %s", i, err.text);
    }
}

/* ---- a suspended member's channels ---- */

static bool has_channel(const struct consortium *c, unsigned who, const char *with)
{
    const struct node_member *m = node_member_named(c->members[who].node, with);

    return m != NULL && m->up;
}

static void wait_for_channel(struct consortium *c, unsigned who, const char *with, bool up)
{
    for (unsigned i = 0; i < 600 && has_channel(c, who, with) != up; i++)
        net_sim_sleep(c->sim, 100);
    REQUIRE(has_channel(c, who, with) == up);
}

/* It hears that it is suspended, then it hears nothing more, whatever it dials; voted in again, it
 * is back, and has caught up. */
static void cut_off_story(struct consortium *c, void *arg)
{
    (void)arg;
    REQUIRE(consortium_connect(c, 30000));
    propose(c);
    suspend(c);
    net_sim_sleep(c->sim, 2000);
    REQUIRE(!node_member_named(c->members[BANK_B].node, "bank_b")->active);
    REQUIRE(has_channel(c, BANK_A, "bank_b"));
    wait_for_channel(c, BANK_A, "bank_b", false);
    wait_for_channel(c, REGULATOR, "bank_b", false);
    REQUIRE(has_channel(c, BANK_A, "bank_c"));
    net_sim_sleep(c->sim, 30000);
    REQUIRE(!has_channel(c, BANK_A, "bank_b") && !has_channel(c, BANK_C, "bank_b"));
    by_officer(c, BANK_A, LEDGER_TX_MEMBER_REINSTATE,
               json_pack("{s:s,s:s}", "alias", "bank_b", "reason", "test"), proposal);
    vote(c, REGULATOR);
    wait_for_channel(c, BANK_A, "bank_b", true);
    REQUIRE(consortium_connect(c, 60000));
    REQUIRE(consortium_settle(c, TOWN_SETTLE_MS));
    consortium_check_agreement(c);
    REQUIRE(node_member_named(c->members[BANK_B].node, "bank_b")->active);
}

static void a_suspended_member_is_cut_off(void **state)
{
    struct consortium_run run = {.seed = 11,
                                 .fault = NET_SIM_FAULTS,
                                 .latency_ms = LATENCY_MS,
                                 .ms = 10 * TOWN_RUN_MS,
                                 .story = cut_off_story};
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_change_after_ready),
        cmocka_unit_test(the_use_comes_back),
        cmocka_unit_test(a_dataset_is_published_anew),
        cmocka_unit_test(keys_are_rotated),
        cmocka_unit_test(a_member_is_suspended),
        cmocka_unit_test(a_suspended_member_is_cut_off),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
