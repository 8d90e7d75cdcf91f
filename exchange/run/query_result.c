/* The last rows, veiled and opened, as a result. */
#include <stdlib.h>
#include <string.h>

#include "exchange/run/query.h"
#include "exchange/run/reveal.h"

static fm_status show(const struct query *q, const struct run_relation *r, struct base_err *err)
{
    const struct sql_run_hooks *h = &q->c->hooks;
    fm_status st = FM_OK;

    if (h->result_shared == NULL)
        return FM_OK;
    for (size_t c = 0; st == FM_OK && c < r->count; c++) {
        const struct run_column *column = &r->columns[c];

        if (column->word_count == 0)
            st = h->result_shared(h->ctx, c, 0, column->x, err);
        for (size_t k = 0; st == FM_OK && k < column->word_count; k++)
            st = h->result_shared(h->ctx, c, 0, column->words[k], err);
        if (st == FM_OK && column->known != NULL)
            st = h->result_shared(h->ctx, c, 1, column->known, err);
        if (st == FM_OK && column->shown != NULL)
            st = h->result_shared(h->ctx, c, 2, column->shown, err);
    }
    if (st == FM_OK)
        st = h->result_shared(h->ctx, r->count, 1, r->valid, err);
    return st;
}

static fm_status fill_cell(struct sql_result_cell *cell, struct sql_result *out,
                           const struct run_rows *rows, size_t c, size_t row, struct base_err *err)
{
    char *text;

    if (rows->shown[c] != NULL && rows->shown[c][row] == 0)
        cell->state = SQL_CELL_SUPPRESSED;
    else if (rows->known[c] != NULL && rows->known[c][row] == 0)
        cell->state = SQL_CELL_NULL;
    if (cell->state != SQL_CELL_VALUE)
        return FM_OK;
    if (rows->value[c] != NULL) {
        cell->value = rows->value[c][row];
        return FM_OK;
    }
    text = sql_arena_alloc(&out->arena, RUN_WORD_BYTES * rows->word_counts[c] + 1);
    if (text == NULL)
        return base_err_memory(err, "query result");
    run_rows_text(text, rows, c, row);
    cell->text = text;
    return FM_OK;
}

static fm_status write_down(struct sql_result *out, const struct query *q,
                            const struct run_rows *rows, struct base_err *err)
{
    size_t there = 0, at = 0;
    fm_status st;

    for (size_t i = 0; i < rows->rows; i++)
        there += rows->valid[i] != 0;
    st = sql_result_init(out, q->plan, there, err);
    for (size_t i = 0; st == FM_OK && i < rows->rows; i++) {
        if (rows->valid[i] == 0)
            continue;
        for (size_t c = 0; st == FM_OK && c < out->column_count; c++)
            st = fill_cell(&out->cells[at * out->column_count + c], out, rows, c, i, err);
        at++;
    }
    if (st == FM_OK)
        out->notes = sql_arena_array(&out->arena, RUN_FLAGS, sizeof *out->notes);
    if (st == FM_OK && out->notes == NULL)
        st = base_err_memory(err, "query result");
    for (int f = 0; st == FM_OK && f < RUN_FLAGS; f++)
        if (rows->flag[f])
            out->notes[out->note_count++] = run_flag_text((enum run_flag)f);
    return st;
}

static fm_status pick(struct query *q, struct query_rows *rows, struct base_err *err)
{
    size_t at[RUN_MAX_COLUMNS];

    if (q->plan->output_count > RUN_MAX_COLUMNS)
        return base_err_set(err, FM_E_LIMIT, "a result of more than %d columns",
                            (int)RUN_MAX_COLUMNS);
    for (size_t i = 0; i < q->plan->output_count; i++) {
        size_t column = q->plan->outputs[i].column;

        if (query_find_all(&at[i], rows, &column, 1, err) != FM_OK)
            return err->code;
        if (q->plan->outputs[i].type.kind == DATA_TEXT && rows->r.columns[at[i]].word_count == 0)
            return base_err_set(err, FM_E_UNSUPPORTED,
                                "column '%s': a text that is computed cannot be shown; select the "
                                "column itself, or a number for each case",
                                q->plan->outputs[i].name);
    }
    return run_relation_project(&rows->r, at, q->plan->output_count, err);
}

static bool ordered(const struct sql_plan *plan)
{
    enum sql_rel_kind kind = plan->rels[plan->rel_count - 1]->kind;

    return kind == SQL_REL_SORT || kind == SQL_REL_LIMIT;
}

fm_status query_answer(struct sql_result *out, struct query *q, struct query_rows *rows,
                       struct base_err *err)
{
    const struct sql_run_hooks *h = &q->c->hooks;
    struct run_rows opened = {0};
    fm_status st = pick(q, rows, err);

    if (st == FM_OK)
        st = run_veil(&rows->r, ordered(q->plan) ? RUN_AS_ORDERED : RUN_SHUFFLED, err);
    if (st == FM_OK)
        st = show(q, &rows->r, err);
    if (st == FM_OK && h->before_reveal != NULL)
        st = h->before_reveal(h->ctx, err);
    if (st == FM_OK)
        st = run_reveal(&opened, &rows->r, q->c->recipients, q->plan->recipient_count, err);
    if (st == FM_OK && opened.valid != NULL)
        st = write_down(out, q, &opened, err);
    run_rows_release(&opened);
    return st;
}
