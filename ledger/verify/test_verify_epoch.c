/* The verifier and the handover of the ledger to another sequencer: bundles across epochs are
 * valid, forged epochs are not. test_machine_epoch.c has the machine judge the same transactions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "ledger/proof/test_epoch_bodies.h"
#include "ledger/verify/test_story.h"

static json_t *make_tx(void *ctx, enum ledger_tx_type type, size_t sender, json_t *body,
                       int officers)
{
    json_t *tx;

    (void)ctx;
    if (officers == 0)
        return world_tx(w, type, sender, body);
    tx = world_tx_unsigned(w, type, sender, body);
    for (int i = 0; i < officers; i++)
        world_sign(tx, w->m[sender].officer[i]);
    return tx;
}

static const char *alias_of(void *ctx, size_t member)
{
    (void)ctx;
    return w->m[member].alias;
}

static struct ledger_epoch_head here(void)
{
    struct ledger_epoch_head head = {.epoch = w->epoch, .size = w->log.size};

    ledger_log_root(head.root, &w->log);
    return head;
}

/* Two blocks, then the epoch transaction of a case, its block still open. Returns its leaf. */
static uint64_t open_epoch(size_t at)
{
    struct epoch_maker m = {.tx = make_tx, .alias = alias_of, .epoch = w->epoch + 1};
    uint64_t leaf;

    (void)world_put(w, story_dataset(1), LEDGER_RULE_OK);
    (void)world_block(w);
    m.old = here();
    (void)world_put(w, story_dataset(2), LEDGER_RULE_OK);
    (void)world_block(w);
    m.head = here();
    leaf = world_put(w, epoch_case_tx(&m, at), LEDGER_RULE_OK);
    w->epoch++;
    return leaf;
}

static void every_case_is_judged(void **state)
{
    (void)state;
    for (size_t at = 0; at < n_epoch_cases; at++) {
        uint64_t leaf;
        assert_int_equal(story_set_up(state), 0);
        if (epoch_cases[at].rule == LEDGER_RULE_EPOCH_NUMBER) {
            (void)open_epoch(0);
            (void)world_block(w);
        }
        leaf = open_epoch(at);
        story_finish();
        if (epoch_cases[at].rule == LEDGER_RULE_OK)
            story_expect_valid();
        else
            story_expect_invalid("epoch", leaf, "");
        assert_int_equal(story_tear_down(state), 0);
    }
}

static void epochs_follow_each_other(void **state)
{
    (void)state;
    (void)open_epoch(0);
    (void)world_block(w);
    (void)open_epoch(1);
    (void)world_block(w);
    (void)world_put(w, story_dataset(3), LEDGER_RULE_OK);
    story_finish();
    story_expect_valid();
}

static void an_epoch_is_not_opened_twice(void **state)
{
    struct epoch_maker m = {.tx = make_tx, .alias = alias_of, .epoch = 1};
    uint64_t leaf;

    (void)state;
    (void)open_epoch(0);
    (void)world_block(w);
    (void)world_put(w, story_dataset(3), LEDGER_RULE_OK);
    (void)world_block(w);
    m.old = m.head = here();
    leaf = world_put(w, epoch_case_tx(&m, 0), LEDGER_RULE_OK);
    story_finish();
    story_expect_invalid("epoch", leaf, "not after the present one");
}

static void block_leaves_say_the_epoch(void **state)
{
    (void)state;
    (void)open_epoch(0);
    (void)world_block(w);
    w->epoch = 0;
    (void)world_put(w, story_dataset(3), LEDGER_RULE_OK);
    story_finish();
    story_expect_invalid("block", w->log.size - 1, "the epoch changed");
}

static void checkpoints_say_the_epoch(void **state)
{
    (void)state;
    (void)open_epoch(0);
    (void)world_block(w);
    w->epoch = 0;
    world_checkpoint(w, ALL);
    story_expect_invalid("epoch", LEDGER_NO_LEAF, "the checkpoint says epoch 0, the log 1");
}

static void a_hidden_epoch_is_missed(void **state)
{
    struct epoch_maker m = {.tx = make_tx, .alias = alias_of, .epoch = 1};

    (void)state;
    m.old = m.head = here();
    (void)world_hide(w, epoch_case_tx(&m, 0), LEDGER_RULE_OK);
    w->epoch = 1;
    story_finish();
    story_expect_invalid("block", w->log.size - 1, "the epoch changed");
}

static void parts_do_not_stand_alone(void **state)
{
    json_t *body = json_pack("{s:i, s:s}", "epoch", 1, "sequencer", "bank_b");
    uint64_t leaf = world_put(w, world_tx(w, LEDGER_TX_EPOCH_APPROVE, 1, body), LEDGER_RULE_OK);

    (void)state;
    story_finish();
    story_expect_invalid("result", leaf, "stands inside an epoch");
}

static void replace_all(const char *old, const char *new)
{
    struct base_buf out = {0};
    const char *at = base_buf_cstr(&w->bundle), *next;

    while ((next = strstr(at, old)) != NULL) {
        base_buf_put(&out, at, (size_t)(next - at));
        base_buf_put_str(&out, new);
        at = next + strlen(old);
    }
    base_buf_put_str(&out, at);
    base_buf_release(&w->bundle);
    w->bundle = out;
}

/* Every other check of it would need blocks that it may leave out. */
static void no_compact_bundle_has_an_epoch(void **state)
{
    uint64_t leaf = open_epoch(0);

    (void)state;
    story_finish();
    story_expect_valid();
    replace_all("{\"bundle\":1,", "{\"bundle\":2,");
    replace_all(",\"result\":{\"code\":\"ok\"}}\n",
                ",\"result\":{\"code\":\"ok\"},\"results\":\"\"}\n");
    story_expect_invalid("result", leaf, "is not in a compact bundle");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_is_judged),
        T(epochs_follow_each_other),
        T(an_epoch_is_not_opened_twice),
        T(block_leaves_say_the_epoch),
        T(checkpoints_say_the_epoch),
        T(a_hidden_epoch_is_missed),
        T(parts_do_not_stand_alone),
        T(no_compact_bundle_has_an_epoch),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
