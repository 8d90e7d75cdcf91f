/* What a physical plan says about itself. */
#include "exchange/sql/physical/physical.h"

#include "exchange/sql/physical/local.h"

const char *sql_step_name(enum sql_step_op op)
{
    static const char *const names[SQL_STEP_COUNT_OF_OPS] = {
        [SQL_STEP_VALID] = "valid",
        [SQL_STEP_COLUMN] = "column",
        [SQL_STEP_KNOWN] = "known",
        [SQL_STEP_TEXT] = "text",
        [SQL_STEP_WORD] = "word",
        [SQL_STEP_TEXT_CONST] = "text_const",
        [SQL_STEP_TEXT_PARAM] = "text_param",
        [SQL_STEP_HIDDEN_PARAM] = "hidden_param",
        [SQL_STEP_CONST] = "const",
        [SQL_STEP_PARAM] = "param",
        [SQL_STEP_FILL] = "fill",
        [SQL_STEP_OTHERS] = "others",
        [SQL_STEP_ADD] = "add",
        [SQL_STEP_SUB] = "sub",
        [SQL_STEP_NEG] = "neg",
        [SQL_STEP_NOT] = "not",
        [SQL_STEP_XOR] = "xor",
        [SQL_STEP_TOTAL] = "total",
        [SQL_STEP_ANY] = "any",
        [SQL_STEP_MUL] = "mul",
        [SQL_STEP_LESS] = "less",
        [SQL_STEP_EQUAL] = "equal",
        [SQL_STEP_AND] = "and",
        [SQL_STEP_OR] = "or",
        [SQL_STEP_SELECT] = "select",
        [SQL_STEP_BIT2A] = "bit2a",
        [SQL_STEP_COUNT] = "count",
        [SQL_STEP_DOT] = "dot",
        [SQL_STEP_MIN] = "min",
        [SQL_STEP_MAX] = "max",
        [SQL_STEP_ABS] = "abs",
        [SQL_STEP_NEGATIVE] = "negative",
        [SQL_STEP_QUOTIENT] = "quotient",
        [SQL_STEP_DIVIDE_ROUND] = "divide_round",
        [SQL_STEP_RATIO] = "ratio",
        [SQL_STEP_CHOOSE] = "choose",
        [SQL_STEP_PARAM_WORD] = "param_word"};

    return names[op];
}

bool sql_step_is_source_input(const struct sql_step *step)
{
    return step->op >= SQL_STEP_VALID && step->op <= SQL_STEP_WORD;
}

size_t sql_step_table(const struct sql_plan *plan, const struct sql_step *step)
{
    if (plan->simple)
        return 0;
    return step->op == SQL_STEP_VALID ? step->index : sql_plan_host(plan, step->index);
}

int64_t sql_text_word(const char *text, size_t len, size_t k)
{
    int64_t word = 0;

    for (size_t i = SQL_WORD_BYTES * k; i < SQL_WORD_BYTES * (k + 1); i++)
        word = word << 8 | (i < len ? (uint8_t)text[i] : 0);
    return word;
}

int64_t sql_step_fill(const struct sql_step *step)
{
    return (int64_t)sql_range_fill(step->range);
}

bool sql_step_alone(enum sql_step_op op)
{
    return op == SQL_STEP_SELECT || op == SQL_STEP_MIN || op == SQL_STEP_MAX || op >= SQL_STEP_ABS;
}

bool sql_step_interactive(const struct sql_physical *p, const struct sql_step *step)
{
    if (step->op < SQL_STEP_MUL || step->domain == SQL_PUBLIC)
        return false;
    return step->op != SQL_STEP_MUL || (p->steps[step->args[0]].domain != SQL_PUBLIC &&
                                        p->steps[step->args[1]].domain != SQL_PUBLIC);
}

static void print_operands(struct base_buf *out, const struct sql_physical *p,
                           const struct sql_step *s)
{
    for (size_t i = 0; i < s->arg_count; i++)
        base_buf_putf(out, " %zu", s->args[i]);
    if (s->op == SQL_STEP_CONST)
        base_buf_putf(out, " %lld", (long long)s->constant);
    else if (s->op == SQL_STEP_COLUMN || s->op == SQL_STEP_KNOWN || s->op == SQL_STEP_TEXT ||
             s->op == SQL_STEP_WORD)
        base_buf_putf(out, " %s", p->plan->columns[s->index].name);
    else if (s->op == SQL_STEP_PARAM || s->op == SQL_STEP_HIDDEN_PARAM ||
             s->op == SQL_STEP_TEXT_PARAM)
        base_buf_putf(out, " $%zu", s->index + 1);
    else if (s->op == SQL_STEP_TEXT_CONST)
        base_buf_putf(out, " '%s'", s->text);
}

static void print_step(struct base_buf *out, const struct sql_physical *p, size_t i)
{
    static const char *const shapes[] = {
        [SQL_ONE] = "one", [SQL_ROWS] = "rows", [SQL_OTHERS] = "others"};
    static const char *const domains[] = {
        [SQL_PUBLIC] = "public", [SQL_RING] = "ring", [SQL_BITS] = "bits"};
    const struct sql_step *s = &p->steps[i];
    char lo[SQL_WIDE_TEXT], hi[SQL_WIDE_TEXT];

    base_buf_putf(out, "%4zu  %-12s", i, sql_step_name(s->op));
    print_operands(out, p, s);
    base_buf_putf(out, "  %s %s", domains[s->domain], shapes[s->shape]);
    if (s->domain != SQL_BITS) {
        sql_wide_format(lo, s->range.lo, 0);
        sql_wide_format(hi, s->range.hi, 0);
        base_buf_putf(out, " %s..%s", lo, hi);
    }
    if (s->domain != SQL_PUBLIC)
        base_buf_putf(out, " width %u", s->width);
    if (sql_step_interactive(p, s))
        base_buf_putf(out, " level %u", s->level);
    base_buf_put_u8(out, '\n');
}

void sql_physical_print(struct base_buf *out, const struct sql_physical *p)
{
    base_buf_putf(out, "%zu steps, %u levels, %lld rows", p->step_count, p->levels,
                  (long long)p->rows);
    if (p->others_rows != p->rows)
        base_buf_putf(out, " (%lld of others)", (long long)p->others_rows);
    base_buf_put_u8(out, '\n');
    for (size_t i = 0; i < p->step_count; i++)
        print_step(out, p, i);
    for (size_t i = 0; i < p->reveal_count; i++) {
        const struct sql_reveal *r = &p->reveals[i];
        base_buf_putf(out, "reveal %s: %zu", p->plan->simple ? p->plan->outputs[i].name : "",
                      r->value);
        if (r->known != SQL_NONE)
            base_buf_putf(out, ", not NULL if %zu", r->known);
        if (r->shown != SQL_NONE)
            base_buf_putf(out, ", not suppressed if %zu", r->shown);
        base_buf_put_u8(out, '\n');
    }
}
