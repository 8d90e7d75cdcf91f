/* CAST, DATE '...' and INTERVAL '...'. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/sql/parse/parse.h"

static fm_status parse_date(struct sql_syntax **out, struct sql_parser *p,
                            const PgQuery__TypeCast *c, int at, struct base_err *err)
{
    *out = sql_syntax_new(p, SQL_SYNTAX_DATE, at, 0);
    if (*out != NULL)
        (*out)->text = sql_arena_text(p->arena, c->arg->a_const->sval->sval);
    return *out != NULL && (*out)->text != NULL ? FM_OK : base_err_memory(err, "SQL");
}

/* "3 months 10 days", or "3" where the type says MONTH: whole days, months and years. */
static bool read_interval(const char *text, const char *unit, int *months, int *days)
{
    static const struct {
        const char *name;
        int months, days;
    } units[] = {{"day", 0, 1}, {"week", 0, 7}, {"month", 1, 0}, {"mon", 1, 0}, {"year", 12, 0}};
    bool any = false;

    *months = *days = 0;
    while (*text != '\0') {
        char word[16] = "", *end;
        long n = strtol(text, &end, 10);
        size_t i = 0, len;
        if (end == text || n < -120000 || n > 120000)
            return false;
        text = end + strspn(end, " ");
        len = strcspn(text, " ");
        (void)snprintf(word, sizeof word, "%.*s", len < sizeof word ? (int)len : 0, text);
        if (len == 0 && unit[0] != '\0')
            (void)snprintf(word, sizeof word, "%s", unit);
        else if (len > 1 && word[len - 1] == 's')
            word[len - 1] = '\0';
        while (i < sizeof units / sizeof units[0] && strcmp(units[i].name, word) != 0)
            i++;
        if (i == sizeof units / sizeof units[0])
            return false;
        *months += (int)n * units[i].months;
        *days += (int)n * units[i].days;
        any = true;
        text += len;
        text += strspn(text, " ");
    }
    return any;
}

/* PostgreSQL's codes of INTERVAL '3' MONTH and the like (datetime.h: 1 << DAY and so on). */
static const char *unit_of(const PgQuery__TypeName *t)
{
    const PgQuery__Node *mod = t->n_typmods > 0 ? t->typmods[0] : NULL;

    if (mod == NULL || mod->node_case != PG_QUERY__NODE__NODE_A_CONST ||
        mod->a_const->val_case != PG_QUERY__A__CONST__VAL_IVAL)
        return "";
    switch (mod->a_const->ival->ival) {
    case 1 << 1:
        return "month";
    case 1 << 2:
        return "year";
    case 1 << 3:
        return "day";
    default:
        return "";
    }
}

static fm_status parse_interval(struct sql_syntax **out, struct sql_parser *p,
                                const PgQuery__TypeCast *c, int at, struct base_err *err)
{
    int months, days;

    if (!read_interval(c->arg->a_const->sval->sval, unit_of(c->type_name), &months, &days))
        return sql_place_error(err, FM_E_INPUT, p->text, at,
                               "an interval is whole days, weeks, months or years: write INTERVAL "
                               "'3 months'");
    *out = sql_syntax_new(p, SQL_SYNTAX_INTERVAL, at, 0);
    if (*out == NULL)
        return base_err_memory(err, "SQL");
    (*out)->number = months;
    (*out)->days = days;
    return FM_OK;
}

static long modifier(const PgQuery__TypeName *t, size_t i)
{
    const PgQuery__Node *mod = i < t->n_typmods ? t->typmods[i] : NULL;

    if (mod == NULL || mod->node_case != PG_QUERY__NODE__NODE_A_CONST ||
        mod->a_const->val_case != PG_QUERY__A__CONST__VAL_IVAL)
        return 0;
    return mod->a_const->ival->ival;
}

fm_status sql_parse_cast(struct sql_syntax **out, struct sql_parser *p, const PgQuery__TypeCast *c,
                         struct base_err *err)
{
    const PgQuery__TypeName *t = c->type_name;
    const char *name = t->n_names > 0 ? sql_parse_string(t->names[t->n_names - 1]) : "";
    int at = c->location >= 0 ? c->location : t->location;
    bool string = c->arg != NULL && c->arg->node_case == PG_QUERY__NODE__NODE_A_CONST &&
                  c->arg->a_const->val_case == PG_QUERY__A__CONST__VAL_SVAL;
    char type[64];

    if (t->n_array_bounds == 0 && string && strcmp(name, "date") == 0)
        return parse_date(out, p, c, at, err);
    if (t->n_array_bounds == 0 && string && strcmp(name, "interval") == 0)
        return parse_interval(out, p, c, at, err);
    if (strcmp(name, "int4") == 0 || strcmp(name, "int8") == 0)
        (void)snprintf(type, sizeof type, "INTEGER");
    else if (strcmp(name, "text") == 0 || strcmp(name, "varchar") == 0)
        (void)snprintf(type, sizeof type, "TEXT");
    else if (strcmp(name, "bool") == 0)
        (void)snprintf(type, sizeof type, "BOOLEAN");
    else if (strcmp(name, "numeric") == 0 && t->n_typmods == 0)
        (void)snprintf(type, sizeof type, "DECIMAL"); /* with the digits that it has */
    else if (strcmp(name, "numeric") == 0)
        (void)snprintf(type, sizeof type, "DECIMAL(%ld,%ld)", modifier(t, 0), modifier(t, 1));
    else
        return SQL_UNSUPPORTED(p, at, err,
                               "a cast to %.40s is not offered: casts give INTEGER, "
                               "DECIMAL(p,s) or TEXT, and dates are written DATE 'YYYY-MM-DD'",
                               name);
    *out = sql_syntax_new(p, SQL_SYNTAX_CAST, at, 1);
    if (*out == NULL || ((*out)->text = sql_arena_text(p->arena, type)) == NULL)
        return base_err_memory(err, "SQL");
    return sql_parse_expr(&(*out)->args[0], p, c->arg, err);
}
