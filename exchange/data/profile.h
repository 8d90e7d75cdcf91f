/* What a file or table looks like, column by column, for the person who must declare it: the type
 * that its values force and which of them force it, what was seen, what could be declared, and what
 * is suspicious. One pass; memory is bounded (DATA_PROFILE_SLOTS) whatever the size of the data.
 *
 * All of it is for the owner's eyes: it holds values. Nothing of it is published. A draft schema
 * (data_profile_draft) proposes ranges and sizes that are rounded outwards, and carries a member
 * that data_schema_from_json() refuses, so that nothing is declared before a person has looked. */
#ifndef FIRMIANA_EXCHANGE_DATA_PROFILE_H
#define FIRMIANA_EXCHANGE_DATA_PROFILE_H

#include <jansson.h>

#include "exchange/data/distinct.h"
#include "exchange/data/import.h"
#include "exchange/data/infer.h"
#include "exchange/data/notes.h"
#include "exchange/data/shape.h"
#include "exchange/data/store.h"

#define DATA_PROFILE_SLOTS (1 << 23) /* of all columns' data_distinct together: 128 MB */
#define DATA_PROFILE_LENGTHS 33

/* How many values have a property, and the line of the first. */
struct data_tally {
    uint64_t count, first;
};

struct data_profile_column {
    char name[DATA_NAME_MAX + 1];
    bool renamed; /* the header's name is no identifier */
    struct data_infer infer;
    struct data_distinct distinct;
    struct data_tally shapes[DATA_SHAPE_COUNT];
    struct data_tally blanks_around, blank_inside, damaged, not_days;
    uint64_t lengths[DATA_PROFILE_LENGTHS]; /* values by bytes; the last: and longer */
    uint64_t bytes;
    uint64_t line_least, line_greatest, line_scale, line_longest;
    bool not_cn_id, not_bit;
};

struct data_profile {
    const char *unit; /* what places are called: "line" of a file, "row" of a table */
    bool has_mark;    /* a file with a byte order mark */
    char separator;   /* of a file */
    uint64_t rows;
    struct data_profile_column *columns;
    size_t column_count;
    size_t slots_left; /* for the columns' data_distinct */
};

/* *out stays where it is: its columns point into it. Reads a CSV file once (csv.h); ticks tell
 * DATA_IMPORT_INFER. Or a table (a plain table's columns that no type holds are left out, with a
 * note). Release with data_profile_release(); empty after a failure. Errors: as data_csv_*,
 * data_store_*, and FM_E_CANCELLED. */
fm_status data_profile_csv(struct data_profile *out, const char *path, char separator,
                           const struct data_progress *progress, struct base_err *err) FM_CHECK;
fm_status data_profile_table(struct data_profile *out, struct data_notes *notes,
                             struct data_store *store, const char *table,
                             struct base_err *err) FM_CHECK;
void data_profile_release(struct data_profile *profile);

/* One column in words, a line each. Release with data_advice_release(), also after a failure. */
struct data_advice {
    struct data_column proposal; /* to be declared: the type, a range rounded outwards */
    int64_t key_rows;            /* to be declared if it is a key; 0: it does not look like one */
    char type[DATA_TYPE_TEXT];
    char why[256], seen[256], declare[256];
    struct data_notes warnings;
};

/* Errors: FM_E_UNSUPPORTED "column note: its longest text has 5000 bytes, 4096 are possible". */
fm_status data_profile_advise(struct data_advice *out, const struct data_profile *profile, size_t i,
                              struct base_err *err) FM_CHECK;
void data_advice_release(struct data_advice *advice);

/* A padded row count that leaves room and does not tell how many there are. */
int64_t data_profile_padded_rows(const struct data_profile *profile);

/* A schema with every proposal, and in its member "draft" what was seen. The caller owns *out. */
fm_status data_profile_draft(json_t **out, const struct data_profile *profile,
                             struct base_err *err) FM_CHECK;

#endif
