/* Certificates' lines, and time-stamp tokens. Laws: a line has one form; of a deposit nothing but
 * the specimen's own document is shown; a token that is none gives no time. */
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "ledger/proof/evidence.h"
#include "ledger/verify/timestamp.h"
#include "tests/fuzz/fuzz.h"

static struct ledger_evidence_item items[5];
static json_t *body;

static void run(const uint8_t *data, size_t size)
{
    static const uint8_t anchor[32] = {1};
    struct ledger_certificate c;
    struct ledger_timestamp stamp;
    struct base_buf again = {0};
    struct base_err err = {0};

    if (ledger_certificate_parse(&c, data, size, &err) != FM_OK) {
        fuzz_law(err.text[0] != '\0', "a refusal says why");
        return;
    }
    fuzz_law(ledger_certificate_encode(&again, &c, &err) == FM_OK, "it is written again");
    fuzz_law(again.len - (data[size - 1] != '\n') == size && memcmp(again.p, data, size - 1) == 0,
             "a line has one form");
    if (ledger_certificate_check(&c, body, &err) == FM_OK)
        fuzz_law(c.index < 5 && memcmp(&c.item, &items[c.index], sizeof c.item) == 0,
                 "what is shown was deposited");
    if (c.token.len > 0)
        fuzz_law(ledger_timestamp_check(&stamp, c.algorithm, anchor, c.token.p, c.token.len, NULL,
                                        &err) != FM_OK,
                 "nobody stamped this");
    base_buf_release(&again);
    ledger_certificate_release(&c);
}

static void begin(struct fuzz_corpus *corpus)
{
    struct ledger_evidence_tree *tree;
    struct base_err err = {0};
    uint8_t root[32];
    char hex[65];

    for (size_t i = 0; i < 5; i++)
        base_hash(items[i].digest, &i, sizeof i);
    fuzz_law(ledger_evidence_tree_new(&tree, "sha256", items, 5, &err) == FM_OK, "specimen");
    ledger_evidence_tree_root(tree, root);
    base_hex(hex, root, 32);
    body = json_pack("{s:s, s:i, s:s}", "algorithm", "sha256", "count", 5, "root", hex);
    for (size_t i = 0; i < 5; i++) {
        struct ledger_certificate c = {.algorithm = "sha256",
                                       .item = items[i],
                                       .index = i,
                                       .count = 5,
                                       .name = "contract.pdf"};
        struct base_buf line = {0};

        fuzz_law(ledger_evidence_tree_prove(tree, &c.path, i, &err) == FM_OK, "specimen");
        if (i == 4)
            base_buf_put_str(&c.token, "0\x03\x02\x01\x05");
        fuzz_law(ledger_certificate_encode(&line, &c, &err) == FM_OK, "specimen");
        fuzz_add(corpus, line.p, line.len - 1);
        base_buf_release(&line);
        ledger_certificate_release(&c);
    }
    ledger_evidence_tree_free(tree);
}

static const char *const words[] = {"certificate", "chain",   "tx",     "algorithm", "digest",
                                    "salt",        "index",   "count",  "path",      "name",
                                    "token",       "rfc3161", "sha256", "sm3",       NULL};
const struct fuzz_target fuzz_target = {"certificate", FUZZ_JSON, 8192, words, begin, run};
