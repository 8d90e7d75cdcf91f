/* GROUP BY with aggregates, and aggregates without keys (one row, which always exists).
 *
 * METHOD. An aggregate is made of few parts (counts, sums, least, greatest) over masks: "exists,
 * the FILTER holds, the argument is not NULL". Masks and parts that several aggregates need are
 * made once. COUNT(DISTINCT x) and percentile_disc share the sort of the keys where there is one;
 * else they mark, by a sort of their own, the first row of every value, and the row whose place in
 * its group is ceil(fraction * count), and count the marks, or add up the only row marked. What is
 * divided (AVG, variances) is divided once a group, not once a row.
 *
 *   RUN_BY_SORT     mpc_group(): a sort by the keys, whatever their widths.
 *   RUN_BY_DOMAIN   keys of declared small domains: a group for every combination of their values
 *                   (NULL is one), whether it occurs or not; no sort. Counts and sums only. A
 *                   group and different mask: an AND and a bit2a (24 bytes) a row, and nothing
 *                   more for any number of sums and counts; 8 bytes where nothing is summed. A TEXT
 * of declared values: one equality a row, value and word.
 *   RUN_BY_ROW      no two rows that exist have the same keys: each is a group. Presummed items
 *                   alone.
 *
 * Leaks the number of rows, the bound on groups, types and ranges. */
#ifndef FIRMIANA_EXCHANGE_RUN_GROUP_H
#define FIRMIANA_EXCHANGE_RUN_GROUP_H

#include "exchange/run/sorted.h"

enum run_fn {
    RUN_COUNT = 1, /* arg RUN_NONE: of rows */
    RUN_COUNT_DISTINCT,
    RUN_SUM,
    RUN_AVG, /* rounded half away from zero to `digits` more than the argument's */
    RUN_MIN,
    RUN_MAX,
    RUN_BOOL_AND,
    RUN_BOOL_OR,
    RUN_VAR_POP, /* `digits` more than twice the argument's */
    RUN_VAR_SAMP,
    RUN_STDDEV_POP, /* of twice `digits` more: cut off, not rounded */
    RUN_STDDEV_SAMP,
    RUN_PERCENTILE_DISC
};

/* Where each row stands for many that were counted and added up before (query_fused.c): what they
 * came to, shares of the caller's. */
struct run_presummed {
    struct mpc_share *count;       /* rows that count */
    struct mpc_share *sum;         /* of the argument over these; NULL for COUNT */
    bool always;                   /* a row that exists stands for one that counts, at least */
    struct mpc_range counts, sums; /* of all rows together: what no sum of some of them leaves */
};

struct run_aggregate {
    enum run_fn fn;
    const struct run_presummed *presummed; /* COUNT, SUM, AVG: instead of arg and where; or NULL */
    size_t arg;                            /* column, or RUN_NONE */
    size_t where;                          /* FILTER: BOOLEAN column, or RUN_NONE */
    unsigned digits;                       /* AVG, variances, deviations */
    int64_t part, of;       /* PERCENTILE_DISC: fraction part / of, 0 <= part <= of <= 10^6 */
    struct mpc_range range; /* of the result, where the planner knows better; else all 64 bits */
};

/* The only texts that a key has; count 0: it is no TEXT, or may have any. */
struct run_values {
    size_t count;
    const char *const *texts;
};

enum run_group_method { RUN_BY_SORT, RUN_BY_DOMAIN, RUN_BY_ROW };
enum { RUN_DOMAIN_MOST = 256 }; /* groups of RUN_BY_DOMAIN */

struct run_group {
    const size_t *keys;
    size_t key_count;
    const unsigned *flags; /* of each key, as run_sort_key has them; NULL: none. RUN_BY_SORT gives
                              the groups in the keys' order, those that exist first: an ORDER BY of
                              the same keys needs no sort of its own */
    const struct run_values *values; /* of each key; NULL: none */
    const struct run_aggregate *items;
    size_t item_count;
    enum run_group_method method;
    size_t groups; /* RUN_BY_SORT: a bound on their number; 0: as many as rows */
    bool in_order; /* RUN_BY_SORT: the rows that exist come first, sorted by the keys (in any order
                      of them): as they stand, or moved by `order` if that is not NULL */
    const struct mpc_order *order;
    size_t within; /* with in_order: the column that they are sorted by next, or RUN_NONE */
};

/* The relation becomes: the keys' columns, then
 * one column for each aggregate. FM_E_LIMIT where a sum could leave 64 bits or mpc/ has no room for
 * so many parts. DISTINCT is this without aggregates. */
fm_status run_group(struct run_relation *r, const struct run_group *by,
                    struct base_err *err) FM_CHECK;

/* How many groups RUN_BY_DOMAIN would have; 0: too many, or a key of another kind. values: of each
 * key, or NULL. A TEXT needs its words. */
size_t run_group_domain(const struct run_relation *r, const size_t *keys,
                        const struct run_values *values, size_t count);

/* Marks one row for every combination of `keys` that occurs among the rows of mask: bits of r's
 * rows, held by w. For COUNT(DISTINCT) and for guards that count subjects. One sort. */
struct mpc_share *run_first_of(struct run_work *w, const struct run_relation *r,
                               const struct mpc_share *mask, const size_t *keys, size_t count);

#endif
