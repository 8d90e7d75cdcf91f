#include "exchange/run/lookup.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "exchange/run/local.h"
#include "exchange/run/local_text.h"
#include "exchange/sql/physical/local.h"

struct look;

/* A row that can be found: its keys, then the columns that go to whoever finds it. */
struct kept {
    const struct look *look;
    struct sql_cell *cells;
    char *texts;
    size_t text_bytes;
};

/* One lookup of the plan. */
struct look {
    const struct sql_lookup *of;
    const bool *text_key;
    struct run_local *left, *right, *condition;
    size_t column_count;
    size_t *columns; /* of `from`, and of what its rows have found themselves */
    size_t count, cap;
    struct kept *rows; /* sorted by keys, none of them NULL */
    bool any;          /* there is a row at all */
    bool null_key;     /* one has a NULL key */
};

struct run_lookups {
    const struct sql_run *run;
    const struct sql_plan *plan;
    size_t table;
    size_t keys_at; /* where the scratch cells begin: keys, then one condition */
    struct look *looks;
    bool *text_keys; /* of all lookups */
};

size_t run_lookups_room(const struct sql_plan *plan)
{
    size_t most = 0;

    for (size_t i = 0; i < plan->lookup_count; i++)
        most = plan->lookups[i].key_count > most ? plan->lookups[i].key_count : most;
    return most + 1;
}

/* ---- rows in order ---- */

static int compare_keys(const struct look *l, const struct sql_cell *x, const struct sql_cell *y)
{
    int order = 0;

    for (size_t k = 0; order == 0 && k < l->of->key_count; k++)
        order = l->text_key[k] ? text_compare((struct text){x[k].text, x[k].len},
                                              (struct text){y[k].text, y[k].len})
                               : (x[k].value > y[k].value) - (x[k].value < y[k].value);
    return order;
}

static int by_key(const void *a, const void *b)
{
    const struct kept *x = a, *y = b;

    return compare_keys(x->look, x->cells, y->cells);
}

/* The first row whose keys are not below these. */
static size_t first_of(const struct look *l, const struct sql_cell *keys)
{
    size_t lo = 0, hi = l->count;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (compare_keys(l, l->rows[mid].cells, keys) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* ---- finding ---- */

static bool is_true(const struct sql_cell *c)
{
    return !c->null && c->value != 0;
}

static bool has_null(const struct sql_cell *keys, size_t count)
{
    for (size_t k = 0; k < count; k++)
        if (keys[k].null)
            return true;
    return false;
}

static void take(const struct look *l, const struct kept *row, struct sql_cell *cells)
{
    for (size_t i = 0; i < l->column_count; i++)
        cells[l->columns[i]] =
            row != NULL ? row->cells[l->of->key_count + i] : (struct sql_cell){.null = true};
}

/* In cells: the row's columns. Is it one that matches, beside its keys? */
static bool matches(const struct run_lookups *s, const struct look *l, size_t row,
                    struct sql_cell *cells)
{
    take(l, &l->rows[row], cells);
    if (l->condition == NULL)
        return true;
    run_local_row(l->condition, cells);
    return is_true(cells + s->keys_at + run_lookups_room(s->plan) - 1);
}

/* Rows [*from, *to) have the keys in cells' scratch. */
static void find_keys(const struct run_lookups *s, const struct look *l, struct sql_cell *cells,
                      size_t *from, size_t *to)
{
    const struct sql_cell *keys = cells + s->keys_at;

    run_local_row(l->left, cells);
    *from = *to = has_null(keys, l->of->key_count) ? l->count : first_of(l, keys);
    while (*to < l->count && compare_keys(l, l->rows[*to].cells, keys) == 0)
        ++*to;
}

/* The first row that matches, or NULLs. */
static bool look_for(const struct run_lookups *s, const struct look *l, struct sql_cell *cells)
{
    size_t at, end;
    bool found = false, null_key;

    find_keys(s, l, cells, &at, &end);
    null_key = has_null(cells + s->keys_at, l->of->key_count);
    for (; !found && at < end; at++)
        found = matches(s, l, at, cells);
    if (!found)
        take(l, NULL, cells);
    cells[l->of->found] = (struct sql_cell){.value = found};
    if (l->of->null_aware && !found)
        cells[l->of->found].null = (l->any && null_key) || l->null_key;
    return found || !l->of->inner;
}

/* All that a row of `table` looks up, which finds one row at most each time. */
static void look_all(const struct run_lookups *s, size_t table, size_t before,
                     struct sql_cell *cells)
{
    for (size_t i = 0; i < before; i++)
        if (s->plan->lookups[i].table == table)
            (void)look_for(s, &s->looks[i], cells);
}

/* Where rows go. */
struct each {
    struct run_lookups *s;
    struct sql_cell *cells;
    fm_status (*emit)(void *ctx, bool met, struct base_err *err);
    void *ctx;
};

static fm_status each(const struct each *e, size_t i, bool met, struct base_err *err);

/* One row after another, each with all that lookups behind this one make of it. */
static fm_status each_match(const struct each *e, size_t i, bool met, struct base_err *err)
{
    const struct look *l = &e->s->looks[i];
    size_t at, end;
    bool any = false;
    fm_status st = FM_OK;

    find_keys(e->s, l, e->cells, &at, &end);
    for (; st == FM_OK && at < end; at++) {
        if (!matches(e->s, l, at, e->cells))
            continue;
        any = true;
        e->cells[l->of->found] = (struct sql_cell){.value = true};
        st = each(e, i + 1, met, err);
    }
    if (any || l->of->inner)
        return st;
    take(l, NULL, e->cells);
    e->cells[l->of->found] = (struct sql_cell){.value = false};
    return each(e, i + 1, met, err);
}

/* From lookup i on. As deep as there are lookups with several rows a key, of which the plan has as
 * many as tables at most. */
static fm_status each(const struct each *e, size_t i, bool met, struct base_err *err)
{
    const struct sql_plan *plan = e->s->plan;

    for (; i < plan->lookup_count; i++) {
        if (plan->lookups[i].table != e->s->table)
            continue;
        if (plan->lookups[i].most > 1)
            return each_match(e, i, met, err);
        met = look_for(e->s, &e->s->looks[i], e->cells) && met;
    }
    return e->emit(e->ctx, met, err);
}

fm_status run_lookups_each(struct run_lookups *s, struct sql_cell *cells,
                           fm_status (*emit)(void *ctx, bool met, struct base_err *err), void *ctx,
                           struct base_err *err)
{
    const struct each e = {s, cells, emit, ctx};

    return each(&e, 0, true, err);
}

/* ---- reading ---- */

static fm_status memory(struct base_err *err)
{
    return base_err_memory(err, "query input");
}

static fm_status keep(struct look *l, const struct sql_cell *cells, const struct sql_cell *keys,
                      struct base_err *err)
{
    size_t key_count = l->of->key_count, n = key_count + l->column_count, bytes = 0, used = 0;
    struct kept *row;

    if (l->count == l->cap) {
        size_t cap = 2 * l->cap + 64;
        struct kept *more = realloc(l->rows, cap * sizeof *more);
        if (more == NULL)
            return memory(err);
        l->rows = more;
        l->cap = cap;
    }
    row = &l->rows[l->count];
    *row = (struct kept){.look = l, .cells = calloc(n + 1, sizeof *row->cells)};
    if (row->cells == NULL)
        return memory(err);
    l->count++;
    for (size_t i = 0; i < n; i++) {
        row->cells[i] = i < key_count ? keys[i] : cells[l->columns[i - key_count]];
        bytes += row->cells[i].null || row->cells[i].text == NULL ? 0 : row->cells[i].len;
    }
    row->texts = malloc(bytes + 1);
    row->text_bytes = bytes;
    if (row->texts == NULL)
        return memory(err);
    for (size_t i = 0; i < n; i++) {
        struct sql_cell *c = &row->cells[i];
        if (c->null || c->text == NULL)
            continue;
        if (c->len > 0)
            memcpy(row->texts + used, c->text, c->len);
        c->text = row->texts + used;
        used += c->len;
    }
    return FM_OK;
}

static fm_status read_row(struct run_lookups *s, size_t i, struct sql_cell *cells,
                          struct base_err *err)
{
    struct look *l = &s->looks[i];
    const struct sql_cell *keys = cells + s->keys_at, *there = keys + run_lookups_room(s->plan) - 1;

    look_all(s, l->of->from, i, cells);
    run_local_row(l->right, cells);
    if (l->of->filter != SQL_NONE && !is_true(there))
        return FM_OK;
    l->any = true;
    if (!has_null(keys, l->of->key_count))
        return keep(l, cells, keys, err);
    l->null_key = true;
    return FM_OK;
}

static fm_status read_rows(struct run_lookups *s, size_t i, struct sql_cell *cells,
                           struct base_err *err)
{
    size_t source = s->plan->tables[s->plan->lookups[i].from].first_source;
    const struct sql_rows *rows = s->run->c->rows[source];
    const struct sql_source *of = &s->plan->sources[source];
    fm_status st = FM_OK;

    for (size_t row = 0; st == FM_OK; row++) {
        bool end = false;

        st = rows->next(rows->ctx, cells, &end, err);
        if (st != FM_OK || end)
            return st;
        st = row == (size_t)of->rows
                 ? base_err_set(err, FM_E_LIMIT, "%s.%s has more rows than the %zu it declares",
                                of->member, of->dataset, row)
                 : sql_run_check_row(s->run, source, row, cells, err);
        if (st == FM_OK)
            st = read_row(s, i, cells, err);
    }
    return st;
}

static fm_status check_keys(const struct run_lookups *s, const struct look *l, struct base_err *err)
{
    const struct sql_source *of = &s->plan->sources[s->plan->tables[l->of->from].first_source];
    size_t most = (size_t)l->of->most;

    for (size_t i = most; most > 0 && i < l->count; i++)
        if (by_key(&l->rows[i - most], &l->rows[i]) == 0)
            return base_err_set(err, FM_E_INPUT,
                                "%s.%s: %zu rows have the same key, which its schema rules out: "
                                "check \"keys\" and publish it again",
                                of->member, of->dataset, most + 1);
    return FM_OK;
}

/* ---- opening ---- */

/* Whose columns come along with the rows of `from`. */
static fm_status list_columns(const struct run_lookups *s, size_t i, struct base_err *err)
{
    const struct sql_plan *plan = s->plan;
    struct look *l = &s->looks[i];
    bool *with = calloc(plan->table_count + 1, sizeof *with);

    l->columns = calloc(sql_plan_columns(plan) + 1, sizeof *l->columns);
    if (with == NULL || l->columns == NULL) {
        free(with);
        return memory(err);
    }
    with[l->of->from] = true;
    for (size_t k = i; k-- > 0;)
        with[plan->lookups[k].from] = with[plan->lookups[k].from] || with[plan->lookups[k].table];
    for (size_t c = 0; c < sql_plan_columns(plan); c++) {
        const struct sql_plan_column *column = &plan->columns[c];
        bool derived = column->derived && column->local != SQL_NONE;
        if (column->table != SQL_NONE && with[column->table] && !derived)
            l->columns[l->column_count++] = c;
    }
    free(with);
    return FM_OK;
}

static fm_status open_nodes(struct run_local **out, const struct run_lookups *s,
                            const size_t *nodes, size_t count, size_t last, struct base_err *err)
{
    size_t room = run_lookups_room(s->plan), n = 0, *list = calloc(2 * room, sizeof *list);
    fm_status st;

    if (list == NULL)
        return memory(err);
    for (; n < count; n++) {
        list[n] = nodes[n];
        list[room + n] = s->keys_at + n;
    }
    if (last != SQL_NONE) {
        list[n] = last;
        list[room + n++] = s->keys_at + room - 1;
    }
    st = run_local_open_nodes(out, s->plan->local_nodes, s->plan->local_node_count, list,
                              list + room, n, s->run->c->params, err);
    free(list);
    return st;
}

static fm_status open_look(struct run_lookups *s, size_t i, struct sql_cell *cells,
                           struct base_err *err)
{
    const struct sql_lookup *of = &s->plan->lookups[i];
    struct look *l = &s->looks[i];
    fm_status st = list_columns(s, i, err);

    if (st == FM_OK)
        st = open_nodes(&l->left, s, of->left, of->key_count, SQL_NONE, err);
    if (st == FM_OK)
        st = open_nodes(&l->right, s, of->right, of->key_count, of->filter, err);
    if (st == FM_OK && of->condition != SQL_NONE)
        st = open_nodes(&l->condition, s, NULL, 0, of->condition, err);
    if (st == FM_OK)
        st = read_rows(s, i, cells, err);
    if (st != FM_OK)
        return st;
    if (l->count > 0)
        qsort(l->rows, l->count, sizeof *l->rows, by_key);
    return check_keys(s, l, err);
}

static fm_status open_all(struct run_lookups *s, struct base_err *err)
{
    const struct sql_plan *plan = s->plan;
    size_t room = run_lookups_room(plan), count = s->keys_at + room;
    struct sql_cell *cells = calloc(count, sizeof *cells);
    fm_status st = FM_OK;

    s->looks = calloc(plan->lookup_count + 1, sizeof *s->looks);
    s->text_keys = calloc((plan->lookup_count + 1) * room, sizeof *s->text_keys);
    if (cells == NULL || s->looks == NULL || s->text_keys == NULL)
        st = memory(err);
    for (size_t i = 0; st == FM_OK && i < plan->lookup_count; i++) {
        const struct sql_lookup *of = &plan->lookups[i];
        bool *text = s->text_keys + i * room;
        for (size_t k = 0; k < of->key_count; k++)
            text[k] = plan->local_nodes[of->right[k]].type.kind == DATA_TEXT;
        s->looks[i].of = of;
        s->looks[i].text_key = text;
        if (plan->hosts[of->from] == s->table)
            st = open_look(s, i, cells, err);
    }
    if (cells != NULL)
        base_wipe(cells, count * sizeof *cells);
    free(cells);
    return st;
}

fm_status run_lookups_open(struct run_lookups **out, const struct sql_run *run, size_t table,
                           struct base_err *err)
{
    struct run_lookups *s = calloc(1, sizeof *s);
    fm_status st;

    *out = NULL;
    if (s == NULL)
        return memory(err);
    *s = (struct run_lookups){.run = run,
                              .plan = run->p->plan,
                              .table = table,
                              .keys_at = sql_plan_columns(run->p->plan)};
    st = open_all(s, err);
    if (st == FM_OK)
        *out = s;
    else
        run_lookups_free(s);
    return st;
}

static void release_look(struct look *l)
{
    size_t n = l->of != NULL ? l->of->key_count + l->column_count + 1 : 0;

    for (size_t i = 0; i < l->count; i++) {
        base_wipe(l->rows[i].cells, n * sizeof(struct sql_cell));
        if (l->rows[i].texts != NULL)
            base_wipe(l->rows[i].texts, l->rows[i].text_bytes);
        free(l->rows[i].cells);
        free(l->rows[i].texts);
    }
    free(l->rows);
    free(l->columns);
    run_local_free(l->left);
    run_local_free(l->right);
    run_local_free(l->condition);
}

void run_lookups_free(struct run_lookups *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; s->looks != NULL && i < s->plan->lookup_count; i++)
        release_look(&s->looks[i]);
    free(s->looks);
    free(s->text_keys);
    free(s);
}
