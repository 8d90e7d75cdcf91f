/* Permutations, joint randomness, preparation: the wrappers. */
#include "mpc/perm.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "mpc/ops_check.h"

fm_status mpc_perm_map_new(struct mpc_perm *perm, unsigned k, struct base_err *err)
{
    size_t bytes = perm->n == 0 ? 4 : perm->n * 4;

    perm->map[k] = malloc(bytes);
    perm->inverse[k] = malloc(bytes);
    if (perm->map[k] == NULL || perm->inverse[k] == NULL)
        return base_err_memory(err, "permutation");
    return FM_OK;
}

void mpc_perm_draw(struct mpc_perm *perm, unsigned k, struct mpc_joint *joint)
{
    uint32_t *map = perm->map[k];

    for (size_t i = 0; i < perm->n; i++)
        map[i] = (uint32_t)i;
    for (size_t i = perm->n; i > 1; i--) {
        size_t j = (size_t)mpc_joint_below(joint, i);
        uint32_t swap = map[i - 1];

        map[i - 1] = map[j];
        map[j] = swap;
    }
    for (size_t i = 0; i < perm->n; i++)
        perm->inverse[k][map[i]] = (uint32_t)i;
}

void mpc_perm_release_maps(struct mpc_perm *perm)
{
    for (unsigned k = 0; k < MPC_MAX_COMPONENTS; k++) {
        if (perm->map[k] != NULL)
            base_wipe(perm->map[k], perm->n * 4);
        if (perm->inverse[k] != NULL)
            base_wipe(perm->inverse[k], perm->n * 4);
        free(perm->map[k]);
        free(perm->inverse[k]);
        perm->map[k] = NULL;
        perm->inverse[k] = NULL;
    }
}

fm_status mpc_perm_random(struct mpc_session *s, struct mpc_perm **out, size_t n,
                          struct base_err *err)
{
    struct mpc_perm *perm;
    fm_status status = FM_OK;

    *out = NULL;
    if (n > MPC_MAX_N)
        return base_err_set(err, FM_E_ARG, "permutation of %zu elements: at most 2^32", n);
    perm = calloc(1, sizeof *perm);
    if (perm == NULL)
        return mpc_finish(s, MPC_OP_PERM, base_err_memory(err, "permutation"), err);
    perm->session = s;
    perm->n = n;
    if (s->computes)
        status = mpc_finish(s, MPC_OP_PERM, s->row->perm_random(s, perm, err), err);
    if (status != FM_OK) {
        mpc_perm_free(perm);
        return status;
    }
    *out = perm;
    return FM_OK;
}

void mpc_perm_free(struct mpc_perm *perm)
{
    if (perm == NULL)
        return;
    if (perm->session->computes)
        perm->session->row->perm_free(perm);
    free(perm);
}

fm_status mpc_perm_apply(const struct mpc_perm *perm, enum mpc_direction direction,
                         struct mpc_share **z, const struct mpc_share *const *x, size_t count,
                         struct base_err *err)
{
    struct mpc_session *s = perm->session;
    struct mpc_record record = {.op = MPC_OP_PERM, .z = z, .x = x, .count = count};
    fm_status status;

    for (size_t i = 0; i < count; i++)
        z[i] = NULL;
    status = mpc_check_list(x, count, "permutation", err);
    for (size_t i = 0; status == FM_OK && i < count; i++) {
        if (x[i]->session != s)
            status =
                base_err_set(err, FM_E_ARG, "permutation: column %zu is of another session", i);
        else if (x[i]->n != perm->n)
            status = base_err_set(err, FM_E_ARG, "permutation of %zu elements: column %zu has %zu",
                                  perm->n, i, x[i]->n);
        else
            status = mpc_share_new(&z[i], s, x[i]->domain, x[i]->n, x[i]->width, x[i]->range, err);
    }
    if (status == FM_OK && s->computes)
        status = s->row->perm_apply(perm, direction, z, x, count, err);
    if (status == FM_OK && s->computes)
        status = s->row->record(s, &record, err);
    status = mpc_finish(s, MPC_OP_PERM, status, err);
    if (status != FM_OK)
        mpc_share_free_all(z, count);
    return status;
}

fm_status mpc_coin(struct mpc_session *s, uint8_t *out, size_t len, struct base_err *err)
{
    memset(out, 0, len);
    if (!s->computes)
        return FM_OK;
    return mpc_finish(s, MPC_OP_COIN, s->row->coin(s, out, len, err), err);
}

fm_status mpc_random_share(struct mpc_session *s, struct mpc_share **out, enum mpc_domain domain,
                           unsigned width, size_t n, struct base_err *err)
{
    fm_status status = domain == MPC_RING64 ? mpc_ring_new(out, s, n, MPC_RANGE_FULL, err)
                                            : mpc_bits_new(out, s, n, width, err);

    if (status == FM_OK && s->computes)
        status = mpc_finish(s, MPC_OP_RANDOM, s->row->random(s, *out, err), err);
    if (status != FM_OK)
        mpc_share_free_all(out, 1);
    return status;
}

fm_status mpc_random_bit(struct mpc_session *s, struct mpc_share **out, size_t n,
                         struct base_err *err)
{
    return mpc_random_share(s, out, MPC_BITS, 1, n, err);
}

fm_status mpc_prepare(struct mpc_session *s, const struct mpc_counts *counts, struct base_err *err)
{
    if (!s->computes)
        return FM_OK;
    return mpc_finish(s, MPC_OP_PREPARE, s->row->prepare(s, counts, err), err);
}

fm_status mpc_check(struct mpc_session *s, struct base_err *err)
{
    if (!s->computes)
        return FM_OK;
    return mpc_finish(s, MPC_OP_CHECK, s->row->check(s, err), err);
}
