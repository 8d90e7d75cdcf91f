/* After local.h: a dataset that the text mentions several times is shared once. The rows of each
 * mention are those of the first (sql_plan.hosts), whose owners read the columns of all of them
 * together, in one order; a column that two mentions need, or that their owners make alike, is one
 * vector of shares (sql_plan.same). Mentions whose rows went into those of another table
 * (local_join.h) have none to share. */
#ifndef FIRMIANA_EXCHANGE_SQL_PHYSICAL_LOCAL_ONCE_H
#define FIRMIANA_EXCHANGE_SQL_PHYSICAL_LOCAL_ONCE_H

#include "exchange/sql/plan/plan.h"

/* Changes the plan, which has been rewritten by sql_local_rewrite(). Errors: FM_E_MEMORY. */
fm_status sql_share_once(struct sql_plan *plan, struct sql_arena *arena,
                         struct base_err *err) FM_CHECK;

#endif
