#include "exchange/contract/uses.h"

#include <string.h>

#include "exchange/sql/plan/uses.h"

/* NULL when memory is out: an officer must never see a shorter list. */
static json_t *use_names(unsigned uses)
{
    json_t *names = json_array();

    for (unsigned bit = 0; names != NULL && bit < SQL_USE_COUNT; bit++)
        if ((uses >> bit & 1) != 0 &&
            json_array_append_new(names, json_string(sql_use_name(bit))) != 0) {
            json_decref(names);
            names = NULL;
        }
    return names;
}

/* Whether the member's columns need their dataset's name: it provides more than one. */
static bool several_datasets(const struct sql_plan *plan, const char *member)
{
    const char *first = NULL;

    for (size_t i = 0; i < plan->source_count; i++) {
        const struct sql_source *s = &plan->sources[i];
        if (strcmp(s->member, member) != 0)
            continue;
        if (first != NULL && strcmp(first, s->dataset) != 0)
            return true;
        first = s->dataset;
    }
    return false;
}

static json_t *use_json(const struct sql_plan *plan, const struct sql_use_entry *e)
{
    if (several_datasets(plan, e->member))
        return json_pack("{s:o,s:o}", "column", json_sprintf("%s.%s", e->dataset, e->column),
                         "uses", use_names(e->uses));
    return json_pack("{s:s,s:o}", "column", e->column, "uses", use_names(e->uses));
}

fm_status contract_uses_by_member(json_t **out, const struct sql_plan *plan, struct base_err *err)
{
    struct sql_uses uses;
    struct sql_use_entry e;
    json_t *all = json_object();
    fm_status st = all != NULL ? sql_uses_derive(&uses, plan, err) : base_err_memory(err, "uses");

    *out = all;
    if (st != FM_OK)
        return st;
    /* Providers of which no column is read have an empty list. */
    for (size_t i = 0; st == FM_OK && i < plan->source_count; i++)
        if (json_object_set_new(all, plan->sources[i].member, json_array()) != 0)
            st = base_err_memory(err, "uses");
    for (size_t i = 0; st == FM_OK && sql_uses_at(&uses, i, &e); i++)
        if (json_array_append_new(json_object_get(all, e.member), use_json(plan, &e)) != 0)
            st = base_err_memory(err, "uses");
    sql_uses_release(&uses);
    return st;
}
