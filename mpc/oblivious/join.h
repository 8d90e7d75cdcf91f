/* Joins on secret keys in which one side, the table, has a bounded number of rows of a key, mostly
 * one; and lookup of many secret keys in a table.
 *
 * METHOD. The table's n rows and the m probing rows are sorted together by key, the table's first
 * among equals (the sort is stable, and they stand first). Then the last table row at or above a
 * probing row is the only one that can have its key, or the last of `per_key` in a run. Copies
 * travel without a logarithm of levels: how many table rows stand at or above each one is a local
 * prefix sum; moved back to the table it gives each row's place among the sorted keys (order.h),
 * where the steps from one row to the next are local differences; these move to where the rows
 * stand in the joint order, are summed up locally, and move back to the probing rows, which have
 * kept their places and columns. There the copied key is compared with the row's own. The table's
 * rows before the last one of a key travel beside it: the sorted columns are shifted by one row,
 * two rows, and so on, each with a bit that says whether the keys are still the same.
 *
 * Cost over rep3, n table and m probing rows, N = n + m, W = ceil(. / 64) words a plane, all
 * parties, bytes beyond the sort of N keys (sort.h) and the equalities:
 *
 *     places                              64 N + 56 n                7 rounds
 *     each copied ring column             64 n + 64 N                8 rounds, for all of them
 *     each copied plane                   64 words of n and of N
 *     masks                               1 gate of n, 2 of m        3 rounds
 *     values, all per_key * m of them     bit2a 24, then 24 each     3 rounds
 *
 * and the equality of n keys (`repeated`) and of m keys, and an OR of n bits. Copied are one plane,
 * the keys and the values. Each further row of a key copies one plane and the values once more (of
 * the 64 n, half), in 7 rounds.
 *
 * SUMS. The way back: what is 0 at probing rows without a match is added up for each table row over
 * the probing rows of its key (mpc_find_sums()). In the joint order a table row stands before them,
 * so that its sum is the step of the column's prefix sums from it to the next table row. A grouping
 * by what the table determines needs no other sort of the probing rows. Each column: 64 (N + n)
 * bytes, in 8 rounds for all of them.
 *
 * Where the probing rows' keys are declared unique too, the table row stands right above the one
 * that it matches, and nothing is copied further than that: 32 N for each key column, 64 N for each
 * value, 3 planes moved and 3 gates of N, the values' 48 m, one equality and one OR of N; 9 rounds.
 * test_prices.c asserts all of this to the byte.
 *
 * ALL PAIRS. Short sides, or a very short one, are compared row by row without any sort. Bytes of a
 * pair, over all parties: one equality, half a byte a key bit; 2 gates, and ceil(log2 n) + 1 for
 * each of per_key; and where there are values per_key times bit2a, 24, and 24 for each of them.
 * Rounds: the equality's, 2, an OR's, and ceil(log2 n) + 1 and with values 3 more for each of
 * per_key: 26 for 128 rows with 128, where a sort makes it 49. Few rounds take it up to
 * MPC_FIND_PAIRS_MOST pairs, a link as far as the rounds saved are worth the bytes (choice.h), and
 * else wherever it has fewer bytes.
 *
 * Leaks nothing but n, m, per_key, widths and ranges. Memory of a party, measured at n = m = 10^6
 * with one value: 310 bytes a row of n + m with keys of 32 bits, 570 with 64, shares and scratch
 * together. */
#ifndef FIRMIANA_MPC_OBLIVIOUS_JOIN_H
#define FIRMIANA_MPC_OBLIVIOUS_JOIN_H

#include "mpc/oblivious/sort.h"

enum { MPC_LOOKUP_VALUES = 64, MPC_LOOKUP_PER_KEY = 64, MPC_FIND_PAIRS_MOST = 16384 };

struct mpc_lookup_side {
    const struct mpc_share *const *key;  /* ring, or bits of any width; domain and width as the
                                            other side's */
    const struct mpc_share *const *null; /* for each key: bits of width 1, or NULL; the array may be
                                            NULL too. A NULL equals nothing. */
    const struct mpc_share *valid;       /* bits, width 1: rows that exist; or NULL: all */
    size_t n;
};

/* CHEAPEST: a function of the lengths, widths and counts of columns and of the session's profile.
 */
enum mpc_find_method { MPC_FIND_CHEAPEST, MPC_FIND_SORTED, MPC_FIND_PAIRS };

struct mpc_lookup {
    size_t keys; /* 1 to MPC_SORT_KEYS - 1 */
    struct mpc_lookup_side table;
    struct mpc_lookup_side probe;
    const struct mpc_share *const *values; /* of the table: ring or bits */
    size_t values_len;                     /* up to MPC_LOOKUP_VALUES; 0: a semijoin */
    size_t per_key; /* at most so many valid table rows of one key, up to MPC_LOOKUP_PER_KEY; 0 and
                       1: keys are unique */
    bool probe_unique; /* keys of the probing rows are unique as well (and per_key at most 1) */
    enum mpc_find_method method;
    bool path; /* mpc_found.path is wanted; not with probe_unique */
};

/* per_key * m rows each: for each probing row, in their own order, its last match in the table (in
 * the table's own order among equals); then, likewise, the one before that, and so on. */
struct mpc_find_path;
struct mpc_found {
    struct mpc_share *match;                    /* bits, width 1: probing row and table row exist */
    struct mpc_share *value[MPC_LOOKUP_VALUES]; /* 0 where there is no match */
    struct mpc_share *repeated; /* bits, one element: more than per_key valid table rows have the
                                   same key (of all pairs: and a probing row has it). Then the last
                                   of them were taken. probe_unique: or two valid probing rows; then
                                   only the first of them has a match (of all pairs: neither). */
    struct mpc_find_path *path; /* where it was asked for and the rows were sorted; else NULL */
};

/* inner join: `match` is the result's valid bit; left join: in the first m rows the probe's valid
 * bit is, and the values are NULL where `match` is 0; semijoin: `match`; antijoin: valid and not
 * `match`. A semijoin takes tables with any number of rows of a key: `repeated` says nothing then.
 */
fm_status mpc_find(struct mpc_found *out, const struct mpc_lookup *lookup,
                   struct base_err *err) FM_CHECK;
void mpc_found_release(struct mpc_found *out);
/* Does MPC_FIND_CHEAPEST sort the rows of both sides (and not compare all pairs)? */
bool mpc_find_sorts(const struct mpc_lookup *lookup);

/* z[c][i] = sum of x[c][j] (ring) over the probing rows j that have the key of table row i; where
 * several table rows have it, the last one's. x[c][j] must be 0 where row j has no match. The
 * table's n rows each; freshly shared. FM_E_LIMIT where a sum could leave 64 bits. */
fm_status mpc_find_sums(struct mpc_share **z, const struct mpc_find_path *path,
                        const struct mpc_share *const *x, size_t count,
                        struct base_err *err) FM_CHECK;
void mpc_find_path_free(struct mpc_find_path *path); /* NULL allowed */

/* x IN (table), as SQL has it: in[i] where a valid table row equals probing row i; unknown[i] where
 * that is NULL instead: no row equals it, and it is NULL and the table has a valid row, or a valid
 * table row is NULL. NOT IN is true where neither is set. Both 0 for probing rows that are not
 * valid. One key; m bits of width 1 each. values and per_key are not looked at. Cost: mpc_find()
 * without values, and 2 n ANDs for what the table has. */
fm_status mpc_find_in(struct mpc_share **in, struct mpc_share **unknown,
                      const struct mpc_lookup *lookup, struct base_err *err) FM_CHECK;

#endif
