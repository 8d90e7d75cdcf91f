/* GROUP BY on secret keys, with any number of aggregates that share one sort; and DISTINCT, which
 * is GROUP BY without any.
 *
 *   struct mpc_sort_key region = {.x = region_col, .null = region_null};
 *   struct mpc_group_item items[] = {{.kind = MPC_GROUP_COUNT},
 *                                    {.kind = MPC_GROUP_SUM, .x = balance, .where = not_null},
 *                                    {.kind = MPC_GROUP_COUNT_DISTINCT, .x = subject}};
 *   mpc_group(&z, &(struct mpc_group_by){.keys = &region, .keys_len = 1, .valid = where,
 *                                        .items = items, .items_len = 3}, err);
 *
 * METHOD. The rows are sorted by (does it count, keys); a row is its group's last if the next one
 * has another key or does not count; the last rows are compacted to the front, and with them the
 * prefix sums of the columns to be summed, so that a group's sum is the difference of two
 * neighbours. AND, OR, FIRST, COUNT DISTINCT and percentiles are such sums too: of the rows that
 * object, that agree, of the first row alone, of the rows whose value is not the one above, and of
 * the one row that the percentile picks. Least and greatest are a segmented scan (scan.h), one
 * for all, read at the last row. No logarithm of levels but in those; columns and masks that
 * several aggregates share are moved, converted and counted once.
 *
 * COUNT DISTINCT and percentiles want their column in order within the group: it is appended to the
 * sort's keys. All COUNT DISTINCT of one x, whatever their `where`, share a sort, as do percentiles
 * of one (x, where); one of another column takes a sort of its own, as does FIRST beside any of
 * them, which wants the rows as they stood (ANY does not mind).
 *
 * Rows that are in order already (in_order) are not sorted, but where an item wants its column in
 * order within the groups.
 *
 * Cost over rep3 beyond the sort, n rows, `groups` = n, all parties, bytes: 64 n for each key of
 * the ring and one plane; one equality of the keys of n - 1 rows; bit2a, compaction and ANDs, 104 n
 * and 2 gates; at the end bit2a, 24 n, and 24 n for each ring column. 15 rounds and the equality's.
 * Each sum (of items that are sums, and one count for each different `where`) takes 56 n more, and
 * then
 *
 *     COUNT            its `where`: a plane moved, bit2a 24 n
 *     SUM              32 n for x; a product 24 n if it has a `where`
 *     AND, OR          a plane moved, a gate if it has a `where`, bit2a 24 n
 *     ANY              no sum
 *     FIRST            32 n for x; bit2a of the heads 24 n, a product 24 n. Bits: a gate a plane
 *     MIN, MAX         32 n for x; scan_min (scan.h); a product if it has a `where`
 *     COUNT DISTINCT   the equality of neighbours, bit2a 24 n; scan_or if it has a `where`
 *     PERCENTILE       32 n for x, 64 n + 24 n for its bound, one less-than of log2(n den) bits,
 *                      bit2a and a product 48 n
 *
 * Columns and masks that several items share are paid for once. With fewer `groups` than n the 24 n
 * at the end are 24 `groups`. test_prices.c asserts these to the byte.
 *
 * Memory of a party, measured with one SUM: 290 bytes a row at 10^7 rows and keys of 32 bits.
 *
 * Leaks nothing but n, `groups`, widths and ranges: not how many groups there are. */
#ifndef FIRMIANA_MPC_OBLIVIOUS_GROUP_H
#define FIRMIANA_MPC_OBLIVIOUS_GROUP_H

#include "mpc/oblivious/sort.h"

enum mpc_aggregate {
    MPC_GROUP_COUNT, /* rows; x is NULL, or (older form of `where`) bits */
    MPC_GROUP_SUM,
    MPC_GROUP_MIN,
    MPC_GROUP_MAX,
    MPC_GROUP_AND, /* x and result: bits, width 1 */
    MPC_GROUP_OR,
    MPC_GROUP_ANY,   /* x (ring or bits) of a row of the group: for what the keys determine;
                        no `where` */
    MPC_GROUP_FIRST, /* x (ring or bits) of the row that stood first; no `where` */
    MPC_GROUP_COUNT_DISTINCT, /* x: ring or bits of any width */
    MPC_GROUP_PERCENTILE      /* percentile_disc(num / den): the least x at or below which there are
                                 at least that part of the rows that count */
};
enum { MPC_GROUP_ITEMS = 64, MPC_GROUP_KEYS = MPC_SORT_KEYS - 3, MPC_GROUP_DEN = 1000000 };

struct mpc_group_item {
    enum mpc_aggregate kind;
    const struct mpc_share *x;     /* ring where nothing else is said */
    const struct mpc_share *where; /* bits, width 1: the rows that count (FILTER, IS NOT NULL); or
                                      NULL: all */
    uint32_t num;                  /* MPC_GROUP_PERCENTILE: 0 <= num <= den <= MPC_GROUP_DEN */
    uint32_t den;
};

struct mpc_group_by {
    const struct mpc_sort_key *keys; /* flags decide the groups' order; NULLs form one group */
    size_t keys_len;                 /* at most MPC_GROUP_KEYS */
    const struct mpc_share *valid;   /* bits, width 1: rows that exist; or NULL: all */
    const struct mpc_group_item *items;
    size_t items_len;
    size_t groups; /* rows of the result: a bound on the number of groups, at most n; 0: n */
    /* No sort by the keys: the valid rows come first, equal ones side by side, as they stand or
     * moved by `order` if that is not NULL. The groups' order is that one. */
    bool in_order;
    const struct mpc_order *order;
    const struct mpc_share *within; /* x of an item: within groups they stand in its order, but for
                                       rows that its `where` leaves out; or NULL */
};

/* The groups in the keys' order, then rows that are none, in which everything is 0. All columns
 * have `groups` rows. If there are more groups than that, the last ones are missing, and `more`
 * (bits, width 1, one element) is 1. */
struct mpc_grouped {
    struct mpc_share *key[MPC_SORT_KEYS];
    struct mpc_share *null[MPC_SORT_KEYS]; /* where the key has it */
    struct mpc_share *item[MPC_GROUP_ITEMS];
    struct mpc_share *any[MPC_GROUP_ITEMS]; /* bits, width 1: some row counted. Where it is 0 the
                                               item is 0, and SQL's NULL. Not there (NULL) without a
                                               `where`, and for COUNT and COUNT_DISTINCT. */
    struct mpc_share *valid;                /* bits, width 1: is it a group */
    struct mpc_share *more;
};

/* FM_E_ARG on wrong arguments, and FM_E_LIMIT where the sum of a group could leave 64 bits. No
 * rows: results of no rows. */
fm_status mpc_group(struct mpc_grouped *out, const struct mpc_group_by *by,
                    struct base_err *err) FM_CHECK;
void mpc_grouped_release(struct mpc_grouped *out); /* frees the shares */

#endif
