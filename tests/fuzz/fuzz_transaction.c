/* Transactions. Laws: what is accepted is canonical, byte by byte, and has the id of its content;
 * from a tree it parses alike; what is authentic is one that a member really signed. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "ledger/proof/tx.h"
#include "tests/fuzz/ledger_specimens.h"

static const struct ledger_specimens *known;
static uint8_t (*ids)[32]; /* of the specimens */
static size_t id_count;

static bool is_known_id(const uint8_t id[32])
{
    for (size_t i = 0; i < id_count; i++)
        if (memcmp(ids[i], id, 32) == 0)
            return true;
    return false;
}

static void authenticate(const struct ledger_tx *tx)
{
    struct ledger_tx_auth auth;
    struct base_err err = {0};

    for (size_t i = 0; i < known->current_count; i++)
        if (strcmp(did_document_id(known->current[i]), tx->sender) == 0 &&
            ledger_tx_authenticate(&auth, tx, known->current[i], 1, &err) == FM_OK)
            fuzz_law(is_known_id(tx->id), "nobody but its sender made an authentic transaction");
}

static void run(const uint8_t *data, size_t size)
{
    struct ledger_tx tx = {0}, again = {0};
    struct base_buf canonical = {0};
    struct base_err err = {0};
    uint8_t id[32];

    if (ledger_tx_parse(&tx, data, size, fuzz_target.max_len, &err) != FM_OK) {
        fuzz_law(err.text[0] != '\0', "a refusal says why");
        return;
    }
    fuzz_law(base_json_canonical(&canonical, tx.json, &err) == FM_OK && canonical.len == size &&
                 memcmp(canonical.p, data, size) == 0,
             "accepted implies canonical");
    fuzz_law(ledger_tx_id(id, tx.json, &err) == FM_OK && memcmp(id, tx.id, 32) == 0,
             "the id is that of the content");
    fuzz_law(ledger_tx_parse_json(&again, tx.json, &err) == FM_OK &&
                 memcmp(again.id, tx.id, 32) == 0 && again.type == tx.type &&
                 again.not_after == tx.not_after,
             "the tree parses as its bytes do");
    if (fuzz_lot(data, size) % 4 == 0) /* signatures take longer than all the rest */
        authenticate(&tx);
    ledger_tx_release(&again);
    ledger_tx_release(&tx);
    base_buf_release(&canonical);
}

static void begin(struct fuzz_corpus *corpus)
{
    const json_t *value;
    struct base_err err = {0};
    size_t i;

    known = ledger_specimens();
    fuzz_add_json(corpus, known->transactions);
    ids = calloc(json_array_size(known->transactions), 32);
    fuzz_law(ids != NULL, "there is memory");
    json_array_foreach(known->transactions, i, value)
        fuzz_law(ledger_tx_id(ids[id_count++], value, &err) == FM_OK, "a specimen has an id");
}

static const char *const words[] = {" ",
                                    "\n",
                                    "\"chain\"",
                                    "\"sender\"",
                                    "\"type\"",
                                    "\"not_after\"",
                                    "\"body\"",
                                    "\"proof\"",
                                    "query.open",
                                    "consent.grant",
                                    "did.update",
                                    "epoch",
                                    "chain",
                                    "sender",
                                    "body",
                                    "proof",
                                    "document",
                                    "receipt",
                                    "proofValue",
                                    "verificationMethod",
                                    "assertionMethod",
                                    "capabilityInvocation",
                                    "\\u0000",
                                    NULL};
const struct fuzz_target fuzz_target = {"transaction", FUZZ_JSON, 16384, words, begin, run};
