/* `psi-sum`: which plans the protocol can answer: COUNT(*), SUM and AVG over the inner join of two
 * members' tables on one identifier, unique on both sides; each side filters its own rows, and what
 * is summed stands on one side, the *holder's*. The other is the *matcher* (mpc/psi/psi.h). */
#ifndef FIRMIANA_EXCHANGE_INTERSECT_SHAPE_H
#define FIRMIANA_EXCHANGE_INTERSECT_SHAPE_H

#include "exchange/run/own.h"
#include "exchange/sql/plan/plan.h"

enum { INTERSECT_MAX_ITEMS = 32 };
enum intersect_side { INTERSECT_MATCHER, INTERSECT_HOLDER };

struct intersect_table {
    size_t source; /* into plan->sources */
    size_t key;    /* column */
    const struct sql_rel *below[RUN_OWN_STEPS];
    size_t below_count;
};

struct intersect_shape {
    const struct sql_plan *plan; /* borrowed */
    const struct sql_rel *group;
    struct intersect_table tables[2];      /* by side */
    size_t sum_count;                      /* columns that are summed */
    size_t sums[INTERSECT_MAX_ITEMS];      /* nodes */
    size_t item_sums[INTERSECT_MAX_ITEMS]; /* of each item, into sums; SQL_NONE: a count */
    unsigned value_bits;                   /* |value| < 2^value_bits */
    int64_t minimum; /* least intersection that is opened: the minimum group in rows, at least 1 */
};

/* FM_E_UNSUPPORTED says which part of the plan is in the way. */
fm_status intersect_shape_of(struct intersect_shape *out, const struct sql_plan *plan,
                             struct base_err *err) FM_CHECK;

#endif
