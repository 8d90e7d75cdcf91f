#include "tests/sql/query.h"

#include <stdlib.h>
#include <string.h>

#include "tests/sql/query_own.h"

uint32_t dice_below(struct dice *dice, uint32_t n)
{
    uint64_t z = dice->state += 0x9e3779b97f4a7c15;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return (uint32_t)((z ^ (z >> 31)) % n);
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
    char a = pen_alias(p);
    const char *x = PEN_CHOOSE(p, "v", "n", "g");
    bool sample = pen_roll(p, 2) == 0;

    base_buf_putf(&p->ours, "%s(%c.%s)", sample ? "VAR_SAMP" : "VAR_POP", a, x);
    base_buf_putf(&p->lite,
                  "((1.0 * SUM(%c.%s * %c.%s) - 1.0 * SUM(%c.%s) * SUM(%c.%s) / COUNT(%c.%s)) / ",
                  a, x, a, x, a, x, a, x, a, x);
    base_buf_putf(&p->lite, "NULLIF(COUNT(%c.%s) - %d, 0))", a, x, sample);
}

static void aggregate(struct pen *p)
{
    if (pen_roll(p, 12) == 0) {
        variance(p);
        return;
    }
    switch (pen_roll(p, 8)) {
    case 0:
        pen_both(p, "COUNT(*)");
        break;
    case 1:
        pen_both(p, "COUNT(%c.%s)", pen_alias(p), PEN_CHOOSE(p, "v", "n", "s", "d"));
        break;
    case 2:
        pen_both(p, "COUNT(DISTINCT %c.%s)", pen_alias(p), PEN_CHOOSE(p, "g", "n", "s"));
        break;
    case 3:
        pen_each(p, "BOOL_AND(", "MIN(");
        pen_comparison(p, 1);
        pen_both(p, ")");
        break;
    default:
        pen_both(p, "%s(", PEN_CHOOSE(p, "SUM", "MIN", "MAX", "AVG"));
        pen_integer(p, pen_roll(p, 3));
        pen_both(p, ")");
    }
    if (pen_roll(p, 5) == 0) {
        pen_both(p, " FILTER (WHERE ");
        pen_condition(p, 1);
        pen_both(p, ")");
    }
}

/* Tables of one member: it joins them by itself. */
static const char *table_at_home(struct pen *p)
{
    struct base_buf text = {0};
    const char *table, *kept;

    table = strcmp(p->home, "bank_c") == 0 ? PEN_CHOOSE(p, "t", "w") : PEN_CHOOSE(p, "t", "u");
    switch (pen_roll(p, 8)) {
    case 0:
        base_buf_putf(&text, "(SELECT k, g, n + 1 AS v, v AS n, s, d FROM %s.%s WHERE g > 0)",
                      p->home, table);
        break;
    case 1:
        base_buf_putf(&text,
                      "(SELECT k, g, COALESCE(v, 3) AS v, n, s, d FROM %s.%s WHERE NOT s = 'red')",
                      p->home, table);
        break;
    default:
        base_buf_putf(&text, "%s.%s", p->home, table);
    }
    kept = sql_arena_text(&p->query->arena, base_buf_cstr(&text));
    base_buf_release(&text);
    return kept != NULL ? kept : "t";
}

const char *pen_table(struct pen *p)
{
    return p->home != NULL ? table_at_home(p)
                           : PEN_CHOOSE(p, "t", "u", "w", "bank_a.u", "bank_b.u");
}

static void join(struct pen *p, unsigned index)
{
    char alias = (char)('b' + index);
    static const char *const at_hand[] = {"a", "ab", "abc"};
    const char *table = pen_table(p);
    bool on_key = pen_roll(p, 4) > 0;
    const char *left;

    if (pen_roll(p, 10) == 0) {
        pen_both(p, " CROSS JOIN %s %c", table, alias);
        p->aliases = at_hand[index + 1];
        keep(p, PART_JOIN);
        return;
    }
    left = on_key ? "n" : PEN_CHOOSE(p, "g", "k", "s");
    pen_both(p, " %sJOIN %s %c ON %c.%s = %c.%s", PEN_CHOOSE(p, "", "INNER ", "LEFT ", "LEFT "),
             table, alias, pen_alias(p), left, alias,
             on_key              ? "k"
             : strcmp(left, "s") ? PEN_CHOOSE(p, "g", "k")
                                 : "s");
    if (pen_roll(p, 5) == 0)
        pen_both(p, " AND %c.g = %c.g", pen_alias(p), alias);
    p->aliases = at_hand[index + 1];
    if (pen_roll(p, 5) == 0) {
        pen_both(p, " AND ");
        pen_condition(p, 0);
    }
    keep(p, PART_JOIN);
}

static void where(struct pen *p)
{
    for (uint32_t i = pen_roll(p, 3); i > 0; i--) {
        if (pen_roll(p, 4) == 0)
            pen_subquery(p);
        else
            pen_condition(p, 2);
        keep(p, PART_WHERE);
    }
}

static void grouped(struct pen *p)
{
    uint32_t keys = pen_roll(p, 3);

    for (uint32_t i = 0; i < keys; i++) {
        char alias = pen_alias(p);
        const char *name = PEN_CHOOSE(p, "g", "n", "s", "d", "g");
        pen_both(p, "%c.%s", alias, name);
        keep(p, PART_GROUP);
        pen_both(p, "%c.%s", alias, name);
        keep(p, PART_OUTPUT);
        pen_both(p, "%c.%s%s", alias, name,
                 PEN_CHOOSE(p, "", " DESC", " NULLS FIRST", " NULLS LAST"));
        if (pen_roll(p, 2) == 0)
            keep(p, PART_ORDER);
        base_buf_clear(&p->ours);
        base_buf_clear(&p->lite);
    }
    for (uint32_t i = 1 + pen_roll(p, 3); i > 0; i--) {
        aggregate(p);
        keep(p, PART_OUTPUT);
    }
    if (keys > 0 && pen_roll(p, 3) == 0) {
        pen_both(p, "%s(%c.v) > %u", PEN_CHOOSE(p, "COUNT", "SUM", "MAX"), pen_alias(p),
                 pen_roll(p, 9));
        keep(p, PART_HAVING);
    }
}

static void window(struct pen *p)
{
    char a = p->aliases[0];

    pen_both(p, "%s OVER (PARTITION BY %c.g ORDER BY %c.%s NULLS LAST, %c.k NULLS LAST)",
             p->aliases[1] == '\0' && pen_roll(p, 4) == 0
                 ? "ROW_NUMBER()" /* else rows may be equal in all of the order */
                 : PEN_CHOOSE(p, "RANK()", "COUNT(*)", "SUM(a.v)"),
             a, a, PEN_CHOOSE(p, "v", "n"), a);
    keep(p, PART_OUTPUT);
}

static void rows(struct pen *p)
{
    for (uint32_t i = 1 + pen_roll(p, 3); i > 0; i--) {
        if (pen_roll(p, 3) == 0)
            pen_both(p, "%c.%s", pen_alias(p), PEN_CHOOSE(p, "s", "d", "k"));
        else if (pen_roll(p, 4) == 0)
            pen_text(p, 2);
        else
            pen_integer(p, 2);
        keep(p, PART_OUTPUT);
    }
    if (pen_roll(p, 4) == 0)
        window(p);
    else if (pen_roll(p, 4) == 0)
        p->query->distinct = true;
}

static void ordered(struct pen *p)
{
    static const char *const limits[] = {"", "", " LIMIT 3", " LIMIT 5 OFFSET 2", " LIMIT 0"};

    if (p->query->distinct || pen_roll(p, 3) > 0)
        return;
    pen_both(p, "a.%s%s NULLS %s", PEN_CHOOSE(p, "v", "n", "d"), pen_roll(p, 2) == 0 ? " DESC" : "",
             pen_roll(p, 2) == 0 ? "FIRST" : "LAST");
    keep(p, PART_ORDER);
    for (size_t i = 0; p->aliases[i] != '\0';
         i++) { /* k is unique in every table: the order is total */
        pen_both(p, "%c.k NULLS LAST", p->aliases[i]);
        keep(p, PART_ORDER);
    }
    p->query->total = true;
    p->query->limit = pen_choose(p, limits, sizeof limits / sizeof *limits);
}

void query_make(struct query *q, struct dice *dice)
{
    struct pen p = {.dice = dice, .query = q, .aliases = "a"};
    uint32_t joins = pen_roll(&p, 4);

    *q = (struct query){.limit = ""};
    if (pen_roll(&p, 3) == 0) {
        p.home = PEN_CHOOSE(&p, "bank_a", "bank_b", "bank_c");
        q->from = pen_table(&p);
    } else {
        q->from = PEN_CHOOSE(&p, "t", "t", "u", "w", "bank_a.u");
    }
    for (uint32_t i = 0; i < (joins == 3 ? 0 : joins); i++)
        join(&p, i);
    where(&p);
    if (pen_roll(&p, 3) > 0) {
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
