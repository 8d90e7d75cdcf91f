/* What the circuits of adder.h cost, and which of two ways is the quicker. */
#include "mpc/choice.h"
#include "mpc/circuit/adder.h"
#include "mpc/share.h"

static unsigned log2_up(unsigned m)
{
    unsigned levels = 0;

    while (1u << levels < m)
        levels++;
    return levels;
}

struct mpc_circuit_cost mpc_groups_cost(unsigned groups)
{
    struct mpc_circuit_cost cost = {0, groups == 0 ? 0 : log2_up(groups)};

    for (unsigned m = groups; m > 1; m = m / 2 + m % 2)
        cost.ands += m / 2 * 2 - 1;
    return cost;
}

struct mpc_circuit_cost mpc_carry_cost(unsigned bits, enum mpc_profile profile)
{
    struct mpc_circuit_cost cost = {bits, bits};

    if (profile == MPC_FEW_BYTES || bits == 0)
        return cost;
    cost = mpc_groups_cost(bits);
    cost.ands += bits;
    cost.rounds++;
    return cost;
}

struct mpc_circuit_cost mpc_sum_cost(unsigned bits, enum mpc_profile profile)
{
    unsigned m = bits - 1;
    struct mpc_circuit_cost cost = {m, m};

    if (profile == MPC_FEW_BYTES || m == 0)
        return cost;
    cost.rounds = 1 + log2_up(m);
    for (unsigned d = 0; d < 6; d++)
        for (unsigned j = 0; j < m; j++)
            cost.ands += (j >> d & 1) != 0 ? 1u + (j >> (d + 1) != 0) : 0u;
    return cost;
}

struct mpc_circuit_cost mpc_all_cost(unsigned width)
{
    return (struct mpc_circuit_cost){width - 1, log2_up(width)};
}

enum mpc_profile mpc_adder_choose(const struct mpc_session *s, const struct mpc_adder *in,
                                  size_t count,
                                  struct mpc_circuit_cost (*cost_of)(unsigned, enum mpc_profile))
{
    struct mpc_way way[2] = {{0, 0, false}, {0, 0, true}};

    if (mpc_link_of(s->profile) == NULL)
        return s->profile;
    for (enum mpc_profile p = MPC_FEW_ROUNDS; p <= MPC_FEW_BYTES; p++)
        for (size_t i = 0; i < count; i++) {
            struct mpc_circuit_cost cost = cost_of(in[i].bits, p);

            way[p].bytes +=
                cost.ands * mpc_plane_words(in[i].u->n) * s->row->costs.and_bytes / s->row->parties;
            way[p].rounds = cost.rounds > way[p].rounds ? cost.rounds : way[p].rounds;
        }
    return mpc_choose(s->profile, way[MPC_FEW_ROUNDS], way[MPC_FEW_BYTES]);
}
