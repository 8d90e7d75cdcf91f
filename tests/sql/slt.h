/* The files of sqllogictest (sqlite.org/sqllogictest/doc/trunk/about.wiki) and of DuckDB's dialect
 * of it, record by record, and the comparison that they prescribe.
 *
 * A record begins with `statement ok`, `statement error`, or `query TYPES
 * [nosort|rowsort|valuesort] [label]`; its SQL runs to an empty line or to `----`, after which the
 * expected values stand: one a line, or in DuckDB's files a row a line with tabs; or "N values
 * hashing to MD5". `skipif X` and `onlyif X` before a record speak of engine X; we are none that a
 * file knows. */
#ifndef FIRMIANA_TESTS_SQL_SLT_H
#define FIRMIANA_TESTS_SQL_SLT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

enum slt_kind {
    SLT_END = 0,
    SLT_STATEMENT,
    SLT_QUERY,
    SLT_OTHER /* loop, require, mode, ...: `sql` is the line */
};
enum slt_sort { SLT_NOSORT = 0, SLT_ROWSORT, SLT_VALUESORT };

/* Points into the reader; valid until the next slt_next(). */
struct slt_record {
    enum slt_kind kind;
    bool skip;     /* meant for another engine */
    bool may_fail; /* statement error */
    enum slt_sort sort;
    const char *types; /* QUERY: a letter for each column: I, R or T */
    const char *sql;
    size_t line;
    size_t value_count; /* expected, row after row */
    char *const *values;
    const char *hash; /* 32 hex digits instead of values; value_count stands beside it */
};

struct slt;

/* Reads the whole file. FM_E_IO, FM_E_MEMORY. */
fm_status slt_open(struct slt **out, const char *path, struct base_err *err) FM_CHECK;
void slt_free(struct slt *slt);
void slt_next(struct slt_record *record, struct slt *slt);

/* What was got, row after row, each value already written as its column's letter demands; both
 * sides are sorted as the record says. True if they agree. */
bool slt_agrees(const struct slt_record *record, char **values, size_t value_count,
                size_t column_count);

#endif
