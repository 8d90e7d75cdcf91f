#include "exchange/sql/uses.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/sql/place.h"

const char *sql_use_name(unsigned bit)
{
    static const char *const names[SQL_USE_COUNT] = {"filter",    "join",      "group",
                                                     "aggregate", "condition", "parameter",
                                                     "extreme",   "order",     "reveal"};

    assert(bit < SQL_USE_COUNT);
    return names[bit];
}

void sql_uses_release(struct sql_uses *uses)
{
    free(uses->columns);
    free(uses->places);
    *uses = (struct sql_uses){0};
}

/* ---- derivation: sets flow from users to operands, once over the nodes from last to first ---- */

struct flow {
    const struct sql_plan *plan;
    unsigned *sets;  /* the uses that a column would have if it stood at the node */
    bool *has_param; /* below the node */
    bool *has_column;
};

static void look_below(struct flow *f)
{
    for (size_t i = 0; i < f->plan->node_count; i++) {
        const struct sql_node *n = &f->plan->nodes[i];
        f->has_param[i] = n->op == SQL_OP_PARAM;
        f->has_column[i] = n->op == SQL_OP_COLUMN;
        for (size_t j = 0; j < n->arg_count; j++) {
            f->has_param[i] = f->has_param[i] || f->has_param[n->args[j]];
            f->has_column[i] = f->has_column[i] || f->has_column[n->args[j]];
        }
    }
}

/* A truth value that parameters alone decide: it switches what stands beside it on and off. */
static bool is_switch(const struct flow *f, size_t node)
{
    return f->has_param[node] && !f->has_column[node];
}

static bool any_switch(const struct flow *f, const struct sql_node *n, size_t step)
{
    for (size_t j = 0; j < n->arg_count; j += step) {
        if (is_switch(f, n->args[j]))
            return true;
    }
    return false;
}

static void flow_to_args(struct flow *f, const struct sql_node *n, unsigned set)
{
    for (size_t j = 0; j < n->arg_count; j++)
        f->sets[n->args[j]] |= set;
}

static void flow_case(struct flow *f, const struct sql_node *n, unsigned set)
{
    const unsigned values = SQL_USE_AGGREGATE | SQL_USE_EXTREME;
    unsigned condition = set & ~values;
    size_t last = n->arg_count - 1;

    if ((set & values) != 0)
        condition |= SQL_USE_CONDITION;
    for (size_t j = 0; j < n->arg_count; j++)
        f->sets[n->args[j]] |= j % 2 == 0 && j != last ? condition : set;
    for (size_t j = 0; j < last; j += 2) {
        if (is_switch(f, n->args[j]))
            flow_to_args(f, n, SQL_USE_PARAMETER);
    }
}

static void flow_node(struct flow *f, size_t i)
{
    const struct sql_node *n = &f->plan->nodes[i];
    unsigned set = f->sets[i];

    switch (n->op) {
    case SQL_OP_CASE:
        flow_case(f, n, set);
        return;
    case SQL_OP_MUL:
        /* Both factors depend on data: each decides how much of the other is counted. */
        if ((set & (SQL_USE_AGGREGATE | SQL_USE_EXTREME)) != 0 && f->has_column[n->args[0]] &&
            f->has_column[n->args[1]])
            set |= SQL_USE_CONDITION;
        break;
    case SQL_OP_EQ:
    case SQL_OP_NE:
    case SQL_OP_LT:
    case SQL_OP_LE:
    case SQL_OP_GT:
    case SQL_OP_GE:
        if (f->has_param[i])
            set |= SQL_USE_PARAMETER;
        break;
    case SQL_OP_AND:
    case SQL_OP_OR:
        if (any_switch(f, n, 1))
            set |= SQL_USE_PARAMETER;
        break;
    default:
        break;
    }
    flow_to_args(f, n, set);
}

static void run_flow(struct flow *f)
{
    const struct sql_plan *plan = f->plan;

    look_below(f);
    if (plan->filter != SQL_NONE)
        f->sets[plan->filter] |= SQL_USE_FILTER;
    for (size_t i = 0; i < plan->output_count; i++) {
        const struct sql_output *o = &plan->outputs[i];
        bool extreme = o->fn == SQL_MIN || o->fn == SQL_MAX;
        if (o->arg != SQL_NONE)
            f->sets[o->arg] |= extreme ? SQL_USE_EXTREME : SQL_USE_AGGREGATE;
    }
    for (size_t i = plan->node_count; i-- > 0;) {
        if (f->sets[i] != 0)
            flow_node(f, i);
    }
}

static int compare_places(const void *a, const void *b)
{
    const struct sql_use_place *x = a, *y = b;

    return (x->at > y->at) - (x->at < y->at);
}

static void collect(struct sql_uses *out, const struct flow *f)
{
    for (size_t i = 0; i < f->plan->node_count; i++) {
        const struct sql_node *n = &f->plan->nodes[i];
        if (n->op != SQL_OP_COLUMN || f->sets[i] == 0)
            continue;
        out->columns[n->index] |= f->sets[i];
        out->places[out->place_count++] = (struct sql_use_place){n->index, f->sets[i], n->at};
    }
    qsort(out->places, out->place_count, sizeof *out->places, compare_places);
}

fm_status sql_uses_derive(struct sql_uses *out, const struct sql_plan *plan, struct base_err *err)
{
    struct flow f = {.plan = plan};
    fm_status st = FM_OK;

    *out = (struct sql_uses){.plan = plan};
    f.sets = calloc(plan->node_count + 1, sizeof *f.sets);
    f.has_param = calloc(plan->node_count + 1, sizeof *f.has_param);
    f.has_column = calloc(plan->node_count + 1, sizeof *f.has_column);
    out->columns = calloc(plan->column_count + 1, sizeof *out->columns);
    out->places = calloc(plan->node_count + 1, sizeof *out->places);
    if (f.sets == NULL || f.has_param == NULL || f.has_column == NULL || out->columns == NULL ||
        out->places == NULL) {
        sql_uses_release(out);
        st = base_err_memory(err, "SQL uses");
    } else {
        run_flow(&f);
        collect(out, &f);
    }
    free(f.sets);
    free(f.has_param);
    free(f.has_column);
    return st;
}

/* ---- showing ---- */

bool sql_uses_at(const struct sql_uses *uses, size_t i, struct sql_use_entry *out)
{
    const struct sql_plan *plan = uses->plan;
    const struct sql_source *s;

    if (plan->column_count == 0 || i / plan->column_count >= plan->source_count)
        return false;
    s = &plan->sources[i / plan->column_count];
    out->member = s->member;
    out->dataset = s->dataset;
    out->column_index = i % plan->column_count;
    out->column = plan->columns[out->column_index].name;
    out->uses = uses->columns[out->column_index];
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

static void print_places(struct base_buf *out, const struct sql_uses *uses, size_t column,
                         unsigned bit)
{
    const char *separator = " at ";

    for (size_t i = 0; i < uses->place_count; i++) {
        const struct sql_use_place *p = &uses->places[i];
        struct sql_place place = sql_place_of(uses->plan->text, p->at);
        if (p->column != column || (p->uses >> bit & 1) == 0)
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
