/* What can be planned and not yet run. */
#include "exchange/sql/parse/place.h"
#include "exchange/sql/physical/local.h"
#include "exchange/sql/physical/physical.h"

fm_status sql_plan_runs(const struct sql_plan *plan, struct base_err *err)
{
    struct sql_arena arena = {0};
    const struct sql_plan *rewritten;
    fm_status st;

    for (size_t i = 0; i < plan->rel_count; i++) {
        const struct sql_join *j = &plan->rels[i]->join;
        if (plan->rels[i]->kind == SQL_REL_JOIN && j->null_aware && j->key_count > 1)
            return sql_place_error(err, FM_E_UNSUPPORTED, plan->text, plan->rels[i]->at,
                                   "IN or NOT IN with a subquery that names the query around it, "
                                   "where NULLs matter: write EXISTS or NOT EXISTS");
    }
    st = sql_local_rewrite(&rewritten, &arena, plan, err);
    sql_arena_release(&arena);
    return st;
}
