/* The declared facts that a planner may read, and nothing else: who publishes which dataset with
 * which columns, ranges and bounds. All of it is public; nothing is derived from rows here.
 *
 * JSON form, one object per dataset, the schema members as in exchange/data/schema.md:
 *   {"datasets":[{"member":"bank_a","name":"loans","version":1,"rows":4096,
 *     "columns":[{"name":"balance","type":"DECIMAL(12,2)","range":["0","999999.99"],
 *                 "nullable":true}, ...],
 *     "subject":{"column":"subject_id","scheme":"cn.id"}, "max_rows_per_subject":5}]}
 * "range" holds values as people write them (an integer, or a string with a decimal or a date), not
 * scaled integers; without it the type's own widest range counts. BOOLEAN and TEXT have none.
 * "values": [texts, ascending] of a TEXT column: no others stand there.
 * "nullable" defaults to false; "subject" and "max_rows_per_subject" come together or not at all.
 * "keys": [{"column":"subject_id","max_rows":6}, ...], the greatest number of rows with one value.
 */
#ifndef FIRMIANA_EXCHANGE_SQL_PLAN_CATALOG_H
#define FIRMIANA_EXCHANGE_SQL_PLAN_CATALOG_H

#include <jansson.h>

#include "base/status.h"
#include "exchange/sql/parse/arena.h"
#include "exchange/sql/plan/type.h"

enum { SQL_MAX_COLUMNS = 1024, SQL_MAX_DATASETS = 4096, SQL_MAX_VALUES = 64 };
#define SQL_MAX_ROWS ((int64_t)1 << 32)       /* of one dataset */
#define SQL_MAX_TOTAL_ROWS ((int64_t)1 << 36) /* of a union */

struct sql_column {
    const char *name;
    struct data_type type;
    struct sql_range range;
    bool nullable;
    size_t value_count; /* TEXT: the only texts there are, ascending; 0: any */
    const char **values;
};

/* No value but NULL stands in more than max_rows rows of the column. */
struct sql_key {
    const char *column;
    int64_t max_rows;
};

struct sql_dataset {
    const char *member; /* alias, [a-z][a-z0-9_]* */
    const char *name;
    int64_t version; /* of the schema */
    int64_t rows;    /* padded: what is shared, whatever is there */
    size_t column_count;
    struct sql_column *columns;
    const char *subject_column; /* NULL: rows are about nobody in particular */
    const char *subject_scheme;
    int64_t max_rows_per_subject; /* 0 without a subject */
    size_t key_count;
    struct sql_key *keys;
};

/* Datasets sorted by name, then member. */
struct sql_catalog {
    size_t dataset_count;
    struct sql_dataset *datasets;
    struct sql_arena arena;
};

/* Errors: FM_E_INPUT naming member, dataset and column. The caller releases *out. */
fm_status sql_catalog_from_json(struct sql_catalog *out, const json_t *json,
                                struct base_err *err) FM_CHECK;
/* A new tree; reading it back gives the same catalog. */
fm_status sql_catalog_to_json(json_t **out, const struct sql_catalog *catalog,
                              struct base_err *err) FM_CHECK;
/* Declared values as JSON: a new tree, NULL if there is no memory. */
json_t *sql_values_json(const char *const *values, size_t count);
void sql_catalog_release(struct sql_catalog *catalog);

/* The dataset, or NULL. */
const struct sql_dataset *sql_catalog_find(const struct sql_catalog *catalog, const char *member,
                                           const char *name);
/* The greatest number of rows with one value of the column; 0: not declared. */
int64_t sql_dataset_key(const struct sql_dataset *dataset, const char *column);
/* The column, or NULL: the exact name, else the only one that differs in case alone. */
const struct sql_column *sql_dataset_column(const struct sql_dataset *dataset, const char *name);

#endif
