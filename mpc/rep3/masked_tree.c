/* Carries of u + v. Position j hands a carry on where p_j = u_j ^ v_j, and where it does not, the
 * carry out of it is v_j, which the two who are not the dealer know. So with P(i..b) the AND of p_i
 * to p_b, the carry that [a, b] makes by itself is
 *
 *     XOR over i of v_i (P(i+1..b) ^ P(i..b))
 *         = v_b ^ (v_b ^ v_{b-1}) P(b..b) ^ ... ^ (v_{a+1} ^ v_a) P(a+1..b) ^ v_a P(a..b):
 *
 * its factors v are public to them, so the dealt products are those of P(a..b) alone. */
#include "mpc/rep3/masked_tree.h"

size_t masked_elements(const struct mpc_share *const *x, size_t count)
{
    size_t elements = 0;

    for (size_t i = 0; i < count; i++)
        elements += x[i]->whole;
    return elements;
}

struct mpc_way masked_way(struct mpc_rep3_cost cost, size_t n)
{
    return (struct mpc_way){cost.bytes * mpc_plane_words(n) / 3, cost.rounds, cost.group == 0};
}

unsigned masked_levels_of(unsigned m, unsigned most)
{
    unsigned levels = 0;

    for (; m > 1; m = (m + most - 1) / most)
        levels++;
    return levels;
}

unsigned masked_inputs_of(unsigned m, unsigned most, unsigned levels)
{
    unsigned inputs = 2;

    while (masked_levels_of((m + inputs - 1) / inputs, most) >= levels)
        inputs++;
    return inputs;
}

static void leaves_and(struct masked_program *p, uint16_t out, unsigned from, unsigned end,
                       uint16_t times0, uint16_t times1)
{
    uint16_t leaf[MASKED_WIRES] = {0};

    for (unsigned j = from; j < end; j++)
        leaf[j - from] = (uint16_t)j;
    masked_and(p, out, leaf, end - from, times0, times1);
}

void masked_leaf_carry(struct masked_program *p, uint16_t out, unsigned from, unsigned size)
{
    unsigned end = from + size;

    leaves_and(p, out, end, end, (uint16_t)(end - 1), MASKED_NONE);
    for (unsigned i = end - 1; i > from; i--)
        leaves_and(p, out, i, end, (uint16_t)i, (uint16_t)(i - 1));
    leaves_and(p, out, from, end, (uint16_t)from, MASKED_NONE);
}

struct masked_node masked_group(struct masked_program *p, unsigned from, unsigned size,
                                bool propagate)
{
    struct masked_node node = {masked_wire(p), MASKED_NONE};

    masked_leaf_carry(p, node.g, from, size);
    if (!propagate)
        return node;
    node.p = masked_wire(p);
    leaves_and(p, node.p, from, from + size, MASKED_NONE, MASKED_NONE);
    return node;
}

void masked_carry(struct masked_program *p, uint16_t out, const struct masked_node *node,
                  unsigned count, uint16_t in)
{
    uint16_t wire[MASKED_WIRES] = {0};

    for (unsigned j = count; j > 0; j--) { /* made by node j - 1, handed on by those above */
        wire[count - j] = node[j - 1].g;
        masked_and(p, out, wire, count - j + 1, MASKED_NONE, MASKED_NONE);
        wire[count - j] = node[j - 1].p;
    }
    if (in == MASKED_NONE)
        return;
    wire[count] = in;
    masked_and(p, out, wire, count + 1, MASKED_NONE, MASKED_NONE);
}

void masked_leaves_and(struct masked_program *p, uint16_t out, unsigned from, unsigned size,
                       uint16_t wire)
{
    uint16_t all[MASKED_WIRES] = {0};

    for (unsigned j = 0; j < size; j++)
        all[j] = (uint16_t)(from + j);
    all[size] = wire;
    masked_and(p, out, all, size + 1, MASKED_NONE, MASKED_NONE);
}

struct masked_node masked_join(struct masked_program *p, const struct masked_node *node,
                               unsigned count, bool propagate)
{
    struct masked_node joined = {masked_wire(p), MASKED_NONE};
    uint16_t wire[MASKED_WIRES] = {0};

    masked_carry(p, joined.g, node, count, MASKED_NONE);
    if (!propagate)
        return joined;
    joined.p = masked_wire(p);
    for (unsigned j = 0; j < count; j++)
        wire[j] = node[j].p;
    masked_and(p, joined.p, wire, count, MASKED_NONE, MASKED_NONE);
    return joined;
}
