/* A provider's rows become columns: values, truth bits and text hashes, padded to the declared
 * size.
 */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/secret.h"
#include "exchange/run/local.h"
#include "exchange/run/lookup.h"
#include "exchange/run/relation.h"
#include "exchange/run/run_internal.h"
#include "exchange/sql/physical/local.h"

enum { HASH_BYTES = 16 };

/* ---- text hashes ---- */

fm_status sql_hasher_open(struct sql_hasher *out, const uint8_t key32[32], struct base_err *err)
{
    char *digest = (char *)(uintptr_t)base_hash_name(); /* is only read */
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                 OSSL_PARAM_END};
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);

    out->ctx = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;
    EVP_MAC_free(mac);
    if (out->ctx != NULL && EVP_MAC_init(out->ctx, key32, 32, params) == 1)
        return FM_OK;
    sql_hasher_close(out);
    return base_err_set(err, FM_E_IO, "OpenSSL gave no HMAC: check its installation");
}

void sql_hasher_close(struct sql_hasher *hasher)
{
    EVP_MAC_CTX_free(hasher->ctx);
    hasher->ctx = NULL;
}

fm_status sql_hasher_text(uint8_t out16[HASH_BYTES], struct sql_hasher *hasher, const char *text,
                          size_t len, struct base_err *err)
{
    uint8_t mac[32] = {0};
    size_t mac_len = 0;
    /* The context keeps the key; a new start costs no more than copying two hash states. */
    bool done = EVP_MAC_init(hasher->ctx, NULL, 0, NULL) == 1 &&
                EVP_MAC_update(hasher->ctx, (const unsigned char *)text, len) == 1 &&
                EVP_MAC_final(hasher->ctx, mac, &mac_len, sizeof mac) == 1;

    memcpy(out16, mac, HASH_BYTES);
    base_wipe(mac, sizeof mac);
    return done ? FM_OK : base_err_set(err, FM_E_IO, "OpenSSL failed at HMAC");
}

fm_status sql_text_hash(uint8_t out16[HASH_BYTES], const uint8_t key32[32], const char *text,
                        size_t len, struct base_err *err)
{
    struct sql_hasher hasher;
    fm_status st = sql_hasher_open(&hasher, key32, err);

    if (st == FM_OK)
        st = sql_hasher_text(out16, &hasher, text, len, err);
    sql_hasher_close(&hasher);
    return st;
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

/* The plan's list is that of all sources: what this one declares was checked where it was read. */
static bool is_declared(const struct sql_plan_column *c, const struct sql_cell *cell)
{
    for (size_t i = 0; i < c->value_count; i++)
        if (strlen(c->values[i]) == cell->len && memcmp(c->values[i], cell->text, cell->len) == 0)
            return true;
    return false;
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
    if (!cell->null && c->type.kind == DATA_TEXT && cell->len > c->type.max_bytes)
        return bad_value(run, source, row, column, "is longer than declared", err);
    if (!cell->null && c->value_count > 0 && !is_declared(c, cell))
        return bad_value(run, source, row, column, "is none of its declared values", err);
    return FM_OK;
}

static void set_bit(void *plane, size_t row)
{
    ((uint64_t *)plane)[row / 64] |= (uint64_t)1 << (row % 64);
}

static fm_status store_cell(struct sql_run *run, const struct sql_step *s, void *array, size_t row,
                            const struct sql_cell *cells, struct base_err *err)
{
    const struct sql_cell *cell = &cells[s->index];

    if (s->op == SQL_STEP_VALID) {
        set_bit(array, row);
        return FM_OK;
    }
    if (cell->null)
        return FM_OK;
    if (s->op == SQL_STEP_TEXT)
        return sql_hasher_text((uint8_t *)array + row * HASH_BYTES, &run->hasher, cell->text,
                               cell->len, err);
    if (s->op == SQL_STEP_WORD)
        ((int64_t *)array)[row] = sql_text_word(cell->text, cell->len, (size_t)s->constant);
    else if (s->domain == SQL_RING)
        ((int64_t *)array)[row] = cell->value;
    else if (s->op == SQL_STEP_KNOWN || cell->value != 0)
        set_bit(array, row);
    return FM_OK;
}

fm_status sql_run_check_row(const struct sql_run *run, size_t source, size_t row,
                            const struct sql_cell *cells, struct base_err *err)
{
    const struct sql_plan *plan = run->p->plan;
    size_t table = plan->sources[source].table;
    fm_status st = FM_OK;

    for (size_t c = 0; st == FM_OK && c < plan->column_count; c++)
        if (plan->simple || plan->columns[c].table == table)
            st = check_cell(run, source, row, c, &cells[c], err);
    return st;
}

/* What makes the other columns of a source's rows: other mentions of its dataset, which have the
 * same rows (physical/local_once.h), lookups, and expressions. */
struct makers {
    size_t mate_count;
    size_t *mates; /* sources */
    struct run_lookups *lookups;
    struct run_local *local;
};

static bool is_looked_up(const struct sql_plan *plan, size_t table)
{
    for (size_t i = 0; i < plan->lookup_count; i++)
        if (plan->lookups[i].from == table)
            return true;
    return false;
}

static fm_status find_mates(struct makers *out, const struct sql_plan *plan, size_t source,
                            struct base_err *err)
{
    size_t table = plan->sources[source].table;

    out->mates = calloc(plan->table_count + 1, sizeof *out->mates);
    if (out->mates == NULL)
        return base_err_memory(err, "query input");
    for (size_t t = 0; t < plan->table_count; t++)
        if (t != table && sql_plan_host_of(plan, t) == table && !is_looked_up(plan, t))
            out->mates[out->mate_count++] =
                plan->tables[t].first_source + source - plan->tables[table].first_source;
    return FM_OK;
}

/* A row of the source, and of the mentions that have the same rows. */
static fm_status next_row(const struct sql_run *run, size_t source, const struct makers *by,
                          struct sql_cell *cells, bool *end, struct base_err *err)
{
    const struct sql_source *s = &run->p->plan->sources[source];
    const struct sql_rows *rows = run->c->rows[source];
    fm_status st = rows->next(rows->ctx, cells, end, err);

    for (size_t i = 0; st == FM_OK && i < by->mate_count; i++) {
        bool its_end = false;

        rows = run->c->rows[by->mates[i]];
        st = rows->next(rows->ctx, cells, &its_end, err);
        if (st == FM_OK && its_end != *end)
            st = base_err_set(err, FM_E_ARG, "%s.%s: two readings have other rows", s->member,
                              s->dataset);
    }
    return st;
}

/* A source's rows on their way into arrays. */
struct loading {
    struct sql_run *run;
    const struct sql_loaded *out;
    size_t source;
    size_t read, stored; /* rows */
    const struct makers *by;
    struct sql_cell *cells;
};

/* What the plan proved of what is made of a row: a value that belies its owner's declaration is
 * shared in neither form. Of a row that an INNER join of its owner's own drops, what follows from
 * the missing match is shared as padding is. */
static fm_status make_row(const struct loading *l, bool met, struct base_err *err)
{
    const struct sql_plan *plan = l->run->p->plan;
    size_t made = plan->column_count + plan->made_count;
    size_t table = plan->sources[l->source].table;

    run_local_row(l->by->local, l->cells);
    for (size_t c = made; c < made + plan->derived_count; c++) {
        if (sql_plan_host(plan, c) != table ||
            check_cell(l->run, l->source, l->read, c, &l->cells[c], err) == FM_OK)
            continue;
        if (met)
            return err->code;
        base_err_clear(err);
        l->cells[c].null = true;
    }
    return FM_OK;
}

static fm_status store_row(void *ctx, bool met, struct base_err *err)
{
    struct loading *l = ctx;
    const struct sql_source *s = &l->run->p->plan->sources[l->source];
    size_t row = l->stored++;
    fm_status st = make_row(l, met, err);

    if (st == FM_OK && row == (size_t)s->rows)
        st = base_err_set(err, FM_E_LIMIT, "%s.%s makes more rows than the %zu it declares",
                          s->member, s->dataset, row);
    for (size_t i = 0; st == FM_OK && i < l->out->count; i++)
        st = store_cell(l->run, &l->run->p->steps[l->out->steps[i]], l->out->arrays[i], row,
                        l->cells, err);
    return st;
}

static fm_status read_rows(struct loading *l, struct base_err *err)
{
    const struct sql_source *s = &l->run->p->plan->sources[l->source];
    size_t limit = (size_t)(s->read != 0 ? s->read : s->rows);

    for (;; l->read++) {
        bool end = false;
        fm_status st = next_row(l->run, l->source, l->by, l->cells, &end, err);

        if (st != FM_OK || end)
            return st;
        if (l->read == limit)
            return base_err_set(err, FM_E_LIMIT, "%s.%s has more rows than the %zu it declares",
                                s->member, s->dataset, limit);
        st = sql_run_check_row(l->run, l->source, l->read, l->cells, err);
        for (size_t i = 0; st == FM_OK && i < l->by->mate_count; i++)
            st = sql_run_check_row(l->run, l->by->mates[i], l->read, l->cells, err);
        if (st == FM_OK)
            st = run_lookups_each(l->by->lookups, l->cells, store_row, l, err);
        if (st != FM_OK)
            return st;
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

fm_status sql_run_load(struct sql_loaded *out, struct sql_run *run, size_t source,
                       const size_t *steps, size_t count, struct base_err *err)
{
    const struct sql_plan *plan = run->p->plan;
    size_t rows = (size_t)plan->sources[source].rows, table = plan->sources[source].table;
    size_t room = sql_plan_columns(plan) + run_lookups_room(plan);
    struct sql_cell *cells = calloc(room, sizeof *cells);
    struct makers by = {0};
    fm_status st;

    *out = (struct sql_loaded){.count = count, .steps = steps};
    st = cells != NULL ? allocate(out, run, rows, err) : base_err_memory(err, "query input");
    if (st == FM_OK)
        st = find_mates(&by, plan, source, err);
    if (st == FM_OK)
        st = run_lookups_open(&by.lookups, run, table, err);
    if (st == FM_OK)
        st = run_local_open(&by.local, plan, table, run->c->params, err);
    if (st == FM_OK)
        st = read_rows(&(struct loading){run, out, source, 0, 0, &by, cells}, err);
    if (st == FM_OK)
        st = pack_texts(out, run, rows, err);
    if (cells != NULL)
        base_wipe(cells, room * sizeof *cells);
    free(cells);
    free(by.mates);
    run_local_free(by.local);
    run_lookups_free(by.lookups);
    if (st != FM_OK)
        sql_run_unload(out);
    return st;
}
