/* Groups by mpc_group(): any keys. */
#include <stdlib.h>

#include "exchange/run/group_internal.h"
#include "mpc/oblivious/group.h"

static struct mpc_group_item item_of(const struct grouping *g, const struct group_part *p)
{
    static const enum mpc_aggregate kinds[] = {[PART_COUNT] = MPC_GROUP_COUNT,
                                               [PART_SUM] = MPC_GROUP_SUM,
                                               [PART_MIN] = MPC_GROUP_MIN,
                                               [PART_MAX] = MPC_GROUP_MAX,
                                               [PART_DISTINCT] = MPC_GROUP_COUNT_DISTINCT,
                                               [PART_PERCENTILE] = MPC_GROUP_PERCENTILE};

    return (struct mpc_group_item){.kind = kinds[p->kind],
                                   .x = p->x,
                                   .where = g->masks[p->mask].bits,
                                   .num = (uint32_t)p->part,
                                   .den = (uint32_t)p->of};
}

/* Keys of texts are their hashes where they have them; their words, and whatever else of the keys
 * is no key, come along from any of the group's rows. */
static size_t add_firsts(const struct grouping *g, struct mpc_group_item *items, size_t n)
{
    for (size_t i = 0; i < g->by->key_count; i++) {
        const struct run_column *c = &g->r->columns[g->by->keys[i]];

        for (size_t k = 0; c->x != NULL && k < c->word_count; k++, n++)
            if (n < MPC_GROUP_ITEMS)
                items[n] = (struct mpc_group_item){.kind = MPC_GROUP_ANY, .x = c->words[k]};
    }
    return n;
}

/* Key i of the result: pieces[0..n) are its words, or its only share. */
static struct run_column key_of(struct grouping *g, const struct mpc_grouped *z,
                                const struct run_keys *keys, size_t i, size_t *first)
{
    const struct run_column *from = &g->r->columns[g->by->keys[i]];
    struct run_work *w = g->w;
    struct run_column to = {0};
    size_t at = keys->first[i];

    if (z->null[at] != NULL)
        to.known = run_take(w, run_not(w, z->null[at]));
    if (from->x != NULL)
        to.x = run_take(w, run_slice(w, z->key[at], 0, g->groups));
    if (from->word_count == 0)
        return to;
    to.words = calloc(from->word_count, sizeof(struct mpc_share *));
    if (to.words == NULL) {
        w->status = base_err_memory(w->err, "query");
        return to;
    }
    to.word_count = from->word_count;
    for (size_t k = 0; k < from->word_count; k++)
        to.words[k] = run_take(
            w, run_slice(w, from->x != NULL ? z->item[(*first)++] : z->key[at + k], 0, g->groups));
    return to;
}

void group_by_sort(struct grouping *g)
{
    struct run_work *w = g->w;
    struct run_sort_key by[MPC_GROUP_KEYS] = {{0}};
    struct mpc_group_item items[MPC_GROUP_ITEMS];
    struct mpc_grouped z = {0};
    struct mpc_group_by how;
    struct run_keys keys;
    size_t len, first = g->part_count;

    for (size_t i = 0; i < g->part_count && i < MPC_GROUP_ITEMS; i++)
        items[i] = item_of(g, &g->parts[i]);
    len = add_firsts(g, items, g->part_count);
    if (len > MPC_GROUP_ITEMS || g->by->key_count > MPC_GROUP_KEYS) {
        w->status = base_err_set(w->err, FM_E_LIMIT,
                                 "more than %d keys or %d parts of aggregates and words of keys",
                                 (int)MPC_GROUP_KEYS, (int)MPC_GROUP_ITEMS);
        return;
    }
    for (size_t i = 0; i < g->by->key_count; i++)
        by[i] = (struct run_sort_key){g->by->keys[i], g->by->flags != NULL ? g->by->flags[i] : 0};
    run_keys_make(w, &keys, g->r, by, g->by->key_count, RUN_KEYS_GROUP);
    if (w->status != FM_OK)
        return;
    how = (struct mpc_group_by){.keys = keys.key,
                                .keys_len = keys.count,
                                .valid = g->r->valid,
                                .items = items,
                                .items_len = len,
                                .groups = g->by->groups < g->r->rows ? g->by->groups : 0,
                                .in_order = g->by->in_order,
                                .order = g->by->order};
    if (g->by->in_order && g->by->within != RUN_NONE)
        how.within = g->r->columns[g->by->within].x;
    w->status = mpc_group(&z, &how, w->err);
    if (w->status != FM_OK)
        return;
    g->groups = mpc_share_n(z.valid);
    for (size_t i = 0; i < g->part_count; i++)
        g->parts[i].result = run_slice(w, z.item[i], 0, g->groups);
    g->valid = run_slice(w, z.valid, 0, g->groups);
    g->more = run_slice(w, z.more, 0, 1);
    for (size_t i = 0; w->status == FM_OK && i < g->by->key_count; i++)
        g->keys[i] = key_of(g, &z, &keys, i, &first);
    mpc_grouped_release(&z);
}
