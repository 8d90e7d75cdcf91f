/* Random tables of two members, as a catalog, in SQLite and as the runner reads them: a is
 * published by bank_a and bank_b, b by bank_b alone. */
#ifndef FIRMIANA_EXCHANGE_RUN_TEST_QUERY_POOL_H
#define FIRMIANA_EXCHANGE_RUN_TEST_QUERY_POOL_H

#include "exchange/run/run.h"
#include "exchange/run/test_relation.h"
#include "exchange/sql/plan/catalog.h"

enum { SOURCES = 3 };

struct member_table {
    const char *member, *dataset;
    struct table rows;
};

struct pool {
    struct member_table tables[SOURCES];
    struct sql_catalog catalog;
    enum { ANY, ALL, ONLY_A } declared; /* values of t */
    enum mpc_profile profile;
};

/* subject: what each dataset says of its subject, as members of its JSON, or "". */
void pool_catalog(struct pool *p, const char *subject);
void pool_random(struct pool *p, sqlite3 *db, uint64_t seed, size_t most, const char *subject);

/* The rows of one source of a plan. */
struct feed_rows {
    const struct table *t;
    const struct sql_plan *plan;
    size_t table, at;
    struct sql_rows rows;
};

fm_status feed_next_row(void *ctx, struct sql_cell *cells, bool *end, struct base_err *err);

#endif
