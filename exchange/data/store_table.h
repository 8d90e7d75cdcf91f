/* What the files of the store share. Private to exchange/data. */
#ifndef FIRMIANA_EXCHANGE_DATA_STORE_TABLE_H
#define FIRMIANA_EXCHANGE_DATA_STORE_TABLE_H

#include "exchange/data/db.h"
#include "exchange/data/findings.h"
#include "exchange/data/store.h"

struct data_store {
    struct data_db db;
    bool has_schemas; /* there is a table firmiana_schema */
};

/* FM_OK if `table` is an ordinary table with rowids; else FM_E_NOT_FOUND or FM_E_UNSUPPORTED. */
fm_status data_store_find(struct data_store *store, const char *table,
                          struct base_err *err) FM_CHECK;

/* The row of firmiana_schema; *found is false, and *out empty, for a plain table. */
fm_status data_store_stored(struct data_schema *out, enum data_origin *origin, bool *found,
                            struct data_store *store, const char *table,
                            struct base_err *err) FM_CHECK;

/* The schema of a plain table from its values. */
fm_status data_store_derive(struct data_schema *out, struct data_notes *notes,
                            struct data_store *store, const char *table,
                            struct base_err *err) FM_CHECK;

/* New ranges, nullability and row count for a schema of an imported table. */
fm_status data_store_measure(struct data_schema *schema, struct data_notes *notes,
                             struct data_store *store, const char *table,
                             struct base_err *err) FM_CHECK;

/* From now on what is wrong with rows goes to findings, and they are read on; their cells are then
 * no values. */
void data_rows_gather(struct data_rows *rows, struct data_findings *findings);

/* Adds what is known of a table whose schema is not declared, a line for each fact. */
fm_status data_store_describe(struct data_notes *notes, const struct data_schema *schema,
                              const char *table, struct base_err *err) FM_CHECK;

#endif
