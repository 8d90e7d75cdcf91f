/* One source's rows, this provider's own, on their way into a computation: out of the frozen file,
 * or, where all columns of the plan are in memory already (columns.h), from there; what is read out
 * of the file is kept for the next query. */
#ifndef FIRMIANA_EXCHANGE_NODE_JOB_ROWS_H
#define FIRMIANA_EXCHANGE_NODE_JOB_ROWS_H

#include "exchange/node/columns.h"
#include "exchange/node/rows.h"
#include "exchange/run/run.h"
#include "exchange/sql/plan/plan.h"

struct job_rows {
    struct node_rows *rows;        /* taken; NULL if this party provides nothing */
    struct data_rows *reader;      /* NULL when all is in memory */
    size_t columns;                /* of the plan, of the source's table */
    size_t place[SQL_MAX_COLUMNS]; /* of each: its number in the plan */
    size_t count;                  /* looked at: one, if the plan has none */
    size_t index[SQL_MAX_COLUMNS]; /* in the schema */
    struct column *column[SQL_MAX_COLUMNS];
    size_t at;
    bool whole; /* read to the end: the columns can be kept */
};

/* On the node's thread: takes rows (also on failure) and looks for the columns of the plan's table.
 */
fm_status job_rows_init(struct job_rows *out, struct node_rows *rows, const struct sql_plan *plan,
                        size_t table, struct columns *cache, struct base_err *err) FM_CHECK;
/* On the computation's: what is not in memory is opened. */
fm_status job_rows_open(struct job_rows *rows, struct base_err *err) FM_CHECK;
/* As struct sql_rows wants it; ctx is the struct job_rows. */
fm_status job_rows_next(void *ctx, struct sql_cell *cells, bool *end, struct base_err *err);
/* On the node's thread, when the computation has ended: keeps what was read. */
void job_rows_keep(struct job_rows *rows, struct columns *cache);
void job_rows_release(struct job_rows *rows);
/* Each, and the array. */
void job_rows_free_all(struct job_rows *rows, size_t count);

#endif
