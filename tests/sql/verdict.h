/* What became of a query of a public file: passed, unsupported (refused at planning; counted by
 * reason), or wrong. */
#ifndef FIRMIANA_TESTS_SQL_VERDICT_H
#define FIRMIANA_TESTS_SQL_VERDICT_H

#include "exchange/sql/plan/catalog.h"
#include "tests/sql/pool.h"
#include "tests/sql/slt.h"

enum { VERDICT_REASONS = 256 };

struct verdict_reason {
    char text[96];
    size_t count;
};

struct verdict {
    bool quiet; /* print nothing at all */
    bool list;  /* print each query that did not pass */
    size_t passed, unsupported, wrong;
    size_t reason_count;
    struct verdict_reason reasons[VERDICT_REASONS];
};

/* Asks record->sql over the pool and compares; `where` names its place for people. */
void verdict_query(struct verdict *v, const struct slt_record *record, const struct pool *pool,
                   const struct sql_catalog *catalog, const char *where);
/* An error's text counts as one more that is unsupported. */
void verdict_refused(struct verdict *v, const char *text, const char *where, const char *sql);
/* Reasons, most frequent first, and the sum. The program's exit code: 1 if anything was wrong. */
int verdict_print(struct verdict *v, const char *what);

/* A program over one folder of public files, `usage: NAME [--list] FOLDER`: `load` fills the pool,
 * `run` asks. */
struct verdict_program {
    const char *what;
    const char *there; /* a file that is in the folder, if the folder is there: else skipped, 77 */
    fm_status (*load)(struct pool *pool, const char *folder, struct base_err *err);
    void (*run)(struct verdict *v, struct pool *pool, const struct sql_catalog *catalog,
                const char *folder);
};
int verdict_main(const struct verdict_program *program, int argc, char **argv);

#endif
