/* Places in SQL text: an error without one is of no use. */
#ifndef FIRMIANA_EXCHANGE_SQL_PARSE_PLACE_H
#define FIRMIANA_EXCHANGE_SQL_PARSE_PLACE_H

#include "base/status.h"

/* Line and column, both from 1; a column counts characters (UTF-8 code points), not bytes. */
struct sql_place {
    unsigned line;
    unsigned column;
};

/* The place of byte `at` of text (at < 0: the beginning; past the end: the end). */
struct sql_place sql_place_of(const char *text, int at);
/* The byte where character `index` (from 0) of text begins. */
int sql_place_byte(const char *text, int index);

/* Sets "line L, column C: " and the sentence; returns code. */
fm_status sql_place_error(struct base_err *err, fm_status code, const char *text, int at,
                          const char *fmt, ...) FM_PRINTF(5, 6);

#endif
