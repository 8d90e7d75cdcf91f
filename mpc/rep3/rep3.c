/* The row, its session, and joint randomness. */
#include "mpc/rep3/rep3.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "mpc/kernels.h"
#include "mpc/linear.h"
#include "mpc/rep3/state.h"

enum { STAGE_BYTES = REP3_STAGES * MPC_CHUNK_WORDS * 8 };

/* Party i draws the seed of k_i and sends it to party i - 1. */
static fm_status exchange_seeds(struct mpc_session *s, struct base_err *err)
{
    struct rep3 *r = rep3_of(s);
    fm_status status = mpc_private_fill(&s->random, r->seed[0], MPC_SEED, err);

    if (status == FM_OK)
        status = rep3_send(s, 2, r->seed[0], MPC_SEED / 8, err);
    if (status == FM_OK)
        status = rep3_recv(s, 1, r->seed[1], MPC_SEED / 8, err);
    s->stats.rounds++;
    return status;
}

/* Both generators of the session's, or the lane's, stream. */
static fm_status key_generators(struct mpc_session *s, struct base_err *err)
{
    static const char *const labels[3] = {"rep3 k0", "rep3 k1", "rep3 k2"};
    struct rep3 *r = rep3_of(s);
    fm_status status = mpc_joint_init(&r->own, (const uint8_t *)r->seed[0], s->context32,
                                      labels[r->i], s->stream, err);

    if (status == FM_OK)
        status = mpc_joint_init(&r->next, (const uint8_t *)r->seed[1], s->context32,
                                labels[(r->i + 1) % 3], s->stream, err);
    return status;
}

static fm_status new_state(struct mpc_session *s, struct base_err *err)
{
    struct rep3 *r = calloc(1, sizeof *r);

    if (r == NULL)
        return base_err_memory(err, "session state");
    s->state = r;
    r->i = s->index;
    r->stage = aligned_alloc(64, STAGE_BYTES);
    if (r->stage == NULL)
        return base_err_memory(err, "session state");
    memset(r->stage, 0, STAGE_BYTES);
    return FM_OK;
}

static fm_status rep3_open(struct mpc_session *s, struct base_err *err)
{
    fm_status status;

    if (!s->computes)
        return FM_OK;
    status = new_state(s, err);
    if (status != FM_OK)
        return status;
    /* Public constants live in component 0, which parties 0 (as a) and 2 (as b) hold. */
    s->public_at = s->index == 0 ? 0 : s->index == 2 ? 1 : -1;
    status = exchange_seeds(s, err);
    if (status == FM_OK)
        status = key_generators(s, err);
    return status;
}

/* The same seeds under another stream's label: other keys. */
static fm_status rep3_lane(const struct mpc_session *s, struct mpc_session *lane,
                           struct base_err *err)
{
    fm_status status = new_state(lane, err);

    if (status != FM_OK)
        return status;
    memcpy(rep3_of(lane)->seed, rep3_of(s)->seed, sizeof rep3_of(s)->seed);
    return key_generators(lane, err);
}

static void rep3_close(struct mpc_session *s)
{
    struct rep3 *r = rep3_of(s);

    if (r == NULL)
        return;
    mpc_joint_release(&r->own);
    mpc_joint_release(&r->next);
    if (r->stage != NULL)
        base_wipe(r->stage, STAGE_BYTES);
    base_wipe(r->seed, sizeof r->seed);
    free(r->stage);
    free(r);
    s->state = NULL;
}

static void rep3_held(const struct mpc_session *s, unsigned *held)
{
    held[0] = s->index;
    held[1] = (s->index + 1) % 3;
}

fm_status rep3_zero_share(struct mpc_session *s, enum mpc_domain domain, uint64_t *out,
                          size_t words, struct base_err *err)
{
    struct rep3 *r = rep3_of(s);

    (void)err;
    mpc_joint_fill(&r->own, out, words);
    while (words > 0) {
        size_t have;
        const uint64_t *next = mpc_joint_peek(&r->next, &have);

        if (have > words)
            have = words;
        if (domain == MPC_RING64)
            mpc_k_sub(out, out, next, have);
        else
            mpc_k_xor(out, out, next, have);
        mpc_joint_take(&r->next, have);
        out += have;
        words -= have;
    }
    return FM_OK;
}

fm_status rep3_random(struct mpc_session *s, struct mpc_share *z, struct base_err *err)
{
    struct rep3 *r = rep3_of(s);

    (void)err;
    if (z->n == 0)
        return FM_OK;
    mpc_joint_fill(&r->own, mpc_comp(z, 0), z->comp_words);
    mpc_joint_fill(&r->next, mpc_comp(z, 1), z->comp_words);
    return FM_OK;
}

/* The coin is F(k_0) ^ F(k_1) ^ F(k_2). Party i lacks k_{i+2}, and party i + 2 sends it F of that.
 * Semi-honest: all keys were fixed when the session was opened. */
fm_status rep3_coin(struct mpc_session *s, uint8_t *out, size_t len, struct base_err *err)
{
    struct rep3 *r = rep3_of(s);
    uint64_t *mine = r->stage;
    uint64_t *third = r->stage + MPC_CHUNK_WORDS;

    while (len > 0) {
        size_t words = len > MPC_CHUNK_WORDS * 8 ? MPC_CHUNK_WORDS : (len + 7) / 8;
        size_t bytes = words * 8 < len ? words * 8 : len;
        fm_status status;

        mpc_joint_fill(&r->own, mine, words);
        status = rep3_send(s, 1, mine, words, err);
        if (status == FM_OK)
            status = rep3_recv(s, 2, third, words, err);
        if (status != FM_OK)
            return status;
        mpc_k_xor(mine, mine, third, words);
        mpc_joint_fill(&r->next, third, words);
        mpc_k_xor(mine, mine, third, words);
        memcpy(out, mine, bytes);
        out += bytes;
        len -= bytes;
        s->stats.rounds++;
    }
    return FM_OK;
}

const struct mpc_protocol mpc_rep3 = {
    .name = "rep3",
    .parties = 3,
    .corrupt = 1,
    .adversary = MPC_SEMI_HONEST,
    .components = 3,
    .held = 2,
    .costs = {.mul_rounds = 1,
              .mul_bytes = 24,
              .and_rounds = 1,
              .and_bytes = 24,
              .bit2a_rounds = 2,
              .bit2a_bytes = 24,
              .open_rounds = 1,
              .open_bytes = 24},
    .most_lanes = NET_MAX_STREAMS,
    .open = rep3_open,
    .close = rep3_close,
    .lane = rep3_lane,
    .held_components = rep3_held,
    .input = rep3_input,
    .reveal_to = rep3_reveal_to,
    .open_masked = rep3_open_masked,
    .check = mpc_check_none,
    .prepare = mpc_prepare_none,
    .record = mpc_record_none,
    .zero = mpc_linear_zero,
    .add = mpc_linear_add,
    .sub = mpc_linear_sub,
    .scale = mpc_linear_scale,
    .add_constant = mpc_linear_add_constant,
    .sum = mpc_linear_sum,
    .spread = mpc_linear_spread,
    .place = mpc_linear_place,
    .gather = mpc_linear_gather,
    .gather_sub = mpc_linear_gather_sub,
    .prefix = mpc_linear_prefix,
    .xor = mpc_linear_xor,
    .flip = mpc_linear_flip,
    .mul = rep3_mul,
    .dot = rep3_dot,
    .dot_columns = rep3_dot_columns,
    .and = rep3_and,
    .a2b = rep3_a2b,
    .b2a = rep3_b2a,
    .bit2a = rep3_bit2a,
    .msb = rep3_msb,
    .msb_linked = rep3_msb_linked,
    .eqz = rep3_eqz,
    .bit_count = rep3_bit_count,
    .perm_random = rep3_perm_random,
    .perm_apply = rep3_perm_apply,
    .perm_free = mpc_perm_release_maps,
    .coin = rep3_coin,
    .zero_share = rep3_zero_share,
    .random = rep3_random,
};
