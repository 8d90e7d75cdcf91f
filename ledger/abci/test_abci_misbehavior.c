/* What FinalizeBlock tells of misbehavior, with a scripted engine in CometBFT's place: the same
 * blocks lead to the same hashes by both engines' paths, whatever crashed in between; who was
 * proven is named, also by a key that it has replaced since; what tells of nobody is no block. And
 * a replica with such entries is checked, backed up, restored, replayed, pruned and joined as
 * others are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ledger/abci/test_fake.h"
#include "ledger/machine/validator.h"
#include "ledger/store/export.h"
#include "ledger/store/snapshot.h"
#include "ledger/store/upkeep.h"
#include "ledger/verify/verify.h"

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

enum { NOBODYS = 9 }; /* the number of a key that no member ever had */

static struct base_buf entry(int who, int key_number, enum ledger_act act, uint64_t height)
{
    struct ledger_misbehavior what = {.act = act, .height = height, .time_ms = 1760000000123};
    struct base_buf out = {0};
    uint8_t key[32];

    town_validator_key(key, who, key_number);
    ledger_validator_address(what.validator, key);
    if (key_number != NOBODYS)
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
    some[0] = entry(BANK_C, NOBODYS, LEDGER_ACT_VOTED_TWICE, 2);
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
    assert_int_equal(f->misbehaviors, 5);
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

/* ---- upkeep ---- */

static void must(fm_status st)
{
    if (st != FM_OK)
        fail_msg("%s", err.text);
}

static fm_status gather(void *ctx, const void *bytes, size_t len, struct base_err *why)
{
    base_buf_put(ctx, bytes, len);
    return base_buf_status(ctx, "snapshot", why);
}

static void in_folder(char path[128], const char *name)
{
    (void)snprintf(path, 128, "%s/%s", f->folder, name);
}

static void remove_replica(const char *name)
{
    static const char *const endings[] = {"", "-wal", "-shm", ".lock"};
    char path[128];
    size_t len;

    in_folder(path, name);
    len = strlen(path);
    for (size_t k = 0; k < 4; k++) {
        (void)snprintf(path + len, sizeof path - len, "%s", endings[k]);
        (void)unlink(path);
    }
}

static void cosign(void)
{
    const struct ledger_head *head = ledger_chain_head(f->town.chain);
    struct base_buf text = town_checkpoint(&f->town, 15, head->app_hash, head->log_size);
    uint64_t final_size;
    size_t n_new;

    must(ledger_chain_cosign(f->town.chain, &n_new, &final_size, (const char *)text.p, text.len,
                             &err));
    base_buf_release(&text);
}

static void test_checked_and_restored(void **state)
{
    struct ledger_check_report checked;
    struct ledger_restore_report restored;
    struct ledger_replay_report replayed;
    char backup[128], again[128];

    (void)state;
    tell();
    cosign();
    in_folder(backup, "backup");
    in_folder(again, "again");
    must(ledger_check(ledger_chain_reader(f->town.chain), &checked, NULL, &err));
    must(ledger_backup(ledger_chain_reader(f->town.chain), backup, &checked, NULL, &err));
    must(ledger_restore(backup, again, f->town.chain_id, 0, &restored, NULL, &err));
    assert_int_equal(restored.check.height, f->height);
    assert_int_equal(restored.check.leaves, ledger_chain_head(f->town.chain)->log_size);
    must(ledger_replay(ledger_chain_reader(f->town.chain), f->folder, &replayed, NULL, &err));
    assert_int_equal(replayed.height, f->height);
    assert_int_equal(replayed.missing, 0);
    remove_replica("backup");
    remove_replica("again");
}

/* With what has been pruned, too: these entries are kept. */
static void test_joined(void **state)
{
    struct ledger_prune_report pruned;
    struct ledger_check_report checked;
    const struct ledger_head *head;
    struct ledger_chain *joined;
    struct ledger_reader *reader;
    struct base_buf whole = {0};
    char again[128];

    (void)state;
    tell();
    town_wait(&f->town, 2 * DAY_MS);
    town_ok(&f->town, town_publish(&f->town, BANK_A, 3, 1, "balance"));
    cosign();
    head = ledger_chain_head(f->town.chain);
    must(ledger_prune(f->town.chain, head->height, 0, &pruned, NULL, &err));
    assert_int_equal(pruned.erased, 2); /* older versions of bank_a's dataset */
    assert_int_equal(pruned.needed, 1); /* the newest of bank_b; what was proven stays for ever */
    reader = ledger_chain_reader(f->town.chain);
    must(ledger_reader_begin(reader, &err));
    must(ledger_snapshot_write(reader, gather, &whole, &err));
    ledger_reader_end(reader);
    in_folder(again, "again");
    must(ledger_chain_create(&joined, again, f->town.genesis_bytes.p, f->town.genesis_bytes.len,
                             &err));
    must(ledger_snapshot_read(joined, whole.p, whole.len, head->height, head->app_hash, INT64_MAX,
                              &err));
    must(ledger_check(ledger_chain_reader(joined), &checked, NULL, &err));
    assert_int_equal(checked.erased, 2);
    ledger_chain_close(joined);
    base_buf_release(&whole);
    remove_replica("again");
}

static fm_status read_file(void *ctx, void *out, size_t len, size_t *got, struct base_err *why)
{
    (void)why;
    *got = fread(out, 1, len, ctx);
    return FM_OK;
}

/* How many acts the trail tells, with one entry of the log disclosed; NULL: all of them. */
static size_t told_in(const uint8_t (*id)[32], enum ledger_export_form form)
{
    const struct ledger_export_options options = {
        .compact = form, .txs = id, .n_txs = id != NULL ? 1 : 0};
    struct ledger_export_report report;
    struct ledger_bundle_source source = {read_file, NULL};
    struct ledger_verified *found;
    char path[128];
    size_t n;
    FILE *file;

    in_folder(path, "trail");
    must(ledger_export(ledger_chain_reader(f->town.chain), path, &options, &report, &err));
    file = fopen(path, "rb");
    assert_non_null(file);
    source.ctx = file;
    must(ledger_verify(&found, &source, f->town.chain_id, &err));
    n = found->n_misbehaviors;
    assert_int_equal(found->compact, form == LEDGER_EXPORT_COMPACT);
    ledger_verified_free(found);
    (void)fclose(file);
    (void)unlink(path);
    return n;
}

/* Wherever an entry stands, what is exported around it, or of it alone, verifies. */
static void test_exported(void **state)
{
    enum { FIRST = 3, VOUCHED = 2, LEAVES = 4 }; /* of the block of both */

    (void)state;
    tell();
    cosign();
    assert_int_equal(told_in(NULL, LEDGER_EXPORT_WHOLE), 5);
    for (uint64_t i = 0; i < LEAVES; i++) {
        struct ledger_entry e;
        uint8_t id[1][32];
        bool proven;

        must(ledger_reader_leaf(ledger_chain_reader(f->town.chain), &e, FIRST + i, &err));
        proven = strcmp(e.type, LEDGER_MISBEHAVIOR_TYPE) == 0;
        assert_int_equal(proven, i < VOUCHED);
        memcpy(id[0], e.id, 32);
        ledger_entry_release(&e);
        assert_int_equal(told_in(id, LEDGER_EXPORT_WHOLE), 5);
        assert_int_equal(told_in(id, LEDGER_EXPORT_COMPACT), proven ? 1 : 0);
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
        cmocka_unit_test_setup_teardown(test_checked_and_restored, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_joined, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_exported, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_told_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_told_once, set_up_old, tear_down),
        cmocka_unit_test_setup_teardown(test_of_nobody, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
