#include "exchange/sql/physical/footprint.h"

#include <stdlib.h>

enum { RING_BYTES = 16, LEAST = 1 << 20, TEXT_CLEAR = 32 };

static uint64_t elements(const struct sql_physical *p, const struct sql_step *s)
{
    return s->shape == SQL_ONE    ? 1
           : s->shape == SQL_ROWS ? (uint64_t)p->rows
                                  : (uint64_t)p->others_rows;
}

static uint64_t held(const struct sql_physical *p, const struct sql_step *s)
{
    uint64_t n = elements(p, s);

    if (s->domain == SQL_PUBLIC)
        return 0;
    return s->domain == SQL_RING ? n * RING_BYTES : (n * s->width + 3) / 4;
}

/* What the step needs while it runs, beside operands and result. Measured against the peak of real
 * runs over 3 * 10^5 rows: 1.6 to 2.0 times what they took. */
static uint64_t scratch(const struct sql_physical *p, const struct sql_step *s)
{
    const struct sql_step *x = &p->steps[s->args[0]];
    uint64_t n = elements(p, x) > elements(p, s) ? elements(p, x) : elements(p, s);

    switch (s->op) {
    case SQL_STEP_LESS:
    case SQL_STEP_NEGATIVE:
    case SQL_STEP_ABS:
    case SQL_STEP_MIN:
    case SQL_STEP_MAX:
        return n * 96;
    case SQL_STEP_EQUAL:
        return x->domain == SQL_BITS ? n * 96 : n * 64;
    case SQL_STEP_QUOTIENT:
    case SQL_STEP_DIVIDE_ROUND:
        return n * 160;
    case SQL_STEP_AND:
    case SQL_STEP_OR:
        return n;
    default:
        return n * 48;
    }
}

/* The level at which each step's result is used for the last time; results live to the end. */
static unsigned *last_uses(const struct sql_physical *p)
{
    unsigned *last = calloc(p->step_count + 1, sizeof *last);

    for (size_t i = 0; last != NULL && i < p->step_count; i++) {
        const struct sql_step *s = &p->steps[i];
        if (last[i] < s->level)
            last[i] = s->level;
        for (size_t k = 0; k < s->arg_count; k++)
            if (last[s->args[k]] < s->level)
                last[s->args[k]] = s->level;
    }
    return last;
}

/* Those of one kind run at once, in one list, or one after another; kinds one after another. */
static uint64_t busiest(const struct sql_physical *p, unsigned level)
{
    uint64_t most = 0, of_kind[SQL_STEP_COUNT_OF_OPS] = {0};

    for (size_t i = 0; i < p->step_count; i++) {
        const struct sql_step *s = &p->steps[i];
        uint64_t bytes, *sum = &of_kind[s->op == SQL_STEP_OR ? SQL_STEP_AND : s->op];
        if (s->level != level || !sql_step_interactive(p, s))
            continue;
        bytes = scratch(p, s);
        *sum = sql_step_alone(s->op) ? (bytes > *sum ? bytes : *sum) : *sum + bytes;
        most = *sum > most ? *sum : most;
    }
    return most;
}

static uint64_t computing(const struct sql_physical *p, const unsigned *last)
{
    uint64_t peak = 0;

    for (unsigned level = 0; level <= p->levels; level++) {
        uint64_t now = 0;
        for (size_t i = 0; i < p->step_count; i++) {
            const struct sql_step *s = &p->steps[i];
            if (s->level <= level && last[i] >= level)
                now += held(p, s);
        }
        now += busiest(p, level);
        peak = now > peak ? now : peak;
    }
    return peak;
}

/* What an operator of a plan needs while it runs, a row of its inputs and its own: sorts, joins and
 * groups take some 600 bytes whatever the columns (mpc/oblivious/join.h, measured), and each column
 * is there twice while it is moved. */
enum { OPERATOR_ROW = 600, OPERATOR_COLUMN = 48 };

static uint64_t operating(const struct sql_plan *plan)
{
    uint64_t most = 0;

    for (size_t i = 0; i < plan->rel_count; i++) {
        const struct sql_rel *rel = plan->rels[i];
        uint64_t rows = (uint64_t)rel->rows, columns = rel->column_count;

        for (size_t k = 0; k < rel->input_count; k++) {
            rows += (uint64_t)rel->inputs[k]->rows;
            columns += rel->inputs[k]->column_count;
        }
        rows *= OPERATOR_ROW + OPERATOR_COLUMN * columns;
        most = rows > most ? rows : most;
    }
    return most;
}

/* Inputs of all tables, as shares. */
static uint64_t put_in(const struct sql_physical *p)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < p->step_count; i++) {
        const struct sql_step *s = &p->steps[i];
        uint64_t n;
        if (!sql_step_is_source_input(s))
            continue;
        n = (uint64_t)p->plan->tables[sql_step_table(p->plan, s)].rows;
        bytes += s->domain == SQL_RING ? n * RING_BYTES : (n * s->width + 3) / 4;
    }
    return bytes;
}

/* Own columns in clear, and what of them is on its way to the compute parties. */
static uint64_t providing(const struct sql_physical *p, uint64_t rows)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < p->step_count; i++) {
        const struct sql_step *s = &p->steps[i];
        if (!sql_step_is_source_input(s))
            continue;
        bytes += s->domain == SQL_RING ? 3 * rows * sizeof(int64_t)
                 : s->width > 1        ? rows * TEXT_CLEAR * 2
                                       : rows / 2;
    }
    return bytes;
}

fm_status sql_footprint(uint64_t *bytes, const struct sql_physical *physical, bool computes,
                        int64_t own_rows, struct base_err *err)
{
    uint64_t sum = providing(physical, (uint64_t)own_rows);

    if (computes && physical->plan != NULL && !physical->plan->simple) {
        sum += put_in(physical) + operating(physical->plan);
    } else if (computes) {
        unsigned *last = last_uses(physical);
        if (last == NULL)
            return base_err_memory(err, "estimate of a query's memory");
        sum += computing(physical, last);
        free(last);
    }
    *bytes = sum > LEAST ? sum : LEAST;
    return FM_OK;
}
