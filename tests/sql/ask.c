#include "tests/sql/ask.h"

#include <stdlib.h>
#include <string.h>

#include "exchange/run/run.h"
#include "exchange/sql/bind/compile.h"
#include "mpc/session.h"

fm_status ask_catalog(struct sql_catalog *out, const struct pool *pool, struct base_err *err)
{
    json_t *json = pool_catalog(pool);
    fm_status st = json != NULL ? sql_catalog_from_json(out, json, err)
                                : base_err_set(err, FM_E_MEMORY, "memory");

    json_decref(json);
    return st;
}

/* ---- a provider's rows ---- */

struct feed {
    const struct pool_table *table;
    const struct sql_plan *plan;
    size_t of; /* the plan's table */
    size_t row;
    struct sql_rows rows;
};

static const struct pool_cell *cell_of(const struct feed *f, const char *column)
{
    const struct pool_table *t = f->table;

    for (size_t c = 0; c < t->column_count; c++) {
        if (sqlite3_stricmp(t->columns[c].name, column) == 0)
            return &t->cells[f->row * t->column_count + c];
    }
    abort();
}

static fm_status feed_next(void *ctx, struct sql_cell *cells, bool *end, struct base_err *err)
{
    struct feed *f = ctx;

    (void)err;
    *end = f->row == f->table->row_count;
    for (size_t i = 0; !*end && i < f->plan->column_count; i++) {
        const struct pool_cell *c;
        if (f->plan->columns[i].table != f->of)
            continue;
        c = cell_of(f, f->plan->columns[i].name);
        cells[i] = (struct sql_cell){c->null, c->value, c->text, c->len};
    }
    f->row++;
    return FM_OK;
}

/* ---- the run ---- */

static fm_status run(struct sql_result *out, const struct pool *pool,
                     const struct sql_physical *physical, const struct sql_plan *plan,
                     struct base_err *err)
{
    struct mpc_session_config sc = {.protocol = mpc_protocol_find("plain"),
                                    .compute = (unsigned[]){0},
                                    .compute_len = 1,
                                    .streams = 1,
                                    .profile = MPC_FEW_ROUNDS,
                                    .random = base_random_system()};
    unsigned *zeros = calloc(plan->source_count + 1, sizeof *zeros);
    struct feed *feeds = calloc(plan->source_count + 1, sizeof *feeds);
    const struct sql_rows **rows = calloc(plan->source_count + 1, sizeof *rows);
    struct sql_run_config c = {.physical = physical,
                               .sources = zeros,
                               .recipients = zeros,
                               .rows = rows,
                               .random = sc.random};
    fm_status st = base_err_set(err, FM_E_MEMORY, "memory");

    if (zeros != NULL && feeds != NULL && rows != NULL)
        st = mpc_session_open(&c.session, &sc, err);
    if (st == FM_OK) {
        for (size_t i = 0; i < plan->source_count; i++) {
            feeds[i] = (struct feed){
                .table = pool_find(pool, plan->sources[i].member, plan->sources[i].dataset),
                .plan = plan,
                .of = plan->sources[i].table};
            feeds[i].rows = (struct sql_rows){feed_next, &feeds[i]};
            rows[i] = &feeds[i].rows;
        }
        st = sql_run(out, &c, err);
        mpc_session_close(c.session);
    }
    free(zeros);
    free(feeds);
    free(rows);
    return st;
}

fm_status ask(struct sql_result *out, const struct pool *pool, const struct sql_catalog *catalog,
              const char *sql, struct base_err *err)
{
    const char *recipient = "bank_a";
    struct sql_request request = {.text = sql,
                                  .len = strlen(sql),
                                  .catalog = catalog,
                                  .recipients = &recipient,
                                  .recipient_count = 1,
                                  .minimum = 1};
    struct sql_physical physical = {0};
    struct sql_plan plan = {0};
    fm_status st = sql_plan_compile(&plan, &request, err);

    if (st != FM_OK)
        return st;
    st = sql_plan_runs(&plan, err);
    if (st == FM_OK)
        st = sql_physical_make(&physical, &plan, err);
    if (st == FM_OK) {
        st = run(out, pool, &physical, &plan, err);
        sql_physical_release(&physical);
    }
    sql_plan_release(&plan);
    return st;
}
