/* The schema of a dataset: what a provider declares, publicly, about a table. One format wherever a
 * schema stands (files, the ledger, a database beside its table); schema.md specifies it. */
#ifndef FIRMIANA_EXCHANGE_DATA_SCHEMA_H
#define FIRMIANA_EXCHANGE_DATA_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "base/status.h"
#include "exchange/data/value.h"

#define DATA_COLUMNS_MAX 512
#define DATA_KEYS_MAX 16
#define DATA_VALUES_MAX 64 /* declared values of a TEXT column */
#define DATA_NAME_MAX 63   /* bytes: what PostgreSQL's grammar keeps of an identifier */
#define DATA_SCHEME_MAX 31
#define DATA_ROWS_MAX 1000000000
#define DATA_SCHEMA_JSON_MAX (1 << 20)
#define DATA_NO_COLUMN SIZE_MAX

struct data_column {
    char name[DATA_NAME_MAX + 1];
    struct data_type type;
    int64_t min, max; /* inclusive, scaled; 0 and 1 for BOOLEAN, 0 and 0 for TEXT */
    bool nullable;
    json_t *values; /* TEXT: the only texts that may stand there, ascending by bytes; NULL: any */
};

/* A column that queries may join on: no value other than NULL stands in more than max_rows rows. */
struct data_key {
    size_t column;
    int64_t max_rows;
};

/* Zero-initialise (but see `subject`), or fill by data_schema_from_json(). data_schema_release()
 * frees the columns. */
struct data_schema {
    struct data_column *columns;
    size_t column_count;
    size_t subject; /* column index, or DATA_NO_COLUMN */
    char scheme[DATA_SCHEME_MAX + 1];
    int64_t max_rows_per_subject; /* 0 without a subject */
    int64_t rows;                 /* padded row count: every version of the table appears as long */
    struct data_key keys[DATA_KEYS_MAX];
    size_t key_count;
    int64_t version;
};

/* Strict: unknown members, wrong types, values outside their type's limits, duplicate names are
 * FM_E_INPUT with the place, as in "columns[2] 'balance': range: ...". *out is empty on failure. */
fm_status data_schema_from_json(struct data_schema *out, const json_t *json,
                                struct base_err *err) FM_CHECK;
fm_status data_schema_load(struct data_schema *out, const char *path,
                           struct base_err *err) FM_CHECK;

/* The normal form: equal schemas give equal JSON, and data_schema_from_json() reads it back. The
 * caller owns *out. data_schema_hash() is SHA-256 of its canonical bytes. */
fm_status data_schema_to_json(json_t **out, const struct data_schema *schema,
                              struct base_err *err) FM_CHECK;
fm_status data_schema_hash(uint8_t out32[32], const struct data_schema *schema,
                           struct base_err *err) FM_CHECK;

fm_status data_schema_copy(struct data_schema *out, const struct data_schema *schema,
                           struct base_err *err) FM_CHECK;
void data_schema_release(struct data_schema *schema);

/* The column of that name, letters A-Z and a-z taken as the same; DATA_NO_COLUMN if none. */
size_t data_schema_find(const struct data_schema *schema, const char *name);

/* A column or table name: 1 to 63 bytes; letters, digits and '_', not beginning with a digit; any
 * character above U+00A0 counts as a letter, except those that cannot be seen; not _rowid_. */
bool data_name_valid(const char *name);
bool data_name_equal(const char *a, const char *b); /* A-Z and a-z taken as the same */

/* Whether a value may stand in the column: FM_E_INPUT "outside the declared range A to B". The
 * range is public; the value is not in the text. */
fm_status data_column_check(const struct data_column *column, int64_t value,
                            struct base_err *err) FM_CHECK;
/* The same for TEXT: data_text_check(), and whether it is one of the declared values. */
fm_status data_column_check_text(const struct data_column *column, const char *text, size_t len,
                                 struct base_err *err) FM_CHECK;

#endif
