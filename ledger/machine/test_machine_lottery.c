/* Lotteries: who may do what and when; one that was spoilt, and its repetition. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ledger/machine/test_machine.h"
#include "ledger/proof/lottery.h"
#include "ledger/store/test_town.h"

static const uint8_t share[32] = {'s', 'e', 'c', 'r', 'e', 't'};

/* Closes in 10 s, shares until 20 s from now. */
static json_t *lottery(const struct town *t, const char *a, const char *b, int64_t count,
                       int64_t winners, const char *repeats)
{
    char root[65];
    json_t *body;

    memset(root, '7', 64);
    root[64] = '\0';
    body =
        json_pack("{s:s, s:s, s:I, s:I, s:[s,s], s:I, s:I}", "name", "flats", "root", root, "count",
                  (json_int_t)count, "winners", (json_int_t)winners, "members", a, b, "close",
                  (json_int_t)t->time_ms + 10000, "reveal", (json_int_t)t->time_ms + 20000);
    if (repeats != NULL)
        assert_int_equal(json_object_set_new(body, "repeats", json_string(repeats)), 0);
    return body;
}

static struct base_buf open_it(struct town *t, json_t *body)
{
    return town_tx(t, LEDGER_TX_LOTTERY_OPEN, REGULATOR, body);
}

static struct base_buf commit(struct town *t, int who, const char *id)
{
    uint8_t id32[32], hash[32];
    char hex[65];

    assert_true(base_unhex(id32, 32, id, 64));
    ledger_lottery_commit(hash, id32, t->who[who].alias, share);
    base_hex(hex, hash, 32);
    return town_tx(t, LEDGER_TX_LOTTERY_COMMIT, who,
                   json_pack("{s:s, s:s}", "lottery", id, "commitment", hex));
}

static struct base_buf reveal(struct town *t, int who, const char *id, const uint8_t it[32])
{
    char hex[65];

    base_hex(hex, it, 32);
    return town_tx(t, LEDGER_TX_LOTTERY_REVEAL, who,
                   json_pack("{s:s, s:s}", "lottery", id, "share", hex));
}

static struct town_id opened(struct town *t, json_t *body)
{
    struct base_buf tx = open_it(t, body);
    struct town_id id = town_tx_id(&tx);

    town_ok(t, tx);
    return id;
}

void test_lottery(void **state)
{
    static const uint8_t other[32] = {1};
    struct town t;
    struct town_id id;
    json_t *late;

    (void)state;
    town_init_rules(&t, NULL, 2);
    town_refused(&t, open_it(&t, lottery(&t, "bank_a", "nobody", 100, 3, NULL)),
                 LEDGER_RULE_LOTTERY_MEMBER);
    town_refused(&t, open_it(&t, lottery(&t, "bank_b", "bank_a", 100, 3, NULL)),
                 LEDGER_RULE_LOTTERY_SHAPE);
    town_refused(&t, open_it(&t, lottery(&t, "bank_a", "bank_b", 3, 4, NULL)),
                 LEDGER_RULE_LOTTERY_SHAPE);
    town_refused(&t, open_it(&t, lottery(&t, "bank_a", "bank_b", (1 << 24) + 1, 4, NULL)),
                 LEDGER_RULE_LOTTERY_SHAPE);
    late = lottery(&t, "bank_a", "bank_b", 100, 3, NULL);
    assert_int_equal(json_array_remove(json_object_get(late, "members"), 1), 0);
    town_refused(&t, open_it(&t, late), LEDGER_RULE_LOTTERY_SHAPE); /* one alone */
    late = lottery(&t, "bank_a", "bank_b", 100, 3, NULL);
    assert_int_equal(json_object_set_new(late, "close", json_integer(t.time_ms)), 0);
    town_refused(&t, open_it(&t, late), LEDGER_RULE_LOTTERY_TIME);

    id = opened(&t, lottery(&t, "bank_a", "bank_b", 100, 3, NULL));
    town_refused(&t, commit(&t, BANK_C, id.text), LEDGER_RULE_LOTTERY_MEMBER);
    town_refused(&t, commit(&t, BANK_A, town_hash(t.genesis).text), LEDGER_RULE_LOTTERY_UNKNOWN);
    town_ok(&t, commit(&t, BANK_A, id.text));
    town_refused(&t, commit(&t, BANK_A, id.text), LEDGER_RULE_LOTTERY_SHARE);
    town_refused(&t, reveal(&t, BANK_A, id.text, share), LEDGER_RULE_LOTTERY_TIME);
    town_wait(&t, 5000);
    town_refused(&t, commit(&t, BANK_B, id.text), LEDGER_RULE_LOTTERY_TIME);
    town_refused(&t, reveal(&t, BANK_B, id.text, share), LEDGER_RULE_LOTTERY_SHARE);
    town_refused(&t, reveal(&t, BANK_A, id.text, other), LEDGER_RULE_LOTTERY_SHARE);
    town_ok(&t, reveal(&t, BANK_A, id.text, share));
    town_refused(&t, reveal(&t, BANK_A, id.text, share), LEDGER_RULE_LOTTERY_SHARE);
    town_release(&t);
}

void test_lottery_repeated(void **state)
{
    struct town t;
    struct town_id id;
    json_t *again;
    char root[65];

    (void)state;
    town_init_rules(&t, NULL, 2);
    again = lottery(&t, "bank_a", "bank_b", 100, 3, NULL);
    assert_int_equal(
        json_array_append_new(json_object_get(again, "members"), json_string("bank_c")), 0);
    id = opened(&t, again);
    town_ok(&t, commit(&t, BANK_A, id.text));
    town_ok(&t, commit(&t, BANK_B, id.text));
    town_ok(&t, commit(&t, BANK_C, id.text));
    town_wait(&t, 8000);
    town_ok(&t, reveal(&t, BANK_A, id.text, share));
    town_ok(&t, reveal(&t, BANK_B, id.text, share));
    /* bank_c may still reveal; then it is too late, and those two go on alone. */
    town_refused(&t, open_it(&t, lottery(&t, "bank_a", "bank_b", 100, 3, id.text)),
                 LEDGER_RULE_LOTTERY_TIME);
    town_wait(&t, 20000);
    town_refused(&t, reveal(&t, BANK_C, id.text, share), LEDGER_RULE_LOTTERY_TIME);
    town_refused(&t, open_it(&t, lottery(&t, "bank_a", "bank_c", 100, 3, id.text)),
                 LEDGER_RULE_LOTTERY_MEMBER);
    town_refused(&t, open_it(&t, lottery(&t, "bank_a", "bank_b", 100, 4, id.text)),
                 LEDGER_RULE_LOTTERY_SHAPE);
    again = lottery(&t, "bank_a", "bank_b", 100, 3, id.text);
    memset(root, '8', 64);
    root[64] = '\0';
    assert_int_equal(json_object_set_new(again, "root", json_string(root)), 0);
    town_refused(&t, open_it(&t, again), LEDGER_RULE_LOTTERY_SHAPE);
    again = lottery(&t, "bank_a", "bank_b", 100, 3, id.text);
    assert_int_equal(
        json_array_append_new(json_object_get(again, "members"), json_string("regulator")), 0);
    town_refused(&t, open_it(&t, again), LEDGER_RULE_LOTTERY_MEMBER);
    (void)opened(&t, lottery(&t, "bank_a", "bank_b", 100, 3, id.text));
    /* Once: the two may not go on until they like what comes. */
    town_refused(&t, open_it(&t, lottery(&t, "bank_a", "bank_b", 100, 3, id.text)),
                 LEDGER_RULE_LOTTERY_SHAPE);
    town_release(&t);
}

/* Of two, one withholds (or whoever makes the blocks leaves its share out): the other may not go on
 * alone. */
void test_lottery_of_two_spoilt(void **state)
{
    struct town t;
    struct town_id id;
    json_t *alone;

    (void)state;
    town_init_rules(&t, NULL, 2);
    id = opened(&t, lottery(&t, "bank_a", "bank_b", 100, 3, NULL));
    town_ok(&t, commit(&t, BANK_A, id.text));
    town_ok(&t, commit(&t, BANK_B, id.text));
    town_wait(&t, 10000);
    town_ok(&t, reveal(&t, BANK_B, id.text, share));
    town_wait(&t, 20000);
    alone = lottery(&t, "bank_a", "bank_b", 100, 3, id.text);
    assert_int_equal(json_array_remove(json_object_get(alone, "members"), 0), 0);
    town_refused(&t, open_it(&t, alone), LEDGER_RULE_LOTTERY_SHAPE);
    /* Nor with somebody new under the name of a repetition; afresh, everyone sees both. */
    town_refused(&t, open_it(&t, lottery(&t, "bank_b", "bank_c", 100, 3, id.text)),
                 LEDGER_RULE_LOTTERY_MEMBER);
    (void)opened(&t, lottery(&t, "bank_b", "bank_c", 100, 3, NULL));
    town_release(&t);
}

/* From rules version 4 on somebody new takes the place of the one that withheld: no more than one,
 * not the one that withheld, never without the one that gave its share, and once. */
void test_lottery_of_two_repeated(void **state)
{
    struct town t;
    struct town_id id;
    json_t *more;

    (void)state;
    town_init_rules(&t, NULL, 4);
    id = opened(&t, lottery(&t, "bank_a", "bank_b", 100, 3, NULL));
    town_ok(&t, commit(&t, BANK_A, id.text));
    town_ok(&t, commit(&t, BANK_B, id.text));
    town_wait(&t, 10000);
    town_ok(&t, reveal(&t, BANK_B, id.text, share));
    town_refused(&t, open_it(&t, lottery(&t, "bank_b", "bank_c", 100, 3, id.text)),
                 LEDGER_RULE_LOTTERY_TIME);
    town_wait(&t, 20000);
    town_refused(&t, open_it(&t, lottery(&t, "bank_a", "bank_b", 100, 3, id.text)),
                 LEDGER_RULE_LOTTERY_MEMBER);
    town_refused(&t, open_it(&t, lottery(&t, "bank_c", "regulator", 100, 3, id.text)),
                 LEDGER_RULE_LOTTERY_MEMBER);
    more = lottery(&t, "bank_b", "bank_c", 100, 3, id.text);
    assert_int_equal(
        json_array_append_new(json_object_get(more, "members"), json_string("regulator")), 0);
    town_refused(&t, open_it(&t, more), LEDGER_RULE_LOTTERY_MEMBER);
    id = opened(&t, lottery(&t, "bank_b", "bank_c", 100, 3, id.text));
    town_ok(&t, commit(&t, BANK_B, id.text));
    town_ok(&t, commit(&t, BANK_C, id.text));
    town_release(&t);
}
