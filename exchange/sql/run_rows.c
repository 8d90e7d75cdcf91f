/* A provider's rows become columns: values, truth bits and text hashes, padded to the declared
 * size.
 */
#include <assert.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "exchange/sql/run_internal.h"

enum { HASH_BYTES = 16 };

void sql_text_hash(uint8_t out16[HASH_BYTES], const uint8_t key32[32], const char *text, size_t len)
{
    uint8_t mac[EVP_MAX_MD_SIZE];
    unsigned mac_len = 0;

    if (HMAC(EVP_sha256(), key32, 32, (const unsigned char *)text, len, mac, &mac_len) == NULL)
        abort(); /* UNTESTED: OpenSSL without SHA-256 is an installation without its provider. */
    memcpy(out16, mac, HASH_BYTES);
    base_wipe(mac, sizeof mac);
}

/* ---- memory ---- */

void sql_run_unload(struct sql_loaded *loaded)
{
    for (size_t i = 0; loaded->arrays != NULL && i < loaded->count; i++) {
        if (loaded->arrays[i] != NULL)
            base_wipe(loaded->arrays[i], loaded->sizes[i]);
        free(loaded->arrays[i]);
    }
    free(loaded->arrays);
    free(loaded->sizes);
    *loaded = (struct sql_loaded){0};
}

/* While rows are read: RING as int64_t, truth values as one plane, texts as 16 bytes each. */
static size_t array_size(const struct sql_step *s, size_t rows)
{
    if (s->domain == SQL_RING)
        return rows * sizeof(int64_t);
    return s->op == SQL_STEP_TEXT ? rows * HASH_BYTES : mpc_plane_words(rows) * sizeof(uint64_t);
}

static fm_status allocate(struct sql_loaded *out, const struct sql_run *run, size_t rows,
                          struct base_err *err)
{
    out->arrays = calloc(out->count, sizeof *out->arrays);
    out->sizes = calloc(out->count, sizeof *out->sizes);
    if (out->arrays == NULL || out->sizes == NULL)
        return base_err_memory(err, "query input");
    for (size_t i = 0; i < out->count; i++) {
        const struct sql_step *s = &run->p->steps[out->steps[i]];
        int64_t *values;

        out->sizes[i] = array_size(s, rows);
        out->arrays[i] = calloc(1, out->sizes[i]);
        if (out->arrays[i] == NULL)
            return base_err_memory(err, "query input");
        values = out->arrays[i];
        for (size_t r = 0; s->domain == SQL_RING && r < rows; r++)
            values[r] = sql_step_fill(s);
    }
    return FM_OK;
}

/* ---- rows ---- */

static fm_status bad_value(const struct sql_run *run, size_t source, size_t row, size_t column,
                           const char *what, struct base_err *err)
{
    const struct sql_source *s = &run->p->plan->sources[source];

    return base_err_set(err, FM_E_INPUT, "%s.%s: row %zu, column '%s' %s", s->member, s->dataset,
                        row + 1, run->p->plan->columns[column].name, what);
}

static fm_status check_cell(const struct sql_run *run, size_t source, size_t row, size_t column,
                            const struct sql_cell *cell, struct base_err *err)
{
    const struct sql_plan_column *c = &run->p->plan->columns[column];

    if (cell->null && !c->nullable)
        return bad_value(run, source, row, column, "is NULL, which its schema rules out", err);
    if (!cell->null && c->type.kind != DATA_TEXT &&
        (cell->value < c->range.lo || cell->value > c->range.hi))
        return bad_value(run, source, row, column, "is outside its declared range", err);
    return FM_OK;
}

static void set_bit(void *plane, size_t row)
{
    ((uint64_t *)plane)[row / 64] |= (uint64_t)1 << (row % 64);
}

static void store_cell(const struct sql_run *run, const struct sql_step *s, void *array, size_t row,
                       const struct sql_cell *cells)
{
    const struct sql_cell *cell = &cells[s->index];

    if (s->op == SQL_STEP_VALID) {
        set_bit(array, row);
        return;
    }
    if (cell->null)
        return;
    if (s->op == SQL_STEP_TEXT)
        sql_text_hash((uint8_t *)array + row * HASH_BYTES, run->text_key32, cell->text, cell->len);
    else if (s->domain == SQL_RING)
        ((int64_t *)array)[row] = cell->value;
    else if (s->op == SQL_STEP_KNOWN || cell->value != 0)
        set_bit(array, row);
}

static fm_status read_rows(struct sql_loaded *out, const struct sql_run *run, size_t source,
                           struct sql_cell *cells, struct base_err *err)
{
    const struct sql_source *s = &run->p->plan->sources[source];
    const struct sql_rows *rows = run->c->rows[source];
    size_t limit = (size_t)s->rows;

    for (size_t row = 0;; row++) {
        bool end = false;
        fm_status st = rows->next(rows->ctx, cells, &end, err);

        if (st != FM_OK || end)
            return st;
        if (row == limit)
            return base_err_set(err, FM_E_LIMIT, "%s.%s has more rows than the %zu it declares",
                                s->member, s->dataset, limit);
        for (size_t c = 0; st == FM_OK && c < run->p->plan->column_count; c++)
            st = check_cell(run, source, row, c, &cells[c], err);
        if (st != FM_OK)
            return st;
        for (size_t i = 0; i < out->count; i++)
            store_cell(run, &run->p->steps[out->steps[i]], out->arrays[i], row, cells);
    }
}

/* Text hashes go from 16 bytes a row to 128 planes. */
static fm_status pack_texts(struct sql_loaded *out, const struct sql_run *run, size_t rows,
                            struct base_err *err)
{
    for (size_t i = 0; i < out->count; i++) {
        size_t size = 8 * HASH_BYTES * mpc_plane_words(rows) * sizeof(uint64_t);
        uint64_t *planes;

        if (run->p->steps[out->steps[i]].op != SQL_STEP_TEXT)
            continue;
        planes = malloc(size);
        if (planes == NULL)
            return base_err_memory(err, "query input");
        mpc_pack_bytes(planes, out->arrays[i], rows, 8 * HASH_BYTES);
        base_wipe(out->arrays[i], out->sizes[i]);
        free(out->arrays[i]);
        out->arrays[i] = planes;
        out->sizes[i] = size;
    }
    return FM_OK;
}

fm_status sql_run_load(struct sql_loaded *out, const struct sql_run *run, size_t source,
                       const size_t *steps, size_t count, struct base_err *err)
{
    size_t rows = (size_t)run->p->plan->sources[source].rows;
    struct sql_cell *cells = calloc(run->p->plan->column_count + 1, sizeof *cells);
    fm_status st;

    *out = (struct sql_loaded){.count = count, .steps = steps};
    st = cells != NULL ? allocate(out, run, rows, err) : base_err_memory(err, "query input");
    if (st == FM_OK)
        st = read_rows(out, run, source, cells, err);
    if (st == FM_OK)
        st = pack_texts(out, run, rows, err);
    if (cells != NULL)
        base_wipe(cells, (run->p->plan->column_count + 1) * sizeof *cells);
    free(cells);
    if (st != FM_OK)
        sql_run_unload(out);
    return st;
}
