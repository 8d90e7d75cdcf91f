/* What the engine vouches for about validators: under version 3 an entry of the log and of the
 * state, once, whatever else is in the block; under version 2 no trace. As a transaction it is
 * nothing. And what a suspension may rest on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/test_profile.h"
#include "ledger/machine/test_machine.h"
#include "ledger/machine/test_machine_trail.h"
#include "ledger/machine/validator.h"
#include "ledger/proof/misbehavior.h"
#include "ledger/store/upkeep.h"

static struct base_err err;

static struct base_buf entry(const struct town *t, int who, enum ledger_act act, uint64_t height)
{
    struct ledger_misbehavior what = {.act = act, .height = height, .time_ms = t->time_ms};
    struct base_buf out = {0};
    uint8_t key[32];

    town_validator_key(key, who, 0);
    ledger_validator_address(what.validator, key);
    (void)snprintf(what.member, sizeof what.member, "%s", t->who[who].alias);
    assert_int_equal(ledger_misbehavior_write(&out, &what, t->chain_id, &err), FM_OK);
    return out;
}

static struct town_id id_of(const struct base_buf *bytes)
{
    struct town_id id;
    uint8_t hash[32];

    base_hash(hash, bytes->p, bytes->len);
    base_hex(id.text, hash, 32);
    return id;
}

static const json_t *recorded(const struct town *t, struct town_id id)
{
    char key[96];

    (void)snprintf(key, sizeof key, "misbehavior/%s", id.text);
    return trail_state(t, key);
}

/* Alone in a block: what became of it. */
static enum ledger_verdict vouch(struct town *t, struct base_buf bytes)
{
    uint64_t size = t->memory.tip.log.size;
    struct ledger_outcome outcome;

    t->vouched = 1;
    town_block(t, &outcome, &bytes, 1, 1000);
    assert_int_equal(t->memory.tip.log.size, outcome.verdict == LEDGER_OK ? size + 2 : size);
    return outcome.verdict;
}

/* One byte of it changed: canonical or not, it leaves no trace. */
static void refuse_altered(struct town *t, const char *from, const char *to)
{
    struct base_buf bytes = entry(t, BANK_C, LEDGER_ACT_VOTED_TWICE, 1);
    char *at = strstr(base_buf_cstr(&bytes), from);

    assert_non_null(at);
    assert_int_equal(strlen(from), strlen(to));
    memcpy(bytes.p + (at - (char *)bytes.p), to, strlen(to));
    assert_int_equal(vouch(t, bytes), LEDGER_DROPPED);
}

static void replay(const struct town *t)
{
    struct ledger_replay_report report = {0};
    fm_status st = ledger_replay(ledger_chain_reader(t->chain), "/tmp", &report, NULL, &err);

    if (st != FM_OK)
        fail_msg("%s", err.text);
    assert_int_equal(report.missing, 0);
    assert_int_equal(report.height, t->memory.tip.height);
}

static void propose_suspension(struct town *t, const char *alias, const char *ground,
                               enum ledger_rule rule)
{
    struct base_buf tx =
        town_tx(t, LEDGER_TX_MEMBER_SUSPEND, BANK_B,
                json_pack("{s:s, s:s, s:s}", "alias", alias, "reason", "proven", "ground", ground));

    if (rule == LEDGER_RULE_OK)
        town_ok(t, tx);
    else
        town_refused(t, tx, rule);
}

static void check_report(struct town *t, const struct town_id *twice)
{
    struct ledger_verified *report = trail_verify(t, 1 << BANK_A | 1 << BANK_B | 1 << REGULATOR);
    const struct ledger_verified_misbehavior *m = report->misbehaviors;
    char id[65];

    assert_int_equal(report->n_misbehaviors, 3);
    base_hex(id, m[0].id, 32);
    assert_string_equal(id, twice->text);
    assert_string_equal(m[0].what.member, "bank_c");
    assert_int_equal(m[0].what.act, LEDGER_ACT_VOTED_TWICE);
    assert_int_equal(m[0].recorded, m[1].recorded);
    assert_true(m[0].recorded_ms > m[0].what.time_ms);
    assert_int_equal(m[1].what.act, LEDGER_ACT_LIGHT_CLIENT);
    assert_string_equal(m[2].what.member, "regulator");
    ledger_verified_free(report);
}

void test_misbehavior(void **state)
{
    struct town t;
    struct base_buf block[3];
    struct ledger_outcome out[3];
    struct town_id twice, nobody;
    uint64_t size;

    (void)state;
    test_profile_international();
    trail_begin(&t, 3, TRAIL_VALIDATORS);
    town_ok(&t, town_publish(&t, BANK_A, 1, 1, "balance"));
    size = t.memory.tip.log.size;
    block[0] = entry(&t, BANK_C, LEDGER_ACT_VOTED_TWICE, 1);
    block[1] = entry(&t, BANK_C, LEDGER_ACT_LIGHT_CLIENT, 1);
    block[2] = town_publish(&t, BANK_A, 2, 1, "balance");
    twice = id_of(&block[0]);
    assert_null(recorded(&t, twice));
    t.vouched = 2;
    town_block(&t, out, block, 3, 1000);
    for (uint64_t i = 0; i < 3; i++) {
        assert_int_equal(out[i].verdict, LEDGER_OK);
        assert_int_equal(out[i].leaf, size + i);
    }
    assert_int_equal(json_integer_value(json_object_get(recorded(&t, twice), "recorded")),
                     t.memory.tip.height);
    assert_string_equal(json_string_value(json_object_get(recorded(&t, twice), "member")),
                        "bank_c");
    assert_int_equal(vouch(&t, entry(&t, REGULATOR, LEDGER_ACT_VOTED_TWICE, 2)), LEDGER_OK);
    /* Once is enough, also in the same block; nobody's, the future's and another ledger's is none.
     */
    block[0] = entry(&t, BANK_B, LEDGER_ACT_VOTED_TWICE, t.memory.tip.height + 1);
    assert_int_equal(vouch(&t, block[0]), LEDGER_DROPPED);
    assert_int_equal(vouch(&t, entry(&t, NEWCOMER, LEDGER_ACT_VOTED_TWICE, 1)), LEDGER_DROPPED);
    refuse_altered(&t, "duplicate.vote", "duplicate.note");
    refuse_altered(&t, "validator.m", "validator.n");
    refuse_altered(&t, "\"chain\":\"", "\"chain\" :");
    block[0] = town_publish(&t, BANK_A, 3, 1, "balance"); /* nobody vouches for a transaction */
    assert_int_equal(vouch(&t, block[0]), LEDGER_DROPPED);
    town_refused(&t, entry(&t, BANK_B, LEDGER_ACT_VOTED_TWICE, 1), LEDGER_DROP_MALFORMED);
    /* What a suspension may name. */
    block[0] = entry(&t, BANK_A, LEDGER_ACT_VOTED_TWICE, 1);
    nobody = id_of(&block[0]);
    base_buf_release(&block[0]);
    propose_suspension(&t, "bank_c", nobody.text, LEDGER_RULE_MEMBER_GROUND);
    propose_suspension(&t, "bank_a", twice.text, LEDGER_RULE_MEMBER_GROUND);
    propose_suspension(&t, "bank_c", twice.text, LEDGER_RULE_OK);
    check_report(&t, &twice);
    replay(&t);
    trail_end(&t);
}

/* Twice in one ledger is once; under version 2, never. */
void test_misbehavior_leaves_no_trace(void **state)
{
    struct base_buf same;
    struct town t;

    (void)state;
    test_profile_international();
    trail_begin(&t, 2, TRAIL_VALIDATORS);
    town_ok(&t, town_publish(&t, BANK_A, 1, 1, "balance"));
    assert_int_equal(vouch(&t, entry(&t, BANK_C, LEDGER_ACT_VOTED_TWICE, 1)), LEDGER_DROPPED);
    same = entry(&t, BANK_C, LEDGER_ACT_VOTED_TWICE, 1);
    propose_suspension(&t, "bank_c", id_of(&same).text, LEDGER_DROP_MALFORMED);
    base_buf_release(&same);
    replay(&t);
    trail_end(&t);

    trail_begin(&t, 3, TRAIL_VALIDATORS);
    town_ok(&t, town_publish(&t, BANK_A, 1, 1, "balance"));
    same = entry(&t, BANK_C, LEDGER_ACT_VOTED_TWICE, 1);
    for (int i = 0; i < 3; i++) {
        struct base_buf copy = {0};
        base_buf_put(&copy, same.p, same.len);
        assert_int_equal(vouch(&t, copy), i == 0 ? LEDGER_OK : LEDGER_DROPPED);
    }
    base_buf_release(&same);
    replay(&t);
    trail_end(&t);
}

static void follows(struct town *t, const struct ledger_block *block, fm_status want)
{
    assert_int_equal(
        ledger_machine_follows(t->memory.machine, t->memory.tip.height, t->time_ms, block, &err),
        want);
}

/* It takes no transaction's place in a block. */
void test_misbehavior_has_room(void **state)
{
    static const uint8_t byte = 'x';
    struct town t;
    struct ledger_bytes *list;
    struct ledger_block block;
    size_t most;

    (void)state;
    test_profile_international();
    town_init_validators(&t, NULL, 3);
    most = (size_t)json_integer_value(
        json_object_get(json_object_get(t.genesis, "limits"), "block_txs"));
    list = calloc(most + 2, sizeof *list);
    assert_non_null(list);
    for (size_t i = 0; i < most + 2; i++)
        list[i] = (struct ledger_bytes){&byte, 1};
    list[0].len = (size_t)1 << 40; /* nobody reads it */
    block = (struct ledger_block){t.memory.tip.height + 1, t.time_ms + 1, list, most + 1, 1};
    follows(&t, &block, FM_OK);
    block.vouched = 0; /* the long one counts */
    block.count = 1;
    follows(&t, &block, FM_E_LIMIT);
    list[0].len = 1;
    follows(&t, &block, FM_OK);
    block.count = most + 1; /* one too many */
    follows(&t, &block, FM_E_LIMIT);
    block.vouched = 1;
    follows(&t, &block, FM_OK);
    block.count = most + 2;
    follows(&t, &block, FM_E_LIMIT);
    free(list);
    town_release(&t);
}

static void decode(struct base_buf *bytes, uint8_t vouched, fm_status want)
{
    struct ledger_block block;
    struct ledger_bytes *txs;

    bytes->p[8 + 8 + 8 + 3] = vouched;
    assert_int_equal(ledger_block_decode(&block, &txs, bytes->p, bytes->len, &err), want);
    if (want == FM_OK)
        assert_int_equal(block.vouched, vouched);
    free(txs);
}

void test_blocks_that_vouch(void **state)
{
    static const uint8_t byte = 'x';
    struct ledger_bytes list[2] = {{&byte, 1}, {&byte, 1}};
    struct ledger_block block = {7, 8, list, 2, 1};
    struct base_buf bytes = {0};

    (void)state;
    assert_int_equal(ledger_block_encode(&bytes, &block, &err), FM_OK);
    assert_int_equal(bytes.len, 8 + 8 + 8 + 4 + 4 + 2 * (4 + 1));
    decode(&bytes, 0, FM_E_INPUT);
    decode(&bytes, 1, FM_OK);
    decode(&bytes, 2, FM_OK);
    decode(&bytes, 3, FM_E_INPUT);
    base_buf_release(&bytes);
}

/* A key that its document no longer names still has its owner: since version 3. */
void test_replaced_validator_keys(void **state)
{
    uint8_t key[32], address[20], hash[32];
    char name[LEDGER_VALIDATOR_KEY_TEXT];

    (void)state;
    test_profile_international();
    town_validator_key(key, BANK_B, 0);
    ledger_validator_address(address, key);
    ledger_validator_key(name, address);
    for (int rules = 2; rules <= 3; rules++) {
        struct town t;
        const json_t *past;
        town_init_validators(&t, NULL, rules);
        memcpy(hash, did_document_hash32(t.who[BANK_B].doc), sizeof hash);
        assert_null(trail_state(&t, name));
        town_ok(&t, town_tx(&t, LEDGER_TX_DID_UPDATE, BANK_B,
                            town_update(hash, town_validator_document(&t, BANK_B, BANK_B, 1))));
        past = trail_state(&t, name);
        assert_true((past != NULL) == (rules == 3));
        if (past != NULL)
            assert_string_equal(json_string_value(json_object_get(past, "did")),
                                did_document_id(t.who[BANK_B].doc));
        town_release(&t);
    }
}
