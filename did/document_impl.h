/* The inside of a parsed document: shared by document.c (reading) and document_parse.c (checking),
 * included by nobody else. */
#ifndef FIRMIANA_DID_DOCUMENT_IMPL_H
#define FIRMIANA_DID_DOCUMENT_IMPL_H

#include "did/document.h"

struct did_document {
    json_t *json; /* owned; not changed after parsing */
    char did[DID_FIRMIANA_TEXT];
    char chain[DID_CHAIN_TEXT];
    char alias[DID_ALIAS_MAX + 1];
    int64_t version;
    uint8_t hash32[32], previous32[32], recovery32[32];
    size_t threshold;
    bool deactivated;
    size_t n_methods;
    struct did_method methods[DID_KEYS_MAX];
};

/* The method with that id, or NULL. */
const struct did_method *did_document_find(const struct did_document *doc, const char *id);

#endif
