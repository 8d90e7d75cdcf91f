/* Logical to physical: shared by the lowering's files; nobody else includes this. */
#ifndef FIRMIANA_EXCHANGE_SQL_PHYSICAL_LOWER_H
#define FIRMIANA_EXCHANGE_SQL_PHYSICAL_LOWER_H

#include "exchange/sql/physical/physical.h"
#include "exchange/sql/plan/intern.h"

/* The steps that a node has become so far; SQL_NONE: not asked for yet. */
struct lowered {
    size_t value;
    size_t known;
    size_t truth;
    size_t falsity;
};

struct lowering {
    const struct sql_plan *plan;
    struct sql_physical *out;
    size_t cap;
    struct sql_intern seen;
    struct lowered *nodes;
    size_t *bit2a; /* of a step: its BIT2A, or SQL_NONE */
    bool failed;   /* memory is out; every number is then 0 and means nothing */
};

/* lower_step.c: one step each; operands are brought to one domain and shape, and what is public and
 * constant is computed on the spot. */
size_t lower_input(struct lowering *l, enum sql_step_op op, enum sql_domain domain, size_t index,
                   struct sql_range range);
size_t lower_word(struct lowering *l, size_t index, size_t word, struct sql_range range);
size_t lower_param_word(struct lowering *l, size_t index, size_t word);
size_t lower_text_const(struct lowering *l, const char *text);
size_t lower_const(struct lowering *l, int64_t value);
size_t lower_param(struct lowering *l, size_t index);
size_t lower_fill(struct lowering *l, size_t x, enum sql_domain domain, enum sql_shape shape);
size_t lower_others(struct lowering *l, size_t x);
size_t lower_ring(struct lowering *l, enum sql_step_op op, size_t x, size_t y,
                  struct sql_range range);
/* x 10^digits / y. */
size_t lower_ratio(struct lowering *l, size_t x, size_t y, unsigned digits,
                   enum sql_rounding rounding, struct sql_range range);
size_t lower_neg(struct lowering *l, size_t x);
size_t lower_compare(struct lowering *l, enum sql_step_op op, size_t x, size_t y);
size_t lower_not(struct lowering *l, size_t x);
size_t lower_logic(struct lowering *l, enum sql_step_op op, size_t x, size_t y);
/* c ? x : y, for truth values and for numbers. */
size_t lower_choose_bit(struct lowering *l, size_t c, size_t x, size_t y);
size_t lower_choose(struct lowering *l, size_t c, size_t x, size_t y, struct sql_range range);
size_t lower_choose_text(struct lowering *l, size_t c, size_t x, size_t y);
size_t lower_bit2a(struct lowering *l, size_t x);
/* An operation with one element for its result. */
size_t lower_fold(struct lowering *l, enum sql_step_op op, enum sql_domain domain, size_t x,
                  size_t y, struct sql_range range);
bool lower_is_const(const struct lowering *l, size_t x, int64_t value);
const struct sql_step *lower_at(const struct lowering *l, size_t x);

/* lower_output.c: all outputs of a simple plan; false: memory is out. */
bool lower_outputs(struct lowering *l);

/* lower_expr.c */
size_t lower_value(struct lowering *l, size_t node);
/* Word k of a TEXT. */
size_t lower_word_value(struct lowering *l, size_t node, size_t k);
size_t lower_known(struct lowering *l, size_t node);
size_t lower_truth(struct lowering *l, size_t node);

#endif
