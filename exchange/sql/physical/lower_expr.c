/* Expressions: value, known, true, false of a node, each made when first asked for. The recursion
 * is as deep as the expression, which the parser has bounded. */
#include <assert.h>
#include <string.h>

#include "exchange/sql/physical/lower.h"

static size_t lower_falsity(struct lowering *l, size_t node);

/* ---- values: numbers, dates, texts ---- */

static bool is_null(const struct lowering *l, size_t node)
{
    return l->plan->nodes[node].op == SQL_OP_CONST && l->plan->nodes[node].null;
}

/* From the last alternative to the first, each overriding those after it. Alternatives that are
 * NULL are left out: what stands under an unknown value does not matter. */
static size_t case_value(struct lowering *l, const struct sql_node *n)
{
    size_t last = n->arg_count - 1;
    size_t value = is_null(l, n->args[last]) ? SQL_NONE : lower_value(l, n->args[last]);

    for (size_t i = last; i > 0; i -= 2) {
        size_t then = n->args[i - 1], x;
        if (is_null(l, then))
            continue;
        x = lower_value(l, then);
        if (value == SQL_NONE)
            value = x;
        else if (n->type.kind == DATA_TEXT)
            value = lower_choose_text(l, lower_truth(l, n->args[i - 2]), x, value);
        else
            value = lower_choose(l, lower_truth(l, n->args[i - 2]), x, value,
                                 sql_range_hull(lower_at(l, x)->range, lower_at(l, value)->range));
    }
    if (value == SQL_NONE && n->type.kind == DATA_TEXT)
        return lower_text_const(l, "");
    return value != SQL_NONE ? value : lower_const(l, 0);
}

/* Of integers cut off, of decimals rounded. */
static size_t quotient(struct lowering *l, const struct sql_node *n)
{
    enum sql_rounding rounding =
        n->type.kind == DATA_INTEGER ? SQL_ROUND_TO_ZERO : SQL_ROUND_HALF_AWAY;
    struct sql_range range = n->range;

    if (n->op == SQL_OP_MOD) /* the quotient's, not the rest's */
        range = lower_at(l, lower_value(l, n->args[0]))->range;
    return lower_ratio(l, lower_value(l, n->args[0]), lower_value(l, n->args[1]),
                       n->op == SQL_OP_DIV ? n->digits : 0, rounding, range);
}

static size_t make_value(struct lowering *l, const struct sql_node *n)
{
    static const enum sql_step_op ring[SQL_OP_COUNT_OF_OPS] = {
        [SQL_OP_ADD] = SQL_STEP_ADD, [SQL_OP_SUB] = SQL_STEP_SUB, [SQL_OP_MUL] = SQL_STEP_MUL};
    bool text = n->type.kind == DATA_TEXT;
    size_t x, y;

    switch (n->op) {
    case SQL_OP_COLUMN:
        return lower_input(l, text ? SQL_STEP_TEXT : SQL_STEP_COLUMN, text ? SQL_BITS : SQL_RING,
                           n->index, n->range);
    case SQL_OP_CONST:
        if (text)
            return lower_text_const(l, n->null ? "" : n->text);
        return lower_const(l, n->null ? 0 : (int64_t)n->value);
    case SQL_OP_PARAM:
        if (text)
            return lower_input(l, SQL_STEP_TEXT_PARAM, SQL_BITS, n->index, n->range);
        return lower_param(l, n->index);
    case SQL_OP_RESCALE:
        return lower_ring(l, SQL_STEP_MUL, lower_value(l, n->args[0]),
                          lower_const(l, (int64_t)sql_ten_to(n->digits)), n->range);
    case SQL_OP_NEG:
        return lower_neg(l, lower_value(l, n->args[0]));
    case SQL_OP_CASE:
        return case_value(l, n);
    case SQL_OP_DIV:
        return quotient(l, n);
    case SQL_OP_MOD:
        x = lower_value(l, n->args[0]);
        y = lower_value(l, n->args[1]);
        return lower_ring(l, SQL_STEP_SUB, x,
                          lower_ring(l, SQL_STEP_MUL, quotient(l, n), y, lower_at(l, x)->range),
                          n->range);
    case SQL_OP_ROUND:
        return lower_ratio(l, lower_value(l, n->args[0]),
                           lower_const(l, (int64_t)sql_ten_to(n->digits)), 0, SQL_ROUND_HALF_AWAY,
                           n->range);
    default:
        assert(ring[n->op] != 0);
        return lower_ring(l, ring[n->op], lower_value(l, n->args[0]), lower_value(l, n->args[1]),
                          n->range);
    }
}

size_t lower_value(struct lowering *l, size_t node)
{
    struct lowered *memo = &l->nodes[node];

    if (memo->value == SQL_NONE)
        memo->value = make_value(l, &l->plan->nodes[node]);
    return memo->value;
}

/* ---- texts by their words ---- */

static const struct sql_range word_range = {0, ((sql_wide)1 << 56) - 1};

/* As case_value(). */
static size_t case_word(struct lowering *l, const struct sql_node *n, size_t k)
{
    size_t last = n->arg_count - 1;
    size_t value = is_null(l, n->args[last]) ? SQL_NONE : lower_word_value(l, n->args[last], k);

    for (size_t i = last; i > 0; i -= 2) {
        size_t x;
        if (is_null(l, n->args[i - 1]))
            continue;
        x = lower_word_value(l, n->args[i - 1], k);
        value = value == SQL_NONE
                    ? x
                    : lower_choose(l, lower_truth(l, n->args[i - 2]), x, value, word_range);
    }
    return value != SQL_NONE ? value : lower_const(l, 0);
}

size_t lower_word_value(struct lowering *l, size_t node, size_t k)
{
    const struct sql_node *n = &l->plan->nodes[node];

    switch (n->op) {
    case SQL_OP_COLUMN:
        return k < sql_text_words(n->type) ? lower_word(l, n->index, k, word_range)
                                           : lower_const(l, 0);
    case SQL_OP_CONST:
        return lower_const(l, n->null ? 0 : sql_text_word(n->text, strlen(n->text), k));
    case SQL_OP_PARAM:
        return lower_param_word(l, n->index, k);
    default:
        assert(n->op == SQL_OP_CASE);
        return case_word(l, n, k);
    }
}

/* x < y byte by byte: the first word that differs decides. */
static size_t text_less(struct lowering *l, size_t x, size_t y)
{
    size_t m = sql_text_words(l->plan->nodes[x].type), n = sql_text_words(l->plan->nodes[y].type);
    size_t less = SQL_NONE;

    for (size_t k = m > n ? m : n; k-- > 0;) {
        size_t a = lower_word_value(l, x, k), b = lower_word_value(l, y, k);
        size_t here = lower_compare(l, SQL_STEP_LESS, a, b);
        if (less == SQL_NONE)
            less = here;
        else
            less = lower_logic(
                l, SQL_STEP_XOR, here,
                lower_logic(l, SQL_STEP_AND, lower_compare(l, SQL_STEP_EQUAL, a, b), less));
    }
    return less != SQL_NONE ? less : lower_const(l, 0);
}

/* ---- known ---- */

static size_t case_known(struct lowering *l, const struct sql_node *n)
{
    size_t known = lower_known(l, n->args[n->arg_count - 1]);

    for (size_t i = n->arg_count - 1; i > 0; i -= 2)
        known = lower_choose_bit(l, lower_truth(l, n->args[i - 2]), lower_known(l, n->args[i - 1]),
                                 known);
    return known;
}

static size_t make_known(struct lowering *l, size_t node)
{
    const struct sql_node *n = &l->plan->nodes[node];
    size_t known;

    if (!n->nullable)
        return lower_const(l, 1);
    switch (n->op) {
    case SQL_OP_COLUMN:
        return lower_input(l, SQL_STEP_KNOWN, SQL_BITS, n->index, (struct sql_range){0, 1});
    case SQL_OP_CONST:
        return lower_const(l, 0);
    case SQL_OP_CASE:
        return case_known(l, n);
    case SQL_OP_AND:
    case SQL_OP_OR:
        return lower_logic(l, SQL_STEP_OR, lower_truth(l, node), lower_falsity(l, node));
    case SQL_OP_DIV:
    case SQL_OP_MOD:
        known =
            lower_logic(l, SQL_STEP_AND, lower_known(l, n->args[0]), lower_known(l, n->args[1]));
        return lower_logic(l, SQL_STEP_AND, known,
                           lower_not(l, lower_compare(l, SQL_STEP_EQUAL, lower_value(l, n->args[1]),
                                                      lower_const(l, 0))));
    default: /* strict */
        known = lower_known(l, n->args[0]);
        for (size_t i = 1; i < n->arg_count; i++)
            known = lower_logic(l, SQL_STEP_AND, known, lower_known(l, n->args[i]));
        return known;
    }
}

size_t lower_known(struct lowering *l, size_t node)
{
    if (l->nodes[node].known == SQL_NONE)
        l->nodes[node].known = make_known(l, node);
    return l->nodes[node].known;
}

/* ---- conditions ---- */

/* The comparison as if both sides were known. */
static size_t compare(struct lowering *l, const struct sql_node *n)
{
    size_t x, y;

    if (l->plan->nodes[n->args[0]].type.kind == DATA_BOOLEAN) {
        x = lower_logic(l, SQL_STEP_XOR, lower_truth(l, n->args[0]), lower_truth(l, n->args[1]));
        return n->op == SQL_OP_EQ ? lower_not(l, x) : x;
    }
    if (l->plan->nodes[n->args[0]].type.kind == DATA_TEXT && n->op >= SQL_OP_LT) {
        bool turned = n->op == SQL_OP_GT || n->op == SQL_OP_LE;
        x = text_less(l, n->args[turned], n->args[!turned]);
        return n->op == SQL_OP_LT || n->op == SQL_OP_GT ? x : lower_not(l, x);
    }
    x = lower_value(l, n->args[0]);
    y = lower_value(l, n->args[1]);
    switch (n->op) {
    case SQL_OP_EQ:
        return lower_compare(l, SQL_STEP_EQUAL, x, y);
    case SQL_OP_NE:
        return lower_not(l, lower_compare(l, SQL_STEP_EQUAL, x, y));
    case SQL_OP_LT:
        return lower_compare(l, SQL_STEP_LESS, x, y);
    case SQL_OP_GE:
        return lower_not(l, lower_compare(l, SQL_STEP_LESS, x, y));
    case SQL_OP_GT:
        return lower_compare(l, SQL_STEP_LESS, y, x);
    default:
        return lower_not(l, lower_compare(l, SQL_STEP_LESS, y, x));
    }
}

/* AND / OR of the truths (or falsities) of all operands, as a balanced tree for few rounds. */
static size_t junction(struct lowering *l, const struct sql_node *n, enum sql_step_op op,
                       size_t (*part)(struct lowering *, size_t), size_t from, size_t count)
{
    size_t half = count / 2;

    if (count == 1)
        return part(l, n->args[from]);
    return lower_logic(l, op, junction(l, n, op, part, from, half),
                       junction(l, n, op, part, from + half, count - half));
}

static size_t case_bit(struct lowering *l, const struct sql_node *n,
                       size_t (*part)(struct lowering *, size_t))
{
    size_t bit = part(l, n->args[n->arg_count - 1]);

    for (size_t i = n->arg_count - 1; i > 0; i -= 2)
        bit = lower_choose_bit(l, lower_truth(l, n->args[i - 2]), part(l, n->args[i - 1]), bit);
    return bit;
}

static size_t make_truth(struct lowering *l, size_t node)
{
    const struct sql_node *n = &l->plan->nodes[node];
    size_t x;

    switch (n->op) {
    case SQL_OP_COLUMN:
        /* Providers put in 0 where it is unknown; after a LEFT JOIN anything may stand there. */
        x = lower_input(l, SQL_STEP_COLUMN, SQL_BITS, n->index, n->range);
        return l->plan->simple ? x : lower_logic(l, SQL_STEP_AND, x, lower_known(l, node));
    case SQL_OP_CONST:
        return lower_const(l, !n->null && n->value != 0);
    case SQL_OP_PARAM:
        return lower_param(l, n->index);
    case SQL_OP_AND:
        return junction(l, n, SQL_STEP_AND, lower_truth, 0, n->arg_count);
    case SQL_OP_OR:
        return junction(l, n, SQL_STEP_OR, lower_truth, 0, n->arg_count);
    case SQL_OP_NOT:
        return lower_falsity(l, n->args[0]);
    case SQL_OP_IS_NULL:
        return lower_not(l, lower_known(l, n->args[0]));
    case SQL_OP_IS_TRUE:
        return lower_truth(l, n->args[0]);
    case SQL_OP_CASE:
        return case_bit(l, n, lower_truth);
    default:
        return lower_logic(l, SQL_STEP_AND, compare(l, n), lower_known(l, node));
    }
}

size_t lower_truth(struct lowering *l, size_t node)
{
    if (l->nodes[node].truth == SQL_NONE)
        l->nodes[node].truth = make_truth(l, node);
    return l->nodes[node].truth;
}

static size_t make_falsity(struct lowering *l, size_t node)
{
    const struct sql_node *n = &l->plan->nodes[node];

    if (!n->nullable)
        return lower_not(l, lower_truth(l, node));
    switch (n->op) {
    case SQL_OP_AND:
        return junction(l, n, SQL_STEP_OR, lower_falsity, 0, n->arg_count);
    case SQL_OP_OR:
        return junction(l, n, SQL_STEP_AND, lower_falsity, 0, n->arg_count);
    case SQL_OP_NOT:
        return lower_truth(l, n->args[0]);
    case SQL_OP_CASE:
        return case_bit(l, n, lower_falsity);
    case SQL_OP_COLUMN:
    case SQL_OP_CONST:
        /* Known and not true: the value is 0 where it is unknown. */
        return lower_logic(l, SQL_STEP_AND, lower_not(l, lower_truth(l, node)),
                           lower_known(l, node));
    default:
        return lower_logic(l, SQL_STEP_AND, lower_not(l, compare(l, n)), lower_known(l, node));
    }
}

static size_t lower_falsity(struct lowering *l, size_t node)
{
    if (l->nodes[node].falsity == SQL_NONE)
        l->nodes[node].falsity = make_falsity(l, node);
    return l->nodes[node].falsity;
}
