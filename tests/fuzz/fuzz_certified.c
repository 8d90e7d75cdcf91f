/* Whole certificates: the line and the bundle behind it, as firmiana-verify is given them, with
 * nobody to say which ledger is meant. Law: what is found valid says the same as the specimen: its
 * document, ledger, leaf and time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "ledger/proof/test_world.h"
#include "ledger/verify/certificate.h"
#include "tests/fuzz/fuzz.h"

enum { DOCUMENTS = 5, WANTED = 3 };

static struct truth {
    struct ledger_evidence_item item;
    uint8_t chain[32];
    uint64_t leaf;
    int64_t time_ms;
} truth;

static fm_status verify(struct ledger_certificate_report *r, const uint8_t *data, size_t size,
                        struct base_err *err)
{
    FILE *f = fmemopen((void *)(uintptr_t)data, size, "rb");
    fm_status st;

    fuzz_law(f != NULL, "there is memory");
    st = ledger_certificate_verify(r, f, NULL, NULL, err);
    (void)fclose(f);
    return st;
}

static void run(const uint8_t *data, size_t size)
{
    struct ledger_certificate_report r = {0};
    struct base_err err = {0};

    if (size == 0)
        return;
    base_profile_forget();
    if (verify(&r, data, size, &err) != FM_OK)
        fuzz_law(err.text[0] != '\0', "a refusal says why");
    else
        fuzz_law(memcmp(&r.certificate.item, &truth.item, sizeof truth.item) == 0 &&
                     memcmp(r.certificate.chain, truth.chain, 32) == 0 &&
                     r.deposit.leaf == truth.leaf && r.deposit.time_ms == truth.time_ms,
                 "what is valid is the specimen");
    ledger_certificate_report_release(&r);
}

/* A deposit of five documents on a ledger of one member; its id. */
static void deposit(struct world *w, const struct ledger_evidence_tree *tree, uint8_t id32[32])
{
    struct ledger_tx parsed = {0};
    struct base_err err = {0};
    uint8_t root[32];
    char hex[65];
    json_t *tx;

    ledger_evidence_tree_root(tree, root);
    base_hex(hex, root, 32);
    tx = world_tx(
        w, LEDGER_TX_EVIDENCE_DEPOSIT, 0,
        json_pack("{s:s, s:i, s:s}", "algorithm", "sha256", "count", DOCUMENTS, "root", hex));
    fuzz_law(ledger_tx_parse_json(&parsed, tx, &err) == FM_OK, err.text);
    memcpy(id32, parsed.id, 32);
    ledger_tx_release(&parsed);
    truth.leaf = world_put(w, tx, LEDGER_RULE_OK);
    (void)world_block(w);
    world_checkpoint(w, 1);
}

static void begin(struct fuzz_corpus *corpus)
{
    struct ledger_evidence_item items[DOCUMENTS];
    struct ledger_certificate c = {.algorithm = "sha256", .count = DOCUMENTS, .index = WANTED};
    struct ledger_certificate_report r = {0};
    struct ledger_evidence_tree *tree;
    struct base_err err = {0};
    struct base_buf text = {0};
    static struct world w;

    world_rules_version = 2; /* the first that has deposits */
    world_init_of(&w, 1, 1);
    for (size_t i = 0; i < DOCUMENTS; i++) {
        base_hash(items[i].digest, &i, sizeof i);
        base_hash(items[i].salt, items[i].digest, 32);
    }
    fuzz_law(ledger_evidence_tree_new(&tree, "sha256", items, DOCUMENTS, &err) == FM_OK &&
                 ledger_evidence_tree_prove(tree, &c.path, WANTED, &err) == FM_OK,
             "specimen");
    deposit(&w, tree, c.tx);
    memcpy(c.chain, w.chain, 32);
    c.item = items[WANTED];
    (void)snprintf(c.name, sizeof c.name, "contract.pdf");
    fuzz_law(ledger_certificate_encode(&text, &c, &err) == FM_OK, "specimen");
    base_buf_put(&text, w.bundle.p, w.bundle.len);
    fuzz_law(verify(&r, text.p, text.len, &err) == FM_OK, err.text);
    truth.item = r.certificate.item;
    memcpy(truth.chain, w.chain, 32);
    fuzz_law(truth.leaf == r.deposit.leaf, "the deposit is where it was put");
    truth.time_ms = r.deposit.time_ms;
    fuzz_add(corpus, text.p, text.len);
    ledger_certificate_report_release(&r);
    base_buf_release(&text);
    ledger_evidence_tree_free(tree);
    world_release(&w);
}

static const char *const words[] = {"certificate", "chain",   "tx",     "digest", "salt",
                                    "index",       "count",   "path",   "bundle", "leaf",
                                    "payload",     "genesis", "result", "token",  NULL};
const struct fuzz_target fuzz_target = {"certified", FUZZ_JSON_LINES, 16384, words, begin, run};
