/* Inside uses.c: what the values of nodes and columns are made of. */
#ifndef FIRMIANA_EXCHANGE_SQL_PLAN_USES_BELOW_H
#define FIRMIANA_EXCHANGE_SQL_PLAN_USES_BELOW_H

#include "exchange/sql/plan/plan.h"

enum sql_below_bit {
    SQL_BELOW_PARAM = 1u << 0,  /* a query parameter */
    SQL_BELOW_COLUMN = 1u << 1, /* of nodes: any column, of tables or made */
    SQL_BELOW_DATA = 1u << 2,   /* a provider's value, or how many rows there are */
    SQL_BELOW_OWN = 1u << 3,    /* of a table that recipients alone fill: as good as a list of
                                   parameters */
    SQL_BELOW_OTHERS = 1u << 4, /* of any other table */
    SQL_BELOW_MIXED = 1u << 5   /* one expression has both OWN and OTHERS */
};

struct sql_below {
    const struct sql_plan *plan;
    unsigned *nodes;
    unsigned *columns; /* provided and made ones */
    unsigned *rels;    /* by id: OWN and OTHERS, of the tables below */
};

/* Into arrays of zeros. */
void sql_below_look(struct sql_below *s);

/* Does the value say how others' data compares with what whoever asks has chosen, once something
 * that is not linear is done with it? */
static inline bool sql_below_chosen(unsigned set)
{
    return (set & (SQL_BELOW_PARAM | SQL_BELOW_MIXED)) != 0;
}

#endif
