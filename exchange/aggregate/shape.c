#include "exchange/aggregate/shape.h"

#include <stdlib.h>
#include <string.h>

#include "exchange/sql/plan/intern.h"

/* ---- what is in the way ---- */

static fm_status cannot(const char *what, struct base_err *err)
{
    return base_err_set(err, FM_E_UNSUPPORTED,
                        "protocol aggregate answers COUNT, SUM and AVG over the rows of one table: "
                        "%s; take protocol rep3",
                        what);
}

static fm_status take_below(struct aggregate_shape *s, const struct sql_rel *rel,
                            struct base_err *err)
{
    const size_t room = sizeof s->below / sizeof *s->below;

    for (; rel->kind != SQL_REL_SCAN; rel = rel->inputs[0]) {
        if (rel->kind == SQL_REL_JOIN)
            return cannot("a join is none of these", err);
        if (rel->kind != SQL_REL_FILTER && rel->kind != SQL_REL_PROJECT)
            return cannot("groups, sorts and unions below the aggregates are none of these", err);
        if (rel->flags != 0)
            return cannot("a division that can fail is none of these", err);
        if (s->below_count == room)
            return cannot("too many steps below the aggregates", err);
        memmove(s->below + 1, s->below, s->below_count * sizeof *s->below);
        s->below[0] = rel;
        s->below_count++;
    }
    return FM_OK;
}

/* From the result down to the GROUP. */
static fm_status take_above(struct aggregate_shape *s, struct base_err *err)
{
    const struct sql_rel *rel = s->plan->rels[s->plan->rel_count - 1];

    if (rel->kind == SQL_REL_LIMIT)
        return cannot("LIMIT would hide groups that its recipients decrypt", err);
    if (rel->kind == SQL_REL_SORT) {
        s->sort = rel;
        rel = rel->inputs[0];
    }
    if (rel->kind == SQL_REL_FILTER)
        return cannot("HAVING would hide groups that its recipients decrypt", err);
    if (rel->kind == SQL_REL_PROJECT)
        return cannot("what is computed from aggregates is none of these", err);
    if (rel->kind != SQL_REL_GROUP)
        return cannot("rows are none of these", err);
    if (rel->flags != 0)
        return cannot("a division that can fail is none of these", err);
    s->group = rel;
    return take_below(s, rel->inputs[0], err);
}

/* ---- keys ---- */

static bool shown(const struct sql_plan *plan, size_t column)
{
    for (size_t i = 0; i < plan->output_count; i++)
        if (plan->outputs[i].column == column)
            return true;
    return false;
}

static fm_status take_key(struct aggregate_shape *s, size_t column, struct base_err *err)
{
    const struct sql_plan_column *c = &s->plan->columns[column];
    sql_wide choices = c->range.hi - c->range.lo + 1 + c->nullable;

    if (!shown(s->plan, column))
        return cannot("its recipients know each group, so GROUP BY columns must be selected", err);
    if (c->type.kind == DATA_TEXT)
        return cannot("groups need a key whose values the schema lists, and TEXT has no range",
                      err);
    if (choices > AGGREGATE_MAX_GROUPS || (sql_wide)s->group_count * choices > AGGREGATE_MAX_GROUPS)
        return base_err_set(err, FM_E_LIMIT,
                            "protocol aggregate: '%s' makes more than %d groups by its declared "
                            "range; declare a narrower one, or take protocol rep3",
                            c->name, AGGREGATE_MAX_GROUPS);
    s->keys[s->key_count++] = (struct aggregate_key){.column = column,
                                                     .least = (int64_t)c->range.lo,
                                                     .choices = (size_t)choices,
                                                     .null = c->nullable};
    s->group_count *= (size_t)choices;
    return FM_OK;
}

static fm_status take_keys(struct aggregate_shape *s, struct base_err *err)
{
    s->group_count = 1;
    if (s->group->key_count > AGGREGATE_MAX_KEYS)
        return base_err_set(err, FM_E_LIMIT, "protocol aggregate: at most %d GROUP BY columns",
                            AGGREGATE_MAX_KEYS);
    for (size_t i = 0; i < s->group->key_count; i++)
        if (take_key(s, s->group->keys[i], err) != FM_OK)
            return err->code;
    return FM_OK;
}

/* ---- aggregates ---- */

static fm_status add_value(struct aggregate_shape *s, size_t item, enum aggregate_part part,
                           struct sql_range total, struct base_err *err)
{
    unsigned bits = sql_range_bits(total);

    if (bits > AGGREGATE_MAX_BITS)
        return base_err_set(err, FM_E_LIMIT,
                            "protocol aggregate: '%s' may take %u bits, its slots hold %d: "
                            "declare a tighter range for what it sums",
                            s->plan->columns[s->group->items[item].column].name, bits,
                            AGGREGATE_MAX_BITS);
    s->values[s->value_count++] = (struct aggregate_value){item, part, bits, total};
    return FM_OK;
}

/* A sum of up to `rows` values of that range, none of which need be there. */
static struct sql_range sum_range(const struct sql_plan *plan, size_t arg, int64_t rows)
{
    struct sql_range r = plan->nodes[arg].range;

    return (struct sql_range){r.lo < 0 ? r.lo * rows : 0, r.hi > 0 ? r.hi * rows : 0};
}

static fm_status take_item(struct aggregate_shape *s, size_t i, struct base_err *err)
{
    const struct sql_item *item = &s->group->items[i];
    int64_t rows = s->group->inputs[0]->rows;
    struct sql_range count = {0, rows};
    fm_status st = FM_OK;

    if (item->distinct)
        return cannot("COUNT(DISTINCT) is none of these", err);
    if (item->fn != SQL_COUNT && item->fn != SQL_SUM && item->fn != SQL_AVG)
        return cannot("another aggregate is none of these", err);
    if (item->fn != SQL_COUNT)
        st = add_value(s, i, AGGREGATE_SUM, sum_range(s->plan, item->arg, rows), err);
    if (st == FM_OK && item->fn != SQL_SUM)
        st = add_value(s, i, AGGREGATE_COUNT, count, err);
    return st;
}

/* Of each node, the first that says the same. */
static fm_status find_same(size_t *same, const struct sql_plan *plan, struct base_err *err)
{
    struct sql_intern known = {.count = 0};
    struct base_buf key = {0};
    bool done = true, fresh;

    for (size_t i = 0; done && i < plan->node_count; i++) {
        const struct sql_node *n = &plan->nodes[i];
        base_buf_clear(&key);
        base_buf_putf(&key, "%d %d %u %u %u %d %zu %u ", (int)n->op, (int)n->type.kind,
                      n->type.precision, n->type.scale, n->type.max_bytes, n->null, n->index,
                      n->digits);
        base_buf_put(&key, &n->value, sizeof n->value);
        for (size_t k = 0; k < n->arg_count; k++)
            base_buf_put_u64(&key, same[n->args[k]]);
        if (n->text != NULL)
            base_buf_put_str(&key, n->text);
        same[i] = i;
        done = !key.failed && sql_intern_find(&known, key.p, key.len, &same[i], &fresh);
    }
    sql_intern_release(&known);
    base_buf_release(&key);
    return done ? FM_OK : base_err_memory(err, "plan");
}

static bool same_node(const size_t *same, size_t a, size_t b)
{
    return a == b || (a != SQL_NONE && b != SQL_NONE && same[a] == same[b]);
}

static bool same_rows(const size_t *same, const struct sql_item *a, const struct sql_item *b)
{
    return same_node(same, a->arg, b->arg) && same_node(same, a->filter, b->filter) &&
           same_node(same, a->counted, b->counted);
}

static size_t add_guard(struct aggregate_shape *s, size_t item)
{
    const struct sql_rel *g = s->group;
    struct aggregate_guard guard = {.item = item, .least = 1};

    if (g->guard_count > 0) {
        guard.least = g->guards[0].rows;
        guard.others = true;
        guard.suppresses = true;
    }
    s->guards[s->guard_count] = guard;
    return s->guard_count++;
}

/* An aggregate of all rows of a group counts what the group's own guard does. */
static bool counts_all(const struct sql_item *item)
{
    return item->arg == SQL_NONE && item->filter == SQL_NONE && item->counted == SQL_NONE;
}

static size_t guard_for(struct aggregate_shape *s, const size_t *same, size_t i)
{
    const struct sql_item *items = s->group->items;

    if (s->group_guard != SQL_NONE && counts_all(&items[i]))
        return s->group_guard;
    for (size_t k = 0; k < i; k++)
        if (s->item_guards[k] != SQL_NONE && same_rows(same, &items[k], &items[i]))
            return s->item_guards[k];
    if (s->group->guard_count == 0 && items[i].fn == SQL_COUNT)
        return SQL_NONE; /* never NULL */
    return add_guard(s, i);
}

static fm_status take_guards(struct aggregate_shape *s, struct base_err *err)
{
    const struct sql_rel *g = s->group;
    size_t *same;
    fm_status st;

    if (g->guard_count > 1)
        return cannot("several guards at once are none of these", err);
    if (g->guard_count == 1 && g->guards[0].rows == 0)
        return cannot("single subjects cannot be counted under it, so the schemas must declare "
                      "max_rows_per_subject",
                      err);
    same = calloc(s->plan->node_count + 1, sizeof *same);
    st = same != NULL ? find_same(same, s->plan, err) : base_err_memory(err, "plan");
    s->group_guard = g->key_count > 0 ? add_guard(s, SQL_NONE) : SQL_NONE;
    for (size_t i = 0; st == FM_OK && i < g->item_count; i++)
        s->item_guards[i] = guard_for(s, same, i);
    free(same);
    return st;
}

static fm_status take_items(struct aggregate_shape *s, struct base_err *err)
{
    if (s->group->item_count > AGGREGATE_MAX_ITEMS)
        return base_err_set(err, FM_E_LIMIT, "protocol aggregate: at most %d aggregates",
                            AGGREGATE_MAX_ITEMS);
    for (size_t i = 0; i < s->group->item_count; i++)
        if (take_item(s, i, err) != FM_OK)
            return err->code;
    return take_guards(s, err);
}

static fm_status check_sort(const struct aggregate_shape *s, struct base_err *err)
{
    for (size_t i = 0; s->sort != NULL && i < s->sort->order_count; i++)
        if (!shown(s->plan, s->sort->order[i].column))
            return cannot("ORDER BY what is not selected would have to be decrypted", err);
    return FM_OK;
}

fm_status aggregate_shape_of(struct aggregate_shape *out, const struct sql_plan *plan,
                             struct base_err *err)
{
    fm_status st;

    *out = (struct aggregate_shape){.plan = plan};
    if (plan->table_count != 1)
        return cannot("several tables are none of these", err);
    for (size_t i = 0; i < plan->param_count; i++)
        if (plan->params[i].hidden)
            return cannot("each provider filters by itself, so no parameter can be hidden", err);
    st = take_above(out, err);
    if (st == FM_OK)
        st = take_keys(out, err);
    if (st == FM_OK)
        st = take_items(out, err);
    if (st == FM_OK)
        st = check_sort(out, err);
    if (st == FM_OK && aggregate_guards(out) + aggregate_values(out) > AGGREGATE_MAX_VALUES)
        st = base_err_set(err, FM_E_LIMIT,
                          "protocol aggregate: %zu groups of %zu numbers are more than %d: "
                          "fewer aggregates, a narrower key, or protocol rep3",
                          out->group_count, out->guard_count + out->value_count,
                          AGGREGATE_MAX_VALUES);
    return st;
}

unsigned aggregate_bits(const struct aggregate_shape *s, size_t at)
{
    size_t guards = aggregate_guards(s);

    if (at < guards)
        return sql_range_bits((struct sql_range){0, s->guards[at % s->guard_count].least});
    return s->values[(at - guards) % s->value_count].bits;
}

struct sql_range aggregate_range(const struct aggregate_shape *s, size_t source, size_t at)
{
    const struct sql_source *src = &s->plan->sources[source];
    size_t guards = aggregate_guards(s);
    const struct aggregate_value *v;

    if (at < guards) {
        const struct aggregate_guard *g = &s->guards[at % s->guard_count];
        int64_t most = src->rows < g->least ? src->rows : g->least;
        return (struct sql_range){0, g->others && src->recipient ? 0 : most};
    }
    v = &s->values[(at - guards) % s->value_count];
    return v->part == AGGREGATE_COUNT ? (struct sql_range){0, src->rows}
                                      : sum_range(s->plan, s->group->items[v->item].arg, src->rows);
}
