/* One party's run: inputs, levels, results. */
#include "exchange/run/run.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "exchange/run/query.h"
#include "exchange/run/run_internal.h"

void sql_run_announce(struct sql_run *run, const char *name)
{
    const struct sql_run_hooks *h = &run->c->hooks;

    run->at++;
    if (h->progress != NULL)
        h->progress(h->ctx, run->at, run->of, name);
}

static void count_uses(struct sql_run *run)
{
    const struct sql_physical *p = run->p;

    for (size_t i = 0; i < p->step_count; i++) {
        for (size_t j = 0; j < p->steps[i].arg_count; j++)
            run->regs[p->steps[i].args[j]].uses++;
    }
    for (size_t i = 0; i < p->plan->output_count; i++) {
        const struct sql_reveal *r = &p->reveals[i];
        run->regs[r->value].uses++;
        if (r->known != SQL_NONE)
            run->regs[r->known].uses++;
        if (r->shown != SQL_NONE)
            run->regs[r->shown].uses++;
    }
}

static void free_registers(struct sql_run *run)
{
    for (size_t i = 0; run->regs != NULL && i < run->p->step_count; i++) {
        mpc_share_free(run->regs[i].share);
        mpc_share_free(run->regs[i].extra);
    }
    free(run->regs);
}

/* ---- results ---- */

/* What is opened: for each output its value, then known and shown where there are such. */
struct opening {
    size_t count;
    const struct mpc_share **shares;
    int64_t *words;
    int64_t **outs;
};

static fm_status add_opening(struct opening *o, const struct sql_run *run, size_t step,
                             size_t output, unsigned part, struct base_err *err)
{
    const struct sql_run_hooks *h = &run->c->hooks;

    if (step == SQL_NONE)
        return FM_OK;
    o->shares[o->count] = run->regs[step].share;
    o->outs[o->count] = &o->words[o->count];
    o->count++;
    if (h->result_shared == NULL)
        return FM_OK;
    return h->result_shared(h->ctx, output, part, run->regs[step].share, err);
}

static fm_status list_openings(struct opening *o, const struct sql_run *run, struct base_err *err)
{
    size_t n = 3 * run->p->plan->output_count;
    fm_status st = FM_OK;

    o->shares = calloc(n, sizeof(struct mpc_share *));
    o->words = calloc(n, sizeof *o->words);
    o->outs = calloc(n, sizeof(int64_t *));
    if (o->shares == NULL || o->words == NULL || o->outs == NULL)
        return base_err_memory(err, "query result");
    for (size_t i = 0; st == FM_OK && i < run->p->plan->output_count; i++) {
        const struct sql_reveal *r = &run->p->reveals[i];
        st = add_opening(o, run, r->value, i, 0, err);
        if (st == FM_OK)
            st = add_opening(o, run, r->known, i, 1, err);
        if (st == FM_OK)
            st = add_opening(o, run, r->shown, i, 2, err);
    }
    return st;
}

static bool is_recipient(const struct sql_run *run)
{
    for (size_t i = 0; i < run->p->plan->recipient_count; i++) {
        if (run->c->recipients[i] == mpc_session_self(run->c->session))
            return true;
    }
    return false;
}

static fm_status read_openings(struct sql_result *out, const struct opening *o,
                               const struct sql_run *run, struct base_err *err)
{
    fm_status st = sql_result_init(out, run->p->plan, 1, err);
    const int64_t *word = o->words;

    for (size_t i = 0; st == FM_OK && i < out->column_count; i++) {
        const struct sql_reveal *r = &run->p->reveals[i];
        struct sql_result_cell *cell = &out->cells[i];

        cell->value = *word++;
        if (r->known != SQL_NONE && *word++ == 0)
            cell->state = SQL_CELL_NULL;
        if (r->shown != SQL_NONE && *word++ == 0)
            cell->state = SQL_CELL_SUPPRESSED;
        if (cell->state != SQL_CELL_VALUE)
            cell->value = 0;
    }
    return st;
}

static fm_status open_results(struct sql_result *out, struct sql_run *run, struct base_err *err)
{
    const struct sql_run_hooks *h = &run->c->hooks;
    struct opening o = {0};
    fm_status st = list_openings(&o, run, err);

    if (st == FM_OK && h->before_reveal != NULL)
        st = h->before_reveal(h->ctx, err);
    if (st == FM_OK)
        st = mpc_reveal(o.shares, o.count, run->c->recipients, run->p->plan->recipient_count,
                        is_recipient(run) ? o.outs : NULL, err);
    if (st == FM_OK && is_recipient(run))
        st = read_openings(out, &o, run, err);
    if (o.words != NULL)
        base_wipe(o.words, 3 * run->p->plan->output_count * sizeof *o.words);
    free(o.shares);
    free(o.words);
    free(o.outs);
    return st == FM_OK ? st : base_err_prefix(err, "query result");
}

/* ---- all of it ---- */

static fm_status run_all(struct sql_result *out, struct sql_run *run, struct base_err *err)
{
    fm_status st;

    run->regs = calloc(run->p->step_count, sizeof *run->regs);
    if (run->regs == NULL)
        return base_err_memory(err, "query");
    count_uses(run);
    run->of = sql_run_operators(run) + 3;
    st = sql_run_inputs(run, err);
    for (unsigned level = 0; st == FM_OK && level <= run->p->levels; level++)
        st = sql_run_level(run, level, err);
    if (st == FM_OK)
        sql_run_announce(run, "open");
    return st == FM_OK ? open_results(out, run, err) : st;
}

/* A plan of several operators: put in, operate, open. */
static fm_status run_operators(struct sql_result *out, struct sql_run *run, struct base_err *err)
{
    struct query q = {.c = run->c, .plan = run->p->plan, .inputs = run};
    struct query_rows *rows = calloc(1, sizeof *rows);
    fm_status st = rows != NULL ? FM_OK : base_err_memory(err, "query");

    if (st == FM_OK)
        run->regs = calloc(run->p->step_count, sizeof *run->regs);
    if (st == FM_OK && run->regs == NULL)
        st = base_err_memory(err, "query");
    run->of = (unsigned)run->p->plan->rel_count + 3;
    if (st == FM_OK)
        st = sql_run_inputs(run, err);
    if (st == FM_OK)
        st = query_run(rows, &q, err);
    if (st == FM_OK) {
        sql_run_announce(run, "open");
        st = query_answer(out, &q, rows, err);
    }
    if (rows != NULL)
        query_rows_release(rows);
    free(rows);
    return st;
}

fm_status sql_run(struct sql_result *out, const struct sql_run_config *config, struct base_err *err)
{
    struct sql_run run = {.c = config, .p = config->physical};
    fm_status st;

    *out = (struct sql_result){0};
    st = run.p->plan->simple ? run_all(out, &run, err) : run_operators(out, &run, err);
    free_registers(&run);
    if (st == FM_OK)
        return st;
    sql_result_release(out);
    if (config->transport != NULL)
        net_abort(config->transport, "error");
    return st;
}
