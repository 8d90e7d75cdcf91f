/* Parsed DID documents, by the hash of their canonical form: parsing checks every key, and every
 * transaction needs its sender's document. A cache of a pure function, so it cannot change what the
 * machine computes. */
#ifndef FIRMIANA_LEDGER_MACHINE_DOCUMENTS_H
#define FIRMIANA_LEDGER_MACHINE_DOCUMENTS_H

#include <jansson.h>

#include "did/document.h"

/* A document stays at least until LEDGER_DOCUMENTS - 1 others were parsed after it, which is longer
 * than any transaction lasts: one names at most LEDGER_PARTIES_MAX members. */
#define LEDGER_DOCUMENTS 512

struct ledger_documents {
    struct {
        uint8_t hash[32];
        struct did_document *doc;
    } slot[LEDGER_DOCUMENTS];
    size_t count, next;
};

void ledger_documents_release(struct ledger_documents *documents);

/* The document in a did/DID value ({"document", "hash", ...}), borrowed. Errors: FM_E_CORRUPT when
 * what the state holds is no document. */
fm_status ledger_documents_get(struct ledger_documents *documents, const struct did_document **out,
                               const json_t *value, uint32_t rules_version,
                               struct base_err *err) FM_CHECK;

#endif
