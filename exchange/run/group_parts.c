/* Which counts, sums and extremes an aggregate is made of, and what it makes of them. */
#include <stdlib.h>
#include <string.h>

#include "exchange/run/arith.h"
#include "exchange/run/group_internal.h"

/* ---- masks and parts, each once ---- */

static size_t find_mask(struct grouping *g, const struct mpc_share *known, size_t where,
                        const struct mpc_share *marks)
{
    struct group_mask *m;

    for (size_t i = 0; i < g->mask_count; i++) {
        m = &g->masks[i];
        if (m->marks == marks && (marks != NULL || (m->known == known && m->where == where)))
            return i;
    }
    if (g->mask_count == GROUP_PARTS) {
        if (g->w->status == FM_OK)
            g->w->status =
                base_err_set(g->w->err, FM_E_LIMIT, "more than %d different masks of aggregates",
                             (int)GROUP_PARTS);
        return 0;
    }
    m = &g->masks[g->mask_count];
    *m = (struct group_mask){.known = known, .where = where, .marks = marks, .count = RUN_NONE};
    if (marks != NULL)
        m->bits = run_and(g->w, marks, NULL);
    else
        m->bits = run_and(g->w, known, run_truth(g->w, g->r, where));
    return g->mask_count++;
}

struct mpc_share *group_mask_ring(struct grouping *g, size_t mask)
{
    struct group_mask *m = &g->masks[mask];

    if (m->ring == NULL && m->bits != NULL)
        m->ring = run_bit2a(g->w, m->bits);
    return m->ring;
}

static size_t add_part(struct grouping *g, struct group_part part)
{
    for (size_t i = 0; i < g->part_count; i++)
        if (g->parts[i].kind == part.kind && g->parts[i].x == part.x &&
            g->parts[i].mask == part.mask && g->parts[i].part == part.part &&
            g->parts[i].of == part.of)
            return i;
    if (g->part_count == GROUP_PARTS) {
        if (g->w->status == FM_OK)
            g->w->status = base_err_set(g->w->err, FM_E_LIMIT, "more than %d parts of aggregates",
                                        (int)GROUP_PARTS);
        return 0;
    }
    g->parts[g->part_count] = part;
    return g->part_count++;
}

static size_t find_part(struct grouping *g, enum part_kind kind, const struct mpc_share *x,
                        size_t mask)
{
    return add_part(g, (struct group_part){.kind = kind, .x = x, .mask = mask});
}

static size_t count_part(struct grouping *g, size_t mask)
{
    if (g->masks[mask].count == RUN_NONE)
        g->masks[mask].count = find_part(g, PART_COUNT, NULL, mask);
    return g->masks[mask].count;
}

/* ---- asking ---- */

/* The first row of every value within its group, among those that count. */
static const struct mpc_share *mark_distinct(struct grouping *g, const struct run_aggregate *a,
                                             const struct mpc_share *mask)
{
    size_t keys[MPC_SORT_KEYS];

    if (g->by->key_count + 1 > MPC_SORT_KEYS) {
        g->w->status = base_err_set(g->w->err, FM_E_LIMIT, "more than %d grouping keys",
                                    (int)MPC_SORT_KEYS - 1);
        return NULL;
    }
    if (g->by->key_count > 0)
        memcpy(keys, g->by->keys, g->by->key_count * sizeof keys[0]);
    keys[g->by->key_count] = a->arg;
    return run_first_of(g->w, g->r, mask, keys, g->by->key_count + 1);
}

static void ask_moments(struct grouping *g, const struct run_aggregate *a, size_t mask,
                        size_t parts[3])
{
    struct mpc_share *x = g->r->columns[a->arg].x;

    parts[0] = find_part(g, PART_SUM, x, mask);
    parts[1] = count_part(g, mask);
    if (a->fn != RUN_AVG && a->fn != RUN_SUM)
        parts[2] = find_part(g, PART_SUM, run_mul(g->w, x, x), mask);
}

/* BOOL_AND: how many are false; BOOL_OR: how many are true. */
static void ask_truths(struct grouping *g, const struct run_aggregate *a, size_t mask,
                       size_t parts[3])
{
    const struct mpc_share *x = g->r->columns[a->arg].x;
    const struct mpc_share *sought = a->fn == RUN_BOOL_AND ? run_not(g->w, x) : x;

    parts[1] = count_part(g, mask);
    parts[0] =
        count_part(g, find_mask(g, NULL, RUN_NONE, run_and(g->w, sought, g->masks[mask].bits)));
}

static bool sorts(const struct grouping *g)
{
    return g->by->key_count > 0 && g->by->method == RUN_BY_SORT;
}

/* Texts are told apart by their hash if they have one: in one column. Else their words are. */
static void ask_distinct(struct grouping *g, const struct run_aggregate *a, size_t mask,
                         size_t parts[3])
{
    const struct mpc_share *x = g->r->columns[a->arg].x, *all;

    if (sorts(g) && x != NULL) {
        parts[0] = find_part(g, PART_DISTINCT, x, mask);
        return;
    }
    all = run_and(g->w, g->r->valid, g->masks[mask].bits);
    parts[0] = count_part(g, find_mask(g, NULL, RUN_NONE, mark_distinct(g, a, all)));
}

static void ask_percentile(struct grouping *g, const struct run_aggregate *a, size_t mask,
                           size_t parts[3])
{
    const struct mpc_share *x = g->r->columns[a->arg].x, *all;

    if (sorts(g)) {
        parts[0] = add_part(
            g, (struct group_part){
                   .kind = PART_PERCENTILE, .x = x, .mask = mask, .part = a->part, .of = a->of});
        parts[1] = count_part(g, mask);
        return;
    }
    all = run_and(g->w, g->r->valid, g->masks[mask].bits);
    mask = find_mask(g, NULL, RUN_NONE, group_mark_percentile(g, a, all));
    parts[0] = find_part(g, PART_SUM, x, mask);
    parts[1] = count_part(g, mask);
}

/* Its rows come to something within total, and so do any of them: mod 2^64 it does not matter that
 * n times one row's range might not fit. mpc/ is told a range that does fit, since nothing but sums
 * and products with 0 / 1 is made of the column; group_restore_totals() says what the sums are. */
static size_t presummed_part(struct grouping *g, struct mpc_share *x, struct mpc_range total)
{
    __int128 n = (__int128)g->r->rows;
    struct mpc_range one;
    struct mpc_share *part;

    if (g->w->status != FM_OK)
        return 0;
    one = mpc_share_range(x);
    if (one.lo * n < INT64_MIN || one.hi * n > INT64_MAX)
        one = (struct mpc_range){(int64_t)(total.lo / n), (int64_t)(total.hi / n)};
    part = run_slice(g->w, x, 0, g->r->rows);
    if (part != NULL)
        run_narrow(g->w, part, one);
    return add_part(g, (struct group_part){.kind = PART_SUM, .x = part, .mask = 0, .total = total});
}

void group_restore_totals(struct grouping *g)
{
    for (size_t i = 0; g->w->status == FM_OK && i < g->part_count; i++) {
        struct group_part *p = &g->parts[i];
        struct mpc_share *whole = NULL;

        if (p->total.lo == 0 && p->total.hi == 0)
            continue;
        g->w->status =
            mpc_add_wrapping(&whole, p->result, run_number(g->w, 0, g->groups), g->w->err);
        p->result = run_hold(g->w, whole);
        if (g->w->status == FM_OK)
            run_narrow(g->w, p->result, p->total);
    }
}

static void ask_presummed(struct grouping *g, const struct run_aggregate *a, size_t parts[3])
{
    const struct run_presummed *p = a->presummed;

    (void)find_mask(g, NULL, RUN_NONE, NULL);
    if (a->fn == RUN_COUNT) {
        parts[0] = presummed_part(g, p->count, p->counts);
        return;
    }
    parts[0] = presummed_part(g, p->sum, p->sums);
    parts[1] = presummed_part(g, p->count, p->counts);
}

void group_ask(struct grouping *g, const struct run_aggregate *a, size_t parts[3])
{
    const struct run_column *arg = a->arg != RUN_NONE ? &g->r->columns[a->arg] : NULL;
    size_t mask;

    if (a->presummed != NULL) {
        ask_presummed(g, a, parts);
        return;
    }
    mask = find_mask(g, arg != NULL ? arg->known : NULL, a->where, NULL);
    switch (a->fn) {
    case RUN_COUNT:
        parts[0] = count_part(g, mask);
        return;
    case RUN_MIN:
    case RUN_MAX:
        parts[0] = find_part(g, a->fn == RUN_MIN ? PART_MIN : PART_MAX, arg->x, mask);
        parts[1] = count_part(g, mask);
        return;
    case RUN_BOOL_AND:
    case RUN_BOOL_OR:
        ask_truths(g, a, mask, parts);
        return;
    case RUN_COUNT_DISTINCT:
        ask_distinct(g, a, mask, parts);
        return;
    case RUN_PERCENTILE_DISC:
        ask_percentile(g, a, mask, parts);
        return;
    default:
        ask_moments(g, a, mask, parts);
        return;
    }
}

/* ---- answering ---- */

/* n q - s s over n n, or over n (n - 1): at most half the square of the range's width. */
static struct mpc_share *variance(struct run_work *w, const struct run_aggregate *a,
                                  struct mpc_share *const x[3], struct mpc_range of,
                                  unsigned digits)
{
    __int128 width = (__int128)of.hi - of.lo, square = width * width / 2 + 1;
    bool sample = a->fn == RUN_VAR_SAMP || a->fn == RUN_STDDEV_SAMP;
    struct mpc_share *n = x[1], *rows = n, *top;
    int64_t most;

    top = run_sub(w, run_mul(w, n, x[2]), run_mul(w, x[0], x[0]));
    if (w->status != FM_OK)
        return NULL;
    /* Cauchy and Schwarz: n q >= s s. */
    run_narrow(w, top, (struct mpc_range){0, INT64_MAX});
    if (sample)
        rows = run_shift(w, n, -1);
    most = mpc_share_range(n).hi;
    rows = run_mul(w, n, rows);
    if (w->status != FM_OK)
        return NULL;
    run_narrow(w, rows, (struct mpc_range){0, most < INT32_MAX ? most * most : INT64_MAX});
    return run_ratio(w, top, rows, digits, square < INT64_MAX ? (int64_t)square : INT64_MAX,
                     RUN_HALF_AWAY);
}

/* No average is greater than what it is of. The planner's range of the result says it more closely
 * than the column's share, which may be an expression's. */
static int64_t greatest_average(const struct run_aggregate *a, struct mpc_range of)
{
    int64_t most = of.hi > -(of.lo + 1) ? of.hi : of.lo == INT64_MIN ? INT64_MAX : -of.lo;
    int64_t lo = a->range.lo, hi = a->range.hi, planned;

    if (lo == INT64_MIN || hi == INT64_MAX)
        return most;
    planned = hi > -lo ? hi : -lo;
    for (unsigned i = 0; i < a->digits; i++)
        planned = planned / 10 + (planned % 10 != 0);
    return planned < most ? planned : most;
}

/* Of no rows 0 / 1. */
static struct mpc_share *average(struct run_work *w, unsigned digits, int64_t most,
                                 struct mpc_share *sum, struct mpc_share *n)
{
    struct mpc_share *none = run_bit2a(w, run_equal_public(w, n, 0));

    n = run_add(w, n, none);
    if (n == NULL)
        return NULL;
    run_narrow(w, n, (struct mpc_range){1, INT64_MAX});
    return run_ratio(w, sum, n, digits, most, RUN_HALF_AWAY);
}

static struct mpc_range argument_range(const struct grouping *g, const struct run_aggregate *a)
{
    if (a->arg != RUN_NONE && g->r->columns[a->arg].x != NULL)
        return mpc_share_range(g->r->columns[a->arg].x);
    return MPC_RANGE_FULL;
}

/* So many rows at once: more of them take longer than the rounds that this saves. */
enum { DIVIDED_AT_ONCE = 1 << 15 };

/* Items from `first` on with its digits; those that are done have their average. */
static void divide_like(struct grouping *g, const size_t (*parts)[3], size_t first)
{
    const struct run_aggregate *items = g->by->items;
    const struct mpc_share *sum[GROUP_PARTS], *count[GROUP_PARTS];
    struct mpc_share *all;
    size_t of[GROUP_PARTS], n = 0;
    int64_t most = 0;

    for (size_t i = first; i < g->by->item_count && n < GROUP_PARTS; i++) {
        int64_t greatest;

        if (items[i].fn != RUN_AVG || items[i].digits != items[first].digits)
            continue;
        greatest = greatest_average(&items[i], argument_range(g, &items[i]));
        most = greatest > most ? greatest : most;
        sum[n] = g->parts[parts[i][0]].result;
        count[n] = g->parts[parts[i][1]].result;
        of[n++] = i;
    }
    if (n < 2 || g->w->status != FM_OK || n * mpc_share_n(sum[0]) > DIVIDED_AT_ONCE)
        return;
    all = average(g->w, items[first].digits, most, run_concat(g->w, sum, n),
                  run_concat(g->w, count, n));
    for (size_t k = 0; k < n && g->w->status == FM_OK; k++)
        g->averages[of[k]] = run_slice(g->w, all, k * mpc_share_n(sum[0]), mpc_share_n(sum[0]));
}

void group_divide(struct grouping *g, const size_t (*parts)[3])
{
    g->averages = calloc(g->by->item_count + 1, sizeof(struct mpc_share *));
    if (g->averages == NULL && g->w->status == FM_OK)
        g->w->status = base_err_memory(g->w->err, "query");
    for (size_t i = 0; g->w->status == FM_OK && i < g->by->item_count; i++)
        if (g->by->items[i].fn == RUN_AVG && g->averages[i] == NULL)
            divide_like(g, parts, i);
}

static struct mpc_share *moment(struct grouping *g, const struct run_aggregate *a, size_t item,
                                struct mpc_share *const x[3])
{
    struct run_work *w = g->w;
    struct mpc_range of = argument_range(g, a);

    switch (a->fn) {
    case RUN_AVG:
        return g->averages[item] != NULL
                   ? g->averages[item]
                   : average(w, a->digits, greatest_average(a, of), x[0], x[1]);
    case RUN_VAR_POP:
    case RUN_VAR_SAMP:
        return variance(w, a, x, of, a->digits);
    case RUN_STDDEV_POP:
    case RUN_STDDEV_SAMP:
        return run_square_root(w, variance(w, a, x, of, 2 * a->digits));
    default:
        return x[0];
    }
}

/* What was divided is anything where there was nothing to divide by: 0 there, so that the range
 * that the planner proved for the others holds everywhere. */
static struct mpc_share *tidy(struct grouping *g, const struct run_aggregate *a,
                              struct mpc_share *value, const struct mpc_share *known)
{
    struct mpc_range range = a->range;

    value = run_keep(g->w, run_and(g->w, g->valid, known), value);
    if (g->w->status != FM_OK)
        return NULL;
    range.lo = range.lo < 0 ? range.lo : 0;
    range.hi = range.hi > 0 ? range.hi : 0;
    run_narrow(g->w, value, range);
    return value;
}

static struct mpc_share *truth_of_all(struct grouping *g, const struct run_aggregate *a,
                                      const struct mpc_share *count)
{
    struct mpc_share *none = run_equal_public(g->w, count, 0);

    return a->fn == RUN_BOOL_OR ? run_not(g->w, none) : none;
}

struct run_column group_answer(struct grouping *g, size_t item, const size_t parts[3])
{
    const struct run_aggregate *a = &g->by->items[item];
    bool two = a->fn == RUN_VAR_SAMP || a->fn == RUN_STDDEV_SAMP;
    struct mpc_share *x[3] = {NULL}, *value, *known = NULL;
    struct run_column out = {0};

    for (int i = 0; i < 3; i++)
        x[i] = parts[i] != RUN_NONE ? g->parts[parts[i]].result : NULL;
    /* A group has rows; of those that count there may be none where the mask is not "all". */
    if (a->presummed != NULL && a->presummed->always)
        known = NULL;
    else if (a->presummed != NULL && parts[1] != RUN_NONE)
        known = run_not(g->w, run_equal_public(g->w, x[1], 0));
    else if (parts[1] != RUN_NONE &&
             (two || g->by->key_count == 0 || g->masks[g->parts[parts[1]].mask].bits != NULL))
        known = run_not(g->w, run_less_public(g->w, x[1], two ? 2 : 1));
    if (a->fn == RUN_BOOL_AND || a->fn == RUN_BOOL_OR)
        value = truth_of_all(g, a, x[0]);
    else
        value = moment(g, a, item, x);
    if (a->fn == RUN_AVG || (a->fn >= RUN_VAR_POP && a->fn <= RUN_STDDEV_SAMP))
        value = tidy(g, a, value, known);
    if (a->fn == RUN_PERCENTILE_DISC && g->w->status == FM_OK) { /* one row was added up, or none */
        struct mpc_range range = mpc_share_range(g->r->columns[a->arg].x);

        run_narrow(g->w, value,
                   (struct mpc_range){range.lo < 0 ? range.lo : 0, range.hi > 0 ? range.hi : 0});
    }
    out.known = run_take(g->w, known);
    out.x = run_take(g->w, run_slice(g->w, value, 0, g->groups));
    return out;
}
