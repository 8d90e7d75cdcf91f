/* Inside of exchange/run: a GROUP of the plan on its way, over all its rows (query_group.c) or over
 * the table of the join below it (query_fused.c). */
#ifndef FIRMIANA_EXCHANGE_RUN_QUERY_GROUP_H
#define FIRMIANA_EXCHANGE_RUN_QUERY_GROUP_H

#include "exchange/run/group.h"
#include "exchange/run/query.h"

enum { GROUPED_ITEMS = 128 };

struct grouped_query {
    struct query *q;
    struct query_rows *rows;
    const struct sql_rel *rel;
    size_t keys[MPC_SORT_KEYS]; /* columns of rows */
    size_t ids[MPC_SORT_KEYS];  /* of the keys: the plan's, or as the ORDER BY above wants them */
    unsigned flags[MPC_SORT_KEYS];
    struct run_values values[MPC_SORT_KEYS];
    size_t item_count; /* the plan's, then those of guards */
    struct run_aggregate items[GROUPED_ITEMS];
    /* of item i: its first guard's item; of number rel->item_count: the group's */
    size_t guard_at[GROUPED_ITEMS];
};

/* ids, flags and values. FM_E_LIMIT. */
fm_status grouped_arrange(struct grouped_query *g, struct base_err *err) FM_CHECK;
/* The plan's item without its arguments. */
struct run_aggregate grouped_item(const struct grouped_query *g, const struct sql_item *item);
/* Groups, suppresses what guards want suppressed, hands on keys and items. unique: no two rows have
 * the same keys. */
fm_status grouped_run(struct grouped_query *g, bool unique, struct base_err *err) FM_CHECK;

/* ---- query_fused.c: a join followed by a grouping ----
 *
 * METHOD. Where the table of an INNER join is unique by its key, keys of the GROUP above are the
 * table's (or equal to them by the join), and its items are counts, sums and averages of arguments
 * of one side (or products of one of each), then the probing rows are not grouped: they are counted
 * and added up at the table's rows (mpc_find_sums), each of which then stands for all its partners.
 * That leaves a grouping of as many rows as the table has, and none at all where the keys tell the
 * table's rows apart. Nothing of the table is copied to the probing rows but its key.
 *
 * Done where the table has no more rows than the probing side: a function of the plan, the declared
 * sizes and the session's profile. Leaks no more than the two operators. (Secure join and group by
 * pre-aggregation: ORQ, arXiv 2509.10793, section 4; eager aggregation: Yan and Larson, VLDB 1995.)
 */

/* Of a JOIN: does the GROUP above take it over? Then *left is its matching rows, the table stays in
 * q->rows, and q->fused is set. */
fm_status query_match(bool *taken, struct query *q, struct query_rows *left,
                      const struct sql_rel *join, struct base_err *err) FM_CHECK;
/* The GROUP, with rows = those of query_match(). */
fm_status query_group_matched(struct query *q, struct query_rows *rows, const struct sql_rel *rel,
                              struct base_err *err) FM_CHECK;

#endif
