/* Sums become rows, at a recipient. */
#include <stdlib.h>

#include "exchange/aggregate/run_own.h"
#include "exchange/run/local.h"

static int64_t value_of(const struct aggregate_run *r, size_t group, size_t item,
                        enum aggregate_part part)
{
    const struct aggregate_shape *s = r->shape;

    for (size_t v = 0; v < s->value_count; v++)
        if (s->values[v].item == item && s->values[v].part == part)
            return r->numbers[aggregate_guards(s) + group * s->value_count + v];
    return 0;
}

static void fill_item(struct sql_result_cell *cell, const struct aggregate_run *r, size_t group,
                      size_t i)
{
    const struct sql_item *item = &r->shape->group->items[i];
    size_t guard = r->shape->item_guards[i];
    int64_t sum, count;

    if (!aggregate_is_open(r, group, i)) {
        if (r->shape->guards[guard].suppresses)
            cell->state = SQL_CELL_SUPPRESSED;
        else if (item->fn != SQL_COUNT) /* COUNT of no rows is 0 */
            cell->state = SQL_CELL_NULL;
        return;
    }
    sum = value_of(r, group, i, AGGREGATE_SUM);
    count = value_of(r, group, i, AGGREGATE_COUNT);
    if (item->fn == SQL_AVG && count <= 0)
        cell->state = SQL_CELL_NULL;
    else
        cell->value = item->fn == SQL_COUNT ? count
                      : item->fn == SQL_SUM ? sum
                                            : run_local_average(sum, count, item->digits);
}

static void fill_key(struct sql_result_cell *cell, const struct aggregate_shape *s, size_t group,
                     size_t key)
{
    const struct aggregate_key *k = &s->keys[key];
    size_t at;

    for (size_t i = s->key_count - 1; i > key; i--)
        group /= s->keys[i].choices;
    at = group % k->choices;
    if (k->null && at == 0)
        cell->state = SQL_CELL_NULL;
    else
        cell->value = k->least + (int64_t)(at - k->null);
}

static void fill_cell(struct sql_result_cell *cell, const struct aggregate_run *r, size_t group,
                      size_t column)
{
    const struct aggregate_shape *s = r->shape;

    for (size_t k = 0; k < s->key_count; k++)
        if (s->keys[k].column == column) {
            fill_key(cell, s, group, k);
            return;
        }
    for (size_t i = 0; i < s->group->item_count; i++)
        if (s->group->items[i].column == column)
            fill_item(cell, r, group, i);
}

/* ---- order ---- */

/* NULL and what is suppressed stand together. */
static int compare_cells(const struct sql_result_cell *a, const struct sql_result_cell *b,
                         const struct sql_order *o)
{
    bool x = a->state != SQL_CELL_VALUE, y = b->state != SQL_CELL_VALUE;

    if (x || y)
        return x == y ? 0 : x == o->nulls_first ? -1 : 1;
    if (a->value == b->value)
        return 0;
    return (a->value < b->value) != o->descending ? -1 : 1;
}

static int compare_rows(const struct aggregate_run *r, const struct sql_result *out, size_t a,
                        size_t b)
{
    const struct sql_plan *plan = r->shape->plan;

    for (size_t i = 0; i < r->shape->sort->order_count; i++) {
        const struct sql_order *o = &r->shape->sort->order[i];
        for (size_t c = 0; c < plan->output_count; c++) {
            int order = plan->outputs[c].column != o->column
                            ? 0
                            : compare_cells(&out->cells[a * out->column_count + c],
                                            &out->cells[b * out->column_count + c], o);
            if (order != 0)
                return order;
        }
    }
    return 0;
}

static void swap_rows(struct sql_result *out, size_t a, size_t b)
{
    for (size_t c = 0; c < out->column_count; c++) {
        struct sql_result_cell kept = out->cells[a * out->column_count + c];
        out->cells[a * out->column_count + c] = out->cells[b * out->column_count + c];
        out->cells[b * out->column_count + c] = kept;
    }
}

/* Insertion: there are few groups, and equal ones keep their order. */
static void sort_rows(const struct aggregate_run *r, struct sql_result *out)
{
    for (size_t i = 1; r->shape->sort != NULL && i < out->row_count; i++)
        for (size_t k = i; k > 0 && compare_rows(r, out, k - 1, k) > 0; k--)
            swap_rows(out, k - 1, k);
}

/* ---- all ---- */

static bool group_is_there(const struct aggregate_run *r, size_t group)
{
    size_t guard = r->shape->group_guard;

    return r->shape->key_count == 0 || r->reached[group * r->shape->guard_count + guard];
}

static fm_status add_notes(struct sql_result *out, const struct aggregate_run *r,
                           struct base_err *err)
{
    unsigned n = r->c->decryptors;

    out->notes = sql_arena_array(&out->arena, n, sizeof *out->notes);
    if (out->notes == NULL)
        return base_err_memory(err, "query result");
    for (unsigned i = 0; i < n; i++) {
        struct base_buf text = {0};
        if ((r->wrong >> i & 1) == 0)
            continue;
        base_buf_putf(&text, "the decryption share of %s was wrong, and was left out",
                      r->c->transport->names[i]);
        out->notes[out->note_count] = sql_arena_text(&out->arena, base_buf_cstr(&text));
        base_buf_release(&text);
        if (out->notes[out->note_count++] == NULL)
            return base_err_memory(err, "query result");
    }
    return FM_OK;
}

fm_status aggregate_answer(struct sql_result *out, const struct aggregate_run *r,
                           struct base_err *err)
{
    const struct sql_plan *plan = r->shape->plan;
    size_t rows = 0, at = 0;
    fm_status st;

    for (size_t g = 0; g < r->shape->group_count; g++)
        rows += group_is_there(r, g);
    st = sql_result_init(out, plan, rows, err);
    for (size_t g = 0; st == FM_OK && g < r->shape->group_count; g++) {
        if (!group_is_there(r, g))
            continue;
        for (size_t c = 0; c < plan->output_count; c++)
            fill_cell(&out->cells[at * out->column_count + c], r, g, plan->outputs[c].column);
        at++;
    }
    if (st != FM_OK)
        return st;
    sort_rows(r, out);
    st = add_notes(out, r, err);
    if (st != FM_OK)
        sql_result_release(out);
    return st;
}
