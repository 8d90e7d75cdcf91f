/* GROUP BY on secret keys, with aggregates; and DISTINCT, which is GROUP BY without any.
 *
 * METHOD. The rows are sorted by (does it count, keys); a row is its group's last if the next one
 * has another key or does not count; the last rows are compacted to the front, and with them the
 * prefix sums of the columns to be summed, so that a group's sum is the difference of two
 * neighbours. Least and greatest are segmented scans, read at the last row. No logarithm of levels
 * but in the scans; nothing is ever moved back.
 *
 * Cost over rep3 beyond the sort, n rows, bytes a party: 10.7 for each column moved (key columns,
 * values, twice for what is aggregated), the comparison of neighbours' keys, compaction (34.7), and
 * at the end one bit2a and products for the `groups` rows that come out.
 *
 * Leaks nothing but n, `groups`, widths and ranges: not how many groups there are. */
#ifndef FIRMIANA_MPC_OBLIVIOUS_GROUP_H
#define FIRMIANA_MPC_OBLIVIOUS_GROUP_H

#include "mpc/oblivious/sort.h"

enum mpc_aggregate { MPC_GROUP_COUNT, MPC_GROUP_SUM, MPC_GROUP_MIN, MPC_GROUP_MAX };
enum { MPC_GROUP_ITEMS = 64 };

struct mpc_group_item {
    enum mpc_aggregate kind;
    const struct mpc_share *x; /* ring; for MPC_GROUP_COUNT: bits of width 1 that say which rows
                                  count, or NULL: all. Values that must not count (NULLs, filtered)
                                  are the caller's to make harmless beforehand: 0 in a sum, the
                                  range's other end in a MIN or MAX. */
};

struct mpc_group_by {
    const struct mpc_sort_key *keys; /* flags decide the groups' order; NULLs form one group */
    size_t keys_len;
    const struct mpc_share *valid; /* bits, width 1: rows that exist; or NULL: all */
    const struct mpc_group_item *items;
    size_t items_len;
    size_t groups; /* rows of the result: a bound on the number of groups, at most n; 0: n */
};

/* The groups in the keys' order, then rows that are none, in which everything is 0. All columns
 * have `groups` rows. If there are more groups than that, the last ones are missing, and `more`
 * (bits, width 1, one element) is 1. */
struct mpc_grouped {
    struct mpc_share *key[MPC_SORT_KEYS];
    struct mpc_share *null[MPC_SORT_KEYS]; /* where the key has it */
    struct mpc_share *item[MPC_GROUP_ITEMS];
    struct mpc_share *valid; /* bits, width 1: is it a group */
    struct mpc_share *more;
};

/* FM_E_ARG on wrong arguments, and FM_E_LIMIT where the sum of a group could leave 64 bits. */
fm_status mpc_group(struct mpc_grouped *out, const struct mpc_group_by *by,
                    struct base_err *err) FM_CHECK;
void mpc_grouped_release(struct mpc_grouped *out); /* frees the shares */

#endif
