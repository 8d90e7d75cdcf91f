#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/sql/query_own.h"

/* ---- a text in two spellings ---- */

uint32_t pen_roll(struct pen *p, uint32_t n)
{
    return dice_below(p->dice, n);
}

void pen_both(struct pen *p, const char *fmt, ...)
{
    char text[256];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    base_buf_put_str(&p->ours, text);
    base_buf_put_str(&p->lite, text);
}

void pen_each(struct pen *p, const char *ours, const char *lite)
{
    base_buf_put_str(&p->ours, ours);
    base_buf_put_str(&p->lite, lite);
}

const char *pen_choose(struct pen *p, const char *const *texts, uint32_t count)
{
    return texts[pen_roll(p, count)];
}

char pen_alias(struct pen *p)
{
    return p->aliases[pen_roll(p, (uint32_t)strlen(p->aliases))];
}

/* ---- expressions: every table has k, g, v, n (integers), s (text), d (date) ---- */

static void integer_column(struct pen *p)
{
    pen_both(p, "%c.%s", pen_alias(p), PEN_CHOOSE(p, "k", "g", "v", "v", "n", "n"));
}

static void case_expression(struct pen *p, unsigned depth)
{
    pen_both(p, "CASE WHEN ");
    pen_condition(p, depth - 1);
    pen_both(p, " THEN ");
    pen_integer(p, depth - 1);
    if (pen_roll(p, 3) > 0) {
        pen_both(p, " ELSE ");
        pen_integer(p, depth - 1);
    }
    pen_both(p, " END");
}

static void of_two(struct pen *p, unsigned depth, const char *before, const char *between)
{
    pen_both(p, "%s", before);
    pen_integer(p, depth - 1);
    pen_both(p, "%s", between);
    pen_integer(p, depth - 1);
    pen_both(p, ")");
}

static void date_part(struct pen *p)
{
    static const char *const ours[] = {"YEAR", "MONTH", "DAY"};
    static const char *const lite[] = {"%Y", "%m", "%d"};
    uint32_t which = pen_roll(p, 3);
    char alias = pen_alias(p);

    base_buf_putf(&p->ours, "EXTRACT(%s FROM %c.d)", ours[which], alias);
    base_buf_putf(&p->lite, "CAST(strftime('%s', %c.d) AS INTEGER)", lite[which], alias);
}

void pen_integer(struct pen *p, unsigned depth)
{
    if (depth == 0 || pen_roll(p, 3) == 0) {
        if (pen_roll(p, 4) == 0)
            pen_both(p, "%s%u", pen_roll(p, 4) == 0 ? "-" : "", pen_roll(p, 60));
        else
            integer_column(p);
        return;
    }
    switch (pen_roll(p, 10)) {
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
        pen_both(p, "ABS(");
        pen_integer(p, depth - 1);
        pen_both(p, ")");
        break;
    case 6:
        pen_both(p, "(");
        pen_integer(p, depth - 1);
        pen_both(p, " / %s%u)", pen_roll(p, 3) == 0 ? "-" : "", pen_roll(p, 9) + 1);
        break;
    case 7:
        date_part(p);
        break;
    case 8:
        pen_both(p, "LENGTH(");
        pen_text(p, depth - 1);
        pen_both(p, ")");
        break;
    default:
        case_expression(p, depth);
    }
}

void pen_comparison(struct pen *p, unsigned depth)
{
    pen_integer(p, depth > 0 ? depth - 1 : 0);
    pen_both(p, " %s ", PEN_CHOOSE(p, "<", "<=", "=", ">=", ">", "<>"));
    pen_integer(p, depth > 0 ? depth - 1 : 0);
}

void pen_subquery(struct pen *p)
{
    char outer = pen_alias(p);
    const char *aliases = p->aliases;
    const char *table = pen_table(p);
    uint32_t kind = pen_roll(p, 6);
    bool tied = kind == 1 || kind == 2 || kind >= 4;

    p->nested++;
    if (kind == 5)
        pen_both(p, "%c.n %s (SELECT x.%s FROM %s x WHERE x.k = %c.%s", outer,
                 PEN_CHOOSE(p, "<", ">=", "="), PEN_CHOOSE(p, "g", "n", "v"), table, outer,
                 PEN_CHOOSE(p, "k", "n"));
    else if (kind == 0)
        pen_both(p, "%c.%s %sIN (SELECT x.%s FROM %s x", outer, PEN_CHOOSE(p, "k", "v", "n"),
                 pen_roll(p, 2) == 0 ? "NOT " : "", PEN_CHOOSE(p, "k", "v", "n"), table);
    else if (kind <= 2)
        pen_both(p, "%sEXISTS (SELECT 1 FROM %s x WHERE x.%s %s %c.%s", kind == 1 ? "" : "NOT ",
                 table, PEN_CHOOSE(p, "k", "g", "n"), PEN_CHOOSE(p, "=", "=", "=", "<", "<>"),
                 outer, PEN_CHOOSE(p, "k", "g", "n"));
    else if (kind == 3)
        pen_both(p, "%c.v %s (SELECT %s(x.%s) FROM %s x", outer, PEN_CHOOSE(p, "<", ">=", "="),
                 PEN_CHOOSE(p, "MIN", "MAX", "SUM", "COUNT"), PEN_CHOOSE(p, "v", "n"), table);
    else
        pen_both(p, "%c.n %s (SELECT %s(x.%s) FROM %s x WHERE x.%s %s %c.%s", outer,
                 PEN_CHOOSE(p, "<", ">=", "="), PEN_CHOOSE(p, "MIN", "SUM", "COUNT", "COUNT"),
                 PEN_CHOOSE(p, "g", "n"), table, PEN_CHOOSE(p, "k", "g", "n"),
                 PEN_CHOOSE(p, "=", "<", ">="), outer, PEN_CHOOSE(p, "k", "g", "n"));
    /* Of the same name, but perhaps of another table around. */
    if (tied && pen_roll(p, 3) == 0)
        pen_both(p, " AND x.%s %s %c.%s", PEN_CHOOSE(p, "v", "g", "n"), PEN_CHOOSE(p, "<", ">="),
                 pen_alias(p), PEN_CHOOSE(p, "k", "g", "n"));
    if (pen_roll(p, 2) == 0) {
        pen_both(p, tied ? " AND " : " WHERE ");
        p->aliases = "x";
        pen_condition(p, 1);
        p->aliases = aliases;
    }
    pen_both(p, ")");
    p->nested--;
}

static void connected(struct pen *p, unsigned depth, const char *word)
{
    pen_both(p, "(");
    pen_condition(p, depth - 1);
    pen_both(p, " %s ", word);
    pen_condition(p, depth - 1);
    pen_both(p, ")");
}

void pen_condition(struct pen *p, unsigned depth)
{
    switch (pen_roll(p, depth == 0 ? 6 : 10)) {
    case 0:
        pen_text_condition(p);
        break;
    case 1:
        pen_both(p, "%c.%s IS %sNULL", pen_alias(p), PEN_CHOOSE(p, "v", "n", "s", "d"),
                 pen_roll(p, 2) == 0 ? "NOT " : "");
        break;
    case 2:
        pen_both(p, "%c.v %sBETWEEN %u AND %u", pen_alias(p), pen_roll(p, 3) == 0 ? "NOT " : "",
                 pen_roll(p, 20), 10 + pen_roll(p, 40));
        break;
    case 3:
        pen_both(p, "%c.n %sIN (%u, %u, %u)", pen_alias(p), pen_roll(p, 3) == 0 ? "NOT " : "",
                 pen_roll(p, 9), pen_roll(p, 9), pen_roll(p, 9));
        break;
    case 4: {
        char alias = pen_alias(p);
        uint32_t day = pen_roll(p, 28) + 1;
        base_buf_putf(&p->ours, "%c.d < DATE '2020-03-%02u'", alias, day);
        base_buf_putf(&p->lite, "%c.d < '2020-03-%02u'", alias, day);
        break;
    }
    case 5:
    case 6:
        pen_comparison(p, depth);
        break;
    case 7:
        connected(p, depth, "AND");
        break;
    case 8:
        connected(p, depth, "OR");
        break;
    default:
        pen_both(p, "NOT (");
        pen_condition(p, depth - 1);
        pen_both(p, ")");
    }
}
