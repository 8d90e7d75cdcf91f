/* A table held against its schema while its rows are read for something else. Private to
 * exchange/data; store.h's data_store_check() is this and no more. */
#ifndef FIRMIANA_EXCHANGE_DATA_CHECK_H
#define FIRMIANA_EXCHANGE_DATA_CHECK_H

#include "exchange/data/store.h"

struct data_check;

/* All three are borrowed. The caller frees *out. */
fm_status data_check_new(struct data_check **out, struct data_store *store, const char *table,
                         const struct data_schema *schema, struct base_err *err) FM_CHECK;
void data_check_free(struct data_check *check); /* NULL is allowed */

/* The next row as data_rows_next() gives it, all columns of it; *row is NULL at the end. At the
 * first fault of the data it reads on to the end by itself, and fails with all of them
 * (findings.h). */
fm_status data_check_next(const struct data_cell **row, int64_t *rowid, struct data_check *check,
                          struct base_err *err) FM_CHECK;
/* After the last row: keys and subject. Reads the table again only if a value seems to stand in too
 * many rows, to name them, or if the table is so large that hashes of its keys found no room. */
fm_status data_check_keys(struct data_check *check, struct base_err *err) FM_CHECK;

#endif
