/* Signs: the top bit of x = u + v is u ^ v there, and the carry into it: groups of up to four
 * positions in one level, then a tree of groups. */
#include <stdlib.h>

#include "mpc/linear.h"
#include "mpc/rep3/masked_tree.h"
#include "mpc/rep3/rep3.h"

struct plan {
    unsigned size; /* positions a group, at most */
    unsigned most; /* groups a gate, at most */
};

/* What joining k groups deals: the lowest has no carry in, so its P is not wanted. */
static unsigned join_dealt(unsigned k, bool lowest)
{
    unsigned products = (1u << k) - 1 - k;

    return lowest ? products + (1u << (k - 1)) - k : 2 * products;
}

static struct mpc_rep3_cost cost_of(unsigned bits, struct plan plan)
{
    unsigned m = (bits + plan.size - 1) / plan.size;
    unsigned levels = masked_levels_of(m, plan.most);
    unsigned dealt = 1;
    unsigned fresh = 0;

    for (unsigned g = 0; g < m; g++) {
        dealt += (1u << (bits + g) / m) - 1;
        fresh += g == 0 ? 1 : 2;
    }
    for (unsigned left = levels; left > 0; left--) {
        unsigned inputs = masked_inputs_of(m, plan.most, left);
        unsigned gates = (m + inputs - 1) / inputs;

        for (unsigned g = 0; g < gates; g++) {
            unsigned k = (m + g) / gates;

            dealt += k > 1 ? join_dealt(k, g == 0) : 0;
            fresh += k == 1 ? 0 : g == 0 ? 1 : 2;
        }
        m = gates;
    }
    return (struct mpc_rep3_cost){8 * ((uint64_t)dealt + 2 * fresh), (bits > 0 ? 2 : 1) + levels,
                                  plan.size};
}

/* The fixed few-rounds profile. Short lists: the fewest rounds, and of those the fewest bytes. Long
 * ones: the fewest bytes that one round more can buy. */
static unsigned most_rounds(unsigned bits, size_t n)
{
    unsigned fewest = UINT32_MAX;

    for (unsigned i = 0; i < 12; i++) {
        unsigned rounds = cost_of(bits, (struct plan){1 + i / 3, 2 + i % 3}).rounds;

        fewest = rounds < fewest ? rounds : fewest;
    }
    return fewest + (n <= MASKED_SHORT ? 0 : 1);
}

static bool better(enum mpc_profile profile, struct mpc_rep3_cost a, struct mpc_rep3_cost b,
                   size_t n)
{
    if (mpc_link_of(profile) != NULL)
        return mpc_way_ns(profile, masked_way(a, n)) < mpc_way_ns(profile, masked_way(b, n));
    return a.bytes < b.bytes || (a.bytes == b.bytes && a.rounds < b.rounds);
}

static struct plan plan_of(unsigned bits, size_t n, enum mpc_profile profile,
                           struct mpc_rep3_cost *best)
{
    struct plan found = {1, 2};
    unsigned most = profile == MPC_FEW_ROUNDS ? most_rounds(bits, n) : UINT32_MAX;

    *best = (struct mpc_rep3_cost){UINT32_MAX, 0, 0};
    for (unsigned i = 0; i < 12; i++) {
        struct plan plan = {1 + i / 3, 2 + i % 3};
        struct mpc_rep3_cost cost = cost_of(bits, plan);

        if (cost.rounds > most || !better(profile, cost, *best, n))
            continue;
        *best = cost;
        found = plan;
    }
    return found;
}

struct mpc_rep3_cost mpc_rep3_msb_cost(unsigned width, size_t n, enum mpc_profile profile)
{
    struct mpc_rep3_cost cost = {8 * (uint64_t)width + 24 * (uint64_t)(width - 1), width, 0};

    if (profile != MPC_FEW_BYTES)
        (void)plan_of(width - 1, n, profile, &cost);
    return cost;
}

enum mpc_profile mpc_rep3_msb_way(unsigned widest, size_t n, enum mpc_profile profile)
{
    return mpc_link_of(profile) != NULL &&
                   better(profile, mpc_rep3_msb_cost(widest, n, MPC_FEW_BYTES),
                          mpc_rep3_msb_cost(widest, n, profile), n)
               ? MPC_FEW_BYTES
               : profile;
}

static void build(struct masked_program *p, unsigned bits, struct plan plan)
{
    struct masked_node node[64];
    unsigned m = (bits + plan.size - 1) / plan.size;
    unsigned from = 0;

    masked_init(p, bits + 1);
    for (unsigned g = 0; g < m; g++) {
        unsigned size = (bits + g) / m;

        node[g] = masked_group(p, from, size, g > 0);
        from += size;
    }
    if (m > 0)
        masked_level_end(p);
    for (unsigned left = masked_levels_of(m, plan.most); left > 0; left--) {
        unsigned inputs = masked_inputs_of(m, plan.most, left);
        unsigned gates = (m + inputs - 1) / inputs;

        from = 0;
        for (unsigned g = 0; g < gates; g++) {
            unsigned k = (m + g) / gates;

            node[g] = k == 1 ? node[from] : masked_join(p, node + from, k, g > 0);
            from += k;
        }
        masked_level_end(p);
        m = gates;
    }
    masked_out(p, (uint16_t)bits, m == 0 ? MASKED_NONE : node[0].g);
}

static fm_status by_groups(struct mpc_session *s, struct mpc_share *const *z,
                           const struct mpc_share *const *x, const struct mpc_share *const *y,
                           const unsigned *width, size_t count, struct base_err *err)
{
    struct masked_program *programs = calloc(count, sizeof *programs);
    struct masked_item *items = calloc(count, sizeof *items);
    size_t n = masked_elements(x, count);
    fm_status status = FM_OK;
    size_t built = 0;

    if (programs == NULL || items == NULL)
        status = base_err_memory(err, "conversion");
    for (size_t i = 0; status == FM_OK && i < count; i++) {
        struct mpc_rep3_cost cost;

        if (i == 0 || width[i] != width[i - 1])
            build(&programs[built++], width[i] - 1, plan_of(width[i] - 1, n, s->profile, &cost));
        items[i] = (struct masked_item){
            .x = x[i], .y = y == NULL ? NULL : y[i], .z = z[i], .program = &programs[built - 1]};
    }
    if (status == FM_OK)
        status = masked_run(s, items, count, err);
    for (size_t i = 0; i < built; i++)
        masked_release(&programs[i]);
    free(items);
    free(programs);
    return status;
}

/* Bit by bit, of differences that are written out first. */
static fm_status by_ripple(struct mpc_session *s, struct mpc_share *const *z,
                           const struct mpc_share *const *x, const struct mpc_share *const *y,
                           const unsigned *width, size_t count, struct base_err *err)
{
    const struct mpc_share **of = calloc(count, sizeof *of);
    struct mpc_share **made = calloc(2 * count, sizeof *made);
    fm_status status = FM_OK;

    if (of == NULL || made == NULL)
        status = base_err_memory(err, "conversion");
    for (size_t i = 0; status == FM_OK && i < count; i++) {
        const struct mpc_share *minus = y == NULL ? NULL : y[i];

        of[i] = x[i];
        if (minus == NULL)
            continue;
        status = mpc_ring_new(&made[2 * i], s, x[i]->n, MPC_RANGE_FULL, err);
        if (status == FM_OK && minus->n != x[i]->n) {
            status = mpc_ring_new(&made[2 * i + 1], s, x[i]->n, MPC_RANGE_FULL, err);
            if (status == FM_OK)
                mpc_linear_spread(s, made[2 * i + 1], minus);
            minus = made[2 * i + 1];
        }
        if (status == FM_OK)
            mpc_linear_sub(s, made[2 * i], x[i], minus);
        of[i] = made[2 * i];
    }
    if (status == FM_OK)
        status = rep3_msb_by_ripple(s, z, of, width, count, err);
    if (made != NULL)
        mpc_share_free_all(made, 2 * count);
    free(made);
    free(of);
    return status;
}

fm_status rep3_msb(struct mpc_session *s, struct mpc_share *const *z,
                   const struct mpc_share *const *x, const struct mpc_share *const *y,
                   const unsigned *width, size_t count, struct base_err *err)
{
    unsigned widest = 1;
    enum mpc_profile way;

    for (size_t i = 0; i < count; i++)
        widest = width[i] > widest ? width[i] : widest;
    way = mpc_rep3_msb_way(widest, masked_elements(x, count), s->profile);
    return (way == MPC_FEW_BYTES ? by_ripple : by_groups)(s, z, x, y, width, count, err);
}
