/* Texts, and what is asked of them. */
#include "tests/sql/query_own.h"

static void function(struct pen *p, unsigned depth)
{
    static const char *const before[] = {"UPPER(", "LOWER(",  "TRIM(",
                                         "LTRIM(", "SUBSTR(", "REPLACE("};
    static const char *const after[] = {")", ")", ", 'rd')", ", 'gb')", ", 2, 2)", ", 'e', 'oo')"};
    uint32_t which = pen_roll(p, 6);

    pen_both(p, "%s", before[which]);
    pen_text(p, depth - 1);
    pen_both(p, "%s", after[which]);
}

static void one_of_two(struct pen *p, unsigned depth)
{
    pen_both(p, "CASE WHEN ");
    pen_condition(p, 0);
    pen_both(p, " THEN ");
    pen_text(p, depth - 1);
    if (pen_roll(p, 2) == 0) {
        pen_both(p, " ELSE ");
        pen_text(p, depth - 1);
    }
    pen_both(p, " END");
}

void pen_text(struct pen *p, unsigned depth)
{
    if (depth == 0 || pen_roll(p, 3) == 0) {
        if (pen_roll(p, 4) == 0)
            pen_both(p, "'%s'", PEN_CHOOSE(p, "red", "", "g%", "Blue"));
        else
            pen_both(p, "%c.s", pen_alias(p));
        return;
    }
    switch (pen_roll(p, 5)) {
    case 0:
        pen_both(p, "(");
        pen_text(p, depth - 1);
        pen_both(p, " || ");
        pen_text(p, depth - 1);
        pen_both(p, ")");
        break;
    case 1:
        pen_both(p, "COALESCE(");
        pen_text(p, depth - 1);
        pen_both(p, ", ");
        pen_text(p, depth - 1);
        pen_both(p, ")");
        break;
    case 2:
        one_of_two(p, depth);
        break;
    case 3:
        pen_both(p, "CAST(%c.%s AS TEXT)", pen_alias(p), PEN_CHOOSE(p, "k", "v", "n"));
        break;
    default:
        function(p, depth);
    }
}

void pen_text_condition(struct pen *p)
{
    char a = pen_alias(p);

    switch (pen_roll(p, 8)) {
    case 0:
        pen_both(p, "%c.s = '%s'", a, PEN_CHOOSE(p, "red", "blue", "green", "none"));
        break;
    case 1:
        pen_both(p, "%c.s <> '%s'", a, PEN_CHOOSE(p, "red", "blue"));
        break;
    case 2:
        pen_both(p, "%c.s IN ('red', 'green')", a);
        break;
    case 3:
        pen_both(p, "%c.s = %c.s", a, pen_alias(p));
        break;
    case 4:
    case 5:
        pen_text(p, 1);
        pen_both(p, " %sLIKE '%s'", pen_roll(p, 3) == 0 ? "NOT " : "",
                 PEN_CHOOSE(p, "r%", "%e%", "_e_", "%d", "%", "", "R_D", "b%u%e"));
        break;
    default:
        pen_text(p, 1);
        pen_both(p, " %s ", PEN_CHOOSE(p, "<", "<=", "=", ">=", ">", "<>"));
        pen_text(p, 1);
    }
}
