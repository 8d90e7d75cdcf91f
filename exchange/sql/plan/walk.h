/* Every column and every expression that an operator names, one after the other: for passes that
 * look at or renumber all of them. */
#ifndef FIRMIANA_EXCHANGE_SQL_PLAN_WALK_H
#define FIRMIANA_EXCHANGE_SQL_PLAN_WALK_H

#include "exchange/sql/plan/relation.h"

typedef void sql_visit(size_t *number, void *context);

/* The columns that it reads of its inputs' rows, outside of expressions. */
void sql_walk_read(struct sql_rel *rel, sql_visit *visit, void *context);
/* The columns that it makes. */
void sql_walk_made(struct sql_rel *rel, sql_visit *visit, void *context);
/* Its expressions. */
void sql_walk_nodes(struct sql_rel *rel, sql_visit *visit, void *context);

#endif
