/* Schemas for tables that nobody declared: derived from the data of each file, then made to agree,
 * because a union needs columns of one type. For local queries alone: a published dataset must
 * declare. */
#ifndef FIRMIANA_EXCHANGE_CLI_LOCAL_SCHEMA_H
#define FIRMIANA_EXCHANGE_CLI_LOCAL_SCHEMA_H

#include "exchange/cli/throwaway.h"
#include "exchange/sql/parse/syntax.h"

struct local_schemas {
    json_t *json[THROWAWAY_MAX]; /* NULL where the file has no such table */
};

/* Reads the schema of one of the query's tables from each provider's file. Derived facts are told
 * on standard error. A column that is NULL at every provider has no type of its own: INTEGER if the
 * query computes with it or takes its SUM, AVG, MIN or MAX, else TEXT.
 * FM_E_NOT_FOUND if no file has the table. */
fm_status local_schemas_read(struct local_schemas *out, const struct throwaway *t, size_t providers,
                             const struct sql_query *query, const char *table,
                             struct base_err *err) FM_CHECK;
void local_schemas_release(struct local_schemas *schemas);

#endif
