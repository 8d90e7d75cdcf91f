/* Files of sqllogictest and of DuckDB's dialect of it against the whole path of a query.
 * usage: conformance [--list] [--limit QUERIES] FILE...          exit code 1 if an answer was
 * wrong, 77 if no file is there
 * --list prints every query that did not pass. --limit takes that many of each file's, spread
 * evenly. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sql/ask.h"
#include "tests/sql/slt.h"
#include "tests/sql/verdict.h"

static size_t count_queries(const char *path)
{
    struct slt_record record;
    struct base_err err;
    struct slt *slt;
    size_t n = 0;

    if (slt_open(&slt, path, &err) != FM_OK)
        return 0;
    for (slt_next(&record, slt); record.kind != SLT_END; slt_next(&record, slt))
        n += record.kind == SLT_QUERY && !record.skip;
    slt_free(slt);
    return n;
}

/* False if the tables are no longer what the file thinks, or rows are ordered by a setting of its
 * engine: no query after it is judged. */
static bool statement(struct pool *pool, const struct slt_record *record)
{
    static const char *const changes[] = {"CREATE", "INSERT", "UPDATE", "DELETE"};
    struct base_err err;

    if (pool_execute(pool, record->sql, &err) != FM_OK && !record->may_fail) {
        for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
            if (strncmp(record->sql, changes[i], strlen(changes[i])) == 0)
                return false;
        }
    }
    return strstr(record->sql, "default_null_order") == NULL ||
           strstr(record->sql, "first") != NULL; /* as SQLite has them, and we */
}

static void run_file(struct verdict *v, const char *path, size_t limit)
{
    size_t total = count_queries(path), seen = 0, taken = 0;
    struct sql_catalog catalog = {0};
    struct slt_record record;
    struct pool pool = {0};
    bool fresh = false, lost = false, collated = false;
    struct base_err err = {0};
    char where[512];
    struct slt *slt;

    if (slt_open(&slt, path, &err) != FM_OK || pool_open(&pool, &err) != FM_OK) {
        printf("%s\n", err.text);
        exit(8);
    }
    for (slt_next(&record, slt); record.kind != SLT_END; slt_next(&record, slt)) {
        if (record.skip || record.kind == SLT_OTHER)
            continue;
        if (record.kind == SLT_STATEMENT) {
            lost = !statement(&pool, &record) || lost;
            collated = collated || strstr(record.sql, "COLLATE") != NULL;
            fresh = false;
            continue;
        }
        if (seen++ * limit / (total + 1) < taken && taken > 0 && limit < total)
            continue;
        taken++;
        (void)snprintf(where, sizeof where, "%s:%zu", path, record.line);
        if (!fresh) {
            sql_catalog_release(&catalog);
            catalog = (struct sql_catalog){0};
            if (pool_read(&pool, NULL, &err) != FM_OK ||
                ask_catalog(&catalog, &pool, &err) != FM_OK) {
                verdict_refused(v, err.text, path, record.sql);
                continue;
            }
            fresh = true;
        }
        if (collated)
            verdict_refused(v, "COLLATE: texts are compared byte by byte", where, record.sql);
        else if (!lost)
            verdict_query(v, &record, &pool, &catalog, where);
    }
    sql_catalog_release(&catalog);
    pool_close(&pool);
    slt_free(slt);
}

int main(int argc, char **argv)
{
    static struct verdict v;
    size_t limit = (size_t)-1 >> 32;
    int at = 1;

    for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
        if (strcmp(argv[at], "--list") == 0)
            v.list = true;
        else if (strcmp(argv[at], "--limit") == 0 && at + 1 < argc)
            limit = (size_t)strtoul(argv[++at], NULL, 10);
    }
    if (at == argc || fopen(argv[at], "r") == NULL) {
        printf("skipped: the public files are not there\n");
        return 77;
    }
    for (; at < argc; at++)
        run_file(&v, argv[at], limit);
    return verdict_print(&v, "sqllogictest");
}
