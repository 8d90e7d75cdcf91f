#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "exchange/run/test_lookup.h"
#include "exchange/sql/bind/compile.h"

static const struct {
    const char *name, *columns[COLUMNS], *facts;
} tables[TABLES] = {
    {"loans",
     {"{\"name\":\"person\",\"type\":\"INTEGER\",\"range\":[0,19]}",
      "{\"name\":\"place\",\"type\":\"INTEGER\",\"range\":[0,11],\"nullable\":true}",
      "{\"name\":\"amount\",\"type\":\"INTEGER\",\"range\":[-50,50],\"nullable\":true}",
      "{\"name\":\"note\",\"type\":\"TEXT(4)\",\"nullable\":true}"},
     "\"subject\":{\"column\":\"person\",\"scheme\":\"cn.id\"},\"max_rows_per_subject\":3"},
    {"places",
     {"{\"name\":\"code\",\"type\":\"INTEGER\",\"range\":[0,11],\"nullable\":true}",
      "{\"name\":\"region\",\"type\":\"INTEGER\",\"range\":[0,5],\"nullable\":true}",
      "{\"name\":\"size\",\"type\":\"INTEGER\",\"range\":[0,90]}",
      "{\"name\":\"label\",\"type\":\"TEXT(4)\",\"nullable\":true}"},
     "\"keys\":[{\"column\":\"code\",\"max_rows\":1},{\"column\":\"region\",\"max_rows\":10}]"},
    {"regions",
     {"{\"name\":\"code\",\"type\":\"INTEGER\",\"range\":[0,5]}",
      "{\"name\":\"chief\",\"type\":\"INTEGER\",\"range\":[0,19]}",
      "{\"name\":\"size\",\"type\":\"INTEGER\",\"range\":[0,90],\"nullable\":true}",
      "{\"name\":\"title\",\"type\":\"TEXT(4)\"}"},
     "\"keys\":[{\"column\":\"code\",\"max_rows\":1},{\"column\":\"chief\",\"max_rows\":1}],"
     "\"subject\":{\"column\":\"chief\",\"scheme\":\"cn.id\"},\"max_rows_per_subject\":1"},
    {"risks",
     {"{\"name\":\"person\",\"type\":\"INTEGER\",\"range\":[0,19]}",
      "{\"name\":\"grade\",\"type\":\"INTEGER\",\"range\":[0,5],\"nullable\":true}",
      "{\"name\":\"region\",\"type\":\"INTEGER\",\"range\":[0,5],\"nullable\":true}",
      "{\"name\":\"title\",\"type\":\"TEXT(4)\",\"nullable\":true}"},
     "\"keys\":[{\"column\":\"person\",\"max_rows\":1}]"},
};

static const char *const texts[] = {"a", "b", "", "abcd"};

static uint32_t roll(uint64_t *seed, uint32_t n)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33) % n;
}

static struct sql_cell text_cell(uint32_t i)
{
    return (struct sql_cell){.text = texts[i], .len = strlen(texts[i])};
}

static struct sql_cell maybe(uint64_t *seed, struct sql_cell cell)
{
    return roll(seed, 6) == 0 ? (struct sql_cell){.null = true} : cell;
}

void town_fill(struct town *t, uint64_t seed)
{
    static const size_t counts[TABLES] = {40, 10, 6, 16};

    for (size_t i = 0; i < TABLES; i++) {
        struct rows *r = &t->rows[i];

        r->count = counts[i] - roll(&seed, 5);
        for (size_t k = 0; k < r->count; k++) {
            struct sql_cell *c = r->cells[k];
            int64_t key = (int64_t)(counts[i] - 1 - k); /* unique where it must be */

            c[0] = i == LOANS    ? town_number((int64_t)k / 2 % 20)
                   : i == PLACES ? maybe(&seed, town_number(key))
                                 : town_number(key);
            c[1] = i == REGIONS ? town_number(key + 3) : maybe(&seed, town_number(roll(&seed, 6)));
            c[2] = i == PLACES || i == RISKS ? town_number(roll(&seed, 6))
                                             : maybe(&seed, town_number(roll(&seed, 40)));
            c[3] =
                i == REGIONS ? text_cell(roll(&seed, 4)) : maybe(&seed, text_cell(roll(&seed, 4)));
            if (i == LOANS && !c[1].null)
                c[1].value = roll(&seed, 12);
        }
    }
}

static const char *owner(const struct town *t, size_t table)
{
    if (table == RISKS)
        return "bank_a";
    return table == LOANS || !t->apart ? "bank_b" : "bank_c";
}

void town_publish(struct town *t)
{
    struct base_buf text = {0};
    struct base_err err;
    json_t *json;

    base_buf_put_str(&text, "{\"datasets\":[");
    for (size_t i = 0; i < TABLES; i++) {
        base_buf_putf(
            &text, "%s{\"member\":\"%s\",\"name\":\"%s\",\"version\":1,\"rows\":%d,\"columns\":[",
            i > 0 ? "," : "", owner(t, i), tables[i].name, (int)MOST);
        for (size_t c = 0; c < COLUMNS; c++)
            base_buf_putf(&text, "%s%s", c > 0 ? "," : "", tables[i].columns[c]);
        base_buf_putf(&text, "],%s}", tables[i].facts);
    }
    base_buf_put_str(&text, "]}");
    if (base_json_parse(&json, base_buf_cstr(&text), text.len, &err) != FM_OK ||
        sql_catalog_from_json(&t->catalog, json, &err) != FM_OK)
        fail_msg("%s\n%s", err.text, base_buf_cstr(&text));
    base_buf_release(&text);
    json_decref(json);
}

/* ---- a run ---- */

struct feed {
    const struct rows *rows;
    const struct sql_plan *plan;
    size_t table, of, at;
    struct sql_rows next;
};

static bool is_called(const char *column, const char *name)
{
    const char *at = column + strlen("{\"name\":\"");

    return strncmp(at, name, strlen(name)) == 0 && at[strlen(name)] == '"';
}

static fm_status next_row(void *ctx, struct sql_cell *cells, bool *end, struct base_err *err)
{
    struct feed *f = ctx;

    (void)err;
    *end = f->at == f->rows->count;
    for (size_t i = 0; !*end && i < f->plan->column_count; i++)
        for (size_t c = 0; f->plan->columns[i].table == f->of && c < COLUMNS; c++)
            if (is_called(tables[f->table].columns[c], f->plan->columns[i].name))
                cells[i] = f->rows->cells[f->at][c];
    f->at++;
    return FM_OK;
}

void town_compile(struct asked *q, const struct town *t, const char *text, int64_t minimum)
{
    static const char *const recipient = "bank_a";
    const struct sql_request r = {.text = text,
                                  .len = strlen(text),
                                  .catalog = &t->catalog,
                                  .recipients = &recipient,
                                  .recipient_count = 1,
                                  .minimum = minimum};
    struct base_err err;

    if (sql_plan_compile(&q->plan, &r, &err) != FM_OK ||
        sql_physical_make(&q->physical, &q->plan, &err) != FM_OK)
        fail_msg("%s\n%s", text, err.text);
}

void town_release(struct asked *q)
{
    sql_physical_release(&q->physical);
    sql_plan_release(&q->plan);
}

fm_status town_run(struct sql_result *out, const struct asked *q, const struct town *t,
                   struct base_err *err)
{
    static const unsigned zeros[TABLES * 4];
    const struct mpc_session_config sc = {.protocol = mpc_protocol_find("plain"),
                                          .compute = zeros,
                                          .compute_len = 1,
                                          .streams = 1,
                                          .profile = MPC_FEW_ROUNDS,
                                          .random = base_random_system()};
    struct feed feeds[TABLES * 4];
    const struct sql_rows *rows[TABLES * 4];
    struct sql_run_config c = {.physical = &q->physical,
                               .sources = zeros,
                               .recipients = zeros,
                               .rows = rows,
                               .random = sc.random};
    fm_status st = mpc_session_open(&c.session, &sc, err);

    for (size_t i = 0; i < q->plan.source_count; i++) {
        size_t k = 0;
        while (strcmp(tables[k].name, q->plan.sources[i].dataset) != 0)
            k++;
        feeds[i] = (struct feed){&t->rows[k], &q->plan, k, q->plan.sources[i].table, 0, {0}};
        feeds[i].next = (struct sql_rows){next_row, &feeds[i]};
        rows[i] = &feeds[i].next;
    }
    if (st == FM_OK) {
        st = sql_run(out, &c, err);
        mpc_session_close(c.session);
    }
    return st;
}
