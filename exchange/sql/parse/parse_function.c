/* Functions of one row: those that are another spelling of something become that, the rest
 * SQL_SYNTAX_FUNCTION under one name each. */
#include <string.h>

#include "exchange/sql/parse/parse.h"

enum { MANY = 64 }; /* arguments */

static const struct function {
    const char *name;
    enum sql_syntax_kind kind;
    size_t least, most;
    const char *text; /* FUNCTION: its one name; EXTRACT: the field */
} functions[] = {{"abs", SQL_SYNTAX_ABS, 1, 1, NULL},
                 {"ifnull", SQL_SYNTAX_COALESCE, 2, 2, NULL},
                 {"nvl", SQL_SYNTAX_COALESCE, 2, 2, NULL},
                 {"if", SQL_SYNTAX_CASE, 3, 3, NULL},
                 {"iif", SQL_SYNTAX_CASE, 3, 3, NULL},
                 {"mod", SQL_SYNTAX_MOD, 2, 2, NULL},
                 {"year", SQL_SYNTAX_EXTRACT, 1, 1, "year"},
                 {"quarter", SQL_SYNTAX_EXTRACT, 1, 1, "quarter"},
                 {"month", SQL_SYNTAX_EXTRACT, 1, 1, "month"},
                 {"day", SQL_SYNTAX_EXTRACT, 1, 1, "day"},
                 {"div", SQL_SYNTAX_FUNCTION, 2, 2, "div"},
                 {"round", SQL_SYNTAX_FUNCTION, 1, 2, "round"},
                 {"concat", SQL_SYNTAX_FUNCTION, 1, MANY, "concat"},
                 {"length", SQL_SYNTAX_FUNCTION, 1, 1, "length"},
                 {"char_length", SQL_SYNTAX_FUNCTION, 1, 1, "length"},
                 {"character_length", SQL_SYNTAX_FUNCTION, 1, 1, "length"},
                 {"upper", SQL_SYNTAX_FUNCTION, 1, 1, "upper"},
                 {"lower", SQL_SYNTAX_FUNCTION, 1, 1, "lower"},
                 {"trim", SQL_SYNTAX_FUNCTION, 1, 2, "trim"},
                 {"btrim", SQL_SYNTAX_FUNCTION, 1, 2, "trim"},
                 {"ltrim", SQL_SYNTAX_FUNCTION, 1, 2, "ltrim"},
                 {"rtrim", SQL_SYNTAX_FUNCTION, 1, 2, "rtrim"},
                 {"substr", SQL_SYNTAX_FUNCTION, 2, 3, "substr"},
                 {"substring", SQL_SYNTAX_FUNCTION, 2, 3, "substr"},
                 {"left", SQL_SYNTAX_FUNCTION, 2, 2, "left"},
                 {"replace", SQL_SYNTAX_FUNCTION, 3, 3, "replace"},
                 {"position", SQL_SYNTAX_FUNCTION, 2, 2, "position"},
                 {"strpos", SQL_SYNTAX_FUNCTION, 2, 2, "position"},
                 {"instr", SQL_SYNTAX_FUNCTION, 2, 2, "position"}};

const char *sql_parse_function_name(size_t i)
{
    return i < sizeof functions / sizeof functions[0] ? functions[i].name : NULL;
}

static const struct function *find(const char *name)
{
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        if (strcmp(functions[i].name, name) == 0)
            return &functions[i];
    return NULL;
}

bool sql_parse_is_function(const char *name)
{
    return strcmp(name, "extract") == 0 || strcmp(name, "date_part") == 0 || find(name) != NULL;
}

static fm_status parse_extract(struct sql_syntax **out, struct sql_parser *p,
                               const PgQuery__FuncCall *f, struct base_err *err)
{
    static const char *const fields[] = {"year", "quarter", "month", "day", NULL};
    const PgQuery__Node *field = f->n_args == 2 ? f->args[0] : NULL;
    const char *name = field != NULL && field->node_case == PG_QUERY__NODE__NODE_A_CONST &&
                               field->a_const->val_case == PG_QUERY__A__CONST__VAL_SVAL
                           ? field->a_const->sval->sval
                           : "";
    size_t i = 0;

    while (fields[i] != NULL && strcmp(fields[i], name) != 0)
        i++;
    if (fields[i] == NULL)
        return SQL_UNSUPPORTED(p, f->location, err,
                               "EXTRACT gives YEAR, QUARTER, MONTH or DAY of a date");
    *out = sql_syntax_new(p, SQL_SYNTAX_EXTRACT, f->location, 1);
    if (*out == NULL)
        return base_err_memory(err, "SQL");
    (*out)->text = fields[i];
    return sql_parse_expr(&(*out)->args[0], p, f->args[1], err);
}

static fm_status check_call(struct sql_parser *p, const PgQuery__FuncCall *f,
                            const struct function *fn, struct base_err *err)
{
    if (f->agg_star || f->agg_distinct || f->agg_filter != NULL || f->over != NULL ||
        f->n_agg_order > 0 || f->func_variadic)
        return sql_place_error(err, FM_E_INPUT, p->text, f->location,
                               "%s takes arguments alone, of one row", fn->name);
    if (f->n_args >= fn->least && f->n_args <= fn->most)
        return FM_OK;
    if (fn->least == fn->most)
        return sql_place_error(err, FM_E_INPUT, p->text, f->location,
                               "%s takes exactly %s argument%s", fn->name,
                               fn->least == 1   ? "one"
                               : fn->least == 2 ? "two"
                                                : "three",
                               fn->least == 1 ? "" : "s");
    return sql_place_error(err, FM_E_INPUT, p->text, f->location, "%s takes %zu to %zu arguments",
                           fn->name, fn->least, fn->most);
}

fm_status sql_parse_function(struct sql_syntax **out, struct sql_parser *p,
                             const PgQuery__FuncCall *f, const char *name, struct base_err *err)
{
    const struct function *fn = find(name);
    fm_status st;

    if (fn == NULL)
        return parse_extract(out, p, f, err);
    st = check_call(p, f, fn, err);
    if (st != FM_OK)
        return st;
    *out = sql_syntax_new(p, fn->kind, f->location, f->n_args);
    if (*out == NULL)
        return base_err_memory(err, "SQL");
    (*out)->text = fn->text;
    for (size_t i = 0; st == FM_OK && i < f->n_args; i++)
        st = sql_parse_expr(&(*out)->args[i], p, f->args[i], err);
    return st;
}

/* ---- LIKE ---- */

/* The pattern as SQL_OP_LIKE reads it: \ makes the next character plain, whatever ESCAPE said. */
static fm_status put_pattern(struct sql_syntax *like, struct sql_parser *p, const char *pattern,
                             const char *escape, bool lower, struct base_err *err)
{
    struct sql_syntax *s = sql_syntax_new(p, SQL_SYNTAX_STRING, like->at, 0);
    char *text = sql_arena_alloc(p->arena, 2 * strlen(pattern) + 1);
    size_t n = 0;

    if (s == NULL || text == NULL)
        return base_err_memory(err, "SQL");
    for (const char *c = pattern; *c != '\0'; c++) {
        bool escaped = *escape != '\0' && *c == *escape;
        if (escaped && *++c == '\0')
            return sql_place_error(err, FM_E_INPUT, p->text, like->at,
                                   "the pattern ends with its escape character");
        if (escaped || *c == '\\')
            text[n++] = '\\';
        text[n++] = lower && *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
    }
    s->text = text;
    like->args[1] = s;
    return FM_OK;
}

static const char *literal(const PgQuery__Node *node)
{
    if (node == NULL || node->node_case != PG_QUERY__NODE__NODE_A_CONST || node->a_const->isnull ||
        node->a_const->val_case != PG_QUERY__A__CONST__VAL_SVAL)
        return NULL;
    return node->a_const->sval->sval;
}

fm_status sql_parse_like(struct sql_syntax **out, struct sql_parser *p, const PgQuery__AExpr *e,
                         struct base_err *err)
{
    bool lower = e->kind == PG_QUERY__A__EXPR__KIND__AEXPR_ILIKE;
    const PgQuery__Node *right = e->rexpr;
    const PgQuery__FuncCall *call =
        right->node_case == PG_QUERY__NODE__NODE_FUNC_CALL ? right->func_call : NULL;
    const char *pattern = literal(right), *escape = "";
    struct sql_syntax *x;
    fm_status st;

    if (call != NULL && call->n_args == 2 &&
        strcmp(sql_parse_string(call->funcname[call->n_funcname - 1]), "like_escape") == 0) {
        pattern = literal(call->args[0]);
        escape = literal(call->args[1]);
    }
    if (pattern == NULL || escape == NULL || strlen(escape) > 1 || (unsigned char)*escape > 127)
        return SQL_UNSUPPORTED(p, e->location, err,
                               "LIKE takes a pattern written out, as in x LIKE 'a%%'; ESCAPE one "
                               "character");
    if (*escape == '\0' && strchr(pattern, '\\') != NULL)
        return SQL_UNSUPPORTED(p, e->location, err,
                               "a pattern with \\ means different things in different databases: "
                               "write LIKE '...' ESCAPE '\\', or another character");
    *out = sql_syntax_new(p, SQL_SYNTAX_FUNCTION, e->location, 2);
    if (*out == NULL)
        return base_err_memory(err, "SQL");
    (*out)->text = "like";
    st = sql_parse_expr(&x, p, e->lexpr, err);
    if (st == FM_OK && lower) {
        (*out)->args[0] = sql_syntax_new(p, SQL_SYNTAX_FUNCTION, e->location, 1);
        if ((*out)->args[0] == NULL)
            return base_err_memory(err, "SQL");
        (*out)->args[0]->text = "lower";
        (*out)->args[0]->args[0] = x;
    } else {
        (*out)->args[0] = x;
    }
    return st == FM_OK ? put_pattern(*out, p, pattern, escape, lower, err) : st;
}
