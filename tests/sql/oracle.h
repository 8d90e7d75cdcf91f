/* SQLite over the pooled rows. */
#ifndef FIRMIANA_TESTS_SQL_ORACLE_H
#define FIRMIANA_TESTS_SQL_ORACLE_H

#include "tests/sql/pool.h"
#include "tests/sql/slt.h"

/* Fills the record's values with what SQLite answers to `lite`, as text. `types` is room for a
 * letter for each column. False if SQLite could not finish (integer overflow): then there is no
 * oracle. oracle_release() frees the values. Ends the program where SQLite does not understand the
 * text: the test itself is wrong. */
bool oracle_ask(struct slt_record *record, struct pool *pool, const char *lite, char *types,
                size_t types_size);
void oracle_release(struct slt_record *record);

#endif
