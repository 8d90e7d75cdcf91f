/* Seeded schemas, data and queries for the differential test: every query in two spellings, ours
 * and SQLite's over scaled integers, whose alignment of decimal scales is written here anew. */
#ifndef FIRMIANA_EXCHANGE_RUN_TEST_GENERATE_H
#define FIRMIANA_EXCHANGE_RUN_TEST_GENERATE_H

#include "exchange/sql/plan/plan.h"

enum { GEN_MAX_MEMBERS = 4, GEN_MAX_COLUMNS = 9, GEN_MAX_PARAMS = 6, GEN_MAX_OUTPUTS = 4 };

struct gen_column {
    const char *name;
    struct data_type type;
    bool nullable;
    int64_t lo, hi;
};

struct gen_cell {
    bool null;
    int64_t value;
    const char *text;
};

struct gen_member {
    char alias[16];
    int64_t padded;
    size_t rows;
    struct gen_cell *cells; /* rows x columns */
};

struct gen_param {
    const char *text; /* the value as people write it */
    bool hidden;
};

/* One output: how SQLite is asked for it. */
struct gen_output {
    enum sql_fn fn;
    const char *lite; /* argument; NULL for COUNT(*) */
    unsigned scale;
};

struct gen_world {
    uint64_t state;
    struct sql_arena arena;
    size_t column_count;
    struct gen_column columns[GEN_MAX_COLUMNS];
    size_t member_count;
    struct gen_member members[GEN_MAX_MEMBERS];
};

struct gen_query {
    const char *ours;
    const char *lite_where; /* "1" without WHERE */
    size_t output_count;
    struct gen_output outputs[GEN_MAX_OUTPUTS];
    size_t param_count;
    struct gen_param params[GEN_MAX_PARAMS];
};

uint32_t gen_below(struct gen_world *w, uint32_t n);
const char *gen_text(struct gen_world *w, const char *fmt, ...) FM_PRINTF(2, 3);
/* A consortium: schema, members, rows. */
void gen_make_world(struct gen_world *w, uint64_t seed);
/* Its catalog as JSON text. */
const char *gen_catalog(struct gen_world *w);
void gen_make_query(struct gen_world *w, struct gen_query *q, bool may_hide);
/* A value as our SQL writes it, without quotes. */
const char *gen_value(struct gen_world *w, struct data_type type, int64_t value);

#endif
