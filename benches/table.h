/* A bank's table from rows that a bench makes up. */
#ifndef FIRMIANA_BENCHES_TABLE_H
#define FIRMIANA_BENCHES_TABLE_H

#include <stdint.h>
#include <stdio.h>

#include "base/status.h"

/* Of FOLDER/bank_X.db, X = 'a' + bank. schema: its JSON, without "version" and "rows" ("columns"
 * and what follows, no braces); rows: as declared, rounded up to a multiple of 64. put writes the
 * CSV, with its header. Errors: FM_E_IO, FM_E_INPUT and data_import()'s. */
struct bench_table {
    unsigned bank;
    const char *name;
    const char *schema;
    int64_t rows;
    void (*put)(FILE *f, const void *arg);
    const void *arg;
};
/* *rows: as declared. */
fm_status bench_table_write(const char *folder, const struct bench_table *table, long long *rows,
                            struct base_err *err) FM_CHECK;

#endif
