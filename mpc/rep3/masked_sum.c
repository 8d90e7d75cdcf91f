/* All bits of x = u + v: the carry into every position. Groups of up to four positions, joined in a
 * tree of up to four a gate; carries into the groups at its top, then downwards into each smaller
 * one, last into each position: c = G ^ P c_in of what lies below it in its group (the up and down
 * sweep of Brent and Kung, IEEE Trans. Computers, 1982, at radix four). */
#include <stdlib.h>

#include "mpc/circuit/adder.h"
#include "mpc/rep3/masked_tree.h"
#include "mpc/rep3/rep3.h"

enum { MOST_TREES = 3, TOP = MASKED_WIRES };

/* The tree over `bits` positions whose highest hands no carry on. */
struct sweep {
    struct masked_program *p;
    unsigned size;  /* positions a group, at most */
    unsigned trees; /* levels of joins */
    unsigned count[MOST_TREES + 1];
    struct masked_node node[MOST_TREES + 1][64];
    uint16_t carry[MOST_TREES + 1][64]; /* into each node */
};

static unsigned groups_of(unsigned bits, unsigned size)
{
    return (bits + size - 1) / size;
}

static unsigned trees_of(unsigned groups)
{
    unsigned trees = 0;

    for (; groups > TOP; groups = (groups + MASKED_WIRES - 1) / MASKED_WIRES)
        trees++;
    return trees;
}

/* Levels of gates: groups, joins, the top's carries, as many levels down, positions. */
static unsigned levels_for(unsigned bits, unsigned size)
{
    unsigned groups = groups_of(bits, size);

    return groups == 1 ? (size == 1 ? 0 : 1) : 2 + 2 * trees_of(groups) + (size == 1 ? 0 : 1);
}

/* The fewest rounds; and of those the smallest groups, which deal least. */
static unsigned size_for(unsigned bits)
{
    unsigned best = 1;

    for (unsigned size = 2; size <= MASKED_WIRES; size++)
        if (levels_for(bits, size) < levels_for(bits, best))
            best = size;
    return best;
}

/* As evenly as it goes: the g-th of `parts` parts of m. */
static unsigned part(unsigned m, unsigned parts, unsigned g)
{
    return (m + g) / parts;
}

static void sweep_up(struct sweep *w, unsigned bits)
{
    unsigned from = 0;

    w->count[0] = groups_of(bits, w->size);
    w->trees = trees_of(w->count[0]);
    for (unsigned g = 0; g + 1 < w->count[0]; g++) {
        unsigned size = part(bits, w->count[0], g);

        w->node[0][g] = masked_group(w->p, from, size, g > 0);
        from += size;
    }
    if (w->count[0] > 1)
        masked_level_end(w->p);
    for (unsigned t = 1; t <= w->trees; t++) {
        unsigned m = w->count[t - 1];

        w->count[t] = (m + MASKED_WIRES - 1) / MASKED_WIRES;
        from = 0;
        for (unsigned g = 0; g + 1 < w->count[t]; g++) {
            unsigned k = part(m, w->count[t], g);

            w->node[t][g] = masked_join(w->p, w->node[t - 1] + from, k, g > 0);
            from += k;
        }
        masked_level_end(w->p);
    }
}

/* Carries into nodes [from, from + k) of tree level t, with `in` into the first. */
static void carries_into(struct sweep *w, unsigned t, unsigned from, unsigned k, uint16_t in)
{
    w->carry[t][from] = in;
    for (unsigned j = 1; j < k; j++) {
        if (j == 1 && in == MASKED_NONE) {
            w->carry[t][from + 1] = w->node[t][from].g;
            continue;
        }
        w->carry[t][from + j] = masked_wire(w->p);
        masked_carry(w->p, w->carry[t][from + j], w->node[t] + from, j, in);
    }
}

static void sweep_down(struct sweep *w)
{
    unsigned top = w->trees;

    if (w->count[0] < 2)
        w->carry[0][0] = MASKED_NONE;
    if (w->count[0] < 2)
        return;
    carries_into(w, top, 0, w->count[top], MASKED_NONE);
    masked_level_end(w->p);
    for (unsigned t = top; t > 0; t--) {
        unsigned from = 0;

        for (unsigned g = 0; g < w->count[t]; g++) {
            unsigned k = part(w->count[t - 1], w->count[t], g);

            carries_into(w, t - 1, from, k, w->carry[t][g]);
            from += k;
        }
        masked_level_end(w->p);
    }
}

/* Bit j of the sum is u_j ^ v_j ^ the carry into it. */
static void put_bits(struct sweep *w, unsigned bits)
{
    unsigned from = 0;

    for (unsigned g = 0; g < w->count[0]; g++) {
        unsigned size = part(bits, w->count[0], g);
        uint16_t in = w->carry[0][g];

        masked_out(w->p, (uint16_t)from, in);
        for (unsigned j = 1; j < size; j++) {
            uint16_t carry = masked_wire(w->p);

            masked_leaf_carry(w->p, carry, from, j);
            if (in != MASKED_NONE)
                masked_leaves_and(w->p, carry, from, j, in);
            masked_out(w->p, (uint16_t)(from + j), carry);
        }
        from += size;
    }
    if (w->size > 1)
        masked_level_end(w->p);
}

void masked_sum_build(struct masked_program *p, unsigned bits)
{
    struct sweep *w = calloc(1, sizeof *w);

    masked_init(p, bits);
    if (w == NULL) {
        p->failed = true;
        return;
    }
    w->p = p;
    w->size = size_for(bits);
    sweep_up(w, bits);
    sweep_down(w);
    put_bits(w, bits);
    free(w);
}

struct mpc_rep3_cost mpc_rep3_a2b_cost(unsigned width, enum mpc_profile profile)
{
    struct mpc_circuit_cost ripple = mpc_sum_cost(width, MPC_FEW_BYTES);
    struct mpc_rep3_cost cost = {8 * (uint64_t)width + 24 * ripple.ands, 1 + ripple.rounds, 0};
    struct masked_program p;

    if (profile == MPC_FEW_BYTES)
        return cost;
    masked_sum_build(&p, width);
    cost = (struct mpc_rep3_cost){p.failed ? UINT64_MAX : masked_bytes(&p), masked_rounds(&p),
                                  size_for(width)};
    masked_release(&p);
    return cost;
}

enum mpc_profile mpc_rep3_a2b_way(unsigned widest, size_t n, enum mpc_profile profile)
{
    struct mpc_rep3_cost few_rounds = {0};

    if (mpc_link_of(profile) != NULL)
        few_rounds = mpc_rep3_a2b_cost(widest, MPC_FEW_ROUNDS);
    if (mpc_link_of(profile) == NULL || few_rounds.bytes == UINT64_MAX)
        return profile;
    return mpc_choose(profile, masked_way(few_rounds, n),
                      masked_way(mpc_rep3_a2b_cost(widest, MPC_FEW_BYTES), n));
}

fm_status rep3_a2b(struct mpc_session *s, struct mpc_share *const *z,
                   const struct mpc_share *const *x, size_t count, struct base_err *err)
{
    struct masked_program *programs;
    struct masked_item *items;
    fm_status status = FM_OK;
    size_t built = 0;
    unsigned widest = 1;
    enum mpc_profile way;

    for (size_t i = 0; i < count; i++)
        widest = z[i]->width > widest ? z[i]->width : widest;
    way = mpc_rep3_a2b_way(widest, masked_elements(x, count), s->profile);
    if (mpc_link_of(way) != NULL)
        return base_err_memory(err, "conversion");
    if (way == MPC_FEW_BYTES)
        return rep3_a2b_by_ripple(s, z, x, count, err);
    programs = calloc(count, sizeof *programs);
    items = calloc(count, sizeof *items);
    if (programs == NULL || items == NULL)
        status = base_err_memory(err, "conversion");
    for (size_t i = 0; status == FM_OK && i < count; i++) {
        if (i == 0 || z[i]->width != z[i - 1]->width)
            masked_sum_build(&programs[built++], z[i]->width);
        items[i] = (struct masked_item){.x = x[i], .z = z[i], .program = &programs[built - 1]};
    }
    if (status == FM_OK)
        status = masked_run(s, items, count, err);
    for (size_t i = 0; i < built; i++)
        masked_release(&programs[i]);
    free(items);
    free(programs);
    return status;
}
