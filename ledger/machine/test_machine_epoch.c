/* epoch: the machine's verdict on the cases of test_epoch_bodies.h, and what an accepted one does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "ledger/machine/test_machine.h"
#include "ledger/proof/test_epoch_bodies.h"
#include "ledger/store/test_town.h"

static struct base_err err;
static int64_t version; /* of bank_c's data */

static json_t *make_tx(void *ctx, enum ledger_tx_type type, size_t sender, json_t *body,
                       int officers)
{
    struct town *t = ctx;
    struct base_buf bytes;
    json_t *tx;

    if (officers > 0) {
        tx = town_unsigned(t, type, (int)sender, body);
        for (int i = 0; i < officers; i++)
            assert_int_equal(ledger_tx_sign(tx, t->who[sender].officer[i], town_seconds(t), &err),
                             FM_OK);
        return tx;
    }
    bytes = town_tx(t, type, (int)sender, body);
    assert_int_equal(base_json_parse(&tx, (const char *)bytes.p, bytes.len, &err), FM_OK);
    base_buf_release(&bytes);
    return tx;
}

static const char *alias_of(void *ctx, size_t member)
{
    return ((struct town *)ctx)->who[member].alias;
}

static struct ledger_epoch_head newest(const struct town *t)
{
    return t->memory.ends[t->memory.n_ends - 1];
}

static struct epoch_maker maker(struct town *t, uint64_t epoch)
{
    struct epoch_maker m = {.ctx = t, .tx = make_tx, .alias = alias_of, .epoch = epoch};

    m.old = newest(t);
    town_ok(t, town_publish(t, BANK_C, ++version, 1, "balance"));
    m.head = newest(t);
    return m;
}

void test_epochs(void **state)
{
    struct town t;
    struct base_buf tx;

    (void)state;
    version = 0;
    town_init(&t, NULL);
    for (size_t at = 0; at < n_epoch_cases; at++) {
        struct epoch_maker m;
        enum ledger_rule rule = epoch_cases[at].rule;
        uint64_t epoch = t.memory.tip.epoch;
        m = maker(&t, epoch + 1);
        print_message("%s\n", epoch_cases[at].name);
        tx = town_bytes(epoch_case_tx(&m, at));
        if (rule == LEDGER_RULE_OK)
            town_ok(&t, tx);
        else
            town_refused(&t, tx, rule);
        assert_int_equal(t.memory.tip.epoch, epoch + (rule == LEDGER_RULE_OK));
    }
    /* Heads of an earlier epoch may be what was left behind: they need not be on the log. */
    {
        struct epoch_maker m = maker(&t, t.memory.tip.epoch + 1);
        m.old = (struct ledger_epoch_head){.epoch = 0, .size = 99, .root = {7}};
        town_ok(&t, town_bytes(epoch_case_tx(&m, 1)));
    }
    town_refused(&t,
                 town_tx(&t, LEDGER_TX_EPOCH_APPROVE, BANK_A,
                         json_pack("{s:i, s:s}", "epoch", 99, "sequencer", "bank_a")),
                 LEDGER_RULE_EPOCH_PLACE);
    town_release(&t);
}

void test_epoch_times(void **state)
{
    struct town t;
    struct epoch_maker m;
    json_t *tx;

    (void)state;
    version = 0;
    town_init(&t, NULL);
    m = maker(&t, 1);
    tx = epoch_case_tx(&m, 0);
    town_wait(&t, HOUR_MS / 2); /* approvals and the transaction still hold */
    town_ok(&t, town_bytes(tx));
    m = maker(&t, 2);
    tx = epoch_case_tx(&m, 0);
    town_wait(&t, 2 * HOUR_MS); /* the approvals do not; a new envelope does not help them */
    town_refused(&t, town_tx(&t, LEDGER_TX_EPOCH, BANK_B, json_incref(json_object_get(tx, "body"))),
                 LEDGER_RULE_EPOCH_APPROVAL);
    json_decref(tx);
    town_release(&t);
}
