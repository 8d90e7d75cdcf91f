/* Snapshots: the same bytes from every replica that holds the same blocks, pruned or not; a replica
 * that begins with one goes on like the others; and no damaged byte gets in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ledger/store/snapshot.h"
#include "ledger/store/test_town.h"
#include "ledger/store/upkeep.h"

#define LATEST INT64_MAX

static struct base_err err;
static char folder[64], path[96], other[96];

static void must(fm_status st)
{
    if (st != FM_OK)
        fail_msg("%s", err.text);
}

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "%s/firmiana-snapshot-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/a.ledger", folder);
    (void)snprintf(other, sizeof other, "%s/b.ledger", folder);
    return 0;
}

static void remove_files(const char *name)
{
    static const char *const endings[] = {"", "-wal", "-shm", ".lock"};
    char text[160];

    for (size_t k = 0; k < 4; k++) {
        (void)snprintf(text, sizeof text, "%s%s", name, endings[k]);
        (void)unlink(text);
    }
}

static int remove_folder(void **state)
{
    (void)state;
    remove_files(path);
    remove_files(other);
    return rmdir(folder);
}

static fm_status gather(void *ctx, const void *bytes, size_t len, struct base_err *why)
{
    base_buf_put(ctx, bytes, len);
    return base_buf_status(ctx, "snapshot", why);
}

static struct base_buf snapshot_of(struct ledger_chain *chain)
{
    struct ledger_reader *reader = ledger_chain_reader(chain);
    struct base_buf out = {0};

    must(ledger_reader_begin(reader, &err));
    must(ledger_snapshot_write(reader, gather, &out, &err));
    ledger_reader_end(reader);
    return out;
}

static struct ledger_chain *fresh(struct town *t)
{
    struct ledger_chain *chain;

    must(ledger_chain_create(&chain, other, t->genesis_bytes.p, t->genesis_bytes.len, &err));
    return chain;
}

/* Queries open and closed, consents, refusals, empty blocks. */
static json_t *play(struct town *t)
{
    json_t *c;
    struct town_id id;

    ledger_chain_set_sweep(t->chain, 1, 40);
    ledger_chain_set_recent(t->chain, 5); /* some ids in their index, some on the way */
    c = town_set_up(t, town_contract_subject(t));
    id = town_ask(t, c);

    town_refused(t, town_publish(t, BANK_A, 7, 1, "balance"), LEDGER_RULE_DATASET_VERSION);
    town_wait(t, 5000);
    town_ok(t, town_tx(t, LEDGER_TX_QUERY_CLOSE, BANK_A,
                       json_pack("{s:o}", "receipt",
                                 town_receipt(t, c, id.text, LEDGER_RECEIPT_DONE, true, 7))));
    (void)town_ask(t, c);
    town_wait(t, 1000);
    return c;
}

static void test_joins_and_goes_on(void **state)
{
    struct ledger_check_report report;
    struct base_buf a, b;
    struct ledger_chain *joined;
    const struct ledger_head *head;
    struct town *t = calloc(1, sizeof *t);
    json_t *c;

    (void)state;
    assert_non_null(t);
    town_init(t, path);
    t->unchecked = true;
    c = play(t);
    town_wait(t, 2 * DAY_MS); /* transactions are past their not_after */
    town_ok(t, town_publish(t, BANK_A, 2, 1, "balance"));
    a = snapshot_of(t->chain);
    head = ledger_chain_head(t->chain);
    joined = fresh(t);
    must(ledger_snapshot_read(joined, a.p, a.len, head->height, head->app_hash, LATEST, &err));
    assert_memory_equal(ledger_chain_head(joined), head, sizeof *head);
    must(ledger_check(ledger_chain_reader(joined), &report, NULL, &err));
    assert_true(report.erased > 0); /* what pruning would have taken is not there */
    b = snapshot_of(joined);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.p, b.p, a.len);
    base_buf_release(&b);
    ledger_chain_close(joined);
    must(ledger_chain_open(&joined, other, &err));
    for (int i = 0; i < 3; i++) { /* the same blocks lead to the same hashes */
        struct base_buf tx = town_publish(t, BANK_B, 2 + i, 1, "balance"), bytes = {0};
        struct ledger_block block;
        struct ledger_bytes *txs;
        base_buf_put(&bytes, tx.p, tx.len);
        txs = &(struct ledger_bytes){bytes.p, bytes.len};
        town_ok(t, tx);
        block = (struct ledger_block){head->height, head->time_ms, txs, 1, 0};
        must(ledger_chain_execute(joined, NULL, &block, &err));
        assert_memory_equal(ledger_chain_head(joined), head, sizeof *head);
        base_buf_release(&bytes);
    }
    assert_int_equal(
        ledger_snapshot_read(joined, a.p, a.len, head->height, head->app_hash, LATEST, &err),
        FM_E_CONFLICT);
    base_buf_release(&a);
    ledger_chain_close(joined);
    json_decref(c);
    town_release(t);
    free(t);
}

/* What each has pruned makes no difference. */
static void test_pruned_replicas_agree(void **state)
{
    struct ledger_prune_report report;
    struct base_buf a, b, text;
    uint64_t final_size;
    size_t n_new;
    struct town *t = calloc(1, sizeof *t);

    (void)state;
    assert_non_null(t);
    town_init(t, path);
    t->unchecked = true;
    json_decref(play(t));
    town_wait(t, 2 * DAY_MS); /* transactions are past their not_after */
    town_ok(t, town_publish(t, BANK_A, 2, 1, "balance"));
    text = town_checkpoint(t, 7, ledger_chain_head(t->chain)->app_hash,
                           ledger_chain_head(t->chain)->log_size);
    must(ledger_chain_cosign(t->chain, &n_new, &final_size, (const char *)text.p, text.len, &err));
    a = snapshot_of(t->chain);
    must(ledger_prune(t->chain, ledger_chain_head(t->chain)->height, 0, &report, NULL, &err));
    assert_true(report.erased > 0);
    b = snapshot_of(t->chain);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.p, b.p, a.len);
    base_buf_release(&a);
    base_buf_release(&b);
    base_buf_release(&text);
    town_release(t);
    free(t);
}

/* Cut off anywhere, or with a bit turned anywhere that a hash covers: refused, and the replica is
 * still at its genesis, and good. */
static void test_damage(void **state)
{
    struct town *t = calloc(1, sizeof *t);
    struct ledger_chain *joined;
    struct ledger_head head;
    struct base_buf a;
    size_t step, taken = 0, tried = 0;

    (void)state;
    assert_non_null(t);
    town_init(t, path);
    t->unchecked = true;
    json_decref(play(t));
    a = snapshot_of(t->chain);
    head = *ledger_chain_head(t->chain);
    joined = fresh(t);
    step = a.len / 150 + 1;
    for (size_t at = 0; at < a.len; at += step, tried++) {
        fm_status st =
            ledger_snapshot_read(joined, a.p, at, head.height, head.app_hash, LATEST, &err);
        assert_true(st == FM_E_INPUT || st == FM_E_INVALID);
        assert_int_equal(ledger_chain_head(joined)->height, 0);
    }
    for (size_t at = 3; at < a.len; at += step) {
        fm_status st;
        a.p[at] ^= 0x10;
        st = ledger_snapshot_read(joined, a.p, a.len, head.height, head.app_hash, LATEST, &err);
        a.p[at] ^= 0x10;
        if (st == FM_OK) { /* one of those that the header names */
            taken++;
            ledger_chain_close(joined);
            remove_files(other);
            joined = fresh(t);
        } else if (st != FM_E_INPUT && st != FM_E_INVALID && st != FM_E_CORRUPT) {
            fail_msg("byte %zu: %s", at, err.text);
        }
    }
    assert_true(taken * 10 < tried);
    head.app_hash[0] ^= 1;
    assert_int_equal(
        ledger_snapshot_read(joined, a.p, a.len, head.height, head.app_hash, LATEST, &err),
        FM_E_INVALID);
    head.app_hash[0] ^= 1;
    assert_int_equal(
        ledger_snapshot_read(joined, a.p, a.len, head.height + 1, head.app_hash, LATEST, &err),
        FM_E_INPUT);
    must(ledger_snapshot_read(joined, a.p, a.len, head.height, head.app_hash, LATEST, &err));
    ledger_chain_close(joined);
    base_buf_release(&a);
    town_release(t);
    free(t);
}

/* ---- what no hash covers, but what is proven says too ---- */

/* Where a snapshot's fields are. */
struct places {
    size_t tip, blocks, n_blocks; /* offsets; a block takes 20 bytes */
    size_t id, alias, type;       /* of the newest transaction with its payload */
    size_t member;                /* the kind of one that is kept for good */
    size_t bare;                  /* the not_after of one without its payload */
};

static struct places find(const struct base_buf *a)
{
    struct places p = {0};
    struct base_cur cur = base_cur_make(a->p, a->len);
    uint64_t leaves;

    (void)base_cur_take(&cur, 8);
    (void)base_cur_take(&cur, base_cur_u32(&cur));
    p.tip = a->len - cur.left;
    p.n_blocks = base_cur_u64(&cur) + 1;
    (void)base_cur_take(&cur, 24);
    leaves = base_cur_u64(&cur);
    p.blocks = a->len - cur.left;
    (void)base_cur_take(&cur, 20 * p.n_blocks);
    for (uint64_t i = 0; i < leaves; i++) {
        size_t kind_at = a->len - cur.left + 8, id_at = kind_at + 33, alias_at = id_at + 40,
               type_at;
        uint8_t kind;
        (void)base_cur_take(&cur, 8);
        kind = base_cur_u8(&cur);
        (void)base_cur_take(&cur, 32);
        if (kind != 0) {
            (void)base_cur_take(&cur, 40);
            (void)base_cur_take(&cur, base_cur_u8(&cur));
            type_at = a->len - cur.left;
            (void)base_cur_take(&cur, base_cur_u8(&cur));
            (void)base_cur_take(&cur, base_cur_u32(&cur));
            if (kind == 1) {
                p.id = id_at;
                p.alias = alias_at;
                p.type = type_at;
                if (memcmp(a->p + type_at + 1, "member.", 7) == 0)
                    p.member = kind_at;
            } else {
                p.bare = id_at + 32;
            }
        }
        if (kind != 2)
            (void)base_cur_take(&cur, base_cur_u32(&cur));
    }
    assert_false(cur.bad);
    return p;
}

/* With this byte another one: refused, for that reason. */
static void refused(struct ledger_chain *joined, const struct ledger_head *head, struct base_buf *a,
                    size_t at, uint8_t change, const char *why)
{
    int64_t latest = head->time_ms;
    fm_status st;

    assert_true(at > 0);
    a->p[at] ^= change;
    st = ledger_snapshot_read(joined, a->p, a->len, head->height, head->app_hash, latest, &err);
    a->p[at] ^= change;
    assert_true(st == FM_E_INPUT || st == FM_E_INVALID);
    if (strstr(err.text, why) == NULL)
        fail_msg("byte %zu: %s, not %s", at, err.text, why);
    assert_int_equal(ledger_chain_head(joined)->height, 0);
}

static void test_fields(void **state)
{
    struct town *t = calloc(1, sizeof *t);
    struct ledger_chain *joined;
    struct ledger_head head;
    struct base_buf a;
    struct places p;
    size_t last;

    (void)state;
    assert_non_null(t);
    town_init(t, path);
    t->unchecked = true;
    json_decref(play(t));
    town_ok(t, town_tx(t, LEDGER_TX_MEMBER_SUSPEND, BANK_A,
                       json_pack("{s:s, s:s}", "alias", "bank_c", "reason", "gone")));
    town_wait(t, 2 * DAY_MS);
    town_ok(t, town_publish(t, BANK_A, 2, 1, "balance"));
    town_wait(t, 1000);
    town_wait(t, 1000);
    a = snapshot_of(t->chain);
    head = *ledger_chain_head(t->chain);
    joined = fresh(t);
    p = find(&a);
    last = p.blocks + 20 * (p.n_blocks - 1);
    refused(joined, &head, &a, p.tip + 8 + 2, 0x02, "in the future");
    refused(joined, &head, &a, p.tip + 8 + 5, 0x80, "another time"); /* hours earlier */
    refused(joined, &head, &a, p.tip + 16 + 7, 1, "epoch or rules version");
    refused(joined, &head, &a, p.tip + 24 + 7, 2, "epoch or rules version");
    refused(joined, &head, &a, last + 4, 0x01, "time");
    refused(joined, &head, &a, last - 20 + 4, 0x01, "out of time"); /* an empty one below it */
    refused(joined, &head, &a, last + 8 + 7, 1, "other leaves");
    refused(joined, &head, &a, last + 16 + 3, 1, "leaves");
    refused(joined, &head, &a, p.id, 1, "id or type");
    refused(joined, &head, &a, p.type + 1, 1, "id or type");
    refused(joined, &head, &a, p.alias + 6, 'a' ^ 'b', "its sender"); /* bank_b is a member too */
    refused(joined, &head, &a, p.member, 1 ^ 2, "who is a member is left out");
    refused(joined, &head, &a, p.bare, 1, "not past its not_after");
    must(ledger_snapshot_read(joined, a.p, a.len, head.height, head.app_hash, head.time_ms, &err));
    ledger_chain_close(joined);
    base_buf_release(&a);
    town_release(t);
    free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_joins_and_goes_on, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_pruned_replicas_agree, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_damage, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_fields, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
