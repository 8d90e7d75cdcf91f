/* What FinalizeBlock tells of misbehavior, with a scripted engine in CometBFT's place: the same
 * blocks lead to the same hashes by both engines' paths, whatever crashed in between; who was
 * proven is named, also by a key that it has replaced since; what tells of nobody is no block. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ledger/abci/test_fake.h"
#include "ledger/machine/validator.h"

static struct fake *f;
static struct base_err err;

static int begin(int rules)
{
    f = calloc(1, sizeof *f);
    assert_non_null(f);
    fake_init_validators(f, rules);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    return begin(3);
}

static int set_up_old(void **state)
{
    (void)state;
    return begin(2);
}

static int tear_down(void **state)
{
    (void)state;
    fake_release(f);
    free(f);
    return 0;
}

/* ---- the story ---- */

static struct base_buf entry(int who, int key_number, enum ledger_act act, uint64_t height)
{
    struct ledger_misbehavior what = {.act = act, .height = height, .time_ms = 1760000000123};
    struct base_buf out = {0};
    uint8_t key[32];

    town_validator_key(key, who, key_number);
    ledger_validator_address(what.validator, key);
    (void)snprintf(what.member, sizeof what.member, "%s", f->town.who[who].alias);
    assert_int_equal(ledger_misbehavior_write(&out, &what, f->town.chain_id, &err), FM_OK);
    return out;
}

/* So many of the first are the engine's. */
static void block(size_t vouched, struct base_buf *entries, size_t n)
{
    struct ledger_outcome out[4];

    assert_true(n <= 4);
    f->town.vouched = vouched;
    town_block(&f->town, out, entries, n, 1000);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(out[i].verdict, LEDGER_OK);
}

static void tell(void)
{
    struct town *t = &f->town;
    struct base_buf some[4];
    uint8_t hash[32];

    town_ok(t, town_publish(t, BANK_A, 1, 1, "balance"));
    some[0] = entry(BANK_C, 0, LEDGER_ACT_VOTED_TWICE, 1);
    some[1] = entry(REGULATOR, 0, LEDGER_ACT_LIGHT_CLIENT, 1);
    some[2] = town_publish(t, BANK_A, 2, 1, "balance");
    some[3] = town_publish(t, BANK_B, 1, 1, "balance");
    block(2, some, 4);
    town_wait(t, 10000);
    memcpy(hash, did_document_hash32(t->who[BANK_B].doc), sizeof hash);
    town_ok(t, town_tx(t, LEDGER_TX_DID_UPDATE, BANK_B,
                       town_update(hash, town_validator_document(t, BANK_B, BANK_B, 1))));
    some[0] = entry(BANK_B, 0, LEDGER_ACT_VOTED_TWICE, 2); /* alone, under the key of before */
    block(1, some, 1);
    some[0] = entry(BANK_B, 1, LEDGER_ACT_VOTED_TWICE, 5); /* ... and under its new one */
    block(1, some, 1);
    fake_hear(f);
}

static void test_same_blocks_same_hashes(void **state)
{
    (void)state;
    tell();
    fake_replay(f, f->height);
    assert_int_equal(f->misbehaviors, 4);
    assert_string_equal(f->misbehavior.what.member, "bank_b");
    assert_int_equal(f->misbehavior.what.act, LEDGER_ACT_VOTED_TWICE);
    assert_int_equal(f->misbehavior.what.height, 5);
    assert_int_equal(f->misbehavior.in_block, f->height);
}

/* At every block: finalized twice, crashed before its commit, crashed after. */
static void test_same_after_every_crash(void **state)
{
    (void)state;
    tell();
    for (uint64_t height = 1; height <= f->height; height++) {
        fake_replay(f, height - 1);
        assert_string_equal(fake_finalize(f, height), "");
        assert_string_equal(fake_finalize(f, height), "");
        fake_crash(f);
        fake_start(f);
        fake_replay(f, height);
        fake_crash(f);
        fake_start(f);
        fake_at(f, height);
    }
}

/* ---- by hand ---- */

/* FinalizeBlock of the first block, telling of this; with so many leaves more. "": no exception. */
static const char *finalize(Abci__Misbehavior *m, size_t times, uint64_t *leaves)
{
    static char text[512];
    Abci__Request q = ABCI__REQUEST__INIT;
    Abci__RequestBlock in = ABCI__REQUEST_BLOCK__INIT;
    Abci__Timestamp time = ABCI__TIMESTAMP__INIT;
    Abci__Misbehavior *list[3] = {m, m, m};
    Abci__Response *r;
    uint64_t before = ledger_chain_head(f->chain)->log_size;

    time.seconds = f->town.time_ms / 1000 + (int64_t)ledger_chain_head(f->chain)->height + 1;
    in.misbehavior = list;
    in.n_misbehavior = times;
    in.height = (int64_t)ledger_chain_head(f->chain)->height + 1;
    in.time = &time;
    q.value_case = ABCI__REQUEST__VALUE_FINALIZE;
    q.finalize = &in;
    r = fake_ask(f, FAKE_CONSENSUS, &q);
    assert_non_null(r);
    (void)snprintf(text, sizeof text, "%s",
                   r->value_case == ABCI__RESPONSE__VALUE_EXCEPTION ? r->exception->text : "");
    abci__response__free_unpacked(r, NULL);
    if (text[0] == '\0')
        assert_string_equal(fake_commit(f), "");
    *leaves = ledger_chain_head(f->chain)->log_size - before;
    return text;
}

static void test_told_once(void **state)
{
    Abci__Misbehavior m = ABCI__MISBEHAVIOR__INIT;
    Abci__Validator who = ABCI__VALIDATOR__INIT;
    uint8_t key[32], address[20];
    bool since = ledger_chain_head(f->chain)->rules_version >= LEDGER_MISBEHAVIOR_SINCE;
    uint64_t leaves;

    (void)state;
    town_validator_key(key, BANK_C, 0);
    ledger_validator_address(address, key);
    who.address = (ProtobufCBinaryData){20, address};
    m.type = 1;
    m.validator = &who;
    assert_string_equal(finalize(&m, 0, &leaves), "");
    assert_int_equal(leaves, 0);
    m.height = 1;
    assert_string_equal(finalize(&m, 3, &leaves), "");
    assert_int_equal(leaves, since ? 2 : 0); /* it, and the block's */
    assert_int_equal(f->misbehaviors, 3);    /* the host remembers what it heard */
    assert_string_equal(f->misbehavior.what.member, "bank_c");
    assert_string_equal(finalize(&m, 1, &leaves), "");
    assert_int_equal(leaves, 0);
    address[0] ^= 1; /* nobody's key */
    assert_string_equal(finalize(&m, 1, &leaves), "");
    assert_int_equal(leaves, since ? 2 : 0);
    assert_string_equal(f->misbehavior.what.member, "");
    m.height = 1000; /* not yet */
    assert_string_equal(finalize(&m, 1, &leaves), "");
    assert_int_equal(leaves, 0);
}

static void test_of_nobody(void **state)
{
    Abci__Misbehavior m = ABCI__MISBEHAVIOR__INIT;
    Abci__Validator who = ABCI__VALIDATOR__INIT;
    Abci__Timestamp far = ABCI__TIMESTAMP__INIT;
    uint8_t address[20] = {0};
    uint64_t leaves;

    (void)state;
    m.type = 1;
    assert_non_null(strstr(finalize(&m, 1, &leaves), "misbehavior of nobody"));
    m.validator = &who;
    who.address = (ProtobufCBinaryData){19, address};
    assert_non_null(strstr(finalize(&m, 1, &leaves), "misbehavior of nobody"));
    who.address.len = 20;
    m.type = 3;
    assert_non_null(strstr(finalize(&m, 1, &leaves), "of kind 3"));
    m.type = 2;
    far.seconds = INT64_MAX;
    m.time = &far;
    assert_non_null(strstr(finalize(&m, 1, &leaves), "out of range"));
    m.time = NULL;
    assert_string_equal(finalize(&m, 1, &leaves), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_same_blocks_same_hashes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_same_after_every_crash, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_told_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_told_once, set_up_old, tear_down),
        cmocka_unit_test_setup_teardown(test_of_nobody, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
