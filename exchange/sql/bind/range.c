/* Ranges of expressions, and what to say when one does not fit. */
#include <stdlib.h>
#include <string.h>

#include "exchange/sql/bind/bind.h"

/* Least and greatest of the four products of ends: a product over a box is greatest at a corner. */
static struct sql_range product(struct sql_range a, struct sql_range b)
{
    sql_wide corners[4] = {a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi};
    struct sql_range r = {corners[0], corners[0]};

    for (size_t i = 1; i < 4; i++)
        r = sql_range_hull(r, (struct sql_range){corners[i], corners[i]});
    return r;
}

/* CASE: the hull of the results that are not NULL constants; their ranges are empty (lo > hi). */
static struct sql_range results_hull(const struct sql_node *node, const struct sql_range *ranges)
{
    struct sql_range r = {1, 0};

    for (size_t i = 1; i <= node->arg_count; i += 2) {
        size_t last = node->arg_count - 1;
        struct sql_range a = ranges[node->args[i < last ? i : last]];
        if (a.lo > a.hi)
            continue;
        r = r.lo > r.hi ? a : sql_range_hull(r, a);
    }
    return r;
}

static sql_wide rounded(sql_wide x, sql_wide divisor)
{
    return (x < 0 ? x - divisor / 2 : x + divisor / 2) / divisor;
}

struct sql_range sql_range_divide(const struct sql_node *node, struct sql_range x,
                                  struct sql_range y)
{
    sql_wide x_size = x.hi > -x.lo ? x.hi : -x.lo, y_size = y.hi > -y.lo ? y.hi : -y.lo;
    sql_wide least = y.lo > 0 ? y.lo : y.hi < 0 ? -y.hi : 1, most;
    bool negative = x.lo<0, positive = x.hi> 0;

    if (node->op == SQL_OP_MOD) {
        most = x_size < y_size - 1 ? x_size : y_size - 1;
    } else {
        most = (x_size * sql_ten_to(node->digits) + least / 2) / least;
        negative = negative || y.lo < 0;
        positive = positive || y.lo < 0;
    }
    if (most < 0)
        most = 0;
    return (struct sql_range){negative ? -most : 0, positive ? most : 0};
}

struct sql_range sql_range_of(const struct sql_node *node, const struct sql_range *ranges)
{
    struct sql_range a = node->arg_count > 0 ? ranges[node->args[0]] : node->range;
    struct sql_range b = node->arg_count > 1 ? ranges[node->args[1]] : a;

    switch (node->op) {
    case SQL_OP_COLUMN:
    case SQL_OP_CONST:
    case SQL_OP_PARAM:
        return node->range;
    case SQL_OP_RESCALE:
    case SQL_OP_NEG:
    case SQL_OP_ADD:
    case SQL_OP_SUB:
    case SQL_OP_MUL:
    case SQL_OP_DIV:
    case SQL_OP_MOD:
    case SQL_OP_ROUND:
        if (a.lo > a.hi || b.lo > b.hi)
            return (struct sql_range){1, 0}; /* always NULL */
        break;
    case SQL_OP_CASE:
        return results_hull(node, ranges);
    default:
        return (struct sql_range){0, 1};
    }
    switch (node->op) {
    case SQL_OP_RESCALE:
        return (struct sql_range){a.lo * sql_ten_to(node->digits), a.hi * sql_ten_to(node->digits)};
    case SQL_OP_NEG:
        return (struct sql_range){-a.hi, -a.lo};
    case SQL_OP_ADD:
        return (struct sql_range){a.lo + b.lo, a.hi + b.hi};
    case SQL_OP_SUB:
        return (struct sql_range){a.lo - b.hi, a.hi - b.lo};
    case SQL_OP_DIV:
    case SQL_OP_MOD:
        return sql_range_divide(node, a, b);
    case SQL_OP_ROUND:
        return (struct sql_range){rounded(a.lo, sql_ten_to(node->digits)),
                                  rounded(a.hi, sql_ten_to(node->digits))};
    default:
        return product(a, b);
    }
}

struct sql_range sql_range_times(struct sql_range range, int64_t times)
{
    if (times == 0 || range.lo > range.hi)
        return range;
    /* Any number of rows from none to `times` may count. */
    range.lo = range.lo < 0 ? range.lo * times : 0;
    range.hi = range.hi > 0 ? range.hi * times : 0;
    return range;
}

bool sql_range_fits(struct sql_range range)
{
    return range.lo >= -(sql_wide)INT64_MAX && range.hi <= INT64_MAX;
}

/* ---- advice ---- */

/* The range of `node` if column `column` were narrowed to `narrow`; false if a value on the way
 * there would not fit. Nodes after `node` are not looked at. */
static bool fits_with(const struct sql_plan *plan, struct sql_range *scratch, size_t node,
                      int64_t times, size_t column, struct sql_range narrow)
{
    for (size_t i = 0; i <= node; i++) {
        const struct sql_node *n = &plan->nodes[i];
        bool leaf = n->arg_count == 0;

        scratch[i] =
            n->op == SQL_OP_COLUMN && n->index == column ? narrow : sql_range_of(n, scratch);
        /* Nodes before `node` did fit, and narrowing a column only shrinks them. */
        if (i == node && !leaf && !sql_range_fits(scratch[i]))
            return false;
    }
    return sql_range_fits(sql_range_times(scratch[node], times));
}

static struct sql_range clip(struct sql_range r, sql_wide bound)
{
    return (struct sql_range){r.lo > -bound ? r.lo : -bound, r.hi < bound ? r.hi : bound};
}

/* The greatest bound b such that the column clipped to -b .. b makes everything fit; -1 if none. */
static sql_wide greatest_bound(const struct sql_plan *plan, struct sql_range *scratch, size_t node,
                               int64_t times, size_t column)
{
    struct sql_range whole = plan->columns[column].range;
    sql_wide good = -1, bad = (sql_wide)1 << 64;

    while (bad - good > 1) {
        sql_wide middle = good + (bad - good) / 2;
        struct sql_range r = clip(whole, middle);
        /* A range that does not reach down to the bound leaves nothing to narrow. */
        if (r.lo <= r.hi ? fits_with(plan, scratch, node, times, column, r) : true)
            good = middle;
        else
            bad = middle;
    }
    return clip(whole, good).lo <= clip(whole, good).hi ? good : -1;
}

/* Marks the columns that the value of `node` comes from; the conditions of a CASE do not count. */
static void mark_columns(const struct sql_plan *plan, bool *needed, bool *columns, size_t node)
{
    needed[node] = true;
    for (size_t i = node + 1; i-- > 0;) {
        const struct sql_node *n = &plan->nodes[i];

        if (!needed[i])
            continue;
        if (n->op == SQL_OP_COLUMN)
            columns[n->index] = true;
        for (size_t j = 0; j < n->arg_count; j++) {
            if (n->op != SQL_OP_CASE || j % 2 == 1 || j + 1 == n->arg_count)
                needed[n->args[j]] = true;
        }
    }
}

/* The column whose narrowing keeps most of its width, and the bound. */
static size_t best_column(const struct sql_plan *plan, struct sql_range *scratch,
                          const bool *columns, size_t node, int64_t times, sql_wide *bound)
{
    size_t best = SQL_NONE;
    long double best_ratio = 0;

    for (size_t c = 0; c < plan->column_count; c++) {
        struct sql_range r = plan->columns[c].range;
        sql_wide size = r.hi > -r.lo ? r.hi : -r.lo;
        bool declared = columns[c] && plan->columns[c].table != SQL_NONE;
        sql_wide b = declared ? greatest_bound(plan, scratch, node, times, c) : -1;

        if (b > 0 && (best == SQL_NONE || (long double)b / (long double)size > best_ratio)) {
            best = c;
            best_ratio = (long double)b / (long double)size;
            *bound = b;
        }
    }
    return best;
}

static fm_status advise(const struct sql_plan *plan, size_t column, sql_wide bound,
                        const char *what, int at, struct base_err *err)
{
    const struct sql_plan_column *c = &plan->columns[column];
    struct sql_range narrow = clip(c->range, bound);
    char lo[SQL_WIDE_TEXT], hi[SQL_WIDE_TEXT], now_lo[SQL_WIDE_TEXT], now_hi[SQL_WIDE_TEXT];

    sql_value_format(lo, c->type, narrow.lo);
    sql_value_format(hi, c->type, narrow.hi);
    sql_value_format(now_lo, c->type, c->range.lo);
    sql_value_format(now_hi, c->type, c->range.hi);
    return sql_place_error(err, FM_E_LIMIT, plan->text, at,
                           "%s could leave 64 bits: declare column '%s' of %s within %s to %s (it "
                           "is declared %s to %s)",
                           what, c->name, plan->tables[c->table].name, lo, hi, now_lo, now_hi);
}

fm_status sql_range_refuse(const struct sql_plan *plan, size_t node, int64_t times,
                           const char *what, int at, struct base_err *err)
{
    struct sql_range *scratch = calloc(plan->node_count + 1, sizeof *scratch);
    bool *needed = calloc(plan->node_count + 1, sizeof *needed);
    bool *columns = calloc(plan->column_count + 1, sizeof *columns);
    sql_wide bound = 0;
    size_t best;
    fm_status st;

    if (scratch == NULL || needed == NULL || columns == NULL) {
        st = base_err_memory(err, "SQL ranges");
        goto out;
    }
    mark_columns(plan, needed, columns, node);
    best = best_column(plan, scratch, columns, node, times, &bound);
    if (best != SQL_NONE)
        st = advise(plan, best, bound, what, at, err);
    else
        st = sql_place_error(err, FM_E_LIMIT, plan->text, at,
                             "%s could leave 64 bits, and narrowing one column's range is not "
                             "enough: use smaller constants, or narrow all ranges in it",
                             what);
out:
    free(scratch);
    free(needed);
    free(columns);
    return st;
}
