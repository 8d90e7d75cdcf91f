/* The members' votes and CometBFT's validators: a scripted engine applies what FinalizeBlock tells
 * as strictly as CometBFT does, and after every block the set must be the one that the script
 * expects, whatever crashed in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "ledger/abci/test_fake.h"
#include "ledger/abci/validators.h"
#include "ledger/engine/engine_message.h"
#include "ledger/machine/validator.h"

/* The keys of the story: bit 2 * person + n is that person's n-th key. */
enum {
    A = 1u << 0,
    A2 = 1u << 1,
    B = 1u << 2,
    B2 = 1u << 3,
    C = 1u << 4,
    R = 1u << 6,
    N = 1u << 8,
    KEYS = 10
};

static struct fake *f;
static unsigned expected[FAKE_BLOCKS]; /* after each block; 0: as after the one before */
static int64_t room[FAKE_BLOCKS];      /* that a block told; 0: none */
static struct base_err err;

static void must(fm_status st)
{
    if (st != FM_OK)
        fail_msg("%s", err.text);
}

static int begin(int rules)
{
    f = calloc(1, sizeof *f);
    assert_non_null(f);
    memset(expected, 0, sizeof expected);
    memset(room, 0, sizeof room);
    expected[0] = A | B | C | R;
    fake_init_validators(f, rules);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    return begin(2);
}

static int set_up_old(void **state)
{
    (void)state;
    return begin(1);
}

static int set_up_undo(void **state)
{
    (void)state;
    return begin(LEDGER_UNDO_SINCE);
}

static int tear_down(void **state)
{
    (void)state;
    fake_release(f);
    free(f);
    return 0;
}

/* ---- the story ---- */

static void expect(unsigned keys)
{
    expected[ledger_chain_head(f->town.chain)->height] = keys;
}

static json_t *about(const char *alias)
{
    return json_pack("{s:s, s:s}", "alias", alias, "reason", "test");
}

static struct base_buf vote(int sender, struct town_id id)
{
    return town_tx(&f->town, LEDGER_TX_MEMBER_VOTE, sender,
                   json_pack("{s:s, s:b}", "proposal", id.text, "accept", 1));
}

/* Proposed by bank_a; the last of the votes decides, in the newest block. */
static void carry(enum ledger_tx_type type, json_t *body, int second, int third)
{
    struct base_buf tx = town_tx(&f->town, type, BANK_A, body);
    struct town_id id = town_tx_id(&tx);

    town_ok(&f->town, tx);
    town_ok(&f->town, vote(second, id));
    if (third >= 0)
        town_ok(&f->town, vote(third, id));
}

static json_t *newcomer(void)
{
    return json_pack("{s:s, s:O, s:[s], s:s}", "alias", "newcomer", "document",
                     did_document_json(f->town.who[NEWCOMER].doc), "roles", "provider", "endpoint",
                     "127.0.0.1:7100");
}

/* Names a key in an update of the member's document, -1: none. */
static struct base_buf name_key(int who, int whose, int n)
{
    uint8_t hash[32];

    memcpy(hash, did_document_hash32(f->town.who[who].doc), sizeof hash);
    return town_tx(&f->town, LEDGER_TX_DID_UPDATE, who,
                   town_update(hash, town_validator_document(&f->town, who, whose, n)));
}

static struct base_buf rename_key(int who, int n)
{
    return name_key(who, who, n);
}

/* A member tries it, and its own document stays what it was. */
static void refused(int who, int whose, int n)
{
    struct town_person *p = &f->town.who[who];
    struct did_document *kept;
    struct base_buf tx;

    must(did_document_parse(&kept, did_document_json(p->doc), DID_RULES_VERSION, &err));
    tx = name_key(who, whose, n);
    town_refused(&f->town, tx, LEDGER_RULE_DID_VALIDATOR);
    did_document_free(p->doc);
    p->doc = kept;
}

static void tell(void)
{
    struct town *t = &f->town;
    struct base_buf two[2];
    struct town_id id;

    carry(LEDGER_TX_MEMBER_PROPOSE, newcomer(), BANK_B, BANK_C);
    expect(A | B | C | R | N);
    town_ok(t, rename_key(BANK_B, 1));
    expect(A | B2 | C | R | N);
    town_wait(t, 10000);
    carry(LEDGER_TX_MEMBER_SUSPEND, about("bank_c"), BANK_B, REGULATOR);
    expect(A | B2 | R | N);
    carry(LEDGER_TX_MEMBER_REINSTATE, about("bank_c"), BANK_B, REGULATOR);
    expect(A | B2 | C | R | N);
    town_ok(t, rename_key(NEWCOMER, -1)); /* it follows only */
    expect(A | B2 | C | R);
    /* A suspension and a new key in one block, and there and back in one. */
    two[0] = town_tx(t, LEDGER_TX_MEMBER_SUSPEND, BANK_A, about("regulator"));
    id = town_tx_id(&two[0]);
    town_ok(t, two[0]);
    town_ok(t, vote(BANK_B, id));
    two[0] = rename_key(BANK_A, 1);
    two[1] = vote(BANK_C, id);
    town_block(t, NULL, two, 2, 1000);
    expect(A2 | B2 | C);
    refused(BANK_C, BANK_C, -1); /* of four members three order, and three are the quorum */
    refused(BANK_C, BANK_B, 1);  /* another member's */
    two[0] = rename_key(BANK_B, 0);
    two[1] = rename_key(BANK_B, 1);
    town_block(t, NULL, two, 2, 1000);
    expect(A2 | B2 | C);
    carry(LEDGER_TX_PARAMETER_PROPOSE,
          json_pack("{s:{s:i}, s:s}", "limits", "block_bytes", 1 << 22, "reason", "test"), BANK_B,
          BANK_C);
    room[ledger_chain_head(t->chain)->height] = (1 << 22) + (1 << 20);
    fake_hear(f);
}

/* ---- CometBFT's side ---- */

static unsigned bit_of(const uint8_t key[32])
{
    for (int i = 0; i < KEYS; i++) {
        uint8_t its[32];
        town_validator_key(its, i / 2, i % 2);
        if (memcmp(its, key, sizeof its) == 0)
            return 1u << i;
    }
    fail_msg("a key of nobody's");
    return 0;
}

/* As CometBFT's ValidatorSet.UpdateWithChangeSet: no key twice, none removed that is not there, and
 * never an empty set. */
static unsigned apply(unsigned set, const Abci__ResponseFinalize *told)
{
    unsigned seen = 0;

    for (size_t i = 0; i < told->n_validator_updates; i++) {
        const Abci__ValidatorUpdate *u = told->validator_updates[i];
        unsigned bit;
        assert_int_equal(u->pub_key->ed25519.len, 32);
        bit = bit_of(u->pub_key->ed25519.data);
        assert_true((seen & bit) == 0);
        seen |= bit;
        assert_true(u->power == 0 ? (set & bit) != 0 : u->power == LEDGER_VALIDATOR_POWER);
        set = u->power == 0 ? set & ~bit : set | bit;
    }
    assert_true(set != 0);
    return set;
}

static void check_sets(void)
{
    unsigned set = expected[0], want = expected[0];

    for (uint64_t h = 1; h <= f->height; h++) {
        const struct fake_block *b = &f->blocks[h];
        Abci__ResponseFinalize *told =
            abci__response_finalize__unpack(NULL, b->told.len, b->told.p);
        int64_t is;
        assert_non_null(told);
        want = expected[h] != 0 ? expected[h] : want;
        if (set == want)
            assert_int_equal(told->n_validator_updates, 0); /* nothing for nothing */
        set = apply(set, told);
        if (set != want)
            fail_msg("after block %d the validators are %#x, not %#x", (int)h, set, want);
        is = told->consensus_param_updates != NULL ? told->consensus_param_updates->block->max_bytes
                                                   : 0;
        assert_int_equal(is, room[h]);
        assert_true(is == 0 || told->consensus_param_updates->block->max_gas == -1);
        abci__response_finalize__free_unpacked(told, NULL);
    }
}

static void test_votes_change_validators(void **state)
{
    (void)state;
    tell();
    fake_replay(f, f->height);
    check_sets();
}

/* Each block finalized, lost, finalized again, twice, and after it was taken out for somebody
 * else's sake: the answer is the same to the byte (fake_finalize() compares). */
static void test_same_after_every_crash(void **state)
{
    (void)state;
    tell();
    assert_string_equal(fake_init_chain(f), "");
    for (uint64_t h = 1; h <= f->height; h++) {
        assert_string_equal(fake_finalize(f, h), "");
        fake_crash(f);
        fake_start(f);
        assert_string_equal(fake_finalize(f, h), "");
        assert_string_equal(fake_finalize(f, h), "");
        (void)fake_check(f, "x", 1);
        assert_string_equal(fake_finalize(f, h), "");
        assert_string_equal(fake_commit(f), "");
        if (h % 3 == 0) {
            fake_crash(f);
            fake_start(f);
        }
    }
    fake_at(f, f->height);
    check_sets();
}

/* bank_a's and bank_c's signatures over the node's head, of which it has none of its own yet. */
static void hear_signatures(void)
{
    const struct ledger_head *head = ledger_chain_head(f->chain);

    for (int who = BANK_A; who <= BANK_C; who += BANK_C - BANK_A) {
        struct base_buf text = town_checkpoint(&f->town, 1u << who, head->app_hash, head->log_size);
        struct ledger_message message = {.kind = LEDGER_MESSAGE_CHECKPOINT,
                                         .checkpoint = base_buf_cstr(&text)};
        struct base_buf bytes = {0};
        must(ledger_message_encode(&bytes, &message, &err));
        assert_int_equal(ledger_engine_peer_up(f->engine, f->town.who[who].alias, f->now, &err),
                         FM_E_IO);
        assert_int_equal(ledger_engine_receive(f->engine, f->town.who[who].alias, bytes.p,
                                               bytes.len, f->now, &err),
                         FM_E_IO);
        base_buf_release(&bytes);
        base_buf_release(&text);
    }
}

/* The last signature of a quorum over the block before is our own and comes while a block is
 * finalized: storing it takes that block out, and the answer tells its validators all the same. */
static void test_told_when_final(void **state)
{
    (void)state;
    tell();
    assert_string_equal(fake_init_chain(f), "");
    for (uint64_t h = 1; h <= 5; h++) { /* block 5 is empty */
        size_t finals;
        fake_crash(f); /* it forgets its own signature over the head */
        f->mute = true;
        fake_start(f);
        hear_signatures();
        f->mute = false;
        finals = f->finals;
        assert_string_equal(fake_finalize(f, h), "");
        assert_int_equal(f->finals, finals + 1);
        assert_string_equal(fake_commit(f), "");
    }
    fake_replay(f, f->height);
    check_sets();
}

/* Under version 1 the founders order, whatever is voted; where version 2 begins, what was voted
 * before counts, in one step. */
static void test_since_version_2(void **state)
{
    struct town *t = &f->town;

    (void)state;
    town_ok(t, rename_key(BANK_B, 1));
    carry(LEDGER_TX_MEMBER_SUSPEND, about("bank_c"), BANK_B, REGULATOR);
    carry(LEDGER_TX_PARAMETER_PROPOSE,
          json_pack("{s:{s:i}, s:s}", "limits", "block_bytes", 1 << 22, "reason", "test"), BANK_B,
          -1);
    carry(LEDGER_TX_PARAMETER_PROPOSE,
          json_pack("{s:{s:i, s:I}, s:s}", "rules", "version", 2, "height",
                    (json_int_t)ledger_chain_head(t->chain)->height + 5, "reason", "test"),
          BANK_B, -1);
    town_wait(t, 1000);
    town_ok(t, town_publish(t, BANK_A, 1, 1, "balance"));
    expect(A | B2 | R);
    room[ledger_chain_head(t->chain)->height] = (1 << 22) + (1 << 20);
    town_ok(t, town_publish(t, BANK_A, 2, 1, "balance"));
    assert_int_equal(ledger_chain_head(t->chain)->rules_version, 2);
    fake_hear(f);
    fake_replay(f, f->height);
    check_sets();
}

/* ---- the function itself ---- */

/* A member of this status whose document names a key (-1: none), as a staged block would leave it.
 */
static void stage(json_t *staged, int who, const char *status, int key_of, int n)
{
    const struct town_person *p = &f->town.who[who];
    json_t *document = json_deep_copy((json_t *)(uintptr_t)did_document_json(p->doc));
    struct base_buf at = {0};

    if (n < 0) {
        (void)json_object_del(document, "service");
    } else if (key_of != who) {
        json_t *theirs = json_object_get(did_document_json(f->town.who[key_of].doc), "service");
        (void)json_object_set(document, "service", theirs);
    }
    base_buf_putf(&at, "member/%s", p->alias);
    (void)json_object_set_new(
        staged, base_buf_cstr(&at),
        json_pack("{s:s,s:s}", "did", did_document_id(p->doc), "status", status));
    base_buf_clear(&at);
    base_buf_putf(&at, "did/%s", did_document_id(p->doc));
    (void)json_object_set_new(staged, base_buf_cstr(&at),
                              json_pack("{s:o,s:i}", "document", document, "height", 1));
    base_buf_release(&at);
}

static unsigned set_of(json_t *staged)
{
    struct ledger_validators v;
    unsigned set = 0;

    assert_true(staged == NULL || ledger_validators_touched(staged));
    must(ledger_validators_of(&v, ledger_chain_reader(f->chain), staged, &err));
    for (size_t i = 0; i < v.n; i++) {
        set |= bit_of(v.at[i].key);
        assert_true(i == 0 || memcmp(v.at[i - 1].key, v.at[i].key, 32) < 0);
    }
    ledger_validators_release(&v);
    return set;
}

static void test_function(void **state)
{
    json_t *staged = json_object();

    (void)state;
    assert_int_equal(set_of(NULL), A | B | C | R);
    stage(staged, BANK_A, "suspended", BANK_A, 0);
    assert_int_equal(set_of(staged), B | C | R);
    stage(staged, NEWCOMER, "active", BANK_A, 0); /* another names the key: it counts once more */
    assert_int_equal(set_of(staged), A | B | C | R);
    stage(staged, BANK_A, "active", BANK_A, 0); /* V2 */
    assert_int_equal(set_of(staged), A | B | C | R);
    (void)json_object_set_new(staged, "member/newcomer", json_null()); /* removed */
    stage(staged, BANK_B, "active", BANK_B, -1);
    assert_int_equal(set_of(staged), A | C | R);
    stage(staged, BANK_A, "suspended", BANK_A, 0);
    stage(staged, BANK_C, "suspended", BANK_C, 0);
    assert_int_equal(set_of(staged), R);
    stage(staged, REGULATOR, "suspended", REGULATOR, 0); /* V3 */
    assert_int_equal(set_of(staged), A | B | C | R);
    json_decref(staged);
    staged = json_pack("{s:{}, s:n}", "quota/bank_a", "seen/00");
    assert_false(ledger_validators_touched(staged));
    json_decref(staged);
}

static void test_names(void **state)
{
    uint8_t key[32], address[20];
    char alias[33];

    (void)state;
    for (int who = BANK_A; who <= NEWCOMER; who++) {
        town_validator_key(key, who, 0);
        ledger_validator_address(address, key);
        must(ledger_validator_name(alias, ledger_chain_reader(f->chain), address, &err));
        assert_string_equal(alias, who == NEWCOMER ? "" : f->town.who[who].alias);
    }
}

/* A member's DID is deactivated: it orders no more from then on. That its recovery key undoes this
 * does not let it order again: the others' votes do, under the key that it had. */
static void test_undone_deactivation(void **state)
{
    struct town *t = &f->town;
    struct did_secret *old = t->who[BANK_C].recovery;
    struct did_document *last;
    json_t *body;

    (void)state;
    town_ok(t, town_deactivate(t, BANK_C));
    expect(A | B | R);
    body = town_come_back(t, BANK_C, &last);
    town_ok(t, town_recovery(t, BANK_C, body, old));
    town_wait(t, 10000);
    carry(LEDGER_TX_MEMBER_REINSTATE, about("bank_c"), BANK_B, -1); /* two of the three others */
    expect(A | B | C | R);
    town_ok(t, rename_key(BANK_C, 1));
    expect(A | B | C << 1 | R);
    fake_hear(f);
    fake_replay(f, f->height);
    check_sets();
    did_document_free(last);
    did_secret_free(old);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_votes_change_validators, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_same_after_every_crash, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_told_when_final, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_since_version_2, set_up_old, tear_down),
        cmocka_unit_test_setup_teardown(test_undone_deactivation, set_up_undo, tear_down),
        cmocka_unit_test_setup_teardown(test_function, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_names, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
