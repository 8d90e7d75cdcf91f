/* What can be planned and not yet run. */
#include "exchange/sql/physical.h"
#include "exchange/sql/place.h"

static const char *what_of(const struct sql_rel *rel)
{
    switch (rel->kind) {
    case SQL_REL_PROJECT:
        return "expressions over aggregates: select the aggregates and compute with them "
               "afterwards";
    case SQL_REL_JOIN:
        return "joins and subqueries: query one table at a time";
    case SQL_REL_GROUP:
        return rel->key_count > 0
                   ? "GROUP BY and DISTINCT: run one query for each group, with WHERE"
                   : "this aggregate: use COUNT, SUM, MIN, MAX or AVG over a table";
    case SQL_REL_WINDOW:
        return "windows: use plain aggregates";
    case SQL_REL_SORT:
    case SQL_REL_LIMIT:
        return "ORDER BY and LIMIT: leave them out";
    case SQL_REL_UNION:
        return "UNION: run one SELECT at a time";
    case SQL_REL_FILTER:
        return "HAVING: leave it out";
    default:
        return "rows: select aggregates, such as COUNT(*), SUM(x), MIN(x), MAX(x), AVG(x)";
    }
}

/* The first operator above scan, filter and ungrouped aggregates; or an aggregate beyond those of
 * vector steps. */
static const struct sql_rel *obstacle(const struct sql_plan *plan)
{
    const struct sql_rel *last = plan->rels[plan->rel_count - 1];

    for (size_t i = 1; i < plan->rel_count; i++) {
        const struct sql_rel *rel = plan->rels[i],
                             *input = rel->inputs != NULL ? rel->inputs[0] : NULL;
        bool fits = (rel->kind == SQL_REL_FILTER && input->kind == SQL_REL_SCAN) ||
                    (rel->kind == SQL_REL_GROUP && rel->key_count == 0 && rel != last) ||
                    rel->kind == SQL_REL_SCAN;
        if (!fits)
            return rel;
    }
    return last;
}

fm_status sql_plan_runs(const struct sql_plan *plan, struct base_err *err)
{
    const struct sql_rel *rel;

    if (plan->simple)
        return FM_OK;
    for (size_t i = 0; i < plan->node_count; i++) {
        const struct sql_node *n = &plan->nodes[i];
        if (n->op >= SQL_OP_DIV)
            return sql_place_error(
                err, FM_E_UNSUPPORTED, plan->text, n->at,
                "not run yet: division and rounding: multiply instead, or use AVG");
    }
    rel = obstacle(plan);
    return sql_place_error(err, FM_E_UNSUPPORTED, plan->text, rel->at, "not run yet: %s",
                           what_of(rel));
}
