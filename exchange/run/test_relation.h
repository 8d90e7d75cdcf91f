/* For the tests of relations: random tables with NULLs, duplicates and padding rows full of
 * garbage, as a relation and in SQLite; results of both as lists of texts. */
#ifndef FIRMIANA_EXCHANGE_RUN_TEST_RELATION_H
#define FIRMIANA_EXCHANGE_RUN_TEST_RELATION_H

#include <sqlite3.h>

#include "exchange/run/reveal.h"
#include "mpc/test_world.h"

/* Columns of every table: k and g small, k never NULL, g may be; v wide, of both signs; b BOOLEAN;
 * t TEXT(12); u unique. */
enum { COL_K, COL_G, COL_V, COL_B, COL_T, COL_U, TABLE_COLUMNS };
enum { TABLE_MOST = 128, TABLE_WORDS = 2 };

struct table {
    size_t rows; /* with padding */
    bool valid[TABLE_MOST];
    bool null[TABLE_COLUMNS][TABLE_MOST];
    int64_t value[TABLE_COLUMNS][TABLE_MOST]; /* of COL_T: into table_texts */
};

extern const struct mpc_range table_ranges[TABLE_COLUMNS];
extern const char *const table_texts[];

void table_random(struct table *t, struct test_rng *rng, size_t most);
/* Creates NAME (k, g, v, b, t, u) anew. */
void table_to_sqlite(sqlite3 *db, const char *name, const struct table *t);
/* Shared by party 0. */
fm_status table_share(struct run_relation *out, struct mpc_session *s, const struct table *t,
                      struct base_err *err);

/* Rows as texts "1|NULL|abc". */
struct lines {
    size_t count;
    char **line;
};
void lines_release(struct lines *lines);
void lines_add(struct lines *lines, const char *text);
void lines_sort(struct lines *lines);
bool lines_equal(const struct lines *a, const struct lines *b);
void lines_print(const char *title, const struct lines *lines);
void lines_of_sqlite(struct lines *out, sqlite3 *db, const char *sql);
/* Rows that exist; *gap if one stands behind a place where none is. */
void lines_of_rows(struct lines *out, const struct run_rows *rows, bool *gap);

/* Works on the first table; may use the second, which is then consumed. */
typedef fm_status operate(struct run_relation *a, struct run_relation *b, struct base_err *err);

struct operation {
    const char *name;
    const char *sql; /* over a and b */
    operate *run;
    enum run_reveal_order order;
};

extern const struct operation operations[];
extern const size_t operation_count;

#endif
