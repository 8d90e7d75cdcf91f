/* Single steps: domains, shapes, what needs no computation, and repeats. */
#include <assert.h>
#include <string.h>

#include "exchange/sql/physical/lower.h"

static const struct sql_range bit_range = {0, 1};

/* How far the ANDs below a truth value are looked through: at most 2^6 steps. */
enum { WITHIN_DEPTH = 6 };

const struct sql_step *lower_at(const struct lowering *l, size_t x)
{
    return &l->out->steps[x];
}

bool lower_is_const(const struct lowering *l, size_t x, int64_t value)
{
    const struct sql_step *s = lower_at(l, x);

    return s->op == SQL_STEP_CONST && s->constant == value;
}

/* ---- making ---- */

static bool make_room(struct lowering *l)
{
    struct sql_physical *out = l->out;
    size_t cap = l->cap == 0 ? 64 : 2 * l->cap;
    struct sql_step *steps;
    size_t *bit2a;

    if (out->step_count < l->cap)
        return true;
    steps = sql_arena_array(&out->arena, cap, sizeof *steps);
    bit2a = sql_arena_array(&out->arena, cap, sizeof *bit2a);
    if (steps == NULL || bit2a == NULL)
        return false;
    if (l->cap > 0) {
        memcpy(steps, out->steps, l->cap * sizeof *steps);
        memcpy(bit2a, l->bit2a, l->cap * sizeof *bit2a);
    }
    for (size_t i = l->cap; i < cap; i++)
        bit2a[i] = SQL_NONE;
    out->steps = steps;
    l->bit2a = bit2a;
    l->cap = cap;
    return true;
}

/* What makes two steps the same: everything but what follows from it. */
struct step_key {
    uint64_t op, domain, shape;
    uint64_t args[3];
    uint64_t index;
    int64_t constant;
    char text[];
};

static bool find(struct lowering *l, const struct sql_step *s, size_t *place, bool *fresh)
{
    size_t text_len = s->text != NULL ? strlen(s->text) : 0;
    size_t len = sizeof(struct step_key) + text_len;
    struct step_key *key = sql_arena_alloc(&l->out->arena, len);

    if (key == NULL)
        return false;
    key->op = s->op;
    key->domain = s->domain;
    key->shape = s->shape;
    for (size_t i = 0; i < 3; i++)
        key->args[i] = s->args[i];
    key->index = s->index;
    key->constant = s->constant;
    if (text_len > 0)
        memcpy(key->text, s->text, text_len);
    return sql_intern_find(&l->seen, key, len, place, fresh);
}

static size_t emit(struct lowering *l, struct sql_step s)
{
    size_t place = l->out->step_count;
    bool fresh = false;

    for (size_t i = 0; i < s.arg_count; i++) {
        unsigned level = lower_at(l, s.args[i])->level;
        s.level = level > s.level ? level : s.level;
    }
    for (size_t i = s.arg_count; i < 3; i++)
        s.args[i] = SQL_NONE;
    if (s.domain == SQL_RING)
        s.width = sql_range_bits(s.range);
    else if (s.width == 0)
        s.width = 1;
    s.level += sql_step_interactive(l->out, &s);
    if (l->failed || !make_room(l) || !find(l, &s, &place, &fresh)) {
        l->failed = true;
        return 0;
    }
    if (fresh) {
        l->out->steps[l->out->step_count++] = s;
        if (s.level > l->out->levels)
            l->out->levels = s.level;
    }
    return place;
}

size_t lower_input(struct lowering *l, enum sql_step_op op, enum sql_domain domain, size_t index,
                   struct sql_range range)
{
    bool one = op == SQL_STEP_TEXT_PARAM || op == SQL_STEP_HIDDEN_PARAM;
    bool text = op == SQL_STEP_TEXT_PARAM || op == SQL_STEP_TEXT;

    return emit(l, (struct sql_step){.op = op,
                                     .domain = domain,
                                     .shape = one ? SQL_ONE : SQL_ROWS,
                                     .index = index,
                                     .range = range,
                                     .width = text ? 128 : 0});
}

size_t lower_word(struct lowering *l, size_t index, size_t word, struct sql_range range)
{
    return emit(l, (struct sql_step){.op = SQL_STEP_WORD,
                                     .domain = SQL_RING,
                                     .shape = SQL_ROWS,
                                     .index = index,
                                     .constant = (int64_t)word,
                                     .range = range});
}

size_t lower_param_word(struct lowering *l, size_t index, size_t word)
{
    return emit(l, (struct sql_step){.op = SQL_STEP_PARAM_WORD,
                                     .domain = SQL_PUBLIC,
                                     .shape = SQL_ONE,
                                     .index = index,
                                     .constant = (int64_t)word,
                                     .range = {0, ((sql_wide)1 << 56) - 1}});
}

size_t lower_text_const(struct lowering *l, const char *text)
{
    return emit(l, (struct sql_step){.op = SQL_STEP_TEXT_CONST,
                                     .domain = SQL_BITS,
                                     .shape = SQL_ONE,
                                     .text = text,
                                     .width = 128});
}

size_t lower_const(struct lowering *l, int64_t value)
{
    return emit(l, (struct sql_step){.op = SQL_STEP_CONST,
                                     .domain = SQL_PUBLIC,
                                     .shape = SQL_ONE,
                                     .constant = value,
                                     .range = {value, value}});
}

size_t lower_param(struct lowering *l, size_t index)
{
    const struct sql_param *p = &l->plan->params[index];

    if (p->hidden)
        return lower_input(l, SQL_STEP_HIDDEN_PARAM,
                           p->type.kind == DATA_BOOLEAN ? SQL_BITS : SQL_RING, index, p->range);
    return emit(l, (struct sql_step){.op = SQL_STEP_PARAM,
                                     .domain = SQL_PUBLIC,
                                     .shape = SQL_ONE,
                                     .index = index,
                                     .range = p->range});
}

size_t lower_fill(struct lowering *l, size_t x, enum sql_domain domain, enum sql_shape shape)
{
    const struct sql_step *s = lower_at(l, x);

    if (s->domain == domain && s->shape == shape)
        return x;
    assert(s->shape == SQL_ONE);
    return emit(l, (struct sql_step){.op = SQL_STEP_FILL,
                                     .domain = domain,
                                     .shape = shape,
                                     .args = {x},
                                     .arg_count = 1,
                                     .range = s->range,
                                     .width = domain == SQL_BITS ? s->width : 0});
}

size_t lower_others(struct lowering *l, size_t x)
{
    const struct sql_step *s = lower_at(l, x);

    if (l->out->others_rows == l->out->rows)
        return x;
    return emit(l, (struct sql_step){.op = SQL_STEP_OTHERS,
                                     .domain = s->domain,
                                     .shape = SQL_OTHERS,
                                     .args = {x},
                                     .arg_count = 1,
                                     .range = s->range});
}

/* ---- numbers ---- */

/* Secret operands of different lengths: the single element is repeated. Public ones stay. */
static void same_shape(struct lowering *l, size_t *x, size_t *y)
{
    const struct sql_step *a = lower_at(l, *x), *b = lower_at(l, *y);

    if (a->domain == SQL_PUBLIC || b->domain == SQL_PUBLIC || a->shape == b->shape)
        return;
    if (a->shape == SQL_ONE)
        *x = lower_fill(l, *x, a->domain, b->shape);
    else
        *y = lower_fill(l, *y, b->domain, a->shape);
}

static int64_t compute(enum sql_step_op op, int64_t x, int64_t y)
{
    /* The planner has proved that the result fits. */
    switch (op) {
    case SQL_STEP_ADD:
        return x + y;
    case SQL_STEP_SUB:
        return x - y;
    default:
        return x * y;
    }
}

size_t lower_ring(struct lowering *l, enum sql_step_op op, size_t x, size_t y,
                  struct sql_range range)
{
    const struct sql_step *a, *b;
    bool public;

    same_shape(l, &x, &y);
    a = lower_at(l, x);
    b = lower_at(l, y);
    public = a->domain == SQL_PUBLIC && b->domain == SQL_PUBLIC;
    if (a->op == SQL_STEP_CONST && b->op == SQL_STEP_CONST)
        return lower_const(l, compute(op, a->constant, b->constant));
    if (lower_is_const(l, y, op == SQL_STEP_MUL))
        return x; /* x + 0, x - 0, x * 1 */
    return emit(l, (struct sql_step){.op = op,
                                     .domain = public ? SQL_PUBLIC : SQL_RING,
                                     .shape = a->domain == SQL_PUBLIC ? b->shape : a->shape,
                                     .args = {x, y},
                                     .arg_count = 2,
                                     .range = range});
}

size_t lower_ratio(struct lowering *l, size_t x, size_t y, unsigned digits,
                   enum sql_rounding rounding, struct sql_range range)
{
    enum sql_shape shape =
        lower_at(l, x)->shape == SQL_ONE ? lower_at(l, y)->shape : lower_at(l, x)->shape;

    if (lower_at(l, y)->domain != SQL_PUBLIC)
        y = lower_fill(l, y, SQL_RING, shape);
    return emit(l, (struct sql_step){.op = SQL_STEP_RATIO,
                                     .domain = SQL_RING,
                                     .shape = shape,
                                     .args = {lower_fill(l, x, SQL_RING, shape), y},
                                     .arg_count = 2,
                                     .index = digits,
                                     .constant = rounding,
                                     .range = range});
}

size_t lower_neg(struct lowering *l, size_t x)
{
    const struct sql_step *s = lower_at(l, x);

    if (s->op == SQL_STEP_CONST)
        return lower_const(l, -s->constant);
    return emit(l, (struct sql_step){.op = SQL_STEP_NEG,
                                     .domain = s->domain,
                                     .shape = s->shape,
                                     .args = {x},
                                     .arg_count = 1,
                                     .range = {-s->range.hi, -s->range.lo}});
}

size_t lower_compare(struct lowering *l, enum sql_step_op op, size_t x, size_t y)
{
    const struct sql_step *a = lower_at(l, x), *b = lower_at(l, y);
    bool text = a->width == 128;
    bool public = a->domain == SQL_PUBLIC && b->domain == SQL_PUBLIC;
    enum sql_shape shape = a->shape == SQL_ONE ? b->shape : a->shape;

    /* Where the declared ranges decide, nothing is computed. */
    if (!text && (a->range.hi < b->range.lo || b->range.hi < a->range.lo))
        return lower_const(l, op == SQL_STEP_LESS && a->range.hi < b->range.lo);
    if (op == SQL_STEP_LESS && a->range.lo >= b->range.hi)
        return lower_const(l, 0);
    if (op == SQL_STEP_EQUAL && a->op == SQL_STEP_CONST && b->op == SQL_STEP_CONST)
        return lower_const(l, 1);
    return emit(l, (struct sql_step){.op = op,
                                     .domain = public ? SQL_PUBLIC : SQL_BITS,
                                     .shape = public ? SQL_ONE : shape,
                                     .args = {x, y},
                                     .arg_count = 2,
                                     .range = bit_range});
}

/* ---- truth values ---- */

size_t lower_not(struct lowering *l, size_t x)
{
    const struct sql_step *s = lower_at(l, x);

    if (s->op == SQL_STEP_CONST)
        return lower_const(l, !s->constant);
    if (s->op == SQL_STEP_NOT)
        return s->args[0];
    return emit(l, (struct sql_step){.op = SQL_STEP_NOT,
                                     .domain = s->domain,
                                     .shape = s->shape,
                                     .args = {x},
                                     .arg_count = 1,
                                     .range = bit_range});
}

/* Every row of x is a row of y: x is y, or an AND with such an operand, a few levels down. Saves
 * the second "overdue_days is known" of WHERE overdue_days > 90 and MAX(overdue_days). */
static bool within(const struct lowering *l, size_t x, size_t y, unsigned depth)
{
    const struct sql_step *s = lower_at(l, x);

    if (x == y)
        return true;
    return depth > 0 && s->op == SQL_STEP_AND &&
           (within(l, s->args[0], y, depth - 1) || within(l, s->args[1], y, depth - 1));
}

/* x op y where x is the constant c; or where one holds the other. */
static bool simplify(struct lowering *l, enum sql_step_op op, size_t x, size_t y, size_t *out)
{
    for (int i = 0; i < 2; i++) {
        size_t c = i == 0 ? x : y, other = i == 0 ? y : x;
        if (lower_at(l, c)->op != SQL_STEP_CONST)
            continue;
        if (op == SQL_STEP_XOR)
            *out = lower_is_const(l, c, 1) ? lower_not(l, other) : other;
        else
            *out = lower_is_const(l, c, op == SQL_STEP_AND) ? other : c;
        return true;
    }
    if (op == SQL_STEP_XOR) {
        *out = x == y ? lower_const(l, 0) : x;
        return x == y;
    }
    if (within(l, x, y, WITHIN_DEPTH))
        *out = op == SQL_STEP_AND ? x : y;
    else if (within(l, y, x, WITHIN_DEPTH))
        *out = op == SQL_STEP_AND ? y : x;
    else
        return false;
    return true;
}

size_t lower_logic(struct lowering *l, enum sql_step_op op, size_t x, size_t y)
{
    const struct sql_step *a = lower_at(l, x), *b = lower_at(l, y);
    enum sql_shape shape = a->shape == SQL_ONE ? b->shape : a->shape;
    bool public = a->domain == SQL_PUBLIC && b->domain == SQL_PUBLIC;
    size_t out;

    if (simplify(l, op, x, y, &out))
        return out;
    if (!public) {
        x = lower_fill(l, x, SQL_BITS, shape);
        y = lower_fill(l, y, SQL_BITS, shape);
    }
    return emit(l, (struct sql_step){.op = op,
                                     .domain = public ? SQL_PUBLIC : SQL_BITS,
                                     .shape = shape,
                                     .args = {x, y},
                                     .arg_count = 2,
                                     .range = bit_range});
}

size_t lower_choose_bit(struct lowering *l, size_t c, size_t x, size_t y)
{
    return lower_logic(l, SQL_STEP_XOR, y,
                       lower_logic(l, SQL_STEP_AND, c, lower_logic(l, SQL_STEP_XOR, x, y)));
}

/* c ? x : y of text hashes. */
size_t lower_choose_text(struct lowering *l, size_t c, size_t x, size_t y)
{
    enum sql_shape shape = SQL_ONE;

    if (x == y || lower_is_const(l, c, 1))
        return x;
    if (lower_is_const(l, c, 0))
        return y;
    if (lower_at(l, c)->shape == SQL_ROWS || lower_at(l, x)->shape == SQL_ROWS ||
        lower_at(l, y)->shape == SQL_ROWS)
        shape = SQL_ROWS;
    return emit(l, (struct sql_step){.op = SQL_STEP_CHOOSE,
                                     .domain = SQL_BITS,
                                     .shape = shape,
                                     .args = {lower_fill(l, c, SQL_BITS, shape),
                                              lower_fill(l, x, SQL_BITS, shape),
                                              lower_fill(l, y, SQL_BITS, shape)},
                                     .arg_count = 3,
                                     .width = 128});
}

size_t lower_bit2a(struct lowering *l, size_t x)
{
    const struct sql_step *s = lower_at(l, x);
    size_t out;

    if (s->domain == SQL_PUBLIC)
        return x;
    out = emit(l, (struct sql_step){.op = SQL_STEP_BIT2A,
                                    .domain = SQL_RING,
                                    .shape = s->shape,
                                    .args = {x},
                                    .arg_count = 1,
                                    .range = bit_range});
    if (!l->failed)
        l->bit2a[x] = out;
    return out;
}

size_t lower_choose(struct lowering *l, size_t c, size_t x, size_t y, struct sql_range range)
{
    struct sql_range d = {lower_at(l, x)->range.lo - lower_at(l, y)->range.hi,
                          lower_at(l, x)->range.hi - lower_at(l, y)->range.lo};
    struct sql_range moved = {d.lo < 0 ? d.lo : 0, d.hi > 0 ? d.hi : 0};
    enum sql_shape shape;
    size_t bit01;

    if (x == y || lower_is_const(l, c, 1))
        return x;
    if (lower_is_const(l, c, 0))
        return y;
    bit01 = lower_bit2a(l, c);
    /* y + c (x - y): one product, none if x - y is public; unless x - y could leave 64 bits. */
    if (d.lo >= -(sql_wide)INT64_MAX && d.hi <= INT64_MAX)
        return lower_ring(
            l, SQL_STEP_ADD,
            lower_ring(l, SQL_STEP_MUL, bit01, lower_ring(l, SQL_STEP_SUB, x, y, d), moved), y,
            range);
    shape = lower_at(l, bit01)->shape;
    shape = lower_at(l, x)->shape != SQL_ONE ? lower_at(l, x)->shape : shape;
    shape = lower_at(l, y)->shape != SQL_ONE ? lower_at(l, y)->shape : shape;
    return emit(l, (struct sql_step){.op = SQL_STEP_SELECT,
                                     .domain = SQL_RING,
                                     .shape = shape,
                                     .args = {lower_fill(l, bit01, SQL_RING, shape),
                                              lower_fill(l, x, SQL_RING, shape),
                                              lower_fill(l, y, SQL_RING, shape)},
                                     .arg_count = 3,
                                     .range = range});
}

size_t lower_fold(struct lowering *l, enum sql_step_op op, enum sql_domain domain, size_t x,
                  size_t y, struct sql_range range)
{
    return emit(l, (struct sql_step){.op = op,
                                     .domain = domain,
                                     .shape = SQL_ONE,
                                     .args = {x, y},
                                     .arg_count = y == SQL_NONE ? 1 : 2,
                                     .range = range});
}
