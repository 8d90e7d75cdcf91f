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

/* local_expr.c: what is known of all nodes at rel's inputs (rel NULL: of a simple plan). */
void local_judge(struct localising *m, const struct sql_rel *rel);
/* Its owner computes it, whatever that would cost here. */
bool local_can(const struct localising *m, size_t node);
/* The nodes marked by `visit`, and what they need, into out: place[] says where. */
fm_status local_place(struct localising *m, struct base_err *err) FM_CHECK;

#endif
