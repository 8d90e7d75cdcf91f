/* The operators' part of the canonical form. */
#include "exchange/sql/plan/plan_own.h"

const char *sql_rel_name(enum sql_rel_kind kind)
{
    static const char *const names[] = {
        [SQL_REL_SCAN] = "scan", [SQL_REL_FILTER] = "filter", [SQL_REL_PROJECT] = "project",
        [SQL_REL_JOIN] = "join", [SQL_REL_GROUP] = "group",   [SQL_REL_WINDOW] = "window",
        [SQL_REL_SORT] = "sort", [SQL_REL_LIMIT] = "limit",   [SQL_REL_UNION] = "union"};

    return names[kind];
}

const char *sql_join_name(enum sql_join_kind kind)
{
    static const char *const names[] = {[SQL_JOIN_INNER] = "inner",
                                        [SQL_JOIN_LEFT] = "left",
                                        [SQL_JOIN_MARK] = "mark",
                                        [SQL_JOIN_SINGLE] = "single"};

    return names[kind];
}

static void put(json_t *o, const char *name, size_t number)
{
    if (number != SQL_NONE)
        (void)json_object_set_new(o, name, json_integer((json_int_t)number));
}

static void put_node(json_t *o, const char *name, size_t node, const size_t *place)
{
    if (node != SQL_NONE)
        put(o, name, place[node]);
}

static json_t *numbers(const size_t *list, size_t count)
{
    json_t *out = json_array();

    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(out, json_integer((json_int_t)list[i]));
    return out;
}

static json_t *order_json(const struct sql_order *order, size_t count)
{
    json_t *out = json_array();

    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(
            out, json_pack("{s:I, s:b, s:b}", "column", (json_int_t)order[i].column, "descending",
                           (int)order[i].descending, "nulls_first", (int)order[i].nulls_first));
    return out;
}

static void put_join(json_t *o, const struct sql_join *j, const size_t *place)
{
    (void)json_object_set_new(o, "kind", json_string(sql_join_name(j->kind)));
    (void)json_object_set_new(o, "left", numbers(j->left, j->key_count));
    (void)json_object_set_new(o, "right", numbers(j->right, j->key_count));
    put_node(o, "condition", j->condition, place);
    put(o, "mark", j->mark);
    if (j->kind == SQL_JOIN_MARK)
        (void)json_object_set_new(o, "null_aware", json_boolean(j->null_aware));
}

static json_t *item_json(const struct sql_item *item, const size_t *place)
{
    json_t *o =
        json_pack("{s:I, s:s}", "column", (json_int_t)item->column, "fn", sql_fn_name(item->fn));

    put_node(o, "arg", item->arg, place);
    put_node(o, "filter", item->filter, place);
    put_node(o, "counted", item->counted, place);
    if (item->distinct)
        (void)json_object_set_new(o, "distinct", json_true());
    if (item->digits > 0)
        put(o, "digits", item->digits);
    if (item->fn == SQL_PERCENTILE_DISC)
        put(o, "millionths", (size_t)item->fraction);
    return o;
}

static void put_group(json_t *o, const struct sql_rel *rel, const size_t *place)
{
    json_t *items = json_array(), *guards = json_array();

    for (size_t i = 0; i < rel->item_count; i++)
        (void)json_array_append_new(items, item_json(&rel->items[i], place));
    for (size_t i = 0; i < rel->guard_count; i++) {
        const struct sql_guard *g = &rel->guards[i];
        json_t *guard = json_pack("{s:I, s:s}", "table", (json_int_t)g->table, "counts",
                                  g->rows > 0 ? "rows" : "subjects");
        put(guard, "others", g->others);
        put(guard, "subject", g->subject);
        (void)json_array_append_new(guards, guard);
    }
    (void)json_object_set_new(o, "keys", numbers(rel->keys, rel->key_count));
    (void)json_object_set_new(o, "items", items);
    if (rel->guard_count > 0)
        (void)json_object_set_new(o, "guards", guards);
    else
        json_decref(guards);
}

static json_t *windows_json(const struct sql_rel *rel, const size_t *place)
{
    json_t *out = json_array();

    for (size_t i = 0; i < rel->window_count; i++) {
        const struct sql_window *w = &rel->windows[i];
        json_t *o =
            json_pack("{s:I, s:s, s:o, s:o}", "column", (json_int_t)w->column, "fn",
                      sql_fn_name(w->fn), "partition", numbers(w->partition, w->partition_count),
                      "order", order_json(w->order, w->order_count));
        put_node(o, "arg", w->arg, place);
        (void)json_array_append_new(out, o);
    }
    return out;
}

static void put_makes(json_t *o, const struct sql_rel *rel, const size_t *place)
{
    json_t *makes = json_array();

    for (size_t i = 0; i < rel->make_count; i++)
        (void)json_array_append_new(makes, json_pack("{s:I, s:I}", "column",
                                                     (json_int_t)rel->makes[i].column, "node",
                                                     (json_int_t)place[rel->makes[i].node]));
    (void)json_object_set_new(o, "makes", makes);
}

static void put_union(json_t *o, const struct sql_rel *rel)
{
    json_t *given = json_array();

    for (size_t i = 0; i < rel->input_count; i++)
        (void)json_array_append_new(given, numbers(rel->given[i], rel->column_count));
    (void)json_object_set_new(o, "columns", numbers(rel->columns, rel->column_count));
    (void)json_object_set_new(o, "given", given);
}

static void put_body(json_t *o, const struct sql_rel *rel, const size_t *place)
{
    switch (rel->kind) {
    case SQL_REL_SCAN:
        put(o, "table", rel->table);
        put(o, "others", rel->others);
        break;
    case SQL_REL_FILTER:
        put_node(o, "condition", rel->condition, place);
        break;
    case SQL_REL_PROJECT:
        put_makes(o, rel, place);
        break;
    case SQL_REL_JOIN:
        put_join(o, &rel->join, place);
        break;
    case SQL_REL_GROUP:
        put_group(o, rel, place);
        break;
    case SQL_REL_WINDOW:
        (void)json_object_set_new(o, "windows", windows_json(rel, place));
        break;
    case SQL_REL_SORT:
        (void)json_object_set_new(o, "order", order_json(rel->order, rel->order_count));
        break;
    case SQL_REL_LIMIT:
        put(o, "limit", (size_t)rel->limit);
        put(o, "offset", (size_t)rel->offset);
        break;
    case SQL_REL_UNION:
        put_union(o, rel);
        break;
    }
}

json_t *sql_rels_json(const struct sql_plan *plan, const size_t *place)
{
    json_t *list = json_array();

    for (size_t r = 0; r < plan->rel_count; r++) {
        const struct sql_rel *rel = plan->rels[r];
        json_t *o = json_pack("{s:s}", "op", sql_rel_name(rel->kind)), *inputs = json_array();
        for (size_t i = 0; i < rel->input_count; i++)
            (void)json_array_append_new(inputs, json_integer((json_int_t)rel->inputs[i]->id));
        if (rel->input_count > 0)
            (void)json_object_set_new(o, "inputs", inputs);
        else
            json_decref(inputs);
        put_body(o, rel, place);
        (void)json_array_append_new(list, o);
    }
    return list;
}
