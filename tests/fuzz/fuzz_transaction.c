/* Transactions. Laws: what is accepted is canonical, byte by byte, and has the id of its content;
 * from a tree it parses alike; what is authentic is one that a member really signed. And of what
 * stands in the log beside them, the engine's word on validators: it is no transaction, and what
 * reads is written again as it was. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "ledger/proof/misbehavior.h"
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

/* Does it read as an entry of that kind? */
static bool read_vouched(const uint8_t *data, size_t size)
{
    struct ledger_misbehavior what;
    struct base_buf again = {0};
    struct base_err err = {0};
    uint8_t chain[32];
    json_t *payload = NULL;
    bool good = base_json_parse_canonical(&payload, data, size, &err) == FM_OK &&
                base_json_get_hex(chain, sizeof chain, payload, "chain", &err) == FM_OK &&
                ledger_misbehavior_read(&what, payload, chain, &err) == FM_OK;

    fuzz_law(good || err.text[0] != '\0', "a refusal says why");
    if (good)
        fuzz_law(ledger_misbehavior_write(&again, &what, chain, &err) == FM_OK &&
                     again.len == size && memcmp(again.p, data, size) == 0,
                 "what was read of a validator is written as it was");
    base_buf_release(&again);
    json_decref(payload);
    return good;
}

static void run(const uint8_t *data, size_t size)
{
    struct ledger_tx tx = {0}, again = {0};
    struct base_buf canonical = {0};
    struct base_err err = {0};
    uint8_t id[32];
    bool vouched = read_vouched(data, size);

    if (ledger_tx_parse(&tx, data, size, fuzz_target.max_len, &err) != FM_OK) {
        fuzz_law(err.text[0] != '\0', "a refusal says why");
        return;
    }
    fuzz_law(!vouched, "nobody sends what the engine vouches for");
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

static void add_vouched(struct fuzz_corpus *corpus)
{
    for (unsigned act = 0; act < LEDGER_ACT_COUNT; act++)
        for (int known_member = 0; known_member < 2; known_member++) {
            struct ledger_misbehavior what = {
                .act = (enum ledger_act)act, .height = 7, .time_ms = 1760000000123};
            const uint8_t chain[32] = {1, 2, 3};
            struct base_buf bytes = {0};
            struct base_err err = {0};

            if (known_member)
                memcpy(what.member, "bank_a", sizeof "bank_a");
            memset(what.validator, 0xa5, sizeof what.validator);
            fuzz_law(ledger_misbehavior_write(&bytes, &what, chain, &err) == FM_OK, err.text);
            fuzz_law(read_vouched(bytes.p, bytes.len), "a specimen reads");
            fuzz_add(corpus, bytes.p, bytes.len);
            base_buf_release(&bytes);
        }
}

static void begin(struct fuzz_corpus *corpus)
{
    const json_t *value;
    struct base_err err = {0};
    size_t i;

    known = ledger_specimens();
    fuzz_add_json(corpus, known->transactions);
    add_vouched(corpus);
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
                                    "validator.misbehavior",
                                    "duplicate.vote",
                                    "light.client",
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
