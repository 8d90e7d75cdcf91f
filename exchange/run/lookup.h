/* Joins that a provider makes of its own tables, in the clear, before it shares anything
 * (exchange/sql/physical/local_join.h): the rows of the tables that are looked up in are read once
 * and sorted by their keys; then each row of the table that is shared gets the columns of those
 * that it finds. Memory: 32 bytes a value, beside texts. The time depends on the rows. */
#ifndef FIRMIANA_EXCHANGE_RUN_LOOKUP_H
#define FIRMIANA_EXCHANGE_RUN_LOOKUP_H

#include "exchange/run/run_internal.h"

struct run_lookups;

/* Reads all that rows of `table` look up. Errors: those of run.h's rows; FM_E_INPUT where more rows
 * have one key than their dataset declares. */
fm_status run_lookups_open(struct run_lookups **out, const struct sql_run *run, size_t table,
                           struct base_err *err) FM_CHECK;
/* Wipes it; NULL is allowed. */
void run_lookups_free(struct run_lookups *lookups);
/* How many cells a row needs behind the plan's columns. */
size_t run_lookups_room(const struct sql_plan *plan);
/* Fills the found columns of a row of the table and calls emit, once for each row that it makes.
 * met is false where an INNER join has no match for it, so that NULLs may stand where none are
 * declared; the row is dropped after it is shared. */
fm_status run_lookups_each(struct run_lookups *lookups, struct sql_cell *cells,
                           fm_status (*emit)(void *ctx, bool met, struct base_err *err), void *ctx,
                           struct base_err *err) FM_CHECK;

#endif
