#include "mpc/oblivious/sort.h"

#include <stdlib.h>

#include "mpc/circuit/decompose.h"
#include "mpc/gates.h"
#include "mpc/oblivious/digit.h"
#include "mpc/oblivious/limbs.h"
#include "mpc/share.h"

static struct mpc_session *session_of(const struct mpc_pieces *p)
{
    return (p->piece[0].ring != NULL ? p->piece[0].ring : p->piece[0].bits)->session;
}

static size_t rows_of(const struct mpc_pieces *p)
{
    return (p->piece[0].ring != NULL ? p->piece[0].ring : p->piece[0].bits)->n;
}

/* Limbs of distinct keys, in the rows' own order: shuffles them and sorts the first k places. */
static fm_status order_limbs(struct mpc_order **out, const struct mpc_share *const *limb,
                             size_t limbs, size_t k, struct base_err *err)
{
    struct mpc_session *s = limb[0]->session;
    size_t n = limb[0]->n;
    struct mpc_share *shuffled[MPC_ARRANGE_LIMBS] = {NULL};
    struct mpc_perm *perm;
    uint32_t *map = NULL;
    fm_status status = mpc_perm_random(s, &perm, n, err);

    if (status != FM_OK)
        return status;
    status = mpc_perm_apply(perm, MPC_FORWARD, shuffled, limb, limbs, err);
    if (status == FM_OK && s->computes) {
        map = malloc(n * sizeof *map + 1);
        status = map == NULL
                     ? mpc_no_memory(s, "sort", err)
                     : mpc_arrange(map, (const struct mpc_share *const *)shuffled, limbs, k, err);
    }
    mpc_share_free_all(shuffled, limbs);
    if (status != FM_OK) {
        mpc_perm_free(perm);
        free(map);
        return status;
    }
    return mpc_order_of_halves(out, s, perm, map, n, err);
}

/* The keys' bits, least significant first, as one column: for keys of few bits. */
static fm_status digit_planes(struct mpc_share **z, const struct mpc_pieces *p,
                              struct base_err *err)
{
    unsigned width = mpc_pieces_width(p);
    struct mpc_session *s = session_of(p);
    struct mpc_gates gates = {0};
    fm_status status = mpc_bits_constant(s, z, 0, width, rows_of(p), err);
    unsigned at = 0;

    for (size_t i = p->len; status == FM_OK && i > 0; i--) {
        const struct mpc_piece *piece = &p->piece[i - 1];
        struct mpc_share *planes = NULL;

        status = piece->ring != NULL
                     ? mpc_a2b_list(&planes, (const struct mpc_share *const *)&piece->ring,
                                    &piece->width, 1, err)
                     : mpc_slice(&planes, piece->bits, 0, piece->bits->n, err);
        for (unsigned j = 0; status == FM_OK && j < piece->width; j++)
            mpc_gates_push(&gates, mpc_wire_of(*z, at + j), mpc_wire_of(*z, at + j),
                           mpc_wire_of(planes, j), mpc_wire_none());
        if (status == FM_OK)
            status = mpc_gates_xor(s, &gates, err);
        mpc_share_free(planes);
        at += piece->width;
    }
    mpc_gates_release(&gates);
    return status;
}

/* One pass over a digit that is the whole key. */
static fm_status sort_by_digit(struct mpc_order **out, const struct mpc_pieces *p,
                               struct base_err *err)
{
    unsigned values = 1u << mpc_pieces_width(p);
    struct mpc_share *planes = NULL;
    struct mpc_share *hot = NULL;
    struct mpc_share *bit[MPC_DIGIT_VALUES] = {NULL};
    struct mpc_share *e[MPC_DIGIT_VALUES] = {NULL};
    fm_status status = digit_planes(&planes, p, err);

    if (status == FM_OK)
        status = mpc_one_hot(&hot, planes, err);
    for (unsigned v = 0; status == FM_OK && v + 1 < values; v++)
        status = mpc_planes(&bit[v], hot, v, 1, err);
    if (status == FM_OK)
        status = mpc_bit2a_list(e, (const struct mpc_share *const *)bit, values - 1, err);
    if (status == FM_OK)
        status = mpc_order_by_digit(out, (const struct mpc_share *const *)e, values, err);
    mpc_share_free(planes);
    mpc_share_free(hot);
    mpc_share_free_all(bit, MPC_DIGIT_VALUES);
    mpc_share_free_all(e, MPC_DIGIT_VALUES);
    return status;
}

/* The widest keys that are sorted as one digit: where that is cheaper, in bytes or in rounds. */
static unsigned digit_width(enum mpc_profile profile)
{
    return profile == MPC_FEW_BYTES ? 2 : 3;
}

fm_status mpc_top(struct mpc_order **out, const struct mpc_sort_key *keys, size_t count, size_t k,
                  struct base_err *err)
{
    struct mpc_share *limb[MPC_ARRANGE_LIMBS] = {NULL};
    struct mpc_share *number = NULL;
    struct mpc_pieces pieces;
    size_t limbs = 0;
    fm_status status = mpc_pieces_of_keys(&pieces, keys, count, err);

    *out = NULL;
    if (status != FM_OK)
        return status;
    k = k < keys[0].x->n ? k : keys[0].x->n;
    if (pieces.len > 0 && mpc_pieces_width(&pieces) <= digit_width(session_of(&pieces)->profile)) {
        status = sort_by_digit(out, &pieces, err);
        mpc_pieces_release(&pieces);
        return status;
    }
    status = mpc_count_up(keys[0].x->session, &number, keys[0].x->n, err);
    if (status == FM_OK && pieces.len == 0) { /* all rows are equal */
        status = mpc_order_of_ranks(out, number, err);
        mpc_share_free(number);
        return status;
    }
    if (status == FM_OK) {
        mpc_pieces_add(&pieces, number);
        status = mpc_pieces_pack(limb, &limbs, &pieces, err);
    }
    mpc_pieces_release(&pieces);
    if (status == FM_OK)
        status = order_limbs(out, (const struct mpc_share *const *)limb, limbs, k, err);
    mpc_share_free_all(limb, limbs);
    return status;
}

fm_status mpc_sort(struct mpc_order **out, const struct mpc_sort_key *keys, size_t count,
                   struct base_err *err)
{
    return mpc_top(out, keys, count, count > 0 ? keys[0].x->n : 0, err);
}
