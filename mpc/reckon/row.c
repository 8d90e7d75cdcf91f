/* The row: shares without contents, operations that send nothing. */
#include <string.h>

#include "mpc/linear.h"
#include "mpc/perm.h"
#include "mpc/reckon/own.h"

static fm_status reckon_open(struct mpc_session *s, struct base_err *err)
{
    (void)err;
    s->hollow = true;
    reckon_spend(s, 3 * 32, 1, 0);
    return FM_OK;
}

static void reckon_close(struct mpc_session *s)
{
    (void)s;
}

static void reckon_held(const struct mpc_session *s, unsigned *held)
{
    (void)s;
    held[0] = 0;
    held[1] = 1;
}

/* ---- input and output ---- */

static fm_status reckon_input(struct mpc_session *s, struct mpc_share *const *z,
                              const struct mpc_input *items, size_t count, struct base_err *err)
{
    struct mpc_reckon *r = reckon_of(s);
    bool seen[NET_MAX_PARTIES] = {false};
    unsigned rounds = 1;

    (void)err;
    for (size_t i = 0; i < count; i++) {
        unsigned owner = items[i].owner;
        uint64_t bytes = 8 * (uint64_t)z[i]->comp_words;

        reckon_work(s, (double)z[i]->comp_words, NS_INPUT);
        if (reckon_computes(r, owner)) {
            for (unsigned k = 0; k < 3; k++)
                if (r->compute[k] == owner)
                    r->received[r->compute[(k + 1) % 3]] += bytes;
            r->sent[owner] += bytes;
            continue;
        }
        r->sent[owner] += 2 * bytes + (seen[owner] ? 0 : 128);
        r->received[r->compute[1]] += bytes;
        r->received[r->compute[2]] += bytes;
        for (unsigned k = 0; k < 3 && !seen[owner]; k++) {
            r->received[r->compute[k]] += k == 0 ? 64 : 32;
            r->evenly += 32;
        }
        seen[owner] = true;
        rounds = 2;
    }
    s->stats.rounds += rounds;
    r->busy_ns += rounds * NS_ROUND;
    return FM_OK;
}

static fm_status reckon_reveal_to(struct mpc_session *s, const struct mpc_share *const *x,
                                  size_t count, const unsigned *recipients, size_t recipients_len,
                                  uint64_t *const *words, struct base_err *err)
{
    struct mpc_reckon *r = reckon_of(s);
    uint64_t all = 0;

    (void)words;
    (void)err;
    for (size_t i = 0; i < count; i++)
        all += x[i]->comp_words;
    for (size_t i = 0; i < recipients_len && all > 0; i++) {
        uint64_t each = reckon_computes(r, recipients[i]) ? 8 * all : 24 * all;

        r->received[recipients[i]] += each;
        r->brought += each;
    }
    s->stats.rounds += all > 0;
    r->busy_ns += (double)all * NS_INPUT * (double)recipients_len + NS_ROUND;
    return FM_OK;
}

/* Ranks that are opened are each of 0..n-1 once; outcomes of comparisons are the sort's own
 * (versus.c). */
static fm_status reckon_open_masked(struct mpc_session *s, const struct mpc_share *const *x,
                                    size_t count, uint64_t *const *words, struct base_err *err)
{
    uint64_t all = 0;

    (void)err;
    for (size_t i = 0; i < count; i++) {
        all += x[i]->comp_words;
        for (size_t k = 0; k < x[i]->comp_words; k++)
            words[i][k] = x[i]->domain == MPC_RING64 ? k : 0;
    }
    reckon_spend(s, 24 * all, all > 0, (double)all * NS_INPUT);
    return FM_OK;
}

/* ---- without a message ---- */

static void reckon_zero(struct mpc_session *s, struct mpc_share *z)
{
    reckon_work(s, (double)z->comp_words, NS_LOCAL);
}

static void reckon_binary(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x,
                          const struct mpc_share *y)
{
    (void)x;
    (void)y;
    reckon_work(s, (double)z->comp_words, NS_LOCAL);
}

static void reckon_scale(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x,
                         uint64_t c)
{
    (void)x;
    (void)c;
    reckon_work(s, (double)z->comp_words, NS_LOCAL);
}

static void reckon_add_constant(struct mpc_session *s, struct mpc_share *z, uint64_t c)
{
    (void)c;
    reckon_work(s, (double)z->comp_words, NS_LOCAL);
}

static void reckon_unary(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x)
{
    reckon_work(s, (double)(z->comp_words + x->comp_words), NS_LOCAL);
}

static void reckon_place(struct mpc_session *s, struct mpc_share *z, size_t at,
                         const struct mpc_share *x, size_t from, size_t n)
{
    (void)z;
    (void)at;
    (void)from;
    reckon_work(s, x->domain == MPC_RING64 ? (double)n : (double)mpc_plane_words(n) * x->width,
                NS_LOCAL);
}

static void reckon_gather(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x,
                          const uint32_t *map)
{
    (void)map;
    reckon_work(s, (double)z->n * (x->domain == MPC_RING64 ? 1 : x->width), NS_GATHERED);
}

static void reckon_gather_sub(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x,
                              const uint32_t *p, const uint32_t *q)
{
    (void)x;
    (void)p;
    (void)q;
    reckon_work(s, 2 * (double)z->n, NS_GATHERED);
}

static void reckon_xor(struct mpc_session *s, const struct mpc_gate *gates, size_t count)
{
    for (size_t i = 0; i < count; i++)
        reckon_work(s, (double)gates[i].z.share->plane_words, NS_LOCAL);
}

static void reckon_flip(struct mpc_session *s, const struct mpc_wire *wires, size_t count)
{
    (void)wires;
    reckon_work(s, (double)count, NS_LOCAL);
}

/* ---- permutations and randomness ---- */

static fm_status reckon_perm_random(struct mpc_session *s, struct mpc_perm *perm,
                                    struct base_err *err)
{
    fm_status st = FM_OK;

    for (unsigned k = 0; st == FM_OK && k < 2; k++) /* each knows two of the three */
        st = mpc_block_new(&perm->block[k], s, perm->n * sizeof(uint32_t), err);
    reckon_work(s, 2 * (double)perm->n, NS_GATHERED);
    return st;
}

static fm_status reckon_perm_apply(const struct mpc_perm *perm, enum mpc_direction direction,
                                   struct mpc_share *const *z, const struct mpc_share *const *x,
                                   size_t count, struct base_err *err)
{
    uint64_t words = 0;
    double moved = 0;

    (void)direction;
    (void)z;
    (void)err;
    for (size_t i = 0; i < count; i++) {
        words += x[i]->comp_words;
        moved += (double)x[i]->n * (x[i]->domain == MPC_RING64 ? 1 : x[i]->width / 4.0);
    }
    reckon_spend(perm->session, 32 * words, words > 0 ? 2 : 0, moved * NS_MOVED);
    return FM_OK;
}

static fm_status reckon_coin(struct mpc_session *s, uint8_t *out, size_t len, struct base_err *err)
{
    (void)err;
    memset(out, 0, len);
    reckon_spend(s, 24 * ((len + 7) / 8), len > 0, 0);
    return FM_OK;
}

static fm_status reckon_zero_share(struct mpc_session *s, enum mpc_domain domain, uint64_t *out,
                                   size_t words, struct base_err *err)
{
    (void)domain;
    (void)err;
    memset(out, 0, words * 8);
    reckon_work(s, (double)words, NS_LOCAL);
    return FM_OK;
}

static fm_status reckon_random(struct mpc_session *s, struct mpc_share *z, struct base_err *err)
{
    (void)err;
    reckon_work(s, (double)z->comp_words, NS_LOCAL);
    return FM_OK;
}

const struct mpc_protocol mpc_reckon_row = {
    .name = "rep3 reckoned",
    .parties = 1,
    .corrupt = 0,
    .adversary = MPC_SEMI_HONEST,
    .components = 3,
    .held = 2,
    .costs = {.and_bytes = 8}, /* of one party: what circuits choose by */
    .most_lanes = 1,
    .lane = mpc_lane_unsupported,
    .open = reckon_open,
    .close = reckon_close,
    .held_components = reckon_held,
    .input = reckon_input,
    .reveal_to = reckon_reveal_to,
    .open_masked = reckon_open_masked,
    .check = mpc_check_none,
    .prepare = mpc_prepare_none,
    .record = mpc_record_none,
    .zero = reckon_zero,
    .add = reckon_binary,
    .sub = reckon_binary,
    .scale = reckon_scale,
    .add_constant = reckon_add_constant,
    .sum = reckon_unary,
    .spread = reckon_unary,
    .place = reckon_place,
    .gather = reckon_gather,
    .gather_sub = reckon_gather_sub,
    .prefix = reckon_unary,
    .xor = reckon_xor,
    .flip = reckon_flip,
    .mul = reckon_mul,
    .dot = reckon_dot,
    .dot_columns = reckon_dot_columns,
    .and = reckon_and,
    .a2b = reckon_a2b,
    .b2a = reckon_b2a,
    .bit2a = reckon_bit2a,
    .msb = reckon_msb,
    .msb_linked = reckon_msb_linked,
    .eqz = reckon_eqz,
    .bit_count = reckon_bit_count,
    .perm_random = reckon_perm_random,
    .perm_apply = reckon_perm_apply,
    .perm_free = mpc_perm_release_maps,
    .coin = reckon_coin,
    .zero_share = reckon_zero_share,
    .random = reckon_random,
};
