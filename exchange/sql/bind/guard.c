/* The minimum-group guard: what each GROUP must count, and what no query may do while one holds.
 *
 * Subjects are counted table by table, in rows of sources that are no recipient, so that a
 * recipient who knows its own rows cannot take them away and see who is left. Known ways round, and
 * what stops each:
 *
 *   - few rows, or many of one subject: rows are counted against minimum * the greatest number of
 *     rows of one subject, or subjects one by one;
 *   - some members' rows have subjects and others' of the same table have none, or in another
 *     column: refused;
 *   - SUM(CASE WHEN c THEN x ELSE 0 END), SUM(x * flag), SUM(flag): constants of a CASE do not
 *     count, nor do products, quotients, columns of 0 and 1 and the like that are 0
 *     (sql_item.counted);
 *   - SUM(CASE WHEN c THEN 1000000000 * x ELSE x END), two sums in one: refused (bind_counted.c);
 *   - WHERE, FILTER, CASE on id = 5: columns that name one subject or one row are not compared,
 *     computed with, grouped or ordered by, or shown; they are joined with columns that members
 *     publish, not with constants (guard_naming.c);
 *   - WHERE rn <> 1 of a ROW_NUMBER(), LIMIT n - 1: no windows and no LIMIT over rows of others,
 *     but over groups;
 *   - SELECT of rows: needs minimum 1, and the use `reveal`;
 *   - IN, EXISTS with a subquery narrowed down to one subject, that decides over the rows of many:
 *     subject meets subject, or it reads groups.
 *
 * Each answer, and each aggregate in it, is guarded by itself. Not stopped is what follows from two
 * of them: SUM(x) beside SUM(x) FILTER (WHERE c), where c leaves out one subject, or the same in
 * two queries; groups beside their total, where one group was suppressed. To ask of every aggregate
 * that those whom it leaves out be none or enough would suppress most answers over columns with
 * NULLs, and would not help where two aggregates leave out many, but not the same ones.
 *
 * What remains is in the uses: `condition` and `extreme` for the owner to see, and `parameter` with
 * a limit of its own on runs, against narrowing down by many queries; and guard.h says what a
 * recipient's own table can do. */
#include <string.h>

#include "exchange/sql/bind/guard.h"

bool sql_guard_others(const struct sql_plan *plan, size_t table)
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

/* ---- rows as they are ---- */

/* A table of others whose rows these are, or depend on, without a GROUP between; or NULL. */
static const struct sql_rel *rows_of_others(const struct sql_binder *b, const struct sql_rel *rel)
{
    const struct sql_rel *scan = NULL;

    if (rel->kind == SQL_REL_SCAN && sql_guard_others(b->plan, rel->table))
        return rel;
    for (size_t i = 0; rel->kind != SQL_REL_GROUP && scan == NULL && i < rel->input_count; i++)
        scan = rows_of_others(b, rel->inputs[i]);
    return scan;
}

static fm_status check_rows(const struct sql_binder *b, const struct sql_rel *root,
                            struct base_err *err)
{
    const struct sql_rel *scan = rows_of_others(b, root);

    if (scan == NULL)
        return FM_OK;
    return SQL_BIND_ERROR(b, FM_E_REFUSED, scan->at, err,
                          "with a minimum group of %lld no rows of others are shown: select "
                          "aggregates, such as COUNT(*), SUM(x), AVG(x)",
                          (long long)b->plan->minimum);
}

/* Places of rows among others tell single rows apart. */
static fm_status check_places(const struct sql_binder *b, const struct sql_rel *rel,
                              struct base_err *err)
{
    bool window = rel->kind == SQL_REL_WINDOW;
    fm_status st = FM_OK;

    if ((window || rel->kind == SQL_REL_LIMIT) && rows_of_others(b, rel) != NULL)
        return SQL_BIND_ERROR(b, FM_E_REFUSED, window ? rel->windows[0].at : rel->at, err,
                              "with a minimum group of %lld, %s over rows of others may tell one "
                              "row from the rest: GROUP them first",
                              (long long)b->plan->minimum, window ? "OVER" : "LIMIT or OFFSET");
    for (size_t i = 0; st == FM_OK && i < rel->input_count; i++)
        st = check_places(b, rel->inputs[i], err);
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

/* The subject column of the sources that are no recipient, or of all where all are recipients.
 * check_subjects has seen to it that the former agree. */
static const char *subject_of(const struct sql_binder *b, size_t table)
{
    const struct sql_table *t = &b->plan->tables[table];
    size_t i = t->first_source;

    while (i + 1 < t->first_source + t->source_count && b->plan->sources[i].recipient)
        i++;
    return b->datasets[i]->subject_column;
}

/* Of the sources of one table that are no recipient, either none has subjects or all have, in one
 * column: else those of some could not be counted, and would not be guarded. */
static fm_status check_subjects(const struct sql_binder *b, size_t table, struct base_err *err)
{
    const struct sql_table *t = &b->plan->tables[table];
    const char *subject = subject_of(b, table);

    for (size_t i = t->first_source; i < t->first_source + t->source_count; i++) {
        const char *its = b->datasets[i]->subject_column;
        if (b->plan->sources[i].recipient || (its == NULL && subject == NULL) ||
            (its != NULL && subject != NULL && strcmp(its, subject) == 0))
            continue;
        return SQL_BIND_ERROR(b, FM_E_REFUSED, t->at, err,
                              "minimum group %lld: not all members declare the same subject column "
                              "in '%s', so its subjects cannot be counted: name one member's, or "
                              "let all publish it alike",
                              (long long)b->plan->minimum, t->name);
    }
    return FM_OK;
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
        if (sql_guard_others(c->b->plan, rel->table))
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
        st = sql_bind_use(&g.subject, b, t->scan, subject_of(b, g.table), err);
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
    subject = subject_of(b, c->table);
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
    for (size_t i = 0; st == FM_OK && i < b->plan->table_count; i++)
        st = check_subjects(b, i, err);
    if (st == FM_OK)
        st = guard_all(b, root, err);
    if (st == FM_OK)
        st = sql_guard_naming(b, root, err);
    return st == FM_OK ? check_places(b, root, err) : st;
}
