#include "exchange/run/relation.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

const char *run_flag_text(enum run_flag flag)
{
    static const char *const texts[RUN_FLAGS] = {
        [RUN_FLAG_REPEATED_KEY] = "a join key has more rows than its dataset declares",
        [RUN_FLAG_SECOND_ROW] = "a scalar subquery has more than one row",
        [RUN_FLAG_DIVISION_BY_ZERO] = "a division by zero",
        [RUN_FLAG_MORE_GROUPS] = "more groups than the plan's bound"};

    return texts[flag];
}

void run_relation_init(struct run_relation *out, struct mpc_share *valid)
{
    *out = (struct run_relation){
        .session = mpc_share_session(valid), .rows = mpc_share_n(valid), .valid = valid};
}

/* ---- all shares, each once ---- */

static size_t count_slots(const struct run_relation *r)
{
    size_t n = 1;

    for (size_t c = 0; c < r->count; c++)
        n += 3 + r->columns[c].word_count;
    return n;
}

static void add_slot(struct run_shares *s, struct mpc_share **slot)
{
    size_t i = 0;

    if (*slot == NULL)
        return;
    while (i < s->count && s->list[i] != *slot)
        i++;
    if (i == s->count)
        s->list[s->count++] = *slot;
    s->of[s->slot_count] = i;
    s->slots[s->slot_count++] = slot;
}

fm_status run_shares_get(struct run_shares *out, struct run_relation *r, struct base_err *err)
{
    size_t n = count_slots(r);

    *out = (struct run_shares){.list = calloc(n, sizeof(struct mpc_share *)),
                               .slots = calloc(n, sizeof(struct mpc_share **)),
                               .of = calloc(n, sizeof(size_t))};
    if (out->list == NULL || out->slots == NULL || out->of == NULL) {
        run_shares_release(out);
        return base_err_memory(err, "query");
    }
    add_slot(out, &r->valid);
    for (size_t c = 0; c < r->count; c++) {
        add_slot(out, &r->columns[c].x);
        add_slot(out, &r->columns[c].known);
        add_slot(out, &r->columns[c].shown);
        for (size_t k = 0; k < r->columns[c].word_count; k++)
            add_slot(out, &r->columns[c].words[k]);
    }
    return FM_OK;
}

void run_shares_put(struct run_shares *s, struct mpc_share **new)
{
    for (size_t i = 0; i < s->slot_count; i++)
        *s->slots[i] = new[s->of[i]];
    mpc_share_free_all(s->list, s->count);
    run_shares_release(s);
}

void run_shares_release(struct run_shares *s)
{
    free(s->list);
    free(s->slots);
    free(s->of);
    *s = (struct run_shares){0};
}

static void free_column(struct run_column *c)
{
    mpc_share_free(c->x);
    mpc_share_free(c->known);
    mpc_share_free(c->shown);
    if (c->words != NULL)
        mpc_share_free_all(c->words, c->word_count);
    free(c->words);
    *c = (struct run_column){0};
}

/* The share is no longer in the columns from number `from` on. */
static void forget(struct run_relation *r, const struct mpc_share *x, size_t from)
{
    if (x == NULL)
        return;
    for (size_t c = from; c < r->count; c++) {
        struct run_column *column = &r->columns[c];

        if (column->x == x)
            column->x = NULL;
        if (column->known == x)
            column->known = NULL;
        if (column->shown == x)
            column->shown = NULL;
        for (size_t k = 0; k < column->word_count; k++)
            if (column->words[k] == x)
                column->words[k] = NULL;
    }
}

/* Several places may hold one share: the first frees it, the valid bit's last. */
static void free_columns(struct run_relation *r)
{
    forget(r, r->valid, 0);
    for (size_t c = 0; c < r->count; c++) {
        struct run_column *column = &r->columns[c], own = *column;

        *column = (struct run_column){0};
        forget(r, own.x, c + 1);
        forget(r, own.known, c + 1);
        forget(r, own.shown, c + 1);
        for (size_t k = 0; k < own.word_count; k++)
            forget(r, own.words[k], c + 1);
        if (own.known == own.x)
            own.known = NULL;
        if (own.shown == own.x || own.shown == own.known)
            own.shown = NULL;
        free_column(&own);
    }
    free(r->columns);
    r->columns = NULL;
    r->count = 0;
}

void run_relation_release(struct run_relation *r)
{
    free_columns(r);
    mpc_share_free(r->valid);
    mpc_share_free_all(r->flag, RUN_FLAGS);
    *r = (struct run_relation){0};
}

/* ---- columns ---- */

fm_status run_relation_add(struct run_relation *r, struct run_column column, struct base_err *err)
{
    struct run_column *columns;

    if (r->count == RUN_MAX_COLUMNS) {
        free_column(&column);
        return base_err_set(err, FM_E_LIMIT, "a relation has more than %d columns",
                            (int)RUN_MAX_COLUMNS);
    }
    columns = realloc(r->columns, (r->count + 1) * sizeof *columns);
    if (columns == NULL) {
        free_column(&column);
        return base_err_memory(err, "query");
    }
    r->columns = columns;
    r->columns[r->count++] = column;
    return FM_OK;
}

/* The same shares in new places; words get an array of their own. */
static bool borrow_column(struct run_column *out, const struct run_column *from)
{
    *out = *from;
    if (from->word_count == 0)
        return true;
    out->words = calloc(from->word_count, sizeof(struct mpc_share *));
    if (out->words == NULL)
        return false;
    memcpy(out->words, from->words, from->word_count * sizeof(struct mpc_share *));
    return true;
}

fm_status run_relation_project(struct run_relation *r, const size_t *columns, size_t count,
                               struct base_err *err)
{
    struct run_column *new = calloc(count + 1, sizeof *new);
    struct run_relation old = *r;
    fm_status st = FM_OK;

    if (new == NULL)
        return base_err_memory(err, "query");
    for (size_t i = 0; st == FM_OK && i < count; i++) {
        assert(columns[i] < r->count);
        if (!borrow_column(&new[i], &r->columns[columns[i]]))
            st = base_err_memory(err, "query");
    }
    if (st != FM_OK) {
        for (size_t i = 0; i < count; i++)
            free(new[i].words);
        free(new);
        return st;
    }
    for (size_t i = 0; i < count; i++) { /* what stays is not freed with the old columns */
        forget(&old, new[i].x, 0);
        forget(&old, new[i].known, 0);
        forget(&old, new[i].shown, 0);
        for (size_t k = 0; k < new[i].word_count; k++)
            forget(&old, new[i].words[k], 0);
    }
    free_columns(&old);
    r->columns = new;
    r->count = count;
    return FM_OK;
}

fm_status run_relation_copy(struct run_relation *out, const struct run_relation *r,
                            struct base_err *err)
{
    struct run_work w = run_work(r->session, err);
    struct run_shares s = {0};

    *out = (struct run_relation){.session = r->session, .rows = r->rows, .valid = r->valid};
    out->columns = calloc(r->count + 1, sizeof *out->columns);
    if (out->columns == NULL) {
        *out = (struct run_relation){0};
        return base_err_memory(err, "query");
    }
    for (size_t c = 0; w.status == FM_OK && c < r->count; c++, out->count++)
        if (!borrow_column(&out->columns[c], &r->columns[c]))
            w.status = base_err_memory(err, "query");
    if (w.status == FM_OK)
        w.status = run_shares_get(&s, out, err);
    for (size_t i = 0; w.status == FM_OK && i < s.count; i++)
        s.list[i] = run_slice(&w, s.list[i], 0, r->rows);
    for (size_t i = 0; i < s.slot_count; i++)
        *s.slots[i] = w.status == FM_OK ? s.list[s.of[i]] : NULL;
    for (size_t i = 0; w.status == FM_OK && i < s.count; i++)
        (void)run_take(&w, s.list[i]);
    for (int i = 0; i < RUN_FLAGS; i++)
        out->flag[i] = run_take(&w, run_slice(&w, r->flag[i], 0, 1));
    if (w.status != FM_OK) {
        for (size_t c = 0; c < r->count; c++)
            free(out->columns[c].words);
        free(out->columns);
        for (int i = 0; i < RUN_FLAGS; i++)
            mpc_share_free(out->flag[i]);
        *out = (struct run_relation){0};
    }
    run_shares_release(&s);
    return run_work_release(&w);
}

fm_status run_relation_slice(struct run_relation *r, size_t from, size_t n, struct base_err *err)
{
    struct run_work w = run_work(r->session, err);
    struct run_shares s;
    struct mpc_share **new;

    if (from == 0 && n == r->rows)
        return FM_OK;
    w.status = run_shares_get(&s, r, err);
    if (w.status != FM_OK)
        return w.status;
    new = calloc(s.count, sizeof(struct mpc_share *));
    if (new == NULL)
        w.status = base_err_memory(err, "query");
    for (size_t i = 0; w.status == FM_OK && i < s.count; i++)
        new[i] = run_slice(&w, s.list[i], from, n);
    if (w.status == FM_OK) {
        for (size_t i = 0; i < s.count; i++)
            (void)run_take(&w, new[i]);
        run_shares_put(&s, new);
        r->rows = n;
    } else {
        run_shares_release(&s);
    }
    free(new);
    return run_work_release(&w);
}

/* ---- rows ---- */

fm_status run_filter(struct run_relation *r, const struct mpc_share *condition,
                     struct base_err *err)
{
    struct mpc_share *both = NULL;
    bool shared = false;
    fm_status st;

    if (condition == NULL)
        return FM_OK;
    st = mpc_and(&both, r->valid, condition, err);
    if (st != FM_OK)
        return st;
    for (size_t c = 0; c < r->count; c++) /* a column may be the valid bit itself */
        shared = shared || r->columns[c].x == r->valid || r->columns[c].known == r->valid ||
                 r->columns[c].shown == r->valid;
    if (!shared)
        mpc_share_free(r->valid);
    r->valid = both;
    return FM_OK;
}

struct mpc_share *run_truth(struct run_work *w, const struct run_relation *r, size_t column)
{
    if (column == RUN_NONE)
        return NULL;
    return run_and(w, r->columns[column].x, r->columns[column].known);
}

/* One share of every part, one after another; NULL where all are. */
static struct mpc_share *stack(struct run_work *w, const struct run_relation *parts, size_t count,
                               struct mpc_share *const *shares)
{
    const struct mpc_share *x[MPC_MAX_LIST];
    bool any = false;

    for (size_t i = 0; i < count; i++)
        any = any || shares[i] != NULL;
    if (!any || w->status != FM_OK)
        return NULL;
    for (size_t i = 0; i < count; i++)
        x[i] = run_whole(w, shares[i], parts[i].rows);
    return run_take(w, run_concat(w, x, count));
}

static void stack_words(struct run_work *w, struct run_column *out, struct run_relation *parts,
                        size_t count, size_t c)
{
    const struct mpc_share *x[MPC_MAX_LIST];
    size_t words = 0;

    for (size_t i = 0; i < count; i++) {
        size_t n = parts[i].columns[c].word_count;
        words = n > words ? n : words;
    }
    if (words == 0)
        return;
    out->words = calloc(words, sizeof(struct mpc_share *));
    if (out->words == NULL) {
        w->status = base_err_memory(w->err, "query");
        return;
    }
    out->word_count = words;
    for (size_t k = 0; w->status == FM_OK && k < words; k++) {
        for (size_t i = 0; i < count; i++) {
            const struct run_column *p = &parts[i].columns[c];
            x[i] = k < p->word_count ? p->words[k] : run_number(w, 0, parts[i].rows);
        }
        out->words[k] = run_take(w, run_concat(w, x, count));
    }
}

static struct run_column stack_column(struct run_work *w, struct run_relation *parts, size_t count,
                                      size_t c)
{
    struct mpc_share *x[MPC_MAX_LIST], *known[MPC_MAX_LIST], *shown[MPC_MAX_LIST];
    struct run_column out = {0};
    bool hashes = true;

    for (size_t i = 0; i < count; i++) {
        x[i] = parts[i].columns[c].x;
        known[i] = parts[i].columns[c].known;
        shown[i] = parts[i].columns[c].shown;
        hashes = hashes && x[i] != NULL;
    }
    if (hashes) /* texts of which one has words only keep their words */
        out.x = stack(w, parts, count, x);
    out.known = stack(w, parts, count, known);
    out.shown = stack(w, parts, count, shown);
    stack_words(w, &out, parts, count, c);
    return out;
}

fm_status run_union_all(struct run_relation *out, struct run_relation *parts, size_t count,
                        struct base_err *err)
{
    struct run_work w = run_work(parts[0].session, err);
    struct mpc_share *valid[MPC_MAX_LIST] = {NULL};

    *out = (struct run_relation){0};
    if (count > MPC_MAX_LIST)
        return base_err_set(err, FM_E_LIMIT, "a union of more than %d tables", (int)MPC_MAX_LIST);
    if (count == 1) {
        *out = parts[0];
        parts[0] = (struct run_relation){0};
        return run_work_release(&w);
    }
    for (size_t i = 0; i < count; i++) {
        assert(parts[i].count == parts[0].count);
        valid[i] = parts[i].valid;
    }
    out->session = parts[0].session;
    out->valid = stack(&w, parts, count, valid);
    for (size_t i = 0; i < count; i++)
        out->rows += parts[i].rows;
    for (size_t c = 0; w.status == FM_OK && c < parts[0].count; c++) {
        struct run_column column = stack_column(&w, parts, count, c);
        fm_status st = run_relation_add(out, column, err);
        w.status = w.status == FM_OK ? st : w.status;
    }
    for (size_t i = 0; i < count; i++)
        for (int f = 0; w.status == FM_OK && f < RUN_FLAGS; f++) {
            run_raise(&w, out, (enum run_flag)f, parts[i].flag[f]);
            parts[i].flag[f] = NULL;
        }
    for (size_t i = 0; i < count; i++)
        run_relation_release(&parts[i]);
    if (w.status != FM_OK)
        run_relation_release(out);
    return run_work_release(&w);
}

void run_raise(struct run_work *w, struct run_relation *r, enum run_flag flag,
               struct mpc_share *bit)
{
    struct mpc_share *both;

    if (bit == NULL)
        return;
    if (r->flag[flag] == NULL) {
        r->flag[flag] = bit;
        return;
    }
    (void)run_hold(w, bit);
    both = run_take(w, run_or(w, r->flag[flag], bit));
    if (both == NULL)
        return;
    mpc_share_free(r->flag[flag]);
    r->flag[flag] = both;
}
