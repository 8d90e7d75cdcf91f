/* Inside of rep3: circuits of masked.h from trees: how many inputs a gate has at which level, and
 * generate and propagate of groups of positions. */
#ifndef FIRMIANA_MPC_REP3_MASKED_TREE_H
#define FIRMIANA_MPC_REP3_MASKED_TREE_H

#include "mpc/choice.h"
#include "mpc/rep3/masked.h"
#include "mpc/rep3/rep3.h"

/* In the few-rounds profile: elements of a list up to which one round is worth some bytes an
 * element and party. */
enum { MASKED_SHORT = 8192 };
/* Elements of a list; of a lane's slice, those of the whole column: lanes choose as one lane would.
 */
size_t masked_elements(const struct mpc_share *const *x, size_t count);
/* A list of n elements. */
struct mpc_way masked_way(struct mpc_rep3_cost cost, size_t n);

/* Levels that it takes to make one of m at up to `most` inputs a gate; and inputs at the first of
 * `levels` that are left: as few as lets these suffice. */
unsigned masked_levels_of(unsigned m, unsigned most);
unsigned masked_inputs_of(unsigned m, unsigned most, unsigned levels);

/* Whether a run of positions makes a carry by itself, and whether it hands one on. */
struct masked_node {
    uint16_t g;
    uint16_t p; /* MASKED_NONE: not wanted */
};
/* All bits of the sum, `bits` leaves and outs; none is carried out of the highest (masked_sum.c).
 */
void masked_sum_build(struct masked_program *p, unsigned bits);
/* Of leaves [from, from + size), size <= 4: 2^size - 1 dealt (the leaves among them). */
struct masked_node masked_group(struct masked_program *p, unsigned from, unsigned size,
                                bool propagate);
/* out ^= the carry out of leaves [from, from + size) whatever comes in. */
void masked_leaf_carry(struct masked_program *p, uint16_t out, unsigned from, unsigned size);
/* out ^= the carry out of nodes [0, count), the lowest first; in: the carry into them, or
 * MASKED_NONE. count <= 4, or 3 with a carry in. */
void masked_carry(struct masked_program *p, uint16_t out, const struct masked_node *node,
                  unsigned count, uint16_t in);
/* out ^= the AND of leaves [from, from + size) and of one wire. */
void masked_leaves_and(struct masked_program *p, uint16_t out, unsigned from, unsigned size,
                       uint16_t wire);
/* Several nodes as one. */
struct masked_node masked_join(struct masked_program *p, const struct masked_node *node,
                               unsigned count, bool propagate);

#endif
