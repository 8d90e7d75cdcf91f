/* Between the files of the minimum-group guard: guard.c says what it stops, and what it does not.
 */
#ifndef FIRMIANA_EXCHANGE_SQL_BIND_GUARD_H
#define FIRMIANA_EXCHANGE_SQL_BIND_GUARD_H

#include "exchange/sql/bind/bind.h"

/* Does the table have a source that is no recipient? */
bool sql_guard_others(const struct sql_plan *plan, size_t table);
/* guard_naming.c: columns that name one subject or one row of others are counted, asked whether
 * they are NULL, and joined with columns that members publish; nothing else is done with them.
 *
 * What remains: a recipient chooses the rows of its own table, by WHERE or by what it publishes.
 * One that lists a single subject there and asks for the sum over all, and over all but those that
 * it lists, learns that subject's value from the difference. Whoever approves a contract in which a
 * recipient's own table is joined with those of others (uses: `join`) must see to who is in it.
 *
 * Errors: FM_E_REFUSED with the place. */
fm_status sql_guard_naming(const struct sql_binder *b, struct sql_rel *root,
                           struct base_err *err) FM_CHECK;

#endif
