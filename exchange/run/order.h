/* ORDER BY, LIMIT and OFFSET. After run_order() the rows that exist come first, in order; rows with
 * equal keys stay as they stood. */
#ifndef FIRMIANA_EXCHANGE_RUN_ORDER_H
#define FIRMIANA_EXCHANGE_RUN_ORDER_H

#include "exchange/run/sorted.h"

/* Sorts by (exists, keys). first: how many rows at most are wanted, 0 for all: the relation is then
 * no longer than that, and the sort cheaper (mpc_top). Cost: sort.h, and 32 bytes a word and
 * column; where keys have 16 words or more in all, so much for each further 16 again. */
fm_status run_order(struct run_relation *r, const struct run_sort_key *keys, size_t count,
                    size_t first, struct base_err *err) FM_CHECK;
/* The same by an order that is known already: it brings the rows that exist to the front, sorted;
 * NULL: so they stand. Cost: the move alone. */
fm_status run_take_order(struct run_relation *r, const struct mpc_order *order, size_t first,
                         struct base_err *err) FM_CHECK;
/* Rows [offset, offset + limit) of an ordered relation. Local. */
fm_status run_limit(struct run_relation *r, size_t offset, size_t limit,
                    struct base_err *err) FM_CHECK;

#endif
