/* Files into SQLite. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "exchange/data/csv.h"
#include "tests/sql/pool.h"

/* ---- a file without a header, or whose rows end with a separator ---- */

struct tail {
    FILE *f;
    const char *whole;  /* header, or NULL */
    const char *header; /* what of it is still to come; its names stand apart by blanks */
    char separator;
    bool drop;
};

static fm_status tail_read(void *ctx, void *out, size_t cap, size_t *got, struct base_err *err)
{
    struct tail *t = ctx;
    char *bytes = out;

    (void)err;
    *got = 0;
    while (t->header != NULL && *t->header != '\0' && *got < cap) {
        bytes[(*got)++] = *t->header == ' ' ? '|' : *t->header;
        t->header++;
    }
    if (*got == cap)
        return FM_OK;
    for (int c = getc(t->f); c != EOF && *got < cap; c = getc(t->f)) {
        int next = c == t->separator && t->drop ? getc(t->f) : EOF;
        if (c == t->separator && t->drop && next != EOF)
            (void)ungetc(next, t->f);
        if (next != '\n')
            bytes[(*got)++] = (char)(c == ' ' && t->separator == ' ' ? '|' : c);
        if (*got == cap)
            break;
    }
    return FM_OK;
}

static fm_status tail_rewind(void *ctx, struct base_err *err)
{
    struct tail *t = ctx;

    (void)err;
    rewind(t->f);
    t->header = t->whole;
    return FM_OK;
}

/* ---- into SQLite ---- */

static fm_status create(struct pool *pool, const struct pool_file *file, const struct data_csv *csv,
                        struct base_err *err)
{
    sqlite3_str *sql = sqlite3_str_new(NULL);
    fm_status st;
    char *text;

    sqlite3_str_appendf(sql, "CREATE TABLE \"%w\" (", file->table);
    for (size_t c = 0; c < file->column_count; c++)
        sqlite3_str_appendf(sql, "%s\"%w\" %s", c > 0 ? ", " : "", data_csv_column(csv, c),
                            file->declared[c]);
    sqlite3_str_appendall(sql, ")");
    text = sqlite3_str_finish(sql);
    st = text != NULL ? pool_execute(pool, text, err) : base_err_set(err, FM_E_MEMORY, "memory");
    sqlite3_free(text);
    return st;
}

static fm_status insert(sqlite3_stmt **out, struct pool *pool, const struct pool_file *file,
                        struct base_err *err)
{
    sqlite3_str *sql = sqlite3_str_new(NULL);
    fm_status st = FM_OK;
    char *text;

    sqlite3_str_appendf(sql, "INSERT INTO \"%w\" VALUES (?", file->table);
    for (size_t c = 1; c < file->column_count; c++)
        sqlite3_str_appendall(sql, ",?");
    sqlite3_str_appendall(sql, ")");
    text = sqlite3_str_finish(sql);
    if (text == NULL || sqlite3_prepare_v2(pool->db, text, -1, out, NULL) != SQLITE_OK)
        st = base_err_set(err, FM_E_IO, "sqlite: %s", sqlite3_errmsg(pool->db));
    sqlite3_free(text);
    return st;
}

static fm_status copy_rows(struct pool *pool, const struct pool_file *file, struct data_csv *csv,
                           sqlite3_stmt *into, struct base_err *err)
{
    for (size_t row = 0;; row++) {
        const struct data_csv_field *fields;
        fm_status st = data_csv_next(&fields, csv, err);
        if (st != FM_OK || fields == NULL)
            return st;
        if (row < file->skip)
            continue;
        for (size_t c = 0; c < file->column_count; c++) {
            if (data_csv_is_null(&fields[c]) &&
                !(file->empty_text && strcmp(file->declared[c], "TEXT") == 0))
                (void)sqlite3_bind_null(into, (int)c + 1);
            else
                (void)sqlite3_bind_text(into, (int)c + 1, fields[c].text, (int)fields[c].len,
                                        SQLITE_TRANSIENT);
        }
        if (sqlite3_step(into) != SQLITE_DONE)
            return base_err_set(err, FM_E_IO, "sqlite: %s", sqlite3_errmsg(pool->db));
        (void)sqlite3_reset(into);
    }
}

fm_status pool_load(struct pool *pool, const struct pool_file *file, struct base_err *err)
{
    struct tail tail = {fopen(file->path, "r"), file->header, file->header, file->separator,
                        file->ended};
    const struct data_csv_source source = {tail_read, tail_rewind, &tail};
    struct data_csv *csv = NULL;
    sqlite3_stmt *into = NULL;
    fm_status st;

    if (tail.f == NULL)
        return base_err_set(err, FM_E_IO, "%s: cannot be read", file->path);
    st = data_csv_open_source(&csv, &source, file->path,
                              file->separator == ' ' ? '|' : file->separator, err);
    if (st == FM_OK && data_csv_column_count(csv) != file->column_count)
        st = base_err_set(err, FM_E_INPUT, "%s: %zu columns, not %zu", file->path,
                          data_csv_column_count(csv), file->column_count);
    if (st == FM_OK)
        st = create(pool, file, csv, err);
    if (st == FM_OK)
        st = insert(&into, pool, file, err);
    if (st == FM_OK)
        st = pool_execute(pool, "BEGIN", err);
    if (st == FM_OK)
        st = copy_rows(pool, file, csv, into, err);
    (void)sqlite3_finalize(into);
    if (st == FM_OK)
        st = pool_execute(pool, "COMMIT", err);
    data_csv_free(csv);
    (void)fclose(tail.f);
    return st;
}
