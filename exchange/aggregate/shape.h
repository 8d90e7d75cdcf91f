/* `aggregate`: which plans the protocol can answer, and what each provider puts in for one. COUNT,
 * SUM and AVG over the rows of one table, of one provider or of many, filtered by each provider for
 * itself; grouped, if at all, by columns of few declared values.
 *
 * A provider's vector of integers, in this order:
 *   guards  for every group, in the order of groups: one for each guard
 *   values  for every group: one for each value
 * Groups are all combinations of the keys' declared values, the first key the slowest, the values
 * of each ascending and NULL first where there can be one; without keys there is one group.
 *
 * A guard is the number of rows that count, of a provider that counts, but at most `least`: the sum
 * over the providers reaches `least` if and only if the number of all such rows does, and says
 * nothing more about the numbers beyond. A group (an aggregate) whose guard is not reached is not
 * decrypted. */
#ifndef FIRMIANA_EXCHANGE_AGGREGATE_SHAPE_H
#define FIRMIANA_EXCHANGE_AGGREGATE_SHAPE_H

#include "exchange/run/own.h"
#include "exchange/sql/plan/plan.h"

enum {
    AGGREGATE_MAX_KEYS = 4,
    AGGREGATE_MAX_ITEMS = 32,
    AGGREGATE_MAX_GROUPS = 256,
    AGGREGATE_MAX_VALUES = 1024, /* of a vector: guards and values together */
    AGGREGATE_MAX_BITS = 62      /* of a value: what a slot holds */
};

/* What a column of a group, or the group itself, needs before it may be decrypted. */
struct aggregate_guard {
    int64_t least;
    size_t item;     /* SQL_NONE: of the group as a whole */
    bool others;     /* rows of sources that are no recipient count, and no others */
    bool suppresses; /* the minimum group; else it is there to tell NULL (no group) from 0 */
};

enum aggregate_part { AGGREGATE_COUNT, AGGREGATE_SUM };
struct aggregate_value {
    size_t item;
    enum aggregate_part part; /* AVG has both */
    unsigned bits;            /* |sum over all rows of all providers| < 2^bits */
    struct sql_range total;   /* of it */
};

struct aggregate_key {
    size_t column;
    int64_t least;
    size_t choices; /* NULL counted */
    bool null;
};

struct aggregate_shape {
    const struct sql_plan *plan; /* borrowed */
    const struct sql_rel *group;
    const struct sql_rel *below[RUN_OWN_STEPS]; /* FILTER and PROJECT, from the SCAN up */
    size_t below_count;
    const struct sql_rel *sort; /* or NULL */
    size_t key_count;
    struct aggregate_key keys[AGGREGATE_MAX_KEYS];
    size_t group_count;
    size_t guard_count;
    struct aggregate_guard guards[AGGREGATE_MAX_ITEMS + 1];
    size_t group_guard; /* its number; SQL_NONE: there is none */
    size_t item_guards[AGGREGATE_MAX_ITEMS];
    size_t value_count;
    struct aggregate_value values[2 * AGGREGATE_MAX_ITEMS];
};

/* FM_E_UNSUPPORTED says which part of the plan is in the way, FM_E_LIMIT what is too large. */
fm_status aggregate_shape_of(struct aggregate_shape *out, const struct sql_plan *plan,
                             struct base_err *err) FM_CHECK;

static inline size_t aggregate_guards(const struct aggregate_shape *s)
{
    return s->group_count * s->guard_count;
}
static inline size_t aggregate_values(const struct aggregate_shape *s)
{
    return s->group_count * s->value_count;
}
/* |value at of a sum of all vectors| < 2^bits: what its slot is made for. */
unsigned aggregate_bits(const struct aggregate_shape *s, size_t at);
/* Number at of the vector of one source (into plan->sources), by what its dataset declares: what
 * its provider proves. */
struct sql_range aggregate_range(const struct aggregate_shape *s, size_t source, size_t at);
#endif
