/* The minimum-group guard: what each GROUP must count, and what no query may do while one holds.
 *
 * Subjects are counted table by table, in rows of sources that are no recipient, so that a
 * recipient who knows its own rows cannot take them away and see who is left. Known ways round, and
 * what stops each: few rows, or many rows of one subject      rows are counted against minimum *
 * the greatest number of rows of one subject, or subjects one by one SUM(CASE WHEN ... THEN x ELSE
 * 0 END)       constants of a CASE do not count (sql_item.counted) WHERE, FILTER, CASE on id = 5
 * columns that name one subject or one row are not compared, computed with, grouped by or shown
 *   SELECT of rows                             needs minimum 1, and the use `reveal`
 *   IN, EXISTS: a subquery narrowed down to one subject, that decides over the rows of many
 *                                              subject meets subject, or it reads groups
 * What remains is in the uses: `condition` and `extreme` for the owner to see, and `parameter` with
 * a limit of its own on runs, against narrowing down by many queries. */
#include <stdlib.h>
#include <string.h>

#include "exchange/sql/bind/bind.h"
#include "exchange/sql/plan/walk.h"

static bool has_others(const struct sql_plan *plan, size_t table)
{
    const struct sql_table *t = &plan->tables[table];

    for (size_t i = 0; i < t->source_count; i++) {
        if (!plan->sources[t->first_source + i].recipient)
            return true;
    }
    return false;
}

static bool has_recipients(const struct sql_plan *plan, size_t table)
{
    const struct sql_table *t = &plan->tables[table];

    for (size_t i = 0; i < t->source_count; i++) {
        if (plan->sources[t->first_source + i].recipient)
            return true;
    }
    return false;
}

/* ---- columns that name one subject or one row ---- */

static bool names_one(const struct sql_binder *b, size_t column)
{
    const struct sql_plan_column *c = &b->plan->columns[column];
    const struct sql_table *t;

    if (c->table == SQL_NONE || !has_others(b->plan, c->table))
        return false;
    t = &b->plan->tables[c->table];
    for (size_t i = 0; i < t->source_count; i++) {
        const struct sql_dataset *d = b->datasets[t->first_source + i];
        bool subject = d->subject_column != NULL && strcmp(d->subject_column, c->name) == 0;
        if (!b->plan->sources[t->first_source + i].recipient &&
            (subject || sql_dataset_key(d, c->name) == 1))
            return true;
    }
    return false;
}

static fm_status refuse_naming(const struct sql_binder *b, size_t column, int at,
                               struct base_err *err)
{
    return SQL_BIND_ERROR(b, FM_E_REFUSED, at, err,
                          "'%s' names single subjects or rows of others: with a minimum group of "
                          "%lld it may be joined on and counted, and nothing else",
                          b->plan->columns[column].name, (long long)b->plan->minimum);
}

static void mark(size_t *number, void *context)
{
    ((bool *)context)[*number] = true;
}

/* Every use of such a column inside an expression but IS NULL. */
static fm_status check_nodes(const struct sql_binder *b, const bool *needed, struct base_err *err)
{
    const struct sql_plan *plan = b->plan;

    for (size_t i = 0; i < plan->node_count; i++) {
        const struct sql_node *n = &plan->nodes[i];
        for (size_t k = 0; needed[i] && n->op != SQL_OP_IS_NULL && k < n->arg_count; k++) {
            const struct sql_node *x = &plan->nodes[n->args[k]];
            if (x->op == SQL_OP_COLUMN && names_one(b, x->index))
                return refuse_naming(b, x->index, x->at, err);
        }
    }
    return FM_OK;
}

static fm_status check_group(const struct sql_binder *b, const struct sql_rel *rel,
                             struct base_err *err)
{
    for (size_t i = 0; i < rel->key_count; i++) {
        if (names_one(b, rel->keys[i]))
            return refuse_naming(b, rel->keys[i], rel->at, err);
    }
    for (size_t i = 0; i < rel->item_count; i++) {
        const struct sql_item *item = &rel->items[i];
        const struct sql_node *n = item->arg != SQL_NONE ? &b->plan->nodes[item->arg] : NULL;
        if (n != NULL && item->fn != SQL_COUNT && n->op == SQL_OP_COLUMN && names_one(b, n->index))
            return refuse_naming(b, n->index, n->at, err);
    }
    return FM_OK;
}

static fm_status check_expressions(const struct sql_binder *b, struct sql_rel *rel, bool *needed,
                                   struct base_err *err)
{
    fm_status st = rel->kind == SQL_REL_GROUP ? check_group(b, rel, err) : FM_OK;

    sql_walk_nodes(rel, mark, needed);
    for (size_t i = 0; st == FM_OK && i < rel->input_count; i++)
        st = check_expressions(b, rel->inputs[i], needed, err);
    return st;
}

static fm_status check_naming(const struct sql_binder *b, struct sql_rel *root,
                              struct base_err *err)
{
    bool *needed = calloc(b->plan->node_count + 1, sizeof *needed);
    fm_status st;

    if (needed == NULL)
        return base_err_memory(err, "SQL plan");
    st = check_expressions(b, root, needed, err);
    for (size_t i = b->plan->node_count; i-- > 0;) {
        for (size_t k = 0; needed[i] && k < b->plan->nodes[i].arg_count; k++)
            needed[b->plan->nodes[i].args[k]] = true;
    }
    if (st == FM_OK)
        st = check_nodes(b, needed, err);
    free(needed);
    return st;
}

/* ---- rows as they are ---- */

static fm_status check_rows(const struct sql_binder *b, const struct sql_rel *rel,
                            struct base_err *err)
{
    fm_status st = FM_OK;

    if (rel->kind == SQL_REL_GROUP)
        return FM_OK;
    if (rel->kind == SQL_REL_SCAN && has_others(b->plan, rel->table))
        return SQL_BIND_ERROR(b, FM_E_REFUSED, rel->at, err,
                              "with a minimum group of %lld no rows of others are shown: select "
                              "aggregates, such as COUNT(*), SUM(x), AVG(x)",
                              (long long)b->plan->minimum);
    for (size_t i = 0; st == FM_OK && i < rel->input_count; i++)
        st = check_rows(b, rel->inputs[i], err);
    return st;
}

/* ---- what each GROUP counts ---- */

static fm_status no_subject(const struct sql_binder *b, const struct sql_source *s,
                            struct base_err *err)
{
    return base_err_set(err, FM_E_REFUSED,
                        "minimum group %lld: %s.%s declares no subject, so its subjects cannot be "
                        "counted: publish it with a subject column",
                        (long long)b->plan->minimum, s->member, s->dataset);
}

/* The greatest number of rows of one subject over all sources that are no recipient: a subject may
 * be in every one of them. 0 and the source in *lacking: one declares no subject. */
static int64_t per_subject(const struct sql_plan *plan, size_t table, int64_t *rows,
                           const struct sql_source **lacking)
{
    const struct sql_table *t = &plan->tables[table];
    int64_t sum = 0;

    *rows = 0;
    *lacking = NULL;
    for (size_t i = 0; i < t->source_count; i++) {
        const struct sql_source *s = &plan->sources[t->first_source + i];
        if (s->recipient)
            continue;
        if (s->max_rows_per_subject == 0)
            *lacking = s;
        sum += s->max_rows_per_subject;
        *rows += s->rows;
    }
    return *lacking != NULL ? 0 : sum;
}

struct below {
    struct sql_rel *scan;
    int64_t most; /* rows of one subject in the GROUP's input; 0: nothing follows */
    bool missing; /* a LEFT join may leave the table out */
};

struct counting {
    struct sql_binder *b;
    size_t count;
    struct below *tables;
    bool has_union;
    const struct sql_source *lacking;
    int64_t lacking_rows;
};

static int64_t multiply(int64_t a, int64_t b)
{
    int64_t product;

    return __builtin_mul_overflow(a, b, &product) ? 0 : product;
}

/* Tables whose rows reach this operator's rows without a GROUP between. */
static void find_tables(struct counting *c, struct sql_rel *rel, int64_t times, bool missing)
{
    const struct sql_join *j = &rel->join;
    bool outer = j->kind == SQL_JOIN_LEFT || j->kind == SQL_JOIN_SINGLE;

    switch (rel->kind) {
    case SQL_REL_GROUP:
        return;
    case SQL_REL_SCAN:
        if (has_others(c->b->plan, rel->table))
            c->tables[c->count++] = (struct below){rel, times, missing};
        return;
    case SQL_REL_UNION:
        c->has_union = true;
        break;
    case SQL_REL_JOIN:
        find_tables(c, rel->inputs[0],
                    multiply(times, outer || j->kind == SQL_JOIN_INNER ? j->right_max : 1),
                    missing);
        if (j->kind != SQL_JOIN_MARK)
            find_tables(c, rel->inputs[1], multiply(times, j->left_max), missing || outer);
        return;
    default:
        break;
    }
    for (size_t i = 0; i < rel->input_count; i++)
        find_tables(c, rel->inputs[i], times, missing);
}

static fm_status add_guard(struct sql_rel *group, struct counting *c, const struct below *t,
                           struct base_err *err)
{
    struct sql_binder *b = c->b;
    struct sql_plan *plan = b->plan;
    struct sql_guard g = {.table = t->scan->table, .others = SQL_NONE, .subject = SQL_NONE};
    const struct sql_source *lacking;
    int64_t rows, most = per_subject(plan, g.table, &rows, &lacking);
    const struct sql_plan_column others = {
        .name = "others", .type = {.kind = DATA_BOOLEAN}, .range = {0, 1}, .table = SQL_NONE};
    fm_status st = FM_OK;

    if (lacking != NULL) {
        c->lacking = lacking;
        return FM_OK;
    }
    if (multiply(most, plan->minimum) > rows || multiply(most, plan->minimum) == 0)
        return base_err_set(err, FM_E_REFUSED,
                            "minimum group %lld can never be met: providers that are no recipient "
                            "declare %lld rows, with at most %lld a subject",
                            (long long)plan->minimum, (long long)rows, (long long)most);
    g.rows = multiply(multiply(most, t->most), plan->minimum);
    if (has_recipients(plan, g.table) || t->missing) {
        if (t->scan->others == SQL_NONE)
            st = sql_rel_make(&t->scan->others, b, t->scan, others, err);
        g.others = t->scan->others;
    }
    if (st == FM_OK && g.rows == 0)
        st = sql_bind_use(&g.subject, b, t->scan,
                          b->datasets[plan->tables[g.table].first_source]->subject_column, err);
    group->guards[group->guard_count++] = g;
    return st;
}

/* ---- the right sides of IN and EXISTS ---- */

static bool is_subject(const struct sql_binder *b, size_t column)
{
    const struct sql_plan_column *c = &b->plan->columns[column];
    const char *subject;

    if (c->table == SQL_NONE)
        return false;
    subject = b->datasets[b->plan->tables[c->table].first_source]->subject_column;
    return subject != NULL && strcmp(subject, c->name) == 0;
}

/* A subject of the table then decides over its own rows alone, and those are counted. */
static bool by_subject(const struct sql_binder *b, const struct sql_join *j, size_t table)
{
    for (size_t k = 0; k < j->key_count; k++)
        if (is_subject(b, j->left[k]) && is_subject(b, j->right[k]) &&
            b->plan->columns[j->right[k]].table == table)
            return true;
    return false;
}

static size_t count_scans(const struct sql_rel *rel);

static fm_status check_mark(struct sql_binder *b, struct sql_rel *rel, struct base_err *err)
{
    struct counting c = {
        .b = b,
        .tables = sql_arena_array(&b->plan->arena, count_scans(rel->inputs[1]), sizeof *c.tables)};

    if (c.tables == NULL)
        return base_err_memory(err, "SQL plan");
    find_tables(&c, rel->inputs[1], 1, false);
    for (size_t i = 0; i < c.count; i++) {
        size_t table = c.tables[i].scan->table;
        const struct sql_source *lacking;
        int64_t rows;

        (void)per_subject(b->plan, table, &rows, &lacking);
        if (lacking == NULL && !by_subject(b, &rel->join, table))
            return SQL_BIND_ERROR(b, FM_E_REFUSED, rel->at, err,
                                  "the rows of '%s' in this subquery may be those of one subject: "
                                  "with a minimum group of %lld it must compare subject with "
                                  "subject, or aggregate",
                                  b->plan->tables[table].name, (long long)b->plan->minimum);
    }
    return FM_OK;
}

static size_t count_scans(const struct sql_rel *rel)
{
    size_t n = rel->kind == SQL_REL_SCAN;

    for (size_t i = 0; i < rel->input_count; i++)
        n += count_scans(rel->inputs[i]);
    return n;
}

/* Does the GROUP stand on rows of tables, and not on groups alone? */
static bool on_tables(const struct sql_rel *rel)
{
    if (rel->kind == SQL_REL_SCAN)
        return true;
    for (size_t i = 0; i < rel->input_count; i++) {
        if (rel->inputs[i]->kind != SQL_REL_GROUP && on_tables(rel->inputs[i]))
            return true;
    }
    return false;
}

static fm_status guard_group(struct sql_binder *b, struct sql_rel *group, struct base_err *err)
{
    size_t n = count_scans(group);
    struct counting c = {.b = b, .tables = sql_arena_array(&b->plan->arena, n, sizeof *c.tables)};
    fm_status st = FM_OK;

    group->guards = sql_arena_array(&b->plan->arena, n, sizeof *group->guards);
    if (c.tables == NULL || group->guards == NULL)
        return base_err_memory(err, "SQL plan");
    find_tables(&c, group->inputs[0], 1, false);
    if (c.has_union && c.count > 0)
        return SQL_BIND_ERROR(
            b, FM_E_UNSUPPORTED, group->at, err,
            "with a minimum group of %lld, aggregates over a UNION of rows are not "
            "offered: aggregate each side, or let members publish one dataset",
            (long long)b->plan->minimum);
    for (size_t i = 0; st == FM_OK && i < c.count; i++)
        st = add_guard(group, &c, &c.tables[i], err);
    if (st != FM_OK || group->guard_count > 0)
        return st;
    if (c.lacking != NULL)
        return no_subject(b, c.lacking, err);
    if (!on_tables(group))
        return FM_OK; /* over groups that are guarded themselves */
    return base_err_set(err, FM_E_REFUSED,
                        "minimum group %lld can never be met: every provider of '%s' is a "
                        "recipient",
                        (long long)b->plan->minimum, b->plan->tables[0].name);
}

static fm_status guard_all(struct sql_binder *b, struct sql_rel *rel, struct base_err *err)
{
    fm_status st = rel->kind == SQL_REL_GROUP ? guard_group(b, rel, err) : FM_OK;

    if (st == FM_OK && rel->kind == SQL_REL_JOIN && rel->join.kind == SQL_JOIN_MARK)
        st = check_mark(b, rel, err);
    for (size_t i = 0; st == FM_OK && i < rel->input_count; i++)
        st = guard_all(b, rel->inputs[i], err);
    return st;
}

fm_status sql_bind_guards(struct sql_binder *b, struct sql_rel *root, struct base_err *err)
{
    fm_status st;

    b->plan->minimum = b->request->minimum;
    if (b->plan->minimum < 1 || b->plan->minimum > SQL_MAX_ROWS)
        return base_err_set(err, FM_E_INPUT, "the minimum group must be 1 to %lld subjects",
                            (long long)SQL_MAX_ROWS);
    if (b->plan->minimum == 1)
        return FM_OK;
    st = check_rows(b, root, err);
    if (st == FM_OK)
        st = guard_all(b, root, err);
    return st == FM_OK ? check_naming(b, root, err) : st;
}
