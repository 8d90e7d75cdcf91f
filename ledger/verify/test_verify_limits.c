/* The verifier: what stands in the wrong place, is too large, or belongs elsewhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/test_profile.h"
#include "ledger/proof/checkpoint.h"
#include "ledger/verify/test_story.h"

#define CREATED_S 1790000000

/* Replaces the last occurrence of a text in the bundle. */
static void edit(const char *old, const char *new)
{
    struct base_buf out = {0};
    char *text = (char *)(uintptr_t)base_buf_cstr(&w->bundle), *at = NULL, *next = text;

    while ((next = strstr(next, old)) != NULL)
        at = next++;
    assert_non_null(at);
    base_buf_put(&out, text, (size_t)(at - text));
    base_buf_put_str(&out, new);
    base_buf_put_str(&out, at + strlen(old));
    base_buf_release(&w->bundle);
    w->bundle = out;
}

/* Back to the moment after the genesis line, before block 0. */
static void undo_block_0(void)
{
    w->bundle.len = strcspn(base_buf_cstr(&w->bundle), "\n") + 1;
    w->log = w->txs = w->results = (struct ledger_log){0};
    memset(w->prev, 0, sizeof w->prev);
}

static json_t *close_by(size_t sender, json_t *receipt)
{
    return world_tx(w, LEDGER_TX_QUERY_CLOSE, sender, json_pack("{s:o}", "receipt", receipt));
}

static json_t *contract_tx(json_t *contract)
{
    return world_tx(w, LEDGER_TX_CONTRACT_PROPOSE, 0, contract);
}

/* ---- the frame ---- */

static void genesis_comes_first(void **state)
{
    size_t head = strcspn(base_buf_cstr(&w->bundle), "\n") + 1;

    (void)state;
    memmove(w->bundle.p, w->bundle.p + head, w->bundle.len - head);
    w->bundle.len -= head;
    world_checkpoint(w, ALL);
    story_expect_invalid("order", LEDGER_NO_LEAF, "a bundle begins with its genesis");
}

static void the_chain_is_the_hash_of_genesis(void **state)
{
    (void)state;
    edit("test consortium", "next consortium");
    world_checkpoint(w, ALL);
    story_expect_invalid("chain", LEDGER_NO_LEAF, "the genesis has another hash");
}

static void leaves_are_counted(void **state)
{
    uint64_t leaf = world_put(w, story_dataset(1), LEDGER_RULE_OK);
    char old[32], new[32];

    (void)state;
    (void)snprintf(old, sizeof old, "{\"leaf\":%d,", (int)leaf);
    (void)snprintf(new, sizeof new, "{\"leaf\":%d,", (int)leaf + 1);
    edit(old, new);
    story_finish();
    story_expect_invalid("order", leaf + 1, "leaf 1 is expected here");
}

static void leaves_have_what_they_need(void **state)
{
    uint64_t leaf = world_put(w, story_dataset(1), LEDGER_RULE_OK);

    (void)state;
    edit(",\"result\":{\"code\":\"ok\"}", "");
    story_finish();
    story_expect_invalid("result", leaf, "stands with its result");

    world_release(w);
    world_init(w);
    edit("\"txs\":0}", "\"txs\":0},\"result\":{\"code\":\"ok\"}");
    world_checkpoint(w, ALL);
    story_expect_invalid("leaf", 0, "a block leaf has no result");
}

static void the_first_block_is_genesis(void **state)
{
    static const char *const lies[] = {"height", "time"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        world_release(w);
        world_init(w);
        undo_block_0();
        w->overrides = json_pack("{s:i}", lies[i], 5);
        (void)world_block(w);
        world_checkpoint(w, ALL);
        story_expect_invalid("block", 0, "the log begins with the genesis block");
    }
    world_release(w);
    world_init(w);
    undo_block_0();
    (void)world_put(w, story_dataset(1), LEDGER_RULE_OK);
    story_finish();
    story_expect_invalid("block", 0, "the log begins with the genesis block");
}

static void only_blocks_have_a_kind(void **state)
{
    uint64_t leaf;

    (void)state;
    (void)world_put(w, story_dataset(1), LEDGER_RULE_OK);
    w->overrides = json_pack("{s:s}", "kind", "epoch");
    leaf = world_block(w);
    world_checkpoint(w, ALL);
    story_expect_invalid("block", leaf, "no leaf of that kind");
}

/* ---- sizes ---- */

static json_t *long_contract(size_t len, int version)
{
    json_t *contract = world_contract(w);
    char *sql = malloc(len + 1);

    assert_non_null(sql);
    memset(sql, 'x', len);
    sql[len] = '\0';
    assert_int_equal(json_object_set_new(contract, "sql", json_string(sql)), 0);
    assert_int_equal(json_object_set_new(contract, "version", json_integer(version)), 0);
    free(sql);
    return contract_tx(contract);
}

static void transactions_are_bounded(void **state)
{
    uint64_t leaf = world_put(w, long_contract(70000, 1), LEDGER_RULE_OK);

    (void)state;
    story_finish();
    story_expect_invalid("transaction", leaf, "more than tx_bytes");
}

static void blocks_are_bounded_in_bytes(void **state)
{
    uint64_t leaf = 0;

    (void)state;
    for (int i = 1; i <= 17; i++) /* 17 times 62 kB and more: over 1 MiB with the last */
        leaf = world_put(w, long_contract(62000, i), LEDGER_RULE_OK);
    story_finish();
    story_expect_invalid("transaction", leaf, "longer than block_bytes");
}

static void blocks_are_bounded_in_count(void **state)
{
    json_t *tx = story_dataset(1);
    uint64_t leaf = 0;

    (void)state;
    (void)world_put(w, story_proven("bank_a", "duplicate.vote", 0),
                    LEDGER_RULE_OK); /* does not count */
    for (int i = 0; i <= 1000; i++)
        leaf = world_hide(w, json_incref(tx), LEDGER_RULE_DATASET_VERSION);
    json_decref(tx);
    story_finish();
    assert_int_equal(leaf, 1 + 1 + 1000);
    story_expect_invalid("block", leaf, "more transactions than block_txs");
}

/* ---- contracts, consents, receipts ---- */

static void contracts_say_who_takes_part(void **state)
{
    json_t *contract = world_contract(w);
    uint64_t leaf;

    (void)state;
    assert_int_equal(json_object_set_new(contract, "compute", json_pack("[i]", 1)), 0);
    leaf = world_put(w, contract_tx(contract), LEDGER_RULE_OK);
    story_finish();
    story_expect_invalid("contract", leaf, "its parties are malformed");

    world_release(w);
    world_init(w);
    contract = world_contract(w);
    (void)json_object_del(contract, "purpose");
    leaf = world_put(w, contract_tx(contract), LEDGER_RULE_OK);
    story_finish();
    story_expect_invalid("contract", leaf, "member 'purpose' is missing");
}

static void contracts_stand_once(void **state)
{
    json_t *contract = world_contract(w);
    uint64_t leaf;

    (void)state;
    (void)world_put(w, contract_tx(json_incref(contract)), LEDGER_RULE_OK);
    w->time_ms++;
    leaf = world_put(w, contract_tx(contract), LEDGER_RULE_OK);
    story_finish();
    story_expect_invalid("contract", leaf, "the contract is on the log already");
}

static void consents_stand_once_within_limits_and_here(void **state)
{
    struct did_secret *subject = world_secret(w);
    json_t *consent = world_consent(w, subject);
    uint64_t leaf;

    (void)state;
    (void)world_put(w, story_consent(json_incref(consent)), LEDGER_RULE_OK);
    w->time_ms++;
    leaf = world_put(w, story_consent(json_incref(consent)), LEDGER_RULE_OK);
    story_finish();
    story_expect_invalid("consent", leaf, "it is on the log already");

    world_release(w);
    world_init(w);
    (void)json_object_del(consent, "proof");
    assert_int_equal(json_object_set_new(consent, "uses", json_integer(101)), 0);
    assert_int_equal(ledger_subject_sign(consent, subject, CREATED_S, &err), FM_OK);
    leaf = world_put(w, story_consent(consent), LEDGER_RULE_OK);
    story_finish();
    story_expect_invalid("consent", leaf, "more uses than the ledger allows");

    world_release(w);
    world_init(w);
    w->chain[0] ^= 1;
    consent = world_consent(w, subject);
    w->chain[0] ^= 1;
    leaf = world_put(w, story_consent(consent), LEDGER_RULE_OK);
    story_finish();
    story_expect_invalid("consent", leaf, "for another ledger");
    did_secret_free(subject);
}

static void revocations_are_of_something(void **state)
{
    struct did_secret *subject = world_secret(w);
    json_t *consent = world_consent(w, subject), *inner;
    uint8_t id[32], other[32] = {1};
    uint64_t leaf = world_put(w, story_revocation(consent, subject), LEDGER_RULE_OK);

    (void)state;
    story_finish();
    story_expect_invalid("consent", leaf, "the revoked consent is not on the log");

    world_release(w);
    world_init(w);
    (void)world_put(w, story_consent(json_incref(consent)), LEDGER_RULE_OK);
    assert_int_equal(ledger_tx_id(id, consent, &err), FM_OK);
    assert_int_equal(ledger_revocation_build(&inner, other, id, &err), FM_OK);
    assert_int_equal(ledger_subject_sign(inner, subject, CREATED_S, &err), FM_OK);
    leaf = world_put(
        w, world_tx(w, LEDGER_TX_CONSENT_REVOKE, 1, json_pack("{s:o}", "revocation", inner)),
        LEDGER_RULE_OK);
    story_finish();
    story_expect_invalid("consent", leaf, "the revocation is for another ledger");
    json_decref(consent);
    did_secret_free(subject);
}

static void receipts_are_closed_by_the_asker_here(void **state)
{
    json_t *contract = world_contract(w), *open, *receipt;
    uint64_t leaf;

    (void)state;
    (void)world_put(w, contract_tx(json_incref(contract)), LEDGER_RULE_OK);
    open = world_open(w, contract);
    (void)world_put(w, json_incref(open), LEDGER_RULE_OK);
    leaf =
        world_put(w, close_by(1, world_receipt(w, open, LEDGER_RECEIPT_DONE, 7)), LEDGER_RULE_OK);
    story_finish();
    story_expect_invalid("query", leaf, "only its asker closes a query");

    world_release(w);
    world_init(w);
    (void)world_put(w, contract_tx(json_incref(contract)), LEDGER_RULE_OK);
    (void)world_put(w, json_incref(open), LEDGER_RULE_OK);
    w->chain[0] ^= 1;
    receipt = world_receipt(w, open, LEDGER_RECEIPT_DONE, 7);
    w->chain[0] ^= 1;
    leaf = world_put(w, close_by(0, receipt), LEDGER_RULE_OK);
    story_finish();
    story_expect_invalid("receipt", leaf, "it is for another ledger");
    json_decref(open);
    json_decref(contract);
}

/* ---- the end ---- */

static void states_come_after_a_block(void **state)
{
    (void)state;
    (void)world_put(w, story_dataset(1), LEDGER_RULE_OK);
    world_prove(w, "a", NULL);
    world_checkpoint(w, ALL);
    story_expect_invalid("state", LEDGER_NO_LEAF, "does not end with a block leaf");
}

static void presence_names_no_other_leaf(void **state)
{
    json_t *value = json_pack("{s:s}", "status", "open");

    (void)state;
    world_state(w, "query/1", json_incref(value));
    (void)world_put(w, story_dataset(1), LEDGER_RULE_OK);
    (void)world_block(w);
    world_prove(w, "query/1", value);
    edit(
        "\"proof\":{\"siblings\"",
        "\"proof\":{\"leaf\":{\"path\":\"0000000000000000000000000000000000000000000000000000000000"
        "000000\",\"value_hash\":\"0000000000000000000000000000000000000000000000000000000000000000"
        "\"},\"siblings\"");
    world_checkpoint(w, ALL);
    story_expect_invalid("state", LEDGER_NO_LEAF, "presence names no other leaf");
    json_decref(value);
}

static void cosigners_stand_in_order(void **state)
{
    static struct ledger_checkpoint c;
    struct base_buf text = {0};
    json_t *line;

    (void)state;
    memset(&c, 0, sizeof c);
    memcpy(c.chain, w->chain, 32);
    c.size = w->log.size;
    ledger_log_root(c.root, &w->log);
    for (size_t i = 4; i-- > 0;)
        assert_int_equal(
            ledger_cosign(&c.cosigner[c.n++], &c, w->m[i].did, w->m[i].node, CREATED_S, &err),
            FM_OK);
    assert_int_equal(ledger_checkpoint_encode(&text, &c, &err), FM_OK);
    line = json_pack("{s:s%}", "checkpoint", text.p, text.len);
    assert_int_equal(base_json_canonical(&w->bundle, line, &err), FM_OK);
    base_buf_put_str(&w->bundle, "\n");
    json_decref(line);
    base_buf_release(&text);
    story_expect_invalid("cosignature", LEDGER_NO_LEAF, "not in the order of their aliases");
}

static void the_checkpoint_is_for_this_ledger(void **state)
{
    (void)state;
    w->chain[0] ^= 1;
    world_checkpoint(w, ALL);
    w->chain[0] ^= 1;
    story_expect_invalid("chain", LEDGER_NO_LEAF, "the checkpoint is for another ledger");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(genesis_comes_first),          T(the_chain_is_the_hash_of_genesis),
        T(leaves_are_counted),           T(leaves_have_what_they_need),
        T(the_first_block_is_genesis),   T(only_blocks_have_a_kind),
        T(transactions_are_bounded),     T(blocks_are_bounded_in_bytes),
        T(blocks_are_bounded_in_count),  T(contracts_say_who_takes_part),
        T(contracts_stand_once),         T(consents_stand_once_within_limits_and_here),
        T(revocations_are_of_something), T(receipts_are_closed_by_the_asker_here),
        T(states_come_after_a_block),    T(presence_names_no_other_leaf),
        T(cosigners_stand_in_order),     T(the_checkpoint_is_for_this_ledger),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
