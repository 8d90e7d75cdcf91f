/* Expressions over rows: a program of vector steps, whose inputs are columns of the relation. */
#include <stdlib.h>
#include <string.h>

#include "exchange/run/query.h"

struct evaluation {
    struct query *q;
    struct query_rows *rows;
    struct sql_run_config c; /* the query's, without progress: that counts operators */
    struct sql_physical program;
    struct sql_run run;
    bool *lent; /* registers that belong to somebody else */
};

/* ---- inputs ---- */

static fm_status missing(const struct sql_step *s, struct base_err *err)
{
    return base_err_set(err, FM_E_ARG, "the plan reads %s %zu where it is not at hand",
                        sql_step_name(s->op), s->index);
}

/* Single elements were put in with the tables. */
static struct mpc_share *single(const struct evaluation *e, const struct sql_step *s)
{
    const struct sql_run *in = e->q->inputs;

    for (size_t i = 0; i < in->p->step_count; i++) {
        const struct sql_step *t = &in->p->steps[i];
        bool same = t->op == s->op && t->index == s->index &&
                    (s->text == NULL || strcmp(s->text, t->text) == 0);

        if (same)
            return in->regs[i].share;
    }
    return NULL;
}

static fm_status lend(struct evaluation *e, size_t i, struct base_err *err)
{
    const struct sql_step *s = &e->program.steps[i];
    struct sql_register *reg = &e->run.regs[i];
    const struct run_column *c;
    size_t at;

    if (s->op >= SQL_STEP_TEXT_CONST && s->op <= SQL_STEP_HIDDEN_PARAM) {
        reg->share = single(e, s);
    } else if (sql_step_is_source_input(s)) {
        at = query_find(e->rows, s->index);
        if (at == RUN_NONE)
            return missing(s, err);
        c = &e->rows->r.columns[at];
        reg->share = s->op == SQL_STEP_KNOWN ? c->known : c->x;
        if (s->op == SQL_STEP_WORD)
            reg->share = (size_t)s->constant < c->word_count ? c->words[s->constant] : NULL;
        if (s->op == SQL_STEP_KNOWN && c->known == NULL)
            return mpc_bits_constant(e->c.session, &reg->share, 1, 1, e->rows->r.rows, err);
    } else {
        return FM_OK;
    }
    e->lent[i] = true;
    reg->uses++; /* so that it is not freed after its last use */
    return reg->share != NULL ? FM_OK : missing(s, err);
}

static fm_status prepare(struct evaluation *e, struct base_err *err)
{
    const struct sql_physical *p = &e->program;
    fm_status st = FM_OK;

    e->run.regs = calloc(p->step_count, sizeof *e->run.regs);
    e->lent = calloc(p->step_count, sizeof *e->lent);
    if (e->run.regs == NULL || e->lent == NULL)
        return base_err_memory(err, "query");
    for (size_t i = 0; i < p->step_count; i++)
        for (size_t j = 0; j < p->steps[i].arg_count; j++)
            e->run.regs[p->steps[i].args[j]].uses++;
    for (size_t i = 0; i < p->reveal_count; i++) {
        e->run.regs[p->reveals[i].value].uses++;
        e->run.regs[p->reveals[i].known].uses++;
        for (size_t k = 0; k < p->reveals[i].word_count; k++)
            e->run.regs[p->reveals[i].words[k]].uses++;
    }
    if (p->zero != SQL_NONE)
        e->run.regs[p->zero].uses++;
    for (size_t i = 0; st == FM_OK && i < p->step_count; i++)
        st = lend(e, i, err);
    return st;
}

/* ---- outputs ---- */

/* A share of its own for every row. */
static fm_status output(struct mpc_share **out, struct evaluation *e, size_t step, bool bits,
                        struct base_err *err)
{
    const struct sql_step *s = &e->program.steps[step];
    const struct sql_register *reg = &e->run.regs[step];
    size_t n = e->rows->r.rows;

    if (s->domain == SQL_PUBLIC)
        return bits ? mpc_bits_constant(e->c.session, out, reg->value, 1, n, err)
                    : mpc_constant(e->c.session, out, reg->value, n, err);
    if (mpc_share_n(reg->share) != n)
        return mpc_spread(out, reg->share, n, err);
    return mpc_slice(out, reg->share, 0, n, err);
}

static fm_status output_column(struct run_column *out, struct evaluation *e, size_t i, size_t root,
                               struct base_err *err)
{
    const struct sql_reveal *r = &e->program.reveals[i];
    const struct sql_step *known = &e->program.steps[r->known];
    bool always = known->op == SQL_STEP_CONST && known->constant == 1;
    fm_status st =
        output(&out->x, e, r->value, e->q->plan->nodes[root].type.kind == DATA_BOOLEAN, err);

    if (st == FM_OK && !always)
        st = output(&out->known, e, r->known, true, err);
    if (st != FM_OK || r->word_count == 0)
        return st;
    out->words = calloc(r->word_count, sizeof(struct mpc_share *));
    if (out->words == NULL)
        return base_err_memory(err, "query");
    out->word_count = r->word_count;
    for (size_t k = 0; st == FM_OK && k < r->word_count; k++)
        st = output(&out->words[k], e, r->words[k], false, err);
    return st;
}

/* Some row that exists divides by zero. */
static fm_status raise_zero(struct evaluation *e, struct base_err *err)
{
    struct run_work w = run_work(e->c.session, err);
    const struct mpc_share *zero = e->run.regs[e->program.zero].share;

    run_raise(&w, &e->rows->r, RUN_FLAG_DIVISION_BY_ZERO,
              run_take(&w, run_any(&w, run_and(&w, e->rows->r.valid, zero))));
    return run_work_release(&w);
}

static void release(struct evaluation *e)
{
    for (size_t i = 0; e->run.regs != NULL && e->lent != NULL && i < e->program.step_count; i++) {
        if (!e->lent[i])
            mpc_share_free(e->run.regs[i].share);
        mpc_share_free(e->run.regs[i].extra);
    }
    free(e->run.regs);
    free(e->lent);
    sql_physical_release(&e->program);
}

void query_column_free(struct run_column *c)
{
    mpc_share_free(c->x);
    mpc_share_free(c->known);
    mpc_share_free(c->shown);
    if (c->words != NULL)
        mpc_share_free_all(c->words, c->word_count);
    free(c->words);
    *c = (struct run_column){0};
}

fm_status query_eval(struct run_column *out, struct query *q, struct query_rows *rows,
                     const size_t *roots, const bool *worded, size_t count, struct base_err *err)
{
    struct evaluation e = {.q = q, .rows = rows, .c = *q->c};
    fm_status st = sql_physical_expressions(&e.program, q->plan, roots, worded, count,
                                            (int64_t)rows->r.rows, err);

    for (size_t i = 0; i < count; i++)
        out[i] = (struct run_column){0};
    e.c.hooks.progress = NULL;
    e.run = (struct sql_run){.c = &e.c, .p = &e.program, .rows = true};
    if (st == FM_OK)
        st = prepare(&e, err);
    for (unsigned level = 0; st == FM_OK && level <= e.program.levels; level++)
        st = sql_run_level(&e.run, level, err);
    for (size_t i = 0; st == FM_OK && i < count; i++)
        st = output_column(&out[i], &e, i, roots[i], err);
    if (st == FM_OK && e.program.zero != SQL_NONE)
        st = raise_zero(&e, err);
    for (size_t i = 0; st != FM_OK && i < count; i++)
        query_column_free(&out[i]);
    release(&e);
    return st;
}

fm_status query_truth(struct mpc_share **out, struct query *q, struct query_rows *rows, size_t node,
                      struct base_err *err)
{
    struct run_column c;
    fm_status st = query_eval(&c, q, rows, &node, NULL, 1, err);

    *out = st == FM_OK ? c.x : NULL; /* a condition's value is its truth: 0 where unknown */
    if (st == FM_OK)
        mpc_share_free(c.known);
    return st;
}

fm_status query_as_column(size_t *at, struct query *q, struct query_rows *rows, size_t node,
                          struct base_err *err)
{
    const struct sql_node *n = &q->plan->nodes[node];
    struct run_column c;

    if (n->op == SQL_OP_COLUMN) {
        *at = query_find(rows, n->index);
        if (*at != RUN_NONE)
            return FM_OK;
    }
    *at = rows->r.count;
    if (query_eval(&c, q, rows, &node, NULL, 1, err) != FM_OK)
        return err->code;
    return query_append(rows, c, SQL_NONE, err);
}
