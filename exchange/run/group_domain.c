/* Groups over small declared domains: a mask for every combination of the keys' values. */
#include <stdlib.h>
#include <string.h>

#include "exchange/run/group_internal.h"
#include "exchange/sql/physical/physical.h"
#include "mpc/circuit/compare.h"
#include "mpc/circuit/decompose.h"

/* A key's values: those of its range (BOOLEAN: 0, 1) or its declared texts, then NULL if it can be.
 */
struct domain {
    int64_t least;
    size_t values;
    bool null;
    const struct run_values *texts;        /* NULL: no TEXT */
    struct mpc_share *is[RUN_DOMAIN_MOST]; /* rows of each value */
    const struct mpc_share *known;
};

static size_t choices(const struct domain *d)
{
    return d->values + d->null;
}

static bool domain_of(struct domain *out, const struct run_column *c,
                      const struct run_values *values)
{
    struct mpc_range range = {0, 1};

    *out = (struct domain){.null = c->known != NULL, .known = c->known};
    if (values != NULL && values->count > 0) {
        out->texts = values;
        out->values = values->count;
        return c->word_count > 0 && values->count <= MPC_ONE_HOT_MOST;
    }
    if (c->x == NULL || c->word_count > 0)
        return false;
    if (mpc_share_domain(c->x) == MPC_RING64)
        range = mpc_share_range(c->x);
    else if (mpc_share_width(c->x) != 1)
        return false;
    if ((__int128)range.hi - range.lo >= MPC_ONE_HOT_MOST)
        return false;
    out->least = range.lo;
    out->values = (size_t)(range.hi - range.lo + 1);
    return true;
}

/* ---- rows of each value ---- */

static void numbers(struct run_work *w, struct domain *d, const struct run_column *c)
{
    struct mpc_share *hot = NULL, *z;

    if (w->status != FM_OK)
        return;
    w->status = mpc_one_hot(&hot, c->x, w->err);
    (void)run_hold(w, w->status == FM_OK ? hot : NULL);
    for (size_t v = 0; w->status == FM_OK && v < d->values; v++) {
        w->status = mpc_planes(&z, hot, (unsigned)v, 1, w->err);
        d->is[v] = w->status == FM_OK ? run_hold(w, z) : NULL;
    }
}

/* One list of equalities for all values and words. */
static void texts(struct run_work *w, struct domain *d, const struct run_column *c)
{
    size_t n = d->values * c->word_count;
    const struct mpc_share **x = calloc(n, sizeof(struct mpc_share *));
    const struct mpc_share **y = calloc(n, sizeof(struct mpc_share *));
    struct mpc_share **z = calloc(n, sizeof(struct mpc_share *));

    if ((x == NULL || y == NULL || z == NULL) && w->status == FM_OK)
        w->status = base_err_memory(w->err, "query");
    for (size_t i = 0; w->status == FM_OK && i < n; i++) {
        const char *text = d->texts->texts[i / c->word_count];

        x[i] = c->words[i % c->word_count];
        y[i] = run_number(w, sql_text_word(text, strlen(text), i % c->word_count), 1);
    }
    if (w->status == FM_OK)
        w->status = mpc_equal_list(z, x, y, n, w->err);
    for (size_t i = 0; w->status == FM_OK && i < n; i++)
        x[i] = run_hold(w, z[i]);
    for (size_t v = 0; w->status == FM_OK && v < d->values; v++)
        d->is[v] = run_and_all(w, x + v * c->word_count, c->word_count);
    free(x);
    free(y);
    free(z);
}

/* Rows of value number v of the domain. */
static struct mpc_share *rows_of(struct run_work *w, const struct domain *d, size_t v)
{
    return v == d->values ? run_not(w, d->known) : run_and(w, d->is[v], d->known);
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

/* ---- the result ---- */

/* One value of each choice, in the groups' order: which group it is follows from its number. */
static struct mpc_share *public_column(struct grouping *g, const struct domain *d,
                                       const struct mpc_share **each, const uint32_t *map)
{
    struct run_work *w = g->w;
    struct mpc_share *z = NULL, *all = run_concat(w, each, choices(d));

    if (w->status == FM_OK)
        w->status = mpc_gather(&z, all, map, g->groups, w->err);
    return z;
}

static struct mpc_share *public_words(struct grouping *g, const struct domain *d, size_t word,
                                      const uint32_t *map)
{
    const struct mpc_share *each[RUN_DOMAIN_MOST];

    for (size_t v = 0; v < choices(d); v++) {
        const char *text = v < d->values ? d->texts->texts[v] : "";

        each[v] = run_number(g->w, sql_text_word(text, strlen(text), word), 1);
    }
    return public_column(g, d, each, map);
}

static struct mpc_share *public_numbers(struct grouping *g, const struct domain *d, bool bits,
                                        const uint32_t *map)
{
    const struct mpc_share *each[RUN_DOMAIN_MOST];

    for (size_t v = 0; v < choices(d); v++) {
        int64_t value = d->least + (int64_t)(v < d->values ? v : 0);

        each[v] = bits ? run_bits(g->w, value != 0, 1) : run_number(g->w, value, 1);
    }
    return public_column(g, d, each, map);
}

static void public_key(struct grouping *g, size_t k, const struct domain *d, const uint32_t *map)
{
    const struct run_column *from = &g->r->columns[g->by->keys[k]];
    const struct mpc_share *there[RUN_DOMAIN_MOST];
    struct run_column *to = &g->keys[k];

    if (d->texts == NULL) {
        to->x = public_numbers(g, d, mpc_share_domain(from->x) == MPC_BITS, map);
    } else {
        to->words = calloc(from->word_count, sizeof(struct mpc_share *));
        if (to->words == NULL) {
            g->w->status = base_err_memory(g->w->err, "query");
            return;
        }
        to->word_count = from->word_count;
        for (size_t i = 0; i < from->word_count; i++)
            to->words[i] = public_words(g, d, i, map);
    }
    for (size_t v = 0; v < choices(d); v++)
        there[v] = run_bits(g->w, v < d->values, 1);
    if (d->null)
        to->known = public_column(g, d, there, map);
}

static void public_keys(struct grouping *g, const struct domain *domains)
{
    size_t step = g->groups;
    uint32_t *map = calloc(g->groups, sizeof *map);

    if (map == NULL)
        g->w->status = base_err_memory(g->w->err, "query");
    for (size_t k = 0; g->w->status == FM_OK && k < g->by->key_count; k++) {
        step /= choices(&domains[k]);
        for (size_t i = 0; i < g->groups; i++)
            map[i] = (uint32_t)(i / step % choices(&domains[k]));
        public_key(g, k, &domains[k], map);
    }
    free(map);
}

/* So many groups at once: what bounds the memory, at 16 bytes a row and group. */
enum { AT_ONCE = 16 };

/* Rows of one mask in some groups. */
struct members {
    size_t n;
    const struct mpc_share *bits[AT_ONCE];
    struct mpc_share *ring[AT_ONCE]; /* as 0 / 1: all parts over the mask are sums of these, or of
                                        products with them; NULL: it is only counted */
};

static void append(struct run_work *w, struct group_part *p, struct mpc_share *const *z, size_t n)
{
    const struct mpc_share *x[AT_ONCE + 1] = {p->result};
    size_t first = p->result != NULL;

    for (size_t i = 0; w->status == FM_OK && i < n; i++)
        x[first + i] = run_hold(w, z[i]);
    p->result = run_concat(w, x, first + n);
}

static void add_results(struct grouping *g, const struct members *m, struct group_part *p)
{
    struct run_work *w = g->w;
    const struct mpc_share *x[AT_ONCE];
    struct mpc_share *z[AT_ONCE] = {NULL};

    for (size_t i = 0; i < m->n; i++)
        x[i] = p->x;
    if (w->status == FM_OK && p->kind == PART_SUM)
        w->status = mpc_dot_list(z, x, (const struct mpc_share *const *)m->ring, m->n, w->err);
    else if (w->status == FM_OK && m->ring[0] == NULL)
        w->status = mpc_bit_count_list(z, m->bits, m->n, w->err);
    for (size_t i = 0; w->status == FM_OK && i < m->n && z[i] == NULL; i++)
        w->status = mpc_sum(&z[i], m->ring[i], w->err);
    append(w, p, z, m->n);
}

static void parts_over(struct grouping *g, struct mpc_share *const *groups, size_t mask,
                       struct group_part *rows)
{
    struct run_work *w = g->w;
    bool sums = false;

    for (size_t i = 0; i < g->part_count; i++)
        sums = sums || (g->parts[i].mask == mask && g->parts[i].kind == PART_SUM);
    for (size_t from = 0; w->status == FM_OK && from < g->groups; from += AT_ONCE) {
        struct members m = {.n = g->groups - from < AT_ONCE ? g->groups - from : AT_ONCE};

        for (size_t i = 0; i < m.n; i++)
            m.bits[i] = run_and(w, groups[from + i], g->masks[mask].bits);
        if (w->status == FM_OK && sums)
            w->status = mpc_bit2a_list(m.ring, m.bits, m.n, w->err);
        for (size_t i = 0; i < g->part_count; i++)
            if (g->parts[i].mask == mask)
                add_results(g, &m, &g->parts[i]);
        if (rows != NULL)
            add_results(g, &m, rows);
        mpc_share_free_all(m.ring, m.n);
    }
}

/* A group is there if it has a row, whatever the aggregates count. */
static void group_rows(struct grouping *g, const struct domain *domains)
{
    struct run_work *w = g->w;
    struct mpc_share *groups[RUN_DOMAIN_MOST];
    struct group_part rows = {.kind = PART_COUNT};
    size_t count = 1;

    groups[0] = g->r->valid;
    for (size_t k = 0; k < g->by->key_count; k++)
        combine(w, groups, &count, &domains[k]);
    g->masks[g->mask_count] = (struct group_mask){0}; /* all rows */
    for (size_t m = 0; w->status == FM_OK && m <= g->mask_count; m++) {
        bool all = g->masks[m].bits == NULL && rows.result == NULL, asked = all;

        for (size_t i = 0; i < g->part_count; i++)
            asked = asked || g->parts[i].mask == m;
        if (asked)
            parts_over(g, groups, m, all ? &rows : NULL);
    }
    g->valid = run_not(w, run_equal_public(w, rows.result, 0));
    public_keys(g, domains);
}

static const struct run_values *values_at(const struct run_values *values, size_t k)
{
    return values != NULL ? &values[k] : NULL;
}

size_t run_group_domain(const struct run_relation *r, const size_t *keys,
                        const struct run_values *values, size_t count)
{
    size_t groups = 1;

    for (size_t k = 0; k < count; k++) {
        struct domain d;

        if (count > MPC_SORT_KEYS || !domain_of(&d, &r->columns[keys[k]], values_at(values, k)) ||
            groups * choices(&d) > RUN_DOMAIN_MOST)
            return 0;
        groups *= choices(&d);
    }
    return groups;
}

void group_by_domain(struct grouping *g)
{
    const struct run_group *by = g->by;
    struct domain *domains = calloc(by->key_count, sizeof *domains);

    if (domains == NULL) {
        g->w->status = base_err_memory(g->w->err, "query");
        return;
    }
    g->groups = run_group_domain(g->r, by->keys, by->values, by->key_count);
    if (g->groups == 0)
        g->w->status =
            base_err_set(g->w->err, FM_E_LIMIT, "grouping keys of more than %d combinations",
                         (int)RUN_DOMAIN_MOST);
    for (size_t k = 0; g->w->status == FM_OK && k < by->key_count; k++) {
        const struct run_column *c = &g->r->columns[by->keys[k]];

        (void)domain_of(&domains[k], c, values_at(by->values, k));
        (domains[k].texts != NULL ? texts : numbers)(g->w, &domains[k], c);
    }
    for (size_t i = 0; g->w->status == FM_OK && i < g->part_count; i++)
        if (g->parts[i].kind != PART_COUNT && g->parts[i].kind != PART_SUM)
            g->w->status =
                base_err_set(g->w->err, FM_E_ARG, "groups by domain have no least and greatest");
    if (g->w->status == FM_OK)
        group_rows(g, domains);
    free(domains);
}
