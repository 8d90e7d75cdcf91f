/* Which rows an aggregate's guard counts, beyond FILTER and NULLs: those whose value can tell
 * something. SUM(CASE WHEN c THEN x ELSE 0 END) says nothing of rows where c is false, so these
 * must not hide the others; nor may they in SUM(y * CASE WHEN c THEN 1 ELSE 0 END), or in
 * MAX(CASE WHEN c THEN x ELSE 0 END).
 *   - CASE: an alternative that is the same for all rows counts for nothing where any other depends
 *     on the row; where none does, those that are not 0 count;
 *   - where a minimum holds, a CASE of which several alternatives count is refused: SUM(CASE WHEN c
 *     THEN 1000000000 * x ELSE x END) would be two sums in one, each over rows of its own. Columns
 *     as they are (COALESCE, GREATEST), x and -x (ABS), and EXTRACT are not;
 *   - a product of two operands that depend on the row, a quotient, a remainder, ROUND, LENGTH and
 *     POSITION: their value must not be 0 either, as it is in SUM(x * flag), SUM(x * (grade / 7))
 *     and SUM(x * POSITION('rare' IN product)) of all rows but a few. Where no minimum holds,
 *     nothing is counted, and this is left out;
 *   - a column of 0 and one more number is a CASE of two constants: 0 does not count;
 *   - a column that a subquery made is what it was made of, unless it is a group's;
 *   - all operands of arithmetic and of functions of texts must count;
 *   - anything else counts.
 *
 * Not stopped: wider columns that happen to be 0, or small, for all but a few (SUM(bonus)). */
#include <stdlib.h>

#include "exchange/sql/bind/bind.h"

enum { NOT_SEEN = 0, ALL_ROWS = 1, FIRST = 2 }; /* of seen: FIRST + a node */

struct counting {
    struct sql_binder *b;
    size_t *seen; /* of each node of the argument: operands can be shared many times over */
    bool *varies; /* of each: does it depend on the row? */
    int at;
};

static fm_status counted(size_t *out, struct counting *c, size_t node, struct base_err *err);

static bool guards(const struct counting *c)
{
    return c->b->request->minimum > 1;
}

/* The same for all rows. */
static bool is_constant(const struct counting *c, size_t node)
{
    return guards(c) ? !c->varies[node] : c->b->plan->nodes[node].op == SQL_OP_CONST;
}

static bool adds_nothing(const struct counting *c, size_t node, bool varies)
{
    const struct sql_node *n = &c->b->plan->nodes[node];

    return is_constant(c, node) && (varies || n->null || (n->range.lo == 0 && n->range.hi == 0));
}

/* ---- alternatives that count ---- */

/* What a PROJECT made the column of; SQL_NONE: it is no such column. */
static size_t made_of(const struct counting *c, const struct sql_node *n)
{
    const struct sql_rel *by = n->op == SQL_OP_COLUMN ? c->b->made_by[n->index] : NULL;

    for (size_t i = 0; by != NULL && by->kind == SQL_REL_PROJECT && i < by->make_count; i++)
        if (by->makes[i].column == n->index)
            return by->makes[i].node;
    return SQL_NONE;
}

/* A column of a dataset as it is, or the same at a finer scale: no matter what stands between. */
static bool is_plain(const struct counting *c, size_t node)
{
    const struct sql_node *n = &c->b->plan->nodes[node];
    const struct sql_rel *by;
    size_t of = made_of(c, n);

    for (; of != SQL_NONE || n->op == SQL_OP_RESCALE; of = made_of(c, n)) {
        node = of != SQL_NONE ? of : n->args[0];
        n = &c->b->plan->nodes[node];
    }
    by = n->op == SQL_OP_COLUMN ? c->b->made_by[n->index] : NULL;
    return n->op == SQL_OP_COLUMN &&
           (by == NULL || (by->kind != SQL_REL_GROUP && by->kind != SQL_REL_WINDOW));
}

static bool are_opposite(const struct sql_plan *plan, size_t one, size_t other)
{
    const struct sql_node *x = &plan->nodes[one], *y = &plan->nodes[other];

    return (x->op == SQL_OP_NEG && x->args[0] == other) ||
           (y->op == SQL_OP_NEG && y->args[0] == one);
}

/* Several different alternatives count, and are not what is told apart here: see above. */
static bool weighs(const struct counting *c, size_t node, bool varies)
{
    const struct sql_plan *plan = c->b->plan;
    const struct sql_node *n = &plan->nodes[node];
    size_t first = SQL_NONE;
    bool several = false, plain = true;

    for (size_t i = 1; i <= n->arg_count; i += 2) {
        size_t value = n->args[i < n->arg_count ? i : n->arg_count - 1];

        if (adds_nothing(c, value, varies))
            continue;
        if (first == SQL_NONE)
            first = value;
        else if (value != first && !are_opposite(plan, value, first))
            several = true;
        plain = plain && is_plain(c, value);
    }
    return several && !plain && !n->calendar;
}

/* A CASE with the same conditions that says whether the alternative taken counts. */
static fm_status counted_case(size_t *out, struct counting *c, size_t node, struct base_err *err)
{
    const struct data_type boolean = {.kind = DATA_BOOLEAN};
    struct sql_binder *b = c->b;
    size_t n = b->plan->nodes[node].arg_count;
    size_t *args = sql_arena_array(&b->plan->arena, n, sizeof *args);
    bool varies = false, any = false;
    fm_status st = FM_OK;

    if (args == NULL)
        return base_err_memory(err, "SQL plan");
    if (guards(c) && b->plan->nodes[node].calendar) /* what the date is made of must count */
        return counted(out, c, b->plan->nodes[b->plan->nodes[node].args[0]].args[0], err);
    for (size_t i = 1; i <= n; i += 2)
        varies = varies || !is_constant(c, b->plan->nodes[node].args[i < n ? i : n - 1]);
    if (guards(c) && weighs(c, node, varies))
        return SQL_BIND_ERROR(b, FM_E_REFUSED, b->plan->nodes[node].at, err,
                              "a CASE that adds up one thing for some rows and another for others "
                              "may tell few from the rest: with a minimum group of %lld write an "
                              "aggregate for each alternative, with FILTER (WHERE ...)",
                              (long long)b->request->minimum);
    for (size_t i = 0; st == FM_OK && i < n; i++) {
        size_t value = b->plan->nodes[node].args[i], part = SQL_NONE;
        args[i] = value;
        if (i % 2 == 0 && i + 1 != n)
            continue;
        if (!adds_nothing(c, value, varies))
            st = counted(&part, c, value, err);
        else
            any = any || !b->plan->nodes[value].null;
        any = any || part != SQL_NONE;
        if (st == FM_OK && part == SQL_NONE)
            st = sql_bind_const(&part, b, boolean, !adds_nothing(c, value, varies), c->at, err);
        args[i] = part;
    }
    *out = SQL_NONE;
    if (st != FM_OK || !any)
        return st;
    return sql_bind_make(out, b, SQL_OP_CASE, c->at, args, n, err);
}

/* Can the operation hide a row by being 0 there? */
static bool can_hide(const struct counting *c, size_t node)
{
    const struct sql_node *n = &c->b->plan->nodes[node];

    if (c->b->request->minimum == 1 || !c->varies[node] || n->range.lo > 0 || n->range.hi < 0)
        return false;
    switch (n->op) {
    case SQL_OP_MUL:
        return c->varies[n->args[0]] && c->varies[n->args[1]];
    case SQL_OP_DIV:
    case SQL_OP_MOD:
    case SQL_OP_ROUND:
    case SQL_OP_LENGTH:
    case SQL_OP_POSITION:
        return true;
    default:
        return false;
    }
}

static fm_status not_zero(size_t *out, struct counting *c, size_t node, struct base_err *err)
{
    size_t args[2] = {node, SQL_NONE};
    fm_status st = sql_bind_const(&args[1], c->b, c->b->plan->nodes[node].type, 0, c->at, err);

    return st == FM_OK ? sql_bind_make(out, c->b, SQL_OP_NE, c->at, args, 2, err) : st;
}

static fm_status counted_all(size_t *out, struct counting *c, size_t node, struct base_err *err)
{
    struct sql_binder *b = c->b;
    size_t n = 0, count = b->plan->nodes[node].arg_count;
    size_t *parts = sql_arena_array(&b->plan->arena, count + 1, sizeof *parts);
    fm_status st = FM_OK;

    if (parts == NULL)
        return base_err_memory(err, "SQL plan");
    for (size_t i = 0; st == FM_OK && i < count; i++) {
        st = counted(&parts[n], c, b->plan->nodes[node].args[i], err);
        n += st == FM_OK && parts[n] != SQL_NONE;
    }
    if (st == FM_OK && can_hide(c, node))
        st = not_zero(&parts[n++], c, node, err);
    *out = n > 0 ? parts[0] : SQL_NONE;
    return st == FM_OK && n > 1 ? sql_bind_make(out, b, SQL_OP_AND, c->at, parts, n, err) : st;
}

static bool is_arithmetic(enum sql_op op)
{
    return (op >= SQL_OP_RESCALE && op <= SQL_OP_MUL) || op == SQL_OP_DIV || op == SQL_OP_MOD ||
           op == SQL_OP_ROUND;
}

static bool is_flag(const struct sql_node *n)
{
    return n->op == SQL_OP_COLUMN &&
           (n->type.kind == DATA_INTEGER || n->type.kind == DATA_DECIMAL) &&
           n->range.hi - n->range.lo == 1 && (n->range.lo == 0 || n->range.hi == 0);
}

static fm_status counted_column(size_t *out, struct counting *c, size_t node, struct base_err *err)
{
    const struct sql_node *n = &c->b->plan->nodes[node];
    size_t of = made_of(c, n);

    if (!guards(c))
        return FM_OK;
    /* Where a GROUP stands between, the rows are groups, and what it read is gone. */
    if (of != SQL_NONE && sql_rel_has_all(c->b, c->b->level->rel, of))
        return counted(out, c, of, err);
    return is_flag(n) ? not_zero(out, c, node, err) : FM_OK;
}

static fm_status counted(size_t *out, struct counting *c, size_t node, struct base_err *err)
{
    enum sql_op op;
    fm_status st = FM_OK;

    *out = SQL_NONE;
    if (c->seen[node] >= FIRST)
        *out = c->seen[node] - FIRST;
    if (c->seen[node] != NOT_SEEN)
        return FM_OK;
    op = c->b->plan->nodes[node].op;
    if (op == SQL_OP_COLUMN)
        st = counted_column(out, c, node, err);
    else if (op == SQL_OP_CASE)
        st = counted_case(out, c, node, err);
    else if (is_arithmetic(op) || (sql_op_is_local(op) && op != SQL_OP_LIKE))
        st = counted_all(out, c, node, err);
    c->seen[node] = *out == SQL_NONE ? ALL_ROWS : FIRST + *out;
    return st;
}

/* Operands stand before their users. A range of one value depends on nothing. */
static void find_varying(const struct counting *c, size_t last)
{
    for (size_t i = 0; i <= last; i++) {
        const struct sql_node *n = &c->b->plan->nodes[i];
        bool varies = n->op == SQL_OP_COLUMN;
        for (size_t k = 0; k < n->arg_count; k++)
            varies = varies || c->varies[n->args[k]];
        c->varies[i] = varies && (n->type.kind == DATA_TEXT || n->range.lo != n->range.hi);
    }
}

fm_status sql_bind_counted(struct sql_item *item, struct sql_binder *b, struct base_err *err)
{
    struct counting c = {.b = b, .at = item->at};
    fm_status st;

    if (item->arg == SQL_NONE || (item->fn == SQL_COUNT && !item->distinct))
        return FM_OK;
    c.seen = calloc(item->arg + 1, sizeof *c.seen);
    c.varies = calloc(item->arg + 1, sizeof *c.varies);
    st = c.seen == NULL || c.varies == NULL ? base_err_memory(err, "SQL plan") : FM_OK;
    if (st == FM_OK) {
        find_varying(&c, item->arg);
        st = counted(&item->counted, &c, item->arg, err);
    }
    free(c.seen);
    free(c.varies);
    return st;
}
