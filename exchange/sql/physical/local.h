/* Between the logical plan and the physical one: what one owner can compute alone, it computes, in
 * the clear, before it shares anything. An expression over columns of one table, at every provider
 * of a federated one the same, becomes a derived column of that table (sql_plan.derived_count):
 * shared instead of the columns that it is made of, which stay at home unless something else needs
 * them. Texts are cut, matched and put together in no other way.
 *
 * How much is shared stays as declared: a filter that an owner evaluates is a column of truth
 * values, of as many rows as ever. Uses, the guard and the hash are those of the logical plan,
 * which knows nothing of this; the rewriting is a pure function of it, so every node makes the same
 * one, and each provider can tell alone what it has to compute (exchange/run/local.h) and to put
 * in.
 *
 * An expression goes to its owner if
 *   - its columns are of one mention of a table, seen through subqueries of FROM, and its
 * parameters are public;
 *   - it costs something afterwards: sums and negations of shared values are free;
 *   - no division in it, CASE aside, may have a divisor of 0, which recipients are told of;
 *   - it is NULL where all its columns are, if it stands above a LEFT JOIN that may have found no
 *     row of the table;
 *   - it does not stand above the table's GROUP BY or UNION, where rows are no longer its own. */
#ifndef FIRMIANA_EXCHANGE_SQL_PHYSICAL_LOCAL_H
#define FIRMIANA_EXCHANGE_SQL_PHYSICAL_LOCAL_H

#include "exchange/sql/plan/plan.h"

/* *out lives in the arena and borrows from plan, which must outlive it. Columns that providers put
 * in and that operators make keep their numbers; derived ones come after them.
 * Errors: FM_E_UNSUPPORTED with its place, what can only be computed by an owner and is not one
 * owner's; FM_E_MEMORY. */
fm_status sql_local_rewrite(const struct sql_plan **out, struct sql_arena *arena,
                            const struct sql_plan *plan, struct base_err *err) FM_CHECK;

/* With which table's rows those of a table are shared, or its columns. */
static inline size_t sql_plan_host_of(const struct sql_plan *plan, size_t table)
{
    return plan->hosts != NULL && table != SQL_NONE ? plan->hosts[table] : table;
}
/* With which table's rows the column is shared; SQL_NONE: no provider puts it in. */
static inline size_t sql_plan_host(const struct sql_plan *plan, size_t column)
{
    return sql_plan_host_of(plan, plan->columns[column].table);
}
/* The column whose shares it is. */
static inline size_t sql_plan_same(const struct sql_plan *plan, size_t column)
{
    return plan->same != NULL && plan->same[column] != SQL_NONE ? plan->same[column] : column;
}
/* Do rows of their own enter for this table? */
static inline bool sql_plan_is_host(const struct sql_plan *plan, size_t table)
{
    return sql_plan_host_of(plan, table) == table;
}
/* Does a provider share the column with the rows of that table? */
static inline bool sql_plan_shares(const struct sql_plan *plan, size_t table, size_t column)
{
    return sql_plan_host(plan, column) == table && !plan->columns[column].home;
}
static inline size_t sql_plan_columns(const struct sql_plan *plan)
{
    return plan->column_count + plan->made_count + plan->derived_count;
}

#endif
