/* Transactions: shape by type, and who stands behind one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "did/key_did.h"
#include "did/proof.h"
#include "ledger/proof/test_world.h"

#define MAX_TX 65536
#define CREATED_S 1790000000

static struct world *w;
static struct base_err err;

static int set_up(void **state)
{
    (void)state;
    w = calloc(1, sizeof *w);
    world_init(w);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_release(w);
    free(w);
    return 0;
}

static struct base_buf canonical(const json_t *json)
{
    struct base_buf out = {0};

    assert_int_equal(base_json_canonical(&out, json, &err), FM_OK);
    return out;
}

static fm_status parse(struct ledger_tx *tx, const json_t *json)
{
    struct base_buf bytes = canonical(json);
    fm_status st = ledger_tx_parse(tx, bytes.p, bytes.len, MAX_TX, &err);

    base_buf_release(&bytes);
    return st;
}

/* ---- parsing ---- */

/* A body of each type that has the shape, all members there. */
static json_t *body_of(enum ledger_tx_type type)
{
    char h[65];

    base_hex(h, w->chain, 32);
    switch (type) {
    case LEDGER_TX_MEMBER_PROPOSE:
        return json_pack("{s:s, s:{}, s:[], s:s}", "alias", "x", "document", "roles", "endpoint",
                         "h:1");
    case LEDGER_TX_MEMBER_CHANGE:
        return json_pack("{s:s, s:[], s:s}", "alias", "x", "roles", "endpoint", "h:1");
    case LEDGER_TX_MEMBER_REKEY:
        return json_pack("{s:s, s:{}, s:s}", "alias", "x", "document", "reason", "why");
    case LEDGER_TX_PARAMETER_PROPOSE:
        return json_pack("{s:s, s:i, s:{s:i}, s:{s:i, s:i}}", "reason", "why", "quorum", 3,
                         "limits", "block_txs", 5, "rules", "version", 2, "height", 9);
    case LEDGER_TX_MEMBER_REINSTATE:
    case LEDGER_TX_MEMBER_SUSPEND:
        return json_pack("{s:s, s:s}", "alias", "x", "reason", "why");
    case LEDGER_TX_MEMBER_VOTE:
        return json_pack("{s:s, s:b}", "proposal", h, "accept", 1);
    case LEDGER_TX_DID_UPDATE:
    case LEDGER_TX_DID_RECOVER:
        return json_pack("{s:{}, s:s}", "document", "previous", h);
    case LEDGER_TX_DID_DEACTIVATE:
        return json_pack("{s:s}", "previous", h);
    case LEDGER_TX_DATASET_PUBLISH:
        return json_pack("{s:s, s:{}, s:i, s:s, s:i, s:s}", "dataset", "loans", "schema",
                         "data_version", 1, "root", h, "rows", 0, "changes", h);
    case LEDGER_TX_LOTTERY_OPEN:
        return json_pack("{s:s, s:s, s:i, s:i, s:[s], s:i, s:i}", "name", "flats", "root", h,
                         "count", 3, "winners", 1, "members", "x", "close", 5, "reveal", 6);
    case LEDGER_TX_LOTTERY_COMMIT:
        return json_pack("{s:s, s:s}", "lottery", h, "commitment", h);
    case LEDGER_TX_LOTTERY_REVEAL:
        return json_pack("{s:s, s:s}", "lottery", h, "share", h);
    case LEDGER_TX_EVIDENCE_DEPOSIT:
        return json_pack("{s:s, s:i, s:s, s:s}", "algorithm", "sm3", "count", 1, "root", h, "token",
                         h);
    case LEDGER_TX_CONTRACT_PROPOSE:
        return world_contract(w);
    case LEDGER_TX_AUTHORIZATION_GRANT:
        return json_pack("{s:s, s:s, s:[], s:i, s:i}", "contract", h, "uses_hash", h, "uses",
                         "expires", 5, "runs", 1);
    case LEDGER_TX_AUTHORIZATION_REVOKE:
        return json_pack("{s:s, s:s}", "contract", h, "reason", "why");
    case LEDGER_TX_CONSENT_GRANT:
        return json_pack("{s:{}}", "consent");
    case LEDGER_TX_CONSENT_REVOKE:
        return json_pack("{s:{}}", "revocation");
    case LEDGER_TX_QUERY_OPEN:
        return json_pack("{s:s, s:i, s:[{s:i, s:s}], s:s, s:s, s:[s,s,s], s:i}", "contract", h,
                         "height", 0, "consents", "parameter", 1, "consent", h, "parameters", h,
                         "requester", h, "compute", "a", "b", "c", "deadline", 5);
    case LEDGER_TX_QUERY_CLOSE:
    case LEDGER_TX_QUERY_RECEIPT:
        return json_pack("{s:{}}", "receipt");
    case LEDGER_TX_EPOCH_APPROVE:
        return json_pack("{s:i, s:s}", "epoch", 1, "sequencer", "bank_b");
    case LEDGER_TX_EPOCH_PROMISE:
        return json_pack("{s:i, s:s, s:{s:i, s:i, s:s}}", "epoch", 1, "sequencer", "bank_b", "head",
                         "epoch", 0, "size", 1, "root", h);
    case LEDGER_TX_EPOCH:
        return json_pack("{s:i, s:s, s:[], s:[]}", "epoch", 1, "sequencer", "bank_b", "approvals",
                         "promises");
    case LEDGER_TX_STATUS_PUBLISH:
        return json_pack("{s:s, s:i, s:s}", "list", "https://a.example/1", "version", 1, "digest",
                         h);
    case LEDGER_TX_TYPE_COUNT:
        break;
    }
    return NULL;
}

static bool is_optional(enum ledger_tx_type type, const char *key)
{
    if (type == LEDGER_TX_PARAMETER_PROPOSE)
        return strcmp(key, "reason") != 0;
    if (type == LEDGER_TX_DATASET_PUBLISH)
        return strcmp(key, "changes") == 0;
    if (type == LEDGER_TX_EVIDENCE_DEPOSIT)
        return strcmp(key, "token") == 0;
    return type == LEDGER_TX_AUTHORIZATION_REVOKE && strcmp(key, "reason") == 0;
}

static void without_each_member(enum ledger_tx_type type, json_t *tx)
{
    json_t *body = json_object_get(tx, "body");
    json_t *bare = json_copy(body), *v;
    struct ledger_tx parsed;
    const char *key;

    if (type == LEDGER_TX_CONTRACT_PROPOSE) {
        json_decref(bare);
        return; /* its inside is the machine's */
    }
    json_object_foreach(bare, key, v)
    {
        char want[64];
        if (is_optional(type, key))
            continue;
        (void)json_object_del(body, key);
        (void)snprintf(want, sizeof want, "member '%s' is missing", key);
        assert_int_equal(parse(&parsed, tx), FM_E_INPUT);
        assert_non_null(strstr(err.text, want));
        assert_int_equal(json_object_set_new(body, key, json_pack("[{}]")), 0);
        if (!json_is_array(v))
            assert_int_equal(parse(&parsed, tx), FM_E_INPUT);
        assert_int_equal(json_object_set(body, key, v), 0);
    }
    assert_int_equal(json_object_set_new(body, "more", json_true()), 0);
    assert_int_equal(parse(&parsed, tx), FM_E_INPUT);
    assert_non_null(strstr(err.text, "unknown member 'more'"));
    (void)json_object_del(body, "more");
    json_decref(bare);
}

/* Parameters: one at least, each limit known and in its range, rules with both of theirs. */
static void parameters_parse_strictly(void **state)
{
    static const char *const bad[] = {
        "{\"reason\":\"r\"}",
        "{\"quorum\":0,\"reason\":\"r\"}",
        "{\"limits\":{},\"reason\":\"r\"}",
        "{\"limits\":{\"speed\":1},\"reason\":\"r\"}",
        "{\"limits\":{\"block_txs\":0},\"reason\":\"r\"}",
        "{\"limits\":{\"block_txs\":100001},\"reason\":\"r\"}",
        "{\"limits\":{\"tx_bytes\":\"9\"},\"reason\":\"r\"}",
        "{\"reason\":\"r\",\"rules\":{\"version\":2}}",
        "{\"reason\":\"r\",\"rules\":{\"height\":0,\"version\":2}}",
        "{\"reason\":\"r\",\"rules\":{\"height\":5,\"more\":1,\"version\":2}}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        json_t *tx =
            world_tx(w, LEDGER_TX_PARAMETER_PROPOSE, 1, body_of(LEDGER_TX_PARAMETER_PROPOSE));
        struct ledger_tx parsed;
        json_t *body;

        assert_int_equal(parse(&parsed, tx), FM_OK);
        ledger_tx_release(&parsed);
        assert_int_equal(base_json_parse(&body, bad[i], strlen(bad[i]), &err), FM_OK);
        assert_int_equal(json_object_set_new(tx, "body", body), 0);
        if (parse(&parsed, tx) != FM_E_INPUT)
            fail_msg("%s parses", bad[i]);
        json_decref(tx);
    }
}

static void every_type_parses_strictly(void **state)
{
    (void)state;
    for (unsigned t = 0; t < LEDGER_TX_TYPE_COUNT; t++) {
        enum ledger_tx_type type = (enum ledger_tx_type)t;
        json_t *tx = world_tx(w, type, 1, body_of(type));
        struct ledger_tx parsed;
        uint8_t id[32];
        assert_int_equal(ledger_tx_type_find(ledger_tx_type_name(type)), t);
        assert_int_equal(parse(&parsed, tx), FM_OK);
        assert_int_equal(parsed.type, t);
        assert_string_equal(parsed.sender, w->m[1].did);
        assert_memory_equal(parsed.chain, w->chain, 32);
        ledger_tx_release(&parsed);
        without_each_member(type, tx);
        assert_int_equal(parse(&parsed, tx), FM_OK);
        ledger_tx_release(&parsed);
        assert_int_equal(json_object_del(tx, "proof"), 0); /* the id is that of what is signed */
        assert_int_equal(base_json_hash(id, tx, &err), FM_OK);
        assert_int_equal(parse(&parsed, tx), FM_E_INPUT);
        assert_string_equal(err.text, "transaction: member 'proof' is missing");
        json_decref(tx);
    }
    assert_int_equal(ledger_tx_type_find("member.create"), LEDGER_TX_TYPE_COUNT);
}

static void malformed_bytes_are_named(void **state)
{
    static const struct {
        const char *bytes, *text;
    } bad[] = {
        {"", "JSON"},
        {"{}", "member 'chain' is missing"},
        {"[]", "not an object"},
        {"{ }", "not in canonical form"},
        {"{\"a\":1.5}", "fraction"},
    };
    json_t *tx = world_tx(w, LEDGER_TX_MEMBER_VOTE, 1, body_of(LEDGER_TX_MEMBER_VOTE));
    struct base_buf bytes = canonical(tx);
    struct ledger_tx parsed;
    json_t *deep;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(ledger_tx_parse(&parsed, bad[i].bytes, strlen(bad[i].bytes), MAX_TX, &err),
                         FM_E_INPUT);
        assert_non_null(strstr(err.text, bad[i].text));
    }
    assert_int_equal(ledger_tx_parse(&parsed, bytes.p, bytes.len, bytes.len - 1, &err), FM_E_LIMIT);
    for (size_t cut = 0; cut < bytes.len; cut += 7)
        assert_int_equal(ledger_tx_parse(&parsed, bytes.p, cut, MAX_TX, &err), FM_E_INPUT);
    assert_int_equal(json_object_set_new(tx, "type", json_string("no.such")), 0);
    assert_int_equal(parse(&parsed, tx), FM_E_INPUT);
    assert_string_equal(err.text, "transaction: there is no transaction type 'no.such'");
    base_buf_release(&bytes);
    json_decref(tx);

    deep = json_object(); /* 1 + 1 + 28 levels fit, one more does not */
    for (int level = 0; level < 27; level++)
        deep = json_pack("{s:o}", "x", deep);
    tx = world_tx(w, LEDGER_TX_DID_UPDATE, 1,
                  json_pack("{s:o, s:s}", "document", deep, "previous",
                            "00000000000000000000000000000000"
                            "00000000000000000000000000000000"));
    assert_int_equal(parse(&parsed, tx), FM_OK);
    ledger_tx_release(&parsed);
    deep = json_pack("{s:O}", "x", json_object_get(json_object_get(tx, "body"), "document"));
    assert_int_equal(json_object_set_new(json_object_get(tx, "body"), "document", deep), 0);
    assert_int_equal(parse(&parsed, tx), FM_E_INPUT);
    assert_string_equal(err.text, "transaction: nested deeper than 30 levels");
    json_decref(tx);
}

/* ---- authenticating ---- */

static fm_status authenticate(struct ledger_tx_auth *auth, const json_t *json, size_t member)
{
    struct ledger_tx tx;
    fm_status st;

    assert_int_equal(parse(&tx, json), FM_OK);
    st = ledger_tx_authenticate(auth, &tx, w->m[member].doc, DID_RULES_VERSION, &err);
    ledger_tx_release(&tx);
    return st;
}

static json_t *vote(size_t sender)
{
    return world_tx_unsigned(w, LEDGER_TX_MEMBER_VOTE, sender, body_of(LEDGER_TX_MEMBER_VOTE));
}

static json_t *publish(size_t sender)
{
    return world_tx_unsigned(w, LEDGER_TX_DATASET_PUBLISH, sender,
                             body_of(LEDGER_TX_DATASET_PUBLISH));
}

static void prove_as(json_t *tx, size_t member, const struct did_secret *secret, enum did_role role)
{
    char method[DID_METHOD_TEXT];

    assert_int_equal(ledger_method_id(method, w->m[member].did, did_secret_key(secret), &err),
                     FM_OK);
    assert_int_equal(did_proof_add(tx, secret, method, role, CREATED_S, &err), FM_OK);
}

static void expect_rule(json_t *tx, size_t member, enum ledger_rule rule)
{
    struct ledger_tx_auth auth;

    if (authenticate(&auth, tx, member) != FM_OK)
        fail_msg("not authentic: %s", err.text);
    assert_string_equal(ledger_rule_code(auth.rule), ledger_rule_code(rule));
    json_decref(tx);
}

static void expect_dropped(json_t *tx, size_t member, const char *text)
{
    struct ledger_tx_auth auth;
    fm_status st = authenticate(&auth, tx, member);

    assert_true(st == FM_E_AUTH || st == FM_E_INPUT);
    if (strstr(err.text, text) == NULL)
        fail_msg("%s", err.text);
    json_decref(tx);
}

static void the_right_keys_are_told_from_wrong_ones(void **state)
{
    const struct world_member *a = &w->m[0], *b = &w->m[1];
    json_t *tx;

    (void)state;
    expect_rule(world_tx(w, LEDGER_TX_DATASET_PUBLISH, 1, body_of(LEDGER_TX_DATASET_PUBLISH)), 1,
                LEDGER_RULE_OK);
    expect_rule(world_tx(w, LEDGER_TX_MEMBER_VOTE, 1, body_of(LEDGER_TX_MEMBER_VOTE)), 1,
                LEDGER_RULE_OK);
    expect_rule(world_tx(w, LEDGER_TX_MEMBER_VOTE, 0, body_of(LEDGER_TX_MEMBER_VOTE)), 0,
                LEDGER_RULE_OK);

    /* One of two officers. */
    tx = vote(0);
    world_sign(tx, a->officer[1]);
    expect_rule(tx, 0, LEDGER_RULE_AUTH_THRESHOLD);
    /* The node where officers must sign: with its own purpose, and with theirs. */
    tx = vote(1);
    prove_as(tx, 1, b->node, DID_ROLE_ASSERTION);
    expect_rule(tx, 1, LEDGER_RULE_AUTH_ROLE);
    tx = vote(1);
    prove_as(tx, 1, b->node, DID_ROLE_INVOCATION);
    expect_rule(tx, 1, LEDGER_RULE_AUTH_ROLE);
    /* An officer where the node must; the channel's key anywhere. */
    tx = publish(1);
    prove_as(tx, 1, b->officer[0], DID_ROLE_INVOCATION);
    expect_rule(tx, 1, LEDGER_RULE_AUTH_ROLE);
    tx = publish(1);
    prove_as(tx, 1, b->channel, DID_ROLE_AUTHENTICATION);
    expect_rule(tx, 1, LEDGER_RULE_AUTH_ROLE);
    /* Two officers where one signs. */
    tx = vote(1);
    world_sign(tx, b->officer[0]);
    world_sign(tx, b->officer[1]);
    expect_dropped(tx, 1, "several, where one is asked for");
    /* A set of node keys is never asked for. */
    tx = publish(0);
    prove_as(tx, 0, a->officer[0], DID_ROLE_ASSERTION);
    expect_rule(tx, 0, LEDGER_RULE_AUTH_ROLE);
    /* Somebody else's key under the sender's name, and under its own. */
    tx = publish(1);
    prove_as(tx, 1, w->m[2].node, DID_ROLE_ASSERTION);
    expect_dropped(tx, 1, "has no key");
    tx = publish(1);
    prove_as(tx, 2, w->m[2].node, DID_ROLE_ASSERTION);
    expect_dropped(tx, 1, "has no key");
    /* Changed after signing. */
    tx = publish(1);
    world_sign(tx, b->node);
    assert_int_equal(json_object_set_new(tx, "not_after", json_integer(7)), 0);
    expect_dropped(tx, 1, "");
    /* The document of another member: our bug, not a verdict. */
    tx = publish(1);
    world_sign(tx, b->node);
    {
        struct ledger_tx_auth auth;
        assert_int_equal(authenticate(&auth, tx, 2), FM_E_ARG);
    }
    json_decref(tx);
}

static void the_recovery_key_recovers_and_nothing_else(void **state)
{
    const struct world_member *b = &w->m[1];
    char method[DID_METHOD_TEXT];
    json_t *tx;

    (void)state;
    expect_rule(world_tx(w, LEDGER_TX_DID_RECOVER, 1, body_of(LEDGER_TX_DID_RECOVER)), 1,
                LEDGER_RULE_OK);
    tx = world_tx_unsigned(w, LEDGER_TX_DID_RECOVER, 1, body_of(LEDGER_TX_DID_RECOVER));
    prove_as(tx, 1, b->officer[0], DID_ROLE_INVOCATION);
    expect_rule(tx, 1, LEDGER_RULE_AUTH_ROLE);
    tx = world_tx_unsigned(w, LEDGER_TX_DID_RECOVER, 1, body_of(LEDGER_TX_DID_RECOVER));
    world_sign(tx, w->m[2].recovery);
    expect_dropped(tx, 1, "not the sender's recovery key");
    tx = vote(1);
    assert_int_equal(did_key_method_encode(method, did_secret_key(b->recovery), &err), FM_OK);
    assert_int_equal(did_proof_add(tx, b->recovery, method, DID_ROLE_INVOCATION, CREATED_S, &err),
                     FM_OK);
    expect_rule(tx, 1, LEDGER_RULE_AUTH_ROLE);
}

static void proofs_are_well_formed(void **state)
{
    static const char *const bad[] = {"{}",
                                      "[]",
                                      "[1,2]",
                                      "{\"verificationMethod\":1}",
                                      "{\"verificationMethod\":\"x\"}",
                                      "{\"proofPurpose\":\"no\",\"verificationMethod\":\"x\"}"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        json_t *tx = publish(1), *proof;
        assert_int_equal(base_json_parse(&proof, bad[i], strlen(bad[i]), &err), FM_OK);
        assert_int_equal(json_object_set_new(tx, "proof", proof), 0);
        expect_dropped(tx, 1, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_parses_strictly),
        cmocka_unit_test(parameters_parse_strictly),
        cmocka_unit_test(malformed_bytes_are_named),
        cmocka_unit_test(the_right_keys_are_told_from_wrong_ones),
        cmocka_unit_test(the_recovery_key_recovers_and_nothing_else),
        cmocka_unit_test(proofs_are_well_formed),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
