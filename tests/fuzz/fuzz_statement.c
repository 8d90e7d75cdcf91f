/* Statements and openings. Laws: an opening that fits a query.open shows what was committed to and
 * nothing else; whatever a statement says, a log without its queries shows nothing of it. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/json.h"
#include "ledger/proof/opening.h"
#include "ledger/verify/statement.h"
#include "tests/fuzz/ledger_specimens.h"

static const struct ledger_specimens *known;
static json_t *opening, *body;

static const char *text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static bool same(const json_t *a, const json_t *b, const char *name)
{
    return json_equal(json_object_get(a, name), json_object_get(b, name));
}

static void check_opening(const json_t *json)
{
    const json_t *ours = json_object_get(opening, "parameters");
    const json_t *theirs = json_object_get(json, "parameters");
    struct base_err err = {0};

    if (ledger_opening_check(json, body, known->chain, &err) != FM_OK) {
        fuzz_law(err.text[0] != '\0', "a refusal says why");
        return;
    }
    fuzz_law(json_array_size(theirs) == json_array_size(ours), "as many parameters as were asked");
    for (size_t i = 0; i < json_array_size(theirs); i++)
        if (json_object_get(json_array_get(theirs, i), "value") != NULL)
            fuzz_law(json_equal(json_array_get(theirs, i), json_array_get(ours, i)),
                     "a value that is shown is the one that was committed to");
    if (json_object_get(json, "requester") != NULL)
        fuzz_law(same(json, opening, "requester") && same(json, opening, "ticket") &&
                     same(json, opening, "salt"),
                 "who asked is who was committed to");
}

/* The form, and a log that knows nothing of its queries. */
static void check_statement(json_t *json)
{
    struct ledger_statement *s;
    struct base_err err = {0};
    size_t i;
    json_t *value;

    if (ledger_statement_new(&s, json, &err) != FM_OK) {
        fuzz_law(err.text[0] != '\0', "a refusal says why");
        return;
    }
    json_array_foreach(known->transactions, i, value)
    {
        struct ledger_tx tx;
        if (ledger_tx_parse_json(&tx, value, &err) == FM_OK) {
            (void)!ledger_statement_see(s, &tx, LEDGER_RULE_OK, &err);
            ledger_tx_release(&tx);
        }
    }
    fuzz_law(ledger_statement_consents(s) == 0, "no consent is shown by a query that is not there");
    ledger_statement_free(s);
}

static void run(const uint8_t *data, size_t size)
{
    struct base_err err = {0};
    json_t *json = NULL;

    if (base_json_parse(&json, (const char *)data, size, &err) != FM_OK)
        return;
    if (text(json, "type") != NULL)
        check_statement(json);
    else
        check_opening(json);
    json_decref(json);
}

/* ---- specimens ---- */

static const char salt[] = "5a17000000000000000000000000000000000000000000000000000000000000";

static void commit(void)
{
    uint8_t s[32], h[2][32], all[32];
    char parameters[65], requester[65];
    struct base_err err = {0};

    fuzz_law(base_unhex(s, 32, salt, 64) &&
                 ledger_parameter_commit(h[0], known->chain, s, "$1", "46948328", &err) == FM_OK &&
                 ledger_parameter_commit(h[1], known->chain, s, "$2", "30", &err) == FM_OK,
             "specimen");
    base_hash(all, h[0], sizeof h);
    base_hex(parameters, all, 32);
    fuzz_law(ledger_requester_commit(all, known->chain, s, "ann (uid 7)", "T-1", &err) == FM_OK,
             "specimen");
    base_hex(requester, all, 32);
    body = json_pack("{s:s,s:s,s:[{s:i,s:s}]}", "parameters", parameters, "requester", requester,
                     "consents", "parameter", 1, "consent", salt);
}

static void begin(struct fuzz_corpus *corpus)
{
    json_t *statement, *both;
    char chain[65];

    known = ledger_specimens();
    commit();
    base_hex(chain, known->chain, 32);
    opening = json_pack("{s:[{s:s,s:s,s:s},{s:s,s:s,s:s}],s:[{s:i,s:s,s:s}],s:s,s:s,s:s}",
                        "parameters", "name", "$1", "value", "46948328", "salt", salt, "name", "$2",
                        "value", "30", "salt", salt, "consents", "parameter", 1, "consent", salt,
                        "nonce", salt, "requester", "ann (uid 7)", "ticket", "T-1", "salt", salt);
    statement =
        json_pack("{s:s,s:s,s:s,s:i,s:i,s:s,s:[{s:s,s:s,s:O}],s:{}}", "type", "FirmianaStatement",
                  "chain", chain, "member", "bank_a", "made", 1, "size", 3, "subject", "46948328",
                  "queries", "query", salt, "outcome", "done", "opening", opening, "proof");
    both = json_pack("[O,o]", opening, statement);
    fuzz_add_json(corpus, both);
    json_decref(both);
}

static const char *const words[] = {
    "parameters", "consents", "requester", "ticket",    "salt",    "name",
    "value",      "hash",     "nonce",     "parameter", "consent", "FirmianaStatement",
    "queries",    "opening",  "outcome",   "rule",      "subject", NULL};
const struct fuzz_target fuzz_target = {"statement", FUZZ_JSON, 16384, words, begin, run};
