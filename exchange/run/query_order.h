/* Inside of exchange/run: what is known of the order of an operator's rows, so that a later one
 * need not sort them again. GROUP leaves its groups in their keys' order, SORT its rows; a window
 * leaves them where they are, and the order that it sorted by for whoever wants the same.
 *
 * METHOD. A relation has up to two orders: the one in which its rows stand, and one more by which
 * they can be moved. Each sorts them by a list of columns; what is wanted is a set of columns
 * (GROUP BY, PARTITION BY: any order of them, either direction) and then a list (ORDER BY), and
 * both must be a beginning of it. Filters take rows out of the middle: those that exist come to the
 * front by a compaction (mpc/oblivious/compact.h), and a compose if the order is not that of the
 * rows: 104 n or 193 n bytes in place of a sort (20 bits, n = 10^6: 675 n). Which operators share
 * which sort is a function of the plan, and the same everywhere.
 *
 * Leaks nothing: no order is shown. A SORT takes one over only where no two rows are equal in it,
 * so that ties do not stand as they stood before, and what else it sorts by is shown anyway. */
#ifndef FIRMIANA_EXCHANGE_RUN_QUERY_ORDER_H
#define FIRMIANA_EXCHANGE_RUN_QUERY_ORDER_H

#include "exchange/run/sorted.h"
#include "exchange/sql/plan/plan.h"

struct query_rows;

struct query_order {
    size_t count;              /* 0: nothing is known */
    size_t ids[MPC_SORT_KEYS]; /* columns of the plan */
    unsigned flags[MPC_SORT_KEYS];
    bool hashed[MPC_SORT_KEYS]; /* a TEXT by its hash: equal ones stand together, and no more */
    bool first;                 /* rows that exist come before the others */
    bool unique;                /* no two of them are equal in all columns */
    struct mpc_order *order;    /* NULL: so they stand */
};
enum { QUERY_ORDERS = 2 };

struct query_wanted {
    const size_t *set; /* columns of the plan, in any order */
    size_t set_count;
    const struct sql_order *list; /* then these */
    size_t list_count;
    bool shown; /* the order will be seen */
};

/* Rows that exist in front, sorted as wanted. */
struct query_sorted {
    const struct query_order *by;  /* NULL: they are not known to be */
    const struct mpc_order *order; /* NULL: so they stand */
    struct mpc_order *own;         /* freed by query_sorted_release() */
};

/* No messages unless rows must come to the front. */
fm_status query_sorted_by(struct query_sorted *out, const struct sql_plan *plan,
                          const struct query_rows *rows, const struct query_wanted *wanted,
                          struct base_err *err) FM_CHECK;
void query_sorted_release(struct query_sorted *sorted);

/* Two columns of the plan that are the same shares, under two names. */
bool query_same_column(const struct query_rows *rows, size_t one, size_t other);
/* Adds what is known, in place of what was of its kind; takes the handle over. */
void query_orders_add(struct query_rows *rows, const struct query_order *order);
/* Some rows are no more; all have been moved; only columns at[0..n) stay. */
void query_orders_filtered(struct query_rows *rows);
void query_orders_drop(struct query_rows *rows);
void query_orders_project(struct query_rows *rows, const size_t *at, size_t n);

#endif
