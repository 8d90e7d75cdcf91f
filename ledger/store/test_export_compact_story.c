#include "ledger/store/test_export_compact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ledger/store/export.h"

struct base_err compact_err;
struct town compact_town;
static char folder[64], path[96], file[96];

void compact_must(fm_status st)
{
    if (st != FM_OK)
        fail_msg("%s", compact_err.text);
}

int compact_set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "%s/firmiana-compact-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/ledger.db", folder);
    (void)snprintf(file, sizeof file, "%s/bundle", folder);
    town_init_rules(&compact_town, path, 1);
    compact_town.unchecked = true;
    return 0;
}

int compact_tear_down(void **state)
{
    char command[128];

    (void)state;
    town_release(&compact_town);
    (void)snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

/* ---- the story ---- */

static void carry(enum ledger_tx_type type, json_t *body)
{
    struct base_buf tx = town_tx(&compact_town, type, BANK_A, body);
    struct town_id id = town_tx_id(&tx);

    town_ok(&compact_town, tx);
    for (int who = BANK_B; who <= BANK_C; who++)
        town_ok(&compact_town, town_tx(&compact_town, LEDGER_TX_MEMBER_VOTE, who,
                                       json_pack("{s:s, s:b}", "proposal", id.text, "accept", 1)));
}

static void rotate(int who)
{
    uint8_t hash[32];
    json_t *next;

    memcpy(hash, did_document_hash32(compact_town.who[who].doc), sizeof hash);
    next = town_next_document(&compact_town, who, false);
    town_ok(&compact_town,
            town_tx(&compact_town, LEDGER_TX_DID_UPDATE, who, town_update(hash, next)));
}

static int64_t versions;

static void publish(size_t n)
{
    struct base_buf txs[8];

    assert_true(n <= 8);
    for (size_t i = 0; i < n; i++)
        txs[i] = i % 3 == 2 ? town_publish(&compact_town, BANK_A, 1, 1, "balance") /* refused */
                            : town_publish(&compact_town, BANK_A, ++versions, 1, "balance");
    town_block(&compact_town, NULL, txs, n, 1000);
}

/* Members come, go and change their keys; rules change twice; blocks of 1 to 8 between. */
void compact_tell(void)
{
    json_t *rules;

    versions = 0;
    for (size_t n = 1; n <= 8; n++)
        publish(n);
    for (int version = 2; version <= 3; version++) {
        rules = json_pack("{s:i, s:I}", "version", version, "height",
                          (json_int_t)compact_town.memory.tip.height + 5);
        carry(LEDGER_TX_PARAMETER_PROPOSE,
              json_pack("{s:s, s:o}", "reason", "test", "rules", rules));
        town_wait(&compact_town, 1000);
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
    town_wait(&compact_town, 1000);
}

void compact_finish(void)
{
    const struct ledger_head *head = ledger_chain_head(compact_town.chain);
    struct base_buf text = town_checkpoint(&compact_town, 1 << BANK_A | 1 << BANK_B | 1 << BANK_C,
                                           head->app_hash, head->log_size);
    uint64_t size;
    size_t n_new;

    compact_must(ledger_chain_cosign(compact_town.chain, &n_new, &size, (const char *)text.p,
                                     text.len, &compact_err));
    assert_int_equal(size, head->log_size);
    base_buf_release(&text);
}

/* ---- bundles ---- */

struct base_buf compact_export_of(const uint8_t id[][32], size_t n)
{
    struct ledger_export_options options = {
        .compact = LEDGER_EXPORT_COMPACT, .txs = id, .n_txs = n};
    struct ledger_export_report report;
    struct base_buf out = {0};
    FILE *f;

    compact_must(ledger_export(ledger_chain_reader(compact_town.chain), file, &options, &report,
                               &compact_err));
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

fm_status compact_verify(struct ledger_verified **out, const uint8_t *p, size_t len)
{
    struct portion portion = {p, len};
    const struct ledger_bundle_source source = {read_portion, &portion};

    return ledger_verify(out, &source, compact_town.chain_id, &compact_err);
}

bool compact_is_valid(const struct base_buf *bundle)
{
    struct ledger_verified *report;
    fm_status st = compact_verify(&report, bundle->p, bundle->len);

    ledger_verified_free(report);
    assert_true(st == FM_OK || st == FM_E_INVALID);
    return st == FM_OK;
}

void compact_refused(const struct base_buf *bundle, const char *text)
{
    assert_false(compact_is_valid(bundle));
    if (strstr(compact_err.text, text) == NULL)
        fail_msg("not refused by '%s': %s", text, compact_err.text);
}

/* Lines, each with its newline. */
size_t compact_split(struct ledger_bytes *line, size_t room, const struct base_buf *bundle)
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

/* The newest refused and the newest accepted publication. */
struct base_buf compact_two_of_them(void)
{
    uint8_t id[2][32];
    uint64_t leaf = ledger_chain_head(compact_town.chain)->log_size;
    size_t n = 0;

    while (n < 2) {
        struct ledger_entry entry;
        compact_must(ledger_reader_leaf(ledger_chain_reader(compact_town.chain), &entry, --leaf,
                                        &compact_err));
        if (!entry.is_block && strcmp(entry.type, "dataset.publish") == 0 &&
            (entry.rule[0] != '\0') == (n == 0))
            memcpy(id[n++], entry.id, 32);
        ledger_entry_release(&entry);
    }
    return compact_export_of((const uint8_t(*)[32])id, 2);
}
