/* Bundles told by the ledger's own tests: a world of four members with fixed keys, and what is in
 * it as bytes. */
#ifndef FIRMIANA_TESTS_FUZZ_LEDGER_SPECIMENS_H
#define FIRMIANA_TESTS_FUZZ_LEDGER_SPECIMENS_H

#include <jansson.h>

#include "did/document.h"
#include "tests/fuzz/fuzz.h"

struct ledger_specimens {
    json_t *transactions; /* payloads of the log that are transactions */
    json_t *documents;    /* members' DID documents, all versions that the log has */
    json_t *states;       /* state lines of the bundle */
    uint8_t chain[32];
    struct specimen_bundle {
        uint8_t *p; /* short: genesis, a block or two, a state line, the checkpoint */
        size_t len;
    } four, alone, compact;          /* of four members; of another ledger with one; of that one's,
                                        with another log, compact */
    struct did_document *current[8]; /* of the genesis members */
    size_t current_count;
};

/* Never fails: it ends the process instead. Everything lives as long as the process. */
const struct ledger_specimens *ledger_specimens(void);

/* Adds the canonical bytes of each value of the array. */
void fuzz_add_json(struct fuzz_corpus *corpus, const json_t *array);

#endif
