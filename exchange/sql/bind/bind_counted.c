/* Which rows an aggregate's guard counts, beyond FILTER and NULLs: those whose value can tell
 * something. SUM(CASE WHEN c THEN x ELSE 0 END) says nothing of rows where c is false, so these
 * must not hide the others; nor may they in SUM(y * CASE WHEN c THEN 1 ELSE 0 END), or in
 * MAX(CASE WHEN c THEN x ELSE 0 END).
 *   CASE             an alternative that is a constant counts for nothing where any other depends
 *                    on the row; where none does, those that are not 0 count
 *   + - * / and such all operands must count
 *   anything else    counts */
#include <assert.h>
#include <stdlib.h>

#include "exchange/sql/bind/bind.h"

enum { NOT_SEEN = 0, ALL_ROWS = 1, FIRST = 2 }; /* of seen: FIRST + a node */

struct counting {
    struct sql_binder *b;
    size_t *seen; /* of each node of the argument: operands can be shared many times over */
    int at;
};

static fm_status counted(size_t *out, struct counting *c, size_t node, struct base_err *err);

static bool is_constant(const struct sql_binder *b, size_t node)
{
    return b->plan->nodes[node].op == SQL_OP_CONST;
}

static bool adds_nothing(const struct sql_binder *b, size_t node, bool varies)
{
    const struct sql_node *n = &b->plan->nodes[node];

    return n->op == SQL_OP_CONST && (varies || n->null || n->value == 0);
}

/* A CASE with the same conditions that says whether the alternative taken counts. */
static fm_status counted_case(size_t *out, struct counting *c, size_t node, struct base_err *err)
{
    const struct data_type boolean = {.kind = DATA_BOOLEAN};
    struct sql_binder *b = c->b;
    size_t n = b->plan->nodes[node].arg_count;
    size_t *args = sql_arena_array(&b->plan->arena, n, sizeof *args);
    bool varies = false, any = false;
    fm_status st = FM_OK;

    if (args == NULL)
        return base_err_memory(err, "SQL plan");
    for (size_t i = 1; i <= n; i += 2)
        varies = varies || !is_constant(b, b->plan->nodes[node].args[i < n ? i : n - 1]);
    for (size_t i = 0; st == FM_OK && i < n; i++) {
        size_t value = b->plan->nodes[node].args[i], part = SQL_NONE;
        args[i] = value;
        if (i % 2 == 0 && i + 1 != n)
            continue;
        if (!adds_nothing(b, value, varies))
            st = counted(&part, c, value, err);
        else
            any = any || !b->plan->nodes[value].null;
        any = any || part != SQL_NONE;
        if (st == FM_OK && part == SQL_NONE)
            st = sql_bind_const(&part, b, boolean, !adds_nothing(b, value, varies), c->at, err);
        args[i] = part;
    }
    *out = SQL_NONE;
    if (st != FM_OK || !any)
        return st;
    return sql_bind_make(out, b, SQL_OP_CASE, c->at, args, n, err);
}

static fm_status counted_all(size_t *out, struct counting *c, size_t node, struct base_err *err)
{
    struct sql_binder *b = c->b;
    size_t parts[2], n = 0, count = b->plan->nodes[node].arg_count;
    fm_status st = FM_OK;

    assert(count <= 2);
    for (size_t i = 0; st == FM_OK && i < count; i++) {
        st = counted(&parts[n], c, b->plan->nodes[node].args[i], err);
        n += st == FM_OK && parts[n] != SQL_NONE;
    }
    *out = n > 0 ? parts[0] : SQL_NONE;
    return st == FM_OK && n == 2 ? sql_bind_make(out, b, SQL_OP_AND, c->at, parts, 2, err) : st;
}

static fm_status counted(size_t *out, struct counting *c, size_t node, struct base_err *err)
{
    fm_status st = FM_OK;

    *out = SQL_NONE;
    if (c->seen[node] >= FIRST)
        *out = c->seen[node] - FIRST;
    if (c->seen[node] != NOT_SEEN)
        return FM_OK;
    switch (c->b->plan->nodes[node].op) {
    case SQL_OP_CASE:
        st = counted_case(out, c, node, err);
        break;
    case SQL_OP_RESCALE:
    case SQL_OP_NEG:
    case SQL_OP_ADD:
    case SQL_OP_SUB:
    case SQL_OP_MUL:
    case SQL_OP_DIV:
    case SQL_OP_MOD:
    case SQL_OP_ROUND:
        st = counted_all(out, c, node, err);
        break;
    default:
        break;
    }
    c->seen[node] = *out == SQL_NONE ? ALL_ROWS : FIRST + *out;
    return st;
}

fm_status sql_bind_counted(struct sql_item *item, struct sql_binder *b, struct base_err *err)
{
    struct counting c = {.b = b, .at = item->at};
    fm_status st;

    if (item->arg == SQL_NONE || (item->fn == SQL_COUNT && !item->distinct))
        return FM_OK;
    c.seen = calloc(item->arg + 1, sizeof *c.seen);
    if (c.seen == NULL)
        return base_err_memory(err, "SQL plan");
    st = counted(&item->counted, &c, item->arg, err);
    free(c.seen);
    return st;
}
