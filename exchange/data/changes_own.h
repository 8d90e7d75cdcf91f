/* What the files of changes.h share. Private to exchange/data. */
#ifndef FIRMIANA_EXCHANGE_DATA_CHANGES_OWN_H
#define FIRMIANA_EXCHANGE_DATA_CHANGES_OWN_H

#include "exchange/data/changes.h"
#include "exchange/data/kept_own.h"

struct data_changes_writer {
    struct data_db db;
    struct data_changes_job job;
    sqlite3_stmt *insert;        /* of a content */
    sqlite3_stmt *list[2];       /* of those before that ended, of those now that began */
    sqlite3_stmt *open;          /* contents of base, by rowid; NULL: all read */
    struct base_buf row, sealed; /* of a row: what its digest is of, and its content */
    uint8_t key[32];
    int64_t dataset;
    int64_t before, now; /* versions; before 0: what is published is not known here */
    int64_t base;        /* whose contents go on in this one: before, or the newest of all */
    uint64_t rows;
};

enum list { ENDED, BEGAN };

/* Steps w->open. */
fm_status data_changes_step_open(struct data_changes_writer *w, struct base_err *err) FM_CHECK;

#endif
