#include "mpc/oblivious/sort.h"

#include <stdlib.h>

#include "mpc/oblivious/limbs.h"
#include "mpc/share.h"

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
