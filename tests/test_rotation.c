/* A member's node key is rotated at moments of a running query: its channels end everywhere as soon
 * as that is final, so the query had ended before or ends by name; the node that still has the old
 * key gets no channel any more. */
#include "tests/town.h"

#include <stdio.h>

#include "base/json.h"
#include "did/draft.h"
#include "did/suite.h"
#include "ledger/proof/tx.h"

enum { STEP_MS = 150, LATENCY_MS = 4 };

static struct town town;

struct moment {
    uint32_t after_ms;
    fm_status status;
    char text[BASE_ERR_TEXT], line[128];
    bool over, cut_off;
};

static void ask(void *arg)
{
    struct moment *m = arg;
    struct base_err err = {0};

    m->status = town_ask(&town, town.portfolio, m->line, sizeof m->line, &err);
    (void)snprintf(m->text, sizeof m->text, "%s", err.text);
    m->over = true;
}

/* The next version of the member's document, its channels' key replaced by a fresh one. */
static json_t *next_document(struct consortium *c, unsigned who, const char *did,
                             char previous65[65])
{
    struct did_secret *fresh = NULL;
    struct did_document *doc, *next;
    struct did_draft draft = {0};
    struct base_err err = {0};
    char key[160];
    json_t *state, *json;

    (void)snprintf(key, sizeof key, "did/%s", did);
    state = consortium_state(c, who, key);
    REQUIRE(did_document_parse(&doc, json_object_get(json_object_get(state, key), "document"),
                               DID_RULES_VERSION, &err) == FM_OK);
    base_hex(previous65, did_document_hash32(doc), 32);
    REQUIRE(did_secret_generate(&fresh, did_suite_usual(), base_random_system(), &err) == FM_OK);
    REQUIRE(did_draft_next(&draft, doc, &err) == FM_OK);
    REQUIRE(did_draft_rotate(&draft, did_secret_key(c->members[who].id.keys.authentication),
                             did_secret_key(fresh), &err) == FM_OK);
    REQUIRE(did_draft_build(&next, &draft, DID_RULES_VERSION, &err) == FM_OK);
    json = json_deep_copy(did_document_json(next));
    did_document_free(next);
    did_draft_release(&draft);
    did_secret_free(fresh);
    did_document_free(doc);
    json_decref(state);
    return json;
}

static void rotate(struct consortium *c, unsigned who)
{
    int64_t now = base_clock_unix_ms(&c->clock);
    struct base_err err = {0};
    char previous[65];
    uint8_t chain[32];
    json_t *me, *tx, *body;
    const char *did;

    REQUIRE(consortium_call(c, who, json_pack("{s:s}", "do", "me"), 1000, &me, &err) == FM_OK);
    REQUIRE(base_json_get_hex(chain, 32, me, "chain", &err) == FM_OK);
    did = json_string_value(json_object_get(me, "did"));
    body = json_pack("{s:o}", "document", next_document(c, who, did, previous));
    REQUIRE(json_object_set_new(body, "previous", json_string(previous)) == 0);
    REQUIRE(ledger_tx_build(&tx, chain, LEDGER_TX_DID_UPDATE, did, now + 600000, body, &err) ==
            FM_OK);
    REQUIRE(ledger_tx_sign(tx, c->members[who].id.keys.officer, now / 1000, &err) == FM_OK);
    /* It is accepted, but its sender loses its channels and may never hear of that. */
    (void)!consortium_call(c, who, json_pack("{s:s,s:o}", "do", "tx.submit", "tx", tx), 60000, NULL,
                           &err);
    json_decref(body);
    json_decref(me);
}

static bool sees(struct consortium *c, unsigned who, const char *peer)
{
    return net_node_peer_live(net_sim_node(c->members[who].at), peer);
}

static void story(struct consortium *c, void *arg)
{
    struct moment *m = arg;
    struct base_err err = {0};

    REQUIRE(consortium_connect(c, 30000));
    REQUIRE(net_sim_spawn(c->sim, ask, m, &err) == FM_OK);
    net_sim_sleep(c->sim, m->after_ms);
    rotate(c, BANK_B);
    while (!m->over)
        net_sim_sleep(c->sim, 5);
    net_sim_sleep(c->sim, 20000); /* time to dial again, and again */
    m->cut_off =
        !sees(c, BANK_A, "bank_b") && !sees(c, BANK_C, "bank_b") && !sees(c, REGULATOR, "bank_b");
    REQUIRE(sees(c, BANK_A, "bank_c") && sees(c, REGULATOR, "bank_a"));
    consortium_check_agreement(c);
}

static void rotated_at_moments_of_a_query(void **state)
{
    unsigned ended = 0, answered = 0;

    (void)state;
    for (uint32_t after = 0; answered < 2 && after < 5000; after += STEP_MS) {
        struct moment m = {.after_ms = after};
        struct consortium_run run = {.seed = 11,
                                     .fault = NET_SIM_FAULTS,
                                     .latency_ms = LATENCY_MS,
                                     .ms = TOWN_RUN_MS,
                                     .story = story,
                                     .arg = &m};
        struct base_err err = {0};
        consortium_restore(&town.c);
        if (consortium_run(&town.c, &run, &err) != FM_OK)
            fail_msg("after %u ms: %s", after, err.text);
        assert_true(m.cut_off);
        if (m.status == FM_OK) {
            assert_string_equal(m.line, town.portfolio_answer);
            answered++;
            continue;
        }
        ended++;
        if (!strstr(m.text, "bank_b") && !strstr(m.text, "key"))
            fail_msg("after %u ms, nobody is named: %s", after, m.text);
        print_message("  after %u ms: %s\n", after, m.text);
    }
    assert_true(ended > 0 && answered > 0);
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(rotated_at_moments_of_a_query)};

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
