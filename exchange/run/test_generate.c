#include "exchange/run/test_generate.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- helpers ---- */

uint32_t gen_below(struct gen_world *w, uint32_t n)
{
    w->state = w->state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(w->state >> 33) % n;
}

static void *must(void *p)
{
    if (p == NULL)
        abort();
    return p;
}

const char *gen_text(struct gen_world *w, const char *fmt, ...)
{
    va_list args, again;
    size_t len;
    char *out;

    va_start(args, fmt);
    va_copy(again, args);
    len = (size_t)vsnprintf(NULL, 0, fmt, args) + 1;
    out = must(sql_arena_alloc(&w->arena, len));
    (void)vsnprintf(out, len, fmt, again);
    va_end(again);
    va_end(args);
    return out;
}

const char *gen_value(struct gen_world *w, struct data_type type, int64_t value)
{
    char text[DATA_VALUE_TEXT];

    data_value_format(text, &type, value);
    return gen_text(w, "%s", text);
}

/* ---- schema and data ---- */

static const struct gen_column menu[] = {
    {"a", {.kind = DATA_INTEGER}, false, -5, 5},
    {"b", {.kind = DATA_INTEGER}, true, 0, 3650},
    {"c", {.kind = DATA_DECIMAL, .precision = 9, .scale = 2}, true, -999999, 999999},
    {"d", {.kind = DATA_DECIMAL, .precision = 6, .scale = 3}, false, 100, 200},
    {"e", {.kind = DATA_BOOLEAN}, true, 0, 1},
    {"f", {.kind = DATA_DATE}, true, 10957, 21915},
    {"g", {.kind = DATA_TEXT, .max_bytes = 8}, true, 0, 0},
    {"h", {.kind = DATA_INTEGER}, true, INT64_MIN, INT64_MAX},
    {"i", {.kind = DATA_BOOLEAN}, false, 0, 1},
};

static const char *const words[] = {"car", "house", "card", "", "é", "it's"};

static int64_t pick_value(struct gen_world *w, int64_t lo, int64_t hi)
{
    uint64_t span = (uint64_t)hi - (uint64_t)lo;
    uint64_t r = (uint64_t)gen_below(w, UINT32_MAX) << 32 | gen_below(w, UINT32_MAX);

    switch (gen_below(w, 8)) {
    case 0:
        return lo;
    case 1:
        return hi;
    case 2:
        return lo <= 0 && hi >= 0 ? 0 : lo;
    case 3: /* few distinct values: duplicates */
        return (int64_t)((uint64_t)lo + (span < 4 ? 0 : gen_below(w, 4)));
    default:
        return (int64_t)((uint64_t)lo + (span == UINT64_MAX ? r : r % (span + 1)));
    }
}

static struct gen_cell pick_cell(struct gen_world *w, const struct gen_column *c)
{
    struct gen_cell cell = {.null = c->nullable && gen_below(w, 5) == 0};

    if (cell.null)
        return cell;
    if (c->type.kind == DATA_TEXT)
        cell.text = words[gen_below(w, sizeof words / sizeof words[0])];
    else
        cell.value = pick_value(w, c->lo, c->hi);
    return cell;
}

void gen_make_world(struct gen_world *w, uint64_t seed)
{
    *w = (struct gen_world){.state = seed * 2654435761u + 1};
    w->column_count = sizeof menu / sizeof menu[0];
    memcpy(w->columns, menu, sizeof menu);
    w->member_count = 1 + gen_below(w, GEN_MAX_MEMBERS - 1);
    for (size_t m = 0; m < w->member_count; m++) {
        struct gen_member *member = &w->members[m];
        uint32_t size = gen_below(w, 4) == 0 ? 130 : 12;

        (void)snprintf(member->alias, sizeof member->alias, "bank_%c", (char)('a' + m));
        member->rows = gen_below(w, size);
        member->padded = (int64_t)member->rows + gen_below(w, 5) + (member->rows == 0);
        member->cells = must(
            sql_arena_array(&w->arena, member->rows * w->column_count + 1, sizeof *member->cells));
        for (size_t r = 0; r < member->rows; r++) {
            for (size_t c = 0; c < w->column_count; c++)
                member->cells[r * w->column_count + c] = pick_cell(w, &w->columns[c]);
        }
    }
}

static const char *catalog_column(struct gen_world *w, const struct gen_column *c)
{
    char type[DATA_TYPE_TEXT];
    const char *range = "";

    data_type_format(type, &c->type);
    if (c->type.kind != DATA_TEXT && c->type.kind != DATA_BOOLEAN)
        range = gen_text(w, "\"range\":[\"%s\",\"%s\"],", gen_value(w, c->type, c->lo),
                         gen_value(w, c->type, c->hi));
    return gen_text(w, "{\"name\":\"%s\",\"type\":\"%s\",%s\"nullable\":%s}", c->name, type, range,
                    c->nullable ? "true" : "false");
}

const char *gen_catalog(struct gen_world *w)
{
    const char *columns = catalog_column(w, &w->columns[0]), *all = "";

    for (size_t c = 1; c < w->column_count; c++)
        columns = gen_text(w, "%s,%s", columns, catalog_column(w, &w->columns[c]));
    for (size_t m = 0; m < w->member_count; m++)
        all = gen_text(w,
                       "%s%s{\"member\":\"%s\",\"name\":\"t\",\"version\":1,\"rows\":%lld,"
                       "\"columns\":[%s],\"subject\":{\"column\":\"a\",\"scheme\":\"x\"},"
                       "\"max_rows_per_subject\":1}",
                       all, m > 0 ? "," : "", w->members[m].alias, (long long)w->members[m].padded,
                       columns);
    return gen_text(w, "{\"datasets\":[%s]}", all);
}

/* ---- expressions in two spellings ---- */

struct expr {
    const char *ours;
    const char *lite;
    unsigned scale;
};

struct maker {
    struct gen_world *w;
    struct gen_query *q;
    bool may_hide;
};

static struct expr number(struct maker *m, unsigned depth);
static struct expr condition(struct maker *m, unsigned depth);

static const struct gen_column *column_of(struct maker *m, enum data_kind kind)
{
    for (;;) {
        const struct gen_column *c = &m->w->columns[gen_below(m->w, (uint32_t)m->w->column_count)];
        bool wide = c->lo == INT64_MIN;
        if (c->type.kind == kind && (!wide || gen_below(m->w, 4) == 0))
            return c;
    }
}

static struct expr bare(struct gen_world *w, const struct gen_column *c)
{
    const char *ours = gen_below(w, 4) == 0 ? gen_text(w, "t.%s", c->name) : c->name;

    return (struct expr){ours, c->name, c->type.scale};
}

/* The SQLite side at a finer scale. */
static const char *lifted(struct gen_world *w, struct expr e, unsigned scale)
{
    long long ten = 1;

    for (unsigned i = e.scale; i < scale; i++)
        ten *= 10;
    return ten == 1 ? e.lite : gen_text(w, "(%s * %lld)", e.lite, ten);
}

static unsigned finer(struct expr a, struct expr b)
{
    return a.scale > b.scale ? a.scale : b.scale;
}

static struct expr infix(struct maker *m, struct expr a, const char *op, struct expr b)
{
    unsigned scale = finer(a, b);

    return (struct expr){
        gen_text(m->w, "(%s %s %s)", a.ours, op, b.ours),
        gen_text(m->w, "(%s %s %s)", lifted(m->w, a, scale), op, lifted(m->w, b, scale)), scale};
}

static struct expr literal_number(struct maker *m)
{
    struct data_type type = {.kind = DATA_DECIMAL, .precision = 9, .scale = gen_below(m->w, 4)};
    int64_t value = pick_value(m->w, -300, 300) * (gen_below(m->w, 3) == 0 ? 100 : 1);
    const char *ours;

    if (type.scale == 0)
        type = (struct data_type){.kind = DATA_INTEGER};
    ours = gen_value(m->w, type, value);
    return (struct expr){ours, gen_text(m->w, "(%lld)", (long long)value), type.scale};
}

/* A parameter that is compared with the column: typed by it. SQLite sees the value. */
static bool new_param(struct maker *m, const struct gen_column *c, struct expr *out)
{
    struct gen_param *p = &m->q->params[m->q->param_count];
    struct gen_cell cell = pick_cell(m->w, c);

    if (m->q->param_count == GEN_MAX_PARAMS || cell.null)
        return false;
    p->hidden = m->may_hide && gen_below(m->w, 2) == 0;
    p->text = c->type.kind == DATA_TEXT ? cell.text : gen_value(m->w, c->type, cell.value);
    m->q->param_count++;
    out->ours = gen_text(m->w, "$%zu", m->q->param_count);
    out->lite = gen_text(m->w, "(%lld)", (long long)cell.value);
    if (c->type.kind == DATA_TEXT)
        out->lite = strcmp(cell.text, "it's") == 0 ? "'it''s'" : gen_text(m->w, "'%s'", cell.text);
    else if (cell.value == INT64_MIN)
        out->lite = "(-9223372036854775807 - 1)";
    out->scale = c->type.scale;
    return true;
}

static struct expr case_number(struct maker *m, unsigned depth)
{
    struct expr a = number(m, depth - 1), b = number(m, depth - 1);
    struct expr c = condition(m, depth - 1), d = condition(m, depth - 1);
    unsigned scale = finer(a, b);
    const char *x = lifted(m->w, a, scale), *y = lifted(m->w, b, scale);

    switch (gen_below(m->w, 4)) {
    case 0:
        return (struct expr){gen_text(m->w, "CASE WHEN %s THEN %s END", c.ours, a.ours),
                             gen_text(m->w, "CASE WHEN %s THEN %s END", c.lite, a.lite), a.scale};
    case 1:
        return (struct expr){
            gen_text(m->w, "CASE WHEN %s THEN %s WHEN %s THEN %s END", c.ours, a.ours, d.ours,
                     b.ours),
            gen_text(m->w, "CASE WHEN %s THEN %s WHEN %s THEN %s END", c.lite, x, d.lite, y),
            scale};
    case 2:
        return (struct expr){gen_text(m->w, "CASE WHEN %s THEN NULL WHEN %s THEN %s ELSE %s END",
                                      c.ours, d.ours, a.ours, b.ours),
                             gen_text(m->w, "CASE WHEN %s THEN NULL WHEN %s THEN %s ELSE %s END",
                                      c.lite, d.lite, x, y),
                             scale};
    default:
        return (struct expr){
            gen_text(m->w, "CASE b WHEN 0 THEN %s WHEN a THEN %s ELSE 7 END", a.ours, b.ours),
            gen_text(m->w, "CASE b WHEN 0 THEN %s WHEN a THEN %s ELSE %s END", x, y,
                     lifted(m->w, (struct expr){"7", "7", 0}, scale)),
            scale};
    }
}

static struct expr number(struct maker *m, unsigned depth)
{
    struct gen_world *w = m->w;
    struct expr a, b;

    if (depth == 0 || gen_below(w, 4) == 0) {
        if (gen_below(w, 4) == 0)
            return literal_number(m);
        return bare(w, column_of(m, gen_below(w, 2) == 0 ? DATA_INTEGER : DATA_DECIMAL));
    }
    a = number(m, depth - 1);
    b = number(m, depth - 1);
    switch (gen_below(w, 9)) {
    case 0:
        return infix(m, a, "+", b);
    case 1:
        return infix(m, a, "-", b);
    case 2:
        if (a.scale + b.scale > 8)
            return a;
        return (struct expr){gen_text(w, "%s * %s", a.ours, b.ours),
                             gen_text(w, "(%s * %s)", a.lite, b.lite), a.scale + b.scale};
    case 3:
        return (struct expr){gen_text(w, "-(%s)", a.ours), gen_text(w, "(-(%s))", a.lite), a.scale};
    case 4:
        return (struct expr){
            gen_text(w, "COALESCE(%s, %s)", a.ours, b.ours),
            gen_text(w, "COALESCE(%s, %s)", lifted(w, a, finer(a, b)), lifted(w, b, finer(a, b))),
            finer(a, b)};
    case 5:
        if (strcmp(a.lite, a.ours) != 0)
            return b;
        return (struct expr){gen_text(w, "NULLIF(%s, %s)", a.ours, b.ours),
                             gen_text(w, "CASE WHEN %s = %s THEN NULL ELSE %s END",
                                      lifted(w, a, finer(a, b)), lifted(w, b, finer(a, b)), a.lite),
                             a.scale};
    case 6:
        return (struct expr){"(f - DATE '2010-05-17')", "(f - 14746)", 0};
    default:
        return case_number(m, depth);
    }
}

/* ---- conditions ---- */

static const char *comparison(struct maker *m)
{
    static const char *const ops[] = {"=", "<>", "<", "<=", ">", ">="};

    return ops[gen_below(m->w, 6)];
}

static struct expr compare_values(struct maker *m, unsigned depth)
{
    struct expr a, b;
    const struct gen_column *c;

    if (gen_below(m->w, 3) == 0) {
        c = column_of(m, gen_below(m->w, 2) == 0 ? DATA_INTEGER : DATA_DECIMAL);
        if (new_param(m, c, &b))
            return gen_below(m->w, 2) == 0 ? infix(m, bare(m->w, c), comparison(m), b)
                                           : infix(m, b, comparison(m), bare(m->w, c));
    }
    a = number(m, depth);
    b = number(m, depth);
    return infix(m, a, comparison(m), b);
}

static struct expr compare_dates(struct maker *m)
{
    const struct gen_column *c = column_of(m, DATA_DATE);
    struct expr a = bare(m->w, c), b;
    int64_t day = pick_value(m->w, c->lo, c->hi);

    if (gen_below(m->w, 3) == 0 && new_param(m, c, &b))
        return infix(m, a, comparison(m), b);
    b.scale = 0;
    b.ours = gen_text(m->w, "%s'%s'", gen_below(m->w, 2) == 0 ? "DATE " : "",
                      gen_value(m->w, c->type, day));
    b.lite = gen_text(m->w, "%lld", (long long)day);
    return infix(m, a, comparison(m), b);
}

static struct expr compare_texts(struct maker *m)
{
    const struct gen_column *c = column_of(m, DATA_TEXT);
    struct expr a = bare(m->w, c), b;

    if (gen_below(m->w, 3) == 0 && new_param(m, c, &b))
        return infix(m, a, gen_below(m->w, 2) == 0 ? "=" : "<>", b);
    switch (gen_below(m->w, 4)) {
    case 0:
        return (struct expr){"g IN ('car', 'it''s', 'é')", "g IN ('car', 'it''s', 'é')", 0};
    case 1:
        return (struct expr){"g NOT IN ('card', '')", "g NOT IN ('card', '')", 0};
    case 2:
        return (struct expr){"'house' <> g", "'house' <> g", 0};
    default:
        return (struct expr){"g = g", "g = g", 0};
    }
}

static struct expr list_condition(struct maker *m, unsigned depth)
{
    struct expr a = number(m, depth), b = number(m, depth), c = number(m, depth);
    unsigned scale = finer(a, b) > c.scale ? finer(a, b) : c.scale;
    const char *x = lifted(m->w, a, scale), *y = lifted(m->w, b, scale);
    const char *z = lifted(m->w, c, scale);
    const char *not = gen_below(m->w, 3) == 0 ? "NOT " : "";

    if (gen_below(m->w, 2) == 0)
        return (struct expr){
            gen_text(m->w, "((%s) %sBETWEEN (%s) AND (%s))", a.ours, not, b.ours, c.ours),
            gen_text(m->w, "((%s) %sBETWEEN (%s) AND (%s))", x, not, y, z), 0};
    return (struct expr){gen_text(m->w, "((%s) %sIN (%s, %s))", a.ours, not, b.ours, c.ours),
                         gen_text(m->w, "((%s) %sIN (%s, %s))", x, not, y, z), 0};
}

static struct expr simple_condition(struct maker *m, unsigned depth)
{
    struct gen_world *w = m->w;
    struct expr a;

    switch (gen_below(w, 9)) {
    case 0:
        return bare(w, column_of(m, DATA_BOOLEAN));
    case 1:
        return compare_dates(m);
    case 2:
        return compare_texts(m);
    case 3:
        return list_condition(m, depth > 0 ? depth - 1 : 0);
    case 4:
        a = gen_below(w, 3) == 0 ? (struct expr){"g", "g", 0} : number(m, depth);
        return (struct expr){gen_text(w, "(%s) IS NOT NULL", a.ours),
                             gen_text(w, "((%s) IS NOT NULL)", a.lite), 0};
    case 5:
        return gen_below(w, 2) == 0 ? (struct expr){"e = i", "(e = i)", 0}
                                    : (struct expr){"e <> TRUE", "(e <> 1)", 0};
    default:
        return compare_values(m, depth);
    }
}

static struct expr condition(struct maker *m, unsigned depth)
{
    struct gen_world *w = m->w;
    struct expr a, b;

    if (depth == 0 || gen_below(w, 3) == 0)
        return simple_condition(m, depth);
    a = condition(m, depth - 1);
    switch (gen_below(w, 7)) {
    case 0:
        return (struct expr){gen_text(w, "NOT (%s)", a.ours), gen_text(w, "(NOT (%s))", a.lite), 0};
    case 1:
        return (struct expr){gen_text(w, "(%s) IS NOT TRUE", a.ours),
                             gen_text(w, "((%s) IS NOT TRUE)", a.lite), 0};
    case 2:
        return (struct expr){gen_text(w, "(%s) IS UNKNOWN", a.ours),
                             gen_text(w, "((%s) IS NULL)", a.lite), 0};
    default:
        break;
    }
    b = condition(m, depth - 1);
    if (gen_below(w, 2) == 0)
        return (struct expr){gen_text(w, "(%s) AND (%s)", a.ours, b.ours),
                             gen_text(w, "((%s) AND (%s))", a.lite, b.lite), 0};
    return (struct expr){gen_text(w, "((%s) OR (%s))", a.ours, b.ours),
                         gen_text(w, "((%s) OR (%s))", a.lite, b.lite), 0};
}

/* ---- queries ---- */

static const char *output(struct maker *m, struct gen_output *o)
{
    static const enum sql_fn fns[] = {SQL_COUNT, SQL_COUNT, SQL_SUM, SQL_SUM,
                                      SQL_MIN,   SQL_MAX,   SQL_AVG};
    static const struct expr dates = {"f", "f", 0}, texts = {"g", "g", 0};
    struct expr e;

    o->fn = fns[gen_below(m->w, sizeof fns / sizeof fns[0])];
    o->lite = NULL;
    o->scale = 0;
    if (o->fn == SQL_COUNT && gen_below(m->w, 2) == 0)
        return "COUNT(*)";
    e = number(m, gen_below(m->w, 3));
    if (o->fn == SQL_COUNT && gen_below(m->w, 2) == 0)
        e = texts;
    if ((o->fn == SQL_MIN || o->fn == SQL_MAX) && gen_below(m->w, 4) == 0)
        e = dates;
    o->lite = e.lite;
    o->scale = e.scale;
    return gen_text(m->w, "%s(%s)", sql_fn_name(o->fn), e.ours);
}

static void make_query(struct gen_world *w, struct gen_query *q, bool may_hide)
{
    struct maker m = {w, q, may_hide};
    const char *items, *where = "";

    *q = (struct gen_query){.lite_where = "1"};
    q->output_count = 1 + gen_below(w, GEN_MAX_OUTPUTS);
    items = output(&m, &q->outputs[0]);
    for (size_t i = 1; i < q->output_count; i++)
        items = gen_text(w, "%s, %s", items, output(&m, &q->outputs[i]));
    if (gen_below(w, 5) != 0) {
        struct expr e = condition(&m, gen_below(w, 4));
        where = gen_text(w, " WHERE %s", e.ours);
        q->lite_where = e.lite;
    }
    q->ours = gen_text(w, "SELECT %s FROM t%s", items, where);
}

/* Some expressions are made and then not used; a parameter must not be lost with them. */
static bool uses_all_params(struct gen_world *w, const struct gen_query *q)
{
    for (size_t i = 0; i < q->param_count; i++) {
        if (strstr(q->ours, gen_text(w, "$%zu", i + 1)) == NULL)
            return false;
    }
    return true;
}

void gen_make_query(struct gen_world *w, struct gen_query *q, bool may_hide)
{
    do {
        make_query(w, q, may_hide);
    } while (!uses_all_params(w, q));
}
