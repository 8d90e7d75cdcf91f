/* Function calls: aggregates and windows; those of one row are in parse_function.c. */
#include <string.h>

#include "base/nearest.h"
#include "exchange/sql/parse/parse.h"

/* The first are aggregates, and some of them windows too; then windows. */
enum { AGGREGATES = 15, NAMES = 64 };
static const char *const functions[] = {
    "count",      "sum",      "min",          "max",    "avg",
    "var_pop",    "var_samp", "variance",     "stddev", "stddev_samp",
    "stddev_pop", "bool_and", "bool_or",      "every",  "percentile_disc",
    "row_number", "rank",     "percent_rank", NULL};

static size_t find(const char *name)
{
    size_t i = 0;

    while (functions[i] != NULL && strcmp(functions[i], name) != 0)
        i++;
    return i;
}

/* One name for each meaning. */
static const char *canonical(const char *name)
{
    if (strcmp(name, "variance") == 0)
        return "var_samp";
    if (strcmp(name, "stddev") == 0)
        return "stddev_samp";
    return strcmp(name, "every") == 0 ? "bool_and" : name;
}

static fm_status refuse_call(struct sql_parser *p, const PgQuery__FuncCall *f, const char *name,
                             struct base_err *err)
{
    const char *names[NAMES], *near;
    size_t n = 0;

    for (size_t i = 0; functions[i] != NULL && n + 1 < NAMES; i++)
        names[n++] = functions[i];
    for (size_t i = 0; sql_parse_function_name(i) != NULL && n + 1 < NAMES; i++)
        names[n++] = sql_parse_function_name(i);
    names[n] = NULL;
    near = base_nearest(name, names);
    if (near != NULL && strcmp(near, name) != 0)
        return SQL_UNSUPPORTED(p, f->location, err,
                               "function %.40s is not offered: did you mean %s?", name, near);
    return SQL_UNSUPPORTED(p, f->location, err,
                           "function %.40s is not offered: use COUNT, SUM, MIN, MAX, AVG, VAR_POP, "
                           "VAR_SAMP, STDDEV, PERCENTILE_DISC, BOOL_AND, BOOL_OR, or those of one "
                           "row: ABS, ROUND, EXTRACT, IF, UPPER, "
                           "LOWER, LENGTH, SUBSTRING, TRIM, REPLACE, CONCAT, POSITION",
                           name);
}

static fm_status argument_count(struct sql_parser *p, const PgQuery__FuncCall *f, const char *name,
                                size_t want, struct base_err *err)
{
    bool count = strcmp(name, "count") == 0;

    if (f->agg_star ? count : f->n_args == want)
        return FM_OK;
    if (want == 0)
        return sql_place_error(err, FM_E_INPUT, p->text, f->location, "%s takes no argument", name);
    return sql_place_error(err, FM_E_INPUT, p->text, f->location, "%s takes exactly one argument%s",
                           name, count ? ", or *" : "");
}

/* ---- aggregates and windows ---- */

/* PERCENTILE_DISC(f) WITHIN GROUP (ORDER BY x): x is the argument. */
static fm_status parse_percentile(struct sql_syntax *call, struct sql_parser *p,
                                  const PgQuery__FuncCall *f, struct base_err *err)
{
    struct sql_syntax_order *order;
    size_t n;
    fm_status st;

    if (!f->agg_within_group || f->n_agg_order != 1 || f->n_args != 1)
        return sql_place_error(err, FM_E_INPUT, p->text, f->location,
                               "write PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY x)");
    st = sql_parse_expr(&call->fraction, p, f->args[0], err);
    if (st == FM_OK)
        st = sql_parse_order(&order, &n, p, f->agg_order, 1, err);
    if (st != FM_OK)
        return st;
    if (order[0].descending)
        return SQL_UNSUPPORTED(p, f->location, err,
                               "PERCENTILE_DISC in descending order is not offered: order "
                               "ascending and take 1 minus the fraction");
    call->args[0] = order[0].expr;
    return FM_OK;
}

static fm_status parse_over(struct sql_syntax *call, struct sql_parser *p,
                            const PgQuery__WindowDef *w, struct base_err *err)
{
    /* FRAMEOPTION_NONDEFAULT of PostgreSQL's parsenodes.h. */
    enum { NOT_DEFAULT = 1 };
    struct sql_syntax_over *over = sql_arena_alloc(p->arena, sizeof *over);
    fm_status st;

    if (over == NULL)
        return base_err_memory(err, "SQL");
    if ((w->name != NULL && *w->name != '\0') || (w->refname != NULL && *w->refname != '\0') ||
        (w->frame_options & NOT_DEFAULT) != 0)
        return SQL_UNSUPPORTED(p, w->location, err,
                               "named windows and frames are not offered: write OVER (PARTITION BY "
                               "... ORDER BY ...)");
    call->over = over;
    st = sql_parse_list(&over->partition, &over->partition_count, p, w->partition_clause,
                        w->n_partition_clause, err);
    return st == FM_OK ? sql_parse_order(&over->order, &over->order_count, p, w->order_clause,
                                         w->n_order_clause, err)
                       : st;
}

static fm_status check_form(struct sql_parser *p, const PgQuery__FuncCall *f, const char *name,
                            size_t which, struct base_err *err)
{
    bool counts = strcmp(name, "count") == 0 || strcmp(name, "sum") == 0;

    if (which >= AGGREGATES && f->over == NULL)
        return sql_place_error(err, FM_E_INPUT, p->text, f->location,
                               "%s needs OVER (PARTITION BY ... ORDER BY ...)", name);
    if (which < AGGREGATES && f->over != NULL && !counts)
        return SQL_UNSUPPORTED(
            p, f->location, err,
            "%s OVER is not offered: windows are ROW_NUMBER, RANK, SUM and COUNT", name);
    if (f->over != NULL && (f->agg_distinct || f->agg_filter != NULL))
        return SQL_UNSUPPORTED(p, f->location, err,
                               "DISTINCT and FILTER in a window are not offered: leave them out");
    if (f->func_variadic || (f->n_agg_order > 0 && !f->agg_within_group))
        return SQL_UNSUPPORTED(p, f->location, err,
                               "ORDER BY and VARIADIC in a call are not offered: leave them out");
    return FM_OK;
}

static struct sql_syntax *two(struct sql_parser *p, enum sql_syntax_kind kind, struct sql_syntax *x,
                              struct sql_syntax *y)
{
    struct sql_syntax *s = x != NULL && y != NULL ? sql_syntax_new(p, kind, x->at, 2) : NULL;

    if (s == NULL)
        return NULL;
    s->args[0] = x;
    s->args[1] = y;
    return s;
}

static struct sql_syntax *number(struct sql_parser *p, const char *text, int at)
{
    struct sql_syntax *s = sql_syntax_new(p, SQL_SYNTAX_NUMBER, at, 0);

    if (s != NULL)
        s->text = text;
    return s;
}

/* (rank - 1) / (rows of the partition - 1), 0 where that is a single row. */
static fm_status percent_rank(struct sql_syntax **inout, struct sql_parser *p, struct base_err *err)
{
    struct sql_syntax *rank = *inout, *s;
    struct sql_syntax *count = sql_syntax_new(p, SQL_SYNTAX_CALL, rank->at, 0);
    struct sql_syntax_over *over = sql_arena_alloc(p->arena, sizeof *over);

    if (count == NULL || over == NULL)
        return base_err_memory(err, "SQL");
    *over = *rank->over;
    over->order_count = 0;
    rank->text = "rank";
    count->text = "count";
    count->over = over;
    s = two(p, SQL_SYNTAX_SUB, rank, number(p, "1", rank->at));
    s = two(p, SQL_SYNTAX_MUL, number(p, "1.0", rank->at), s);
    count = two(p, SQL_SYNTAX_SUB, count, number(p, "1", rank->at));
    count = two(p, SQL_SYNTAX_NULLIF, count, number(p, "0", rank->at));
    s = two(p, SQL_SYNTAX_DIV, s, count);
    *inout = two(p, SQL_SYNTAX_COALESCE, s, number(p, "0", rank->at));
    return *inout != NULL ? FM_OK : base_err_memory(err, "SQL");
}

fm_status sql_parse_call(struct sql_syntax **out, struct sql_parser *p, const PgQuery__FuncCall *f,
                         struct base_err *err)
{
    const char *name = f->n_funcname > 0 ? sql_parse_string(f->funcname[f->n_funcname - 1]) : "";
    bool catalog =
        f->n_funcname == 2 && strcmp(sql_parse_string(f->funcname[0]), "pg_catalog") == 0;
    bool percentile = strcmp(name, "percentile_disc") == 0;
    size_t which = find(name), args;
    struct sql_syntax *call;
    fm_status st;

    if ((f->n_funcname == 1 || catalog) && sql_parse_is_function(name))
        return sql_parse_function(out, p, f, name, err);
    if ((f->n_funcname != 1 && !catalog) || functions[which] == NULL)
        return refuse_call(p, f, name, err);
    args = which >= AGGREGATES || f->agg_star ? 0 : 1;
    st = check_form(p, f, name, which, err);
    if (st == FM_OK && !percentile)
        st = argument_count(p, f, name, args, err);
    if (st != FM_OK)
        return st;
    *out = call = sql_syntax_new(p, SQL_SYNTAX_CALL, f->location, args);
    if (call == NULL || (call->text = sql_arena_text(p->arena, canonical(name))) == NULL)
        return base_err_memory(err, "SQL");
    call->distinct = f->agg_distinct;
    if (percentile)
        st = parse_percentile(call, p, f, err);
    else if (args > 0)
        st = sql_parse_expr(&call->args[0], p, f->args[0], err);
    if (st == FM_OK && f->agg_filter != NULL)
        st = sql_parse_expr(&call->filter, p, f->agg_filter, err);
    if (st == FM_OK && f->over != NULL)
        st = parse_over(call, p, f->over, err);
    if (st == FM_OK && strcmp(name, "percent_rank") == 0)
        st = percent_rank(out, p, err);
    return st;
}
