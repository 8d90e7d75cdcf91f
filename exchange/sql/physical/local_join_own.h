/* Shared by the two halves of local_join.h; nobody else includes this. */
#ifndef FIRMIANA_EXCHANGE_SQL_PHYSICAL_LOCAL_JOIN_OWN_H
#define FIRMIANA_EXCHANGE_SQL_PHYSICAL_LOCAL_JOIN_OWN_H

#include "exchange/sql/physical/local_join.h"
#include "exchange/sql/physical/local_own.h"

struct joining {
    struct localising m; /* what is known of the logical plan, as far as it has been folded */
    size_t *hosts;
    size_t *lookup;       /* of operators: what the JOIN has become, or SQL_NONE */
    bool *inside;         /* of operators: of a lookup's right side */
    struct sql_rel **map; /* of operators: what gives their rows in out */
    size_t rel_cap;
    size_t of; /* the JOIN that is being replaced */
};

/* m.under or m.gone of the table, where rel stands. */
static inline bool joining_under(const struct joining *j, const bool *set,
                                 const struct sql_rel *rel, size_t table)
{
    return set[rel->id * j->m.in->table_count + table];
}

/* local_join_rels.c: m.out's operators, without those that have become lookups. Recursions there
 * and here are as deep as joins nest, which the parser has bounded. */
fm_status joining_rebuild(struct joining *j, struct base_err *err) FM_CHECK;

#endif
