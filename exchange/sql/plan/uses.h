/* What a plan does with each provider's column: derived from the plan, never typed by hand. An
 * authorization covers exactly the uses of one contract, so these sets are canonical too; the
 * places where they arise are for showing.
 *
 *   filter      in WHERE or HAVING
 *   join        in an equality that joins tables, or a subquery to its query
 *   group       in GROUP BY, DISTINCT or PARTITION BY: its values are shown, one for each group
 *   aggregate   its values are counted, summed or averaged
 *   condition   it steers what is aggregated or shown: a CASE or FILTER condition, or a factor of a
 *               product of columns
 *   parameter   it meets a query parameter: both are in one comparison (or rounding, division,
 *               function of texts, key, order, extreme), in however many subqueries each was
 *               prepared; or a parameter switches a condition or an alternative that holds it.
 *               Values of a table that recipients alone fill are as good as parameters where an
 *               expression compares them with others'; join keys that are columns are not counted
 *   extreme     its values are what MIN, MAX or a percentile gives
 *   order       in ORDER BY
 *   reveal      its values are shown row by row */
#ifndef FIRMIANA_EXCHANGE_SQL_PLAN_USES_H
#define FIRMIANA_EXCHANGE_SQL_PLAN_USES_H

#include "exchange/sql/plan/plan.h"

enum sql_use {
    SQL_USE_FILTER = 1u << 0,
    SQL_USE_JOIN = 1u << 1,
    SQL_USE_GROUP = 1u << 2,
    SQL_USE_AGGREGATE = 1u << 3,
    SQL_USE_CONDITION = 1u << 4,
    SQL_USE_PARAMETER = 1u << 5,
    SQL_USE_EXTREME = 1u << 6,
    SQL_USE_ORDER = 1u << 7,
    SQL_USE_REVEAL = 1u << 8
};
enum { SQL_USE_COUNT = 9 };

/* "filter", ...: bit i of a set. */
const char *sql_use_name(unsigned bit);

/* One mention of a column in the text. */
struct sql_use_place {
    size_t column; /* of the plan */
    unsigned uses; /* that this mention gives rise to */
    int at;
};

/* Uses of one provider's column: every provider of the table has the same ones for its own. */
struct sql_use_entry {
    const char *member;
    const char *dataset;
    const char *column;
    size_t column_index;
    unsigned uses;
};

struct sql_uses {
    const struct sql_plan *plan; /* borrowed */
    unsigned *columns;           /* the set of each plan column */
    size_t entry_count;
    struct sql_use_entry *entries;
    size_t place_count;
    struct sql_use_place *places; /* in the order of the text */
};

/* The plan must outlive *out. */
fm_status sql_uses_derive(struct sql_uses *out, const struct sql_plan *plan,
                          struct base_err *err) FM_CHECK;
void sql_uses_release(struct sql_uses *uses);

/* Entry i, sorted by member and then column; false past the last. */
bool sql_uses_at(const struct sql_uses *uses, size_t i, struct sql_use_entry *out);
/* [{"member","dataset","column","uses":["aggregate","filter"]}, ...]: canonical, without places;
 * with `member` not NULL, that member's alone. */
fm_status sql_uses_json(json_t **out, const struct sql_uses *uses, const char *member,
                        struct base_err *err) FM_CHECK;
/* A table: column, uses, and where in the text each arises. */
void sql_uses_print(struct base_buf *out, const struct sql_uses *uses);

#endif
