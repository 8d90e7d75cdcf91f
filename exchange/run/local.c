#include "exchange/run/local.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "exchange/run/local_text.h"
#include "exchange/sql/physical/local.h"

/* A node on its way: its value stands in cells[slot], texts of its own in room. */
struct slot {
    const struct sql_node *node;
    size_t *args; /* slots */
    char *room;
    size_t size;
};

struct run_local {
    const struct sql_value *params;
    size_t count;
    struct slot *slots;
    struct sql_cell *cells; /* of each slot, operands first */
    size_t made_count;
    size_t *made_slots;
    size_t *made_columns;
};

/* ---- opening ---- */

static bool has_room(const struct sql_node *n)
{
    return n->op == SQL_OP_CONCAT || n->op == SQL_OP_UPPER || n->op == SQL_OP_LOWER ||
           n->op == SQL_OP_REPLACE || n->op == SQL_OP_AS_TEXT;
}

static bool fill_slot(struct run_local *l, const struct sql_node *n, const size_t *place)
{
    struct slot *s = &l->slots[l->count];
    struct sql_cell *cell = &l->cells[l->count];

    s->node = n;
    s->size = has_room(n) ? n->type.max_bytes + DATA_VALUE_TEXT : 0;
    s->room = malloc(s->size + 1);
    s->args = calloc(n->arg_count + 1, sizeof *s->args);
    l->count++;
    if (s->room == NULL || s->args == NULL)
        return false;
    for (size_t k = 0; k < n->arg_count; k++)
        s->args[k] = place[n->args[k]];
    if (n->op == SQL_OP_CONST)
        *cell = (struct sql_cell){.null = n->null, .value = (int64_t)n->value, .text = n->text};
    else if (n->op == SQL_OP_PARAM)
        *cell =
            (struct sql_cell){.value = l->params[n->index].value, .text = l->params[n->index].text};
    if (n->arg_count == 0 && n->type.kind == DATA_TEXT && cell->text != NULL)
        cell->len = strlen(cell->text);
    return true;
}

/* place: room for a number a node. */
static bool open_roots(struct run_local *l, const struct sql_node *nodes, size_t n,
                       const size_t *roots, const size_t *targets, size_t count, size_t *place)
{
    for (size_t i = 0; i < n; i++)
        place[i] = SQL_NONE;
    for (size_t d = 0; d < count; d++)
        place[roots[d]] = 0;
    for (size_t i = n; i-- > 0;)
        for (size_t k = 0; place[i] != SQL_NONE && k < nodes[i].arg_count; k++)
            place[nodes[i].args[k]] = 0;
    for (size_t i = 0; i < n; i++) {
        if (place[i] == SQL_NONE)
            continue;
        place[i] = l->count;
        if (!fill_slot(l, &nodes[i], place))
            return false;
    }
    for (size_t d = 0; d < count; d++) {
        l->made_slots[l->made_count] = place[roots[d]];
        l->made_columns[l->made_count++] = targets[d];
    }
    return true;
}

fm_status run_local_open_nodes(struct run_local **out, const struct sql_node *nodes,
                               size_t node_count, const size_t *roots, const size_t *targets,
                               size_t count, const struct sql_value *params, struct base_err *err)
{
    struct run_local *l = calloc(1, sizeof *l);
    size_t *place = calloc(node_count + 1, sizeof *place);
    bool done = l != NULL && place != NULL;

    *out = NULL;
    if (done) {
        l->params = params;
        l->slots = calloc(node_count + 1, sizeof *l->slots);
        l->cells = calloc(node_count + 1, sizeof *l->cells);
        l->made_slots = calloc(count + 1, sizeof *l->made_slots);
        l->made_columns = calloc(count + 1, sizeof *l->made_columns);
        done = l->slots != NULL && l->cells != NULL && l->made_slots != NULL &&
               l->made_columns != NULL &&
               open_roots(l, nodes, node_count, roots, targets, count, place);
    }
    free(place);
    if (!done) {
        run_local_free(l);
        return base_err_memory(err, "query input");
    }
    *out = l;
    return FM_OK;
}

fm_status run_local_open(struct run_local **out, const struct sql_plan *plan, size_t table,
                         const struct sql_value *params, struct base_err *err)
{
    size_t first = plan->column_count + plan->made_count, count = 0;
    size_t *roots = calloc(2 * plan->derived_count + 1, sizeof *roots), *targets;
    fm_status st;

    *out = NULL;
    if (roots == NULL)
        return base_err_memory(err, "query input");
    targets = roots + plan->derived_count;
    for (size_t c = first; c < first + plan->derived_count; c++) {
        if (sql_plan_host(plan, c) != table || plan->columns[c].local == SQL_NONE)
            continue;
        roots[count] = plan->columns[c].local;
        targets[count++] = c;
    }
    st = run_local_open_nodes(out, plan->local_nodes, plan->local_node_count, roots, targets, count,
                              params, err);
    free(roots);
    return st;
}

void run_local_free(struct run_local *l)
{
    if (l == NULL)
        return;
    for (size_t i = 0; l->slots != NULL && i < l->count; i++) {
        if (l->slots[i].room != NULL)
            base_wipe(l->slots[i].room, l->slots[i].size);
        free(l->slots[i].room);
        free(l->slots[i].args);
    }
    if (l->cells != NULL)
        base_wipe(l->cells, l->count * sizeof *l->cells);
    free(l->slots);
    free(l->cells);
    free(l->made_slots);
    free(l->made_columns);
    free(l);
}

/* ---- numbers: the planner proved that all of them fit ---- */

static int64_t rounded(__int128 x, __int128 y)
{
    __int128 size = x < 0 ? -x : x, by = y < 0 ? -y : y, q = (2 * size + by) / (2 * by);

    return (int64_t)((x < 0) != (y < 0) ? -q : q);
}

int64_t run_local_average(int64_t sum, int64_t count, unsigned digits)
{
    return rounded((__int128)sum * sql_ten_to(digits), count);
}

static void divide(struct sql_cell *out, const struct sql_node *n, int64_t x, int64_t y)
{
    out->null = y == 0;
    if (y == 0)
        return;
    if (n->op == SQL_OP_MOD)
        out->value = x % y;
    else if (n->type.kind == DATA_INTEGER)
        out->value = (int64_t)((__int128)x * sql_ten_to(n->digits) / y);
    else
        out->value = rounded((__int128)x * sql_ten_to(n->digits), y);
}

static int64_t compare(const struct sql_node *n, const struct sql_cell *x, const struct sql_cell *y,
                       bool texts)
{
    int order = texts ? text_compare((struct text){x->text, x->len}, (struct text){y->text, y->len})
                      : (x->value > y->value) - (x->value < y->value);

    switch (n->op) {
    case SQL_OP_EQ:
        return order == 0;
    case SQL_OP_NE:
        return order != 0;
    case SQL_OP_LT:
        return order < 0;
    case SQL_OP_LE:
        return order <= 0;
    case SQL_OP_GT:
        return order > 0;
    default:
        return order >= 0;
    }
}

static void compute(struct sql_cell *out, const struct run_local *l, const struct slot *s,
                    const struct sql_cell *x, const struct sql_cell *y)
{
    const struct sql_node *n = s->node;

    switch (n->op) {
    case SQL_OP_RESCALE:
        out->value = (int64_t)(x->value * sql_ten_to(n->digits));
        return;
    case SQL_OP_NEG:
        out->value = -x->value;
        return;
    case SQL_OP_ADD:
        out->value = x->value + y->value;
        return;
    case SQL_OP_SUB:
        out->value = x->value - y->value;
        return;
    case SQL_OP_MUL:
        out->value = x->value * y->value;
        return;
    case SQL_OP_DIV:
    case SQL_OP_MOD:
        divide(out, n, x->value, y->value);
        return;
    case SQL_OP_ROUND:
        out->value = rounded(x->value, sql_ten_to(n->digits));
        return;
    case SQL_OP_NOT:
        out->value = !x->value;
        return;
    default:
        out->value = compare(n, x, y, l->slots[s->args[0]].node->type.kind == DATA_TEXT);
        return;
    }
}

/* ---- texts ---- */

static void put_text(struct sql_cell *out, struct text x)
{
    out->text = x.p;
    out->len = x.len;
}

static size_t concat(const struct run_local *l, const struct slot *s)
{
    size_t n = 0;

    for (size_t k = 0; k < s->node->arg_count; k++) {
        const struct sql_cell *x = &l->cells[s->args[k]];
        if (x->len > s->size - n)
            break;
        if (x->len > 0)
            memcpy(s->room + n, x->text, x->len);
        n += x->len;
    }
    return n;
}

static void write_text(struct sql_cell *out, const struct run_local *l, const struct slot *s,
                       const struct sql_cell *x, const struct sql_cell *y)
{
    const struct sql_node *n = s->node;
    struct text a = {x->text, x->len};

    switch (n->op) {
    case SQL_OP_CONCAT:
        put_text(out, (struct text){s->room, concat(l, s)});
        return;
    case SQL_OP_UPPER:
        put_text(out, (struct text){s->room, text_upper(s->room, a)});
        return;
    case SQL_OP_LOWER:
        put_text(out, (struct text){s->room, text_lower(s->room, a)});
        return;
    case SQL_OP_TRIM:
        put_text(out,
                 text_trim(a, (struct text){y->text, y->len}, (n->digits & SQL_TRIM_START) != 0,
                           (n->digits & SQL_TRIM_END) != 0));
        return;
    case SQL_OP_SUBSTR:
        put_text(out, text_part(a, y->value, l->cells[s->args[2]].value));
        return;
    case SQL_OP_REPLACE: {
        const struct sql_cell *by = &l->cells[s->args[2]];
        size_t len = text_replace(s->room, s->size, a, (struct text){y->text, y->len},
                                  (struct text){by->text, by->len});
        put_text(out, (struct text){s->room, len});
        return;
    }
    default: /* AS_TEXT */
        data_value_format(s->room, &l->slots[s->args[0]].node->type, x->value);
        put_text(out, (struct text){s->room, strlen(s->room)});
        return;
    }
}

static void read_text(struct sql_cell *out, const struct sql_node *n, const struct sql_cell *x,
                      const struct sql_cell *y)
{
    struct text a = {x->text, x->len};

    if (n->op == SQL_OP_LENGTH)
        out->value = (int64_t)text_length(a);
    else if (n->op == SQL_OP_POSITION)
        out->value = text_position(a, (struct text){y->text, y->len});
    else
        out->value = text_like(a, (struct text){y->text, y->len});
}

/* ---- three-valued logic ---- */

/* AND: false where one is, else NULL where one is; OR the other way round. */
static void junction(struct sql_cell *out, const struct run_local *l, const struct slot *s)
{
    bool decisive = s->node->op == SQL_OP_OR;

    out->null = false;
    out->value = !decisive;
    for (size_t k = 0; k < s->node->arg_count; k++) {
        const struct sql_cell *x = &l->cells[s->args[k]];
        if (!x->null && (x->value != 0) == decisive) {
            *out = (struct sql_cell){.value = decisive};
            return;
        }
        out->null = out->null || x->null;
    }
}

static void choose(struct sql_cell *out, const struct run_local *l, const struct slot *s)
{
    size_t k = 0;

    while (k + 1 < s->node->arg_count &&
           (l->cells[s->args[k]].null || l->cells[s->args[k]].value == 0))
        k += 2;
    *out = l->cells[s->args[k + 1 < s->node->arg_count ? k + 1 : k]];
}

static void evaluate(struct sql_cell *out, const struct run_local *l, const struct slot *s)
{
    const struct sql_node *n = s->node;
    const struct sql_cell *x = &l->cells[s->args[0]];
    const struct sql_cell *y = &l->cells[s->args[n->arg_count > 1 ? 1 : 0]];

    if (n->op == SQL_OP_AND || n->op == SQL_OP_OR) {
        junction(out, l, s);
    } else if (n->op == SQL_OP_CASE) {
        choose(out, l, s);
    } else if (n->op == SQL_OP_IS_NULL || n->op == SQL_OP_IS_TRUE) {
        *out = (struct sql_cell){.value =
                                     n->op == SQL_OP_IS_NULL ? x->null : !x->null && x->value != 0};
    } else {
        *out = (struct sql_cell){.null = false};
        for (size_t k = 0; k < n->arg_count; k++)
            out->null = out->null || l->cells[s->args[k]].null;
        if (out->null)
            return;
        if (n->type.kind == DATA_TEXT)
            write_text(out, l, s, x, y);
        else if (sql_op_is_local(n->op))
            read_text(out, n, x, y);
        else
            compute(out, l, s, x, y);
    }
}

void run_local_row(struct run_local *l, struct sql_cell *cells)
{
    for (size_t i = 0; i < l->count; i++) {
        const struct sql_node *n = l->slots[i].node;
        if (n->op == SQL_OP_COLUMN)
            l->cells[i] = cells[n->index];
        else if (n->arg_count > 0)
            evaluate(&l->cells[i], l, &l->slots[i]);
    }
    for (size_t k = 0; k < l->made_count; k++)
        cells[l->made_columns[k]] = l->cells[l->made_slots[k]];
}
