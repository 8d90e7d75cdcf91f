#include "exchange/run/test_query_pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/json.h"

static const char columns[] =
    "[{\"name\":\"k\",\"type\":\"INTEGER\",\"range\":[0,7]},"
    "{\"name\":\"g\",\"type\":\"INTEGER\",\"range\":[-2,3],\"nullable\":true},"
    "{\"name\":\"v\",\"type\":\"INTEGER\",\"range\":[-5000,90000],\"nullable\":true},"
    "{\"name\":\"b\",\"type\":\"BOOLEAN\",\"nullable\":true},"
    "{\"name\":\"t\",\"type\":\"TEXT(12)\",\"nullable\":true%s},"
    "{\"name\":\"u\",\"type\":\"INTEGER\",\"range\":[0,1000]}]";

/* table_texts, ascending; bank_b may declare one that never occurs. */
static const char *values_of(const struct pool *p, size_t source)
{
    if (p->declared != ALL)
        return p->declared == ANY ? "" : ",\"values\":[\"a\"]";
    return source == 1 ? ",\"values\":[\"\",\"a\",\"ab\",\"b\",\"never\",\"sevenss\",\"sevensst\","
                         "\"sixsix\",\"twelve bytes\"]"
                       : ",\"values\":[\"\",\"a\",\"ab\",\"b\",\"sevenss\",\"sevensst\",\"sixsix\","
                         "\"twelve bytes\"]";
}

void pool_catalog(struct pool *p, const char *subject)
{
    struct base_buf text = {0};
    struct base_err err;
    json_t *json;

    base_buf_put_str(&text, "{\"datasets\":[");
    for (size_t i = 0; i < SOURCES; i++) {
        base_buf_putf(
            &text, "%s{\"member\":\"%s\",\"name\":\"%s\",\"version\":1,\"rows\":%zu,\"columns\":",
            i > 0 ? "," : "", p->tables[i].member, p->tables[i].dataset, p->tables[i].rows.rows);
        base_buf_putf(&text, columns, values_of(p, i));
        base_buf_putf(&text,
                      ",\"keys\":[{\"column\":\"u\",\"max_rows\":1},"
                      "{\"column\":\"t\",\"max_rows\":%d}]%s}",
                      (int)p->tables[i].rows.rows, subject);
    }
    base_buf_put_str(&text, "]}");
    if (base_json_parse(&json, base_buf_cstr(&text), text.len, &err) != FM_OK ||
        sql_catalog_from_json(&p->catalog, json, &err) != FM_OK)
        fail_msg("%s\n%s", err.text, base_buf_cstr(&text));
    base_buf_release(&text);
    json_decref(json);
}

/* Of the union a: u is unique over both members, as declared keys of a union must be. */
void pool_random(struct pool *p, sqlite3 *db, uint64_t seed, size_t most, const char *subject)
{
    static const char *const names[SOURCES][2] = {
        {"bank_a", "a"}, {"bank_b", "a"}, {"bank_b", "b"}};
    struct test_rng rng = {seed * 2654435761u + 1};
    struct table all = {0};

    for (size_t i = 0; i < SOURCES; i++) {
        struct table *t = &p->tables[i].rows;

        p->tables[i].member = names[i][0];
        p->tables[i].dataset = names[i][1];
        table_random(t, &rng, most);
        for (size_t r = 0; r < t->rows; r++) { /* real rows come first: the runner pads */
            t->valid[r] = r < (3 * t->rows + 3) / 4;
            t->value[COL_U][r] += i == 1 ? 500 : 0;
        }
    }
    for (size_t i = 0; i < 2; i++)
        for (size_t r = 0; r < p->tables[i].rows.rows; r++, all.rows++) {
            const struct table *t = &p->tables[i].rows;

            all.valid[all.rows] = t->valid[r];
            for (size_t c = 0; c < TABLE_COLUMNS; c++) {
                all.null[c][all.rows] = t->null[c][r];
                all.value[c][all.rows] = t->value[c][r];
            }
        }
    table_to_sqlite(db, "a", &all);
    table_to_sqlite(db, "b", &p->tables[2].rows);
    p->declared = seed % 2 == 0 ? ALL : ANY;
    pool_catalog(p, subject);
}

/* ---- rows for the runner ---- */

fm_status feed_next_row(void *ctx, struct sql_cell *cells, bool *end, struct base_err *err)
{
    static const char *const names[TABLE_COLUMNS] = {"k", "g", "v", "b", "t", "u"};
    struct feed_rows *f = ctx;

    (void)err;
    *end = f->at == f->t->rows || !f->t->valid[f->at];
    for (size_t i = 0; !*end && i < f->plan->column_count; i++)
        for (size_t c = 0; c < TABLE_COLUMNS; c++) {
            int64_t value = f->t->value[c][f->at];

            if (f->plan->columns[i].table != f->table ||
                strcmp(f->plan->columns[i].name, names[c]) != 0)
                continue;
            cells[i] = (struct sql_cell){.null = f->t->null[c][f->at], .value = value};
            if (c == COL_T && !cells[i].null) {
                cells[i].text = table_texts[value];
                cells[i].len = strlen(table_texts[value]);
            }
        }
    f->at++;
    return FM_OK;
}
