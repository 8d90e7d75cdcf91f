/* The first pass of an import without a schema. Private to exchange/data. */
#ifndef FIRMIANA_EXCHANGE_DATA_IMPORT_INFER_H
#define FIRMIANA_EXCHANGE_DATA_IMPORT_INFER_H

#include "exchange/data/csv.h"
#include "exchange/data/import.h"

/* Reads all rows and fills result->schema and notes. The reader then stands at the end. */
fm_status data_import_infer(struct data_import_result *result, struct data_csv *csv,
                            const struct data_progress *progress, struct base_err *err) FM_CHECK;

/* A column's name from the header's: "Default payment (next month)" ->
 * "Default_payment_next_month_": blanks around it go, every other character that no identifier has
 * becomes '_'. False if no name comes of it. */
bool data_import_name(char out[DATA_NAME_MAX + 1], const char *header) FM_CHECK;

/* FM_E_CANCELLED if the caller wants no more. */
fm_status data_import_tick(const struct data_progress *progress, const struct data_csv *csv,
                           enum data_import_pass pass, uint64_t rows,
                           struct base_err *err) FM_CHECK;

#endif
