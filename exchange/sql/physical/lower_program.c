/* Whole programs: of a simple plan, of the inputs of any other, and of its expressions. */
#include <stdlib.h>

#include "exchange/sql/physical/local.h"
#include "exchange/sql/physical/lower.h"

/* ---- steps that nobody needs ---- */

static void mark(size_t *map, size_t step)
{
    if (step != SQL_NONE)
        map[step] = 1;
}

static size_t moved(const size_t *map, size_t step)
{
    return step != SQL_NONE ? map[step] : SQL_NONE;
}

/* Steps that nothing revealed depends on go: a NULL constant, say, can make a comparison idle. */
static void drop_idle(struct lowering *l, size_t *map)
{
    struct sql_physical *out = l->out;
    size_t n = out->step_count, kept = 0;

    for (size_t i = 0; i < n; i++)
        map[i] = 0;
    for (size_t i = 0; i < out->reveal_count; i++) {
        mark(map, out->reveals[i].value);
        mark(map, out->reveals[i].known);
        mark(map, out->reveals[i].shown);
        for (size_t k = 0; k < out->reveals[i].word_count; k++)
            mark(map, out->reveals[i].words[k]);
    }
    mark(map, out->zero);
    for (size_t i = n; i-- > 0;) {
        for (size_t j = 0; map[i] != 0 && j < out->steps[i].arg_count; j++)
            map[out->steps[i].args[j]] = 1;
    }
    out->levels = 0;
    for (size_t i = 0; i < n; i++) {
        struct sql_step s = out->steps[i];
        if (map[i] == 0)
            continue;
        for (size_t j = 0; j < s.arg_count; j++)
            s.args[j] = map[s.args[j]];
        map[i] = kept;
        out->levels = s.level > out->levels ? s.level : out->levels;
        out->steps[kept++] = s;
    }
    out->step_count = kept;
    out->zero = moved(map, out->zero);
    for (size_t i = 0; i < out->reveal_count; i++) {
        struct sql_reveal *r = &out->reveals[i];
        r->value = moved(map, r->value);
        r->known = moved(map, r->known);
        r->shown = moved(map, r->shown);
        for (size_t k = 0; k < r->word_count; k++)
            r->words[k] = moved(map, r->words[k]);
    }
}

/* ---- one program ---- */

/* out->arena may hold something already, as the plan. */
static fm_status begin(struct lowering *l, struct sql_physical *out, const struct sql_plan *plan,
                       size_t reveals, struct base_err *err)
{
    out->plan = plan;
    out->zero = SQL_NONE;
    out->reveal_count = reveals;
    *l = (struct lowering){.plan = plan, .out = out};
    l->nodes = sql_arena_array(&out->arena, plan->node_count, sizeof *l->nodes);
    out->reveals = sql_arena_array(&out->arena, reveals, sizeof *out->reveals);
    if (l->nodes == NULL || out->reveals == NULL)
        return base_err_memory(err, "SQL plan");
    for (size_t i = 0; i < plan->node_count; i++)
        l->nodes[i] = (struct lowered){SQL_NONE, SQL_NONE, SQL_NONE, SQL_NONE};
    /* Step 0 is there whatever happens: after a failure all numbers are 0. */
    (void)lower_const(l, 0);
    return l->failed ? base_err_memory(err, "SQL plan") : FM_OK;
}

static fm_status end(struct lowering *l, bool idle, fm_status st, struct base_err *err)
{
    size_t *map;

    if (st == FM_OK && idle) {
        map = sql_arena_array(&l->out->arena, l->out->step_count, sizeof *map);
        l->failed = l->failed || map == NULL;
        if (!l->failed)
            drop_idle(l, map);
    }
    if (st == FM_OK && l->failed)
        st = base_err_memory(err, "SQL plan");
    sql_intern_release(&l->seen);
    if (st != FM_OK)
        sql_physical_release(l->out);
    return st;
}

/* ---- the inputs of a plan that is not simple ---- */

static void lower_column(struct lowering *l, size_t index)
{
    static const struct sql_range bit = {0, 1}, word = {0, ((sql_wide)1 << 56) - 1};
    const struct sql_plan_column *c = &l->plan->columns[index];
    bool text = c->type.kind == DATA_TEXT;

    if (text)
        (void)lower_input(l, SQL_STEP_TEXT, SQL_BITS, index, c->range);
    else
        (void)lower_input(l, SQL_STEP_COLUMN, c->type.kind == DATA_BOOLEAN ? SQL_BITS : SQL_RING,
                          index, c->range);
    for (size_t k = 0; text && c->shown && k < sql_text_words(c->type); k++)
        (void)lower_word(l, index, k, word);
    if (c->nullable)
        (void)lower_input(l, SQL_STEP_KNOWN, SQL_BITS, index, bit);
}

static void lower_inputs(struct lowering *l)
{
    const struct sql_plan *plan = l->plan;

    for (size_t t = 0; t < plan->table_count; t++) {
        if (!sql_plan_is_host(plan, t))
            continue;
        (void)lower_input(l, SQL_STEP_VALID, SQL_BITS, t, (struct sql_range){0, 1});
        for (size_t c = 0; c < sql_plan_columns(plan); c++)
            if (sql_plan_shares(plan, t, c))
                lower_column(l, c);
    }
    for (size_t i = 0; i < plan->node_count; i++) {
        const struct sql_node *n = &plan->nodes[i];
        bool text = n->type.kind == DATA_TEXT;

        if ((n->op == SQL_OP_CONST && text) ||
            (n->op == SQL_OP_PARAM && (text || plan->params[n->index].hidden)))
            (void)(text || n->type.kind != DATA_BOOLEAN ? lower_value(l, i) : lower_truth(l, i));
    }
}

fm_status sql_physical_make(struct sql_physical *out, const struct sql_plan *plan,
                            struct base_err *err)
{
    struct lowering l;
    fm_status st = sql_plan_runs(plan, err);

    *out = (struct sql_physical){.plan = plan};
    if (st == FM_OK)
        st = sql_local_rewrite(&plan, &out->arena, plan, err);
    if (st != FM_OK) {
        sql_physical_release(out);
        return st;
    }
    st = begin(&l, out, plan, plan->simple ? plan->output_count : 0, err);
    out->rows = plan->rows;
    for (size_t i = 0; i < plan->source_count; i++)
        out->others_rows += plan->sources[i].recipient ? 0 : plan->sources[i].rows;
    if (st == FM_OK && !plan->simple)
        lower_inputs(&l);
    else if (st == FM_OK && !lower_outputs(&l))
        l.failed = true;
    return end(&l, plan->simple, st, err);
}

/* Which nodes have a division in them whose divisor may be 0. */
static void find_divisions(bool *divides, const struct sql_plan *plan)
{
    for (size_t i = 0; i < plan->node_count; i++) {
        const struct sql_node *n = &plan->nodes[i];

        if (n->op == SQL_OP_DIV || n->op == SQL_OP_MOD) {
            struct sql_range y = plan->nodes[n->args[1]].range;
            divides[i] = y.lo <= 0 && y.hi >= 0;
        }
        for (size_t k = 0; k < n->arg_count; k++)
            divides[i] = divides[i] || divides[n->args[k]];
    }
}

/* "A divisor is 0" of every division that SQL computes in a row: within a CASE only where its
 * branch is taken, which may be there for that very reason, and likewise behind AND and OR. path:
 * whether the node is computed at all. The recursion is as deep as the expression. */
static size_t zero_divisor(struct lowering *l, const bool *divides, size_t node, size_t path,
                           size_t any)
{
    const struct sql_node *n = &l->plan->nodes[node];
    bool branches = n->op == SQL_OP_CASE;

    if (!divides[node])
        return any;
    for (size_t i = 0; i < n->arg_count; i++) {
        size_t taken = path;

        if (branches && i % 2 == 1) { /* a THEN; those that follow are reached if it is not taken */
            size_t when = lower_truth(l, n->args[i - 1]);
            taken = lower_logic(l, SQL_STEP_AND, path, when);
            path = lower_logic(l, SQL_STEP_AND, path, lower_not(l, when));
        }
        any = zero_divisor(l, divides, n->args[i], taken, any);
        if (n->op == SQL_OP_AND || n->op == SQL_OP_OR) { /* from left to right, as SQLite goes */
            size_t truth = lower_truth(l, n->args[i]);
            path = lower_logic(l, SQL_STEP_AND, path,
                               n->op == SQL_OP_AND ? truth : lower_not(l, truth));
        }
    }
    if (n->op == SQL_OP_DIV || n->op == SQL_OP_MOD) {
        size_t zero =
            lower_compare(l, SQL_STEP_EQUAL, lower_value(l, n->args[1]), lower_const(l, 0));

        zero = lower_logic(l, SQL_STEP_AND, zero, lower_known(l, n->args[0]));
        zero = lower_logic(l, SQL_STEP_AND, zero, lower_known(l, n->args[1]));
        zero = lower_logic(l, SQL_STEP_AND, zero, path);
        any = lower_logic(l, SQL_STEP_OR, any, zero);
    }
    return any;
}

static void lower_words(struct lowering *l, struct sql_reveal *r, size_t root)
{
    size_t n = sql_text_words(l->plan->nodes[root].type);

    r->words = sql_arena_array(&l->out->arena, n, sizeof *r->words);
    if (r->words == NULL) {
        l->failed = true;
        return;
    }
    r->word_count = n;
    for (size_t k = 0; k < n; k++)
        r->words[k] = lower_word_value(l, root, k);
}

/* Of all roots; SQL_NONE: there can be none. */
static fm_status zero_divisors(size_t *out, struct lowering *l, const size_t *roots, size_t count,
                               struct base_err *err)
{
    bool *divides = calloc(l->plan->node_count + 1, sizeof *divides);
    size_t zero = lower_const(l, 0), always = lower_const(l, 1);

    if (divides == NULL)
        return base_err_memory(err, "SQL plan");
    find_divisions(divides, l->plan);
    for (size_t i = 0; i < count; i++)
        zero = zero_divisor(l, divides, roots[i], always, zero);
    *out = lower_is_const(l, zero, 0) ? SQL_NONE : lower_fill(l, zero, SQL_BITS, SQL_ROWS);
    free(divides);
    return FM_OK;
}

fm_status sql_physical_expressions(struct sql_physical *out, const struct sql_plan *plan,
                                   const size_t *roots, const bool *worded, size_t count,
                                   int64_t rows, struct base_err *err)
{
    struct lowering l;
    fm_status st;

    *out = (struct sql_physical){.plan = plan};
    st = begin(&l, out, plan, count, err);

    out->rows = out->others_rows = rows;
    for (size_t i = 0; st == FM_OK && i < count; i++) {
        bool truth = plan->nodes[roots[i]].type.kind == DATA_BOOLEAN;

        out->reveals[i].value = truth ? lower_truth(&l, roots[i]) : lower_value(&l, roots[i]);
        out->reveals[i].known = lower_known(&l, roots[i]);
        out->reveals[i].shown = SQL_NONE;
        if (worded != NULL && worded[i])
            lower_words(&l, &out->reveals[i], roots[i]);
    }
    if (st == FM_OK)
        st = zero_divisors(&out->zero, &l, roots, count, err);
    return end(&l, true, st, err);
}

void sql_physical_release(struct sql_physical *physical)
{
    sql_arena_release(&physical->arena);
    *physical = (struct sql_physical){0};
}
