/* Window functions: ROW_NUMBER, RANK, and SUM, COUNT, AVG OVER (PARTITION BY ... ORDER BY ...).
 *
 * METHOD. One sort by (exists, partition, order) serves all functions of one window; what is
 * computed there goes back to the rows' own places. With ORDER BY a sum or count runs up to the
 * last of the row's peers (rows with equal order keys), as SQL's default frame says; without, over
 * the partition.
 *
 * Cost: sorted.h, and for each function one move of its argument, at most two scans, one move back.
 * Leaks rows, types and ranges. */
#ifndef FIRMIANA_EXCHANGE_RUN_WINDOW_H
#define FIRMIANA_EXCHANGE_RUN_WINDOW_H

#include "exchange/run/sorted.h"

enum run_window_fn { RUN_ROW_NUMBER = 1, RUN_RANK, RUN_RUNNING_SUM, RUN_RUNNING_COUNT };

struct run_window_item {
    enum run_window_fn fn;
    size_t arg; /* sums and counts; RUN_NONE: count rows */
};

struct run_window {
    const struct run_sort_key *keys; /* first the partition's, then the order's */
    size_t partition_count;
    size_t key_count; /* of both */
    const struct run_window_item *items;
    size_t item_count;
    bool in_order; /* the rows that exist come first, sorted by the keys: as they stand, or moved by
                      `order` if that is not NULL; no sort then */
    const struct mpc_order *order;
    struct mpc_order **made; /* the order of a sort of its own, the caller's; NULL: not wanted */
};

/* Appends one column for each item. FM_E_LIMIT where a sum could leave 64 bits. */
fm_status run_window(struct run_relation *r, const struct run_window *window,
                     struct base_err *err) FM_CHECK;

#endif
