/* Shared by what writes plans down; nobody else includes this. */
#ifndef FIRMIANA_EXCHANGE_SQL_PLAN_PLAN_OWN_H
#define FIRMIANA_EXCHANGE_SQL_PLAN_PLAN_OWN_H

#include "exchange/sql/plan/plan.h"

/* The operators; place: of each expression, its number in the list of nodes. */
json_t *sql_rels_json(const struct sql_plan *plan, const size_t *place);
void sql_print_column(struct base_buf *out, const struct sql_plan *plan, size_t column);
/* What stands behind an operator's name in a line. */
void sql_print_rel(struct base_buf *out, const struct sql_plan *plan, const struct sql_rel *rel);
/* What bit `bit` of enum sql_flag says. */
const char *sql_flag_name(unsigned bit);
const char *sql_rel_name(enum sql_rel_kind kind);
const char *sql_join_name(enum sql_join_kind kind);

#endif
