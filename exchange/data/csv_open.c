/* Where the bytes come from, and what the header says: the byte order mark, the separator, names.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exchange/data/csv_reader.h"

/* ---- the header ---- */

static fm_status skip_mark(struct data_csv *csv, struct base_err *err)
{
    fm_status st = data_csv_fill(csv, err);
    size_t left = csv->end - csv->at;

    if (st != FM_OK)
        return st;
    if (left >= 2 &&
        (memcmp(csv->block, "\xff\xfe", 2) == 0 || memcmp(csv->block, "\xfe\xff", 2) == 0))
        return data_csv_fault(csv, FM_E_INPUT, 1, 1, "the file is UTF-16: save it as UTF-8", err);
    if (left >= 16 && memcmp(csv->block, "SQLite format 3", 16) == 0)
        return base_err_set(err, FM_E_INPUT,
                            "%s: it is a SQLite database, not a CSV file: it needs no import, and "
                            "--db with --table names a table of it",
                            csv->name);
    csv->has_mark = left >= 3 && memcmp(csv->block, "\xef\xbb\xbf", 3) == 0;
    if (csv->has_mark)
        csv->at += 3;
    return FM_OK;
}

/* Counts both separators outside quotes in the first line, which must lie in the first block. */
static fm_status detect_separator(struct data_csv *csv, struct base_err *err)
{
    size_t commas = 0, semicolons = 0, i;
    bool inside = false;

    for (i = csv->at; i < csv->end && (inside || csv->block[i] != '\n'); i++) {
        inside ^= csv->block[i] == '"';
        commas += !inside && csv->block[i] == ',';
        semicolons += !inside && csv->block[i] == ';';
    }
    if (i == csv->end && csv->end == sizeof csv->block)
        return data_csv_fault(csv, FM_E_LIMIT, 1, 1, "the header is longer than 65536 bytes", err);
    if (commas > 0 && commas == semicolons)
        return data_csv_fault(csv, FM_E_INPUT, 1, 1,
                              "the header has as many ',' as ';': name the separator", err);
    csv->separator = semicolons > commas ? ';' : ',';
    return FM_OK;
}

static void set_plain_bytes(struct data_csv *csv)
{
    for (size_t c = 0; c < 256; c++)
        csv->plain[c] =
            c != 0 && c != '"' && c != '\r' && c != '\n' && c != (uint8_t)csv->separator;
}

static fm_status keep_header(struct data_csv *csv, struct base_err *err)
{
    csv->header = calloc(csv->field_count, sizeof *csv->header);
    if (csv->header == NULL)
        return base_err_memory(err, "CSV header");
    for (; csv->header_count < csv->field_count; csv->header_count++) {
        const struct data_csv_field *f = &csv->fields[csv->header_count];
        char **name = &csv->header[csv->header_count];
        if (f->len == 0)
            return data_csv_fault(csv, FM_E_INPUT, f->line, f->column, "a column without a name",
                                  err);
        *name = strndup(f->text, f->len);
        if (*name == NULL)
            return base_err_memory(err, "CSV header");
    }
    return FM_OK;
}

static fm_status same_header(const struct data_csv *csv, struct base_err *err)
{
    bool same = csv->field_count == csv->header_count;

    for (size_t i = 0; same && i < csv->header_count; i++)
        same = strlen(csv->header[i]) == csv->fields[i].len &&
               memcmp(csv->header[i], csv->fields[i].text, csv->fields[i].len) == 0;
    if (!same)
        return base_err_set(err, FM_E_INPUT, "%s: the file changed while it was read", csv->name);
    return FM_OK;
}

static fm_status start(struct data_csv *csv, struct base_err *err)
{
    fm_status st;

    csv->at = csv->end = 0;
    csv->taken = 0;
    csv->ended = csv->dead = false;
    csv->line = csv->column = 1;
    st = skip_mark(csv, err);
    if (st == FM_OK && csv->separator == 0)
        st = detect_separator(csv, err);
    if (st != FM_OK)
        return st;
    set_plain_bytes(csv);
    st = data_csv_read_row(csv, err);
    if (st != FM_OK)
        return st;
    if (csv->field_count == 0)
        return base_err_set(err, FM_E_INPUT, "%s: the file is empty: a header line is needed",
                            csv->name);
    return csv->header == NULL ? keep_header(csv, err) : same_header(csv, err);
}

fm_status data_csv_rewind(struct data_csv *csv, struct base_err *err)
{
    fm_status st = csv->source.rewind(csv->source.ctx, err);

    if (st != FM_OK)
        return base_err_prefix(err, "%s", csv->name);
    return start(csv, err);
}

/* ---- opening ---- */

static fm_status file_read(void *ctx, void *out, size_t cap, size_t *got, struct base_err *err)
{
    const struct data_csv *csv = ctx;
    ssize_t n;

    do
        n = read(csv->fd, out, cap);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return base_err_errno(err, "read");
    *got = (size_t)n;
    return FM_OK;
}

static fm_status file_rewind(void *ctx, struct base_err *err)
{
    const struct data_csv *csv = ctx;

    if (lseek(csv->fd, 0, SEEK_SET) == 0)
        return FM_OK;
    return base_err_set(err, FM_E_UNSUPPORTED,
                        "a pipe cannot be read twice: give a file, or a schema");
}

static fm_status reader_new(struct data_csv **out, const char *name, char separator,
                            struct base_err *err)
{
    struct data_csv *csv;

    *out = NULL;
    if (separator != 0 && strchr(",;\t|", separator) == NULL)
        return base_err_set(err, FM_E_ARG,
                            "'%c' is no CSV separator: use a comma, semicolon, tab or bar",
                            separator);
    csv = calloc(1, sizeof *csv);
    if (csv == NULL)
        return base_err_memory(err, "CSV reader");
    csv->fd = -1;
    csv->separator = separator;
    csv->name = strdup(name);
    if (csv->name == NULL) {
        free(csv);
        return base_err_memory(err, "CSV reader");
    }
    *out = csv;
    return FM_OK;
}

fm_status data_csv_open_source(struct data_csv **out, const struct data_csv_source *source,
                               const char *name, char separator, struct base_err *err)
{
    fm_status st = reader_new(out, name, separator, err);

    if (st != FM_OK)
        return st;
    (*out)->source = *source;
    st = start(*out, err);
    if (st != FM_OK) {
        data_csv_free(*out);
        *out = NULL;
    }
    return st;
}

fm_status data_csv_open(struct data_csv **out, const char *path, char separator,
                        struct base_err *err)
{
    fm_status st = reader_new(out, path, separator, err);
    struct data_csv *csv = *out;
    struct stat info;

    if (st != FM_OK)
        return st;
    csv->source = (struct data_csv_source){.read = file_read, .rewind = file_rewind, .ctx = csv};
    csv->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (csv->fd < 0)
        st = base_err_errno(err, path);
    else if (fstat(csv->fd, &info) == 0 && S_ISREG(info.st_mode))
        csv->size = (uint64_t)info.st_size;
    if (st == FM_OK)
        st = start(csv, err);
    if (st != FM_OK) {
        data_csv_free(csv);
        *out = NULL;
    }
    return st;
}

void data_csv_free(struct data_csv *csv)
{
    if (csv == NULL)
        return;
    if (csv->fd >= 0)
        (void)close(csv->fd);
    for (size_t i = 0; i < csv->header_count; i++)
        free(csv->header[i]);
    free(csv->header);
    base_buf_release(&csv->text);
    free(csv->name);
    free(csv);
}

size_t data_csv_column_count(const struct data_csv *csv)
{
    return csv->header_count;
}

const char *data_csv_column(const struct data_csv *csv, size_t i)
{
    return csv->header[i];
}

bool data_csv_has_mark(const struct data_csv *csv)
{
    return csv->has_mark;
}

char data_csv_separator(const struct data_csv *csv)
{
    return csv->separator;
}

const char *data_csv_name(const struct data_csv *csv)
{
    return csv->name;
}

uint64_t data_csv_bytes_read(const struct data_csv *csv)
{
    return csv->taken;
}

uint64_t data_csv_bytes_total(const struct data_csv *csv)
{
    return csv->size;
}
