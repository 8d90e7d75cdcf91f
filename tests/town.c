#include "tests/town.h"

#include <stdio.h>

#include "base/bytes.h"
#include "base/json.h"
#include "exchange/data/demo_data.h"
#include "ledger/proof/inner.h"

enum {
    ROWS = 48,      /* of each bank: enough for the portfolio's minimum group */
    ASK_MS = 700000 /* longer than a transaction of a node lives */
};

/* ---- setting up: what people do before the first query ---- */

static json_t *exposure_spec(void)
{
    return json_pack(
        "{s:s,s:s,s:s,s:[sss],s:[s],s:[{s:s,s:s,s:b}],s:i,s:{s:s,s:i,s:[s]}}", "name",
        "exposure of one subject", "purpose", "credit decision", "sql",
        "SELECT SUM(balance) AS total, MAX(overdue_days) AS worst, COUNT(*) AS loans FROM loans "
        "WHERE subject_id = $1 AND NOT closed",
        "compute", "bank_a", "bank_b", "regulator", "recipients", "bank_a", "parameters", "name",
        "$1", "type", "INTEGER", "subject", 1, "minimum_group", 1, "consent", "requirement",
        "subject", "parameter", 1, "modes", "signed");
}

static json_t *portfolio_spec(void)
{
    return json_pack("{s:s,s:s,s:s,s:[sss],s:[s],s:[{s:s,s:s,s:[ii]}],s:i,s:{s:s,s:s}}", "name",
                     "portfolio", "purpose", "portfolio statistics", "sql",
                     "SELECT COUNT(*) AS n, SUM(balance) AS total, AVG(balance) AS mean, "
                     "MAX(overdue_days) AS worst FROM loans WHERE overdue_days >= $1",
                     "compute", "bank_a", "bank_b", "regulator", "recipients", "bank_a",
                     "parameters", "name", "$1", "type", "INTEGER", "range", 0, 3650,
                     "minimum_group", 5, "consent", "requirement", "none", "basis",
                     "aggregates of at least 5 subjects");
}

static void make_contract(struct consortium *c, json_t *spec, char id65[65])
{
    struct base_err err = {0};
    json_t *draft;

    if (consortium_call(c, BANK_A, json_pack("{s:s,s:o}", "do", "contract.draft", "spec", spec),
                        1000, &draft, &err) != FM_OK)
        consortium_fail(__FILE__, __LINE__, "contract.draft: %s", err.text);
    (void)snprintf(id65, 65, "%s", json_string_value(json_object_get(draft, "id")));
    consortium_must(c, BANK_A,
                    json_pack("{s:s,s:s,s:O}", "do", "tx.sign", "type", "contract.propose", "body",
                              json_object_get(draft, "contract")),
                    NULL);
    json_decref(draft);
    for (unsigned bank = BANK_A; bank <= BANK_C; bank++)
        consortium_must(c, bank,
                        json_pack("{s:s,s:s}", "do", "officer.authorize", "contract", id65), NULL);
}

/* The subject, with a fresh key; bank_b relays. */
static void give_consent(struct consortium *c, struct town *t)
{
    const struct base_random *random = net_sim_random(c->sim);
    struct ledger_consent consent = {.mode = "signed",
                                     .scheme = "demo.id",
                                     .grantee = "bank_a",
                                     .has_contract = true,
                                     .uses = TOWN_USES},
                          parsed;
    struct did_secret *key;
    struct base_err err = {0};
    uint8_t nonce[32];
    json_t *document, *me = NULL;

    REQUIRE(consortium_call(c, BANK_B, json_pack("{s:s}", "do", "me"), 1000, &me, &err) == FM_OK);
    REQUIRE(base_unhex(consent.chain, 32, json_string_value(json_object_get(me, "chain")), 64));
    json_decref(me);
    REQUIRE(base_unhex(consent.contract, 32, t->exposure, 64));
    consent.not_before = base_clock_unix_ms(&c->clock);
    consent.expires = consent.not_before + INT64_C(30) * 86400000;
    REQUIRE(base_random_fill(random, nonce, sizeof nonce, &err) == FM_OK);
    ledger_subject_commit(consent.commitment, consent.chain, t->subject, strlen(t->subject), nonce);
    REQUIRE(did_secret_generate(&key, did_suite_usual(), random, &err) == FM_OK);
    REQUIRE(ledger_consent_build(&document, &consent, key, &err) == FM_OK);
    REQUIRE(ledger_subject_sign(document, key, consent.not_before / 1000, &err) == FM_OK);
    REQUIRE(ledger_consent_parse(&parsed, document, &err) == FM_OK);
    base_hex(t->consent, parsed.id, 32);
    base_hex(t->nonce, nonce, 32);
    consortium_must(c, BANK_B,
                    json_pack("{s:s,s:s,s:{s:o}}", "do", "tx.sign", "type", "consent.grant", "body",
                              "consent", document),
                    NULL);
    did_secret_free(key);
}

static void found_story(struct consortium *c, void *arg)
{
    struct town *t = arg;

    REQUIRE(consortium_connect(c, 30000));
    for (unsigned bank = BANK_A; bank <= BANK_C; bank++)
        consortium_must(c, bank,
                        json_pack("{s:s,s:s}", "do", "dataset.publish", "table", DATA_DEMO_TABLE),
                        NULL);
    make_contract(c, exposure_spec(), t->exposure);
    make_contract(c, portfolio_spec(), t->portfolio);
    give_consent(c, t);
    REQUIRE(consortium_settle(c, TOWN_SETTLE_MS));
    consortium_check_agreement(c);
}

#define MONEY(sum) "printf('%d.%02d', " sum " / 100, " sum " % 100)"
/* AVG: 8 digits, half away from zero, by integer division of the scaled sum. */
#define MEAN                                                                                   \
    "printf('%d.%08d', (SUM(balance) * 1000000 * 2 + COUNT(*)) / (2 * COUNT(*)) / 100000000, " \
    "(SUM(balance) * 1000000 * 2 + COUNT(*)) / (2 * COUNT(*)) % 100000000)"

static void ask_sqlite(struct town *t)
{
    consortium_pooled(&t->c, t->exposure_answer, sizeof t->exposure_answer,
                      "SELECT " MONEY("SUM(balance)") ", MAX(overdue_days), COUNT(*) FROM loans "
                                                      "WHERE subject_id = ?1 AND NOT closed",
                      data_demo_subject(7));
    consortium_pooled(&t->c, t->portfolio_answer, sizeof t->portfolio_answer,
                      "SELECT COUNT(*), " MONEY(
                          "SUM(balance)") ", " MEAN
                                          ", MAX(overdue_days) FROM loans WHERE overdue_days >= ?1",
                      0);
}

void town_init(struct town *t)
{
    struct consortium_run run = {
        .seed = 1, .fault = NET_SIM_FAULTS, .ms = TOWN_RUN_MS, .story = found_story, .arg = t};
    struct base_err err = {0};

    /* The asker and the sequencer are two, so that either can die without the other. */
    consortium_init(&t->c, BANK_C, ROWS);
    t->c.loud = getenv("FIRMIANA_KEEP") != NULL;
    (void)snprintf(t->subject, sizeof t->subject, "%lld", (long long)data_demo_subject(7));
    if (consortium_run(&t->c, &run, &err) != FM_OK)
        consortium_fail(__FILE__, __LINE__, "setting up: %s", err.text);
    consortium_save(&t->c);
    ask_sqlite(t);
}

void town_release(struct town *t)
{
    consortium_release(&t->c);
}

/* ---- asking ---- */

fm_status town_ask(struct town *t, const char *contract, char *line, size_t size,
                   struct base_err *err)
{
    bool subject = contract == t->exposure;
    json_t *value, *consents = json_array();
    const char *text, *start;
    fm_status st;

    if (subject)
        REQUIRE(json_array_append_new(consents, json_pack("{s:s,s:s}", "consent", t->consent,
                                                          "nonce", t->nonce)) == 0);
    st = consortium_call(&t->c, BANK_A,
                         json_pack("{s:s,s:s,s:[s],s:o,s:s,s:s,s:i}", "do", "query.run", "contract",
                                   contract, "parameters", subject ? t->subject : "0", "consents",
                                   consents, "ticket", "T-1", "format", "csv", "timeout_ms", 60000),
                         ASK_MS, &value, err);
    line[0] = '\0';
    if (st == FM_OK) { /* the line after the header, without its end */
        text = json_string_value(json_object_get(value, "text"));
        start = text != NULL ? strchr(text, '\n') : NULL;
        REQUIRE(start != NULL);
        (void)snprintf(line, size, "%.*s", (int)strcspn(start + 1, "\r\n"), start + 1);
    }
    json_decref(value);
    return st;
}
