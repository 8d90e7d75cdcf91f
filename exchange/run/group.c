#include "exchange/run/group.h"

#include <stdlib.h>

#include "exchange/run/group_internal.h"
#include "mpc/circuit/aggregate.h"

/* ---- without keys ---- */

static void extreme_of_all(struct grouping *g, struct group_part *p, const struct mpc_share *mask)
{
    struct run_work *w = g->w;
    struct mpc_share *z = NULL, *any = NULL;

    if (w->status != FM_OK)
        return;
    w->status = p->kind == PART_MIN ? mpc_min_where(&z, &any, p->x, mask, w->err)
                                    : mpc_max_where(&z, &any, p->x, mask, w->err);
    mpc_share_free(any);
    p->result = w->status == FM_OK ? run_hold(w, z) : NULL;
}

/* Sums and counts of one kind share a round. */
static void fold_all(struct grouping *g, enum part_kind kind, struct mpc_share *const *bits,
                     struct mpc_share *const *ring)
{
    const struct mpc_share *x[GROUP_PARTS], *y[GROUP_PARTS];
    struct mpc_share *z[GROUP_PARTS] = {NULL};
    struct run_work *w = g->w;
    size_t of[GROUP_PARTS], n = 0;

    for (size_t i = 0; i < g->part_count; i++) {
        const struct group_part *p = &g->parts[i];
        if (p->kind != kind)
            continue;
        x[n] = kind == PART_COUNT ? bits[p->mask] : p->x;
        y[n] = ring[p->mask];
        of[n++] = i;
    }
    if (w->status != FM_OK || n == 0)
        return;
    w->status =
        kind == PART_COUNT ? mpc_bit_count_list(z, x, n, w->err) : mpc_dot_list(z, x, y, n, w->err);
    for (size_t i = 0; w->status == FM_OK && i < n; i++)
        g->parts[of[i]].result = run_hold(w, z[i]);
}

void group_whole(struct grouping *g)
{
    struct mpc_share *bits[GROUP_PARTS] = {NULL}, *ring[GROUP_PARTS] = {NULL};
    struct run_work *w = g->w;

    for (size_t i = 0; i < g->mask_count; i++)
        bits[i] = run_and(w, g->r->valid, g->masks[i].bits);
    for (size_t i = 0; i < g->part_count; i++) {
        struct group_part *p = &g->parts[i];
        if (p->kind == PART_SUM && ring[p->mask] == NULL)
            ring[p->mask] = run_bit2a(w, bits[p->mask]);
        if (p->kind == PART_MIN || p->kind == PART_MAX)
            extreme_of_all(g, p, bits[p->mask]);
    }
    fold_all(g, PART_COUNT, bits, ring);
    fold_all(g, PART_SUM, bits, ring);
    g->groups = 1;
    g->valid = run_bits(w, true, 1);
}

/* ---- rows that are groups ---- */

/* A copy of its own; taken over by the relation that groups become. */
static struct run_column copy_key(struct run_work *w, const struct run_column *from, size_t rows)
{
    struct run_column to = {0};

    to.x = run_take(w, from->x != NULL ? run_slice(w, from->x, 0, rows) : NULL);
    to.known = run_take(w, from->known != NULL ? run_slice(w, from->known, 0, rows) : NULL);
    if (from->word_count == 0 || w->status != FM_OK)
        return to;
    to.words = calloc(from->word_count, sizeof(struct mpc_share *));
    if (to.words == NULL) {
        w->status = base_err_memory(w->err, "query");
        return to;
    }
    to.word_count = from->word_count;
    for (size_t k = 0; k < from->word_count; k++)
        to.words[k] = run_take(w, run_slice(w, from->words[k], 0, rows));
    return to;
}

static void group_by_row(struct grouping *g)
{
    struct run_work *w = g->w;

    g->groups = g->r->rows;
    g->valid = run_slice(w, g->r->valid, 0, g->groups);
    for (size_t i = 0; w->status == FM_OK && i < g->part_count; i++) {
        if (g->parts[i].kind != PART_SUM || g->masks[g->parts[i].mask].bits != NULL)
            w->status = base_err_set(w->err, FM_E_ARG, "groups by row are of presummed items");
        else
            g->parts[i].result = run_slice(w, g->parts[i].x, 0, g->groups);
    }
    for (size_t k = 0; w->status == FM_OK && k < g->by->key_count; k++)
        g->keys[k] = copy_key(w, &g->r->columns[g->by->keys[k]], g->groups);
}

/* ---- all ---- */

static void replace(struct grouping *g, const size_t (*parts)[3])
{
    struct run_work *w = g->w;
    struct run_relation old = *g->r, new = {0};
    struct mpc_share *valid;

    if (w->status != FM_OK)
        return;
    valid = run_take(w, run_slice(w, g->valid, 0, g->groups));
    if (valid == NULL)
        return;
    run_relation_init(&new, valid);
    group_divide(g, parts);
    for (size_t k = 0; w->status == FM_OK && k < g->by->key_count; k++) {
        w->status = run_relation_add(&new, g->keys[k], w->err);
        g->keys[k] = (struct run_column){0};
    }
    for (size_t i = 0; w->status == FM_OK && i < g->by->item_count; i++) {
        struct run_column c = group_answer(g, i, parts[i]);
        fm_status st = run_relation_add(&new, c, w->err);
        w->status = w->status == FM_OK ? st : w->status;
    }
    if (w->status != FM_OK) {
        run_relation_release(&new);
        return;
    }
    for (int f = 0; f < RUN_FLAGS; f++) {
        new.flag[f] = old.flag[f];
        old.flag[f] = NULL;
    }
    run_raise(w, &new, RUN_FLAG_MORE_GROUPS, run_take(w, g->more));
    run_relation_release(&old);
    *g->r = new;
}

static void release_keys(struct grouping *g)
{
    for (size_t k = 0; g->keys != NULL && k < g->by->key_count; k++) {
        mpc_share_free(g->keys[k].x);
        mpc_share_free(g->keys[k].known);
        if (g->keys[k].words != NULL)
            mpc_share_free_all(g->keys[k].words, g->keys[k].word_count);
        free(g->keys[k].words);
    }
    free(g->keys);
}

fm_status run_group(struct run_relation *r, const struct run_group *by, struct base_err *err)
{
    struct run_work w = run_work(r->session, err);
    struct grouping *g = calloc(1, sizeof *g);
    size_t(*parts)[3] = calloc(by->item_count + 1, sizeof *parts);

    if (g == NULL || parts == NULL) {
        free(g);
        free(parts);
        return base_err_memory(err, "query");
    }
    *g = (struct grouping){.w = &w, .r = r, .by = by};
    g->keys = calloc(by->key_count + 1, sizeof *g->keys);
    if (g->keys == NULL)
        w.status = base_err_memory(err, "query");
    for (size_t i = 0; w.status == FM_OK && i < by->item_count; i++) {
        parts[i][0] = parts[i][1] = parts[i][2] = RUN_NONE;
        group_ask(g, &by->items[i], parts[i]);
    }
    if (w.status == FM_OK) {
        if (by->key_count == 0)
            group_whole(g);
        else if (by->method == RUN_BY_DOMAIN)
            group_by_domain(g);
        else if (by->method == RUN_BY_ROW)
            group_by_row(g);
        else
            group_by_sort(g);
        group_restore_totals(g);
    }
    replace(g, (const size_t(*)[3])parts);
    release_keys(g);
    free(g->averages);
    free(g);
    free(parts);
    if (w.status != FM_OK)
        (void)base_err_prefix(err, "group");
    return run_work_release(&w);
}
