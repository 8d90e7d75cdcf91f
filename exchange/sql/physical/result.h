/* The answer of a query, as its recipients have it, and the three forms in which it is shown. */
#ifndef FIRMIANA_EXCHANGE_SQL_PHYSICAL_RESULT_H
#define FIRMIANA_EXCHANGE_SQL_PHYSICAL_RESULT_H

#include "base/bytes.h"
#include "exchange/sql/plan/plan.h"

enum sql_cell_state { SQL_CELL_VALUE = 0, SQL_CELL_NULL, SQL_CELL_SUPPRESSED };

struct sql_result_cell {
    enum sql_cell_state state;
    int64_t value;    /* scaled; 0 unless state is SQL_CELL_VALUE */
    const char *text; /* of TEXT: in the result's arena; NULL unless state is SQL_CELL_VALUE */
};

struct sql_result_column {
    const char *name;
    struct data_type type;
};

/* cells: row after row. */
struct sql_result {
    size_t column_count;
    struct sql_result_column *columns;
    size_t row_count;
    struct sql_result_cell *cells;
    size_t note_count;  /* what the data broke (design.md 6.7), a line each */
    const char **notes; /* not owned: fixed texts */
    struct sql_arena arena;
};

/* Columns of the plan's outputs, row_count rows of cells to be filled in. Borrows nothing. */
fm_status sql_result_init(struct sql_result *out, const struct sql_plan *plan, size_t row_count,
                          struct base_err *err) FM_CHECK;
void sql_result_release(struct sql_result *result);

/* Columns aligned, numbers to the right; NULL and (suppressed) are written out. */
void sql_result_table(struct base_buf *out, const struct sql_result *result);
/* RFC 4180 with a header line and LF: NULL is empty, an empty text "", a suppressed value the word
 * `suppressed`, a text that reads so "suppressed". Notes are left out. */
void sql_result_csv(struct base_buf *out, const struct sql_result *result);
/* {"columns":["n","total"],"rows":[[12,"34.50"]]} and a newline. INTEGER within +-(2^53 - 1) is a
 * number, beyond it a string; DECIMAL and DATE are strings, BOOLEAN true or false; NULL is null. A
 * suppressed value is null too, and "suppressed":[[row,column],...] (from 0) then names it;
 * "notes":[...] if there are any. */
void sql_result_json(struct base_buf *out, const struct sql_result *result);

#endif
