/* Columns of the member's own published rows, decoded and kept in memory between queries: most
 * queries meet rows that the one before them has read. Reading 10^5 rows of five columns out of
 * SQLite takes 25 ms, out of here 2.
 *
 * A column is known by the root of its rows (exchange/data/root.h), which binds every value and the
 * order, and by its name: what is found under the root that stands on the ledger is what was
 * published, whatever has become of the file. Numbers only; texts are read afresh.
 *
 * The cache belongs to the node's thread and keeps within a bound, the longest unused going first;
 * a column, once made, never changes, and is wiped when the last one who holds it lets go. */
#ifndef FIRMIANA_EXCHANGE_NODE_COLUMNS_H
#define FIRMIANA_EXCHANGE_NODE_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exchange/data/cell.h"
#include "exchange/data/schema.h"

struct column;

/* A new one for so many rows, to be filled by column_add(), one call a row. NULL: memory is out. */
struct column *column_new(const uint8_t root32[32], const char *name, size_t rows);
/* False when it is full. */
bool column_add(struct column *column, const struct data_cell *cell);
struct column *column_hold(struct column *column);
void column_release(struct column *column); /* thread-safe; NULL is allowed */
size_t column_rows(const struct column *column);
/* Row i < column_rows(). */
struct data_cell column_cell(const struct column *column, size_t i);

struct columns {
    uint64_t limit;              /* bytes */
    struct columns_entry *first; /* the latest used first */
};

/* Holds on to it, or not if it is larger than all the room there is or known already. */
void columns_put(struct columns *columns, struct column *column);
/* Held for the caller; NULL if it is not here. */
struct column *columns_find(struct columns *columns, const uint8_t root32[32], const char *name);
void columns_clear(struct columns *columns);

#endif
