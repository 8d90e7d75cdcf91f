/* Groups over small declared domains: a mask for every combination of the keys' values. */
#include <stdlib.h>

#include "exchange/run/group_internal.h"
#include "mpc/circuit/decompose.h"

/* A key's values: those of its range (BOOLEAN: 0, 1), then NULL if it can be. */
struct domain {
    int64_t least;
    size_t values;
    bool null;
    struct mpc_share *hot; /* one plane a value */
    const struct mpc_share *known;
};

static size_t choices(const struct domain *d)
{
    return d->values + d->null;
}

static bool domain_of(struct domain *out, const struct run_column *c)
{
    struct mpc_range range = {0, 1};

    if (c->x == NULL || c->word_count > 0)
        return false;
    if (mpc_share_domain(c->x) == MPC_RING64)
        range = mpc_share_range(c->x);
    else if (mpc_share_width(c->x) != 1)
        return false;
    if ((__int128)range.hi - range.lo >= MPC_ONE_HOT_MOST)
        return false;
    *out = (struct domain){.least = range.lo,
                           .values = (size_t)(range.hi - range.lo + 1),
                           .null = c->known != NULL,
                           .known = c->known};
    return true;
}

/* Rows of value number v of the domain. */
static struct mpc_share *rows_of(struct run_work *w, const struct domain *d, size_t v)
{
    struct mpc_share *z = NULL;

    if (v == d->values)
        return run_not(w, d->known);
    if (w->status != FM_OK)
        return NULL;
    w->status = mpc_planes(&z, d->hot, (unsigned)v, 1, w->err);
    return w->status == FM_OK ? run_and(w, run_hold(w, z), d->known) : NULL;
}

/* All combinations, the first key the slowest. */
static void combine(struct run_work *w, struct mpc_share **masks, size_t *count,
                    const struct domain *d)
{
    struct mpc_share *wide[RUN_DOMAIN_MOST];

    for (size_t v = 0; v < choices(d); v++)
        wide[v] = rows_of(w, d, v);
    for (size_t i = *count; w->status == FM_OK && i > 0; i--)
        for (size_t v = choices(d); v > 0; v--)
            masks[(i - 1) * choices(d) + v - 1] = run_and(w, masks[i - 1], wide[v - 1]);
    *count *= choices(d);
}

static struct mpc_share *one_hot(struct run_work *w, const struct run_column *c)
{
    struct mpc_share *z = NULL;

    if (w->status != FM_OK)
        return NULL;
    w->status = mpc_one_hot(&z, c->x, w->err);
    return w->status == FM_OK ? run_hold(w, z) : NULL;
}

/* The keys' columns are public: which group it is follows from its number. */
static void public_keys(struct grouping *g, const struct domain *domains)
{
    struct run_work *w = g->w;
    size_t step = g->groups;
    uint32_t *map = calloc(g->groups, sizeof *map);

    if (map == NULL)
        w->status = base_err_memory(w->err, "query");
    for (size_t k = 0; w->status == FM_OK && k < g->by->key_count; k++) {
        const struct domain *d = &domains[k];
        const struct mpc_share *each[RUN_DOMAIN_MOST], *there[RUN_DOMAIN_MOST];
        bool bits = mpc_share_domain(g->r->columns[g->by->keys[k]].x) == MPC_BITS;
        struct mpc_share *z = NULL;

        step /= choices(d);
        for (size_t v = 0; v < choices(d); v++) {
            int64_t value = d->least + (int64_t)(v < d->values ? v : 0);
            each[v] = bits ? run_bits(w, value != 0, 1) : run_number(w, value, 1);
            there[v] = run_bits(w, v < d->values, 1);
        }
        for (size_t i = 0; i < g->groups; i++)
            map[i] = (uint32_t)(i / step % choices(d));
        each[0] = run_concat(w, each, choices(d));
        if (w->status == FM_OK)
            w->status = mpc_gather(&z, each[0], map, g->groups, w->err);
        g->keys[k].x = z;
        z = NULL;
        there[0] = run_concat(w, there, choices(d));
        if (d->null && w->status == FM_OK)
            w->status = mpc_gather(&z, there[0], map, g->groups, w->err);
        g->keys[k].known = z;
    }
    free(map);
}

/* Of one mask over all groups: its rows in each group, as bits. */
static void results_of(struct grouping *g, struct mpc_share *const *groups, struct group_part *p)
{
    struct run_work *w = g->w;
    const struct mpc_share *x[RUN_DOMAIN_MOST], *y[RUN_DOMAIN_MOST];
    struct mpc_share *z[RUN_DOMAIN_MOST] = {NULL};
    size_t n = g->groups;

    for (size_t i = 0; i < n; i++) {
        x[i] = run_and(w, groups[i], g->masks[p->mask].bits);
        y[i] = p->x;
    }
    if (w->status == FM_OK && p->kind == PART_COUNT) {
        w->status = mpc_bit_count_list(z, x, n, w->err);
    } else if (w->status == FM_OK) {
        struct mpc_share *ring[RUN_DOMAIN_MOST] = {NULL};

        w->status = mpc_bit2a_list(ring, x, n, w->err);
        if (w->status == FM_OK)
            w->status = mpc_dot_list(z, y, (const struct mpc_share *const *)ring, n, w->err);
        mpc_share_free_all(ring, n);
    }
    for (size_t i = 0; w->status == FM_OK && i < n; i++)
        x[i] = run_hold(w, z[i]);
    p->result = run_concat(w, x, n);
}

static void group_rows(struct grouping *g, const struct domain *domains)
{
    struct run_work *w = g->w;
    struct mpc_share *groups[RUN_DOMAIN_MOST];
    struct group_part rows = {.kind = PART_COUNT, .mask = g->mask_count};
    size_t count = 1;

    groups[0] = g->r->valid;
    for (size_t k = 0; k < g->by->key_count; k++)
        combine(w, groups, &count, &domains[k]);
    g->masks[g->mask_count] = (struct group_mask){0}; /* all rows */
    for (size_t i = 0; w->status == FM_OK && i < g->part_count; i++)
        results_of(g, groups, &g->parts[i]);
    if (w->status == FM_OK)
        results_of(g, groups, &rows);
    g->valid = run_not(w, run_equal_public(w, rows.result, 0));
    public_keys(g, domains);
}

size_t run_group_domain(const struct run_relation *r, const size_t *keys, size_t count)
{
    size_t groups = 1;

    for (size_t k = 0; k < count; k++) {
        struct domain d;

        if (count > MPC_SORT_KEYS || !domain_of(&d, &r->columns[keys[k]]) ||
            groups * choices(&d) > RUN_DOMAIN_MOST)
            return 0;
        groups *= choices(&d);
    }
    return groups;
}

void group_by_domain(struct grouping *g)
{
    struct domain domains[MPC_SORT_KEYS];

    g->groups = run_group_domain(g->r, g->by->keys, g->by->key_count);
    if (g->groups == 0)
        g->w->status =
            base_err_set(g->w->err, FM_E_LIMIT, "grouping keys of more than %d combinations",
                         (int)RUN_DOMAIN_MOST);
    for (size_t k = 0; g->w->status == FM_OK && k < g->by->key_count; k++) {
        const struct run_column *c = &g->r->columns[g->by->keys[k]];

        (void)domain_of(&domains[k], c);
        domains[k].hot = one_hot(g->w, c);
    }
    for (size_t i = 0; g->w->status == FM_OK && i < g->part_count; i++)
        if (g->parts[i].kind == PART_MIN || g->parts[i].kind == PART_MAX)
            g->w->status =
                base_err_set(g->w->err, FM_E_ARG, "groups by domain have no least and greatest");
    if (g->w->status == FM_OK)
        group_rows(g, domains);
}
