/* A query over a pool's tables through the whole of exchange/sql and exchange/run, on the plain
 * row, with bank_a as the recipient and no guard. */
#ifndef FIRMIANA_TESTS_SQL_ASK_H
#define FIRMIANA_TESTS_SQL_ASK_H

#include "exchange/sql/physical/result.h"
#include "tests/sql/pool.h"

/* The caller releases *out (sql_result_release) when it succeeded. Errors as sql_plan_compile() and
 * sql_run() have them. */
fm_status ask(struct sql_result *out, const struct pool *pool, const struct sql_catalog *catalog,
              const char *sql, struct base_err *err) FM_CHECK;

/* The catalog of a pool. The caller releases it. */
fm_status ask_catalog(struct sql_catalog *out, const struct pool *pool,
                      struct base_err *err) FM_CHECK;

#endif
