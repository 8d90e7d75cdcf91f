#include "tests/sql/slt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>

struct slt {
    char *text;
    char *at; /* the next line */
    size_t line;
    char types[513];
    struct base_buf sql;
    char **values;
    size_t value_cap;
};

fm_status slt_open(struct slt **out, const char *path, struct base_err *err)
{
    struct slt *slt = calloc(1, sizeof *slt);
    FILE *f = fopen(path, "rb");
    long size = -1;

    *out = slt;
    if (slt != NULL && f != NULL && fseek(f, 0, SEEK_END) == 0)
        size = ftell(f);
    if (size >= 0)
        slt->text = calloc(1, (size_t)size + 1);
    if (size < 0 || slt->text == NULL || fseek(f, 0, SEEK_SET) != 0 ||
        fread(slt->text, 1, (size_t)size, f) != (size_t)size) {
        slt_free(slt);
        *out = NULL;
        if (f != NULL)
            (void)fclose(f);
        return base_err_set(err, FM_E_IO, "%s: cannot be read", path);
    }
    slt->at = slt->text;
    (void)fclose(f);
    return FM_OK;
}

void slt_free(struct slt *slt)
{
    if (slt == NULL)
        return;
    base_buf_release(&slt->sql);
    free(slt->values);
    free(slt->text);
    free(slt);
}

/* ---- lines ---- */

/* The next line, cut at its end; NULL at the end of the file. */
static char *next_line(struct slt *slt)
{
    char *line = slt->at, *end;

    if (*line == '\0')
        return NULL;
    slt->line++;
    end = strchr(line, '\n');
    slt->at = end != NULL ? end + 1 : line + strlen(line);
    if (end == NULL)
        end = slt->at;
    *end = '\0';
    if (end > line && end[-1] == '\r')
        end[-1] = '\0';
    return line;
}

static bool word_is(const char *line, const char *word)
{
    size_t len = strlen(word);

    return strncmp(line, word, len) == 0 && (line[len] == ' ' || line[len] == '\0');
}

/* SQL up to an empty line or "----"; true if values follow. */
static bool read_sql(struct slt *slt, struct slt_record *record)
{
    bool values = false;
    char *line;

    base_buf_clear(&slt->sql);
    while ((line = next_line(slt)) != NULL && *line != '\0') {
        values = strcmp(line, "----") == 0;
        if (values)
            break;
        base_buf_putf(&slt->sql, "%s%s", slt->sql.len > 0 ? "\n" : "", line);
    }
    record->sql = base_buf_cstr(&slt->sql);
    return values;
}

static void keep_value(struct slt *slt, struct slt_record *record, char *value)
{
    if (record->value_count == slt->value_cap) {
        slt->value_cap = slt->value_cap * 2 + 64;
        slt->values = realloc(slt->values, slt->value_cap * sizeof *slt->values);
        if (slt->values == NULL)
            abort();
    }
    slt->values[record->value_count++] = value;
}

static void read_values(struct slt *slt, struct slt_record *record)
{
    char *line;

    while ((line = next_line(slt)) != NULL && *line != '\0') {
        const char *hash = strstr(line, " values hashing to ");
        if (hash != NULL) {
            record->value_count = (size_t)strtoull(line, NULL, 10);
            record->hash = hash + strlen(" values hashing to ");
            continue;
        }
        for (char *tab = strchr(line, '\t'); tab != NULL; tab = strchr(line, '\t')) {
            *tab = '\0';
            keep_value(slt, record, line);
            line = tab + 1;
        }
        keep_value(slt, record, line);
    }
    record->values = slt->values;
}

static void read_query(struct slt *slt, struct slt_record *record, const char *line)
{
    char sort[32] = "";

    record->kind = SLT_QUERY;
    (void)sscanf(line, "query %512s %31s", slt->types, sort);
    record->types = slt->types;
    if (strcmp(sort, "rowsort") == 0 || strcmp(sort, "sort") == 0)
        record->sort = SLT_ROWSORT;
    else if (strcmp(sort, "valuesort") == 0)
        record->sort = SLT_VALUESORT;
    if (read_sql(slt, record))
        read_values(slt, record);
}

void slt_next(struct slt_record *record, struct slt *slt)
{
    char *line;

    *record = (struct slt_record){0};
    while ((line = next_line(slt)) != NULL) {
        if (*line == '\0' || *line == '#' || word_is(line, "hash-threshold"))
            continue;
        if (word_is(line, "skipif") || word_is(line, "onlyif")) {
            record->skip |= word_is(line, "onlyif");
            continue;
        }
        record->line = slt->line;
        if (word_is(line, "statement")) {
            record->kind = SLT_STATEMENT;
            record->may_fail = strcmp(line, "statement ok") != 0;
            if (read_sql(slt, record))
                read_values(slt, record);
        } else if (word_is(line, "query")) {
            read_query(slt, record, line);
        } else {
            record->kind = SLT_OTHER;
            record->sql = line;
        }
        return;
    }
}

/* ---- comparison ---- */

static size_t row_width;

static int compare_rows(const void *a, const void *b)
{
    char *const *x = a, *const *y = b;

    for (size_t i = 0; i < row_width; i++) {
        int way = strcmp(x[i], y[i]);
        if (way != 0)
            return way;
    }
    return 0;
}

static void sort_values(char **values, size_t count, size_t width, enum slt_sort sort)
{
    if (sort == SLT_NOSORT || count == 0)
        return;
    row_width = sort == SLT_VALUESORT ? 1 : width;
    qsort(values, count / row_width, row_width * sizeof *values, compare_rows);
}

static void md5_of(char out[33], char *const *values, size_t count)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    if (md == NULL || EVP_DigestInit_ex(md, EVP_md5(), NULL) != 1)
        abort();
    for (size_t i = 0; i < count; i++) {
        (void)EVP_DigestUpdate(md, values[i], strlen(values[i]));
        (void)EVP_DigestUpdate(md, "\n", 1);
    }
    (void)EVP_DigestFinal_ex(md, digest, &len);
    EVP_MD_CTX_free(md);
    for (unsigned i = 0; i < len; i++)
        (void)snprintf(out + (size_t)2 * i, 3, "%02x", digest[i]);
}

/* 2.500 -> 2.5, true -> 1: what no file means to distinguish. In place. */
static void make_plain(char *value)
{
    char *end = value + strlen(value), *past;

    if (strcasecmp(value, "true") == 0 || strcasecmp(value, "false") == 0) {
        value[0] = *value == 't' || *value == 'T' ? '1' : '0';
        value[1] = '\0';
        return;
    }
    (void)strtod(value, &past);
    if (past != end || strchr(value, '.') == NULL || strpbrk(value, "eE") != NULL)
        return;
    while (end[-1] == '0')
        *--end = '\0';
    if (end[-1] == '.')
        *--end = '\0';
    if (strcmp(value, "-0") == 0)
        (void)strcpy(value, "0");
}

static size_t digits_of(const char *value)
{
    const char *point = strchr(value, '.');

    return point != NULL ? strlen(point + 1) : 0;
}

/* Equal, or numbers that are equal as soon as both are rounded to the digits of the one that has
 * fewer, if that one was cut off at all: at least three. */
static bool value_agrees(const char *a, const char *b)
{
    size_t digits = digits_of(a) < digits_of(b) ? digits_of(a) : digits_of(b);
    long double x, y, unit = 1;
    char *end_a, *end_b;

    if (strcmp(a, b) == 0)
        return true;
    x = strtold(a, &end_a);
    y = strtold(b, &end_b);
    if (*a == '\0' || *b == '\0' || *end_a != '\0' || *end_b != '\0')
        return false;
    if (digits < 3) /* nothing was cut off; files and SQLite compute in doubles */
        return (x > y ? x - y : y - x) <= 1e-12L * (x > 1 ? x : x < -1 ? -x : 1);
    for (size_t i = 0; i < digits; i++)
        unit /= 10;
    return (x > y ? x - y : y - x) <= unit * 0.5000001L + 1e-9L; /* files compute in doubles */
}

static enum slt_sort sort_of(const struct slt_record *record)
{
    const char *at = record->sql;

    while (*at != '\0' && strncasecmp(at, "order by", strlen("order by")) != 0)
        at++;
    return record->sort == SLT_NOSORT && *at == '\0' ? SLT_ROWSORT : record->sort;
}

bool slt_agrees(const struct slt_record *record, char **values, size_t value_count,
                size_t column_count)
{
    char hash[33] = "";

    if (value_count != record->value_count)
        printf("got %zu values, expected %zu\n", value_count, record->value_count);
    if (value_count != record->value_count || column_count == 0)
        return value_count == record->value_count;
    if (record->hash != NULL) {
        sort_values(values, value_count, column_count, record->sort);
        md5_of(hash, values, value_count);
        return strcmp(hash, record->hash) == 0;
    }
    for (size_t i = 0; i < value_count; i++) {
        make_plain(values[i]);
        make_plain(record->values[i]);
    }
    sort_values(values, value_count, column_count, sort_of(record));
    sort_values((char **)record->values, value_count, column_count, sort_of(record));
    for (size_t i = 0; i < value_count; i++) {
        if (!value_agrees(values[i], record->values[i])) {
            printf("row %zu, column %zu: got %s, expected %s\n", i / column_count + 1,
                   i % column_count + 1, values[i], record->values[i]);
            return false;
        }
    }
    return true;
}
