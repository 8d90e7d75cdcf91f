/* Functions of TEXT, which owners compute (exchange/sql/plan/plan.h), and a few of numbers. */
#include <string.h>

#include "exchange/sql/bind/bind.h"

static const struct sql_expect text_expected = {{.kind = DATA_TEXT}, {0, 0}};

/* ---- operands ---- */

static fm_status needs_text(const struct sql_binder *b, size_t node, const char *what,
                            struct base_err *err)
{
    const struct sql_node *n = &b->plan->nodes[node];
    char name[DATA_TYPE_TEXT];

    if (n->type.kind == DATA_TEXT)
        return FM_OK;
    sql_bind_type_name(name, n);
    return SQL_BIND_ERROR(b, FM_E_INPUT, n->at, err,
                          "%s needs TEXT, this is %s: write CAST(x AS TEXT)", what, name);
}

static fm_status bind_operand(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                              const char *what, struct base_err *err)
{
    fm_status st = sql_bind_expr(out, b, s, &text_expected, err);

    return st == FM_OK ? needs_text(b, *out, what, err) : st;
}

/* A number that is written out, from `least` on. */
static fm_status bind_count(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                            sql_wide least, const char *what, struct base_err *err)
{
    const struct sql_node *n;
    fm_status st = sql_bind_expr(out, b, s, NULL, err);

    if (st != FM_OK)
        return st;
    n = &b->plan->nodes[*out];
    if (n->op == SQL_OP_CONST && !n->null && n->type.kind == DATA_INTEGER && n->value >= least)
        return FM_OK;
    return SQL_BIND_ERROR(b, FM_E_UNSUPPORTED, s->at, err,
                          "%s takes a whole number written out, %d or more", what, (int)least);
}

static fm_status bind_literal(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                              const char *what, struct base_err *err)
{
    if (s->kind == SQL_SYNTAX_STRING)
        return sql_bind_expr(out, b, s, &text_expected, err);
    return SQL_BIND_ERROR(b, FM_E_UNSUPPORTED, s->at, err, "%s takes a 'text' written out", what);
}

/* ---- results ---- */

static fm_status add(size_t *out, struct sql_binder *b, struct sql_node node, struct base_err *err)
{
    for (size_t i = 0; i < node.arg_count; i++)
        node.nullable = node.nullable || b->plan->nodes[node.args[i]].nullable;
    return sql_bind_add(out, b, node, err);
}

static fm_status add_number(size_t *out, struct sql_binder *b, enum sql_op op, int at,
                            const size_t *args, size_t count, sql_wide most, struct base_err *err)
{
    struct sql_node node = {.op = op,
                            .type = {.kind = op == SQL_OP_LIKE ? DATA_BOOLEAN : DATA_INTEGER},
                            .range = {0, most},
                            .args = args,
                            .arg_count = count,
                            .at = at};

    return add(out, b, node, err);
}

static fm_status add_text(size_t *out, struct sql_binder *b, struct sql_node node, uint64_t bytes,
                          struct base_err *err)
{
    if (bytes > DATA_TEXT_MAX)
        return SQL_BIND_ERROR(b, FM_E_LIMIT, node.at, err,
                              "this text can have %llu bytes: at most %d are kept; take fewer "
                              "columns, or SUBSTRING of them",
                              (unsigned long long)bytes, DATA_TEXT_MAX);
    node.type = (struct data_type){.kind = DATA_TEXT, .max_bytes = bytes > 0 ? (unsigned)bytes : 1};
    return add(out, b, node, err);
}

static uint64_t bytes_of(const struct sql_binder *b, size_t node)
{
    return b->plan->nodes[node].type.max_bytes;
}

/* ---- functions ---- */

fm_status sql_bind_as_text(size_t *inout, struct sql_binder *b, int at, struct base_err *err)
{
    const struct sql_node *n = &b->plan->nodes[*inout];
    const size_t arg = *inout;
    char lo[SQL_WIDE_TEXT], hi[SQL_WIDE_TEXT];
    struct sql_node node = {.op = SQL_OP_AS_TEXT, .at = at, .args = &arg, .arg_count = 1};
    size_t size;

    if (n->type.kind == DATA_TEXT)
        return FM_OK;
    sql_value_format(lo, n->type, n->range.lo);
    sql_value_format(hi, n->type, n->range.hi);
    size = strlen(lo) > strlen(hi) ? strlen(lo) : strlen(hi);
    if (n->type.kind == DATA_BOOLEAN)
        size = strlen("false");
    /* -0.05 is longer than both ends of -1.00 to 0.00 may be: a sign, and a zero before the point.
     */
    return add_text(inout, b, node, size + 2, err);
}

/* || is NULL where a part is; CONCAT leaves such a part out, as in PostgreSQL. */
static fm_status bind_concat(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                             struct base_err *err)
{
    bool plain = strcmp(s->text, "||") == 0;
    size_t *args = sql_arena_array(&b->plan->arena, s->arg_count, sizeof *args);
    struct sql_node empty = {
        .op = SQL_OP_CONST, .type = {.kind = DATA_TEXT, .max_bytes = 1}, .text = "", .at = s->at};
    struct sql_node node = {
        .op = SQL_OP_CONCAT, .at = s->at, .args = args, .arg_count = s->arg_count};
    uint64_t bytes = 0;
    fm_status st = args != NULL ? FM_OK : base_err_memory(err, "SQL plan");

    for (size_t i = 0; st == FM_OK && i < s->arg_count; i++) {
        size_t parts[3];
        st = sql_bind_expr(&args[i], b, s->args[i], &text_expected, err);
        if (st == FM_OK)
            st = sql_bind_as_text(&args[i], b, s->at, err);
        if (st != FM_OK)
            break;
        bytes += bytes_of(b, args[i]);
        if (plain || !b->plan->nodes[args[i]].nullable)
            continue;
        parts[2] = args[i];
        st = sql_bind_make(&parts[0], b, SQL_OP_IS_NULL, s->at, &args[i], 1, err);
        if (st == FM_OK)
            st = sql_bind_add(&parts[1], b, empty, err);
        if (st == FM_OK)
            st = sql_bind_make(&args[i], b, SQL_OP_CASE, s->at, parts, 3, err);
        if (st == FM_OK)
            b->plan->nodes[args[i]].nullable = false;
    }
    return st == FM_OK ? add_text(out, b, node, bytes, err) : st;
}

static fm_status bind_trim(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                           struct base_err *err)
{
    struct sql_syntax blank = {.kind = SQL_SYNTAX_STRING, .at = s->at, .text = " "};
    size_t args[2];
    struct sql_node node = {.op = SQL_OP_TRIM,
                            .at = s->at,
                            .args = args,
                            .arg_count = 2,
                            .digits = s->text[0] == 'l'   ? SQL_TRIM_START
                                      : s->text[0] == 'r' ? SQL_TRIM_END
                                                          : SQL_TRIM_START | SQL_TRIM_END};
    fm_status st = bind_operand(&args[0], b, s->args[0], "TRIM", err);

    if (st == FM_OK)
        st = bind_literal(&args[1], b, s->arg_count > 1 ? s->args[1] : &blank, "TRIM", err);
    return st == FM_OK ? add_text(out, b, node, bytes_of(b, args[0]), err) : st;
}

static fm_status bind_substr(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                             struct base_err *err)
{
    const struct data_type integer = {.kind = DATA_INTEGER};
    bool left = strcmp(s->text, "left") == 0;
    size_t args[3];
    struct sql_node node = {.op = SQL_OP_SUBSTR, .at = s->at, .args = args, .arg_count = 3};
    uint64_t bytes;
    sql_wide count;
    fm_status st = bind_operand(&args[0], b, s->args[0], "SUBSTRING", err);

    if (st != FM_OK)
        return st;
    bytes = bytes_of(b, args[0]);
    if (left)
        st = sql_bind_const(&args[1], b, integer, 1, s->at, err);
    else
        st = bind_count(&args[1], b, s->args[1], 1, "SUBSTRING", err);
    if (st == FM_OK && (left || s->arg_count == 3))
        st = bind_count(&args[2], b, s->args[left ? 1 : 2], 0, left ? "LEFT" : "SUBSTRING", err);
    else if (st == FM_OK)
        st = sql_bind_const(&args[2], b, integer, DATA_TEXT_MAX, s->at, err);
    if (st != FM_OK)
        return st;
    count = b->plan->nodes[args[2]].value;
    return add_text(
        out, b, node,
        count < DATA_TEXT_MAX && 4 * (uint64_t)count < bytes ? 4 * (uint64_t)count : bytes, err);
}

static fm_status bind_replace(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                              struct base_err *err)
{
    size_t args[3];
    struct sql_node node = {.op = SQL_OP_REPLACE, .at = s->at, .args = args, .arg_count = 3};
    uint64_t bytes, what, by;
    fm_status st = bind_operand(&args[0], b, s->args[0], "REPLACE", err);

    for (size_t i = 1; st == FM_OK && i < 3; i++)
        st = bind_literal(&args[i], b, s->args[i], "REPLACE", err);
    if (st != FM_OK)
        return st;
    bytes = bytes_of(b, args[0]);
    what = strlen(b->plan->nodes[args[1]].text);
    by = strlen(b->plan->nodes[args[2]].text);
    if (what > 0 && by > what)
        bytes += bytes / what * (by - what);
    return add_text(out, b, node, bytes, err);
}

static fm_status bind_position(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                               struct base_err *err)
{
    size_t args[2];
    fm_status st = bind_operand(&args[0], b, s->args[0], "POSITION", err);

    if (st == FM_OK)
        st = bind_operand(&args[1], b, s->args[1], "POSITION", err);
    return st == FM_OK ? add_number(out, b, SQL_OP_POSITION, s->at, args, 2,
                                    (sql_wide)bytes_of(b, args[0]) + 1, err)
                       : st;
}

static fm_status bind_one(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                          struct base_err *err)
{
    struct sql_node node = {.op = s->text[0] == 'u' ? SQL_OP_UPPER : SQL_OP_LOWER, .at = s->at};
    size_t arg;
    fm_status st = bind_operand(&arg, b, s->args[0], s->text, err);

    if (st != FM_OK)
        return st;
    if (strcmp(s->text, "length") == 0)
        return add_number(out, b, SQL_OP_LENGTH, s->at, &arg, 1, (sql_wide)bytes_of(b, arg), err);
    node.args = &arg;
    node.arg_count = 1;
    return add_text(out, b, node, bytes_of(b, arg), err);
}

static fm_status bind_like(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                           struct base_err *err)
{
    size_t args[2];
    fm_status st = bind_operand(&args[0], b, s->args[0], "LIKE", err);

    if (st == FM_OK)
        st = bind_literal(&args[1], b, s->args[1], "LIKE", err);
    return st == FM_OK ? add_number(out, b, SQL_OP_LIKE, s->at, args, 2, 1, err) : st;
}

/* ROUND(x, n): half away from zero, at most as many digits as x has. */
static fm_status bind_round(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                            struct base_err *err)
{
    const struct sql_node *n;
    char name[DATA_TYPE_TEXT];
    size_t digits = SQL_NONE;
    unsigned keep = 0;
    fm_status st = sql_bind_expr(out, b, s->args[0], NULL, err);

    if (st == FM_OK && s->arg_count == 2)
        st = bind_count(&digits, b, s->args[1], 0, "ROUND", err);
    if (st != FM_OK)
        return st;
    n = &b->plan->nodes[*out];
    if (!sql_type_is_number(n->type)) {
        sql_bind_type_name(name, n);
        return SQL_BIND_ERROR(b, FM_E_INPUT, n->at, err, "ROUND needs numbers, this is %s", name);
    }
    if (digits != SQL_NONE)
        keep = b->plan->nodes[digits].value < SQL_MAX_SCALE ? (unsigned)b->plan->nodes[digits].value
                                                            : SQL_MAX_SCALE;
    if (keep >= n->type.scale)
        return FM_OK;
    return sql_bind_make_digits(out, b, SQL_OP_ROUND, s->at, out, 1, n->type.scale - keep, err);
}

fm_status sql_bind_text(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                        struct base_err *err)
{
    static const struct {
        const char *name;
        fm_status (*bind)(size_t *, struct sql_binder *, const struct sql_syntax *,
                          struct base_err *);
    } functions[] = {{"like", bind_like},     {"||", bind_concat},        {"concat", bind_concat},
                     {"length", bind_one},    {"upper", bind_one},        {"lower", bind_one},
                     {"trim", bind_trim},     {"ltrim", bind_trim},       {"rtrim", bind_trim},
                     {"substr", bind_substr}, {"left", bind_substr},      {"replace", bind_replace},
                     {"round", bind_round},   {"position", bind_position}};

    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        if (strcmp(functions[i].name, s->text) == 0)
            return functions[i].bind(out, b, s, err);
    return SQL_BIND_ERROR(b, FM_E_UNSUPPORTED, s->at, err, "function %s is not offered", s->text);
}
