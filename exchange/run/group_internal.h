/* Shared by the files of grouping; nobody else includes this. */
#ifndef FIRMIANA_EXCHANGE_RUN_GROUP_INTERNAL_H
#define FIRMIANA_EXCHANGE_RUN_GROUP_INTERNAL_H

#include "exchange/run/group.h"

/* Rows that count for some aggregates. */
struct group_mask {
    const struct mpc_share *known; /* of the argument, NULL: always */
    size_t where;
    const struct mpc_share *marks; /* of DISTINCT and percentiles: instead of both, NULL: none */
    struct mpc_share *bits;        /* NULL: all rows that exist */
    struct mpc_share *ring;        /* the same as 0 / 1, once somebody has asked */
    size_t count;                  /* its COUNT part, or RUN_NONE */
};

enum part_kind { PART_COUNT, PART_SUM, PART_MIN, PART_MAX, PART_DISTINCT, PART_PERCENTILE };

struct group_part {
    enum part_kind kind;
    const struct mpc_share *x; /* not masked; NULL for PART_COUNT */
    size_t mask;
    int64_t part, of;         /* PART_PERCENTILE */
    struct mpc_range total;   /* of presummed parts: no sum of them leaves it; else 0..0 */
    struct mpc_share *result; /* one element a group */
};

enum { GROUP_PARTS = 256 };

struct grouping {
    struct run_work *w;
    struct run_relation *r;
    const struct run_group *by;
    size_t mask_count;
    struct group_mask masks[GROUP_PARTS];
    size_t part_count;
    struct group_part parts[GROUP_PARTS];
    size_t groups;               /* rows of the result */
    struct mpc_share *valid;     /* of the result */
    struct run_column *keys;     /* of the result: shares not held by w */
    struct mpc_share *more;      /* NULL, or one bit */
    struct mpc_share **averages; /* of items, where several were divided at once; else NULL */
};

/* group_parts.c: which parts an aggregate needs, and what it makes of their results. */
void group_ask(struct grouping *g, const struct run_aggregate *a, size_t parts[3]);
struct run_column group_answer(struct grouping *g, size_t item, const size_t parts[3]);
/* Divisions are long and groups few: averages of equal digits are divided as one vector. */
void group_divide(struct grouping *g, const size_t (*parts)[3]);
/* After grouping: results of presummed parts with the ranges that they have. */
void group_restore_totals(struct grouping *g);
struct mpc_share *group_mask_ring(struct grouping *g, size_t mask);
/* group_mark.c */
struct mpc_share *group_mark_percentile(struct grouping *g, const struct run_aggregate *a,
                                        const struct mpc_share *mask);
/* group_sort.c, group_domain.c, group.c: results of all parts, valid, keys. */
void group_by_sort(struct grouping *g);
void group_by_domain(struct grouping *g);
void group_whole(struct grouping *g);

#endif
