/* Canonical row bytes (root.h) back into values. Private to exchange/data. */
#ifndef FIRMIANA_EXCHANGE_DATA_ROW_BYTES_H
#define FIRMIANA_EXCHANGE_DATA_ROW_BYTES_H

#include "exchange/data/root.h"

/* The bytes may come from anybody: FM_E_INVALID for everything that data_row_encode() would not
 * write for this schema. Ranges are not checked: what was committed is shown as it is. */
fm_status data_row_to_json(json_t **out, const uint8_t *bytes, size_t len,
                           const struct data_schema *schema, uint64_t index,
                           struct base_err *err) FM_CHECK;

/* The cells of a row that is there; texts point into bytes. false: the bytes are no row of that
 * many columns. Types are not looked at. */
bool data_row_decode(struct data_cell *cells, size_t columns, const uint8_t *bytes,
                     size_t len) FM_CHECK;

#endif
