/* One level of the program: interactive steps of one kind go together in one list, so that they
 * share their rounds; then what follows from them locally. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/run/arith.h"
#include "exchange/run/run_internal.h"
#include "mpc/circuit/aggregate.h"
#include "mpc/circuit/compare.h"
#include "mpc/circuit/divide.h"
#include "mpc/circuit/select.h"

static const struct sql_step *step_at(const struct sql_run *run, size_t i)
{
    return &run->p->steps[i];
}

static bool is_public(const struct sql_run *run, size_t i)
{
    return step_at(run, i)->domain == SQL_PUBLIC;
}

static const struct mpc_share *arg(const struct sql_run *run, size_t i, size_t j)
{
    return run->regs[step_at(run, i)->args[j]].share;
}

void sql_run_used(struct sql_run *run, size_t step)
{
    struct sql_register *reg = &run->regs[step];

    assert(reg->uses > 0);
    if (--reg->uses > 0)
        return;
    mpc_share_free(reg->share);
    mpc_share_free(reg->extra);
    reg->share = NULL;
    reg->extra = NULL;
}

/* The planner's range may be narrower than what follows from the operation alone: it knows that a
 * quotient is an average, say. */
static fm_status finish_step(struct sql_run *run, size_t i, struct base_err *err)
{
    const struct sql_step *s = step_at(run, i);
    struct mpc_share *x = run->regs[i].share;
    struct mpc_range want, have;
    fm_status st = FM_OK;

    /* Rows of a relation that do not exist, or are NULL, may hold what the planner did not reckon
     * with, and a wrong range would spoil the keys of rows beside them: there it stays as it is. */
    if (s->domain == SQL_RING && !run->rows) {
        want = (struct mpc_range){(int64_t)s->range.lo, (int64_t)s->range.hi};
        have = mpc_share_range(x);
        want.lo = want.lo > have.lo ? want.lo : have.lo;
        want.hi = want.hi < have.hi ? want.hi : have.hi;
        if (want.lo <= want.hi && (want.lo > have.lo || want.hi < have.hi))
            st = mpc_share_narrow(x, want, err);
    }
    for (size_t j = 0; j < s->arg_count; j++)
        sql_run_used(run, s->args[j]);
    return st;
}

/* ---- public steps ---- */

static int64_t compute(enum sql_step_op op, int64_t x, int64_t y)
{
    switch (op) {
    case SQL_STEP_ADD:
        return x + y;
    case SQL_STEP_SUB:
        return x - y;
    case SQL_STEP_MUL:
        return x * y;
    case SQL_STEP_NEG:
        return -x;
    case SQL_STEP_LESS:
        return x < y;
    case SQL_STEP_EQUAL:
        return x == y;
    case SQL_STEP_NOT:
        return !x;
    case SQL_STEP_XOR:
        return x ^ y;
    case SQL_STEP_AND:
        return x & y;
    default:
        assert(op == SQL_STEP_OR);
        return x | y;
    }
}

static void run_public(struct sql_run *run, size_t i)
{
    const struct sql_step *s = step_at(run, i);
    int64_t x = s->arg_count > 0 ? run->regs[s->args[0]].value : 0;
    int64_t y = s->arg_count > 1 ? run->regs[s->args[1]].value : 0;

    if (s->op == SQL_STEP_CONST)
        run->regs[i].value = s->constant;
    else if (s->op == SQL_STEP_PARAM)
        run->regs[i].value = run->c->params[s->index].value;
    else if (s->op == SQL_STEP_PARAM_WORD)
        run->regs[i].value =
            sql_text_word(run->c->params[s->index].text, strlen(run->c->params[s->index].text),
                          (size_t)s->constant);
    else
        run->regs[i].value = compute(s->op, x, y);
}

/* ---- local steps on shares ---- */

static fm_status run_fill(struct sql_run *run, size_t i, struct base_err *err)
{
    const struct sql_step *s = step_at(run, i);
    size_t n = sql_run_elements(run->p, s);
    struct mpc_share **out = &run->regs[i].share;

    if (!is_public(run, s->args[0]))
        return mpc_spread(out, arg(run, i, 0), n, err);
    if (s->domain == SQL_RING)
        return mpc_constant(run->c->session, out, run->regs[s->args[0]].value, n, err);
    return mpc_bits_constant(run->c->session, out, run->regs[s->args[0]].value, 1, n, err);
}

/* The rows of sources that are no recipient: slices, one after another. */
static fm_status run_others(struct sql_run *run, size_t i, struct base_err *err)
{
    const struct sql_plan *plan = run->p->plan;
    struct mpc_share **parts = calloc(plan->source_count, sizeof(struct mpc_share *));
    size_t count = 0, from = 0;
    fm_status st = parts != NULL ? FM_OK : base_err_memory(err, "query");

    for (size_t s = 0; st == FM_OK && s < plan->source_count; s++) {
        size_t n = (size_t)plan->sources[s].rows;
        if (!plan->sources[s].recipient)
            st = mpc_slice(&parts[count++], arg(run, i, 0), from, n, err);
        from += n;
    }
    if (st == FM_OK)
        st = mpc_concat(&run->regs[i].share, (const struct mpc_share *const *)parts, count, err);
    if (parts != NULL)
        mpc_share_free_all(parts, count);
    free(parts);
    return st;
}

/* x + y, x - y, x * y where one side may be public. */
static fm_status run_mixed(struct sql_run *run, size_t i, struct base_err *err)
{
    const struct sql_step *s = step_at(run, i);
    struct mpc_share **out = &run->regs[i].share;
    bool left_public = is_public(run, s->args[0]);
    bool both_secret = !left_public && !is_public(run, s->args[1]);
    const struct mpc_share *secret = arg(run, i, left_public ? 1 : 0);
    int64_t c = run->regs[s->args[left_public ? 0 : 1]].value;
    struct mpc_share *negated = NULL;
    fm_status st;

    if (s->op == SQL_STEP_MUL)
        return mpc_scale(out, secret, c, err);
    if (s->op == SQL_STEP_ADD)
        return both_secret ? mpc_add(out, secret, arg(run, i, 1), err)
                           : mpc_add_constant(out, secret, c, err);
    if (both_secret)
        return mpc_sub(out, secret, arg(run, i, 1), err);
    if (!left_public)
        return mpc_add_constant(out, secret, -c, err);
    st = mpc_neg(&negated, secret, err);
    if (st == FM_OK)
        st = mpc_add_constant(out, negated, c, err);
    mpc_share_free(negated);
    return st;
}

static fm_status run_local(struct sql_run *run, size_t i, struct base_err *err)
{
    const struct sql_step *s = step_at(run, i);
    struct sql_register *reg = &run->regs[i];

    switch (s->op) {
    case SQL_STEP_FILL:
        return run_fill(run, i, err);
    case SQL_STEP_OTHERS:
        return run_others(run, i, err);
    case SQL_STEP_ADD:
    case SQL_STEP_SUB:
    case SQL_STEP_MUL:
        return run_mixed(run, i, err);
    case SQL_STEP_NEG:
        return mpc_neg(&reg->share, arg(run, i, 0), err);
    case SQL_STEP_NOT:
        return mpc_not(&reg->share, arg(run, i, 0), err);
    case SQL_STEP_XOR:
        return mpc_xor(&reg->share, arg(run, i, 0), arg(run, i, 1), err);
    case SQL_STEP_TOTAL:
        return mpc_sum(&reg->share, arg(run, i, 0), err);
    case SQL_STEP_ANY:
        reg->share = run->regs[s->args[0]].extra;
        run->regs[s->args[0]].extra = NULL;
        return FM_OK;
    default: /* inputs are there already */
        assert(reg->share != NULL);
        return FM_OK;
    }
}

/* ---- lists of interactive steps ---- */

struct list {
    size_t count;
    size_t *steps;
    const struct mpc_share **x;
    const struct mpc_share **y;
    struct mpc_share **z;
    struct mpc_share **own; /* public operands as shares of one element; count = own_count */
    size_t own_count;
};

static void release_list(struct list *list)
{
    if (list->own != NULL)
        mpc_share_free_all(list->own, list->own_count);
    if (list->z != NULL)
        mpc_share_free_all(list->z, list->count);
    free(list->steps);
    free(list->x);
    free(list->y);
    free(list->z);
    free(list->own);
}

static fm_status operand(const struct mpc_share **out, struct list *list, struct sql_run *run,
                         size_t step, struct base_err *err)
{
    fm_status st;

    *out = run->regs[step].share;
    if (!is_public(run, step))
        return FM_OK;
    st = mpc_constant(run->c->session, &list->own[list->own_count], run->regs[step].value, 1, err);
    if (st == FM_OK)
        *out = list->own[list->own_count++];
    return st;
}

static bool in_group(const struct sql_run *run, size_t i, enum sql_step_op op, unsigned level)
{
    const struct sql_step *s = step_at(run, i);
    enum sql_step_op group = s->op == SQL_STEP_OR ? SQL_STEP_AND : s->op;

    return group == op && s->level == level && sql_step_interactive(run->p, s);
}

static fm_status gather(struct list *list, struct sql_run *run, enum sql_step_op op, unsigned level,
                        struct base_err *err)
{
    size_t n = 0;
    fm_status st = FM_OK;

    for (size_t i = 0; i < run->p->step_count; i++)
        n += in_group(run, i, op, level);
    *list = (struct list){0};
    if (n == 0)
        return FM_OK;
    list->steps = calloc(n, sizeof *list->steps);
    list->x = calloc(n, sizeof(struct mpc_share *));
    list->y = calloc(n, sizeof(struct mpc_share *));
    list->z = calloc(n, sizeof(struct mpc_share *));
    list->own = calloc(2 * n, sizeof(struct mpc_share *));
    if (list->steps == NULL || list->x == NULL || list->y == NULL || list->z == NULL ||
        list->own == NULL)
        return base_err_memory(err, "query");
    for (size_t i = 0; st == FM_OK && i < run->p->step_count; i++) {
        const struct sql_step *s = step_at(run, i);
        if (!in_group(run, i, op, level))
            continue;
        list->steps[list->count] = i;
        st = operand(&list->x[list->count], list, run, s->args[0], err);
        if (st == FM_OK && s->arg_count > 1)
            st = operand(&list->y[list->count], list, run, s->args[1], err);
        list->count++;
    }
    return st;
}

/* x OR y = x XOR y XOR (x AND y), so that ANDs and ORs share a round. */
static fm_status and_to_or(struct list *list, size_t k, struct base_err *err)
{
    struct mpc_share *either = NULL, *both = list->z[k];
    fm_status st = mpc_xor(&either, list->x[k], list->y[k], err);

    if (st != FM_OK)
        return st;
    list->z[k] = NULL;
    st = mpc_xor(&list->z[k], either, both, err);
    mpc_share_free(either);
    mpc_share_free(both);
    return st;
}

static fm_status call_list(struct list *list, enum sql_step_op op, size_t from, size_t n,
                           struct base_err *err)
{
    struct mpc_share **z = list->z + from;
    const struct mpc_share *const *x = list->x + from;
    const struct mpc_share *const *y = list->y + from;

    switch (op) {
    case SQL_STEP_MUL:
        return mpc_mul_list(z, x, y, n, err);
    case SQL_STEP_LESS:
        return mpc_less_list(z, x, y, n, err);
    case SQL_STEP_EQUAL:
        return mpc_equal_list(z, x, y, n, err);
    case SQL_STEP_AND:
        return mpc_and_list(z, x, y, n, err);
    case SQL_STEP_BIT2A:
        return mpc_bit2a_list(z, x, n, err);
    case SQL_STEP_COUNT:
        return mpc_bit_count_list(z, x, n, err);
    default:
        assert(op == SQL_STEP_DOT);
        return mpc_dot_list(z, x, y, n, err);
    }
}

static fm_status run_list(struct sql_run *run, enum sql_step_op op, unsigned level,
                          struct base_err *err)
{
    struct list list;
    fm_status st = gather(&list, run, op, level, err);

    if (list.count > 0)
        sql_run_announce(run, sql_step_name(op));
    for (size_t from = 0; st == FM_OK && from < list.count; from += MPC_MAX_LIST) {
        size_t n = list.count - from < MPC_MAX_LIST ? list.count - from : MPC_MAX_LIST;
        st = call_list(&list, op, from, n, err);
    }
    for (size_t k = 0; st == FM_OK && k < list.count; k++) {
        if (step_at(run, list.steps[k])->op == SQL_STEP_OR)
            st = and_to_or(&list, k, err);
    }
    for (size_t k = 0; st == FM_OK && k < list.count; k++) {
        run->regs[list.steps[k]].share = list.z[k];
        list.z[k] = NULL;
        st = finish_step(run, list.steps[k], err);
    }
    release_list(&list);
    return st;
}

/* ---- interactive steps that go alone ---- */

/* By a public number: two truncations rather than a division. Where that is 0 the quotient is 0,
 * and NULL to SQL. */
static struct mpc_share *ratio_public(struct run_work *w, const struct mpc_share *x, int64_t c,
                                      const struct sql_step *s, enum run_rounding rounding)
{
    struct mpc_share *q;

    if (c == 0)
        return run_number(w, 0, mpc_share_n(x));
    q = run_quotient_public(w, run_scale(w, x, (int64_t)sql_ten_to((unsigned)s->index)),
                            c < 0 ? -c : c, rounding);
    return c < 0 ? run_neg(w, q) : q;
}

static fm_status run_ratio_step(struct sql_run *run, size_t i, struct base_err *err)
{
    const struct sql_step *s = step_at(run, i);
    struct run_work w = run_work(run->c->session, err);
    enum run_rounding rounding =
        s->constant == SQL_ROUND_TO_ZERO ? RUN_TOWARDS_ZERO : RUN_HALF_AWAY;
    struct mpc_share *q =
        is_public(run, s->args[1])
            ? ratio_public(&w, arg(run, i, 0), run->regs[s->args[1]].value, s, rounding)
            : run_quotient(&w, arg(run, i, 0), arg(run, i, 1), (unsigned)s->index, rounding);

    run->regs[i].share = run_take(&w, q);
    return run_work_release(&w);
}

static fm_status run_alone(struct sql_run *run, size_t i, struct base_err *err)
{
    const struct sql_step *s = step_at(run, i);
    struct sql_register *reg = &run->regs[i];
    struct mpc_share *remainder = NULL;
    fm_status st;

    switch (s->op) {
    case SQL_STEP_SELECT:
        return mpc_select_ring(&reg->share, arg(run, i, 0), arg(run, i, 1), arg(run, i, 2), err);
    case SQL_STEP_CHOOSE:
        return mpc_select(&reg->share, arg(run, i, 0), arg(run, i, 1), arg(run, i, 2), err);
    case SQL_STEP_MIN:
        return mpc_min_where(&reg->share, &reg->extra, arg(run, i, 0), arg(run, i, 1), err);
    case SQL_STEP_MAX:
        return mpc_max_where(&reg->share, &reg->extra, arg(run, i, 0), arg(run, i, 1), err);
    case SQL_STEP_ABS:
        return mpc_abs(&reg->share, arg(run, i, 0), err);
    case SQL_STEP_NEGATIVE:
        return mpc_negative(&reg->share, arg(run, i, 0), err);
    case SQL_STEP_QUOTIENT:
        st = mpc_divide(&reg->share, &remainder, arg(run, i, 0), arg(run, i, 1), err);
        mpc_share_free(remainder);
        return st;
    case SQL_STEP_RATIO:
        return run_ratio_step(run, i, err);
    default:
        assert(s->op == SQL_STEP_DIVIDE_ROUND);
        return mpc_divide_round(&reg->share, arg(run, i, 0), arg(run, i, 1), err);
    }
}

static const enum sql_step_op lists[] = {SQL_STEP_MUL, SQL_STEP_LESS,  SQL_STEP_EQUAL,
                                         SQL_STEP_AND, SQL_STEP_BIT2A, SQL_STEP_COUNT,
                                         SQL_STEP_DOT};

enum { LISTS = sizeof lists / sizeof lists[0] };

unsigned sql_run_operators(const struct sql_run *run)
{
    unsigned n = 0;

    for (unsigned level = 0; level <= run->p->levels; level++)
        for (size_t k = 0; k < LISTS; k++) {
            bool any = false;
            for (size_t i = 0; i < run->p->step_count; i++)
                any = any || in_group(run, i, lists[k], level);
            n += any;
        }
    for (size_t i = 0; i < run->p->step_count; i++)
        n += sql_step_interactive(run->p, step_at(run, i)) && sql_step_alone(step_at(run, i)->op);
    return n;
}

fm_status sql_run_level(struct sql_run *run, unsigned level, struct base_err *err)
{
    fm_status st = FM_OK;

    for (size_t k = 0; st == FM_OK && k < LISTS; k++)
        st = run_list(run, lists[k], level, err);
    for (size_t i = 0; st == FM_OK && i < run->p->step_count; i++) {
        const struct sql_step *s = step_at(run, i);
        if (s->level != level || !sql_step_interactive(run->p, s) || !sql_step_alone(s->op))
            continue;
        sql_run_announce(run, sql_step_name(s->op));
        st = run_alone(run, i, err);
        if (st == FM_OK)
            st = finish_step(run, i, err);
    }
    for (size_t i = 0; st == FM_OK && i < run->p->step_count; i++) {
        const struct sql_step *s = step_at(run, i);
        if (s->level != level || sql_step_interactive(run->p, s))
            continue;
        if (s->domain == SQL_PUBLIC)
            run_public(run, i);
        else
            st = run_local(run, i, err);
        if (st == FM_OK)
            st = finish_step(run, i, err);
        if (st != FM_OK)
            return base_err_prefix(err, "step %zu (%s)", i, sql_step_name(s->op));
    }
    return st == FM_OK ? st : base_err_prefix(err, "level %u", level);
}
