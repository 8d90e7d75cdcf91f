#include "ledger/proof/test_epoch_bodies.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum {
    GOOD,
    GOOD_LEAST,
    NUMBER,
    SENDER,
    FEW_APPROVALS,
    TWICE_APPROVED,
    OTHER_SEQUENCER,
    OTHER_EPOCH,
    ONE_OFFICER,
    ALTERED_APPROVAL,
    PROMISE_AS_APPROVAL,
    UNSIGNED_APPROVAL,
    FEW_PROMISES,
    TWICE_PROMISED,
    PROMISE_OTHER_SEQUENCER,
    PROMISE_OTHER_EPOCH,
    PROMISE_OF_THE_FUTURE,
    ALTERED_PROMISE,
    APPROVAL_AS_PROMISE,
    OTHER_ROOT,
    NOT_AN_END,
    BEYOND_THE_LOG,
    UNKNOWN_EPOCH,
    BEFORE_THE_LOG,
    CASES
};

const struct epoch_case epoch_cases[] = {
    [GOOD] = {"all approve, all promise", LEDGER_RULE_OK},
    [GOOD_LEAST] = {"three approve, three promise, one of an earlier head", LEDGER_RULE_OK},
    [NUMBER] = {"the epoch that is", LEDGER_RULE_EPOCH_NUMBER},
    [SENDER] = {"sent by another", LEDGER_RULE_EPOCH_SEQUENCER},
    [FEW_APPROVALS] = {"two of four approve", LEDGER_RULE_EPOCH_APPROVAL},
    [TWICE_APPROVED] = {"one approves twice", LEDGER_RULE_EPOCH_APPROVAL},
    [OTHER_SEQUENCER] = {"an approval of another sequencer", LEDGER_RULE_EPOCH_APPROVAL},
    [OTHER_EPOCH] = {"an approval for another epoch", LEDGER_RULE_EPOCH_APPROVAL},
    [ONE_OFFICER] = {"an approval by one officer of two", LEDGER_RULE_EPOCH_APPROVAL},
    [ALTERED_APPROVAL] = {"an approval altered after signing", LEDGER_RULE_EPOCH_APPROVAL},
    [PROMISE_AS_APPROVAL] = {"a promise among the approvals", LEDGER_RULE_EPOCH_APPROVAL},
    [UNSIGNED_APPROVAL] = {"an approval without a proof", LEDGER_RULE_EPOCH_APPROVAL},
    [FEW_PROMISES] = {"two promise, the quorum is three", LEDGER_RULE_EPOCH_PROMISE},
    [TWICE_PROMISED] = {"one promises twice", LEDGER_RULE_EPOCH_PROMISE},
    [PROMISE_OTHER_SEQUENCER] = {"a promise to another sequencer", LEDGER_RULE_EPOCH_PROMISE},
    [PROMISE_OTHER_EPOCH] = {"a promise for another epoch", LEDGER_RULE_EPOCH_PROMISE},
    [PROMISE_OF_THE_FUTURE] = {"a head of the new epoch", LEDGER_RULE_EPOCH_PROMISE},
    [ALTERED_PROMISE] = {"a promise altered after signing", LEDGER_RULE_EPOCH_PROMISE},
    [APPROVAL_AS_PROMISE] = {"an approval among the promises", LEDGER_RULE_EPOCH_PROMISE},
    [OTHER_ROOT] = {"a head with another root", LEDGER_RULE_EPOCH_BASE},
    [NOT_AN_END] = {"a head that ends no block", LEDGER_RULE_EPOCH_BASE},
    [BEYOND_THE_LOG] = {"a head beyond the log", LEDGER_RULE_EPOCH_BASE},
    [UNKNOWN_EPOCH] = {"a greater head, of an epoch that is not on the log",
                       LEDGER_RULE_EPOCH_BASE},
    [BEFORE_THE_LOG] = {"a log that goes on after the greatest head", LEDGER_RULE_EPOCH_BASE},
};
const size_t n_epoch_cases = CASES;

/* Which member of a list has the fault. */
#define CULPRIT 2

static json_t *approval(const struct epoch_maker *m, size_t who, size_t at)
{
    bool wrong = who == CULPRIT;
    uint64_t epoch = m->epoch + (wrong && at == OTHER_EPOCH);
    const char *sequencer = m->alias(m->ctx, wrong && at == OTHER_SEQUENCER ? 3 : 1);
    json_t *tx = m->tx(m->ctx, LEDGER_TX_EPOCH_APPROVE, who,
                       json_pack("{s:I, s:s}", "epoch", (json_int_t)epoch, "sequencer", sequencer),
                       at == ONE_OFFICER && who == 0);

    if (wrong && at == ALTERED_APPROVAL)
        assert_int_equal(
            json_object_set_new(
                tx, "not_after",
                json_integer(json_integer_value(json_object_get(tx, "not_after")) + 1)),
            0);
    if (wrong && at == UNSIGNED_APPROVAL)
        (void)json_object_del(tx, "proof");
    return tx;
}

static json_t *promise(const struct epoch_maker *m, size_t who, size_t at)
{
    bool wrong = who == CULPRIT;
    uint64_t epoch = m->epoch + (wrong && at == PROMISE_OTHER_EPOCH);
    struct ledger_epoch_head head = who == 3 || at == BEFORE_THE_LOG ? m->old : m->head;
    struct base_err err = {0};
    json_t *body, *tx;

    if (wrong && at == PROMISE_OF_THE_FUTURE)
        head.epoch = m->epoch;
    if (wrong && at == OTHER_ROOT)
        head.root[31] ^= 1;
    if (wrong && at == NOT_AN_END)
        head.size--;
    if (wrong && at == BEYOND_THE_LOG)
        head.size += 2;
    if (wrong && at == UNKNOWN_EPOCH)
        head.epoch = m->head.epoch + 1;
    assert_int_equal(
        ledger_epoch_promise_body(&body, epoch + (at == UNKNOWN_EPOCH),
                                  m->alias(m->ctx, wrong && at == PROMISE_OTHER_SEQUENCER ? 3 : 1),
                                  &head, &err),
        FM_OK);
    tx = m->tx(m->ctx, LEDGER_TX_EPOCH_PROMISE, who, body, 0);
    if (wrong && at == ALTERED_PROMISE)
        assert_int_equal(json_object_set_new(json_object_get(json_object_get(tx, "body"), "head"),
                                             "size", json_integer((json_int_t)head.size + 3)),
                         0);
    return tx;
}

json_t *epoch_case_tx(const struct epoch_maker *m, size_t at)
{
    json_t *approvals = json_array(), *promises = json_array();
    uint64_t epoch = m->epoch - (at == NUMBER) + (at == UNKNOWN_EPOCH);
    size_t first = at == GOOD ? 0 : 1;

    if (at == ONE_OFFICER)
        first = 0;
    for (size_t who = first; who < 4; who++) {
        struct epoch_maker later = *m;
        later.epoch += at == UNKNOWN_EPOCH;
        if (!(at == FEW_APPROVALS && who == 3))
            (void)json_array_append_new(approvals, at == PROMISE_AS_APPROVAL && who == CULPRIT
                                                       ? promise(m, who, at)
                                                       : approval(&later, who, at));
        if (!(at == FEW_PROMISES && who == 3) && who > 0)
            (void)json_array_append_new(promises, at == APPROVAL_AS_PROMISE && who == CULPRIT
                                                      ? approval(m, who, at)
                                                      : promise(m, who, at));
    }
    if (at == TWICE_APPROVED)
        (void)json_array_set(approvals, 0, json_array_get(approvals, 1));
    if (at == TWICE_PROMISED)
        (void)json_array_set(promises, 0, json_array_get(promises, 1));
    return m->tx(m->ctx, LEDGER_TX_EPOCH, at == SENDER ? 2 : 1,
                 json_pack("{s:I, s:s, s:o, s:o}", "epoch", (json_int_t)epoch, "sequencer",
                           m->alias(m->ctx, 1), "approvals", approvals, "promises", promises),
                 0);
}
