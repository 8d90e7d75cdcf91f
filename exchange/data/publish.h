/* Everything that a publication needs of a table's rows, in one scan: that they are as the schema
 * declares (store.h), their root (root.h), and what changed since the last version (changes.h).
 * Rows are hashed by threads beside the reading. */
#ifndef FIRMIANA_EXCHANGE_DATA_PUBLISH_H
#define FIRMIANA_EXCHANGE_DATA_PUBLISH_H

#include <stdatomic.h>

#include "exchange/data/changes.h"
#include "exchange/data/root.h"
#include "exchange/data/store.h"

struct data_publish_job {
    struct data_store *store;
    const char *table;
    const struct data_schema *schema;
    struct data_version_key key;
    const char *digests;        /* changes.h's database */
    const uint8_t *published32; /* the root that stands on the ledger; NULL: none */
    const atomic_bool *stop;    /* set: FM_E_CANCELLED; NULL is allowed */
};

struct data_published {
    uint8_t root32[32];
    struct data_changes changes;
    char unknown[BASE_ERR_TEXT]; /* why the changes are not known, if that failed; else "" */
};

/* Errors: as data_store_check(), with its words: first all that is wrong with rows by themselves,
 * then keys. What fails about the changes alone fails nothing. On an error nothing is kept. */
fm_status data_publish(struct data_published *out, const struct data_publish_job *job,
                       struct base_err *err) FM_CHECK;

#endif
