/* Compact bundles: every transaction of a log can be shown with one, whatever happened to members,
 * keys and rules before or after; none is valid that was altered in any place, lacks a line, has
 * one too many, or hides what changed a member's keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "ledger/proof/log_proof.h"
#include "ledger/store/export.h"
#include "ledger/store/test_town.h"
#include "ledger/verify/verify.h"

static struct base_err err;
static struct town t;
static char folder[64], path[96], file[96];

static void must(fm_status st)
{
    if (st != FM_OK)
        fail_msg("%s", err.text);
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "%s/firmiana-compact-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/ledger.db", folder);
    (void)snprintf(file, sizeof file, "%s/bundle", folder);
    town_init_rules(&t, path, 1);
    t.unchecked = true;
    return 0;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    town_release(&t);
    (void)snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

/* ---- the story ---- */

static void carry(enum ledger_tx_type type, json_t *body)
{
    struct base_buf tx = town_tx(&t, type, BANK_A, body);
    struct town_id id = town_tx_id(&tx);

    town_ok(&t, tx);
    for (int who = BANK_B; who <= BANK_C; who++)
        town_ok(&t, town_tx(&t, LEDGER_TX_MEMBER_VOTE, who,
                            json_pack("{s:s, s:b}", "proposal", id.text, "accept", 1)));
}

static void rotate(int who)
{
    uint8_t hash[32];
    json_t *next;

    memcpy(hash, did_document_hash32(t.who[who].doc), sizeof hash);
    next = town_next_document(&t, who, false);
    town_ok(&t, town_tx(&t, LEDGER_TX_DID_UPDATE, who, town_update(hash, next)));
}

static int64_t versions;

static void publish(size_t n)
{
    struct base_buf txs[8];

    assert_true(n <= 8);
    for (size_t i = 0; i < n; i++)
        txs[i] = i % 3 == 2 ? town_publish(&t, BANK_A, 1, 1, "balance") /* refused */
                            : town_publish(&t, BANK_A, ++versions, 1, "balance");
    town_block(&t, NULL, txs, n, 1000);
}

/* Members come, go and change their keys; rules change twice; blocks of 1 to 8 between. */
static void tell(void)
{
    json_t *rules;

    versions = 0;
    for (size_t n = 1; n <= 8; n++)
        publish(n);
    for (int version = 2; version <= 3; version++) {
        rules = json_pack("{s:i, s:I}", "version", version, "height",
                          (json_int_t)t.memory.tip.height + 5);
        carry(LEDGER_TX_PARAMETER_PROPOSE,
              json_pack("{s:s, s:o}", "reason", "test", "rules", rules));
        town_wait(&t, 1000);
        publish(3);
        publish(5);
    }
    rotate(BANK_B);
    publish(2);
    carry(LEDGER_TX_MEMBER_SUSPEND,
          json_pack("{s:s, s:s}", "alias", "regulator", "reason", "test"));
    publish(7);
    rotate(BANK_C);
    publish(4);
    town_wait(&t, 1000);
}

static void finish(void)
{
    const struct ledger_head *head = ledger_chain_head(t.chain);
    struct base_buf text = town_checkpoint(&t, 1 << BANK_A | 1 << BANK_B | 1 << BANK_C,
                                           head->app_hash, head->log_size);
    uint64_t size;
    size_t n_new;

    must(ledger_chain_cosign(t.chain, &n_new, &size, (const char *)text.p, text.len, &err));
    assert_int_equal(size, head->log_size);
    base_buf_release(&text);
}

/* ---- bundles ---- */

static struct base_buf export_of(const uint8_t id[][32], size_t n)
{
    struct ledger_export_options options = {
        .compact = LEDGER_EXPORT_COMPACT, .txs = id, .n_txs = n};
    struct ledger_export_report report;
    struct base_buf out = {0};
    FILE *f;

    must(ledger_export(ledger_chain_reader(t.chain), file, &options, &report, &err));
    f = fopen(file, "rb");
    assert_non_null(f);
    assert_int_equal(fread(base_buf_extend(&out, (size_t)report.bytes), 1, (size_t)report.bytes, f),
                     report.bytes);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(unlink(file), 0);
    return out;
}

struct portion {
    const uint8_t *p;
    size_t left;
};

static fm_status read_portion(void *ctx, void *out, size_t len, size_t *got, struct base_err *e)
{
    struct portion *p = ctx;

    (void)e;
    *got = len < p->left ? len : p->left;
    memcpy(out, p->p, *got);
    p->p += *got;
    p->left -= *got;
    return FM_OK;
}

static fm_status verify(struct ledger_verified **out, const uint8_t *p, size_t len)
{
    struct portion portion = {p, len};
    const struct ledger_bundle_source source = {read_portion, &portion};

    return ledger_verify(out, &source, t.chain_id, &err);
}

static bool is_valid(const struct base_buf *bundle)
{
    struct ledger_verified *report;
    fm_status st = verify(&report, bundle->p, bundle->len);

    ledger_verified_free(report);
    assert_true(st == FM_OK || st == FM_E_INVALID);
    return st == FM_OK;
}

static void refused(const struct base_buf *bundle, const char *text)
{
    assert_false(is_valid(bundle));
    if (strstr(err.text, text) == NULL)
        fail_msg("not refused by '%s': %s", text, err.text);
}

/* Lines, each with its newline. */
static size_t split(struct ledger_bytes *line, size_t room, const struct base_buf *bundle)
{
    size_t n = 0, at = 0;

    while (at < bundle->len) {
        const uint8_t *end = memchr(bundle->p + at, '\n', bundle->len - at);
        assert_true(n < room && end != NULL);
        line[n].p = bundle->p + at;
        line[n].len = (size_t)(end - line[n].p) + 1;
        at += line[n++].len;
    }
    return n;
}

/* ---- laws ---- */

/* All of them with FIRMIANA_FULL=1, else every n-th. */
static size_t every(size_t n)
{
    const char *full = getenv("FIRMIANA_FULL");

    return full != NULL && strcmp(full, "1") == 0 ? 1 : n;
}

static void test_every_leaf(void **state)
{
    uint64_t size;
    size_t transactions = 0;

    (void)state;
    tell();
    finish();
    size = ledger_chain_head(t.chain)->log_size;
    for (uint64_t leaf = 1; leaf < size; leaf += every(3)) {
        struct ledger_entry entry;
        struct ledger_verified *report;
        struct base_buf bundle;
        uint8_t id[1][32];
        must(ledger_reader_leaf(ledger_chain_reader(t.chain), &entry, leaf, &err));
        memcpy(id[0], entry.id, 32);
        if (!entry.is_block) {
            transactions++;
            bundle = export_of(id, 1);
            must(verify(&report, bundle.p, bundle.len));
            assert_int_equal(report->size, size);
            assert_memory_equal(report->root, ledger_chain_head(t.chain)->app_hash, 32);
            assert_int_equal(report->by_type[LEDGER_TX_DATASET_PUBLISH],
                             strcmp(entry.type, "dataset.publish") == 0 && entry.rule[0] == '\0');
            assert_int_equal(report->refused, entry.rule[0] != '\0');
            assert_int_equal(report->documents, 4);
            assert_int_equal(ledger_members_terms(report->members)->rules_version, 3);
            must(ledger_verified_complete(report, &err));
            assert_true(report->skipped > size / 3);
            ledger_verified_free(report);
            base_buf_release(&bundle);
        }
        ledger_entry_release(&entry);
    }
    assert_true(transactions > 60 / every(3));
}

/* The newest refused and the newest accepted publication. */
static struct base_buf two_of_them(void)
{
    uint8_t id[2][32];
    uint64_t leaf = ledger_chain_head(t.chain)->log_size;
    size_t n = 0;

    while (n < 2) {
        struct ledger_entry entry;
        must(ledger_reader_leaf(ledger_chain_reader(t.chain), &entry, --leaf, &err));
        if (!entry.is_block && strcmp(entry.type, "dataset.publish") == 0 &&
            (entry.rule[0] != '\0') == (n == 0))
            memcpy(id[n++], entry.id, 32);
        ledger_entry_release(&entry);
    }
    return export_of((const uint8_t(*)[32])id, 2);
}

static void test_altered(void **state)
{
    size_t step = every(101);
    struct base_buf bundle;

    (void)state;
    tell();
    finish();
    bundle = two_of_them();
    assert_true(is_valid(&bundle));
    for (size_t i = 0; i < bundle.len; i += step) {
        uint8_t was = bundle.p[i];
        bundle.p[i] ^=
            1; /* a digit stays one, mostly: what is malformed is found by every reader */
        if (is_valid(&bundle))
            fail_msg("byte %zu altered from '%c', and valid: %.60s", i, was,
                     (const char *)bundle.p + (i < 30 ? 0 : i - 30));
        bundle.p[i] = was;
    }
    base_buf_release(&bundle);
}

/* Without each line in turn, with each twice, and with each changed for the one behind it. */
static void test_lines(void **state)
{
    static struct ledger_bytes line[256];
    struct base_buf bundle;
    size_t n;

    (void)state;
    tell();
    finish();
    bundle = two_of_them();
    n = split(line, 256, &bundle);
    for (size_t at = 0; at < n; at += every(4)) {
        for (int what = 0; what < 3; what++) {
            struct base_buf other = {0};
            for (size_t i = 0; i < n; i++) {
                size_t from = what == 2 && i == at && at + 1 < n       ? i + 1
                              : what == 2 && i == at + 1 && at + 1 < n ? i - 1
                                                                       : i;
                for (int k = 0; k < (i == at ? what == 2 ? 1 : 2 * what : 1); k++)
                    base_buf_put(&other, line[from].p, line[from].len);
            }
            if ((what != 2 || at + 1 < n) && is_valid(&other))
                fail_msg("line %zu %s, and valid", at + 1,
                         what == 0   ? "left out"
                         : what == 1 ? "twice"
                                     : "behind the next");
            base_buf_release(&other);
        }
    }
    base_buf_release(&bundle);
}

/* ---- hiding ---- */

static fm_status leaf_node(void *ctx, uint8_t out32[32], unsigned level, uint64_t index,
                           struct base_err *e)
{
    struct ledger_log log = {0};

    (void)ctx;
    for (uint64_t i = index << level; i < (index + 1) << level; i++) {
        struct ledger_entry entry;
        uint8_t hash[32];
        fm_status st = ledger_reader_leaf(ledger_chain_reader(t.chain), &entry, i, e);
        if (st != FM_OK)
            return st;
        ledger_log_leaf_hash(hash, entry.payload_hash);
        ledger_log_append(&log, hash, NULL);
        ledger_entry_release(&entry);
    }
    ledger_log_root(out32, &log);
    return FM_OK;
}

static fm_status put_bytes(void *ctx, const void *bytes, size_t len, struct base_err *e)
{
    base_buf_put(ctx, bytes, len);
    return base_buf_status(ctx, "bundle", e);
}

static void put_skip(struct base_buf *out, uint64_t from, uint64_t to)
{
    const struct ledger_bundle_sink sink = {put_bytes, out};
    uint8_t hash[128][32];
    size_t n = 0;

    for (uint64_t at = from; at < to; n++) {
        unsigned level = ledger_log_gap_level(at, to);
        must(leaf_node(NULL, hash[n], level, at >> level, &err));
        at += (uint64_t)1 << level;
    }
    must(ledger_bundle_skip(&sink, from, to, hash[0], n, &err));
}

/* A liar's bundle: as the honest one, but the leaves [from, to) are left out, with the right hashes
 * in their place, and no state lines of this beginning (NULL: all stay). */
static struct base_buf hide(const struct base_buf *honest, uint64_t from, uint64_t to,
                            const char *without)
{
    static struct ledger_bytes line[256];
    struct base_buf out = {0};
    uint64_t at = 0;
    size_t n = split(line, 256, honest);

    for (size_t i = 0; i < n; i++) {
        json_t *json = NULL;
        const json_t *leaf;
        must(base_json_parse(&json, (const char *)line[i].p, line[i].len - 1, &err));
        leaf = json_object_get(json, "leaf");
        if (leaf != NULL && json_object_get(json, "to") == NULL &&
            ((uint64_t)json_integer_value(leaf) < from ||
             (uint64_t)json_integer_value(leaf) >= to)) {
            if (at < (uint64_t)json_integer_value(leaf))
                put_skip(&out, at, (uint64_t)json_integer_value(leaf));
            at = (uint64_t)json_integer_value(leaf) + 1;
            base_buf_put(&out, line[i].p, line[i].len);
        } else if (leaf == NULL) {
            const char *key = json_string_value(json_object_get(json, "state"));
            if (key == NULL || without == NULL || strncmp(key, without, strlen(without)) != 0)
                base_buf_put(&out, line[i].p, line[i].len);
        }
        json_decref(json);
    }
    return out;
}

/* The last accepted entry of a type. */
static uint64_t last_of(const char *type)
{
    uint64_t leaf = ledger_chain_head(t.chain)->log_size;

    for (;;) {
        struct ledger_entry entry;
        bool it;
        must(ledger_reader_leaf(ledger_chain_reader(t.chain), &entry, --leaf, &err));
        it = !entry.is_block && strcmp(entry.type, type) == 0 && entry.rule[0] == '\0';
        ledger_entry_release(&entry);
        if (it)
            return leaf;
    }
}

static void hidden(const struct base_buf *honest, uint64_t from, uint64_t to, const char *without,
                   const char *text)
{
    struct base_buf lie = hide(honest, from, to, without);

    refused(&lie, text);
    base_buf_release(&lie);
}

static void test_hidden(void **state)
{
    static const char incomplete[] = "a compact bundle proves of every member";
    struct base_buf honest, same;
    uint64_t rotation, vote, parameters, shown, size;

    (void)state;
    tell();
    finish();
    honest = two_of_them();
    same = hide(&honest, 0, 0, NULL);
    assert_true(same.len == honest.len && memcmp(same.p, honest.p, same.len) == 0);
    base_buf_release(&same);
    rotation = last_of("did.update");
    vote = last_of("member.vote");
    parameters = last_of("parameter.propose");
    shown = last_of("dataset.publish");
    size = ledger_chain_head(t.chain)->log_size;
    /* bank_c's rotation, with its block's leaf; the vote that suspended; what switched the rules.
     */
    hidden(&honest, rotation, rotation + 2, NULL, "must disclose those that change members");
    hidden(&honest, vote, vote + 2, NULL, "'member/regulator' is not what");
    hidden(&honest, parameters, parameters + 2, NULL, "no such proposal is open");
    hidden(&honest, parameters, rotation, NULL, "where what was voted leads to version 2");
    /* ... and without the lines that tell. */
    hidden(&honest, rotation, rotation + 2, "did/", incomplete);
    hidden(&honest, vote, vote + 2, "member/", incomplete);
    hidden(&honest, 0, 0, "param", incomplete);
    /* The leaf of a block: what stands before it is of no block that is shown, or of another. */
    hidden(&honest, size - 1, size, NULL, "the log does not end with a block leaf");
    while (shown < size && ledger_chain_head(t.chain)->log_size > shown) {
        struct ledger_entry entry;
        bool block;
        must(ledger_reader_leaf(ledger_chain_reader(t.chain), &entry, ++shown, &err));
        block = entry.is_block;
        ledger_entry_release(&entry);
        if (block)
            break;
    }
    if (shown < size - 1)
        hidden(&honest, shown, shown + 1, NULL, "is of a block whose leaf is left out");
    hidden(&honest, 0, 1, NULL, "the log begins with the genesis block");
    base_buf_release(&honest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_leaf, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_altered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lines, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hidden, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
