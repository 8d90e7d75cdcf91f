/* Joins on equality of secret keys, and what IN, EXISTS and scalar subqueries become.
 *
 * METHOD. mpc_find(): the rows of both sides are sorted together. Where the right side may have up
 * to `bound` rows of one key the result has bound * left rows: first all left rows with one
 * partner, then with another, ...
 *
 * A NULL key matches nothing. Leaks rows, bounds, types and ranges. */
#ifndef FIRMIANA_EXCHANGE_RUN_JOIN_H
#define FIRMIANA_EXCHANGE_RUN_JOIN_H

#include "exchange/run/relation.h"
#include "mpc/oblivious/join.h"

enum run_join_kind {
    RUN_INNER,
    RUN_LEFT,   /* rows of the left side without a partner stay, with NULLs */
    RUN_SEMI,   /* rows of the left side with a partner; its columns and rows alone */
    RUN_ANTI,   /* those without */
    RUN_SINGLE, /* LEFT of which no row may have two partners: flag RUN_FLAG_SECOND_ROW then */
    RUN_MARK    /* all rows of the left side, and one more BOOLEAN column: is there a partner? */
};

struct run_join {
    enum run_join_kind kind;
    const size_t *left_keys; /* pairs: columns of one kind and scale */
    const size_t *right_keys;
    size_t key_count; /* at least 1 */
    size_t bound;     /* rows of one key on the right, at least 1 */
    /* The left side has one row of a key as well: INNER and LEFT of bound 1 are cheaper then, and
     * the flag is raised where it has more (all but one of these rows find no partner). */
    bool left_unique;
    /* Further conditions of ON: the truth of each row of the joined relation (left's columns, then
     * right's), in a share of the caller's. NULL: none. */
    fm_status (*condition)(void *ctx, struct mpc_share **truth, struct run_relation *joined,
                           struct base_err *err);
    void *ctx;
};

/* left becomes the result; right is consumed. Flag RUN_FLAG_REPEATED_KEY where the right side has
 * more rows of a key than `bound` (some partners are then missing). */
fm_status run_join(struct run_relation *left, struct run_relation *right,
                   const struct run_join *join, struct base_err *err) FM_CHECK;

/* The first half of an INNER join of bound 1 without a condition, for a grouping of its rows that
 * needs only what can be counted and added up for each right row (mpc_find_sums): left's rows
 * without a partner are no more; right stays as it is; *path is the caller's. Flag as run_join().
 * NULL: so few rows that run_join() needs no sort and is the cheaper; nothing was done. */
fm_status run_match(struct mpc_find_path **path, struct run_relation *left,
                    struct run_relation *right, const struct run_join *join,
                    struct base_err *err) FM_CHECK;

/* Every row with every row (INNER; LEFT and MARK with a condition too); no keys are read. At most
 * SQL_MAX_PAIRS pairs. Local, but for the conditions. */
fm_status run_cross(struct run_relation *left, struct run_relation *right,
                    const struct run_join *join, struct base_err *err) FM_CHECK;

/* x IN (subquery) with SQL's NULLs, as a column for left's rows (mpc_find_in()): shares of the
 * caller's. Consumes right. */
fm_status run_in(struct run_column *out, struct run_relation *left, size_t left_key,
                 struct run_relation *right, size_t right_key, struct base_err *err) FM_CHECK;

/* A subquery's only value as a column of `rows` rows: its column 0; NULL where it has no row, or
 * two (flag RUN_FLAG_SECOND_ROW, raised in *to). Consumes right; the column is appended to *to. */
fm_status run_scalar(struct run_relation *to, struct run_relation *right,
                     struct base_err *err) FM_CHECK;

#endif
