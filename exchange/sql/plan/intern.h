/* Equal byte strings get equal numbers: finds repeated expressions and steps. */
#ifndef FIRMIANA_EXCHANGE_SQL_PLAN_INTERN_H
#define FIRMIANA_EXCHANGE_SQL_PLAN_INTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

struct sql_intern_entry {
    size_t offset; /* into bytes */
    size_t len;
    size_t value;
};

/* {0} is an empty table. */
struct sql_intern {
    struct base_buf bytes;
    size_t count;
    size_t cap;                       /* of entries: a power of two */
    struct sql_intern_entry *entries; /* len 0: free */
};

void sql_intern_release(struct sql_intern *table);

/* If key (1 byte or more) is known, *value is what it was first given with; else it is remembered
 * with the *value that the caller put there, and *fresh is true. False when memory is out. */
bool sql_intern_find(struct sql_intern *table, const void *key, size_t len, size_t *value,
                     bool *fresh) FM_CHECK;

#endif
