/* Between the logical plan and local.h: joins of two tables of one member, which that member makes
 * in the clear, before it shares anything.
 *
 * A JOIN becomes a lookup (sql_plan.lookups) if
 *   - its right side is made of one mention of a table, by FILTERs, PROJECTs and joins that are
 *     lookups already, and all of their expressions can be computed at home (local.h);
 *   - its left keys, and what else must be true of a match, are computed from one mention of a
 * table of the same member, which stands anywhere below its left side;
 *   - neither table has rows of another member;
 *   - INNER, LEFT, SINGLE: the right side has one row of a key at most, as declared; or INNER,
 * LEFT: k rows, and the left side is made of the left table alone, row by row. The right side's
 * columns are then columns of the other table's rows (sql_plan.hosts), as if it had been published
 * with them: what can be computed from both is computed at home, and neither the right side's rows
 * nor its keys are shared. INNER becomes a FILTER on "found", MARK is "found".
 *
 * The left table is shared at its declared size, as ever, or k times that. Uses, the guard and the
 * hash are those of the logical plan: subjects of the right side are counted in the rows where they
 * were found. */
#ifndef FIRMIANA_EXCHANGE_SQL_PHYSICAL_LOCAL_JOIN_H
#define FIRMIANA_EXCHANGE_SQL_PHYSICAL_LOCAL_JOIN_H

#include "exchange/sql/plan/plan.h"

/* What becomes of an operator of the logical plan. */
enum sql_place {
    SQL_IN_SHARES = 0,
    SQL_LOCAL_JOIN, /* a lookup */
    SQL_INSIDE      /* of a lookup's right side */
};

/* *out: the plan, or another one that lives in the arena and borrows from it. places: NULL, or room
 * for one of each of its operators. Errors: FM_E_MEMORY. */
fm_status sql_local_joins(const struct sql_plan **out, enum sql_place *places,
                          struct sql_arena *arena, const struct sql_plan *plan,
                          struct base_err *err) FM_CHECK;

#endif
