/* The main job, end to end, in one process and in virtual time; then again with a fault at every
 * frame in turn. Whatever happens on the wire: the answer is right, or the query ends with a named
 * error at the asker; never a wrong answer, never a hang; all living nodes agree on the ledger, it
 * says how the query ended, no use of a consent is lost when nothing was shared, and the next query
 * is answered.
 *
 * By default a sample of the frames, from a seed that is printed (FIRMIANA_SEED sets it); with
 * FIRMIANA_FULL=1 all of them. */
#include "tests/town.h"

#include <stdio.h>
#include <time.h>

#include "base/json.h"

enum {
    NOTICE_MS = 3000, /* until the next heartbeat shows that a frame is missing */
#ifdef __SANITIZE_ADDRESS__
    SAMPLE = 12 /* frames of each fault, by default: other ones in the other build */
#else
    SAMPLE = 24
#endif
};

static struct town town;

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

/* ---- asking ---- */

/* Never a wrong answer. */
static void require_answer(const char *got, const char *want)
{
    if (strcmp(got, want) != 0)
        consortium_fail(__FILE__, __LINE__, "the answer is %s, SQLite says %s", got, want);
}

static void good_story(struct consortium *c, void *arg)
{
    struct base_err err = {0};
    char line[128];

    (void)arg;
    REQUIRE(consortium_connect(c, 30000));
    for (int i = 0; i < TOWN_USES; i++) {
        if (town_ask(&town, town.exposure, line, sizeof line, &err) != FM_OK)
            consortium_fail(__FILE__, __LINE__, "exposure: %s", err.text);
        require_answer(line, town.exposure_answer);
    }
    REQUIRE(town_ask(&town, town.exposure, line, sizeof line, &err) == FM_E_REFUSED);
    REQUIRE(strstr(err.text, "query.open refused, on the ledger: consent.used_up: ") != NULL);
    base_err_clear(&err);
    if (town_ask(&town, town.portfolio, line, sizeof line, &err) != FM_OK)
        consortium_fail(__FILE__, __LINE__, "portfolio: %s", err.text);
    require_answer(line, town.portfolio_answer);
    REQUIRE(consortium_settle(c, TOWN_SETTLE_MS));
    consortium_check_agreement(c);
}

static void test_both_questions_are_answered_exactly(void **state)
{
    struct consortium_run run = {
        .seed = 2, .fault = NET_SIM_FAULTS, .ms = TOWN_RUN_MS, .story = good_story};
    struct base_err err = {0};

    (void)state;
    consortium_restore(&town.c);
    if (consortium_run(&town.c, &run, &err) != FM_OK)
        consortium_fail(__FILE__, __LINE__, "%s", err.text);
    printf("  exposure %s, portfolio %s: as SQLite says\n", town.exposure_answer,
           town.portfolio_answer);
}

/* ---- one query with a fault ---- */

/* What the ledger says of the query and of the consent. */
struct standing {
    bool settled;
    char query[65], status[16]; /* "" if query.open is not there */
    int64_t left;               /* uses of the consent */
};

struct trial {
    bool answered, errored; /* at the asker; neither: it died */
    struct base_err err;
    bool died[MEMBERS], any_died;
    struct standing now, back; /* back: when the dead are back */
    int64_t asked_ms;          /* how long the asker waited, virtual */
    uint64_t frames;           /* on the wire, up to here */
};

static void look_at_ledger(struct consortium *c, struct standing *t)
{
    json_t *queries, *consents, *value;
    unsigned who = 0;
    const char *key;

    t->settled = consortium_settle(c, TOWN_SETTLE_MS);
    consortium_check_agreement(c);
    while (who < MEMBERS && !consortium_lives(c, who))
        who++;
    REQUIRE(who < MEMBERS);
    queries = consortium_state(c, who, "query/");
    REQUIRE(json_object_size(queries) <= 1);
    json_object_foreach(queries, key, value)
    {
        (void)snprintf(t->query, sizeof t->query, "%s", key + strlen("query/"));
        (void)snprintf(t->status, sizeof t->status, "%s",
                       json_string_value(json_object_get(value, "status")));
    }
    consents = consortium_state(c, who, "consent/");
    REQUIRE(json_object_size(consents) == 1);
    t->left = json_integer_value(
        json_object_get(json_object_iter_value(json_object_iter(consents)), "left"));
    json_decref(queries);
    json_decref(consents);
}

/* After whatever happened, the consortium works. */
static void ask_once_more(struct consortium *c)
{
    struct base_err err = {0};
    char line[128];

    net_sim_sleep(c->sim, NOTICE_MS);
    if (!consortium_connect(c, 60000))
        consortium_fail(__FILE__, __LINE__, "the nodes do not find each other again");
    if (town_ask(&town, town.portfolio, line, sizeof line, &err) != FM_OK)
        consortium_fail(__FILE__, __LINE__, "the next query: %s", err.text);
    require_answer(line, town.portfolio_answer);
}

/* The dead come back, each from its home as it left it, while the others live on. */
static void revive(struct consortium *c, const struct trial *t)
{
    for (unsigned i = 0; i < MEMBERS; i++)
        if (t->died[i])
            consortium_revive(c, i);
    if (!consortium_connect(c, 60000))
        consortium_fail(__FILE__, __LINE__, "the dead do not get in again");
}

static void trial_story(struct consortium *c, void *arg)
{
    struct trial *t = arg;
    char line[128];
    int64_t began;

    (void)consortium_connect(c, 20000); /* a fault may end it; then the query says so */
    began = base_clock_mono_ms(&c->clock);
    t->errored = town_ask(&town, town.exposure, line, sizeof line, &t->err) != FM_OK;
    t->asked_ms = base_clock_mono_ms(&c->clock) - began;
    t->answered = !t->errored;
    if (t->answered)
        require_answer(line, town.exposure_answer);
    if (!consortium_lives(c, BANK_A))
        t->errored = false;
    look_at_ledger(c, &t->now);
    t->frames = net_sim_frames(c->sim);
    for (unsigned i = 0; i < MEMBERS; i++) {
        t->died[i] = !consortium_lives(c, i);
        t->any_died = t->any_died || t->died[i];
    }
    if (t->any_died) {
        revive(c, t);
        look_at_ledger(c, &t->back);
    }
    ask_once_more(c);
}

static const char *const fault_names[NET_SIM_FAULTS] = {
    [NET_SIM_LOST] = "lost",
    [NET_SIM_DOUBLED] = "doubled",
    [NET_SIM_ALTERED] = "altered",
    [NET_SIM_STRANGER_BEFORE] = "stranger before",
    [NET_SIM_STRANGER_ALONE] = "stranger alone",
    [NET_SIM_SENDER_DIES] = "sender dies",
};

struct count {
    unsigned fired, answered, errors, asker_died;
    unsigned unshared, refunded; /* queries in which nobody started */
    int64_t longest_ms;
};

static bool anyone_started(const char *query)
{
    bool any = false;

    for (unsigned i = 0; i < MEMBERS; i++)
        any = any || consortium_started(&town.c, i, query);
    return any;
}

static void judge_standing(const struct trial *t, const struct standing *s)
{
    if (!s->settled)
        consortium_fail(__FILE__, __LINE__, "the ledger does not settle: '%s'", t->err.text);
    if (strcmp(s->status, "open") == 0)
        consortium_fail(__FILE__, __LINE__, "the query stays open: '%s'", t->err.text);
    if (t->answered)
        REQUIRE(strcmp(s->status, "done") == 0);
    if (strcmp(s->status, "done") == 0)
        REQUIRE(s->left == TOWN_USES - 1);
    if (s->status[0] == '\0')
        REQUIRE(s->left == TOWN_USES);
}

/* A use comes back if all providers say that nothing was shared, so not if one of them is dead
 * when the asker closes the query. */
static void judge_consent(const struct trial *t, const struct standing *s, struct count *n)
{
    if (s->status[0] == '\0' || anyone_started(s->query))
        return;
    n->unshared++;
    n->refunded += s->left == TOWN_USES;
    if (s->left != TOWN_USES && !t->died[BANK_B] && !t->died[BANK_C])
        consortium_fail(__FILE__, __LINE__,
                        "a use of the consent is lost though nothing was shared: '%s'",
                        t->err.text);
}

static void judge(const struct trial *t, struct count *n)
{
    if (t->errored) {
        if (strcmp(t->err.text, "no answer") == 0)
            consortium_fail(__FILE__, __LINE__, "the asker was never told");
        REQUIRE(strncmp(t->err.text, "query ", 6) == 0 ||
                strncmp(t->err.text, "query.open ", 11) == 0);
        n->errors++;
    }
    n->answered += t->answered;
    n->asker_died += !t->answered && !t->errored;
    n->longest_ms = t->asked_ms > n->longest_ms ? t->asked_ms : n->longest_ms;
    /* A ledger without its sequencer, a query without its asker: only once they are back. */
    judge_standing(t, t->any_died ? &t->back : &t->now);
    judge_consent(t, t->any_died ? &t->back : &t->now, n);
}

static uint64_t one_trial(enum net_sim_fault fault, uint64_t at, uint64_t seed, struct count *n)
{
    struct trial t = {.answered = false};
    struct consortium_run run = {.seed = seed,
                                 .fault = fault,
                                 .at = at,
                                 .latency_ms = (uint32_t)(seed % 20),
                                 .ms = TOWN_RUN_MS,
                                 .story = trial_story,
                                 .arg = &t};
    struct base_err err = {0};

    if (fault != NET_SIM_FAULTS)
        print_message("[ trial    ] FIRMIANA_SEED=%llu FIRMIANA_FAULT='%s' FIRMIANA_AT=%llu\r",
                      (unsigned long long)seed, fault_names[fault], (unsigned long long)at);
    consortium_restore(&town.c);
    if (consortium_run(&town.c, &run, &err) != FM_OK)
        consortium_fail(__FILE__, __LINE__, "a hang: %s", err.text);
    n->fired += run.fired;
    judge(&t, n);
    if (getenv("FIRMIANA_VERBOSE") != NULL)
        printf("%-16s %5llu  %s\n", fault == NET_SIM_FAULTS ? "none" : fault_names[fault],
               (unsigned long long)at,
               t.answered  ? "answered"
               : t.errored ? t.err.text
                           : "the asker died");
    return t.frames;
}

/* ---- a fault at every frame ---- */

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

static void sweep(enum net_sim_fault fault)
{
    uint64_t seed = number_from("FIRMIANA_SEED", (uint64_t)time(NULL));
    bool full = number_from("FIRMIANA_FULL", 0) == 1;
    struct count quiet = {0}, n = {0};
    uint64_t frames = one_trial(NET_SIM_FAULTS, 0, seed, &quiet), stride, first;
    unsigned trials = 0;

    REQUIRE(quiet.answered == 1);
    stride = full ? 1 : (frames / SAMPLE) | 1; /* odd: pairs of frames are common */
    first = number_from("FIRMIANA_AT", 1 + seed % stride);
    if (getenv("FIRMIANA_AT") != NULL)
        frames = first;
    for (uint64_t at = first; at <= frames; at += stride, trials++)
        (void)one_trial(fault, at, seed, &n);
    print_message("  %-15s seed %llu, every %llu. of %llu frames: %u faults; %u right answers, %u "
                  "named errors, %u times the asker died; %u shared nothing, %u refunded; longest "
                  "wait %.1f s of virtual time\n",
                  fault_names[fault], (unsigned long long)seed, (unsigned long long)stride,
                  (unsigned long long)frames, n.fired, n.answered, n.errors, n.asker_died,
                  n.unshared, n.refunded, (double)n.longest_ms / 1e3);
    REQUIRE(n.fired == trials);
    REQUIRE(n.answered + n.errors + n.asker_died == trials);
}

static void test_lost(void **state)
{
    (void)state;
    sweep(NET_SIM_LOST);
}

static void test_doubled(void **state)
{
    (void)state;
    sweep(NET_SIM_DOUBLED);
}

static void test_altered(void **state)
{
    (void)state;
    sweep(NET_SIM_ALTERED);
}

static void test_from_a_stranger_before(void **state)
{
    (void)state;
    sweep(NET_SIM_STRANGER_BEFORE);
}

static void test_from_a_stranger_alone(void **state)
{
    (void)state;
    sweep(NET_SIM_STRANGER_ALONE);
}

static void test_sender_dies(void **state)
{
    (void)state;
    sweep(NET_SIM_SENDER_DIES);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_questions_are_answered_exactly),
        cmocka_unit_test(test_lost),
        cmocka_unit_test(test_doubled),
        cmocka_unit_test(test_altered),
        cmocka_unit_test(test_from_a_stranger_before),
        cmocka_unit_test(test_from_a_stranger_alone),
        cmocka_unit_test(test_sender_dies),
    };

    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
