/* Shared by the two halves of local.h's rewriting; nobody else includes this. */
#ifndef FIRMIANA_EXCHANGE_SQL_PHYSICAL_LOCAL_OWN_H
#define FIRMIANA_EXCHANGE_SQL_PHYSICAL_LOCAL_OWN_H

#include "exchange/sql/physical/local.h"
#include "exchange/sql/plan/intern.h"

/* Whose expression it is: a table's, or one of these. */
#define LOCAL_NOBODY SQL_NONE
#define LOCAL_ANYBODY (SQL_NONE - 1) /* no column in it */

/* What is known of a node where the operator at hand stands. */
struct local_fact {
    size_t whose;
    bool nothing; /* NULL where all columns are */
    bool raises;  /* a divisor may be 0: recipients are told, by shares */
    bool costs;
};

struct localising {
    const struct sql_plan *in;
    struct sql_plan *out;
    struct sql_arena *arena;
    size_t node_cap, column_cap, local_cap;
    struct sql_intern seen; /* local nodes */
    bool *under;            /* [operator * tables + table]: its rows are made of the table's */
    bool *gone;             /* alike: a LEFT join below may have found no row of it */
    size_t *owner;          /* of in's columns: the table whose owner can tell it, or NOBODY */
    size_t *made;           /* of in's columns: the node of a PROJECT, or SQL_NONE */
    size_t *home;           /* of in's nodes: its local node, or SQL_NONE */
    size_t *derived;        /* of local nodes: its column, or SQL_NONE */
    bool *need;             /* of in's nodes, for a moment */
    /* of the operator at hand: */
    const struct sql_rel *rel;
    struct local_fact *facts; /* of in's nodes */
    bool *visit;              /* of in's nodes: computed in shares */
    size_t *place;            /* of in's nodes: its node of out, or SQL_NONE */
};

/* local.c: memory for all of m, and *out a copy of *in without nodes and operators. */
bool local_begin(struct localising *m);
/* Whose rows those of rel are; its inputs' are known. */
void local_trace(struct localising *m, const struct sql_rel *rel);
/* What a PROJECT makes of one owner's columns, that owner can see through above it. After
 * local_judge(). */
void local_own_makes(struct localising *m, const struct sql_rel *rel);

/* Does a lookup put the column in? */
static inline bool local_is_found(const struct sql_plan *plan, size_t column)
{
    const struct sql_plan_column *c = &plan->columns[column];

    return column >= plan->column_count && c->table != SQL_NONE &&
           (!c->derived || c->local == SQL_NONE);
}

/* local_expr.c: what is known of all nodes at rel's inputs (rel NULL: of a simple plan). */
void local_judge(struct localising *m, const struct sql_rel *rel);
/* Its owner computes it, whatever that would cost here. */
bool local_can(const struct localising *m, size_t node);
/* One more node, or column, of out. */
fm_status local_add_node(size_t *out, struct localising *m, struct sql_node node,
                         struct base_err *err) FM_CHECK;
fm_status local_add_column(size_t *out, struct localising *m, struct sql_plan_column column,
                           struct base_err *err) FM_CHECK;
/* A local node like this one, of local nodes. */
fm_status local_add(size_t *out, struct localising *m, struct sql_node node,
                    struct base_err *err) FM_CHECK;
/* The node of in as its owner computes it: a local node. */
fm_status local_stay_home(size_t *out, struct localising *m, size_t root,
                          struct base_err *err) FM_CHECK;
/* The nodes marked by `visit`, and what they need, into out: place[] says where. */
fm_status local_place(struct localising *m, struct base_err *err) FM_CHECK;

#endif
