/* Keys of a table that nobody declared: how many rows one value has at most, counted from its rows.
 * For local queries alone, as all that local_schema.h derives. */
#ifndef FIRMIANA_EXCHANGE_CLI_LOCAL_KEYS_H
#define FIRMIANA_EXCHANGE_CLI_LOCAL_KEYS_H

#include "exchange/data/store.h"
#include "exchange/sql/parse/syntax.h"

/* Does the query join, look up or cut its result, so that keys matter? */
bool local_keys_matter(const struct sql_query *query);
/* Sets schema->keys, of the first DATA_KEYS_MAX columns that are no DECIMAL or BOOLEAN. */
fm_status local_keys_count(struct data_schema *schema, struct data_store *store, const char *table,
                           struct base_err *err) FM_CHECK;

#endif
