/* The shape of JSON objects as a table: which members, of which kind, and no others. Transactions,
 * inner documents and bundle lines are checked this way before anything in them is used. */
#ifndef FIRMIANA_LEDGER_SHAPE_H
#define FIRMIANA_LEDGER_SHAPE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/status.h"

#define LEDGER_TEXT_MAX 1024
#define LEDGER_NAME_MAX 64

enum ledger_shape {
    LEDGER_IS_ALIAS, /* a member's alias, did/document.h */
    LEDGER_IS_NAME,  /* [a-z][a-z0-9_.-]*, at most LEDGER_NAME_MAX: datasets, schemes, modes,
                        protocols */
    LEDGER_IS_HASH,  /* 64 lower-case hex digits */
    LEDGER_IS_DID,  /* begins with "did:", at most DID_METHOD_TEXT - 1 printable ASCII characters */
    LEDGER_IS_TEXT, /* 1 to LEDGER_TEXT_MAX bytes of UTF-8, no control characters */
    LEDGER_IS_HASHES,  /* any text: hashes in base64url, which the caller decodes */
    LEDGER_IS_BOOL,    /* true or false */
    LEDGER_IS_COUNT,   /* an integer >= 1 */
    LEDGER_IS_NUMBER,  /* an integer >= 0: an index, a height, a time in ms */
    LEDGER_IS_OBJECT,  /* an object, unchecked inside */
    LEDGER_IS_ARRAY,   /* an array, unchecked inside */
    LEDGER_IS_ALIASES, /* an array of aliases, none twice */
};

struct ledger_member {
    const char *name; /* NULL ends a table */
    enum ledger_shape shape;
    bool optional;
};

/* FM_E_INPUT naming the first member that is missing, unknown or of the wrong shape. */
fm_status ledger_shape_check(const json_t *object, const struct ledger_member *members,
                             struct base_err *err) FM_CHECK;

/* Each item of an array is an object of that shape: "NAME[3]: member 'x' is missing". At most max
 * items. */
fm_status ledger_shape_check_items(const json_t *array, const char *name, size_t max,
                                   const struct ledger_member *members,
                                   struct base_err *err) FM_CHECK;

#endif
