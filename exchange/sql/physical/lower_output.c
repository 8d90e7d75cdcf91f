/* Aggregates, NULL of empty groups, the guard. */
#include "exchange/sql/physical/lower.h"
#include <assert.h>

/* ---- counting ---- */

/* How many rows of a mask count. Where the mask is at hand as integers (a SUM needed them), adding
 * those up costs nothing. */
static size_t count(struct lowering *l, size_t mask)
{
    enum sql_shape shape = lower_at(l, mask)->shape;
    sql_wide n = shape == SQL_OTHERS ? l->out->others_rows : l->out->rows;
    size_t bit01 = l->failed ? SQL_NONE : l->bit2a[mask];
    struct sql_range range = {0, n};

    if (bit01 != SQL_NONE)
        return lower_fold(l, SQL_STEP_TOTAL, SQL_RING, bit01, SQL_NONE, range);
    return lower_fold(l, SQL_STEP_COUNT, SQL_RING, mask, SQL_NONE, range);
}

static size_t count_others(struct lowering *l, size_t mask)
{
    size_t bit01 = l->failed ? SQL_NONE : l->bit2a[mask];

    if (bit01 == SQL_NONE || l->out->others_rows == l->out->rows)
        return count(l, lower_others(l, mask));
    return lower_fold(l, SQL_STEP_TOTAL, SQL_RING, lower_others(l, bit01), SQL_NONE,
                      (struct sql_range){0, l->out->others_rows});
}

/* ---- one output, in two passes: first what works on rows, so that counts see every BIT2A ---- */

struct pending {
    size_t mask;
    size_t counted; /* the rows that the guard counts */
    size_t folded;  /* the sum, or the extreme; SQL_NONE for COUNT */
};

static size_t fold_sum(struct lowering *l, size_t x, size_t mask, struct sql_range range)
{
    const struct sql_step *s = lower_at(l, x);

    if (s->domain == SQL_PUBLIC)
        return lower_ring(l, SQL_STEP_MUL, count(l, mask), x, range);
    return lower_fold(l, SQL_STEP_DOT, SQL_RING, lower_fill(l, x, SQL_RING, SQL_ROWS),
                      lower_bit2a(l, mask), range);
}

static struct sql_range sum_range(const struct lowering *l, const struct sql_output *o)
{
    struct sql_range r = l->plan->nodes[o->arg].range;

    if (r.lo > r.hi)
        return (struct sql_range){0, 0};
    r.lo = r.lo < 0 ? r.lo * l->plan->rows : 0;
    r.hi = r.hi > 0 ? r.hi * l->plan->rows : 0;
    return r;
}

static void fold_rows(struct lowering *l, struct pending *p, const struct sql_output *o)
{
    size_t filter = l->plan->filter;
    struct sql_range bit = {0, 1};
    size_t x;

    p->mask = lower_input(l, SQL_STEP_VALID, SQL_BITS, 0, bit);
    if (filter != SQL_NONE)
        p->mask = lower_logic(l, SQL_STEP_AND, p->mask, lower_truth(l, filter));
    if (o->arg != SQL_NONE)
        p->mask = lower_logic(l, SQL_STEP_AND, p->mask, lower_known(l, o->arg));
    p->mask = lower_fill(l, p->mask, SQL_BITS, SQL_ROWS);
    p->counted = p->mask;
    if (l->plan->guard_rows > 0 && o->counted != SQL_NONE)
        p->counted =
            lower_fill(l, lower_logic(l, SQL_STEP_AND, p->mask, lower_truth(l, o->counted)),
                       SQL_BITS, SQL_ROWS);
    p->folded = SQL_NONE;
    if (o->fn == SQL_COUNT)
        return;
    x = lower_value(l, o->arg);
    if (o->fn == SQL_SUM || o->fn == SQL_AVG)
        p->folded = fold_sum(l, x, p->mask, sum_range(l, o));
    else
        p->folded =
            lower_fold(l, o->fn == SQL_MIN ? SQL_STEP_MIN : SQL_STEP_MAX, SQL_RING,
                       lower_fill(l, x, SQL_RING, SQL_ROWS), p->mask, lower_at(l, x)->range);
}

/* ---- averages ---- */

/* The sum and its digits in one division: 2 |sum| 10^d + n fits. */
static bool divides_at_once(const struct lowering *l, struct sql_range sum, unsigned digits)
{
    sql_wide size = sum.hi > -sum.lo ? sum.hi : -sum.lo;

    return 2 * size < ((sql_wide)INT64_MAX - l->plan->rows) / sql_ten_to(digits);
}

static size_t scaled(struct lowering *l, size_t x, unsigned digits)
{
    struct sql_range r = lower_at(l, x)->range;
    sql_wide ten = sql_ten_to(digits);

    if (digits == 0)
        return x;
    return lower_ring(l, SQL_STEP_MUL, x, lower_const(l, (int64_t)ten),
                      (struct sql_range){r.lo * ten, r.hi * ten});
}

/* |sum| = q n + r; the digits are those of q, then of r / n; the sign comes last. Exact, because
 * |sum| 10^d / n = q 10^d + r 10^d / n and only the last term is rounded. */
static size_t divide_in_two(struct lowering *l, size_t sum, size_t n, const struct sql_output *o)
{
    struct sql_range arg = l->plan->nodes[o->arg].range, s = lower_at(l, sum)->range;
    sql_wide size = arg.hi > -arg.lo ? arg.hi : -arg.lo, most = s.hi > -s.lo ? s.hi : -s.lo;
    sql_wide ten = sql_ten_to(o->digits);
    struct sql_range quotient = {0, size}, product = {0, most}, magnitude = {0, (size + 1) * ten};
    struct sql_range both = {-magnitude.hi, magnitude.hi}, bit = {0, 1};
    bool has_sign = s.lo < 0;
    size_t positive =
        has_sign ? lower_fold(l, SQL_STEP_ABS, SQL_RING, sum, SQL_NONE, product) : sum;
    size_t q = lower_fold(l, SQL_STEP_QUOTIENT, SQL_RING, positive, n, quotient);
    size_t r = lower_ring(l, SQL_STEP_SUB, positive, lower_ring(l, SQL_STEP_MUL, q, n, product),
                          (struct sql_range){0, l->plan->rows - 1});
    size_t fraction = lower_fold(l, SQL_STEP_DIVIDE_ROUND, SQL_RING, scaled(l, r, o->digits), n,
                                 (struct sql_range){0, ten});
    size_t all = lower_ring(l, SQL_STEP_ADD, scaled(l, q, o->digits), fraction, magnitude);

    if (!has_sign)
        return all;
    return lower_choose(l, lower_fold(l, SQL_STEP_NEGATIVE, SQL_BITS, sum, SQL_NONE, bit),
                        lower_neg(l, all), all, both);
}

static size_t average(struct lowering *l, size_t sum, size_t n, const struct sql_output *o)
{
    struct sql_range s = lower_at(l, sum)->range;

    if (!divides_at_once(l, s, o->digits))
        return divide_in_two(l, sum, n, o);
    return lower_fold(l, SQL_STEP_DIVIDE_ROUND, SQL_RING, scaled(l, sum, o->digits), n,
                      sql_range_hull(o->range, (struct sql_range){0, 0}));
}

/* ---- results ---- */

static size_t not_empty(struct lowering *l, const struct pending *p, const struct sql_output *o)
{
    struct sql_range bit = {0, 1};

    if (o->fn == SQL_MIN || o->fn == SQL_MAX)
        return lower_fold(l, SQL_STEP_ANY, SQL_BITS, p->folded, SQL_NONE, bit);
    return lower_not(l, lower_compare(l, SQL_STEP_EQUAL, count(l, p->mask), lower_const(l, 0)));
}

/* The guard, where there is one, is at least 2 rows: what it shows is not NULL. */
static void finish(struct lowering *l, struct sql_reveal *r, const struct pending *p,
                   const struct sql_output *o)
{
    int64_t guard = l->plan->guard_rows;
    size_t value = p->folded, keep = SQL_NONE;

    *r = (struct sql_reveal){.value = SQL_NONE, .known = SQL_NONE, .shown = SQL_NONE};
    if (o->fn == SQL_COUNT)
        value = count(l, p->mask);
    else if (o->fn == SQL_AVG)
        value = average(l, p->folded, count(l, p->mask), o);
    if (guard > 0)
        keep = r->shown = lower_not(
            l, lower_compare(l, SQL_STEP_LESS, count_others(l, p->counted), lower_const(l, guard)));
    else if (o->fn != SQL_COUNT)
        r->known = not_empty(l, p, o);
    /* A sum of nothing and a count of nothing are 0 already; the rest is anything in range. */
    if (guard == 0 && o->fn != SQL_COUNT && o->fn != SQL_SUM)
        keep = r->known;
    if (keep != SQL_NONE)
        value = lower_choose(l, keep, value, lower_const(l, 0),
                             sql_range_hull(lower_at(l, value)->range, (struct sql_range){0, 0}));
    r->value = lower_fill(l, value, SQL_RING, SQL_ONE);
    if (r->known != SQL_NONE)
        r->known = lower_fill(l, r->known, SQL_BITS, SQL_ONE);
    if (r->shown != SQL_NONE)
        r->shown = lower_fill(l, r->shown, SQL_BITS, SQL_ONE);
}

bool lower_outputs(struct lowering *l)
{
    const struct sql_plan *plan = l->plan;
    struct pending *pending = sql_arena_array(&l->out->arena, plan->output_count, sizeof *pending);

    if (pending == NULL)
        return false;
    for (size_t i = 0; i < plan->output_count; i++)
        fold_rows(l, &pending[i], &plan->outputs[i]);
    for (size_t i = 0; i < plan->output_count; i++)
        finish(l, &l->out->reveals[i], &pending[i], &plan->outputs[i]);
    return true;
}
