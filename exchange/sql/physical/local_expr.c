/* Which parts of expressions go to their owners, and the rest without them. */
#include <string.h>

#include "base/bytes.h"
#include "exchange/sql/parse/place.h"
#include "exchange/sql/physical/local_own.h"

/* ---- judging ---- */

static bool may_be_zero(const struct sql_plan *plan, const struct sql_node *n)
{
    struct sql_range y;

    if (n->op != SQL_OP_DIV && n->op != SQL_OP_MOD)
        return false;
    y = plan->nodes[n->args[1]].range;
    return y.lo <= 0 && y.hi >= 0;
}

static bool at_hand(const struct localising *m, const bool *set, size_t table)
{
    bool any = m->rel == NULL && set == m->under;

    for (size_t i = 0; m->rel != NULL && i < m->rel->input_count; i++)
        any = any || set[m->rel->inputs[i]->id * m->in->table_count + table];
    return any;
}

static struct local_fact judge_leaf(const struct localising *m, size_t i)
{
    const struct sql_node *n = &m->in->nodes[i];
    struct local_fact f = {.whose = LOCAL_ANYBODY, .nothing = n->null};
    size_t table;

    if (n->op == SQL_OP_PARAM && m->in->params[n->index].hidden)
        f.whose = LOCAL_NOBODY;
    if (n->op != SQL_OP_COLUMN)
        return f;
    f.nothing = true;
    table = m->owner[n->index];
    /* A made column is seen through: what it is made of stands before what it is used for. */
    f.whose = table != LOCAL_NOBODY && at_hand(m, m->under, table) &&
                      (m->made[n->index] == SQL_NONE || m->made[n->index] < i)
                  ? table
                  : LOCAL_NOBODY;
    return f;
}

static size_t both(size_t x, size_t y)
{
    if (x == LOCAL_ANYBODY || x == y)
        return y;
    return y == LOCAL_ANYBODY ? x : LOCAL_NOBODY;
}

/* Free, or as good as free, on shares. */
static bool is_free(const struct localising *m, const struct sql_node *n)
{
    switch (n->op) {
    case SQL_OP_RESCALE:
    case SQL_OP_NEG:
    case SQL_OP_ADD:
    case SQL_OP_SUB:
    case SQL_OP_NOT:
    case SQL_OP_IS_NULL:
    case SQL_OP_IS_TRUE:
        return true;
    case SQL_OP_MUL:
        return m->facts[n->args[0]].whose == LOCAL_ANYBODY ||
               m->facts[n->args[1]].whose == LOCAL_ANYBODY;
    default:
        return false;
    }
}

static bool is_nothing(const struct localising *m, const struct sql_node *n)
{
    bool any = false, all = true, whens = true;
    size_t last = n->arg_count - 1;

    for (size_t k = 0; k < n->arg_count; k++) {
        bool nothing = m->facts[n->args[k]].nothing;
        any = any || nothing;
        all = all && nothing;
        whens = whens && (nothing || (k % 2 == 1 && k != last));
    }
    switch (n->op) {
    case SQL_OP_AND:
    case SQL_OP_OR:
        return all;
    case SQL_OP_IS_NULL:
    case SQL_OP_IS_TRUE:
        return false;
    case SQL_OP_CASE: /* no condition is true, so it is its ELSE */
        return whens;
    default:
        return any;
    }
}

void local_judge(struct localising *m, const struct sql_rel *rel)
{
    m->rel = rel;
    for (size_t i = 0; i < m->in->node_count; i++) {
        const struct sql_node *n = &m->in->nodes[i];
        struct local_fact f = {.whose = LOCAL_ANYBODY};

        if (n->arg_count == 0) {
            m->facts[i] = judge_leaf(m, i);
            continue;
        }
        for (size_t k = 0; k < n->arg_count; k++) {
            const struct local_fact *arg = &m->facts[n->args[k]];
            f.whose = both(f.whose, arg->whose);
            f.raises = f.raises || arg->raises;
            f.costs = f.costs || arg->costs;
        }
        f.raises = f.raises || may_be_zero(m->in, n);
        f.costs = f.costs || !is_free(m, n);
        f.nothing = is_nothing(m, n);
        m->facts[i] = f;
    }
}

bool local_can(const struct localising *m, size_t node)
{
    const struct local_fact *f = &m->facts[node];

    return f->whose != LOCAL_NOBODY && f->whose != LOCAL_ANYBODY && !f->raises &&
           (f->nothing || !at_hand(m, m->gone, f->whose));
}

/* ---- nodes ---- */

static fm_status memory(struct base_err *err)
{
    return base_err_memory(err, "SQL plan");
}

fm_status local_add_node(size_t *out, struct localising *m, struct sql_node node,
                         struct base_err *err)
{
    struct sql_plan *plan = m->out;

    if (plan->node_count == m->node_cap) {
        size_t cap = 2 * m->node_cap + 64;
        struct sql_node *more = sql_arena_array(m->arena, cap, sizeof *more);
        if (more == NULL)
            return memory(err);
        if (plan->node_count > 0)
            memcpy(more, plan->nodes, plan->node_count * sizeof *more);
        plan->nodes = more;
        m->node_cap = cap;
    }
    *out = plan->node_count++;
    plan->nodes[*out] = node;
    return FM_OK;
}

static fm_status grow_local(struct localising *m, struct base_err *err)
{
    size_t n = m->out->local_node_count, cap = 2 * m->local_cap + 64;
    struct sql_node *nodes;
    size_t *derived;

    if (n < m->local_cap)
        return FM_OK;
    nodes = sql_arena_array(m->arena, cap, sizeof *nodes);
    derived = sql_arena_array(m->arena, cap, sizeof *derived);
    if (nodes == NULL || derived == NULL)
        return memory(err);
    if (n > 0) {
        memcpy(nodes, m->out->local_nodes, n * sizeof *nodes);
        memcpy(derived, m->derived, n * sizeof *derived);
    }
    m->out->local_nodes = nodes;
    m->derived = derived;
    m->local_cap = cap;
    return FM_OK;
}

/* Everything that tells two local nodes apart. */
static void put_key(struct base_buf *key, const struct sql_node *n)
{
    uint64_t head[] = {
        (uint64_t)n->op,   (uint64_t)n->type.kind,      n->type.scale, n->digits, n->index,
        (uint64_t)n->null, (uint64_t)(int64_t)n->value, n->arg_count};

    base_buf_put(key, head, sizeof head);
    base_buf_put(key, n->args, n->arg_count * sizeof *n->args);
    if (n->text != NULL)
        base_buf_put(key, n->text, strlen(n->text));
}

/* One like it that is there already, or a new one. */
fm_status local_add(size_t *out, struct localising *m, struct sql_node node, struct base_err *err)
{
    struct base_buf key = {0};
    bool fresh = false, found;
    fm_status st = grow_local(m, err);

    if (st != FM_OK)
        return st;
    *out = m->out->local_node_count;
    put_key(&key, &node);
    found = !key.failed && sql_intern_find(&m->seen, key.p, key.len, out, &fresh);
    base_buf_release(&key);
    if (!found)
        return memory(err);
    if (!fresh)
        return FM_OK;
    m->derived[*out] = SQL_NONE;
    m->out->local_nodes[m->out->local_node_count++] = node;
    return FM_OK;
}

static fm_status copy_args(struct sql_node *node, struct localising *m, const size_t *place,
                           struct base_err *err)
{
    size_t *args = sql_arena_array(m->arena, node->arg_count, sizeof *args);

    if (args == NULL)
        return memory(err);
    for (size_t k = 0; k < node->arg_count; k++)
        args[k] = place[node->args[k]];
    node->args = args;
    return FM_OK;
}

/* The node as its owner computes it: over columns of the dataset alone. */
fm_status local_stay_home(size_t *out, struct localising *m, size_t root, struct base_err *err)
{
    const struct sql_plan *in = m->in;
    fm_status st = FM_OK;

    memset(m->need, 0, root + 1);
    m->need[root] = true;
    for (size_t i = root + 1; i-- > 0;) {
        const struct sql_node *n = &in->nodes[i];
        if (!m->need[i] || m->home[i] != SQL_NONE)
            continue;
        for (size_t k = 0; k < n->arg_count; k++)
            m->need[n->args[k]] = true;
        if (n->op == SQL_OP_COLUMN && m->made[n->index] != SQL_NONE)
            m->need[m->made[n->index]] = true;
    }
    for (size_t i = 0; st == FM_OK && i <= root; i++) {
        struct sql_node n = in->nodes[i];
        if (!m->need[i] || m->home[i] != SQL_NONE)
            continue;
        if (n.op == SQL_OP_COLUMN && m->made[n.index] != SQL_NONE) {
            m->home[i] = m->home[m->made[n.index]];
            continue;
        }
        st = copy_args(&n, m, m->home, err);
        if (st == FM_OK)
            st = local_add(&m->home[i], m, n, err);
    }
    *out = m->home[root];
    return st;
}

/* ---- derived columns ---- */

static fm_status name_column(struct sql_plan_column *c, struct localising *m, size_t local,
                             struct base_err *err)
{
    struct sql_plan view = *m->out;
    struct base_buf text = {0};

    view.nodes = m->out->local_nodes;
    view.table_count = 1; /* names without their table's */
    sql_plan_print_expr(&text, &view, local);
    c->name = base_buf_cstr(&text);
    c->name = c->name != NULL ? sql_arena_text(m->arena, c->name) : NULL;
    base_buf_release(&text);
    return c->name != NULL ? FM_OK : memory(err);
}

fm_status local_add_column(size_t *out, struct localising *m, struct sql_plan_column column,
                           struct base_err *err)
{
    struct sql_plan *plan = m->out;
    size_t n = sql_plan_columns(plan);

    if (n == m->column_cap) {
        struct sql_plan_column *more = sql_arena_array(m->arena, 2 * n + 16, sizeof *more);
        if (more == NULL)
            return memory(err);
        memcpy(more, plan->columns, n * sizeof *more);
        plan->columns = more;
        m->column_cap = 2 * n + 16;
    }
    plan->columns[n] = column;
    plan->derived_count++;
    *out = n;
    return FM_OK;
}

static fm_status new_column(size_t *out, struct localising *m, size_t local, size_t table,
                            struct base_err *err)
{
    const struct sql_node *node = &m->out->local_nodes[local];
    struct sql_plan_column c = {.type = node->type,
                                .range = {1, 0},
                                .table = table,
                                .at = node->at,
                                .derived = true,
                                .local = local};
    fm_status st = name_column(&c, m, local, err);

    if (st == FM_OK)
        st = local_add_column(out, m, c, err);
    if (st == FM_OK)
        m->derived[local] = *out;
    return st;
}

/* A node of out for what the owner of `like` makes: `local`. */
static fm_status derive(size_t *out, struct localising *m, const struct sql_node *like,
                        size_t local, size_t table, struct base_err *err)
{
    struct sql_node node = {.op = SQL_OP_COLUMN,
                            .type = like->type,
                            .range = like->range,
                            .nullable = like->nullable,
                            .index = m->derived[local],
                            .at = like->at};
    struct sql_plan_column *c;
    fm_status st = FM_OK;

    if (node.index == SQL_NONE)
        st = new_column(&node.index, m, local, table, err);
    if (st != FM_OK)
        return st;
    c = &m->out->columns[node.index];
    c->nullable = c->nullable || like->nullable;
    if (like->range.lo <= like->range.hi)
        c->range = c->range.lo > c->range.hi ? like->range : sql_range_hull(c->range, like->range);
    if (c->range.lo > c->range.hi) /* always NULL */
        c->range = (struct sql_range){0, 0};
    return local_add_node(out, m, node, err);
}

/* ---- AND and OR of several owners' conditions: one column for each owner ---- */

/* The table with which operand k of an AND or OR goes together; NOBODY: with none. */
static size_t group_of(const struct localising *m, const struct sql_node *n, size_t k)
{
    size_t table = m->facts[n->args[k]].whose, count = 0;

    if ((n->op != SQL_OP_AND && n->op != SQL_OP_OR) || !local_can(m, n->args[k]))
        return LOCAL_NOBODY;
    for (size_t j = 0; j < n->arg_count && count < 2; j++)
        count += local_can(m, n->args[j]) && m->facts[n->args[j]].whose == table;
    return count > 1 ? table : LOCAL_NOBODY;
}

static fm_status place_group(size_t *out, struct localising *m, const struct sql_node *n,
                             size_t table, struct base_err *err)
{
    struct sql_node node = *n;
    size_t *args = sql_arena_array(m->arena, n->arg_count, sizeof *args), local;
    fm_status st = args != NULL ? FM_OK : memory(err);

    node.args = args;
    node.arg_count = 0;
    node.nullable = false;
    for (size_t k = 0; st == FM_OK && k < n->arg_count; k++) {
        if (group_of(m, n, k) != table)
            continue;
        node.nullable = node.nullable || m->in->nodes[n->args[k]].nullable;
        st = local_stay_home(&args[node.arg_count++], m, n->args[k], err);
    }
    if (st == FM_OK)
        st = local_add(&local, m, node, err);
    return st == FM_OK ? derive(out, m, &node, local, table, err) : st;
}

static fm_status place_junction(struct sql_node *node, struct localising *m,
                                const struct sql_node *n, struct base_err *err)
{
    size_t *args = sql_arena_array(m->arena, n->arg_count, sizeof *args), count = 0;
    fm_status st = args != NULL ? FM_OK : memory(err);

    for (size_t k = 0; st == FM_OK && k < n->arg_count; k++) {
        size_t table = group_of(m, n, k);
        bool first = true;
        for (size_t j = 0; table != LOCAL_NOBODY && j < k; j++)
            first = first && group_of(m, n, j) != table;
        if (table == LOCAL_NOBODY)
            args[count++] = m->place[n->args[k]];
        else if (first)
            st = place_group(&args[count++], m, n, table, err);
    }
    node->args = args;
    node->arg_count = count;
    return st;
}

/* ---- all nodes of an operator ---- */

static bool goes(const struct localising *m, size_t node)
{
    return m->facts[node].costs && local_can(m, node);
}

/* The order of texts goes by words, which a hidden parameter does not have here. */
static bool is_hidden(const struct localising *m, const struct sql_node *n)
{
    bool order = n->op >= SQL_OP_LT && n->op <= SQL_OP_GE;

    for (size_t k = 0; (order || n->op == SQL_OP_CASE) && k < n->arg_count; k++) {
        const struct sql_node *x = &m->in->nodes[n->args[k]];
        if (x->op == SQL_OP_PARAM && x->type.kind == DATA_TEXT && m->in->params[x->index].hidden)
            return true;
    }
    return false;
}

static fm_status refuse(const struct localising *m, const struct sql_node *n, struct base_err *err)
{
    return sql_place_error(
        err, FM_E_UNSUPPORTED, m->in->text, n->at,
        "%s is computed by the owner of the rows, before they are shared: it takes columns of one "
        "table, below its GROUP BY, UNION or LEFT JOIN; write it in a subquery of FROM",
        sql_op_name(n->op));
}

static fm_status place_node(struct localising *m, size_t i, struct base_err *err)
{
    const struct sql_node *n = &m->in->nodes[i];
    struct sql_node node = *n;
    size_t local;
    fm_status st;

    if (goes(m, i)) {
        st = local_stay_home(&local, m, i, err);
        return st == FM_OK ? derive(&m->place[i], m, n, local, m->facts[i].whose, err) : st;
    }
    if (sql_op_is_local(n->op))
        return refuse(m, n, err);
    if (is_hidden(m, n))
        return sql_place_error(err, FM_E_UNSUPPORTED, m->in->text, n->at,
                               "a hidden TEXT parameter is compared with = and IN alone: declare "
                               "it public");
    st = n->op == SQL_OP_AND || n->op == SQL_OP_OR ? place_junction(&node, m, n, err)
                                                   : copy_args(&node, m, m->place, err);
    return st == FM_OK ? local_add_node(&m->place[i], m, node, err) : st;
}

fm_status local_place(struct localising *m, struct base_err *err)
{
    size_t count = m->in->node_count;
    fm_status st = FM_OK;

    for (size_t i = count; i-- > 0;) {
        const struct sql_node *n = &m->in->nodes[i];
        m->place[i] = SQL_NONE;
        for (size_t k = 0; m->visit[i] && !goes(m, i) && k < n->arg_count; k++) {
            if (group_of(m, n, k) == LOCAL_NOBODY)
                m->visit[n->args[k]] = true;
        }
    }
    for (size_t i = 0; st == FM_OK && i < count; i++) {
        if (m->visit[i])
            st = place_node(m, i, err);
    }
    return st;
}
