/* Joins on secret keys in which one side's keys are unique, and lookup of many secret keys in a
 * table.
 *
 * METHOD. The table's n rows and the m probing rows are sorted together by key, the table's first
 * among equals (the sort is stable, and they stand first). Then the last table row at or above a
 * probing row is the only one that can have its key. Copies travel without a logarithm of levels:
 * how many table rows stand at or above each one is a local prefix sum; moved back to the table it
 * gives each row's place among the sorted keys (order.h), where the steps from one row to the next
 * are local differences; these move to where the rows stand in the joint order, are summed up
 * locally, and move back to the probing rows, which have kept their places and columns. There the
 * copied key is compared with the row's own.
 *
 * Cost over rep3, bytes a party: the sort of n + m keys (sort.h); 21.3 (n + m) + 18.7 n for the
 * places; for each column copied, and each key column is one, 21.3 n + 21.3 (n + m); one equality
 * of m keys. 12 rounds beyond the sort and the equality, whatever the number of columns.
 *
 * Leaks nothing but n, m, widths and ranges. Memory of a party, measured at n = m = 10^6 with one
 * value: 310 bytes a row of n + m with keys of 32 bits, 570 with 64, shares and scratch together.
 */
#ifndef FIRMIANA_MPC_OBLIVIOUS_JOIN_H
#define FIRMIANA_MPC_OBLIVIOUS_JOIN_H

#include "mpc/oblivious/sort.h"

enum { MPC_LOOKUP_VALUES = 64 };

struct mpc_lookup_side {
    const struct mpc_share *const *key;  /* ring, or bits of any width; domain and width as the
                                            other side's */
    const struct mpc_share *const *null; /* for each key: bits of width 1, or NULL; the array may be
                                            NULL too. A NULL equals nothing. */
    const struct mpc_share *valid;       /* bits, width 1: rows that exist; or NULL: all */
    size_t n;
};

struct mpc_lookup {
    size_t keys; /* 1 to MPC_SORT_KEYS - 1 */
    struct mpc_lookup_side table;
    struct mpc_lookup_side probe;
    const struct mpc_share *const *values; /* of the table: ring or bits */
    size_t values_len;                     /* up to MPC_LOOKUP_VALUES; 0: a semijoin */
};

/* m rows each, in the probing rows' own order. */
struct mpc_found {
    struct mpc_share *match;                    /* bits, width 1: probing row and table row exist */
    struct mpc_share *value[MPC_LOOKUP_VALUES]; /* 0 where there is no match */
    struct mpc_share *repeated; /* bits, one element: two valid table rows have the same key. Then
                                   the last of them was taken. */
};

/* inner join: `match` is the result's valid bit; left join: the probe's valid bit is, and the
 * values are NULL where `match` is 0; semijoin: `match`; antijoin: valid and not `match`. */
fm_status mpc_find(struct mpc_found *out, const struct mpc_lookup *lookup,
                   struct base_err *err) FM_CHECK;
void mpc_found_release(struct mpc_found *out);

#endif
