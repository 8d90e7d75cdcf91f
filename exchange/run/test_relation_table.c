#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/run/test_relation.h"

const struct mpc_range table_ranges[TABLE_COLUMNS] = {
    [COL_K] = {0, 7}, [COL_G] = {-2, 3},        [COL_V] = {-5000, 90000},
    [COL_B] = {0, 1}, [COL_T] = {0, INT64_MAX}, [COL_U] = {0, 1000}};

const char *const table_texts[] = {"",        "a",        "ab",           "sixsix",
                                   "sevenss", "sevensst", "twelve bytes", "b"};
enum { TEXTS = sizeof table_texts / sizeof table_texts[0] };

/* Padding rows, and what is NULL, are garbage within range. */
void table_random(struct table *t, struct test_rng *rng, size_t most)
{
    memset(t, 0, sizeof *t);
    t->rows = 1 + rng_next(rng) % most;
    for (size_t i = 0; i < t->rows; i++) {
        t->valid[i] = rng_next(rng) % 4 != 0;
        for (size_t c = 0; c < TABLE_COLUMNS; c++)
            t->value[c][i] = c == COL_V ? rng_in(rng, table_ranges[c])
                                        : table_ranges[c].lo + (int64_t)(rng_next(rng) % 5);
        t->value[COL_B][i] &= 1;
        t->value[COL_T][i] = (int64_t)(rng_next(rng) % TEXTS);
        t->value[COL_U][i] = (int64_t)((i * 7 + 3) % 64);
        t->null[COL_G][i] = rng_next(rng) % 4 == 0;
        t->null[COL_V][i] = rng_next(rng) % 5 == 0;
        t->null[COL_B][i] = rng_next(rng) % 3 == 0;
        t->null[COL_T][i] = rng_next(rng) % 5 == 0;
    }
}

static void exec(sqlite3 *db, const char *sql)
{
    char *message = NULL;

    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("sqlite: %s\n%s", message, sql);
}

void table_to_sqlite(sqlite3 *db, const char *name, const struct table *t)
{
    char sql[128];
    sqlite3_stmt *s;

    (void)snprintf(sql, sizeof sql, "DROP TABLE IF EXISTS %s", name);
    exec(db, sql);
    (void)snprintf(sql, sizeof sql, "CREATE TABLE %s (k, g, v, b, t, u)", name);
    exec(db, sql);
    (void)snprintf(sql, sizeof sql, "INSERT INTO %s VALUES (?, ?, ?, ?, ?, ?)", name);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
    for (size_t i = 0; i < t->rows; i++) {
        if (!t->valid[i])
            continue;
        for (int c = 0; c < TABLE_COLUMNS; c++) {
            if (t->null[c][i])
                (void)sqlite3_bind_null(s, c + 1);
            else if (c == COL_T)
                (void)sqlite3_bind_text(s, c + 1, table_texts[t->value[c][i]], -1, SQLITE_STATIC);
            else
                (void)sqlite3_bind_int64(s, c + 1, t->value[c][i]);
        }
        assert_int_equal(sqlite3_step(s), SQLITE_DONE);
        (void)sqlite3_reset(s);
    }
    (void)sqlite3_finalize(s);
}

/* ---- shares ---- */

/* Any injective map of the texts to 128 bits will do for a hash. */
static void hash_of(uint8_t out16[16], int64_t text)
{
    for (size_t i = 0; i < 16; i++)
        out16[i] = (uint8_t)((uint64_t)(text + 1) * 37 >> i % 5 ^ i * 91);
    out16[7] = (uint8_t)text;
}

static int64_t word_of(const char *text, size_t k)
{
    size_t len = strlen(text);
    int64_t word = 0;

    for (size_t i = RUN_WORD_BYTES * k; i < RUN_WORD_BYTES * (k + 1); i++)
        word = word << 8 | (i < len ? (uint8_t)text[i] : 0);
    return word;
}

static fm_status share_text(struct run_column *out, struct mpc_session *s, const struct table *t,
                            struct base_err *err)
{
    uint64_t planes[128 * TABLE_MOST / 64 + 128];
    uint8_t hashes[16 * TABLE_MOST] = {0};
    int64_t words[TABLE_MOST];
    struct mpc_input in = {.domain = MPC_BITS,
                           .n = t->rows,
                           .width = 128,
                           .planes = mpc_session_self(s) == 0 ? planes : NULL};

    for (size_t i = 0; i < t->rows; i++)
        hash_of(hashes + 16 * i, t->value[COL_T][i]);
    mpc_pack_bytes(planes, hashes, t->rows, 128);
    TRY(mpc_input(s, &out->x, &in, 1, err));
    out->words = calloc(TABLE_WORDS, sizeof(struct mpc_share *));
    for (size_t k = 0; k < TABLE_WORDS; k++) {
        for (size_t i = 0; i < t->rows; i++)
            words[i] = word_of(table_texts[t->value[COL_T][i]], k);
        TRY(feed(s, &out->words[k], 0, words, t->rows, RUN_WORD_RANGE, err));
        out->word_count = k + 1;
    }
    return FM_OK;
}

static fm_status share_bits(struct mpc_share **out, struct mpc_session *s, const int64_t *values,
                            size_t n, struct base_err *err)
{
    uint64_t words[TABLE_MOST];

    for (size_t i = 0; i < n; i++)
        words[i] = (uint64_t)values[i];
    return feed_bits(s, out, 0, words, n, 1, err);
}

static fm_status share_truths(struct mpc_share **out, struct mpc_session *s, const bool *values,
                              bool flip, size_t n, struct base_err *err)
{
    int64_t bits[TABLE_MOST];

    for (size_t i = 0; i < n; i++)
        bits[i] = values[i] != flip;
    return share_bits(out, s, bits, n, err);
}

fm_status table_share(struct run_relation *out, struct mpc_session *s, const struct table *t,
                      struct base_err *err)
{
    struct mpc_share *valid;

    TRY(share_truths(&valid, s, t->valid, false, t->rows, err));
    run_relation_init(out, valid);
    for (size_t c = 0; c < TABLE_COLUMNS; c++) {
        struct run_column column = {0};

        if (c == COL_T)
            TRY(share_text(&column, s, t, err));
        else if (c == COL_B)
            TRY(share_bits(&column.x, s, t->value[c], t->rows, err));
        else
            TRY(feed(s, &column.x, 0, t->value[c], t->rows, table_ranges[c], err));
        if (c != COL_K && c != COL_U)
            TRY(share_truths(&column.known, s, t->null[c], true, t->rows, err));
        TRY(run_relation_add(out, column, err));
    }
    return FM_OK;
}

/* ---- lines ---- */

void lines_release(struct lines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        free(lines->line[i]);
    free(lines->line);
    *lines = (struct lines){0};
}

void lines_add(struct lines *lines, const char *text)
{
    lines->line = realloc(lines->line, (lines->count + 1) * sizeof(char *));
    lines->line[lines->count++] = strdup(text);
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void lines_sort(struct lines *lines)
{
    if (lines->count > 0)
        qsort(lines->line, lines->count, sizeof(char *), compare);
}

bool lines_equal(const struct lines *a, const struct lines *b)
{
    bool same = a->count == b->count;

    for (size_t i = 0; same && i < a->count; i++)
        same = strcmp(a->line[i], b->line[i]) == 0;
    return same;
}

void lines_print(const char *title, const struct lines *lines)
{
    print_error("%s: %zu rows\n", title, lines->count);
    for (size_t i = 0; i < lines->count; i++)
        print_error("    %s\n", lines->line[i]);
}

void lines_of_sqlite(struct lines *out, sqlite3 *db, const char *sql)
{
    sqlite3_stmt *s;
    int step;

    *out = (struct lines){0};
    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK)
        fail_msg("sqlite: %s\n%s", sqlite3_errmsg(db), sql);
    while ((step = sqlite3_step(s)) == SQLITE_ROW) {
        char line[1024] = "";
        size_t at = 0;

        for (int c = 0; c < sqlite3_column_count(s); c++) {
            const unsigned char *text = sqlite3_column_text(s, c);
            at += (size_t)snprintf(line + at, sizeof line - at, "%s%s", c > 0 ? "|" : "",
                                   text != NULL ? (const char *)text : "NULL");
        }
        lines_add(out, line);
    }
    assert_int_equal(step, SQLITE_DONE);
    (void)sqlite3_finalize(s);
}

void lines_of_rows(struct lines *out, const struct run_rows *rows, bool *gap)
{
    bool empty = false;

    *out = (struct lines){0};
    *gap = false;
    for (size_t i = 0; i < rows->rows; i++) {
        char line[1024] = "", cell[256];
        size_t at = 0;

        *gap = *gap || (empty && rows->valid[i] != 0);
        empty = empty || rows->valid[i] == 0;
        for (size_t c = 0; c < rows->columns; c++) {
            bool known = rows->known[c] == NULL || rows->known[c][i] != 0;

            if (rows->value[c] != NULL)
                (void)snprintf(cell, sizeof cell, "%lld", (long long)rows->value[c][i]);
            else
                run_rows_text(cell, rows, c, i);
            /* Nothing stands under what is not shown. */
            if (!known || rows->valid[i] == 0)
                assert_true(strcmp(cell, "0") == 0 || strcmp(cell, "") == 0);
            at += (size_t)snprintf(line + at, sizeof line - at, "%s%s", c > 0 ? "|" : "",
                                   known ? cell : "NULL");
        }
        if (rows->valid[i] != 0)
            lines_add(out, line);
    }
}
