/* What is wrong with a table, put together: the same fault in a thousand rows is one finding with
 * its first rows and their number. Values are never in it: error texts go into logs. */
#ifndef FIRMIANA_EXCHANGE_DATA_FINDINGS_H
#define FIRMIANA_EXCHANGE_DATA_FINDINGS_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "exchange/data/schema.h"

enum { DATA_FINDINGS_MAX = 16, DATA_FINDING_ROWS = 3, DATA_FINDING_TEXT = 128 };

struct data_finding {
    const char *column; /* NULL: the whole row. Borrowed from the schema. */
    char what[DATA_FINDING_TEXT];
    uint64_t rows;                    /* with this fault */
    int64_t first[DATA_FINDING_ROWS]; /* their rowids, as they came */
};

/* {0} is none. Faults beyond DATA_FINDINGS_MAX kinds are only counted. */
struct data_findings {
    struct data_finding items[DATA_FINDINGS_MAX];
    size_t count;
    uint64_t others;
};

void data_findings_add(struct data_findings *findings, const char *column, const char *what,
                       int64_t row);

/* FM_OK if there is none; else FM_E_INPUT, one line: "bank.db: loans, rows 3, 17, 21 and 9 more,
 * column balance: outside the declared range 0.00 to 9.00; row 5, column kind: NULL in a column
 * that is not nullable; and 2 other kinds of fault". */
fm_status data_findings_status(const struct data_findings *findings, const char *path,
                               const char *table, struct base_err *err) FM_CHECK;

#endif
