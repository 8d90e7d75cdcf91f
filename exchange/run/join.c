#include "exchange/run/join.h"

#include <assert.h>
#include <stdlib.h>

#include "exchange/sql/plan/relation.h"
#include "mpc/oblivious/join.h"

enum { MOST_PARTNERS = MPC_LOOKUP_PER_KEY };

/* The keys of both sides as mpc_find() wants them. */
struct sides {
    size_t keys;
    const struct mpc_share *left[MPC_SORT_KEYS];
    const struct mpc_share *left_null[MPC_SORT_KEYS];
    const struct mpc_share *right[MPC_SORT_KEYS];
    const struct mpc_share *right_null[MPC_SORT_KEYS];
};

static void add_pair(struct run_work *w, struct sides *s, const struct mpc_share *left,
                     const struct mpc_share *right, const struct mpc_share *left_null,
                     const struct mpc_share *right_null)
{
    if (w->status != FM_OK)
        return;
    if (s->keys == MPC_SORT_KEYS - 1) {
        w->status = base_err_set(w->err, FM_E_LIMIT, "a join on more than %d key columns",
                                 (int)MPC_SORT_KEYS - 1);
        return;
    }
    s->left[s->keys] = left;
    s->right[s->keys] = right;
    s->left_null[s->keys] = left_null;
    s->right_null[s->keys++] = right_null;
}

static struct mpc_share *word_or_zero(struct run_work *w, const struct run_column *c, size_t k,
                                      size_t n)
{
    return k < c->word_count ? c->words[k] : run_number(w, 0, n);
}

/* Texts by their hashes where both have them, else by their words. */
static void add_keys(struct run_work *w, struct sides *s, const struct run_relation *l,
                     const struct run_relation *r, const struct run_join *join, size_t i)
{
    const struct run_column *a = &l->columns[join->left_keys[i]];
    const struct run_column *b = &r->columns[join->right_keys[i]];
    size_t words = a->word_count > b->word_count ? a->word_count : b->word_count;
    struct mpc_share *an = a->known != NULL ? run_not(w, a->known) : NULL;
    struct mpc_share *bn = b->known != NULL ? run_not(w, b->known) : NULL;

    if (a->x != NULL && b->x != NULL) {
        add_pair(w, s, a->x, b->x, an, bn);
        return;
    }
    for (size_t k = 0; k < words; k++)
        add_pair(w, s, word_or_zero(w, a, k, l->rows), word_or_zero(w, b, k, r->rows), an, bn);
}

/* ---- several rows of one key ---- */

/* The left side `times` times over: first all rows with their one partner, then with another. */
static void repeat_left(struct run_work *w, struct run_relation *l, size_t times)
{
    struct run_relation parts[MOST_PARTNERS] = {{0}}, out;

    assert(times <= MOST_PARTNERS);
    for (size_t i = 1; w->status == FM_OK && i < times; i++)
        w->status = run_relation_copy(&parts[i], l, w->err);
    if (w->status == FM_OK) {
        parts[0] = *l;
        *l = (struct run_relation){0};
        for (size_t i = 1; i < times; i++) /* flags are not raised twice */
            mpc_share_free_all(parts[i].flag, RUN_FLAGS);
        w->status = run_union_all(&out, parts, times, w->err);
        if (w->status == FM_OK)
            *l = out;
    }
    for (size_t i = 1; i < times; i++)
        run_relation_release(&parts[i]);
}

/* ---- looking up ---- */

/* Where the left side's keys are unique too, and a flag would say if they are not. */
static bool left_counts_once(const struct run_join *join, size_t times)
{
    return join->left_unique && times == 1 && (join->kind == RUN_INNER || join->kind == RUN_LEFT);
}

/* Every share of the right side that the result needs, as values of one lookup. */
static void find(struct run_work *w, struct run_relation *l, struct run_relation *r,
                 const struct sides *s, const struct run_join *join, bool values, size_t times,
                 struct mpc_share **match)
{
    struct run_shares shares = {0};
    struct mpc_found found = {0};
    struct mpc_lookup lookup = {.keys = s->keys,
                                .table = {s->right, s->right_null, r->valid, r->rows},
                                .probe = {s->left, s->left_null, l->valid, l->rows},
                                .per_key = times,
                                .probe_unique = left_counts_once(join, times)};

    if (w->status == FM_OK && values)
        w->status = run_shares_get(&shares, r, w->err);
    if (w->status != FM_OK)
        return;
    if (shares.count > MPC_LOOKUP_VALUES)
        w->status = base_err_set(w->err, FM_E_LIMIT,
                                 "a join that carries more than %d columns, their NULLs and the "
                                 "words of texts counted",
                                 (int)MPC_LOOKUP_VALUES);
    lookup.values = (const struct mpc_share *const *)shares.list;
    lookup.values_len = shares.count;
    if (w->status == FM_OK)
        w->status = mpc_find(&found, &lookup, w->err);
    if (w->status != FM_OK) {
        run_shares_release(&shares);
        return;
    }
    *match = run_hold(w, found.match);
    found.match = NULL;
    if (values) {
        if (join->kind != RUN_SINGLE) {
            run_raise(w, l, RUN_FLAG_REPEATED_KEY, found.repeated);
            found.repeated = NULL;
        }
        run_shares_put(&shares, found.value);
        for (size_t i = 0; i < MPC_LOOKUP_VALUES; i++)
            found.value[i] = NULL;
        r->rows = l->rows * times;
    }
    mpc_found_release(&found);
}

/* The right side's columns go behind the left's. */
static void append(struct run_work *w, struct run_relation *l, struct run_relation *r)
{
    for (size_t c = 0; w->status == FM_OK && c < r->count; c++) {
        struct run_column column = r->columns[c];

        r->columns[c] = (struct run_column){0};
        w->status = run_relation_add(l, column, w->err);
    }
}

/* OR over the `times` parts of a vector, in ceil(log2 times) rounds. */
static struct mpc_share *some_partner(struct run_work *w, const struct mpc_share *x, size_t times,
                                      size_t rows)
{
    struct mpc_share *any = run_slice(w, x, 0, times * rows);

    while (times > 1) {
        size_t half = times / 2, rest = times - 2 * half;
        struct mpc_share *parts[2];
        parts[0] = run_or(w, run_slice(w, any, 0, half * rows),
                          run_slice(w, any, half * rows, half * rows));
        parts[1] = rest > 0 ? run_slice(w, any, 2 * half * rows, rows) : NULL;
        any = rest > 0 ? run_concat(w, (const struct mpc_share *const *)parts, 2) : parts[0];
        times = half + rest;
    }
    return any;
}

static struct mpc_share *condition_of(struct run_work *w, const struct run_join *join,
                                      struct run_relation *joined, struct mpc_share *match)
{
    struct mpc_share *truth = NULL;

    if (join->condition == NULL || w->status != FM_OK)
        return match;
    w->status = join->condition(join->ctx, &truth, joined, w->err);
    return w->status == FM_OK ? run_and(w, match, run_hold(w, truth)) : NULL;
}

/* Of two partners the second raises the flag, and the value is then NULL. */
static struct mpc_share *first_only(struct run_work *w, struct run_relation *l,
                                    struct run_relation *r, const struct mpc_share *match)
{
    struct mpc_share *second, *first;

    if (w->status != FM_OK)
        return NULL;
    w->status = run_relation_slice(r, 0, l->rows, w->err);
    second = run_slice(w, match, l->rows, l->rows);
    first = run_slice(w, match, 0, l->rows);
    run_raise(w, l, RUN_FLAG_SECOND_ROW, run_take(w, run_any(w, second)));
    return run_and(w, first, run_not(w, second));
}

/* ---- the kinds ---- */

static void set_valid(struct run_work *w, struct run_relation *r, struct mpc_share *valid)
{
    struct mpc_share *taken = run_take(w, valid);

    if (taken == NULL)
        return;
    mpc_share_free(r->valid);
    r->valid = taken;
}

static bool seen_before(struct mpc_share *const *x, size_t from, size_t c, size_t *at)
{
    for (*at = from; *at < c; (*at)++)
        if (x[*at] == x[c])
            return true;
    return false;
}

/* Columns of the right side are NULL where there is no partner, and nothing more is said of why.
 * What several columns share is made, and freed, once. */
static void make_nullable(struct run_work *w, struct run_relation *l, size_t from,
                          struct mpc_share *match)
{
    struct mpc_share *known[RUN_MAX_COLUMNS], *shown[RUN_MAX_COLUMNS], *new[RUN_MAX_COLUMNS];
    size_t at;

    for (size_t c = from; c < l->count; c++) {
        known[c] = l->columns[c].known;
        shown[c] = l->columns[c].shown;
        new[c] = seen_before(known, from, c, &at)
                     ? new[at]
                     : run_take(w, run_slice(w, run_and(w, known[c], match), 0, l->rows));
    }
    for (size_t c = from; c < l->count; c++) {
        if (!seen_before(known, from, c, &at))
            mpc_share_free(known[c]);
        if (!seen_before(shown, from, c, &at))
            mpc_share_free(shown[c]);
        l->columns[c].known = new[c];
        l->columns[c].shown = NULL;
    }
}

/* Of a left join: a row without any partner stays once, in the first part. */
static struct mpc_share *left_valid(struct run_work *w, const struct run_relation *l,
                                    struct mpc_share *match, size_t times, size_t rows)
{
    struct mpc_share *lonely, *first;
    const struct mpc_share *parts[2];

    if (times == 1)
        return run_and(w, l->valid, NULL);
    lonely = run_not(w, some_partner(w, match, times, rows));
    first = run_and(w, run_slice(w, l->valid, 0, rows),
                    run_or(w, lonely, run_slice(w, match, 0, rows)));
    parts[0] = first;
    parts[1] = run_slice(w, match, rows, (times - 1) * rows);
    return run_concat(w, parts, 2);
}

static void finish(struct run_work *w, struct run_relation *l, size_t left_count,
                   enum run_join_kind kind, struct mpc_share *match, size_t times)
{
    size_t rows = l->rows / times;
    size_t keep[RUN_MAX_COLUMNS];
    struct mpc_share *any;

    if (kind == RUN_INNER) {
        set_valid(w, l, match);
        return;
    }
    if (kind == RUN_LEFT || kind == RUN_SINGLE) {
        struct mpc_share *valid = left_valid(w, l, match, times, rows);

        make_nullable(w, l, left_count, match);
        if (valid != l->valid)
            set_valid(w, l, valid);
        return;
    }
    any = some_partner(w, match, times, rows);
    for (size_t c = 0; c < left_count; c++)
        keep[c] = c;
    if (w->status == FM_OK)
        w->status = run_relation_project(l, keep, left_count, w->err);
    if (w->status == FM_OK)
        w->status = run_relation_slice(l, 0, rows, w->err);
    if (w->status != FM_OK)
        return;
    if (kind == RUN_MARK)
        w->status = run_relation_add(l, (struct run_column){.x = run_take(w, any)}, w->err);
    else if (kind == RUN_SEMI)
        set_valid(w, l, any);
    else
        set_valid(w, l, run_and(w, l->valid, run_not(w, any)));
}

fm_status run_join(struct run_relation *left, struct run_relation *right,
                   const struct run_join *join, struct base_err *err)
{
    struct run_work w = run_work(left->session, err);
    bool values = join->kind == RUN_INNER || join->kind == RUN_LEFT || join->kind == RUN_SINGLE ||
                  join->condition != NULL;
    /* Whether there is a partner, one row of each key tells, whichever mpc_find() takes. */
    size_t times = values && join->bound < right->rows ? join->bound : values ? right->rows : 1;
    struct sides sides = {0};
    struct mpc_share *match = NULL;
    size_t left_count = left->count;

    if (join->kind == RUN_SINGLE && times > 2)
        times = 2; /* a second partner is all that matters */
    if (times > MOST_PARTNERS)
        w.status =
            base_err_set(err, FM_E_LIMIT, "a join with up to %zu rows of one key: at most %d",
                         times, (int)MOST_PARTNERS);
    for (size_t i = 0; w.status == FM_OK && i < join->key_count; i++)
        add_keys(&w, &sides, left, right, join, i);
    find(&w, left, right, &sides, join, values, times, &match);
    if (join->kind == RUN_SINGLE && times == 2) {
        match = first_only(&w, left, right, match);
        times = 1;
    }
    if (values) {
        if (times > 1)
            repeat_left(&w, left, times);
        append(&w, left, right);
        match = condition_of(&w, join, left, match);
    }
    if (w.status == FM_OK)
        finish(&w, left, left_count, join->kind, match, times);
    for (int f = 0; w.status == FM_OK && f < RUN_FLAGS; f++) {
        run_raise(&w, left, (enum run_flag)f, right->flag[f]);
        right->flag[f] = NULL;
    }
    run_relation_release(right);
    if (w.status != FM_OK)
        (void)base_err_prefix(err, "join");
    return run_work_release(&w);
}

fm_status run_match(struct mpc_find_path **path, struct run_relation *left,
                    struct run_relation *right, const struct run_join *join, struct base_err *err)
{
    struct run_work w = run_work(left->session, err);
    struct sides s = {0};
    struct mpc_found found = {0};
    struct mpc_lookup lookup = {.table = {s.right, s.right_null, right->valid, right->rows},
                                .probe = {s.left, s.left_null, left->valid, left->rows},
                                .per_key = 1,
                                .path = true};

    *path = NULL;
    for (size_t i = 0; w.status == FM_OK && i < join->key_count; i++)
        add_keys(&w, &s, left, right, join, i);
    lookup.keys = s.keys;
    if (w.status == FM_OK && mpc_find_sorts(&lookup)) {
        lookup.method = MPC_FIND_SORTED;
        w.status = mpc_find(&found, &lookup, err);
        if (w.status == FM_OK) {
            *path = found.path;
            found.path = NULL;
            set_valid(&w, left, run_hold(&w, found.match));
            run_raise(&w, left, RUN_FLAG_REPEATED_KEY, found.repeated);
            found.match = found.repeated = NULL;
        }
        mpc_found_release(&found);
    }
    if (w.status != FM_OK)
        (void)base_err_prefix(err, "join");
    return run_work_release(&w);
}

/* Row map[i] of each of the relation's columns, for 0 <= i < n: a public map, and local. */
static void gather(struct run_work *w, struct run_relation *r, const uint32_t *map, size_t n)
{
    struct run_shares s = {0};
    struct mpc_share **new = NULL;

    w->status = run_shares_get(&s, r, w->err);
    if (w->status == FM_OK) {
        new = calloc(s.count, sizeof(struct mpc_share *));
        if (new == NULL)
            w->status = base_err_memory(w->err, "query");
    }
    for (size_t k = 0; w->status == FM_OK && k < s.count; k++)
        new[k] = run_gather(w, s.list[k], map, n);
    if (w->status == FM_OK) {
        for (size_t k = 0; k < s.count; k++)
            (void)run_take(w, new[k]);
        run_shares_put(&s, new);
        r->rows = n;
    } else {
        run_shares_release(&s);
    }
    free(new);
}

/* All left rows with the right side's first one, then with its second, ... */
static void pair_up(struct run_work *w, struct run_relation *left, struct run_relation *right)
{
    size_t l = left->rows, n = l * right->rows;
    uint32_t *map = calloc(n + 1, sizeof *map);

    if (map == NULL) {
        w->status = base_err_memory(w->err, "query");
        return;
    }
    for (size_t i = 0; i < n; i++)
        map[i] = (uint32_t)(i / l);
    gather(w, right, map, n);
    for (size_t i = 0; i < n; i++)
        map[i] = (uint32_t)(i % l);
    if (w->status == FM_OK && n > l)
        gather(w, left, map, n);
    free(map);
}

fm_status run_cross(struct run_relation *left, struct run_relation *right,
                    const struct run_join *join, struct base_err *err)
{
    struct run_work w = run_work(left->session, err);
    size_t times = right->rows, left_count = left->count;
    struct mpc_share *match;

    if (left->rows > SQL_MAX_PAIRS / times)
        w.status =
            base_err_set(err, FM_E_LIMIT,
                         "a join without an equality: %zu rows with each of %zu: at most %d pairs",
                         left->rows, times, (int)SQL_MAX_PAIRS);
    else
        pair_up(&w, left, right);
    match = w.status == FM_OK ? run_and(&w, left->valid, right->valid) : NULL;
    append(&w, left, right);
    match = condition_of(&w, join, left, match);
    if (w.status == FM_OK)
        finish(&w, left, left_count, join->kind, match, times);
    for (int f = 0; w.status == FM_OK && f < RUN_FLAGS; f++) {
        run_raise(&w, left, (enum run_flag)f, right->flag[f]);
        right->flag[f] = NULL;
    }
    run_relation_release(right);
    if (w.status != FM_OK)
        (void)base_err_prefix(err, "join");
    return run_work_release(&w);
}

fm_status run_in(struct run_column *out, struct run_relation *left, size_t left_key,
                 struct run_relation *right, size_t right_key, struct base_err *err)
{
    struct run_work w = run_work(left->session, err);
    struct run_join join = {
        .left_keys = &left_key, .right_keys = &right_key, .key_count = 1, .bound = 1};
    struct mpc_share *in = NULL, *unknown = NULL;
    struct sides s = {0};

    add_keys(&w, &s, left, right, &join, 0);
    if (w.status == FM_OK && s.keys != 1)
        w.status = base_err_set(err, FM_E_UNSUPPORTED, "IN over computed texts");
    if (w.status == FM_OK)
        w.status = mpc_find_in(
            &in, &unknown,
            &(struct mpc_lookup){.keys = 1,
                                 .table = {s.right, s.right_null, right->valid, right->rows},
                                 .probe = {s.left, s.left_null, left->valid, left->rows}},
            err);
    if (w.status == FM_OK) {
        out->x = in;
        out->known = run_take(&w, run_not(&w, run_hold(&w, unknown)));
    }
    for (int f = 0; w.status == FM_OK && f < RUN_FLAGS; f++) {
        run_raise(&w, left, (enum run_flag)f, right->flag[f]);
        right->flag[f] = NULL;
    }
    run_relation_release(right);
    return run_work_release(&w);
}
