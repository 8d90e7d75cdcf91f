#include "tests/sql/query.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint32_t dice_below(struct dice *dice, uint32_t n)
{
    uint64_t z = dice->state += 0x9e3779b97f4a7c15;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return (uint32_t)((z ^ (z >> 31)) % n);
}

/* ---- a text in two spellings ---- */

struct pen {
    struct dice *dice;
    struct query *query;
    struct base_buf ours, lite;
    const char *aliases; /* tables at hand: "a", "ab", "abc" */
    unsigned nested;     /* subqueries around */
};

static uint32_t roll(struct pen *p, uint32_t n)
{
    return dice_below(p->dice, n);
}

static void both(struct pen *p, const char *fmt, ...) FM_PRINTF(2, 3);
static void both(struct pen *p, const char *fmt, ...)
{
    char text[256];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    base_buf_put_str(&p->ours, text);
    base_buf_put_str(&p->lite, text);
}

static void each(struct pen *p, const char *ours, const char *lite)
{
    base_buf_put_str(&p->ours, ours);
    base_buf_put_str(&p->lite, lite);
}

static const char *choose(struct pen *p, const char *const *texts, uint32_t count)
{
    return texts[roll(p, count)];
}
#define CHOOSE(p, ...)                            \
    choose(p, (const char *const[]){__VA_ARGS__}, \
           sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static char any_alias(struct pen *p)
{
    return p->aliases[roll(p, (uint32_t)strlen(p->aliases))];
}

/* ---- expressions: every table has k, g, v, n (integers), s (text), d (date) ---- */

static void integer(struct pen *p, unsigned depth);
static void condition(struct pen *p, unsigned depth);

static void integer_column(struct pen *p)
{
    both(p, "%c.%s", any_alias(p), CHOOSE(p, "k", "g", "v", "v", "n", "n"));
}

static void case_expression(struct pen *p, unsigned depth)
{
    both(p, "CASE WHEN ");
    condition(p, depth - 1);
    both(p, " THEN ");
    integer(p, depth - 1);
    if (roll(p, 3) > 0) {
        both(p, " ELSE ");
        integer(p, depth - 1);
    }
    both(p, " END");
}

static void of_two(struct pen *p, unsigned depth, const char *before, const char *between)
{
    both(p, "%s", before);
    integer(p, depth - 1);
    both(p, "%s", between);
    integer(p, depth - 1);
    both(p, ")");
}

static void date_part(struct pen *p)
{
    static const char *const ours[] = {"YEAR", "MONTH", "DAY"};
    static const char *const lite[] = {"%Y", "%m", "%d"};
    uint32_t which = roll(p, 3);
    char alias = any_alias(p);

    base_buf_putf(&p->ours, "EXTRACT(%s FROM %c.d)", ours[which], alias);
    base_buf_putf(&p->lite, "CAST(strftime('%s', %c.d) AS INTEGER)", lite[which], alias);
}

static void integer(struct pen *p, unsigned depth)
{
    if (depth == 0 || roll(p, 3) == 0) {
        if (roll(p, 4) == 0)
            both(p, "%s%u", roll(p, 4) == 0 ? "-" : "", roll(p, 60));
        else
            integer_column(p);
        return;
    }
    switch (roll(p, 9)) {
    case 0:
        of_two(p, depth, "(", " + ");
        break;
    case 1:
        of_two(p, depth, "(", " - ");
        break;
    case 2:
        of_two(p, depth, "(", " * ");
        break;
    case 3:
        of_two(p, depth, "COALESCE(", ", ");
        break;
    case 4:
        of_two(p, depth, "NULLIF(", ", ");
        break;
    case 5:
        both(p, "ABS(");
        integer(p, depth - 1);
        both(p, ")");
        break;
    case 6:
        both(p, "(");
        integer(p, depth - 1);
        both(p, " / %s%u)", roll(p, 3) == 0 ? "-" : "", roll(p, 9) + 1);
        break;
    case 7:
        date_part(p);
        break;
    default:
        case_expression(p, depth);
    }
}

static void text_condition(struct pen *p)
{
    char a = any_alias(p);

    switch (roll(p, 4)) {
    case 0:
        both(p, "%c.s = '%s'", a, CHOOSE(p, "red", "blue", "green", "none"));
        break;
    case 1:
        both(p, "%c.s <> '%s'", a, CHOOSE(p, "red", "blue"));
        break;
    case 2:
        both(p, "%c.s IN ('red', 'green')", a);
        break;
    default:
        both(p, "%c.s = %c.s", a, any_alias(p));
    }
}

static void comparison(struct pen *p, unsigned depth)
{
    integer(p, depth > 0 ? depth - 1 : 0);
    both(p, " %s ", CHOOSE(p, "<", "<=", "=", ">=", ">", "<>"));
    integer(p, depth > 0 ? depth - 1 : 0);
}

/* IN, EXISTS and scalar subqueries, correlated at times. */
static void subquery_condition(struct pen *p)
{
    char outer = any_alias(p);
    const char *aliases = p->aliases;
    const char *table = CHOOSE(p, "t", "u", "w", "bank_a.u");
    uint32_t kind = roll(p, 4);

    p->nested++;
    if (kind == 0)
        both(p, "%c.%s %sIN (SELECT x.%s FROM %s x", outer, CHOOSE(p, "k", "v", "n"),
             roll(p, 2) == 0 ? "NOT " : "", CHOOSE(p, "k", "v", "n"), table);
    else if (kind <= 2)
        both(p, "%sEXISTS (SELECT 1 FROM %s x WHERE x.%s = %c.%s", kind == 1 ? "" : "NOT ", table,
             CHOOSE(p, "k", "g", "n"), outer, CHOOSE(p, "k", "g", "n"));
    else
        both(p, "%c.v %s (SELECT %s(x.%s) FROM %s x", outer, CHOOSE(p, "<", ">=", "="),
             CHOOSE(p, "MIN", "MAX", "SUM"), CHOOSE(p, "v", "n"), table);
    if (roll(p, 2) == 0) {
        both(p, kind == 1 || kind == 2 ? " AND " : " WHERE ");
        p->aliases = "x";
        condition(p, 1);
        p->aliases = aliases;
    }
    both(p, ")");
    p->nested--;
}

static void connected(struct pen *p, unsigned depth, const char *word)
{
    both(p, "(");
    condition(p, depth - 1);
    both(p, " %s ", word);
    condition(p, depth - 1);
    both(p, ")");
}

static void condition(struct pen *p, unsigned depth)
{
    switch (roll(p, depth == 0 ? 6 : 10)) {
    case 0:
        text_condition(p);
        break;
    case 1:
        both(p, "%c.%s IS %sNULL", any_alias(p), CHOOSE(p, "v", "n", "s", "d"),
             roll(p, 2) == 0 ? "NOT " : "");
        break;
    case 2:
        both(p, "%c.v %sBETWEEN %u AND %u", any_alias(p), roll(p, 3) == 0 ? "NOT " : "",
             roll(p, 20), 10 + roll(p, 40));
        break;
    case 3:
        both(p, "%c.n %sIN (%u, %u, %u)", any_alias(p), roll(p, 3) == 0 ? "NOT " : "", roll(p, 9),
             roll(p, 9), roll(p, 9));
        break;
    case 4: {
        char alias = any_alias(p);
        uint32_t day = roll(p, 28) + 1;
        base_buf_putf(&p->ours, "%c.d < DATE '2020-03-%02u'", alias, day);
        base_buf_putf(&p->lite, "%c.d < '2020-03-%02u'", alias, day);
        break;
    }
    case 5:
    case 6:
        comparison(p, depth);
        break;
    case 7:
        connected(p, depth, "AND");
        break;
    case 8:
        connected(p, depth, "OR");
        break;
    default:
        both(p, "NOT (");
        condition(p, depth - 1);
        both(p, ")");
    }
}

/* ---- parts ---- */

static void keep(struct pen *p, enum part_kind kind)
{
    struct query *q = p->query;
    struct part *part = &q->parts[q->part_count];

    if (q->part_count < QUERY_PARTS) {
        *part = (struct part){kind, false, sql_arena_text(&q->arena, base_buf_cstr(&p->ours)),
                              sql_arena_text(&q->arena, base_buf_cstr(&p->lite))};
        if (part->ours == NULL || part->lite == NULL)
            abort();
        q->part_count++;
    }
    base_buf_clear(&p->ours);
    base_buf_clear(&p->lite);
}

/* SQLite has no variances: from its sums, in doubles. */
static void variance(struct pen *p)
{
    char a = any_alias(p);
    const char *x = CHOOSE(p, "v", "n", "g");
    bool sample = roll(p, 2) == 0;

    base_buf_putf(&p->ours, "%s(%c.%s)", sample ? "VAR_SAMP" : "VAR_POP", a, x);
    base_buf_putf(&p->lite,
                  "((1.0 * SUM(%c.%s * %c.%s) - 1.0 * SUM(%c.%s) * SUM(%c.%s) / COUNT(%c.%s)) / ",
                  a, x, a, x, a, x, a, x, a, x);
    base_buf_putf(&p->lite, "NULLIF(COUNT(%c.%s) - %d, 0))", a, x, sample);
}

static void aggregate(struct pen *p)
{
    if (roll(p, 12) == 0) {
        variance(p);
        return;
    }
    switch (roll(p, 8)) {
    case 0:
        both(p, "COUNT(*)");
        break;
    case 1:
        both(p, "COUNT(%c.%s)", any_alias(p), CHOOSE(p, "v", "n", "s", "d"));
        break;
    case 2:
        both(p, "COUNT(DISTINCT %c.%s)", any_alias(p), CHOOSE(p, "g", "n", "s"));
        break;
    case 3:
        each(p, "BOOL_AND(", "MIN(");
        comparison(p, 1);
        both(p, ")");
        break;
    default:
        both(p, "%s(", CHOOSE(p, "SUM", "MIN", "MAX", "AVG"));
        integer(p, roll(p, 3));
        both(p, ")");
    }
    if (roll(p, 5) == 0) {
        both(p, " FILTER (WHERE ");
        condition(p, 1);
        both(p, ")");
    }
}

static void join(struct pen *p, unsigned index)
{
    char alias = (char)('b' + index);
    static const char *const at_hand[] = {"a", "ab", "abc"};
    const char *table = CHOOSE(p, "t", "u", "w", "bank_a.u", "bank_b.u");
    bool on_key = roll(p, 4) > 0;
    const char *left;

    left = on_key ? "n" : CHOOSE(p, "g", "k", "s");
    both(p, " %sJOIN %s %c ON %c.%s = %c.%s", CHOOSE(p, "", "INNER ", "LEFT ", "LEFT "), table,
         alias, any_alias(p), left, alias,
         on_key              ? "k"
         : strcmp(left, "s") ? CHOOSE(p, "g", "k")
                             : "s");
    if (roll(p, 5) == 0)
        both(p, " AND %c.g = %c.g", any_alias(p), alias);
    p->aliases = at_hand[index + 1];
    if (roll(p, 5) == 0) {
        both(p, " AND ");
        condition(p, 0);
    }
    keep(p, PART_JOIN);
}

static void where(struct pen *p)
{
    for (uint32_t i = roll(p, 3); i > 0; i--) {
        if (roll(p, 4) == 0)
            subquery_condition(p);
        else
            condition(p, 2);
        keep(p, PART_WHERE);
    }
}

static void grouped(struct pen *p)
{
    uint32_t keys = roll(p, 3);

    for (uint32_t i = 0; i < keys; i++) {
        char alias = any_alias(p);
        const char *name = CHOOSE(p, "g", "n", "s", "d", "g");
        both(p, "%c.%s", alias, name);
        keep(p, PART_GROUP);
        both(p, "%c.%s", alias, name);
        keep(p, PART_OUTPUT);
        both(p, "%c.%s%s", alias, name, CHOOSE(p, "", " DESC", " NULLS FIRST", " NULLS LAST"));
        if (roll(p, 2) == 0)
            keep(p, PART_ORDER);
        base_buf_clear(&p->ours);
        base_buf_clear(&p->lite);
    }
    for (uint32_t i = 1 + roll(p, 3); i > 0; i--) {
        aggregate(p);
        keep(p, PART_OUTPUT);
    }
    if (keys > 0 && roll(p, 3) == 0) {
        both(p, "%s(%c.v) > %u", CHOOSE(p, "COUNT", "SUM", "MAX"), any_alias(p), roll(p, 9));
        keep(p, PART_HAVING);
    }
}

static void window(struct pen *p)
{
    char a = p->aliases[0];

    both(p, "%s OVER (PARTITION BY %c.g ORDER BY %c.%s NULLS LAST, %c.k NULLS LAST)",
         p->aliases[1] == '\0' && roll(p, 4) == 0
             ? "ROW_NUMBER()" /* else rows may be equal in all of the order */
             : CHOOSE(p, "RANK()", "COUNT(*)", "SUM(a.v)"),
         a, a, CHOOSE(p, "v", "n"), a);
    keep(p, PART_OUTPUT);
}

static void rows(struct pen *p)
{
    for (uint32_t i = 1 + roll(p, 3); i > 0; i--) {
        if (roll(p, 3) == 0)
            both(p, "%c.%s", any_alias(p), CHOOSE(p, "s", "d", "k"));
        else
            integer(p, 2);
        keep(p, PART_OUTPUT);
    }
    if (roll(p, 4) == 0)
        window(p);
    else if (roll(p, 4) == 0)
        p->query->distinct = true;
}

static void ordered(struct pen *p)
{
    static const char *const limits[] = {"", "", " LIMIT 3", " LIMIT 5 OFFSET 2", " LIMIT 0"};

    if (p->query->distinct || roll(p, 3) > 0)
        return;
    both(p, "a.%s%s NULLS %s", CHOOSE(p, "v", "n", "d"), roll(p, 2) == 0 ? " DESC" : "",
         roll(p, 2) == 0 ? "FIRST" : "LAST");
    keep(p, PART_ORDER);
    for (size_t i = 0; p->aliases[i] != '\0';
         i++) { /* k is unique in every table: the order is total */
        both(p, "%c.k NULLS LAST", p->aliases[i]);
        keep(p, PART_ORDER);
    }
    p->query->total = true;
    p->query->limit = choose(p, limits, sizeof limits / sizeof *limits);
}

void query_make(struct query *q, struct dice *dice)
{
    struct pen p = {.dice = dice, .query = q, .aliases = "a"};
    uint32_t joins = roll(&p, 4);

    *q = (struct query){.limit = ""};
    q->from = CHOOSE(&p, "t", "t", "u", "w", "bank_a.u");
    for (uint32_t i = 0; i < (joins == 3 ? 0 : joins); i++)
        join(&p, i);
    where(&p);
    if (roll(&p, 3) > 0) {
        grouped(&p);
    } else {
        rows(&p);
        ordered(&p);
    }
    base_buf_release(&p.ours);
    base_buf_release(&p.lite);
}

void query_release(struct query *q)
{
    sql_arena_release(&q->arena);
}

/* ---- writing ---- */

static void write_parts(const struct query *q, struct base_buf *out, bool lite, enum part_kind kind,
                        const char *before, const char *between)
{
    bool first = true;

    for (size_t i = 0; i < q->part_count; i++) {
        const struct part *part = &q->parts[i];
        if (part->kind != kind || part->off)
            continue;
        base_buf_putf(out, "%s%s", first ? before : between, lite ? part->lite : part->ours);
        first = false;
    }
}

static void write_one(const struct query *q, struct base_buf *out, bool lite)
{
    base_buf_clear(out);
    write_parts(q, out, lite, PART_OUTPUT, q->distinct ? "SELECT DISTINCT " : "SELECT ", ", ");
    base_buf_putf(out, " FROM %s a", q->from);
    write_parts(q, out, lite, PART_JOIN, "", "");
    write_parts(q, out, lite, PART_WHERE, " WHERE ", " AND ");
    write_parts(q, out, lite, PART_GROUP, " GROUP BY ", ", ");
    write_parts(q, out, lite, PART_HAVING, " HAVING ", " AND ");
    write_parts(q, out, lite, PART_ORDER, " ORDER BY ", ", ");
    base_buf_put_str(out, q->limit);
}

void query_write(const struct query *q, struct base_buf *ours, struct base_buf *lite)
{
    write_one(q, ours, false);
    write_one(q, lite, true);
}

bool query_ordered(const struct query *q)
{
    for (size_t i = 0; i < q->part_count; i++) {
        if (q->parts[i].kind == PART_ORDER && q->parts[i].off)
            return false;
    }
    return q->total;
}
