/* Zero tests: x = u + v is 0 where u and -v agree in every bit, that is where all bits of u ^ (v -
 * 1) are 1: one AND of all leaves, in levels of up to three wires a gate (which cost what two ANDs
 * of two cost) or, where a round is worth more than bytes, of up to four. */
#include <stdlib.h>

#include "mpc/rep3/masked_tree.h"
#include "mpc/rep3/rep3.h"

static struct mpc_rep3_cost cost_of(unsigned width, unsigned most)
{
    unsigned levels = masked_levels_of(width, most);
    struct mpc_rep3_cost cost = {8 * (uint64_t)width, 1 + levels, most};
    unsigned m = width;

    for (; levels > 0; levels--) {
        unsigned inputs = masked_inputs_of(m, most, levels);
        unsigned gates = (m + inputs - 1) / inputs;

        for (unsigned g = 0; g < gates; g++) {
            unsigned k = (m + g) / gates; /* as evenly as it goes */

            cost.bytes += k > 1 ? 8 * ((1u << k) - 1 - k) + 16 : 0;
        }
        m = gates;
    }
    return cost;
}

struct mpc_rep3_cost mpc_rep3_eqz_cost(unsigned width, size_t n, enum mpc_profile profile)
{
    struct mpc_rep3_cost quick = cost_of(width, MASKED_WIRES);
    struct mpc_rep3_cost lean = cost_of(width, 3);

    if (mpc_link_of(profile) == NULL)
        return profile == MPC_FEW_ROUNDS && n <= MASKED_SHORT ? quick : lean;
    return mpc_way_ns(profile, masked_way(quick, n)) < mpc_way_ns(profile, masked_way(lean, n))
               ? quick
               : lean;
}

static void build(struct masked_program *p, unsigned width, unsigned most)
{
    uint16_t wire[64] = {0};
    unsigned m = width;

    masked_init(p, width);
    for (unsigned j = 0; j < width; j++)
        wire[j] = (uint16_t)j;
    for (unsigned levels = masked_levels_of(width, most); levels > 0; levels--) {
        unsigned inputs = masked_inputs_of(m, most, levels);
        unsigned gates = (m + inputs - 1) / inputs;
        unsigned from = 0;

        for (unsigned g = 0; g < gates; g++) {
            unsigned k = (m + g) / gates;
            uint16_t out = wire[from];

            if (k > 1) {
                out = masked_wire(p);
                masked_and(p, out, wire + from, k, MASKED_NONE, MASKED_NONE);
            }
            from += k;
            wire[g] = out;
        }
        masked_level_end(p);
        m = gates;
    }
    masked_out(p, wire[0], MASKED_NONE);
}

fm_status rep3_eqz(struct mpc_session *s, struct mpc_share *const *z,
                   const struct mpc_share *const *x, const struct mpc_share *const *y,
                   const unsigned *width, size_t count, struct base_err *err)
{
    struct masked_program *programs = calloc(count, sizeof *programs);
    struct masked_item *items = calloc(count, sizeof *items);
    fm_status status = FM_OK;
    size_t built = 0;
    size_t n = masked_elements(x, count);

    if (programs == NULL || items == NULL)
        status = base_err_memory(err, "conversion");
    for (size_t i = 0; status == FM_OK && i < count; i++) {
        if (i == 0 || width[i] != width[i - 1])
            build(&programs[built++], width[i], mpc_rep3_eqz_cost(width[i], n, s->profile).group);
        items[i] = (struct masked_item){.x = x[i],
                                        .y = y == NULL ? NULL : y[i],
                                        .z = z[i],
                                        .program = &programs[built - 1],
                                        .add = UINT64_MAX};
    }
    if (status == FM_OK)
        status = masked_run(s, items, count, err);
    for (size_t i = 0; i < built; i++)
        masked_release(&programs[i]);
    free(items);
    free(programs);
    return status;
}
