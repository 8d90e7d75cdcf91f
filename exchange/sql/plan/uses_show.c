/* Uses for people, and for a contract. */
#include <stdlib.h>
#include <string.h>

#include "exchange/sql/parse/place.h"
#include "exchange/sql/plan/uses.h"

bool sql_uses_at(const struct sql_uses *uses, size_t i, struct sql_use_entry *out)
{
    if (i >= uses->entry_count)
        return false;
    *out = uses->entries[i];
    return true;
}

/* The order of names in the JSON form is alphabetical; bits are in the order of design.md. */
static json_t *set_json(unsigned set)
{
    static const unsigned alphabetical[SQL_USE_COUNT] = {3, 4, 6, 0, 2, 1, 7, 5, 8};
    json_t *list = json_array();

    for (size_t i = 0; i < SQL_USE_COUNT; i++) {
        if ((set >> alphabetical[i] & 1) != 0)
            (void)json_array_append_new(list, json_string(sql_use_name(alphabetical[i])));
    }
    return list;
}

fm_status sql_uses_json(json_t **out, const struct sql_uses *uses, const char *member,
                        struct base_err *err)
{
    struct sql_use_entry e;

    *out = json_array();
    for (size_t i = 0; *out != NULL && sql_uses_at(uses, i, &e); i++) {
        json_t *o;
        if (member != NULL && strcmp(member, e.member) != 0)
            continue;
        o = json_pack("{s:s, s:s, s:s, s:o}", "member", e.member, "dataset", e.dataset, "column",
                      e.column, "uses", set_json(e.uses));
        if (o == NULL || json_array_append_new(*out, o) != 0) {
            json_decref(*out);
            *out = NULL;
        }
    }
    return *out != NULL ? FM_OK : base_err_memory(err, "SQL uses");
}

/* Are these the same provider's column, of two mentions of its table? */
static bool same_column(const struct sql_plan *plan, size_t x, size_t y)
{
    const struct sql_table *t = &plan->tables[plan->columns[x].table];
    const struct sql_table *u = &plan->tables[plan->columns[y].table];

    return x == y || (strcmp(t->name, u->name) == 0 &&
                      strcmp(plan->columns[x].name, plan->columns[y].name) == 0);
}

static void print_places(struct base_buf *out, const struct sql_uses *uses, size_t column,
                         unsigned bit)
{
    const char *separator = " at ";

    for (size_t i = 0; i < uses->place_count; i++) {
        const struct sql_use_place *p = &uses->places[i];
        struct sql_place place = sql_place_of(uses->plan->text, p->at);
        if (!same_column(uses->plan, p->column, column) || (p->uses >> bit & 1) == 0)
            continue;
        base_buf_putf(out, "%s%u:%u", separator, place.line, place.column);
        separator = ", ";
    }
}

void sql_uses_print(struct base_buf *out, const struct sql_uses *uses)
{
    struct sql_use_entry e;

    base_buf_putf(out, "%-40s %-10s %s\n", "column", "use", "in the text (line:column)");
    for (size_t i = 0; sql_uses_at(uses, i, &e); i++) {
        struct base_buf name = {0};
        base_buf_putf(&name, "%s.%s.%s", e.member, e.dataset, e.column);
        for (unsigned bit = 0; bit < SQL_USE_COUNT; bit++) {
            if ((e.uses >> bit & 1) == 0)
                continue;
            base_buf_putf(out, "%-40s %-10s", base_buf_cstr(&name), sql_use_name(bit));
            print_places(out, uses, e.column_index, bit);
            base_buf_put_u8(out, '\n');
        }
        out->failed = out->failed || name.failed;
        base_buf_release(&name);
    }
}
